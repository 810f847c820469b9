"""What a person sees in the terminal: progress while something runs, tidy errors, tables.

Progress is drawn on a terminal only and goes to stderr; output that a program might read goes to stdout.
Everything is shown as it is: brackets and colons in the names of files and cameras mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Advance: TypeAlias = Callable[[], None]

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar with the time left; call what it yields once per finished piece. Silent when not on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


class Stages:
    """A bar over long work with named stages; callable as models report progress: (stage, done, total)."""

    def __init__(self, show: Callable[[str, int], None]) -> None:
        self._show, self._before, self._stage = show, 0, ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say what is being done; steps of sampling move the bar, the rest is short."""
        self._stage = stage
        self._show(stage, self._before + (done if stage == "Sampling" else 0))

    def finish(self, done: int) -> None:
        """So much of the whole is done."""
        self._before = done
        self._show(self._stage, done)


@contextmanager
def stages(what: str, total: int) -> Iterator[Stages]:
    """A bar with the time left and what is being done now. Silent when not on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)

        def show(stage: str, done: int) -> None:
            bar.update(task, completed=done, description=f"{what}: {stage.lower()}" if stage else what)

        yield Stages(show)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner for work of unknown length. Silent when not on a terminal."""
    if not err.is_terminal:
        yield
        return
    with err.status(Text(what)):
        yield


def print_error(message: str) -> None:
    """One tidy panel on stderr; plain text when it is not a terminal, so that logs can be searched."""
    if err.is_terminal:
        err.print(Panel(Text(message), title="drivesim", title_align="left", border_style="red"))
    else:
        err.print(Text(f"drivesim: {message}"), soft_wrap=True)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout, one line per row however long; columns that hold nothing but numbers are aligned right."""
    out.print(Text(title, style="bold"))
    if not rows:
        out.print("  none")
        return
    cells = list(zip(columns, *rows, strict=True))
    widths = [max(map(len, column)) for column in cells]
    is_number = [all(cell.isdecimal() for cell in column[1:]) for column in cells]
    for row in (columns, *rows):
        aligned = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, is_number, strict=True)
        ]
        out.print(f"  {'  '.join(aligned)}".rstrip())
