"""YAML files as plain values, together with where each of them is written.

YAML 1.2, no implicit conversions: ``no`` is a word, ``012`` is twelve, a key may stand there once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .errors import Mistake, ScenarioError

Location: TypeAlias = tuple[str | int, ...]
"""Keys and indices on the way to a value, such as ("actors", 0, "id")."""

_MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: line and column from 1; 0 where there are no lines, as on the command line."""

    file: Path | str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else f"{self.file}"

    def mistake(self, location: Location, problem: str) -> Mistake:
        """What is wrong here with the value at a location."""
        return Mistake(self.file, self.line, self.column, field_name(location), problem)


@dataclass(frozen=True)
class Located:
    """A document as JSON has it, and the places of its keys and values.

    values: numbers and words are placed at themselves, everything larger at its key.
    """

    data: dict[str, Any]
    keys: Mapping[Location, Place]
    values: Mapping[Location, Place]
    file: Path

    def place_of(self, location: Location, at_key: bool = False) -> Place:
        """The place of a value or its key, or the key of the nearest thing around it that has one."""
        if location in self.values and not at_key:
            return self.values[location]
        around = (location[:length] for length in range(len(location), 0, -1))
        return next((self.keys[one] for one in around if one in self.keys), Place(self.file, 1, 1))


def field_name(location: Location) -> str:
    """("actors", 0, "id") as ``actors[0].id``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def in_words(value: Any) -> str:
    """A value in the words of YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys with values"
    return "a list" if isinstance(value, list | tuple) else repr(value)


def read_located(path: Path) -> Located:
    """Read a YAML file that holds keys with values."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    return locate(text, path)


def locate(text: str, file: Path) -> Located:
    """The same of a text that stands, or is to stand, in a file."""
    document = parse_yaml(text, file)
    if not isinstance(document, CommentedMap):
        problem = f"expected keys with values, got {in_words(document)}"
        raise ScenarioError.of([Place(file, 1, 1).mistake((), problem)])
    reader = _Reader(file, {}, {})
    return Located(reader.plain(document), reader.keys, reader.values, file)


def parse_yaml(text: str, file: Path | str) -> Any:
    """The one document of a text, as ruamel has it."""
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        problem = (error.problem or error.context or "is not YAML").splitlines()[0]
        raise ScenarioError.of([place.mistake((), problem)]) from error
    except (YAMLError, ValueError) as error:  # ValueError: a date with a thirteenth month and the like
        raise ScenarioError(f"{file}: is not YAML: {error}") from error
    except RecursionError as error:
        raise ScenarioError(f"{file}: is nested too deeply") from error


def plain_values(document: Any, file: Path | str) -> Any:
    """What ruamel parsed, as JSON has it: keys are texts, what JSON has no type for becomes text."""
    return _Reader(file, {}, {}).plain(document)


@dataclass
class _Reader:
    """Turns ruamel's document into plain values and notes where they are."""

    file: Path | str
    keys: dict[Location, Place]
    values: dict[Location, Place]
    count: int = 0

    def plain(self, node: Any, at: Location = (), inside: tuple[int, ...] = ()) -> Any:
        self.count += 1
        if self.count > _MOST_VALUES:
            raise ScenarioError(f"{self.file}: holds more than {_MOST_VALUES:,} values, those of aliases included")
        if isinstance(node, CommentedMap | CommentedSeq):
            if id(node) in inside:
                raise ScenarioError(f"{self.file}: an alias (*name) contains itself")
            inside = (*inside, id(node))
        if isinstance(node, CommentedMap):
            return {str(key): self._member(node, key, value, at, inside) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [self._item(node, index, value, at, inside) for index, value in enumerate(node)]
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, int):
            return int(node)
        return float(node) if isinstance(node, float) else str(node)

    def _member(self, node: CommentedMap, key: Any, value: Any, at: Location, inside: tuple[int, ...]) -> Any:
        inner = (*at, str(key))
        own, of_value = _marked(node, key)
        if own is not None and of_value is not None:
            is_larger = isinstance(value, CommentedMap | CommentedSeq)
            self.keys[inner] = self._place(own)
            self.values[inner] = self._place(own if is_larger else of_value)
        return self.plain(value, inner, inside)

    def _item(self, node: CommentedSeq, index: int, value: Any, at: Location, inside: tuple[int, ...]) -> Any:
        inner = (*at, index)
        self.keys[inner] = self.values[inner] = self._place(node.lc.item(index))
        return self.plain(value, inner, inside)

    def _place(self, mark: tuple[int, int]) -> Place:
        return Place(self.file, mark[0] + 1, mark[1] + 1)


def _marked(node: CommentedMap, key: Any) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Marks of a key and of its value; those that an alias merged in have none."""
    try:
        return node.lc.key(key), node.lc.value(key)
    except KeyError:
        return None, None
