"""Control videos on disk: one folder per clip, one video per camera, and a file that says what they are.

    OUT/CLIP/CAMERA.mp4     (or CAMERA/000000.png ...)
    OUT/CLIP/clip.json      cameras, times, poses, settings; written last

Cameras are drawn side by side in threads (the compiled drawing and the encoder leave Python alone), each with
one encoder, so the bytes do not depend on how many there are. A video appears when it is whole; the same
run again goes on with the cameras that are missing (see ``clip_folder``).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from render.controls import ControlRenderer
from render.errors import RenderError
from render.video import PngWriter, VideoWriter, probe
from scenegraph import Brown, Camera, ClipCameras, FTheta, Lens, OpenCvFisheye, Pinhole, Scene
from scenegraph.scene import EGO_EXTRAPOLATION_US

from . import __version__
from .clip_folder import claim, file_name, finish, is_finished, is_frame, require_own
from .console import progress

_AXES = {
    "world": "x and y horizontal, z up; metres from world_origin_m in the coordinates of the log",
    "ego": "x forward, y left, z up; metres from the rear axle on the ground",
    "camera": "x right, y down, z forward",
    "pixels": "u right, v down; the centre of the top left pixel is (0, 0)",
}
_LENS_KINDS: dict[type[Lens], str] = {Pinhole: "pinhole", Brown: "brown", OpenCvFisheye: "fisheye", FTheta: "ftheta"}


@dataclass(frozen=True)
class VideoSettings:
    """How frames are stored. fps: of playback and of the instants drawn."""

    fps: float
    lossless: bool = False
    png: bool = False


@dataclass(frozen=True)
class RenderedClip:
    """What is there now.

    folder: of the clip. outputs: videos (or folders of pictures) by camera, each of ``frames`` frames.
    kept: how many of them were there already.
    """

    folder: Path
    outputs: dict[str, Path]
    frames: int
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
    """Draw and store all frames of all cameras of a clip in a folder of ``out`` named after the clip."""
    folder = out / file_name(scene.clip_id)
    frames = len(cameras.timestamps_us)
    outputs = {camera.name: folder / _output_name(camera, settings) for camera in cameras.cameras}
    writers = [_writer(outputs[camera.name], camera, settings) for camera in cameras.cameras]
    description = describe(scene, cameras, renderer, settings)

    # 1. What is there, and is it ours?
    require_own(folder, description, outputs.values(), overwrite)
    todo = [view for view, path in enumerate(outputs.values()) if overwrite or not _is_whole(path, frames)]
    result = RenderedClip(folder, outputs, frames, len(outputs) - len(todo))
    if not todo and is_finished(folder):
        return result

    # 2. Draw what is missing.
    claim(folder, description, overwrite)
    stop = threading.Event()
    with progress(f"Drawing {len(todo)} cameras", len(todo) * frames) as advance:

        def draw(view: int) -> None:
            with writers[view] as writer:
                for index in range(frames):
                    if stop.is_set():
                        raise _StoppedError
                    writer.write(renderer.frame(view, index))
                    advance()

        _run_all(draw, todo, workers or available_cores(), stop)

    # 3. Say that it is whole.
    finish(folder, description)
    return result


def describe(scene: Scene, cameras: ClipCameras, renderer: ControlRenderer, settings: VideoSettings) -> dict[str, Any]:
    """Everything that determines the bytes of a clip, and what a reader needs to use it."""
    description = {
        "drivesim": __version__,
        "clip": scene.clip_id,
        "source": dict(scene.source),
        "palette": renderer.palette,
        "layers": renderer.layers,
        "fps": settings.fps,
        "frames": len(cameras.timestamps_us),
        "storage": "png" if settings.png else "h264 lossless rgb" if settings.lossless else "h264 yuv420p qp 18",
        "content": renderer.digest(),
        "axes": _AXES,
        "world_origin_m": scene.world_origin_m.tolist(),
        "cameras": [
            {
                "name": camera.name,
                "file": _output_name(camera, settings),
                "width_px": camera.width_px,
                "height_px": camera.height_px,
                "lens": _lens(camera.lens),
                "ego_from_camera": camera.ego_from_camera.matrix.tolist(),
            }
            for camera in cameras.cameras
        ],
        "timestamps_us": cameras.timestamps_us.tolist(),
        "world_from_ego": scene.ego.at(cameras.timestamps_us, EGO_EXTRAPOLATION_US).matrix.tolist(),
    }
    as_read: dict[str, Any] = json.loads(json.dumps(description, allow_nan=False))
    return as_read


def available_cores() -> int:
    """Cores this process may use, which a container or scheduler can make fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _StoppedError(Exception):
    """Another camera failed, or the user stopped the run: give up without leaving a file."""


def _run_all(draw: Callable[[int], None], todo: list[int], workers: int, stop: threading.Event) -> None:
    """Call ``draw`` for every view, ``workers`` at a time; the first error stops the others and is raised."""
    pool = ThreadPoolExecutor(max_workers=max(min(workers, len(todo)), 1))
    try:
        futures = [pool.submit(draw, view) for view in todo]
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:  # after an error or Ctrl-C the others give up at their next frame
        stop.set()
        pool.shutdown(cancel_futures=True)
    errors = [future.exception() for future in futures if not future.cancelled()]
    for error in errors:
        if error is not None and not isinstance(error, _StoppedError):
            raise error


def _output_name(camera: Camera, settings: VideoSettings) -> str:
    return file_name(camera.name) + ("" if settings.png else ".mp4")


def _writer(path: Path, camera: Camera, settings: VideoSettings) -> VideoWriter | PngWriter:
    if settings.png:
        return PngWriter(path, camera.width_px, camera.height_px)
    return VideoWriter(path, camera.width_px, camera.height_px, settings.fps, settings.lossless)


def _is_whole(path: Path, frames: int) -> bool:
    """Whether an earlier run finished this output; files appear only when they are whole."""
    if path.is_dir():
        return sum(map(is_frame, path.iterdir())) == frames
    try:
        return path.is_file() and probe(path).frames == frames
    except RenderError:
        return False


def _lens(lens: Lens) -> dict[str, Any]:
    """A lens in the words of rig files."""
    return {"kind": _LENS_KINDS[type(lens)]} | {field.name: getattr(lens, field.name) for field in fields(lens)}
