"""What a forward pass costs: arithmetic and memory, from the configuration alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from .config import TransformerConfig
from .errors import CapacityError


@dataclass(frozen=True)
class ClipShape:
    """Latents of a clip. views V, latent_frames L, height and width in latent cells, text tokens per view."""

    views: int
    latent_frames: int
    height: int
    width: int
    text_tokens: int = 512

    def tokens_per_frame(self, config: TransformerConfig) -> int:
        """S."""
        return (self.height // config.patch_size) * (self.width // config.patch_size)

    def tokens(self, config: TransformerConfig) -> int:
        """V L S."""
        return self.views * self.latent_frames * self.tokens_per_frame(config)


def forward_flop(config: TransformerConfig, shape: ClipShape, neighbour_pairs: int | None = None) -> float:
    """Floating-point operations of one forward pass, a multiply-add counting two.

    neighbour_pairs: True entries of the neighbour map, default two per view.
    """
    width, tokens = config.hidden_size, shape.tokens(config)
    frame = shape.tokens_per_frame(config)
    blocks = config.num_blocks + len(config.control_places)
    pairs = 2 * shape.views if neighbour_pairs is None else neighbour_pairs
    view = shape.latent_frames * frame
    seen = {
        "joint": tokens * tokens,
        "neighbours": tokens * view + pairs * shape.latent_frames * frame * frame,
        "decomposed": tokens * (view + (shape.views - 1) * frame),
    }[config.view_mixing]
    projections = 2 * width * width * (6 + 2 * config.mlp_ratio) * tokens
    if config.view_mixing == "neighbours":
        projections += 2 * 4 * width * width * tokens
    text = 4 * tokens * shape.text_tokens * width
    outside = 2 * width * width * tokens * ((8 if config.hint_block else 1) + len(config.control_places))
    return blocks * (4 * width * seen + projections + text) + outside


def activation_bytes(config: TransformerConfig, shape: ClipShape, item_bytes: int, piece: int | None = None) -> int:
    """Peak memory of a forward pass beside the weights, for attention that keeps no scores.

    item_bytes: of the weights' type. piece: tokens of an MLP at a time, see ``tuning``.
    """
    tokens, width = shape.tokens(config), config.hidden_size
    hidden = tokens * width * item_bytes
    resident = 4 * hidden  # tokens, control branch, what the control adds, residual being formed
    in_fp32 = (tokens // shape.views if piece else tokens) * width * 4
    gathered = {"joint": 0, "neighbours": 2, "decomposed": 0}[config.view_mixing] * 2 * hidden
    if config.view_mixing == "decomposed":
        gathered = 2 * hidden * (1 + (shape.views - 1) // max(shape.latent_frames, 1))
    attention = 5 * hidden + 3 * in_fp32 + gathered  # input, queries, keys, values, result
    at_once = min(piece or tokens, tokens)
    mlp = 2 * hidden + 2 * int(at_once * width * config.mlp_ratio) * item_bytes
    final = 3 * in_fp32
    return resident + max(attention, mlp, final)


def require_memory(needed_bytes: int, device: torch.device, what: str) -> None:
    """Refuse before the first step what would not fit. Where free memory cannot be told, nothing is refused."""
    free = free_bytes(device)
    if free is None or needed_bytes <= free:
        return
    raise CapacityError(
        f"{what}: about {needed_bytes / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free on {device}. "
        f"Take fewer views or frames, smaller pictures, or more processes (torchrun)"
    )


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a device; None where it cannot be told."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + cached
    table = Path("/proc/meminfo")
    if device.type != "cpu" or not table.is_file():
        return None
    for line in table.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
