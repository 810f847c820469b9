"""Lanes cut into tiles: which of them hold a place, which way they drive there, and how far the road's edge is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from scenegraph import HDMap, LaneSegment
from scenegraph.arrays import BoolArray, FloatArray, IntArray

TILE_M = 3.0
"""About as long as this along the lane."""
_WRONG_LEVEL_M = 4.0


@dataclass(frozen=True, eq=False)
class LaneTiles:
    """N tiles of a few metres, across a whole lane each.

    lane: int64 [N], index in the map's lanes. middle_m: float64 [N,3]. heading_rad: float64 [N].
    left_m, right_m: float64 [N,3], middles of the two edges.
    """

    lane: IntArray
    middle_m: FloatArray
    heading_rad: FloatArray
    left_m: FloatArray
    right_m: FloatArray
    outlines: FloatArray

    @cached_property
    def _tree(self) -> shapely.STRtree:
        # The hull of four corners is valid whatever their order.
        return shapely.STRtree(shapely.convex_hull(shapely.linestrings(self.outlines)))

    def under(self, points_m: FloatArray) -> tuple[IntArray, IntArray]:
        """Pairs [K] of a point [N,3] and a tile that holds it, on its level where roads cross above each other."""
        point, tile = self._tree.query(shapely.points(points_m[:, :2]), predicate="intersects")
        level = np.abs(self.middle_m[tile, 2] - points_m[point, 2]) < _WRONG_LEVEL_M
        return point[level], tile[level]

    def away_m(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distance [N] to the nearest tile, 0 inside of one, and the nearest place [N,2] on it."""
        places = shapely.points(points_m[:, :2])
        point, tile = self._tree.query_nearest(places, all_matches=False)
        distance_m, nearest = np.full(len(points_m), np.inf), points_m[:, :2].copy()
        way = shapely.shortest_line(places[point], self._tree.geometries[tile])
        distance_m[point] = shapely.length(way)
        nearest[point] = shapely.get_coordinates(way).reshape(-1, 2, 2)[:, 1]
        return distance_m, nearest


def lane_tiles(hdmap: HDMap) -> LaneTiles | None:
    """Tiles of all lanes for vehicles, None where the map has none."""
    rows = [_tiles(index, lane) for index, lane in enumerate(hdmap.lane_segments)]
    if not rows:
        return None
    lane, left, right = (np.concatenate([row[i] for row in rows]) for i in range(3))
    corners = np.stack([left[:, 0], left[:, 1], right[:, 1], right[:, 0]], axis=1)[..., :2]
    ahead = (left[:, 1] + right[:, 1] - left[:, 0] - right[:, 0])[:, :2]
    middle = (left.sum(axis=1) + right.sum(axis=1)) / 4
    heading = np.arctan2(ahead[:, 1].copy(), ahead[:, 0].copy())
    return LaneTiles(lane.astype(np.int64), middle, heading, left.mean(axis=1), right.mean(axis=1), corners)


def _tiles(index: int, lane: LaneSegment) -> tuple[IntArray, FloatArray, FloatArray]:
    """Index [M], and ends of the left and of the right edge [M,2,3] of the tiles of one lane."""
    count = max(1, round(max(lane.left.length_m, lane.right.length_m) / TILE_M))
    share = np.linspace(0.0, 1.0, count + 1)
    edges = [edge.at(share * edge.length_m) for edge in (lane.left, lane.right)]
    left, right = (np.stack([edge[:-1], edge[1:]], axis=1) for edge in edges)
    return np.full(count, index, dtype=np.int64), left, right


def crosses_edge(hdmap: HDMap, points_m: FloatArray, nearest_m: FloatArray) -> BoolArray:
    """Whether the straight way from points [N,3] to places on the road [N,2] meets a road boundary."""
    crosses = np.zeros(len(points_m), dtype=bool)
    lines = [shapely.LineString(edge.polyline.points_m[:, :2]) for edge in hdmap.road_boundaries]
    if lines and len(points_m):
        ways = shapely.linestrings(np.stack([points_m[:, :2], nearest_m], axis=1))
        crosses[shapely.STRtree(lines).query(ways, predicate="intersects")[0]] = True
    return crosses
