"""A clip to generate: what a generator is given, from a scene or from videos made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.request import Regime
from models.shapes import latent_frame_count
from render.controls import ControlRenderer
from render.video import read_image
from scenegraph import Camera, CameraRig, ClipCameras, Scene
from scenegraph.arrays import BoolArray, IntArray, UInt8Array
from scenegraph.formats.images import RecordedImages
from scenegraph.rays import ray_maps
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .cosmos_spec import CosmosSample
from .cosmos_videos import load_sample_videos
from .errors import DatasetError, SourceError
from .pipeline import FrameRange, clip_times
from .rendering import VideoSettings, available_cores, describe
from .views import assign_view_ids, neighbours_of

Fit = Literal["stretch", "crop"]
"""How cameras of another shape fill the model's picture: stretched, as the released weights were trained, or cut."""

_CLEARLY_STRETCHED = 1.25


@dataclass(frozen=True, eq=False)
class ClipJob:
    """One clip to generate.

    camera_names, view_ids: [V]. rays: float32 [V,6,h,w] or None. neighbours: bool [V,V] or None.
    frames: T. fps: of the clip. control: (start, stop) to control pictures uint8 [V,stop-start,H,W,3].
    known_frames: per view uint8 [n,H,W,3], or empty. description: what clip.json says of it.
    notes: what its maker should know. scene, cameras: where it comes from, None for videos made elsewhere.
    """

    name: str
    camera_names: tuple[str, ...]
    view_ids: tuple[int, ...]
    rays: npt.NDArray[np.float32] | None
    neighbours: BoolArray | None
    frames: int
    fps: float
    control: Callable[[int, int], UInt8Array]
    known_frames: tuple[UInt8Array, ...]
    description: dict[str, Any]
    notes: tuple[str, ...]
    scene: Scene | None = None
    cameras: ClipCameras | None = None


