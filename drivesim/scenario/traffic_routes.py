"""All ways that traffic takes, and where everything is as seen from each of them.

Between every two routes a table tells, for stations on the one, the station and the side on the other. So to find
who is ahead of whom on the same lane, across a merge, or on a crossing road is one look-up for all pairs at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenegraph import LaneGraph, LaneSegment
from scenegraph.arrays import BoolArray, FloatArray, IntArray
from scenegraph.roads.lane_path import Turn, lane_path

from .lanes_beside import is_dead_end, lanes_beside
from .right_of_way import LineSigns, holds_of
from .route import DRAWN_ON_M, GRID_M, NEAR_M, OFF_M, Route, drawn_on

_TIGHT_M = 2.3
_ALIGNED = 0.8
_MERGE_M = 8.0
_LEAP_M = 4 * GRID_M


@dataclass(frozen=True)
class Zone:
    """Where two routes come together: stretches of both, first the one it is seen from.

    is_merge: they go on together; else they cross.
    """

    own_in_m: float
    own_out_m: float
    other_in_m: float
    other_out_m: float
    is_merge: bool


class Routes:
    """All routes in use, by first lane and turn, with the tables between them; grows as it is asked."""

    def __init__(self, graph: LaneGraph, signs: LineSigns, reach_m: float, left_hand: bool = False) -> None:
        self.graph = graph
        self.all: list[Route] = []
        self._signs = signs
        self._reach_m = reach_m
        self._left_hand = left_hand
        self._numbers: dict[tuple[str, Turn], int] = {}
        self._zones: dict[tuple[int, int], tuple[Zone, ...]] = {}
        self._beside: dict[tuple[str, bool], tuple[LaneSegment, ...]] = {}
        self._room(8, 64)
        self.zones = np.full((8, 8, 1, 4), np.nan)
        self.zone_merges = np.zeros((8, 8, 1), dtype=bool)

    def number(self, lane_id: str, turn: Turn) -> int:
        """The route from the start of a lane."""
        key = lane_id, turn
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(self._made(lane_id, turn))
            self._tabulate(len(self.all) - 1)
        return self._numbers[key]

    def may_change(self, lane: LaneSegment, over_solid: bool) -> tuple[LaneSegment, ...]:
        """Lanes to the left and right of one that can be changed to: same direction, for cars, no solid line."""
        key = lane.id, over_solid
        if key not in self._beside:
            self._beside[key] = tuple(lanes_beside(self.graph, lane, over_solid))
        return self._beside[key]

    # -- looking up -------------------------------------------------------------------------------

    def seen(self, own: IntArray, other: IntArray, stations_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Station and side on routes ``own`` of places on routes ``other``, and the cosine between them; broadcast."""
        at = (stations_m - self._first[other]) / GRID_M
        index = np.clip(at.astype(np.int64), 0, self._count[other] - 2)
        share = np.clip(at - index, -1.0, 2.0)
        low, high = self._station[own, other, index], self._station[own, other, index + 1]
        left, right = self._side[own, other, index], self._side[own, other, index + 1]
        # Where a ring closes, neighbouring places lie at opposite ends of the route: nothing is between them.
        share = np.where(np.abs(high - low) > _LEAP_M, np.rint(share), share)
        station = low + (high - low) * share
        side = np.where(np.maximum(np.abs(left), np.abs(right)) >= OFF_M, OFF_M, left + (right - left) * share)
        there = np.clip((station - self._first[own]) / GRID_M, 0, self._count[own] - 1).astype(np.int64)
        return station, side, np.cos(self._heading[other, index] - self._heading[own, there])

    def speeds_mps(self, own: IntArray, stations_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Speed limit, and the speed for bends, at places."""
        index = np.clip(np.rint((stations_m - self._first[own]) / GRID_M).astype(np.int64), 0, self._count[own] - 1)
        return self._limit[own, index], self._bend[own, index]

    def curvatures(self, own: IntArray, stations_m: FloatArray) -> FloatArray:
        """Curvature of the routes there, 1/m."""
        index = np.clip(np.rint((stations_m - self._first[own]) / GRID_M).astype(np.int64), 0, self._count[own] - 1)
        return np.asarray(self._curvature[own, index])

    # -- making -----------------------------------------------------------------------------------

    def _made(self, lane_id: str, turn: Turn) -> Route:
        path = lane_path(self.graph, lane_id, 0.0, self._reach_m, DRAWN_ON_M, turn)
        if len(path.lanes) > 1 and lane_id in path.lanes[-1].successors and path.lanes[0].id == lane_id:
            # Once around a ring: the last lane is better known as the one behind.
            reach_m = float(path.starts_m[-1]) - 1.0
            path = lane_path(self.graph, lane_id, 0.0, reach_m, DRAWN_ON_M, turn)
        last = path.lanes[-1]
        goes_on, ends = bool(self.graph.successors(last.id)), is_dead_end(self.graph, last)
        holds = holds_of(path, self._signs, self._left_hand)
        return Route(drawn_on(path), turn, path.first_m, path.last_m, goes_on, ends, holds)

    def _room(self, routes: int, stations: int) -> None:
        """Larger tables with what they held."""
        shapes = {
            "_station": 3,
            "_side": 3,
            "_heading": 2,
            "_limit": 2,
            "_bend": 2,
            "_curvature": 2,
            "_first": 1,
            "_count": 1,
        }
        for name, axes in shapes.items():
            shape = {3: (routes, routes, stations), 2: (routes, stations), 1: (routes,)}[axes]
            fill = OFF_M if name == "_side" else 0.0
            grown = np.full(
                shape, fill, dtype=np.int64 if name == "_count" else np.float32 if axes == 3 else np.float64
            )
            if (old := getattr(self, name, None)) is not None:
                grown[tuple(slice(size) for size in old.shape)] = old
            setattr(self, name, grown)

    _station: FloatArray
    _side: FloatArray
    _heading: FloatArray
    _limit: FloatArray
    _bend: FloatArray
    _curvature: FloatArray
    _first: FloatArray
    _count: IntArray

    def _tabulate(self, new: int) -> None:
        route = self.all[new]
        count = len(route.stations_m)
        routes, stations = self._side.shape[0], self._side.shape[2]
        if new >= routes or count > stations:
            self._room(max(routes, 2 * new), max(stations, count))
        self._first[new], self._count[new] = route.path.first_m, count
        self._heading[new, :count], self._limit[new, :count] = route.headings_rad, route.limits_mps
        self._bend[new, :count] = route.bends_mps
        self._curvature[new, :count] = route.path.curvatures(route.stations_m)
        points = [known.path.points(known.stations_m) for known in self.all]
        ends = np.cumsum([len(p) for p in points])
        station, side = route.locate(np.concatenate(points))
        for other, (begin, end) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
            self._station[new, other, : end - begin] = station[begin:end]
            self._side[new, other, : end - begin] = side[begin:end]
            if other != new and (np.abs(side[begin:end]) < NEAR_M).any():
                station_back, side_back = self.all[other].locate(points[new])
                self._station[other, new, :count], self._side[other, new, :count] = station_back, side_back
                self._note(new, other)
                self._note(other, new)
        self._lay_out()

    # -- where routes meet ------------------------------------------------------------------------

    def _note(self, own: int, other: int) -> None:
        side = self._side[own, other, : self._count[other]]
        tight = np.abs(side) < _TIGHT_M
        zones = tuple(zone for first, last in _runs(tight) if (zone := self._zone(own, other, first, last)) is not None)
        if zones:
            self._zones[own, other] = zones

    def _zone(self, own: int, other: int, first: int, last: int) -> Zone | None:
        """The zone of a stretch of places on the other route that lie on the own one."""
        route, crossing = self.all[own], self.all[other]
        stations = self._station[own, other, first : last + 1].astype(np.float64)
        there = crossing.stations_m[first : last + 1]
        cosine = np.cos(crossing.headings_rad[first : last + 1] - route.headings_rad[route.index(stations)])
        own_in, own_out = float(stations.min()), float(stations.max())
        other_in, other_out = float(there[0]), float(there[-1])
        if own_in > route.end_m or other_in > crossing.end_m or own_out < route.first_m or other_out < crossing.first_m:
            return None
        enters_along, leaves_along = cosine[0] > _ALIGNED, cosine[-1] > _ALIGNED
        if leaves_along:
            together = own_in < route.first_m + 3.0 or other_in < crossing.first_m + 3.0
            return None if together else Zone(own_in, own_in + _MERGE_M, other_in, other_in + _MERGE_M, is_merge=True)
        if enters_along or cosine[-1] < -_ALIGNED:  # they part, or meet head-on
            return None
        return Zone(own_in, own_out, other_in, other_out, is_merge=False)

    def _lay_out(self) -> None:
        """Zones as arrays [R,R,Z,4] with NaN for none."""
        most = max((len(zones) for zones in self._zones.values()), default=1)
        count = self._side.shape[0]
        self.zones = np.full((count, count, most, 4), np.nan)
        self.zone_merges = np.zeros((count, count, most), dtype=bool)
        for (own, other), zones in self._zones.items():
            for index, zone in enumerate(zones):
                self.zones[own, other, index] = zone.own_in_m, zone.own_out_m, zone.other_in_m, zone.other_out_m
                self.zone_merges[own, other, index] = zone.is_merge


def _runs(mask: BoolArray) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int64)))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]
