"""Lenses: from rays in the camera frame to pixels and back.

Camera frame: x right, y down, z forward. Pixels: u right, v down, (0, 0) is the centre of the
top-left pixel. All arithmetic is float64 with exact inversion (Newton), angles by atan2.

Every lens has ``project(points, max_angle_rad)``, ``unproject(uv)`` and ``scaled(x, y)``.
``max_angle_rad`` is the largest ray angle inside the image: a distortion polynomial is fitted only up
to there, so beyond it the image radius goes on linearly and nothing folds back into the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.polynomial import polynomial as poly

from .arrays import FloatArray
from .errors import FrameError

FThetaDirection = Literal["pixeldistance-to-angle", "angle-to-pixeldistance"]
_TABLE_SIZE = 2048
_TINY = 1e-12


@dataclass(frozen=True)
class Pinhole:
    """u = fx x/z + cx, v = fy y/z + cy. No distortion."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]; meaningless for z <= 0."""
        x, y, z = np.moveaxis(np.asarray(points_camera, dtype=np.float64), -1, 0)
        z = np.where(np.abs(z) < _TINY, _TINY, z)
        return np.stack([self.fx_px * x / z + self.cx_px, self.fy_px * y / z + self.cy_px], axis=-1)

    def unproject(self, uv: Any) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        uv = np.asarray(uv, dtype=np.float64)
        x, y = (uv[..., 0] - self.cx_px) / self.fx_px, (uv[..., 1] - self.cy_px) / self.fy_px
        return _unit(np.stack([x, y, np.ones_like(x)], axis=-1))

    def scaled(self, x: float, y: float) -> Pinhole:
        """The lens of the same picture resized by x and y."""
        return Pinhole(self.fx_px * x, self.fy_px * y, self.cx_px * x, self.cy_px * y)


@dataclass(frozen=True)
class Brown:
    """Pinhole with Brown-Conrady distortion, OpenCV's coefficient names.

    x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2), y' likewise with p1 and p2
    exchanged (OpenCV, "Camera Calibration and 3D Reconstruction").
    """

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def project(self, points_camera: Any, max_angle_rad: float = math.radians(89.0)) -> FloatArray:
        """Pixels [...,2] of points [...,3]; beyond ``max_angle_rad`` they move outwards linearly with the angle."""
        points = np.asarray(points_camera, dtype=np.float64)
        rho = np.hypot(points[..., 0], points[..., 1])
        angle = np.arctan2(rho, points[..., 2])
        safe_rho = np.maximum(rho, _TINY)
        azimuth = points[..., :2] / safe_rho[..., None]
        limit = min(max_angle_rad, math.radians(89.0))
        inside = np.minimum(angle, limit)
        uv = self._distort(azimuth * np.tan(inside)[..., None])
        beyond = np.maximum(angle - limit, 0.0)
        step = 1e-6
        edge = self._distort(azimuth * math.tan(limit))
        slope = (edge - self._distort(azimuth * math.tan(limit - step))) / step
        return uv + slope * beyond[..., None]

    def unproject(self, uv: Any) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2], by Newton's method on the distortion."""
        uv = np.asarray(uv, dtype=np.float64)
        target = np.stack([(uv[..., 0] - self.cx_px) / self.fx_px, (uv[..., 1] - self.cy_px) / self.fy_px], axis=-1)
        xy = target.copy()
        for _ in range(20):
            x, y = xy[..., 0], xy[..., 1]
            r2 = x * x + y * y
            radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
            growth = 2 * (self.k1 + r2 * (2 * self.k2 + 3 * self.k3 * r2))
            xx = radial + growth * x * x + 2 * self.p1 * y + 6 * self.p2 * x
            yy = radial + growth * y * y + 6 * self.p1 * y + 2 * self.p2 * x
            xy_term = growth * x * y + 2 * self.p1 * x + 2 * self.p2 * y
            miss = self._normalised(xy) - target
            det = xx * yy - xy_term * xy_term
            det = np.where(np.abs(det) < _TINY, _TINY, det)
            step_x = (yy * miss[..., 0] - xy_term * miss[..., 1]) / det
            step_y = (xx * miss[..., 1] - xy_term * miss[..., 0]) / det
            xy = xy - np.stack([step_x, step_y], axis=-1)
        return _unit(np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1))

    def scaled(self, x: float, y: float) -> Brown:
        """The lens of the same picture resized by x and y."""
        return replace(self, fx_px=self.fx_px * x, fy_px=self.fy_px * y, cx_px=self.cx_px * x, cy_px=self.cy_px * y)

    def _normalised(self, xy: FloatArray) -> FloatArray:
        x, y = xy[..., 0], xy[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        distorted_x = x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x)
        distorted_y = y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y
        return np.stack([distorted_x, distorted_y], axis=-1)

    def _distort(self, xy: FloatArray) -> FloatArray:
        return self._normalised(xy) * (self.fx_px, self.fy_px) + (self.cx_px, self.cy_px)


