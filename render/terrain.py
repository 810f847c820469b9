"""The ground of a map as triangles: a height for every place between what the map knows of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from scenegraph import HDMap, LaneSegment
from scenegraph.arrays import FloatArray

from .raycast import Int32Array

_CELL_M = 2.0  # one known height per cell is plenty: roads are smooth
_DECK_M = 2.0  # a lane this high above the lowest ground is a bridge


def ground_triangles(hdmap: HDMap) -> tuple[FloatArray, Int32Array]:
    """Vertices float64 [N,3] in the world and triangles int32 [F,3], facing up.

    The lowest known point of every two metres, joined to a surface out to the outline of the map; lanes that pass
    high above it are added as strips.
    """
    known = _lowest(np.concatenate([np.zeros((0, 3)), *_points(hdmap)]))
    spread = known[:, :2] - known[:, :2].mean(axis=0) if len(known) else known[:, :2]
    if len(known) < 3 or np.linalg.matrix_rank(spread, tol=1e-3) < 2:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    mesh = Delaunay(spread)
    height = LinearNDInterpolator(known[:, :2], known[:, 2])
    vertices, triangles = [known], [mesh.simplices.astype(np.int32)]
    for lane in hdmap.lane_segments:
        strip, faces = _strip(lane)
        if (strip[:, 2] - np.nan_to_num(height(strip[:, :2]), nan=np.inf) > _DECK_M).any():
            triangles.append(faces + sum(map(len, vertices)))
            vertices.append(strip)
    return np.concatenate(vertices), np.concatenate(triangles)


def _points(hdmap: HDMap) -> Iterator[FloatArray]:
    for lane in hdmap.lane_segments:
        yield lane.left.points_m
        yield lane.right.points_m
    for layer in (hdmap.lane_lines, hdmap.road_boundaries, hdmap.crosswalks, hdmap.stop_lines):
        for element in layer:
            yield element.polyline.points_m


def _lowest(points_m: FloatArray) -> FloatArray:
    """The lowest of the points [N,3] in every cell of the ground plane."""
    ordered = points_m[np.lexsort((points_m[:, 1], points_m[:, 0], points_m[:, 2]))]
    _, first = np.unique(np.floor(ordered[:, :2] / _CELL_M), axis=0, return_index=True)
    return np.asarray(ordered[np.sort(first)])


def _strip(lane: LaneSegment) -> tuple[FloatArray, Int32Array]:
    """The surface between the edges of a lane, in pieces of about two metres."""
    count = max(2, round(max(lane.left.length_m, lane.right.length_m) / _CELL_M) + 1)
    share = np.linspace(0.0, 1.0, count)
    points = np.concatenate([lane.left.at(share * lane.left.length_m), lane.right.at(share * lane.right.length_m)])
    left = np.arange(count - 1)
    right = left + count
    faces = np.concatenate([np.stack([left, right, right + 1], axis=1), np.stack([left, right + 1, left + 1], axis=1)])
    return points, faces.astype(np.int32)
