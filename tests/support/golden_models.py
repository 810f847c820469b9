"""Golden networks and cases of the multi-view generator in our shapes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from network_inputs import NetworkInputs
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoint import load_transformer
from models.config import COSMOS_NEIGHBOURS, RAY_CHANNELS
from models.transformer import MultiViewTransformer
from models.variant import detect_config
from models.weight_files import read_state


def read_tensors(shared: Path, name: str) -> dict[str, Tensor]:
    """Tensors of a golden file."""
    return load_file(shared / "golden" / "model" / f"{name}.safetensors")


def read_facts(shared: Path, name: str) -> dict[str, Any]:
    """What is written about a golden file."""
    facts: dict[str, Any] = json.loads((shared / "golden" / "model" / f"{name}.json").read_text())
    return facts


def golden_network(shared: Path, name: str, dtype: torch.dtype = torch.float32) -> MultiViewTransformer:
    """The network of golden weights; in bfloat16 with rounded rotary exponents, as the official run has them."""
    path = shared / "golden" / "model" / f"{name}.weights.safetensors"
    config = replace(detect_config(read_state(path).shapes), round_rope_exponents=dtype == torch.bfloat16)
    return load_transformer(path, dtype, config=config).eval().requires_grad_(False)


def golden_inputs(shared: Path, name: str) -> NetworkInputs:
    """The inputs of a golden network case, such as ``joint_a.case1_3views_nocond``."""
    tensors, views = read_tensors(shared, name), read_facts(shared, name)["case"]["V"]
    latents = by_view(tensors["x"], views)
    ids = tensors["view_indices"].unflatten(1, (views, -1))[:, :, 0]
    return NetworkInputs(
        latents=latents,
        control=by_view(tensors["control_latent"], views),
        text=tensors["text"].unflatten(1, (views, -1)),
        known=by_view(tensors["condition_mask"], views)[:, :, 0, :, 0, 0],
        timesteps=tensors["timesteps"][:, 0],
        view_ids=ids,
        rays=torch.zeros(views, RAY_CHANNELS, *latents.shape[-2:]),
        neighbours=published_neighbours(ids[0].tolist()),
        padding=tensors["padding_mask"][:, 0],
        control_weight=float(tensors["control_weight"]),
    )


def published_neighbours(view_ids: list[int]) -> Tensor:
    """The published map among these views, bool [V,V]."""
    return torch.tensor([[other in COSMOS_NEIGHBOURS[view] for other in view_ids] for view in view_ids])


def by_view(x: Tensor, views: int) -> Tensor:
    """The reference's [B,C,V*L,h,w] as [B,V,C,L,h,w]."""
    latents: Tensor = x.unflatten(2, (views, -1))
    return latents.transpose(1, 2)
