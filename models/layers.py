"""Small parts of the network, each with the precision the released weights were trained in.

With bfloat16 weights the timestep, the modulation and the last layer still work in fp32: their weights are raised
to fp32 where they are used. With fp32 weights nothing is cast.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6


def in_pieces(function: Callable[[Tensor], Tensor], x: Tensor, piece: int | None, dim: int) -> Tensor:
    """``function(x)``, at most ``piece`` entries of an axis at a time, so that what it needs inside stays small."""
    if piece is None or x.shape[dim] <= piece:
        return function(x)
    return torch.cat([function(part) for part in x.split(piece, dim)], dim)


def linear_fp32(layer: nn.Linear, x: Tensor) -> Tensor:
    """A linear layer in fp32, whatever its weights are stored in."""
    bias = None if layer.bias is None else layer.bias.float()
    return functional.linear(x.float(), layer.weight.float(), bias)


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last axis, computed in fp32, returned in the dtype of x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """x [...,width]."""
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)
        return (scaled * self.weight.float()).to(x.dtype)


class Sinusoid(nn.Module):
    """A number as [cos(s f) | sin(s f)], f = 10000^(-k/(width/2)), fp32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, scaled_time: Tensor) -> Tensor:
        """[...] -> [...,width]."""
        half = self.width // 2
        steps = torch.arange(half, dtype=torch.float32, device=scaled_time.device)
        angles = scaled_time.float().unsqueeze(-1) * torch.exp(-math.log(10000.0) * steps / half)
        return torch.cat((angles.cos(), angles.sin()), dim=-1)


class TimeMLP(nn.Module):
    """From the sinusoid to a shift, scale and gate that all sublayers share, fp32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, width, bias=False)
        self.linear_2 = nn.Linear(width, 3 * width, bias=False)

    def forward(self, sinusoid: Tensor) -> Tensor:
        """[...,D] -> [...,3D]."""
        return linear_fp32(self.linear_2, functional.silu(linear_fp32(self.linear_1, sinusoid)))


class Modulation(nn.Sequential):
    """Shift, scale (and gate) from the time embedding through a low rank, fp32."""

    def __init__(self, width: int, rank: int, parts: int) -> None:
        super().__init__(nn.SiLU(), nn.Linear(width, rank, bias=False), nn.Linear(rank, parts * width, bias=False))

    def forward(self, time: Tensor) -> Tensor:
        """[...,D] -> [...,parts*D]."""
        activation, narrow, wide = self
        assert isinstance(narrow, nn.Linear) and isinstance(wide, nn.Linear)
        return linear_fp32(wide, linear_fp32(narrow, activation(time.float())))


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """LayerNorm(x) (1 + scale) + shift, in the dtype of x."""
    return functional.layer_norm(x, x.shape[-1:], eps=EPSILON) * (1 + scale.to(x.dtype)) + shift.to(x.dtype)


class MLP(nn.Module):
    """Two layers with an exact GELU between. piece: tokens at a time, None for all."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.layer1 = nn.Linear(width, hidden, bias=False)
        self.layer2 = nn.Linear(hidden, width, bias=False)
        self.piece: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x [B,V,L,S,D]."""
        flat = x.flatten(0, -2)
        return in_pieces(lambda part: self.layer2(functional.gelu(self.layer1(part))), flat, self.piece, dim=0).view_as(
            x
        )


class PatchEmbed(nn.Module):
    """Latents [B,V,C,L,h,w] as tokens [B,V,L,S,D]; features of a patch in the order channel, row, column."""

    def __init__(self, channels: int, patch: int, width: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Sequential(nn.Identity(), nn.Linear(channels * patch * patch, width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """x [B,V,C,L,h,w]."""
        p = self.patch
        cells = x.unflatten(-1, (-1, p)).unflatten(-3, (-1, p))  # [B,V,C,L,rows,p,columns,p]
        patches = cells.permute(0, 1, 3, 4, 6, 2, 5, 7).flatten(-3).flatten(3, 4)  # [B,V,L,S,C*p*p]
        tokens: Tensor = self.proj(patches)
        return tokens


class FinalLayer(nn.Module):
    """Tokens as a velocity: modulation without gate, then a linear layer to patches, all in fp32.

    piece: not None for one view at a time, as fp32 copies are large.
    """

    def __init__(self, width: int, rank: int, patch: int, channels: int) -> None:
        super().__init__()
        self.patch, self.channels = patch, channels
        self.linear = nn.Linear(width, patch * patch * channels, bias=False)
        self.adaln_modulation = Modulation(width, rank, parts=2)
        self.piece: int | None = None

    def forward(self, x: Tensor, time: Tensor, shared: Tensor) -> Tensor:
        """x [B,V,L,S,D]; time [B,1|V,1|L,1,D], shared [B,1|V,1|L,1,3D], of which the first 2D are used."""
        shift, scale = (self.adaln_modulation(time) + shared[..., : 2 * x.shape[-1]]).chunk(2, dim=-1)
        if self.piece is None:
            return self._velocity(x, shift, scale)
        per_view = [part.expand(-1, x.shape[1], -1, -1, -1).split(1, dim=1) for part in (shift, scale)]
        views = zip(x.split(1, dim=1), *per_view, strict=True)
        return torch.cat([self._velocity(*view) for view in views], dim=1)

    def _velocity(self, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        return linear_fp32(self.linear, modulate(x.float(), shift, scale))

    def unpatchify(self, patches: Tensor, tokens_h: int) -> Tensor:
        """[B,V,L,S,p*p*C], features in the order row, column, channel -> [B,V,C,L,h,w]."""
        p = self.patch
        cells = patches.unflatten(3, (tokens_h, -1)).unflatten(-1, (p, p, self.channels))
        return cells.permute(0, 1, 7, 2, 3, 5, 4, 6).flatten(-2).flatten(-3, -2)
