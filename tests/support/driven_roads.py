"""Small roads for behaviours: straight, bent with 60 m, and over a hill; two lanes each way, an ego on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from drivesim.scenario.ego import drive_ego
from drivesim.scenario.schema_actors import ActorFile, EgoDrive
from drivesim.scenario.world import World
from scenegraph import SE3, HDMap, LaneGraph, LaneSegment, Polyline, RoadBoundary, Scene, Trajectory
from scenegraph.arrays import FloatArray

LANE_M = 3.5
EDGE_M = 7.4
"""From the middle of the road to its kerbs."""
LENGTH_M = 900.0
EGO_STATION_M = 250.0
Line = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def straight(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Along x: points [N,3] and headings [N] at lengths [N]."""
    return np.stack([s, np.zeros_like(s), np.zeros_like(s)], axis=1), np.zeros_like(s)


def hill(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Along x, up and down, at the most 8 %."""
    return np.stack([s, np.zeros_like(s), 8.0 * np.sin(s / 100.0)], axis=1), np.zeros_like(s)


def bend(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """300 m straight, with 60 m radius to the left by 100 degrees, straight."""
    radius, first = 60.0, 300.0
    angle = np.clip((s - first) / radius, 0.0, np.radians(100))
    before, after = np.minimum(s, first), np.maximum(s - first - radius * np.radians(100), 0.0)
    x = before + radius * np.sin(angle) + after * np.cos(angle)
    y = radius * (1 - np.cos(angle)) + after * np.sin(angle)
    return np.stack([x, y, np.zeros_like(s)], axis=1), angle


ROADS: dict[str, Line] = {"straight": straight, "bend": bend, "hill": hill}


def road(line: Line, length_m: float = LENGTH_M, step_m: float = 2.0) -> HDMap:
    """Lanes r2 r1 (along) and l1 l2 (back) from right to left, kerbs beside."""
    s = np.arange(0.0, length_m + step_m / 2, step_m)

    def edge(lateral_m: float) -> Polyline:
        points, headings = line(s)
        aside = np.stack([-np.sin(headings), np.cos(headings), np.zeros_like(s)], axis=1)
        return Polyline(points + lateral_m * aside)

    def lane(name: str, low_m: float, left: str | None, right: str | None) -> LaneSegment:
        low, high = edge(low_m), edge(low_m + LANE_M)
        edges = (high, low) if low_m < 0 else (low.reversed(), high.reversed())
        return LaneSegment(name, *edges, left_neighbour=left, right_neighbour=right, speed_limit_mps=13.9)

    lanes = (
        lane("r2", -2 * LANE_M, "r1", None),
        lane("r1", -LANE_M, "l1", "r2"),
        lane("l1", 0.0, "r1", "l2"),
        lane("l2", LANE_M, "l1", None),
    )
    kerbs = tuple(RoadBoundary(name, edge(at)) for name, at in (("right", -EDGE_M), ("left", EDGE_M)))
    return HDMap(lane_segments=lanes, road_boundaries=kerbs)


def world(
    line: Line = straight, *, ego_mps: float = 10.0, lane: str = "r2", duration_s: float = 8.0,
    station_m: float = EGO_STATION_M, behaviour: Any = None, start_us: int = 0, length_m: float = LENGTH_M,
) -> World:  # fmt: skip
    """The ego on a lane of one of these roads."""
    hdmap = road(line, length_m)
    how = behaviour or EgoDrive(kind="drive", speed_mps=ego_mps)
    ego = drive_ego(how, LaneGraph(hdmap), lane, station_m, start_us=start_us, duration_s=duration_s)
    return World(Scene("made", hdmap, ego), start_us, duration_s)


def actor(name: str = "other", category: str = "car", *, place: dict[str, Any] | None = None, **how: Any) -> ActorFile:
    """An actor as the file would say it; ``how`` is its behaviour."""
    return ActorFile.model_validate(
        {"id": name, "category": category, "place": place or {"kind": "lane", "ahead_m": 30.0},
         "behaviour": how or {"kind": "still"}}
    )  # fmt: skip


def standing_ego(of: World) -> World:
    """The same world with an ego that stays where it starts."""
    pose = of.ego_start
    twice = SE3(np.stack([pose.rotation] * 2), np.stack([pose.translation_m] * 2))
    times = np.array([of.start_us, int(of.times_us[-1])])
    return of.with_scene(replace(of.scene, ego=Trajectory(times, twice)))
