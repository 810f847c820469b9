"""Random scenarios in the scenario language, for training: any road, traffic, conditions and cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from scenegraph import HDMap, Scene, SceneGraphError
from scenegraph.hdmap import LaneLine, LaneSegment

from ..errors import DatasetError, DriveSimError
from ..scenario.build import build_scene
from ..scenario.loading import Scenario
from ..scenario.prompts import caption_of, load_templates
from ..scenario.schema import ConditionsFile, ScenarioFile
from ..yaml_files import check
from ..yaml_places import Located
from .lots import Lots
from .random_actors import random_actors, random_traffic
from .random_rigs import random_rig
from .random_roads import Words, random_conditions, random_place, random_road

_MOST_ATTEMPTS = 20
_ON_MAPS, _USUAL_LIMIT_MPS = 1 / 3, 13.9
_LEAD_IN_S = 2.0
"""Clips begin up to so much later than the scenario, when traffic and those who do something are under way."""


@dataclass(frozen=True, eq=False)
class RandomScenario:
    """A scene with what is said of it.

    seed: makes it again. scene: with its own cameras, its frames the instants of the clip.
    conditions: what it looks like. caption: the same in words. scenario: as a file would say it.
    """

    seed: int
    scene: Scene
    conditions: ConditionsFile
    caption: str
    scenario: Scenario


def random_scenario(seed: int, frames: int = 17, fps: float = 10.0, maps: Sequence[Path] = ()) -> RandomScenario:
    """A scenario with a rig, the same for the same seed. What cannot be built is drawn again, with the next lots.

    frames, fps: of the clip. maps: OpenDRIVE files; a third of the scenarios are on one of these, the others on roads
    that are made.
    """
    problems: list[str] = []
    for attempt in range(_MOST_ATTEMPTS):
        try:
            return _drawn(seed, attempt, frames, fps, maps)
        except (DriveSimError, SceneGraphError) as error:
            problems.append(str(error))
    raise DatasetError(f"no random scenario of seed {seed} can be built; the last one: {problems[-1]}")


def _drawn(seed: int, attempt: int, frames: int, fps: float, maps: Sequence[Path]) -> RandomScenario:
    names = ("random scenario", seed, attempt)
    clip_s = (frames - 1) / fps
    words = _words(seed, clip_s + _LEAD_IN_S, names, maps)
    scenario = _scenario(f"random-{seed:08d}", words)
    first_s = Lots(*names, "start").number(0.0, _LEAD_IN_S)
    times_us = np.round((first_s + np.arange(frames) / fps) * 1e6).astype(np.int64)
    scene = build_scene(scenario).with_rig(random_rig(Lots(*names, "rig")))
    scene = replace(scene, frame_timestamps_us=times_us)
    if Lots(*names, "paint").happens(0.5):
        scene = replace(scene, hdmap=_white(scene.hdmap))
    conditions = scenario.file.conditions
    return RandomScenario(seed, scene, conditions, caption_of(conditions, load_templates()), scenario)


def _words(seed: int, duration_s: float, names: tuple[Any, ...], maps: Sequence[Path]) -> Words:
    """A scenario file."""
    conditions = random_conditions(Lots(*names, "conditions"))
    place, road, who = conditions["place"], Lots(*names, "road"), Lots(*names, "actors")
    source, ego = random_road(place, 40.0 * duration_s, road)
    if maps and Lots(*names, "map").happens(_ON_MAPS):
        source, ego = random_place(Lots(*names, "which map").one_of(maps), Lots(*names, "where")), {}
    limit_mps = source.get("speed_limit_mps", _USUAL_LIMIT_MPS)
    speed_mps = 0.0 if road.happens(0.07) else road.number(0.25 * limit_mps, 1.05 * limit_mps, 2)
    turn = road.weighted({"straight": 0.5, "left": 0.25, "right": 0.25})
    return {
        "version": 1,
        "duration_s": round(duration_s, 3),
        "seed": seed,
        "source": source,
        "ego": ego | {"behaviour": {"kind": "drive", "speed_mps": speed_mps, "turn": turn}},
        "actors": random_actors(place, source.get("oncoming_lanes", 0), speed_mps, who),
        "traffic": random_traffic(place, source.get("parking", False), Lots(*names, "traffic")),
        "conditions": conditions,
    }


def _scenario(name: str, words: Words) -> Scenario:
    """What a file with these words would be."""
    document = Located(words, {}, {}, Path(f"{name}.yaml"))
    file, mistakes = check(document, ScenarioFile)
    assert file is not None, mistakes
    return Scenario(name, file.model_copy(update={"name": name}), Path(), {}, document)


def _white(hdmap: HDMap) -> HDMap:
    """The map with the paint of countries where no line is yellow."""
    return replace(
        hdmap,
        lane_lines=tuple(_white_line(line) for line in hdmap.lane_lines),
        lane_segments=tuple(_white_edges(lane) for lane in hdmap.lane_segments),
    )


def _white_line(line: LaneLine) -> LaneLine:
    return replace(line, colour="WHITE") if line.colour == "YELLOW" else line


def _white_edges(lane: LaneSegment) -> LaneSegment:
    return replace(lane, left_mark=_white_mark(lane.left_mark), right_mark=_white_mark(lane.right_mark))


def _white_mark(mark: tuple[str, str] | None) -> tuple[str, str] | None:
    return ("WHITE", mark[1]) if mark and mark[0] == "YELLOW" else mark
