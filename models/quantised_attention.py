"""Attention with queries and keys in 8 bits (the scheme of SageAttention, arXiv:2410.02367): lossy.

On CUDA the package sageattention does it in one kernel. Elsewhere the same arithmetic is written out in torch:
slower than exact attention, there to measure what the rounding costs.
"""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor

from .errors import ModelError

_QUERIES_AT_ONCE = 1024


def int8_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(d)) v for q [N,heads,Q,d], k and v [N,heads,K,d], with q and k rounded to 8 bits per token.

    The mean key is taken off first: it adds the same to every score of a query, so softmax does not see it.
    """
    if q.is_cuda:
        return _fused(q, k, v)
    k_int, k_scale = _rounded(k.float() - k.float().mean(dim=-2, keepdim=True))
    parts = []
    for part in q.float().split(_QUERIES_AT_ONCE, dim=-2):
        q_int, q_scale = _rounded(part * q.shape[-1] ** -0.5)
        scores = (q_int @ k_int.transpose(-1, -2)) * q_scale * k_scale.transpose(-1, -2)
        parts.append(torch.softmax(scores, dim=-1).to(v.dtype) @ v)
    return torch.cat(parts, dim=-2)


def require_int8(device: torch.device) -> None:
    """Refuse before the first step what would fail in it."""
    if device.type == "cuda" and find_spec("sageattention") is None:
        raise ModelError(
            "8-bit attention needs the package sageattention on a GPU: install it, or leave attention at auto"
        )


def _rounded(x: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers from -127 to 127, and their scale per token; products of them are exact in fp32."""
    scale = x.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12) / 127.0
    return (x / scale).round(), scale


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    from sageattention import sageattn  # type: ignore[import-not-found,unused-ignore]

    mixed: Tensor = sageattn(q, k, v, tensor_layout="HND", is_causal=False)
    return mixed
