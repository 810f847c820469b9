"""The command line. Every command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .dataset_cli import app as dataset_app
from .generate_cli import generate
from .options import (
    CamerasOption,
    ClipOption,
    CorrectedOption,
    FpsOption,
    FramesOption,
    Kind,
    KindOption,
    Log,
    Out,
    PaletteChoice,
    PaletteOption,
    RigOption,
    SecondsOption,
    SetOption,
    SizeOption,
    StartOption,
    parse_frame_range,
    parse_size,
    split_names,
)
from .quality_cli import quality
from .scenario_cli import app as scenario_app
from .train_cli import train
from .weights_cli import app as weights_app
from .world_cli import world

if TYPE_CHECKING:
    from scenegraph import Scene


class _InterruptedError(Exception):
    """Ctrl-C; typer would end the program without a word."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise _InterruptedError from error


app = typer.Typer(
    cls=_Commands,
    name="drivesim",
    help="Multi-view driving data: a recorded log in, synchronised surround-camera videos out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"drivesim {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def info(
    path: Log,
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    corrected: CorrectedOption = False,
) -> None:
    """Say what a log holds."""
    from collections import Counter

    from . import console

    scene = _load(path, kind, clip, rig, corrected=corrected)
    console.out.print(f"{scene.clip_id}: {_summary(scene)}")
    timing = "30 per second" if scene.frame_timestamps_us is None else "as recorded by its cameras"
    console.out.print(f"  frames: {len(scene.frame_times_us())}, {timing}")
    for key, value in scene.source.items():
        console.out.print(f"  {key}: {value}")
    console.table("Map", ["layer", "elements"], [[name, str(count)] for name, count in scene.hdmap.counts().items()])
    classes = Counter(str(actor.category) for actor in scene.actors)
    console.table("Actors", ["class", "tracks"], [[name, str(count)] for name, count in sorted(classes.items())])
    rows = [
        [str(view), c.name, type(c.lens).__name__, f"{c.width_px}x{c.height_px}", _views(row)]
        for view, (c, row) in enumerate(zip(scene.rig, scene.rig.neighbours(), strict=True))
    ]
    console.table("Cameras", ["view", "name", "lens", "size", "overlaps views"], rows)


@app.command()
def render(
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
    palette: PaletteOption = PaletteChoice.WORLD_SCENARIO,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            metavar="A,B,...",
            help="Draw only these of road_boundaries, stop_lines, lane_lines, poles, crosswalks, road_markings, "
            "traffic_signs, traffic_lights, actors.",
        ),
    ] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Videos that keep every bit (H.264 in RGB).")] = False,
    png: Annotated[bool, typer.Option("--png", help="Numbered PNG files instead of videos.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="NUMBER", min=1, help="Cameras drawn at once; by default one per core."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace control videos that are there.")] = False,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
) -> None:
    """Draw one control video per camera: FOLDER/CLIP/CAMERA.mp4."""
    from render.palette import LAYERS

    from . import console, pipeline

    wanted, size_px = parse_frame_range(fps, frames, start, seconds), parse_size(size)
    scene = _load(path, kind, clip, rig, cameras, films=True, corrected=corrected, changes=changes)
    result = pipeline.control_videos(
        scene,
        out,
        frames=wanted,
        size=size_px,
        palette=palette.value,
        layers=LAYERS if layers is None else split_names(layers),
        lossless=lossless,
        png=png,
        workers=workers,
        overwrite=overwrite,
    )
    what = "picture folder" if png else "control video"
    console.out.print(_result(result.folder, _many(len(result.outputs), what), result.frames, result.kept))


app.command()(generate)
app.command()(world)
app.command()(train)
app.command()(quality)


@app.command()
def preview(
    path: Log,
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", metavar="FILE", help="An .mp4, or a .png of the first frame; with --overlay also a folder."
        ),
    ] = Path("preview.mp4"),
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    cameras: CamerasOption = None,
    fps: FpsOption = None,
    frames: FramesOption = None,
    start: StartOption = 0.0,
    seconds: SecondsOption = None,
    palette: PaletteOption = PaletteChoice.WORLD_SCENARIO,
    overlay: Annotated[bool, typer.Option("--overlay", help="Draw on the pictures recorded with the log.")] = False,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
) -> None:
    """Show all cameras and a bird's-eye view in one video."""
    from . import console
    from .previewing import require_preview_name, write_overlays, write_preview
    from .sources import recorded_pictures

    require_preview_name(out, overlay)
    wanted = parse_frame_range(fps, frames, start, seconds)
    scene = _load(path, kind, clip, rig, cameras, films=True, corrected=corrected, changes=changes)
    photos = recorded_pictures(path, scene, kind=kind.value if kind else None, clip=clip) if overlay else None
    if photos is not None and not out.suffix:
        count = write_overlays(scene, out, photos, frames=wanted, palette=palette.value)
        console.out.print(f"{out}: {_many(count, 'picture')}, one per camera")
        return
    count = write_preview(scene, out, frames=wanted, palette=palette.value, photos=photos)
    console.out.print(f"{out}: {_many(count, 'frame')} of {_many(len(scene.rig), 'camera')}")


