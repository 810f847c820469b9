"""Traffic lights: housings with hoods and posts, and the lenses that shine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenegraph import SE3, LightState, TrafficLight
from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .shapes import box, disc, strip

_LEAST_M = (0.22, 0.3, 0.9)
_HOUSING_RGB, _BOARD_RGB = (0.018, 0.022, 0.018), (0.012, 0.012, 0.012)
_SHARE = 0.38
_HOOD_SIDES, _HOOD_M = 6, 0.2
_LENS_SIDES = 10
_LIT: Mapping[LightState, tuple[int, tuple[float, float, float]]] = {
    LightState.RED: (0, (1.0, 0.05, 0.02)),
    LightState.YELLOW: (1, (1.0, 0.55, 0.03)),
    LightState.GREEN: (2, (0.05, 1.0, 0.45)),
}
"""Which of the three lenses shines, and how."""
_DARK_RGB = ((0.07, 0.008, 0.006), (0.07, 0.04, 0.006), (0.006, 0.05, 0.03))


@dataclass(frozen=True, eq=False)
class _Face:
    """Where the lenses of a light are in its box: centres [3,3] from red to green, their radius, the box's size [3]."""

    centres_m: FloatArray
    radius_m: float
    size_m: FloatArray


def light_housing(light: TrafficLight) -> Mesh:
    """The box with a hood over every lens and a dark board behind, in the world."""
    face = _face(light)
    half = face.size_m / 2
    body = box(-half, half - (0.02, 0, 0), Material.MATTE, _HOUSING_RGB, bottom=True)
    rim = 0.12 * face.size_m[1]
    board = box(
        (-half[0] - 0.02, -half[1] - rim, -half[2] - rim),
        (-half[0] + 0.01, half[1] + rim, half[2] + rim),
        Material.MATTE,
        _BOARD_RGB,
        bottom=True,
    )
    hoods = [_hood(centre, face.radius_m * 1.12) for centre in face.centres_m]
    return _in_world(light.world_from_box, joined([body, board, *hoods]))


def light_lenses(light: TrafficLight, state: LightState) -> Mesh:
    """The three lenses in the world; the one of the state shines, all are dark when it is off or unknown."""
    face = _face(light)
    index, colour = _LIT.get(state, (-1, (0.0, 0.0, 0.0)))
    discs = [
        disc(centre, face.radius_m, _LENS_SIDES, Material.SIGNAL, colour)
        if number == index
        else disc(centre, face.radius_m, _LENS_SIDES, Material.MATTE, _DARK_RGB[number])
        for number, centre in enumerate(face.centres_m)
    ]
    return _in_world(light.world_from_box, joined(discs))


def _face(light: TrafficLight) -> _Face:
    """Red above green, or left of it for drivers who look at a box that is wider than high."""
    given = np.array([light.length_m, light.width_m, light.height_m])
    is_lying = light.width_m > 1.3 * light.height_m
    least = np.array(_LEAST_M)[[0, 2, 1]] if is_lying else np.array(_LEAST_M)
    size = np.where(given > 0.05, given, least)
    along, across = (size[1], size[2]) if is_lying else (size[2], size[1])
    spacing = along / 3
    radius = min(_SHARE * spacing * 1.1, _SHARE * across * 1.05)
    steps = np.array([1.0, 0.0, -1.0]) * spacing * 0.96
    centres = np.zeros((3, 3))
    centres[:, 0] = size[0] / 2 + 0.005
    if is_lying:
        centres[:, 1] = -steps
    else:
        centres[:, 2] = steps
    return _Face(centres, float(radius), size)


def _hood(centre_m: FloatArray, radius_m: float) -> Mesh:
    """A visor around the upper two thirds of a lens."""
    angles = np.linspace(np.radians(-25), np.radians(205), _HOOD_SIDES + 1)
    ring = np.stack([np.zeros_like(angles), np.cos(angles), np.sin(angles)], axis=1) * radius_m + centre_m
    front = ring + np.array([min(_HOOD_M, 1.6 * radius_m), 0.0, 0.0])
    return strip(np.stack([ring, front]), Material.MATTE, _BOARD_RGB)


def _in_world(world_from_box: SE3, mesh: Mesh) -> Mesh:
    return mesh.moved(world_from_box.rotation, world_from_box.translation_m)
