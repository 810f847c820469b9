"""ClipGT folders: NVIDIA's rules for foreign clips, exactness for our own."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scenegraph import (
    CAMERA_FROM_FLU,
    SE3,
    Actor,
    Brown,
    Camera,
    CameraRig,
    Category,
    Crosswalk,
    FormatError,
    FTheta,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    LightTimeline,
    OpenCvFisheye,
    Pinhole,
    Pole,
    Polyline,
    RoadBoundary,
    RoadMarking,
    Scene,
    SceneGraphError,
    StopLine,
    TrafficLight,
    TrafficSign,
    Trajectory,
)
from scenegraph.formats.clipgt import read_clipgt, write_clipgt
from scenegraph.formats.nvidia_names import category_of

TURNED = SE3(Rotation.from_euler("xyz", [0.3, -0.2, 1.1]).as_matrix(), np.array([1 / 3, -2.7, 1.4]))


def difference(path, a, b) -> str:
    """Where two values of a scene differ in the slightest, "" if nowhere."""
    if type(a) is not type(b):
        return f"{path}: {type(a).__name__} became {type(b).__name__}"
    if isinstance(a, np.ndarray):
        same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        return "" if same else f"{path}: {a} became {b}"
    if dataclasses.is_dataclass(a):
        names = [f.name for f in dataclasses.fields(a) if not f.name.startswith("_")]
        return next(filter(None, (difference(f"{path}.{n}", getattr(a, n), getattr(b, n)) for n in names)), "")
    if isinstance(a, tuple):
        pairs = enumerate(zip(a, b, strict=False))
        inner = next(filter(None, (difference(f"{path}[{i}]", x, y) for i, (x, y) in pairs)), "")
        return inner or ("" if len(a) == len(b) else f"{path}: {len(a)} became {len(b)}")
    if isinstance(a, dict):
        keys = "" if list(a) == list(b) else f"{path}: keys {list(a)} became {list(b)}"
        return keys or next(filter(None, (difference(f"{path}[{k!r}]", a[k], b[k]) for k in a)), "")
    return "" if repr(a) == repr(b) else f"{path}: {a!r} became {b!r}"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def sentence(error) -> str:
    """The message without the folder of the test."""
    return str(error.value).replace(f"{error.value.file.parent}/", "")


def line(*points) -> Polyline:
    return Polyline(np.array(points, dtype=np.float64))


def drive(count=3, first_us=1_700_000_000_000_001, turn=0.1) -> Trajectory:
    rotations = Rotation.from_euler("xyz", [[0.01 * i, -0.02 * i, turn * i] for i in range(count)]).as_matrix()
    places = np.array([[10.0 * i / 3, i / 7, -i / 11] for i in range(count)])
    return Trajectory(first_us + 100_003 * np.arange(count), SE3(rotations, places))


def full_map() -> HDMap:
    edge, other = line((0, 3.5, 0.1), (10, 3.6, 0.2), (20, 3.7, 0.3)), line((0, 0, 0), (20, 0.1, 0))
    marks = {"left_mark": ("WHITE", "SOLID_SINGLE"), "right_mark": ("YELLOW", "LONG_DASHED_SINGLE")}
    links = {"predecessors": ("p", "q"), "successors": ("lane b",), "left_neighbour": "x", "right_neighbour": None}
    return HDMap(
        lane_segments=(
            LaneSegment(
                "lane a", edge, other, **marks, **links, lane_type="BIKE", is_intersection=True, speed_limit_mps=13.9
            ),
            LaneSegment("lane b", other, edge, right_neighbour="lane a"),
        ),
        lane_lines=(LaneLine("l", edge, "BLUE", "DOT_DASHED_SINGLE"), LaneLine("7", other, "UNKNOWN", "VIRTUAL")),
        road_boundaries=(RoadBoundary("b", edge, "tall_curb"), RoadBoundary("c", other)),
        crosswalks=(Crosswalk("z", line((0, 0, 0), (3, 0, 0), (3, 2, 0), (0, 2, 0))),),
        stop_lines=(StopLine("s", other, "STOP", True), StopLine("t", other)),
        poles=(Pole("p", line((1, 2, 0), (1, 2, 5.5))),),
        road_markings=(RoadMarking("m", line((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0)), "ARROW"),),
        traffic_lights=(
            TrafficLight("red one", TURNED, 0.35, 0.4, 1.05),
            TrafficLight("no states", TURNED, 0.0, 1.0, 2.0),
        ),
        traffic_signs=(TrafficSign("g", TURNED, 0.01, 0.75, 0.8, "STOP"), TrafficSign("h", TURNED, 1.0, 2.0, 3.0)),
    )


def full_rig() -> CameraRig:
    size = (1920, 1080)
    backward = FTheta(960.1, 540.2, (0.0, 1.0655136e-3, -6.31e-9), "pixeldistance-to-angle", 1.0002, 1e-4, -1.5e-4)
    forward = FTheta(960.1, 540.2, (0.0, 3680.5, -184.3, 2877.9, -12169.1, 16158.1), "angle-to-pixeldistance")
    fisheye = OpenCvFisheye(600.3, 601.0, 960.0, 540.0, 0.01, -0.002, 0.0003, -1e-5)
    brown = Brown(1000.1, 1001.0, 960.0, 540.0, -0.1, 0.02, 1e-4, -2e-4, 1e-3)
    down = SE3(np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]), np.zeros(3))
    return CameraRig(
        (
            Camera("camera_front_wide_120fov", backward, *size, TURNED),
            Camera("camera_front_tele_sat_30fov", forward, *size, TURNED.inverse()),
            Camera("ring_side_left", Pinhole(1 / 3 * 1000, 900.7, 959.5, 539.5), *size, SE3.identity()),
            Camera("looks:down", brown, *size, down),
            Camera("CAM BACK", fisheye, *size, TURNED @ TURNED),
        )
    )


def full_scene() -> Scene:
    one, many = drive(1), drive(4, first_us=5)
    actors = (
        Actor("z", Category.TRUCK, many, np.array([9, 9.1, 9.2, 1 / 3]), 2.5, 3.1, "BOX_TRUCK", 500_000, 1_000_000),
        Actor("labelstore:a", Category.OTHERS, one, 1.0, 2.0, 3.0, "BUS", 7),
        Actor("seen once", Category.CAR, one, 4.5, 1.9, 1.6),
        Actor("11", Category.PEDESTRIAN, drive(2), 0.6, 0.7, 1.8, "person", max_gap_us=0),
        Actor("c", Category.CYCLIST, drive(2), 1.7, 0.7, 1.8, "Ünïcode 🚲"),
    )
    return Scene(
        clip_id="scene-0061.v1",
        hdmap=full_map(),
        ego=drive(5),
        actors=actors,
        rig=full_rig(),
        light_states={"red one": LightTimeline(np.array([-5, 3]), (LightState.RED, LightState.OFF))},
        frame_timestamps_us=np.array([1, 33_334, 2**53 + 1]),
        world_origin_m=np.array([1e6 / 3, -0.1, 2.0]),
        source={"format": "other", "licence": "CC BY", "": ""},
    )


@pytest.fixture
def foreign(tmp_path):
    """A folder of tables as another tool writes them, and how to change it before reading."""
    rig = {"rig": {"sensors": [sensor()]}}
    tables = {
        "calibration_estimate": [{"calibration_estimate": {"rig_json": json.dumps(rig)}}],
        "egomotion_estimate": [ego_row(0), ego_row(100_000), ego_row(200_000)],
    }

    def read(**changes):
        for name, rows in {**tables, **changes}.items():
            if rows is not None:
                pa.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / f"c.{name}.parquet")
        return read_clipgt(tmp_path)

    return read


def sensor(name="camera:front:wide:120fov", **changes):
    properties = {"Model": "ftheta", "cx": "960", "cy": "540", "width": "1920", "height": "1080"}
    properties |= {"polynomial": "0 0.00105 0 0 0", **changes}
    pose = {"t": [1.7, 0, 1.4], "roll-pitch-yaw": [0, 0, 90]}
    return {"name": name, "properties": properties, "nominalSensor2Rig_FLU": pose}


def rig_table(*sensors):
    return [{"calibration_estimate": {"rig_json": json.dumps({"rig": {"sensors": sensors}})}}]


def ego_row(stamp, at=(0.0, 0.0, 0.0), xyzw=(0.0, 0.0, 0.0, 1.0)):
    pose = {"location": dict(zip("xyz", at, strict=True)), "orientation": dict(zip("xyzw", xyzw, strict=True))}
    return {"key": {"timestamp_micros": stamp}, "egomotion_estimate": pose}


def obstacle_row(stamp, track="1", xyzw=(0.0, 0.0, 0.0, 1.0), size=(4.0, 2.0, 1.5), category="automobile", x=0.0):
    box = {"trackline_id": track, "center": {"x": x, "y": 0.0, "z": 0.0}, "category": category}
    box |= {"size": dict(zip("xyz", size, strict=True)), "orientation": dict(zip("xyzw", xyzw, strict=True))}
    return {"key": {"timestamp_micros": stamp}, "obstacle": box}


def points(*xyz):
    return [dict(zip("xyz", map(float, p), strict=True)) for p in xyz]


# -- our own files --------------------------------------------------------------------------------


def test_every_field_of_a_scene_survives_exactly(tmp_path):
    write_clipgt(full_scene(), tmp_path / "a")
    read = read_clipgt(tmp_path / "a")
    assert difference("scene", full_scene(), read) == ""


def test_writing_what_was_read_repeats_every_byte(tmp_path):
    write_clipgt(full_scene(), tmp_path / "a")
    write_clipgt(read_clipgt(tmp_path / "a"), tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_almost_empty_scene_survives(tmp_path):
    scene = Scene("x", HDMap(), drive(1))
    write_clipgt(scene, tmp_path / "a")
    assert difference("scene", scene, read_clipgt(tmp_path / "a")) == ""


def test_the_comparison_of_these_tests_sees_a_last_bit():
    moved = dataclasses.replace(full_scene(), world_origin_m=np.array([np.nextafter(1e6 / 3, 1), -0.1, 2.0]))
    assert difference("scene", full_scene(), moved).startswith("scene.world_origin_m: ")


NUMBERS = st.floats(-1e6, 1e6)
WORDS = st.text(max_size=6)
SIZES = st.floats(1e-3, 1e3)


@st.composite
def rotations(draw, count):
    wxyz = np.random.default_rng(draw(st.integers(0, 2**32))).normal(size=(count, 4))
    return Rotation.from_quat(wxyz).as_matrix()


@st.composite
def tracks(draw, most=4):
    stamps = sorted(draw(st.sets(st.integers(-(2**60), 2**60), min_size=1, max_size=most)))
    places = draw(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=len(stamps), max_size=len(stamps)))
    return Trajectory(np.array(stamps), SE3(draw(rotations(len(stamps))), np.array(places)))


@st.composite
def actors(draw, actor_id):
    track = draw(tracks())
    lwh = [np.array(draw(st.lists(SIZES, min_size=len(track), max_size=len(track)))) for _ in range(3)]
    limits = draw(st.integers(0, 2**62)), draw(st.none() | st.integers(0, 2**62))
    return Actor(actor_id, draw(st.sampled_from(Category)), track, *lwh, draw(WORDS), *limits)


@st.composite
def scenes(draw):
    rails = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=4).map(lambda p: line(*p))
    paint = st.none() | st.tuples(WORDS, WORDS)
    ids = draw(st.lists(WORDS, unique=True, max_size=3))
    lanes = [
        LaneSegment(
            i, draw(rails), draw(rails), draw(paint), draw(paint),
            tuple(draw(st.lists(WORDS, max_size=2))), tuple(draw(st.lists(WORDS, max_size=2))),
            draw(st.none() | WORDS), draw(st.none() | WORDS), draw(WORDS), draw(st.booleans()),
            draw(st.none() | NUMBERS),
        )
        for i in ids
    ]  # fmt: skip
    lights = [
        TrafficLight(i, SE3(draw(rotations(1))[0], np.ones(3)), *draw(st.tuples(SIZES, SIZES, SIZES))) for i in ids
    ]
    shown = draw(st.sets(st.sampled_from(ids))) if ids else ()
    states = {i: draw(st.lists(st.sampled_from(LightState), min_size=1, max_size=3)) for i in ids if i in shown}
    hdmap = HDMap(
        lane_segments=tuple(lanes),
        lane_lines=tuple(LaneLine(i, draw(rails), draw(WORDS), draw(WORDS)) for i in ids),
        stop_lines=tuple(StopLine(i, draw(rails), draw(WORDS), draw(st.booleans())) for i in ids),
        traffic_lights=tuple(lights),
    )
    return Scene(
        draw(st.from_regex(r"[a-z0-9_.-]{0,5}[a-z0-9]", fullmatch=True)),
        hdmap,
        draw(tracks()),
        tuple(draw(actors(i)) for i in ids),
        light_states={i: LightTimeline(np.arange(len(s)), tuple(s)) for i, s in states.items()},
        source=draw(st.dictionaries(WORDS, WORDS, max_size=2)),
    )


@settings(max_examples=25, deadline=None)
@given(scene=scenes())
def test_any_scene_survives_exactly(tmp_path_factory, scene):
    folder = tmp_path_factory.mktemp("any") / "scene"
    write_clipgt(scene, folder)
    assert difference("scene", scene, read_clipgt(folder)) == ""


def test_an_edit_by_another_tool_beats_what_we_kept_for_exactness(tmp_path):
    """Whoever turns a box or a camera knows nothing of our extra column; the format's own columns win."""
    write_clipgt(full_scene(), tmp_path / "a")
    file = tmp_path / "a" / "scene-0061.v1.obstacle.parquet"
    rows = pa.parquet.read_table(file)
    edited = rows.to_pylist()
    edited[0]["obstacle"]["orientation"] = {"x": 0.0, "y": 0.0, "z": 1.0, "w": 0.0}
    pa.parquet.write_table(pa.Table.from_pylist(edited, rows.schema), file)
    track = read_clipgt(tmp_path / "a").actors[0].trajectory.world_from_body
    assert np.abs(track.rotation[0] - np.diag([-1.0, -1.0, 1.0])).max() < 1e-15
    assert (track.rotation[1:] == full_scene().actors[0].trajectory.world_from_body.rotation[1:]).all()


