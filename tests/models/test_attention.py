"""Every pattern is plain attention under a mask, whatever the kernel, and nobody's tokens are mixed up."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

import models.quantised_attention
from models.attention import (
    CrossViewAttention,
    SelfAttention,
    TextAttention,
    attend,
    decomposed,
    joint,
    neighbour_groups,
    own_view,
    same_time_neighbours,
)
from models.config import COSMOS_NEIGHBOURS
from models.errors import ModelError
from models.quantised_attention import int8_attention, require_int8
from models.rope import Rotary

VIEWS, FRAMES, TOKENS, HEADS, WIDTH = 5, 3, 4, 2, 16
ROUNDING = 1e-5


@pytest.fixture(autouse=True)
def _same_numbers_every_time() -> Any:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


@pytest.fixture
def qkv() -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values [B,V,L,S,heads,d]."""
    generator = torch.Generator().manual_seed(0)
    shape = (2, VIEWS, FRAMES, TOKENS, HEADS, WIDTH)
    q, k, v = (torch.randn(shape, generator=generator) for _ in range(3))
    return 2 * q, k, v


def _difference(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return float((one.double() - other.double()).abs().max())


def _masked(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """Attention of all tokens to all in fp64, where ``seen`` [V,L,V,L] says which places see which."""
    flat = [x.double().flatten(1, 3).transpose(1, 2) for x in (q, k, v)]
    scores = flat[0] @ flat[1].transpose(-1, -2) / q.shape[-1] ** 0.5
    mask = seen.repeat_interleave(TOKENS, 1).repeat_interleave(TOKENS, 3).reshape(scores.shape[-2:])
    weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1).nan_to_num()
    return (weights @ flat[2]).transpose(1, 2).reshape(q.shape)


def _seen(rule: Any) -> Tensor:
    """bool [V,L,V,L] from a rule about (view, time, other view, other time)."""
    places = product(range(VIEWS), range(FRAMES), range(VIEWS), range(FRAMES))
    return torch.tensor([bool(rule(*place)) for place in places]).reshape(VIEWS, FRAMES, VIEWS, FRAMES)


# -- patterns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["auto", "plain"])
@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        (joint, lambda view, time, other, then: True),
        (own_view, lambda view, time, other, then: view == other),
        (decomposed, lambda view, time, other, then: view == other or time == then),
    ],
    ids=["joint", "own view", "decomposed"],
)
def test_a_pattern_is_plain_attention_under_its_mask(qkv: Any, pattern: Any, rule: Any, kernel: Any) -> None:
    q, k, v = qkv
    assert _difference(pattern(q, k, v, kernel), _masked(q, k, v, _seen(rule))) <= ROUNDING


@pytest.mark.parametrize("kernel", ["auto", "plain"])
def test_neighbours_at_the_same_time_are_plain_attention_under_their_mask(qkv: Any, kernel: Any) -> None:
    neighbours = torch.tensor(
        [[0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]]
    ).bool()
    rule = _seen(lambda view, time, other, then: neighbours[view, other] and time == then)
    q, k, v = qkv
    mixed = same_time_neighbours(q, k, v, neighbour_groups(neighbours), kernel)
    assert _difference(mixed, _masked(q, k, v, rule)) <= ROUNDING
    assert not mixed[:, 3].any()  # sees nobody


def test_decomposed_takes_a_single_view(qkv: Any) -> None:
    q, k, v = (x[:, :1] for x in qkv)
    assert _difference(decomposed(q, k, v, "auto"), own_view(q, k, v, "auto")) <= 1e-6


def test_views_are_grouped_by_how_many_they_see() -> None:
    seven = torch.tensor([[other in COSMOS_NEIGHBOURS[view] for other in range(7)] for view in range(7)])
    groups = [(views.tolist(), seen.tolist()) for views, seen in neighbour_groups(seven)]
    assert groups == [
        ([6], [[0]]),
        ([1, 2, 3, 4, 5], [[0, 2], [1, 3], [2, 4], [3, 5], [0, 4]]),
        ([0], [[1, 5, 6]]),
    ]
    assert neighbour_groups(torch.zeros(3, 3).bool()) == ()


# -- kernels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("queries", "keys"), [(7, 7), (3, 50), (64, 9)])
def test_kernels_agree(queries: int, keys: int) -> None:
    q, k, v = (torch.randn(3, count, HEADS, WIDTH) for count in (queries, keys, keys))
    exact = attend(q.double(), k.double(), v.double(), "plain")
    assert exact.shape == (3, queries, HEADS, WIDTH)
    for kernel in ("auto", "plain"):
        assert _difference(attend(q, k, v, kernel), exact) <= ROUNDING


