"""The sky in any direction, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiling import njit
from .noise import tile

_CLOUD_TILE = 512
_CLOUDS_PER_TILE = 9.0


def cloud_tile() -> Any:
    """The clouds' density, float32 [S,S], that repeats."""
    return np.ascontiguousarray(tile("clouds", _CLOUD_TILE, 4, 128, 0.55))


@njit
def smooth(low: float, high: float, value: float) -> float:
    """0 below ``low``, 1 above ``high``, an S between."""
    x = min(max((value - low) / (high - low), 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@njit
def tiled(picture: Any, x: float, y: float) -> Any:
    """A repeating picture [S,S] at any place, in its pixels, bilinear."""
    side = len(picture)
    fx, fy = math.floor(x), math.floor(y)
    i, j = int(fx) % side, int(fy) % side
    a, b = x - fx, y - fy
    k, m = (i + 1) % side, (j + 1) % side
    near = picture[i, j] * (1 - b) + picture[i, m] * b
    far = picture[k, j] * (1 - b) + picture[k, m] * b
    return near * (1 - a) + far * a


@njit
def clear_sky(light: Any, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """The sky without clouds and without the sun's disc; below the horizon the horizon's colour."""
    up = max(dz, 0.0)
    share = math.exp(-4.2 * up) * 0.85 + 0.15 * (1.0 - up)
    towards = max(dx * light.sun[0] + dy * light.sun[1] + dz * light.sun[2], 0.0)
    near = towards**4 * 0.35 + towards**48 * 0.9
    near *= 0.35 + 0.65 * share
    return (
        light.zenith[0] + (light.horizon[0] - light.zenith[0]) * share + light.glow[0] * near,
        light.zenith[1] + (light.horizon[1] - light.zenith[1]) * share + light.glow[1] * near,
        light.zenith[2] + (light.horizon[2] - light.zenith[2]) * share + light.glow[2] * near,
    )


@njit
def sky(light: Any, clouds: Any, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """The whole sky: gradient, glow and disc of the sun, clouds that fade into the horizon."""
    r, g, b = clear_sky(light, dx, dy, dz)
    towards = dx * light.sun[0] + dy * light.sun[1] + dz * light.sun[2]
    disc = smooth(0.99985, 0.99996, towards) * light.glare + smooth(0.996, 1.0, towards) ** 2 * 0.04 * light.glare
    veil = 0.0
    if dz > 0.015 and light.cover > 0.0:
        scale = _CLOUD_TILE / _CLOUDS_PER_TILE / (dz + 0.13)
        x, y = dx * scale, dy * scale
        density = tiled(clouds, x, y) + 0.35 * tiled(clouds, 3.1 * x + 17.0, 3.1 * y + 5.0)
        if light.cover >= 1.0:
            veil = 1.0
            lit = 0.5 + 0.22 * density
        else:
            edge = 1.5 - 2.6 * light.cover
            veil = smooth(edge, edge + 0.9, density)
            inside = smooth(edge + 0.3, edge + 1.9, density)
            lit = 1.0 - 0.75 * inside + 0.35 * max(towards, 0.0) ** 8 * (1.0 - inside)
        veil *= smooth(0.015, 0.16, dz)
        lit = min(max(lit, 0.0), 1.25)
        r += (light.cloud_shade[0] + (light.cloud[0] - light.cloud_shade[0]) * lit - r) * veil
        g += (light.cloud_shade[1] + (light.cloud[1] - light.cloud_shade[1]) * lit - g) * veil
        b += (light.cloud_shade[2] + (light.cloud[2] - light.cloud_shade[2]) * lit - b) * veil
    disc *= (1.0 - veil) * light.glare / max(light.glare, 1e-9)
    return r + disc * light.sun_rgb[0], g + disc * light.sun_rgb[1], b + disc * light.sun_rgb[2]
