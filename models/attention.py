"""Attention: one function that picks the kernel, and the patterns of which (view, time) pairs see each other.

Queries, keys and values are [B,V,L,S,heads,d]. Only this file folds views into other axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from .config import ViewMixing
from .layers import RMSNorm, in_pieces
from .layout import WHOLE, Layout
from .quantised_attention import int8_attention
from .rope import Rotary, rotate

AttentionKernel = Literal["auto", "plain", "int8"]
"""auto: the fastest exact kernel here (cuDNN, flash, memory-efficient). plain: softmax written out.
int8: queries and keys in 8 bits, lossy."""

_FASTEST_FIRST = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]


def attend(q: Tensor, k: Tensor, v: Tensor, kernel: AttentionKernel = "auto") -> Tensor:
    """softmax(q k^T / sqrt(d)) v for q [N,Q,heads,d] and k, v [N,K,heads,d]; returns [N,Q,heads,d]."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    if kernel == "int8":
        mixed = int8_attention(q, k, v)
    elif kernel == "plain":
        mixed = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1) @ v
    elif q.is_cuda:
        with sdpa_kernel(_FASTEST_FIRST, set_priority=True):
            mixed = functional.scaled_dot_product_attention(q, k, v)
    else:
        mixed = functional.scaled_dot_product_attention(q, k, v)
    return mixed.transpose(1, 2)


# -- patterns -----------------------------------------------------------------------------------------


def joint(q: Tensor, k: Tensor, v: Tensor, kernel: AttentionKernel) -> Tensor:
    """Every token sees every other."""
    return attend(q.flatten(1, 3), k.flatten(1, 3), v.flatten(1, 3), kernel).view_as(q)


def own_view(q: Tensor, k: Tensor, v: Tensor, kernel: AttentionKernel) -> Tensor:
    """Every token sees its view at all times."""
    q_, k_, v_ = (x.flatten(2, 3).flatten(0, 1) for x in (q, k, v))
    return attend(q_, k_, v_, kernel).view_as(q)


def decomposed(q: Tensor, k: Tensor, v: Tensor, kernel: AttentionKernel) -> Tensor:
    """Every token sees its view at all times and the other views at its time; one time after the other."""
    views = q.shape[1]
    others = torch.tensor([[j for j in range(views) if j != i] for i in range(views)], device=q.device).long()

    def seen(x: Tensor, time: int) -> Tensor:
        own = x.flatten(2, 3)  # [B,V,L*S,heads,d]
        elsewhere = x[:, others, time].flatten(2, 3)  # [B,V,(V-1)*S,heads,d]
        return torch.cat((own, elsewhere), dim=2).flatten(0, 1)

    mixed = torch.empty_like(q)
    for time in range(q.shape[2]):
        now = attend(q[:, :, time].flatten(0, 1), seen(k, time), seen(v, time), kernel)
        mixed[:, :, time] = now.view_as(mixed[:, :, time])
    return mixed


class NeighbourGroup(NamedTuple):
    """Views with the same number of neighbours: views int64 [n], and which they see, int64 [n,K]."""

    views: Tensor
    neighbours: Tensor


def neighbour_groups(neighbours: Tensor) -> tuple[NeighbourGroup, ...]:
    """A map bool [V',V] as gathers without masks; a view that sees nobody is in no group."""
    seen = [row.nonzero().flatten() for row in neighbours.cpu()]
    groups = []
    for count in sorted({len(row) for row in seen} - {0}):
        views = [view for view, row in enumerate(seen) if len(row) == count]
        groups.append(
            NeighbourGroup(
                torch.tensor(views, device=neighbours.device),
                torch.stack([seen[view] for view in views]).to(neighbours.device),
            )
        )
    return tuple(groups)


def same_time_neighbours(
    q: Tensor, k: Tensor, v: Tensor, groups: tuple[NeighbourGroup, ...], kernel: AttentionKernel
) -> Tensor:
    """Every token sees the neighbouring views at its time, gathered as keys; q [B,V',...], k and v [B,V,...].

    Views without neighbours get zeros.
    """
    mixed = torch.zeros_like(q)
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # [B,L,V,S,heads,d], so that each gather is one copy
    for views, neighbours in groups:
        q_ = q[:, :, views]  # [B,L,n,S,heads,d]
        k_, v_ = (x[:, :, neighbours].flatten(3, 4).flatten(0, 2) for x in (k, v))  # [B*L*n,K*S,heads,d]
        mixed[:, views] = attend(q_.flatten(0, 2), k_, v_, kernel).view_as(q_).transpose(1, 2)
    return mixed


