"""From what the file says an actor does to an actor of the scene."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scenegraph import SE3, Actor, SceneGraphError, Trajectory

from ..errors import DriveSimError, ScenarioError
from .behaviours_ego import cut_in, overtake
from .behaviours_emergency import emergency
from .behaviours_lane import cut_out, hard_brake, keep_lane, stop_and_go, wrong_way
from .behaviours_people import jaywalk, step_out
from .behaviours_tracks import copied_track, waypoints
from .behaviours_turn import u_turn
from .cast import Cast
from .classes import category_of
from .motion import Way, box_track, drive, on_ground
from .places import spot_of
from .schema_actors import (
    ActorFile,
    CopyTrack,
    CutIn,
    CutOut,
    EmergencyRun,
    FollowWaypoints,
    HardBrake,
    Jaywalk,
    KeepLane,
    Overtake,
    StandStill,
    StepOut,
    StopAndGo,
    UTurn,
    WrongWay,
)
from .world import World


def behave(actor: ActorFile, world: World, others: Mapping[str, Actor], folder: Path = Path()) -> Actor:
    """The actor over the time of the scenario; a ScenarioError that names it when it cannot do so.

    others: actors that the file adds before this one, by id. folder: where relative paths of the file start.
    Where the map ends before the scenario does, the actor's track ends.
    """
    cast = Cast(actor, world, others, folder)
    try:
        track = _track(cast)
    except (DriveSimError, SceneGraphError) as error:
        raise ScenarioError(f"actor {actor.id}: {error}") from error
    body = cast.body
    sizes = np.array(body.length_m), np.array(body.width_m), np.array(body.height_m)
    return Actor(actor.id, category_of(actor.category, body.length_m), track, *sizes, source_category=actor.category)


def _track(cast: Cast) -> Trajectory:
    """Centres of its box."""
    how = cast.actor.behaviour
    if isinstance(how, StandStill):
        return _standing(cast)
    if isinstance(how, CopyTrack):
        return copied_track(cast, how)
    if not cast.limits.can_move:
        raise ScenarioError(f"is a {cast.actor.category}, which cannot move by itself. Use kind: still or copy_track")
    return box_track(drive(_way(cast), cast.world.start_us, cast.body, cast.world.ground, cast.limits), cast.body)


def _way(cast: Cast) -> Way:
    match cast.actor.behaviour:
        case KeepLane() as how:
            return keep_lane(cast, how)
        case CutIn() as how:
            return cut_in(cast, how)
        case CutOut() as how:
            return cut_out(cast, how)
        case HardBrake() as how:
            return hard_brake(cast, how)
        case StopAndGo() as how:
            return stop_and_go(cast, how)
        case Overtake() as how:
            return overtake(cast, how)
        case UTurn() as how:
            return u_turn(cast, how)
        case Jaywalk() as how:
            return jaywalk(cast, how)
        case StepOut() as how:
            return step_out(cast, how)
        case WrongWay() as how:
            return wrong_way(cast, how)
        case EmergencyRun() as how:
            return emergency(cast, how)
        case FollowWaypoints() as how:
            return waypoints(cast, how)
        case _ as other:
            raise AssertionError(f"no motion for {other.kind}")


def _standing(cast: Cast) -> Trajectory:
    """At its place as long as the scene lasts."""
    spot = spot_of(cast.actor, cast.world)
    ahead = np.array([np.cos(spot.heading_rad), np.sin(spot.heading_rad), 0.0])
    axle = spot.point_m - cast.body.rear_axle_m * ahead
    pose = on_ground(axle[None], np.array([spot.heading_rad]), cast.body, cast.world.ground)
    ego, world = cast.world.scene.ego, cast.world
    times_us = np.array([min(ego.first_us, world.start_us), max(ego.last_us, int(world.times_us[-1]))])
    twice = SE3(np.repeat(pose.rotation, 2, axis=0), np.repeat(pose.translation_m, 2, axis=0))
    return box_track(Trajectory(times_us, twice), cast.body)
