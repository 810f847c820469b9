"""What a behaviour works with: an actor of the file, its body, the world it moves in and who else is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from scenegraph import SE3, Actor, box_corners
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import LanePath, Turn, lane_path

from ..errors import ScenarioError
from .classes import EGO_BODY, KINDS, Body, Limits, body_of
from .motion import Way, along
from .places import path_of
from .schema_actors import ActorFile
from .speed import SpeedProfile, slowed_for_bends
from .world import World

_SPARE_M = 100.0
_EGO_ON_LANE_M = 5.0


@dataclass(frozen=True, eq=False)
class Cast:
    """An actor that is about to be given a motion.

    others: actors that have theirs already, by id. folder: where relative paths of the file start.
    """

    actor: ActorFile
    world: World
    others: Mapping[str, Actor]
    folder: Path

    @cached_property
    def body(self) -> Body:
        """Its size and axles."""
        return body_of(self.actor)

    @property
    def limits(self) -> Limits:
        """What its class can do."""
        return KINDS[self.actor.category].limits

    @property
    def duration_s(self) -> float:
        """Of the scenario."""
        return self.world.duration_s

    def path(self, speed_mps: float, turn: Turn = "straight", against: bool = False) -> tuple[LanePath, float]:
        """The way it begins on, station 0 at its centre, long enough for a speed; and how far left of it it is."""
        further_m = speed_mps * self.duration_s + _SPARE_M
        return path_of(self.actor, self.world, turn, further_m, against)

    def steady(self, speed_mps: float) -> SpeedProfile:
        """At one speed from its place, as stations of the rear axle."""
        return SpeedProfile.steady(speed_mps, -self.body.rear_axle_m)

    def slowed(self, profile: SpeedProfile, path: LanePath) -> SpeedProfile:
        """The same but no faster through bends than such vehicles are driven."""
        lateral = min(2.5, self.limits.lateral_mps2 / 2)
        braking, pull = min(2.0, self.limits.braking_mps2 / 3), min(1.5, self.limits.acceleration_mps2 / 1.5)
        return slowed_for_bends(
            profile, path, self.duration_s, lateral_mps2=lateral, braking_mps2=braking, acceleration_mps2=pull
        )

    def leaves_s(self, path: LanePath, profile: SpeedProfile) -> float:
        """When it leaves the map, or the end of the scenario."""
        left_s = profile.time_at(path.last_m - self.body.front_m, self.duration_s)
        if left_s is None:
            return self.duration_s
        if left_s <= 0:
            raise ScenarioError("begins where the map ends. Use another place")
        return np.floor(left_s * 50) / 50 if left_s > 0.02 else left_s

    def way(self, path: LanePath, profile: SpeedProfile, lateral_m: float) -> Way:
        """Along a path at constant distance to it until the map ends."""
        heading = float(path.headings_rad(np.array([profile.station(0.0)]))[0])
        return Way(along(path, profile, lateral_m), self.leaves_s(path, profile), heading)


def ego_path(world: World, time_s: float, further_m: float, behind_m: float = 400.0) -> LanePath:
    """The way along the lane that the ego is on at a time, station 0 at its rear axle then."""
    pose = world.ego_at(time_s)
    found = world.graph.nearest_lane(pose.translation_m, float(pose.yaw_rad), _EGO_ON_LANE_M)
    if found is None:
        raise ScenarioError(f"the ego is on no lane at {time_s:.1f} s, so nobody can drive relative to it there")
    return lane_path(world.graph, found.lane.id, found.station_m, further_m, behind_m)


def ego_stations(world: World, path: LanePath, times_s: FloatArray, ahead_m: float = 0.0) -> FloatArray:
    """Stations [N] of a point so far ahead of the ego's rear axle at times [N]."""
    points = _ego_poses(world, times_s).apply(np.array([[ahead_m, 0.0, 0.0]]))[:, 0]
    return path.locate_all(points)[0]


def meets_ego_s(world: World, way: Way, body: Body, margin_m: float = 0.0) -> float | None:
    """When a body on its way first touches the ego, or comes within a margin of it; None if never."""
    times = np.arange(0.0, way.until_s, 0.05)
    rear = way.place(times)
    ahead = way.place(np.minimum(times + 0.01, way.until_s)) - way.place(np.maximum(times - 0.01, 0.0))
    yaw = np.where(np.linalg.norm(ahead, axis=1) > 1e-6, np.arctan2(ahead[:, 1], ahead[:, 0]), way.resting_rad)
    own = SE3.from_yaw(yaw, rear)
    outlines = [_outlines(own, body, margin_m), _outlines(_ego_poses(world, times), EGO_BODY, 0.0)]
    touching = np.flatnonzero(shapely.intersects(*outlines))
    return float(times[touching[0]]) if len(touching) else None


def _outlines(axles: SE3, body: Body, margin_m: float) -> npt.NDArray[np.object_]:
    boxes = axles @ SE3(np.eye(3), np.array([body.rear_axle_m, 0.0, 0.0]))
    corners = box_corners(boxes, body.length_m + 2 * margin_m, body.width_m + 2 * margin_m, 1.0)[:, :4, :2]
    return np.asarray(shapely.polygons(corners))


def ego_boxes(world: World, times_s: FloatArray) -> tuple[SE3, Body]:
    """Centres [N] of the ego's box at times [N], on the ground, and its size."""
    return _ego_poses(world, times_s) @ SE3(np.eye(3), np.array([EGO_BODY.rear_axle_m, 0.0, 0.0])), EGO_BODY


def _ego_poses(world: World, times_s: FloatArray) -> SE3:
    return world.scene.ego.at(world.start_us + np.round(np.asarray(times_s) * 1e6).astype(np.int64))
