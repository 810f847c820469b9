"""How fast rays are cast, and where the time of labels goes.

Regime: one core, pictures of 1280x720 and one revolution of the 64-beam lidar, on an Argoverse log: its actors and
its static solids with the ground. `first_hits` and `blocked` cast the rays of all cameras against the log's triangles
(actors as cuboids and what stands still) and are millions of rays per second of this process's CPU time; the floor is
the same rays against a scene of one triangle that they all miss: what handing rays over costs. `camera` is
milliseconds per picture of depth, normals, instances and the counts of every box, with what stands still in it and
without; its parts are static (Embree and its normals), boxes (the slab tests) and truncation (images followed beyond
the picture), the rest is putting pictures together. `lidar` is milliseconds per revolution, with motion. Each is the
median of several passes after one that is not counted.

    python tests/benchmarks/bench_raycast.py [--passes 5] [--size 1280x720]

Needs the Argoverse log in the folder DRIVESIM_SHARED, default ../shared; without it, random boxes on a plane are
used. The last line is the table as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402

from render import sight  # noqa: E402
from render.lidar import LIDAR_64, lidar_sweep  # noqa: E402
from render.raycast import TriangleScene, world_rays  # noqa: E402
from render.sight import cast_camera  # noqa: E402
from render.solids import Solids, Static, solids_at, static_solids  # noqa: E402
from scenegraph import (  # noqa: E402
    CAMERA_FROM_FLU,
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    ClipCameras,
    HDMap,
    LaneSegment,
    Pinhole,
    Polyline,
    Scene,
    Trajectory,
)
from scenegraph.formats import read_scene  # noqa: E402


def scene_and_cameras(size: tuple[int, int]) -> tuple[str, Scene, ClipCameras]:
    """The Argoverse log four seconds after its start, or a made crowd."""
    shared = Path(os.environ.get("DRIVESIM_SHARED", ROOT.parent / "shared"))
    for log in sorted((shared / "data" / "av2_sensor").glob("7fab2350*")):
        scene = read_scene(log)
        now_us = scene.frame_times_us(10.0)[40:41]
        return "argoverse log", scene, scene.rig.resized(*size).at(scene.ego, now_us)
    scene = made_crowd(size)
    return "made crowd", scene, scene.rig.at(scene.ego, np.array([0]))


def made_crowd(size: tuple[int, int]) -> Scene:
    """A hundred cars on a plane around six cameras."""
    rng = np.random.default_rng(0)
    places = np.append(rng.uniform(-60, 60, (100, 2)), np.full((100, 1), 0.8), axis=1)
    places = places[np.linalg.norm(places[:, :2], axis=1) > 6]
    still = np.array([0])
    actors = [
        Actor(f"{i}", Category.CAR, Trajectory(still, SE3.from_yaw(rng.uniform(0, 6, 1), place[None])), 4.5, 1.9, 1.6)
        for i, place in enumerate(places)
    ]
    edge = np.array([[-200.0, 200.0, 0.0], [200.0, 200.0, 0.0]])
    ground = HDMap(lane_segments=(LaneSegment("g", Polyline(edge), Polyline(edge * (1, -1, 1))),))
    lens = Pinhole(size[0] * 0.8, size[0] * 0.8, size[0] / 2, size[1] / 2)
    turns = [SE3.from_yaw(np.radians(60.0 * v), [0.0, 0.0, 1.6]) @ CAMERA_FROM_FLU.inverse() for v in range(6)]
    rig = CameraRig(tuple(Camera(f"{v}", lens, *size, turn) for v, turn in enumerate(turns)))
    return Scene("crowd", ground, Trajectory(still, SE3.identity(1)), tuple(actors), rig)


def cpu_s(work: Callable[[], object]) -> float:
    """Seconds of CPU time of one call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def middle(work: Callable[[], object], passes: int) -> float:
    """Median seconds of CPU time of a call, after one that is not counted."""
    return median([cpu_s(work) for _ in range(passes + 1)][1:])


