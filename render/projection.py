"""Camera projection for compiled code: any lens as a few numbers and a table.

``LensTable`` holds what the compiled functions need. Radial lenses (f-theta, fisheye) become a table of
image radius over ray angle, interpolated by cubic Hermite pieces from exact values and slopes: within
1e-6 px of the exact lens, at a fifth of the cost of Newton's method. Pinhole and Brown are computed
directly. Points are clipped at ``NEAR_M`` in camera space before they get here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenegraph import SE3, Brown, Camera, FTheta, OpenCvFisheye
from scenegraph.arrays import FloatArray
from scenegraph.radial import turning_point

from .compiling import njit

NEAR_M = 0.05
"""Everything is clipped here in camera space, before projection."""

_NODES = 4097
_MARGIN_PX = 10.0  # half of the widest line, so that culling never removes a visible edge


@dataclass(frozen=True, eq=False)
class LensTable:
    """A camera for compiled code.

    numbers: float64 [16]: kind (0 pinhole, 1 radial, 2 Brown), cx, cy, a00, a01, a10, a11, k1, k2, p1, p2, k3,
        limit angle, width, height, table step.
    radius: float64 [nodes,2], image radius and its slope times the step, by ray angle; [1,2] for other lenses.
    frustum: float64 [4], bounds of x/z (low, high) and y/z (low, high) of the picture, infinite where unbounded.
    """

    numbers: FloatArray
    radius: FloatArray
    frustum: FloatArray


def lens_table(camera: Camera) -> LensTable:
    """The numbers and the table of a camera."""
    lens = camera.lens
    numbers = np.zeros(16)
    numbers[1:3] = lens.cx_px, lens.cy_px
    numbers[12:15] = min(camera.max_angle_rad, math.pi), camera.width_px, camera.height_px
    radius = np.zeros((1, 2))
    if isinstance(lens, FTheta | OpenCvFisheye):
        step = math.pi / (_NODES - 1)
        numbers[0], numbers[15] = 1, step
        numbers[3:7] = _affine(lens).ravel()
        radius = _radius_table(lens, camera.max_angle_rad, step)
    else:
        numbers[3], numbers[6] = lens.fx_px, lens.fy_px
        if isinstance(lens, Brown):
            numbers[0] = 2
            numbers[7:12] = lens.k1, lens.k2, lens.p1, lens.p2, lens.k3
            numbers[12] = min(camera.max_angle_rad, math.radians(89.0), math.atan(turning_point(lens.polynomial)))
    return LensTable(numbers, radius, _frustum(camera))


def _affine(lens: FTheta | OpenCvFisheye) -> FloatArray:
    return lens.affine if isinstance(lens, FTheta) else np.diag([lens.fx_px, lens.fy_px])


def _radius_table(lens: FTheta | OpenCvFisheye, max_angle_rad: float, step: float) -> FloatArray:
    plain: Any
    if isinstance(lens, FTheta):
        plain = replace(lens, cx_px=0.0, cy_px=0.0, linear_c=1.0, linear_d=0.0, linear_e=0.0)
    else:
        plain = replace(lens, cx_px=0.0, cy_px=0.0, fx_px=1.0, fy_px=1.0)

    def radius_at(angle: FloatArray) -> FloatArray:
        rays = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
        return np.asarray(plain.project(rays, max_angle_rad)[:, 0])

    angles = np.arange(_NODES) * step
    delta = 1e-5
    ahead, behind = np.minimum(angles + delta, math.pi), np.maximum(angles - delta, 0.0)
    slope = (radius_at(ahead) - radius_at(behind)) / (ahead - behind)
    return np.ascontiguousarray(np.stack([radius_at(angles), slope * step], axis=1))


def _frustum(camera: Camera) -> FloatArray:
    margin_px = _MARGIN_PX * max(1.0, camera.height_px / camera.width_px)  # lines are that much thicker upwards
    rays = camera.unproject(camera.border_pixels(64, margin_px=margin_px))
    if (rays[:, 2] < 0.02).any():
        return np.array([-np.inf, np.inf, -np.inf, np.inf])
    x, y = rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2]
    return np.array([x.min(), x.max(), y.min(), y.max()])


def camera_from_world(world_from_camera: SE3) -> FloatArray:
    """Rotation and translation of the inverse pose as one array [3,4] for compiled code."""
    inverse = world_from_camera.inverse()
    return np.ascontiguousarray(np.concatenate([inverse.rotation, inverse.translation_m[:, None]], axis=1))


@njit
def project_point(x: float, y: float, z: float, numbers: Any, radius: Any) -> tuple[float, float]:
    """Pixels of one camera-frame point with z > 0."""
    if numbers[0] == 0.0:
        return numbers[3] * x / z + numbers[1], numbers[6] * y / z + numbers[2]
    if numbers[0] == 2.0:
        return _project_brown(x, y, z, numbers)
    rho = math.sqrt(x * x + y * y)
    if rho < 1e-12:
        return numbers[1], numbers[2]
    place = math.atan2(rho, z) / numbers[15]
    node = min(int(place), radius.shape[0] - 2)
    t = place - node
    r0, s0, r1, s1 = radius[node, 0], radius[node, 1], radius[node + 1, 0], radius[node + 1, 1]
    rise = r1 - r0
    scale = (r0 + t * (s0 + t * (3.0 * rise - 2.0 * s0 - s1 + t * (s0 + s1 - 2.0 * rise)))) / rho
    px, py = x * scale, y * scale
    return numbers[3] * px + numbers[4] * py + numbers[1], numbers[5] * px + numbers[6] * py + numbers[2]


@njit
def _project_brown(x: float, y: float, z: float, numbers: Any) -> tuple[float, float]:
    rho = math.sqrt(x * x + y * y)
    angle = math.atan2(rho, z)
    limit = numbers[12]
    if angle <= limit or rho < 1e-12:
        return _distort(x / z, y / z, numbers)
    ux, uy = x / rho, y / rho
    step = 1e-6
    far, near = math.tan(limit), math.tan(limit - step)
    u1, v1 = _distort(ux * far, uy * far, numbers)
    u0, v0 = _distort(ux * near, uy * near, numbers)
    beyond = (angle - limit) / step
    return u1 + (u1 - u0) * beyond, v1 + (v1 - v0) * beyond


@njit
def _distort(x: float, y: float, numbers: Any) -> tuple[float, float]:
    k1, k2, p1, p2, k3 = numbers[7], numbers[8], numbers[9], numbers[10], numbers[11]
    r2 = x * x + y * y
    radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
    dx = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x)
    dy = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y
    return numbers[3] * dx + numbers[1], numbers[6] * dy + numbers[2]


@njit
def project_points(points_camera: Any, numbers: Any, radius: Any, uv: Any) -> None:
    """Pixels [N,2] of camera-frame points [N,3] with z > 0, into ``uv``."""
    for i in range(points_camera.shape[0]):
        uv[i, 0], uv[i, 1] = project_point(
            points_camera[i, 0], points_camera[i, 1], points_camera[i, 2], numbers, radius
        )
