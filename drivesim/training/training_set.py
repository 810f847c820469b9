"""Clips of random scenarios in the reference world, made by as many processes as there are cores.

A set is a folder of clips, one per seed; the same call again makes those that are missing. A clip depends on its seed
and the size of the pictures alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from render.controls import render_controls

from ..clip_folder import write_json
from ..console import progress
from ..errors import DatasetError
from ..pipeline import film
from ..rendering import available_cores
from ..world_job import WorldJob
from ..world_workers import Tick, Work, spread
from .clips import CLIP_FILE, TrainingClip, geometry_of, write_clip
from .deadline import Deadline, TimeUpError
from .random_scenarios import RandomScenario, random_scenario

SET_FILE = "set.json"


@dataclass(frozen=True)
class SetSettings:
    """What a set of clips is made of.

    count: clips, of the seeds first_seed, first_seed + 1 ... width_px, height_px: of all pictures, multiples of 8.
    frames: of a clip, 4k+1. fps: frames per second. maps: OpenDRIVE files that a third of the scenarios are on.
    """

    count: int
    first_seed: int = 0
    width_px: int = 256
    height_px: int = 144
    frames: int = 17
    fps: float = 10.0
    maps: tuple[Path, ...] = ()

    @property
    def seeds(self) -> range:
        """One per clip."""
        return range(self.first_seed, self.first_seed + self.count)

    def kept(self) -> dict[str, Any]:
        """What all clips of a folder have in common."""
        maps = {"maps": ", ".join(path.name for path in self.maps)} if self.maps else {}
        return {"width_px": self.width_px, "height_px": self.height_px, "frames": self.frames, "fps": self.fps, **maps}


def training_set(
    settings: SetSettings, folder: Path, *, deadline: Deadline | None = None, workers: int | None = None
) -> Path:
    """Make the clips that a folder lacks, in as many processes as there are cores; or as many as there is time for."""
    deadline = deadline or Deadline()
    _require_alike(settings, folder)
    missing = [seed for seed in settings.seeds if not _is_there(folder, seed)]
    if not missing:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / SET_FILE, settings.kept())
    with progress(f"Making {len(missing)} of {settings.count} clips", len(missing)) as advance:
        spread(_start, (settings, folder, deadline), missing, workers or available_cores(), advance)
    left = sum(not _is_there(folder, seed) for seed in settings.seeds)
    if left:
        raise TimeUpError(f"{settings.count - left} of {settings.count} clips are in {folder}")
    return folder


def clip_folder(folder: Path, seed: int) -> Path:
    """Where the clip of a seed is."""
    return folder / f"{seed:08d}"


def make_clip(scenario: RandomScenario, settings: SetSettings) -> TrainingClip:
    """Film a random scenario and draw its control videos, at once for exactly the same cameras."""
    size = (settings.width_px, settings.height_px)
    scene = scenario.scene
    times_us = scene.frame_times_us()
    cameras = film(scene, times_us, size)
    world = WorldJob(scene, cameras, scenario.conditions, scenario.seed, settings.fps).open()
    pictures = [[world.frame(view, index).rgb for index in range(len(times_us))] for view in range(len(scene.rig))]
    rays, neighbours = geometry_of(scene.rig, *size)
    return TrainingClip(
        f"{scenario.seed:08d}",
        np.stack([np.stack(view) for view in pictures]),
        render_controls(scene, cameras).stacked(),
        rays,
        neighbours,
        scenario.caption,
        scene.rig.names,
        settings.fps,
        {
            "seed": scenario.seed,
            "conditions": scenario.conditions.model_dump(),
            "road": _without_folder(scenario.scenario.content["source"]),
            "actors": len(scene.actors),
        },
    )


def _require_alike(settings: SetSettings, folder: Path) -> None:
    """Refuse a folder whose clips are of another size or length."""
    path = folder / SET_FILE
    if not path.is_file():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: is not JSON: {error}. Delete it if the clips beside it are right") from error
    if there != settings.kept():
        said = ", ".join(f"{name} {value}" for name, value in there.items())
        wanted = ", ".join(f"{name} {value}" for name, value in settings.kept().items())
        raise DatasetError(f"{folder}: holds clips of {said}, and {wanted} is asked for. Choose another folder")


def _without_folder(source: dict[str, Any]) -> dict[str, Any]:
    return {**source, "path": Path(source["path"]).name} if "path" in source else source


def _is_there(folder: Path, seed: int) -> bool:
    return (clip_folder(folder, seed) / CLIP_FILE).is_file()


def _start(settings: SetSettings, folder: Path, deadline: Deadline) -> Work:
    return partial(_make, settings, folder, deadline)


def _make(settings: SetSettings, folder: Path, deadline: Deadline, seed: int, tick: Tick) -> None:
    if deadline.is_over:
        return
    scenario = random_scenario(seed, settings.frames, settings.fps, settings.maps)
    write_clip(clip_folder(folder, seed), make_clip(scenario, settings))
    tick()
