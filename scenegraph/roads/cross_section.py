"""What lies across a road: the edges of its lanes in space, at stations that are close where it bends.

A section is surveyed at one set of stations for all of its lanes, so that neighbours share their edges exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays import FloatArray
from ..se3 import SE3
from .network import LaneSection, Road, RoadLane
from .reference_line import Cubics, ReferenceLine

_CHORD_ERROR_M = 0.01
_HALVINGS = 8
_BEFORE_M = 1e-6
_JUMP_M = 1e-3
_QUARTERS = np.array([0.25, 0.5, 0.75])


@dataclass(frozen=True, eq=False)
class LaneStrip:
    """One lane of a section in world coordinates, both edges along s.

    stations_m: s on the road [N]. inner_m, outer_m: its edges [N,3], inner next to the reference line.
    inner_t_m, outer_t_m: their t [N]. The centre lane, id 0, has both at the same place.
    """

    lane: RoadLane
    stations_m: FloatArray
    inner_m: FloatArray
    outer_m: FloatArray
    inner_t_m: FloatArray
    outer_t_m: FloatArray

    @property
    def widths_m(self) -> FloatArray:
        """Width at every station [N]."""
        return np.asarray(np.abs(self.outer_t_m - self.inner_t_m))

    @property
    def left_m(self) -> FloatArray:
        """The edge that is left when looking along s [N,3]."""
        return self.outer_m if self.lane.id > 0 else self.inner_m

    @property
    def right_m(self) -> FloatArray:
        """The edge that is right when looking along s [N,3]."""
        return self.inner_m if self.lane.id > 0 else self.outer_m

    def cut(self, first: int, last: int) -> LaneStrip:
        """The part from one station to another, both included."""
        part = slice(first, last + 1)
        return LaneStrip(
            self.lane,
            self.stations_m[part],
            self.inner_m[part],
            self.outer_m[part],
            self.inner_t_m[part],
            self.outer_t_m[part],
        )


@dataclass(frozen=True, eq=False)
class SectionSurvey:
    """A lane section measured out. strips: from the leftmost lane to the rightmost, with the centre lane.

    index: of the section on its road. centre: the strip of lane 0.
    """

    road: Road
    index: int
    strips: tuple[LaneStrip, ...]
    centre: LaneStrip

    @property
    def stations_m(self) -> FloatArray:
        """s on the road [N]."""
        return self.centre.stations_m


@dataclass(frozen=True, eq=False)
class _Edges:
    """t of a lane's inner and outer edge, and how high they are raised, [N] each."""

    inner_t_m: FloatArray
    outer_t_m: FloatArray
    inner_h_m: FloatArray
    outer_h_m: FloatArray


class SectionShape:
    """The t of all lane edges of a section, as functions of s."""

    def __init__(self, road: Road, index: int, offset: Cubics) -> None:
        section = road.sections[index]
        ends_m = [later.s_m for later in road.sections[index + 1 :]] or [road.length_m]
        self.start_m, self.end_m = max(section.s_m, 0.0), min(ends_m[0], road.length_m)
        self.lanes = _with_centre(section)
        self._offset = offset
        self._widths = {lane.id: Cubics(lane.widths) for lane in self.lanes}

    @property
    def breaks_m(self) -> FloatArray:
        """Stations at which a formula, a mark or a height changes."""
        inner = [self._widths[lane.id].starts_m for lane in self.lanes]
        inner += [np.array([mark.s_m for mark in lane.marks]) for lane in self.lanes]
        inner += [np.array([height.s_m for height in lane.heights]) for lane in self.lanes]
        breaks = np.concatenate([self.start_m + np.concatenate(inner), self._offset.starts_m])
        return np.concatenate([breaks, breaks[self._jumps(breaks)] - _BEFORE_M])

    def edges_at(self, s_m: FloatArray) -> dict[int, _Edges]:
        """Edges by lane id at stations [N]. A station at the section's end belongs to this section."""
        inside = np.clip(s_m, self.start_m, max(self.end_m - _BEFORE_M, self.start_m))
        offset = self._offset.at(inside)
        edges = {0: _Edges(offset, offset, np.zeros_like(offset), np.zeros_like(offset))}
        for sign in (1, -1):
            inner = offset
            for lane in sorted((lane for lane in self.lanes if lane.id * sign > 0), key=lambda lane: lane.id * sign):
                value = self._widths[lane.id].at(inside - self.start_m)
                outer = offset + sign * np.abs(value) if lane.has_borders else inner + sign * np.maximum(value, 0.0)
                edges[lane.id] = _Edges(inner, outer, *_heights_at(lane, inside - self.start_m))
                inner = outer
        return edges

    def _jumps(self, s_m: FloatArray) -> list[bool]:
        """Whether an edge jumps sideways at stations [N]."""
        before, after = self.edges_at(s_m - _BEFORE_M), self.edges_at(s_m)
        moved = [np.abs(after[lane.id].outer_t_m - before[lane.id].outer_t_m) for lane in self.lanes]
        return list(np.max(moved, axis=0) > _JUMP_M)


