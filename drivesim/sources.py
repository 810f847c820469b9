"""From what a person names on the command line to a scene with cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scenegraph import CameraRig, Scene
from scenegraph.formats import detect_kind, read_scene
from scenegraph.formats.images import RecordedImages, recorded_images

from .errors import DatasetError, SourceError


def load_scene(
    path: Path | str,
    *,
    kind: str | None = None,
    clip: str | None = None,
    rig: Path | str | None = None,
    corrected: bool = False,
    changes: Sequence[str] = (),
) -> Scene:
    """Read a log, a scene folder or a scenario file; with a rig, film it with those cameras instead of its own.

    rig: a built-in rig's name or a YAML file. Cameras there may take their lens from the log.
    corrected: apply the calibration corrections that the rig of a clipgt log may hold.
    changes: of a scenario, ``path=value`` each.
    """
    path = Path(path)
    if kind is None and is_scenario_file(path):
        from .scenario.build import build_scene
        from .scenario.loading import load_scenario

        return build_scene(load_scenario(path, changes), rig)
    if changes:
        raise SourceError(f"{path}: is a log, and only what a scenario file says can be changed with --set.")
    if len(path.parts) == 1 and not path.suffix and not path.exists():
        _refuse_name(str(path))
    found = kind or detect_kind(path)
    if corrected and found != "clipgt":
        raise SourceError(f"{path}: only clipgt logs hold calibration corrections, this one is {found}.")
    scene = read_scene(path, found, clip, corrected)
    if rig is None:
        return scene
    return scene.with_rig(_rig(path, found, clip, scene, rig))


def is_scenario_file(path: Path) -> bool:
    """Whether a path names a scenario rather than a log: a YAML file, or a built-in one by its name."""
    from .paths import built_in_configs

    return path.suffix in (".yaml", ".yml") or (not path.exists() and str(path) in built_in_configs("scenarios"))


def load_scene_for_filming(
    path: Path,
    *,
    kind: str | None = None,
    clip: str | None = None,
    rig: Path | str | None = None,
    cameras: Sequence[str] | None = None,
    corrected: bool = False,
    changes: Sequence[str] = (),
) -> Scene:
    """The same, refusing a scene without cameras. cameras: only these, in this order."""
    from .console import working

    with working(f"Reading {path}"):
        scene = load_scene(path, kind=kind, clip=clip, rig=rig, corrected=corrected, changes=changes)
    require_cameras(scene, path)
    return scene if cameras is None else scene.with_rig(scene.rig.select(cameras))


def require_cameras(scene: Scene, path: Path) -> CameraRig:
    """The scene's rig; a SourceError when the log has no calibration."""
    if len(scene.rig) == 0:
        from .paths import built_in_configs

        names = ", ".join(built_in_configs("rigs"))
        raise SourceError(
            f"{path}: the log has no camera calibration. Name cameras with --rig: a YAML file, or {names}."
        )
    return scene.rig


def recorded_pictures(
    path: Path, scene: Scene, *, kind: str | None = None, clip: str | None = None, option: str = "--overlay"
) -> RecordedImages:
    """The pictures of the scene's cameras that were recorded with its log; a SourceError when there are none.

    option: what asked for them, for the complaint.
    """
    pictures = recorded_images(path, kind or detect_kind(path), clip)
    if not pictures:
        raise SourceError(f"{path}: no pictures were recorded with this log. Leave out {option}.")
    if not set(pictures) & set(scene.rig.names):
        raise SourceError(
            f"{path}: the recorded pictures are of {', '.join(pictures)}, not of {', '.join(scene.rig.names)}. "
            f"Film with the cameras that took them, or leave out {option}."
        )
    return pictures


def require_free(folder: Path) -> None:
    """Refuse to write a scene where something is."""
    if folder.is_dir() and any(folder.iterdir()):
        raise DatasetError(f"{folder}: exists and is not empty. Add --overwrite to replace it, or choose another -o.")


def _refuse_name(name: str) -> None:
    from .paths import built_in_configs
    from .spelling import nearest

    known = nearest(name, built_in_configs("scenarios"))
    raise SourceError(
        f"{name}: is no folder here and no built-in scenario{known}. Name the folder of a log, a scenario file, or one "
        "of: drivesim scenario list"
    )


def _rig(path: Path, kind: str, clip: str | None, scene: Scene, rig: Path | str) -> CameraRig:
    from .rigs import LensOfLog, find_rig, resolve_rig

    def read_lenses() -> dict[str, LensOfLog]:
        if kind == "rds-hq":
            from scenegraph.formats.rds_hq import read_rds_hq_lenses

            return read_rds_hq_lenses(path, clip)
        return {camera.name: (camera.lens, camera.width_px, camera.height_px) for camera in scene.rig}

    return resolve_rig(find_rig(rig), read_lenses)
