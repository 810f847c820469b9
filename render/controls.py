"""Control videos: a scene seen by posed cameras, in the look the generator was trained on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from scenegraph import ClipCameras, LightState, LightTimeline, Scene
from scenegraph.arrays import FloatArray, UInt8Array

from .box_layer import EDGES, FACE_TRIANGLES, box_layer
from .clipping import Primitives, add_boxes, add_strips, add_triangles
from .errors import RenderError
from .hdmap_v1 import V1Renderer
from .map_layer import map_geometry
from .palette import LAYERS, LIGHT_RGB, PALETTE_NAMES, PaletteName
from .projection import camera_from_world, lens_table
from .rasterizer import rasterize


@dataclass(frozen=True, eq=False)
class ControlVideos:
    """One control video per camera.

    frames: per view uint8 [T,H,W,3] RGB; sizes may differ between views.
    """

    frames: tuple[UInt8Array, ...]
    cameras: ClipCameras
    palette: PaletteName

    def stacked(self) -> UInt8Array:
        """All views as one array [V,T,H,W,3]; refused when their sizes differ."""
        if not self.frames:
            raise RenderError("there are no views to stack. Give the rig a camera.")
        shapes = {video.shape for video in self.frames}
        if len(shapes) > 1:
            sizes = ", ".join(f"{c.name} {c.width_px}x{c.height_px}" for c in self.cameras.cameras)
            raise RenderError(f"views of different size cannot be stacked: {sizes}. Give all cameras one size.")
        return np.stack(self.frames)


_CameraArrays: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""camera_from_world [3,4], and a LensTable's numbers, radius and frustum."""


class ControlRenderer:
    """Draws any frame of any view of one clip; safe to call from several threads.

    scene: what to draw. cameras: where from, and when. layers: what to leave in (default all).
    """

    def __init__(
        self,
        scene: Scene,
        cameras: ClipCameras,
        palette: PaletteName = "world-scenario",
        layers: Collection[str] = LAYERS,
    ) -> None:
        if palette not in PALETTE_NAMES:
            raise RenderError(f"there is no palette {palette!r}. Palettes: {', '.join(PALETTE_NAMES)}.")
        unknown = sorted(set(layers) - set(LAYERS))
        if unknown:
            raise RenderError(f"there is no layer {unknown[0]!r}. Layers: {', '.join(LAYERS)}.")
        self.cameras = cameras
        self.palette = palette
        self.layers = tuple(name for name in LAYERS if name in layers)
        if palette == "hdmap-v1":
            self._v1: V1Renderer | None = V1Renderer(scene, cameras, layers)
            return
        self._v1 = None
        times = cameras.timestamps_us
        self._map = map_geometry(scene.hdmap, layers)
        self._boxes = box_layer(scene.actors if "actors" in layers else (), times)
        self._light_rgb = _light_colours(self._map.light_ids, scene.light_states, cameras)
        self._lenses = [lens_table(camera) for camera in cameras.cameras]
        self._buffers = threading.local()

    def frame(self, view: int, index: int) -> UInt8Array:
        """The picture of one camera at one instant, uint8 [H,W,3] RGB."""
        camera = self.cameras.cameras[view]
        out = np.empty((camera.height_px, camera.width_px, 3), dtype=np.uint8)
        if self._v1 is not None:
            self._v1.draw(view, index, out)
            return out
        primitives = self.project(view, index)
        rasterize(primitives.xyz, primitives.rgb, primitives.half_width, primitives.count, out)
        return out

    def digest(self) -> str:
        """A hash of everything that determines the pictures: geometry, boxes, lights, lenses, poses, palette."""
        total = hashlib.sha256(self.palette.encode())
        for array in self._arrays():
            total.update(repr((array.shape, str(array.dtype))).encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def _arrays(self) -> Iterator[npt.NDArray[Any]]:
        poses = self.cameras.world_from_camera
        yield from (self.cameras.timestamps_us, poses.rotation, poses.translation_m)
        for camera in self.cameras.cameras:
            table = lens_table(camera)
            yield from (table.numbers, table.radius)
        if self._v1 is not None:
            yield from self._v1.arrays()
            return
        strips, triangles, boxes = self._map.strips, self._map.triangles, self._boxes
        yield from (strips.points_m, strips.starts, strips.chunks, strips.chunk_rgb, strips.chunk_width_px)
        yield from (triangles.vertices_m, triangles.rgb, self._map.light_triangles_m, self._light_rgb)
        yield from (boxes.present, boxes.corners_m, boxes.corner_rgb)

    def project(self, view: int, index: int) -> Primitives:
        """The screen primitives of one picture, in drawing order; valid until this thread's next call."""
        if not hasattr(self._buffers, "primitives"):
            self._buffers.primitives = Primitives()
        buffer: Primitives = self._buffers.primitives
        buffer.clear()
        lens = self._lenses[view]
        pose = camera_from_world(self.cameras.world_from_camera[view, index])
        camera = (pose, lens.numbers, lens.radius, lens.frustum)

        strips = self._map.strips
        buffer.reserve(len(strips.points_m))
        buffer.count = add_strips(
            strips.points_m, strips.starts, strips.chunks, strips.chunk_balls_m, strips.chunk_rgb,
            strips.chunk_width_px, *camera, buffer.count, buffer.xyz, buffer.rgb, buffer.half_width,
        )  # fmt: skip
        self._add_triangles(buffer, self._map.triangles.vertices_m, self._map.triangles.rgb, camera)
        lights = self._map.light_triangles_m
        self._add_triangles(buffer, lights.reshape(-1, 3, 3), np.repeat(self._light_rgb[index], 14, axis=0), camera)
        boxes = self._boxes
        buffer.reserve(48 * boxes.present.shape[1])
        buffer.count = add_boxes(
            boxes.corners_m[index], boxes.corner_rgb, boxes.present[index], FACE_TRIANGLES, EDGES,
            *camera, buffer.count, buffer.xyz, buffer.rgb, buffer.half_width,
        )  # fmt: skip
        return buffer

    @staticmethod
    def _add_triangles(
        buffer: Primitives,
        vertices_m: FloatArray,
        rgb: FloatArray,
        camera: _CameraArrays,
    ) -> None:
        buffer.reserve(3 * len(vertices_m))
        buffer.count = add_triangles(
            vertices_m, rgb, *camera[:3], buffer.count, buffer.xyz, buffer.rgb, buffer.half_width
        )


def render_controls(
    scene: Scene,
    cameras: ClipCameras,
    palette: PaletteName = "world-scenario",
    layers: Collection[str] = LAYERS,
) -> ControlVideos:
    """Draw every view and frame of a clip into memory; for long clips draw frame by frame instead."""
    renderer = ControlRenderer(scene, cameras, palette, layers)
    count = len(cameras.timestamps_us)
    frames = tuple(
        np.stack([renderer.frame(view, index) for index in range(count)]) for view in range(len(cameras.cameras))
    )
    return ControlVideos(frames, cameras, palette)


def _light_colours(ids: tuple[str, ...], states: Mapping[str, LightTimeline], cameras: ClipCameras) -> FloatArray:
    """Colour of every light at every instant, float64 [T,G,3]; a light without states is unknown."""
    times = cameras.timestamps_us
    rgb = np.tile(np.array(LIGHT_RGB[LightState.UNKNOWN], dtype=np.float64), (len(times), len(ids), 1))
    for index, light_id in enumerate(ids):
        if light_id in states:
            rgb[:, index] = [LIGHT_RGB[state] for state in states[light_id].at(times)]
    return rgb
