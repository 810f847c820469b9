"""``drivesim scenario``: scenario files, whether a scene is sound, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ClipOption, KindOption, Log, RigOption, SetOption, split_names
from .spelling import counted

if TYPE_CHECKING:
    from scenegraph import Scene

app = typer.Typer(
    name="scenario",
    help="Write scenarios, check a scene, compare two.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A YAML file, or the name of a built-in scenario (see list).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]

_FOUND_ERRORS = 3


# -- scenario files ----------------------------------------------------------------------------------


@app.command("list")
def list_built_in() -> None:
    """List the built-in scenarios."""
    from . import console
    from .paths import built_in_configs
    from .scenario.loading import load_scenarios

    rows = []
    for name, file in built_in_configs("scenarios").items():
        scenarios = load_scenarios(file)
        said = scenarios[0].file
        rows.append([name, said.source.kind, f"{said.duration_s:g} s", str(len(scenarios)), said.description])
    console.table("Scenarios", ["name", "source", "length", "variations", "what happens"], rows)


@app.command()
def resolve(
    scenario: ScenarioArgument,
    changes: SetOption = None,
    names: Annotated[
        bool, typer.Option("--names", help="Only the names of what it makes, one per line, with a hash of all it says.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per scenario.")] = False,
) -> None:
    """Show what a scenario file says in full: parents, variables, variations and defaults filled in."""
    import json

    from .scenario.loading import load_scenarios
    from .scenario.writing import as_yaml

    for one in load_scenarios(scenario, changes or ()):
        if names:
            typer.echo(f"{one.name}  {one.digest}")
        elif as_json:
            said = {"name": one.name, "digest": one.digest, "variables": one.values, "content": one.content}
            typer.echo(json.dumps(said, allow_nan=False))
        else:
            typer.echo(f"--- # {one.name}\n{as_yaml(one.content)}", nl=False)


@app.command("set")
def set_values(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file to change.")],
    changes: Annotated[list[str], typer.Argument(metavar="PATH=VALUE...", help="Such as actors[0].behaviour.gap_m=5.")],
) -> None:
    """Change values in a scenario file; comments stay, and what would make it wrong is refused."""
    from . import console
    from .scenario.setting import set_values

    set_values(file, changes)
    console.out.print(f"{file}: {', '.join(changes)}")


@app.command()
def schema(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where to write; by default it is printed.")
    ] = None,
) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from scenegraph.publish import atomic_file

    from .scenario.schema_json import schema_text

    if out is None:
        typer.echo(schema_text(), nl=False)
        return
    with atomic_file(out) as partial:
        partial.write_text(schema_text(), encoding="utf-8")
    typer.echo(f"{out}: written. Name it in a scenario's first line: # yaml-language-server: $schema={out.name}")


# -- scenes ------------------------------------------------------------------------------------------


@app.command()
def check(
    path: Log,
    kind: KindOption = None,
    clip: ClipOption = None,
    rig: RigOption = None,
    changes: SetOption = None,
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

    subject = _subject(path, kind.value if kind else None, clip, rig, changes or ())
    regime = Regime(known_views=7) if for_model or subject.is_scenario else None
    allowed = (*subject.allow, *(split_names(allow) if allow else ()))
    with console.working("Checking"):
        findings = check_scene(
            subject.scene,
            about=about or subject.about,
            regime=regime,
            allow=allowed,
            recorded=subject.recorded,
            edited=subject.edited,
        )
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    causes = [subject.cause_of(finding.actor) or subject.cause_of(finding.other) for finding in findings]
    if as_json:
        rows = [as_dict(finding) | {"cause": cause} for finding, cause in zip(findings, causes, strict=True)]
        console.out.print(json.dumps(rows, indent=1))
    else:
        for finding, cause in zip(findings, causes, strict=True):
            where = f"  ({cause})" if cause else ""
            console.out.print(f"{finding.severity:7}  {finding.kind}: {finding.sentence}{where}")
        notes = len(findings) - errors - warnings
        counts = [counted(errors, "error"), counted(warnings, "warning"), counted(notes, "note")]
        console.out.print(f"{subject.scene.clip_id}: {', '.join(counts)}")
    raise typer.Exit(_FOUND_ERRORS if errors else 0)


@app.command()
def show(
    path: Log,
    rig: RigOption = None,
    changes: SetOption = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Also a film strip seen from above: .png.")
    ] = None,
) -> None:
    """Show what happens in a scenario: who is there when, how fast, and where."""
    from . import console
    from .scenario.show import film_strip, timeline

    subject = _subject(path, None, None, rig, changes or ())
    for line in timeline(subject.scene, subject.causes):
        console.out.print(line)
    if out is not None:
        from render.video import write_png

        with console.working(f"Drawing {out}"):
            write_png(out, film_strip(subject.scene))
        console.out.print(f"{out}: a film strip from above")


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


@dataclass(frozen=True)
class _Subject:
    """A scene with what a scenario file says about it, where it comes from one; causes are places in that file."""

    scene: Scene
    about: str | None = None
    allow: tuple[str, ...] = ()
    recorded: frozenset[str] | None = None
    edited: frozenset[str] = frozenset()
    causes: Mapping[str, str] = field(default_factory=dict)
    is_scenario: bool = False

    def cause_of(self, actor: str) -> str:
        """Where the file says it; empty where it does not."""
        return self.causes.get(actor, "")


def _subject(path: Path, kind: str | None, clip: str | None, rig: str | None, changes: Sequence[str]) -> _Subject:
    from . import console
    from .sources import is_scenario_file, load_scene

    if kind is not None or not is_scenario_file(path):
        with console.working(f"Reading {path}"):
            return _Subject(load_scene(path, kind=kind, clip=clip, rig=rig, changes=changes))
    from .scenario.build import build
    from .scenario.loading import load_scenario

    with console.working(f"Building {path}"):
        scenario = load_scenario(path, changes)
        built = build(scenario, rig)
    places = {actor: scenario.place_of(field) for actor, field in built.causes.items()}
    said = scenario.file
    return _Subject(built.scene, said.about, said.checks.allow, built.recorded, built.edited, places, True)


def _load(path: Path, kind: str | None = None, clip: str | None = None, rig: str | None = None) -> Scene:
    from . import console
    from .sources import load_scene

    with console.working(f"Reading {path}"):
        return load_scene(path, kind=kind, clip=clip, rig=rig)
