"""Text without a text encoder: a small fixed vocabulary of conditions, recognised in free text by their words.

A text becomes one token per group of conditions (place, season, time of day, weather, road), each the place of its
word among all words as a one-hot vector; the network's own text projection learns what the words mean.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError, ModelError

VOCABULARY_NAME = "vocabulary.json"

_FORMAT, _VERSION = "drivesim-conditions", 1

CONDITIONS: dict[str, tuple[str, ...]] = {
    "place": ("city", "town", "village", "suburb", "motorway", "country_road", "industrial_area"),
    "season": ("spring", "summer", "autumn", "winter"),
    "time_of_day": ("dawn", "morning", "noon", "afternoon", "dusk", "night"),
    "weather": ("clear", "cloudy", "overcast", "rain", "heavy_rain", "fog", "snow"),
    "road": ("dry", "wet", "snowy", "icy"),
}
"""The words of every group, those of a scenario."""

_PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "place": {
        "city": ("city", "downtown", "metropolis", "urban"),
        "town": ("town", "small town"),
        "village": ("village", "hamlet"),
        "suburb": ("suburb", "suburban", "residential area", "residential street"),
        "motorway": ("motorway", "highway", "freeway", "autobahn", "expressway"),
        "country_road": ("country road", "rural road", "rural", "countryside"),
        "industrial_area": ("industrial area", "industrial", "warehouses", "business park"),
    },
    "season": {
        "spring": ("spring", "springtime", "fresh green leaves"),
        "summer": ("summer", "summertime", "in full leaf"),
        "autumn": ("autumn", "autumnal", "fall season", "yellow and red leaves"),
        "winter": ("winter", "wintry", "wintertime"),
    },
    "time_of_day": {
        "dawn": ("dawn", "sunrise", "daybreak", "first light"),
        "morning": ("morning",),
        "noon": ("noon", "midday", "daylight", "daytime", "broad day", "at day", "by day"),
        "afternoon": ("afternoon",),
        "dusk": ("dusk", "sunset", "twilight", "evening", "nightfall"),
        "night": ("night", "nighttime", "midnight", "at dark", "moonlight", "moonlit"),
    },
    "weather": {
        "clear": ("clear", "clear sky", "clear weather", "sky is clear", "sunny", "sunshine", "fair weather"),
        "cloudy": ("cloudy", "few clouds", "partly cloudy", "some clouds", "scattered clouds"),
        "overcast": ("overcast", "grey sky", "gray sky", "covered sky"),
        "rain": ("rain", "rains", "raining", "rainy", "rainfall", "light rain", "shower", "showers"),
        "heavy_rain": (
            "heavy rain", "raining heavily", "rains heavily", "downpour", "pouring rain", "pours", "torrential rain",
            "heavy shower", "heavy showers",
        ),
        "fog": ("fog", "foggy", "mist", "misty", "dense fog"),
        "snow": ("snow", "snows", "snowing", "snowy", "snowfall", "falling snow"),
    },
    "road": {
        "dry": ("dry", "dry road"),
        "wet": ("wet", "wet road", "road is wet", "puddles", "rain on the road", "rain covered road"),
        "snowy": (
            "snowy road", "road is snowy", "covered with snow", "covered in snow", "snow covered", "snow on the road",
            "snowy street",
        ),
        "icy": ("icy", "ice", "icy road", "black ice"),
    },
}  # fmt: skip
"""What says which word, lower case and without punctuation. The longest phrase at a place counts."""

_WEAK = frozenset({"clear", "wet", "dry", "ice", "first light", "urban", "rural"})
"""Phrases that have other meanings too: they count where nothing else of their group is said."""

_UNTRAINED: dict[str, tuple[str, tuple[str, ...]]] = {
    word: (group, tuple(nearest.split()))
    for group, nearest, words in (
        ("weather", "rain", "drizzle drizzling drizzly"),
        ("weather", "rain snow", "hail hailing hailstorm hailstones sleet sleety graupel freezing_rain"),
        ("weather", "heavy_rain", "thunderstorm thunderstorms thunder lightning storm stormy monsoon"),
        ("weather", "heavy_rain", "hurricane tornado typhoon cyclone"),
        ("weather", "snow", "blizzard snowstorm snowstorms snow_storm"),
        ("weather", "fog", "sandstorm duststorm sand_storm dust_storm haze hazy smog smoke smoky"),
        ("weather", "clear", "rainbow heatwave"),
        ("weather", "overcast", "windy wind gale"),
        ("time of day", "night", "eclipse starlight polar_night"),
        ("time of day", "dawn dusk", "golden_hour blue_hour midnight_sun"),
    )
    for word in (name.replace("_", " ") for name in words.split())
}
"""Weather and times that are known to exist and that nobody trained on, with the nearest words."""

_NEGATIONS = frozenset({"no", "not", "without", "never"})
_FILLERS = frozenset({"a", "any", "more", "much", "the"})


class ConditionText:
    """A text source without a network; groups: the words it was trained on, see CONDITIONS.

    A text that names no condition, such as the empty one, is all zeros: what the network saw where text was dropped.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]] = CONDITIONS) -> None:
        _check_groups(groups)
        self.groups = {group: tuple(words) for group, words in groups.items()}
        self._places: dict[tuple[str, str | None], int] = {}
        for group, words in self.groups.items():
            for word in (None, *words):
                self._places[group, word] = len(self._places)
        self._phrases = _compiled(self.groups)

    @classmethod
    def load(cls, path: Path | str) -> ConditionText:
        """From a vocabulary.json, or the folder that holds one."""
        path = Path(path)
        return cls(_read_vocabulary(path / VOCABULARY_NAME if path.is_dir() else path))

    def save(self, folder: Path | str) -> None:
        """Write vocabulary.json into a folder, which may be new."""
        content = {"format": _FORMAT, "version": _VERSION, "groups": self.groups}
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / VOCABULARY_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @property
    def tokens(self) -> int:
        """N: one per group."""
        return len(self.groups)

    @property
    def channels(self) -> int:
        """C: all words, and one ``unsaid`` per group."""
        return len(self._places)

    @property
    def unsaid(self) -> Tensor:
        """What every token is when its group is not spoken of, [N,C]."""
        return self._rows({})

    def identity(self) -> dict[str, Any]:
        """A hash of the vocabulary."""
        content = json.dumps(list(self.groups.items()))
        return {"kind": "conditions", "vocabulary": hashlib.sha256(content.encode()).hexdigest()}

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] of texts [U]; a ModelError for weather and times nobody trained on."""
        return torch.stack([self.embed(self.conditions(text)) for text in texts])

    def release(self) -> None:
        """Nothing: it holds no weights."""

    def embed(self, conditions: Mapping[str, str]) -> Tensor:
        """The embedding [N,C] of a word per group, by group; zeros where there is none at all."""
        for group, word in conditions.items():
            if (group, word) not in self._places:
                raise ModelError(f"{group}: {word!r} is none of {', '.join(self.groups.get(group, self.groups))}")
        return self._rows(conditions) if conditions else torch.zeros(self.tokens, self.channels)

    def conditions(self, text: str) -> dict[str, str]:
        """The words a text says, by group."""
        said: dict[str, dict[str, bool]] = {}  # group -> word -> said by a phrase that has no other meaning
        for phrase in self._spoken(text):
            if phrase in _UNTRAINED:
                group, nearest = _UNTRAINED[phrase]
                raise _untrained(phrase, group, [word for word in nearest if self._knows(word)])
            for group, word in self._phrases[phrase]:
                if word not in self.groups[group]:
                    raise _untrained(phrase, group.replace("_", " "), self.groups[group])
                words = said.setdefault(group, {})
                words[word] = words.get(word, False) or phrase not in _WEAK
        return {group: _only(group, words, text) for group, words in said.items()}

    def _rows(self, conditions: Mapping[str, str]) -> Tensor:
        places = [self._places[group, conditions.get(group)] for group in self.groups]
        return torch.nn.functional.one_hot(torch.tensor(places), self.channels).float()

    def _knows(self, word: str) -> bool:
        return any(word in words for words in self.groups.values())

    def _spoken(self, text: str) -> list[str]:
        """The phrases in a text, the longest at every place, without those that are negated."""
        words, found, place = re.sub(r"[^a-z]+", " ", text.lower()).split(), [], 0
        longest = max(phrase.count(" ") + 1 for phrase in (*self._phrases, *_UNTRAINED))
        while place < len(words):
            for count in range(min(longest, len(words) - place), 0, -1):
                phrase = " ".join(words[place : place + count])
                if phrase in self._phrases or phrase in _UNTRAINED:
                    if not _is_negated(words[:place]):
                        found.append(phrase)
                    place += count - 1
                    break
            place += 1
        return found


def _is_negated(before: Sequence[str]) -> bool:
    """Whether the words before a phrase end in a negation: ``no``, ``without any``."""
    last = [word for word in before[-2:] if word not in _FILLERS]
    return bool(last) and last[-1] in _NEGATIONS and before[-1] in _NEGATIONS | _FILLERS


def _compiled(groups: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, str]]]:
    """What each phrase says: (group, word), for the groups there are."""
    phrases: dict[str, list[tuple[str, str]]] = {}
    for group in groups:
        own = dict.fromkeys(groups[group], ()) | _PHRASES.get(group, {})
        for word, ways in own.items():
            for phrase in dict.fromkeys((word.replace("_", " "), *ways)):
                # A word that has ways to say it is said by those alone: "snowy" is weather, a "snowy road" is a road.
                if phrase in ways or word not in _PHRASES.get(group, {}):
                    phrases.setdefault(phrase, []).append((group, word))
    return phrases


def _only(group: str, words: Mapping[str, bool], text: str) -> str:
    strong = [word for word, is_strong in words.items() if is_strong] or list(words)
    if len(strong) > 1:
        what = group.replace("_", " ")
        raise ModelError(f"prompt: says both {strong[0]} and {strong[1]} of the {what}. Say one: {_shortened(text)}")
    return strong[0]


def _untrained(phrase: str, group: str, nearest: Sequence[str]) -> ModelError:
    return ModelError(
        f"prompt: these weights were not trained on {phrase!r} as {group}. The nearest they know: {', '.join(nearest)}"
    )


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")


def _check_groups(groups: Mapping[str, Sequence[str]]) -> None:
    for group, words in groups.items():
        if not words or len(set(words)) != len(words):
            raise ModelError(
                f"vocabulary: group {group} needs words, each of them once, got {', '.join(words) or 'none'}"
            )


def _read_vocabulary(path: Path) -> dict[str, list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise ValueError(f"format {content['format']}, version {content['version']}")
        return {str(group): [str(word) for word in words] for group, words in content["groups"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: is no vocabulary of conditions of version {_VERSION}: {error}") from error
