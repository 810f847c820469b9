"""Writing a scene as a ClipGT folder; the layout is described in ``clipgt``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from ..actor import Actor
from ..arrays import FloatArray
from ..errors import FormatError
from ..hdmap import BoxElement, LaneLine, LaneSegment, StopLine, TrafficLight, TrafficSign
from ..polyline import Polyline
from ..publish import atomic_folder
from ..scene import LightTimeline, Scene
from ..se3 import SE3
from .clipgt_rig import rig_to_json
from .nvidia_names import word_for

_Columns: TypeAlias = Callable[[Sequence[Any]], dict[str, Any]]
_SOURCE = "drivesim"
_STAMPS = "camera_front_wide_120fov.json"


def write_clipgt(scene: Scene, folder: Path, overwrite: bool = False) -> None:
    """Write a scene so that ``read_clipgt`` gives it back exactly; the folder appears whole or not at all.

    An existing folder is replaced only with ``overwrite``, and only if nothing but a scene is in it.
    """
    if not scene.clip_id or scene.clip_id != Path(scene.clip_id).name or "\0" in scene.clip_id:
        allowed = "A clip id is part of file names: at least one character, and none of them a slash."
        raise FormatError(folder, "clip_id", f"{scene.clip_id!r} cannot be written", allowed)
    if overwrite and folder.is_dir():
        _refuse_other_files(folder)
    tables = _tables(scene)
    with atomic_folder(folder, replace=overwrite) as unfinished:
        for name, table in tables.items():
            pyarrow.parquet.write_table(table, unfinished / f"{scene.clip_id}.{name}.parquet")
        if scene.frame_timestamps_us is not None:
            stamps = [{"timestamp": int(stamp)} for stamp in scene.frame_timestamps_us]
            (unfinished / f"{scene.clip_id}.{_STAMPS}").write_text(json.dumps(stamps), encoding="utf-8")


def _refuse_other_files(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if not (path.is_file() and (path.suffix == ".parquet" or path.name.endswith(f".{_STAMPS}"))):
            allowed = "Only a folder that holds nothing but a ClipGT scene is replaced."
            raise FormatError(folder, path.name, "does not belong to a scene", allowed)


def _tables(scene: Scene) -> dict[str, pa.Table]:
    """Every table of the scene; those of the map only where they have rows."""
    tables = {
        "calibration_estimate": _calibration(scene),
        "egomotion_estimate": _egomotion(scene),
        "obstacle": _obstacles(scene.clip_id, scene.actors),
    }
    hdmap = scene.hdmap
    layers: dict[str, tuple[Sequence[Any], _Columns, _Columns]] = {
        "lane": (hdmap.lane_segments, _lanes, _lane_extras),
        "lane_line": (hdmap.lane_lines, _lane_lines, _no_extras),
        "road_boundary": (hdmap.road_boundaries, _sorted_lines, _no_extras),
        "crosswalk": (hdmap.crosswalks, _lines, _no_extras),
        "wait_line": (hdmap.stop_lines, _stop_lines, _no_extras),
        "pole": (hdmap.poles, _lines, _no_extras),
        "road_marking": (hdmap.road_markings, _sorted_lines, _no_extras),
        "traffic_light": (hdmap.traffic_lights, _boxes, partial(_light_extras, light_states=scene.light_states)),
        "traffic_sign": (hdmap.traffic_signs, _signs, _box_extras),
    }
    for name, (layer, columns, extras) in layers.items():
        if layer:
            own = {"id": _texts(element.id for element in layer), **extras(layer)}
            tables[name] = _table(name, scene.clip_id, len(layer), columns(layer), own)
    return tables


# -- tables ---------------------------------------------------------------------------------------


def _calibration(scene: Scene) -> pa.Table:
    columns = {"name": _texts([_SOURCE]), "rig_json": _texts([rig_to_json(scene.rig)])}
    extras = {
        "world_origin_m": _lists([3], pa.array(scene.world_origin_m, pa.float64())),
        "source_keys": _text_lists([list(scene.source.keys())]),
        "source_values": _text_lists([list(scene.source.values())]),
    }
    return _table("calibration_estimate", scene.clip_id, 1, columns, extras, np.array([scene.ego.first_us]))


def _egomotion(scene: Scene) -> pa.Table:
    stamps, poses = scene.ego.timestamps_us, scene.ego.world_from_body
    columns = {
        "name": _texts([_SOURCE] * len(stamps)),
        "location": _xyz(poses.translation_m),
        "orientation": _quaternions(poses),
    }
    extras = {"rotation": _rotations(poses.rotation)}
    return _table("egomotion_estimate", scene.clip_id, len(stamps), columns, extras, stamps)


def _obstacles(clip_id: str, actors: Sequence[Actor]) -> pa.Table:
    """One row per key pose, actor after actor."""
    counts = [len(actor.trajectory) for actor in actors]
    poses = SE3(
        _stacked([a.trajectory.world_from_body.rotation for a in actors], (3, 3)),
        _stacked([a.trajectory.world_from_body.translation_m for a in actors], (3,)),
    )
    sizes = [np.stack([a.length_m, a.width_m, a.height_m], axis=-1) for a in actors]
    columns = {
        "trackline_id": _repeated(_texts(a.id for a in actors), counts),
        "center": _xyz(poses.translation_m),
        "size": _xyz(_stacked(sizes, (3,))),
        "orientation": _quaternions(poses),
        "category": _repeated(_texts(word_for(a.category, a.source_category) for a in actors), counts),
    }
    extras = {
        "rotation": _rotations(poses.rotation),
        "source_category": _repeated(_texts(a.source_category for a in actors), counts),
        "extrapolate_us": _repeated(pa.array([a.extrapolate_us for a in actors], pa.int64()), counts),
        "max_gap_us": _repeated(pa.array([a.max_gap_us for a in actors], pa.int64()), counts),
    }
    stamps = np.concatenate([np.zeros(0, np.int64), *(a.trajectory.timestamps_us for a in actors)])
    return _table("obstacle", clip_id, len(stamps), columns, extras, stamps)


def _lanes(lanes: Sequence[LaneSegment]) -> dict[str, Any]:
    columns = {"left_rail": _points([e.left for e in lanes]), "right_rail": _points([e.right for e in lanes])}
    for side in ("left", "right"):
        marks = [getattr(lane, f"{side}_mark") for lane in lanes]
        counts = [len(getattr(lane, side)) if mark else 0 for lane, mark in zip(lanes, marks, strict=True)]
        for part, word in enumerate(("colors", "styles")):
            columns[f"{side}_edge_{word}"] = _repeated_lists([mark[part] if mark else "" for mark in marks], counts)
    return columns


def _lane_extras(lanes: Sequence[LaneSegment]) -> dict[str, Any]:
    return {
        "predecessors": _text_lists([lane.predecessors for lane in lanes]),
        "successors": _text_lists([lane.successors for lane in lanes]),
        "left_neighbour": _texts(lane.left_neighbour for lane in lanes),
        "right_neighbour": _texts(lane.right_neighbour for lane in lanes),
        "lane_type": _texts(lane.lane_type for lane in lanes),
        "is_intersection": pa.array([lane.is_intersection for lane in lanes], pa.bool_()),
        "speed_limit_mps": pa.array([lane.speed_limit_mps for lane in lanes], pa.float64()),
    }


def _lane_lines(lines: Sequence[LaneLine]) -> dict[str, Any]:
    counts = [len(line.polyline) for line in lines]
    return {
        "line_rail": _points([line.polyline for line in lines]),
        "styles": _repeated_lists([line.style for line in lines], counts),
        "colors": _repeated_lists([line.colour for line in lines], counts),
    }


def _lines(elements: Sequence[Any]) -> dict[str, Any]:
    return {"location": _points([element.polyline for element in elements])}


def _sorted_lines(elements: Sequence[Any]) -> dict[str, Any]:
    return {"category": _texts(element.category for element in elements), **_lines(elements)}


def _stop_lines(lines: Sequence[StopLine]) -> dict[str, Any]:
    return {**_sorted_lines(lines), "is_implicit": pa.array([line.is_implicit for line in lines], pa.bool_())}


def _boxes(elements: Sequence[BoxElement]) -> dict[str, Any]:
    poses = SE3.stack([element.world_from_box for element in elements])
    sizes = np.array([(e.length_m, e.width_m, e.height_m) for e in elements], dtype=np.float64)
    return {"center": _xyz(poses.translation_m), "dimensions": _xyz(sizes), "orientation": _quaternions(poses)}


def _signs(signs: Sequence[TrafficSign]) -> dict[str, Any]:
    return {**_boxes(signs), "category": _texts(sign.category for sign in signs)}


def _no_extras(elements: Sequence[Any]) -> dict[str, Any]:
    return {}


def _box_extras(elements: Sequence[BoxElement]) -> dict[str, Any]:
    return {"rotation": _rotations([element.world_from_box.rotation for element in elements])}


def _light_extras(lights: Sequence[TrafficLight], light_states: Mapping[str, LightTimeline]) -> dict[str, Any]:
    timelines = [light_states.get(light.id) for light in lights]
    stamps = [timeline.timestamps_us.tolist() if timeline else [] for timeline in timelines]
    states = [[str(state) for state in timeline.states] if timeline else [] for timeline in timelines]
    return {
        **_box_extras(lights),
        "state_timestamps_us": pa.array(stamps, pa.list_(pa.int64())),
        "states": _text_lists(states),
    }


def _table(
    name: str, clip_id: str, rows: int, columns: dict[str, Any], extras: dict[str, Any], stamps: Any = None
) -> pa.Table:
    key = {"clip_id": _texts([clip_id] * rows)}
    if stamps is not None:
        key["timestamp_micros"] = pa.array(stamps, pa.int64())
    if name not in ("calibration_estimate", "egomotion_estimate"):
        key["label_class_id"] = _texts([f"{_SOURCE}:v1"] * rows)
    version = pa.array([1] * rows, pa.int64())
    return pa.table({"key": _struct(key), name: _struct(columns), "version": version, _SOURCE: _struct(extras)})


# -- columns --------------------------------------------------------------------------------------


def _struct(columns: dict[str, Any]) -> pa.Array:
    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))


def _texts(texts: Iterable[str | None]) -> pa.Array:
    return pa.array(list(texts), pa.string())


def _lists(counts: Sequence[int], values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, *accumulate(counts)], pa.int32()), values)


def _text_lists(texts: Sequence[Sequence[str]]) -> pa.Array:
    return pa.array([list(row) for row in texts], pa.list_(pa.string()))


def _repeated(values: pa.Array, counts: Sequence[int]) -> pa.Array:
    return values.take(pa.array(np.repeat(np.arange(len(counts)), counts), pa.int64()))


def _repeated_lists(words: Sequence[str], counts: Sequence[int]) -> pa.Array:
    return _lists(counts, _repeated(_texts(words), counts))


def _xyz(vectors: FloatArray) -> pa.Array:
    return _struct({axis: pa.array(vectors[:, i], pa.float64()) for i, axis in enumerate("xyz")})


def _quaternions(poses: SE3) -> pa.Array:
    wxyz = poses.quaternion_wxyz
    return _struct({axis: pa.array(wxyz[:, i], pa.float64()) for axis, i in (("x", 1), ("y", 2), ("z", 3), ("w", 0))})


def _rotations(rotations: Any) -> pa.Array:
    flat = np.array(rotations, dtype=np.float64).reshape(-1, 9)
    return _lists([9] * len(flat), pa.array(flat.ravel(), pa.float64()))


def _points(lines: Sequence[Polyline]) -> pa.Array:
    return _lists([len(line) for line in lines], _xyz(_stacked([line.points_m for line in lines], (3,))))


def _stacked(parts: Sequence[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    return np.concatenate([np.zeros((0, *shape)), *parts])
