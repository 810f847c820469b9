"""How fast pictures of the reference world are made.

Regime: CPU, one thread, everything included: rays, shadows, mirrors, paint, light, film and labels. `set up` is what a
clip takes before its first picture (ground, houses, trees, paint seen from above). `picture` is milliseconds of this
process's CPU time per camera picture: the median over cameras and frames, after one instant that is not counted (it
compiles or loads the compiled code). `cast` is the time of the exact rays alone: first hits of one ray per pixel and
the shadow ray of each, which is the floor of any picture made this way.

    python tests/benchmarks/bench_world.py [--size 256x144] [--frames 3]

Needs the Argoverse log in the folder DRIVESIM_SHARED, default ../shared, for its row. The last line is the table as
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402

from drivesim import load_scene  # noqa: E402
from drivesim.pipeline import film  # noqa: E402
from drivesim.sources import load_scene_for_filming  # noqa: E402
from render.raycast import TriangleScene, world_rays  # noqa: E402
from render.world.look import Look  # noqa: E402
from render.world.reference_world import ReferenceWorld  # noqa: E402
from render.world.still_world import still_world  # noqa: E402
from scenegraph import Scene  # noqa: E402

SHARED = Path(os.environ.get("DRIVESIM_SHARED", ROOT.parent / "shared"))
LOOKS = {
    "town, noon": ("occluded_child", Look("clear", "noon", place="town")),
    "motorway, overcast": ("motorway_merge", Look("overcast", "morning", place="motorway")),
    "village, rain at night": ("roundabout_traffic", Look("rain", "night", place="village")),
    "Argoverse log, noon": ("argoverse", Look("clear", "noon", place="city")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="256x144", help="of a picture, WIDTHxHEIGHT")
    parser.add_argument("--frames", type=int, default=3, help="instants of every scene")
    given = parser.parse_args()
    size = tuple(int(side) for side in given.size.split("x"))
    rows = [measured(name, scene, look, size, given.frames) for name, scene, look in scenes()]
    columns = list(rows[0])
    print("  ".join(column.rjust(14) for column in columns))
    for row in rows:
        print("  ".join(str(row[column]).rjust(14) for column in columns))
    print(json.dumps({"size": given.size, "rows": rows}))


def scenes() -> list[tuple[str, Scene, Look]]:
    found = []
    for name, (source, look) in LOOKS.items():
        if source == "argoverse":
            logs = sorted((SHARED / "data" / "av2_sensor").glob("7fab2350*"))
            if not logs:
                continue
            found.append((name, load_scene(logs[0]), look))
        else:
            found.append((name, load_scene_for_filming(Path(source)), look))
    return found


def measured(name: str, scene: Scene, look: Look, size: Any, frames: int) -> dict[str, Any]:
    cameras = film(scene, scene.frame_times_us(10)[: frames + 1], size)
    start = time.process_time()
    world = ReferenceWorld(scene, cameras, look)
    set_up_s = time.process_time() - start
    views = range(len(cameras.cameras))
    for view in views:
        world.frame(view, 0)
    taken = []
    for index in range(1, frames + 1):
        for view in views:
            start = time.process_time()
            world.frame(view, index)
            taken.append(time.process_time() - start)
    return {
        "scene": name,
        "cameras": len(views),
        "actors": len(scene.actors),
        "set up s": round(set_up_s, 2),
        "picture ms": round(1e3 * median(taken), 1),
        "slowest ms": round(1e3 * max(taken), 1),
        "cast ms": round(1e3 * cast_s(scene, cameras, look), 1),
    }


def cast_s(scene: Scene, cameras: Any, look: Look) -> float:
    """Seconds of one ray per pixel and its shadow ray against what stands still, median over the cameras."""
    still = still_world(scene, cameras, look, 0)
    triangles: TriangleScene = still.triangles
    sun = np.array([0.4, 0.3, 0.87], dtype=np.float32)
    taken = []
    for camera, pose in zip(cameras.cameras, cameras.world_from_camera[:, 0], strict=True):
        origin, rays = world_rays(camera, pose)
        rays = rays.reshape(-1, 3)
        start = time.process_time()
        hits = triangles.first_hits(origin, rays)
        places = origin + rays[hits.any] * hits.distance_m[hits.any, None] + 0.02 * sun
        triangles.blocked(places.astype(np.float32), np.broadcast_to(sun, places.shape))
        taken.append(time.process_time() - start)
    return median(taken)


if __name__ == "__main__":
    main()
