"""Scenario files: one parent, variables, changes from the command line, and all mistakes at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import Mistake, ScenarioError
from ..paths import find_config
from ..yaml_files import check
from ..yaml_places import Located, Location, field_name
from .positions import parse_path
from .reading import read_document
from .references import contradictions
from .schema import ScenarioFile
from .schema_variations import VaryFile
from .variables import Substituted, Variable, substitute, written_out
from .variations import variation_name, variations

_OF_THE_FILE = {"extends", "vary", "variables"}
_WORDS_ABOUT_IT = {"name", "description"}


@dataclass(frozen=True, eq=False)
class Scenario:
    """One concrete scenario.

    name: stable: the file's, and for a variation its values and a hash. file: what it says, checked.
    folder: where relative paths of the file start. values: of its variables. source: for places in the YAML.
    """

    name: str
    file: ScenarioFile
    folder: Path
    values: Mapping[str, Variable]
    source: Located

    @cached_property
    def content(self) -> dict[str, Any]:
        """All it says, with defaults and without variables, as JSON has it."""
        return self.file.model_dump(mode="json", exclude=_OF_THE_FILE)

    @cached_property
    def digest(self) -> str:
        """A hash of all it says but its name and description; the same wherever and however it is written."""
        said = {key: value for key, value in self.content.items() if key not in _WORDS_ABOUT_IT}
        return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=False).encode()).hexdigest()

    def place_of(self, field: str) -> str:
        """``file:line:column`` of a field such as ``actors[0].behaviour``, or of what is around it."""
        return str(self.source.place_of(parse_path(field)))

    def folder_of(self, field: str) -> Path:
        """Where a relative path in this field starts: the folder of the file that says it, a parent's or its own.

        For what the command line says it is the working folder.
        """
        place = self.source.place_of(parse_path(field))
        return place.file.parent if isinstance(place.file, Path) else Path()


def load_scenario(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario in a file, which must not vary. overrides: ``path=value``, see ``load_scenarios``."""
    found = load_scenarios(name_or_path, overrides)
    if len(found) > 1:
        place = found[0].place_of("vary")
        raise ScenarioError(
            f"{place}  vary: makes {len(found):,} scenarios, and one is needed here. Take the variables' own values "
            f"with --set vary=null, or leave out vary"
        )
    return found[0]


def load_scenarios(
    name_or_path: str | Path, overrides: Sequence[str] = (), option: str = "--set "
) -> tuple[Scenario, ...]:
    """All scenarios of a file: one, or one for every combination that ``vary`` asks for.

    name_or_path: a built-in name or a YAML file. overrides: ``actors[0].behaviour.gap_m=5`` and the like, YAML values.
    option: what to call them by in messages. All mistakes are in one ScenarioError, each with its place.
    """
    path = find_config("scenarios", name_or_path)
    document, mistakes = read_document(path, overrides, option)
    own = _variables(document)
    file, substituted, found = _checked(document, own)
    mistakes += [*found, *_idle(document, file, substituted)]
    if file is None or mistakes:
        raise ScenarioError.of(mistakes)
    named = _named(file, path.stem)
    base = Scenario(str(named.name), named, path.parent, own, document)
    return (base,) if file.vary is None else _varied(base, file.vary)


def _varied(base: Scenario, vary: VaryFile) -> tuple[Scenario, ...]:
    """The scenario once for every combination of values."""
    found: dict[str, Scenario] = {}
    mistakes: dict[str, list[Mistake]] = {}
    for values in variations(vary):
        file, substituted, wrong = _checked(base.source, {**base.values, **values})
        if file is None or wrong:
            for mistake in wrong:
                mistakes.setdefault(mistake.field, []).append(_with_values(mistake, substituted, values))
            continue
        named = _named(file, base.name)
        one = replace(base, file=named, values={**base.values, **values})
        one = replace(one, name=variation_name(str(named.name), values, one.digest))
        if one.digest in found:
            mistakes.setdefault("vary", [_twice(base, found[one.digest], one, vary)])
        found[one.digest] = one
    if mistakes:
        raise ScenarioError.of([_with_count(list(dict.fromkeys(alike))) for alike in mistakes.values()])
    return tuple(found.values())


def _idle(document: Located, file: ScenarioFile | None, substituted: Substituted) -> list[Mistake]:
    """Variables that vary but stand nowhere."""
    if file is None or file.vary is None:
        return []
    used = {name for names in substituted.uses.values() for name in names}
    idle = [name for name in file.vary.variables if name in file.variables and name not in used]
    places: list[Location] = [("vary", "variables", name) for name in idle]
    return [document.place_of(at).mistake(at, f"changes nothing: ${{{at[-1]}}} stands in no field") for at in places]


def _checked(
    document: Located, variables: Mapping[str, Variable]
) -> tuple[ScenarioFile | None, Substituted, list[Mistake]]:
    """The file with these values, and all that is wrong with it; what an unknown variable spoils is told once."""
    substituted = substitute(document, variables)
    concrete = replace(document, data=substituted.data)
    file, wrong = check(concrete, ScenarioFile)
    spoilt = {mistake.field for mistake in substituted.mistakes}
    wrong = [mistake for mistake in (*wrong, *contradictions(concrete)) if mistake.field not in spoilt]
    return file, substituted, [*substituted.mistakes, *wrong]


def _variables(document: Located) -> dict[str, Variable]:
    variables = document.data.get("variables")
    return variables if isinstance(variables, dict) else {}


def _named(file: ScenarioFile, name: str) -> ScenarioFile:
    return file if file.name is not None else file.model_copy(update={"name": name})


def _with_values(mistake: Mistake, substituted: Substituted, values: Mapping[str, Variable]) -> Mistake:
    """The mistake with the values that cause it: those used at its place, else all."""
    uses = {field_name(at): names for at, names in substituted.uses.items()}
    used = [name for name in uses.get(mistake.field, ()) if name in values] or list(values)
    said = _said({name: values[name] for name in used})
    return replace(mistake, problem=f"{mistake.problem} (with {said})")


def _with_count(alike: list[Mistake]) -> Mistake:
    """The first of mistakes in one field, and how many there are."""
    more = f"; and {len(alike) - 1:,} more like it" if len(alike) > 1 else ""
    return replace(alike[0], problem=f"{alike[0].problem}{more}")


def _twice(base: Scenario, first: Scenario, second: Scenario, vary: VaryFile) -> Mistake:
    said = [_said({name: one.values[name] for name in vary.variables}) for one in (first, second)]
    return base.source.place_of(("vary",)).mistake(("vary",), f"makes the same scenario of {said[0]} and of {said[1]}")


def _said(values: Mapping[str, Variable]) -> str:
    return ", ".join(f"{name}={written_out(value)}" for name, value in values.items())
