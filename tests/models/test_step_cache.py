"""Features are reused only while the first block adds nearly the same, and then only the first block is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from network_inputs import NetworkInputs, prepare, random_inputs
from tiny_models import tiny_config, tiny_transformer
from torch import Tensor

from models.layout import WHOLE, Whole
from models.step_cache import StepCache
from models.transformer import Conditioning, MultiViewTransformer


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def network() -> MultiViewTransformer:
    return tiny_transformer(tiny_config("joint", "channels"))


def _steps(network: MultiViewTransformer) -> tuple[list[NetworkInputs], Conditioning]:
    """Steps that change a little, a little, much, and a little."""
    inputs, other = random_inputs(network.config), random_inputs(network.config, seed=1).latents
    changes = ((0.0, 900.0), (0.01, 899.0), (0.02, 898.0), (1.5, 500.0), (1.51, 499.0))
    steps = [
        replace(inputs, latents=inputs.latents + amount * other, timesteps=torch.tensor([timestep]))
        for amount, timestep in changes
    ]
    return steps, prepare(network, inputs)


def _run(network: MultiViewTransformer, threshold: float | None) -> tuple[list[Tensor], list[int], int]:
    """Outputs of the steps, how many base blocks each took, and how many were cut short."""
    steps, prepared = _steps(network)
    cache = None if threshold is None else StepCache(threshold)
    taken = [0] * len(steps)
    outputs = []
    for index, step in enumerate(steps):

        def count(module: Any, given: Any, index: int = index) -> None:
            taken[index] += 1

        hooks = [block.register_forward_pre_hook(count) for block in network.blocks]
        outputs.append(network(step.latents, step.timesteps, prepared, cache=cache))
        for hook in hooks:
            hook.remove()
    return outputs, taken, 0 if cache is None else cache.skipped


def test_a_tiny_threshold_changes_nothing(network: MultiViewTransformer) -> None:
    exact, all_blocks, _ = _run(network, None)
    outputs, taken, skipped = _run(network, 1e-9)
    assert all(map(torch.equal, outputs, exact)) and taken == all_blocks == [3] * 5 and skipped == 0


def test_a_huge_threshold_skips_all_steps_after_the_first(network: MultiViewTransformer) -> None:
    exact, _, _ = _run(network, None)
    outputs, taken, skipped = _run(network, 1e9)
    assert torch.equal(outputs[0], exact[0]) and taken == [3, 1, 1, 1, 1] and skipped == 4
    assert not any(map(torch.equal, outputs[1:], exact[1:]))


def test_small_changes_are_skipped_and_a_large_one_is_computed_anew(network: MultiViewTransformer) -> None:
    exact, _, _ = _run(network, None)
    outputs, taken, skipped = _run(network, 0.1)
    assert taken == [3, 1, 1, 3, 1] and skipped == 3
    assert torch.equal(outputs[3], exact[3])
    for index in (1, 2, 4):
        error = float((outputs[index] - exact[index]).norm() / exact[index].norm())
        assert 0 < error < 0.1


def test_changes_are_measured_against_the_last_full_pass() -> None:
    cache = StepCache(0.25)
    first = torch.full((1, 1, 1, 1, 4), -8.0)
    assert not cache.is_close(first, WHOLE)
    cache.store(first, 2 * first)
    assert torch.equal(cache.rest, 2 * first)
    # 20 % away, then 40 % away from what was stored, though the two are close to each other.
    assert cache.is_close(1.2 * first, WHOLE) and not cache.is_close(1.4 * first, WHOLE)
    assert not cache.is_close(0.75 * first, WHOLE)  # the threshold itself is too far
    assert cache.skipped == 1


def test_all_processes_decide_alike() -> None:
    class Elsewhere(Whole):
        """Another process sees a change ten times as large."""

        def mean(self, value: Tensor) -> Tensor:
            return value if float(value) == 1.0 else 10 * value

    cache, first = StepCache(0.25), torch.ones(1, 1, 1, 1, 4)
    cache.store(first, first)
    assert cache.is_close(1.1 * first, WHOLE) and not cache.is_close(1.1 * first, Elsewhere())
