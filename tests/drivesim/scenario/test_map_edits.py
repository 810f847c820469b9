from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from pytest import approx

from drivesim.errors import ScenarioError
from drivesim.scenario.edits import apply_edit
from drivesim.scenario.schema_edits import EditFile
from drivesim.scenario.world import World
from drivesim.sources import load_scene
from scenegraph import SE3, HDMap, LaneLine, LaneSegment, Polyline, Scene, Trajectory
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)


def _edited(world: World, **fields: Any) -> Scene:
    return apply_edit(_EDIT.validate_python(fields), world, Path()).scene


def _refusal(world: World, **fields: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        _edited(world, **fields)
    return str(error.value)


def _element(scene: Scene, layer: str, name: str) -> Any:
    return next(element for element in getattr(scene.hdmap, layer) if element.id == name)


def _ids(scene: Scene, layer: str) -> list[str]:
    return [element.id for element in getattr(scene.hdmap, layer)]


@pytest.fixture(scope="module")
def crossing() -> World:
    """The ego starts at x -45, y -5.25 and drives east."""
    return World(crossing_scene(8.0), 0, 8.0)


@pytest.fixture(scope="module")
def argoverse(av2_log: Path) -> World:
    scene = load_scene(av2_log)
    return World(scene, scene.ego.first_us, 8.0)


def _two_lanes(rise: float = 0.0) -> World:
    """Two lanes eastwards, a dashed line between them, listed by both; the ego drives on the right one."""

    def line(y_m: float, first: float = -50.0, last: float = 150.0) -> Polyline:
        return Polyline(np.array([[x, y_m, rise * x] for x in np.linspace(first, last, 21)]))

    dashed, solid = ("WHITE", "LONG_DASHED_SINGLE"), ("WHITE", "SOLID_SINGLE")
    left = LaneSegment("left", line(3.5), line(0.0), solid, dashed, right_neighbour="right")
    right = LaneSegment("right", line(0.0), line(-3.5), dashed, solid, left_neighbour="left")
    lines = [("top", 3.5, solid), ("middle", 0.0, dashed), ("bottom", -3.5, solid)]
    painted = tuple(LaneLine(name, line(y_m), *mark) for name, y_m, mark in lines)
    poses = SE3.from_yaw(np.zeros(2), np.array([[0.0, -1.75, 0.0], [80.0, -1.75, 80 * rise]]))
    ego = Trajectory(np.array([0, 8_000_000]), poses)
    return World(Scene("lanes", HDMap((left, right), painted), ego), 0, 8.0)


def _marks(scene: Scene) -> dict[str, tuple[Any, Any]]:
    return {lane.id: (lane.left_mark, lane.right_mark) for lane in scene.hdmap.lane_segments}


# -- moving and removing -------------------------------------------------------------------------------


def test_an_element_moves_as_the_ego_faces_at_the_start(argoverse: World) -> None:
    pole = argoverse.scene.hdmap.poles[0]
    scene = _edited(argoverse, kind="move_element", layer="poles", id=pole.id, x_m=2.0, y_m=1.0)
    moved = _element(scene, "poles", pole.id).polyline.points_m - pole.polyline.points_m
    yaw_rad = float(argoverse.ego_start.yaw_rad)
    ahead, left = np.array([np.cos(yaw_rad), np.sin(yaw_rad)]), np.array([-np.sin(yaw_rad), np.cos(yaw_rad)])
    assert moved[:, :2] == approx(np.broadcast_to(2 * ahead + left, (len(moved), 2)), abs=1e-6)


def test_an_element_moved_up_a_slope_stays_as_high_above_the_road() -> None:
    scene = _edited(_two_lanes(rise=0.05), kind="move_element", layer="lane_lines", id="middle", x_m=10.0, y_m=1.0)
    points = _element(scene, "lane_lines", "middle").polyline.points_m
    inside = points[points[:, 0] < 150.0]
    assert inside[:, 2] == approx(0.05 * inside[:, 0], abs=1e-6)


def test_a_light_moves_with_its_box(crossing: World) -> None:
    scene = _edited(crossing, kind="move_element", layer="traffic_lights", id="0-light", z_m=0.5)
    before, after = (_element(each, "traffic_lights", "0-light") for each in (crossing.scene, scene))
    assert after.world_from_box.translation_m - before.world_from_box.translation_m == approx([0.0, 0.0, 0.5])


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({}, []),
        ({"ids": ["1-lamp", "2-lamp"]}, ["0-mast", "0-lamp", "1-mast", "2-mast", "3-mast", "3-lamp"]),
        (
            # The lamp of the western arm stands at x -40, y -8.5.
            {"region": {"x_m": 5.0, "y_m": -3.25, "radius_m": 3.0}},
            ["0-mast", "0-lamp", "1-mast", "1-lamp", "2-mast", "3-mast", "3-lamp"],
        ),
    ],
)
def test_elements_go_by_layer_id_or_place(crossing: World, fields: dict[str, Any], left: list[str]) -> None:
    assert _ids(_edited(crossing, kind="remove_elements", layer="poles", **fields), "poles") == left


