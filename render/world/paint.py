"""The ground seen from above: asphalt, pavement, grass and snow, and what is painted on it.

Two windows: a fine one around the ego's path and a coarse one of everything else. Each has a picture of surfaces
and, twice as fine, a picture of paint; both are read with coarser copies, so that far lines do not flicker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scenegraph import HDMap
from scenegraph.arrays import FloatArray

from .brush import fill, stroke
from .look import Look
from .markings import Rgb, patches, strokes
from .noise import spread, tile
from .pyramid import Pyramid, Window, pyramid
from .semantic import SemanticClass
from .surfaces import albedo

UInt8Array = npt.NDArray[np.uint8]

_FINE_TEXEL_M: Final = 0.1
_COARSE_TEXEL_M: Final = 0.4
_FINE_REACH_M: Final = 50.0
_MOST_TEXELS: Final = 9_000_000
_SOFT_TEXELS: Final = 1.0
_BLANK: Final = 0.02


class GroundPictures(NamedTuple):
    """What the ground looks like, for compiled code: fine around the path, coarse around that.

    The surfaces' channels are the square root of linear RGB and how paved it is, 0 to 255; the paint's are linear RGB
    times coverage, and coverage. kinds: uint8 [H,W] semantic classes, one per texel of the surfaces.
    """

    fine: Pyramid
    fine_paint: Pyramid
    fine_kinds: Any
    coarse: Pyramid
    coarse_paint: Pyramid
    coarse_kinds: Any


@dataclass(frozen=True, eq=False)
class _Picture:
    surfaces: Pyramid
    paint: Pyramid
    kinds: UInt8Array


def paint_ground(
    hdmap: HDMap, road: Any, path_m: FloatArray, look: Look, place: str, reach_m: float = 250.0
) -> GroundPictures:
    """Pictures of the ground around a path [N,2+]; road: the drivable area, a shapely geometry. place: kind of it."""
    low, high = path_m[:, :2].min(axis=0), path_m[:, :2].max(axis=0)
    fine = _window(low - _FINE_REACH_M, high + _FINE_REACH_M, _FINE_TEXEL_M)
    coarse = _window(low - reach_m, high + reach_m, _COARSE_TEXEL_M)
    near, far = (_painted(hdmap, road, window, look, place) for window in (fine, coarse))
    return GroundPictures(near.surfaces, near.paint, near.kinds, far.surfaces, far.paint, far.kinds)


def _window(low_m: FloatArray, high_m: FloatArray, texel_m: float) -> Window:
    """As fine as asked for, or as many texels as allowed."""
    allowed = float(np.sqrt(np.prod(high_m - low_m) / _MOST_TEXELS))
    factor = max(1, int(np.ceil(allowed / texel_m - 1e-6)))
    return Window.around(low_m, high_m, texel_m * factor)


def _painted(hdmap: HDMap, road: Any, window: Window, look: Look, place: str) -> _Picture:
    surfaces = albedo(hdmap, road, window, look, place)
    fine = window.with_texel(2)
    paint = _paint(hdmap, fine, look)
    kinds = surfaces.kinds
    covered = cv2.resize(paint[..., 3], (window.shape[1], window.shape[0]), interpolation=cv2.INTER_AREA)
    kinds[covered > 110] = SemanticClass.MARKING
    encoded = np.empty((*window.shape, 4), dtype=np.uint8)
    encoded[..., :3] = np.sqrt(np.clip(surfaces.albedo, 0, 1)) * 255 + 0.5
    encoded[..., 3] = surfaces.paved
    return _Picture(pyramid(encoded, window), pyramid(paint, fine), kinds)


def _paint(hdmap: HDMap, window: Window, look: Look) -> UInt8Array:
    """Paint as uint8 [H,W,4]: linear RGB times coverage, and coverage."""
    layers = _coverage(hdmap, window)
    out = np.zeros((*window.shape, 4), dtype=np.uint8)
    if not layers:
        return out
    wear = _wear(window, look)
    for colour, coverage in layers.items():
        rows, columns = _used(coverage)
        cut = (rows, columns)
        share = coverage[cut].astype(np.float32) / 255 * wear[cut]
        below = out[cut].astype(np.float32) * (1 - share)[..., None]
        out[cut] = below + share[..., None] * (np.array([*colour, 1.0], dtype=np.float32) * 255) + 0.5
    return out


def _coverage(hdmap: HDMap, window: Window) -> dict[Rgb, UInt8Array]:
    """How much of every texel is painted, uint8 [H,W] by colour."""
    layers: dict[Rgb, UInt8Array] = {}
    for line in strokes(hdmap):
        if len(line.pieces_m):
            layer = layers.setdefault(line.colour, np.zeros(window.shape, dtype=np.uint8))
            half = line.width_m / window.texel_m / 2
            stroke(layer, np.ascontiguousarray(window.texels(line.pieces_m)), half, _SOFT_TEXELS)
    for patch in patches(hdmap):
        layer = layers.setdefault(patch.colour, np.zeros(window.shape, dtype=np.uint8))
        fill(layer, [window.texels(patch.ring_m)])
    return layers


def _used(coverage: UInt8Array) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _wear(window: Window, look: Look) -> npt.NDArray[np.float32]:
    """How much paint is left, float32 [H,W]: worn off in patches, or hidden under snow."""
    grain = spread(tile("paint grain", 512, 64, 512, 0.8), window.corner, window.shape, 1)
    patch = spread(tile("paint patches", 256, 8, 64), window.corner, window.shape, max(round(0.2 / window.texel_m), 1))
    left = np.clip(0.93 + 0.05 * patch + 0.03 * grain, 0.35, 1.0)
    if look.road_state == "snowy":
        left *= np.clip(0.25 + 0.5 * patch, 0.0, 0.8)
    return left.astype(np.float32)