def survey_road(road: Road, step_m: float) -> Iterator[SectionSurvey]:
    """The sections of a road, measured out at most ``step_m`` apart and with chords true to a centimetre or so.

    Sections without length are passed over.
    """
    line, offset = ReferenceLine(road), Cubics(road.lane_offset)
    for index in range(len(road.sections)):
        shape = SectionShape(road, index, offset)
        if shape.end_m - shape.start_m > _BEFORE_M:
            yield _survey(road, index, line, shape, step_m)


def _survey(road: Road, index: int, line: ReferenceLine, shape: SectionShape, step_m: float) -> SectionSurvey:
    stations = _stations(line, shape, step_m)
    pose, edges = line.pose_at(stations), shape.edges_at(stations)
    strips = []
    for lane in shape.lanes:
        edge = edges[lane.id]
        inner = _beside(pose, edge.inner_t_m, edge.inner_h_m)
        outer = _beside(pose, edge.outer_t_m, edge.outer_h_m)
        strips.append(LaneStrip(lane, stations, inner, outer, edge.inner_t_m, edge.outer_t_m))
    centre = next(strip for strip in strips if strip.lane.id == 0)
    return SectionSurvey(road, index, tuple(strips), centre)


def _stations(line: ReferenceLine, shape: SectionShape, step_m: float) -> FloatArray:
    """Stations [N] at which every lane edge of a section is sampled."""
    breaks = np.concatenate([line.breaks_m, shape.breaks_m, [shape.start_m, shape.end_m]])
    breaks = np.unique(np.clip(breaks, shape.start_m, shape.end_m))
    kept = breaks[np.concatenate([[True], np.diff(breaks) > _BEFORE_M / 2])]
    kept[-1] = shape.end_m
    steps = [np.linspace(a, b, max(int(np.ceil((b - a) / step_m)), 1) + 1)[:-1] for a, b in pairwise(kept)]
    stations = np.concatenate([*steps, kept[-1:]])
    doubtful = np.ones(len(stations) - 1, dtype=bool)
    for _ in range(_HALVINGS):
        bent = np.zeros(len(doubtful), dtype=bool)
        bent[doubtful] = _bends(line, shape, stations[:-1][doubtful], stations[1:][doubtful])
        if not bent.any():
            break
        middles = (stations[:-1][bent] + stations[1:][bent]) / 2
        where = np.flatnonzero(bent) + 1
        doubtful = np.insert(bent, where, True)
        stations = np.insert(stations, where, middles)
    return np.asarray(stations)


def _bends(line: ReferenceLine, shape: SectionShape, start_m: FloatArray, end_m: FloatArray) -> FloatArray:
    """Whether some lane edge leaves its chord between two stations [N] by more than is allowed."""
    shares = np.concatenate([[0.0], _QUARTERS, [1.0]])
    s = start_m[:, None] + (end_m - start_m)[:, None] * shares
    # The last sample lies just before the next station, where an edge may jump.
    s[:, -1] = np.maximum(s[:, -1] - _BEFORE_M / 4, s[:, 0])
    pose, edges = line.pose_at(s), shape.edges_at(s)
    bent = np.zeros(len(s), dtype=bool)
    for edge in edges.values():
        points = _beside(pose, edge.outer_t_m, np.zeros_like(edge.outer_t_m))
        chord = points[:, -1:] - points[:, :1]
        away = points[:, 1:-1] - points[:, :1]
        length = np.maximum(np.linalg.norm(chord, axis=-1, keepdims=True), 1e-12)
        along = (away * chord).sum(axis=-1, keepdims=True) / length
        off = away - along * chord / length
        bent |= (np.linalg.norm(off, axis=-1) > _CHORD_ERROR_M).any(axis=1)
    return np.asarray(bent)


def _beside(pose: SE3, t_m: FloatArray, h_m: FloatArray) -> FloatArray:
    """Points [...,3] to the left of and above poses [...]."""
    aside = t_m[..., None] * pose.rotation[..., 1] + h_m[..., None] * pose.rotation[..., 2]
    return np.asarray(pose.translation_m + aside)


def _heights_at(lane: RoadLane, within_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How high the inner and the outer edge are raised at stations [...] of the section."""
    if not lane.heights:
        return np.zeros_like(within_m), np.zeros_like(within_m)
    heights = sorted(lane.heights, key=lambda height: height.s_m)
    starts = np.array([height.s_m for height in heights])
    valid = np.searchsorted(starts, within_m, side="right") - 1
    inner, outer = (np.array([0.0, *values]) for values in zip(*((h.inner_m, h.outer_m) for h in heights), strict=True))
    return inner[valid + 1], outer[valid + 1]


def _with_centre(section: LaneSection) -> tuple[RoadLane, ...]:
    """Lanes from left to right, with a bare centre lane where the section lists none."""
    lanes = list(section.lanes)
    if all(lane.id != 0 for lane in lanes):
        lanes.append(RoadLane(0, "none"))
    return tuple(sorted(lanes, key=lambda lane: -lane.id))
