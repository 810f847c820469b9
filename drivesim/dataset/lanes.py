"""Lane lines of a clip: points in the world, their pixels in every picture, and whether those are seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from render.raycast import Float32Array, TriangleScene
from render.solids import Solids
from scenegraph import SE3, Camera, ClipCameras, HDMap
from scenegraph.arrays import BoolArray, FloatArray

from .rows import LanePixelRows, LanePointRows, joined

STEP_M = 1.0
"""Most between two points of a line."""
REACH_M = 80.0
"""Farther points are not labelled: OpenLane, where people draw lines in pictures, ends near there as well."""

_BEFORE_M = 1e-3  # what stands exactly on a line does not hide it
_ABOVE_GROUND_M = 0.15  # map and ground agree that well; nearer than that the ground would hide its own paint


def lane_points(hdmap: HDMap) -> LanePointRows:
    """The points of all lane lines; those of the map are kept."""
    points = [line.polyline.densified(STEP_M).points_m for line in hdmap.lane_lines]
    line = np.repeat(np.arange(len(points), dtype=np.int32), [len(part) for part in points])
    return LanePointRows(line, np.concatenate([np.zeros((0, 3)), *points]))


def lane_pixels(points: LanePointRows, cameras: ClipCameras, frame: int, solids: Solids) -> LanePixelRows:
    """All points in the pictures of one frame."""
    parts = []
    for view, camera in enumerate(cameras.cameras):
        world_from_camera = cameras.world_from_camera[view, frame]
        index, uv, depth_m = _inside(points.point_world_m, camera, world_from_camera)
        parts.append(
            LanePixelRows(
                np.full(len(index), frame, dtype=np.int32),
                np.full(len(index), view, dtype=np.int32),
                index.astype(np.int32),
                uv.astype(np.float32),
                depth_m.astype(np.float32),
                _is_seen(points.point_world_m[index], world_from_camera.translation_m, solids),
            )
        )
    return joined(parts)


def pieces(points: LanePointRows, pixels: LanePixelRows) -> list[slice]:
    """The rows of one picture as polylines: runs of points that follow each other along one line."""
    if not len(pixels):
        return []
    line = points.line[pixels.point]
    cuts = np.flatnonzero((np.diff(pixels.point) != 1) | (np.diff(line) != 0)) + 1
    edges = [0, *cuts.tolist(), len(pixels)]
    return [slice(low, high) for low, high in pairwise(edges)]


def _inside(
    points_world: FloatArray, camera: Camera, world_from_camera: SE3
) -> tuple[npt.NDArray[np.int_], FloatArray, FloatArray]:
    """Index, pixels [.,2] and depth of the points within reach that a picture contains."""
    near = np.flatnonzero(np.linalg.norm(points_world - world_from_camera.translation_m, axis=1) <= REACH_M)
    points_camera = world_from_camera.inverse().apply(points_world[near])
    kept = np.asarray(camera.sees(points_camera), dtype=np.bool_)
    uv, depth_m = camera.project(points_camera[kept])
    return near[kept], uv, depth_m


def _is_seen(points_world: FloatArray, camera_m: FloatArray, solids: Solids) -> BoolArray:
    """Whether nothing stands between a camera and points [N,3]; ground does where it is 15 cm in the way."""
    seen = ~_blocked(solids.box_scene(camera_m), np.zeros(3), points_world - camera_m)
    if solids.static is not None:
        above = points_world + np.array([0.0, 0.0, _ABOVE_GROUND_M])
        static = solids.static
        seen &= ~_blocked(static.tracer, camera_m - static.origin_m, above - camera_m)
    return np.asarray(seen)


def _blocked(tracer: TriangleScene, origin_m: FloatArray, away_m: FloatArray) -> BoolArray:
    distance_m = np.linalg.norm(away_m, axis=1)
    towards: Float32Array = (away_m / np.maximum(distance_m, _BEFORE_M)[:, None]).astype(np.float32)
    reach_m = np.maximum(distance_m - _BEFORE_M, 0.0).astype(np.float32)
    return tracer.blocked(origin_m.astype(np.float32), towards, reach_m)
