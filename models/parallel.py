"""One clip on several GPUs, applied to a built network from outside; start it with torchrun.

The two guidance passes go to two halves of the processes. Within a half, the network is spread

* over tokens, for any form: every process holds some tokens of every frame of every view, and for the attention
  some heads of all of them (DeepSpeed-Ulysses, arXiv:2309.14509). Neither tokens nor heads need to divide evenly.
* over views, for the neighbours form: every process holds some views and fetches keys and values of the
  neighbouring ones, nothing else.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
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
from .errors import CapacityError, ModelError
from .split_layout import TokenSplit, ViewSplit, even_sizes
from .transformer import MultiViewTransformer

_Result = TypeVar("_Result")


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

    def check(self, config: TransformerConfig, shape: ClipShape) -> None:
        """Refuse a split that cannot be made for a clip, with a CapacityError."""
        ...

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """Results of the pass with the prompt, 0, and of the one against it, 1."""
        ...

    def together(self, work: Callable[[], _Result]) -> _Result:
        """``work`` in every process, each with its own result; a ModelError in one is raised in all."""
        ...

    def agree(self, value: Any) -> Any:
        """What the first process has, in all of them. Also waits for everybody."""
        ...

    def spread_views(self, views: Any, work: Callable[[Any], _Result]) -> _Result:
        """``work`` on all views, the first axis of an array or tensor; every process does some and gets all."""
        ...


class Alone:
    """One process."""

    shares = 1
    is_first = True

    def apply(self, transformer: MultiViewTransformer) -> None:
        """It stays whole."""

    def check(self, config: TransformerConfig, shape: ClipShape) -> None:
        """Nothing is split."""

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """One after the other."""
        return one_pass(0), one_pass(1)

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Just so."""
        return work()

    def agree(self, value: Any) -> Any:
        """Itself."""
        return value

    def spread_views(self, views: Any, work: Callable[[Any], _Result]) -> _Result:
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
    """The best use of a number of processes; a CapacityError says how many could be used instead."""
    best = _plan(processes, config, views, guides)
    if best is None:
        fewer = next(count for count in range(processes - 1, 0, -1) if _plan(count, config, views, guides))
        raise CapacityError(
            f"{processes} processes cannot share a clip of {views} views{'' if guides else ' without guidance'} "
            f"with this network: start {fewer}"
        )
    return best


def _plan(processes: int, config: TransformerConfig, views: int, guides: bool) -> Plan | None:
    sides = 2 if guides and processes % 2 == 0 else 1
    shares = processes // sides
    if config.view_mixing == "neighbours" and shares <= views:
        return Plan(sides, shares, "views")
    return Plan(sides, shares, "tokens") if shares <= config.num_heads else None


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
        self._layouts: list[TokenSplit | ViewSplit] = []
        # NCCL wants all of a group in its first call; fetching views may be for some of them only.
        for group in (self._half, self._pair):
            dist.all_reduce(torch.zeros(1, device=_device()), group=group)

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
        layout = ViewSplit(self._half) if self.plan.over == "views" else TokenSplit(self._half)
        self._layouts.append(layout)
        transformer.layout = layout
        for module in transformer.modules():
            if isinstance(module, Attention):
                module.layout = layout

    def check(self, config: TransformerConfig, shape: ClipShape) -> None:
        """Refuse a split that cannot be made for a clip."""
        most = {"views": shape.views, "tokens": min(config.num_heads, shape.tokens_per_frame(config))}[self.plan.over]
        if self.plan.shares > most:
            raise CapacityError(
                f"a pass over {self.plan.shares} processes cannot be split over {most} {self._parts()}: start fewer"
            )

    def _parts(self) -> str:
        return "views" if self.plan.over == "views" else "heads or tokens of a frame"

    def leave(self) -> None:
        """Part from the other processes, before Python ends.

        The threads of a gloo group hold tensors of its last exchange for a while; a thread that drops one after Python
        has ended aborts the process. They stop with the last reference to the group.
        """
        for layout in self._layouts:
            layout.group = None
        self._half = self._pair = None
        if dist.is_initialized():
            dist.destroy_process_group()

    def both_sides(self, one_pass: Callable[[int], Tensor]) -> tuple[Tensor, Tensor]:
        """Each half of the processes does one, then they exchange."""
        if self.plan.sides == 1:
            return one_pass(0), one_pass(1)
        mine = one_pass(self._side).contiguous()
        both = [torch.empty_like(mine) for _ in range(2)]
        dist.all_gather(both, mine, group=self._pair)
        return both[0], both[1]

    def agree(self, value: Any) -> Any:
        """What the first process has, in all of them."""
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def spread_views(self, views: Any, work: Callable[[Any], _Result]) -> _Result:
        """Every process works on some views; the results go to all."""
        sizes = even_sizes(len(views), self._world)
        begins = [0, *accumulate(sizes)]
        some = views[begins[self._rank] : begins[self._rank + 1]]
        mine: Any = self.together(lambda: work(some) if len(some) else None)
        kinds: list[Any] = [None] * self._world
        dist.all_gather_object(kinds, None if mine is None else _kind_of(mine))
        parts = [
            _broadcast(mine, kind, owner, owner == self._rank) for owner, kind in enumerate(kinds) if kind is not None
        ]
        joined: Any = np.concatenate(parts) if isinstance(parts[0], np.ndarray) else torch.cat(parts)
        return joined

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Errors are exchanged: a process that went on alone would wait for the others for ever."""
        result: Any = None
        failure: ModelError | None = None
        try:
            result = work()
        except ModelError as error:
            failure = error
        failures: list[ModelError | None] = [None] * self._world
        dist.all_gather_object(failures, failure)
        first = next(filter(None, failures), None)
        if first is not None:
            raise failure or first
        return result


def from_launcher(config: TransformerConfig, views: int, guides: bool, device: torch.device | None = None) -> Processes:
    """All processes that torchrun started, or this one alone. device: of this process, see ``launcher_device``."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return ALONE
    wanted = plan(world, config, views, guides)
    if not dist.is_initialized():
        device = launcher_device("auto") if device is None else device
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    spread = Spread(wanted)
    if dist.get_backend() == "gloo":  # NCCL parts when all do: a process that failed would wait for those that did not
        atexit.register(spread.leave)
    return spread


def launcher_device(name: str) -> torch.device:
    """The device of this process. auto: the GPU of its local rank if there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CapacityError(f"device: {name!r} is none. Use auto, cpu, cuda or cuda:N") from error
    if device.type != "cuda":
        return device
    if not torch.cuda.is_available():
        raise CapacityError("device: this machine has no GPU that torch can use. Use cpu")
    if device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    count = torch.cuda.device_count()
    if device.index >= count:
        raise CapacityError(
            f"device: there is no {device}, this machine has {count}. Start no more processes than it has GPUs"
        )
    return device


def _broadcast(mine: Any, kind: tuple[tuple[int, ...], torch.dtype, bool], owner: int, is_owner: bool) -> Any:
    """An array or tensor of one process in all of them; numpy stays numpy."""
    shape, dtype, is_numpy = kind
    device = _device()
    here = torch.as_tensor(mine).to(device).contiguous() if is_owner else torch.empty(shape, dtype=dtype, device=device)
    dist.broadcast(here, owner)
    return here.cpu().numpy() if is_numpy else here


def _kind_of(part: Any) -> tuple[tuple[int, ...], torch.dtype, bool]:
    tensor = torch.as_tensor(part)
    return tuple(tensor.shape), tensor.dtype, isinstance(part, np.ndarray)


def _device() -> torch.device:
    """Where the processes exchange."""
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
