"""How colours and contrast change from chunk to chunk of a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenegraph.arrays import FloatArray, UInt8Array, expect

from ..errors import DatasetError
from .clip_sight import lab


@dataclass(frozen=True, eq=False)
class Drift:
    """Per chunk: mean CIELAB colour of every view, float64 [K,V,3], and its spread of lightness, float64 [K,V]."""

    colour: FloatArray
    contrast: FloatArray

    @property
    def colour_shift(self) -> FloatArray:
        """Distance of every chunk's colour from the first chunk's, mean over the views, [K]; begins with 0."""
        return np.asarray(np.linalg.norm(self.colour - self.colour[0], axis=-1).mean(axis=-1))

    @property
    def contrast_ratio(self) -> FloatArray:
        """Every chunk's contrast over the first chunk's, mean over the views, [K]; begins with 1."""
        return np.asarray((self.contrast / np.maximum(self.contrast[0], 1e-6)).mean(axis=-1))


def chunk_drift(frames: UInt8Array, chunks: Sequence[tuple[int, int]]) -> Drift:
    """Colours and contrast of the chunks of a clip. frames: uint8 [V,T,H,W,3]. chunks: start and stop of each."""
    try:
        expect("frames", frames, "V T H W 3", np.uint8)
    except ValueError as error:
        raise DatasetError(f"{error}. Give RGB pictures of bytes, all of one size") from error
    if not chunks:
        raise DatasetError("drift is measured per chunk, and there is none. Name at least one")
    for start, stop in chunks:
        if not 0 <= start < stop <= frames.shape[1]:
            raise DatasetError(f"chunk {start}:{stop} is not a part of a clip of {frames.shape[1]} frames")
    colour, contrast = zip(*(_look(frames[:, start:stop]) for start, stop in chunks), strict=True)
    return Drift(np.stack(colour), np.stack(contrast))


def _look(frames: UInt8Array) -> tuple[FloatArray, FloatArray]:
    """Mean colour [V,3] and mean spread of lightness [V] of some frames."""
    colours = np.stack([np.stack([lab(picture) for picture in view]) for view in frames]).astype(np.float64)
    return colours.mean(axis=(1, 2, 3)), colours[..., 0].std(axis=(2, 3)).mean(axis=1)
