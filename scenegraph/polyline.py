"""A line through points in space: lengths, cutting, and positions along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, all_finite, as_float
from .errors import MapError


@dataclass(frozen=True, eq=False)
class Polyline:
    """points_m: float64 [N,3] in the world frame, N >= 2 (a polygon's outline does not repeat its first point)."""

    points_m: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_m", as_float(self.points_m))
        if self.points_m.ndim != 2 or self.points_m.shape[1] != 3 or len(self.points_m) < 2:
            raise MapError(f"polyline: expected [N,3] with at least 2 points, got {list(self.points_m.shape)}")
        if not all_finite(self.points_m):
            raise MapError("polyline holds NaN or infinity")

    def __len__(self) -> int:
        return len(self.points_m)

    @property
    def edge_lengths_m(self) -> FloatArray:
        """Length of each edge, [N-1]."""
        return np.asarray(np.linalg.norm(np.diff(self.points_m, axis=0), axis=1))

    @property
    def stations_m(self) -> FloatArray:
        """Arc length from the first point to every point, [N], starting with 0."""
        return np.concatenate([[0.0], np.cumsum(self.edge_lengths_m)])

    @property
    def length_m(self) -> float:
        """Arc length of the whole line."""
        return float(self.edge_lengths_m.sum())

    def at(self, stations_m: FloatArray | float) -> FloatArray:
        """Points [...,3] at arc lengths [...]; the ends are held outside of [0, length]."""
        stations = np.asarray(stations_m, dtype=np.float64)
        own = self.stations_m
        return np.stack([np.interp(stations, own, self.points_m[:, axis]) for axis in range(3)], axis=-1)

    def densified(self, step_m: float) -> Polyline:
        """The same line with no edge longer than ``step_m``; old points are kept."""
        _require_step(step_m)
        pieces = np.maximum(np.ceil(self.edge_lengths_m / step_m - 1e-9).astype(int), 1)
        parts = [
            start + (end - start) * (np.arange(count) / count)[:, None]
            for start, end, count in zip(self.points_m[:-1], self.points_m[1:], pieces, strict=True)
        ]
        return Polyline(np.concatenate([*parts, self.points_m[-1:]]))

    def resampled(self, step_m: float) -> Polyline:
        """Points at equal arc length, about ``step_m`` apart, both ends kept."""
        _require_step(step_m)
        count = max(round(self.length_m / step_m), 1)
        return Polyline(self.at(np.linspace(0.0, self.length_m, count + 1)))

    def locate(self, point_m: FloatArray) -> tuple[float, float]:
        """Station and signed lateral distance (left is positive) of the nearest place in the ground plane.

        Returns (station_m along the 3-D line, lateral_m measured in x,y).
        """
        point = np.asarray(point_m, dtype=np.float64)[:2]
        start = self.points_m[:-1, :2]
        edge = np.diff(self.points_m[:, :2], axis=0)
        squared = np.maximum((edge**2).sum(axis=1), 1e-18)
        fraction = np.clip(((point - start) * edge).sum(axis=1) / squared, 0.0, 1.0)
        away = point - (start + fraction[:, None] * edge)
        nearest = int(np.argmin((away**2).sum(axis=1)))
        station = self.stations_m[nearest] + fraction[nearest] * self.edge_lengths_m[nearest]
        direction = _direction_at(edge, nearest, float(fraction[nearest]))
        is_left = direction[0] * away[nearest, 1] >= direction[1] * away[nearest, 0]
        distance_m = float(np.hypot(*away[nearest]))
        return float(station), distance_m if is_left else -distance_m

    def reversed(self) -> Polyline:
        """The same line walked from its other end."""
        return Polyline(self.points_m[::-1])


def _require_step(step_m: float) -> None:
    if not step_m > 0:
        raise MapError(f"polyline: the step must be above 0 m, got {step_m:g}")


def _direction_at(edge: FloatArray, index: int, fraction: float) -> FloatArray:
    """Direction [2] of a line at a place on one of its edges [N,2]; at a corner the mean of both edges.

    Only the mean tells left from right outside of a sharp corner. Edges without length have no say.
    """
    lengths = np.hypot(edge[:, 0], edge[:, 1])
    ahead = index + (fraction >= 1)
    before = np.flatnonzero(lengths[: index + (fraction > 0)])
    after = np.flatnonzero(lengths[ahead:]) + ahead
    sides = np.concatenate([before[-1:], after[:1]])
    return np.asarray((edge[sides] / lengths[sides, None]).sum(axis=0))
