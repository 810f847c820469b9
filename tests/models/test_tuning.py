"""How a network runs changes its speed, not its output."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from network_inputs import random_inputs, velocity
from tiny_models import tiny_config, tiny_transformer
from torch import Tensor, nn

import models.quantised_attention
from models.attention import Attention
from models.config import ViewIdentity, ViewMixing
from models.errors import ModelError
from models.layers import MLP, FinalLayer
from models.tuning import Tuning, tune

FORMS: list[tuple[ViewMixing, ViewIdentity]] = [("joint", "channels"), ("neighbours", "adaln"), ("decomposed", "rays")]


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


def _outputs(mixing: ViewMixing, identity: ViewIdentity, *tunings: Tuning | None) -> list[Tensor]:
    network = tiny_transformer(tiny_config(mixing, identity))
    inputs = random_inputs(network.config, batch=2)
    outputs = []
    for tuning in tunings:
        if tuning is not None:
            tune(network, tuning)
        outputs.append(velocity(network, inputs))
    return outputs


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


@pytest.mark.parametrize(("mixing", "identity"), FORMS)
@pytest.mark.parametrize("piece", [1, 50, 16384])
def test_pieces_change_nothing(mixing: ViewMixing, identity: ViewIdentity, piece: int) -> None:
    untouched, whole, pieces = _outputs(mixing, identity, None, Tuning(piece=None), Tuning(piece=piece))
    assert torch.equal(whole, untouched) and _difference(pieces, whole) <= 1e-5


@pytest.mark.parametrize(("mixing", "identity"), FORMS)
def test_written_out_attention_changes_nothing(mixing: ViewMixing, identity: ViewIdentity) -> None:
    auto, plain, again = _outputs(mixing, identity, Tuning(), Tuning(attention="plain"), Tuning())
    assert 0 < _difference(plain, auto) <= 1e-5 and torch.equal(again, auto)


@pytest.mark.parametrize(("mixing", "identity"), FORMS)
def test_eight_bit_attention_changes_little(mixing: ViewMixing, identity: ViewIdentity) -> None:
    exact, rounded = _outputs(mixing, identity, Tuning(), Tuning(attention="int8"))
    error = float((rounded - exact).norm() / exact.norm())
    assert 1e-4 < error < 0.02


def test_a_tuning_reaches_every_part() -> None:
    network = tiny_transformer(tiny_config("neighbours", "adaln"))
    tune(network, Tuning(attention="plain", piece=77))
    parts = list(network.modules())
    attentions = [part for part in parts if isinstance(part, Attention)]
    assert len(attentions) == (3 + 2) * 3  # own view, neighbours and text in every block
    assert all(part.kernel == "plain" and part.piece == 77 for part in attentions)
    wide = [part for part in parts if isinstance(part, MLP | FinalLayer)]
    assert len(wide) == 3 + 2 + 1 and all(part.piece == 77 for part in wide)


def test_compiled_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[nn.Module] = []

    def with_graphs_only(module: nn.Module) -> None:
        compiled.append(module)
        module._compiled_call_impl = torch.compile(module._call_impl, backend="eager")

    monkeypatch.setattr(nn.Module, "compile", with_graphs_only)
    network = tiny_transformer(tiny_config("joint", "channels", num_blocks=1, control_interval=1))
    inputs = random_inputs(network.config)
    before = velocity(network, inputs)
    tune(network, Tuning(compile=True, piece=None))
    assert compiled == [*network.blocks, *network.control_blocks]
    assert _difference(velocity(network, inputs), before) <= 1e-5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"attention": "flash"}, "attention: 'flash' is none of auto, plain, int8"),
        ({"piece": 0}, "piece: must be at least 1 token, got 0"),
    ],
)
def test_choices_there_are_not_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        Tuning(**options)


def test_eight_bits_without_their_package_are_refused_before_anything_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tiny_transformer(tiny_config())
    monkeypatch.setattr(type(network), "device", torch.device("cuda"))
    monkeypatch.setattr(models.quantised_attention, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"^8-bit attention needs the package sageattention on a GPU"):
        tune(network, Tuning(attention="int8"))
    assert all(part.kernel == "auto" for part in network.modules() if isinstance(part, Attention))
