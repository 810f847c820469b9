"""The light half of the small codec's decoder: what the linear half left out, from neighbouring and earlier cells."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .shapes import SPATIAL_FACTOR, TEMPORAL_FACTOR

_STEP = 2
"""Cells per latent cell and side on the finer of the two grids."""

_OUTPUT_SCALE = 0.03
"""How far the linear half is off, about: what the network adds is this times its last layer, which then learns well."""

Memory = list[Tensor]
"""What each block saw of the latent frame before, [N,D,h,w]."""


class Refinement(nn.Module):
    """Residual blocks on the latent grid, then a pixel shuffle, one convolution, and a second pixel shuffle.

    It goes from one latent frame to the next and remembers the one before, so frames depend on earlier latents only.
    Its last layer starts at zero: untrained, it adds nothing.

    channels: C. width: D on the latent grid. blocks: of that width. fine_width: on the grid of twice as many cells.
    """

    def __init__(self, channels: int, width: int, blocks: int, fine_width: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(channels, width, 3, padding=1)
        self.first = nn.Parameter(torch.zeros(width))
        self.blocks = nn.ModuleList(_CausalBlock(width) for _ in range(blocks))
        self.widen = nn.Conv2d(width, fine_width * _STEP**2, 1)
        self.smooth = nn.Conv2d(fine_width, fine_width, 3, padding=1)
        self.head = nn.Conv2d(fine_width, 3 * TEMPORAL_FACTOR * (SPATIAL_FACTOR // _STEP) ** 2, 3, padding=1)
        _start(self.embed, self.widen, self.smooth)
        _start_at_zero(self.head)

    def forward(self, latent: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """One latent frame [N,C,h,w] to what to add to its four frames [N,3,4,H,W], and the memory for the next.

        memory: None at the first latent frame, which stands for the last of the four alone.
        """
        features = self.embed(latent)  # [N,D,h,w]
        if memory is None:
            features = features + self.first[:, None, None]
            memory = [torch.zeros_like(features)] * len(self.blocks)
        seen: Memory = []
        for block, before in zip(self.blocks, memory, strict=True):
            seen.append(features)
            features = block(features, before)
        fine = functional.pixel_shuffle(self.widen(functional.relu(features)), _STEP)
        fine = fine + self.smooth(functional.relu(fine))
        pixels = functional.pixel_shuffle(self.head(functional.relu(fine)), SPATIAL_FACTOR // _STEP)  # [N,12,H,W]
        pixels = pixels * _OUTPUT_SCALE
        return pixels.unflatten(1, (3, TEMPORAL_FACTOR)), seen


class _CausalBlock(nn.Module):
    """Neighbours at this time and the same cell before, through a ReLU, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.neighbours = nn.Conv2d(width, width, 3, padding=1)
        self.before = nn.Conv2d(width, width, 1, bias=False)
        self.out = nn.Conv2d(width, width, 1)
        _start(self.neighbours, self.before)
        _start_at_zero(self.out)

    def forward(self, features: Tensor, before: Tensor) -> Tensor:
        mixed: Tensor = self.neighbours(features) + self.before(before)
        return features + self.out(functional.relu(mixed))


def _start(*layers: nn.Conv2d) -> None:
    """Begin with features that are as large after a ReLU and the layer as before."""
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _start_at_zero(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
