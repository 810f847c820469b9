"""The network of a training: from encoded clips to averaged weights, and from those to a student."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bars import duration_in_words, training_bar
from .clips import TrainingClip
from .deadline import Deadline, TimeUpError
from .loading import network_config
from .samples import write_sample_grids
from .schema import LearningRateFile, TrainFile, TrainingFile

if TYPE_CHECKING:
    import torch

    from models.conditions import ConditionText
    from models.sampling import Sampling
    from models.small_codec import SmallCodec
    from models.training.logs import Callbacks, StepReport
    from models.training.trainer import Trainer, TrainingSettings
    from models.transformer import MultiViewTransformer


@dataclass(frozen=True, eq=False)
class Studio:
    """Everything a network is trained with.

    file: what was asked for. device: where. start: a folder of weights to start from. unseen: clips for samples.
    codec_db: how well the codec reconstructs those.
    """

    file: TrainFile
    codec: SmallCodec
    text: ConditionText
    device: torch.device
    start: Path | None
    unseen: Sequence[TrainingClip]
    codec_db: float
    deadline: Deadline


def finished_network(folder: Path, weights: Path, steps: int, device: torch.device) -> MultiViewTransformer | None:
    """The network in a folder of weights, if the training in ``folder`` went through all its steps; else None."""
    import torch

    from models.checkpoint import load_transformer
    from models.training.checkpoints import Checkpoints

    done = Checkpoints(folder / "checkpoints").steps()[-1:] == [steps]
    if not done or not (weights / "transformer").is_dir():
        return None
    return load_transformer(weights / "transformer", torch.float32, device)


def train_network(studio: Studio, encoded: Path, folder: Path, fps: float) -> MultiViewTransformer:
    """The averaged network after all steps; a training found in the folder is taken up."""
    from models.training.examples import Crop, ExampleFolder
    from models.training.objective import FlowObjective
    from models.training.trainer import Trainer

    wanted = studio.file.training
    identity = {"codec": studio.codec.identity(), "text": studio.text.identity()}
    source = ExampleFolder(encoded, Crop(wanted.views, wanted.latent_frames), identity)
    objective = FlowObjective(
        wanted.shift,
        wanted.known_frames,
        wanted.text_dropout,
        wanted.word_dropout,
        wanted.control_dropout,
        studio.text.unsaid,
    )
    return _run(
        studio,
        "network",
        folder,
        wanted.steps,
        lambda callbacks: Trainer(
            _network(studio, fps), source, _settings(studio, wanted), folder, objective=objective, callbacks=callbacks
        ),
    )


def make_lessons(studio: Studio, teacher: MultiViewTransformer, encoded: Path, folder: Path) -> None:
    """Clips that the trained network makes of random noise, for a student to learn from."""
    import torch

    from models.sampling import Sampling
    from models.training.distill import Teacher, write_teacher_clips
    from models.training.examples import ExampleFolder

    wanted = studio.file.distil
    assert wanted is not None
    if studio.device.type == "cuda":
        teacher = _copy(teacher).to(torch.bfloat16)
    kind = Teacher(
        Sampling(wanted.teacher_steps, wanted.guidance, shift=studio.file.training.shift), seed=studio.file.seed
    )
    with training_bar("Clips of the teacher", wanted.clips) as show:

        def advance(done: int) -> None:
            show(done, "")
            if done < wanted.clips:
                studio.deadline.require(f"{done} of {wanted.clips} clips of the teacher are in {folder}")

        batch = studio.file.training.batch
        write_teacher_clips(teacher, ExampleFolder(encoded), folder, wanted.clips, kind, batch, advance)


def train_student(studio: Studio, teacher: MultiViewTransformer, lessons: Path, folder: Path) -> MultiViewTransformer:
    """The averaged student after all steps; it begins as a copy of its teacher."""
    from models.training.distill import StudentObjective
    from models.training.examples import ExampleFolder
    from models.training.trainer import Trainer

    wanted = studio.file.distil
    assert wanted is not None
    changes = {"parts": "full", "steps": wanted.steps, "learning_rate": wanted.learning_rate}
    settings = _settings(studio, studio.file.training.model_copy(update=changes))
    return _run(
        studio,
        "student",
        folder,
        wanted.steps,
        lambda callbacks: Trainer(
            _copy(teacher),
            ExampleFolder(lessons),
            settings,
            folder,
            objective=StudentObjective(wanted.own_states),
            callbacks=callbacks,
        ),
    )


def _run(
    studio: Studio, what: str, folder: Path, steps: int, make: Callable[[Callbacks], Trainer]
) -> MultiViewTransformer:
    """Train to the end, or to the deadline, with a bar and samples."""
    from models.training.logs import Callbacks, TensorBoard

    samples = studio.file.samples
    curves = TensorBoard(folder / "tensorboard")
    with training_bar(f"Training the {what}", steps) as show:

        def on_step(report: StepReport) -> None:
            left = duration_in_words(report.seconds_left)
            curves(report)
            show(report.step, f"loss {report.loss:.4f}  {report.tokens_per_s:,.0f} tokens/s  {left} left")
            if report.step < report.steps:
                studio.deadline.require(f"step {report.step} of {report.steps} of the {what} is done")

        def on_samples(step: int, transformer: MultiViewTransformer) -> None:
            _write_samples(studio, transformer, folder / "samples", step, what == "student")

        trainer = make(Callbacks(on_step, on_samples=on_samples, samples_every=samples.every))
        try:
            trainer.run()
        except TimeUpError:
            trainer.save()
            raise
    return trainer.averaged()


def _write_samples(
    studio: Studio, transformer: MultiViewTransformer, folder: Path, step: int, is_student: bool
) -> None:
    from models.generator import MultiViewGenerator

    generator = MultiViewGenerator(transformer, studio.codec, studio.text)
    write_sample_grids(generator, studio.unseen, sampling_of(studio.file, is_student), folder, f"step-{step:08d}")


def sampling_of(file: TrainFile, is_student: bool) -> Sampling:
    """How the weights of a training are best sampled."""
    from models.sampling import STUDENT_STEPS, Sampling

    if is_student:
        return Sampling(STUDENT_STEPS, 0.0, sampler="student")
    return Sampling(file.samples.steps, file.samples.guidance, shift=file.training.shift)


def _network(studio: Studio, fps: float) -> MultiViewTransformer:
    """The network to train, on its device: the one to start from, or one whose weights the trainer draws."""
    import torch

    from models.checkpoint import load_transformer
    from models.transformer import MultiViewTransformer

    if studio.start is not None:
        return load_transformer(studio.start / "transformer", torch.float32, studio.device)
    config = network_config(studio.file, studio.codec.latent_channels, studio.text.channels, fps)
    with torch.random.fork_rng(devices=[]):
        return MultiViewTransformer(config).to(studio.device)


def _copy(transformer: MultiViewTransformer) -> MultiViewTransformer:
    from copy import deepcopy

    return deepcopy(transformer).float()


def _settings(studio: Studio, wanted: TrainingFile) -> TrainingSettings:
    from models.training.lora import Lora
    from models.training.optimise import Average
    from models.training.trainer import TrainingSettings

    precision: Any = wanted.precision
    if precision == "auto":
        precision = "bf16" if studio.device.type == "cuda" else "fp32"
    return TrainingSettings(
        steps=wanted.steps,
        batch=wanted.batch,
        accumulate=wanted.accumulate,
        parts=wanted.parts,
        lora=Lora(wanted.lora.rank, wanted.lora.alpha),
        learning_rate=_learning_rate(wanted.learning_rate),
        betas=wanted.betas,
        weight_decay=wanted.weight_decay,
        gradient_clip=wanted.gradient_clip,
        average=Average(wanted.average.kind, wanted.average.value),
        precision=precision,
        recompute=wanted.recompute,
        compile=wanted.compile,
        seed=studio.file.seed,
        checkpoint_every=wanted.checkpoint_every,
        keep=wanted.keep,
    )


def _learning_rate(wanted: LearningRateFile) -> Any:
    from models.training.optimise import LearningRate

    return LearningRate(wanted.peak, wanted.warm_up, wanted.decay, wanted.last)
