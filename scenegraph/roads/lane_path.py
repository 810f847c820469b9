"""A way along lanes: where a vehicle is that has driven so far and so much to the side, in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from ..arrays import FloatArray
from ..errors import MapError
from ..hdmap import LaneSegment
from ..lane_graph import LaneGraph
from ..polyline import Polyline

Turn = Literal["straight", "left", "right"]

_STEP_M = 1.0
_SMOOTHING_M = 6.0
_PROJECTIONS = 8


@dataclass(frozen=True, eq=False)
class LanePath:
    """The centre lines of successive lanes as one smooth curve.

    lanes: in driving order. starts_m: station [len(lanes)] where each begins; the first may begin below 0.
    centre: points about every metre, station 0 being where the path was asked to begin.
    """

    lanes: tuple[LaneSegment, ...]
    starts_m: FloatArray
    stations_m: FloatArray
    points_m: FloatArray

    @property
    def first_m(self) -> float:
        """The smallest station."""
        return float(self.stations_m[0])

    @property
    def last_m(self) -> float:
        """The largest station."""
        return float(self.stations_m[-1])

    @cached_property
    def _curve(self) -> CubicSpline:
        return CubicSpline(self.stations_m, self.points_m)

    @cached_property
    def _nodes(self) -> cKDTree:
        return cKDTree(self.points_m[:, :2])

    def points(self, stations_m: FloatArray, laterals_m: FloatArray | float = 0.0) -> FloatArray:
        """Points [N,3] on the road, ``laterals_m`` to the left of the centre."""
        stations = np.asarray(stations_m, dtype=np.float64)
        self._require_inside(stations)
        tangent = self._curve(stations, 1)
        left = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
        left /= np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-9)
        points: FloatArray = np.array(self._curve(stations))
        points[..., :2] += left * np.broadcast_to(np.asarray(laterals_m, dtype=np.float64), stations.shape)[..., None]
        return points

    def headings_rad(self, stations_m: FloatArray) -> FloatArray:
        """Direction of the lane [N]."""
        tangent = self._curve(np.asarray(stations_m, dtype=np.float64), 1)
        # Not of columns: where they lie in memory may decide about the last bit of numpy's arctan2.
        x, y = np.ascontiguousarray(np.moveaxis(tangent[..., :2], -1, 0))
        return np.asarray(np.arctan2(y, x))

    def curvatures(self, stations_m: FloatArray) -> FloatArray:
        """Curvature [N] in 1/m, positive to the left."""
        first, second = (self._curve(np.asarray(stations_m, dtype=np.float64), order) for order in (1, 2))
        speed = np.maximum(np.hypot(first[..., 0], first[..., 1]), 1e-9)
        return np.asarray((first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]) / speed**3)

    def half_width_m(self, station_m: float) -> float:
        """Half the width of the lane there."""
        lane = self.lane_at(station_m)
        point = self.points(np.array([station_m]))[0]
        left, right = (abs(edge.locate(point)[1]) for edge in (lane.left, lane.right))
        return float(left + right) / 2

    def lane_at(self, station_m: float) -> LaneSegment:
        """The lane at a station."""
        index = int(np.clip(np.searchsorted(self.starts_m, station_m, side="right") - 1, 0, len(self.lanes) - 1))
        return self.lanes[index]

    def locate(self, point_m: FloatArray) -> tuple[float, float]:
        """Station and metres to the left of a point."""
        stations_m, laterals_m = self.locate_all(np.asarray(point_m, dtype=np.float64)[None])
        return float(stations_m[0]), float(laterals_m[0])

    def locate_all(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Stations [N] of the nearest places in the ground plane and metres [N] to the left of them, of points [N,3].

        The inverse of ``points``; beyond an end the end is nearest.
        """
        points = np.asarray(points_m, dtype=np.float64)
        node = self._nodes.query(points[:, :2])[1]
        last = len(self.stations_m) - 1
        low, high = self.stations_m[np.maximum(node - 1, 0)], self.stations_m[np.minimum(node + 1, last)]
        stations = self.stations_m[node]
        for _ in range(_PROJECTIONS):
            tangent = self._curve(stations, 1)[:, :2]
            off = points[:, :2] - self._curve(stations)[:, :2]
            bend = 1.0 - (off * self._curve(stations, 2)[:, :2]).sum(axis=1) / (tangent**2).sum(axis=1)
            step = (off * tangent).sum(axis=1) / (tangent**2).sum(axis=1)
            stations = np.clip(stations + step / np.maximum(bend, 0.2), low, high)
        tangent, off = self._curve(stations, 1)[:, :2], points[:, :2] - self._curve(stations)[:, :2]
        is_left = tangent[:, 0] * off[:, 1] >= tangent[:, 1] * off[:, 0]
        away = np.hypot(off[:, 0], off[:, 1])
        return stations, np.where(is_left, away, -away)

    def reversed(self) -> LanePath:
        """The same way from its other end, against the traffic; station 0 stays where it is."""
        ends = np.append(self.starts_m[1:], self.last_m)
        return LanePath(self.lanes[::-1], -ends[::-1], -self.stations_m[::-1], self.points_m[::-1])

    def limits_mps(self, usual_mps: float = 13.9) -> FloatArray:
        """Speed limit of every lane [len(lanes)]."""
        return np.array([usual_mps if lane.speed_limit_mps is None else lane.speed_limit_mps for lane in self.lanes])

    def moved(self, ahead_m: float) -> LanePath:
        """The same way with station 0 so far ahead."""
        if not self.first_m - 1e-6 <= ahead_m <= self.last_m + 1e-6:
            raise MapError(
                f"a path along lane {self.lane_at(0.0).id} goes from {self.first_m:.0f} to {self.last_m:.0f} m; "
                f"{ahead_m:.0f} m are beyond the map"
            )
        return LanePath(self.lanes, self.starts_m - ahead_m, self.stations_m - ahead_m, self.points_m)

    def _require_inside(self, stations: FloatArray) -> None:
        if stations.size and (stations.min() < self.first_m - 1e-6 or stations.max() > self.last_m + 1e-6):
            raise MapError(
                f"a path along lane {self.lanes[0].id} goes from {self.first_m:.0f} to {self.last_m:.0f} m, "
                f"but {stations.min():.0f} to {stations.max():.0f} m are needed"
            )


