"""Moments of blocks of pixels, and the block transform that follows from them without any training."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..block_transform import FIRST_BLOCK, LATER_BLOCK, BlockTransform, blocks_of
from ..shapes import TEMPORAL_FACTOR

_SHAPING = 0.5
"""Power of the principal variances that the latents keep: 0 would make all directions equal, 1 keep them as in pixels.

A half is where noise on the latents, or the errors of a network that makes them, disturb the pixels least: their energy
is the sum of variances to this power times the sum of variances to the rest.
"""


@dataclass
class Moments:
    """Sums over flat blocks of one size, in float64.

    total: [D]. outer: [D,D]. count: of blocks.
    """

    total: Tensor
    outer: Tensor
    count: int = 0

    def add(self, blocks: Tensor) -> None:
        """Take in blocks [...,D]."""
        rows = blocks.flatten(0, -2).double()
        self.total += rows.sum(0)
        self.outer += rows.T @ rows
        self.count += len(rows)

    def mean(self) -> Tensor:
        """[D]."""
        return self.total / self.count

    def around(self, centre: Tensor) -> Tensor:
        """Second moments [D,D] around a point [D]."""
        mean = self.mean()
        outer = torch.outer
        return self.outer / self.count - outer(mean, centre) - outer(centre, mean) + outer(centre, centre)


def _moments(size: int) -> Moments:
    return Moments(torch.zeros(size, dtype=torch.float64), torch.zeros(size, size, dtype=torch.float64))


@dataclass
class BlockStatistics:
    """Moments of single pictures' blocks and of four frames' blocks of one kind of video."""

    first: Moments = field(default_factory=lambda: _moments(FIRST_BLOCK))
    later: Moments = field(default_factory=lambda: _moments(LATER_BLOCK))

    def add(self, video: Tensor) -> None:
        """Take in a video [N,3,T,H,W] of 4k+1 frames in [-1,1]."""
        self.first.add(blocks_of(video[:, :, :1]))
        for group in video[:, :, 1:].split(TEMPORAL_FACTOR, dim=2):
            self.later.add(blocks_of(group))


def principal_transform(kinds: list[tuple[float, BlockStatistics]], channels: int, seed: int) -> BlockTransform:
    """The transform to the principal directions of a mixture of videos, turned so that every channel is alike.

    Latents of the first kind of video have mean 0 and deviation 1 per channel. Those of a first frame are as close as
    a rotation brings them to those of four frames that stand still, so that both mean the same to a network.
    kinds: shares, which add up to 1, and statistics.
    """
    leading = kinds[0][1]
    first = _Principal(_mixed(kinds, "first"), channels)
    later = _Principal(_mixed(kinds, "later"), channels)
    still = torch.eye(FIRST_BLOCK, dtype=torch.float64).view(3, 1, -1, FIRST_BLOCK)
    still = still.expand(3, TEMPORAL_FACTOR, -1, FIRST_BLOCK).reshape(LATER_BLOCK, FIRST_BLOCK)
    first.turn(_nearest_rotation(later.analysis @ still @ first.second_moments @ first.analysis.T))
    mixing = _mixing(later.variances, seed)
    transform = BlockTransform(channels)
    _set(first, mixing, leading.first, transform.analyse_first, transform.synthesise_first)
    _set(later, mixing, leading.later, transform.analyse_later, transform.synthesise_later)
    return transform


class _Principal:
    """Whitened principal directions: analysis [C,D] and its inverse within their span, synthesis [D,C]."""

    def __init__(self, second_moments: Tensor, channels: int) -> None:
        self.second_moments = second_moments
        variances, directions = torch.linalg.eigh(second_moments)
        self.variances = variances[-channels:].flip(0).clamp_min(1e-9)
        directions = directions[:, -channels:].flip(1)  # [D,C]
        self.analysis = (directions / self.variances.sqrt()).T
        self.synthesis = directions * self.variances.sqrt()

    def turn(self, rotation: Tensor) -> None:
        """Apply a rotation [C,C] to the whitened numbers."""
        self.analysis = rotation @ self.analysis
        self.synthesis = self.synthesis @ rotation.T


def _mixed(kinds: list[tuple[float, BlockStatistics]], name: str) -> Tensor:
    """Second moments of the mixture around the mean of its first kind."""
    centre: Tensor = getattr(kinds[0][1], name).mean()
    return torch.stack([share * getattr(each, name).around(centre) for share, each in kinds]).sum(0)


def _nearest_rotation(matrix: Tensor) -> Tensor:
    left, _, right = torch.linalg.svd(matrix)
    return left @ right


def _mixing(variances: Tensor, seed: int) -> Tensor:
    """From whitened numbers to channels [C,C]: give back some of their variance, then turn them at random."""
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(len(variances), len(variances), dtype=torch.float64, generator=generator))[0]
    return rotation * variances.pow(_SHAPING / 2)


def _set(principal: _Principal, mixing: Tensor, leading: Moments, analyse: nn.Linear, synthesise: nn.Linear) -> None:
    """Fill both linear maps, with the leading kind's mean at 0 and its deviation at 1 per channel."""
    analysis = mixing @ principal.analysis  # [C,D]
    covariance = leading.around(leading.mean())
    deviation = (analysis @ covariance @ analysis.T).diagonal().sqrt().clamp_min(1e-6)
    analysis = analysis / deviation[:, None]
    synthesis = principal.synthesis @ torch.linalg.inv(mixing) * deviation
    with torch.no_grad():
        analyse.weight.copy_(analysis)
        analyse.bias.copy_(-analysis @ leading.mean())
        synthesise.weight.copy_(synthesis)
        synthesise.bias.copy_(leading.mean())
