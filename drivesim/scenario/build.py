"""From a scenario to a scene: a recorded log, cut to the scenario's time, with its edits applied in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from scenegraph import Actor, Scene, SceneGraphError

from ..errors import DriveSimError, ScenarioError
from .edits import apply_edit
from .loading import Scenario
from .schema_sources import LogSource
from .world import World

_SLACK_US = 50_000


def build_scene(scenario: Scenario, rig: Path | str | None = None) -> Scene:
    """The scene a scenario describes. rig: instead of the one it names.

    This version builds scenarios of recorded logs with edits; actors, traffic, roads and other ways of the ego are
    part of the language, and refused here.
    """
    source = _log_source(scenario)
    world = _recorded(scenario, source, rig)
    for index, edit in enumerate(scenario.file.edits):
        try:
            world = world.with_scene(apply_edit(edit, world, scenario.folder, scenario.file.seed).scene)
        except (DriveSimError, SceneGraphError) as error:
            raise ScenarioError(f"{scenario.place_of(f'edits[{index}]')}  edits[{index}]: {error}") from error
    return replace(world.scene, clip_id=scenario.name)


def _log_source(scenario: Scenario) -> LogSource:
    file = scenario.file
    unbuilt = {
        "source": not isinstance(file.source, LogSource),
        "ego.behaviour": file.ego.behaviour is not None,
        "actors": bool(file.actors),
        "traffic": file.traffic is not None,
    }
    for field, is_given in unbuilt.items():
        if is_given:
            raise ScenarioError(
                f"{scenario.place_of(field)}  {field}: this version builds recorded logs with edits, and not this yet"
            )
    assert isinstance(file.source, LogSource)
    return file.source


def _recorded(scenario: Scenario, source: LogSource, rig: Path | str | None) -> World:
    """The log from its start to the end of the scenario; frames and cameras of that time only."""
    from ..sources import load_scene

    named = rig or scenario.file.rig
    try:
        scene = load_scene(scenario.folder / source.path, kind=source.format, clip=source.clip, rig=named)
    except (DriveSimError, SceneGraphError) as error:
        raise ScenarioError(f"{scenario.place_of('source.path')}  source.path: {error}") from error
    frames = scene.frame_timestamps_us
    first_us = scene.ego.first_us if frames is None else int(frames[0])
    last_us = scene.ego.last_us if frames is None else int(frames[-1])
    start_us = first_us + round(source.start_s * 1e6)
    end_us = start_us + round(scenario.file.duration_s * 1e6)
    if end_us > last_us + _SLACK_US:
        field = "duration_s" if start_us < last_us else "source.start_s"
        raise ScenarioError(
            f"{scenario.place_of(field)}  {field}: the log lasts {(last_us - first_us) / 1e6:.1f} s, "
            f"and {source.start_s:g} to {source.start_s + scenario.file.duration_s:g} s are wanted"
        )
    end_us = min(end_us, last_us)
    times = scene.frame_times_us(30.0) if frames is None else frames
    wanted = times[(times >= start_us) & (times <= end_us)]
    scene = replace(scene, frame_timestamps_us=wanted, actors=_near(scene, source.within_m))
    return World(scene, start_us, (end_us - start_us) / 1e6)


def _near(scene: Scene, within_m: float | None) -> tuple[Actor, ...]:
    """Actors that ever come this near to where the ego drives."""
    if within_m is None:
        return scene.actors
    way = scene.ego.world_from_body.translation_m[:, None, :2]
    return tuple(
        actor
        for actor in scene.actors
        if np.linalg.norm(way - actor.trajectory.world_from_body.translation_m[None, :, :2], axis=-1).min() <= within_m
    )
