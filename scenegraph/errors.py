"""Errors of the scene graph.

SceneGraphError(ValueError)
├── FrameError       a transform or camera model that is not one
├── TimeRangeError   an instant outside of what was recorded
├── MapError         map geometry that cannot be
└── FormatError      a file that breaks its format: names file, place, and what is allowed
"""

from __future__ import annotations

from pathlib import Path


class SceneGraphError(ValueError):
    """Base of everything this package raises on bad data."""


class FrameError(SceneGraphError):
    """A rotation, pose, lens or rig that is geometrically impossible."""


class TimeRangeError(SceneGraphError):
    """An instant was asked for that the data does not cover."""


class MapError(SceneGraphError):
    """Map geometry that cannot be: too few points, NaN, unknown lane."""


class FormatError(SceneGraphError):
    """A file that breaks its format.

    Prints as ``FILE: PLACE: PROBLEM. ALLOWED.`` where place is a table, row, column or field.
    """

    def __init__(self, file: Path | str, place: str, problem: str, allowed: str = "") -> None:
        self.file = Path(file)
        self.place = place
        self.problem = problem
        self.allowed = allowed
        sentence = ": ".join(part for part in (str(file), place, problem) if part)
        super().__init__(f"{sentence}. {allowed}" if allowed else sentence)

    def __reduce__(self) -> tuple[type[FormatError], tuple[str, str, str, str]]:
        """Errors cross processes; the usual way of rebuilding one knows only the finished sentence."""
        return type(self), (str(self.file), self.place, self.problem, self.allowed)