def test_states_of_removed_lights_go_with_them(crossing: World) -> None:
    scene = _edited(crossing, kind="remove_elements", layer="traffic_lights", ids=["1-light"])
    assert list(scene.light_states) == ["0-light", "2-light", "3-light"]


def test_a_misspelt_element_is_refused_with_the_nearest_id(crossing: World) -> None:
    said = "stop_lines: there is no '0-stp' (did you mean '0-stop'?). Ids: 0-stop, 1-stop, 2-stop, 3-stop"
    assert _refusal(crossing, kind="remove_elements", layer="stop_lines", ids=["0-stp"]) == said


# -- marks of lanes ------------------------------------------------------------------------------------


def test_lanes_lose_the_mark_of_a_removed_line_on_both_sides() -> None:
    world = _two_lanes()
    scene = _edited(world, kind="remove_elements", layer="lane_lines", ids=["middle"])
    solid = ("WHITE", "SOLID_SINGLE")
    assert _marks(scene) == {"left": (solid, None), "right": (None, solid)}


def test_lanes_list_the_new_paint_of_a_line_as_seen_along_their_edges() -> None:
    scene = _edited(_two_lanes(), kind="repaint", id="middle", colour="YELLOW", style="SOLID_DASHED")
    assert _marks(scene)["left"][1] == ("YELLOW", "SOLID_DASHED") == _marks(scene)["right"][0]
    reversed_world = _two_lanes()
    lanes = reversed_world.scene.hdmap.lane_segments
    lines = reversed_world.scene.hdmap.lane_lines
    middle = LaneLine("middle", lines[1].polyline.reversed(), lines[1].colour, lines[1].style)
    hdmap = HDMap(lanes, (lines[0], middle, lines[2]))
    world = reversed_world.with_scene(Scene("lanes", hdmap, reversed_world.scene.ego))
    scene = _edited(world, kind="repaint", id="middle", colour="YELLOW", style="SOLID_DASHED")
    assert _marks(scene)["left"][1] == ("YELLOW", "DASHED_SOLID")


def test_a_line_moved_away_leaves_no_mark_and_one_moved_a_little_keeps_it() -> None:
    world = _two_lanes()
    near = _edited(world, kind="move_element", layer="lane_lines", id="middle", y_m=0.3)
    assert _marks(near) == _marks(world.scene)
    away = _edited(world, kind="move_element", layer="lane_lines", id="middle", y_m=1.5)
    assert _marks(away)["left"][1] is None and _marks(away)["right"][0] is None


def test_a_line_painted_on_an_edge_becomes_its_mark() -> None:
    world = _two_lanes()
    bare = world.with_scene(_edited(world, kind="remove_elements", layer="lane_lines", ids=["middle"]))
    points = [[-50.0, 1.75], [150.0, 1.75]]
    scene = _edited(bare, kind="add_line", layer="lane_lines", id="new", points=points, colour="YELLOW")
    assert _marks(scene)["left"][1] == ("YELLOW", "SOLID_SINGLE") == _marks(scene)["right"][0]


def test_every_mark_of_a_log_goes_with_its_lines(argoverse: World) -> None:
    scene = _edited(argoverse, kind="remove_elements", layer="lane_lines")
    assert {mark for marks in _marks(scene).values() for mark in marks} == {None}


def test_lanes_far_from_a_changed_line_stay_the_same_objects(argoverse: World) -> None:
    line = argoverse.scene.hdmap.lane_lines[0].id
    scene = _edited(argoverse, kind="repaint", id=line, style="SOLID_GROUP", colour="YELLOW")
    pairs = zip(argoverse.scene.hdmap.lane_segments, scene.hdmap.lane_segments, strict=True)
    changed = [old.id for old, new in pairs if old is not new]
    assert 1 <= len(changed) <= 12


# -- adding --------------------------------------------------------------------------------------------


def test_a_line_is_painted_on_the_road() -> None:
    world = _two_lanes(rise=0.05)
    scene = _edited(world, kind="add_line", layer="stop_lines", id="new", points=[[20.0, -1.5], [30.0, 4.0]])
    points = _element(scene, "stop_lines", "new").polyline.points_m
    assert points[[0, -1], :2] == approx(np.array([[20.0, -3.25], [30.0, 2.25]]))
    assert points[:, 2] == approx(0.05 * points[:, 0], abs=1e-9)
    assert len(points) > 5


