"""One block of the network, the same for the base and the control branch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .attention import CrossViewAttention, NeighbourGroup, SelfAttention, TextAttention
from .config import TransformerConfig
from .layers import EPSILON, MLP, Modulation, modulate
from .rope import Rotary


class BlockContext(NamedTuple):
    """What every block of a step gets besides the tokens.

    time: normalised embedding, fp32 [B,1,1|L,1,D]. shared: modulation common to all sublayers, fp32 [...,3D].
    view: shift, scale and gate per camera for the three sublayers, fp32 [3,1|B,V,1,1,3D]; None without.
    text: [B,V,N,C]. rotary: of one view. neighbours: who sees whom, for the neighbours form.
    """

    time: Tensor
    shared: Tensor
    view: Tensor | None
    text: Tensor
    rotary: Rotary
    neighbours: tuple[NeighbourGroup, ...]


class Block(nn.Module):
    """Self-attention, attention to neighbouring views (neighbours form), attention to the text, MLP.

    As a control block it also has ``after_proj``, whose result is a hint for the base, and in the first one
    ``before_proj``, which brings the control in.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, rank, heads = config.hidden_size, config.adaln_rank, config.num_heads
        self.self_attn = SelfAttention(width, heads, config.view_mixing)
        self.cross_attn = TextAttention(width, config.text_width, heads)
        self.mlp = MLP(width, int(width * config.mlp_ratio))
        self.adaln_modulation_self_attn = Modulation(width, rank, parts=3)
        self.adaln_modulation_cross_attn = Modulation(width, rank, parts=3)
        self.adaln_modulation_mlp = Modulation(width, rank, parts=3)
        self.mixes_neighbours = config.view_mixing == "neighbours"
        if self.mixes_neighbours:
            self.cross_view_attn = CrossViewAttention(width, heads)
            self.layer_norm_cross_view_attn = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, x: Tensor, context: BlockContext) -> Tensor:
        """x [B,V,L,S,D]."""
        shift, scale, gate = self._modulation(self.adaln_modulation_self_attn, context, 0, x.dtype)
        x = x + gate * self.self_attn(modulate(x, shift, scale), context.rotary)
        if self.mixes_neighbours:
            x = x + self.cross_view_attn(self.layer_norm_cross_view_attn(x), context.neighbours)
        shift, scale, gate = self._modulation(self.adaln_modulation_cross_attn, context, 1, x.dtype)
        x = x + gate * self.cross_attn(modulate(x, shift, scale), context.text)
        shift, scale, gate = self._modulation(self.adaln_modulation_mlp, context, 2, x.dtype)
        return x + gate * self.mlp(modulate(x, shift, scale))

    def _modulation(
        self, modulation: Modulation, context: BlockContext, sublayer: int, dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        """Shift, scale and gate of a sublayer, computed in fp32."""
        total = modulation(context.time) + context.shared
        if context.view is not None:
            total = total + context.view[sublayer]
        return total.to(dtype).chunk(3, dim=-1)


class ControlBlock(Block):
    """A block of the control branch: turns into a hint."""

    def __init__(self, config: TransformerConfig, is_first: bool) -> None:
        super().__init__(config)
        width = config.hidden_size
        if is_first:
            self.before_proj = nn.Linear(width, width)
        self.after_proj = nn.Linear(width, width)
