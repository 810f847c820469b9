"""A roundabout: four arms on a ring of one lane that is driven counter-clockwise in right-hand traffic.

Arms with several lanes narrow to one each way before the ring. Between what enters and what leaves lies an island.
The ring is cut where ways leave it and join it: ring-east leads from the east arm's entry to the next exit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from scipy.optimize import brentq

from ..errors import MapError
from .carriageway import MARK_M, Carriageway, LaneEnds, Way
from .junction_arms import ARM_NAMES, Arm, equipped
from .network import Arc, Junction, Road, RoadLink, RoadMark
from .open_roads import Draft
from .plan_pieces import Plan, PlanPose, bend_reach, laid, turn
from .road_spec import RoadSpec, Roundabout
from .roadside import stop_line
from .roundabout_arms import arm_roads, ego_lanes

_WIDER_M, _WIDEST_RING_M = 1.5, 6.0
_RING_SPEED_MPS = 30 / 3.6
_ENTRY_SHARE, _LEAST_ENTRY_M, _MOST_ENTRY_M = 0.6, 9.0, 20.0
_LARGEST_ANGLE_RAD = math.radians(42.0)
_YIELD_GAP_M = 0.5
_NOSE_M = 0.1  # half the width at which an island begins
_LEAST_ISLAND_M = 1.5
_KERB, _SOLID, _NO_MARK = (RoadMark(0.0, style, "white", MARK_M) for style in ("curb", "solid", "none"))


@dataclass(frozen=True)
class _Ring:
    """Sizes of a roundabout. half_angle_rad: from an arm's middle to where its ways meet the ring."""

    spec: RoadSpec
    layout: Roundabout

    @property
    def radius_m(self) -> float:
        return self.layout.radius_m

    @property
    def width_m(self) -> float:
        return min(self.spec.lane_width_m + _WIDER_M, _WIDEST_RING_M)

    @cached_property
    def half_angle_rad(self) -> float:
        """Such that the ways on and off the ring bend with the radius that suits its size."""
        bend_m = min(max(_ENTRY_SHARE * self.radius_m, _LEAST_ENTRY_M), _MOST_ENTRY_M)

        def spare_m(angle: float) -> float:
            aside_m = bend_m * bend_reach(math.pi / 2 - angle)[1]
            return self.radius_m * math.sin(angle) - self.spec.lane_width_m / 2 - aside_m

        if spare_m(_LARGEST_ANGLE_RAD) < 0:
            raise MapError(
                f"roundabout: radius_m {self.radius_m:g} is too small for lanes of {self.spec.lane_width_m:g} m. "
                "Use a larger radius or narrower lanes"
            )
        return float(brentq(spare_m, 0.0, _LARGEST_ANGLE_RAD, xtol=1e-12))

    @cached_property
    def mouth_m(self) -> float:
        """From the middle of the ring to where the arms begin."""
        angle = self.half_angle_rad
        aside_m = self.radius_m * math.sin(angle) - self.spec.lane_width_m / 2
        ahead, aside = bend_reach(math.pi / 2 - angle)
        return self.radius_m * math.cos(angle) + aside_m * ahead / aside

    def place(self, angle_rad: float) -> PlanPose:
        """On the ring's middle line, heading counter-clockwise."""
        return PlanPose(0.0, 0.0, angle_rad).moved(self.radius_m, 0.0, math.pi / 2)

    def arc(self, from_rad: float, to_rad: float) -> Plan:
        """Along the ring."""
        return laid(self.place(from_rad), ((to_rad - from_rad) * self.radius_m, Arc(1 / self.radius_m)))


def roundabout_roads(spec: RoadSpec, layout: Roundabout) -> Draft:
    """The ring and its arms."""
    if spec.is_one_way:
        raise MapError("roundabout: its arms are driven both ways. Set oncoming_lanes to 1 or more")
    if spec.parking:
        raise MapError("roundabout: its arms have no parking lanes. Set parking to false")
    ring = _Ring(spec, layout)
    roads: list[Road] = []
    junctions = []
    for direction, name in enumerate(ARM_NAMES):
        arm = _arm(ring, direction)
        ways = _ways(ring, direction, arm)
        roads += [*arm_roads(spec, arm, direction, layout.arm_m), _between(ring, direction)]
        roads += [_with_yield_line(ring, way.road(spec, name), way) for way in ways]
        junctions.append(Junction(name, tuple(way.connection for way in ways)))
    return Draft(tuple(roads), ego_lanes(spec), tuple(junctions))


# -- the ring ---------------------------------------------------------------------------------------


def _arm(ring: _Ring, direction: int) -> Arm:
    """The end of an arm next to the ring, one lane each way."""
    mouth = PlanPose(0.0, 0.0, direction * math.pi / 2).moved(ring.mouth_m)
    return Arm(ARM_NAMES[direction], mouth, Carriageway(ring.spec, 1, 1))


def _ring_name(direction: int) -> str:
    return f"ring-{ARM_NAMES[direction % 4]}"


