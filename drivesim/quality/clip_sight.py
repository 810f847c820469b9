"""What every pixel of a clip shows by its scene: the truth that pictures are measured against."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from render.sight import cast_camera
from render.solids import solids_over, static_solids
from scenegraph import CameraRig, ClipCameras, Scene
from scenegraph.arrays import BoolArray, FloatArray, UInt8Array, expect

from ..errors import DatasetError

MEASURED_WIDTH_PX = 256
"""Larger pictures are measured at this width, so that one pixel means about the same for every generator."""


@dataclass(frozen=True, eq=False)
class ClipSight:
    """A clip as its scene has it, at the size at which it is measured.

    cameras: in that size. instance: int32 [V,T,H,W], index into the scene's actors, -1 elsewhere. kind: uint8
    [V,T,H,W], a render.solids.Kind. depth_m: float32 [V,T,H,W], along the camera's z, infinite for nothing.
    """

    scene: Scene
    cameras: ClipCameras
    instance: npt.NDArray[np.int32]
    kind: UInt8Array
    depth_m: npt.NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        """V, T, H and W."""
        return self.instance.shape


def clip_sight(scene: Scene, cameras: ClipCameras) -> ClipSight:
    """Cast a ray through every pixel of a clip; all cameras must have one size."""
    cameras = _measured_cameras(cameras)
    height, width = cameras.cameras[0].height_px, cameras.cameras[0].width_px
    shape = (len(cameras.cameras), len(cameras.timestamps_us), height, width)
    sight = ClipSight(scene, cameras, np.empty(shape, np.int32), np.empty(shape, np.uint8), np.empty(shape, np.float32))
    for t, solids in enumerate(solids_over(scene, cameras.timestamps_us, static_solids(scene.hdmap))):
        for v, camera in enumerate(cameras.cameras):
            seen = cast_camera(solids, camera, cameras.world_from_camera[v, t])
            sight.instance[v, t], sight.kind[v, t], sight.depth_m[v, t] = seen.instance, seen.kind, seen.depth_m
    return sight


def measured_frames(frames: UInt8Array, sight: ClipSight) -> UInt8Array:
    """Frames uint8 [V,T,H,W,3] in the size of a sight; refused where they do not show the same clip."""
    try:
        expect("frames", frames, "V T H W 3", np.uint8)
    except ValueError as error:
        raise DatasetError(f"{error}. Give RGB pictures of bytes, all of one size") from error
    views, times, height, width = sight.shape
    if frames.shape[:2] != (views, times):
        raise DatasetError(
            f"frames: {frames.shape[0]} views of {frames.shape[1]} frames for {views} cameras at {times} instants. "
            "Give one view per camera and one frame per instant"
        )
    if frames.shape[2:4] == (height, width):
        return frames
    flat = frames.reshape(-1, *frames.shape[2:])
    small = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in flat]
    return np.asarray(np.stack(small).reshape(views, times, height, width, 3), dtype=np.uint8)


def lightness(picture: UInt8Array) -> FloatArray:
    """Brightness [...,H,W] of RGB pictures, 0 to 255, as video has it."""
    return np.asarray(picture @ np.array([0.299, 0.587, 0.114]))


def lab(picture: UInt8Array) -> npt.NDArray[np.float32]:
    """CIELAB [H,W,3] of an sRGB picture: lightness 0 to 100, a, b."""
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), dtype=np.float32)


def dilated(mask: BoolArray, by_px: int) -> BoolArray:
    """A mask [H,W] grown by so many pixels to all sides, corners too."""
    kernel = np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), dtype=np.bool_)


def _measured_cameras(cameras: ClipCameras) -> ClipCameras:
    sizes = {(camera.width_px, camera.height_px) for camera in cameras.cameras}
    if len(sizes) != 1:
        found = ", ".join(f"{camera.name} {camera.width_px}x{camera.height_px}" for camera in cameras.cameras)
        raise DatasetError(f"cameras of one size can be measured together, got {found or 'none'}")
    width_px, height_px = sizes.pop()
    if width_px <= MEASURED_WIDTH_PX:
        return cameras
    size = MEASURED_WIDTH_PX, max(1, round(height_px * MEASURED_WIDTH_PX / width_px))
    rig = CameraRig(cameras.cameras).resized(*size)
    return ClipCameras(rig.cameras, cameras.timestamps_us, cameras.world_from_camera)
