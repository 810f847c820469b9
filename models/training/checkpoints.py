"""What a training was at a step, in a folder that appears whole or not at all.

FOLDER/step-00001000/state.safetensors   model.*, average.* and the two moments of the optimiser, first.* and second.*
FOLDER/step-00001000/state.json          the step, and what the training was made of
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import CheckpointError
from .files import require_disk, whole_folder

_STATE, _RECORD = "state.safetensors", "state.json"
_FORMAT, _VERSION = "drivesim-training", 1
_NAME = re.compile(r"step-(\d{8})")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training after so many steps.

    made_of: the settings, data and network it belongs to. model: trained weights; average: their moving average;
    first, second: moments of the optimiser; all by name of the weight, fp32.
    """

    step: int
    made_of: dict[str, Any]
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    first: dict[str, Tensor]
    second: dict[str, Tensor]


_PARTS = ("model", "average", "first", "second")


class Checkpoints:
    """The last ``keep`` checkpoints of a training, oldest removed when a new one is whole."""

    def __init__(self, folder: Path | str, keep: int = 2) -> None:
        self.folder, self.keep = Path(folder), keep

    def steps(self) -> list[int]:
        """Of all checkpoints there are, rising."""
        if not self.folder.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def path(self, step: int) -> Path:
        """The folder of a step."""
        return self.folder / f"step-{step:08d}"

    @property
    def last(self) -> Path | None:
        """The newest, if there is one."""
        steps = self.steps()
        return self.path(steps[-1]) if steps else None

    def save(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint, then remove what is older than the last ``keep``."""
        from safetensors.torch import save_file

        path = self.path(checkpoint.step)
        tensors = {
            f"{part}.{name}": tensor.detach().cpu().contiguous()
            for part in _PARTS
            for name, tensor in getattr(checkpoint, part).items()
        }
        record = {"format": _FORMAT, "version": _VERSION, "step": checkpoint.step, "made_of": checkpoint.made_of}
        with whole_folder(path) as partial:
            with require_disk(path):
                save_file(tensors, partial / _STATE)
            (partial / _RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        for step in self.steps()[: -self.keep]:
            shutil.rmtree(self.path(step), ignore_errors=True)
        return path

    def load(self, step: int | None = None) -> Checkpoint:
        """A checkpoint, by default the newest."""
        steps = self.steps()
        if not steps or (step is not None and step not in steps):
            what = "checkpoint" if step is None else f"checkpoint of step {step}"
            raise CheckpointError(f"{self.folder}: holds no {what}")
        path = self.path(steps[-1] if step is None else step)
        return _read(path)


def _read(path: Path) -> Checkpoint:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        record = json.loads((path / _RECORD).read_text(encoding="utf-8"))
        if record["format"] != _FORMAT or record["version"] != _VERSION:
            raise ValueError(f"it is of format {record['format']}, version {record['version']}")
        tensors = load_file(path / _STATE)
        parts = {part: _of_part(tensors, part) for part in _PARTS}
        return Checkpoint(int(record["step"]), dict(record["made_of"]), **parts)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: cannot be read: {error}. Remove it to go on from the checkpoint before it"
        ) from error


def _of_part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
