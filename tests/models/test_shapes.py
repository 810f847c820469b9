"""Arrays that do not fit are refused in one sentence that shows both shapes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import ShapeError
from models.shapes import expect


def test_arrays_that_fit_pass_whether_of_numpy_or_torch() -> None:
    expect("frames", np.zeros((6, 29, 8, 16, 3), dtype=np.uint8), "V T H W 3", np.uint8)
    expect("frames", torch.zeros(6, 29, 8, 16, 3, dtype=torch.uint8), "V T H W 3", "uint8")
    expect("latents", torch.zeros(2, 16, 1, 2, 3, dtype=torch.bfloat16), "V 16 L h w", torch.bfloat16)
    expect("seed", np.float64(3.0), "", float)
    expect("neighbours", np.zeros((4, 4), dtype=bool), "V V")


@pytest.mark.parametrize(
    ("array", "shape", "dtype", "sentence"),
    [
        (
            np.zeros((6, 29, 720, 1280), dtype=np.float32),
            "V T H W 3",
            np.uint8,
            "control: expected [V,T,H,W,3] uint8, got [6,29,720,1280] float32",
        ),
        (torch.zeros(2, 48, 1, 2, 2), "V 16 L h w", None, "control: expected [V,16,L,h,w], got [2,48,1,2,2] float32"),
        (
            torch.zeros(2, dtype=torch.bfloat16),
            "N",
            torch.float32,
            "control: expected [N] float32, got [2] bfloat16",
        ),
        (np.zeros((4, 5), dtype=bool), "V V", bool, "control: expected [V,V] bool, got [4,5] bool"),
        ([[0, 1]], "N 2", None, "control: expected [N,2], got list"),
    ],
)
def test_arrays_that_do_not_fit_are_described(array: Any, shape: str, dtype: Any, sentence: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
        expect("control", array, shape, dtype)
