"""T and four-way junctions: arms, a way for every turn that is allowed, kerb corners.

The ego's road runs from west to east; the other one, with the same lanes, from south to north, or from the south
only. Straight on from every lane; left from the leftmost lane and right from the rightmost one. Where a road ends,
its leftmost lane turns left and all others turn right side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .carriageway import Carriageway, ParkingLane, Way, verge
from .junction_arms import (
    ARM_NAMES,
    SOLID_M,
    Arm,
    Control,
    arm_road,
    far_light,
    lanes_of_arm,
    near_light,
    stop_distance_m,
    with_arrows,
    with_control,
    with_crosswalk,
    with_far_light,
    with_speed_limit,
)
from .network import Connection, Cubic, Junction, LaneSection, Road, RoadLane, RoadLink
from .open_roads import Draft
from .plan_pieces import Plan, PlanPose, straight, turn
from .road_spec import FourWay, RoadSpec, TJunction
from .roadside import Move

JUNCTION = "junction"
CORNER_M = 9.0
"""From the mouth of an arm to the edge of the road that it meets."""
_PARKING_FROM_M = 8.0
_FILL_SHARE = 0.6


@dataclass(frozen=True)
class _Turning:
    """Lanes that turn together. source, target: their numbers from left to right in driving direction."""

    start: Arm
    end: Arm
    move: Move
    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(frozen=True)
class _Crossing:
    """The arms by direction: 0 east, 1 north, 2 west, 3 south."""

    spec: RoadSpec
    layout: TJunction | FourWay

    @cached_property
    def arms(self) -> dict[int, Arm]:
        return {direction: self._arm(direction) for direction in self.directions}

    @property
    def directions(self) -> tuple[int, ...]:
        return (0, 2, 3) if isinstance(self.layout, TJunction) else (0, 1, 2, 3)

    def _arm(self, direction: int) -> Arm:
        spec = self.spec
        along, against = lanes_of_arm(spec, direction)
        stop_m = stop_distance_m(self.layout.crosswalks)
        parking = None
        if spec.parking and direction in (0, 2):
            parking = ParkingLane(-1 if direction == 0 else 1, stop_m + _PARKING_FROM_M)
        way = Carriageway(spec, along, against, stop_m, SOLID_M, parking)
        # West and north of the middle lie the oncoming lanes of the other road, east and south the ego's.
        beside = spec.oncoming_lanes if direction in (1, 2) else spec.lanes
        mouth = PlanPose(0.0, 0.0, direction * math.pi / 2).moved(beside * spec.lane_width_m + CORNER_M)
        return Arm(ARM_NAMES[direction], mouth, way)

    def turnings(self) -> Iterator[_Turning]:
        """Every left and right turn."""
        for direction, arm in self.arms.items():
            if arm.entering == 0:
                continue
            # Looking outward, the arm that is next counter-clockwise is the one to the right of what enters.
            right, ahead, left = (self.arms.get((direction + step) % 4) for step in (1, 2, 3))
            turns_left = left is not None and left.leaving > 0
            if left is not None and left.leaving > 0:
                yield _Turning(arm, left, "left", (1,), (1,))
            if right is None or right.leaving == 0:
                continue
            first = arm.entering
            if ahead is None:
                first = 2 if turns_left and arm.entering > 1 else 1
            source = tuple(range(first, arm.entering + 1))
            shifted = right.leaving - arm.entering
            yield _Turning(arm, right, "right", source, tuple(number + shifted for number in source))

    def through(self) -> Iterator[tuple[Arm, Arm]]:
        """Pairs of opposite arms, from west to east and from south to north."""
        for direction in (2, 3):
            if (direction + 2) % 4 in self.arms:
                yield self.arms[direction], self.arms[(direction + 2) % 4]

    def has_left_kerb(self, turning: _Turning) -> bool:
        """Whether nothing drives to the left of a left turn."""
        return turning.move == "left" and turning.start.leaving == 0 and turning.end.entering == 0

    def open_corners(self) -> Iterator[tuple[Arm, Arm]]:
        """Corners that no turn follows: the arm before and the arm after, counter-clockwise."""
        turnings = list(self.turnings())
        followed = {(t.start.name, t.end.name) for t in turnings if t.move == "right"}
        followed |= {(t.end.name, t.start.name) for t in turnings if self.has_left_kerb(t)}
        for direction, arm in self.arms.items():
            after = self.arms.get((direction + 1) % 4)
            if after is not None and (arm.name, after.name) not in followed:
                yield arm, after


def junction_roads(spec: RoadSpec, layout: TJunction | FourWay) -> Draft:
    """The arms and all that joins them."""
    crossing = _Crossing(spec, layout)
    roads = [_road(crossing, direction) for direction in crossing.directions]
    connections: list[Connection] = []
    for start, end in crossing.through():
        road = _through_road(spec, start, end)
        roads.append(road)
        connections += _through_connections(road.id, start, end)
    for turning in crossing.turnings():
        way = _turning_way(crossing, turning)
        roads.append(way.road(spec, JUNCTION))
        connections.append(way.connection)
    roads += [_corner(*arms) for arms in crossing.open_corners()]
    if isinstance(layout, TJunction):
        roads.append(_apron(spec, crossing.arms[3]))
    ego_lanes = crossing.arms[2].lanes_from_right()
    junction = Junction(JUNCTION, tuple(connections), layout.__class__.__name__)
    groups = _light_groups(crossing) if layout.lights else ()
    return Draft(tuple(roads), ego_lanes, (junction,), groups)


# -- arms -------------------------------------------------------------------------------------------


def _road(crossing: _Crossing, direction: int) -> Road:
    layout, arm = crossing.layout, crossing.arms[direction]
    control: Control = "lights" if layout.lights else "stop" if direction in (1, 3) else "priority"
    road = with_control(with_speed_limit(arm_road(arm, layout.arm_m, JUNCTION), arm), arm, control)
    if layout.crosswalks:
        road = with_crosswalk(road, arm)
    opposite = crossing.arms.get((direction + 2) % 4)
    if layout.lights and opposite is not None:
        road = with_far_light(road, arm, opposite)
    return with_arrows(road, arm, _moves(crossing, arm))


def _moves(crossing: _Crossing, arm: Arm) -> dict[int, set[Move]]:
    """Where every entering lane of an arm leads."""
    ahead = any(arm in pair for pair in crossing.through())
    moves: dict[int, set[Move]] = {n: {"straight"} if ahead else set() for n in range(1, arm.entering + 1)}
    for turning in crossing.turnings():
        if turning.start == arm:
            for number in turning.source:
                moves[number].add(turning.move)
    return {number: found for number, found in moves.items() if found}


def _light_groups(crossing: _Crossing) -> tuple[tuple[str, ...], ...]:
    """The ego's road first."""
    groups = []
    for pair in ((2, 0), (3, 1)):
        lights: list[str] = []
        for direction in pair:
            arm = crossing.arms.get(direction)
            if arm is not None and arm.entering > 0:
                lights.append(near_light(arm))
                if (direction + 2) % 4 in crossing.arms:
                    lights.append(far_light(arm))
        groups.append(tuple(lights))
    return tuple(groups)


