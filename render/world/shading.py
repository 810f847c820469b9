"""The light that surfaces receive and send on; compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiling import njit
from .contact import openness
from .lamps import lamp_light
from .sky import clear_sky, sky, smooth, tiled

_MATTE, _PAINTWORK, _GLASS, _RUBBER, _METAL, _FOLIAGE, _FACADE, _GROUND = 0, 1, 2, 3, 4, 5, 6, 7
_HEADLAMP, _TAILLAMP, _LAMP, _SIGNAL, _SIGN, _SKY = 8, 9, 10, 11, 12, 255
_SNOW_R, _SNOW_G, _SNOW_B = 0.78, 0.81, 0.86


@njit
def illuminate(
    light: Any, open_sky: Any, under: Any, lamps: Any, grain: Any, material: Any, place: Any, normal: Any, size: Any,
    sunlit: Any, owner: Any, albedo: Any, falling: Any,
) -> None:  # fmt: skip
    """The light float32 [R,3] that falls on samples that are size [R] metres large; snow and leaves change
    their albedo float32 [R,3]."""
    sx, sy, sz = light.sun
    for i in range(len(material)):
        m = material[i]
        if m == _SKY:
            continue
        x, y, z = float(place[i, 0]), float(place[i, 1]), float(place[i, 2])
        nx, ny, nz = float(normal[i, 0]), float(normal[i, 1]), float(normal[i, 2])
        if m == _FOLIAGE:
            near = 1.0 - smooth(0.04, 0.25, size[i])
            leaf = tiled(grain, 21.0 * (x + 0.71 * z), 21.0 * (y - 0.53 * z))
            bough = tiled(grain, 4.3 * (x - 0.62 * z) + 9.0, 4.3 * (y + 0.57 * z))
            clump = max(0.95 + 0.22 * bough + 0.24 * near * leaf, 0.25)
            for k in range(3):
                albedo[i, k] *= clump
            # Leaves point anywhere: facets of the crown disappear.
            nx, ny, nz = nx + 0.32 * bough + 0.2 * near * leaf, ny + 0.32 * leaf, nz + 0.25 * bough
            length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / length, ny / length, nz / length
        if light.snow > 0.0 and owner[i] < 0 and m != _GROUND:
            _snow_on(i, m, nz, x, y, z, albedo)
        seen = openness(open_sky, x + 0.8 * nx, y + 0.8 * ny)
        if m == _GROUND:
            seen *= openness(under, x, y)
        elif m in (_FACADE, _FOLIAGE):
            seen = 0.45 + 0.55 * seen
        else:
            seen = 0.25 + 0.75 * seen
        up = 0.5 + 0.5 * nz
        r = (light.below[0] + (light.above[0] - light.below[0]) * up) * seen
        g = (light.below[1] + (light.above[1] - light.below[1]) * up) * seen
        b = (light.below[2] + (light.above[2] - light.below[2]) * up) * seen
        if sunlit[i]:
            sun = nx * sx + ny * sy + nz * sz
            if m == _FOLIAGE:
                sun = 0.22 + 0.78 * sun
            if sun > 0.0:
                r += light.sun_rgb[0] * sun
                g += light.sun_rgb[1] * sun
                b += light.sun_rgb[2] * sun
        if light.lamps > 0.0:
            pr, pg, pb = lamp_light(lamps, x, y, z, nx, ny, nz)
            back = 3.0 if m == _SIGN else 1.0  # plates send light back to where it comes from
            r, g, b = r + back * pr, g + back * pg, b + back * pb
        falling[i, 0], falling[i, 1], falling[i, 2] = r, g, b


@njit
def _snow_on(i: int, material: int, nz: float, x: float, y: float, z: float, albedo: Any) -> None:
    """Snow that lies on a still thing."""
    if material == _FOLIAGE:
        cover = 0.75 * smooth(0.0, 0.9, nz) * smooth(0.25, 0.75, _lump(1.7 * x, 1.7 * y, 1.7 * z) + 0.2 * nz)
    else:
        cover = 0.94 * smooth(0.45, 0.7, nz)
    albedo[i, 0] += (_SNOW_R - albedo[i, 0]) * cover
    albedo[i, 1] += (_SNOW_G - albedo[i, 1]) * cover
    albedo[i, 2] += (_SNOW_B - albedo[i, 2]) * cover


@njit
def radiate(
    light: Any, clouds: Any, glow: Any, material: Any, owner: Any, directions: Any, distance: Any, normal: Any,
    sunlit: Any, colour: Any, albedo: Any, gloss: Any, own: Any, falling: Any, mirrored: Any, water: Any, out: Any,
) -> None:  # fmt: skip
    """The light float32 [R,3] that samples send along their rays, through the air between."""
    for i in range(len(material)):
        m = material[i]
        dx, dy, dz = float(directions[i, 0]), float(directions[i, 1]), float(directions[i, 2])
        if m == _SKY:
            r, g, b = sky(light, clouds, dx, dy, dz)
            away = 6000.0 * math.exp(-6.0 * max(dz, 0.0)) if light.cover >= 1.0 else 0.0
        else:
            nx, ny, nz = float(normal[i, 0]), float(normal[i, 1]), float(normal[i, 2])
            away = float(distance[i])
            facing = min(max(-(dx * nx + dy * ny + dz * nz), 0.02), 1.0)
            ar, ag, ab = float(albedo[i, 0]), float(albedo[i, 1]), float(albedo[i, 2])
            shine = float(gloss[i])
            if m == _PAINTWORK:
                shine = 0.06
            elif m == _GLASS:
                ar, ag, ab, shine = 0.2 * ar + 0.010, 0.2 * ag + 0.012, 0.2 * ab + 0.014, 0.10
            elif m == _METAL:
                shine = 0.12
            r, g, b = ar * falling[i, 0], ag * falling[i, 1], ab * falling[i, 2]
            if shine > 0.0:
                graze = (1.0 - facing) * (1.0 - facing)
                mirror = shine + (1.0 - shine) * graze * graze * (1.0 - facing)
                along = -2.0 * (dx * nx + dy * ny + dz * nz)
                mx, my, mz = dx + along * nx, dy + along * ny, dz + along * nz
                er, eg, eb = _around(light, mx, my, mz)
                r, g, b = r + (er - r) * mirror, g + (eg - g) * mirror, b + (eb - b) * mirror
                if sunlit[i] and m != _FACADE:
                    towards = max(mx * light.sun[0] + my * light.sun[1] + mz * light.sun[2], 0.0)
                    spot = (towards**300 * 16.0 + towards**30 * 0.4) * (mirror + 0.04)
                    r, g, b = r + light.sun_rgb[0] * spot, g + light.sun_rgb[1] * spot, b + light.sun_rgb[2] * spot
            if water[i] > 0.0:
                graze = (1.0 - facing) * (1.0 - facing)
                mirror = water[i] * (0.03 + 0.97 * graze * graze * (1.0 - facing))
                r += (mirrored[i, 0] - r) * mirror
                g += (mirrored[i, 1] - g) * mirror
                b += (mirrored[i, 2] - b) * mirror
            if m >= _HEADLAMP and m != _SIGN:
                lr, lg, lb = _shining(light, glow, m, owner[i], colour[i, 0], colour[i, 1], colour[i, 2])
                r, g, b = 0.6 * r + lr, 0.6 * g + lg, 0.6 * b + lb
            r, g, b = r + own[i, 0], g + own[i, 1], b + own[i, 2]
        kept = math.exp(-light.haze_per_m * away)
        if kept < 0.999:
            hr, hg, hb = clear_sky(light, dx, dy, min(max(dz, 0.0), 0.12))
            r, g, b = hr + (r - hr) * kept, hg + (g - hg) * kept, hb + (b - hb) * kept
        out[i, 0], out[i, 1], out[i, 2] = r, g, b


@njit
def _shining(
    light: Any, glow: Any, material: int, owner: int, r: float, g: float, b: float
) -> tuple[float, float, float]:
    """Light of lamps and signals themselves."""
    if material == _SIGNAL:
        power = 1.8 if light.dark == 0.0 else 0.55
        return r * power, g * power, b * power
    if material == _LAMP:
        power = light.lamps * (1.4 if light.dark == 0.0 else 1.6)
        return power, power * 0.84, power * 0.58
    if owner < 0:
        return 0.0, 0.0, 0.0
    if material == _HEADLAMP:
        power = glow[owner, 0]
        return power, power * 0.96, power * 0.88
    power = glow[owner, 1]
    return power, power * 0.05, power * 0.03


@njit
def _around(light: Any, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """A rough picture of what is around, for mirrors: sky, a dark band of things at the horizon, ground."""
    r, g, b = clear_sky(light, dx, dy, dz)
    band = 1.0 - 0.62 * (1.0 - smooth(0.02, 0.30, dz))
    ground = 1.0 - smooth(-0.12, 0.02, dz)
    up = light.above
    return (
        r * band + (0.13 * up[0] - r * band) * ground,
        g * band + (0.13 * up[1] - g * band) * ground,
        b * band + (0.13 * up[2] - b * band) * ground,
    )


@njit
def _lump(x: float, y: float, z: float) -> float:
    """Bumps of leaves, 0 to 1."""
    a = math.sin(5.1 * x + 1.7 * math.sin(3.3 * z)) * math.sin(4.7 * y + 1.3 * math.sin(2.9 * x)) * math.sin(5.3 * z)
    return 0.5 + 0.5 * a


@njit
def mirror_rays(grain: Any, place: Any, directions: Any, distance: Any, spread: Any, chosen: Any, out: Any) -> None:
    """Directions float32 [N,3] into which rippled water mirrors the rays of chosen samples [N]."""
    for j in range(len(chosen)):
        i = chosen[j]
        x, y = float(place[i, 0]), float(place[i, 1])
        dx, dy, dz = float(directions[i, 0]), float(directions[i, 1]), max(-float(directions[i, 2]), 0.002)
        size = distance[i] * spread[i] / dz
        fine, coarse = 0.010 * (1.0 - smooth(0.05, 0.3, size)), 0.010 * (1.0 - smooth(0.2, 1.2, size))
        a = tiled(grain, x * 11.0, y * 11.0) * fine + tiled(grain, x * 2.3, y * 2.3) * coarse
        b = tiled(grain, y * 11.0 + 7.0, x * 11.0) * fine + tiled(grain, y * 2.3, x * 2.3 + 3.0) * coarse
        dx, dy, dz = dx + 0.4 * a, dy + 0.4 * b, dz + 0.9 * abs(b)
        length = math.sqrt(dx * dx + dy * dy + dz * dz)
        out[j, 0], out[j, 1], out[j, 2] = dx / length, dy / length, dz / length


@njit
def resolve(pixel: Any, light: Any, out: Any) -> None:
    """The mean float32 [P,3] of all samples [R,3] of every pixel [R]."""
    count = np.zeros(len(out), np.int32)
    out[:] = 0.0
    for i in range(len(pixel)):
        p = pixel[i]
        count[p] += 1
        for k in range(3):
            out[p, k] += light[i, k]
    for p in range(len(out)):
        for k in range(3):
            out[p, k] /= max(count[p], 1)
