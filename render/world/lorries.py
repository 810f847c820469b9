"""Lorries, tractors and trailers: a cab, a chassis on wheels and what it carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from .actor_parts import Part, block, both_sides, patch, prism, tube, wheel

Load = Literal["box", "curtain", "tipper", "tank", "flatbed", "cement"]


_LONGEST_LORRY_M = 11.0


def is_articulated(length_m: float) -> bool:
    """Whether a lorry is so long that it is a tractor with a semi-trailer."""
    return length_m > _LONGEST_LORRY_M


def as_load(name: str) -> Load:
    """A load by its name."""
    loads: tuple[Load, ...] = get_args(Load)
    return loads[loads.index(name)]


def lorry_parts(load: Load, length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A lorry on one frame, or, where it is too long for that, a tractor with a semi-trailer."""
    radius_m = _wheel_m(height_m)
    if is_articulated(length_m):
        cab_m = 2.2
        hitch_m = length_m - 4.4
        axles = [0.1 * length_m + i * 2.4 * radius_m for i in range(3)]
        parts = wheels(axles, width_m, radius_m) + wheels([length_m - 1.4, hitch_m + 0.6], width_m, radius_m)
        parts += chassis(0.0, length_m - 0.4, width_m, radius_m)
        parts += cab_parts(length_m, cab_m, width_m, 0.95 * height_m, radius_m)
        return (
            parts
            + load_parts(load, 0.0, length_m - cab_m - 0.55, width_m, height_m, radius_m)
            + tail(width_m, radius_m)
        )
    cab_m = min(2.1, 0.3 * length_m)
    rear = [0.2 * length_m] if length_m < 8.5 else [0.15 * length_m, 0.15 * length_m + 2.5 * radius_m]
    parts = wheels([*rear, length_m - 0.62 * cab_m], width_m, radius_m)
    parts += chassis(0.0, length_m - 0.4, width_m, radius_m)
    parts += cab_parts(length_m, cab_m, width_m, min(height_m, max(0.82 * height_m, 2.5)), radius_m)
    return parts + load_parts(load, 0.0, length_m - cab_m - 0.12, width_m, height_m, radius_m) + tail(width_m, radius_m)


def tractor_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A tractor without its trailer."""
    radius_m = _wheel_m(height_m)
    cab_m = min(2.6, 0.42 * length_m)
    axles = [0.18 * length_m, 0.18 * length_m + 2.4 * radius_m, length_m - 0.6 * cab_m]
    plate_m = (0.12 * length_m, 0.12 * length_m + 1.1)
    return [
        *wheels(axles, width_m, radius_m, is_covered=False),
        *chassis(0.0, length_m - 0.4, width_m, radius_m),
        *cab_parts(length_m, cab_m, width_m, height_m, radius_m),
        block("steel", plate_m, (-0.45, 0.45), (2.1 * radius_m, 2.1 * radius_m + 0.12)),
        *tail(width_m, radius_m),
    ]


def trailer_parts(load: Load, length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A trailer without what draws it."""
    radius_m = _wheel_m(height_m)
    count = 1 if length_m < 6 else 2 if length_m < 9 else 3
    axles = [0.16 * length_m + i * 2.4 * radius_m for i in range(count)]
    leg = block("steel", (0.8 * length_m, 0.8 * length_m + 0.14), (0.28 * width_m, 0.34 * width_m), (0.0, 2 * radius_m))
    return [
        *wheels(axles, width_m, radius_m),
        *chassis(0.0, length_m, width_m, radius_m),
        *load_parts(load, 0.0, length_m, width_m, height_m, radius_m),
        *both_sides([leg]),
        *tail(width_m, radius_m),
    ]


# -- parts -------------------------------------------------------------------------------------------


def _wheel_m(height_m: float) -> float:
    return min(0.51, 0.155 * height_m)


def wheels(axles_m: Sequence[float], width_m: float, radius_m: float, is_covered: bool = True) -> list[Part]:
    """A pair of wheels at every place along the vehicle; is_covered: something stands above them."""
    parts: list[Part] = []
    for x_m in axles_m:
        parts += wheel(x_m, 0.475 * width_m, radius_m, 0.14 * width_m, is_covered=is_covered)
    return both_sides(parts)


