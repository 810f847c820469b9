"""The videos that a sample of the reference's JSON specification names, at the rate and size of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from render.video import VideoInfo, probe
from render.video import frames as decoded_frames
from scenegraph.arrays import UInt8Array

from .cosmos_spec import CLIP_FRAMES, CosmosSample
from .errors import DatasetError


@dataclass(frozen=True)
class SampleVideos:
    """The pictures of a sample at the size of the model.

    control: uint8 [V,T,H,W,3].
    known: uint8 [V,n,H,W,3], None when no view has known frames; n is the largest of ``known_counts``, and what
        lies beyond a view's own count is black and means nothing.
    known_counts, camera_names, view_ids: one per view.
    fps: of both. note: what a person should know; empty if nothing.
    """

    control: UInt8Array
    known: UInt8Array | None
    known_counts: tuple[int, ...]
    camera_names: tuple[str, ...]
    view_ids: tuple[int, ...]
    fps: float
    note: str


def load_sample_videos(
    sample: CosmosSample, width_px: int, height_px: int, frames: int | None = None, *, clip_frames: int = CLIP_FRAMES
) -> SampleVideos:
    """Read as many frames as the sample needs, resized.

    frames: read exactly so many, instead of one clip of ``clip_frames``, or with enable_autoregressive as many chunks
        of ``clip_frames`` as asked for and there.
    """
    # 1. What is there, and is it enough?
    controls = {view.control_path: probe(view.control_path) for view in sample.views}
    inputs = [(view.input_path, view.known_frames) for view in sample.views if view.input_path and view.known_frames]
    infos = controls | {path: probe(path) for path, _ in inputs}
    step = _frame_step(sample, infos)
    available = _available_frames(controls, step)
    needed, note = (frames, "") if frames is not None else _frames_needed(sample, available, clip_frames)
    for path, count in [(path, needed) for path in controls] + inputs:
        _require_frames(path, _taken_frames(infos[path], step), count, sample.fps)

    # 2. Read it.
    size = (height_px, width_px, 3)
    control = np.zeros((len(sample.views), needed, *size), dtype=np.uint8)
    counts = tuple(view.known_frames for view in sample.views)
    known = np.zeros((len(sample.views), max(counts), *size), dtype=np.uint8) if any(counts) else None
    for index, view in enumerate(sample.views):
        _read_frames(view.control_path, step, sample.fps, control[index])
        if known is not None and view.input_path and view.known_frames:
            _read_frames(view.input_path, step, sample.fps, known[index, : view.known_frames])
    names, ids = tuple(view.name for view in sample.views), tuple(view.view_id for view in sample.views)
    return SampleVideos(control, known, counts, names, ids, float(sample.fps), note)


def _frame_step(sample: CosmosSample, infos: Mapping[Path, VideoInfo]) -> int:
    """From one frame that is taken to the next; the videos need one rate, a multiple of the sample's."""
    first = next(iter(infos))
    rate = infos[first].fps
    for path, info in infos.items():
        if info.fps != rate:
            raise DatasetError(
                f"{path}: has {_shown(info.fps)} frames per second, but {first} has {_shown(rate)}. "
                f"All videos of a sample need the same rate"
            )
    step = rate / sample.fps
    if step.denominator != 1:
        raise DatasetError(
            f"{first}: has {_shown(rate)} frames per second, which is no multiple of the sample's fps, {sample.fps}"
        )
    return step.numerator


def _available_frames(controls: Mapping[Path, VideoInfo], step: int) -> int:
    """Frames that the control videos have at the rate of the sample."""
    first = next(iter(controls))
    for path, info in controls.items():
        if info.frames != controls[first].frames:
            raise DatasetError(
                f"{path}: has {info.frames} frames, but {first} has {controls[first].frames}. "
                f"All control videos of a sample need the same length"
            )
    return _taken_frames(controls[first], step)


def _taken_frames(info: VideoInfo, step: int) -> int:
    """Frames left of a video when every ``step``-th is taken."""
    return -(-info.frames // step)


def _frames_needed(sample: CosmosSample, available: int, clip_frames: int) -> tuple[int, str]:
    """How many frames the chunks of a sample have, and a note if there are fewer chunks than asked for."""
    if not sample.enable_autoregressive:
        return clip_frames, ""
    advance = clip_frames - sample.chunk_overlap
    if advance < 1:
        raise DatasetError(
            f"{sample.name}: a chunk_overlap of {sample.chunk_overlap} is too long for chunks of {clip_frames} frames"
        )
    chunks = min(sample.num_chunks, 1 + max(available - clip_frames, 0) // advance)
    needed = clip_frames + (chunks - 1) * advance
    if chunks == sample.num_chunks:
        return needed, ""
    return needed, (
        f"{sample.name}: the control videos have {available} frames at {sample.fps} fps, "
        f"enough for {chunks} of the {sample.num_chunks} chunks: {needed} frames."
    )


def _read_frames(path: Path, step: int, fps: int, target: UInt8Array) -> None:
    """Fill target, uint8 [T,H,W,3], with every ``step``-th frame; decodes no further than the last of them."""
    count, read = len(target), 0
    pictures = islice(decoded_frames(path), 0, (count - 1) * step + 1, step)
    for read, picture in enumerate(pictures, start=1):
        target[read - 1] = _resized(picture, target.shape[2], target.shape[1])
    _require_frames(path, read, count, fps)


def _resized(picture: UInt8Array, width_px: int, height_px: int) -> UInt8Array:
    if picture.shape[:2] == (height_px, width_px):
        return picture
    from models.codec import resize_frames

    resized: UInt8Array = resize_frames(picture[None], width_px, height_px)[0]
    return resized


def _require_frames(path: Path, there: int, needed: int, fps: int) -> None:
    if there < needed:
        raise DatasetError(f"{path}: has {there} frames at {fps} fps, but {needed} are needed")


def _shown(rate: Fraction) -> str:
    return f"{float(rate):g}"
