"""Scenario files, checking and comparing scenes from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivesim.paths import built_in_configs
from drivesim.scenario.schema_json import schema_text

VARIED = """version: 1
variables: {gap_m: 8}
source: {kind: road, layout: {kind: straight}}
actors:
  - id: cutter
    place: {kind: lane, lane: ego+1, ahead_m: 25}
    behaviour: {kind: cut_in, gap_m: "${gap_m}"}  # close
vary: {variables: {gap_m: {kind: list, values: [4, 6.5]}}}
"""


@pytest.fixture
def varied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that makes two scenarios, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("cut.yaml").write_text(VARIED)
    return Path("cut.yaml")


def test_the_commands_have_help(drivesim_command: Any) -> None:
    done = drivesim_command("scenario", "-h")
    assert (done.code, done.err) == (0, "")
    for command in ("list", "resolve", "set", "schema"):
        assert f"\n  {command} " in done.out
        told = drivesim_command("scenario", command, "-h")
        assert told.code == 0 and told.out.startswith(f"Usage: drivesim scenario {command} ")


def test_help_needs_nothing_that_takes_long_to_import() -> None:
    code = (
        "import sys; from drivesim.cli import main; sys.argv = ['drivesim', 'scenario', '--help']\n"
        "slow = {'drivesim.yaml_files', 'ruamel', 'numpy', 'torch', 'scenegraph'}\n"
        "try: main()\n"
        "except SystemExit: print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_built_in_scenarios_are_listed(drivesim_command: Any) -> None:
    lines = drivesim_command("scenario", "list").out.splitlines()
    assert lines[1].split() == ["name", "source", "length", "variations", "what", "happens"]
    assert [line.split()[0] for line in lines[2:]] == list(built_in_configs("scenarios"))


def test_a_file_is_resolved_to_names(drivesim_command: Any, varied: Path) -> None:
    done = drivesim_command("scenario", "resolve", varied, "--names")
    assert (done.code, done.err) == (0, "")
    names = [line.split("  ") for line in done.out.splitlines()]
    assert [name.rsplit("-", 1) for name, _ in names] == [
        ["cut-gap_m=4", names[0][1][:8]],
        ["cut-gap_m=6.5", names[1][1][:8]],
    ]
    assert all(len(digest) == 64 for _, digest in names)


def test_a_file_is_resolved_to_programs_and_people_alike(drivesim_command: Any, varied: Path) -> None:
    lines = drivesim_command("scenario", "resolve", varied, "--json", "--set", "seed=3").out.splitlines()
    said = [json.loads(line) for line in lines]
    assert [one["variables"] for one in said] == [{"gap_m": 4}, {"gap_m": 6.5}]
    assert [one["content"]["seed"] for one in said] == [3, 3]
    text = drivesim_command("scenario", "resolve", varied, "--set", "vary=null").out
    assert text.startswith("--- # cut\nversion: 1\nname: cut\n") and "      gap_m: 8.0\n" in text
    Path("again.yaml").write_text(text)
    again = drivesim_command("scenario", "resolve", "again.yaml", "--names").out.split()[1]
    assert again == drivesim_command("scenario", "resolve", varied, "--names", "--set", "vary=null").out.split()[1]


def test_all_mistakes_are_one_message(drivesim_command: Any, varied: Path) -> None:
    varied.write_text(VARIED + "seed: x\nrigg: y\n")
    done = drivesim_command("scenario", "resolve", varied, "--set", "duration_s=0")
    assert (done.code, done.out) == (2, "")
    assert [line[:40] for line in done.err.splitlines()] == [
        "drivesim: --set duration_s=0  duration_s",
        "cut.yaml:9:7  seed: expected a whole num",
        "cut.yaml:10:1  rigg: unknown key (did yo",
    ]


def test_a_value_is_set_and_comments_stay(drivesim_command: Any, varied: Path) -> None:
    done = drivesim_command("scenario", "set", varied, "variables.gap_m=5", "actors[0].behaviour.at_s=1")
    assert (done.code, done.out, done.err) == (0, "cut.yaml: variables.gap_m=5, actors[0].behaviour.at_s=1\n", "")
    assert varied.read_text() == VARIED.replace("{gap_m: 8}", "{gap_m: 5}").replace('"}  #', '", at_s: 1}  #')


def test_a_value_that_cannot_be_is_not_set(drivesim_command: Any, varied: Path) -> None:
    done = drivesim_command("scenario", "set", varied, "seed=1", "duration_s=no")
    assert (done.code, done.out) == (2, "")
    assert done.err == "drivesim: duration_s=no  duration_s: expected a number, got 'no'\n"
    assert varied.read_text() == VARIED


def test_the_schema_is_printed_or_written(drivesim_command: Any, tmp_path: Path) -> None:
    assert drivesim_command("scenario", "schema").out == schema_text()
    done = drivesim_command("scenario", "schema", "-o", tmp_path / "s.json")
    assert done.out.startswith(f"{tmp_path / 's.json'}: written. ")
    assert (tmp_path / "s.json").read_text() == schema_text()


def test_a_sound_scene_ends_well(drivesim_command: Any, scene_folder: Path) -> None:
    done = drivesim_command("scenario", "check", scene_folder)
    assert done.code == 0 and "0 errors, 0 warnings" in done.out


def test_findings_can_be_read_by_programs(drivesim_command: Any, scene_folder: Path) -> None:
    done = drivesim_command("scenario", "check", scene_folder, "--model", "--json")
    assert isinstance(json.loads(done.out), list)


def test_a_subject_that_is_not_there_is_an_error_of_the_scene(drivesim_command: Any, scene_folder: Path) -> None:
    done = drivesim_command("scenario", "check", scene_folder, "--about", "nobody")
    assert done.code == 3 and "hidden_subject: nobody" in done.out


def test_a_scene_does_not_differ_from_itself(drivesim_command: Any, scene_folder: Path) -> None:
    assert drivesim_command("scenario", "diff", scene_folder, scene_folder).out == "no difference\n"


def test_an_edit_is_what_differs(drivesim_command: Any, scene_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "without.yaml"
    edits = "edits: [{kind: remove, actors: [lead car]}]"
    file.write_text(f"version: 1\nduration_s: 1.9\nsource: {{kind: log, path: {scene_folder}}}\n{edits}\n")
    page = tmp_path / "page.html"
    done = drivesim_command("scenario", "diff", scene_folder, file, "--html", page)
    assert done.code == 0 and "actor lead car (Car) removed" in done.out
    assert page.read_text().count("data:image/png") >= 2


def test_conditions_of_a_scenario_are_its_prompt(drivesim_command: Any, scene_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "rain.yaml"
    log = f"source: {{kind: log, path: {scene_folder}}}\n"
    file.write_text(f"version: 1\nduration_s: 1.5\n{log}conditions: {{weather: rain}}\n")
    done = drivesim_command("generate", file, "--echo", "-o", tmp_path / "out", "--size", "64x32", "--frames", "0:5")
    assert done.code == 0, done.err
    said = json.loads((tmp_path / "out" / "rain" / "clip.json").read_text())["generation"]["prompts"]["chunks"]
    assert "It is raining" in said[0]
