"""Noise that repeats without a seam: the grain of asphalt, grass, clouds and everything worn."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from .seeds import generator

Float32Array = npt.NDArray[np.float32]


@lru_cache(maxsize=32)
def tile(name: str, side: int, coarsest: int, finest: int, persistence: float = 0.5) -> Float32Array:
    """A picture float32 [side,side] of mean 0 and deviation 1, that continues at its opposite edges.

    coarsest, finest: lattice points along a side of the first and last octave, both powers of two; each octave
    counts ``persistence`` as much as the one before.
    """
    rng = generator("tile", name)
    total = np.zeros((side, side), dtype=np.float32)
    weight, cells = 1.0, coarsest
    while cells <= finest:
        total += weight * _octave(rng.standard_normal((cells, cells)).astype(np.float32), side)
        weight, cells = weight * persistence, 2 * cells
    total -= total.mean(dtype=np.float64)
    total /= max(float(total.std(dtype=np.float64)), 1e-9)
    total.setflags(write=False)
    return total


def _octave(lattice: Float32Array, side: int) -> Float32Array:
    """A lattice [n,n] that repeats, interpolated smoothly to [side,side]."""
    cells = len(lattice)
    if cells == side:
        return lattice
    border = 3
    padded = np.pad(lattice, border, mode="wrap")
    scale = side // cells
    large = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    cut = slice(border * scale, border * scale + side)
    return np.asarray(large[cut, cut], dtype=np.float32)


def spread(picture: Float32Array, corner: tuple[int, int], shape: tuple[int, int], stretch: int) -> Float32Array:
    """A repeating tile laid over a window of an endless plane, float32 of the window's shape.

    corner: (row, column) of the window's first pixel in the plane. stretch: how many pixels one of the tile covers.
    """
    side = len(picture)
    rows = (np.arange(shape[0]) + corner[0]) / stretch
    columns = (np.arange(shape[1]) + corner[1]) / stretch
    if stretch == 1:
        return np.asarray(picture[np.ix_(rows.astype(np.int64) % side, columns.astype(np.int64) % side)])
    first_row, first_column = int(np.floor(rows[0])), int(np.floor(columns[0]))
    need_rows = np.arange(first_row - 1, int(np.floor(rows[-1])) + 3)
    need_columns = np.arange(first_column - 1, int(np.floor(columns[-1])) + 3)
    source = np.ascontiguousarray(picture[np.ix_(need_rows % side, need_columns % side)])
    move = np.array([[1 / stretch, 0, columns[0] - need_columns[0]], [0, 1 / stretch, rows[0] - need_rows[0]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(source, move, (shape[1], shape[0]), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, dtype=np.float32)
