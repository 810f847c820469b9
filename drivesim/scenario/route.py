"""One way along lanes that traffic takes: how fast it is driven, where to wait, and where things are along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import KDTree

from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath, Turn

from .right_of_way import Hold

LATERAL_MPS2 = 2.0
"""In bends people drive so slowly that they are not pushed sideways harder than this."""
USUAL_MPS = 13.9
GRID_M = 2.0
DRAWN_ON_M = 40.0
NEAR_M = 15.0
OFF_M = 99.0
"""Side of what is nowhere near a route."""

_SLOWING_MPS2 = 1.2
_CURVE_POINTS = 3
_LEVEL_M = 3.0


@dataclass(frozen=True, eq=False)
class Route:
    """A way along lanes from the start of its first lane, drawn on straight at both ends.

    path: may be asked beyond the map. first_m, end_m: stations between which it is on the map.
    goes_on: the map has lanes after the last one. is_dead_end: the lane ends and the road goes on beside it.
    holds: where to wait, in driving order.
    """

    path: LanePath
    turn: Turn
    first_m: float
    end_m: float
    goes_on: bool
    is_dead_end: bool
    holds: tuple[Hold, ...]

    @cached_property
    def stations_m(self) -> FloatArray:
        """Every two metres, [S]."""
        count = int((self.path.last_m - self.path.first_m) / GRID_M)
        return np.asarray(self.path.first_m + GRID_M * np.arange(count + 1))

    @cached_property
    def headings_rad(self) -> FloatArray:
        """Direction there, [S]."""
        return self.headings_at(self.stations_m)

    def headings_at(self, stations_m: FloatArray) -> FloatArray:
        """Direction [N] at stations, the same bytes in every process."""
        ahead = np.ascontiguousarray(self._curve(stations_m, 1).T)
        return np.asarray(np.arctan2(ahead[1], ahead[0]))

    @cached_property
    def _curve(self) -> CubicSpline:
        return CubicSpline(self.path.stations_m, self.path.points_m[:, :2])

    @cached_property
    def limits_mps(self) -> FloatArray:
        """Speed limit there, [S]."""
        lane = np.searchsorted(self.path.starts_m, self.stations_m, side="right") - 1
        return np.asarray(self.path.limits_mps(USUAL_MPS)[np.clip(lane, 0, len(self.path.lanes) - 1)])

    @cached_property
    def bends_mps(self) -> FloatArray:
        """How fast bends are driven, [S], with gentle braking before them."""
        curvature = self.path.curvatures(self.stations_m)
        weights = np.full(_CURVE_POINTS, 1 / _CURVE_POINTS)
        pads = _CURVE_POINTS // 2
        padded = np.concatenate([[curvature[0]] * pads, curvature, [curvature[-1]] * pads])
        eased = np.abs(np.convolve(padded, weights, mode="valid"))
        squared = LATERAL_MPS2 / np.maximum(eased, 1e-5)
        for index in range(len(squared) - 2, -1, -1):
            squared[index] = min(squared[index], squared[index + 1] + 2 * _SLOWING_MPS2 * GRID_M)
        return np.asarray(np.sqrt(squared))

    def index(self, stations_m: FloatArray) -> IntArray:
        """The nearest place in the arrays above."""
        index = np.rint((np.asarray(stations_m) - self.path.first_m) / GRID_M).astype(np.int64)
        return np.asarray(np.clip(index, 0, len(self.stations_m) - 1))

    @cached_property
    def _tree(self) -> tuple[KDTree, FloatArray]:
        points = self.path.points_m
        return KDTree(points), points

    def locate(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Station and metres to the left of points [N,3]; the side is 99 m for what is over 15 m away or past an end.

        A place on a road above or below is as far away as that road.
        """
        tree, line = self._tree
        stations = self.path.stations_m
        away, nearest = tree.query(points_m, distance_upper_bound=NEAR_M)
        found = np.isfinite(away)
        nearest = np.where(found, nearest, 0)
        before, after = np.maximum(nearest - 1, 0), np.minimum(nearest + 1, len(line) - 1)
        along = (line[after] - line[before])[:, :2]
        length = np.hypot(along[:, 0], along[:, 1])
        along /= np.maximum(length, 1e-9)[:, None]
        off = points_m - line[nearest]
        ahead = off[:, 0] * along[:, 0] + off[:, 1] * along[:, 1]
        left = off[:, 1] * along[:, 0] - off[:, 0] * along[:, 1]
        past = ((nearest == 0) & (ahead < -1.0)) | ((nearest == len(line) - 1) & (ahead > 1.0))
        scale = (stations[after] - stations[before]) / np.maximum(length, 1e-9)
        on_level = np.abs(off[:, 2]) < _LEVEL_M
        return stations[nearest] + ahead * scale, np.where(found & on_level & ~past, left, OFF_M)


def drawn_on(path: LanePath) -> LanePath:
    """The path with straight ends, a metre between points."""
    away = np.arange(1.0, DRAWN_ON_M + 1)
    back = np.arange(-DRAWN_ON_M, 0.0)
    points, stations = path.points_m, path.stations_m
    first, last = (_direction(points[0], points[1]), _direction(points[-2], points[-1]))
    all_points = np.concatenate([points[0] + back[:, None] * first, points, points[-1] + away[:, None] * last])
    all_stations = np.concatenate([stations[0] + back, stations, stations[-1] + away])
    return LanePath(path.lanes, path.starts_m, all_stations, all_points)


def _direction(start: FloatArray, end: FloatArray) -> FloatArray:
    return np.asarray((end - start) / np.linalg.norm(end - start))
