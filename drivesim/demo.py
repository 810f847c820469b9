"""The main job from start to end, for somebody who has just installed the product."""

from __future__ import annotations

import time
from pathlib import Path

from scenegraph import Scene
from scenegraph.roads import crossing_scene

from . import console
from .pipeline import FrameRange, control_videos
from .previewing import write_preview
from .sources import load_scene, require_cameras


def run_demo(out: Path, log: Path | None, seconds: float, size: tuple[int, int] | None) -> None:
    """Control videos of every camera and a preview mosaic of ``seconds`` of a log, or of the built-in crossing."""
    started = time.perf_counter()
    scene = _scene(log, seconds)
    console.out.print(
        f"{scene.clip_id}: {len(scene.actors)} actors, {sum(scene.hdmap.counts().values())} map elements, "
        f"{len(scene.rig)} cameras"
    )
    frames = FrameRange(fps=30.0, seconds=seconds)
    result = control_videos(scene, out, frames=frames, size=size, overwrite=True)
    for path in result.outputs.values():
        console.out.print(f"  {path}")
    preview = result.folder / "preview.mp4"
    write_preview(scene, preview, frames=frames)
    picture = result.folder / "preview.png"
    write_preview(scene, picture, frames=FrameRange(fps=30.0, start_s=min(1.0, seconds / 2)))
    console.out.print(f"  {preview}\n  {picture}")
    console.out.print(f"{seconds:g} s of {len(scene.rig)} cameras in {time.perf_counter() - started:.0f} s")


def _scene(log: Path | None, seconds: float) -> Scene:
    if log is None:
        from .rigs import find_rig, resolve_rig

        console.out.print("No log given: using the built-in crossing.")
        return crossing_scene(max(seconds, 1.0)).with_rig(resolve_rig(find_rig("cosmos-ftheta-7"), {}))
    scene = load_scene(log)
    require_cameras(scene, log)
    return scene
