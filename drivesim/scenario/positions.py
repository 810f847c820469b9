"""Paths into scenario files, and files merged and changed with the place of every value kept."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ScenarioError
from ..yaml_places import Located, Location, Place

_PART = re.compile(r"""(?:^|\.)([A-Za-z_][\w-]*)|\[(\d+)\]|\["([^"]+)"\]""")
_Places = dict[Location, Place]


def parse_path(text: str) -> Location:
    """``actors[0].id`` as ("actors", 0, "id"); keys with dots or blanks in them as ``prompts.cameras["a b"]``."""
    parts = list(_PART.finditer(text))
    if not text or text[0] == "." or "".join(part[0] for part in parts) != text:
        raise ScenarioError(f"{text!r} names no field. Write it like actors[0].behaviour.gap_m")
    return tuple(int(part[2]) if part[2] else part[1] or part[3] for part in parts)


def extended(child: Located, parent: Located) -> Located:
    """The parent with what the child says: mappings are merged, unless they are of another kind; the rest replaced."""
    keys, values = dict(parent.keys), dict(parent.values)
    data = _merged(parent.data, child.data, (), keys, values)
    return Located(data, keys | dict(child.keys), values | dict(child.values), child.file)


def with_value(document: Located, location: Location, value: Any, place: Place) -> Located:
    """The document with one value changed or added, mappings on the way to it too; its list must be there."""
    keys, values = dict(document.keys), dict(document.values)
    _forget(location, keys, values)
    for length in range(1, len(location) + 1):
        keys.setdefault(location[:length], place)
        values.setdefault(location[:length], place)
    return Located(_replaced(document.data, location, value), keys, values, document.file)


def value_at(data: Any, location: Location) -> Any:
    """The value at a location, None where there is none."""
    for part in location:
        if not holds(data, part):
            return None
        data = data[part]
    return data


def holds(node: Any, part: str | int) -> bool:
    """Whether a mapping has this key, or a list this index."""
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and part < len(node)


def _merged(parent: dict[str, Any], child: dict[str, Any], at: Location, keys: _Places, values: _Places) -> Any:
    result = dict(parent)
    for key, value in child.items():
        inner, old = (*at, key), parent.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and value.get("kind", old.get("kind")) == old.get("kind"):
            result[key] = _merged(old, value, inner, keys, values)
        else:  # another kind of thing has other fields: nothing of the old one stays
            _forget(inner, keys, values)
            result[key] = value
    return result


def _forget(at: Location, keys: _Places, values: _Places) -> None:
    for places in (keys, values):
        for location in [location for location in places if location[: len(at)] == at]:
            del places[location]


def _replaced(node: Any, at: Location, value: Any) -> Any:
    if not at:
        return value
    copy: Any = list(node) if isinstance(node, list) else dict(node or {})
    copy[at[0]] = _replaced(copy[at[0]] if holds(copy, at[0]) else None, at[1:], value)
    return copy
