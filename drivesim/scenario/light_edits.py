"""Edits of traffic lights: one state for all of the time, or phases, with the crossing traffic's to match.

Which lights belong together is found from where they hang: lights with less than 40 m from one to the next are at one
junction, and two of those cross when the directions they face differ by more than 45 degrees, back and front being
the same. Lights for turning traffic hang parallel to those for traffic straight on and count with them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from scenegraph import LightState, LightTimeline, Scene, TrafficLight

from ..errors import ScenarioError
from ..spelling import nearest
from .schema_edits import ForceLights, ScheduleLights
from .world import World

JUNCTION_GAP_M = 40.0
CROSSING_DEG = 45.0
YELLOW_S = 3.0
ALL_RED_S = 1.0
"""Between yellow of one direction and green of the other."""

_EGO_NEAR_M = 25.0

_Phases: TypeAlias = Sequence[tuple[float, LightState]]
_PASSING = (LightState.GREEN, LightState.YELLOW)


def force_lights(edit: ForceLights, world: World) -> Scene:
    """Let lights show one state all of the time.

    Green and yellow make crossing lights red, unless they are named themselves. Without names they are meant for the
    ego: for the lights along its way at every junction. Every other state without names is for all lights.
    """
    state = LightState(edit.state)
    meant = _meant(edit.lights, world, split=state in _PASSING)
    shown = {light.id: LightState.RED for light in _crossing(world, meant)} if state in _PASSING else {}
    shown |= {light.id: state for light in meant}
    first_us = np.array([min(world.start_us, world.scene.ego.first_us)])
    return _with_timelines(world, {name: LightTimeline(first_us, (state,)) for name, state in shown.items()})


def schedule_lights(edit: ScheduleLights, world: World) -> Scene:
    """Give lights phases; before the first one they show what they showed.

    With ``opposing`` crossing lights show red while these show green or yellow, and green while these show red, with
    3 s of yellow and 1 s of red for all before these turn green. Without names the lights along the ego's way are
    meant, or all lights if not ``opposing``.
    """
    phases = [(phase.at_s, LightState(phase.state)) for phase in edit.phases]
    for number, ((before_s, _), (at_s, _)) in enumerate(pairwise(phases), start=1):
        if at_s <= before_s:
            raise ScenarioError(f"phases[{number}].at_s: {at_s:g} does not follow {before_s:g}. Put phases in order")
    meant = _meant(edit.lights, world, split=edit.opposing)
    timelines = {light.id: _timeline(world, light.id, phases) for light in meant}
    if edit.opposing:
        crossing = _crossing(world, meant)
        if both := [light.id for light in crossing if light.id in timelines]:
            raise ScenarioError(
                f"lights: {', '.join(both)} cross others that are named, so they cannot show the same. "
                f"Name the lights of one direction, or set opposing: false"
            )
        opposite = opposite_phases(phases, _shown(world, meant[0].id, phases[0][0]))
        for light in crossing:
            timelines[light.id] = _timeline(world, light.id, _warned(world, light.id, opposite))
    return _with_timelines(world, timelines)


def opposite_phases(phases: _Phases, shown_before: LightState = LightState.UNKNOWN) -> list[tuple[float, LightState]]:
    """What crossing lights show, as (second, state): never green or yellow while these show green or yellow.

    A red too short for crossing traffic to have some green is red for all. Off and unknown are so for all.
    shown_before: what these show before the first phase.
    """
    found: list[tuple[float, LightState]] = []
    merged = [phase for k, phase in enumerate(phases) if k == 0 or phase[1] != phases[k - 1][1]]
    for k, (at_s, state) in enumerate(merged):
        until_s = merged[k + 1][0] if k + 1 < len(merged) else np.inf
        after_passing = (merged[k - 1][1] if k else shown_before) in _PASSING
        before_passing = k + 1 < len(merged) and merged[k + 1][1] in _PASSING
        if state in _PASSING:
            found.append((at_s, LightState.RED))
        elif state != LightState.RED:
            found.append((at_s, state))
        else:
            found += _passing_of_others(at_s, until_s, after_passing, before_passing)
    return [phase for k, phase in enumerate(found) if k == 0 or phase[1] != found[k - 1][1]]


def _passing_of_others(
    at_s: float, until_s: float, after_passing: bool, before_passing: bool
) -> list[tuple[float, LightState]]:
    """Green and yellow of crossing lights while these are red."""
    green_s = at_s + ALL_RED_S * after_passing
    yellow_s = until_s - (ALL_RED_S + YELLOW_S) * before_passing
    phases = [(at_s, LightState.RED)] if after_passing else []
    if yellow_s <= green_s:
        return [(at_s, LightState.RED)]
    phases.append((green_s, LightState.GREEN))
    if before_passing:
        phases += [(yellow_s, LightState.YELLOW), (until_s - ALL_RED_S, LightState.RED)]
    return phases


def junctions(lights: Sequence[TrafficLight]) -> tuple[tuple[TrafficLight, ...], ...]:
    """Lights by junction, in the order of the map."""
    places = np.array([light.world_from_box.translation_m[:2] for light in lights]).reshape(-1, 2)
    group = np.arange(len(lights))
    near = np.linalg.norm(places[:, None] - places[None], axis=2) <= JUNCTION_GAP_M
    for one, other in np.argwhere(near):
        group[group == group[other]] = group[one]
    return tuple(tuple(lights[i] for i in np.flatnonzero(group == number)) for number in dict.fromkeys(group.tolist()))


def cross(one: TrafficLight, other: TrafficLight) -> bool:
    """Whether two lights of a junction are for traffic that crosses."""
    return _across(float(one.world_from_box.yaw_rad), float(other.world_from_box.yaw_rad))


def _across(one_rad: float, other_rad: float) -> bool:
    return bool(abs(np.sin(one_rad - other_rad)) > np.sin(np.radians(CROSSING_DEG)))


def _crossing(world: World, lights: Collection[TrafficLight]) -> list[TrafficLight]:
    """Lights that cross one of these at its junction."""
    ids = {light.id for light in lights}
    return [
        light
        for junction in junctions(world.scene.hdmap.traffic_lights)
        for light in junction
        if any(other.id in ids and cross(light, other) for other in junction)
    ]


def _meant(names: tuple[str, ...], world: World, split: bool) -> list[TrafficLight]:
    """The named lights; without names all of them, or with ``split`` those along the ego's way."""
    known = {light.id: light for light in world.scene.hdmap.traffic_lights}
    if not known:
        raise ScenarioError("the map has no traffic lights, so none can be set. Leave out this edit")
    for name in names:
        if name not in known:
            raise ScenarioError(f"there is no traffic light {name!r}{nearest(name, known)}. Lights: {', '.join(known)}")
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    if not split:
        return list(known.values())
    return [light for junction in junctions(tuple(known.values())) for light in _along_ego(world, junction)]


