"""Simple solids that everything is put together from."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray, IntArray

from .mesh import Material, Mesh, joined

UP = np.array([0.0, 0.0, 1.0])


def box(
    low_m: npt.ArrayLike, high_m: npt.ArrayLike, material: Material, colour: npt.ArrayLike, bottom: bool = False
) -> Mesh:
    """A cuboid from its lowest to its highest corner [3]; standing things need no bottom."""
    low, high = np.asarray(low_m, dtype=np.float64), np.asarray(high_m, dtype=np.float64)
    faces = _BOX_FACES if bottom else _BOX_FACES[:10]
    return Mesh.of(low + _BOX_CORNERS * (high - low), faces, material, colour)


def quads(corners_m: npt.ArrayLike, material: Material, colour: npt.ArrayLike) -> Mesh:
    """Quadrangles [Q,4,3], each around its edge; colour [3] or [Q,3]."""
    corners = np.asarray(corners_m, dtype=np.float64).reshape(-1, 4, 3)
    first = 4 * np.arange(len(corners))[:, None]
    faces = (first + np.array([0, 1, 2, 0, 2, 3])).reshape(-1, 3)
    colours = np.broadcast_to(np.asarray(colour, dtype=np.float64), (len(corners), 3))
    return Mesh.of(corners, faces, material, np.repeat(colours, 2, axis=0))


def polygon(corners_m: npt.ArrayLike, material: Material, colour: npt.ArrayLike) -> Mesh:
    """A flat convex polygon [N,3]."""
    corners = np.asarray(corners_m, dtype=np.float64)
    steps = np.arange(1, len(corners) - 1)
    return Mesh.of(corners, np.stack([np.zeros_like(steps), steps, steps + 1], axis=1), material, colour)


def disc(centre_m: npt.ArrayLike, radius_m: float, sides: int, material: Material, colour: npt.ArrayLike) -> Mesh:
    """A disc that looks along x."""
    angles = np.arange(sides) * 2 * np.pi / sides + np.pi / sides
    ring = np.stack([np.zeros(sides), np.cos(angles), np.sin(angles)], axis=1) * radius_m
    return polygon(np.asarray(centre_m) + ring, material, colour)


def tube(path_m: npt.ArrayLike, radii_m: npt.ArrayLike, sides: int, material: Material, colour: npt.ArrayLike) -> Mesh:
    """A round rod along points [K,3] with radii [K]; its ends are open."""
    path = np.asarray(path_m, dtype=np.float64)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    helper = np.where(np.abs(along[:, 2:]) > 0.8, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    across = np.cross(along, helper)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(along, across)
    angles = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(angles)[:, None] * across[:, None] + np.sin(angles)[:, None] * other[:, None]
    vertices = path[:, None] + np.broadcast_to(np.asarray(radii_m, dtype=np.float64), len(path))[:, None, None] * ring
    return Mesh.of(vertices, _lattice_faces(len(path), sides), material, colour)


def strip(rows_m: npt.ArrayLike, material: Material, colour: npt.ArrayLike) -> Mesh:
    """A sheet between lines of matching points [L,N,3], L >= 2; colour [3], or one per gap between lines [L-1,3]."""
    rows = np.asarray(rows_m, dtype=np.float64)
    lines, count = rows.shape[:2]
    row, step = np.meshgrid(np.arange(lines - 1), np.arange(count - 1), indexing="ij")
    a = (row * count + step).ravel()
    faces = np.stack([a, a + 1, a + count + 1, a, a + count + 1, a + count], axis=1).reshape(-1, 3)
    colours = np.broadcast_to(np.asarray(colour, dtype=np.float64), (lines - 1, 3))
    return Mesh.of(rows.reshape(-1, 3), faces, material, np.repeat(colours, 2 * (count - 1), axis=0))


def blob(radii_m: npt.ArrayLike, level: int, rng: np.random.Generator, roughness: float = 0.15) -> Mesh:
    """A lumpy ball of leaves of 20 * 4**level triangles, darker below; its colour is grey, to be tinted."""
    ball, faces = _ball(level)
    lumps = 1.0 + roughness * rng.uniform(-1.0, 1.0, len(ball))
    vertices = ball * lumps[:, None] * np.asarray(radii_m)
    heights = ball[faces].mean(axis=1)[:, 2]
    shade = 0.8 + 0.2 * heights + rng.uniform(-0.12, 0.12, len(faces))
    return Mesh.of(vertices, faces, Material.FOLIAGE, np.repeat(np.clip(shade, 0.2, 1.2)[:, None], 3, axis=1))


def repeated(
    template: Mesh,
    places_m: FloatArray,
    yaw_rad: FloatArray | float = 0.0,
    scale: FloatArray | float = 1.0,
    tint: FloatArray | None = None,
) -> Mesh:
    """One mesh at places [K,3], turned by yaw [K], stretched by scale [K] or [K,3], colours times tint [K,3]."""
    count, vertices = len(places_m), template.vertices_m
    if not count:
        return joined([])
    turn = np.broadcast_to(np.asarray(yaw_rad, dtype=np.float64), count)
    stretch = np.asarray(scale, dtype=np.float64)
    stretch = np.broadcast_to(stretch[:, None] if stretch.ndim == 1 else stretch, (count, 3))
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x, y, z = (vertices[None, :, axis] * stretch[:, axis, None] for axis in range(3))
    moved = np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=-1) + places_m[:, None]
    faces = template.triangles[None] + (len(vertices) * np.arange(count, dtype=np.int32))[:, None, None]
    colour = np.broadcast_to(template.colour, (count, *template.colour.shape))
    if tint is not None:
        colour = colour * np.asarray(tint, dtype=np.float32)[:, None]
    return Mesh(
        moved.reshape(-1, 3).astype(np.float32),
        faces.reshape(-1, 3).astype(np.int32),
        np.tile(template.material, count),
        np.ascontiguousarray(colour.reshape(-1, 3), dtype=np.float32),
        np.tile(template.uv_m, (count, 1, 1)),
    )


def _lattice_faces(rings: int, sides: int) -> IntArray:
    ring, side = np.meshgrid(np.arange(rings - 1), np.arange(sides), indexing="ij")
    a, b = (ring * sides + side).ravel(), (ring * sides + (side + 1) % sides).ravel()
    return np.asarray(np.stack([a, b, b + sides, a, b + sides, a + sides], axis=1).reshape(-1, 3))


@cache
def _ball(level: int) -> tuple[FloatArray, IntArray]:
    """A unit ball of triangles: an icosahedron whose faces are split ``level`` times."""
    golden = (1 + 5**0.5) / 2
    pairs = [(a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    corners = np.array([np.roll([0.0, a, b], turn) for turn in range(3) for a, b in pairs])
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    near = np.abs(distance - 2.0) < 1e-6
    count = range(len(corners))
    faces = np.array([ijk for ijk in combinations(count, 3) if near[np.ix_(ijk, ijk)].sum() == 6])
    vertices = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    for _ in range(level):
        vertices, faces = _split(vertices, faces)
    return vertices, faces


def _split(vertices: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    middles = vertices[unique].mean(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    ab, bc, ca = (len(vertices) + index.reshape(3, -1)).tolist()
    a, b, c = faces.T.tolist()
    split = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([vertices, middles]), np.concatenate([np.array(face).T for face in split])


_BOX_CORNERS = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=np.float64)
_BOX_FACES = np.array(
    [
        [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5],
        [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7], [0, 2, 1], [0, 3, 2],
    ]
)  # fmt: skip
