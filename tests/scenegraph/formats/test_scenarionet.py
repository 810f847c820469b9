"""ScenarioNet dumps as scenes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pytest import approx

from scenegraph import SE3, Category, FormatError, LaneGraph, Scene
from scenegraph.formats import detect_kind, read_scene
from scenegraph.formats.nuscenes import read_nuscenes
from scenegraph.formats.scenarionet import read_scenarionet

REAL = (
    "nuscenes_scenarios/scene-0103.json",
    "nuscenes_scenarios/scene-0796.json",
    "nuscenes_scene-0061/scenario_scene-0061.json",
)


def track(category: str, frames: list[int], positions: list[list[float]], size: list[float], heading: float) -> Any:
    return {
        "category": category,
        "type": "VEHICLE",
        "frames": frames,
        "position": positions,
        "heading": [heading] * len(frames),
        "velocity": [[0.0, 0.0]] * len(frames),
        "size_lwh": size,
    }


def lane(points: list[list[float]], polygon: list[list[float]] | None = None) -> Any:
    return {"type": "LANE_SURFACE_STREET", "polyline": points} | ({"polygon": polygon} if polygon else {})


def box(low: tuple[float, float], high: tuple[float, float]) -> list[list[float]]:
    """A rectangle whose first point is repeated."""
    (x, y), (right, top) = low, high
    return [[x, y], [right, y], [right, top], [x, top], [x, y]]


def mini_content() -> Any:
    """Six steps: the ego drives 5 m east, 4 km out, in the right one of two lanes that end at a junction."""
    ego = track("vehicle.car", [*range(6)], [[4000.4 + i, 3000.0, 0.0] for i in range(6)], [1.73, 4.08, 1.56], 0.0)
    steps = [0, 1, 2, 4, 5]
    bus = track("vehicle.bus.rigid", steps, [[4010.0, 3000.0 + i, 1.5] for i in steps], [10.0, 2.5, 3.0], 1.5708)
    lines = {
        "kerb#0": [[3990.0, 2998.0], [4030.0, 2998.0]],
        "divider": [[3990.0, 3002.0], [4010.0, 3002.0]],
        "divider-2": [[4010.0, 3002.0], [4030.0, 3002.0]],
        "centre": [[3990.0, 3006.0], [4030.0, 3006.0]],
    }
    white, yellow = "ROAD_LINE_SOLID_SINGLE_WHITE", "ROAD_LINE_SOLID_SINGLE_YELLOW"
    dashed = "ROAD_LINE_BROKEN_SINGLE_WHITE"
    features = {
        "right": lane([[3990.0, 3000.0], [4030.0, 3000.0]], box((3990.0, 2998.0), (4030.0, 3002.0))),
        "left": lane([[3990.0, 3003.5], [4030.0, 3003.5]], box((3990.0, 3002.0), (4030.0, 3006.0))),
        "oncoming": lane([[4030.0, 3008.0], [3990.0, 3008.0]], box((3990.0, 3006.0), (4030.0, 3010.0))),
        "across": lane([[4030.0, 3000.0], [4050.0, 3000.0]]),
        "across-left": lane([[4030.0, 3003.5], [4050.0, 3003.5]]),
        "beyond": lane([[4050.0, 3000.0], [4070.0, 3000.0]], box((4050.0, 2999.0), (4070.0, 3001.0))),
        "beyond-left": lane([[4050.0, 3003.5], [4070.0, 3003.5]], box((4050.0, 3001.0), (4070.0, 3006.0))),
        "boundary_0#0": {"type": white, "polyline": lines["kerb#0"]},
        "divider": {"type": dashed, "polyline": lines["divider"]},
        "divider-2": {"type": dashed, "polyline": lines["divider-2"]},
        "centre": {"type": yellow, "polyline": lines["centre"]},
    }
    head = {
        "format": "scenario-json/1 (a dump)",
        "id": "mini",
        "scenario_token": "abc",
        "location": "singapore-onenorth",
    }
    clock = {"date": "2018-07-24", "rate_hz": 10, "length": 6}
    return {**head, **clock, "tracks": {"bus": bus, "ego": ego}, "map_features": features}


def write(file: Path, content: Any) -> Path:
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.fixture
def content() -> Any:
    return mini_content()


@pytest.fixture
def mini(tmp_path: Path, content: Any) -> Scene:
    return read_scenarionet(write(tmp_path / "mini.json", content))


# -- ego and boxes ---------------------------------------------------------------------------------


def test_the_world_begins_near_the_first_ego_position_with_the_axes_of_the_city(mini: Scene) -> None:
    assert mini.world_origin_m.tolist() == [4000, 3000, 0]
    assert mini.ego.world_from_body.translation_m == approx(np.array([[0.4 + i, 0, 0] for i in range(6)]))
    assert mini.ego.world_from_body.yaw_rad == approx(np.zeros(6))


def test_steps_are_the_frame_times_and_the_first_one_is_zero(mini: Scene) -> None:
    assert mini.frame_times_us().tolist() == [0, 100_000, 200_000, 300_000, 400_000, 500_000]
    assert mini.ego.timestamps_us.tolist() == mini.frame_times_us().tolist()
    assert mini.clip_id == "mini" and len(mini.rig) == 0


def test_an_actor_has_the_centre_heading_size_and_class_of_its_track(mini: Scene) -> None:
    (bus,) = mini.actors
    assert (bus.id, bus.category, bus.source_category) == ("bus", Category.TRUCK, "vehicle.bus.rigid")
    boxes = bus.boxes_at([200_000])
    assert boxes.world_from_box.translation_m[0] == approx([10.0, 2.0, 1.5])
    assert boxes.world_from_box.yaw_rad[0] == approx(1.5708)
    assert [boxes.length_m[0], boxes.width_m[0], boxes.height_m[0]] == [10.0, 2.5, 3.0]


def test_an_actor_is_absent_where_its_track_leaves_out_a_step(mini: Scene) -> None:
    (bus,) = mini.actors
    times_us = [0, 150_000, 200_000, 250_000, 300_000, 400_000, 500_000, 550_000, 600_000]
    assert bus.boxes_at(times_us).present.tolist() == [True, True, True, False, False, True, True, True, False]


def test_another_rate_spaces_the_steps_otherwise(tmp_path: Path, content: Any) -> None:
    content["rate_hz"] = 30
    scene = read_scenarionet(write(tmp_path / "fast.json", content))
    assert scene.ego.timestamps_us.tolist() == [0, 33_333, 66_667, 100_000, 133_333, 166_667]


# -- map -------------------------------------------------------------------------------------------


def test_the_edges_of_a_lane_lie_on_its_polygon(mini: Scene) -> None:
    lanes = {lane.id: lane for lane in mini.hdmap.lane_segments}
    assert lanes["left"].left.points_m.tolist() == [[-10, 6, 0], [30, 6, 0]]
    assert lanes["left"].right.points_m.tolist() == [[-10, 2, 0], [30, 2, 0]]
    assert lanes["oncoming"].left.points_m.tolist() == [[30, 6, 0], [-10, 6, 0]]
    assert lanes["left"].lane_type == "LANE_SURFACE_STREET" and not lanes["left"].is_intersection


def test_a_lane_in_a_junction_is_as_wide_as_those_it_connects(mini: Scene) -> None:
    across = next(lane for lane in mini.hdmap.lane_segments if lane.id == "across")
    assert across.is_intersection
    assert across.left.points_m == approx(np.array([[30, 2, 0], [50, 1, 0]]))
    assert across.right.points_m == approx(np.array([[30, -2, 0], [50, -1, 0]]))


def test_a_lane_in_a_junction_that_leads_out_of_the_map_keeps_its_width(tmp_path: Path, content: Any) -> None:
    del content["map_features"]["beyond"]
    scene = read_scenarionet(write(tmp_path / "cut.json", content))
    across = next(lane for lane in scene.hdmap.lane_segments if lane.id == "across")
    assert across.left.points_m == approx(np.array([[30, 2, 0], [50, 2, 0]]))
    assert across.successors == ()


def test_lanes_follow_where_others_end_and_lie_beside_each_other(mini: Scene) -> None:
    graph = LaneGraph(mini.hdmap)
    assert [lane.id for lane in graph.route("right", "beyond") or ()] == ["right", "across", "beyond"]
    beside = {lane.id: (lane.left_neighbour, lane.right_neighbour) for lane in mini.hdmap.lane_segments}
    assert beside == {
        "right": ("left", None),
        "left": ("oncoming", "right"),
        "oncoming": ("left", None),
        "across": ("across-left", None),
        "across-left": (None, "across"),
        "beyond": ("beyond-left", None),
        "beyond-left": (None, "beyond"),
    }


def test_a_turn_back_is_not_its_own_neighbour(tmp_path: Path, content: Any) -> None:
    content["map_features"]["back"] = lane([[4030.0, 3003.5], [4035.0, 3005.0], [4030.0, 3008.0]])
    scene = read_scenarionet(write(tmp_path / "back.json", content))
    back = next(lane for lane in scene.hdmap.lane_segments if lane.id == "back")
    assert (back.predecessors, back.successors) == (("left",), ("oncoming",))
    assert (back.left_neighbour, back.right_neighbour) == (None, None)


def test_lane_lines_are_joined_and_boundaries_are_edges_of_the_road_not_paint(mini: Scene) -> None:
    lines = {line.id: (line.colour, line.style, line.polyline.length_m) for line in mini.hdmap.lane_lines}
    assert lines == {
        "divider": ("WHITE", "LONG_DASHED_SINGLE", 40.0),
        "centre": ("YELLOW", "SOLID_SINGLE", 40.0),
    }
    (kerb,) = mini.hdmap.road_boundaries
    assert kerb.id == "boundary_0#0" and kerb.polyline.points_m.tolist() == [[-10, -2, 0], [30, -2, 0]]


def test_the_edges_of_lanes_know_the_paint_on_them(mini: Scene) -> None:
    marks = {lane.id: (lane.left_mark, lane.right_mark) for lane in mini.hdmap.lane_segments}
    dashed, yellow = ("WHITE", "LONG_DASHED_SINGLE"), ("YELLOW", "SOLID_SINGLE")
    assert (marks["right"], marks["left"]) == ((dashed, None), (yellow, dashed))
    assert marks["oncoming"] == (yellow, None)


def test_what_is_left_out_is_told(tmp_path: Path, content: Any) -> None:
    features = content["map_features"]
    features["zebra"] = {"type": "CROSSWALK", "polyline": [[0, 0], [1, 1]]}
    features["point"] = {"type": "ROAD_LINE_BROKEN_SINGLE_WHITE", "polyline": [[0, 0], [0, 0]]}
    features["nowhere"] = lane([[0.0, 0.0], [9.0, 0.0]])
    source = read_scenarionet(write(tmp_path / "odd.json", content)).source
    assert source["dropped"] == (
        "1 map features with the unknown type CROSSWALK, 1 map features with fewer than 2 points, "
        "1 lanes with no polygon and none next to them"
    )


def test_only_places_of_nuscenes_are_under_its_licence(tmp_path: Path, mini: Scene, content: Any) -> None:
    assert mini.source["format"] == "scenarionet" and mini.source["licence"].startswith("CC BY-NC-SA 4.0 and")
    assert "dropped" not in mini.source
    content["location"] = "elsewhere"
    source = read_scenarionet(write(tmp_path / "else.json", content)).source
    assert source["licence"].startswith("not known")


# -- which scene -----------------------------------------------------------------------------------


def test_a_file_or_a_folder_with_one_is_recognised(tmp_path: Path, content: Any) -> None:
    file = write(tmp_path / "any-name.json", content)
    write(tmp_path / "package.json", {"name": "something else"})
    assert detect_kind(file) == detect_kind(tmp_path) == "scenarionet"
    assert read_scene(file).clip_id == read_scene(tmp_path).clip_id == read_scene(file, clip="mini").clip_id == "mini"


def test_one_of_several_scenes_is_chosen_by_its_id(tmp_path: Path, content: Any) -> None:
    write(tmp_path / "a.json", content)
    write(tmp_path / "b.json", content | {"id": "other"})
    assert read_scene(tmp_path, clip="other").clip_id == "other"
    with pytest.raises(FormatError) as error:
        read_scene(tmp_path)
    assert str(error.value) == f"{tmp_path}: holds 2 scenes. Name one of them: mini, other."
    with pytest.raises(FormatError) as error:
        read_scene(tmp_path, clip="third")
    assert str(error.value) == f"{tmp_path}: there is no clip 'third'. Present are mini, other."


def test_two_scenes_of_one_id_are_refused(tmp_path: Path, content: Any) -> None:
    write(tmp_path / "a.json", content)
    write(tmp_path / "b.json", content)
    with pytest.raises(FormatError) as error:
        read_scene(tmp_path)
    assert str(error.value) == f"{tmp_path}/b.json: id: 'mini' is the id of a.json too. Ids must differ in a folder."


def test_a_dump_is_not_read_as_another_kind(tmp_path: Path, content: Any) -> None:
    file = write(tmp_path / "mini.json", content)
    with pytest.raises(FormatError, match=r"is a file, not the folder of a log"):
        read_scene(file, "nuscenes")


# -- the three real ones ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest, shared_data: Path) -> Scene:
    return read_scene(shared_data / request.param)


@pytest.fixture(scope="module")
def scene_0061(shared_data: Path) -> Scene:
    return read_scene(shared_data / REAL[2])


def test_real_scenes_hold_what_their_files_do(real: Scene) -> None:
    classes = Counter(actor.category.value for actor in real.actors)
    counts = {name: count for name, count in real.hdmap.counts().items() if count}
    expected: dict[str, Any] = {
        "scene-0103": (
            196,
            {"Car": 59, "Pedestrian": 46, "Others": 8, "Cyclist": 7, "Truck": 1},
            {"lane_segments": 178, "lane_lines": 64, "road_boundaries": 15},
        ),
        "scene-0796": (
            196,
            {"Car": 32, "Pedestrian": 11, "Truck": 6, "Cyclist": 1, "Others": 1},
            {"lane_segments": 163, "lane_lines": 35, "road_boundaries": 13},
        ),
        "scene-0061": (
            191,
            {"Others": 136, "Pedestrian": 60, "Car": 14, "Truck": 9, "Cyclist": 6},
            {"lane_segments": 216, "lane_lines": 36, "road_boundaries": 28},
        ),
    }
    assert (len(real.frame_times_us()), classes, counts) == expected[real.clip_id]
    assert "dropped" not in real.source


def test_real_lanes_are_as_wide_as_lanes_can_be(real: Scene) -> None:
    for lane_segment in real.hdmap.lane_segments:
        width_m = np.linalg.norm(lane_segment.left.points_m - lane_segment.right.points_m, axis=1)
        assert width_m.min() > 1.9 and width_m.max() < 10.0


def test_neighbours_in_real_maps_are_mutual_and_oncoming_ones_lie_on_the_side_of_the_law(real: Scene) -> None:
    lanes = {lane_segment.id: lane_segment for lane_segment in real.hdmap.lane_segments}
    drives_left = real.source["location"].startswith("singapore")
    oncoming = 0
    for one in lanes.values():
        if one.left_neighbour:
            other = lanes[one.left_neighbour]
            assert one.id in (other.right_neighbour, other.left_neighbour)
            oncoming += not drives_left and other.left_neighbour == one.id
        if one.right_neighbour:
            other = lanes[one.right_neighbour]
            assert one.id in (other.left_neighbour, other.right_neighbour)
            oncoming += drives_left and other.right_neighbour == one.id
    assert oncoming == {"scene-0103": 86, "scene-0796": 16, "scene-0061": 12}[real.clip_id]


def test_real_egos_drive_on_lanes_in_their_direction_and_within_the_road_edges(real: Scene) -> None:
    graph = LaneGraph(real.hdmap)
    poses = real.ego.world_from_body
    for place_m, yaw_rad in zip(poses.translation_m, poses.yaw_rad, strict=True):
        assert graph.nearest_lane(place_m, float(yaw_rad), max_distance_m=3.0) is not None
    path = shapely.LineString(poses.translation_m[:, :2])
    edges = shapely.MultiLineString([b.polyline.points_m[:, :2] for b in real.hdmap.road_boundaries])
    assert not path.intersects(edges) and path.distance(edges) > 1.0


def test_boxes_equal_those_of_the_tables_at_key_frames(scene_0061: Scene, shared_data: Path) -> None:
    tables = read_nuscenes(shared_data / "nuscenes_scene-0061")
    actors = {actor.id: actor for actor in scene_0061.actors}
    assert set(actors) == {actor.id for actor in tables.actors}
    start_us = min(actor.trajectory.first_us for actor in tables.actors)
    compared = 0
    for expected in tables.actors:
        boxes = actors[expected.id].boxes_at(expected.trajectory.timestamps_us - start_us)
        assert boxes.present.all() and actors[expected.id].category == expected.category
        assert actors[expected.id].source_category == expected.source_category
        away_m = boxes.world_from_box.translation_m - expected.trajectory.world_from_body.translation_m
        assert np.abs(away_m + scene_0061.world_origin_m - tables.world_origin_m).max() < 1e-6
        assert np.abs(turned_rad(boxes.world_from_box, expected.trajectory.world_from_body)).max() < 1e-4
        assert (boxes.length_m == expected.length_m).all() and (boxes.width_m == expected.width_m).all()
        assert (boxes.height_m == expected.height_m).all()
        compared += len(expected.trajectory)
    assert compared == 4664


def test_boxes_and_ego_equal_those_of_another_publisher_at_the_first_instant(
    scene_0061: Scene, shared_data: Path
) -> None:
    """The demo file of mmdetection3d was not made from ScenarioNet. Its ego pose is 17 ms earlier."""
    info = json.loads((shared_data / "nuscenes_scene-0061/frame_info_mmdet3d.json").read_text())["data_list"][0]
    ego = SE3.from_matrix(np.array(info["ego2global"]))
    boxes = np.array([instance["bbox_3d"] for instance in info["instances"]])
    lidar_points = np.column_stack([boxes[:, :3], np.ones(len(boxes))]).T
    centres_m = (np.array(info["ego2global"]) @ np.array(info["lidar_points"]["lidar2ego"]) @ lidar_points).T[:, :3]
    first = [actor for actor in scene_0061.actors if actor.trajectory.first_us == 0]
    places_m = np.stack([actor.trajectory.world_from_body.translation_m[0] for actor in first])
    away_m = np.linalg.norm((centres_m - scene_0061.world_origin_m)[:, None] - places_m, axis=2)
    nearest = away_m.argmin(axis=1)
    same = away_m.min(axis=1) < 1e-3
    assert (same.sum(), len(same), len(first)) == (68, 69, 68)  # the other one is of a class that is not dumped
    sizes_m = np.array([[a.length_m[0], a.width_m[0], a.height_m[0]] for a in first])[nearest]
    assert sizes_m[same] == approx(boxes[same, 3:6], abs=1e-6)

    pose = scene_0061.ego.at([0])[0]
    behind_m = pose.inverse().apply(ego.translation_m - scene_0061.world_origin_m)
    assert behind_m == approx([-0.157, 0.0, 0.0], abs=1e-3)
    assert float(turned_rad(pose, ego)) == approx(0.0, abs=1e-3)


def turned_rad(one: SE3, other: SE3) -> Any:
    """Difference of yaw, within half a turn."""
    return (one.yaw_rad - other.yaw_rad + np.pi) % (2 * np.pi) - np.pi


# -- bad input -------------------------------------------------------------------------------------


def refused(file: Path) -> str:
    with pytest.raises(FormatError) as error:
        read_scenarionet(file)
    return str(error.value)


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        ("format", "waymo/2", "format: 'waymo/2' is here. scenario-json/1 is needed."),
        ("id", 7, "id: a number is here. A text is needed."),
        ("rate_hz", 0, "rate_hz: 0 is here. A number above 0 is needed."),
        ("length", 0, "length: 0 is here. A scene has at least 1 step."),
        ("length", 5, "tracks.ego.frames[5]: 5 is here. A step from 0 to 4 is needed."),
        ("length", 7, "tracks.ego.frames: step 6 is missing. The ego is needed at all 7 steps."),
        ("tracks", {}, "tracks: no track is named ego. The recording vehicle is needed."),
        ("tracks", [], "tracks: no track is named ego. The recording vehicle is needed."),
        ("tracks.bus.frames", [], "tracks.bus.frames: no step. A track is known at 1 step at least."),
        ("tracks.bus.frames.2", 1, "tracks.bus.frames[2]: step 1 follows step 1. Steps must increase."),
        ("tracks.bus.frames.0", 0.5, "tracks.bus.frames[0]: 0.5 is here. A step from 0 to 5 is needed."),
        ("tracks.bus.frames.0", -1, "tracks.bus.frames[0]: -1 is here. A step from 0 to 5 is needed."),
        (
            "tracks.bus.position",
            [[0, 0, 0]],
            "tracks.bus.position: 1 values for 5 frames. One is needed for each frame.",
        ),
        ("tracks.bus.position.3", [0, 0], "tracks.bus.position: the numbers have another shape. [N,3] is needed."),
        ("tracks.bus.heading", [0.0], "tracks.bus.heading: 1 values for 5 frames. One is needed for each frame."),
        (
            "tracks.bus.heading.1",
            float("nan"),
            "tracks.bus.heading: a number is NaN or infinite. Finite numbers are needed.",
        ),
        ("tracks.bus.velocity", [], "tracks.bus.velocity: 0 values for 5 frames. One is needed for each frame."),
        ("tracks.bus.category", None, "tracks.bus.category: null is here. A text is needed."),
        (
            "tracks.bus.size_lwh.1",
            0,
            "tracks.bus.size_lwh: a size of 0 m. Length, width and height must be above 0.",
        ),
        ("map_features.centre.type", 3, "map_features.centre.type: a number is here. A text is needed."),
        (
            "map_features.centre.polyline",
            [[0, 0, 0]],
            "map_features.centre.polyline: the numbers have another shape. [N,2] is needed.",
        ),
        (
            "map_features.left.polygon",
            [[0, 0], [1, 0], [1, 0]],
            "map_features.left.polygon: 2 different points. At least 3 are needed.",
        ),
        (
            "map_features.left.polygon",
            box((0, 0), (1, 1)),
            "map_features.left.polygon: the lane's polyline lies outside. The polygon must be around it.",
        ),
    ],
)
def test_a_broken_field_is_named(tmp_path: Path, content: Any, place: str, value: Any, sentence: str) -> None:
    *way, last = place.split(".")
    inner = content
    for name in way:
        inner = inner[name]
    inner[int(last) if isinstance(inner, list) else last] = value
    file = write(tmp_path / "bad.json", content)
    assert refused(file) == f"{file}: {sentence}"


def test_a_missing_field_is_named(tmp_path: Path, content: Any) -> None:
    del content["tracks"]["bus"]["heading"]
    file = write(tmp_path / "bad.json", content)
    present = "category, type, frames, position, velocity, size_lwh"
    assert refused(file) == f"{file}: tracks.bus.heading: the field is missing. Present are {present}."


def test_a_truncated_file_is_refused(tmp_path: Path, content: Any) -> None:
    file = write(tmp_path / "cut.json", content)
    file.write_text(file.read_text()[:200])
    assert refused(file).startswith(f"{file}: line 1 column ")
    assert refused(file).endswith("A complete JSON document is needed.")


def test_a_file_that_is_missing_or_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "nothing.json"
    assert refused(file) == f"{file}: the file is missing. A ScenarioNet dump is one .json file."
    assert refused(tmp_path) == (
        f'{tmp_path}: holds no ScenarioNet dump. A .json with "format": "scenario-json/1" is needed.'
    )
