"""Who may pass its line at a junction, and who waits within one: the rules of ``right_of_way`` at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .car_following import Drivers, can_stop, interaction, needed_braking_mps2, seconds_to, stopping_acceleration
from .fleet import Fleet
from .right_of_way import RED, YELLOW, Hold
from .traffic_sight import Sight

_ASK_BRAKING_MPS2, _ASK_M = 1.2, 25.0
_STOP_BRAKING_MPS2, _STOP_M = 2.0, 10.0
_LATE_BRAKING_MPS2 = 3.5
_HARDEST_MPS2 = 6.0
_PAST_M = 0.6
_GAIN_MPS2, _SLOW_GAIN_MPS2 = 1.2, 0.7
_BEFORE_S, _AFTER_S = 1.0, 0.7
_CREEPING_MPS = 1.0
_ZONE_SLACK_M = 3.0
_SEEN_M = 120.0
_SOFT_MPS2 = 2.5


@dataclass(frozen=True, eq=False)
class Lines:
    """The next line of N vehicles: stations of the line and of the junction's end, rank, and what it shows.

    Infinite where there is none. is_past: the front is over it.
    """

    line_m: FloatArray
    end_m: FloatArray
    rank: IntArray
    shown: IntArray
    is_past: BoolArray


def next_lines(fleet: Fleet, step: int) -> Lines:
    """The junction that each is in or comes to next."""
    holds = [_next_hold(fleet.route_of(i).holds, rear) for i, rear in enumerate(fleet.rear_m.tolist())]
    line = np.array([np.inf if hold is None else hold.line_m for hold in holds])
    end = np.array([np.inf if hold is None else hold.end_m for hold in holds])
    rank = np.array([0 if hold is None else hold.rank for hold in holds], dtype=np.int64)
    shown = np.array([0 if hold is None else hold.shown[step] for hold in holds], dtype=np.int64)
    return Lines(line, end, rank, shown, fleet.front_m > line + _PAST_M)


def _next_hold(holds: Sequence[Hold], rear_m: float) -> Hold | None:
    return next((hold for hold in holds if hold.end_m > rear_m), None)


@dataclass(frozen=True, eq=False)
class _Meetings:
    """P pairs of vehicles whose ways meet ahead of both.

    own, other: [P]. own_in_m ... other_out_m: how far until the front is in and the rear is out, [P].
    own_zone_m, other_zone_m: stations where the zone begins. is_merge: [P].
    """

    own: IntArray
    other: IntArray
    own_in_m: FloatArray
    own_out_m: FloatArray
    other_in_m: FloatArray
    other_out_m: FloatArray
    own_zone_m: FloatArray
    other_zone_m: FloatArray
    is_merge: BoolArray

    def __getitem__(self, index: BoolArray) -> _Meetings:
        return _Meetings(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


class JunctionControl:
    """The rules for everybody at one moment."""

    def __init__(self, fleet: Fleet, wishes: Drivers, sight: Sight, step: int) -> None:
        self.fleet, self.sight, self.wishes = fleet, sight, wishes
        self.lines = next_lines(fleet, step)
        self._to_line = self.lines.line_m - fleet.front_m
        self._meetings = _meetings(fleet)
        _, bend = fleet.routes.speeds_mps(fleet.route, fleet.front_m + np.clip(self._to_line + 8.0, 0.0, 60.0))
        self._fast = np.minimum(wishes.desired_mps, bend)
        meet = self._meetings
        self._own_in_s = self._seconds(meet.own, meet.own_in_m, _GAIN_MPS2)
        self._own_out_s = self._seconds(meet.own, meet.own_out_m, _GAIN_MPS2)
        self._other_in_s = self._seconds(meet.other, meet.other_in_m, _GAIN_MPS2)
        self._other_out_s = self._seconds(meet.other, meet.other_out_m, _SLOW_GAIN_MPS2)

    def _seconds(self, who: IntArray, distance_m: FloatArray, gain_mps2: float) -> FloatArray:
        return seconds_to(distance_m, self.fleet.speed_mps[who], self._fast[who], gain_mps2)

    # -- who may go -------------------------------------------------------------------------------

    def decide(self) -> BoolArray:
        """Who may pass its next line, [N]."""
        fleet, lines = self.fleet, self.lines
        to_line = np.maximum(self._to_line, 0.0)
        barred = (lines.shown == RED) | (
            (lines.shown == YELLOW) & can_stop(fleet.speed_mps, self._to_line + _PAST_M, _LATE_BRAKING_MPS2)
        )
        too_late = ~can_stop(fleet.speed_mps, self._to_line + _PAST_M, _LATE_BRAKING_MPS2)
        far_too_late = needed_braking_mps2(fleet.speed_mps, self._to_line + 1.0) > _HARDEST_MPS2
        go: BoolArray = lines.is_past | np.where(barred, far_too_late, too_late) & np.isfinite(lines.line_m)
        asks = (to_line < fleet.speed_mps**2 / (2 * _ASK_BRAKING_MPS2) + _ASK_M) & ~go & ~barred & fleet.is_there
        asks &= self.sight.rear_m > lines.line_m  # the first in line
        order = sorted(
            np.flatnonzero(asks).tolist(),
            key=lambda i: (not fleet.may_go[i], int(lines.rank[i]), to_line[i] / max(fleet.speed_mps[i], 2.0), i),
        )
        for index in order:
            go[index] = self._is_free(index, go, barred)
        return go

    def _is_free(self, index: int, go: BoolArray, barred: BoolArray) -> bool:
        """Whether one can cross its junction without stopping in it and without being in anybody's way."""
        fleet, lines, meet = self.fleet, self.lines, self._meetings
        room_m = self.sight.rear_m[index] - lines.end_m[index]
        needs_m = fleet.ahead_m[index] + fleet.behind_m[index] + 1.0
        if room_m < needs_m and self.sight.leader_mps[index] < 2.0 and self.sight.rear_m[index] > lines.line_m[index]:
            return False
        mine = (meet.own == index) & (meet.own_zone_m < lines.end_m[index] + _ZONE_SLACK_M)
        if not mine.any():
            return True
        other = meet.other[mine]
        goes = go[other] | (meet.other_zone_m[mine] < lines.line_m[other])
        later_junction = meet.other_zone_m[mine] > lines.end_m[other] + _ZONE_SLACK_M
        enters_s, leaves_s = self._own_in_s[mine], self._own_out_s[mine]
        other_in_s, other_out_s = self._other_in_s[mine], self._other_out_s[mine]
        apart = (leaves_s + _BEFORE_S < other_in_s) | (enters_s > other_out_s + _AFTER_S)
        comes = ~goes & ~barred[other] & (lines.rank[other] < lines.rank[index])
        comes &= (fleet.speed_mps[other] > _CREEPING_MPS) & ~fleet.may_go[index]
        comes &= self.sight.rear_m[other] > lines.line_m[other]
        disturbs = leaves_s + _BEFORE_S >= other_in_s
        return not bool((goes & ~later_junction & ~apart).any() or (comes & ~later_junction & disturbs).any())

    # -- what that means for the pedals -----------------------------------------------------------

    def pulls_mps2(self, go: BoolArray) -> FloatArray:
        """What lines and ways that meet take off the acceleration, [N]."""
        fleet = self.fleet
        near = self._to_line < fleet.speed_mps**2 / (2 * _STOP_BRAKING_MPS2) + _STOP_M
        distance = np.where(~go & near, np.maximum(self._to_line, 0.0), np.inf)
        pull = stopping_acceleration(self.wishes, fleet.speed_mps, distance)
        meet = self._meetings
        if len(meet.own):
            goes = go[meet.other] | (meet.other_zone_m < self.lines.line_m[meet.other])
            self._cross(pull, goes)
            self._merge(pull, goes)
        return pull

    def _cross(self, pull: FloatArray, goes: BoolArray) -> None:
        """Within a junction the later one waits before the place where both ways cross."""
        meet = self._meetings
        outside = (meet.own_in_m > 0) & ~meet.is_merge
        is_later = (self._own_in_s > self._other_in_s) | (
            (self._own_in_s == self._other_in_s) & (meet.own > meet.other)
        )
        waits = outside & ((meet.other_in_m <= 0) | (is_later & goes))
        waits &= self._own_in_s < self._other_out_s + 0.5
        who = meet.own[waits]
        distance = np.maximum(meet.own_in_m[waits] - 1.0, 0.0)
        np.minimum.at(pull, who, stopping_acceleration(self.wishes[who], self.fleet.speed_mps[who], distance))

    def _merge(self, pull: FloatArray, goes: BoolArray) -> None:
        """Where ways become one, who is further from there follows who is nearer, as if on one lane already."""
        meet, fleet = self._meetings, self.fleet
        further = (meet.own_in_m > meet.other_in_m) | ((meet.own_in_m == meet.other_in_m) & (meet.own > meet.other))
        follows = meet.is_merge & goes & further & (meet.own_in_m > 0) & (meet.own_in_m < 60.0)
        who, leader = meet.own[follows], meet.other[follows]
        length = fleet.ahead_m[leader] + fleet.behind_m[leader]
        gap = meet.own_in_m[follows] - meet.other_in_m[follows] - length
        own = interaction(self.wishes[who], fleet.speed_mps[who], gap, fleet.speed_mps[leader])
        braking = needed_braking_mps2(fleet.speed_mps[who], meet.own_in_m[follows])
        np.minimum.at(pull, who, np.maximum(own, -np.clip(braking, _SOFT_MPS2, _HARDEST_MPS2)))


def _meetings(fleet: Fleet) -> _Meetings:
    """All pairs whose ways meet within sight of both, with neither past it."""
    routes, route = fleet.routes, fleet.route
    zones = routes.zones[route[:, None], route[None]]  # [N,N,Z,4]
    front, rear = fleet.front_m, fleet.rear_m
    reach = (zones[..., 0] - front[:, None, None] < _SEEN_M) & (zones[..., 2] - front[None, :, None] < _SEEN_M)
    ahead = (zones[..., 1] > rear[:, None, None]) & (zones[..., 3] > rear[None, :, None])
    there = (fleet.is_there[:, None] & fleet.is_there[None])[..., None]
    own, other, which = np.nonzero(reach & ahead & there)
    found = zones[own, other, which]
    is_merge = routes.zone_merges[route[own], route[other], which]
    return _Meetings(
        own,
        other,
        found[:, 0] - front[own],
        found[:, 1] - rear[own],
        found[:, 2] - front[other],
        found[:, 3] - rear[other],
        found[:, 0],
        found[:, 2],
        is_merge,
    )
