"""Construction machines: a tracked excavator and a wheel loader."""

from __future__ import annotations

from .actor_parts import Part, Point, block, both_sides, patch, prism, wheel


def excavator_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """An excavator with its arm stretched forward."""
    l, w, h = length_m, width_m, height_m  # noqa: E741

    def side(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * l, z * h) for x, z in points]

    track = side(
        (0.06, 0.0), (0.44, 0.0), (0.49, 0.09), (0.47, 0.2), (0.42, 0.24), (0.08, 0.24), (0.02, 0.18), (0.01, 0.08)
    )
    hub = side((0.09, 0.06), (0.41, 0.06), (0.42, 0.17), (0.08, 0.17))
    house = side((0.02, 0.28), (0.44, 0.28), (0.44, 0.48), (0.3, 0.58), (0.04, 0.58), (0.0, 0.5))
    cab = side((0.24, 0.4), (0.45, 0.4), (0.46, 0.62), (0.42, 0.86), (0.25, 0.86))
    pane = side((0.26, 0.55), (0.445, 0.55), (0.45, 0.63), (0.415, 0.82), (0.27, 0.82))
    lower = side((0.36, 0.42), (0.44, 0.42), (0.66, 0.92), (0.64, 1.0), (0.57, 0.96))
    upper = side((0.6, 0.92), (0.93, 0.6), (0.94, 0.67), (0.64, 1.0))
    stick = side((0.9, 0.7), (0.86, 0.62), (0.9, 0.22), (0.94, 0.22), (0.97, 0.6), (0.96, 0.7))
    bucket = side((0.8, 0.08), (0.9, 0.0), (0.97, 0.04), (1.0, 0.16), (0.97, 0.28), (0.88, 0.28))
    screen = _pane((0.46 * l, 0.62 * h), (0.42 * l, 0.86 * h), (0.1 * w, 0.45 * w))
    piston = side((0.4, 0.46), (0.43, 0.45), (0.56, 0.76), (0.54, 0.78))
    pair = [
        prism("tyre", track, (0.26 * w, 0.5 * w)),
        prism("steel", hub, (0.5 * w - 0.1, 0.5 * w + 0.01)),
        prism("chrome", piston, (0.1 * w, 0.14 * w)),
    ]
    return [
        *both_sides(pair),
        block("chassis", (0.1 * l, 0.4 * l), (-0.26 * w, 0.26 * w), (0.12 * h, 0.29 * h)),
        prism("paint", house, (-0.45 * w, 0.45 * w)),
        block("trim", (-0.005 * l, 0.01 * l), (-0.4 * w, 0.4 * w), (0.34 * h, 0.46 * h)),
        prism("paint", cab, (0.1 * w, 0.45 * w)),
        prism("glass", pane, (0.09 * w, 0.46 * w)),
        block("glass", (0.44 * l, 0.462 * l), (0.13 * w, 0.42 * w), (0.42 * h, 0.6 * h)),
        prism("paint", lower, (-0.09 * w, 0.09 * w)),
        prism("paint", upper, (-0.085 * w, 0.085 * w)),
        prism("paint", stick, (-0.07 * w, 0.07 * w)),
        prism("steel", bucket, (-0.22 * w, 0.22 * w)),
        patch("glass", screen, (0.08, 0.92), (0.0, 0.88)),
        block("amber_light", (0.3 * l, 0.32 * l), (0.2 * w, 0.26 * w), (0.86 * h, 0.91 * h)),
    ]


def loader_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A wheel loader with its bucket down in front."""
    l, w, h = length_m, width_m, height_m  # noqa: E741

    def side(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * l, z * h) for x, z in points]

    radius_m = 0.23 * h
    engine = side((0.0, 0.24), (0.34, 0.24), (0.34, 0.62), (0.03, 0.56), (0.0, 0.5))
    front = side((0.46, 0.22), (0.64, 0.22), (0.66, 0.4), (0.58, 0.54), (0.46, 0.54))
    cab = side((0.32, 0.45), (0.54, 0.45), (0.55, 0.68), (0.5, 0.97), (0.34, 0.97))
    pane = side((0.34, 0.62), (0.535, 0.62), (0.54, 0.69), (0.495, 0.92), (0.355, 0.92))
    arm = side((0.52, 0.5), (0.56, 0.44), (0.8, 0.2), (0.84, 0.24), (0.72, 0.46), (0.58, 0.56))
    bucket = side((0.82, 0.02), (1.0, 0.0), (1.0, 0.03), (0.9, 0.12), (0.93, 0.34), (0.87, 0.36), (0.8, 0.2))
    wheels = [part for x in (0.2, 0.62) for part in wheel(x * l, 0.46 * w, radius_m, 0.2 * w, sides=12)]
    return [
        *both_sides([*wheels, prism("paint", arm, (0.14 * w, 0.2 * w))]),
        block("chassis", (0.1 * l, 0.66 * l), (-0.24 * w, 0.24 * w), (0.16 * h, 0.3 * h)),
        prism("paint", engine, (-0.34 * w, 0.34 * w)),
        block("trim", (-0.005 * l, 0.01 * l), (-0.26 * w, 0.26 * w), (0.3 * h, 0.48 * h)),
        *both_sides([block("taillamp", (-0.008 * l, 0.01 * l), (0.27 * w, 0.33 * w), (0.42 * h, 0.48 * h))]),
        prism("paint", front, (-0.26 * w, 0.26 * w)),
        prism("paint", cab, (-0.28 * w, 0.28 * w)),
        prism("glass", pane, (-0.29 * w, 0.29 * w)),
        patch(
            "glass", _pane((0.55 * l, 0.68 * h), (0.5 * l, 0.97 * h), (-0.28 * w, 0.28 * w)), (0.06, 0.94), (0.02, 0.88)
        ),
        *both_sides([block("headlamp", (0.63 * l, 0.67 * l), (0.2 * w, 0.26 * w), (0.42 * h, 0.48 * h))]),
        prism("steel", bucket, (-0.5 * w, 0.5 * w)),
        block("amber_light", (0.4 * l, 0.43 * l), (-0.04 * w, 0.04 * w), (0.97 * h, h)),
    ]


def _pane(low_xz: tuple[float, float], high_xz: tuple[float, float], y_m: tuple[float, float]) -> list[Point]:
    """A sloping front, as a patch wants it."""
    (x0, z0), (x1, z1), (right, left) = low_xz, high_xz, y_m
    return [(x0, right, z0), (x0, left, z0), (x1, left, z1), (x1, right, z1)]
