"""The training loop: what a step is, and how it is taken up again after the last checkpoint, to the bit.

All chance comes from the seed and the number of the step, so that weights, their average, the optimiser's moments and
that number are all there is to remember.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoint import save_transformer
from ..errors import CheckpointError, ModelError
from ..transformer import MultiViewTransformer
from .checkpoints import Checkpoint, Checkpoints
from .examples import Example, ExampleSource
from .logs import Callbacks, LossLog, StepReport
from .lora import Lora, merged_state
from .objective import FlowObjective, Objective
from .optimise import Average, LearningRate, move_average
from .parts import Parts, choose_parts, frozen_digest
from .working import Precision, WorkingNetwork, mean_over_processes, rank_and_world, wait_for_all, whole_tensors

_PACE_STEPS = 20


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    steps: updates of the weights. batch: clips that go through the network together, in every process.
    accumulate: batches of an update. gradient_clip: largest norm of all gradients together.
    recompute: forget the blocks' activations and compute them again backwards, for less memory.
    compile: the blocks, with torch.compile. checkpoint_every: steps. keep: how many checkpoints.
    """

    steps: int = 10_000
    batch: int = 1
    accumulate: int = 1
    parts: Parts = "scratch"
    lora: Lora = field(default_factory=Lora)
    learning_rate: LearningRate = field(default_factory=LearningRate)
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    average: Average = field(default_factory=Average)
    precision: Precision = "bf16"
    recompute: bool = False
    compile: bool = False
    seed: int = 0
    checkpoint_every: int = 1000
    keep: int = 2

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "checkpoint_every", "keep"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name.replace('_', ' ')}: must be at least 1, got {getattr(self, name)}")
        if not self.gradient_clip > 0:
            raise ModelError(f"gradient clip: must be above 0, got {self.gradient_clip:g}")
        if self.precision not in ("fp32", "bf16"):
            raise ModelError(f"precision: {self.precision!r} is none of fp32, bf16")


