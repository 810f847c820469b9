"""Reference lines laid piece after piece: straights, bends with clothoids at both ends, shifts to the side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad

from .network import Arc, Line, ParamPoly3, PlanGeometry, PlanShape, Spiral
from .reference_line import plan_points

CLOTHOID_SHARE = 0.22
"""Of a bend's angle that each of its two clothoids turns."""
_SHORTEST_M = 1e-6


@dataclass(frozen=True)
class PlanPose:
    """A place seen from above and the direction there."""

    x_m: float
    y_m: float
    heading_rad: float

    def moved(self, ahead_m: float, left_m: float = 0.0, turned_rad: float = 0.0) -> PlanPose:
        """The pose so far ahead and to the left, turned to the left."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        x_m, y_m = self.x_m + ahead_m * cos - left_m * sin, self.y_m + ahead_m * sin + left_m * cos
        return PlanPose(x_m, y_m, self.heading_rad + turned_rad)

    def seen(self, other: PlanPose) -> tuple[float, float, float]:
        """(ahead, left, turned) of another pose; turned between -pi and pi."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        x, y = other.x_m - self.x_m, other.y_m - self.y_m
        turned = math.remainder(other.heading_rad - self.heading_rad, 2 * math.pi)
        return x * cos + y * sin, y * cos - x * sin, turned


@dataclass(frozen=True)
class Plan:
    """A reference line: its pieces, where it starts and where it ends."""

    pieces: tuple[PlanGeometry, ...]
    start: PlanPose
    end: PlanPose

    @property
    def length_m(self) -> float:
        """Length of all pieces."""
        last = self.pieces[-1]
        return last.s_m + last.length_m

    def at(self, s_m: float) -> PlanPose:
        """The pose at a distance from the start."""
        piece = [piece for piece in self.pieces if piece.s_m <= max(s_m, 0.0)][-1]
        xy, heading = plan_points(piece, np.array(s_m - piece.s_m))
        return PlanPose(float(xy[0]), float(xy[1]), float(heading))


def laid(start: PlanPose, *shapes: tuple[float, PlanShape]) -> Plan:
    """Shapes with their lengths, each from where the one before ends; those without length are left out."""
    pieces, pose, s_m = [], start, 0.0
    for length_m, shape in shapes:
        if length_m > _SHORTEST_M:
            piece = PlanGeometry(s_m, pose.x_m, pose.y_m, pose.heading_rad, length_m, shape)
            xy, heading = plan_points(piece, np.array(length_m))
            pieces.append(piece)
            pose, s_m = PlanPose(float(xy[0]), float(xy[1]), float(heading)), s_m + length_m
    return Plan(tuple(pieces), start, pose)


def straight(start: PlanPose, length_m: float) -> Plan:
    """Straight on."""
    return laid(start, (length_m, Line()))


def bend_shapes(angle_rad: float, radius_m: float) -> tuple[tuple[float, PlanShape], ...]:
    """A clothoid, an arc, a clothoid that turn together by an angle, positive to the left."""
    curvature = math.copysign(1 / radius_m, angle_rad)
    clothoid_m = 2 * CLOTHOID_SHARE * abs(angle_rad) * radius_m
    arc_m = (1 - 2 * CLOTHOID_SHARE) * abs(angle_rad) * radius_m
    return (
        (clothoid_m, Spiral(0.0, curvature)),
        (arc_m, Arc(curvature)),
        (clothoid_m, Spiral(curvature, 0.0)),
    )


def bend_reach(angle_rad: float) -> tuple[float, float]:
    """How far ahead and to the side a bend of radius 1 ends; multiply by the radius."""
    end = laid(PlanPose(0.0, 0.0, 0.0), *bend_shapes(abs(angle_rad), 1.0)).end
    return end.x_m, end.y_m


def turn(start: PlanPose, end: PlanPose) -> Plan:
    """From one pose to another with a single bend, as wide as there is room for, and a straight where one is left."""
    ahead, left, angle = start.seen(end)
    after_m = left / math.sin(angle)
    before_m = ahead - after_m * math.cos(angle)
    tangent_m = min(before_m, after_m)
    assert tangent_m > 0, "a turn needs room on both of its sides"
    radius_m = tangent_m * math.sin(abs(angle)) / bend_reach(angle)[1]
    return laid(start, (before_m - tangent_m, Line()), *bend_shapes(angle, radius_m), (after_m - tangent_m, Line()))


def shift(start: PlanPose, ahead_m: float, left_m: float) -> Plan:
    """Straight ahead and gently aside, heading as before at its end."""
    if left_m == 0:
        return straight(start, ahead_m)
    shape = ParamPoly3((0.0, ahead_m, 0.0, 0.0), (0.0, 0.0, 3 * left_m, -2 * left_m), is_normalised=True)
    length_m = quad(lambda p: math.hypot(ahead_m, 6 * left_m * p * (1 - p)), 0.0, 1.0)[0]
    return laid(start, (float(length_m), shape))
