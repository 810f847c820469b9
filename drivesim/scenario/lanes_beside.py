"""Lanes beside a lane: which of them drive the same way, and whether one may change to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenegraph import LaneGraph, LaneSegment

NO_CARS = frozenset({"BIKE", "BUS"})
"""Types of lane that are not for everybody."""

_SHORTEST_M = 20.0


def lanes_beside(graph: LaneGraph, lane: LaneSegment, over_solid: bool) -> Iterator[LaneSegment]:
    """Lanes to the left and right of one that can be changed to: same direction, for cars, no solid line between."""
    sides = ((graph.left_neighbour(lane.id), lane.left_mark, 1), (graph.right_neighbour(lane.id), lane.right_mark, 0))
    for beside, mark, own_part in sides:
        if beside is None or beside.lane_type.upper() in NO_CARS or beside.is_intersection:
            continue
        is_solid = mark is not None and _parts(mark[1])[own_part] == "SOLID"
        if (over_solid or not is_solid) and same_way(lane, beside):
            yield beside


def _parts(style: str) -> tuple[str, str]:
    """SOLID or DASHED on the left and on the right of a line, along it."""
    if style in ("SOLID_DASHED", "DASHED_SOLID"):
        left, right = style.split("_")
        return left, right
    kind = "SOLID" if style.startswith("SOLID") else "DASHED"
    return kind, kind


def is_dead_end(graph: LaneGraph, lane: LaneSegment) -> bool:
    """Whether a lane ends while one beside it in the same direction goes on."""
    if graph.successors(lane.id):
        return False
    neighbours = (graph.left_neighbour(lane.id), graph.right_neighbour(lane.id))
    return any(
        beside is not None
        and same_way(lane, beside)
        and (bool(graph.successors(beside.id)) or _further_m(lane, beside) > _SHORTEST_M)
        for beside in neighbours
    )


def same_way(lane: LaneSegment, beside: LaneSegment) -> bool:
    """Whether two lanes beside each other drive the same way."""
    middle = lane.centre.length_m / 2
    there = beside.centre.locate(lane.centre.at(middle))[0]
    own, other = (x.centre.at(np.array([s - 0.5, s + 0.5]))[:, :2] for x, s in ((lane, middle), (beside, there)))
    return bool((own[1] - own[0]) @ (other[1] - other[0]) > 0)


def _further_m(lane: LaneSegment, beside: LaneSegment) -> float:
    """How far a lane beside goes on after the end of this one."""
    return beside.centre.length_m - beside.centre.locate(lane.centre.points_m[-1])[0]
