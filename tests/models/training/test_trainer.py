"""The training loop: it learns, is taken up again to the bit, and stops without losing anything."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import Clips, micro_config, micro_example, micro_network, micro_trainer
from torch import Tensor

from models.checkpoint import load_transformer
from models.errors import CheckpointError, ModelError
from models.flow import Known, sample
from models.sampling import Sampling
from models.training.examples import Example
from models.training.initialise import initialise
from models.training.logs import Callbacks, StepReport, TensorBoard
from models.training.objective import FlowObjective, VelocityNetwork, noisy
from models.training.optimise import Average, LearningRate
from models.training.trainer import Trainer

ROOT = Path(__file__).parents[3]


def _differing(one: Trainer, other: Trainer) -> list[str]:
    """Names of weights, averages and moments that are not the same to the bit."""
    kinds = [(t.working.weights, t.average, t._moments("exp_avg"), t._moments("exp_avg_sq")) for t in (one, other)]
    return [name for a, b in zip(*kinds, strict=True) for name in a if not torch.equal(a[name], b[name])]


class _Broken:
    """An objective whose loss is not finite from a call on."""

    def __init__(self, call: int, value: float) -> None:
        self.calls, self.call, self.value = 0, call, value

    def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
        self.calls += 1
        loss = FlowObjective().loss(network, examples, random)
        return loss * self.value if self.calls >= self.call else loss


# -- it learns --------------------------------------------------------------------------------------------


def test_a_clip_is_learnt_and_sampled_back_from_noise(tmp_path: Path) -> None:
    clip = micro_example(views=2, latent_frames=2)
    trainer = micro_trainer(
        tmp_path, source=Clips([clip]), steps=500, batch=4, learning_rate=LearningRate(1e-2, 20, "cosine", 0.01),
        average=Average("power", 0.05), objective=FlowObjective(shift=2.0, known_frames=(1.0,), text_dropout=0.0),
    )  # fmt: skip
    trainer.run()
    losses = [json.loads(line)["loss"] for line in (tmp_path / "loss.jsonl").read_text().splitlines()]
    assert len(losses) == 500 and losses[0] > 1.5 and sum(losses[-20:]) / 20 < 0.005
    batch = noisy(clip, torch.zeros_like(clip.video), torch.tensor(1.0), known=0)
    network = VelocityNetwork(trainer.averaged())

    def velocity(latents: Tensor, timesteps: Tensor, way: float) -> Tensor:
        return network(replace(batch, latents=latents, timesteps=timesteps))

    noise = torch.randn(1, *clip.video.shape, generator=torch.Generator().manual_seed(9))
    made = sample(velocity, noise, Known(noise, batch.known), Sampling(steps=10, guidance=0, shift=2.0))
    assert float((made[0] - clip.video).std()) < 0.1 < 0.9 < float(clip.video.std())


def test_the_loss_of_a_step_is_the_mean_over_its_clips(tmp_path: Path) -> None:
    reports: list[StepReport] = []
    for batch, accumulate in ((1, 1), (1, 2)):
        folder = tmp_path / f"{batch}-{accumulate}"
        micro_trainer(
            folder, batch=batch, accumulate=accumulate, steps=1, source=Clips([micro_example()]),
            callbacks=Callbacks(on_step=reports.append),
        ).run()  # fmt: skip
    first, both = reports
    second = micro_trainer(tmp_path / "other", batch=1, source=Clips([micro_example()]))
    second._seed = lambda index: type(second)._seed(second, 1)  # type: ignore[method-assign]
    other = second._gradients([[micro_example()]])
    assert both.loss == pytest.approx((first.loss + other) / 2, rel=1e-5)
    assert first.loss != pytest.approx(other, rel=1e-3)


def test_recomputing_activations_changes_nothing(tmp_path: Path) -> None:
    one, other = (micro_trainer(tmp_path / str(recompute), recompute=recompute) for recompute in (False, True))
    one.run()
    other.run()
    assert _differing(one, other) == []


def test_bfloat16_trains_fp32_weights_with_the_numbers_of_a_bfloat16_network(tmp_path: Path) -> None:
    reports: list[StepReport] = []
    trainer = micro_trainer(
        tmp_path, precision="bf16", steps=1, source=Clips([micro_example()]), batch=1,
        learning_rate=LearningRate(1e-5, 0), callbacks=Callbacks(on_step=reports.append),
    )  # fmt: skip
    rounded = micro_network()
    initialise(rounded, seed=0)
    network = VelocityNetwork(rounded.bfloat16())
    loss = FlowObjective().loss(network, [micro_example()], torch.Generator().manual_seed(trainer._seed(0)))
    trainer.run()
    assert reports[0].loss == loss.item()
    assert all(weight.dtype == torch.float32 for weight in trainer.working.weights.values())
    assert any(bool((weight != weight.bfloat16().float()).any()) for weight in trainer.working.weights.values())


# -- it goes on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("parts", ["scratch", "lora"])
def test_a_training_taken_up_again_is_the_same_to_the_bit(tmp_path: Path, parts: str, precision: str) -> None:
    options: dict[str, Any] = {"parts": parts, "precision": precision, "accumulate": 2}
    whole = micro_trainer(tmp_path / "whole", **options)
    whole.run()
    micro_trainer(tmp_path / "parts", **options).run(until=3)
    again = micro_trainer(tmp_path / "parts", **options)
    assert again.step == 3
    again.run()
    assert _differing(whole, again) == [] and again.step == 8
    logs = [(tmp_path / name / "loss.jsonl").read_text().splitlines() for name in ("whole", "parts")]
    rows = [[{**json.loads(line), "seconds": 0} for line in lines] for lines in logs]
    assert rows[0] == rows[1] and len(rows[0]) == 8


_KILLED = """
import os, signal, sys
from pathlib import Path
from tiny_training import micro_trainer
from models.training.initialise import initialise
from models.training.logs import Callbacks