# -- ways through -----------------------------------------------------------------------------------


def _through_road(spec: RoadSpec, start: Arm, end: Arm) -> Road:
    """All lanes between two opposite arms, both directions on one road, so that they stay neighbours."""
    along, against = end.leaving, start.leaving
    lanes = [RoadLane(0, "none")]
    for number in range(1, along + 1):
        lanes.append(_through_lane(spec, -number, number, -number))
    for number in range(1, against + 1):
        lanes.insert(0, _through_lane(spec, number, -number, number))
    lanes = [*reversed(verge(spec, 1, against + 1)), *lanes, *verge(spec, -1, along + 1)]
    between_m = start.mouth.moved(0.0, 0.0, math.pi).seen(end.mouth)[0]
    plan = straight(start.mouth.moved(0.0, 0.0, math.pi), between_m)
    return Road(
        f"{start.name}-{end.name}",
        plan.length_m,
        plan.pieces,
        (LaneSection(0.0, tuple(lanes)),),
        predecessor=RoadLink("road", start.name, "start"),
        successor=RoadLink("road", end.name, "start"),
        junction=JUNCTION,
    )


def _through_lane(spec: RoadSpec, lane_id: int, predecessor: int, successor: int) -> RoadLane:
    widths = (Cubic(0.0, spec.lane_width_m),)
    return RoadLane(
        lane_id,
        "driving",
        widths,
        speed_limit_mps=spec.speed_limit_mps,
        predecessor=predecessor,
        successor=successor,
    )


def _through_connections(road: str, start: Arm, end: Arm) -> Iterator[Connection]:
    along = tuple((number, -number) for number in range(1, start.entering + 1))
    against = tuple((number, number) for number in range(1, end.entering + 1))
    if along:
        yield Connection(start.name, road, "start", along)
    if against:
        yield Connection(end.name, road, "end", against)


def _turning_way(crossing: _Crossing, turning: _Turning) -> Way:
    start, end, width_m = turning.start, turning.end, crossing.spec.lane_width_m
    return Way(
        f"{start.name}-{end.name}",
        turn(start.entry(turning.source[-1]), end.exit(turning.target[-1])),
        start.entries(*turning.source),
        end.exits(*turning.target),
        (width_m, width_m),
        has_left_verge=crossing.has_left_kerb(turning),
        has_right_verge=turning.move == "right",
    )


# -- pavement without lanes -------------------------------------------------------------------------


def _corner(before: Arm, after: Arm) -> Road:
    """Pavement up to a round kerb, from a straight corner outward."""
    plan = turn(before.kerb_entry, after.kerb_exit)
    length_m, deepest_m = plan.length_m, _FILL_SHARE * CORNER_M
    widths = (Cubic(0.0, 0.0, 4 * deepest_m / length_m, -4 * deepest_m / length_m**2),)
    return _paved(f"{before.name}-{after.name}-corner", plan, (RoadLane(1, "shoulder", widths), RoadLane(0, "none")))


def _apron(spec: RoadSpec, arm: Arm) -> Road:
    """Pavement between the mouth of an arm and the road that it ends on."""
    plan = straight(arm.mouth.moved(0.0, 0.0, math.pi), CORNER_M)
    sides = [(1, arm.leaving), (-1, arm.entering)]
    lanes = [RoadLane(side, "shoulder", (Cubic(0.0, n * spec.lane_width_m),)) for side, n in sides if n > 0]
    return _paved(f"{arm.name}-apron", plan, (*lanes, RoadLane(0, "none")))


def _paved(name: str, plan: Plan, lanes: tuple[RoadLane, ...]) -> Road:
    ordered = tuple(sorted(lanes, key=lambda lane: -lane.id))
    return Road(name, plan.length_m, plan.pieces, (LaneSection(0.0, ordered),), junction=JUNCTION)
