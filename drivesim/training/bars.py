"""A bar for training: loss, time left and throughput."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .. import console


@contextmanager
def training_bar(what: str, total: int, done: int = 0) -> Iterator[Callable[[int, str], None]]:
    """A bar that is told how many steps are done, and what to show behind it. Silent when not on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[shown]}", markup=False),
    )
    with Progress(*columns, console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task(what, total=total, completed=done, shown="")
        yield lambda step, shown: bar.update(task, completed=step, shown=shown)


def duration_in_words(seconds: float) -> str:
    """Such as 2 h 05 min, 3 min or 40 s."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
