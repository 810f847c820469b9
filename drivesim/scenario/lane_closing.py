"""Close a lane with cones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenegraph import SE3, Actor, LaneSegment, Scene, SceneGraphError, Trajectory
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import LanePath
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..errors import ScenarioError
from .classes import KINDS
from .schema_edits import CloseLane
from .world import World

CONE_FROM_EDGE_M = 0.3
"""From the edge of the lane to a cone's centre."""


def close_lane(edit: CloseLane, world: World) -> Scene:
    """Close a lane with cones: a taper over ``taper_m`` that begins at ``from_m``, then a row of ``length_m``.

    The taper leads traffic to the neighbouring lane that drives the same way, the left one if there are two; the row
    stands along that lane. A lane without such a neighbour is closed along its left edge.
    """
    total_m = edit.taper_m + edit.length_m
    path = _closed_path(edit, world, total_m)
    stations_m = np.append(np.arange(0.0, total_m - 0.5 * edit.spacing_m, edit.spacing_m), total_m)
    share = np.clip(stations_m / max(edit.taper_m, 1e-9), 0.0, 1.0)
    widths_m = np.array([path.half_width_m(station_m) for station_m in stations_m]) - CONE_FROM_EDGE_M
    laterals_m = _open_side(world, path) * widths_m * (2 * share - 1)
    feet_m, headings_rad = path.points(stations_m, laterals_m), path.headings_rad(stations_m)
    taken = {actor.id for actor in world.scene.actors}
    row = next(k for k in range(1, len(taken) + 2) if not any(name.startswith(f"cone {k}.") for name in taken))
    cones = tuple(
        _cone(f"cone {row}.{k + 1}", foot_m, float(heading_rad), world)
        for k, (foot_m, heading_rad) in enumerate(zip(feet_m, headings_rad, strict=True))
    )
    return replace(world.scene, actors=(*world.scene.actors, *cones))


def _closed_path(edit: CloseLane, world: World, total_m: float) -> LanePath:
    """The lane's path in its driving direction, station 0 where its traffic meets the first cone."""
    try:
        beside = world.path(edit.lane, 0.0, further_m=edit.from_m + total_m)
        same_way = np.cos(beside.headings_rad(np.zeros(1))[0] - float(world.ego_start.yaw_rad)) > 0
        path = beside.moved(edit.from_m if same_way else -(edit.from_m + total_m))
    except SceneGraphError as error:
        raise ScenarioError(f"close_lane: {error}. Use a smaller from_m, length_m or taper_m") from error
    if path.last_m < total_m:
        raise ScenarioError(
            f"close_lane: lane {edit.lane} goes on for only {path.last_m:.0f} m after from_m, and taper_m and "
            f"length_m need {total_m:.0f} m. Use a smaller from_m, length_m or taper_m"
        )
    return path


def _open_side(world: World, path: LanePath) -> int:
    """1 where traffic goes around on the left, -1 on the right."""
    lane = path.lane_at(0.0)
    left, right = world.graph.left_neighbour(lane.id), world.graph.right_neighbour(lane.id)
    open_left, open_right = (beside is not None and _drives_along(beside, lane) for beside in (left, right))
    return 1 if open_left or not open_right else -1


def _drives_along(lane: LaneSegment, other: LaneSegment) -> bool:
    ways = [segment.centre.points_m[-1, :2] - segment.centre.points_m[0, :2] for segment in (lane, other)]
    return bool(ways[0] @ ways[1] > 0)


def _cone(name: str, foot_m: FloatArray, heading_rad: float, world: World) -> Actor:
    """A cone that stands for the whole scene."""
    ego = world.scene.ego
    times_us = np.array([min(ego.first_us, world.start_us), max(ego.last_us, int(world.times_us[-1]))])
    kind = KINDS["cone"]
    centre_m = foot_m + np.array([0.0, 0.0, kind.height_m / 2])
    track = Trajectory(times_us, SE3.from_yaw(np.full(2, heading_rad), np.stack([centre_m, centre_m])))
    length_m, width_m, height_m = map(np.array, (kind.length_m, kind.width_m, kind.height_m))
    return Actor(name, kind.category, track, length_m, width_m, height_m, "cone", EGO_EXTRAPOLATION_US)
