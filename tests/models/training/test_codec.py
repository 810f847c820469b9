"""The small codec starts from principal directions, learns from there, and is the same for the same seed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.codec import decode_frames, encode_frames
from models.errors import ModelError, ShapeError
from models.shapes import UInt8Array
from models.small_codec import SmallCodec, SmallCodecConfig
from models.training.codec import CROP_FRAMES, CROP_PX, fit_codec

SMALL = SmallCodecConfig(latent_channels=16, width=32, blocks=2, fine_width=16)


def _smooth_clip(seed: int, frames: int = 13) -> UInt8Array:
    """A few colour waves that drift, [T,88,96,3]: everything in them is smooth."""
    rng = np.random.default_rng(seed)
    t, y, x = np.meshgrid(np.arange(frames), np.arange(88), np.arange(96), indexing="ij")
    waves = np.zeros((frames, 88, 96, 3))
    for _ in range(6):
        across, down, drift = rng.normal(0, (0.12, 0.12, 0.1))
        waves += rng.normal(0, 18, 3) * np.sin(across * x + down * y + drift * t + rng.uniform(0, 6.28))[..., None]
    return np.clip(128 + waves, 0, 255).astype(np.uint8)


def _drawn_clip(seed: int, frames: int = 13) -> UInt8Array:
    """Bright stripes on black that move sideways, [T,88,96,3]: as hard as a control video's lines."""
    rng = np.random.default_rng(seed)
    clip = np.zeros((frames, 88, 96, 3), dtype=np.uint8)
    for _ in range(4):
        start, speed, colour = rng.integers(96), rng.integers(-2, 3), 255 * rng.integers(0, 2, 3)
        for frame in range(frames):
            left = int(start + speed * frame) % 92
            clip[frame, :, left : left + 4] = colour
    return clip


SMOOTH = [_smooth_clip(seed) for seed in range(8)]
DRAWN = [_drawn_clip(seed) for seed in range(8)]


def _psnr_db(codec: SmallCodec, frames: UInt8Array, noise: float = 0.0) -> float:
    latents = encode_frames(codec, frames[None])
    latents = latents + noise * torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    error = decode_frames(codec, latents)[0].astype(float) - frames
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def _same(one: SmallCodec, other: SmallCodec) -> bool:
    return one.identity() == other.identity()


@pytest.fixture(scope="module")
def linear() -> SmallCodec:
    return fit_codec(SMOOTH, SMALL, steps=0)


def _latents(codec: SmallCodec, clips: list[UInt8Array]) -> Tensor:
    return torch.cat([encode_frames(codec, clip[None, :9, :80, :80]) for clip in clips])


def test_latents_of_the_clips_have_mean_zero_and_deviation_one(linear: SmallCodec) -> None:
    latents = _latents(linear, SMOOTH)
    for part in (latents[:, :, :1], latents[:, :, 1:]):
        assert part.mean(dim=(0, 2, 3, 4)).abs().max() < 0.4
        assert (part.std(dim=(0, 2, 3, 4)) - 1).abs().max() < 0.4


def test_statistics_are_exact_on_the_crops_they_are_taken_from() -> None:
    whole = [clip[:CROP_FRAMES, :CROP_PX, :CROP_PX] for clip in SMOOTH]
    latents = _latents(fit_codec(whole, SMALL, steps=0, controls=DRAWN), whole)
    for part in (latents[:, :, :1], latents[:, :, 1:]):
        assert part.mean(dim=(0, 2, 3, 4)).abs().max() < 1e-3
        assert (part.std(dim=(0, 2, 3, 4), correction=0) - 1).abs().max() < 1e-3


def test_what_lies_in_the_principal_directions_comes_back(linear: SmallCodec) -> None:
    generator = torch.Generator().manual_seed(0)
    latents = 0.1 * torch.randn(1, 16, 3, 4, 4, generator=generator)
    assert (linear.encode(linear.decode(latents)) - latents).abs().max() < 1e-3


