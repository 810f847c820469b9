"""The objects of an RDS-HQ clip: one JSON document per annotated frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..actor import Actor
from ..arrays import FloatArray
from ..errors import FrameError
from ..se3 import SE3
from ..trajectory import Trajectory
from .nvidia_names import category_of
from .rds_tar import Archive, find_archive
from .strict_json import Node

_SAME_HEADING = 0.7


def read_actors(root: Path, clip: str, time_of: Callable[[int], int]) -> tuple[Actor, ...]:
    """Every object of the clip; ``time_of`` gives the microseconds of a frame. Parked ones stand perfectly still."""
    archive = find_archive(root, "all_object_info", clip)
    return () if archive is None else tuple(_actor(*item, time_of) for item in _tracks(archive).items())


def _tracks(archive: Archive) -> dict[str, dict[int, Node]]:
    """Objects by id, then by frame."""
    frames = archive.frames("all_object_info.json")
    if not frames:
        raise archive.missing("FRAME.all_object_info.json")
    tracks: dict[str, dict[int, Node]] = {}
    for frame, key in frames.items():
        for object_id, node in archive.json(key).fields().items():
            tracks.setdefault(object_id, {})[frame] = node
    return tracks


def _actor(object_id: str, nodes: dict[int, Node], time_of: Callable[[int], int]) -> Actor:
    stamps = np.array([time_of(frame) for frame in nodes], dtype=np.int64)
    poses = _poses([node["object_to_world"] for node in nodes.values()])
    lwh_m = np.stack([_lwh_m(node["object_lwh"]) for node in nodes.values()])
    if not any(node["object_is_moving"].flag() for node in nodes.values()):
        poses, lwh_m = steadied(poses, lwh_m)
    word = next(iter(nodes.values()))["object_type"].text()
    length_m, width_m, height_m = lwh_m.T
    return Actor(object_id, category_of(word), Trajectory(stamps, poses), length_m, width_m, height_m, word)


def _poses(nodes: list[Node]) -> SE3:
    matrices = np.stack([node.array(4, 4) for node in nodes])
    try:
        return SE3.from_matrix(matrices)
    except FrameError:
        for node, matrix in zip(nodes, matrices, strict=True):
            _refuse_bad_pose(node, matrix)
        raise


def _refuse_bad_pose(node: Node, matrix: FloatArray) -> None:
    try:
        SE3.from_matrix(matrix)
    except FrameError as error:
        raise node.error(str(error), "A rigid transform is needed.") from error


def _lwh_m(node: Node) -> FloatArray:
    lwh_m = node.array(3)
    if not (lwh_m > 0).all():
        raise node.error(f"{lwh_m.min():g}", "Lengths above 0 are needed.")
    return lwh_m


def steadied(world_from_box: SE3, lwh_m: FloatArray) -> tuple[SE3, FloatArray]:
    """The track [T] of a parked object without the jitter of its detection: one pose and size at all times.

    Poses whose heading agrees with the mean heading are averaged; sizes [T,3] are averaged over all. Where no
    heading agrees with the mean (two opposite ones, say) there is nothing to choose by, and the track is kept.
    """
    count = len(world_from_box)
    forward, up = world_from_box.rotation[..., 0], world_from_box.rotation[..., 2]
    mean_forward = forward.mean(axis=0)
    length = np.linalg.norm(mean_forward)
    kept = forward @ mean_forward > _SAME_HEADING * length
    if length < 1e-9 or not kept.any():
        return world_from_box, lwh_m
    x_axis = _unit(forward[kept].mean(axis=0))
    z_axis = up[kept].mean(axis=0)
    z_axis = _unit(z_axis - (z_axis @ x_axis) * x_axis)
    rotation = np.stack([x_axis, np.cross(z_axis, x_axis), z_axis], axis=-1)
    pose = SE3(rotation, world_from_box.translation_m[kept].mean(axis=0))
    return pose[None][np.zeros(count, dtype=int)], np.broadcast_to(lwh_m.mean(axis=0), (count, 3))


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
