"""What a generator is given: frames, sizes, cameras and known frames of a scene or of videos made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivesim.clip_job import ClipJob, require_known, require_numbers, require_size, sample_job, scene_job
from drivesim.cosmos_spec import CosmosSample, read_cosmos_spec
from drivesim.errors import DatasetError, SourceError
from drivesim.pipeline import FrameRange, clip_times, film
from models.errors import ShapeError
from models.request import Regime
from render.controls import ControlRenderer
from render.video import VideoWriter, write_png
from scenegraph import CameraRig, Scene
from scenegraph.formats.images import RecordedImage, RecordedImages

TINY = Regime(width_px=64, height_px=32, clip_frames=5)
FIVE = FrameRange(stop=5)


def job_of(scene: Scene, regime: Regime = TINY, **more: Any) -> ClipJob:
    return scene_job(scene, regime, **more)


# -- a scene --------------------------------------------------------------------------------------------


def test_a_scene_is_filmed_as_the_generator_was_trained(scene: Scene) -> None:
    job = job_of(scene)
    assert (job.name, job.camera_names) == ("built-in-crossing", ("front", "left", "right"))
    assert (job.frames, job.fps) == (5, 10.0)
    assert job.control(0, 5).shape == (3, 5, 32, 64, 3)
    assert job.known_frames == () and job.scene is scene
    times_us, _ = clip_times(scene, FrameRange(10.0, stop=5))
    assert job.cameras is not None and np.array_equal(job.cameras.timestamps_us, times_us)


def test_controls_are_those_of_the_renderer(scene: Scene) -> None:
    times_us, _ = clip_times(scene, FrameRange(10.0, stop=5))
    renderer = ControlRenderer(scene, film(scene, times_us, (64, 32)))
    part = job_of(scene).control(2, 5)
    for view in range(3):
        for index in range(3):
            assert np.array_equal(part[view, index], renderer.frame(view, 2 + index))
    assert part.any()


@pytest.mark.parametrize(
    ("frames", "regime", "count", "notes"),
    [
        (FrameRange(), {}, 5, []),
        (
            FrameRange(),
            {"clip_frames": 29},
            21,
            ["21 frames, to the end of the scene; the generator was trained on 29"],
        ),
        (
            FrameRange(start_s=0.3),
            {"clip_frames": 29},
            17,
            [
                "17 of 18 frames are taken: a clip has 4k+1",
                "17 frames, to the end of the scene; the generator was trained on 29",
            ],
        ),
        (FrameRange(seconds=1.3), {}, 13, []),
        (FrameRange(seconds=1.2), {}, 9, ["9 of 12 frames are taken: a clip has 4k+1"]),
        (FrameRange(seconds=0.2), {}, 1, ["1 of 2 frames are taken: a clip has 4k+1"]),
        (FrameRange(first=4, stop=13), {}, 9, []),
        (FrameRange(first=20), {}, 1, []),
        (FrameRange(30.0, stop=9), {}, 9, ["30 frames per second; the generator was trained at 10"]),
        (FrameRange(), {"fps": 30.0}, 5, []),
    ],
)
def test_the_frames_of_a_clip_and_what_its_maker_should_know(
    scene: Scene, frames: FrameRange, regime: dict[str, Any], count: int, notes: list[str]
) -> None:
    job = job_of(scene, Regime(**{"width_px": 64, "height_px": 32, "clip_frames": 5} | regime), frames=frames)
    assert job.frames == count
    assert list(job.notes) == notes
    assert job.fps == (frames.fps or regime.get("fps", 10.0))


def test_a_generator_that_knows_cameras_by_rays_gets_them_per_latent_cell(scene: Scene) -> None:
    job = job_of(scene)
    assert job.rays is not None and job.rays.shape == (3, 6, 4, 8) and job.rays.dtype == np.float32
    assert job.view_ids == (0, 1, 2) and job.neighbours is None
    cropped = job_of(scene, fit="crop").rays
    assert cropped is not None and not np.array_equal(job.rays, cropped)


def test_a_generator_that_knows_cameras_by_number_gets_numbers(scene: Scene) -> None:
    job = job_of(scene, Regime(width_px=64, height_px=32, clip_frames=5, known_views=7))
    assert job.rays is None
    assert job.view_ids == (0, 5, 1)
    assert len(job.notes) == 1 and job.notes[0].startswith("The weights know their cameras by name")
    with pytest.raises(DatasetError) as error:
        job_of(scene, Regime(known_views=2))
    assert str(error.value) == "3 cameras, but the weights know 2 views: choose some with --cameras"


@pytest.mark.parametrize("neighbour_map", ["rig", "cosmos-7"])
def test_neighbours_are_those_of_the_rig_or_of_the_published_table(scene: Scene, neighbour_map: Any) -> None:
    regime = Regime(width_px=64, height_px=32, clip_frames=5, known_views=7, neighbour_map=neighbour_map)
    neighbours = job_of(scene, regime).neighbours
    assert neighbours is not None
    expected = scene.rig.neighbours() if neighbour_map == "rig" else np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]) > 0
    assert np.array_equal(neighbours, expected)


def test_cameras_are_stretched_or_cut(scene: Scene) -> None:
    stretched = job_of(scene, size=(64, 64))
    assert stretched.notes == ("3 of 3 cameras are stretched to 64x64, up to 1.8 times; --fit crop keeps the shape",)
    cut = job_of(scene, size=(64, 64), fit="crop")
    assert cut.notes == ()
    assert stretched.cameras is not None and cut.cameras is not None
    for whole, part in zip(stretched.cameras.cameras, cut.cameras.cameras, strict=True):
        assert (whole.width_px, whole.height_px) == (part.width_px, part.height_px) == (64, 64)
        assert whole.lens.fx_px < whole.lens.fy_px  # type: ignore[attr-defined]
        assert part.lens.fx_px == pytest.approx(part.lens.fy_px)  # type: ignore[attr-defined]
    assert job_of(scene, size=(160, 96)).notes == ()
    one = job_of(scene.with_rig(CameraRig(scene.rig.cameras[:1])), size=(16, 32)).notes
    assert one == ("the camera is stretched to 16x32, up to 3.6 times; --fit crop keeps the shape",)


def test_the_description_tells_cameras_fit_and_known_frames(scene: Scene, tmp_path: Path) -> None:
    description = job_of(scene, fit="crop").description
    assert description["fit"] == "crop" and description["frames"] == 5
    assert description["known_frames"] == [] and description["known_sha256"] == []
    assert [camera["width_px"] for camera in description["cameras"]] == [64] * 3
    assert json.loads(json.dumps(description)) == description


def test_a_scene_without_cameras_is_refused(scene: Scene) -> None:
    with pytest.raises(SourceError) as error:
        job_of(scene.with_rig(CameraRig(())))
    assert str(error.value) == "built-in-crossing: has no cameras to film with. Give it a rig"


# -- known frames ---------------------------------------------------------------------------------------


def _recorded(scene: Scene, folder: Path, times_us: Any, size: tuple[int, int] = (160, 90)) -> RecordedImages:
    """Plain pictures: the camera's number as red, the picture's as green."""
    pictures = {}
    for view, name in enumerate(scene.rig.names):
        taken = []
        for index, time_us in enumerate(times_us):
            path = folder / f"{name}-{index}.png"
            write_png(path, np.full((size[1], size[0], 3), (view, 10 * index, 200), dtype=np.uint8))
            taken.append(RecordedImage(int(time_us), path))
        pictures[name] = tuple(taken)
    return pictures


def test_known_frames_are_the_pictures_nearest_in_time(scene: Scene, tmp_path: Path) -> None:
    start_us = int(scene.frame_times_us(10.0)[0])
    pictures = _recorded(scene, tmp_path, start_us + np.array([-40_000, 30_000, 90_000, 210_000, 290_000, 400_000]))
    job = job_of(scene, known=5, pictures=pictures)
    assert [view.shape for view in job.known_frames] == [(5, 32, 64, 3)] * 3
    for view, known in enumerate(job.known_frames):
        assert known[:, 0, 0].tolist() == [[view, 10 * index, 200] for index in (1, 2, 3, 4, 5)]
    assert job.description["known_frames"] == [5, 5, 5]
    other = job_of(scene, known=5, pictures=pictures | {"left": pictures["right"]}).description
    assert [a == b for a, b in zip(other["known_sha256"], job.description["known_sha256"], strict=True)] == [
        True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_known_frames_show_what_the_camera_of_the_clip_sees(scene: Scene, tmp_path: Path, fit: Any) -> None:
    start_us = int(scene.frame_times_us(10.0)[0])
    picture = np.zeros((90, 160, 3), dtype=np.uint8)
    picture[:, 35:125] = 255  # what a square in the middle shows
    write_png(tmp_path / "p.png", picture)
    pictures = {name: (RecordedImage(start_us, tmp_path / "p.png"),) for name in scene.rig.names}
    job = job_of(scene, known=1, pictures=pictures, size=(32, 32), fit=fit)
    known = job.known_frames[0][0]
    expected = picture[:, 35:125] if fit == "crop" else picture
    assert np.array_equal(known, cv2.resize(expected, (32, 32), interpolation=cv2.INTER_AREA))
    assert (known == 255).all() == (fit == "crop")


def test_known_frames_that_were_not_recorded_are_refused(scene: Scene, tmp_path: Path) -> None:
    start_us = int(scene.frame_times_us(10.0)[0])
    pictures = _recorded(scene, tmp_path, [start_us, start_us + 160_001])
    assert len(job_of(scene, known=1, pictures=pictures).known_frames) == 3
    with pytest.raises(SourceError) as error:
        job_of(scene, known=5, pictures=pictures)
    assert str(error.value) == (
        "front: no picture was recorded within 60 ms of frame 1 of the clip. "
        "Ask for fewer --known frames, begin elsewhere with --start, or leave out this camera"
    )
    del pictures["left"]
    with pytest.raises(SourceError) as error:
        job_of(scene, known=1, pictures=pictures)
    assert str(error.value) == "left: no pictures of this camera were recorded. Leave out --known, or this camera"


# -- what no clip can be --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "error_type", "sentence"),
    [
        ({"frames": FrameRange(stop=8)}, ShapeError, "8 frames are not 4k+1. Use 5 or 9"),
        ({"known": 2}, DatasetError, "known frames: 2 frames are not 4k+1. Use 1 or 5"),
        ({"known": 9}, DatasetError, "9 known frames are more than the 5 of the clip"),
        (
            {"size": (64, 40)},
            DatasetError,
            "pictures of 64x40 are not possible: both sides must be multiples of 16, up to 8192. Try 64x32",
        ),
        (
            {"size": (0, 16)},
            DatasetError,
            "pictures of 0x16 are not possible: both sides must be multiples of 16, up to 8192. Try 16x16",
        ),
        (
            {"size": (64, 99_999_984)},
            DatasetError,
            "pictures of 64x99999984 are not possible: both sides must be multiples of 16, up to 8192. Try 64x8192",
        ),
    ],
)
def test_what_no_clip_of_a_scene_can_be_is_refused(
    scene: Scene, more: dict[str, Any], error_type: type[Exception], sentence: str
) -> None:
    with pytest.raises(error_type) as error:
        job_of(scene, **more)
    assert str(error.value) == sentence


def test_much_can_be_refused_before_weights_and_scene_are_read() -> None:
    require_numbers(FrameRange(first=3, stop=12))
    require_numbers(FrameRange(first=3))
    require_numbers(FrameRange(seconds=0.7))
    with pytest.raises(ShapeError) as error:
        require_numbers(FrameRange(first=3, stop=13))
    assert str(error.value) == "10 frames are not 4k+1. Use 9 or 13"
    for known in (0, 1, 5, 41):
        require_known(known)
    with pytest.raises(DatasetError):
        require_known(4)
    require_size(64, 32)
    require_size(24, 8, multiple_px=8)
    with pytest.raises(DatasetError):
        require_size(24, 8)


# -- the reference's specification ----------------------------------------------------------------------


def _write_video(path: Path, level: int, frames: int, fps: int = 10) -> None:
    with VideoWriter(path, 64, 32, fps, lossless=True) as writer:
        for index in range(frames):
            writer.write(np.full((32, 64, 3), level + index, dtype=np.uint8))


def _sample(folder: Path, frames: int = 9, **more: Any) -> CosmosSample:
    for level, name in ((10, "front"), (100, "rear"), (200, "real")):
        _write_video(folder / f"{name}.mp4", level, frames)
    content = {
        "name": "street",
        "prompt": "A street.",
        "num_conditional_frames": 0,
        "front_wide": {"control_path": "front.mp4"},
        "rear": {"control_path": "rear.mp4"},
    }
    (folder / "spec.json").write_text(json.dumps(content | more))
    return read_cosmos_spec(folder / "spec.json")[0]


SEVEN = Regime(width_px=64, height_px=32, clip_frames=5, known_views=7)


def test_a_sample_is_its_videos(tmp_path: Path) -> None:
    job = sample_job(_sample(tmp_path), SEVEN)
    assert (job.name, job.camera_names, job.view_ids) == ("street", ("front_wide", "rear"), (0, 3))
    assert (job.frames, job.fps, job.known_frames, job.scene) == (5, 10.0, (), None)
    assert job.control(1, 3)[:, :, 0, 0, 0].tolist() == [[11, 12], [101, 102]]
    assert job.notes == () and job.rays is None and job.neighbours is None


def test_a_sample_may_begin_with_known_frames_and_have_more_chunks(tmp_path: Path) -> None:
    views = {
        "front_wide": {"control_path": "front.mp4", "input_path": "real.mp4"},
        "rear": {"control_path": "rear.mp4", "input_path": "real.mp4"},
    }
    sample = _sample(tmp_path, 13, num_conditional_frames=1, enable_autoregressive=True, num_chunks=3, **views)
    job = sample_job(sample, SEVEN)
    assert job.frames == 13
    assert [view[:, 0, 0, 0].tolist() for view in job.known_frames] == [[200], [200]]
    short = sample_job(_sample(tmp_path, 9, enable_autoregressive=True, num_chunks=3), SEVEN)
    assert short.notes == (
        "street: the control videos have 9 frames at 10 fps, enough for 2 of the 3 chunks: 9 frames.",
    )


def test_the_published_table_says_which_views_of_a_sample_are_neighbours(tmp_path: Path) -> None:
    regime = Regime(width_px=64, height_px=32, clip_frames=5, known_views=7, neighbour_map="cosmos-7")
    neighbours = sample_job(_sample(tmp_path, cross_left={"control_path": "rear.mp4"}), regime).neighbours
    assert neighbours is not None
    assert neighbours.tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_a_sample_is_another_when_the_pictures_of_its_videos_are(tmp_path: Path) -> None:
    first = sample_job(_sample(tmp_path), SEVEN).description
    assert sample_job(_sample(tmp_path), SEVEN).description == first
    sample = _sample(tmp_path)
    _write_video(tmp_path / "rear.mp4", 101, 9)
    other = sample_job(sample, SEVEN).description
    assert [camera["control"] for camera in other["cameras"]] == ["front.mp4", "rear.mp4"]
    assert other["cameras"][0] == first["cameras"][0] and other["cameras"][1] != first["cameras"][1]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert sample_job(_sample(elsewhere), SEVEN).description == first


@pytest.mark.parametrize(
    ("regime", "problem"),
    [
        (Regime(), "these weights need camera geometry, which the specification lacks. Use a scene"),
        (
            Regime(known_views=7, neighbour_map="rig"),
            "these weights need the rig's overlap, which the specification lacks. Use a scene",
        ),
        (
            Regime(known_views=3),
            "these weights know the first 3 views only, not rear. Leave these out",
        ),
    ],
)
def test_weights_that_need_more_than_a_specification_says_are_refused(
    tmp_path: Path, regime: Regime, problem: str
) -> None:
    with pytest.raises(DatasetError) as error:
        sample_job(_sample(tmp_path), regime)
    assert str(error.value) == f"street: {problem}"
