"""From road networks to maps: lanes in driving direction, paint, kerbs, what stands beside the road."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from scenegraph import HDMap, LaneGraph, LaneSegment, MapError
from scenegraph.roads.connections import LaneKey, lane_connections
from scenegraph.roads.furniture import LightGroup, light_groups
from scenegraph.roads.network import (
    Connection,
    Cubic,
    Junction,
    LaneHeight,
    LaneSection,
    Line,
    OutlineCorner,
    PlanGeometry,
    Road,
    RoadLane,
    RoadLink,
    RoadMark,
    RoadNetwork,
    RoadObject,
    Signal,
    SignalGroup,
)
from scenegraph.roads.road_paint import paint_of
from scenegraph.roads.surface import build_hdmap


def lane(number: int, width_m: float = 3.5, kind: str = "driving", marks: tuple[RoadMark, ...] = ()) -> RoadLane:
    return RoadLane(number, kind, (Cubic(0.0, width_m),), marks=marks)


TWO_WAY = (lane(1), RoadLane(0, "none", marks=(RoadMark(0.0, "broken", "yellow"),)), lane(-1))


def road(
    name: str = "1",
    lanes: tuple[RoadLane, ...] = TWO_WAY,
    start: tuple[float, float] = (0.0, 0.0),
    heading_rad: float = 0.0,
    length_m: float = 50.0,
    sections: tuple[LaneSection, ...] | None = None,
) -> Road:
    plan = (PlanGeometry(0.0, *start, heading_rad, length_m, Line()),)
    return Road(name, length_m, plan, sections or (LaneSection(0.0, lanes),))


def hdmap(*roads: Road, junctions: tuple[Junction, ...] = ()) -> HDMap:
    return build_hdmap(RoadNetwork(roads, junctions))


def segments(found: HDMap) -> dict[str, LaneSegment]:
    return {segment.id: segment for segment in found.lane_segments}


def ys(segment: LaneSegment) -> tuple[float, float]:
    return float(segment.left.points_m[0, 1]), float(segment.right.points_m[0, 1])


def heads_east(segment: LaneSegment) -> bool:
    return bool(segment.left.points_m[-1, 0] > segment.left.points_m[0, 0])


# -- lanes ------------------------------------------------------------------------------------------


def test_on_the_right_hand_side_negative_lanes_run_along_s() -> None:
    lanes = segments(hdmap(road()))
    assert (heads_east(lanes["1:0:-1"]), heads_east(lanes["1:0:1"])) == (True, False)
    assert ys(lanes["1:0:-1"]) == (0.0, -3.5)
    assert ys(lanes["1:0:1"]) == (0.0, 3.5)


def test_on_the_left_hand_side_positive_lanes_run_along_s() -> None:
    lanes = segments(hdmap(replace(road(), left_hand=True)))
    assert (heads_east(lanes["1:0:-1"]), heads_east(lanes["1:0:1"])) == (False, True)
    assert ys(lanes["1:0:1"]) == (3.5, 0.0)
    assert ys(lanes["1:0:-1"]) == (-3.5, 0.0)


def test_a_reversed_lane_runs_the_other_way() -> None:
    lanes = segments(hdmap(road(lanes=(replace(lane(-1), is_reversed=True),))))
    assert not heads_east(lanes["1:0:-1"])
    assert ys(lanes["1:0:-1"]) == (-3.5, 0.0)


def test_marks_are_on_the_edge_they_are_painted_on_and_turn_with_the_lane() -> None:
    both = RoadMark(0.0, "solid broken", "yellow")
    lanes = (
        lane(1, marks=(RoadMark(0.0, "solid"),)),
        RoadLane(0, "none", marks=(both,)),
        lane(-1, marks=(RoadMark(0.0, "broken"),)),
        lane(-2, marks=(RoadMark(0.0, "curb"),)),
    )
    found = segments(hdmap(road(lanes=lanes)))
    # Along s the solid line is left; ClipGT calls dashed-right-solid-left DASHED_SOLID.
    assert found["1:0:-1"].left_mark == ("YELLOW", "DASHED_SOLID")
    assert found["1:0:1"].left_mark == ("YELLOW", "SOLID_DASHED")
    assert (found["1:0:-1"].right_mark, found["1:0:-2"].left_mark) == (("WHITE", "LONG_DASHED_SINGLE"),) * 2
    assert found["1:0:1"].right_mark == ("WHITE", "SOLID_SINGLE")
    assert found["1:0:-2"].right_mark is None


def test_neighbours_are_the_lanes_beside_in_driving_direction() -> None:
    lanes = (lane(1), lane(-1), lane(-2), lane(-3, 2.0, "shoulder"))
    found = segments(hdmap(road(lanes=lanes)))
    assert {key: (s.left_neighbour, s.right_neighbour) for key, s in found.items()} == {
        "1:0:1": ("1:0:-1", None),
        "1:0:-1": ("1:0:1", "1:0:-2"),
        "1:0:-2": ("1:0:-1", None),
    }


def test_lane_types_and_speed_limits_are_kept() -> None:
    lanes = (lane(1, kind="bus"), replace(lane(-1), speed_limit_mps=13.9), lane(-2, 1.5, "biking"), lane(-3, 2, "none"))
    found = segments(hdmap(road(lanes=lanes)))
    assert {key: s.lane_type for key, s in found.items()} == {"1:0:1": "BUS", "1:0:-1": "VEHICLE", "1:0:-2": "BIKE"}
    assert (found["1:0:-1"].speed_limit_mps, found["1:0:1"].speed_limit_mps) == (13.9, None)


def test_a_lane_that_vanishes_in_between_becomes_two_parts() -> None:
    bay = (Cubic(0, 3.0), Cubic(10, 3.0, -1.0), Cubic(13, 0.0), Cubic(30, 0.0, 1.0), Cubic(33, 3.0))
    found = segments(hdmap(road(lanes=(lane(-1), RoadLane(-2, "driving", bay, predecessor=-2, successor=-2)))))
    assert sorted(found) == ["1:0:-1", "1:0:-2.a", "1:0:-2.b"]
    spans = {key: (s.left.points_m[0, 0], s.left.points_m[-1, 0]) for key, s in found.items()}
    assert spans["1:0:-2.a"] == pytest.approx((0.0, 13.0))
    assert spans["1:0:-2.b"] == pytest.approx((30.0, 50.0))
    assert found["1:0:-2.b"].left_neighbour == "1:0:-1"


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(MapError, match=r"^build_hdmap: the step must be above 0 m, got 0$"):
        build_hdmap(RoadNetwork((road(),)), step_m=0)


# -- connections ------------------------------------------------------------------------------------


def linked(one: RoadLane, **links: int) -> RoadLane:
    return replace(one, **links)


def test_sections_and_roads_follow_each_other_in_driving_direction() -> None:
    first = road("1", sections=(
        LaneSection(0.0, (linked(lane(1), successor=1), linked(lane(-1), successor=-2))),
        LaneSection(20.0, (linked(lane(1), predecessor=1), lane(-1), linked(lane(-2), predecessor=-1))),
    ))  # fmt: skip
    # The second road runs the other way, end to end: its lane 2 goes on where lane -2 ends.
    second = road("2", (lane(2), lane(1), linked(lane(-1), successor=1)), (90.0, 0.0), math.pi, 40.0)
    second = replace(second, successor=RoadLink("road", "1", "end"))
    first = replace(first, successor=RoadLink("road", "2", "end"))
    first = replace(first, sections=(first.sections[0], replace(first.sections[1], lanes=(
        *first.sections[1].lanes[:2], linked(first.sections[1].lanes[2], successor=2),
    ))))  # fmt: skip
    found = {key: links.successors for key, links in lane_connections(RoadNetwork((first, second))).items()}
    assert found[LaneKey("1", 0, -1)] == (LaneKey("1", 1, -2),)
    assert found[LaneKey("1", 1, -2)] == (LaneKey("2", 0, 2),)
    assert found[LaneKey("1", 1, 1)] == (LaneKey("1", 0, 1),)
    assert found[LaneKey("2", 0, -1)] == (LaneKey("1", 1, 1),)
    assert found[LaneKey("2", 0, 2)] == found[LaneKey("1", 0, 1)] == ()


def junction_of_three() -> RoadNetwork:
    """Roads w and e meet road m in a junction at x 50 to 70, m being the way through, s a way that ends there."""
    inside = replace(road("m", (lane(-1),), (50.0, 0.0), 0.0, 20.0), junction="J")
    west = replace(road("w"), successor=RoadLink("junction", "J"))
    east = replace(road("e", start=(70.0, 0.0)), predecessor=RoadLink("junction", "J"))
    inside = replace(
        inside,
        predecessor=RoadLink("road", "w", "end"),
        successor=RoadLink("road", "e", "start"),
        sections=(LaneSection(0.0, (linked(lane(-1), predecessor=-1, successor=-1),)),),
    )
    junction = Junction("J", (Connection("w", "m", "start", ((-1, -1),)),))
    return RoadNetwork((west, east, inside), (junction,))


def test_a_route_leads_through_a_junction() -> None:
    found = build_hdmap(junction_of_three())
    route = LaneGraph(found).route("w:0:-1", "e:0:-1")
    assert route is not None
    assert [segment.id for segment in route] == ["w:0:-1", "m:0:-1", "e:0:-1"]
    assert [segment.is_intersection for segment in route] == [False, True, False]
    assert segments(found)["m:0:-1"].predecessors == ("w:0:-1",)


def test_a_junction_that_leads_nowhere_is_refused() -> None:
    network = replace(junction_of_three(), junctions=(Junction("J", (Connection("w", "x", "start", ((-1, -1),)),)),))
    message = r"^junction J: there is no road 'x'\. Its connections need roads of the map$"
    with pytest.raises(MapError, match=message):
        build_hdmap(network)


# -- paint ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "lane_id", "paint"),
    [
        (RoadMark(0, "solid"), -1, ("WHITE", "SOLID_SINGLE")),
        (RoadMark(0, "broken", "yellow"), 0, ("YELLOW", "LONG_DASHED_SINGLE")),
        (RoadMark(0, "broken", dash_m=1.5, gap_m=1.5), -1, ("WHITE", "SHORT_DASHED_SINGLE")),
        (RoadMark(0, "broken", dash_m=3.0, gap_m=6.0), -1, ("WHITE", "LONG_DASHED_SINGLE")),
        (RoadMark(0, "solid solid", "yellow"), 0, ("YELLOW", "SOLID_GROUP")),
        (RoadMark(0, "broken broken"), 0, ("WHITE", "LONG_DASHED_SINGLE")),
        (RoadMark(0, "solid broken"), 0, ("WHITE", "SOLID_GROUP")),
        (RoadMark(0, "solid broken", "yellow"), -1, ("YELLOW", "DASHED_SOLID")),
        (RoadMark(0, "solid broken", "yellow"), 1, ("YELLOW", "SOLID_DASHED")),
        (RoadMark(0, "broken solid", "yellow"), 0, ("YELLOW", "SOLID_DASHED")),
        (RoadMark(0, "botts dots"), -1, ("WHITE", "DOT_DASHED_SINGLE")),
        (RoadMark(0, "botts dots", "yellow"), 0, ("YELLOW", "DOT_SOLID_SINGLE")),
        (RoadMark(0, "solid", "blue"), -1, ("BLUE", "SOLID_SINGLE")),
        (RoadMark(0, "curb"), -1, None),
        (RoadMark(0, "none"), -1, None),
        (RoadMark(0, "grass"), -1, None),
    ],
)
def test_every_road_mark_has_its_word(mark: RoadMark, lane_id: int, paint: tuple[str, str] | None) -> None:
    assert paint_of(mark, lane_id) == paint


def test_marks_begin_where_they_should_and_lie_on_the_outer_edge() -> None:
    marks = (RoadMark(0.0, "solid"), RoadMark(12.3, "none"), RoadMark(31.0, "broken"))
    found = hdmap(road(lanes=(lane(-1, marks=marks),)))
    assert {line.id: line.style for line in found.lane_lines} == {
        "1:0:-1": "SOLID_SINGLE",
        "1:0:-1.2": "LONG_DASHED_SINGLE",
    }
    spans = [line.polyline.points_m[[0, -1], :2].tolist() for line in found.lane_lines]
    assert spans == [[[0.0, -3.5], [12.3, -3.5]], [[31.0, -3.5], [50.0, -3.5]]]


def test_a_line_goes_on_through_sections_as_one() -> None:
    middle = RoadLane(0, "none", marks=(RoadMark(0.0, "broken"),))
    found = hdmap(road(sections=(LaneSection(0.0, (middle, lane(-1))), LaneSection(17.0, (middle, lane(-1))))))
    assert [line.polyline.length_m for line in found.lane_lines] == pytest.approx([50.0])


def test_ways_through_a_junction_that_list_the_same_line_paint_it_once() -> None:
    there, back = road("1"), road("2", start=(50.0, 0.0), heading_rad=math.pi)
    assert len(hdmap(there, back).lane_lines) == 1


# -- kerbs ------------------------------------------------------------------------------------------


def boundaries(found: HDMap, category: str = "road_edge") -> list[shapely.LineString]:
    return [shapely.LineString(b.polyline.points_m) for b in found.road_boundaries if b.category == category]


def test_kerbs_lie_where_the_paved_lanes_end_and_not_across_the_road() -> None:
    lanes = (lane(2, 2.0, "sidewalk"), *TWO_WAY, lane(-2, 2.5, "shoulder"), lane(-3, 5.0, "none"))
    edges = sorted(boundaries(hdmap(road(lanes=lanes))), key=lambda line: line.centroid.y)
    assert [line.length for line in edges] == pytest.approx([50.0, 50.0], abs=0.15)
    assert [line.centroid.y for line in edges] == pytest.approx([-6.0, 3.5], abs=0.01)


def test_a_median_has_kerbs_on_both_sides() -> None:
    lanes = (lane(2), lane(1, 1.0, "median"), lane(-1, 1.0, "median"), lane(-2))
    edges = boundaries(hdmap(road(lanes=lanes)))
    assert sorted(line.centroid.y for line in edges) == pytest.approx([-4.5, -1.0, 1.0, 4.5], abs=0.01)


def test_a_raised_shoulder_ends_the_road_and_a_narrow_border_does_not() -> None:
    raised = replace(lane(-3, 2.0, "shoulder"), heights=(LaneHeight(0.0, 0.12, 0.12),))
    lanes = (lane(-1), lane(-2, 0.3, "border"), raised)
    edges = boundaries(hdmap(road(lanes=lanes)))
    assert min(line.centroid.y for line in edges) == pytest.approx(-3.8, abs=0.01)


def test_no_kerb_crosses_a_junction() -> None:
    """Two roads cross; what is paved is a plus sign, so there are four corners and four open ends."""
    across = replace(road("a", start=(-25.0, 0.0)), junction="J")
    along = replace(road("b", start=(0.0, -25.0), heading_rad=math.pi / 2), junction="J")
    edges = boundaries(hdmap(across, along))
    assert len(edges) == 4
    plus = shapely.union_all([shapely.box(-25, -3.5, 25, 3.5), shapely.box(-3.5, -25, 3.5, 25)])
    assert all(line.within(plus.boundary.buffer(0.02)) for line in edges)
    assert sum(line.length for line in edges) == pytest.approx(8 * 21.5, abs=0.5)


def test_a_bridge_keeps_its_kerbs_and_the_road_below_its_own() -> None:
    below = road("a", start=(-25.0, 0.0))
    above = replace(road("b", start=(0.0, -25.0), heading_rad=math.pi / 2), elevation=(Cubic(0.0, 6.0),))
    edges = boundaries(hdmap(below, above))
    assert [line.length for line in edges] == pytest.approx([50.0] * 4, abs=0.15)
    assert sorted({round(point[2], 6) for line in edges for point in line.coords}) == [0.0, 6.0]


def test_kerbs_follow_the_slope() -> None:
    hill = replace(road(), elevation=(Cubic(0.0, 1.0, 0.1),))
    for line in boundaries(hdmap(hill)):
        points = np.array(line.coords)
        assert points[:, 2] == pytest.approx(1.0 + 0.1 * points[:, 0], abs=1e-6)


def test_a_kerb_mark_within_the_road_is_a_boundary_of_its_own() -> None:
    lanes = (lane(-1, marks=(RoadMark(0.0, "curb"),)), lane(-2, 2.5, "parking", (RoadMark(0.0, "curb"),)))
    found = hdmap(road(lanes=lanes))
    assert [line.centroid.y for line in boundaries(found, "curb")] == pytest.approx([-3.5])
    assert len(boundaries(found)) == 2


def test_guard_rails_are_boundaries() -> None:
    rail = RoadObject("r", "railing", 10.0, 1.0, end=(30.0, 3.0))
    (line,) = boundaries(hdmap(replace(road(), objects=(rail,))), "guard_rail")
    assert (line.coords[0], line.coords[-1]) == ((10.0, 1.0, 0.0), (30.0, 3.0, 0.0))


# -- beside the road --------------------------------------------------------------------------------


def test_a_crosswalk_has_the_corners_of_its_outline_or_of_its_rectangle() -> None:
    on_road = tuple(OutlineCorner(s, t, is_on_road=True) for s, t in ((7, 3), (8, -3), (11, -3)))
    local = tuple(OutlineCorner(u, v) for u, v in ((-3, -2), (3, -2), (3, 2)))
    things = (
        RoadObject("a", "crosswalk", 1.0, 0.0, outline=on_road),
        RoadObject("b", "crosswalk", 20.0, 0.5, heading_rad=math.pi / 2, outline=local),
        RoadObject("c", "crosswalk", 30.0, 0.0, length_m=4.0, width_m=7.0),
    )
    found = hdmap(replace(road(), objects=things))
    corners = [crossing.polyline.points_m[:, :2] for crossing in found.crosswalks]
    assert corners[0].tolist() == [[7, 3], [8, -3], [11, -3]]
    assert corners[1] == pytest.approx(np.array([[22, -2.5], [22, 3.5], [18, 3.5]]))
    assert corners[2].tolist() == [[28, -3.5], [32, -3.5], [32, 3.5], [28, 3.5]]


def test_poles_stand_upright_and_low_ones_are_none() -> None:
    things = (
        RoadObject("a", "pole", 10.0, -4.0, -0.2, height_m=4.4),
        RoadObject("b", "guide-post", 10.0, -4.0, height_m=0.5),
        RoadObject("c", "tree", 10.0, -4.0, height_m=5.0),
    )
    hill = replace(road(), objects=things, elevation=(Cubic(0.0, 0.0, 0.1),), superelevation=(Cubic(0.0, 0.05),))
    (pole,) = hdmap(hill).poles
    foot, top = pole.polyline.points_m
    assert top - foot == pytest.approx([0.0, 0.0, 4.4])
    assert foot[2] == pytest.approx(1.0 - 4.0 * 0.05 - 0.2, abs=5e-3)


def test_a_light_faces_its_traffic_with_its_lower_edge_at_its_height() -> None:
    along = Signal("a", 40.0, -4.0, 3.4, "+", True, "1000001", width_m=0.4, height_m=0.8)
    against = replace(along, id="b", orientation="-", t_m=4.0, heading_rad=0.25)
    found = hdmap(replace(road(), signals=(along, against)))
    one, other = found.traffic_lights
    assert one.world_from_box.translation_m == pytest.approx([40.0, -4.0, 3.8])
    assert one.world_from_box.rotation[:, 0] == pytest.approx([-1.0, 0.0, 0.0], abs=1e-12)
    assert float(other.world_from_box.yaw_rad) == pytest.approx(0.25)
    assert (one.width_m, one.height_m, found.poles) == (0.4, 0.8, ())


def test_a_light_as_tall_as_a_mast_has_one() -> None:
    found = hdmap(replace(road(), signals=(Signal("a", 40.0, -4.0, 0.0, "+", True, height_m=3.2),)))
    (light,), (pole,) = found.traffic_lights, found.poles
    assert (light.height_m, light.world_from_box.translation_m[2]) == (1.0, pytest.approx(2.7))
    assert pole.polyline.points_m[:, 2].tolist() == [0.0, 3.2]


def test_signs_stop_lines_and_painted_crosswalks_are_told_apart() -> None:
    signals = (
        Signal("limit", 10.0, -5.0, 2.0, "+", False, "274", "55", height_m=0.6, width_m=0.6),
        Signal("stop", 30.0, 0.0, 0.0, "-", False, "294"),
        Signal("zebra", 5.0, 0.0, 0.0, "+", False, "1000003", width_m=8.0, value=4.0),
        Signal("arrow", 5.0, 0.0, 0.0, "+", False, "-1", height_m=0.03),
    )
    found = hdmap(replace(road(lanes=(lane(2), *TWO_WAY)), signals=signals))
    assert [(sign.id, sign.category) for sign in found.traffic_signs] == [("limit", "274")]
    assert found.stop_lines[0].polyline.points_m.tolist() == [[30.0, 7.0, 0.0], [30.0, 0.0, 0.0]]
    assert shapely.Polygon(found.crosswalks[0].polyline.points_m).bounds == (5.0, -4.0, 9.0, 4.0)


def test_signals_with_the_same_id_get_names_of_their_own_and_groups_name_lights() -> None:
    signals = tuple(Signal(name, 10.0, -4.0, 3.0, "+", True) for name in ("7", "0", "0"))
    network = RoadNetwork(
        (replace(road(), signals=signals),), signal_groups=(SignalGroup("g", ("7", "0"), "left turn"),)
    )
    assert [light.id for light in build_hdmap(network).traffic_lights] == ["7", "1:1:0", "1:2:0"]
    (group,) = light_groups(network)
    assert isinstance(group, LightGroup)
    assert (group.id, group.lights, group.name) == ("g", ("7", "1:1:0", "1:2:0"), "left turn")