def test_a_rig_edited_by_another_tool_is_read_as_edited(tmp_path):
    write_clipgt(full_scene(), tmp_path / "a")
    file = tmp_path / "a" / "scene-0061.v1.calibration_estimate.parquet"
    rows = pa.parquet.read_table(file)
    edited = rows.to_pylist()
    rig = json.loads(edited[0]["calibration_estimate"]["rig_json"])
    front = rig["rig"]["sensors"][0]
    front["name"], front["nominalSensor2Rig_FLU"]["roll-pitch-yaw"] = "camera:new", [0, 0, 0]
    front["properties"]["polynomial"] = "0 0.001 0 0 0 1e-20"
    edited[0]["calibration_estimate"]["rig_json"] = json.dumps(rig)
    pa.parquet.write_table(pa.Table.from_pylist(edited, rows.schema), file)
    camera = read_clipgt(tmp_path / "a").rig["camera_new"]
    assert camera.ego_from_camera.rotation.round(12).tolist() == [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    assert camera.lens.polynomial == (0, 0.001, 0, 0, 0, 1e-20)


def test_other_readers_find_the_columns_and_words_they_know(tmp_path):
    write_clipgt(full_scene(), tmp_path / "a")
    clip = tmp_path / "a" / "scene-0061.v1"
    boxes = pa.parquet.read_table(f"{clip}.obstacle.parquet").to_pylist()
    words = {row["obstacle"]["trackline_id"]: row["obstacle"]["category"] for row in boxes}
    assert words == {
        "z": "heavy_truck",
        "labelstore:a": "unknown",
        "seen once": "automobile",
        "11": "person",
        "c": "rider",
    }
    lines = pa.parquet.read_table(f"{clip}.lane_line.parquet").to_pylist()
    assert lines[0]["lane_line"]["colors"] == ["BLUE"] * 3 and lines[0]["key"]["clip_id"] == "scene-0061.v1"
    rig = json.loads(pa.parquet.read_table(f"{clip}.calibration_estimate.parquet")[1][0].as_py()["rig_json"])
    front = rig["rig"]["sensors"][0]
    assert front["name"] == "camera:front:wide:120fov"
    assert front["properties"]["polynomial"] == "0.0 0.0010655136 -6.31e-09 0.0 0.0 0.0"
    assert all(isinstance(value, str) for value in front["properties"].values())
    assert json.loads(Path(f"{clip}.camera_front_wide_120fov.json").read_text())[1] == {"timestamp": 33_334}


def test_an_existing_scene_is_replaced_only_on_request(tmp_path):
    folder = tmp_path / "a"
    write_clipgt(Scene("old", HDMap(), drive()), folder)
    with pytest.raises(SceneGraphError, match="exists and is not empty"):
        write_clipgt(full_scene(), folder)
    assert read_clipgt(folder).clip_id == "old"
    write_clipgt(full_scene(), folder, overwrite=True)
    assert read_clipgt(folder).clip_id == "scene-0061.v1"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path):
    write_clipgt(full_scene(), tmp_path / "a")
    (tmp_path / "a" / "thesis.txt").write_text("years of work")
    with pytest.raises(FormatError) as error:
        write_clipgt(full_scene(), tmp_path / "a", overwrite=True)
    assert sentence(error) == (
        "a: thesis.txt: does not belong to a scene. Only a folder that holds nothing but a ClipGT scene is replaced."
    )
    assert (tmp_path / "a" / "thesis.txt").exists()


