"""Bodies of passenger cars, vans and pickups, lofted from a side view and a plan view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from scenegraph.arrays import FloatArray

from .actor_parts import Part, block, both_sides, loft, patch, plate, vector, wheel
from .car_shapes import CarShape, Knots

_PLAN: Knots = ((0.0, 0.88), (0.03, 0.98), (0.11, 1.0), (0.86, 1.0), (0.96, 0.92), (1.0, 0.72))
"""Half the width along the car, as a fraction of its largest."""
_WELL_M = 0.28
_BODY = 0.955
"""Width of the body without its mirrors."""
_ARCH_DEG = np.array([180.0, 164.0, 115.0, 65.0, 16.0, 0.0])


@dataclass(frozen=True)
class CarBody:
    """A car of some shape and size, in metres: x from the tail, z from the ground."""

    shape: CarShape
    length_m: float
    width_m: float
    height_m: float

    def parts(self) -> list[Part]:
        """All of it."""
        return self.hull() + self.greenhouse() + self.wheels() + self.mirrors() + self.details()

    # -- outlines --------------------------------------------------------------------------------

    @cached_property
    def knots_m(self) -> FloatArray:
        """Where the plan view or the deck bends, [P]."""
        return np.unique([x for x, _ in (*_PLAN, *self.shape.deck)]) * self.length_m

    @cached_property
    def arches_m(self) -> list[FloatArray]:
        """Of the rear and of the front wheel: the arch's points [6,2], x and z."""
        radius_m = 1.13 * self.wheel_m
        angle = np.deg2rad(_ARCH_DEG)
        arches = []
        for axle in self.shape.axles:
            x = axle * self.length_m + radius_m * np.cos(angle)
            z = self.wheel_m + radius_m * np.sin(angle)
            z[[0, -1]] = self.sill_m
            arches.append(np.stack([x, z], axis=1))
        return arches

    @property
    def wheel_m(self) -> float:
        """Radius of a wheel."""
        return self.shape.wheel * self.height_m

    @property
    def sill_m(self) -> float:
        """Height of the lower edge."""
        return self.shape.sill * self.height_m

    @property
    def half_m(self) -> float:
        """Half the width without mirrors."""
        return _BODY * self.width_m / 2

    def deck(self, x_m: FloatArray) -> FloatArray:
        """Height of the deck's edge."""
        x, z = np.array(self.shape.deck).T
        return np.asarray(np.interp(x_m, x * self.length_m, z * self.height_m))

    def middle(self, x_m: FloatArray) -> FloatArray:
        """Height of the widest line."""
        return np.minimum(self.shape.middle * self.height_m, self.deck(x_m) - 0.085 * self.height_m)

    def half(self, x_m: FloatArray) -> FloatArray:
        """Half the width at the widest line."""
        x, breadth = np.array(_PLAN).T
        return np.asarray(np.interp(x_m, x * self.length_m, breadth)) * self.half_m

    def line(self, name: str, x_m: FloatArray) -> FloatArray:
        """Points [N,3] of a line along the left side, pulled in a little at nose and tail."""
        z_m, breadth, pull = {
            "sill": (np.full(len(x_m), self.sill_m), 0.95, 0.012),
            "middle": (self.middle(x_m), 1.0, 0.0),
            "deck": (self.deck(x_m), 0.92, 0.014),
        }[name]
        ends = np.interp(x_m, np.array([0.0, 0.1, 0.9, 1.0]) * self.length_m, (1.0, 0.0, 0.0, -1.0))
        return np.stack([x_m + pull * self.length_m * ends, breadth * self.half(x_m), z_m], axis=1)

    # -- body ------------------------------------------------------------------------------------

    def hull(self) -> list[Part]:
        """Everything below the windows."""
        lower = np.concatenate(self.arches_m)
        x_m = np.unique(np.concatenate([lower[:, 0], self.knots_m]))
        foot = self.line("sill", x_m)
        foot[:, 2] = np.interp(x_m, lower[:, 0], lower[:, 1])
        side = loft("paint", np.stack([self.line("middle", x_m), foot], axis=1))
        middle, deck = self.line("middle", self.knots_m), self.line("deck", self.knots_m)
        crown = deck * (1.0, 0.0, 1.0) + vector(0.0, 0.0, 0.018 * self.height_m)
        shoulder = loft("paint", np.stack([deck, middle], axis=1))
        top = loft("paint", np.stack([crown, deck], axis=1))
        return both_sides([side, shoulder, top, *self._wells()]) + self._ends() + self._floor()

    def _wells(self) -> list[Part]:
        parts = []
        for arch in self.arches_m:
            outside = self.line("sill", arch[:, 0])
            outside[:, 2] = arch[:, 1]
            inside = outside.copy()
            inside[:, 1] = outside[:, 1].min() - _WELL_M
            parts.append(loft("well", np.stack([outside, inside], axis=1)))
            top_m = arch[:, 1].max()
            front, rear, y_m = arch[-1, 0], arch[0, 0], inside[0, 1]
            wall = [(front, y_m, self.sill_m), (rear, y_m, self.sill_m), (rear, y_m, top_m), (front, y_m, top_m)]
            parts.append(plate("well", *wall))
        return parts

    def _ends(self) -> list[Part]:
        parts = []
        for x_m, is_nose in ((0.0, False), (self.length_m, True)):
            sill, middle, deck = (self.line(name, np.array([x_m]))[0] for name in ("sill", "middle", "deck"))
            crown = deck * (1.0, 0.0, 1.0) + vector(0.0, 0.0, 0.018 * self.height_m)
            low, high = _across(sill, middle, is_nose), _across(middle, deck, is_nose)
            a, b = high[3], high[2]
            parts += [plate("paint", *low), plate("paint", *high), plate("paint", a, b, crown)]
            parts += self._nose(low, high) if is_nose else self._tail(low, high)
        return parts

    def _floor(self) -> list[Part]:
        """The underside, which leaves the wheels their wells."""
        rear, front = self.arches_m
        ends_m = np.array([0.0, rear[0, 0], rear[-1, 0], front[0, 0], front[-1, 0], self.length_m])
        parts = []
        for number, x_m in enumerate(pairwise(ends_m)):
            left = self.line("sill", np.array(x_m))
            if number % 2:
                left[:, 1] = left[:, 1].min() - _WELL_M
            parts.append(plate("well", *left, *(left[::-1] * (1.0, -1.0, 1.0))))
        return parts

    def _nose(self, low: list[FloatArray], high: list[FloatArray]) -> list[Part]:
        corner = self._corner(is_nose=True)
        mirror = [corner[i] * (1, -1, 1) for i in (1, 0, 3, 2)]
        return [
            patch("headlamp", high, (0.0, 0.2), (0.1, 0.95)),
            patch("headlamp", high, (0.8, 1.0), (0.1, 0.95)),
            patch("headlamp", corner, (0.1, 1.0), (0.1, 0.95), 0.018),
            patch("headlamp", mirror, (0.0, 0.9), (0.1, 0.95), 0.018),
            patch("trim", high, (0.24, 0.76), (0.0, 0.8)),
            patch("trim", low, (0.12, 0.88), (0.06, 0.42)),
            patch("number_plate", low, (0.34, 0.66), (0.52, 0.84)),
        ]

    def _tail(self, low: list[FloatArray], high: list[FloatArray]) -> list[Part]:
        corner = self._corner(is_nose=False)
        mirror = [corner[i] * (1, -1, 1) for i in (1, 0, 3, 2)]
        return [
            patch("taillamp", high, (0.0, 0.23), (0.12, 0.88)),
            patch("taillamp", high, (0.77, 1.0), (0.12, 0.88)),
            patch("taillamp", corner, (0.0, 0.9), (0.12, 0.88), 0.018),
            patch("taillamp", mirror, (0.1, 1.0), (0.12, 0.88), 0.018),
            patch("trim", low, (0.04, 0.96), (0.0, 0.36)),
            patch("number_plate", low, (0.34, 0.66), (0.5, 0.82)),
        ]

    def _corner(self, is_nose: bool) -> list[FloatArray]:
        """The left side's facet between middle and deck next to nose or tail."""
        x_m = np.array([0.96, 1.0] if is_nose else [0.0, 0.03]) * self.length_m
        middle, deck = self.line("middle", x_m), self.line("deck", x_m)
        return [middle[1], middle[0], deck[0], deck[1]]

    # -- greenhouse ------------------------------------------------------------------------------

    def greenhouse(self) -> list[Part]:
        """Roof, pillars and panes."""
        feet, edge = self._side_plane()
        roof_x = edge[:, 0]
        crown = np.stack([roof_x, np.zeros(3), self.height_m * np.array([0.975, 1.0, 0.98])], axis=1)
        side = self.flank()
        side_parts = [
            plate("paint", side[0], side[1], edge[0], edge[1], edge[2]),
            loft("paint", np.stack([crown, edge], axis=1)),
        ]
        side_parts += [patch("glass", side, (1 - end, 1 - start), (0.1, 0.86)) for start, end in self.shape.windows]
        middle = feet * (1.0, 0.0, 1.0)
        middle[0, 0], middle[1, 0] = _flat_x(feet[0], crown[0], edge[0]), _flat_x(feet[1], edge[2], crown[2])
        front = [middle[1], feet[1], edge[2], crown[2]]
        rear = [feet[0], middle[0], crown[0], edge[0]]
        side_parts += [plate("paint", *front), patch("glass", front, (0.0, 0.93), (0.05, 0.93))]
        side_parts.append(plate("paint", *rear))
        if self.shape.windows[0][0] < 0.5:
            side_parts.append(patch("glass", rear, (0.1, 1.0), (0.22, 0.9)))
        else:
            side_parts.append(patch("glass", rear, (0.15, 0.9), (0.5, 0.9)))
        return both_sides(side_parts)

    def _side_plane(self) -> tuple[FloatArray, FloatArray]:
        """Feet of the left side [2,3], rear and front, and its upper edge [3,3], from the rear; all in one plane."""
        foot_rear, roof_rear, roof_front, foot_front = np.array(self.shape.greenhouse) * self.length_m
        feet = self.line("deck", np.array([foot_rear, foot_front]))
        feet[:, 0] = foot_rear, foot_front
        roof_x = np.array([roof_rear, 0.5 * (roof_rear + roof_front), roof_front])
        roof_z = self.height_m * np.array([0.945, 0.962, 0.94])
        edge = np.stack([roof_x, np.zeros(3), roof_z], axis=1)
        for points in (feet, edge):  # the side is one plane, so that panes lie flat on it
            rise = (points[:, 2] - feet[:, 2].mean()) / (0.95 * self.height_m - feet[:, 2].mean())
            points[:, 1] = (0.9 - self.shape.inset * rise) * self.half_m
        return feet, edge

    # -- things on it ----------------------------------------------------------------------------

    def wheels(self) -> list[Part]:
        """Four of them."""
        parts: list[Part] = []
        for axle in self.shape.axles:
            x_m = axle * self.length_m
            outside_m = float(0.95 * self.half(np.array([x_m]))[0]) - 0.012
            parts += wheel(x_m, outside_m, self.wheel_m, 0.21, is_covered=True)
        return both_sides(parts)

    def mirrors(self) -> list[Part]:
        """One at the foot of each windscreen pillar."""
        x_m = (self.shape.greenhouse[3] - 0.055) * self.length_m
        z_m = float(self.deck(np.array([x_m]))[0])
        inner_m = 0.86 * self.half_m
        box = block("paint", (x_m - 0.1, x_m + 0.02), (inner_m, self.width_m / 2), (z_m + 0.02, z_m + 0.15))
        return both_sides([box])

    def details(self) -> list[Part]:
        """Shut lines of the doors, sills, and a pickup's bed."""
        side = self.door_panel()
        lines = [patch("trim", side, (u, u + 0.012), (0.22, 1.0)) for u in (0.08, 0.5)]
        sill = patch("trim", side, (0.0, 1.0), (0.0, 0.3 if self.shape.cladding else 0.12))
        return both_sides([*lines, sill]) + self._bed()

    def door_panel(self) -> list[FloatArray]:
        """The left flank between the wheels and below the widest line, as a patch wants it: from front to rear."""
        x_m = np.array([self.arches_m[1][0, 0], self.arches_m[0][-1, 0]])
        sill, middle = self.line("sill", x_m), self.line("middle", x_m)
        return [sill[0], sill[1], middle[1], middle[0]]

    def flank(self) -> list[FloatArray]:
        """The left side of the greenhouse, as a patch wants it: from front to rear."""
        feet, edge = self._side_plane()
        return [feet[1], feet[0], edge[0], edge[2]]

    def _bed(self) -> list[Part]:
        if self.shape.bed is None:
            return []
        x_m = np.array(self.shape.bed) * self.length_m
        z_m, y_m = float(self.deck(x_m).max()) + 0.03 * self.height_m, 0.78 * self.half_m
        return [plate("well", (x_m[0], -y_m, z_m), (x_m[1], -y_m, z_m), (x_m[1], y_m, z_m), (x_m[0], y_m, z_m))]


def _across(below: FloatArray, above: FloatArray, is_nose: bool) -> list[FloatArray]:
    """A quad from the right to the left side, corners as a patch wants them when looked at from outside."""
    flip = (1.0, -1.0, 1.0)
    if is_nose:
        return [below * flip, below, above, above * flip]
    return [below, below * flip, above * flip, above]


def _flat_x(foot: FloatArray, b: FloatArray, c: FloatArray) -> float:
    """Where the plane through three points meets y = 0 at the height of the first."""
    normal = np.cross(b - foot, c - foot)
    return float(foot[0] + normal[1] * foot[1] / normal[0])


def car_parts(shape: CarShape, length_m: float, width_m: float, height_m: float) -> list[Part]:
    """A car of this shape and size."""
    return CarBody(shape, length_m, width_m, height_m).parts()
