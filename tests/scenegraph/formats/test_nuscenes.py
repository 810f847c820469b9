"""nuScenes tables: ego, boxes and cameras of a scene, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from scenegraph import SE3, Category, FormatError, Pinhole
from scenegraph.formats.nuscenes import EXTRAPOLATE_US, MAX_GAP_US, category_of, read_nuscenes

FIRST_KEY_FRAME_US = 1532402927647951
LEVEL = [1.0, 0.0, 0.0, 0.0]
LOOKING_AHEAD = [0.5, -0.5, 0.5, -0.5]  # camera axes in a vehicle
K = [[1000.0, 0.0, 800.0], [0.0, 1000.0, 450.0], [0.0, 0.0, 1.0]]


class DataSet:
    """Tables with one scene of three key frames, 0.5 s apart: one car, one camera, one lidar; and a second scene."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables = {
            "log": [{"token": "log", "location": "boston-seaport"}],
            "scene": [{"token": "s1", "name": "scene-0001", "log_token": "log"}],
            "sample": [{"token": f"k{i}", "scene_token": "s1", "timestamp": 1_000_000 + 500_000 * i} for i in range(3)],
            "sensor": [
                {"token": "cam", "channel": "CAM_FRONT", "modality": "camera"},
                {"token": "top", "channel": "LIDAR_TOP", "modality": "lidar"},
            ],
            "calibrated_sensor": [
                {"token": "cam1", "sensor_token": "cam"} | pose(LOOKING_AHEAD, [1.5, 0, 1.6]) | {"camera_intrinsic": K},
                {"token": "top1", "sensor_token": "top"} | pose(LEVEL, [1, 0, 2]) | {"camera_intrinsic": []},
            ],
            "sample_data": [],
            "ego_pose": [],
            "category": [{"token": "c", "name": "vehicle.car"}],
            "instance": [{"token": "car", "category_token": "c"}],
            "sample_annotation": [
                {"token": f"a{i}", "sample_token": f"k{i}", "instance_token": "car", "size": [2.0, 4.5, 1.5]}
                | pose(LEVEL, [120.4 + 2 * i, 200, 1])
                for i in range(3)
            ],
        }
        for i in range(3):
            self.record(f"lidar{i}", f"k{i}", "top1", 1_000_000 + 500_000 * i, 100.4 + 5 * i)
            self.record(f"front{i}", f"k{i}", "cam1", 960_000 + 500_000 * i, 100.0 + 5 * i, width=1600, height=900)

    def record(self, token, sample, mount, stamp_us, x_m, **more):
        """One reading of a sensor with its ego pose."""
        refers = {"sample_token": sample, "calibrated_sensor_token": mount, "ego_pose_token": token}
        row = {"token": token, "timestamp": stamp_us, "is_key_frame": True, "filename": f"samples/{token}.jpg"}
        self.tables["sample_data"].append(row | refers | more)
        self.tables["ego_pose"].append({"token": token, "timestamp": stamp_us} | pose(LEVEL, [x_m, 200.0, 0.0]))

    def row(self, table, token):
        return next(row for row in self.tables[table] if row["token"] == token)

    def file(self, table, version="v1.0-mini"):
        return self.root / version / f"{table}.json"

    def write(self, version="v1.0-mini"):
        for table, rows in self.tables.items():
            self.file(table, version).parent.mkdir(parents=True, exist_ok=True)
            self.file(table, version).write_text(json.dumps(rows))
        return self.root

    def read(self, **asked):
        return read_nuscenes(self.write(), **asked)


def pose(rotation, translation):
    return {"rotation": rotation, "translation": translation}


@pytest.fixture
def data_set(tmp_path):
    return DataSet(tmp_path)


@pytest.fixture(scope="module")
def scene_0061_folder(shared_data):
    return shared_data / "nuscenes_scene-0061"


@pytest.fixture(scope="module")
def scene_0061(scene_0061_folder):
    return read_nuscenes(scene_0061_folder)


