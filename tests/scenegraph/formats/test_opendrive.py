"""OpenDRIVE files: a hand-written one to the coordinate, the shared ones by laws, broken ones by their sentences."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely

from scenegraph import FormatError, HDMap, LaneGraph
from scenegraph.arrays import FloatArray
from scenegraph.formats.opendrive import opendrive_map, read_opendrive
from scenegraph.formats.opendrive_xml import XmlNode
from scenegraph.roads.cross_section import survey_road
from scenegraph.roads.furniture import light_groups
from scenegraph.roads.network import Arc, Cubic, LaneHeight, Line, ParamPoly3, RoadLink, RoadMark, RoadNetwork, Spiral
from scenegraph.roads.reference_line import plan_points, road_point
from scenegraph.roads.surface import build_hdmap

FILES = (
    "opendrive_carla/Town01.xodr",
    *(
        f"openx_esmini/xodr/{name}.xodr"
        for name in (
            "e6mini",
            "fabriksgatan",
            "fabriksgatan_traffic_lights",
            "multi_intersections",
            "parking_demo",
            "soderleden",
        )
    ),
)

HEADER = '<header revMajor="1" revMinor="6" name="tiny" vendor="us"><geoReference>+proj=utm</geoReference></header>'
PLAN = '<geometry s="0" x="100" y="50" hdg="0" length="40"><line/></geometry>'
LANES = """
<laneOffset s="0" a="0.5" b="0" c="0" d="0"/>
<laneSection s="0">
  <left><lane id="1" type="driving"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></left>
  <center><lane id="0" type="none"><roadMark sOffset="0" type="broken" color="yellow" width="0.12">
    <type name="broken" width="0.12"><line length="3" space="9"/></type></roadMark></lane></center>
  <right>
    <lane id="-1" type="driving"><link><successor id="-1"/></link>
      <width sOffset="0" a="3.5" b="0" c="0" d="0"/><width sOffset="10" a="3.5" b="0.05"/>
      <roadMark sOffset="0" type="solid" color="standard"/><roadMark sOffset="20" type="none"/>
      <speed sOffset="0" max="30" unit="mph"/></lane>
    <lane id="-2" type="sidewalk"><width sOffset="0" a="2"/><height sOffset="0" inner="0.12" outer="0.1"/></lane>
  </right>
