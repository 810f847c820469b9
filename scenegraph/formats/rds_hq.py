"""RDS-HQ: NVIDIA's WebDataset clips (Cosmos-Drive-Dreams), a folder per attribute with one tar per clip.

World metres as in the files (x forward, y left, z up). Frame f is at round(f 1e6/30) microseconds; the
``timestamp`` layer is not read. Speed limits are left out: the format does not say their unit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..arrays import FloatArray
from ..camera import CAMERA_FROM_FLU, Camera
from ..errors import FormatError, FrameError
from ..lens import FTheta, Lens, Pinhole
from ..rig import CameraRig
from ..scene import Scene
from ..se3 import SE3
from ..trajectory import Trajectory
from .dropped import Dropped
from .nvidia_names import view_rank
from .rds_map import read_lights, read_map
from .rds_objects import read_actors
from .rds_tar import Archive, find_archive

_LAYOUT = "An RDS-HQ folder holds ATTRIBUTE/CLIP.tar, such as vehicle_pose/CLIP.tar."


def read_rds_hq(root: Path, clip: str | None = None) -> Scene:
    """One clip of an RDS-HQ folder; without a name, the only one there is.

    The ego is ``vehicle_pose``; without it, the front camera's pose turned to vehicle axes, which
    ``source["ego"]`` then says. Without ``pose`` the rig is empty (see ``read_rds_hq_lenses``); cameras that have
    a pose but no lens are left out, and ``source["dropped"]`` names them.
    """
    clip = _clip(root, clip)
    dropped = Dropped()
    frames, ego, rig, origin = _drive(root, clip, dropped)
    return Scene(
        clip_id=clip,
        hdmap=read_map(root, clip, dropped),
        ego=ego,
        actors=read_actors(root, clip, _time_us),
        rig=rig,
        light_states=read_lights(root, clip, frames[-1] + 1, _time_us),
        frame_timestamps_us=ego.timestamps_us,
        source={"format": "rds-hq", **origin, **dropped.as_source()},
    )


def read_rds_hq_lenses(root: Path, clip: str | None = None) -> dict[str, tuple[Lens, int, int]]:
    """(lens, width_px, height_px) by camera name: f-theta where there is one, else pinhole."""
    clip = _clip(root, clip)
    lenses = _lenses(root, clip)
    if not lenses:
        allowed = "Lenses of the cameras, in ftheta_intrinsic or pinhole_intrinsic, are needed."
        raise FormatError(root / "ftheta_intrinsic", f"{clip}.tar", "no lens was found", allowed)
    return dict(sorted(lenses.items(), key=lambda item: view_rank(item[0])))


def _lenses(root: Path, clip: str) -> dict[str, tuple[Lens, int, int]]:
    lenses: dict[str, tuple[Lens, int, int]] = {}
    for attribute in ("pinhole_intrinsic", "ftheta_intrinsic"):
        archive = find_archive(root, attribute, clip)
        if archive is None:
            continue
        for key in archive.members:
            name = key.removeprefix(f"{attribute}.").removesuffix(".npy")
            if key == f"{attribute}.{name}.npy":
                lenses[name] = _lens(archive, key, name)
    return lenses


def _time_us(frame: int) -> int:
    return round(frame * 1e6 / 30)


def _clip(root: Path, clip: str | None) -> str:
    if not root.is_dir():
        raise FormatError(root, "", "there is no such folder", _LAYOUT)
    clips = sorted({tar.stem for tar in root.glob("*/*.tar")})
    if not clips:
        raise FormatError(root, "", "holds no clips", _LAYOUT)
    if clip is None and len(clips) > 1:
        raise FormatError(root, "", f"holds {len(clips)} clips", f"Name one: {_listed(clips)}.")
    if clip is not None and clip not in clips:
        raise FormatError(root, clip, "there is no such clip", f"Present are {_listed(clips)}.")
    return clip or clips[0]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


# -- ego and cameras ------------------------------------------------------------------------------


def _drive(root: Path, clip: str, dropped: Dropped) -> tuple[list[int], Trajectory, CameraRig, dict[str, str]]:
    """Frame numbers, the ego, the rig, and a word on where the ego is from."""
    vehicle, cameras = find_archive(root, "vehicle_pose", clip), find_archive(root, "pose", clip)
    names = _camera_names(cameras) if cameras else []
    if vehicle:
        frames, ego = _trajectory(vehicle, "vehicle_pose.npy")
        lenses = _lenses_of(root, clip, names, dropped)
        return frames, ego, _rig(cameras, lenses, frames[0], ego.world_from_body[0]), {}
    if cameras is None or not names:
        raise FormatError(root / "vehicle_pose", f"{clip}.tar", "the tar is missing", "It, or pose, is needed.")
    frames, camera_path = _trajectory(cameras, f"pose.{names[0]}.npy")
    ego = Trajectory(camera_path.timestamps_us, camera_path.world_from_body @ CAMERA_FROM_FLU)
    origin = {"ego": f"the pose of {names[0]}, not a point on the ground"}
    lenses = _lenses_of(root, clip, names, dropped)
    return frames, ego, _rig(cameras, lenses, frames[0], ego.world_from_body[0]), origin


def _camera_names(cameras: Archive) -> list[str]:
    """Cameras with poses, in view order."""
    found = {key.split(".")[2] for key in cameras.members if key.count(".") == 3 and ".pose." in key}
    return sorted(found, key=view_rank)


def _trajectory(archive: Archive, ending: str) -> tuple[list[int], Trajectory]:
    keys = archive.frames(ending)
    if len(keys) < 2:
        problem = "the tar has a single pose" if keys else "the tar has no poses"
        raise FormatError(archive.path, f"FRAME.{ending}", problem, "The ego needs at least 2.")
    stamps = np.array([_time_us(frame) for frame in keys], dtype=np.int64)
    return list(keys), Trajectory(stamps, SE3.stack([archive.pose(key) for key in keys.values()]))


def _lenses_of(root: Path, clip: str, names: list[str], dropped: Dropped) -> dict[str, tuple[Lens, int, int]]:
    """Lens and size of those of the named cameras that have them; the others are counted as dropped."""
    lenses = _lenses(root, clip) if names else {}
    blind = [name for name in names if name not in lenses]
    dropped.add("cameras", f"no lens ({', '.join(blind)})", len(blind))
    return {name: lenses[name] for name in names if name in lenses}


def _rig(
    cameras: Archive | None, lenses: dict[str, tuple[Lens, int, int]], frame: int, world_from_ego: SE3
) -> CameraRig:
    """Cameras as they sit on the vehicle in its first frame."""
    if cameras is None:
        return CameraRig(())
    ego_from_world = world_from_ego.inverse()
    poses = {name: ego_from_world @ cameras.pose(f"{frame:06d}.pose.{name}.npy") for name in lenses}
    return CameraRig(tuple(Camera(name, *lens, poses[name]) for name, lens in lenses.items()))


def _lens(archive: Archive, key: str, name: str) -> tuple[Lens, int, int]:
    is_ftheta = key.startswith("ftheta")
    numbers = archive.numbers(key, (11,), (14,)) if is_ftheta else archive.numbers(key, (6,))
    width_px, height_px = (numbers[2:4] if is_ftheta else numbers[4:6]).tolist()
    if width_px != int(width_px) or height_px != int(height_px):
        raise FormatError(archive.path, key, f"size {width_px:g} x {height_px:g}", "Whole pixels are needed.")
    try:
        lens = _ftheta(archive, key, numbers) if is_ftheta else Pinhole(*numbers[:4].tolist())
        Camera(name, lens, int(width_px), int(height_px), SE3.identity())
    except FrameError as error:
        allowed = "The size must be positive, and the lens must move larger angles further out."
        raise FormatError(archive.path, key, str(error), allowed) from error
    return lens, int(width_px), int(height_px)


def _ftheta(archive: Archive, key: str, numbers: FloatArray) -> FTheta:
    cx_px, cy_px, _, _, *polynomial = numbers[:10].tolist()
    if numbers[10] not in (0.0, 1.0):
        raise FormatError(archive.path, key, f"direction {numbers[10]:g}", "0 (forward) or 1 (backward) is needed.")
    linear = numbers[11:].tolist()
    if numbers[10]:
        return FTheta(cx_px, cy_px, tuple(polynomial), "pixeldistance-to-angle", *linear)
    return FTheta(cx_px, cy_px, tuple(polynomial), "angle-to-pixeldistance", *linear)
