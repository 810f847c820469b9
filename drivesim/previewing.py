"""Write previews: a mosaic video, or one picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from render.preview import PreviewRenderer

from render.palette import PaletteName
from render.video import VideoWriter, write_png
from scenegraph import Scene
from scenegraph.formats.images import RecordedImage

from .console import progress
from .errors import DatasetError
from .pipeline import FrameRange, clip_times, film

_TILE_PX = (960, 540)


def write_preview(
    scene: Scene,
    out: Path,
    *,
    frames: FrameRange | None = None,
    palette: PaletteName = "world-scenario",
    photos: Mapping[str, Sequence[RecordedImage]] | None = None,
) -> None:
    """All cameras around a bird's-eye view: ``out`` is an .mp4, or a .png of the first frame asked for."""
    if out.suffix not in (".mp4", ".png"):
        raise DatasetError(f"{out}: a preview is an .mp4 or a .png. Name one of these.")
    times_us, fps = clip_times(scene, frames or FrameRange())
    if out.suffix == ".png":
        times_us = times_us[:1]
    cameras = film(scene.with_rig(scene.rig.fitted(*_TILE_PX)), times_us, None)
    renderer = PreviewRenderer(scene, cameras, palette=palette, photos=photos)
    if out.suffix == ".png":
        write_png(out, renderer.frame(0))
        return
    workers = os.cpu_count() or 1
    with (
        progress("Drawing preview", len(times_us)) as advance,
        VideoWriter(out, renderer.layout.width_px, renderer.layout.height_px, fps) as writer,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):
        for start in range(0, len(times_us), 2 * workers):
            for picture in pool.map(renderer.frame, range(start, min(start + 2 * workers, len(times_us)))):
                writer.write(picture)
                advance()
