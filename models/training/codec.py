"""Training of the small codec: principal directions of blocks first, then its decoder by gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import ModelError, ShapeError
from ..shapes import UInt8Array, expect
from ..small_codec import SmallCodec, SmallCodecConfig
from .block_statistics import BlockStatistics, principal_transform

CROP_FRAMES, CROP_PX = 9, 80

_CROPS_KEPT = 3000
_CROPS_MEASURED = 500
_CROPS_PER_STEP = 8
_CONTROL_SHARE = 0.25
_LEARNING_RATE = 2e-3
_WARM_UP_STEPS = 50
_EDGE_WEIGHT, _COARSE_WEIGHT = 0.25, 0.25
_COARSE_PX = 4
_NOISY_SHARE, _MOST_NOISE = 0.5, 0.2

Progress = Callable[[int, float], None]
"""Called after every step with its number, from 1, and its loss."""


def fit_codec(
    clips: Iterable[UInt8Array],
    config: SmallCodecConfig | None = None,
    *,
    steps: int = 2000,
    seed: int = 0,
    controls: Iterable[UInt8Array] = (),
    progress: Progress | None = None,
) -> SmallCodec:
    """A codec of videos, and of the control videos that go with them; the same for the same seed and threads.

    Latents of clips have mean 0 and deviation 1 per channel.
    clips: uint8 [T,H,W,3] each, of at least 9 frames and 80x80 pixels; read once, and only crops of them are kept.
    controls: likewise; a quarter of the training is on them. steps: of gradient descent; 0 leaves the linear codec.
    """
    rng = np.random.default_rng(seed)
    torch_seed = int(rng.integers(2**62))
    kinds = [_Crops.of(clips, "clips", seed)]
    if len(drawn := _Crops.of(controls, "controls", seed)):
        kinds.append(drawn)
    if not len(kinds[0]):
        raise ModelError("clips: there are none. A codec needs videos to learn from")
    shares = [1 - _CONTROL_SHARE, _CONTROL_SHARE] if len(kinds) > 1 else [1.0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed)
        codec = SmallCodec(config or SmallCodecConfig())
        statistics = [(share, crops.statistics(rng)) for share, crops in zip(shares, kinds, strict=True)]
        codec.transform = principal_transform(statistics, codec.latent_channels, torch_seed)
        _descend(codec, kinds, shares, steps, rng, progress)
    return codec.eval().requires_grad_(False)


@dataclass
class _Crops:
    """A fair sample of crops uint8 [9,80,80,3] of all clips."""

    kept: list[UInt8Array]

    def __len__(self) -> int:
        return len(self.kept)

    @classmethod
    def of(cls, clips: Iterable[UInt8Array], name: str, seed: int) -> _Crops:
        """Take about half of every clip's content, and keep each crop with the same chance."""
        rng = np.random.default_rng([seed, len(name)])
        crops, taken = cls([]), 0
        for index, clip in enumerate(clips):
            _check_clip(f"{name}[{index}]", clip)
            for _ in range(max(1, clip.size // (6 * CROP_FRAMES * CROP_PX**2))):
                crop = _random_crop(clip, rng)
                place = taken if taken < _CROPS_KEPT else int(rng.integers(taken + 1))
                crops.kept[place : place + 1] = [crop] if place < _CROPS_KEPT else []
                taken += 1
        return crops

    def statistics(self, rng: np.random.Generator) -> BlockStatistics:
        """Of the blocks of some of them."""
        statistics = BlockStatistics()
        for index in rng.permutation(len(self.kept))[:_CROPS_MEASURED]:
            statistics.add(_video([self.kept[index]]))
        return statistics

    def batch(self, count: int, rng: np.random.Generator) -> list[UInt8Array]:
        """Crops drawn at random, half of them mirrored."""
        drawn = [self.kept[index] for index in rng.integers(len(self.kept), size=count)]
        return [crop[:, :, ::-1] if rng.random() < 0.5 else crop for crop in drawn]


def _check_clip(name: str, clip: UInt8Array) -> None:
    expect(name, clip, "T H W 3", np.uint8)
    frames, height_px, width_px = clip.shape[:3]
    if frames < CROP_FRAMES or min(height_px, width_px) < CROP_PX:
        raise ShapeError(
            f"{name}: {frames} frames of {width_px}x{height_px} are too small to train on. "
            f"Use at least {CROP_FRAMES} frames of {CROP_PX}x{CROP_PX}"
        )


def _random_crop(clip: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    t, y, x = (int(rng.integers(size - crop + 1)) for size, crop in zip(clip.shape, _CROP, strict=False))
    return clip[t : t + CROP_FRAMES, y : y + CROP_PX, x : x + CROP_PX].copy()


_CROP = (CROP_FRAMES, CROP_PX, CROP_PX)


def _video(crops: list[UInt8Array]) -> Tensor:
    """uint8 [T,H,W,3] each -> float32 [N,3,T,H,W] in [-1,1]."""
    return torch.from_numpy(np.stack(crops)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def _descend(
    codec: SmallCodec,
    kinds: list[_Crops],
    shares: list[float],
    steps: int,
    rng: np.random.Generator,
    progress: Progress | None,
) -> None:
    """AdamW on everything that decodes; what encodes stays as it is, so that latents keep their statistics."""
    codec.train()
    weights = [*codec.refinement.parameters(), *_synthesis(codec)]
    optimiser = torch.optim.AdamW(weights, lr=_LEARNING_RATE, weight_decay=1e-4, betas=(0.9, 0.98))
    counts = [round(_CROPS_PER_STEP * share) for share in shares]
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * _schedule(step, steps)
        crops = [crop for kind, count in zip(kinds, counts, strict=True) for crop in kind.batch(count, rng)]
        loss = _step_loss(codec, _video(crops))
        if not math.isfinite(value := loss.item()):
            raise ModelError(
                f"step {step + 1} of {steps}: the codec's loss is not finite. Check the clips, or train anew"
            )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if progress is not None:
            progress(step + 1, value)


def _synthesis(codec: SmallCodec) -> list[torch.nn.Parameter]:
    return [*codec.transform.synthesise_first.parameters(), *codec.transform.synthesise_later.parameters()]


def _schedule(step: int, steps: int) -> float:
    """Share of the learning rate: a short rise, then half a cosine down to nothing."""
    warm_up = min(_WARM_UP_STEPS, steps / 10)
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _step_loss(codec: SmallCodec, video: Tensor) -> Tensor:
    """Of decoding latents, some of them noisy: a network that makes latents does not make them exactly."""
    with torch.no_grad():
        latents = codec.analyse(video)  # [N,C,L,h,w]
        noisy = torch.rand(len(latents)) < _NOISY_SHARE
        sigma = torch.rand(len(latents)) * noisy * _MOST_NOISE
        latents = latents + sigma.view(-1, 1, 1, 1, 1) * torch.randn_like(latents)
    return _loss(codec.synthesise(latents) - video)


def _loss(difference: Tensor) -> Tensor:
    """Absolute difference [N,3,T,H,W], of pixels, of edges across and down, and of what is coarse."""
    pixels = difference.abs().mean()
    edges = difference.diff(dim=3).abs().mean() + difference.diff(dim=4).abs().mean()
    coarse = functional.avg_pool3d(difference, (1, _COARSE_PX, _COARSE_PX)).abs().mean()
    return pixels + _EDGE_WEIGHT * edges + _COARSE_WEIGHT * coarse
