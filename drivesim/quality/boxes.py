"""Boxes: how much pictures differ across the outline of an actor's box, against the outline at an empty place."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph.arrays import BoolArray, UInt8Array

from .adherence import Adherence, Row
from .clip_sight import ClipSight, dilated, lab, measured_frames

SMALLEST_PX: Final = 100
MARGIN: Final = 0.5

_RING_PX, _PLACES, _STEP_PX = 3, 8, 4
_WINDOW_PX = 9
_FEWEST_RING_PX = 20
_LEAST_SHARE = 0.05
_DETAIL_WEIGHT = 2.0

Float32Array = npt.NDArray[np.float32]


class _Outline(NamedTuple):
    """The visible part of a box, cut out: inside and around it bool [h,w], and where its top left pixel is."""

    inside: BoolArray
    around: BoolArray
    top: int
    left: int


def box_adherence(frames: UInt8Array, sight: ClipSight) -> Adherence:
    """How different both sides of the outline of what is visible of every actor's box look.

    frames: uint8 [V,T,H,W,3]. The difference is in colour (CIELAB) and in detail, twice the mean slope of colour, since
    cars are grey as roads are, but not as smooth. Both are means over windows of 9 px, inside and up to 3 px outside,
    so it is what is near the outline that counts.

    Per picture it is the mean over its actors of at least 100 pixels, weighted by the square root of their pixels; the
    null is the median of up to 8 places in the same rows of the same picture where no box is. An actor without such a
    place does not count.
    """
    frames = measured_frames(frames, sight)
    views, times = sight.shape[:2]
    rows = []
    for view in range(views):
        for t in range(times):
            found = np.array(_contrasts(_looks(frames[view, t]), sight.instance[view, t]))
            if len(found):
                weights = np.sqrt(found[:, 0])
                value, null = np.average(found[:, 1:], axis=0, weights=weights)
                rows.append(Row(view, t, float(weights.sum()), float(value), float(null)))
    return Adherence.of(rows, MARGIN)


def _looks(picture: UInt8Array) -> Float32Array:
    """Colour and detail of every pixel, [H,W,4]."""
    colours = lab(picture)
    slopes = [cv2.Sobel(colours, cv2.CV_32F, *along, scale=1 / 8) for along in ((1, 0), (0, 1))]
    detail = np.sqrt(sum((np.square(slope).sum(axis=-1) for slope in slopes), np.zeros(colours.shape[:2], np.float32)))
    return np.concatenate([colours, _DETAIL_WEIGHT * detail[..., None]], axis=-1)


def _contrasts(looks: Float32Array, instance: npt.NDArray[np.int32]) -> list[tuple[int, float, float]]:
    """Pixels, contrast and null of every actor of a picture."""
    taken = dilated(instance >= 0, _RING_PX)
    found = []
    for actor in np.unique(instance[instance >= 0]):
        outline = _outline(instance, int(actor))
        if outline is None:
            continue
        places = _empty_places(outline, taken)
        if places:
            own = _contrast(looks, outline, outline.left)
            null = float(np.median([_contrast(looks, outline, left) for left in places]))
            found.append((np.count_nonzero(outline.inside), own, null))
    return found


def _outline(instance: npt.NDArray[np.int32], actor: int) -> _Outline | None:
    """None for a small one, or one that other actors surround."""
    whole = instance == actor
    if np.count_nonzero(whole) < SMALLEST_PX:
        return None
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    top, left = (max(int(line[0]) - _RING_PX, 0) for line in (rows, columns))
    cut = slice(top, int(rows[-1]) + _RING_PX + 1), slice(left, int(columns[-1]) + _RING_PX + 1)
    inside = whole[cut]
    around = dilated(inside, _RING_PX) & (instance[cut] < 0)
    return _Outline(inside, around, top, left) if np.count_nonzero(around) >= _FEWEST_RING_PX else None


def _empty_places(outline: _Outline, taken: BoolArray) -> list[int]:
    """Where else in its rows an outline meets no box: columns, evenly chosen."""
    height, width = outline.inside.shape
    rows = taken[outline.top : outline.top + height]
    covered = outline.inside | outline.around
    free = [
        left
        for left in range(0, taken.shape[1] - width + 1, _STEP_PX)
        if not (rows[:, left : left + width] & covered).any()
    ]
    chosen = np.linspace(0, len(free) - 1, min(_PLACES, len(free))).round().astype(int)
    return [free[index] for index in chosen]


def _contrast(looks: Float32Array, outline: _Outline, left: int) -> float:
    """Mean distance between the mean looks of both sides, along an outline in these columns."""
    height, width = outline.inside.shape
    cut = looks[outline.top : outline.top + height, left : left + width]
    means, shares = zip(*(_window_mean(cut, mask) for mask in (outline.inside, outline.around)), strict=True)
    near = outline.around & (shares[0] > _LEAST_SHARE) & (shares[1] > _LEAST_SHARE)
    return float(np.linalg.norm(means[0] - means[1], axis=-1)[near].mean()) if near.any() else 0.0


def _window_mean(looks: Float32Array, mask: BoolArray) -> tuple[Float32Array, npt.NDArray[np.float32]]:
    """Mean look [h,w,4] of the masked pixels around every pixel, and their share of the window."""
    weight, size = mask.astype(np.float32), (_WINDOW_PX, _WINDOW_PX)
    share = np.asarray(cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT), dtype=np.float32)
    total = cv2.blur(looks * weight[..., None], size, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(share, 1e-6)[..., None], dtype=np.float32), share
