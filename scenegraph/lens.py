"""Lenses: from rays in the camera frame to pixels and back.

Camera frame: x right, y down, z forward. Pixels: u right, v down, (0, 0) is the centre of the
top-left pixel. All arithmetic is float64 with exact inversion (Newton), angles by atan2.

Every lens has ``project(points, max_angle_rad)``, its inverse ``unproject(uv, max_angle_rad)`` and
``scaled(x, y)``. ``max_angle_rad`` is the largest ray angle inside the image: a distortion polynomial is fitted
only up to there, so beyond it the image radius goes on linearly and nothing folds back into the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from .arrays import FloatArray
from .errors import FrameError
from .radial import Coefficients, RadialCurve, polyval, radial_curve, turning_point

FThetaDirection = Literal["pixeldistance-to-angle", "angle-to-pixeldistance"]
_BROWN_MAX_ANGLE_RAD = math.radians(89.0)  # x/z and y/z end there
_NEWTON_STEPS = 6
_TINY = 1e-12


@dataclass(frozen=True)
class Pinhole:
    """u = fx x/z + cx, v = fy y/z + cy. No distortion."""

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    def __post_init__(self) -> None:
        _require_sound("pinhole", self)

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]; meaningless for z <= 0."""
        x, y, z = np.moveaxis(np.asarray(points_camera, dtype=np.float64), -1, 0)
        z = np.where(np.abs(z) < _TINY, _TINY, z)
        return np.stack([self.fx_px * x / z + self.cx_px, self.fy_px * y / z + self.cy_px], axis=-1)

    def unproject(self, uv: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        xy = _centred(uv, self)
        return _unit(np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1))

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

    def __post_init__(self) -> None:
        _require_sound("Brown", self)

    @property
    def polynomial(self) -> Coefficients:
        """Coefficients by rising power of the radial part, from tan(angle) to distorted radius."""
        return (0.0, 1.0, 0.0, self.k1, 0.0, self.k2, 0.0, self.k3)

    def project(self, points_camera: Any, max_angle_rad: float = _BROWN_MAX_ANGLE_RAD) -> FloatArray:
        """Pixels [...,2] of points [...,3]; beyond ``max_angle_rad`` they move outwards linearly with the angle."""
        return self._project(*_angle_and_azimuth(points_camera), self._limit_rad(max_angle_rad))

    def unproject(self, uv: Any, max_angle_rad: float = _BROWN_MAX_ANGLE_RAD) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2], by Newton's method on angle times direction."""
        uv = np.asarray(uv, dtype=np.float64)
        xy = _centred(uv, self)
        limit = self._limit_rad(max_angle_rad)
        radial = radial_curve(self.polynomial, False, math.tan(limit)).angle(np.hypot(xy[..., 0], xy[..., 1]))
        bent = _azimuth(xy) * np.arctan(radial)[..., None]  # angle off the axis times direction in the image
        step = 1e-6
        step_x, step_y = np.array([step, 0.0]), np.array([0.0, step])
        for _ in range(_NEWTON_STEPS):
            here = self._project_bent(bent, limit)
            along_x = (self._project_bent(bent + step_x, limit) - here) / step
            along_y = (self._project_bent(bent + step_y, limit) - here) / step
            miss = here - uv
            det = along_x[..., 0] * along_y[..., 1] - along_x[..., 1] * along_y[..., 0]
            det = np.where(np.abs(det) < _TINY, np.inf, det)
            move_x = (along_y[..., 1] * miss[..., 0] - along_y[..., 0] * miss[..., 1]) / det
            move_y = (along_x[..., 0] * miss[..., 1] - along_x[..., 1] * miss[..., 0]) / det
            bent = bent - np.stack([move_x, move_y], axis=-1)
        return _ray(np.hypot(bent[..., 0], bent[..., 1]), bent)

    def scaled(self, x: float, y: float) -> Brown:
        """The lens of the same picture resized by x and y."""
        return replace(self, fx_px=self.fx_px * x, fy_px=self.fy_px * y, cx_px=self.cx_px * x, cy_px=self.cy_px * y)

    def _limit_rad(self, max_angle_rad: float) -> float:
        return min(max_angle_rad, _BROWN_MAX_ANGLE_RAD, math.atan(turning_point(self.polynomial)))

    def _project_bent(self, bent: FloatArray, limit_rad: float) -> FloatArray:
        return self._project(np.hypot(bent[..., 0], bent[..., 1]), _azimuth(bent), limit_rad)

    def _project(self, angle_rad: FloatArray, azimuth: FloatArray, limit_rad: float) -> FloatArray:
        uv = self._distort(azimuth * np.tan(np.minimum(angle_rad, limit_rad))[..., None])
        step = 1e-6
        edge = self._distort(azimuth * math.tan(limit_rad))
        slope = (edge - self._distort(azimuth * math.tan(limit_rad - step))) / step
        return np.asarray(uv + slope * np.maximum(angle_rad - limit_rad, 0.0)[..., None])

    def _distort(self, xy: FloatArray) -> FloatArray:
        x, y = xy[..., 0], xy[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * (self.k2 + r2 * self.k3))
        distorted_x = x * radial + 2 * self.p1 * x * y + self.p2 * (r2 + 2 * x * x)
        distorted_y = y * radial + self.p1 * (r2 + 2 * y * y) + 2 * self.p2 * x * y
        return np.stack([distorted_x * self.fx_px + self.cx_px, distorted_y * self.fy_px + self.cy_px], axis=-1)


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

    def __post_init__(self) -> None:
        _require_sound("fisheye", self)

    @property
    def polynomial(self) -> Coefficients:
        """Coefficients of r(theta) by rising power."""
        return (0.0, 1.0, 0.0, self.k1, 0.0, self.k2, 0.0, self.k3, 0.0, self.k4)

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]."""
        angle, azimuth = _angle_and_azimuth(points_camera)
        radius = radial_curve(self.polynomial, False, max_angle_rad).radius(angle)
        return radius[..., None] * azimuth * (self.fx_px, self.fy_px) + (self.cx_px, self.cy_px)

    def unproject(self, uv: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        xy = _centred(uv, self)
        angle = radial_curve(self.polynomial, False, max_angle_rad).angle(np.hypot(xy[..., 0], xy[..., 1]))
        return _ray(angle, xy)

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
        object.__setattr__(self, "polynomial", tuple(float(k) for k in self.polynomial))
        if not 2 <= len(self.polynomial) <= 6:
            raise FrameError(f"f-theta polynomial: expected 2 to 6 coefficients, got {len(self.polynomial)}")
        if self.polynomial[0] != 0.0:
            raise FrameError(f"f-theta polynomial: the constant term must be 0, got {self.polynomial[0]}")
        if self.direction not in get_args(FThetaDirection):
            known = " or ".join(get_args(FThetaDirection))
            raise FrameError(f"f-theta polynomial: direction must be {known}, got {self.direction!r}")
        _require_sound("f-theta", self)
        if not self.polynomial[1] > 0:
            raise FrameError(f"f-theta polynomial: the linear coefficient must be above 0, got {self.polynomial[1]}")
        if abs(self.linear_c - self.linear_d * self.linear_e) < 1e-6:
            raise FrameError("f-theta linear terms: [[c, d], [e, 1]] has no inverse")

    @property
    def affine(self) -> FloatArray:
        """[[c, d], [e, 1]]."""
        return np.array([[self.linear_c, self.linear_d], [self.linear_e, 1.0]])

    def project(self, points_camera: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Pixels [...,2] of points [...,3]; finite for points behind the camera too."""
        angle, azimuth = _angle_and_azimuth(points_camera)
        x, y = np.moveaxis(self._curve(max_angle_rad).radius(angle)[..., None] * azimuth, -1, 0)
        u, v = self.linear_c * x + self.linear_d * y, self.linear_e * x + y
        return np.stack([u + self.cx_px, v + self.cy_px], axis=-1)

    def unproject(self, uv: Any, max_angle_rad: float = math.pi) -> FloatArray:
        """Unit rays [...,3] through pixels [...,2]."""
        xy = self._unsheared(np.asarray(uv, dtype=np.float64) - (self.cx_px, self.cy_px))
        return _ray(self._curve(max_angle_rad).angle(np.hypot(xy[..., 0], xy[..., 1])), xy)

    def scaled(self, x: float, y: float) -> FTheta:
        """The lens of the same picture resized by x and y; exact when both are equal."""
        factor = math.sqrt(x * y)
        if self.direction == "angle-to-pixeldistance":
            coefficients = tuple(k * factor for k in self.polynomial)
        else:
            coefficients = tuple(k / factor**power for power, k in enumerate(self.polynomial))
        return replace(self, cx_px=self.cx_px * x, cy_px=self.cy_px * y, polynomial=coefficients)

    def _curve(self, max_angle_rad: float) -> RadialCurve:
        return radial_curve(self.polynomial, self.direction == "pixeldistance-to-angle", max_angle_rad)

    def _unsheared(self, offset_px: FloatArray) -> FloatArray:
        u, v = offset_px[..., 0], offset_px[..., 1]
        det = self.linear_c - self.linear_d * self.linear_e
        return np.stack([(u - self.linear_d * v) / det, (self.linear_c * v - self.linear_e * u) / det], axis=-1)


