"""Conditions become words, by templates that people can change."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from drivesim.errors import ScenarioError
from drivesim.paths import configs_folder
from drivesim.scenario.prompts import caption_of, load_templates, prompts_of
from drivesim.scenario.schema import ConditionsFile, Place, PromptsFile, RoadState, Season, TimeOfDay, Weather
from models.captions import DEFAULT_NEGATIVE_PROMPT

CAMERAS = ("front", "rear")


def test_conditions_are_said_in_the_order_of_the_template() -> None:
    conditions = ConditionsFile(weather="rain", time_of_day="dusk", place="city")
    assert caption_of(conditions, load_templates()) == (
        "The video shows a drive through a dense city with tall buildings, shops and many road users. "
        "It is dusk, the sky glows faintly and headlights are on. It is raining and drops fall through the picture. "
        "The road is wet and reflects the lights."
    )


def test_the_built_in_templates_have_words_for_every_condition() -> None:
    templates = load_templates()
    assert set(templates.weather) == set(templates.road_by_weather) == set(get_args(Weather))
    assert set(templates.time_of_day) == set(get_args(TimeOfDay))
    assert set(templates.road) == set(get_args(RoadState))
    assert set(templates.season) == {*get_args(Season), "none"}
    assert set(templates.place) == {*get_args(Place), "none"}


def test_every_weather_says_something_of_its_own() -> None:
    captions = {caption_of(ConditionsFile(weather=word), load_templates()) for word in get_args(Weather)}
    assert len(captions) == len(get_args(Weather))


def test_a_road_that_is_given_wins_over_the_one_of_the_weather() -> None:
    wet_after_rain = caption_of(ConditionsFile(weather="clear", road="wet"), load_templates())
    assert wet_after_rain.endswith("The sky is clear. The road is wet and reflects the lights.")


def test_a_caption_of_ones_own_takes_the_place_of_the_conditions() -> None:
    prompts = prompts_of(ConditionsFile(weather="snow"), PromptsFile(caption="A car.", add="A tram."), CAMERAS)
    assert prompts.of_chunk(0, CAMERAS) == (("A car. A tram.",), "official")
    assert prompts.negative == DEFAULT_NEGATIVE_PROMPT


def test_a_camera_with_its_own_prompt_leaves_the_caption_to_the_others() -> None:
    prompts = prompts_of(ConditionsFile(), PromptsFile(caption="A street.", cameras={"rear": "Behind."}), CAMERAS)
    assert prompts.of_chunk(0, CAMERAS) == (("A street.", "Behind."), "per_view")


def test_words_can_be_changed_in_a_copy_of_the_file(tmp_path: Path) -> None:
    text = (configs_folder() / "prompts" / "default.yaml").read_text()
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("It is snowing.", "Snowflakes everywhere."))
    assert "Snowflakes everywhere." in caption_of(ConditionsFile(weather="snow"), load_templates(file))


def test_a_part_that_does_not_exist_is_refused_at_load_time(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (configs_folder() / "prompts" / "default.yaml").read_text()
    file.write_text(text.replace("{place} {season}", "{place} {mood}"))
    with pytest.raises(ScenarioError, match=r"caption has an unknown part \{mood\}. Parts: extra, place, road"):
        load_templates(file)


def test_a_condition_without_words_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (configs_folder() / "prompts" / "default.yaml").read_text()
    file.write_text(text.replace("  fog: Dense fog hides everything beyond a short distance.\n", ""))
    with pytest.raises(ScenarioError, match=r"^prompt templates: weather has no words for fog$"):
        caption_of(ConditionsFile(weather="fog"), load_templates(file))