@pytest.fixture(scope="module")
def demo_frame(scene_0061_folder):
    """The first key frame in the words of another project's info file."""
    return json.loads((scene_0061_folder / "frame_info_mmdet3d.json").read_text())["data_list"][0]


@pytest.fixture(scope="module")
def lyft(shared_data):
    return read_nuscenes(shared_data / "lyft_tables")


# -- scene-0061 -----------------------------------------------------------------------------------


def first_boxes(scene):
    """Centre [N,3] in global coordinates, length, width, height [N,3] and yaw [N] of the first key frame."""
    boxes = [actor.boxes_at([FIRST_KEY_FRAME_US]) for actor in scene.actors]
    boxes = [box for box in boxes if box.present[0]]
    centres_m = np.concatenate([box.world_from_box.translation_m for box in boxes]) + scene.world_origin_m
    sizes_m = np.array([[box.length_m[0], box.width_m[0], box.height_m[0]] for box in boxes])
    return centres_m, sizes_m, np.array([box.world_from_box.yaw_rad[0] for box in boxes])


def test_scene_0061_has_its_actors_cameras_and_ego_poses(scene_0061):
    assert scene_0061.clip_id == "scene-0061"
    assert sum(len(actor.trajectory) for actor in scene_0061.actors) == 4664 and len(scene_0061.actors) == 225
    assert scene_0061.rig.names == (
        "CAM_FRONT",
        "CAM_FRONT_RIGHT",
        "CAM_BACK_RIGHT",
        "CAM_BACK",
        "CAM_BACK_LEFT",
        "CAM_FRONT_LEFT",
    )
    assert len(scene_0061.ego) == 45  # 7 sensors of the first key frame, then one instant per key frame
    assert scene_0061.world_origin_m.tolist() == [411.0, 1181.0, 0.0]
    assert scene_0061.frame_timestamps_us is None
    assert scene_0061.source["location"] == "singapore-onenorth"


def test_the_boxes_of_the_first_key_frame_are_those_of_another_reader(scene_0061, demo_frame):
    centres_m, sizes_m, yaws_rad = first_boxes(scene_0061)
    global_from_lidar = np.array(demo_frame["ego2global"]) @ np.array(demo_frame["lidar_points"]["lidar2ego"])
    unmatched = []
    for instance in demo_frame["instances"]:
        *centre, length_m, width_m, height_m, yaw_rad = instance["bbox_3d"]
        centre_m = (global_from_lidar @ [*centre, 1.0])[:3]
        heading = global_from_lidar[:3, :3] @ [math.cos(yaw_rad), math.sin(yaw_rad), 0.0]
        nearest = int(np.linalg.norm(centres_m - centre_m, axis=1).argmin())
        if np.linalg.norm(centres_m[nearest] - centre_m) > 0.01:
            unmatched.append(instance["bbox_label_3d"])
            continue
        assert sizes_m[nearest] == approx([length_m, width_m, height_m], abs=1e-6)
        turn_rad = math.atan2(heading[1], heading[0]) - yaws_rad[nearest]
        assert math.cos(turn_rad) > math.cos(0.01)
    assert unmatched == [-1]  # the derived tables lack the one class outside of the ten
    assert len(centres_m) == 68


def test_box_centres_land_on_the_pixels_another_reader_computed(scene_0061, demo_frame):
    centres_world_m = first_boxes(scene_0061)[0] - scene_0061.world_origin_m
    compared = 0
    for name, instances in demo_frame["cam_instances"].items():
        camera, stamp_us = scene_0061.rig[name], round(demo_frame["images"][name]["timestamp"] * 1e6)
        world_from_camera = scene_0061.ego.at([stamp_us])[0] @ camera.ego_from_camera
        uv, depth_m = camera.project(world_from_camera.inverse().apply(centres_world_m))
        for instance in instances:
            off_px = np.linalg.norm(uv - instance["center_2d"], axis=1)
            off_px[np.abs(depth_m - instance["depth"]) > 0.01] = np.inf
            assert off_px.min() < 0.01
            compared += 1
    assert compared == 84


