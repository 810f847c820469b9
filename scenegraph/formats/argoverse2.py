"""Argoverse 2 sensor logs: one folder per log.

    <log>/city_SE3_egovehicle.feather     ego poses                                     needed
    <log>/map/log_map_archive_*.json      vector map                                    needed
    <log>/map/*_ground_height_*.npy       ground raster, with *___img_Sim2_city.json    optional
    <log>/annotations.feather             boxes at about 10 Hz                          optional
    <log>/calibration/*.feather           cameras                                       optional

City coordinates reach several kilometres, so the world's origin is moved to the first ego position, rounded
to whole metres; its axes stay those of the city (x east, y north, z up). The published vehicle frame floats at
wheel-centre height; ours is put on the ground. With annotations the scene lasts from the first sweep to the last.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..arrays import BoolArray, IntArray
from ..camera import Camera
from ..errors import FormatError
from ..lens import Pinhole
from ..rig import CameraRig
from ..scene import Scene
from ..se3 import SE3
from ..trajectory import Trajectory
from .argoverse2_ground import measure_ego_height
from .argoverse2_map import build_hdmap, read_city_map
from .argoverse2_tracks import (
    Annotations,
    build_actors,
    merge_riders,
    read_annotations,
    read_poses,
    read_sizes,
    split_furniture,
)
from .dropped import Dropped
from .tables import Table, read_table

RING_CAMERAS = (
    "ring_front_center",
    "ring_front_left",
    "ring_side_left",
    "ring_rear_left",
    "ring_rear_right",
    "ring_side_right",
    "ring_front_right",
)
STEREO_CAMERAS = ("stereo_front_left", "stereo_front_right")

_ATTRIBUTION = (
    "Argoverse 2 (c) 2022 Argo AI, LLC; B. Wilson et al., Argoverse 2: Next Generation Datasets for "
    "Self-Driving Perception and Forecasting, NeurIPS Datasets and Benchmarks 2021"
)
_SAME_PLACE_M = 1e-3
_SAME_ROTATION = 1e-4


def read_argoverse2(log: Path, stereo: bool = False) -> Scene:
    """The scene of a sensor log.

    The rig holds the ring cameras that are calibrated, anticlockwise from the front, and with ``stereo`` the
    stereo pair after them; it is empty for a log without calibration. Riders and their cycles are one actor,
    standing bollards and signs are map elements. Argoverse 2 marks no stop lines and no traffic lights.
    """
    if not log.is_dir():
        raise FormatError(log, "", "the folder is missing", "An Argoverse 2 sensor log is a folder.")
    name, boxes_file = log.resolve().name, log / "annotations.feather"

    # 1. What the files hold, in city and vehicle coordinates.
    drive = _read_drive(log / "city_SE3_egovehicle.feather")
    annotations = read_annotations(boxes_file, drive)
    city_map = read_city_map(log / "map")
    rig = _read_rig(log / "calibration", RING_CAMERAS + (STEREO_CAMERAS if stereo else ()))

    # 2. The ego on the ground, and the world's origin.
    drive = _during(drive, annotations)
    origins_m = drive.world_from_body.translation_m
    height_m, measure = measure_ego_height(log / "map", city_map.lane_edges_m, origins_m)
    city_from_ego = drive.world_from_body @ SE3(np.eye(3), np.array([0.0, 0.0, -height_m]))
    origin_m = np.round(city_from_ego.translation_m[0])
    world_from_ego = SE3(city_from_ego.rotation, city_from_ego.translation_m - origin_m)

    # 3. Everything in the world.
    actors = build_actors(boxes_file, annotations, origin_m) if annotations else ()
    actors, poles, signs = split_furniture(merge_riders(actors))
    dropped = Dropped()
    hdmap = build_hdmap(city_map, origin_m, dropped)
    return Scene(
        clip_id=name,
        hdmap=replace(hdmap, poles=poles, traffic_signs=signs),
        ego=Trajectory(drive.timestamps_us, world_from_ego),
        actors=actors,
        rig=rig.moved(SE3(np.eye(3), np.array([0.0, 0.0, height_m]))),
        world_origin_m=origin_m,
        source={
            "format": "argoverse2",
            "log_id": name,
            "city": city_map.city,
            "ego_height_m": f"{height_m:.3f}",
            "ego_height_from": measure,
            "licence": "CC BY-NC-SA 4.0",
            "attribution": _ATTRIBUTION,
            **city_map.as_source(),
            **dropped.as_source(),
        },
    )


def _read_drive(file: Path) -> Trajectory:
    """city_from_egovehicle over time. Rows are published out of order and often a few nanoseconds apart."""
    table = read_table(file)
    stamps_ns = table.integers("timestamp_ns")
    if not len(stamps_ns):
        raise FormatError(file, "", "the table has no rows", "A log needs at least one ego pose.")
    city_from_egovehicle = read_poses(table)
    order = np.argsort(stamps_ns, kind="stable")
    stamps_us = stamps_ns[order] // 1000
    poses = city_from_egovehicle[order]
    new = np.concatenate([[True], np.diff(stamps_us) > 0])
    _require_agreement(file, stamps_us, poses, order, new)
    return Trajectory(stamps_us[new], poses[new])


def _require_agreement(file: Path, stamps_us: IntArray, poses: SE3, order: IntArray, new: BoolArray) -> None:
    """Rows within one microsecond are one pose; refuse those that contradict each other."""
    moved_m = np.linalg.norm(np.diff(poses.translation_m, axis=0), axis=1)
    turned = np.abs(np.diff(poses.rotation, axis=0)).max(axis=(1, 2), initial=0.0)
    wrong = ~new[1:] & ((moved_m > _SAME_PLACE_M) | (turned > _SAME_ROTATION))
    if wrong.any():
        i = int(np.argmax(wrong))
        problem = f"another pose than row {order[i]} in the same microsecond {stamps_us[i]}"
        raise FormatError(file, f"row {order[i + 1]}, timestamp_ns", problem, "One pose per instant is allowed.")


def _during(drive: Trajectory, annotations: Annotations | None) -> Trajectory:
    """The drive from the first annotated sweep to the last, all of it without annotations."""
    if annotations is None:
        return drive
    first_us, last_us = int(annotations.timestamps_us.min()), int(annotations.timestamps_us.max())
    inside = (drive.timestamps_us > first_us) & (drive.timestamps_us < last_us)
    times_us = np.union1d(drive.timestamps_us[inside], [first_us, last_us])
    return Trajectory(times_us, drive.at(times_us))


def _read_rig(folder: Path, names: tuple[str, ...]) -> CameraRig:
    """Those of the named cameras that have both a lens and a pose, in the vehicle frame.

    The distortion k1, k2, k3 is left out: the pictures are published undistorted.
    """
    if not folder.is_dir():
        return CameraRig(())
    lenses, mounts = read_table(folder / "intrinsics.feather"), read_table(folder / "egovehicle_SE3_sensor.feather")
    lens_rows, mount_rows = _rows_by_sensor(lenses), _rows_by_sensor(mounts)
    egovehicle_from_sensor = read_poses(mounts)
    focal_px, centre_px = read_sizes(lenses, "fx_px", "fy_px"), lenses.vectors("cx_px", "cy_px")
    widths_px, heights_px = lenses.integers("width_px"), lenses.integers("height_px")
    read_sizes(lenses, "width_px", "height_px")
    cameras = []
    for name in names:
        if name not in lens_rows or name not in mount_rows:
            continue
        row = lens_rows[name]
        lens = Pinhole(*focal_px[row].tolist(), *centre_px[row].tolist())
        pose = egovehicle_from_sensor[mount_rows[name]]
        cameras.append(Camera(name, lens, int(widths_px[row]), int(heights_px[row]), pose))
    return CameraRig(tuple(cameras))


def _rows_by_sensor(table: Table) -> dict[str, int]:
    rows: dict[str, int] = {}
    for row, name in enumerate(table.strings("sensor_name")):
        if name in rows:
            problem = f"{name} occurs a second time, first in row {rows[name]}"
            raise FormatError(table.path, f"row {row}, sensor_name", problem, "One row per sensor is allowed.")
        rows[name] = row
    return rows
