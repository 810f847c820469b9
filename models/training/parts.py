"""Which weights of a network a training changes."""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..transformer import MultiViewTransformer
from .initialise import CONTROL_PARTS, control_from_base, initialise
from .lora import Lora, add_lora

Parts = Literal["scratch", "full", "control", "new-control", "lora"]
"""scratch: all, from new random ones. full: all, from those of the network. control: the control branch.
new-control: the same, started as a copy of the base. lora: low-rank additions to all blocks."""


def choose_parts(transformer: MultiViewTransformer, parts: Parts, lora: Lora, seed: int) -> None:
    """Make the weights that are trained fp32 and the only ones with gradients."""
    if parts not in get_args(Parts):
        raise ModelError(f"parts: {parts!r} is none of {', '.join(get_args(Parts))}")
    if parts == "scratch":
        initialise(transformer, seed)
    if parts == "new-control":
        control_from_base(transformer, seed)
    if parts == "lora":
        add_lora(transformer, lora, seed)
    for name, weight in transformer.named_parameters():
        of_control = name.startswith(CONTROL_PARTS)
        trains = {"control": of_control, "new-control": of_control, "lora": ".lora_" in name}.get(parts, True)
        weight.requires_grad_(trains)
        if trains:
            weight.data = weight.data.float()


def trained_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """The weights with gradients, by name."""
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


def frozen_digest(network: nn.Module) -> str:
    """A hash of names and values of the weights that stay as they are."""
    digest = hashlib.sha256()
    for name, weight in sorted(network.named_parameters()):
        if not weight.requires_grad:
            digest.update(name.encode())
            digest.update(_bytes_of(weight.detach()))
    return digest.hexdigest()


def _bytes_of(tensor: Tensor) -> memoryview:
    return tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
