"""A student learns its teacher's clips: from the states its sampler will show it, to be sampled in four steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import tiny_transformer
from tiny_training import Clips, micro_config, micro_example, micro_network, micro_trainer
from torch import Tensor

from models.errors import ModelError
from models.flow import Known, sample
from models.sampling import Sampling
from models.training.distill import (
    STUDENT_SIGMAS,
    StudentObjective,
    Teacher,
    student_batch,
    teach,
    write_teacher_clips,
)
from models.training.examples import Example, ExampleFolder
from models.training.objective import Batch, VelocityNetwork, joined, noisy
from models.training.optimise import Average, LearningRate
from models.transformer import MultiViewTransformer

TEACHER = Teacher(Sampling(steps=4, guidance=1.0), known_frames=(1.0,), text_dropout=0.0)
STUDENT = Sampling(steps=4, guidance=0, sampler="student")


def _taught(known: int = 0, views: int = 2) -> Example:
    example = micro_example(views=views, latent_frames=3)
    return replace(example, noise=torch.randn(example.video.shape, generator=_random()), known=known)


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def _as_given(network: MultiViewTransformer, example: Example) -> tuple[Batch, Tensor, Known]:
    """A batch with the conditions of a clip, its noise, and what of it is known."""
    assert example.noise is not None
    noise = example.noise.float()
    batch = joined([noisy(example, noise, torch.tensor(1.0), example.known)], network)
    return batch, noise[None], Known(example.video.float()[None], batch.known)


@torch.no_grad()
def _sampled(network: MultiViewTransformer, example: Example, sampling: Sampling) -> tuple[Tensor, list[Batch]]:
    """A clip [V,C,L,h,w], and what the network was shown on the way."""
    batch, noise, known = _as_given(network, example)
    shown: list[Batch] = []

    def velocity(latents: Tensor, timesteps: Tensor, way: float) -> Tensor:
        shown.append(replace(batch, latents=latents, timesteps=timesteps))
        return VelocityNetwork(network)(shown[-1])

    return sample(velocity, noise, known, sampling)[0], shown


def test_noise_levels_are_those_of_the_student_sampler() -> None:
    assert pytest.approx([1, 15 / 16, 5 / 6, 5 / 8]) == list(STUDENT_SIGMAS)


@pytest.mark.parametrize("known", [0, 1])
def test_the_student_learns_from_what_its_sampler_will_show_it(known: int) -> None:
    network, example = micro_network(), _taught(known)
    _, shown = _sampled(network, example, STUDENT)
    for step, state in enumerate(shown):
        batch = student_batch(VelocityNetwork(network), [example], step, own=True)
        assert torch.allclose(batch.latents, state.latents, atol=1e-5)
        assert torch.allclose(batch.timesteps.expand(1, 2, 3), state.timesteps.expand(1, 2, 3), atol=1e-3)


@pytest.mark.parametrize("own", [True, False])
def test_the_velocity_to_learn_leads_to_the_teachers_clip(own: bool) -> None:
    network, example = micro_network(), _taught(known=1)
    for step, sigma in enumerate(STUDENT_SIGMAS):
        batch = student_batch(VelocityNetwork(network), [example], step, own)
        clean = batch.latents - sigma * batch.target
        assert torch.allclose(clean[0, :, :, 1:], example.video[:, :, 1:], atol=1e-5)
        assert torch.equal(batch.latents[0, :, :, 0], example.video[:, :, 0])


def test_a_student_off_the_line_is_shown_another_state_than_on_it() -> None:
    network, example = VelocityNetwork(micro_network()), _taught()
    own, straight = (student_batch(network, [example], 2, is_own) for is_own in (True, False))
    assert not torch.allclose(own.latents, straight.latents, atol=0.01)


@pytest.mark.parametrize("mixing", ["neighbours", "joint"])
def test_a_teacher_makes_of_noise_what_its_sampler_makes_of_it(mixing: str) -> None:
    network = micro_network(view_mixing=mixing)
    teacher = Teacher(Sampling(steps=3, guidance=0.0), known_frames=(0.0, 1.0), text_dropout=0.0)
    clips = [micro_example(0), micro_example(1, views=2 if mixing == "neighbours" else 3)]
    for taught, clip in zip(teach(network, clips, teacher), clips, strict=True):
        assert taught.noise is not None and taught.known == 1 and torch.equal(taught.control, clip.control)
        assert torch.equal(taught.video[:, :, 0], clip.video[:, :, 0])
        made, _ = _sampled(network, replace(clip, noise=taught.noise, known=1), teacher.sampling)
        assert torch.allclose(taught.video[:, :, 1:], made[:, :, 1:], atol=1e-4)


def test_guidance_is_away_from_no_text() -> None:
    network, clip = micro_network(), micro_example()
    silent = replace(clip, text=torch.zeros_like(clip.text))
    made = {
        (name, guidance): teach(network, [given], replace(TEACHER, sampling=Sampling(steps=2, guidance=guidance)))[0]
        for name, given in (("text", clip), ("silent", silent))
        for guidance in (0.0, 2.0)
    }
    videos = {key: taught.video for key, taught in made.items()}
    assert torch.allclose(videos["silent", 0.0], videos["silent", 2.0], atol=1e-5)
    assert not torch.allclose(videos["text", 0.0], videos["text", 2.0], atol=1e-3)


def test_a_student_samples_its_teachers_clip_in_four_steps(tmp_path: Path) -> None:
    teacher = tiny_transformer(micro_config())
    clip, strongly = (
        micro_example(views=2, latent_frames=2),
        replace(TEACHER, sampling=Sampling(steps=4, guidance=10.0)),
    )
    write_teacher_clips(teacher, Clips([clip]), tmp_path / "clips", 2, strongly)
    source = ExampleFolder(tmp_path / "clips")
    before = [_off(teacher, source[index]) for index in range(2)]
    trainer = micro_trainer(
        tmp_path / "run", teacher, source=source, parts="full", steps=250, batch=2, objective=StudentObjective(),
        learning_rate=LearningRate(5e-3, 10, "cosine", 0.01), average=Average("power", 0.05),
    )  # fmt: skip
    trainer.run()
    after = [_off(trainer.averaged(), source[index]) for index in range(2)]
    assert max(after) < 0.1 < 0.4 < min(before)


def _off(network: MultiViewTransformer, taught: Example) -> float:
    """How far four steps end from the teacher's clip, in its standard deviations."""
    made, shown = _sampled(network, taught, STUDENT)
    assert len(shown) == 4
    return float((made - taught.video).std() / taught.video.float().std())


def test_clips_of_a_teacher_are_made_once(tmp_path: Path) -> None:
    done: list[int] = []
    source = Clips([micro_example(views=2, latent_frames=2)])
    teacher = replace(TEACHER, known_frames=(0.5, 0.5))
    write_teacher_clips(micro_network(), source, tmp_path, 5, teacher, batch=2, advance=done.append)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    write_teacher_clips(micro_network(), source, tmp_path, 5, teacher, batch=2, advance=done.append)
    assert done == [2, 4, 5] * 2 and len(files) == 5
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")} == files
    clips = [ExampleFolder(tmp_path)[index] for index in range(5)]
    assert len({str(clip.noise) for clip in clips}) == 5


def test_clips_without_the_noise_they_were_made_from_are_refused(tmp_path: Path) -> None:
    message = r"^student: learns from clips of a teacher, and these have no noise they were made from$"
    with pytest.raises(ModelError, match=message):
        micro_trainer(tmp_path, parts="full", objective=StudentObjective()).run()
