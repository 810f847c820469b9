"""``drivesim dataset`` as people call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from striped_world import StripedWorld

from drivesim.world_job import WorldJob
from scenegraph import Scene


@pytest.fixture
def clip(drivesim_command: Any, scene_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(WorldJob, "open", lambda job: StripedWorld(job))
    small = ("--size", "64x36", "--frames", "0:2", "--workers", "1", "--no-depth")
    assert drivesim_command("world", scene_folder, "-o", tmp_path / "out", *small).code == 0
    return next((tmp_path / "out").iterdir())


def test_a_clip_is_added_once_checked_and_counted(
    drivesim_command: Any, clip: Path, scene_folder: Path, scene: Scene, tmp_path: Path
) -> None:
    dataset = tmp_path / "set"
    stored = dataset / "clips" / clip.name
    adding = ("dataset", "add", dataset, clip, "--log", scene_folder)
    assert drivesim_command(*adding).out == f"{stored}: added\n"
    assert drivesim_command(*adding).out == f"{stored}: there already\n"
    assert drivesim_command("dataset", "check", dataset).out == f"{dataset}: 1 clip, all whole\n"
    said = drivesim_command("dataset", "stats", dataset).out.splitlines()
    assert said[0] == f"{dataset}: clips 1, frames 2, pictures 6, seconds 0.1"
    assert said[1] == "Boxes by distance"
    rows = {line.split()[0]: line.split()[1:] for line in said[3:8]}
    # Five cars at 23, 13, 115, 79 and 72 m from the vehicle; the second overtakes. Each is there in both frames.
    assert rows["Car"] == ["5", "2", "2", "0", "4", "2"]
    assert rows["Truck"] == ["1", "0", "0", "0", "0", "2"]


def test_a_damaged_data_set_ends_with_1(drivesim_command: Any, clip: Path, scene_folder: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "set"
    drivesim_command("dataset", "add", dataset, clip, "--log", scene_folder, "--lidar", "none")
    lost = dataset / "clips" / clip.name / "clip.json"
    lost.unlink()
    done = drivesim_command("dataset", "check", dataset)
    assert (done.code, done.out) == (1, f"{lost}: is missing\n")


def test_another_log_is_one_tidy_sentence(drivesim_command: Any, clip: Path, tmp_path: Path) -> None:
    done = drivesim_command("dataset", "add", tmp_path / "set", clip, "--log", "cut_in")
    assert done.code == 2
    assert done.err == (
        f"drivesim: {clip}: was not made from this cut_in. "
        "Name the log or scenario that it was made from, with the same --set\n"
    )
