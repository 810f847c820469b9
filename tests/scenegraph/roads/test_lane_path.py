import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenegraph import HDMap, LaneGraph, LaneSegment, MapError, Polyline
from scenegraph.roads.lane_path import lane_path


def arc_points(radius_m, angle_rad, lateral_m, before_m=100.0, step_m=0.5, rise=0.0):
    """Straight along x, an arc to the left, straight; to the left of it by so much."""
    s = np.arange(0.0, 2 * before_m + radius_m * angle_rad, step_m)
    turned = np.clip((s - before_m) / radius_m, 0.0, angle_rad)
    straight, after = np.minimum(s, before_m), np.maximum(s - before_m - radius_m * angle_rad, 0.0)
    x = straight + radius_m * np.sin(turned) + after * np.cos(turned)
    y = radius_m * (1 - np.cos(turned)) + after * np.sin(turned)
    return np.stack([x - lateral_m * np.sin(turned), y + lateral_m * np.cos(turned), rise * s], axis=1)


def bent(radius_m, angle_rad=np.pi / 2, rise=0.0):
    edges = (Polyline(arc_points(radius_m, angle_rad, side, rise=rise)) for side in (1.75, -1.75))
    return LaneGraph(HDMap(lane_segments=(LaneSegment("a", *edges),)))


def straight_lane(name, start, end, **links):
    start, end = np.array([*start, 0.0]), np.array([*end, 0.0])
    forward = (end - start) / np.linalg.norm(end - start)
    aside = 1.75 * np.array([-forward[1], forward[0], 0.0])
    return LaneSegment(name, Polyline([start + aside, end + aside]), Polyline([start - aside, end - aside]), **links)


FORK = LaneGraph(
    HDMap(
        lane_segments=(
            straight_lane("in", (0, 0), (50, 0), successors=("on", "left", "right")),
            straight_lane("on", (50, 0), (100, 0), predecessors=("in",)),
            straight_lane("left", (50, 0), (80, 40), predecessors=("in",)),
            straight_lane("right", (50, 0), (80, -40), predecessors=("in",)),
        )
    )
)


@pytest.mark.parametrize("turn, last", [("straight", "on"), ("left", "left"), ("right", "right")])
def test_where_lanes_part_the_turn_decides(turn, last):
    path = lane_path(FORK, "in", 20.0, 60.0, 10.0, turn)
    assert [lane.id for lane in path.lanes] == ["in", last]
    assert path.first_m == pytest.approx(-20.0) and path.lane_at(31.0).id == last and path.lane_at(29.0).id == "in"


def test_station_zero_is_where_the_path_was_asked_for():
    path = lane_path(FORK, "in", 20.0, 60.0)
    assert path.points(np.zeros(1))[0] == pytest.approx([20.0, 0.0, 0.0], abs=1e-9)
    assert path.moved(7.0).points(np.zeros(1))[0] == pytest.approx([27.0, 0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("radius_m, off_m", [(8.0, 0.15), (15.0, 0.08), (60.0, 0.02), (250.0, 0.005)])
def test_bends_keep_their_radius_and_their_place(radius_m, off_m):
    path = lane_path(bent(radius_m), "a", 10.0, 400.0, 100.0)
    true = Polyline(arc_points(radius_m, np.pi / 2, 0.0, step_m=0.05))
    stations = np.arange(path.first_m, path.last_m, 1.0)
    assert max(abs(true.locate(point)[1]) for point in path.points(stations)) < off_m
    middle = 90.0 + radius_m * np.pi / 4
    assert path.curvatures(np.array([middle]))[0] == pytest.approx(1 / radius_m, rel=0.13)


def test_curvature_grows_into_a_bend_without_a_jump():
    path = lane_path(bent(15.0), "a", 10.0, 400.0, 100.0)
    curvatures = path.curvatures(np.arange(path.first_m, path.last_m, 0.25))
    assert np.abs(np.diff(curvatures)).max() < 0.005  # the lane's own jumps by 0.067


def test_stations_are_metres_along_the_path():
    path = lane_path(bent(30.0, rise=0.06), "a", 10.0, 400.0, 100.0)
    stations = np.arange(path.first_m, path.last_m, 0.01)
    steps = np.linalg.norm(np.diff(path.points(stations), axis=0), axis=1)
    assert steps == pytest.approx(0.01, rel=3e-3)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(9.0, 200.0), st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(-4.0, 4.0)), min_size=1, max_size=9))
def test_locating_is_the_inverse_of_placing(radius_m, places):
    path = lane_path(bent(radius_m), "a", 10.0, 400.0, 100.0)
    shares, laterals = np.array(places).T
    stations = path.first_m + shares * (path.last_m - path.first_m)
    found = path.locate_all(path.points(stations, laterals))
    assert found[0] == pytest.approx(stations, abs=1e-6) and found[1] == pytest.approx(laterals, abs=1e-6)


def test_one_point_is_located_as_many_are():
    path = lane_path(bent(20.0), "a", 10.0, 400.0, 100.0)
    assert path.locate(path.points(np.array([33.0]), -1.5)[0]) == pytest.approx((33.0, -1.5))


def test_the_reverse_path_runs_over_the_same_points_with_left_and_right_exchanged():
    path = lane_path(bent(20.0, rise=0.05), "a", 30.0, 400.0, 100.0)
    back = path.reversed()
    stations = np.array([-20.0, 0.0, 55.0, 90.0])
    assert back.points(-stations, -1.5) == pytest.approx(path.points(stations, 1.5), abs=1e-9)
    assert np.cos(back.headings_rad(-stations) - path.headings_rad(stations)) == pytest.approx(-1.0)
    assert back.reversed().starts_m == pytest.approx(path.starts_m)


def test_lanes_of_the_reverse_path_are_where_they_were():
    path = lane_path(FORK, "in", 20.0, 60.0, 10.0)
    back = path.reversed()
    assert [back.lane_at(-at).id for at in (-10.0, 29.0, 31.0, 70.0)] == ["in", "in", "on", "on"]


def test_half_the_width_is_that_of_the_lane_there():
    assert lane_path(FORK, "in", 20.0, 60.0).half_width_m(5.0) == pytest.approx(1.75)


def test_places_beyond_the_map_are_refused():
    path = lane_path(FORK, "in", 20.0, 60.0)
    with pytest.raises(MapError) as error:
        path.points(np.array([5.0, 95.0]))
    assert str(error.value) == "a path along lane in goes from -20 to 80 m, but 5 to 95 m are needed"
    with pytest.raises(MapError) as error:
        path.moved(95.0)
    assert str(error.value) == "a path along lane in goes from -20 to 80 m; 95 m are beyond the map"
