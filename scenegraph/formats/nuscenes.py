"""nuScenes v1.0 data sets, and others that use its tables (Lyft Level 5, T4): ego, boxes and cameras of one scene.

    <root>/<version>/*.json           tables                                        needed
    <root>/samples, <root>/sweeps     pictures, see ``images``                      optional
    <root>/maps                       rasters and the map expansion                 not read

Tables are in global coordinates (metres, x east, y north, z up), where nuScenes' ego always has z = 0. The
world's origin is moved to the first ego position, rounded to whole metres; its axes stay. Boxes are annotated
at key frames, twice a second, and interpolated between them. The tables are read without the official devkit;
``nuscenes_tables`` says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..actor import Actor, Category
from ..arrays import FloatArray
from ..camera import Camera
from ..errors import FrameError
from ..hdmap import HDMap
from ..lens import Pinhole
from ..rig import CameraRig
from ..scene import Scene
from ..se3 import SE3
from ..trajectory import Trajectory
from .nuscenes_tables import NuScenesTables, Shot
from .strict_json import Node

CAMERAS: Final = (
    "CAM_FRONT",
    "CAM_FRONT_RIGHT",
    "CAM_BACK_RIGHT",
    "CAM_BACK",
    "CAM_BACK_LEFT",
    "CAM_FRONT_LEFT",
)
# Instances can skip a key frame: one missing between two (1.0 s) is bridged, two are not.
MAX_GAP_US: Final = 1_100_000
# Pictures of a key frame are taken before its time: up to 45 ms in nuScenes, 103 ms in Lyft's set.
EXTRAPOLATE_US: Final = 125_000

_WORDS = {
    Category.CAR: ("vehicle.car", "vehicle.emergency.police", "car", "emergency_vehicle"),
    Category.TRUCK: (
        "vehicle.truck",
        "vehicle.bus.rigid",
        "vehicle.bus.bendy",
        "vehicle.trailer",
        "vehicle.construction",
        "vehicle.emergency.ambulance",
        "truck",
        "bus",
        "other_vehicle",
    ),
    Category.PEDESTRIAN: (
        "human.pedestrian.adult",
        "human.pedestrian.child",
        "human.pedestrian.construction_worker",
        "human.pedestrian.police_officer",
        "pedestrian",
    ),
    Category.CYCLIST: ("vehicle.bicycle", "vehicle.motorcycle", "bicycle", "motorcycle"),
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in words}

_MAP_NOTE = "not read: the scene has ego, boxes and cameras but no lanes, kerbs or crossings"
_MOTIONAL_LOCATIONS = ("boston-seaport", "singapore-hollandvillage", "singapore-onenorth", "singapore-queenstown")
_LICENCE = {
    "licence": "CC BY-NC-SA 4.0 and the nuScenes Terms of Use",
    "attribution": (
        "nuScenes (c) Motional AD Inc.; H. Caesar et al., nuScenes: A multimodal dataset for autonomous driving, "
        "CVPR 2020"
    ),
}
_OTHER_LICENCE = {
    "licence": "not known: these tables are not of a place where nuScenes was recorded; see their publisher's terms",
    "attribution": "not known: see the publisher's terms",
}

_SAME_PLACE_M = 0.01
_SAME_ROTATION = 1e-3
_TINY = 1e-9


def category_of(word: str) -> Category:
    """The class of an object by its category's name, in any case; names that are not listed are Others."""
    return _CATEGORY.get(word.lower(), Category.OTHERS)


