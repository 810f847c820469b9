"""What a network learns: the velocity from noise to clips at a random noise level (rectified flow, arXiv:2209.03003).

The pairs are those the sampler walks through, see ``flow``: x = sigma noise + (1 - sigma) clean, velocity noise -
clean, known frames put in clean with the time of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import ModelError
from ..flow import mix, shifted
from ..transformer import MultiViewTransformer
from .examples import Example


@dataclass(frozen=True, eq=False)
class Batch:
    """Noisy clips and the velocity to learn, all a network needs to predict it.

    latents, target, control: [B,V,C,L,h,w]. known: [B,V,L], 1 on known frames. timesteps: [B,V,1] or [B,V,L].
    text: embeddings [B,V,N,C]. rays: [B,V,6,h,w]. neighbours: bool [V,V]. view_ids: int64 [B,V].
    """

    latents: Tensor
    target: Tensor
    control: Tensor
    known: Tensor
    timesteps: Tensor
    text: Tensor
    rays: Tensor | None
    neighbours: Tensor | None
    view_ids: Tensor

    def to(self, device: torch.device) -> Batch:
        """On another device."""
        moved = {
            name: value.to(device, non_blocking=True) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    @property
    def tokens(self) -> int:
        """Latent cells of all views and frames, for throughput."""
        return self.latents[:, :, 0].numel()


class VelocityNetwork(nn.Module):
    """A transformer from a batch to its velocity in one call, as sharding and compilation want it."""

    def __init__(self, transformer: MultiViewTransformer) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, batch: Batch) -> Tensor:
        """The velocity, fp32 [B,V,C,L,h,w]."""
        conditioning = self.transformer.prepare(
            batch.control,
            self.transformer.project_text(batch.text),
            known=batch.known,
            view_ids=batch.view_ids,
            rays=batch.rays,
            neighbours=batch.neighbours,
        )
        velocity: Tensor = self.transformer(batch.latents, batch.timesteps, conditioning)
        return velocity


class Objective(Protocol):
    """What a training makes smaller."""

    def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
        """A number to differentiate. random: a CPU generator, the only source of chance."""
        ...


@dataclass(frozen=True)
class FlowObjective:
    """Mean squared error of the velocity over all elements; known frames are right by construction.

    shift: of the times towards noise. known_frames: how likely it is that no, one, two ... first latent frames of all
    views are known. text_dropout: how often the text of a clip is zeros. word_dropout: how often a group of conditions
    is left unsaid, each for itself. control_dropout: how often the control of a clip is zeros.
    unsaid: what a token of the text becomes where its group is left unsaid, [N,C]; None for texts without groups.
    """

    shift: float = 5.0
    known_frames: tuple[float, ...] = (0.5, 0.25, 0.25)
    text_dropout: float = 0.2
    word_dropout: float = 0.0
    control_dropout: float = 0.0
    unsaid: Tensor | None = None

    def __post_init__(self) -> None:
        if not self.shift > 0:
            raise ModelError(f"shift: must be above 0, got {self.shift:g}")
        if abs(sum(self.known_frames) - 1) > 1e-6 or min(self.known_frames) < 0:
            raise ModelError(f"known frames: {list(self.known_frames)} are not probabilities that sum to 1")
        for name in ("text_dropout", "word_dropout", "control_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise ModelError(f"{name.replace('_', ' ')}: must be from 0 to 1, got {getattr(self, name):g}")
        if self.word_dropout and self.unsaid is None:
            raise ModelError(
                "word dropout: needs to know what an unsaid word is, and this text source has no such thing"
            )

    def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
        """See Objective."""
        batch = joined([self.draw(example, random) for example in examples], network.transformer)
        return velocity_error(network(batch), batch)

    def draw(self, example: Example, random: torch.Generator) -> Batch:
        """A random noise level for a clip, and what it leaves out."""
        sigma = shifted(torch.sigmoid(torch.randn((), generator=random)), self.shift)
        noise = torch.randn(example.video.shape, generator=random)
        count = int(torch.multinomial(torch.tensor(self.known_frames), 1, generator=random))
        text, control = self._dropped(example, random)
        return noisy(replace(example, text=text, control=control), noise, sigma, count)

    def _dropped(self, example: Example, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Text and control as the network gets to see them."""
        text = example.text.float()
        drops_text, drops_control = torch.rand(2, generator=random).tolist()
        leaves_out = torch.rand(text.shape[-2], generator=random) < self.word_dropout  # [N], in all views alike
        if self.unsaid is not None:
            says = text.any(dim=-1, keepdim=True)
            text = torch.where(leaves_out[:, None] & says, self.unsaid, text)
        if drops_text < self.text_dropout:
            text = torch.zeros_like(text)
        control = example.control
        return text, torch.zeros_like(control) if drops_control < self.control_dropout else control


