"""What actors are painted with: the finish of every role, car colours as they are on the road, clothes and liveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from .mesh import Material
from .seeds import generator

Colour: TypeAlias = tuple[float, float, float]
"""Linear RGB, 0 to 1."""
Finish: TypeAlias = tuple[Material, Colour]
Finishes: TypeAlias = Mapping[str, Finish]


def linear(hexadecimal: str) -> Colour:
    """The linear colour of an sRGB one, as in "c0392b"."""
    red, green, blue = (int(hexadecimal[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return _linear(red), _linear(green), _linear(blue)


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def shaded(colour: Colour, factor: float) -> Colour:
    """The same hue, lighter or darker."""
    red, green, blue = (min(1.0, value * factor) for value in colour)
    return red, green, blue


def _finish(material: Material, hexadecimal: str) -> Finish:
    return material, linear(hexadecimal)


FINISHES: Final[Finishes] = {
    # vehicles
    "glass": _finish(Material.GLASS, "1b2226"),
    "tyre": _finish(Material.RUBBER, "1a1a1b"),
    "rim": _finish(Material.METAL, "a9adb1"),
    "chrome": _finish(Material.METAL, "c9ccd0"),
    "steel": _finish(Material.METAL, "7d8288"),
    "trim": _finish(Material.MATTE, "202224"),
    "chassis": _finish(Material.MATTE, "2b2d30"),
    "well": _finish(Material.MATTE, "0d0d0e"),
    "headlamp": _finish(Material.HEADLAMP, "eef2f5"),
    "taillamp": _finish(Material.TAILLAMP, "c01018"),
    "indicator": _finish(Material.MATTE, "e08a1a"),
    "number_plate": _finish(Material.SIGN, "e9e9e2"),
    "blue_light": _finish(Material.SIGNAL, "1450ff"),
    "destination": _finish(Material.SIGNAL, "c87810"),
    "red_marker": _finish(Material.SIGN, "c8161d"),
    "load": _finish(Material.MATTE, "8a7355"),
    # people
    "white": _finish(Material.MATTE, "e6e6e2"),
    "black": _finish(Material.MATTE, "19191b"),
    "reflective": _finish(Material.SIGN, "d9dcdd"),
    "leather": _finish(Material.MATTE, "3a2a20"),
    # things
    "orange": _finish(Material.MATTE, "f0560c"),
    "band": _finish(Material.SIGN, "efefef"),
    "red": _finish(Material.MATTE, "c3211f"),
    "yellow": _finish(Material.SIGN, "d9d320"),
    "check": _finish(Material.SIGN, "1c4fa8"),
    "stop_sign": _finish(Material.SIGN, "b5121b"),
    "concrete": _finish(Material.MATTE, "a5a29a"),
    "wood": _finish(Material.MATTE, "8c6a45"),
    "cardboard": _finish(Material.MATTE, "a9835a"),
    "amber_light": _finish(Material.SIGNAL, "ff9a10"),
}
"""How a role looks unless the actor's own colours say otherwise."""

_CAR_COLOURS: Final[tuple[tuple[str, float, str], ...]] = (
    ("white", 0.26, "e8e9e8"),
    ("black", 0.19, "131416"),
    ("grey", 0.15, "5a5e62"),
    ("light grey", 0.05, "85898c"),
    ("silver", 0.11, "b4b8bb"),
    ("blue", 0.06, "1f3f73"),
    ("bright blue", 0.03, "1f5fae"),
    ("red", 0.07, "a3151b"),
    ("dark red", 0.02, "5c1218"),
    ("brown", 0.015, "4a3a2e"),
    ("beige", 0.015, "b8a98c"),
    ("green", 0.02, "24463a"),
    ("yellow", 0.01, "e0b21c"),
    ("orange", 0.01, "d4601c"),
)
"""Names, shares and sRGB colours; shares rounded from yearly surveys of new cars' colours."""


def car_paint(seed: int, actor_id: str) -> Finish:
    """A car's colour, as often as it is seen on the road."""
    names, shares, colours = zip(*_CAR_COLOURS, strict=True)
    draw = generator(seed, actor_id, "paint")
    chosen = draw.choice(len(names), p=np.array(shares) / sum(shares))
    return Material.PAINTWORK, shaded(linear(colours[chosen]), draw.uniform(0.9, 1.08))


def picked(draw: np.random.Generator, hexadecimals: Sequence[str]) -> Colour:
    """One of several sRGB colours, each as likely."""
    return linear(hexadecimals[int(draw.integers(len(hexadecimals)))])
