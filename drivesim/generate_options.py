"""What the generate command takes: options with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class CaptionChoice(StrEnum):
    """How one caption is laid over the views."""

    OFFICIAL = "official"
    TRAINING = "training"


class FitChoice(StrEnum):
    """How cameras of another shape fill the picture."""

    STRETCH = "stretch"
    CROP = "crop"


class HandOverChoice(StrEnum):
    """How a chunk is continued by the next."""

    PIXELS = "pixels"
    LATENTS = "latents"


class AttentionChoice(StrEnum):
    """Attention kernels."""

    AUTO = "auto"
    INT8 = "int8"


class DtypeChoice(StrEnum):
    """Number formats of the network."""

    AUTO = "auto"
    BF16 = "bf16"
    FP32 = "fp32"


Source = Annotated[
    Path,
    typer.Argument(
        metavar="SCENE",
        help="Folder of a log or scene; or a .json or .jsonl specification of Cosmos-Transfer2.5 multi-view.",
    ),
]
WeightsOption = Annotated[
    Path | None, typer.Option("--weights", metavar="FOLDER", help="Weights, laid out as data/README.md says.")
]
EchoOption = Annotated[
    bool, typer.Option("--echo", help="Dry run without weights: the control videos take the place of the result.")
]
PromptOption = Annotated[str | None, typer.Option("--prompt", metavar="TEXT", help="The caption of the clip.")]
PromptsOption = Annotated[
    Path | None,
    typer.Option("--prompts", metavar="FILE", help="YAML: a caption, a prompt per camera, or some for every chunk."),
]
NegativePromptOption = Annotated[
    str | None, typer.Option("--negative-prompt", metavar="TEXT", help="What guidance leads away from.")
]
CaptionModeOption = Annotated[
    CaptionChoice, typer.Option("--caption-mode", help="How a caption is laid over the views.")
]
ModelFpsOption = Annotated[
    float | None, typer.Option("--fps", metavar="NUMBER", help="By default what the weights were trained on.")
]
ModelSizeOption = Annotated[
    str | None, typer.Option("--size", metavar="WIDTHxHEIGHT", help="By default what the weights were trained on.")
]
LengthOption = Annotated[
    float | None, typer.Option("--seconds", metavar="SECONDS", help="Length; by default one pass of the network.")
]
FitOption = Annotated[FitChoice, typer.Option("--fit", help="Cameras of another shape are stretched, or cut.")]
KnownOption = Annotated[
    int, typer.Option("--known", metavar="FRAMES", min=0, help="Begin with so many recorded pictures: 0, 1, 5, 9 ...")
]
ControlsOption = Annotated[bool, typer.Option("--controls", help="Store the control videos too.")]
ReplaceOption = Annotated[bool, typer.Option("--overwrite", help="Replace a clip that is there.")]

SeedOption = Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, max=2**32 - 1, help="Of the noise.")]
StepsOption = Annotated[
    int | None, typer.Option("--steps", metavar="NUMBER", min=1, help="By default what the weights say, else 35.")
]
GuidanceOption = Annotated[
    float | None,
    typer.Option("--guidance", metavar="NUMBER", help="By default what the weights say, else 3; 0 halves the time."),
]
ControlWeightOption = Annotated[
    float,
    typer.Option("--control-weight", metavar="0..1", help="How much the control videos count."),
]
StudentOption = Annotated[
    bool,
    typer.Option("--student", help="For weights distilled to 4 steps without guidance."),
]

OverlapOption = Annotated[
    int,
    typer.Option("--overlap", metavar="FRAMES", min=0, help="Frames that chunks share: 0 or 4k+1."),
]
ChunkOption = Annotated[
    int | None,
    typer.Option("--chunk", metavar="FRAMES", min=1, help="Frames of one pass, by default as trained."),
]
HandOverOption = Annotated[
    HandOverChoice,
    typer.Option("--hand-over", help="A chunk goes on from pixels, or from latents."),
]
KeepColoursOption = Annotated[
    bool,
    typer.Option("--keep-colours", help="Against drift: later chunks get the first one's colours."),
]

DeviceOption = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N.")]
DtypeOption = Annotated[DtypeChoice, typer.Option("--dtype", help="auto is bf16 on a GPU, fp32 on a CPU.")]
CompileOption = Annotated[bool, typer.Option("--compile", help="Compile the network: a minute or two once.")]
TextCacheOption = Annotated[
    Path | None,
    typer.Option(
        "--text-cache", metavar="FOLDER", help="Where embeddings are kept, by default text_cache in the weights."
    ),
]
AllowPickleOption = Annotated[
    bool,
    typer.Option("--allow-pickle", help="Run code that .pt files may hold. Only for files you trust."),
]

GuideSpanOption = Annotated[
    str | None,
    typer.Option(
        "--guide-span",
        metavar="FROM:TO",
        help="Guide only on this part of the way, 0:1 being all of it: saves a pass on the rest; prompts count less.",
    ),
]
ReuseOption = Annotated[
    float | None,
    typer.Option(
        "--reuse",
        metavar="NUMBER",
        help="Reuse features of the last step while they change by less, such as 0.1: fine detail suffers first.",
    ),
]
AttentionOption = Annotated[
    AttentionChoice,
    typer.Option("--attention", help="int8 rounds queries and keys to 8 bits, with sageattention on a GPU."),
]
TiledCodecOption = Annotated[
    bool,
    typer.Option("--tiled-codec", help="Decode in tiles: a sixth of the memory, visible seams."),
]


def parse_span(text: str | None) -> tuple[float, float]:
    """``FROM:TO`` as two numbers from 0 to 1; all of the way without."""
    if text is None:
        return 0.0, 1.0
    try:
        low, high = map(float, text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not FROM:TO, such as 0:0.6", param_hint="--guide-span") from error
    return low, high
