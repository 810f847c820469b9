"""From light to a photograph: exposure, glare of lamps, tone curve, grain."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from .look import Look
from .seeds import generator

Float32Array = npt.NDArray[np.float32]
UInt8Array = npt.NDArray[np.uint8]

_EXPOSURE: Final = {"dawn": 1.30, "morning": 0.98, "noon": 0.84, "afternoon": 0.94, "dusk": 1.55, "night": 4.6}
_DULL: Final = {"overcast": 1.45, "rain": 1.85, "heavy_rain": 2.2, "fog": 1.30, "snow": 1.15}
_WHITE: Final = 5.0
_CURVE_STEPS: Final = 4096
_CURVE_END: Final = 16.0
_VIVID: Final = 1.12


def exposure_of(look: Look) -> float:
    """How much light becomes middle grey; the same in all cameras of a scene."""
    bright = (0.5 if look.is_night else 0.8) if look.has_snow else 1.0
    return _EXPOSURE[look.time_of_day] * _DULL.get(look.weather, 1.0) * bright


def developed(light: Float32Array, exposure: float, grain: float, names: tuple[object, ...]) -> UInt8Array:
    """A picture uint8 [H,W,3] sRGB of light float32 [H,W,3]; grain: deviation in levels, seeded by the names."""
    exposed = _vivid(light * np.float32(exposure))
    exposed = _with_glare(exposed)
    levels = _curve()[np.minimum(np.sqrt(exposed / _CURVE_END), 1.0).__mul__(_CURVE_STEPS - 1).astype(np.int32)]
    if grain:
        noise = generator(*names).standard_normal(light.shape, dtype=np.float32)
        levels = levels + noise * np.float32(grain)
    return np.asarray(np.clip(levels + np.float32(0.5), 0, 255), dtype=np.float32).astype(np.uint8)


def _vivid(light: Float32Array) -> Float32Array:
    """Colours a little stronger, as cameras make them."""
    grey = light @ np.array([0.25, 0.6, 0.15], dtype=np.float32)
    return np.asarray(np.maximum(light * np.float32(_VIVID) + grey[..., None] * np.float32(1 - _VIVID), 0.1 * light))


def _with_glare(light: Float32Array) -> Float32Array:
    """What is far brighter than white spills over its surroundings."""
    over = np.clip(light - 1.0, 0.0, 30.0)
    if not (over > 0).any():
        return light
    size = light.shape[0] / 144
    wide = cv2.GaussianBlur(over, (0, 0), 2.2 * size) * 0.10 + cv2.GaussianBlur(over, (0, 0), 7.0 * size) * 0.05
    return np.asarray(light + wide, dtype=np.float32)


@lru_cache(maxsize=1)
def _curve() -> Float32Array:
    """Levels 0 to 255 by the root of light: a shoulder towards white, a little toe, then sRGB."""
    light = (np.arange(_CURVE_STEPS) / (_CURVE_STEPS - 1)) ** 2 * _CURVE_END
    shoulder = light * (1 + light / _WHITE**2) / (1 + 0.72 * light)
    toned = np.clip(shoulder, 0, 1)
    toned = toned**1.12
    srgb = np.where(toned < 0.0031308, 12.92 * toned, 1.055 * toned ** (1 / 2.4) - 0.055)
    return np.asarray(srgb * 255, dtype=np.float32)
