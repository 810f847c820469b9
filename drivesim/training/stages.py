"""A whole training, stage after stage; each is skipped when it is complete, and taken up where it was stopped.

OUT/train.json      what was asked for
OUT/clips/          clips of random scenarios; OUT/unseen/ for those the training never sees
OUT/codec/          the small codec
OUT/encoded/        the clips as the network sees them
OUT/network/        checkpoints, loss.jsonl, samples/
OUT/lessons/        clips of the teacher, and OUT/student/, like network/, where a student is asked for
OUT/weights/        the result; OUT/weights-student/
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..clip_folder import write_json
from ..console import progress
from ..errors import DatasetError
from .bars import training_bar
from .clip_sources import ClipSets, clip_sets, films
from .deadline import Deadline
from .encoding import encode_training_set
from .launched import join_launched
from .network_stage import Studio, finished_network, make_lessons, sampling_of, train_network, train_student
from .schema import TrainFile
from .weights_folder import machine, model_card, reconstruction_db, write_weights_folder

if TYPE_CHECKING:
    import torch

    from models.small_codec import SmallCodec
    from models.transformer import MultiViewTransformer

Stage = Literal["data", "codec", "encode", "network", "weights"]
Say = Callable[[str], None]

RECORD_FILE = "train.json"
_FIXED = ("seed", "data", "codec", "network")
"""What decides about finished stages. The trainer itself knows what else must stay as it was."""


def train(
    file: TrainFile,
    base: Path,
    out: Path,
    *,
    device: str = "auto",
    deadline: Deadline | None = None,
    workers: int | None = None,
    until: Stage = "weights",
    say: Say = lambda line: None,
) -> Path:
    """From a training file to a folder of weights. base: where paths in the file start.

    until: the last stage. say: told in a sentence what every stage has made. Raises TimeUpError at the deadline.
    """
    from models.parallel import launcher_device

    deadline, where = deadline or Deadline(), launcher_device(device)
    launched = join_launched(where)
    if launched.world > 1 and deadline.at_s is not None:
        raise DatasetError("a training by several processes cannot watch the clock. Leave out --max-minutes")
    say = say if launched.is_first else _quiet

    # 1. Clips, what they are encoded with, and how the network sees them.
    with launched.first_alone():
        _claim(file, out)
        sets = clip_sets(file, base, out, deadline, workers)
        say(f"data: {len(sets.seen)} clips to train on, {len(sets.unseen)} to look at")
        if until == "data":
            return out
        studio = _furnished(file, base, out, sets, where, deadline)
        say(f"codec: {studio.codec_db:.1f} dB on unseen clips")
        if until == "codec":
            return out
        encoded = out / "encoded"
        with progress("Encoding clips", len(sets.seen)) as advance:
            encode_training_set(sets.seen, studio.codec, encoded, studio.text, advance, deadline)
        say(f"encoded: {len(sets.seen)} clips in {encoded}")
        if until == "encode":
            return out

    # 2. The network.
    weights, steps = out / "weights", file.training.steps
    network = finished_network(out / "network", weights, steps, where)
    is_new = network is None
    if network is None:
        network = train_network(studio, encoded, out / "network", sets.fps)
    say(f"network: {steps} steps, samples in {out / 'network' / 'samples'}")
    if until == "network":
        return out

    # 3. Weights, and a student's.
    if is_new and launched.is_first:
        _publish(studio, network, weights, out / "network", is_student=False)
    say(f"weights: {weights}")
    if file.distil is not None and launched.world > 1:
        say("student: is trained by one process. Run the same command without torchrun")
    elif file.distil is not None:
        _student(studio, network, encoded, out, file.distil.steps)
        say(f"student: {out / 'weights-student'}")
    return weights


def _student(studio: Studio, teacher: MultiViewTransformer, encoded: Path, out: Path, steps: int) -> None:
    """Four-step weights, if they are not there yet."""
    lessons, training, weights = out / "lessons", out / "student", out / "weights-student"
    if finished_network(training, weights, steps, studio.device) is not None:
        return
    make_lessons(studio, teacher, encoded, lessons)
    _publish(studio, train_student(studio, teacher, lessons, training), weights, training, is_student=True)


def _quiet(line: str) -> None:
    pass


def _publish(studio: Studio, network: MultiViewTransformer, weights: Path, training: Path, is_student: bool) -> None:
    """Write a folder of weights with its card."""
    figures = {"Reconstruction by the codec": f"{studio.codec_db:.1f} dB", "Machine": machine()}
    card = model_card(studio.file, training, figures, is_student)
    sampling = sampling_of(studio.file, is_student)
    write_weights_folder(weights, network, studio.codec, studio.text, sampling, card)


def _furnished(
    file: TrainFile, base: Path, out: Path, sets: ClipSets, device: torch.device, deadline: Deadline
) -> Studio:
    """Codec and words to train with, and clips to look at."""
    from models.conditions import ConditionText

    deadline.require("the codec is next")
    start = None if file.network.start is None else base / file.network.start
    codec = _codec(file, sets, out, start).to(device)
    text = ConditionText() if start is None else ConditionText.load(start / "text")
    unseen = [read() for _, read in sets.unseen]
    return Studio(file, codec, text, device, start, unseen, reconstruction_db(codec, unseen), deadline)


def _claim(file: TrainFile, out: Path) -> None:
    """Write down what is asked for; refuse a folder where something else was begun."""
    wanted, path = file.model_dump(mode="json"), out / RECORD_FILE
    if path.is_file():
        try:
            there: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DatasetError(f"{path}: is not JSON: {error}. Choose another -o") from error
        changed = _changes({name: there.get(name) for name in _FIXED}, {name: wanted[name] for name in _FIXED})
        if changed:
            raise DatasetError(
                f"{out}: holds a training that was begun with {', '.join(changed)}. "
                "Go on with what it was, or choose another -o"
            )
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, wanted)


def _changes(before: Any, now: Any, name: str = "") -> list[str]:
    """Fields that differ: what they were, and what they are to be."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys([*before, *now])
        return [one for key in keys for one in _changes(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))]
    return [] if before == now else [f"{name} {before} and is {now} now"]


def _codec(file: TrainFile, sets: ClipSets, out: Path, start: Path | None) -> SmallCodec:
    """The codec of the weights to start from, the one made before, or a new one."""
    from models.small_codec import SmallCodecConfig, load_small_codec, save_small_codec
    from models.training.codec import fit_codec

    folder = out / "codec" if start is None else start / "codec"
    if folder.is_dir():
        return load_small_codec(folder)
    wanted = file.codec
    config = SmallCodecConfig(wanted.latent_channels, wanted.width, wanted.blocks, wanted.fine_width)
    with training_bar("Training the codec", wanted.steps) as show:
        codec = fit_codec(
            films(sets.seen, wanted.clips, control=False),
            config,
            steps=wanted.steps,
            seed=file.seed,
            controls=films(sets.seen, wanted.clips, control=True),
            progress=lambda step, loss: show(step, f"loss {loss:.4f}"),
        )
    save_small_codec(codec, folder)
    return codec
