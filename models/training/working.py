"""The network as it computes in a training: weights in their precision, blocks recomputed or compiled, sharded.

In bfloat16 the network computes with a rounded copy of its fp32 weights, exactly as the generator will: what the
network keeps in fp32 then stays in fp32 here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..transformer import MultiViewTransformer
from .objective import VelocityNetwork
from .parts import trained_weights

Precision = Literal["fp32", "bf16"]


class WorkingNetwork:
    """A transformer that is trained. network: what computes. weights: those that are trained, fp32, by name.

    Where several processes run, every one holds a part of all weights (FSDP2).
    """

    def __init__(
        self, transformer: MultiViewTransformer, precision: Precision, recompute: bool, compile_blocks: bool
    ) -> None:
        self.transformer = transformer
        self.is_sharded = dist.is_initialized() and dist.get_world_size() > 1
        rounded = precision == "bf16" and not self.is_sharded
        computing = deepcopy(transformer).to(torch.bfloat16) if rounded else transformer
        self.network = VelocityNetwork(computing)
        blocks = [*computing.blocks, *computing.control_blocks]
        if recompute:
            for block in blocks:
                block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
        if self.is_sharded:
            _shard(self.network, precision)
        if compile_blocks:
            for block in blocks:
                block.compile()
        self.weights: dict[str, Tensor] = dict(trained_weights(transformer))
        self._copies: dict[str, nn.Parameter] = trained_weights(computing) if rounded else {}

    def collect_gradients(self) -> None:
        """Add the gradients of a backward pass to those of the weights, in fp32."""
        for name, copy in self._copies.items():
            if copy.grad is not None:
                weight = self.weights[name]
                weight.grad = copy.grad.float() if weight.grad is None else weight.grad.add_(copy.grad)
                copy.grad = None

    @torch.no_grad()
    def refresh(self) -> None:
        """Bring new weights to where they compute."""
        for name, copy in self._copies.items():
            copy.copy_(self.weights[name])

    @torch.no_grad()
    def load(self, into: Mapping[str, Tensor], whole: Mapping[str, Tensor]) -> None:
        """Copy whole tensors into weights or what has their layout, by name."""
        for name, tensor in into.items():
            tensor.copy_(_laid_out(whole[name].to(tensor.device), tensor))


def whole_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that may be spread over processes, as whole ones; all processes must take part."""
    return {name: _whole(tensor.detach()) for name, tensor in tensors.items()}


def rank_and_world() -> tuple[int, int]:
    """This process, of how many."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if dist.is_initialized():
        dist.barrier()


def mean_over_processes(value: Tensor) -> float:
    """Of a number that every process has."""
    if dist.is_initialized():
        value = value.clone()
        dist.all_reduce(value)
        value /= dist.get_world_size()
    return float(value)


def _shard(network: VelocityNetwork, precision: Precision) -> None:
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for module in (*_shards(network.transformer), network):
        fully_shard(module, mp_policy=policy)


def _shards(transformer: MultiViewTransformer) -> Iterable[nn.Module]:
    """What is gathered together; projections of control blocks are called without their block."""
    for block in transformer.control_blocks:
        yield from (child for name, child in block.named_children() if name in ("before_proj", "after_proj"))
        yield block
    yield from transformer.blocks


def _whole(tensor: Any) -> Tensor:
    whole: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole.cpu()


def _laid_out(whole: Tensor, like: Any) -> Tensor:
    if not hasattr(like, "full_tensor"):
        return whole
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(whole, like.device_mesh, like.placements)
