"""Things on and beside the road that are nobody's vehicle: cones, barriers, bins, boxes, prams and trolleys."""

from __future__ import annotations

import numpy as np

from .actor_parts import Part, block, both_sides, hoop, loft, patch, plate, prism, tube, vector


def cone_parts() -> list[Part]:
    """A traffic cone with a reflecting band on a square foot."""
    foot = block("trim", (-0.2, 0.2), (-0.2, 0.2), (0.0, 0.04))
    heights, radii = (0.04, 0.28, 0.46, 0.62, 0.75), (0.145, 0.105, 0.077, 0.053, 0.032)
    bands = zip(heights, heights[1:], radii, radii[1:], ("orange", "band", "orange", "band"), strict=False)
    rings = [
        tube(role, [(0, 0, low), (0, 0, high)], (wide, narrow), sides=10) for low, high, wide, narrow, role in bands
    ]
    return [foot, *rings]


def barrier_parts(length_m: float) -> list[Part]:
    """A striped board on two feet, length_m along y and 1 m high."""
    half = length_m / 2
    parts = []
    for low, high in ((0.72, 1.0), (0.3, 0.5)):
        parts.append(block("band", (-0.03, 0.03), (-half, half), (low, high)))
        count = max(2, round(length_m / 0.4))
        for side in (1.0, -1.0):
            face = [(side * 0.03, -side * half, low), (side * 0.03, side * half, low)]
            face += [(side * 0.03, side * half, high), (side * 0.03, -side * half, high)]
            parts += [_stripe(face, i / count, 0.5 / count) for i in range(count)]
    for y_m in (-0.8 * half, 0.8 * half):
        parts.append(block("trim", (-0.25, 0.25), (y_m - 0.06, y_m + 0.06), (0.0, 0.08)))
        parts.append(block("steel", (-0.025, 0.025), (y_m - 0.03, y_m + 0.03), (0.08, 0.95)))
    lamp = tube("amber_light", [(0, 0.8 * half, 1.0), (0, 0.8 * half, 1.1)], (0.06, 0.06), sides=6)
    return [*parts, lamp]


def _stripe(face: list[tuple[float, float, float]], start: float, share: float) -> Part:
    a, b, c, d = (np.array(corner) for corner in face)
    lean = 0.4 * share
    lift = 0.002 * np.sign(a[0]) * np.array([1.0, 0.0, 0.0])
    below = [a + (b - a) * u + lift for u in (start, start + share)]
    above = [d + (c - d) * min(1.0, u + lean) + lift for u in (start + share, start)]
    return plate("red", *below, *above)


def concrete_barrier_parts(length_m: float) -> list[Part]:
    """A concrete barrier, length_m along y."""
    half = length_m / 2
    profile = [
        (-0.3, 0.0),
        (0.3, 0.0),
        (0.3, 0.08),
        (0.14, 0.34),
        (0.08, 0.85),
        (-0.08, 0.85),
        (-0.14, 0.34),
        (-0.3, 0.08),
    ]
    lower, upper = profile[:4] + profile[6:], profile[3:7]
    return [prism("concrete", lower, (-half, half)), prism("concrete", upper, (-half, half))]


def bollard_parts() -> list[Part]:
    """A post with reflecting bands."""
    return [
        tube("orange", [(0, 0, 0), (0, 0, 0.06)], (0.14, 0.12), sides=10),
        tube("orange", [(0, 0, 0.06), (0, 0, 0.98), (0, 0, 1.0)], (0.075, 0.075, 0.05), sides=10),
        tube("band", [(0, 0, 0.6), (0, 0, 0.7)], (0.08, 0.08), sides=10),
        tube("band", [(0, 0, 0.8), (0, 0, 0.9)], (0.08, 0.08), sides=10),
    ]


def drum_parts() -> list[Part]:
    """An orange construction drum with white bands."""
    parts = [tube("trim", [(0, 0, 0), (0, 0, 0.06)], (0.34, 0.34), sides=10)]
    heights, roles = np.linspace(0.06, 1.0, 7), ("orange", "band", "orange", "band", "orange", "orange")
    for low, high, role in zip(heights, heights[1:], roles, strict=False):
        parts.append(tube(role, [(0, 0, low), (0, 0, high)], (0.3 - 0.06 * low, 0.3 - 0.06 * high), sides=10))
    return parts


