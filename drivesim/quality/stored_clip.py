"""A clip that was generated or filmed, read back from its folder with the cameras it was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from render.controls import ControlRenderer
from render.errors import RenderError
from render.video import read_video
from scenegraph import SE3, Brown, Camera, CameraRig, ClipCameras, FTheta, Lens, OpenCvFisheye, Pinhole, Scene
from scenegraph.arrays import UInt8Array
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..clip_folder import CLIP_FILE, description_of, is_finished
from ..errors import DatasetError

_LENSES: Final[dict[str, Callable[..., Lens]]] = {
    "pinhole": Pinhole,
    "brown": Brown,
    "fisheye": OpenCvFisheye,
    "ftheta": FTheta,
}


@dataclass(frozen=True, eq=False)
class StoredClip:
    """frames: uint8 [V,T,H,W,3]. cameras: it was made for. chunks: (start, stop) of what each pass added, or none."""

    frames: UInt8Array
    cameras: ClipCameras
    chunks: tuple[tuple[int, int], ...]


def read_stored_clip(folder: Path, scene: Scene) -> StoredClip:
    """Read a clip of this scene; one of another scene, or without one, is a DatasetError."""
    described = description_of(folder) if folder.is_dir() else None
    if described is None or not is_finished(folder):
        raise DatasetError(
            f"{folder}: holds no whole clip (no {CLIP_FILE}). Name a folder of drivesim generate or world"
        )
    if "timestamps_us" not in described:
        raise DatasetError(
            f"{folder / CLIP_FILE}: does not say which cameras it was made for, as clips of videos made elsewhere. "
            "Name a clip of a scene"
        )
    try:
        cameras = _cameras(described, scene)
        content, files = described["content"], [camera["file"] for camera in described["cameras"]]
        chunks = described.get("generation", {}).get("chunks", ())
        added = tuple((start + overlap, stop) for start, stop, overlap in chunks)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{folder / CLIP_FILE}: is damaged: {error!r}. Generate the clip again") from error
    if ControlRenderer(scene, cameras).digest() != content:
        raise DatasetError(
            f"{folder}: was made of {described.get('clip')}, with other content than {scene.clip_id}. "
            "Name the scene with the same --clip, --rig and --set as then"
        )
    return StoredClip(_frames([folder / name for name in files], len(cameras.timestamps_us)), cameras, added)


def _cameras(described: Mapping[str, Any], scene: Scene) -> ClipCameras:
    rig = CameraRig(tuple(_camera(camera) for camera in described["cameras"]))
    times_us = np.array(described["timestamps_us"], dtype=np.int64)
    return rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)


def _camera(said: Mapping[str, Any]) -> Camera:
    numbers = dict(said["lens"])
    lens = _LENSES[numbers.pop("kind")]
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in numbers.items()}
    pose = np.array(said["ego_from_camera"], dtype=np.float64)
    ego_from_camera = SE3(pose[:3, :3], pose[:3, 3])
    return Camera(said["name"], lens(**fields), said["width_px"], said["height_px"], ego_from_camera)


def _frames(paths: list[Path], count: int) -> UInt8Array:
    films = []
    for path in paths:
        try:
            film = read_video(path)
        except RenderError as error:
            raise DatasetError(f"{error}. Generate the clip again") from error
        if len(film) != count:
            raise DatasetError(f"{path}: holds {len(film)} frames of {count}. Generate the clip again")
        films.append(film)
    sizes = {film.shape for film in films}
    if len(sizes) != 1:
        raise DatasetError(f"{paths[0].parent}: pictures differ in size between cameras, and are measured in one size")
    return np.stack(films)
