"""A film set for renderer tests: small worlds, cameras that look along world x, and pictures of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden_scenes import GoldenScene, load_golden_scene

from render.controls import ControlRenderer
from render.palette import LAYERS
from render.projection import LensTable
from scenegraph import (
    CAMERA_FROM_FLU,
    SE3,
    Actor,
    Brown,
    Camera,
    Category,
    ClipCameras,
    Crosswalk,
    FTheta,
    HDMap,
    OpenCvFisheye,
    Pinhole,
    Polyline,
    RoadBoundary,
    Scene,
    Trajectory,
)

LENSES = {
    "wide": FTheta(957.25, 754.5, (0, 0.001058, 8e-09, -3.2e-11, 7.8e-14, -2.8e-17), "pixeldistance-to-angle"),
    "tele": FTheta(1020.0, 520.0, (0, 3680.0, -180.0, 2850.0, -12000.0, 16000.0), "angle-to-pixeldistance"),
    "sheared": FTheta(957.25, 537.0, (0, 0.00108, 9e-09), "pixeldistance-to-angle", 1.0002, 1e-2, -1.5e-2),
    "brown": Brown(1010.0, 1005.0, 980.0, 530.0, -0.24, 0.08, 0.0011, -0.0007, -0.012),
    "fisheye": OpenCvFisheye(560.0, 565.0, 955.0, 545.0, -0.02, 0.004, -0.001, 0.0001),
    "pinhole": Pinhole(1266.4, 1270.0, 816.3, 491.5),
}
"""One of every kind, for pictures of 1920x1080."""


class Stage:
    """Builds what a test needs in one line each; everything is in the world frame unless it says otherwise."""

    lenses = LENSES

    def camera(self, kind: str, width_px: int = 320, height_px: int = 180, height_m: float = 1.5) -> Camera:
        """One of the lenses above, in a picture of another size."""
        ego_from_camera = self.ego_from_camera(height_m)
        return Camera(kind, LENSES[kind], 1920, 1080, ego_from_camera).resized(width_px, height_px)

    def pinhole(
        self, width_px: int = 160, height_px: int = 90, focal_px: float = 100.0, height_m: float = 0.0, name: str = "c"
    ) -> Camera:
        """An ideal camera whose optical axis meets the middle of the picture."""
        lens = Pinhole(focal_px, focal_px, width_px / 2, height_px / 2)
        return Camera(name, lens, width_px, height_px, self.ego_from_camera(height_m))

    def ego_from_camera(
        self, height_m: float = 0.0, roll_deg: float = 0.0, yaw_deg: float = 0.0, pitch_deg: float = 0.0
    ) -> SE3:
        """Where a camera sits that looks ahead."""
        return (
            SE3.from_roll_pitch_yaw_deg([roll_deg, pitch_deg, yaw_deg], [0.0, 0.0, height_m])
            @ CAMERA_FROM_FLU.inverse()
        )

    def scene(self, hdmap: HDMap | None = None, actors: tuple[Actor, ...] = (), **more) -> Scene:
        """A world around an ego that stands at the origin."""
        ego = Trajectory(np.array([0]), SE3.identity(1))
        return Scene("set", hdmap or HDMap(), ego, tuple(actors), **more)

    def cameras(self, *cameras: Camera, times_us=(0,), world_from_ego: SE3 | None = None) -> ClipCameras:
        """Cameras of an ego that stands still."""
        stamps = np.array(times_us)
        still = SE3.identity() if world_from_ego is None else world_from_ego
        poses = SE3.stack([SE3.stack([still @ camera.ego_from_camera] * len(stamps)) for camera in cameras])
        return ClipCameras(cameras, stamps, poses)

    def renderer(
        self, scene: Scene, *cameras: Camera, palette="world-scenario", layers=LAYERS, **place
    ) -> ControlRenderer:
        return ControlRenderer(scene, self.cameras(*cameras, **place), palette, layers)

    def picture(self, scene: Scene, camera: Camera, **more) -> np.ndarray:
        """What one camera sees at time 0, uint8 [H,W,3]."""
        return self.renderer(scene, camera, **more).frame(0, 0)

    def unculled(self, renderer: ControlRenderer) -> ControlRenderer:
        """The same renderer, made to believe that every camera sees everything."""
        everything = np.array([-np.inf, np.inf, -np.inf, np.inf])
        renderer._lenses = [LensTable(lens.numbers, lens.radius, everything) for lens in renderer._lenses]
        return renderer

    def boundaries(self, *lines) -> HDMap:
        """A map of road boundaries, each a list of points."""
        return HDMap(road_boundaries=tuple(RoadBoundary(f"{i}", self.line(line)) for i, line in enumerate(lines)))

    def crosswalks(self, *outlines) -> HDMap:
        return HDMap(crosswalks=tuple(Crosswalk(f"{i}", self.line(outline)) for i, outline in enumerate(outlines)))

    def line(self, points) -> Polyline:
        return Polyline(np.array(points, dtype=float))

    def box(self, name: str, centre_m, size_m=(4.0, 2.0, 1.5), yaw_rad: float = 0.0, category=Category.CAR) -> Actor:
        """A thing that stands still at time 0; size is length, width, height."""
        pose = SE3.from_yaw(np.array([yaw_rad]), np.array([centre_m], dtype=float))
        return Actor(name, category, Trajectory(np.array([0]), pose), *size_m)

    def crowd(self, seed: int, lines: int = 120, boxes: int = 40) -> Scene:
        """Lines and boxes at random places, many of them close to the camera or around it."""
        rng = np.random.default_rng(seed)
        starts = rng.uniform(-30, 30, (lines, 3)) * (1, 1, 0.2)
        ends = starts + rng.normal(0, 8, (lines, 3)) * (1, 1, 0.3)
        places = rng.uniform(-25, 25, (boxes, 3)) * (1, 1, 0.15)
        sizes = rng.uniform((0.5, 0.5, 0.5), (12, 3, 4), (boxes, 3))
        actors = [
            self.box(f"{i:03d}", places[i], sizes[i], rng.uniform(0, 6.28), list(Category)[i % 5]) for i in range(boxes)
        ]
        return self.scene(self.boundaries(*np.stack([starts, ends], axis=1)), tuple(actors))


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def highway(golden_render: Path) -> GoldenScene:
    return load_golden_scene(golden_render / "scenes" / "highway_7cam")
