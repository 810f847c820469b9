"""How much of a cuboid's image lies inside of the picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenegraph import SE3, Brown, Camera, Pinhole, box_corners
from scenegraph.arrays import FloatArray, IntArray

from .box_casting import hit_count
from .box_layer import EDGES

MARGIN_PICTURES = 1.0
"""An image is followed this many picture widths and heights beyond the border, and no further."""

_GRID = 128  # most rays each way in one part of the surroundings; larger parts are sampled that finely
_EDGE_SAMPLES = 9
_PAD_PX, _PAD_SHARE = 2.0, 0.02  # edges bend between their samples
_BESIDE = 0.02  # a direction whose z is below this may land anywhere
_ROUND_TRIP_PX = 0.01
_Part = tuple[int, int, int, int]


def inside_fractions(
    camera: Camera, rotation: FloatArray, place: FloatArray, half_m: FloatArray, alone_px: IntArray
) -> FloatArray:
    """Share [K] of the pixels of every box's image, followed beyond the picture, that are inside; 0 if none is.

    rotation [K,3,3], place [K,3], half_m [K,3]: see render.box_casting. alone_px [K]: pixels inside that show the box
    when it is alone. Beyond the picture only those pixels count that the lens maps some direction to.
    """
    fraction = (alone_px > 0).astype(np.float64)
    shown = np.flatnonzero(alone_px > 0)
    for k, bounds in zip(shown, _bounds(camera, rotation[shown], place[shown], half_m[shown]), strict=True):
        around = sum(_hit_area_px(camera, part, rotation[k], place[k], half_m[k]) for part in _around(camera, bounds))
        fraction[k] = alone_px[k] / (alone_px[k] + around)
    return fraction


def _bounds(camera: Camera, rotation: FloatArray, place: FloatArray, half_m: FloatArray) -> list[_Part]:
    """Left, top, right, bottom (the latter two exclusive) of K boxes' images, within the margin."""
    across, down = round(MARGIN_PICTURES * camera.width_px), round(MARGIN_PICTURES * camera.height_px)
    outer = np.array([-across, -down, camera.width_px + across, camera.height_px + down])
    corners = box_corners(SE3.identity(len(half_m)), *(2 * half_m.T))  # [K,8,3]
    share = np.linspace(0.0, 1.0, _EDGE_SAMPLES)[:, None, None]
    edges_box = corners[:, None, EDGES[:, 0]] * (1 - share) + corners[:, None, EDGES[:, 1]] * share
    edges_camera = (edges_box.reshape(len(half_m), _EDGE_SAMPLES * len(EDGES), 3) - place[:, None]) @ rotation
    is_beside = (edges_camera[..., 2] < _BESIDE * np.linalg.norm(edges_camera, axis=-1)).any(axis=1)
    uv, _ = camera.project(edges_camera)
    low, high = uv.min(axis=1), uv.max(axis=1)
    pad = _PAD_PX + _PAD_SHARE * (high - low)
    low, high = np.maximum(np.floor(low - pad), outer[:2]), np.minimum(np.ceil(high + pad) + 1, outer[2:])
    bounds = np.where(is_beside[:, None], outer, np.concatenate([low, high], axis=1))
    return [tuple(row) for row in bounds.astype(int).tolist()]


def _around(camera: Camera, bounds: _Part) -> Iterator[_Part]:
    """The part of some bounds that lies beside the picture, as up to four rectangles."""
    left, top, right, bottom = bounds
    in_left, in_right = np.clip([left, right], 0, camera.width_px).tolist()
    in_top, in_bottom = np.clip([top, bottom], 0, camera.height_px).tolist()
    parts = [
        (left, top, in_left, bottom),
        (in_right, top, right, bottom),
        (in_left, top, in_right, in_top),
        (in_left, in_bottom, in_right, bottom),
    ]
    return (part for part in parts if part[0] < part[2] and part[1] < part[3])


def _hit_area_px(camera: Camera, part: _Part, rotation: FloatArray, place: FloatArray, half_m: FloatArray) -> float:
    """How many pixels of a rectangle show the box."""
    width, height = part[2] - part[0], part[3] - part[1]
    columns, rows = min(width, _GRID), min(height, _GRID)
    u = part[0] - 0.5 + (np.arange(columns) + 0.5) * (width / columns)
    v = part[1] - 0.5 + (np.arange(rows) + 0.5) * (height / rows)
    uv = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    rays = camera.unproject(uv)
    is_own = np.abs(camera.project(rays)[0] - uv).max(axis=1) < _ROUND_TRIP_PX
    if isinstance(camera.lens, Pinhole | Brown):
        is_own &= rays[:, 2] > 0
    return hit_count(rays[is_own], rotation, place, half_m) * (width / columns) * (height / rows)
