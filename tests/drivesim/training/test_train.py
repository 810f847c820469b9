"""A training from its file to weights that generate: stage after stage, resumed, and refused where it must be."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from striped_world import StripedWorld

from drivesim.errors import DatasetError, ScenarioError
from drivesim.training import stages
from drivesim.training.clips import clip_folders, read_clip
from drivesim.training.deadline import Deadline, TimeUpError
from drivesim.training.encoding import encode_training_set
from drivesim.training.loading import load_train
from drivesim.training.samples import request_of
from drivesim.training.stages import train
from drivesim.world_job import WorldJob
from models.codec import encode_frames
from models.conditions import ConditionText
from models.errors import CheckpointError
from models.sampling import Sampling
from models.small_codec import load_small_codec
from models.training.examples import ExampleFolder
from models.weights import load_generator

Hashes = Callable[[Path], dict[str, str]]
MICRO = """\
version: 1
seed: 3
data: {kind: made, count: 3, width_px: 96, height_px: 80, frames: 9}
codec: {latent_channels: 16, width: 8, blocks: 1, fine_width: 8, clips: 2, steps: 2}
network: {overrides: {hidden_size: 48, num_heads: 2, num_blocks: 2, adaln_rank: 8, text_width: 16}}
training: {steps: 4, batch: 1, views: 2, checkpoint_every: 2}
samples: {clips: 1, every: 4, steps: 2}
distil: {clips: 2, teacher_steps: 2, steps: 2}
"""


@pytest.fixture(scope="module", autouse=True)
def striped() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorldJob, "open", lambda job: StripedWorld(job))
        yield


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("training") / "micro.yaml"
    file.write_text(MICRO)
    return file


@pytest.fixture(scope="module")
def trained(config: Path) -> Path:
    """The folder of a whole training that nobody disturbed."""
    out = config.parent / "trained"
    train(*load_train(config), out, device="cpu", workers=1)
    return out


@pytest.fixture
def encoded(trained: Path, tmp_path: Path) -> Path:
    """The same training with clips, codec and encoded clips alone."""
    for name in ("clips", "unseen", "codec", "encoded"):
        shutil.copytree(trained / name, tmp_path / "out" / name)
    shutil.copy(trained / "train.json", tmp_path / "out")
    return tmp_path / "out"


# -- what comes out -----------------------------------------------------------------------------------


def test_the_weights_generate_clips_of_a_scenario_the_training_never_saw(trained: Path) -> None:
    generator = load_generator(trained / "weights", device="cpu")
    clip = read_clip(clip_folders(trained / "unseen")[0])
    made = generator.generate(request_of(clip, Sampling(1, 0.0)))
    assert made.shape == clip.frames.shape and made.dtype == np.uint8
    assert generator.regime.width_px == 96 and generator.regime.clip_frames == 9


def test_the_student_generates_in_its_own_steps(trained: Path) -> None:
    generator = load_generator(trained / "weights-student", device="cpu")
    clip = read_clip(clip_folders(trained / "unseen")[0])
    made = generator.generate(request_of(clip, Sampling(4, 0.0, sampler="student")))
    assert made.shape == clip.frames.shape


def test_clips_are_encoded_with_their_geometry_and_the_words_of_their_caption(trained: Path) -> None:
    folder = clip_folders(trained / "clips")[2]
    clip, codec = read_clip(folder), load_small_codec(trained / "codec")
    example = ExampleFolder(trained / "encoded")[2]
    assert torch.equal(example.video, encode_frames(codec, clip.frames).half())
    assert torch.equal(example.control, encode_frames(codec, clip.control).half())
    assert example.rays is not None and np.array_equal(example.rays.numpy(), clip.rays)
    assert example.neighbours is not None and np.array_equal(example.neighbours.numpy(), clip.neighbours)
    words = {name: word for name, word in clip.about["conditions"].items() if word}
    assert words.items() <= ConditionText().conditions(clip.caption).items()
    assert torch.equal(example.text, ConditionText().encode([clip.caption]))


def test_the_card_says_what_the_weights_are(trained: Path) -> None:
    card = (trained / "weights" / "README.md").read_text()
    assert "| Training | scratch, 4 steps of 1 clips |" in card
    assert re.search(r"\| Loss \| \d\.\d{4} at first, \d\.\d{4} at last \|", card)
    assert re.search(r"\| Reconstruction by the codec \| \d+\.\d dB \|", card)


def test_samples_of_unseen_scenarios_lie_beside_the_losses(trained: Path) -> None:
    assert [path.name for path in (trained / "network" / "samples").iterdir()] == ["step-00000004-3000000000.png"]
    rows = [json.loads(line) for line in (trained / "network" / "loss.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]


# -- stopped and taken up -----------------------------------------------------------------------------


def test_a_whole_training_again_trains_nothing(
    trained: Path, config: Path, monkeypatch: pytest.MonkeyPatch, hashes: Hashes
) -> None:
    before = hashes(trained)
    for name in ("fit_codec", "encode_clip"):
        monkeypatch.setattr(
            f"models.training.codec.{name}" if name == "fit_codec" else f"drivesim.training.encoding.{name}", _never
        )
    train(*load_train(config), trained, device="cpu", workers=1)
    assert hashes(trained) == before


def test_a_training_stopped_in_between_ends_with_the_same_weights(
    trained: Path, encoded: Path, config: Path, monkeypatch: pytest.MonkeyPatch, hashes: Hashes
) -> None:
    file, base = load_train(config)
    steps = iter(range(100))
    monkeypatch.setattr(Deadline, "is_over", property(lambda self: next(steps) == 3))
    with pytest.raises(TimeUpError, match=r"^step 3 of 4 of the network is done$"):
        train(file, base, encoded, device="cpu", workers=1)
    assert not (encoded / "weights").exists()
    train(file, base, encoded, device="cpu", workers=1)
    for name in ("weights/transformer", "weights-student/transformer"):
        assert hashes(encoded / name) == hashes(trained / name)


def test_the_command_stops_in_time_and_says_how_to_go_on(config: Path, tmp_path: Path, drivesim_command: Any) -> None:
    stopped = drivesim_command("train", config, "-o", tmp_path / "out", "--max-minutes", "0", "--workers", "1")
    assert (stopped.code, stopped.err) == (0, "")
    assert stopped.out == (
        f"stopped after 0 minutes: 0 of 1 clips are in {tmp_path / 'out' / 'unseen'}. "
        "The same command goes on from there\n"
    )


def test_until_ends_after_a_stage(trained: Path, encoded: Path, config: Path, drivesim_command: Any) -> None:
    done = drivesim_command("train", config, "-o", encoded, "--until", "encode", "--device", "cpu")
    assert done.out.splitlines() == [
        "data: 3 clips to train on, 1 to look at",
        done.out.splitlines()[1],
        f"encoded: 3 clips in {encoded / 'encoded'}",
    ]
    assert re.fullmatch(r"codec: \d+\.\d dB on unseen clips", done.out.splitlines()[1])
    assert not (encoded / "network").exists()


# -- other clips, other weights -----------------------------------------------------------------------


def test_a_training_goes_on_from_weights_with_clips_of_a_folder(trained: Path, config: Path, tmp_path: Path) -> None:
    changes = [
        f"data={{kind: folder, path: {trained / 'clips'}, width_px: 96, height_px: 80, frames: 9}}",
        f"network={{start: {trained / 'weights'}}}",
        "training.parts=control",
        "training.steps=1",
        "distil=null",
    ]
    file, base = load_train(config, changes)
    train(file, base, tmp_path / "out", device="cpu", workers=1)
    assert not (tmp_path / "out" / "codec").exists()
    before = load_generator(trained / "weights", device="cpu").transformer.state_dict()
    after = load_generator(tmp_path / "out" / "weights", device="cpu").transformer.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"control_blocks", "control_embedder"}


def test_encoded_clips_of_another_codec_are_refused(trained: Path) -> None:
    codec = load_small_codec(trained / "codec")
    with torch.no_grad():
        codec.refinement.first += 1
    with pytest.raises(CheckpointError, match=r"^.*/encoded: its clips were made with codec "):
        encode_training_set(trained / "clips", codec, trained / "encoded")


def test_too_few_clips_to_keep_some_apart_are_refused(trained: Path, config: Path, tmp_path: Path) -> None:
    changes = [f"data={{kind: folder, path: {trained / 'unseen'}, width_px: 96, height_px: 80, frames: 9}}"]
    file, base = load_train(config, changes)
    with pytest.raises(DatasetError) as refusal:
        train(file, base, tmp_path / "out", device="cpu")
    assert str(refusal.value) == (
        f"{trained / 'unseen'}: holds 1 clips, and 1 are kept apart for samples. Lower samples.clips, or add clips"
    )


# -- the file -----------------------------------------------------------------------------------------


def test_the_built_in_training_is_sound() -> None:
    file, _ = load_train("tiny")
    assert file.data.kind == "made" and file.network.preset == "tiny" and file.distil is not None


def test_a_training_of_something_else_is_not_taken_up(trained: Path, config: Path) -> None:
    file, base = load_train(config, ["codec.steps=3", "seed=4"])
    with pytest.raises(DatasetError) as refusal:
        train(file, base, trained, device="cpu")
    assert str(refusal.value) == (
        f"{trained}: holds a training that was begun with seed 3 and is 4 now, codec.steps 2 and is 3 now. "
        "Go on with what it was, or choose another -o"
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("data.frames=16", "--set data.frames=16  data.frames: must be 4k+1, such as 17, got 16"),
        ("data.width_px=100", "--set data.width_px=100  data.width_px: input should be a multiple of 16, got 100"),
        ("training.steps=0", "--set training.steps=0  training.steps: must be above 0, got 0"),
        ("training.known_frames=[0.5]", "must sum to 1, got 0.5"),
        ("training.latent_frames=[3, 2]", "must rise: the least, then the most"),
        ("codec.latent_channels=8", "codec.latent_channels: must be at least 16, got 8"),
        ("data.kind=mad", "data.kind: 'mad' is unknown (did you mean 'made'?). Allowed: made, folder"),
        ("network.overrides.hidden_size=50", "network.overrides: hidden_size: a head of 25 is too small"),
        ("network.overrides.heads=2", "network.overrides: "),
    ],
)
def test_mistakes_in_the_file_are_told_with_their_place(config: Path, change: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        load_train(config, [change])
    assert problem in str(refusal.value)


def test_a_training_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=r"^there is no built-in training 'tinny' \(did you mean 'tiny'\?\)\. Built-in: tiny;"
    ):
        load_train("tinny")
    with pytest.raises(ScenarioError, match=r"^.*/mine\.yaml: no such training file$"):
        load_train(tmp_path / "mine.yaml")


def _never(*given: Any, **named: Any) -> None:
    raise AssertionError("a stage that is complete must be skipped")


def test_stages_are_named_alike_in_the_command() -> None:
    from typing import get_args

    from drivesim.train_cli import StageChoice

    assert tuple(StageChoice) == get_args(stages.Stage)
