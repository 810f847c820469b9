"""Where a road runs in space: its reference line evaluated exactly, with slope and bank.

Everything takes s as an array [...] and answers for all of it at once. s outside of the road is held at its ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import roots_legendre

from ..arrays import FloatArray, IntArray
from ..errors import MapError
from ..se3 import SE3
from .network import Arc, Cubic, Line, ParamPoly3, PlanGeometry, Road, Spiral

_NODES, _WEIGHTS = roots_legendre(16)
_TURN_PER_PIECE_RAD = 2.0
_STRAIGHT = 1e-12


class Cubics:
    """A piecewise cubic of s; 0 everywhere without pieces. The first piece also holds before its own start."""

    def __init__(self, pieces: Sequence[Cubic]) -> None:
        ordered = sorted(pieces, key=lambda piece: piece.s_m) or [Cubic(0.0, 0.0)]
        self.starts_m = np.array([piece.s_m for piece in ordered])
        self._factors = np.array([(piece.a, piece.b, piece.c, piece.d) for piece in ordered])

    def at(self, s_m: FloatArray) -> FloatArray:
        """Values at s [...]."""
        d, (a, b, c, e) = self._place(s_m)
        return np.asarray(a + d * (b + d * (c + d * e)))

    def slope_at(self, s_m: FloatArray) -> FloatArray:
        """First derivatives at s [...]."""
        d, (_, b, c, e) = self._place(s_m)
        return np.asarray(b + d * (2 * c + d * 3 * e))

    def _place(self, s_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        piece = np.maximum(np.searchsorted(self.starts_m, s_m, side="right") - 1, 0)
        return s_m - self.starts_m[piece], np.moveaxis(self._factors[piece], -1, 0)


class ReferenceLine:
    """The reference line of a road."""

    def __init__(self, road: Road) -> None:
        if not road.plan:
            raise MapError(f"road {road.id}: its plan has no geometry. A road needs at least one")
        self._plan = sorted(road.plan, key=lambda geometry: geometry.s_m)
        self._starts_m = np.array([geometry.s_m for geometry in self._plan])
        self._elevation = Cubics(road.elevation)
        self._bank = Cubics(road.superelevation)
        self.length_m = road.length_m

    @property
    def breaks_m(self) -> FloatArray:
        """Where one formula ends and the next begins, sorted."""
        pieces = [self._starts_m, self._elevation.starts_m, self._bank.starts_m]
        return np.asarray(np.unique(np.concatenate([*pieces, [0.0, self.length_m]])))

    def plan_at(self, s_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(x and y [...,2], heading in radians [...]), seen from above."""
        s = np.clip(np.asarray(s_m, dtype=np.float64), 0.0, self.length_m)
        place: IntArray = np.maximum(np.searchsorted(self._starts_m, s, side="right") - 1, 0)
        xy, heading = np.empty((*s.shape, 2)), np.empty(s.shape)
        for index in np.unique(place):
            here = place == index
            xy[here], heading[here] = plan_points(self._plan[index], s[here] - self._starts_m[index])
        return xy, heading

    def pose_at(self, s_m: FloatArray) -> SE3:
        """world_from_road [...]: x along the line and up or down its slope, y to the left, tilted with the bank."""
        s = np.clip(np.asarray(s_m, dtype=np.float64), 0.0, self.length_m)
        xy, heading = self.plan_at(s)
        rotation = _rotation(heading, np.arctan(self._elevation.slope_at(s)), self._bank.at(s))
        return SE3(rotation, np.concatenate([xy, self._elevation.at(s)[..., None]], axis=-1))


def road_pose(road: Road, s_m: FloatArray, t_m: FloatArray | float = 0.0, h_m: FloatArray | float = 0.0) -> SE3:
    """world_from_place [...] at s, t to the left of the line and h above the road; it looks along s."""
    s, t, h = np.broadcast_arrays(np.asarray(s_m, dtype=np.float64), t_m, h_m)
    pose = ReferenceLine(road).pose_at(s)
    aside = np.stack([np.zeros_like(s), t, h], axis=-1)
    return SE3(pose.rotation, pose.translation_m + (pose.rotation @ aside[..., None])[..., 0])


def road_point(road: Road, s_m: FloatArray, t_m: FloatArray | float = 0.0, h_m: FloatArray | float = 0.0) -> FloatArray:
    """Points [...,3] at s, t to the left of the line and h above the road."""
    return road_pose(road, s_m, t_m, h_m).translation_m


