"""Walls with rows of windows, shop fronts, doors and roofs: what buildings are put together from.

A building's own frame: x towards the street with the front at 0, y along the street, z up from the pavement.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .shapes import box, quads

Rgb: TypeAlias = tuple[float, float, float]
Neighbours: TypeAlias = tuple[bool, bool]
"""Whether another building adjoins: on the right, on the left, seen from the street."""
ALONE: Neighbours = (False, False)

BAY_M, STOREY_M = 2.6, 3.1
"""One window as facades are shaded: how far along the wall and up it. Walls hold whole numbers, so that none is cut."""
_OVERHANG_M = 0.35
_GLASS_RGB, _FRAME_RGB = (0.03, 0.035, 0.04), (0.08, 0.08, 0.085)


def facade(start: npt.ArrayLike, end: npt.ArrayLike, low_m: float, storeys: int, colour: npt.ArrayLike) -> Mesh:
    """A wall [2] to [2], seen from outside from left to right, with windows on every storey."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    high_m = low_m + storeys * STOREY_M
    corners = np.array([[*a, low_m], [*b, low_m], [*b, high_m], [*a, high_m]])
    bays = max(round(float(np.hypot(*(b - a))) / BAY_M), 1)
    uv = np.array([[0, 0], [bays * BAY_M, 0], [bays * BAY_M, storeys * STOREY_M], [0, storeys * STOREY_M]])
    mesh = quads(corners[None], Material.FACADE, colour)
    mesh.uv_m[:] = uv[[[0, 1, 2], [0, 2, 3]]]
    return mesh


def wall(start: npt.ArrayLike, end: npt.ArrayLike, low_m: float, high_m: float, colour: npt.ArrayLike) -> Mesh:
    """A blank wall [2] to [2]."""
    a, b = np.asarray(start), np.asarray(end)
    return quads([[*a, low_m], [*b, low_m], [*b, high_m], [*a, high_m]], Material.MATTE, colour)


def corners_of(width_m: float, depth_m: float, inset_m: float = 0.0) -> FloatArray:
    """Corners [4,2] of a footprint: front left, front right, back right, back left, seen from the street."""
    half = width_m / 2 - inset_m
    return np.array([[-inset_m, -half], [-inset_m, half], [-depth_m + inset_m, half], [-depth_m + inset_m, -half]])


def storeys_of(
    width_m: float,
    depth_m: float,
    low_m: float,
    storeys: int,
    colour: Rgb,
    neighbours: Neighbours,
    inset_m: float = 0.0,
) -> list[Mesh]:
    """The four walls; those towards neighbours are blank."""
    c = corners_of(width_m, depth_m, inset_m)
    high_m = low_m + storeys * STOREY_M
    sides = [(c[1], c[2]), (c[3], c[0])]
    fronts = [facade(c[0], c[1], low_m, storeys, colour), facade(c[2], c[3], low_m, storeys, colour)]
    blank = np.multiply(colour, 0.9)
    return fronts + [
        wall(a, b, low_m, high_m, blank) if is_blank else facade(a, b, low_m, storeys, colour)
        for (a, b), is_blank in zip(sides, neighbours, strict=True)
    ]


def plinth(width_m: float, depth_m: float, high_m: float, colour: npt.ArrayLike, proud_m: float = 0.04) -> Mesh:
    """The foot of the walls, down into the ground."""
    half = width_m / 2 + proud_m
    return box((-depth_m - proud_m, -half, -2.5), (proud_m, half, high_m), Material.MATTE, colour)


def band(width_m: float, depth_m: float, low_m: float, high_m: float, proud_m: float, colour: npt.ArrayLike) -> Mesh:
    """A ledge around the house: a cornice or a string course."""
    half = width_m / 2 + proud_m
    return box((-depth_m - proud_m, -half, low_m), (proud_m, half, high_m), Material.MATTE, colour, bottom=True)


def flat_roof(
    width_m: float, depth_m: float, high_m: float, wall_rgb: Rgb, roof_rgb: Rgb, inset_m: float = 0.0
) -> list[Mesh]:
    """A roof behind a parapet."""
    c = corners_of(width_m, depth_m, inset_m)
    inner = corners_of(width_m, depth_m, inset_m + 0.25)
    top_m = high_m + 0.7
    parts = [quads(np.column_stack([inner, np.full(4, high_m + 0.1)])[None], Material.MATTE, roof_rgb)]
    for i in range(4):
        j = (i + 1) % 4
        parts.append(wall(c[i], c[j], high_m, top_m, wall_rgb))
        parts.append(wall(inner[j], inner[i], high_m, top_m, np.multiply(wall_rgb, 0.8)))
        rim = [[*c[i], top_m], [*c[j], top_m], [*inner[j], top_m], [*inner[i], top_m]]
        parts.append(quads([rim], Material.MATTE, np.multiply(wall_rgb, 0.75)))
    return parts


