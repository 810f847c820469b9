"""One camera: a lens, a picture size and a place on the vehicle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .arrays import FloatArray, all_finite
from .errors import FrameError
from .lens import Lens, require_increasing
from .se3 import SE3

# Turns forward-left-up axes (vehicles, and sensors in rig files) into right-down-forward (cameras).
CAMERA_FROM_FLU = SE3(np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.zeros(3))


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera of a rig.

    name: its name in files and folders.
    lens: maps camera-frame points to pixels of a picture of width_px x height_px.
    ego_from_camera: pose of the camera (x right, y down, z forward) on the vehicle (x forward, y left, z up).
    """

    name: str
    lens: Lens
    width_px: int
    height_px: int
    ego_from_camera: SE3

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise FrameError(f"camera {self.name}: size must be positive, got {self.width_px}x{self.height_px}")
        if self.ego_from_camera.shape or not all_finite(self.ego_from_camera.matrix):
            raise FrameError(f"camera {self.name}: expected one pose without NaN or infinity")
        centre = np.array([self.lens.cx_px, self.lens.cy_px])
        try:
            require_increasing(self.lens, self._corners_px - centre)
        except FrameError as error:
            raise FrameError(f"camera {self.name}: {error}") from error

    @property
    def _corners_px(self) -> FloatArray:
        right, bottom = self.width_px - 1, self.height_px - 1
        return np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], dtype=np.float64)

    @cached_property
    def max_angle_rad(self) -> float:
        """Largest angle between the optical axis and the ray of a corner pixel."""
        x, y, z = np.ascontiguousarray(self.lens.unproject(self._corners_px).T)
        return float(np.arctan2(np.hypot(x, y), z).max())

    def project(self, points_camera: Any) -> tuple[FloatArray, FloatArray]:
        """Pixels [...,2] and depth z in metres [...] of camera-frame points [...,3].

        A point with depth <= 0 is behind the camera; its pixels are finite and mean nothing.
        """
        points = np.asarray(points_camera, dtype=np.float64)
        return self.lens.project(points, self.max_angle_rad), points[..., 2]

    def unproject(self, uv: Any) -> FloatArray:
        """Unit rays [...,3] in the camera frame through pixels [...,2], the inverse of ``project``.

        Also outside of the picture, as far as any ray with an angle below 180 degrees lands there.
        """
        return self.lens.unproject(uv, self.max_angle_rad)

    def sees(self, points_camera: Any) -> Any:
        """Which points [...,3] lie in front and inside of the picture."""
        uv, depth_m = self.project(points_camera)
        right, bottom = self.width_px - 0.5, self.height_px - 0.5
        inside = (uv[..., 0] >= -0.5) & (uv[..., 0] <= right) & (uv[..., 1] >= -0.5) & (uv[..., 1] <= bottom)
        return inside & (depth_m > 0)

    def border_pixels(self, count: int = 16, margin_px: float = 0.0) -> FloatArray:
        """Pixels [4*count,2] around the edge of the picture, ``margin_px`` outside of it."""
        left, top = -0.5 - margin_px, -0.5 - margin_px
        right, bottom = self.width_px - 0.5 + margin_px, self.height_px - 0.5 + margin_px
        fraction = np.linspace(0.0, 1.0, count, endpoint=False)
        across, down = left + (right - left) * fraction, top + (bottom - top) * fraction
        sides = [
            np.stack([across, np.full(count, top)], axis=1),
            np.stack([np.full(count, right), down], axis=1),
            np.stack([right + left - across, np.full(count, bottom)], axis=1),
            np.stack([np.full(count, left), bottom + top - down], axis=1),
        ]
        return np.concatenate(sides)

    def resized(self, width_px: int, height_px: int) -> Camera:
        """The same view in a picture of another size; both axes are scaled to fill it."""
        if (width_px, height_px) == (self.width_px, self.height_px):
            return self
        lens = self.lens.scaled(width_px / self.width_px, height_px / self.height_px)
        return Camera(self.name, lens, width_px, height_px, self.ego_from_camera)

    def filled(self, width_px: int, height_px: int) -> Camera:
        """The middle of the view in a picture of this size: its shape is kept, what is too wide or high is cut off."""
        scale = max(width_px / self.width_px, height_px / self.height_px)
        cut_width = min(round(width_px / scale), self.width_px)
        cut_height = min(round(height_px / scale), self.height_px)
        left, top = (self.width_px - cut_width) // 2, (self.height_px - cut_height) // 2
        lens = replace(self.lens, cx_px=self.lens.cx_px - left, cy_px=self.lens.cy_px - top)
        return Camera(self.name, lens, cut_width, cut_height, self.ego_from_camera).resized(width_px, height_px)

    def fitted(self, max_width_px: int, max_height_px: int) -> Camera:
        """The same view, as large as fits, its shape kept, both sides even (as video codecs want)."""
        if max_width_px < 2 or max_height_px < 2:
            raise FrameError(f"camera {self.name}: cannot fit into {max_width_px}x{max_height_px} px")
        scale = min(max_width_px / self.width_px, max_height_px / self.height_px)
        return self.resized(
            _even(self.width_px * scale, max_width_px),
            _even(self.height_px * scale, max_height_px),
        )


def _even(size_px: float, most_px: int) -> int:
    """The even number nearest to a size, at least 2 and not above the most that is allowed."""
    return max(2, min(round(size_px / 2), most_px // 2) * 2)
