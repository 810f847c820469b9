"""Police cars, ambulances and fire engines: bodies of other vehicles with blue lights and stripes."""

from __future__ import annotations

from scenegraph.arrays import FloatArray

from .actor_parts import Part, block, both_sides, patch, prism, tube
from .car_shapes import SHAPES
from .cars import CarBody
from .lorries import cab_parts, chassis, tail, wheels

_BAR_M = 0.13


def police_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A patrol car: a saloon, or a high one where the box is high."""
    shape = SHAPES["suv" if height_m > 1.75 else "saloon"]
    car = CarBody(shape, length_m, width_m, height_m - 0.8 * _BAR_M)
    roof_m = 0.5 * (shape.greenhouse[1] + shape.greenhouse[2]) * length_m
    return car.parts() + _checks(car.door_panel(), 6) + _light_bar(roof_m, 0.3 * width_m, car.height_m, height_m)


def ambulance_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A van with windows high up behind, a cross on its flank and lights front and rear."""
    shape = SHAPES["panel_van"]
    car = CarBody(shape, length_m, width_m, height_m - 0.8 * _BAR_M)
    wall = car.flank()
    cross = [
        patch("livery", wall, (0.42, 0.54), (0.44, 0.56), 0.02),
        patch("livery", wall, (0.46, 0.5), (0.32, 0.68), 0.022),
    ]
    rear_m, front_m = 0.06 * length_m, 0.66 * length_m
    return [
        *car.parts(),
        *_checks(car.door_panel(), 6),
        *both_sides([*cross, patch("livery", wall, (0.3, 1.0), (0.02, 0.14), 0.015)]),
        *_light_bar(front_m, 0.34 * width_m, car.height_m, height_m),
        *_light_bar(rear_m, 0.3 * width_m, car.height_m, height_m),
    ]


def fire_engine_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A long cab, lockers with shutters, a ladder on top."""
    radius_m, half, cab_m = min(0.51, 0.155 * height_m), 0.475 * width_m, 0.36 * length_m
    floor, roof, front = 1.7 * radius_m, 0.87 * height_m, length_m - cab_m - 0.04
    wall = [(front, half, floor), (0.0, half, floor), (0.0, half, roof), (front, half, roof)]
    shutters = [patch("steel", wall, (u, u + 0.27), (0.22, 0.9), 0.012) for u in (0.04, 0.365, 0.69)]
    rear = [(0.0, half, floor), (0.0, -half, floor), (0.0, -half, roof), (0.0, half, roof)]
    ladder_z = 0.5 * (roof + height_m)
    beams = [
        tube("chrome", [(0.05, y, ladder_z), (0.8 * length_m, y, ladder_z + 0.1)], (0.06, 0.06), 4)
        for y in (-0.25, 0.25)
    ]
    rungs = [block("chrome", (x, x + 0.06), (-0.25, 0.25), (ladder_z, ladder_z + 0.05)) for x in (0.6, 1.6, 2.6, 3.6)]
    axle_m = length_m - 0.62 * min(cab_m, 2.1)
    return [
        *wheels([0.22 * length_m, axle_m], width_m, radius_m),
        *chassis(0.0, length_m - 0.4, width_m, radius_m),
        *cab_parts(length_m, cab_m, width_m, height_m - 0.8 * _BAR_M, radius_m),
        block("paint", (0.0, front), (-half, half), (floor, roof)),
        *both_sides([*shutters, patch("white", wall, (0.0, 1.0), (0.06, 0.17), 0.014)]),
        patch("steel", rear, (0.25, 0.75), (0.2, 0.88), 0.012),
        patch("yellow", rear, (0.02, 0.22), (0.2, 0.88), 0.012),
        patch("yellow", rear, (0.78, 0.98), (0.2, 0.88), 0.012),
        *beams,
        *rungs,
        *tail(width_m, radius_m),
        *_light_bar(length_m - 0.62, 0.4 * width_m, height_m - 0.8 * _BAR_M, height_m),
    ]


def _light_bar(x_m: float, half_m: float, roof_m: float, top_m: float) -> list[Part]:
    """Blue lights across the roof, with a white middle."""
    low = top_m - _BAR_M
    lamp = prism(
        "blue_light",
        [(x_m - 0.15, low), (x_m + 0.15, low), (x_m + 0.11, top_m), (x_m - 0.11, top_m)],
        (0.25 * half_m, half_m),
    )
    foot = block("trim", (x_m - 0.12, x_m + 0.12), (-0.9 * half_m, 0.9 * half_m), (roof_m - 0.05, low + 0.01))
    return [
        foot,
        block("white", (x_m - 0.12, x_m + 0.12), (-0.25 * half_m, 0.25 * half_m), (low, top_m - 0.02)),
        *both_sides([lamp]),
    ]


def _checks(panel: list[FloatArray], count: int) -> list[Part]:
    """Chequered stripes along both flanks."""
    checks = []
    for i in range(count):
        u = (i / count, (i + 1) / count)
        for row, (low, high) in enumerate(((0.3, 0.62), (0.62, 0.94))):
            role = "check" if (i + row) % 2 == 0 else "yellow"
            checks.append(patch(role, panel, u, (low, high), 0.012))
    return both_sides(checks)
