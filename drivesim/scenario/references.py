"""What is wrong between parts of a scenario file that are fine each: names without an owner, times after the end.

It looks at the file's plain values, so that these mistakes are told together with all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeAlias, get_args

from ..errors import Mistake
from ..spelling import nearest
from ..yaml_places import Located, Location
from .positions import value_at
from .schema import ScenarioFile
from .schema_actors import CutIn, CutOut, EgoChangeLane, HardBrake, Jaywalk, Overtake, UTurn
from .schema_sources import RoadSource

_Problem: TypeAlias = tuple[Location, str]
_USUAL_START_S = {
    get_args(model.model_fields["kind"].annotation)[0]: model.model_fields["at_s"].default
    for model in (CutIn, CutOut, HardBrake, Overtake, UTurn, Jaywalk, EgoChangeLane)
}


def contradictions(document: Located) -> list[Mistake]:
    """Everything of that kind; what has the wrong type is passed over, as the schema complains about it."""
    data = document.data
    actors = _dicts(data, "actors")
    problems = [
        *_unlike_ids(document, actors, "actors"),
        *_unlike_ids(document, [edit for edit in _dicts(data, "edits") if _adds(edit[1])], "edits"),
        *_hiding(data, actors),
        *_subject(data, actors),
        *_edited_actors(data, actors),
        *_ego(data),
        *_late(data, actors),
        *_out_of_order(data, actors),
        *_undeclared(data),
    ]
    return [document.place_of(location).mistake(location, problem) for location, problem in problems]


def _unlike_ids(document: Located, owners: list[tuple[int, dict[str, Any]]], of: str) -> Iterator[_Problem]:
    first: dict[str, Location] = {}
    for index, owner in owners:
        name, at = owner.get("id"), (of, index, "id")
        if not isinstance(name, str):
            continue
        if of == "actors" and name == "ego":
            yield at, "'ego' is the recording vehicle. Give the actor another id"
        elif name in first:
            yield at, f"{name!r} is there already, at {document.place_of(first[name])}. Give each its own id"
        first.setdefault(name, at)


def _hiding(data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]]) -> Iterator[_Problem]:
    for index, actor in actors:
        behind, at = value_at(actor, ("behaviour", "behind")), ("actors", index, "behaviour", "behind")
        if isinstance(behind, str) and behind == actor.get("id"):
            yield at, f"{behind!r} cannot hide itself. Name another actor"
        elif isinstance(behind, str):
            yield from _unknown_actor(data, actors, at, behind)


def _subject(data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]]) -> Iterator[_Problem]:
    if isinstance(about := data.get("about"), str):
        yield from _unknown_actor(data, actors, ("about",), about)


def _edited_actors(data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]]) -> Iterator[_Problem]:
    for index, edit in _dicts(data, "edits"):
        if isinstance(name := edit.get("actor"), str):
            yield from _unknown_actor(data, actors, ("edits", index, "actor"), name)
        for number, name in enumerate(_list(edit, "actors")):
            if isinstance(name, str):
                yield from _unknown_actor(data, actors, ("edits", index, "actors", number), name)


def _unknown_actor(
    data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]], at: Location, name: str
) -> Iterator[_Problem]:
    """Logs and traffic have actors that only building them knows: then any name may be right."""
    known = [str(actor["id"]) for _, actor in actors if "id" in actor]
    has_others = value_at(data, ("source", "kind")) not in ("road", "opendrive") or data.get("traffic") is not None
    if name in known or has_others or (name == "ego" and at == ("about",)):
        return
    added = f"Added: {', '.join(known)}" if known else "The file adds none"
    yield at, f"there is no actor {name!r}{nearest(name, known)}. {added}"


def _ego(data: dict[str, Any]) -> Iterator[_Problem]:
    kind, ego = value_at(data, ("source", "kind")), data.get("ego")
    if not isinstance(ego, dict) or kind not in ("log", "opendrive", "road"):
        return
    if kind != "log" and value_at(ego, ("behaviour", "kind")) == "recorded":
        yield ("ego", "behaviour", "kind"), "'recorded' is for logs. Allowed here: drive, change_lane, profile"
    lanes, lane = value_at(data, ("source", "lanes")), ego.get("lane")
    lanes = RoadSource.model_fields["lanes"].default if lanes is None else lanes
    if kind == "road" and isinstance(lanes, int) and isinstance(lane, int) and lane >= lanes > 0:
        yield ("ego", "lane"), f"must be below source.lanes, which is {lanes}, got {lane}"


def _late(data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]]) -> Iterator[_Problem]:
    """What would begin when the scenario is over."""
    end_s = data.get("duration_s", ScenarioFile.model_fields["duration_s"].default)
    doing: list[Location] = [("ego", "behaviour"), *(("actors", index, "behaviour") for index, _ in actors)]
    for at in doing:
        behaviour = value_at(data, at)
        if not isinstance(behaviour, dict):
            continue
        at_s = behaviour.get("at_s", _USUAL_START_S.get(str(behaviour.get("kind"))))
        if _is_number(at_s) and _is_number(end_s) and at_s >= end_s > 0:
            yield (*at, "at_s"), f"must be before the end (duration_s: {end_s:g}), got {at_s:g}"


def _out_of_order(data: dict[str, Any], actors: list[tuple[int, dict[str, Any]]]) -> Iterator[_Problem]:
    """Points and phases that do not come later than the one before."""
    lists: list[Location] = [("ego", "behaviour", "points")]
    lists += [("actors", index, "behaviour", "points") for index, _ in actors]
    lists += [("edits", index, "phases") for index, _ in _dicts(data, "edits")]
    for at in lists:
        items = value_at(data, at)
        times = [value_at(item, ("at_s",)) for item in items] if isinstance(items, list) else []
        for index, (before_s, at_s) in enumerate(pairwise(times), start=1):
            if _is_number(before_s) and _is_number(at_s) and at_s <= before_s:
                yield (*at, index, "at_s"), f"must be after the one before ({before_s:g}), got {at_s:g}"


def _undeclared(data: dict[str, Any]) -> Iterator[_Problem]:
    declared = data.get("variables") or {}
    varied = value_at(data, ("vary", "variables"))
    if not isinstance(varied, dict) or not isinstance(declared, dict):
        return
    for name in varied:
        if name not in declared:
            advice = f"Known: {', '.join(declared)}; or give it a value" if declared else "Give it a value"
            yield (
                ("vary", "variables", name),
                f"there is no variable {name!r}{nearest(name, declared)}. {advice} under variables",
            )


def _adds(edit: dict[str, Any]) -> bool:
    return edit.get("kind") in ("add_line", "add_sign")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(node: dict[str, Any], key: str) -> list[Any]:
    found = node.get(key)
    return found if isinstance(found, list) else []


def _dicts(node: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    return [(index, item) for index, item in enumerate(_list(node, key)) if isinstance(item, dict)]