def chassis(rear_m: float, front_m: float, width_m: float, radius_m: float) -> list[Part]:
    """The frame between the wheels."""
    return [block("chassis", (rear_m + 0.1, front_m), (-0.3 * width_m, 0.3 * width_m), (radius_m, 2.12 * radius_m))]


def cab_parts(front_m: float, cab_m: float, width_m: float, top_m: float, radius_m: float) -> list[Part]:
    """A driver's cab over the front wheels, its nose at front_m."""
    low, rear, half = 0.75 * radius_m, front_m - cab_m, 0.475 * width_m
    rise = top_m - low
    belt, brow = low + 0.46 * rise, low + 0.84 * rise
    nose, lip = front_m - 0.02, front_m - 0.1 * cab_m
    sill = 2.15 * radius_m
    upper = [(rear, sill), (nose, sill), (nose, belt), (lip, brow), (lip - 0.16 * cab_m, top_m), (rear, top_m)]
    axle = front_m - 0.62 * cab_m
    skirt = [(min(axle + 1.25 * radius_m, nose - 0.1), low), (nose, low), (nose, sill), (axle + 1.1 * radius_m, sill)]
    inner = half - 0.04
    screen = [(nose, -half, belt), (nose, half, belt), (lip, inner, brow), (lip, -inner, brow)]
    face = [(nose, -half, low), (nose, half, low), (nose, half, belt), (nose, -half, belt)]
    side = [(nose, half, belt), (rear, half, belt), (rear, half, brow), (lip, half, brow)]
    step = [(nose, half, low), (rear, half, low), (rear, half, belt), (nose, half, belt)]
    parts = [
        prism("paint", upper, (-half, half)),
        prism("paint", skirt, (-half, half)),
        patch("glass", screen, (0.05, 0.95), (0.06, 0.94), 0.03),
        patch("trim", face, (0.18, 0.82), (0.42, 0.86)),
        patch("trim", face, (0.0, 1.0), (0.0, 0.16)),
        patch("headlamp", face, (0.05, 0.24), (0.2, 0.36)),
        patch("headlamp", face, (0.76, 0.95), (0.2, 0.36)),
        patch("number_plate", face, (0.4, 0.6), (0.22, 0.32)),
    ]
    window = patch("glass", side, (0.14, 0.66), (0.1, 0.92), 0.012)
    line = patch("trim", step, (0.7, 0.715), (0.45, 1.0))
    mirror = block("trim", (nose - 0.16, nose - 0.04), (half, width_m / 2), (belt + 0.1 * rise, belt + 0.32 * rise))
    return parts + both_sides([window, line, mirror])


