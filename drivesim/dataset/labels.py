"""What is to be seen in a clip, exactly: boxes, lanes, lights and the vehicle's own motion, from its scene."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from render.lidar import LidarSpec, lidar_sweep
from render.sight import Sight, cast_camera
from render.solids import Solids, Static, solids_over, static_solids
from scenegraph import ClipCameras, LightState, Scene, TrafficLight
from scenegraph.arrays import BoolArray, FloatArray, IntArray
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..errors import DatasetError
from ..rendering import available_cores
from .boxes import box_rows, ego_rows, view_rows, visible_shares
from .lanes import lane_pixels, lane_points, pieces
from .rows import (
    BoxRows,
    EgoRows,
    Float32Array,
    LanePixelRows,
    LanePointRows,
    LightBoxRows,
    LightRows,
    ViewRows,
    joined,
    where,
)

LIGHT_STATES = tuple(LightState)
"""The code of a state in files is its place here."""


@dataclass(frozen=True)
class ActorNames:
    """Who an actor is: its track id, its class, and its class in the words of its source."""

    id: str
    category: str
    source_category: str


@dataclass(frozen=True)
class LaneNames:
    """Which lane line it is, with its paint, in the words of scenegraph.LaneLine."""

    id: str
    colour: str
    style: str


@dataclass(frozen=True, eq=False)
class LanePicture:
    """A stretch of a lane line in one picture.

    line: in the clip's list of lines. uv_px: float32 [N,2]. depth_m: float32 [N]. visible: bool [N].
    points_world_m: float64 [N,3].
    """

    line: int
    uv_px: Float32Array
    depth_m: Float32Array
    visible: BoolArray
    points_world_m: FloatArray


@dataclass(frozen=True, eq=False)
class ClipLabels:
    """Everything that is known of a clip of T frames and V views; see ``rows`` for the tables.

    lidar: the sensor whose returns were counted, None for none. with_ground: whether the ground could hide things.
    """

    cameras: tuple[str, ...]
    actors: tuple[ActorNames, ...]
    lane_lines: tuple[LaneNames, ...]
    lights: tuple[str, ...]
    lidar: LidarSpec | None
    with_ground: bool
    ego: EgoRows
    boxes: BoxRows
    views: ViewRows
    lane_points: LanePointRows
    lane_pixels: LanePixelRows
    light_boxes: LightBoxRows
    light_states: LightRows

    def boxes_of(self, frame: int) -> BoxRows:
        """The boxes of one frame."""
        return where(self.boxes, self.boxes.frame == frame)

    def view_of(self, view: int, frame: int) -> ViewRows:
        """The boxes in one picture."""
        return where(self.views, (self.views.frame == frame) & (self.views.view == view))

    def lanes_of(self, view: int, frame: int) -> list[LanePicture]:
        """The lane lines in one picture, as polylines."""
        rows = where(self.lane_pixels, (self.lane_pixels.frame == frame) & (self.lane_pixels.view == view))
        points = self.lane_points
        return [
            LanePicture(
                int(points.line[rows.point[piece.start]]),
                rows.uv_px[piece],
                rows.depth_m[piece],
                rows.visible[piece],
                points.point_world_m[rows.point[piece]],
            )
            for piece in pieces(points, rows)
        ]


def labels_of(
    scene: Scene,
    cameras: ClipCameras,
    *,
    lidar: LidarSpec | None = None,
    ground: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> ClipLabels:
    """Label every frame of a clip by casting a ray through every pixel of every picture.

    lidar: count the returns of this sensor; without one no count is made up.
    ground: let it hide what is behind; maps without true heights would hide actors in it.
    advance: called after every frame.
    """
    times_us = cameras.timestamps_us
    if not len(cameras.cameras) or not len(times_us):
        raise DatasetError(f"{scene.clip_id}: there is nothing to label without a camera and a frame")
    static = static_solids(scene.hdmap, ground)
    _ = static.tracer  # built here once, not by several threads
    points = lane_points(scene.hdmap)
    solids = solids_over(scene, times_us, static)

    def label(frame: int) -> _Frame:
        found = _label_frame(scene, cameras, frame, solids[frame], points, lidar, static)
        advance()
        return found

    with ThreadPoolExecutor(max_workers=available_cores()) as pool:
        frames = list(pool.map(label, range(len(times_us))))
    world_from_ego = scene.ego.at(times_us, EGO_EXTRAPOLATION_US)
    visible = np.array([frame.visible for frame in frames])
    returns = np.array([frame.lidar_points for frame in frames])
    lights = scene.hdmap.traffic_lights
    return ClipLabels(
        cameras.names,
        tuple(ActorNames(a.id, str(a.category), a.source_category) for a in scene.actors),
        tuple(LaneNames(line.id, line.colour, line.style) for line in scene.hdmap.lane_lines),
        tuple(light.id for light in lights),
        lidar,
        ground,
        ego_rows(scene, world_from_ego, times_us),
        box_rows(scene, world_from_ego, times_us, visible, returns),
        joined([frame.views for frame in frames]),
        points,
        joined([frame.lane_pixels for frame in frames]),
        _light_boxes(lights),
        _light_rows(scene, times_us),
    )


@dataclass(frozen=True, eq=False)
class _Frame:
    views: ViewRows
    lane_pixels: LanePixelRows
    visible: FloatArray
    lidar_points: IntArray


def _label_frame(
    scene: Scene,
    cameras: ClipCameras,
    frame: int,
    solids: Solids,
    points: LanePointRows,
    lidar: LidarSpec | None,
    static: Static,
) -> _Frame:
    sights: list[Sight] = [
        cast_camera(solids, camera, cameras.world_from_camera[view, frame])
        for view, camera in enumerate(cameras.cameras)
    ]
    returns = np.full(len(scene.actors), -1, dtype=np.int64)
    if lidar is not None:
        time_us = int(cameras.timestamps_us[frame])
        returns = lidar_sweep(scene, lidar, time_us, static).hits(len(scene.actors))
    return _Frame(
        view_rows(scene, cameras, frame, sights),
        lane_pixels(points, cameras, frame, solids),
        visible_shares(scene, sights),
        returns,
    )


def _light_boxes(lights: tuple[TrafficLight, ...]) -> LightBoxRows:
    return LightBoxRows(
        np.array([light.world_from_box.translation_m for light in lights]).reshape(-1, 3),
        np.array([light.world_from_box.quaternion_wxyz for light in lights]).reshape(-1, 4),
        *(np.array([getattr(light, name) for light in lights]) for name in ("length_m", "width_m", "height_m")),
    )


def _light_rows(scene: Scene, times_us: IntArray) -> LightRows:
    lights, count = scene.hdmap.traffic_lights, len(times_us)
    codes = np.full((count, len(lights)), LIGHT_STATES.index(LightState.UNKNOWN), dtype=np.uint8)
    for index, light in enumerate(lights):
        if light.id in scene.light_states:
            codes[:, index] = [LIGHT_STATES.index(state) for state in scene.light_states[light.id].at(times_us)]
    frame, light_index = np.divmod(np.arange(codes.size, dtype=np.int32), np.int32(max(len(lights), 1)))
    return LightRows(frame, light_index, codes.ravel())