@pytest.mark.parametrize("clip_id", ["", "a/b", "a\0b"])
def test_a_clip_id_that_is_no_file_name_is_refused(tmp_path, clip_id):
    with pytest.raises(FormatError) as error:
        write_clipgt(Scene(clip_id, HDMap(), drive()), tmp_path / "a")
    assert sentence(error) == (
        f"a: clip_id: {clip_id!r} cannot be written. "
        "A clip id is part of file names: at least one character, and none of them a slash."
    )
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    scene = dataclasses.replace(full_scene(), source={"format": 3})
    with pytest.raises(pa.ArrowException):
        write_clipgt(scene, tmp_path / "a")
    assert not list(tmp_path.iterdir())


# -- foreign clips --------------------------------------------------------------------------------


def test_the_golden_clip_gives_the_expected_poses_cameras_and_objects(golden_render):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())
    scene = read_clipgt(golden_render / "clipgt" / "parquet")
    assert scene.clip_id == expected["clip_id"]
    assert scene.frame_times_us().tolist() == expected["timestamps_us"]
    assert_golden(scene, expected)
    assert [actor.id for actor in scene.actors] == expected["tracks_loaded"]
    assert scene.source["dropped"] == "1 boxes with a quaternion of length zero, 1 tracks with a single box"


def test_the_golden_clip_follows_the_camera_times_where_there_are_any(golden_render, tmp_path):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())["with_camera_timestamps"]
    shutil.copytree(golden_render / "clipgt" / "parquet", tmp_path / "c")
    stamps = [{"timestamp": stamp} for stamp in expected["timestamps_us"]]
    (tmp_path / "c" / expected["file"]).write_text(json.dumps(stamps))
    scene = read_clipgt(tmp_path / "c")
    assert scene.frame_times_us().tolist() == expected["timestamps_us"]
    assert_golden(scene, expected)


