"""Things that move (or could): their class, size and track."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, FloatArray, as_float, as_instants
from .errors import FrameError, TimeRangeError
from .se3 import SE3
from .trajectory import Trajectory


class Category(StrEnum):
    """The five classes that control videos tell apart."""

    CAR = "Car"
    TRUCK = "Truck"
    PEDESTRIAN = "Pedestrian"
    CYCLIST = "Cyclist"
    OTHERS = "Others"


@dataclass(frozen=True, eq=False)
class Boxes:
    """Cuboids of one actor at several instants.

    present: bool [Q]; where False the other fields hold the nearest known value and mean nothing.
    world_from_box: SE3 [Q], origin at the centre, x forward.
    length_m, width_m, height_m: float64 [Q], along box x, y, z.
    """

    present: BoolArray
    world_from_box: SE3
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray


@dataclass(frozen=True, eq=False)
class Actor:
    """One tracked thing.

    id: unique in its scene.
    trajectory: centre of the cuboid, x forward, T key poses.
    length_m, width_m, height_m: float64 [T], along box x, y, z (a single number is used for all key poses).
    source_category: the word of the data set it came from.
    extrapolate_us: how long it is carried on with constant velocity before its first and after its last
        key pose; its size is held.
    max_gap_us: between key poses further apart than this it is absent; None bridges every gap.
    """

    id: str
    category: Category
    trajectory: Trajectory
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray
    source_category: str = ""
    extrapolate_us: int = 0
    max_gap_us: int | None = None

    def __post_init__(self) -> None:
        count = len(self.trajectory)
        for name in ("length_m", "width_m", "height_m"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if value.shape not in ((), (1,), (count,)):
                raise FrameError(f"actor {self.id}: {name}: expected 1 or {count} values, got {list(value.shape)}")
            value = as_float(np.broadcast_to(value, (count,)))
            object.__setattr__(self, name, value)
            sound = (value > 0) & np.isfinite(value)
            if not sound.all():
                raise FrameError(f"actor {self.id}: {name} must be above 0 in every key pose, got {value[~sound][0]}")
        if self.extrapolate_us < 0:
            raise TimeRangeError(f"actor {self.id}: extrapolate_us must not be below 0, got {self.extrapolate_us}")

    def boxes_at(self, timestamps_us: npt.ArrayLike) -> Boxes:
        """Cuboids [Q] at instants [Q]: linear in position and size, slerp in rotation."""
        times = as_instants("times", timestamps_us)
        track = self.trajectory
        present = track.covers(times, self.extrapolate_us)
        inside = np.clip(times, track.first_us - self.extrapolate_us, track.last_us + self.extrapolate_us)
        if len(track) == 1:
            index = np.zeros(times.shape, dtype=int)
            sizes = (self.length_m[index], self.width_m[index], self.height_m[index])
            return Boxes(present, track.world_from_body[index], *sizes)
        before, fraction = track.bracket(inside)
        if self.max_gap_us is not None:
            gap = track.timestamps_us[before + 1] - track.timestamps_us[before]
            between = (fraction > 0) & (fraction < 1)
            present = present & ~(between & (gap > self.max_gap_us))
        held = np.clip(fraction, 0.0, 1.0)
        sizes_m = [s[before] + (s[before + 1] - s[before]) * held for s in (self.length_m, self.width_m, self.height_m)]
        return Boxes(present, track.at(inside, self.extrapolate_us), sizes_m[0], sizes_m[1], sizes_m[2])
