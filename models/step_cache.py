"""Reuse of a step's features in the next: lossy, off by default (after TeaCache, arXiv:2411.19108)."""

from __future__ import annotations

from torch import Tensor

from .layout import Layout


class StepCache:
    """Skips all blocks but the first while what the first one adds hardly changes from step to step.

    threshold: relative change (mean absolute) below which the rest of the last full step is reused.
    One per guidance branch and clip. skipped: how many passes were cut short.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.skipped = 0
        self._first: Tensor | None = None
        self._rest: Tensor | None = None

    @property
    def rest(self) -> Tensor:
        """What the other blocks added in the last full pass."""
        assert self._rest is not None
        return self._rest

    def is_close(self, first: Tensor, layout: Layout) -> bool:
        """Whether what the first block adds is as good as unchanged since the last full pass."""
        if self._first is None:
            return False
        change = layout.mean((first - self._first).float().abs().mean())
        size = layout.mean(self._first.float().abs().mean())
        close = bool(change < self.threshold * size)
        self.skipped += close
        return close

    def store(self, first: Tensor, rest: Tensor) -> None:
        """Remember a full pass."""
        self._first, self._rest = first, rest
