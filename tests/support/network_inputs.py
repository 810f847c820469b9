"""What a network is given for a clip, in one place, so that tests can change it view by view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from models.config import TransformerConfig
from models.step_cache import StepCache
from models.transformer import Conditioning, MultiViewTransformer


@dataclass(frozen=True)
class NetworkInputs:
    """A batch of clips.

    latents, control: [B,V,C,L,h,w]. text: before projection, [B,V,N,C]. known: [B,V,L]. timesteps: [B] or [B,V,L].
    view_ids: int64 [V] or [B,V]. rays: [V,6,h,w]. neighbours: bool [V,V]. padding: [B,H,W] or None.
    """

    latents: Tensor
    control: Tensor
    text: Tensor
    known: Tensor
    timesteps: Tensor
    view_ids: Tensor
    rays: Tensor
    neighbours: Tensor
    padding: Tensor | None = None
    control_weight: float = 1.0

    def reordered(self, order: Sequence[int]) -> NetworkInputs:
        """The same views in another order, or some of them."""
        order = list(order)
        return replace(
            self,
            latents=self.latents[:, order],
            control=self.control[:, order],
            text=self.text[:, order],
            known=self.known[:, order],
            timesteps=self.timesteps if self.timesteps.ndim == 1 else self.timesteps[:, order],
            view_ids=self.view_ids[..., order],
            rays=self.rays[order],
            neighbours=self.neighbours[order][:, order],
        )

    def of_batch(self, index: int) -> NetworkInputs:
        """One clip of the batch, as a batch of one."""
        one = slice(index, index + 1)
        return replace(
            self,
            latents=self.latents[one],
            control=self.control[one],
            text=self.text[one],
            known=self.known[one],
            timesteps=self.timesteps[one],
            view_ids=self.view_ids if self.view_ids.ndim == 1 else self.view_ids[one],
            padding=None if self.padding is None else self.padding[one],
        )


def random_inputs(
    config: TransformerConfig,
    views: int = 4,
    latent_frames: int = 3,
    height: int = 4,
    width: int = 6,
    batch: int = 1,
    text_tokens: int = 5,
    seed: int = 0,
) -> NetworkInputs:
    """Random clips of a ring of cameras, the first latent frame of every other view known."""
    generator = torch.Generator().manual_seed(seed)

    def randn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    known = torch.zeros(batch, views, latent_frames)
    known[:, ::2, 0] = 1
    ring = torch.eye(views).roll(1, 0).bool()
    return NetworkInputs(
        latents=randn(batch, views, config.latent_channels, latent_frames, height, width),
        control=randn(batch, views, config.latent_channels, latent_frames, height, width),
        text=randn(batch, views, text_tokens, config.text_channels),
        known=known,
        timesteps=1000 * torch.rand(batch, generator=generator),
        view_ids=torch.arange(views) % config.num_views,
        rays=randn(views, 6, height, width),
        neighbours=(ring | ring.T) & ~torch.eye(views).bool(),
    )


def prepare(network: MultiViewTransformer, inputs: NetworkInputs) -> Conditioning:
    """What does not change from step to step."""
    return network.prepare(
        inputs.control,
        network.project_text(inputs.text),
        known=inputs.known,
        view_ids=inputs.view_ids,
        rays=inputs.rays,
        neighbours=inputs.neighbours,
        padding=inputs.padding,
    )


def velocity(network: MultiViewTransformer, inputs: NetworkInputs, cache: StepCache | None = None) -> Tensor:
    """The network's output, [B,V,C,L,h,w]."""
    output: Tensor = network(
        inputs.latents, inputs.timesteps, prepare(network, inputs), inputs.control_weight, cache=cache
    )
    return output


def record(network: MultiViewTransformer, run: Callable[[], Tensor]) -> dict[str, Tensor]:
    """What passes between the parts of a network while it runs, by the names the golden files use, and ``out``."""
    seen: dict[str, Tensor] = {}
    hints: list[Tensor] = []

    def keep_output(name: str) -> Callable[..., None]:
        return lambda module, given, output: seen.__setitem__(name, output)

    def keep_input(name: str) -> Callable[..., None]:
        return lambda module, given: seen.__setitem__(name, given[0])

    outputs: dict[str, nn.Module] = {
        "x_embed": network.x_embedder,
        "control_embed": network.control_embedder,
        "t_embedding": network.t_embedding_norm,
        "adaln_lora": network.t_embedder[1],
        "text_proj": network.crossattn_proj,
    }
    if network.config.hint_block:
        outputs["input_hint"] = network.input_hint_block
    hooks = [module.register_forward_hook(keep_output(name)) for name, module in outputs.items()]
    # A block's tokens with its hint are what the next part gets.
    for index, module in enumerate([*network.blocks[1:], network.final_layer]):
        hooks.append(module.register_forward_pre_hook(keep_input(f"block_{index}")))
    for block in network.control_blocks:
        after: nn.Module = block.after_proj  # type: ignore[assignment]
        hooks.append(after.register_forward_hook(lambda module, given, output: hints.append(output)))
    seen["out"] = run()
    for hook in hooks:
        hook.remove()
    return seen | {"hints": torch.stack(hints)}