def assert_golden(scene, expected):
    """Poses within 1e-4 m and 1e-5, as the golden data allows; classes and presence exact."""
    stamps = scene.frame_times_us()
    poses = scene.ego.at(stamps, 10**6).matrix
    checked = 0
    for frame, matrix in expected["ego_to_world_flu"].items():
        assert_pose(poses[int(frame)], matrix)
    cameras = scene.rig.at(scene.ego, stamps, 10**6)
    for name, frames in expected.get("camera_to_world_flu", {}).items():
        for frame, matrix in frames.items():
            assert_pose(cameras.world_from_camera[cameras.names.index(name), int(frame)].matrix, matrix)
    for name, matrix in expected.get("camera_to_rig_flu", {}).items():
        assert_pose(scene.rig[name].ego_from_camera.matrix, matrix)
    for frame, objects in expected.get("objects", {}).items():
        for actor in scene.actors:
            boxes = actor.boxes_at(stamps[[int(frame)]])
            assert bool(boxes.present[0]) == (actor.id in objects)
            if actor.id in objects:
                golden = objects[actor.id]
                checked += 1
                assert actor.category == golden["cls"]
                assert_pose(boxes.world_from_box.matrix[0], golden["object_to_world_flu"])
                size = (boxes.length_m[0], boxes.width_m[0], boxes.height_m[0])
                assert size == pytest.approx(golden["lwh"], abs=1e-4)
    assert checked == sum(len(objects) for objects in expected.get("objects", {}).values())