def _rotation(heading: FloatArray, climb: FloatArray, bank: FloatArray) -> FloatArray:
    """Rz(heading) Ry(-climb) Rx(bank) [...,3,3]: a positive climb lifts the front, a positive bank the left side."""
    (ch, sh), (cc, sc), (cb, sb) = ((np.cos(a), np.sin(a)) for a in (heading, climb, bank))
    rows = [
        [ch * cc, -sh * cb - ch * sc * sb, sh * sb - ch * sc * cb],
        [sh * cc, ch * cb - sh * sc * sb, -ch * sb - sh * sc * cb],
        [sc, cc * sb, cc * cb],
    ]
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)


# -- one geometry -----------------------------------------------------------------------------------


def plan_points(geometry: PlanGeometry, along_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(x and y [...,2], heading [...]) at arc lengths [...] after the start of a geometry."""
    u, v, turned = _local_points(geometry, along_m)
    cos, sin = np.cos(geometry.heading_rad), np.sin(geometry.heading_rad)
    xy = np.stack([geometry.x_m + u * cos - v * sin, geometry.y_m + u * sin + v * cos], axis=-1)
    return xy, geometry.heading_rad + turned


def _local_points(geometry: PlanGeometry, along_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(u, v, heading) [...] in the frame of the geometry's start."""
    shape = geometry.shape
    if isinstance(shape, Line):
        return along_m, np.zeros_like(along_m), np.zeros_like(along_m)
    if isinstance(shape, Arc):
        # 2 sin^2(a/2)/k instead of (1 - cos a)/k stays exact for the nearly straight; sinc covers k = 0.
        half = shape.curvature * along_m / 2
        chord = along_m * np.sinc(half / np.pi)
        return chord * np.cos(half), chord * np.sin(half), 2 * half
    if isinstance(shape, Spiral):
        return _spiral_points(shape, geometry.length_m, along_m)
    return _cubic_points(shape, geometry.length_m, along_m)


def _spiral_points(shape: Spiral, length_m: float, along_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The integral of (cos, sin) of the heading, by Gauss-Legendre on pieces that turn little: exact to rounding.

    Fresnel integrals would lose digits where the curvature hardly changes; this does not.
    """
    rate = (shape.end_curvature - shape.start_curvature) / max(length_m, _STRAIGHT)
    sharpest = max(abs(shape.start_curvature), abs(shape.end_curvature))
    pieces = max(1, int(np.ceil(sharpest * length_m / _TURN_PER_PIECE_RAD)))
    shares = (np.arange(pieces)[:, None] + (_NODES + 1) / 2).ravel() / pieces
    station = along_m[..., None] * shares
    heading = station * (shape.start_curvature + station * rate / 2)
    step = along_m[..., None] * np.tile(_WEIGHTS / (2 * pieces), pieces)
    u, v = (np.cos(heading) * step).sum(axis=-1), (np.sin(heading) * step).sum(axis=-1)
    return u, v, along_m * (shape.start_curvature + along_m * rate / 2)


def _cubic_points(shape: ParamPoly3, length_m: float, along_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    parameter = along_m / max(length_m, _STRAIGHT) if shape.is_normalised else along_m
    if shape.is_function_of_u:
        parameter = _parameter_at(shape, along_m)
    u, v = (_polynomial(factors, parameter) for factors in (shape.u, shape.v))
    heading = np.arctan2(_derivative(shape.v, parameter), _derivative(shape.u, parameter))
    return u, v, heading


def _parameter_at(shape: ParamPoly3, along_m: FloatArray) -> FloatArray:
    """The parameter at which the curve has a given length, by Newton's method."""
    parameter = np.array(along_m, dtype=np.float64)
    for _ in range(12):
        inner = parameter[..., None] * (_NODES + 1) / 2
        length_m = (_speed(shape, inner) * _WEIGHTS).sum(axis=-1) * parameter / 2
        parameter = parameter - (length_m - along_m) / np.maximum(_speed(shape, parameter), 1e-9)
    return parameter


def _speed(shape: ParamPoly3, parameter: FloatArray) -> FloatArray:
    return np.asarray(np.hypot(_derivative(shape.u, parameter), _derivative(shape.v, parameter)))


def _polynomial(factors: tuple[float, float, float, float], p: FloatArray) -> FloatArray:
    a, b, c, d = factors
    return a + p * (b + p * (c + p * d))


def _derivative(factors: tuple[float, float, float, float], p: FloatArray) -> FloatArray:
    _, b, c, d = factors
    return b + p * (2 * c + p * 3 * d)
