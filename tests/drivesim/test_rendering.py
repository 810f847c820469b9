"""Control videos on disk: whole or absent, the same bytes however they came about, and nothing overwritten unasked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivesim import __version__
from drivesim.clip_folder import file_name
from drivesim.errors import DatasetError
from drivesim.pipeline import FrameRange, control_videos
from drivesim.rendering import RenderedClip
from drivesim.sources import load_scene
from render.controls import ControlRenderer
from render.errors import RenderError
from render.palette import LAYERS
from render.video import VideoWriter, frames, probe, read_image
from scenegraph import Brown, Camera, CameraRig, FTheta, OpenCvFisheye, Scene
from scenegraph.scene import EGO_EXTRAPOLATION_US

ROOT = Path(__file__).resolve().parents[2]
SIZE = (64, 36)
FIVE = FrameRange(first=0, stop=5)
OTHER_CLIP = (
    "{}: holds control videos of other content or settings. Add --overwrite to replace them, or choose another -o."
)
Hashes = Callable[[Path], dict[str, str]]


def draw(scene: Scene, out: Path, **changes: Any) -> RenderedClip:
    return control_videos(scene, out, **({"frames": FIVE, "size": SIZE} | changes))


@pytest.fixture(scope="module")
def finished(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run."""
    return draw(scene, tmp_path_factory.mktemp("finished")).folder