def assert_pose(matrix, golden):
    assert np.abs(np.asarray(matrix)[:3, :3] - np.array(golden)[:3, :3]).max() < 1e-5
    assert np.abs(np.asarray(matrix)[:3, 3] - np.array(golden)[:3, 3]).max() < 1e-4


def test_the_golden_clip_gives_the_expected_lenses_at_720p(golden_render):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())["cameras_720p"]
    rig = read_clipgt(golden_render / "clipgt" / "parquet").rig.resized(1280, 720)
    for name, golden in expected.items():
        lens = rig[name].lens
        assert (lens.cx_px, lens.cy_px) == pytest.approx(golden["center"], rel=1e-6)
        assert lens.polynomial == pytest.approx(golden["poly"], rel=1e-6)
        assert (lens.direction == "pixeldistance-to-angle") == golden["is_backward"]
        assert (lens.linear_c, lens.linear_d, lens.linear_e) == pytest.approx(golden["linear_cde"], rel=1e-6)


def test_the_golden_clip_gives_the_expected_map(golden_render):
    folder = golden_render / "clipgt"
    expected = json.loads((folder / "expected.json").read_text())
    canonical = json.loads((folder / "clipgt_canonical" / "scene.json").read_text())["static"]
    hdmap = read_clipgt(folder / "parquet").hdmap
    counts, wanted = hdmap.counts(), expected["counts"]
    for ours, theirs in {"stop_lines": "wait_lines"}.items():
        assert counts.pop(ours) == wanted[theirs]
    # The reference loads both edges of its one lane; neither is drawn.
    assert counts.pop("lane_segments") * 2 == wanted["lane_boundaries"]
    assert counts == {name: wanted[name] for name in counts}
    for name, key in {"lane_lines": "points", "road_boundaries": "points", "poles": "points"}.items():
        for element, golden in zip(getattr(hdmap, name), canonical[name], strict=True):
            assert np.abs(element.polyline.points_m - golden[key]).max() < 1e-4
    for name in ("crosswalks", "road_markings"):
        for element, golden in zip(getattr(hdmap, name), canonical[name], strict=True):
            assert np.abs(element.polyline.points_m - golden["vertices"]).max() < 1e-4
    # The reference forgets words that it does not draw; we keep them.
    forgotten = {"VIRTUAL": "UNKNOWN", "MIXED": "UNKNOWN"}
    paint = [f"{forgotten.get(x.colour, x.colour)} {forgotten.get(x.style, x.style)}" for x in hdmap.lane_lines]
    assert paint == expected["lane_line_types"]
    assert np.abs(hdmap.poles[3].polyline.points_m - expected["single_point_pole"]["intended_flu"]).max() < 1e-4


def test_the_golden_clip_gives_the_expected_signs_and_lights(golden_render):
    folder = golden_render / "clipgt"
    expected = json.loads((folder / "expected.json").read_text())
    canonical = json.loads((folder / "clipgt_canonical" / "scene.json").read_text())["static"]
    scene = read_clipgt(folder / "parquet")
    for name in ("traffic_light", "traffic_sign"):
        boxes = getattr(scene.hdmap, f"{name}s")
        assert [[b.length_m, b.width_m, b.height_m] for b in boxes] == expected[f"{name}_lwh"]
        for box, golden in zip(boxes, canonical[f"{name}s"], strict=True):
            assert np.abs(box.world_from_box.translation_m - golden["center"]).max() < 1e-4
            rotation = Rotation.from_quat(golden["quat_xyzw"]).as_matrix()
            assert np.abs(box.world_from_box.rotation - rotation).max() < 1e-5
    assert scene.light_states == {}


def test_the_golden_clip_survives_our_own_files_exactly(golden_render, tmp_path):
    scene = read_clipgt(golden_render / "clipgt" / "parquet")
    write_clipgt(scene, tmp_path / "a")
    assert difference("scene", scene, read_clipgt(tmp_path / "a")) == ""


def test_golden_tracks_are_interpolated_as_expected(golden_render):
    cases = json.loads((golden_render / "interp" / "object_tracks.json").read_text())["cases"]
    for case in cases:
        wxyz = np.array(case["quats_xyzw"])[:, [3, 0, 1, 2]]
        track = Trajectory(np.array(case["timestamps_us"]), SE3.from_quaternion(wxyz, case["centers"]))
        reach_us = int(case["max_extrapolation_us"])
        actor = Actor("a", Category.CAR, track, *np.array(case["lwh"]).T, extrapolate_us=reach_us)
        boxes = actor.boxes_at([query["t_us"] for query in case["queries"]])
        poses = [query["pose"] for query in case["queries"]]
        assert boxes.present.tolist() == [pose is not None for pose in poses]
        for i, pose in enumerate(poses):
            if pose is not None:
                assert np.abs(boxes.world_from_box.translation_m[i] - pose["center"]).max() < 1e-4
                assert np.abs(boxes.world_from_box.rotation[i] - pose["R"]).max() < 1e-5
                size = (boxes.length_m[i], boxes.width_m[i], boxes.height_m[i])
                assert size == pytest.approx(pose["lwh"], abs=1e-4)


