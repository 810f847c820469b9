"""What several processes compute together and one alone, for test_parallel; importable by spawned processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from tiny_models import (
    TEXT_CHANNELS,
    TEXT_TOKENS,
    TinyText,
    tiny_config,
    tiny_generator,
    tiny_request,
    tiny_transformer,
)
from torch import Tensor

from models import cost
from models.config import ViewIdentity, ViewMixing
from models.errors import ModelError, ShapeError
from models.generator import MultiViewGenerator
from models.parallel import Plan, Processes, Spread
from models.sampling import Sampling
from models.step_cache import StepCache
from models.transformer import Conditioning, MultiViewTransformer

IDENTITIES: dict[ViewMixing, ViewIdentity] = {"joint": "channels", "neighbours": "adaln", "decomposed": "rays"}

_FRAMES, _ROWS, _COLUMNS = 3, 6, 10  # 15 tokens per frame, which neither 2 nor 4 divide

Run = Callable[[Processes], Any]


# -- single passes ------------------------------------------------------------------------------------


def velocities(
    processes: Processes,
    mixing: ViewMixing,
    views: int,
    dtype: torch.dtype = torch.float32,
    neighbours: str = "many",
) -> Tensor:
    """Both guidance passes of two clips, with per-frame timesteps: [2,B,V,C,L,h,w]."""
    model, latents, conditionings, numbers = _prepared(processes, mixing, views, dtype, neighbours)
    timesteps = 1000 * torch.rand(2, views, _FRAMES, generator=numbers)
    with torch.inference_mode():
        return torch.stack(processes.both_sides(lambda side: model(latents, timesteps, conditionings[side], 0.5)))


def cached_steps(processes: Processes, mixing: ViewMixing, views: int) -> tuple[Tensor, list[int]]:
    """Velocities of steps with a cache, [steps,B,V,C,L,h,w], and how many passes were cut short after each."""
    model, latents, (conditioning, _), numbers = _prepared(processes, mixing, views)
    cache, results, skipped = StepCache(0.1), [], []
    for size in (0.0, 0.05, 0.05, 0.5, 0.05):
        latents = latents + size * torch.randn(latents.shape, generator=numbers)
        with torch.inference_mode():
            results.append(model(latents, torch.tensor([500.0]), conditioning, 0.5, cache))
        skipped.append(cache.skipped)
    return torch.stack(results), skipped


def mean_of_parts(processes: Processes, mixing: ViewMixing, views: int) -> float:
    """The mean over everything, from those of the processes' parts."""
    model, *_ = _prepared(processes, mixing, views)
    tokens = torch.arange(views * 15.0).square().view(1, views, 1, 15, 1)
    mine = model.layout.split_tokens(model.layout.split_views(tokens, 1), 3)
    return model.layout.mean(mine.mean()).item()


def _prepared(
    processes: Processes,
    mixing: ViewMixing,
    views: int,
    dtype: torch.dtype = torch.float32,
    neighbours: str = "many",
) -> tuple[MultiViewTransformer, Tensor, list[Conditioning], torch.Generator]:
    """A network, latents, what both guidance passes are given, and a source of more numbers."""
    model = tiny_transformer(tiny_config(mixing, IDENTITIES[mixing])).to(dtype)
    processes.apply(model)
    numbers = torch.Generator().manual_seed(1)
    random = partial(torch.randn, generator=numbers)
    latents, control = (random(2, views, 16, _FRAMES, _ROWS, _COLUMNS) for _ in range(2))
    texts = [random(2, views, TEXT_TOKENS, TEXT_CHANNELS) for _ in range(2)]
    rays = random(views, 6, _ROWS, _COLUMNS)
    known = (torch.rand(2, views, _FRAMES, generator=numbers) > 0.7).float()
    seen = neighbour_map(neighbours, views)
    with torch.inference_mode():
        conditionings = [
            model.prepare(control, model.project_text(text), known=known, rays=rays, neighbours=seen) for text in texts
        ]
    return model, latents, conditionings, numbers


def neighbour_map(kind: str, views: int) -> Tensor:
    """bool [V,V]. many: at random, but the last view sees nobody. one: only the first sees the last. none."""
    seen = torch.zeros(views, views, dtype=torch.bool)
    if kind == "many":
        seen = torch.rand(views, views, generator=torch.Generator().manual_seed(2)) > 0.4
        seen[-1] = False
        seen.fill_diagonal_(False)
    if kind == "one":
        seen[0, -1] = True
    return seen