def test_the_parked_truck_stands_in_the_front_picture(scene_0061):
    camera = scene_0061.rig["CAM_FRONT"]
    world_from_camera = scene_0061.ego.at([FIRST_KEY_FRAME_US])[0] @ camera.ego_from_camera
    trucks = [actor for actor in scene_0061.actors if actor.source_category == "vehicle.truck"]
    centres_m = [actor.boxes_at([FIRST_KEY_FRAME_US]).world_from_box.translation_m[0] for actor in trucks]
    points_camera = world_from_camera.inverse().apply(np.array(centres_m))
    nearest = points_camera[np.linalg.norm(points_camera, axis=1).argmin()]
    uv, depth_m = camera.project(nearest)
    assert camera.sees(nearest) and 200 < uv[0] < 600 and 5 < depth_m < 20


def test_every_ego_pose_is_reproduced_at_the_instant_of_its_sensor(scene_0061, scene_0061_folder):
    tables = scene_0061_folder / "v1.0-mini"
    poses = {row["token"]: row for row in json.loads((tables / "ego_pose.json").read_text())}
    rows = json.loads((tables / "sample_data.json").read_text())
    found = scene_0061.ego.at([row["timestamp"] for row in rows])
    expected = [poses[row["ego_pose_token"]] for row in rows]
    translations_m = np.array([row["translation"] for row in expected]) - scene_0061.world_origin_m
    rotations = SE3.from_quaternion([row["rotation"] for row in expected], translations_m).rotation
    assert np.abs(found.translation_m - translations_m).max() < 1e-9
    assert np.abs(found.rotation - rotations).max() < 1e-9


def test_the_ego_drives_the_path_of_the_same_scene_in_another_format(scene_0061, scene_0061_folder):
    dump = json.loads((scene_0061_folder / "scenario_scene-0061.json").read_text())
    path_m = np.array(dump["tracks"]["ego"]["position"])[:, :2]
    times_us = FIRST_KEY_FRAME_US + 100_000 * np.arange(len(path_m))
    inside = times_us <= scene_0061.ego.last_us
    driven_m = (scene_0061.ego.at(times_us[inside]).translation_m + scene_0061.world_origin_m)[:, :2]
    away_m = np.linalg.norm(driven_m - path_m[inside], axis=1)
    assert inside.sum() == 191 and away_m.max() < 0.25  # 10 Hz there, 2 Hz here: braking lies between
    assert away_m[5::5].max() < 0.001  # key frames, but the first, which is 17 ms apart


def test_the_camera_is_the_one_of_the_tables(scene_0061, demo_frame):
    for name, image in demo_frame["images"].items():
        camera, k = scene_0061.rig[name], np.array(image["cam2img"])
        assert camera.lens == Pinhole(k[0, 0], k[1, 1], k[0, 2], k[1, 2])
        assert (camera.width_px, camera.height_px) == (1600, 900)
        assert camera.ego_from_camera.matrix == approx(np.array(image["cam2ego"]), abs=1e-6)


def test_each_view_of_scene_0061_overlaps_with_the_views_next_to_it(scene_0061):
    ring = np.roll(np.eye(6, dtype=bool), 1, axis=1)
    assert (scene_0061.rig.neighbours() & (ring | ring.T)).sum() == 12


# -- Lyft's tables --------------------------------------------------------------------------------


def test_lyft_tables_with_fractional_times_and_dangling_links_are_read(lyft):
    assert len(lyft.actors) == 4 and {actor.source_category for actor in lyft.actors} == {"car"}
    assert lyft.rig.names[-1] == "CAM_FRONT_ZOOMED" and len(lyft.rig) == 7
    assert lyft.ego.timestamps_us.tolist() == [
        1556675185800000,
        1556675185816660,
        1556675185833330,
        1556675185850000,
        1556675185866660,
        1556675185883330,
        1556675185903083,
    ]
    assert lyft.world_origin_m.tolist() == [457.0, 2680.0, -19.0]


