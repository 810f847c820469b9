"""Who changes lanes now: MOBIL over the lanes beside each vehicle that drive the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scenegraph.arrays import FloatArray

from .car_following import (
    SAFE_BRAKING_MPS2,
    THRESHOLD_MPS2,
    Drivers,
    free_acceleration,
    interaction,
    is_lane_change_safe,
    lane_change_gain,
)
from .fleet import Fleet
from .junction_control import Lines
from .seen_actors import SeenActors
from .traffic_sight import OnRoutes, middles_m, on_routes

_DURATION_S, _SHORTEST_M = 4.2, 30.0
_SLOWEST_MPS = 4.0
_NEAR_JUNCTION_M = 40.0
_ENDING_M = 200.0
_ENDING_BIAS_MPS2 = 4.0
_ENDING_SAFE_MPS2 = 4.0
SQUEEZE = 0.35
"""Share of its usual time gap that a driver is content with right after a lane ended; so is who lets it in."""
_LEAST_GAP_M = 2.0


@dataclass(frozen=True)
class LaneChange:
    """One that is begun: the vehicle, the route it goes to, about where on it, and the length it takes.

    squeezed: who has to do with a short gap for a while, nobody where the change is of one's own accord.
    """

    index: int
    route: int
    station_m: float
    over_m: float
    squeezed: tuple[int, ...] = ()


def wanted_change(
    fleet: Fleet, wishes: Drivers, seen: SeenActors, lines: Lines, index: int, step: int
) -> LaneChange | None:
    """The better one of the changes to the left and to the right, None where neither is safe and worth it."""
    route = fleet.route_of(index)
    left_m = route.end_m - float(fleet.front_m[index])
    must = route.is_dead_end and left_m < _ENDING_M
    if not _is_free_to(fleet, lines, index, must):
        return None
    best: tuple[float, LaneChange] | None = None
    here = route.path.lane_at(float(fleet.station_m[index]))
    for lane in fleet.routes.may_change(here, over_solid=must):
        number = fleet.routes.number(lane.id, route.turn)
        target = fleet.routes.all[number]
        station, side = target.locate(fleet.point_m(index)[None])
        there = float(station[0])
        if not 1.5 < abs(float(side[0])) < 6.0 or there < target.path.first_m + 10.0:
            continue
        if target.is_dead_end and not (must and target.end_m - there > left_m):
            continue
        found = _gain(fleet, wishes, seen, index, number, there, step, must)
        if found is not None and (best is None or found[0] > best[0]):
            over_m = max(_DURATION_S * float(fleet.speed_mps[index]), _SHORTEST_M)
            over_m = min(over_m, max(left_m - 5.0, 15.0)) if must else over_m
            best = found[0], LaneChange(index, number, there, over_m, found[1] if must else ())
    return None if best is None else best[1]


def _is_free_to(fleet: Fleet, lines: Lines, index: int, must: bool) -> bool:
    """Not changing already, not near a junction, fast enough to steer over."""
    if fleet.is_shifting[index] or not fleet.is_there[index] or not fleet.reacts[index]:
        return False
    near_junction = lines.line_m[index] - fleet.front_m[index] < _NEAR_JUNCTION_M
    return bool(not near_junction and (must or fleet.speed_mps[index] > _SLOWEST_MPS))


def _gain(
    fleet: Fleet, wishes: Drivers, seen: SeenActors, index: int, number: int, station_m: float, step: int, must: bool
) -> tuple[float, tuple[int, ...]] | None:
    """MOBIL's gain above its threshold and the two who would be close then, None where unsafe or not worth it."""
    own, there = (on_routes(fleet, np.array([n])) for n in (fleet.route[index], number))
    middle = station_m + float(fleet.ahead_m[index] - fleet.behind_m[index]) / 2
    half = float(fleet.width_m[index]) / 2
    front, rear = station_m + float(fleet.ahead_m[index]), station_m - float(fleet.behind_m[index])
    leader, follower = _neighbours(there, index, middle, half)
    old_leader, old_follower = _neighbours(own, index, float(middles_m(fleet)[index]), half)
    if not _is_clear_of_actors(fleet, seen, index, number, front, rear, step):
        return None
    pull = _Pulls(fleet, wishes)
    then_pull = _Pulls(fleet, replace(wishes, time_gap_s=SQUEEZE * wishes.time_gap_s)) if must else pull
    lead_gap = np.inf if leader is None else float(there.rear_m[0, leader]) - front
    behind_gap = np.inf if follower is None else rear - float(there.front_m[0, follower])
    if min(lead_gap, behind_gap) < _LEAST_GAP_M:
        return None
    own_gap = np.inf if old_leader is None else float(own.rear_m[0, old_leader] - fleet.front_m[index])
    now, then = pull(index, own_gap, old_leader), then_pull(index, lead_gap, leader)
    length = front - rear
    new = (pull(follower, behind_gap + length + lead_gap, leader), then_pull(follower, behind_gap, index))
    left_gap = np.inf if old_follower is None else float(fleet.rear_m[index]) - float(own.front_m[0, old_follower])
    left = (pull(old_follower, left_gap, index), pull(old_follower, left_gap + length + own_gap, old_leader))
    safe = _ENDING_SAFE_MPS2 if must else SAFE_BRAKING_MPS2
    if not (is_lane_change_safe(np.array([new[1], then]), safe)).all():
        return None
    if then - now < THRESHOLD_MPS2 / 2 and not must:
        return None  # nobody moves into a passing lane only to please who is behind
    gain = lane_change_gain(*(np.array(value) for value in (now, then, *new, *left)))
    worth = float(gain) + (_ENDING_BIAS_MPS2 if must else 0.0) - THRESHOLD_MPS2
    close = (index,) if follower is None else (index, follower)
    return (worth, close) if worth > 0 else None


