"""Previews on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivesim.errors import DatasetError
from drivesim.pipeline import FrameRange
from drivesim.previewing import require_preview_name, write_overlays, write_preview
from drivesim.sources import load_scene, recorded_pictures
from render.errors import RenderError
from render.preview import PreviewRenderer
from render.video import probe, read_image
from scenegraph import CameraRig, Scene


def test_a_video_has_every_frame_of_the_range(scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "new" / "preview.mp4"
    assert write_preview(scene, out, frames=FrameRange(10.0, seconds=0.5)) == 5
    video = probe(out)
    assert (video.frames, video.fps, video.width_px, video.height_px) == (5, 10, 1920, 1080)
    assert [path.name for path in out.parent.iterdir()] == ["preview.mp4"]


def test_a_picture_is_the_first_frame_of_the_range(scene: Scene, tmp_path: Path) -> None:
    first, later = tmp_path / "first.PNG", tmp_path / "later.png"
    assert write_preview(scene, first, frames=FrameRange(stop=30)) == 1
    assert write_preview(scene, later, frames=FrameRange(first=29, stop=30)) == 1
    assert read_image(first).shape == (1080, 1920, 3)
    assert not np.array_equal(read_image(first), read_image(later))


def test_the_same_preview_is_the_same_bytes(scene: Scene, tmp_path: Path) -> None:
    files = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for file in files:
        write_preview(scene, file, frames=FrameRange(10.0, seconds=0.5))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_recorded_pictures_take_the_place_of_control_pictures(shared_data: Path, tmp_path: Path) -> None:
    log = shared_data / "nuscenes_scene-0061"
    scene = load_scene(log)
    plain, overlay = tmp_path / "plain.png", tmp_path / "overlay.png"
    write_preview(scene, plain)
    write_preview(scene, overlay, photos=recorded_pictures(log, scene))
    dark, bright = ((read_image(file) < 8).mean() for file in (plain, overlay))
    assert bright < 0.5 * dark


@pytest.mark.parametrize("name", ["preview.gif", "preview", "preview.mp4.txt"])
def test_other_kinds_of_files_are_refused(scene: Scene, tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError) as error:
        write_preview(scene, tmp_path / name)
    assert str(error.value) == f"{tmp_path / name}: a preview is an .mp4 or a .png. Name one of these with -o."
    assert list(tmp_path.iterdir()) == []


def test_a_scene_without_cameras_is_refused(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(RenderError) as error:
        write_preview(scene.with_rig(CameraRig(())), tmp_path / "preview.png")
    assert str(error.value) == "a preview shows 1 to 12 cameras, got 0. Choose some of them."
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_drawing_leaves_nothing(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = PreviewRenderer.frame

    def frame(self: PreviewRenderer, index: int) -> Any:
        if index == 3:
            raise RuntimeError("a bug")
        return original(self, index)

    monkeypatch.setattr(PreviewRenderer, "frame", frame)
    with pytest.raises(RuntimeError, match=r"^a bug$"):
        write_preview(scene, tmp_path / "preview.mp4", frames=FrameRange(stop=6))
    assert list(tmp_path.iterdir()) == []


def test_time_and_frame_number_are_those_of_the_scene(scene: Scene, tmp_path: Path) -> None:
    alone, within = tmp_path / "alone.png", tmp_path / "within.png"
    write_preview(scene, alone, frames=FrameRange(10.0, first=4, stop=5))
    write_preview(scene, within, frames=FrameRange(10.0, first=4, stop=9))
    assert alone.read_bytes() == within.read_bytes()


def test_full_size_overlays_are_one_per_camera(shared_data: Path, tmp_path: Path) -> None:
    log = shared_data / "nuscenes_scene-0061"
    scene = load_scene(log)
    assert write_overlays(scene, tmp_path / "check", recorded_pictures(log, scene)) == 6
    pictures = sorted((tmp_path / "check").iterdir())
    assert [path.stem for path in pictures] == sorted(scene.rig.names)
    assert all(read_image(path).shape == (900, 1600, 3) for path in pictures)


def test_only_an_overlay_may_be_a_folder(tmp_path: Path) -> None:
    require_preview_name(tmp_path / "check", overlay=True)
    with pytest.raises(DatasetError) as error:
        require_preview_name(tmp_path / "check.gif", overlay=True)
    assert str(error.value) == (
        f"{tmp_path}/check.gif: a preview is an .mp4, a .png or, with --overlay, a folder. Name one of these with -o."
    )