def gable_roof(
    width_m: float, depth_m: float, low_m: float, rise_m: float, wall_rgb: Rgb, roof_rgb: Rgb, faces_street: bool,
    overhang_m: float = _OVERHANG_M, side_overhang_m: float = 0.25,
) -> list[Mesh]:  # fmt: skip
    """Two slopes and two gables. faces_street: a gable looks at the street rather than a slope."""
    along, across = (depth_m, width_m) if faces_street else (width_m, depth_m)
    half, drop = across / 2, rise_m * overhang_m / (across / 2)
    end = along / 2 + side_overhang_m
    parts = []
    for side in (-1, 1):
        eave = [[-end, side * (half + overhang_m), -drop], [end, side * (half + overhang_m), -drop]]
        slope = [*eave, [end, 0, rise_m], [-end, 0, rise_m]]
        parts.append(quads([slope], Material.MATTE, np.multiply(roof_rgb, 1.0 if side > 0 else 0.94)))
        under = [[x, y, z - 0.16] for x, y, z in eave]
        parts.append(quads([[*eave, *under[::-1]]], Material.MATTE, np.multiply(wall_rgb, 0.7)))
        gable = [[side * along / 2, -half, 0], [side * along / 2, half, 0], [side * along / 2, 0, rise_m]]
        parts.append(Mesh.of(gable, [[0, 1, 2]], Material.MATTE, wall_rgb))
        for lean in (-1, 1):
            edge = np.array([[side * end, lean * (half + overhang_m), -drop], [side * end, 0, rise_m]])
            board = [*edge, *(edge[::-1] - [0, 0, 0.2])]
            parts.append(quads([board], Material.MATTE, np.multiply(wall_rgb, 0.75)))
    turn = np.eye(3) if faces_street else np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    return [part.moved(turn, (-depth_m / 2, 0, low_m)) for part in parts]


def hip_roof(width_m: float, depth_m: float, low_m: float, rise_m: float, roof_rgb: Rgb) -> list[Mesh]:
    """Four slopes, the ridge along the longer side."""
    half_w, half_d = width_m / 2 + _OVERHANG_M, depth_m / 2 + _OVERHANG_M
    ridge_w, ridge_d = max(half_w - half_d, 0.0) * 1.0, max(half_d - half_w, 0.0)
    eave = np.array([[half_d, -half_w], [half_d, half_w], [-half_d, half_w], [-half_d, -half_w]])
    ridge = np.array([[ridge_d, -ridge_w], [ridge_d, ridge_w], [-ridge_d, ridge_w], [-ridge_d, -ridge_w]])
    low, high = np.column_stack([eave, np.full(4, -0.12)]), np.column_stack([ridge, np.full(4, rise_m)])
    sides = np.stack([low, np.roll(low, -1, axis=0), np.roll(high, -1, axis=0), high], axis=1)
    below = low - [0.0, 0.0, 0.16]
    rims = np.stack([low, np.roll(low, -1, axis=0), np.roll(below, -1, axis=0), below], axis=1)
    shades = np.array([1.0, 0.95, 0.92, 0.97])[:, None] * np.array(roof_rgb)
    parts = [quads(sides, Material.MATTE, shades), quads(rims, Material.MATTE, (0.45, 0.43, 0.4))]
    return [part.moved(np.eye(3), (-depth_m / 2, 0, low_m)) for part in parts]


def chimney(x_m: float, y_m: float, low_m: float, high_m: float) -> Mesh:
    """A brick stack."""
    return box((x_m - 0.3, y_m - 0.4, low_m), (x_m + 0.3, y_m + 0.4, high_m), Material.MATTE, (0.22, 0.10, 0.07))


def dormer(y_m: float, front_x_m: float, low_m: float, back_x_m: float, wall_rgb: Rgb, roof_rgb: Rgb) -> list[Mesh]:
    """A window that stands out of the slope towards the street."""
    body = box((back_x_m, y_m - 0.75, low_m), (front_x_m, y_m + 0.75, low_m + 1.35), Material.MATTE, wall_rgb)
    pane = _pane(front_x_m + 0.02, y_m - 0.55, y_m + 0.55, low_m + 0.25, low_m + 1.2)
    top = box(
        (back_x_m, y_m - 0.9, low_m + 1.35), (front_x_m + 0.15, y_m + 0.9, low_m + 1.5), Material.MATTE, roof_rgb, True
    )
    return [body, pane, top]


