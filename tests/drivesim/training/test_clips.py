"""Clips to train on: what is written is read again bit for bit, by the seed, whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from striped_world import StripedWorld

from drivesim.errors import DatasetError
from drivesim.rigs import find_rig, load_rig
from drivesim.training import training_set as making
from drivesim.training.clips import TrainingClip, clip_folders, read_clip, write_clip
from drivesim.training.deadline import Deadline, TimeUpError
from drivesim.training.reference_folder import read_reference_clip, reference_stems
from drivesim.training.training_set import SetSettings, clip_folder, training_set
from drivesim.world_job import WorldJob
from render.video import VideoWriter
from scenegraph.rays import ray_maps

SMALL = SetSettings(2, width_px=96, height_px=80, frames=5)
Hashes = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="module", autouse=True)
def striped() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorldJob, "open", lambda job: StripedWorld(job))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_set(SMALL, tmp_path_factory.mktemp("sets") / "two", workers=1)


def random_clip(views: int = 2, frames: int = 5) -> TrainingClip:
    random = np.random.default_rng(0)
    shape = (views, frames, 16, 24, 3)
    return TrainingClip(
        "one",
        random.integers(0, 256, shape, dtype=np.uint8),
        random.integers(0, 256, shape, dtype=np.uint8),
        random.standard_normal((views, 6, 2, 3)).astype(np.float32),
        np.eye(views) == 0,
        "It is night.",
        ("left:1", "right:2")[:views],
        10.0,
        {"seed": 7},
    )


# -- one clip -----------------------------------------------------------------------------------------


def test_a_clip_is_read_as_it_was_written(tmp_path: Path) -> None:
    clip = random_clip()
    write_clip(tmp_path / "one", clip)
    found = read_clip(tmp_path / "one")
    for name in ("frames", "control", "rays", "neighbours"):
        assert np.array_equal(getattr(found, name), getattr(clip, name)), name
    assert (found.name, found.caption, found.camera_names, found.fps) == ("one", clip.caption, clip.camera_names, 10.0)
    assert found.about["seed"] == 7


def test_a_damaged_clip_is_named_with_what_to_do(tmp_path: Path) -> None:
    write_clip(tmp_path / "one", random_clip())
    (tmp_path / "one" / "geometry.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError) as refusal:
        read_clip(tmp_path / "one")
    assert str(refusal.value) == (
        f"{tmp_path}/one/geometry.npz: is missing or damaged. Delete {tmp_path}/one to have it made again"
    )
    (tmp_path / "one" / "clip.json").write_text("{}")
    with pytest.raises(DatasetError) as refusal:
        read_clip(tmp_path / "one")
    assert str(refusal.value) == f"{tmp_path}/one/clip.json: lacks cameras. Delete {tmp_path}/one to have it made again"


# -- sets ---------------------------------------------------------------------------------------------


def test_a_set_has_one_clip_per_seed_with_all_that_the_network_needs(made: Path) -> None:
    assert [path.name for path in clip_folders(made)] == ["00000000", "00000001"]
    clip = read_clip(clip_folder(made, 1))
    views = len(clip.camera_names)
    assert clip.frames.shape == clip.control.shape == (views, 5, 80, 96, 3)
    assert clip.rays.shape == (views, 6, 10, 12) and clip.neighbours.shape == (views, views)
    assert clip.frames[2, 3, 0, 0, 0] == 60 * 2 + 5 * 3  # the striped world: view 2, frame 3
    assert clip.control.any() and clip.about["seed"] == 1
    assert "The video shows a drive" in clip.caption


def test_the_same_seed_makes_the_same_files(made: Path, tmp_path: Path, hashes: Hashes) -> None:
    training_set(SetSettings(1, 1, 96, 80, 5), tmp_path / "again", workers=1)
    assert hashes(clip_folder(tmp_path / "again", 1)) == hashes(clip_folder(made, 1))


def test_clips_that_are_there_stay_and_those_that_are_missing_are_made(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    shutil.rmtree(clip_folder(folder, 1))
    seeds: list[int] = []
    real = making.random_scenario
    monkeypatch.setattr(making, "random_scenario", lambda seed, *rest: (seeds.append(seed), real(seed, *rest))[1])
    training_set(SMALL, folder, workers=1)
    training_set(SMALL, folder, workers=1)
    assert seeds == [1]


def test_a_folder_of_other_clips_is_refused(made: Path) -> None:
    with pytest.raises(DatasetError) as refusal:
        training_set(SetSettings(2, width_px=96, height_px=80, frames=9), made, workers=1)
    assert str(refusal.value) == (
        f"{made}: holds clips of width_px 96, height_px 80, frames 5, fps 10.0, and width_px 96, height_px 80, "
        "frames 9, fps 10.0 is asked for. Choose another folder"
    )


def test_when_the_time_is_up_it_says_how_far_it_came(tmp_path: Path) -> None:
    with pytest.raises(TimeUpError, match=rf"^0 of 2 clips are in {tmp_path}$"):
        training_set(SMALL, tmp_path, deadline=Deadline(at_s=0.0), workers=1)


# -- the reference's folders --------------------------------------------------------------------------


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """Two clips of two cameras, 29 frames of 64x48."""
    for kind, brightness in (("videos", 100), ("control_input_hdmap_bbox", 200)):
        for camera in ("ftheta_camera_front_wide_120fov", "ftheta_camera_rear_tele_30fov"):
            (tmp_path / kind / camera).mkdir(parents=True)
            for stem in ("a", "b"):
                with VideoWriter(tmp_path / kind / camera / f"{stem}.mp4", 64, 48, 10) as writer:
                    for index in range(29):
                        writer.write(np.full((48, 64, 3), brightness + index, dtype=np.uint8))
    captions = tmp_path / "captions" / "ftheta_camera_front_wide_120fov"
    captions.mkdir(parents=True)
    for stem in ("a", "b"):
        (captions / f"{stem}.json").write_text(json.dumps({"caption": f"It is night, clip {stem}."}))
    return tmp_path


def cosmos_rig() -> Any:
    return load_rig(find_rig("cosmos-ftheta-7"))


def test_the_references_folders_are_read_with_the_geometry_of_a_rig(reference: Path) -> None:
    assert reference_stems(reference, cosmos_rig()) == ["a", "b"]
    clip = read_reference_clip(reference, cosmos_rig(), "b", 32, 16, 9)
    names = ("camera_front_wide_120fov", "camera_rear_tele_30fov")
    assert clip.camera_names == names
    assert clip.frames.shape == clip.control.shape == (2, 9, 16, 32, 3)
    assert clip.frames[0, :, 8, 8, 0] == pytest.approx(range(100, 109), abs=2)
    assert clip.control[1, 8, 8, 8, 0] == pytest.approx(208, abs=2)
    assert clip.caption == "It is night, clip b." and clip.fps == 10.0
    assert np.array_equal(clip.rays, ray_maps(cosmos_rig().select(names).resized(32, 16), 2, 4))


def test_folders_that_lack_something_are_refused(reference: Path) -> None:
    rig = cosmos_rig()
    with pytest.raises(DatasetError, match=r"a\.mp4: has 29 frames, and 33 are needed\. Train on fewer, or remove it$"):
        read_reference_clip(reference, rig, "a", 32, 16, 33)
    missing = reference / "control_input_hdmap_bbox" / "ftheta_camera_rear_tele_30fov" / "b.mp4"
    missing.unlink()
    with pytest.raises(DatasetError) as refusal:
        reference_stems(reference, rig)
    assert str(refusal.value) == f"{missing}: is missing. Every camera needs this clip, or none"
    with pytest.raises(DatasetError, match=r"the rig has no camera of this name, it has CAM_FRONT, .* Name a rig that"):
        reference_stems(reference, load_rig(find_rig("nuscenes-6")))
    shutil.rmtree(reference / "captions")
    with pytest.raises(DatasetError, match=r"has no folder captions\. Expected videos, control_input_hdmap_bbox and"):
        reference_stems(reference, rig)


def test_pictures_are_shrunk_by_area(reference: Path) -> None:
    board = np.indices((48, 64)).sum(axis=0) % 2 * 255
    path = reference / "videos" / "ftheta_camera_front_wide_120fov" / "a.mp4"
    with VideoWriter(path, 64, 48, 10, lossless=True) as writer:
        for _ in range(5):
            writer.write(np.repeat(board[..., None], 3, axis=2).astype(np.uint8))
    clip = read_reference_clip(reference, cosmos_rig(), "a", 32, 24, 5)
    assert cv2.absdiff(clip.frames[0, 0], np.full((24, 32, 3), 128, dtype=np.uint8)).max() <= 1
