"""The colour of places on the ground, as wide as a pixel sees them; compiled."""

from __future__ import annotations

from typing import Any

from ..compiling import njit
from .pyramid import covers, is_blank, read
from .sky import smooth, tiled

_GROUND = 7
_PAINT_TAPS, _BASE_TAPS = 24, 4
_GRAIN_PER_M = 64.0


@njit
def draw_ground(
    pictures: Any, grain: Any, wet: float, material: Any, place: Any, directions: Any, distance: Any, normal: Any,
    spread: Any, albedo: Any, water: Any,
) -> None:  # fmt: skip
    """Albedo float32 [R,3] and water float32 [R], the share of the surface that is wet, of samples on the ground."""
    for i in range(len(material)):
        if material[i] != _GROUND:
            continue
        x, y = float(place[i, 0]), float(place[i, 1])
        dx, dy = float(directions[i, 0]), float(directions[i, 1])
        facing = 0.0
        for k in range(3):
            facing -= directions[i, k] * normal[i, k]
        minor = distance[i] * spread[i]
        major = minor / max(facing, 0.01)
        flat = max((dx * dx + dy * dy) ** 0.5, 1e-9)
        dx, dy = dx / flat, dy / flat
        if covers(pictures.fine, x, y):
            r, g, b, paved = read(pictures.fine, x, y, dx, dy, minor, major, _BASE_TAPS)
            painted = not is_blank(pictures.fine_paint, x, y, major)
        else:
            r, g, b, paved = read(pictures.coarse, x, y, dx, dy, minor, major, _BASE_TAPS)
            painted = not is_blank(pictures.coarse_paint, x, y, major)
        r, g, b, paved = (r / 255.0) ** 2, (g / 255.0) ** 2, (b / 255.0) ** 2, paved / 255.0
        change = _grain(grain, x, y, (minor * major) ** 0.5, paved)
        if wet > 0.0:
            pool = tiled(grain, x * 1.7 + 11.0, y * 1.7 + 3.0) * 0.5 + tiled(grain, x * 5.3, y * 5.3) * 0.15
            water[i] = wet * paved * (0.40 + 0.60 * smooth(0.1, 0.6, pool))
            change *= 1.0 - 0.45 * wet * (0.5 + 0.5 * paved)
        r, g, b = r * change, g * change, b * change
        if painted:
            if covers(pictures.fine, x, y):
                pr, pg, pb, pa = read(pictures.fine_paint, x, y, dx, dy, minor, major, _PAINT_TAPS)
            else:
                pr, pg, pb, pa = read(pictures.coarse_paint, x, y, dx, dy, minor, major, _PAINT_TAPS)
            keep = 1.0 - pa / 255.0
            r, g, b = r * keep + pr / 255.0, g * keep + pg / 255.0, b * keep + pb / 255.0
        albedo[i, 0], albedo[i, 1], albedo[i, 2] = r, g, b


@njit
def _grain(grain: Any, x: float, y: float, size: float, paved: float) -> Any:
    """Grain that is finer than the pictures, where a pixel of ``size`` metres is small enough to show it."""
    if size > 0.3:
        return 1.0
    fine, coarse = 0.11 * (1.0 - smooth(0.01, 0.08, size)), 0.055 * (1.0 - smooth(0.06, 0.3, size))
    if paved < 0.4:
        fine, coarse = 2.4 * fine, 4.0 * coarse
    change = coarse * tiled(grain, x * 0.21 * _GRAIN_PER_M + 91.0, y * 0.21 * _GRAIN_PER_M + 37.0)
    if fine > 0.004:
        change += fine * tiled(grain, x * _GRAIN_PER_M, y * _GRAIN_PER_M)
    return max(1.0 + change, 0.25)


@njit
def kind_of_ground(pictures: Any, x: float, y: float) -> int:
    """The semantic class of a place on the ground."""
    if covers(pictures.fine, x, y):
        picture, kinds = pictures.fine, pictures.fine_kinds
    else:
        picture, kinds = pictures.coarse, pictures.coarse_kinds
    row = int((x - picture.x_m) / picture.texel_m)
    column = int((y - picture.y_m) / picture.texel_m)
    row = min(max(row, 0), kinds.shape[0] - 1)
    column = min(max(column, 0), kinds.shape[1] - 1)
    return int(kinds[row, column])
