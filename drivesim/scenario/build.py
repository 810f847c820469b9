"""From a scenario to a scene: its source with the ego, then edits, added actors and traffic, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from scenegraph import Actor, Scene, SceneGraphError

from ..errors import DriveSimError
from .base import base_world, refusal
from .behaviours import behave
from .edits import apply_edit
from .loading import Scenario
from .planned import Planned
from .reactive import simulate
from .traffic import place_traffic, plan_reacting
from .world import World

_Result = TypeVar("_Result")


def build_scene(scenario: Scenario, rig: Path | str | None = None) -> Scene:
    """The scene a scenario describes; the same scenario always gives the same scene. rig: instead of the one it names.

    Edits change what the source holds. Actors are added one after the other, so that each can refer to those before;
    then traffic fills in around all of them, and moves together with the actors that react.
    """
    world = base_world(scenario, rig)
    for index, edit in enumerate(scenario.file.edits):
        seed = scenario.file.seed
        edited = _at(scenario, f"edits[{index}]", lambda: apply_edit(edit, world, scenario.folder, seed))  # noqa: B023
        world = world.with_scene(edited.scene)
    world, reacting = _with_actors(scenario, world)
    world = _with_traffic(scenario, world, reacting)
    return replace(world.scene, clip_id=scenario.name)


def _with_actors(scenario: Scenario, world: World) -> tuple[World, list[Planned]]:
    """The world with the added actors, but for those that react, which are only planned."""
    added: dict[str, Actor] = {}
    reacting: list[Planned] = []
    there = {actor.id for actor in world.scene.actors}
    for index, file in enumerate(scenario.file.actors):
        field = f"actors[{index}]"
        if file.id in there:
            raise refusal(scenario, f"{field}.id", f"there is an actor {file.id!r} in the source. Choose another id")
        if file.reacts:
            reacting.append(_at(scenario, field, lambda: plan_reacting(file, world)))  # noqa: B023
            continue
        actor = _at(scenario, field, lambda: behave(file, world, added, scenario.folder))  # noqa: B023
        added[actor.id] = actor
    scene = replace(world.scene, actors=(*world.scene.actors, *added.values()))
    return world.with_scene(scene), reacting


def _with_traffic(scenario: Scenario, world: World, reacting: list[Planned]) -> World:
    """The world with background traffic and everybody who reacts."""
    traffic, seed = scenario.file.traffic, scenario.file.seed
    planned = list(reacting)
    if traffic is not None:
        planned += _at(scenario, "traffic", lambda: place_traffic(traffic, world, world.scene.actors, seed))
    if not planned:
        return world
    moving = _at(scenario, "traffic", lambda: simulate(planned, world, world.scene.actors, seed))
    return world.with_scene(replace(world.scene, actors=(*world.scene.actors, *moving)))


def _at(scenario: Scenario, field: str, work: Callable[[], _Result]) -> _Result:
    """What ``work`` gives; what it complains about is told with the place of the field."""
    try:
        return work()
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, field, error) from error
