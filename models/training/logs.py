"""What a training says on its way, and the records it keeps of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..transformer import MultiViewTransformer
from .files import require_disk


@dataclass(frozen=True)
class StepReport:
    """One step of a training.

    step: counted from 1, of ``steps``. loss: mean over the clips of the step. gradient_norm: before clipping.
    tokens_per_s: tokens of all views and frames that went through the network, of all processes.
    seconds: of the step. seconds_left: at the pace of the last steps.
    """

    step: int
    steps: int
    loss: float
    gradient_norm: float
    learning_rate: float
    tokens_per_s: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Callbacks:
    """Who is told what; only the first of several processes calls.

    on_step: after every step. on_checkpoint: with the folder of a new checkpoint.
    on_samples: after every ``samples_every`` steps and the last one, with the number of the step and the averaged
        network, to sample and show clips; 0 for never.
    """

    on_step: Callable[[StepReport], None] = lambda report: None
    on_checkpoint: Callable[[Path], None] = lambda folder: None
    on_samples: Callable[[int, MultiViewTransformer], None] = lambda step, transformer: None
    samples_every: int = 0


class LossLog:
    """Every step as a JSON line, for curves; what follows the step that is taken up again is removed."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        with require_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def __call__(self, report: StepReport) -> None:
        """Append a step."""
        row = {
            "step": report.step,
            "loss": report.loss,
            "gradient_norm": report.gradient_norm,
            "learning_rate": report.learning_rate,
            "seconds": round(report.seconds, 4),
        }
        with require_disk(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


class TensorBoard:
    """The same curves for TensorBoard; as a callback of ``on_step``.

    Files are opened at the first step, and what they hold of later steps of an earlier run counts no more.
    """

    def __init__(self, folder: Path | str) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ModelError(
                "tensorboard: is not installed. Install it with pip install tensorboard, or train without"
            ) from error
        self._folder, self._kind = str(folder), SummaryWriter
        self._writer: Any = None

    def __call__(self, report: StepReport) -> None:
        """Write a step."""
        if self._writer is None:
            self._writer = self._kind(self._folder, purge_step=report.step)
        for name in ("loss", "gradient_norm", "learning_rate", "tokens_per_s"):
            self._writer.add_scalar(name, getattr(report, name), report.step)
