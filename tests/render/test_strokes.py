from __future__ import annotations

import numpy as np
import pytest

from render.strokes import cut_pieces, draw_lines, fill_disc, fill_polygon

WHITE = (255, 255, 255)


def canvas() -> np.ndarray:
    return np.zeros((80, 100, 3), dtype=np.uint8)


@pytest.mark.parametrize("v", [20.0, 20.25, 20.5, 20.75])
@pytest.mark.parametrize("width_px", [1, 2, 3])
def test_a_line_lies_where_it_was_put_to_a_fraction_of_a_pixel(v: float, width_px: int) -> None:
    picture = canvas()
    draw_lines(picture, [np.array([[10.0, v], [90.0, v]])], WHITE, width_px)
    ink = picture[:, 50, 0].astype(float)
    assert abs((ink * np.arange(80)).sum() / ink.sum() - v) < 0.2


def test_a_line_from_far_outside_is_the_same_as_its_part_nearby() -> None:
    far, near = canvas(), canvas()
    draw_lines(far, [np.array([[-1e9, 30.0], [1e9, 30.0]])], WHITE, 2)
    draw_lines(near, [np.array([[-200.0, 30.0], [300.0, 30.0]])], WHITE, 2)
    assert far.any() and np.array_equal(far, near)


def test_a_closed_line_joins_its_ends_inside_and_outside() -> None:
    for offset in (0.0, -1e6):
        picture = canvas()
        outline = np.array([[20.0 + offset, 10.0], [60.0, 10.0], [60.0, 50.0], [20.0 + offset, 50.0]])
        draw_lines(picture, [outline], WHITE, 1, closed=True)
        assert picture[50, 40, 0] > 200 and picture[30, 60, 0] > 200
        assert (picture[30, 20, 0] > 200) == (offset == 0.0)


def test_a_polygon_around_the_whole_picture_fills_it() -> None:
    picture = canvas()
    fill_polygon(picture, np.array([[-1e7, -1e7], [1e7, -1e7], [1e7, 1e7], [-1e7, 1e7]]), WHITE)
    assert (picture == 255).all()


def test_a_polygon_beside_the_picture_draws_nothing() -> None:
    picture = canvas()
    fill_polygon(picture, np.array([[1e5, 10.0], [2e5, 10.0], [2e5, 50.0]]), WHITE)
    fill_disc(picture, np.array([1e9, 10.0]), 5.0, WHITE)
    assert not picture.any()


def test_cutting_a_piece_keeps_what_is_inside() -> None:
    pieces = np.array([[[-10.0, 5.0], [30.0, 5.0]], [[2.0, 2.0], [4.0, 4.0]], [[-5.0, -5.0], [-1.0, 20.0]]])
    assert np.allclose(cut_pieces(pieces, 0.0, np.array([10.0, 10.0])), [[[0, 5], [10, 5]], [[2, 2], [4, 4]]])
