"""Speeds, accelerations and turning, against motions that paper knows."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from drivesim.dataset.motion import motion_of
from scenegraph import SE3, Trajectory

TIMES_US = np.arange(0, 2_000_001, 100_000)


def braking() -> Trajectory:
    """10 m/s at first, 3 m/s² less every second, turning left by 0.2 rad/s."""
    t = TIMES_US / 1e6
    return Trajectory(TIMES_US, SE3.from_yaw(0.2 * t, np.stack([10 * t - 1.5 * t**2, 0 * t, 0 * t], axis=1)))


def test_a_steady_acceleration_is_found_at_every_key_pose_and_at_both_ends() -> None:
    motion = motion_of(braking(), TIMES_US)
    assert motion.velocity_world_mps[:, 0] == approx(10 - 3 * TIMES_US / 1e6, abs=1e-9)
    assert motion.acceleration_world_mps2[:, 0] == approx(np.full(21, -3.0), abs=1e-8)
    assert motion.rotation_rate_body_radps[:, 2] == approx(np.full(21, 0.2), abs=1e-9)


def test_key_poses_half_a_second_apart_give_no_spikes_of_acceleration() -> None:
    t = np.arange(5) * 0.5
    track = Trajectory((t * 1e6).astype(int), SE3.from_yaw(0 * t, np.stack([t**2, 0 * t, 0 * t], axis=1)))
    motion = motion_of(track, np.arange(500_000, 1_500_001, 125_000))
    assert motion.acceleration_world_mps2[:, 0] == approx(np.full(9, 2.0), abs=1e-9)


def test_a_turn_of_nearly_a_full_circle_per_second_keeps_its_sign() -> None:
    t = np.arange(0, 1.01, 0.4)
    track = Trajectory((t * 1e6).astype(int), SE3.from_yaw(6.0 * t, np.zeros((3, 3))))
    assert motion_of(track, np.array([400_000])).rotation_rate_body_radps[0] == approx([0, 0, 6.0])


def test_two_poses_close_together_give_the_motion_between_them() -> None:
    track = Trajectory(np.array([0, 50_000]), SE3.from_yaw(np.array([0.0, 0.1]), np.array([[0, 0, 0], [0, 0.5, 0.0]])))
    motion = motion_of(track, np.array([0, 50_000]))
    assert motion.velocity_world_mps[1] == approx([0, 10, 0])
    assert motion.rotation_rate_body_radps[0] == approx([0, 0, 2.0])
    assert not motion.acceleration_world_mps2.any()


def test_centimetres_of_noise_are_no_braking() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(0, 4, 0.1)
    places = np.stack([10 * t + rng.uniform(-0.01, 0.01, len(t)), 0 * t, 0 * t], axis=1)
    track = Trajectory((t * 1e6).round().astype(int), SE3.from_yaw(0 * t, places))
    motion = motion_of(track, track.timestamps_us)
    # Three places off by at most 0.01, 0.02 and 0.01 m, over 0.3 s squared.
    assert np.abs(motion.acceleration_world_mps2).max() < 0.04 / 0.09


def test_one_pose_says_nothing_of_motion() -> None:
    track = Trajectory(np.array([0]), SE3.identity(1))
    assert np.isnan(motion_of(track, np.array([0])).velocity_world_mps).all()


@pytest.mark.parametrize(("time_us", "speed_mps"), [(-400_000, 10.0), (2_400_000, 4.0)])
def test_beyond_its_ends_a_track_is_carried_on_with_steady_velocity(time_us: int, speed_mps: float) -> None:
    motion = motion_of(braking(), np.array([time_us]))
    assert motion.velocity_world_mps[0, 0] == approx(speed_mps)
    assert motion.acceleration_world_mps2[0].tolist() == [0.0, 0.0, 0.0]
