"""The tables of a nuScenes v1.0 data set: ``<root>/<version>/<table>.json``, each an array of records with a token.

They are read directly. The official devkit pins numpy below 2, takes ten seconds to import and parses all
thirteen tables; one scene of the full set needs a thousandth of that. So a table above 32 MB is searched for the
records wanted, which is ten times faster than parsing it, and only these are parsed.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import FormatError
from .strict_json import Node

_PARSED_WHOLE_BYTES = 32 << 20
_BLOCK_BYTES = 64 << 20
_RECORD_BYTES = 1 << 16
_NAMES_TOLD = 5


@dataclass(frozen=True, eq=False)
class Shot:
    """One reading of one sensor: a row of sample_data with what it refers to.

    timestamp_us: when it was taken. channel: the sensor's name. mount: its row of calibrated_sensor.
    """

    row: Node
    timestamp_us: int
    channel: str
    is_camera: bool
    mount: Node


@dataclass(frozen=True, eq=False)
class NuScenesTables:
    """The tables in one folder. Every record is a Node whose errors name its table and token."""

    folder: Path

    @classmethod
    def find(cls, path: Path, version: str | None = None, scene: str | None = None) -> NuScenesTables:
        """The tables of a data set, whose folder or whose version's folder ``path`` is.

        version: its folder's name. Where there are several and none is named, the only one that holds ``scene``
        (a name or token) is taken.
        """
        if holds_tables(path):
            path = path if path.name not in ("", "..") else path.resolve()
            found = {path.name: cls(path)}
        else:
            found = {folder.name: cls(folder) for folder in sorted(path.glob("v1.*")) if folder.is_dir()}
        if not found:
            raise FormatError(path, "", "holds no tables", "A folder such as v1.0-mini is needed in it.")
        if version is not None and version not in found:
            raise FormatError(path, "", f"there is no version {version!r}", f"Versions: {', '.join(found)}.")
        if version is not None:
            return found[version]
        if len(found) == 1:
            return next(iter(found.values()))
        return _only_holder(path, found, scene)

    @property
    def root(self) -> Path:
        """The data set's folder, to which the names of its pictures are relative."""
        return self.folder.parent

    # -- tables -----------------------------------------------------------------------------------

    def path(self, table: str) -> Path:
        """The file of a table, which must be there."""
        file = self.folder / f"{table}.json"
        if not file.is_file():
            raise FormatError(file, "", "the table is missing", "A nuScenes data set needs it.")
        return file

    def select(self, table: str, field: str, wanted: Collection[str]) -> list[Node]:
        """The records whose ``field`` (a text) is one of ``wanted``, in file order."""
        file = self.path(table)
        if file.stat().st_size > _PARSED_WHOLE_BYTES and (found := search_records(file, field, wanted)) is not None:
            return found
        return [row for row in _parse_records(file) if row[field].text() in wanted]

    def by_token(self, table: str, wanted: Collection[str]) -> dict[str, Node]:
        """The records with these tokens; those that are not in the table are left out."""
        rows: dict[str, Node] = {}
        for row in self.select(table, "token", wanted):
            token = row["token"].text()
            if token in rows:
                raise row.error("the token occurs a second time", "Tokens must be unique in a table.")
            rows[token] = row
        return rows

    def referred(self, rows: Collection[Node], field: str, table: str) -> dict[str, Node]:
        """The records of ``table`` by token that ``rows`` refer to in ``field``; all must be there."""
        targets = self.by_token(table, {row[field].text() for row in rows})
        for row in rows:
            if row[field].value not in targets:
                problem = f"no {table} has the token {row[field].value!r}"
                raise row[field].error(problem, f"A token of {table}.json is needed.")
        return targets

    # -- a scene ----------------------------------------------------------------------------------

    @cached_property
    def _scenes(self) -> list[Node]:
        return _parse_records(self.path("scene"))

    def holds_scene(self, asked: str) -> bool:
        """Whether a scene has this name or token; a folder without a table of scenes holds none."""
        listed = self._scenes if (self.folder / "scene.json").is_file() else []
        return any(asked in (row["name"].text(), row["token"].text()) for row in listed)

    def scene(self, asked: str | None = None) -> Node:
        """The scene with this name or token, or the only one there is."""
        found = [row for row in self._scenes if asked in (None, row["name"].text(), row["token"].text())]
        if len(found) == 1:
            return found[0]
        if asked is None:
            problem = f"{len(found)} scenes and none was asked for" if found else "the table has no rows"
        else:
            problem = f"{len(found)} scenes are called {asked!r}" if found else f"there is no scene {asked!r}"
        raise FormatError(self.path("scene"), "", problem, _tell(found or self._scenes))

    def scene_samples(self, scene: Node) -> list[tuple[int, Node]]:
        """(time in microseconds, sample) of a scene's key frames, in time order."""
        samples = self.select("sample", "scene_token", {scene["token"].text()})
        if not samples:
            raise scene.error("the scene has no sample", "sample.json must hold its key frames.")
        timed = [(instant_us(row["timestamp"]), row) for row in samples]
        return sorted(timed, key=lambda pair: pair[0])

    def scene_sensors(self, scene: Node) -> list[Shot]:
        """All that the sensors recorded in a scene, key frames and sweeps, in file order."""
        tokens = {row["token"].text() for _, row in self.scene_samples(scene)}
        rows = self.select("sample_data", "sample_token", tokens)
        mounts = self.referred(rows, "calibrated_sensor_token", "calibrated_sensor")
        sensors = self.referred(list(mounts.values()), "sensor_token", "sensor")
        shots = []
        for row in rows:
            mount = mounts[row["calibrated_sensor_token"].text()]
            sensor = sensors[mount["sensor_token"].text()]
            is_camera = sensor["modality"].text() == "camera"
            shots.append(Shot(row, instant_us(row["timestamp"]), sensor["channel"].text(), is_camera, mount))
        return shots


