"""Walls with rows of windows, drawn from their place on the wall, and windows that are lit; compiled."""

from __future__ import annotations

import math
from typing import Any

from ..compiling import njit
from .sky import smooth

_GLASS, _FACADE = 2, 6
_ACROSS_M, _UP_M = 2.6, 3.1
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.24, 0.76, 0.28, 0.80
_FRAME_ACROSS, _FRAME_UP = 0.035, 0.03


@njit
def draw_facades(
    dark: float, lamps: float, material: Any, uv: Any, directions: Any, distance: Any, normal: Any, spread: Any,
    albedo: Any, gloss: Any, own: Any,
) -> None:  # fmt: skip
    """Albedo, light of its own float32 [R,3] and gloss float32 [R] of samples on walls."""
    for i in range(len(material)):
        if material[i] == _GLASS and uv[i, 0] > 0.0 and (dark > 0.0 or lamps > 0.0):
            power = float(uv[i, 0]) * (0.9 if dark > 0.0 else 1.3)
            warm = float(uv[i, 1])
            own[i, 0], own[i, 1], own[i, 2] = power, power * (1.0 - 0.3 * warm), power * (1.0 - 0.66 * warm)
        if material[i] != _FACADE or uv[i, 1] < 0.0:
            continue
        facing = 0.0
        for k in range(3):
            facing -= directions[i, k] * normal[i, k]
        size = distance[i] * spread[i] / max(facing, 0.05)
        a, c = float(uv[i, 0]) / _ACROSS_M, float(uv[i, 1]) / _UP_M
        wide, high = max(size / _ACROSS_M, 0.012), max(distance[i] * spread[i] / _UP_M, 0.012)
        glass = share(a, wide, _LEFT, _RIGHT) * share(c, high, _BOTTOM, _TOP)
        frame = share(a, wide, _LEFT - _FRAME_ACROSS, _RIGHT + _FRAME_ACROSS)
        frame = max(frame * share(c, high, _BOTTOM - _FRAME_UP, _TOP + _FRAME_UP) - glass, 0.0)
        seed = int(1000.0 * albedo[i, 0]) + int(100.0 * albedo[i, 1])
        shade = 0.93 + 0.07 * math.sin(0.37 * uv[i, 0]) * math.sin(0.23 * uv[i, 1] + 1.0)
        shade *= 1.0 - 0.10 * share(c, high, 0.0, 0.05)
        for k in range(3):
            wall = albedo[i, k] * shade
            wall += (0.53 - wall) * 0.7 * frame
            albedo[i, k] = wall + (0.032 + 0.004 * k - wall) * glass
        gloss[i] = 0.10 * glass
        if glass > 0.0 and (dark > 0.0 or lamps > 0.0):
            _light_window(i, math.floor(a), math.floor(c), seed, max(wide, high), glass, dark, own)


@njit
def _light_window(i: int, column: int, row: int, seed: int, size: float, glass: float, dark: float, own: Any) -> None:
    """Some windows are lit from inside; from far away all are, a little."""
    lit_share = 0.36 if dark > 0.0 else 0.22
    lit = 1.0 if chance(column, row, seed) < lit_share else 0.0
    lit += (lit_share - lit) * smooth(0.6, 1.6, size)
    power = lit * glass * (0.13 if dark > 0.0 else 0.34) * (0.45 + 0.55 * chance(column + 7, row, seed + 3))
    cold = chance(column, row + 5, seed) < 0.2
    own[i, 0] = power * (0.82 if cold else 1.0)
    own[i, 1] = power * (0.9 if cold else 0.72)
    own[i, 2] = power * (1.0 if cold else 0.38)


@njit
def share(at: float, width: float, low: float, high: float) -> float:
    """How much of [at - width/2, at + width/2] lies in [n + low, n + high] for any whole n."""
    return (_filled(at + 0.5 * width, low, high) - _filled(at - 0.5 * width, low, high)) / width


@njit
def _filled(at: float, low: float, high: float) -> float:
    whole = math.floor(at)
    return whole * (high - low) + min(max(at - whole - low, 0.0), high - low)


@njit
def chance(a: int, b: int, c: int) -> float:
    """A number from 0 to 1 that looks random."""
    h = (a * 374761393 + b * 668265263 + c * 1274126177) & 0x7FFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0x7FFFFFFF
    h = h ^ (h >> 16)
    return (h & 0xFFFF) / 65536.0
