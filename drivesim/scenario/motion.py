"""From where something is at any time to key poses: heading where it goes, wheels on the ground, no keys to spare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from scenegraph import SE3, Trajectory
from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath

from ..errors import ScenarioError
from .classes import Body, Limits
from .ground import Ground
from .speed import SpeedProfile

Place = Callable[[FloatArray], FloatArray]
"""Points [N,3] at seconds [N] of the scenario: of the middle of the rear axle, or of the feet."""

Lateral = Callable[[FloatArray, FloatArray], FloatArray]
"""Metres [N] to the left of a path at seconds [N] and stations [N]."""

FINE_US = 20_000
"""Between key instants while speed or heading change; steady motion is cut to one key in five."""
_COARSE = 5

_DELTA_S = 1e-3
_MOVING_MPS = 1e-3
_EVEN_M = _EVEN_RAD = 1e-5

_SURFACE_STEP_M = 0.5
_SURFACE_HALF_STEPS = 4

_MARGIN = 1.02


@dataclass(frozen=True, eq=False)
class Way:
    """Where something is from 0 s to a time.

    place: for times from 0 to until_s. resting_rad: heading of what never moves.
    """

    place: Place
    until_s: float
    resting_rad: float


# -- moves -------------------------------------------------------------------------------------------


def along(path: LanePath, profile: SpeedProfile, lateral: Lateral | float = 0.0) -> Place:
    """Along a path at these stations, so far to its left."""

    def place(times_s: FloatArray) -> FloatArray:
        stations = profile.stations(times_s)
        aside = lateral(times_s, stations) if callable(lateral) else lateral
        return path.points(stations, aside)

    return place


def tabulated(path: LanePath, times_s: FloatArray, stations_m: FloatArray, laterals_m: FloatArray) -> Place:
    """Along a path through stations [T] and laterals [T] at times [T], such as a simulation gives."""
    station, lateral = (PchipInterpolator(times_s, values) for values in (stations_m, laterals_m))
    return lambda at: path.points(station(at), lateral(at))


def smooth_step(times_s: FloatArray, at_s: float, duration_s: float) -> FloatArray:
    """From 0 to 1, without velocity or acceleration at both ends."""
    u = np.clip((times_s - at_s) / duration_s, 0.0, 1.0)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))


def sharp_step(times_s: FloatArray, at_s: float, duration_s: float, share: float) -> FloatArray:
    """The same, but swings in and out during a share of the time and goes across evenly in between."""
    u = np.clip((times_s - at_s) / duration_s, 0.0, 1.0)
    x = np.minimum(np.minimum(u, 1 - u) / share, 1.0)
    swung = share * (2.5 * x**4 - 3 * x**5 + x**6) + np.maximum(np.minimum(u, 1 - u) - share, 0.0)
    half = swung / (1 - share)
    return np.asarray(np.where(u <= 0.5, half, 1 - half))


def sharp_share(aside_m: float, duration_s: float, limits: Limits) -> float:
    """The smallest share of the time for each swing that stays within four fifths of what the class can do."""
    for share in np.linspace(0.15, 0.5, 36):
        speed = abs(aside_m) / duration_s / (1 - share)
        swing_s = share * duration_s
        gentle = 1.875 * speed / swing_s <= 0.8 * limits.lateral_mps2
        if gentle and 5.78 * speed / swing_s**2 <= 0.8 * limits.jerk_mps3:
            return float(share)
    return 0.5


# -- from places to key poses ------------------------------------------------------------------------


def drive(way: Way, start_us: int, body: Body, ground: Ground, limits: Limits | None = None) -> Trajectory:
    """Poses of the middle of the rear axle (or the feet) on the ground, x forward.

    limits: of its class; a motion beyond them is a ScenarioError.
    """
    times_us = key_instants(start_us, way.until_s)
    times_s = (times_us - start_us) / 1e6
    points = way.place(times_s)
    headings = _headings(way, times_s)
    if limits is not None:
        require_possible(times_s, points, headings, limits)
    return thinned(times_us, on_ground(points, headings, body, ground))


def box_track(axle: Trajectory, body: Body) -> Trajectory:
    """Centres of the cuboid of something whose rear axle moves so."""
    axle_from_box = SE3(np.eye(3), np.array([body.rear_axle_m, 0.0, body.height_m / 2]))
    return Trajectory(axle.timestamps_us, axle.world_from_body @ axle_from_box)


def key_instants(start_us: int, until_s: float) -> IntArray:
    """Every 20 ms, and the end."""
    end_us = start_us + round(until_s * 1e6)
    instants: IntArray = np.append(np.arange(start_us, end_us, FINE_US, dtype=np.int64), np.int64(end_us))
    return instants


def _headings(way: Way, times_s: FloatArray) -> FloatArray:
    """Direction of motion [N]; while it stands, as between the motions before and after."""
    before, after = np.maximum(times_s - _DELTA_S, 0.0), np.minimum(times_s + _DELTA_S, way.until_s)
    moved = (way.place(after) - way.place(before))[:, :2]
    moves = np.linalg.norm(moved, axis=1) > _MOVING_MPS * (after - before)
    if not moves.any():
        return np.full(len(times_s), way.resting_rad)
    headings = np.unwrap(np.arctan2(moved[moves, 1].copy(), moved[moves, 0].copy()))
    return np.asarray(np.interp(times_s, times_s[moves], headings))


def on_ground(points_m: FloatArray, headings_rad: FloatArray, body: Body, ground: Ground) -> SE3:
    """Poses [N] with all wheels on the ground; who has none stands upright. Points [N,3], z about right."""
    forward = np.stack([np.cos(headings_rad), np.sin(headings_rad)], axis=-1)
    left = np.stack([-forward[:, 1], forward[:, 0]], axis=-1)
    axles, sides = (0.0, body.wheelbase_m) if body.wheelbase_m else (0.0,), (0.5, -0.5) if body.track_m else (0.0,)
    wheels = np.stack(
        [points_m[:, :2] + axle * forward + side * body.track_m * left for axle in axles for side in sides], axis=1
    )
    heights = _surface(points_m, wheels, ground).reshape(len(points_m), len(axles), len(sides))
    rear_m, front_m = heights[:, 0].mean(axis=-1), heights[:, -1].mean(axis=-1)
    rise = (front_m - rear_m) / body.wheelbase_m if body.wheelbase_m else np.zeros(len(points_m))
    tilt = (heights[..., 0] - heights[..., -1]).mean(axis=-1) / body.track_m if body.track_m else 0.0 * rise
    x = np.concatenate([np.sqrt(1 - rise**2)[:, None] * forward, rise[:, None]], axis=1)
    aside = np.concatenate([np.sqrt(1 - tilt**2)[:, None] * left, tilt[:, None]], axis=1)
    z = np.cross(x, aside)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    rotation = np.stack([x, np.cross(z, x), z], axis=-1)
    return SE3(rotation, np.concatenate([points_m[:, :2], rear_m[:, None]], axis=1))


def _surface(points_m: FloatArray, wheels_m: FloatArray, ground: Ground) -> FloatArray:
    """Heights [N,W] under wheels [N,W,2], eased along the way so that edges of the map's surface make no knocks."""
    way_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points_m[:, :2], axis=0), axis=1))])
    nodes = np.unique(np.floor(way_m / _SURFACE_STEP_M), return_index=True)[1]
    nodes = np.union1d(nodes, [len(way_m) - 1])
    expected = np.broadcast_to(points_m[nodes, None, 2:], (len(nodes), wheels_m.shape[1], 1))
    heights = ground.heights_m(np.concatenate([wheels_m[nodes], expected], axis=-1).reshape(-1, 3))
    heights = heights.reshape(len(nodes), -1)
    grid = np.linspace(0.0, way_m[-1], int(way_m[-1] / _SURFACE_STEP_M) + 2)
    if len(grid) <= 2 * _SURFACE_HALF_STEPS:
        return np.stack([np.interp(way_m, way_m[nodes], column) for column in heights.T], axis=1)
    eased = [_eased(np.interp(grid, way_m[nodes], column)) for column in heights.T]
    return np.asarray(CubicSpline(grid, np.stack(eased, axis=1))(way_m))


