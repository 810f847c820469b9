"""From a scenario to a scene: its source with the ego, then edits, added actors and traffic, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from scenegraph import Actor, Scene, SceneGraphError

from ..errors import DriveSimError
from .base import base_world, refusal
from .behaviours import behave
from .checks import labels_of
from .edits import apply_edit
from .loading import Scenario
from .planned import Planned
from .reactive import simulate
from .traffic import place_traffic, plan_reacting
from .world import World

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Built:
    """A scene and where it comes from.

    recorded: ids whose boxes are labels of a log, edited or not, and ``ego`` where it drives as recorded.
    edited: those of them that edits changed. causes: the field of the file that an actor comes from, by actor id.
    """

    scene: Scene
    recorded: frozenset[str]
    edited: frozenset[str]
    causes: Mapping[str, str]


def build_scene(scenario: Scenario, rig: Path | str | None = None) -> Scene:
    """The scene a scenario describes, always the same for the same scenario. rig: instead of the one it names."""
    return build(scenario, rig).scene


def build(scenario: Scenario, rig: Path | str | None = None) -> Built:
    """The scene with what caused its parts.

    Edits change what the source holds. Actors are added one after the other, so that each can refer to those before;
    then traffic fills in around all of them, and moves together with the actors that react.
    """
    world = base_world(scenario, rig)
    recorded = labels_of(world.scene)
    if scenario.file.ego.behaviour is not None:
        recorded -= {"ego"}
    before = {actor.id: actor for actor in world.scene.actors}
    causes: dict[str, str] = {}
    for index in range(len(scenario.file.edits)):
        world = _edited(scenario, world, index, causes)
    edited = {actor.id for actor in world.scene.actors if before.get(actor.id, actor) is not actor}
    world, reacting = _with_actors(scenario, world, causes)
    world = _with_traffic(scenario, world, reacting, causes)
    return Built(replace(world.scene, clip_id=scenario.name), recorded, frozenset(edited), causes)


def _edited(scenario: Scenario, world: World, index: int, causes: dict[str, str]) -> World:
    field = f"edits[{index}]"
    edit, folder = scenario.file.edits[index], scenario.folder_of(field)
    scene = _at(scenario, field, lambda: apply_edit(edit, world, folder, scenario.file.seed).scene)
    before = {actor.id: actor for actor in world.scene.actors}
    causes.update({actor.id: field for actor in scene.actors if before.get(actor.id) is not actor})
    return world.with_scene(scene)


def _with_actors(scenario: Scenario, world: World, causes: dict[str, str]) -> tuple[World, list[Planned]]:
    """The world with the added actors, but for those that react, which are only planned."""
    added: dict[str, Actor] = {}
    reacting: list[Planned] = []
    there = {actor.id for actor in world.scene.actors}
    for index, file in enumerate(scenario.file.actors):
        field = f"actors[{index}]"
        causes[file.id] = field
        if file.id in there:
            raise refusal(scenario, f"{field}.id", f"there is an actor {file.id!r} in the source. Choose another id")
        if file.reacts:
            reacting.append(_at(scenario, field, partial(plan_reacting, file, world)))
        else:
            added[file.id] = _at(scenario, field, partial(behave, file, world, added, scenario.folder_of(field)))
    scene = replace(world.scene, actors=(*world.scene.actors, *added.values()))
    return world.with_scene(scene), reacting


def _with_traffic(scenario: Scenario, world: World, reacting: list[Planned], causes: dict[str, str]) -> World:
    """The world with background traffic and everybody who reacts."""
    traffic, seed = scenario.file.traffic, scenario.file.seed
    planned = list(reacting)
    if traffic is not None:
        planned += _at(scenario, "traffic", lambda: place_traffic(traffic, world, world.scene.actors, seed))
    if not planned:
        return world
    moving = _at(scenario, "traffic", lambda: simulate(planned, world, world.scene.actors, seed))
    causes.update({actor.id: "traffic" for actor in moving if actor.id not in causes})
    return world.with_scene(replace(world.scene, actors=(*world.scene.actors, *moving)))


def _at(scenario: Scenario, field: str, work: Callable[[], _Result]) -> _Result:
    """What ``work`` gives; what it complains about is told with the place of the field."""
    try:
        return work()
    except (DriveSimError, SceneGraphError) as error:
        raise refusal(scenario, field, error) from error
