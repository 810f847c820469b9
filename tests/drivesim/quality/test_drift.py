"""Colours and contrast per chunk, in numbers that can be had on paper."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pytest import approx

from drivesim.errors import DatasetError
from drivesim.quality import chunk_drift


def checks(low: int, high: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    board = np.indices((8, 8)).sum(axis=0) % 2
    return np.repeat(np.where(board, high, low)[..., None], 3, axis=2).astype(np.uint8)


def test_a_clip_that_stays_as_it_is_does_not_drift() -> None:
    frames = np.broadcast_to(checks(60, 180), (2, 6, 8, 8, 3)).copy()
    drift = chunk_drift(frames, [(0, 2), (2, 4), (4, 6)])
    assert drift.colour.shape == (3, 2, 3)
    assert drift.colour_shift == approx([0, 0, 0]) and drift.contrast_ratio == approx([1, 1, 1])


def test_a_chunk_that_turns_black_is_off_by_its_lightness_and_has_no_contrast() -> None:
    frames = np.zeros((1, 4, 8, 8, 3), dtype=np.uint8)
    frames[:, :2] = checks(0, 255)
    drift = chunk_drift(frames, [(0, 2), (2, 4)])
    assert drift.colour_shift == approx([0, 50], abs=0.01)  # half of the pixels have lightness 100
    assert drift.contrast[0, 0] == approx(50, abs=0.01) and drift.contrast_ratio == approx([1, 0], abs=1e-6)


def test_chunks_that_are_no_part_of_the_clip_are_refused() -> None:
    frames = np.zeros((1, 4, 8, 8, 3), dtype=np.uint8)
    with pytest.raises(DatasetError, match=re.escape("chunk 2:5 is not a part of a clip of 4 frames")):
        chunk_drift(frames, [(0, 2), (2, 5)])
    with pytest.raises(DatasetError, match=re.escape("drift is measured per chunk, and there is none. Name at least")):
        chunk_drift(frames, [])
    with pytest.raises(DatasetError, match=re.escape("frames: expected [V,T,H,W,3] uint8, got [4,8,8,3] uint8. Give")):
        chunk_drift(frames[0], [(0, 2)])
