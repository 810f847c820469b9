"""How far along its way something is at any time: speeds that change with bounded acceleration and jerk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath

_STEP_S = 0.01
_EASE_STEPS = 50


@dataclass(frozen=True, eq=False)
class SpeedProfile:
    """Pieces of constant jerk, integrated exactly; after the last one the speed is held.

    starts_s [K]: when each piece begins, the first at 0 s.
    stations_m, speeds_mps, accelerations_mps2 [K]: the state then. jerks_mps3 [K]: during the piece.
    """

    starts_s: FloatArray
    stations_m: FloatArray
    speeds_mps: FloatArray
    accelerations_mps2: FloatArray
    jerks_mps3: FloatArray

    @classmethod
    def steady(cls, speed_mps: float, station_m: float = 0.0) -> SpeedProfile:
        """At one speed all the time."""
        zero = np.zeros(1)
        return cls(zero, np.array([station_m]), np.array([speed_mps]), zero, zero)

    @property
    def last_s(self) -> float:
        """When the last piece begins."""
        return float(self.starts_s[-1])

    @property
    def last_mps(self) -> float:
        """The speed that is held at the end."""
        return float(self.speeds_mps[-1])

    def stations(self, times_s: FloatArray) -> FloatArray:
        """How far along, [N]."""
        piece, since = self._piece(times_s)
        speed, acceleration, jerk = self.speeds_mps[piece], self.accelerations_mps2[piece], self.jerks_mps3[piece]
        moved: FloatArray = since * (speed + since * (acceleration / 2 + since * jerk / 6))
        return self.stations_m[piece] + moved

    def speeds(self, times_s: FloatArray) -> FloatArray:
        """Speed [N]."""
        piece, since = self._piece(times_s)
        gained: FloatArray = since * (self.accelerations_mps2[piece] + since * self.jerks_mps3[piece] / 2)
        return self.speeds_mps[piece] + gained

    def station(self, time_s: float) -> float:
        """How far along at one time."""
        return float(self.stations(np.array([time_s]))[0])

    def held(self, duration_s: float) -> SpeedProfile:
        """The same with the last speed held for so long before what comes next."""
        return self._with(duration_s, 0.0, self.last_mps, 0.0)

    def held_until(self, time_s: float) -> SpeedProfile:
        """The same with the last speed held until a time."""
        return self.held(max(0.0, time_s - self.last_s))

    def changed(self, to_mps: float, acceleration_mps2: float, jerk_mps3: float) -> SpeedProfile:
        """Then changes to a speed as fast as these bounds allow."""
        change = abs(to_mps - self.last_mps)
        if change == 0:
            return self
        ramp_s = min(acceleration_mps2 / jerk_mps3, (change / jerk_mps3) ** 0.5)
        flat_s = max(0.0, change / (ramp_s * jerk_mps3) - ramp_s)
        return self._s_curve(to_mps, ramp_s, flat_s)

    def changed_in(self, to_mps: float, duration_s: float) -> SpeedProfile:
        """Then changes to a speed in just this time; a quarter of it is spent on each end of the change."""
        if to_mps == self.last_mps:
            return self.held(duration_s)
        return self._s_curve(to_mps, duration_s / 4, duration_s / 2)

    def time_at(self, station_m: float, until_s: float) -> float | None:
        """When it first comes to a station; None if not by then."""
        times = np.arange(0.0, until_s + _STEP_S / 2, _STEP_S)
        stations = self.stations(times)
        reached = np.flatnonzero(stations >= station_m)
        if not len(reached):
            return None
        index = int(reached[0])
        if index == 0:
            return 0.0
        share = (station_m - stations[index - 1]) / (stations[index] - stations[index - 1])
        return float(times[index - 1] + share * _STEP_S)

    def _piece(self, times_s: FloatArray) -> tuple[IntArray, FloatArray]:
        times = np.asarray(times_s, dtype=np.float64)
        piece = np.maximum(np.searchsorted(self.starts_s, times, side="right") - 1, 0)
        return piece, times - self.starts_s[piece]

    def _s_curve(self, to_mps: float, ramp_s: float, flat_s: float) -> SpeedProfile:
        peak = (to_mps - self.last_mps) / (ramp_s + flat_s)
        jerk = peak / ramp_s
        rising = self._with(ramp_s, jerk, self.last_mps + peak * ramp_s / 2, peak)
        flat = rising._with(flat_s, 0.0, rising.last_mps + peak * flat_s, peak)
        return flat._with(ramp_s, -jerk, to_mps, 0.0)

    def _with(self, duration_s: float, jerk: float, then_mps: float, then_mps2: float) -> SpeedProfile:
        """One more piece; what it ends with is given, so that rounding does not add up."""
        if duration_s <= 0:
            return self
        jerks = np.append(self.jerks_mps3[:-1], jerk)
        end_s = self.last_s + duration_s
        station_m = replace(self, jerks_mps3=jerks).station(end_s)
        return SpeedProfile(
            np.append(self.starts_s, end_s),
            np.append(self.stations_m, station_m),
            np.append(self.speeds_mps, then_mps),
            np.append(self.accelerations_mps2, then_mps2),
            np.append(jerks, 0.0),
        )


def slowed_for_bends(
    profile: SpeedProfile,
    path: LanePath,
    until_s: float,
    *,
    lateral_mps2: float = 2.5,
    braking_mps2: float = 2.0,
    acceleration_mps2: float = 1.5,
) -> SpeedProfile:
    """The same speeds, but no faster through bends of the path than is usual: brakes before, speeds up after.

    Unchanged where no bend is that sharp. A path that ends counts as going straight on.
    """
    allowed = _allowed_speeds(path, lateral_mps2, braking_mps2)
    times = np.arange(0.0, until_s + _STEP_S, _STEP_S)
    wanted = profile.speeds(times)
    if (wanted <= allowed(profile.stations(times))).all():
        return profile
    speeds = np.empty(len(times))
    station_m = profile.station(0.0)
    speed = min(float(wanted[0]), float(allowed(np.array(station_m))))
    for index in range(len(times)):
        limit = float(allowed(np.array(station_m + speed * _STEP_S)))
        speed = min(float(wanted[index]), speed + acceleration_mps2 * _STEP_S, limit)
        speeds[index] = speed
        station_m += speed * _STEP_S
    return _tabulated(times, _eased(speeds), profile.station(0.0))


def _allowed_speeds(path: LanePath, lateral_mps2: float, braking_mps2: float) -> Callable[[FloatArray], FloatArray]:
    """Speed [N] at stations [N] from which every bend further on can be met by gentle braking."""
    stations = np.linspace(path.first_m, path.last_m, max(2, int(2 * (path.last_m - path.first_m))))
    squared = lateral_mps2 / np.maximum(np.abs(path.curvatures(stations)), 1e-5)
    step_m = stations[1] - stations[0]
    for index in range(len(stations) - 2, -1, -1):
        squared[index] = min(squared[index], squared[index + 1] + 2 * braking_mps2 * step_m)
    speeds = np.sqrt(squared)
    return lambda at: np.asarray(np.interp(at, stations, speeds))


def _eased(speeds: FloatArray) -> FloatArray:
    """The same spread over about a second, which bounds the jerk."""
    weights = np.hanning(2 * _EASE_STEPS + 3)[1:-1]
    padded = np.concatenate([np.full(_EASE_STEPS, speeds[0]), speeds, np.full(_EASE_STEPS, speeds[-1])])
    eased: FloatArray = np.convolve(padded, weights / weights.sum(), mode="valid")
    return np.maximum(eased, 0.0)


def _tabulated(times: FloatArray, speeds: FloatArray, station_m: float) -> SpeedProfile:
    """Speeds at instants, changing evenly between them."""
    accelerations = np.append(np.diff(speeds) / np.diff(times), 0.0)
    steps = (speeds[1:] + speeds[:-1]) / 2 * np.diff(times)
    stations = station_m + np.concatenate([[0.0], np.cumsum(steps)])
    return SpeedProfile(times, stations, speeds, accelerations, np.zeros(len(times)))
