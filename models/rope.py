"""Rotary positions over time, height and width (RoFormer, arXiv:2104.09864, with stretched bases)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .config import TransformerConfig
from .errors import ShapeError


class Rotary(NamedTuple):
    """Cosine and sine of the angles of one view's tokens, fp32 [L,S,d/2] each, S = h*w row by row."""

    cos: Tensor
    sin: Tensor


def rotary_table(
    config: TransformerConfig, latent_frames: int, tokens_h: int, tokens_w: int, device: torch.device | str = "cpu"
) -> Rotary:
    """The table of one view; it is the same for every view, which only their identity tells apart."""
    angles = rotary_angles(config, latent_frames, tokens_h, tokens_w).to(device)
    return Rotary(angles.cos(), angles.sin())


def rotary_angles(config: TransformerConfig, latent_frames: int, tokens_h: int, tokens_w: int) -> Tensor:
    """Angles in radians, fp32 [L,S,d/2], per token [t | h | w].

    An axis of width d with ratio r has the base 10000 r^(d/(d-2)) and the frequencies base^(-2k/d).
    """
    for name, size, most in (
        ("latent frames", latent_frames, config.max_latent_frames),
        ("token rows", tokens_h, config.max_tokens_h),
        ("token columns", tokens_w, config.max_tokens_w),
    ):
        if size > most:
            raise ShapeError(f"{size} {name} are more than the {most} positions of the network")
    width_hw = config.head_size // 6 * 2
    width_t = config.head_size - 2 * width_hw
    t = _axis_angles(latent_frames, width_t, config.rope_ratio_t, config.round_rope_exponents)
    h = _axis_angles(tokens_h, width_hw, config.rope_ratio_h, config.round_rope_exponents)
    w = _axis_angles(tokens_w, width_hw, config.rope_ratio_w, config.round_rope_exponents)
    grid = (latent_frames, tokens_h, tokens_w)
    parts = (t[:, None, None].expand(*grid, -1), h[None, :, None].expand(*grid, -1), w.expand(*grid, -1))
    return torch.cat(parts, dim=-1).flatten(1, 2)


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Turn queries or keys [...,L,S,heads,d] by their positions: (a, b) -> (a cos - b sin, b cos + a sin), in fp32."""
    a, b = x.float().chunk(2, dim=-1)
    cos, sin = rotary.cos.unsqueeze(-2), rotary.sin.unsqueeze(-2)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


def _axis_angles(count: int, width: int, ratio: float, round_exponents: bool) -> Tensor:
    exponents = torch.arange(0, width, 2)[: width // 2].float() / width
    if round_exponents:
        exponents = exponents.bfloat16().float()
    base = 10000.0 * ratio ** (width / (width - 2))
    return torch.outer(torch.arange(count).float(), 1.0 / base**exponents)