def debris_parts() -> list[Part]:
    """A burst box, planks and a sack, as they lie about."""
    sack = tube("load", [(-0.35, 0.1, 0.1), (-0.2, 0.15, 0.14), (0.0, 0.25, 0.1)], (0.08, 0.15, 0.06), sides=6)
    planks = [
        tube("wood", [(-0.4, -0.25, 0.03), (0.4, -0.1, 0.08)], (0.05, 0.05), sides=4),
        tube("wood", [(-0.1, -0.3, 0.06), (0.25, 0.3, 0.04)], (0.045, 0.045), sides=4),
    ]
    crate = prism("cardboard", [(-0.02, 0.0), (0.36, 0.02), (0.34, 0.3), (0.06, 0.38)], (-0.12, 0.2))
    flap = prism("cardboard", [(0.3, 0.26), (0.4, 0.4), (0.38, 0.41), (0.28, 0.3)], (-0.1, 0.18))
    return [sack, *planks, crate, flap]


def box_parts() -> list[Part]:
    """A cardboard box with tape along its top."""
    top = [(-0.5, -0.5, 1.0), (0.5, -0.5, 1.0), (0.5, 0.5, 1.0), (-0.5, 0.5, 1.0)]
    side = [(0.5, -0.5, 0.0), (0.5, 0.5, 0.0), (0.5, 0.5, 1.0), (0.5, -0.5, 1.0)]
    body = block("cardboard", (-0.5, 0.5), (-0.5, 0.5), (0.0, 0.992))
    return [
        body,
        patch("tape", top, (0.0, 1.0), (0.42, 0.58), 0.0),
        patch("tape", side, (0.42, 0.58), (0.75, 0.99), 0.0),
    ]


def bin_parts() -> list[Part]:
    """A wheeled bin with a lid and a handle."""
    tub = prism("bin", [(-0.24, 0.06), (0.22, 0.06), (0.29, 0.95), (-0.29, 0.95)], (-0.27, 0.27))
    lid = prism("bin_lid", [(-0.32, 0.95), (0.31, 0.95), (0.29, 1.02), (-0.2, 1.07)], (-0.29, 0.29))
    bar = tube("trim", [(-0.36, -0.2, 0.93), (-0.36, 0.2, 0.93)], (0.02, 0.02), sides=4)
    wheel_part = tube("tyre", [(-0.24, 0.2, 0.1), (-0.24, 0.27, 0.1)], (0.1, 0.1), sides=8)
    return [tub, lid, bar, *both_sides([wheel_part])]


def stroller_parts() -> list[Part]:
    """A pram: a hooded seat, a frame, four wheels and a handle behind."""
    parts = [
        hoop("tyre", x, r, 0.04, sides=10).shifted(y_m=s * 0.24) for x, r in ((0.0, 0.13), (0.62, 0.1)) for s in (1, -1)
    ]
    for side in (1, -1):
        y = 0.24 * side
        parts += [
            tube("steel", [(0.62, y, 0.1), (0.1, y, 0.6), (-0.32, y, 1.02)], (0.018, 0.018, 0.018), sides=4),
            tube("steel", [(0.0, y, 0.13), (0.38, y, 0.52)], (0.018, 0.018), sides=4),
        ]
    seat = prism("cloth", [(0.0, 0.42), (0.55, 0.36), (0.72, 0.5), (0.7, 0.58), (0.2, 0.6), (-0.1, 0.8)], (-0.22, 0.22))
    hood = prism(
        "cloth", [(-0.14, 0.72), (0.1, 0.66), (0.38, 0.92), (0.22, 1.06), (0.0, 1.06), (-0.14, 0.94)], (-0.23, 0.23)
    )
    handle = tube("trim", [(-0.32, -0.26, 1.02), (-0.32, 0.26, 1.02)], (0.025, 0.025), sides=4)
    return [*parts, seat, hood, handle]


