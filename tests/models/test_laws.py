"""What must hold for any weights: views are equal, see whom they should see, and hear only their own text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from network_inputs import NetworkInputs, prepare, random_inputs, velocity
from tiny_models import tiny_config, tiny_transformer
from torch import Tensor

from models.config import ViewIdentity, ViewMixing
from models.transformer import MultiViewTransformer

MIXINGS: tuple[ViewMixing, ...] = ("joint", "neighbours", "decomposed")
IDENTITIES: tuple[ViewIdentity, ...] = ("channels", "adaln", "rays")
ROUNDING = 1e-5


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


def _network(mixing: ViewMixing, identity: ViewIdentity = "rays", **changes: Any) -> MultiViewTransformer:
    return tiny_transformer(tiny_config(mixing, identity, **changes))


def _difference(one: Tensor, other: Tensor) -> float:
    assert one.shape == other.shape
    return float((one - other).abs().max())


def _like(network: MultiViewTransformer, mixing: ViewMixing) -> MultiViewTransformer:
    """The same weights in another form that has them all."""
    twin = MultiViewTransformer(replace(network.config, view_mixing=mixing))
    twin.load_state_dict(network.state_dict())
    return twin.eval()


def _changed_views(network: MultiViewTransformer, inputs: NetworkInputs, changed: NetworkInputs) -> list[int]:
    before, after = velocity(network, inputs), velocity(network, changed)
    assert bool(after.isfinite().all())
    return [view for view in range(before.shape[1]) if not torch.equal(before[:, view], after[:, view])]


def _zeroed(tensor: Tensor, view: int) -> Tensor:
    tensor = tensor.clone()
    tensor[:, view] = 0
    return tensor


# -- order, number, batch -----------------------------------------------------------------------------


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_permuting_cameras_permutes_the_output(mixing: ViewMixing, identity: ViewIdentity) -> None:
    network = _network(mixing, identity)
    inputs = random_inputs(network.config, views=5)
    one_way = torch.zeros(5, 5).bool()
    one_way[0, 1] = one_way[1, 3] = one_way[1, 4] = one_way[3, 0] = one_way[4, 2] = True  # view 2 sees nobody
    inputs = replace(inputs, neighbours=one_way, view_ids=torch.tensor([6, 0, 3, 3, 1]))
    order = [3, 1, 4, 0, 2]
    output = velocity(network, inputs)
    assert _difference(velocity(network, inputs.reordered(order)), output[:, order]) <= ROUNDING
    assert _difference(output, output[:, order]) > 0.1


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_batch_is_its_clips_one_by_one(mixing: ViewMixing, identity: ViewIdentity) -> None:
    network = _network(mixing, identity)
    inputs = random_inputs(network.config, batch=2)
    known, padding = inputs.known.clone(), torch.zeros(2, 32, 48)
    known[1], padding[1, :16] = 0, 1
    ids = torch.tensor([[0, 1, 2, 3], [6, 1, 0, 5]])
    inputs = replace(inputs, known=known, padding=padding, view_ids=ids)
    both = velocity(network, inputs)
    for index in range(2):
        assert _difference(velocity(network, inputs.of_batch(index)), both[index : index + 1]) <= ROUNDING


def test_ray_maps_make_names_and_numbers_of_cameras_irrelevant() -> None:
    network = _network("joint", "rays")
    inputs = random_inputs(network.config)
    output = velocity(network, inputs)
    renamed = replace(inputs, view_ids=torch.tensor([900, 4, 4, -7]))
    assert torch.equal(velocity(network, renamed), output)
    assert _difference(velocity(network, replace(inputs, rays=inputs.rays.flip(0))), output) > 0.1
    order = [2, 0, 3, 1]
    assert _difference(velocity(network, renamed.reordered(order)), output[:, order]) <= ROUNDING


@pytest.mark.parametrize("identity", ["channels", "adaln"])
def test_learned_identities_tell_cameras_apart(identity: ViewIdentity) -> None:
    network = _network("joint", identity)
    inputs = random_inputs(network.config)
    other = replace(inputs, view_ids=torch.tensor([0, 1, 2, 5]))
    assert _difference(velocity(network, inputs), velocity(network, other)) > 0.1


# -- who sees whom ------------------------------------------------------------------------------------


def test_zeroed_cross_view_output_is_no_cross_view_attention() -> None:
    network = _network("neighbours", "adaln")
    inputs = random_inputs(network.config)
    assert _difference(velocity(network, inputs), _one_by_one(network, inputs)) > 0.1
    for block in [*network.blocks, *network.control_blocks]:
        block.cross_view_attn.output_proj.weight.zero_()
    assert _difference(velocity(network, inputs), _one_by_one(network, inputs)) <= ROUNDING


def _one_by_one(network: MultiViewTransformer, inputs: NetworkInputs) -> Tensor:
    """Every view as a clip of its own."""
    views = range(inputs.latents.shape[1])
    return torch.cat([velocity(network, inputs.reordered([view])) for view in views], dim=1)


def test_without_neighbours_views_are_clips_of_their_own() -> None:
    network = _network("neighbours", "channels")
    inputs = random_inputs(network.config)
    alone = replace(inputs, neighbours=torch.zeros(4, 4).bool())
    assert _difference(velocity(network, alone), _one_by_one(network, inputs)) <= ROUNDING


@pytest.mark.parametrize("zeroed", range(4))
def test_zeroed_view_changes_only_its_neighbours(zeroed: int) -> None:
    # One base block and one control block: both reach one camera further, side by side.
    network = _network("neighbours", "adaln", num_blocks=1, control_interval=1)
    inputs = random_inputs(network.config, views=5)
    sees = {0: (1,), 1: (0, 2), 2: (1, 3), 3: (), 4: (3,)}
    chain = torch.tensor([[other in sees[view] for other in range(5)] for view in range(5)])
    inputs = replace(inputs, neighbours=chain)
    changed = replace(inputs, latents=_zeroed(inputs.latents, zeroed), control=_zeroed(inputs.control, zeroed))
    affected = [view for view in range(5) if view == zeroed or zeroed in sees[view]]
    assert _changed_views(network, inputs, changed) == affected


@pytest.mark.parametrize("mixing", MIXINGS)
def test_through_several_blocks_every_view_of_a_ring_is_reached(mixing: ViewMixing) -> None:
    network = _network(mixing)
    inputs = random_inputs(network.config)
    assert _changed_views(network, inputs, replace(inputs, latents=_zeroed(inputs.latents, 2))) == [0, 1, 2, 3]


def test_a_view_that_sees_nobody_is_finite_and_unmoved_by_others() -> None:
    network = _network("neighbours", "adaln")
    inputs = random_inputs(network.config)
    neighbours = inputs.neighbours.clone()
    neighbours[1] = False
    inputs = replace(inputs, neighbours=neighbours)
    other = random_inputs(network.config, seed=1)
    changed = replace(inputs, latents=other.latents, control=other.control)
    changed.latents[:, 1], changed.control[:, 1] = inputs.latents[:, 1], inputs.control[:, 1]
    assert _changed_views(network, inputs, changed) == [0, 2, 3]


@pytest.mark.parametrize("others", [{"views": 1}, {"latent_frames": 1}])
def test_decomposed_is_joint_where_there_is_one_view_or_one_time(others: dict[str, int]) -> None:
    network = _network("joint")
    inputs = random_inputs(network.config, **others)
    assert _difference(velocity(_like(network, "decomposed"), inputs), velocity(network, inputs)) <= ROUNDING


def test_decomposed_is_not_joint_where_there_are_several_views_and_times() -> None:
    network = _network("joint")
    inputs = random_inputs(network.config)
    assert _difference(velocity(_like(network, "decomposed"), inputs), velocity(network, inputs)) > 0.01


def test_in_one_decomposed_block_other_views_are_seen_at_the_same_time_only() -> None:
    network = _network("decomposed", num_blocks=1, control_interval=1)
    inputs = random_inputs(network.config)
    latents = inputs.latents.clone()
    latents[:, 0, :, 2] = 0
    before, after = velocity(network, inputs), velocity(network, replace(inputs, latents=latents))
    moved = [[bool((before[0, v, :, t] != after[0, v, :, t]).any()) for t in range(3)] for v in range(4)]
    assert moved == [[True, True, True], *[[False, False, True]] * 3]


# -- text ---------------------------------------------------------------------------------------------


def test_text_is_heard_by_its_view_only() -> None:
    network = _network("neighbours", "adaln")
    inputs = random_inputs(network.config)
    inputs = replace(inputs, neighbours=torch.zeros(4, 4).bool())
    assert _changed_views(network, inputs, replace(inputs, text=_zeroed(inputs.text, 1))) == [1]


def test_every_token_of_a_text_is_heard_in_any_order() -> None:
    network = _network("joint")
    inputs = random_inputs(network.config, text_tokens=7)
    backwards = replace(inputs, text=inputs.text.flip(2))
    assert _difference(velocity(network, backwards), velocity(network, inputs)) <= ROUNDING
    assert _difference(velocity(network, replace(inputs, text=inputs.text[:, :, :6])), velocity(network, inputs)) > 0.01


# -- control ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mixing", MIXINGS)
def test_control_that_starts_at_zero_has_no_effect(mixing: ViewMixing) -> None:
    network = _network(mixing)
    inputs = random_inputs(network.config)
    unweighted = velocity(network, replace(inputs, control_weight=0.0))
    assert _difference(velocity(network, inputs), unweighted) > 0.1
    for block in network.control_blocks:
        block.after_proj.weight.zero_()  # type: ignore[union-attr, operator]
        block.after_proj.bias.zero_()  # type: ignore[union-attr, operator]
    assert torch.equal(velocity(network, inputs), unweighted)
    other = replace(inputs, control=random_inputs(network.config, seed=1).control)
    assert torch.equal(velocity(network, other), unweighted)


def test_preparing_once_is_preparing_for_every_step() -> None:
    network = _network("neighbours", "channels", hint_block=True, control_zero_channels=3)
    inputs = random_inputs(network.config)
    prepared = prepare(network, inputs)
    for timestep in (1000.0, 400.0, 3.0):
        step = replace(inputs, timesteps=torch.tensor([timestep]), latents=inputs.latents * timestep)
        assert torch.equal(network(step.latents, step.timesteps, prepared), velocity(network, step))
