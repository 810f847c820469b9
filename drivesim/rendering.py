"""Control videos on disk: one folder per clip, one video per camera, and a file that says what they are.

    OUT/CLIP/CAMERA.mp4     (or CAMERA/000000.png ...)
    OUT/CLIP/clip.json      cameras, times, settings; written last

Cameras are drawn side by side in threads (the compiled drawing and the encoder leave Python alone), each with
one encoder, so the bytes do not depend on how many there are. A video appears when it is whole. A run that was
stopped goes on with the cameras that are missing; one with other settings is refused unless told to overwrite.
"""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from render.controls import ControlRenderer
from render.video import PngWriter, VideoWriter, probe
from scenegraph import Camera, ClipCameras, Scene
from scenegraph.publish import atomic_file

from . import __version__
from .console import progress
from .errors import DatasetError

_CLIP_FILE = "clip.json"
_PLAN_FILE = ".settings.json"


@dataclass(frozen=True)
class VideoSettings:
    """How frames are stored. fps: of playback and of the instants drawn."""

    fps: float
    lossless: bool = False
    png: bool = False


@dataclass(frozen=True)
class RenderedClip:
    """What was written: the clip's folder, its videos (or picture folders) by camera, how many were there already."""

    folder: Path
    outputs: dict[str, Path]
    kept: int


def render_clip(
    scene: Scene,
    cameras: ClipCameras,
    renderer: ControlRenderer,
    out: Path,
    settings: VideoSettings,
    *,
    workers: int | None = None,
    overwrite: bool = False,
) -> RenderedClip:
    """Draw and store all frames of all cameras of a clip under ``out / scene.clip_id``."""
    folder = out / scene.clip_id
    description = describe(scene, cameras, renderer, settings)
    _claim(folder, description, overwrite)
    outputs = {camera.name: _output(folder, camera, settings) for camera in cameras.cameras}
    todo = [v for v, c in enumerate(cameras.cameras) if not _is_whole(outputs[c.name], cameras, settings)]
    stop = threading.Event()
    frames = len(cameras.timestamps_us)
    with progress(f"Drawing {len(todo)} cameras", len(todo) * frames) as advance:

        def draw(view: int) -> None:
            camera = cameras.cameras[view]
            with _writer(outputs[camera.name], camera, settings) as writer:
                for index in range(frames):
                    if stop.is_set():
                        raise _StoppedError
                    writer.write(renderer.frame(view, index))
                    advance()

        _run_all(draw, todo, workers or os.cpu_count() or 1, stop)
    with atomic_file(folder / _CLIP_FILE) as partial:
        partial.write_text(json.dumps(description, indent=1) + "\n")
    (folder / _PLAN_FILE).unlink(missing_ok=True)
    return RenderedClip(folder, outputs, len(cameras.cameras) - len(todo))


def describe(scene: Scene, cameras: ClipCameras, renderer: ControlRenderer, settings: VideoSettings) -> dict[str, Any]:
    """Everything that determines the bytes of a clip, and what a reader needs to use it."""
    return {
        "drivesim": __version__,
        "clip": scene.clip_id,
        "source": dict(scene.source),
        "world_origin_m": scene.world_origin_m.tolist(),
        "palette": renderer.palette,
        "fps": settings.fps,
        "storage": "png" if settings.png else "h264 lossless rgb" if settings.lossless else "h264 yuv420p crf 18",
        "content": renderer.digest(),
        "timestamps_us": cameras.timestamps_us.tolist(),
        "cameras": [
            {
                "name": camera.name,
                "width_px": camera.width_px,
                "height_px": camera.height_px,
                "lens": {"kind": type(camera.lens).__name__.lower(), **vars(camera.lens)},
                "ego_from_camera": camera.ego_from_camera.matrix.tolist(),
            }
            for camera in cameras.cameras
        ],
        "world_from_ego": scene.ego.at(cameras.timestamps_us, extrapolate_us=1_000_000).matrix.tolist(),
    }


class _StoppedError(Exception):
    """Another camera failed, or the user stopped the run: give up without leaving a file."""


def _run_all(draw: Any, todo: list[int], workers: int, stop: threading.Event) -> None:
    """Call ``draw`` for every view, ``workers`` at a time; the first error stops the others and is raised."""
    if not todo:
        return
    with ThreadPoolExecutor(max_workers=min(workers, len(todo))) as pool:
        futures = [pool.submit(draw, view) for view in todo]
        try:
            errors = []
            for future in futures:
                error = _error_of(future, stop)
                if error is not None and not isinstance(error, _StoppedError):
                    errors.append(error)
        except BaseException:  # Ctrl-C while waiting: let the threads end before the folder is left
            stop.set()
            raise
    if errors:
        raise errors[0]


def _error_of(future: Any, stop: threading.Event) -> BaseException | None:
    error: BaseException | None = future.exception()
    if error is not None:
        stop.set()
    return error


def _claim(folder: Path, description: dict[str, Any], overwrite: bool) -> None:
    """Make sure that the folder holds nothing but (parts of) this very clip."""
    for name in (_CLIP_FILE, _PLAN_FILE):
        path = folder / name
        if not path.is_file():
            continue
        if not overwrite and json.loads(path.read_text()) != json.loads(json.dumps(description)):
            raise DatasetError(
                f"{folder}: holds control videos of other content or settings. "
                "Add --overwrite to replace them, or choose another -o."
            )
    folder.mkdir(parents=True, exist_ok=True)
    if overwrite:
        for camera in description["cameras"]:
            (folder / f"{camera['name']}.mp4").unlink(missing_ok=True)
    (folder / _CLIP_FILE).unlink(missing_ok=True)
    with atomic_file(folder / _PLAN_FILE) as partial:
        partial.write_text(json.dumps(description))


def _output(folder: Path, camera: Camera, settings: VideoSettings) -> Path:
    return folder / camera.name if settings.png else folder / f"{camera.name}.mp4"


def _writer(path: Path, camera: Camera, settings: VideoSettings) -> VideoWriter | PngWriter:
    if settings.png:
        return PngWriter(path, camera.width_px, camera.height_px)
    return VideoWriter(path, camera.width_px, camera.height_px, settings.fps, settings.lossless)


def _is_whole(path: Path, cameras: ClipCameras, settings: VideoSettings) -> bool:
    """Whether an earlier run finished this output; files appear only when they are whole."""
    frames = len(cameras.timestamps_us)
    if settings.png:
        return path.is_dir() and sum(1 for _ in path.glob("*.png")) == frames
    return path.is_file() and probe(path).frames == frames
