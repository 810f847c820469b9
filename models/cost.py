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
    """Floating-point operations of one forward pass, a multiply-add counting two, preparation included.

    neighbour_pairs: True entries of the neighbour map, default two per view, as in a ring of cameras.
    """
    width, tokens = config.hidden_size, shape.tokens(config)
    frame = shape.tokens_per_frame(config)
    blocks = config.num_blocks + len(config.control_places)
    view = shape.latent_frames * frame
    seen = {
        "joint": tokens * tokens,
        "neighbours": tokens * view + _pairs(shape, neighbour_pairs) * shape.latent_frames * frame * frame,
        "decomposed": tokens * (view + (shape.views - 1) * frame),
    }[config.view_mixing]
    projections = 2 * width * width * (6 + 2 * config.mlp_ratio) * tokens
    if config.view_mixing == "neighbours":
        projections += 2 * 4 * width * width * tokens
    text = 4 * tokens * shape.text_tokens * width
    outside = 2 * width * width * tokens * ((8 if config.hint_block else 1) + len(config.control_places))
    return blocks * (4 * width * seen + projections + text) + outside


def activation_bytes(
    config: TransformerConfig,
    shape: ClipShape,
    item_bytes: int,
    piece: int | None = None,
    neighbour_pairs: int | None = None,
    caches: int = 0,
) -> int:
    """Peak memory of a forward pass beside the weights, for attention that keeps no scores.

    A bound that follows the forward pass tensor by tensor: counted are those of the size of all tokens.
    item_bytes: of the weights' type. piece: tokens of an MLP at a time, see ``tuning``. neighbour_pairs: see above.
    caches: how many StepCaches are in use; each keeps two tensors, and the pass one more.
    """
    tokens, width = shape.tokens(config), config.hidden_size
    hidden, in_fp32 = tokens * width * item_bytes, tokens * width * 4
    # Kept all along: present tokens, the control branch's, what the control adds to them, and with neighbours the
    # tokens after self-attention; what step caches keep.
    kept = (4 if config.view_mixing == "neighbours" else 3) * hidden + (2 * caches + (caches > 0)) * hidden
    # 1. Queries or keys are normalised: input, queries, keys, result, and three copies in fp32.
    in_pieces = hidden + 3 * in_fp32 // (shape.views if piece else 1)
    normalising = 3 * hidden + (max(in_pieces, 2 * hidden) if piece else in_pieces)
    # 2. Attention: input, queries, keys, values, result, and what is gathered for it or made of it.
    mixing = 5 * hidden + int(_gathered(config, shape, neighbour_pairs) * hidden)
    # 3. MLP: block's tokens, input, result, and twice the wide layer; or the result is put together of pieces.
    wide = 2 * int(min(piece or tokens, tokens) * width * config.mlp_ratio) * item_bytes
    mlp = 3 * hidden + max(wide, hidden)
    # 4. Last layer: in fp32, twice put together.
    final = (
        3 * in_fp32 // (shape.views if piece else 1) + 2 * tokens * config.patch_size**2 * config.latent_channels * 4
    )
    return _given_bytes(config, shape, item_bytes) + kept + max(normalising, mixing, mlp, final)


def _pairs(shape: ClipShape, neighbour_pairs: int | None) -> int:
    return shape.views * min(2, shape.views - 1) if neighbour_pairs is None else neighbour_pairs


def _gathered(config: TransformerConfig, shape: ClipShape, neighbour_pairs: int | None) -> float:
    """The most that is alive at once for keys, values and results of attention, in tokens of the whole clip."""
    if config.view_mixing == "joint":
        return 1.0
    if config.view_mixing == "neighbours":
        per_view = _pairs(shape, neighbour_pairs) / shape.views
        return 2 + 2 * per_view  # keys and values as gathered, queries in their order, the result
    seen = 1 + (shape.views - 1) / shape.latent_frames  # by one time's tokens
    return max(3 * seen, 2 * seen + 2 / shape.latent_frames)  # values being put together; result of that time


def _given_bytes(config: TransformerConfig, shape: ClipShape, item_bytes: int) -> int:
    """What is not of every token's width: latents, mask and identity channels, text, rotary table, modulation."""
    tokens = shape.tokens(config)
    per_token = config.patch_size**2 * (
        4 * config.latent_channels + item_bytes * (config.base_channels - config.latent_channels)
    )
    text = shape.views * shape.text_tokens * config.text_width * item_bytes
    rotary = tokens // shape.views * config.head_size * 4
    modulation = 16 * shape.views * shape.latent_frames * config.hidden_size * 4  # where every frame has its own time
    return tokens * per_token + text + rotary + modulation


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
