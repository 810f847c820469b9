"""A data set: one folder of clips, each of them complete and checksummed, or absent.

    DATASET/dataset.json                     what the folder is
    DATASET/clips/CLIP/CAMERA.mp4 ...        pictures, and depth and masks where the clip has them
    DATASET/clips/CLIP/clip.json             as the clip's maker wrote it: everything that the pictures depend on
    DATASET/clips/CLIP/cameras.json          lenses, instants and poses
    DATASET/clips/CLIP/labels/               see ``label_files``
    DATASET/clips/CLIP/provenance.json       scenario, source and licence, versions, how it was labelled
    DATASET/clips/CLIP/manifest.json         length and sha256 of every other file

A clip is filled in a hidden folder and takes its name in one step, under a lock of the data set, so that any number of
programs may add at once. A killed one leaves the hidden folder, which adding that clip again removes.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from render.lidar import LidarSpec
from scenegraph import Scene
from scenegraph.publish import atomic_folder

from .. import __version__
from ..clip_folder import CLIP_FILE, file_name, write_json
from ..errors import DatasetError
from .finished_clip import FinishedClip, cameras_of, open_clip
from .label_files import FORMAT as LABELS_FORMAT
from .label_files import lidar_in_words, read_labels, write_labels
from .labels import ClipLabels, labels_of
from .manifest import Checksum, Manifest, checksum, digest_of, faults, files_in, read_manifest, write_manifest

DATASET_FILE = "dataset.json"
CLIPS_FOLDER = "clips"
LABELS_FOLDER = "labels"
CAMERAS_FILE = "cameras.json"
PROVENANCE_FILE = "provenance.json"
FORMAT = 1

_OF_CAMERAS = ("fps", "frames", "axes", "world_origin_m", "cameras", "timestamps_us", "world_from_ego")
_RESERVED = {LABELS_FOLDER, CAMERAS_FILE, PROVENANCE_FILE, "manifest.json"}


@dataclass(frozen=True)
class AddSettings:
    """How a clip becomes part of a data set.

    name: there, None for its own. lidar, ground: see ``labels_of``. link: share the bytes of files with the clip
    folder instead of copying them; whoever changes one then changes both.
    scenario: that the scene was built from, as JSON has it, None for a log.
    """

    name: str | None = None
    lidar: LidarSpec | None = None
    ground: bool = False
    link: bool = False
    scenario: dict[str, Any] | None = None


@dataclass(frozen=True)
class StoredClip:
    """A clip of a data set. is_new: it was added just now, rather than there already."""

    name: str
    folder: Path
    is_new: bool = False

    @property
    def description(self) -> dict[str, Any]:
        """Its clip.json."""
        found: dict[str, Any] = json.loads((self.folder / CLIP_FILE).read_text(encoding="utf-8"))
        return found

    def labels(self) -> ClipLabels:
        """What is to be seen in it."""
        return read_labels(self.folder / LABELS_FOLDER)


def add_clip(
    dataset: Path | str,
    clip_folder: Path | str,
    scene: Scene,
    settings: AddSettings | None = None,
    advance: Callable[[], None] = lambda: None,
) -> StoredClip:
    """Put a finished clip with its labels into a data set, which begins to exist with its first clip.

    scene: that the clip was made from. advance: called after every labelled frame.
    The same clip again is left as it is; another under its name is refused.
    """
    settings, dataset = settings or AddSettings(), Path(dataset)
    clip = open_clip(clip_folder)
    name = clip.name if settings.name is None else settings.name
    _require_free_names(clip)
    sources = {file: checksum(clip.folder / file) for file in clip.files}
    identity = _identity(name, sources, settings)
    target = dataset / CLIPS_FOLDER / file_name(name)
    _open(dataset, create=True)
    if target.exists():
        return _same(dataset, name, target, identity)
    cameras = cameras_of(clip, scene)
    labels = labels_of(scene, cameras, lidar=settings.lidar, ground=settings.ground, advance=advance)
    try:
        # Nothing is ever replaced: whether someone else was first is asked under the lock, and not earlier.
        with ExitStack() as published, atomic_folder(target, replace=True) as partial:
            _fill(partial, clip, labels, settings)
            _seal(partial, Manifest(name, identity, {}), sources)
            published.enter_context(_locked(dataset))
            if target.exists():
                raise _AddedMeanwhileError
    except _AddedMeanwhileError:
        return _same(dataset, name, target, identity)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror or error}") from error
    return StoredClip(name, target, is_new=True)


def clips_in(dataset: Path | str) -> list[StoredClip]:
    """All clips, by the names of their folders."""
    dataset = Path(dataset)
    _open(dataset)
    folders = [path for path in (dataset / CLIPS_FOLDER).iterdir() if path.is_dir() and not path.name.startswith(".")]
    return [StoredClip(read_manifest(folder).name, folder) for folder in sorted(folders)]


def check_dataset(dataset: Path | str, advance: Callable[[], None] = lambda: None) -> list[str]:
    """What is wrong with a data set, a sentence each, after reading every byte of it. advance: after every clip."""
    dataset = Path(dataset)
    _open(dataset)
    found: list[str] = []
    for path in sorted((dataset / CLIPS_FOLDER).iterdir()):
        if not path.is_dir():
            found.append(f"{path}: is no folder of a clip")
        elif path.name.startswith("."):
            found.append(f"{path}: was left by a program that was stopped, or is being written. Delete it if not")
        else:
            found += _clip_faults(path)
        advance()
    return found


def _clip_faults(folder: Path) -> list[str]:
    wrong = list(faults(folder))
    if wrong:
        return wrong
    manifest = read_manifest(folder)
    if file_name(manifest.name) != folder.name:
        wrong.append(f"{folder}: holds the clip {manifest.name} and should be named {file_name(manifest.name)}")
    try:
        labels, description = read_labels(folder / LABELS_FOLDER), StoredClip("", folder).description
    except (DatasetError, OSError, ValueError) as error:
        return [*wrong, str(error)]
    if len(labels.ego) != description["frames"]:
        wrong.append(f"{folder}: has labels of {len(labels.ego)} frames for {description['frames']} in the videos")
    return wrong


# -- adding -------------------------------------------------------------------------------------------


class _AddedMeanwhileError(Exception):
    """Another program published this clip first."""


def _identity(name: str, sources: dict[str, Checksum], settings: AddSettings) -> str:
    return digest_of(
        {
            "name": name,
            "files": {file: found.sha256 for file, found in sources.items()},
            "lidar": lidar_in_words(settings.lidar),
            "ground": settings.ground,
            "scenario": settings.scenario,
            "formats": [FORMAT, LABELS_FORMAT],
        }
    )


def _same(dataset: Path, name: str, target: Path, identity: str) -> StoredClip:
    """The clip that is there, if it is the same."""
    if read_manifest(target).identity != identity:
        raise DatasetError(
            f"{dataset}: has another clip, or other labels, under the name {name}. "
            "Give this one another with --name, or add it to another data set"
        )
    return StoredClip(name, target)


def _require_free_names(clip: FinishedClip) -> None:
    for file in clip.files:
        if Path(file).parts[0] in _RESERVED:
            raise DatasetError(f"{clip.folder / file}: a data set needs this name itself. Rename the file")


def _fill(partial: Path, clip: FinishedClip, labels: ClipLabels, settings: AddSettings) -> None:
    for file in clip.files:
        (partial / file).parent.mkdir(parents=True, exist_ok=True)
        _place(clip.folder / file, partial / file, settings.link)
    write_json(partial / CAMERAS_FILE, {key: clip.description.get(key) for key in _OF_CAMERAS})
    (partial / LABELS_FOLDER).mkdir()
    write_labels(labels, partial / LABELS_FOLDER)
    write_json(partial / PROVENANCE_FILE, _provenance(clip, settings))


def _place(source: Path, target: Path, link: bool) -> None:
    if not link:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        raise DatasetError(
            f"{source}: cannot be shared with {target.parent}: {error.strerror}. Leave out --link"
        ) from error


def _provenance(clip: FinishedClip, settings: AddSettings) -> dict[str, Any]:
    description = clip.description
    source = description.get("source", {})
    made = {key: description[key] for key in ("generation", "look", "seed") if key in description}
    return {
        "drivesim": __version__,
        "clip": clip.name,
        "made_with": description["drivesim"],
        "licence": source.get("licence", source.get("license", "")),
        "source": source,
        "scenario": settings.scenario,
        "scenario_sha256": None if settings.scenario is None else digest_of(settings.scenario),
        "pictures": made,
        "labels": {"format": LABELS_FORMAT, "lidar": lidar_in_words(settings.lidar), "ground": settings.ground},
    }


def _seal(partial: Path, manifest: Manifest, sources: dict[str, Checksum]) -> None:
    """Write the manifest of what arrived; a source that changed on the way is refused."""
    found = {file: checksum(partial / file) for file in files_in(partial)}
    changed = [file for file, before in sources.items() if found[file] != before]
    if changed:
        raise DatasetError(f"{manifest.name}: {', '.join(changed)}: changed while it was added. Try again")
    write_manifest(partial, Manifest(manifest.name, manifest.identity, found))


# -- the folder ---------------------------------------------------------------------------------------


def _open(dataset: Path, create: bool = False) -> None:
    """Make sure that a folder is a data set, or becomes one."""
    path = dataset / DATASET_FILE
    if not path.is_file():
        if not create:
            raise DatasetError(
                f"{dataset}: is no data set, it has no {DATASET_FILE}. Make one with drivesim dataset add"
            )
        if dataset.is_file() or (dataset.is_dir() and _foreign(dataset)):
            raise DatasetError(f"{dataset}: exists and is no data set. Name another folder")
        _make(dataset)
        return
    try:
        version = json.loads(path.read_text(encoding="utf-8"))["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: is damaged") from error
    if version != FORMAT:
        raise DatasetError(f"{path}: is of format {version}, and this drivesim reads {FORMAT}. Update it")
    (dataset / CLIPS_FOLDER).mkdir(exist_ok=True)


def _make(dataset: Path) -> None:
    try:
        (dataset / CLIPS_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{dataset}: cannot be written: {error.strerror}") from error
    write_json(dataset / DATASET_FILE, {"kind": "drivesim data set", "format": FORMAT})


def _foreign(dataset: Path) -> list[Path]:
    """What a folder holds that is not ours; a data set being made by another program is."""
    return [
        path for path in dataset.iterdir() if path.name != CLIPS_FOLDER and not path.name.startswith(f".{DATASET_FILE}")
    ]


@contextmanager
def _locked(dataset: Path) -> Iterator[None]:
    """One program at a time; the system opens the lock of one that dies."""
    handle = os.open(dataset, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
