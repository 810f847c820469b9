"""Scenario files: one parent, variables, changes from the command line, and all mistakes at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..errors import Mistake, ScenarioError
from ..paths import find_config
from ..spelling import nearest
from ..yaml_files import is_echo, problem_in_words
from .positions import Located, Location, Place, field_name, read_located
from .schema import ScenarioFile, VaryFile
from .variations import variation_name, variations

_VARIABLE = re.compile(r"\$(\$)?\{(\w+)\}")
_PATH = re.compile(r"(?:^|\.)([A-Za-z_]\w*)|\[(\d+)\]")
_NOT_SUBSTITUTED = ("variables", "vary")


@dataclass(frozen=True, eq=False)
class Scenario:
    """One concrete scenario.

    name: stable: the file's, and for a variation its values and a hash. file: what it says, checked.
    folder: where relative paths start. values: of the variables that vary. source: for places in the YAML.
    """

    name: str
    file: ScenarioFile
    folder: Path
    values: dict[str, Any]
    source: Located

    @property
    def content(self) -> dict[str, Any]:
        """All it says, with defaults, as JSON has it."""
        return self.file.model_dump(mode="json", exclude={"vary", "variables"})

    @property
    def digest(self) -> str:
        """A hash of all it says."""
        return _digest(self.content)

    def place_of(self, field: str) -> str:
        """``file:line:column`` of a field such as ``actors[0].behaviour``, or of what is around it."""
        return str(self.source.place_of(parse_path(field)))


def load_scenario(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario in a file, which must not vary. overrides: ``path=value``, see ``load_scenarios``."""
    found = load_scenarios(name_or_path, overrides)
    if len(found) > 1:
        raise ScenarioError(
            f"{name_or_path}: varies into {len(found)} scenarios, and one is needed here. Leave out vary"
        )
    return found[0]


def load_scenarios(name_or_path: str | Path, overrides: Sequence[str] = ()) -> tuple[Scenario, ...]:
    """All scenarios of a file: one, or one for every combination that ``vary`` asks for.

    name_or_path: a built-in name or a YAML file. overrides: ``actors[0].behaviour.gap_m=5`` and the like, YAML values.
    All mistakes of the file are in one ScenarioError, each with file, line and column.
    """
    path = find_config("scenarios", name_or_path)
    document = _with_parents(path, ())
    for text in overrides:
        document = _overridden(document, text)
    name = str(document.data.get("name") or path.stem)
    vary = _vary(document)
    if vary is None:
        return (_concrete(document, name, path.parent, {}),)
    return tuple(_concrete(document, name, path.parent, values) for values in variations(vary))


def parse_path(text: str) -> Location:
    """``actors[0].id`` as ("actors", 0, "id")."""
    parts = list(_PATH.finditer(text))
    if not text or "".join(part[0] for part in parts) != text:
        raise ScenarioError(f"{text!r} names no field. Write it like actors[0].behaviour.gap_m")
    return tuple(part[1] if part[1] is not None else int(part[2]) for part in parts)


def parse_assignment(text: str) -> tuple[Location, Any]:
    """``path=value`` as a location and a plain value."""
    field, equals, written = text.partition("=")
    if not equals:
        raise ScenarioError(f"--set {text}: is not path=value, such as duration_s=5")
    try:
        value = YAML(typ="safe", pure=True).load(written)
    except YAMLError as error:
        raise ScenarioError(f"--set {text}: the value is not YAML") from error
    return parse_path(field), value


def _with_parents(path: Path, children: tuple[Path, ...]) -> Located:
    """A document merged over the one that it extends."""
    own = read_located(path)
    parent = own.data.get("extends")
    if parent is None:
        return own
    place = own.place_of(("extends",))
    if not isinstance(parent, str):
        raise ScenarioError(f"{place}  extends: expected a text, the name of a scenario or a file")
    if path.resolve() in children:
        raise ScenarioError(f"{place}  extends: {parent} extends this file, which goes round in circles")
    beside = path.parent / parent
    try:
        parent_path = beside if beside.is_file() else find_config("scenarios", parent)
    except ScenarioError as error:
        raise ScenarioError(f"{place}  extends: {error}") from error
    merged = own.merged_over(_with_parents(parent_path, (*children, path.resolve())))
    data = {key: value for key, value in merged.data.items() if key != "extends"}
    return Located(data, merged.keys, merged.values, merged.file)


