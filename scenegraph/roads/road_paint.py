"""Lane lines from road marks, in the words of ClipGT.

OpenDRIVE names two-sided marks from the inside out, on the centre lane from left to right; ClipGT's are seen along
the points. Where control videos have no such type, the nearest one that they have is taken: a double dashed line
becomes a single dashed one, a white solid-and-dashed pair a white double line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import shapely

from ..formats.lane_paint import Mark, Paint, joined_paint, mirrored
from ..hdmap import LaneLine
from ..polyline import Polyline
from .cross_section import LaneStrip, SectionSurvey
from .network import RoadLane, RoadMark

_STYLES = {
    "solid": "SOLID_SINGLE",
    "broken": "LONG_DASHED_SINGLE",
    "solid solid": "SOLID_GROUP",
    "solid broken": "DASHED_SOLID",
    "broken solid": "SOLID_DASHED",
    "broken broken": "LONG_DASHED_SINGLE",
}
_DOTS = {"WHITE": "DOT_DASHED_SINGLE", "YELLOW": "DOT_SOLID_SINGLE"}
_TWO_SIDED = ("DASHED_SOLID", "SOLID_DASHED")
_LONGEST_SHORT_DASH_M, _LONGEST_SHORT_GAP_M = 2.0, 3.0
_SAME_POINT_M, _SAME_LINE_M, _OTHER_LEVEL_M = 1e-5, 0.1, 2.5
KERB_STYLES = ("curb",)
"""Marks that are no paint but a kerb."""

__all__ = ["KERB_STYLES", "edge_mark", "lane_lines", "mark_runs", "mirrored"]


def paint_of(mark: RoadMark, lane_id: int) -> Mark | None:
    """Colour and style of a road mark as seen along s; None for what is no paint (none, curb, grass, edge)."""
    colour = "WHITE" if mark.colour == "standard" else mark.colour.upper()
    if mark.style == "botts dots":
        return colour, _DOTS.get(colour, "DOT_SOLID_SINGLE")
    style = _STYLES.get(mark.style)
    if style is None:
        return None
    if mark.style == "broken" and colour == "WHITE" and _is_short(mark):
        style = "SHORT_DASHED_SINGLE"
    if style in _TWO_SIDED and colour != "YELLOW":
        style = "SOLID_GROUP"
    # The mark lists its inner line first: on the right of the road the left one, on the left the right one.
    return mirrored((colour, style)) if lane_id > 0 else (colour, style)


def edge_mark(lane: RoadLane, span_m: tuple[float, float]) -> Mark | None:
    """The paint on most of a lane's outer edge between two distances from the section's start, seen along s."""
    marks = sorted(lane.marks, key=lambda mark: mark.s_m)
    ends = [*(mark.s_m for mark in marks[1:]), np.inf][: len(marks)]
    shares: dict[Mark | None, float] = {}
    for mark, end in zip(marks, ends, strict=True):
        length_m = min(end, span_m[1]) - max(mark.s_m, span_m[0])
        if length_m > 0:
            paint = paint_of(mark, lane.id)
            shares[paint] = shares.get(paint, 0.0) + length_m
    return max(shares, key=lambda paint: shares[paint]) if shares else None


def mark_runs(survey: SectionSurvey, strip: LaneStrip) -> Iterator[tuple[RoadMark, LaneStrip]]:
    """Every mark of a lane with the stretch of the lane that it lies on."""
    start_m = survey.road.sections[survey.index].s_m
    marks = sorted(strip.lane.marks, key=lambda mark: mark.s_m)
    bounds = np.searchsorted(strip.stations_m, [*(start_m + mark.s_m - 1e-9 for mark in marks), np.inf])
    bounds[-1] = len(strip.stations_m) - 1
    for mark, (first, last) in zip(marks, pairwise(bounds.tolist()), strict=True):
        if last > first:
            yield mark, strip.cut(first, last)


def lane_lines(surveys: Sequence[SectionSurvey]) -> list[LaneLine]:
    """All painted lines; where one goes on in the next section or road with the same mark, they are one line."""
    paints = [paint for survey in surveys for paint in _paints(survey)]
    return [LaneLine(paint.id, Polyline(paint.points_m), *paint.mark) for paint in joined_paint(_distinct(paints))]


def _paints(survey: SectionSurvey) -> Iterator[Paint]:
    # Where a lane has no width, its mark lies on its neighbour's and counts: the outermost comes first.
    for strip in sorted(survey.strips, key=lambda strip: -abs(strip.lane.id)):
        name = f"{survey.road.id}:{survey.index}:{strip.lane.id}"
        for number, (mark, run) in enumerate(mark_runs(survey, strip)):
            paint = paint_of(mark, strip.lane.id)
            moved = np.linalg.norm(np.diff(run.outer_m, axis=0), axis=1) > _SAME_POINT_M
            if paint is not None and moved.any():
                points = run.outer_m[np.concatenate([[True], moved])]
                yield Paint(name if number == 0 else f"{name}.{number}", points, paint)


def _distinct(paints: Sequence[Paint]) -> list[Paint]:
    """Without lines that lie on an earlier one of the same colour: ways through a junction list theirs twice."""
    lines = np.array([shapely.LineString(paint.points_m[:, :2]) for paint in paints], dtype=object)
    tree, kept = shapely.STRtree(lines), np.ones(len(paints), dtype=bool)
    for later, earlier in zip(*tree.query(lines, predicate="dwithin", distance=_SAME_LINE_M), strict=True):
        one, other = paints[earlier], paints[later]
        if earlier < later and kept[earlier] and one.mark[0] == other.mark[0] and _level(one, other):
            kept[later] &= not shapely.covers(shapely.buffer(lines[earlier], _SAME_LINE_M), lines[later])
    return [paint for paint, is_kept in zip(paints, kept, strict=True) if is_kept]


def _level(one: Paint, other: Paint) -> bool:
    """Whether two lines are about as high on average."""
    return abs(float(one.points_m[:, 2].mean() - other.points_m[:, 2].mean())) < _OTHER_LEVEL_M


def _is_short(mark: RoadMark) -> bool:
    return (
        mark.dash_m is not None
        and mark.gap_m is not None
        and mark.dash_m <= _LONGEST_SHORT_DASH_M
        and mark.gap_m <= _LONGEST_SHORT_GAP_M
    )
