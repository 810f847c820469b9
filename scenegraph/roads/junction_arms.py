"""Roads that lead away from a junction, with what stands where they meet it. s runs outward."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from .carriageway import Carriageway, LaneEnds
from .connections import LaneKey
from .network import LaneSection, Road, RoadLink, RoadObject, Signal
from .plan_pieces import PlanPose, straight
from .road_spec import RoadSpec
from .roadside import SPEED_LIMIT, STOP, Move, arrow, beside_m, crosswalk, lamps, light, parking_bays, sign, stop_line

Control = Literal["lights", "stop", "priority"]

ARM_NAMES = ("east", "north", "west", "south")
"""By direction, counter-clockwise in quarter turns."""
SOLID_M = 25.0
"""Lines are solid for so far before a stop line."""
_CROSSWALK_M = (1.0, 4.0)
_STOP_GAP_M = 1.0
_SIGNAL_AT_M = 0.6
_ARROWS_M = (6.0, 28.0)
_SPEED_SIGN_M = 15.0


@dataclass(frozen=True)
class Arm:
    """A road that leads away from a junction.

    mouth: where it begins, heading outward. way: its lanes; those against s enter the junction, those along s leave.
    """

    name: str
    mouth: PlanPose
    way: Carriageway

    @property
    def entering(self) -> int:
        """Number of lanes that lead to the junction."""
        return self.way.against

    @property
    def leaving(self) -> int:
        """Number of lanes that lead away from it."""
        return self.way.along

    def entry(self, number: int) -> PlanPose:
        """Where lane ``number``, 1 next to the centre line, comes to the junction."""
        return self.mouth.moved(0.0, (number - 0.5) * self.way.spec.lane_width_m, math.pi)

    def exit(self, number: int) -> PlanPose:
        """Where lane ``number`` leaves the junction."""
        return self.mouth.moved(0.0, -(number - 0.5) * self.way.spec.lane_width_m)

    def entries(self, *numbers: int) -> LaneEnds:
        """Ends of entering lanes, from left to right in driving direction."""
        return LaneEnds(self.name, "start", numbers)

    def exits(self, *numbers: int) -> LaneEnds:
        """Beginnings of leaving lanes, from left to right in driving direction."""
        return LaneEnds(self.name, "start", tuple(-number for number in numbers))

    @property
    def kerb_entry(self) -> PlanPose:
        """The edge of the pavement to the right of what enters, heading inward."""
        return self.mouth.moved(0.0, self.way.edge_m(1, with_parking=False), math.pi)

    @property
    def kerb_exit(self) -> PlanPose:
        """The edge of the pavement to the right of what leaves, heading outward."""
        return self.mouth.moved(0.0, -self.way.edge_m(-1, with_parking=False))

    def lanes_from_right(self) -> tuple[tuple[LaneKey, ...], ...]:
        """The entering lanes, from the right edge."""
        return tuple((LaneKey(self.name, 0, number),) for number in range(self.entering, 0, -1))


def lanes_of_arm(spec: RoadSpec, direction: int) -> tuple[int, int]:
    """How many lanes leave and enter by an arm: the ego's direction is eastward, and northward on the other road."""
    lanes = spec.lanes, spec.oncoming_lanes
    return lanes if ARM_NAMES[direction] in ("east", "north") else (lanes[1], lanes[0])


def stop_distance_m(crosswalks: bool) -> float:
    """How far from the mouth of an arm its traffic waits."""
    return _CROSSWALK_M[1] + _STOP_GAP_M if crosswalks else _STOP_GAP_M


def arm_road(arm: Arm, length_m: float, junction: str) -> Road:
    """The road of an arm, with lamps and parking bays."""
    way, name = arm.way, arm.name
    objects = [*lamps(name, way, way.clear_m + 10.0, length_m), *parking_bays(name, way, length_m)]
    return Road(
        name,
        length_m,
        straight(arm.mouth, length_m).pieces,
        (LaneSection(0.0, way.lanes()),),
        objects=tuple(objects),
        predecessor=RoadLink("junction", junction),
    )


def with_speed_limit(road: Road, arm: Arm) -> Road:
    """The road with the sign that says how fast may be driven towards the junction."""
    if arm.entering == 0:
        return road
    s_m, t_m = max(road.length_m - _SPEED_SIGN_M, 0.0), beside_m(arm.way, 1, with_parking=True)
    return equipped(road, sign(arm.name, SPEED_LIMIT, s_m, t_m, "-", arm.way.spec.speed_limit_mps))


def equipped(road: Road, *things: RoadObject | Signal | tuple[Signal, RoadObject]) -> Road:
    """The road with more objects and signals."""
    flat = [part for thing in things for part in (thing if isinstance(thing, tuple) else (thing,))]
    objects = tuple(part for part in flat if isinstance(part, RoadObject))
    signals = tuple(part for part in flat if isinstance(part, Signal))
    return replace(road, objects=road.objects + objects, signals=road.signals + signals)


def with_crosswalk(road: Road, arm: Arm) -> Road:
    """The road with a crosswalk before the junction."""
    return equipped(road, crosswalk(arm.name, arm.way, *_CROSSWALK_M))


def with_control(road: Road, arm: Arm, control: Control) -> Road:
    """The road with a stop line and a light or a sign, if traffic enters by it and has to wait."""
    if arm.entering == 0 or control == "priority":
        return road
    stop_m, t_m = arm.way.clear_m, beside_m(arm.way, 1)
    line = stop_line(arm.name, stop_m, "-")
    if control == "lights":
        return equipped(road, line, light(near_light(arm), _SIGNAL_AT_M, t_m, "-"))
    return equipped(road, line, sign(arm.name, STOP, stop_m, t_m, "-"))


def with_far_light(road: Road, arm: Arm, opposite: Arm) -> Road:
    """The road of an arm with the second light of the traffic that comes from the opposite one."""
    if opposite.entering == 0:
        return road
    return equipped(road, light(far_light(opposite), _SIGNAL_AT_M, beside_m(arm.way, -1), "+"))


def with_arrows(road: Road, arm: Arm, moves: dict[int, set[Move]]) -> Road:
    """The road with arrows on its entering lanes, where it is long enough."""
    width_m = arm.way.spec.lane_width_m
    places = [arm.way.clear_m + gap_m for gap_m in _ARROWS_M]
    painted = [
        arrow(f"{arm.name}:arrow:{number}:{row}", moves[number], s_m, (number - 0.5) * width_m, math.pi)
        for number in sorted(moves)
        for row, s_m in enumerate(places)
        if s_m + 5.0 < road.length_m
    ]
    return equipped(road, *painted)


def near_light(arm: Arm) -> str:
    """Id of the light before the junction for traffic from an arm."""
    return f"light:{arm.name}"


def far_light(arm: Arm) -> str:
    """Id of the light beyond the junction for traffic from an arm."""
    return f"light:{arm.name}:far"
