"""Values change in a file; everything else in it stays byte for byte."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivesim.errors import ScenarioError
from drivesim.scenario.loading import load_scenario
from drivesim.scenario.setting import set_values
from drivesim.scenario.writing import on_one_line, pair
from drivesim.yaml_places import parse_yaml, plain_values

TEXT = """# A file as people write them.
version: 1   # the only one
name: 'quoted'
source: {kind: road,   layout: {kind: straight}}  # spaces   kept
ego:
    lane: 0     # from the right
    behaviour:  # steady
        kind: drive
        speed_mps: 10.0
# who is there
actors:
- id: a   # first
  place: {kind: lane,  ahead_m: 20}

- id: "b"   # second
  place:
    kind: roadside
    side: left
description: |
  Several
  lines.
traffic:
prompts: {}
"""


def _changed(folder: Path, *assignments: str, text: str = TEXT) -> list[str]:
    """Lines taken out and put in."""
    path = folder / "it.yaml"
    path.write_bytes(text.encode())
    set_values(path, assignments)
    lines = difflib.unified_diff(text.splitlines(), path.read_bytes().decode().splitlines(), n=0)
    return [f"{line[0]} {line[1:]}" for line in list(lines)[2:] if line[0] in "-+"]


@pytest.mark.parametrize(
    ("assignment", "lines"),
    [
        ("ego.behaviour.speed_mps=12", ["-         speed_mps: 10.0", "+         speed_mps: 12"]),
        ("actors[1].id=x y", ['- - id: "b"   # second', "+ - id: x y   # second"]),
        (
            "actors[0].place.ahead_m=25.5",
            ["-   place: {kind: lane,  ahead_m: 20}", "+   place: {kind: lane,  ahead_m: 25.5}"],
        ),
        (
            "actors[0].place={kind: pose, x_m: 1, y_m: 2}",
            ["-   place: {kind: lane,  ahead_m: 20}", "+   place: {kind: pose, x_m: 1, y_m: 2}"],
        ),
        (
            "ego.behaviour={kind: drive}",
            [
                "-     behaviour:  # steady",
                "-         kind: drive",
                "-         speed_mps: 10.0",
                "+     behaviour: {kind: drive}  # steady",
            ],
        ),
        ("description='a: b'", ["- description: |", "-   Several", "-   lines.", "+ description: 'a: b'"]),
        ("name=no", ["- name: 'quoted'", "+ name: no"]),
        ("traffic={per_km: 3}", ["- traffic:", "+ traffic: {per_km: 3}"]),
        ("traffic.per_km=3", ["- traffic:", "+ traffic: {per_km: 3}"]),
        ("prompts.add=hi", ["- prompts: {}", "+ prompts: {add: hi}"]),
        ('prompts.cameras["a b"]=hi', ["- prompts: {}", "+ prompts: {cameras: {a b: hi}}"]),
        ("ego.station_m=50", ["+     station_m: 50"]),
        ("actors[1].place.beyond_edge_m=2", ["+     beyond_edge_m: 2"]),
        ("actors[1].behaviour={kind: keep_lane, speed_mps: 3}", ["+   behaviour: {kind: keep_lane, speed_mps: 3}"]),
        ("conditions.weather=rain", ["+ conditions: {weather: rain}"]),
        (
            "source.layout.length_m=300",
            [
                "- source: {kind: road,   layout: {kind: straight}}  # spaces   kept",
                "+ source: {kind: road,   layout: {kind: straight, length_m: 300}}  # spaces   kept",
            ],
        ),
        ("version=1", []),
    ],
)
def test_only_what_is_set_changes(tmp_path: Path, assignment: str, lines: list[str]) -> None:
    assert _changed(tmp_path, assignment) == lines


def test_several_values_are_set_at_once(tmp_path: Path) -> None:
    changes = _changed(tmp_path, "actors=[]", "about=null", "duration_s=3")
    assert [line for line in changes if line[0] == "+"] == ["+ actors: []", "+ about: null", "+ duration_s: 3"]


def test_a_file_without_a_last_line_break_gets_what_it_needs(tmp_path: Path) -> None:
    text = "version: 1\nsource: {kind: road, layout: {kind: straight}}"
    assert _changed(tmp_path, "seed=2", text=text) == ["+ seed: 2"]


def test_line_ends_of_other_systems_stay(tmp_path: Path) -> None:
    _changed(tmp_path, "seed=2", "actors[0].id=c", text=TEXT.replace("\n", "\r\n"))
    written = (tmp_path / "it.yaml").read_bytes()
    assert b"seed: 2\r\n" in written and written.count(b"\n") == written.count(b"\r\n")


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text(TEXT)
    (tmp_path / "real.yaml").chmod(0o640)
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    set_values(tmp_path / "link.yaml", ["seed=2"])
    assert (tmp_path / "link.yaml").is_symlink() and "seed: 2" in (tmp_path / "real.yaml").read_text()
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["ego.behaviour.speed_mps=-1"],
         "ego.behaviour.speed_mps=-1  ego.behaviour.speed_mps: must be at least 0, got -1"),
        (
            ["seed=2", "actors[0].plac=3"],
            "actors[0].plac=3  actors[0].plac: unknown key (did you mean 'place'?). Allowed: id, category, length_m, "
            "width_m, height_m, place, behaviour, reacts",
        ),
        (["actors[1].id=a"],
         "actors[1].id=a  actors[1].id: 'a' is there already, at {path}:12:7. Give each its own id"),
        (["actors[2].id=c"], "actors[2].id=c  actors[2]: there is no such entry. actors has 2, counted from 0"),
        (["seed"], "seed  is not path=value, such as duration_s=5"),
    ],
)  # fmt: skip
def test_a_file_that_would_be_wrong_is_not_written(tmp_path: Path, assignments: list[str], message: str) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(TEXT)
    with pytest.raises(ScenarioError) as refusal:
        set_values(path, assignments)
    assert str(refusal.value) == message.format(path=path)
    assert path.read_text() == TEXT and [file.name for file in tmp_path.iterdir()] == ["it.yaml"]


def test_a_wrong_file_can_be_mended(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_text(TEXT + "seed: x\n")
    set_values(path, ["seed=3"])
    assert load_scenario(path).file.seed == 3


def test_what_an_alias_shares_is_not_changed_behind_ones_back(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    shared = "actors:\n  - {id: a, place: &here {kind: lane}}\n  - {id: b, place: *here}\n"
    text = f"version: 1\nsource: {{kind: road, layout: {{kind: straight}}}}\n{shared}"
    path.write_text(text)
    with pytest.raises(ScenarioError) as refusal:
        set_values(path, ["actors[1].place.ahead_m=3"])
    assert str(refusal.value) == (
        f"{path}: actors[1].place.ahead_m is part of an alias (*name) and cannot be set alone. Edit it"
    )
    assert path.read_text() == text


def test_entries_of_a_parent_are_set_in_the_parent(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TEXT)
    path = tmp_path / "it.yaml"
    path.write_text("extends: base.yaml\n")
    with pytest.raises(ScenarioError) as refusal:
        set_values(path, ["actors[0].id=z"])
    assert str(refusal.value) == f"{path}: actors is not in this file but in its parent. Set it there"
    set_values(path, ["ego.behaviour.speed_mps=5"])
    assert path.read_text() == "extends: base.yaml\nego: {behaviour: {speed_mps: 5}}\n"
    assert load_scenario(path).content["ego"]["behaviour"]["speed_mps"] == 5


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refusal:
        set_values(tmp_path / "gone.yaml", ["seed=1"])
    assert str(refusal.value) == f"{tmp_path}/gone.yaml: no such scenario file"


_SINGLE = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | st.text()
_KEY = st.from_regex(r"[A-Za-z_][A-Za-z0-9_ .:#-]*", fullmatch=True)  # names of cameras can be nearly anything
_ANY = st.recursive(
    _SINGLE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3), max_leaves=6
)


@settings(max_examples=200, deadline=None)
@given(value=_ANY, key=_KEY)
def test_what_is_written_on_one_line_is_read_as_it_was(value: object, key: str) -> None:
    said = on_one_line(value)
    assert "\n" not in said
    assert plain_values(parse_yaml(f"x: {said}\n", "it"), "it") == {"x": value}
    assert plain_values(parse_yaml(f"x: {{{pair(key, value)}}}\n", "it"), "it") == {"x": {key: value}}
