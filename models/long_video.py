"""Clips longer than one network pass: chunks that overlap, each begun with the last frames of the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import ModelError, ShapeError
from .request import GenerationRequest, Generator, Progress, quiet
from .shapes import UInt8Array, latent_frame_count

HandOverMode = Literal["pixels", "latents"]
"""How a chunk is continued: from its last frames, encoded again; or from the latents they were decoded from."""


@dataclass(frozen=True)
class Chunk:
    """Frames start..stop of a clip, made in one pass; the first ``overlap`` of them were in the chunk before."""

    index: int
    start: int
    stop: int
    overlap: int

    @property
    def new_frames(self) -> int:
        """Frames it adds to the clip."""
        return self.stop - self.start - self.overlap


def plan_chunks(frames: int, chunk_frames: int, overlap: int) -> tuple[Chunk, ...]:
    """Cut a clip of 4k+1 frames into chunks of ``chunk_frames``; the last may be shorter.

    overlap: 0 (chunks know nothing of each other) or 4k+1. Training saw 0, 1 and 5 known frames; with 1 the motion
    starts anew at every cut.
    """
    latent_frame_count(frames)
    latent_frame_count(chunk_frames)
    if overlap:
        try:
            latent_frame_count(overlap)
        except ShapeError as error:
            raise ShapeError(f"overlap: {error}") from error
    if overlap < 0 or (overlap >= chunk_frames and frames > chunk_frames):
        raise ShapeError(f"overlap: {overlap} frames leave nothing new in a chunk of {chunk_frames}")
    if frames <= chunk_frames:
        return (Chunk(0, 0, frames, 0),)
    step = chunk_frames - overlap
    count = -(-(frames - overlap) // step)
    chunks = tuple(
        Chunk(index, index * step, min(index * step + chunk_frames, frames), overlap if index else 0)
        for index in range(count)
    )
    try:
        latent_frame_count(chunks[-1].stop - chunks[-1].start)
    except ShapeError as error:
        raise ShapeError(f"the last chunk: {error}. Choose another number of frames, or an overlap of 4k+1") from error
    return chunks


@dataclass(frozen=True, eq=False)
class HandOver:
    """What the next chunk needs to know; with it, a stopped clip goes on as if it had not been stopped.

    frames: the last frames of the chunk, uint8 [V,o,H,W,3]. latents: those of them after the first one,
    float32 [V,C,l-1,h,w], or None. colour_mean, colour_std: of every view of the first chunk, float64 [V,3].
    """

    frames: UInt8Array
    latents: npt.NDArray[np.float32] | None
    colour_mean: npt.NDArray[np.float64]
    colour_std: npt.NDArray[np.float64]


RequestOf: TypeAlias = Callable[[Chunk], GenerationRequest]


@dataclass(frozen=True)
class LongVideo:
    """A clip of one or more chunks.

    request_of: what to ask for a chunk, from its controls and prompts; known frames are used in the first only, and
        the chunk's index is added to the seed.
    hand_over: see HandOverMode. keep_colours: against drift, give every later chunk the mean and spread of colour that
        each view had in the first; a clip that leaves a tunnel should do without.
    """

    chunks: tuple[Chunk, ...]
    request_of: RequestOf
    hand_over: HandOverMode = "pixels"
    keep_colours: bool = False

    def __post_init__(self) -> None:
        if self.hand_over == "latents" and self.keep_colours:
            raise ModelError("colours are kept in pixels, so the hand-over cannot be in latents. Choose one of the two")


def roll_out(
    generator: Generator, video: LongVideo, after: HandOver | None = None, first: int = 0, progress: Progress = quiet
) -> Iterator[tuple[Chunk, UInt8Array, HandOver]]:
    """Make the chunks one after the other: each with its new frames uint8 [V,T',H,W,3] and its hand-over.

    after: hand-over of chunk ``first - 1``, to go on with chunk ``first``.
    """
    for chunk in video.chunks[first:]:
        request = video.request_of(chunk)
        request = replace(request, seed=(request.seed + chunk.index) % 2**32)
        if chunk.index and chunk.overlap:
            assert after is not None
            request = replace(request, known_frames=tuple(after.frames), known_latents=after.latents)
        elif chunk.index:
            request = replace(request, known_frames=())
        frames, latents = _generate(generator, request, video.hand_over, progress)
        if after is not None and video.keep_colours:
            frames = with_colours(frames, after.colour_mean, after.colour_std)
        after = _hand_over(frames, latents, video, after)
        yield chunk, frames[:, chunk.overlap :], after


def with_colours(frames: UInt8Array, mean: npt.NDArray[np.float64], std: npt.NDArray[np.float64]) -> UInt8Array:
    """Frames uint8 [V,T,H,W,3] with this mean and standard deviation [V,3] per view and channel, rounded."""
    now_mean, now_std = colours(frames)
    matched = np.empty_like(frames)
    for view in range(len(frames)):
        gain = np.where(now_std[view] > 0, std[view] / np.maximum(now_std[view], 1e-9), 1.0)
        table = (np.arange(256)[:, None] - now_mean[view]) * gain + mean[view]  # one entry per level
        levels = np.clip(np.rint(table), 0, 255).astype(np.uint8)
        for channel in range(3):
            matched[view, ..., channel] = levels[frames[view, ..., channel], channel]
    return matched


def colours(frames: UInt8Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation [V,3] of frames uint8 [V,T,H,W,3] per view and channel."""
    mean, std = np.empty((len(frames), 3)), np.empty((len(frames), 3))
    levels = np.arange(256)
    for view, video in enumerate(frames):
        for channel in range(3):
            share = np.bincount(video[..., channel].ravel(), minlength=256) / video[..., channel].size
            mean[view, channel] = share @ levels
            std[view, channel] = np.sqrt(share @ (levels - mean[view, channel]) ** 2)
    return mean, std


def _generate(
    generator: Generator, request: GenerationRequest, mode: HandOverMode, progress: Progress
) -> tuple[UInt8Array, npt.NDArray[np.float32] | None]:
    if mode == "pixels":
        return generator.generate(request, progress), None
    if not hasattr(generator, "generate_with_latents"):
        raise ModelError("this generator has no latents to hand over: hand over pixels")
    frames, latents = generator.generate_with_latents(request, progress)
    return frames, latents.float().cpu().numpy()


def _hand_over(
    frames: UInt8Array, latents: npt.NDArray[np.float32] | None, video: LongVideo, before: HandOver | None
) -> HandOver:
    """The end of a chunk.

    A clip's first latent frame stands for one frame and the others for four, so the first frame handed over is
    encoded as a picture, and only the latents after it are taken as they are.
    """
    overlap = video.chunks[-1].overlap
    kept = latent_frame_count(overlap) - 1
    tail = None if latents is None else latents[:, :, latents.shape[2] - max(kept, 0) :].copy()
    mean, std = colours(frames) if before is None else (before.colour_mean, before.colour_std)
    return HandOver(frames[:, frames.shape[1] - overlap :].copy(), tail, mean, std)