def test_the_argoverse_log_survives_exactly(av2_log, tmp_path):
    from scenegraph.formats.argoverse2 import read_argoverse2

    scene = read_argoverse2(av2_log)
    write_clipgt(scene, tmp_path / "a")
    assert difference("scene", scene, read_clipgt(tmp_path / "a")) == ""


def test_calibration_corrections_are_applied_only_when_asked(golden_render):
    folder = golden_render / "clipgt" / "parquet"
    plain, corrected = read_clipgt(folder).rig, read_clipgt(folder, corrected=True).rig
    # The front camera of the golden rig: nominal rotation and place, and what the calibration corrects.
    nominal = SE3.from_roll_pitch_yaw_deg([0.13, 0.468, -0.714], [1.697, -0.01, 1.443])
    turn = SE3.from_roll_pitch_yaw_deg([-0.15, -0.014, 0.231], [0, 0, 0])
    expected = nominal.rotation @ turn.rotation @ CAMERA_FROM_FLU.rotation.T
    moved = corrected["camera_front_wide_120fov"].ego_from_camera
    np.testing.assert_allclose(moved.rotation, expected, atol=1e-12)
    np.testing.assert_allclose(moved.translation_m, [1.777, -0.001, 1.452], atol=1e-12)
    np.testing.assert_allclose(
        plain["camera_front_wide_120fov"].ego_from_camera.translation_m, [1.697, -0.01, 1.443], atol=1e-12
    )
    untouched = "camera_cross_left_120fov"
    assert (corrected[untouched].ego_from_camera.matrix == plain[untouched].ego_from_camera.matrix).all()


def test_tracks_are_left_out_by_the_rules_of_the_reference(foreign):
    boxes = [
        obstacle_row(300, "late first", x=3.0),
        obstacle_row(100, "late first", x=1.0, category="BUS"),
        obstacle_row(100, "labelstore:late first"),
        obstacle_row(200, "labelstore:late first"),
        obstacle_row(100, "single"),
        obstacle_row(100, "one good", xyzw=(0, 0, 0, 0)),
        obstacle_row(200, "one good"),
        obstacle_row(100, "scaled", xyzw=(0, 0, 0, 2.0)),
        obstacle_row(200, "scaled"),
    ]
    scene = foreign(obstacle=boxes)
    assert [actor.id for actor in scene.actors] == ["late first", "scaled"]
    late, scaled = scene.actors
    assert late.trajectory.world_from_body.translation_m[:, 0].tolist() == [1.0, 3.0]
    assert (late.category, late.source_category, late.extrapolate_us) == (Category.TRUCK, "BUS", 500_000)
    assert (scaled.trajectory.world_from_body.rotation == np.eye(3)).all()
    assert scene.source == {
        "format": "clipgt",
        "dropped": "1 boxes with a quaternion of length zero, 2 tracks with a single box",
    }


def test_objects_are_sorted_into_classes_as_the_renderer_of_the_reference_does(golden_render):
    style = json.loads((golden_render / "world_scenario_style.json").read_text())
    classes = style["v3"]["objects"]["class_map"]
    assert {word: category_of(word.upper()) for word in classes} == classes
    assert category_of("hovercraft") == Category.OTHERS


def test_map_elements_that_cannot_be_are_counted_and_left_out(foreign):
    gone = (math.nan, 0, 0)
    hidden = {"center": {"x": 0.0, "y": 0.0, "z": 0.0}, "orientation": dict.fromkeys("xyzw", 0.0)}
    scene = foreign(
        lane_line=[{"lane_line": {"path": points(gone, (1, 0, 0)), "colors": ["white"], "styles": ["solid_single"]}}]
        * 2,
        road_boundary=[{"road_boundary": {"location": points(*p)}} for p in [[(0, 0, 0)], [(0, 0, 0), (1, 0, 0)]]],
        traffic_sign=[{"traffic_sign": hidden}],
    )
    assert scene.hdmap.counts() == {name: int(name == "road_boundaries") for name in HDMap.layer_names()}
    assert scene.hdmap.road_boundaries[0].id == "1"
    assert scene.source["dropped"] == (
        "2 lane_lines with NaN, 1 road_boundaries with fewer than 2 points, "
        "1 traffic_signs with no pose (NaN, or a quaternion of length zero)"
    )


def test_an_outline_ends_before_its_first_point_comes_again(foreign):
    square = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0)]
    scene = foreign(crosswalk=[{"crosswalk": {"location": points(*square)}}])
    assert scene.hdmap.crosswalks[0].polyline.points_m.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]


def test_a_lane_line_takes_its_most_frequent_pair_in_upper_case(foreign):
    rail = points((0, 0, 0), (1, 0, 0), (2, 0, 0))
    paints = [(["white", "yellow", "white"], ["a", "b", "a"]), (["white"] * 2 + ["blue"] * 3, ["x"]), ([], [])]
    rows = [{"lane_line": {"line_rail": rail, "colors": c, "styles": s}} for c, s in paints]
    read = foreign(lane_line=rows).hdmap.lane_lines
    assert [(x.colour, x.style) for x in read] == [("WHITE", "A"), ("BLUE", "X"), ("UNKNOWN", "UNKNOWN")]