def scene_job(
    scene: Scene,
    regime: Regime,
    *,
    frames: FrameRange | None = None,
    size: tuple[int, int] | None = None,
    fit: Fit = "stretch",
    known: int = 0,
    pictures: RecordedImages | None = None,
) -> ClipJob:
    """A clip of a scene, filmed as the generator was trained: its frame rate, length and picture size by default.

    known: first frames that are taken from recorded ``pictures`` of the same cameras, 0 or 4k+1.
    """
    if not len(scene.rig):
        raise SourceError(f"{scene.clip_id}: has no cameras to film with. Give it a rig")
    width_px, height_px = size or (regime.width_px, regime.height_px)
    _require_size(width_px, height_px, regime)
    times_us, fps, notes = _times(scene, frames or FrameRange(), regime)
    _require_known(known, len(times_us))
    rig = scene.rig.resized(width_px, height_px) if fit == "stretch" else scene.rig.filled(width_px, height_px)
    cameras = rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)
    renderer = ControlRenderer(scene, cameras)
    view_ids, more = _view_ids(scene.rig, regime)
    notes = [*notes, *more, *(_stretched(scene.rig, width_px, height_px) if fit == "stretch" else ())]
    return ClipJob(
        scene.clip_id,
        scene.rig.names,
        view_ids,
        ray_maps(rig, height_px // 8, width_px // 8) if regime.known_views is None else None,
        None if regime.neighbour_map is None else neighbours_of(scene.rig, view_ids, regime.neighbour_map),
        len(times_us),
        fps,
        _drawing(renderer, len(rig)),
        _recorded_frames(scene.rig, pictures or {}, times_us[:known], (width_px, height_px), fit) if known else (),
        {**describe(scene, cameras, renderer, VideoSettings(fps)), "fit": fit, "known_frames": known},
        tuple(notes),
        scene,
        cameras,
    )


def sample_job(sample: CosmosSample, regime: Regime) -> ClipJob:
    """A clip of the reference's JSON specification."""
    videos = load_sample_videos(sample, regime.width_px, regime.height_px, clip_frames=regime.clip_frames)
    if regime.known_views is None:
        raise DatasetError(
            f"{sample.name}: these weights need camera geometry, which the specification lacks. Use a scene"
        )
    neighbours = None
    if regime.neighbour_map is not None:
        if regime.neighbour_map == "rig":
            raise DatasetError(
                f"{sample.name}: these weights need the rig's overlap, which the specification lacks. Use a scene"
            )
        neighbours = neighbours_of(CameraRig(()), videos.view_ids, regime.neighbour_map)
    known = (
        ()
        if videos.known is None
        else tuple(view[:count] for view, count in zip(videos.known, videos.known_counts, strict=True))
    )
    from . import __version__

    return ClipJob(
        sample.name,
        videos.camera_names,
        videos.view_ids,
        None,
        neighbours,
        videos.control.shape[1],
        float(videos.fps),
        lambda start, stop: videos.control[:, start:stop],
        known,
        {
            "drivesim": __version__,
            "clip": sample.name,
            "fps": float(videos.fps),
            "frames": videos.control.shape[1],
            "known_frames": list(videos.known_counts),
            "cameras": [
                {"name": view.name, "file": f"{view.name}.mp4", "control": str(view.control_path)}
                for view in sample.views
            ],
        },
        (videos.note,) if videos.note else (),
    )


def _times(scene: Scene, frames: FrameRange, regime: Regime) -> tuple[IntArray, float, list[str]]:
    """Instants [4k+1] and rate. Numbered frames must be 4k+1; a length in seconds is cut, and that is said."""
    fps = frames.fps or regime.fps
    times_us, _ = clip_times(scene, replace(frames, fps=fps))
    notes = [] if fps == regime.fps else [f"{fps:g} frames per second; the generator was trained at {regime.fps:g}"]
    if frames.is_numbered:
        latent_frame_count(len(times_us))
        return times_us, fps, notes
    most = len(times_us) if frames.seconds is not None else min(len(times_us), regime.clip_frames)
    count = (most - 1) // 4 * 4 + 1
    if count != most or (frames.seconds is None and count != regime.clip_frames):
        notes.append(f"{count} of {most} frames: clips have 4k+1")
    return times_us[:count], fps, notes


def _view_ids(rig: CameraRig, regime: Regime) -> tuple[tuple[int, ...], list[str]]:
    if regime.known_views is None:
        return tuple(range(len(rig))), []
    assigned = assign_view_ids(rig, regime.known_views)
    return tuple(assigned.ids), [assigned.note] if assigned.note else []


def _stretched(rig: CameraRig, width_px: int, height_px: int) -> list[str]:
    """A note when cameras are drawn in a clearly other shape."""
    factors = [width_px / height_px / (camera.width_px / camera.height_px) for camera in rig]
    clearly = [max(factor, 1 / factor) for factor in factors if max(factor, 1 / factor) > _CLEARLY_STRETCHED]
    if not clearly:
        return []
    whose = f"{len(clearly)} of {len(rig)} cameras are" if len(rig) > 1 else "the camera is"
    return [
        f"{whose} stretched to {width_px}x{height_px}, up to {max(clearly):.2g} times; --fit crop keeps their shape"
    ]


def _drawing(renderer: ControlRenderer, views: int) -> Callable[[int, int], UInt8Array]:
    """Control pictures of a range of frames, drawn in threads, never stored."""

    def draw(start: int, stop: int) -> UInt8Array:
        places = [(view, index) for view in range(views) for index in range(start, stop)]
        with ThreadPoolExecutor(max_workers=available_cores()) as pool:
            pictures = list(pool.map(lambda place: renderer.frame(*place), places))
        return np.stack(pictures).reshape(views, stop - start, *pictures[0].shape)

    return draw


def _recorded_frames(
    rig: CameraRig, pictures: RecordedImages, times_us: IntArray, size: tuple[int, int], fit: Fit
) -> tuple[UInt8Array, ...]:
    """The pictures that every camera took nearest to the first frames, as the generator sees cameras."""
    return tuple(
        np.stack([_fitted(read_image(_nearest(camera, pictures, int(time_us))), size, fit) for time_us in times_us])
        for camera in rig
    )


def _nearest(camera: Camera, pictures: RecordedImages, time_us: int) -> Any:
    within_us = 60_000
    taken = min(pictures.get(camera.name, ()), key=lambda image: abs(image.timestamp_us - time_us), default=None)
    if taken is None or abs(taken.timestamp_us - time_us) > within_us:
        raise SourceError(
            f"{camera.name}: no picture was recorded within {within_us // 1000} ms of {time_us / 1e6:.2f} s. "
            f"Leave out --known, or this camera"
        )
    return taken.path


def _fitted(picture: UInt8Array, size: tuple[int, int], fit: Fit) -> UInt8Array:
    """A picture in the size of the clip, stretched or cut as its camera is."""
    width_px, height_px = size
    if fit == "crop":
        height, width = picture.shape[:2]
        scale = max(width_px / width, height_px / height)
        cut_width, cut_height = min(round(width_px / scale), width), min(round(height_px / scale), height)
        left, top = (width - cut_width) // 2, (height - cut_height) // 2
        picture = picture[top : top + cut_height, left : left + cut_width]
    method = cv2.INTER_AREA if picture.shape[1] >= width_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method), dtype=np.uint8)


def _require_size(width_px: int, height_px: int, regime: Regime) -> None:
    step = regime.multiple_px
    if width_px % step or height_px % step or not (width_px and height_px):
        near = "x".join(str(max(step, round(side / step) * step)) for side in (width_px, height_px))
        raise DatasetError(
            f"pictures of {width_px}x{height_px} are not possible: both sides must be multiples of {step}. Try {near}"
        )


def _require_known(known: int, frames: int) -> None:
    latent_frame_count(known)
    if known > frames:
        raise DatasetError(f"{known} known frames are more than the {frames} of the clip")
