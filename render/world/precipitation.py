"""Rain and snow in the air: drops and flakes with places in the world, so that all cameras see the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph import SE3, Camera

from .look import Look
from .seeds import generator

Float32Array = npt.NDArray[np.float32]
_BOX_M: Final = 16.0
_NEAREST_M: Final = 0.7


@dataclass(frozen=True)
class _Falling:
    """count: in a cube of 16 m. speed_mps, drift_mps: down and sideways. exposure_s: how long a picture takes.

    size_m: across. shine: how much of the sky's light it shows.
    """

    count: int
    speed_mps: float
    drift_mps: float
    exposure_s: float
    size_m: float
    shine: float


_KINDS: Final = {
    "rain": _Falling(1500, 7.5, 0.6, 0.016, 0.004, 0.55),
    "heavy_rain": _Falling(4200, 8.5, 1.2, 0.018, 0.005, 0.60),
    "snow": _Falling(5200, 1.3, 0.7, 0.010, 0.016, 0.95),
}


class Precipitation:
    """What falls in one clip."""

    def __init__(self, look: Look, seed: int) -> None:
        self._kind = _KINDS.get(look.weather)
        rng = generator("falling", seed)
        if self._kind is not None:
            self._places = rng.uniform(0.0, _BOX_M, (self._kind.count, 3))
            self._sway = rng.uniform(0.0, 2 * np.pi, self._kind.count)
            turn = rng.uniform(0.0, 2 * np.pi)
            drift = self._kind.drift_mps
            self._wind = np.array([drift * np.cos(turn), drift * np.sin(turn), -self._kind.speed_mps])

    def draw(
        self, picture: Float32Array, depth_m: Float32Array, camera: Camera, pose: SE3, time_us: int, light: Any
    ) -> None:
        """Add the drops or flakes near a camera to light float32 [H,W,3]; what is nearer than they hides them."""
        kind = self._kind
        if kind is None:
            return
        seconds = time_us / 1e6
        low = pose.translation_m - _BOX_M / 2
        places = low + np.mod(self._places + self._wind * seconds - low, _BOX_M)
        if kind.size_m > 0.01:
            places[:, :2] += 0.15 * np.stack([np.sin(3 * seconds + self._sway), np.cos(2 * seconds + self._sway)], 1)
        camera_from_world = pose.inverse()
        start = camera_from_world.apply(places)
        end = camera_from_world.apply(places + self._wind * kind.exposure_s)
        seen = (start[:, 2] > _NEAREST_M) & (end[:, 2] > _NEAREST_M)
        start, end = start[seen], end[seen]
        (from_px, depth), (to_px, _) = camera.project(start), camera.project(end)
        share = _drawn(from_px, to_px, depth, depth_m, kind, _pixels_per_radian(camera))
        colour = kind.shine * (0.5 * np.array(light.above) + 0.5 * np.array(light.horizon)) + 0.02 * light.dark
        picture += share[..., None] * (colour.astype(np.float32) - picture)


def _pixels_per_radian(camera: Camera) -> float:
    u, v = (camera.width_px - 1) / 2, (camera.height_px - 1) / 2
    one, other = camera.unproject(np.array([[u, v], [u + 1.0, v]]))
    return 1.0 / max(float(np.linalg.norm(other - one)), 1e-9)


def _drawn(
    from_px: Any, to_px: Any, depth: Any, depth_m: Float32Array, kind: _Falling, per_radian: float
) -> Float32Array:
    """How much of every pixel is covered, float32 [H,W]."""
    height, width = depth_m.shape
    share = np.zeros((height, width), dtype=np.float32)
    layer = np.zeros((height, width), dtype=np.uint8)
    middle = np.round((from_px + to_px) / 2).astype(np.int64)
    inside = (middle >= 0).all(axis=1) & (middle[:, 0] < width) & (middle[:, 1] < height)
    inside &= np.abs(to_px - from_px).max(axis=1) < height
    for number in np.flatnonzero(inside):
        column, row = middle[number]
        if depth_m[row, column] < depth[number]:
            continue
        wide = kind.size_m / depth[number] * per_radian
        level = min(int(255 * min(wide, 1.0) * 0.8), 255)
        if level < 3:
            continue
        points = np.round(np.stack([from_px[number], to_px[number]]) * 16).astype(np.int64)
        thick = max(1, min(round(wide), 6))
        cv2.line(layer, points[0].tolist(), points[1].tolist(), (level,), thick, cv2.LINE_AA, 4)
    share += layer.astype(np.float32) / 255
    return share * np.float32(0.75)
