"""Argoverse 2 sensor logs as scenes."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from pytest import approx

from scenegraph import SE3, Category, FormatError, Pinhole
from scenegraph.formats.argoverse2 import RING_CAMERAS, STEREO_CAMERAS, read_argoverse2
from scenegraph.formats.argoverse2_ground import read_ground_raster

# A log of one second: the ego starts 4 km out and drives 10 m east, 0.3 m above flat ground at 20 m.
START_NS = 1_000_000_000_000
POSE_NAMES = ("qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m")
LANE_EDGES = {"left_lane_boundary": 2, "right_lane_boundary": -2}


def pose(wxyz=(1.0, 0, 0, 0), at=(0.0, 0, 0)):
    return dict(zip(POSE_NAMES, (*map(float, wxyz), *map(float, at)), strict=True))


def ego_rows(count=11):
    return [{"timestamp_ns": START_NS + i * 100_000_000, **pose(at=(4000.4 + i, 3000.0, 20.3))} for i in range(count)]


def box_row(sweep, track="car", category="REGULAR_VEHICLE", at=(10.0, 2.0, 0.45), size=(4.0, 2.0, 1.5)):
    sizes = dict(zip(("length_m", "width_m", "height_m"), size, strict=True))
    stamp = START_NS + sweep * 100_000_000
    return {"timestamp_ns": stamp, "track_uuid": track, "category": category, **sizes, **pose(at=at)}


def map_content():
    lane = {name: [{"x": x, "y": 3000 + y, "z": 20.0} for x in (3990.0, 4030.0)] for name, y in LANE_EDGES.items()}
    lane |= {"left_lane_mark_type": "DASHED_WHITE", "right_lane_mark_type": "SOLID_WHITE", "lane_type": "VEHICLE"}
    lane |= {"is_intersection": False, "predecessors": [], "successors": [2]}
    lane |= {"left_neighbor_id": None, "right_neighbor_id": None}
    area = [{"x": x, "y": y, "z": 20.0} for x, y in ((3990, 2998), (4030, 2998), (4030, 3002), (3990, 3002))]
    return {"lane_segments": {"1": lane}, "pedestrian_crossings": {}, "drivable_areas": {"5": {"area_boundary": area}}}


def write(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    pa.feather.write_feather(pa.Table.from_pylist(rows), file)


def write_map(log, content=None):
    (log / "map").mkdir(parents=True, exist_ok=True)
    file = log / "map" / "log_map_archive_mini____PAO_city_1.json"
    file.write_text(json.dumps(content or map_content()), encoding="utf-8")


def write_calibration(log, names, **changes):
    lens = {"fx_px": 1000.0, "fy_px": 1000.0, "cx_px": 800.0, "cy_px": 600.0, "k1": -0.3, "k2": 0.1, "k3": 0.0}
    lenses = [{"sensor_name": n, **lens, "width_px": 1600, "height_px": 1200, **changes} for n in names]
    write(log / "calibration" / "intrinsics.feather", lenses)
    looking_ahead = pose((0.5, -0.5, 0.5, -0.5), (1.5, 0, 1.2))
    write(log / "calibration" / "egovehicle_SE3_sensor.feather", [{"sensor_name": n, **looking_ahead} for n in names])


@pytest.fixture
def mini_log(tmp_path):
    log = tmp_path / "mini"
    write(log / "city_SE3_egovehicle.feather", ego_rows())
    write(log / "annotations.feather", [box_row(sweep) for sweep in range(2, 9)])
    write_map(log)
    write_calibration(log, RING_CAMERAS)
    return log


# -- a log of our own -----------------------------------------------------------------------------


def test_the_world_begins_near_the_first_ego_position_with_the_axes_of_the_city(mini_log):
    scene = read_argoverse2(mini_log)
    assert scene.world_origin_m.tolist() == [4002, 3000, 20]
    assert scene.ego.world_from_body.translation_m[0] == approx([0.4, 0, 0])
    assert scene.ego.world_from_body.yaw_rad == approx(np.zeros(7))


def test_a_scene_lasts_from_the_first_annotated_sweep_to_the_last(mini_log):
    scene = read_argoverse2(mini_log)
    assert (scene.ego.first_us, scene.ego.last_us) == (START_NS // 1000 + 200_000, START_NS // 1000 + 800_000)
    assert scene.frame_timestamps_us is None and scene.duration_s == approx(0.6)


def test_a_sweep_between_two_ego_poses_starts_the_scene_there(mini_log):
    row = box_row(0) | {"timestamp_ns": START_NS + 250_000_000}
    write(mini_log / "annotations.feather", [row, box_row(5)])
    scene = read_argoverse2(mini_log)
    assert scene.ego.first_us == START_NS // 1000 + 250_000
    assert scene.ego.world_from_body.translation_m[0] + scene.world_origin_m == approx([4002.9, 3000, 20])


def test_the_ego_stands_on_the_ground_and_the_cameras_rise_with_it(mini_log):
    scene = read_argoverse2(mini_log)
    assert (scene.source["ego_height_m"], scene.source["ego_height_from"]) == ("0.300", "lane edges")
    assert scene.ego.world_from_body.translation_m[:, 2] == approx(0.0)
    assert scene.rig["ring_side_left"].ego_from_camera.translation_m == approx([1.5, 0, 1.5])


def test_boxes_lie_where_the_ego_saw_them(mini_log):
    (car,) = read_argoverse2(mini_log).actors
    assert (car.id, car.category, len(car.trajectory)) == ("car", Category.CAR, 7)
    assert car.trajectory.world_from_body.translation_m == approx(np.array([[10.4 + i, 2, 0.75] for i in range(7)]))


def test_a_quaternion_that_changes_sign_turns_nothing(mini_log):
    rows = ego_rows()
    for row in rows[5:]:
        row["qw"] = -1.0
    write(mini_log / "city_SE3_egovehicle.feather", rows)
    scene = read_argoverse2(mini_log)
    assert scene.ego.at([START_NS // 1000 + 450_000]).rotation[0] == approx(np.eye(3))


def test_poses_may_be_out_of_order_and_repeat_within_a_microsecond(mini_log):
    expected = read_argoverse2(mini_log).ego
    rows = ego_rows()
    rows += [rows[4] | {"timestamp_ns": rows[4]["timestamp_ns"] + 3}, rows[6]]
    write(mini_log / "city_SE3_egovehicle.feather", rows[::-1])
    ego = read_argoverse2(mini_log).ego
    assert ego.timestamps_us.tolist() == expected.timestamps_us.tolist()
    assert ego.world_from_body.matrix == approx(expected.world_from_body.matrix)


def test_distortion_is_left_out_because_the_pictures_have_none(mini_log):
    camera = read_argoverse2(mini_log).rig["ring_front_left"]
    assert camera.lens == Pinhole(1000.0, 1000.0, 800.0, 600.0)
    assert (camera.width_px, camera.height_px) == (1600, 1200)


def test_stereo_cameras_come_after_the_ring_when_asked_for(mini_log):
    write_calibration(mini_log, [*STEREO_CAMERAS, *RING_CAMERAS[::-1], "up_lidar"])
    assert read_argoverse2(mini_log).rig.names == RING_CAMERAS
    assert read_argoverse2(mini_log, stereo=True).rig.names == RING_CAMERAS + STEREO_CAMERAS


def test_a_log_without_calibration_has_an_empty_rig(mini_log):
    shutil.rmtree(mini_log / "calibration")
    assert len(read_argoverse2(mini_log).rig) == 0


def test_cameras_that_are_not_calibrated_are_left_out(mini_log):
    write_calibration(mini_log, RING_CAMERAS[2:5])
    mounts = [{"sensor_name": name, **pose()} for name in RING_CAMERAS[3:]]
    write(mini_log / "calibration" / "egovehicle_SE3_sensor.feather", mounts)
    assert read_argoverse2(mini_log, stereo=True).rig.names == RING_CAMERAS[3:5]


def test_a_log_without_annotations_lasts_as_long_as_its_poses(mini_log):
    (mini_log / "annotations.feather").unlink()
    scene = read_argoverse2(mini_log)
    assert scene.actors == () and scene.duration_s == approx(1.0)


def test_riders_bollards_and_signs_become_what_is_drawn_once(mini_log):
    rows = [box_row(s, "rider", "BICYCLIST", (5, 0, 1.0), (0.8, 0.6, 1.2)) for s in range(3)]
    rows += [box_row(s, "cycle", "BICYCLE", (5, 0, 0.3), (1.8, 0.6, 1.2)) for s in range(3)]
    rows += [box_row(s, "post", "BOLLARD", (9 - s, 3, 0.2), (0.2, 0.2, 1.0)) for s in range(3)]
    rows += [box_row(s, "stop", "STOP_SIGN", (12 - s, 3, 1.7), (0.1, 0.7, 0.7)) for s in range(3)]
    write(mini_log / "annotations.feather", rows)
    scene = read_argoverse2(mini_log)
    assert [(a.id, a.source_category) for a in scene.actors] == [("rider", "BICYCLIST+BICYCLE")]
    assert [p.id for p in scene.hdmap.poles] == ["post"]
    assert scene.hdmap.poles[0].polyline.points_m == approx(np.array([[9.4, 3, 0], [9.4, 3, 1.0]]))
    assert [s.id for s in scene.hdmap.traffic_signs] == ["stop"]


def test_the_source_names_log_city_and_licence(mini_log):
    source = read_argoverse2(mini_log).source
    assert (source["format"], source["log_id"], source["city"]) == ("argoverse2", "mini", "PAO")
    assert source["licence"] == "CC BY-NC-SA 4.0" and "Argo AI" in source["attribution"]


def test_the_source_tells_what_of_the_map_was_left_out_or_repainted(mini_log):
    assert not {"dropped", "repainted"} & read_argoverse2(mini_log).source.keys()
    (file,) = (mini_log / "map").glob("log_map_archive_*.json")
    content = json.loads(file.read_text())
    corners = ((0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5))
    sliver = [{"x": 4200 + x, "y": 3000 + y, "z": 20} for x, y in corners]
    content["drivable_areas"]["sliver"] = {"area_boundary": sliver}
    next(iter(content["lane_segments"].values()))["left_lane_mark_type"] = "SOLID_DASH_WHITE"
    file.write_text(json.dumps(content))
    source = read_argoverse2(mini_log).source
    assert source["dropped"] == "1 road_boundaries with an area below 1 m2"
    assert source["repainted"] == "1 lane edges from SOLID_DASH_WHITE to WHITE SOLID_GROUP"


# -- a real log -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scene(av2_log):
    return read_argoverse2(av2_log)


def test_a_real_log_becomes_a_scene_of_its_annotated_15_5_seconds(scene, av2_log):
    assert scene.clip_id == av2_log.name and scene.duration_s == approx(15.5, abs=0.01)
    assert scene.world_origin_m.tolist() == [5173, 2419, 67]
    assert np.linalg.norm(scene.ego.world_from_body.translation_m, axis=1).max() < 80
    assert len(scene.frame_times_us(30)) == 465


def test_the_114_tracks_of_a_real_log_are_107_actors_and_7_posts(scene):
    assert (len(scene.actors), len(scene.hdmap.poles), len(scene.hdmap.traffic_signs)) == (107, 7, 0)
    assert sum(len(a.trajectory) for a in scene.actors) == 11_364 - 676
    drawn = [a.category for a in scene.actors]
    counts = {category: drawn.count(category) for category in Category}
    assert counts == {"Car": 71, "Truck": 3, "Pedestrian": 17, "Cyclist": 11, "Others": 5}


def test_a_real_ego_is_on_the_ground(scene, av2_log):
    assert 0.30 <= float(scene.source["ego_height_m"]) <= 0.325
    assert scene.source["ego_height_from"] == "ground raster"
    wheels_m = scene.ego.world_from_body.translation_m + scene.world_origin_m
    gap_m = wheels_m[:, 2] - read_ground_raster(av2_log / "map").at(wheels_m[:, :2])
    assert abs(np.median(gap_m)) < 1e-3 and np.percentile(np.abs(gap_m), 95) < 0.06


def test_a_real_rig_is_the_ring_with_a_portrait_front(scene):
    assert scene.rig.names == RING_CAMERAS
    sizes = [(c.width_px, c.height_px) for c in scene.rig]
    assert sizes == [(1550, 2048)] + [(2048, 1550)] * 6
    headings = [float(np.arctan2(*c.ego_from_camera.rotation[[1, 0], 2])) for c in scene.rig]
    assert np.degrees(headings) == approx([0, 45, 99, 153, -153, -99, -45], abs=2)
    assert all(1.6 < c.ego_from_camera.translation_m[2] < 1.8 for c in scene.rig)


def test_cars_ahead_of_a_real_ego_are_seen_by_the_front_camera(scene):
    """A box in the vehicle frame, moved by hand, projects to the same pixel as through scene, rig and ground."""
    first_us = scene.ego.first_us
    camera = scene.rig["ring_front_center"]
    truck = next(a for a in scene.actors if a.source_category == "BOX_TRUCK")
    world_from_camera = scene.ego.at([first_us])[0] @ camera.ego_from_camera
    centre = truck.boxes_at([first_us]).world_from_box.translation_m[0]
    uv, depth_m = camera.project(world_from_camera.inverse().apply(centre))
    published = SE3.from_quaternion(
        [0.5016454083000883, -0.49861992463738697, 0.5010700093854159, -0.4986570973931321],
        [1.6350176513238963, 0.0026764466473251165, 1.3979667966613305],
    )
    by_hand, by_hand_m = camera.project(
        published.inverse().apply([17.085210781093338, -6.657282937709169, 1.5564997403544965])
    )
    assert uv == approx(by_hand, abs=1e-6) and depth_m == approx(by_hand_m, abs=1e-9)
    assert camera.sees(world_from_camera.inverse().apply(centre))


# -- bad input ------------------------------------------------------------------------------------


def refused(log):
    with pytest.raises(FormatError) as error:
        read_argoverse2(log)
    return str(error.value)


def test_a_log_that_is_no_folder_is_refused(tmp_path):
    log = tmp_path / "nothing"
    assert refused(log) == f"{log}: the folder is missing. An Argoverse 2 sensor log is a folder."


def test_a_log_without_poses_is_refused(mini_log):
    file = mini_log / "city_SE3_egovehicle.feather"
    file.unlink()
    assert refused(mini_log) == f"{file}: the file is missing. A feather table is needed here."


def test_a_log_without_a_map_is_refused(mini_log):
    shutil.rmtree(mini_log / "map")
    problem = "no file log_map_archive_*.json. A log needs its vector map, and only one."
    assert refused(mini_log) == f"{mini_log / 'map'}: {problem}"


def test_half_a_calibration_is_refused(mini_log):
    file = mini_log / "calibration" / "intrinsics.feather"
    file.unlink()
    assert refused(mini_log) == f"{file}: the file is missing. A feather table is needed here."


@pytest.mark.parametrize("name", ["city_SE3_egovehicle", "annotations", "calibration/intrinsics"])
def test_a_truncated_table_is_refused(mini_log, name):
    file = mini_log / f"{name}.feather"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert refused(mini_log) == f"{file}: cannot be read as feather. It is truncated or damaged."


def test_poses_without_rows_are_refused(mini_log):
    file = mini_log / "city_SE3_egovehicle.feather"
    pa.feather.write_feather(pa.Table.from_pylist(ego_rows()).slice(0, 0), file)
    assert refused(mini_log) == f"{file}: the table has no rows. A log needs at least one ego pose."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tx_m": float("nan")}, "row 3, tx_m: nan. A finite number is needed here."),
        ({"qw": 0.0}, "row 3, qw qx qy qz: a quaternion of length zero. It must describe a rotation."),
        (
            {"timestamp_ns": START_NS + 200_000_900},
            "row 3, timestamp_ns: another pose than row 2 in the same microsecond 1000200000. "
            "One pose per instant is allowed.",
        ),
    ],
)
def test_a_broken_pose_is_named_with_its_row(mini_log, changes, sentence):
    file = mini_log / "city_SE3_egovehicle.feather"
    rows = ego_rows()
    rows[3] |= changes
    write(file, rows)
    assert refused(mini_log) == f"{file}: {sentence}"


def test_stamps_that_are_no_whole_numbers_are_refused(mini_log):
    file = mini_log / "city_SE3_egovehicle.feather"
    write(file, [row | {"timestamp_ns": float(row["timestamp_ns"])} for row in ego_rows()])
    sentence = "timestamp_ns: the column holds double. It must hold whole numbers."
    assert refused(mini_log) == f"{file}: {sentence}"


def test_an_annotation_after_the_last_pose_is_refused(mini_log):
    write(mini_log / "annotations.feather", [box_row(2), box_row(11)])
    sentence = "row 1, timestamp_ns: 1001100000 us is outside of the ego poses. They cover 1000000000 to 1001000000 us."
    assert refused(mini_log) == f"{mini_log / 'annotations.feather'}: {sentence}"


def test_a_lens_without_focal_length_is_refused(mini_log):
    write_calibration(mini_log, RING_CAMERAS, fy_px=0.0)
    file = mini_log / "calibration" / "intrinsics.feather"
    assert refused(mini_log) == f"{file}: row 0, fy_px: 0. It must be above 0."


def test_a_camera_that_is_listed_twice_is_refused(mini_log):
    write_calibration(mini_log, [*RING_CAMERAS, "ring_side_left"])
    file = mini_log / "calibration" / "intrinsics.feather"
    sentence = "row 7, sensor_name: ring_side_left occurs a second time, first in row 2. One row per sensor is allowed."
    assert refused(mini_log) == f"{file}: {sentence}"
