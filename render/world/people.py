"""People on foot: a body that walks, in clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenegraph.arrays import FloatArray

from .actor_parts import Part, Point, ball, block, hoop, tube, vector

Clothes = Literal["trousers", "skirt", "coat"]
Hair = Literal["short", "long", "hat", "helmet"]
Bag = Literal["none", "backpack", "handbag"]


@dataclass(frozen=True)
class Figure:
    """How somebody is built and dressed.

    child: with a larger head and shorter legs. vest: a reflecting waistcoat. facets: how round the torso is.
    """

    clothes: Clothes = "trousers"
    hair: Hair = "short"
    bag: Bag = "none"
    child: bool = False
    vest: bool = False
    facets: int = 8


@dataclass(frozen=True)
class Gait:
    """How somebody moves, all in radians: how far legs swing, how far arms stand out, and where in the walk it is."""

    swing: float = 0.35
    out: float = 0.15
    phase: float = 0.0


_THIGH_M, _SHIN_M = 0.43, 0.41
_UPPER_ARM_M, _FOREARM_M = 0.29, 0.25


def person_parts(figure: Figure, gait: Gait) -> list[Part]:
    """Somebody about 1.75 m tall who walks along x, with the lower foot on z = 0."""
    legs: list[Part] = []
    for side, phase in ((1, gait.phase), (-1, gait.phase + np.pi)):
        legs += _leg(figure, side, gait.swing, phase)
    upper = torso_parts(figure) + head_parts(figure, (0.02, 0.0, 1.6))
    for side, phase in ((1, gait.phase + np.pi), (-1, gait.phase)):
        upper += _arm(figure, side, 1.1 * gait.swing, gait.out, phase)
    ground_m = min(float(part.vertices_m[:, 2].min()) for part in legs)
    return [part.shifted(z_m=-ground_m) for part in (*legs, *upper)]


def torso_parts(figure: Figure, hip_m: Point = (0.0, 0.0, 0.9), lean_rad: float = 0.0) -> list[Part]:
    """From the hips to the neck, with what is worn and carried there; leaning forward from the hips."""
    axis = np.array([np.sin(lean_rad), 0.0, np.cos(lean_rad)])
    hip = np.asarray(hip_m, dtype=np.float64)

    def at(height_m: float) -> FloatArray:
        return np.asarray(hip + height_m * axis)

    rings = ((-0.06, 0.165), (0.16, 0.155), (0.36, 0.19), (0.5, 0.195), (0.555, 0.07))
    path, radii = [at(z) for z, _ in rings], [r for _, r in rings]
    parts = [tube("top", path, radii, sides=figure.facets, flat=0.62)]
    if figure.vest:
        parts.append(tube("vest", [at(0.12), at(0.36), at(0.49)], (0.17, 0.2, 0.205), sides=8, flat=0.66))
        parts.append(tube("reflective", [at(0.2), at(0.25)], (0.19, 0.194), sides=8, flat=0.67))
    if figure.clothes == "coat":
        parts.append(tube("top", [at(-0.48), at(0.1)], (0.225, 0.17), sides=8, flat=0.75))
    if figure.clothes == "skirt":
        parts.append(tube("bottom", [at(-0.42), at(0.12)], (0.23, 0.155), sides=8, flat=0.8))
    if figure.bag == "backpack":
        behind = (-0.17, 0.0, 0.0)
        parts.append(tube("bag", [at(0.12) + behind, at(0.5) + behind], (0.15, 0.13), sides=6, flat=0.65))
    if figure.bag == "handbag":
        x, _, z = at(-0.02)
        parts.append(block("bag", (x - 0.2, x + 0.08), (0.17, 0.26), (z - 0.12, z + 0.1)))
        parts.append(
            tube("bag", [at(0.5) + vector(0.0, -0.07, 0.02), (x - 0.06, 0.2, z + 0.1)], (0.015, 0.015), sides=3)
        )
    return parts


def head_parts(figure: Figure, centre_m: Point) -> list[Part]:
    """A head on a neck, with hair or a hat."""
    size = 1.22 if figure.child else 1.0
    x, y, z = centre_m
    if figure.hair == "helmet":
        visor = block("glass", (x + 0.08, x + 0.142), (y - 0.075, y + 0.075), (z - 0.03, z + 0.05))
        return [ball("hat", centre_m, (0.15, 0.13, 0.155), sides=8), visor]
    parts = [
        tube("skin", [(x - 0.02, y, z - 0.18), (x - 0.005, y, z - 0.08)], (0.055, 0.055), sides=5, capped=False),
        ball("skin", centre_m, (0.098 * size, 0.078 * size, 0.122 * size), figure.facets),
    ]
    if figure.hair == "hat":
        cap = ball("hat", (x, y, z + 0.02), (0.112 * size, 0.092 * size, 0.135 * size), figure.facets, from_up=0.15)
        peak = tube("hat", [(x, y, z + 0.045), (x + 0.165 * size, y, z + 0.04)], (0.085, 0.05), sides=4, flat=0.18)
        return [*parts, cap, peak]
    parts.append(
        ball("hair", (x - 0.018, y, z + 0.02), (0.1 * size, 0.088 * size, 0.13 * size), figure.facets, from_up=0.3)
    )
    low_m = -0.22 if figure.hair == "long" else -0.06
    back = [(x - 0.055, y, z + low_m), (x - 0.05, y, z + 0.06)]
    return [*parts, tube("hair", back, (0.075 * size, 0.086 * size), sides=6, flat=0.7)]


def _leg(figure: Figure, side: int, swing: float, phase: float) -> list[Part]:
    forward = swing * np.sin(phase)
    lifts = np.cos(phase) > 0 and np.sin(phase) < 0
    bend = 0.05 + (2.4 * swing * -np.sin(2 * phase) if lifts else 0.0)
    hip = np.array([0.0, side * 0.088, 0.9 * (0.97 if figure.child else 1.0)])
    knee = hip + _THIGH_M * _down(forward + 0.4 * bend)
    ankle = knee + _SHIN_M * _down(forward - 0.6 * bend)
    return leg_parts(figure, hip, knee, ankle, toe_up=0.6 * forward - 0.3 * bend)


def leg_parts(figure: Figure, hip: FloatArray, knee: FloatArray, ankle: FloatArray, toe_up: float) -> list[Part]:
    """Thigh, shin and shoe through three joints."""
    cloth = "skin" if figure.clothes == "skirt" else "bottom"
    along = np.array([np.cos(toe_up), 0.0, np.sin(toe_up)])
    sole = ankle + vector(0.0, 0.0, -0.035)
    shoe = [sole - 0.075 * along, sole + 0.07 * along, sole + 0.17 * along]
    return [
        tube(cloth, [hip, knee, ankle], (0.09, 0.062, 0.046), sides=figure.facets - 2),
        tube("shoes", shoe, (0.05, 0.05, 0.028), sides=figure.facets - 3 if figure.facets < 8 else 5),
    ]


def _arm(figure: Figure, side: int, swing: float, out: float, phase: float) -> list[Part]:
    forward = swing * np.sin(phase)
    shoulder = np.array([0.0, side * 0.185, 1.375])
    aside = np.array([0.0, side * np.sin(out), 0.0])
    elbow = shoulder + _UPPER_ARM_M * (np.cos(out) * _down(forward - 0.05) + aside)
    wrist = elbow + _FOREARM_M * (_down(forward + 0.25) + 0.3 * aside)
    return arm_parts(figure, shoulder, elbow, wrist)


def arm_parts(figure: Figure, shoulder: FloatArray, elbow: FloatArray, wrist: FloatArray) -> list[Part]:
    """Sleeves and a hand through three joints."""
    hand = wrist + 0.3 * (wrist - elbow)
    return [
        tube("top", [shoulder, elbow, wrist], (0.06, 0.047, 0.037), sides=figure.facets - 3),
        tube("skin", [wrist, hand], (0.034, 0.028), sides=4),
    ]


def seated_parts(
    figure: Figure, hip: FloatArray, bar: FloatArray, reach_m: float, feet: Sequence[FloatArray], lean_rad: float
) -> list[Part]:
    """Somebody on a saddle: hands on the bar, reach_m to each side of its middle, a foot on each of two places."""
    axis = np.array([np.sin(lean_rad), 0.0, np.cos(lean_rad)])
    neck = hip + 0.55 * axis
    parts = torso_parts(figure, hip, lean_rad)
    parts += head_parts(figure, tuple(neck + vector(0.07, 0.0, 0.14)))
    for side, foot in zip((1, -1), feet, strict=True):
        ankle = foot + vector(-0.06, 0.0, 0.08)
        joint = hip + vector(0.0, 0.085 * side, 0.0)
        parts += leg_parts(figure, joint, bent(joint, ankle, 0.45, 0.45, forward=True), ankle, toe_up=0.0)
        shoulder = hip + 0.48 * axis + vector(0.0, 0.18 * side, 0.0)
        hand = bar + vector(0.0, reach_m * side, 0.03)
        elbow = bent(shoulder, hand, 0.31, 0.31, forward=False) + vector(0.0, 0.05 * side, 0.0)
        parts += arm_parts(figure, shoulder, elbow, hand - 0.2 * (hand - elbow))
    return parts


def bent(start: FloatArray, end: FloatArray, first_m: float, second_m: float, forward: bool) -> FloatArray:
    """The joint between two bones from start to end, bent forward or back; stretched where they are too short."""
    away = end - start
    reach = float(np.linalg.norm(away))
    along = (first_m**2 - second_m**2 + reach**2) / (2 * reach)
    aside_m = np.sqrt(max(first_m**2 - along**2, 0.0))
    aside = np.cross(away / reach, (0.0, 1.0, 0.0))
    aside *= np.sign(aside[0]) * (1.0 if forward else -1.0) / np.linalg.norm(aside)
    return np.asarray(start + along * away / reach + aside_m * aside)


def _down(angle: float) -> FloatArray:
    """Straight down, turned forward by an angle."""
    return np.array([np.sin(angle), 0.0, -np.cos(angle)])


def wheelchair_parts(figure: Figure) -> list[Part]:
    """Somebody in a wheelchair about 1.35 m high, on z = 0."""
    hip = vector(0.0, 0.0, 0.58)
    feet = [vector(0.52, 0.1 * side, 0.1) for side in (1, -1)]
    parts = seated_parts(figure, hip, vector(0.22, 0.0, 0.66), 0.22, feet, lean_rad=0.0)
    for side in (1, -1):
        parts += [
            hoop("tyre", -0.02, 0.3, 0.04, sides=12).shifted(y_m=0.3 * side),
            hoop("tyre", 0.42, 0.09, 0.04, sides=8).shifted(y_m=0.24 * side),
            tube(
                "steel",
                [(-0.2, 0.24 * side, 0.95), (-0.18, 0.24 * side, 0.5), (0.5, 0.2 * side, 0.12)],
                (0.018,) * 3,
                4,
            ),
            tube("trim", [(-0.34, 0.24 * side, 0.97), (-0.18, 0.24 * side, 0.95)], (0.022, 0.022), 4),
            block("steel", (-0.03, 0.03), (0.25 * side - 0.03, 0.25 * side + 0.03), (0.26, 0.32)),
        ]
    seat = block("trim", (-0.2, 0.3), (-0.22, 0.22), (0.44, 0.5))
    back = block("trim", (-0.22, -0.17), (-0.22, 0.22), (0.5, 0.95))
    return [*parts, seat, back]
