"""What an actor is doing, from how it moves and what its source calls it."""

from __future__ import annotations

import numpy as np
import pytest

from drivesim.dataset.attributes import ATTRIBUTES, Attribute, attributes_of
from drivesim.dataset.motion import motion_of
from scenegraph import SE3, Actor, Category, Trajectory

TIMES_US = np.arange(0, 4_000_001, 500_000)


def words(category: Category, x_m: object, source: str = "") -> list[str]:
    poses = SE3(np.broadcast_to(np.eye(3), (9, 3, 3)), np.stack([np.broadcast_to(x_m, 9), *np.zeros((2, 9))], axis=1))
    actor = Actor("a", category, Trajectory(TIMES_US, poses), 4.0, 2.0, 1.5, source)
    speed = np.linalg.norm(motion_of(actor.trajectory, TIMES_US).velocity_world_mps, axis=1)
    return [str(ATTRIBUTES[code]) for code in attributes_of(actor, speed)]


def test_a_car_that_stops_is_stopped_and_one_that_never_moves_is_parked() -> None:
    stops = words(Category.CAR, np.minimum(np.arange(9) * 2.0, 8.0))
    assert stops == ["moving"] * 5 + ["stopped"] * 4
    assert words(Category.TRUCK, 3.0) == ["parked"] * 9


def test_a_pedestrian_walks_from_a_fifth_of_a_metre_per_second_on() -> None:
    assert words(Category.PEDESTRIAN, np.arange(9) * 0.11) == ["moving"] * 9
    assert words(Category.PEDESTRIAN, np.arange(9) * 0.09) == ["standing"] * 9


@pytest.mark.parametrize(
    ("source", "step_m", "word"),
    [
        ("BICYCLIST+BICYCLE", 0.0, "with_rider"),
        ("WHEELED_RIDER", 0.0, "with_rider"),
        ("BICYCLE", 0.0, "without_rider"),
        ("vehicle.bicycle", 1.0, "with_rider"),
    ],
)
def test_a_cycle_has_a_rider_when_it_is_said_or_it_moves(source: str, step_m: float, word: str) -> None:
    assert words(Category.CYCLIST, np.arange(9) * step_m, source) == [word] * 9


def test_other_things_only_ever_move() -> None:
    assert words(Category.OTHERS, 0.0) == [""] * 9
    assert words(Category.OTHERS, np.arange(9) * 1.0) == ["moving"] * 9


def test_a_car_known_at_one_instant_does_nothing() -> None:
    actor = Actor("a", Category.CAR, Trajectory(np.array([0]), SE3.identity(1)), 4.0, 2.0, 1.5)
    assert attributes_of(actor, np.array([np.nan])).tolist() == [ATTRIBUTES.index(Attribute.NONE)]
