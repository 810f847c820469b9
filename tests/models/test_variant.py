"""Which network a file holds is told from names and shapes alone, and said in words when it is none of ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.config import COSMOS_2B_JOINT, COSMOS_2B_NEIGHBOURS, TransformerConfig
from models.errors import CheckpointError
from models.transformer import MultiViewTransformer
from models.variant import clean_keys, describe_tensors, detect_config, differences

Shapes = dict[str, tuple[int, ...]]

SMALL = TransformerConfig(
    hidden_size=48,
    num_heads=4,
    num_blocks=6,
    control_interval=2,
    view_mixing="joint",
    view_identity="channels",
    adaln_rank=8,
    text_channels=20,
    text_width=12,
)
NO_NETWORK = (
    "Expected a multi-view network: base blocks, control blocks and a view identity "
    "(view_embeddings, adaln_view_embedder or ray channels)"
)


def _shapes(config: TransformerConfig) -> Shapes:
    with torch.device("meta"):
        model = MultiViewTransformer(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _golden_json(shared: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared / "golden" / "model" / name).read_text())
    return content


def _as_config(official: dict[str, Any]) -> TransformerConfig:
    """The published configuration's fields in our words."""
    neighbours = bool(official.get("enable_cross_view_attn"))
    by_channels = official["concat_view_embedding"]
    channels = 16 + (official["view_condition_dim"] if by_channels else 0)
    per_modality = official["num_max_modalities"]
    return TransformerConfig(
        hidden_size=official["model_channels"],
        num_heads=official["num_heads"],
        num_blocks=official["num_blocks"],
        control_interval=official["vace_block_every_n"],
        view_mixing="neighbours" if neighbours else "joint",
        view_identity="channels" if by_channels else "adaln",
        neighbour_map="cosmos-7" if neighbours else "rig",
        hint_block=official["use_input_hint_block"],
        control_zero_channels=channels * per_modality - 16,
        latent_channels=official["in_channels"],
        patch_size=official["patch_spatial"],
        mlp_ratio=official["mlp_ratio"],
        adaln_rank=official["adaln_lora_dim"],
        text_channels=official["crossattn_proj_in_channels"],
        text_width=official["crossattn_emb_channels"],
        num_views=official["n_cameras_emb"],
        rope_ratio_t=official["rope_t_extrapolation_ratio"],
        rope_ratio_h=official["rope_h_extrapolation_ratio"],
        rope_ratio_w=official["rope_w_extrapolation_ratio"],
        round_rope_exponents=True,
        max_latent_frames=official["max_frames"],
        max_tokens_h=official["max_img_h"] // official["patch_spatial"],
        max_tokens_w=official["max_img_w"] // official["patch_spatial"],
    )


# -- the published layout -----------------------------------------------------------------------------


def test_the_released_layout_is_the_joint_preset(shared: Path) -> None:
    keys = _golden_json(shared, "auto_multiview_key_layout.json")["keys"]
    assert detect_config({name: tuple(entry["shape"]) for name, entry in keys.items()}) == COSMOS_2B_JOINT


def test_the_network_has_every_parameter_of_the_released_layout(shared: Path) -> None:
    layout = _golden_json(shared, "auto_multiview_key_layout.json")
    assert layout["count"] == len(layout["keys"]) == 700
    names = clean_keys(layout["keys"])
    assert {raw for raw, entry in layout["keys"].items() if entry["kind"] == "param"} == set(names)
    with torch.device("meta"):
        model = MultiViewTransformer(COSMOS_2B_JOINT)
    ours = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
    assert ours == {clean: layout["keys"][raw]["shape"] for raw, clean in names.items()}
    assert len(ours) == len(model.state_dict()) == 675
    assert sum(p.numel() for p in model.parameters()) == layout["parameters"] == 2_387_995_697


@pytest.mark.parametrize("name", ["joint_a", "joint_b", "cross_a"])
def test_golden_weights_are_told_from_their_shapes(shared: Path, name: str) -> None:
    content = _golden_json(shared, f"{name}.weights.json")
    shapes = {key: tuple(shape) for key, (shape, _) in content["tensors"].items()}
    assert detect_config(shapes) == _as_config(content["config"])


