"""``${name}`` in scenario files: alone it takes the variable's type, within a text it is written out.

``$${`` stands for ``${`` itself. Nothing is computed: variables hold the numbers that are wanted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import Mistake
from ..spelling import nearest
from ..yaml_places import Located, Location

Variable: TypeAlias = float | int | str | bool

_USE = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_AS_WRITTEN = ("version", "extends", "variables", "vary")


@dataclass(frozen=True)
class Substituted:
    """A document's data with variables replaced.

    uses: the names in every text that has any. mistakes: uses that cannot be replaced; they are left as they are.
    """

    data: dict[str, Any]
    uses: Mapping[Location, tuple[str, ...]]
    mistakes: tuple[Mistake, ...]


def substitute(document: Located, variables: Mapping[str, Variable]) -> Substituted:
    """Replace variables everywhere but where they and the parent are defined, and in keys."""
    work = _Work(document, variables)
    data = work.mapping(document.data, ())
    return Substituted(data, work.uses, tuple(work.mistakes))


def written_out(value: Variable) -> str:
    """A value within a text: whole numbers have no point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass
class _Work:
    document: Located
    variables: Mapping[str, Variable]
    uses: dict[Location, tuple[str, ...]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def mapping(self, node: dict[str, Any], at: Location) -> dict[str, Any]:
        for key in node:
            if _names(key):
                self._refuse((*at, key), "a key cannot hold a variable", at_key=True)
        return {key: self.value(value, (*at, key)) for key, value in node.items()}

    def value(self, node: Any, at: Location) -> Any:
        if isinstance(node, dict):
            return self.mapping(node, at)
        if isinstance(node, list):
            return [self.value(item, (*at, index)) for index, item in enumerate(node)]
        return self._text(node, at) if isinstance(node, str) and "${" in node else node

    def _text(self, text: str, at: Location) -> Variable:
        names = _names(text)
        if names and at[0] in _AS_WRITTEN:
            self._refuse(at, f"a variable cannot be used in {at[0]}")
            return text
        wrong = [use for use in _USE.finditer(text) if self._is_wrong(use, at)]
        if wrong:
            return text
        if names:
            self.uses[at] = names
        whole = _USE.fullmatch(text)
        if whole and names:
            return self.variables[names[0]]
        return _USE.sub(lambda use: written_out(self.variables[use[1]]) if use[2] else "${", text)

    def _is_wrong(self, use: re.Match[str], at: Location) -> bool:
        name = use[1]
        if name is None or (use[2] and name in self.variables):
            return False
        if not use[2]:
            self._refuse(at, f"{use[0]!r} has no closing brace. Write $${{ for a text with ${{ in it")
        elif _NAME.fullmatch(name) is None:
            self._refuse(at, f"{use[0]!r} is not the name of a variable. Nothing can be computed between the braces")
        else:
            known = f"Known: {', '.join(self.variables)}" if self.variables else "The file has no variables"
            self._refuse(at, f"there is no variable {name!r}{nearest(name, self.variables)}. {known}")
        return True

    def _refuse(self, at: Location, problem: str, at_key: bool = False) -> None:
        self.mistakes.append(self.document.place_of(at, at_key).mistake(at, problem))


def _names(text: str) -> tuple[str, ...]:
    return tuple(use[1] for use in _USE.finditer(text) if use[1] is not None)