def _along_ego(world: World, junction: tuple[TrafficLight, ...]) -> list[TrafficLight]:
    """Lights of a junction that hang across the ego's way: as it heads when it comes within 25 m, or nearest.

    Where none does, those parallel to the first of the map.
    """
    centre = np.mean([light.world_from_box.translation_m[:2] for light in junction], axis=0)
    way = world.scene.ego.at(world.times_us)
    distances_m = np.linalg.norm(way.translation_m[:, :2] - centre, axis=1)
    close = np.flatnonzero(distances_m <= _EGO_NEAR_M)
    heading_rad = float(way.yaw_rad[close[0] if len(close) else int(np.argmin(distances_m))])
    along = [light for light in junction if not _across(float(light.world_from_box.yaw_rad), heading_rad)]
    return along or [light for light in junction if not cross(light, junction[0])]


def _warned(world: World, light: str, phases: _Phases) -> _Phases:
    """Phases that begin with red, with yellow before it where the light showed green until then."""
    at_s, state = phases[0]
    yellow_s = at_s - ALL_RED_S - YELLOW_S
    if state != LightState.RED or yellow_s <= 0 or _shown(world, light, at_s) != LightState.GREEN:
        return phases
    return [(yellow_s, LightState.YELLOW), (at_s - ALL_RED_S, LightState.RED), *phases[1:]]


def _shown(world: World, light: str, before_s: float) -> LightState:
    """What a light of the scene shows right before a second, unknown before 0 s."""
    old = world.scene.light_states.get(light)
    if old is None or before_s <= 0:
        return LightState.UNKNOWN
    return old.at(np.array([world.start_us + round(before_s * 1e6) - 1]))[0]


def _timeline(world: World, light: str, phases: _Phases) -> LightTimeline:
    """Phases in the scene's time, after what the light showed before the first of them."""
    times_us = np.array([world.start_us + round(at_s * 1e6) for at_s, _ in phases], dtype=np.int64)
    states = tuple(state for _, state in phases)
    old = world.scene.light_states.get(light)
    if old is None:
        return LightTimeline(times_us, states)
    count = int(np.searchsorted(old.timestamps_us, times_us[0]))
    return LightTimeline(np.concatenate([old.timestamps_us[:count], times_us]), old.states[:count] + states)


def _with_timelines(world: World, timelines: dict[str, LightTimeline]) -> Scene:
    """The scene with these; lights that had none before follow in the order of the map."""
    old = world.scene.light_states
    order = [*old, *(light.id for light in world.scene.hdmap.traffic_lights if light.id not in old)]
    changed = {name: timelines.get(name, old.get(name)) for name in order}
    return replace(world.scene, light_states={name: line for name, line in changed.items() if line is not None})
