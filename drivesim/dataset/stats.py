"""What a data set holds, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .attributes import ATTRIBUTES
from .store import StoredClip

RANGES_M = (0.0, 20.0, 40.0, 60.0, 80.0, float("inf"))
"""Edges, of the distance of a box's centre from the vehicle's origin in the ground plane."""


@dataclass
class Stats:
    """Counts over clips.

    seconds: frames over their rate. tracks: by class. boxes: by (class, range); visible: by (class, visibility level);
    doing: by attribute. looks: clips by weather and time of day.
    """

    clips: int = 0
    frames: int = 0
    pictures: int = 0
    seconds: float = 0.0
    tracks: Counter[str] = field(default_factory=Counter)
    boxes: Counter[tuple[str, int]] = field(default_factory=Counter)
    visible: Counter[tuple[str, int]] = field(default_factory=Counter)
    doing: Counter[str] = field(default_factory=Counter)
    looks: Counter[str] = field(default_factory=Counter)


def count_clip(stats: Stats, clip: StoredClip) -> None:
    """Add what one clip holds."""
    labels, description = clip.labels(), clip.description
    frames = len(labels.ego)
    stats.clips += 1
    stats.frames += frames
    stats.pictures += frames * len(labels.cameras)
    stats.seconds += frames / float(description["fps"])
    look = description.get("look") or {}
    stats.looks[", ".join(str(look[key]) for key in ("weather", "time_of_day") if look.get(key)) or "not said"] += 1
    boxes = labels.boxes
    classes = [actor.category for actor in labels.actors]
    stats.tracks.update(classes[actor] for actor in np.unique(boxes.actor))
    away_m = np.hypot(boxes.centre_ego_m[:, 0], boxes.centre_ego_m[:, 1])
    ranges = np.searchsorted(RANGES_M[1:-1], away_m, side="right")
    for actor, place, level, attribute in zip(boxes.actor, ranges, boxes.visibility, boxes.attribute, strict=True):
        stats.boxes[classes[actor], int(place)] += 1
        stats.visible[classes[actor], int(level)] += 1
        stats.doing[str(ATTRIBUTES[attribute])] += 1


def range_names() -> list[str]:
    """The ranges in words."""
    names = [f"{low:g}-{high:g} m" for low, high in pairwise(RANGES_M[:-1])]
    return [*names, f"{RANGES_M[-2]:g} m and more"]