def load_parts(
    load: Load, rear_m: float, front_m: float, width_m: float, height_m: float, radius_m: float
) -> list[Part]:
    """What stands on the frame."""
    floor, half = 2.12 * radius_m, width_m / 2 - 0.02
    deck = block("chassis", (rear_m, front_m), (-half, half), (floor - 0.12, floor))
    x_m, side_m = (rear_m, front_m), (-half, half)
    if load in ("box", "curtain"):
        return [deck, *_box(load, x_m, half, (floor, height_m))]
    if load == "tipper":
        walls = [
            (rear_m + 0.25, floor + 0.1),
            (front_m, floor + 0.1),
            (front_m, height_m - 0.06),
            (rear_m, height_m - 0.06),
        ]
        heap = [(rear_m + 0.3, height_m - 0.06), (front_m - 0.2, height_m - 0.06), (0.5 * (rear_m + front_m), height_m)]
        rib = block("body", (rear_m + 0.4, rear_m + 0.5), (half - 0.05, half + 0.02), (floor + 0.15, height_m - 0.08))
        gap = (front_m - rear_m - 0.9) / 3
        ribs = both_sides([rib.shifted(i * gap) for i in range(4)])
        return [
            deck,
            prism("body", walls, (-half + 0.05, half - 0.05)),
            prism("load", heap, (-0.7 * half, 0.7 * half)),
            *ribs,
        ]
    if load == "tank":
        r = min(half, (height_m - floor) / 2)
        path = [
            (rear_m, 0, height_m - r),
            (rear_m + 0.2, 0, height_m - r),
            (front_m - 0.2, 0, height_m - r),
            (front_m, 0, height_m - r),
        ]
        skirt = block("steel", (rear_m + 0.3, front_m - 0.3), (-half, half), (floor, floor + 0.12))
        return [deck, tube("tank", path, (0.8 * r, r, r, 0.8 * r), sides=10), skirt]
    if load == "cement":
        middle = 0.5 * (floor + height_m)
        path = [
            (rear_m + 0.2, 0, middle + 0.25),
            (rear_m + 0.5 * (front_m - rear_m), 0, middle),
            (front_m - 0.1, 0, middle - 0.15),
        ]
        r = 0.5 * (height_m - floor)
        chute = prism(
            "steel",
            [(rear_m, floor), (rear_m + 0.3, floor), (rear_m + 0.7, height_m), (rear_m + 0.3, height_m)],
            (-0.3, 0.3),
        )
        return [deck, tube("tank", path, (0.55 * r, 0.95 * r, 0.6 * r), sides=10), chute]
    board = block("steel", (front_m - 0.1, front_m), side_m, (floor, height_m))
    crates = [
        block("load", (rear_m + 0.1, 0.45 * front_m), (-0.8 * half, 0.8 * half), (floor, 0.62 * height_m)),
        block("wood", (0.5 * front_m, front_m - 0.4), (-0.85 * half, 0.7 * half), (floor, 0.74 * height_m)),
    ]
    return [deck, board, *crates]


def _box(load: Load, x_m: tuple[float, float], half: float, z_m: tuple[float, float]) -> list[Part]:
    left = [(x_m[1], half, z_m[0]), (x_m[0], half, z_m[0]), (x_m[0], half, z_m[1]), (x_m[1], half, z_m[1])]
    rear = [(x_m[0], half, z_m[0]), (x_m[0], -half, z_m[0]), (x_m[0], -half, z_m[1]), (x_m[0], half, z_m[1])]
    parts = [block("body", x_m, (-half, half), z_m)]
    parts += [
        patch("chassis", rear, (0.495, 0.505), (0.03, 0.97)),
        patch("chassis", rear, (0.03, 0.97), (0.0, 0.03)),
        patch("steel", rear, (0.3, 0.32), (0.08, 0.92), 0.02),
        patch("steel", rear, (0.68, 0.7), (0.08, 0.92), 0.02),
    ]
    if load == "curtain":
        straps = [patch("chassis", left, (u, u + 0.012), (0.02, 0.95)) for u in (0.12, 0.31, 0.5, 0.69, 0.88)]
        return parts + both_sides([patch("livery", left, (0.01, 0.99), (0.02, 0.95), 0.006), *straps])
    return parts + both_sides([patch("livery", left, (0.18, 0.82), (0.4, 0.72))])


def tail(width_m: float, radius_m: float) -> list[Part]:
    """Rear lamps, plates and the bar that keeps cars from driving under."""
    half = 0.47 * width_m
    bar = block("chassis", (0.04, 0.14), (-half, half), (0.95 * radius_m, 1.25 * radius_m))
    face = [
        (0.04, half, 0.95 * radius_m),
        (0.04, -half, 0.95 * radius_m),
        (0.04, -half, 1.55 * radius_m),
        (0.04, half, 1.55 * radius_m),
    ]
    lamp = block("taillamp", (0.02, 0.1), (0.62 * half, half), (1.28 * radius_m, 1.62 * radius_m))
    return [
        bar,
        *both_sides([lamp]),
        patch("number_plate", face, (0.38, 0.62), (0.5, 0.85), 0.02),
        *both_sides([patch("red_marker", face, (0.04, 0.3), (0.08, 0.42), 0.012)]),
    ]
