import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import LineString, Point, Polygon

from scenegraph import (
    SE3,
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    MapError,
    Pole,
    Polyline,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
    box_corners,
)

ORIGIN = np.zeros(3)


def line(*points):
    return Polyline([[x, y, 0.0] for x, y in points])


def square(x, y, half_m):
    return line((x - half_m, y - half_m), (x + half_m, y - half_m), (x + half_m, y + half_m), (x - half_m, y + half_m))


def box_at(x, y):
    return SE3.from_yaw(0.0, [x, y, 5.0])


def random_map(seed):
    rng = np.random.default_rng(seed)

    def walk(count):
        return Polyline(np.cumsum(rng.normal(size=(count, 3)) * 4, axis=0) + rng.uniform(-60, 60, 3))

    def outline():
        angles = np.sort(rng.uniform(0, 2 * np.pi, 6))
        circle = np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], axis=1)
        return Polyline(circle * rng.uniform(2, 20) + rng.uniform(-60, 60, 3))

    def lane(i):
        left = walk(4)
        return LaneSegment(f"s{i}", left, Polyline(left.points_m - [0.0, 3.5, 0.0]))

    return HDMap(
        lane_segments=tuple(lane(i) for i in range(5)),
        lane_lines=tuple(LaneLine(f"l{i}", walk(5), "WHITE", "SOLID_SINGLE") for i in range(8)),
        road_boundaries=tuple(RoadBoundary(f"b{i}", walk(6)) for i in range(5)),
        crosswalks=tuple(Crosswalk(f"c{i}", outline()) for i in range(4)),
        stop_lines=tuple(StopLine(f"w{i}", walk(2)) for i in range(4)),
        poles=tuple(Pole(f"p{i}", Polyline([[i, i, 0], [i, i, 3]])) for i in range(-20, 20, 5)),
        road_markings=tuple(RoadMarking(f"m{i}", outline()) for i in range(4)),
        traffic_lights=tuple(TrafficLight(f"t{i}", box_at(*rng.uniform(-60, 60, 2)), 0.6, 0.6, 1) for i in range(4)),
        traffic_signs=tuple(TrafficSign(f"g{i}", box_at(*rng.uniform(-60, 60, 2)), 0.1, 0.8, 0.8) for i in range(4)),
    )


def ground_distance_m(element, point_m):
    """The same question asked element by element, of another part of shapely."""
    place = Point(point_m[:2])
    if isinstance(element, TrafficLight | TrafficSign):
        return place.distance(Point(element.world_from_box.translation_m[:2]))
    if isinstance(element, LaneSegment):
        return place.distance(Polygon(element.outline[:, :2]))
    if isinstance(element, Crosswalk | RoadMarking):
        return place.distance(Polygon(element.polyline.points_m[:, :2]))
    if isinstance(element, Pole):  # upright
        return place.distance(Point(element.polyline.points_m[0, :2]))
    return place.distance(LineString(element.polyline.points_m[:, :2]))


# -- near -------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 60.0))
def test_near_is_what_measuring_every_element_gives(seed, radius_m):
    hdmap = random_map(seed)
    point_m = np.random.default_rng(seed + 1).uniform(-50, 50, 3)
    near = dict(hdmap.near(point_m, radius_m).layers())
    for name, elements in hdmap.layers():
        expected = [e.id for e in elements if ground_distance_m(e, point_m) <= radius_m]
        assert [e.id for e in near[name]] == expected


def test_a_place_inside_of_an_area_is_near_to_it():
    hdmap = HDMap(
        lane_segments=(LaneSegment("s", line((-50, 40), (50, 40)), line((-50, -40), (50, -40))),),
        crosswalks=(Crosswalk("c", square(0, 0, 30)),),
        road_markings=(RoadMarking("m", square(0, 0, 30)),),
        road_boundaries=(RoadBoundary("b", square(0, 0, 30)),),
    )
    assert hdmap.near(ORIGIN, 1.0).counts() == {
        **dict.fromkeys(HDMap.layer_names(), 0),
        "lane_segments": 1,
        "crosswalks": 1,
        "road_markings": 1,
    }


