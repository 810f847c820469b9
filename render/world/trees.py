"""Trees and bushes of several species, as meshes one metre in crown radius and one metre high, to be stretched."""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

import numpy as np

from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .seeds import generator
from .shapes import blob, repeated, tube

Species: TypeAlias = Literal["lime", "maple", "birch", "poplar", "spruce", "pine"]
Rgb: TypeAlias = tuple[float, float, float]

SPECIES: tuple[Species, ...] = ("lime", "maple", "birch", "poplar", "spruce", "pine")
EVERGREEN = frozenset({"spruce", "pine"})
VARIANTS = 3

_BARK: dict[str, Rgb] = {"birch": (0.46, 0.45, 0.42), "pine": (0.20, 0.10, 0.06)}
_CORE_SHADE = 0.72
"""Within the leaves it is darker."""
_BARK_RGB = (0.105, 0.08, 0.06)
_SUMMER: dict[str, tuple[Rgb, ...]] = {
    "lime": ((0.085, 0.16, 0.035), (0.11, 0.18, 0.04)),
    "maple": ((0.06, 0.125, 0.03), (0.075, 0.14, 0.03)),
    "birch": ((0.12, 0.19, 0.05), (0.10, 0.17, 0.045)),
    "poplar": ((0.07, 0.14, 0.04), (0.09, 0.16, 0.045)),
    "spruce": ((0.025, 0.06, 0.03), (0.03, 0.07, 0.032)),
    "pine": ((0.04, 0.08, 0.035), (0.05, 0.085, 0.04)),
}
_AUTUMN: dict[str, tuple[Rgb, ...]] = {
    "lime": ((0.45, 0.29, 0.04), (0.33, 0.25, 0.05), (0.20, 0.19, 0.04)),
    "maple": ((0.42, 0.10, 0.025), (0.50, 0.20, 0.03), (0.30, 0.06, 0.02)),
    "birch": ((0.50, 0.36, 0.05), (0.40, 0.30, 0.06)),
    "poplar": ((0.42, 0.32, 0.06), (0.24, 0.22, 0.05)),
}
_SPRING: dict[str, tuple[Rgb, ...]] = {
    "lime": ((0.16, 0.25, 0.05), (0.13, 0.23, 0.05)),
    "maple": ((0.14, 0.22, 0.05), (0.55, 0.36, 0.40), (0.60, 0.55, 0.50)),
    "birch": ((0.19, 0.28, 0.07),),
    "poplar": ((0.13, 0.22, 0.06),),
}
_BUSHES: dict[str, tuple[Rgb, ...]] = {
    "summer": ((0.05, 0.10, 0.03), (0.07, 0.13, 0.035), (0.09, 0.15, 0.05)),
    "spring": ((0.11, 0.19, 0.05), (0.08, 0.15, 0.04), (0.45, 0.38, 0.06)),
    "autumn": ((0.25, 0.16, 0.05), (0.10, 0.12, 0.04), (0.32, 0.09, 0.04)),
    "winter": ((0.09, 0.075, 0.05), (0.04, 0.075, 0.03)),
}


def leaf_colours(species: str, season: str | None) -> tuple[Rgb, ...]:
    """The colours that the crowns of a species may have in a season."""
    if species == "bush":
        return _BUSHES[season or "summer"]
    table = {"autumn": _AUTUMN, "spring": _SPRING}.get(season or "summer", _SUMMER)
    return table.get(species, _SUMMER[species])


@cache
def bark(species: Species, variant: int, is_near: bool, is_bare: bool) -> Mesh:
    """Trunk and limbs; with ``is_bare`` all the twigs of a tree in winter."""
    rng = generator(variant, "bark", species)
    colour = _BARK.get(species, _BARK_RGB)
    if species in EVERGREEN:
        tall = 0.92 if species == "spruce" else 0.85
        return tube([(0, 0, -0.03), (0, 0, 0.3), (0, 0, tall)], [0.075, 0.055, 0.015], 5, Material.MATTE, colour)
    trunk = tube(
        [(0, 0, -0.03), (0, 0, 0.04), (0.0, 0.01, 0.3), (0.02, 0, 0.62)],
        [0.13, 0.085, 0.065, 0.03],
        6 if is_near else 4,
        Material.MATTE,
        colour,
    )
    if not is_bare:
        return trunk if not is_near else joined([trunk, *_limbs(rng, colour, (5,), species)])
    return joined([trunk, *_limbs(rng, colour, (7, 4, 3) if is_near else (6, 3), species)])


