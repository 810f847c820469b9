"""Changing values in a scenario file: the rest of the text, its comments above all, stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.util import load_yaml_guess_indent

from scenegraph.publish import atomic_file

from ..errors import ScenarioError
from ..yaml_places import Located, Location, field_name, locate
from .loading import load_scenarios
from .positions import holds, value_at, with_value
from .reading import parse_assignment
from .writing import dumped, on_one_line, pair


def set_values(path: Path, assignments: Sequence[str]) -> None:
    """Write ``path=value`` into a file, all or none of them, unless the scenario would then be wrong."""
    if not path.is_file():
        raise ScenarioError(f"{path}: no such scenario file")
    load_scenarios(path, assignments, option="")
    before = text = path.read_bytes().decode("utf-8")
    for assignment in assignments:
        text = _changed(text, path, *parse_assignment(assignment))
    if text != before:
        with atomic_file(path.resolve()) as partial:
            partial.write_bytes(text.encode("utf-8"))
            partial.chmod(path.stat().st_mode)


def _changed(text: str, path: Path, location: Location, value: Any) -> str:
    """The text with one value changed, as little of it as can be."""
    before = locate(text, path)
    _require_own(before, location)
    wanted = with_value(before, location, value, before.place_of(()))
    for change in (_in_place, _inserted, _round_trip):
        changed = change(text, location, value)
        if changed is not None and _says(changed, path, wanted):
            return changed
    raise ScenarioError(f"{path}: {field_name(location)} is part of an alias (*name) and cannot be set alone. Edit it")


def _says(text: str, path: Path, wanted: Located) -> bool:
    try:
        return locate(text, path).data == wanted.data
    except ScenarioError:
        return False


def _require_own(document: Located, location: Location) -> None:
    """Entries of lists can be changed where the list is, not in a file that extends it."""
    for length, part in enumerate(location):
        if isinstance(part, int) and not holds(value_at(document.data, location[:length]), part):
            name = field_name(location[:length])
            raise ScenarioError(f"{document.file}: {name} is not in this file but in its parent. Set it there")


def _in_place(text: str, location: Location, value: Any) -> str | None:
    """Only the old value replaced; None where there is none."""
    outer: Node | None = None
    node: Node | None = _root(text)
    for part in location:
        outer, node = node, _inner(node, part)
    if node is None:
        return None
    if _has_own_lines(node):
        return _block_replaced(text, outer, node, value)
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:  # nothing is written there, and the marks are those of what comes next
        return _behind_key(text, outer, node, value)
    return f"{text[:start]}{on_one_line(value)}{text[end:]}"


def _behind_key(text: str, outer: Node | None, node: Node, value: Any) -> str | None:
    """A value written behind a key that has none."""
    if not isinstance(outer, MappingNode):
        return None
    colon_end = text.index(":", _key_end(outer, node)) + 1
    return f"{text[:colon_end]} {on_one_line(value)}{text[colon_end:]}"


def _key_end(outer: MappingNode, node: Node) -> int:
    return next(int(key.end_mark.index) for key, inner in outer.value if inner is node)


def _block_replaced(text: str, outer: Node | None, node: Node, value: Any) -> str | None:
    """The lines of a value replaced by one, behind the key; a comment behind the key stays."""
    if not isinstance(outer, MappingNode):
        return None
    key_end = _key_end(outer, node)
    header = text[key_end : text.find("\n", key_end)]
    comment = f"  {header[header.index('#') :]}".rstrip() if "#" in header else ""
    return f"{text[:key_end]}: {on_one_line(value)}{comment}{_eol(text)}{text[_end_of_lines(text, node) :]}"


def _has_own_lines(node: Node) -> bool:
    if isinstance(node, CollectionNode):
        return not node.flow_style
    return isinstance(node, ScalarNode) and node.style in ("|", ">")


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _end_of_lines(text: str, node: Node) -> int:
    """Where the line after the last one of a node begins."""
    while _has_own_lines(node) and isinstance(node, CollectionNode) and node.value:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    end = int(node.end_mark.index)  # of a text with lines of its own that is the beginning of the next line
    return end if text[:end].endswith("\n") else (text.find("\n", end) + 1 or len(text))


def _inserted(text: str, location: Location, value: Any) -> str | None:
    """A key and its value added to the end of the mapping that they belong to; None where it is no such case."""
    node, depth = _root(text), 0
    while isinstance(inner := _inner(node, location[depth]), CollectionNode) and depth < len(location) - 1:
        node, depth = inner, depth + 1
    for part in reversed(location[depth + 1 :]):
        value = {part: value}
    if inner is not None:  # a key without a value
        return _in_place(text, location[: depth + 1], value)
    if not isinstance(node, MappingNode):
        return None
    said = pair(str(location[depth]), value)
    if node.flow_style:
        at = node.end_mark.index - 1
        return f"{text[:at].rstrip()}{', ' if node.value else ''}{said}{text[at:]}"
    end, eol = _end_of_lines(text, node), _eol(text)
    gap = "" if text[:end].endswith("\n") else eol
    return f"{text[:end]}{gap}{' ' * node.start_mark.column}{said}{eol}{text[end:]}"


def _root(text: str) -> Node:
    root: Node = YAML(typ="rt", pure=True).compose(text)
    return root


def _inner(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    return None


def _round_trip(text: str, location: Location, value: Any) -> str:
    """The text read and written again with what is new in it."""
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
    document = yaml.load(text)
    node = document
    for part in location[:-1]:
        if isinstance(node, CommentedMap) and node.get(part) is None:
            node[part] = CommentedMap()
        node = node[part]
    node[location[-1]] = value
    return dumped(document, yaml)
