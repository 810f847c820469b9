"""Buildings of every kind, made by code from a handful of random choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .mesh import Material, Mesh, joined
from .place_styles import BuildingKind
from .shapes import box, quads
from .walls import (
    ALONE,
    BAY_M,
    STOREY_M,
    Neighbours,
    Rgb,
    balconies,
    band,
    chimney,
    door,
    dormer,
    flat_roof,
    gable_roof,
    hip_roof,
    plinth,
    shop_front,
    storeys_of,
    wall,
)

Rng: TypeAlias = np.random.Generator

_RENDER: tuple[Rgb, ...] = (
    (0.62, 0.60, 0.55), (0.58, 0.50, 0.36), (0.52, 0.42, 0.25), (0.50, 0.35, 0.27), (0.44, 0.46, 0.44),
    (0.36, 0.42, 0.46), (0.60, 0.55, 0.47), (0.47, 0.30, 0.22), (0.40, 0.43, 0.34),
)  # fmt: skip
_BRICK: tuple[Rgb, ...] = ((0.27, 0.105, 0.07), (0.33, 0.16, 0.10), (0.22, 0.11, 0.08), (0.36, 0.24, 0.15))
_STONE: tuple[Rgb, ...] = ((0.42, 0.38, 0.31), (0.36, 0.34, 0.31), (0.30, 0.29, 0.28), (0.47, 0.44, 0.38))
_CLADDING: tuple[Rgb, ...] = (
    (0.40, 0.41, 0.41),
    (0.22, 0.25, 0.28),
    (0.16, 0.24, 0.33),
    (0.46, 0.45, 0.41),
    (0.15, 0.21, 0.17),
)
_TILES: tuple[Rgb, ...] = (
    (0.26, 0.085, 0.05),
    (0.20, 0.07, 0.045),
    (0.09, 0.085, 0.09),
    (0.14, 0.085, 0.06),
    (0.31, 0.12, 0.07),
)
_TOWERS: tuple[Rgb, ...] = ((0.30, 0.30, 0.30), (0.20, 0.24, 0.27), (0.40, 0.37, 0.32), (0.14, 0.17, 0.20))
_SIGNS: tuple[Rgb, ...] = (
    (0.42, 0.03, 0.03), (0.03, 0.10, 0.32), (0.02, 0.20, 0.09), (0.60, 0.40, 0.03), (0.05, 0.05, 0.05),
    (0.62, 0.60, 0.56), (0.30, 0.06, 0.20), (0.03, 0.26, 0.30),
)  # fmt: skip
_DOORS: tuple[Rgb, ...] = (
    (0.18, 0.07, 0.03),
    (0.03, 0.10, 0.06),
    (0.04, 0.06, 0.14),
    (0.25, 0.03, 0.03),
    (0.35, 0.33, 0.30),
)
_GRAVEL_RGB, _SHOP_M = (0.16, 0.16, 0.155), 3.6


@dataclass(frozen=True)
class Size:
    """How wide and deep buildings of a kind are, least and most, in metres."""

    width_m: tuple[float, float]
    depth_m: tuple[float, float]


SIZES: Mapping[BuildingKind, Size] = {
    "tower": Size((18, 30), (16, 24)),
    "block": Size((12, 24), (11, 15)),
    "terrace": Size((6, 12), (9, 12)),
    "house": Size((9, 13), (8, 11)),
    "hall": Size((24, 48), (18, 34)),
    "farm": Size((12, 22), (9, 12)),
}


def building_mesh(kind: BuildingKind, width_m: float, depth_m: float, rng: Rng, neighbours: Neighbours) -> Mesh:
    """A building in its own frame: front at x = 0 towards the street, y along it."""
    return joined(_MAKERS[kind](width_m, depth_m, rng, neighbours))


def backdrop_mesh(width_m: float, depth_m: float, storeys: int, rng: Rng) -> Mesh:
    """A building of a back row, of which only roof and upper storeys show."""
    colour = _one(rng, (*_STONE, *_RENDER, *_TOWERS))
    walls = storeys_of(width_m, depth_m, 0.0, storeys, colour, ALONE)
    return joined(
        [
            plinth(width_m, depth_m, 0.3, colour, 0.0),
            *walls,
            *flat_roof(width_m, depth_m, storeys * STOREY_M, colour, _GRAVEL_RGB),
        ]
    )


def _tower(w: float, d: float, rng: Rng, _: Neighbours) -> list[Mesh]:
    """A base with shops that fills the plot, a high shaft set back on it."""
    base_rgb, shaft_rgb = _one(rng, _STONE), _one(rng, _TOWERS)
    base, storeys = int(rng.integers(1, 3)), int(rng.integers(9, 20))
    base_m = _SHOP_M + base * STOREY_M
    inset = float(rng.uniform(1.5, 3.0))
    top_m = base_m + storeys * STOREY_M
    parts = _ground_floor(w, d, rng, base_rgb)
    parts += storeys_of(w, d, _SHOP_M, base, base_rgb, (True, True)) + flat_roof(w, d, base_m, base_rgb, _GRAVEL_RGB)
    parts += storeys_of(w, d, base_m, storeys, shaft_rgb, ALONE, inset)
    parts += flat_roof(w, d, top_m, shaft_rgb, _GRAVEL_RGB, inset)
    return [*parts, _plant_room(w, d, top_m, rng)]


def _block(w: float, d: float, rng: Rng, neighbours: Neighbours) -> list[Mesh]:
    """Shops or flats below, four to seven storeys above, a cornice, a flat or a mansard roof."""
    colour = _one(rng, (*_STONE, *_BRICK, *_RENDER))
    storeys, trim = int(rng.integers(3, 7)), tuple(np.clip(np.multiply(colour, 1.25), 0, 0.7))
    top_m = _SHOP_M + storeys * STOREY_M
    parts = _ground_floor(w, d, rng, colour)
    parts += storeys_of(w, d, _SHOP_M, storeys, colour, neighbours)
    parts += [_ledge(w, _SHOP_M - 0.1, 0.2, 0.12, trim), _ledge(w, top_m - 0.25, 0.45, 0.3, trim)]
    if rng.uniform() < 0.35:
        parts += balconies(w, _SHOP_M + STOREY_M, storeys - 1, int(rng.integers(1, 4)), _one(rng, _CLADDING))
    if rng.uniform() < 0.3:
        return [*parts, *_mansard(w, d, top_m, _one(rng, _TILES[2:]), colour)]
    return [*parts, *flat_roof(w, d, top_m, colour, _GRAVEL_RGB), _plant_room(w, d, top_m, rng)]


def _terrace(w: float, d: float, rng: Rng, neighbours: Neighbours) -> list[Mesh]:
    """A town house: a shop or a door below, one to three storeys above, a pitched roof."""
    colour, roof = _one(rng, (*_RENDER, *_BRICK)), _one(rng, _TILES)
    upper = int(rng.integers(1, 4))
    has_shop = rng.uniform() < 0.55
    low_m = _SHOP_M if has_shop else 0.0
    storeys = upper if has_shop else upper + 1
    top_m, rise = low_m + storeys * STOREY_M, float(rng.uniform(0.30, 0.45)) * d
    parts = _ground_floor(w, d, rng, colour) if has_shop else [plinth(w, d, 0.45, np.multiply(colour, 0.55))]
    parts += storeys_of(w, d, low_m, storeys, colour, neighbours)
    parts.append(_ledge(w, top_m - 0.2, 0.25, 0.22, (0.5, 0.48, 0.44)))
    if not has_shop:
        parts += door(_bay_middle(w, rng), _one(rng, _DOORS))
    faces_street = w < 8.5 and rng.uniform() < 0.35
    parts += gable_roof(w, d, top_m, rise * (0.8 if faces_street else 1.0), colour, roof, faces_street, 0.3, 0.0)
    if not faces_street and rng.uniform() < 0.5:
        back_m = -d / 2 + 0.5
        for y in np.arange(-w / 2 + 2.0, w / 2 - 1.4, 3.0).tolist():
            parts += dormer(y, -0.9, top_m + rise * 1.6 / d, back_m, (0.5, 0.48, 0.44), roof)
    parts.append(chimney(-d / 2 - 0.8, w / 2 - 0.7, top_m + 0.5 * rise, top_m + rise + 0.9))
    return parts


def _house(w: float, d: float, rng: Rng, _: Neighbours) -> list[Mesh]:
    """A house of its own with a garden: one or two storeys, a steep roof, perhaps a garage."""
    colour, roof = _one(rng, (*_RENDER, *_RENDER, *_BRICK)), _one(rng, _TILES)
    storeys = int(rng.integers(1, 3))
    top_m, rise = storeys * STOREY_M, float(rng.uniform(0.28, 0.48)) * min(w, d)
    garage = 3.4 if w > 11.5 and rng.uniform() < 0.6 else 0.0
    wide = w - garage
    parts = [plinth(wide, d, 0.4, np.multiply(colour, 0.5))]
    parts += storeys_of(wide, d, 0.0, storeys, colour, ALONE) + door(_bay_middle(wide, rng), _one(rng, _DOORS))
    style = rng.uniform()
    if style < 0.3:
        parts += hip_roof(wide, d, top_m, rise * 0.8, roof)
    else:
        parts += gable_roof(wide, d, top_m, rise, colour, roof, style > 0.72)
        if style < 0.5:
            parts += dormer(0.0, -0.8, top_m + rise * 1.2 / d, -d / 2 + 0.4, (0.52, 0.5, 0.46), roof)
    parts.append(chimney(-0.62 * d, 0.2 * wide, top_m, top_m + rise + 0.8))
    if not garage:
        return parts
    moved = [part.moved(np.eye(3), (0, -garage / 2, 0)) for part in parts]
    return [*moved, _garage(garage, d, rng, colour).moved(np.eye(3), (-1.0, wide / 2, 0))]


def _hall(w: float, d: float, rng: Rng, _: Neighbours) -> list[Mesh]:
    """A low industrial hall of coloured sheet metal with roller gates, a window band and an office in front."""
    colour, high = _one(rng, _CLADDING), float(rng.uniform(6.5, 11.0))
    half = w / 2
    shell = box((-d, -half, -2.0), (0, half, high), Material.MATTE, colour)
    parts = [
        shell,
        band(w, d, high - 0.5, high + 0.15, 0.06, np.multiply(colour, 0.55)),
        plinth(w, d, 0.9, (0.3, 0.3, 0.29)),
    ]
    bars = np.arange(-half + 1.2, half - 0.6, 1.2)
    rails = [
        [[0.05, y, 0.9], [0.05, y + 0.12, 0.9], [0.05, y + 0.12, high - 0.5], [0.05, y, high - 0.5]]
        for y in bars.tolist()
    ]
    parts.append(quads(rails, Material.MATTE, np.multiply(colour, 0.86)))
    windows = [
        [0.07, -half + 1.5, high - 2.4],
        [0.07, half - 1.5, high - 2.4],
        [0.07, half - 1.5, high - 1.2],
        [0.07, -half + 1.5, high - 1.2],
    ]
    parts.append(quads([windows], Material.GLASS, (0.04, 0.05, 0.055)))
    gates = np.arange(-half + 4.0, half - 13.0, 7.0).tolist()
    gate_rgb = _one(rng, ((0.5, 0.5, 0.48), (0.10, 0.16, 0.25), (0.4, 0.28, 0.05)))
    for y in gates:
        parts.append(box((0, y - 2.2, 0), (0.1, y + 2.2, 4.6), Material.MATTE, (0.12, 0.12, 0.12)))
        parts.append(
            quads(
                [[[0.12, y - 1.9, 0.05], [0.12, y + 1.9, 0.05], [0.12, y + 1.9, 4.3], [0.12, y - 1.9, 4.3]]],
                Material.MATTE,
                gate_rgb,
            )
        )
    office = (
        storeys_of(9.0, 5.0, 0.0, 2, (0.5, 0.5, 0.48), ALONE)
        + flat_roof(9.0, 5.0, 6.0, (0.5, 0.5, 0.48), _GRAVEL_RGB)
        + door(1.5, (0.1, 0.1, 0.1), 1.8)
    )
    parts += [part.moved(np.eye(3), (3.0, half - 6.0, 0)) for part in office]
    sign_rgb = _one(rng, _SIGNS)
    parts.append(box((0, -3.0, high - 0.4), (0.3, 3.0, high + 1.1), Material.MATTE, sign_rgb, True))
    return parts


def _farm(w: float, d: float, rng: Rng, _: Neighbours) -> list[Mesh]:
    """A barn: timber or brick walls, a wide gate, a big roof."""
    colour = _one(rng, ((0.16, 0.09, 0.06), (0.27, 0.105, 0.07), (0.30, 0.07, 0.05), (0.45, 0.42, 0.36)))
    roof, high, half = _one(rng, _TILES), float(rng.uniform(3.6, 5.0)), w / 2
    shell = box((-d, -half, -2.0), (0, half, high), Material.MATTE, colour)
    gate = quads(
        [[[0.04, -1.9, 0], [0.04, 1.9, 0], [0.04, 1.9, 3.3], [0.04, -1.9, 3.3]]],
        Material.MATTE,
        np.multiply(colour, 0.45),
    )
    return [shell, gate, plinth(w, d, 0.6, (0.3, 0.28, 0.25)), *gable_roof(w, d, high, 0.42 * d, colour, roof, False)]


def _ground_floor(w: float, d: float, rng: Rng, colour: Rgb) -> list[Mesh]:
    """Shops, or an entrance between plain walls."""
    c = np.multiply(colour, 0.85)
    sides = [
        wall((0, w / 2), (-d, w / 2), 0, _SHOP_M, c),
        wall((-d, -w / 2), (0, -w / 2), 0, _SHOP_M, c),
        wall((-d, w / 2), (-d, -w / 2), 0, _SHOP_M, c),
    ]
    shops = max(round(w / 9.0), 1)
    parts = [plinth(w, d, 0.3, np.multiply(colour, 0.5)), *sides]
    for number in range(shops):
        awning = _one(rng, _SIGNS) if rng.uniform() < 0.4 else None
        front = shop_front(w / shops, _SHOP_M, _one(rng, _SIGNS), colour, awning)
        y = -w / 2 + (number + 0.5) * w / shops
        parts += [part.moved(np.eye(3), (0, y, 0)) for part in front]
    return parts


def _mansard(w: float, d: float, low_m: float, roof: Rgb, wall_rgb: Rgb) -> list[Mesh]:
    """A steep lower slope with dormers, flat on top."""
    high, lean, half = low_m + 2.6, 1.1, w / 2
    front = [[0.1, -half, low_m], [0.1, half, low_m], [-lean, half, high], [-lean, -half, high]]
    back = [[-d, half, low_m], [-d, -half, low_m], [-d + lean, -half, high], [-d + lean, half, high]]
    top = [[-lean, -half, high], [-lean, half, high], [-d + lean, half, high], [-d + lean, -half, high]]
    sides = [
        [[0.1, s * half, low_m], [-d, s * half, low_m], [-d + lean, s * half, high], [-lean, s * half, high]]
        for s in (-1, 1)
    ]
    parts = [quads([front, back, top], Material.MATTE, roof), quads(sides, Material.MATTE, np.multiply(wall_rgb, 0.9))]
    bays = max(round(w / BAY_M), 1)
    for number in range(bays):
        parts += dormer(-half + (number + 0.5) * w / bays, 0.0, low_m + 0.4, -lean, (0.5, 0.48, 0.44), roof)
    return parts


def _ledge(w: float, low_m: float, high_m: float, proud_m: float, colour: Rgb) -> Mesh:
    return box((-0.2, -w / 2, low_m), (proud_m, w / 2, low_m + high_m), Material.MATTE, colour, bottom=True)


def _plant_room(w: float, d: float, top_m: float, rng: Rng) -> Mesh:
    x, y = float(rng.uniform(0.4, 0.6)) * d, float(rng.uniform(-0.2, 0.2)) * w
    return box((-x - 2, y - 2.5, top_m), (-x + 2, y + 2.5, top_m + 2.6), Material.MATTE, (0.33, 0.33, 0.32))


def _garage(w: float, d: float, rng: Rng, colour: Rgb) -> Mesh:
    half = w / 2
    gate = [[[0.03, -half + 0.4, 0.02], [0.03, half - 0.4, 0.02], [0.03, half - 0.4, 2.2], [0.03, -half + 0.4, 2.2]]]
    gate_rgb = _one(rng, ((0.55, 0.54, 0.5), (0.12, 0.12, 0.13), (0.2, 0.09, 0.04)))
    shell = box((-0.6 * d, -half, -1.0), (0, half, 2.7), Material.MATTE, colour)
    return joined([shell, quads(gate, Material.MATTE, gate_rgb), band(w, 0.6 * d, 2.6, 2.8, 0.1, (0.2, 0.2, 0.2))])


def _bay_middle(width_m: float, rng: Rng) -> float:
    """The middle of a bay, which a door may take."""
    bays = max(round(width_m / BAY_M), 1)
    return -width_m / 2 + (int(rng.integers(bays)) + 0.5) * width_m / bays


def _one(rng: Rng, choices: tuple[Rgb, ...]) -> Rgb:
    """One of the colours, a little lighter or darker."""
    r, g, b = np.multiply(choices[int(rng.integers(len(choices)))], rng.uniform(0.88, 1.1)).tolist()
    return (r, g, b)


_MAKERS: Mapping[BuildingKind, Callable[[float, float, Rng, Neighbours], list[Mesh]]] = {
    "tower": _tower,
    "block": _block,
    "terrace": _terrace,
    "house": _house,
    "hall": _hall,
    "farm": _farm,
}
