"""Made roads without junctions: straight, curved, up and down; and what every layout hands over."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import MapError
from .carriageway import Carriageway, ParkingLane
from .connections import LaneKey
from .network import Cubic, Junction, LaneSection, Line, Road
from .plan_pieces import CLOTHOID_SHARE, Plan, PlanPose, bend_shapes, laid, straight
from .road_spec import Curve, Hill, RoadSpec, Straight
from .roadside import SPEED_LIMIT, beside_m, lamps, parking_bays, sign

STEEPEST = 0.25
_LEAD_IN_M = 10.0
_SIGN_AT_M = 15.0
_LEVEL_SHARE = 0.1
_INNER_M = 2.0


@dataclass(frozen=True)
class Draft:
    """A network in right-hand traffic. ego_lanes: from the right edge, each in driving order.

    light_groups: ids of lights that show the same, those of conflicting traffic in different groups.
    """

    roads: tuple[Road, ...]
    ego_lanes: tuple[tuple[LaneKey, ...], ...]
    junctions: tuple[Junction, ...] = ()
    light_groups: tuple[tuple[str, ...], ...] = ()


def open_road(spec: RoadSpec, layout: Straight | Curve | Hill) -> Draft:
    """One road with everything on it."""
    way = Carriageway(spec, spec.lanes, spec.oncoming_lanes, parking=ParkingLane(-1) if spec.parking else None)
    plan, elevation = _plan(layout, way), _elevation(layout)
    length_m = plan.length_m
    plate, post = sign("main", SPEED_LIMIT, _SIGN_AT_M, beside_m(way, -1, with_parking=True), "+", spec.speed_limit_mps)
    road = Road(
        "main",
        length_m,
        plan.pieces,
        (LaneSection(0.0, way.lanes()),),
        elevation,
        objects=(*lamps("main", way, 10.0, length_m), *parking_bays("main", way, length_m), post),
        signals=(plate,),
    )
    return Draft((road,), tuple((LaneKey("main", 0, number - spec.lanes),) for number in range(spec.lanes)))


def _plan(layout: Straight | Curve | Hill, way: Carriageway) -> Plan:
    start = PlanPose(0.0, 0.0, 0.0)
    if not isinstance(layout, Curve) or layout.angle_deg == 0:
        return straight(start, layout.length_m)
    angle = math.radians(layout.angle_deg)
    inner_m = way.edge_m(1 if angle > 0 else -1) + _INNER_M
    if layout.radius_m < inner_m:
        raise MapError(
            f"curve: radius_m {layout.radius_m:g} is too tight for the lanes on its inner side. "
            f"Use {math.ceil(inner_m)} m or more"
        )
    bend_m = abs(angle) * layout.radius_m * (1 + 2 * CLOTHOID_SHARE)
    lead_m = (layout.length_m - bend_m) / 2
    if lead_m < _LEAD_IN_M:
        raise MapError(
            f"curve: {abs(layout.angle_deg):g} degrees with radius_m {layout.radius_m:g} need {bend_m:.0f} m, "
            f"and length_m is {layout.length_m:g}. Use {math.ceil(bend_m + 2 * _LEAD_IN_M)} m or more"
        )
    return laid(start, (lead_m, Line()), *bend_shapes(angle, layout.radius_m), (lead_m, Line()))


def _elevation(layout: Straight | Curve | Hill) -> tuple[Cubic, ...]:
    """Level, up, down, level, without a kink."""
    if not isinstance(layout, Hill):
        return ()
    level_m, height_m = _LEVEL_SHARE * layout.length_m, layout.height_m
    slope_m = layout.length_m / 2 - level_m
    steepest = 1.5 * abs(height_m) / slope_m
    if steepest > STEEPEST:
        least_m = 1.5 * abs(height_m) / STEEPEST / (0.5 - _LEVEL_SHARE)
        raise MapError(
            f"hill: {abs(height_m):g} m within length_m {layout.length_m:g} is a slope of {100 * steepest:.0f} %, "
            f"and {100 * STEEPEST:.0f} % is the most. Use a length of {math.ceil(least_m)} m or more"
        )
    rise = 3 * height_m / slope_m**2, -2 * height_m / slope_m**3
    return (
        Cubic(0.0, 0.0),
        Cubic(level_m, 0.0, 0.0, *rise),
        Cubic(layout.length_m / 2, height_m, 0.0, -rise[0], -rise[1]),
        Cubic(layout.length_m - level_m, 0.0),
    )
