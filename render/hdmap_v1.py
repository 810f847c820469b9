"""The older ``hdmap-v1`` look: flat OpenCV lines and wire-frame boxes, no anti-aliasing, no occlusion.

Kept for the data and models of Cosmos-Transfer1 and Cosmos-Drive-Dreams. Every layer is drawn on its own,
later elements over earlier ones, and the picture is the brightest layer in each channel.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph import Camera, ClipCameras, Scene, box_corners
from scenegraph.arrays import FloatArray, UInt8Array

from .box_layer import EDGES
from .lane_styles import cut
from .palette import (
    V1_ACTOR_RGB,
    V1_BOX_THICKNESS_PX,
    V1_FADE_DISTANCE_M,
    V1_LAYER_RGB,
    V1_LINE_THICKNESS_PX,
    V1_STEP_M,
    Rgb,
)
from .projection import NEAR_M

_LINE_LAYERS = ("road_boundaries", "stop_lines", "lane_lines", "poles")
_POLYGON_LAYERS = ("crosswalks", "road_markings")
_CUBOID_LAYERS = ("traffic_signs", "traffic_lights")
_FAR_PX = 2.0**30  # OpenCV takes 32-bit coordinates; a line that is cut there changes its direction


class V1Renderer:
    """Draws frames of one clip in the old look."""

    def __init__(self, scene: Scene, cameras: ClipCameras, layers: Collection[str]) -> None:
        self._cameras = cameras
        hdmap = scene.hdmap
        self._lines: dict[str, FloatArray] = {}
        for name in _LINE_LAYERS:
            pieces = [_pieces(element.polyline.points_m) for element in getattr(hdmap, name)]
            if name in layers and pieces:
                self._lines[name] = np.concatenate(pieces)
        self._outlines: dict[str, list[FloatArray]] = {}
        for name in _POLYGON_LAYERS + _CUBOID_LAYERS:
            if name in layers:
                self._outlines[name] = [_outline(element) for element in getattr(hdmap, name)]
        self._actors = sorted(scene.actors if "actors" in layers else (), key=lambda actor: actor.id)
        self._boxes = [actor.boxes_at(cameras.timestamps_us) for actor in self._actors]

    def arrays(self) -> Iterator[npt.NDArray[Any]]:
        """All geometry and colours that are drawn, for a hash."""
        for name, pieces in self._lines.items():
            yield from (np.array(V1_LAYER_RGB[name]), pieces)
        for name, outlines in self._outlines.items():
            yield np.array(V1_LAYER_RGB[name])
            yield from outlines
        for actor, boxes in zip(self._actors, self._boxes, strict=True):
            yield np.array(V1_ACTOR_RGB[actor.category])
            yield from (boxes.present, boxes.world_from_box.matrix, boxes.length_m, boxes.width_m, boxes.height_m)

    def draw(self, view: int, index: int, out: UInt8Array) -> None:
        """One picture into ``out`` uint8 [H,W,3] RGB."""
        camera = self._cameras.cameras[view]
        camera_from_world = self._cameras.world_from_camera[view, index].inverse()
        out[:] = 0
        layer = np.zeros_like(out)
        for name, pieces in self._lines.items():
            ends = camera_from_world.apply(pieces.reshape(-1, 3)).reshape(-1, 2, 3)
            _draw_lines(layer, camera, ends, V1_LAYER_RGB[name], V1_LINE_THICKNESS_PX)
            _merge(layer, out)
        for name, outlines in self._outlines.items():
            for points in outlines:
                _fill_hull(layer, camera, camera_from_world.apply(points), V1_LAYER_RGB[name])
            _merge(layer, out)
        for actor, boxes in zip(self._actors, self._boxes, strict=True):
            if boxes.present[index]:
                sizes = boxes.length_m[index], boxes.width_m[index], boxes.height_m[index]
                corners = camera_from_world.apply(box_corners(boxes.world_from_box[index], *sizes))
                _draw_lines(layer, camera, corners[EDGES], V1_ACTOR_RGB[actor.category], V1_BOX_THICKNESS_PX)
                _merge(layer, out)


def _pieces(points_m: FloatArray) -> FloatArray:
    points = cut(points_m, V1_STEP_M)
    return np.stack([points[:-1], points[1:]], axis=1)


def _outline(element: Any) -> FloatArray:
    if hasattr(element, "polyline"):
        closed = np.concatenate([element.polyline.points_m, element.polyline.points_m[:1]])
        return cut(closed, V1_STEP_M)
    return box_corners(element.world_from_box, element.length_m, element.width_m, element.height_m)


def _faded(rgb: Rgb, mean_depth_m: float) -> tuple[int, int, int]:
    share = 2.0 * (V1_FADE_DISTANCE_M - min(max(mean_depth_m, 0.0), V1_FADE_DISTANCE_M)) / 255.0
    return int(rgb[0] * share), int(rgb[1] * share), int(rgb[2] * share)


def _in_range(ends: FloatArray) -> FloatArray:
    """Pieces [n,2,3] that reach in front of the camera and nearer than the fade, clipped at the near plane."""
    depth = ends[:, :, 2]
    ends = ends[(depth.max(axis=1) >= NEAR_M) & (depth.min(axis=1) <= V1_FADE_DISTANCE_M)].copy()
    for near, far in ((0, 1), (1, 0)):
        behind = ends[:, near, 2] < NEAR_M
        start, end = ends[behind, near], ends[behind, far]
        share = (NEAR_M - start[:, 2]) / (end[:, 2] - start[:, 2])
        ends[behind, near] = start + share[:, None] * (end - start)
    return ends


def _whole_pixels(pixels: FloatArray) -> npt.NDArray[np.int32]:
    return np.round(np.clip(pixels, -_FAR_PX, _FAR_PX)).astype(np.int32)


def _draw_lines(layer: UInt8Array, camera: Camera, ends: FloatArray, rgb: Rgb, thickness_px: int) -> None:
    pixels, depth_m = camera.project(_in_range(ends))
    margin = V1_LINE_THICKNESS_PX
    size = np.array([camera.width_px, camera.height_px])
    on_screen = ((pixels.max(axis=1) > -margin) & (pixels.min(axis=1) < size + margin)).all(axis=1)
    for (start, end), mean_depth_m in zip(
        _whole_pixels(pixels[on_screen]), depth_m[on_screen].mean(axis=1), strict=True
    ):
        cv2.line(layer, start.tolist(), end.tolist(), _faded(rgb, float(mean_depth_m)), thickness_px)


def _fill_hull(layer: UInt8Array, camera: Camera, points_camera: FloatArray, rgb: Rgb) -> None:
    """Fill the convex hull of the projection of points; what lies behind the camera is clipped first."""
    closed = np.concatenate([points_camera, points_camera[:1]])
    edges = _in_range(np.stack([closed[:-1], closed[1:]], axis=1))
    if not len(edges):
        return
    behind = points_camera[:, 2] < NEAR_M
    across = np.stack(np.broadcast_arrays(points_camera[~behind, None], points_camera[None, behind]), axis=2)
    corners = np.concatenate([edges.reshape(-1, 3), _in_range(across.reshape(-1, 2, 3)).reshape(-1, 3)])
    pixels, _ = camera.project(corners)
    cv2.fillConvexPoly(layer, cv2.convexHull(_whole_pixels(pixels)), _faded(rgb, float(edges[:, :, 2].mean())))


def _merge(layer: UInt8Array, out: UInt8Array) -> None:
    """Take the brighter value per channel and clear the layer."""
    np.maximum(out, layer, out=out)
    layer[:] = 0
