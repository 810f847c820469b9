"""Scenario files: parents, variables, changes from outside, variations, and mistakes at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivesim.errors import ScenarioError
from drivesim.scenario.loading import load_scenario, load_scenarios, parse_path

EXAMPLES = Path(__file__).resolve().parents[2] / "support" / "scenarios"
BASE = """version: 1
variables: {gap_m: 8}
source: {kind: road, layout: {kind: straight}}
actors:
  - id: cutter
    place: {kind: lane, lane: ego+1, ahead_m: 25}
    behaviour: {kind: cut_in, gap_m: "${gap_m}"}
"""


def _file(folder: Path, text: str, name: str = "it.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_example_loads_and_says_something_of_its_own() -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    assert len(files) == 26
    scenarios = [load_scenario(file) for file in files]
    assert len({scenario.digest for scenario in scenarios}) == 26
    assert all(scenario.file.description for scenario in scenarios)


def test_a_variable_takes_its_own_type(tmp_path: Path) -> None:
    assert load_scenario(_file(tmp_path, BASE)).file.actors[0].behaviour.gap_m == 8.0  # type: ignore[union-attr]


def test_a_child_changes_only_what_it_names(tmp_path: Path) -> None:
    _file(tmp_path, BASE, "base.yaml")
    child = load_scenario(_file(tmp_path, "version: 1\nextends: base.yaml\nvariables: {gap_m: 5}\nduration_s: 3\n"))
    assert child.file.duration_s == 3 and child.file.actors[0].behaviour.gap_m == 5.0  # type: ignore[union-attr]
    assert child.place_of("duration_s") == f"{tmp_path / 'it.yaml'}:4:13"
    assert child.place_of("actors[0].id") == f"{tmp_path / 'base.yaml'}:5:9"


def test_parents_that_go_round_in_circles_are_refused(tmp_path: Path) -> None:
    _file(tmp_path, "version: 1\nextends: b.yaml\n", "a.yaml")
    path = _file(tmp_path, "version: 1\nextends: a.yaml\n", "b.yaml")
    with pytest.raises(ScenarioError, match="extends this file, which goes round in circles"):
        load_scenario(path)


def test_values_can_be_set_from_outside(tmp_path: Path) -> None:
    changed = load_scenario(_file(tmp_path, BASE), ["variables.gap_m=4.5", "actors[0].place.lane=ego-1"])
    assert changed.file.actors[0].behaviour.gap_m == 4.5  # type: ignore[union-attr]
    assert changed.file.actors[0].place.lane == "ego-1"  # type: ignore[union-attr]


def test_variations_have_stable_names(tmp_path: Path) -> None:
    vary = BASE + "vary: {variables: {gap_m: {kind: range, start: 4, stop: 8, count: 3}}}\n"
    first, again = (load_scenarios(_file(tmp_path, vary, "it.yaml")) for _ in range(2))
    assert [scenario.name.rsplit("-", 1)[0] for scenario in first] == ["it-gap_m=4", "it-gap_m=6", "it-gap_m=8"]
    assert [scenario.name for scenario in first] == [scenario.name for scenario in again]
    assert [scenario.file.actors[0].behaviour.gap_m for scenario in first] == [4, 6, 8]  # type: ignore[union-attr]


def test_random_values_depend_on_the_seed_alone(tmp_path: Path) -> None:
    text = BASE + "vary: {variables: {gap_m: {kind: sample, low: 4, high: 9, count: 5, seed: SEED}}}\n"
    one, same, other = (
        [s.values["gap_m"] for s in load_scenarios(_file(tmp_path, text.replace("SEED", seed)))] for seed in "112"
    )
    assert one == same != other and all(4 <= value <= 9 for value in one)


MISTAKES = [
    ("duration_s: -1\n", "8:13  duration_s: must be above 0, got -1"),
    ("rigg: a\n", "8:1  rigg: unknown key (did you mean 'rig'?). Allowed: version, name, description, about"),
    ("seed: 1.5\n", "8:7  seed: expected a whole number, got 1.5"),
    ("conditions: {weather: rainy}\n", "8:23  conditions.weather: 'rainy' is unknown (did you mean 'rain'?)"),
    ("ego: {lane: yes}\n", "8:13  ego.lane: expected a whole number, got 'yes'"),
    ("edits: [{kind: removed}]\n", "8:16  edits[0].kind: 'removed' is unknown (did you mean 'remove'?)"),
    ("edits: [{actors: [a]}]\n", "8:9  edits[0].kind: is missing. Allowed: remove, keep_only"),
    ("edits: [{kind: remove}]\n", "8:9  edits[0].actors: is missing"),
    ("edits: [{kind: rescale_speed, actor: a, factor: 0}]\n", "8:49  edits[0].factor: must be above 0, got 0"),
    ("prompts: {caption: 3}\n", "8:20  prompts.caption: expected a text, got 3"),
    ("traffic: {per_km: 900}\n", "8:19  traffic.per_km: must be at most 150, got 900"),
    ('description: "${nobody}"\n', "8:14  description: there is no variable 'nobody'"),
    ("model: cosmos\n", "8:8  model: 'cosmos' is unknown"),
]


@pytest.mark.parametrize(("line", "sentence"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(tmp_path: Path, line: str, sentence: str) -> None:
    path = _file(tmp_path, BASE + line)
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)
    assert str(refusal.value).startswith(f"{path}:{sentence}")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, BASE + "duration_s: 0\nseed: x\nconditions: {season: now}\n")
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)
    assert [mistake.field for mistake in refusal.value.mistakes] == ["duration_s", "seed", "conditions.season"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("duration_s", "--set duration_s: is not path=value, such as duration_s=5"),
        ("actors[3].id=x", "--set actors[3].id=x: there is no actors[3] in the file"),
        ("actors[0].behaviour.gap_m=-3", "--set actors[0].behaviour.gap_m=-3  actors[0].behaviour.gap_m: must be at"),
        ("actorz[0].id=x", "--set actorz[0].id=x: there is no actorz in the file (did you mean 'actors'?)"),
    ],
)
def test_a_change_from_outside_that_cannot_be_is_refused(tmp_path: Path, override: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(_file(tmp_path, BASE), [override])
    assert str(refusal.value).startswith(sentence)


def test_a_path_names_mappings_and_lists() -> None:
    assert parse_path("actors[0].place.lane") == ("actors", 0, "place", "lane")
    with pytest.raises(ScenarioError, match="names no field"):
        parse_path("actors[]")
