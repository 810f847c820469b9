"""How a clip is sampled: numbers only, so that they can be checked before anything heavy is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import CheckpointError, ModelError

STUDENT_STEPS = 4
"""Most steps of the sampler for distilled weights."""

_FILE_NAME = "sampling.json"


@dataclass(frozen=True)
class Sampling:
    """How a clip is sampled.

    steps: network steps. guidance: g in v_c + g (v_c - v_u); 0 leaves out the second pass.
    shift: of the schedule towards noise. control_weight: how much the hints count, 0 to 1.
    sampler: unipc; or student, for weights distilled to few steps (at most 4, without guidance).
    guidance_span: part of the way, 0 at the start and 1 at the end, in which guidance is on; lossy unless (0, 1).
    cache_threshold: reuse features of the last step while the first block changes less than this; lossy unless None.
    """

    steps: int = 35
    guidance: float = 3.0
    shift: float = 5.0
    control_weight: float = 1.0
    sampler: Literal["unipc", "student"] = "unipc"
    guidance_span: tuple[float, float] = (0.0, 1.0)
    cache_threshold: float | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ModelError(f"steps: there must be at least 1, got {self.steps}")
        if not 0 <= self.guidance <= 100:
            raise ModelError(f"guidance: must be from 0 (off) to 100, got {self.guidance:g}")
        if not self.shift > 0:
            raise ModelError(f"shift: must be above 0, got {self.shift:g}")
        if not 0 <= self.control_weight <= 1:
            raise ModelError(f"control weight: must be from 0 to 1, got {self.control_weight:g}")
        low, high = self.guidance_span
        if not 0 <= low <= high <= 1:
            raise ModelError(f"guidance span: must be two rising numbers from 0 to 1, got {low:g} and {high:g}")
        if self.cache_threshold is not None and not self.cache_threshold > 0:
            raise ModelError(f"cache threshold: must be above 0, got {self.cache_threshold:g}")
        if self.sampler == "student" and (self.guidance or self.steps > STUDENT_STEPS):
            raise ModelError(
                f"the student sampler takes 1 to {STUDENT_STEPS} steps and guidance 0, "
                f"got {self.steps} steps and guidance {self.guidance:g}"
            )

    def guides(self, way: float) -> bool:
        """Whether the step at this part of the way (0 at the start) is guided."""
        low, high = self.guidance_span
        return self.guidance > 0 and low <= way < high


def usual_sampling(weights: Path | str) -> Sampling:
    """How a folder of weights says it is best sampled, else as the released weights are."""
    path = Path(weights) / _FILE_NAME
    if not path.is_file():
        return Sampling()
    try:
        return Sampling(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, ModelError) as error:
        raise CheckpointError(f"{path}: does not say how to sample: {error}. Write it anew, or remove it") from error


def write_usual_sampling(sampling: Sampling, weights: Path) -> None:
    """Put into a folder of weights how it is best sampled."""
    values = {name: getattr(sampling, name) for name in ("steps", "guidance", "shift", "sampler")}
    (weights / _FILE_NAME).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
