"""The demo: works without any log, and with one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drivesim.demo import run_demo
from drivesim.errors import SourceError
from render.video import probe, read_image
from scenegraph import TimeRangeError


def test_without_a_log_the_built_in_crossing_is_filmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_demo(tmp_path, None, 0.2, (64, 36))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "No log given: filming the built-in crossing with the rig cosmos-ftheta-7."
    assert lines[1] == "built-in-crossing: 76 map elements, 10 actors, 7 cameras"
    assert re.fullmatch(r"0\.2 s of 7 cameras and a preview, made in \d+ s", lines[-1])
    files = [Path(line.removeprefix("  ")) for line in lines[2:-1]]
    assert [file.name for file in files[-2:]] == ["built-in-crossing-preview.mp4", "built-in-crossing-preview.png"]
    assert len(files) == 9
    assert all(probe(file).frames == 6 for file in files[:-1])
    assert read_image(files[-1]).any()
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == sorted([file.name for file in files] + ["clip.json"])


def test_the_demo_can_be_repeated_with_another_length(tmp_path: Path) -> None:
    run_demo(tmp_path, None, 0.1, (64, 36))
    run_demo(tmp_path, None, 0.2, (64, 36))
    assert probe(tmp_path / "built-in-crossing-preview.mp4").frames == 6


def test_an_argoverse_log_is_filmed_by_its_own_cameras(
    av2_log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_demo(tmp_path, av2_log, 0.1, (64, 36))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{av2_log.name}: 236 map elements, 107 actors, 7 cameras"
    assert len(list((tmp_path / av2_log.name).glob("ring_*.mp4"))) == 7


def test_a_scene_that_is_shorter_than_five_seconds_is_filmed_whole(
    scene_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_demo(tmp_path, scene_folder, None, (64, 36))
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 s of 3 cameras and a preview, made in ")


def test_a_log_without_cameras_is_refused(blind_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the log has no camera calibration"):
        run_demo(tmp_path, blind_folder, 0.1, None)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_built_in_scene_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TimeRangeError) as error:
        run_demo(tmp_path, None, 20.0, None)
    assert str(error.value) == (
        "built-in-crossing: 0 to 20 s cannot be had, the clip has 301 frames, 10.0 s at 30 frames per second"
    )
    assert list(tmp_path.iterdir()) == []
