"""JSON from files that may be broken: every surprise becomes one sentence with the path to the place.

    root = Node.parse(text, file, "lanelines.json")
    for label in root["labels"].items():
        points = label["labelData"]["shape3d"]["polyline3d"]["vertices"].points()

A missing field or a wrong type raises FormatError naming file and path, such as
``lanelines.json, labels[3].labelData.shape3d``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import FloatArray
from ..errors import FormatError


@dataclass(frozen=True)
class Node:
    """A value inside a JSON document, with the way to it.

    document: what holds the JSON within the file (a tar member, a column), "" where the file itself does.
    path: from the document's root to here, such as ``labels[3].labelData``.
    """

    value: Any
    file: Path
    document: str = ""
    path: str = ""

    @classmethod
    def parse(cls, text: bytes | str, file: Path, document: str = "") -> Node:
        """The root of a document."""
        allowed = "A complete JSON document is needed."
        try:
            return cls(json.loads(text), file, document)
        except json.JSONDecodeError as error:
            place = _join(document, f"line {error.lineno} column {error.colno}")
            raise FormatError(file, place, f"broken JSON ({error.msg})", allowed) from error
        except UnicodeDecodeError as error:
            raise FormatError(file, document, "broken JSON (not UTF-8)", allowed) from error

    @classmethod
    def load(cls, file: Path) -> Node:
        """The root of a file that holds one document."""
        return cls.parse(file.read_bytes(), file)

    # -- going down -------------------------------------------------------------------------------

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str) -> Node:
        """A field of an object."""
        if not isinstance(self.value, dict):
            raise self.error(f"{_kind(self.value)} is here", f"An object with {key} is needed.")
        inner = Node(self.value.get(key), self.file, self.document, f"{self.path}.{key}" if self.path else key)
        if key not in self.value:
            raise inner.error("the field is missing", f"Present are {', '.join(self.value) or 'none'}.")
        return inner

    def items(self) -> list[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list):
            raise self.error(f"{_kind(self.value)} is here", "An array is needed.")
        return [
            Node(value, self.file, self.document, f"{self.path}[{index}]") for index, value in enumerate(self.value)
        ]

    def fields(self) -> dict[str, Node]:
        """The fields of an object."""
        if not isinstance(self.value, dict):
            raise self.error(f"{_kind(self.value)} is here", "An object is needed.")
        return {key: self[key] for key in self.value}

    # -- reading ----------------------------------------------------------------------------------

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            raise self.error(f"{_kind(self.value)} is here", "A text is needed.")
        return self.value

    def texts(self) -> list[str]:
        """An array of texts."""
        return [item.text() for item in self.items()]

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"{_kind(self.value)} is here", "true or false is needed.")
        return self.value

    def number(self) -> float:
        """A finite number, or a text that spells one (rig files write numbers as texts)."""
        try:
            number = float(self.value) if not isinstance(self.value, bool) else math.nan
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"{self.value!r} is no number" if isinstance(self.value, str) else "no finite number")
        return number

    def integer(self) -> int:
        """A whole number of 64 bits."""
        number = self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else self.number()
        if number != int(number) or not -(2**63) <= number < 2**63:
            raise self.error(f"{number:g} is here", "A whole number of 64 bits is needed.")
        return int(number)

    def array(self, *shape: int) -> FloatArray:
        """Finite float64 numbers of this shape; -1 leaves an axis free."""
        array = self.points(*shape)
        if not np.isfinite(array).all():
            raise self.error("a number is NaN or infinite", "Finite numbers are needed.")
        return array

    def points(self, *shape: int) -> FloatArray:
        """float64 numbers of this shape ([N,3] unless told otherwise), where null and NaN come out as NaN."""
        wanted = shape or (-1, 3)
        try:
            array = np.array(self.value, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.array(math.nan)
        if array.shape == (0,) and wanted[0] == -1:
            array = array.reshape(0, *wanted[1:])
        if len(array.shape) != len(wanted) or any(w not in (-1, n) for w, n in zip(wanted, array.shape, strict=True)):
            axes = ",".join("N" if n == -1 else str(n) for n in wanted)
            raise self.error("the numbers have another shape", f"[{axes}] is needed.")
        return array

    def error(self, problem: str, allowed: str = "A finite number is needed.") -> FormatError:
        """A sentence about this place."""
        return FormatError(self.file, _join(self.document, self.path), problem, allowed)


def _join(document: str, place: str) -> str:
    return ", ".join(part for part in (document, place) if part)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
