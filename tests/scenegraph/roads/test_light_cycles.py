"""Traffic lights that take turns."""

from __future__ import annotations

import numpy as np
import pytest

from scenegraph import LightState, MapError
from scenegraph.roads.light_cycles import fixed_cycle

GROUPS = (("a", "b"), ("c",))
S = 1_000_000
GREEN, YELLOW, RED = LightState.GREEN, LightState.YELLOW, LightState.RED


def test_groups_take_turns_with_all_red_in_between() -> None:
    states = fixed_cycle(GROUPS, 60 * S, green_s=10.0, yellow_s=3.0)
    assert (states["a"].timestamps_us / S).tolist() == [0, 10, 13, 30, 40, 43]
    assert states["a"].states == (GREEN, YELLOW, RED, GREEN, YELLOW, RED)
    assert (states["c"].timestamps_us / S).tolist() == [0, 15, 25, 28, 45, 55, 58]
    assert states["c"].states == (RED, GREEN, YELLOW, RED, GREEN, YELLOW, RED)


def test_lights_of_a_group_show_the_same() -> None:
    states = fixed_cycle(GROUPS, 60 * S, seed=3)
    assert states["a"] is states["b"]


@pytest.mark.parametrize("seed", range(8))
def test_never_two_groups_have_anything_but_red(seed: int) -> None:
    states = fixed_cycle((("a",), ("b",), ("c",)), 120 * S, 5 * S, green_s=7.0, seed=seed)
    times = np.arange(5 * S, 125 * S, 100_000)
    shown = np.array([[state != RED for state in states[name].at(times)] for name in "abc"])
    assert shown.sum(axis=0).max() == 1
    assert (shown.any(axis=1)).all()


def test_a_cycle_starts_when_it_is_told_to() -> None:
    late, early = (fixed_cycle(GROUPS, 40 * S, start) for start in (7 * S, 0))
    assert (late["c"].timestamps_us - 7 * S).tolist() == early["c"].timestamps_us.tolist()
    assert late["c"].states == early["c"].states


def test_a_seed_begins_somewhere_else_in_the_same_cycle() -> None:
    one, again, other = (fixed_cycle(GROUPS, 90 * S, seed=seed) for seed in (1, 1, 2))
    assert one["a"].timestamps_us.tolist() == again["a"].timestamps_us.tolist()
    assert one["a"].timestamps_us.tolist() != other["a"].timestamps_us.tolist()
    gaps = np.diff(one["a"].timestamps_us[1:])
    assert {20 * S, 3 * S, 27 * S} >= set(gaps.tolist())


def test_no_groups_have_no_lights() -> None:
    assert fixed_cycle((), S) == {}


def test_times_of_nothing_are_refused() -> None:
    with pytest.raises(MapError, match=r"^lights: green_s 0, yellow_s 3, duration_us 1\. All must be above 0$"):
        fixed_cycle(GROUPS, 1, green_s=0.0)
