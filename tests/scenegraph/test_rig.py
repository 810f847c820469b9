import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from scenegraph import (
    CAMERA_FROM_FLU,
    SE3,
    Camera,
    CameraRig,
    ClipCameras,
    FrameError,
    FTheta,
    Pinhole,
    TimeRangeError,
    Trajectory,
)


def camera(name, yaw_deg, fov_deg, position_m=(0.0, 0.0, 1.5)):
    """A pinhole of 101x51 pixels whose picture, from edge to edge, is ``fov_deg`` wide."""
    focal_px = 50.5 / math.tan(math.radians(fov_deg / 2))
    ego_from_sensor = SE3.from_yaw(math.radians(yaw_deg), position_m)
    return Camera(name, Pinhole(focal_px, focal_px, 50.0, 25.0), 101, 51, ego_from_sensor @ CAMERA_FROM_FLU.inverse())


def ring(count, fov_deg):
    return CameraRig(tuple(camera(f"cam{i}", i * 360 / count, fov_deg) for i in range(count)))


def golden_rig(golden_render):
    scene = json.loads((golden_render / "scenes" / "highway_7cam" / "scene.json").read_text())
    cameras = []
    for entry in scene["cameras"]:
        native = entry["intrinsics"]
        lens = FTheta(native["cx"], native["cy"], tuple(native["poly"]), native["poly_type"])
        pose = SE3.from_matrix(entry["camera_to_rig"])
        cameras.append(Camera(entry["name"], lens, native["width"], native["height"], pose))
    return scene, CameraRig(tuple(cameras))


DRIVE = Trajectory([0, 100, 200], SE3.from_yaw(np.array([0.0, 0.1, 0.2]), np.eye(3) * 4))


# -- names and order --------------------------------------------------------------------------


def test_the_order_of_cameras_is_kept():
    rig = ring(3, 90)
    assert rig.names == ("cam0", "cam1", "cam2") and [c.name for c in rig] == list(rig.names) and len(rig) == 3
    assert rig["cam1"].name == "cam1"


def test_select_follows_the_order_asked_for():
    assert ring(4, 90).select(["cam3", "cam0"]).names == ("cam3", "cam0")


@pytest.mark.parametrize("ask", [lambda rig: rig["rear"], lambda rig: rig.select(["cam0", "rear"])])
def test_a_camera_that_the_rig_lacks_is_refused(ask):
    with pytest.raises(FrameError) as error:
        ask(ring(2, 90))
    assert str(error.value) == "the rig has no camera 'rear'; it has cam0, cam1"


def test_an_empty_rig_says_so():
    with pytest.raises(FrameError) as error:
        CameraRig(())["front"]
    assert str(error.value) == "the rig has no camera 'front'; it has none"


def test_names_must_be_unique():
    with pytest.raises(FrameError) as error:
        CameraRig((camera("a", 0, 90), camera("b", 0, 90), camera("a", 90, 90)))
    assert str(error.value) == "rig: camera names must be unique, a occurs more than once"


def test_selecting_a_camera_twice_is_refused():
    with pytest.raises(FrameError, match="cam0 occurs more than once"):
        ring(2, 90).select(["cam0", "cam0"])


# -- posing -----------------------------------------------------------------------------------


def test_posed_cameras_are_the_matrix_product_per_view_and_time():
    rig, times = ring(3, 90), [0, 50, 200]
    clip = rig.at(DRIVE, times)
    assert clip.world_from_camera.shape == (3, 3) and clip.names == rig.names
    assert clip.timestamps_us.tolist() == times
    for view, one in enumerate(rig):
        for frame, time in enumerate(times):
            expected = DRIVE.at(time).matrix @ one.ego_from_camera.matrix
            assert_allclose(clip.world_from_camera[view, frame].matrix, expected, atol=1e-12)


def test_posed_cameras_of_the_golden_scene(golden_render):
    scene, rig = golden_rig(golden_render)
    ego = Trajectory(scene["timestamps_us"], SE3.from_matrix(scene["ego_to_world"]))
    clip = rig.at(ego, scene["timestamps_us"])
    for view, name in enumerate(rig.names):
        assert_allclose(clip.world_from_camera[view].matrix, scene["camera_to_world"][name], atol=1e-5)


def test_an_empty_rig_and_no_instants_can_be_posed():
    assert CameraRig(()).at(DRIVE, [0, 50]).world_from_camera.shape == (0, 2)
    assert ring(2, 90).at(DRIVE, []).world_from_camera.shape == (2, 0)


def test_posing_does_not_extrapolate_unless_told():
    with pytest.raises(TimeRangeError) as error:
        ring(1, 90).at(DRIVE, [0, 201])
    assert str(error.value) == "201 us is outside of the recorded 0..200 us"
    assert ring(1, 90).at(DRIVE, [0, 201], extrapolate_us=1).world_from_camera.shape == (1, 2)


def test_posed_cameras_need_rising_times_and_a_pose_each():
    cameras = ring(2, 90).cameras
    with pytest.raises(TimeRangeError) as late:
        ClipCameras(cameras, np.array([5, 5]), SE3.identity(2, 2))
    assert str(late.value) == "clip cameras: times must increase"
    with pytest.raises(FrameError) as shape:
        ClipCameras(cameras, np.array([5, 6]), SE3.identity(2, 3))
    assert str(shape.value) == "clip cameras: expected poses [V,T] for 2 cameras and times [2], got [2, 3]"


