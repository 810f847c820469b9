"""What is to be filmed in the reference world: a scene, its cameras, what it looks like, and what is stored of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.controls import ControlRenderer
from scenegraph import ClipCameras, Scene

from .clip_folder import file_name
from .pipeline import FrameRange, clip_times, film
from .rendering import VideoSettings, describe

if TYPE_CHECKING:
    from render.world.reference_world import ReferenceWorld

    from .scenario.schema import ConditionsFile

DEPTH_UNITS_PER_M = 256
"""As in the depth pictures of KITTI."""
FARTHEST_M = 65535 / DEPTH_UNITS_PER_M

_NOT_SHOWN = ("palette", "layers")


@dataclass(frozen=True, eq=False)
class WorldJob:
    """One clip of the reference world.

    conditions: weather and the like. seed: of everything that the scene leaves open, from houses to colours.
    fps: of playback. depth, masks: store distances, and who and what is in every pixel.
    """

    scene: Scene
    cameras: ClipCameras
    conditions: ConditionsFile
    seed: int
    fps: float
    depth: bool = True
    masks: bool = False

    @property
    def frames(self) -> int:
        """Of every camera."""
        return len(self.cameras.timestamps_us)

    def open(self) -> ReferenceWorld:
        """The world with everything in it, ready to be filmed."""
        from render.world.reference_world import ReferenceWorld

        return ReferenceWorld(self.scene, self.cameras, look_of(self.conditions), self.seed)


def world_job(
    scene: Scene,
    conditions: ConditionsFile,
    *,
    seed: int = 0,
    frames: FrameRange | None = None,
    size: tuple[int, int] | None = None,
    depth: bool = True,
    masks: bool = False,
) -> WorldJob:
    """Film a part of a scene. size: of every picture; None keeps each camera's shape, as large as fits 1280x720."""
    times_us, fps = clip_times(scene, frames or FrameRange())
    return WorldJob(scene, film(scene, times_us, size), conditions, seed, fps, depth, masks)


def look_of(conditions: ConditionsFile) -> Any:
    """Conditions as the reference world has them; both use the same words."""
    from render.world.look import Look

    return Look(**{field.name: getattr(conditions, field.name) for field in fields(Look)})


def conditions_of(source: Path, changes: list[str], given: Mapping[str, str | None]) -> tuple[ConditionsFile, int]:
    """Conditions and seed of a scenario, or the usual ones for a log. given: words that win where they are not None."""
    from .scenario.loading import load_scenario
    from .scenario.schema import ConditionsFile
    from .sources import is_scenario_file

    said, seed = ConditionsFile(), 0
    if is_scenario_file(source):
        file = load_scenario(source, changes).file
        said, seed = file.conditions, file.seed
    words = {name: word for name, word in given.items() if word is not None}
    return ConditionsFile.model_validate(said.model_dump() | words), seed


def description_of(job: WorldJob) -> dict[str, Any]:
    """Everything that determines the pictures of a clip, and what a reader needs to use them."""
    settings = VideoSettings(job.fps)
    drawn = describe(job.scene, job.cameras, ControlRenderer(job.scene, job.cameras), settings)
    description = {name: value for name, value in drawn.items() if name not in _NOT_SHOWN}
    description["look"] = job.conditions.model_dump()
    description["seed"] = job.seed
    description["actors"] = [
        {"number": number, "id": actor.id, "category": str(actor.category), "source_category": actor.source_category}
        for number, actor in enumerate(job.scene.actors, 1)
    ]
    description |= {"depth": job.depth, "masks": job.masks}
    as_read: dict[str, Any] = json.loads(json.dumps(description, allow_nan=False))
    return as_read


def legend_of(job: WorldJob, classes: Mapping[int, tuple[str, tuple[int, int, int]]]) -> dict[str, Any]:
    """What the numbers in depth pictures and masks mean. classes: name and colour in previews, by value."""
    legend: dict[str, Any] = {}
    if job.depth:
        legend["depth"] = {
            "files": "depth/CAMERA/FRAME.png, 16 bits",
            "metres_per_unit": 1 / DEPTH_UNITS_PER_M,
            "meaning": "distance along the camera's z axis, not along the ray; 0 where there is nothing, or nothing "
            f"nearer than {FARTHEST_M:.1f} m",
        }
    if job.masks:
        legend["instances"] = {
            "files": "instances/CAMERA/FRAME.png, 16 bits",
            "meaning": "the number of the actor, see actors; 0 where there is none",
        }
        legend["classes"] = {
            "files": "classes/CAMERA/FRAME.png, 8 bits",
            "meaning": [{"value": value, "name": name, "rgb": list(rgb)} for value, (name, rgb) in classes.items()],
        }
    return legend


def camera_folder(folder: Path, kind: str, camera: str) -> Path:
    """Where the pictures of one kind and camera are."""
    return folder / kind / file_name(camera)
