"""Between frames and latents: what a video codec is, and how pictures pass through one view after another."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .errors import ModelError, ShapeError
from .shapes import UInt8Array, check_video_size, expect, pixel_frame_count


class Codec(Protocol):
    """Turns video into latents and back; causal, so the first latent frames depend on the first frames only.

    latent_channels: C. spatial_factor: pixels per latent cell and side. temporal_factor: frames per latent frame.
    """

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""

    @property
    def spatial_factor(self) -> int:
        """Pixels per latent cell and side."""

    @property
    def temporal_factor(self) -> int:
        """Frames per latent frame after the first."""

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its results are."""

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in; its results are always float32."""

    def identity(self) -> dict[str, Any]:
        """What tells this codec from others, for provenance: kind, hash of the weights, dtype."""

    def encode(self, video: Tensor) -> Tensor:
        """Video [N,3,T,H,W] in [-1,1] of any floating dtype to latents float32 [N,C,L,h,w]."""

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N,C,L,h,w] to video float32 [N,3,T,H,W] in [-1,1]."""

    def working_bytes(self, frames: int, height_px: int, width_px: int) -> int:
        """Peak memory of decoding one video, beside the weights."""

    def to(self, device: torch.device | str) -> Self:
        """Move it to a device, in place."""


def encode_frames(codec: Codec, frames: UInt8Array, name: str = "frames") -> Tensor:
    """Frames uint8 [V,T,H,W,3] to latents float32 [V,C,L,h,w] on the codec's device, one view after another.

    Pixels become u / 127.5 - 1 in the codec's dtype, as the released weights saw them: in bfloat16 that rounds.
    name: of the frames in complaints.
    """
    expect(name, frames, "V T H W 3", np.uint8)
    check_video_size(name, *frames.shape[1:4])
    if not len(frames):
        raise ShapeError(f"{name}: there is no view")
    return torch.cat([codec.encode(_to_video(view, codec)) for view in frames])


def decode_frames(codec: Codec, latents: Tensor) -> UInt8Array:
    """Latents [V,C,L,h,w] to frames uint8 [V,T,H,W,3], one view after another.

    255 (y + 1) / 2 is clamped and truncated, not rounded: chunks of the reference are handed over like this.
    """
    expect("latents", latents, f"V {codec.latent_channels} L h w")
    if not all(latents.shape):
        raise ShapeError(f"latents: [{','.join(map(str, latents.shape))}] holds nothing to decode")
    if not latents.isfinite().all():
        raise ModelError("latents: not all values are finite. Lower the guidance, or run the network in float32")
    views, _, latent_frames, height, width = latents.shape
    size = (height * codec.spatial_factor, width * codec.spatial_factor)
    frames = np.empty((views, pixel_frame_count(latent_frames), *size, 3), dtype=np.uint8)
    for index in range(views):
        frames[index] = _to_pixels(codec.decode(latents[index : index + 1].to(codec.device))[0])
    return frames


def resize_frames(frames: UInt8Array, width_px: int, height_px: int) -> UInt8Array:
    """Frames uint8 [T,H,W,3] to another size: bilinear with antialiasing, aspect ratio not kept.

    One frame at a time, in float32 and rounded, as the reference treats its input videos.
    """
    expect("frames", frames, "T H W 3", np.uint8)
    if min(width_px, height_px, *frames.shape[1:3]) < 1:
        raise ShapeError(f"frames: cannot resize {frames.shape[2]}x{frames.shape[1]} to {width_px}x{height_px}")
    resized = np.empty((len(frames), height_px, width_px, 3), dtype=np.uint8)
    for source, target in zip(frames, resized, strict=True):
        picture = _tensor(source).permute(2, 0, 1)[None].float()  # [1,3,H,W]
        picture = functional.interpolate(picture, (height_px, width_px), mode="bilinear", antialias=True)
        target[:] = picture[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return resized


def _to_video(view: UInt8Array, codec: Codec) -> Tensor:
    """uint8 [T,H,W,3] -> [1,3,T,H,W] in the codec's dtype."""
    pixels = _tensor(view).to(codec.device).to(codec.dtype)
    return (pixels / 127.5 - 1).permute(3, 0, 1, 2)[None]


def _tensor(array: UInt8Array) -> Tensor:
    """A copy: torch takes neither read-only memory nor mirrored axes."""
    return torch.from_numpy(np.array(array, order="C"))


def _to_pixels(video: Tensor) -> UInt8Array:
    """[3,T,H,W] in [-1,1] -> uint8 [T,H,W,3]."""
    scaled = video.add(1).div_(2).clamp_(0, 1).mul_(255)
    pixels: UInt8Array = scaled.byte().permute(1, 2, 3, 0).cpu().numpy()
    return pixels
