import json
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenegraph import SE3, FrameError, TimeRangeError, Trajectory


def straight(times_us, x_m, yaw_rad=None):
    yaw_rad = np.zeros(len(x_m)) if yaw_rad is None else np.asarray(yaw_rad)
    points = np.stack([x_m, np.zeros(len(x_m)), np.zeros(len(x_m))], axis=1)
    return Trajectory(np.array(times_us), SE3.from_yaw(yaw_rad, points))


DRIVE = straight([100, 200, 400], [0.0, 1.0, 5.0], [0.0, 0.1, 0.3])


def test_key_poses_are_met_exactly():
    poses = DRIVE.at([100, 200, 400])
    assert_allclose(poses.translation_m[:, 0], [0, 1, 5])
    assert_allclose(poses.yaw_rad, [0, 0.1, 0.3])


def test_between_key_poses_position_and_heading_are_linear():
    pose = DRIVE.at(300)
    assert pose.shape == ()
    assert pose.translation_m[0] == pytest.approx(3.0) and pose.yaw_rad == pytest.approx(0.2)


def test_instants_may_come_in_any_order_and_shape():
    poses = DRIVE.at([[400, 150], [150, 400]])
    assert poses.shape == (2, 2)
    assert_allclose(poses.translation_m[..., 0], [[5, 0.5], [0.5, 5]])
    assert DRIVE.at([]).shape == (0,)


def test_first_last_and_length():
    assert (DRIVE.first_us, DRIVE.last_us, len(DRIVE)) == (100, 400, 3)


def test_covers_is_widened_on_both_sides():
    assert DRIVE.covers([99, 100, 400, 401]).tolist() == [False, True, True, False]
    assert DRIVE.covers([89, 90, 410, 411], 10).tolist() == [False, True, True, False]


def test_bracket_names_the_key_pose_before_and_the_share():
    before, fraction = DRIVE.bracket([100, 150, 200, 300, 400, 500, 50])
    assert before.tolist() == [0, 0, 1, 1, 1, 1, 0]
    assert_allclose(fraction, [0, 0.5, 0, 0.5, 1, 1.5, -0.5])


def test_beyond_the_ends_the_velocity_of_the_end_is_held():
    poses = DRIVE.at([0, 500], extrapolate_us=100)
    assert_allclose(poses.translation_m[:, 0], [-1, 7])
    assert_allclose(poses.yaw_rad, [-0.1, 0.4])


@pytest.mark.parametrize(
    ("times", "extrapolate_us", "sentence"),
    [
        ([99], 0, "99 us is outside of the recorded 100..400 us"),
        ([100, 401, 402], 0, "401 us is outside of the recorded 100..400 us"),
        (500, 0, "500 us is outside of the recorded 100..400 us"),
        ([389, 451], 50, "451 us is outside of the recorded 100..400 us, and at most 50 us beyond is allowed"),
    ],
)
def test_going_on_further_than_told_is_refused(times, extrapolate_us, sentence):
    with pytest.raises(TimeRangeError) as error:
        DRIVE.at(times, extrapolate_us)
    assert str(error.value) == sentence


def test_a_single_key_pose_stands_still_and_is_not_everywhere():
    parked = straight([1000], [7.0])
    assert_allclose(parked.at([1000]).translation_m, [[7, 0, 0]])
    assert_allclose(parked.at([900, 1100], 100).translation_m[:, 0], [7, 7])
    assert parked.at(1000).shape == ()
    with pytest.raises(TimeRangeError) as error:
        parked.at([1001])
    assert str(error.value) == "1001 us is outside of the recorded 1000..1000 us"


@pytest.mark.parametrize(("times", "row", "stamp", "before"), [([0, 5, 5], 2, 5, 5), ([9, 3, 4], 1, 3, 9)])
def test_times_that_do_not_increase_are_refused(times, row, stamp, before):
    with pytest.raises(TimeRangeError) as error:
        straight(times, [0.0, 1.0, 2.0])
    assert str(error.value) == (
        f"trajectory: times must increase, but row {row} ({stamp} us) does not follow {before} us"
    )


@pytest.mark.parametrize(
    ("times", "poses", "got"),
    [
        ([], SE3.identity(0), "[0] poses and [0] times"),
        ([1, 2], SE3.identity(3), "[3] poses and [2] times"),
        (5, SE3.identity(), "[] poses and [] times"),
    ],
)
def test_as_many_poses_as_times_are_needed(times, poses, got):
    with pytest.raises(FrameError) as error:
        Trajectory(times, poses)
    assert str(error.value) == f"trajectory: expected as many poses as times and at least one, got {got}"


def test_a_pose_with_nan_is_refused_by_row_and_time():
    points = np.zeros((3, 3))
    points[1, 2] = np.nan
    with pytest.raises(FrameError) as error:
        Trajectory([10, 20, 30], SE3(np.tile(np.eye(3), (3, 1, 1)), points))
    assert str(error.value) == "trajectory: the pose of row 1 (20 us) holds NaN or infinity"


def test_seconds_in_place_of_microseconds_are_refused():
    with pytest.raises(TimeRangeError) as error:
        straight([0.0, 0.1], [0.0, 1.0])
    assert str(error.value) == "trajectory times: expected whole microseconds, got [0.0, 0.1]"
    with pytest.raises(TimeRangeError, match=r"times: expected whole microseconds, got \[150\.5\]"):
        DRIVE.at(150.5)


def test_large_timestamps_lose_no_microsecond():
    start = 2_445_376_400_000_000
    drive = straight([start, start + 3], [0.0, 3.0])
    assert_allclose(drive.at([start + 1, start + 2]).translation_m[:, 0], [1, 2], atol=1e-12)


def test_changing_the_source_later_changes_nothing():
    times = np.array([0, 10])
    drive = straight(times, [0.0, 1.0])
    times[1] = 5
    assert drive.last_us == 10


def test_trajectories_survive_pickle():
    back = pickle.loads(pickle.dumps(DRIVE))
    assert np.array_equal(back.at([150]).matrix, DRIVE.at([150]).matrix)


def test_ego_poses_of_the_golden_clip_are_met(golden_render):
    scene = json.loads((golden_render / "scenes" / "highway_7cam" / "scene.json").read_text())
    ego = Trajectory(scene["timestamps_us"], SE3.from_matrix(scene["ego_to_world"]))
    assert_allclose(ego.at(scene["timestamps_us"]).matrix, scene["ego_to_world"], atol=1e-5)
