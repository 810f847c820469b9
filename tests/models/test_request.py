"""A request that cannot be met is refused where it is made, in one sentence."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tiny_models import tiny_request

from models.errors import ShapeError
from models.request import GenerationRequest, Regime, quiet


def _frames(*sizes: int) -> Any:
    return np.zeros((*sizes, 3), dtype=np.uint8)


def test_what_a_request_leaves_out() -> None:
    request = GenerationRequest(_frames(2, 5, 16, 32), ("left", "right"))
    assert request.ids == (0, 1) and request.known_latent_counts == (0, 0)
    assert request.prompts == ("",) and request.fps == 10.0 and request.seed == 0 and request.sampling.steps == 35


def test_ids_and_known_frames_are_told_per_view() -> None:
    known = (_frames(0, 32, 48), _frames(5, 32, 48), _frames(1, 32, 48))
    request = tiny_request(view_ids=(6, 0, 3), known_frames=known)
    assert request.ids == (6, 0, 3) and request.known_latent_counts == (0, 2, 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"control": np.zeros((3, 5, 32, 48, 3), dtype=np.float32)},
         "control: expected [V,T,H,W,3] uint8, got [3,5,32,48,3] float32"),
        ({"control": _frames(5, 32, 48)}, "control: expected [V,T,H,W,3] uint8, got [5,32,48,3] uint8"),
        ({"control": _frames(3, 30, 32, 48)}, "control: 30 frames are not 4k+1. Use 29 or 33"),
        ({"control": _frames(3, 0, 32, 48)}, "control: 0 frames of 48x32 hold no pixels"),
        ({"control": _frames(3, 5, 30, 48)},
         "control: sides of 48x30 are not both multiples of 8. Resize to 48x32"),
        ({"camera_names": ("left", "right")}, "camera names: 2 for 3 views of control. Give one per view"),
        ({"view_ids": (0, 1)}, "view ids: 2 for 3 views of control. Give one per view"),
        ({"known_frames": (_frames(1, 32, 48),)}, "known frames: 1 for 3 views of control. Give one per view"),
        ({"rays": np.zeros((4, 6, 4, 6), dtype=np.float32)}, "rays: 4 for 3 views of control. Give one per view"),
        ({"known_frames": (_frames(1, 32, 48), _frames(1, 32, 40), _frames(1, 32, 48))},
         "known frames of camera 1: expected [n,32,48,3] uint8, got [1,32,40,3] uint8"),
        ({"known_frames": (_frames(0, 32, 48), _frames(0, 32, 48), _frames(3, 32, 48))},
         "known frames of camera 2: 3 frames are not 4k+1. Use 1 or 5"),
        ({"known_frames": (_frames(9, 32, 48), _frames(0, 32, 48), _frames(0, 32, 48))},
         "known frames of camera 0: 9, but the clip has 5"),
        ({"neighbours": np.zeros((3, 2), dtype=bool)}, "neighbours: expected [3,3] bool, got [3,2] bool"),
        ({"neighbours": np.zeros((3, 3), dtype=np.int64)}, "neighbours: expected [3,3] bool, got [3,3] int64"),
        ({"seed": -1}, "seed: must be from 0 to 4294967295, got -1"),
        ({"seed": 2**32}, "seed: must be from 0 to 4294967295, got 4294967296"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_met_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
        tiny_request(**changes)


def test_the_whole_clip_may_be_known() -> None:
    assert tiny_request(known_frames=(_frames(5, 32, 48),) * 3).known_latent_counts == (2, 2, 2)


def test_requests_are_compared_by_identity() -> None:
    one = tiny_request()
    assert one == one and one != tiny_request()


def test_a_regime_is_by_default_that_of_the_released_weights() -> None:
    regime = Regime()
    assert (regime.width_px, regime.height_px, regime.fps, regime.clip_frames) == (1280, 720, 10.0, 29)
    assert regime.width_px % regime.multiple_px == regime.height_px % regime.multiple_px == 0


def test_progress_that_nobody_looks_at_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    quiet("Sampling", 1, 35)
    assert capsys.readouterr() == ("", "")
