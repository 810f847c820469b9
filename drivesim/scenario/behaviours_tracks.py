"""Behaviours that say where to be when: waypoints, and tracks of other logs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from scenegraph import SE3, SceneGraphError, Trajectory
from scenegraph.arrays import FloatArray, IntArray

from ..errors import ScenarioError
from .cast import Cast
from .classes import Body
from .ground import Ground
from .motion import Way, on_ground
from .places import spot_of
from .schema_actors import CopyTrack, FollowWaypoints

_SAME_M = 1.0
_REFINED = 3


def waypoints(cast: Cast, how: FollowWaypoints) -> Way:
    """Through the points on a curve whose acceleration is continuous, and stands after the last one.

    A motion that lasts to the end of the scenario does not slow down for it; one that begins at 0 s is under way.
    Where the first point comes later, it waits for it if it is at its place, else it sets off from there at 0 s.
    """
    spot = spot_of(cast.actor, cast.world)
    times = np.array([point.at_s for point in how.points])
    points = cast.world.from_ego_start(np.array([[point.x_m, point.y_m] for point in how.points]))
    away_m = float(np.linalg.norm(points[0, :2] - spot.point_m[:2]))
    starts, ends = times[0] > 0, times[-1] < cast.duration_s
    if times[0] > 0 and away_m > _SAME_M:
        times, points = np.concatenate([[0.0], times]), np.concatenate([spot.point_m[None], points])
    elif away_m > _SAME_M:
        raise ScenarioError(
            f"is at its first waypoint at 0 s, which is {away_m:.1f} m from its place. Use the same point for both"
        )
    if (np.diff(times) < 0.1).any():
        index = int(np.argmin(np.diff(times))) + 1
        raise ScenarioError(
            f"waypoints must come at least 0.1 s after each other, and one at {times[index]:g} s follows one at "
            f"{times[index - 1]:g} s"
        )
    curve = _curve(times, points, starts, ends)
    for _ in range(_REFINED if cast.body.rear_axle_m else 0):
        curve = _curve(times, points - cast.body.rear_axle_m * _ahead(curve, times), starts, ends)
    _require_forward(curve, times, points)

    def place(at_s: FloatArray) -> FloatArray:
        return np.asarray(curve(np.clip(at_s, times[0], times[-1])))

    return Way(place, cast.duration_s, spot.heading_rad)


def _curve(times: FloatArray, points: FloatArray, starts: bool, ends: bool) -> BSpline:
    """Of fifth degree; from rest where it starts, to rest where it ends, else with even acceleration there."""
    rest, free = [(1, np.zeros(3)), (2, np.zeros(3))], [(3, np.zeros(3)), (4, np.zeros(3))]
    return make_interp_spline(times, points, k=5, bc_type=(rest if starts else free, rest if ends else free))


def _require_forward(curve: BSpline, times: FloatArray, points: FloatArray) -> None:
    """Refuse a curve that swings back between two points, which it does when their speeds differ too much."""
    for first, (before, after) in enumerate(pairwise(times)):
        chord = points[first + 1] - points[first]
        velocity = curve(np.linspace(before, after, 30)[1:-1], 1)
        if np.linalg.norm(chord) > _SAME_M and (velocity @ chord < 0).any():
            raise ScenarioError(
                f"would have to go backwards between {before:g} and {after:g} s to be at its waypoints in time. "
                f"Even out their speeds, or give more points"
            )


def _ahead(curve: BSpline, times: FloatArray) -> FloatArray:
    """Directions [N,3] of motion, level; at rest, of the motion just inside."""
    eased = np.clip(times, times[0] + 1e-2, times[-1] - 1e-2)
    direction = np.array(curve(eased, 1))
    direction[:, 2] = 0.0
    lengths = np.linalg.norm(direction, axis=1, keepdims=True)
    return np.asarray(direction / np.maximum(lengths, 1e-9))


# -- tracks of other logs ----------------------------------------------------------------------------


def copied_track(cast: Cast, how: CopyTrack) -> Trajectory:
    """Centres of the box: the track of another log's actor, begun at the own place, on the own ground."""
    track = _track(cast, how)
    spot = spot_of(cast.actor, cast.world)
    times_us = track.timestamps_us - track.first_us + cast.world.start_us
    kept = times_us <= cast.world.start_us + round(cast.duration_s * 1e6)
    theirs = track.world_from_body[0]
    here_from_there = (
        SE3.from_yaw(spot.heading_rad, spot.point_m) @ SE3.from_yaw(theirs.yaw_rad, theirs.translation_m).inverse()
    )
    poses = here_from_there @ track.world_from_body[kept]
    return _standing_on(times_us[kept], poses, cast.body, cast.world.ground)


def _track(cast: Cast, how: CopyTrack) -> Trajectory:
    from ..sources import load_scene

    try:
        scene = load_scene(cast.folder / how.path, kind=how.format, clip=how.clip)
    except SceneGraphError as error:
        raise ScenarioError(f"copies a track: {error}") from error
    for actor in scene.actors:
        if actor.id == how.actor:
            return actor.trajectory
    known = ", ".join(actor.id for actor in scene.actors[:5])
    raise ScenarioError(f"copies a track of {how.path}, which has no actor {how.actor!r}. It has {known} and others")


def _standing_on(times_us: IntArray, poses: SE3, body: Body, ground: Ground) -> Trajectory:
    """Boxes on the ground with the headings they have."""
    headings = np.unwrap(poses.yaw_rad)
    ahead = np.stack([np.cos(headings), np.sin(headings), np.zeros(len(headings))], axis=1)
    axles = on_ground(poses.translation_m - body.rear_axle_m * ahead, headings, body, ground)
    return Trajectory(times_us, axles @ SE3(np.eye(3), np.array([body.rear_axle_m, 0.0, body.height_m / 2])))
