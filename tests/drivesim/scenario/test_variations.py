"""Many scenarios from one file: the same ones everywhere and always."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivesim.errors import ScenarioError
from drivesim.scenario.loading import Scenario, load_scenario, load_scenarios
from drivesim.scenario.schema_variations import ListFile, RangeFile, SampleFile
from drivesim.scenario.variations import values_of, variation_name

BASE = """version: 1
variables: {gap_m: 8, speed_mps: 20}
source: {kind: road, layout: {kind: straight}}
actors:
  - id: cutter
    place: {kind: lane, lane: ego+1, ahead_m: 25}
    behaviour: {kind: cut_in, gap_m: "${gap_m}", speed_mps: "${speed_mps}"}
"""
PRODUCT = """vary:
  variables:
    gap_m: {kind: range, start: 4, stop: 8, count: 3}
    speed_mps: {kind: sample, low: 10, high: 30, count: 2, seed: 7}
"""


def _load(folder: Path, text: str, name: str = "it.yaml") -> tuple[Scenario, ...]:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return load_scenarios(folder / name)


def _sample(name: str = "gap_m", low: float = 0, high: float = 1, count: int = 5, seed: int = 0, whole: bool = False):  # type: ignore[no-untyped-def]
    return values_of(name, SampleFile(kind="sample", low=low, high=high, count=count, seed=seed, whole=whole))


def test_a_range_reaches_both_ends_in_even_steps() -> None:
    assert values_of("x", RangeFile(kind="range", start=0, stop=0.3, count=4)) == [0, 0.1, 0.2, 0.3]
    assert values_of("x", RangeFile(kind="range", start=5, stop=1, count=3)) == [5, 3, 1]
    assert values_of("x", RangeFile(kind="range", start=2, stop=2, count=1)) == [2]


def test_whole_numbers_of_a_range_fit_where_a_whole_number_is_needed() -> None:
    values = values_of("x", RangeFile(kind="range", start=1, stop=2, count=3))
    assert [type(value) for value in values] == [int, float, int]


def test_samples_depend_on_seed_and_name_alone() -> None:
    assert _sample() == _sample()
    assert _sample() != _sample(seed=1)
    assert _sample() != _sample(name="speed_mps")
    assert _sample(count=3) == _sample(count=5)[:3], "more of them begin with the same ones"


def test_samples_are_what_they_were_on_every_other_machine() -> None:
    assert _sample(count=3) == [0.0927954510223, 0.509915524906, 0.114066970222]
    assert _sample(low=1, high=6, count=8, seed=3, whole=True) == [5, 2, 3, 4, 5, 1, 6, 6]


def test_samples_fill_their_interval_evenly() -> None:
    values = [float(value) for value in _sample(low=-2, high=6, count=4000)]
    assert -2 <= min(values) < -1.98 and 5.98 < max(values) < 6
    assert sum(values) / 4000 == pytest.approx(2.0, abs=4 * 8 / 12**0.5 / 4000**0.5)
    dice = _sample(low=1, high=6, count=6000, whole=True)
    assert sorted(set(dice)) == [1, 2, 3, 4, 5, 6]
    assert all(abs(dice.count(face) - 1000) < 4 * 29 for face in range(1, 7))


def test_a_list_keeps_types_and_order() -> None:
    assert values_of("x", ListFile(kind="list", values=(3, "no", True, 0.5))) == [3, "no", True, 0.5]


def test_a_product_takes_all_combinations_and_the_last_variable_changes_fastest(tmp_path: Path) -> None:
    scenarios = _load(tmp_path, BASE + PRODUCT)
    speeds = _sample("speed_mps", 10, 30, 2, 7)
    assert [(s.values["gap_m"], s.values["speed_mps"]) for s in scenarios] == [
        (gap_m, speed_mps) for gap_m in (4, 6, 8) for speed_mps in speeds
    ]
    for scenario in scenarios:
        behaviour = scenario.content["actors"][0]["behaviour"]
        assert (behaviour["gap_m"], behaviour["speed_mps"]) == (scenario.values["gap_m"], scenario.values["speed_mps"])


def test_a_zip_takes_values_side_by_side(tmp_path: Path) -> None:
    vary = (
        "vary: {how: zip, variables: {speed_mps: {kind: list, values: [9, 7]}, gap_m: {kind: list, values: [1, 2]}}}\n"
    )
    scenarios = _load(tmp_path, BASE + vary)
    assert [(s.values["gap_m"], s.values["speed_mps"]) for s in scenarios] == [(1, 9), (2, 7)]


def test_a_name_says_the_varied_values_and_ends_with_a_hash(tmp_path: Path) -> None:
    scenario = _load(tmp_path, BASE + PRODUCT)[0]
    assert scenario.name == f"it-gap_m=4-speed_mps=17.97-{scenario.digest[:8]}"
    assert _load(tmp_path, BASE)[0].name == "it"


def test_a_name_can_be_the_name_of_a_file() -> None:
    assert variation_name("it", {"b": "rain / fog", "a": -0.123456, "c": True}, "0123456789") == (
        "it-a=-0.1235-b=rain_fog-c=true-01234567"
    )
    assert len(variation_name("it", {f"variable{k}": "x" * 50 for k in range(20)}, "0" * 64)) < 150


def test_names_do_not_depend_on_place_order_spelling_or_parents(tmp_path: Path) -> None:
    expected = [scenario.name for scenario in _load(tmp_path / "a", BASE + PRODUCT)]
    swapped = PRODUCT.splitlines(keepends=True)
    lines = BASE.splitlines(keepends=True)
    mixed = [*swapped[:2], swapped[3], swapped[2], *lines[3:], lines[2], "duration_s: 8.0  # the default\n", *lines[:2]]
    assert {s.name for s in _load(tmp_path / "b", "".join(mixed))} == set(expected)
    (tmp_path / "a" / "base.yaml").write_text(BASE)
    assert [s.name for s in _load(tmp_path / "a", "extends: base.yaml\n" + PRODUCT)] == expected


def test_what_is_said_changes_the_name_and_what_it_is_called_does_not(tmp_path: Path) -> None:
    digests = [
        _load(tmp_path, BASE + more)[0].digest for more in ("", "description: hi\n", "name: other\n", "seed: 1\n")
    ]
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_a_name_may_hold_variables(tmp_path: Path) -> None:
    vary = "name: gap_${gap_m}\nvary: {variables: {gap_m: {kind: list, values: [3, 4.5]}}}\n"
    assert [s.file.name for s in _load(tmp_path, BASE + vary)] == ["gap_3", "gap_4.5"]


def test_ten_thousand_are_allowed_and_one_row_more_is_not(tmp_path: Path) -> None:
    vary = PRODUCT.replace("count: 3", "count: 100").replace("count: 2", "count: 100")
    scenarios = _load(tmp_path, BASE + vary)
    assert len({scenario.name for scenario in scenarios}) == 10_000
    with pytest.raises(ScenarioError) as refusal:
        load_scenarios(tmp_path / "it.yaml", ["vary.variables.gap_m.count=101"])
    assert str(refusal.value) == (
        f"{tmp_path}/it.yaml:8:1  vary: makes 10,100 scenarios (gap_m 101, speed_mps 100), at most 10,000. "
        "Take fewer, or how: zip"
    )


def test_one_scenario_is_not_taken_from_many(tmp_path: Path) -> None:
    _load(tmp_path, BASE + PRODUCT)
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(tmp_path / "it.yaml")
    assert str(refusal.value) == (
        f"{tmp_path}/it.yaml:8:1  vary: makes 6 scenarios, and one is needed here. "
        "Take the variables' own values with --set vary=null, or leave out vary"
    )
    one = load_scenario(tmp_path / "it.yaml", ["vary=null"])
    assert (one.name, one.values) == ("it", {"gap_m": 8, "speed_mps": 20})


def test_mistakes_of_single_combinations_say_which_and_how_many(tmp_path: Path) -> None:
    vary = PRODUCT.replace("start: 4", "start: 0")
    with pytest.raises(ScenarioError) as refusal:
        _load(tmp_path, BASE + vary)
    assert str(refusal.value) == (
        f"{tmp_path}/it.yaml:7:38  actors[0].behaviour.gap_m: must be at least 0.5, got 0 (with gap_m=0)"
    )
    with pytest.raises(ScenarioError) as refusal:
        load_scenarios(tmp_path / "it.yaml", ["vary.variables.gap_m.count=33"])
    assert str(refusal.value).endswith("got 0 (with gap_m=0); and 1 more like it")


_PRINT = "import sys; from drivesim.cli import main; sys.argv = ['drivesim', *sys.argv[1:]]; main()"


def test_other_processes_resolve_to_the_same_bytes(tmp_path: Path) -> None:
    _load(tmp_path, BASE + PRODUCT + "traffic: {}\n")
    outputs = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", _PRINT, "scenario", "resolve", str(tmp_path / "it.yaml"), "--json"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        outputs.append(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert outputs[0] == outputs[1]
    names = [json.loads(line)["name"] for line in outputs[0].splitlines()]
    assert names == [scenario.name for scenario in load_scenarios(tmp_path / "it.yaml")]
