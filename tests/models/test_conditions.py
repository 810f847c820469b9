"""Conditions are found in free text, and what nobody trained on is refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from models.captions import DEFAULT_NEGATIVE_PROMPT, PLACEHOLDER
from models.conditions import CONDITIONS, ConditionText
from models.config import TINY
from models.errors import CheckpointError, ModelError

TEMPLATES = YAML(typ="safe").load(Path(__file__).parents[2] / "configs" / "prompts" / "default.yaml")


@pytest.fixture
def text() -> ConditionText:
    return ConditionText()


@pytest.mark.parametrize(("group", "word"), [(group, word) for group, words in CONDITIONS.items() for word in words])
def test_the_sentence_a_scenario_writes_for_a_word_says_that_word_and_no_other(
    text: ConditionText, group: str, word: str
) -> None:
    assert text.conditions(TEMPLATES[group][word]) == {group: word}


def test_the_words_are_those_of_the_templates(text: ConditionText) -> None:
    assert {group: tuple(word for word in TEMPLATES[group] if word != "none") for group in CONDITIONS} == CONDITIONS
    assert text.channels == TINY.text_channels and text.tokens == 5


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("rainy night in the city", {"weather": "rain", "time_of_day": "night", "place": "city"}),
        ("heavy_rain, MOTORWAY!", {"weather": "heavy_rain", "place": "motorway"}),
        ("a snow-covered country road in fog", {"road": "snowy", "place": "country_road", "weather": "fog"}),
        ("falling snow on a wet road", {"weather": "snow", "road": "wet"}),
        ("a snowy evening", {"weather": "snow", "time_of_day": "dusk"}),
        ("no rain, wet road", {"road": "wet"}),
        ("without any fog at noon", {"time_of_day": "noon"}),
        ("a clear view in heavy rain", {"weather": "heavy_rain"}),
        ("clear", {"weather": "clear"}),
        ("A lorry brakes in front of the ego vehicle.", {}),
        (DEFAULT_NEGATIVE_PROMPT, {}),
    ],
)
def test_free_text_says(text: ConditionText, prompt: str, said: dict[str, str]) -> None:
    assert text.conditions(prompt) == said


def test_every_group_is_one_token_and_every_word_one_channel(text: ConditionText) -> None:
    embedding = text.encode(["It is raining at night.", "fog"])
    assert embedding.shape == (2, 5, 33) and embedding.dtype == torch.float32
    assert torch.equal(embedding.sum(dim=-1), torch.ones(2, 5))
    said = (embedding[0] != text.unsaid).any(dim=-1)
    assert said.tolist() == [False, False, True, True, False]
    every = torch.stack([text.embed({group: word})[index] for index, group in enumerate(CONDITIONS)
                         for word in CONDITIONS[group]] + list(text.unsaid))  # fmt: skip
    assert torch.equal(every @ every.T, torch.eye(33))


@pytest.mark.parametrize("prompt", ["", PLACEHOLDER, DEFAULT_NEGATIVE_PROMPT, "a car"])
def test_a_text_without_conditions_is_what_dropped_text_is(text: ConditionText, prompt: str) -> None:
    assert not text.encode([prompt]).any()


def test_a_texts_embedding_is_that_of_its_conditions(text: ConditionText) -> None:
    said = {"weather": "snow", "place": "village"}
    assert torch.equal(text.embed(said), text.encode(["snow in a village"])[0])


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("hail", "prompt: these weights were not trained on 'hail' as weather. The nearest they know: rain, snow"),
        ("a Sandstorm", "prompt: these weights were not trained on 'sandstorm' as weather. The nearest they know: fog"),
        (
            "the golden hour",
            "prompt: these weights were not trained on 'golden hour' as time of day. The nearest they know: dawn, dusk",
        ),
        (
            "rain, then snow",
            "prompt: says both rain and snow of the weather. Say one: 'rain, then snow'",
        ),
    ],
)
def test_it_refuses(text: ConditionText, prompt: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        text.encode([prompt])


@pytest.mark.parametrize("word", ["blizzard", "thunderstorm", "drizzle", "freezing rain", "snow storm", "smog"])
def test_weather_that_exists_is_not_taken_for_other_weather(text: ConditionText, word: str) -> None:
    with pytest.raises(ModelError, match=f"not trained on '{word}' as weather"):
        text.encode([f"A drive through {word} at night"])


def test_a_word_left_out_of_the_vocabulary_is_refused_with_those_that_are_in_it() -> None:
    text = ConditionText({"weather": ("clear", "rain"), "time_of_day": ("noon", "night")})
    assert text.conditions("rain at night in a city") == {"weather": "rain", "time_of_day": "night"}
    message = "prompt: these weights were not trained on 'foggy' as weather. The nearest they know: clear, rain"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        text.encode(["foggy"])
    with pytest.raises(ModelError, match=r"^weather: 'fog' is none of clear, rain$"):
        text.embed({"weather": "fog"})


def test_a_vocabulary_is_kept_in_a_file(text: ConditionText, tmp_path: Path) -> None:
    text.save(tmp_path / "text")
    for path in (tmp_path / "text", tmp_path / "text" / "vocabulary.json"):
        loaded = ConditionText.load(path)
        assert loaded.groups == text.groups and loaded.identity() == text.identity()
        assert torch.equal(loaded.encode(["fog"]), text.encode(["fog"]))
    assert (
        ConditionText({"weather": ("fog", "rain")}).identity() != ConditionText({"weather": ("rain", "fog")}).identity()
    )


def test_a_file_that_is_no_vocabulary_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text('{"format": "other", "version": 1}')
    message = f"{path}: is no vocabulary of conditions of version 1: format other, version 1"
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        ConditionText.load(tmp_path)
