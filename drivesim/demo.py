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

_FPS = 30.0
_USUAL_SECONDS = 5.0
_RIG = "cosmos-ftheta-7"


def run_demo(out: Path, log: Path | None, seconds: float | None, size: tuple[int, int] | None) -> None:
    """Control videos of every camera and a preview of the first seconds of a log, or of the built-in crossing.

    seconds: None for 5, or all of a shorter log.
    """
    started = time.perf_counter()
    scene = _built_in() if log is None else _logged(log)
    frames = FrameRange(_FPS, seconds=min(_USUAL_SECONDS, scene.duration_s) if seconds is None else seconds)
    console.out.print(
        f"{scene.clip_id}: {sum(scene.hdmap.counts().values())} map elements, {len(scene.actors)} actors, "
        f"{len(scene.rig)} cameras"
    )
    result = control_videos(scene, out, frames=frames, size=size, overwrite=True)
    name = result.folder.name
    preview, picture = out / f"{name}-preview.mp4", out / f"{name}-preview.png"
    write_preview(scene, preview, frames=frames)
    write_preview(scene, picture, frames=FrameRange(_FPS, first=result.frames // 2, stop=result.frames))
    for path in (*result.outputs.values(), preview, picture):
        console.out.print(f"  {path}")
    took_s = time.perf_counter() - started
    console.out.print(f"{result.frames / _FPS:g} s of {len(scene.rig)} cameras and a preview, made in {took_s:.0f} s")


def _built_in() -> Scene:
    from .rigs import find_rig, load_rig

    console.out.print(f"No log given: filming the built-in crossing with the rig {_RIG}.")
    return crossing_scene().with_rig(load_rig(find_rig(_RIG)))


def _logged(log: Path) -> Scene:
    with console.working(f"Reading {log}"):
        scene = load_scene(log)
    require_cameras(scene, log)
    return scene
