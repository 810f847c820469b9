"""Triangles as compiled code reads them, and what rays find out about the ones that they meet."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..compiling import njit
from .mesh import Material, Mesh

Float32Array = npt.NDArray[np.float32]
_FACADE, _GLASS = int(Material.FACADE), int(Material.GLASS)
_SAME_PLACE_M: Final = 0.002
_BLUNT: Final = 0.72


class Faces(NamedTuple):
    """Per triangle: its corners, unit normal, look and owner.

    corners: float32 [F,3,3]. normal: float32 [F,3]. bent: float32 [F,3,3], normals at the corners of a smooth body,
    zero where the face is flat. material: uint8 [F]. colour: float32 [F,3]. uv: float32 [F,3,2], on walls
    metres along and up, on glass how bright and how warm the room behind it is at night.
    owner: int32 [F], index of the actor, -1 for what belongs to none. key: int64 [F], equal for faces between which
    no edge shows: that lie in one plane and look the same, all ground, all leaves.
    """

    corners: Any
    normal: Any
    bent: Any
    material: Any
    colour: Any
    uv: Any
    owner: Any
    key: Any


def faces_of(mesh: Mesh, owner: npt.NDArray[np.int32] | int = -1, bent: Float32Array | None = None) -> Faces:
    """The faces of a mesh that belong to one actor, or each to its own. bent: see ``bent_normals``, None for flat."""
    corners = mesh.vertices_m[mesh.triangles].reshape(-1, 3, 3)
    normal = normals_of(corners)
    owners = np.array(np.broadcast_to(np.asarray(owner, dtype=np.int32), len(corners)))
    # Compiled code wants every array in one layout, or it is compiled again.
    return Faces(
        np.array(corners, dtype=np.float32, order="C"),
        normal,
        np.zeros((len(corners), 3, 3), dtype=np.float32) if bent is None else np.array(bent, order="C"),
        np.array(mesh.material, dtype=np.uint8, order="C"),
        np.array(mesh.colour, dtype=np.float32, order="C"),
        np.array(mesh.uv_m, dtype=np.float32, order="C"),
        owners,
        _keys(normal, corners, mesh, owners),
    )


def normals_of(corners: Float32Array) -> Float32Array:
    """Unit normals [F,3] of triangles [F,3,3]; zero for one without area."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return np.array(across / np.maximum(length, 1e-12), dtype=np.float32, order="C")


def bent_normals(mesh: Mesh) -> Float32Array:
    """Normals at the corners of faces float32 [F,3,3]: of coachwork and glass the mean of the faces that meet there
    at a blunt angle, zero for other materials."""
    corners = mesh.vertices_m[mesh.triangles].reshape(-1, 3, 3)
    bent = np.zeros(corners.shape, dtype=np.float32)
    smooth = np.flatnonzero(np.isin(mesh.material, (Material.PAINTWORK, Material.GLASS)))
    if len(smooth):
        spots = np.round(corners[smooth].reshape(-1, 3) / _SAME_PLACE_M).astype(np.int64)
        _, place = np.unique(spots, axis=0, return_inverse=True)
        place = place.reshape(-1)
        normal = normals_of(corners[smooth]).astype(np.float64)
        order = np.argsort(place, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(place))])
        found = np.zeros((len(smooth), 3, 3))
        _bend(normal, order, first, found)
        bent[smooth] = found
    return bent


@njit
def _bend(normal: Any, order: Any, first: Any, out: Any) -> None:
    """Means of normals [F,3] over the faces that share a place: corners in ``order``, sorted by place."""
    for v in range(len(first) - 1):
        for p in range(first[v], first[v + 1]):
            f, k = order[p] // 3, order[p] % 3
            x, y, z = 0.0, 0.0, 0.0
            for q in range(first[v], first[v + 1]):
                g = order[q] // 3
                dot = normal[f, 0] * normal[g, 0] + normal[f, 1] * normal[g, 1] + normal[f, 2] * normal[g, 2]
                if dot > _BLUNT:
                    x, y, z = x + normal[g, 0], y + normal[g, 1], z + normal[g, 2]
            length = max((x * x + y * y + z * z) ** 0.5, 1e-9)
            out[f, k, 0], out[f, k, 1], out[f, k, 2] = x / length, y / length, z / length


