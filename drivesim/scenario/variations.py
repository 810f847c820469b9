"""Many scenarios from one: the values that variables take."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ScenarioError
from .schema import ListFile, RangeFile, Values, VaryFile

MOST_VARIATIONS = 10_000


def variations(vary: VaryFile) -> Iterator[dict[str, Any]]:
    """The values of all variables for every scenario, in order; more than 10,000 are refused."""
    columns = {name: values_of(name, values) for name, values in vary.variables.items()}
    lengths = {len(values) for values in columns.values()}
    if vary.how == "zip" and len(lengths) > 1:
        counts = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise ScenarioError(f"vary: side by side, all variables need as many values: {counts}")
    count = len(next(iter(columns.values()))) if vary.how == "zip" else int(np.prod([len(v) for v in columns.values()]))
    if count > MOST_VARIATIONS:
        raise ScenarioError(
            f"vary: {count:,} scenarios are more than {MOST_VARIATIONS:,}. Take fewer values, or how: zip"
        )
    rows = zip(*columns.values(), strict=True) if vary.how == "zip" else itertools.product(*columns.values())
    for row in rows:
        yield dict(zip(columns, row, strict=True))


def values_of(name: str, values: Values) -> list[Any]:
    """The values of one variable; random ones depend on seed and name alone."""
    if isinstance(values, ListFile):
        return list(values.values)
    if isinstance(values, RangeFile):
        return [round(float(value), 9) for value in np.linspace(values.start, values.stop, values.count)]
    digest = hashlib.sha256(f"{values.seed}/{name}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    if values.whole:
        return [int(value) for value in random.integers(round(values.low), round(values.high) + 1, values.count)]
    return [round(float(value), 9) for value in random.uniform(values.low, values.high, values.count)]


def variation_name(name: str, values: dict[str, Any], content: dict[str, Any]) -> str:
    """A name that stays the same as long as the scenario does: its values, and a hash of all it says."""
    said = "-".join(f"{key}={_short(value)}" for key, value in values.items())
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return f"{name}-{said}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
