import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyquaternion import Quaternion

from scenegraph import CAMERA_FROM_FLU, SE3, FrameError

laws = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def random_pose(seed, *shape):
    rng = np.random.default_rng(seed)
    return SE3.from_quaternion(rng.normal(size=(*shape, 4)), rng.normal(size=(*shape, 3)) * 100)


def assert_same(a, b, atol=1e-9):
    assert_allclose(a.rotation, b.rotation, atol=atol)
    assert_allclose(a.translation_m, b.translation_m, atol=atol)


# -- algebra ----------------------------------------------------------------------------------


@laws
@given(seeds)
def test_a_pose_times_its_inverse_is_the_identity(seed):
    pose = random_pose(seed, 3)
    assert_same(pose @ pose.inverse(), SE3.identity(3))
    assert_same(pose.inverse() @ pose, SE3.identity(3))


@laws
@given(seeds, seeds, seeds)
def test_composition_is_associative(a, b, c):
    a, b, c = random_pose(a), random_pose(b), random_pose(c)
    assert_same((a @ b) @ c, a @ (b @ c))


@laws
@given(seeds, seeds)
def test_composition_and_apply_are_the_matrix_product(a, b):
    a, b = random_pose(a), random_pose(b)
    points = np.random.default_rng(0).normal(size=(5, 3)) * 50
    homogeneous = np.concatenate([points, np.ones((5, 1))], axis=1)
    assert_allclose((a @ b).matrix, a.matrix @ b.matrix, atol=1e-9)
    assert_allclose((a @ b).apply(points), (homogeneous @ (a.matrix @ b.matrix).T)[:, :3], atol=1e-9)


def test_the_identity_changes_nothing():
    pose = random_pose(1)
    assert_same(SE3.identity() @ pose, pose)
    assert_allclose(SE3.identity().apply([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0])
    assert SE3.identity(2, 4).shape == (2, 4)


def test_many_poses_apply_to_the_same_points():
    poses = random_pose(5, 4)
    points = np.random.default_rng(1).normal(size=(6, 3))
    together = poses.apply(points)  # [4] poses, [6,3] points -> [4,6,3]
    assert together.shape == (4, 6, 3)
    for index, pose in enumerate(poses):
        assert_allclose(together[index], pose.apply(points), atol=1e-12)


def test_many_poses_apply_to_one_point_and_each_to_its_own_points():
    poses = random_pose(6, 4)
    assert_allclose(poses.apply(np.ones(3))[2], poses[2].apply(np.ones(3)))
    own = np.random.default_rng(2).normal(size=(4, 5, 3))
    assert_allclose(poses.apply(own)[3], poses[3].apply(own[3]))


def test_composition_broadcasts_over_view_and_time():
    world_from_ego, ego_from_camera = random_pose(7, 5), random_pose(8, 3)
    together = world_from_ego[None] @ ego_from_camera[:, None]  # [1,T] @ [V,1] -> [V,T]
    assert together.shape == (3, 5)
    assert_same(together[2, 4], world_from_ego[4] @ ego_from_camera[2])


def test_no_points_and_no_poses_are_fine():
    assert random_pose(9).apply(np.zeros((0, 3))).shape == (0, 3)
    none = SE3.identity(0)
    assert (none @ none).shape == (0,) and none.inverse().quaternion_wxyz.shape == (0, 4)
    assert none.interpolate(none, np.zeros(0)).shape == (0,)
    assert SE3.from_quaternion(np.zeros((0, 4)), np.zeros((0, 3))).shape == (0,)


# -- reading and indexing ---------------------------------------------------------------------


def test_indexing_keeps_the_matrix_axes_apart():
    poses = random_pose(3, 3, 3)
    assert poses[1].shape == (3,)
    assert_same(poses[..., 0], SE3.stack([poses[0, 0], poses[1, 0], poses[2, 0]]))
    assert_same(poses[np.array([True, False, True])], SE3.stack([poses[0], poses[2]]))
    assert_same(poses[:, None, 1][:, 0], poses[:, 1])


def test_iterating_gives_every_pose_once():
    poses = random_pose(4, 3)
    assert len(list(poses)) == len(poses) == 3
    assert_same(SE3.stack(list(poses)), poses)


def test_a_single_pose_has_no_length():
    with pytest.raises(TypeError) as error:
        len(SE3.identity())
    assert str(error.value) == "a single SE3 has no length"
    with pytest.raises(TypeError):
        list(SE3.identity())


def test_arrays_of_a_pose_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        SE3.identity().translation_m[0] = 1.0


@laws
@given(st.floats(-3.14, 3.14))
def test_yaw_comes_back(yaw):
    assert SE3.from_yaw(yaw, np.zeros(3)).yaw_rad == pytest.approx(yaw, abs=1e-12)


def test_yaw_turns_x_towards_y():
    assert_allclose(SE3.from_yaw(np.pi / 2, [1.0, 0.0, 0.0]).apply([2.0, 0.0, 5.0]), [1.0, 2.0, 5.0], atol=1e-12)


def test_from_yaw_takes_arrays():
    poses = SE3.from_yaw(np.array([0.1, 0.2]), np.zeros((2, 3)))
    assert_allclose(poses.yaw_rad, [0.1, 0.2])


def test_poses_survive_pickle():
    poses = random_pose(11, 2)
    back = pickle.loads(pickle.dumps(poses))
    assert np.array_equal(back.rotation, poses.rotation) and np.array_equal(back.translation_m, poses.translation_m)


# -- quaternions and angles -------------------------------------------------------------------


@laws
@given(seeds)
def test_quaternions_agree_with_an_independent_library(seed):
    wxyz = np.random.default_rng(seed).normal(size=4)
    oracle = Quaternion(wxyz)
    assert_allclose(SE3.from_quaternion(wxyz, np.zeros(3)).rotation, oracle.rotation_matrix, atol=1e-12)


@laws
@given(seeds)
def test_quaternions_come_back_with_positive_w(seed):
    wxyz = np.random.default_rng(seed).normal(size=(4, 4))
    back = SE3.from_quaternion(wxyz, np.zeros((4, 3))).quaternion_wxyz
    unit = wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True)
    assert (back[:, 0] >= 0).all()
    assert_allclose(back, unit * np.sign(unit[:, :1]), atol=1e-9)


