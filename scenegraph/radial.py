"""How far from the principal point a ray lands, by its angle off the optical axis: one rising polynomial.

A polynomial is fitted only inside of the picture, so beyond an end angle its tangent is followed instead:
nothing folds back. Polynomials are tuples of coefficients by rising power whose first one is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from .arrays import FloatArray, frozen

Coefficients = tuple[float, ...]
_TABLE_SIZE = 2048
_NEWTON_STEPS = 6
_FAR = 1e7  # further out than any picture, in pixels as in radians


def polyval(coefficients: Coefficients, x: Any) -> Any:
    """The polynomial at x (a number or an array), by Horner's rule."""
    value = x * 0.0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def derivative(coefficients: Coefficients) -> Coefficients:
    """Coefficients of the derivative."""
    return tuple(power * k for power, k in enumerate(coefficients))[1:]


@lru_cache(maxsize=256)
def turning_point(coefficients: Coefficients) -> float:
    """Up to which x > 0 the polynomial increases; infinity if it never stops, 0 if it does not even start."""
    slope = derivative(coefficients)
    return next(iter(_sign_changes(slope)), math.inf) if slope[0] > 0 else 0.0


def _sign_changes(coefficients: Coefficients) -> list[float]:
    """Where the polynomial changes its sign for 0 < x < 1e7, rising. Between two of its own slope's it does so once."""
    if len(coefficients) < 2:
        return []
    edges = [0.0, *_sign_changes(derivative(coefficients)), _FAR]
    is_negative = [bool(polyval(coefficients, edge) < 0) for edge in edges]
    turns = zip(pairwise(edges), pairwise(is_negative), strict=True)
    return [_crossing(coefficients, 0.0, low, high) for (low, high), (before, after) in turns if before != after]


def _crossing(coefficients: Coefficients, value: float, low: float, high: float) -> float:
    """Where between low and high, which lie on both sides of it, the polynomial passes a value; to the last bit."""
    starts_below = polyval(coefficients, low) < value
    while low < (middle := 0.5 * (low + high)) < high:
        if (polyval(coefficients, middle) < value) == starts_below:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, eq=False)
class RadialCurve:
    """Image radius over ray angle: a polynomial up to the end, its tangent after that.

    angle_from_radius: whether the polynomial maps radius to angle rather than angle to radius.
    end_angle_rad, end_radius, end_slope: the last point of the polynomial and d radius / d angle there; 0 where
        the polynomial turns, so that the radius is held.
    knots: float64 [2048], arguments of the polynomial from 0 to the end; ``knot_values`` is the polynomial there.
    """

    coefficients: Coefficients
    angle_from_radius: bool
    end_angle_rad: float
    end_radius: float
    end_slope: float
    knots: FloatArray
    knot_values: FloatArray

    def radius(self, angle_rad: FloatArray) -> FloatArray:
        """Image radius [...] of ray angles [...] >= 0."""
        inside = np.minimum(angle_rad, self.end_angle_rad)
        radius = self._solve(inside) if self.angle_from_radius else polyval(self.coefficients, inside)
        return np.asarray(radius + self.end_slope * np.maximum(angle_rad - self.end_angle_rad, 0.0))

    def angle(self, radius: FloatArray) -> FloatArray:
        """Ray angles [...] of image radii [...] >= 0; out of reach of every ray the end angle is given."""
        inside = np.minimum(radius, self.end_radius)
        angle = polyval(self.coefficients, inside) if self.angle_from_radius else self._solve(inside)
        if self.end_slope > 0:
            angle = angle + np.maximum(radius - self.end_radius, 0.0) / self.end_slope
        return np.asarray(angle)

    def _solve(self, value: FloatArray) -> FloatArray:
        """x with p(x) = value: a table for the start, then Newton; the same for a point alone and among others."""
        slope = derivative(self.coefficients)
        x = np.interp(value, self.knot_values, self.knots)
        for _ in range(_NEWTON_STEPS):
            rise = np.maximum(polyval(slope, x), 1e-9 * slope[0])
            x = np.clip(x - (polyval(self.coefficients, x) - value) / rise, 0.0, self.knots[-1])
        return np.asarray(x)


@lru_cache(maxsize=256)
def radial_curve(coefficients: Coefficients, angle_from_radius: bool, max_angle_rad: float) -> RadialCurve:
    """The curve that leaves its polynomial at ``max_angle_rad``, or before where that turns."""
    turn = turning_point(coefficients)
    end = _first_reaching(coefficients, max_angle_rad, turn) if angle_from_radius else min(max_angle_rad, turn)
    knots = np.linspace(0.0, end, _TABLE_SIZE)
    knot_values = polyval(coefficients, knots)
    slope = 0.0 if end >= turn else float(polyval(derivative(coefficients), end))
    value = float(polyval(coefficients, end))
    angle, radius = (value, end) if angle_from_radius else (end, value)
    if angle_from_radius and slope > 0:
        slope = 1.0 / slope
    return RadialCurve(coefficients, angle_from_radius, angle, radius, slope, frozen(knots), frozen(knot_values))


def _first_reaching(coefficients: Coefficients, value: float, turn: float) -> float:
    """The smallest x with p(x) >= value, or the turning point when it stays below; by bisection to the last bit."""
    low, high = 0.0, min(value / coefficients[1], turn)
    while polyval(coefficients, high) < value:
        if high >= turn:
            return turn
        low, high = high, min(2.0 * high, turn)
    return _crossing(coefficients, value, low, high)
