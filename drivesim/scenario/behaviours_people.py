"""Behaviours across the road: of people mostly, and of whatever else crosses it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely

from scenegraph import Actor, box_corners
from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath

from ..errors import ScenarioError
from .cast import Cast, ego_path, ego_stations
from .classes import EGO_BODY
from .motion import Way
from .places import road_edges_m, spot_of
from .schema_actors import Jaywalk, StepOut
from .speed import SpeedProfile

_BEYOND_M = 1.5
_EYE_AHEAD_M, _EYE_HEIGHT_M = 1.6, 1.3
_BEHIND_IT_M = 0.4
_MOVES_M = 0.05


def jaywalk(cast: Cast, how: Jaywalk) -> Way:
    """Sets off from its place, straight over the road, and stops beyond it or in it."""
    spot = spot_of(cast.actor, cast.world).point_m
    path = _road(cast, spot)
    station_m, aside_m = path.locate(spot)
    side = 1.0 if aside_m > 0 else -1.0
    road_rad = float(path.headings_rad(np.array([station_m]))[0])
    heading = road_rad - side * np.radians(how.angle_deg)
    left_m, right_m = road_edges_m(cast.world, path, station_m)
    across_m = abs(aside_m) + (-right_m if side > 0 else left_m) + _BEYOND_M
    way_m = across_m / np.sin(np.radians(how.angle_deg)) if how.stop_after_m is None else how.stop_after_m
    return _straight(cast, spot, heading, _walk(cast, how.at_s, how.speed_mps, way_m))


def step_out(cast: Cast, how: StepOut) -> Way:
    """Stands hidden, and sets off so that it is in the middle of the ego's lane at the wanted time."""
    if how.meet_s > cast.duration_s:
        raise ScenarioError(
            f"meets the ego at {how.meet_s:g} s, and the scenario ends at {cast.duration_s:g} s. Use a smaller meet_s"
        )
    spot = spot_of(cast.actor, cast.world).point_m
    path = ego_path(cast.world, 0.0, 400.0)
    station_m, aside_m = path.locate(spot)
    side = 1.0 if aside_m > 0 else -1.0
    heading = float(path.headings_rad(np.array([station_m]))[0]) - side * np.pi / 2
    way_m = _to_middle_m(spot, heading, path)
    walked = _walk(cast, 0.0, how.speed_mps, 1e4).time_at(way_m, 1e3)
    assert walked is not None, "who walks on comes to the lane some time"
    if walked > how.meet_s:
        raise ScenarioError(
            f"takes {walked:.1f} s to the middle of the ego's lane and has {how.meet_s:g}. Use a meet_s of at least "
            f"{walked:.1f}, a higher speed_mps, or a place nearer to the lane"
        )
    _require_ahead(cast, how, path, station_m)
    starts_s = how.meet_s - walked
    _require_hidden(cast, how, spot, heading, starts_s, path)
    left_m, right_m = road_edges_m(cast.world, path, station_m)
    across_m = way_m + (-right_m if side > 0 else left_m) + _BEYOND_M
    return _straight(cast, spot, heading, _walk(cast, starts_s, how.speed_mps, across_m))


def _road(cast: Cast, spot: FloatArray) -> LanePath:
    """The ego's way, or where it is on none the lane nearest to the place."""
    try:
        path = cast.world.path("ego", 0.0)
        station_m, _ = path.locate(spot)
        if path.first_m + 1.0 < station_m < path.last_m - 1.0:
            return path
    except ScenarioError:
        pass
    found = cast.world.graph.nearest_lane(spot)
    if found is None:
        raise ScenarioError("is nowhere near a lane, so there is no road to cross. Use another place")
    return cast.world.path(f"id:{found.lane.id}", 0.0)


def _walk(cast: Cast, at_s: float, speed_mps: float, way_m: float) -> SpeedProfile:
    """Stands, sets off, keeps its speed, and stands again after so many metres."""
    limits = cast.limits
    pull, brake, jerk = limits.acceleration_mps2 / 2, limits.braking_mps2 / 2, limits.jerk_mps3 / 2
    going = SpeedProfile.steady(0.0).held_until(at_s).changed(speed_mps, pull, jerk)
    stopping_m = SpeedProfile.steady(speed_mps).changed(0.0, brake, jerk)
    even_m = way_m - going.stations_m[-1] - stopping_m.stations_m[-1]
    if even_m < 0:
        raise ScenarioError(
            f"cannot reach {speed_mps:g} m/s and stop within {way_m:.1f} m. Use a longer way of at least "
            f"{way_m - even_m:.1f} m, or a lower speed_mps"
        )
    return going.held(even_m / speed_mps).changed(0.0, brake, jerk)


def _straight(cast: Cast, spot: FloatArray, heading_rad: float, profile: SpeedProfile) -> Way:
    """Straight on from a spot, its centre there at 0 s."""
    ahead = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    first = spot - cast.body.rear_axle_m * ahead
    heights = _heights(cast, first, ahead, profile.station(cast.duration_s))

    def place(times_s: FloatArray) -> FloatArray:
        walked = profile.stations(times_s)
        points: FloatArray = first + walked[:, None] * ahead
        points[:, 2] = heights(walked)
        return points

    return Way(place, cast.duration_s, heading_rad)