def _neighbours(seen: OnRoutes, index: int, middle_m: float, half_m: float) -> tuple[int | None, int | None]:
    """Nearest ahead and nearest behind within the band around the middle of a route."""
    inside = seen.is_in_way(np.array([-half_m]), np.array([half_m]))[0]
    inside[index] = False
    with np.errstate(invalid="ignore"):
        ahead = np.where(inside & (seen.middle_m[0] >= middle_m), seen.middle_m[0], np.inf)
        behind = np.where(inside & (seen.middle_m[0] < middle_m), seen.middle_m[0], -np.inf)
    leader, follower = int(np.argmin(ahead)), int(np.argmax(behind))
    return leader if np.isfinite(ahead[leader]) else None, follower if np.isfinite(behind[follower]) else None


class _Pulls:
    """IDM of single vehicles behind a leader, or behind nobody."""

    def __init__(self, fleet: Fleet, wishes: Drivers) -> None:
        self._fleet, self._wishes = fleet, wishes

    def __call__(self, who: int | None, gap_m: float, leader: int | None) -> float:
        if who is None:
            return 0.0
        drivers, speed = self._wishes[who : who + 1], self._fleet.speed_mps[who : who + 1]
        free = float(free_acceleration(drivers, speed)[0])
        if leader is None or not np.isfinite(gap_m):
            return free
        gap, leads = np.array([gap_m]), self._fleet.speed_mps[leader : leader + 1]
        return free + float(interaction(drivers, speed, gap, leads)[0])


def _is_clear_of_actors(
    fleet: Fleet, seen: SeenActors, index: int, number: int, front_m: float, rear_m: float, step: int
) -> bool:
    """Whether what does not react leaves room on the new lane, now and in two seconds: it will not make any."""
    _, actor = seen.pairs(np.array([number]))
    half, speed = float(fleet.width_m[index]) / 2, float(fleet.speed_mps[index])
    for later in (0, 10, 20):
        there = seen.on(np.array(number), actor, np.array(step + later))
        inside = (there[:, 2] < half + 0.3) & (there[:, 3] > -half - 0.3)
        moved = speed * later / 10
        faster: FloatArray = np.maximum(there[:, 4] - speed, 0.0)
        behind_m = 3.0 + 0.8 * np.maximum(there[:, 4], 0.0) + faster**2 / 3.0
        ahead_m = 3.0 + 0.5 * speed + np.maximum(speed - there[:, 4], 0.0) ** 2 / 3.0
        blocked = inside & (there[:, 0] < front_m + moved + ahead_m) & (there[:, 1] > rear_m + moved - behind_m)
        if blocked.any():
            return False
    return True
