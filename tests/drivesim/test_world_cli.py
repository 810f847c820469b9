"""Clips of the reference world on disk: pictures with labels that say what they mean, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import pytest
from striped_world import StripedFrame, StripedWorld

from drivesim import world_clips
from drivesim.scenario.schema import Place, Season, TimeOfDay, Weather
from drivesim.world_cli import PlaceChoice, SeasonChoice, TimeChoice, WeatherChoice
from drivesim.world_job import WorldJob
from render.video import probe, read_image, read_video
from render.world.semantic import SemanticClass

Hashes = Callable[[Path], dict[str, str]]
CLIP = "built-in-crossing"
SMALL = ("--size", "64x36", "--frames", "0:3", "--workers", "1")


@pytest.fixture
def striped(monkeypatch: pytest.MonkeyPatch) -> list[WorldJob]:
    """The striped world instead of the real one, and the jobs that it was opened for."""
    jobs: list[WorldJob] = []

    def opened(job: WorldJob) -> StripedWorld:
        jobs.append(job)
        return StripedWorld(job)

    monkeypatch.setattr(WorldJob, "open", opened)
    return jobs


@pytest.fixture
def film(drivesim_command: Any, scene_folder: Path, tmp_path: Path, striped: list[WorldJob]) -> Callable[..., Any]:
    def run(*options: object) -> Any:
        return drivesim_command("world", scene_folder, "-o", tmp_path, *SMALL, *options)

    return run


def gray(path: Path) -> Any:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


# -- what is written ----------------------------------------------------------------------------------


def test_every_camera_gets_a_video_and_distances(film: Callable[..., Any], tmp_path: Path) -> None:
    done = film()
    folder = tmp_path / CLIP
    assert done.out == f"{folder}: 3 videos of 3 frames\n"
    assert sorted(path.name for path in folder.iterdir()) == [
        "clip.json", "depth", "front.mp4", "left.mp4", "mosaic.png", "right.mp4", "world.json"
    ]  # fmt: skip
    assert read_video(folder / "left.mp4")[:, 0, 0, 0] == pytest.approx([60, 65, 70], abs=2)
    assert sorted(path.name for path in (folder / "depth" / "left").iterdir()) == [f"00000{i}.png" for i in range(3)]


def test_distances_are_metres_times_256_and_nothing_is_0(film: Callable[..., Any], tmp_path: Path) -> None:
    film()
    depth = gray(tmp_path / CLIP / "depth" / "front" / "000001.png")
    assert depth.dtype == np.uint16 and depth.shape == (36, 64)
    assert depth[-1, 0] == 2560
    assert depth[0, 0] == 0  # sky
    assert depth[-1, -1] == 0  # 300 m, further than 16 bits reach


def test_masks_say_who_and_what_and_world_json_says_what_the_numbers_mean(
    film: Callable[..., Any], tmp_path: Path, scene: Any
) -> None:
    film("--masks", "--weather", "fog")
    folder = tmp_path / CLIP
    instances = gray(folder / "instances" / "front" / "000000.png")
    assert instances.dtype == np.uint16 and instances[0, 0] == 0 and instances[0, -1] == 1
    classes = gray(folder / "classes" / "front" / "000000.png")
    assert classes.dtype == np.uint8
    said = json.loads((folder / "world.json").read_text())
    assert said["actors"][0] == {
        "number": 1,
        "id": scene.actors[0].id,
        "category": str(scene.actors[0].category),
        "source_category": scene.actors[0].source_category,
    }
    named = {row["value"]: row["name"] for row in said["classes"]["meaning"]}
    assert named == {int(value): value.name.lower() for value in SemanticClass}
    assert named[classes[-1, 0]] == "road" and named[classes[0, -1]] == "car"
    assert said["depth"]["metres_per_unit"] * 2560 == 10.0
    assert said["look"]["weather"] == "fog" and said["seed"] == 0 and said["frames"] == 3
    assert [camera["name"] for camera in said["cameras"]] == ["front", "left", "right"]


def test_the_mosaic_shows_every_kind_of_picture(film: Callable[..., Any], tmp_path: Path) -> None:
    film("--masks")
    with_masks = read_image(tmp_path / CLIP / "mosaic.png")
    film("--no-depth", "--overwrite")
    pictures_alone = read_image(tmp_path / CLIP / "mosaic.png")
    assert with_masks.shape[0] > 3 * pictures_alone.shape[0]
    assert (with_masks == (128, 64, 128)).all(axis=-1).any()  # the class of roads


def test_a_picture_without_anybody_is_black_in_the_mosaic() -> None:
    nobody = np.zeros((4, 6), dtype=np.uint16)
    assert not world_clips.coloured("instances", nobody).any()
    nobody[1, 2], nobody[1, 3] = 1, 13  # colours repeat after twelve
    shown = world_clips.coloured("instances", nobody)
    assert (shown.any(axis=-1) == (nobody > 0)).all() and (shown[1, 2] == shown[1, 3]).all()


# -- run again ----------------------------------------------------------------------------------------


def test_the_same_run_again_films_nothing(film: Callable[..., Any], tmp_path: Path, striped: list[WorldJob]) -> None:
    film()
    again = film()
    assert again.out == f"{tmp_path / CLIP}: 3 videos of 3 frames, all there already\n"
    assert len(striped) == 1


def test_a_run_that_failed_leaves_whole_cameras_only_and_the_next_one_goes_on(
    film: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashes: Hashes
) -> None:
    film("--masks")
    whole = hashes(tmp_path / CLIP)
    film("--masks", "--overwrite")
    assert hashes(tmp_path / CLIP) == whole

    real = StripedWorld.frame

    def failing(self: StripedWorld, view: int, index: int) -> StripedFrame:
        if (view, index) == (1, 1):
            raise OSError(28, "No space left on device", "left.mp4")
        return real(self, view, index)

    monkeypatch.setattr(StripedWorld, "frame", failing)
    full = film("--masks", "--overwrite")
    assert (full.code, full.err) == (2, "drivesim: left.mp4: No space left on device\n")
    left = sorted(str(path.relative_to(tmp_path / CLIP)) for path in (tmp_path / CLIP).rglob("*.mp4"))
    assert left == ["front.mp4"]
    assert not (tmp_path / CLIP / "depth" / "left").exists()
    assert not (tmp_path / CLIP / "clip.json").exists()

    monkeypatch.setattr(StripedWorld, "frame", real)
    on = film("--masks")
    assert on.out == f"{tmp_path / CLIP}: 3 videos of 3 frames, 1 of them there already\n"
    assert hashes(tmp_path / CLIP) == whole


def test_labels_that_are_missing_are_made_again(film: Callable[..., Any], tmp_path: Path) -> None:
    film()
    (tmp_path / CLIP / "depth" / "right" / "000002.png").unlink()
    (tmp_path / CLIP / "clip.json").rename(tmp_path / CLIP / ".settings.json")
    assert film().out == f"{tmp_path / CLIP}: 3 videos of 3 frames, 2 of them there already\n"
    assert (tmp_path / CLIP / "depth" / "right" / "000002.png").is_file()


def test_another_look_is_refused_unless_told_to_overwrite(film: Callable[..., Any], tmp_path: Path) -> None:
    film("--masks")
    other = film("--weather", "snow")
    assert other.code == 2
    assert other.err == (
        f"drivesim: {tmp_path / CLIP}: holds videos or labels of other content or settings. "
        "Add --overwrite to replace them, or choose another -o.\n"
    )
    assert film("--weather", "snow", "--overwrite").code == 0
    assert not (tmp_path / CLIP / "instances" / "front").exists()


# -- what it looks like -------------------------------------------------------------------------------


def test_a_scenario_says_what_it_looks_like_and_options_win(
    drivesim_command: Any, tmp_path: Path, striped: list[WorldJob]
) -> None:
    run = ("world", "roundabout_traffic", *SMALL, "--cameras", "camera_front_wide_120fov", "-o")
    drivesim_command(*run, tmp_path / "a", "--set", "traffic=null")
    drivesim_command(*run, tmp_path / "b", "--set", "traffic=null", "--time-of-day", "night", "--seed", "7")
    first, second = striped
    assert first.conditions.model_dump() == {
        "weather": "clear", "time_of_day": "noon", "season": "spring", "place": "suburb", "road": None
    }  # fmt: skip
    assert (first.seed, second.seed) == (0, 7)
    assert second.conditions.model_dump() == first.conditions.model_dump() | {"time_of_day": "night"}
    assert probe(tmp_path / "a" / "roundabout_traffic" / "camera_front_wide_120fov.mp4").frames == 3


@pytest.mark.parametrize(
    ("choice", "words"),
    [(WeatherChoice, Weather), (TimeChoice, TimeOfDay), (SeasonChoice, Season), (PlaceChoice, Place)],
)
def test_the_options_know_the_words_of_scenarios(choice: type[StrEnum], words: Any) -> None:
    assert tuple(choice) == get_args(words)


def test_more_actors_than_16_bits_count_are_refused(
    film: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, scene: Any
) -> None:
    monkeypatch.setattr(world_clips, "MOST_ACTORS", 1)
    assert film("--masks").err == (
        f"drivesim: {CLIP}: has {len(scene.actors)} actors, and 16 bits count 1. "
        "Leave out --masks, or film a part of it\n"
    )


# -- the real thing -----------------------------------------------------------------------------------


def test_the_reference_world_is_filmed_alike_by_any_number_of_processes(
    drivesim_command: Any, scene_folder: Path, tmp_path: Path, hashes: Hashes
) -> None:
    run = ("world", scene_folder, "--size", "64x36", "--frames", "0:1", "--cameras", "front,left", "--masks", "-o")
    assert drivesim_command(*run, tmp_path / "one", "--workers", "1").code == 0
    assert drivesim_command(*run, tmp_path / "two", "--workers", "2").code == 0
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    classes = gray(tmp_path / "one" / CLIP / "classes" / "front" / "000000.png")
    depth = gray(tmp_path / "one" / CLIP / "depth" / "front" / "000000.png")
    assert {SemanticClass.SKY, SemanticClass.ROAD} <= set(classes.ravel().tolist())
    assert not depth[classes == SemanticClass.SKY].any()
    assert depth[classes == SemanticClass.ROAD].all()