def test_half_turns_have_a_quaternion_with_w_zero():
    for axis in np.eye(3):
        wxyz = SE3.from_quaternion([0.0, *axis], np.zeros(3)).quaternion_wxyz
        assert_allclose(np.abs(wxyz), [0.0, *axis], atol=1e-9)


def test_roll_pitch_yaw_match_the_golden_rigs(golden_render):
    cases = json.loads((golden_render / "projection" / "extrinsics.json").read_text())["cases"]
    assert len(cases) >= 4
    for case in cases:
        rig_from_sensor = SE3.from_roll_pitch_yaw_deg(case["roll_pitch_yaw_deg"], case["t_flu"])
        assert_allclose(rig_from_sensor.matrix, case["sensor_flu_to_rig_flu"], atol=1e-8)
        rig_from_camera = rig_from_sensor @ CAMERA_FROM_FLU.inverse()
        assert_allclose(rig_from_camera.matrix, case["sensor_rdf_to_rig_flu"], atol=1e-8)
        rdf_from_rdf = CAMERA_FROM_FLU @ rig_from_sensor @ CAMERA_FROM_FLU.inverse()
        assert_allclose(rdf_from_rdf.matrix, case["sensor_rdf_to_rig_rdf"], atol=1e-8)


def test_forward_left_up_become_right_down_forward():
    forward, left, up = np.eye(3)
    assert_allclose(CAMERA_FROM_FLU.apply(forward), [0, 0, 1])
    assert_allclose(CAMERA_FROM_FLU.apply(left), [-1, 0, 0])
    assert_allclose(CAMERA_FROM_FLU.apply(up), [0, -1, 0])
    assert np.linalg.det(CAMERA_FROM_FLU.rotation) == pytest.approx(1.0)


# -- interpolation ----------------------------------------------------------------------------


@laws
@given(seeds, seeds)
def test_interpolation_starts_here_and_ends_there(a, b):
    a, b = random_pose(a), random_pose(b)
    assert_same(a.interpolate(b, 0.0), a, atol=1e-9)
    assert_same(a.interpolate(b, 1.0), b, atol=1e-7)


def test_the_midpoint_of_a_quarter_turn_is_an_eighth():
    start, end = SE3.from_yaw(0.0, [0.0, 0.0, 0.0]), SE3.from_yaw(np.pi / 2, [4.0, 2.0, 0.0])
    middle = start.interpolate(end, 0.5)
    assert middle.yaw_rad == pytest.approx(np.pi / 4)
    assert_allclose(middle.translation_m, [2.0, 1.0, 0.0])


@laws
@given(seeds, seeds, st.floats(-0.5, 1.5))
def test_a_quaternion_and_its_negative_interpolate_alike(a, b, fraction):
    wxyz_a = np.random.default_rng(a).normal(size=4)
    wxyz_b = np.random.default_rng(b).normal(size=4)
    start = SE3.from_quaternion(wxyz_a, np.zeros(3))
    same, flipped = SE3.from_quaternion(wxyz_b, np.zeros(3)), SE3.from_quaternion(-wxyz_b, np.zeros(3))
    assert_same(start.interpolate(same, fraction), start.interpolate(flipped, fraction))


