"""The command that films the reference world: pictures of a scene with perfect labels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    CamerasOption,
    ClipOption,
    CorrectedOption,
    FpsOption,
    FramesOption,
    KindOption,
    Log,
    Out,
    RigOption,
    SecondsOption,
    SetOption,
    SizeOption,
    StartOption,
    parse_frame_range,
    parse_size,
    split_names,
)


class WeatherChoice(StrEnum):
    """Words of scenarios."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    OVERCAST = "overcast"
    RAIN = "rain"
    HEAVY_RAIN = "heavy_rain"
    FOG = "fog"
    SNOW = "snow"


class TimeChoice(StrEnum):
    """Words of scenarios."""

    DAWN = "dawn"
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    DUSK = "dusk"
    NIGHT = "night"


class SeasonChoice(StrEnum):
    """Words of scenarios."""

    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


class PlaceChoice(StrEnum):
    """Words of scenarios."""

    CITY = "city"
    TOWN = "town"
    VILLAGE = "village"
    SUBURB = "suburb"
    MOTORWAY = "motorway"
    COUNTRY_ROAD = "country_road"
    INDUSTRIAL_AREA = "industrial_area"


def world(
    path: Log,
    out: Out = Path("out"),
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    cameras: CamerasOption = None,
    fps: FpsOption = None,
    frames: FramesOption = None,
    start: StartOption = 0.0,
    seconds: SecondsOption = None,
    size: SizeOption = None,
    weather: Annotated[
        WeatherChoice | None, typer.Option("--weather", help="By default the scenario's, for a log clear.")
    ] = None,
    time_of_day: Annotated[
        TimeChoice | None, typer.Option("--time-of-day", help="By default the scenario's, for a log noon.")
    ] = None,
    season: Annotated[SeasonChoice | None, typer.Option("--season", help="By default the scenario's.")] = None,
    place: Annotated[
        PlaceChoice | None, typer.Option("--place", help="What stands beside the road; by default the scenario's.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="NUMBER", min=0, max=2**32 - 1, help="Of houses, trees, colours and faces."),
    ] = None,
    depth: Annotated[
        bool, typer.Option("--depth/--no-depth", help="Distances as PNG, 16 bits, metres times 256.")
    ] = True,
    masks: Annotated[bool, typer.Option("--masks", help="Who and what is in every pixel, as PNG.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="NUMBER", min=1, help="Cameras filmed at once; by default one per core."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a clip that is there.")] = False,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
) -> None:
    """Film the reference world: pictures, depth and masks."""
    from . import console
    from .sources import load_scene_for_filming
    from .world_clips import write_world_clip
    from .world_job import conditions_of, world_job

    wanted, size_px = parse_frame_range(fps, frames, start, seconds), parse_size(size)
    words = {"weather": weather, "time_of_day": time_of_day, "season": season, "place": place}
    given = {name: None if word is None else word.value for name, word in words.items()}
    conditions, usual_seed = conditions_of(path, changes or [], given)
    scene = load_scene_for_filming(
        path,
        kind=kind.value if kind else None,
        clip=clip,
        rig=rig,
        cameras=None if cameras is None else split_names(cameras),
        corrected=corrected,
        changes=changes or (),
    )
    job = world_job(
        scene,
        conditions,
        seed=usual_seed if seed is None else seed,
        frames=wanted,
        size=size_px,
        depth=depth,
        masks=masks,
    )
    result = write_world_clip(job, out, workers=workers, overwrite=overwrite)
    console.out.print(_said(result.folder, len(result.outputs), result.frames, result.kept))


def _said(folder: Path, videos: int, frames: int, kept: int) -> str:
    what = f"{folder}: {videos} video{'s' if videos > 1 else ''} of {frames} frame{'s' if frames > 1 else ''}"
    if not kept:
        return what
    return f"{what}, all there already" if kept == videos else f"{what}, {kept} of them there already"