def _eased(heights: FloatArray) -> FloatArray:
    half = _SURFACE_HALF_STEPS
    weights = np.hanning(2 * half + 3)[1:-1]
    before, after = 2 * heights[0] - heights[half:0:-1], 2 * heights[-1] - heights[-2 : -half - 2 : -1]
    return np.convolve(np.concatenate([before, heights, after]), weights / weights.sum(), mode="valid")


def thinned(times_us: IntArray, poses: SE3) -> Trajectory:
    """Without the key poses that interpolation between every fifth one gives anyway."""
    last = len(times_us) - 1
    coarse = np.unique(np.append(np.arange(0, last + 1, _COARSE), last))
    if len(coarse) < 2:
        return Trajectory(times_us, poses)
    straight = Trajectory(times_us[coarse], poses[coarse]).at(times_us)
    off_m = np.linalg.norm(straight.translation_m - poses.translation_m, axis=1)
    off_rad = np.abs(straight.rotation - poses.rotation).max(axis=(1, 2))
    uneven = (off_m > _EVEN_M) | (off_rad > _EVEN_RAD)
    kept = np.zeros(last + 1, dtype=bool)
    for first, end in pairwise(coarse):
        kept[first : end + 1] |= uneven[first : end + 1].any()
    kept[coarse] = True
    return Trajectory(times_us[kept], poses[kept])