def _heights(cast: Cast, first: FloatArray, ahead: FloatArray, way_m: float) -> Callable[[FloatArray], FloatArray]:
    """About how high the ground is by metres walked."""
    walked = np.linspace(0.0, way_m, max(2, int(way_m) + 1))
    heights = np.full(len(walked), first[2])
    for index, distance in enumerate(walked):
        point = first + distance * ahead
        point[2] = heights[index - 1] if index else first[2]
        heights[index] = cast.world.ground.heights_m(point[None])[0]
    return lambda at: np.asarray(np.interp(at, walked, heights))


def _to_middle_m(spot: FloatArray, heading_rad: float, path: LanePath) -> float:
    """How far it is straight ahead to the middle of the lane."""
    ahead = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    distances = np.linspace(0.0, 60.0, 1201)
    aside = path.locate_all(spot + distances[:, None] * ahead)[1]
    crossed = np.flatnonzero(np.sign(aside[1:]) != np.sign(aside[0]))
    if not len(crossed):
        raise ScenarioError("is more than 60 m from the ego's lane. Use another place")
    index = int(crossed[0])
    share = aside[index] / (aside[index] - aside[index + 1])
    return float(distances[index] + share * (distances[index + 1] - distances[index]))


def _require_ahead(cast: Cast, how: StepOut, path: LanePath, station_m: float) -> None:
    times = np.arange(0.0, cast.duration_s, 0.1)
    passed = np.flatnonzero(ego_stations(cast.world, path, times, EGO_BODY.front_m) > station_m)
    if len(passed) and times[passed[0]] < how.meet_s:
        raise ScenarioError(
            f"is to meet the ego at {how.meet_s:g} s, and the ego passes there at {times[passed[0]]:.1f} s. "
            f"Use a smaller meet_s, or a place further ahead"
        )


# -- hidden ------------------------------------------------------------------------------------------


def _require_hidden(
    cast: Cast, how: StepOut, spot: FloatArray, heading_rad: float, starts_s: float, path: LanePath
) -> None:
    """Refuse a place that the ego sees before the actor sets off."""
    hider = _hider(cast, how.behind)
    times = np.append(np.arange(0.0, starts_s, 0.1), starts_s)
    stamps = cast.world.start_us + np.round(times * 1e6).astype(np.int64)
    boxes = hider.boxes_at(stamps)
    centres = boxes.world_from_box.translation_m
    if not boxes.present.all() or np.linalg.norm(centres - centres[0], axis=1).max() > _MOVES_M:
        raise ScenarioError(
            f"hides behind {how.behind}, which does not stand there until {starts_s:.1f} s. Use one that stands still"
        )
    if cast.body.height_m > float(boxes.height_m[0]):
        raise ScenarioError(
            f"is {cast.body.height_m:g} m tall and hides behind {how.behind}, which is {boxes.height_m[0]:g}. "
            f"Use a van, truck or bus, or category: child"
        )
    seen = _seen(cast, spot, heading_rad, hider, stamps)
    if seen.any():
        raise ScenarioError(
            f"is seen at {times[np.argmax(seen)]:.1f} s and steps out at {starts_s:.1f} s: {how.behind} does not hide "
            f"it. {_hidden_place(cast, hider, path, stamps)}"
        )


def _hider(cast: Cast, name: str) -> Actor:
    known = {**{actor.id: actor for actor in cast.world.scene.actors}, **cast.others}
    if name not in known:
        raise ScenarioError(f"hides behind {name!r}, which does not exist or comes later in the file")
    return known[name]


def _seen(cast: Cast, spot: FloatArray, heading_rad: float, hider: Actor, stamps: IntArray) -> FloatArray:
    """Whether a corner of it can be seen past the hider from the ego's seats at each instant."""
    eyes = cast.world.scene.ego.at(stamps).apply(np.array([[_EYE_AHEAD_M, 0.0, _EYE_HEIGHT_M]]))[:, 0]
    boxes = hider.boxes_at(stamps)
    corners = box_corners(boxes.world_from_box, boxes.length_m, boxes.width_m, boxes.height_m)[0, :4, :2]
    hides = shapely.Polygon(corners)
    ahead = np.array([np.cos(heading_rad), np.sin(heading_rad)])
    left = np.array([-ahead[1], ahead[0]])
    half_length_m, half_width_m = cast.body.length_m / 2, cast.body.width_m / 2
    own = [spot[:2] + a * half_length_m * ahead + b * half_width_m * left for a in (-1, 1) for b in (-1, 1)]
    sights = shapely.linestrings(np.array([[[eye[:2], corner] for corner in own] for eye in eyes]))
    return np.asarray(~shapely.intersects(sights, hides).all(axis=1))


def _hidden_place(cast: Cast, hider: Actor, path: LanePath, stamps: IntArray) -> str:
    """Where it would be hidden, as fields of the file."""
    boxes = hider.boxes_at(stamps[:1])
    station_m, aside_m = path.locate(boxes.world_from_box.translation_m[0])
    ahead_m = station_m + float(boxes.length_m[0]) / 2 + _BEHIND_IT_M + cast.body.width_m / 2
    return f"Try place: {{kind: lane, lane: ego, ahead_m: {ahead_m:.1f}, lateral_m: {aside_m:.1f}}}"
