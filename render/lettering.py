"""Small, smooth text on pictures: OpenCV's stroke font drawn large and shrunk. Latin letters and digits only."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from scenegraph.arrays import UInt8Array, frozen

from .palette import Rgb

Align = Literal["left", "centre", "right"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_CAPITAL_PX = 22.0
_OVERSAMPLING = 4
_STROKE_SHARE = 0.125
"""Stroke width per height of a capital."""


def text_width_px(text: str, capital_px: float) -> int:
    """Width of a line of text whose capitals are ``capital_px`` high."""
    (width, _), _ = cv2.getTextSize(text, _FONT, _OVERSAMPLING * capital_px / _FONT_CAPITAL_PX, 1)
    return -(-int(width) // _OVERSAMPLING)


def shortened(text: str, capital_px: float, max_width_px: float) -> str:
    """The text, its end replaced by dots where it is too wide; empty when not even those fit."""
    if text_width_px(text, capital_px) <= max_width_px:
        return text
    for length in range(len(text) - 1, 0, -1):
        candidate = text[:length].rstrip() + ".."
        if text_width_px(candidate, capital_px) <= max_width_px:
            return candidate
    return ""


def write_text(
    picture: UInt8Array, text: str, x_px: int, baseline_px: int, capital_px: float, rgb: Rgb, align: Align = "left"
) -> None:
    """Write one line of text into a picture [H,W,3]; what lies outside of it is cut off."""
    mask = _mask(text, capital_px)
    margin = _margin_px(capital_px)
    shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * text_width_px(text, capital_px)
    left, top = x_px - margin - round(shift), baseline_px + 2 * margin - mask.shape[0]
    first_row, first_column = max(-top, 0), max(-left, 0)
    part = picture[max(top, 0) : max(top + mask.shape[0], 0), max(left, 0) : max(left + mask.shape[1], 0)]
    ink = mask[first_row : first_row + part.shape[0], first_column : first_column + part.shape[1], None]
    part[:] = part + ((np.array(rgb) - part) * (ink / 255.0)).round().astype(np.int16)


def _margin_px(capital_px: float) -> int:
    """Room below the baseline is two margins, room on the other sides is one."""
    return int(0.3 * capital_px) + 2


@lru_cache(maxsize=1024)
def _mask(text: str, capital_px: float) -> UInt8Array:
    """How much ink every pixel gets, uint8 [h,w]."""
    margin = _margin_px(capital_px)
    height, width = int(capital_px + 0.999) + 3 * margin, text_width_px(text, capital_px) + 2 * margin
    large = np.zeros((_OVERSAMPLING * height, _OVERSAMPLING * width), dtype=np.uint8)
    origin = _OVERSAMPLING * margin, _OVERSAMPLING * (height - 2 * margin)
    scale = _OVERSAMPLING * capital_px / _FONT_CAPITAL_PX
    stroke_px = max(1, round(_OVERSAMPLING * _STROKE_SHARE * capital_px))
    cv2.putText(large, text, origin, _FONT, scale, (255,), stroke_px, cv2.LINE_AA)
    return frozen(np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8))