# -- what is possible --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Dynamics:
    """What motion asks of tyres or legs, at N instants 20 ms apart.

    speed_mps, along_mps2, side_mps2, yaw_rate_radps: float64 [N]. jerk_mps3: [N-5], over 0.1 s.
    """

    speed_mps: FloatArray
    along_mps2: FloatArray
    side_mps2: FloatArray
    yaw_rate_radps: FloatArray
    jerk_mps3: FloatArray


def dynamics(times_s: FloatArray, points_m: FloatArray, headings_rad: FloatArray) -> Dynamics:
    """Of points [N,3] that head where they go [N]."""
    velocity = np.gradient(points_m, times_s, axis=0)
    speed = velocity[:, 0] * np.cos(headings_rad) + velocity[:, 1] * np.sin(headings_rad)
    yaw_rate = np.gradient(np.unwrap(headings_rad), times_s)
    pull, side = np.gradient(speed, times_s), speed * yaw_rate
    window = FINE_US * _COARSE / 1e6
    jerks = [np.abs(force[_COARSE:] - force[:-_COARSE]) / window for force in (pull, side)]
    return Dynamics(speed, pull, side, yaw_rate, np.maximum(*jerks))


def require_possible(times_s: FloatArray, points_m: FloatArray, headings_rad: FloatArray, limits: Limits) -> None:
    """Refuse motion beyond the limits of a class, naming the number that is most beyond, and jerk last."""
    even = np.arange(len(times_s)) * (FINE_US / 1e6)
    kept = np.isclose(times_s, times_s[0] + even, atol=1e-6)  # the last step may be a short one
    if kept.sum() <= 2 * _COARSE:
        return
    times_s, points_m, headings_rad = times_s[kept], points_m[kept], headings_rad[kept]
    asked = dynamics(times_s, points_m, headings_rad)
    speed = np.maximum(np.abs(asked.speed_mps), 0.5)
    bend = np.abs(asked.yaw_rate_radps) / speed * limits.turning_radius_m
    ratios = [
        (np.abs(asked.speed_mps), limits.speed_mps, "a speed of {:.1f} m/s"),
        (asked.along_mps2, limits.acceleration_mps2, "an acceleration of {:.1f} m/s²"),
        (-asked.along_mps2, limits.braking_mps2, "braking with {:.1f} m/s²"),
        (np.abs(asked.side_mps2), limits.lateral_mps2, "{:.1f} m/s² to the side"),
        (np.abs(asked.yaw_rate_radps), limits.yaw_rate_radps, "turning by {:.2f} rad/s"),
        (asked.jerk_mps3, limits.jerk_mps3, "a jerk of {:.0f} m/s³"),
    ]
    worst = max(ratios[:-1], key=lambda ratio: float(np.max(ratio[0])) / ratio[1])
    is_jerk = float(np.max(worst[0])) <= _MARGIN * worst[1]  # of all that is too much people know jerk the least
    values, limit, words = ratios[-1] if is_jerk else worst
    index = int(np.argmax(values >= 0.999 * values.max()))
    if values[index] > _MARGIN * limit:
        needed, most = words.format(values.max()), f"{limit:.2f}".rstrip("0").rstrip(".")
        raise ScenarioError(f"needs {needed} at {times_s[index]:.1f} s, and its class manages {most}")
    if bend.max() > _MARGIN:
        at_s = times_s[int(np.argmax(bend))]
        raise ScenarioError(
            f"needs a bend of {limits.turning_radius_m / bend.max():.1f} m radius at {at_s:.1f} s, "
            f"and its class turns no tighter than {limits.turning_radius_m:.1f} m"
        )
