"""The camera pictures that were recorded next to a log, found by name and time but not opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import FormatError
from .nuscenes_tables import NuScenesTables
from .reading import KINDS
from .strict_json import Node

RecordedImages = dict[str, tuple["RecordedImage", ...]]


@dataclass(frozen=True)
class RecordedImage:
    """One picture of one camera.

    timestamp_us: when it was taken, in the time of the log.
    path: where the file is.
    """

    timestamp_us: int
    path: Path


def recorded_images(log: Path, kind: str, clip: str | None = None) -> RecordedImages:
    """The pictures of a log by camera name, each camera's sorted by time; cameras without pictures are left out.

    kind: one of the formats that can be read. clip: which one, where a folder holds several (a scene name of
    nuScenes). Only files that are there count. RDS-HQ and ClipGT come with videos, not pictures: they have none.
    """
    log = Path(log)
    if kind not in KINDS:
        raise FormatError(log, "", f"there is no format {kind!r}", f"Formats: {', '.join(KINDS)}")
    if not log.is_dir():
        return {}
    if kind == "argoverse2":
        return _argoverse2_images(log / "sensors" / "cameras")
    if kind == "nuscenes":
        return _nuscenes_images(log, clip)
    return {}


def _argoverse2_images(folder: Path) -> RecordedImages:
    """``<camera>/<timestamp_ns>.jpg``; nanoseconds are cut to microseconds as they are for the ego's poses."""
    files = sorted(folder.glob("*/*.jpg"))
    return _by_camera((file.parent.name, RecordedImage(_stamp_ns(file) // 1000, file)) for file in files)


def _stamp_ns(file: Path) -> int:
    if not (file.stem.isascii() and file.stem.isdecimal()):
        raise FormatError(file, "", "the name is no time", "Pictures are named <timestamp in nanoseconds>.jpg.")
    return int(file.stem)


def _nuscenes_images(path: Path, scene: str | None) -> RecordedImages:
    """Key frames and sweeps of a scene's cameras, of the version that ``read_nuscenes`` reads."""
    tables = NuScenesTables.find(path, scene=scene)
    sensors = tables.scene_sensors(tables.scene(scene))
    cameras = [shot for shot in sensors if shot.is_camera]
    images = ((shot.channel, RecordedImage(shot.timestamp_us, _inside(tables.root, shot.row))) for shot in cameras)
    return _by_camera((channel, image) for channel, image in images if image.path.is_file())


def _inside(root: Path, row: Node) -> Path:
    """The file of a sample_data row, which must not lead out of the data set's folder."""
    filename = row["filename"]
    path = PurePosixPath(filename.text())
    if path.is_absolute() or ".." in path.parts:
        raise filename.error(f"{path} leads out of the data set", "A path relative to its folder is needed.")
    return root / path


def _by_camera(images: Iterable[tuple[str, RecordedImage]]) -> RecordedImages:
    found: dict[str, list[RecordedImage]] = defaultdict(list)
    for camera, image in images:
        found[camera].append(image)
    return {name: tuple(sorted(found[name], key=lambda i: (i.timestamp_us, i.path))) for name in sorted(found)}