def test_lens_directions_and_camera_names_follow_the_rules_of_rig_files(foreign):
    forward = {"polynomial": "0 3680 0 0 0"}
    sensors = [
        sensor("camera:a"),
        sensor("camera:b", **forward),
        sensor("camera:front:tele:sat:30fov", **forward, **{"polynomial-type": "angle-to-pixeldistance"}),
        sensor("camera:c", polynomial="0 0.001", **{"polynomial-type": "pixeldistance-to-angle", "linear-d": "0.5"}),
        {"name": "lidar:top", "properties": {}},
    ]
    old = sensor("camera:d")
    old["properties"]["bw-poly"] = old["properties"].pop("polynomial")
    plain = sensor("camera:e", Model="pinhole", fx="1000", fy="1001")
    rig = foreign(calibration_estimate=rig_table(*sensors, old, plain)).rig
    names = ("camera_front_tele_30fov", "camera_a", "camera_b", "camera_c", "camera_d", "camera_e")
    assert rig.names == names
    assert [camera.lens.direction.split("-")[0] for camera in list(rig)[:5]] == ["angle", "pixeldistance", "angle"] + [
        "pixeldistance"
    ] * 2
    assert rig["camera_c"].lens == FTheta(
        960, 540, (0, 0.001, 0, 0, 0, 0), "pixeldistance-to-angle", 1.0, 0.5, 0.0
    )  # fmt: skip
    assert rig["camera_e"].lens == Pinhole(1000, 1001, 960, 540)
    # Looking left: depth along +y of the vehicle, picture right along +x.
    assert rig["camera_a"].ego_from_camera.rotation.round(12).tolist() == [[1, 0, 0], [0, 0, 1], [0, -1, 0]]


def test_cameras_of_a_foreign_rig_come_in_view_order_and_unknown_ones_after_as_in_the_file(foreign):
    names = ("camera:z", "camera:front:tele:sat:30fov", "camera:a", "camera:cross:left:120fov")
    sensors = [sensor(name) for name in (*names, "camera:cross:right:120fov", "camera:front:wide:120fov")]
    assert foreign(calibration_estimate=rig_table(*sensors)).rig.names == (
        "camera_front_wide_120fov",
        "camera_cross_right_120fov",
        "camera_cross_left_120fov",
        "camera_front_tele_30fov",
        "camera_z",
        "camera_a",
    )


def test_a_rig_of_ours_keeps_its_order(tmp_path):
    scene = full_scene()
    order = ("camera_cross_left_120fov", "camera_front_wide_120fov")
    cameras = [dataclasses.replace(scene.rig.cameras[0], name=name) for name in order]
    write_clipgt(scene.with_rig(CameraRig(tuple(cameras))), tmp_path / "a")
    assert read_clipgt(tmp_path / "a").rig.names == order


# -- bad input ------------------------------------------------------------------------------------

