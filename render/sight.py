"""What a camera sees of the solids of a scene: depth, normals, owners, and how much of every box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from scenegraph import SE3, Camera, ClipCameras, Lens, Scene
from scenegraph.arrays import FloatArray, IntArray, UInt8Array, frozen

from .box_casting import cast_boxes, ray_tiles
from .raycast import Float32Array, Int32Array, pixel_rays, require_pose, world_rays
from .solids import Kind, Solids, Static, solids_over
from .truncation import inside_fractions

Int8Array = npt.NDArray[np.int8]
_CACHED_CAMERAS = 16


@dataclass(frozen=True, eq=False)
class BoxesSeen:
    """How much a camera sees of K cuboids, counted in rays through pixel centres.

    actor: int32 [K], index in ``scene.actors``.
    alone_px: int64 [K], pixels of the picture the cuboid would fill if nothing stood in front of it.
    visible_px: int64 [K], pixels it fills.
    inside_fraction: float64 [K], share of the cuboid's image that lies inside the picture (see render.truncation).
    visible_box_px: float64 [K,4], left, top, right, bottom of its visible pixels, to their outer edges; NaN for none.
    """

    actor: Int32Array
    alone_px: IntArray
    visible_px: IntArray
    inside_fraction: FloatArray
    visible_box_px: FloatArray

    @property
    def visible_fraction(self) -> FloatArray:
        """Visible share [K] of what lies inside the picture, 0 where nothing does."""
        return np.asarray(self.visible_px / np.maximum(self.alone_px, 1))


@dataclass(frozen=True, eq=False)
class Sight:
    """What every pixel of a camera meets first, and what that makes of every box.

    distance_m: float32 [H,W], along the ray; depth_m: float32 [H,W], along the optical axis; infinite for nothing.
    normal: float32 [H,W,3], world, towards the camera; zero for nothing.
    instance: int32 [H,W], index in ``scene.actors``, -1 for what is no actor. kind: uint8 [H,W], see Kind.
    """

    camera: Camera
    distance_m: Float32Array
    depth_m: Float32Array
    normal: Float32Array
    instance: Int32Array
    kind: UInt8Array
    boxes: BoxesSeen


def cast_camera(solids: Solids, camera: Camera, world_from_camera: SE3) -> Sight:
    """What one ray through the centre of every pixel meets first.

    Boxes are met in float64, what stands still in Embree's float32. From inside of a box its far wall is seen.
    """
    require_pose(camera, world_from_camera)
    distance_m, normal, kind = _background(solids, camera, world_from_camera)
    owner, face, boxes = _nearest_boxes(solids, camera, world_from_camera, distance_m)
    instance = np.full_like(owner, -1)
    met = owner >= 0
    box, side = owner[met], face[met]
    instance[met], kind[met] = solids.actor[box], solids.kind[box]
    normal[met] = solids.world_from_box.rotation[box, :, np.abs(side) - 1] * np.sign(side)[:, None]
    depth_m = np.full(distance_m.shape, np.inf, dtype=np.float32)
    met = kind != Kind.NOTHING
    depth_m[met] = distance_m[met] * pixel_rays(camera)[met, 2]
    return Sight(camera, distance_m.astype(np.float32), depth_m, normal, instance, kind, boxes)


def visible_px(scene: Scene, cameras: ClipCameras, static: Static | None = None) -> IntArray:
    """Pixels that every actor fills in every picture of a clip, int64 [V,T,A]; small pictures answer soonest."""
    counts = np.zeros((len(cameras.cameras), len(cameras.timestamps_us), len(scene.actors)), dtype=np.int64)
    for t, solids in enumerate(solids_over(scene, cameras.timestamps_us, static)):
        for v, camera in enumerate(cameras.cameras):
            boxes = cast_camera(solids, camera, cameras.world_from_camera[v, t]).boxes
            counts[v, t, boxes.actor] = boxes.visible_px
    return counts


def visible_fractions(sights: Sequence[Sight], actors: int) -> FloatArray:
    """Visible share [A] of every actor in all views of an instant together, NaN for one that no picture contains.

    The pixels it fills over those it would fill alone: what nuScenes bins into its visibility levels.
    """
    visible, alone = np.zeros(actors), np.zeros(actors)
    for boxes in (sight.boxes for sight in sights):
        visible[boxes.actor] += boxes.visible_px
        alone[boxes.actor] += boxes.alone_px
    with np.errstate(invalid="ignore"):
        return np.asarray(visible / alone)


@lru_cache(maxsize=_CACHED_CAMERAS)
def _tiles(lens: Lens, width_px: int, height_px: int) -> FloatArray:
    return frozen(ray_tiles(pixel_rays(Camera("tiles", lens, width_px, height_px, SE3.identity()))))


def _background(solids: Solids, camera: Camera, world_from_camera: SE3) -> tuple[FloatArray, Float32Array, UInt8Array]:
    """Distance float64 [H,W], normal and kind of what stands still."""
    shape = camera.height_px, camera.width_px
    normal, kind = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.uint8)
    if solids.static is None:
        return np.full(shape, np.inf), normal, kind
    origin_m, rays = world_rays(camera, world_from_camera)
    hits = solids.static.first_hits(origin_m, rays.reshape(-1, 3))
    met = hits.any.reshape(shape)
    triangle = hits.triangle[hits.any]
    facing = solids.static.tracer.normals[triangle]
    facing[np.einsum("ij,ij->i", facing, rays[met]) > 0] *= -1
    normal[met], kind[met] = facing, solids.static.kind[triangle]
    return hits.distance_m.reshape(shape).astype(np.float64), normal, kind


def _nearest_boxes(
    solids: Solids, camera: Camera, world_from_camera: SE3, distance_m: FloatArray
) -> tuple[Int32Array, Int8Array, BoxesSeen]:
    """The box [H,W] that every pixel meets before ``distance_m``, which is updated, its face, and what that adds up to.

    A box is its place in the solids, -1 for none; a face is as in render.box_casting.
    """
    box_from_camera = solids.world_from_box.inverse() @ world_from_camera
    rotation, place = (
        np.ascontiguousarray(box_from_camera.rotation),
        np.ascontiguousarray(box_from_camera.translation_m),
    )
    owner, face = np.full(distance_m.shape, -1, dtype=np.int32), np.zeros(distance_m.shape, dtype=np.int8)
    tally = np.zeros((len(solids), 6), dtype=np.int64)
    tally[:, 2:4], tally[:, 4:6] = np.iinfo(np.int64).max, -1
    tiles = _tiles(camera.lens, camera.width_px, camera.height_px)
    cast_boxes(pixel_rays(camera), tiles, rotation, place, solids.half_m, distance_m, owner, face, tally)
    alone_px, seen_px = tally[:, :2].T.copy()
    inside = inside_fractions(camera, rotation, place, solids.half_m, alone_px)
    edges_px = np.where(seen_px[:, None] > 0, tally[:, 2:6] + np.array([-0.5, -0.5, 0.5, 0.5]), np.nan)
    return owner, face, BoxesSeen(solids.actor, alone_px, seen_px, inside, edges_px)
