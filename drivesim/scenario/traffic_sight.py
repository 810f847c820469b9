"""Who is ahead of whom: vehicles of the traffic, and actors that do not react, on or about to come onto one's way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .car_following import Drivers, interaction
from .fleet import Fleet
from .route import OFF_M
from .seen_actors import SeenActors

CLEARANCE_M = 0.2
"""Between sides that pass each other."""

_FORESEEN_STEPS = 5 * np.arange(9)
_STEP_S = 0.1
_TORN_M = 30.0
_MOVING_MPS = 3.0
_ALONGSIDE_S = 1.5
_PASSED_M = 2.0


@dataclass(frozen=True, eq=False)
class OnRoutes:
    """N vehicles as seen along K routes: stations of rear, middle and front, sides, and speed along, each [K,N].

    Somebody who changes lanes takes up all between where it is and where it goes.
    """

    rear_m: FloatArray
    middle_m: FloatArray
    front_m: FloatArray
    low_m: FloatArray
    high_m: FloatArray
    speed_mps: FloatArray

    def is_in_way(self, low_m: FloatArray, high_m: FloatArray) -> BoolArray:
        """Who is within a band of sides [K]."""
        return np.asarray((self.low_m < high_m[:, None] + CLEARANCE_M) & (self.high_m > low_m[:, None] - CLEARANCE_M))


@dataclass(frozen=True, eq=False)
class Sight:
    """What is ahead of N vehicles.

    pull_mps2: what it takes off their acceleration. rear_m: station of the nearest rear ahead, infinite for none.
    leader_mps: its speed.
    """

    pull_mps2: FloatArray
    rear_m: FloatArray
    leader_mps: FloatArray


def on_routes(fleet: Fleet, own: IntArray) -> OnRoutes:
    """Everybody as seen along routes [K]."""
    side = fleet.side_m
    moves_over = fleet.is_shifting & (np.abs(side) > 1e-3)
    claim_low = np.where(moves_over, np.minimum(side, 0.0), side)
    claim_high = np.where(moves_over, np.maximum(side, 0.0), side)
    half = fleet.width_m / 2
    offsets = (half - fleet.behind_m, (fleet.ahead_m - fleet.behind_m) / 2, fleet.ahead_m - half)
    stations, lows, highs, cosines = [], [], [], []
    for offset in offsets:
        station, off, cosine = fleet.routes.seen(own[:, None], fleet.route[None], (fleet.station_m + offset)[None])
        is_off = (np.abs(off) >= OFF_M) | ~fleet.is_there
        # The body is straight: in bends both ends of it stick out.
        swing = -(offset**2) / 2 * fleet.routes.curvatures(fleet.route, fleet.station_m + offset / 2)
        low, high = off + cosine * (claim_low + swing), off + cosine * (claim_high + swing)
        stations.append(np.where(is_off, np.nan, station))
        lows.append(np.where(is_off, np.inf, np.minimum(low, high)))
        highs.append(np.where(is_off, -np.inf, np.maximum(low, high)))
        cosines.append(cosine)
    cosine = cosines[1]
    for end in (0, 2):  # where a ring closes, one end may be found at the other end of the route
        torn = np.abs(stations[end] - stations[1]) > _TORN_M
        stations[end] = np.where(torn, stations[1] + (offsets[end] - offsets[1]) * cosine, stations[end])
        lows[end], highs[end] = np.where(torn, np.inf, lows[end]), np.where(torn, -np.inf, highs[end])
    along = (np.abs(cosine) + np.sqrt(np.maximum(0.0, 1 - cosine**2))) * half
    rear = np.fmin(np.fmin(stations[0], stations[1]), stations[2])
    front = np.fmax(np.fmax(stations[0], stations[1]), stations[2])
    low, high = np.min(lows, axis=0) - along, np.max(highs, axis=0) + along
    return OnRoutes(rear - along, stations[1], front + along, low, high, fleet.speed_mps * cosine)


def own_band(fleet: Fleet) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest side that everybody needs on its own route."""
    side = fleet.side_m
    half = fleet.width_m / 2
    return np.minimum(side, 0.0) - half, np.maximum(side, 0.0) + half


