"""The tars of an RDS-HQ folder: one per attribute and clip, members named ``CLIP.KEY``."""

from __future__ import annotations

import io
import re
import tarfile
import tokenize
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..arrays import FloatArray
from ..errors import FormatError, FrameError
from ..se3 import SE3
from .strict_json import Node


@dataclass(frozen=True, eq=False)
class Archive:
    """The members of one tar by key (their name without the clip)."""

    path: Path
    members: dict[str, bytes]

    def json(self, *keys: str) -> Node:
        """The first present of these documents."""
        for key in keys:
            if key in self.members:
                return Node.parse(self.members[key], self.path, key)
        raise self.missing(keys[0])

    def frames(self, ending: str) -> dict[int, str]:
        """Keys ``FRAME.ending`` by frame number, in rising order."""
        matches = (re.fullmatch(r"(\d+)\.(.+)", key) for key in self.members)
        return dict(sorted((int(m[1]), m[0]) for m in matches if m and m[2] == ending))

    def numbers(self, key: str, *shapes: tuple[int, ...]) -> FloatArray:
        """The array of one npy member, finite and of one of these shapes."""
        if key not in self.members:
            raise self.missing(key)
        try:
            array = np.load(io.BytesIO(self.members[key]), allow_pickle=False)
        except (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError) as error:  # a broken header is Python
            raise FormatError(self.path, key, "cannot be read as npy", "It is truncated or damaged.") from error
        wanted = " or ".join(str(list(shape)) for shape in shapes)
        if array.shape not in shapes or array.dtype.kind not in "fiu":
            found = f"the array is {list(array.shape)} {array.dtype}"
            raise FormatError(self.path, key, found, f"{wanted} numbers are needed.")
        if not np.isfinite(array).all():
            raise FormatError(self.path, key, "a number is NaN or infinite", "Finite numbers are needed.")
        return np.asarray(array, dtype=np.float64)

    def pose(self, key: str) -> SE3:
        """The 4x4 pose of one npy member."""
        try:
            return SE3.from_matrix(self.numbers(key, (4, 4)))
        except FrameError as error:
            raise FormatError(self.path, key, str(error), "A rigid transform is needed.") from error

    def missing(self, key: str) -> FormatError:
        """A sentence about a member that should be here."""
        present = sorted(self.members)
        shown = ", ".join(present[:5]) + (f" and {len(present) - 5} more" if len(present) > 5 else "")
        return FormatError(self.path, key, "the member is missing", f"Present are {shown or 'none'}.")


def find_archive(root: Path, attribute: str, clip: str) -> Archive | None:
    """The tar of a clip in the folder of an attribute, None where there is none."""
    path = root / attribute / f"{clip}.tar"
    return _read(path, clip) if path.is_file() else None


def _read(path: Path, clip: str) -> Archive:
    damaged = FormatError(path, "", "cannot be read as tar", "It is truncated or damaged.")
    members = {}
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is not None:
                    members[member.name.removeprefix(f"{clip}.")] = content.read()
            # tarfile takes a cut-off header for the end; the real end is a block of zeros.
            file.seek(tar.offset)
            whole = file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise damaged from error
    if not whole:
        raise damaged
    return Archive(path, members)
