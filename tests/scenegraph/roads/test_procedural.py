"""Made roads: laws that hold for every layout, and what each of the open ones looks like."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
import shapely

from scenegraph import HDMap, LaneGraph, MapError
from scenegraph.arrays import FloatArray
from scenegraph.roads.connections import LaneKey, drives_along_s, lane_connections
from scenegraph.roads.cross_section import SectionShape
from scenegraph.roads.mirroring import mirrored_network
from scenegraph.roads.network import Arc, Line, PlanShape, Road, RoadNetwork, Spiral
from scenegraph.roads.plan_pieces import PlanPose, shift, turn
from scenegraph.roads.procedural import MadeRoad, made_road
from scenegraph.roads.reference_line import Cubics, road_point
from scenegraph.roads.road_spec import (
    Curve,
    FourWay,
    Hill,
    Layout,
    Merge,
    RoadSpec,
    Roundabout,
    Straight,
    TJunction,
)

LAYOUTS: tuple[Layout, ...] = (
    Straight(120.0),
    Curve(300.0, 80.0, 70.0),
    Curve(200.0, 40.0, -90.0),
    Hill(200.0, -6.0),
    TJunction(60.0),
    TJunction(60.0, lights=True, crosswalks=False),
    FourWay(60.0),
    FourWay(60.0, lights=False, crosswalks=False),
    Merge(240.0, 100.0),
    Roundabout(18.0, 80.0),
    Roundabout(10.0, 80.0),
)
SPECS = [
    RoadSpec(layout, lanes, oncoming, sidewalks=lanes != 2)
    for layout, lanes, oncoming in itertools.product(LAYOUTS, (1, 2, 3), (0, 1, 2))
    if oncoming or not isinstance(layout, Roundabout)
]
WIDE = [
    RoadSpec(TJunction(60.0), 5, 5, 5.0),
    RoadSpec(FourWay(60.0), 5, 4, 2.4),
    RoadSpec(Roundabout(30.0, 120.0), 5, 5, 3.0),
    RoadSpec(Straight(80.0), 2, 1, parking=True),
    RoadSpec(FourWay(60.0), 2, 1, parking=True),
    RoadSpec(TJunction(60.0), 1, 1, parking=True, sidewalks=False),
]


def named(spec: RoadSpec) -> str:
    return f"{type(spec.layout).__name__}-{spec.lanes}-{spec.oncoming_lanes}"


every_spec = pytest.mark.parametrize("spec", SPECS + WIDE, ids=named)


@cache
def made(spec: RoadSpec) -> MadeRoad:
    return made_road(spec)


@cache
def graph(spec: RoadSpec) -> LaneGraph:
    return LaneGraph(made(spec).hdmap)


def lane_centre(road: Road, key: LaneKey, s_m: FloatArray) -> FloatArray:
    edge = SectionShape(road, key.section, Cubics(road.lane_offset)).edges_at(s_m)[key.lane]
    return road_point(road, s_m, (edge.inner_t_m + edge.outer_t_m) / 2)


def lane_end(network: RoadNetwork, key: LaneKey, leaving: bool) -> tuple[FloatArray, float]:
    """Exact place and heading where traffic leaves a lane, or comes to it."""
    road = next(road for road in network.roads if road.id == key.road)
    lane = next(lane for lane in road.sections[key.section].lanes if lane.id == key.lane)
    along = drives_along_s(road, lane)
    end_m, inward_m = (road.length_m, -1e-4) if along == leaving else (0.0, 1e-4)
    end, inner = lane_centre(road, key, np.array([end_m, end_m + inward_m]))
    step = end - inner if leaving else inner - end
    return end, math.atan2(step[1], step[0])


# -- laws -------------------------------------------------------------------------------------------


@every_spec
def test_every_lane_joins_its_successors_in_place_and_direction(spec: RoadSpec) -> None:
    network = made(spec).network
    for key, links in lane_connections(network).items():
        place, heading = lane_end(network, key, leaving=True)
        for following in links.successors:
            next_place, next_heading = lane_end(network, following, leaving=False)
            assert np.linalg.norm(place - next_place) < 1e-6, (key, following)
            assert abs(math.remainder(heading - next_heading, 2 * math.pi)) < 1e-4, (key, following)


@every_spec
def test_the_edges_of_a_segment_go_on_in_the_next_one(spec: RoadSpec) -> None:
    lanes = graph(spec)
    for lane in made(spec).hdmap.lane_segments:
        for following in lanes.successors(lane.id):
            assert np.abs(lane.left.points_m[-1] - following.left.points_m[0]).max() < 1e-6
            assert np.abs(lane.right.points_m[-1] - following.right.points_m[0]).max() < 1e-6


@every_spec
def test_neighbours_are_mutual(spec: RoadSpec) -> None:
    lanes = graph(spec)
    for lane in made(spec).hdmap.lane_segments:
        for neighbour in (lanes.left_neighbour(lane.id), lanes.right_neighbour(lane.id)):
            assert neighbour is None or lane.id in (neighbour.left_neighbour, neighbour.right_neighbour)


@every_spec
def test_every_lane_but_those_at_the_ends_has_a_way_in_and_out(spec: RoadSpec) -> None:
    lanes = graph(spec)
    inside = {lane.id for lane in made(spec).hdmap.lane_segments if lane.is_intersection or "ring" in lane.id}
    for lane_id in inside:
        assert lanes.predecessors(lane_id) and lanes.successors(lane_id)


@every_spec
def test_no_line_is_painted_within_a_junction(spec: RoadSpec) -> None:
    hdmap = made(spec).hdmap
    inside = [shapely.Polygon(lane.outline[:, :2]) for lane in hdmap.lane_segments if lane.is_intersection]
    inner = shapely.union_all([shapely.buffer(polygon, -0.05) for polygon in inside])
    for line in hdmap.lane_lines:
        assert shapely.intersection(shapely.LineString(line.polyline.points_m[:, :2]), inner).length < 1e-6, line.id


@every_spec
def test_boundaries_cross_no_lane_and_end_only_where_roads_end(spec: RoadSpec) -> None:
    hdmap, lanes = made(spec).hdmap, graph(spec)
    inner = shapely.union_all([shapely.Polygon(x.outline[:, :2]).buffer(-0.05) for x in hdmap.lane_segments])
    ends = [x.left.points_m[0] for x in hdmap.lane_segments if not lanes.predecessors(x.id)]
    ends += [x.right.points_m[0] for x in hdmap.lane_segments if not lanes.predecessors(x.id)]
    ends += [x.left.points_m[-1] for x in hdmap.lane_segments if not lanes.successors(x.id)]
    ends += [x.right.points_m[-1] for x in hdmap.lane_segments if not lanes.successors(x.id)]
    beyond_m = spec.margin_m + (2.2 if spec.parking else 0.0) + 0.1
    for boundary in hdmap.road_boundaries:
        points = boundary.polyline.points_m[:, :2]
        assert shapely.intersection(shapely.LineString(points), inner).length < 1e-6, boundary.id
        if boundary.category == "road_edge" and np.linalg.norm(points[0] - points[-1]) > 1e-6:
            for end in points[[0, -1]]:
                assert min(np.linalg.norm(end - place[:2]) for place in ends) < beyond_m, boundary.id


@every_spec
def test_whoever_leaves_a_lane_outside_of_junctions_sideways_meets_a_boundary(spec: RoadSpec) -> None:
    hdmap = made(spec).hdmap
    around = shapely.union_all([shapely.LineString(b.polyline.points_m[:, :2]) for b in hdmap.road_boundaries])
    for lane in (lane for lane in hdmap.lane_segments if not lane.is_intersection):
        points = lane.centre.points_m[:, :2]
        middles, steps = (points[:-1] + points[1:]) / 2, np.diff(points, axis=0)
        aside = 80.0 * np.stack([-steps[:, 1], steps[:, 0]], axis=1) / np.linalg.norm(steps, axis=1)[:, None]
        rays = [shapely.LineString([m, m + s * a]) for m, a in zip(middles, aside, strict=True) for s in (1, -1)]
        assert shapely.intersects(rays, around).all(), lane.id


@pytest.mark.parametrize("spec", [s for s in SPECS + WIDE if not isinstance(s.layout, Curve)], ids=named)
def test_left_hand_traffic_is_the_mirror_image(spec: RoadSpec) -> None:
    right, left = made(spec), made(RoadSpec(**{**vars(spec), "left_hand": True}))
    flip = np.array([1.0, -1.0, 1.0])
    twins = {lane.id: lane for lane in left.hdmap.lane_segments}
    assert len(twins) == len(right.hdmap.lane_segments)
    for lane in right.hdmap.lane_segments:
        twin = twins[_opposite(lane.id)]
        assert np.allclose(twin.left.points_m * flip, lane.right.points_m, rtol=0, atol=1e-9)
        assert np.allclose(twin.right.points_m * flip, lane.left.points_m, rtol=0, atol=1e-9)
        assert set(twin.successors) == {_opposite(other) for other in lane.successors}
        assert (twin.left_neighbour or "") == _opposite(lane.right_neighbour or "")
    assert left.ego_lanes == tuple(tuple(map(_opposite, lanes)) for lanes in right.ego_lanes)
    for layer in ("lane_lines", "road_boundaries", "crosswalks", "stop_lines", "road_markings"):
        one, other = (_drawing(getattr(x.hdmap, layer), f) for x, f in ((right, flip), (left, np.ones(3))))
        # Outlines are simplified by up to 5 mm, beginning wherever the union of the pavement begins.
        tolerance_m = 5e-3 if layer == "road_boundaries" else 1e-9
        assert (one.is_empty and other.is_empty) or shapely.hausdorff_distance(one, other) <= tolerance_m, layer
    for light, twin_light in zip(right.hdmap.traffic_lights, left.hdmap.traffic_lights, strict=True):
        assert np.allclose(light.world_from_box.translation_m * flip, twin_light.world_from_box.translation_m)


def _opposite(lane_id: str) -> str:
    if not lane_id:
        return ""
    road, section, lane = lane_id.split(":")
    return f"{road}:{section}:{-int(lane)}"


def _drawing(elements: tuple[object, ...], flip: FloatArray) -> shapely.Geometry:
    return shapely.union_all([shapely.LineString((e.polyline.points_m * flip)[:, :2]) for e in elements])  # type: ignore[attr-defined]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: type(layout).__name__)
def test_the_same_spec_makes_the_same_bytes(layout: Layout) -> None:
    one, other = (made_road(RoadSpec(layout, 2, 1)) for _ in range(2))
    assert repr(one.network) == repr(other.network)
    assert _bytes(one.hdmap) == _bytes(other.hdmap)


def _bytes(hdmap: HDMap) -> bytes:
    parts = []
    for _, elements in hdmap.layers():
        for element in elements:
            for value in vars(element).values():
                points = getattr(value, "points_m", getattr(value, "matrix", None))
                parts.append(repr(value).encode() if points is None else points.tobytes())
    return b"".join(parts)


def test_a_network_mirrored_twice_is_itself() -> None:
    network = made(RoadSpec(Roundabout(), 2, 1)).network
    assert mirrored_network(mirrored_network(network)) == network


# -- places on the ego's road -----------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS, ids=named)
def test_lanes_are_counted_from_the_right_edge_of_the_ego_s_road(spec: RoadSpec) -> None:
    road, lanes = made(spec), graph(spec)
    places = []
    for number in range(spec.lanes):
        lane_id, station_m = road.start(number, 3.0)
        places.append(lanes[lane_id].centre.at(station_m))
    heading = lanes[road.ego_lanes[0][0]].centre.points_m[1] - lanes[road.ego_lanes[0][0]].centre.points_m[0]
    assert heading[0] > 0.9
    assert np.allclose(np.diff([place[1] for place in places]), spec.lane_width_m)
    assert lanes.right_neighbour(road.start(0, 3.0)[0]) is None


def test_a_start_further_on_lies_on_a_later_segment() -> None:
    spec = RoadSpec(Merge(240.0, 100.0), 2, 1)
    lane_id, station_m = made(spec).start(1, 100.0)
    assert graph(spec)[lane_id].centre.at(station_m) == pytest.approx([100.0, -1.75, 0.0])
    assert lane_id == "main-2:0:-1"


def test_a_start_off_the_road_is_refused() -> None:
    road = made(RoadSpec(FourWay(60.0), 2, 1))
    with pytest.raises(MapError, match=r"^the ego's road has lanes 0 to 1, there is no lane 2$"):
        road.start(2, 10.0)
    with pytest.raises(MapError, match=r"^the ego's road is 60 m long, it has no place at 61 m$"):
        road.start(0, 61.0)


# -- what makes no sense ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"lanes": 0},
            "road: 0 lanes and 1 oncoming lanes. Give at least 1 lane and no fewer than 0 oncoming lanes",
        ),
        ({"lane_width_m": 0.0}, "road: lane_width_m 0, speed_limit_mps 13.9. Both must be above 0"),
        (
            {"layout": Curve(100.0, 60.0, 90.0)},
            "curve: 90 degrees with radius_m 60 need 136 m, and length_m is 100. Use 156 m or more",
        ),
        (
            {"layout": Curve(400.0, 20.0, -90.0), "lanes": 5, "lane_width_m": 5.0},
            "curve: radius_m 20 is too tight for the lanes on its inner side. Use 28 m or more",
        ),
        (
            {"layout": Hill(100.0, 60.0)},
            "hill: 60 m within length_m 100 is a slope of 225 %, and 25 % is the most. Use a length of 900 m or more",
        ),
        (
            {"layout": Merge(200.0, 150.0)},
            "merge: an acceleration lane of lane_m 150 does not fit into length_m 200. Use a length of 270 m or more",
        ),
        (
            {"layout": Merge(), "parking": True},
            "merge: nobody parks beside an acceleration lane. Set parking to false",
        ),
        (
            {"layout": Roundabout(), "oncoming_lanes": 0},
            "roundabout: its arms are driven both ways. Set oncoming_lanes to 1 or more",
        ),
        (
            {"layout": Roundabout(18.0, 40.0), "lanes": 3},
            "roundabout: arm_m 40 is too short to narrow 3 lanes to one. Use 54 m or more",
        ),
        (
            {"layout": Roundabout(4.0)},
            "roundabout: radius_m 4 is too small for lanes of 3.5 m. Use a larger radius or narrower lanes",
        ),
        ({"layout": Roundabout(), "parking": True}, "roundabout: its arms have no parking lanes. Set parking to false"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(spec: dict[str, object], sentence: str) -> None:
    with pytest.raises(MapError) as caught:
        made_road(RoadSpec(**spec))  # type: ignore[arg-type]
    assert str(caught.value) == sentence


# -- plan -------------------------------------------------------------------------------------------


def curvatures(shape: PlanShape) -> tuple[float, float]:
    if isinstance(shape, Arc):
        return shape.curvature, shape.curvature
    assert isinstance(shape, Spiral | Line)
    return (0.0, 0.0) if isinstance(shape, Line) else (shape.start_curvature, shape.end_curvature)


@pytest.mark.parametrize("end", [PlanPose(20.0, 12.0, math.pi / 2), PlanPose(9.0, -14.0, -1.2), PlanPose(30, 5, 0.4)])
def test_a_turn_reaches_its_end_with_continuous_curvature(end: PlanPose) -> None:
    plan = turn(PlanPose(0.0, 0.0, 0.0), end)
    ahead, left, turned = end.seen(plan.end)
    assert max(abs(ahead), abs(left), abs(turned)) < 1e-9
    ends = [curvatures(piece.shape) for piece in plan.pieces]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ends))
    assert ends[0][0] == ends[-1][1] == 0.0


def test_a_shift_ends_beside_its_start_with_the_same_heading() -> None:
    plan = shift(PlanPose(1.0, 2.0, math.pi / 2), 30.0, 3.5)
    assert (plan.end.x_m, plan.end.y_m, plan.end.heading_rad) == pytest.approx((-2.5, 32.0, math.pi / 2))
    assert plan.length_m > math.hypot(30.0, 3.5)


@pytest.mark.parametrize("left_hand", [False, True])
@pytest.mark.parametrize("angle_deg", [60.0, -60.0])
def test_a_curve_bends_to_the_side_that_was_asked_for(left_hand: bool, angle_deg: float) -> None:
    road = made(RoadSpec(Curve(300.0, 80.0, angle_deg), left_hand=left_hand)).network.roads[0]
    start, end = road_point(road, np.array([0.0, road.length_m]))
    before_end = road_point(road, np.array(road.length_m - 1.0))
    heading = math.degrees(math.atan2(*(end - before_end)[[1, 0]]))
    assert start == pytest.approx([0.0, 0.0, 0.0])
    assert heading == pytest.approx(angle_deg)
    assert road.length_m == pytest.approx(300.0)


def test_a_curve_begins_and_ends_with_clothoids_and_keeps_its_radius_in_between() -> None:
    road = made(RoadSpec(Curve(300.0, 80.0, 60.0))).network.roads[0]
    ends = [curvatures(piece.shape) for piece in road.plan]
    assert ends == [(0, 0), (0, 1 / 80), (1 / 80, 1 / 80), (1 / 80, 0), (0, 0)]


def test_a_hill_is_as_high_as_asked_for_and_has_no_kink() -> None:
    road = made(RoadSpec(Hill(500.0, 12.0))).network.roads[0]
    s = np.linspace(0.0, 500.0, 5001)
    height, slope = Cubics(road.elevation).at(s), Cubics(road.elevation).slope_at(s)
    assert (height[0], height.max(), height[-1]) == pytest.approx((0.0, 12.0, 0.0))
    assert s[np.argmax(height)] == pytest.approx(250.0)
    assert np.abs(np.diff(slope)).max() < 3e-4
    assert slope[0] == slope[-1] == 0.0
    lane = made(RoadSpec(Hill(500.0, 12.0))).hdmap.lane_segments[0]
    assert lane.centre.points_m[:, 2].max() == pytest.approx(12.0, abs=0.01)


# -- paint and what stands beside the road ----------------------------------------------------------


@pytest.mark.parametrize(
    ("lanes", "oncoming", "colour", "expected"),
    [
        (1, 1, "yellow", ("YELLOW", "LONG_DASHED_SINGLE")),
        (2, 1, "yellow", ("YELLOW", "SOLID_GROUP")),
        (2, 2, "white", ("WHITE", "SOLID_GROUP")),
        (2, 0, "white", ("WHITE", "SOLID_SINGLE")),
    ],
)
def test_the_centre_line_follows_the_number_of_lanes(
    lanes: int, oncoming: int, colour: str, expected: tuple[str, str]
) -> None:
    road = made(RoadSpec(Straight(60.0), lanes, oncoming, centre_colour=colour))  # type: ignore[arg-type]
    lane = next(lane for lane in road.hdmap.lane_segments if lane.id == "main:0:-1")
    assert lane.left_mark == expected
    assert lane.right_mark == ("WHITE", "SOLID_SINGLE" if lanes == 1 else "LONG_DASHED_SINGLE")


def test_lamps_stand_every_35_m_beside_the_pavement() -> None:
    hdmap = made(RoadSpec(Straight(120.0), 2, 1, parking=True)).hdmap
    lamps = np.array([p.polyline.points_m[0] for p in hdmap.poles if np.ptp(p.polyline.points_m[:, 2]) == 8.0])
    right = lamps[lamps[:, 1] < 0]
    assert np.allclose(np.diff(right[:, 0]), 35.0)
    assert right[:, 1] == pytest.approx(-(2 * 3.5 + 2.2 + 0.3 + 0.8))
    assert lamps[lamps[:, 1] > 0, 1] == pytest.approx(3.5 + 0.3 + 0.8)


def test_a_parking_lane_lies_beyond_the_edge_line_and_has_bays() -> None:
    plain, parking = (made(RoadSpec(Straight(60.0), 1, 1, parking=flag)).hdmap for flag in (False, True))
    edge = min(b.polyline.points_m[:, 1].min() for b in parking.road_boundaries)
    assert edge == pytest.approx(-3.5 - 2.2 - 0.3, abs=1e-6)
    assert not plain.road_markings
    assert {m.category for m in parking.road_markings} == {"parking bay"}
    assert parking.lane_segments[-1].right_mark == ("WHITE", "SOLID_SINGLE")


def test_the_speed_limit_is_on_the_lanes_and_on_a_sign() -> None:
    road = made(RoadSpec(Straight(60.0), speed_limit_mps=8.3))
    assert {lane.speed_limit_mps for lane in road.hdmap.lane_segments} == {8.3}
    assert [sign.category for sign in road.hdmap.traffic_signs] == ["274"]


# -- merge ------------------------------------------------------------------------------------------


def test_the_slip_road_leads_over_its_lane_and_taper_to_the_rightmost_lane() -> None:
    spec = RoadSpec(Merge(240.0, 100.0), 2, 1)
    route = graph(spec).route("slip:0:-1", "main-4:0:-2")
    assert route is not None
    assert [lane.id for lane in route] == ["slip:0:-1", "main-2:0:-3", "taper:0:-1", "main-4:0:-2"]
    assert graph(spec).left_neighbour("main-2:0:-3") == graph(spec)["main-2:0:-2"]


def test_the_line_beside_the_acceleration_lane_is_solid_first_then_broken() -> None:
    hdmap = made(RoadSpec(Merge(240.0, 100.0), 1, 1)).hdmap
    beside = [x for x in hdmap.lane_lines if np.allclose(x.polyline.points_m[:, 1], -3.5)]
    spans = {x.style: (x.polyline.points_m[0, 0], x.polyline.points_m[-1, 0]) for x in beside}
    # The nose lies at 60 m, the line stays solid for 25 m, the lane ends 100 m after the nose.
    assert spans["SHORT_DASHED_SINGLE"] == pytest.approx((85.0, 160.0))
    assert any(x.style == "SOLID_SINGLE" and x.polyline.points_m[-1, 0] == pytest.approx(85.0) for x in beside)


@pytest.mark.parametrize("spec", [s for s in SPECS + WIDE if isinstance(s.layout, Merge | FourWay)], ids=named)
def test_nothing_stands_on_the_road(spec: RoadSpec) -> None:
    hdmap = made(spec).hdmap
    paved = shapely.union_all([shapely.Polygon(x.outline[:, :2]).buffer(0.25) for x in hdmap.lane_segments])
    feet = [shapely.Point(pole.polyline.points_m[0, :2]) for pole in hdmap.poles]
    assert not shapely.intersects(feet, paved).any()
