"""Which learned view each camera stands for: by name where it has one, else by where and how wide it looks."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from drivesim import views
from drivesim.errors import DatasetError
from drivesim.rigs import find_rig, load_rig
from drivesim.sources import load_scene
from drivesim.views import assign_view_ids, neighbours_of
from models.config import COSMOS_NEIGHBOURS, COSMOS_VIEWS
from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, Pinhole

MIRRORED = {0: 0, 1: 5, 2: 4, 3: 3, 4: 2, 5: 1, 6: 6}


def _camera(name: str, yaw_deg: float, fov_deg: float) -> Camera:
    """A pinhole of 101x51 pixels whose picture, from edge to edge, is ``fov_deg`` wide."""
    focal_px = 50.5 / math.tan(math.radians(fov_deg / 2))
    pose = SE3.from_yaw(math.radians(yaw_deg), [1.5, 0.0, 1.5]) @ CAMERA_FROM_FLU.inverse()
    return Camera(name, Pinhole(focal_px, focal_px, 50.0, 25.0), 101, 51, pose)


def _rig(*headings_and_widths: tuple[float, float]) -> CameraRig:
    return CameraRig(tuple(_camera(f"cam{i}", *each) for i, each in enumerate(headings_and_widths)))


def _views(rig: CameraRig) -> dict[str, str]:
    ids = assign_view_ids(rig).ids
    return {camera.name: COSMOS_VIEWS[view] for camera, view in zip(rig, ids, strict=True)}


def _renamed(rig: CameraRig) -> CameraRig:
    return CameraRig(tuple(replace(camera, name=f"cam{i}") for i, camera in enumerate(rig)))


def _shuffled(rig: CameraRig, order: list[int]) -> CameraRig:
    return CameraRig(tuple(rig.cameras[i] for i in order))


# -- by name ---------------------------------------------------------------------------------------


def test_the_rig_of_the_weights_gets_its_own_ids_without_a_note() -> None:
    found = assign_view_ids(load_rig(find_rig("cosmos-ftheta-7")))
    assert (found.ids, found.exact, found.note) == ((0, 1, 2, 3, 4, 5, 6), True, "")


def test_plain_keys_and_recorded_spellings_are_names_too() -> None:
    names = ("rear", "camera:cross:right:120fov", "front_tele", "camera_front_wide_120fov")
    rig = CameraRig(tuple(_camera(name, 10.0 * i, 60.0) for i, name in enumerate(names)))
    found = assign_view_ids(rig)
    assert found.ids == (3, 1, 6, 0) and found.exact


def test_a_name_wins_over_where_the_camera_looks() -> None:
    rig = CameraRig((_camera("rear", 0.0, 120.0), _camera("front_wide", 180.0, 30.0)))
    assert assign_view_ids(rig).ids == (3, 0)


def test_a_part_of_the_rig_is_exact_but_not_what_was_trained() -> None:
    rig = load_rig(find_rig("cosmos-ftheta-7")).select(["camera_cross_left_120fov", "camera_front_wide_120fov"])
    found = assign_view_ids(rig)
    assert found.ids == (5, 0) and found.exact
    assert found.note == (
        "2 of the 7 cameras that the weights were always trained with together: "
        "out of the training distribution; expect lower quality."
    )


def test_cameras_without_a_name_get_what_the_named_leave() -> None:
    rig = CameraRig((_camera("a", 0.0, 120.0), _camera("front_wide", 0.0, 120.0), _camera("b", 180.0, 30.0)))
    found = assign_view_ids(rig)
    assert found.ids == (6, 0, 3) and not found.exact
    assert found.note == (
        "The weights know their cameras by name, so these were matched by heading and field of view: "
        "a as front_tele, b as rear. That is out of the training distribution; expect lower quality."
    )


def test_two_cameras_with_names_of_one_view_still_get_distinct_ids() -> None:
    rig = CameraRig((_camera("front_wide", 0.0, 120.0), _camera("camera_front_wide_120fov", 0.0, 30.0)))
    found = assign_view_ids(rig)
    assert set(found.ids) == {0, 6} and not found.exact


# -- by heading and field of view ------------------------------------------------------------------


def test_the_cameras_of_the_weights_are_recognised_without_their_names() -> None:
    found = assign_view_ids(_renamed(load_rig(find_rig("cosmos-ftheta-7"))))
    assert found.ids == (0, 1, 2, 3, 4, 5, 6) and not found.exact


def test_six_cameras_all_round_take_the_views_all_round() -> None:
    assert _views(load_rig(find_rig("nuscenes-6"))) == {
        "CAM_FRONT": "front_wide",
        "CAM_FRONT_RIGHT": "cross_right",
        "CAM_BACK_RIGHT": "rear_right",
        "CAM_BACK": "rear",
        "CAM_BACK_LEFT": "rear_left",
        "CAM_FRONT_LEFT": "cross_left",
    }


def test_a_ring_of_seven_fills_the_rear_and_tele_views_with_side_cameras() -> None:
    assert _views(load_rig(find_rig("argoverse-ring-7"))) == {
        "ring_front_center": "front_wide",
        "ring_front_left": "cross_left",
        "ring_side_left": "rear_left",
        "ring_rear_left": "rear",
        "ring_rear_right": "rear_right",
        "ring_side_right": "cross_right",
        "ring_front_right": "front_tele",
    }


def test_the_calibration_of_a_log_does_not_change_the_match(av2_log: Path) -> None:
    assert _views(load_scene(av2_log).rig) == _views(load_rig(find_rig("argoverse-ring-7")))


def test_a_rig_that_is_its_own_mirror_image_is_matched_symmetrically() -> None:
    ring = load_rig(find_rig("argoverse-ring-7"))
    for names in (
        ["ring_front_center", "ring_front_left", "ring_rear_left", "ring_rear_right", "ring_front_right"],
        ["ring_side_left", "ring_side_right"],
    ):
        found = _views(ring.select(names))
        ids = {name: COSMOS_VIEWS.index(view) for name, view in found.items()}
        swapped = {"left": "right", "right": "left"}
        for name, view in ids.items():
            assert ids["_".join(swapped.get(word, word) for word in name.split("_"))] == MIRRORED[view]


@pytest.mark.parametrize(
    ("fov_deg", "view"), [(120.0, "front_wide"), (60.0, "front_wide"), (42.0, "front_wide"), (36.0, "front_tele")]
)
def test_a_lone_front_camera_is_the_wide_one_unless_it_is_a_tele(fov_deg: float, view: str) -> None:
    assert _views(_rig((0.0, fov_deg))) == {"cam0": view}


@pytest.mark.parametrize("widths_deg", [(30.0, 120.0), (60.0, 100.0), (20.0, 35.0)])
def test_the_wider_of_two_front_cameras_is_the_wide_one(widths_deg: tuple[float, float]) -> None:
    narrow, wide = widths_deg
    assert _views(_rig((1.0, narrow), (-1.0, wide))) == {"cam0": "front_tele", "cam1": "front_wide"}


def test_headings_go_on_through_the_back() -> None:
    assert _views(_rig((-179.0, 90.0), (179.0 - 35.0, 90.0))) == {"cam0": "rear", "cam1": "rear_left"}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.booleans())
def test_reordering_the_cameras_reorders_the_ids(seed: int, count: int, alike: bool) -> None:
    rng = np.random.default_rng(seed)
    headings_deg = 60.0 * rng.integers(0, 6, count) if alike else rng.uniform(-180, 180, count)
    widths_deg = np.full(count, 70.0) if alike else rng.uniform(20, 130, count)
    rig = _rig(*zip(headings_deg.tolist(), widths_deg.tolist(), strict=True))
    ids, order = assign_view_ids(rig).ids, rng.permutation(count).tolist()
    assert len(set(ids)) == count and set(ids) <= set(range(7))
    assert assign_view_ids(_shuffled(rig, order)).ids == tuple(ids[i] for i in order)


def test_the_nominal_cameras_are_those_of_the_built_in_rig() -> None:
    for camera, heading_deg, fov_deg in zip(
        load_rig(find_rig("cosmos-ftheta-7")), views._HEADING_DEG, views._FIELD_OF_VIEW_DEG, strict=True
    ):
        turn_deg = (views._heading_deg(camera) - heading_deg + 180) % 360 - 180
        assert turn_deg == approx(0.0, abs=1.0)
        assert views._field_of_view_deg(camera) == approx(fov_deg, abs=2.5)


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "num_views", "known"), [(9, 7, 7), (8, 12, 7), (3, 2, 2)])
def test_more_cameras_than_views_are_refused(count: int, num_views: int, known: int) -> None:
    rig = _rig(*((40.0 * i, 60.0) for i in range(count)))
    with pytest.raises(DatasetError) as caught:
        assign_view_ids(rig, num_views)
    assert str(caught.value) == f"{count} cameras, but the weights know {known} views: choose some with --cameras"


def test_ids_stay_below_the_number_of_views() -> None:
    rig = CameraRig((_camera("front_tele", 0.0, 30.0), _camera("rear", 180.0, 30.0)))
    found = assign_view_ids(rig, 4)
    assert found.ids == (0, 3) and not found.exact


# -- neighbours ------------------------------------------------------------------------------------


def test_the_published_neighbours_follow_the_view_ids() -> None:
    rig = load_rig(find_rig("cosmos-ftheta-7"))
    table = neighbours_of(rig, range(7), "cosmos-7")
    assert {i: tuple(np.flatnonzero(row)) for i, row in enumerate(table)} == COSMOS_NEIGHBOURS
    assert table.dtype == bool and np.array_equal(table, table.T) and not table.diagonal().any()


def test_the_published_neighbours_are_cut_to_the_views_that_are_there() -> None:
    rig = _rig((0.0, 120.0), (180.0, 30.0), (68.0, 120.0))
    table = neighbours_of(rig, (0, 3, 5), "cosmos-7")
    assert table.tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_the_neighbours_of_the_rig_are_where_it_overlaps() -> None:
    rig = load_rig(find_rig("nuscenes-6"))
    assert np.array_equal(neighbours_of(rig, assign_view_ids(rig).ids, "rig"), rig.neighbours())


def test_views_are_assigned_without_torch() -> None:
    code = "import sys, drivesim.views; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
