"""Low-rank additions to linear layers (LoRA, arXiv:2106.09685), put into a built network and merged out of it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import ModelError
from ..transformer import MultiViewTransformer

LORA_TARGETS = ("q_proj", "k_proj", "v_proj", "output_proj", "mlp.layer1", "mlp.layer2")


@dataclass(frozen=True)
class Lora:
    """How large the additions are. The addition is alpha / rank times B A. targets: endings of the layers' names."""

    rank: int = 32
    alpha: float = 32.0
    targets: tuple[str, ...] = LORA_TARGETS

    def __post_init__(self) -> None:
        if self.rank < 1 or not self.alpha > 0:
            raise ModelError(f"lora: rank and alpha must be above 0, got {self.rank} and {self.alpha:g}")


class LoraLinear(nn.Linear):
    """A linear layer with a low-rank addition; its own weight keeps its name."""

    def __init__(self, base: nn.Linear, lora: Lora, random: torch.Generator) -> None:
        with torch.device("meta"):
            super().__init__(base.in_features, base.out_features, base.bias is not None)
        self.weight, self.bias = base.weight, base.bias
        narrow = torch.randn(lora.rank, base.in_features, generator=random) * base.in_features**-0.5
        self.lora_a = nn.Parameter(narrow.to(base.weight))
        self.lora_b = nn.Parameter(base.weight.new_zeros(base.out_features, lora.rank))
        self.scale = lora.alpha / lora.rank

    def forward(self, input: Tensor) -> Tensor:
        """[...,in] -> [...,out]."""
        added = functional.linear(functional.linear(input, self.lora_a), self.lora_b)
        return super().forward(input) + self.scale * added


def add_lora(transformer: MultiViewTransformer, lora: Lora, seed: int) -> None:
    """Put additions, which are zero yet, to the layers of all blocks that are targets."""
    random = torch.Generator().manual_seed(seed)
    targets = [
        (parent, child, layer)
        for name, parent, child, layer in _linear_layers(transformer)
        if name.startswith(("blocks.", "control_blocks.")) and name.endswith(lora.targets)
    ]
    if not targets:
        raise ModelError(f"lora: no layer of a block has a name that ends in {' or '.join(lora.targets)}")
    for parent, child, layer in targets:
        setattr(parent, child, LoraLinear(layer, lora, random))


def merged_state(state: Mapping[str, Tensor], lora: Lora) -> dict[str, Tensor]:
    """The weights of plain layers that do the same as those with additions, by name."""
    merged = {name: tensor for name, tensor in state.items() if not name.endswith((".lora_a", ".lora_b"))}
    for name in state:
        if name.endswith(".lora_a"):
            layer = name.removesuffix("lora_a")
            delta = state[f"{layer}lora_b"].float() @ state[name].float()
            weight = merged[f"{layer}weight"]
            merged[f"{layer}weight"] = (weight.float() + lora.alpha / lora.rank * delta).to(weight.dtype)
    return merged


def _linear_layers(network: nn.Module) -> list[tuple[str, nn.Module, str, nn.Linear]]:
    """Name, the module that holds it, its name there, and the layer, of all linear layers."""
    return [
        (f"{name}.{child}" if name else child, parent, child, layer)
        for name, parent in network.named_modules()
        for child, layer in parent.named_children()
        if isinstance(layer, nn.Linear)
    ]
