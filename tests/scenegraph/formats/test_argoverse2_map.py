"""The vector map of Argoverse 2 logs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pytest import approx
from shapely.ops import substring

from scenegraph import FormatError
from scenegraph.formats.argoverse2_map import build_hdmap, read_city_map, road_outlines
from scenegraph.formats.dropped import Dropped
from scenegraph.formats.lane_paint import distinct_paint

TWO_STRANDS = ("DOUBLE_SOLID", "DOUBLE_DASH", "SOLID_DASH", "DASH_SOLID")
NAME = "log_map_archive_abc____MIA_city_10316.json"


def points(*xyz):
    return [{"x": x, "y": y, "z": z} for x, y, z in xyz]


def lane(left_mark="SOLID_YELLOW", right_mark="NONE", **changes):
    return {
        "id": 7,
        "is_intersection": False,
        "lane_type": "BIKE",
        "left_lane_boundary": points((1000, 2004, 5), (1018, 2004, 5)),
        "left_lane_mark_type": left_mark,
        "right_lane_boundary": points((1000, 2000, 5), (1018, 2000, 5)),
        "right_lane_mark_type": right_mark,
        "predecessors": [4, 5],
        "successors": [],
        "left_neighbor_id": 99,
        "right_neighbor_id": None,
        **changes,
    }


def write_map(folder, lanes=None, crossings=None, areas=None):
    content = {"lane_segments": lanes or {}, "pedestrian_crossings": crossings or {}, "drivable_areas": areas or {}}
    (folder / NAME).write_text(json.dumps(content), encoding="utf-8")
    return folder


def hdmap_of(folder, **layers):
    return build_hdmap(read_city_map(write_map(folder, **layers)), np.array([1000.0, 2000.0, 5.0]), Dropped())


def square(x, y, size=10.0, z=1.0):
    return np.array([[x, y, z], [x + size, y, z], [x + size, y + size, z], [x, y + size, z]])


# -- lanes and paint ------------------------------------------------------------------------------


def test_a_lane_keeps_its_links_and_kind(tmp_path):
    (segment,) = hdmap_of(tmp_path, lanes={"7": lane()}).lane_segments
    assert (segment.id, segment.lane_type, segment.is_intersection) == ("7", "BIKE", False)
    assert segment.predecessors == ("4", "5") and segment.successors == ()
    assert (segment.left_neighbour, segment.right_neighbour) == ("99", None)
    assert segment.left.points_m.tolist() == [[0, 4, 0], [18, 4, 0]]
    assert (segment.left_mark, segment.right_mark) == (("YELLOW", "SOLID_SINGLE"), None)


def test_paint_is_moved_to_the_world_and_no_edge_is_longer_than_a_metre(tmp_path):
    (line,) = hdmap_of(tmp_path, lanes={"7": lane()}).lane_lines
    assert (line.id, line.colour, line.style) == ("7:left", "YELLOW", "SOLID_SINGLE")
    assert line.polyline.points_m[[0, -1]].tolist() == [[0, 4, 0], [18, 4, 0]]
    assert line.polyline.edge_lengths_m.max() <= 1.0


@pytest.mark.parametrize(
    ("word", "left", "right"),
    [
        ("NONE", None, None),
        ("UNKNOWN", ("UNKNOWN", "UNKNOWN"), ("UNKNOWN", "UNKNOWN")),
        ("DASHED_WHITE", ("WHITE", "LONG_DASHED_SINGLE"), ("WHITE", "LONG_DASHED_SINGLE")),
        ("DOUBLE_SOLID_YELLOW", ("YELLOW", "SOLID_GROUP"), ("YELLOW", "SOLID_GROUP")),
        ("DOUBLE_DASH_WHITE", ("WHITE", "LONG_DASHED_SINGLE"), ("WHITE", "LONG_DASHED_SINGLE")),
        ("SOLID_BLUE", ("BLUE", "SOLID_SINGLE"), ("BLUE", "SOLID_SINGLE")),
        # The solid line is next to the lane: right of its left edge, left of its right edge.
        ("SOLID_DASH_YELLOW", ("YELLOW", "SOLID_DASHED"), ("YELLOW", "DASHED_SOLID")),
        ("DASH_SOLID_YELLOW", ("YELLOW", "DASHED_SOLID"), ("YELLOW", "SOLID_DASHED")),
    ],
)
def test_marks_are_named_from_the_inside_out(tmp_path, word, left, right):
    (segment,) = hdmap_of(tmp_path, lanes={"7": lane(word, word)}).lane_segments
    assert (segment.left_mark, segment.right_mark) == (left, right)


def test_every_known_mark_but_blue_and_unknown_is_a_type_that_control_videos_have(tmp_path, golden_render):
    style = json.loads((golden_render / "world_scenario_style.json").read_text(encoding="utf-8"))
    words = [f"{p}_{c}" for p in ("SOLID", "DASHED", *TWO_STRANDS) for c in ("WHITE", "YELLOW")]
    segments = hdmap_of(tmp_path, lanes={word: lane(word, word) for word in words}).lane_segments
    marks = {" ".join(mark) for segment in segments for mark in (segment.left_mark, segment.right_mark)}
    assert marks <= set(style["v3"]["lane_line_types"])


def test_paint_that_becomes_another_is_counted(tmp_path):
    lanes = {
        "1": lane("DOUBLE_DASH_WHITE", "DOUBLE_DASH_WHITE"),
        "2": lane("DASH_SOLID_WHITE", "SOLID_DASH_YELLOW"),
        "3": lane("DOUBLE_SOLID_WHITE", "DOUBLE_DASH_YELLOW"),
    }
    assert read_city_map(write_map(tmp_path, lanes=lanes)).as_source() == {
        "repainted": "1 lane edges from DASH_SOLID_WHITE to WHITE SOLID_GROUP, "
        "2 lane edges from DOUBLE_DASH_WHITE to WHITE LONG_DASHED_SINGLE, "
        "1 lane edges from DOUBLE_DASH_YELLOW to YELLOW LONG_DASHED_SINGLE"
    }


def test_paint_that_stays_as_it_is_is_not_mentioned(tmp_path):
    words = ("NONE", "UNKNOWN", "SOLID_BLUE", "DASHED_WHITE", "DOUBLE_SOLID_WHITE", "SOLID_DASH_YELLOW")
    city_map = read_city_map(write_map(tmp_path, lanes={word: lane(word, word) for word in words}))
    assert city_map.as_source() == {}


def test_a_crossing_is_walked_along_one_edge_and_back_along_the_other(tmp_path):
    crossing = {"edge1": points((1000, 2000, 5), (1004, 2000, 5)), "edge2": points((1000, 2003, 5), (1004, 2003, 5))}
    (crosswalk,) = hdmap_of(tmp_path, crossings={"3": crossing}).crosswalks
    assert crosswalk.id == "3"
    assert crosswalk.polyline.points_m.tolist() == [[0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0]]


# -- kerbs ----------------------------------------------------------------------------------------


def test_areas_that_abut_with_a_gap_of_centimetres_have_one_outline():
    (outline,) = road_outlines((square(0, 0), square(10.06, 0)), Dropped())
    assert shapely.Polygon(outline).area == approx(200.6, abs=0.1)
    assert shapely.LineString(outline[:, :2]).length == approx(60.12, abs=0.05)


def test_areas_further_apart_stay_apart():
    assert len(road_outlines((square(0, 0), square(10.2, 0)), Dropped())) == 2


def test_islands_are_outlined_unless_they_are_slivers():
    ring = [square(0, 0), square(10, 0), square(20, 0), square(0, 10), square(20, 10)]
    ring += [square(0, 20), square(10, 20), square(20, 20)]
    assert sorted(round(shapely.Polygon(o).area) for o in road_outlines(tuple(ring), Dropped())) == [100, 900]
    filled = [*ring, square(10, 10, 9.5), square(10, 19.4, 0.6), square(19.4, 10, 0.6)]
    assert all(shapely.Polygon(o).area >= 1.0 for o in road_outlines(tuple(filled), Dropped()))


def test_slivers_and_small_islands_are_counted():
    ring = [square(0, 0), square(10, 0), square(0, 10), square(10, 10.9), square(10.9, 10)]
    dropped = Dropped()
    assert len(road_outlines((*ring, square(40, 0, 0.9), square(50, 0, 1.1)), dropped)) == 2
    assert dropped.as_source() == {"dropped": "2 road_boundaries with an area below 1 m2"}


def test_outlines_take_their_height_from_the_original_edges_in_between():
    slope = np.array([[0, 0, 0], [20, 0, 2], [20, 10, 2], [0, 10, 0]], dtype=np.float64)
    (outline,) = road_outlines((slope,), Dropped())
    assert outline[:, 2] == approx(outline[:, 0] / 10, abs=1e-3) and len(outline) > 60
    assert outline[0].tolist() == outline[-1].tolist()


def test_a_self_crossing_area_is_still_outlined():
    bow_tie = np.array([[0, 0, 0], [10, 10, 0], [10, 0, 0], [0, 10, 0]], dtype=np.float64)
    assert sum(shapely.Polygon(o).area for o in road_outlines((bow_tie,), Dropped())) == approx(50, abs=0.5)


def test_a_map_without_areas_has_no_kerbs():
    assert road_outlines((), Dropped()) == []


# -- a real map -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city_map(av2_log):
    return read_city_map(av2_log / "map")


@pytest.fixture(scope="module")
def hdmap(city_map):
    return build_hdmap(city_map, np.array([5173.0, 2419.0, 67.0]), Dropped())


def test_a_real_map_has_the_published_number_of_elements(city_map, hdmap):
    assert city_map.city == "PIT" and len(city_map.areas_m) == 13
    assert len(hdmap.lane_segments) == 183 and len(hdmap.crosswalks) == 11
    assert (len(hdmap.stop_lines), len(hdmap.traffic_lights)) == (0, 0)


def test_366_edges_of_a_real_map_are_328_places(city_map):
    white = ("WHITE", "SOLID_SINGLE")
    as_if_painted = [replace(segment, left_mark=white, right_mark=white) for segment in city_map.lanes]
    assert len(city_map.lane_edges_m) == 366 and len(distinct_paint(as_if_painted)) == 328


def test_joining_keeps_all_of_a_real_maps_paint(city_map, hdmap):
    paints = distinct_paint(city_map.lanes)
    assert (len(paints), len(hdmap.lane_lines)) == (58, 24)
    for mark in {paint.mark for paint in paints}:
        apart = sum(np.linalg.norm(np.diff(p.points_m, axis=0), axis=1).sum() for p in paints if p.mark == mark)
        joined = sum(x.polyline.length_m for x in hdmap.lane_lines if (x.colour, x.style) == mark)
        assert joined == approx(apart, abs=1e-6)


def test_lines_of_a_real_map_have_no_edge_longer_than_a_metre(hdmap):
    for layer in (hdmap.lane_lines, hdmap.road_boundaries):
        assert max(element.polyline.edge_lengths_m.max() for element in layer) <= 1.0


def test_no_kerb_of_a_real_map_lies_across_the_way_from_a_lane_to_the_next(city_map, hdmap):
    kerbs = shapely.MultiLineString([b.polyline.points_m[:, :2] for b in hdmap.road_boundaries])
    seams = shapely.MultiLineString([np.concatenate([a, a[:1]])[:, :2] - (5173, 2419) for a in city_map.areas_m])
    lanes = {segment.id: segment.centre.points_m[:, :2] for segment in hdmap.lane_segments}
    follow = [(s.id, after) for s in hdmap.lane_segments for after in s.successors if after in lanes]
    ways = [shapely.LineString(np.concatenate([lanes[one], lanes[other]])) for one, other in follow]
    interiors = [substring(way, 0.5, way.length - 0.5) for way in ways]
    assert len(ways) > 150
    assert sum(way.intersects(kerbs) for way in interiors) == 0
    assert sum(way.intersects(seams) for way in interiors) > 20


def test_kerbs_of_a_real_map_lie_on_its_areas_in_height(city_map, hdmap):
    corners = np.concatenate(city_map.areas_m) - (5173, 2419, 67)
    kerbs = np.concatenate([b.polyline.points_m for b in hdmap.road_boundaries])
    tree = shapely.STRtree(shapely.points(kerbs[:, :2]))
    near, away_m = tree.query_nearest(shapely.points(corners[:, :2]), all_matches=False, return_distance=True)
    on_outline = away_m < 0.05
    rise_m = np.abs(kerbs[near[1], 2] - corners[near[0], 2])[on_outline]
    assert on_outline.sum() > 700 and np.percentile(rise_m, 99) < 0.05


# -- bad input ------------------------------------------------------------------------------------


def refused(folder):
    with pytest.raises(FormatError) as error:
        read_city_map(folder)
    return str(error.value)


def test_a_folder_without_a_map_is_refused(tmp_path):
    problem = "no file log_map_archive_*.json. A log needs its vector map, and only one."
    assert refused(tmp_path) == f"{tmp_path}: {problem}"
    assert refused(tmp_path / "map") == f"{tmp_path / 'map'}: {problem}"


def test_two_maps_are_refused(tmp_path):
    (write_map(tmp_path) / "log_map_archive_b.json").write_text("{}", encoding="utf-8")
    problem = "2 files log_map_archive_*.json. A log needs its vector map, and only one."
    assert refused(tmp_path) == f"{tmp_path}: {problem}"


def test_a_truncated_map_is_refused(tmp_path):
    file = write_map(tmp_path, lanes={"7": lane()}) / NAME
    file.write_bytes(file.read_bytes()[:100])
    problem = "broken JSON (Unterminated string starting at). A complete JSON document is needed."
    assert refused(tmp_path) == f"{file}: line 1 column 82: {problem}"


def test_a_map_without_a_layer_is_refused(tmp_path):
    (tmp_path / NAME).write_text('{"lane_segments": {}, "drivable_areas": []}', encoding="utf-8")
    allowed = "Present are lane_segments, drivable_areas."
    assert refused(tmp_path) == f"{tmp_path / NAME}: pedestrian_crossings: the field is missing. {allowed}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"left_lane_boundary": [{"x": 1, "y": 2}]},
            "left_lane_boundary: no list of points. Each point needs numbers x, y and z.",
        ),
        (
            {"left_lane_boundary": points((0, 0, 0), (1, float("nan"), 0))},
            "left_lane_boundary: a coordinate is not finite. Each point needs numbers x, y and z.",
        ),
        ({"right_lane_boundary": points((0, 0, 0))}, "right_lane_boundary: 1 points. At least 2 are needed."),
        ({"successors": 4}, "successors: a number is here. An array is needed."),
        ({"is_intersection": "no"}, "is_intersection: a text is here. true or false is needed."),
        (
            {"right_lane_mark_type": "DOTTED"},
            "right_lane_mark_type: 'DOTTED' is no mark. Allowed are NONE, UNKNOWN, SOLID_WHITE, SOLID_YELLOW, "
            "SOLID_BLUE, DASHED_WHITE, DASHED_YELLOW, DOUBLE_SOLID_WHITE, DOUBLE_SOLID_YELLOW, DOUBLE_DASH_WHITE, "
            "DOUBLE_DASH_YELLOW, SOLID_DASH_WHITE, DASH_SOLID_WHITE, SOLID_DASH_YELLOW, DASH_SOLID_YELLOW.",
        ),
    ],
)
def test_a_broken_lane_is_named_with_its_field(tmp_path, changes, sentence):
    write_map(tmp_path, lanes={"7": lane(**changes)})
    assert refused(tmp_path) == f"{tmp_path / NAME}: lane_segments.7.{sentence}"


def test_a_missing_field_is_named(tmp_path):
    without = {key: value for key, value in lane().items() if key != "lane_type"}
    write_map(tmp_path, lanes={"7": without})
    place = f"{tmp_path / NAME}: lane_segments.7.lane_type"
    assert refused(tmp_path) == f"{place}: the field is missing. Present are {', '.join(without)}."


def test_an_area_of_two_points_is_refused(tmp_path):
    write_map(tmp_path, areas={"1": {"area_boundary": points((0, 0, 0), (1, 0, 0))}})
    place = f"{tmp_path / NAME}: drivable_areas.1.area_boundary"
    assert refused(tmp_path) == f"{place}: 2 points. At least 3 are needed."
