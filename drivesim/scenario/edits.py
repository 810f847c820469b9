"""Apply one edit of a scenario, and undo it.

Every edit is a function of edit and world to the scene after it. What undoes it is found by comparing both scenes:
untouched things stay the same objects, so whatever is another object was touched, and is kept as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scenegraph import CameraRig, HDMap, LightTimeline, Scene

from ..errors import ScenarioError
from . import actor_edits, lane_closing, light_edits, map_edits, rig_edits, speed_edits
from .schema_edits import (
    AddCamera,
    AddLine,
    AddSign,
    CloseLane,
    EditFile,
    ForceLights,
    JitterRig,
    KeepOnly,
    MoveCamera,
    MoveElement,
    RemoveActors,
    RemoveCamera,
    RemoveElements,
    RepaintLine,
    ReplaceActor,
    RescaleSpeed,
    Retime,
    ScheduleLights,
    ShiftActor,
    SwapLens,
)
from .world import World


@dataclass(frozen=True, eq=False)
class PartBefore:
    """What an edit did to one list of a scene, as data that undoes it.

    name: actors, cameras, light_states, or a layer of the map.
    order: ids before the edit.
    taken: what the edit took out. changed: what it changed, as it was before. Both hold pairs of id and thing.
    added: ids of what the edit brought in.
    """

    name: str
    order: tuple[str, ...]
    taken: tuple[tuple[str, Any], ...]
    changed: tuple[tuple[str, Any], ...]
    added: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What undoing does, in words."""
        said = (("put back", _ids(self.taken)), ("make as before", _ids(self.changed)), ("take away", self.added))
        return tuple(f"{how} {self.name.replace('_', ' ')}: {', '.join(ids)}" for how, ids in said if ids)


@dataclass(frozen=True, eq=False)
class Restore:
    """The inverse of an edit: what it did to every list of the scene that it touched."""

    parts: tuple[PartBefore, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What undoing does, in words; nothing for an edit that changed nothing."""
        return tuple(sentence for part in self.parts for sentence in part.sentences)


@dataclass(frozen=True, eq=False)
class Edited:
    """A scene after an edit, and what undoes it."""

    scene: Scene
    inverse: Restore


def apply_edit(edit: EditFile, world: World, folder: Path, seed: int = 0) -> Edited:
    """Apply an edit to the scene of a world; a ScenarioError says why it cannot be done.

    folder: where relative paths in the edit start. seed: of the scenario, for edits that have none of their own.
    """
    if isinstance(edit, JitterRig):
        after = rig_edits.jitter_rig(edit, world, seed)
    elif isinstance(edit, AddCamera):
        after = rig_edits.add_camera(edit, world, folder)
    elif isinstance(edit, SwapLens):
        after = rig_edits.swap_lens(edit, world, folder)
    else:
        after = _EDITS[type(edit)](edit, world)
    return Edited(after, inverse_of(world.scene, after))


_EDITS: Mapping[type, Callable[[Any, World], Scene]] = {
    RemoveActors: actor_edits.remove_actors,
    KeepOnly: actor_edits.keep_only,
    ReplaceActor: actor_edits.replace_actor,
    Retime: actor_edits.retime_actor,
    ShiftActor: actor_edits.shift_actor,
    RescaleSpeed: speed_edits.rescale_speed,
    MoveElement: map_edits.move_element,
    RemoveElements: map_edits.remove_elements,
    AddLine: map_edits.add_line,
    AddSign: map_edits.add_sign,
    RepaintLine: map_edits.repaint_line,
    CloseLane: lane_closing.close_lane,
    ForceLights: light_edits.force_lights,
    ScheduleLights: light_edits.schedule_lights,
    MoveCamera: rig_edits.move_camera,
    RemoveCamera: rig_edits.remove_camera,
}


def inverse_of(before: Scene, after: Scene) -> Restore:
    """What makes the scene before of the scene after, which was made of it."""
    pairs = zip(_lists(before).items(), _lists(after).values(), strict=True)
    parts = (_part(name, old, new) for (name, old), new in pairs)
    return Restore(tuple(part for part in parts if part is not None))


def restore(scene: Scene, inverse: Restore) -> Scene:
    """Undo an edit: exactly the scene before it, with every list in its order and every number to the bit."""
    lists = dict(_lists(scene))
    for part in inverse.parts:
        lists[part.name] = _restored(lists[part.name], part)
    layers = {name: tuple(lists[name].values()) for name in HDMap.layer_names()}
    return replace(
        scene,
        hdmap=HDMap(**layers),
        actors=tuple(lists["actors"].values()),
        rig=CameraRig(tuple(lists["cameras"].values())),
        light_states=lists["light_states"],
    )


def _lists(scene: Scene) -> dict[str, Mapping[str, Any]]:
    """Everything an edit may touch: by list, then by id in order."""
    states: Mapping[str, LightTimeline] = scene.light_states
    return {
        **{name: {element.id: element for element in elements} for name, elements in scene.hdmap.layers()},
        "actors": {actor.id: actor for actor in scene.actors},
        "cameras": {camera.name: camera for camera in scene.rig},
        "light_states": states,
    }


def _part(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> PartBefore | None:
    taken = tuple((key, thing) for key, thing in old.items() if key not in new)
    changed = tuple((key, thing) for key, thing in old.items() if key in new and new[key] is not thing)
    added = tuple(key for key in new if key not in old)
    if not (taken or changed or added) and list(old) == list(new):
        return None
    return PartBefore(name, tuple(old), taken, changed, added)


def _restored(current: Mapping[str, Any], part: PartBefore) -> dict[str, Any]:
    expected = set(part.order) - set(_ids(part.taken)) | set(part.added)
    if set(current) != expected:
        odd = sorted(set(current) ^ expected)
        raise ScenarioError(
            f"this edit cannot be undone here: {part.name} {', '.join(odd[:5])} came or went since. "
            f"Undo the later edits first, the last one before the others"
        )
    old = dict(part.taken) | dict(part.changed)
    return {key: old[key] if key in old else current[key] for key in part.order}


def _ids(pairs: Sequence[tuple[str, Any]]) -> tuple[str, ...]:
    return tuple(key for key, _ in pairs)
