"""The command that says how well a clip follows its scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import ClipOption, CorrectedOption, KindOption, Log, RigOption, SetOption


def quality(
    path: Log,
    folder: Annotated[Path, typer.Argument(metavar="CLIP", help="Folder of a clip of drivesim generate or world.")],
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="CLIP", help="Another clip of the same scene, such as of drivesim world."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the figures as JSON.")] = None,
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    corrected: CorrectedOption = False,
    changes: SetOption = None,
) -> None:
    """Measure how well a clip follows its scene."""
    from .clip_folder import write_json
    from .console import working
    from .quality import as_json, clip_sight, measure, read_stored_clip, show, summarise
    from .sources import load_scene_for_filming

    scene = load_scene_for_filming(
        path, kind=kind.value if kind else None, clip=clip, rig=rig, corrected=corrected, changes=changes or ()
    )
    summaries = {}
    for where in (folder, *([against] if against else [])):
        with working(f"Measuring {where}"):
            stored = read_stored_clip(where, scene)
            sight = clip_sight(scene, stored.cameras)
            chunks = stored.chunks if len(stored.chunks) > 1 else ()
            summaries[str(where)] = summarise([measure(scene.clip_id, stored.frames, sight, chunks)])
    show(summaries)
    if out is not None:
        write_json(out, as_json(summaries))
