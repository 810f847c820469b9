"""The one way functions are compiled here."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(function: Function) -> Function:
    """Compile on first use, keep it on disk, run without Python's lock.

    No fast-math, so that the same input gives the same bytes everywhere it matters.
    """
    compiled: Any = numba.njit(cache=True, nogil=True, fastmath=False)(function)
    if not hasattr(compiled, "_cache"):  # compilation is switched off by NUMBA_DISABLE_JIT
        return compiled  # type: ignore[no-any-return]
    # By itself numba compiles again when the function's own file changes, but not when one changes that it calls into.
    kept = compiled._cache._cache_file
    kept._source_stamp = _sources_digest(Path(function.__code__.co_filename).parent)
    kept._load_index = _or_nothing(kept._load_index)
    return compiled  # type: ignore[no-any-return]


def _or_nothing(load_index: Callable[[], dict[Any, str]]) -> Callable[[], dict[Any, str]]:
    """What is kept, or nothing where its index is damaged or names a class that is no longer where it was."""

    def load() -> dict[Any, str]:
        try:
            return load_index()
        except (AttributeError, ImportError, EOFError, ValueError, TypeError, pickle.UnpicklingError):
            return {}

    return load


@cache
def _sources_digest(folder: Path) -> str:
    """A hash of the files whose functions or constants end up in compiled code."""
    total = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        text = file.read_bytes()
        if b"import njit" in text or file.stem == "palette":
            total.update(file.name.encode() + text)
    return total.hexdigest()
