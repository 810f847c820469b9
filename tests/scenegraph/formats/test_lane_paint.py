"""Painted lines out of lane edges."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from scenegraph import LaneSegment, Polyline
from scenegraph.formats.lane_paint import UNKNOWN_MARK, Paint, distinct_paint, joined_paint, mirrored

WHITE = ("WHITE", "LONG_DASHED_SINGLE")
YELLOW = ("YELLOW", "SOLID_SINGLE")
TWO_SIDED = ("YELLOW", "SOLID_DASHED")


def line(*xy):
    return np.array([[x, y, 0.0] for x, y in xy])


def lane(lane_id, left, right, left_mark=None, right_mark=None):
    return LaneSegment(lane_id, Polyline(left), Polyline(right), left_mark, right_mark)


def outline(paints):
    return [(p.id, p.points_m[:, :2].tolist(), p.mark) for p in paints]


EAST, NORTH, SOUTH = line((0, 0), (10, 0)), line((0, 3), (10, 3)), line((0, -3), (10, -3))


def test_an_edge_shared_by_two_lanes_is_painted_once():
    lanes = [lane("1", NORTH, EAST, None, WHITE), lane("2", EAST, SOUTH, WHITE, None)]
    assert outline(distinct_paint(lanes)) == [("1:right", [[0, 0], [10, 0]], WHITE)]


def test_an_edge_shared_by_opposite_lanes_is_painted_once_in_the_direction_of_the_first():
    lanes = [lane("1", EAST, SOUTH, TWO_SIDED), lane("2", EAST[::-1], NORTH[::-1], mirrored(TWO_SIDED))]
    assert outline(distinct_paint(lanes)) == [("1:left", [[0, 0], [10, 0]], TWO_SIDED)]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("weaker", [None, UNKNOWN_MARK])
def test_known_paint_wins_where_two_lanes_disagree(order, weaker):
    lanes = [lane("1", NORTH, EAST, None, weaker), lane("2", EAST, SOUTH, YELLOW, None)][::order]
    assert outline(distinct_paint(lanes)) == [("2:left", [[0, 0], [10, 0]], YELLOW)]


def test_edges_that_differ_by_two_centimetres_are_two_lines():
    lanes = [lane("1", NORTH, EAST, None, WHITE), lane("2", EAST + np.array([0, 0.02, 0]), SOUTH, WHITE, None)]
    assert len(distinct_paint(lanes)) == 2


def test_an_edge_without_length_carries_no_paint():
    assert distinct_paint([lane("1", NORTH, line((1, 1), (1, 1)), None, WHITE)]) == []


def test_consecutive_stretches_become_one_line_without_double_points():
    paints = [
        Paint("b", line((10, 0), (20, 0)), WHITE),
        Paint("a", line((0, 0), (10, 0)), WHITE),
        Paint("c", line((20, 0), (30, 1)), WHITE),
    ]
    assert outline(joined_paint(paints)) == [("b", [[0, 0], [10, 0], [20, 0], [30, 1]], WHITE)]


def test_stretches_listed_in_opposite_directions_follow_the_first():
    paints = [
        Paint("a", line((10, 0), (20, 0)), WHITE),
        Paint("b", line((10, 0), (0, 0)), WHITE),
        Paint("c", line((30, 0), (20, 0)), WHITE),
    ]
    assert outline(joined_paint(paints)) == [("a", [[0, 0], [10, 0], [20, 0], [30, 0]], WHITE)]


def test_a_two_sided_line_goes_on_only_with_the_same_side_out():
    first, second = Paint("a", line((0, 0), (10, 0)), TWO_SIDED), line((20, 0), (10, 0))
    assert len(joined_paint([first, Paint("b", second, mirrored(TWO_SIDED))])) == 1
    assert len(joined_paint([first, Paint("b", second, TWO_SIDED)])) == 2


def test_other_paint_and_sharp_corners_are_not_joined():
    first = Paint("a", line((0, 0), (10, 0)), WHITE)
    assert len(joined_paint([first, Paint("b", line((10, 0), (20, 0)), YELLOW)])) == 2
    assert len(joined_paint([first, Paint("b", line((10, 0), (10, 9)), WHITE)])) == 2
    assert len(joined_paint([first, Paint("b", line((10, 0), (0, 0.5)), WHITE)])) == 2


def test_the_straightest_pair_is_joined_where_three_lines_meet():
    paints = [
        Paint("stem", line((0, 0), (10, 0)), WHITE),
        Paint("branch", line((10, 0), (20, 5)), WHITE),
        Paint("straight", line((10, 0), (20, 0.5)), WHITE),
    ]
    assert [(p.id, len(p.points_m)) for p in joined_paint(paints)] == [("stem", 3), ("branch", 2)]


def test_a_ring_of_stretches_is_closed_and_walked_once():
    angles = np.linspace(0, 2 * np.pi, 13)
    points = np.round(np.stack([10 * np.cos(angles), 10 * np.sin(angles), 0 * angles], axis=1), 2)
    paints = [Paint(str(i), points[3 * i : 3 * i + 4], WHITE) for i in range(4)]
    (ring,) = joined_paint(paints)
    assert ring.points_m == approx(points)
