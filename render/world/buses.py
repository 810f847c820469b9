"""Buses and trams: long bodies with rows of windows, stiff or in sections with bellows between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .actor_parts import Part, block, both_sides, patch, plate, prism, tube, wheel

_BELLOWS_M = 0.9
_PANE_M = 1.5
_DOUBLE_DECK_M = 3.9
_LONGEST_SECTION_M = 13.5


def bus_parts(length_m: float, width_m: float, height_m: float, bends: bool = False) -> list[Part]:
    """A city bus, with two decks where it is high enough for them; bends: in two sections."""
    half, radius_m = 0.47 * width_m, min(0.5, 0.16 * height_m)
    floor, top = 0.32, height_m - 0.16
    pivot_m = 0.42 * length_m
    spans = [(0.0, length_m)]
    axles = [0.24 * length_m, 0.79 * length_m]
    if bends or length_m > _LONGEST_SECTION_M:
        spans = [(0.0, pivot_m - _BELLOWS_M / 2), (pivot_m + _BELLOWS_M / 2, length_m)]
        axles = [0.16 * length_m, 0.56 * length_m, 0.85 * length_m]
    rows = [(0.5, 0.88)] if height_m < _DOUBLE_DECK_M else [(0.26, 0.48), (0.64, 0.88)]
    parts = _bellows(spans, half, floor, top)
    for start, end in spans:
        parts += _section((start, end), half, (floor, top), rows, leans=end == length_m)
        parts.append(
            block("body", (start + 0.25 * (end - start), start + 0.6 * (end - start)), (-0.6, 0.6), (top, height_m))
        )
    parts += _bus_nose(length_m, half, floor, top, width_m) + _bus_tail(half, floor, top)
    parts += _doors(
        [0.9 * length_m, 0.55 * length_m] if height_m < _DOUBLE_DECK_M else [0.9 * length_m], half, floor, top
    )
    return parts + _wheels(axles, half, radius_m)


def school_bus_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A yellow bus with a bonnet."""
    half, radius_m, floor, bonnet_m = 0.465 * width_m, 0.16 * height_m, 0.42, 0.13 * length_m
    front = length_m - bonnet_m
    face = [(front, -half, floor), (front, half, floor), (front, half, height_m), (front, -half, height_m)]
    hood = [(front - 0.2, 0.6), (length_m, 0.6), (length_m, 0.40 * height_m), (front - 0.2, 0.47 * height_m)]
    nose = [
        (length_m, -half, 0.6),
        (length_m, half, 0.6),
        (length_m, half, 0.4 * height_m),
        (length_m, -half, 0.4 * height_m),
    ]
    parts = [
        *_section((0.0, front), half, (floor, height_m), [(0.48, 0.8)], leans=False),
        prism("paint", hood, (-half, half), 0.1),
        block("trim", (length_m - 0.1, length_m + 0.08), (-half, half), (0.45, 0.68)),
        patch("glass", face, (0.06, 0.94), (0.46, 0.82), 0.02),
        patch("trim", nose, (0.25, 0.75), (0.25, 0.85)),
        patch("headlamp", nose, (0.04, 0.18), (0.3, 0.7)),
        patch("headlamp", nose, (0.82, 0.96), (0.3, 0.7)),
        patch("amber_light", face, (0.08, 0.2), (0.87, 0.95), 0.02),
        patch("amber_light", face, (0.8, 0.92), (0.87, 0.95), 0.02),
    ]
    side = _side((0.0, front), half, (floor, height_m))
    parts += both_sides([patch("trim", side, (0.0, 1.0), (v, v + 0.025)) for v in (0.14, 0.3, 0.42)])
    mirror = block("trim", (length_m - 0.25, length_m - 0.15), (half, width_m / 2), (0.42 * height_m, 0.55 * height_m))
    parts += both_sides([mirror]) + _bus_tail(half, floor, height_m)
    return parts + _wheels([0.25 * length_m, length_m - 0.6 * bonnet_m], half, radius_m)


