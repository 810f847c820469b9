"""How weights move: the learning rate over the steps, and their moving average."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ..errors import ModelError

Decay = Literal["none", "linear", "cosine"]


@dataclass(frozen=True)
class LearningRate:
    """Rises over ``warm_up`` steps to ``peak``, then falls over the rest of them to ``last`` times the peak."""

    peak: float = 1e-3
    warm_up: int = 100
    decay: Decay = "cosine"
    last: float = 0.05

    def __post_init__(self) -> None:
        if self.decay not in get_args(Decay):
            raise ModelError(f"learning rate: decay {self.decay!r} is none of {', '.join(get_args(Decay))}")
        if not (self.peak > 0 and self.warm_up >= 0 and 0 <= self.last <= 1):
            raise ModelError(
                f"learning rate: needs a peak above 0, a warm-up from 0 and a last part from 0 to 1, "
                f"got {self.peak:g}, {self.warm_up} and {self.last:g}"
            )

    def at(self, step: int, steps: int) -> float:
        """Of a step, counted from 0, of all ``steps``."""
        if step < self.warm_up:
            return self.peak * (step + 1) / self.warm_up
        if self.decay == "none":
            return self.peak
        way = min(1.0, (step - self.warm_up) / max(1, steps - self.warm_up))
        fallen = way if self.decay == "linear" else 0.5 - 0.5 * math.cos(math.pi * way)
        return self.peak * (1 - (1 - self.last) * fallen)


@dataclass(frozen=True)
class Average:
    """How the weights are averaged over the steps.

    constant: the same decay at every step, after it could be reached. power: a power function of the step, whose
    width is this part of the steps so far, so that it forgets the beginning however long the training
    (arXiv:2312.02696).
    """

    kind: Literal["constant", "power"] = "power"
    value: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in ("constant", "power"):
            raise ModelError(f"average: {self.kind!r} is none of constant, power")
        if self.kind == "constant" and not 0 <= self.value < 1:
            raise ModelError(f"average: a constant decay must be from 0 to below 1, got {self.value:g}")
        if self.kind == "power" and not 0.01 <= self.value <= 0.28:
            raise ModelError(f"average: the width of a power function must be from 0.01 to 0.28, got {self.value:g}")

    def decay(self, step: int) -> float:
        """How much of the average stays at a step, counted from 0."""
        if self.kind == "constant":
            return min(self.value, (step + 1) / (step + 10))
        return (1 - 1 / (step + 1)) ** (power_of_width(self.value) + 1)


def power_of_width(width: float) -> float:
    """The exponent g of a profile t^g on [0, 1] whose standard deviation is ``width``.

    Its variance is (g + 1) / ((g + 2)^2 (g + 3)); the exponent is the largest root of that cubic equation.
    """
    return float(np.roots([1, 7, 16 - width**-2, 12 - width**-2]).real.max())


@torch.no_grad()
def move_average(average: Mapping[str, Tensor], weights: Mapping[str, Tensor], decay: float) -> None:
    """average <- decay average + (1 - decay) weights, in place."""
    kept = [average[name] for name in weights]
    torch._foreach_lerp_(kept, [weight.detach() for weight in weights.values()], 1 - decay)