# -- telling the configuration ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        replace(COSMOS_2B_JOINT),
        replace(COSMOS_2B_NEIGHBOURS),
        replace(SMALL, hint_block=True, control_zero_channels=5, patch_size=1, num_views=4, view_channels=3),
        replace(SMALL, latent_channels=8, mlp_ratio=2.5, num_heads=2, num_blocks=7, control_interval=3),
        replace(SMALL, view_identity="rays", control_zero_channels=2),
        replace(SMALL, view_mixing="neighbours", view_identity="rays"),
        replace(SMALL, view_mixing="neighbours", view_identity="channels"),
        replace(SMALL, view_identity="adaln", num_views=5),
    ],
)
def test_every_size_is_told_from_the_shapes(config: TransformerConfig) -> None:
    assert differences(detect_config(_shapes(config)), config) == []


def test_what_shapes_cannot_tell_is_that_of_the_published_network_of_the_kind() -> None:
    joint = detect_config(_shapes(SMALL))
    neighbours = detect_config(_shapes(replace(SMALL, view_mixing="neighbours", view_identity="adaln")))
    assert (joint.rope_ratio_t, joint.round_rope_exponents, joint.neighbour_map) == (8 / 24, True, "rig")
    assert (neighbours.rope_ratio_t, neighbours.round_rope_exponents) == (1.0, True)
    assert neighbours.neighbour_map == "cosmos-7"


def test_a_network_of_other_cameras_takes_its_neighbours_from_the_rig() -> None:
    shapes = _shapes(replace(SMALL, view_mixing="neighbours", view_identity="adaln", num_views=6))
    assert detect_config(shapes).neighbour_map == "rig"


def test_decomposed_mixing_has_the_keys_of_joint() -> None:
    assert detect_config(_shapes(replace(SMALL, view_mixing="decomposed"))).view_mixing == "joint"


@pytest.mark.parametrize(
    ("blocks", "control_blocks", "sentence"),
    [
        (7, 3, None),
        (7, 4, None),
        (
            16,
            3,
            "w.pt: the control interval cannot be told from 16 blocks and 3 control blocks: any of 6, 7 fits. "
            "Give the configuration, as config.json next to the weights does",
        ),
        (
            7,
            5,
            "w.pt: the control interval cannot be told from 7 blocks and 5 control blocks: none fits. "
            "Give the configuration, as config.json next to the weights does",
        ),
    ],
)
def test_the_control_interval_is_told_or_explained(blocks: int, control_blocks: int, sentence: str | None) -> None:
    shapes = _shapes(replace(SMALL, num_blocks=1, control_interval=1))
    for group, count in (("blocks", blocks), ("control_blocks", control_blocks)):
        first = {name: shape for name, shape in shapes.items() if name.startswith(f"{group}.0.")}
        for index in range(1, count):
            shapes |= {name.replace(".0.", f".{index}.", 1): shape for name, shape in first.items()}
    if sentence is None:
        found = detect_config(shapes)
        assert (found.num_blocks, len(found.control_places)) == (blocks, control_blocks)
        return
    with pytest.raises(CheckpointError) as error:
        detect_config(shapes, "w.pt")
    assert str(error.value) == sentence


# -- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("blocks.0.mlp.layer1.weight", "blocks.0.mlp.layer1.weight"),
        ("net.blocks.0.mlp.layer1.weight", "blocks.0.mlp.layer1.weight"),
        ("model.net.view_embeddings.weight", "view_embeddings.weight"),
        ("state_dict.model.net.view_embeddings.weight", "view_embeddings.weight"),
        ("net.blocks.3._checkpoint_wrapped_module.mlp.layer1.weight", "blocks.3.mlp.layer1.weight"),
        ("net.control_blocks.0.self_attn.attn_op._extra_state", None),
        ("net.accum_iteration", None),
        ("accum_train_in_hours", None),
        ("net.pos_embedder_options.n_cameras_7.seq", None),
    ],
)
def test_names_lose_their_wrapping_and_bookkeeping_is_left_out(raw: str, clean: str | None) -> None:
    assert clean_keys([raw]) == ({} if clean is None else {raw: clean})


def test_averaged_weights_are_taken_where_both_are_there() -> None:
    names = ["net.x.weight", "net_ema.x.weight", "net.y.weight", "net_ema.y.weight", "net_ema.accum_iteration"]
    assert clean_keys(names) == {"net_ema.x.weight": "x.weight", "net_ema.y.weight": "y.weight"}