def read_nuscenes(root: Path, scene: str | None = None, version: str | None = None) -> Scene:
    """One scene of a data set.

    root: its folder, or that of one version in it. scene: its name ("scene-0061") or token; may be left out where
    there is just one. version: the tables' folder ("v1.0-mini"); may be left out where there is just one, or just
    one that holds the scene. The rig holds the cameras of the scene's first key frame, clockwise from the front;
    those with other names follow. Frame times are left open: the cameras of nuScenes fire one after the other.
    Attributes, visibility and point counts of boxes are not read.
    """
    tables = NuScenesTables.find(Path(root), version, scene)
    row = tables.scene(scene)
    samples = tables.scene_samples(row)
    shots = tables.scene_sensors(row)
    first_token = samples[0][1]["token"].text()

    global_from_ego = _read_drive(tables, row, shots)
    origin_m = np.round(global_from_ego.world_from_body.translation_m[0]) + 0.0  # no -0
    world_from_ego = _rebased(global_from_ego.world_from_body, origin_m)
    return Scene(
        clip_id=row["name"].text(),
        hdmap=HDMap(),
        ego=Trajectory(global_from_ego.timestamps_us, world_from_ego),
        actors=_read_actors(tables, samples, origin_m),
        rig=_read_rig([shot for shot in shots if shot.row["sample_token"].value == first_token]),
        world_origin_m=origin_m,
        source=_describe(tables, row),
    )


# -- ego ------------------------------------------------------------------------------------------


def _read_drive(tables: NuScenesTables, scene: Node, shots: Sequence[Shot]) -> Trajectory:
    """global_from_ego at every instant at which a sensor recorded something.

    The instant is the sensor's: in Lyft's tables ``ego_pose.timestamp`` is the key frame's, whatever the sensor.
    """
    if not shots:
        raise scene.error("the scene has no sensor data", "sample_data.json must hold some, for their ego poses.")
    poses = tables.referred([shot.row for shot in shots], "ego_pose_token", "ego_pose")
    timed: dict[int, Node] = {}
    for shot in sorted(shots, key=lambda shot: (shot.timestamp_us, not shot.is_camera)):
        pose = poses[shot.row["ego_pose_token"].text()]
        _require_agreement(timed.setdefault(shot.timestamp_us, pose), pose, shot.timestamp_us)
    stamps_us = sorted(timed)
    return Trajectory(np.array(stamps_us), _read_poses([timed[stamp_us] for stamp_us in stamps_us]))


def _require_agreement(kept: Node, other: Node, stamp_us: int) -> None:
    """Refuse two ego poses of one instant that contradict each other."""
    if kept is other:
        return
    poses = _read_poses([kept, other])
    moved_m = float(np.linalg.norm(np.subtract(*poses.translation_m)))
    if moved_m > _SAME_PLACE_M or np.abs(np.subtract(*poses.rotation)).max() > _SAME_ROTATION:
        problem = f"another pose than {kept.document} at the same instant {stamp_us} us ({moved_m:.3f} m away)"
        raise other.error(problem, "One pose per instant is allowed.")


def _read_poses(rows: Sequence[Node]) -> SE3:
    """The poses [N] that records hold as rotation (w, x, y, z) and translation."""
    wxyz = np.array([_read_quaternion(row["rotation"]) for row in rows]).reshape(-1, 4)
    return SE3.from_quaternion(wxyz, np.array([row["translation"].array(3) for row in rows]).reshape(-1, 3))


def _read_quaternion(rotation: Node) -> FloatArray:
    wxyz = rotation.array(4)
    if np.linalg.norm(wxyz) < _TINY:
        raise rotation.error("a quaternion of length zero", "A rotation as w, x, y, z is needed.")
    return wxyz


def _rebased(global_from_body: SE3, origin_m: FloatArray) -> SE3:
    return SE3(global_from_body.rotation, global_from_body.translation_m - origin_m)


# -- boxes ----------------------------------------------------------------------------------------


