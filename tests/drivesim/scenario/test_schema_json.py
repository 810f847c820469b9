"""The JSON Schema that editors use: current, and of one mind with what the program accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from drivesim.paths import built_in_configs, configs_folder
from drivesim.scenario.schema_json import scenario_schema, schema_text

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "configs" / "scenarios").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=../schema/scenario.json"
ROAD = {"version": 1, "source": {"kind": "road", "layout": {"kind": "straight"}}}
LANE = {"kind": "lane"}


@pytest.fixture(scope="module")
def complaints() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator.check_schema(scenario_schema())
    return jsonschema.Draft7Validator(scenario_schema()).iter_errors


def test_the_file_that_editors_use_is_current() -> None:
    file = configs_folder() / "schema" / "scenario.json"
    assert file.read_text() == schema_text(), f"run: drivesim scenario schema -o {file}"


@pytest.mark.parametrize("file", [*EXAMPLES, *built_in_configs("scenarios").values()], ids=lambda file: file.stem)
def test_every_example_fits(complaints: Any, file: Path) -> None:
    assert not list(complaints(YAML(typ="safe", pure=True).load(file)))


def test_every_built_in_scenario_names_the_schema_in_its_first_line() -> None:
    assert built_in_configs("scenarios")
    for file in built_in_configs("scenarios").values():
        assert file.read_text().splitlines()[0] == MODELINE, file.name


@pytest.mark.parametrize(
    "more",
    [
        {"variables": {"a": 1, "b": "x", "c": True, "d": 0.5}, "duration_s": "${a}"},
        {"seed": "${a}", "conditions": {"weather": "${b}"}, "traffic": None},
        {"actors": [{"id": "a", "place": {"kind": "lane", "lane": "${b}", "ahead_m": "${d}"}}]},
        {"edits": [{"kind": "add_line", "layer": "crosswalks", "id": "x", "points": [[0, 1], [2, "${d}"]]}]},
        {"vary": {"variables": {"a": {"kind": "range", "start": 1, "stop": 2, "count": 3}}}},
    ],
)
def test_what_may_be_written_fits(complaints: Any, more: dict[str, Any]) -> None:
    assert not list(complaints({**ROAD, **more}))


def test_a_file_that_extends_another_need_not_be_whole(complaints: Any) -> None:
    assert not list(complaints({"extends": "cut_in"}))
    assert list(complaints({"version": 1}))


@pytest.mark.parametrize(
    "more",
    [
        {"rigg": "x"},
        {"version": 2},
        {"duration_s": "ten"},
        {"duration_s": 0},
        {"seed": 1.5},
        {"seed": "${a + 1}"},
        {"conditions": {"weather": "rainy"}},
        {"actors": [{"id": "a", "place": {"kind": "lan"}}]},
        {"actors": [{"id": "a", "place": {"lane": "ego"}}]},
        {"actors": [{"id": "a", "place": {"kind": "lane", "lane": "left"}}]},
        {"actors": [{"id": "a", "place": {"kind": "lane", "x_m": 3}}]},
        {"actors": [{"id": "a", "place": LANE, "behaviour": {"kind": "hard_brake"}}]},
        {"edits": [{"kind": "add_line", "layer": "crosswalks", "id": "x", "points": [[0, 1], [2, 3, 4]]}]},
        {"checks": {"allow": ["colision"]}},
        {"variables": {"a b": 1}},
        {"variables": {"a": [1]}},
        {"vary": {"variables": {"a": {"kind": "range", "start": "${b}", "stop": 2, "count": 3}}}},
    ],
)
def test_mistakes_are_marked(complaints: Any, more: dict[str, Any]) -> None:
    assert list(complaints({**ROAD, **more}))


def test_unions_are_chosen_by_a_constant_kind() -> None:
    schema = json.loads(schema_text())
    members = [option["$ref"].rsplit("/", 1)[1] for option in schema["properties"]["edits"]["items"]["oneOf"]]
    kinds = [schema["$defs"][member]["properties"]["kind"]["const"] for member in members]
    assert len(kinds) == len(set(kinds)) == 19
    assert all("kind" in schema["$defs"][member]["required"] for member in members)


def test_everything_is_described() -> None:
    definitions = json.loads(schema_text())["$defs"]
    assert [name for name, part in definitions.items() if not part.get("description")] == []
