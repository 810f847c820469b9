"""Rotary positions are those of the reference, begin anew in every view, and only turn."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from golden_models import read_facts, read_tensors
from torch import Tensor

from models.config import COSMOS_2B_JOINT, TransformerConfig
from models.errors import ShapeError
from models.rope import Rotary, rotary_angles, rotary_table, rotate

TOLERANCE_RAD = 2e-5  # angles reach 79 rad
TINY = TransformerConfig(
    hidden_size=64,
    num_heads=2,
    num_blocks=1,
    control_interval=1,
    view_mixing="joint",
    view_identity="rays",
    rope_ratio_t=8 / 24,
)
ROWS, COLUMNS, FRAMES, VIEWS = 45, 80, 8, 7
"""Tokens of the released network."""


@pytest.fixture(autouse=True)
def _same_numbers_every_time() -> None:
    torch.manual_seed(0)


def _twice(angles: Tensor) -> Tensor:
    """The golden layout: the angles of a token, and once more."""
    return torch.cat((angles, angles), dim=-1)


@pytest.mark.parametrize(("name", "rounded"), [("rope_time", False), ("rope_bf16_buffers", True)])
def test_angles_are_those_of_the_reference_in_every_view(shared: Path, name: str, rounded: bool) -> None:
    golden = read_tensors(shared, name)
    tiny = rotary_angles(replace(TINY, round_rope_exponents=rounded), 2, 3, 5).flatten(0, 1)
    assert _difference(_twice(tiny).repeat(3, 1), golden["tiny.angles"]) <= TOLERANCE_RAD
    config = replace(COSMOS_2B_JOINT, round_rope_exponents=rounded)
    real = _twice(rotary_angles(config, FRAMES, ROWS, COLUMNS).flatten(0, 1))
    rows = golden["real.rows"]
    assert int(rows.max()) // len(real) == VIEWS - 1  # the same table for the last view as for the first
    assert _difference(real[rows % len(real)], golden["real.angles_at_rows"]) <= TOLERANCE_RAD


def test_rounding_the_exponents_turns_up_to_a_twentieth_of_a_radian() -> None:
    exact, rounded = (
        rotary_angles(replace(COSMOS_2B_JOINT, round_rope_exponents=flag), FRAMES, ROWS, COLUMNS)
        for flag in (False, True)
    )
    assert 0.05 < _difference(exact, rounded) < 0.053
    assert COSMOS_2B_JOINT.round_rope_exponents


def test_queries_are_turned_as_in_the_reference(shared: Path) -> None:
    golden, facts = read_tensors(shared, "rope_time"), read_facts(shared, "rope_time")["tiny"]
    rotary = rotary_table(TINY, facts["T"], facts["h"], facts["w"])
    by_view = golden["tiny.q"].unflatten(1, (facts["views"], facts["T"], -1))
    assert _difference(rotate(by_view, rotary).flatten(1, 3), golden["tiny.q_rotated"]) <= 1e-6


def test_the_first_token_is_not_turned_and_the_others_keep_their_length() -> None:
    x = torch.randn(1, 2, 3, 20, 2, 32)
    turned = rotate(x, rotary_table(TINY, 3, 4, 5))
    assert torch.equal(turned[:, :, 0, 0], x[:, :, 0, 0])
    assert torch.allclose(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    assert _difference(turned[:, :, 1:], x[:, :, 1:]) > 0.1


def test_products_depend_on_distances_only() -> None:
    rotary = rotary_table(TINY, 6, 8, 8)
    q, k = torch.randn(32), torch.randn(32)

    def product(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
        (t, h, w), (s, i, j) = first, second
        turned = [
            rotate(x.expand(1, 1, 1, 32), _at(rotary, time, 8 * row + column))
            for x, time, row, column in ((q, t, h, w), (k, s, i, j))
        ]
        return float((turned[0] * turned[1]).sum())

    assert product((0, 0, 0), (3, 2, 1)) == pytest.approx(product((2, 5, 6), (5, 7, 7)), abs=1e-4)
    assert product((0, 0, 0), (3, 2, 1)) != pytest.approx(product((0, 0, 0), (3, 1, 2)), abs=1e-2)


def test_turning_happens_in_fp32_and_keeps_the_dtype() -> None:
    x, rotary = torch.randn(1, 1, 2, 6, 2, 32), rotary_table(TINY, 2, 2, 3)
    turned = rotate(x.bfloat16(), rotary)
    assert turned.dtype == torch.bfloat16
    assert torch.equal(turned, rotate(x.bfloat16().float(), rotary).bfloat16())


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((129, 1, 1), "129 latent frames are more than the 128 positions of the network"),
        ((1, 121, 1), "121 token rows are more than the 120 positions of the network"),
        ((1, 1, 121), "121 token columns are more than the 120 positions of the network"),
    ],
)
def test_more_positions_than_the_network_has_are_refused(size: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
        rotary_angles(TINY, *size)
    assert (
        rotary_angles(TINY, *(min(most, count) for most, count in zip((128, 120, 120), size, strict=True)))
        .isfinite()
        .all()
    )


def _difference(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).abs().max())


def _at(rotary: Rotary, time: int, token: int) -> Rotary:
    """The table of one token."""
    return Rotary(*(part[time : time + 1, token : token + 1] for part in rotary))
