"""Where the built-in YAML files are, and how one is found by name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from .errors import ScenarioError
from .spelling import nearest

ConfigKind = Literal["rigs", "scenarios", "batches"]

_PACKAGE = Path(__file__).resolve().parent


def configs_folder() -> Path:
    """The folder of built-in YAML: ``drivesim/configs`` when installed, its sibling ``configs`` in a clone."""
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):
        if folder.is_dir():
            return folder
    raise AssertionError(f"incomplete installation: no configs folder in or next to {_PACKAGE}")


def built_in_configs(kind: ConfigKind) -> dict[str, Path]:
    """Built-in files of a kind by name, sorted."""
    return {path.stem: path for path in sorted((configs_folder() / kind).glob("*.yaml"))}


def find_config(kind: ConfigKind, name_or_path: str | Path, folder: Path = Path()) -> Path:
    """The file that a built-in name or a path means.

    A word without suffix and folder is a built-in name; anything else is a path. folder: where it starts.
    """
    given = folder / name_or_path
    built_in = built_in_configs(kind)
    if str(name_or_path) in built_in:
        return built_in[str(name_or_path)]
    if given.is_file():
        return given
    what = kind.removesuffix("es") if kind == "batches" else kind.removesuffix("s")
    if given.suffix or len(Path(name_or_path).parts) > 1:
        raise ScenarioError(f"{given}: no such {what} file")
    raise ScenarioError(
        f"there is no built-in {what} {str(name_or_path)!r}{nearest(str(name_or_path), built_in)}. "
        f"Built-in: {', '.join(built_in) or 'none'}; or name a YAML file"
    )
