"""Where light comes from at every time of day and in every weather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from .look import Look
from .seeds import generator

Triple = tuple[float, float, float]


class Light(NamedTuple):
    """Sun, sky and air, for compiled code. Light is linear, about 1 for a white sheet under a bright sky.

    sun: unit direction to the sun [3]. sun_rgb: what it adds to a surface that faces it. zenith, horizon, glow: colours
    of the sky overhead, at its edge, and about the sun. above, below: light on a surface that faces up, or down.
    cloud, cloud_shade: bright and dark sides of clouds. cover: share of the sky that is clouded.
    haze_per_m: share of light lost per metre of air. wet: how much of the ground's surface is water.
    glare: brightness of the sun's disc. lamps: 1 when lamps are on. dark: 1 at night. snow: 1 when snow lies.
    """

    sun: Triple
    sun_rgb: Triple
    zenith: Triple
    horizon: Triple
    glow: Triple
    above: Triple
    below: Triple
    cloud: Triple
    cloud_shade: Triple
    cover: float
    haze_per_m: float
    wet: float
    glare: float
    lamps: float
    dark: float
    snow: float


@dataclass(frozen=True)
class _Hour:
    """One time of day under a clear sky. elevation_deg, azimuth_deg: of the sun, azimuth from north over east."""

    elevation_deg: float
    azimuth_deg: float
    sun: Triple
    zenith: Triple
    horizon: Triple
    glow: Triple


_HOURS: Final = {
    "dawn": _Hour(6.0, 85.0, (1.05, 0.56, 0.28), (0.16, 0.24, 0.42), (0.62, 0.48, 0.42), (0.95, 0.50, 0.22)),
    "morning": _Hour(26.0, 115.0, (2.45, 2.02, 1.55), (0.20, 0.38, 0.78), (0.78, 0.87, 0.98), (0.70, 0.56, 0.38)),
    "noon": _Hour(52.0, 175.0, (2.85, 2.62, 2.30), (0.17, 0.37, 0.82), (0.76, 0.90, 1.06), (0.45, 0.45, 0.42)),
    "afternoon": _Hour(34.0, 235.0, (2.65, 2.20, 1.70), (0.19, 0.37, 0.78), (0.80, 0.87, 0.97), (0.70, 0.58, 0.42)),
    "dusk": _Hour(4.5, 282.0, (0.85, 0.38, 0.16), (0.13, 0.17, 0.34), (0.58, 0.38, 0.32), (1.05, 0.46, 0.16)),
    "night": _Hour(-30.0, 20.0, (0.0, 0.0, 0.0), (0.0035, 0.0050, 0.0110), (0.014, 0.014, 0.018), (0.0, 0.0, 0.0)),
}
_WINTER_LOWER: Final = 0.55


@dataclass(frozen=True)
class _Sky:
    """What a weather makes of it. sun: share of the sun that comes through. cover: of the sky with clouds.

    grey: how far colours of the sky are those of clouds. dim: of all daylight. visible_m: where half is lost in haze.
    """

    sun: float
    cover: float
    grey: float
    dim: float
    visible_m: float


_SKIES: Final = {
    "clear": _Sky(1.0, 0.12, 0.0, 1.0, 2600.0),
    "cloudy": _Sky(0.92, 0.52, 0.15, 1.0, 2200.0),
    "overcast": _Sky(0.0, 1.0, 0.92, 0.86, 1300.0),
    "rain": _Sky(0.0, 1.0, 1.0, 0.62, 420.0),
    "heavy_rain": _Sky(0.0, 1.0, 1.0, 0.45, 170.0),
    "fog": _Sky(0.0, 1.0, 1.0, 0.85, 42.0),
    "snow": _Sky(0.0, 1.0, 1.0, 0.88, 190.0),
}
_WET: Final = {"wet": 1.0, "icy": 0.55, "snowy": 0.12, "dry": 0.0}


def light_of(look: Look, seed: int) -> Light:
    """The light of a look. The seed turns the sun's path, as maps do not say where north is."""
    hour, sky = _HOURS[look.time_of_day], _SKIES[look.weather]
    sun = sun_direction(look, seed)
    zenith, horizon, glow = (np.array(rgb) for rgb in (hour.zenith, hour.horizon, hour.glow))
    sun_rgb = np.array(hour.sun) * sky.sun
    # Under clouds the sky is one grey, lit by the sun above them.
    total = 0.55 * zenith + 0.45 * horizon + 0.32 * np.array(hour.sun) * max(float(sun[2]), 0.08)
    grey = total.mean() * np.array([0.96, 1.0, 1.05])
    zenith = (zenith + (0.80 * grey - zenith) * sky.grey) * sky.dim
    horizon = (horizon + (1.0 * grey - horizon) * sky.grey) * sky.dim
    glow = glow * (1 - sky.grey) * (1 if sky.sun else 0.3)
    lift = 1.25 if look.has_snow else 1.0
    above = 0.62 * zenith + 0.38 * horizon + 0.10 * glow
    ground = np.array([0.62, 0.64, 0.66]) if look.has_snow else np.array([0.17, 0.165, 0.15])
    below = ground * (above + sun_rgb * max(float(sun[2]), 0.0)) + 0.10 * horizon
    high = max(float(sun[2]), 0.0625) ** 0.5
    bright = (0.50 * horizon + 0.42 * high * np.array(hour.sun)) * sky.dim
    if sky.cover >= 1.0:
        bright = 1.06 * horizon
    shade = (0.55 * bright + 0.30 * zenith) if sky.cover < 1.0 else 0.74 * horizon
    return Light(
        _triple(sun), _triple(sun_rgb), _triple(zenith), _triple(horizon), _triple(glow), _triple(above * lift),
        _triple(below), _triple(bright), _triple(shade), sky.cover, float(np.log(2.0)) / sky.visible_m,
        _WET[look.road_state], 30.0 * sky.sun * (0.4 if look.time_of_day in ("dawn", "dusk") else 1.0),
        float(look.has_lights_on), float(look.is_night), float(look.has_snow),
    )  # fmt: skip


def _triple(values: Any) -> Triple:
    return float(values[0]), float(values[1]), float(values[2])


def sun_direction(look: Look, seed: int) -> Any:
    """The unit direction to the sun [3]."""
    hour = _HOURS[look.time_of_day]
    lower = _WINTER_LOWER if look.season == "winter" and hour.elevation_deg > 10 else 1.0
    elevation = np.radians(hour.elevation_deg * lower)
    azimuth = np.radians(hour.azimuth_deg) + generator("north", seed).uniform(-np.pi, np.pi)
    flat = np.cos(elevation)
    return np.array([flat * np.sin(azimuth), flat * np.cos(azimuth), np.sin(elevation)])