def test_attention_on_paper() -> None:
    q, v = torch.tensor([2.0, 0.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    k = torch.tensor([[1.0, 5.0], [0.0, 7.0]])
    weight = torch.sigmoid(torch.tensor(2.0 / 2**0.5))  # of the first key
    for kernel in ("auto", "plain"):
        mixed = attend(q.view(1, 1, 1, 2), k.view(1, 2, 1, 2), v.view(1, 2, 1, 2), kernel)
        assert torch.allclose(mixed.flatten(), torch.stack((weight, 1 - weight)))


@pytest.mark.parametrize("common", [0.0, 30.0])
def test_eight_bits_are_close_even_where_all_keys_share_a_large_part(common: float) -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 1500, HEADS, 64, generator=generator) for _ in range(3))
    exact, rounded = attend(q, k + common, v, "plain"), attend(q, k + common, v, "int8")
    error = float((rounded - exact).norm() / exact.norm())
    assert 1e-4 < error < 0.02


def test_eight_bits_are_whole_numbers_from_minus_127_to_127() -> None:
    # Tokens whose numbers are such whole numbers, the largest among them, lose nothing.
    second = torch.arange(-127.0, 128.0)
    k = torch.stack((torch.full_like(second, 127.0), second), dim=-1)
    k = torch.cat((k, -k)).view(1, 1, -1, 2)  # their mean is zero
    q, v = torch.tensor([0.0127, 0.0037]).view(1, 1, 1, 2), torch.randn(1, 1, k.shape[2], 3)
    exact = torch.softmax(q @ k.transpose(-1, -2) / 2**0.5, dim=-1) @ v
    assert _difference(int8_attention(q, k, v), exact) <= 1e-6
    assert _difference(int8_attention(q, 0.99 * k + torch.tensor([0.4, -0.3]), v), exact) > 1e-5


def test_eight_bits_keep_the_dtype_and_take_keys_of_nothing() -> None:
    q, k, v = torch.randn(1, 3, 2, 8).bfloat16(), torch.zeros(1, 6, 2, 8).bfloat16(), torch.randn(1, 6, 2, 8).bfloat16()
    mixed = attend(q, k, v, "int8")
    assert mixed.dtype == torch.bfloat16
    assert torch.allclose(mixed.float(), v.float().mean(dim=1, keepdim=True).expand(1, 3, 2, 8), atol=0.01)


def test_eight_bits_on_a_gpu_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "8-bit attention needs the package sageattention on a GPU: install it, or leave attention at auto"
    require_int8(torch.device("cpu"))
    monkeypatch.setattr(models.quantised_attention, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        require_int8(torch.device("cuda"))
    monkeypatch.setattr(models.quantised_attention, "find_spec", lambda name: object())
    require_int8(torch.device("cuda"))


# -- modules ------------------------------------------------------------------------------------------


def _tokens(width: int = HEADS * WIDTH) -> Tensor:
    return torch.randn(2, VIEWS, FRAMES, TOKENS, width, generator=torch.Generator().manual_seed(1))


def test_queries_and_keys_are_normalised_per_head_and_values_are_not() -> None:
    attention = CrossViewAttention(HEADS * WIDTH, HEADS)
    x = 50 * _tokens()
    for normalised in (attention.queries(x), attention.keys(x)):
        assert torch.allclose(normalised.pow(2).mean(-1), torch.ones(()), atol=1e-3)
    assert torch.equal(attention.values(x).flatten(-2), attention.v_proj(x))


def test_positions_reach_self_attention_and_not_attention_across_views_or_to_text() -> None:
    x, text = _tokens(), torch.randn(2, VIEWS, 6, 8)
    angles = torch.randn(FRAMES, TOKENS, WIDTH // 2)
    turned = Rotary(angles.cos(), angles.sin())
    still = Rotary(torch.ones_like(angles), torch.zeros_like(angles))
    self_attention = SelfAttention(HEADS * WIDTH, HEADS, "joint")
    assert _difference(self_attention(x, turned), self_attention(x, still)) > 1e-3
    # The other two take no positions: tokens of a frame and times may be swapped.
    order = [2, 0, 3, 1]
    across, to_text = CrossViewAttention(HEADS * WIDTH, HEADS), TextAttention(HEADS * WIDTH, 8, HEADS)
    groups = neighbour_groups(torch.ones(VIEWS, VIEWS).bool())
    assert _difference(across(x[:, :, :, order], groups), across(x, groups)[:, :, :, order]) <= 1e-6
    assert _difference(across(x.flip(2), groups), across(x, groups).flip(2)) <= 1e-6
    assert _difference(to_text(x.flip(2)[:, :, :, order], text), to_text(x, text).flip(2)[:, :, :, order]) <= 1e-6


def test_every_view_attends_to_its_own_text() -> None:
    attention, x, text = TextAttention(HEADS * WIDTH, 8, HEADS), _tokens(), torch.randn(2, VIEWS, 6, 8)
    mixed, other = attention(x, text), text.clone()
    other[1, 3] = 0
    changed = attention(x, other)
    moved = [(b, v) for b in range(2) for v in range(VIEWS) if not torch.equal(changed[b, v], mixed[b, v])]
    assert moved == [(1, 3)]


def test_attention_to_text_stays_exact_with_eight_bits_elsewhere() -> None:
    attention, x, text = TextAttention(HEADS * WIDTH, 8, HEADS), _tokens(), torch.randn(2, VIEWS, 6, 8)
    exact = attention(x, text)
    attention.kernel = "int8"
    assert torch.equal(attention(x, text), exact)
