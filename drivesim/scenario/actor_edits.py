"""Edits of actors that a scene already has: take out, keep, replace, retime, shift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenegraph import SE3, Actor, Category, Scene, Trajectory
from scenegraph.arrays import FloatArray, IntArray

from ..errors import ScenarioError
from ..spelling import nearest
from .classes import KINDS, category_of
from .map_edits import carried, ground_of, place_of_region
from .schema_edits import KeepOnly, Region, RemoveActors, ReplaceActor, Retime, ShiftActor
from .world import World

_AVERAGED_OVER_M = 3.0


def remove_actors(edit: RemoveActors, world: World) -> Scene:
    """Take actors out."""
    gone = {actor_of(world.scene, name).id for name in edit.actors}
    return replace(world.scene, actors=tuple(actor for actor in world.scene.actors if actor.id not in gone))


def keep_only(edit: KeepOnly, world: World) -> Scene:
    """Keep actors of these classes, and of those only who ever come into the region; and the named ones anyway.

    A centre that is in the region at any instant of the scenario is enough, also between key poses.
    """
    named = {actor_of(world.scene, name).id for name in edit.actors}
    if not (edit.classes or named or edit.region):
        raise ScenarioError("keep_only: nothing says who is kept. Give classes, actors or a region")
    classes = {Category(word) for word in edit.classes}

    def is_kept(actor: Actor) -> bool:
        if actor.id in named:
            return True
        if not (classes or edit.region):
            return False
        return (not classes or actor.category in classes) and (
            edit.region is None or comes_into(actor, edit.region, world)
        )

    return replace(world.scene, actors=tuple(actor for actor in world.scene.actors if is_kept(actor)))


def comes_into(actor: Actor, region: Region, world: World) -> bool:
    """Whether the centre of an actor is ever in a region during the scenario."""
    first_us, last_us = world.start_us, int(world.times_us[-1])
    track = actor.trajectory
    inside = track.timestamps_us[(track.timestamps_us > first_us) & (track.timestamps_us < last_us)]
    times_us = np.concatenate([[first_us], inside, [last_us]])
    middles_us = (times_us[:-1] + times_us[1:]) // 2
    boxes, between = actor.boxes_at(times_us), actor.boxes_at(middles_us)
    off_m = boxes.world_from_box.translation_m[:, :2] - place_of_region(region, world)[:2]
    at_keys = boxes.present & (np.hypot(off_m[:, 0], off_m[:, 1]) <= region.radius_m)
    joined = boxes.present[:-1] & boxes.present[1:] & between.present
    return bool(at_keys.any() or (joined & (_distances_m(off_m[:-1], off_m[1:]) <= region.radius_m)).any())


def replace_actor(edit: ReplaceActor, world: World) -> Scene:
    """Give an actor another class, with its usual size, or another size; its wheels and its middle stay."""
    actor = actor_of(world.scene, edit.actor)
    given = {"length_m": edit.length_m, "width_m": edit.width_m, "height_m": edit.height_m}
    if edit.category is None and not any(given.values()):
        raise ScenarioError(f"replace {actor.id!r}: nothing is changed. Give a category, length_m, width_m or height_m")
    count = len(actor.trajectory)
    usual = {} if edit.category is None else {name: getattr(KINDS[edit.category], name) for name in given}
    sizes_m = {name: value or usual.get(name) for name, value in given.items()}
    size_m = {name: np.full(count, value) for name, value in sizes_m.items() if value is not None}
    changed = replace(actor, **size_m)  # type: ignore[arg-type]
    if edit.category is not None:
        category = category_of(edit.category, float(changed.length_m[0]))
        changed = replace(changed, category=category, source_category=edit.category)
    poses = actor.trajectory.world_from_body
    rise_m = 0.5 * (changed.height_m - actor.height_m)
    raised = SE3(poses.rotation, poses.translation_m + poses.rotation[..., :, 2] * rise_m[:, None])
    track = Trajectory(actor.trajectory.timestamps_us, raised)
    return with_actor(world.scene, replace(changed, trajectory=track))


def retime_actor(edit: Retime, world: World) -> Scene:
    """Let an actor do everything later, or earlier below 0; what comes to lie outside of the scene is cut off."""
    actor = actor_of(world.scene, edit.actor)
    times_us = actor.trajectory.timestamps_us + round(edit.later_s * 1e6)
    changed = replace(actor, trajectory=Trajectory(times_us, actor.trajectory.world_from_body))
    return with_actor(world.scene, cut(changed, world, f"retime {actor.id!r} by {edit.later_s:g} s"))


def shift_actor(edit: ShiftActor, world: World) -> Scene:
    """Move an actor's path ahead and left as it faces at each place, and up and down with the road.

    So a car shifted by the width of a lane stays in that lane around a bend. Where it faces and how much higher the
    road is there are averaged over some metres of way, and over all of a time of standing, so that errors of single
    poses and of the map do not make it sway and hop.
    """
    actor = actor_of(world.scene, edit.actor)
    poses = actor.trajectory.world_from_body
    steady = _averaged_over_way(poses)
    facing = steady @ poses.rotation[:, :2, 0]
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
    left = np.stack([-facing[:, 1], facing[:, 0]], axis=1)
    moves_m = np.concatenate([edit.ahead_m * facing + edit.left_m * left, np.zeros((len(poses), 1))], axis=1)
    rises_m = carried(poses.translation_m, moves_m, ground_of(world.scene))[:, 2] - poses.translation_m[:, 2]
    moves_m[:, 2] = steady @ rises_m
    track = Trajectory(actor.trajectory.timestamps_us, SE3(poses.rotation, poses.translation_m + moves_m))
    return with_actor(world.scene, replace(actor, trajectory=track))


# -- tracks --------------------------------------------------------------------------------------------


def cut(actor: Actor, world: World, what: str) -> Actor:
    """The part of an actor within the scene, which is as long as the ego's way.

    Where a cut falls between two key poses there is a new one. what: begins the complaint when nothing is left.
    """
    first_us, last_us = world.scene.ego.first_us, world.scene.ego.last_us
    track = actor.trajectory
    borders = [at_us for at_us in (first_us, last_us) if track.first_us < at_us < track.last_us]
    inside = track.timestamps_us[(track.timestamps_us >= first_us) & (track.timestamps_us <= last_us)]
    times_us = np.unique(np.concatenate([inside, np.array(borders, dtype=np.int64)]))
    times_us = times_us[actor.boxes_at(times_us).present]
    if not len(times_us) or times_us[-1] < world.start_us or times_us[0] > world.times_us[-1]:
        at = f"{(track.first_us - world.start_us) / 1e6:.1f} to {(track.last_us - world.start_us) / 1e6:.1f} s"
        raise ScenarioError(
            f"{what}: it would be there from {at}, and the scenario lasts from 0 to {world.duration_s:g} s. "
            f"Change it by less, or remove the actor"
        )
    return actor if len(inside) == len(track) else _sampled(actor, times_us)


def _sampled(actor: Actor, times_us: IntArray) -> Actor:
    """The actor with key poses at these instants; those it already has stay to the bit."""
    boxes, track = actor.boxes_at(times_us), actor.trajectory
    own = np.clip(np.searchsorted(track.timestamps_us, times_us), 0, len(track) - 1)
    is_own = track.timestamps_us[own] == times_us

    def chosen(recorded: FloatArray, between: FloatArray) -> FloatArray:
        return np.where(is_own.reshape(-1, *[1] * (recorded.ndim - 1)), recorded[own], between)

    poses = track.world_from_body
    pose = SE3(
        chosen(poses.rotation, boxes.world_from_box.rotation),
        chosen(poses.translation_m, boxes.world_from_box.translation_m),
    )
    return replace(
        actor,
        trajectory=Trajectory(times_us, pose),
        length_m=chosen(actor.length_m, boxes.length_m),
        width_m=chosen(actor.width_m, boxes.width_m),
        height_m=chosen(actor.height_m, boxes.height_m),
    )


def _averaged_over_way(poses: SE3) -> FloatArray:
    """Weights [T,T] that average what belongs to key poses [T] over some 3 m of way to either side."""
    steps_m = np.linalg.norm(np.diff(poses.translation_m[:, :2], axis=0), axis=1)
    stations_m = np.concatenate([[0.0], np.cumsum(steps_m)])
    weights = np.exp(-0.5 * ((stations_m[:, None] - stations_m[None]) / _AVERAGED_OVER_M) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _distances_m(start_m: FloatArray, end_m: FloatArray) -> FloatArray:
    """Distance [N] of the origin to segments from [N,2] to [N,2]."""
    edge = end_m - start_m
    share = np.clip(-(start_m * edge).sum(axis=1) / np.maximum((edge**2).sum(axis=1), 1e-18), 0.0, 1.0)
    return np.asarray(np.linalg.norm(start_m + share[:, None] * edge, axis=1))


def actor_of(scene: Scene, name: str) -> Actor:
    """The actor of this id; a ScenarioError with the nearest id when there is none."""
    known = {actor.id: actor for actor in scene.actors}
    if name not in known:
        few = ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")
        raise ScenarioError(f"there is no actor {name!r}{nearest(name, known)}. Actors: {few or 'none'}")
    return known[name]


def with_actor(scene: Scene, actor: Actor) -> Scene:
    """The scene with an actor instead of the one of its id."""
    return replace(scene, actors=tuple(actor if old.id == actor.id else old for old in scene.actors))
