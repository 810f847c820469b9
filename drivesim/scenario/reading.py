"""A scenario file with its parents and with changes from the command line, before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..errors import Mistake, ScenarioError
from ..paths import find_config
from ..spelling import nearest
from ..yaml_places import Located, Location, Place, field_name, in_words, parse_yaml, plain_values, read_located
from .positions import extended, holds, parse_path, value_at, with_value


def read_document(path: Path, overrides: Sequence[str] = (), option: str = "--set ") -> tuple[Located, list[Mistake]]:
    """The file over its parents, changed; and the changes that cannot be.

    option: what stands before a change in messages. Files that are no YAML, and parents that are missing, raise
    ScenarioError.
    """
    document, mistakes = _with_parents(path, ()), []
    for text in overrides:
        place = Place(f"{option}{text}")
        try:
            location, value = parse_assignment(text)
        except ScenarioError as error:
            mistakes.append(place.mistake((), str(error)))
            continue
        wrong = _obstacle(document, location)
        if wrong is None:
            document = with_value(document, location, value, place)
        else:
            mistakes.append(place.mistake(*wrong))
    return document, mistakes


def parse_assignment(text: str) -> tuple[Location, Any]:
    """``path=value`` as a location and a plain value: one word or number of YAML, or [..] or {..}."""
    field, equals, written = text.partition("=")
    if not equals:
        raise ScenarioError("is not path=value, such as duration_s=5")
    location = parse_path(field)
    try:
        value = parse_yaml(written, "the value")
    except ScenarioError as error:
        problem = error.mistakes[0].problem if error.mistakes else str(error)
        raise ScenarioError(f"the value is not YAML: {problem}") from error
    if isinstance(value, CommentedMap | CommentedSeq) and written.lstrip()[:1] not in ("{", "["):
        raise ScenarioError(f"the value is read as {in_words(plain_values(value, ''))}. Put a text in quotes")
    return location, plain_values(value, "the value")


def _with_parents(path: Path, children: tuple[Path, ...]) -> Located:
    """A document over the one that it extends."""
    own = read_located(path)
    if "extends" not in own.data or own.data["extends"] is None:
        return own
    at: Location = ("extends",)
    place, name = own.place_of(at), own.data["extends"]
    if not isinstance(name, str):
        raise ScenarioError.of([place.mistake(at, f"expected a text, got {in_words(name)}")])
    try:
        parent = find_config("scenarios", name, folder=path.parent)
    except ScenarioError as error:
        raise ScenarioError.of([place.mistake(at, str(error))]) from error
    chain = (*children, path.resolve())
    if parent.resolve() in chain:
        raise ScenarioError.of([place.mistake(at, f"{name} extends this file in turn. Break the circle")])
    return extended(own, _with_parents(parent, chain))


def _obstacle(document: Located, location: Location) -> tuple[Location, str] | None:
    """Why a value cannot be put there, and where the way ends; keys that are missing are no obstacle."""
    if location[0] == "extends":
        return location, "can be set in the file only"
    variables = document.data.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    if location[0] == "variables" and len(location) == 2 and location[1] not in variables:
        known = f"Known: {', '.join(variables)}" if variables else "The file has none"
        return location, f"there is no such variable{nearest(str(location[1]), variables)}. {known}"
    for length, part in enumerate(location):
        around, node = location[:length], value_at(document.data, location[:length])
        if isinstance(part, int) and not holds(node, part):
            return location[: length + 1], _no_entry(document, around, node)
        if isinstance(part, str) and node is not None and not isinstance(node, dict):
            return around, f"is {in_words(node)}, which has no {part}"
    return None


def _no_entry(document: Located, around: Location, node: Any) -> str:
    name = field_name(around)
    if isinstance(node, list):
        return f"there is no such entry. {name} has {len(node)}, counted from 0"
    if node is not None:
        return f"there is no such entry. {name} is {in_words(node)}"
    outside = value_at(document.data, around[:-1])
    known = [str(key) for key in outside] if isinstance(outside, dict) else []
    return f"there is no such entry: the file has no {name}{nearest(str(around[-1]), known)}"
