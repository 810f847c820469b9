"""What rays can meet in a scene: the actors' cuboids at one instant, and what stands still on the map."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TypeAlias

import numpy as np

from scenegraph import SE3, Category, HDMap, Scene, TrafficLight, TrafficSign, box_corners
from scenegraph.arrays import FloatArray, IntArray, UInt8Array, all_finite

from .box_layer import FACE_TRIANGLES
from .errors import RenderError
from .raycast import Float32Array, Hits, Int32Array, TriangleScene
from .terrain import ground_triangles

POLE_RADIUS_M = 0.08
TRIANGLES_PER_BOX = len(FACE_TRIANGLES)
_POLE_SIDES = 8
_Triangles: TypeAlias = tuple[FloatArray, Int32Array]


class Kind(IntEnum):
    """What a pixel or a lidar point belongs to."""

    NOTHING = 0
    CAR = 1
    TRUCK = 2
    PEDESTRIAN = 3
    CYCLIST = 4
    OTHERS = 5
    GROUND = 6
    POLE = 7
    TRAFFIC_LIGHT = 8
    TRAFFIC_SIGN = 9


KIND_OF = {category: Kind[category.name] for category in Category}


@dataclass(frozen=True, eq=False)
class Static:
    """Triangles that never move.

    vertices_m: float32 [N,3], relative to origin_m. triangles: int32 [F,3]. kind: uint8 [F].
    origin_m: float64 [3], world.
    """

    vertices_m: Float32Array
    triangles: Int32Array
    kind: UInt8Array
    origin_m: FloatArray

    @cached_property
    def tracer(self) -> TriangleScene:
        """The same, ready to be cast against; built once."""
        return TriangleScene(self.vertices_m, self.triangles)

    def first_hits(self, origins_world: FloatArray, directions: Float32Array) -> Hits:
        """What rays from world origins [R,3] or [3] meet first."""
        return self.tracer.first_hits((np.asarray(origins_world) - self.origin_m).astype(np.float32), directions)


@dataclass(frozen=True, eq=False)
class Solids:
    """What there is at one instant: K cuboids of actors, and what stands still.

    actor: int32 [K], index in ``scene.actors``. kind: uint8 [K]. world_from_box: SE3 [K]. half_m: float64 [K,3],
    half of length, width and height. static: None where only actors count.
    """

    actor: Int32Array
    kind: UInt8Array
    world_from_box: SE3
    half_m: FloatArray
    static: Static | None = None

    def __post_init__(self) -> None:
        count = len(self.actor)
        if self.kind.shape != (count,) or self.world_from_box.shape != (count,) or self.half_m.shape != (count, 3):
            raise RenderError(f"solids: expected a kind, a pose and 3 half sizes for each of {count} actors")
        if not (all_finite(self.world_from_box.matrix) and all_finite(self.half_m) and (self.half_m >= 0).all()):
            raise RenderError("solids: a pose or a size holds NaN or infinity, or a size is below 0")

    def __len__(self) -> int:
        return len(self.actor)

    def box_scene(self, origin_m: FloatArray) -> TriangleScene:
        """The cuboids as 12 triangles each, in their order, around an origin [3] in the world."""
        corners = box_corners(self.world_from_box, *(2 * self.half_m.T)) - origin_m  # [K,8,3]
        triangles = FACE_TRIANGLES + 8 * np.arange(len(self))[:, None, None]
        return TriangleScene(corners.reshape(-1, 3).astype(np.float32), triangles.reshape(-1, 3).astype(np.int32))


def solids_at(scene: Scene, time_us: int, static: Static | None = None) -> Solids:
    """The actors that are present at an instant, with what stands still where that is given."""
    return solids_over(scene, np.array([time_us]), static)[0]


def solids_over(scene: Scene, timestamps_us: IntArray, static: Static | None = None) -> list[Solids]:
    """The same at T instants, which is faster than one by one."""
    boxes = [actor.boxes_at(timestamps_us) for actor in scene.actors]
    kinds = np.array([KIND_OF[actor.category] for actor in scene.actors], dtype=np.uint8)
    present = np.array([box.present for box in boxes], dtype=np.bool_).reshape(len(boxes), len(timestamps_us))
    poses = SE3.stack([box.world_from_box for box in boxes]) if boxes else SE3.identity(0, len(timestamps_us))
    sizes_m = np.array([[box.length_m, box.width_m, box.height_m] for box in boxes]).reshape(
        len(boxes), 3, len(timestamps_us)
    )
    found = []
    for t in range(len(timestamps_us)):
        actor = np.flatnonzero(present[:, t]).astype(np.int32)
        found.append(Solids(actor, kinds[actor], poses[actor, t], sizes_m[actor, :, t] / 2, static))
    return found


def static_solids(hdmap: HDMap, ground: bool = True) -> Static:
    """Poles, traffic lights, traffic signs and, unless the map has no true heights, the ground.

    A flat map under a hilly drive would hide actors in its ground: leave it out there.
    """
    parts: list[tuple[Kind, _Triangles]] = [
        *((Kind.POLE, _prism(pole.polyline.points_m)) for pole in hdmap.poles),
        *((Kind.TRAFFIC_LIGHT, _cuboid(box)) for box in hdmap.traffic_lights),
        *((Kind.TRAFFIC_SIGN, _cuboid(box)) for box in hdmap.traffic_signs),
    ]
    if ground:
        parts.append((Kind.GROUND, ground_triangles(hdmap)))
    return _joined([part for part in parts if len(part[1][1])])


def _cuboid(box: TrafficLight | TrafficSign) -> _Triangles:
    corners = box_corners(box.world_from_box, box.length_m, box.width_m, box.height_m)
    return corners, FACE_TRIANGLES.astype(np.int32)


def _prism(points_m: FloatArray) -> _Triangles:
    """An eight-sided post from the first to the last of some points, closed at its top."""
    foot, top = points_m[0], points_m[-1]
    length_m = float(np.linalg.norm(top - foot))
    if length_m == 0:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    along = (top - foot) / length_m
    side = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    side /= np.linalg.norm(side)
    turn = np.arange(_POLE_SIDES)[:, None] * (2 * np.pi / _POLE_SIDES)
    ring = POLE_RADIUS_M * (np.cos(turn) * side + np.sin(turn) * np.cross(along, side))
    here = np.arange(_POLE_SIDES)
    following = (here + 1) % _POLE_SIDES
    walls = [[here, following, here + _POLE_SIDES], [following, following + _POLE_SIDES, here + _POLE_SIDES]]
    lid = [here + _POLE_SIDES, following + _POLE_SIDES, np.full(_POLE_SIDES, 2 * _POLE_SIDES)]
    triangles = np.concatenate([np.stack(corners, axis=1) for corners in (*walls, lid)]).astype(np.int32)
    return np.concatenate([foot + ring, top + ring, top[None]]), triangles


def _joined(parts: list[tuple[Kind, _Triangles]]) -> Static:
    if not parts:
        empty = np.zeros((0, 3), np.float32)
        return Static(empty, empty.astype(np.int32), np.zeros(0, np.uint8), np.zeros(3))
    offsets = np.cumsum([0, *(len(vertices) for _, (vertices, _) in parts[:-1])])
    vertices = np.concatenate([vertices for _, (vertices, _) in parts])
    triangles = [faces + offset for (_, (_, faces)), offset in zip(parts, offsets, strict=True)]
    kind = np.concatenate([np.full(len(faces), kind, np.uint8) for kind, (_, faces) in parts])
    origin_m = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return Static((vertices - origin_m).astype(np.float32), np.concatenate(triangles).astype(np.int32), kind, origin_m)