Pattern: TypeAlias = Callable[[Tensor, Tensor, Tensor, AttentionKernel], Tensor]
SELF_PATTERNS: dict[ViewMixing, Pattern] = {"joint": joint, "neighbours": own_view, "decomposed": decomposed}


# -- modules ------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Projections of an attention, without biases; queries and keys are normalised per head.

    kernel, piece and layout are set from outside: see ``tuning`` and ``parallel``.
    """

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(context_width, width, bias=False)
        self.v_proj = nn.Linear(context_width, width, bias=False)
        self.output_proj = nn.Linear(width, width, bias=False)
        self.q_norm = RMSNorm(width // heads)
        self.k_norm = RMSNorm(width // heads)
        self.kernel: AttentionKernel = "auto"
        self.piece: int | None = None
        self.layout: Layout = WHOLE

    def queries(self, x: Tensor, rotary: Rotary | None = None) -> Tensor:
        """[...,width] -> [...,heads,d], normalised and turned."""
        return self._normalised(self.q_proj(x), self.q_norm, rotary)

    def keys(self, x: Tensor, rotary: Rotary | None = None) -> Tensor:
        """[...,context_width] -> [...,heads,d], normalised and turned."""
        return self._normalised(self.k_proj(x), self.k_norm, rotary)

    def values(self, x: Tensor) -> Tensor:
        """[...,context_width] -> [...,heads,d]."""
        return self._heads(self.v_proj(x))

    def output(self, mixed: Tensor) -> Tensor:
        """[...,heads,d] -> [...,width]."""
        projected: Tensor = self.output_proj(mixed.flatten(-2))
        return projected

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1))

    def _normalised(self, x: Tensor, norm: RMSNorm, rotary: Rotary | None) -> Tensor:
        def one_part(part: Tensor) -> Tensor:
            normalised = norm(self._heads(part))
            return normalised if rotary is None else rotate(normalised, rotary)

        return in_pieces(one_part, x, 1 if self.piece else None, dim=1)  # a view at a time: it takes fp32 copies


class SelfAttention(Attention):
    """Attention among the tokens of a clip, in the pattern of the network."""

    def __init__(self, width: int, heads: int, mixing: ViewMixing) -> None:
        super().__init__(width, width, heads)
        self.pattern = SELF_PATTERNS[mixing]

    def forward(self, x: Tensor, rotary: Rotary) -> Tensor:
        """x [B,V,L,S,D]."""
        q = self.layout.to_heads(self.queries(x, rotary))
        k = self.layout.to_heads(self.keys(x, rotary))
        v = self.layout.to_heads(self.values(x))
        return self.output(self.layout.to_tokens(self.pattern(q, k, v, self.kernel)))


class CrossViewAttention(Attention):
    """Attention to the neighbouring views at the same time, without positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, width, heads)

    def forward(self, x: Tensor, groups: tuple[NeighbourGroup, ...]) -> Tensor:
        """x [B,V,L,S,D]."""
        q = self.layout.to_heads(self.queries(x))
        k = self.layout.fetch_views(self.layout.to_heads(self.keys(x)))
        v = self.layout.fetch_views(self.layout.to_heads(self.values(x)))
        return self.output(self.layout.to_tokens(same_time_neighbours(q, k, v, groups, self.kernel)))


class TextAttention(Attention):
    """Attention of every view to its own text; padding is seen too, as in training."""

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """x [B,V,L,S,D], text [B,V,N,C]."""
        q = self.queries(x)
        q_ = q.flatten(2, 3).flatten(0, 1)
        k, v = self.keys(text).flatten(0, 1), self.values(text).flatten(0, 1)
        kernel: AttentionKernel = "auto" if self.kernel == "int8" else self.kernel
        return self.output(attend(q_, k, v, kernel).view_as(q))
