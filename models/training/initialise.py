"""First weights: a network that starts as if it did nothing, and a control branch that starts as the base."""

from __future__ import annotations

import re

import torch
from torch import nn

from ..layers import RMSNorm
from ..transformer import MultiViewTransformer

_VIEW_STD = 0.05

CONTROL_PARTS = ("control_blocks.", "control_embedder.", "input_hint_block.")
"""What the names of the control branch's weights begin with."""


def initialise(transformer: MultiViewTransformer, seed: int) -> None:
    """Random weights, the same for a seed on every machine.

    What ends a branch is zero: modulations (and with them all gates), attention between views, hints and the last
    layer. So the first velocity is zero and every block passes its tokens on, whatever the depth (adaLN-zero,
    arXiv:2212.09748).
    """
    random = torch.Generator().manual_seed(seed)
    for name, module in transformer.named_modules():
        if isinstance(module, nn.Linear):
            _linear(module, random, _ends_a_branch(name))
        elif isinstance(module, nn.Embedding):
            _fill(module.weight, _VIEW_STD, random)
        elif isinstance(module, RMSNorm | nn.LayerNorm):
            nn.init.ones_(module.weight)
            if isinstance(module, nn.LayerNorm):
                nn.init.zeros_(module.bias)


def control_from_base(transformer: MultiViewTransformer, seed: int) -> None:
    """Start the control branch anew: its blocks as the first ones of the base, adding nothing yet."""
    random = torch.Generator().manual_seed(seed)
    for control, base in zip(transformer.control_blocks, transformer.blocks, strict=False):
        control.load_state_dict(base.state_dict(), strict=False)
    for name, module in transformer.named_modules():
        if name.startswith(CONTROL_PARTS) and isinstance(module, nn.Linear):
            if name.endswith(("before_proj", "after_proj")):
                _linear(module, random, is_zero=True)
            elif not name.startswith("control_blocks."):
                _linear(module, random)


def _ends_a_branch(name: str) -> bool:
    ends = ("final_layer.linear", "t_embedder.1.linear_2", "adaln_view_proj", "cross_view_attn.output_proj")
    return name.endswith((*ends, "after_proj")) or bool(re.search(r"adaln_modulation\w*\.2$", name))


def _linear(layer: nn.Linear, random: torch.Generator, is_zero: bool = False) -> None:
    """Glorot's numbers, or zeros; biases are zero."""
    std = 0.0 if is_zero else (2 / (layer.in_features + layer.out_features)) ** 0.5
    _fill(layer.weight, std, random)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def _fill(weight: torch.Tensor, std: float, random: torch.Generator) -> None:
    values = torch.zeros(weight.shape) if std == 0 else std * torch.randn(weight.shape, generator=random)
    weight.copy_(values)
