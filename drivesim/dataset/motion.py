"""How fast something moves along a track, and how that changes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenegraph import SE3, Trajectory
from scenegraph.arrays import FloatArray, IntArray

SHORTEST_STEP_US = 250_000
"""Differences are taken over at least this long: over a tenth of a second, a recorded pose's noise of centimetres
would be accelerations of several m/s²."""


@dataclass(frozen=True, eq=False)
class Motion:
    """What a body does at T instants.

    velocity_world_mps, acceleration_world_mps2: float64 [T,3]. rotation_rate_body_radps: float64 [T,3].
    NaN for a body that is known at one instant only.
    """

    velocity_world_mps: FloatArray
    acceleration_world_mps2: FloatArray
    rotation_rate_body_radps: FloatArray


def motion_of(track: Trajectory, timestamps_us: IntArray) -> Motion:
    """From the parabola through three poses, some key poses and at least a quarter of a second apart.

    The three lie around the instant, or as near to it as the track goes: exact for constant acceleration and turning,
    up to the ends; beyond them the velocity is held, as poses are carried on. A track shorter than that has the motion
    from its first to its last pose.
    """
    count = len(timestamps_us)
    if len(track) == 1:
        return Motion(*(np.full((count, 3), np.nan) for _ in range(3)))
    between_us = float(np.median(np.diff(track.timestamps_us)))
    step_us = round(between_us * math.ceil(SHORTEST_STEP_US / between_us))
    if track.last_us - track.first_us < 2 * step_us:
        return _steady(track, timestamps_us)
    inside_us = np.clip(timestamps_us, track.first_us, track.last_us)
    middle_us = np.clip(timestamps_us, track.first_us + step_us, track.last_us - step_us)
    before, now, after = (track.at(middle_us + shift_us) for shift_us in (-step_us, 0, step_us))
    step_s = step_us / 1e6
    acceleration = (after.translation_m - 2 * now.translation_m + before.translation_m) / step_s**2
    away_s = ((inside_us - middle_us) / 1e6)[:, None]
    velocity = (after.translation_m - before.translation_m) / (2 * step_s) + acceleration * away_s
    acceleration[timestamps_us != inside_us] = 0.0
    return Motion(velocity, acceleration, _turn(before, now, after) / (2 * step_s))


def _steady(track: Trajectory, timestamps_us: IntArray) -> Motion:
    first, last = track.world_from_body[0], track.world_from_body[-1]
    duration_s = (track.last_us - track.first_us) / 1e6
    velocity = (last.translation_m - first.translation_m) / duration_s
    rate = _rotation_vector(first.inverse() @ last) / duration_s
    shape = (len(timestamps_us), 3)
    return Motion(np.broadcast_to(velocity, shape).copy(), np.zeros(shape), np.broadcast_to(rate, shape).copy())


def _turn(before: SE3, now: SE3, after: SE3) -> FloatArray:
    """Rotation vectors [T,3] from the first to the last of three poses, in two halves so that a half turn is safe."""
    return _rotation_vector(before.inverse() @ now) + _rotation_vector(now.inverse() @ after)


def _rotation_vector(pose: SE3) -> FloatArray:
    """Axis times angle [...,3]."""
    w, xyz = pose.quaternion_wxyz[..., :1], pose.quaternion_wxyz[..., 1:]
    sine = np.linalg.norm(xyz, axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, w)
    return np.asarray(np.where(sine > 0, xyz * (angle / np.where(sine > 0, sine, 1.0)), 0.0))
