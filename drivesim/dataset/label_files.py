"""Labels on disk: one Parquet file per table, and a JSON file of names.

Parquet because every tool for tables reads it by column, absent boxes and empty pictures cost nothing, and float64
comes back bit by bit. A column of several numbers is a list of fixed length.

    labels/labels.json           format, cameras, actors, lane lines, lights, lidar, words of the codes
    labels/ego.parquet ...       one per table of ``rows``
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from render.lidar import LidarSpec
from scenegraph import SE3

from ..clip_folder import write_json
from ..errors import DatasetError
from .attributes import ATTRIBUTES
from .boxes import VISIBILITY
from .labels import LIGHT_STATES, ActorNames, ClipLabels, LaneNames
from .rows import Rows

LABELS_FILE = "labels.json"
FORMAT = 1

_Table = TypeVar("_Table", bound=Rows)
_TABLES = {name: kind for name, kind in get_type_hints(ClipLabels).items() if isinstance(kind, type)}
_TABLES = {name: kind for name, kind in _TABLES.items() if issubclass(kind, Rows)}


def write_labels(labels: ClipLabels, folder: Path) -> None:
    """Fill a folder that exists."""
    for name in _TABLES:
        rows: Rows = getattr(labels, name)
        columns = {key: _to_arrow(column) for key, column in rows.columns().items()}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")
    write_json(folder / LABELS_FILE, _names(labels))


def read_labels(folder: Path) -> ClipLabels:
    """What ``write_labels`` wrote, the same to the last bit."""
    path = folder / LABELS_FILE
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        if names["format"] != FORMAT:
            raise DatasetError(f"{path}: is of format {names['format']}, and this drivesim reads {FORMAT}. Update it")
        tables: dict[str, Any] = {name: _read_table(folder / f"{name}.parquet", kind) for name, kind in _TABLES.items()}
        return ClipLabels(
            cameras=tuple(names["cameras"]),
            actors=tuple(ActorNames(**actor) for actor in names["actors"]),
            lane_lines=tuple(LaneNames(**line) for line in names["lane_lines"]),
            lights=tuple(names["lights"]),
            lidar=_lidar(names["lidar"]),
            with_ground=bool(names["with_ground"]),
            **tables,
        )
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise DatasetError(f"{folder}: holds no labels that can be read: {error}. Add the clip anew") from error


def lidar_in_words(lidar: LidarSpec | None) -> dict[str, Any] | None:
    """A sensor as JSON has it."""
    if lidar is None:
        return None
    words = {field.name: getattr(lidar, field.name) for field in fields(lidar)}
    return words | {
        "elevations_rad": list(lidar.elevations_rad),
        "ego_from_sensor": lidar.ego_from_sensor.matrix.tolist(),
    }


def _lidar(words: dict[str, Any] | None) -> LidarSpec | None:
    if words is None:
        return None
    pose = SE3.from_matrix(words["ego_from_sensor"])
    return LidarSpec(**(words | {"elevations_rad": tuple(words["elevations_rad"]), "ego_from_sensor": pose}))


def _names(labels: ClipLabels) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "cameras": list(labels.cameras),
        "actors": [asdict(actor) for actor in labels.actors],
        "lane_lines": [asdict(line) for line in labels.lane_lines],
        "lights": list(labels.lights),
        "lidar": lidar_in_words(labels.lidar),
        "with_ground": labels.with_ground,
        "codes": {
            "attribute": [str(word) for word in ATTRIBUTES],
            "visibility": list(VISIBILITY),
            "state": [str(state) for state in LIGHT_STATES],
        },
    }


def _to_arrow(column: npt.NDArray[Any]) -> Any:
    flat = pa.array(np.ascontiguousarray(column).ravel())
    return flat if column.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, column.shape[1])


def _read_table(path: Path, kind: type[_Table]) -> _Table:
    table = pq.read_table(path)
    return kind(**{field.name: _to_numpy(table.column(field.name)) for field in fields(kind)})


def _to_numpy(column: Any) -> npt.NDArray[Any]:
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # what some releases make of a column without rows
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    if not pa.types.is_fixed_size_list(whole.type):
        return np.array(whole.to_numpy(zero_copy_only=False))
    values = whole.flatten().to_numpy(zero_copy_only=False)
    return np.array(values).reshape(len(whole), whole.type.list_size)
