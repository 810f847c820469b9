"""Work spread over processes: all of it is done and counted, and everybody stops at the first error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from counted_work import endless, writing

from drivesim.world_workers import spread


def test_items_are_done_in_other_processes_and_every_piece_is_counted_here(tmp_path: Path) -> None:
    ticks: list[int] = []
    spread(writing, (tmp_path,), range(5), 2, lambda: ticks.append(os.getpid()))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{item}.txt" for item in range(5)]
    assert str(os.getpid()) not in {path.read_text() for path in tmp_path.iterdir()}
    assert ticks == [os.getpid()] * 10


@pytest.mark.parametrize(("workers", "items"), [(1, 3), (4, 1)])
def test_one_worker_or_one_item_needs_no_other_process(tmp_path: Path, workers: int, items: int) -> None:
    spread(writing, (tmp_path,), range(items), workers, lambda: None)
    assert {path.read_text() for path in tmp_path.iterdir()} == {str(os.getpid())}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_here_with_its_sentence(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ValueError, match=r"^item 1 cannot be done$"):
        spread(writing, (tmp_path, 1), range(3), workers, lambda: None)


def test_an_error_stops_work_that_would_never_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^item 0 cannot be done$"):
        spread(endless, (tmp_path,), range(2), 2, lambda: None)
