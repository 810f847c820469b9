"""The world a scenario starts from: its scene, its lanes, and where the ego is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scenegraph import SE3, LaneGraph, LaneSegment, Scene
from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath, Turn, lane_path

from ..errors import ScenarioError
from .ground import Ground

STEP_US = 100_000
"""Between key instants of what a scenario adds."""

_LANE_NAME = re.compile(r"(ego|oncoming)([+-][1-9])?")
_BEHIND_M = 250.0


@dataclass(frozen=True, eq=False)
class World:
    """A scene with the ego in it, over the time of the scenario.

    start_us: what the scenario calls 0 s. duration_s: its length. left_hand: traffic keeps left.
    """

    scene: Scene
    start_us: int
    duration_s: float
    left_hand: bool = False

    @cached_property
    def graph(self) -> LaneGraph:
        """Lanes of the map."""
        return LaneGraph(self.scene.hdmap)

    @cached_property
    def ground(self) -> Ground:
        """Heights of the road surface."""
        return Ground(self.scene.hdmap.lane_segments, self.scene.ego)

    @cached_property
    def times_us(self) -> IntArray:
        """Key instants [T], ten per second, the last one at the end."""
        end_us = self.start_us + round(self.duration_s * 1e6)
        times: IntArray = np.append(np.arange(self.start_us, end_us, STEP_US, dtype=np.int64), np.int64(end_us))
        return times

    @property
    def times_s(self) -> FloatArray:
        """The same in seconds of the scenario, [T]."""
        return (self.times_us - self.start_us) / 1e6

    @cached_property
    def ego_start(self) -> SE3:
        """Pose of the ego at 0 s."""
        return self.scene.ego.at(np.array([self.start_us]))[0]

    def ego_at(self, time_s: float) -> SE3:
        """Pose of the ego at a time of the scenario."""
        return self.scene.ego.at(np.array([self.start_us + round(time_s * 1e6)]))[0]

    def from_ego_start(self, points_m: FloatArray) -> FloatArray:
        """Points [N,3] of the world, level with the ego's start, that are so far ahead and left of it, [N,2]."""
        level = SE3.from_yaw(self.ego_start.yaw_rad, self.ego_start.translation_m)
        return level.apply(np.concatenate([points_m, np.zeros((len(points_m), 1))], axis=1))

    def ego_speed_mps(self, time_s: float) -> float:
        """Its speed there, over a fifth of a second."""
        low, high = (float(np.clip(time_s + shift, 0.0, self.duration_s)) for shift in (-0.1, 0.1))
        moved = self.ego_at(high).translation_m - self.ego_at(low).translation_m
        return float(np.linalg.norm(moved) / max(high - low, 1e-6))

    @cached_property
    def ego_lane(self) -> tuple[str, float]:
        """The lane the ego starts on, and the station there."""
        pose = self.ego_start
        found = self.graph.nearest_lane(pose.translation_m, float(pose.yaw_rad), 6.0)
        if found is None:
            raise ScenarioError("the ego starts on no lane, so lanes cannot be counted from it. Place actors by pose")
        return found.lane.id, found.station_m

    def path(self, lane: str, ahead_m: float, turn: Turn = "straight", further_m: float = 400.0) -> LanePath:
        """The way along a named lane in its driving direction; station 0 is ``ahead_m`` ahead of the ego's start.

        On an oncoming lane, ahead of the ego is against the driving direction.
        """
        lane_id, station_m = self.lane(lane)
        way = 1.0 if _same_way(self.graph[self.ego_lane[0]], self.graph[lane_id]) else -1.0
        whole = lane_path(self.graph, lane_id, station_m, further_m + abs(ahead_m), _BEHIND_M + abs(ahead_m), turn)
        return whole.moved(way * ahead_m)

    def lane(self, name: str) -> tuple[str, float]:
        """Id of a lane by name, and its station beside the ego's start.

        ego, ego+1 (left), ego-1 (right), oncoming, oncoming+1, or ``id:`` and an id.
        """
        if name.startswith("id:"):
            lane = self.graph[name.removeprefix("id:")]
            return lane.id, lane.centre.locate(self.ego_start.translation_m)[0]
        match = _LANE_NAME.fullmatch(name)
        if match is None:
            raise ScenarioError(f"there is no lane {name!r}: use ego, ego+1, ego-1, oncoming, or id: and an id")
        steps = int(match[2] or 0)
        lane = self.graph[self.ego_lane[0]]
        lane = self._oncoming(name, lane, steps) if match[1] == "oncoming" else self._beside(name, lane, steps)
        return lane.id, lane.centre.locate(self.ego_start.translation_m)[0]

    def with_scene(self, scene: Scene) -> World:
        """The same with another scene."""
        return replace(self, scene=scene)

    def _beside(self, name: str, lane: LaneSegment, steps: int) -> LaneSegment:
        for _ in range(abs(steps)):
            following = (self.graph.left_neighbour if steps > 0 else self.graph.right_neighbour)(lane.id)
            if following is None or not _same_way(lane, following):
                raise ScenarioError(f"there is no lane {name}: no further lane there drives in the ego's direction")
            lane = following
        return lane

    def _oncoming(self, name: str, lane: LaneSegment, steps: int) -> LaneSegment:
        """The nearest lane of the other direction beyond the ego's own, then further away from it."""
        beside = self.graph.right_neighbour if self.left_hand else self.graph.left_neighbour
        found: LaneSegment | None = lane
        while found is not None and _same_way(lane, found):
            found = beside(found.id)
        for _ in range(steps):
            # Neighbours of an oncoming lane are named as it drives: its right is further away from us.
            away = self.graph.left_neighbour if self.left_hand else self.graph.right_neighbour
            found = None if found is None else away(found.id)
        if found is None or steps < 0:
            raise ScenarioError(f"there is no lane {name}: the road has no such lane in the other direction")
        return found


def _same_way(lane: LaneSegment, other: LaneSegment) -> bool:
    """Whether two lanes beside each other drive the same way."""
    middle = lane.centre.at(lane.centre.length_m / 2)
    station_m = other.centre.locate(middle)[0]
    own, theirs = (_direction(x, at_m) for x, at_m in ((lane, lane.centre.length_m / 2), (other, station_m)))
    return bool(own @ theirs > 0)


def _direction(lane: LaneSegment, station_m: float) -> FloatArray:
    ahead, behind = lane.centre.at(np.array([station_m + 0.5, station_m - 0.5]))
    direction: FloatArray = (ahead - behind)[:2]
    return direction