def stop(report):
    if report.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)

micro_trainer(Path(sys.argv[1]), checkpoint_every=2, callbacks=Callbacks(on_step=stop)).run()
"""


def test_a_killed_training_goes_on_from_its_last_checkpoint_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "support")))
    threads = str(torch.get_num_threads())
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "killed")],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": threads}, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    again = micro_trainer(tmp_path / "killed", checkpoint_every=2)
    assert again.step == 4
    again.run()
    whole = micro_trainer(tmp_path / "whole", checkpoint_every=100)
    whole.run()
    assert _differing(whole, again) == []
    assert len((tmp_path / "killed" / "loss.jsonl").read_text().splitlines()) == 8


def test_only_the_last_checkpoints_are_kept(tmp_path: Path) -> None:
    saved: list[Path] = []
    trainer = micro_trainer(
        tmp_path, checkpoint_every=2, keep=2, steps=7, callbacks=Callbacks(on_checkpoint=saved.append)
    )
    trainer.run()
    assert [path.name for path in saved] == [f"step-{step:08d}" for step in (2, 4, 6, 7)]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000006", "step-00000007"]


def test_what_comes_out_are_the_averaged_weights(tmp_path: Path) -> None:
    trainer = micro_trainer(tmp_path / "run", average=Average("constant", 0.5))
    trainer.run()
    trainer.export(tmp_path / "weights")
    exported = load_transformer(tmp_path / "weights", config=micro_config()).state_dict()
    assert all(torch.equal(exported[name], trainer.average[name]) for name in exported)
    assert not torch.equal(exported["x_embedder.proj.1.weight"], trainer.working.weights["x_embedder.proj.1.weight"])


def test_whoever_asks_is_told(tmp_path: Path) -> None:
    reports: list[StepReport] = []
    samples: list[int] = []
    callbacks = Callbacks(reports.append, on_samples=lambda step, network: samples.append(step), samples_every=3)
    micro_trainer(tmp_path, callbacks=callbacks, source=Clips([micro_example()])).run()
    assert [report.step for report in reports] == list(range(1, 9)) and samples == [3, 6, 8]
    assert all(report.seconds > 0 and report.gradient_norm > 0 for report in reports)
    assert reports[-1].seconds_left == 0 < reports[0].seconds_left
    clip_tokens = 3 * 3 * 2 * 3
    assert reports[0].tokens_per_s * reports[0].seconds == pytest.approx(2 * clip_tokens)


def test_curves_go_to_tensorboard_when_asked(tmp_path: Path) -> None:
    micro_trainer(tmp_path / "run", steps=1, callbacks=Callbacks(on_step=TensorBoard(tmp_path / "board"))).run()
    assert [path.name.startswith("events.") for path in (tmp_path / "board").iterdir()] == [True]


# -- it stops ---------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_stops_before_anything_is_changed(tmp_path: Path) -> None:
    trainer = micro_trainer(tmp_path, checkpoint_every=2, objective=_Broken(5, float("nan")))
    message = (
        f"step 5: the loss is nan, so the training stopped before changing the weights; the last good checkpoint is "
        f"{tmp_path}/checkpoints/step-00000004. Lower the learning rate, or look for broken clips"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        trainer.run()
    assert trainer.step == 4 and all(bool(weight.isfinite().all()) for weight in trainer.working.weights.values())
    assert _differing(trainer, micro_trainer(tmp_path)) == []


def test_a_gradient_that_is_not_finite_stops_too(tmp_path: Path) -> None:
    class Steep:
        def loss(self, network: VelocityNetwork, examples: Sequence[Example], random: torch.Generator) -> Tensor:
            return FlowObjective().loss(network, examples, random).detach() + sum(
                weight.flatten()[0].sub(weight.flatten()[0].detach()).abs().sqrt() for weight in network.parameters()
            )

    message = r"^step 1: the gradient is nan, so .*; there is no checkpoint yet\. Lower the learning rate"
    with pytest.raises(ModelError, match=message):
        micro_trainer(tmp_path, objective=Steep()).run()


def test_a_full_disk_is_one_sentence_and_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    micro_trainer(tmp_path).run(until=2)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer = micro_trainer(tmp_path)
    monkeypatch.setattr("safetensors.torch.save_file", full)
    path = tmp_path / "checkpoints" / "step-00000008"
    message = f"{path}: cannot be written, the disk is full. Free some space and start again"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        trainer.run()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000002"]


def test_a_training_of_another_network_or_of_other_clips_is_refused(tmp_path: Path) -> None:
    micro_trainer(tmp_path).run(until=1)
    path = tmp_path / "checkpoints" / "step-00000001"
    message = (
        f"{path}: belongs to another training: network hidden_size was 48 and is 64; seed was 0 and is 1. "
        f"Go on with what it was, or name another folder"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        micro_trainer(tmp_path, micro_network(hidden_size=64), seed=1)
    with pytest.raises(
        CheckpointError, match=r"belongs to another training: data was .*'clips': 2.* and is .*'clips': 1"
    ):
        micro_trainer(tmp_path, source=Clips([micro_example()]))


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_can_be_used(tmp_path: Path) -> None:
    micro_trainer(tmp_path, checkpoint_every=2).run(until=4)
    path = tmp_path / "checkpoints" / "step-00000004"
    state = path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    message = rf"^{re.escape(str(path))}: cannot be read: .+\. Remove it to go on from the checkpoint before it$"
    with pytest.raises(CheckpointError, match=message):
        micro_trainer(tmp_path)
    state.unlink()
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    assert micro_trainer(tmp_path).step == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps: must be at least 1, got 0"),
        ({"checkpoint_every": 0}, "checkpoint every: must be at least 1, got 0"),
        ({"gradient_clip": 0.0}, "gradient clip: must be above 0, got 0"),
        ({"precision": "fp16"}, "precision: 'fp16' is none of fp32, bf16"),
        ({"parts": "half"}, "parts: 'half' is none of scratch, full, control, new-control, lora"),
    ],
)
def test_it_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as raised:
        micro_trainer(tmp_path, **changes)
    assert str(raised.value) == message
