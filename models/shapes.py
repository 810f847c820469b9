"""Shapes at this package's public borders: the one check, and which sizes a video can have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ShapeError

UInt8Array = npt.NDArray[np.uint8]

SPATIAL_FACTOR = 8
"""Pixels per latent cell and side, of every codec."""

TEMPORAL_FACTOR = 4
"""Frames per latent frame after the first, which stands for one frame alone, of every codec."""


def expect(name: str, array: Any, shape: str, dtype: Any = None) -> None:
    """Check an array against a shape such as ``"V T H W 3"``: numbers are fixed, the same letter is the same size.

    dtype: of numpy or torch, or its name. A ShapeError shows both shapes in one sentence.
    """
    axes, wanted = shape.split(), f"[{','.join(shape.split())}]"
    if dtype is not None:
        wanted += f" {_dtype_name(dtype)}"
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        raise ShapeError(f"{name}: expected {wanted}, got {type(array).__name__}")
    sizes, kind = tuple(array.shape), _dtype_name(array.dtype)
    if not _fits(sizes, axes) or (dtype is not None and kind != _dtype_name(dtype)):
        raise ShapeError(f"{name}: expected {wanted}, got [{','.join(map(str, sizes))}] {kind}")


def latent_frame_count(frames: int) -> int:
    """Latent frames of 4k+1 frames: 1 + k; none for no frames. Other counts are a ShapeError."""
    if frames < 0:
        raise ShapeError(f"{frames} frames: a count cannot be below 0")
    if frames and frames % TEMPORAL_FACTOR != 1:
        below = (frames - 1) // TEMPORAL_FACTOR * TEMPORAL_FACTOR + 1
        raise ShapeError(f"{frames} frames are not 4k+1. Use {below} or {below + TEMPORAL_FACTOR}")
    return (frames + TEMPORAL_FACTOR - 1) // TEMPORAL_FACTOR


def pixel_frame_count(latents: int) -> int:
    """Frames of so many latent frames: 4k+1 for 1+k; none for none."""
    if latents < 0:
        raise ShapeError(f"{latents} latent frames: a count cannot be below 0")
    return latents and TEMPORAL_FACTOR * (latents - 1) + 1


def check_video_size(name: str, frames: int, height_px: int, width_px: int) -> None:
    """Refuse videos no codec can take: not 4k+1 frames, none at all, or sides that are not multiples of 8."""
    try:
        latent_frames = latent_frame_count(frames)
    except ShapeError as error:
        raise ShapeError(f"{name}: {error}") from error
    if not (latent_frames and height_px and width_px):
        raise ShapeError(f"{name}: {frames} frames of {width_px}x{height_px} hold no pixels")
    if height_px % SPATIAL_FACTOR or width_px % SPATIAL_FACTOR:
        nearest = (max(1, round(side / SPATIAL_FACTOR)) * SPATIAL_FACTOR for side in (width_px, height_px))
        raise ShapeError(
            f"{name}: sides of {width_px}x{height_px} are not both multiples of {SPATIAL_FACTOR}. "
            f"Resize to {'x'.join(map(str, nearest))}"
        )


def _fits(sizes: tuple[int, ...], axes: list[str]) -> bool:
    if len(sizes) != len(axes):
        return False
    known: dict[str, int] = {}
    return all(
        size == (int(axis) if axis.isdigit() else known.setdefault(axis, size))
        for axis, size in zip(axes, sizes, strict=True)
    )


def _dtype_name(dtype: Any) -> str:
    name = str(dtype)
    return name.removeprefix("torch.") if name.startswith("torch.") else str(np.dtype(dtype))