def trolley_parts() -> list[Part]:
    """A shopping trolley: a wire basket on a frame with four castors."""
    parts = [
        tube("tyre", [(x, y - 0.02, 0.06), (x, y + 0.02, 0.06)], (0.06, 0.06), sides=6)
        for x in (0, 0.8)
        for y in (-0.22, 0.22)
    ]
    for y in (-0.25, 0.25):
        corners = [(0.0, 0.55), (0.85, 0.65), (0.92, 0.95), (-0.08, 0.98)]
        for (x0, z0), (x1, z1) in zip(corners, corners[1:] + corners[:1], strict=True):
            parts.append(tube("steel", [(x0, y, z0), (x1, y, z1)], (0.014, 0.014), sides=3))
        for share in (0.2, 0.4, 0.6, 0.8):
            low, high = 0.85 * share, 1.0 * share - 0.08
            parts.append(tube("steel", [(low, y, 0.55 + 0.1 * share), (high, y, 0.97)], (0.008, 0.008), sides=3))
        parts.append(tube("steel", [(0.0, 0.88 * y, 0.12), (0.0, y, 0.55)], (0.016, 0.016), sides=3))
        parts.append(tube("steel", [(0.0, 0.88 * y, 0.14), (0.8, 0.88 * y, 0.14)], (0.016, 0.016), sides=3))
    floor = prism("steel", [(0.0, 0.55), (0.85, 0.65), (0.85, 0.66), (0.0, 0.57)], (-0.25, 0.25))
    handle = tube("red", [(-0.12, -0.27, 1.0), (-0.12, 0.27, 1.0)], (0.025, 0.025), sides=5)
    return [*parts, floor, handle]


def rack_parts(length_m: float) -> list[Part]:
    """Bicycle stands in a row, length_m along y."""
    count = max(2, round(length_m / 0.8))
    parts = []
    for y in np.linspace(-length_m / 2 + 0.05, length_m / 2 - 0.05, count):
        path = [(-0.4, y, 0.0), (-0.4, y, 0.65), (-0.25, y, 0.8), (0.25, y, 0.8), (0.4, y, 0.65), (0.4, y, 0.0)]
        parts.append(tube("steel", path, (0.03,) * 6, sides=5))
    return parts


def sign_parts(stops: bool) -> list[Part]:
    """A plate on a post that stands in the road, facing both ways: a stop sign or a warning."""
    post = tube("steel", [(0, 0, 0.04), (0, 0, 2.0)], (0.03, 0.03), sides=6)
    foot = block("trim", (-0.25, 0.25), (-0.25, 0.25), (0.0, 0.06))
    count, radius_m = (8, 0.38) if stops else (4, 0.42)
    angles = (np.arange(count) + (0.5 if stops else 0.0)) * 2 * np.pi / count
    outline = np.stack([np.zeros(count), radius_m * np.cos(angles), 1.7 + radius_m * np.sin(angles)], axis=1)
    board = loft("band", [outline[::-1] + vector(x, 0, 0) for x in (-0.035, 0.035)], closed=True, capped=True)
    face = (outline - (0, 0, 1.7)) * (1, 0.9, 0.9) + (0.04, 0, 1.7)
    role = "stop_sign" if stops else "yellow"
    return [foot, post, board, plate(role, *face), plate(role, *(face[::-1] * (-1, 1, 1)))]


def sign_trailer_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A small trailer that carries a dark board with a lit arrow, seen from behind."""
    bed, half = 0.25 * height_m, 0.45 * width_m
    board = block(
        "trim", (0.4 * length_m, 0.45 * length_m), (-0.5 * width_m, 0.5 * width_m), (0.5 * height_m, height_m)
    )
    x, low, high = 0.395 * length_m, 0.58 * height_m, 0.92 * height_m
    middle = 0.5 * (low + high)
    wheels = tube("tyre", [(0.4 * length_m, half, 0.3), (0.4 * length_m, half - 0.2, 0.3)], (0.3, 0.3), sides=10)
    return [
        block("orange", (0.1 * length_m, 0.75 * length_m), (-0.7 * half, 0.7 * half), (bed - 0.15, bed + 0.2)),
        tube("steel", [(0.7 * length_m, 0, bed), (length_m, 0, bed)], (0.05, 0.05), sides=4),
        tube("steel", [(0.97 * length_m, 0, 0.0), (0.97 * length_m, 0, bed)], (0.04, 0.04), sides=4),
        block("steel", (0.4 * length_m, 0.45 * length_m), (-0.1, 0.1), (bed, 0.5 * height_m)),
        board,
        plate("amber_light", (x, 0.1 * half, low), (x, 0.1 * half, high), (x, 0.8 * half, middle)),
        plate(
            "amber_light",
            (x, 0.1 * half, middle - 0.08),
            (x, -0.8 * half, middle - 0.08),
            (x, -0.8 * half, middle + 0.08),
            (x, 0.1 * half, middle + 0.08),
        ),
        *both_sides(
            [
                wheels,
                block("taillamp", (0.09 * length_m, 0.11 * length_m), (0.5 * half, 0.68 * half), (bed, bed + 0.12)),
            ]
        ),
    ]
