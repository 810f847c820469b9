import pickle

import numpy as np
import pytest

from scenegraph import HDMap, LaneGraph, LaneSegment, MapError, Polyline


def lane(lane_id, start, end, half_width_m=2.0, **links):
    """A straight lane between two places in the ground plane."""
    start, end = np.array([*start, 0.0]), np.array([*end, 0.0])
    forward = (end - start) / np.linalg.norm(end - start)
    aside = half_width_m * np.array([-forward[1], forward[0], 0.0])
    return LaneSegment(lane_id, Polyline([start + aside, end + aside]), Polyline([start - aside, end - aside]), **links)


def crossing():
    """a and b lie one behind the other, n is left of a, back runs the other way; b forks to c and d, which join in e.

    The long way from b to e goes over x and y. Ids starting with "out" lead out of the map.
    """
    return LaneGraph(
        HDMap(
            lane_segments=(
                lane("a", (0, 0), (50, 0), successors=("b", "out1"), left_neighbour="n", right_neighbour="out2"),
                lane("n", (0, 4), (50, 4), right_neighbour="a", left_neighbour="back"),
                lane("back", (50, 8), (0, 8), left_neighbour="n"),
                lane("b", (50, 0), (100, 0), predecessors=("out3", "a"), successors=("x", "c", "d")),
                lane("c", (100, 0), (150, 20), predecessors=("b",), successors=("e",)),
                lane("d", (100, 0), (150, -20), predecessors=("b",), successors=("e",)),
                lane("x", (100, 0), (110, 90), successors=("y",)),
                lane("y", (110, 90), (150, 40), successors=("e",)),
                lane("e", (150, 0), (200, 0), predecessors=("c", "d")),
            )
        )
    )


GRAPH = crossing()


def ids(lanes):
    return [one.id for one in lanes]


def test_successors_and_predecessors_leave_out_what_lies_outside():
    assert ids(GRAPH.successors("a")) == ["b"]
    assert ids(GRAPH.successors("b")) == ["x", "c", "d"]
    assert ids(GRAPH.predecessors("b")) == ["a"]
    assert ids(GRAPH.predecessors("a")) == [] and ids(GRAPH.successors("back")) == []


def test_neighbours_are_lanes_or_nothing():
    assert GRAPH.left_neighbour("a").id == "n"
    assert GRAPH.right_neighbour("a") is None  # outside of the map
    assert GRAPH.right_neighbour("back") is None
    assert GRAPH.left_neighbour("n").id == "back"


def test_lanes_are_found_by_id():
    assert len(GRAPH) == 9 and "a" in GRAPH and "out1" not in GRAPH and GRAPH["a"].id == "a"


@pytest.mark.parametrize(
    "ask",
    [
        lambda g: g["out1"],
        lambda g: g.successors("out1"),
        lambda g: g.predecessors("out1"),
        lambda g: g.left_neighbour("out1"),
        lambda g: g.right_neighbour("out1"),
        lambda g: g.route("a", "out1"),
        lambda g: g.route("out1", "a"),
    ],
)
def test_an_unknown_lane_is_refused(ask):
    with pytest.raises(MapError) as error:
        ask(GRAPH)
    assert str(error.value) == "the map has no lane 'out1'"


def test_the_nearest_lane_says_how_far_along_and_how_far_aside():
    place = GRAPH.nearest_lane(np.array([20.0, 0.5, 9.0]))
    assert place.lane.id == "a"
    assert (place.station_m, place.lateral_m) == (pytest.approx(20.0), pytest.approx(0.5))
    assert GRAPH.nearest_lane(np.array([20.0, -1.5, 0.0])).lateral_m == pytest.approx(-1.5)


