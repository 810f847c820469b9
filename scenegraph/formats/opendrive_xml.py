"""XML that may be broken: every surprise becomes one sentence with file, line and element.

    root = XmlNode.load(path)
    for road in root.all("road"):
        length_m = road.number("length")

Prefixes of namespaces are dropped. Elements that nobody asked for are counted by ``unread``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ..errors import FormatError


@dataclass(eq=False)
class XmlNode:
    """An element: its name, attributes, and the line where it begins."""

    tag: str
    attributes: dict[str, str]
    file: Path
    line: int
    children: list[XmlNode] = field(default_factory=list)
    text: str = ""
    _asked: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, file: Path) -> XmlNode:
        """The root element of a file."""
        try:
            content = file.read_bytes()
        except OSError as error:
            raise FormatError(file, "", f"cannot be read ({error.strerror or error})") from error
        return _Builder(file).parse(content)

    # -- going down -------------------------------------------------------------------------------

    def all(self, *tags: str) -> list[XmlNode]:
        """The children of these names, in file order."""
        self._asked.update(tags)
        return [child for child in self.children if child.tag in tags]

    def first(self, tag: str) -> XmlNode | None:
        """The first child of a name, None without one."""
        return next(iter(self.all(tag)), None)

    def only(self, tag: str) -> XmlNode:
        """The first child of a name; an error without one."""
        child = self.first(tag)
        if child is None:
            raise self.error(f"there is no <{tag}>", f"A <{self.tag}> needs one.")
        return child

    def ignore(self) -> None:
        """Count nothing below here as unread."""
        self._asked.update(child.tag for child in self.children)
        for child in self.children:
            child.ignore()

    def unread(self) -> Counter[str]:
        """How many elements were never asked for, by ``parent/name``; what is inside of them is not counted."""
        counts: Counter[str] = Counter()
        for child in self.children:
            if child.tag in self._asked:
                counts += child.unread()
            else:
                counts[f"{self.tag}/{child.tag}"] += 1
        return counts

    # -- reading ----------------------------------------------------------------------------------

    def word(self, name: str, default: str | None = None) -> str:
        """An attribute as it is."""
        value = self.attributes.get(name, default)
        if value is None:
            present = ", ".join(self.attributes) or "none"
            raise self.error(f"the attribute {name} is missing", f"Present are {present}.")
        return value.strip()

    def number(self, name: str, default: float | None = None) -> float:
        """An attribute as a finite number; with a default it may be missing or empty."""
        if default is not None and not self.attributes.get(name, "").strip():
            return default
        text = self.word(name)
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error(f"{name} is {text!r}", "A finite number is needed.")
        return number

    def integer(self, name: str) -> int:
        """An attribute as a whole number."""
        number = self.number(name)
        if number != int(number):
            raise self.error(f"{name} is {number:g}", "A whole number is needed.")
        return int(number)

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str:
        """An attribute that is one of some words."""
        word, words = self.word(name, default), list(allowed)
        if word not in words:
            raise self.error(f"{name} is {word!r}", f"Allowed are {', '.join(words)}.")
        return word

    def error(self, problem: str, allowed: str = "") -> FormatError:
        """A sentence about this element."""
        names = [f"{key} {self.attributes[key]}" for key in ("id", "s", "sOffset") if key in self.attributes]
        element = f"<{self.tag}>" + (f" {names[0]}" if names else "")
        return FormatError(self.file, f"line {self.line}, {element}", problem, allowed)


class _Builder:
    """Builds nodes while expat reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._root: XmlNode | None = None
        self._open: list[XmlNode] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def parse(self, content: bytes) -> XmlNode:
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            place = f"line {error.lineno} column {error.offset + 1}"
            problem = f"broken XML ({expat.ErrorString(error.code)})"
            raise FormatError(self._file, place, problem, "A complete XML document is needed.") from error
        except (LookupError, UnicodeError, ValueError) as error:
            raise FormatError(self._file, "line 1", f"broken XML ({error})", "UTF-8 is the usual encoding.") from error
        assert self._root is not None
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        node = XmlNode(_local(name), {_local(key): value for key, value in attributes.items()}, self._file, line)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text


def _local(name: str) -> str:
    return name.rpartition(":")[2]