# -- clips --------------------------------------------------------------------------------------------


def clip(processes: Processes, mixing: ViewMixing, sampling: Sampling, views: int = 3, known: int = 0) -> Any:
    """Frames uint8 [V,T,H,W,3] and latents [V,C,L,h,w], the first view knowing its first ``known`` frames."""
    request = tiny_request(views, sampling=sampling)
    known_frames = tuple(255 - video[: known * (view == 0)] for view, video in enumerate(request.control))
    generator = tiny_generator(mixing, IDENTITIES[mixing], processes=processes)
    return generator.generate_with_latents(replace(request, known_frames=known_frames))


def spread(processes: Processes, views: int, kind: str) -> Any:
    """Work on views of an array or tensor; the work says how many it got."""
    numbers = np.arange(views * 2, dtype=np.float32).reshape(views, 2)
    if kind == "numpy":
        return processes.spread_views(numbers, lambda some: (some + 1).astype(np.uint8))
    return processes.spread_views(torch.from_numpy(numbers), lambda some: some.bfloat16() * 2)


def refusal_in_work(processes: Processes) -> str:
    """What every process says when the work on one view is refused."""

    def work(some: Any) -> Any:
        if 1 in some:
            raise ShapeError("view 1 is bad")
        return some

    return _refusal(lambda: processes.spread_views(np.arange(2), work))


def refusal_of_memory(processes: Processes) -> str:
    """What every process says when the last one has too little memory."""
    free_bytes = cost.free_bytes
    if dist.is_initialized() and dist.get_rank() == dist.get_world_size() - 1:
        cost.free_bytes = lambda device: 1000
    try:
        return _refusal(lambda: tiny_generator(processes=processes).generate(tiny_request()))
    finally:
        cost.free_bytes = free_bytes


def refusal_of_a_text(processes: Processes) -> tuple[str, int]:
    """What every process says when there is no embedding of a prompt, and how often it has asked for some."""
    text = TinyText(known=("a street", " "))
    said = _refusal(
        lambda: tiny_generator(text=text, processes=processes).generate(tiny_request(negative_prompt="fog"))
    )
    return said, len(text.asked)


def refusal_of_few_views(processes: Processes) -> str:
    """A split over views of a clip with fewer of them."""
    generator: MultiViewGenerator = tiny_generator("neighbours", processes=processes)
    return _refusal(lambda: generator.generate(tiny_request(1)))


def refusal_of_few_tokens(processes: Processes) -> str:
    """A split over tokens of a clip with fewer of them in a frame."""
    return _refusal(lambda: tiny_generator(processes=processes).generate(tiny_request(3, 5, 16, 16)))


def refusal_of_a_plan(processes: Processes) -> str:
    """A plan for other processes than are there."""
    return _refusal(lambda: Spread(Plan(2, 5, "tokens")))


def _refusal(call: Callable[[], Any]) -> str:
    try:
        call()
    except ModelError as error:
        return f"{type(error).__name__}: {error}"
    return "not refused"


# -- all cases, and the processes that run them -----------------------------------------------------------

_GUIDED = Sampling(steps=3, guidance=1.0)
_STUDENT = Sampling(steps=2, guidance=0.0, sampler="student")
LOSSY = Sampling(steps=6, guidance=1.0, guidance_span=(0.3, 0.7), cache_threshold=0.2)

