"""A count of what an importer had to leave out, told in the scene's ``source``."""

from __future__ import annotations

from collections import Counter


class Dropped:
    """How many of what were left out, and why."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, things: str, flaw: str, count: int = 1) -> None:
        """Count things (plural noun) that have a flaw."""
        self._counts[things, flaw] += count

    def as_source(self) -> dict[str, str]:
        """``{"dropped": "2 lane_lines with NaN, 1 poles with no points"}``, empty if nothing was."""
        told = [f"{count} {things} with {flaw}" for (things, flaw), count in self._counts.items() if count]
        return {"dropped": ", ".join(told)} if told else {}