@cache
def crown(species: Species, variant: int, is_near: bool) -> Mesh:
    """The leaves, in shades of grey that the colour of the season tints."""
    rng = generator(variant, "crown", species)
    if species == "spruce":
        return _tiers(rng, 7 if is_near else 4, 9 if is_near else 6)
    clumps = _clumps(species, rng)
    level = 1 if is_near else 0
    balls = [blob(radii, level, rng, 0.2).moved(np.eye(3), centre) for centre, radii in clumps]
    for ball in balls:
        ball.colour[:] *= _CORE_SHADE
    return joined([*balls, _leaves(clumps, 120 if is_near else 14, rng, 0.085 if is_near else 0.17)])


@cache
def bush(variant: int, is_near: bool) -> Mesh:
    """A bush, 1 m in radius and 1 m high."""
    rng = generator(variant, "bush")
    centres = [(rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35), rng.uniform(0.3, 0.5)) for _ in range(3)]
    clumps = [(np.array(c), np.array([0.6, 0.6, 0.45]) * rng.uniform(0.8, 1.05)) for c in centres]
    balls = [blob(radii, 1 if is_near else 0, rng, 0.2).moved(np.eye(3), centre) for centre, radii in clumps]
    for ball in balls:
        ball.colour[:] *= _CORE_SHADE
    return joined([*balls, _leaves(clumps, 70 if is_near else 8, rng, 0.12 if is_near else 0.2)])


def _clumps(species: str, rng: np.random.Generator) -> list[tuple[FloatArray, FloatArray]]:
    """(centre, radii) of the balls that make a crown."""
    if species == "poplar":
        return [(np.array([0, 0, z]), np.array([r, r, 0.24])) for z, r in ((0.32, 0.8), (0.56, 0.95), (0.78, 0.6))]
    if species == "pine":
        return [
            (np.array([0.1, 0, 0.72]), np.array([0.75, 0.75, 0.17])),
            (np.array([-0.1, 0.1, 0.87]), np.array([0.6, 0.6, 0.13])),
        ]
    low = {"lime": 0.56, "maple": 0.6, "birch": 0.5}[species]
    clumps = [(np.array([0.0, 0.0, low + 0.08]), np.array([0.72, 0.72, 0.3]))]
    turn = rng.uniform(0, 2 * np.pi)
    for number in range(4):
        angle = turn + number * np.pi / 2 + rng.uniform(-0.4, 0.4)
        centre = np.array([0.42 * np.cos(angle), 0.42 * np.sin(angle), low + rng.uniform(-0.1, 0.1)])
        clumps.append((centre, np.array([0.52, 0.52, 0.2]) * rng.uniform(0.85, 1.1)))
    clumps.append((np.array([0.05, 0.0, 0.85]), np.array([0.45, 0.45, 0.15])))
    return clumps


def _leaves(clumps: list[tuple[FloatArray, FloatArray]], each: int, rng: np.random.Generator, size: float) -> Mesh:
    """Loose tufts that break the outline of the balls; triangles that touch their skin."""
    parts = []
    for centre, radii in clumps:
        way = rng.normal(size=(each, 3))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        middle = centre + way * radii * rng.uniform(0.9, 1.12, (each, 1))
        squash = np.array([1.0, 1.0, radii[2] / radii[0]])
        corners = middle[:, None] + rng.normal(size=(each, 3, 3)) * size * squash
        shade = np.clip(0.85 + 0.3 * way[:, 2] + rng.uniform(-0.25, 0.25, each), 0.3, 1.4)
        faces = np.arange(3 * each).reshape(-1, 3)
        parts.append(Mesh.of(corners, faces, Material.FOLIAGE, np.repeat(shade[:, None], 3, axis=1)))
    mesh = joined(parts)
    reach = np.hypot(mesh.vertices_m[:, 0], mesh.vertices_m[:, 1]).max()
    return mesh.scaled((min(1.0, 1.0 / reach),) * 2 + (1.0,))


