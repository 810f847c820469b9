"""One clip on several GPUs, applied to a built network from outside; start it with torchrun.

The two guidance passes go to two halves of the processes. Within a half, the network is spread

* over tokens, for any form: every process holds some tokens of every frame of every view, and for the attention
  some heads of all of them (DeepSpeed-Ulysses, arXiv:2309.14509). Neither tokens nor heads need to divide evenly.
* over views, for the neighbours form: every process holds some views and fetches keys and values of the
  neighbouring ones, nothing else.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from .attention import Attention
from .config import TransformerConfig
from .cost import ClipShape
from .errors import CapacityError
from .layout import Layout, Whole
from .transformer import MultiViewTransformer

_Views = TypeVar("_Views")


class Processes(Protocol):
    """Who takes part in generating a clip."""

    @property
    def shares(self) -> int:
        """Over how many processes the tokens of a pass are spread."""
        ...

    @property
    def is_first(self) -> bool:
        """Whether this is the process that talks and writes."""
        ...

    def apply(self, transformer: MultiViewTransformer) -> None:
        """Spread a network."""
        ...

    def check(self, config: TransformerConfig, shape: ClipShape, guidance: float) -> None:
        """Refuse a split that cannot be made for a clip, with a CapacityError."""
        ...

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """Results of the pass with the prompt, 0, and of the one against it, 1."""
        ...

    def spread_views(self, views: Any, work: Callable[[Any], _Views]) -> _Views:
        """``work`` on all views, the first axis of an array or tensor; every process does some and gets all."""
        ...


class Alone:
    """One process."""

    shares = 1
    is_first = True

    def apply(self, transformer: MultiViewTransformer) -> None:
        """It stays whole."""

    def check(self, config: TransformerConfig, shape: ClipShape, guidance: float) -> None:
        """Nothing is split."""

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """One after the other."""
        return one_pass(0), one_pass(1)

    def spread_views(self, views: Any, work: Callable[[Any], _Views]) -> _Views:
        """All of them here."""
        return work(views)


ALONE = Alone()

SplitOver = Literal["tokens", "views"]


@dataclass(frozen=True)
class Plan:
    """How processes share a clip: ``sides`` guidance passes at once, each over ``shares`` processes."""

    sides: int
    shares: int
    over: SplitOver


def plan(processes: int, config: TransformerConfig, views: int, guides: bool) -> Plan:
    """The best use of a number of processes; a CapacityError says how many are useful at most."""
    sides = 2 if guides and processes % 2 == 0 else 1
    shares = processes // sides
    over: SplitOver = "views" if config.view_mixing == "neighbours" and shares <= views else "tokens"
    if over == "tokens" and shares > config.num_heads:
        most = config.num_heads * (2 if guides else 1)
        raise CapacityError(
            f"{processes} processes are more than this network can use for {views} views"
            f"{'' if guides else ' without guidance'}: start at most {most}"
        )
    return Plan(sides, shares, over)


class Spread:
    """All processes of the default group of torch.distributed, which must be there."""

    def __init__(self, plan: Plan) -> None:
        rank, world = dist.get_rank(), dist.get_world_size()
        if plan.sides * plan.shares != world:
            raise CapacityError(f"a plan for {plan.sides * plan.shares} processes, but {world} are running")
        self.plan, self._rank, self._world = plan, rank, world
        self._side = rank // plan.shares
        # Everybody takes part in making every group, in the same order.
        halves = [dist.new_group(list(range(s * plan.shares, (s + 1) * plan.shares))) for s in range(plan.sides)]
        pairs = [dist.new_group(list(range(i, world, plan.shares))) for i in range(plan.shares)]
        self._half, self._pair = halves[self._side], pairs[rank % plan.shares]

    @property
    def shares(self) -> int:
        """Over how many processes the tokens of a pass are spread."""
        return self.plan.shares

    @property
    def is_first(self) -> bool:
        """Whether this is the process that talks and writes."""
        return self._rank == 0

    def apply(self, transformer: MultiViewTransformer) -> None:
        """Spread a network over the processes of a guidance pass."""
        layout: Layout = _ViewSplit(self._half) if self.plan.over == "views" else _TokenSplit(self._half)
        transformer.layout = layout
        for module in transformer.modules():
            if isinstance(module, Attention):
                module.layout = layout

    def check(self, config: TransformerConfig, shape: ClipShape, guidance: float) -> None:
        """Refuse a split that cannot be made for a clip."""
        most = {"views": shape.views, "tokens": min(config.num_heads, shape.tokens_per_frame(config))}[self.plan.over]
        if self.plan.shares > most:
            raise CapacityError(
                f"a pass over {self.plan.shares} processes cannot be split over {most} {self._parts()}: start fewer"
            )

    def _parts(self) -> str:
        return "views" if self.plan.over == "views" else "heads or tokens of a frame"

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """Each half of the processes does one, then they exchange."""
        if self.plan.sides == 1:
            return one_pass(0), one_pass(1)
        mine = one_pass(self._side).contiguous()
        both = [torch.empty_like(mine) for _ in range(2)]
        dist.all_gather(both, mine, group=self._pair)
        return both[0], both[1]

    def spread_views(self, views: Any, work: Callable[[Any], _Views]) -> _Views:
        """Every process works on some views; the results go to all."""
        sizes = even_sizes(len(views), self._world)
        begins = [0, *accumulate(sizes)]
        mine: Any = work(views[begins[self._rank] : begins[self._rank + 1]]) if sizes[self._rank] else None
        kinds: list[Any] = [None] * self._world
        dist.all_gather_object(kinds, None if mine is None else _kind_of(mine))
        parts = [
            _broadcast(mine, kind, owner, owner == self._rank) for owner, kind in enumerate(kinds) if kind is not None
        ]
        joined: Any = np.concatenate(parts) if isinstance(parts[0], np.ndarray) else torch.cat(parts)
        return joined


def from_launcher(config: TransformerConfig, views: int, guides: bool) -> Processes:
    """All processes that torchrun started, or this one alone; on CUDA every process gets the GPU of its local rank."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return ALONE
    wanted = plan(world, config, views, guides)
    if not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return Spread(wanted)


