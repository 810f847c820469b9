"""How far beside a path another lane runs, along the whole of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline

from scenegraph import LaneGraph
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import LanePath, lane_path

from ..errors import ScenarioError

_STEP_M = 2.0
_FARTHEST_M = 25.0
_AROUND_M = 400.0


@dataclass(frozen=True, eq=False)
class Aside:
    """Metres to the left of a path by its station; held beyond where the two run together."""

    spline: CubicSpline
    first_m: float
    last_m: float

    def __call__(self, stations_m: FloatArray) -> FloatArray:
        """Metres to the left [N] at stations [N]."""
        return np.asarray(self.spline(np.clip(stations_m, self.first_m, self.last_m)))


def aside_of(way: LanePath, lateral_m: float, path: LanePath) -> Aside:
    """How far left of a path something is that keeps so far left of another way."""
    stations = np.arange(way.first_m, way.last_m, _STEP_M)
    at_m, aside_m = path.locate_all(way.points(stations, lateral_m))
    inside = (at_m > path.first_m + 1e-6) & (at_m < path.last_m - 1e-6) & (np.abs(aside_m) < _FARTHEST_M)
    order = np.argsort(at_m[inside], kind="stable")
    at_m, aside_m = at_m[inside][order], aside_m[inside][order]
    apart = np.diff(at_m, prepend=-np.inf) > _STEP_M / 4
    if apart.sum() < 4:
        raise ScenarioError("is on a lane that does not run beside the one it is to change to. Use another place")
    at_m, aside_m = at_m[apart], aside_m[apart]
    ends = np.arange(1, 5) * 10.0
    at_m = np.concatenate([at_m[0] - ends[::-1], at_m, at_m[-1] + ends])
    aside_m = np.concatenate([np.full(4, aside_m[0]), aside_m, np.full(4, aside_m[-1])])
    return Aside(CubicSpline(at_m, aside_m, bc_type="clamped"), float(at_m[0]), float(at_m[-1]))


def lane_beside(
    graph: LaneGraph, path: LanePath, station_m: float, side: Literal["left", "right"], oncoming: bool = False
) -> Aside:
    """How far left of a path the next lane is. oncoming: it may drive the other way."""
    lane = path.lane_at(station_m)
    beside = (graph.left_neighbour if side == "left" else graph.right_neighbour)(lane.id)
    if beside is None:
        raise ScenarioError(f"is to use the lane to the {side} of lane {lane.id}, and there is none. Use another lane")
    point = path.points(np.array([station_m]))[0]
    way = lane_path(graph, beside.id, beside.centre.locate(point)[0], _AROUND_M, _AROUND_M)
    headings = way.headings_rad(np.zeros(1))[0], path.headings_rad(np.array([station_m]))[0]
    if np.cos(headings[0] - headings[1]) < 0 and not oncoming:
        raise ScenarioError(f"is to change to the {side}, where lane {beside.id} is for the other direction")
    return aside_of(way, 0.0, path)
