"""Clips to train on, as folders that anybody can look into.

    SET/00000012/videos/CAMERA.mp4      what the camera sees, without loss
    SET/00000012/controls/CAMERA.mp4    control videos, without loss
    SET/00000012/geometry.npz           rays float32 [V,6,h,w] and neighbours bool [V,V]
    SET/00000012/clip.json              cameras in view order, frame rate, caption, conditions; where it comes from

A folder is there whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from render.video import VideoWriter, read_video
from scenegraph import CameraRig
from scenegraph.arrays import BoolArray, UInt8Array
from scenegraph.publish import atomic_folder
from scenegraph.rays import ray_maps

from ..clip_folder import file_name
from ..errors import DatasetError

CLIP_FILE, GEOMETRY_FILE = "clip.json", "geometry.npz"
VIDEOS, CONTROLS = "videos", "controls"
_CELL_PX = 8


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """One clip with its condition.

    frames, control: uint8 [V,T,H,W,3] RGB. rays: float32 [V,6,H/8,W/8]. neighbours: bool [V,V].
    caption: what it shows, in words. camera_names: [V]. about: conditions, seed and whatever else its maker noted.
    """

    name: str
    frames: UInt8Array
    control: UInt8Array
    rays: npt.NDArray[np.float32]
    neighbours: BoolArray
    caption: str
    camera_names: tuple[str, ...]
    fps: float
    about: Mapping[str, Any] = field(default_factory=dict)


def geometry_of(rig: CameraRig, width_px: int, height_px: int) -> tuple[npt.NDArray[np.float32], BoolArray]:
    """Rays float32 [V,6,h,w] through every latent cell, and neighbours bool [V,V], of pictures of one size."""
    resized = rig.resized(width_px, height_px)
    return ray_maps(resized, height_px // _CELL_PX, width_px // _CELL_PX), rig.neighbours()


def write_clip(folder: Path, clip: TrainingClip) -> None:
    """Store a clip; a folder of the same name is replaced."""
    said = {
        "cameras": list(clip.camera_names),
        "frames": int(clip.frames.shape[1]),
        "fps": clip.fps,
        "caption": clip.caption,
        **clip.about,
    }
    with atomic_folder(folder, replace=True) as partial:
        for kind, films in ((VIDEOS, clip.frames), (CONTROLS, clip.control)):
            (partial / kind).mkdir()
            for name, film in zip(clip.camera_names, films, strict=True):
                _write_film(partial / kind / f"{file_name(name)}.mp4", film, clip.fps)
        np.savez(partial / GEOMETRY_FILE, rays=clip.rays, neighbours=clip.neighbours)
        text = json.dumps(said, indent=1, allow_nan=False) + "\n"
        (partial / CLIP_FILE).write_text(text, encoding="utf-8")


def read_clip(folder: Path) -> TrainingClip:
    """A stored clip; one that is damaged is a DatasetError that names the file."""
    said = read_about(folder)
    names = tuple(said.pop("cameras"))
    with _opened(folder / GEOMETRY_FILE) as stored:
        rays, neighbours = stored["rays"], stored["neighbours"]
    frames, control = (
        _stacked([folder / kind / f"{file_name(name)}.mp4" for name in names]) for kind in (VIDEOS, CONTROLS)
    )
    fps, caption = float(said.pop("fps")), str(said.pop("caption"))
    return TrainingClip(folder.name, frames, control, rays, neighbours, caption, names, fps, said)


def read_about(folder: Path) -> dict[str, Any]:
    """What clip.json says."""
    path = folder / CLIP_FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}. Delete {folder} to have it made again") from error
    missing = [name for name in ("cameras", "frames", "fps", "caption") if name not in said]
    if missing:
        raise DatasetError(f"{path}: lacks {missing[0]}. Delete {folder} to have it made again")
    return dict(said)


def clip_folders(folder: Path) -> tuple[Path, ...]:
    """All whole clips of a set, by name."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder of training clips")
    return tuple(sorted(path.parent for path in folder.glob(f"*/{CLIP_FILE}") if not path.parent.name.startswith(".")))


def _write_film(path: Path, film: UInt8Array, fps: float) -> None:
    with VideoWriter(path, film.shape[2], film.shape[1], fps, lossless=True) as writer:
        for frame in film:
            writer.write(frame)


def _opened(path: Path) -> Any:
    try:
        return np.load(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: is missing or damaged. Delete {path.parent} to have it made again") from error


def _stacked(paths: Sequence[Path]) -> UInt8Array:
    films = [read_video(path) for path in paths]
    for path, film in zip(paths, films, strict=True):
        if film.shape != films[0].shape:
            raise DatasetError(
                f"{path}: holds [T,H,W,3] {list(film.shape)}, the first camera {list(films[0].shape)}. "
                f"Delete {path.parents[1]} to have it made again"
            )
    return np.stack(films)
