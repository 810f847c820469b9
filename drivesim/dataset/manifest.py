"""Which files make up a clip of a data set, to the last bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..clip_folder import write_json
from ..errors import DatasetError

MANIFEST_FILE = "manifest.json"
_AT_ONCE = 1 << 20
_MEND = "Delete the folder of the clip and add it again"


@dataclass(frozen=True)
class Checksum:
    """Of one file. bytes: its length. sha256: hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a clip is.

    name: of the clip. identity: a hash of everything that determines its files, so that equal clips are known before
    they are labelled. files: everything else in its folder, by names within it.
    """

    name: str
    identity: str
    files: dict[str, Checksum]


def checksum(path: Path) -> Checksum:
    """Read a file through."""
    total, count = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while piece := stream.read(_AT_ONCE):
            total.update(piece)
            count += len(piece)
    return Checksum(count, total.hexdigest())


def digest_of(content: Any) -> str:
    """A hash of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last file of a clip."""
    files = {name: {"bytes": found.bytes, "sha256": found.sha256} for name, found in sorted(manifest.files.items())}
    write_json(folder / MANIFEST_FILE, {"clip": manifest.name, "identity": manifest.identity, "files": files})


def read_manifest(folder: Path) -> Manifest:
    """What a clip should be."""
    path = folder / MANIFEST_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        files = {name: Checksum(int(entry["bytes"]), str(entry["sha256"])) for name, entry in found["files"].items()}
        return Manifest(str(found["clip"]), str(found["identity"]), files)
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: is missing. {_MEND}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: is damaged. {_MEND}") from error


def files_in(folder: Path) -> list[str]:
    """Names within a folder of all its files but the manifest, in order."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in names if name != MANIFEST_FILE)


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with the files of a clip, a sentence each."""
    try:
        manifest = read_manifest(folder)
    except DatasetError as error:
        yield str(error)
        return
    there = set(files_in(folder))
    for name, expected in sorted(manifest.files.items()):
        path = folder / name
        if name not in there:
            yield f"{path}: is missing"
            continue
        found = checksum(path)
        if found.bytes != expected.bytes:
            yield f"{path}: has {found.bytes} bytes instead of {expected.bytes}"
        elif found != expected:
            yield f"{path}: was altered, its sha256 is another"
    for name in sorted(there - set(manifest.files)):
        yield f"{folder / name}: is not in the manifest"
