"""Where a body is over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, IntArray, as_instants, first_bad_row, frozen
from .errors import FrameError, TimeRangeError
from .se3 import SE3


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Key poses of one body, interpolated linearly in position and by slerp in rotation.

    timestamps_us: int64 [T], strictly increasing, T >= 1.
    world_from_body: SE3 [T].
    """

    timestamps_us: IntArray
    world_from_body: SE3

    def __post_init__(self) -> None:
        stamps = as_instants("trajectory times", self.timestamps_us)
        object.__setattr__(self, "timestamps_us", frozen(stamps))
        if stamps.ndim != 1 or len(stamps) == 0 or self.world_from_body.shape != stamps.shape:
            raise FrameError(
                f"trajectory: expected as many poses as times and at least one, "
                f"got {list(self.world_from_body.shape)} poses and {list(stamps.shape)} times"
            )
        if (row := first_bad_row(self.world_from_body.matrix)) is not None:
            raise FrameError(f"trajectory: the pose of row {row} ({stamps[row]} us) holds NaN or infinity")
        steps = np.diff(stamps)
        if (steps <= 0).any():
            row = int(np.argmax(steps <= 0)) + 1
            raise TimeRangeError(
                f"trajectory: times must increase, "
                f"but row {row} ({stamps[row]} us) does not follow {stamps[row - 1]} us"
            )

    def __len__(self) -> int:
        return len(self.timestamps_us)

    @property
    def first_us(self) -> int:
        """Time of the first key pose."""
        return int(self.timestamps_us[0])

    @property
    def last_us(self) -> int:
        """Time of the last key pose."""
        return int(self.timestamps_us[-1])

    def covers(self, timestamps_us: npt.ArrayLike, extrapolate_us: int = 0) -> BoolArray:
        """Which instants [Q] lie within the key poses, widened by ``extrapolate_us`` at both ends."""
        times = as_instants("times", timestamps_us)
        return (times >= self.first_us - extrapolate_us) & (times <= self.last_us + extrapolate_us)

    def at(self, timestamps_us: npt.ArrayLike, extrapolate_us: int = 0) -> SE3:
        """world_from_body [Q] at instants [Q] in microseconds.

        Outside the key poses the velocity of the end is held, for at most ``extrapolate_us``;
        further away is a TimeRangeError. A single key pose stands still.
        """
        times = as_instants("times", timestamps_us)
        covered = self.covers(times, extrapolate_us)
        if not covered.all():
            wrong = int(np.atleast_1d(times)[np.argmin(np.atleast_1d(covered))])
            allowed = f", and at most {extrapolate_us} us beyond is allowed" if extrapolate_us else ""
            raise TimeRangeError(f"{wrong} us is outside of the recorded {self.first_us}..{self.last_us} us{allowed}")
        if len(self) == 1:
            return self.world_from_body[np.zeros(times.shape, dtype=int)]
        before, fraction = self.bracket(times)
        return self.world_from_body[before].interpolate(self.world_from_body[before + 1], fraction)

    def bracket(self, timestamps_us: npt.ArrayLike) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Index of the key pose before each instant and the fraction towards the next one.

        Outside the key poses the first or last interval is used, with a fraction below 0 or above 1.
        Needs two key poses.
        """
        assert len(self) > 1, "one key pose has nothing to interpolate to"
        times = as_instants("times", timestamps_us)
        before = np.clip(np.searchsorted(self.timestamps_us, times, side="right") - 1, 0, len(self) - 2)
        start = self.timestamps_us[before]
        span = self.timestamps_us[before + 1] - start
        return before, (times - start) / span
