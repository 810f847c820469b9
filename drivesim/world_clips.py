"""Clips of the reference world on disk: pictures with perfect labels, whole or not at all.

    OUT/CLIP/CAMERA.mp4                     what the camera sees
    OUT/CLIP/depth/CAMERA/000000.png        16 bits, metres times 256 along the camera's axis, 0 for nothing
    OUT/CLIP/instances/CAMERA/000000.png    16 bits, the number of the actor, 0 for none
    OUT/CLIP/classes/CAMERA/000000.png      8 bits, see world.json
    OUT/CLIP/mosaic.png                     the first frame of everything
    OUT/CLIP/world.json                     what the numbers mean, cameras, times, poses, actors, look, seed, source
    OUT/CLIP/clip.json                      everything that the pictures depend on; written last

Cameras are filmed side by side in processes, each of which builds the world for itself. What a camera has appears
when it is whole; the same run again goes on with the cameras that are missing (see ``clip_folder``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from render.errors import RenderError
from render.grid import grid_frame
from render.mosaic import CAMERA_RGB, MAX_CAMERAS
from render.preview import readable_name
from render.video import VideoWriter, frames, probe, write_png
from scenegraph.arrays import UInt8Array
from scenegraph.publish import atomic_folder

from .clip_folder import claim, file_name, finish, is_finished, is_frame, require_own, write_json
from .clip_folder import description_of as description_of_folder
from .console import progress
from .errors import DatasetError
from .rendering import RenderedClip, available_cores
from .world_job import DEPTH_UNITS_PER_M, FARTHEST_M, WorldJob, camera_folder, description_of, legend_of
from .world_workers import Tick, Work, spread

WORLD_FILE = "world.json"
MOSAIC_FILE = "mosaic.png"
MOST_ACTORS = 65535
KINDS = ("depth", "instances", "classes")
"""Of pictures beside the videos, each in a folder of its own."""

_CLASS_RGB = {
    "sky": (70, 130, 180),
    "road": (128, 64, 128),
    "marking": (240, 240, 240),
    "pavement": (244, 35, 232),
    "terrain": (152, 251, 152),
    "building": (70, 70, 70),
    "vegetation": (107, 142, 35),
    "pole": (153, 153, 153),
    "sign": (220, 220, 0),
    "light": (250, 170, 30),
    "car": (0, 0, 230),
    "truck": (0, 60, 140),
    "pedestrian": (220, 20, 60),
    "cyclist": (119, 11, 32),
    "other": (0, 190, 180),
}
"""Close to those of Cityscapes, which people know."""
_NEAR_RGB_M = 4.0


class _Frame(Protocol):
    """A picture of the reference world, see render.world.reference_world."""

    rgb: UInt8Array
    depth_m: npt.NDArray[np.float32]
    instance: npt.NDArray[np.int32]
    semantic: UInt8Array


def write_world_clip(
    job: WorldJob, out: Path | str, *, workers: int | None = None, overwrite: bool = False
) -> RenderedClip:
    """Film and store all frames of all cameras of a clip in a folder of ``out`` named after it."""
    _require_possible(job)
    folder = Path(out) / file_name(job.scene.clip_id)
    outputs = {camera.name: folder / f"{file_name(camera.name)}.mp4" for camera in job.cameras.cameras}
    description = description_of(job)

    # 1. What is there, and is it ours?
    require_own(folder, description, outputs.values(), overwrite, "videos or labels")
    todo = [view for view in range(len(outputs)) if overwrite or not _is_whole(job, folder, view)]
    result = RenderedClip(folder, outputs, job.frames, len(outputs) - len(todo))
    if not todo and is_finished(folder):
        return result

    # 2. Film what is missing.
    if overwrite:
        _remove_pictures(job, folder)
    claim(folder, description, overwrite)
    with progress(f"Filming {len(todo)} cameras", len(todo) * job.frames) as advance:
        spread(_start, (job, folder), todo, workers or available_cores(), advance)

    # 3. Say what it is, and that it is whole.
    write_png(folder / MOSAIC_FILE, _mosaic(job, folder))
    write_json(folder / WORLD_FILE, description | legend_of(job, semantic_classes()))
    finish(folder, description)
    return result


def semantic_classes() -> dict[int, tuple[str, tuple[int, int, int]]]:
    """Name and colour in previews of every class, by value."""
    from render.world.semantic import SemanticClass

    return {
        int(value): (value.name.lower(), _CLASS_RGB.get(value.name.lower(), CAMERA_RGB[value % len(CAMERA_RGB)]))
        for value in SemanticClass
    }


def _require_possible(job: WorldJob) -> None:
    if len(job.cameras.cameras) > MAX_CAMERAS:
        raise DatasetError(
            f"{len(job.cameras.cameras)} cameras are more than the {MAX_CAMERAS} that a mosaic shows. "
            "Choose some with --cameras"
        )
    if job.masks and len(job.scene.actors) > MOST_ACTORS:
        raise DatasetError(
            f"{job.scene.clip_id}: has {len(job.scene.actors)} actors, and 16 bits count {MOST_ACTORS}. "
            "Leave out --masks, or film a part of it"
        )


# -- one camera ---------------------------------------------------------------------------------------


def _start(job: WorldJob, folder: Path) -> Work:
    return partial(_film, job, folder, job.open())


def _film(job: WorldJob, folder: Path, world: Any, view: int, tick: Tick) -> None:
    """Write everything of one camera, frame by frame."""
    camera = job.cameras.cameras[view]
    path = folder / f"{file_name(camera.name)}.mp4"
    with ExitStack() as stack:
        video = stack.enter_context(VideoWriter(path, camera.width_px, camera.height_px, job.fps))
        places = {
            kind: stack.enter_context(_pictures(camera_folder(folder, kind, camera.name))) for kind in _kinds(job)
        }
        for index in range(job.frames):
            frame = world.frame(view, index)
            video.write(frame.rgb)
            for kind, place in places.items():
                _write_gray(place / f"{index:06d}.png", _picture_of(kind, frame))
            tick()


@contextmanager
def _pictures(path: Path) -> Iterator[Path]:
    """The folder to fill; pictures of an earlier run that was not whole give way."""
    ours = path.is_dir() and all(map(is_frame, path.iterdir()))
    with atomic_folder(path, replace=ours) as partial_folder:
        yield partial_folder


def _kinds(job: WorldJob) -> tuple[str, ...]:
    return tuple(kind for kind in KINDS if (job.depth if kind == "depth" else job.masks))


def _picture_of(kind: str, frame: _Frame) -> npt.NDArray[Any]:
    if kind == "depth":
        near = np.where(frame.depth_m <= FARTHEST_M, frame.depth_m, 0.0)
        return np.asarray(np.round(near * DEPTH_UNITS_PER_M).astype(np.uint16))
    return np.asarray(frame.instance + 1, dtype=np.uint16) if kind == "instances" else frame.semantic


def _write_gray(path: Path, picture: npt.NDArray[Any]) -> None:
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


# -- what is there ------------------------------------------------------------------------------------


def _is_whole(job: WorldJob, folder: Path, view: int) -> bool:
    """Whether an earlier run finished everything of this camera."""
    name = job.cameras.cameras[view].name
    path = folder / f"{file_name(name)}.mp4"
    try:
        there = path.is_file() and probe(path).frames == job.frames
    except RenderError:
        return False
    places = [camera_folder(folder, kind, name) for kind in _kinds(job)]
    return there and all(place.is_dir() and sum(map(is_frame, place.iterdir())) == job.frames for place in places)


def _remove_pictures(job: WorldJob, folder: Path) -> None:
    """Delete the labels of whatever clip is here, before other pictures stand beside them."""
    there = [camera["name"] for camera in (description_of_folder(folder) or {}).get("cameras", ())]
    for kind in KINDS:
        for name in {*there, *job.cameras.names}:
            place = camera_folder(folder, kind, name)
            if place.is_dir() and all(map(is_frame, place.iterdir())):
                for path in place.iterdir():
                    path.unlink()
                place.rmdir()


# -- the mosaic ---------------------------------------------------------------------------------------


def _mosaic(job: WorldJob, folder: Path) -> UInt8Array:
    """The first frame of everything, for all cameras."""
    names = [camera.name for camera in job.cameras.cameras]
    rows = {"picture": [next(frames(folder / f"{file_name(name)}.mp4")) for name in names]}
    for kind in _kinds(job):
        rows[kind] = [coloured(kind, _first(camera_folder(folder, kind, name))) for name in names]
    return grid_frame(list(rows.values()), [readable_name(name) for name in names], list(rows))


def _first(place: Path) -> npt.NDArray[Any]:
    path = place / f"{0:06d}.png"
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DatasetError(f"{path}: is damaged. Add --overwrite to make the clip anew")
    return np.asarray(picture)


def coloured(kind: str, picture: npt.NDArray[Any]) -> UInt8Array:
    """A label picture as people can read it."""
    if kind == "depth":
        depth_m = picture / DEPTH_UNITS_PER_M
        nearness = np.where(picture > 0, 255 * np.clip(_NEAR_RGB_M / np.maximum(depth_m, _NEAR_RGB_M), 0, 1) ** 0.5, 0)
        bgr = cv2.applyColorMap(nearness.astype(np.uint8), cv2.COLORMAP_INFERNO)
        return np.asarray(bgr[..., ::-1], dtype=np.uint8)
    if kind == "instances":
        table = np.array(CAMERA_RGB, dtype=np.uint8)
        return np.asarray(np.where(picture[..., None] > 0, table[(picture.astype(int) - 1) % len(table)], 0), np.uint8)
    table = np.zeros((256, 3), dtype=np.uint8)
    for value, (_, rgb) in semantic_classes().items():
        table[value] = rgb
    return np.asarray(table[picture])