</laneSection>"""


def road(
    plan: str = PLAN, lanes: str = LANES, extra: str = "", attributes: str = 'id="1" length="40" junction="-1"'
) -> str:
    return f"<road {attributes}>{extra}<planView>{plan}</planView><lanes>{lanes}</lanes></road>"


def document(*roads: str, header: str = HEADER) -> str:
    return f'<?xml version="1.0"?>\n<OpenDRIVE>{header}{"".join(roads or (road(),))}</OpenDRIVE>'


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "map.xodr"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(folder: Path, text: str | bytes) -> RoadNetwork:
    return read_opendrive(write(folder, text))


def refused(folder: Path, text: str | bytes) -> str:
    file = write(folder, text)
    with pytest.raises(FormatError) as caught:
        read_opendrive(file)
    return str(caught.value).removeprefix(f"{file}: ")


# -- a small file, to the coordinate ------------------------------------------------------------------


def test_a_small_file_is_read_as_it_is(tmp_path: Path) -> None:
    network = read(tmp_path, document())
    (found,) = network.roads
    left, centre, driving, walk = found.sections[0].lanes
    assert (found.id, found.length_m, found.junction, found.left_hand) == ("1", 40.0, None, False)
    assert found.plan[0].shape == Line()
    assert found.lane_offset == (Cubic(0.0, 0.5),)
    assert driving.widths == (Cubic(0.0, 3.5), Cubic(10.0, 3.5, 0.05))
    assert driving.marks == (RoadMark(0.0, "solid"), RoadMark(20.0, "none"))
    assert centre.marks == (RoadMark(0.0, "broken", "yellow", 0.12, 3.0, 9.0),)
    assert (driving.successor, driving.predecessor, left.successor) == (-1, None, None)
    assert driving.speed_limit_mps == pytest.approx(13.4112)
    assert (walk.kind, walk.heights) == ("sidewalk", (LaneHeight(0.0, 0.12, 0.1),))
    assert network.name == "tiny"
    assert network.source == {
        "format": "opendrive",
        "version": "1.6",
        "vendor": "us",
        "geo_reference": "+proj=utm",
    }


def test_the_map_of_the_small_file_lies_where_pencil_and_paper_put_it(tmp_path: Path) -> None:
    found = opendrive_map(write(tmp_path, document()))
    lanes = {lane.id: lane for lane in found.lane_segments}
    assert lanes["1:0:-1"].left.points_m[[0, -1]].tolist() == [[100, 50.5, 0], [140, 50.5, 0]]
    assert lanes["1:0:-1"].right.points_m[[0, -1]] == pytest.approx(np.array([[100, 47, 0], [140, 45.5, 0]]))
    assert lanes["1:0:1"].left.points_m[[0, -1]].tolist() == [[140, 50.5, 0], [100, 50.5, 0]]
    assert lanes["1:0:1"].right.points_m[0].tolist() == [140, 53.5, 0]
    assert lanes["1:0:1"].left_mark == lanes["1:0:-1"].left_mark == ("YELLOW", "LONG_DASHED_SINGLE")
    solid = next(line for line in found.lane_lines if line.style == "SOLID_SINGLE")
    assert solid.polyline.points_m[[0, -1]] == pytest.approx(np.array([[100, 47, 0], [120, 46.5, 0]]))


def test_every_geometry_is_read(tmp_path: Path) -> None:
    shapes = [
        '<arc curvature="0.01"/>',
        '<spiral curvStart="0.01" curvEnd="-0.02"/>',
        '<poly3 a="0" b="0" c="0.01" d="0"/>',
        '<paramPoly3 aU="0" bU="1" cU="2" dU="3" aV="4" bV="5" cV="6" dV="7" pRange="arcLength"/>',
        '<paramPoly3 aU="0" bU="1" cU="2" dU="3" aV="4" bV="5" cV="6" dV="7"/>',
    ]
    plan = "".join(
        f'<geometry s="{8 * i}" x="{i}" y="0" hdg="0" length="8">{shape}</geometry>' for i, shape in enumerate(shapes)
    )
    (found,) = read(tmp_path, document(road(plan))).roads
    assert [geometry.shape for geometry in found.plan] == [
        Arc(0.01),
        Spiral(0.01, -0.02),
        ParamPoly3((0, 1, 0, 0), (0, 0, 0.01, 0), is_function_of_u=True),
        ParamPoly3((0, 1, 2, 3), (4, 5, 6, 7)),
        ParamPoly3((0, 1, 2, 3), (4, 5, 6, 7), is_normalised=True),
    ]


def test_slope_bank_links_rule_and_limits_are_read(tmp_path: Path) -> None:
    extra = """<type s="0" type="town"><speed max="50" unit="km/h"/></type>
        <type s="20" type="rural"><speed max="no limit"/></type>
        <link><predecessor elementType="road" elementId="7" contactPoint="end"/>
        <successor elementType="junction" elementId="9"/></link>
        <elevationProfile><elevation s="0" a="1" b="0.1" c="0" d="0"/></elevationProfile>
        <lateralProfile><superelevation s="0" a="0.05" b="0" c="0" d="0"/></lateralProfile>"""
    attributes = 'id="1" length="40" junction="3" rule="LHT" name="High Street"'
    (found,) = read(tmp_path, document(road(extra=extra, attributes=attributes))).roads
    assert (found.predecessor, found.successor) == (RoadLink("road", "7", "end"), RoadLink("junction", "9"))
    assert (found.junction, found.left_hand, found.name) == ("3", True, "High Street")
    assert found.sections[0].lanes[0].speed_limit_mps == pytest.approx(50 / 3.6)
    assert road_point(found, np.array(10.0), 2.0)[2] == pytest.approx(
        2.0 + 2 * math.sin(0.05) * math.cos(math.atan(0.1))
    )


def test_objects_repeat_and_run_on(tmp_path: Path) -> None:
    objects = """<objects>
      <object id="a" type="pole" s="0" t="4" height="3"><repeat s="5" length="20" distance="10" tStart="4" tEnd="6"
        heightStart="3" heightEnd="3" zOffsetStart="0" zOffsetEnd="0"/></object>
      <object id="b" type="railing" s="0" t="1"><repeat s="2" length="30" distance="0" tStart="1" tEnd="2"
        heightStart="0.5" heightEnd="0.5" zOffsetStart="0" zOffsetEnd="0"/></object>
      <object id="c" type="crosswalk" s="1" t="0"><outlines><outline id="0">
        <cornerRoad s="30" t="-3" dz="0" height="0"/><cornerRoad s="30" t="3" dz="0" height="0"/></outline></outlines>
        <markings><marking width="4"><cornerReference id="0"/></marking></markings></object></objects>"""
    network = read(tmp_path, document(road(extra=objects)))
    poles = [(thing.s_m, thing.t_m) for thing in network.roads[0].objects if thing.kind == "pole"]
    assert poles == [(5.0, 4.0), (15.0, 5.0), (25.0, 6.0)]
    assert [(thing.s_m, thing.end) for thing in network.roads[0].objects if thing.id == "b"] == [(2.0, (32.0, 2.0))]
    (crossing,) = build_hdmap(network).crosswalks
    assert shapely.Polygon(crossing.polyline.points_m).bounds == (128.0, 47.0, 132.0, 53.0)
    assert "ignored" not in network.source


def test_signals_and_controllers_are_read(tmp_path: Path) -> None:
    signals = """<signals><signal id="5" s="30" t="-4" zOffset="3" dynamic="yes" orientation="+" type="1000001"
        subtype="-1" country="OpenDRIVE" height="0.8" width="0.3" hOffset="0.1"><validity fromLane="-1" toLane="-1"/>
        </signal></signals>"""
    network = read(
        tmp_path, document(road(extra=signals), '<controller id="c" name="n"><control signalId="5"/></controller>')
    )
    (signal,) = network.roads[0].signals
    assert (signal.orientation, signal.is_dynamic, signal.lanes, signal.heading_rad) == ("+", True, (-1, -1), 0.1)
    assert light_groups(network)[0].lights == ("5",)


# -- what real files do -------------------------------------------------------------------------------


def test_a_byte_order_mark_a_namespace_and_a_missing_header_are_no_obstacle(tmp_path: Path) -> None:
    text = (
        document(header="")
        .replace("<OpenDRIVE>", '<x:OpenDRIVE xmlns:x="http://x">')
        .replace("</OpenDRIVE>", "</x:OpenDRIVE>")
    )
    network = read(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert (len(network.roads), network.name) == (1, "map")


def test_what_is_not_read_is_counted(tmp_path: Path) -> None:
    extra = '<surface/><userData code="x"><surface/></userData><userData code="y"/>'
    assert read(tmp_path, document(road(extra=extra))).source["ignored"] == "1 road/surface, 2 road/userData"


def test_a_far_away_map_moves_to_its_own_middle(tmp_path: Path) -> None:
    far = PLAN.replace('x="100"', 'x="674123.4"').replace('y="50"', 'y="5405678.9"')
    network = read(tmp_path, document(road(far)))
    assert network.origin_m == (674123.0, 5405679.0, 0.0)
    assert road_point(network.roads[0], np.array(0.0)) == pytest.approx([0.4, -0.1, 0.0], abs=1e-6)
    assert read(tmp_path, document()).origin_m == (0.0, 0.0, 0.0)


# -- broken files -------------------------------------------------------------------------------------

BROKEN = [
    ("<OpenDRIVE><road>", "line 1 column 18: broken XML (no element found). A complete XML document is needed."),
    (
        "<OpenDRIVE></road></OpenDRIVE>",
        "line 1 column 14: broken XML (mismatched tag). A complete XML document is needed.",
    ),
    ("<osm/>", "line 1, <osm>: this is no OpenDRIVE file. The outermost element is OpenDRIVE."),
    ("<OpenDRIVE/>", "line 1, <OpenDRIVE>: there is no <road>. A map needs at least one."),
    (
        document(road().replace(' length="40" junction', " junction")),
        "line 2, <road> id 1: the attribute length is missing. Present are id, junction.",
    ),
    (
        document(road().replace('id="1" length="40"', 'id="1" length="0"', 1)),
        "line 2, <road> id 1: the length is 0. A length above 0 is needed.",
    ),
    (document(road(plan="")), "line 2, <planView>: there is no <geometry>. A plan needs at least one."),
    (
        document(road(PLAN.replace("<line/>", "<circle/>"))),
        "line 2, <geometry> s 0: it holds 0 shapes. One of line, arc, spiral, poly3, paramPoly3 is needed.",
    ),
    (
        document(road(PLAN.replace('hdg="0"', 'hdg="north"'))),
        "line 2, <geometry> s 0: hdg is 'north'. A finite number is needed.",
    ),
    (
        document(road(PLAN.replace('x="100"', 'x="nan"'))),
        "line 2, <geometry> s 0: x is 'nan'. A finite number is needed.",
    ),
    (document(road(lanes="")), "line 2, <lanes>: there is no <laneSection>. A road needs at least one."),
    (
        document(road(lanes=LANES.replace('id="-2"', 'id="-1"'))),
        "line 13, <lane> id -1: another lane of the section has the same id. Ids must be unique.",
    ),
    (
        document(road(lanes=LANES.replace('id="-2"', 'id="2"'))),
        "line 13, <lane> id 2: a lane of <right> has this id. "
        "Ids are positive in left, negative in right, 0 in center.",
    ),
    (
        document(road(lanes=LANES.replace('id="-2"', 'id="-2.5"'))),
        "line 13, <lane> id -2.5: id is -2.5. A whole number is needed.",
    ),
    (
        document(road(lanes=LANES.replace('<laneSection s="0">', '<laneSection s="0" singleSide="true">'))),
        "line 4, <laneSection> s 0: the section is for one side of the road (singleSide). "
        "Only sections for both sides of a two-sided road are read.",
    ),
    (
        document(road(lanes=LANES.replace('unit="mph"', 'unit="knots"'))),
        "line 12, <speed> sOffset 0: unit is 'knots'. Allowed are m/s, mph, km/h.",
    ),
    (
        document(road(attributes='id="1" length="40" rule="left"')),
        "line 2, <road> id 1: rule is 'left'. Allowed are RHT, LHT.",
    ),
    (document(road(), road()), "line 15, <road> id 1: another road has the same id. Ids of roads must be unique."),
    (
        document(
            road(),
            '<junction id="5">\n<connection id="0" incomingRoad="1" connectingRoad="8" contactPoint="end"/></junction>',
        ),
        "line 16, <connection> id 0: connectingRoad 8 is not in the file. Name a road of it.",
    ),
    (
        document(road(extra='<link><successor elementType="road" elementId="2"/></link>')),
        "line 2, <successor>: the attribute contactPoint is missing. Present are elementType, elementId.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), BROKEN, ids=[str(number) for number in range(len(BROKEN))])
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text) == sentence


def test_a_missing_file_and_one_that_is_no_text_are_told(tmp_path: Path) -> None:
    file = tmp_path / "nothing.xodr"
    with pytest.raises(FormatError) as caught:
        read_opendrive(file)
    assert str(caught.value) == f"{file}: cannot be read (No such file or directory)"
    assert refused(tmp_path, bytes(range(200, 256))).startswith("line 1 column 1: broken XML (not well-formed")


# -- the shared files ---------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=FILES, ids=[Path(name).stem for name in FILES])
def network(request: pytest.FixtureRequest, shared_data: Path) -> RoadNetwork:
    return read_opendrive(shared_data / request.param)


@pytest.fixture(scope="module")
def town(shared_data: Path) -> HDMap:
    return opendrive_map(shared_data / FILES[0])


def of(shared_data: Path, stem: str) -> RoadNetwork:
    return read_opendrive(shared_data / next(name for name in FILES if Path(name).stem == stem))


def test_every_drivable_lane_of_a_real_file_is_in_its_map(network: RoadNetwork) -> None:
    found = build_hdmap(network)
    driving = {
        f"{road.id}:{index}:{lane.id}"
        for road in network.roads
        for index, section in enumerate(road.sections)
        for lane in section.lanes
        if lane.kind == "driving" and lane.id and any(width.a or width.b for width in lane.widths)
    }
    assert driving == {_lane_name(lane.id) for lane in found.lane_segments if lane.lane_type == "VEHICLE"}
    assert all(np.isfinite(lane.outline).all() for lane in found.lane_segments)


def test_geometries_of_a_real_file_join(network: RoadNetwork) -> None:
    gaps_m, turns_rad = [], []
    for found in network.roads:
        for one, other in pairwise(found.plan):
            end, heading = plan_points(one, np.array([one.length_m]))
            gaps_m.append(float(np.hypot(*(end[0] - (other.x_m, other.y_m)))))
            turns_rad.append(abs(math.remainder(float(heading[0]) - other.heading_rad, 2 * math.pi)))
    assert max(gaps_m, default=0.0) < 5e-3
    assert max(turns_rad, default=0.0) < 5e-3


def test_lane_widths_of_a_real_file_are_its_cubics(network: RoadNetwork) -> None:
    for found in network.roads:
        for survey in survey_road(found, 5.0):
            start_m = found.sections[survey.index].s_m
            for strip in survey.strips:
                if strip.lane.widths:
                    inside = strip.stations_m[:-1]
                    wanted = [_width(strip.lane.widths, s - start_m) for s in inside.tolist()]
                    assert strip.widths_m[:-1] == pytest.approx(np.array(wanted), abs=1e-9)


def _width(pieces: tuple[Cubic, ...], within_m: float) -> float:
    piece = [p for p in pieces if p.s_m <= within_m][-1]
    d = within_m - piece.s_m
    return max(piece.a + piece.b * d + piece.c * d * d + piece.d * d**3, 0.0)


def test_neighbours_of_a_real_file_share_their_edge(network: RoadNetwork) -> None:
    found = build_hdmap(network)
    lanes = {lane.id: lane for lane in found.lane_segments}
    for lane in found.lane_segments:
        right, left = lanes.get(lane.right_neighbour or ""), lanes.get(lane.left_neighbour or "")
        if right is not None:
            assert _are_one_line(lane.right.points_m, right.left.points_m)
        if left is not None:
            same_way = _lane_name(left.right_neighbour or "") == _lane_name(lane.id)
            assert _are_one_line(lane.left.points_m, (left.right if same_way else left.left).points_m)
    assert any(lane.left_neighbour for lane in found.lane_segments)


def _lane_name(segment_id: str) -> str:
    """The lane that a segment is a part of."""
    return segment_id.partition(".")[0]


def _are_one_line(one: FloatArray, other: FloatArray) -> bool:
    """Whether the points of the shorter line are all among those of the longer one."""
    shorter, longer = sorted(({tuple(point) for point in line.tolist()} for line in (one, other)), key=len)
    return shorter <= longer


def test_a_lane_begins_where_the_one_before_it_ends(network: RoadNetwork) -> None:
    graph = LaneGraph(found := build_hdmap(network))
    gaps_m = []
    for lane in found.lane_segments:
        for after in graph.successors(lane.id):
            assert lane.id in after.predecessors
            ends = (lane.left, after.left), (lane.right, after.right)
            gaps_m.append(min(float(np.linalg.norm(a.points_m[-1] - b.points_m[0])) for a, b in ends))
    # At the end of the acceleration lane of soderleden only one edge goes on.
    assert not gaps_m or np.quantile(gaps_m, 0.95) < 0.01
    assert sum(gap_m > 0.3 for gap_m in gaps_m) <= 1


def test_town01_is_one_network_of_two_way_streets(town: HDMap) -> None:
    graph = LaneGraph(town)
    assert (len(graph), len(town.road_boundaries)) == (202, 8)
    assert all(lane.successors and lane.predecessors for lane in town.lane_segments)
    assert all(
        lane.speed_limit_mps == pytest.approx(25 * 0.44704) for lane in town.lane_segments if not lane.is_intersection
    )
    closed = [np.allclose(b.polyline.points_m[0], b.polyline.points_m[-1]) for b in town.road_boundaries]
    assert all(closed)


def test_people_drive_on_the_right_in_town01(town: HDMap) -> None:
    opposite = [lane for lane in town.lane_segments if not lane.is_intersection]
    lanes = {lane.id: lane for lane in opposite}
    for lane in opposite:
        other = lanes[lane.left_neighbour or ""]
        assert np.array_equal(other.left.points_m[::-1], lane.left.points_m)
        assert lane.left_mark == ("YELLOW", "LONG_DASHED_SINGLE")
        assert lane.right_neighbour is None


def test_a_route_turns_left_and_right_and_goes_straight_through_a_junction(shared_data: Path) -> None:
    found = build_hdmap(of(shared_data, "fabriksgatan"))
    graph = LaneGraph(found)
    ends = [lane.id for lane in found.lane_segments if not lane.successors]
    starts = [lane.id for lane in found.lane_segments if not lane.predecessors]
    routes = [graph.route(start, end) for start in starts for end in ends if start[0] != end[0]]
    assert len(routes) == 12
    for route in routes:
        assert route is not None
        assert [lane.is_intersection for lane in route] == [False, True, False]
        gaps = [np.linalg.norm(a.centre.points_m[-1] - b.centre.points_m[0]) for a, b in pairwise(route)]
        assert max(gaps) < 0.01


def test_a_merge_without_roads_of_its_own_is_linked(shared_data: Path) -> None:
    found = build_hdmap(of(shared_data, "soderleden"))
    merged = [lane for lane in found.lane_segments if len(lane.predecessors) > 1]
    assert [(lane.id, lane.predecessors) for lane in merged] == [("0:1:-2", ("0:0:-2", "0:0:-3"))]
    assert LaneGraph(found).route("5:0:-1", "0:1:-2") is not None


def test_e6mini_climbs_as_its_profile_says(shared_data: Path) -> None:
    network = of(shared_data, "e6mini")
    s = np.array([100.0, 568.2371014970, 1400.0])
    heights = road_point(network.roads[0], s)[:, 2]
    assert heights[1] == pytest.approx(-0.837937043727, abs=1e-9)
    assert heights[0] == pytest.approx(-1.8819149224399998e-05 * 1e4 + 5.1618998500700002e-08 * 1e6, abs=1e-12)
    found = build_hdmap(network)
    assert len([b for b in found.road_boundaries if b.category == "guard_rail"]) == 2
    assert len(found.poles) == 60
    middle = [line for line in found.lane_lines if line.style == "LONG_DASHED_SINGLE"]
    assert np.ptp(np.concatenate([line.polyline.points_m[:, 2] for line in middle])) > 5.0


def test_paint_of_e6mini_lies_between_its_lanes(shared_data: Path) -> None:
    network = of(shared_data, "e6mini")
    found = build_hdmap(network)
    start = road_point(network.roads[0], np.zeros(4), np.array([2.6, 6.25, 9.75, 13.65]))
    lines = [line.polyline.points_m[0] for line in found.lane_lines]
    for place in start:
        assert min(np.linalg.norm(line - place) for line in lines) < 1e-6


def test_lights_stop_lines_and_crosswalks_of_a_crossing_agree(shared_data: Path) -> None:
    network = of(shared_data, "multi_intersections")
    found = build_hdmap(network)
    assert {name: count for name, count in found.counts().items() if name != "lane_lines"} == {
        "lane_segments": 86,
        "road_boundaries": 5,
        "crosswalks": 17,
        "stop_lines": 17,
        "poles": 68,
        "road_markings": 0,
        "traffic_lights": 68,
        "traffic_signs": 21,
    }
    ids = {light.id for light in found.traffic_lights}
    groups = light_groups(network)
    assert len(groups) == 23
    assert {light for group in groups for light in group.lights} == ids
    crossings = [shapely.Polygon(crossing.polyline.points_m[:, :2]) for crossing in found.crosswalks]
    graph = LaneGraph(found)
    for stop in found.stop_lines:
        middle = stop.polyline.points_m.mean(axis=0)
        assert min(shapely.distance(crossing, shapely.Point(middle)) for crossing in crossings) < 0.5
        assert graph.nearest_lane(middle) is not None


def test_no_kerb_crosses_a_lane_of_a_real_file(network: RoadNetwork) -> None:
    found = build_hdmap(network)
    kerbs = shapely.union_all(
        [shapely.LineString(b.polyline.points_m[:, :2]) for b in found.road_boundaries if b.category != "guard_rail"]
    )
    inside_m = [
        shapely.intersection(shapely.make_valid(shapely.Polygon(lane.outline[:, :2])).buffer(-0.1), kerbs).length
        for lane in found.lane_segments
        if lane.lane_type == "VEHICLE"
    ]
    assert max(inside_m) == 0.0


# -- the tree -----------------------------------------------------------------------------------------


def test_a_node_knows_its_line_and_what_was_never_asked_for(tmp_path: Path) -> None:
    root = XmlNode.load(write(tmp_path, '<a>\n <b id="3"><c/></b>\n <d> text </d>\n</a>'))
    (b,) = root.all("b")
    assert (b.line, b.integer("id"), b.first("x")) == (2, 3, None)
    assert root.unread() == {"b/c": 1, "a/d": 1}
    assert root.only("d").text == " text "
    b.ignore()
    assert not root.unread()
