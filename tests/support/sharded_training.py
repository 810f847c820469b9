"""A training on two processes, for test_sharded; importable by spawned processes.

Both see the same clips without chance that differs, so that the mean of their gradients is that of one process.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tiny_training import Clips, micro_example, micro_network, micro_trainer
from torch import Tensor

from models.training.examples import Example
from models.training.objective import FlowObjective, VelocityNetwork

STEPS, HALF = 6, 3


class SameEverywhere:
    """The flow objective with the same chance in every process."""

    def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
        return FlowObjective().loss(network, examples, torch.Generator().manual_seed(3))


def run(folder: Path, **options: Any) -> None:
    """Train, be taken up again in the middle, and export."""
    options = {"source": Clips([micro_example()]), "objective": SameEverywhere(), "batch": 1, "steps": STEPS, **options}
    micro_trainer(folder / "run", micro_network(), **options).run(until=HALF)
    trainer = micro_trainer(folder / "run", micro_network(), **options)
    assert trainer.step == HALF
    trainer.run()
    trainer.export(folder / "weights")


def work(rank: int, folder: Path, port_file: Path) -> None:
    """One of two processes."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{port_file}", rank=rank, world_size=2)
    try:
        for name, options in CASES.items():
            run(folder / name, **options)
    finally:
        dist.destroy_process_group()


CASES: dict[str, dict[str, Any]] = {
    "scratch": {},
    "recomputed": {"recompute": True},
    "control": {"parts": "control"},
    "lora": {"parts": "lora"},
    "bf16": {"precision": "bf16"},
}
