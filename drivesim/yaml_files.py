"""YAML files checked against a pydantic model: all mistakes at once, each with file, line and column.

No conversions ("3" is not a number), unknown keys and words are refused with the nearest known one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .errors import Mistake, ScenarioError
from .spelling import nearest
from .yaml_places import Located, Location, in_words, read_located

_TYPES_IN_WORDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "finite_number": "a finite number",
}
_LIMITS_IN_WORDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


class FileModel(BaseModel):
    """Base of everything that a YAML file may hold: no unknown keys, no NaN, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FieldError(ValueError):
    """For validators that look at several fields: what is wrong, and with which field further down."""

    def __init__(self, location: Location, problem: str) -> None:
        self.location = location
        super().__init__(problem)


_Model = TypeVar("_Model", bound=FileModel)


def load_yaml(path: Path | str, model: type[_Model]) -> _Model:
    """Read a file as this model; a ScenarioError lists everything that is wrong with it."""
    document = read_located(Path(path))
    checked, mistakes = check(document, model)
    if checked is None:
        raise ScenarioError.of(mistakes)
    return checked


def check(document: Located, model: type[_Model]) -> tuple[_Model | None, list[Mistake]]:
    """The document as this model, or None and everything that is wrong with it."""
    try:
        return model.model_validate_json(json.dumps(document.data), strict=True), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [_mistake(document, model, details) for details in found if not _is_echo(details)]


# -- from pydantic's findings to sentences ---------------------------------------------------------


def _mistake(document: Located, model: type[BaseModel], details: ErrorDetails) -> Mistake:
    location = _without_members(model, details["loc"])
    if details["type"].startswith("union_tag"):
        location = (*location, "kind")
    if isinstance(error := details.get("ctx", {}).get("error"), FieldError):
        location = (*location, *error.location)
    at_key = details["type"] == "extra_forbidden" or details["loc"][-1:] == ("[key]",)
    return document.place_of(location, at_key).mistake(location, problem_in_words(model, details))


def _is_echo(details: ErrorDetails) -> bool:
    """A list is called too short as well when it is long enough but some of its items are wrong."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _without_members(model: type[BaseModel], location: Location) -> Location:
    """pydantic's location without the names of union members, which the file does not have."""
    found: list[str | int] = []
    annotation: Any = model
    for part in location:
        if part != "[key]" and not _is_member(annotation, part):
            found.append(part)
        annotation = _step(annotation, part)
    return tuple(found)


def problem_in_words(model: type[BaseModel], details: ErrorDetails) -> str:
    """What pydantic found, as the end of a sentence: what is wrong and what is allowed."""
    kind, context, got = details["type"], details.get("ctx", {}), details["input"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return _unknown("unknown key", str(details["loc"][-1]), _keys_at(model, details["loc"][:-1]))
    if kind == "union_tag_not_found":
        return f"is missing. Allowed: {', '.join(_kinds_at(model, details['loc']))}"
    if kind == "union_tag_invalid":
        return _unknown(f"{context['tag']!r} is unknown", context["tag"], _kinds_at(model, details["loc"]))
    if kind in {"literal_error", "enum"}:
        allowed = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        if got in allowed:
            return f"{in_words(got)} is a text. Allowed: {', '.join(allowed)}, without quotes"
        return _unknown(f"{in_words(got)} is unknown", str(got), allowed)
    if kind in _LIMITS_IN_WORDS:
        limit, words = _LIMITS_IN_WORDS[kind]
        return f"must be {words} {context[limit]:g}, got {in_words(got)}"
    if kind in _TYPES_IN_WORDS:
        return f"expected {_TYPES_IN_WORDS[kind]}, got {in_words(got)}"
    if kind in {"too_short", "too_long"}:
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"length must be {bound}, got {len(got)}"
    if kind == "string_too_short":
        return "must not be empty" if context["min_length"] == 1 else f"is too short, got {in_words(got)}"
    if kind == "string_pattern_mismatch" and (allowed_words := _description_at(model, details["loc"])):
        return f"{in_words(got)} does not fit. Allowed: {allowed_words.removesuffix('.')}"
    if kind == "value_error":
        return str(context["error"])
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}, got {in_words(got)}"


def _unknown(complaint: str, word: str, allowed: Sequence[str]) -> str:
    return f"{complaint}{nearest(word, allowed)}. Allowed: {', '.join(allowed)}"


# -- what a model allows at a place ----------------------------------------------------------------


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Keys allowed in the mapping at this place."""
    return [name for member in _models(_annotation_at(model, location)) for name in member.model_fields]


def _kinds_at(model: type[BaseModel], location: Location) -> list[str]:
    """Values that ``kind`` may take at this place."""
    return [kind for member in _models(_annotation_at(model, location)) for kind in _kinds(member)]


def _description_at(model: type[BaseModel], location: Location) -> str | None:
    """What the field, or the key of a dict, at this place is described as."""
    if location[-1] == "[key]":
        key_type = get_args(_annotation_at(model, location[:-2]))[0]
        return next((info.description for info in get_args(key_type)[1:] if isinstance(info, FieldInfo)), None)
    fields = [member.model_fields.get(str(location[-1])) for member in _models(_annotation_at(model, location[:-1]))]
    return next((field.description for field in fields if field is not None), None)


def _annotation_at(annotation: Any, location: Location) -> Any:
    for part in location:
        annotation = _step(annotation, part)
    return annotation


def _step(annotation: Any, part: str | int) -> Any:
    """The annotation one part of a location further down; Any where the model does not reach."""
    models = _models(annotation)
    if len(models) > 1:
        return next((member for member in models if part in _kinds(member)), Any)
    if models:
        field = models[0].model_fields.get(str(part))
        return field.annotation if field else Any
    container = next((member for member in _members(annotation) if get_origin(member)), None)
    if container is None:
        return Any
    return get_args(container)[-1 if get_origin(container) is dict else 0]


def _is_member(annotation: Any, part: str | int) -> bool:
    """Whether a part of a location chooses among the members of a union rather than going further down."""
    models = _models(annotation)
    return len(models) > 1 and any(part in _kinds(member) for member in models)


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [member for member in _members(annotation) if isinstance(member, type) and issubclass(member, BaseModel)]


def _members(annotation: Any) -> list[Any]:
    """Members of a union, itself for anything else."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for member in get_args(annotation) for inner in _members(member)]
    return [annotation]


def _kinds(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
