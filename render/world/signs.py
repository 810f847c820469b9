"""Traffic signs: plates whose shape and colours follow their category, German or American."""

from __future__ import annotations

import re

import numpy as np

from scenegraph import TrafficSign
from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .shapes import polygon
from .walls import Rgb

_WHITE, _BLACK, _RED = (0.72, 0.72, 0.70), (0.015, 0.015, 0.015), (0.50, 0.012, 0.015)
_YELLOW, _BLUE, _GREEN, _ORANGE = (0.70, 0.44, 0.01), (0.01, 0.06, 0.30), (0.005, 0.16, 0.07), (0.6, 0.2, 0.01)
_BACK_RGB = (0.30, 0.30, 0.31)
_LEAST_M = 0.6
_LAYER_M = 0.006
_SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
_STROKES = {
    "a": (-0.5, 0.8, 0.5, 1.0), "b": (0.3, 0.0, 0.5, 1.0), "c": (0.3, -1.0, 0.5, 0.0), "d": (-0.5, -1.0, 0.5, -0.8),
    "e": (-0.5, -1.0, -0.3, 0.0), "f": (-0.5, 0.0, -0.3, 1.0), "g": (-0.5, -0.1, 0.5, 0.1),
}  # fmt: skip


def sign_mesh(sign: TrafficSign, speed_kmh: int | None = None) -> Mesh:
    """The plate in the world, looking along its box's x. speed_kmh: what a sign of a speed limit shows."""
    width, height = (max(side, _LEAST_M) if side < 0.1 else side for side in (sign.width_m, sign.height_m))
    front = sign.length_m / 2 + 0.01
    layers = _layers(sign.category, width, height, speed_kmh)
    parts = [
        polygon(np.column_stack([np.full(len(shape), front + _LAYER_M * level), shape]), Material.SIGN, colour)
        for level, (shape, colour) in enumerate(layers)
    ]
    outline = layers[0][0][::-1]
    parts.append(
        polygon(
            np.column_stack([np.full(len(outline), -sign.length_m / 2 - 0.005), outline]), Material.METAL, _BACK_RGB
        )
    )
    pose = sign.world_from_box
    return joined(parts).moved(pose.rotation, pose.translation_m)


def _layers(category: str, width: float, height: float, speed_kmh: int | None) -> list[tuple[FloatArray, Rgb]]:
    """Flat shapes (y, z) in metres with their colours, from the back to the front. Seen from before, y goes right."""
    half = min(width, height) / 2
    kind = _kind(category)
    if kind == "stop":
        return [(_ring(half, 8), _WHITE), (_ring(half * 0.93, 8), _RED), *_bars(half, _WHITE)]
    if kind == "yield":
        return [(_triangle(half, -1), _RED), (_triangle(half * 0.58, -1), _WHITE)]
    if kind == "warning":
        return [
            (_triangle(half, 1), _RED),
            (_triangle(half * 0.62, 1), _WHITE),
            (_rect(0, -0.18 * half, 0.07 * half, 0.25 * half), _BLACK),
        ]
    if kind == "warning_us":
        return [
            (_diamond(half), _BLACK),
            (_diamond(half * 0.93), _YELLOW),
            (_rect(0, 0, 0.1 * half, 0.4 * half), _BLACK),
        ]
    if kind == "priority":
        return [(_diamond(half), _WHITE), (_diamond(half * 0.72), _YELLOW)]
    if kind == "limit":
        digits = _digits(speed_kmh, half * 0.5) if speed_kmh else [_rect(0, 0, half * 0.4, half * 0.1)]
        return [(_ring(half, 18), _RED), (_ring(half * 0.76, 18), _WHITE), *((digit, _BLACK) for digit in digits)]
    if kind == "limit_us":
        box = _rect(0, 0, width / 2, height / 2)
        digits = [
            stroke - [0, height * 0.12] for stroke in _digits(round((speed_kmh or 56) / 1.609 / 5) * 5, half * 0.55)
        ]
        lines = [_rect(0, height * z, width * 0.32, height * 0.04) for z in (0.36, 0.25)]
        return [(box, _BLACK), (box * 0.95, _WHITE), *((shape, _BLACK) for shape in (*lines, *digits))]
    if kind == "no_entry":
        return [
            (_ring(half, 18), _WHITE),
            (_ring(half * 0.96, 18), _RED),
            (_rect(0, 0, half * 0.68, half * 0.15), _WHITE),
        ]
    if kind == "forbidden":
        return [(_ring(half, 18), _RED), (_ring(half * 0.76, 18), _WHITE)]
    if kind == "mandatory":
        return [(_ring(half, 18), _WHITE), (_ring(half * 0.95, 18), _BLUE), *_arrow(half, _WHITE)]
    board = _rect(0, 0, width / 2, height / 2)
    if kind == "works":
        return [(_diamond(half), _BLACK), (_diamond(half * 0.93), _ORANGE)]
    if kind == "regulatory_us":
        return [
            (board, _BLACK),
            (board * 0.95, _WHITE),
            (_rect(0, 0.12 * height, width * 0.3, height * 0.05), _BLACK),
            (_rect(0, -0.12 * height, width * 0.3, height * 0.05), _BLACK),
        ]
    colour = _GREEN if kind == "guide" else _BLUE
    lines = [
        _rect(-0.06 * width, z * height, 0.32 * width, 0.05 * height)
        for z in ((0.18, -0.14) if height > 0.35 else (0.0,))
    ]
    return [(board, _WHITE), (board * (1 - 0.06 / max(width, height)), colour), *((line, _WHITE) for line in lines)]


