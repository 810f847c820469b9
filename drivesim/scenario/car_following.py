"""How drivers keep their distance and when they change lanes: IDM and MOBIL, for whole arrays of them.

IDM, the Intelligent Driver Model: M. Treiber, A. Hennecke, D. Helbing, "Congested traffic states in empirical
observations and microscopic simulations", Physical Review E 62 (2000) 1805. With speed v, gap s to the leader, and
dv how much faster than the leader one is:

    dv/dt = a [1 - (v / v0)^4 - (s* / s)^2],    s* = s0 + max(0, v T + v dv / (2 sqrt(a b)))

Above the desired speed (where a limit falls) the free part is milder, as in M. Treiber, A. Kesting, "Traffic Flow
Dynamics" (2013), section 11.3.7: -b [1 - (v0 / v)^(4 a / b)].

MOBIL: A. Kesting, M. Treiber, D. Helbing, "General lane-changing model MOBIL for car-following models",
Transportation Research Record 1999 (2007) 86.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray

EXPONENT = 4.0
CLOSEST_M = 0.1
"""A smaller gap counts as this one."""

POLITENESS = 0.2
THRESHOLD_MPS2 = 0.1
SAFE_BRAKING_MPS2 = 3.0
"""What a follower may be made to brake; 4 in the paper, and less where people film."""


@dataclass(frozen=True, eq=False)
class Drivers:
    """N drivers. The usual values are those of the MOBIL paper: 1.5 s, 2 m, 1.4 and 2.0 m/s².

    desired_mps: speed on a free road. time_gap_s: to the leader. standstill_gap_m: in a jam.
    acceleration_mps2: the strongest. braking_mps2: what is comfortable.
    """

    desired_mps: FloatArray
    time_gap_s: FloatArray
    standstill_gap_m: FloatArray
    acceleration_mps2: FloatArray
    braking_mps2: FloatArray

    def __getitem__(self, index: Any) -> Drivers:
        return Drivers(*(getattr(self, field.name)[index] for field in fields(self)))


def free_acceleration(drivers: Drivers, speed_mps: FloatArray) -> FloatArray:
    """Acceleration without anybody ahead."""
    desired = np.maximum(drivers.desired_mps, 0.1)
    below = drivers.acceleration_mps2 * (1 - (np.minimum(speed_mps, desired) / desired) ** EXPONENT)
    power = EXPONENT * drivers.acceleration_mps2 / drivers.braking_mps2
    above = -drivers.braking_mps2 * (1 - (desired / np.maximum(speed_mps, desired)) ** power)
    return np.asarray(np.where(speed_mps <= desired, below, above))


def interaction(drivers: Drivers, speed_mps: FloatArray, gap_m: FloatArray, leader_mps: FloatArray) -> FloatArray:
    """What a leader takes off the acceleration, never above 0. gap_m: bumper to bumper, infinite without a leader."""
    closing = speed_mps - leader_mps
    soft = 2 * np.sqrt(drivers.acceleration_mps2 * drivers.braking_mps2)
    dynamic = speed_mps * drivers.time_gap_s + speed_mps * closing / soft
    wanted = drivers.standstill_gap_m + np.maximum(0.0, dynamic)
    return np.asarray(-drivers.acceleration_mps2 * (wanted / np.maximum(gap_m, CLOSEST_M)) ** 2)


def acceleration(drivers: Drivers, speed_mps: FloatArray, gap_m: FloatArray, leader_mps: FloatArray) -> FloatArray:
    """IDM."""
    return free_acceleration(drivers, speed_mps) + interaction(drivers, speed_mps, gap_m, leader_mps)


def equilibrium_gap_m(drivers: Drivers, speed_mps: FloatArray) -> FloatArray:
    """Gap at which a leader of the same speed is followed without any acceleration; infinite at the desired speed."""
    share = np.minimum(speed_mps / np.maximum(drivers.desired_mps, 0.1), 1.0)
    wanted = drivers.standstill_gap_m + speed_mps * drivers.time_gap_s
    with np.errstate(divide="ignore"):
        return np.asarray(wanted / np.sqrt(1 - share**EXPONENT))


def stopping_acceleration(drivers: Drivers, speed_mps: FloatArray, to_line_m: FloatArray) -> FloatArray:
    """What a line to stop at takes off the acceleration: something standing the jam gap behind it.

    So the front bumper comes to rest at the line. to_line_m: infinite where there is none.
    """
    return interaction(drivers, speed_mps, to_line_m + drivers.standstill_gap_m, np.zeros_like(speed_mps))


def needed_braking_mps2(speed_mps: FloatArray, distance_m: FloatArray) -> FloatArray:
    """Even braking that stops within a distance; infinite where that is past."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = speed_mps**2 / (2 * distance_m)
    return np.asarray(np.where(distance_m > 0, needed, np.where(speed_mps > 0, np.inf, 0.0)))


def can_stop(speed_mps: FloatArray, distance_m: FloatArray, braking_mps2: float) -> BoolArray:
    """Whether that even braking is no stronger than given."""
    return np.asarray(needed_braking_mps2(speed_mps, distance_m) <= braking_mps2)


def seconds_to(distance_m: FloatArray, speed_mps: FloatArray, fastest_mps: FloatArray, gain_mps2: float) -> FloatArray:
    """Time to come so far when speeding up evenly to the fastest speed; 0 for what is behind."""
    fastest = np.maximum(fastest_mps, np.maximum(speed_mps, 0.5))
    distance = np.maximum(distance_m, 0.0)
    rising_s = (fastest - speed_mps) / gain_mps2
    rising_m = (fastest + speed_mps) / 2 * rising_s
    early = (np.sqrt(speed_mps**2 + 2 * gain_mps2 * distance) - speed_mps) / gain_mps2
    late = rising_s + (distance - rising_m) / fastest
    return np.asarray(np.where(distance < rising_m, early, late))


def lane_change_gain(
    own_mps2: FloatArray,
    own_then_mps2: FloatArray,
    follower_mps2: FloatArray,
    follower_then_mps2: FloatArray,
    left_mps2: FloatArray,
    left_then_mps2: FloatArray,
) -> FloatArray:
    """MOBIL's incentive: what a change wins for oneself and, less counted, for the new and the old follower.

    follower: on the new lane. left: the one that follows now and is left. ``then``: after the change.
    """
    others = (follower_then_mps2 - follower_mps2) + (left_then_mps2 - left_mps2)
    return np.asarray(own_then_mps2 - own_mps2 + POLITENESS * others)


def is_lane_change_safe(follower_then_mps2: FloatArray, safe_braking_mps2: float = SAFE_BRAKING_MPS2) -> BoolArray:
    """MOBIL's safety criterion: the new follower does not have to brake harder than this."""
    return np.asarray(follower_then_mps2 >= -safe_braking_mps2)
