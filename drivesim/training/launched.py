"""The processes that torchrun started, which train one network together; without it, this one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_PATIENCE = timedelta(days=2)
"""How long the others wait while the first makes clips."""


@dataclass(frozen=True)
class Launched:
    """rank: of this process. world: how many there are."""

    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process runs the block; the others when it is through, and find everything done."""
        if self.world == 1:
            yield
            return
        import torch.distributed as dist

        if not self.is_first:
            dist.barrier()
        try:
            yield
        finally:
            if self.is_first:
                dist.barrier()


def join_launched(device: torch.device) -> Launched:
    """Meet the other processes, if there are any. device: where this one computes."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Launched()
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    return Launched(dist.get_rank(), world)
