"""The annotated tracks of an Argoverse 2 log: actors, and the posts and signs among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..actor import Actor, Boxes, Category
from ..arrays import FloatArray, IntArray
from ..errors import FormatError
from ..hdmap import Pole, TrafficSign, box_corners
from ..polyline import Polyline
from ..se3 import SE3
from ..trajectory import Trajectory
from .tables import Table, read_table

# Words that are not listed are drawn as Others; the ego vehicle of scenario-mining files is left out.
_CATEGORIES = {
    **dict.fromkeys(["REGULAR_VEHICLE"], Category.CAR),
    **dict.fromkeys(
        [
            "LARGE_VEHICLE",
            "BOX_TRUCK",
            "TRUCK",
            "TRUCK_CAB",
            "BUS",
            "SCHOOL_BUS",
            "ARTICULATED_BUS",
            "VEHICULAR_TRAILER",
            "RAILED_VEHICLE",
            "MESSAGE_BOARD_TRAILER",
            "TRAFFIC_LIGHT_TRAILER",
        ],
        Category.TRUCK,
    ),
    **dict.fromkeys(["PEDESTRIAN", "OFFICIAL_SIGNALER"], Category.PEDESTRIAN),
    **dict.fromkeys(["BICYCLE", "BICYCLIST", "MOTORCYCLE", "MOTORCYCLIST", "WHEELED_RIDER"], Category.CYCLIST),
}
_EGO = "EGO_VEHICLE"
_RIDERS = {"BICYCLIST", "MOTORCYCLIST", "WHEELED_RIDER"}
_CYCLES = {"BICYCLE", "MOTORCYCLE", "WHEELED_DEVICE"}
_POSTS = {"BOLLARD"}
_SIGNS = {"SIGN", "STOP_SIGN"}

# Sweeps are 100 ms apart. Half of that is added at both ends, so that a box seen once lasts one sweep. Gaps up to
# 1 s are bridged: a car braking with 3 m/s2 in between is off by at most 0.4 m. (Tracks of the sample log have none.)
_HALF_SWEEP_US = 50_000
_MAX_GAP_US = 1_000_000
_RIDING_DISTANCE_M = 1.0
_STATIC_DISTANCE_M = 0.5


@dataclass(frozen=True, eq=False)
class Annotations:
    """Boxes of a log, one row each, in file order.

    timestamps_us [N]; city_from_box SE3 [N], origin at the centre; sizes_m [N,3]: length, width, height.
    """

    timestamps_us: IntArray
    track_ids: tuple[str, ...]
    categories: tuple[str, ...]
    city_from_box: SE3
    sizes_m: FloatArray


def read_annotations(file: Path, city_from_egovehicle: Trajectory) -> Annotations | None:
    """The boxes of ``annotations.feather``, None when the log has no such file or it is empty.

    They are stored in the vehicle frame at the time of their sweep, which must lie within the poses.
    """
    if not file.is_file():
        return None
    table = read_table(file)
    stamps_us = table.integers("timestamp_ns") // 1000
    if not len(stamps_us):
        return None
    covered = city_from_egovehicle.covers(stamps_us)
    if not covered.all():
        row = int(np.argmin(covered))
        problem = f"{stamps_us[row]} us is outside of the ego poses"
        allowed = f"They cover {city_from_egovehicle.first_us} to {city_from_egovehicle.last_us} us."
        raise FormatError(file, f"row {row}, timestamp_ns", problem, allowed)
    return Annotations(
        timestamps_us=stamps_us,
        track_ids=table.strings("track_uuid"),
        categories=table.strings("category"),
        city_from_box=city_from_egovehicle.at(stamps_us) @ read_poses(table),
        sizes_m=read_sizes(table, "length_m", "width_m", "height_m"),
    )


def read_poses(table: Table) -> SE3:
    """dst_from_src [N] of the columns qw, qx, qy, qz and tx_m, ty_m, tz_m."""
    wxyz = table.vectors("qw", "qx", "qy", "qz")
    zero = np.linalg.norm(wxyz, axis=1) < 1e-6
    if zero.any():
        place = f"row {int(np.argmax(zero))}, qw qx qy qz"
        raise FormatError(table.path, place, "a quaternion of length zero", "It must describe a rotation.")
    return SE3.from_quaternion(wxyz, table.vectors("tx_m", "ty_m", "tz_m"))


def read_sizes(table: Table, *columns: str) -> FloatArray:
    """Numbers above 0, [N, len(columns)]."""
    values = table.vectors(*columns)
    wrong = np.argwhere(values <= 0)
    if len(wrong):
        row, column = wrong[0]
        place = f"row {row}, {columns[column]}"
        raise FormatError(table.path, place, f"{values[row, column]:g}", "It must be above 0.")
    return values


def build_actors(file: Path, annotations: Annotations, origin_m: FloatArray) -> tuple[Actor, ...]:
    """One actor per track, sorted by id, in the world whose origin lies at ``origin_m`` [3] in the city.

    The first category of a track counts for all of it. ``file`` is named when a track is at two places at once.
    """
    ids = np.array(annotations.track_ids)
    order = np.lexsort([annotations.timestamps_us, ids])
    tracks = np.split(order, np.flatnonzero(ids[order][1:] != ids[order][:-1]) + 1)
    actors = []
    for rows in tracks:
        word = annotations.categories[rows[0]]
        if word == _EGO:
            continue
        times_us = annotations.timestamps_us[rows]
        twice = np.flatnonzero(np.diff(times_us) == 0)
        if len(twice):
            place = f"row {rows[twice[0] + 1]}, timestamp_ns"
            problem = f"track {ids[rows[0]]} has a second box at {times_us[twice[0]]} us"
            raise FormatError(file, place, problem, "One box per track and sweep is allowed.")
        city_from_box = annotations.city_from_box[rows]
        length_m, width_m, height_m = annotations.sizes_m[rows].T
        world_from_box = SE3(city_from_box.rotation, city_from_box.translation_m - origin_m)
        actors.append(
            Actor(
                str(ids[rows[0]]),
                _CATEGORIES.get(word, Category.OTHERS),
                Trajectory(times_us, world_from_box),
                length_m,
                width_m,
                height_m,
                source_category=word,
                extrapolate_us=_HALF_SWEEP_US,
                max_gap_us=_MAX_GAP_US,
            )
        )
    return tuple(actors)


# -- riders ---------------------------------------------------------------------------------------


def merge_riders(actors: Sequence[Actor]) -> tuple[Actor, ...]:
    """The same actors, but riders and the cycles under them, which are annotated apart, made one actor.

    A rider belongs to the cycle whose centre is within 1 m, measured on the ground, in more than half of the
    sweeps that show both; the nearest pairs are made first. The actor keeps the rider's id and place.
    """
    riders = [a for a in actors if a.source_category in _RIDERS]
    cycles = [a for a in actors if a.source_category in _CYCLES]
    pairs = [
        (apart_m, i, j)
        for i, r in enumerate(riders)
        for j, c in enumerate(cycles)
        if (apart_m := _riding_distance_m(r, c)) is not None
    ]
    cycle_of: dict[str, Actor] = {}
    taken: set[str] = set()
    for _, i, j in sorted(pairs):
        if riders[i].id not in cycle_of and cycles[j].id not in taken:
            cycle_of[riders[i].id] = cycles[j]
            taken.add(cycles[j].id)
    merged = (_rider_on_cycle(a, cycle_of[a.id]) if a.id in cycle_of else a for a in actors)
    return tuple(a for a in merged if a.id not in taken)


def _riding_distance_m(rider: Actor, cycle: Actor) -> float | None:
    """Median distance on the ground over the sweeps that show both, None if they do not belong together."""
    ours, theirs = rider.trajectory, cycle.trajectory
    _, i, j = np.intersect1d(ours.timestamps_us, theirs.timestamps_us, assume_unique=True, return_indices=True)
    if not len(i):
        return None
    away = ours.world_from_body.translation_m[i, :2] - theirs.world_from_body.translation_m[j, :2]
    apart_m = np.hypot(away[:, 0], away[:, 1])
    return float(np.median(apart_m)) if (apart_m <= _RIDING_DISTANCE_M).mean() > 0.5 else None


def _rider_on_cycle(rider: Actor, cycle: Actor) -> Actor:
    """One actor whose box, along the cycle's axes, just holds both; where only one is known, that one's box."""
    times_us = np.union1d(rider.trajectory.timestamps_us, cycle.trajectory.timestamps_us)
    ridden, riding = cycle.boxes_at(times_us), rider.boxes_at(times_us)
    on_cycle, of_cycle = ridden.present[:, None, None], ridden.world_from_box
    world_from_axes = SE3(
        np.where(on_cycle, of_cycle.rotation, riding.world_from_box.rotation),
        np.where(on_cycle[:, 0], of_cycle.translation_m, riding.world_from_box.translation_m),
    )
    extents = [_extent(world_from_axes, boxes) for boxes in (ridden, riding)]
    low = np.minimum(extents[0][0], extents[1][0])
    high = np.maximum(extents[0][1], extents[1][1])
    length_m, width_m, height_m = (high - low).T
    centre_m = world_from_axes.apply(((low + high) / 2)[:, None])[:, 0]
    return Actor(
        rider.id,
        rider.category,
        Trajectory(times_us, SE3(world_from_axes.rotation, centre_m)),
        length_m,
        width_m,
        height_m,
        source_category=f"{rider.source_category}+{cycle.source_category}",
        extrapolate_us=rider.extrapolate_us,
        max_gap_us=rider.max_gap_us,
    )


def _extent(world_from_axes: SE3, boxes: Boxes) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner coordinates [Q,3] along the axes; an absent box takes no room."""
    corners_m = box_corners(boxes.world_from_box, boxes.length_m, boxes.width_m, boxes.height_m)
    local_m = world_from_axes.inverse().apply(corners_m)
    absent = ~boxes.present[:, None]
    return np.where(absent, np.inf, local_m.min(axis=1)), np.where(absent, -np.inf, local_m.max(axis=1))