def test_a_heading_passes_over_lanes_of_the_other_direction():
    place = np.array([20.0, 7.5, 0.0])
    assert GRAPH.nearest_lane(place).lane.id == "back"
    assert GRAPH.nearest_lane(place, heading_rad=3.0).lane.id == "back"
    assert GRAPH.nearest_lane(place, heading_rad=0.1).lane.id == "n"
    assert GRAPH.nearest_lane(np.array([20.0, 9.0, 0.0]), heading_rad=0.0, max_distance_m=4.0) is None


def test_a_lane_that_contains_the_place_wins_over_a_nearer_centre_line():
    wide, narrow = lane("wide", (0, 0), (50, 0), half_width_m=5.0), lane("narrow", (0, 7), (50, 7), half_width_m=1.0)
    graph = LaneGraph(HDMap(lane_segments=(narrow, wide)))
    assert graph.nearest_lane(np.array([10.0, 4.0, 0.0])).lane.id == "wide"
    assert graph.nearest_lane(np.array([10.0, 5.5, 0.0])).lane.id == "narrow"


def test_of_two_lanes_that_contain_the_place_the_nearer_centre_line_wins():
    left, right = lane("left", (0, 1), (50, 1)), lane("right", (0, -1), (50, -1))
    graph = LaneGraph(HDMap(lane_segments=(left, right)))
    assert graph.nearest_lane(np.array([10.0, 0.3, 0.0])).lane.id == "left"
    assert graph.nearest_lane(np.array([10.0, -0.3, 0.0])).lane.id == "right"


def test_a_lane_that_ends_far_behind_does_not_win_by_lying_straight_ahead_of_the_place():
    behind, beside = lane("behind", (0, 0), (10, 0)), lane("beside", (0, 3), (60, 3), half_width_m=1.0)
    graph = LaneGraph(HDMap(lane_segments=(behind, beside)))
    assert graph.nearest_lane(np.array([40.0, 0.0, 0.0])).lane.id == "beside"


def test_beyond_the_distance_there_is_no_nearest_lane():
    assert GRAPH.nearest_lane(np.array([20.0, -30.0, 0.0]), max_distance_m=29.0) is None
    assert GRAPH.nearest_lane(np.array([20.0, -30.0, 0.0]), max_distance_m=31.0).lane.id == "a"


def test_a_route_takes_the_fewest_lanes():
    assert ids(GRAPH.route("a", "e")) == ["a", "b", "c", "e"]
    assert ids(GRAPH.route("b", "y")) == ["b", "x", "y"]
    assert ids(GRAPH.route("a", "a")) == ["a"]


def test_what_cannot_be_reached_has_no_route():
    assert GRAPH.route("e", "a") is None
    assert GRAPH.route("a", "n") is None  # neighbours are not driven into


def test_a_route_around_a_loop_ends():
    graph = LaneGraph(
        HDMap(
            lane_segments=(lane("a", (0, 0), (9, 0), successors=("b",)), lane("b", (9, 0), (0, 0), successors=("a",)))
        )
    )
    assert ids(graph.route("b", "a")) == ["b", "a"]


def test_a_map_without_lanes_has_a_graph():
    graph = LaneGraph(HDMap())
    assert len(graph) == 0 and graph.nearest_lane(np.zeros(3)) is None


def test_a_lane_whose_edges_cross_still_contains_its_ends():
    twisted = LaneSegment("t", Polyline([[0, 2, 0], [10, -2, 0]]), Polyline([[0, -2, 0], [10, 2, 0]]))
    near = lane("near", (0, 3), (10, 3), half_width_m=0.5)
    graph = LaneGraph(HDMap(lane_segments=(near, twisted)))
    for x in (0.5, 9.5):
        assert graph.nearest_lane(np.array([x, 1.6, 0.0])).lane.id == "t"


def test_lane_graphs_survive_pickle():
    back = pickle.loads(pickle.dumps(GRAPH))
    assert ids(back.route("a", "e")) == ids(GRAPH.route("a", "e"))
    assert back.nearest_lane(np.array([20.0, 0.5, 0.0])).lane.id == "a"
