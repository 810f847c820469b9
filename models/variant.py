"""Which network a weights file holds, told from the names and shapes of its tensors alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields

from .config import COSMOS_2B_JOINT, COSMOS_2B_NEIGHBOURS, RAY_CHANNELS, TransformerConfig
from .errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

MULTI_VIEW = "a multi-view network"
"""What ``describe_tensors`` calls the networks of this package."""

_OUTER_LEVELS = ("model.", "state_dict.")
_WRAPPER = "_checkpoint_wrapped_module."
_IGNORED = re.compile(r".*_extra_state|accum_.*|pos_embedder_options\..*")
"""Bookkeeping of the published code: kernel state, training counters, rotary tables that are computed anew."""

_NO_PARAMETERS = frozenset(
    {
        "rope_ratio_t",
        "rope_ratio_h",
        "rope_ratio_w",
        "round_rope_exponents",
        "neighbour_map",
        "max_latent_frames",
        "max_tokens_h",
        "max_tokens_w",
        "clip_frames",
        "width_px",
        "height_px",
        "fps",
    }
)
"""Fields of the configuration that leave no trace in names and shapes."""

_TELLTALE: tuple[tuple[str, str], ...] = (
    (r"(.*\.)?lora_[AB]\b.*", "LoRA weights, which need the network they adapt"),
    (r"(vae\.)?(encoder\.downsamples|decoder\.upsamples)\..*", "a Wan VAE as published (tokenizer.pth)"),
    (r"(encoder\.down_blocks|decoder\.up_blocks)\..*", "a VAE in diffusers' naming"),
    (r"transformer_blocks\..*", "a network in diffusers' naming"),
    (r"(.*\.)?visual\.blocks\..*", "a vision-language model, such as the text encoder"),
    (r"(.*\.)?embed_tokens\.weight", "a language model"),
)
"""Tensors that only these have."""


def clean_keys(names: Iterable[str]) -> dict[str, str]:
    """Name in the file -> name in the network, without what a network has no use for.

    Where a file holds trained and averaged weights (``net.`` and ``net_ema.``) the averaged ones are taken,
    as in the released files.
    """
    bare = {name: _strip_levels(name) for name in names}
    prefix = "net_ema." if any(name.startswith("net_ema.") for name in bare.values()) else "net."
    cleaned: dict[str, str] = {}
    sources: dict[str, str] = {}
    for raw, name in bare.items():
        clean = name.removeprefix(prefix)
        if _IGNORED.fullmatch(clean) or clean.startswith("net."):
            continue
        if clean in sources:
            raise CheckpointError(f"{clean}: found twice, as {sources[clean]} and as {raw}. Keep one of them")
        cleaned[raw] = clean
        sources[clean] = raw
    return cleaned


def detect_config(shapes: Shapes, where: str = "weights") -> TransformerConfig:
    """The configuration of the network that has these tensors, by the names they have in the file.

    What shapes cannot tell, such as rotary ratios, is that of the published network of the same kind. Mixing
    ``decomposed`` has the keys of ``joint``: only a config.json tells them apart.
    """
    shapes = {clean: shapes[raw] for raw, clean in clean_keys(shapes).items()}
    _require_network(shapes, where)
    return _Reader(shapes, where).config()


def describe_tensors(shapes: Shapes) -> str:
    """What a file with these tensors seems to be, as words that follow ``holds``."""
    shapes = {clean: shapes[raw] for raw, clean in clean_keys(shapes).items()}
    if not shapes:
        return "no tensors"
    for pattern, what in _TELLTALE:
        if any(re.fullmatch(pattern, name) for name in shapes):
            return what
    if "x_embedder.proj.1.weight" not in shapes or "final_layer.linear.weight" not in shapes:
        return f"{len(shapes)} tensors of an unknown kind, such as {', '.join(sorted(shapes)[:3])}"
    if not any(name.startswith("control_blocks.") for name in shapes):
        return "a Cosmos network without a control branch"
    if not _says_which_view(shapes):
        return "a Cosmos network without view embeddings, as those for one view are"
    return MULTI_VIEW


def differences(found: TransformerConfig, wanted: TransformerConfig) -> list[str]:
    """In what a found network is another one than wanted: ``num_blocks is 6, not 28``.

    Only what decides the parameters and which views see each other counts.
    """
    names = [field.name for field in fields(TransformerConfig) if field.name not in _NO_PARAMETERS]
    pairs = [(name, getattr(found, name), getattr(wanted, name)) for name in names]
    return [f"{name} is {here}, not {there}" for name, here, there in pairs if here != there]


def _strip_levels(name: str) -> str:
    name = name.replace(_WRAPPER, "")
    while name.startswith(_OUTER_LEVELS):
        name = name.split(".", 1)[1]
    return name


def _require_network(shapes: Shapes, where: str) -> None:
    what = describe_tensors(shapes)
    if what != MULTI_VIEW:
        raise CheckpointError(
            f"{where}: holds {what}. Expected a multi-view network: base blocks, control blocks and a view identity "
            "(view_embeddings, adaln_view_embedder or ray channels)"
        )


def _says_which_view(shapes: Shapes) -> bool:
    return "view_embeddings.weight" in shapes or "adaln_view_embedder.weight" in shapes or _has_rays(shapes)


def _has_rays(shapes: Shapes) -> bool:
    """Whether the input is wider than the output by masks and rays; without view embeddings nothing else is."""
    wide, narrow = shapes["x_embedder.proj.1.weight"], shapes["final_layer.linear.weight"]
    return len(wide) == len(narrow) == 2 and wide[1] - narrow[0] == _PATCH_AREA * (2 + RAY_CHANNELS)


_PATCH_AREA = COSMOS_2B_JOINT.patch_size**2


class _Reader:
    """Reads sizes off the shapes of one network."""

    def __init__(self, shapes: Shapes, where: str) -> None:
        self.shapes = shapes
        self.where = where

    def config(self) -> TransformerConfig:
        """Everything the shapes tell, on top of the published network of the same kind."""
        neighbours = any(".cross_view_attn." in name for name in self.shapes)
        base = COSMOS_2B_NEIGHBOURS if neighbours else COSMOS_2B_JOINT
        values = base.to_dict() | self._identity() | self._width() | self._depth() | self._text()
        values |= self._channels(values)
        if neighbours and values["num_views"] != base.num_views:
            values["neighbour_map"] = "rig"
        return TransformerConfig.from_dict(values, self.where)

    def _identity(self) -> dict[str, object]:
        by_channels = "view_embeddings.weight" in self.shapes
        by_adaln = "adaln_view_embedder.weight" in self.shapes
        if by_channels and by_adaln:
            raise CheckpointError(
                f"{self.where}: holds both view_embeddings and adaln_view_embedder. A network has one of them"
            )
        if by_channels:
            views, channels = self._size("view_embeddings.weight", 0), self._size("view_embeddings.weight", 1)
            return {"view_identity": "channels", "num_views": views, "view_channels": channels}
        if by_adaln:
            return {"view_identity": "adaln", "num_views": self._size("adaln_view_embedder.weight", 0)}
        return {"view_identity": "rays"}

    def _width(self) -> dict[str, object]:
        hidden = self._size("x_embedder.proj.1.weight", 0)
        return {
            "hidden_size": hidden,
            "num_heads": self._divide(hidden, self._size("blocks.0.self_attn.q_norm.weight", 0), "heads"),
            "mlp_ratio": self._size("blocks.0.mlp.layer1.weight", 0) / hidden,
            "adaln_rank": self._size("blocks.0.adaln_modulation_self_attn.1.weight", 0),
        }

    def _depth(self) -> dict[str, object]:
        blocks, control_blocks = self._count("blocks"), self._count("control_blocks")
        return {
            "num_blocks": blocks,
            "control_interval": self._control_interval(blocks, control_blocks),
            "hint_block": any(name.startswith("input_hint_block.") for name in self.shapes),
        }

    def _text(self) -> dict[str, object]:
        width, channels = (self._size("crossattn_proj.0.weight", axis) for axis in (0, 1))
        return {"text_width": width, "text_channels": channels}

    def _channels(self, values: dict[str, object]) -> dict[str, object]:
        """Patch and channel counts: x_embedder takes latents, two masks and the identity, final_layer gives latents."""
        probe = TransformerConfig.from_dict(values, self.where)
        entering, control = (self._size(f"{name}.proj.1.weight", 1) for name in ("x_embedder", "control_embedder"))
        leaving = self._size("final_layer.linear.weight", 0)
        area = self._divide(entering - leaving, 2 + probe.identity_channels, "cells of a patch")
        patch = math.isqrt(area)
        if patch * patch != area or patch < 1:
            raise CheckpointError(f"{self.where}: a patch of {area} cells is not square")
        latents = self._divide(leaving, area, "latent channels")
        zeros = self._divide(control, area, "control channels") - latents - 2 - probe.identity_channels
        if zeros < 0:
            raise CheckpointError(
                f"{self.where}: control_embedder.proj.1.weight takes {control} features, "
                f"fewer than the {control - zeros * area} of latents, masks and view identity"
            )
        return {"patch_size": patch, "latent_channels": latents, "control_zero_channels": zeros}

    def _control_interval(self, blocks: int, control_blocks: int) -> int:
        """n such that base blocks 0, n, 2n, ... are as many as there are control blocks.

        Networks place them evenly: where the number of blocks is a multiple, that is the interval.
        """
        fitting = [n for n in range(1, blocks + 1) if math.ceil(blocks / n) == control_blocks]
        if blocks % control_blocks == 0:
            return blocks // control_blocks
        if len(fitting) != 1:
            which = f"any of {', '.join(map(str, fitting))} fits" if fitting else "none fits"
            raise CheckpointError(
                f"{self.where}: the control interval cannot be told from {blocks} blocks and {control_blocks} control "
                f"blocks: {which}. Give the configuration, as config.json next to the weights does"
            )
        return fitting[0]

    def _count(self, group: str) -> int:
        pattern = re.compile(rf"{group}\.(\d+)\..*")
        found = {int(match[1]) for match in map(pattern.fullmatch, self.shapes) if match}
        if not found:
            raise CheckpointError(f"{self.where}: lacks {group}.0, so this is no multi-view network")
        return max(found) + 1

    def _size(self, name: str, axis: int) -> int:
        shape = self.shapes.get(name)
        if shape is None:
            raise CheckpointError(f"{self.where}: lacks {name}, which tells the size of the network")
        if axis >= len(shape) or shape[axis] < 1:
            raise CheckpointError(f"{self.where}: {name} has shape {list(shape)}, which is no network's")
        return shape[axis]

    def _divide(self, whole: int, part: int, what: str) -> int:
        if whole < part or whole % part:
            raise CheckpointError(f"{self.where}: {whole} features do not divide into {part} for a count of {what}")
        return whole // part
