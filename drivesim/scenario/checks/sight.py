"""What cameras see of boxes: where in the picture, how large, and what stands in front."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from scenegraph import SE3, Camera
from scenegraph.arrays import BoolArray, FloatArray

_NEAR_M = 0.1
_SHARES = np.array(list(itertools.product((-0.98, 0.0, 0.98), repeat=3)))
"""Where a box is looked at, [27,3]: close to its corners and the middles of its edges and faces, in half sizes."""
_SHELL = np.abs(_SHARES).max(axis=1) > 0


@dataclass(frozen=True, eq=False)
class Sight:
    """How N boxes appear to a camera.

    seen: bool [N], a part of it in the picture and not behind something else.
    height_px, width_px: float64 [N], of what is in the picture and not hidden, 0 where nothing is.
    in_picture: bool [N], in the picture if nothing stood in the way.
    share: float64 [N], of the part in the picture that is not hidden.
    distance_m: float64 [N], from the camera to the centre.
    """

    seen: BoolArray
    in_picture: BoolArray
    width_px: FloatArray
    height_px: FloatArray
    share: FloatArray
    distance_m: FloatArray


def look_at(
    camera: Camera, world_from_camera: SE3, world_from_box: SE3, size_m: FloatArray,
    others: SE3 | None = None, others_size_m: FloatArray | None = None, is_own: BoolArray | None = None,
) -> Sight:  # fmt: skip
    """A camera's view of boxes [N], from a pose each [N] or one for all, with other boxes [M] that may hide them.

    is_own: bool [N,M], which of the others is the box itself and so does not hide it.
    """
    points = world_from_box.apply(_SHARES[_SHELL] * size_m[..., None, :] / 2)
    camera_from_world = world_from_camera.inverse()
    local = camera_from_world.apply(points)
    uv, depth_m = camera.project(local)
    inside = camera.sees(local) & (depth_m > _NEAR_M)
    visible = inside.copy()
    if others is not None and others_size_m is not None and len(others):
        origin = np.broadcast_to(world_from_camera.translation_m, points[:, 0].shape)
        for box in np.flatnonzero(inside.any(axis=1)).tolist():
            rows = np.ones(len(others), dtype=bool) if is_own is None else ~is_own[box]
            if rows.any():
                hidden = behind(origin[box], points[box], others[rows], others_size_m[rows])
                visible[box] &= ~hidden
    low = np.where(visible[..., None], uv, np.inf).min(axis=1)
    high = np.where(visible[..., None], uv, -np.inf).max(axis=1)
    seen = visible.any(axis=1)
    extent = np.where(seen[:, None], high - low, 0.0)
    share = visible.sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    away = np.linalg.norm(world_from_box.translation_m - world_from_camera.translation_m, axis=-1)
    return Sight(seen, inside.any(axis=1), extent[:, 0], extent[:, 1], share, away)


def behind(origin_m: FloatArray, points_m: FloatArray, boxes: SE3, size_m: FloatArray) -> BoolArray:
    """Which points [P,3] cannot be seen from an origin [3] because a box [M] is in between; [P].

    A box that holds the origin hides nothing: cameras sit in boxes of vehicles.
    """
    to_box = boxes.inverse()
    start = to_box.apply(np.broadcast_to(origin_m, (len(boxes), 1, 3)))
    ends = to_box.apply(np.broadcast_to(points_m, (len(boxes), *points_m.shape)))
    enters, leaves = slab(start, ends - start, size_m[:, None, :] / 2)
    hidden = (enters < leaves) & (enters > 0.0) & (enters < 0.999)
    return np.asarray(hidden.any(axis=0))


def slab(start: FloatArray, way: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where rays start + s way [...,3] enter and leave boxes of half sizes [...,3] around the origin: s, s [...]."""
    safe = np.where(np.abs(way) < 1e-12, 1e-12, way)
    one, two = (-half - start) / safe, (half - start) / safe
    return np.minimum(one, two).max(axis=-1), np.maximum(one, two).min(axis=-1)
