import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenegraph import SE3, Actor, Category, FrameError, TimeRangeError, Trajectory


def car(times_us=(0, 100, 400), x_m=(0.0, 1.0, 4.0), length_m=(4.0, 5.0, 6.0), **more):
    points = np.stack([x_m, np.zeros(len(x_m)), np.ones(len(x_m))], axis=1)
    track = Trajectory(np.array(times_us), SE3.from_yaw(np.zeros(len(x_m)), points))
    return Actor("car-1", Category.CAR, track, np.array(length_m), 2.0, 1.5, **more)


def golden_actor(case):
    wxyz = np.array(case["quats_xyzw"])[:, [3, 0, 1, 2]]
    track = Trajectory(case["timestamps_us"], SE3.from_quaternion(wxyz, case["centers"]))
    extrapolate_us = int(case["max_extrapolation_us"])
    return Actor(case["name"], Category.CAR, track, *np.array(case["lwh"]).T, extrapolate_us=extrapolate_us)


@pytest.mark.parametrize("name", ["10hz_turning", "irregular", "no_extrapolation"])
def test_tracks_answer_every_golden_query(golden_render, name):
    cases = json.loads((golden_render / "interp" / "object_tracks.json").read_text())["cases"]
    case = next(c for c in cases if c["name"] == name)
    boxes = golden_actor(case).boxes_at([query["t_us"] for query in case["queries"]])
    expected = [query["pose"] for query in case["queries"]]
    assert boxes.present.tolist() == [pose is not None for pose in expected]
    assert boxes.present.any() and not boxes.present.all()
    there = [pose for pose in expected if pose]
    found = boxes.world_from_box[boxes.present]
    assert_allclose(found.translation_m, [pose["center"] for pose in there], atol=1e-4)
    assert_allclose(found.rotation, [pose["R"] for pose in there], atol=1e-5)
    sizes = np.stack([boxes.length_m, boxes.width_m, boxes.height_m], axis=1)[boxes.present]
    assert_allclose(sizes, [pose["lwh"] for pose in there], atol=1e-4)


def test_position_and_size_are_linear_between_key_poses():
    boxes = car().boxes_at([50, 250])
    assert_allclose(boxes.world_from_box.translation_m[:, 0], [0.5, 2.5])
    assert_allclose(boxes.length_m, [4.5, 5.5])
    assert_allclose(boxes.width_m, [2.0, 2.0])
    assert_allclose(boxes.height_m, [1.5, 1.5])


def test_outside_of_its_track_an_actor_is_absent():
    assert car().boxes_at([-1, 0, 400, 401]).present.tolist() == [False, True, True, False]


def test_a_track_is_carried_on_with_its_size_held():
    boxes = car(extrapolate_us=100).boxes_at([-101, -100, 500, 501])
    assert boxes.present.tolist() == [False, True, True, False]
    assert_allclose(boxes.world_from_box.translation_m[1:3, 0], [-1, 5])
    assert_allclose(boxes.length_m[1:3], [4.0, 6.0])


def test_fields_of_absent_boxes_are_finite():
    boxes = car().boxes_at([-(10**9), 10**9])
    assert np.isfinite(boxes.world_from_box.matrix).all() and (boxes.length_m > 0).all()


def test_long_gaps_are_not_bridged():
    boxes = car(max_gap_us=200).boxes_at([50, 100, 101, 250, 399, 400])
    assert boxes.present.tolist() == [True, True, False, False, False, True]


def test_a_gap_as_long_as_allowed_is_bridged():
    assert car(max_gap_us=300).boxes_at([250]).present.tolist() == [True]


def test_a_gap_does_not_end_what_is_carried_on():
    assert car(max_gap_us=200, extrapolate_us=50).boxes_at([450]).present.tolist() == [True]


def test_an_actor_seen_once_is_there_at_that_instant():
    boxes = car([100], [3.0], [4.0]).boxes_at([99, 100, 101])
    assert boxes.present.tolist() == [False, True, False]
    assert_allclose(boxes.world_from_box.translation_m[:, 0], [3, 3, 3])
    assert_allclose(boxes.length_m, [4, 4, 4])


def test_an_actor_seen_once_may_stay_for_a_while():
    assert car([100], [3.0], [4.0], extrapolate_us=10).boxes_at([89, 90, 110, 111]).present.tolist() == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("actor", [car(), car([100], [3.0], [4.0])])
def test_no_instants_give_no_boxes(actor):
    boxes = actor.boxes_at([])
    assert boxes.present.shape == boxes.length_m.shape == boxes.world_from_box.shape == (0,)


def test_one_size_serves_all_key_poses():
    assert_allclose(car(length_m=4.0).length_m, [4, 4, 4])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_sizes_that_are_none_are_refused(bad):
    with pytest.raises(FrameError) as error:
        car(length_m=(4.0, bad, 4.0))
    assert str(error.value) == f"actor car-1: length_m must be above 0 in every key pose, got {bad}"


def test_sizes_for_another_number_of_key_poses_are_refused():
    with pytest.raises(FrameError) as error:
        car(length_m=(4.0, 5.0))
    assert str(error.value) == "actor car-1: length_m: expected 1 or 3 values, got [2]"


def test_extrapolating_backwards_is_refused():
    with pytest.raises(TimeRangeError) as error:
        car(extrapolate_us=-5)
    assert str(error.value) == "actor car-1: extrapolate_us must not be below 0, got -5"


def test_categories_are_the_five_words():
    assert [str(c) for c in Category] == ["Car", "Truck", "Pedestrian", "Cyclist", "Others"]


def test_actors_survive_pickle_and_replace():
    actor = replace(car(extrapolate_us=7, source_category="REGULAR_VEHICLE"), id="other")
    back = pickle.loads(pickle.dumps(actor))
    assert (back.id, back.category, back.extrapolate_us) == ("other", Category.CAR, 7)
    assert back.source_category == "REGULAR_VEHICLE"
    assert np.array_equal(back.boxes_at([60]).world_from_box.matrix, actor.boxes_at([60]).world_from_box.matrix)
