"""The world: map, ego, actors, cameras, and the public formats they are read from and written to.

No pixels and no torch here. Frames: world and ego are x forward, y left, z up; cameras x right, y down,
z forward. Metres, integer microseconds, quaternions w,x,y,z.
"""

from .actor import Actor, Boxes, Category
from .camera import CAMERA_FROM_FLU, Camera
from .errors import FormatError, FrameError, MapError, SceneGraphError, TimeRangeError
from .hdmap import (
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    Pole,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
    box_corners,
)
from .lane_graph import LaneGraph, LanePosition
from .lens import Brown, FTheta, Lens, OpenCvFisheye, Pinhole
from .polyline import Polyline
from .rig import CameraRig, ClipCameras
from .scene import LightTimeline, Scene
from .se3 import SE3
from .trajectory import Trajectory

__all__ = [
    "CAMERA_FROM_FLU",
    "SE3",
    "Actor",
    "Boxes",
    "Brown",
    "Camera",
    "CameraRig",
    "Category",
    "ClipCameras",
    "Crosswalk",
    "FTheta",
    "FormatError",
    "FrameError",
    "HDMap",
    "LaneGraph",
    "LaneLine",
    "LanePosition",
    "LaneSegment",
    "Lens",
    "LightState",
    "LightTimeline",
    "MapError",
    "OpenCvFisheye",
    "Pinhole",
    "Pole",
    "Polyline",
    "RoadBoundary",
    "RoadMarking",
    "Scene",
    "SceneGraphError",
    "StopLine",
    "TimeRangeError",
    "TrafficLight",
    "TrafficSign",
    "Trajectory",
    "box_corners",
]
