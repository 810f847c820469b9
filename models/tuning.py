"""How a built network runs: attention kernel, pieces, compilation. Applied from outside; weights stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from torch import nn

from .attention import Attention, AttentionKernel
from .errors import ModelError
from .layers import MLP, FinalLayer
from .quantised_attention import require_int8
from .transformer import MultiViewTransformer


@dataclass(frozen=True)
class Tuning:
    """Choices that change speed and memory; all but 8-bit attention change nothing beyond rounding.

    attention: see AttentionKernel. int8 is lossy.
    piece: tokens of an MLP at a time; with it, what is computed in fp32 is done one view at a time. None for all at
        once: faster by a little, and at full size 4 GB more.
    compile: compile every block with torch.compile, which takes a minute or two once.
    """

    attention: AttentionKernel = "auto"
    piece: int | None = 16384
    compile: bool = False

    def __post_init__(self) -> None:
        if self.attention not in get_args(AttentionKernel):
            raise ModelError(f"attention: {self.attention!r} is none of {', '.join(get_args(AttentionKernel))}")
        if self.piece is not None and self.piece < 1:
            raise ModelError(f"piece: must be at least 1 token, got {self.piece}")


def tune(transformer: MultiViewTransformer, tuning: Tuning) -> None:
    """Make a network run so. Can be called again with other choices, except that compiled blocks stay compiled."""
    if tuning.attention == "int8":
        require_int8(transformer.device)
    for module in transformer.modules():
        if isinstance(module, Attention):
            module.kernel, module.piece = tuning.attention, tuning.piece
        elif isinstance(module, MLP | FinalLayer):
            module.piece = tuning.piece
    if tuning.compile:
        blocks: list[nn.Module] = [*transformer.blocks, *transformer.control_blocks]
        for block in blocks:
            block.compile()