def test_lyft_boxes_last_back_to_its_earliest_camera(lyft):
    assert all(actor.boxes_at([lyft.ego.first_us]).present[0] for actor in lyft.actors)


def test_tables_of_another_publisher_do_not_claim_the_licence_of_nuscenes(lyft):
    assert lyft.source["licence"].startswith("not known")


# -- a small data set -----------------------------------------------------------------------------


def test_sizes_come_in_the_order_width_length_height(data_set):
    (car,) = data_set.read().actors
    assert (car.length_m[0], car.width_m[0], car.height_m[0]) == (4.5, 2.0, 1.5)
    assert (car.id, car.category, car.source_category) == ("car", Category.CAR, "vehicle.car")


def test_the_world_begins_at_the_first_ego_position_in_whole_metres(data_set):
    data_set.row("ego_pose", "front0")["translation"] = [100.6, 199.8, 0.0]
    scene = data_set.read()
    assert scene.world_origin_m.tolist() == [101.0, 200.0, 0.0]
    assert scene.ego.world_from_body.translation_m[0] == approx([-0.4, -0.2, 0.0])
    assert scene.actors[0].trajectory.world_from_body.translation_m[0] == approx([19.4, 0.0, 1.0])


def test_boxes_are_interpolated_between_key_frames(data_set):
    boxes = data_set.read().actors[0].boxes_at([1_250_000])
    assert boxes.present[0] and boxes.world_from_box.translation_m[0, 0] == approx(21.4)


@pytest.mark.parametrize(("missing", "bridged"), [(1, True), (2, False)])
def test_one_missing_key_frame_is_bridged_and_two_are_not(data_set, missing, bridged):
    last = data_set.tables["sample"][2]
    last["timestamp"] += (missing - 1) * 500_000
    data_set.tables["sample_annotation"].pop(1)
    (car,) = data_set.read().actors
    assert car.boxes_at([1_250_000]).present[0] == bridged
    assert car.max_gap_us == MAX_GAP_US and car.extrapolate_us == EXTRAPOLATE_US


def test_the_mount_of_a_camera_is_its_pose_on_the_vehicle(data_set):
    (camera,) = data_set.read().rig
    assert camera.ego_from_camera.apply(np.array([0.0, 0.0, 10.0])) == approx([11.5, 0.0, 1.6])


def test_sweeps_add_ego_poses_but_no_cameras(data_set):
    data_set.record("sweep", "k0", "cam1", 990_000, 100.3, width=1600, height=900)
    data_set.row("sample_data", "sweep")["is_key_frame"] = False
    scene = data_set.read()
    assert len(scene.ego) == 7 and scene.rig.names == ("CAM_FRONT",)


def test_the_pose_of_the_camera_is_kept_where_two_at_one_instant_differ_by_millimetres(data_set):
    data_set.record("radar", "k0", "top1", 960_000, 100.005)
    data_set.tables["sample_data"].reverse()
    assert data_set.read().ego.at([960_000]).translation_m[0, 0] == 0.0


def test_the_instant_of_an_ego_pose_is_that_of_its_sensor(data_set):
    for row in data_set.tables["ego_pose"]:
        row["timestamp"] = 1_000_000.25
    assert data_set.read().ego.timestamps_us.tolist() == [960000, 1000000, 1460000, 1500000, 1960000, 2000000]


def test_a_scene_is_found_by_name_and_by_token(data_set):
    data_set.tables["scene"].append({"token": "s2", "name": "scene-0002", "log_token": "log"})
    data_set.tables["sample"].append({"token": "k9", "scene_token": "s2", "timestamp": 9_000_000})
    data_set.record("lidar9", "k9", "top1", 9_000_000, 300.0)
    assert data_set.read(scene="scene-0002").ego.timestamps_us.tolist() == [9_000_000]
    assert data_set.read(scene="s1").clip_id == "scene-0001" and not data_set.read(scene="s2").actors


