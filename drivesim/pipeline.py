"""The main job, step by step: a log becomes control videos and a preview."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from render.controls import ControlRenderer
from render.palette import LAYERS, PaletteName
from scenegraph import ClipCameras, Scene, TimeRangeError
from scenegraph.arrays import IntArray

from .rendering import RenderedClip, VideoSettings, render_clip

EGO_EXTRAPOLATION_US = 1_000_000
"""Recorded camera instants may lie a little outside of the recorded poses; the ego then goes on unchanged."""


@dataclass(frozen=True)
class FrameRange:
    """Which part of a scene becomes a clip.

    fps: frames per second; None takes the recorded camera instants, or 30 where there are none.
    start_s: seconds after the first frame. seconds: length, None to the end.
    first, stop: frame numbers at this fps instead of seconds (stop is not drawn).
    """

    fps: float | None = None
    start_s: float = 0.0
    seconds: float | None = None
    first: int | None = None
    stop: int | None = None


def control_videos(
    scene: Scene,
    out: Path,
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
    """Scene in, one control video per camera of its rig out, in ``out / scene.clip_id``."""
    times_us, fps = clip_times(scene, frames or FrameRange())
    cameras = film(scene, times_us, size)
    renderer = ControlRenderer(scene, cameras, palette, layers)
    settings = VideoSettings(fps, lossless, png)
    return render_clip(scene, cameras, renderer, out, settings, workers=workers, overwrite=overwrite)


def clip_times(scene: Scene, frames: FrameRange) -> tuple[IntArray, float]:
    """The instants [T] of a part of a scene, in microseconds, and the frame rate to play them at."""
    times = scene.frame_times_us(frames.fps)
    fps = frames.fps or _rate(times)
    first = frames.first if frames.first is not None else round(frames.start_s * fps)
    stop = len(times)
    if frames.stop is not None:
        stop = frames.stop
    elif frames.seconds is not None:
        stop = min(first + max(round(frames.seconds * fps), 1), len(times))
    if not 0 <= first < stop <= len(times):
        raise TimeRangeError(
            f"frames {first}:{stop} are outside of the clip, which has {len(times)} frames "
            f"({(times[-1] - times[0]) / 1e6:.1f} s) at {fps:g} frames per second"
        )
    return times[first:stop], fps


def film(scene: Scene, times_us: IntArray, size: tuple[int, int] | None) -> ClipCameras:
    """Pose the scene's rig at these instants.

    size: (width, height) of every picture; None keeps each camera's shape, as large as fits into 1280x720.
    """
    rig = scene.rig.fitted(1280, 720) if size is None else scene.rig.resized(*size)
    return rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)


def _rate(times_us: IntArray) -> float:
    if len(times_us) < 2:
        return 30.0
    return float(round(1e6 * (len(times_us) - 1) / float(times_us[-1] - times_us[0]), 2))
