"""A student that needs four steps and no guidance: it learns to jump from noise to the clip its teacher made of it.

1. The teacher samples clips, guided and in many steps, and the noise they came from is kept (``write_teacher_clips``).
2. The student learns, from that noise and from every state it brings itself into on the way of the ``student``
   sampler, to name the teacher's clip (``StudentObjective``). The noise decides the clip, so there is one right answer
   and the squared error does not ask for a blur of several.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..errors import ModelError
from ..flow import STUDENT_TIMES, Known, Velocity, guided, sample
from ..sampling import Sampling
from ..transformer import MultiViewTransformer
from .examples import Example, ExampleSource, write_example, write_manifest
from .objective import Batch, VelocityNetwork, joined, noisy, separated, velocity_error

STUDENT_SIGMAS = tuple(math.sin(time) / (math.cos(time) + math.sin(time)) for time in STUDENT_TIMES)
"""Noise levels of the student's steps."""

_KNOWN_SIGMA = 1e-4  # what the student sampler says of known frames


# -- the teacher --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Teacher:
    """How a teacher samples.

    known_frames: how likely it is that no, one, two ... first latent frames of all views are known.
    text_dropout: how often the text is zeros, so that the student learns to do without.
    """

    sampling: Sampling
    known_frames: tuple[float, ...] = (0.5, 0.25, 0.25)
    text_dropout: float = 0.1
    seed: int = 0


def write_teacher_clips(
    transformer: MultiViewTransformer,
    source: ExampleSource,
    folder: Path | str,
    count: int,
    teacher: Teacher,
    batch: int = 1,
    advance: Callable[[int], None] = lambda done: None,
) -> None:
    """Clips of a teacher in a folder of examples; those that are there already are not made again.

    batch: clips sampled together. advance: told how many are done.
    """
    folder = Path(folder)
    write_manifest(folder, {"teacher": asdict(teacher), "clips of": source.identity()})
    for first in range(0, count, batch):
        size = min(batch, count - first)
        paths = [folder / f"clip-{index:06d}.safetensors" for index in range(first, first + size)]
        if not all(path.exists() for path in paths):
            clips = teach(transformer, source.batch(first, size, teacher.seed), teacher, first)
            for path, clip in zip(paths, clips, strict=True):
                write_example(path, clip)
        advance(first + size)


@torch.no_grad()
def teach(
    transformer: MultiViewTransformer, examples: Sequence[Example], teacher: Teacher, first: int = 0
) -> list[Example]:
    """What the teacher makes of control, text and first frames of clips, with the noise it started from.

    first: number of the first clip, for chance.
    """
    asked = [_asked(example, teacher, first + place) for place, example in enumerate(examples)]
    batch = joined([noisy(clip, _noise(clip), torch.tensor(1.0), clip.known) for clip in asked], transformer)
    known = Known(batch.latents, batch.known)
    is_known = batch.known[:, :, None, :, None, None] > 0
    noise = torch.where(is_known, batch.target + batch.latents, batch.latents)
    made = sample(_guided_velocity(transformer, batch, teacher.sampling), noise, known, teacher.sampling)
    videos = separated(known.put_into(made), [clip.views for clip in asked], transformer)
    return [replace(clip, video=video.cpu()) for clip, video in zip(asked, videos, strict=True)]


def _asked(example: Example, teacher: Teacher, index: int) -> Example:
    """A clip with the noise, the known frames and the text that a teacher shall begin with."""
    random = torch.Generator().manual_seed(teacher.seed * 1_000_003 + index)
    noise = torch.randn(example.video.shape, generator=random).half()  # as it is stored
    known = int(torch.multinomial(torch.tensor(teacher.known_frames), 1, generator=random))
    silent = float(torch.rand((), generator=random)) < teacher.text_dropout
    text = torch.zeros_like(example.text) if silent else example.text
    return replace(example, noise=noise, known=known, text=text)


def _guided_velocity(transformer: MultiViewTransformer, batch: Batch, sampling: Sampling) -> Velocity:
    network = VelocityNetwork(transformer)
    silent = replace(batch, text=torch.zeros_like(batch.text))

    def velocity(latents: Tensor, timesteps: Tensor, way: float) -> Tensor:
        now = {"latents": latents, "timesteps": timesteps.to(latents.device)}
        conditional = network(replace(batch, **now))
        if not sampling.guides(way):
            return conditional
        return guided(conditional, network(replace(silent, **now)), sampling.guidance)

    return velocity


# -- the student --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StudentObjective:
    """Squared error of the velocity that leads from a state of the student sampler to the teacher's clip.

    own_states: how often the state is one the student has brought itself into, rather than one on the straight line
    from the noise to the teacher's clip.
    """

    own_states: float = 0.75

    def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
        """See Objective."""
        for example in examples:
            if example.noise is None:
                raise ModelError("student: learns from clips of a teacher, and these have no noise they were made from")
        step = int(torch.randint(len(STUDENT_SIGMAS), (), generator=random))
        is_own = float(torch.rand((), generator=random)) < self.own_states
        batch = student_batch(network, examples, step, is_own)
        return velocity_error(network(batch), batch)


def student_batch(network: VelocityNetwork, examples: Sequence[Example], step: int, own: bool) -> Batch:
    """The state before a step of the student sampler, and the velocity from there to the teacher's clips.

    own: a state that the student's own steps led to.
    """
    batches = [_straight(examples, sigma, network.transformer) for sigma in STUDENT_SIGMAS[: step + 1]]
    if not own or not step:
        return batches[step]
    noise = batches[0].latents  # at the first step nothing else is left of unknown frames
    state = batches[0]
    with torch.no_grad():
        for place in range(step):
            clean = state.latents - STUDENT_SIGMAS[place] * network(state)
            state = _moved(batches[place + 1], clean, noise, STUDENT_SIGMAS[place + 1])
    return state


def _straight(examples: Sequence[Example], sigma: float, transformer: MultiViewTransformer) -> Batch:
    """Clips between noise and the teacher's result."""
    level = torch.tensor(sigma)
    clips = [noisy(clip, _noise(clip), level, clip.known, _KNOWN_SIGMA) for clip in examples]
    return joined(clips, transformer)


def _moved(straight: Batch, clean: Tensor, noise: Tensor, sigma: float) -> Batch:
    """The same batch seen from the line between the noise and another idea of the clean clip.

    straight: at noise level sigma, where latents = teacher's clip + sigma target.
    """
    teachers = straight.latents - sigma * straight.target
    unknown = (1 - straight.known)[:, :, None, :, None, None]
    latents = torch.where(unknown > 0, sigma * noise + (1 - sigma) * clean, straight.latents)
    return replace(
        straight, latents=latents, target=torch.where(unknown > 0, (latents - teachers) / sigma, straight.target)
    )


def _noise(example: Example) -> Tensor:
    assert example.noise is not None
    return example.noise.float()
