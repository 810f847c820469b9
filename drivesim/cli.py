"""The command line. Every command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="drivesim",
    help="Generates multi-view driving data: a recorded log in, synchronised surround-camera control videos out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    """Formats that can be read."""

    ARGOVERSE2 = "argoverse2"
    CLIPGT = "clipgt"
    NUSCENES = "nuscenes"
    RDS_HQ = "rds-hq"


class PaletteChoice(StrEnum):
    """Looks of control videos."""

    WORLD_SCENARIO = "world-scenario"
    HDMAP_V1 = "hdmap-v1"


Log = Annotated[Path, typer.Argument(help="Folder of a log or scene: argoverse2, clipgt, nuscenes or rds-hq.")]
Out = Annotated[Path, typer.Option("-o", "--out", help="Where to write.")]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="Format of the log; found from its files if left out.")]
ClipOption = Annotated[str | None, typer.Option("--clip", help="Which clip or scene, where the folder holds several.")]
RigOption = Annotated[str | None, typer.Option("--rig", help="Film with this rig: a built-in name or a YAML file.")]
CamerasOption = Annotated[str | None, typer.Option("--cameras", help="Only these cameras, separated by commas.")]
FpsOption = Annotated[float | None, typer.Option("--fps", help="Frames per second; the model's is 10. Default 30.")]
FramesOption = Annotated[str | None, typer.Option("--frames", help="Frame range FIRST:STOP, such as 0:29.")]
StartOption = Annotated[float, typer.Option("--start", help="Seconds after the first frame to begin at.")]
SecondsOption = Annotated[float | None, typer.Option("--seconds", help="Length in seconds; default to the end.")]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", help="WIDTHxHEIGHT of every picture; default each camera's shape within 1280x720."),
]
PaletteOption = Annotated[PaletteChoice, typer.Option("--palette", help="Look of the control videos.")]


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"drivesim {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


@app.command("import")
def import_log(
    kind: Annotated[Kind, typer.Argument(help="Format of the log.")],
    path: Log,
    out: Annotated[Path, typer.Option("-o", "--out", help="The scene folder to write.")],
    clip: ClipOption = None,
    rig: RigOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a scene folder that is there.")] = False,
) -> None:
    """Convert a log to a scene folder (ClipGT parquet, which NVIDIA's tools read too)."""
    from scenegraph.formats.clipgt import write_clipgt

    from . import console

    scene = _load(path, kind, clip, rig)
    with console.working(f"Writing {out}"):
        write_clipgt(scene, out, overwrite=overwrite)
    console.out.print(f"{out}: {_summary(scene)}")


@app.command()
def info(path: Log, kind: KindOption = None, clip: ClipOption = None, rig: RigOption = None) -> None:
    """Say what a log or scene holds."""
    from collections import Counter

    from . import console

    scene = _load(path, kind, clip, rig)
    console.out.print(f"{scene.clip_id}: {_summary(scene)}")
    for key, value in scene.source.items():
        console.out.print(f"  {key}: {value}")
    console.table("Map", ["layer", "elements"], [[name, str(count)] for name, count in scene.hdmap.counts().items()])
    classes = Counter(str(actor.category) for actor in scene.actors)
    console.table("Actors", ["class", "tracks"], [[name, str(count)] for name, count in sorted(classes.items())])
    links = scene.rig.neighbours() if len(scene.rig) else []
    rows = [
        [c.name, type(c.lens).__name__, f"{c.width_px}x{c.height_px}", ", ".join(_at(scene.rig.names, row)) or "none"]
        for c, row in zip(scene.rig, links, strict=True)
    ]
    console.table("Cameras", ["name", "lens", "size", "sees part of what these see"], rows)


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
    layers: Annotated[str | None, typer.Option("--layers", help="Only these layers, separated by commas.")] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help="Keep every bit (H.264 RGB).")] = False,
    png: Annotated[bool, typer.Option("--png", help="Numbered PNG files instead of videos.")] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Cameras drawn at once.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace control videos that are there.")] = False,
) -> None:
    """Draw one control video per camera: OUT/CLIP/CAMERA.mp4."""
    from render.palette import LAYERS

    from . import console, pipeline

    scene = _load(path, kind, clip, rig, cameras)
    wanted = pipeline.FrameRange(fps, start, seconds, *_frame_range(frames, start, seconds))
    result = pipeline.control_videos(
        scene,
        out,
        frames=wanted,
        size=_size(size),
        palette=palette.value,
        layers=tuple(layers.split(",")) if layers else LAYERS,
        lossless=lossless,
        png=png,
        workers=workers,
        overwrite=overwrite,
    )
    kept = f" ({result.kept} were there already)" if result.kept else ""
    console.out.print(f"{result.folder}: control videos of {len(result.outputs)} cameras{kept}")


