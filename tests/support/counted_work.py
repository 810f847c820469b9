"""Work for other processes, which must be able to import it."""

from __future__ import annotations

import os
from pathlib import Path

from drivesim.world_workers import Tick, Work


def writing(folder: Path, fails: int | None = None) -> Work:
    """Every item writes a file with the number of its process; one of them fails, the others then wait for the end."""

    def work(item: int, tick: Tick) -> None:
        if item == fails:
            raise ValueError(f"item {item} cannot be done")
        (folder / f"{item}.txt").write_text(str(os.getpid()))
        tick()
        tick()

    return work


def endless(folder: Path) -> Work:
    """Item 0 fails when the others have begun; they tick until they are stopped."""

    def work(item: int, tick: Tick) -> None:
        if item == 0:
            while not (folder / "1.begun").exists():
                pass
            raise ValueError("item 0 cannot be done")
        (folder / f"{item}.begun").touch()
        while True:
            tick()

    return work
