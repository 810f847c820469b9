"""Whether what a scene says is in the picture where the scene says it is, against places where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray, IntArray


class Row(NamedTuple):
    """One picture: its view and frame, how much is measured in it, and the means of that."""

    view: int
    frame: int
    weight: float
    value: float
    null: float


@dataclass(frozen=True, eq=False)
class Adherence:
    """How clearly something shows where it belongs, and what the same measurement gives elsewhere.

    view, frame: int64 [N], one per picture that shows any. weight: float64 [N], how much of it shows. value, null:
    float64 [N], in one unit, larger is clearer. margin: how far value must be above null to count as better.
    """

    view: IntArray
    frame: IntArray
    weight: FloatArray
    value: FloatArray
    null: FloatArray
    margin: float

    @classmethod
    def of(cls, rows: Sequence[Row], margin: float) -> Adherence:
        """From one row per picture."""
        table = np.array(rows, dtype=np.float64).reshape(-1, len(Row._fields))
        view, frame = table[:, :2].astype(np.int64).T
        return cls(view, frame, table[:, 2], table[:, 3], table[:, 4], margin)

    def __len__(self) -> int:
        return len(self.view)

    @property
    def better_pictures(self) -> BoolArray:
        """Which pictures [N] are better than their null."""
        return np.asarray(self.value > self.null + self.margin)

    @property
    def better_frames(self) -> BoolArray:
        """Which frames that show any are better than their null, all views together."""
        better = []
        for frame in np.unique(self.frame):
            own = self.frame == frame
            value, null = (np.average(numbers[own], weights=self.weight[own]) for numbers in (self.value, self.null))
            better.append(value > null + self.margin)
        return np.array(better, dtype=np.bool_)
