"""Camera rigs: ordered cameras on a vehicle, and the same rig posed over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .arrays import BoolArray, IntArray, as_instants, frozen
from .camera import Camera
from .errors import FrameError, TimeRangeError
from .se3 import SE3
from .trajectory import Trajectory

_OVERLAP_DISTANCES_M = (10.0, 50.0)
_OVERLAP_GRID = 33


@dataclass(frozen=True, eq=False)
class ClipCameras:
    """A rig posed at the instants of a clip.

    timestamps_us: int64 [T], strictly increasing.
    world_from_camera: SE3 [V,T].
    """

    cameras: tuple[Camera, ...]
    timestamps_us: IntArray
    world_from_camera: SE3

    def __post_init__(self) -> None:
        object.__setattr__(self, "cameras", tuple(self.cameras))
        stamps = as_instants("clip times", self.timestamps_us)
        object.__setattr__(self, "timestamps_us", frozen(stamps))
        if stamps.ndim != 1 or self.world_from_camera.shape != (len(self.cameras), len(stamps)):
            raise FrameError(
                f"clip cameras: expected poses [V,T] for {len(self.cameras)} cameras and times {list(stamps.shape)}, "
                f"got {list(self.world_from_camera.shape)}"
            )
        if (np.diff(stamps) <= 0).any():
            raise TimeRangeError("clip cameras: times must increase")

    @property
    def names(self) -> tuple[str, ...]:
        """Camera names in view order."""
        return tuple(camera.name for camera in self.cameras)


@dataclass(frozen=True, eq=False)
class CameraRig:
    """Cameras of one vehicle; their order is the view axis."""

    cameras: tuple[Camera, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "cameras", tuple(self.cameras))
        names = self.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise FrameError(f"rig: camera names must be unique, {', '.join(twice)} occurs more than once")

    def __len__(self) -> int:
        return len(self.cameras)

    def __iter__(self) -> Iterator[Camera]:
        return iter(self.cameras)

    def __getitem__(self, name: str) -> Camera:
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise FrameError(f"the rig has no camera {name!r}; it has {', '.join(self.names) or 'none'}")

    @property
    def names(self) -> tuple[str, ...]:
        """Camera names in view order."""
        return tuple(camera.name for camera in self.cameras)

    def select(self, names: Sequence[str]) -> CameraRig:
        """Only these cameras, in the order asked for."""
        return CameraRig(tuple(self[name] for name in names))

    def resized(self, width_px: int, height_px: int) -> CameraRig:
        """Every camera in a picture of this size."""
        return CameraRig(tuple(camera.resized(width_px, height_px) for camera in self.cameras))

    def filled(self, width_px: int, height_px: int) -> CameraRig:
        """The middle of every camera's view in a picture of this size, its shape kept."""
        return CameraRig(tuple(camera.filled(width_px, height_px) for camera in self.cameras))

    def fitted(self, max_width_px: int, max_height_px: int) -> CameraRig:
        """Every camera as large as fits, its shape kept."""
        return CameraRig(tuple(camera.fitted(max_width_px, max_height_px) for camera in self.cameras))

    def moved(self, new_ego_from_old_ego: SE3) -> CameraRig:
        """The same cameras described from another origin on the vehicle."""
        return CameraRig(tuple(replace(c, ego_from_camera=new_ego_from_old_ego @ c.ego_from_camera) for c in self))

    def at(self, ego: Trajectory, timestamps_us: IntArray, extrapolate_us: int = 0) -> ClipCameras:
        """Pose every camera at every instant [T] of a drive."""
        times = as_instants("clip times", timestamps_us)
        world_from_ego = ego.at(times, extrapolate_us)
        poses = [world_from_ego @ camera.ego_from_camera for camera in self.cameras]
        stacked = SE3.stack(poses) if poses else SE3.identity(0, len(times))
        return ClipCameras(self.cameras, times, stacked)

    def neighbours(self, min_share: float = 0.01) -> BoolArray:
        """Which views see a common part of the world, bool [V,V], symmetric, False on the diagonal.

        Two views are neighbours when at least ``min_share`` of one picture, taken at 10 m or at 50 m,
        lies inside the other.
        """
        count = len(self.cameras)
        shared = np.zeros((count, count))
        for i, camera in enumerate(self.cameras):
            u = np.linspace(0, camera.width_px - 1, _OVERLAP_GRID)
            v = np.linspace(0, camera.height_px - 1, _OVERLAP_GRID)
            rays = camera.unproject(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2))
            for distance_m in _OVERLAP_DISTANCES_M:
                points_ego = camera.ego_from_camera.apply(rays * distance_m)
                for j, other in enumerate(self.cameras):
                    seen = other.sees(other.ego_from_camera.inverse().apply(points_ego))
                    shared[i, j] = max(shared[i, j], seen.mean())
        overlap: BoolArray = np.maximum(shared, shared.T) >= min_share
        np.fill_diagonal(overlap, False)
        return overlap
