"""Strokes of exact width on a picture seen from above, with soft edges one texel wide."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..compiling import njit

UInt8Array = npt.NDArray[np.uint8]


@njit
def stroke(coverage: Any, pieces: Any, half_width: float, softness: float) -> None:
    """Cover pieces [n,2,2] (row, column; texels) of a line; each texel of uint8 [H,W] keeps its largest value.

    half_width, softness: texels; across an edge coverage falls from 1 to 0 over the softness. Ends are square.
    """
    height, width = coverage.shape
    reach = half_width + softness
    for p in range(len(pieces)):
        r0, c0, r1, c1 = pieces[p, 0, 0], pieces[p, 0, 1], pieces[p, 1, 0], pieces[p, 1, 1]
        length = math.hypot(r1 - r0, c1 - c0)
        if length < 1e-6:
            continue
        ur, uc = (r1 - r0) / length, (c1 - c0) / length
        top, bottom = max(int(min(r0, r1) - reach), 0), min(int(max(r0, r1) + reach) + 2, height)
        for row in range(top, bottom):
            left, right = _run(r0, c0, ur, uc, length, reach, row)
            for column in range(max(int(left), 0), min(int(right) + 2, width)):
                along = (row - r0) * ur + (column - c0) * uc
                across = abs((column - c0) * ur - (row - r0) * uc)
                value = min((half_width - across) / softness + 0.5, 1.0)
                value *= min(max(min(along, length - along) / softness + 0.5, 0.0), 1.0)
                if value > 0.0:
                    level = np.uint8(255.0 * value + 0.5)
                    if level > coverage[row, column]:
                        coverage[row, column] = level


@njit
def _run(r0: float, c0: float, ur: float, uc: float, length: float, reach: float, row: int) -> tuple[float, float]:
    """The first and last column of a row that a stroke may touch."""
    left, right = min(c0, c0 + length * uc) - reach, max(c0, c0 + length * uc) + reach
    if abs(ur) > 1e-6:  # the band about the endless line, cut by this row
        middle, half = c0 + (row - r0) * uc / ur, reach / abs(ur)
        left, right = max(left, middle - half), min(right, middle + half)
    return left, right


def fill(picture: UInt8Array, rings: list[npt.NDArray[np.float64]], value: int = 255) -> None:
    """Fill what an odd number of outlines [N,2] (row, column; texels) lies around, with soft edges."""
    bits = 4
    fixed = [np.round(ring[:, ::-1] * 2**bits).astype(np.int32).reshape(-1, 1, 2) for ring in rings if len(ring) > 2]
    if fixed:
        cv2.fillPoly(picture, fixed, (value,), lineType=cv2.LINE_AA, shift=bits)
