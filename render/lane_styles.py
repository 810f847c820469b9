"""From a lane line's type to the pieces of paint that are drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray

from .palette import (
    LANE_LINE_STEP_M,
    LANE_LINE_STRANDS,
    OTHER_LANE_LINE_RGB,
    WHITE,
    YELLOW,
    Pattern,
    Rgb,
    Strand,
)

_LONG_DASH_M, _LONG_GAP_M = 3.0, 9.0
_SHORT_DASH_M, _SHORT_GAP_M = 1.5, 1.5
_DOT_EVERY = 10
_DOT_DASH_PIECES, _DOT_DASH_SKIPPED, _DOT_DASH_EVERY = 18, 54, 3


def lane_line_paint(colour: str, style: str) -> tuple[Rgb, tuple[Strand, ...]]:
    """Colour and strands of a lane-line type; an unlisted type is one solid strand in the colour of others."""
    strands = LANE_LINE_STRANDS.get((colour, style))
    if strands is None:
        return OTHER_LANE_LINE_RGB, ((0.0, "solid"),)
    return (WHITE if colour == "WHITE" else YELLOW), strands


def cut(points_m: FloatArray, step_m: float) -> FloatArray:
    """Cut every edge of a line [N,3] into n - 1 equal parts, n = max(int(length / step), 2).

    So parts are a little longer than the step, and an edge shorter than three steps stays whole.
    """
    edges = np.diff(points_m, axis=0)
    parts = np.maximum((np.linalg.norm(edges, axis=1) / step_m).astype(np.int64), 2) - 1
    first = np.repeat(np.arange(len(edges)), parts)
    within = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    inner = points_m[first] + edges[first] * (within / parts[first])[:, None]
    return np.concatenate([inner, points_m[-1:]])


def strand_pieces(points_m: FloatArray, pattern: Pattern, offset_m: float) -> FloatArray:
    """Painted pieces [n,2,3] of one strand along a line [N,3], pattern starting at its first point.

    offset_m: to the left. Every piece moves along (-dy, dx, 0) of its own 3-D unit direction.
    """
    points = cut(points_m, LANE_LINE_STEP_M)
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    if offset_m:
        pieces = _moved_left(pieces, offset_m)
    return _PATTERNS[pattern](pieces)


def strips(pieces: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Pieces [n,2,3] as strips: points [M,3] and whether each one starts a new strip [M].

    A piece that begins where the one before it ended shares that point.
    """
    apart = np.ones(len(pieces), dtype=bool)
    apart[1:] = (np.abs(pieces[1:, 0] - pieces[:-1, 1]) > 1e-9).any(axis=1)
    ends = np.arange(len(pieces)) + np.cumsum(apart)
    points = np.empty((len(pieces) + int(apart.sum()), 3))
    points[ends] = pieces[:, 1]
    points[ends[apart] - 1] = pieces[apart, 0]
    starts = np.zeros(len(points), dtype=bool)
    starts[ends[apart] - 1] = True
    return points, starts


def _moved_left(pieces: FloatArray, offset_m: float) -> FloatArray:
    direction = pieces[:, 1] - pieces[:, 0]
    direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    left = np.stack([-direction[:, 1], direction[:, 0], np.zeros(len(direction))], axis=1)
    return np.asarray(pieces + (offset_m * left)[:, None, :])


def _solid(pieces: FloatArray) -> FloatArray:
    return pieces


def _stations(pieces: FloatArray) -> tuple[FloatArray, FloatArray]:
    lengths = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1)
    ends = np.cumsum(lengths)
    return ends - lengths, ends


def _long_dash(pieces: FloatArray) -> FloatArray:
    """Three metres on, nine off; a piece that crosses the end of a dash is cut there."""
    start, end = _stations(pieces)
    period = _LONG_DASH_M + _LONG_GAP_M
    parts: list[FloatArray] = []
    order: list[FloatArray] = []
    first = np.floor(start / period).astype(np.int64)
    spans = np.floor(end / period).astype(np.int64) - first
    for more in range(int(spans.max(initial=0)) + 1):
        dash = (first + more) * period
        on, off = np.maximum(start, dash), np.minimum(end, dash + _LONG_DASH_M)
        kept = (off - on > 1e-12) & (more <= spans)
        length = np.maximum(end - start, 1e-12)
        vector = pieces[:, 1] - pieces[:, 0]
        head = pieces[:, 0] + vector * ((on - start) / length)[:, None]
        tail = np.where((off == end)[:, None], pieces[:, 1], pieces[:, 0] + vector * ((off - start) / length)[:, None])
        parts.append(np.stack([head, tail], axis=1)[kept])
        order.append(on[kept])
    return np.concatenate(parts)[np.argsort(np.concatenate(order), kind="stable")]


def _short_dash(pieces: FloatArray) -> FloatArray:
    """One and a half metres on and off; only pieces wholly inside of a dash."""
    start, end = _stations(pieces)
    period = _SHORT_DASH_M + _SHORT_GAP_M
    dash = np.floor(start / period) * period
    kept: FloatArray = pieces[end <= dash + _SHORT_DASH_M]
    return kept


def _dots(pieces: FloatArray) -> FloatArray:
    return pieces[::_DOT_EVERY]


def _dot_dash(pieces: FloatArray) -> FloatArray:
    """Eighteen pieces of which every third is kept, then 54 pieces skipped."""
    index = np.arange(len(pieces))
    if len(pieces) > _DOT_DASH_PIECES:
        index = index % (_DOT_DASH_PIECES + _DOT_DASH_SKIPPED)
    kept: FloatArray = pieces[(index < _DOT_DASH_PIECES) & (index % _DOT_DASH_EVERY == 0)]
    return kept


_PATTERNS = {
    "solid": _solid,
    "long_dash": _long_dash,
    "short_dash": _short_dash,
    "dots": _dots,
    "dot_dash": _dot_dash,
}
