"""Weights spread over two processes are trained to those of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sharded_training
import torch
from sharded_training import CASES, STEPS, run
from torch.multiprocessing.spawn import spawn

from models.checkpoint import load_transformer


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    spawn(sharded_training.work, (folder, folder / "meeting"), nprocs=2)
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums in the order of the two processes, which have one thread each."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_the_weights_of_one(two: Path, tmp_path: Path, name: str) -> None:
    run(tmp_path, **CASES[name])
    one, other = (load_transformer(folder / "weights").state_dict() for folder in (tmp_path, two / name))
    # Adam divides by the size of a gradient: what rounds differently near zero may move by a part of a step.
    largest = {key: float((one[key] - other[key]).abs().max()) for key in one}
    assert max(largest.values()) < (2e-2 if name == "bf16" else 1e-4), largest
    losses = [
        [json.loads(line)["loss"] for line in (folder / "run" / "loss.jsonl").read_text().splitlines()]
        for folder in (tmp_path, two / name)
    ]
    assert len(losses[1]) == STEPS and losses[1] == pytest.approx(losses[0], rel=1e-2 if name == "bf16" else 1e-4)
    assert losses[0][-1] != losses[0][0] and torch.tensor(losses).isfinite().all()
