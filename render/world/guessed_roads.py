"""Roads for logs without a map: where vehicles drive, there must be one."""

from __future__ import annotations

from typing import Final

import numpy as np

from scenegraph import Category, HDMap, LaneSegment, Polyline, Scene
from scenegraph.arrays import FloatArray

_EGO_HALF_M: Final = 5.5
_OTHER_HALF_M: Final = 2.2
_DRIVES_M: Final = 12.0
_STEP_M: Final = 3.0
_DRIVERS: Final = (Category.CAR, Category.TRUCK)


def map_of(scene: Scene) -> HDMap:
    """The scene's map; where it has no roads, one with a lane along every way that a vehicle drives."""
    hdmap = scene.hdmap
    if hdmap.lane_segments or hdmap.lane_lines or hdmap.road_boundaries:
        return hdmap
    ways = [("ego", scene.ego.world_from_body.translation_m, _EGO_HALF_M)]
    for actor in scene.actors:
        if actor.category in _DRIVERS:
            centre = actor.trajectory.world_from_body.translation_m
            feet = centre - np.stack([np.zeros(len(centre)), np.zeros(len(centre)), actor.height_m / 2], axis=1)
            ways.append((actor.id, feet, _OTHER_HALF_M))
    lanes = [lane for name, points, half_m in ways if (lane := _lane(name, points, half_m)) is not None]
    return HDMap(lane_segments=tuple(lanes), crosswalks=hdmap.crosswalks, traffic_lights=hdmap.traffic_lights)


def _lane(name: str, points_m: FloatArray, half_m: float) -> LaneSegment | None:
    """A lane along a way [N,3]; None for who hardly moves."""
    kept = [points_m[0]]
    for point in points_m[1:]:
        if np.hypot(*(point - kept[-1])[:2]) >= _STEP_M:
            kept.append(point)
    if (len(kept) - 1) * _STEP_M < _DRIVES_M:
        return None
    line = np.array(kept)
    ahead = np.gradient(line[:, :2], axis=0)
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    aside = np.concatenate([half_m * left, np.zeros((len(line), 1))], axis=1)
    return LaneSegment(f"guessed-{name}", Polyline(line + aside), Polyline(line - aside))
