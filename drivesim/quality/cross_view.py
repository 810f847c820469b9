"""Whether an actor has one colour in all cameras that see it, against pairs of different actors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from scenegraph.arrays import FloatArray, UInt8Array

from .clip_sight import ClipSight, lab, measured_frames
from .reprojection import reprojected

SMALLEST_PX: Final = 30
FEWEST_SHARED_PX: Final = 20

Lab: TypeAlias = npt.NDArray[np.float32]
_Colours: TypeAlias = dict[tuple[int, int], Lab]
"""Median colour [3] by view and actor."""


@dataclass(frozen=True, eq=False)
class CrossView:
    """Distances in CIELAB. same: [N], of one actor in two cameras. other: [M], of two actors in two cameras."""

    same: FloatArray
    other: FloatArray

    @property
    def ratio(self) -> float:
        """Median of the same over that of others; NaN without both."""
        if not (len(self.same) and len(self.other)):
            return float("nan")
        return float(np.median(self.same) / np.median(self.other))


def cross_view_distance(frames: UInt8Array, sight: ClipSight) -> CrossView:
    """Colour distances of the same actor in two overlapping cameras, and of different actors.

    frames: uint8 [V,T,H,W,3]. The same: medians over the parts of the surface that both cameras see, of at least 20
    pixels. Others: such a part against every other actor that another camera sees at that instant.
    """
    frames = measured_frames(frames, sight)
    same: list[float] = []
    other: list[float] = []
    for t in range(sight.shape[1]):
        colours = [lab(picture) for picture in frames[:, t]]
        medians = _medians(colours, sight.instance[:, t])
        for view, actor in medians:
            for second in range(len(colours)):
                pair = _shared_colours(colours, sight, t, view, second, actor) if second != view else None
                if pair is None:
                    continue
                same.append(_distance(*pair))
                other += [_distance(pair[0], c) for (v, a), c in medians.items() if a != actor and v != view]
    return CrossView(np.array(same, dtype=np.float64), np.array(other, dtype=np.float64))


def _distance(first: Lab, second: Lab) -> float:
    return float(np.linalg.norm(first - second))


def _medians(colours: list[Lab], instance: npt.NDArray[np.int32]) -> _Colours:
    found: _Colours = {}
    for view, owners in enumerate(instance):
        for actor, count in zip(*np.unique(owners[owners >= 0], return_counts=True), strict=True):
            if count >= SMALLEST_PX:
                found[view, int(actor)] = np.median(colours[view][owners == actor], axis=0)
    return found


def _shared_colours(
    colours: list[Lab], sight: ClipSight, t: int, first: int, second: int, actor: int
) -> tuple[Lab, Lab] | None:
    """Median colours of the surface of an actor that two cameras see, in each of them; None where that is little."""
    rows, columns = np.nonzero(sight.instance[first, t] == actor)
    uv, both = reprojected(sight, (first, t), (second, t), rows, columns)
    rows, columns = rows[both], columns[both]
    u, v = np.rint(uv[both]).astype(np.int64).T
    same = sight.instance[second, t][v, u] == actor
    if np.count_nonzero(same) < FEWEST_SHARED_PX:
        return None
    mine, other = colours[first][rows[same], columns[same]], colours[second][v[same], u[same]]
    return np.median(mine, axis=0), np.median(other, axis=0)
