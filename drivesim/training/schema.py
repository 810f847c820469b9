"""What a training file may hold: where the clips come from, and how codec and network are trained on them."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ..yaml_files import FieldError, FileModel

_Share = Annotated[float, Field(ge=0, le=1)]


class _DataFile(FileModel):
    """Size and length of all clips."""

    width_px: int = Field(256, ge=32, le=4096, multiple_of=16)
    height_px: int = Field(144, ge=32, le=4096, multiple_of=16)
    frames: int = Field(17, ge=5, le=505)

    @model_validator(mode="after")
    def _has_whole_latent_frames(self) -> Self:
        if self.frames % 4 != 1:
            raise FieldError(("frames",), f"must be 4k+1, such as 17, got {self.frames}")
        return self


class MadeData(_DataFile):
    """Random scenarios, filmed in the reference world."""

    kind: Literal["made"]
    count: int = Field(ge=1, le=1_000_000)
    first_seed: int = Field(0, ge=0, le=2_000_000_000)
    fps: PositiveFloat = 10.0
    maps: tuple[str, ...] = Field(
        (), description="OpenDRIVE files that a third of the scenarios are on, from the folder of the training file."
    )


class FolderData(_DataFile):
    """Clips that are there: a set made before, or the folders that the reference is post-trained on."""

    kind: Literal["folder"]
    path: str = Field(description="From the folder of the training file.")
    rig: str = Field("cosmos-ftheta-7", description="Where the cameras of the reference's folders look.")


DataFile: TypeAlias = Annotated[MadeData | FolderData, Field(discriminator="kind")]


class CodecFile(FileModel):
    """The small codec."""

    latent_channels: int = Field(32, ge=16, le=48)
    width: PositiveInt = 96
    blocks: PositiveInt = 4
    fine_width: PositiveInt = 48
    clips: PositiveInt = Field(150, description="How many of the clips it learns from.")
    steps: int = Field(2000, ge=0)


class NetworkFile(FileModel):
    """The network: a preset, with other values for some of its fields, or the one of a folder of weights."""

    preset: Literal["tiny"] = "tiny"
    overrides: dict[str, int | float | str | bool] = Field(default_factory=dict, description="Fields of its config.")
    start: str | None = Field(None, description="A folder of weights to start from, with its codec and words.")


class LearningRateFile(FileModel):
    """Rises to the peak over the warm-up, then falls to a part of it."""

    peak: PositiveFloat = 1e-3
    warm_up: int = Field(500, ge=0)
    decay: Literal["none", "linear", "cosine"] = "cosine"
    last: _Share = 0.05


class AverageFile(FileModel):
    """How the weights are averaged over the steps."""

    kind: Literal["constant", "power"] = "power"
    value: PositiveFloat = 0.1


class LoraFile(FileModel):
    """Of parts: lora."""

    rank: PositiveInt = 32
    alpha: PositiveFloat = 32.0


class TrainingFile(FileModel):
    """How the network is trained."""

    parts: Literal["scratch", "full", "control", "lora"] = "scratch"
    steps: PositiveInt = 10_000
    batch: PositiveInt = 2
    accumulate: PositiveInt = 1
    views: PositiveInt | None = Field(None, description="Of a clip per step, neighbours of each other; null for all.")
    latent_frames: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="The least and the most first latent frames of a clip per step; null for all."
    )
    shift: PositiveFloat = 3.0
    known_frames: tuple[_Share, ...] = Field((0.5, 0.25, 0.25), min_length=1)
    text_dropout: _Share = 0.1
    word_dropout: _Share = 0.1
    control_dropout: _Share = 0.0
    learning_rate: LearningRateFile = LearningRateFile()
    betas: tuple[_Share, _Share] = (0.9, 0.99)
    weight_decay: float = Field(0.01, ge=0)
    gradient_clip: PositiveFloat = 1.0
    average: AverageFile = AverageFile()
    lora: LoraFile = LoraFile()
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 on a GPU, else fp32.")
    recompute: bool = Field(False, description="Compute activations again backwards, for less memory.")
    compile: bool = False
    checkpoint_every: PositiveInt = 500
    keep: PositiveInt = 2

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if abs(sum(self.known_frames) - 1) > 1e-6:
            raise FieldError(("known_frames",), f"must sum to 1, got {sum(self.known_frames):g}")
        if self.latent_frames is not None and self.latent_frames[0] > self.latent_frames[1]:
            raise FieldError(("latent_frames",), "must rise: the least, then the most")
        return self


class SamplesFile(FileModel):
    """Clips that are generated on the way, from scenarios that the training never sees."""

    clips: int = Field(2, ge=1, le=64)
    every: PositiveInt = 2000
    steps: PositiveInt = 16
    guidance: float = Field(1.0, ge=0, le=100)


class DistilFile(FileModel):
    """A student that needs four steps: it learns from clips that the trained network makes of random noise."""

    clips: PositiveInt = 500
    teacher_steps: PositiveInt = 24
    guidance: float = Field(1.0, ge=0, le=100)
    steps: PositiveInt = 3000
    own_states: _Share = 0.75
    learning_rate: LearningRateFile = LearningRateFile(peak=3e-4, warm_up=100)


class TrainFile(FileModel):
    """One training, from clips to weights."""

    version: Literal[1]
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**32)
    data: DataFile
    codec: CodecFile = CodecFile()
    network: NetworkFile = NetworkFile()
    training: TrainingFile = TrainingFile()
    samples: SamplesFile = SamplesFile()
    distil: DistilFile | None = None
