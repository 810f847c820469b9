"""Let an actor travel its path faster or slower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenegraph import SE3, Actor, Category, Scene, Trajectory
from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath, lane_path

from ..errors import ScenarioError
from .actor_edits import actor_of, cut, with_actor
from .schema_edits import RescaleSpeed
from .world import STEP_US, World

_STANDS_MPS, _DRIVES_MPS = 0.1, 0.6
_STANDS_WINDOWS_US = ((1_000_000, 0), (0, 1_000_000))
_LAST_US = 500_000
_ON_LANE_M = 2.5
_ALONG_RAD, _JOIN_M = 0.5, 15.0
_BEYOND_M, _SLOPE_M = 5.0, 1.0
_SEEN_TO_THE_END_US = 300_000


def rescale_speed(edit: RescaleSpeed, world: World) -> Scene:
    """Let an actor travel the same path faster or slower; times of standing last as long as before.

    At the start of the scenario, or where it comes in later, it is where it was. A faster one that was there to the
    end goes on at its last speed: along its lane, or straight on where it is on none. Where the map ends, it ends.
    """
    actor = actor_of(world.scene, edit.actor)
    track = actor.trajectory
    if len(track) == 1:
        raise ScenarioError(f"rescale_speed {actor.id!r}: it has a single pose and no speed. Choose another actor")
    step_us = np.diff(track.timestamps_us)
    stretched = step_us / (1.0 + (edit.factor - 1.0) * _drives(track))
    times = np.concatenate([[0.0], np.cumsum(stretched)])
    anchor_us = min(max(track.first_us, world.start_us), track.last_us)
    times += anchor_us - np.interp(anchor_us, track.timestamps_us, times)
    times_us = np.round(times).astype(np.int64)
    kept = np.flatnonzero(np.concatenate([[True], np.diff(times_us) > 0]))
    gap_us = None if actor.max_gap_us is None else round(actor.max_gap_us / min(edit.factor, 1.0))
    changed = _with_poses(actor, kept, Trajectory(times_us[kept], track.world_from_body[kept]))
    changed = replace(changed, max_gap_us=gap_us)
    if changed.trajectory.last_us < world.scene.ego.last_us and _is_there_to_the_end(actor, world):
        changed = _going_on(changed, world)
    return with_actor(world.scene, cut(changed, world, f"rescale_speed {actor.id!r}"))


def _drives(track: Trajectory) -> FloatArray:
    """Between which key poses [T-1] it drives (1) and does not (0): 0.1 m/s or less over a second is standing.

    The second begins or ends there; over so long the errors of single poses of a log do not look like driving.
    Up to 0.6 m/s one goes over into the other, so that no jump of the speed is made.
    """
    moves_mps = np.minimum(*(_moves_mps(track, before_us, after_us) for before_us, after_us in _STANDS_WINDOWS_US))
    share = np.clip((moves_mps - _STANDS_MPS) / (_DRIVES_MPS - _STANDS_MPS), 0.0, 1.0)
    return np.asarray(share**2 * (3 - 2 * share))


def _moves_mps(track: Trajectory, before_us: int, after_us: int) -> FloatArray:
    """Mean speed [T-1] from so long before the later to so long after the earlier of two key poses."""
    low = np.clip(track.timestamps_us[1:] - before_us, track.first_us, track.timestamps_us[:-1])
    high = np.clip(track.timestamps_us[:-1] + after_us, track.timestamps_us[1:], track.last_us)
    moved_m = np.linalg.norm(track.at(high).translation_m - track.at(low).translation_m, axis=1)
    return np.asarray(moved_m / (high - low) * 1e6)


def _is_there_to_the_end(actor: Actor, world: World) -> bool:
    return bool(actor.trajectory.last_us >= world.scene.ego.last_us - _SEEN_TO_THE_END_US)


def _going_on(actor: Actor, world: World) -> Actor:
    """The actor with key poses to the end of the scene, at the speed of its last half second."""
    track = actor.trajectory
    back_us = max(track.last_us - _LAST_US, track.first_us)
    last, earlier = track.at(np.array([track.last_us, back_us]))
    moved_m = last.translation_m - earlier.translation_m
    speed_mps = float(np.linalg.norm(moved_m)) / max((track.last_us - back_us) / 1e6, 1e-6)
    end_us = world.scene.ego.last_us
    times_us = np.append(np.arange(track.last_us + STEP_US, end_us, STEP_US), end_us)
    stations_m = speed_mps * (times_us - track.last_us) / 1e6
    if speed_mps < _STANDS_MPS:
        more = SE3.stack([last] * len(times_us))
    else:
        along = _along_lane(actor, last, moved_m, stations_m, world)
        more = _straight_on(last, moved_m, stations_m) if along is None else along
    return _longer(actor, times_us[: len(more)], more)


def _longer(actor: Actor, times_us: IntArray, more: SE3) -> Actor:
    """The actor with further key poses at its end."""
    track = actor.trajectory
    poses = SE3(
        np.concatenate([track.world_from_body.rotation, more.rotation]),
        np.concatenate([track.world_from_body.translation_m, more.translation_m]),
    )
    held = np.concatenate([np.arange(len(track)), np.full(len(more), len(track) - 1)])
    return _with_poses(actor, held, Trajectory(np.concatenate([track.timestamps_us, times_us]), poses))


def _along_lane(actor: Actor, last: SE3, moved_m: FloatArray, stations_m: FloatArray, world: World) -> SE3 | None:
    """Poses so far along the lane the actor drives on, as far as the map goes.

    None for one on foot, backwards, or on no lane of its direction. From the direction it drives in it takes up the
    lane's direction and slope over some metres, and then keeps its distance to the lane's middle.
    """
    direction_rad = float(np.arctan2(moved_m[1], moved_m[0]))
    is_ahead = np.cos(direction_rad - float(last.yaw_rad)) > 0
    found = world.graph.nearest_lane(last.translation_m, direction_rad, _ON_LANE_M)
    if actor.category in (Category.PEDESTRIAN, Category.OTHERS) or found is None or not is_ahead:
        return None
    path = lane_path(world.graph, found.lane.id, found.station_m, float(stations_m[-1]) + _BEYOND_M, _BEYOND_M)
    start_m, lateral_m = path.locate(last.translation_m)
    start_m = min(start_m, path.last_m - _SLOPE_M)
    off_rad = direction_rad - float(path.headings_rad(np.array([start_m]))[0])
    off_rad = (off_rad + np.pi) % (2 * np.pi) - np.pi
    if abs(off_rad) > _ALONG_RAD:
        return None
    stations = np.concatenate([[start_m], start_m + stations_m[start_m + stations_m <= path.last_m - _SLOPE_M]])
    joined = np.clip((stations - start_m) / _JOIN_M, 0.0, 1.0)
    aside_m = np.tan(off_rad) * _JOIN_M * (joined - joined**2 + joined**3 / 3)  # its slope is tan(off) (1 - joined)^2
    places = path.points(stations, lateral_m + aside_m)
    along = SE3(_on_slope(path, stations).rotation, places + last.translation_m - places[0])
    as_it_was = SE3(along.rotation @ (along.rotation[0].T @ last.rotation), along.translation_m)
    return as_it_was.interpolate(along, 1.0 - (1.0 - joined) ** 2)[1:]


def _on_slope(path: LanePath, stations_m: FloatArray) -> SE3:
    """Directions [N] of a lane, up and down with it."""
    rises_m = path.points(stations_m + _SLOPE_M)[:, 2] - path.points(stations_m)[:, 2]
    pitch_deg, yaw_deg = -np.degrees(np.arctan2(rises_m, _SLOPE_M)), np.degrees(path.headings_rad(stations_m))
    turns_deg = np.stack([np.zeros(len(stations_m)), pitch_deg, yaw_deg], axis=1)
    return SE3.from_roll_pitch_yaw_deg(turns_deg, np.zeros((len(stations_m), 3)))


def _straight_on(last: SE3, moved_m: FloatArray, stations_m: FloatArray) -> SE3:
    direction = moved_m / np.linalg.norm(moved_m)
    rotation = np.broadcast_to(last.rotation, (len(stations_m), 3, 3))
    return SE3(rotation, last.translation_m + stations_m[:, None] * direction)


def _with_poses(actor: Actor, index: IntArray, track: Trajectory) -> Actor:
    """The actor with other key poses, its size taken from these of the old ones."""
    length_m, width_m, height_m = (size[index] for size in (actor.length_m, actor.width_m, actor.height_m))
    return replace(actor, trajectory=track, length_m=length_m, width_m=width_m, height_m=height_m)