app.add_typer(dataset_app, name="dataset")
app.add_typer(scenario_app, name="scenario")
app.add_typer(weights_app, name="weights")


@app.command("import")
def import_log(
    kind: Annotated[Kind, typer.Argument(help="Format of the log.")],
    path: Log,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="The scene folder to write.")],
    clip: ClipOption = None,
    rig: RigOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a scene folder that is there.")] = False,
    corrected: CorrectedOption = False,
) -> None:
    """Convert a log to a scene folder (ClipGT parquet)."""
    from scenegraph.formats.clipgt import write_clipgt

    from . import console
    from .sources import require_free

    if not overwrite:
        require_free(out)
    scene = _load(path, kind, clip, rig, corrected=corrected)
    with console.working(f"Writing {out}"):
        write_clipgt(scene, out, overwrite=overwrite)
    console.out.print(f"{out}: {_summary(scene)}")


@app.command()
def rigs() -> None:
    """List the built-in camera rigs."""
    from . import console
    from .paths import built_in_configs
    from .rigs import load_rig

    rows = []
    for name, file in built_in_configs("rigs").items():
        rig = load_rig(file)
        sizes = sorted({f"{c.width_px}x{c.height_px}" for c in rig})
        lenses = sorted({type(c.lens).__name__ for c in rig})
        rows.append([name, str(len(rig)), ", ".join(lenses), ", ".join(sizes), ", ".join(rig.names)])
    console.table("Rigs", ["name", "cameras", "lens", "sizes", "views"], rows)


@app.command()
def demo(
    out: Out = Path("out/demo"),
    log: Annotated[
        Path | None,
        typer.Option(
            "--log", metavar="LOG", envvar="DRIVESIM_DEMO_LOG", help="A log to film; by default a built-in crossing."
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="SECONDS", help="Length; by default 5, less for a shorter log.")
    ] = None,
    size: SizeOption = None,
) -> None:
    """Make control videos and a preview of a log or a built-in scene."""
    from .demo import run_demo

    run_demo(out, log, seconds, parse_size(size))


def main() -> None:
    """Entry point: what a person can mend becomes one tidy message and exit code 2; a bug keeps its traceback."""
    try:
        app()
    except _InterruptedError:
        from . import console

        console.print_error("stopped. What was finished stays, nothing half-written is left.")
        sys.exit(130)
    except Exception as error:
        message = _complaint(error)
        if message is None:
            raise
        from . import console

        console.print_error(message)
        sys.exit(2)


_TROUBLE_OUTSIDE = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENFILE,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
    }
)
"""What the system may answer to a program without mistakes: disk full, no permission, too many files."""


def _complaint(error: Exception) -> str | None:
    """The sentence for an error of ours or of the system; None for a bug."""
    if isinstance(error, OSError) and error.errno in _TROUBLE_OUTSIDE:
        return ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    from models.errors import ModelError
    from render.errors import RenderError
    from scenegraph.errors import SceneGraphError

    from .errors import DriveSimError

    ours = DriveSimError | ModelError | RenderError | SceneGraphError
    return str(error) if isinstance(error, ours) else None


def _load(
    path: Path,
    kind: Kind | None,
    clip: str | None,
    rig: str | None,
    cameras: str | None = None,
    films: bool = False,
    corrected: bool = False,
    changes: list[str] | None = None,
) -> Scene:
    """Read a log; with ``films`` it must have cameras."""
    from . import console
    from .sources import load_scene, load_scene_for_filming

    kind_name = kind.value if kind else None
    if films:
        names = None if cameras is None else split_names(cameras)
        return load_scene_for_filming(
            path, kind=kind_name, clip=clip, rig=rig, cameras=names, corrected=corrected, changes=changes or ()
        )
    with console.working(f"Reading {path}"):
        return load_scene(path, kind=kind_name, clip=clip, rig=rig, corrected=corrected)


def _summary(scene: Scene) -> str:
    counts = [
        _many(sum(scene.hdmap.counts().values()), "map element"),
        _many(len(scene.actors), "actor"),
        _many(len(scene.rig), "camera"),
    ]
    return f"{scene.duration_s:.1f} s, {', '.join(counts)}"


def _result(folder: Path, outputs: str, frames: int, kept: int) -> str:
    what = f"{folder}: {outputs} of {_many(frames, 'frame')}"
    if not kept:
        return what
    return f"{what}, all there already" if outputs.startswith(f"{kept} ") else f"{what}, {kept} of them there already"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _views(row: Any) -> str:
    return ", ".join(str(view) for view, is_neighbour in enumerate(row) if is_neighbour) or "none"
