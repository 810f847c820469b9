"""Animals that walk: dogs and deer."""

from __future__ import annotations

import numpy as np

from .actor_parts import Part, ball, both_sides, tube, vector


def dog_parts(swing: float, phase: float) -> list[Part]:
    """A dog about 0.9 m long with its paws on z = 0."""
    parts = [
        tube(
            "fur",
            [(-0.32, 0, 0.5), (-0.25, 0, 0.5), (0.0, 0, 0.49), (0.2, 0, 0.5), (0.3, 0, 0.52)],
            (0.06, 0.11, 0.12, 0.14, 0.08),
            8,
        ),
        tube("fur", [(0.22, 0, 0.54), (0.38, 0, 0.68)], (0.1, 0.08), sides=6),
        ball("fur", (0.42, 0, 0.7), (0.11, 0.085, 0.09), sides=8),
        tube("fur", [(0.46, 0, 0.68), (0.6, 0, 0.65)], (0.055, 0.035), sides=6),
        ball("black", (0.605, 0, 0.665), (0.02, 0.022, 0.02), sides=5),
        tube("fur", [(-0.3, 0, 0.54), (-0.45, 0, 0.62), (-0.52, 0, 0.74)], (0.035, 0.03, 0.012), sides=5),
    ]
    ear = tube("fur_dark", [(0.4, 0.06, 0.77), (0.41, 0.11, 0.66)], (0.045, 0.03), sides=4, flat=0.5)
    return _grounded(parts + both_sides([ear]), 0.45, (-0.22, 0.2), 0.075, swing, phase, 0.045)


def deer_parts(swing: float, phase: float) -> list[Part]:
    """A deer about 1.6 m long with its hooves on z = 0."""
    parts = [
        tube(
            "fur",
            [(-0.6, 0, 0.98), (-0.5, 0, 0.98), (0.0, 0, 0.92), (0.35, 0, 0.95), (0.5, 0, 1.0)],
            (0.1, 0.2, 0.21, 0.22, 0.13),
            8,
        ),
        tube("fur", [(0.4, 0, 1.02), (0.62, 0, 1.42)], (0.15, 0.085), sides=6),
        tube("fur", [(0.56, 0, 1.46), (0.7, 0, 1.46), (0.9, 0, 1.36)], (0.07, 0.085, 0.04), sides=6),
        ball("black", (0.91, 0, 1.365), (0.025, 0.03, 0.025), sides=5),
        tube("white", [(-0.6, 0, 1.05), (-0.72, 0, 0.95)], (0.06, 0.03), sides=5),
    ]
    ear = tube("fur", [(0.58, 0.05, 1.52), (0.52, 0.16, 1.6)], (0.035, 0.012), sides=4)
    antler = [(0.6, 0.04, 1.52), (0.52, 0.14, 1.75), (0.62, 0.22, 1.95)]
    tine = [(0.53, 0.13, 1.73), (0.7, 0.17, 1.8)]
    horns = [tube("horn", antler, (0.02, 0.016, 0.006), sides=4), tube("horn", tine, (0.014, 0.005), sides=3)]
    return _grounded(parts + both_sides([ear, *horns]), 0.95, (-0.45, 0.38), 0.11, swing, phase, 0.055)


def _grounded(
    body: list[Part],
    hip_m: float,
    legs_x_m: tuple[float, float],
    aside_m: float,
    swing: float,
    phase: float,
    thick_m: float,
) -> list[Part]:
    """The body on four legs that move in diagonal pairs."""
    legs = []
    for x_m, along in zip(legs_x_m, (0.0, np.pi), strict=True):
        for side, across in ((1, 0.0), (-1, np.pi)):
            angle = swing * np.sin(phase + along + across)
            knee = np.array(
                [x_m + 0.5 * hip_m * np.sin(angle) - 0.03, aside_m * side, hip_m * (1 - 0.5 * np.cos(angle))]
            )
            paw = np.array([x_m + hip_m * np.sin(angle), aside_m * side, hip_m * (1 - np.cos(angle)) + 0.02])
            toe = paw + vector(0.05, 0.0, -0.005)
            radii = (1.5 * thick_m, 0.75 * thick_m, 0.6 * thick_m, 0.5 * thick_m)
            legs.append(tube("fur", [(x_m, aside_m * side, hip_m), knee, paw, toe], radii, sides=5))
    ground_m = min(float(leg.vertices_m[:, 2].min()) for leg in legs)
    return [part.shifted(z_m=-ground_m) for part in (*body, *legs)]
