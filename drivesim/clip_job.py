"""A clip to generate: what a generator is given, from a scene or from videos made elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import ShapeError
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
from .pipeline import LARGEST_SIDE_PX, FrameRange, clip_times
from .rendering import VideoSettings, available_cores, describe
from .views import assign_view_ids, neighbours_of

Fit = Literal["stretch", "crop"]
"""How cameras of another shape fill the model's picture: stretched, as the released weights were trained, or cut."""

_CLEARLY_STRETCHED = 1.25
_TAKEN_WITHIN_US = 60_000


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
    require_size(width_px, height_px, regime.multiple_px)
    times_us, fps, notes = _times(scene, frames or FrameRange(), regime)
    require_known(known, len(times_us))
    rig = scene.rig.resized(width_px, height_px) if fit == "stretch" else scene.rig.filled(width_px, height_px)
    cameras = rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)
    renderer = ControlRenderer(scene, cameras)
    view_ids, more = _view_ids(scene.rig, regime)
    notes = [*notes, *more, *(_stretched(scene.rig, width_px, height_px) if fit == "stretch" else ())]
    known_frames = (
        _recorded_frames(scene.rig, pictures or {}, times_us[:known], (width_px, height_px), fit) if known else ()
    )
    return ClipJob(
        scene.clip_id,
        scene.rig.names,
        view_ids,
        ray_maps(rig, height_px // 8, width_px // 8) if regime.known_views is None else None,
        None if regime.neighbour_map is None else neighbours_of(scene.rig, view_ids, regime.neighbour_map),
        len(times_us),
        fps,
        _drawing(renderer, len(rig)),
        known_frames,
        {**describe(scene, cameras, renderer, VideoSettings(fps)), "fit": fit, **_known_in_words(known_frames)},
        tuple(notes),
        scene,
        cameras,
    )


def sample_job(sample: CosmosSample, regime: Regime) -> ClipJob:
    """A clip of the reference's JSON specification."""
    if regime.known_views is None:
        raise DatasetError(
            f"{sample.name}: these weights need camera geometry, which the specification lacks. Use a scene"
        )
    if regime.neighbour_map == "rig":
        raise DatasetError(
            f"{sample.name}: these weights need the rig's overlap, which the specification lacks. Use a scene"
        )
    unknown = [view.name for view in sample.views if view.view_id >= regime.known_views]
    if unknown:
        raise DatasetError(
            f"{sample.name}: these weights know the first {regime.known_views} views only, not {', '.join(unknown)}. "
            "Leave these out"
        )
    videos = load_sample_videos(sample, regime.width_px, regime.height_px, clip_frames=regime.clip_frames)
    map_name = regime.neighbour_map
    neighbours = None if map_name is None else neighbours_of(CameraRig(()), videos.view_ids, map_name)
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
            **_known_in_words(known),
            "cameras": [
                {
                    "name": view.name,
                    "file": f"{view.name}.mp4",
                    "control": view.control_path.name,
                    "control_sha256": _digest(control),
                }
                for view, control in zip(sample.views, videos.control, strict=True)
            ],
        },
        (videos.note,) if videos.note else (),
    )


def require_size(width_px: int, height_px: int, multiple_px: int = Regime.multiple_px) -> None:
    """Refuse picture sizes that a generator cannot have."""
    if not all(side % multiple_px == 0 < side <= LARGEST_SIDE_PX for side in (width_px, height_px)):
        most = LARGEST_SIDE_PX // multiple_px
        near = (min(max(1, round(side / multiple_px)), most) * multiple_px for side in (width_px, height_px))
        raise DatasetError(
            f"pictures of {width_px}x{height_px} are not possible: both sides must be multiples of {multiple_px}, "
            f"up to {LARGEST_SIDE_PX}. Try {'x'.join(map(str, near))}"
        )


def require_known(known: int, frames: int | None = None) -> None:
    """Refuse counts of known frames that a clip cannot begin with. frames: of the clip, None before it is clear."""
    try:
        latent_frame_count(known)
    except ShapeError as error:
        raise DatasetError(f"known frames: {error}") from error
    if frames is not None and known > frames:
        raise DatasetError(f"{known} known frames are more than the {frames} of the clip")


def require_numbers(frames: FrameRange) -> None:
    """Refuse frame numbers that hold no 4k+1 frames, as far as that can be told without the scene."""
    if frames.stop is not None:
        latent_frame_count(frames.stop - (frames.first or 0))


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
    if count != most:
        notes.append(f"{count} of {most} frames are taken: a clip has 4k+1")
    if frames.seconds is None and count < regime.clip_frames:
        notes.append(f"{count} frames, to the end of the scene; the generator was trained on {regime.clip_frames}")
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
    return [f"{whose} stretched to {width_px}x{height_px}, up to {max(clearly):.2g} times; --fit crop keeps the shape"]


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
        np.stack([_fitted(read_image(path), size, fit) for path in _nearest(camera, pictures, times_us)])
        for camera in rig
    )


def _nearest(camera: Camera, pictures: RecordedImages, times_us: IntArray) -> list[Path]:
    """The files of the pictures of one camera that were taken nearest to the first frames."""
    taken = pictures.get(camera.name, ())
    if not taken:
        raise SourceError(f"{camera.name}: no pictures of this camera were recorded. Leave out --known, or this camera")
    found = [min(taken, key=lambda image: abs(image.timestamp_us - time_us)) for time_us in times_us.tolist()]
    for index, (image, time_us) in enumerate(zip(found, times_us.tolist(), strict=True)):
        if abs(image.timestamp_us - time_us) > _TAKEN_WITHIN_US:
            raise SourceError(
                f"{camera.name}: no picture was recorded within {_TAKEN_WITHIN_US // 1000} ms of frame {index} of the "
                f"clip. Ask for fewer --known frames, begin elsewhere with --start, or leave out this camera"
            )
    return [image.path for image in found]


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


def _known_in_words(known: Sequence[UInt8Array]) -> dict[str, Any]:
    """What a description says of the known frames of every view."""
    return {"known_frames": [len(view) for view in known], "known_sha256": [_digest(view) for view in known]}


def _digest(pictures: UInt8Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(pictures).data).hexdigest()
