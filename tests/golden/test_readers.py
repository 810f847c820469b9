"""From a log to a golden picture: each reader and the renderer together, within the limits of golden frames."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from golden_scenes import closeness, golden_picture, save_difference

from render.controls import ControlRenderer
from scenegraph.formats.clipgt import read_clipgt
from scenegraph.formats.rds_hq import read_rds_hq

# Reader, its log and its pictures below golden/render, and the clip frame of each picture's number.
_LOGS = {
    "rds-hq": (read_rds_hq, "rdshq/rds", "rdshq/frames", {0: 0, 4: 4, 7: 7, 15: 15}),
    "clipgt": (read_clipgt, "clipgt/parquet", "clipgt/clipgt_canonical/frames", {0: 0, 1: 29}),
}
_CAMERAS = {
    "rds-hq": ("camera_front_wide_120fov", "camera_rear_tele_30fov"),
    "clipgt": ("camera_front_wide_120fov", "camera_cross_left_120fov", "camera_rear_tele_30fov"),
}
# Listed here so that a picture that disappears is a failure and not a shorter run.
PICTURES = [(log, camera, number) for log in _LOGS for camera in _CAMERAS[log] for number in _LOGS[log][3]]


@cache
def _renderer(golden_render: Path, log: str) -> ControlRenderer:
    read, folder, _, _ = _LOGS[log]
    scene = read(golden_render / folder)
    return ControlRenderer(scene, scene.rig.resized(1280, 720).at(scene.ego, scene.frame_times_us(30.0)))


def _picture(golden_render: Path, log: str, camera: str, number: int) -> Path:
    return golden_render / _LOGS[log][2] / f"{camera}.f{number:03d}.png"


@pytest.fixture(scope="module")
def limit(golden_render: Path) -> dict[str, float]:
    limits = json.loads((golden_render / "metrics_reference.json").read_text())
    return limits["suggested_pass"]["frames"]["same_sample_positions"]


@pytest.mark.parametrize("log", _LOGS)
def test_the_list_holds_every_picture_of_the_log(golden_render: Path, log: str) -> None:
    found = set((golden_render / _LOGS[log][2]).glob("*.png"))
    assert found == {_picture(golden_render, *entry) for entry in PICTURES if entry[0] == log}


@pytest.mark.parametrize("log", _LOGS)
def test_the_log_has_exactly_the_cameras_of_its_pictures(golden_render: Path, log: str) -> None:
    assert set(_renderer(golden_render, log).cameras.names) == set(_CAMERAS[log])


@pytest.mark.parametrize(("log", "camera", "number"), PICTURES)
def test_a_log_read_and_drawn_is_the_golden_picture(
    golden_render: Path, limit: dict[str, float], log: str, camera: str, number: int
) -> None:
    renderer = _renderer(golden_render, log)
    ours = renderer.frame(renderer.cameras.names.index(camera), _LOGS[log][3][number])
    theirs = golden_picture(_picture(golden_render, log, camera, number))
    found = closeness(ours, theirs)
    good = (
        found.psnr_db >= limit["psnr_min_db"]
        and found.over_64_percent <= limit["gt64_max_pct"]
        and found.iou >= limit["iou_min"]
    )
    assert good, f"{found}; see {save_difference(f'{log}.{camera}.{number}', ours, theirs)}"


@pytest.mark.parametrize("log", _LOGS)
def test_the_next_frame_of_the_log_would_be_noticed(golden_render: Path, limit: dict[str, float], log: str) -> None:
    renderer = _renderer(golden_render, log)
    ours = renderer.frame(renderer.cameras.names.index("camera_front_wide_120fov"), 1)
    found = closeness(ours, golden_picture(_picture(golden_render, log, "camera_front_wide_120fov", 0)))
    assert found.psnr_db < limit["psnr_min_db"] and found.over_64_percent > limit["gt64_max_pct"]
