"""Draw screen primitives into a picture: depth buffer, four samples per pixel, wide lines with round caps.

Both kinds of primitive are convex polygons with a linear depth: a triangle, or a line piece as a quad with an
eight-wedge half ellipse at each end (18 corners). Four samples per pixel lie in four different sample rows, a
quarter of a pixel apart, one sample per pixel and row. So a polygon covers one run of samples per sample row,
found by walking its edges, and the inner loop is a depth test over a run: no inside tests.

The picture is drawn in bands of 16 rows, so that depth and owner of the samples stay in the cache. A sample
remembers which primitive owns it; colours are computed at the end, once per pixel and owner at the pixel's
centre, rounded to 8 bits, and averaged over the four samples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .compiling import njit
from .palette import FADE_DISTANCE_M

BAND_ROWS = 16
_SAMPLE_ROWS = 4 * BAND_ROWS
# x of the sample in sample rows at y = .125, .375, .625, .875 of a pixel: the positions of Mesa's 4x pattern.
_SAMPLE_X = np.array([0.625, 0.125, 0.875, 0.375])
# The half ellipse from -90 to +90 degrees about the line's direction.
_CAP_COS = np.cos(np.linspace(-np.pi / 2, np.pi / 2, 9))
_CAP_SIN = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 9))
_LEVELS_PER_M = (2**24 - 1) / FADE_DISTANCE_M
"""Depth is compared in 24 bits, so that a box edge and the face behind it tie and the face, drawn first, stays."""
_EMPTY = 2**62 + 2**32 - 1
_OWNER = 2**32 - 1
_FRACTION = 2.0**32
_STEEP, _FAR_OFF = 2.0**18, 2.0**29  # levels; 2**32 times these, over any picture's width, stays below 2**63
_LIMIT_PX = 1e9  # far outside of any picture; float64 still tells a millionth of a pixel there


@njit
def rasterize(xyz: Any, rgb: Any, half_width: Any, count: int, out: Any) -> None:
    """Draw ``count`` primitives (see render.clipping) on black into ``out`` uint8 [H,W,3]."""
    height, width = out.shape[0], out.shape[1]
    bands = (height + BAND_ROWS - 1) // BAND_ROWS
    first_band = np.zeros(count, np.int32)
    last_band = np.full(count, -1, np.int32)
    plane = np.zeros((count, 12))
    aspect = width / height
    for p in range(count):
        if not _set_up(p, xyz, rgb, half_width, aspect, plane):
            continue
        low, high = _extent(p, xyz, half_width, aspect)
        if high <= 0.0 or low >= height:
            continue
        first_band[p] = max(int(low), 0) // BAND_ROWS
        last_band[p] = min(int(high), height - 1) // BAND_ROWS
    # Sort primitives into bands, keeping their order.
    begin = np.zeros(bands + 1, np.int64)
    for p in range(count):
        for b in range(first_band[p], last_band[p] + 1):
            begin[b + 1] += 1
    for b in range(bands):
        begin[b + 1] += begin[b]
    members = np.zeros(begin[bands], np.int32)
    cursor = begin[:bands].copy()
    for p in range(count):
        for b in range(first_band[p], last_band[p] + 1):
            members[cursor[b]] = p
            cursor[b] += 1
    samples = np.zeros((_SAMPLE_ROWS, width), np.int64)
    left = np.zeros(_SAMPLE_ROWS)
    right = np.zeros(_SAMPLE_ROWS)
    corners = np.zeros((18, 2))
    touched = np.zeros((BAND_ROWS, 2), np.int64)
    for b in range(bands):
        top = b * BAND_ROWS
        rows = min(BAND_ROWS, height - top)
        if begin[b] == begin[b + 1]:
            out[top : top + rows] = 0
            continue
        samples[: 4 * rows] = _EMPTY
        for j in range(rows):
            touched[j, 0], touched[j, 1] = width, 0
        for m in range(begin[b], begin[b + 1]):
            p = members[m]
            n = _corners(p, xyz, half_width, aspect, corners)
            _fill(p, corners, n, top, rows, width, half_width[p] > 0.0, xyz, plane, left, right, samples, touched)
        _resolve(top, rows, width, half_width, rgb, plane, samples, touched, out)


@njit
def _set_up(p: int, xyz: Any, rgb: Any, half_width: Any, aspect: float, plane: Any) -> bool:
    """Linear functions of (x, y) for a primitive; False when it covers nothing.

    Line piece: plane[0:3] is the position along it, 0 at the first and 1 at the second end.
    Triangle: plane[0:3] depth, plane[3:12] red, green, blue.
    """
    x0, y0 = xyz[p, 0, 0], xyz[p, 0, 1]
    x1, y1 = xyz[p, 1, 0], xyz[p, 1, 1]
    if not (abs(x0) < _LIMIT_PX and abs(y0) < _LIMIT_PX and abs(x1) < _LIMIT_PX and abs(y1) < _LIMIT_PX):
        return False
    if half_width[p] > 0.0:
        dx, dy = x1 - x0, (y1 - y0) * aspect
        squared = dx * dx + dy * dy
        if squared > 0.0:
            plane[p, 0], plane[p, 1] = dx / squared, dy * aspect / squared
            plane[p, 2] = -(x0 * plane[p, 0] + y0 * plane[p, 1])
        return True
    x2, y2 = xyz[p, 2, 0], xyz[p, 2, 1]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    if area == 0.0 or not (abs(x2) < _LIMIT_PX and abs(y2) < _LIMIT_PX):
        return False
    for channel in range(4):
        if channel == 0:
            a0, a1, a2 = xyz[p, 0, 2], xyz[p, 1, 2], xyz[p, 2, 2]
        else:
            a0, a1, a2 = rgb[p, 0, channel - 1], rgb[p, 1, channel - 1], rgb[p, 2, channel - 1]
        by_x = ((a1 - a0) * (y2 - y0) - (a2 - a0) * (y1 - y0)) / area
        by_y = ((a2 - a0) * (x1 - x0) - (a1 - a0) * (x2 - x0)) / area
        at = 3 * channel
        plane[p, at], plane[p, at + 1], plane[p, at + 2] = by_x, by_y, a0 - by_x * x0 - by_y * y0
    return True


@njit
def _extent(p: int, xyz: Any, half_width: Any, aspect: float) -> tuple[float, float]:
    """Lowest and highest y of a primitive."""
    low, high = min(xyz[p, 0, 1], xyz[p, 1, 1]), max(xyz[p, 0, 1], xyz[p, 1, 1])
    if half_width[p] > 0.0:
        reach = half_width[p] / aspect
        return low - reach, high + reach
    return min(low, xyz[p, 2, 1]), max(high, xyz[p, 2, 1])


@njit
def _corners(p: int, xyz: Any, half_width: Any, aspect: float, corners: Any) -> int:
    """Outline of a primitive, wound so that edges going down are on its right side; returns how many."""
    x0, y0, x1, y1 = xyz[p, 0, 0], xyz[p, 0, 1], xyz[p, 1, 0], xyz[p, 1, 1]
    if half_width[p] > 0.0:
        # The width is measured in normalised device coordinates: stretch y by the aspect, draw round, squash back.
        dx, dy = x1 - x0, (y1 - y0) * aspect
        length = math.sqrt(dx * dx + dy * dy)
        dx, dy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
        r = half_width[p]
        for i in range(9):
            along, across = r * _CAP_COS[i], r * _CAP_SIN[i]
            ox, oy = along * dx - across * dy, (along * dy + across * dx) / aspect
            corners[i, 0], corners[i, 1] = x1 + ox, y1 + oy
            corners[9 + i, 0], corners[9 + i, 1] = x0 - ox, y0 - oy
        return 18
    x2, y2 = xyz[p, 2, 0], xyz[p, 2, 1]
    corners[0, 0], corners[0, 1] = x0, y0
    if (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) < 0.0:
        x1, y1, x2, y2 = x2, y2, x1, y1
    corners[1, 0], corners[1, 1], corners[2, 0], corners[2, 1] = x1, y1, x2, y2
    return 3


@njit
def _fill(
    p: int, corners: Any, n: int, top: int, rows: int, width: int, is_line: bool, xyz: Any, plane: Any,
    left: Any, right: Any, samples: Any, touched: Any,
) -> None:  # fmt: skip
    """Depth-test the samples of one convex polygon in one band."""
    first, last = 4 * rows, -1
    xa, ya = corners[n - 1, 0], corners[n - 1, 1]
    for i in range(n):
        xb, yb = corners[i, 0], corners[i, 1]
        # Sample row k lies at y = top + k/4 + 1/8; rows with low <= y < high belong to the edge.
        ka, kb = math.ceil((ya - top) * 4.0 - 0.5), math.ceil((yb - top) * 4.0 - 0.5)
        if ka != kb:
            slope = (xb - xa) / (yb - ya)
            if ka < kb:
                k0, k1 = int(max(ka, 0.0)), int(min(kb, 4.0 * rows))
                x = xa + (top + 0.25 * k0 + 0.125 - ya) * slope
                for k in range(k0, k1):
                    right[k] = x
                    x += 0.25 * slope
            else:
                k0, k1 = int(max(kb, 0.0)), int(min(ka, 4.0 * rows))
                x = xa + (top + 0.25 * k0 + 0.125 - ya) * slope
                for k in range(k0, k1):
                    left[k] = x
                    x += 0.25 * slope
            if k0 < k1:
                first, last = min(first, k0), max(last, k1 - 1)
        xa, ya = xb, yb
    # Depth as a linear function of the place, in levels, held between the depths of the vertices.
    a, b, c = plane[p, 0] * _LEVELS_PER_M, plane[p, 1] * _LEVELS_PER_M, plane[p, 2] * _LEVELS_PER_M
    z0, z1 = xyz[p, 0, 2] * _LEVELS_PER_M, xyz[p, 1, 2] * _LEVELS_PER_M
    low, high = min(z0, z1), max(z0, z1)
    if is_line:
        along = xyz[p, 1, 2] - xyz[p, 0, 2]
        a, b, c = a * along, b * along, c * along + z0
    else:
        z2 = xyz[p, 2, 2] * _LEVELS_PER_M
        low, high = min(low, z2), max(high, z2)
    lowest, highest = np.int64((low + 0.5) * _FRACTION), np.int64((high + 0.5) * _FRACTION)
    for k in range(first, last + 1):
        sample_x = _SAMPLE_X[k % 4]
        i0 = int(max(math.ceil(left[k] - sample_x), 0.0))
        i1 = int(min(math.ceil(right[k] - sample_x), float(width)))
        if i0 >= i1:
            continue
        row = k // 4
        if i0 < touched[row, 0]:
            touched[row, 0] = i0
        if i1 > touched[row, 1]:
            touched[row, 1] = i1
        run = samples[k, i0:i1]
        base = a * (i0 + sample_x) + b * (top + 0.25 * k + 0.125) + c + 0.5
        if abs(a) < _STEEP and abs(base) < _FAR_OFF:  # whole numbers add up exactly, and four at a time
            value, step = np.int64(base * _FRACTION), np.int64(a * _FRACTION)
            for i in range(run.shape[0]):
                sample = (min(max(value, lowest), highest) & ~_OWNER) | p
                run[i] = min(run[i], sample)
                value += step
        else:
            for i in range(run.shape[0]):
                level = np.int64(min(max(base + a * i, low + 0.5), high + 0.5))
                run[i] = min(run[i], (level << 32) | p)


@njit
def _shade(p: int, x: float, y: float, half_width: Any, rgb: Any, plane: Any) -> tuple[int, int, int]:
    """8-bit colour of a primitive at a point of the picture."""
    if half_width[p] > 0.0:
        t = min(max(plane[p, 0] * x + plane[p, 1] * y + plane[p, 2], 0.0), 1.0)
        red = rgb[p, 0, 0] + t * (rgb[p, 1, 0] - rgb[p, 0, 0])
        green = rgb[p, 0, 1] + t * (rgb[p, 1, 1] - rgb[p, 0, 1])
        blue = rgb[p, 0, 2] + t * (rgb[p, 1, 2] - rgb[p, 0, 2])
    else:
        red = plane[p, 3] * x + plane[p, 4] * y + plane[p, 5]
        green = plane[p, 6] * x + plane[p, 7] * y + plane[p, 8]
        blue = plane[p, 9] * x + plane[p, 10] * y + plane[p, 11]
    return (
        int(min(max(red, 0.0), 255.0) + 0.5),
        int(min(max(green, 0.0), 255.0) + 0.5),
        int(min(max(blue, 0.0), 255.0) + 0.5),
    )


@njit
def _resolve(
    top: int,
    rows: int,
    width: int,
    half_width: Any,
    rgb: Any,
    plane: Any,
    samples: Any,
    touched: Any,
    out: Any,
) -> None:
    """Mean colour of the four samples of every pixel of a band."""
    for j in range(rows):
        low, high = touched[j, 0], touched[j, 1]
        y = top + j
        if low >= high:
            out[y] = 0
            continue
        out[y, :low] = 0
        out[y, high:] = 0
        for i in range(low, high):
            s0, s1, s2, s3 = samples[4 * j, i], samples[4 * j + 1, i], samples[4 * j + 2, i], samples[4 * j + 3, i]
            if s0 & s1 & s2 & s3 == _EMPTY:
                out[y, i, 0] = out[y, i, 1] = out[y, i, 2] = 0
                continue
            if (s0 ^ s1 | s0 ^ s2 | s0 ^ s3) & _OWNER == 0:
                red, green, blue = _shade(s0 & _OWNER, i + 0.5, y + 0.5, half_width, rgb, plane)
                out[y, i, 0], out[y, i, 1], out[y, i, 2] = red, green, blue
                continue
            red = green = blue = 2  # rounds the mean to the nearest level
            for s in range(4):
                sample = samples[4 * j + s, i]
                if sample != _EMPTY:
                    r, g, bl = _shade(sample & _OWNER, i + 0.5, y + 0.5, half_width, rgb, plane)
                    red, green, blue = red + r, green + g, blue + bl
            out[y, i, 0], out[y, i, 1], out[y, i, 2] = red // 4, green // 4, blue // 4
