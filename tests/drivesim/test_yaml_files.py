"""YAML is read by the letter, and a file that cannot be used says where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from drivesim.errors import ScenarioError
from drivesim.yaml_files import FileModel, load_yaml


class Walk(FileModel):
    kind: Literal["walk"]
    speed_mps: Annotated[float, Field(ge=0, le=10)] = 1.0


class Wait(FileModel):
    kind: Literal["wait"]
    seconds_s: float | None = None


class Plan(FileModel):
    name: str = ""
    count: int = 1
    urgent: bool = False
    steps: list[Annotated[Walk | Wait, Field(discriminator="kind")]] = Field(default=[], max_length=2)
    by_name: dict[str, Walk] = Field(default={})
    first: Walk | None = None


def _load(folder: Path, text: str | bytes) -> Plan:
    path = folder / "plan.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_yaml(path, Plan)


def _complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ScenarioError) as caught:
        _load(folder, text)
    return str(caught.value).replace(str(folder / "plan.yaml"), "plan.yaml")


def test_a_file_becomes_its_model(tmp_path: Path) -> None:
    text = "name: no  # a word in YAML 1.2\ncount: 012\nsteps: [{kind: walk, speed_mps: 1e-3}, {kind: wait}]\n"
    assert _load(tmp_path, text) == Plan(
        name="no", count=12, steps=[Walk(kind="walk", speed_mps=0.001), Wait(kind="wait")]
    )


def test_aliases_and_merges_are_followed(tmp_path: Path) -> None:
    text = "first: &slow {kind: walk, speed_mps: 2}\nby_name: {a: *slow, b: {<<: *slow, speed_mps: 3}}\n"
    plan = _load(tmp_path, text)
    assert [plan.by_name["a"].speed_mps, plan.by_name["b"].speed_mps] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: 5", "plan.yaml:1:7  name: expected a text, got 5"),
        ("name: 12:30:00\ncount: '3'", "plan.yaml:2:8  count: expected a whole number, got '3'"),
        ("urgent: yes", "plan.yaml:1:9  urgent: expected true or false, got 'yes'"),
        ("name:", "plan.yaml:1:6  name: expected a text, got nothing"),
        ("count: true", "plan.yaml:1:8  count: expected a whole number, got true"),
        ("steps: {kind: walk}", "plan.yaml:1:1  steps: expected a list, got keys with values"),
        ("steps: [{kind: wait}, {kind: wait}, {kind: wait}]", "plan.yaml:1:1  steps: length must be at most 2, got 3"),
        ("steps:\n  - 5", "plan.yaml:2:5  steps[0]: expected keys with values, got 5"),
        ("steps:\n  - kind: walk\n    speed_mps: 11", "plan.yaml:3:16  steps[0].speed_mps: must be at most 10, got 11"),
        (
            "steps:\n  - kind: walk\n    sped_mps: 1",
            "plan.yaml:3:5  steps[0].sped_mps: unknown key (did you mean 'speed_mps'?). Allowed: kind, speed_mps",
        ),
        ("steps: [{kind: 7}]", "plan.yaml:1:16  steps[0].kind: '7' is unknown. Allowed: walk, wait"),
        (
            "by_name: {me: {kind: walk, seconds_s: 1}}",
            "plan.yaml:1:28  by_name.me.seconds_s: unknown key. Allowed: kind, speed_mps",
        ),
        (
            "first: {speed_mps: -1}",
            "plan.yaml:1:1  first.kind: is missing\nplan.yaml:1:20  first.speed_mps: must be at least 0, got -1",
        ),
        ("1: x", "plan.yaml:1:1  1: unknown key. Allowed: name, count, urgent, steps, by_name, first"),
        (
            "first: &a {kind: walk, far: 1}\nby_name: {x: {<<: *a}}",
            "plan.yaml:1:24  first.far: unknown key. Allowed: kind, speed_mps\n"
            "plan.yaml:2:11  by_name.x.far: unknown key. Allowed: kind, speed_mps",
        ),
    ],
)
def test_what_does_not_fit_is_placed(tmp_path: Path, text: str, complaint: str) -> None:
    assert _complaint(tmp_path, text) == complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "plan.yaml:1:1  expected keys with values, got nothing"),
        ("- 1", "plan.yaml:1:1  expected keys with values, got a list"),
        ("name: a\nname: b", 'plan.yaml:2:1  found duplicate key "name" with value "b" (original value: "a")'),
        ("steps: [1,\ncount: 3", "plan.yaml:2:9  expected ',' or ']', but got '<stream end>'"),
        ("name: a: b", "plan.yaml:1:8  mapping values are not allowed here"),
        ("first: *slow", "plan.yaml:1:8  found undefined alias 'slow'"),
        ("name: a\n---\nname: b", "plan.yaml:2:1  but found another document"),
        ("&a\nb: *a", "plan.yaml: an alias (*name) contains itself"),
        (b"name: \xff\xfe", "plan.yaml: is not UTF-8 text (byte 6)"),
        (b"name: \x00", "plan.yaml: is not YAML: "),
    ],
)
def test_what_is_no_yaml_is_placed(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    assert _complaint(tmp_path, text).startswith(complaint)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_yaml(tmp_path / "absent.yaml", Plan)
    assert str(caught.value) == f"{tmp_path / 'absent.yaml'}: cannot be read: No such file or directory"