def noisy(example: Example, noise: Tensor, sigma: Tensor, known: int, known_sigma: float | None = None) -> Batch:
    """A batch of one clip at a noise level, of which the first latent frames may be known.

    sigma: a number. known_sigma: the noise level that known frames are said to have, None for that of the others.
    """
    clean, views = example.video.float(), example.views
    mask = (torch.arange(example.latent_frames) < known).float().expand(views, -1)  # [V,L]
    spread = mask[:, None, :, None, None]
    latents = spread * clean + (1 - spread) * mix(clean[None], noise[None], sigma.reshape(1))[0]
    timesteps = 1000 * sigma.expand(views, 1)
    if known_sigma is not None:
        timesteps = torch.where(mask > 0, 1000 * known_sigma, timesteps)
    parts = {
        "latents": latents,
        "target": noise - clean,
        "control": example.control.float(),
        "known": mask,
        "timesteps": timesteps,
        "text": example.text.float().expand(views, -1, -1),
        "rays": example.rays,
        "view_ids": torch.arange(views) if example.view_ids is None else example.view_ids,
    }
    given = {name: None if part is None else part[None] for name, part in parts.items()}
    return Batch(**given, neighbours=example.neighbours)  # type: ignore[arg-type]


def joined(clips: Sequence[Batch], transformer: MultiViewTransformer) -> Batch:
    """Clips as one batch on the network's device.

    Where views look at their neighbours only, clips stand side by side as views that do not see each other: so they
    may differ in rig and in number of views.
    """
    side_by_side = transformer.config.view_mixing == "neighbours"
    first = clips[0]
    together = {
        name: torch.cat([getattr(clip, name) for clip in clips], dim=1 if side_by_side else 0)
        for name, part in vars(first).items()
        if isinstance(part, Tensor) and name != "neighbours"
    }
    maps = [clip.neighbours for clip in clips]
    given = [part for part in maps if part is not None]
    neighbours = torch.block_diag(*given).bool() if side_by_side and len(given) == len(maps) else None
    return replace(first, **together, neighbours=neighbours).to(transformer.device)


def separated(latents: Tensor, views: Sequence[int], transformer: MultiViewTransformer) -> list[Tensor]:
    """The latents [V,C,L,h,w] of every clip in a batch; the inverse of ``joined``. views: of every clip."""
    if transformer.config.view_mixing == "neighbours":
        return list(latents[0].split(list(views)))
    return list(latents)


@torch.no_grad()
def mean_loss(
    transformer: MultiViewTransformer, objective: Objective, examples: Sequence[Example], seed: int = 0
) -> float:
    """Of clips one by one, each with chance of its own from the seed: comparable between trainings and steps."""
    network = VelocityNetwork(transformer)
    losses = [
        objective.loss(network, [example], torch.Generator().manual_seed(seed * 1_000_003 + index))
        for index, example in enumerate(examples)
    ]
    return float(torch.stack(losses).mean())


def velocity_error(velocity: Tensor, batch: Batch) -> Tensor:
    """Mean over all elements of the squared error; the velocity of known frames is known, so theirs is zero."""
    unknown = (1 - batch.known)[:, :, None, :, None, None]
    return functional.mse_loss(unknown * velocity, unknown * batch.target)
