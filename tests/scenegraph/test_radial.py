import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import polynomial
from numpy.testing import assert_allclose

from scenegraph.radial import derivative, polyval, radial_curve, turning_point

laws = settings(max_examples=40, deadline=None)
coefficients = st.lists(st.floats(-5, 5), min_size=1, max_size=5).map(lambda rest: (0.0, 1.0, *rest))


@laws
@given(coefficients, st.floats(-3, 3))
def test_values_and_derivatives_agree_with_numpy(k, x):
    assert polyval(k, x) == pytest.approx(polynomial.polyval(x, k), abs=1e-9)
    assert polyval(derivative(k), x) == pytest.approx(polynomial.polyval(x, polynomial.polyder(k)), abs=1e-9)


@pytest.mark.parametrize(
    ("k", "turn"),
    [
        ((0.0, 1.0), math.inf),
        ((0.0, 1.0, 0.0, 2.0), math.inf),
        ((0.0, 1.0, -0.5), 1.0),
        ((0.0, 3.0, 0.0, -1.0), 1.0),
        ((0.0, 0.001, 0.0, -1e-9), math.sqrt(1e6 / 3)),
        ((0.0, -1.0, 5.0), 0.0),
    ],
)
def test_turning_points_by_hand(k, turn):
    assert turning_point(k) == pytest.approx(turn)


@laws
@given(coefficients)
def test_up_to_the_turning_point_values_rise(k):
    x = np.linspace(0, min(turning_point(k), 4.0), 500)
    assert (np.diff(polyval(k, x)) >= -1e-9).all()


@laws
@given(coefficients, st.booleans(), st.floats(0.1, 3.0))
def test_radius_and_angle_undo_each_other(k, angle_from_radius, max_angle):
    curve = radial_curve(k, angle_from_radius, max_angle)
    angles = np.linspace(0, curve.end_angle_rad * 0.98, 50)
    assert_allclose(curve.angle(curve.radius(angles)), angles, atol=1e-8)
    if curve.end_slope > 1e-3:
        beyond = curve.end_angle_rad + np.linspace(0, 1, 10)
        assert_allclose(curve.angle(curve.radius(beyond)), beyond, atol=1e-8)


def test_after_its_end_a_curve_follows_its_tangent():
    curve = radial_curve((0.0, 2.0, 0.0, 1.0), False, 1.0)
    assert (curve.end_angle_rad, curve.end_radius, curve.end_slope) == (1.0, 3.0, 5.0)
    assert_allclose(curve.radius(np.array([0.5, 1.0, 2.0])), [1.125, 3.0, 8.0])


def test_a_curve_that_turns_holds_its_radius():
    curve = radial_curve((0.0, 1.0, -0.5), False, math.pi)
    assert_allclose(curve.radius(np.array([1.0, 2.0])), [0.5, 0.5])
    assert_allclose(curve.angle(np.array([9.0])), [1.0], atol=1e-6)
