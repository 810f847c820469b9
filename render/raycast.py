"""Ray casting against triangles, exact for any lens: a thin layer over Embree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import RenderError

Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Hits:
    """What R rays meet first.

    distance_m: float32 [R] along the ray, infinite where it meets nothing. triangle: int32 [R], -1 where nothing.
    """

    distance_m: Float32Array
    triangle: Int32Array

    @property
    def any(self) -> BoolArray:
        """Which rays meet something, [R]."""
        return self.triangle >= 0


class TriangleScene:
    """Triangles that rays can be cast against; built once, then any number of casts.

    vertices_m: float32 [N,3]. triangles: int32 [F,3], indices of vertices. Both sides of a triangle are solid.
    Embree computes in float32: keep coordinates within a few kilometres of the origin.
    """

    def __init__(self, vertices_m: Float32Array, triangles: Int32Array) -> None:
        self.vertices_m = np.ascontiguousarray(vertices_m, dtype=np.float32)
        self.triangles = np.ascontiguousarray(triangles, dtype=np.int32)
        if self.vertices_m.ndim != 2 or self.vertices_m.shape[1] != 3 or not np.isfinite(self.vertices_m).all():
            raise RenderError(f"vertices: expected finite [N,3], got {list(self.vertices_m.shape)}")
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3:
            raise RenderError(f"triangles: expected [F,3], got {list(self.triangles.shape)}")
        if len(self.triangles) and not 0 <= self.triangles.min() <= self.triangles.max() < len(self.vertices_m):
            raise RenderError(f"triangles: name vertices outside of the {len(self.vertices_m)} there are")
        self._scene = _embree(self.vertices_m, self.triangles) if len(self.triangles) else None

    def first_hits(self, origins_m: Float32Array, directions: Float32Array) -> Hits:
        """What rays from origins [R,3] along unit directions [R,3] meet first."""
        if self._scene is None or not len(origins_m):
            count = len(origins_m)
            return Hits(np.full(count, np.inf, np.float32), np.full(count, -1, np.int32))
        found = self._scene.run(_rows(origins_m), _rows(directions), output=True)
        triangle = found["primID"]
        return Hits(np.where(triangle >= 0, found["tfar"], np.float32(np.inf)), triangle)

    def blocked(self, origins_m: Float32Array, directions: Float32Array) -> BoolArray:
        """Which rays from origins [R,3] along directions [R,3] meet anything at all, bool [R]."""
        if self._scene is None or not len(origins_m):
            return np.zeros(len(origins_m), dtype=np.bool_)
        answer: BoolArray = self._scene.run(_rows(origins_m), _rows(directions), query="OCCLUDED") >= 0
        return answer


def _rows(vectors: Float32Array) -> Float32Array:
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _embree(vertices_m: Float32Array, triangles: Int32Array) -> Any:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, vertices_m, triangles)
    return scene
