"""Golden scenes as our types, and how close two pictures are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from render.video import read_image, write_png
from scenegraph import (
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    ClipCameras,
    Crosswalk,
    FTheta,
    HDMap,
    LaneLine,
    Lens,
    LightTimeline,
    Pinhole,
    Pole,
    Polyline,
    RoadBoundary,
    RoadMarking,
    Scene,
    StopLine,
    TrafficLight,
    TrafficSign,
    Trajectory,
)


@dataclass(frozen=True)
class GoldenScene:
    """scene, cameras posed as the golden file says, and its pictures by (camera, frame)."""

    scene: Scene
    cameras: ClipCameras
    pictures: dict[tuple[str, int], Path]
    normative: bool


def load_golden_scene(folder: Path) -> GoldenScene:
    """Read a ``scene.json`` of the golden data."""
    data = json.loads((folder / "scene.json").read_text())
    times = np.array(data["timestamps_us"])
    cameras = tuple(_camera(entry) for entry in data["cameras"])
    poses = np.array([data["camera_to_world"][camera.name] for camera in cameras])
    world_from_camera = SE3(poses[..., :3, :3], poses[..., :3, 3])
    lights = data["static"].get("traffic_lights", [])
    scene = Scene(
        data["name"],
        _hdmap(data["static"]),
        Trajectory(times, SE3.from_matrix(np.array(data["ego_to_world"]))),
        tuple(_actor(entry) for entry in data["objects"]),
        CameraRig(cameras),
        {f"{i}": LightTimeline(times, tuple(light["states"])) for i, light in enumerate(lights) if "states" in light},
    )
    pictures = {}
    for key, name in data["images"].items():
        camera, frame = key.split("/")
        pictures[camera, int(frame)] = folder / name
    return GoldenScene(
        scene, ClipCameras(cameras, times, world_from_camera), pictures, data["conformance"] == "normative"
    )


def golden_lens(entry: dict[str, Any]) -> Lens:
    """A lens of a golden file."""
    if "poly" not in entry:
        return Pinhole(entry["fx"], entry["fy"], entry["cx"], entry["cy"])
    linear = entry.get("linear_cde", (1.0, 0.0, 0.0))
    return FTheta(entry["cx"], entry["cy"], tuple(entry["poly"]), entry["poly_type"], *linear)


def _camera(entry: dict[str, Any]) -> Camera:
    native = entry["intrinsics"]
    ego_from_camera = SE3.from_matrix(np.array(entry["camera_to_rig"]))
    camera = Camera(entry["name"], golden_lens(native), native["width"], native["height"], ego_from_camera)
    return camera.resized(*entry["render_size"])


def _hdmap(static: dict[str, Any]) -> HDMap:
    def lines(layer: str) -> list[tuple[str, Polyline, dict[str, Any]]]:
        return [
            (str(i), Polyline(np.array(e.get("points", e.get("vertices")), dtype=float)), e)
            for i, e in enumerate(static.get(layer, []))
        ]

    def boxes(layer: str) -> list[tuple[Any, ...]]:
        return [(str(i), _pose(e["quat_xyzw"], e["center"]), *e["lwh"]) for i, e in enumerate(static.get(layer, []))]

    return HDMap(
        lane_lines=tuple(LaneLine(i, line, e["color"], e["style"]) for i, line, e in lines("lane_lines")),
        road_boundaries=tuple(RoadBoundary(i, line) for i, line, _ in lines("road_boundaries")),
        stop_lines=tuple(StopLine(i, line) for i, line, _ in lines("wait_lines")),
        poles=tuple(Pole(i, line) for i, line, _ in lines("poles")),
        crosswalks=tuple(Crosswalk(i, line) for i, line, _ in lines("crosswalks")),
        road_markings=tuple(RoadMarking(i, line) for i, line, _ in lines("road_markings")),
        traffic_signs=tuple(TrafficSign(*row) for row in boxes("traffic_signs")),
        traffic_lights=tuple(TrafficLight(*row) for row in boxes("traffic_lights")),
    )


def _actor(entry: dict[str, Any]) -> Actor:
    lwh = np.array(entry["lwh"])
    track = Trajectory(entry["timestamps_us"], _pose(entry["quats_xyzw"], entry["centers"]))
    return Actor(
        entry["track_id"],
        Category(entry["class"]),
        track,
        lwh[:, 0],
        lwh[:, 1],
        lwh[:, 2],
        entry["category"],
        int(entry.get("max_extrapolation_us", 0)),
    )


def _pose(quaternion_xyzw: Any, centre: Any) -> SE3:
    return SE3.from_quaternion(np.array(quaternion_xyzw)[..., [3, 0, 1, 2]], centre)


@dataclass(frozen=True)
class Closeness:
    """psnr_db over the frame; over_64_percent: pixels with a channel off by more than 64; iou of drawn pixels."""

    psnr_db: float
    over_64_percent: float
    iou: float


def closeness(ours: np.ndarray, theirs: np.ndarray) -> Closeness:
    """Compare two uint8 [H,W,3] pictures as the golden metrics do."""
    difference = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))
    mean_square = max(float((difference**2).mean()), 1e-9)
    drawn_a, drawn_b = (ours > 12).any(axis=-1), (theirs > 12).any(axis=-1)
    union = max(int((drawn_a | drawn_b).sum()), 1)
    return Closeness(
        10 * np.log10(255**2 / mean_square),
        100 * float((difference.max(axis=-1) > 64).mean()),
        float((drawn_a & drawn_b).sum() / union),
    )


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Sum of absolute differences over the sum of the reference: the metric of layer pictures."""
    return float(np.abs(ours.astype(np.int64) - theirs.astype(np.int64)).sum() / theirs.astype(np.int64).sum())


def save_difference(name: str, ours: np.ndarray, theirs: np.ndarray) -> Path:
    """Write ours, theirs and four times their difference side by side where a person can look at it."""
    path = Path(__file__).resolve().parents[2] / "out" / "differences" / f"{name}.png"
    difference = np.minimum(4 * np.abs(ours.astype(np.int64) - theirs.astype(np.int64)), 255).astype(np.uint8)
    write_png(path, np.concatenate([ours, theirs, difference], axis=1))
    return path


def golden_picture(path: Path) -> np.ndarray:
    """A golden picture, uint8 [H,W,3] RGB."""
    return read_image(path)
