"""Where a training gets its clips from, and which of them it never sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from scenegraph.arrays import UInt8Array

from ..errors import DatasetError
from ..rigs import find_rig, load_rig
from .clips import TrainingClip, clip_folders, read_about, read_clip
from .deadline import Deadline
from .reference_folder import is_reference_folder, read_reference_clip, reference_stems
from .schema import FolderData, MadeData, TrainFile
from .training_set import SetSettings, clip_folder, training_set

FIRST_UNSEEN_SEED = 3_000_000_000
"""Scenarios for samples and figures; training seeds stay below."""

NamedClip: TypeAlias = tuple[str, Callable[[], TrainingClip]]
"""The name of a clip, and what reads it."""


@dataclass(frozen=True)
class ClipSets:
    """Clips to train on, and clips to look at. fps: of all of them."""

    seen: Sequence[NamedClip]
    unseen: Sequence[NamedClip]
    fps: float


def clip_sets(file: TrainFile, base: Path, out: Path, deadline: Deadline, workers: int | None = None) -> ClipSets:
    """The clips of a training file; those to be made are made if they are not there. base: where its paths start."""
    if isinstance(file.data, MadeData):
        return _made(file.data, base, file.samples.clips, out, deadline, workers)
    named, fps = _found(file.data, base)
    kept = file.samples.clips
    if len(named) <= kept:
        raise DatasetError(
            f"{base / file.data.path}: holds {len(named)} clips, and {kept} are kept apart for samples. "
            "Lower samples.clips, or add clips"
        )
    return ClipSets(named[:-kept], named[-kept:], fps)


def films(named: Sequence[NamedClip], count: int, control: bool) -> Iterator[UInt8Array]:
    """Videos [T,H,W,3] of the first clips, or their control videos; one clip is in memory at a time."""
    for _, read in named[:count]:
        clip = read()
        yield from clip.control if control else clip.frames


def _made(data: MadeData, base: Path, unseen: int, out: Path, deadline: Deadline, workers: int | None) -> ClipSets:
    maps = tuple(base / path for path in data.maps)
    usual = SetSettings(data.count, data.first_seed, data.width_px, data.height_px, data.frames, data.fps, maps)
    sets = []
    for folder, settings in (
        (out / "unseen", replace(usual, count=unseen, first_seed=FIRST_UNSEEN_SEED)),
        (out / "clips", usual),
    ):
        training_set(settings, folder, deadline=deadline, workers=workers)
        sets.append([_named(clip_folder(folder, seed)) for seed in settings.seeds])
    return ClipSets(sets[1], sets[0], data.fps)


def _named(folder: Path) -> NamedClip:
    return folder.name, partial(read_clip, folder)


def _found(data: FolderData, base: Path) -> tuple[list[NamedClip], float]:
    """The clips of a folder and their rate."""
    folder = base / data.path
    if not is_reference_folder(folder):
        folders = clip_folders(folder)
        if not folders:
            raise DatasetError(f"{folder}: holds no training clips, nor {_REFERENCE}")
        return [_named(path) for path in folders], float(read_about(folders[0])["fps"])
    rig = load_rig(find_rig(data.rig))
    size = (data.width_px, data.height_px, data.frames)
    stems = reference_stems(folder, rig)
    named: list[NamedClip] = [(stem, partial(read_reference_clip, folder, rig, stem, *size)) for stem in stems]
    return named, named[0][1]().fps


_REFERENCE = "the folders videos, control_input_hdmap_bbox and captions"