def test_height_does_not_count():
    hdmap = HDMap(poles=(Pole("p", Polyline([[3, 4, 90], [3, 4, 99]])),))
    assert hdmap.near(ORIGIN, 5.0).counts()["poles"] == 1
    assert hdmap.near(ORIGIN, 4.99).counts()["poles"] == 0


def test_outlines_that_cross_themselves_are_found_all_the_same():
    bow_tie = line((-5, -5), (5, 5), (5, -5), (-5, 5))
    hdmap = HDMap(crosswalks=(Crosswalk("c", bow_tie),), lane_segments=(LaneSegment("s", bow_tie, bow_tie),))
    assert hdmap.near(np.array([4.0, 0.0, 0.0]), 0.5).counts()["crosswalks"] == 1
    assert hdmap.near(np.array([5.0, 5.0, 0.0]), 0.5).counts()["lane_segments"] == 1


def test_two_point_outlines_are_lines():
    assert HDMap(crosswalks=(Crosswalk("c", line((0, 5), (9, 5))),)).near(ORIGIN, 5.0).counts()["crosswalks"] == 1


def test_near_keeps_the_order_and_the_elements_themselves():
    lines = tuple(LaneLine(f"l{i}", line((i, 0), (i, 9)), "WHITE", "SOLID_SINGLE") for i in (3, 1, 2))
    near = HDMap(lane_lines=lines).near(ORIGIN, 10.0)
    assert all(a is b for a, b in zip(near.lane_lines, lines, strict=True))


def test_an_empty_map_has_nothing_near():
    assert not any(HDMap().near(ORIGIN, 100.0).counts().values())


def test_a_changed_map_is_searched_afresh():
    hdmap = HDMap(stop_lines=(StopLine("far", line((100, 0), (100, 5))),))
    assert hdmap.near(ORIGIN, 10.0).counts()["stop_lines"] == 0
    changed = replace(hdmap, stop_lines=(StopLine("close", line((1, 0), (1, 5))),))
    assert [e.id for e in changed.near(ORIGIN, 10.0).stop_lines] == ["close"]
    assert hdmap.near(ORIGIN, 10.0).counts()["stop_lines"] == 0


def test_many_threads_may_search_one_map():
    hdmap = random_map(3)
    points = np.random.default_rng(4).uniform(-50, 50, (40, 3))
    expected = [random_map(3).near(point, 25.0).counts() for point in points]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda point: hdmap.near(point, 25.0).counts(), points)) == expected


def test_maps_survive_pickle_before_and_after_a_search():
    hdmap = random_map(5)
    fresh = pickle.loads(pickle.dumps(hdmap))
    expected = hdmap.near(ORIGIN, 40.0).counts()
    used = pickle.loads(pickle.dumps(hdmap))
    assert fresh.near(ORIGIN, 40.0).counts() == used.near(ORIGIN, 40.0).counts() == expected
    assert b"STRtree" not in pickle.dumps(hdmap)


# -- layers -----------------------------------------------------------------------------------


def test_layers_come_in_a_fixed_order_with_their_counts():
    hdmap = random_map(6)
    assert (
        [name for name, _ in hdmap.layers()]
        == list(HDMap.layer_names())
        == [
            "lane_segments",
            "lane_lines",
            "road_boundaries",
            "crosswalks",
            "stop_lines",
            "poles",
            "road_markings",
            "traffic_lights",
            "traffic_signs",
        ]
    )
    assert hdmap.counts()["lane_lines"] == 8 and hdmap.counts()["poles"] == 8


def test_ids_are_unique_within_a_layer_but_may_repeat_between_layers():
    pole, stop = Pole("1", line((0, 0), (0, 1))), StopLine("1", line((0, 0), (0, 1)))
    assert HDMap(poles=(pole,), stop_lines=(stop,)).counts()["poles"] == 1
    with pytest.raises(MapError) as error:
        HDMap(poles=(pole, Pole("2", pole.polyline), pole))
    assert str(error.value) == "poles: ids must be unique, 1 occurs more than once"


def test_lists_of_elements_become_tuples():
    assert HDMap(poles=[Pole("1", line((0, 0), (0, 1)))]).poles[0].id == "1"


