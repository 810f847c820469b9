"""The one way functions are compiled here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(function: Function) -> Function:
    """Compile on first use, keep it on disk, run without Python's lock.

    No fast-math, so that the same input gives the same bytes everywhere it matters.
    """
    return cast(Function, numba.njit(cache=True, nogil=True, fastmath=False)(function))
