"""Strict reading of parquet and feather tables: every surprise is one sentence that names file, column and row.

    table = read_table(path)                                   # by suffix: .parquet or .feather
    stamps = table.integers("timestamp_ns")                    # int64 [N]
    centres = table.vectors("tx_m", "ty_m", "tz_m")            # float64 [N,3]
    names = table.strings("obstacle.category")                 # a field of a struct column, tuple of N
    rails = table.point_lists("lane.left_rail")                # Points: all points [M,3] and where each row's begin

A missing column, a wrong type, an empty cell or a NaN raises FormatError; ``empty`` (strings, integers,
numbers) and ``allow_nan`` (numbers, vectors) say where the format permits them. Rows count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet

from ..arrays import BoolArray, FloatArray, IntArray, first_bad_row
from ..errors import FormatError


def read_table(path: Path) -> Table:
    """The table in a ``.parquet`` or ``.feather`` file."""
    if not path.is_file():
        raise FormatError(path, "", "the file is missing", f"A {path.suffix.lstrip('.')} table is needed here.")
    try:
        # A single file is read by ParquetFile: read_table would turn folders named key=value into columns.
        if path.suffix == ".parquet":
            content = pyarrow.parquet.ParquetFile(path).read(use_threads=False)
        else:
            content = pyarrow.feather.read_table(path, memory_map=False)
        content = content.combine_chunks()
        content.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        kind = path.suffix.lstrip(".")
        raise FormatError(path, "", f"cannot be read as {kind}", "It is truncated or damaged.") from error
    return Table(path, content)


@dataclass(frozen=True, eq=False)
class Points:
    """Lists of points, one list per row of a table.

    flat_m: float64 [M,3], the points of all rows after each other; NaN where a coordinate is empty.
    starts: int64 [N+1]; row i owns flat_m[starts[i]:starts[i + 1]].
    """

    flat_m: FloatArray
    starts: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> FloatArray:
        return self.flat_m[self.starts[row] : self.starts[row + 1]]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one file; a dot in a name leads into a struct column, as in ``obstacle.center.x``."""

    path: Path
    content: pa.Table

    def __len__(self) -> int:
        return int(self.content.num_rows)

    def has(self, column: str) -> bool:
        """Whether there is such a column or struct field."""
        fields = {field.name: field.type for field in self.content.schema}
        for part in column.split("."):
            if part not in fields:
                return False
            inner = fields[part]
            fields = {f.name: f.type for f in inner} if pa.types.is_struct(inner) else {}
        return True

    def integers(self, column: str, empty: int | None = None) -> IntArray:
        """int64 [N]; ``empty`` stands in for an empty cell, which is refused otherwise."""
        array = self._typed(column, pa.types.is_integer, "whole numbers")
        values = self._filled(array, column, empty)
        try:
            return np.asarray(values.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
        except pa.ArrowInvalid as error:
            raise FormatError(
                self.path, column, "a number is too large", "64-bit whole numbers are allowed."
            ) from error

    def optional_integers(self, column: str) -> tuple[int | None, ...]:
        """Whole numbers of N rows, None for an empty cell."""
        return tuple(self._typed(column, pa.types.is_integer, "whole numbers").to_pylist())

    def optional_strings(self, column: str) -> tuple[str | None, ...]:
        """Texts of N rows, None for an empty cell."""
        return tuple(self._typed(column, _is_text, "texts").to_pylist())

    def numbers(self, column: str, allow_nan: bool = False) -> FloatArray:
        """float64 [N]; with ``allow_nan`` an empty cell becomes NaN, otherwise both are refused."""
        values = _as_floats(self._typed(column, _is_number, "numbers"))
        if not allow_nan:
            self._require_finite(values, column)
        return values

    def vectors(self, *columns: str, allow_nan: bool = False) -> FloatArray:
        """Several number columns side by side, float64 [N, len(columns)]."""
        return np.stack([self.numbers(column, allow_nan) for column in columns], axis=-1)

    def booleans(self, column: str, empty: bool | None = None) -> BoolArray:
        """bool [N]."""
        array = self._typed(column, pa.types.is_boolean, "true or false")
        return np.asarray(self._filled(array, column, empty).to_numpy(zero_copy_only=False), dtype=np.bool_)

    def strings(self, column: str, empty: str | None = None) -> tuple[str, ...]:
        """Texts of N rows."""
        return tuple(self._filled(self._typed(column, _is_text, "texts"), column, empty).to_pylist())

    def string_lists(self, column: str) -> tuple[tuple[str, ...], ...]:
        """Lists of texts of N rows; an empty cell is an empty list, an empty text is ''."""
        lists, starts = self._lists(column)
        if not (_is_text(lists.type) or pa.types.is_null(lists.type)):
            raise self._wrong_type(column, f"a list of {lists.type}", "lists of texts")
        flat = [text or "" for text in lists.to_pylist()]
        return tuple(tuple(flat[a:b]) for a, b in pairwise(starts))

    def integer_lists(self, column: str) -> tuple[IntArray, ...]:
        """Lists of whole numbers of N rows; an empty cell is an empty list."""
        lists, starts = self._lists(column)
        if not pa.types.is_integer(lists.type):
            raise self._wrong_type(column, f"a list of {lists.type}", "lists of whole numbers")
        flat = np.asarray(self._filled(lists, column, None).cast(pa.int64()).to_numpy(zero_copy_only=False))
        return tuple(flat[a:b] for a, b in pairwise(starts))

    def number_lists(self, column: str, size: int) -> FloatArray:
        """Lists of exactly ``size`` numbers, float64 [N, size]."""
        lists, starts = self._lists(column)
        if not _is_number(lists.type):
            raise self._wrong_type(column, f"a list of {lists.type}", "lists of numbers")
        odd = np.flatnonzero(np.diff(starts) != size)
        if len(odd):
            found = int(starts[odd[0] + 1] - starts[odd[0]])
            raise FormatError(self.path, f"row {odd[0]}, {column}", f"{found} numbers", f"{size} are needed.")
        values = _as_floats(lists).reshape(len(self), size)
        self._require_finite(values, column)
        return values

    def point_lists(self, column: str) -> Points:
        """Lists of {x, y, z}; an empty cell is an empty list, an empty coordinate is NaN."""
        lists, starts = self._lists(column)
        kind = lists.type
        names = {field.name for field in kind} if pa.types.is_struct(kind) else set()
        if not {"x", "y", "z"} <= names or not all(_is_number(kind.field(axis).type) for axis in "xyz"):
            raise self._wrong_type(column, f"a list of {kind}", "lists of {x, y, z} numbers")
        flat = [_as_floats(pc.struct_field(lists, axis)) for axis in "xyz"]
        return Points(np.stack(flat, axis=-1), starts)

    # -- inside -----------------------------------------------------------------------------------

    def _column(self, column: str) -> pa.Array:
        if not self.has(column):
            raise FormatError(self.path, column, "the column is missing", f"Present are {self._present(column)}.")
        first, *inner = column.split(".")
        values = self.content.column(first)
        for part in inner:
            values = pc.struct_field(values, part)
        return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values

    def _present(self, column: str) -> str:
        """Names next to a missing column, at the depth where the path ends."""
        parts = column.split(".")
        depth = next(i for i in range(1, len(parts) + 1) if not self.has(".".join(parts[:i])))
        if depth == 1:
            return ", ".join(self.content.schema.names) or "no columns"
        parent = self._column(".".join(parts[: depth - 1]))
        return ", ".join(f.name for f in parent.type) if pa.types.is_struct(parent.type) else f"{parent.type} values"

    def _typed(self, column: str, fits: Callable[[pa.DataType], bool], wanted: str) -> pa.Array:
        array = self._column(column)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not fits(array.type) and not (pa.types.is_null(array.type) and not len(array)):
            raise self._wrong_type(column, str(array.type), wanted)
        return array

    def _lists(self, column: str) -> tuple[pa.Array, IntArray]:
        kinds: Sequence[Callable[[pa.DataType], bool]] = (
            pa.types.is_list,
            pa.types.is_large_list,
            pa.types.is_fixed_size_list,
        )
        array = self._typed(column, lambda kind: any(fits(kind) for fits in kinds), "lists")
        sizes = np.asarray(pc.fill_null(pc.list_value_length(array), 0), dtype=np.int64)
        return pc.list_flatten(array), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def _filled(self, array: pa.Array, column: str, empty: Any) -> pa.Array:
        if not array.null_count:
            return array
        if empty is None:
            row = int(np.argmax(np.asarray(array.is_null())))
            raise FormatError(self.path, f"row {row}, {column}", "the cell is empty", "A value is needed here.")
        return pc.fill_null(array, pa.scalar(empty, array.type))

    def _require_finite(self, values: FloatArray, column: str) -> None:
        row = first_bad_row(values) if len(values) else None
        if row is not None:
            found = np.atleast_1d(values[row])
            bad = found[~np.isfinite(found)][0]
            raise FormatError(self.path, f"row {row}, {column}", f"{bad:g}", "A finite number is needed here.")

    def _wrong_type(self, column: str, found: str, wanted: str) -> FormatError:
        return FormatError(self.path, column, f"the column holds {found}", f"It must hold {wanted}.")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as_floats(array: pa.Array) -> FloatArray:
    """float64 of any number array, NaN for null (an all-null column of no type included)."""
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
