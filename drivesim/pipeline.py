"""The main job, step by step: a log becomes control videos."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from render.controls import ControlRenderer
from render.palette import LAYERS, PaletteName
from scenegraph import ClipCameras, Scene, TimeRangeError
from scenegraph.arrays import IntArray
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .errors import DatasetError, SourceError
from .rendering import RenderedClip, VideoSettings, render_clip

SLOWEST_FPS, FASTEST_FPS = 0.01, 1000.0
LARGEST_SIDE_PX = 8192

_USUAL_FPS = 30.0


@dataclass(frozen=True)
class FrameRange:
    """Which part of a scene becomes a clip: by seconds, or by frame numbers.

    fps: frames per second; None takes the recorded camera instants, or 30 where there are none.
    start_s: seconds after the first frame. seconds: length, None to the end.
    first, stop: frame numbers at this fps; stop is not drawn, None goes to the end.
    """

    fps: float | None = None
    start_s: float = 0.0
    seconds: float | None = None
    first: int | None = None
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not SLOWEST_FPS <= self.fps <= FASTEST_FPS:
            raise TimeRangeError(f"frames per second must be from {SLOWEST_FPS:g} to {FASTEST_FPS:g}, got {self.fps:g}")
        if not 0.0 <= self.start_s < float("inf"):
            raise TimeRangeError(f"the start must be 0 s or later, got {self.start_s:g}")
        if self.seconds is not None and not 0.0 < self.seconds < float("inf"):
            raise TimeRangeError(f"the length must be above 0 s, got {self.seconds:g}")
        if self.is_numbered and (self.start_s or self.seconds is not None):
            raise TimeRangeError("give frame numbers, or a start and a length in seconds, not both")
        first = self.first or 0
        if first < 0:
            raise TimeRangeError(f"frame numbers begin at 0, got {first}")
        if self.stop is not None and self.stop <= first:
            raise TimeRangeError(f"frames {first}:{self.stop} hold no frame, the second number must be larger")

    @property
    def is_numbered(self) -> bool:
        """Whether the range is given in frame numbers."""
        return self.first is not None or self.stop is not None


def control_videos(
    scene: Scene,
    out: Path | str,
    *,
    frames: FrameRange | None = None,
    size: tuple[int, int] | None = None,
    palette: PaletteName = "world-scenario",
    layers: Collection[str] = LAYERS,
    lossless: bool = False,
    png: bool = False,
    workers: int | None = None,
    overwrite: bool = False,
) -> RenderedClip:
    """Scene in, one control video per camera of its rig out, in a folder of ``out`` named after the clip."""
    times_us, fps = clip_times(scene, frames or FrameRange())
    cameras = film(scene, times_us, size)
    renderer = ControlRenderer(scene, cameras, palette, layers)
    settings = VideoSettings(fps, lossless, png)
    return render_clip(scene, cameras, renderer, Path(out), settings, workers=workers, overwrite=overwrite)


def clip_times(scene: Scene, frames: FrameRange) -> tuple[IntArray, float]:
    """The instants [T] of a part of a scene, in microseconds, and the frame rate to play them at."""
    times_us = scene.frame_times_us(frames.fps)
    fps = frames.fps or _rate(times_us)
    first, stop = _numbers(frames, times_us, fps)
    if first >= len(times_us) or stop > len(times_us):
        wanted = f"frames {first}:{stop}" if frames.is_numbered else _seconds_in_words(frames)
        raise TimeRangeError(
            f"{scene.clip_id}: {wanted} cannot be had, the clip has {len(times_us)} frames, "
            f"{len(times_us) / fps:.1f} s at {fps:g} frames per second"
        )
    if first == stop:
        raise TimeRangeError(f"{scene.clip_id}: {_seconds_in_words(frames)} hold no frame at {fps:g} frames per second")
    return times_us[first:stop], fps


def film(scene: Scene, times_us: IntArray, size: tuple[int, int] | None) -> ClipCameras:
    """Pose the scene's rig at these instants.

    size: (width, height) of every picture; None keeps each camera's shape, as large as fits into 1280x720.
    """
    if not len(scene.rig):
        raise SourceError(f"{scene.clip_id}: has no cameras to film with. Give it a rig")
    if size is not None and not all(1 <= side_px <= LARGEST_SIDE_PX for side_px in size):
        raise DatasetError(f"a picture of {size[0]}x{size[1]} is not possible: sides are 1 to {LARGEST_SIDE_PX} pixels")
    rig = scene.rig.fitted(1280, 720) if size is None else scene.rig.resized(*size)
    return rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)


def _numbers(frames: FrameRange, times_us: IntArray, fps: float) -> tuple[int, int]:
    """First frame and the one after the last; a frame stands for half a frame before and after its instant."""
    if frames.is_numbered:
        return frames.first or 0, len(times_us) if frames.stop is None else frames.stop
    ends_s = (times_us - times_us[0]) / 1e6 + 0.5 / fps
    first = int(np.searchsorted(ends_s, frames.start_s, side="right"))
    if frames.seconds is None:
        return first, len(times_us)
    end_s = frames.start_s + frames.seconds
    beyond = max(int((end_s - ends_s[-1]) * fps), 0)
    return first, int(np.searchsorted(ends_s, end_s, side="right")) + beyond


def _seconds_in_words(frames: FrameRange) -> str:
    if frames.seconds is None:
        return f"a start at {frames.start_s:g} s"
    return f"{frames.start_s:g} to {frames.start_s + frames.seconds:g} s"


def _rate(times_us: IntArray) -> float:
    if len(times_us) < 2:
        return _USUAL_FPS
    return float(round(1e6 * (len(times_us) - 1) / float(times_us[-1] - times_us[0]), 2))
