"""Write previews: a mosaic as a video or one picture, or one full-size overlay per camera."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from render.overlay import OverlayRenderer
from render.palette import PaletteName
from render.preview import PreviewRenderer
from render.video import VideoWriter, write_png
from scenegraph import Scene
from scenegraph.formats.images import RecordedImages
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .clip_folder import file_name
from .console import progress
from .errors import DatasetError
from .pipeline import FrameRange, clip_times
from .rendering import available_cores

_TILE_PX = (960, 540)


def require_preview_name(out: Path, overlay: bool = False) -> None:
    """Refuse what is neither a video nor a picture; with an overlay a folder will do."""
    if out.suffix.lower() in (".mp4", ".png") or (overlay and not out.suffix):
        return
    allowed = "an .mp4, a .png or, with --overlay, a folder" if overlay else "an .mp4 or a .png"
    raise DatasetError(f"{out}: a preview is {allowed}. Name one of these with -o.")


def write_preview(
    scene: Scene,
    out: Path | str,
    *,
    frames: FrameRange | None = None,
    palette: PaletteName = "world-scenario",
    photos: RecordedImages | None = None,
) -> int:
    """All cameras around a bird's-eye view: ``out`` is an .mp4, or a .png of the first frame asked for.

    Time, frame number and driven path are those of the whole scene. Returns how many frames were written.
    """
    out = Path(out)
    require_preview_name(out)
    frames = frames or FrameRange()
    times_us, fps = clip_times(scene, frames)
    all_us = scene.frame_times_us(frames.fps)
    first = int(np.searchsorted(all_us, times_us[0]))
    cameras = scene.rig.fitted(*_TILE_PX).at(scene.ego, all_us, EGO_EXTRAPOLATION_US)
    renderer = PreviewRenderer(scene, cameras, palette=palette, photos=photos)
    if out.suffix.lower() == ".png":
        write_png(out, renderer.frame(first))
        return 1
    _write_video(renderer, out, range(first, first + len(times_us)), fps)
    return len(times_us)


def write_overlays(
    scene: Scene,
    out: Path | str,
    photos: RecordedImages,
    *,
    frames: FrameRange | None = None,
    palette: PaletteName = "world-scenario",
) -> int:
    """One full-size picture per camera, ``out / CAMERA.png``, with map and boxes of its own instant drawn over it.

    Of each camera the recorded picture nearest to the first frame asked for. Returns how many were written.
    """
    times_us, _ = clip_times(scene, frames or FrameRange())
    nearest = {
        camera.name: (min(photos[camera.name], key=lambda image: abs(image.timestamp_us - int(times_us[0]))),)
        for camera in scene.rig
        if photos.get(camera.name)
    }
    renderer = OverlayRenderer(scene, scene.rig, nearest, palette)
    with progress("Drawing overlays", len(nearest)) as advance:
        for name, (image,) in nearest.items():
            write_png(Path(out) / f"{file_name(name)}.png", renderer.picture(name, image))
            advance()
    return len(nearest)


def _write_video(renderer: PreviewRenderer, out: Path, frames: range, fps: float) -> None:
    """Draw a few frames at a time, so that few are in memory, and store them in order."""
    workers = available_cores()
    size = renderer.layout.width_px, renderer.layout.height_px
    with (
        progress("Drawing preview", len(frames)) as advance,
        VideoWriter(out, *size, fps) as writer,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):
        for start in range(0, len(frames), 2 * workers):
            for picture in pool.map(renderer.frame, frames[start : start + 2 * workers]):
                writer.write(picture)
                advance()