def lane_path(
    graph: LaneGraph,
    lane_id: str,
    station_m: float,
    ahead_m: float,
    behind_m: float = 0.0,
    turn: Turn = "straight",
) -> LanePath:
    """The path through a place on a lane, as far ahead and behind as asked for, or as the map goes.

    turn: where lanes part, which one is taken. Station 0 of the path is at ``station_m`` of the lane.
    """
    lanes = [graph[lane_id]]
    before_m, after_m = station_m, lanes[0].centre.length_m - station_m
    seen = {lane_id}
    while after_m < ahead_m and (following := _chosen(lanes[-1], graph.successors(lanes[-1].id), turn, seen)):
        lanes.append(following)
        seen.add(following.id)
        after_m += following.centre.length_m
    while before_m < behind_m and (previous := _straightest(lanes[0], graph.predecessors(lanes[0].id), seen)):
        lanes.insert(0, previous)
        seen.add(previous.id)
        before_m += previous.centre.length_m
    points = np.concatenate([lanes[0].centre.points_m, *(lane.centre.points_m[1:] for lane in lanes[1:])])
    lengths = [lane.centre.length_m for lane in lanes]
    starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]]) - before_m
    smooth = _smoothed(Polyline(points))
    stations = smooth.stations_m * ((before_m + after_m) / smooth.length_m) - before_m
    return LanePath(tuple(lanes), starts, stations, smooth.points_m)


def _chosen(lane: LaneSegment, candidates: tuple[LaneSegment, ...], turn: Turn, seen: set[str]) -> LaneSegment | None:
    """The successor that turns most to the wanted side."""
    fresh = [candidate for candidate in candidates if candidate.id not in seen]
    if not fresh:
        return None
    angles = [_turned_rad(lane, candidate) for candidate in fresh]
    wanted = {"straight": np.abs(angles), "left": -np.array(angles), "right": np.array(angles)}[turn]
    return fresh[int(np.argmin(wanted))]


def _straightest(lane: LaneSegment, candidates: tuple[LaneSegment, ...], seen: set[str]) -> LaneSegment | None:
    fresh = [candidate for candidate in candidates if candidate.id not in seen]
    return min(fresh, key=lambda candidate: abs(_turned_rad(candidate, lane)), default=None)


def _turned_rad(lane: LaneSegment, following: LaneSegment) -> float:
    """How far traffic turns left from the end of one lane to the end of the next."""
    before, after = (_heading(x.centre, at_end=True) for x in (lane, following))
    return float((after - before + np.pi) % (2 * np.pi) - np.pi)


def _heading(line: Polyline, at_end: bool) -> float:
    points = line.points_m
    edge = points[-1] - points[-2] if at_end else points[1] - points[0]
    return float(np.arctan2(edge[1], edge[0]))


def _smoothed(line: Polyline) -> Polyline:
    """Points about every metre, corners rounded by a moving average, ends kept.

    What the average takes off is averaged once more and given back: bends keep their radius.
    """
    points = line.resampled(_STEP_M).points_m
    once = _averaged(points)
    smooth = once + _averaged(points - once)
    smooth[[0, -1]] = points[[0, -1]]
    return Polyline(smooth)


def _averaged(points: FloatArray) -> FloatArray:
    """Weighted means [N,3] over some metres; the line goes on point-symmetrically beyond its ends."""
    half = min(int(_SMOOTHING_M / _STEP_M), len(points) - 1)
    before, after = 2 * points[0] - points[half:0:-1], 2 * points[-1] - points[-2 : -half - 2 : -1]
    padded = np.concatenate([before, points, after])
    weights = np.hanning(2 * half + 3)[1:-1]
    weights /= weights.sum()
    return np.stack([np.convolve(padded[:, axis], weights, mode="valid") for axis in range(3)], axis=1)
