"""The map of a ScenarioNet dump (``map_features``): lanes, lane lines and kerbs, flat.

    LANE_*                          a lane: its centre line and, outside of junctions, its polygon
    ROAD_LINE_BROKEN_SINGLE_WHITE   nuScenes' divider between lanes, whatever its paint
    ROAD_LINE_SOLID_SINGLE_YELLOW   nuScenes' divider between directions, whatever its paint
    boundary_*                      the edge of the road, although typed as a solid white line

The edges of a lane are where lines across its centre line leave its polygon. A lane within a junction has no polygon
and is as wide as those it connects, changing evenly from one to the other. The file lists no connections: a lane
follows another one if it begins where that ends, to the centimetre, which in nuScenes all that do so do. Neighbours
lie right beyond an edge; within a junction they connect neighbours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, TypeVar, get_args

import numpy as np
import shapely

from ..arrays import FloatArray
from ..hdmap import HDMap, LaneLine, LaneSegment, RoadBoundary
from ..polyline import Polyline
from .dropped import Dropped
from .lane_paint import Mark, Paint, joined_paint
from .strict_json import Node

_Side: TypeAlias = Literal["left", "right"]
_SIDES: Final[tuple[_Side, ...]] = get_args(_Side)
_T = TypeVar("_T")

_BOUNDARY: Final = "boundary_"
_LANE: Final = "LANE_"
_PAINT: Final[dict[str, Mark]] = {
    "ROAD_LINE_BROKEN_SINGLE_WHITE": ("WHITE", "LONG_DASHED_SINGLE"),
    "ROAD_LINE_SOLID_SINGLE_WHITE": ("WHITE", "SOLID_SINGLE"),
    "ROAD_LINE_SOLID_SINGLE_YELLOW": ("YELLOW", "SOLID_SINGLE"),
}
_REACH_M: Final = 10.0  # The widest half of a lane; in nuScenes 95 % of whole lanes are below 7 m.
_WITHIN: Final = (
    0.1  # Ends of a centre line lie on the polygon's end; widths there are taken this part of a piece inside.
)
_BESIDE_M: Final = 0.75
_ON_THE_LINE_M: Final = 0.3


@dataclass(frozen=True, eq=False)
class _Lane:
    """A lane while its edges are being made.

    centre_m: [N,2], no point repeated. across: [N,2], unit vectors to the left. polygon: None in a junction.
    half_m: [N,2], distances to the left and to the right edge; None while they are not known.
    """

    id: str
    type: str
    centre_m: FloatArray
    across: FloatArray
    polygon: shapely.Polygon | None = None
    half_m: FloatArray | None = None

    def edge_m(self, side: _Side, beyond_m: float = 0.0) -> FloatArray:
        """An edge [N,2], or the line so far outside of it."""
        assert self.half_m is not None, "edges are asked for after widths are known"
        half_m = self.half_m[:, :1] if side == "left" else -self.half_m[:, 1:]
        return self.centre_m + (half_m + (beyond_m if side == "left" else -beyond_m)) * self.across


@dataclass(frozen=True, eq=False)
class _Links:
    """Ids of the lanes before and after each lane."""

    before: Mapping[str, tuple[str, ...]]
    after: Mapping[str, tuple[str, ...]]


def read_map(features: Node, origin_m: FloatArray, dropped: Dropped) -> HDMap:
    """The map in the world whose origin lies at ``origin_m`` [3] in the file; what is left out is counted."""
    lanes: list[_Lane] = []
    paint: list[Paint] = []
    boundaries: list[RoadBoundary] = []
    for feature_id, feature in features.fields().items():
        word = feature["type"].text()
        points_m = _read_points(feature["polyline"], origin_m)
        if len(points_m) < 2:
            dropped.add("map features", "fewer than 2 points")
        elif feature_id.startswith(_BOUNDARY):
            boundaries.append(RoadBoundary(feature_id, _flat(points_m), "road_edge"))
        elif word.startswith(_LANE):
            lanes.append(_read_lane(feature_id, word, feature, points_m, origin_m))
        elif word in _PAINT:
            paint.append(Paint(feature_id, _flat(points_m).points_m, _PAINT[word]))
        else:
            dropped.add("map features", f"the unknown type {word}")
    return HDMap(
        lane_segments=_build_lanes(lanes, paint, dropped),
        lane_lines=tuple(LaneLine(p.id, Polyline(p.points_m), *p.mark) for p in joined_paint(paint)),
        road_boundaries=tuple(boundaries),
    )


# -- reading --------------------------------------------------------------------------------------


def _read_points(node: Node, origin_m: FloatArray) -> FloatArray:
    """Points [N,2] of which none repeats the one before."""
    points_m = node.array(-1, 2) - origin_m[:2]
    moved = (np.abs(np.diff(points_m, axis=0)) > 1e-6).any(axis=1)
    kept: FloatArray = points_m[np.concatenate([[True], moved])[: len(points_m)]]
    return kept


def _flat(points_m: FloatArray) -> Polyline:
    return Polyline(np.column_stack([points_m, np.zeros(len(points_m))]))


def _read_lane(lane_id: str, word: str, feature: Node, centre_m: FloatArray, origin_m: FloatArray) -> _Lane:
    ahead = np.gradient(centre_m, axis=0)
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    lane = _Lane(lane_id, word, centre_m, np.column_stack([-ahead[:, 1], ahead[:, 0]]))
    if "polygon" not in feature:
        return lane
    ring_m = _read_points(feature["polygon"], origin_m)
    if len(ring_m) < 3:
        raise feature["polygon"].error(f"{len(ring_m)} different points", "At least 3 are needed.")
    half_m = np.column_stack([_distances_to(ring_m, lane, across) for across in (lane.across, -lane.across)])
    known = np.isfinite(half_m).all(axis=1)
    if not known.any():
        raise feature["polygon"].error("the lane's polyline lies outside", "The polygon must be around it.")
    index = np.arange(len(known))  # A place without edges takes those of the places around it.
    filled_m = np.column_stack([np.interp(index, index[known], values_m[known]) for values_m in half_m.T])
    return replace(lane, polygon=shapely.make_valid(shapely.Polygon(ring_m)), half_m=filled_m)


def _distances_to(ring_m: FloatArray, lane: _Lane, across: FloatArray) -> FloatArray:
    """How far a polygon's outline [M,2] is from each centre point along ``across`` [N,2]: [N].

    Infinite where it is not met within reach.
    """
    start_m = lane.centre_m.copy()
    start_m[0] += _WITHIN * (start_m[1] - start_m[0])
    start_m[-1] += _WITHIN * (start_m[-2] - start_m[-1])
    ray, edge = across[:, None], np.roll(ring_m, -1, axis=0) - ring_m
    away = ring_m - start_m[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # rays along an edge
        determinant = _cross(ray, edge)
        distance_m, fraction = _cross(away, edge) / determinant, _cross(away, ray) / determinant
        met = (distance_m >= 0) & (distance_m <= _REACH_M) & (fraction >= 0) & (fraction <= 1)
    return np.asarray(np.where(met, distance_m, np.inf).min(axis=1))


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


# -- lanes ----------------------------------------------------------------------------------------


def _build_lanes(lanes: list[_Lane], paint: list[Paint], dropped: Dropped) -> tuple[LaneSegment, ...]:
    """The lanes with edges, connections, neighbours and the paint on their edges."""
    links = _find_links(lanes)
    whole = {lane.id: lane.half_m for lane in lanes if lane.half_m is not None}
    edged = [lane if lane.id in whole else _between(lane, whole, links) for lane in lanes]
    dropped.add("lanes", "no polygon and none next to them", sum(lane.half_m is None for lane in edged))
    edged = [lane for lane in edged if lane.half_m is not None]
    neighbours: dict[_Side, dict[str, str]] = {side: _find_neighbours(edged, links, side) for side in _SIDES}
    marks: dict[_Side, dict[str, Mark]] = {side: _find_marks(edged, paint, side) for side in _SIDES}
    return tuple(
        LaneSegment(
            lane.id,
            _flat(lane.edge_m("left")),
            _flat(lane.edge_m("right")),
            marks["left"].get(lane.id),
            marks["right"].get(lane.id),
            predecessors=links.before[lane.id],
            successors=links.after[lane.id],
            left_neighbour=neighbours["left"].get(lane.id),
            right_neighbour=neighbours["right"].get(lane.id),
            lane_type=lane.type,
            is_intersection=lane.polygon is None,
        )
        for lane in edged
    )


def _find_links(lanes: list[_Lane]) -> _Links:
    """Which lanes begin where others end."""
    starting, ending = defaultdict(list), defaultdict(list)
    for lane in lanes:
        starting[_place(lane.centre_m[0])].append(lane.id)
        ending[_place(lane.centre_m[-1])].append(lane.id)
    return _Links(
        before={lane.id: tuple(ending[_place(lane.centre_m[0])]) for lane in lanes},
        after={lane.id: tuple(starting[_place(lane.centre_m[-1])]) for lane in lanes},
    )


def _place(point_m: FloatArray) -> tuple[int, ...]:
    """A point to the centimetre, to which the file is rounded."""
    return tuple(np.rint(point_m * 100).astype(int).tolist())


def _between(lane: _Lane, whole: Mapping[str, FloatArray], links: _Links) -> _Lane:
    """A lane in a junction, as wide as the lane before it at its start and the one after it at its end.

    Where only one of them is there, as wide as that throughout; without both, as it was.
    whole: ``half_m`` of the lanes with a polygon.
    """
    ends_m = [whole[i][-1] for i in links.before[lane.id] if i in whole][:1]
    ends_m += [whole[i][0] for i in links.after[lane.id] if i in whole][:1]
    if not ends_m:
        return lane
    stations_m = _flat(lane.centre_m).stations_m[:, None]
    share = stations_m / stations_m[-1]
    return replace(lane, half_m=ends_m[0] * (1 - share) + ends_m[-1] * share)


def _find_neighbours(lanes: list[_Lane], links: _Links, side: _Side) -> dict[str, str]:
    """The lane on one side of each lane, whatever its direction; lanes without one are left out."""
    found: dict[str, str] = {}
    whole = [lane for lane in lanes if lane.polygon is not None]
    tree = shapely.STRtree([lane.polygon for lane in whole])
    for lane in whole:
        places = shapely.points(lane.edge_m(side, _BESIDE_M))
        hits = Counter(whole[i].id for i in tree.query(places, predicate="intersects")[1])
        del hits[lane.id]
        if (best := _majority(hits, len(places))) is not None:
            found[lane.id] = best
    ends = {lane.id: (*links.before[lane.id], *links.after[lane.id]) for lane in lanes if lane.polygon is None}
    connecting = {frozenset(pair): lane_id for lane_id, pair in ends.items() if len(pair) == 2}
    for lane_id, pair in ends.items():
        beside = frozenset(found[i] for i in pair if i in found)
        if len(pair) == len(beside) == 2 and beside != frozenset(pair) and beside in connecting:
            found[lane_id] = connecting[beside]
    return found


def _find_marks(lanes: list[_Lane], paint: list[Paint], side: _Side) -> dict[str, Mark]:
    """The paint that lies on one edge of each lane; lanes without any are left out."""
    found: dict[str, Mark] = {}
    tree = shapely.STRtree([shapely.LineString(p.points_m[:, :2]) for p in paint])
    for lane in lanes:
        places = shapely.points(lane.edge_m(side))
        nearest = tree.query_nearest(places, max_distance=_ON_THE_LINE_M, all_matches=False)[1]
        if (best := _majority(Counter(paint[i].mark for i in nearest), len(places))) is not None:
            found[lane.id] = best
    return found


def _majority(hits: Counter[_T], count: int) -> _T | None:
    """What was hit by more than half of ``count`` places."""
    return next((thing for thing, times in hits.most_common(1) if times > count / 2), None)
