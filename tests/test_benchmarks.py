"""Benchmarks run, whatever they measure: they are programs that people are told to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_generators_benchmark_runs_and_ends_with_one_line_of_json() -> None:
    tiny = ["--width", "64", "--heads", "2", "--blocks", "2", "--views", "3", "--frames", "5", "--size", "64x32"]
    few = ["--text-tokens", "8", "--repeats", "1", "--steps", "2"]
    program = ROOT / "tests" / "benchmarks" / "bench_generator.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, program, *tiny, *few], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert {"ceiling_flops", "step", "breakdown", "savings", "mixing"} <= set(measured)


def test_the_reference_worlds_benchmark_runs_and_ends_with_one_line_of_json(tmp_path: Path) -> None:
    program = ROOT / "tests" / "benchmarks" / "bench_world.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DRIVESIM_SHARED": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, program, "--size", "32x18", "--frames", "1"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert len(rows) == 3 and all(row["picture ms"] > 0 for row in rows)
