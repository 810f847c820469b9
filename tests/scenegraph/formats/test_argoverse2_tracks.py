"""Annotated tracks of Argoverse 2 logs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from pytest import approx

from scenegraph import SE3, Actor, Category, FormatError, Trajectory
from scenegraph.formats.argoverse2_ground import read_ground_raster
from scenegraph.formats.argoverse2_tracks import (
    build_actors,
    merge_riders,
    read_annotations,
    split_furniture,
)
from scenegraph.formats.tables import read_table

DRIVE = Trajectory([0, 1_000_000], SE3.from_yaw([0.0, 0.0], [[0.0, 0, 0], [10.0, 0, 0]]))


def row(time_us, track="a", category="REGULAR_VEHICLE", at=(0.0, 0.0, 0.0), **changes):
    return {
        "timestamp_ns": time_us * 1000 + 7,
        "track_uuid": track,
        "category": category,
        "length_m": 4.0,
        "width_m": 2.0,
        "height_m": 1.5,
        "qw": 1.0,
        "qx": 0.0,
        "qy": 0.0,
        "qz": 0.0,
        "tx_m": at[0],
        "ty_m": at[1],
        "tz_m": at[2],
        **changes,
    }


def write_boxes(folder, *rows):
    file = folder / "annotations.feather"
    pa.feather.write_feather(pa.Table.from_pylist(list(rows)), file)
    return file


def actors_of(folder, *rows):
    file = write_boxes(folder, *rows)
    return build_actors(file, read_annotations(file, DRIVE), np.zeros(3))


def actor(name, category, times_s, places_m, size_m=(2.0, 0.6, 1.2), yaw_rad=0.0):
    times_us = (np.asarray(times_s) * 1e6).astype(np.int64)
    places_m = np.broadcast_to(np.asarray(places_m, dtype=np.float64), (len(times_us), 3))
    poses = SE3.from_yaw(np.broadcast_to(yaw_rad, len(times_us)), places_m)
    drawn = Category.OTHERS if category == "WHEELED_DEVICE" else Category.CYCLIST
    return Actor(name, drawn, Trajectory(times_us, poses), *size_m, source_category=category, max_gap_us=1_000_000)


# -- reading --------------------------------------------------------------------------------------


def test_boxes_ride_along_with_the_ego_at_their_sweep(tmp_path):
    (car,) = actors_of(tmp_path, row(500_000, at=(3, 1, 0)), row(0, at=(3, 1, 0)))
    assert car.trajectory.timestamps_us.tolist() == [0, 500_000]
    assert car.trajectory.world_from_body.translation_m == approx(np.array([[3, 1, 0], [8, 1, 0]]))


def test_a_log_without_boxes_has_none(tmp_path):
    assert read_annotations(tmp_path / "annotations.feather", DRIVE) is None
    file = tmp_path / "annotations.feather"
    pa.feather.write_feather(pa.Table.from_pylist([row(0)]).slice(0, 0), file)
    assert read_annotations(file, DRIVE) is None


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("REGULAR_VEHICLE", Category.CAR),
        ("ARTICULATED_BUS", Category.TRUCK),
        ("OFFICIAL_SIGNALER", Category.PEDESTRIAN),
        ("MOTORCYCLE", Category.CYCLIST),
        ("STROLLER", Category.OTHERS),
        ("HOVERCRAFT", Category.OTHERS),
    ],
)
def test_categories_are_mapped_and_the_source_word_is_kept(tmp_path, word, category):
    (thing,) = actors_of(tmp_path, row(0, category=word))
    assert (thing.category, thing.source_category) == (category, word)


def test_the_ego_vehicle_of_mining_files_is_left_out(tmp_path):
    assert [a.id for a in actors_of(tmp_path, row(0), row(0, "ego", "EGO_VEHICLE"))] == ["a"]


def test_sizes_belong_to_their_sweep(tmp_path):
    (car,) = actors_of(tmp_path, row(0, length_m=4.0), row(100_000, length_m=5.0))
    assert car.boxes_at([0, 50_000, 100_000]).length_m == approx([4, 4.5, 5])


def test_a_track_is_bridged_for_a_second_and_not_longer(tmp_path):
    drive = Trajectory([0, 9_000_000], SE3.identity(2))
    file = write_boxes(tmp_path, row(0), row(1_000_000), row(2_000_001))
    (car,) = build_actors(file, read_annotations(file, drive), np.zeros(3))
    present = car.boxes_at([-50_001, -50_000, 500_000, 1_000_000, 1_500_000, 2_000_001, 2_050_001, 2_050_002]).present
    assert present.tolist() == [False, True, True, True, False, True, True, False]


def refused(folder, *rows):
    file = write_boxes(folder, *rows)
    with pytest.raises(FormatError) as error:
        build_actors(file, read_annotations(file, DRIVE), np.zeros(3))
    return str(error.value).removeprefix(f"{file}: ")


def test_a_box_outside_of_the_ego_poses_is_refused(tmp_path):
    sentence = "row 1, timestamp_ns: 1000001 us is outside of the ego poses. They cover 0 to 1000000 us."
    assert refused(tmp_path, row(0), row(1_000_001)) == sentence


def test_two_boxes_of_a_track_in_one_sweep_are_refused(tmp_path):
    sentence = "row 2, timestamp_ns: track a has a second box at 0 us. One box per track and sweep is allowed."
    assert refused(tmp_path, row(0), row(0, "b"), row(0)) == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width_m": 0.0}, "row 1, width_m: 0. It must be above 0."),
        ({"height_m": -2.0}, "row 1, height_m: -2. It must be above 0."),
        ({"qw": 0.0}, "row 1, qw qx qy qz: a quaternion of length zero. It must describe a rotation."),
        ({"ty_m": float("nan")}, "row 1, ty_m: nan. A finite number is needed here."),
        ({"track_uuid": None}, "row 1, track_uuid: the cell is empty. A value is needed here."),
    ],
)
def test_a_broken_box_is_named_with_its_row_and_column(tmp_path, changes, sentence):
    assert refused(tmp_path, row(0), row(100_000, **changes)) == sentence


def test_a_wrong_column_type_is_refused(tmp_path):
    assert refused(tmp_path, row(0, length_m="long")) == "length_m: the column holds string. It must hold numbers."


def test_a_missing_column_is_refused(tmp_path):
    without = {key: value for key, value in row(0).items() if key != "category"}
    assert refused(tmp_path, without).startswith("category: the column is missing. Present are timestamp_ns, track_")


def test_a_truncated_table_is_refused(tmp_path):
    file = write_boxes(tmp_path, row(0))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(FormatError) as error:
        read_annotations(file, DRIVE)
    assert str(error.value) == f"{file}: cannot be read as feather. It is truncated or damaged."


# -- riders ---------------------------------------------------------------------------------------


def test_a_rider_and_the_cycle_below_become_one_box_around_both():
    cycle = actor("cycle", "BICYCLE", [0, 0.1], [[0, 0, 0.6], [1, 0, 0.6]])
    rider = actor("rider", "BICYCLIST", [0, 0.1], [[0, 0, 1.2], [1, 0, 1.2]], (0.8, 0.7, 1.2))
    (merged,) = merge_riders([cycle, rider])
    assert (merged.id, merged.category, merged.source_category) == ("rider", Category.CYCLIST, "BICYCLIST+BICYCLE")
    boxes = merged.boxes_at([0, 100_000])
    assert (boxes.length_m, boxes.width_m) == (approx([2, 2]), approx([0.7, 0.7]))
    assert boxes.height_m == approx([1.8, 1.8])
    assert boxes.world_from_box.translation_m == approx(np.array([[0, 0, 0.9], [1, 0, 0.9]]))


def test_the_common_box_lies_along_the_cycle():
    cycle = actor("cycle", "MOTORCYCLE", [0.0], [[3, 4, 0.6]], yaw_rad=0.7)
    rider = actor("rider", "MOTORCYCLIST", [0.0], [[3, 4, 1.2]], (0.6, 0.6, 1.2), yaw_rad=0.9)
    (merged,) = merge_riders([rider, cycle])
    boxes = merged.boxes_at([0])
    assert boxes.world_from_box.yaw_rad == approx([0.7]) and boxes.length_m == approx([2.0])
    assert 0.6 < boxes.width_m[0] < 0.6 * 2**0.5


def test_where_only_one_of_them_is_annotated_its_own_box_counts():
    cycle = actor("cycle", "BICYCLE", [0, 0.1, 0.2, 5.0], [0, 0, 0.6])
    rider = actor("rider", "BICYCLIST", [0.1, 0.2, 0.4, 6.0], [0, 0, 1.2], (0.8, 0.7, 1.2))
    (merged,) = merge_riders([rider, cycle])
    assert merged.trajectory.timestamps_us.tolist() == [0, 100_000, 200_000, 400_000, 5_000_000, 6_000_000]
    assert merged.height_m == approx([1.2, 1.8, 1.8, 1.2, 1.2, 1.2])
    assert merged.length_m == approx([2.0, 2.0, 2.0, 0.8, 2.0, 0.8])
    assert merged.boxes_at([3_000_000]).present.tolist() == [False]


def test_a_sweep_without_the_rider_is_bridged():
    cycle = actor("cycle", "BICYCLE", [0, 0.1, 0.2], [0, 0, 0.6])
    rider = actor("rider", "BICYCLIST", [0, 0.2], [0, 0, 1.2], (0.8, 0.7, 1.2))
    (merged,) = merge_riders([rider, cycle])
    assert merged.height_m == approx([1.8, 1.8, 1.8])


def test_a_rider_takes_the_nearest_cycle_and_a_cycle_one_rider():
    cycles = [actor("near", "BICYCLE", [0.0], [0, 0.2, 0]), actor("far", "BICYCLE", [0.0], [0, 0.9, 0])]
    riders = [actor("one", "BICYCLIST", [0.0], [0, 0, 1]), actor("two", "BICYCLIST", [0.0], [0, 0.3, 1])]
    merged = merge_riders([*cycles, *riders])
    assert [a.id for a in merged] == ["one", "two"]
    assert [a.source_category for a in merged] == ["BICYCLIST+BICYCLE"] * 2
    assert merged[1].width_m == approx(0.7) and merged[0].width_m == approx(1.5)


def test_passing_a_parked_bicycle_is_not_riding_it():
    parked = actor("parked", "BICYCLE", np.arange(9) / 10, [0, 0, 0.6])
    places = [[x, 0.5, 1.2] for x in range(-4, 5)]
    rider = actor("rider", "BICYCLIST", np.arange(9) / 10, places)
    assert [a.id for a in merge_riders([parked, rider])] == ["parked", "rider"]


def test_riders_and_cycles_that_never_meet_stay_apart():
    cycle, rider = actor("cycle", "WHEELED_DEVICE", [0.0], [0, 0, 0]), actor("rider", "WHEELED_RIDER", [1.0], [0, 0, 0])
    assert merge_riders([cycle, rider]) == (cycle, rider)


def test_a_pedestrian_next_to_a_bicycle_is_no_rider():
    both = actor("cycle", "BICYCLE", [0.0], [0, 0, 0]), actor("walker", "PEDESTRIAN", [0.0], [0, 0, 0])
    assert merge_riders(both) == both


# -- posts and signs ------------------------------------------------------------------------------


def test_a_standing_bollard_is_a_pole_from_its_foot_to_its_top():
    bollard = actor("b", "BOLLARD", [0, 0.1, 0.2], [[5, 1, 1], [5.1, 1, 1], [5.0, 1, 1.2]], (0.2, 0.2, 0.9))
    others, (pole,), signs = split_furniture([bollard])
    assert (others, signs, pole.id) == ((), (), "b")
    assert pole.polyline.points_m == approx(np.array([[5, 1, 0.55], [5, 1, 1.45]]))


@pytest.mark.parametrize("word", ["SIGN", "STOP_SIGN"])
def test_a_standing_sign_is_a_traffic_sign(word):
    yaw_rad = [1.0, 1.1, 1.2 - np.pi, 1.0 + np.pi]
    plate = actor("s", word, [0, 0.1, 0.2, 0.3], [5, 1, 2], (0.1, 0.8, 0.8), yaw_rad)
    others, poles, (sign,) = split_furniture([plate])
    assert (others, poles, sign.id, sign.category) == ((), (), "s", word)
    assert (sign.length_m, sign.width_m, sign.height_m) == approx((0.1, 0.8, 0.8))
    assert sign.world_from_box.yaw_rad == approx(1.075, abs=1e-3)
    assert sign.world_from_box.translation_m == approx([5, 1, 2])


def test_signs_that_move_and_everything_else_stay_actors():
    carried = actor("s", "STOP_SIGN", [0, 0.1, 0.2], [[0, 0, 0], [0, 0, 0], [0.6, 0, 0]])
    cone = actor("c", "CONSTRUCTION_CONE", [0.0], [0, 0, 0])
    assert split_furniture([carried, cone]) == ((carried, cone), (), ())


# -- a real log -----------------------------------------------------------------------------------


def test_box_bottoms_of_a_real_log_stand_on_its_ground_raster(av2_log):
    poses = read_table(av2_log / "city_SE3_egovehicle.feather")
    stamps_us, first = np.unique(poses.integers("timestamp_ns") // 1000, return_index=True)
    city_from_ego = SE3.from_quaternion(poses.vectors("qw", "qx", "qy", "qz"), poses.vectors("tx_m", "ty_m", "tz_m"))
    boxes = read_annotations(av2_log / "annotations.feather", Trajectory(stamps_us, city_from_ego[first]))
    centres_m = boxes.city_from_box.translation_m
    gap_m = centres_m[:, 2] - boxes.sizes_m[:, 2] / 2 - read_ground_raster(av2_log / "map").at(centres_m[:, :2])
    gap_m = gap_m[np.isfinite(gap_m)]
    assert len(gap_m) > 11_000
    assert abs(np.median(gap_m)) < 0.005 and np.percentile(np.abs(gap_m), 95) < 0.05
