"""Many scenarios from one: the values that variables take, and the names of what comes out."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping

from .schema_variations import ListFile, RangeFile, SampleFile, Values, VaryFile
from .variables import Variable, written_out

_LONGEST_SUFFIX = 120


def variations(vary: VaryFile) -> Iterator[dict[str, Variable]]:
    """The values of all varied variables for every scenario; of a product the last variable changes fastest."""
    columns = [values_of(name, values) for name, values in vary.variables.items()]
    rows = zip(*columns, strict=True) if vary.how == "zip" else itertools.product(*columns)
    for row in rows:
        yield dict(zip(vary.variables, row, strict=True))


def values_of(name: str, values: Values) -> list[Variable]:
    """The values of one variable; random ones depend on seed and name alone. Whole numbers come without a point."""
    if isinstance(values, ListFile):
        return list(values.values)
    numbers = _evenly(values) if isinstance(values, RangeFile) else _at_random(name, values)
    return [int(number) if float(number).is_integer() else number for number in numbers]


def variation_name(name: str, values: Mapping[str, Variable], digest: str) -> str:
    """A name that stays the same as long as the scenario does: the varied values by name, and a hash of all it says."""
    said = "-".join(f"{key}={_short(values[key])}" for key in sorted(values))
    return f"{name}-{said[:_LONGEST_SUFFIX]}-{digest[:8]}"


def _evenly(values: RangeFile) -> list[float]:
    """From start to stop; rounded to twelve digits, so that a tenth is written as one."""
    step = (values.stop - values.start) / max(values.count - 1, 1)
    return [float(f"{values.start + step * index:.12g}") for index in range(values.count)]


def _at_random(name: str, values: SampleFile) -> list[float]:
    """Evenly distributed numbers. From a hash, as random generators of libraries change with their versions."""
    fractions = [_fraction(f"{values.seed}/{name}/{index}") for index in range(values.count)]
    if values.whole:
        low, high = math.ceil(values.low), math.floor(values.high)
        return [low + math.floor(fraction * (high - low + 1)) for fraction in fractions]
    return [float(f"{values.low + fraction * (values.high - values.low):.12g}") for fraction in fractions]


def _fraction(text: str) -> float:
    """A number from 0 up to 1 that looks random, from a text; 1 itself never."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") // 2**11 / 2**53


def _short(value: Variable) -> str:
    """A value as it can stand in the name of a file."""
    text = f"{value:.4g}" if isinstance(value, float) else written_out(value)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", text)
