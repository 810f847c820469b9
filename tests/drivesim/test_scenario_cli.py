"""Checking and comparing scenes from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


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
