"""What the ground is made of: asphalt with its wheel tracks, pavement, verge, grass, bare soil or snow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from scenegraph import HDMap

from .brush import fill, stroke
from .look import Look
from .noise import spread, tile
from .place_styles import style_of
from .pyramid import Window
from .semantic import SemanticClass

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]
Rgb = tuple[float, float, float]

_GRASS: Final[dict[str | None, Rgb]] = {
    None: (0.075, 0.105, 0.030),
    "spring": (0.075, 0.125, 0.028),
    "summer": (0.095, 0.112, 0.036),
    "autumn": (0.125, 0.100, 0.040),
    "winter": (0.120, 0.105, 0.065),
}
_ASPHALT: Final[dict[str | None, Rgb]] = {
    None: (0.105, 0.105, 0.108),
    "motorway": (0.130, 0.129, 0.126),
    "country_road": (0.115, 0.113, 0.110),
}
_PAVEMENT: Final[Rgb] = (0.27, 0.26, 0.245)
_YARD: Final[Rgb] = (0.20, 0.195, 0.185)
_VERGE: Final[Rgb] = (0.16, 0.14, 0.11)
_SNOW: Final[Rgb] = (0.78, 0.81, 0.86)
_SLUSH: Final[Rgb] = (0.34, 0.35, 0.37)
_PAVED_BEYOND: Final = ("city", "industrial_area")
_VERGE_M: Final = 0.8
_TRACK_M: Final = 0.78
_TRACK_HALF_M: Final = 0.28


@dataclass(frozen=True, eq=False)
class Surfaces:
    """albedo: float32 [H,W,3], linear. paved: uint8 [H,W], 255 on stone. kinds: uint8 [H,W], semantic classes."""

    albedo: Float32Array
    paved: UInt8Array
    kinds: UInt8Array


def albedo(hdmap: HDMap, road: Any, window: Window, look: Look, place: str) -> Surfaces:
    """The ground without paint; road: the drivable area, a shapely geometry."""
    is_road = road_mask(road, window)
    beside_m = cv2.distanceTransform(255 - is_road, cv2.DIST_L2, 3) * window.texel_m
    beside_m -= 0.5 * window.texel_m
    pavement_m = style_of(place).pavement_m
    rough = _noise("rough", window, 0.4)
    broad = _noise("broad", window, 3.2)
    kinds = np.full(window.shape, SemanticClass.TERRAIN, dtype=np.uint8)
    kinds[beside_m < pavement_m] = SemanticClass.PAVEMENT
    kinds[is_road > 127] = SemanticClass.ROAD

    land = _land(look, place, rough, broad)
    paved = np.full(window.shape, 200 if place in _PAVED_BEYOND else 0, dtype=np.uint8)
    edge = pavement_m if pavement_m else _VERGE_M
    strip = np.clip((edge - beside_m) / (0.12 if pavement_m else 0.5) + (0.0 if pavement_m else 0.6 * rough), 0, 1)
    beside = _pavement(window, beside_m, rough, broad) if pavement_m else _mixed(_VERGE, 0.16 * rough)
    _blend(land, beside, strip)
    if pavement_m:
        paved[beside_m < pavement_m] = 230
    _blend(land, _asphalt(hdmap, is_road, window, place, rough, broad), is_road.astype(np.float32) / 255)
    paved = np.maximum(paved, is_road)
    if look.has_snow:
        _snowed(land, hdmap, is_road, beside_m, window, look, rough, broad)
    return Surfaces(land, paved, kinds)


def road_mask(road: Any, window: Window) -> UInt8Array:
    """How much of every texel is road, uint8 [H,W]."""
    mask = np.zeros(window.shape, dtype=np.uint8)
    for part in shapely.get_parts(road):
        if part.geom_type == "Polygon" and not part.is_empty:
            fill(mask, [window.texels(np.array(ring.coords)) for ring in (part.exterior, *part.interiors)])
    return mask


def _noise(name: str, window: Window, lattice_m: float) -> Float32Array:
    """Noise float32 [H,W] whose finest grains are about so large, the same wherever the window lies."""
    stretch = max(round(lattice_m / window.texel_m / 4), 1)
    return spread(tile(name, 512, 8, 128), window.corner, window.shape, stretch)


def _mixed(colour: Rgb, change: Float32Array) -> Float32Array:
    return np.asarray(np.maximum(1 + change, 0.2)[..., None] * np.array(colour, dtype=np.float32), dtype=np.float32)


def _blend(below: Float32Array, above: Float32Array, share: Float32Array) -> None:
    below += (above - below) * share[..., None]


def _land(look: Look, place: str, rough: Float32Array, broad: Float32Array) -> Float32Array:
    """What lies away from roads and pavements."""
    if place in _PAVED_BEYOND:
        return _mixed(_YARD, 0.10 * rough + 0.10 * broad)
    grass = _mixed(_GRASS[look.season], 0.22 * rough + 0.16 * broad)
    dry = np.clip(0.5 * broad + 0.3 * rough - 0.1, 0, 1) * (0.5 if look.season in ("summer", "autumn") else 0.3)
    _blend(grass, _mixed((0.15, 0.13, 0.07), 0.1 * rough), dry.astype(np.float32))
    return grass


def _pavement(window: Window, beside_m: Float32Array, rough: Float32Array, broad: Float32Array) -> Float32Array:
    """Concrete slabs with joints along the road, a light kerb stone next to it."""
    stone = _mixed(_PAVEMENT, 0.05 * rough + 0.07 * broad)
    if window.texel_m < 0.15:
        joint = np.abs(np.mod(beside_m, 0.75) - 0.375) > 0.375 - window.texel_m / 2
        stone[joint] *= 0.82
    kerb = beside_m < 0.16
    stone[kerb] = stone[kerb] * 1.15
    return stone


def _asphalt(
    hdmap: HDMap, is_road: UInt8Array, window: Window, place: str, rough: Float32Array, broad: Float32Array
) -> Float32Array:
    """Asphalt, polished where wheels roll, darker between them, dusty along its edges."""
    inside_m = cv2.distanceTransform(is_road, cv2.DIST_L2, 3) * window.texel_m
    tracks, oil = wheel_tracks(hdmap, window)
    change = 0.07 * rough + 0.09 * broad + 0.09 * tracks - 0.13 * oil
    change -= 0.12 * np.clip(1 - inside_m / 0.5, 0, 1)
    return _mixed(_ASPHALT.get(place, _ASPHALT[None]), change)


def wheel_tracks(hdmap: HDMap, window: Window) -> tuple[Float32Array, Float32Array]:
    """Where wheels roll and where oil drips between them, float32 [H,W], 0 to 1."""
    tracks, oil = np.zeros(window.shape, dtype=np.uint8), np.zeros(window.shape, dtype=np.uint8)
    for lane in hdmap.lane_segments:
        if lane.lane_type in ("BIKE", "SHOULDER_LANE"):
            continue
        centre = lane.centre.points_m[:, :2]
        ahead = np.gradient(centre, axis=0)
        left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
        for side in (-_TRACK_M, _TRACK_M):
            _soft_stroke(tracks, centre + side * left, window, _TRACK_HALF_M, 0.35)
        _soft_stroke(oil, centre, window, 0.25, 0.6)
    return tracks.astype(np.float32) / 255, oil.astype(np.float32) / 255


def _soft_stroke(mask: UInt8Array, line: npt.NDArray[np.float64], window: Window, half_m: float, soft_m: float) -> None:
    pieces = np.ascontiguousarray(window.texels(np.stack([line[:-1], line[1:]], axis=1)))
    stroke(mask, pieces, half_m / window.texel_m, max(soft_m / window.texel_m, 1.0))


def _snowed(
    land: Float32Array,
    hdmap: HDMap,
    is_road: UInt8Array,
    beside_m: Float32Array,
    window: Window,
    look: Look,
    rough: Float32Array,
    broad: Float32Array,
) -> None:
    """Snow over everything; where wheels roll on the road it is worn to slush or to the asphalt."""
    snow = _mixed(_SNOW, 0.03 * rough + 0.03 * broad)
    share = np.clip(0.97 + 0.06 * rough, 0, 1).astype(np.float32)
    on_road = is_road.astype(np.float32) / 255
    if look.road_state != "snowy":
        share *= 1 - on_road
    else:
        tracks, _ = wheel_tracks(hdmap, window)
        worn = np.clip(tracks * (0.95 + 0.25 * rough), 0, 1)
        _blend(land, _mixed(_SLUSH, 0.12 * rough), on_road * 0.6)
        share *= 1 - on_road * np.clip(0.25 + 0.15 * broad + 0.72 * worn, 0, 0.97)
    _blend(land, snow, share)
