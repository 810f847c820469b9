"""How long `check_scene` takes.

Regime: 20 s of a straight road with a kerb on both sides, 150 actors in dense traffic, a rig of seven cameras, one of
the actors named as the subject; one core; CPU time of this process, the median of several passes after one that is
not counted. Recorded logs follow where they are found (DRIVESIM_SHARED, default ../shared).

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_checks.py [--passes 5]

The last line is the table as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import numpy as np  # noqa: E402
from checked_scenes import actor, rig, road  # noqa: E402

from drivesim.scenario.checks import check_scene  # noqa: E402
from scenegraph import SE3, Actor, Scene, Trajectory  # noqa: E402
from scenegraph.formats import read_scene  # noqa: E402

SECONDS, ACTORS = 20.0, 150
LIMIT_S = 2.0


def dense_scene() -> Scene:
    """Traffic in four lanes, cars parked on both kerbs, people on the pavements; some come and go."""
    times_s = np.arange(0.0, SECONDS + 1e-9, 0.1)
    random = np.random.default_rng(0)

    def line(name: str, kind: str, x: float, y: float, speed: float) -> Actor:
        covered = x + speed * times_s + 1.5 * np.sin(times_s / 3 + x)
        points = np.stack([covered, np.full_like(covered, y), np.zeros_like(covered)], axis=1)
        return actor(name, kind, points, 0.0 if speed >= 0 else np.pi, times_s=times_s)

    kinds = ("car", "car", "truck", "van")
    lanes = [(-5.25, 8.0), (-1.75, 9.0), (1.75, -9.0), (5.25, -8.0)]
    actors = []
    for i in range(80):
        y, speed = lanes[i % 4]
        x = (-140.0 if speed > 0 else -20.0) + 17.0 * (i // 4)
        if y == -1.75 and -25.0 < x < 12.0:
            x -= 400.0  # not where the ego is
        actors.append(line(f"vehicle {i}", kinds[i % 4], x, y, speed))
    actors += [line(f"parked {i}", "car", -100.0 + 12 * i, (-1) ** i * 8.4, 0.0) for i in range(30)]
    actors += [
        line(
            f"person {i}", "pedestrian", float(random.uniform(-50, 250)), (-1) ** i * float(random.uniform(9, 12)), 1.3
        )
        for i in range(ACTORS - len(actors))
    ]
    ego = Trajectory(
        np.round(times_s * 1e6).astype(np.int64),
        SE3.from_yaw(
            np.zeros_like(times_s), np.stack([9 * times_s, np.full_like(times_s, -1.75), 0 * times_s], axis=1)
        ),
    )
    return Scene("dense", road(), ego, tuple(actors), rig=rig(), source={"format": "made"})


def scenes() -> dict[str, tuple[Scene, str | None]]:
    """Scenes with the id of a subject."""
    shared = Path(os.environ.get("DRIVESIM_SHARED", ROOT.parent / "shared")) / "data"
    found: dict[str, tuple[Scene, str | None]] = {"made": (dense_scene(), "vehicle 40")}
    for log in sorted((shared / "av2_sensor").glob("7fab2350*")):
        scene = read_scene(log)
        found["argoverse log"] = scene, scene.actors[0].id
    for file in sorted((shared / "nuscenes_scene-0061").glob("scenario_*.json")):
        scene = replace(read_scene(file, kind="scenarionet"), rig=rig("nuscenes-6"))
        found["scene-0061"] = scene, scene.actors[0].id
    return found


def main() -> None:
    """Print the table, then the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    for name, (scene, about) in scenes().items():
        times, findings = [], ()
        for number in range(arguments.passes + 1):
            begin = time.process_time()
            findings = check_scene(scene, about=about)
            if number:
                times.append(time.process_time() - begin)
        row = {"scene": name, "actors": len(scene.actors), "seconds": scene.duration_s, "cameras": len(scene.rig)}
        rows.append(row | {"check_s": round(median(times), 3), "findings": len(findings)})
    columns = ("actors", "seconds", "cameras", "findings", "check_s")
    print(f"{'scene':14s}" + "".join(f"{column:>10s}" for column in columns))
    for row in rows:
        print(f"{row['scene']:14s}" + "".join(f"{row[column]:10.2f}" for column in columns))
    print(json.dumps({"limit_s": LIMIT_S, "within": rows[0]["check_s"] < LIMIT_S, "rows": rows}))


if __name__ == "__main__":
    main()
