"""Learning rates and averages against numbers computed on paper."""

from __future__ import annotations

import pytest
import torch

from models.errors import ModelError
from models.training.optimise import Average, LearningRate, move_average, power_of_width


def test_the_rate_rises_to_its_peak_and_falls_to_its_last_part() -> None:
    linear = LearningRate(peak=1.0, warm_up=4, decay="linear", last=0.2)
    assert [linear.at(step, 12) for step in (0, 1, 3, 4, 8, 12)] == pytest.approx([0.25, 0.5, 1, 1, 0.6, 0.2])
    cosine = LearningRate(peak=1.0, warm_up=4, decay="cosine", last=0.2)
    assert [cosine.at(step, 12) for step in (4, 6, 8, 12, 20)] == pytest.approx([1, 0.882843, 0.6, 0.2, 0.2])
    constant = LearningRate(peak=2.0, warm_up=0, decay="none")
    assert [constant.at(step, 12) for step in (0, 11)] == [2, 2]


def test_a_power_average_weighs_steps_by_a_power_of_their_number() -> None:
    average, power = Average("power", 0.2), power_of_width(0.2)
    mean = {"w": torch.tensor(0.0, dtype=torch.float64)}
    values = torch.rand(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for step, value in enumerate(values):
        move_average(mean, {"w": value}, average.decay(step))
    weights = torch.arange(1, 401, dtype=torch.float64) ** power
    assert float(mean["w"]) == pytest.approx(float((weights * values).sum() / weights.sum()), abs=2e-3)


def test_the_width_of_a_power_is_its_standard_deviation() -> None:
    for width in (0.05, 0.1, 0.25):
        times = torch.linspace(0, 1, 100_001, dtype=torch.float64)
        weights = times ** power_of_width(width)
        mean = (weights * times).sum() / weights.sum()
        assert float(((weights * (times - mean) ** 2).sum() / weights.sum()) ** 0.5) == pytest.approx(width, abs=1e-3)


def test_a_constant_average_forgets_its_beginning_first() -> None:
    average = Average("constant", 0.9)
    assert [average.decay(step) for step in (0, 9, 1000)] == pytest.approx([0.1, 10 / 19, 0.9])


def test_only_averages_that_mean_something_are_taken() -> None:
    with pytest.raises(ModelError, match=r"^average: a constant decay must be from 0 to below 1, got 1$"):
        Average("constant", 1.0)
    with pytest.raises(
        ModelError, match=r"^average: the width of a power function must be from 0\.01 to 0\.28, got 0\.5$"
    ):
        Average("power", 0.5)
    with pytest.raises(ModelError, match=r"^average: 'other' is none of constant, power$"):
        Average("other")  # type: ignore[arg-type]


def test_rates_that_are_none_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^learning rate: decay 'step' is none of none, linear, cosine$"):
        LearningRate(decay="step")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"^learning rate: needs a peak above 0, .* got -1, 100 and 0\.05$"):
        LearningRate(peak=-1)
