"""Which frames become a clip, and at which size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivesim.errors import DatasetError, SourceError
from drivesim.pipeline import FrameRange, clip_times, control_videos, film
from scenegraph import CameraRig, Scene, TimeRangeError

TIMES = np.array([0])


@pytest.mark.parametrize(
    ("frames", "first", "count"),
    [
        (FrameRange(), 0, 61),
        (FrameRange(30.0), 0, 61),
        (FrameRange(10.0), 0, 21),
        (FrameRange(10.0, seconds=1.7), 0, 17),
        (FrameRange(30.0, seconds=29 / 30), 0, 29),
        (FrameRange(seconds=2.0), 0, 60),
        (FrameRange(seconds=61 / 30), 0, 61),
        (FrameRange(start_s=1.0), 30, 31),
        (FrameRange(start_s=0.33, seconds=0.1), 10, 3),
        (FrameRange(start_s=0.34, seconds=0.1), 10, 3),
        (FrameRange(start_s=2.0, seconds=0.03), 60, 1),
        (FrameRange(first=0, stop=29), 0, 29),
        (FrameRange(first=60), 60, 1),
        (FrameRange(stop=61), 0, 61),
        (FrameRange(10.0, first=3, stop=5), 3, 2),
    ],
)
def test_a_range_is_whole_frames(scene: Scene, frames: FrameRange, first: int, count: int) -> None:
    times, fps = clip_times(scene, frames)
    assert fps == (frames.fps or 30.0)
    assert times.tolist() == [int(index * 1e6 / fps) for index in range(first, first + count)]


def test_recorded_instants_are_taken_as_they_are(scene: Scene) -> None:
    stamps = np.array([100, 100_100, 200_050, 300_100, 900_000, 1_000_000])
    recorded = replace(scene, frame_timestamps_us=stamps)
    times, fps = clip_times(recorded, FrameRange())
    assert times.tolist() == stamps.tolist()
    assert fps == 5.0
    assert clip_times(recorded, FrameRange(start_s=0.85))[0].tolist() == [900_000, 1_000_000]
    assert clip_times(recorded, FrameRange(start_s=0.15, seconds=0.3))[0].tolist() == [100_100, 200_050, 300_100]
    assert clip_times(recorded, FrameRange(10.0, seconds=0.2))[0].tolist() == [100, 100_100]


def test_a_single_recorded_instant_is_played_at_thirty_frames_per_second(scene: Scene) -> None:
    times, fps = clip_times(replace(scene, frame_timestamps_us=np.array([500_000])), FrameRange())
    assert (times.tolist(), fps) == ([500_000], 30.0)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"fps": 0.0}, "frames per second must be from 0.01 to 1000, got 0"),
        ({"fps": -1.0}, "frames per second must be from 0.01 to 1000, got -1"),
        ({"fps": float("nan")}, "frames per second must be from 0.01 to 1000, got nan"),
        ({"fps": 1e9}, "frames per second must be from 0.01 to 1000, got 1e+09"),
        ({"start_s": -0.5}, "the start must be 0 s or later, got -0.5"),
        ({"start_s": float("nan")}, "the start must be 0 s or later, got nan"),
        ({"start_s": float("inf")}, "the start must be 0 s or later, got inf"),
        ({"seconds": 0.0}, "the length must be above 0 s, got 0"),
        ({"seconds": -2.0}, "the length must be above 0 s, got -2"),
        ({"seconds": float("nan")}, "the length must be above 0 s, got nan"),
        ({"seconds": float("inf")}, "the length must be above 0 s, got inf"),
        ({"first": -1}, "frame numbers begin at 0, got -1"),
        ({"first": 5, "stop": 5}, "frames 5:5 hold no frame, the second number must be larger"),
        ({"first": 10, "stop": 5}, "frames 10:5 hold no frame, the second number must be larger"),
        ({"stop": 0}, "frames 0:0 hold no frame, the second number must be larger"),
        ({"first": 0, "seconds": 1.0}, "give frame numbers, or a start and a length in seconds, not both"),
        ({"stop": 9, "start_s": 1.0}, "give frame numbers, or a start and a length in seconds, not both"),
    ],
)
def test_an_impossible_range_is_refused(wanted: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TimeRangeError) as error:
        FrameRange(**wanted)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        (
            FrameRange(first=0, stop=62),
            "frames 0:62 cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second",
        ),
        (FrameRange(first=61), "frames 61:61 cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second"),
        (
            FrameRange(10.0, seconds=5.0),
            "0 to 5 s cannot be had, the clip has 21 frames, 2.1 s at 10 frames per second",
        ),
        (
            FrameRange(start_s=1.0, seconds=1.5),
            "1 to 2.5 s cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second",
        ),
        (
            FrameRange(start_s=9.0),
            "a start at 9 s cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second",
        ),
        (FrameRange(seconds=0.01), "0 to 0.01 s hold no frame at 30 frames per second"),
    ],
)
def test_a_range_beyond_the_clip_is_refused(scene: Scene, frames: FrameRange, sentence: str) -> None:
    with pytest.raises(TimeRangeError) as error:
        clip_times(scene, frames)
    assert str(error.value) == f"built-in-crossing: {sentence}"


def test_pictures_keep_each_cameras_shape_within_720p(scene: Scene) -> None:
    tall = replace(scene.rig["front"].resized(1550, 2048), name="tall")
    cameras = film(scene.with_rig(CameraRig((scene.rig["front"], tall))), TIMES, None).cameras
    assert [(camera.width_px, camera.height_px) for camera in cameras] == [(1280, 720), (544, 720)]


def test_a_size_holds_for_every_camera(scene: Scene) -> None:
    cameras = film(scene, TIMES, (64, 48)).cameras
    assert {(camera.width_px, camera.height_px) for camera in cameras} == {(64, 48)}


@pytest.mark.parametrize("size", [(0, 10), (10, 8193), (100_000, 100_000), (-2, 2)])
def test_an_impossible_size_is_refused(scene: Scene, size: tuple[int, int]) -> None:
    with pytest.raises(DatasetError) as error:
        film(scene, TIMES, size)
    assert str(error.value) == f"a picture of {size[0]}x{size[1]} is not possible: sides are 1 to 8192 pixels"


def test_a_scene_without_cameras_cannot_be_filmed(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        control_videos(scene.with_rig(CameraRig(())), tmp_path)
    assert str(error.value) == "built-in-crossing: has no cameras to film with. Give it a rig"
    assert list(tmp_path.iterdir()) == []