def test_a_sign_faces_the_start_of_the_ego_on_a_post_from_the_ground(crossing: World) -> None:
    scene = _edited(crossing, kind="add_sign", id="stop", x_m=30.0, y_m=-4.0, category="stop")
    sign = _element(scene, "traffic_signs", "stop")
    towards = crossing.ego_start.translation_m[:2] - sign.world_from_box.translation_m[:2]
    assert sign.world_from_box.rotation[:2, 0] == approx(towards / np.linalg.norm(towards))
    assert sign.world_from_box.translation_m == approx([-15.0, -9.25, 2.375])
    post = _element(scene, "poles", "stop-post").polyline.points_m
    assert post == approx(np.array([[-15.0, -9.25, 0.0], [-15.0, -9.25, 2.75]]))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"kind": "add_line", "layer": "stop_lines", "id": "0-stop", "points": [[0, 0], [1, 0]]},
            "stop_lines: there is already an element '0-stop'. Choose another id",
        ),
        (
            {"kind": "add_line", "layer": "crosswalks", "id": "x", "points": [[0, 0], [1, 0]]},
            "points: crosswalk 'x' needs three corners or more, the first one not repeated",
        ),
        (
            {"kind": "add_line", "layer": "stop_lines", "id": "x", "points": [[1, 0], [1, 0]]},
            "points: 'x' has no length, all points are the same. Give two places",
        ),
        (
            {"kind": "repaint", "id": "0-centre"},
            "repaint '0-centre': neither colour nor style is given. Give one of them, or both",
        ),
        (
            {"kind": "repaint", "id": "0-centre", "colour": "WHITE", "style": "SOLID_SINGEL"},
            "WHITE lines have no style 'SOLID_SINGEL' (did you mean 'SOLID_SINGLE'?). Styles: SOLID_SINGLE, "
            "LONG_DASHED_SINGLE, SHORT_DASHED_SINGLE, DOT_DASHED_SINGLE, SOLID_GROUP",
        ),
        ({"kind": "add_sign", "id": "0-sign", "x_m": 1, "y_m": 2}, "traffic_signs: there is already an element "
         "'0-sign'. Choose another id"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_or_painted_is_refused(crossing: World, fields: dict[str, Any], said: str) -> None:
    assert _refusal(crossing, **fields) == said


# -- closing a lane ------------------------------------------------------------------------------------


def test_cones_lead_to_the_lane_that_goes_on_and_stand_on_the_road() -> None:
    world = _two_lanes(rise=0.05)
    scene = _edited(world, kind="close_lane", from_m=20.0, taper_m=20.0, length_m=30.0)
    feet = np.array([c.trajectory.world_from_body.translation_m[0] for c in scene.actors]) - [0.0, 0.0, 0.4]
    assert [c.id for c in scene.actors][:2] == ["cone 1.1", "cone 1.2"]
    assert feet[:, 2] == approx(0.05 * feet[:, 0], abs=1e-3)
    # The right lane is closed: from its right edge (y -3.5) to its left one (y 0).
    along = 1 / np.hypot(1.0, 0.05)  # metres are metres of road
    assert feet[0] == approx([20.0 * along, -3.2, 1.0 * along], abs=1e-3)
    row = feet[feet[:, 0] > 40.5]
    assert row[:, 1] == approx(-0.3, abs=0.01)
    assert feet[-1, 0] == approx(70.0 * along, abs=1e-3)
    assert np.diff(feet[:, 0]).max() < 5.01


def test_the_left_lane_is_closed_from_the_left_to_the_right() -> None:
    scene = _edited(_two_lanes(), kind="close_lane", lane="ego+1", from_m=20.0, taper_m=20.0, length_m=30.0)
    lateral = [float(cone.trajectory.world_from_body.translation_m[0, 1]) for cone in scene.actors]
    assert lateral[0] == approx(3.2, abs=0.01) and lateral[-1] == approx(0.3, abs=0.01)


def test_an_oncoming_lane_is_closed_for_those_who_come(crossing: World) -> None:
    scene = _edited(crossing, kind="close_lane", lane="oncoming", from_m=-30.0, taper_m=10.0, length_m=20.0)
    cones = [actor for actor in scene.actors if actor.id.startswith("cone 1.")]
    along = [float(cone.trajectory.world_from_body.translation_m[0, 0]) for cone in cones]
    # 30 m behind the ego (x -75) to the start of the ego (x -45): oncoming traffic drives west, from x -45 on.
    assert along[0] == approx(-45.0, abs=0.1) and along[-1] == approx(-75.0, abs=0.1)


def test_cones_of_two_closed_lanes_have_names_of_their_own() -> None:
    world = _two_lanes()
    closing = {"kind": "close_lane", "from_m": 20.0, "taper_m": 0.0, "length_m": 10.0}
    scene = _edited(world.with_scene(_edited(world, **closing)), **closing, lane="ego+1")
    assert [c.id for c in scene.actors] == [f"cone {row}.{k}" for row in (1, 2) for k in (1, 2, 3)]


def test_cones_stand_from_the_first_to_the_last_frame(crossing: World) -> None:
    cone = _edited(crossing, kind="close_lane", from_m=-20.0, length_m=10.0, taper_m=5.0).actors[-1]
    assert cone.boxes_at(np.array([-900_000, 0, 8_000_000, 8_900_000])).present.all()


def test_a_lane_that_ends_before_the_cones_do_is_refused() -> None:
    said = (
        "close_lane: lane ego goes on for only 50 m after from_m, and taper_m and length_m need 85 m. "
        "Use a smaller from_m, length_m or taper_m"
    )
    assert _refusal(_two_lanes(), kind="close_lane", from_m=100.0) == said


def test_a_lane_that_is_not_there_is_refused() -> None:
    said = "there is no lane ego-1: no further lane there drives in the ego's direction"
    assert _refusal(_two_lanes(), kind="close_lane", lane="ego-1") == said
