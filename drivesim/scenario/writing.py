"""Plain values as YAML text."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

_WIDE = 2**20


def as_yaml(value: Any) -> str:
    """A document, keys in their order."""
    return dumped(value, _plain_yaml())


def on_one_line(value: Any) -> str:
    """A value as it can stand behind a key or within brackets."""
    written = _flow(value, letters=True)
    # What is not printable comes back as it was only when it is written as numbers.
    return written if written.isprintable() else _flow(value, letters=False)


def _flow(value: Any, letters: bool) -> str:
    yaml = _plain_yaml()
    yaml.allow_unicode = letters
    if isinstance(value, dict):
        members = CommentedMap(value)
        members.fa.set_flow_style()
        return dumped(members, yaml).strip()
    around = CommentedSeq(value if isinstance(value, list) else [value])
    around.fa.set_flow_style()
    written = dumped(around, yaml).strip()
    return written if isinstance(value, list) else written[1:-1]


def pair(key: str, value: Any) -> str:
    """A key and its value on one line, without brackets around."""
    return f"{on_one_line(key)}: {on_one_line(value)}"


def dumped(document: Any, yaml: YAML) -> str:
    """What a writer of ruamel's makes of a document; lines are not folded."""
    yaml.width = _WIDE
    written = io.StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def _plain_yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
