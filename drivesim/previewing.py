"""Write previews: a mosaic video, or one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from render.palette import PaletteName
from render.preview import PreviewRenderer
from render.video import VideoWriter, write_png
from scenegraph import Scene
from scenegraph.formats.images import RecordedImage

from .console import progress
from .errors import DatasetError
from .pipeline import FrameRange, clip_times
from .rendering import EGO_EXTRAPOLATION_US

_TILE_PX = (960, 540)


def require_preview_name(out: Path) -> None:
    """Refuse what is neither a video nor a picture."""
    if out.suffix.lower() not in (".mp4", ".png"):
        raise DatasetError(f"{out}: a preview is an .mp4 or a .png. Name one of these with -o.")


def write_preview(
    scene: Scene,
    out: Path,
    *,
    frames: FrameRange | None = None,
    palette: PaletteName = "world-scenario",
    photos: Mapping[str, Sequence[RecordedImage]] | None = None,
) -> int:
    """All cameras around a bird's-eye view: ``out`` is an .mp4, or a .png of the first frame asked for.

    Returns how many frames were written.
    """
    out = Path(out)
    require_preview_name(out)
    is_picture = out.suffix.lower() == ".png"
    times_us, fps = clip_times(scene, frames or FrameRange())
    cameras = scene.rig.fitted(*_TILE_PX).at(scene.ego, times_us, EGO_EXTRAPOLATION_US)
    renderer = PreviewRenderer(scene, cameras, palette=palette, photos=photos)
    if is_picture:
        write_png(out, renderer.frame(0))
        return 1
    _write_video(renderer, out, len(times_us), fps)
    return len(times_us)


def _write_video(renderer: PreviewRenderer, out: Path, frames: int, fps: float) -> None:
    """Draw a few frames at a time, so that few are in memory, and store them in order."""
    workers = os.cpu_count() or 1
    size = renderer.layout.width_px, renderer.layout.height_px
    with (
        progress("Drawing preview", frames) as advance,
        VideoWriter(out, *size, fps) as writer,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):
        for start in range(0, frames, 2 * workers):
            for picture in pool.map(renderer.frame, range(start, min(start + 2 * workers, frames))):
                writer.write(picture)
                advance()