class Trainer:
    """Trains a network in place, and keeps what is needed to go on in a folder.

    transformer: on the device where it shall train. folder: of the training; a training found there is taken up.
    With torch.distributed running, every process must make one and call the same methods.
    """

    def __init__(
        self,
        transformer: MultiViewTransformer,
        source: ExampleSource,
        settings: TrainingSettings,
        folder: Path | str,
        *,
        objective: Objective | None = None,
        callbacks: Callbacks | None = None,
    ) -> None:
        self.source, self.settings, self.folder = source, settings, Path(folder)
        self.objective, self.callbacks = objective or FlowObjective(), callbacks or Callbacks()
        self.rank, self.world = rank_and_world()
        choose_parts(transformer, settings.parts, settings.lora, settings.seed)
        self._made_of = self._ingredients(transformer)
        self.working = WorkingNetwork(transformer.train(), settings.precision, settings.recompute, settings.compile)
        self.average = {name: weight.detach().clone() for name, weight in self.working.weights.items()}
        self.optimiser = self._optimiser()
        self.checkpoints = Checkpoints(self.folder / "checkpoints", settings.keep)
        self.step = 0
        if self.checkpoints.last is not None:
            self._take_up(self.checkpoints.load())

    # -- running ------------------------------------------------------------------------------------------

    def run(self, until: int | None = None) -> None:
        """All steps that are left, or those up to a number, with a checkpoint at the end."""
        last = min(self.settings.steps, until or self.settings.steps)
        log = LossLog(self.folder / "loss.jsonl", self.step) if self.rank == 0 else None
        pace: deque[float] = deque(maxlen=_PACE_STEPS)
        for examples in self._examples(last):
            report = self._one_step(examples, pace)
            if log is not None:
                log(report)
                self.callbacks.on_step(report)
            if self.step % self.settings.checkpoint_every == 0 or self.step == last:
                self.save()
            every = self.callbacks.samples_every
            if every and (self.step % every == 0 or self.step == last):
                self._show_samples()

    def save(self) -> None:
        """Write a checkpoint."""
        moments = [self._moments(kind) for kind in ("exp_avg", "exp_avg_sq")]
        parts = [whole_tensors(tensors) for tensors in (self.working.weights, self.average, *moments)]
        if self.rank == 0:
            path = self.checkpoints.save(Checkpoint(self.step, self._made_of, *parts))
            self.callbacks.on_checkpoint(path)
        wait_for_all()

    def averaged(self) -> MultiViewTransformer:
        """The network with averaged weights and without low-rank layers, on the trained one's device."""
        transformer = self.working.transformer
        state = whole_tensors(dict(transformer.named_parameters())) | whole_tensors(self.average)
        if self.settings.parts == "lora":
            state = merged_state(state, self.settings.lora)
        with torch.device("meta"):
            copy = MultiViewTransformer(transformer.config)
        device = transformer.device
        copy.load_state_dict({name: tensor.to(device, copy=True) for name, tensor in state.items()}, assign=True)
        return copy.eval().requires_grad_(False)

    def export(self, folder: Path | str, dtype: torch.dtype = torch.float32) -> None:
        """Write the averaged network as a folder of weights."""
        averaged = self.averaged()
        if self.rank == 0:
            save_transformer(averaged.to(dtype), folder)
        wait_for_all()

    # -- a step -------------------------------------------------------------------------------------------

    def _one_step(self, batches: list[list[Example]], pace: deque[float]) -> StepReport:
        begin = time.perf_counter()
        settings, step = self.settings, self.step
        rate = settings.learning_rate.at(step, settings.steps)
        loss = self._gradients(batches)
        norm = self._clipped()
        self._require_finite(loss, norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.working.refresh()
        move_average(self.average, self.working.weights, settings.average.decay(step))
        self.step += 1
        seconds = time.perf_counter() - begin
        pace.append(seconds)
        tokens = self.world * sum(example.video[:, 0].numel() for batch in batches for example in batch)
        tokens //= self.working.transformer.config.patch_size**2
        left = (settings.steps - self.step) * sum(pace) / len(pace)
        return StepReport(self.step, settings.steps, loss, norm, rate, tokens / seconds, seconds, left)

    def _gradients(self, batches: list[list[Example]]) -> float:
        """Gradients of the mean loss, and that loss."""
        total = torch.zeros((), device=self.working.transformer.device)
        for index, examples in enumerate(batches):
            random = torch.Generator().manual_seed(self._seed(index))
            loss = self.objective.loss(self.working.network, examples, random) / len(batches)
            loss.backward()
            self.working.collect_gradients()
            total += loss.detach()
        for weight in self.working.weights.values():
            if weight.grad is None:  # of what a step had no use for, such as attention to no neighbours
                weight.grad = torch.zeros_like(weight)
        return mean_over_processes(total)

    def _clipped(self) -> float:
        """Scale the gradients down to the largest norm allowed; the norm they had."""
        norm: Any = torch.nn.utils.clip_grad_norm_(self.working.weights.values(), self.settings.gradient_clip)
        return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)

    def _require_finite(self, loss: float, norm: float) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            return
        what, value = ("gradient", norm) if math.isfinite(loss) else ("loss", loss)
        last = self.checkpoints.last
        kept = "there is no checkpoint yet" if last is None else f"the last good checkpoint is {last}"
        raise ModelError(
            f"step {self.step + 1}: the {what} is {value}, so the training stopped before "
            f"changing the weights; {kept}. Lower the learning rate, or look for broken clips"
        )

    # -- what a step is given -----------------------------------------------------------------------------

    def _examples(self, last: int) -> Iterator[list[list[Example]]]:
        """The batches of every step to come; those of the next are read while one is at work."""
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, self.step)
            for step in range(self.step, last):
                batches = ahead.result()
                if step + 1 < last:
                    ahead = reader.submit(self._read, step + 1)
                yield batches

    def _read(self, step: int) -> list[list[Example]]:
        settings = self.settings
        first = step * settings.accumulate * self.world + self.rank
        places = range(first, first + settings.accumulate * self.world, self.world)
        return [self.source.batch(place * settings.batch, settings.batch, settings.seed) for place in places]

    def _seed(self, batch: int) -> int:
        """Of the chance in a batch of the present step."""
        name = f"{self.settings.seed}/{self.step}/{batch}/{self.rank}"
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest(), "big")

    def _show_samples(self) -> None:
        averaged = self.averaged()
        if self.rank == 0:
            self.callbacks.on_samples(self.step, averaged)

    # -- what is remembered -------------------------------------------------------------------------------

    def _optimiser(self) -> torch.optim.AdamW:
        """Weight decay pulls at matrices only."""
        weights = list(self.working.weights.values())
        groups = [
            {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": self.settings.weight_decay},
            {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(groups, lr=self.settings.learning_rate.peak, betas=self.settings.betas, fused=True)

    def _moments(self, kind: str) -> dict[str, Tensor]:
        """A moment of the optimiser by weight; zeros before the first step."""
        state = self.optimiser.state
        return {
            name: state[weight][kind] if weight in state else torch.zeros_like(weight)
            for name, weight in self.working.weights.items()
        }

    def _take_up(self, checkpoint: Checkpoint) -> None:
        self._require_same(checkpoint.made_of)
        working = self.working
        working.load(working.weights, checkpoint.model)
        working.load(self.average, checkpoint.average)
        working.refresh()
        for kind, moments in (("exp_avg", checkpoint.first), ("exp_avg_sq", checkpoint.second)):
            empty = {name: torch.zeros_like(weight) for name, weight in working.weights.items()}
            working.load(empty, moments)
            for name, weight in working.weights.items():
                self.optimiser.state[weight][kind] = empty[name]
        for weight in working.weights.values():
            self.optimiser.state[weight]["step"] = torch.tensor(float(checkpoint.step), device=weight.device)
        self.step = checkpoint.step

    def _ingredients(self, transformer: MultiViewTransformer) -> dict[str, Any]:
        """What must be the same when the training is taken up again; all else may change."""
        settings = self.settings
        made_of: dict[str, Any] = {f"network {name}": value for name, value in transformer.config.to_dict().items()}
        made_of |= {name: getattr(settings, name) for name in ("parts", "batch", "accumulate", "seed", "precision")}
        made_of |= {"processes": self.world, "data": self.source.identity()}
        if settings.parts == "lora":
            made_of |= {"lora rank": settings.lora.rank, "lora alpha": settings.lora.alpha}
        if settings.parts not in ("scratch", "full"):
            made_of["frozen weights"] = frozen_digest(transformer)
        return dict(json.loads(json.dumps(made_of)))

    def _require_same(self, found: Mapping[str, Any]) -> None:
        other = [
            f"{name} was {found.get(name)!r} and is {value!r}"
            for name, value in self._made_of.items()
            if found.get(name) != value
        ]
        if other:
            raise CheckpointError(
                f"{self.checkpoints.last}: belongs to another training: {'; '.join(other)}. "
                f"Go on with what it was, or name another folder"
            )
