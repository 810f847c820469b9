"""A street on squared paper, whose labels can be computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from render.lidar import LidarSpec
from scenegraph import (
    CAMERA_FROM_FLU,
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    HDMap,
    LaneLine,
    LightState,
    LightTimeline,
    Pinhole,
    Polyline,
    Scene,
    TrafficLight,
    Trajectory,
)

TIMES_US = np.array([0, 500_000, 1_000_000])


def track(x_m: float, y_m: float, z_m: float, speed_mps: float = 0.0) -> Trajectory:
    """Along the world's x, for a second."""
    places = np.array([[x_m + speed_mps * t, y_m, z_m] for t in (0.0, 0.5, 1.0)])
    return Trajectory(TIMES_US, SE3(np.broadcast_to(np.eye(3), (3, 3, 3)), places))


def block(name: str, category: Category, x_m: float, y_m: float, *size: float, source: str = "") -> Actor:
    return Actor(name, category, track(x_m, y_m, 1.0), *size, source)


@pytest.fixture
def paper_lidar() -> LidarSpec:
    """One level beam, at the camera, a degree apart."""
    return LidarSpec("one beam", (0.0,), math.radians(1.0), 0.5, 50.0, 10.0, SE3(np.eye(3), np.array([0.0, 0.0, 1.0])))


@pytest.fixture
def paper_scene() -> Scene:
    """A camera 1 m above the ground looks along x; its picture is 100x100 px and its focal length 100 px.

    A far block 2 m wide and high with its face at 10 m, whose left half is hidden by a near one with its face at 5 m;
    a plate at 10 m half of which is to the right of the picture; a man behind the camera.
    """
    camera = Camera("front", Pinhole(100.0, 100.0, 49.5, 49.5), 100, 100, SE3(np.eye(3), np.array([0.0, 0.0, 1.0]))
                    @ CAMERA_FROM_FLU.inverse())  # fmt: skip
    actors = (
        block("far", Category.CAR, 11.0, 0.0, 2.0, 2.0, 2.0, source="REGULAR_VEHICLE"),
        block("near", Category.TRUCK, 6.0, 0.5, 2.0, 1.0, 2.0),
        block("plate", Category.OTHERS, 10.0005, -5.0, 0.001, 2.0, 2.0),
        block("behind", Category.PEDESTRIAN, -5.0, 0.0, 0.6, 0.6, 1.8),
    )
    hdmap = HDMap(
        lane_lines=(
            LaneLine("left", Polyline(np.array([[4.0, 1.0, 0.0], [8.0, 1.0, 0.0]])), "WHITE", "SOLID_SINGLE"),
            LaneLine("right", Polyline(np.array([[4.0, -1.0, 0.0], [8.0, -1.0, 0.0]])), "YELLOW", "DASHED_SINGLE"),
        ),
        traffic_lights=(TrafficLight("l", SE3.from_yaw(0.0, [30.0, 3.0, 5.0]), 0.3, 0.4, 1.0),),
    )
    lights = {"l": LightTimeline(np.array([0, 1_000_000]), (LightState.RED, LightState.GREEN))}
    ego = Trajectory(TIMES_US, SE3.from_yaw(np.zeros(3), np.zeros((3, 3))))
    return Scene("paper", hdmap, ego, actors, CameraRig((camera,)), lights, source={"licence": "none"})
