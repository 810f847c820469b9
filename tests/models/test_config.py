"""A configuration says what a network is made of, refuses what cannot be built, and survives a file."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from models.config import (
    COSMOS_2B_JOINT,
    COSMOS_2B_NEIGHBOURS,
    COSMOS_NEIGHBOURS,
    COSMOS_VIEWS,
    PRESETS,
    TransformerConfig,
)
from models.errors import CheckpointError, ShapeError

KNOWN = ", ".join(field.name for field in fields(TransformerConfig))


def test_channels_are_those_of_the_released_network() -> None:
    assert COSMOS_2B_JOINT.base_channels == 25 and COSMOS_2B_JOINT.control_channels == 193
    assert COSMOS_2B_JOINT.head_size == 128 and COSMOS_2B_JOINT.control_places == (0, 7, 14, 21)


def test_channels_without_learned_channels_are_latents_and_masks_and_with_rays_six_more() -> None:
    assert COSMOS_2B_NEIGHBOURS.base_channels == 18 and COSMOS_2B_NEIGHBOURS.control_channels == 18
    assert len(COSMOS_2B_NEIGHBOURS.control_places) == 7
    rays = replace(COSMOS_2B_NEIGHBOURS, view_identity="rays")
    assert rays.base_channels == 24 and rays.control_channels == 24


def test_the_published_map_of_neighbours_is_mutual() -> None:
    assert set(COSMOS_NEIGHBOURS) == set(range(len(COSMOS_VIEWS))) == set(range(7))
    assert all(view in COSMOS_NEIGHBOURS[other] for view, seen in COSMOS_NEIGHBOURS.items() for other in seen)
    named = {COSMOS_VIEWS[view]: {COSMOS_VIEWS[other] for other in seen} for view, seen in COSMOS_NEIGHBOURS.items()}
    assert named["front_wide"] == {"cross_left", "cross_right", "front_tele"}
    assert named["rear"] == {"rear_left", "rear_right"} and named["front_tele"] == {"front_wide"}


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_a_configuration_survives_a_file(config: TransformerConfig) -> None:
    assert TransformerConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_what_a_file_leaves_out_has_defaults() -> None:
    needed = ("hidden_size", "num_heads", "num_blocks", "control_interval", "view_mixing", "view_identity")
    values = {name: COSMOS_2B_JOINT.to_dict()[name] for name in needed}
    config = TransformerConfig.from_dict(values)
    assert config.latent_channels == 16 and config.neighbour_map == "rig" and not config.round_rope_exponents


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"view_mixing": "all"}, "view_mixing: 'all' is none of joint, neighbours, decomposed"),
        ({"view_identity": "name"}, "view_identity: 'name' is none of channels, adaln, rays"),
        ({"neighbour_map": "nuscenes"}, "neighbour_map: 'nuscenes' is none of rig, cosmos-7"),
        ({"num_heads": 15}, "hidden_size: 2048 is not a multiple of num_heads, 15"),
        ({"hidden_size": 160}, "hidden_size: a head of 10 is too small, it must be even and at least 12"),
        ({"hidden_size": 208}, "hidden_size: a head of 13 is too small, it must be even and at least 12"),
        ({"num_heads": 0}, "num_heads: 0 is not a whole number of at least 1"),
        ({"num_blocks": "28"}, "num_blocks: '28' is not a whole number of at least 1"),
        ({"control_zero_channels": -1}, "control_zero_channels: -1 is not a whole number of at least 0"),
        ({"mlp_ratio": 0.0}, "mlp_ratio: 0.0 is not a number above 0"),
        ({"rope_ratio_t": None}, "rope_ratio_t: None is not a number above 0"),
        ({"control_interval": 0}, "control_interval: 0 is not a whole number of at least 1"),
        ({"control_interval": 29}, "control_interval: 29 is not within 1 to 28 blocks"),
        ({"clip_frames": 28}, "clip_frames: 28 is not 4k+1"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
        replace(COSMOS_2B_JOINT, **changes)
    values = COSMOS_2B_JOINT.to_dict() | changes
    with pytest.raises(CheckpointError, match=f"^{re.escape(f'weights/config.json: {sentence}')}$"):
        TransformerConfig.from_dict(values, "weights/config.json")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (COSMOS_2B_JOINT.to_dict() | {"depth": 3}, f"config.json: unknown field depth. This version knows {KNOWN}"),
        (
            COSMOS_2B_JOINT.to_dict() | {"width": 3, "depth": 3},
            f"config.json: unknown fields depth, width. This version knows {KNOWN}",
        ),
        ({"hidden_size": 64, "num_heads": 2, "num_blocks": 1, "control_interval": 1, "view_mixing": "joint"},
         "config.json: lacks field view_identity"),
        ({"num_blocks": 1},
         "config.json: lacks fields hidden_size, num_heads, control_interval, view_mixing, view_identity"),
    ],
)  # fmt: skip
def test_files_of_another_kind_are_explained_by_field(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CheckpointError, match=f"^{re.escape(sentence)}$"):
        TransformerConfig.from_dict(values)