def door(y_m: float, colour: Rgb, wide_m: float = 1.1, high_m: float = 2.2, x_m: float = 0.0) -> list[Mesh]:
    """A front door with its frame, a step before it and a small roof above."""
    half = wide_m / 2
    frame = box(
        (x_m - 0.1, y_m - half - 0.12, -0.1),
        (x_m + 0.05, y_m + half + 0.12, high_m + 0.12),
        Material.MATTE,
        (0.55, 0.54, 0.5),
    )
    leaf = _sheet(x_m + 0.06, y_m - half, y_m + half, 0.05, high_m, Material.MATTE, colour)
    step = box((x_m, y_m - half - 0.3, -0.4), (x_m + 0.7, y_m + half + 0.3, 0.06), Material.MATTE, (0.3, 0.3, 0.29))
    hood = box(
        (x_m, y_m - half - 0.35, high_m + 0.25),
        (x_m + 0.8, y_m + half + 0.35, high_m + 0.34),
        Material.MATTE,
        (0.2, 0.19, 0.18),
        True,
    )
    return [frame, leaf, step, hood]


def shop_front(width_m: float, high_m: float, sign_rgb: Rgb, wall_rgb: Rgb, awning_rgb: Rgb | None) -> list[Mesh]:
    """A ground floor of panes between piers, a sign band above them, perhaps an awning."""
    half, bays = width_m / 2, max(round(width_m / 3.2), 1)
    pier, pane_top, sill = 0.28, high_m - 0.75, 0.4
    edges = np.linspace(-half, half, bays + 1)
    parts = [wall((0.0, -half), (0.0, half), 0.0, high_m, np.multiply(wall_rgb, 0.8))]
    door_bay = bays // 2
    for number, (left, right) in enumerate(pairwise(edges.tolist())):
        low = 0.05 if number == door_bay else sill
        parts.append(_pane(0.03, left + pier, right - pier, low, pane_top))
        if number == door_bay:
            middle = (left + right) / 2
            parts.append(box((0.03, middle - 0.05, 0.0), (0.07, middle + 0.05, pane_top), Material.MATTE, _FRAME_RGB))
    sign = box((0.0, -half + 0.15, pane_top + 0.12), (0.12, half - 0.15, high_m - 0.1), Material.MATTE, sign_rgb, True)
    parts.append(sign)
    if awning_rgb is not None:
        parts.append(_awning(half - 0.2, pane_top + 0.1, awning_rgb))
    return parts


def balconies(width_m: float, low_m: float, storeys: int, rows: int, rgb: Rgb) -> list[Mesh]:
    """Slabs with railings in columns up the front, above every storey's floor."""
    parts = []
    bays = max(round(width_m / BAY_M), 1)
    step = width_m / bays
    for column in range(1, bays, max(bays // max(rows, 1), 2)):
        y = -width_m / 2 + (column + 0.5) * step
        for storey in range(storeys):
            z = low_m + storey * STOREY_M
            parts.append(
                box((0, y - 1.25, z - 0.08), (1.1, y + 1.25, z + 0.08), Material.MATTE, (0.4, 0.4, 0.39), True)
            )
            rail = [
                [
                    [1.08, y - 1.22, z + 0.1],
                    [1.08, y + 1.22, z + 0.1],
                    [1.08, y + 1.22, z + 1.0],
                    [1.08, y - 1.22, z + 1.0],
                ]
            ]
            parts.append(quads(rail, Material.MATTE, rgb))
    return parts


def _pane(x_m: float, left_m: float, right_m: float, low_m: float, high_m: float) -> Mesh:
    return _sheet(x_m, left_m, right_m, low_m, high_m, Material.GLASS, _GLASS_RGB)


def _sheet(
    x_m: float, left_m: float, right_m: float, low_m: float, high_m: float, material: Material, colour: Rgb
) -> Mesh:
    """An upright rectangle that looks at the street."""
    corners = [[x_m, left_m, low_m], [x_m, right_m, low_m], [x_m, right_m, high_m], [x_m, left_m, high_m]]
    return quads([corners], material, colour)


def _awning(half_m: float, high_m: float, rgb: Rgb) -> Mesh:
    """A striped sheet that slopes down over the pavement."""
    count = max(round(2 * half_m / 0.55), 2)
    y = np.linspace(-half_m, half_m, count + 1)
    sheets, falls = [], []
    for left, right in pairwise(y.tolist()):
        sheets.append(
            [[0.02, left, high_m], [0.02, right, high_m], [1.2, right, high_m - 0.45], [1.2, left, high_m - 0.45]]
        )
        falls.append(
            [
                [1.2, left, high_m - 0.45],
                [1.2, right, high_m - 0.45],
                [1.2, right, high_m - 0.65],
                [1.2, left, high_m - 0.65],
            ]
        )
    shade = np.where(np.arange(count)[:, None] % 2, np.array(rgb), np.array([0.6, 0.58, 0.54]))
    return joined([quads(sheets, Material.MATTE, shade), quads(falls, Material.MATTE, shade * 0.9)])