@laws
@given(seeds, seeds, st.floats(0.0, 1.0))
def test_interpolation_agrees_with_an_independent_slerp(a, b, fraction):
    a, b = random_pose(a), random_pose(b)
    oracle = Quaternion.slerp(Quaternion(a.quaternion_wxyz), Quaternion(b.quaternion_wxyz), fraction)
    assert_allclose(a.interpolate(b, fraction).rotation, oracle.rotation_matrix, atol=1e-5)


def test_the_shorter_way_round_is_taken():
    start, end = SE3.from_yaw(np.radians(170.0), np.zeros(3)), SE3.from_yaw(np.radians(-170.0), np.zeros(3))
    assert abs(start.interpolate(end, 0.5).yaw_rad) == pytest.approx(np.pi)


def test_beyond_the_ends_both_velocities_are_held():
    start, end = random_pose(12), random_pose(13)
    step = start.rotation.T @ end.rotation  # one step, seen from the body
    beyond = start.interpolate(end, np.array([-1.0, 2.0]))
    assert_allclose(beyond.rotation[0] @ step, start.rotation, atol=1e-9)
    assert_allclose(beyond.rotation[1], end.rotation @ step, atol=1e-9)
    velocity = end.translation_m - start.translation_m
    assert_allclose(beyond.translation_m, [start.translation_m - velocity, end.translation_m + velocity], atol=1e-9)


def test_one_pair_of_poses_interpolates_to_many_fractions():
    start, end = random_pose(14), random_pose(15)
    fractions = np.linspace(0, 1, 7)
    together = start.interpolate(end, fractions)
    assert together.shape == (7,)
    assert_same(together[3], start.interpolate(end, fractions[3]))


# -- refusals ---------------------------------------------------------------------------------


def broken_matrix(row, column, value):
    matrix = np.eye(4)
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: SE3.from_matrix(broken_matrix(1, 3, np.nan)), "pose matrix holds NaN or infinity"),
        (lambda: SE3.from_matrix(broken_matrix(0, 0, np.inf)), "pose matrix holds NaN or infinity"),
        (lambda: SE3.from_matrix(broken_matrix(3, 0, 0.5)), "pose matrix: the last row is not 0 0 0 1"),
        (lambda: SE3.from_matrix(np.eye(3)), "pose matrix: expected [...,4,4], got [3, 3]"),
        (
            lambda: SE3.from_matrix(broken_matrix(0, 0, 1.01)),
            "pose matrix: the 3x3 part is not a rotation (orthonormal, determinant +1)",
        ),
        (
            lambda: SE3.from_matrix(np.diag([1.0, 1.0, -1.0, 1.0])),
            "pose matrix: the 3x3 part is not a rotation (orthonormal, determinant +1)",
        ),
        (lambda: SE3.from_quaternion(np.zeros(4), np.zeros(3)), "a quaternion of length zero is no rotation"),
        (lambda: SE3.from_quaternion([1, 0, 0, np.nan], np.zeros(3)), "pose holds NaN or infinity"),
        (lambda: SE3.from_quaternion([1, 0, 0, 0], [0, np.inf, 0]), "pose holds NaN or infinity"),
        (lambda: SE3.from_quaternion(np.ones((4, 3)), np.zeros((4, 3))), "quaternion: expected [...,4], got [4, 3]"),
        (lambda: SE3.from_roll_pitch_yaw_deg([0, np.nan, 0], np.zeros(3)), "pose holds NaN or infinity"),
        (lambda: SE3.from_yaw(np.nan, np.zeros(3)), "pose holds NaN or infinity"),
        (
            lambda: SE3(np.eye(3), np.zeros((2, 3))),
            "SE3: expected rotation [...,3,3] with translation [...,3], got [3, 3] with [2, 3]",
        ),
        (
            lambda: SE3(np.eye(4), np.zeros(4)),
            "SE3: expected rotation [...,3,3] with translation [...,3], got [4, 4] with [4]",
        ),
    ],
)
def test_what_is_no_pose_is_refused(make, sentence):
    with pytest.raises(FrameError) as error:
        make()
    assert str(error.value) == sentence


def test_one_bad_pose_among_many_is_refused():
    matrices = np.tile(np.eye(4), (5, 1, 1))
    matrices[3, :3, :3] *= 1.1
    with pytest.raises(FrameError, match="is not a rotation"):
        SE3.from_matrix(matrices)


def test_matrices_stored_as_float32_are_accepted():
    pose = random_pose(20, 10)
    assert_same(SE3.from_matrix(pose.matrix.astype(np.float32)), pose, atol=1e-4)