def _tiers(rng: np.random.Generator, tiers: int, sides: int) -> Mesh:
    """The drooping whorls of a spruce."""
    parts = []
    for number in range(tiers):
        share = number / tiers
        low, high, radius = 0.1 + 0.82 * share, 0.1 + 0.82 * share + 1.75 / (tiers + 1), 1.0 - 0.9 * share
        angles = (np.arange(2 * sides) + rng.uniform()) * np.pi / sides
        wave = np.where(np.arange(2 * sides) % 2, 0.68, 1.0) * radius * rng.uniform(0.85, 1.0, 2 * sides)
        rim = np.stack([np.cos(angles) * wave, np.sin(angles) * wave, low + 0.03 * (1 - wave)], axis=1)
        vertices = np.concatenate([rim, [[0, 0, min(high, 1.0)]]])
        index = np.arange(2 * sides)
        faces = np.stack([index, (index + 1) % (2 * sides), np.full_like(index, 2 * sides)], axis=1)
        shade = np.clip(0.75 + 0.35 * share + rng.uniform(-0.15, 0.15, 2 * sides), 0.3, 1.3)
        parts.append(Mesh.of(vertices, faces, Material.FOLIAGE, np.repeat(shade[:, None], 3, axis=1)))
    return joined(parts)


def _limbs(rng: np.random.Generator, colour: Rgb, counts: tuple[int, ...], species: str) -> list[Mesh]:
    """Branches that fork as often as ``counts`` is long, within a crown of radius 1 between heights 0.25 and 1."""
    slim = 0.75 if species == "poplar" else 1.0
    feet = np.stack([np.zeros(counts[0]), np.zeros(counts[0]), np.linspace(0.28, 0.6, counts[0])], axis=1)
    turn = np.arange(counts[0]) * 2.4 + rng.uniform(0, 6.28)
    reach = 0.62 * slim
    ways = np.stack([np.cos(turn) * reach, np.sin(turn) * reach, rng.uniform(0.16, 0.3, counts[0])], axis=1)
    ways[-1] = (0.1, 0.05, 0.3)
    meshes, radius = [], 0.035
    for depth, _ in enumerate(counts):
        tips = feet + ways
        rod = tube([(0, 0, 0), (0, 0, 1)], [1.0, 0.45], 3, Material.MATTE, colour)
        meshes.append(_rods(rod, feet, tips, radius))
        if depth + 1 < len(counts):
            fork = counts[depth + 1]
            along = np.tile(np.linspace(0.45, 1.0, fork), len(feet))[:, None]
            parents, bases = np.repeat(ways, fork, axis=0), np.repeat(feet, fork, axis=0)
            feet = bases + along * parents
            sway = rng.normal(size=parents.shape) * (0.24, 0.24, 0.06) / (1 + depth)
            ways = 0.42 * parents + sway + (0.0, 0.0, 0.05)
            radius *= 0.5
    return meshes


def _rods(rod: Mesh, feet: FloatArray, tips: FloatArray, radius: float) -> Mesh:
    """A rod of height 1 laid from every foot to its tip by shearing: cheap, and twigs are thin."""
    mesh = repeated(rod, np.zeros((len(feet), 3)))
    vertices = mesh.vertices_m.reshape(len(feet), -1, 3).astype(np.float64)
    share = vertices[..., 2:]
    moved = feet[:, None] + share * (tips - feet)[:, None] + vertices * (radius, radius, 0.0)
    return Mesh(moved.reshape(-1, 3).astype(np.float32), mesh.triangles, mesh.material, mesh.colour, mesh.uv_m)
