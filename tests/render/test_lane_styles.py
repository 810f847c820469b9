"""Patterns of paint, computed on paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from render.lane_styles import cut, lane_line_paint, strand_pieces, strips
from render.palette import LANE_LINE_STRANDS, OTHER_LANE_LINE_RGB, WHITE, YELLOW

PATTERNS = ("solid", "long_dash", "short_dash", "dots", "dot_dash")


def straight(length_m, heading_rad=0.0, slope=0.0):
    return np.array([[0.0, 0, 0], [length_m * np.cos(heading_rad), length_m * np.sin(heading_rad), slope * length_m]])


def stations(pieces):
    """Start and end of every piece of a line along x, [n,2]."""
    return pieces[:, :, 0]


# -- cutting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length_m", "step_m", "pieces"),
    [(10.0, 1.0, 9), (10.9, 1.0, 9), (2.9, 1.0, 1), (3.0, 1.0, 2), (0.5, 1.0, 1), (0.0, 1.0, 1), (0.8, 0.05, 15)],
)
def test_an_edge_becomes_one_piece_less_than_steps_fit(length_m, step_m, pieces):
    points = cut(straight(length_m), step_m)
    assert len(points) == pieces + 1
    assert_allclose(np.diff(points[:, 0]), length_m / pieces)


def test_cutting_keeps_every_corner():
    corners = np.array([[0.0, 0, 0], [5, 0, 0], [5, 0.1, 0], [5, 0.1, 3], [-4, 2, 3]])
    points = cut(corners, 0.8)
    for corner in corners:
        assert np.linalg.norm(points - corner, axis=1).min() < 1e-12
    assert_allclose(points[[0, -1]], corners[[0, -1]])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=2, max_size=8), st.sampled_from([0.05, 0.8]))
def test_cutting_keeps_the_length(corners, step_m):
    line = np.array(corners)
    length_m = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert np.linalg.norm(np.diff(cut(line, step_m), axis=0), axis=1).sum() == pytest.approx(length_m, abs=1e-6)


# -- types ------------------------------------------------------------------------------------


def test_listed_types_are_white_or_yellow_and_all_others_have_their_own_colour():
    for (colour, style), strands in LANE_LINE_STRANDS.items():
        assert lane_line_paint(colour, style) == ({"WHITE": WHITE, "YELLOW": YELLOW}[colour], strands)
    for odd in (("BLUE", "SOLID_SINGLE"), ("YELLOW", "SHORT_DASHED_SINGLE"), ("WHITE", "VIRTUAL"), ("", "UNKNOWN")):
        assert lane_line_paint(*odd) == (OTHER_LANE_LINE_RGB, ((0.0, "solid"),))


def test_two_sided_types_name_their_left_side_first():
    assert lane_line_paint("YELLOW", "DASHED_SOLID")[1] == ((0.1, "solid"), (-0.1, "long_dash"))
    assert lane_line_paint("YELLOW", "SOLID_DASHED")[1] == ((0.1, "long_dash"), (-0.1, "solid"))


# -- patterns ---------------------------------------------------------------------------------


def test_long_dashes_are_three_metres_on_and_nine_off():
    pieces = stations(strand_pieces(straight(40.0), "long_dash", 0.0))
    start, end = pieces[:, 0], pieces[:, 1]
    begins = np.concatenate([[True], start[1:] - end[:-1] > 1e-9])
    assert_allclose(start[begins], [0, 12, 24, 36], atol=1e-9)
    assert_allclose(end[np.append(begins[1:], True)], [3, 15, 27, 39], atol=1e-9)
    assert (end - start).sum() == pytest.approx(12.0)


def test_the_pattern_runs_on_through_a_corner():
    corner = np.array([[0.0, 0, 0], [2.0, 0, 0], [2.0, 30.0, 0]])
    pieces = strand_pieces(corner, "long_dash", 0.0)
    assert np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1).sum() == pytest.approx(9.0)
    upward = pieces[(pieces[:, :, 0] == 2.0).all(axis=1)]
    assert upward[:, :, 1].min() == pytest.approx(0.0) and 1.0 in upward[:, :, 1].round(9)
    assert not ((upward[:, :, 1] > 1.0 + 1e-9) & (upward[:, :, 1] < 10.0 - 1e-9)).any()


@pytest.mark.parametrize("pieces_long_m", [0.7, 5.0, 13.0, 100.0])
def test_long_dashes_do_not_depend_on_how_the_line_was_drawn(pieces_long_m):
    """Corner points without a corner change nothing but the length of pieces."""
    count = int(60 / pieces_long_m) + 1
    points = np.zeros((count + 1, 3))
    points[:, 0] = np.append(np.arange(count) * pieces_long_m, 60.0)
    pieces = stations(strand_pieces(points, "long_dash", 0.0))
    middle = (np.arange(6000) + 0.5) / 100
    painted = ((pieces[:, :1] <= middle) & (middle < pieces[:, 1:])).any(axis=0)
    assert (painted == (middle % 12 < 3)).all()


def test_short_dashes_keep_only_pieces_inside_of_a_dash():
    pieces = stations(strand_pieces(straight(30.0), "short_dash", 0.0))
    assert (np.floor(pieces[:, 0] / 3) == np.floor(pieces[:, 1] / 3)).all()
    assert ((pieces % 3)[:, 1] <= 1.5 + 1e-9).all()
    assert 30 / 2 - 10 * 0.06 < (pieces[:, 1] - pieces[:, 0]).sum() <= 15 + 1e-9


def test_dots_are_every_tenth_piece():
    pieces = stations(strand_pieces(straight(10.0), "dots", 0.0))
    step_m = 10 / 199
    assert_allclose(pieces[:, 0], np.arange(0, 199, 10) * step_m, atol=1e-9)
    assert_allclose(pieces[:, 1] - pieces[:, 0], step_m)


def test_dot_dashes_keep_six_pieces_of_seventy_two():
    pieces = stations(strand_pieces(straight(10.0), "dot_dash", 0.0))
    index = np.round(pieces[:, 0] / (10 / 199)).astype(int)
    assert index.tolist() == [i for i in range(199) if i % 72 < 18 and i % 3 == 0]


def test_a_short_dot_dashed_line_keeps_every_third_piece():
    pieces = strand_pieces(straight(0.96), "dot_dash", 0.0)
    assert len(cut(straight(0.96), 0.05)) - 1 == 18 and len(pieces) == 6


@pytest.mark.parametrize("heading_rad", np.linspace(-3.0, 3.0, 9))
def test_an_offset_is_to_the_left_of_the_direction_of_travel(heading_rad):
    left = np.array([-np.sin(heading_rad), np.cos(heading_rad), 0.0])
    pieces = strand_pieces(straight(5.0, heading_rad), "solid", 0.1)
    middle = strand_pieces(straight(5.0, heading_rad), "solid", 0.0)
    assert_allclose(pieces - middle, np.broadcast_to(0.1 * left, pieces.shape), atol=1e-12)


def test_an_offset_on_a_slope_stays_level():
    pieces = strand_pieces(straight(5.0, slope=0.5), "solid", 0.1)
    middle = strand_pieces(straight(5.0, slope=0.5), "solid", 0.0)
    across = (pieces - middle).reshape(-1, 3)
    assert_allclose(across[:, [0, 2]], 0, atol=1e-12)
    assert_allclose(across[:, 1], 0.1 / np.hypot(1, 0.5), atol=1e-9)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("offset_m", [0.0, 0.1])
def test_lines_without_length_and_repeated_points_do_no_harm(pattern, offset_m):
    for points in (np.zeros((2, 3)), np.array([[0.0, 0, 0], [0, 0, 0], [4, 0, 0], [4, 0, 0]])):
        pieces = strand_pieces(points, pattern, offset_m)
        assert pieces.shape[1:] == (2, 3) and np.isfinite(pieces).all()


# -- strips -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PATTERNS), st.floats(0.01, 60), st.floats(-0.2, 0.2), st.floats(-3, 3))
def test_strips_hold_every_piece_in_order(pattern, length_m, offset_m, bend_m):
    line = np.array([[0.0, 0, 0], [length_m / 2, bend_m, 0.3], [length_m, 0, 0]])
    pieces = strand_pieces(line, pattern, offset_m)
    points, starts = strips(pieces)
    joined = np.flatnonzero(~starts)
    assert_allclose(np.stack([points[joined - 1], points[joined]], axis=1), pieces, atol=1e-8)
    if pattern == "solid" and not offset_m:
        assert starts.sum() == 1


def test_no_pieces_are_no_strips():
    points, starts = strips(np.zeros((0, 2, 3)))
    assert len(points) == len(starts) == 0
