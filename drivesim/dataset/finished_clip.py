"""A clip that ``drivesim generate`` or ``drivesim world`` finished, and the scene that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from render.controls import ControlRenderer
from render.errors import RenderError
from render.video import probe
from scenegraph import SE3, Camera, CameraRig, ClipCameras, Scene
from scenegraph.arrays import as_instants
from scenegraph.errors import SceneGraphError
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..clip_folder import description_of, is_finished
from ..errors import DatasetError, SourceError
from ..rigs import BrownFile, FisheyeFile, FThetaFile, PinholeFile

_FOR_PEOPLE = ("mosaic.mp4", "mosaic.png", "preview.mp4")
_LENS: TypeAdapter[PinholeFile | BrownFile | FisheyeFile | FThetaFile] = TypeAdapter(
    Annotated[PinholeFile | BrownFile | FisheyeFile | FThetaFile, Field(discriminator="kind")]
)


@dataclass(frozen=True)
class FinishedClip:
    """A folder with pictures of all cameras and what they depend on.

    description: its clip.json. files: what belongs into a data set, by names within the folder, in order.
    """

    folder: Path
    description: dict[str, Any]
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the clip."""
        return str(self.description["clip"])


def open_clip(folder: Path | str) -> FinishedClip:
    """Look at a clip folder; it must be whole, made of a scene, and hold pictures rather than control videos."""
    folder = Path(folder)
    description = description_of(folder)
    if description is None:
        raise DatasetError(f"{folder}: is not the folder of a clip, it has no clip.json. Name OUT/CLIP")
    if not is_finished(folder):
        raise DatasetError(f"{folder}: the clip is not finished. Run the command that made it again; it goes on")
    if not {"clip", "cameras"} <= set(description):
        raise DatasetError(f"{folder / 'clip.json'}: is damaged. Make the clip anew")
    if "content" not in description:
        raise DatasetError(f"{folder}: was made from videos without a scene, so nothing is known of what it shows")
    if not {"generation", "look"} & set(description):
        raise DatasetError(f"{folder}: holds control videos. A data set takes clips of generate and of world")
    missing = [camera["file"] for camera in description["cameras"] if not (folder / camera["file"]).is_file()]
    if missing:
        raise DatasetError(f"{folder}: {', '.join(missing)}: missing. Run the command that made the clip again")
    for camera in description["cameras"]:
        _require_frames(folder / camera["file"], description["frames"])
    return FinishedClip(folder, description, tuple(_files(folder)))


def cameras_of(clip: FinishedClip, scene: Scene) -> ClipCameras:
    """The clip's cameras where they were at its instants, along the way of the scene that it was made from.

    Another scene is refused: its labels would be those of other pictures.
    """
    try:
        rig = CameraRig(tuple(_camera(entry) for entry in clip.description["cameras"]))
        times_us = as_instants("clip times", clip.description["timestamps_us"])
    except (KeyError, TypeError, SceneGraphError, ValidationError) as error:
        raise DatasetError(f"{clip.folder / 'clip.json'}: is damaged: {error}. Make the clip anew") from error
    try:
        cameras = rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US)
    except SceneGraphError as error:
        raise SourceError(f"{_other(clip, scene)}: {error}") from error
    if ControlRenderer(scene, cameras).digest() != clip.description["content"]:
        raise SourceError(f"{_other(clip, scene)}. Name the log or scenario that it was made from, with the same --set")
    return cameras


def _require_frames(path: Path, count: int) -> None:
    try:
        found = probe(path).frames
    except RenderError as error:
        raise DatasetError(f"{path}: cannot be read as a video: {error}. Make the clip anew") from error
    if found != count:
        raise DatasetError(f"{path}: has {found} frames instead of {count}. Make the clip anew")


def _other(clip: FinishedClip, scene: Scene) -> str:
    return f"{clip.folder}: was not made from this {scene.clip_id}"


def _camera(entry: dict[str, Any]) -> Camera:
    lens = _LENS.validate_python(entry["lens"]).lens()
    return Camera(entry["name"], lens, entry["width_px"], entry["height_px"], SE3.from_matrix(entry["ego_from_camera"]))


def _files(folder: Path) -> Iterator[str]:
    """Everything but what is for people, and what is hidden."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.as_posix() not in _FOR_PEOPLE and not any(p.startswith(".") for p in name.parts):
            yield name.as_posix()
