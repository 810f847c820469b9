"""The benchmark of the generator runs, whatever it measures: it is a program that people are told to start."""

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
