"""Frames pass through a codec one view after another, with the reference's rounding, and wrong sizes are refused."""

from __future__ import annotations

import re
from typing import Any, Self

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.codec import Codec, decode_frames, encode_frames, resize_frames
from models.errors import ModelError, ShapeError
from models.shapes import UInt8Array, check_video_size, latent_frame_count, pixel_frame_count


class FirstFrames:
    """Latents are the mean colours of a cell in the first frame of each group; decoding repeats them."""

    latent_channels, spatial_factor, temporal_factor = 3, 8, 4
    device = torch.device("cpu")

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.dtype = dtype
        self.encoded: list[Tensor] = []

    def identity(self) -> dict[str, Any]:
        return {"kind": "first-frames"}

    def working_bytes(self, frames: int, height_px: int, width_px: int) -> int:
        return 0

    def to(self, device: torch.device | str) -> Self:
        return self

    def encode(self, video: Tensor) -> Tensor:
        self.encoded.append(video)
        return functional.avg_pool3d(video[:, :, ::4].float(), (1, 8, 8))

    def decode(self, latents: Tensor) -> Tensor:
        cells = latents.repeat_interleave(8, dim=3).repeat_interleave(8, dim=4)
        return torch.cat([cells[:, :, :1], cells[:, :, 1:].repeat_interleave(4, dim=2)], dim=2)


def _frames(*sizes: int) -> UInt8Array:
    return np.random.default_rng(0).integers(0, 256, (*sizes, 3), dtype=np.uint8)


def _refusing(sentence: str) -> Any:
    return pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$")


@pytest.mark.parametrize(("frames", "latents"), [(0, 0), (1, 1), (5, 2), (29, 8), (93, 24)])
def test_frame_counts_convert_both_ways(frames: int, latents: int) -> None:
    assert latent_frame_count(frames) == latents and pixel_frame_count(latents) == frames


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        (30, "30 frames are not 4k+1. Use 29 or 33"),
        (28, "28 frames are not 4k+1. Use 25 or 29"),
        (2, "2 frames are not 4k+1. Use 1 or 5"),
        (-3, "-3 frames: a count cannot be below 0"),
    ],
)
def test_other_frame_counts_are_refused(frames: int, sentence: str) -> None:
    with _refusing(sentence):
        latent_frame_count(frames)


def test_negative_latent_frame_counts_are_refused() -> None:
    with _refusing("-1 latent frames: a count cannot be below 0"):
        pixel_frame_count(-1)


def test_views_are_encoded_one_after_another() -> None:
    codec, frames = FirstFrames(), _frames(3, 5, 16, 24)
    latents = encode_frames(codec, frames)
    assert latents.shape == (3, 3, 2, 2, 3) and latents.dtype == torch.float32
    assert [video.shape for video in codec.encoded] == [(1, 3, 5, 16, 24)] * 3
    means = frames[:, ::4].reshape(3, 2, 2, 8, 3, 8, 3).mean(axis=(3, 5), dtype=np.float64)  # [V,L,h,w,3]
    assert latents.numpy() == pytest.approx(np.moveaxis(means / 127.5 - 1, -1, 1), abs=1e-6)


def test_pixels_are_rounded_as_the_codecs_dtype_rounds_them() -> None:
    codec = FirstFrames(torch.bfloat16)
    levels = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 16, 16, 3)
    encode_frames(codec, levels)
    seen = codec.encoded[0][0, 0, 0].flatten()
    # Both operations round to eight significant bits: 10 / 127.5 = 0.0784 lies on a grid of 2^-11.
    assert seen.dtype == torch.bfloat16
    assert [seen[level].item() for level in (0, 255)] == [-1.0, 1.0]
    assert seen[10].item() == torch.tensor(round(10 / 127.5 * 2**11) / 2**11 - 1).bfloat16().item()
    assert torch.equal(seen, (torch.arange(256).bfloat16() / 127.5) - 1)
    assert not torch.equal(seen, (torch.arange(256) / 127.5 - 1).bfloat16())


def test_read_only_and_strided_frames_are_taken() -> None:
    frames = _frames(2, 5, 16, 24)
    mirrored = np.ascontiguousarray(frames[:, :, :, ::-1])
    mirrored.setflags(write=False)
    assert torch.equal(encode_frames(FirstFrames(), mirrored), encode_frames(FirstFrames(), frames[:, :, :, ::-1]))


def test_decoded_values_are_truncated_to_levels() -> None:
    values = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.999, 1.0, 7.0])
    latents = values.view(1, 1, 1, 1, 7).expand(2, 3, 2, 1, 7)
    frames = decode_frames(FirstFrames(), latents)
    assert frames.shape == (2, 5, 8, 56, 3) and frames.dtype == np.uint8
    # 255 (y + 1) / 2 = 63.75, 127.5, 254.87 are cut, not rounded.
    assert (frames == np.repeat([0, 0, 63, 127, 254, 255, 255], 8)[:, None]).all()


