"""Painted lines: how much brighter a picture is along them than beside them, against the same lines moved sideways."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from render.lane_styles import lane_line_paint, strand_pieces
from scenegraph import HDMap
from scenegraph.arrays import BoolArray, FloatArray, UInt8Array

from .adherence import Adherence, Row
from .clip_sight import ClipSight, dilated, lightness, measured_frames

SHIFTS_PX: Final = (8, 12, 16, 20, 24)
"""How far lines are moved to either side for the null."""
FEWEST_POINTS: Final = 20
FARTHEST_M: Final = 40.0
MARGIN_LEVELS: Final = 1.0

_NEAREST_M = 1.0
_EVERY = 5
_BESIDE_M = 0.35
_LEAST_BESIDE_PX, _MOST_BESIDE_PX = 2.5, 8.0
_CLEAR_OF_ACTORS_PX = 2


class _Points(NamedTuple):
    """Places on paint in one picture: pixels [N,2], unit normals [N,2], and how far off its sides are [N]."""

    uv: FloatArray
    normal: FloatArray
    beside_px: FloatArray


def lane_line_adherence(frames: UInt8Array, sight: ClipSight) -> Adherence:
    """How much brighter paint is than the road on both sides of it, in levels of 0 to 255.

    frames: uint8 [V,T,H,W,3]. Per picture the mean over all visible places on painted lane lines within 40 m; the
    null is the mean over the same lines moved sideways by 8 to 24 px in the picture. Places that an actor covers, and
    pictures with few places, do not count. A picture where nothing is painted anywhere gives 0, and so does a blur.
    """
    frames = measured_frames(frames, sight)
    paint_m = painted_pieces(sight.scene.hdmap)
    views, times = sight.shape[:2]
    rows = []
    for view in range(views):
        for t in range(times):
            free = ~dilated(sight.instance[view, t] >= 0, _CLEAR_OF_ACTORS_PX)
            points = _visible_points(paint_m, sight, view, t, free)
            if len(points.uv) < FEWEST_POINTS:
                continue
            levels = lightness(frames[view, t])
            value = _brightness(levels, points, 0.0, free)
            null = [_brightness(levels, points, side * shift, free) for shift in SHIFTS_PX for side in (-1, 1)]
            if np.isfinite(null).any():
                rows.append(Row(view, t, len(points.uv), value, float(np.nanmean(null))))
    return Adherence.of(rows, MARGIN_LEVELS)


def painted_pieces(hdmap: HDMap) -> FloatArray:
    """Short pieces [N,2,3] of the paint of all lane lines, a quarter of a metre apart, in the world."""
    pieces = [
        strand_pieces(line.polyline.points_m, pattern, offset_m)[::_EVERY]
        for line in hdmap.lane_lines
        for offset_m, pattern in lane_line_paint(line.colour, line.style)[1]
    ]
    return np.concatenate([*pieces, np.zeros((0, 2, 3))])


def _visible_points(paint_m: FloatArray, sight: ClipSight, view: int, t: int, free: BoolArray) -> _Points:
    camera = sight.cameras.cameras[view]
    camera_from_world = sight.cameras.world_from_camera[view, t].inverse()
    ends = camera_from_world.apply(paint_m.reshape(-1, 3)).reshape(-1, 2, 3)
    near = (ends[..., 2] > _NEAREST_M).all(axis=1) & (np.linalg.norm(ends[:, 0], axis=1) < FARTHEST_M)
    ends, world = ends[near], paint_m[near]
    middle, _ = camera.project(ends.mean(axis=1))
    along = np.diff(camera.project(ends)[0], axis=1)[:, 0]
    length = np.linalg.norm(along, axis=1)
    side, _ = camera.project(camera_from_world.apply(world.mean(axis=1) + _BESIDE_M * _left(world)))
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    beside_px = np.clip(np.abs(((side - middle) * normal).sum(axis=1)), _LEAST_BESIDE_PX, _MOST_BESIDE_PX)
    shown = (length > 1e-6) & _at(free, middle)
    return _Points(middle[shown], normal[shown], beside_px[shown])


def _left(pieces_m: FloatArray) -> FloatArray:
    """Unit vectors [N,3] to the left of pieces, level."""
    along = pieces_m[:, 1] - pieces_m[:, 0]
    left = np.stack([-along[:, 1], along[:, 0], np.zeros(len(along))], axis=1)
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-9))


def _brightness(levels: FloatArray, points: _Points, shift_px: float, free: BoolArray) -> float:
    """Mean brightness above that of both sides, of the places moved along their normals; NaN where none is left."""
    middle = points.uv + shift_px * points.normal
    beside = points.beside_px[:, None] * points.normal
    kept = _at(free, middle) & _at(free, middle - beside) & _at(free, middle + beside)
    if not kept.any():
        return 0.0 if shift_px == 0 else float("nan")
    here, left, right = (_sampled(levels, place[kept]) for place in (middle, middle - beside, middle + beside))
    return float((here - (left + right) / 2).mean())


def _sampled(levels: FloatArray, uv: FloatArray) -> FloatArray:
    """Levels [N] between the pixels."""
    u, v = uv.astype(np.float32).T
    return np.asarray(cv2.remap(levels.astype(np.float32), u[None], v[None], cv2.INTER_LINEAR)[0], dtype=np.float64)


def _at(mask: BoolArray, uv: FloatArray) -> BoolArray:
    """Which places [N,2] lie inside of the picture on a pixel of the mask."""
    height, width = mask.shape
    inside = (uv > 0).all(axis=1) & (uv[:, 0] < width - 1) & (uv[:, 1] < height - 1)
    column, row = np.rint(np.where(inside[:, None], uv, 0)).astype(np.int64).T
    return np.asarray(inside & mask[row, column])
