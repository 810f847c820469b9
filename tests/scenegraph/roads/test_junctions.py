"""T and four-way junctions: who may turn where, how they drive, what stands and is painted there."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
import shapely

from scenegraph import LaneGraph, LightState
from scenegraph.roads.lane_path import lane_path
from scenegraph.roads.procedural import MadeRoad, made_road
from scenegraph.roads.road_spec import FourWay, RoadSpec, TJunction
from scenegraph.roads.roadside import arrow_outline

COUNTS = list(itertools.product((1, 2, 3), (0, 1, 2)))
LAYOUTS = (TJunction(60.0, lights=True), TJunction(60.0), FourWay(60.0))
SPECS = [RoadSpec(layout, *counts) for layout in LAYOUTS for counts in COUNTS]
every_spec = pytest.mark.parametrize(
    "spec", SPECS, ids=lambda spec: f"{type(spec.layout).__name__}-{spec.lanes}-{spec.oncoming_lanes}"
)


@cache
def made(spec: RoadSpec) -> MadeRoad:
    return made_road(spec)


@cache
def graph(spec: RoadSpec) -> LaneGraph:
    return LaneGraph(made(spec).hdmap)


def ways(spec: RoadSpec) -> set[tuple[str, str]]:
    """(entering lane, leaving lane) of every way through the junction."""
    lanes = graph(spec)
    inside = [lane for lane in made(spec).hdmap.lane_segments if lane.is_intersection]
    return {(b.id, a.id) for x in inside for b in lanes.predecessors(x.id) for a in lanes.successors(x.id)}


# -- turns ------------------------------------------------------------------------------------------


def test_two_lanes_each_way_cross_straight_on_and_turn_from_their_own_side() -> None:
    expected = set()
    for arm, right, ahead, left in (
        ("east", "north", "west", "south"),
        ("north", "west", "south", "east"),
        ("west", "south", "east", "north"),
        ("south", "east", "north", "west"),
    ):
        expected |= {(f"{arm}:0:1", f"{ahead}:0:-1"), (f"{arm}:0:2", f"{ahead}:0:-2")}
        expected |= {(f"{arm}:0:1", f"{left}:0:-1"), (f"{arm}:0:2", f"{right}:0:-2")}
    assert ways(RoadSpec(FourWay(60.0), 2, 2)) == expected


def test_at_a_t_junction_the_leftmost_lane_turns_left_and_the_others_right() -> None:
    from_south = {way for way in ways(RoadSpec(TJunction(60.0), 3, 1)) if way[0].startswith("south")}
    assert from_south == {("south:0:1", "west:0:-1"), ("south:0:2", "east:0:-2"), ("south:0:3", "east:0:-3")}
    single = {way for way in ways(RoadSpec(TJunction(60.0), 1, 1)) if way[0].startswith("south")}
    assert single == {("south:0:1", "west:0:-1"), ("south:0:1", "east:0:-1")}


def test_nobody_drives_into_a_one_way_road_the_wrong_way() -> None:
    assert ways(RoadSpec(FourWay(60.0), 1, 0)) == {
        ("west:0:1", "east:0:-1"),
        ("west:0:1", "north:0:-1"),
        ("south:0:1", "north:0:-1"),
        ("south:0:1", "east:0:-1"),
    }


@every_spec
def test_every_turn_is_found_as_a_route(spec: RoadSpec) -> None:
    turns = ways(spec)
    assert turns
    for source, target in turns:
        route = graph(spec).route(source, target)
        assert route is not None and len(route) == 3


@every_spec
def test_every_entering_lane_leads_on_and_the_ego_s_lanes_lead_straight_on(spec: RoadSpec) -> None:
    sources = {source for source, _ in ways(spec)}
    entering = {x.id for x in made(spec).hdmap.lane_segments if not x.is_intersection and graph(spec).successors(x.id)}
    assert sources == entering
    for number in range(1, spec.lanes + 1):
        assert (f"west:0:{number}", f"east:0:{-number}") in ways(spec)


@every_spec
def test_every_turn_is_driven_smoothly(spec: RoadSpec) -> None:
    for source, target in ways(spec):
        lanes = graph(spec)
        turn = {(1, 0): "left", (-1, 0): "right"}.get(_side(spec, source, target), "straight")
        path = lane_path(lanes, source, lanes[source].centre.length_m - 15.0, 70.0, 0.0, turn)  # type: ignore[arg-type]
        assert path.lanes[2].id == target
        curvature = path.curvatures(np.linspace(path.first_m + 1, path.last_m - 1, 400))
        assert np.abs(curvature).max() < 1 / 6, (source, target)


def _side(spec: RoadSpec, source: str, target: str) -> tuple[int, int]:
    """(1, 0) for a left turn, (-1, 0) for a right one, (0, 0) for neither."""
    before, after = (np.diff(graph(spec)[x].centre.points_m[-2:, :2], axis=0)[0] for x in (source, target))
    return round(float(before[0] * after[1] - before[1] * after[0])), 0


def test_lanes_stay_neighbours_within_the_junction() -> None:
    lanes = graph(RoadSpec(FourWay(60.0), 2, 1))
    middle = lanes["west-east:0:-1"]
    assert (middle.left_neighbour, middle.right_neighbour) == ("west-east:0:1", "west-east:0:-2")


# -- kerbs ------------------------------------------------------------------------------------------


@every_spec
def test_one_kerb_runs_around_every_corner_without_a_sharp_one(spec: RoadSpec) -> None:
    corners = 4 if isinstance(spec.layout, FourWay) else 3
    assert len(made(spec).hdmap.road_boundaries) == corners
    for boundary in made(spec).hdmap.road_boundaries:
        points = shapely.get_coordinates(shapely.LineString(boundary.polyline.points_m[:, :2]).simplify(0.02))[1:-1]
        heading = np.unwrap(np.arctan2(*np.diff(points, axis=0).T[::-1]))
        assert np.abs(np.diff(heading)).max(initial=0.0) < math.radians(25), boundary.id


# -- paint ------------------------------------------------------------------------------------------


def test_crosswalks_reach_from_kerb_to_kerb_between_the_stop_line_and_the_junction() -> None:
    hdmap = made(RoadSpec(FourWay(60.0), 2, 1)).hdmap
    west = next(c for c in hdmap.crosswalks if "west" in c.id or c.polyline.points_m[:, 0].max() < -9)
    x, y = west.polyline.points_m[:, 0], west.polyline.points_m[:, 1]
    mouth_m = -(3.5 + 9.0)
    assert sorted(set(np.round(x, 9))) == pytest.approx([mouth_m - 4.0, mouth_m - 1.0])
    assert (y.min(), y.max()) == pytest.approx((-7.3, 3.8))
    stop = next(s for s in hdmap.stop_lines if s.polyline.points_m[:, 0].max() < -12)
    assert stop.polyline.points_m[:, 0] == pytest.approx(mouth_m - 5.0)
    assert sorted(stop.polyline.points_m[:, 1]) == pytest.approx([-7.0, 0.0])


def test_lane_lines_are_solid_before_the_stop_line() -> None:
    hdmap = made(RoadSpec(FourWay(60.0), 2, 1)).hdmap
    divider = [x for x in hdmap.lane_lines if np.allclose(x.polyline.points_m[:, 1], -3.5)]
    west = {x.style: sorted(x.polyline.points_m[[0, -1], 0]) for x in divider if x.polyline.points_m[0, 0] < 0}
    assert west["SOLID_SINGLE"] == pytest.approx([-12.5 - 5 - 25, -12.5 - 5])
    assert west["LONG_DASHED_SINGLE"] == pytest.approx([-12.5 - 60, -12.5 - 5 - 25])


def test_arrows_say_where_a_lane_leads() -> None:
    def arrows(spec: RoadSpec) -> dict[str, set[str]]:
        lanes, found = graph(spec), {}
        for marking in made(spec).hdmap.road_markings:
            place = lanes.nearest_lane(marking.polyline.points_m.mean(axis=0))
            assert place is not None
            found.setdefault(place.lane.id, set()).add(marking.category)
        return found

    four = arrows(RoadSpec(FourWay(60.0), 2, 2))
    assert (four["west:0:1"], four["west:0:2"]) == ({"arrow left straight"}, {"arrow straight right"})
    tee = arrows(RoadSpec(TJunction(60.0), 2, 1))
    assert (tee["south:0:1"], tee["south:0:2"]) == ({"arrow left"}, {"arrow right"})
    assert (tee["west:0:1"], tee["west:0:2"]) == ({"arrow straight"}, {"arrow straight right"})
    assert (tee["east:0:1"]) == {"arrow left straight"}


def test_an_arrow_to_the_right_is_the_mirror_image_of_one_to_the_left() -> None:
    left, right = (shapely.Polygon(arrow_outline([move])) for move in ("left", "right"))
    flipped = shapely.Polygon([(u, -v) for u, v in arrow_outline(["left"])])
    assert left.is_valid and shapely.symmetric_difference(right, flipped).area < 1e-9
    assert shapely.get_coordinates(left)[:, 1].max() == 1.25


# -- lights and signs -------------------------------------------------------------------------------


@pytest.mark.parametrize("left_hand", [False, True])
def test_lights_stand_upright_at_5_m_beside_the_road_and_face_their_traffic(left_hand: bool) -> None:
    hdmap = made(RoadSpec(FourWay(60.0), 2, 1, left_hand=left_hand)).hdmap
    lights = {light.id: light for light in hdmap.traffic_lights}
    side = 1 if left_hand else -1
    near, far = lights["light:west"].world_from_box, lights["light:west:far"].world_from_box
    assert near.translation_m == pytest.approx([-12.5 - 0.6, side * (7.0 + 0.3 + 0.8), 5.0])
    assert far.translation_m == pytest.approx([7.0 + 9.0 + 0.6, side * (7.0 + 0.3 + 0.8), 5.0])
    for pose in (near, far):
        assert pose.rotation[:, 0] == pytest.approx([-1.0, 0.0, 0.0], abs=1e-12)
        assert pose.rotation[:, 2] == pytest.approx([0.0, 0.0, 1.0], abs=1e-12)
    masts = np.array([pole.polyline.points_m[0, :2] for pole in hdmap.poles])
    for light in lights.values():
        assert np.linalg.norm(masts - light.world_from_box.translation_m[:2], axis=1).min() < 0.3


def test_opposite_approaches_are_one_group_and_the_ego_s_comes_first() -> None:
    four = made(RoadSpec(FourWay(60.0), 2, 1))
    assert four.light_groups == (
        ("light:west", "light:west:far", "light:east", "light:east:far"),
        ("light:south", "light:south:far", "light:north", "light:north:far"),
    )
    assert made(RoadSpec(TJunction(60.0, lights=True), 1, 1)).light_groups == (
        ("light:west", "light:west:far", "light:east", "light:east:far"),
        ("light:south",),
    )
    assert [group.signals for group in four.network.signal_groups] == list(four.light_groups)


@every_spec
def test_every_light_is_in_one_group_and_has_states(spec: RoadSpec) -> None:
    road = made(spec)
    lights = sorted(light.id for light in road.hdmap.traffic_lights)
    assert sorted(itertools.chain(*road.light_groups)) == lights
    states = road.light_states(1_000_000)
    assert sorted(states) == lights
    assert {states[light].states[0] for group in road.light_groups[:1] for light in group} <= {LightState.GREEN}


def test_without_lights_only_the_minor_road_stops() -> None:
    for layout in (TJunction(60.0), FourWay(60.0, lights=False)):
        road = made(RoadSpec(layout, 1, 1))
        assert not road.hdmap.traffic_lights and not road.light_groups
        stops = [s.world_from_box.translation_m for s in road.hdmap.traffic_signs if s.category == "206"]
        lines = [s.polyline.points_m.mean(axis=0) for s in road.hdmap.stop_lines]
        assert len(stops) == len(lines) == (1 if isinstance(layout, TJunction) else 2)
        assert all(abs(y) > 10 and abs(x) < 6 for x, y, _ in [*stops, *lines])


def test_parking_ends_before_the_stop_line() -> None:
    hdmap = made(RoadSpec(FourWay(60.0), 2, 1, parking=True)).hdmap
    bays = [m for m in hdmap.road_markings if m.category == "parking bay"]
    assert bays and all(abs(m.polyline.points_m[:, 0]).min() > 12.5 + 5 + 8 for m in bays)
    assert all(m.polyline.points_m[:, 1].max() < -7.0 for m in bays)
