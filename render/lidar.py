"""Lidar sweeps: where a turning sensor's beams meet the solids of a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scenegraph import SE3, Scene
from scenegraph.arrays import FloatArray, IntArray, UInt8Array, all_finite
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .errors import RenderError
from .raycast import Float32Array, Int32Array
from .solids import TRIANGLES_PER_BOX, Kind, Solids, Static, solids_over

_SLICE_RAD = math.radians(10.0)  # actors are posed anew this often within a revolution


@dataclass(frozen=True, eq=False)
class LidarSpec:
    """A lidar that turns clockwise, seen from above, and fires all its beams at once.

    elevations_rad: [C], every beam above the sensor's horizon; ring c is beam c.
    azimuth_step_rad: angle between two firings; a revolution has round(2 pi / step) of them, evenly spread.
    ego_from_sensor: pose on the vehicle, x forward, y left, z up.
    A revolution starts and ends looking along the sensor's -x.
    """

    name: str
    elevations_rad: tuple[float, ...]
    azimuth_step_rad: float
    min_range_m: float
    max_range_m: float
    spins_hz: float
    ego_from_sensor: SE3

    def __post_init__(self) -> None:
        elevations = np.asarray(self.elevations_rad, dtype=np.float64)
        object.__setattr__(self, "elevations_rad", tuple(elevations.tolist()))
        if elevations.ndim != 1 or not len(elevations) or not (np.abs(elevations) <= math.pi / 2).all():
            raise RenderError(f"lidar {self.name}: expected elevations within a quarter turn, at least one")
        if not 0 < self.azimuth_step_rad <= math.pi:
            raise RenderError(f"lidar {self.name}: azimuth_step_rad must be above 0 and at most pi")
        if not 0 <= self.min_range_m < self.max_range_m < math.inf:
            raise RenderError(f"lidar {self.name}: expected 0 <= min_range_m < max_range_m, both finite")
        if not 0 < self.spins_hz < math.inf:
            raise RenderError(f"lidar {self.name}: spins_hz must be above 0, got {self.spins_hz:g}")
        if self.ego_from_sensor.shape or not all_finite(self.ego_from_sensor.matrix):
            raise RenderError(f"lidar {self.name}: expected one pose without NaN or infinity")

    @property
    def columns(self) -> int:
        """Firings per revolution."""
        return round(2 * math.pi / self.azimuth_step_rad)

    @property
    def azimuths_rad(self) -> FloatArray:
        """Direction of every firing [A] about the sensor's z, falling from pi towards -pi."""
        return math.pi - (np.arange(self.columns) + 0.5) * (2 * math.pi / self.columns)

    def directions(self) -> FloatArray:
        """Unit rays [A,C,3] in the sensor's frame."""
        azimuth, elevation = np.meshgrid(self.azimuths_rad, self.elevations_rad, indexing="ij")
        level = np.cos(elevation)
        return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)


def _upright(x_m: float, z_m: float) -> SE3:
    return SE3(np.eye(3), np.array([x_m, 0.0, z_m]))


LIDAR_32 = LidarSpec(
    "32 beams", tuple(np.radians(np.linspace(-30.67, 10.67, 32))), math.radians(1 / 3), 1.0, 70.0, 20.0,
    _upright(0.94, 1.84),
)  # fmt: skip
"""Resembles an HDL-32E as nuScenes drives it: beams every 1.33 degrees, about 1080 firings at 20 Hz."""

