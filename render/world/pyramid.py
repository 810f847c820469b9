"""Pictures of the ground with ever coarser copies, read as wide as a pixel sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..compiling import njit

UInt8Array = npt.NDArray[np.uint8]


class Pyramid(NamedTuple):
    """A picture with its coarser copies, for compiled code.

    texels: uint8 [K,4], all levels one after another, row by row. levels: int64 [L,3], first texel, rows, columns.
    x_m, y_m: place of the corner of texel (0, 0); rows go along x and columns along y. texel_m: size of the finest.
    """

    texels: Any
    levels: Any
    x_m: float
    y_m: float
    texel_m: float


@dataclass(frozen=True)
class Window:
    """A rectangle of the ground as a raster: row, column = floor((x, y) / texel) - corner.

    corner: int [2], the (row, column) of its first texel in the raster of the whole world.
    shape: rows and columns.
    """

    corner: tuple[int, int]
    shape: tuple[int, int]
    texel_m: float

    @classmethod
    def around(cls, low_m: Any, high_m: Any, texel_m: float) -> Window:
        """The window that holds everything from one corner [2] to the other [2]."""
        first = [math.floor(v / texel_m) for v in low_m]
        last = [math.ceil(v / texel_m) for v in high_m]
        return cls((first[0], first[1]), (last[0] - first[0], last[1] - first[1]), texel_m)

    def texels(self, xy_m: Any) -> npt.NDArray[np.float64]:
        """(row, column) [...,2] of places [...,2+], where whole numbers are the middles of texels."""
        xy = np.asarray(xy_m, dtype=np.float64)[..., :2]
        return np.asarray(xy / self.texel_m - self.corner - 0.5)

    def with_texel(self, factor: int) -> Window:
        """The same rectangle with texels ``factor`` times as fine."""
        corner, shape = self.corner, self.shape
        return Window(
            (corner[0] * factor, corner[1] * factor), (shape[0] * factor, shape[1] * factor), self.texel_m / factor
        )


def pyramid(picture: UInt8Array, window: Window) -> Pyramid:
    """Coarser copies of a picture uint8 [H,W,4], each the mean of four texels of the one before."""
    parts, rows = [], []
    start, level = 0, picture
    while True:
        rows.append((start, level.shape[0], level.shape[1]))
        parts.append(level.reshape(-1, 4))
        start += level.shape[0] * level.shape[1]
        if min(level.shape[:2]) < 4:
            break
        height, width = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
        level = np.asarray(
            cv2.resize(level[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    x_m, y_m = window.corner[0] * window.texel_m, window.corner[1] * window.texel_m
    return Pyramid(np.concatenate(parts), np.array(rows, dtype=np.int64), x_m, y_m, window.texel_m)


@njit
def covers(picture: Any, x: float, y: float) -> Any:
    """Whether a place lies inside of a picture."""
    row, column = (x - picture.x_m) / picture.texel_m, (y - picture.y_m) / picture.texel_m
    return 0.5 <= row < picture.levels[0, 1] - 0.5 and 0.5 <= column < picture.levels[0, 2] - 0.5


@njit
def read(
    picture: Any, x: float, y: float, dx: float, dy: float, minor_m: float, major_m: float, most_taps: int
) -> tuple[float, float, float, float]:
    """The mean of four channels, 0 to 255, over what a pixel sees: major_m long along (dx, dy), minor_m wide."""
    texels, levels = picture.texels, picture.levels
    fine = max(minor_m, major_m / most_taps)
    level = 0
    size = picture.texel_m
    while size * 1.42 < fine and level < len(levels) - 1:
        level += 1
        size *= 2.0
    taps = min(max(int(major_m / max(fine, size) + 0.5), 1), most_taps)
    start, rows, columns = levels[level, 0], levels[level, 1], levels[level, 2]
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for tap in range(taps):
        away = major_m * ((tap + 0.5) / taps - 0.5)
        row = min(max((x + dx * away - picture.x_m) / size - 0.5, 0.0), rows - 1.001)
        column = min(max((y + dy * away - picture.y_m) / size - 0.5, 0.0), columns - 1.001)
        i, j = int(row), int(column)
        fr, fc = row - i, column - j
        at = start + i * columns + j
        below = at + columns
        w00, w01, w10, w11 = (1 - fr) * (1 - fc), (1 - fr) * fc, fr * (1 - fc), fr * fc
        a += w00 * texels[at, 0] + w01 * texels[at + 1, 0] + w10 * texels[below, 0] + w11 * texels[below + 1, 0]
        b += w00 * texels[at, 1] + w01 * texels[at + 1, 1] + w10 * texels[below, 1] + w11 * texels[below + 1, 1]
        c += w00 * texels[at, 2] + w01 * texels[at + 1, 2] + w10 * texels[below, 2] + w11 * texels[below + 1, 2]
        d += w00 * texels[at, 3] + w01 * texels[at + 1, 3] + w10 * texels[below, 3] + w11 * texels[below + 1, 3]
    return a / taps, b / taps, c / taps, d / taps


@njit
def is_blank(picture: Any, x: float, y: float, size_m: float) -> Any:
    """Whether the last channel is nothing everywhere within ``size_m / 2`` of a place."""
    level = 0
    size = picture.texel_m
    while size < size_m and level < len(picture.levels) - 1:
        level += 1
        size *= 2.0
    start, rows, columns = picture.levels[level, 0], picture.levels[level, 1], picture.levels[level, 2]
    i = min(max(int((x - picture.x_m) / size - 0.5), 0), max(rows - 2, 0))
    j = min(max(int((y - picture.y_m) / size - 0.5), 0), max(columns - 2, 0))
    at = start + i * columns + j
    below = at + columns if rows > 1 else at
    return (
        picture.texels[at, 3] == 0
        and picture.texels[at + 1, 3] == 0
        and picture.texels[below, 3] == 0
        and picture.texels[below + 1, 3] == 0
    )
