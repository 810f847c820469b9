"""Surfaces seen by one picture of a clip, found in another."""

from __future__ import annotations

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .clip_sight import ClipSight

_WITHIN_M, _WITHIN_SHARE = 0.3, 0.02


def reprojected(
    sight: ClipSight, source: tuple[int, int], target: tuple[int, int], rows: IntArray, columns: IntArray
) -> tuple[FloatArray, BoolArray]:
    """Where the surfaces in pixels [N] of one picture are in another: places [N,2], and which of them it shows [N].

    source, target: view and frame. What moves is taken to stand still between frames. A surface is shown where the
    other picture has something at the same depth, within 0.3 m and 2 %; elsewhere its place means nothing.
    """
    cameras, poses = sight.cameras.cameras, sight.cameras.world_from_camera
    rays = cameras[source[0]].unproject(np.stack([columns, rows], axis=1).astype(np.float64))
    points = rays * (sight.depth_m[source][rows, columns] / rays[:, 2])[:, None]
    uv, depth_m = cameras[target[0]].project((poses[target].inverse() @ poses[source]).apply(points))
    height, width = sight.shape[2:]
    shown = (uv >= 0).all(axis=1) & (uv[:, 0] <= width - 1) & (uv[:, 1] <= height - 1) & (depth_m > 0)
    u, v = np.rint(np.where(shown[:, None], uv, 0)).astype(np.int64).T
    away_m = np.abs(sight.depth_m[target][v, u] - depth_m)
    return uv, np.asarray(shown & (away_m < _WITHIN_M + _WITHIN_SHARE * depth_m))
