"""The folder of one clip: who owns it, what is planned in it, what is finished.

While a clip is unfinished, ``.settings.json`` stands for ``clip.json``: the same run again goes on with what is
missing; one with other settings is refused unless told to overwrite.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scenegraph.publish import atomic_file

from .errors import DatasetError

CLIP_FILE = "clip.json"
PLAN_FILE = ".settings.json"
CHUNKS_FOLDER = ".chunks"

_FIELDS_SHOWN = 4
_FOLLOWING_FROM_OTHERS = ("also", "notes", "view_ids")

# Separators, what other systems forbid, what no file name can hold, and a dot in front, which would hide or climb.
_UNSAFE = re.compile(r'^\.|[/\\:*?"<>|%\x00-\x1f\x7f\ud800-\udfff]')


def file_name(name: str) -> str:
    """A clip's or camera's name as that of a file that cannot be anywhere else: the unsafe becomes %XX, as in URLs."""
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name) or "%"


def require_own(
    folder: Path, description: dict[str, Any], outputs: Iterable[Path], overwrite: bool, what: str = "control videos"
) -> None:
    """Refuse a folder with (parts of) another clip, or with files of unknown origin under the names of ours.

    what: the folder would hold, for the complaint.
    """
    blocked = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if blocked is not None:
        raise DatasetError(f"{blocked}: is a file. Name a folder with -o.")
    if overwrite:
        return
    there = description_of(folder)
    if not is_finished(folder):  # a run that ended before its first video claims nothing
        names = [camera["file"] for camera in (there or {}).get("cameras", ())]
        if not any(path.exists() for path in (*outputs, *(folder / name for name in names))):
            return
    if there != description:
        raise DatasetError(
            f"{folder}: holds {what} of other content or settings{_difference(there or {}, description)}. "
            "Add --overwrite to replace them, or choose another -o."
        )


def claim(folder: Path, description: dict[str, Any], overwrite: bool) -> None:
    """Write down what is about to be made here.

    Old videos go first, while the file that describes them is still there: none is ever mistaken for a new one.
    """
    if overwrite:
        for old in (description_of(folder), description):
            _remove_outputs(folder, old or {})
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be written: {error.strerror}") from error
    write_json(folder / PLAN_FILE, description)
    (folder / CLIP_FILE).unlink(missing_ok=True)


def finish(folder: Path, description: dict[str, Any]) -> None:
    """Say that the clip is whole."""
    write_json(folder / CLIP_FILE, description)
    tidy(folder)


def tidy(folder: Path) -> None:
    """Delete what an unfinished clip alone needs."""
    (folder / PLAN_FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / CHUNKS_FOLDER, ignore_errors=True)


def is_finished(folder: Path) -> bool:
    """Whether a clip in it is whole."""
    return (folder / CLIP_FILE).is_file()


def description_of(folder: Path) -> dict[str, Any] | None:
    """What the clip in a folder is, finished or not: None without one, empty where it cannot be read."""
    for path in (folder / PLAN_FILE, folder / CLIP_FILE):
        if path.is_file():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                return {}
            return found if isinstance(found, dict) and "drivesim" in found else {}
    return None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole."""
    try:
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}") from error


def is_frame(path: Path) -> bool:
    """Whether a file is one of a numbered series of pictures."""
    return path.suffix == ".png" and path.stem.isdecimal()


def _remove_outputs(folder: Path, description: dict[str, Any]) -> None:
    """Delete the videos and pictures of a clip, and nothing else."""
    for camera in description.get("cameras", ()):
        stem = file_name(camera["name"])
        (folder / f"{stem}.mp4").unlink(missing_ok=True)
        pictures = folder / stem
        if pictures.is_dir() and all(is_frame(path) for path in pictures.iterdir()):
            for path in pictures.iterdir():
                path.unlink()
            pictures.rmdir()
    if "generation" in description:
        for path in [folder / name for name in description.get("also", ()) if ".." not in Path(name).parts]:
            if folder not in path.parents:  # written by someone else
                continue
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
        shutil.rmtree(folder / CHUNKS_FOLDER, ignore_errors=True)


def _difference(there: dict[str, Any], description: dict[str, Any]) -> str:
    """In which fields of clip.json two generated clips differ, in brackets; nothing for other clips."""
    if "generation" not in there or "generation" not in description:
        return ""
    names = [name for name in _differing(there, description) if name not in _FOLLOWING_FROM_OTHERS]
    more = f" and {len(names) - _FIELDS_SHOWN} more" if len(names) > _FIELDS_SHOWN else ""
    return f" ({', '.join(names[:_FIELDS_SHOWN])}{more})"


def _differing(there: dict[str, Any], description: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name in dict.fromkeys([*description, *there]):
        before, now = there.get(name), description.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            yield from _differing(before, now, f"{prefix}{name}.")
        elif before != now:
            yield prefix + name
