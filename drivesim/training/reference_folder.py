"""The folders that the reference is post-trained on, read as clips.

    FOLDER/videos/ftheta_camera_front_wide_120fov/STEM.mp4
    FOLDER/control_input_hdmap_bbox/ftheta_camera_front_wide_120fov/STEM.mp4
    FOLDER/captions/ftheta_camera_front_wide_120fov/STEM.json       with the key caption

Stems are equal in all folders. The first frames are taken. The layout says nothing about where cameras look, so a rig
with cameras of these names has to.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from render.video import frames as decoded_frames
from render.video import probe
from scenegraph import CameraRig
from scenegraph.arrays import UInt8Array
from scenegraph.formats.nvidia_names import canonical_camera_name

from ..errors import DatasetError
from .clips import TrainingClip, geometry_of

VIDEOS, CONTROLS, CAPTIONS = "videos", "control_input_hdmap_bbox", "captions"

_PREFIX = "ftheta_"


def is_reference_folder(folder: Path) -> bool:
    """Whether a folder is laid out like this."""
    return all((folder / kind).is_dir() for kind in (VIDEOS, CONTROLS, CAPTIONS))


def reference_stems(folder: Path, rig: CameraRig) -> list[str]:
    """Names of its clips, all of which are complete. rig: what cameras of these names look at."""
    return _stems(folder, list(_cameras(folder, rig).values()))


def read_reference_clip(
    folder: Path, rig: CameraRig, stem: str, width_px: int, height_px: int, frames: int
) -> TrainingClip:
    """A clip of so many frames, pictures resized, views in the order of the rig."""
    cameras = _cameras(folder, rig)
    names = tuple(name for name in rig.names if name in cameras)
    rays, neighbours = geometry_of(rig.select(names), width_px, height_px)
    paths = {kind: [folder / kind / cameras[name] / f"{stem}.mp4" for name in names] for kind in (VIDEOS, CONTROLS)}
    video, control = (
        np.stack([_film(path, width_px, height_px, frames) for path in paths[kind]]) for kind in (VIDEOS, CONTROLS)
    )
    fps = float(probe(paths[VIDEOS][0]).fps)
    return TrainingClip(stem, video, control, rays, neighbours, _caption(folder, stem), names, fps)


def _cameras(folder: Path, rig: CameraRig) -> dict[str, str]:
    """The folder of every camera, by its name in the rig."""
    if not is_reference_folder(folder):
        missing = next(kind for kind in (VIDEOS, CONTROLS, CAPTIONS) if not (folder / kind).is_dir())
        raise DatasetError(f"{folder}: has no folder {missing}. Expected {VIDEOS}, {CONTROLS} and {CAPTIONS}")
    there = sorted(path.name for path in (folder / VIDEOS).iterdir() if path.is_dir())
    found = {canonical_camera_name(name.removeprefix(_PREFIX)): name for name in there}
    if not found:
        raise DatasetError(f"{folder / VIDEOS}: holds no folder of a camera, such as ftheta_camera_front_wide_120fov")
    unknown = [found[name] for name in found if name not in rig.names]
    if unknown:
        raise DatasetError(
            f"{folder / VIDEOS / unknown[0]}: the rig has no camera of this name, it has {', '.join(rig.names)}. "
            "Name a rig that says where these cameras look"
        )
    return found


def _stems(folder: Path, cameras: list[str]) -> list[str]:
    """Names of the clips, which every camera has, both as video and as control video."""
    stems = sorted(path.stem for path in (folder / VIDEOS / cameras[0]).glob("*.mp4"))
    if not stems:
        raise DatasetError(f"{folder / VIDEOS / cameras[0]}: holds no .mp4")
    for stem in stems:
        for kind in (VIDEOS, CONTROLS):
            for camera in cameras:
                path = folder / kind / camera / f"{stem}.mp4"
                if not path.is_file():
                    raise DatasetError(f"{path}: is missing. Every camera needs this clip, or none")
    return stems


def _film(path: Path, width_px: int, height_px: int, frames: int) -> UInt8Array:
    """The first frames in the size of the network."""
    film = [_resized(frame, width_px, height_px) for frame in islice(decoded_frames(path), frames)]
    if len(film) < frames:
        raise DatasetError(f"{path}: has {len(film)} frames, and {frames} are needed. Train on fewer, or remove it")
    return np.stack(film)


def _resized(frame: UInt8Array, width_px: int, height_px: int) -> UInt8Array:
    if frame.shape[:2] == (height_px, width_px):
        return frame
    method = cv2.INTER_AREA if frame.shape[1] >= width_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (width_px, height_px), interpolation=method), dtype=np.uint8)


def _caption(folder: Path, stem: str) -> str:
    """The caption of a clip, which one of the cameras has."""
    paths = sorted((folder / CAPTIONS).glob(f"*/{stem}.json"))
    if not paths:
        raise DatasetError(f"{folder / CAPTIONS}: no camera has a {stem}.json with the caption of this clip")
    try:
        said = json.loads(paths[0].read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"{paths[0]}: is not JSON: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("caption"), str):
        raise DatasetError(f"{paths[0]}: lacks a text under the key caption")
    return str(said["caption"])