EGO = "c.egomotion_estimate.parquet"
RIG = "c.calibration_estimate.parquet: row 0, calibration_estimate.rig_json"
LOCATION = "egomotion_estimate.location"
LENS_RULE = "The size must be positive, and the lens must move larger angles further out."
NO_SIZE = {key: value for key, value in sensor()["properties"].items() if key != "width"}
BAD_CLIPS = {
    "NaN in an ego pose": (
        {"egomotion_estimate": [ego_row(0), ego_row(1, at=(0.0, math.nan, 0.0))]},
        f"{EGO}: row 1, {LOCATION}.y: nan. A finite number is needed here.",
    ),
    "ego times that stand still": (
        {"egomotion_estimate": [ego_row(0), ego_row(7), ego_row(7)]},
        f"{EGO}: row 2, key.timestamp_micros: 7 us does not follow 7 us. Times must increase.",
    ),
    "ego times that go back": (
        {"egomotion_estimate": [ego_row(5), ego_row(3)]},
        f"{EGO}: row 1, key.timestamp_micros: 3 us does not follow 5 us. Times must increase.",
    ),
    "an ego quaternion of length zero": (
        {"egomotion_estimate": [ego_row(0), ego_row(1, xyzw=(0.0, 0.0, 0.0, 0.0))]},
        f"{EGO}: row 1, egomotion_estimate.orientation: a quaternion of length zero. "
        "A rotation is needed in every row.",
    ),
    "a single ego pose": (
        {"egomotion_estimate": [ego_row(0)]},
        f"{EGO}: the table has a single pose. The ego needs at least 2.",
    ),
    "a missing field": (
        {"egomotion_estimate": [{"key": {"timestamp_micros": 0}, "egomotion_estimate": {"name": "a"}}] * 2},
        f"{EGO}: {LOCATION}.x: the column is missing. Present are name.",
    ),
    "a wrong column type": (
        {"egomotion_estimate": [ego_row(0, at=("a", "b", "c")), ego_row(1, at=("a", "b", "c"))]},
        f"{EGO}: {LOCATION}.x: the column holds string. It must hold numbers.",
    ),
    "a missing table": (
        {"calibration_estimate": None},
        "c.calibration_estimate.parquet: the table is missing. "
        "A ClipGT folder holds CLIP.egomotion_estimate.parquet and CLIP.calibration_estimate.parquet.",
    ),
    "a size of zero": (
        {"obstacle": [obstacle_row(0), obstacle_row(1, size=(4.0, 0.0, 1.0))]},
        "c.obstacle.parquet: row 1, obstacle.size.y: 0. A length above 0 is needed.",
    ),
    "two boxes of a track at once": (
        {"obstacle": [obstacle_row(5), obstacle_row(9), obstacle_row(5)]},
        "c.obstacle.parquet: row 2, key.timestamp_micros: track 1 has two boxes at 5 us. "
        "One per track and time is allowed.",
    ),
    "NaN in a box": (
        {"obstacle": [obstacle_row(0, x=math.inf), obstacle_row(1)]},
        "c.obstacle.parquet: row 0, obstacle.center.x: inf. A finite number is needed here.",
    ),
    "a lens that folds back": (
        {"calibration_estimate": rig_table(sensor(polynomial="0 0.001 -1e-6 0 0"))},
        f"{RIG}, rig.sensors[0].properties: camera camera_front_wide_120fov: f-theta polynomial "
        f"(pixeldistance-to-angle) does not increase up to the image corner (1101 px from the centre). {LENS_RULE}",
    ),
    "too many coefficients": (
        {"calibration_estimate": rig_table(sensor(polynomial="0 0.001 0 0 0 0 0"))},
        f"{RIG}, rig.sensors[0].properties.polynomial: 7 coefficients. 2 to 6 are allowed.",
    ),
    "a coefficient that is no number": (
        {"calibration_estimate": rig_table(sensor(polynomial="0 0.00l"))},
        f"{RIG}, rig.sensors[0].properties.polynomial[1]: '0.00l' is no number. A finite number is needed.",
    ),
    "an unknown direction": (
        {"calibration_estimate": rig_table(sensor(**{"polynomial-type": "sideways"}))},
        f"{RIG}, rig.sensors[0].properties.polynomial-type: unknown direction sideways. "
        "Allowed are pixeldistance-to-angle, angle-to-pixeldistance.",
    ),
    "an unknown lens": (
        {"calibration_estimate": rig_table(sensor(Model="kaleidoscope"))},
        f"{RIG}, rig.sensors[0].properties.Model: unknown lens kaleidoscope. "
        "Allowed are ftheta, pinhole, brown, opencv-fisheye.",
    ),
    "a missing property": (
        {"calibration_estimate": rig_table({**sensor(), "properties": NO_SIZE})},
        f"{RIG}, rig.sensors[0].properties.width: the field is missing. Present are Model, cx, cy, height, polynomial.",
    ),
    "two cameras of one name": (
        {"calibration_estimate": rig_table(sensor(), sensor())},
        f"{RIG}: rig: camera names must be unique, camera_front_wide_120fov occurs more than once. "
        "Every camera needs a name of its own.",
    ),
    "a rig that is broken JSON": (
        {"calibration_estimate": [{"calibration_estimate": {"rig_json": '{"rig": '}}]},
        f"{RIG}, line 1 column 9: broken JSON (Expecting value). A complete JSON document is needed.",
    ),
}


@pytest.mark.parametrize("case", BAD_CLIPS)
def test_a_broken_clip_is_refused_in_one_sentence(foreign, case):
    changes, expected = BAD_CLIPS[case]
    with pytest.raises(FormatError) as error:
        foreign(**changes)
    assert sentence(error) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[", "line 1 column 2: broken JSON (Expecting value). A complete JSON document is needed."),
        ('[{"time": 3}]', "[0].timestamp: the field is missing. Present are time."),
        ('[{"timestamp": 3}, {"timestamp": 2}]', "[1].timestamp: 2 us does not follow 3 us. Times must increase."),
        ('[{"timestamp": 3.5}]', "[0].timestamp: 3.5 is here. A whole number of 64 bits is needed."),
        (
            '[{"timestamp": 9223372036854775808}]',
            "[0].timestamp: 9.22337e+18 is here. A whole number of 64 bits is needed.",
        ),
        ("{}", "an object is here. An array is needed."),
        ("[]", "no frame times. At least one is needed."),
    ],
)
def test_broken_frame_times_are_refused_in_one_sentence(foreign, tmp_path, text, expected):
    (tmp_path / "c.camera_front_wide_120fov.json").write_text(text)
    with pytest.raises(FormatError) as error:
        foreign()
    assert sentence(error) == f"c.camera_front_wide_120fov.json: {expected}"


def test_a_truncated_table_is_refused_in_one_sentence(foreign, tmp_path):
    foreign(obstacle=[obstacle_row(0), obstacle_row(1)])
    file = tmp_path / "c.obstacle.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(FormatError) as error:
        read_clipgt(tmp_path)
    assert sentence(error) == "c.obstacle.parquet: cannot be read as parquet. It is truncated or damaged."


def test_a_folder_without_a_clip_is_refused(tmp_path):
    with pytest.raises(FormatError) as error:
        read_clipgt(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: egomotion_estimate: the table is missing. "
        "A ClipGT folder holds CLIP.egomotion_estimate.parquet and CLIP.calibration_estimate.parquet."
    )


def test_a_folder_with_two_clips_is_refused(foreign, tmp_path):
    foreign()
    shutil.copy(tmp_path / EGO, tmp_path / "b.egomotion_estimate.parquet")
    with pytest.raises(FormatError) as error:
        read_clipgt(tmp_path)
    assert str(error.value) == f"{tmp_path}: egomotion_estimate: holds 2 clips (b, c). One per folder is allowed."