CASES: dict[int, dict[str, tuple[Plan, Run]]] = {
    2: {
        "joint over tokens": (Plan(1, 2, "tokens"), partial(velocities, mixing="joint", views=3)),
        "joint in bfloat16": (Plan(1, 2, "tokens"), partial(velocities, mixing="joint", views=3, dtype=torch.bfloat16)),
        "decomposed over tokens": (Plan(1, 2, "tokens"), partial(velocities, mixing="decomposed", views=3)),
        "neighbours over 5 views": (Plan(1, 2, "views"), partial(velocities, mixing="neighbours", views=5)),
        "neighbours over views in bfloat16": (
            Plan(1, 2, "views"),
            partial(velocities, mixing="neighbours", views=3, dtype=torch.bfloat16),
        ),
        "one view of the neighbours form over tokens": (
            Plan(1, 2, "tokens"),
            partial(velocities, mixing="neighbours", views=1),
        ),
        "joint, one side each": (Plan(2, 1, "tokens"), partial(velocities, mixing="joint", views=3)),
        "cached steps over tokens": (Plan(1, 2, "tokens"), partial(cached_steps, mixing="joint", views=2)),
        "cached steps over 3 views": (Plan(1, 2, "views"), partial(cached_steps, mixing="neighbours", views=3)),
        "mean over tokens": (Plan(1, 2, "tokens"), partial(mean_of_parts, mixing="joint", views=2)),
        "mean over 3 views": (Plan(1, 2, "views"), partial(mean_of_parts, mixing="neighbours", views=3)),
        "clip, one side each": (Plan(2, 1, "tokens"), partial(clip, mixing="joint", sampling=_GUIDED)),
        "clip of 5 views": (Plan(1, 2, "views"), partial(clip, mixing="neighbours", sampling=_GUIDED, views=5)),
        "clip of a student": (Plan(1, 2, "tokens"), partial(clip, mixing="joint", sampling=_STUDENT, known=5)),
        "one array of views": (Plan(1, 2, "tokens"), partial(spread, views=1, kind="numpy")),
        "one tensor of views": (Plan(1, 2, "tokens"), partial(spread, views=1, kind="tensor")),
        "bad view": (Plan(1, 2, "tokens"), refusal_in_work),
        "unknown text": (Plan(1, 2, "tokens"), refusal_of_a_text),
        "too little memory": (Plan(1, 2, "tokens"), refusal_of_memory),
        "other plan": (Plan(1, 2, "tokens"), refusal_of_a_plan),
        "too few views": (Plan(1, 2, "views"), refusal_of_few_views),
        "too few tokens": (Plan(1, 2, "tokens"), refusal_of_few_tokens),
    },
    4: {
        "joint over tokens": (Plan(1, 4, "tokens"), partial(velocities, mixing="joint", views=3)),
        "decomposed over tokens": (Plan(1, 4, "tokens"), partial(velocities, mixing="decomposed", views=2)),
        "neighbours over 7 views": (Plan(1, 4, "views"), partial(velocities, mixing="neighbours", views=7)),
        "neighbours where one view sees another": (
            Plan(1, 4, "views"),
            partial(velocities, mixing="neighbours", views=5, neighbours="one"),
        ),
        "neighbours where nobody sees anybody": (
            Plan(1, 4, "views"),
            partial(velocities, mixing="neighbours", views=4, neighbours="none"),
        ),
        "3 views of the neighbours form over tokens": (
            Plan(1, 4, "tokens"),
            partial(velocities, mixing="neighbours", views=3),
        ),
        "joint, two for a side": (Plan(2, 2, "tokens"), partial(velocities, mixing="joint", views=3)),
        "neighbours, two for a side": (Plan(2, 2, "views"), partial(velocities, mixing="neighbours", views=3)),
        "clip, two for a side": (Plan(2, 2, "tokens"), partial(clip, mixing="decomposed", sampling=_GUIDED, known=1)),
        "clip, two for a side, lossy": (Plan(2, 2, "tokens"), partial(clip, mixing="joint", sampling=LOSSY)),
        "clip of 3 views": (Plan(2, 2, "views"), partial(clip, mixing="neighbours", sampling=_GUIDED, known=5)),
        "three in an array of views": (Plan(1, 4, "tokens"), partial(spread, views=3, kind="numpy")),
        "seven in a tensor of views": (Plan(1, 4, "tokens"), partial(spread, views=7, kind="tensor")),
    },
}
"""By number of processes and name: how they share the work, and the work."""


def work(rank: int, folder: Path) -> None:
    """One of four processes: run all cases, with as many of the others as they are for, and store the results."""
    torch.set_num_threads(1)
    results: dict[int, dict[str, Any]] = {}
    for world, cases in CASES.items():
        if rank < world:
            meeting = f"file://{folder / f'meeting of {world}'}"
            dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world)
            results[world] = {name: run(Spread(plan)) for name, (plan, run) in cases.items()}
            dist.destroy_process_group()
    torch.save(results, folder / f"{rank}.pt")
