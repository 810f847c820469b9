"""What a pass costs is foretold: arithmetic to the percent, memory as a bound that is not far off."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from network_inputs import prepare, random_inputs
from tiny_models import tiny_config
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import models.attention
import models.cost
from models.attention import NeighbourGroup, neighbour_groups
from models.config import (
    COSMOS_2B_JOINT,
    COSMOS_2B_NEIGHBOURS,
    COSMOS_NEIGHBOURS,
    TransformerConfig,
    ViewIdentity,
    ViewMixing,
)
from models.cost import ClipShape, activation_bytes, forward_flop, free_bytes, require_memory
from models.errors import CapacityError
from models.transformer import Conditioning, MultiViewTransformer
from models.tuning import Tuning, tune

SEVEN_AT_720P = ClipShape(views=7, latent_frames=8, height=90, width=160)
PETA, GIGA = 1e15, 1e9
CONFIGS: dict[ViewMixing, TransformerConfig] = {
    "joint": COSMOS_2B_JOINT,
    "neighbours": COSMOS_2B_NEIGHBOURS,
    "decomposed": replace(COSMOS_2B_JOINT, view_mixing="decomposed"),
}
FEW_BLOCKS = {mixing: replace(config, num_blocks=3, control_interval=2) for mixing, config in CONFIGS.items()}
"""Of the full width: every block of a kind takes the same work and memory."""


@pytest.fixture(scope="module", autouse=True)
def _no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def _full_width(
    mixing: ViewMixing, dtype: torch.dtype, shape: ClipShape, neighbours: Tensor | None = None
) -> tuple[MultiViewTransformer, Tensor, Conditioning]:
    """A network with latents and conditioning that have sizes and no content."""
    with torch.device("meta"):
        network = MultiViewTransformer(FEW_BLOCKS[mixing]).to(dtype).eval()
        latents = torch.empty(1, shape.views, 16, shape.latent_frames, shape.height, shape.width)
        text = torch.empty(1, shape.views, shape.text_tokens, network.config.text_width, dtype=dtype)
    groups = neighbour_groups(_published_neighbours() if neighbours is None else neighbours)
    without_content = tuple(NeighbourGroup(*(part.to("meta") for part in group)) for group in groups)
    network._groups = lambda views, neighbours: without_content  # type: ignore[method-assign]
    return network, latents, network.prepare(latents, text)


def _published_neighbours() -> Tensor:
    return torch.tensor([[other in COSMOS_NEIGHBOURS[view] for other in range(7)] for view in range(7)])


# -- arithmetic ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixing", "views", "height", "width", "peta_flop"),
    [
        ("joint", 7, 90, 160, 11.46),
        ("joint", 6, 90, 160, 8.52),
        ("joint", 3, 90, 160, 2.30),
        ("joint", 1, 90, 160, 0.33),
        ("joint", 7, 60, 104, 2.35),
        ("decomposed", 7, 90, 160, 3.47),
    ],
)
def test_a_pass_of_the_released_network_costs_what_is_known(
    mixing: ViewMixing, views: int, height: int, width: int, peta_flop: float
) -> None:
    flop = forward_flop(CONFIGS[mixing], ClipShape(views, 8, height, width))
    assert flop / PETA == pytest.approx(peta_flop, abs=0.006)


def test_attention_is_most_of_the_work() -> None:
    self_attention = 32 * 4 * 201_600**2 * 2048
    assert SEVEN_AT_720P.tokens(COSMOS_2B_JOINT) == 201_600
    assert self_attention / forward_flop(COSMOS_2B_JOINT, SEVEN_AT_720P) == pytest.approx(0.93, abs=0.005)


def test_neighbours_cost_a_quarter_with_all_their_blocks_and_projections() -> None:
    width, tokens, frame, blocks = 2048, 201_600, 3_600, 28 + 7
    parts = {
        "own view": 4 * width * tokens * 8 * frame * blocks,
        "fourteen pairs": 4 * width * 14 * 8 * frame * frame * blocks,
        "projections and MLP": 2 * 14 * width * width * tokens * blocks,
        "projections across views": 2 * 4 * width * width * tokens * blocks,
        "text": 4 * tokens * 512 * width * blocks,
        "control": 2 * width * width * tokens * (1 + 7),
    }
    flop = forward_flop(COSMOS_2B_NEIGHBOURS, SEVEN_AT_720P)
    assert flop == pytest.approx(sum(parts.values()), rel=1e-12) and flop / PETA == pytest.approx(3.19, abs=0.005)
    assert flop == forward_flop(COSMOS_2B_NEIGHBOURS, SEVEN_AT_720P, int(_published_neighbours().sum()))
    assert 0.25 < flop / forward_flop(COSMOS_2B_JOINT, SEVEN_AT_720P) < 0.29


@pytest.mark.parametrize("mixing", CONFIGS)
def test_counted_arithmetic_of_a_pass_is_what_was_foretold(mixing: ViewMixing) -> None:
    shape = replace(SEVEN_AT_720P, height=32, width=48)
    network, latents, _ = _full_width(mixing, torch.bfloat16, shape)
    tune(network, Tuning(attention="plain"))
    with FlopCounterMode(display=False) as counter:
        text = torch.empty(1, 7, 512, 1024, dtype=torch.bfloat16, device="meta")
        network(latents, torch.empty(1, device="meta"), network.prepare(latents, text))
    assert counter.get_total_flops() == pytest.approx(forward_flop(FEW_BLOCKS[mixing], shape), rel=0.02)


def test_views_that_are_few_have_few_neighbours() -> None:
    costs = [forward_flop(COSMOS_2B_NEIGHBOURS, replace(SEVEN_AT_720P, views=views)) for views in (1, 2)]
    pairs = [forward_flop(COSMOS_2B_NEIGHBOURS, replace(SEVEN_AT_720P, views=views), views - 1) for views in (1, 2)]
    assert costs[0] == pairs[0] and costs[1] > pairs[1]


# -- memory -------------------------------------------------------------------------------------------


class _LiveBytes(TorchDispatchMode):
    """Counts bytes of tensors that are alive at once: those that are given, and those that are made inside."""

    def __init__(self, weights: Iterator[Tensor], given: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.uncounted = {weight.untyped_storage()._cdata for weight in weights}
        self.alive: dict[int, int] = {}
        self.now = self.peak = 0
        for tensor in given:
            self._see(tensor)

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, Tensor):
                self._see(tensor)
        self.peak = max(self.peak, self.now)
        return result

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.uncounted or storage._cdata in self.alive:
            return
        self.alive[storage._cdata] = storage.nbytes()
        self.now += storage.nbytes()
        weakref.finalize(storage, self._forget, storage._cdata)

    def _forget(self, key: int) -> None:
        self.now -= self.alive.pop(key)


def _peak(network: MultiViewTransformer, latents: Tensor, timesteps: Tensor, prepared: Conditioning) -> int:
    """The most bytes beside the weights."""
    view = [] if prepared.view is None else [prepared.view]
    given = [latents, timesteps, prepared.channels, prepared.control, prepared.text, *prepared.rotary, *view]
    with _LiveBytes(chain(network.parameters(), *prepared.neighbours), given) as live:
        network(latents, timesteps, prepared)
    peak: int = live.peak
    return peak


def _without_scores(q: Tensor, k: Tensor, v: Tensor, kernel: str) -> Tensor:
    """What a fused kernel allocates."""
    return torch.empty_like(q)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("piece", [None, 300])
@pytest.mark.parametrize(
    ("mixing", "identity"), [("joint", "channels"), ("neighbours", "adaln"), ("decomposed", "rays")]
)
def test_memory_of_a_small_pass_is_bounded_closely(
    mixing: ViewMixing, identity: ViewIdentity, piece: int | None, dtype: torch.dtype
) -> None:
    config = tiny_config(mixing, identity, hidden_size=128, num_heads=4, num_blocks=2, adaln_rank=16, text_width=64)
    network = MultiViewTransformer(config).to(dtype).requires_grad_(False)
    tune(network, Tuning(piece=piece))
    for views, latent_frames in ((4, 4), (6, 2), (1, 4)):
        inputs = random_inputs(config, views, latent_frames, 24, 40, text_tokens=16)
        peak = _peak(network, inputs.latents, inputs.timesteps, prepare(network, inputs))
        foretold = activation_bytes(config, ClipShape(views, latent_frames, 24, 40, 16), dtype.itemsize, piece)
        assert peak <= foretold <= 1.2 * peak


@pytest.mark.parametrize("piece", [None, 16384])
@pytest.mark.parametrize("mixing", CONFIGS)
def test_memory_of_a_pass_of_full_width_is_bounded_closely(
    mixing: ViewMixing, piece: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.attention, "attend", _without_scores)
    for views in (7, 1):
        shape = replace(SEVEN_AT_720P, views=views)
        network, latents, prepared = _full_width(mixing, torch.bfloat16, shape, _published_neighbours()[:views, :views])
        tune(network, Tuning(piece=piece))
        foretold = activation_bytes(FEW_BLOCKS[mixing], shape, 2, piece)
        for timesteps in (torch.empty(1, device="meta"), torch.empty(1, views, 8, device="meta")):
            peak = _peak(network, latents, timesteps, prepared)
            assert peak <= foretold <= 1.25 * peak


def test_memory_grows_with_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.attention, "attend", _without_scores)
    all_but_oneself = ~torch.eye(7).bool()
    network, latents, prepared = _full_width("neighbours", torch.bfloat16, SEVEN_AT_720P, all_but_oneself)
    tune(network, Tuning())
    peak = _peak(network, latents, torch.empty(1, device="meta"), prepared)
    foretold = activation_bytes(COSMOS_2B_NEIGHBOURS, SEVEN_AT_720P, 2, 16384, neighbour_pairs=42)
    assert peak <= foretold <= 1.05 * peak
    assert foretold > 1.5 * activation_bytes(COSMOS_2B_NEIGHBOURS, SEVEN_AT_720P, 2, 16384)


def test_seven_views_at_720p_fit_beside_their_weights_on_24_gb() -> None:
    weights = 2 * 2_387_995_697
    assert weights + activation_bytes(COSMOS_2B_JOINT, SEVEN_AT_720P, 2, 16384) < 16 * GIGA
    assert weights + activation_bytes(COSMOS_2B_NEIGHBOURS, SEVEN_AT_720P, 2, 16384) < 22 * GIGA


def test_what_does_not_fit_is_refused_with_what_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cpu")
    monkeypatch.setattr(models.cost, "free_bytes", lambda device: 12_340_000_000)
    require_memory(12_340_000_000, device, "7 views of 29 frames at 1280x720")
    sentence = (
        "7 views of 29 frames at 1280x720: about 15.7 GB are needed and 12.3 GB are free on cpu. "
        "Take fewer views or frames, smaller pictures, or more processes (torchrun)"
    )
    with pytest.raises(CapacityError, match=f"^{re.escape(sentence)}$"):
        require_memory(15_678_000_000, device, "7 views of 29 frames at 1280x720")


def test_where_free_memory_cannot_be_told_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_bytes(torch.device("meta")) is None
    require_memory(10**18, torch.device("meta"), "a clip")


def test_free_memory_of_this_machine_is_some_and_not_endless() -> None:
    free = free_bytes(torch.device("cpu"))
    assert free is None or 2**20 < free < 2**50
