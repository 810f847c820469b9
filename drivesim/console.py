"""What a person sees in the terminal: progress while something runs, tidy errors, tables.

Progress is drawn on a terminal only and goes to stderr; output that a program might read goes to stdout.
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
from rich.table import Table
from rich.text import Text

Advance: TypeAlias = Callable[[], None]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar with the time left; call what it yields once per finished piece. Silent when not on a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner for work of unknown length. Silent when not on a terminal."""
    if not err.is_terminal:
        yield
        return
    with err.status(what):
        yield


def print_error(message: str) -> None:
    """One tidy panel on stderr; plain text when it is not a terminal, so that logs can be searched."""
    if err.is_terminal:
        err.print(Panel(Text(message), title="drivesim", title_align="left", border_style="red"))
    else:
        err.print(Text(f"drivesim: {message}"), soft_wrap=True)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout; the first column is a name, the others are aligned right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        grid.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        grid.add_row(*row)
    out.print(grid)