def test_smooth_videos_need_few_channels(linear: SmallCodec) -> None:
    assert _psnr_db(linear, _smooth_clip(100)) > 35


def test_noise_on_latents_degrades_frames_gracefully(linear: SmallCodec) -> None:
    clean, slight, strong = (_psnr_db(linear, _smooth_clip(100), noise) for noise in (0, 0.1, 0.3))
    assert clean > slight > 32 and strong > 24


def test_a_picture_alone_means_the_same_as_four_that_stand_still(linear: SmallCodec) -> None:
    still = np.repeat(_smooth_clip(100)[:1], 5, axis=0)
    first, later = encode_frames(linear, still[None])[0].unbind(1)
    closeness = torch.nn.functional.cosine_similarity(first.flatten(), later.flatten(), dim=0)
    assert closeness > 0.9


def test_training_improves_on_the_linear_transform_on_unseen_videos(linear: SmallCodec) -> None:
    trained = fit_codec(SMOOTH, SMALL, steps=30)
    assert _psnr_db(trained, _smooth_clip(100)) > _psnr_db(linear, _smooth_clip(100)) + 0.5


def test_control_videos_shape_the_transform() -> None:
    unseen = _drawn_clip(100)
    without, with_them = (_psnr_db(fit_codec(SMOOTH, SMALL, steps=0, controls=c), unseen) for c in ([], DRAWN))
    assert with_them > without + 1


def test_the_same_seed_gives_the_same_weights() -> None:
    def fitted(seed: int) -> SmallCodec:
        return fit_codec(SMOOTH, SMALL, steps=3, seed=seed, controls=DRAWN)

    torch.manual_seed(5)
    state = torch.get_rng_state()
    one = fitted(1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert _same(one, fitted(1)) and not _same(one, fitted(2))


def test_latents_do_not_change_while_the_decoder_learns(linear: SmallCodec) -> None:
    trained = fit_codec(SMOOTH, SMALL, steps=3)
    video = SMOOTH[0][None]
    assert torch.equal(encode_frames(trained, video), encode_frames(linear, video))
    assert not _same(trained, linear)


def test_clips_are_read_once_and_steps_reported() -> None:
    def once() -> Iterator[UInt8Array]:
        yield from SMOOTH

    steps: list[int] = []
    losses: list[float] = []

    def note(step: int, loss: float) -> None:
        steps.append(step)
        losses.append(loss)

    codec = fit_codec(once(), SMALL, steps=4, progress=note)
    assert steps == [1, 2, 3, 4] and all(0 < loss < 1 for loss in losses)
    assert not codec.training and not any(parameter.requires_grad for parameter in codec.parameters())
    assert _same(codec, fit_codec(SMOOTH, SMALL, steps=4))


def _refusing(kind: type[Exception], sentence: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(sentence)}$")


def test_clips_that_cannot_be_trained_on_are_refused() -> None:
    with _refusing(ModelError, "clips: there are none. A codec needs videos to learn from"):
        fit_codec([], SMALL, steps=0)
    sentence = "clips[1]: 5 frames of 96x88 are too small to train on. Use at least 9 frames of 80x80"
    with _refusing(ShapeError, sentence):
        fit_codec([SMOOTH[0], SMOOTH[0][:5]], SMALL, steps=0)
    with _refusing(ShapeError, "controls[0]: expected [T,H,W,3] uint8, got [13,88,96,3] float32"):
        fit_codec(SMOOTH, SMALL, steps=0, controls=[DRAWN[0].astype(np.float32)])  # type: ignore[list-item]


def test_a_loss_that_is_not_finite_stops_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.training.codec._loss", lambda difference: difference.sum() * float("nan"))
    sentence = "step 1 of 5: the codec's loss is not finite. Check the clips, or train anew"
    with _refusing(ModelError, sentence):
        fit_codec(SMOOTH, SMALL, steps=5)
