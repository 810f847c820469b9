"""The linear half of the small codec: blocks of 8x8 pixels and one or four frames, to channels and back."""

from __future__ import annotations

from torch import Tensor, nn

from .shapes import SPATIAL_FACTOR, TEMPORAL_FACTOR

FIRST_BLOCK = 3 * SPATIAL_FACTOR**2
"""Numbers in a block of the first frame, which stands alone."""

LATER_BLOCK = TEMPORAL_FACTOR * FIRST_BLOCK
"""Numbers in a block of any later group of four frames."""


class BlockTransform(nn.Module):
    """An affine map from every block to C channels, and one back; each has its own weights for the first frame.

    A group is the first frame alone, or four frames after it: [N,3,F,H,W] with F of 1 or 4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.analyse_first = nn.Linear(FIRST_BLOCK, channels)
        self.analyse_later = nn.Linear(LATER_BLOCK, channels)
        self.synthesise_first = nn.Linear(channels, FIRST_BLOCK)
        self.synthesise_later = nn.Linear(channels, LATER_BLOCK)

    def analyse(self, group: Tensor) -> Tensor:
        """[N,3,F,H,W] -> [N,C,h,w]."""
        linear = self.analyse_first if group.shape[2] == 1 else self.analyse_later
        latent: Tensor = linear(blocks_of(group))  # [N,h,w,C]
        return latent.permute(0, 3, 1, 2)

    def synthesise(self, latent: Tensor, frames: int) -> Tensor:
        """[N,C,h,w] -> [N,3,F,H,W], F of 1 or 4."""
        linear = self.synthesise_first if frames == 1 else self.synthesise_later
        return group_of(linear(latent.permute(0, 2, 3, 1)), frames)


def blocks_of(group: Tensor) -> Tensor:
    """[N,3,F,H,W] -> [N,h,w,3F64], every block flat."""
    blocks = group.unflatten(4, (-1, SPATIAL_FACTOR)).unflatten(3, (-1, SPATIAL_FACTOR))  # [N,3,F,h,8,w,8]
    return blocks.permute(0, 3, 5, 1, 2, 4, 6).flatten(3)


def group_of(blocks: Tensor, frames: int) -> Tensor:
    """[N,h,w,3F64] -> [N,3,F,H,W], the inverse of ``blocks_of``."""
    parts = blocks.unflatten(3, (3, frames, SPATIAL_FACTOR, SPATIAL_FACTOR))
    return parts.permute(0, 3, 4, 1, 5, 2, 6).flatten(5).flatten(3, 4)
