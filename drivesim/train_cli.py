"""The command that trains weights: clips, codec, network, student, one after the other."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class StageChoice(StrEnum):
    """Stages of a training."""

    DATA = "data"
    CODEC = "codec"
    ENCODE = "encode"
    NETWORK = "network"
    WEIGHTS = "weights"


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file, or a built-in training: tiny.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Where everything goes.")],
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    max_minutes: Annotated[
        float | None,
        typer.Option("--max-minutes", metavar="NUMBER", min=0.0, help="Stop then; the same command goes on."),
    ] = None,
    until: Annotated[StageChoice, typer.Option("--until", help="The last stage to do.")] = StageChoice.WEIGHTS,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="NUMBER", min=1, help="Clips made at once; one per core.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the file: training.steps=500. Repeatable."),
    ] = None,
) -> None:
    """Train small weights; goes on where it was stopped."""
    from . import console
    from .training.deadline import Deadline, TimeUpError
    from .training.loading import load_train

    file, base = load_train(config, changes or ())
    _require_torch()
    from .training.stages import train as run

    deadline = Deadline.after(max_minutes)
    settings: dict[str, Any] = {"device": device, "deadline": deadline, "workers": workers, "until": until.value}
    try:
        run(file, base, out, say=console.out.print, **settings)
    except TimeUpError as stopped:
        console.out.print(f"stopped after {max_minutes:g} minutes: {stopped}. The same command goes on from there")


def _require_torch() -> None:
    from .errors import SourceError

    try:
        import diffusers  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise SourceError(f"training needs the package {error.name}: pip install 'drivesim[model]'") from error
