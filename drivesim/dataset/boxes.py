"""Boxes of a clip: where every actor is, what it does, and what cameras and a lidar have of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from render.sight import Sight, visible_fractions
from scenegraph import SE3, ClipCameras, Scene
from scenegraph.arrays import FloatArray, IntArray, UInt8Array

from .attributes import attributes_of
from .motion import motion_of
from .rows import BoxRows, EgoRows, ViewRows, joined

VISIBILITY = ("in no picture", "0-40 %", "40-60 %", "60-80 %", "80-100 %")
"""By level: nuScenes' four, and 0 for what no picture contains."""
_LEVEL_EDGES = np.array([0.4, 0.6, 0.8])


def visibility_levels(visible_fraction: FloatArray) -> UInt8Array:
    """Levels uint8 of shares of any shape; NaN is level 0, a share on an edge is the better level."""
    levels = np.searchsorted(_LEVEL_EDGES, visible_fraction, side="right") + 1
    return np.asarray(np.where(np.isnan(visible_fraction), 0, levels), dtype=np.uint8)


def ego_rows(scene: Scene, world_from_ego: SE3, timestamps_us: IntArray) -> EgoRows:
    """The vehicle [T] with what it would measure of itself."""
    motion = motion_of(scene.ego, timestamps_us)
    return EgoRows(
        timestamps_us,
        world_from_ego.translation_m,
        world_from_ego.quaternion_wxyz,
        _turned(world_from_ego.inverse(), motion.velocity_world_mps),
        _turned(world_from_ego.inverse(), motion.acceleration_world_mps2),
        motion.rotation_rate_body_radps,
    )


def box_rows(
    scene: Scene, world_from_ego: SE3, timestamps_us: IntArray, visible: FloatArray, lidar_points: IntArray
) -> BoxRows:
    """All boxes. visible: float64 [T,A], NaN for no picture. lidar_points: int64 [T,A]."""
    count, actors = len(timestamps_us), len(scene.actors)
    boxes = [actor.boxes_at(timestamps_us) for actor in scene.actors]
    velocity = np.zeros((actors, count, 3))
    attribute = np.zeros((actors, count), dtype=np.uint8)
    for index, actor in enumerate(scene.actors):
        velocity[index] = motion_of(actor.trajectory, timestamps_us).velocity_world_mps
        attribute[index] = attributes_of(actor, np.linalg.norm(velocity[index], axis=1))
    present = np.array([box.present for box in boxes], dtype=np.bool_).reshape(actors, count)
    frame, actor_index = np.nonzero(present.T)
    poses = SE3.stack([box.world_from_box for box in boxes]) if boxes else SE3.identity(0, count)
    world_from_box = poses[actor_index, frame]
    ego_from_world = world_from_ego[frame].inverse()
    ego_from_box = ego_from_world @ world_from_box
    sizes_m = np.array([[b.length_m, b.width_m, b.height_m] for b in boxes]).reshape(actors, 3, count)
    length_m, width_m, height_m = np.ascontiguousarray(sizes_m[actor_index, :, frame].T)
    fraction = visible[frame, actor_index]
    return BoxRows(
        _int32(frame),
        _int32(actor_index),
        world_from_box.translation_m,
        world_from_box.quaternion_wxyz,
        ego_from_box.translation_m,
        ego_from_box.quaternion_wxyz,
        length_m,
        width_m,
        height_m,
        velocity[actor_index, frame],
        _turned(ego_from_world, velocity[actor_index, frame]),
        attribute[actor_index, frame],
        fraction,
        visibility_levels(fraction),
        _int32(lidar_points[frame, actor_index]),
    )


def view_rows(scene: Scene, cameras: ClipCameras, frame: int, sights: list[Sight]) -> ViewRows:
    """All actors in the pictures of one frame, one sight per view."""
    parts = []
    for view, sight in enumerate(sights):
        boxes = sight.boxes
        kept = boxes.alone_px > 0
        camera_m = cameras.world_from_camera[view, frame].translation_m
        centres_m = _centres(scene, boxes.actor[kept], int(cameras.timestamps_us[frame]))
        parts.append(
            ViewRows(
                np.full(kept.sum(), frame, dtype=np.int32),
                np.full(kept.sum(), view, dtype=np.int32),
                boxes.actor[kept],
                boxes.alone_px[kept],
                boxes.visible_px[kept],
                boxes.visible_fraction[kept],
                1 - boxes.inside_fraction[kept],
                boxes.visible_box_px[kept],
                np.linalg.norm(centres_m - camera_m, axis=1),
            )
        )
    return joined(parts)


def visible_shares(scene: Scene, sights: list[Sight]) -> FloatArray:
    """What all views of a frame show of every actor [A], NaN for one in none of them."""
    return visible_fractions(sights, len(scene.actors))


def _centres(scene: Scene, actors: npt.NDArray[np.int32], time_us: int) -> FloatArray:
    places = [scene.actors[i].boxes_at(np.array([time_us])).world_from_box.translation_m[0] for i in actors]
    return np.array(places, dtype=np.float64).reshape(len(actors), 3)


def _turned(dst_from_src: SE3, vectors: FloatArray) -> FloatArray:
    """Directions [N,3] turned by poses [N], not moved."""
    return np.asarray((dst_from_src.rotation @ vectors[..., None])[..., 0])


def _int32(values: npt.NDArray[np.int_]) -> npt.NDArray[np.int32]:
    return values.astype(np.int32)
