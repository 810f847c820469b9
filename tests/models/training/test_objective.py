"""What is learnt: the pairs the sampler walks through, how often something is left out, and the error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from tiny_training import micro_example, micro_network
from torch import Tensor

from models.conditions import ConditionText
from models.errors import ModelError
from models.flow import Known, sample, sigma_schedule
from models.sampling import Sampling
from models.training.objective import (
    Batch,
    FlowObjective,
    VelocityNetwork,
    joined,
    mean_loss,
    noisy,
    separated,
    velocity_error,
)
from models.transformer import MultiViewTransformer

DRAWS = 4000


def _draws(objective: FlowObjective, make: Callable[[], object] = micro_example) -> list[Batch]:
    random, example = torch.Generator().manual_seed(0), make()
    return [objective.draw(example, random) for _ in range(DRAWS)]  # type: ignore[arg-type]


def _random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# -- pairs ------------------------------------------------------------------------------------------------


def test_a_pair_is_what_one_computes_on_paper() -> None:
    ones = torch.ones(2, 4, 3, 4, 6)
    batch = noisy(micro_example(views=2, video=3 * ones), 7 * ones, torch.tensor(0.25), known=1)
    assert batch.latents[:, :, :, 0].unique().tolist() == [3]  # known
    assert batch.latents[:, :, :, 1:].unique().tolist() == [0.25 * 7 + 0.75 * 3]
    assert batch.target.unique().tolist() == [4]
    assert batch.known.tolist() == [[[1, 0, 0], [1, 0, 0]]]
    assert batch.timesteps.tolist() == [[[250], [250]]]
    assert batch.text.shape == (1, 2, 2, 6) and batch.view_ids.tolist() == [[0, 1]]


def test_known_frames_may_have_a_time_of_their_own() -> None:
    example = micro_example(views=2)
    batch = noisy(example, example.video, torch.tensor(0.5), known=2, known_sigma=1e-4)
    assert torch.allclose(batch.timesteps, torch.tensor([[[0.1, 0.1, 500]] * 2]))


def test_the_error_is_the_mean_over_all_elements_and_known_frames_have_none() -> None:
    batch = noisy(micro_example(), torch.zeros(3, 4, 3, 4, 6), torch.tensor(0.5), known=1)
    off = torch.full_like(batch.target, 2.0)
    assert float(velocity_error(batch.target + off, batch)) == pytest.approx(4 * 2 / 3)
    off[:, :, :, 1:] = 0
    assert float(velocity_error(batch.target + off, batch)) == 0


def test_the_network_is_shown_what_the_sampler_shows_it() -> None:
    """A network that knows the velocity of a pair takes the sampler from the noise to the clean clip."""
    example = micro_example()
    noise = torch.randn(example.video.shape, generator=_random(5))
    seen: list[tuple[Tensor, Tensor]] = []

    def velocity(latents: Tensor, timesteps: Tensor, way: float) -> Tensor:
        seen.append((latents, timesteps))
        return (noise - example.video)[None]

    mask = torch.tensor([1.0, 0, 0]).expand(1, 3, 3)
    known = Known(example.video[None], mask)
    made = sample(velocity, noise[None], known, Sampling(steps=6, guidance=0))
    assert torch.allclose(made[0], example.video, atol=1e-3)
    for (latents, timesteps), sigma in zip(seen, sigma_schedule(6, shift=5.0), strict=True):
        shown = noisy(example, noise, torch.tensor(sigma).float(), known=1)
        # The sampler starts from pure noise where its first level is just below 1, and cuts times to whole numbers.
        assert torch.allclose(latents, shown.latents, atol=2e-3)
        assert 0 <= float(shown.timesteps[0, 0, 0] - timesteps) < 1


# -- chance -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [1.0, 5.0])
def test_times_are_a_shifted_sigmoid_of_normal_numbers(shift: float) -> None:
    times = torch.stack([batch.timesteps[0, 0, 0] for batch in _draws(FlowObjective(shift=shift))]) / 1000
    unshifted = times / (shift - (shift - 1) * times)
    normal = torch.logit(unshifted)
    assert float(normal.mean()) == pytest.approx(0, abs=0.06) and float(normal.std()) == pytest.approx(1, abs=0.05)
    assert float(times.median()) == pytest.approx(shift / (1 + shift), abs=0.02)


def test_noise_is_new_every_time_and_standard_normal() -> None:
    first, second = _draws(FlowObjective())[:2]
    noises = [batch.target[0] + micro_example().video for batch in (first, second)]
    assert not torch.equal(*noises)
    assert float(noises[0].std()) == pytest.approx(1, abs=0.1)


def test_known_frames_are_as_likely_as_asked() -> None:
    counts = Counter(int(batch.known[0, 0].sum()) for batch in _draws(FlowObjective(known_frames=(0.5, 0.25, 0.25))))
    assert [counts[count] / DRAWS for count in range(3)] == pytest.approx([0.5, 0.25, 0.25], abs=0.03)
    assert all(bool((batch.known == batch.known[:, :1]).all()) for batch in _draws(FlowObjective())[:50])


def test_text_and_control_are_dropped_as_often_as_asked() -> None:
    batches = _draws(FlowObjective(text_dropout=0.2, control_dropout=0.1))
    without_text = [not batch.text.any() for batch in batches]
    without_control = [not batch.control.any() for batch in batches]
    assert sum(without_text) / DRAWS == pytest.approx(0.2, abs=0.03)
    assert sum(without_control) / DRAWS == pytest.approx(0.1, abs=0.02)
    both = sum(a and b for a, b in zip(without_text, without_control, strict=True)) / DRAWS
    assert both == pytest.approx(0.02, abs=0.01)
    kept = next(batch for batch, no in zip(batches, without_text, strict=True) if not no)
    assert torch.equal(kept.text[0, 1], micro_example().text[0])


def test_words_are_left_unsaid_one_by_one_and_never_where_there_is_no_text() -> None:
    text = ConditionText()
    full = text.embed({"weather": "fog", "place": "city"})[None]
    objective = FlowObjective(text_dropout=0, word_dropout=0.3, unsaid=text.unsaid)
    seen = torch.stack([batch.text[0, 0] for batch in _draws(objective, lambda: micro_example(text=full))])
    unsaid = (seen == text.unsaid).all(dim=-1).float().mean(dim=0)  # [N]
    assert unsaid.tolist() == pytest.approx([0.3, 1, 1, 0.3, 1], abs=0.03)
    silent = objective.draw(micro_example(text=torch.zeros_like(full)), _random())
    assert not silent.text.any()


# -- batches ----------------------------------------------------------------------------------------------


def _velocities(network: MultiViewTransformer, batches: list[Batch], views: list[int]) -> list[Tensor]:
    return separated(VelocityNetwork(network)(joined(batches, network)), views, network)


@pytest.mark.parametrize("mixing", ["neighbours", "joint", "decomposed"])
@torch.no_grad()
def test_clips_in_a_batch_do_not_see_each_other(mixing: str) -> None:
    network = micro_network(view_mixing=mixing)
    views = [3, 2] if mixing == "neighbours" else [3, 3]
    batches = [
        noisy(micro_example(seed, views=count), torch.ones(count, 4, 3, 4, 6), torch.tensor(0.3 + 0.4 * seed), seed)
        for seed, count in enumerate(views)
    ]
    together = _velocities(network, batches, views)
    for batch, count, velocity in zip(batches, views, together, strict=True):
        (alone,) = _velocities(network, [batch], [count])
        assert torch.allclose(velocity, alone, atol=1e-5)
    assert not torch.allclose(together[0][:2], together[1][:2], atol=0.01)


def test_losses_of_clips_are_comparable_between_networks() -> None:
    examples = [micro_example(0), micro_example(1, views=2)]
    objective = FlowObjective(text_dropout=0)
    loss = mean_loss(micro_network(), objective, examples, seed=1)
    assert loss == mean_loss(micro_network(), objective, examples, seed=1)
    assert loss != mean_loss(micro_network(), objective, examples, seed=2)
    assert loss != mean_loss(micro_network(1), objective, examples, seed=1)
    alone = objective.loss(VelocityNetwork(micro_network()), examples[:1], _random(1_000_003))
    assert mean_loss(micro_network(), objective, examples[:1], seed=1) == alone.item()


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift": 0.0}, "shift: must be above 0, got 0"),
        ({"known_frames": (0.5, 0.2)}, "known frames: [0.5, 0.2] are not probabilities that sum to 1"),
        ({"text_dropout": 1.5}, "text dropout: must be from 0 to 1, got 1.5"),
        (
            {"word_dropout": 0.5},
            "word dropout: needs to know what an unsaid word is, and this text source has no such thing",
        ),
    ],
)
def test_it_refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError) as raised:
        replace(FlowObjective(), **changes)  # type: ignore[arg-type]
    assert str(raised.value) == message
