"""Road boundaries: where what vehicles can drive on ends.

Everything paved is united, road by road and junction by junction, and its outline is the boundary; so no kerb lies
across a junction. Where a road just ends, its outline stays open. Roads that cross above each other are united
separately. Kerbs within the paved area (around an island, along a raised lane) and barriers come on top of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import shapely

from ..arrays import FloatArray
from ..hdmap import RoadBoundary
from ..polyline import Polyline
from .connections import DRIVABLE
from .cross_section import LaneStrip, SectionSurvey
from .network import RoadNetwork
from .reference_line import road_point
from .road_paint import KERB_STYLES, mark_runs

PAVED = DRIVABLE | {"shoulder", "stop", "parking", "restricted", "tram", "roadWorks", "border"}
"""Kinds of lane that can be driven on, if need be. A border counts where it is narrow: wide ones are verges."""
BARRIERS = {
    "barrier": "barrier",
    "guardrail": "guard_rail",
    "railing": "guard_rail",
    "wall": "wall",
    "fence": "fence",
    "jerseybarrier": "barrier",
    "noiseprotection": "wall",
    "soundbarrier": "wall",
}
"""Categories of boundary by the kind or the name of an object, in lower case."""

_WIDEST_BORDER_M = 3.0
_LEAST_STEP_M = 0.04
_GAP_M = 0.05
_STRAIGHT_M = 0.005
_SMALLEST_AREA_M2 = 1.0
_LARGEST_JUNCTION_HOLE_M2 = 60.0
_ABOVE_M = 2.5
_CAP_INSET_M, _CAP_WIDTH_M = 0.03, 0.2
_NARROWEST_OPENING_M = 1.2
_SAME_LINE_M = 1e-3
_SAME_KERB_M = 0.35


@dataclass(frozen=True, eq=False)
class _Pavement:
    """Neighbouring paved lanes of a section: their outline, and both edges along s [N,3]."""

    outline: Any
    left_m: FloatArray
    right_m: FloatArray
    is_junction: bool


def road_boundaries(network: RoadNetwork, surveys: Sequence[SectionSurvey], step_m: float) -> list[RoadBoundary]:
    """Outlines of what is paved, kerbs within it, barriers."""
    pavements = [pavement for survey in surveys for pavement in _pavements(survey)]
    outlines: list[FloatArray] = []
    for level in _levels(pavements):
        outlines += _outlines(level, step_m)
    found = [RoadBoundary(f"edge:{i}", Polyline(points), "road_edge") for i, points in enumerate(outlines)]
    kerbs = _apart([kerb for survey in surveys for kerb in _kerbs(survey)], outlines)
    found += [RoadBoundary(f"curb:{i}", Polyline(points), "curb") for i, points in enumerate(kerbs)]
    barriers = enumerate(_barriers(network, step_m))
    return found + [RoadBoundary(f"barrier:{i}", line, category) for i, (line, category) in barriers]


# -- what is paved ----------------------------------------------------------------------------------


def _pavements(survey: SectionSurvey) -> Iterator[_Pavement]:
    lanes = [strip for strip in survey.strips if strip.lane.id != 0]
    for is_paved, run in groupby(lanes, key=_is_paved):
        strips = list(run)
        left_m, right_m = strips[0].left_m, strips[-1].right_m
        ring = np.concatenate([left_m, right_m[::-1]])[:, :2]
        outline = shapely.make_valid(shapely.Polygon(ring))
        if is_paved and outline.area > 0:
            yield _Pavement(outline, left_m, right_m, survey.road.junction is not None)


def _is_paved(strip: LaneStrip) -> bool:
    kind = strip.lane.kind
    if kind == "border":
        return bool(strip.widths_m.max() <= _WIDEST_BORDER_M) and not _is_raised(strip)
    return kind in PAVED and (kind in DRIVABLE - {"biking"} or not _is_raised(strip))


def _is_raised(strip: LaneStrip) -> bool:
    return any(height.inner_m >= _LEAST_STEP_M for height in strip.lane.heights)


def _levels(pavements: Sequence[_Pavement]) -> list[list[_Pavement]]:
    """Groups within which nothing lies above anything else."""
    above = _pairs_above(pavements)
    levels: list[list[int]] = []
    for index in range(len(pavements)):
        fitting = (level for level in levels if not above[index] & set(level)) if above[index] else iter(levels[:1])
        level = next(fitting, None)
        if level is None:
            levels.append(level := [])
        level.append(index)
    return [[pavements[index] for index in level] for level in levels]


def _pairs_above(pavements: Sequence[_Pavement]) -> list[set[int]]:
    """For each pavement the others that cross above or below it."""
    above: list[set[int]] = [set() for _ in pavements]
    if not pavements:
        return above
    heights = np.concatenate([pavement.left_m[:, 2] for pavement in pavements])
    if np.ptp(heights) < _ABOVE_M:
        return above
    tree = shapely.STRtree([pavement.outline for pavement in pavements])
    for one, other in zip(*tree.query(tree.geometries, predicate="intersects"), strict=True):
        if one < other:
            common = shapely.intersection(pavements[one].outline, pavements[other].outline).centroid
            place = shapely.get_coordinates(common)[:1]
            if len(place) and abs(_height_at(pavements[one], place) - _height_at(pavements[other], place)) > _ABOVE_M:
                above[one].add(int(other))
                above[other].add(int(one))
    return above


def _height_at(pavement: _Pavement, place: FloatArray) -> float:
    middle = (pavement.left_m + pavement.right_m) / 2
    return float(middle[np.argmin(((middle[:, :2] - place) ** 2).sum(axis=1)), 2])


# -- its outline ------------------------------------------------------------------------------------


def _outlines(pavements: Sequence[_Pavement], step_m: float) -> list[FloatArray]:
    """Lines [N,3] around the union; heights are those of the nearest lane edge.

    Pavements abut with gaps of some centimetres, so they are grown, united and shrunk again.
    """
    grown = shapely.buffer([pavement.outline for pavement in pavements], _GAP_M, join_style="mitre")
    united = shapely.buffer(shapely.union_all(grown), -_GAP_M, join_style="mitre").simplify(_STRAIGHT_M)
    junction = shapely.union_all([pavement.outline for pavement in pavements if pavement.is_junction])
    junction_kerbs = shapely.buffer(junction, 2 * _GAP_M)
    rings = []
    for part in shapely.get_parts(united):
        if part.geom_type == "Polygon" and part.area >= _SMALLEST_AREA_M2:
            holes = [ring for ring in part.interiors if _is_island(ring, junction_kerbs)]
            rings += [part.exterior, *holes]
    around = shapely.multilinestrings([shapely.linestrings(ring.coords) for ring in rings])
    lines = shapely.difference(around, _openings(around, pavements))
    height = _Heights([edge for pavement in pavements for edge in (pavement.left_m, pavement.right_m)])
    parts = shapely.get_parts(shapely.line_merge(lines))
    pieces = (shapely.get_coordinates(shapely.segmentize(part, step_m)) for part in parts if part.length > _GAP_M)
    return [np.column_stack([xy, height.at(xy)]) for xy in pieces]


def _is_island(ring: Any, junction_kerbs: Any) -> bool:
    """Whether a hole is there; small ones between the ways through a junction are paved as well."""
    area = shapely.Polygon(ring).area
    if area < _SMALLEST_AREA_M2:
        return False
    return area > _LARGEST_JUNCTION_HOLE_M2 or not shapely.covers(junction_kerbs, ring)


def _openings(around: Any, pavements: Sequence[_Pavement]) -> Any:
    """Where the outline runs across the end of a road or a section; short steps between two of them are kerbs."""
    caps = []
    for pavement in pavements:
        for end in (0, -1):
            left, right = pavement.left_m[end, :2], pavement.right_m[end, :2]
            width = float(np.linalg.norm(right - left))
            if width > _NARROWEST_OPENING_M:
                inset = (right - left) * (_CAP_INSET_M / width)
                caps.append(shapely.LineString([left + inset, right - inset]))
    across = shapely.intersection(around, shapely.union_all(shapely.buffer(caps, _CAP_WIDTH_M / 2, cap_style="flat")))
    parts = shapely.get_parts(shapely.line_merge(across))
    wide = parts[shapely.length(parts) > _NARROWEST_OPENING_M]
    return shapely.union_all(shapely.buffer(wide, _SAME_LINE_M, cap_style="flat"))


class _Heights:
    """z of the nearest place on any of some lines [N,3], nearest in the ground plane."""

    def __init__(self, lines_m: Sequence[FloatArray]) -> None:
        self._lines = shapely.linestrings(np.concatenate(lines_m), indices=_numbered(lines_m))
        self._tree = shapely.STRtree(self._lines)

    def at(self, xy_m: FloatArray) -> FloatArray:
        points = shapely.points(xy_m)
        lines = self._lines[self._tree.nearest(points)]
        on_line = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points))
        return np.asarray(shapely.get_z(on_line))


def _numbered(lines_m: Sequence[FloatArray]) -> Any:
    return np.repeat(np.arange(len(lines_m)), [len(line) for line in lines_m])


# -- kerbs and barriers -----------------------------------------------------------------------------


def _kerbs(survey: SectionSurvey) -> Iterator[FloatArray]:
    for strip in survey.strips:
        yield from (run.outer_m for mark, run in mark_runs(survey, strip) if mark.style in KERB_STYLES)


def _apart(kerbs: Sequence[FloatArray], outlines: Sequence[FloatArray]) -> list[FloatArray]:
    """The parts of kerbs that no outline follows already."""
    if not kerbs:
        return []
    known = shapely.union_all(shapely.buffer([shapely.LineString(line[:, :2]) for line in outlines], _SAME_KERB_M))
    left = [shapely.get_parts(shapely.difference(shapely.LineString(kerb), known)) for kerb in kerbs]
    pieces = (piece for parts in left for piece in parts if piece.length > 1.0)
    return [shapely.get_coordinates(piece, include_z=True) for piece in pieces]


def _barriers(network: RoadNetwork, step_m: float) -> Iterator[tuple[Polyline, str]]:
    """Objects without gaps that run along the road."""
    for road in network.roads:
        for thing in road.objects:
            category = BARRIERS.get(thing.kind.lower()) or BARRIERS.get(thing.name.lower())
            if category is not None and thing.end is not None:
                length_m = abs(thing.end[0] - thing.s_m)
                share = np.linspace(0.0, 1.0, max(int(np.ceil(length_m / step_m)), 1) + 1)
                s, t = (a + share * (b - a) for a, b in zip((thing.s_m, thing.t_m), thing.end, strict=True))
                yield Polyline(road_point(road, s, t)), category
