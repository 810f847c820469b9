"""How much of the sky the ground sees: less beside walls and hedges, next to nothing under a car."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph import SE3
from scenegraph.arrays import FloatArray

from ..compiling import njit
from ..raycast import TriangleScene

_SKY_TEXEL_M: Final = 0.75
_SKY_BESIDE_M: Final = 60.0
_MOST_TEXELS: Final = 120_000
_SKY_RAYS: Final = 14
_SKY_REACH_M: Final = 25.0
_UP_M: Final = 0.2
_LEAST_OPEN: Final = 0.18

UNDER_M: Final = 48.0
UNDER_TEXEL_M: Final = 0.25
_UNDER_SOFT_M: Final = 0.4
_UNDER_DARK: Final = 0.86


class Contact(NamedTuple):
    """A picture from above, for compiled code: open float32 [H,W], 1 for all of the sky, which it is outside too.

    x_m, y_m: place of the corner of texel (0, 0); rows go along x.
    """

    open: Any
    x_m: float
    y_m: float
    texel_m: float


def open_sky(still: TriangleScene, path_m: FloatArray, ground_z: Callable[[FloatArray], FloatArray]) -> Contact:
    """What still things leave of the sky around a path [N,2+], by rays from the ground upwards."""
    low, high = path_m[:, :2].min(axis=0) - _SKY_BESIDE_M, path_m[:, :2].max(axis=0) + _SKY_BESIDE_M
    texel = max(_SKY_TEXEL_M, float(np.sqrt(np.prod(high - low) / _MOST_TEXELS)))
    shape = np.ceil((high - low) / texel).astype(int)
    x, y = (low[k] + texel * (np.arange(shape[k]) + 0.5) for k in (0, 1))
    places = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    origins = np.concatenate([places, ground_z(places)[:, None] + _UP_M], axis=1).astype(np.float32)
    hidden = np.zeros(len(origins), dtype=np.float32)
    for direction in _upwards(_SKY_RAYS):
        towards = np.ascontiguousarray(np.broadcast_to(direction, origins.shape))
        hidden += still.blocked(origins, towards, _SKY_REACH_M)
    share = (1 - hidden / _SKY_RAYS).reshape(tuple(shape))
    smooth = cv2.GaussianBlur(np.maximum(share, _LEAST_OPEN), (0, 0), 0.8)
    return Contact(np.ascontiguousarray(smooth, dtype=np.float32), float(low[0]), float(low[1]), texel)


def _upwards(count: int) -> npt.NDArray[np.float32]:
    """Directions [count,3] into the upper half, more of them where a flat surface sees more."""
    height = np.sqrt((np.arange(count) + 0.5) / count)
    turn = np.arange(count) * np.pi * (3 - 5**0.5)
    flat = np.sqrt(1 - height**2)
    return np.asarray(np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1), dtype=np.float32)


class Underneath:
    """The shade under and beside bodies around one place."""

    def __init__(self, centre_m: FloatArray) -> None:
        side = round(2 * UNDER_M / UNDER_TEXEL_M)
        self._covered = np.zeros((side, side), dtype=np.uint8)
        self._corner = np.floor((np.asarray(centre_m)[:2] - UNDER_M) / UNDER_TEXEL_M) * UNDER_TEXEL_M

    def add(self, world_from_box: SE3, length_m: float, width_m: float) -> None:
        """A body that stands on the ground."""
        half = np.array([[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]) * (length_m / 2, width_m / 2, 0.0)
        texels = (world_from_box.apply(half)[:, :2] - self._corner) / UNDER_TEXEL_M - 0.5
        points = np.round(np.clip(texels[:, ::-1], -1e4, 1e4) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.fillConvexPoly(self._covered, points, (255,), lineType=cv2.LINE_AA, shift=4)

    def picture(self) -> Contact:
        """All that were added, softly."""
        soft = cv2.GaussianBlur(self._covered, (0, 0), _UNDER_SOFT_M / UNDER_TEXEL_M)
        openness = 1 - np.float32(_UNDER_DARK / 255) * soft.astype(np.float32)
        return Contact(openness, float(self._corner[0]), float(self._corner[1]), UNDER_TEXEL_M)


@njit
def openness(contact: Any, x: float, y: float) -> Any:
    """How much of the sky a place on the ground sees, 0 to 1."""
    row, column = (x - contact.x_m) / contact.texel_m - 0.5, (y - contact.y_m) / contact.texel_m - 0.5
    rows, columns = contact.open.shape
    if not (0.0 <= row < rows - 1 and 0.0 <= column < columns - 1):
        return 1.0
    i, j = int(row), int(column)
    a, b = row - i, column - j
    near = contact.open[i, j] * (1 - b) + contact.open[i, j + 1] * b
    far = contact.open[i + 1, j] * (1 - b) + contact.open[i + 1, j + 1] * b
    return near * (1 - a) + far * a