def test_moving_the_ego_origin_moves_every_camera_and_nothing_else():
    new_from_old = SE3.from_yaw(0.3, [1.4, 0.0, -0.3])
    rig = ring(3, 90)
    for before, after in zip(rig, rig.moved(new_from_old), strict=True):
        assert_allclose(after.ego_from_camera.matrix, new_from_old.matrix @ before.ego_from_camera.matrix, atol=1e-12)
        assert (after.name, after.lens) == (before.name, before.lens)


def test_a_moved_rig_on_a_moved_ego_sees_the_same_world():
    new_from_old = SE3.from_yaw(0.3, [1.4, 0.0, -0.3])
    moved_drive = Trajectory(DRIVE.timestamps_us, DRIVE.world_from_body @ new_from_old.inverse())
    there = ring(2, 90).moved(new_from_old).at(moved_drive, [0, 100]).world_from_camera
    assert_allclose(there.matrix, ring(2, 90).at(DRIVE, [0, 100]).world_from_camera.matrix, atol=1e-12)


def test_resized_and_fitted_reach_every_camera():
    assert {(c.width_px, c.height_px) for c in ring(3, 90).resized(64, 32)} == {(64, 32)}
    assert {(c.width_px, c.height_px) for c in ring(3, 90).fitted(202, 1000)} == {(202, 102)}


# -- neighbours -------------------------------------------------------------------------------


def ring_neighbours(count):
    step = np.abs(np.arange(count)[:, None] - np.arange(count))
    return (step == 1) | (step == count - 1)


@pytest.mark.parametrize(
    ("count", "fov_deg", "touches"),
    [(4, 90, False), (4, 100, True), (6, 60, False), (6, 70, True), (3, 118, False), (3, 130, True)],
)
def test_cameras_in_a_ring_see_into_the_next_when_wide_enough(count, fov_deg, touches):
    expected = ring_neighbours(count) if touches else np.zeros((count, count), bool)
    assert np.array_equal(ring(count, fov_deg).neighbours(), expected)


def test_six_cameras_of_130_degrees_also_see_into_the_next_but_one():
    step = np.abs(np.arange(6)[:, None] - np.arange(6))
    assert np.array_equal(ring(6, 130).neighbours(), (step != 0) & (step != 3))


def test_a_tele_camera_within_a_wide_one_is_its_neighbour():
    rig = CameraRig((camera("wide", 0, 120), camera("tele", 0, 5), camera("rear", 180, 120)))
    expected = np.zeros((3, 3), bool)
    expected[0, 1] = expected[1, 0] = True
    assert np.array_equal(rig.neighbours(), expected)


def test_the_share_needed_can_be_raised():
    assert not ring(4, 100).neighbours(min_share=0.5).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_neighbours_are_symmetric_and_follow_a_permutation_of_the_cameras(seed):
    rng = np.random.default_rng(seed)
    cameras = [camera(f"cam{i}", rng.uniform(0, 360), rng.uniform(20, 130), rng.uniform(-2, 2, 3)) for i in range(5)]
    overlap = CameraRig(tuple(cameras)).neighbours()
    assert overlap.dtype == bool and np.array_equal(overlap, overlap.T) and not overlap.diagonal().any()
    order = rng.permutation(5)
    shuffled = CameraRig(tuple(cameras[i] for i in order)).neighbours()
    assert np.array_equal(shuffled, overlap[np.ix_(order, order)])


def test_the_seven_camera_rig_overlaps_where_its_horizontal_angles_do(golden_render):
    scene, rig = golden_rig(golden_render)
    lenses = json.loads((golden_render / "projection" / "ftheta_rig_a.json").read_text())["cameras"]
    width_deg = {lens["name"]: lens["derived"]["hfov_deg"] for lens in lenses}
    yaw_deg = {entry["name"]: entry["rig_flu"]["rpy_deg"][2] for entry in scene["cameras"]}
    expected = np.zeros((7, 7), bool)
    for i, a in enumerate(rig.names):
        for j, b in enumerate(rig.names):
            between_deg = abs((yaw_deg[a] - yaw_deg[b] + 180) % 360 - 180)
            expected[i, j] = i != j and between_deg < (width_deg[a] + width_deg[b]) / 2
    assert expected.sum() == 20
    assert np.array_equal(rig.neighbours(), expected)


def test_filled_cuts_every_camera_and_keeps_names_and_poses():
    rig = ring(3, 90)
    square = rig.filled(32, 32)
    assert square.names == rig.names
    for cut, whole in zip(square, rig, strict=True):
        assert (cut.width_px, cut.height_px) == (32, 32)
        assert np.array_equal(cut.ego_from_camera.matrix, whole.ego_from_camera.matrix)
        assert cut.lens.fx_px == pytest.approx(whole.lens.fx_px * 32 / 51)


def test_no_cameras_have_no_neighbours():
    assert CameraRig(()).neighbours().shape == (0, 0)


def test_rigs_and_posed_cameras_survive_pickle():
    rig = ring(3, 100)
    clip = pickle.loads(pickle.dumps(rig.at(DRIVE, [0, 100])))
    assert np.array_equal(clip.world_from_camera.matrix, rig.at(DRIVE, [0, 100]).world_from_camera.matrix)
    assert np.array_equal(pickle.loads(pickle.dumps(rig)).neighbours(), rig.neighbours())
