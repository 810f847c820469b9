"""Traffic lights that take turns: a fixed cycle in which one group after the other has green."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import MapError
from ..hdmap import LightState
from ..scene import LightTimeline

ALL_RED_S = 2.0
"""Everyone has red for so long between one group's yellow and the next one's green."""


def fixed_cycle(
    groups: Sequence[Sequence[str]],
    duration_us: int,
    start_us: int = 0,
    green_s: float = 20.0,
    yellow_s: float = 3.0,
    seed: int | None = None,
) -> dict[str, LightTimeline]:
    """What every light shows from ``start_us`` on, for ``duration_us``.

    Green, yellow, all red, then the next group. Without a seed group 0 turns green at the start; a seed begins
    anywhere in the cycle.
    """
    if not (green_s > 0 and yellow_s > 0 and duration_us > 0):
        raise MapError(
            f"lights: green_s {green_s:g}, yellow_s {yellow_s:g}, duration_us {duration_us}. All must be above 0"
        )
    green_us, yellow_us, red_us = (round(seconds * 1e6) for seconds in (green_s, yellow_s, ALL_RED_S))
    turn_us = green_us + yellow_us + red_us
    cycle_us = turn_us * len(groups)
    into_us = 0 if seed is None or not groups else int(np.random.default_rng(seed).integers(cycle_us))
    timelines = {}
    for index, lights in enumerate(groups):
        steps = ((0, LightState.GREEN), (green_us, LightState.YELLOW), (green_us + yellow_us, LightState.RED))
        changes = [(index * turn_us + after_us, state) for after_us, state in steps]
        timeline = _repeated(changes, cycle_us, into_us, duration_us, start_us)
        timelines.update(dict.fromkeys(lights, timeline))
    return timelines


def _repeated(
    changes: Sequence[tuple[int, LightState]], cycle_us: int, into_us: int, duration_us: int, start_us: int
) -> LightTimeline:
    """Changes within a cycle, repeated from ``into_us`` after its beginning."""
    first, last = -1, (into_us + duration_us) // cycle_us + 1
    times = [(number * cycle_us + at_us - into_us, state) for number in range(first, last) for at_us, state in changes]
    begun = [state for at_us, state in times if at_us <= 0][-1]
    later = [(at_us, state) for at_us, state in times if 0 < at_us < duration_us]
    stamps = np.array([0, *(at_us for at_us, _ in later)], dtype=np.int64) + start_us
    return LightTimeline(stamps, (begun, *(state for _, state in later)))