def test_the_source_says_that_the_map_is_not_read(data_set):
    scene = data_set.read()
    assert scene.source == {
        "format": "nuscenes",
        "version": "v1.0-mini",
        "scene": "scene-0001",
        "location": "boston-seaport",
        "map": "not read: the scene has ego, boxes and cameras but no lanes, kerbs or crossings",
        "licence": "CC BY-NC-SA 4.0 and the nuScenes Terms of Use",
        "attribution": "nuScenes (c) Motional AD Inc.; H. Caesar et al., nuScenes: A multimodal dataset for "
        "autonomous driving, CVPR 2020",
    }
    assert not scene.hdmap.lane_lines


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("vehicle.emergency.police", Category.CAR),
        ("Car", Category.CAR),
        ("vehicle.emergency.ambulance", Category.TRUCK),
        ("other_vehicle", Category.TRUCK),
        ("human.pedestrian.construction_worker", Category.PEDESTRIAN),
        ("human.pedestrian.stroller", Category.OTHERS),
        ("human.pedestrian.personal_mobility", Category.OTHERS),
        ("vehicle.motorcycle", Category.CYCLIST),
        ("movable_object.trafficcone", Category.OTHERS),
        ("static_object.bicycle_rack", Category.OTHERS),
        ("animal", Category.OTHERS),
    ],
)
def test_categories_are_sorted_into_the_five_classes(word, category):
    assert category_of(word) == category


# -- bad input ------------------------------------------------------------------------------------


def refusal(data_set, **asked):
    with pytest.raises(FormatError) as caught:
        read_nuscenes(data_set.root, **asked)
    return str(caught.value)


def test_a_missing_table_is_named(data_set):
    data_set.write()
    data_set.file("ego_pose").unlink()
    assert refusal(data_set) == f"{data_set.file('ego_pose')}: the table is missing. A nuScenes data set needs it."


def test_broken_json_is_located(data_set):
    data_set.write()
    data_set.file("sample").write_text('[{"token": "k0"},\n {"token" "k1"}]')
    assert refusal(data_set) == (
        f"{data_set.file('sample')}: line 2 column 11: broken JSON (Expecting ':' delimiter). "
        "A complete JSON document is needed."
    )


def test_a_table_that_is_no_array_is_refused(data_set):
    data_set.write()
    data_set.file("scene").write_text('{"token": "s1"}')
    assert refusal(data_set) == f"{data_set.file('scene')}: an object is here. An array is needed."


def test_a_record_that_is_no_object_is_refused(data_set):
    data_set.tables["sample"].append(7)
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('sample')}: row 3: a number is here. An object with scene_token is needed."
    )


@pytest.mark.parametrize(
    ("table", "token", "field", "present"),
    [
        ("sample_annotation", "a1", "size", "token, sample_token, instance_token, rotation, translation"),
        ("ego_pose", "front0", "rotation", "token, timestamp, translation"),
        ("sensor", "cam", "channel", "token, modality"),
    ],
)
def test_a_record_without_a_field_is_named(data_set, table, token, field, present):
    del data_set.row(table, token)[field]
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file(table)}: token {token}, {field}: the field is missing. Present are {present}."
    )


def test_an_unknown_scene_is_answered_with_the_scenes_there_are(data_set):
    data_set.write()
    assert refusal(data_set, scene="scene-0061") == (
        f"{data_set.file('scene')}: there is no scene 'scene-0061'. Scenes: scene-0001 (s1)."
    )


