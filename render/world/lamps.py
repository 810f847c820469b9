"""Headlights and street lamps, and the light that they throw."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from scenegraph.arrays import FloatArray

from ..compiling import njit
from .mesh import Material, Mesh

CELL_M: Final = 8.0
_LAMP_REACH_M, _BEAM_REACH_M = 26.0, 75.0
_SAME_LAMP_M: Final = 0.9
_LAMP_RGB: Final = (21.0, 16.8, 11.4)
_BEAM_RGB: Final = (95.0, 90.0, 79.0)
_DOWN_RAD: Final = 0.012


class Lamps(NamedTuple):
    """Lamps sorted into cells of the ground, for compiled code.

    place, towards: float64 [K,3]. rgb: float64 [K,3], light at one metre on the axis. is_beam: uint8 [K], a headlight
    rather than a lamp on a post. first: int32 [cells+1]. lamp: int32 [M], the lamps that reach each cell.
    x_m, y_m, rows, columns: where the cells lie.
    """

    place: Any
    towards: Any
    rgb: Any
    is_beam: Any
    first: Any
    lamp: Any
    x_m: float
    y_m: float
    rows: int
    columns: int


def lamp_places(mesh: Mesh) -> FloatArray:
    """The middles [K,3] of all street lamps of a mesh: of faces that shine and lie close together."""
    triangles = mesh.triangles[mesh.material == Material.LAMP]
    if not len(triangles):
        return np.zeros((0, 3))
    middles = mesh.vertices_m[triangles].mean(axis=1, dtype=np.float64)
    pairs = cKDTree(middles).query_pairs(_SAME_LAMP_M, output_type="ndarray")
    links = sparse.coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(middles), len(middles)))
    count, group = connected_components(links, directed=False)
    sizes = np.bincount(group, minlength=count)
    return np.stack([np.bincount(group, middles[:, k], minlength=count) / sizes for k in range(3)], axis=1)


def lamps_of(posts_m: FloatArray, heads_m: FloatArray, ahead: FloatArray) -> Lamps:
    """Lamps on posts [P,3] and headlights [Q,3] that shine along unit directions [Q,3]."""
    place = np.concatenate([posts_m, heads_m])
    is_beam = np.repeat(np.array([0, 1], dtype=np.uint8), [len(posts_m), len(heads_m)])
    down = ahead - np.array([0.0, 0.0, _DOWN_RAD])
    towards = np.concatenate([np.tile([0.0, 0.0, -1.0], (len(posts_m), 1)), down])
    rgb = np.where(is_beam[:, None] == 1, np.array(_BEAM_RGB), np.array(_LAMP_RGB))
    if not len(place):
        none = np.zeros(0, dtype=np.int32)
        return Lamps(place, towards, rgb, is_beam, np.zeros(1, dtype=np.int32), none, 0.0, 0.0, 0, 0)
    # What a lamp reaches, roughly: a circle, for a headlight one that lies ahead of it.
    centre = place[:, :2] + np.where(is_beam[:, None] == 1, 0.45 * _BEAM_REACH_M * towards[:, :2], 0.0)
    reach = np.where(is_beam == 1, 0.55 * _BEAM_REACH_M, _LAMP_REACH_M)
    low = np.floor((centre - reach[:, None]).min(axis=0) / CELL_M) * CELL_M
    high = (centre + reach[:, None]).max(axis=0)
    rows, columns = (math.ceil(span) for span in (high - low) / CELL_M)
    first, lamp = _sorted(centre - low, reach, rows, columns)
    return Lamps(place, towards, rgb, is_beam, first, lamp, float(low[0]), float(low[1]), rows, columns)


def _sorted(
    centre: FloatArray, reach: FloatArray, rows: int, columns: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For every cell the lamps whose circle it lies in."""
    middles = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    middles = (middles + 0.5) * CELL_M
    found = cKDTree(middles).query_ball_point(centre, reach + 0.75 * CELL_M, return_sorted=True)
    cells = np.concatenate([np.asarray(cell, dtype=np.int64) for cell in found])
    lamp = np.repeat(np.arange(len(centre)), [len(cell) for cell in found])
    order = np.argsort(cells, kind="stable")
    counts = np.bincount(cells, minlength=rows * columns)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), lamp[order].astype(np.int32)


@njit
def lamp_light(lamps: Any, x: float, y: float, z: float, nx: float, ny: float, nz: float) -> tuple[float, float, float]:
    """Light of all lamps on a surface at (x, y, z) with a normal (nx, ny, nz)."""
    row, column = math.floor((x - lamps.x_m) / CELL_M), math.floor((y - lamps.y_m) / CELL_M)
    r, g, b = 0.0, 0.0, 0.0
    if not (0 <= row < lamps.rows and 0 <= column < lamps.columns):
        return r, g, b
    cell = row * lamps.columns + column
    for m in range(lamps.first[cell], lamps.first[cell + 1]):
        k = lamps.lamp[m]
        px, py, pz = lamps.place[k, 0] - x, lamps.place[k, 1] - y, lamps.place[k, 2] - z
        squared = px * px + py * py + pz * pz
        length = math.sqrt(max(squared, 1e-6))
        falls = (px * nx + py * ny + pz * nz) / length
        if falls <= 0.0:
            continue
        if lamps.is_beam[k]:
            shape = _beam(lamps, k, px, py, pz) * (0.45 + 0.55 * falls)
        else:
            shape = max(pz / length, 0.0) ** 1.5 * (0.2 + 0.8 * falls)
        power = shape / (squared + 2.0)
        r += lamps.rgb[k, 0] * power
        g += lamps.rgb[k, 1] * power
        b += lamps.rgb[k, 2] * power
    return r, g, b


@njit
def _beam(lamps: Any, k: int, px: float, py: float, pz: float) -> float:
    """How bright a low beam is in a direction: wide to both sides, cut off above, falling off below."""
    tx, ty, tz = lamps.towards[k, 0], lamps.towards[k, 1], lamps.towards[k, 2]
    ahead = -(px * tx + py * ty)
    if ahead <= 0.05:
        return 0.0
    aside = (px * ty - py * tx) / ahead
    rise = -pz / ahead - tz
    wide = 0.7 * math.exp(-9.0 * aside * aside) + 0.3 * math.exp(-1.6 * aside * aside)
    below = 1.0 / (1.0 + math.exp(min(90.0 * (rise - 0.004), 40.0)))
    return wide * (0.012 + 0.988 * below * math.exp(-5.0 * max(-rise - 0.02, 0.0)))