LIDAR_64 = LidarSpec(
    "64 beams", tuple(np.radians([*np.linspace(-24.33, -8.83, 32), *np.linspace(-8.33, 2.0, 32)])),
    math.radians(0.18), 1.0, 120.0, 10.0, _upright(0.76, 1.73),
)  # fmt: skip
"""Resembles an HDL-64E: beams every half degree in the lower and third of a degree in the upper half, at 10 Hz."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """The N returns of one revolution, by firing and then by ring.

    points_m: float32 [N,3] in the sensor's frame at the instant of the sweep.
    distance_m: float32 [N], from where the sensor was when it fired. instance: int32 [N], index in ``scene.actors``
    or -1. kind: uint8 [N], see render.solids.Kind. ring: int32 [N]. azimuth_rad: float32 [N], about the sensor's z.
    timestamps_us: int64 [N], when it fired.
    """

    points_m: Float32Array
    distance_m: Float32Array
    instance: Int32Array
    kind: UInt8Array
    ring: Int32Array
    azimuth_rad: Float32Array
    timestamps_us: IntArray

    def hits(self, actors: int) -> IntArray:
        """Returns [A] from every actor of the scene."""
        return np.bincount(self.instance[self.instance >= 0], minlength=actors).astype(np.int64)


def lidar_sweep(
    scene: Scene, spec: LidarSpec, time_us: int, static: Static | None = None, motion: bool = False
) -> Sweep:
    """One revolution.

    Without motion the world stands still at ``time_us``. With motion the revolution ends there: the vehicle moves on
    from firing to firing and the actors every ten degrees, and points are brought into the sensor's frame at the end,
    as data sets publish them.
    """
    columns = spec.columns
    times_us = np.full(columns, time_us, dtype=np.int64)
    if motion:
        before_us = (columns - 1 - np.arange(columns)) * (1e6 / spec.spins_hz / columns)
        times_us -= np.round(before_us).astype(np.int64)
    world_from_sensor = scene.ego.at(times_us, EGO_EXTRAPOLATION_US) @ spec.ego_from_sensor
    directions = spec.directions() @ np.swapaxes(world_from_sensor.rotation, -1, -2)  # [A,C,3], world
    origins_m = world_from_sensor.translation_m
    parts = _slices(columns, math.ceil(2 * math.pi / _SLICE_RAD) if motion else 1)
    solids = solids_over(scene, times_us[[(part.start + part.stop - 1) // 2 for part in parts]], static)
    found = [_first(now, origins_m[part], directions[part]) for now, part in zip(solids, parts, strict=True)]
    distance_m, instance, kind = (np.concatenate(column) for column in zip(*found, strict=True))  # [A,C]
    firing, ring = np.nonzero((distance_m >= spec.min_range_m) & (distance_m <= spec.max_range_m))
    distance_m, towards = distance_m[firing, ring], directions[firing, ring]
    points_world = origins_m[firing] - origins_m[-1] + distance_m[:, None].astype(np.float64) * towards
    return Sweep(
        points_m=(points_world @ world_from_sensor.rotation[-1]).astype(np.float32),
        distance_m=distance_m,
        instance=instance[firing, ring],
        kind=kind[firing, ring],
        ring=ring.astype(np.int32),
        azimuth_rad=spec.azimuths_rad[firing].astype(np.float32),
        timestamps_us=times_us[firing],
    )


def _slices(count: int, parts: int) -> list[slice]:
    """Firings in consecutive parts, as even as they can be."""
    edges = np.linspace(0, count, min(parts, count) + 1).round().astype(int).tolist()
    return [slice(low, high) for low, high in pairwise(edges)]


def _first(
    solids: Solids, origins_m: FloatArray, directions: FloatArray
) -> tuple[Float32Array, Int32Array, UInt8Array]:
    """Distance, instance and kind [A,C] of what rays from origins [A,3] along directions [A,C,3] meet first."""
    rays = directions.reshape(-1, 3).astype(np.float32)
    starts_m = np.repeat(origins_m, directions.shape[1], axis=0)
    centre_m = origins_m[0]
    hits = solids.box_scene(centre_m).first_hits((starts_m - centre_m).astype(np.float32), rays)
    box = np.where(hits.any, hits.triangle // TRIANGLES_PER_BOX, -1)
    distance_m = hits.distance_m
    instance, kind = np.append(solids.actor, np.int32(-1))[box], np.append(solids.kind, np.uint8(Kind.NOTHING))[box]
    if solids.static is not None:
        behind = solids.static.first_hits(starts_m, rays)
        nearer = behind.distance_m < distance_m
        distance_m = np.where(nearer, behind.distance_m, distance_m)
        instance[nearer], kind[nearer] = -1, solids.static.kind[behind.triangle[nearer]]
    shape = directions.shape[:2]
    return distance_m.reshape(shape), instance.reshape(shape), kind.reshape(shape)
