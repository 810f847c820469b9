"""How high the ground is: the surface between the edges of lanes, and beyond them level with the nearest one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely

from scenegraph import LaneSegment, Trajectory
from scenegraph.arrays import FloatArray, IntArray

_STEP_M = 2.0
_SAME_SURFACE_M = 0.5
_REACH_M = 30.0


class Ground:
    """Heights of the road surface, from lanes; far from any lane, from where the ego drove.

    Where roads cross above each other the surface nearest to an expected height counts.
    """

    def __init__(self, lanes: Iterable[LaneSegment], ego: Trajectory | None = None) -> None:
        corners = [_triangles(lane) for lane in lanes]
        self._corners = np.concatenate(corners) if corners else np.zeros((0, 3, 3))
        rings = np.concatenate([self._corners, self._corners[:, :1]], axis=1)[..., :2]
        self._tree = shapely.STRtree(shapely.polygons(rings) if len(rings) else [])
        self._ego_m = None if ego is None else ego.world_from_body.translation_m

    def heights_m(self, points_m: FloatArray) -> FloatArray:
        """Height [N] under points [N,3]; their z is the expected height."""
        points = np.asarray(points_m, dtype=np.float64)
        places = shapely.points(points[:, :2])
        heights = self._under(points, *self._tree.query(places, predicate="intersects"))
        beside = np.flatnonzero(np.isnan(heights))
        if len(beside) and len(self._corners):
            found = self._tree.query_nearest(places[beside], max_distance=_REACH_M)
            heights[beside] = self._under(points[beside], *found)
        far = np.flatnonzero(np.isnan(heights))
        heights[far] = self._far(points[far])
        return heights

    def _under(self, points: FloatArray, index: IntArray, triangle: IntArray) -> FloatArray:
        """Mean height [N] of the triangles found for each point that are one surface, NaN where there is none."""
        heights = np.full(len(points), np.nan)
        if not len(index):
            return heights
        surface = _heights_on(self._corners[triangle], points[index, :2])
        off = np.abs(surface - points[index, 2])
        nearest = np.full(len(points), np.inf)
        np.minimum.at(nearest, index, off)
        same = off <= nearest[index] + _SAME_SURFACE_M
        total, count = np.zeros(len(points)), np.zeros(len(points))
        np.add.at(total, index[same], surface[same])
        np.add.at(count, index[same], 1.0)
        found = count > 0
        heights[found] = total[found] / count[found]
        return heights

    def _far(self, points: FloatArray) -> FloatArray:
        if self._ego_m is None or not len(points):
            return np.array(points[:, 2])
        away = np.linalg.norm(points[:, None, :2] - self._ego_m[None, :, :2], axis=-1)
        heights: FloatArray = self._ego_m[np.argmin(away, axis=1), 2]
        return heights


def _triangles(lane: LaneSegment) -> FloatArray:
    """The surface of a lane [M,3,3], two triangles about every two metres."""
    count = max(1, int(np.ceil(max(lane.left.length_m, lane.right.length_m) / _STEP_M)))
    share = np.linspace(0.0, 1.0, count + 1)
    left, right = (edge.at(share * edge.length_m) for edge in (lane.left, lane.right))
    first = np.stack([left[:-1], right[:-1], right[1:]], axis=1)
    second = np.stack([left[:-1], right[1:], left[1:]], axis=1)
    both = np.concatenate([first, second])
    edges = both[:, 1:, :2] - both[:, :1, :2]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    triangles: FloatArray = both[np.abs(area) > 1e-6]
    return triangles


def _heights_on(corners: FloatArray, places: FloatArray) -> FloatArray:
    """Heights [P] of triangles [P,3,3] at places [P,2]; outside of one, of the nearest point of its outline."""
    weights = _weights(corners, places)
    outside = (weights < -1e-9).any(axis=1)
    if outside.any():
        weights[outside] = _edge_weights(corners[outside], places[outside])
    heights: FloatArray = (weights * corners[..., 2]).sum(axis=1)
    return heights


def _weights(corners: FloatArray, places: FloatArray) -> FloatArray:
    """Barycentric weights [P,3]."""
    one, two = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    off = places - corners[:, 0, :2]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    second = (off[:, 0] * two[:, 1] - off[:, 1] * two[:, 0]) / area
    third = (one[:, 0] * off[:, 1] - one[:, 1] * off[:, 0]) / area
    return np.stack([1 - second - third, second, third], axis=1)


def _edge_weights(corners: FloatArray, places: FloatArray) -> FloatArray:
    """Barycentric weights [P,3] of the nearest points on the outlines."""
    best, weights = np.full(len(corners), np.inf), np.zeros((len(corners), 3))
    for start in range(3):
        end = (start + 1) % 3
        edge = corners[:, end, :2] - corners[:, start, :2]
        off = places - corners[:, start, :2]
        share = np.clip((off * edge).sum(axis=1) / (edge**2).sum(axis=1), 0.0, 1.0)
        away = ((off - share[:, None] * edge) ** 2).sum(axis=1)
        nearer = away < best
        best[nearer] = away[nearer]
        weights[nearer] = 0.0
        weights[nearer, start], weights[nearer, end] = 1 - share[nearer], share[nearer]
    return weights
