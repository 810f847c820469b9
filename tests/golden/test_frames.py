"""Every golden frame, within the limits for the reference's own sample positions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from golden_scenes import (
    GoldenScene,
    closeness,
    golden_picture,
    load_golden_scene,
    relative_error,
    save_difference,
)

from render.controls import ControlRenderer

# Folder under golden/render, camera, frame: the 25 normative pictures. Listed here so that a picture that
# disappears is a failure and not a shorter run.
_SEVEN = (
    *("camera_front_wide_120fov", "camera_cross_right_120fov", "camera_rear_right_70fov", "camera_rear_tele_30fov"),
    *("camera_rear_left_70fov", "camera_cross_left_120fov", "camera_front_tele_30fov"),
)
_THREE = ("camera_front_wide_120fov", "camera_cross_left_120fov", "camera_rear_tele_30fov")
NORMATIVE = [
    *(("scenes/highway_7cam", camera, frame) for camera in _SEVEN for frame in (0, 2)),
    ("scenes/prim_boxes", "camera_front_wide_120fov", 0),
    ("scenes/prim_lane_styles", "camera_front_wide_120fov", 0),
    ("scenes/prim_lines", "camera_front_wide_120fov", 0),
    ("scenes/prim_polygons", "camera_front_wide_120fov", 0),
    ("scenes/prim_pinhole", "camera_pinhole_front", 0),
    *(("clipgt/clipgt_canonical", camera, frame) for camera in _THREE for frame in (0, 1)),
]


@cache
def _golden(folder: Path) -> tuple[GoldenScene, ControlRenderer]:
    golden = load_golden_scene(folder)
    return golden, ControlRenderer(golden.scene, golden.cameras)


@pytest.fixture(scope="module")
def limits(golden_render: Path) -> dict[str, dict[str, float]]:
    return json.loads((golden_render / "metrics_reference.json").read_text())["suggested_pass"]


def test_the_list_holds_every_normative_picture(golden_render: Path) -> None:
    found = set()
    for file in golden_render.glob("*/*/scene.json"):
        golden = load_golden_scene(file.parent)
        folder = file.parent.relative_to(golden_render).as_posix()
        found |= {(folder, *key) for key in golden.pictures if golden.normative}
    assert found == set(NORMATIVE)


@pytest.mark.parametrize(("folder", "camera", "frame"), NORMATIVE)
def test_frame_is_as_close_as_the_same_sample_positions_allow(
    golden_render: Path, limits: dict[str, dict[str, float]], folder: str, camera: str, frame: int
) -> None:
    golden, renderer = _golden(golden_render / folder)
    ours = renderer.frame(golden.cameras.names.index(camera), frame)
    theirs = golden_picture(golden.pictures[camera, frame])
    limit = limits["frames"]["same_sample_positions"]
    found = closeness(ours, theirs)
    good = (
        found.psnr_db >= limit["psnr_min_db"]
        and found.over_64_percent <= limit["gt64_max_pct"]
        and found.iou >= limit["iou_min"]
    )
    assert good, f"{found}; see {save_difference(f'{golden.scene.clip_id}.{camera}.{frame}', ours, theirs)}"


_LAYERS = {
    "lane_lines": "lane_lines",
    "road_boundaries": "road_boundaries",
    "wait_lines": "stop_lines",
    "poles": "poles",
    "crosswalks": "crosswalks",
    "road_markings": "road_markings",
    "traffic_signs": "traffic_signs",
    "traffic_lights": "traffic_lights",
    "objects": "actors",
}


@pytest.mark.parametrize("layer", _LAYERS)
def test_layer_alone_is_close(golden_render: Path, limits: dict[str, dict[str, float]], layer: str) -> None:
    folder = golden_render / "scenes" / "highway_7cam"
    golden, _ = _golden(folder)
    renderer = ControlRenderer(golden.scene, golden.cameras, layers=(_LAYERS[layer],))
    ours = renderer.frame(golden.cameras.names.index("camera_front_wide_120fov"), 0)
    theirs = golden_picture(folder / "layers" / f"{layer}.camera_front_wide_120fov.f000.png")
    general = limits["layers"]["relative_absolute_error_max"]
    # Crosswalks are edge-on there, and the reference draws triangles without area around them: 0.2 by its README.
    most = {"objects": limits["layers"]["objects_max"], "crosswalks": 0.2}.get(layer, general)
    found = relative_error(ours, theirs)
    assert found <= most, f"{found:.4f} > {most}; see {save_difference(f'layer.{layer}', ours, theirs)}"


def test_a_half_pixel_shift_would_be_noticed(golden_render: Path, limits: dict[str, dict[str, float]]) -> None:
    golden, renderer = _golden(golden_render / "scenes" / "highway_7cam")
    ours = renderer.frame(0, 0)
    shifted = ours.copy()
    shifted[:, 1:] = (ours[:, 1:].astype(int) + ours[:, :-1] + 1) // 2
    found = closeness(shifted, golden_picture(golden.pictures["camera_front_wide_120fov", 0]))
    limit = limits["frames"]["same_sample_positions"]
    assert found.psnr_db < limit["psnr_min_db"] and found.over_64_percent > limit["gt64_max_pct"]


@pytest.mark.parametrize("camera", ["camera_front_wide_120fov", "camera_rear_left_70fov"])
def test_old_style_resembles_its_two_pictures(golden_render: Path, camera: str) -> None:
    golden, _ = _golden(golden_render / "scenes" / "highway_7cam")
    renderer = ControlRenderer(golden.scene, golden.cameras, "hdmap-v1")
    ours = renderer.frame(golden.cameras.names.index(camera), 0)
    theirs = golden_picture(golden_render / "v1_style" / f"highway.{camera}.f000.png")
    found = closeness(ours, theirs)
    # Informative pictures; whole-pixel lines without anti-aliasing differ along edges where rounding does.
    good = found.psnr_db >= 34 and found.over_64_percent <= 0.2 and found.iou >= 0.98
    assert good, f"{found}; see {save_difference(f'v1.{camera}', ours, theirs)}"