def holds_tables(folder: Path) -> bool:
    """Whether this is the folder of a version, with the tables themselves in it."""
    return (folder / "sample_data.json").is_file()


def _only_holder(root: Path, versions: dict[str, NuScenesTables], scene: str | None) -> NuScenesTables:
    """The one of several versions that holds a scene; a FormatError where that is none, or not the only one."""
    told = f"Versions: {', '.join(versions)}."
    if scene is None:
        advice = f"{told} Give one as the path, such as {root / min(versions)}."
        raise FormatError(root, "", "holds several versions and none was asked for", advice)
    holders = [name for name, tables in versions.items() if tables.holds_scene(scene)]
    if not holders:
        raise FormatError(root, "", f"no version holds a scene {scene!r}", told)
    if len(holders) > 1:
        problem = f"scene {scene!r} is in several versions: {', '.join(holders)}"
        raise FormatError(root, "", problem, f"Give one as the path, such as {root / holders[0]}.")
    return versions[holders[0]]


def instant_us(timestamp: Node) -> int:
    """A time in microseconds; the fractions that Lyft's tables have are rounded."""
    return round(timestamp.number())


def search_records(file: Path, field: str, wanted: Collection[str]) -> list[Node] | None:
    """What parsing the file and keeping the records with a ``field`` in ``wanted`` would give, but quicker.

    None where the file is not of the plain kind this works for: an array of records without inner objects,
    each with the field, no braces in texts.
    """
    pattern = re.compile(rb'"%s"\s*:\s*"([^"\\]*)"' % re.escape(field.encode()))
    values, count, rows = {value.encode() for value in wanted}, 0, []
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not (content[:64].lstrip().startswith(b"[") and content[-64:].rstrip().endswith(b"]")):
            return None
        for match in pattern.finditer(content):
            count += 1
            if match[1] in values:
                row = _record_around(content, match.start())
                if row is None:
                    return None
                rows.append(_record(row, file, count - 1))
        braces = sum(content[at : at + _BLOCK_BYTES].count(b"{") for at in range(0, len(content), _BLOCK_BYTES))
    return rows if braces == count else None


def _record_around(content: mmap.mmap, position: int) -> Any:
    """The parsed record that holds a position, None when that fails."""
    start = content.rfind(b"{", max(0, position - _RECORD_BYTES), position)
    end = content.find(b"}", position, position + _RECORD_BYTES)
    if start < 0 or end < 0:
        return None
    try:
        return json.loads(content[start : end + 1])
    except ValueError:
        return None


def _parse_records(file: Path) -> list[Node]:
    return [_record(item.value, file, index) for index, item in enumerate(Node.load(file).items())]


def _record(value: Any, file: Path, index: int) -> Node:
    """A record whose errors name its token, or its row where it has none."""
    token = value.get("token") if isinstance(value, dict) else None
    return Node(value, file, f"token {token}" if isinstance(token, str) else f"row {index}")


def _tell(scenes: list[Node]) -> str:
    names: Iterator[str] = (f"{row['name'].text()} ({row['token'].text()})" for row in scenes)
    told = [name for name, _ in zip(names, range(_NAMES_TOLD), strict=False)]
    more = f" and {len(scenes) - len(told)} more" if len(scenes) > len(told) else ""
    return f"Scenes: {', '.join(told)}{more}." if told else "At least one scene is needed."