def test_several_scenes_need_a_choice(data_set):
    data_set.tables["scene"] = [{"token": f"s{i}", "name": f"scene-{i:04}", "log_token": "log"} for i in range(7)]
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('scene')}: 7 scenes and none was asked for. Scenes: scene-0000 (s0), scene-0001 (s1), "
        "scene-0002 (s2), scene-0003 (s3), scene-0004 (s4) and 2 more."
    )


@pytest.mark.parametrize(
    ("table", "token", "field", "target"),
    [
        ("sample_data", "front0", "calibrated_sensor_token", "calibrated_sensor"),
        ("sample_data", "lidar1", "ego_pose_token", "ego_pose"),
        ("calibrated_sensor", "top1", "sensor_token", "sensor"),
        ("sample_annotation", "a2", "instance_token", "instance"),
        ("instance", "car", "category_token", "category"),
        ("scene", "s1", "log_token", "log"),
    ],
)
def test_a_reference_to_nothing_is_named(data_set, table, token, field, target):
    data_set.row(table, token)[field] = "lost"
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file(table)}: token {token}, {field}: no {target} has the token 'lost'. "
        f"A token of {target}.json is needed."
    )


def test_a_token_that_occurs_twice_is_refused(data_set):
    data_set.tables["ego_pose"].append(data_set.row("ego_pose", "lidar0"))
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('ego_pose')}: token lidar0: the token occurs a second time. Tokens must be unique in a table."
    )


@pytest.mark.parametrize(("table", "token"), [("ego_pose", "front1"), ("sample_annotation", "a0")])
def test_a_zero_quaternion_is_refused(data_set, table, token):
    data_set.row(table, token)["rotation"] = [0.0, 0.0, 0.0, 0.0]
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file(table)}: token {token}, rotation: a quaternion of length zero. "
        "A rotation as w, x, y, z is needed."
    )


@pytest.mark.parametrize(("table", "token"), [("ego_pose", "front1"), ("sample_annotation", "a0")])
def test_nan_is_refused(data_set, table, token):
    data_set.row(table, token)["translation"][1] = math.nan
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file(table)}: token {token}, translation: a number is NaN or infinite. Finite numbers are needed."
    )


def test_a_size_of_zero_is_refused(data_set):
    data_set.row("sample_annotation", "a1")["size"] = [2.0, 0.0, 1.5]
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('sample_annotation')}: token a1, size: a size of 0 m. "
        "Width, length and height must be above 0."
    )


def test_contradicting_ego_poses_of_one_instant_are_refused(data_set):
    data_set.record("radar", "k0", "top1", 960_000, 100.02)
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('ego_pose')}: token radar: another pose than token front0 at the same instant 960000 us "
        "(0.020 m away). One pose per instant is allowed."
    )


def test_two_boxes_of_an_instance_in_one_sample_are_refused(data_set):
    data_set.row("sample_annotation", "a1")["sample_token"] = "k0"
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('sample_annotation')}: token a1, instance_token: the instance has a box already in this "
        "sample (token a0). One box per instance and sample is allowed."
    )


def test_a_skewed_camera_is_refused(data_set):
    data_set.row("calibrated_sensor", "cam1")["camera_intrinsic"] = [[1000, 0.5, 800], [0, 1000, 450], [0, 0, 1]]
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('calibrated_sensor')}: token cam1, camera_intrinsic: not a pinhole without skew. "
        "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]] is needed."
    )


def test_a_camera_without_pixels_is_refused(data_set):
    data_set.row("sample_data", "front0")["height"] = 0
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('sample_data')}: token front0: a picture of 1600x0 px. Width and height must be above 0."
    )


def test_a_second_picture_of_a_camera_in_the_first_key_frame_is_refused(data_set):
    data_set.record("again", "k0", "cam1", 970_000, 100.1, width=1600, height=900)
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('sample_data')}: token again: a second picture of CAM_FRONT in this key frame. "
        "One key-frame picture per camera and sample is allowed."
    )


def test_a_lens_without_focal_length_is_refused(data_set):
    data_set.row("calibrated_sensor", "cam1")["camera_intrinsic"] = [[0, 0, 800], [0, 1000, 450], [0, 0, 1]]
    data_set.write()
    assert "token cam1, camera_intrinsic: no lens of camera CAM_FRONT (" in refusal(data_set)


def test_a_scene_without_samples_is_refused(data_set):
    data_set.tables["sample"] = []
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('scene')}: token s1: the scene has no sample. sample.json must hold its key frames."
    )


def test_a_scene_without_sensor_data_is_refused(data_set):
    data_set.tables["sample_data"] = []
    data_set.write()
    assert refusal(data_set) == (
        f"{data_set.file('scene')}: token s1: the scene has no sensor data. "
        "sample_data.json must hold some, for their ego poses."
    )


def test_several_versions_need_a_choice(data_set):
    data_set.write("v1.0-mini")
    data_set.write("v1.0-test")
    assert refusal(data_set) == (
        f"{data_set.root}: holds several versions and none was asked for. Versions: v1.0-mini, v1.0-test. "
        f"Give one as the path, such as {data_set.root / 'v1.0-mini'}."
    )
    assert read_nuscenes(data_set.root, version="v1.0-test").source["version"] == "v1.0-test"


def test_the_folder_of_a_version_may_be_the_path(data_set, monkeypatch):
    data_set.write("v1.0-mini")
    data_set.tables["scene"][0]["name"] = "scene-0002"
    data_set.write("v1.0-test")
    scenes = [read_nuscenes(data_set.root / version) for version in ("v1.0-mini", "v1.0-test")]
    assert [scene.clip_id for scene in scenes] == ["scene-0001", "scene-0002"]
    assert [scene.source["version"] for scene in scenes] == ["v1.0-mini", "v1.0-test"]
    monkeypatch.chdir(data_set.root / "v1.0-test")
    assert read_nuscenes(Path(), version="v1.0-test").source["version"] == "v1.0-test"


def test_a_scene_of_one_version_needs_no_choice(data_set):
    data_set.write("v1.0-mini")
    data_set.tables["scene"][0] |= {"name": "scene-0002"}
    data_set.write("v1.0-test")
    (data_set.root / "v1.0-empty").mkdir()
    for name, version in (("scene-0001", "v1.0-mini"), ("scene-0002", "v1.0-test")):
        scene = read_nuscenes(data_set.root, name)
        assert (scene.clip_id, scene.source["version"]) == (name, version)


def test_a_scene_of_several_versions_needs_a_choice(data_set):
    for version in ("v1.0-mini", "v1.0-test", "v1.0-trainval"):
        data_set.write(version)
    data_set.file("scene", "v1.0-test").write_text("[]")
    for asked in ("scene-0001", "s1"):
        with pytest.raises(FormatError) as caught:
            read_nuscenes(data_set.root, asked)
        assert str(caught.value) == (
            f"{data_set.root}: scene '{asked}' is in several versions: v1.0-mini, v1.0-trainval. "
            f"Give one as the path, such as {data_set.root / 'v1.0-mini'}."
        )


def test_a_scene_of_no_version_is_refused(data_set):
    data_set.write("v1.0-mini")
    data_set.write("v1.0-test")
    with pytest.raises(FormatError) as caught:
        read_nuscenes(data_set.root, "scene-0009")
    assert str(caught.value) == (
        f"{data_set.root}: no version holds a scene 'scene-0009'. Versions: v1.0-mini, v1.0-test."
    )


def test_an_unknown_version_is_answered_with_those_there_are(data_set):
    data_set.write()
    assert refusal(data_set, version="v1.0-trainval") == (
        f"{data_set.root}: there is no version 'v1.0-trainval'. Versions: v1.0-mini."
    )


def test_a_folder_without_tables_is_refused(data_set):
    assert refusal(data_set) == f"{data_set.root}: holds no tables. A folder such as v1.0-mini is needed in it."
