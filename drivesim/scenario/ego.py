"""How the ego drives: along lanes of any map, or as recorded with changes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from scenegraph import SE3, LaneGraph, SceneGraphError, Trajectory
from scenegraph.roads.lane_path import LanePath, Turn, lane_path

from ..errors import ScenarioError
from .beside import lane_beside
from .classes import EGO_BODY, EGO_LIMITS
from .ground import Ground
from .motion import Lateral, Way, along, drive, smooth_step
from .schema_actors import EgoChangeLane, EgoDrive, EgoProfile, EgoRecorded
from .speed import SpeedProfile, slowed_for_bends

_SPARE_M = 30.0
_BEHIND_M = 60.0
_USUAL_MPS = 13.9


def drive_ego(
    behaviour: EgoDrive | EgoChangeLane | EgoProfile | None,
    graph: LaneGraph,
    lane_id: str,
    station_m: float,
    *,
    start_us: int,
    duration_s: float,
    ground: Ground | None = None,
) -> Trajectory:
    """Poses of the rear axle on the ground, from a place on a lane. behaviour None: at the lane's speed limit.

    Bends are taken no faster than people do. A map that ends too early is a ScenarioError.
    """
    if behaviour is None:
        limit = graph[lane_id].speed_limit_mps
        behaviour = EgoDrive(kind="drive", speed_mps=_USUAL_MPS if limit is None else limit)
    turn: Turn = "straight" if isinstance(behaviour, EgoChangeLane) else behaviour.turn
    profile = _profile(behaviour)
    needed_m = profile.station(duration_s)
    try:
        path = lane_path(graph, lane_id, station_m, needed_m + _SPARE_M, _BEHIND_M, turn)
        profile = slowed_for_bends(profile, path, duration_s)
        _require_road(path, profile, duration_s)
        lateral = _lateral(behaviour, graph, path, profile, duration_s)
        heading = float(path.headings_rad(np.zeros(1))[0])
        way = Way(along(path, profile, lateral), duration_s, heading)
        surface = Ground(path.lanes) if ground is None else ground
        return drive(way, start_us, EGO_BODY, surface, EGO_LIMITS)
    except (ScenarioError, SceneGraphError) as error:
        raise ScenarioError(f"the ego {error}") from error


def _profile(behaviour: EgoDrive | EgoChangeLane | EgoProfile) -> SpeedProfile:
    if not isinstance(behaviour, EgoProfile):
        return SpeedProfile.steady(behaviour.speed_mps)
    points = behaviour.points
    for before, after in pairwise(points):
        if after.at_s <= before.at_s:
            raise ScenarioError(
                f"the ego has a speed at {after.at_s:g} s after one at {before.at_s:g} s. Put points in order of time"
            )
    profile = SpeedProfile.steady(points[0].speed_mps).held_until(points[0].at_s)
    for before, after in pairwise(points):
        profile = profile.changed_in(after.speed_mps, after.at_s - before.at_s)
    return profile


def _require_road(path: LanePath, profile: SpeedProfile, duration_s: float) -> None:
    end_s = profile.time_at(path.last_m, duration_s)
    if end_s is not None and end_s < duration_s:
        raise ScenarioError(
            f"comes to the end of the map after {end_s:.1f} s and {path.last_m:.0f} m. Use a duration_s of at most "
            f"{np.floor(end_s * 10) / 10:g}, a lower speed, or let it start earlier"
        )


def _lateral(
    behaviour: EgoDrive | EgoChangeLane | EgoProfile,
    graph: LaneGraph,
    path: LanePath,
    profile: SpeedProfile,
    duration_s: float,
) -> Lateral | float:
    if not isinstance(behaviour, EgoChangeLane):
        return 0.0
    at_s, takes_s = behaviour.at_s, behaviour.duration_s
    if at_s + takes_s > duration_s:
        raise ScenarioError(
            f"changes lane until {at_s + takes_s:g} s, and the scenario ends at {duration_s:g} s. "
            f"Use a smaller at_s or duration_s"
        )
    aside = lane_beside(graph, path, profile.station(at_s), behaviour.to)
    return lambda times_s, stations: aside(stations) * smooth_step(times_s, at_s, takes_s)


# -- as recorded -------------------------------------------------------------------------------------


def redrive_ego(behaviour: EgoRecorded, recorded: Trajectory, start_us: int, duration_s: float) -> Trajectory:
    """The recorded way from ``start_us`` on, to the side of it and faster or slower along it.

    At every place it is ``speed_factor`` times as fast as it was there, so that it stops where it stopped.
    """
    factor, end_us = behaviour.speed_factor, start_us + round(duration_s * 1e6)
    if behaviour.lateral_m == 0 and factor == 1:
        return recorded
    left_s = (recorded.last_us - start_us) / 1e6
    if factor * duration_s > left_s + 1e-6:
        raise ScenarioError(
            f"the ego drives {factor:g} times as fast and would need {factor * duration_s:.1f} s of the log, which has "
            f"{left_s:.1f}. Use a speed_factor of at most {np.floor(left_s / duration_s * 100) / 100:g}, or a "
            f"duration_s of at most {np.floor(left_s / factor * 10) / 10:g}"
        )
    then_us = np.round(start_us + (recorded.timestamps_us - start_us) / factor).astype(np.int64)
    inside = (then_us > start_us) & (then_us < end_us)
    times_us = np.concatenate([[start_us], then_us[inside], [end_us]])
    source_us = np.concatenate(
        [[start_us], recorded.timestamps_us[inside], [round(start_us + factor * (end_us - start_us))]]
    )
    poses = recorded.at(np.minimum(source_us, recorded.last_us))
    return Trajectory(times_us, poses @ SE3(np.eye(3), np.array([0.0, behaviour.lateral_m, 0.0])))
