"""What the commands take: options with their help, and the little languages of their values."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .pipeline import FrameRange


class Kind(StrEnum):
    """Formats that can be read."""

    ARGOVERSE2 = "argoverse2"
    CLIPGT = "clipgt"
    NUSCENES = "nuscenes"
    RDS_HQ = "rds-hq"
    SCENARIONET = "scenarionet"


class PaletteChoice(StrEnum):
    """Looks of control videos."""

    WORLD_SCENARIO = "world-scenario"
    HDMAP_V1 = "hdmap-v1"


Log = Annotated[
    Path,
    typer.Argument(metavar="LOG", help="Folder of a log or scene, a ScenarioNet file, or a scenario: file or name."),
]
Out = Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Where to write.")]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="Format of the log; by default found from its files.")]
ClipOption = Annotated[
    str | None, typer.Option("--clip", metavar="NAME", help="Which clip or scene, where the folder holds several.")
]
RigOption = Annotated[
    str | None,
    typer.Option("--rig", metavar="RIG", help="Film with these cameras: a built-in rig (see rigs) or a YAML file."),
]
CamerasOption = Annotated[
    str | None, typer.Option("--cameras", metavar="A,B,...", help="Only these cameras, in this order.")
]
FpsOption = Annotated[
    float | None,
    typer.Option(
        "--fps",
        metavar="NUMBER",
        help="Frames per second; the model's is 10. By default the instants the log's cameras recorded, else 30.",
    ),
]
FramesOption = Annotated[
    str | None, typer.Option("--frames", metavar="FIRST:STOP", help="Frame numbers, such as 0:29 for the first 29.")
]
StartOption = Annotated[
    float, typer.Option("--start", metavar="SECONDS", help="Where to begin, in seconds after the first frame.")
]
SecondsOption = Annotated[
    float | None, typer.Option("--seconds", metavar="SECONDS", help="Length; by default to the end of the log.")
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="WIDTHxHEIGHT",
        help="Of every picture; by default each camera's own shape, as large as fits into 1280x720.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change a value of a scenario: actors[0].behaviour.gap_m=5. Repeatable."
    ),
]
CorrectedOption = Annotated[
    bool, typer.Option("--corrected", help="Apply the calibration corrections that a clipgt rig may hold.")
]
PaletteOption = Annotated[PaletteChoice, typer.Option("--palette", help="Look of the control videos.")]


def split_names(text: str) -> tuple[str, ...]:
    """``A,B,...`` as names."""
    return tuple(name.strip() for name in text.split(","))


def parse_size(text: str | None) -> tuple[int, int] | None:
    """``WIDTHxHEIGHT`` as two numbers."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not WIDTHxHEIGHT, such as 1280x720", param_hint="--size")
    return int(found[1]), int(found[2])


def parse_frame_range(fps: float | None, numbers: str | None, start_s: float, seconds: float | None) -> FrameRange:
    """``FIRST:STOP``, or a start and a length in seconds."""
    from .pipeline import FrameRange

    if numbers is None:
        return FrameRange(fps, start_s, seconds)
    found = re.fullmatch(r"([0-9]{0,9}):([0-9]{0,9})", numbers)
    if found is None:
        raise typer.BadParameter(f"{numbers!r} is not FIRST:STOP, such as 0:29", param_hint="--frames")
    first, stop = (int(part) if part else None for part in found.groups())
    return FrameRange(fps, start_s, seconds, first or 0, stop)
