"""Recorded pictures with map and boxes drawn over them, to see whether calibration, time and map agree.

Cameras of a vehicle do not fire at the same time, so every picture has its own pose of the vehicle and its own
boxes. Pixels are those of ``Camera.project``: whole numbers are pixel centres, as in the recorded picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import cv2
import numpy as np

from scenegraph import SE3, Camera, CameraRig, Category, Scene
from scenegraph.arrays import FloatArray, UInt8Array
from scenegraph.formats.images import RecordedImage
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .birdseye import class_colours
from .box_layer import EDGES, box_layer
from .controls import ControlRenderer
from .errors import RenderError
from .palette import FADE_DISTANCE_M, LAYERS, PaletteName, Rgb
from .projection import NEAR_M
from .strokes import draw_lines
from .video import read_image

Photos: TypeAlias = Mapping[str, Sequence[RecordedImage]]
"""Recorded pictures by camera name."""

_MAP_SHARE = 0.6
_LINE_SHARE = 1 / 640
"""Width of a wire near the camera, per width of the picture; it falls to half of that with the distance."""
_HALF_WIDTH_BEYOND_M = 40.0
_LEAST_SHARE = 0.006
"""Boxes that are lower than this share of the picture's height would only be blots."""
_SAMPLES_PER_EDGE = 9
_FRONT_CROSS = np.array([[0, 5], [1, 4]])
_ASPECT_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class WireBox:
    """A box to draw: its corners [8,3] in the camera frame, in the order of scenegraph.box_corners, and its class."""

    category: Category
    corners_camera_m: FloatArray


def overlay(
    photo: UInt8Array,
    control: UInt8Array,
    camera: Camera,
    boxes: Sequence[WireBox],
    palette: PaletteName = "world-scenario",
) -> UInt8Array:
    """A picture with map lines mixed in and a wire frame around every box, uint8 [H,W,3] RGB.

    photo, control: uint8 [H,W,3] RGB of the camera's size; control shows the map only and is black elsewhere.
    The front of a box carries a cross. Boxes that lie wholly behind a nearer one are left out.
    """
    size = camera.height_px, camera.width_px, 3
    if photo.shape != size or control.shape != size:
        raise RenderError(f"camera {camera.name}: expected pictures {size}, got {photo.shape} and {control.shape}")
    strength = control.max(axis=2, keepdims=True)
    kept = cv2.merge([255 - (strength[..., 0] * _MAP_SHARE).astype(np.uint8)] * 3)
    mixed = cv2.add(cv2.multiply(photo, kept, scale=1 / 255), cv2.convertScaleAbs(control, alpha=_MAP_SHARE))
    picture = np.asarray(mixed, dtype=np.uint8)
    for box in _uncovered(camera, boxes):
        _draw_box(picture, camera, box, _wire_rgb(box.category, palette))
    return picture


class OverlayRenderer:
    """Draws any recorded picture of a scene with the scene over it; safe to call from several threads.

    rig: the cameras that took the pictures. photos: their pictures by camera name, in any order.
    at_rig_size: shrink pictures to the sizes in the rig first; otherwise they keep their own size.
    """

    def __init__(
        self,
        scene: Scene,
        rig: CameraRig,
        photos: Photos,
        palette: PaletteName = "world-scenario",
        *,
        at_rig_size: bool = False,
    ) -> None:
        self._palette = palette
        usable = {name: [i for i in images if _is_covered(scene, i)] for name, images in photos.items()}
        self._taken = {name: _Taken.of(rig[name], images[0], at_rig_size) for name, images in usable.items() if images}
        times = sorted({image.timestamp_us for images in usable.values() for image in images})
        self._index = {time_us: index for index, time_us in enumerate(times)}
        times_us = np.array(times, dtype=np.int64)
        self._boxes = box_layer(scene.actors, times_us)
        self._categories = [actor.category for actor in sorted(scene.actors, key=lambda actor: actor.id)]
        drawn = CameraRig(tuple(_shifted(taken.camera, 0.5) for taken in self._taken.values()))
        self._posed = drawn.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)
        layers = [name for name in LAYERS if name != "actors"]
        self._controls = ControlRenderer(scene, self._posed, palette, layers)

    def picture(self, camera_name: str, image: RecordedImage) -> UInt8Array:
        """One recorded picture with map and boxes of its own instant, uint8 [H,W,3] RGB."""
        if camera_name not in self._taken or image.timestamp_us not in self._index:
            raise RenderError(
                f"{image.path}: is not one of the pictures of {camera_name} that were given, "
                f"or was taken outside of the recorded drive"
            )
        taken = self._taken[camera_name]
        view, index = self._posed.names.index(camera_name), self._index[image.timestamp_us]
        photo = taken.read(image)
        boxes = self._wire_boxes(self._posed.world_from_camera[view, index].inverse(), index)
        return overlay(photo, self._controls.frame(view, index), taken.camera, boxes, self._palette)

    def _wire_boxes(self, camera_from_world: SE3, index: int) -> list[WireBox]:
        present = np.flatnonzero(self._boxes.present[index])
        corners = camera_from_world.apply(self._boxes.corners_m[index, present])
        return [WireBox(self._categories[a], c) for a, c in zip(present.tolist(), corners, strict=True)]


