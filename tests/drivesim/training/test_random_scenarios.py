"""Random scenarios: the same for the same seed, of every kind, and each of them can be filmed."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivesim.errors import DatasetError, ScenarioError
from drivesim.scenario.prompts import caption_of, load_templates
from drivesim.scenario.scene_digest import scene_digest
from drivesim.scenario.schema import ConditionsFile
from drivesim.training import random_scenarios
from drivesim.training.lots import Lots
from drivesim.training.random_actors import random_actors
from drivesim.training.random_rigs import FEWEST, MOST, random_rig
from drivesim.training.random_roads import random_conditions, random_road
from drivesim.training.random_scenarios import RandomScenario, random_scenario
from models.conditions import CONDITIONS, ConditionText
from render.controls import ControlRenderer
from scenegraph import Camera, FTheta, Pinhole
from scenegraph.scene import EGO_EXTRAPOLATION_US


@pytest.fixture(scope="module")
def some() -> list[RandomScenario]:
    return [random_scenario(seed) for seed in range(5)]


# -- whole scenarios ----------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_scene_and_another_one_another(some: list[RandomScenario]) -> None:
    again = random_scenario(2)
    assert scene_digest(again.scene) == scene_digest(some[2].scene)
    assert (again.caption, again.conditions) == (some[2].caption, some[2].conditions)
    assert len({scene_digest(one.scene) for one in some}) == len(some)


def test_frames_are_a_tenth_of_a_second_apart_and_within_the_drive(some: list[RandomScenario]) -> None:
    for one in some:
        times_us = one.scene.frame_times_us()
        assert np.diff(times_us).tolist() == pytest.approx([100_000] * 16, abs=1)
        assert one.scene.ego.first_us <= times_us[0] and times_us[-1] <= one.scene.ego.last_us


def test_every_scenario_has_something_to_draw_in_its_cameras(some: list[RandomScenario]) -> None:
    for one in some:
        rig = one.scene.rig.resized(64, 36)
        cameras = rig.at(one.scene.ego, one.scene.frame_times_us()[:1], EGO_EXTRAPOLATION_US)
        renderer = ControlRenderer(one.scene, cameras)
        drawn = [renderer.frame(view, 0).any() for view in range(len(rig))]
        assert sum(drawn) >= 3


def test_the_caption_says_the_conditions(some: list[RandomScenario]) -> None:
    text = ConditionText()
    for one in some:
        said = text.conditions(one.caption)
        known = {name: word for name, word in one.conditions.model_dump().items() if word is not None}
        assert said | known == said
        assert set(said) - set(known) <= {"road"}


def test_what_cannot_be_built_is_drawn_again_with_other_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = random_scenarios.build_scene, []

    def picky(scenario: Any) -> Any:
        if len(refused) < 2:
            refused.append(scenario.content)
            raise ScenarioError("no road left")
        return real(scenario)

    monkeypatch.setattr(random_scenarios, "build_scene", picky)
    found = random_scenario(1)
    assert refused[0] != refused[1] != found.scenario.content
    assert found.seed == 1


def test_a_seed_that_never_works_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(scenario: Any) -> Any:
        raise ScenarioError("no road left")

    monkeypatch.setattr(random_scenarios, "build_scene", never)
    with pytest.raises(DatasetError, match=r"^no random scenario of seed 1 can be built; the last one: no road left$"):
        random_scenario(1)


def test_half_of_the_maps_have_no_yellow_paint() -> None:
    def is_white(seed: int) -> bool:
        return all(line.colour == "WHITE" for line in random_scenario(seed).scene.hdmap.lane_lines)

    assert {is_white(seed) for seed in range(5)} == {True, False}


def test_a_third_of_the_scenarios_are_on_real_maps_when_some_are_given(shared_data: Path) -> None:
    maps = [shared_data / "opendrive_carla" / "Town01.xodr", shared_data / "openx_esmini" / "xodr" / "e6mini.xodr"]
    found = [random_scenario(seed, 5, maps=maps) for seed in range(6)]
    kinds = [one.scenario.file.source.kind for one in found]
    assert kinds.count("opendrive") == 2
    assert [scene_digest(one.scene) for one in found if one.scenario.file.source.kind == "road"] == [
        scene_digest(random_scenario(one.seed, 5).scene) for one in found if one.scenario.file.source.kind == "road"
    ]


# -- every caption the training can have --------------------------------------------------------------


def test_every_combination_of_conditions_is_understood_in_the_words_of_its_caption() -> None:
    text, templates = ConditionText(), load_templates()
    for place, season, weather in product((None, *CONDITIONS["place"]), CONDITIONS["season"], CONDITIONS["weather"]):
        for time_of_day, road in product(CONDITIONS["time_of_day"], CONDITIONS["road"]):
            words = {"place": place, "season": season, "weather": weather, "time_of_day": time_of_day, "road": road}
            conditions = ConditionsFile.model_validate(words)
            assert text.conditions(caption_of(conditions, templates)) == {k: v for k, v in words.items() if v}


# -- parts --------------------------------------------------------------------------------------------


def test_all_kinds_of_roads_and_conditions_occur() -> None:
    layouts: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for seed in range(1500):
        conditions = random_conditions(Lots("c", seed))
        words.update(word for word in conditions.values() if word)
        road, ego = random_road(conditions["place"], 100.0, Lots("r", seed))
        layouts[road["layout"]["kind"]] += 1
        assert ego["lane"] < road["lanes"]
        if conditions["weather"] == "snow":
            assert conditions["season"] == "winter"
    assert set(layouts) == {"straight", "curve", "hill", "t_junction", "four_way", "merge", "roundabout"}
    assert set(words) == {word for group in CONDITIONS.values() for word in group} - {"dry"}
    assert min(layouts.values()) >= 40


def test_rigs_have_five_to_seven_cameras_of_both_kinds_and_all_widths() -> None:
    rigs = [random_rig(Lots("rig", seed)) for seed in range(60)]
    assert {len(rig) for rig in rigs} == set(range(FEWEST, MOST + 1))
    lenses = {type(camera.lens) for rig in rigs for camera in rig}
    assert lenses == {Pinhole, FTheta}
    fields_deg = [_field_deg(camera) for rig in rigs for camera in rig if camera.name.startswith("camera_")]
    assert min(fields_deg) < 60 and max(fields_deg) > 110
    heights_m = [camera.ego_from_camera.translation_m[2] for rig in rigs for camera in rig]
    assert min(heights_m) < 1.0 and max(heights_m) > 2.0
    assert np.mean([rig.neighbours().any(axis=1).mean() for rig in rigs]) > 0.9


def test_actors_never_share_a_place() -> None:
    for seed in range(50):
        actors = random_actors("city", 1, 10.0, Lots("a", seed))
        lanes = [(a["place"].get("lane"), round(a["place"]["ahead_m"] / 14)) for a in actors if "lane" in a["place"]]
        assert len(set(lanes)) == len(lanes)


def test_lots_depend_on_their_names_alone() -> None:
    assert Lots("a", 1).number(0, 1) == Lots("a", 1).number(0, 1) == 0.931
    assert len({Lots("a", seed).number(0, 1) for seed in range(20)}) > 15


def _field_deg(camera: Camera) -> float:
    edges = camera.unproject([[0.0, camera.lens.cy_px], [camera.width_px - 1.0, camera.lens.cy_px]])
    return float(np.degrees(np.arccos(np.clip(edges[0] @ edges[1], -1, 1))))
