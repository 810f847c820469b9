"""Bicycles, motorcycles and kick scooters, with or without who rides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenegraph.arrays import FloatArray

from .actor_parts import Part, block, both_sides, hoop, prism, tube, vector
from .people import Figure, arm_parts, bent, head_parts, leg_parts, seated_parts, torso_parts

_CRANK_M = 0.17
WHEEL_TURNS_PER_PEDAL = 2.5


def bicycle_parts(rider: Figure | None, phase: float = 0.0) -> list[Part]:
    """A bicycle 1.7 m long that stands on z = 0; phase: how far the pedals have turned."""
    radius_m, rear, front = 0.34, 0.34, 1.37
    crank = np.array([rear + 0.43, 0.0, 0.28])
    saddle, head = np.array([rear + 0.22, 0.0, 0.92]), np.array([front - 0.2, 0.0, 0.9])
    hub_rear, hub_front = np.array([rear, 0.0, radius_m]), np.array([front, 0.0, radius_m])
    down = head + vector(0.03, 0.0, -0.14)
    parts = [hoop("tyre", x, radius_m, 0.045, sides=12) for x in (rear, front)]
    for hub in (hub_rear, hub_front):
        parts += _spokes(hub, 0.92 * radius_m)
    bars = [
        (crank, saddle),
        (crank, down),
        (saddle + vector(0.02, 0, -0.1), head),
        (hub_rear, crank),
        (hub_front, head),
    ]
    parts += [tube("paint", [a, b], (0.022, 0.022), sides=4, capped=False) for a, b in bars]
    parts.append(tube("paint", [hub_rear, saddle + vector(0.02, 0, -0.1)], (0.015, 0.015), sides=4, capped=False))
    bar = head + vector(-0.02, 0.0, 0.1)
    parts += [
        tube("trim", [head, bar], (0.018, 0.018), sides=4),
        tube("trim", [bar + vector(0, -0.27, 0), bar + vector(0, 0.27, 0)], (0.02, 0.02), sides=4),
        tube(
            "leather",
            [saddle + vector(-0.12, 0, 0.02), saddle + vector(0.12, 0, 0.03)],
            (0.07, 0.03),
            sides=5,
            flat=0.4,
        ),
        block("taillamp", (rear - 0.03, rear + 0.01), (-0.025, 0.025), (0.74, 0.8)),
        block("headlamp", (front - 0.12, front - 0.07), (-0.03, 0.03), (0.82, 0.88)),
        tube("steel", [crank + vector(0, 0.04, 0), crank + vector(0, 0.055, 0)], (0.09, 0.09), sides=6),
    ]
    feet = []
    for side, angle in ((1, phase), (-1, phase + np.pi)):
        pedal = crank + vector(_CRANK_M * np.cos(angle), 0.1 * side, -_CRANK_M * np.sin(angle))
        parts.append(tube("steel", [crank + vector(0, 0.06 * side, 0), pedal], (0.014, 0.014), sides=3))
        feet.append(pedal)
    if rider is not None:
        parts += seated_parts(
            rider, saddle + vector(-0.02, 0.0, 0.08), bar + vector(0.0, 0.0, 0.03), 0.25, feet, lean_rad=0.5
        )
    return parts


def _spokes(hub: FloatArray, radius_m: float) -> list[Part]:
    parts = []
    for angle in np.arange(3) * np.pi / 3:
        arm = radius_m * np.array([np.cos(angle), 0.0, np.sin(angle)])
        spoke = tube("steel", [hub - arm, hub + arm], (0.006, 0.006), sides=3)
        parts.append(replace(spoke, axle_m=(float(hub[0]), float(hub[2]))))
    return parts


def motorcycle_parts(rider: Figure | None) -> list[Part]:
    """A motorcycle 2.1 m long that stands on z = 0."""
    radius_m, rear, front = 0.32, 0.34, 1.76
    hub_rear, hub_front = np.array([rear, 0.0, radius_m]), np.array([front, 0.0, radius_m])
    head = np.array([front - 0.36, 0.0, 0.98])
    parts: list[Part] = []
    for hub, thick_m in ((hub_rear, 0.17), (hub_front, 0.13)):
        parts.append(hoop("tyre", hub[0], radius_m, thick_m, sides=10))
        parts += [tube("rim", [hub + vector(0, -0.03, 0), hub + vector(0, 0.03, 0)], (0.2, 0.2), sides=6)]
        parts += [tube("trim", [hub + vector(0, -0.07, 0), hub + vector(0, 0.07, 0)], (0.1, 0.1), sides=4)]
    for side in (1, -1):
        parts.append(
            tube(
                "chrome",
                [hub_front + vector(0, 0.1 * side, 0), head + vector(0, 0.08 * side, 0)],
                (0.028, 0.028),
                4,
                capped=False,
            )
        )
        parts.append(
            tube(
                "trim", [hub_rear + vector(0, 0.09 * side, 0), (0.85, 0.09 * side, 0.4)], (0.03, 0.035), 3, capped=False
            )
        )
    tank = [(0.86, 0.72), (1.3, 0.7), (1.36, 0.9), (1.2, 0.98), (0.92, 0.88)]
    fairing = [(1.34, 0.72), (1.6, 0.78), (1.58, 1.0), (1.44, 1.08), (1.3, 0.98)]
    engine = [(0.72, 0.3), (1.3, 0.26), (1.36, 0.55), (1.28, 0.72), (0.76, 0.72)]
    seat = [(0.3, 0.78), (0.88, 0.7), (0.9, 0.8), (0.6, 0.82), (0.32, 0.88)]
    tail = [(0.12, 0.76), (0.5, 0.64), (0.86, 0.64), (0.88, 0.72), (0.3, 0.79), (0.12, 0.84)]
    guard = [(front - 0.3, 0.58), (front + 0.24, 0.6), (front + 0.12, 0.7), (front - 0.14, 0.71)]
    parts += [
        prism("paint", tank, (-0.15, 0.15), 0.04),
        prism("paint", fairing, (-0.17, 0.17), 0.06),
        prism("steel", engine, (-0.17, 0.17), 0.03),
        prism("leather", seat, (-0.14, 0.14)),
        prism("paint", tail, (-0.11, 0.11)),
        prism("paint", guard, (-0.09, 0.09)),
        block("headlamp", (1.59, 1.64), (-0.1, 0.1), (0.82, 0.96)),
        block("taillamp", (0.09, 0.12), (-0.08, 0.08), (0.76, 0.84)),
        block("number_plate", (0.08, 0.1), (-0.1, 0.1), (0.54, 0.7)),
        tube("chrome", [(1.15, -0.2, 0.3), (0.7, -0.22, 0.32), (0.15, -0.22, 0.42)], (0.035, 0.05, 0.055), sides=4),
        prism("glass", [(1.36, 1.02), (1.56, 1.0), (1.4, 1.2)], (-0.13, 0.13), 0.05),
    ]
    bar = head + vector(-0.06, 0.0, 0.1)
    parts.append(tube("trim", [bar + vector(0, -0.36, 0), bar + vector(0, 0.36, 0)], (0.025, 0.025), sides=4))
    mirror = block("trim", (1.28, 1.31), (0.3, 0.4), (1.14, 1.21))
    parts += both_sides([mirror])
    if rider is not None:
        feet = [np.array([0.92, 0.2 * side, 0.36]) for side in (1, -1)]
        parts += seated_parts(rider, np.array([0.68, 0.0, 0.94]), bar, 0.34, feet, lean_rad=0.38)
    return parts


def kick_scooter_parts(rider: Figure | None) -> list[Part]:
    """An electric scooter 1.15 m long that stands on z = 0, with somebody standing on its board."""
    parts = [hoop("tyre", x, 0.11, 0.05, sides=10) for x in (0.11, 1.04)]
    head = np.array([0.93, 0.0, 1.1])
    parts += [
        block("trim", (0.1, 0.9), (-0.09, 0.09), (0.11, 0.17)),
        tube("steel", [(1.04, 0.0, 0.12), head], (0.03, 0.025), sides=6),
        tube("trim", [head + vector(0, -0.24, 0), head + vector(0, 0.24, 0)], (0.022, 0.022), sides=4),
        block("headlamp", (0.97, 1.0), (-0.03, 0.03), (0.92, 0.98)),
        block("taillamp", (0.05, 0.1), (-0.04, 0.04), (0.2, 0.26)),
    ]
    if rider is None:
        return parts
    hip = np.array([0.42, 0.0, 1.02])
    parts += torso_parts(rider, hip, 0.1) + head_parts(rider, (0.52, 0.0, 1.73))
    for side, foot_x in ((1, 0.55), (-1, 0.3)):
        joint, ankle = hip + vector(0.0, 0.085 * side, 0.0), np.array([foot_x, 0.06 * side, 0.25])
        parts += leg_parts(rider, joint, bent(joint, ankle, 0.41, 0.41, forward=True), ankle, toe_up=0.0)
        shoulder, hand = hip + vector(0.05, 0.18 * side, 0.48), head + vector(-0.04, 0.2 * side, 0.02)
        elbow = bent(shoulder, hand, 0.3, 0.3, forward=False) + vector(0.0, 0.05 * side, 0.0)
        parts += arm_parts(rider, shoulder, elbow, hand - 0.2 * (hand - elbow))
    return parts