def _read_actors(
    tables: NuScenesTables, samples: Sequence[tuple[int, Node]], origin_m: FloatArray
) -> tuple[Actor, ...]:
    """One actor per annotated instance, in the order of the table."""
    stamps_us = {sample["token"].text(): stamp_us for stamp_us, sample in samples}
    boxes = tables.select("sample_annotation", "sample_token", stamps_us)
    instances = tables.referred(boxes, "instance_token", "instance")
    categories = tables.referred(list(instances.values()), "category_token", "category")
    tracks: defaultdict[str, dict[int, Node]] = defaultdict(dict)
    for box in boxes:
        track, stamp_us = tracks[box["instance_token"].text()], stamps_us[box["sample_token"].text()]
        if stamp_us in track:
            problem = f"the instance has a box already in this sample ({track[stamp_us].document})"
            raise box["instance_token"].error(problem, "One box per instance and sample is allowed.")
        track[stamp_us] = box
    names = {token: categories[row["category_token"].text()]["name"].text() for token, row in instances.items()}
    return tuple(_build_actor(token, names[token], track, origin_m) for token, track in tracks.items())


def _build_actor(token: str, source_category: str, track: dict[int, Node], origin_m: FloatArray) -> Actor:
    stamps_us = sorted(track)
    boxes = [track[stamp_us] for stamp_us in stamps_us]
    width_m, length_m, height_m = np.array([_read_size(box["size"]) for box in boxes]).T
    return Actor(
        id=token,
        category=category_of(source_category),
        trajectory=Trajectory(np.array(stamps_us), _rebased(_read_poses(boxes), origin_m)),
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        source_category=source_category,
        extrapolate_us=EXTRAPOLATE_US,
        max_gap_us=MAX_GAP_US,
    )


def _read_size(size: Node) -> FloatArray:
    """Width, length, height in metres, in the order of the tables."""
    sizes_m = size.array(3)
    if not (sizes_m > 0).all():
        raise size.error(f"a size of {sizes_m.min():g} m", "Width, length and height must be above 0.")
    return sizes_m


# -- cameras --------------------------------------------------------------------------------------


def _read_rig(shots: Sequence[Shot]) -> CameraRig:
    """The cameras among what the sensors recorded for one key frame."""
    found: dict[str, Camera] = {}
    for shot in shots:
        if not shot.is_camera or not shot.row["is_key_frame"].flag():
            continue
        if shot.channel in found:
            problem = f"a second picture of {shot.channel} in this key frame"
            raise shot.row.error(problem, "One key-frame picture per camera and sample is allowed.")
        found[shot.channel] = _read_camera(shot)
    listed = [name for name in CAMERAS if name in found]
    return CameraRig(tuple(found[name] for name in listed + sorted(found.keys() - set(listed))))


def _read_camera(shot: Shot) -> Camera:
    intrinsic = shot.mount["camera_intrinsic"]
    k = intrinsic.array(3, 3)
    if k[0, 1] or k[1, 0] or k[2].tolist() != [0.0, 0.0, 1.0]:
        raise intrinsic.error("not a pinhole without skew", "[[fx, 0, cx], [0, fy, cy], [0, 0, 1]] is needed.")
    width_px, height_px = shot.row["width"].integer(), shot.row["height"].integer()
    if width_px < 1 or height_px < 1:
        raise shot.row.error(f"a picture of {width_px}x{height_px} px", "Width and height must be above 0.")
    pose = _read_poses([shot.mount])[0]
    try:
        lens = Pinhole(*(float(value) for value in (k[0, 0], k[1, 1], k[0, 2], k[1, 2])))
        return Camera(shot.channel, lens, width_px, height_px, pose)
    except FrameError as error:
        raise intrinsic.error(f"no lens of camera {shot.channel} ({error})", "A usable pinhole is needed.") from error


# -- source ---------------------------------------------------------------------------------------


def _describe(tables: NuScenesTables, scene: Node) -> dict[str, str]:
    """What the scene was made from. Only tables of nuScenes' own places are under nuScenes' licence."""
    log = tables.referred([scene], "log_token", "log")[scene["log_token"].text()]
    location = log["location"].text()
    return {
        "format": "nuscenes",
        "version": tables.folder.name,
        "scene": scene["name"].text(),
        "location": location,
        "map": _MAP_NOTE,
        **(_LICENCE if location in _MOTIONAL_LOCATIONS else _OTHER_LICENCE),
    }
