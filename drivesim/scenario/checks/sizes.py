"""Whether boxes are as large as their class can be."""

from __future__ import annotations

import numpy as np

from scenegraph import Category

from .bodies import Bodies
from .finding import Finding, Severity

_NAMES = ("long", "wide", "high")
_RANGES_M: dict[Category, tuple[tuple[float, float], ...]] = {
    Category.CAR: ((1.8, 7.5), (0.9, 2.7), (0.9, 3.2)),
    Category.TRUCK: ((3.0, 26.0), (1.4, 4.0), (1.3, 5.0)),
    Category.CYCLIST: ((0.9, 3.2), (0.25, 1.5), (0.6, 2.4)),
    Category.PEDESTRIAN: ((0.15, 1.6), (0.2, 1.5), (0.5, 2.3)),
    Category.OTHERS: ((0.05, 30.0), (0.05, 30.0), (0.05, 15.0)),
}
_MARGIN_LABELS = 1.25


def check_sizes(bodies: Bodies) -> list[Finding]:
    """One finding per actor, about the side that is furthest from what its class has."""
    findings = []
    for body, category in enumerate(bodies.categories[:-1]):
        there = np.flatnonzero(bodies.present[body])
        if not len(there):
            continue
        margin = _MARGIN_LABELS if bodies.is_recorded[body] else 1.0
        low, high = np.array(_RANGES_M[category]).T
        sizes_m = bodies.size_m[body, there]
        excess = np.maximum(sizes_m / high, low / sizes_m)
        at, axis = np.unravel_index(int(np.argmax(excess)), excess.shape)
        if excess[at, axis] <= margin:
            continue
        value = float(sizes_m[at, axis])
        limit = float(high[axis] if value > high[axis] else low[axis])
        severity: Severity = "warning" if bodies.is_kept[body] else "error"
        name = bodies.ids[body]
        text = f"{name} is {value:.2f} m {_NAMES[axis]}; {category.value} has {low[axis]:g} to {high[axis]:g} m"
        start_s, end_s = (float(bodies.times_s[there[i]]) for i in (0, -1))
        findings.append(Finding("size", severity, name, "", start_s, end_s, value, limit, "m", text))
    return findings
