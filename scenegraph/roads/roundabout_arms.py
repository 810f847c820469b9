"""The arms of a roundabout: those with several lanes narrow to one each way before the ring.

Such an arm is three roads: NAME next to the ring, NAME-narrowing, NAME-far. In the middle one the lanes next to the
centre line go straight on, and every further lane has a way of its own, NAME-in-2 or NAME-out-2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from ..errors import MapError
from .carriageway import MARK_M, Carriageway, LaneEnds, Way, linked
from .connections import LaneKey
from .junction_arms import Arm, arm_road, equipped, lanes_of_arm, with_speed_limit
from .network import LaneSection, Road, RoadLink, RoadMark
from .plan_pieces import shift, straight
from .road_spec import RoadSpec
from .roadside import YIELD, beside_m, sign

_NEAR_SHARE, _LEAST_NEAR_M, _LEAST_FAR_M = 0.15, 8.0, 10.0
_LEAST_NARROWING_M, _NARROWING_M = 30.0, 180.0  # length^2 = 180 m x metres aside bends with a radius of 30 m
_SIGN_AT_M = 1.0
_SOLID = RoadMark(0.0, "solid", "white", MARK_M)


def ego_lanes(spec: RoadSpec) -> tuple[tuple[LaneKey, ...], ...]:
    """The entering lanes of the west arm, from its right edge, each in driving order."""
    if max(spec.lanes, spec.oncoming_lanes) == 1:
        return ((LaneKey("west", 0, 1),),)
    lanes = []
    for number in range(spec.lanes, 0, -1):
        narrow = LaneKey("west-narrowing", 0, 1) if number == 1 else LaneKey(f"west-in-{number}", 0, -1)
        lanes.append((LaneKey("west-far", 0, number), narrow, LaneKey("west", 0, 1)))
    return tuple(lanes)


def arm_roads(spec: RoadSpec, arm: Arm, direction: int, length_m: float) -> list[Road]:
    """An arm; with several lanes it is three roads: near the ring, narrowing, far."""
    leaving, entering = lanes_of_arm(spec, direction)
    give_way = sign(arm.name, YIELD, _SIGN_AT_M, beside_m(arm.way, 1), "-")
    if max(leaving, entering) == 1:
        return [equipped(with_speed_limit(arm_road(arm, length_m, arm.name), arm), give_way)]
    aside_m = (max(leaving, entering) - 1) * spec.lane_width_m
    near_m = max(_NEAR_SHARE * length_m, _LEAST_NEAR_M)
    narrowing_m = max(math.sqrt(_NARROWING_M * aside_m), _LEAST_NARROWING_M)
    far_m = length_m - near_m - narrowing_m
    if far_m < _LEAST_FAR_M:
        raise MapError(
            f"roundabout: arm_m {length_m:g} is too short to narrow {max(leaving, entering)} lanes to one. "
            f"Use {math.ceil(_LEAST_NEAR_M + narrowing_m + _LEAST_FAR_M)} m or more"
        )
    middle = Arm(f"{arm.name}-narrowing", arm.mouth.moved(near_m), arm.way)
    far = Arm(f"{arm.name}-far", middle.mouth.moved(narrowing_m), Carriageway(spec, leaving, entering))
    near_road = equipped(_joined(arm_road(arm, near_m, arm.name), None, middle.name), give_way)
    far_road = with_speed_limit(_joined(arm_road(far, far_m, arm.name), middle.name, None), far)
    ways = [way.road(spec) for way in _narrowing_ways(arm, middle, far, narrowing_m)]
    return [near_road, _joined(_narrowing_road(middle, far, narrowing_m), arm.name, far.name), far_road, *ways]


def _joined(road: Road, before: str | None, after: str | None) -> Road:
    """The road with lanes 1 and -1 linked to the roads before and after it."""
    (section,) = road.sections
    lanes = tuple(
        linked((lane,), before is not None, after is not None)[0] if abs(lane.id) == 1 else lane
        for lane in section.lanes
    )
    return replace(
        road,
        sections=(LaneSection(0.0, lanes),),
        predecessor=road.predecessor if before is None else RoadLink("road", before, "end"),
        successor=None if after is None else RoadLink("road", after, "start"),
    )


def _narrowing_road(middle: Arm, far: Arm, length_m: float) -> Road:
    """The lanes that go straight on; where others come beside them, they have no right edge of their own."""
    sides = {1: far.entering, -1: far.leaving}
    lanes = []
    for lane in middle.way.lanes():
        count = sides[1 if lane.id > 0 else -1]
        if lane.id == 0 or count == 1:
            lanes.append(lane)
        elif abs(lane.id) == 1:
            lanes.append(replace(lane, marks=()))
    plan = straight(middle.mouth, length_m)
    return Road(middle.name, length_m, plan.pieces, (LaneSection(0.0, tuple(lanes)),))


def _narrowing_ways(arm: Arm, middle: Arm, far: Arm, length_m: float) -> Iterator[Way]:
    """From every further lane to the one next to the centre line, and back."""
    width_m = arm.way.spec.lane_width_m
    for number in range(2, far.entering + 1):
        plan = shift(far.entry(number), length_m, (number - 1) * width_m)
        ends = far.entries(number), LaneEnds(arm.name, "end", (1,))
        yield _outermost(Way(f"{arm.name}-in-{number}", plan, *ends, (width_m, width_m)), number == far.entering)
    for number in range(2, far.leaving + 1):
        plan = shift(middle.exit(1), length_m, (1 - number) * width_m)
        ends = LaneEnds(arm.name, "end", (-1,)), far.exits(number)
        yield _outermost(Way(f"{arm.name}-out-{number}", plan, *ends, (width_m, width_m)), number == far.leaving)


def _outermost(way: Way, is_outermost: bool) -> Way:
    return replace(way, has_right_verge=True, right_marks=(_SOLID,)) if is_outermost else way
