"""Actors as heading-shaded boxes, for all frames of a clip at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenegraph import Actor, box_corners
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .palette import ACTOR_RGB

# Corner order of scenegraph.box_corners. Faces first, then edges, as the reference draws them.
FACE_TRIANGLES = np.array(
    [
        *([0, 1, 5], [0, 4, 5], [2, 3, 7], [2, 6, 7], [0, 2, 3], [0, 1, 2]),
        *([4, 6, 7], [4, 5, 6], [0, 4, 7], [0, 3, 7], [1, 5, 6], [1, 2, 6]),
    ]
)
EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]])
IS_FRONT = np.array([True, True, False, False, True, True, False, False])


@dataclass(frozen=True, eq=False)
class BoxLayer:
    """Cuboids of all actors, sorted by id as the drawing order wants.

    present: bool [T,A]. corners_m: float64 [T,A,8,3], world. corner_rgb: float64 [A,8,3]: front corners
    in the class's first colour, rear corners in the second.
    """

    present: BoolArray
    corners_m: FloatArray
    corner_rgb: FloatArray


def box_layer(actors: Sequence[Actor], timestamps_us: IntArray) -> BoxLayer:
    """Pose every actor at every instant of a clip [T]."""
    ordered = sorted(actors, key=lambda actor: actor.id)
    frames, count = len(timestamps_us), len(ordered)
    present = np.zeros((frames, count), dtype=bool)
    corners = np.zeros((frames, count, 8, 3))
    rgb = np.zeros((count, 8, 3))
    for index, actor in enumerate(ordered):
        boxes = actor.boxes_at(timestamps_us)
        present[:, index] = boxes.present
        corners[:, index] = box_corners(boxes.world_from_box, boxes.length_m, boxes.width_m, boxes.height_m)
        front, rear = ACTOR_RGB[actor.category]
        rgb[index] = np.where(IS_FRONT[:, None], front, rear)
    return BoxLayer(present, corners, rgb)
