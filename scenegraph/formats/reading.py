"""Recognise a recorded log by its files and read it, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import FormatError
from ..scene import Scene
from .nuscenes_tables import holds_tables
from .scenarionet import holds_scenario

_ADVICE = "Give the folder of one log of argoverse2, clipgt, nuscenes or rds-hq, or a .json file of scenarionet."


def _looks_like_argoverse2(path: Path) -> bool:
    return (path / "city_SE3_egovehicle.feather").is_file() or (path / "annotations.feather").is_file()


def _looks_like_clipgt(path: Path) -> bool:
    return any(path.glob("*.egomotion_estimate.parquet")) or any(path.glob("*.calibration_estimate.parquet"))


def _looks_like_nuscenes(path: Path) -> bool:
    return holds_tables(path) or any(path.glob("v1.*/*.json"))


def _looks_like_rds_hq(path: Path) -> bool:
    return any((path / folder).is_dir() for folder in ("vehicle_pose", "pose", "3d_lanelines", "3d_road_boundaries"))


def _looks_like_scenarionet(path: Path) -> bool:
    return any(holds_scenario(file) for file in path.glob("*.json"))


_SIGNS: Final[dict[str, Callable[[Path], bool]]] = {
    "argoverse2": _looks_like_argoverse2,
    "clipgt": _looks_like_clipgt,
    "nuscenes": _looks_like_nuscenes,
    "rds-hq": _looks_like_rds_hq,
    "scenarionet": _looks_like_scenarionet,
}
KINDS: Final[tuple[str, ...]] = tuple(_SIGNS)
"""Names of the formats that can be read."""


def detect_kind(path: Path) -> str:
    """Which format a folder or file holds; a FormatError when it is none that is known."""
    if not path.exists():
        raise FormatError(path, "", "does not exist", _ADVICE)
    if holds_scenario(path):
        return "scenarionet"
    if not path.is_dir():
        raise FormatError(path, "", "is a file, not the folder of a log", _ADVICE)
    for kind, looks_like in _SIGNS.items():
        if looks_like(path):
            return kind
    raise FormatError(path, "", "is not a log of a known format", _ADVICE)


def read_scene(path: Path, kind: str | None = None, clip: str | None = None, corrected: bool = False) -> Scene:
    """Read a log of any supported format.

    kind: one of KINDS; found from the files when None. clip: which one, where a folder holds several
    (a clip id of rds-hq, a scene name of nuscenes or scenarionet); other formats have one per folder, which must
    have this name.
    corrected: apply the calibration corrections of a clipgt rig; means nothing for the others.
    """
    path = Path(path)
    found = detect_kind(path) if kind is None else kind
    if not path.is_dir() and detect_kind(path) != found:
        raise FormatError(path, "", "is a file, not the folder of a log", _ADVICE)
    if found == "argoverse2":
        from .argoverse2 import read_argoverse2

        return _named(read_argoverse2(path), clip, path)
    if found == "clipgt":
        from .clipgt import read_clipgt

        return _named(read_clipgt(path, corrected), clip, path)
    if found == "nuscenes":
        from .nuscenes import read_nuscenes

        return read_nuscenes(path, clip)
    if found == "rds-hq":
        from .rds_hq import read_rds_hq

        return read_rds_hq(path, clip)
    if found == "scenarionet":
        from .scenarionet import read_scenarionet

        return read_scenarionet(path, clip)
    raise FormatError(path, "", f"there is no format {found!r}", f"Formats: {', '.join(KINDS)}.")


def _named(scene: Scene, clip: str | None, path: Path) -> Scene:
    """The only scene of a folder, if it is the one that was asked for."""
    if clip not in (None, scene.clip_id):
        raise FormatError(path, "", f"there is no clip {clip!r}", f"The folder holds {scene.clip_id}.")
    return scene
