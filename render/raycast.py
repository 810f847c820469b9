"""Ray casting against triangles, exact for any lens: a thin layer over Embree, and the rays of a camera's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from scenegraph import SE3, Camera, Lens
from scenegraph.arrays import FloatArray, all_finite, frozen

from .errors import RenderError

Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

_ROWS_AT_ONCE = 64
_CACHED_CAMERAS = 16
_ENDLESS_M = 1e30


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

    @cached_property
    def normals(self) -> Float32Array:
        """Unit normals of the triangles, float32 [F,3], by the order of their corners; zero for one without area."""
        a, b, c = self.vertices_m[self.triangles].astype(np.float64).transpose(1, 0, 2)
        across = np.cross(b - a, c - a)
        length = np.linalg.norm(across, axis=1, keepdims=True)
        return frozen(np.where(length > 0, across / np.where(length > 0, length, 1.0), 0.0).astype(np.float32))

    def first_hits(self, origins_m: Float32Array, directions: Float32Array) -> Hits:
        """What rays from origins [R,3] (or one for all, [3]) along unit directions [R,3] meet first."""
        origins, towards = _rays(origins_m, directions)
        if self._scene is None or not len(origins):
            count = len(origins)
            return Hits(np.full(count, np.inf, np.float32), np.full(count, -1, np.int32))
        found = self._scene.run(origins, towards, output=True)
        triangle = found["primID"]
        return Hits(np.where(triangle >= 0, found["tfar"], np.float32(np.inf)), triangle)

    def blocked(
        self, origins_m: Float32Array, directions: Float32Array, reach_m: float | Float32Array = np.inf
    ) -> BoolArray:
        """Which rays from origins [R,3] (or [3]) along unit directions [R,3] meet anything within reach, bool [R].

        reach_m: how far along the rays to look, one number or [R].
        """
        origins, towards = _rays(origins_m, directions)
        reach = np.asarray(reach_m, dtype=np.float32)
        if reach.shape not in ((), (len(origins),)) or not (reach >= 0).all():
            raise RenderError(f"reach: expected one length or {len(origins)}, none below 0, got {_shape(reach)}")
        if self._scene is None or not len(origins):
            return np.zeros(len(origins), dtype=np.bool_)
        limits = _for_embree(np.broadcast_to(np.minimum(reach, _ENDLESS_M), len(origins)))
        answer: BoolArray = self._scene.run(origins, towards, limits, query="OCCLUDED") >= 0
        return answer


def pixel_rays(camera: Camera, subsamples: int = 1) -> Float32Array:
    """Unit rays float32 [H,W,3] in the camera frame through the centres of all pixels; read-only, remembered.

    subsamples: n for a picture n times as wide and high, [nH,nW,3], whose n x n blocks fill one pixel evenly.
    """
    if subsamples < 1:
        raise RenderError(f"camera {camera.name}: expected at least 1 subsample each way, got {subsamples}")
    return _pixel_rays(camera.lens, camera.width_px, camera.height_px, subsamples)


def world_rays(camera: Camera, world_from_camera: SE3, subsamples: int = 1) -> tuple[FloatArray, Float32Array]:
    """Origin float64 [3] and unit rays float32 [H,W,3] of a posed camera, in the world."""
    require_pose(camera, world_from_camera)
    rays_camera = pixel_rays(camera, subsamples)
    return world_from_camera.translation_m, rays_camera @ world_from_camera.rotation.T.astype(np.float32)


def require_pose(camera: Camera, world_from_camera: SE3) -> None:
    """Refuse several poses at once, and NaN."""
    if world_from_camera.shape or not all_finite(world_from_camera.matrix):
        raise RenderError(f"camera {camera.name}: expected one pose without NaN or infinity")


@lru_cache(maxsize=_CACHED_CAMERAS)
def _pixel_rays(lens: Lens, width_px: int, height_px: int, subsamples: int) -> Float32Array:
    camera = Camera("rays", lens, width_px, height_px, SE3.identity())
    u = (np.arange(width_px * subsamples) + 0.5) / subsamples - 0.5
    v = (np.arange(height_px * subsamples) + 0.5) / subsamples - 0.5
    rays = np.empty((len(v), len(u), 3), dtype=np.float32)
    for top in range(0, len(v), _ROWS_AT_ONCE):
        part = slice(top, top + _ROWS_AT_ONCE)
        rays[part] = camera.unproject(np.stack(np.meshgrid(u, v[part]), axis=-1))
    return frozen(rays)


def _rays(origins_m: Float32Array, directions: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Origins and directions as Embree wants them; it reads past the end of arrays that do not fit."""
    towards = _for_embree(directions)
    origins = np.asarray(origins_m, dtype=np.float32)
    if towards.ndim != 2 or towards.shape[1] != 3 or origins.shape not in ((3,), towards.shape):
        raise RenderError(f"rays: expected origins and directions [R,3], got {_shape(origins)} and {_shape(towards)}")
    if not (all_finite(origins) and all_finite(towards)):
        raise RenderError("rays: an origin or a direction holds NaN or infinity")
    return _for_embree(np.broadcast_to(origins, towards.shape)), towards


def _for_embree(array: npt.NDArray[Any]) -> Float32Array:
    """In the layout Embree reads; it takes no read-only arrays."""
    return np.require(array, dtype=np.float32, requirements=["C", "W"])


def _shape(array: npt.NDArray[Any]) -> str:
    return str(list(array.shape))


def _embree(vertices_m: Float32Array, triangles: Int32Array) -> Any:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    scene = EmbreeScene()
    TriangleMesh(scene, vertices_m, triangles)
    return scene
