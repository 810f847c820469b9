"""A shape in the unit box, made once; an instance of it is a size and a set of finishes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray

from .actor_parts import Part
from .mesh import Float32Array, Int32Array, Mesh, UInt8Array
from .paintwork import FINISHES, Finishes

Bounds: TypeAlias = tuple[FloatArray, FloatArray]
"""Lowest and highest corner, [3] each."""


def bounds_of(parts: Iterable[Part]) -> Bounds:
    """The box around parts."""
    points = np.concatenate([part.vertices_m for part in parts])
    return points.min(axis=0), points.max(axis=0)


@dataclass(frozen=True, eq=False)
class Template:
    """A shape in the box from -0.5 to 0.5 along every axis; one that moves fills it over its whole cycle.

    vertices: float32 [N,3]. triangles: int32 [F,3]. roles: names, and role_of: uint8 [F], which of them a triangle
    plays. turning: int32 [M], the vertices that turn with the wheels, and axle: float32 [M,2], x and z of their axles.
    roundness: float32 [2], length and height of the box in which wheels are round; in others they are as stretched.
    """

    vertices: Float32Array
    triangles: Int32Array
    roles: tuple[str, ...]
    role_of: UInt8Array
    turning: Int32Array
    axle: Float32Array
    roundness: Float32Array

    @classmethod
    def of(cls, parts: Iterable[Part], bounds_m: Bounds | None = None) -> Template:
        """Parts, moved and stretched so that their bounds, or the given ones, become the unit box."""
        listed = [part for part in parts if len(part.triangles)]
        roles = tuple(dict.fromkeys(part.role for part in listed))
        sizes = [len(part.vertices_m) for part in listed]
        starts = np.cumsum([0, *sizes[:-1]])
        points = np.concatenate([part.vertices_m for part in listed])
        faces = np.concatenate([part.triangles + start for part, start in zip(listed, starts, strict=True)])
        role_of = np.repeat([roles.index(part.role) for part in listed], [len(part.triangles) for part in listed])
        solid = _have_area(points, faces)
        low, high = bounds_m or (points.min(axis=0), points.max(axis=0))
        middle, extent = (low + high) / 2, high - low
        wheels = [(i, part.axle_m) for i, part in enumerate(listed) if part.axle_m is not None]
        turning = [np.arange(starts[i], starts[i] + sizes[i]) for i, _ in wheels]
        axle = [np.broadcast_to(axle_m, (sizes[i], 2)) for i, axle_m in wheels]
        return cls(
            np.clip((points - middle) / extent, -0.5, 0.5).astype(np.float32),
            faces[solid].astype(np.int32),
            roles,
            role_of[solid].astype(np.uint8),
            np.concatenate([np.zeros(0), *turning]).astype(np.int32),
            ((np.concatenate([np.zeros((0, 2)), *axle]) - middle[[0, 2]]) / extent[[0, 2]]).astype(np.float32),
            extent[[0, 2]].astype(np.float32),
        )

    def mesh(self, length_m: float, width_m: float, height_m: float, finishes: Finishes, turn_rad: float = 0.0) -> Mesh:
        """An instance of this size; roles without a finish of their own look as they usually do.

        turn_rad: how far the wheels have turned, forward.
        """
        size = np.array([length_m, width_m, height_m], dtype=np.float32)
        looks = [finishes.get(role) or FINISHES[role] for role in self.roles]
        material = np.array([look[0] for look in looks], dtype=np.uint8)
        colour = np.array([look[1] for look in looks], dtype=np.float32)
        return Mesh(
            self._turned(turn_rad) * size,
            self.triangles,
            material[self.role_of],
            colour[self.role_of],
            np.zeros((len(self.triangles), 3, 2), dtype=np.float32),
        )

    def _turned(self, turn_rad: float) -> Float32Array:
        if not len(self.turning) or turn_rad == 0.0:
            return self.vertices
        arm = (self.vertices[self.turning][:, [0, 2]] - self.axle) * self.roundness
        cosine, sine = np.float32(np.cos(turn_rad)), np.float32(np.sin(turn_rad))
        turned = np.stack([cosine * arm[:, 0] + sine * arm[:, 1], cosine * arm[:, 1] - sine * arm[:, 0]], axis=1)
        vertices = self.vertices.copy()
        vertices[self.turning[:, None], [0, 2]] = self.axle + turned / self.roundness
        return vertices


def _have_area(points: FloatArray, faces: Int32Array) -> npt.NDArray[np.bool_]:
    a, b, c = points[faces].transpose(1, 0, 2)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-9)
