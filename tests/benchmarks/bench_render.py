"""How fast control pictures are drawn and stored.

Regime: 1280x720, all layers, world-scenario look, CPU, 8-bit RGB out. `project` moves, culls, clips and projects the
geometry of one picture; `rasterise` turns it into pixels; `encode` makes H.264 of it, conversion to YUV included (the
encoder gets 30 consecutive frames). Each is the mean over all cameras and frames of a scene, on one core, in
milliseconds of this process's CPU time per camera frame: the median of several passes after one that is not counted
(it compiles or loads the compiled code). `fps` is camera frames per second of wall time, drawn and encoded by one
thread per core. The floor is the time to write one such picture to memory once.

    python tests/benchmarks/bench_render.py [--passes 9] [--frames 30]

Needs the golden scenes and the Argoverse log in the folder DRIVESIM_SHARED, default ../shared; a scene that is
missing is left out. The last line is the table as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import numpy as np  # noqa: E402
from golden_scenes import load_golden_scene  # noqa: E402

from render.controls import ControlRenderer  # noqa: E402
from render.rasterizer import rasterize  # noqa: E402
from render.video import VideoWriter  # noqa: E402
from scenegraph import ClipCameras, Scene  # noqa: E402
from scenegraph.formats import read_scene  # noqa: E402

SIZE = (1280, 720)
Picture = TypeVar("Picture")


def scenes(frames: int) -> dict[str, tuple[Scene, ClipCameras]]:
    """The highway of the golden data (its three frames), and an Argoverse log."""
    shared = Path(os.environ.get("DRIVESIM_SHARED", ROOT.parent / "shared"))
    found = {}
    highway = shared / "golden" / "render" / "scenes" / "highway_7cam"
    if highway.is_dir():
        golden = load_golden_scene(highway)
        found["highway_7cam"] = golden.scene, golden.cameras
    for log in sorted((shared / "data" / "av2_sensor").glob("7fab2350*")):
        scene = read_scene(log)
        times = scene.frame_times_us(30.0)[:frames]
        found["argoverse log"] = scene, scene.rig.resized(*SIZE).at(scene.ego, times)
    return found


def cpu_ms(work: Callable[[], None]) -> float:
    """Milliseconds of CPU time of one call."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1e3


def measure(name: str, scene: Scene, cameras: ClipCameras, passes: int, folder: Path) -> dict[str, float | str]:
    """One row of the table."""
    renderer = ControlRenderer(scene, cameras)
    views = [(v, t) for v in range(len(cameras.cameras)) for t in range(len(cameras.timestamps_us))]
    out = np.empty((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    times: dict[str, list[float]] = {"project": [], "rasterise": [], "encode": []}
    primitives = 0
    for number in range(passes + 1):
        spent = dict.fromkeys(times, 0.0)
        primitives = 0
        for view, index in views:
            spent["project"] += cpu_ms(lambda v=view, t=index: renderer.project(v, t))
            p = renderer.project(view, index)
            primitives += p.count
            spent["rasterise"] += cpu_ms(lambda p=p: rasterize(p.xyz, p.rgb, p.half_width, p.count, out))
        for view in range(len(cameras.cameras)):
            pictures = there_and_back([renderer.frame(view, t) for t in range(len(cameras.timestamps_us))], 30)
            spent["encode"] += cpu_ms(lambda v=view, p=pictures: encode(p, folder / f"{v}.mp4")) / 30
        if number:
            times["encode"].append(spent["encode"] / len(cameras.cameras))
            for part in ("project", "rasterise"):
                times[part].append(spent[part] / len(views))
    row: dict[str, float | str] = {"scene": name, "views": len(cameras.cameras), "primitives": primitives / len(views)}
    row |= {part: median(values) for part, values in times.items()}
    row["draw"] = median(a + b for a, b in zip(times["project"], times["rasterise"], strict=True))
    row["fps"] = median(all_cores(renderer, folder) for _ in range(3))
    return row


def there_and_back(pictures: list[Picture], count: int) -> list[Picture]:
    """``count`` pictures that follow each other: the clip forwards, backwards, forwards ..."""
    swing = pictures + pictures[-2:0:-1]
    return [swing[i % len(swing)] for i in range(count)]


def encode(pictures: list[np.ndarray], path: Path) -> None:
    """Store pictures as a default video."""
    with VideoWriter(path, *SIZE, 30.0) as writer:
        for picture in pictures:
            writer.write(picture)


def all_cores(renderer: ControlRenderer, folder: Path) -> float:
    """Camera frames per second, drawn and encoded by one thread per core."""
    frames = len(renderer.cameras.timestamps_us)
    order = there_and_back(list(range(frames)), 90)

    def film(view: int) -> None:
        with VideoWriter(folder / f"{view}.mp4", *SIZE, 30.0) as writer:
            for index in order:
                writer.write(renderer.frame(view, index))

    views = range(len(renderer.cameras.cameras))
    begin = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(film, views))
    return len(views) * len(order) / (time.perf_counter() - begin)


def floor_ms() -> float:
    """Milliseconds of CPU time to fill one picture."""
    out = np.empty((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return median(cpu_ms(lambda: [out.fill(i) for i in range(50)]) / 50 for _ in range(9))  # type: ignore[func-returns-value]


def main() -> None:
    """Print the table, then the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=9)
    parser.add_argument("--frames", type=int, default=30)
    arguments = parser.parse_args()
    columns = ("project", "rasterise", "draw", "encode", "fps", "primitives")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (scene, cameras) in scenes(arguments.frames).items():
            rows.append(measure(name, scene, cameras, arguments.passes, Path(folder)))
    print(f"{'scene':14s}" + "".join(f"{column:>12s}" for column in columns))
    for row in rows:
        print(f"{row['scene']:14s}" + "".join(f"{row[column]:12.2f}" for column in columns))
    result = {"cores": os.cpu_count(), "floor_ms": round(floor_ms(), 3), "rows": rows}
    print(json.dumps(result, default=float))


if __name__ == "__main__":
    main()