def even_sizes(total: int, parts: int) -> list[int]:
    """``total`` things over ``parts``, as evenly as whole numbers allow, the larger parts first."""
    return [total // parts + (index < total % parts) for index in range(parts)]


# -- layouts ------------------------------------------------------------------------------------------


class _TokenSplit(Whole):
    """Some tokens of every frame; for the attention all tokens of some heads."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._count, self._index = dist.get_world_size(group), dist.get_rank(group)
        self._tokens: list[int] = []
        self._heads: list[int] = []

    def split_tokens(self, whole: Tensor, dim: int) -> Tensor:
        """Neighbouring tokens, about as many in every process."""
        self._tokens = even_sizes(whole.shape[dim], self._count)
        return whole.narrow(dim, sum(self._tokens[: self._index]), self._tokens[self._index])

    def join(self, tokens: Tensor) -> Tensor:
        """All tokens [B,V,L,S,C], in every process."""
        return _gather(tokens, 3, self._tokens, self._group)

    def to_heads(self, tokens: Tensor) -> Tensor:
        """[B,V,L,S',heads,d] -> [B,V,L,S,heads',d]."""
        self._heads = even_sizes(tokens.shape[4], self._count)
        shapes = [(*tokens.shape[:3], count, self._heads[self._index], tokens.shape[5]) for count in self._tokens]
        return torch.cat(self._exchange(tokens.split(self._heads, dim=4), shapes), dim=3)

    def to_tokens(self, mixed: Tensor) -> Tensor:
        """[B,V,L,S,heads',d] -> [B,V,L,S',heads,d]."""
        shapes = [(*mixed.shape[:3], self._tokens[self._index], count, mixed.shape[5]) for count in self._heads]
        return torch.cat(self._exchange(mixed.split(self._tokens, dim=3), shapes), dim=4)

    def mean(self, value: Tensor) -> Tensor:
        """Over the processes."""
        return _mean(value, self._group)

    def _exchange(self, parts: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
        """Part i goes to process i; what comes from process i has shape i."""
        sent = torch.cat([part.flatten() for part in parts])
        sizes = [math.prod(shape) for shape in shapes]
        received = sent.new_empty(sum(sizes))
        dist.all_to_all_single(received, sent, sizes, [part.numel() for part in parts], group=self._group)
        return [piece.view(shape) for piece, shape in zip(received.split(sizes), shapes, strict=True)]


class _ViewSplit(Whole):
    """Some views; keys and values of neighbouring views are fetched from those who have them."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._count, self._index = dist.get_world_size(group), dist.get_rank(group)
        self._views: list[int] = []
        self._needed: list[list[int]] = []

    def split_views(self, whole: Tensor, dim: int) -> Tensor:
        """Views next to each other; an axis of 1, the same for all views, stays."""
        if whole.shape[dim] == 1 and self._views:
            return whole
        self._views = even_sizes(whole.shape[dim], self._count)
        return whole.narrow(dim, sum(self._views[: self._index]), self._views[self._index])

    def split_neighbours(self, neighbours: Tensor) -> Tensor:
        """The rows of this process's views; remembers what everybody will need."""
        mine = self.split_views(neighbours, 0)
        needed = [rows.any(dim=0).nonzero().flatten().tolist() for rows in neighbours.cpu().split(self._views)]
        self._needed = [
            [view for view in views if not self._holds(process, view)] for process, views in enumerate(needed)
        ]
        return mine

    def join(self, tokens: Tensor) -> Tensor:
        """All tokens [B,V,L,S,C], in every process."""
        return _gather(tokens, 1, self._views, self._group)

    def fetch_views(self, tokens: Tensor) -> Tensor:
        """[B,V',L,S,heads,d] -> [B,V,L,S,heads,d], zeros where no view here looks."""
        everything = tokens.new_zeros(tokens.shape[0], sum(self._views), *tokens.shape[2:])
        begin = self._begin(self._index)
        everything[:, begin : begin + self._views[self._index]] = tokens
        sent, received = [], []
        for process in range(self._count):
            peer = dist.get_global_rank(self._group, process)
            for view in self._needed[process]:
                if self._holds(self._index, view):
                    sent.append(dist.P2POp(dist.isend, tokens[:, view - begin].contiguous(), peer, self._group))
            for view in self._needed[self._index]:
                if self._holds(process, view):
                    room = torch.empty_like(everything[:, view])
                    received.append((view, dist.P2POp(dist.irecv, room, peer, self._group)))
        operations = [*sent, *(operation for _, operation in received)]
        for work in dist.batch_isend_irecv(operations) if operations else ():
            work.wait()
        for view, operation in received:
            everything[:, view] = operation.tensor
        return everything

    def mean(self, value: Tensor) -> Tensor:
        """Over the processes."""
        return _mean(value, self._group)

    def _begin(self, process: int) -> int:
        return sum(self._views[:process])

    def _holds(self, process: int, view: int) -> bool:
        return self._begin(process) <= view < self._begin(process + 1)


def _mean(value: Tensor, group: Any) -> Tensor:
    total = value.clone()
    dist.all_reduce(total, group=group)
    return total / dist.get_world_size(group)


def _gather(mine: Tensor, dim: int, sizes: Sequence[int], group: Any) -> Tensor:
    """Everybody's part along an axis, sizes as given; shorter parts travel padded."""
    most = max(sizes)
    padded = mine.new_zeros(*mine.shape[:dim], most, *mine.shape[dim + 1 :])
    padded.narrow(dim, 0, mine.shape[dim]).copy_(mine)
    parts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(parts, padded, group=group)
    return torch.cat([part.narrow(dim, 0, size) for part, size in zip(parts, sizes, strict=True)], dim=dim)


def _broadcast(mine: Any, kind: tuple[tuple[int, ...], torch.dtype, bool], owner: int, is_owner: bool) -> Any:
    """An array or tensor of one process in all of them; numpy stays numpy."""
    shape, dtype, is_numpy = kind
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
    here = torch.as_tensor(mine).to(device).contiguous() if is_owner else torch.empty(shape, dtype=dtype, device=device)
    dist.broadcast(here, owner)
    return here.cpu().numpy() if is_numpy else here


def _kind_of(part: Any) -> tuple[tuple[int, ...], torch.dtype, bool]:
    tensor = torch.as_tensor(part)
    return tuple(tensor.shape), tensor.dtype, isinstance(part, np.ndarray)
