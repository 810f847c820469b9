"""Array types and the one shape check used at public borders."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .errors import TimeRangeError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]
_AnyArray = TypeVar("_AnyArray", bound=npt.NDArray[Any])


def expect(name: str, array: Any, shape: str, dtype: Any = None) -> None:
    """Check an array against a shape such as ``"V T H W 3"``; letters are free, numbers are fixed.

    Raises ValueError in one sentence that shows both shapes.
    """
    array = np.asarray(array)
    axes = shape.split()
    fits = array.ndim == len(axes) and all(
        not axis.isdigit() or size == int(axis) for axis, size in zip(axes, array.shape, strict=False)
    )
    if fits and (dtype is None or array.dtype == np.dtype(dtype)):
        return
    wanted = f"[{','.join(axes)}]" + (f" {np.dtype(dtype)}" if dtype is not None else "")
    got = f"[{','.join(map(str, array.shape))}] {array.dtype}"
    raise ValueError(f"{name}: expected {wanted}, got {got}")


def as_float(values: Any) -> FloatArray:
    """A float64 array that cannot be written to (scene data is shared between frames and threads)."""
    return frozen(np.array(values, dtype=np.float64))


def as_instants(name: str, values: Any) -> IntArray:
    """Instants in whole microseconds as int64 of any shape; fractions and NaN (seconds, or a mistake) are refused."""
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        whole = np.array(values, dtype=np.float64)
        if not (np.isfinite(whole) & (whole == np.trunc(whole))).all():
            raise TimeRangeError(f"{name}: expected whole microseconds, got {whole.ravel()[:3].tolist()}")
    return np.array(values, dtype=np.int64)


def frozen(array: _AnyArray) -> _AnyArray:
    """The same array, marked read-only."""
    array.setflags(write=False)
    return array


def all_finite(array: npt.NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite."""
    return bool(np.isfinite(array).all()) if array.size else True


def first_bad_row(array: npt.NDArray[Any]) -> int | None:
    """Index of the first row with a NaN or infinity, None when there is none."""
    bad = ~np.isfinite(array.reshape(len(array), math.prod(array.shape[1:]))).all(axis=1)
    return int(np.argmax(bad)) if bad.any() else None
