"""A slip road that joins from the right: it becomes an acceleration lane, which tapers into the rightmost lane.

The ego's road is cut into four pieces, main-1 to main-4: before the slip road, beside the acceleration lane, along
the taper, after it. The lane of the taper is a road of its own, so that the slip road leads on to the ego's road.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from ..errors import MapError
from .carriageway import MARK_M, Carriageway, LaneEnds, Way, driven_lane, linked, short_broken, verge
from .connections import LaneKey
from .network import Connection, Cubic, Junction, LaneSection, Line, Road, RoadLane, RoadLink, RoadMark, RoadObject
from .open_roads import Draft
from .plan_pieces import Plan, PlanPose, bend_reach, bend_shapes, laid, shift, straight
from .road_spec import Merge, RoadSpec
from .roadside import SPEED_LIMIT, beside_m, lamps, sign

JUNCTION = "nose"
_LEAST_BEFORE_M = 60.0
_BEFORE_SHARE = 0.4
_TAPER_SHARE = 0.3
_SOLID_M = 25.0
_FIRST_LAMP_M, _NOSE_CLEAR_M, _SIGN_AT_M = 10.0, 90.0, 15.0
_ANGLE_RAD, _RADIUS_M, _SLIP_M = 0.25, 200.0, 60.0
_SOLID = RoadMark(0.0, "solid", "white", MARK_M)
_PIECES = ("main-1", "main-2", "main-3", "main-4")


def merging_roads(spec: RoadSpec, layout: Merge) -> Draft:
    """The ego's road, the slip road and its taper."""
    _require_room(spec, layout)
    before_m = max(_BEFORE_SHARE * (layout.length_m - layout.lane_m), _LEAST_BEFORE_M)
    taper_m = _TAPER_SHARE * layout.lane_m
    starts_m = (0.0, before_m, before_m + layout.lane_m - taper_m, before_m + layout.lane_m, layout.length_m)
    roads = [_piece(spec, index, starts_m[index], starts_m[index + 1]) for index in range(4)]
    roads += [_slip_road(spec, before_m), _taper(spec, starts_m[2], taper_m)]
    added = -spec.lanes - 1
    nose = Junction(JUNCTION, (Connection("slip", "main-2", "start", ((-1, added),)),))
    ego_lanes = tuple(tuple(LaneKey(name, 0, n - spec.lanes) for name in _PIECES) for n in range(spec.lanes))
    return Draft(tuple(roads), ego_lanes, (nose,))


def _require_room(spec: RoadSpec, layout: Merge) -> None:
    if spec.parking:
        raise MapError("merge: nobody parks beside an acceleration lane. Set parking to false")
    least_m = layout.lane_m + 2 * _LEAST_BEFORE_M
    if layout.length_m < least_m:
        raise MapError(
            f"merge: an acceleration lane of lane_m {layout.lane_m:g} does not fit into length_m "
            f"{layout.length_m:g}. Use a length of {math.ceil(least_m)} m or more"
        )


def _piece(spec: RoadSpec, index: int, start_m: float, end_m: float) -> Road:
    """One piece of the ego's road."""
    way = Carriageway(spec, spec.lanes, spec.oncoming_lanes)
    name, length_m, is_last = _PIECES[index], end_m - start_m, index == 3
    lanes = linked(_with_slip_lane(spec, way.lanes(), index), before=index > 0, after=not is_last)
    plan = straight(PlanPose(start_m, 0.0, 0.0), length_m)
    plate, post = sign(name, SPEED_LIMIT, _SIGN_AT_M, beside_m(way, -1), "+", spec.speed_limit_mps)
    return Road(
        name,
        length_m,
        plan.pieces,
        (LaneSection(0.0, lanes),),
        objects=(*_lamps(name, way, index, length_m), *((post,) if is_last else ())),
        signals=(plate,) if is_last else (),
        predecessor=None if index == 0 else RoadLink("road", _PIECES[index - 1], "end"),
        successor=None if is_last else RoadLink("road", _PIECES[index + 1], "start"),
    )


def _lamps(name: str, way: Carriageway, index: int, length_m: float) -> Iterator[RoadObject]:
    """On both sides, but not between the ego's road and the slip road."""
    paved = replace(way, along=way.along + 1) if index in (1, 2) else way
    right_to_m = length_m - _NOSE_CLEAR_M if index == 0 else length_m
    yield from lamps(name, paved, _FIRST_LAMP_M, right_to_m, (-1,))
    yield from lamps(name, paved, _FIRST_LAMP_M, length_m, (1,))


def _with_slip_lane(spec: RoadSpec, lanes: tuple[RoadLane, ...], index: int) -> tuple[RoadLane, ...]:
    """The lanes with the acceleration lane on their right, or with the line that parts them from its taper."""
    if index not in (1, 2):
        return lanes
    kept = [lane for lane in lanes if lane.id >= -spec.lanes]
    marks = (short_broken(0.0),) if index == 2 else (_SOLID, short_broken(_SOLID_M))
    kept[-1] = replace(kept[-1], marks=marks)
    if index == 2:
        return tuple(kept)
    added = driven_lane(-spec.lanes - 1, spec, (_SOLID,), kind="entry")
    return (*kept, added, *verge(spec, -1, spec.lanes + 2))


def _slip_road(spec: RoadSpec, nose_m: float) -> Road:
    """Comes up from the right and bends to run beside the ego's road."""
    width_m = spec.lane_width_m
    plan = _slip_plan(PlanPose(nose_m, -(spec.lanes + 0.5) * width_m, 0.0))
    lane = driven_lane(-1, spec, (_SOLID,))
    lanes = (*reversed(verge(spec, 1, 1)), RoadLane(0, "none", marks=(_SOLID,)), lane, *verge(spec, -1, 2))
    beside = lamps("slip", Carriageway(spec, 0, 0), _FIRST_LAMP_M, plan.length_m, (-1,))
    return Road(
        "slip",
        plan.length_m,
        plan.pieces,
        (LaneSection(0.0, lanes),),
        objects=tuple(replace(lamp, t_m=lamp.t_m - width_m / 2) for lamp in beside),
        lane_offset=(Cubic(0.0, width_m / 2),),
        successor=RoadLink("junction", JUNCTION),
    )


def _slip_plan(end: PlanPose) -> Plan:
    ahead, aside = (_RADIUS_M * reach for reach in bend_reach(_ANGLE_RAD))
    # The bend seen from its end: turned back to the left, it lies behind and to the right.
    cos, sin = math.cos(_ANGLE_RAD), math.sin(_ANGLE_RAD)
    bend = end.moved(-ahead * cos - aside * sin, -ahead * sin + aside * cos, _ANGLE_RAD)
    return laid(bend.moved(-_SLIP_M), (_SLIP_M, Line()), *bend_shapes(-_ANGLE_RAD, _RADIUS_M))


def _taper(spec: RoadSpec, start_m: float, length_m: float) -> Road:
    """From the acceleration lane to the rightmost lane of the ego's road."""
    width_m = spec.lane_width_m
    start = PlanPose(start_m, -(spec.lanes + 0.5) * width_m, 0.0)
    way = Way(
        "taper",
        shift(start, length_m, width_m),
        LaneEnds("main-2", "end", (-spec.lanes - 1,)),
        LaneEnds("main-4", "start", (-spec.lanes,)),
        (width_m, width_m),
        has_right_verge=True,
        right_marks=(_SOLID,),
    )
    return way.road(spec)
