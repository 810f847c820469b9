"""The lanes of a made road with their paint, and single ways that join such roads lane to lane.

Everything is built for right-hand traffic: lanes below 0 drive along s, lanes above 0 against it, and the lane next
to the centre line is number 1 on either side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from .network import Connection, Cubic, LaneHeight, LaneSection, Road, RoadLane, RoadLink, RoadMark
from .plan_pieces import Plan
from .road_spec import PARKING_M, SIDEWALK_M, RoadSpec

Side = Literal[1, -1]
"""1: left of the reference line; -1: right of it."""

MARK_M = 0.15
_DASH_M, _GAP_M = 3.0, 9.0
_SHORT_DASH_M = 1.5
_KERB_M = 0.12
_PARKING_TAPER_M = 4.0


@dataclass(frozen=True)
class ParkingLane:
    """Where a parking lane lies: its side, and from which s on; from 0 it has its whole width at once."""

    side: Side
    from_m: float = 0.0

    @property
    def full_m(self) -> float:
        """From here on it has its whole width."""
        return self.from_m + _PARKING_TAPER_M if self.from_m > 0 else 0.0

    @property
    def widths(self) -> tuple[Cubic, ...]:
        """Its width along s."""
        if self.from_m <= 0:
            return (Cubic(0.0, PARKING_M),)
        return (Cubic(0.0, 0.0), *smooth_step(self.from_m, self.full_m, 0.0, PARKING_M))


@dataclass(frozen=True)
class Carriageway:
    """Lanes side by side. along, against: number of lanes along and against s.

    clear_m: no paint from s = 0 up to there, such as on a crosswalk. solid_m: for so far after that, lines are solid
    for the traffic against s, which comes to a junction. parking: None without a parking lane.
    """

    spec: RoadSpec
    along: int
    against: int
    clear_m: float = 0.0
    solid_m: float = 0.0
    parking: ParkingLane | None = None

    def count(self, side: Side) -> int:
        """Number of driven lanes on a side."""
        return self.along if side < 0 else self.against

    def edge_m(self, side: Side, with_parking: bool = True) -> float:
        """How far from the reference line the pavement reaches."""
        has_parking = with_parking and self.parking is not None and self.parking.side == side
        lanes_m = self.count(side) * self.spec.lane_width_m
        return lanes_m + (PARKING_M if has_parking else 0.0) + self.spec.margin_m

    def lanes(self) -> tuple[RoadLane, ...]:
        """From left to right, the centre line among them."""
        return (*reversed(self._side(1)), RoadLane(0, "none", marks=self._centre_marks()), *self._side(-1))

    def _side(self, side: Side) -> list[RoadLane]:
        spec, count = self.spec, self.count(side)
        solid_m = self.solid_m if side > 0 else 0.0
        lanes = []
        for number in range(1, count + 1):
            style = "solid" if number == count else "broken"
            lane = driven_lane(side * number, spec, self._marks(style, "white", solid_m))
            lanes.append(lane)
        if self.parking is not None and self.parking.side == side:
            lanes.append(RoadLane(side * (len(lanes) + 1), "parking", self.parking.widths))
        return lanes + verge(spec, side, len(lanes) + 1)

    def _centre_marks(self) -> tuple[RoadMark, ...]:
        both = self.along > 0 and self.against > 0
        style = "solid" if not both else "broken" if self.along + self.against == 2 else "solid solid"
        return self._marks(style, self.spec.centre_colour, self.solid_m)

    def _marks(self, style: str, colour: str, solid_m: float) -> tuple[RoadMark, ...]:
        marks = [RoadMark(0.0, "none")] if self.clear_m > 0 else []
        if style == "broken" and solid_m > 0:
            marks.append(RoadMark(self.clear_m, "solid", colour, MARK_M))
            return (*marks, broken(self.clear_m + solid_m, colour))
        marks.append(
            broken(self.clear_m, colour) if style == "broken" else RoadMark(self.clear_m, style, colour, MARK_M)
        )
        return tuple(marks)


def driven_lane(lane_id: int, spec: RoadSpec, marks: tuple[RoadMark, ...] = (), kind: str = "driving") -> RoadLane:
    """A lane of the usual width."""
    widths = (Cubic(0.0, spec.lane_width_m),)
    return RoadLane(lane_id, kind, widths, marks=marks, speed_limit_mps=spec.speed_limit_mps)


def verge(spec: RoadSpec, side: Side, first: int) -> list[RoadLane]:
    """What lies beyond the edge line: a shoulder, or a gutter and the raised sidewalk; numbers from ``first`` on."""
    paved = RoadLane(side * first, "shoulder", (Cubic(0.0, spec.margin_m),))
    if not spec.sidewalks:
        return [paved]
    raised = (LaneHeight(0.0, _KERB_M, _KERB_M),)
    return [paved, RoadLane(side * (first + 1), "sidewalk", (Cubic(0.0, SIDEWALK_M),), heights=raised)]


def broken(s_m: float, colour: str = "white") -> RoadMark:
    """A broken line between lanes."""
    return RoadMark(s_m, "broken", colour, MARK_M, _DASH_M, _GAP_M)


def short_broken(s_m: float) -> RoadMark:
    """The short dashes between a lane and one that ends or begins."""
    return RoadMark(s_m, "broken", "white", MARK_M, _SHORT_DASH_M, _SHORT_DASH_M)


def smooth_step(start_m: float, end_m: float, before: float, after: float) -> tuple[Cubic, ...]:
    """From one value to another without a kink, constant after that."""
    length_m, rise = end_m - start_m, after - before
    return Cubic(start_m, before, 0.0, 3 * rise / length_m**2, -2 * rise / length_m**3), Cubic(end_m, after)


def linked(lanes: tuple[RoadLane, ...], before: bool, after: bool) -> tuple[RoadLane, ...]:
    """Driven lanes that go on with the same number in the road before or after."""
    return tuple(
        replace(
            lane,
            predecessor=lane.id if before and lane.kind == "driving" else lane.predecessor,
            successor=lane.id if after and lane.kind == "driving" else lane.successor,
        )
        for lane in lanes
    )


# -- ways from road to road -------------------------------------------------------------------------


@dataclass(frozen=True)
class LaneEnds:
    """The ends of some lanes of a road, from left to right in driving direction."""

    road: str
    contact: Literal["start", "end"]
    lanes: tuple[int, ...]


@dataclass(frozen=True)
class Way:
    """Lanes that lead from some lane ends to others, side by side.

    plan: of the middle of the rightmost lane. widths_m: of a lane at its start and end; equal but for single lanes.
    has_left_verge, has_right_verge: the pavement ends there. centre, right: paint on its left and right edge.
    """

    name: str
    plan: Plan
    before: LaneEnds
    after: LaneEnds
    widths_m: tuple[float, float]
    has_left_verge: bool = False
    has_right_verge: bool = False
    left_marks: tuple[RoadMark, ...] = ()
    right_marks: tuple[RoadMark, ...] = ()
    speed_limit_mps: float | None = None

    def road(self, spec: RoadSpec, junction: str | None = None) -> Road:
        """The way as a road of its own."""
        count, length_m = len(self.before.lanes), self.plan.length_m
        limit = spec.speed_limit_mps if self.speed_limit_mps is None else self.speed_limit_mps
        lanes: list[RoadLane] = list(reversed(verge(spec, 1, 1))) if self.has_left_verge else []
        lanes.append(RoadLane(0, "none", marks=self.left_marks))
        for number, (source, target) in enumerate(zip(self.before.lanes, self.after.lanes, strict=True), start=1):
            marks = self.right_marks if number == count else ()
            lanes.append(RoadLane(-number, "driving", self._along(1.0), False, marks, (), limit, source, target))
        lanes += verge(spec, -1, count + 1) if self.has_right_verge else []
        return Road(
            self.name,
            length_m,
            self.plan.pieces,
            (LaneSection(0.0, tuple(lanes)),),
            lane_offset=self._along(count - 0.5),
            predecessor=RoadLink("road", self.before.road, self.before.contact),
            successor=RoadLink("road", self.after.road, self.after.contact),
            junction=junction,
        )

    @property
    def connection(self) -> Connection:
        """How a junction leads onto it."""
        lanes = tuple((source, -number) for number, source in enumerate(self.before.lanes, start=1))
        return Connection(self.before.road, self.name, "start", lanes)

    def _along(self, share: float) -> tuple[Cubic, ...]:
        """A share of the lane's width, along s."""
        start, end = (share * width_m for width_m in self.widths_m)
        return (Cubic(0.0, start),) if start == end else smooth_step(0.0, self.plan.length_m, start, end)[:1]
