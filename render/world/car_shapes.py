"""Body styles of passenger cars, vans and pickups, as side views in fractions of the size."""

from __future__ import annotations

from dataclasses import dataclass

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CarShape:
    """A side view in fractions: x of the length from the tail to the nose, z of the height from the ground.

    deck: the upper edge of the body without its greenhouse. greenhouse: x of the rear window's foot, the roof's rear
    edge, its front edge and the windscreen's foot. windows: where panes begin and end, in fractions of the
    greenhouse's side. inset: how much further in the roof's edge is than the belt, of half the width.
    """

    deck: Knots
    greenhouse: tuple[float, float, float, float]
    windows: Knots
    axles: tuple[float, float]
    wheel: float
    sill: float = 0.15
    middle: float = 0.46
    inset: float = 0.22
    cladding: bool = False
    bed: tuple[float, float] | None = None


SHAPES: dict[str, CarShape] = {
    "saloon": CarShape(
        ((0.0, 0.62), (0.03, 0.67), (0.17, 0.68), (0.70, 0.65), (0.96, 0.535), (1.0, 0.48)),
        (0.13, 0.30, 0.545, 0.715),
        ((0.13, 0.29), (0.315, 0.58), (0.60, 0.93)),
        (0.20, 0.80),
        0.225,
    ),
    "hatchback": CarShape(
        ((0.0, 0.56), (0.03, 0.63), (0.11, 0.65), (0.72, 0.62), (0.96, 0.52), (1.0, 0.46)),
        (0.025, 0.12, 0.52, 0.755),
        ((0.06, 0.25), (0.28, 0.56), (0.585, 0.93)),
        (0.16, 0.81),
        0.215,
    ),
    "estate": CarShape(
        ((0.0, 0.58), (0.03, 0.64), (0.11, 0.66), (0.70, 0.64), (0.96, 0.535), (1.0, 0.48)),
        (0.02, 0.075, 0.55, 0.72),
        ((0.04, 0.27), (0.295, 0.60), (0.62, 0.93)),
        (0.19, 0.80),
        0.22,
    ),
    "suv": CarShape(
        ((0.0, 0.58), (0.03, 0.62), (0.11, 0.64), (0.72, 0.63), (0.96, 0.56), (1.0, 0.50)),
        (0.02, 0.07, 0.57, 0.745),
        ((0.04, 0.26), (0.285, 0.60), (0.62, 0.93)),
        (0.18, 0.81),
        0.215,
        sill=0.17,
        inset=0.19,
        cladding=True,
    ),
    "minivan": CarShape(
        ((0.0, 0.52), (0.03, 0.57), (0.11, 0.58), (0.80, 0.56), (0.96, 0.46), (1.0, 0.40)),
        (0.015, 0.05, 0.60, 0.86),
        ((0.03, 0.27), (0.29, 0.55), (0.57, 0.80), (0.82, 0.93)),
        (0.18, 0.82),
        0.19,
        sill=0.14,
        middle=0.40,
        inset=0.16,
    ),
    "panel_van": CarShape(
        ((0.0, 0.48), (0.03, 0.50), (0.11, 0.51), (0.82, 0.49), (0.96, 0.41), (1.0, 0.36)),
        (0.01, 0.025, 0.70, 0.865),
        ((0.75, 0.945),),
        (0.20, 0.83),
        0.155,
        sill=0.11,
        middle=0.34,
        inset=0.10,
    ),
    "pickup": CarShape(
        ((0.0, 0.55), (0.03, 0.60), (0.11, 0.61), (0.76, 0.61), (0.96, 0.56), (1.0, 0.50)),
        (0.375, 0.42, 0.625, 0.765),
        ((0.06, 0.46), (0.50, 0.92)),
        (0.21, 0.82),
        0.215,
        sill=0.19,
        inset=0.18,
        cladding=True,
        bed=(0.03, 0.36),
    ),
}