# -- posts and signs ------------------------------------------------------------------------------


def split_furniture(
    actors: Sequence[Actor],
) -> tuple[tuple[Actor, ...], tuple[Pole, ...], tuple[TrafficSign, ...]]:
    """(other actors, bollards as poles, signs as traffic signs); those that move stay actors."""
    moving, poles, signs = [], [], []
    for actor in actors:
        if actor.source_category not in _POSTS | _SIGNS or not _stands_still(actor):
            moving.append(actor)
        elif actor.source_category in _POSTS:
            poles.append(_pole(actor))
        else:
            signs.append(_sign(actor))
    return tuple(moving), tuple(poles), tuple(signs)


def _stands_still(actor: Actor) -> bool:
    places_m = actor.trajectory.world_from_body.translation_m
    return bool(np.linalg.norm(places_m - np.median(places_m, axis=0), axis=1).max() <= _STATIC_DISTANCE_M)


def _pole(actor: Actor) -> Pole:
    centre_m = np.median(actor.trajectory.world_from_body.translation_m, axis=0)
    half_m = np.array([0.0, 0.0, np.median(actor.height_m) / 2])
    return Pole(actor.id, Polyline(np.stack([centre_m - half_m, centre_m + half_m])))


def _sign(actor: Actor) -> TrafficSign:
    """The median box, upright. A plate annotated now from one side and now from the other keeps its first heading."""
    yaw_rad = actor.trajectory.world_from_body.yaw_rad
    headings = np.stack([np.cos(yaw_rad), np.sin(yaw_rad)], axis=-1)
    headings = headings * np.where(headings @ headings[0] < 0, -1.0, 1.0)[:, None]
    mean = headings.sum(axis=0)
    centre_m = np.median(actor.trajectory.world_from_body.translation_m, axis=0)
    length_m, width_m, height_m = (float(np.median(s)) for s in (actor.length_m, actor.width_m, actor.height_m))
    world_from_plate = SE3.from_yaw(np.arctan2(mean[1], mean[0]), centre_m)
    return TrafficSign(actor.id, world_from_plate, length_m, width_m, height_m, actor.source_category)