Lens: TypeAlias = Pinhole | Brown | OpenCvFisheye | FTheta


def require_increasing(lens: Lens, corner_offsets_px: FloatArray) -> None:
    """Refuse a distortion that folds back inside of the image.

    corner_offsets_px: [4,2], the image corners relative to the principal point.
    """
    if isinstance(lens, Pinhole):
        return
    if isinstance(lens, FTheta):
        xy = lens._unsheared(corner_offsets_px)
        what, upper = f"f-theta polynomial ({lens.direction})", math.pi
    else:
        xy = corner_offsets_px / (lens.fx_px, lens.fy_px)
        is_brown = isinstance(lens, Brown)
        what = "radial distortion" if is_brown else "fisheye polynomial"
        upper = math.tan(_BROWN_MAX_ANGLE_RAD) if is_brown else math.pi
    radius = float(np.hypot(xy[:, 0], xy[:, 1]).max())
    turn = turning_point(lens.polynomial)
    if isinstance(lens, FTheta) and lens.direction == "pixeldistance-to-angle":
        if turn <= radius:
            raise FrameError(f"{what} does not increase up to the image corner ({radius:.4g} px from the centre)")
        if (angle := polyval(lens.polynomial, radius)) > math.pi:
            raise FrameError(f"{what} bends the image corner by {angle:.4g} rad, more than half a turn")
    elif polyval(lens.polynomial, min(turn, upper)) <= radius:
        raise FrameError(f"{what} does not increase up to the image corner (it reaches {radius:.4g} there)")


