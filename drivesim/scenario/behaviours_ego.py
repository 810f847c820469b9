"""Behaviours around the ego: into its lane, past it, towards it between lanes."""

from __future__ import annotations

import numpy as np

from scenegraph.arrays import FloatArray

from ..errors import ScenarioError
from .beside import Aside, aside_of, lane_beside
from .cast import Cast, ego_path, ego_stations, meets_ego_s
from .classes import EGO_BODY
from .motion import Lateral, Way, along, sharp_share, sharp_step, smooth_step
from .schema_actors import CutIn, Overtake
from .speed import SpeedProfile

_BESIDE_M = 1.0
_SPARE = 0.95
_CHANGE_MPS2 = 1.8
_SHORTEST_CHANGE_S = 2.3


def cut_in(cast: Cast, how: CutIn) -> Way:
    """Drives beside at the speed from which the change ends with the wanted gap at the wanted time."""
    end_s = how.at_s + how.duration_s
    if end_s > cast.duration_s + 1e-9:
        raise ScenarioError(
            f"changes lane until {end_s:g} s, and the scenario ends at {cast.duration_s:g} s. "
            f"Use a smaller at_s or duration_s"
        )
    target = ego_path(cast.world, end_s, 80.0 * cast.duration_s)
    own, lateral_m = cast.path(40.0)
    aside = aside_of(own, lateral_m, target)
    start_m, away_m = target.locate(own.points(np.zeros(1), lateral_m)[0])
    ego_front_m = float(ego_stations(cast.world, target, np.array([end_s]), EGO_BODY.front_m)[0])
    profile = _into_gap(cast, how, ego_front_m, start_m, away_m)
    lateral = _change(cast, how, aside, profile)
    heading = float(target.headings_rad(np.array([profile.station(0.0)]))[0])
    way = Way(along(target, profile, lateral), cast.leaves_s(target, profile), heading)
    touch_s = meets_ego_s(cast.world, way, cast.body)
    if touch_s is not None and touch_s <= end_s:
        raise ScenarioError(f"touches the ego at {touch_s:.1f} s while it changes lane. Use a larger gap_m or at_s")
    return way


def _into_gap(cast: Cast, how: CutIn, ego_front_m: float, start_m: float, away_m: float) -> SpeedProfile:
    """Speeds that bring the rear bumper to the gap ahead of the ego's front when the change ends."""
    end_s = how.at_s + how.duration_s
    after = cast.world.ego_speed_mps(end_s) if how.speed_mps is None else how.speed_mps
    first_m = start_m - cast.body.rear_axle_m
    way_m = ego_front_m + how.gap_m + cast.body.rear_m - first_m
    cruise_s = how.at_s + how.duration_s / 2
    before = (way_m - after * how.duration_s / 2) / cruise_s
    low, high = _speeds_before(cast, how, after, away_m)
    if low > high:
        raise ScenarioError(
            f"ends its lane change at {after:.1f} m/s, and to come {abs(away_m):.1f} m aside in {how.duration_s:g} s "
            f"it has to begin at {low:.1f} m/s or more, from where it cannot slow down so far. "
            f"Use a longer duration_s, or a higher speed_mps"
        )
    if not low <= before <= high:
        nearest, farthest = (how.gap_m + (speed - before) * cruise_s for speed in (low, high))
        possible = (
            f"From its place gap_m may be {max(nearest, 0.5):.1f} to {farthest:.1f}"
            if farthest > 0.5
            else f"Let it begin {0.5 - farthest:.0f} m further ahead at least"
        )
        raise ScenarioError(
            f"would have to drive {before:.1f} m/s before its lane change to be {how.gap_m:g} m ahead of the ego at "
            f"{end_s:g} s, and {low:.1f} to {high:.1f} m/s is what it can change to {after:.1f} m/s from. {possible}"
        )
    return SpeedProfile.steady(before, first_m).held_until(how.at_s).changed_in(after, how.duration_s)


def _speeds_before(cast: Cast, how: CutIn, after: float, away_m: float) -> tuple[float, float]:
    """Lowest and highest speed from which it can come to the later one during the change.

    The slower, the tighter it has to steer to come aside in the same time.
    """
    limits = cast.limits
    by_jerk = limits.jerk_mps3 * 3 / 16 * how.duration_s**2
    gained = _SPARE * min(limits.acceleration_mps2 * 0.75 * how.duration_s, by_jerk)
    lost = _SPARE * min(limits.braking_mps2 * 0.75 * how.duration_s, by_jerk)
    share = sharp_share(away_m, how.duration_s, limits) if how.profile == "sharp" else 0.5
    swing_mps2 = 1.875 * abs(away_m) / (share * (1 - share) * how.duration_s**2)
    steers = max((swing_mps2 * limits.turning_radius_m) ** 0.5, swing_mps2 / limits.yaw_rate_radps) / _SPARE
    return max(steers, after - gained), min(limits.speed_mps, after + lost)