def interrupted(scene_folder: Path, out: Path, by: str) -> subprocess.CompletedProcess[str]:
    """A run, one camera after the other, that gets a signal when two frames of the second camera are written."""
    code = f"""
import os, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
from drivesim.cli import main
from render.video import VideoWriter

write, count = VideoWriter.write, 0

def write_or_die(self, frame):
    global count
    write(self, frame)
    count += 1
    if count == 7:
        os.kill(os.getpid(), signal.{by})
        stopping.wait()

def shutdown(self, *given, **named):
    stopping.set()
    end(self, *given, **named)

stopping = threading.Event()
end, ThreadPoolExecutor.shutdown = ThreadPoolExecutor.shutdown, shutdown
VideoWriter.write = write_or_die
sys.argv = ["drivesim", "render", {str(scene_folder)!r}, "-o", {str(out)!r},
            "--size", "64x36", "--frames", "0:5", "--workers", "1"]
main()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


# -- interrupted and resumed --------------------------------------------------------------------------


def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_one_goes_on(
    scene: Scene, scene_folder: Path, finished: Path, tmp_path: Path, hashes: Hashes
) -> None:
    killed = interrupted(scene_folder, tmp_path, "SIGKILL")
    assert killed.returncode == -signal.SIGKILL
    folder = tmp_path / finished.name
    left = sorted(path.name for path in folder.iterdir())
    assert [name for name in left if not name.startswith(".")] == ["front.mp4"]
    assert len([name for name in left if re.fullmatch(r"\.left\.mp4\.partial-.+-\d+", name)]) == 1
    assert probe(folder / "front.mp4").frames == 5
    first_written = (folder / "front.mp4").stat().st_mtime_ns

    result = draw(scene, tmp_path)
    assert result.kept == 1
    assert (folder / "front.mp4").stat().st_mtime_ns == first_written
    assert hashes(folder) == hashes(finished)


def test_ctrl_c_ends_with_one_tidy_line_and_nothing_half_written(
    scene: Scene, scene_folder: Path, finished: Path, tmp_path: Path, hashes: Hashes
) -> None:
    stopped = interrupted(scene_folder, tmp_path, "SIGINT")
    assert stopped.returncode == 130
    assert stopped.stderr == "drivesim: stopped. What was finished stays, nothing half-written is left.\n"
    assert stopped.stdout == ""
    folder = tmp_path / finished.name
    assert sorted(path.name for path in folder.iterdir()) == [".settings.json", "front.mp4"]
    assert draw(scene, tmp_path).kept == 1
    assert hashes(folder) == hashes(finished)


def test_a_finished_run_again_touches_nothing(scene: Scene, tmp_path: Path) -> None:
    first = draw(scene, tmp_path)
    assert first.kept == 0
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} | {
        first.folder: first.folder.stat().st_mtime_ns
    }
    again = draw(scene, tmp_path)
    assert again.kept == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("damage", ["removed", "empty", "cut"])
def test_a_video_that_was_lost_is_drawn_again(
    scene: Scene, finished: Path, tmp_path: Path, damage: str, hashes: Hashes
) -> None:
    folder = draw(scene, tmp_path).folder
    video = folder / "left.mp4"
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    if damage == "removed":
        video.unlink()
    assert draw(scene, tmp_path).kept == 2
    assert hashes(folder) == hashes(finished)


def test_an_error_in_one_camera_stops_the_others_and_leaves_nothing_half_written(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, drawn = threading.Event(), []
    original = ControlRenderer.frame

    def frame(self: ControlRenderer, view: int, index: int) -> Any:
        if view == 2:
            failed.set()
            raise RuntimeError("a bug")
        assert failed.wait(10.0)
        drawn.append(view)
        return original(self, view, index)

    monkeypatch.setattr(ControlRenderer, "frame", frame)
    with pytest.raises(RuntimeError, match=r"^a bug$"):
        draw(scene, tmp_path, frames=FrameRange(fps=1000.0), workers=3)
    assert len(drawn) < 1000, "of 4000 frames"
    assert [path.name for path in (tmp_path / "built-in-crossing").iterdir()] == [".settings.json"]


# -- the same bytes -----------------------------------------------------------------------------------


def test_one_worker_gives_the_bytes_of_many(scene: Scene, finished: Path, tmp_path: Path, hashes: Hashes) -> None:
    for workers in (1, 2, 5):
        folder = draw(scene, tmp_path / str(workers), workers=workers).folder
        assert hashes(folder) == hashes(finished)


def test_a_scene_folder_gives_the_bytes_of_the_scene(
    scene_folder: Path, finished: Path, tmp_path: Path, hashes: Hashes
) -> None:
    assert hashes(draw(load_scene(scene_folder), tmp_path).folder) == hashes(finished)


def test_a_lossless_video_holds_the_pictures_of_the_png_files(scene: Scene, tmp_path: Path) -> None:
    videos = draw(scene, tmp_path / "videos", lossless=True)
    pictures = draw(scene, tmp_path / "pictures", png=True)
    for name, video in videos.outputs.items():
        files = sorted(pictures.outputs[name].iterdir())
        assert [file.name for file in files] == [f"{index:06d}.png" for index in range(5)]
        for frame, file in zip(frames(video), files, strict=True):
            assert np.array_equal(frame, read_image(file))
    assert any(read_image(file).any() for file in files)


@pytest.mark.parametrize("fps", [30.0, 10.0, 29.97])
def test_frame_count_and_rate_of_the_files_are_exact(scene: Scene, tmp_path: Path, fps: float) -> None:
    result = draw(scene, tmp_path, frames=FrameRange(fps, seconds=0.5))
    for path in result.outputs.values():
        video = probe(path)
        assert (video.frames, video.width_px, video.height_px) == (round(0.5 * fps), *SIZE)
        assert video.fps == Fraction(str(fps))
        assert sum(1 for _ in frames(path)) == result.frames


# -- other content in the folder ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": FrameRange(first=0, stop=6)},
        {"frames": FrameRange(first=1, stop=6)},
        {"size": (64, 48)},
        {"palette": "hdmap-v1"},
        {"layers": ("actors",)},
        {"lossless": True},
        {"png": True},
    ],
)
def test_other_settings_are_refused(scene: Scene, tmp_path: Path, changes: dict[str, Any], hashes: Hashes) -> None:
    folder = draw(scene, tmp_path).folder
    before = hashes(folder)
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path, **changes)
    assert str(error.value) == OTHER_CLIP.format(folder)
    assert hashes(folder) == before


def test_other_content_is_refused(scene: Scene, tmp_path: Path) -> None:
    folder = draw(scene, tmp_path).folder
    with pytest.raises(DatasetError) as error:
        draw(replace(scene, actors=scene.actors[1:]), tmp_path)
    assert str(error.value) == OTHER_CLIP.format(folder)


def test_an_unfinished_clip_is_not_mixed_with_another(scene: Scene, scene_folder: Path, tmp_path: Path) -> None:
    interrupted(scene_folder, tmp_path, "SIGINT")
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path, palette="hdmap-v1")
    assert str(error.value) == OTHER_CLIP.format(tmp_path / "built-in-crossing")


def test_videos_of_unknown_origin_are_not_taken_for_ours(scene: Scene, tmp_path: Path) -> None:
    folder = draw(scene, tmp_path).folder
    (folder / "clip.json").unlink()
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path)
    assert str(error.value) == OTHER_CLIP.format(folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"cameras": [1]}', "\ufeff"])
def test_a_spoilt_description_is_refused_and_can_be_replaced(scene: Scene, tmp_path: Path, content: str) -> None:
    folder = draw(scene, tmp_path).folder
    (folder / "clip.json").write_text(content)
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path)
    assert str(error.value) == OTHER_CLIP.format(folder)
    assert draw(scene, tmp_path, overwrite=True).kept == 0


def test_overwriting_replaces_all_of_the_old_clip_and_nothing_else(scene: Scene, tmp_path: Path) -> None:
    folder = draw(scene, tmp_path, png=True).folder
    (folder / "notes.txt").write_text("mine")
    front = scene.with_rig(scene.rig.select(["front"]))
    result = draw(front, tmp_path, frames=FrameRange(first=0, stop=3), overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["clip.json", "front.mp4", "notes.txt"]
    assert probe(result.outputs["front"]).frames == 3


def test_overwriting_keeps_the_old_clip_when_the_new_one_is_impossible(
    scene: Scene, tmp_path: Path, hashes: Hashes
) -> None:
    folder = draw(scene, tmp_path).folder
    before = hashes(folder)
    with pytest.raises(RenderError) as error:
        draw(scene, tmp_path, size=(1281, 721), overwrite=True)
    assert str(error.value) == (
        f"{folder / 'front.mp4'}: a video of 1281x721 is not possible, both sides must be even. "
        "Choose an even size, or a lossless video"
    )
    assert hashes(folder) == before


def test_a_run_killed_while_overwriting_never_passes_old_videos_off_as_new(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashes: Hashes
) -> None:
    draw(scene, tmp_path / "ours", palette="hdmap-v1")
    expected = draw(scene, tmp_path / "other").folder

    def die(*_: Any) -> Iterator[None]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "__enter__", die)
        with pytest.raises(KeyboardInterrupt):
            draw(scene, tmp_path / "ours", overwrite=True)
    assert draw(scene, tmp_path / "ours").kept == 0
    assert hashes(tmp_path / "ours") == hashes(expected.parent)


# -- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scene-0061", "scene-0061"),
        ("a b.c_d-e", "a b.c_d-e"),
        ("Zürich 東京", "Zürich 東京"),
        ("../../etc", "%2E.%2F..%2Fetc"),
        ("/abs", "%2Fabs"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("a/b", "a%2Fb"),
        ("a%2Fb", "a%252Fb"),
        ("a\\b:c\n\0", "a%5Cb%3Ac%0A%00"),
        ("\ud800", "%D800"),
        ("", "%"),
    ],
)
def test_a_name_becomes_that_of_a_file_which_cannot_be_elsewhere(name: str, expected: str) -> None:
    assert file_name(name) == expected


def test_no_clip_or_camera_name_leads_out_of_the_folder(scene: Scene, tmp_path: Path) -> None:
    camera = replace(scene.rig["front"], name="../../up")
    odd = replace(scene, clip_id="../../../clip", rig=CameraRig((camera,)))
    for settings in ({}, {"png": True, "overwrite": True}):
        result = draw(odd, tmp_path / "a" / "b", **settings)
        assert result.folder == tmp_path / "a" / "b" / "%2E.%2F..%2F..%2Fclip"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert sorted(path.name for path in result.folder.iterdir()) == ["%2E.%2F..%2Fup", "clip.json"]
    assert json.loads((result.folder / "clip.json").read_text())["cameras"][0]["name"] == "../../up"


# -- the description ----------------------------------------------------------------------------------


def test_the_description_says_all_that_a_user_of_the_videos_needs(scene: Scene, finished: Path) -> None:
    found = json.loads((finished / "clip.json").read_text())
    assert found["drivesim"] == __version__
    assert found["clip"] == scene.clip_id
    assert found["source"] == {"format": "built-in", "licence": "Apache-2.0"}
    assert found["palette"] == "world-scenario"
    assert found["layers"] == list(LAYERS)
    assert found["fps"] == 30.0
    assert found["storage"] == "h264 yuv420p qp 18"
    assert found["frames"] == 5
    assert found["timestamps_us"] == [0, 33333, 66666, 100000, 133333]
    assert found["world_origin_m"] == [0.0, 0.0, 0.0]
    assert [camera["name"] for camera in found["cameras"]] == ["front", "left", "right"]
    assert all((finished / camera["file"]).is_file() for camera in found["cameras"])
    poses = np.array(found["world_from_ego"])
    assert np.array_equal(poses, scene.ego.at(np.array(found["timestamps_us"])).matrix)


def test_the_lenses_in_the_description_are_those_of_the_pictures(scene: Scene, finished: Path) -> None:
    found = json.loads((finished / "clip.json").read_text())
    for content, camera in zip(found["cameras"], scene.rig.resized(*SIZE), strict=True):
        assert (content["width_px"], content["height_px"]) == SIZE
        lens = dict(content["lens"])
        assert lens.pop("kind") == "pinhole"
        assert type(camera.lens)(**lens) == camera.lens
        assert np.array_equal(np.array(content["ego_from_camera"]), camera.ego_from_camera.matrix)


@pytest.mark.parametrize(
    ("lens", "kind"),
    [
        (Brown(80.0, 80.0, 79.5, 44.5, k1=-0.02), "brown"),
        (OpenCvFisheye(80.0, 80.0, 79.5, 44.5, k1=0.01), "fisheye"),
        (FTheta(79.5, 44.5, (0.0, 80.0), "angle-to-pixeldistance"), "ftheta"),
    ],
)
def test_every_lens_is_described_in_the_words_of_rig_files(scene: Scene, tmp_path: Path, lens: Any, kind: str) -> None:
    camera = Camera("front", lens, 160, 90, scene.rig["front"].ego_from_camera)
    result = draw(scene.with_rig(CameraRig((camera,))), tmp_path, size=(160, 90), frames=FrameRange(first=0, stop=1))
    content = json.loads((result.folder / "clip.json").read_text())["cameras"][0]["lens"]
    assert content.pop("kind") == kind
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    assert type(lens)(**fields) == lens


def test_instants_a_little_outside_of_the_recorded_poses_are_filmed(scene: Scene, tmp_path: Path) -> None:
    last = scene.ego.last_us
    late = replace(scene, frame_timestamps_us=np.array([last, last + EGO_EXTRAPOLATION_US // 2]))
    result = draw(late, tmp_path, frames=FrameRange())
    found = json.loads((result.folder / "clip.json").read_text())
    assert found["fps"] == 2.0
    assert found["world_from_ego"][1][0][3] > found["world_from_ego"][0][0][3]


# -- where it cannot be written -----------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "deep/er"])
def test_a_file_in_the_way_is_named(scene: Scene, tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path / "taken" / below)
    assert str(error.value) == f"{tmp_path / 'taken'}: is a file. Name a folder with -o."
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_named(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DatasetError) as error:
        draw(scene, tmp_path / "out")
    assert str(error.value) == f"{tmp_path / 'out' / 'built-in-crossing'}: cannot be written: Permission denied"
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_in_a_picture_folder_are_left_alone(scene: Scene, tmp_path: Path) -> None:
    mine = tmp_path / "built-in-crossing" / "front" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(RenderError) as error:
        draw(scene, tmp_path, png=True, overwrite=True, workers=1)
    assert str(error.value) == f"{mine.parent}: exists and is not empty. Remove it or name another folder"
    assert mine.read_text() == "mine"


def test_a_run_that_finished_no_video_does_not_hold_its_folder(scene: Scene, tmp_path: Path) -> None:
    folder = draw(scene, tmp_path).folder
    for video in folder.glob("*.mp4"):
        video.unlink()
    (folder / "clip.json").rename(folder / ".settings.json")
    assert draw(scene, tmp_path, frames=FrameRange(stop=3)).frames == 3
    assert not (folder / ".settings.json").exists()
