"""Everything that moves, the ego included, sampled ten times a second: what most checks look at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scenegraph import SE3, Actor, Category, Scene
from scenegraph.arrays import BoolArray, FloatArray, IntArray
from scenegraph.hdmap import box_corners

from ..classes import EGO_BODY, EGO_LIMITS, KINDS, Body, Limits

STEP_S = 0.1
"""Between instants. Limits are meant for this step, whatever the frame rate of a film."""
EGO = "ego"

_ANY_CLASS: dict[Category, tuple[str, ...]] = {
    Category.CAR: ("car", "van", "emergency"),
    Category.TRUCK: ("truck", "bus", "emergency"),
    Category.CYCLIST: ("cyclist", "motorcycle"),
    Category.PEDESTRIAN: ("pedestrian",),
    Category.OTHERS: ("animal", "motorcycle"),
}


@dataclass(frozen=True, eq=False)
class Bodies:
    """A bodies at T instants; the ego is the last one.

    ids, categories: [A]. limits: [A], what each can do.
    is_recorded: bool [A], whether its boxes are labels of a log, with their noise. is_kept: bool [A], whether it does
        just what it did in that log.
    times_us: int64 [T]. present: bool [A,T]; elsewhere the numbers mean nothing.
    world_from_box: SE3 [A,T], origin at the centre of the cuboid. size_m: float64 [A,T,3], length, width, height.
    """

    ids: tuple[str, ...]
    categories: tuple[Category, ...]
    limits: tuple[Limits, ...]
    is_recorded: BoolArray
    is_kept: BoolArray
    times_us: IntArray
    present: BoolArray
    world_from_box: SE3
    size_m: FloatArray

    @cached_property
    def times_s(self) -> FloatArray:
        """Seconds from the first instant, [T]."""
        return np.asarray((self.times_us - self.times_us[0]) / 1e6)

    @property
    def centre_m(self) -> FloatArray:
        """Centres [A,T,3], world."""
        return self.world_from_box.translation_m

    @cached_property
    def yaw_rad(self) -> FloatArray:
        """Headings [A,T] without jumps of a whole turn."""
        return np.asarray(np.unwrap(self.world_from_box.yaw_rad, axis=1))

    @cached_property
    def half_height_m(self) -> FloatArray:
        """Half of the height that the turned cuboid takes up, [A,T]."""
        return np.asarray((np.abs(self.world_from_box.rotation[..., 2, :]) * self.size_m).sum(axis=-1) / 2)

    @cached_property
    def bottom_m(self) -> FloatArray:
        """Centres of the lower faces [A,T,3]."""
        down = self.world_from_box.rotation[..., :, 2] * self.size_m[..., 2:] / 2
        return np.asarray(self.centre_m - down)

    @cached_property
    def corners_m(self) -> FloatArray:
        """Corners [A,T,8,3] in the order of ``box_corners``."""
        return box_corners(self.world_from_box, self.size_m[..., 0], self.size_m[..., 1], self.size_m[..., 2])

    @cached_property
    def velocity_mps(self) -> FloatArray:
        """Velocities of the centres over the step that follows, [A,T-1,3]; NaN next to where it is absent."""
        velocity = np.diff(self.centre_m, axis=1) / STEP_S
        velocity[~(self.present[:, 1:] & self.present[:, :-1])] = np.nan
        return velocity

    @cached_property
    def speed_mps(self) -> FloatArray:
        """Speed [A,T] in the ground plane over up to a second around each instant, 0 where nothing is known."""
        return np.asarray(np.linalg.norm(self._mean_velocity[..., :2], axis=-1))

    @cached_property
    def _mean_velocity(self) -> FloatArray:
        known = np.isfinite(self.velocity_mps[..., 0])
        sums = np.cumsum(np.where(known[..., None], self.velocity_mps, 0.0), axis=1)
        counts = np.cumsum(known, axis=1)
        count = len(self.times_us)
        low, high = np.clip(np.arange(count) - 5, 0, count - 1), np.clip(np.arange(count) + 5, 0, count - 1)
        sums = np.concatenate([np.zeros((len(sums), 1, 3)), sums], axis=1)
        counts = np.concatenate([np.zeros((len(counts), 1), dtype=np.int64), counts], axis=1)
        return np.asarray((sums[:, high] - sums[:, low]) / np.maximum(counts[:, high] - counts[:, low], 1)[..., None])

    @property
    def is_vehicle(self) -> BoolArray:
        """Whether it is a car or a lorry (or the ego), [A]."""
        return np.array([category in (Category.CAR, Category.TRUCK) for category in self.categories])

    @cached_property
    def ego_distance_m(self) -> FloatArray:
        """From the ego, [A,T]."""
        return np.asarray(np.linalg.norm(self.centre_m - self.centre_m[-1:], axis=-1))


def sample_bodies(
    scene: Scene, recorded: Collection[str], edited: Collection[str] = (), ego_body: Body = EGO_BODY
) -> Bodies:
    """The actors of a scene that are there at some instant, and its ego, from its first to its last pose."""
    count = int((scene.ego.last_us - scene.ego.first_us) / 1e6 / STEP_S + 1e-6) + 1
    times_us: IntArray = scene.ego.first_us + (np.arange(count) * STEP_S * 1e6).round().astype(np.int64)
    half_us = round(STEP_S * 5e5)
    actors = [
        actor
        for actor in scene.actors
        if actor.trajectory.first_us <= times_us[-1] + half_us and actor.trajectory.last_us >= times_us[0] - half_us
    ]
    boxes = [actor.boxes_at(times_us) for actor in actors]
    poses = [box.world_from_box for box in boxes] + [_ego_boxes(scene, times_us, ego_body)]
    sizes = [np.stack([box.length_m, box.width_m, box.height_m], axis=-1) for box in boxes]
    ego_size = np.array([ego_body.length_m, ego_body.width_m, ego_body.height_m])
    ids = [actor.id for actor in actors] + [EGO]
    return Bodies(
        ids=tuple(ids),
        categories=(*(actor.category for actor in actors), Category.CAR),
        limits=(*(limits_of(actor) for actor in actors), EGO_LIMITS),
        is_recorded=np.array([name in recorded for name in ids]),
        is_kept=np.array([name in recorded and name not in edited for name in ids]),
        times_us=times_us,
        present=np.stack([box.present for box in boxes] + [np.ones(count, dtype=bool)]),
        world_from_box=SE3.stack(poses),
        size_m=np.stack([*sizes, np.broadcast_to(ego_size, (count, 3))]),
    )


def _ego_boxes(scene: Scene, times_us: IntArray, body: Body) -> SE3:
    """Where the ego's cuboid is, [T]; its own origin is the rear axle on the ground."""
    ego_from_box = SE3(np.eye(3), np.array([body.rear_axle_m, 0.0, body.height_m / 2]))
    return scene.ego.at(times_us) @ ego_from_box


def limits_of(actor: Actor) -> Limits:
    """Of the class that an actor of a scenario names, else the widest of those drawn like it."""
    names: tuple[str, ...] = _ANY_CLASS[actor.category]
    if actor.source_category in KINDS:
        names = (actor.source_category,)
    limits = [kind.limits for name, kind in KINDS.items() if name in names]
    return Limits(
        speed_mps=max(limit.speed_mps for limit in limits),
        acceleration_mps2=max(limit.acceleration_mps2 for limit in limits),
        braking_mps2=max(limit.braking_mps2 for limit in limits),
        lateral_mps2=max(limit.lateral_mps2 for limit in limits),
        jerk_mps3=max(limit.jerk_mps3 for limit in limits),
        yaw_rate_radps=max(limit.yaw_rate_radps for limit in limits),
        turning_radius_m=min(limit.turning_radius_m for limit in limits),
    )