def _kind(category: str) -> str:
    """What a sign says, from the words and codes that maps use."""
    word, number = category.upper(), re.match(r"\d+", category)
    if number:
        code = int(number.group())
        named = {206: "stop", 205: "yield", 274: "limit", 306: "priority", 301: "priority", 267: "no_entry"}
        if code in named:
            return named[code]
        return (
            "warning" if code < 200 else "mandatory" if 209 <= code <= 241 else "forbidden" if code < 300 else "board"
        )
    for fragment, kind in _WORDS:
        if fragment in word:
            return kind
    return "board"


_WORDS = (
    ("STOP_AHEAD", "warning_us"), ("STOP", "stop"), ("YIELD", "yield"), ("GIVE_WAY", "yield"), ("SPEED", "limit_us"),
    ("DO_NOT_ENTER", "no_entry"), ("NO_ENTRY", "no_entry"), ("WARNING", "warning_us"), ("WORK", "works"),
    ("CONSTRUCTION", "works"), ("PRIORITY", "priority"), ("REGULATORY", "regulatory_us"), ("GUIDE", "guide"),
    ("INFORMATION", "guide"), ("DIRECTION", "guide"),
)  # fmt: skip


def _ring(radius: float, sides: int) -> FloatArray:
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    circle: FloatArray = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (radius / np.cos(np.pi / sides))
    return circle


def _triangle(half: float, up: int) -> FloatArray:
    return np.array([[-1.0, -0.86 * up], [1.0, -0.86 * up], [0.0, 0.9 * up]])[::up] * half * 0.98


def _diamond(half: float) -> FloatArray:
    return np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]) * half


def _rect(y: float, z: float, half_y: float, half_z: float) -> FloatArray:
    return np.array(
        [[y - half_y, z - half_z], [y + half_y, z - half_z], [y + half_y, z + half_z], [y - half_y, z + half_z]]
    )


def _bars(half: float, colour: Rgb) -> list[tuple[FloatArray, Rgb]]:
    """Four upright strokes where the letters of STOP are."""
    letters = []
    for number in range(4):
        y = (number - 1.5) * 0.36 * half
        letters.append((_rect(y, 0, 0.11 * half, 0.26 * half), colour))
        letters.append(
            (_rect(y + (0.02 if number % 2 else -0.02) * half, 0.02 * half, 0.035 * half, 0.13 * half), _RED)
        )
    return letters


def _arrow(half: float, colour: Rgb) -> list[tuple[FloatArray, Rgb]]:
    head = np.array([[-0.35, 0.1], [0.35, 0.1], [0.0, 0.62]]) * half
    return [(_rect(0, -0.2 * half, 0.11 * half, 0.4 * half), colour), (head, colour)]


def _digits(number: int, high: float) -> list[FloatArray]:
    """Strokes of a number, its digits ``high`` tall above and below the middle."""
    text = str(number)
    pitch, narrow = (1.25, 0.9) if len(text) < 3 else (0.95, 0.68)
    strokes = []
    for place, digit in enumerate(text):
        shift = (place - (len(text) - 1) / 2) * pitch * high
        for segment in _SEGMENTS[digit]:
            low_y, low_z, high_y, high_z = _STROKES[segment]
            y, z = (low_y + high_y) / 2, (low_z + high_z) / 2
            strokes.append(
                _rect(
                    shift + y * narrow * high,
                    z * high * 0.8,
                    (high_y - low_y) / 2 * narrow * high + 0.002,
                    (high_z - low_z) / 2 * high * 0.8,
                )
            )
    return strokes
