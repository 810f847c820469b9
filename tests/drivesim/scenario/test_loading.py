"""Scenario files: parents, variables, changes from outside, variations, and mistakes at their places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivesim.errors import ScenarioError
from drivesim.scenario.loading import load_scenario
from drivesim.scenario.reading import parse_assignment

EXAMPLES = Path(__file__).resolve().parents[3] / "configs" / "scenarios"
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
    child = load_scenario(_file(tmp_path, "extends: base.yaml\nvariables: {gap_m: 5}\nduration_s: 3\n"))
    assert child.file.duration_s == 3 and child.file.actors[0].behaviour.gap_m == 5.0  # type: ignore[union-attr]
    assert child.place_of("duration_s") == f"{tmp_path / 'it.yaml'}:3:13"
    assert child.place_of("actors[0].id") == f"{tmp_path / 'base.yaml'}:5:9"
    assert "extends" not in child.content


def test_parents_have_parents_in_other_folders(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    _file(tmp_path / "far", BASE + "prompts: {templates: words.yaml}\n", "base.yaml")
    _file(tmp_path / "far", "extends: base.yaml\nseed: 4\n", "middle.yaml")
    child = load_scenario(_file(tmp_path, "extends: far/middle.yaml\nrig: nuscenes-6\n"))
    assert (child.name, child.file.seed, child.file.rig, child.folder) == ("it", 4, "nuscenes-6", tmp_path)
    assert child.folder_of("prompts.templates") == tmp_path / "far"
    assert child.folder_of("rig") == tmp_path
    changed = load_scenario(tmp_path / "it.yaml", ["prompts.templates=mine.yaml"])
    assert changed.folder_of("prompts.templates") == Path()


def test_a_built_in_scenario_can_be_a_parent(tmp_path: Path) -> None:
    child = load_scenario(_file(tmp_path, "extends: cut_in\nvariables: {gap_m: 3}\n"))
    assert child.content["actors"][0]["behaviour"]["gap_m"] == 3


def test_a_child_takes_away_what_it_sets_to_nothing(tmp_path: Path) -> None:
    _file(tmp_path, BASE + "traffic: {per_km: 9}\n", "base.yaml")
    assert load_scenario(_file(tmp_path, "extends: base.yaml\ntraffic: null\nactors: []\n")).file.traffic is None


def test_parents_that_go_round_in_circles_are_refused(tmp_path: Path) -> None:
    _file(tmp_path, "extends: b.yaml\n", "a.yaml")
    path = _file(tmp_path, "version: 1\nextends: a.yaml\n", "b.yaml")
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path)
    assert str(refusal.value) == f"{tmp_path}/a.yaml:1:10  extends: b.yaml extends this file in turn. Break the circle"


def test_values_can_be_set_from_outside(tmp_path: Path) -> None:
    changes = ["variables.gap_m=4.5", "actors[0].place.lane=ego-1", "conditions.weather=rain", "edits=[]"]
    changed = load_scenario(_file(tmp_path, BASE), changes)
    assert changed.file.actors[0].behaviour.gap_m == 4.5  # type: ignore[union-attr]
    assert changed.file.actors[0].place.lane == "ego-1"  # type: ignore[union-attr]
    assert changed.file.conditions.weather == "rain"
    assert changed.place_of("actors[0].place.lane") == "--set actors[0].place.lane=ego-1"
    assert changed.place_of("actors[0].place.ahead_m") == f"{tmp_path / 'it.yaml'}:6:47"


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("012", 12), ("'3'", "3"), ("true", True), ("null", None), ("", None), ("1e-2", 0.01), ("0o14", 12),
     ("2020-01-01", "2020-01-01"), ("[1, {a: b}]", [1, {"a": "b"}]), ("{}", {}), ("[]", []), ("a=b", "a=b")],
)  # fmt: skip
def test_a_value_from_outside_is_read_as_yaml(written: str, value: object) -> None:
    assert parse_assignment(f"about={written}") == (("about",), value)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("duration_s", "  is not path=value, such as duration_s=5"),
        ("actors[]=3", "  'actors[]' names no field. Write it like actors[0].behaviour.gap_m"),
        ("about=a: b", "  the value is read as keys with values. Put a text in quotes"),
        ("about=[a", "  the value is not YAML: expected ',' or ']', but got '<stream end>'"),
        ("extends=cut_in", "  extends: can be set in the file only"),
        ("actors[3].id=x", "  actors[3]: there is no such entry. actors has 1, counted from 0"),
        ("actors[0].id.x=x", "  actors[0].id: is 'cutter', which has no x"),
        ("seed[0]=x", "  seed[0]: there is no such entry: the file has no seed"),
        ("actorz[0].id=x", "  actorz[0]: there is no such entry: the file has no actorz (did you mean 'actors'?)"),
        (
            "variables.gap=x",
            "  variables.gap: there is no such variable (did you mean 'gap_m'?). Known: gap_m",
        ),
        ("duration_s=no", "  duration_s: expected a number, got 'no'"),
        ("duration_s=${gap}", "  duration_s: there is no variable 'gap' (did you mean 'gap_m'?). Known: gap_m"),
        ("actors[0].behaviour.gap_m=-3", "  actors[0].behaviour.gap_m: must be at least 0.5, got -3"),
        (
            "actors[0].behaviour.gap=3",
            "  actors[0].behaviour.gap: unknown key (did you mean 'gap_m'?). "
            "Allowed: kind, at_s, duration_s, gap_m, speed_mps, profile",
        ),
        (
            "condition.weather=rain",
            "  condition: unknown key (did you mean 'conditions'?). Allowed: version, extends, name, description, "
            "about, duration_s, seed, variables, vary, source, ego, actors, traffic, edits, rig, conditions, prompts, "
            "checks, model",
        ),
        ("ego.behaviour.turn=3", "  ego.behaviour.kind: is missing. Allowed: recorded, drive, change_lane, profile"),
    ],
)  # fmt: skip
def test_a_change_from_outside_that_cannot_be_is_refused(tmp_path: Path, override: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(_file(tmp_path, BASE), [override])
    assert str(refusal.value) == f"--set {override}{sentence}"


def test_mistakes_of_changes_and_of_the_file_are_told_together(tmp_path: Path) -> None:
    path = _file(tmp_path, BASE + "seed: x\n")
    with pytest.raises(ScenarioError) as refusal:
        load_scenario(path, ["duration_s=0", "actors[1].id=b"])
    assert str(refusal.value).splitlines() == [
        "--set actors[1].id=b  actors[1]: there is no such entry. actors has 1, counted from 0",
        "--set duration_s=0  duration_s: must be above 0, got 0",
        f"{path}:8:7  seed: expected a whole number, got 'x'",
    ]


def test_a_variable_within_a_text_is_written_out(tmp_path: Path) -> None:
    variables = "variables: {gap_m: 8.0, who: no, fast: true, share: 0.25}\n"
    said = 'description: "gap ${gap_m} of ${who}, ${fast}, ${share}, $${gap_m}, $5 {x}"\n'
    text = BASE.replace("variables: {gap_m: 8}\n", variables) + said
    assert load_scenario(_file(tmp_path, text)).file.description == "gap 8 of no, true, 0.25, ${gap_m}, $5 {x}"


def test_words_are_not_taken_for_anything_else(tmp_path: Path) -> None:
    text = BASE.replace("id: cutter", "id: no") + "about: no\nprompts: {add: yes, caption: 12:30:00}\nseed: 012\n"
    file = load_scenario(_file(tmp_path, text)).file
    assert (file.about, file.prompts.add, file.prompts.caption, file.seed) == ("no", "yes", "12:30:00", 12)


def test_content_holds_all_defaults_and_can_be_loaded_again(tmp_path: Path) -> None:
    scenario = load_scenario(_file(tmp_path, BASE))
    assert scenario.content["conditions"]["weather"] == "clear" and scenario.content["name"] == "it"
    assert {"variables", "vary", "extends"}.isdisjoint(scenario.content)
    again = load_scenario(_file(tmp_path, json.dumps(scenario.content), "again.yaml"))
    assert (again.name, again.content, again.digest) == ("it", scenario.content, scenario.digest)


def test_names_that_only_a_log_or_traffic_knows_are_left_to_them(tmp_path: Path) -> None:
    logged = "version: 1\nsource: {kind: log, path: there}\nabout: x\nedits: [{kind: remove, actors: [y]}]\n"
    assert load_scenario(_file(tmp_path, logged)).file.about == "x"
    assert load_scenario(_file(tmp_path, BASE + "about: x\ntraffic: {}\n")).file.about == "x"
