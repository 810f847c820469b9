"""Which weights change, what new ones begin as, and that low-rank additions can be merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import micro_example, micro_network, micro_trainer
from torch import Tensor

from models.checkpoint import load_transformer
from models.errors import CheckpointError, ModelError
from models.training.initialise import initialise
from models.training.lora import LORA_TARGETS, Lora, LoraLinear, add_lora, merged_state
from models.training.objective import VelocityNetwork, joined, noisy
from models.transformer import MultiViewTransformer

CONTROL = ("control_blocks.", "control_embedder.", "input_hint_block.")


def _copied(network: MultiViewTransformer) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _changed(before: dict[str, Tensor], network: MultiViewTransformer) -> set[str]:
    after = network.state_dict()
    return {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}


@torch.no_grad()
def _velocity(network: MultiViewTransformer, sigma: float = 0.6, **changes: Any) -> Tensor:
    example = micro_example(**changes)
    noise = torch.ones_like(example.video)
    return VelocityNetwork(network)(joined([noisy(example, noise, torch.tensor(sigma), 1)], network))


# -- first weights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["rays", "channels", "adaln"])
def test_a_new_network_does_nothing_yet_and_is_the_same_for_a_seed(identity: str) -> None:
    one, other = (micro_network(seed, view_identity=identity, hint_block=True) for seed in (0, 1))
    assert _velocity(one).any() and not torch.equal(_velocity(one), _velocity(other))
    initialise(one, seed=4)
    initialise(other, seed=4)
    assert _changed(_copied(one), other) == set() and not _velocity(one).any()
    initialise(other, seed=5)
    assert "blocks.0.self_attn.q_proj.weight" in _changed(_copied(one), other)


def test_every_weight_of_a_new_network_is_reached_by_a_few_steps(tmp_path: Path) -> None:
    network = micro_network(hint_block=True)
    trainer = micro_trainer(tmp_path, network, steps=4)
    before = _copied(network)
    trainer.run()
    assert _changed(before, network) == set(before)


# -- parts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", ["control", "new-control"])
def test_training_the_control_branch_leaves_every_bit_of_the_base(tmp_path: Path, parts: str) -> None:
    network = micro_network(hint_block=True)
    before = _copied(network)
    trainer = micro_trainer(tmp_path / "run", network, parts=parts, steps=3)
    trainer.run()
    changed = _changed(before, network)
    assert changed == {name for name in before if name.startswith(CONTROL)}
    trainer.export(tmp_path / "weights")
    assert _changed(before, load_transformer(tmp_path / "weights")) == changed


def test_a_new_control_branch_begins_as_the_base_and_adds_nothing(tmp_path: Path) -> None:
    network = micro_network(hint_block=True)
    base = VelocityNetwork(network).transformer
    example = micro_example()
    batch = joined([noisy(example, example.video, torch.tensor(0.5), 0)], network)
    prepared = base.prepare(batch.control, base.project_text(batch.text), rays=batch.rays, neighbours=batch.neighbours)
    alone = base(batch.latents, batch.timesteps, prepared, control_weight=0.0)
    micro_trainer(tmp_path, network, parts="new-control")
    assert torch.allclose(VelocityNetwork(network)(batch), alone, atol=1e-6)
    copied = network.control_blocks[0].state_dict()
    assert all(torch.equal(tensor, copied[name]) for name, tensor in network.blocks[0].state_dict().items())


def test_a_frozen_base_in_bfloat16_stays_in_bfloat16(tmp_path: Path) -> None:
    network = micro_network().bfloat16()
    trainer = micro_trainer(tmp_path, network, parts="control", steps=1, precision="bf16")
    trainer.run()
    assert network.blocks[0].mlp.layer1.weight.dtype == torch.bfloat16
    assert network.control_blocks[0].mlp.layer1.weight.dtype == torch.float32


def test_a_training_is_not_taken_up_again_on_another_base(tmp_path: Path) -> None:
    micro_trainer(tmp_path, micro_network(0), parts="control").run(until=1)
    with pytest.raises(CheckpointError, match=r"belongs to another training: frozen weights was '.*' and is '.*'"):
        micro_trainer(tmp_path, micro_network(1), parts="control")


# -- low rank ---------------------------------------------------------------------------------------------


def test_low_rank_additions_change_nothing_at_first_and_go_where_they_should() -> None:
    network = micro_network()
    plain = _velocity(network)
    add_lora(network, Lora(rank=2), seed=0)
    assert torch.equal(_velocity(network), plain)
    names = {name for name, module in network.named_modules() if isinstance(module, LoraLinear)}
    attentions = ("self_attn", "cross_attn", "cross_view_attn")
    layers = [f"{part}.{layer}" for part in attentions for layer in LORA_TARGETS[:4]] + ["mlp.layer1", "mlp.layer2"]
    blocks = ("blocks.0", "blocks.1", "control_blocks.0")
    assert names == {f"{block}.{layer}" for block in blocks for layer in layers}


def test_merged_weights_do_what_base_and_additions_do(tmp_path: Path) -> None:
    network = micro_network()
    before = _copied(network)
    lora = Lora(rank=3, alpha=6.0, targets=("q_proj", "mlp.layer1"))
    trainer = micro_trainer(tmp_path / "run", network, parts="lora", lora=lora, steps=5)
    trainer.run()
    assert _changed(before, network) == set()
    trained = _velocity(network)
    merged = micro_network(1)
    merged.load_state_dict(merged_state(network.state_dict(), lora))
    assert torch.allclose(_velocity(merged), trained, atol=1e-5)
    changed = _changed(before, merged)
    assert changed and all(name.endswith(("q_proj.weight", "mlp.layer1.weight")) for name in changed)
    layer = network.blocks[0].mlp.layer1
    expected = before["blocks.0.mlp.layer1.weight"] + 2 * layer.lora_b @ layer.lora_a
    assert torch.allclose(merged.state_dict()["blocks.0.mlp.layer1.weight"], expected, atol=1e-6)
    trainer.export(tmp_path / "weights")
    exported = load_transformer(tmp_path / "weights", config=network.config)
    assert _changed(before, exported) == changed


def test_targets_that_no_layer_has_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^lora: no layer of a block has a name that ends in to_q or to_k$"):
        add_lora(micro_network(), Lora(targets=("to_q", "to_k")), seed=0)
    with pytest.raises(ModelError, match=r"^lora: rank and alpha must be above 0, got 0 and 32$"):
        Lora(rank=0)
