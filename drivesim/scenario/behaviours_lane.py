"""Behaviours that need nobody else: along a lane, at speeds of their own."""

from __future__ import annotations

import numpy as np

from scenegraph.arrays import FloatArray

from ..errors import ScenarioError
from .beside import lane_beside
from .cast import Cast
from .motion import Way, along, smooth_step
from .schema_actors import CutOut, HardBrake, KeepLane, StopAndGo, WrongWay

_GENTLE_MPS2, _GENTLE_MPS3 = 2.0, 2.5


def keep_lane(cast: Cast, how: KeepLane) -> Way:
    """At a speed, slower through bends."""
    path, lateral_m = cast.path(how.speed_mps, how.turn)
    return cast.way(path, cast.slowed(cast.steady(how.speed_mps), path), lateral_m)


def wrong_way(cast: Cast, how: WrongWay) -> Way:
    """The same against the traffic."""
    path, lateral_m = cast.path(how.speed_mps, against=True)
    return cast.way(path, cast.slowed(cast.steady(how.speed_mps), path), lateral_m)


def hard_brake(cast: Cast, how: HardBrake) -> Way:
    """Brakes as hard as wanted, with what time brakes need to build up."""
    if how.to_mps >= how.speed_mps:
        raise ScenarioError(f"brakes from {how.speed_mps:g} to {how.to_mps:g} m/s. Use a to_mps below speed_mps")
    if how.deceleration_mps2 > cast.limits.braking_mps2:
        raise ScenarioError(
            f"is to brake with {how.deceleration_mps2:g} m/s². Use a deceleration_mps2 of at most "
            f"{cast.limits.braking_mps2:g}, what a {cast.actor.category} can do"
        )
    path, lateral_m = cast.path(how.speed_mps)
    driving = cast.steady(how.speed_mps).held_until(how.at_s)
    profile = driving.changed(how.to_mps, how.deceleration_mps2, 0.8 * cast.limits.jerk_mps3)
    return cast.way(path, cast.slowed(profile, path), lateral_m)


def stop_and_go(cast: Cast, how: StopAndGo) -> Way:
    """Drives, brakes gently, stands, sets off again."""
    path, lateral_m = cast.path(how.speed_mps)
    pull = min(_GENTLE_MPS2, cast.limits.acceleration_mps2 / 1.5)
    profile = cast.steady(how.speed_mps)
    while profile.last_s < cast.duration_s:
        profile = profile.held(how.drive_s).changed(0.0, _GENTLE_MPS2, _GENTLE_MPS3).held(how.stand_s)
        profile = profile.changed(how.speed_mps, pull, _GENTLE_MPS3)
    return cast.way(path, cast.slowed(profile, path), lateral_m)


def cut_out(cast: Cast, how: CutOut) -> Way:
    """Changes to the next lane at constant speed."""
    path, lateral_m = cast.path(how.speed_mps)
    profile = cast.slowed(cast.steady(how.speed_mps), path)
    aside = lane_beside(cast.world.graph, path, profile.station(how.at_s), how.to)

    def lateral(times_s: FloatArray, stations: FloatArray) -> FloatArray:
        share = smooth_step(times_s, how.at_s, how.duration_s)
        return lateral_m + (aside(stations) - lateral_m) * share

    heading = float(path.headings_rad(np.zeros(1))[0])
    return Way(along(path, profile, lateral), cast.leaves_s(path, profile), heading)
