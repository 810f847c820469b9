"""How much the ground changes from frame to frame where nothing but the camera moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from render.solids import Kind
from scenegraph.arrays import BoolArray, FloatArray, UInt8Array

from .clip_sight import ClipSight, dilated, lightness, measured_frames
from .reprojection import reprojected

FARTHEST_M: Final = 30.0
_STEP_PX = 3
_FEWEST_POINTS = 50
_CLEAR_OF_ACTORS_PX = 4


@dataclass(frozen=True, eq=False)
class Flicker:
    """Mean change of brightness of places on the ground from one frame to the next, in levels of 0 to 255.

    change: float64 [N], one per pair of consecutive pictures of a view. not_followed: [N], the change of the
    pixels that show these places first, without following them: what a moving camera alone makes of it.
    """

    change: FloatArray
    not_followed: FloatArray


def ground_flicker(frames: UInt8Array, sight: ClipSight) -> Flicker:
    """Follow places on the ground within 30 m, away from actors, and see how their brightness changes.

    frames: uint8 [V,T,H,W,3], slightly blurred first, so that resampling does not count. Shadows of moving actors do:
    compare with the reference world's own.
    """
    frames = measured_frames(frames, sight)
    views, times, height, width = sight.shape
    grid = np.stack(np.meshgrid(np.arange(0, height, _STEP_PX), np.arange(0, width, _STEP_PX), indexing="ij"), -1)
    change: list[float] = []
    not_followed: list[float] = []
    for view in range(views):
        levels = [_blurred(picture) for picture in frames[view]]
        for t in range(times - 1):
            rows, columns = grid.reshape(-1, 2)[_ground(sight, view, t)[grid[..., 0], grid[..., 1]].ravel()].T
            uv, shown = reprojected(sight, (view, t), (view, t + 1), rows, columns)
            if np.count_nonzero(shown) < _FEWEST_POINTS:
                continue
            rows, columns = rows[shown], columns[shown]
            u, v = uv[shown].astype(np.float32).T
            before, here = levels[t][rows, columns], levels[t + 1][rows, columns]
            after = cv2.remap(levels[t + 1], u[None], v[None], cv2.INTER_LINEAR)[0]
            change.append(float(np.abs(after - before).mean()))
            not_followed.append(float(np.abs(here - before).mean()))
    return Flicker(np.array(change, dtype=np.float64), np.array(not_followed, dtype=np.float64))


def _blurred(picture: UInt8Array) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(lightness(picture), (0, 0), 1.0))


def _ground(sight: ClipSight, view: int, t: int) -> BoolArray:
    """Which pixels show near ground, in this frame and the next one."""
    ground = (sight.kind[view, t] == Kind.GROUND) & (sight.depth_m[view, t] < FARTHEST_M)
    for frame in (t, t + 1):
        ground &= ~dilated(sight.instance[view, frame] >= 0, _CLEAR_OF_ACTORS_PX)
    return np.asarray(ground)
