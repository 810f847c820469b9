"""Painted lines made from the edges of lanes, for formats that list paint lane by lane.

Two lanes that share an edge both list it, and every lane segment lists its own stretch; drawn as they are,
lines would lie on each other and dashes would begin anew at every joint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..arrays import FloatArray
from ..hdmap import LaneSegment

Mark: TypeAlias = tuple[str, str]  # colour and style, ClipGT's words
_End: TypeAlias = tuple[int, int]  # index of a line, and 0 for its start or 1 for its end

UNKNOWN_MARK: Mark = ("UNKNOWN", "UNKNOWN")
_MIRRORED = {"SOLID_DASHED": "DASHED_SOLID", "DASHED_SOLID": "SOLID_DASHED"}
_MAX_JOINT_TURN_RAD = np.pi / 4


@dataclass(frozen=True, eq=False)
class Paint:
    """One painted line: id of the edge it was listed on first, points [N,3], colour and style along the points."""

    id: str
    points_m: FloatArray
    mark: Mark

    def reversed(self) -> Paint:
        """The same paint walked from its other end."""
        return Paint(self.id, self.points_m[::-1], mirrored(self.mark))


def distinct_paint(lanes: Iterable[LaneSegment]) -> list[Paint]:
    """Every painted lane edge once, although two lanes may list it, possibly in opposite directions.

    If they disagree about it, a known mark wins over an unknown one and that over none, then the first.
    """
    found: dict[Any, Paint] = {}
    for lane in lanes:
        for side, edge, mark in (("left", lane.left, lane.left_mark), ("right", lane.right, lane.right_mark)):
            points_m = _without_repeats(edge.points_m)
            if mark is None or len(points_m) < 2:
                continue
            forwards = tuple(_place(point) for point in points_m)
            key = min(forwards, forwards[::-1])
            if key not in found or (found[key].mark == UNKNOWN_MARK and mark != UNKNOWN_MARK):
                found[key] = Paint(f"{lane.id}:{side}", points_m, mark)
    return list(found.values())


def joined_paint(paints: list[Paint]) -> list[Paint]:
    """Lines that go on with the same mark become one, so that dashes do not begin anew at every lane segment.

    Where more than two meet, the straightest pair is joined. The first line of the file sets the direction.
    """
    links = _links(paints)
    joined: list[Paint] = []
    used: set[int] = set()
    for first, paint in enumerate(paints):
        if first in used:
            continue
        ahead = list(_walk(links, first, end=1))
        closed = bool(ahead) and ahead[-1][0] == first
        behind = [] if closed else list(_walk(links, first, end=0))
        # Ahead, a line entered at its end is walked the other way; behind, one entered at its start.
        chain = [(i, entered == 0) for i, entered in reversed(behind)] + [(first, False)]
        chain += [(i, entered == 1) for i, entered in (ahead[:-1] if closed else ahead)]
        used.update(i for i, _ in chain)
        pieces = [(paints[i].reversed() if turned else paints[i]).points_m for i, turned in chain]
        points_m = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
        joined.append(Paint(paint.id, points_m, paint.mark))
    return joined


def _links(paints: list[Paint]) -> dict[_End, _End]:
    """Which end of a line goes on at which end of another one."""
    meeting: dict[Any, list[_End]] = {}
    for i, paint in enumerate(paints):
        for end in (0, 1):
            meeting.setdefault(_place(paint.points_m[-end]), []).append((i, end))
    links: dict[_End, _End] = {}
    for ends in meeting.values():
        pairs = [(_turn_rad(paints, a, b), a, b) for k, a in enumerate(ends) for b in ends[k + 1 :]]
        for turn_rad, a, b in sorted(pairs):
            if turn_rad <= _MAX_JOINT_TURN_RAD and a not in links and b not in links:
                links[a], links[b] = b, a
    return links


def _turn_rad(paints: list[Paint], a: _End, b: _End) -> float:
    """How sharply the paint turns from one end to the other, infinity when it does not go on there."""
    one, other = paints[a[0]], paints[b[0]]
    going_on = other if a[1] != b[1] else other.reversed()
    if a[0] == b[0] or one.mark != going_on.mark:
        return np.inf
    inwards = [
        (p.points_m[1] - p.points_m[0]) if e == 0 else (p.points_m[-2] - p.points_m[-1])
        for p, e in ((one, a[1]), (other, b[1]))
    ]
    cosine = -(inwards[0] @ inwards[1]) / (np.linalg.norm(inwards[0]) * np.linalg.norm(inwards[1]))
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _walk(links: Mapping[_End, _End], first: int, end: int) -> Iterator[_End]:
    """(line, the end it is entered at) from one end of a line onwards; a closed chain ends with the line itself."""
    at = (first, end)
    while at in links:
        line, entered = links[at]
        yield line, entered
        if line == first:
            return
        at = (line, 1 - entered)


def mirrored(mark: Mark) -> Mark:
    """The same paint seen from the other direction."""
    return mark[0], _MIRRORED.get(mark[1], mark[1])


def _place(point_m: FloatArray) -> tuple[int, ...]:
    """A point to the centimetre: nearer points are the same."""
    return tuple(np.rint(point_m * 100).astype(int).tolist())


def _without_repeats(points_m: FloatArray) -> FloatArray:
    moved = np.linalg.norm(np.diff(points_m, axis=0), axis=1) > 1e-6
    kept: FloatArray = points_m[np.concatenate([[True], moved])]
    return kept