def _require_sound(what: str, lens: Any) -> None:
    """Refuse NaN, infinity and focal lengths that are not positive."""
    for name in (field.name for field in fields(lens)):
        value = getattr(lens, name)
        if not isinstance(value, str) and not np.isfinite(value).all():
            raise FrameError(f"{what} lens: {name} holds NaN or infinity")
        if name in ("fx_px", "fy_px") and not value > 0:
            raise FrameError(f"{what} lens: {name} must be above 0, got {value:g}")


def _centred(uv: Any, lens: Pinhole | Brown | OpenCvFisheye) -> FloatArray:
    """Pixels [...,2] as offsets from the principal point in focal lengths."""
    return np.asarray((np.asarray(uv, dtype=np.float64) - (lens.cx_px, lens.cy_px)) / (lens.fx_px, lens.fy_px))


def _angle_and_azimuth(points_camera: Any) -> tuple[FloatArray, FloatArray]:
    points = np.asarray(points_camera, dtype=np.float64)
    # Not of columns: where numpy's arctan2 of a strided array lies in memory may decide about its last bit.
    x, y, z = np.ascontiguousarray(np.moveaxis(points, -1, 0))
    return np.arctan2(np.hypot(x, y), z), _azimuth(points[..., :2])


def _azimuth(xy: FloatArray) -> FloatArray:
    """Unit vectors [...,2] along xy [...,2]; (0, 0) stays."""
    return np.asarray(xy / np.maximum(np.hypot(xy[..., 0], xy[..., 1]), _TINY)[..., None])


def _ray(angle_rad: FloatArray, xy: FloatArray) -> FloatArray:
    """Unit rays from angle off the axis (at most pi) and direction in the image; the centre gives (0, 0, 1)."""
    angle_rad = np.minimum(angle_rad, math.pi)
    return np.concatenate([np.sin(angle_rad)[..., None] * _azimuth(xy), np.cos(angle_rad)[..., None]], axis=-1)


def _unit(rays: FloatArray) -> FloatArray:
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))