def test_flat_colours_survive_the_round_trip_to_one_level() -> None:
    frames = np.repeat(np.repeat(_frames(2, 2, 2, 3), 8, axis=2), 8, axis=3)[:, [0, 1, 1, 1, 1]]
    again = decode_frames(FirstFrames(), encode_frames(FirstFrames(), frames))
    difference = frames[:, [0, 1, 1, 1, 1]].astype(int) - again
    assert again.shape == frames.shape and difference.min() >= 0 and difference.max() <= 1


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        (
            np.zeros((6, 29, 720, 1280), dtype=np.float32),
            "control: expected [V,T,H,W,3] uint8, got [6,29,720,1280] float32",
        ),
        (np.zeros((1, 6, 8, 8, 3), dtype=np.uint8), "control: 6 frames are not 4k+1. Use 5 or 9"),
        (np.zeros((1, 0, 8, 8, 3), dtype=np.uint8), "control: 0 frames of 8x8 hold no pixels"),
        (np.zeros((0, 5, 8, 8, 3), dtype=np.uint8), "control: there is no view"),
        (
            np.zeros((1, 1, 90, 161, 3), dtype=np.uint8),
            "control: sides of 161x90 are not both multiples of 8. Resize to 160x88",
        ),
    ],
)
def test_frames_no_codec_can_take_are_refused(frames: Any, sentence: str) -> None:
    with _refusing(sentence):
        encode_frames(FirstFrames(), frames, "control")


def test_small_sides_are_never_advised_to_vanish() -> None:
    with _refusing("frames: sides of 3x16 are not both multiples of 8. Resize to 8x16"):
        check_video_size("frames", 1, 16, 3)


def test_latents_of_another_codec_are_refused() -> None:
    with _refusing("latents: expected [V,3,L,h,w], got [1,16,2,1,1] float32"):
        decode_frames(FirstFrames(), torch.zeros(1, 16, 2, 1, 1))
    with _refusing("latents: [0,3,2,1,1] holds nothing to decode"):
        decode_frames(FirstFrames(), torch.zeros(0, 3, 2, 1, 1))


def test_latents_that_are_not_finite_are_not_made_into_pictures() -> None:
    latents = torch.zeros(1, 3, 1, 2, 2)
    latents[0, 0, 0, 1, 1] = float("nan")
    sentence = "latents: not all values are finite. Lower the guidance, or run the network in float32"
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        decode_frames(FirstFrames(), latents)


@pytest.mark.parametrize(("width_px", "height_px"), [(24, 16), (100, 90), (7, 31), (41, 30)])
def test_resizing_is_torchs_antialiased_bilinear_rounded(width_px: int, height_px: int) -> None:
    frames = _frames(3, 30, 41)
    batch = torch.tensor(frames).permute(0, 3, 1, 2).float()
    wanted = functional.interpolate(batch, (height_px, width_px), mode="bilinear", antialias=True).round()
    resized = resize_frames(frames, width_px, height_px)
    assert resized.shape == (3, height_px, width_px, 3) and resized.dtype == np.uint8
    assert np.array_equal(resized, wanted.permute(0, 2, 3, 1).numpy())


def test_resizing_keeps_flat_colours_and_frames_of_the_size_asked_for() -> None:
    flat = np.broadcast_to(np.array([0, 128, 255], dtype=np.uint8), (2, 30, 41, 3))
    assert (resize_frames(flat, 16, 64) == [0, 128, 255]).all()
    frames = _frames(2, 30, 41)
    assert np.array_equal(resize_frames(frames, 41, 30), frames)


def test_halving_averages_with_a_triangle() -> None:
    row = np.array([0, 0, 240, 240, 240, 240, 240, 240], dtype=np.uint8)
    frames = np.broadcast_to(row[None, None, :, None], (1, 8, 8, 3))
    # A new pixel weighs the four nearest 1/8, 3/8, 3/8, 1/8; plain bilinear would weigh two of them 1/2.
    assert resize_frames(frames, 4, 4)[0, 2, :, 0].tolist() == [34, 210, 240, 240]


def test_resizing_to_or_from_nothing_is_refused() -> None:
    with _refusing("frames: cannot resize 41x30 to 0x30"):
        resize_frames(_frames(1, 30, 41), 0, 30)
    with _refusing("frames: expected [T,H,W,3] uint8, got [1,1,8,8,3] uint8"):
        resize_frames(_frames(1, 1, 8, 8), 8, 8)


def test_the_stand_in_is_a_codec() -> None:
    codec: Codec = FirstFrames()
    assert codec.identity()["kind"] == "first-frames"
