"""Errors of the product: what a person asked for that cannot be done.

DriveSimError
├── ScenarioError    mistakes in a YAML file (scenario, rig, batch), each with file:line:column
├── SourceError      a recorded log that is of no known kind, or lacks what is needed from it
├── DatasetError     a dataset that cannot be written or read as asked
└── BatchError       a batch that cannot be planned or carried on

The packages below have trees of their own: SceneGraphError, RenderError and ModelError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class DriveSimError(Exception):
    """Base of everything this package raises on bad input. The message says what to do."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in a YAML file, or in what the command line changes in it.

    line, column: where, counted from 1; 0 where the whole file is meant.
    field: such as ``cameras[0].lens.fx_px``; empty where the whole file is meant.
    """

    file: Path | str
    line: int
    column: int
    field: str
    problem: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else f"{self.file}"
        return f"{place}  {self.field}: {self.problem}" if self.field else f"{place}  {self.problem}"


class ScenarioError(DriveSimError):
    """Mistakes in a YAML file, all of them at once, one line each: ``file:line:column  field: problem``."""

    def __init__(self, message: str, mistakes: Sequence[Mistake] = ()) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(message)

    @classmethod
    def of(cls, mistakes: Sequence[Mistake]) -> ScenarioError:
        """The error that lists these mistakes in the order of the file, file by file."""
        ordered = sorted(mistakes, key=lambda mistake: (str(mistake.file), mistake.line, mistake.column))
        return cls("\n".join(map(str, ordered)), ordered)


class SourceError(DriveSimError):
    """A recorded log that is of no known kind, or lacks what is needed from it."""


class DatasetError(DriveSimError):
    """A dataset that cannot be written or read as asked."""


class BatchError(DriveSimError):
    """A batch that cannot be planned or carried on."""
