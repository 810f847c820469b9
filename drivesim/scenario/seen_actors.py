"""Everything that traffic has to keep clear of and that does not react: the ego, scripted and recorded actors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenegraph import Actor
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .classes import EGO_BODY
from .route import OFF_M, Route
from .traffic_routes import Routes
from .world import World


class SeenActors:
    """M of them over the key instants T of a world, the ego first.

    centre_m: [M,T,3]. yaw_rad: [M,T]. length_m, width_m: [M]. present: [M,T].
    """

    def __init__(self, world: World, actors: Sequence[Actor], routes: Routes) -> None:
        times_us = world.times_us
        ego = world.scene.ego.at(np.clip(times_us, world.scene.ego.first_us, world.scene.ego.last_us))
        forward = ego.rotation[:, :, 0] * EGO_BODY.rear_axle_m
        boxes = [actor.boxes_at(times_us) for actor in actors]
        centres = [ego.translation_m + forward, *(box.world_from_box.translation_m for box in boxes)]
        self.centre_m: FloatArray = np.stack(centres)
        self.yaw_rad: FloatArray = np.stack([ego.yaw_rad, *(box.world_from_box.yaw_rad for box in boxes)])
        self.length_m: FloatArray = np.array([EGO_BODY.length_m, *(box.length_m.max() for box in boxes)])
        self.width_m: FloatArray = np.array([EGO_BODY.width_m, *(box.width_m.max() for box in boxes)])
        self.present: BoolArray = np.stack([np.ones(len(times_us), dtype=bool), *(box.present for box in boxes)])
        self._step_s = np.gradient(times_us / 1e6) if len(times_us) > 1 else np.ones(1)
        self._routes = routes
        self._known = 0
        self._on: FloatArray = np.zeros((0, *self.present.shape, 5), dtype=np.float32)
        self._near: BoolArray = np.zeros((0, len(self.present)), dtype=bool)

    def pairs(self, route: IntArray) -> tuple[IntArray, IntArray]:
        """(vehicle, actor) for vehicles on these routes [N] and actors that ever come near them."""
        self._learn()
        vehicle, actor = np.nonzero(self._near[route])
        return vehicle, actor

    def on(self, route: IntArray, actor: IntArray, step: IntArray) -> FloatArray:
        """Lowest and highest station, lowest and highest side, and speed along routes, [...,5]; broadcast."""
        return np.asarray(self._on[route, actor, np.minimum(step, self.present.shape[1] - 1)], dtype=np.float64)

    def _learn(self) -> None:
        """Project onto the routes that came into use."""
        fresh = self._routes.all[self._known :]
        if not fresh:
            return
        rows = np.stack([self._projected(route) for route in fresh])
        self._on = np.concatenate([self._on, rows.astype(np.float32)])
        near = ((rows[..., 2] < 3.0) & (rows[..., 3] > -3.0)).any(axis=2)
        self._near = np.concatenate([self._near, near])
        self._known = len(self._routes.all)

    def _projected(self, route: Route) -> FloatArray:
        """[M,T,5] on one route, by the two ends and the middle of every box."""
        ahead = np.stack([np.cos(self.yaw_rad), np.sin(self.yaw_rad), np.zeros_like(self.yaw_rad)], axis=-1)
        half = np.maximum(self.length_m - self.width_m, 0.0)[:, None, None] / 2 * ahead
        ends = np.stack([self.centre_m - half, self.centre_m, self.centre_m + half])
        station, side = (x.reshape(ends.shape[:3]) for x in route.locate(ends.reshape(-1, 3)))
        cosine = np.cos(self.yaw_rad - route.headings_rad[route.index(station[1])])
        sine = np.sqrt(np.maximum(0.0, 1 - cosine**2))
        off = (np.abs(side) >= OFF_M) | ~self.present
        low, high = np.where(off, np.inf, side).min(axis=0), np.where(off, -np.inf, side).max(axis=0)
        back, front = np.where(off, np.inf, station).min(axis=0), np.where(off, -np.inf, station).max(axis=0)
        half_width = self.width_m[:, None] / 2
        along = (np.abs(cosine) + sine) * half_width  # the rest of the box beyond its two end points
        gone = off.all(axis=0)
        speed = np.gradient(np.where(off[1], np.nan, station[1]), axis=1) / self._step_s if ends.shape[2] > 1 else 0.0
        rows = [back - along, front + along, low - along, high + along, np.nan_to_num(speed + np.zeros_like(back))]
        return np.stack([np.where(gone, OFF_M, row) for row in rows], axis=-1)
