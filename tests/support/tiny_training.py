"""Clips, networks and settings so small that a training takes a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from models.config import TransformerConfig
from models.training.examples import Example
from models.training.logs import Callbacks
from models.training.optimise import LearningRate
from models.training.trainer import Trainer, TrainingSettings
from models.transformer import MultiViewTransformer

TEXT = torch.eye(6)[None, :2]
"""Two groups of words, [1,N,C]."""


def micro_config(**changes: Any) -> TransformerConfig:
    values: dict[str, Any] = {
        "hidden_size": 48, "num_heads": 2, "num_blocks": 2, "control_interval": 2, "latent_channels": 4,
        "adaln_rank": 8, "text_channels": 6, "text_width": 8, "clip_frames": 9, "width_px": 48, "height_px": 32,
        "view_mixing": "neighbours", "view_identity": "rays",
    }  # fmt: skip
    return TransformerConfig(**values | changes)


def micro_network(seed: int = 0, **changes: Any) -> MultiViewTransformer:
    """Torch's own random weights, so that nothing is zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MultiViewTransformer(micro_config(**changes))


def micro_example(seed: int = 0, views: int = 3, latent_frames: int = 3, **changes: Any) -> Example:
    """A row of cameras of which each sees the next."""
    random = torch.Generator().manual_seed(seed)
    shape = (views, 4, latent_frames, 4, 6)
    places = torch.arange(views)
    values: dict[str, Any] = {
        "video": torch.randn(shape, generator=random),
        "control": torch.randn(shape, generator=random),
        "text": TEXT,
        "rays": torch.randn(views, 6, 4, 6, generator=random),
        "neighbours": (places[:, None] - places).abs() == 1,
    }
    return Example(**values | changes)


class Clips:
    """A source of clips in memory, in turn."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples

    def identity(self) -> dict[str, Any]:
        return {"kind": "memory", "clips": len(self.examples)}

    def batch(self, first: int, count: int, seed: int) -> list[Example]:
        return [self.examples[(first + place) % len(self.examples)] for place in range(count)]


def micro_settings(**changes: Any) -> TrainingSettings:
    values: dict[str, Any] = {
        "steps": 8, "batch": 2, "precision": "fp32", "checkpoint_every": 100, "learning_rate": LearningRate(1e-2, 2),
    }  # fmt: skip
    return TrainingSettings(**values | changes)


def micro_trainer(folder: Path, network: MultiViewTransformer | None = None, **changes: Any) -> Trainer:
    """source, objective and callbacks as for a Trainer; all else are settings."""
    return Trainer(
        network or micro_network(),
        changes.pop("source", None) or Clips([micro_example(0), micro_example(1, views=2)]),
        objective=changes.pop("objective", None),
        callbacks=changes.pop("callbacks", Callbacks()),
        settings=micro_settings(**changes),
        folder=folder,
    )
