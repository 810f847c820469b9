from __future__ import annotations

import numpy as np
import pytest
from checked_scenes import FAR_RIGHT, RIGHT, TIMES_S, circling, cut, driving, edited, scene, speeds, standing, walking

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.kinematics import _fitted, check_kinematics


def findings(*actors, recorded=()) -> list[Finding]:
    return [f for f in check_kinematics(sample_bodies(scene(*actors), recorded)) if f.actor != "ego"]


def test_fitted_derivatives_of_a_parabola_are_exact():
    t = np.arange(0.0, 3.0, 0.1)
    values = np.stack([1.0 + 2.0 * t - 1.5 * t**2, 4.0 * t, 0 * t], axis=1)[None]
    first, second = _fitted(values, 2)
    np.testing.assert_allclose(first[0, 2:-2, 0], 2.0 - 3.0 * t[2:-2], atol=1e-9)
    np.testing.assert_allclose(second[0, 2:-2], np.broadcast_to([-3.0, 0.0, 0.0], (len(t) - 4, 3)), atol=1e-8)
    assert np.isnan(first[0, :2]).all() and np.isnan(second[0, -2:]).all()


def test_braking_is_measured_and_the_limit_is_that_of_the_class():
    (found,) = findings(driving("a", x=80.0, y=FAR_RIGHT, way=speeds((3.0, -14.0), start=14.0)))
    assert found.value == pytest.approx(14.0, rel=0.02) and found.limit == pytest.approx(1.15 * 9.5)
    assert found.sentence == "a brakes with 14.0 m/s² from 3.1 to 3.9 s; its class manages 10.9"


def test_a_lorry_may_brake_less_hard_than_a_car():
    way = speeds((3.0, -9.0), start=14.0)
    assert not findings(driving("a", "car", x=80.0, y=FAR_RIGHT, way=way))
    assert [f.unit for f in findings(driving("a", "truck", x=80.0, y=FAR_RIGHT, way=way))] == ["m/s2"]


def test_a_jump_is_one_finding_with_its_length():
    jumped = edited(driving("a", y=FAR_RIGHT), lambda c, y: (c + (TIMES_S >= 4.0)[:, None] * [3.0, 4.0, 0.0], y))
    (found,) = findings(jumped)
    assert found.value == pytest.approx(5.0) and found.start_s == pytest.approx(3.9) and found.unit == "m"
    assert found.sentence == "a jumps by 5.0 m at 3.9 s"


def test_coming_and_going_is_no_jump():
    assert not findings(cut(driving("a", y=FAR_RIGHT), 2.0, 5.0))


def test_sideways_speed_is_that_of_the_best_axle():
    crab = edited(driving("a", y=FAR_RIGHT, speed=8.0), lambda c, y: (c + np.outer(TIMES_S, [0.0, 0.8, 0.0]), y))
    (found,) = findings(crab)
    assert found.value == pytest.approx(0.8, abs=1e-6) and "slides sideways with 0.8 m/s" in found.sentence


def test_a_tight_turn_around_the_rear_axle_is_no_slide():
    assert not findings(circling("a", 6.0, 3.0))


def test_lateral_acceleration_is_speed_squared_over_radius():
    found = findings(circling("a", 30.0, 18.0))
    (lateral,) = [f for f in found if "pushed sideways" in f.sentence]
    assert lateral.value == pytest.approx(18.0**2 / 30.0, rel=0.03)


def test_turning_faster_than_the_class_can():
    spun = edited(standing("a", "truck", 60.0, FAR_RIGHT), lambda c, y: (c, y + 1.0 * TIMES_S))
    found = [f for f in findings(spun) if f.unit == "rad/s"]
    assert found[0].value == pytest.approx(1.0) and found[0].limit == pytest.approx(0.7 * 1.15)


def test_people_turn_as_they_like():
    assert not findings(edited(walking("p", (40.0, -9.0), (0.0, 0.0)), lambda c, y: (c, y + 3.0 * TIMES_S)))


def test_noise_of_labels_is_forgiven_only_to_labels():
    random = np.random.default_rng(1)
    noisy = edited(driving("a", y=RIGHT), lambda c, y: (c + random.normal(0, 0.08, c.shape) * [1, 1, 0], y))
    assert findings(noisy)
    assert not findings(noisy, recorded=("a",))


def test_cones_may_not_drive():
    assert findings(driving("a", "cone", speed=8.0))
    assert not findings(standing("a", "cone", 40.0, FAR_RIGHT))


def test_clips_of_a_few_instants_can_be_checked():
    for last_s in (0.0, 0.1, 0.2):
        assert not findings(cut(driving("a", y=FAR_RIGHT), 0.0, last_s))
