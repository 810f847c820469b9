"""``drivesim dataset``: clips with exact labels in one folder, checked and counted."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import ClipOption, CorrectedOption, Kind, KindOption, SetOption


class LidarChoice(StrEnum):
    """Sensors whose returns can be counted."""

    NONE = "none"
    BEAMS_32 = "32-beams"
    BEAMS_64 = "64-beams"


app = typer.Typer(
    name="dataset",
    help="Collect clips with exact labels, check, count.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DatasetFolder = Annotated[Path, typer.Argument(metavar="DATASET", help="The folder of the data set.")]


@app.command()
def add(
    dataset: DatasetFolder,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A clip of drivesim generate or world: OUT/CLIP.")],
    log: Annotated[
        Path, typer.Option("--log", metavar="LOG", help="The log, scene or scenario that the clip was made from.")
    ],
    kind: KindOption = None,
    clip: ClipOption = None,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of the clip in the data set; by default its own.")
    ] = None,
    lidar: Annotated[
        LidarChoice, typer.Option("--lidar", help="Count the returns of such a sensor, by ray casting.")
    ] = LidarChoice.BEAMS_32,
    ground: Annotated[
        bool, typer.Option("--ground", help="Let the ground hide what is behind, for maps with true heights.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Share the files' bytes with the clip's folder instead of copying.")
    ] = False,
) -> None:
    """Label a clip and put it into a data set, which is made with its first clip."""
    from render.lidar import LIDAR_32, LIDAR_64

    from . import console
    from .dataset.finished_clip import open_clip
    from .dataset.store import AddSettings, add_clip
    from .sources import is_scenario_file, load_scene

    frames = int(open_clip(folder).description["frames"])
    scenario = None
    if is_scenario_file(log):
        from .scenario.loading import load_scenario

        scenario = load_scenario(log, changes or ()).file.model_dump(mode="json")
    with console.working(f"Reading {log}"):
        scene = load_scene(log, kind=_word(kind), clip=clip, corrected=corrected, changes=changes or ())
    sensor = {LidarChoice.NONE: None, LidarChoice.BEAMS_32: LIDAR_32, LidarChoice.BEAMS_64: LIDAR_64}[lidar]
    settings = AddSettings(name, sensor, ground, link, scenario)
    with console.progress(f"Labelling {frames} frames", frames) as advance:
        stored = add_clip(dataset, folder, scene, settings, advance)
    console.out.print(f"{stored.folder}: {'added' if stored.is_new else 'there already'}")


@app.command()
def check(dataset: DatasetFolder) -> None:
    """Read every byte of a data set and say what is wrong; exit code 1 if anything is."""
    from . import console
    from .dataset.store import CLIPS_FOLDER, check_dataset

    count = len(list((dataset / CLIPS_FOLDER).iterdir())) if (dataset / CLIPS_FOLDER).is_dir() else 0
    with console.progress(f"Checking {dataset}", count) as advance:
        faults = check_dataset(dataset, advance)
    for fault in faults:
        console.out.print(fault)
    if faults:
        raise typer.Exit(1)
    console.out.print(f"{dataset}: {count} clip{'' if count == 1 else 's'}, all whole")


@app.command()
def stats(dataset: DatasetFolder) -> None:
    """Count clips, and boxes by class, range and visibility."""
    from . import console
    from .dataset.boxes import VISIBILITY
    from .dataset.stats import Stats, count_clip, range_names
    from .dataset.store import clips_in

    counted = Stats()
    for clip in clips_in(dataset):
        count_clip(counted, clip)
    console.out.print(
        f"{dataset}: clips {counted.clips}, frames {counted.frames}, pictures {counted.pictures}, "
        f"seconds {counted.seconds:.1f}"
    )
    classes = sorted(counted.tracks)
    rows = [[word, str(counted.tracks[word]), *_cells(counted.boxes, word, len(range_names()))] for word in classes]
    console.table("Boxes by distance", ["class", "tracks", *range_names()], rows)
    rows = [[word, *_cells(counted.visible, word, len(VISIBILITY))] for word in classes]
    console.table("Boxes by what all views show", ["class", *VISIBILITY], rows)
    rows = [[word or "none", str(number)] for word, number in sorted(counted.doing.items())]
    console.table("Boxes by attribute", ["attribute", "boxes"], rows)
    rows = [[look, str(number)] for look, number in sorted(counted.looks.items())]
    console.table("Clips by look", ["weather, time of day", "clips"], rows)


def _word(kind: Kind | None) -> str | None:
    return kind.value if kind else None


def _cells(counts: dict[tuple[str, int], int], word: str, columns: int) -> list[str]:
    return [str(counts.get((word, column), 0)) for column in range(columns)]