@dataclass(frozen=True)
class OpenCvFisheye:
    """r = theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8), u = fx r cos(phi) + cx (OpenCV fisheye)."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0

    @property
    def polynomial(self) -> tuple[float, ...]:
        """Coefficients of r(theta) by rising power."""
        return (0.0, 1.0, 0.0, self.k1, 0.0, self.k2, 0.0, self.k3, 0.0, self.k4)

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]."""
        angle, azimuth = _angle_and_azimuth(points_camera)
        radius = _radius_beyond(angle, max_angle_rad, lambda a: poly.polyval(a, self.polynomial))
        return radius[..., None] * azimuth * (self.fx_px, self.fy_px) + (self.cx_px, self.cy_px)

    def unproject(self, uv: Any) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        uv = np.asarray(uv, dtype=np.float64)
        xy = (uv - (self.cx_px, self.cy_px)) / (self.fx_px, self.fy_px)
        radius = np.hypot(xy[..., 0], xy[..., 1])
        angle = _inverse(self.polynomial, radius, upper=math.pi)
        return _ray(angle, xy, radius)

    def scaled(self, x: float, y: float) -> OpenCvFisheye:
        """The lens of the same picture resized by x and y."""
        return replace(self, fx_px=self.fx_px * x, fy_px=self.fy_px * y, cx_px=self.cx_px * x, cy_px=self.cy_px * y)


