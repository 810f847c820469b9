"""Anti-aliased lines and polygons at fractions of a pixel, for pictures that people look at.

Pixels: u right, v down, (0, 0) is the centre of the top-left pixel. OpenCV draws with fixed-point numbers of
limited range, so everything is cut off just outside of the picture first.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray, UInt8Array

from .palette import Rgb

_SHIFT = 4
_MARGIN_PX = 256.0


def draw_lines(
    picture: UInt8Array, lines: Iterable[FloatArray], rgb: Rgb, width_px: int = 1, closed: bool = False
) -> None:
    """Draw polylines, each float [N,2] pixels; ``closed`` joins the last point with the first."""
    high = _high(picture)
    inside: list[npt.NDArray[np.int32]] = []
    pieces: list[npt.NDArray[np.int32]] = []
    for points in lines:
        if _is_inside(points, high):
            inside.append(_fixed(points))
            continue
        ends = np.concatenate([points, points[:1]]) if closed else points
        pieces.extend(_fixed(cut_pieces(np.stack([ends[:-1], ends[1:]], axis=1), -_MARGIN_PX, high)))
    cv2.polylines(picture, inside, closed, rgb, width_px, cv2.LINE_AA, _SHIFT)
    cv2.polylines(picture, pieces, False, rgb, width_px, cv2.LINE_AA, _SHIFT)


def fill_polygon(picture: UInt8Array, outline: FloatArray, rgb: Rgb, smooth: bool = True) -> None:
    """Fill a polygon, float [N,2] pixels. Not ``smooth`` leaves no seam between polygons that touch."""
    high = _high(picture)
    if not _is_inside(outline, high):
        outline = _cut_polygon(outline, -_MARGIN_PX, high)
    if len(outline) > 2:
        cv2.fillPoly(picture, [_fixed(outline)], rgb, cv2.LINE_AA if smooth else cv2.LINE_8, _SHIFT)


def fill_disc(picture: UInt8Array, centre: FloatArray, radius_px: float, rgb: Rgb) -> None:
    """Fill a disc around a pixel [2]."""
    if _is_inside(centre[None], _high(picture)):
        u, v = _fixed(centre).tolist()
        cv2.circle(picture, (u, v), round(radius_px * 2**_SHIFT), rgb, -1, cv2.LINE_AA, _SHIFT)


def cut_pieces(pieces: FloatArray, low: FloatArray | float, high: FloatArray | float) -> FloatArray:
    """The parts of straight pieces [n,2,2] inside of an upright rectangle [m,2,2], by Liang and Barsky."""
    start, edge = pieces[:, 0], pieces[:, 1] - pieces[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = (low - start) / edge, (high - start) / edge
    level = edge == 0.0
    within = (start >= low) & (start <= high)
    enter = np.where(level, np.where(within, -np.inf, np.inf), np.minimum(to_low, to_high)).max(axis=1)
    leave = np.where(level, np.inf, np.maximum(to_low, to_high)).min(axis=1)
    enter, leave = np.maximum(enter, 0.0), np.minimum(leave, 1.0)
    kept = enter <= leave
    start, edge, enter, leave = start[kept], edge[kept], enter[kept, None], leave[kept, None]
    return np.stack([start + edge * enter, start + edge * leave], axis=1)


def _cut_polygon(outline: FloatArray, low: float, high: FloatArray) -> FloatArray:
    """The part of a polygon inside of an upright rectangle, by Sutherland and Hodgman."""
    for axis in (0, 1):
        for sign, bound in ((1.0, low), (-1.0, -high[axis])):
            if not len(outline):
                return outline
            beyond = sign * outline[:, axis] - bound  # >= 0 inside
            after, next_beyond = np.roll(outline, -1, axis=0), np.roll(beyond, -1)
            crosses = (beyond >= 0) != (next_beyond >= 0)
            share = np.where(crosses, beyond / np.where(crosses, beyond - next_beyond, 1.0), 0.0)
            crossings = outline + (after - outline) * share[:, None]
            both = np.stack([outline, crossings], axis=1).reshape(-1, 2)
            outline = both[np.stack([beyond >= 0, crosses], axis=1).ravel()]
    return outline


def _high(picture: UInt8Array) -> FloatArray:
    return np.array([picture.shape[1], picture.shape[0]]) + _MARGIN_PX


def _is_inside(points: FloatArray, high: FloatArray) -> bool:
    return bool((points >= -_MARGIN_PX).all() and (points <= high).all())


def _fixed(points: FloatArray) -> npt.NDArray[np.int32]:
    return np.asarray(np.round(points * 2**_SHIFT), dtype=np.int32)
