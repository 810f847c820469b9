import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from scenegraph import MapError, Polyline

laws = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)

CORNER = Polyline([[0, 0, 0], [10, 0, 0], [10, 5, 0]])  # ten metres ahead, then five to the left


def random_line(seed):
    rng = np.random.default_rng(seed)
    return Polyline(np.cumsum(rng.normal(size=(rng.integers(2, 12), 3)) * 3, axis=0))


def test_lengths_and_stations_of_a_corner():
    assert_allclose(CORNER.edge_lengths_m, [10, 5])
    assert_allclose(CORNER.stations_m, [0, 10, 15])
    assert CORNER.length_m == 15 and len(CORNER) == 3


def test_lengths_count_the_height():
    assert Polyline([[0, 0, 0], [3, 0, 4]]).length_m == 5


def test_places_along_a_corner():
    assert_allclose(CORNER.at(4.0), [4, 0, 0])
    assert_allclose(CORNER.at([0.0, 10.0, 12.0, 15.0]), [[0, 0, 0], [10, 0, 0], [10, 2, 0], [10, 5, 0]])
    assert CORNER.at(np.zeros((2, 4))).shape == (2, 4, 3)


def test_places_beyond_the_ends_are_the_ends():
    assert_allclose(CORNER.at([-1.0, 99.0]), [[0, 0, 0], [10, 5, 0]])


def test_densified_keeps_every_point_and_no_edge_is_longer():
    dense = CORNER.densified(4.0)
    assert_allclose(dense.points_m[:, 0], [0, 10 / 3, 20 / 3, 10, 10, 10])
    assert_allclose(dense.points_m[:, 1], [0, 0, 0, 0, 2.5, 5])


def test_an_edge_of_exactly_the_step_is_not_cut():
    assert len(Polyline([[0, 0, 0], [0.8, 0, 0]]).densified(0.8)) == 2
    assert len(Polyline([[0, 0, 0], [0.3, 0, 0]]).densified(0.1)) == 4


@laws
@given(seeds, st.floats(0.3, 5.0))
def test_densifying_never_changes_the_line(seed, step):
    line = random_line(seed)
    dense = line.densified(step)
    assert dense.edge_lengths_m.max() <= step * (1 + 1e-6)
    assert dense.length_m == pytest.approx(line.length_m)
    for point in line.points_m:
        assert np.abs(dense.points_m - point).max(axis=1).min() == 0
    stations = np.linspace(0, line.length_m, 20)
    assert_allclose(dense.at(stations), line.at(stations), atol=1e-9)


@laws
@given(seeds, st.floats(0.3, 5.0))
def test_resampling_keeps_the_ends_and_spaces_evenly(seed, step):
    line = random_line(seed)
    even = line.resampled(step)
    assert_allclose(even.points_m[[0, -1]], line.points_m[[0, -1]], atol=1e-12)
    count = len(even) - 1
    assert_allclose(even.points_m, line.at(np.arange(count + 1) * line.length_m / count), atol=1e-9)
    assert count == max(1, round(line.length_m / step))


def test_a_short_line_is_resampled_to_its_ends():
    assert_allclose(Polyline([[0, 0, 0], [0.1, 0, 0]]).resampled(1.0).points_m, [[0, 0, 0], [0.1, 0, 0]])


def test_left_of_a_line_is_positive():
    assert CORNER.locate([4.0, 2.0, 0.0]) == (4.0, 2.0)
    assert CORNER.locate([4.0, -2.0, 7.0]) == (4.0, -2.0)
    assert CORNER.locate([12.0, 3.0, 0.0]) == (13.0, -2.0)
    assert CORNER.locate([4.0, 0.0, 0.0]) == (4.0, 0.0)


def test_a_place_straight_ahead_of_the_end_is_as_far_as_it_is():
    line = Polyline([[0, 0, 0], [10, 0, 0]])
    assert line.locate([40.0, 0.0, 0.0]) == (10.0, 30.0)
    assert line.locate([-3.0, -4.0, 0.0]) == (0.0, -5.0)


def test_outside_of_a_sharp_corner_the_side_is_that_of_both_edges():
    hairpin = Polyline([[-10, 0, 0], [0, 0, 0], [-5, 8.66, 0]])  # turns left by 120 degrees
    assert hairpin.locate([1.0, 0.3, 0.0])[1] == pytest.approx(-np.hypot(1.0, 0.3))
    assert hairpin.locate([-3.0, 1.0, 0.0])[1] > 0  # inside of it


def test_repeated_points_do_not_lose_the_side():
    line = Polyline([[0, 0, 0], [0, 0, 0], [5, 0, 0], [5, 0, 0], [10, 0, 0], [10, 0, 0]])
    for x in (-1.0, 0.0, 5.0, 10.0, 11.0):
        assert line.locate([x, 1.0, 0.0])[1] > 0 > line.locate([x, -1.0, 0.0])[1]


def test_a_line_without_extent_still_has_a_distance():
    assert Polyline([[1, 1, 0], [1, 1, 0]]).locate([4.0, 5.0, 0.0]) == (0.0, 5.0)


@laws
@given(seeds, st.floats(0.0, 1.0))
def test_a_place_on_the_line_is_found_again(seed, share):
    line = random_line(seed)
    place = line.at(share * line.length_m)
    station, lateral = line.locate(place)
    assert abs(lateral) < 1e-7
    assert_allclose(line.at(station)[:2], place[:2], atol=1e-6)


@laws
@given(seeds, seeds)
def test_no_place_of_the_line_is_nearer_than_the_located_one(seed, other):
    line, point = random_line(seed), np.random.default_rng(other).normal(size=3) * 5
    lateral = line.locate(point)[1]
    near = line.at(np.linspace(0, line.length_m, 500))
    assert abs(lateral) <= np.hypot(*(near[:, :2] - point[:2]).T).min() + 1e-9


@laws
@given(seeds, seeds)
def test_walking_back_swaps_the_sides(seed, other):
    line, point = random_line(seed), np.random.default_rng(other).normal(size=3) * 5
    station, lateral = line.locate(point)
    back_station, back_lateral = line.reversed().locate(point)
    assert back_lateral == pytest.approx(-lateral)
    assert_allclose(line.reversed().at(back_station)[:2], line.at(station)[:2], atol=1e-6)


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (np.zeros((1, 3)), "polyline: expected [N,3] with at least 2 points, got [1, 3]"),
        (np.zeros((0, 3)), "polyline: expected [N,3] with at least 2 points, got [0, 3]"),
        (np.zeros((4, 2)), "polyline: expected [N,3] with at least 2 points, got [4, 2]"),
        (np.zeros(3), "polyline: expected [N,3] with at least 2 points, got [3]"),
        ([[0, 0, 0], [0, np.nan, 0]], "polyline holds NaN or infinity"),
        ([[0, 0, 0], [0, np.inf, 0]], "polyline holds NaN or infinity"),
    ],
)
def test_what_is_no_line_is_refused(points, sentence):
    with pytest.raises(MapError) as error:
        Polyline(points)
    assert str(error.value) == sentence


@pytest.mark.parametrize("step", [0.0, -1.0])
@pytest.mark.parametrize("cut", [Polyline.densified, Polyline.resampled])
def test_a_step_that_leads_nowhere_is_refused(cut, step):
    with pytest.raises(MapError) as error:
        cut(CORNER, step)
    assert str(error.value) == f"polyline: the step must be above 0 m, got {step:g}"


def test_lines_survive_pickle():
    assert np.array_equal(pickle.loads(pickle.dumps(CORNER)).points_m, CORNER.points_m)
