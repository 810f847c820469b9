"""Traffic that reacts: distances kept by IDM, lanes changed by MOBIL, lights and right of way heeded.

Everybody drives along a route in coordinates of lanes. Ten times a second it looks at what is ahead and decides;
it moves in steps of a fifth of that, with bounded jerk. What is given as ``others``, and the ego, never reacts: it is
foreseen as it will really move. Where it would run into background traffic all the same, most often from behind,
that vehicle is left out.

At the end of the map vehicles are absent from when half of them is past it, wherever the ego is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scenegraph import Actor
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .car_following import Drivers, free_acceleration, stopping_acceleration
from .checks.bodies import sample_bodies
from .checks.checking import labels_of
from .checks.collisions import check_collisions
from .classes import category_of
from .fleet import Fleet
from .ground import Ground
from .junction_control import JunctionControl
from .lane_changes import SQUEEZE, wanted_change
from .motion import box_track, on_ground, thinned
from .planned import Bystander, Driver, Planned
from .right_of_way import GREEN, LineSigns
from .seen_actors import SeenActors
from .traffic_routes import Routes
from .traffic_sight import look_ahead
from .world import World

_SUBSTEPS = 5
_RISING_MPS3, _FALLING_MPS3, _EMERGENCY_MPS3 = 5.0, 7.0, 18.0
_EMERGENCY_MPS2 = -4.0
_RESTING_MPS3 = 5.0
_THINK_STEPS = 10
_REACH_MPS, _REACH_M = 25.0, 100.0
_AGAIN_M = 150.0
_START_BRAKING_MPS2 = 2.0
_BEND_S, _BEND_BRAKING_MPS2 = 0.6, 4.0
_MOST_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class _Track:
    """Where N vehicles were at T instants, all arrays but the instants [T,N]."""

    times_us: IntArray
    route: IntArray
    station_m: FloatArray
    side_m: FloatArray
    slope: FloatArray
    is_there: BoolArray


def simulate(planned: Sequence[Planned], world: World, others: Sequence[Actor], seed: int = 0) -> tuple[Actor, ...]:
    """Everything planned as it moves over the time of the world, in the same order.

    others: actors of the scene that do not react. seed: nobody draws lots here yet, so that it changes nothing.
    Background vehicles that would be run into are left out.
    """
    bystanders = [plan.actor for plan in planned if isinstance(plan, Bystander)]
    drivers = [plan for plan in planned if isinstance(plan, Driver)]
    simulation = Simulation(world, [*others, *bystanders])
    actors = simulation.drive(drivers)
    for _ in range(_MOST_ROUNDS):
        hit = _hit(world, [*others, *bystanders], actors, drivers)
        if not hit:
            break
        drivers = [driver for driver in drivers if driver.id not in hit]
        actors = simulation.drive(drivers)
    by_id = {actor.id: actor for actor in (*actors, *bystanders)}
    names = [plan.actor.id if isinstance(plan, Bystander) else plan.id for plan in planned]
    return tuple(by_id[name] for name in names if name in by_id)


class Simulation:
    """A world with what does not react in it; several sets of drivers can be tried in it."""

    def __init__(self, world: World, others: Sequence[Actor]) -> None:
        reach_m = _REACH_MPS * world.duration_s + _REACH_M
        signs = LineSigns(world.scene, world.times_us)
        self.world = world
        self.routes = Routes(world.graph, signs, reach_m, world.left_hand)
        self._seen = SeenActors(world, others, self.routes)

    def drive(self, drivers: Sequence[Driver]) -> tuple[Actor, ...]:
        """The drivers as they move; nobody is left out."""
        if not drivers:
            return ()
        track = self._run(Fleet(drivers, self.routes))
        return tuple(
            _actor(driver, track, index, self.routes, self.world.ground) for index, driver in enumerate(drivers)
        )

    def _run(self, fleet: Fleet) -> _Track:
        steps_us = np.append(np.diff(self.world.times_us), 0).tolist()
        rows: list[tuple[int, IntArray, FloatArray, FloatArray, FloatArray, BoolArray]] = []
        for step, (begin_us, step_us) in enumerate(zip(self.world.times_us.tolist(), steps_us, strict=True)):
            if step == 0:
                self._settle(fleet)
            self._leave(fleet)
            self._go_on(fleet)
            wanted = self._decide(fleet, step)
            part_s = step_us / _SUBSTEPS / 1e6
            for part in range(_SUBSTEPS if step_us else 1):
                now_us, there = begin_us + part * step_us // _SUBSTEPS, fleet.is_there.copy()
                rows.append((now_us, fleet.route.copy(), fleet.station_m, fleet.side_m, fleet.slope, there))
                fleet.acceleration_mps2 = wanted if step == 0 else _eased(fleet, wanted, part_s)
                fleet.advance(part_s)
        return _Track(*(np.stack(column) for column in zip(*rows, strict=True)))

    def _decide(self, fleet: Fleet, step: int) -> FloatArray:
        """Accelerations that are wanted; begins lane changes on the way."""
        wishes = fleet.wishes()
        control = JunctionControl(fleet, wishes, look_ahead(fleet, wishes, self._seen, step), step)
        if self._change_lanes(fleet, wishes, control, step):
            wishes = fleet.wishes()
            control = JunctionControl(fleet, wishes, look_ahead(fleet, wishes, self._seen, step), step)
        fleet.may_go = control.decide()
        pulls = np.stack([control.sight.pull_mps2, control.pulls_mps2(fleet.may_go), _ends(fleet, wishes)])
        pull = np.where(fleet.reacts, pulls.min(axis=0), 0.0)
        free = free_acceleration(wishes, fleet.speed_mps)
        return np.asarray(np.maximum(np.minimum(free + pull, _for_bends(fleet)), -fleet.strongest_mps2))

    def _change_lanes(self, fleet: Fleet, wishes: Drivers, control: JunctionControl, step: int) -> bool:
        changed = False
        for index in range(step % _THINK_STEPS, len(fleet), _THINK_STEPS):
            change = wanted_change(fleet, wishes, self._seen, control.lines, index, step)
            if change is not None:
                fleet.change_route(index, change.route, change.station_m, change.over_m)
                fleet.patience[list(change.squeezed)] = SQUEEZE
                changed = True
        return changed

    def _settle(self, fleet: Fleet) -> None:
        """Let background traffic begin no faster than its gap, its line and its lane allow."""
        wishes = fleet.wishes()
        free = np.array([not driver.is_background or not driver.reacts for driver in fleet.drivers])
        slower = np.minimum(fleet.speed_mps, wishes.desired_mps)
        fleet.speed_mps = np.where(free, fleet.speed_mps, slower)
        sight = look_ahead(fleet, wishes, self._seen, 0)
        control = JunctionControl(fleet, wishes, sight, 0)
        gap = np.maximum(sight.rear_m - fleet.front_m - wishes.standstill_gap_m, 0.0)
        by_gap = gap / wishes.time_gap_s
        line = np.maximum(control.lines.line_m - fleet.front_m, 0.0)
        by_line = np.where(control.lines.is_past, np.inf, np.sqrt(2 * _START_BRAKING_MPS2 * line))
        by_line = np.where((control.lines.shown == GREEN) & (control.lines.rank == 0), np.inf, by_line)
        slower = np.minimum(np.minimum(fleet.speed_mps, by_gap), by_line)
        fleet.speed_mps = np.where(free, fleet.speed_mps, slower)

    def _leave(self, fleet: Fleet) -> None:
        """Take those off whose middle is past the end of the map."""
        for index in np.flatnonzero(fleet.is_there).tolist():
            route = fleet.route_of(index)
            beyond_m = float(fleet.front_m[index]) - route.end_m
            if not route.is_dead_end:
                fleet.is_there[index] = beyond_m < (fleet.ahead_m[index] + fleet.behind_m[index]) / 2

    def _go_on(self, fleet: Fleet) -> None:
        """Give those a longer route who come to the end of theirs while the map goes on, as on a ring."""
        for index in np.flatnonzero(fleet.is_there).tolist():
            route, at_m = fleet.route_of(index), float(fleet.station_m[index])
            if not route.goes_on or route.end_m - at_m > _AGAIN_M:
                continue
            lane = route.path.lane_at(at_m)
            number = self.routes.number(lane.id, route.turn)
            longer = self.routes.all[number]
            place = int(np.searchsorted(route.path.starts_m, at_m, side="right")) - 1
            there_m = at_m - float(route.path.starts_m[max(place, 0)])
            if number != fleet.route[index] and longer.end_m - there_m > route.end_m - at_m + 2.0:
                rest_m = float(fleet.shift_from_m[index] + fleet.shift_over_m[index] - fleet.station_m[index])
                fleet.change_route(index, number, there_m, max(rest_m, 12.0))


def _ends(fleet: Fleet, wishes: Drivers) -> FloatArray:
    """What the end of a lane takes off the acceleration of those who have to leave it."""
    to_end = [
        route.end_m - front - 3.0 if (route := fleet.route_of(i)).is_dead_end else np.inf
        for i, front in enumerate(fleet.front_m.tolist())
    ]
    return stopping_acceleration(wishes, fleet.speed_mps, np.maximum(np.array(to_end), 0.0))


def _for_bends(fleet: Fleet) -> FloatArray:
    """The most that keeps to the speed for bends half a second on; IDM would heed it only slowly."""
    _, bend = fleet.routes.speeds_mps(fleet.route, fleet.station_m + _BEND_S * fleet.speed_mps)
    return np.asarray(np.maximum((bend - fleet.speed_mps) / _BEND_S, -_BEND_BRAKING_MPS2))


def _eased(fleet: Fleet, wanted: FloatArray, step_s: float) -> FloatArray:
    """The next accelerations: towards the wanted ones with bounded jerk, and without a jolt where a vehicle stops."""
    falling = np.where(wanted < _EMERGENCY_MPS2, _EMERGENCY_MPS3, _FALLING_MPS3)
    now = fleet.acceleration_mps2
    eased = np.clip(wanted, now - falling * step_s, now + _RISING_MPS3 * step_s)
    softest = -np.sqrt(2 * np.where(wanted < _EMERGENCY_MPS2, 3.0, 1.0) * _RESTING_MPS3 * fleet.speed_mps)
    return np.asarray(np.maximum(eased, softest))


def _actor(driver: Driver, track: _Track, index: int, routes: Routes, ground: Ground) -> Actor:
    """One vehicle as an actor, present as long as it is on the map."""
    there = track.is_there[:, index]
    rows = np.flatnonzero(there) if there.any() else np.array([0])
    route, station, side = track.route[rows, index], track.station_m[rows, index], track.side_m[rows, index]
    points, yaw = np.zeros((len(rows), 3)), np.zeros(len(rows))
    for number in np.unique(route).tolist():
        on, path = route == number, routes.all[number].path
        headings = routes.all[number].headings_at(station[on])
        points[on] = path.points(station[on], side[on])
        bent = 1 - path.curvatures(station[on]) * side[on]
        yaw[on] = headings + np.arctan2(track.slope[rows, index][on], bent)
    body = driver.body
    axle = thinned(track.times_us[rows], on_ground(points, yaw, body, ground))
    sizes = (np.array(body.length_m), np.array(body.width_m), np.array(body.height_m))
    category = category_of(driver.category, body.length_m)
    return Actor(driver.id, category, box_track(axle, body), *sizes, source_category=driver.category)


def _hit(world: World, others: Sequence[Actor], actors: Iterable[Actor], drivers: Sequence[Driver]) -> set[str]:
    """Ids of background vehicles that touch something; of two of them the later one."""
    order = {driver.id: place for place, driver in enumerate(drivers) if driver.is_background}
    scene = replace(world.scene, actors=(*others, *actors))
    recorded = labels_of(world.scene) & ({actor.id for actor in others} | {"ego"})
    found = check_collisions(sample_bodies(scene, recorded))
    pairs = [(finding.actor, finding.other) for finding in found]
    worst = [max((name for name in pair if name in order), key=order.__getitem__, default="") for pair in pairs]
    return {name for name in worst if name}
