"""Turning around over the oncoming lanes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline

from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import LanePath, lane_path

from ..errors import ScenarioError
from .cast import Cast
from .motion import Way
from .places import road_edges_m
from .schema_actors import UTurn

_STEP_M = 0.05
_STEER_S = 1.0
_LATERAL_SHARE, _JERK_SHARE = 0.9, 0.8
_SETTLE_M, _SETTLE_PER_M = 12.0, 5.0
_ROOM_M = 0.1


def u_turn(cast: Cast, how: UTurn) -> Way:
    """Steers in, turns around with the wanted radius, steers out, and takes a lane of the other direction."""
    path, lateral_m = cast.path(how.speed_mps)
    side = -1.0 if cast.world.left_hand else 1.0
    start_m = how.at_s * how.speed_mps - cast.body.rear_axle_m
    arc = _arc(cast, how, path, lateral_m, start_m, side)
    _require_room(cast, how, path, lateral_m, start_m, arc, side)
    after = _settling(cast, how, arc)
    before = path.points(np.arange(-cast.body.rear_axle_m - _STEP_M, start_m - _STEP_M / 2, _STEP_M), lateral_m)
    curve = _curve([before, arc, after], start_m)
    until_s = min(cast.duration_s, (float(curve.x[-1]) + cast.body.rear_axle_m) / how.speed_mps - 0.1)
    heading = float(path.headings_rad(np.zeros(1))[0])
    return Way(_at_speed(curve, how.speed_mps, cast.body.rear_axle_m), until_s, heading)


def _at_speed(curve: CubicSpline, speed_mps: float, behind_m: float) -> Callable[[FloatArray], FloatArray]:
    return lambda times_s: np.asarray(curve(speed_mps * times_s - behind_m))


def _arc(cast: Cast, how: UTurn, path: LanePath, lateral_m: float, start_m: float, side: float) -> FloatArray:
    """Points [N,3] of half a turn: curvature grows, stays and fades, from the lane's to the oncoming lane's."""
    limits = cast.limits
    if how.radius_m < limits.turning_radius_m:
        raise ScenarioError(
            f"turns around with a radius of {how.radius_m:g} m. Use a radius_m of at least "
            f"{limits.turning_radius_m:g}, what a {cast.actor.category} can do"
        )
    fastest = _fastest_mps(cast, how.radius_m)
    if how.speed_mps > fastest:
        raise ScenarioError(
            f"turns around at {how.speed_mps:g} m/s with a radius of {how.radius_m:g} m. Use a speed_mps of at most "
            f"{fastest:.1f}, or a larger radius_m"
        )
    place = np.array([start_m])
    begins = path.points(place, lateral_m)[0]
    heading, bend = float(path.headings_rad(place)[0]), float(path.curvatures(place)[0])
    ramp_m = how.speed_mps * max(_STEER_S, how.speed_mps**2 / how.radius_m / (_JERK_SHARE * limits.jerk_mps3))
    peak = side / how.radius_m
    flat_m = max(0.0, np.pi * how.radius_m - ramp_m)
    lengths = np.cumsum([0.0, ramp_m, flat_m, ramp_m])
    at_m = np.arange(0.0, lengths[-1] + _STEP_M / 2, _STEP_M)
    bends = np.interp(at_m, lengths, [bend, peak, peak, -bend])
    turned = heading + np.concatenate([[0.0], np.cumsum((bends[1:] + bends[:-1]) / 2 * _STEP_M)])
    middle = (turned[1:] + turned[:-1]) / 2
    steps = _STEP_M * np.stack([np.cos(middle), np.sin(middle)], axis=1)
    ground = begins[:2] + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    return np.concatenate([ground, np.full((len(ground), 1), begins[2])], axis=1)


def _fastest_mps(cast: Cast, radius_m: float) -> float:
    by_side = (_LATERAL_SHARE * cast.limits.lateral_mps2 * radius_m) ** 0.5
    return float(min(by_side, _LATERAL_SHARE * cast.limits.yaw_rate_radps * radius_m))


def _require_room(
    cast: Cast, how: UTurn, path: LanePath, lateral_m: float, start_m: float, arc: FloatArray, side: float
) -> None:
    left_m, right_m = road_edges_m(cast.world, path, min(start_m + how.radius_m, path.last_m))
    edge_m = left_m if side > 0 else -right_m
    reach_m = float((side * path.locate_all(_outer_corners(cast, arc, side))[1]).max())
    if reach_m > edge_m - _ROOM_M:
        smaller = how.radius_m - (reach_m - edge_m + _ROOM_M) / 2
        possible = (
            f"Use a radius_m of at most {smaller:.1f}"
            if smaller >= cast.limits.turning_radius_m
            else f"A {cast.actor.category} cannot turn around here in one go: use a wider road or a lane further out"
        )
        raise ScenarioError(
            f"needs {reach_m:.1f} m beside its lane's middle to turn around, and the road has {edge_m:.1f}. {possible}"
        )


def _outer_corners(cast: Cast, arc: FloatArray, side: float) -> FloatArray:
    """Where the outer front and rear corners of the body go, [2N,3]."""
    steps = np.gradient(arc, axis=0)
    ahead = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    outer = -side * np.stack([-ahead[:, 1], ahead[:, 0], np.zeros(len(arc))], axis=1) * cast.body.width_m / 2
    return np.concatenate([arc + cast.body.front_m * ahead + outer, arc - cast.body.rear_m * ahead + outer])


def _settling(cast: Cast, how: UTurn, arc: FloatArray) -> FloatArray:
    """From the end of the arc to the middle of the lane there and along it."""
    end, heading = arc[-1], float(np.arctan2(*(arc[-1] - arc[-2])[1::-1]))
    found = cast.world.graph.nearest_lane(end, heading, 8.0)
    if found is None:
        raise ScenarioError("turns around to where no lane leads back. Use a lane beside one of the other direction")
    further_m = how.speed_mps * cast.duration_s + 60.0
    path = lane_path(cast.world.graph, found.lane.id, found.station_m, further_m, 50.0)
    at_m, aside_m = path.locate(end)
    off = heading - float(path.headings_rad(np.array([at_m]))[0])
    off = float((off + np.pi) % (2 * np.pi) - np.pi)
    settle_m = _SETTLE_M + _SETTLE_PER_M * abs(aside_m)
    stations = np.arange(at_m + _STEP_M, min(path.last_m, at_m + further_m), _STEP_M)
    u = np.minimum((stations - at_m) / settle_m, 1.0)
    fades = 1 - u**3 * (10 - 15 * u + 6 * u**2)
    turns = u * (1 - u) ** 3 * (1 + 3 * u)
    return path.points(stations, aside_m * fades + np.tan(off) * settle_m * turns)


def _curve(pieces: list[FloatArray], start_m: float) -> CubicSpline:
    """Through points five centimetres apart, by length, 0 where the vehicle's centre began."""
    points = np.concatenate(pieces)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1))])
    return CubicSpline(lengths - lengths[len(pieces[0])] + start_m, points)