@app.command()
def preview(
    path: Log,
    out: Annotated[Path, typer.Option("-o", "--out", help="An .mp4, or a .png of one frame.")] = Path("preview.mp4"),
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    cameras: CamerasOption = None,
    fps: FpsOption = None,
    frames: FramesOption = None,
    start: StartOption = 0.0,
    seconds: SecondsOption = None,
    palette: PaletteOption = PaletteChoice.WORLD_SCENARIO,
    overlay: Annotated[bool, typer.Option("--overlay", help="Draw on the log's recorded pictures.")] = False,
) -> None:
    """Make a picture to look at: all cameras around a bird's-eye view of map, boxes, path and camera frusta."""
    from . import console, pipeline
    from .previewing import write_preview

    scene = _load(path, kind, clip, rig, cameras)
    photos = None
    if overlay:
        from scenegraph.formats import detect_kind
        from scenegraph.formats.images import recorded_images

        photos = recorded_images(path, kind.value if kind else detect_kind(path), clip)
    wanted = pipeline.FrameRange(fps, start, seconds, *_frame_range(frames, start, seconds))
    write_preview(scene, out, frames=wanted, palette=palette.value, photos=photos)
    console.out.print(f"{out}: preview of {len(scene.rig)} cameras")


@app.command()
def rigs() -> None:
    """List the built-in camera rigs."""
    from . import console
    from .paths import built_in_configs
    from .rigs import resolve_rig

    rows = []
    for name, file in built_in_configs("rigs").items():
        rig = resolve_rig(file, {})
        sizes = sorted({f"{c.width_px}x{c.height_px}" for c in rig})
        rows.append([name, str(len(rig)), ", ".join(sorted({type(c.lens).__name__ for c in rig})), ", ".join(sizes)])
    console.table("Rigs", ["name", "cameras", "lens", "size"], rows)


@app.command()
def demo(
    out: Out = Path("out/demo"),
    log: Annotated[
        Path | None, typer.Option("--log", envvar="DRIVESIM_DEMO_LOG", help="A log to use, such as an Argoverse 2 one.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="Length in seconds.")] = 5.0,
    size: SizeOption = None,
) -> None:
    """The main job from start to end: a log (or a built-in scene) becomes control videos and a preview."""
    from .demo import run_demo

    run_demo(out, log, seconds, _size(size))


def main() -> None:
    """Entry point: our own errors become one tidy message and exit code 2; anything else keeps its traceback."""
    from .errors import DriveSimError

    try:
        app()
    except KeyboardInterrupt:
        from . import console

        console.print_error("stopped; nothing half-written was left")
        sys.exit(130)
    except (DriveSimError, ValueError) as error:
        if not _is_ours(error):
            raise
        from . import console

        console.print_error(str(error))
        sys.exit(2)


def _is_ours(error: Exception) -> bool:
    from .errors import DriveSimError

    if isinstance(error, DriveSimError):
        return True
    from render.errors import RenderError
    from scenegraph.errors import SceneGraphError

    return isinstance(error, RenderError | SceneGraphError)


def _load(path: Path, kind: Kind | None, clip: str | None, rig: str | None, cameras: str | None = None) -> Any:
    from . import console
    from .sources import load_scene

    with console.working(f"Reading {path}"):
        scene = load_scene(path, kind=kind.value if kind else None, clip=clip, rig=rig)
    if cameras is None:
        return scene
    return scene.with_rig(scene.rig.select([name.strip() for name in cameras.split(",")]))


def _summary(scene: Any) -> str:
    return (
        f"{scene.duration_s:.1f} s, {sum(scene.hdmap.counts().values())} map elements, "
        f"{len(scene.actors)} actors, {len(scene.rig)} cameras"
    )


def _at(names: tuple[str, ...], row: Any) -> list[str]:
    return [name for name, is_there in zip(names, row, strict=True) if is_there]


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise typer.BadParameter(f"--size {text}: expected WIDTHxHEIGHT, such as 1280x720")
    return int(width), int(height)


def _frame_range(text: str | None, start_s: float, seconds: float | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    if start_s or seconds is not None:
        raise typer.BadParameter("give --frames or --start and --seconds, not both")
    first, colon, stop = text.partition(":")
    if not colon or not all(part.isdigit() or part == "" for part in (first, stop)):
        raise typer.BadParameter(f"--frames {text}: expected FIRST:STOP, such as 0:29")
    return int(first or 0), int(stop) if stop else None
