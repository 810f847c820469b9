"""The labels of a clip as tables: one dataclass per kind, one array per column, one row per thing labelled.

Frames count along the clip's instants, actors along its list of them, views along its cameras. Rows are in the order
of their first columns. A column whose values belong to a row as several numbers is [N,C].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from scenegraph import SE3
from scenegraph.arrays import BoolArray, FloatArray, IntArray, UInt8Array

Float32Array = npt.NDArray[np.float32]
_Rows = TypeVar("_Rows", bound="Rows")


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows; every field is a column."""

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        assert len(set(lengths.values())) <= 1, f"columns of unequal length: {lengths}"

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def joined(parts: Sequence[_Rows]) -> _Rows:
    """The rows of several tables of one kind, one after the other; there must be one."""
    columns = [part.columns() for part in parts]
    return type(parts[0])(**{name: np.concatenate([column[name] for column in columns]) for name in columns[0]})


def where(rows: _Rows, chosen: BoolArray) -> _Rows:
    """Only some of the rows."""
    return type(rows)(**{name: column[chosen] for name, column in rows.columns().items()})


@dataclass(frozen=True, eq=False)
class EgoRows(Rows):
    """The vehicle at every frame, N = T; what its CAN bus would say is in its own axes.

    timestamps_us: int64. position_world_m: float64 [N,3]. quaternion_world_wxyz: float64 [N,4], world from ego.
    velocity_ego_mps, acceleration_ego_mps2, rotation_rate_ego_radps: float64 [N,3], without gravity.
    """

    timestamps_us: IntArray
    position_world_m: FloatArray
    quaternion_world_wxyz: FloatArray
    velocity_ego_mps: FloatArray
    acceleration_ego_mps2: FloatArray
    rotation_rate_ego_radps: FloatArray

    @property
    def world_from_ego(self) -> SE3:
        """SE3 [N]."""
        return SE3.from_quaternion(self.quaternion_world_wxyz, self.position_world_m)

    @property
    def speed_mps(self) -> FloatArray:
        """Forwards [N], below 0 when reversing."""
        return np.asarray(self.velocity_ego_mps[:, 0])

    @property
    def yaw_rate_radps(self) -> FloatArray:
        """About the vehicle's z [N], above 0 to the left."""
        return np.asarray(self.rotation_rate_ego_radps[:, 2])


@dataclass(frozen=True, eq=False)
class BoxRows(Rows):
    """Every actor at every frame when it is there.

    frame, actor: int32. centre_world_m, centre_ego_m: float64 [N,3]. quaternion_world_wxyz, quaternion_ego_wxyz:
    float64 [N,4], world (or ego) from box, whose x is forwards. length_m, width_m, height_m: float64.
    velocity_world_mps, velocity_ego_mps: float64 [N,3], both over ground, NaN where unknown.
    attribute: uint8, see attributes.ATTRIBUTES. visible_fraction: float64, of its pixels in all views of the frame
    together, NaN where none shows it. visibility: uint8, see boxes.VISIBILITY. lidar_points: int32, -1 without lidar.
    """

    frame: npt.NDArray[np.int32]
    actor: npt.NDArray[np.int32]
    centre_world_m: FloatArray
    quaternion_world_wxyz: FloatArray
    centre_ego_m: FloatArray
    quaternion_ego_wxyz: FloatArray
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray
    velocity_world_mps: FloatArray
    velocity_ego_mps: FloatArray
    attribute: UInt8Array
    visible_fraction: FloatArray
    visibility: UInt8Array
    lidar_points: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ViewRows(Rows):
    """Every actor in every picture that would contain some of it if nothing stood in front.

    frame, view, actor: int32. alone_px, visible_px: int64, pixels it would fill alone, and fills.
    visible_fraction: float64, their ratio. truncation: float64, share of its image that is outside of the picture.
    box_px: float64 [N,4], left, top, right, bottom of the visible pixels to their outer edges, NaN where none is.
    distance_m: float64, from camera to centre.
    """

    frame: npt.NDArray[np.int32]
    view: npt.NDArray[np.int32]
    actor: npt.NDArray[np.int32]
    alone_px: IntArray
    visible_px: IntArray
    visible_fraction: FloatArray
    truncation: FloatArray
    box_px: FloatArray
    distance_m: FloatArray


@dataclass(frozen=True, eq=False)
class LanePointRows(Rows):
    """The points of all lane lines, world.

    line: int32, in the clip's list of lines. point_world_m: float64 [N,3].
    """

    line: npt.NDArray[np.int32]
    point_world_m: FloatArray


@dataclass(frozen=True, eq=False)
class LanePixelRows(Rows):
    """Every lane-line point in every picture that contains it.

    frame, view: int32. point: int32, row of LanePointRows. uv_px: float32 [N,2]. depth_m: float32, along the axis.
    visible: bool, nothing stands in front.
    """

    frame: npt.NDArray[np.int32]
    view: npt.NDArray[np.int32]
    point: npt.NDArray[np.int32]
    uv_px: Float32Array
    depth_m: Float32Array
    visible: BoolArray


@dataclass(frozen=True, eq=False)
class LightRows(Rows):
    """Every traffic light at every frame.

    frame, light: int32, the latter in the clip's list of lights. state: uint8, see labels.LIGHT_STATES.
    """

    frame: npt.NDArray[np.int32]
    light: npt.NDArray[np.int32]
    state: UInt8Array


@dataclass(frozen=True, eq=False)
class LightBoxRows(Rows):
    """The housings of traffic lights. centre_world_m: float64 [N,3]. quaternion_world_wxyz: float64 [N,4]."""

    centre_world_m: FloatArray
    quaternion_world_wxyz: FloatArray
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray
