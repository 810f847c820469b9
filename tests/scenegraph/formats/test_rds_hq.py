"""RDS-HQ folders: golden clip, a real clip, and broken ones."""

from __future__ import annotations

import io
import json
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest

from scenegraph import SE3, Category, FormatError, FTheta, LightState, Pinhole
from scenegraph.formats.clipgt import read_clipgt, write_clipgt
from scenegraph.formats.rds_hq import read_rds_hq, read_rds_hq_lenses
from scenegraph.formats.rds_objects import steadied

CLIP = "s_0_20"
FRONT, LEFT = "camera_front_wide_120fov", "camera_cross_left_120fov"
FTHETA = [960.0, 540.0, 1920.0, 1080.0, 0.0, 0.00105, 0.0, 0.0, 0.0, 0.0, 1.0]
RDF_IN_FLU = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def sentence(error, root) -> str:
    """The message without the folder of the test."""
    return str(error.value).replace(f"{root}/", "")


def npy(array, dtype=np.float32) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array, dtype=dtype))
    return buffer.getvalue()


def pose(x=0.0, y=0.0, z=0.0, rotation=None) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) if rotation is None else rotation
    matrix[:3, 3] = x, y, z
    return matrix


def labels(*shapes) -> bytes:
    return json.dumps({"labels": [{"labelData": {"shape3d": shape}} for shape in shapes]}).encode()


def polyline(*points, **attributes):
    return {"polyline3d": {"vertices": list(points)}, "attributes": [{"name": n, **v} for n, v in attributes.items()]}


def cuboid(length=1.0, width=2.0, height=3.0, feature="9"):
    corners = [(x, y, z) for z in (0, height) for x, y in ((0, 0), (0, width), (length, width), (length, 0))]
    return {"cuboid3d": {"vertices": corners}, "attributes": [{"name": "feature_id", "text": feature}]}


def box(x=0.0, moving=True, word="Automobile", lwh=(4.0, 2.0, 1.5), **changes):
    content = {"object_to_world": pose(x).tolist(), "object_lwh": list(lwh)}
    return content | {"object_is_moving": moving, "object_type": word} | changes


class Log:
    """A small RDS-HQ folder: members by attribute and key, written as tars."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tars: dict[str, dict[str, bytes]] = {
            "vehicle_pose": {f"{i:06d}.vehicle_pose.npy": npy(pose(x=i)) for i in range(4)},
            "pose": {
                f"{i:06d}.pose.{name}.npy": npy(pose(x=i + 1.5, z=1.25, rotation=RDF_IN_FLU))
                for name in (LEFT, FRONT)
                for i in range(4)
            },
            "ftheta_intrinsic": {f"ftheta_intrinsic.{name}.npy": npy(FTHETA, np.float64) for name in (LEFT, FRONT)},
        }

    def write(self) -> Path:
        for attribute, members in self.tars.items():
            folder = self.root / attribute
            folder.mkdir(exist_ok=True)
            with tarfile.open(folder / f"{CLIP}.tar", "w") as tar:
                for key, content in members.items():
                    info = tarfile.TarInfo(f"{CLIP}.{key}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
        return self.root


@pytest.fixture
def log(tmp_path) -> Log:
    return Log(tmp_path)


# -- golden and real clips ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def golden(golden_render):
    folder = golden_render / "rdshq"
    return read_rds_hq(folder / "rds"), json.loads((folder / "expected.json").read_text())


def assert_pose(matrix, expected):
    assert np.abs(matrix[:3, :3] - np.array(expected)[:3, :3]).max() < 1e-5
    assert np.abs(matrix[:3, 3] - np.array(expected)[:3, 3]).max() < 1e-4


def test_the_golden_clip_gives_the_expected_times_and_cameras(golden):
    scene, expected = golden
    assert scene.clip_id == expected["clip_id"]
    assert scene.frame_times_us().tolist() == expected["timestamps_us"]
    cameras = scene.rig.at(scene.ego, scene.frame_times_us())
    assert set(cameras.names) == set(expected["camera_to_world"])
    for view, name in enumerate(cameras.names):
        assert_pose(scene.rig[name].ego_from_camera.matrix, expected["camera_to_rig"][name])
        for frame, matrix in expected["camera_to_world"][name].items():
            assert_pose(cameras.world_from_camera[view, int(frame)].matrix, matrix)


def test_the_golden_clip_gives_the_expected_objects(golden):
    scene, expected = golden
    stamps = scene.frame_times_us()
    for frame, objects in expected["objects"].items():
        boxes = {actor.id: (actor, actor.boxes_at(stamps[[int(frame)]])) for actor in scene.actors}
        assert {i for i, (_, b) in boxes.items() if b.present[0]} == set(objects)
        for object_id, wanted in objects.items():
            actor, at = boxes[object_id]
            assert actor.category == wanted["cls"]
            assert_pose(at.world_from_box.matrix[0], wanted["object_to_world"])
            assert (at.length_m[0], at.width_m[0], at.height_m[0]) == pytest.approx(wanted["lwh"], abs=1e-4)


def test_the_golden_clip_gives_the_expected_lights_and_lane_lines(golden):
    scene, expected = golden
    lights = scene.hdmap.traffic_lights
    for light, wanted in zip(lights, expected["traffic_lights"], strict=True):
        assert np.abs(light.world_from_box.rotation - wanted["R"]).max() < 1e-5
        assert np.abs(light.world_from_box.translation_m - wanted["center"]).max() < 1e-4
        assert (light.length_m, light.width_m, light.height_m) == pytest.approx(wanted["lwh"], abs=1e-4)
    shown = {str(i): list(scene.light_states[x.id].at(scene.frame_times_us())) for i, x in enumerate(lights)}
    assert shown == expected["traffic_light_states"]
    assert [f"{x.colour} {x.style}" for x in scene.hdmap.lane_lines] == expected["lane_line_types"]
    assert scene.hdmap.stop_lines[0].is_implicit
    assert "dropped" not in scene.source


def test_a_jittering_parked_object_is_steadied_as_expected(golden_render):
    case = json.loads((golden_render / "interp" / "static_object.json").read_text())
    wxyz = np.array(case["input"]["quats_xyzw"])[:, [3, 0, 1, 2]]
    poses, lwh_m = steadied(SE3.from_quaternion(wxyz, case["input"]["centers"]), np.array(case["input"]["lwh"]))
    assert poses.shape == (10,) and lwh_m.shape == (10, 3)
    assert np.abs(poses.rotation - case["output"]["R"]).max() < 1e-5
    assert np.abs(poses.translation_m - case["output"]["center"]).max() < 1e-4
    assert np.abs(lwh_m - case["output"]["lwh"]).max() < 1e-4


def test_the_real_clip_has_all_its_elements_and_no_cameras(shared_data):
    scene = read_rds_hq(shared_data / "rds_hq")
    assert scene.hdmap.counts() == {
        "lane_segments": 344,
        "lane_lines": 85,
        "road_boundaries": 93,
        "crosswalks": 1,
        "stop_lines": 34,
        "poles": 28,
        "road_markings": 6,
        "traffic_lights": 0,
        "traffic_signs": 29,
    }
    assert len(scene.ego) == 300 and len(scene.rig) == 0 and scene.actors == ()
    assert np.abs(scene.ego.world_from_body[0].matrix - np.eye(4)).max() < 1e-6
    assert scene.source == {"format": "rds-hq"}


def test_lanes_of_the_real_clip_meet_their_successors(shared_data):
    lanes = {lane.id: lane for lane in read_rds_hq(shared_data / "rds_hq").hdmap.lane_segments}
    links = [(lane, lanes[i]) for lane in lanes.values() for i in lane.successors if i in lanes]
    gaps_m = [np.linalg.norm(a.left.points_m[-1] - b.left.points_m[0]) for a, b in links]
    assert len(links) > 300 and np.median(gaps_m) < 0.01
    assert all(lane.id in lanes[i].predecessors for lane in lanes.values() for i in lane.successors if i in lanes)


def test_lenses_of_the_real_clip_come_in_view_order_with_both_directions(shared_data):
    lenses = read_rds_hq_lenses(shared_data / "rds_hq")
    assert list(lenses) == [
        "camera_front_wide_120fov",
        "camera_cross_right_120fov",
        "camera_rear_right_70fov",
        "camera_rear_tele_30fov",
        "camera_rear_left_70fov",
        "camera_cross_left_120fov",
        "camera_front_tele_30fov",
    ]
    backward = {name for name, (lens, _, _) in lenses.items() if lens.direction == "pixeldistance-to-angle"}
    assert backward == {name for name in lenses if name.endswith("_120fov")}
    assert {(width_px, height_px) for _, width_px, height_px in lenses.values()} == {(1920, 1080)}


def test_the_real_clip_survives_our_own_files(shared_data, tmp_path):
    scene = read_rds_hq(shared_data / "rds_hq")
    write_clipgt(scene, tmp_path / "a")
    read = read_clipgt(tmp_path / "a")
    assert (read.ego.world_from_body.matrix == scene.ego.world_from_body.matrix).all()
    assert (read.frame_timestamps_us == scene.frame_timestamps_us).all()
    for (name, ours), (_, theirs) in zip(scene.hdmap.layers(), read.hdmap.layers(), strict=True):
        assert [e.id for e in ours] == [e.id for e in theirs], name
    assert [x.successors for x in read.hdmap.lane_segments] == [x.successors for x in scene.hdmap.lane_segments]


# -- rules ----------------------------------------------------------------------------------------


def test_cameras_sit_where_the_first_frame_shows_them_in_view_order(log):
    scene = read_rds_hq(log.write())
    assert scene.rig.names == (FRONT, LEFT)
    assert scene.rig[FRONT].ego_from_camera.translation_m.tolist() == [1.5, 0.0, 1.25]
    assert scene.frame_times_us().tolist() == [0, 33333, 66667, 100000]


def test_without_a_vehicle_path_the_front_camera_is_the_ego_and_the_scene_says_so(log):
    del log.tars["vehicle_pose"]
    scene = read_rds_hq(log.write())
    assert scene.source["ego"] == f"the pose of {FRONT}, not a point on the ground"
    assert scene.ego.world_from_body[2].translation_m.tolist() == [3.5, 0.0, 1.25]
    assert (scene.ego.world_from_body.rotation == np.eye(3)).all()
    assert (scene.rig[FRONT].ego_from_camera.rotation == RDF_IN_FLU).all()
    assert not scene.rig[FRONT].ego_from_camera.translation_m.any()


def test_a_camera_without_a_lens_is_left_out_and_named(log):
    del log.tars["ftheta_intrinsic"][f"ftheta_intrinsic.{FRONT}.npy"]
    del log.tars["pose"][f"000000.pose.{FRONT}.npy"]
    scene = read_rds_hq(log.write())
    assert scene.rig.names == (LEFT,)
    assert scene.source["dropped"] == f"1 cameras with no lens ({FRONT})"


@pytest.mark.parametrize("ego", ["vehicle_pose", "pose"])
def test_poses_without_any_lens_give_an_empty_rig(log, ego):
    del log.tars["ftheta_intrinsic"]
    if ego == "pose":
        del log.tars["vehicle_pose"]
    scene = read_rds_hq(log.write())
    assert len(scene.rig) == 0 and len(scene.ego) == 4
    assert scene.source["dropped"] == f"2 cameras with no lens ({FRONT}, {LEFT})"


def test_asking_for_the_lenses_of_a_clip_without_any_is_refused(log):
    del log.tars["ftheta_intrinsic"]
    with pytest.raises(FormatError) as error:
        read_rds_hq_lenses(log.write())
    assert sentence(error, log.root) == (
        f"ftheta_intrinsic: {CLIP}.tar: no lens was found. "
        "Lenses of the cameras, in ftheta_intrinsic or pinhole_intrinsic, are needed."
    )


def test_an_f_theta_lens_wins_over_a_pinhole_of_the_same_camera(log):
    numbers = [900.0, 901.0, 960.0, 540.0, 1920.0, 1080.0]
    del log.tars["ftheta_intrinsic"][f"ftheta_intrinsic.{LEFT}.npy"]
    log.tars["pinhole_intrinsic"] = {f"pinhole_intrinsic.{name}.npy": npy(numbers) for name in (FRONT, LEFT)}
    lenses = read_rds_hq_lenses(log.write())
    assert lenses[LEFT] == (Pinhole(900.0, 901.0, 960.0, 540.0), 1920, 1080)
    assert isinstance(lenses[FRONT][0], FTheta)


def test_fourteen_numbers_carry_the_linear_terms(log):
    numbers = [*FTHETA, 1.001, 0.002, 0.003]
    log.tars["ftheta_intrinsic"][f"ftheta_intrinsic.{LEFT}.npy"] = npy(numbers, np.float64)
    lens = read_rds_hq_lenses(log.write())[LEFT][0]
    assert (lens.linear_c, lens.linear_d, lens.linear_e) == (1.001, 0.002, 0.003)


def test_actors_keep_their_word_and_end_with_their_last_box(log):
    frames = {0: {"a": box(0.0, word="BUS"), "b": box(5.0)}, 3: {"a": box(3.0, word="BUS")}}
    log.tars["all_object_info"] = {f"{f:06d}.all_object_info.json": json.dumps(o).encode() for f, o in frames.items()}
    bus, seen_once = read_rds_hq(log.write()).actors
    assert (bus.category, bus.source_category, bus.extrapolate_us) == (Category.TRUCK, "BUS", 0)
    assert bus.boxes_at([-1, 0, 50_000, 100_000, 100_001]).present.tolist() == [False, True, True, True, False]
    assert bus.boxes_at([50_000]).world_from_box.translation_m[0].tolist() == [1.5, 0.0, 0.0]
    assert len(seen_once.trajectory) == 1


def test_an_object_that_ever_moves_is_not_steadied(log):
    frames = {0: {"a": box(0.0, moving=False), "b": box(0.0, False)}, 3: {"a": box(3.0), "b": box(3.0, False)}}
    log.tars["all_object_info"] = {f"{f:06d}.all_object_info.json": json.dumps(o).encode() for f, o in frames.items()}
    moving, parked = read_rds_hq(log.write()).actors
    assert moving.trajectory.world_from_body.translation_m[:, 0].tolist() == [0.0, 3.0]
    assert parked.trajectory.world_from_body.translation_m[:, 0].tolist() == [1.5, 1.5]


def test_two_opposite_headings_leave_a_parked_object_as_it_was():
    poses = SE3(np.array([np.eye(3), np.diag([-1.0, -1.0, 1.0])]), np.array([[0.0, 0, 0], [1.0, 0, 0]]))
    kept, _ = steadied(poses, np.ones((2, 3)))
    assert (kept.matrix == poses.matrix).all()


def test_unusable_and_empty_labels_are_left_out(log):
    good = [[0, 0, 0], [1, 0, 0]]
    content = json.loads(labels(polyline(*good), polyline([0, 0, 0]), polyline([math.nan, 0, 0], [1, 0, 0])))
    content["labels"].append({"labelData": {"emptyLabel": True}})
    log.tars["3d_lanelines"] = {"lanelines.json": json.dumps(content).encode()}
    log.tars["3d_traffic_signs"] = {"3d_traffic_signs.json": labels(cuboid(), cuboid(width=0.0))}
    scene = read_rds_hq(log.write())
    (line,) = scene.hdmap.lane_lines
    assert (line.id, line.colour, line.style) == ("row 0", "WHITE", "SOLID_SINGLE")
    (sign,) = scene.hdmap.traffic_signs
    assert (sign.length_m, sign.width_m, sign.height_m) == (1.0, 2.0, 3.0)
    assert sign.world_from_box.translation_m.tolist() == [0.5, 1.0, 1.5]
    assert scene.source["dropped"] == (
        "1 lane_lines with fewer than 2 points, 1 lane_lines with NaN, 1 traffic_signs with an edge of no length"
    )


def test_a_cuboid_listed_upside_down_is_still_a_proper_rotation(log):
    log.tars["3d_traffic_signs"] = {"traffic_signs.json": labels(cuboid(height=-3.0))}
    (sign,) = read_rds_hq(log.write()).hdmap.traffic_signs
    assert np.linalg.det(sign.world_from_box.rotation) == pytest.approx(1.0)
    assert sign.height_m == 3.0


def test_light_states_change_only_where_they_do_and_end_in_unknown(log):
    states = {
        "0": {"feature_id": "9", "state": ["RED", "red", "Green"]},
        "1": {"feature_id": "8", "state": ["off"] * 4},
    }
    log.tars["3d_traffic_lights"] = {"traffic_lights.json": labels(cuboid(), cuboid(feature="8"))}
    content = {"traffic_light_states": states}
    log.tars["3d_traffic_lights_status"] = {"aggregated_states.json": json.dumps(content).encode()}
    shown = read_rds_hq(log.write()).light_states
    assert shown["9"].timestamps_us.tolist() == [0, 66667, 100000]
    assert shown["9"].states == (LightState.RED, LightState.GREEN, LightState.UNKNOWN)
    assert shown["8"].states == (LightState.OFF,)


def test_one_of_several_clips_is_read_by_its_name(log):
    root = log.write()
    (root / "vehicle_pose" / f"{CLIP}.tar").rename(root / "vehicle_pose" / "other.tar")
    with pytest.raises(FormatError) as error:
        read_rds_hq(root)
    assert str(error.value) == f"{root}: holds 2 clips. Name one: other, {CLIP}."
    with pytest.raises(FormatError) as error:
        read_rds_hq(root, "third")
    assert str(error.value) == f"{root}: third: there is no such clip. Present are other, {CLIP}."
    assert read_rds_hq(root, CLIP).clip_id == CLIP


# -- bad input ------------------------------------------------------------------------------------


def replaced(attribute, key, content):
    return lambda log: log.tars.setdefault(attribute, {}).update({key: content})


def removed(attribute, key=None):
    return lambda log: log.tars.pop(attribute) if key is None else log.tars[attribute].pop(key)


def only(attribute, **members):
    return lambda log: log.tars.update({attribute: members})


POSE = "000001.vehicle_pose.npy"
BOXES = "000000.all_object_info.json"
LENS = f"ftheta_intrinsic.{LEFT}.npy"
LENS_RULE = "The size must be positive, and the lens must move larger angles further out."
SHEARED = np.diag([1.0, 2.0, 1.0, 1.0])
BAD_CLIPS = {
    "no path at all": (
        lambda log: [log.tars.pop(name) for name in ("vehicle_pose", "pose")],
        f"vehicle_pose: {CLIP}.tar: the tar is missing. It, or pose, is needed.",
    ),
    "a single pose": (
        only("vehicle_pose", **{POSE: npy(np.eye(4))}),
        f"vehicle_pose/{CLIP}.tar: FRAME.vehicle_pose.npy: the tar has a single pose. The ego needs at least 2.",
    ),
    "a path without poses": (
        only("vehicle_pose", **{"readme.txt": b""}),
        f"vehicle_pose/{CLIP}.tar: FRAME.vehicle_pose.npy: the tar has no poses. The ego needs at least 2.",
    ),
    "a pose of the wrong shape": (
        replaced("vehicle_pose", POSE, npy(np.eye(3))),
        f"vehicle_pose/{CLIP}.tar: {POSE}: the array is [3, 3] float32. [4, 4] numbers are needed.",
    ),
    "a pose of texts": (
        replaced("vehicle_pose", POSE, npy(np.full((4, 4), "x"), "U1")),
        f"vehicle_pose/{CLIP}.tar: {POSE}: the array is [4, 4] <U1. [4, 4] numbers are needed.",
    ),
    "a pose with NaN": (
        replaced("vehicle_pose", POSE, npy(np.full((4, 4), math.nan))),
        f"vehicle_pose/{CLIP}.tar: {POSE}: a number is NaN or infinite. Finite numbers are needed.",
    ),
    "a pose that is no rotation": (
        replaced("vehicle_pose", POSE, npy(SHEARED)),
        f"vehicle_pose/{CLIP}.tar: {POSE}: pose matrix: the 3x3 part is not a rotation "
        "(orthonormal, determinant +1). A rigid transform is needed.",
    ),
    "a truncated npy": (
        replaced("vehicle_pose", POSE, npy(np.eye(4))[:-8]),
        f"vehicle_pose/{CLIP}.tar: {POSE}: cannot be read as npy. It is truncated or damaged.",
    ),
    "a pickled npy": (
        replaced("vehicle_pose", POSE, npy([[{}]], object)),
        f"vehicle_pose/{CLIP}.tar: {POSE}: cannot be read as npy. It is truncated or damaged.",
    ),
    "a camera without its first pose": (
        removed("pose", f"000000.pose.{LEFT}.npy"),
        f"pose/{CLIP}.tar: 000000.pose.{LEFT}.npy: the member is missing. Present are "
        f"000000.pose.{FRONT}.npy, 000001.pose.{LEFT}.npy, 000001.pose.{FRONT}.npy, 000002.pose.{LEFT}.npy, "
        f"000002.pose.{FRONT}.npy and 2 more.",
    ),
    "a lens of ten numbers": (
        replaced("ftheta_intrinsic", LENS, npy(FTHETA[:10])),
        f"ftheta_intrinsic/{CLIP}.tar: {LENS}: the array is [10] float32. [11] or [14] numbers are needed.",
    ),
    "a lens that folds back": (
        replaced("ftheta_intrinsic", LENS, npy([*FTHETA[:6], -1e-6, *FTHETA[7:]], np.float64)),
        f"ftheta_intrinsic/{CLIP}.tar: {LENS}: camera {LEFT}: f-theta polynomial (pixeldistance-to-angle) "
        f"does not increase up to the image corner (1101 px from the centre). {LENS_RULE}",
    ),
    "a lens without a direction": (
        replaced("ftheta_intrinsic", LENS, npy([*FTHETA[:10], 0.5])),
        f"ftheta_intrinsic/{CLIP}.tar: {LENS}: direction 0.5. 0 (forward) or 1 (backward) is needed.",
    ),
    "half a pixel": (
        replaced("ftheta_intrinsic", LENS, npy([960, 540, 1920.5, *FTHETA[3:]])),
        f"ftheta_intrinsic/{CLIP}.tar: {LENS}: size 1920.5 x 1080. Whole pixels are needed.",
    ),
    "a layer without its document": (
        only("3d_poles", **{"pylons.json": b"{}"}),
        f"3d_poles/{CLIP}.tar: poles.json: the member is missing. Present are pylons.json.",
    ),
    "a layer that is broken JSON": (
        only("3d_poles", **{"poles.json": b'{"labels": [\n}'}),
        f"3d_poles/{CLIP}.tar: poles.json, line 2 column 1: broken JSON (Expecting value). "
        "A complete JSON document is needed.",
    ),
    "a label without its shape": (
        only("3d_poles", **{"poles.json": labels({"surface": {}})}),
        f"3d_poles/{CLIP}.tar: poles.json, labels[0].labelData.shape3d.polyline3d: the field is missing. "
        "Present are surface.",
    ),
    "points of two numbers": (
        only("3d_poles", **{"poles.json": labels(polyline([0, 0], [1, 1]))}),
        f"3d_poles/{CLIP}.tar: poles.json, labels[0].labelData.shape3d.polyline3d.vertices: "
        "the numbers have another shape. [N,3] is needed.",
    ),
    "a lane of three edges": (
        only("3d_lanes", **{"lanes.json": labels({"polylines3d": {"polylines": [{}, {}, {}]}})}),
        f"3d_lanes/{CLIP}.tar: lanes.json, labels[0].labelData.shape3d.polylines3d.polylines: 3 polylines. "
        "Left and right are needed.",
    ),
    "an unknown light state": (
        only(
            "3d_traffic_lights_status",
            **{"aggregated_states.json": b'{"traffic_light_states": {"0": {"feature_id": "9", "state": ["pink"]}}}'},
        ),
        f"3d_traffic_lights_status/{CLIP}.tar: aggregated_states.json, traffic_light_states.0.state[0]: "
        "unknown state pink. Allowed are red, yellow, green, off, unknown.",
    ),
    "boxes without frames": (
        only("all_object_info", **{"boxes.json": b"{}"}),
        f"all_object_info/{CLIP}.tar: FRAME.all_object_info.json: the member is missing. Present are boxes.json.",
    ),
    "a box without a size": (
        only("all_object_info", **{BOXES: json.dumps({"a": box(lwh=(4, 0, 1))}).encode()}),
        f"all_object_info/{CLIP}.tar: {BOXES}, a.object_lwh: 0. Lengths above 0 are needed.",
    ),
    "a box that is sheared": (
        only("all_object_info", **{BOXES: json.dumps({"a": box(object_to_world=SHEARED.tolist())}).encode()}),
        f"all_object_info/{CLIP}.tar: {BOXES}, a.object_to_world: pose matrix: the 3x3 part is not a rotation "
        "(orthonormal, determinant +1). A rigid transform is needed.",
    ),
    "a box that may or may not move": (
        only("all_object_info", **{BOXES: json.dumps({"a": box(moving="yes")}).encode()}),
        f"all_object_info/{CLIP}.tar: {BOXES}, a.object_is_moving: a text is here. true or false is needed.",
    ),
}


@pytest.mark.parametrize("case", BAD_CLIPS)
def test_a_broken_clip_is_refused_in_one_sentence(log, case):
    spoil, expected = BAD_CLIPS[case]
    spoil(log)
    with pytest.raises(FormatError) as error:
        read_rds_hq(log.write())
    assert sentence(error, log.root) == expected


# Cut inside of a member, at the end of one, inside of the next header, inside of the first one, and to nothing.
@pytest.mark.parametrize("size", [600, 1024, 1200, 100, 0])
def test_a_truncated_tar_is_refused_wherever_it_was_cut(log, size):
    root = log.write()
    file = root / "vehicle_pose" / f"{CLIP}.tar"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(FormatError) as error:
        read_rds_hq(root)
    assert sentence(error, root) == f"vehicle_pose/{CLIP}.tar: cannot be read as tar. It is truncated or damaged."


@pytest.mark.parametrize("make", [lambda root: None, lambda root: root.mkdir()])
def test_a_folder_without_clips_is_refused(tmp_path, make):
    root = tmp_path / "log"
    make(root)
    with pytest.raises(FormatError) as error:
        read_rds_hq(root)
    problem = "holds no clips" if root.exists() else "there is no such folder"
    expected = f"{root}: {problem}. An RDS-HQ folder holds ATTRIBUTE/CLIP.tar, such as vehicle_pose/CLIP.tar."
    assert str(error.value) == expected