def test_a_tensor_that_is_there_twice_is_refused() -> None:
    with pytest.raises(CheckpointError) as error:
        clean_keys(["net.x.weight", "x.weight"])
    assert str(error.value) == "x.weight: found twice, as net.x.weight and as x.weight. Keep one of them"


# -- files of other kinds -----------------------------------------------------------------------------


def _without(shapes: Shapes, *prefixes: str) -> Shapes:
    return {name: shape for name, shape in shapes.items() if not name.startswith(prefixes)}


def _one_view(shapes: Shapes) -> Shapes:
    narrow = {"x_embedder.proj.1.weight": (48, 72), "control_embedder.proj.1.weight": (48, 72)}
    return _without(shapes, "view_embeddings") | narrow


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({}, "no tensors"),
        ({"a": (1,), "b": (2,)}, "2 tensors of an unknown kind, such as a, b"),
        ({"encoder.downsamples.0.residual.0.gamma": (1,)}, "a Wan VAE as published (tokenizer.pth)"),
        ({"encoder.down_blocks.0.conv1.weight": (1,)}, "a VAE in diffusers' naming"),
        ({"transformer_blocks.0.attn1.to_q.weight": (1,)}, "a network in diffusers' naming"),
        (
            {"visual.blocks.0.norm1.weight": (1,), "model.embed_tokens.weight": (1,)},
            "a vision-language model, such as the text encoder",
        ),
        ({"model.embed_tokens.weight": (1,)}, "a language model"),
        ({"blocks.0.self_attn.q_proj.lora_A.weight": (1,)}, "LoRA weights, which need the network they adapt"),
        (_without(_shapes(SMALL), "control_"), "a Cosmos network without a control branch"),
        (_one_view(_shapes(SMALL)), "a Cosmos network without view embeddings, as those for one view are"),
    ],
)
def test_a_file_of_another_kind_is_named(shapes: Shapes, words: str) -> None:
    assert describe_tensors(shapes) == words
    with pytest.raises(CheckpointError) as error:
        detect_config(shapes, "w.pt")
    assert str(error.value) == f"w.pt: holds {words}. {NO_NETWORK}"


def test_the_golden_vae_is_named(shared: Path) -> None:
    content = _golden_json(shared, "vae_tiny.weights.json")["tensors"]
    assert describe_tensors(dict.fromkeys(content, ())) == "a Wan VAE as published (tokenizer.pth)"


def _broken(**changes: tuple[int, ...] | None) -> Shapes:
    shapes = _shapes(SMALL)
    for name, shape in changes.items():
        key = name.replace("__", ".")
        shapes.pop(key, None)
        if shape is not None:
            shapes[key] = shape
    return shapes


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (
            _broken(blocks__0__self_attn__q_norm__weight=None),
            "w.pt: lacks blocks.0.self_attn.q_norm.weight, which tells the size of the network",
        ),
        (
            _broken(crossattn_proj__0__weight=(12,)),
            "w.pt: crossattn_proj.0.weight has shape [12], which is no network's",
        ),
        (
            _broken(blocks__0__self_attn__q_norm__weight=(13,)),
            "w.pt: 48 features do not divide into 13 for a count of heads",
        ),
        (
            _broken(blocks__0__self_attn__q_norm__weight=(8,)),
            "w.pt: hidden_size: a head of 8 is too small, it must be even and at least 12",
        ),
        (
            _broken(adaln_view_embedder__weight=(7, 48)),
            "w.pt: holds both view_embeddings and adaln_view_embedder. A network has one of them",
        ),
        (_broken(x_embedder__proj__1__weight=(48, 82)), "w.pt: a patch of 2 cells is not square"),
        (
            _broken(control_embedder__proj__1__weight=(48, 96)),
            "w.pt: control_embedder.proj.1.weight takes 96 features, "
            "fewer than the 100 of latents, masks and view identity",
        ),
    ],
)
def test_shapes_of_no_network_are_refused(shapes: Shapes, sentence: str) -> None:
    with pytest.raises(CheckpointError) as error:
        detect_config(shapes, "w.pt")
    assert str(error.value) == sentence


def test_differences_name_field_and_both_values() -> None:
    assert differences(replace(SMALL, num_blocks=4, fps=30.0), replace(SMALL, view_mixing="decomposed")) == [
        "num_blocks is 4, not 6",
        "view_mixing is joint, not decomposed",
    ]
