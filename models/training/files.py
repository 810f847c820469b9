"""Files and folders that appear whole or not at all, and what to say when the disk does not take them."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ModelError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A hidden name to write to, which becomes ``path`` when the block ends well and is removed when not."""
    partial = _partial(path)
    with require_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder to fill, which takes the place of ``folder`` when the block ends well and is removed when not."""
    partial = _partial(folder)
    with require_disk(folder):
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                shutil.rmtree(folder)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def require_disk(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        number = _system_error(error)
        if number == errno.ENOSPC:
            raise ModelError(f"{path}: cannot be written, the disk is full. Free some space and start again") from error
        reason = error if number is None else os.strerror(number)
        raise ModelError(f"{path}: cannot be written: {reason}") from error


def _system_error(error: Exception) -> int | None:
    """The number the system gave; safetensors has it in its words only."""
    if isinstance(error, OSError):
        return error.errno
    number = re.search(r"os error (\d+)", str(error))
    return int(number[1]) if number else None


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
