"""Stopping in time: a training may be told to use so many minutes, and to go on another day."""

from __future__ import annotations

import time
from dataclasses import dataclass


class TimeUpError(Exception):
    """The minutes are used up; everything that is finished is on disk. The message says where it stopped."""


@dataclass(frozen=True)
class Deadline:
    """When to stop. at_s: by the wall clock, in seconds since 1970; None for never."""

    at_s: float | None = None

    @classmethod
    def after(cls, minutes: float | None) -> Deadline:
        """So many minutes from now."""
        return cls(None if minutes is None else time.time() + 60 * minutes)

    @property
    def is_over(self) -> bool:
        """Whether it is time to stop."""
        return self.at_s is not None and time.time() >= self.at_s

    def require(self, where: str) -> None:
        """Stop if it is time to."""
        if self.is_over:
            raise TimeUpError(where)
