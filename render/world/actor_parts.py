"""Parts that actors are put together from: plates, blocks, tubes, lofts and wheels, with a role instead of a colour.

Parts are built in metres, x forward, y left, z up, in any place; a template moves them into the unit box. Triangles
run counter-clockwise as seen from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray

from .mesh import Int32Array

Point: TypeAlias = Sequence[float] | FloatArray
_QUAD = ((0, 1, 2), (0, 2, 3))


def vector(x: float, y: float, z: float) -> FloatArray:
    """Three numbers as an array [3]."""
    return np.array([x, y, z])


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles that play one role ("paint", "glass", "skin" ...).

    vertices_m: float64 [N,3]. triangles: int32 [F,3]. axle_m: (x, z) of the axle it turns about, None if it does not.
    """

    role: str
    vertices_m: FloatArray
    triangles: Int32Array
    axle_m: tuple[float, float] | None = None

    @property
    def mirrored(self) -> Part:
        """The same part on the other side of the plane y = 0."""
        return replace(self, vertices_m=self.vertices_m * (1.0, -1.0, 1.0), triangles=self.triangles[:, ::-1])

    @property
    def turned(self) -> Part:
        """The same part a quarter turn to the left around the z axis; for parts that do not turn about an axle."""
        return replace(self, vertices_m=self.vertices_m[:, [1, 0, 2]] * (-1.0, 1.0, 1.0))

    def shifted(self, x_m: float = 0.0, y_m: float = 0.0, z_m: float = 0.0) -> Part:
        """The same part elsewhere."""
        axle_m = None if self.axle_m is None else (self.axle_m[0] + x_m, self.axle_m[1] + z_m)
        return replace(self, vertices_m=self.vertices_m + vector(x_m, y_m, z_m), axle_m=axle_m)


def both_sides(parts: Iterable[Part]) -> list[Part]:
    """Parts of the left side and their mirror images."""
    left = list(parts)
    return left + [part.mirrored for part in left]


def part(role: str, vertices_m: npt.ArrayLike, triangles: npt.ArrayLike) -> Part:
    """A part of vertices [N,3] and triangles [F,3]."""
    points = np.asarray(vertices_m, dtype=np.float64).reshape(-1, 3)
    return Part(role, points, np.asarray(triangles, dtype=np.int32).reshape(-1, 3))


# -- plates ----------------------------------------------------------------------------------------


def plate(role: str, *corners_m: Point) -> Part:
    """A convex polygon, corners counter-clockwise as seen from outside."""
    count = len(corners_m)
    return part(role, np.array(corners_m), [(0, i, i + 1) for i in range(1, count - 1)])


def patch(
    role: str, corners_m: Sequence[Point], u: tuple[float, float], v: tuple[float, float], proud_m: float = 0.008
) -> Part:
    """A piece of a quad, lying on it a little proud.

    corners_m: counter-clockwise from outside: at (u, v) = (0, 0), (1, 0), (1, 1) and (0, 1).
    """
    a, b, c, d = (np.asarray(corner, dtype=np.float64) for corner in corners_m)
    normal = np.cross(c - a, d - b)
    lift = proud_m * normal / np.linalg.norm(normal)
    places = [(u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1])]
    return part(role, [(1 - q) * ((1 - p) * a + p * b) + q * ((1 - p) * d + p * c) + lift for p, q in places], _QUAD)


# -- solids ----------------------------------------------------------------------------------------


def loft(role: str, sections_m: npt.ArrayLike, closed: bool = False, capped: bool = False) -> Part:
    """A skin through sections [S,K,3].

    A section runs counter-clockwise as seen from where the sections come from: from its end towards its start.
    closed: the last point of a section joins its first. capped: the first and the last section are filled.
    """
    points = np.asarray(sections_m, dtype=np.float64)
    count, size = points.shape[:2]
    along = np.arange(size if closed else size - 1)
    here = (np.arange(count - 1)[:, None] * size + along).ravel()
    beside = (np.arange(count - 1)[:, None] * size + (along + 1) % size).ravel()
    faces = [
        np.stack([here, here + size, beside], axis=1),
        np.stack([beside, here + size, beside + size], axis=1),
    ]
    if capped:
        fan = np.array([(0, i, i + 1) for i in range(1, size - 1)])
        faces += [fan, fan[:, ::-1] + (count - 1) * size]
    return part(role, points.reshape(-1, 3), np.concatenate(faces))


def block(role: str, x_m: tuple[float, float], y_m: tuple[float, float], z_m: tuple[float, float]) -> Part:
    """A cuboid between two corners."""
    return prism(role, [(x_m[0], z_m[0]), (x_m[1], z_m[0]), (x_m[1], z_m[1]), (x_m[0], z_m[1])], y_m)


def prism(
    role: str, profile_xz_m: Sequence[tuple[float, float]], y_m: tuple[float, float], top_inset_m: float = 0.0
) -> Part:
    """A convex side view, drawn counter-clockwise with x to the right, given breadth from y_m[0] to y_m[1].

    top_inset_m: how much further in the sides stand at the top than at the bottom.
    """
    profile = np.asarray(profile_xz_m, dtype=np.float64)
    low, high = profile[:, 1].min(), profile[:, 1].max()
    inset = top_inset_m * (profile[:, 1] - low) / (high - low)
    right = np.stack([profile[:, 0], y_m[0] + inset, profile[:, 1]], axis=1)
    left = np.stack([profile[:, 0], y_m[1] - inset, profile[:, 1]], axis=1)
    return loft(role, [right, left], closed=True, capped=True)