def all_triangles(solids: Solids, static: Static) -> TriangleScene:
    """Cuboids and static solids as one scene around the static solids' origin."""
    boxes = solids.box_scene(static.origin_m)
    return TriangleScene(
        np.concatenate([static.vertices_m, boxes.vertices_m]),
        np.concatenate([static.triangles, boxes.triangles + len(static.vertices_m)]),
    )


def ray_rates(triangles: TriangleScene, static: Static, cameras: ClipCameras, passes: int) -> dict[str, float]:
    """Millions of rays per second of CPU time."""
    posed = [world_rays(camera, cameras.world_from_camera[v, 0]) for v, camera in enumerate(cameras.cameras)]
    origins = np.concatenate([np.tile(o - static.origin_m, (r[..., 0].size, 1)) for o, r in posed]).astype(np.float32)
    rays = np.concatenate([r.reshape(-1, 3) for _, r in posed])
    high = np.array([[0, 0, 9e5], [1, 0, 9e5], [0, 0, 9e5 + 1]], np.float32)
    alone = TriangleScene(high, np.array([[0, 1, 2]], np.int32))
    casts = {
        "first_hits": lambda: triangles.first_hits(origins, rays),
        "blocked": lambda: triangles.blocked(origins, rays),
        "floor_first_hits": lambda: alone.first_hits(origins, rays),
        "floor_blocked": lambda: alone.blocked(origins, rays),
    }
    return {name: len(rays) / middle(cast, passes) / 1e6 for name, cast in casts.items()}


def camera_ms(solids: Solids, cameras: ClipCameras, passes: int) -> dict[str, float]:
    """Milliseconds per picture, and of its parts, which are timed as they are called."""
    poses = [cameras.world_from_camera[v, 0] for v in range(len(cameras.cameras))]
    spent = dict.fromkeys(("static", "boxes", "truncation"), 0.0)
    places = {"static": "_background", "boxes": "cast_boxes", "truncation": "inside_fractions"}

    def look(what: Solids) -> None:
        for camera, pose in zip(cameras.cameras, poses, strict=True):
            cast_camera(what, camera, pose)

    per_picture = 1e3 / len(poses)
    found = {"camera": middle(lambda: look(solids), passes) * per_picture}
    found["camera_without_static"] = middle(lambda: look(replace(solids, static=None)), passes) * per_picture
    kept = {name: getattr(sight, name) for name in places.values()}
    try:
        for part, name in places.items():
            setattr(sight, name, timed(kept[name], part, spent))
        for _ in range(passes):
            look(solids)
    finally:
        for name, function in kept.items():
            setattr(sight, name, function)
    return found | {part: seconds / passes * per_picture for part, seconds in spent.items()}


def timed(function: Callable[..., object], part: str, spent: dict[str, float]) -> Callable[..., object]:
    """The same function, adding its CPU time to a part."""

    def run(*arguments: object) -> object:
        begin = time.process_time()
        answer = function(*arguments)
        spent[part] += time.process_time() - begin
        return answer

    return run


def main() -> None:
    """Print the figures, then the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--size", default="1280x720")
    arguments = parser.parse_args()
    width, height = (int(part) for part in arguments.size.split("x"))
    name, scene, cameras = scene_and_cameras((width, height))
    now_us = int(cameras.timestamps_us[0])
    static = static_solids(scene.hdmap)
    solids = solids_at(scene, now_us, static)
    triangles = all_triangles(solids, static)
    rates = ray_rates(triangles, static, cameras, arguments.passes)
    figures = camera_ms(solids, cameras, arguments.passes)
    figures["lidar"] = 1e3 * middle(lambda: lidar_sweep(scene, LIDAR_64, now_us, static, True), arguments.passes)
    print(f"{name}: {len(triangles.triangles)} triangles, {len(solids)} boxes, {len(cameras.cameras)} views")
    for what, rate in rates.items():
        print(f"{what:22s}{rate:10.2f} million rays per second and core")
    for what, milliseconds in figures.items():
        print(f"{what:22s}{milliseconds:10.2f} ms")
    counts = {"triangles": len(triangles.triangles), "boxes": len(solids), "views": len(cameras.cameras)}
    print(json.dumps({"scene": name, "size": [width, height], **counts, "mrays_per_s": rates, "ms": figures}))


if __name__ == "__main__":
    main()