@dataclass(frozen=True, eq=False)
class _Taken:
    """A camera whose pixels are those of its pictures as they are shown, and the size of their files."""

    camera: Camera
    file_size_px: tuple[int, int]

    @classmethod
    def of(cls, camera: Camera, image: RecordedImage, at_rig_size: bool) -> _Taken:
        """Shrinking by s moves pixel u, whose middle is u + 0.5 from the edge, to (u + 0.5) s - 0.5."""
        height, width = read_image(image.path).shape[:2]
        if abs(width * camera.height_px / (height * camera.width_px) - 1.0) > _ASPECT_TOLERANCE:
            raise RenderError(
                f"{image.path}: is {width}x{height}, which has not the shape of camera {camera.name}, "
                f"{camera.width_px}x{camera.height_px}"
            )
        if at_rig_size:
            return cls(_shifted(camera, 0.5 * camera.width_px / width - 0.5), (width, height))
        return cls(camera.resized(width, height), (width, height))

    def read(self, image: RecordedImage) -> UInt8Array:
        """A picture, in the camera's size."""
        photo = read_image(image.path)
        height, width = photo.shape[:2]
        if (width, height) != self.file_size_px:
            first = "{}x{}".format(*self.file_size_px)
            raise RenderError(f"{image.path}: is {width}x{height}, but other pictures of the camera are {first}")
        size = self.camera.width_px, self.camera.height_px
        if size == (width, height):
            return photo
        return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _is_covered(scene: Scene, image: RecordedImage) -> bool:
    return bool(scene.ego.covers(image.timestamp_us, EGO_EXTRAPOLATION_US))


def _shifted(camera: Camera, offset_px: float) -> Camera:
    """The camera with everything moved right and down.

    Half a pixel makes control pictures fit recorded ones: they count pixels from the edge of the picture.
    """
    lens = camera.lens
    return replace(camera, lens=replace(lens, cx_px=lens.cx_px + offset_px, cy_px=lens.cy_px + offset_px))


def _wire_rgb(category: Category, palette: PaletteName) -> Rgb:
    return class_colours(palette)[category][1]


def _uncovered(camera: Camera, boxes: Sequence[WireBox]) -> list[WireBox]:
    """The boxes to draw, far ones first: large enough, not too far, not wholly behind one nearer box."""
    kept: list[WireBox] = []
    hulls: list[Any] = []
    for box in sorted(boxes, key=lambda box: float(np.linalg.norm(box.corners_camera_m.mean(axis=0)))):
        lines = _projected(camera, box.corners_camera_m[EDGES])
        if not len(lines) or box.corners_camera_m[:, 2].min() > FADE_DISTANCE_M:
            continue
        points = lines.reshape(-1, 2)
        low, high = points.min(axis=0), points.max(axis=0)
        if (high < 0).any() or (low > (camera.width_px, camera.height_px)).any():
            continue
        if high[1] - low[1] < _LEAST_SHARE * camera.height_px or any(_covers(hull, low, high) for hull in hulls):
            continue
        kept.append(box)
        hulls.append(np.asarray(cv2.convexHull(points.astype(np.float32))))
    return kept[::-1]


def _covers(hull: Any, low: FloatArray, high: FloatArray) -> bool:
    """Whether a convex outline holds the whole upright rectangle from low to high."""
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    return all(cv2.pointPolygonTest(hull, (float(u), float(v)), False) >= 0 for u, v in corners)


def _projected(camera: Camera, ends_camera_m: FloatArray) -> FloatArray:
    """Straight pieces [n,2,3] in the camera frame as lines on screen [m,samples,2], clipped at the near plane."""
    depth_m = ends_camera_m[..., 2]
    ends = ends_camera_m[depth_m.max(axis=1) >= NEAR_M].copy()
    for near, far in ((0, 1), (1, 0)):
        behind = ends[:, near, 2] < NEAR_M
        start, end = ends[behind, near], ends[behind, far]
        share = (NEAR_M - start[:, 2]) / (end[:, 2] - start[:, 2])
        ends[behind, near] = start + share[:, None] * (end - start)
    share = np.linspace(0.0, 1.0, _SAMPLES_PER_EDGE)[:, None]
    points = ends[:, :1] + share * (ends[:, 1:] - ends[:, :1])
    return camera.project(points)[0]


def _draw_box(picture: UInt8Array, camera: Camera, box: WireBox, rgb: Rgb) -> None:
    distance_m = float(np.linalg.norm(box.corners_camera_m.mean(axis=0)))
    share = _LINE_SHARE * (1.0 - 0.5 * min(distance_m / _HALF_WIDTH_BEYOND_M, 1.0))
    width_px = max(1, round(share * camera.width_px))
    draw_lines(picture, _projected(camera, box.corners_camera_m[_FRONT_CROSS]), rgb, max(1, width_px // 2))
    draw_lines(picture, _projected(camera, box.corners_camera_m[EDGES]), rgb, width_px)
