import numpy as np
import pytest
from pytest import approx

from drivesim.scenario.car_following import (
    Drivers,
    acceleration,
    can_stop,
    equilibrium_gap_m,
    free_acceleration,
    interaction,
    is_lane_change_safe,
    lane_change_gain,
    needed_braking_mps2,
    seconds_to,
    stopping_acceleration,
)


def drivers(count=1, desired=30.0, gap_s=1.5, standstill=2.0, a=1.4, b=2.0) -> Drivers:
    return Drivers(*(np.full(count, value) for value in (desired, gap_s, standstill, a, b)))


def test_from_a_standstill_on_a_free_road_one_speeds_up_with_the_full_acceleration():
    assert free_acceleration(drivers(), np.zeros(1)) == approx([1.4])


def test_at_the_desired_speed_on_a_free_road_nothing_changes():
    assert free_acceleration(drivers(), np.array([30.0])) == approx([0.0])


def test_above_the_desired_speed_braking_is_comfortable():
    pull = free_acceleration(drivers(), np.array([31.0, 60.0, 1000.0]))
    assert (pull < 0).all() and (pull >= -2.0).all() and (np.diff(pull) < 0).all()


def test_idm_is_the_formula_of_the_paper():
    speed, gap, leader = 20.0, 30.0, 15.0
    wanted = 2.0 + 20.0 * 1.5 + 20.0 * 5.0 / (2 * np.sqrt(1.4 * 2.0))
    expected = 1.4 * (1 - (20 / 30) ** 4 - (wanted / 30.0) ** 2)
    assert acceleration(drivers(), *(np.array([x]) for x in (speed, gap, leader))) == approx([expected])


@pytest.mark.parametrize("speed", [0.0, 5.0, 15.0, 29.0])
def test_at_the_equilibrium_gap_nobody_speeds_up_or_brakes(speed):
    v = np.array([speed])
    assert acceleration(drivers(), v, equilibrium_gap_m(drivers(), v), v) == approx([0.0], abs=1e-12)


def test_at_the_desired_speed_the_equilibrium_gap_is_endless():
    assert np.isinf(equilibrium_gap_m(drivers(), np.array([30.0])))[0]


def test_without_a_leader_there_is_no_interaction():
    assert interaction(drivers(), np.array([20.0]), np.array([np.inf]), np.array([0.0])) == approx([0.0])


def test_a_faster_leader_never_pulls_ahead():
    assert interaction(drivers(), np.array([5.0]), np.array([10.0]), np.array([60.0]))[0] == approx(-1.4 * 0.2**2)


def test_who_approaches_a_line_comes_to_rest_at_it():
    one, speed, way = drivers(desired=14.0), np.array([14.0]), 0.0
    for _ in range(6000):
        pull = free_acceleration(one, speed) + stopping_acceleration(one, speed, np.array([100.0 - way]))
        way += float(speed[0]) * 0.01
        speed = np.maximum(speed + pull * 0.01, 0.0)
    assert speed[0] < 0.05 and way == approx(100.0, abs=0.05)


def test_needed_braking_is_speed_squared_over_twice_the_way():
    assert needed_braking_mps2(np.array([10.0, 10.0, 0.0]), np.array([25.0, 0.0, 0.0])).tolist() == [2.0, np.inf, 0.0]
    assert can_stop(np.array([10.0, 10.0]), np.array([25.0, 24.0]), 2.0).tolist() == [True, False]


def test_seconds_to_a_place_are_those_of_even_acceleration_up_to_the_fastest_speed():
    # 1 m/s² from 4 to 6 m/s takes 2 s and 10 m; 30 m more take 5 s.
    assert seconds_to(np.array([40.0]), np.array([4.0]), np.array([6.0]), 1.0) == approx([7.0])
    # 8 m from a standstill at 1 m/s²: 4 s.
    assert seconds_to(np.array([8.0]), np.array([0.0]), np.array([9.0]), 1.0) == approx([4.0])
    assert seconds_to(np.array([-3.0]), np.array([5.0]), np.array([9.0]), 1.0) == approx([0.0])


def test_mobil_counts_what_others_lose_for_a_fifth():
    numbers = [np.array([x]) for x in (0.2, 1.0, 0.5, -1.5, 0.0, 0.5)]
    assert lane_change_gain(*numbers) == approx([0.8 + 0.2 * (-2.0 + 0.5)])


def test_a_lane_change_that_makes_the_follower_brake_hard_is_not_safe():
    assert is_lane_change_safe(np.array([-2.9, -3.1])).tolist() == [True, False]