def _between(ring: _Ring, direction: int) -> Road:
    """The ring from one arm's entry to the next one's exit."""
    middle, half = direction * math.pi / 2, ring.half_angle_rad
    before, after = ARM_NAMES[direction], ARM_NAMES[(direction + 1) % 4]
    way = Way(
        _ring_name(direction),
        ring.arc(middle + half, middle + math.pi / 2 - half),
        LaneEnds(f"{before}-across", "end", (-1,)),
        LaneEnds(f"{after}-across", "start", (-1,)),
        (ring.width_m, ring.width_m),
        has_left_verge=True,
        has_right_verge=True,
        left_marks=(_SOLID,),
        right_marks=(_SOLID,),
        speed_limit_mps=min(_RING_SPEED_MPS, ring.spec.speed_limit_mps),
    )
    road = way.road(ring.spec)
    return replace(road, predecessor=RoadLink("junction", before), successor=RoadLink("junction", after))


def _ways(ring: _Ring, direction: int, arm: Arm) -> tuple[Way, Way, Way]:
    """On to the ring, off it, and past the arm."""
    middle, half, width_m = direction * math.pi / 2, ring.half_angle_rad, ring.spec.lane_width_m
    before = LaneEnds(_ring_name(direction - 1), "end", (-1,))
    after = LaneEnds(_ring_name(direction), "start", (-1,))
    limit = min(_RING_SPEED_MPS, ring.spec.speed_limit_mps)
    entry = Way(
        f"{arm.name}-entry",
        turn(arm.entry(1), ring.place(middle + half)),
        arm.entries(1),
        after,
        (width_m, ring.width_m),
        has_right_verge=True,
        speed_limit_mps=limit,
    )
    leaving = Way(
        f"{arm.name}-exit",
        turn(ring.place(middle - half), arm.exit(1)),
        before,
        arm.exits(1),
        (ring.width_m, width_m),
        has_right_verge=True,
        speed_limit_mps=limit,
    )
    across = Way(
        f"{arm.name}-across",
        ring.arc(middle - half, middle + half),
        before,
        after,
        (ring.width_m, ring.width_m),
        has_left_verge=True,
        speed_limit_mps=limit,
    )
    return _with_island(ring, entry, leaving, across)


def _with_island(ring: _Ring, entry: Way, leaving: Way, across: Way) -> tuple[Way, Way, Way]:
    """Kerbs between entry and exit, from where there is room for an island, and along the ring; none without room."""
    outer_m, middle = ring.radius_m + ring.width_m / 2, entry.plan.start.moved(0.0, ring.spec.lane_width_m / 2)
    entry_m, leaving_m = (_station_at(way, outer_m) for way in (entry, leaving))
    if -middle.seen(_left_edge(entry, entry_m))[1] < _LEAST_ISLAND_M / 2:
        return entry, leaving, across
    # The exit is the entry's mirror image driven the other way round.
    nose_m = _nose_station_m(entry, middle, entry_m)
    first_m, last_m = (
        _ring_station_m(ring, across, _left_edge(*at)) for at in ((leaving, leaving_m), (entry, entry_m))
    )
    return (
        replace(entry, left_marks=_kerb_between(nose_m, entry_m)),
        replace(leaving, left_marks=_kerb_between(leaving_m, leaving.plan.length_m - nose_m)),
        replace(across, right_marks=_kerb_between(first_m, last_m)),
    )


def _kerb_between(start_m: float, end_m: float) -> tuple[RoadMark, ...]:
    return _NO_MARK, replace(_KERB, s_m=start_m), replace(_NO_MARK, s_m=end_m)


def _nose_station_m(entry: Way, middle: PlanPose, end_m: float) -> float:
    """Where the entry's left edge has left the middle of the arm."""

    def beyond_m(s_m: float) -> float:
        return -middle.seen(_left_edge(entry, s_m))[1] - _NOSE_M

    return float(brentq(beyond_m, 0.0, end_m, xtol=1e-9))


def _left_edge(way: Way, s_m: float) -> PlanPose:
    """On the left edge of a way."""
    start_m, end_m = way.widths_m
    share = s_m / way.plan.length_m
    width_m = start_m + (end_m - start_m) * share**2 * (3 - 2 * share)
    return way.plan.at(s_m).moved(0.0, width_m / 2)


def _station_at(way: Way, radius_m: float) -> float:
    """Where the left edge of a way is so far from the middle of the ring."""

    def beyond_m(s_m: float) -> float:
        place = _left_edge(way, s_m)
        return math.hypot(place.x_m, place.y_m) - radius_m

    return float(brentq(beyond_m, 0.0, way.plan.length_m, xtol=1e-9))


def _ring_station_m(ring: _Ring, across: Way, place: PlanPose) -> float:
    """s on the way past the arm, beside a place."""
    start = across.plan.start
    turned = math.atan2(place.y_m, place.x_m) - math.atan2(start.y_m, start.x_m)
    return math.remainder(turned, 2 * math.pi) * ring.radius_m


def _with_yield_line(ring: _Ring, road: Road, way: Way) -> Road:
    """Where what enters waits: before the ring's edge."""
    if not road.id.endswith("-entry"):
        return road
    wait_m = _station_at(way, ring.radius_m + ring.width_m / 2 + _YIELD_GAP_M)
    return equipped(road, stop_line(road.id, wait_m, "+"))
