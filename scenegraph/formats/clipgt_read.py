"""Reading a ClipGT folder; the layout is described in ``clipgt``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..actor import Actor
from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import FormatError
from ..rig import CameraRig
from ..scene import Scene
from ..trajectory import Trajectory
from .clipgt_map import MAP_TABLES, read_map
from .clipgt_poses import exact_poses
from .clipgt_rig import rig_from_json
from .dropped import Dropped
from .nvidia_names import category_of
from .strict_json import Node
from .tables import Table, read_table

_EGO = "egomotion_estimate"
_RIG = "calibration_estimate"
_EXTRAPOLATE_US = 500_000
_TABLES_NEEDED = f"A ClipGT folder holds CLIP.{_EGO}.parquet and CLIP.{_RIG}.parquet."


def read_clipgt(path: Path, corrected: bool = False) -> Scene:
    """The scene in a folder of ``CLIP.TABLE.parquet`` files, in the files' own coordinates.

    In clips that we did not write, tracks of a single box and duplicates (``labelstore:``) are left out, actors
    are carried on for half a second, and map elements that cannot be are counted in ``source["dropped"]``.

    corrected: apply the calibration corrections of the rig. NVIDIA's renderer ignores them, so this does too
    unless asked.
    """
    clip_id = _clip_id(path)

    def file(name: str) -> Path:
        return path / f"{clip_id}.{name}.parquet"

    calibration = _required(file(_RIG))
    dropped = Dropped()
    hdmap, light_states = read_map(
        {name: read_table(file(name)) for name in MAP_TABLES if file(name).exists()}, dropped
    )
    return Scene(
        clip_id=clip_id,
        hdmap=hdmap,
        ego=_ego(_required(file(_EGO))),
        actors=_actors(read_table(file("obstacle")), dropped) if file("obstacle").exists() else (),
        rig=_rig(calibration, corrected),
        light_states=light_states,
        frame_timestamps_us=_frame_times(path / f"{clip_id}.camera_front_wide_120fov.json"),
        world_origin_m=_world_origin_m(calibration),
        source=_source(calibration) | dropped.as_source(),
    )


def _clip_id(folder: Path) -> str:
    if not folder.is_dir():
        raise FormatError(folder, "", "there is no such folder", _TABLES_NEEDED)
    suffix = f".{_EGO}.parquet"
    clips = sorted(file.name.removesuffix(suffix) for file in folder.iterdir() if file.name.endswith(suffix))
    if not clips:
        raise FormatError(folder, _EGO, "the table is missing", _TABLES_NEEDED)
    if len(clips) > 1:
        raise FormatError(folder, _EGO, f"holds {len(clips)} clips ({', '.join(clips)})", "One per folder is allowed.")
    return clips[0]


def _required(file: Path) -> Table:
    if not file.exists():
        raise FormatError(file, "", "the table is missing", _TABLES_NEEDED)
    table = read_table(file)
    if not len(table):
        raise FormatError(file, "", "the table is empty", "At least one row is needed.")
    return table


def _ego(table: Table) -> Trajectory:
    stamps = table.integers("key.timestamp_micros")
    fewest = 1 if table.has("drivesim") else 2
    if len(stamps) < fewest:
        raise FormatError(table.path, "", "the table has a single pose", "The ego needs at least 2.")
    poses, is_rotation = exact_poses(table, f"{_EGO}.location", f"{_EGO}.orientation")
    if not is_rotation.all():
        row = int(np.argmin(is_rotation))
        place = f"row {row}, {_EGO}.orientation"
        raise FormatError(table.path, place, "a quaternion of length zero", "A rotation is needed in every row.")
    _require_increasing(stamps, table.path, "row {}, key.timestamp_micros")
    return Trajectory(stamps, poses)


def _require_increasing(stamps: IntArray, file: Path, place: str) -> None:
    stuck = np.flatnonzero(np.diff(stamps) <= 0)
    if len(stuck):
        row = int(stuck[0]) + 1
        problem = f"{stamps[row]} us does not follow {stamps[row - 1]} us"
        raise FormatError(file, place.format(row), problem, "Times must increase.")


def _rig(table: Table, corrected: bool) -> CameraRig:
    text = table.strings(f"{_RIG}.rig_json")[0]
    return rig_from_json(text, table.path, f"row 0, {_RIG}.rig_json", corrected)


def _frame_times(file: Path) -> IntArray | None:
    if not file.exists():
        return None
    stamps = np.array([item["timestamp"].integer() for item in Node.load(file).items()], dtype=np.int64)
    if not len(stamps):
        raise FormatError(file, "", "no frame times", "At least one is needed.")
    _require_increasing(stamps, file, "[{}].timestamp")
    return stamps


def _world_origin_m(calibration: Table) -> FloatArray:
    own = calibration.has("drivesim")
    return calibration.number_lists("drivesim.world_origin_m", 3)[0] if own else np.zeros(3)


def _source(calibration: Table) -> dict[str, str]:
    """What the scene was made from, as stored; a foreign clip is its own source."""
    if not calibration.has("drivesim"):
        return {"format": "clipgt"}
    keys, values = (calibration.string_lists(f"drivesim.source_{part}")[0] for part in ("keys", "values"))
    if len(keys) != len(values):
        problem = f"{len(keys)} keys for {len(values)} values"
        raise FormatError(calibration.path, "row 0, drivesim.source_keys", problem, "As many of both are needed.")
    return dict(zip(keys, values, strict=True))


# -- actors ---------------------------------------------------------------------------------------


def _actors(table: Table, dropped: Dropped) -> tuple[Actor, ...]:
    """One actor per track, in the order in which the tracks begin in the table."""
    own = table.has("drivesim")
    stamps = table.integers("key.timestamp_micros")
    poses, is_rotation = exact_poses(table, "obstacle.center", "obstacle.orientation")
    sizes_m = _sizes_m(table)
    words = table.strings("obstacle.category")
    source_words, limits = _own_columns(table) if own else (words, [(_EXTRAPOLATE_US, None)] * len(table))
    dropped.add("boxes", "a quaternion of length zero", int((~is_rotation).sum()))
    actors = []
    for track_id, listed in _tracks(table, is_rotation).items():
        if len(listed) < 2 and not own:
            dropped.add("tracks", "a single box")
            continue
        rows = listed[np.argsort(stamps[listed], kind="stable")]
        _refuse_repeats(table, track_id, stamps, rows)
        first = int(rows[0])
        track = Trajectory(stamps[rows], poses[rows])
        category = category_of(words[first])
        length_m, width_m, height_m = sizes_m[rows].T
        words_and_limits = source_words[first], *limits[first]
        actors.append(Actor(track_id, category, track, length_m, width_m, height_m, *words_and_limits))
    return tuple(actors)


def _tracks(table: Table, kept: BoolArray) -> dict[str, IntArray]:
    """Kept rows by track, duplicates of other tracks left out."""
    rows_of: dict[str, list[int]] = {}
    for row, track_id in enumerate(table.strings("obstacle.trackline_id")):
        if kept[row]:
            rows_of.setdefault(track_id, []).append(row)
    own = table.has("drivesim")
    return {t: np.array(rows) for t, rows in rows_of.items() if own or not t.startswith("labelstore:")}


def _sizes_m(table: Table) -> FloatArray:
    sizes_m = table.vectors(*(f"obstacle.size.{axis}" for axis in "xyz"))
    if not (sizes_m > 0).all():
        row, axis = np.argwhere(sizes_m <= 0)[0]
        place = f"row {row}, obstacle.size.{'xyz'[axis]}"
        raise FormatError(table.path, place, f"{sizes_m[row, axis]:g}", "A length above 0 is needed.")
    return sizes_m


def _own_columns(table: Table) -> tuple[tuple[str, ...], list[tuple[int, int | None]]]:
    """Source categories, and (extrapolate_us, max_gap_us), of every row."""
    extrapolate_us = table.integers("drivesim.extrapolate_us").tolist()
    if min(extrapolate_us, default=0) < 0:
        place = f"row {extrapolate_us.index(min(extrapolate_us))}, drivesim.extrapolate_us"
        raise FormatError(table.path, place, f"{min(extrapolate_us)}", "0 microseconds or more are needed.")
    gaps_us = table.optional_integers("drivesim.max_gap_us")
    return table.strings("drivesim.source_category"), list(zip(extrapolate_us, gaps_us, strict=True))


def _refuse_repeats(table: Table, track_id: str, stamps: IntArray, rows: IntArray) -> None:
    repeats = np.flatnonzero(np.diff(stamps[rows]) == 0)
    if len(repeats):
        row = int(rows[repeats[0] + 1])
        problem = f"track {track_id} has two boxes at {stamps[row]} us"
        raise FormatError(table.path, f"row {row}, key.timestamp_micros", problem, "One per track and time is allowed.")