def look_ahead(fleet: Fleet, wishes: Drivers, seen: SeenActors, step: int) -> Sight:
    """The sight of everybody at a key instant."""
    everyone = on_routes(fleet, fleet.route)
    low, high = own_band(fleet)
    with np.errstate(invalid="ignore"):
        ahead = everyone.is_in_way(low, high) & (everyone.middle_m > middles_m(fleet)[:, None])
    np.fill_diagonal(ahead, False)
    gap = np.where(ahead, everyone.rear_m - fleet.front_m[:, None], np.inf)
    column = wishes[:, None]
    pull = interaction(column, fleet.speed_mps[:, None], gap, everyone.speed_mps).min(axis=1, initial=0.0)
    nearest = np.argmin(gap, axis=1)
    rows = np.arange(len(fleet))
    rear, speed = gap[rows, nearest] + fleet.front_m, everyone.speed_mps[rows, nearest]
    pull, rear, speed = _with_actors(fleet, wishes, seen, step, Sight(pull, rear, speed))
    return Sight(pull, rear, speed)


def middles_m(fleet: Fleet) -> FloatArray:
    """Stations of the middles of everybody."""
    return np.asarray(fleet.station_m + (fleet.ahead_m - fleet.behind_m) / 2)


def _with_actors(
    fleet: Fleet, wishes: Drivers, seen: SeenActors, step: int, sight: Sight
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same with actors that do not react; those are foreseen for four seconds, as they will really move."""
    who, actor = seen.pairs(fleet.route)
    pull, rear, speed = sight.pull_mps2.copy(), sight.rear_m.copy(), sight.leader_mps.copy()
    if not len(who):
        return pull, rear, speed
    there = seen.on(fleet.route[who][:, None], actor[:, None], step + _FORESEEN_STEPS[None])  # [P,F,5]
    gap, along = _gaps(fleet, who, there)
    np.minimum.at(pull, who, interaction(wishes[who], fleet.speed_mps[who], gap, along))
    now_rear = np.where(_in_band(fleet, who, there[:, :1])[:, 0] & np.isfinite(gap), there[:, 0, 0], np.inf)
    for index in np.flatnonzero(now_rear < rear[who]).tolist():
        if now_rear[index] < rear[who[index]]:
            rear[who[index]], speed[who[index]] = now_rear[index], along[index]
    return pull, rear, speed


def _in_band(fleet: Fleet, who: IntArray, there: FloatArray) -> BoolArray:
    """Whether actors are in the way of vehicles [P], at F instants: [P,F]."""
    low, high = own_band(fleet)
    low, high = low[who][:, None] - CLEARANCE_M, high[who][:, None] + CLEARANCE_M
    return np.asarray((there[..., 2] < high) & (there[..., 3] > low))


def _gaps(fleet: Fleet, who: IntArray, there: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gap [P] to what is or will be in the way, infinite for nothing, and its speed along the way."""
    inside = _in_band(fleet, who, there)
    later_s = _FORESEEN_STEPS * _STEP_S
    front, speed = fleet.front_m[who][:, None], fleet.speed_mps[who][:, None]
    rear, middle = fleet.rear_m[who][:, None], middles_m(fleet)[who][:, None]
    drives = np.abs(there[..., 4]) > _MOVING_MPS
    own_then = np.where(drives, speed * later_s, 0.0)
    ahead = (there[..., 0] + there[..., 1]) / 2 > middle + own_then
    passed_before = rear + speed * later_s > there[..., 1] + _PASSED_M
    in_time = ~drives | (later_s <= _ALONGSIDE_S)
    # What comes onto the way later matters where it will be, unless one is past by then.
    matters = inside & ahead & in_time & (~passed_before | (later_s == 0))
    first = np.argmax(matters, axis=1)
    rows = np.arange(len(who))
    gap = there[rows, first, 0] - front[:, 0] - own_then[rows, first]
    return np.where(matters.any(axis=1), gap, np.inf), there[rows, first, 4]
