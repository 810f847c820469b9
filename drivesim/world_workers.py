"""Work spread over processes, for what holds Python's lock: everybody stops at the first error or at Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeAlias

Tick: TypeAlias = Callable[[], None]
"""To be called after every piece of work: counts it, and ends work that nobody needs any more."""

Work: TypeAlias = Callable[[Any, Tick], None]
"""Does one item."""

_LAST = None
"""Goes through the pipe of ticks when there are no more."""


class StoppedError(Exception):
    """Another process failed, or the user stopped the run: give up without leaving a file."""


def spread(start: Callable[..., Work], given: tuple[Any, ...], items: Sequence[Any], workers: int, tick: Tick) -> None:
    """Do all items, ``workers`` at a time; the first error stops the others and is raised.

    start: makes from ``given`` what does an item; called once in every process, so it and all it gets must be
    importable and picklable. With one worker, or one item, everything happens in this process.
    tick: called here for every piece of work done anywhere.
    """
    if min(workers, len(items)) < 2:
        work = start(*given)
        for item in items:
            work(item, tick)
        return
    context = multiprocessing.get_context("spawn")  # the tracer has threads, and those do not survive a fork
    ticks, stop = context.SimpleQueue(), context.Event()
    counting = threading.Thread(target=_count, args=(ticks, tick), daemon=True)
    counting.start()
    pool = ProcessPoolExecutor(min(workers, len(items)), context, _begin, (start, given, ticks, stop))
    try:
        futures = [pool.submit(_do, item) for item in items]
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:  # after an error or Ctrl-C the others give up at their next piece
        stop.set()
        pool.shutdown(cancel_futures=True)
        ticks.put(_LAST)
        counting.join()
    errors = [future.exception() for future in futures if not future.cancelled()]
    for error in errors:
        if error is not None and not isinstance(error, StoppedError):
            raise error


def _count(ticks: Any, tick: Tick) -> None:
    while ticks.get() is not _LAST:
        tick()


# -- in the processes ---------------------------------------------------------------------------------

_work: Work
_tick: Tick


def _begin(start: Callable[..., Work], given: tuple[Any, ...], ticks: Any, stop: Any) -> None:
    """Make a process ready for items. Ctrl-C is for the first process, which tells the others to stop."""
    global _work, _tick
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tick() -> None:
        if stop.is_set():
            raise StoppedError
        ticks.put(1)

    _work, _tick = start(*given), tick


def _do(item: Any) -> None:
    _work(item, _tick)


def _end_with_parent() -> None:
    """A killed run leaves no process behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os._exit(1)
