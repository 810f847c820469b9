"""From the conditions of a scenario to prompts, by templates in a file that people can change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from models.captions import DEFAULT_NEGATIVE_PROMPT, CaptionMode

from ..errors import ScenarioError
from ..paths import configs_folder
from ..prompts import ChunkPrompts, Prompts
from ..yaml_files import FileModel, load_yaml
from .schema import ConditionsFile, Place, PromptsFile, RoadState, Season, TimeOfDay, Weather

_PART = re.compile(r"\{(\w+)\}")
_PARTS = {"place", "season", "time_of_day", "weather", "road", "extra"}


class TemplatesFile(FileModel):
    """Words for every condition, and the caption they are put into."""

    version: Literal[1]
    caption: str = Field(description="Parts in braces: place, season, time_of_day, weather, road, extra.")
    place: dict[Place | Literal["none"], str]
    season: dict[Season | Literal["none"], str]
    time_of_day: dict[TimeOfDay, str]
    weather: dict[Weather, str]
    road: dict[RoadState, str]
    road_by_weather: dict[Weather, RoadState]

    @model_validator(mode="after")
    def _has_known_parts(self) -> Self:
        unknown = sorted(set(_PART.findall(self.caption)) - _PARTS)
        if unknown:
            raise ValueError(f"caption has an unknown part {{{unknown[0]}}}. Parts: {', '.join(sorted(_PARTS))}")
        return self


def load_templates(path: Path | None = None) -> TemplatesFile:
    """The built-in templates, or those of a file."""
    return load_yaml(path or configs_folder() / "prompts" / "default.yaml", TemplatesFile)


def caption_of(conditions: ConditionsFile, templates: TemplatesFile, extra: str = "") -> str:
    """The caption for these conditions; the same conditions always give the same words."""
    road = conditions.road or _word("road_by_weather", templates.road_by_weather, conditions.weather)
    words = {
        "place": _word("place", templates.place, conditions.place or "none"),
        "season": _word("season", templates.season, conditions.season or "none"),
        "time_of_day": _word("time_of_day", templates.time_of_day, conditions.time_of_day),
        "weather": _word("weather", templates.weather, conditions.weather),
        "road": _word("road", templates.road, road),
        "extra": extra,
    }
    return " ".join(_PART.sub(lambda part: words[part[1]], templates.caption).split())


def prompts_of(
    conditions: ConditionsFile,
    prompts: PromptsFile,
    camera_names: tuple[str, ...],
    templates: TemplatesFile | None = None,
    mode: CaptionMode = "official",
) -> Prompts:
    """What is said to the generator: the caption, or where single cameras have prompts of their own, one for each.

    The other cameras then get the caption.
    """
    caption = prompts.caption
    if caption is None:
        caption = caption_of(conditions, templates or load_templates(), prompts.add)
    elif prompts.add:
        caption = f"{caption} {prompts.add}"
    negative = DEFAULT_NEGATIVE_PROMPT if prompts.negative is None else prompts.negative
    if not prompts.cameras:
        return Prompts((ChunkPrompts(caption),), negative, mode)
    by_camera = tuple((name, prompts.cameras.get(name, caption)) for name in camera_names)
    return Prompts((ChunkPrompts(None, by_camera),), negative, mode)


def _word(part: str, words: Mapping[Any, Any], condition: str) -> Any:
    if condition not in words:
        raise ScenarioError(f"prompt templates: {part} has no words for {condition}")
    return words[condition]
