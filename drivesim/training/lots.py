"""Random numbers that depend on a seed and a name alone: drawing one more thing changes none of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

_Thing = TypeVar("_Thing")


class Lots:
    """A source of random numbers of its own for every name."""

    def __init__(self, *names: object) -> None:
        digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=16).digest()
        self._generator = np.random.default_rng(int.from_bytes(digest, "big"))

    def number(self, low: float, high: float, digits: int = 3) -> float:
        """Evenly distributed, with so many digits after the point."""
        return round(float(self._generator.uniform(low, high)), digits)

    def whole(self, low: int, high: int) -> int:
        """Evenly distributed, both ends included."""
        return int(self._generator.integers(low, high + 1))

    def near(self, spread: float) -> float:
        """Around 0, never further away than two and a half spreads."""
        return float(np.clip(self._generator.normal(0.0, spread), -2.5 * spread, 2.5 * spread))

    def happens(self, share: float) -> bool:
        """Whether something of this probability does."""
        return bool(self._generator.random() < share)

    def one_of(self, things: Sequence[_Thing]) -> _Thing:
        """Any of them."""
        return things[self.whole(0, len(things) - 1)]

    def weighted(self, shares: Mapping[_Thing, float]) -> _Thing:
        """One of the keys; the values say how often."""
        weights = np.array(list(shares.values()), dtype=np.float64)
        return list(shares)[int(self._generator.choice(len(weights), p=weights / weights.sum()))]

    def some_of(self, things: Sequence[_Thing], count: int) -> list[_Thing]:
        """So many different ones, in their order."""
        return [things[index] for index in sorted(self._generator.permutation(len(things))[:count].tolist())]
