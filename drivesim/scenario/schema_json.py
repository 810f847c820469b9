"""The JSON Schema of scenario files, with which editors complete and check them."""

from __future__ import annotations

import json
from typing import Any

from .schema import ScenarioFile

_DRAFT = "http://json-schema.org/draft-07/schema#"
_USE = {"$ref": "#/$defs/VariableUse"}
_VARIABLE_USE = {
    "description": "A variable of the file in place of the value.",
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
}
_WITHOUT_VARIABLES = {"RangeFile", "SampleFile", "ListFile", "VaryFile"}
_VERBATIM = {"default", "propertyNames", "required", "enum"}
_AS_WRITTEN = {"version", "extends", "variables", "vary", "kind"}


def schema_text() -> str:
    """The schema as it stands in ``configs/schema/scenario.json``."""
    return json.dumps(scenario_schema(), indent=1, ensure_ascii=False) + "\n"


def scenario_schema() -> dict[str, Any]:
    """The schema: draft 7, which editors know best. Unions are ``oneOf`` with a constant ``kind``.

    Where a file may hold ``${name}`` instead of a number or a word, that is allowed too; a file that extends another
    need not hold what the other does.
    """
    whole = ScenarioFile.model_json_schema()
    definitions = {name: _definition(name, part) for name, part in whole.pop("$defs").items()}
    whole = _definition("ScenarioFile", whole)
    required = whole.pop("required")
    return {
        "$schema": _DRAFT,
        "title": "drivesim scenario",
        **{key: value for key, value in whole.items() if key != "title"},
        "anyOf": [{"required": required}, {"required": ["extends"]}],
        "$defs": definitions | {"VariableUse": _VARIABLE_USE},
    }


def _definition(name: str, part: dict[str, Any]) -> dict[str, Any]:
    """One model: its fields with variables allowed where they are."""
    fields = {
        field: _tidy(about, variables=name not in _WITHOUT_VARIABLES and field not in _AS_WRITTEN)
        for field, about in part.get("properties", {}).items()
    }
    return {**{key: value for key, value in part.items() if key not in ("properties", "title")}, "properties": fields}


def _tidy(node: Any, variables: bool) -> Any:
    """Without titles made of names, with draft 7's words for tuples, and with ``${name}`` beside single values."""
    if isinstance(node, list):
        return [_tidy(item, variables) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not _is_noise(key, value)}
    if variables and _is_single(node):
        about = {key: kept.pop(key) for key in ("default", "description") if key in kept}
        return {**about, "anyOf": [_tidy(kept, False), _USE]}
    tidy = {key: value if key in _VERBATIM else _tidy(value, variables) for key, value in kept.items()}
    if "prefixItems" in tidy:
        tidy["items"] = tidy.pop("prefixItems")
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if "anyOf" in tidy:
        tidy["anyOf"] = [inner for option in tidy["anyOf"] for inner in _options(option)]
    return tidy


def _is_noise(key: str, value: Any) -> bool:
    """What helps nobody in an editor: names as titles, defaults that are empty or long."""
    return key in ("title", "discriminator") or (key == "default" and (value is None or isinstance(value, dict | list)))


def _options(option: dict[str, Any]) -> list[dict[str, Any]]:
    return list(option["anyOf"]) if set(option) == {"anyOf"} else [option]


def _is_single(node: dict[str, Any]) -> bool:
    """Whether it describes a number, true or false, or a text that not any text fits."""
    if node.get("type") in ("number", "integer", "boolean") or "enum" in node:
        return True
    return node.get("type") == "string" and "pattern" in node
