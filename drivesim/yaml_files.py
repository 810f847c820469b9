"""YAML files checked against a pydantic model: all mistakes at once, each with file, line and column.

YAML 1.2, no implicit conversions (``no`` is a word, "3" is not a number), unknown keys refused with the
nearest known one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .errors import Mistake, ScenarioError
from .spelling import nearest

_Location = tuple[str | int, ...]

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


_Model = TypeVar("_Model", bound=FileModel)


def load_yaml(path: Path | str, model: type[_Model]) -> _Model:
    """Read a file as this model; a ScenarioError lists everything that is wrong with it."""
    path = Path(path)
    document = parse_yaml(path)
    try:
        return model.model_validate_json(json.dumps(plain_values(path, document)), strict=True)
    except ValidationError as error:
        found = [details for details in error.errors(include_url=False) if not is_echo(details)]
        mistakes = [_mistake(path, document, model, details) for details in found]
        raise ScenarioError.of(mistakes) from error


def parse_yaml(path: Path) -> CommentedMap:
    """The document with the position of every key and value."""
    try:
        document = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except MarkedYAMLError as error:
        raise ScenarioError.of([_syntax_mistake(path, error)]) from error
    except YAMLError as error:
        raise ScenarioError(f"{path}: is not YAML: {error}") from error
    if not isinstance(document, CommentedMap):
        raise ScenarioError.of([Mistake(path, 1, 1, "", f"expected keys with values, got {_shown(document)}")])
    return document


def _syntax_mistake(path: Path, error: MarkedYAMLError) -> Mistake:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Mistake(path, line, column, "", (error.problem or error.context or "is not YAML").splitlines()[0])


def plain_values(path: Path, document: CommentedMap) -> Any:
    """The document as JSON has it: keys are texts, what JSON has no type for becomes text."""

    def plain(node: Any) -> Any:
        if isinstance(node, CommentedMap):
            return {str(key): plain(value) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [plain(value) for value in node]
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, int):
            return int(node)
        return float(node) if isinstance(node, float) else str(node)

    try:
        return plain(document)
    except RecursionError as error:
        raise ScenarioError(f"{path}: an alias (*name) contains itself") from error


# -- from pydantic's findings to sentences ---------------------------------------------------------


def _mistake(path: Path, document: CommentedMap, model: type[BaseModel], details: ErrorDetails) -> Mistake:
    location = details["loc"]
    if details["type"].startswith("union_tag"):
        location = (*location, "kind")
    position, field = _locate(document, location, at_key=details["type"] == "extra_forbidden")
    return Mistake(path, *position, field, problem_in_words(model, details))


def is_echo(details: ErrorDetails) -> bool:
    """A list is called too short as well when it is long enough but some of its items are wrong."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _locate(document: CommentedMap, location: _Location, at_key: bool) -> tuple[tuple[int, int], str]:
    """Line and column (from 1) and the field in words of what pydantic calls ``location``.

    Numbers and words are placed at themselves, everything larger (and with ``at_key`` anything) at its key,
    what is missing at the mapping that should have it. Names of union members are part of pydantic's location
    but not of the file: they are passed over.
    """
    node, position, field = document, (1, 1), ""
    for depth, part in enumerate(location):
        is_last = depth == len(location) - 1
        if isinstance(node, CommentedMap) and part in (keys := {str(key): key for key in node}):
            key = keys[str(part)]
            larger = isinstance(node[key], CommentedMap | CommentedSeq)
            position = _marked(node.lc.key if larger or (at_key and is_last) else node.lc.value, key, position)
            node, field = node[key], f"{field}.{part}"
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            position = _marked(node.lc.item, part, position)
            node, field = node[part], f"{field}[{part}]"
        elif is_last:
            field += f"[{part}]" if isinstance(part, int) else f".{part}"
    return position, field.removeprefix(".")


def _marked(mark_of: Callable[[Any], Any], key: Any, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Position of a key or value from 1; keys that were merged in from an alias have none of their own."""
    try:
        mark = mark_of(key)
    except KeyError:
        return otherwise
    return (mark[0] + 1, mark[1] + 1) if mark else otherwise


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
        return _unknown(f"{_shown(got)} is unknown", str(got), allowed)
    if kind in _LIMITS_IN_WORDS:
        limit, words = _LIMITS_IN_WORDS[kind]
        return f"must be {words} {context[limit]:g}, got {_shown(got)}"
    if kind in _TYPES_IN_WORDS:
        return f"expected {_TYPES_IN_WORDS[kind]}, got {_shown(got)}"
    if kind in {"too_short", "too_long"}:
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return f"length must be {bound}, got {len(got)}"
    if kind == "value_error":
        return str(context["error"])
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}, got {_shown(got)}"


def _unknown(complaint: str, word: str, allowed: Sequence[str]) -> str:
    return f"{complaint}{nearest(word, allowed)}. Allowed: {', '.join(allowed)}"


def _shown(value: Any) -> str:
    """A value in the words of YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys with values"
    return "a list" if isinstance(value, list) else repr(value)


# -- what a model allows at a place ----------------------------------------------------------------


def _keys_at(model: type[BaseModel], location: _Location) -> list[str]:
    """Keys allowed in the mapping at this place."""
    return [name for member in _models(_annotation_at(model, location)) for name in member.model_fields]


def _kinds_at(model: type[BaseModel], location: _Location) -> list[str]:
    """Values that ``kind`` may take at this place."""
    return [kind for member in _models(_annotation_at(model, location)) for kind in _kinds(member)]


def _annotation_at(annotation: Any, location: _Location) -> Any:
    for part in location:
        annotation = _step(annotation, part)
    return annotation


def _step(annotation: Any, part: str | int) -> Any:
    """The annotation one part of a location further down."""
    models = _models(annotation)
    if len(models) > 1:
        return next(member for member in models if part in _kinds(member))
    if models:
        return models[0].model_fields[str(part)].annotation
    item = get_args(next(member for member in _members(annotation) if get_origin(member)))
    return item[-1] if get_origin(annotation) is dict else item[0]


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