def _keys(
    normal: npt.NDArray[np.float32], corners: npt.NDArray[np.float32], mesh: Mesh, owner: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """A number per face that tells planes, materials, colours and owners apart."""
    plane = np.round(normal * 16).astype(np.int64)
    away = np.round((normal * corners[:, 0]).sum(axis=1) * 4).astype(np.int64)
    colour = np.round(mesh.colour * 64).astype(np.int64)
    key = owner.astype(np.int64)
    for part in (mesh.material.astype(np.int64), *plane.T, away, *colour.T):
        key = key * 1_000_003 + part
    plain = np.isin(mesh.material, (Material.GROUND, Material.FOLIAGE))
    return np.where(plain, owner.astype(np.int64) * 16 - mesh.material, key)


def gather(
    still: Faces, moving: Faces, origins: Any, directions: Any, distance: Any, face: Any,
    place: Any, normal: Any, material: Any, colour: Any, owner: Any, uv: Any,
) -> None:  # fmt: skip
    """What rays [R] find out about the faces [R] that they meet; a face from ``len(still)`` on is a moving one.

    Fills place and normal (towards the ray), colour float32 [R,3], material uint8 [R], owner int32 [R], and uv float32
    [R,2] on walls and glass. Rays that meet nothing are left as they are.
    """
    first = 0
    for faces in (still, moving):
        if len(faces.owner):
            _gather(*faces[:7], first, origins, directions, distance, face, place, normal, material, colour, owner, uv)
        first += len(faces.owner)


@njit
def _gather(
    corners: Any, normals: Any, bent: Any, materials: Any, colours: Any, uvs: Any, owners: Any, first: int,
    origins: Any, directions: Any, distance: Any, face: Any,
    place: Any, normal: Any, material: Any, colour: Any, owner: Any, uv: Any,
) -> None:  # fmt: skip
    count = len(owners)
    for i in range(len(face)):
        f = face[i] - first
        if face[i] < 0 or f < 0 or f >= count:
            continue
        dot = 0.0
        for k in range(3):
            place[i, k] = origins[i, k] + directions[i, k] * distance[i]
            dot += directions[i, k] * normals[f, k]
        side = -1.0 if dot > 0.0 else 1.0
        for k in range(3):
            normal[i, k] = side * normals[f, k]
            colour[i, k] = colours[f, k]
        material[i], owner[i] = materials[f], owners[f]
        if materials[f] == _FACADE:
            s, t = _within(corners, f, place[i, 0], place[i, 1], place[i, 2])
            for k in range(2):
                uv[i, k] = uvs[f, 0, k] + s * (uvs[f, 1, k] - uvs[f, 0, k]) + t * (uvs[f, 2, k] - uvs[f, 0, k])
        elif materials[f] == _GLASS and uvs[f, 0, 0] > 0.0:
            uv[i, 0], uv[i, 1] = uvs[f, 0, 0], uvs[f, 0, 1]
        elif bent[f, 0, 0] != 0.0 or bent[f, 0, 1] != 0.0 or bent[f, 0, 2] != 0.0:
            s, t = _within(corners, f, place[i, 0], place[i, 1], place[i, 2])
            squared = 0.0
            for k in range(3):
                n = bent[f, 0, k] + s * (bent[f, 1, k] - bent[f, 0, k]) + t * (bent[f, 2, k] - bent[f, 0, k])
                normal[i, k] = side * n
                squared += n * n
            for k in range(3):
                normal[i, k] /= max(squared**0.5, 1e-6)


@njit
def _within(corners: Any, f: int, x: float, y: float, z: float) -> tuple[float, float]:
    """How far a place on a face lies towards its second and its third corner, as shares of its sides."""
    ax, ay, az = corners[f, 0, 0], corners[f, 0, 1], corners[f, 0, 2]
    e1x, e1y, e1z = corners[f, 1, 0] - ax, corners[f, 1, 1] - ay, corners[f, 1, 2] - az
    e2x, e2y, e2z = corners[f, 2, 0] - ax, corners[f, 2, 1] - ay, corners[f, 2, 2] - az
    px, py, pz = x - ax, y - ay, z - az
    d11 = e1x * e1x + e1y * e1y + e1z * e1z
    d12 = e1x * e2x + e1y * e2y + e1z * e2z
    d22 = e2x * e2x + e2y * e2y + e2z * e2z
    p1 = px * e1x + py * e1y + pz * e1z
    p2 = px * e2x + py * e2y + pz * e2z
    det = max(d11 * d22 - d12 * d12, 1e-12)
    return (d22 * p1 - d12 * p2) / det, (d11 * p2 - d12 * p1) / det
