"""What is painted on the road, from the map: as pieces of line and filled outlines in the ground plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from scenegraph import Crosswalk, HDMap, LaneLine, RoadMarking
from scenegraph.arrays import FloatArray

Rgb = tuple[float, float, float]

WHITE: Final[Rgb] = (0.72, 0.72, 0.70)
YELLOW: Final[Rgb] = (0.62, 0.38, 0.07)
_COLOURS: Final[dict[str, Rgb]] = {
    "WHITE": WHITE,
    "YELLOW": YELLOW,
    "BLUE": (0.05, 0.16, 0.50),
    "RED": (0.50, 0.06, 0.05),
    "GREEN": (0.06, 0.35, 0.14),
    "ORANGE": (0.70, 0.25, 0.03),
}
LINE_M: Final = 0.14
_DOUBLE_APART_M: Final = 0.14
_STOP_M: Final = 0.45
_OUTLINE_M: Final = 0.10
_BAR_M: Final = 0.50
_DASHES: Final[dict[str, tuple[float, float]]] = {
    "solid": (np.inf, 0.0),
    "long": (3.0, 9.0),
    "short": (1.5, 1.5),
    "dots": (0.12, 0.88),
    "dot_dash": (0.3, 0.6),
}
_STRANDS: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "SOLID_SINGLE": ((0.0, "solid"),),
    "LONG_DASHED_SINGLE": ((0.0, "long"),),
    "SHORT_DASHED_SINGLE": ((0.0, "short"),),
    "DOT_DASHED_SINGLE": ((0.0, "dot_dash"),),
    "DOT_SOLID_SINGLE": ((0.0, "dots"),),
    "SOLID_GROUP": ((1.0, "solid"), (-1.0, "solid")),
    "LONG_DASHED_GROUP": ((1.0, "long"), (-1.0, "long")),
    "SHORT_DASHED_GROUP": ((1.0, "short"), (-1.0, "short")),
    "DOT_SOLID_GROUP": ((1.0, "dots"), (-1.0, "dots")),
    "DASHED_SOLID": ((1.0, "solid"), (-1.0, "long")),
    "SOLID_DASHED": ((1.0, "long"), (-1.0, "solid")),
}
"""By style: how far to the left in half gaps of a double line, and what is painted there."""
_OUTLINED: Final = ("parking bay", "parking", "bay")


@dataclass(frozen=True, eq=False)
class Stroke:
    """Pieces [n,2,2] of one painted line in world x, y; width_m across; linear RGB."""

    pieces_m: FloatArray
    width_m: float
    colour: Rgb


@dataclass(frozen=True, eq=False)
class Patch:
    """A painted outline [N,2] in world x, y, filled with a linear RGB."""

    ring_m: FloatArray
    colour: Rgb


def strokes(hdmap: HDMap) -> Iterator[Stroke]:
    """All painted lines: between lanes, where to stop, bars of crossings, outlines of bays."""
    for line in hdmap.lane_lines:
        yield from _lane_line(line)
    for stop in hdmap.stop_lines:
        if not stop.is_implicit:
            yield Stroke(_pieces(stop.polyline.points_m[:, :2]), _STOP_M, WHITE)
    for crossing in hdmap.crosswalks:
        yield from _bars(crossing)
    for marking in hdmap.road_markings:
        if marking.category in _OUTLINED and len(marking.polyline) > 2:
            ring = marking.polyline.points_m[:, :2]
            yield Stroke(_pieces(np.concatenate([ring, ring[:1]])), _OUTLINE_M, WHITE)


def patches(hdmap: HDMap) -> Iterator[Patch]:
    """All filled outlines: arrows and other symbols."""
    for marking in hdmap.road_markings:
        if marking.category not in _OUTLINED and len(marking.polyline) > 2:
            yield from _symbol(marking)


def _symbol(marking: RoadMarking) -> Iterator[Patch]:
    yield Patch(marking.polyline.points_m[:, :2], WHITE)


def _lane_line(line: LaneLine) -> Iterator[Stroke]:
    points = line.polyline.points_m[:, :2]
    colour = _COLOURS.get(line.colour, WHITE)
    for side, pattern in _STRANDS.get(line.style, _STRANDS["SOLID_SINGLE"]):
        moved = points if side == 0 else _beside(points, side * _DOUBLE_APART_M)
        yield Stroke(_dashed(moved, *_DASHES[pattern]), LINE_M, colour)


def _beside(points: FloatArray, left_m: float) -> FloatArray:
    """A line [N,2] moved to its left, its corners mitred."""
    edges = np.diff(points, axis=0)
    edges = edges[np.hypot(edges[:, 0], edges[:, 1]) > 1e-6]
    if not len(edges):
        return points
    keep = np.concatenate([[True], np.hypot(*np.diff(points, axis=0).T) > 1e-6])
    kept = points[keep]
    normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.hypot(edges[:, 0], edges[:, 1])[:, None]
    before, after = np.concatenate([normals[:1], normals]), np.concatenate([normals, normals[-1:]])
    middle = before + after
    mitre = middle / np.maximum((middle * before).sum(axis=1), 0.5)[:, None]
    return np.asarray(kept + left_m * mitre)


def _dashed(points: FloatArray, on_m: float, off_m: float) -> FloatArray:
    """The painted pieces [n,2,2] of a line [N,2]: ``on_m`` of paint, then ``off_m`` of none, from its first point."""
    pieces = _pieces(points)
    if not off_m or not len(pieces):
        return pieces
    ends = np.cumsum(np.hypot(*(pieces[:, 1] - pieces[:, 0]).T))
    starts = np.concatenate([[0.0], ends[:-1]])
    dash = np.arange(0.0, ends[-1], on_m + off_m)
    cuts = np.unique(np.concatenate([starts, ends, dash, np.minimum(dash + on_m, ends[-1])]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    painted = np.mod(middles, on_m + off_m) < on_m
    stations = np.concatenate([[0.0], ends])
    corners = np.concatenate([pieces[:, 0], pieces[-1:, 1]])
    places = np.stack([np.interp(cuts, stations, corners[:, axis]) for axis in range(2)], axis=1)
    return np.asarray(np.stack([places[:-1], places[1:]], axis=1)[painted])


def _pieces(points: FloatArray) -> FloatArray:
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    return np.asarray(pieces[np.hypot(*(pieces[:, 1] - pieces[:, 0]).T) > 1e-6])


def _bars(crossing: Crosswalk) -> Iterator[Stroke]:
    """Bars along the traffic, from one side of a crossing to the other."""
    outline = shapely.Polygon(crossing.polyline.points_m[:, :2])
    if not outline.is_valid:
        outline = outline.buffer(0)
    if outline.area < 1.0:
        return
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))[:4]
    sides = corners[1:3] - corners[:2]
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    walk = int(np.argmax(lengths))
    along, across = sides[walk] / lengths[walk], sides[1 - walk] * (1.0 if walk == 0 else -1.0)
    count = max(int(lengths[walk] / (2 * _BAR_M)), 1)
    origin = corners[walk]
    step = lengths[walk] / count
    pieces = []
    for number in range(count):
        foot = origin + along * (number + 0.5) * step
        cut = shapely.intersection(shapely.LineString([foot, foot + across]), outline)
        for part in shapely.get_parts(cut):
            ends = shapely.get_coordinates(part)
            if len(ends) > 1:
                pieces.append(ends[[0, -1]])
    if pieces:
        yield Stroke(np.array(pieces), min(_BAR_M, step / 2), WHITE)