# -- lane segments ----------------------------------------------------------------------------


def test_the_centre_lies_half_way_between_both_edges():
    lane = LaneSegment("s", line((0, 2), (10, 2)), line((0, -2), (10, -2)))
    assert_allclose(lane.centre.points_m, [[x, 0, 0] for x in range(11)], atol=1e-12)


def test_the_centre_of_a_bend_pairs_equal_shares_of_both_edges():
    angle = np.linspace(0, np.pi / 2, 90)[:, None]
    arc = np.concatenate([np.sin(angle), 1 - np.cos(angle), 0 * angle], axis=1)
    inner, outer = Polyline(arc * 10 + [0, 2, 0]), Polyline(arc * 14 - [0, 2, 0])
    centre = LaneSegment("s", inner, outer).centre
    assert_allclose(np.hypot(centre.points_m[:, 0], centre.points_m[:, 1] - 12), 12.0, atol=0.01)


def test_edges_of_different_point_counts_still_make_a_centre():
    lane = LaneSegment("s", line((0, 2), (3, 2), (4, 2), (10, 2)), line((0, -2), (10, -2)))
    assert_allclose(lane.centre.points_m[:, 1], 0, atol=1e-12)


def test_the_centre_of_a_very_short_lane_has_two_points():
    assert len(LaneSegment("s", line((0, 1), (0.1, 1)), line((0, -1), (0.1, -1))).centre) == 2


def test_the_outline_goes_up_the_left_and_down_the_right():
    lane = LaneSegment("s", line((0, 2), (10, 2)), line((0, -2), (10, -2)))
    assert_allclose(lane.outline[:, :2], [[0, 2], [10, 2], [10, -2], [0, -2]])


# -- boxes ------------------------------------------------------------------------------------


def test_box_corners_go_round_the_top_and_then_the_bottom():
    corners = box_corners(SE3.identity(), 4.0, 2.0, 1.0)
    assert_allclose(
        corners,
        [
            [2, 1, 0.5],
            [2, -1, 0.5],
            [-2, -1, 0.5],
            [-2, 1, 0.5],
            [2, 1, -0.5],
            [2, -1, -0.5],
            [-2, -1, -0.5],
            [-2, 1, -0.5],
        ],
    )


def test_the_front_of_a_turned_box_is_where_it_heads():
    corners = box_corners(SE3.from_yaw(np.pi / 2, [10.0, 20.0, 1.0]), 4.0, 2.0, 2.0)
    assert_allclose(corners[[0, 1, 4, 5]].mean(axis=0), [10, 22, 1], atol=1e-12)
    assert_allclose(corners.mean(axis=0), [10, 20, 1], atol=1e-12)


def test_many_boxes_at_once():
    poses = SE3.from_yaw(np.array([0.1, 0.2, 0.3]), np.eye(3) * 5)
    together = box_corners(poses, np.array([4.0, 5.0, 6.0]), 2.0, np.array([1.0, 2.0, 3.0]))
    assert together.shape == (3, 8, 3)
    assert_allclose(together[1], box_corners(poses[1], 5.0, 2.0, 2.0), atol=1e-12)


@pytest.mark.parametrize("kind", [TrafficLight, TrafficSign])
@pytest.mark.parametrize(
    ("pose", "height_m", "problem"),
    [
        (SE3(np.eye(3), [0.0, 0.0, np.nan]), 1.0, "expected one pose without NaN or infinity"),
        (SE3.identity(2), 1.0, "expected one pose without NaN or infinity"),
        (SE3.identity(), np.nan, "height_m must not be below 0, got nan"),
        (SE3.identity(), -1.0, "height_m must not be below 0, got -1"),
    ],
)
def test_a_light_or_sign_without_a_proper_box_is_refused(kind, pose, height_m, problem):
    what = {TrafficLight: "traffic light", TrafficSign: "traffic sign"}[kind]
    with pytest.raises(MapError) as error:
        kind("x7", pose, 0.5, 0.5, height_m)
    assert str(error.value) == f"{what} x7: {problem}"


def test_light_states_are_words():
    assert [str(state) for state in LightState] == ["red", "yellow", "green", "off", "unknown"]
