"""The network gives the reference's numbers at every stage, in fp32 and in the official mixed precision."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_models import golden_inputs, golden_network, read_tensors
from network_inputs import NetworkInputs, prepare, random_inputs, record, velocity
from tiny_models import tiny_config, tiny_transformer
from torch import Tensor, nn

from models.config import COSMOS_2B_JOINT, ViewIdentity, ViewMixing
from models.errors import ShapeError
from models.transformer import MultiViewTransformer

JOINT_CASES = ["joint_a.case1_3views_nocond", "joint_a.case3_4views_mixed", "joint_b.case2_7views_cond"]
CROSS_CASES = ["cross_a.case4_7views", "cross_a.case5_4views_subset"]
BF16_CASES = {"bf16_emulation_a": JOINT_CASES[0], "bf16_emulation_b": JOINT_CASES[1]}
FORMS: list[tuple[ViewMixing, ViewIdentity]] = [("joint", "channels"), ("neighbours", "adaln"), ("decomposed", "rays")]
TOLERANCE = 1e-5


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


def _largest(ours: Tensor, golden: Tensor) -> float:
    """Of the differences; golden tensors keep views and frames in one axis."""
    return float((ours.reshape(golden.shape).double() - golden.double()).abs().max())


def _relative(ours: Tensor, golden: Tensor) -> float:
    return float((ours.double() - golden.double()).norm() / golden.double().norm())


def _as_golden(latents: Tensor) -> Tensor:
    """[B,V,C,L,h,w] -> [B,C,V*L,h,w]."""
    return latents.transpose(1, 2).flatten(2, 3)


def _stages(network: MultiViewTransformer, inputs: NetworkInputs) -> dict[str, Tensor]:
    stages = record(network, lambda: velocity(network, inputs))
    stages["out"] = _as_golden(stages["out"])
    stages["text_proj_first8"] = stages.pop("text_proj")[:, 0, :8]
    return stages


# -- parity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*JOINT_CASES, *CROSS_CASES])
def test_every_stage_is_that_of_the_reference(shared: Path, case: str) -> None:
    tensors = read_tensors(shared, case)
    golden = {name.removeprefix("inter."): tensors[name] for name in tensors if name.startswith(("inter.", "out"))}
    stages = _stages(golden_network(shared, case.split(".")[0]), golden_inputs(shared, case))
    assert set(stages) == set(golden)
    assert _largest(stages["out"], golden["out"]) <= TOLERANCE
    # Tokens are larger than the output: their tolerance grows with their standard deviation.
    relative = {
        name: _largest(ours, golden[name]) / max(1.0, float(golden[name].std())) for name, ours in stages.items()
    }
    assert {name: value for name, value in relative.items() if not value <= TOLERANCE} == {}


@pytest.mark.parametrize(("name", "case"), BF16_CASES.items())
def test_mixed_precision_is_that_of_the_official_run(shared: Path, name: str, case: str) -> None:
    golden = {key.removeprefix("inter."): tensor for key, tensor in read_tensors(shared, name).items()}
    stages = _stages(golden_network(shared, "joint_a", torch.bfloat16), golden_inputs(shared, case))
    # In fp32, with weights in bfloat16.
    for stage in ("t_embedding", "adaln_lora"):
        assert stages[stage].dtype == torch.float32 and _largest(stages[stage], golden[stage]) <= 1e-6
    # In bfloat16.
    assert stages["x_embed"].dtype == torch.bfloat16 and _largest(stages["x_embed"], golden["x_embed"]) == 0
    assert all(stages[f"block_{index}"].dtype == torch.bfloat16 for index in range(6))
    # Out of an fp32 layer: most numbers are no bfloat16 numbers.
    out = stages["out"]
    assert out.dtype == torch.float32 and bool((out != out.bfloat16().float()).float().mean() > 0.9)
    assert _relative(out, golden["out"]) <= 0.015


@pytest.mark.parametrize(("name", "case"), BF16_CASES.items())
def test_rounded_rotary_exponents_are_closer_to_the_official_run(shared: Path, name: str, case: str) -> None:
    golden, inputs = read_tensors(shared, name)["out"], golden_inputs(shared, case)
    network = golden_network(shared, "joint_a", torch.bfloat16)
    assert network.config.round_rope_exponents
    rounded = _relative(_as_golden(velocity(network, inputs)), golden)
    network.config = replace(network.config, round_rope_exponents=False)
    assert rounded < 0.7 * _relative(_as_golden(velocity(network, inputs)), golden)


def test_one_view_is_diffusers_cosmos_transformer() -> None:
    network = tiny_transformer(tiny_config("joint", "channels", rope_ratio_t=8 / 24))
    inputs = replace(random_inputs(network.config, views=1), control_weight=0.7)
    stages = record(network, lambda: velocity(network, inputs))
    theirs, plain = _diffusers_twin(network), prepare(network, inputs)
    (without_hints,) = _run_twin(theirs, inputs, plain.channels, plain.text, None)
    hints = [0.7 * hint.flatten(1, 3) for hint in stages["hints"]]
    (with_hints,) = _run_twin(theirs, inputs, plain.channels, plain.text, hints)
    assert _largest(stages["out"][:, 0], with_hints) <= TOLERANCE
    assert _largest(velocity(network, replace(inputs, control_weight=0.0))[:, 0], without_hints) <= TOLERANCE
    assert not torch.allclose(with_hints, without_hints, atol=0.1)


def _diffusers_twin(network: MultiViewTransformer) -> Any:
    """Its patch embedding takes our channels as they are when it does not append the padding mask itself."""
    from diffusers import CosmosTransformer3DModel

    config = network.config
    ours: Any = CosmosTransformer3DModel
    twin = ours(
        in_channels=config.base_channels,
        out_channels=config.latent_channels,
        num_attention_heads=config.num_heads,
        attention_head_dim=config.head_size,
        num_layers=config.num_blocks,
        text_embed_dim=config.text_width,
        adaln_lora_dim=config.adaln_rank,
        max_size=(128, 240, 240),
        rope_scale=(config.rope_ratio_t, config.rope_ratio_h, config.rope_ratio_w),
        concat_padding_mask=False,
        extra_pos_embed_type=None,
        controlnet_block_every_n=config.control_interval,
    )
    replacements = {
        r"^x_embedder\.proj\.1": "patch_embed.proj",
        r"^t_embedder\.1": "time_embed.t_embedder",
        r"^t_embedding_norm": "time_embed.norm",
        r"^blocks": "transformer_blocks",
        r"adaln_modulation_self_attn\.": "norm1.linear_",
        r"adaln_modulation_cross_attn\.": "norm2.linear_",
        r"adaln_modulation_mlp\.": "norm3.linear_",
        r"self_attn": "attn1",
        r"cross_attn": "attn2",
        r"([qkv])_proj": r"to_\1",
        r"output_proj": "to_out.0",
        r"([qk])_norm": r"norm_\1",
        r"mlp\.layer1": "ff.net.0.proj",
        r"mlp\.layer2": "ff.net.2",
        r"final_layer\.adaln_modulation\.": "norm_out.linear_",
        r"final_layer\.linear": "proj_out",
    }
    state = {}
    for name, tensor in network.state_dict().items():
        if name.startswith(("control_", "crossattn_proj", "view_embeddings")):
            continue
        for pattern, replacement in replacements.items():
            name = re.sub(pattern, replacement, name)
        state[name] = tensor
    twin.load_state_dict(state, strict=True)
    return twin.eval()


def _run_twin(twin: Any, inputs: NetworkInputs, channels: Tensor, text: Tensor, hints: list[Tensor] | None) -> Any:
    return twin(
        torch.cat((inputs.latents, channels), dim=2)[:, 0],
        0.001 * inputs.timesteps,
        text[:, 0],
        block_controlnet_hidden_states=hints,
        return_dict=False,
    )


# -- what may be left out, and other ways to say the same ---------------------------------------------


def test_what_is_left_out_is_no_known_frame_no_padding_and_the_first_cameras() -> None:
    network = tiny_transformer(tiny_config("joint", "channels"))
    inputs = random_inputs(network.config)
    text = network.project_text(inputs.text)
    bare = network.prepare(inputs.control, text)
    full = network.prepare(
        inputs.control, text, known=torch.zeros(1, 4, 3), view_ids=torch.arange(4), padding=torch.zeros(1, 32, 48)
    )
    assert torch.equal(bare.channels, full.channels) and torch.equal(bare.control, full.control)


def test_masks_and_identity_stand_in_the_order_of_the_released_weights() -> None:
    network = tiny_transformer(tiny_config("joint", "channels"))
    padding = torch.zeros(1, 32, 48)
    padding[:, 20:] = 1  # amid the third row of cells, which goes by its first pixel
    inputs = replace(random_inputs(network.config), padding=padding, view_ids=torch.tensor([3, 0, 6, 2]))
    channels = prepare(network, inputs).channels
    assert torch.equal(channels[:, :, 0], inputs.known[..., None, None].expand(1, 4, 3, 4, 6))
    assert bool((channels[:, :, 1, :, :3] == 0).all() and (channels[:, :, 1, :, 3:] == 1).all())
    rows = network.view_embeddings.weight[inputs.view_ids]
    assert torch.equal(channels[0, :, 2:], rows[..., None, None, None].expand(4, 7, 3, 4, 6))


def test_a_time_for_every_frame_is_the_same_as_one_where_they_are_equal() -> None:
    for mixing in ("joint", "neighbours"):
        network = tiny_transformer(tiny_config(mixing, "adaln"))
        inputs = random_inputs(network.config, batch=2)
        spread = replace(inputs, timesteps=inputs.timesteps[:, None, None].expand(2, 4, 3))
        assert _largest(velocity(network, spread), velocity(network, inputs)) <= TOLERANCE


def test_every_frame_may_have_a_time_of_its_own() -> None:
    network = tiny_transformer(tiny_config("neighbours", "adaln"))
    inputs = random_inputs(network.config, batch=2)
    times = 1000 * torch.rand(2, 4, 3, generator=torch.Generator().manual_seed(0))
    alone = replace(inputs, neighbours=torch.zeros(4, 4).bool(), timesteps=times)
    stages = record(network, lambda: velocity(network, alone))
    for name, at_one_time in (("t_embedding", network.t_embedding_norm), ("adaln_lora", network.t_embedder[1])):
        expected = at_one_time(network.t_embedder[0](0.001 * times[1, 3, 2]))
        assert _largest(stages[name][1, 3, 2, 0], expected) <= TOLERANCE
    later = times.clone()
    later[0, 1, 2] += 100
    moved = (velocity(network, replace(alone, timesteps=later)) != stages["out"]).flatten(2).any(dim=2)
    assert moved.tolist() == [[False, True, False, False], [False] * 4]


def test_rays_may_differ_within_a_batch() -> None:
    network = tiny_transformer(tiny_config("joint", "rays"))
    inputs = random_inputs(network.config, batch=2)
    rays = torch.stack((inputs.rays, 2 * inputs.rays))
    both = velocity(network, replace(inputs, rays=rays))
    for index in range(2):
        assert _largest(velocity(network, replace(inputs.of_batch(index), rays=rays[index])), both[index]) <= TOLERANCE


def test_weights_may_be_in_bfloat16_while_everything_given_is_fp32() -> None:
    for mixing, identity in FORMS:
        network = tiny_transformer(tiny_config(mixing, identity))
        inputs = random_inputs(network.config)
        exact = velocity(network, inputs)
        rounded = velocity(network.bfloat16(), inputs)
        assert rounded.dtype == torch.float32 and 1e-4 < _relative(rounded, exact) < 0.05
    assert network.dtype == torch.bfloat16 and network.device == torch.device("cpu")


def test_the_released_network_has_its_published_parts() -> None:
    with torch.device("meta"):
        network = MultiViewTransformer(COSMOS_2B_JOINT)

    def parameters(module: nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    assert parameters(network.blocks) == 28 * parameters(network.blocks[0]) == 1_937_782_784
    assert parameters(network.control_blocks) == 297_807_872
    assert parameters(network.crossattn_proj) == 102_761_472
    assert parameters(network.input_hint_block) == 29_374_464
    assert parameters(network.t_embedder) == 16_777_216
    assert parameters(network.final_layer) == 1_703_936
    assert parameters(network.control_embedder) == 1_581_056
    assert parameters(network.x_embedder) == 204_800


# -- what does not fit --------------------------------------------------------------------------------


def _refusing(sentence: str) -> Any:
    return pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$")


@pytest.mark.parametrize(
    ("mixing", "identity", "changes", "sentence"),
    [
        ("joint", "rays", {"control": torch.zeros(1, 4, 3, 3, 4, 6)},
         "control: expected latents [B,V,16,L,h,w], got [1, 4, 3, 3, 4, 6]"),
        ("joint", "rays", {"control": torch.zeros(4, 16, 3, 4, 6)},
         "control: expected latents [B,V,16,L,h,w], got [4, 16, 3, 4, 6]"),
        ("joint", "rays", {"control": torch.zeros(1, 4, 16, 3, 5, 6)},
         "control: latents of 6x5 cells cannot be cut into patches of 2x2"),
        ("joint", "rays", {"text": torch.zeros(1, 3, 5, 12)}, "text: expected [1, 4] first, got [1, 3, 5, 16]"),
        ("joint", "rays", {"known": torch.zeros(1, 4, 2)}, "known mask: expected [1, 4, 3] first, got [1, 4, 2]"),
        ("joint", "rays", {"rays": None}, "rays: this network knows cameras by their rays, and none were given"),
        ("joint", "rays", {"rays": torch.zeros(4, 3, 4, 6)},
         "rays: expected [V,C,h,w] = [4, 6, 4, 6], got [4, 3, 4, 6]"),
        ("joint", "channels", {"view_ids": torch.arange(3)}, "view ids: 3 for 4 views"),
        ("joint", "channels", {"view_ids": torch.tensor([0, 1, 2, 7])},
         "view ids: [0, 1, 2, 7] are not all from 0 to 6"),
        ("neighbours", "adaln", {"view_ids": torch.tensor([0, 1, 2, -1])},
         "view ids: [0, 1, 2, -1] are not all from 0 to 6"),
        ("neighbours", "adaln", {"neighbours": None},
         "neighbours: this network mixes neighbouring views, and no map of them was given"),
        ("neighbours", "adaln", {"neighbours": torch.ones(4, 3).bool()},
         "neighbours: expected [V,V] = [4,4], got [4, 3]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(mixing: Any, identity: Any, changes: dict[str, Any], sentence: str) -> None:
    network = tiny_transformer(tiny_config(mixing, identity))
    with _refusing(sentence):
        prepare(network, replace(random_inputs(network.config), **changes))


def test_clips_longer_than_the_positions_are_refused() -> None:
    network = tiny_transformer(tiny_config("joint", "rays", max_latent_frames=2))
    with _refusing("3 latent frames are more than the 2 positions of the network"):
        prepare(network, random_inputs(network.config))