def tram_parts(length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A low tram with a nose at both ends, in sections of about ten metres."""
    half, floor, top, nose_m = width_m / 2, 0.3, 0.88 * height_m, min(1.3, 0.12 * length_m)
    count = max(1, round(length_m / 10.0))
    step = (length_m + _BELLOWS_M) / count
    spans = [(i * step, (i + 1) * step - _BELLOWS_M) for i in range(count)]
    spans[0], spans[-1] = (spans[0][0] + nose_m, spans[0][1]), (spans[-1][0], spans[-1][1] - nose_m)
    parts = _bellows(spans, half, floor, top)
    for start, end in spans:
        parts += _section((start, end), half, (floor, top), [(0.42, 0.85)], leans=False)
        middle = 0.5 * (start + end)
        parts += _doors([middle + 0.65], half, floor, top)
        parts.append(block("chassis", (middle - 1.2, middle + 1.2), (-0.8 * half, 0.8 * half), (0.0, floor)))
    for at, ahead in ((nose_m, -1.0), (length_m - nose_m, 1.0)):
        parts += _tram_nose(at, ahead * nose_m, half, floor, top)
    middle = 0.5 * length_m
    arm = [(middle - 0.9, 0.0, top), (middle + 0.3, 0.0, 0.5 * (top + height_m)), (middle - 0.5, 0.0, height_m - 0.04)]
    parts.append(block("steel", (middle - 1.4, middle + 1.4), (-0.5 * half, 0.5 * half), (top, top + 0.15)))
    parts.append(tube("steel", arm, (0.05, 0.05, 0.05), sides=4))
    parts.append(block("steel", (middle - 0.6, middle - 0.4), (-0.6 * half, 0.6 * half), (height_m - 0.06, height_m)))
    return parts


# -- parts -------------------------------------------------------------------------------------------


def _side(x_m: tuple[float, float], half: float, z_m: tuple[float, float]) -> list[tuple[float, float, float]]:
    """The left wall as a patch wants it: from the front to the rear, from the floor to the roof."""
    rear, front = x_m
    return [(front, half, z_m[0]), (rear, half, z_m[0]), (rear, half, z_m[1]), (front, half, z_m[1])]


def _section(
    x_m: tuple[float, float], half: float, z_m: tuple[float, float], rows: Sequence[tuple[float, float]], leans: bool
) -> list[Part]:
    """A body with its panes; leans: whether its front slopes back a little."""
    (rear, front), (low, high) = x_m, z_m
    back = front - (0.18 if leans else 0.0)
    belt = low + 0.38 * (high - low)
    shape = [
        (rear, low),
        (front, low),
        (front, belt),
        (back, high - 0.1),
        (back - 0.12, high),
        (rear + 0.12, high),
        (rear, high - 0.1),
    ]
    side = _side((rear, back), half, z_m)
    count = max(1, round((back - rear) / _PANE_M))
    gap = 0.05 / (back - rear)
    panes = [
        patch("glass", side, ((i + 0.0) / count + gap, (i + 1) / count - gap), row, 0.012)
        for row in rows
        for i in range(count)
    ]
    band = patch("livery", side, (0.0, 1.0), (0.06, 0.2), 0.006)
    return [prism("paint", shape, (-half, half)), *both_sides([*panes, band])]


def _bus_nose(front: float, half: float, low: float, high: float, width_m: float) -> list[Part]:
    belt, back = low + 0.38 * (high - low), front - 0.18
    upper = [(front, -half, belt), (front, half, belt), (back, half, high - 0.1), (back, -half, high - 0.1)]
    lower = [(front, -half, low), (front, half, low), (front, half, belt), (front, -half, belt)]
    mirror = block("trim", (front - 0.05, front + 0.06), (half - 0.02, width_m / 2), (high - 0.95, high - 0.45))
    return [
        *(patch("glass", upper, (0.04, 0.96), row, 0.02) for row in _screens(high)),
        patch("trim", upper, (0.08, 0.92), (0.81, 0.99), 0.012),
        patch("destination", upper, (0.2, 0.8), (0.84, 0.96), 0.02),
        patch("headlamp", lower, (0.05, 0.2), (0.3, 0.5), 0.015),
        patch("headlamp", lower, (0.8, 0.95), (0.3, 0.5), 0.015),
        patch("trim", lower, (0.0, 1.0), (0.0, 0.16)),
        patch("number_plate", lower, (0.38, 0.62), (0.2, 0.32), 0.015),
        *both_sides([mirror]),
    ]


def _screens(high: float) -> list[tuple[float, float]]:
    return [(-0.12, 0.78)] if high < _DOUBLE_DECK_M - 0.16 else [(-0.25, 0.24), (0.36, 0.78)]


def _bus_tail(half: float, low: float, high: float) -> list[Part]:
    face = [(0.0, half, low), (0.0, -half, low), (0.0, -half, high - 0.1), (0.0, half, high - 0.1)]
    lamps = [
        patch("taillamp", face, u, v, 0.015) for u in ((0.03, 0.13), (0.87, 0.97)) for v in ((0.14, 0.3), (0.9, 0.95))
    ]
    return [
        *lamps,
        patch("glass", face, (0.12, 0.88), (0.55, 0.86), 0.012),
        patch("trim", face, (0.2, 0.8), (0.1, 0.4), 0.012),
        patch("number_plate", face, (0.38, 0.62), (0.43, 0.5), 0.015),
    ]


def _doors(fronts_m: Sequence[float], half: float, low: float, high: float) -> list[Part]:
    """Doors 1.3 m wide on the right side, their front edges at these places."""
    parts = []
    for front in fronts_m:
        leaf = [part.mirrored for part in (
            patch("trim", _side((front - 1.3, front), half, (low, high)), (0.0, 1.0), (0.02, 0.86), 0.018),
            patch("glass", _side((front - 1.3, front), half, (low, high)), (0.05, 0.47), (0.08, 0.83), 0.026),
            patch("glass", _side((front - 1.3, front), half, (low, high)), (0.53, 0.95), (0.08, 0.83), 0.026),
        )]  # fmt: skip
        parts += leaf
    return parts


def _bellows(spans: Sequence[tuple[float, float]], half: float, low: float, high: float) -> list[Part]:
    joints = [(before[1], after[0]) for before, after in pairwise(spans)]
    folds = []
    for start, end in joints:
        step = (end - start) / 3
        for i in range(3):
            fold_m = 0.9 if i % 2 == 0 else 0.84
            x_m = (start + i * step, start + (i + 1) * step)
            folds.append(block("trim", x_m, (-fold_m * half, fold_m * half), (low + 0.05, high - 0.08)))
    return folds


def _wheels(axles_m: Sequence[float], half: float, radius_m: float) -> list[Part]:
    parts: list[Part] = []
    for x_m in axles_m:
        arch = [(x_m + sign * radius_m * 1.18 * a, half + 0.012, z * radius_m) for sign, a, z in _ARCH]
        parts.append(plate("well", *arch))
        parts += wheel(x_m, half + 0.03, radius_m, 0.3)
    return both_sides(parts)


_ARCH = ((1, 1.0, 0.66), (-1, 1.0, 0.66), (-1, 0.92, 1.4), (-1, 0.5, 1.95), (1, 0.5, 1.95), (1, 0.92, 1.4))


def _tram_nose(at: float, reach: float, half: float, low: float, high: float) -> list[Part]:
    """A nose from the place ``at`` towards ``at + reach``; it is tapered in the plan and sloped in the side view."""
    tip, brow, narrow = at + reach, at + 0.45 * reach, 0.72 * half
    belt = low + 0.36 * (high - low)
    ends = [
        [(at, half, low), (at, half, belt), (at, half, high)],
        [(tip, narrow, low), (tip, narrow, belt), (brow, narrow, high)],
    ]
    sign = 1.0 if reach > 0 else -1.0

    def quad(role: str, *corners: tuple[float, float, float]) -> Part:
        return plate(role, *(corners if sign > 0 else corners[::-1]))

    (a0, a1, a2), (b0, b1, b2) = ends
    sides = [quad("paint", b0, a0, a1, b1), quad("glass", b1, a1, a2, b2)]
    mirror = [part.mirrored for part in sides]
    low_face = [(tip, -narrow, low), b0, b1, (tip, -narrow, belt)]
    high_face = [(tip, -narrow, belt), b1, b2, (brow, -narrow, high)]
    if sign < 0:
        low_face, high_face = ([q[i] for i in (1, 0, 3, 2)] for q in (low_face, high_face))
    lamp = "headlamp" if sign > 0 else "taillamp"
    return [
        *sides,
        *mirror,
        plate("paint", *low_face),
        plate("paint", *high_face),
        quad("paint", b2, a2, (at, -half, high), (brow, -narrow, high)),
        patch("glass", high_face, (0.03, 0.97), (0.02, 0.84), 0.015),
        patch("destination", high_face, (0.25, 0.75), (0.87, 0.97), 0.015),
        patch(lamp, low_face, (0.04, 0.2), (0.62, 0.86), 0.015),
        patch(lamp, low_face, (0.8, 0.96), (0.62, 0.86), 0.015),
        patch("livery", low_face, (0.0, 1.0), (0.06, 0.3), 0.01),
    ]
