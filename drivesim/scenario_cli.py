"""``drivesim scenario``: whether a scene is sound, and what differs between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ClipOption, KindOption, Log, RigOption, split_names

if TYPE_CHECKING:
    from scenegraph import Scene

app = typer.Typer(
    name="scenario",
    help="Check a scene, compare two.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]

_FOUND_ERRORS = 3


@app.command()
def check(
    path: Log,
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="ACTOR", help="The actor that a camera must see.")
    ] = None,
    allow: Annotated[
        str | None, typer.Option("--allow", metavar="A,B,...", help="Kinds of finding that are meant to be.")
    ] = None,
    for_model: Annotated[
        bool, typer.Option("--model", help="Also what the released generator was not trained on.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong in a scene; exit code 3 if it has errors."""
    import json

    from models.request import Regime

    from . import console
    from .scenario.checks import as_dict, check_scene

    scene = _load(path, kind.value if kind else None, clip, rig)
    regime = Regime(known_views=7) if for_model else None
    with console.working("Checking"):
        findings = check_scene(scene, about=about, regime=regime, allow=split_names(allow) if allow else ())
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    if as_json:
        console.out.print(json.dumps([as_dict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            console.out.print(f"{finding.severity:7}  {finding.kind}: {finding.sentence}")
        console.out.print(
            f"{scene.clip_id}: {errors} errors, {warnings} warnings, {len(findings) - errors - warnings} notes"
        )
    raise typer.Exit(_FOUND_ERRORS if errors else 0)


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="Folder of a log or scene.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The one to compare it with.")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with both views from above.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two scenes, in terms of the world."""
    import json

    from scenegraph.publish import atomic_file

    from . import console
    from .scenario.diff import as_dict, diff_scenes, lines

    a, b = _load(first), _load(second)
    found = diff_scenes(a, b)
    if html is not None:
        from .scenario.diff_page import diff_page

        with console.working(f"Writing {html}"), atomic_file(html) as partial:
            partial.write_text(diff_page(a, b, found, str(first), str(second)), encoding="utf-8")
    if as_json:
        console.out.print(json.dumps(as_dict(found), indent=1))
        return
    for line in lines(found):
        console.out.print(line)


def _load(path: Path, kind: str | None = None, clip: str | None = None, rig: str | None = None) -> Scene:
    from . import console
    from .sources import load_scene

    with console.working(f"Reading {path}"):
        return load_scene(path, kind=kind, clip=clip, rig=rig)