@dataclass(frozen=True)
class FTheta:
    """NVIDIA's f-theta model: a polynomial between ray angle and distance from the principal point.

    cx_px, cy_px: principal point.
    polynomial: k0..k5 by rising power, k0 = 0. ``pixeldistance-to-angle`` maps pixels to radians
        (k1 about 1/f), ``angle-to-pixeldistance`` maps radians to pixels (k1 = f).
    linear_c, linear_d, linear_e: (u, v) = [[c, d], [e, 1]] (x, y) r/rho + centre.
    """

    cx_px: float
    cy_px: float
    polynomial: tuple[float, ...]
    direction: FThetaDirection
    linear_c: float = 1.0
    linear_d: float = 0.0
    linear_e: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= len(self.polynomial) <= 6:
            raise FrameError(f"f-theta polynomial: expected 2 to 6 coefficients, got {len(self.polynomial)}")
        if self.polynomial[0] != 0.0:
            raise FrameError(f"f-theta polynomial: the constant term must be 0, got {self.polynomial[0]}")

    @property
    def affine(self) -> FloatArray:
        """[[c, d], [e, 1]]."""
        return np.array([[self.linear_c, self.linear_d], [self.linear_e, 1.0]])

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]; finite for points behind the camera too."""
        angle, azimuth = _angle_and_azimuth(points_camera)
        if self.direction == "angle-to-pixeldistance":
            radius = _radius_beyond(angle, max_angle_rad, lambda a: poly.polyval(a, self.polynomial))
        else:
            radius = _radius_beyond(angle, max_angle_rad, lambda a: _inverse(self.polynomial, a, upper=None))
        return (radius[..., None] * azimuth) @ self.affine.T + (self.cx_px, self.cy_px)

    def unproject(self, uv: Any) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        uv = np.asarray(uv, dtype=np.float64)
        xy = (uv - (self.cx_px, self.cy_px)) @ np.linalg.inv(self.affine).T
        radius = np.hypot(xy[..., 0], xy[..., 1])
        if self.direction == "angle-to-pixeldistance":
            angle = _inverse(self.polynomial, radius, upper=math.pi)
        else:
            angle = poly.polyval(radius, self.polynomial)
        return _ray(angle, xy, radius)

    def scaled(self, x: float, y: float) -> FTheta:
        """The lens of the same picture resized by x and y; exact when both are equal."""
        factor = math.sqrt(x * y)
        if self.direction == "angle-to-pixeldistance":
            coefficients = tuple(k * factor for k in self.polynomial)
        else:
            coefficients = tuple(k / factor**power for power, k in enumerate(self.polynomial))
        return replace(self, cx_px=self.cx_px * x, cy_px=self.cy_px * y, polynomial=coefficients)


Lens: TypeAlias = Pinhole | Brown | OpenCvFisheye | FTheta


def require_increasing(lens: Lens, corner_offsets_px: FloatArray) -> None:
    """Refuse a distortion that folds back inside of the image.

    corner_offsets_px: [4,2], the image corners relative to the principal point.
    """
    if isinstance(lens, Pinhole):
        return
    if isinstance(lens, FTheta):
        xy = corner_offsets_px @ np.linalg.inv(lens.affine).T
        coefficients, what = lens.polynomial, f"f-theta polynomial ({lens.direction})"
        by_radius = lens.direction == "pixeldistance-to-angle"
    elif isinstance(lens, OpenCvFisheye):
        xy = corner_offsets_px / (lens.fx_px, lens.fy_px)
        coefficients, what, by_radius = lens.polynomial, "fisheye polynomial", False
    else:
        xy = corner_offsets_px / (lens.fx_px, lens.fy_px)
        coefficients = (0.0, 1.0, 0.0, lens.k1, 0.0, lens.k2, 0.0, lens.k3)
        what, by_radius = "radial distortion", False
    radius = float(np.hypot(xy[:, 0], xy[:, 1]).max())
    if by_radius:
        grid = np.linspace(0.0, radius, _TABLE_SIZE)
        if not (poly.polyval(grid, poly.polyder(coefficients)) > 0).all():
            raise FrameError(f"{what} does not increase up to the image corner ({radius:.4g} px from the centre)")
        return
    upper = 10.0 if isinstance(lens, Brown) else math.pi
    grid = np.linspace(0.0, upper, _TABLE_SIZE)
    falling = np.flatnonzero(poly.polyval(grid, poly.polyder(coefficients)) <= 0)
    last = falling[0] if len(falling) else len(grid) - 1
    if poly.polyval(grid[last], coefficients) < radius:
        raise FrameError(f"{what} does not increase up to the image corner (it reaches {radius:.4g} there)")


def _angle_and_azimuth(points_camera: Any) -> tuple[FloatArray, FloatArray]:
    points = np.asarray(points_camera, dtype=np.float64)
    rho = np.hypot(points[..., 0], points[..., 1])
    azimuth = points[..., :2] / np.maximum(rho, _TINY)[..., None]
    return np.arctan2(rho, points[..., 2]), azimuth


def _radius_beyond(angle: FloatArray, limit: float, radius_of: Any) -> FloatArray:
    """radius_of(angle) up to the limit, its tangent after it."""
    inside = radius_of(np.minimum(angle, limit))
    if not (angle > limit).any():
        return np.asarray(inside)
    step = 1e-6
    at_limit, before = radius_of(np.array([limit, limit - step]))
    return np.asarray(inside + (at_limit - before) / step * np.maximum(angle - limit, 0.0))


def _inverse(coefficients: tuple[float, ...], value: FloatArray, upper: float | None) -> FloatArray:
    """Solve p(x) = value for the smallest x >= 0: a table for the start, then Newton."""
    value = np.asarray(value, dtype=np.float64)
    derivative = poly.polyder(coefficients)
    if upper is None:
        upper = 2.0 * float(value.max(initial=0.0)) / coefficients[1] + 1.0
    grid = np.linspace(0.0, upper, _TABLE_SIZE)
    falling = np.flatnonzero(poly.polyval(grid, derivative) <= 0)
    grid = grid[: falling[0]] if len(falling) else grid
    x = np.interp(value, poly.polyval(grid, coefficients), grid)
    for _ in range(6):
        x = x - (poly.polyval(x, coefficients) - value) / poly.polyval(x, derivative)
    return x


def _ray(angle: FloatArray, xy: FloatArray, radius: FloatArray) -> FloatArray:
    """Unit rays from angle off the axis and direction in the image; the centre gives (0, 0, 1)."""
    azimuth = xy / np.maximum(radius, _TINY)[..., None]
    return np.concatenate([np.sin(angle)[..., None] * azimuth, np.cos(angle)[..., None]], axis=-1)


def _unit(rays: FloatArray) -> FloatArray:
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))
