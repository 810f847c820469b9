"""The rays of a camera's pixels, and more of them where one per pixel is not enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scenegraph import Camera

from .. import raycast
from ..compiling import njit

Float32Array = npt.NDArray[np.float32]

_OFFSETS = np.array([[0.375, 0.125], [-0.125, 0.375], [-0.375, -0.125], [0.125, -0.375]], dtype=np.float32)
"""More samples of a pixel (u, v) around its middle: with it no two share a row or a column."""


@dataclass(frozen=True, eq=False)
class PixelRays:
    """Rays through the middle of every pixel, in the camera's frame.

    directions: float32 [H*W,3], unit. spread: float32 [H*W], the angle that a pixel covers.
    """

    height_px: int
    width_px: int
    directions: Float32Array
    spread: Float32Array


def pixel_rays(camera: Camera) -> PixelRays:
    """The rays of a camera, in the order of its pixels."""
    u, v = np.meshgrid(np.arange(camera.width_px, dtype=np.float64), np.arange(camera.height_px, dtype=np.float64))
    right = camera.unproject(np.stack([u + 0.5, v], axis=-1)) - camera.unproject(np.stack([u - 0.5, v], axis=-1))
    down = camera.unproject(np.stack([u, v + 0.5], axis=-1)) - camera.unproject(np.stack([u, v - 0.5], axis=-1))
    area = np.linalg.norm(np.cross(right, down), axis=-1)
    return PixelRays(
        camera.height_px,
        camera.width_px,
        np.array(raycast.pixel_rays(camera)).reshape(-1, 3),
        np.sqrt(area).astype(np.float32).ravel(),
    )


@njit
def find_edges(key: Any, sunlit: Any, height: int, width: int, out: Any) -> int:
    """Pixels that differ from a neighbour in key [H*W] or in sunlight, in order, into out [H*W]; returns how many."""
    marked = np.zeros(height * width, np.uint8)
    for row in range(height):
        for column in range(width):
            p = row * width + column
            if column + 1 < width and (key[p] != key[p + 1] or sunlit[p] != sunlit[p + 1]):
                marked[p] = 1
                marked[p + 1] = 1
            if row + 1 < height and (key[p] != key[p + width] or sunlit[p] != sunlit[p + width]):
                marked[p] = 1
                marked[p + width] = 1
    count = 0
    for p in range(height * width):
        if marked[p]:
            out[count] = p
            count += 1
    return count


@njit
def more_rays(directions: Any, height: int, width: int, pixels: Any, offsets: Any, out: Any) -> None:
    """Rays [E*K,3] at offsets [K,2] (u, v) from the middles of pixels [E], from rays [H*W,3] of all middles."""
    many = len(offsets)
    for i in range(len(pixels)):
        p = pixels[i]
        row, column = p // width, p % width
        left, right = p - (column > 0), p + (column + 1 < width)
        above, below = p - width * (row > 0), p + width * (row + 1 < height)
        across = 1.0 / max(right - left, 1)
        down = 1.0 / max((below - above) // width, 1)
        for j in range(many):
            x = directions[p, 0] + offsets[j, 0] * across * (directions[right, 0] - directions[left, 0])
            x += offsets[j, 1] * down * (directions[below, 0] - directions[above, 0])
            y = directions[p, 1] + offsets[j, 0] * across * (directions[right, 1] - directions[left, 1])
            y += offsets[j, 1] * down * (directions[below, 1] - directions[above, 1])
            z = directions[p, 2] + offsets[j, 0] * across * (directions[right, 2] - directions[left, 2])
            z += offsets[j, 1] * down * (directions[below, 2] - directions[above, 2])
            length = math.sqrt(x * x + y * y + z * z)
            out[i * many + j, 0], out[i * many + j, 1], out[i * many + j, 2] = x / length, y / length, z / length


def offsets() -> Float32Array:
    """Where in a pixel the additional samples lie, (u, v) [K,2]."""
    return _OFFSETS