def _overridden(document: Located, text: str) -> Located:
    location, value = parse_assignment(text)
    node: Any = document.data
    for depth, part in enumerate(location[:-1]):
        if not isinstance(node, dict | list) or not _holds(node, part):
            known = [str(key) for key in node] if isinstance(node, dict) else []
            where = field_name(location[: depth + 1])
            raise ScenarioError(f"--set {text}: there is no {where} in the file{nearest(str(part), known)}")
        node = node[part]  # type: ignore[index]
    if isinstance(node, list) and not (isinstance(location[-1], int) and location[-1] < len(node)):
        raise ScenarioError(f"--set {text}: {field_name(location[:-1])} has {len(node)} entries, counted from 0")
    return document.with_value(location, value, Place(Path(f"--set {text}")))


def _vary(document: Located) -> VaryFile | None:
    if document.data.get("vary") is None:
        return None
    try:
        vary = VaryFile.model_validate_json(json.dumps(document.data["vary"]), strict=True)
    except ValidationError:
        return None  # the whole document is checked next, and says so with everything else
    for name in vary.variables:
        known = document.data.get("variables") or {}
        if name not in known:
            place = document.place_of(("vary", "variables", name), at_key=True)
            raise ScenarioError(
                f"{place}  vary.variables.{name}: there is no such variable{nearest(name, list(known))}. "
                f"Give it a value under variables"
            )
    return vary


def _concrete(document: Located, name: str, folder: Path, values: dict[str, Any]) -> Scenario:
    variables = {**(document.data.get("variables") or {}), **values}
    mistakes: list[Mistake] = []
    data = {
        key: value if key in _NOT_SUBSTITUTED else _substituted(value, (key,), variables, document, mistakes)
        for key, value in document.data.items()
    }
    file = _checked(document, data, mistakes)
    scenario = Scenario(name, file, folder, values, document)
    if not values:
        return scenario
    return Scenario(variation_name(name, values, scenario.content), file, folder, values, document)


def _substituted(node: Any, at: Location, variables: dict[str, Any], document: Located, mistakes: list[Mistake]) -> Any:
    """The same with ``${name}`` replaced: a text that is nothing else takes the variable's type."""
    if isinstance(node, dict):
        return {key: _substituted(value, (*at, key), variables, document, mistakes) for key, value in node.items()}
    if isinstance(node, list):
        return [_substituted(value, (*at, i), variables, document, mistakes) for i, value in enumerate(node)]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> Any:
        if match[1]:
            return match[0][1:]
        if match[2] not in variables:
            place, close = document.place_of(at), nearest(match[2], list(variables))
            problem = f"there is no variable {match[2]!r}{close}"
            mistakes.append(Mistake(place.file, place.line, place.column, field_name(at), problem))
            return match[0]
        return variables[match[2]]

    whole = _VARIABLE.fullmatch(node)
    return value_of(whole) if whole else _VARIABLE.sub(lambda match: str(value_of(match)), node)


def _checked(document: Located, data: dict[str, Any], mistakes: list[Mistake]) -> ScenarioFile:
    try:
        file = ScenarioFile.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        unknown_variables = {(mistake.file, mistake.line, mistake.column) for mistake in mistakes}
        for details in error.errors(include_url=False):
            if is_echo(details):
                continue
            at_key = details["type"] == "extra_forbidden"
            location = _in_file(data, details["loc"], details["type"])
            place = document.place_of(location, at_key)
            if (place.file, place.line, place.column) in unknown_variables:
                continue  # it is wrong because its variable is unknown
            problem = problem_in_words(ScenarioFile, details)
            mistakes.append(Mistake(place.file, place.line, place.column, field_name(location), problem))
    if mistakes:
        raise ScenarioError.of(mistakes)
    return file


def _in_file(data: Any, location: Location, kind: str) -> Location:
    """pydantic's location without the names of union members, which the file does not have."""
    found: list[str | int] = []
    node = data
    for depth, part in enumerate(location):
        if isinstance(node, dict | list) and _holds(node, part):
            node = node[part]  # type: ignore[index]
        elif depth < len(location) - 1 or isinstance(node, list):
            continue
        found.append(part)
    if kind.startswith("union_tag"):
        found.append("kind")
    return tuple(found)


def _holds(node: dict[str, Any] | list[Any], part: str | int) -> bool:
    return part in node if isinstance(node, dict) else isinstance(part, int) and part < len(node)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
