"""Plain values of YAML files together with where each was written, also when files are merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..yaml_files import parse_yaml, plain_values

Location: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where something was written: line and column from 1; 0 for the command line, which has none."""

    file: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else f"{self.file}"


@dataclass(frozen=True)
class Located:
    """A document as JSON has it, and the places of its keys and values by location, such as ("actors", 0, "id")."""

    data: dict[str, Any]
    keys: Mapping[Location, Place]
    values: Mapping[Location, Place]
    file: Path

    def merged_over(self, parent: Located) -> Located:
        """This document with what only the parent has: mappings are merged, anything else is replaced."""
        keys, values = dict(parent.keys), dict(parent.values)
        data = _merged(parent.data, self.data, (), keys, values)
        return Located(data, keys | dict(self.keys), values | dict(self.values), self.file)

    def with_value(self, location: Location, value: Any, place: Place) -> Located:
        """The same with one value changed or added; its mapping or list must be there."""
        keys, values = dict(self.keys), dict(self.values)
        _forget(location, keys, values)
        keys[location] = values[location] = place
        return Located(_replaced(self.data, location, value), keys, values, self.file)

    def place_of(self, location: Location, at_key: bool = False) -> Place:
        """The place of a value, or of the nearest thing around it that has one."""
        for length in range(len(location), 0, -1):
            own = location[:length]
            first, second = (self.keys, self.values) if at_key or length < len(location) else (self.values, self.keys)
            if own in first:
                return first[own]
            if own in second:
                return second[own]
        return Place(self.file, 1, 1)


def read_located(path: Path) -> Located:
    """Read a YAML file."""
    document = parse_yaml(path)
    keys: dict[Location, Place] = {}
    values: dict[Location, Place] = {}
    _note(document, (), path, keys, values)
    return Located(plain_values(path, document), keys, values, path)


def field_name(location: Location) -> str:
    """("actors", 0, "id") as ``actors[0].id``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _note(node: Any, at: Location, file: Path, keys: dict[Location, Place], values: dict[Location, Place]) -> None:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            inner = (*at, str(key))
            for mark_of, places in ((node.lc.key, keys), (node.lc.value, values)):
                try:
                    line, column = mark_of(key)
                except KeyError:  # merged in from an alias
                    continue
                places[inner] = Place(file, line + 1, column + 1)
            _note(value, inner, file, keys, values)
    elif isinstance(node, CommentedSeq):
        for index, value in enumerate(node):
            line, column = node.lc.item(index)
            keys[*at, index] = values[*at, index] = Place(file, line + 1, column + 1)
            _note(value, (*at, index), file, keys, values)


def _merged(
    parent: dict[str, Any],
    child: dict[str, Any],
    at: Location,
    keys: dict[Location, Place],
    values: dict[Location, Place],
) -> dict[str, Any]:
    result = dict(parent)
    for key, value in child.items():
        inner = (*at, key)
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        if both and value.get("kind", parent[key].get("kind")) == parent[key].get("kind"):
            result[key] = _merged(parent[key], value, inner, keys, values)
        else:  # another kind of thing has other fields: nothing of the old one stays
            _forget(inner, keys, values)
            result[key] = value
    return result


def _forget(at: Location, keys: dict[Location, Place], values: dict[Location, Place]) -> None:
    for places in (keys, values):
        for location in [location for location in places if location[: len(at)] == at]:
            del places[location]


def _replaced(node: Any, at: Location, value: Any) -> Any:
    if not at:
        return value
    part, rest = at[0], at[1:]
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[part] = _replaced(copy[part] if rest else None, rest, value)  # type: ignore[index]
    return copy