def tube(
    role: str, path_m: Sequence[Point], radii_m: Sequence[float], sides: int = 6, capped: bool = True, flat: float = 1.0
) -> Part:
    """A round bar along a path of points, with a radius at each.

    flat: how much thinner it is across the y axis than along it, for torsos and soles.
    """
    path = np.asarray(path_m, dtype=np.float64)
    ahead = np.empty_like(path)
    ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead[1:-1] = path[2:] - path[:-2]
    ahead /= np.sqrt((ahead**2).sum(axis=1, keepdims=True))
    aside = np.stack([-ahead[:, 2], np.zeros(len(path)), ahead[:, 0]], axis=1)  # across the y axis too
    is_sideways = np.abs(ahead[:, 1]) > 0.9999
    aside[is_sideways] = (0.0, 0.0, -1.0)
    aside /= np.sqrt((aside**2).sum(axis=1, keepdims=True))
    other = np.empty_like(aside)
    for axis in range(3):  # ahead x aside; numpy's own is slow for so few
        i, j = (axis + 1) % 3, (axis + 2) % 3
        other[:, axis] = ahead[:, i] * aside[:, j] - ahead[:, j] * aside[:, i]
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    ring = flat * np.cos(angles)[None, :, None] * aside[:, None] + np.sin(angles)[None, :, None] * other[:, None]
    radii = np.asarray(radii_m, dtype=np.float64)
    return loft(role, path[:, None] + radii[:, None, None] * ring[:, ::-1], closed=True, capped=capped)


def ball(role: str, centre_m: Point, radii_m: Point, sides: int = 8, from_up: float = -1.0, to_up: float = 1.0) -> Part:
    """An ellipsoid, or the slice of it between two heights given as fractions of its upright radius."""
    levels = np.sin(np.linspace(np.arcsin(from_up), np.arcsin(to_up), 4))
    around = np.sqrt(np.maximum(1 - levels**2, 4e-4))
    angles = np.arange(sides) * 2 * np.pi / sides
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sections = np.empty((len(levels), sides, 3))
    sections[..., :2] = around[:, None, None] * ring[::-1]
    sections[..., 2] = levels[:, None]
    return loft(role, sections * np.asarray(radii_m) + np.asarray(centre_m), closed=True, capped=True)


# -- wheels ----------------------------------------------------------------------------------------


def wheel(
    x_m: float, outside_m: float, radius_m: float, width_m: float, sides: int = 10, is_covered: bool = False
) -> list[Part]:
    """A wheel of the left side that stands on z = 0: a tyre, and a rim with spokes that can turn.

    is_covered: the upper half of its inner side is left out, since a body hides it.
    """
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides + np.pi / 2
    upright = radius_m / np.cos(np.pi / sides)
    circle = np.stack([np.cos(angles), np.zeros(sides), np.sin(angles)], axis=1)
    middle = np.array([x_m, 0.0, radius_m])
    outer = middle + upright * circle + vector(0.0, outside_m, 0.0)
    inner = outer - vector(0.0, width_m, 0.0)
    tyre = loft("tyre", [inner, outer], closed=True)
    back = inner[inner[:, 2] < radius_m + 1e-6] if is_covered else inner
    faces = [part("tyre", outer, _fan(sides)), part("tyre", back, _fan(len(back))[:, ::-1])]
    rim = np.vstack([middle + 0.64 * radius_m * circle, middle]) + vector(0.0, outside_m + 0.01, 0.0)
    spokes = [(i, sides, (i + 1) % sides) for i in range(sides)]
    axle_m = (x_m, radius_m)
    return [
        tyre,
        *faces,
        replace(part("rim", rim, spokes[::2]), axle_m=axle_m),
        replace(part("tyre", rim, spokes[1::2]), axle_m=axle_m),
    ]


def _fan(corners: int) -> Int32Array:
    return np.array([(0, i + 1, i) for i in range(1, corners - 1)], dtype=np.int32)


def hoop(role: str, x_m: float, radius_m: float, thickness_m: float, sides: int = 16, z_m: float | None = None) -> Part:
    """A thin upright ring around the y axis that stands on z = 0, or has its middle at z_m: a bicycle's tyre."""
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides + np.pi / 2
    across = np.array([(0.0, 0.0), (-thickness_m, -0.5 * thickness_m), (-thickness_m, 0.5 * thickness_m)])
    radii = radius_m / np.cos(np.pi / sides) + across[:, 0]
    rings = np.empty((sides + 1, 3, 3))
    turned = np.append(angles, angles[0])
    rings[..., 0] = x_m + radii * np.cos(turned)[:, None]
    rings[..., 1] = across[:, 1]
    rings[..., 2] = (radius_m if z_m is None else z_m) + radii * np.sin(turned)[:, None]
    return loft(role, rings, closed=True)
