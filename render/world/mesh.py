"""What the reference world is made of: triangles with a material and a colour each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
UInt8Array = npt.NDArray[np.uint8]


class Material(IntEnum):
    """How a surface answers light; the shading knows one rule for each."""

    MATTE = 0  # walls, clothes, skin, bark
    PAINTWORK = 1  # car bodies: a coat that mirrors the sky
    GLASS = 2  # windows: dark, mirroring; lit from inside at night on buildings
    RUBBER = 3
    METAL = 4  # poles, rims, trim
    FOLIAGE = 5
    FACADE = 6  # a wall with rows of windows, drawn by its uv in metres
    GROUND = 7  # coloured from the painted ground picture by its place
    HEADLAMP = 8  # white, shines forward when the lights are on
    TAILLAMP = 9  # red, glows when the lights are on
    LAMP = 10  # street lamps, shine at night
    SIGNAL = 11  # traffic light lenses: shine in their own colour, always
    SIGN = 12  # retroreflecting plates


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a look.

    vertices_m: float32 [N,3]. triangles: int32 [F,3]. material: uint8 [F]. colour: float32 [F,3], linear RGB albedo
    (or light, for what shines), 0 to 1. uv_m: float32 [F,3,2], metres along a wall and up it, only read for FACADE.
    """

    vertices_m: Float32Array
    triangles: Int32Array
    material: UInt8Array
    colour: Float32Array
    uv_m: Float32Array

    @classmethod
    def of(cls, vertices_m: npt.ArrayLike, triangles: npt.ArrayLike, material: Material, colour: npt.ArrayLike) -> Mesh:
        """Triangles of one material; one colour [3] or one per triangle [F,3]."""
        faces = np.asarray(triangles, dtype=np.int32).reshape(-1, 3)
        count = len(faces)
        return cls(
            np.asarray(vertices_m, dtype=np.float32).reshape(-1, 3),
            faces,
            np.full(count, material, dtype=np.uint8),
            np.array(np.broadcast_to(np.asarray(colour, dtype=np.float32), (count, 3))),
            np.zeros((count, 3, 2), dtype=np.float32),
        )

    def moved(self, rotation: npt.ArrayLike, translation_m: npt.ArrayLike) -> Mesh:
        """Turned by a rotation [3,3], then shifted by [3]."""
        vertices = self.vertices_m.astype(np.float64) @ np.asarray(rotation).T + np.asarray(translation_m)
        return replace(self, vertices_m=vertices.astype(np.float32))

    def scaled(self, factors: npt.ArrayLike) -> Mesh:
        """Stretched along x, y, z by [3]."""
        return replace(self, vertices_m=self.vertices_m * np.asarray(factors, dtype=np.float32))


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """Several meshes as one."""
    parts = [mesh for mesh in meshes if len(mesh.triangles)]
    if not parts:
        return Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)), Material.MATTE, (0, 0, 0))
    offsets = np.cumsum([0, *(len(mesh.vertices_m) for mesh in parts[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices_m for mesh in parts]),
        np.concatenate([mesh.triangles + offset for mesh, offset in zip(parts, offsets, strict=True)]).astype(np.int32),
        np.concatenate([mesh.material for mesh in parts]),
        np.concatenate([mesh.colour for mesh in parts]),
        np.concatenate([mesh.uv_m for mesh in parts]),
    )
