"""Files and folders that appear whole or not at all.

Writing goes to a hidden sibling, ``.NAME.partial-HOST-PID-NUMBER``, which takes the real name in one rename when
everything is written. An exception removes it. A killed run leaves it behind: it never carries the real
name nor its suffix, and the next run that writes there removes it. The number is random, so that threads of one
process that write the same path do not meet: the last to end wins.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SceneGraphError

_HOST = socket.gethostname()
_lock = threading.Lock()
_numbers_in_use: set[int] = set()


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Yield the path to write to; it becomes ``path`` (replacing a file of that name) when the block ends well.

    The yielded name does not end in the suffix of ``path``: name the format where a library would guess it.
    """
    path = Path(path)
    if path.is_dir():
        raise SceneGraphError(f"{path}: is a folder. Name a file")
    with _number(path) as number:
        partial = _hidden(path, "partial", number)
        try:
            yield partial
            partial.replace(path)
        finally:
            _remove(partial)


@contextmanager
def atomic_folder(path: Path | str, replace: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes ``path`` when the block ends well.

    An existing folder that is not empty is refused, unless ``replace`` allows to delete it; it then stays
    untouched until the new one is complete.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise SceneGraphError(f"{path}: is a file. Name a folder")
    with _number(path) as number:
        if not replace:
            _require_empty(path)
        partial = _hidden(path, "partial", number)
        try:
            partial.mkdir()
        except OSError as error:
            raise SceneGraphError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            yield partial
            _swap(partial, path, number, replace)
        finally:
            _remove(partial)


@contextmanager
def _number(path: Path) -> Iterator[int]:
    """Make the parent folder, clear what dead runs left, and yield a number for the names of hidden siblings."""
    blocked = next((folder for folder in path.parents if folder.is_file()), None)
    if blocked is not None:
        raise SceneGraphError(f"{path}: cannot be written: {blocked} is a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise SceneGraphError(f"{path}: cannot be written: {error.strerror}") from error
    number = secrets.randbits(48)
    with _lock:
        _numbers_in_use.add(number)
    try:
        yield number
    finally:
        with _lock:
            _numbers_in_use.discard(number)


def _require_empty(path: Path) -> None:
    if path.exists() and any(path.iterdir()):
        raise SceneGraphError(f"{path}: exists and is not empty. Remove it or name another folder")


def _swap(partial: Path, path: Path, number: int, replace: bool) -> None:
    """Give the finished folder its name; a folder that had it is set aside first and deleted last."""
    previous = _hidden(path, "previous", number)
    with _lock:
        if not replace:
            _require_empty(path)
        if path.exists():
            path.rename(previous)
        partial.rename(path)
    _remove(previous)


def _clear_leftovers(path: Path) -> None:
    """Delete what dead runs on this host left of ``path``; bring back a folder they had only set aside."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(partial|previous)-{re.escape(_HOST)}-(\d+)-(\d+)")
    with _lock:
        for leftover in path.parent.iterdir():
            match = pattern.fullmatch(leftover.name)
            if match is None or _is_in_use(pid=int(match[2]), number=int(match[3])):
                continue
            if match[1] == "previous" and not path.exists():
                leftover.rename(path)
            else:
                _remove(leftover)


def _hidden(path: Path, role: str, number: int) -> Path:
    return path.with_name(f".{path.name}.{role}-{_HOST}-{os.getpid()}-{number}")


def _is_in_use(pid: int, number: int) -> bool:
    """Whether someone still writes there; call it with the lock held."""
    if pid == os.getpid():
        return number in _numbers_in_use  # other numbers are from an earlier process with the same pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