def _change(cast: Cast, how: CutIn, aside: Aside, profile: SpeedProfile) -> Lateral:
    """From the own lane to the middle of the path."""
    away_m = float(aside(np.array([profile.station(how.at_s)]))[0])
    if abs(away_m) < _BESIDE_M:
        raise ScenarioError("is on the ego's lane already when its lane change begins. Use a place on ego+1 or ego-1")
    share = sharp_share(away_m, how.duration_s, cast.limits)

    def lateral(times_s: FloatArray, stations: FloatArray) -> FloatArray:
        if how.profile == "sharp":
            return aside(stations) * (1 - sharp_step(times_s, how.at_s, how.duration_s, share))
        return aside(stations) * (1 - smooth_step(times_s, how.at_s, how.duration_s))

    return lateral


def overtake(cast: Cast, how: Overtake) -> Way:
    """Changes over, passes at constant speed, and is back with the wanted gap."""
    world, body = cast.world, cast.body
    path = ego_path(world, min(how.at_s + 2.0, cast.duration_s), 80.0 * cast.duration_s)
    own, lateral_m = cast.path(how.speed_mps)
    start = aside_of(own, lateral_m, path)
    first_m = path.locate(own.points(np.zeros(1), lateral_m)[0])[0] - body.rear_axle_m
    profile = SpeedProfile.steady(how.speed_mps, first_m)
    side = lane_beside(world.graph, path, profile.station(how.at_s), how.side, oncoming=True)
    out_m = float(side(np.array([profile.station(how.at_s)]))[0])
    ego_front_m = ego_stations(world, path, _times(cast), EGO_BODY.front_m)
    back_s = _back_s(cast, how, profile, ego_front_m)
    usual_s = max(_SHORTEST_CHANGE_S, float(np.sqrt(5.78 * abs(out_m) / _CHANGE_MPS2)))
    change_s = min(usual_s, (back_s - how.at_s) / 2)
    if change_s < _SHORTEST_CHANGE_S:
        shortest_s = how.at_s + 2 * _SHORTEST_CHANGE_S
        possible_m = profile.station(shortest_s) - body.rear_m - np.interp(shortest_s, _times(cast), ego_front_m)
        raise ScenarioError(
            f"is {how.gap_m:g} m ahead of the ego at {back_s:.1f} s, too soon to change over and back from "
            f"{how.at_s:g} s on. Use a gap_m of at least {possible_m:.1f}, a smaller at_s, or a place further behind"
        )

    def lateral(times_s: FloatArray, stations: FloatArray) -> FloatArray:
        out, back = smooth_step(times_s, how.at_s, change_s), smooth_step(times_s, back_s - change_s, change_s)
        there = start(stations) + (side(stations) - start(stations)) * out
        kept: FloatArray = there * (1 - back)
        return kept

    heading = float(path.headings_rad(np.array([first_m]))[0])
    way = Way(along(path, profile, lateral), cast.leaves_s(path, profile), heading)
    touch_s = meets_ego_s(world, way, body)
    if touch_s is not None and touch_s < back_s:
        raise ScenarioError(
            f"touches the ego at {touch_s:.1f} s while it passes. Let it begin further behind, change over earlier "
            f"(at_s), or come back with a larger gap_m"
        )
    return way


def _back_s(cast: Cast, how: Overtake, profile: SpeedProfile, ego_front_m: FloatArray) -> float:
    """When it is back on the ego's lane with the wanted gap."""
    times = _times(cast)
    gap_m = profile.stations(times) - cast.body.rear_m - ego_front_m
    ahead = np.flatnonzero(gap_m >= how.gap_m)
    if not len(ahead) or ahead[0] == 0:
        if len(ahead):
            raise ScenarioError("is ahead of the ego from the beginning. Use a place behind it (a negative ahead_m)")
        needed = how.speed_mps + (how.gap_m - gap_m[-1]) / cast.duration_s
        raise ScenarioError(
            f"is {gap_m[-1]:.0f} m ahead of the ego when the scenario ends at {cast.duration_s:g} s, and "
            f"gap_m is {how.gap_m:g}. Use a speed_mps of at least {needed:.1f}, or let it begin nearer"
        )
    after = int(ahead[0])
    share = (how.gap_m - gap_m[after - 1]) / (gap_m[after] - gap_m[after - 1])
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def _times(cast: Cast) -> FloatArray:
    return np.arange(0.0, cast.duration_s, 0.02)
