"""How well clips of trained weights follow their scenes, beside the reference world filming the same.

Regime: random scenarios that no training draws, in the size, rate and length of the weights, sampled as the weights
say is best. Clips of rigs like those of the training; the same scenarios with a rig that no training draws; with
``--no-cross-view`` the first ones again without any neighbours, so that views do not attend to each other; and rollouts
of several chunks. Figures are those of ``drivesim.quality``, each against its null; the reference world is what a
perfect generator would reach.

    python tests/benchmarks/bench_quality.py WEIGHTS [--clips 32] [--no-cross-view] [--rollouts 4] [--chunks 4]

The last line is the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import numpy as np  # noqa: E402

from drivesim.console import progress  # noqa: E402
from drivesim.pipeline import film  # noqa: E402
from drivesim.quality import ClipQuality, as_json, clip_sight, measure, show, summarise  # noqa: E402
from drivesim.training.clip_sources import FIRST_UNSEEN_SEED  # noqa: E402
from drivesim.training.clips import TrainingClip  # noqa: E402
from drivesim.training.random_scenarios import RandomScenario, random_scenario  # noqa: E402
from drivesim.training.samples import request_of  # noqa: E402
from drivesim.training.training_set import SetSettings, make_clip  # noqa: E402
from models.long_video import Chunk, LongVideo, plan_chunks, roll_out  # noqa: E402
from models.request import GenerationRequest  # noqa: E402
from models.sampling import usual_sampling  # noqa: E402
from models.weights import load_generator  # noqa: E402
from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, Pinhole  # noqa: E402
from scenegraph.arrays import UInt8Array  # noqa: E402

FIRST_SEED = FIRST_UNSEEN_SEED + 10_000
"""Beyond the unseen clips of trainings, which somebody may have looked at to choose settings."""
OVERLAP = 5
REFERENCE = "reference world"

Filmed = Callable[[TrainingClip], UInt8Array]


def unseen_rig() -> CameraRig:
    """Six cameras high up on a lorry, in two pairs ahead and two that look back along its sides."""
    places = {
        "front_left": (4.2, 0.9, 14.0, 62.0),
        "front_right": (4.2, -0.9, -14.0, 62.0),
        "side_left": (3.6, 1.25, 78.0, 100.0),
        "side_right": (3.6, -1.25, -78.0, 100.0),
        "mirror_left": (3.8, 1.3, 148.0, 75.0),
        "mirror_right": (3.8, -1.3, -148.0, 75.0),
    }
    return CameraRig(tuple(_camera(name, *place) for name, place in places.items()))


def _camera(name: str, x_m: float, y_m: float, yaw_deg: float, field_deg: float) -> Camera:
    focal_px = 800 / np.tan(np.radians(field_deg) / 2)
    pose = SE3.from_roll_pitch_yaw_deg([0.0, 6.0, yaw_deg], [x_m, y_m, 2.7]) @ CAMERA_FROM_FLU.inverse()
    return Camera(name, Pinhole(focal_px, focal_px, 799.5, 449.5), 1600, 900, pose)


def measured(
    scenarios: Sequence[RandomScenario], settings: SetSettings, makers: dict[str, Filmed], **others: Any
) -> dict[str, list[ClipQuality]]:
    """Measure what every maker makes of some scenarios."""
    found: dict[str, list[ClipQuality]] = {maker: [] for maker in makers}
    with progress(f"Measuring {len(scenarios)} clips", len(scenarios) * len(makers)) as advance:
        for scenario in scenarios:
            clip = make_clip(scenario, settings)
            cameras = film(scenario.scene, scenario.scene.frame_times_us(), (settings.width_px, settings.height_px))
            sight = clip_sight(scenario.scene, cameras)
            for maker, make in makers.items():
                found[maker].append(measure(clip.name, make(clip), sight, reference=clip.frames, **others))
                advance()
    return found


def rolled_out(generator: Any, sampling: Any, chunks: Sequence[Chunk]) -> Filmed:
    """Makes a long clip chunk by chunk."""

    def make(clip: TrainingClip) -> UInt8Array:
        def request(chunk: Chunk) -> GenerationRequest:
            part = slice(chunk.start, chunk.stop)
            return request_of(replace(clip, frames=clip.frames[:, part], control=clip.control[:, part]), sampling)

        parts = roll_out(generator, LongVideo(tuple(chunks), request))
        return np.concatenate([frames for _, frames, _ in parts], axis=1)

    return make


def main() -> None:
    """Print the tables, then the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--no-cross-view", action="store_true", help="also without attention between views")
    parser.add_argument("--no-unseen-rig", action="store_true", help="leave out the rig that no training draws")
    parser.add_argument("--rollouts", type=int, default=4)
    parser.add_argument("--chunks", type=int, default=4)
    parser.add_argument("--steps", type=int, help="instead of what the weights say is best")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    generator = load_generator(arguments.weights, device=arguments.device)
    sampling = usual_sampling(arguments.weights)
    sampling = replace(sampling, steps=arguments.steps or sampling.steps)
    regime = generator.regime
    settings = SetSettings(1, 0, regime.width_px, regime.height_px, regime.clip_frames, regime.fps)

    # 1. Rigs as in training, with and without attention between views; a rig it never saw.
    def reference(clip: TrainingClip) -> UInt8Array:
        return clip.frames

    def generated(clip: TrainingClip) -> UInt8Array:
        return generator.generate(request_of(clip, sampling))

    def alone(clip: TrainingClip) -> UInt8Array:
        return generated(replace(clip, neighbours=np.zeros_like(clip.neighbours)))

    seeds = range(FIRST_SEED, FIRST_SEED + arguments.clips)
    scenarios = [random_scenario(seed, settings.frames, settings.fps) for seed in seeds]
    makers: dict[str, Filmed] = {REFERENCE: reference, "generated": generated}
    found = measured(scenarios, settings, makers | ({"no cross-view": alone} if arguments.no_cross_view else {}))
    if not arguments.no_unseen_rig:
        others = [replace(scenario, scene=scenario.scene.with_rig(unseen_rig())) for scenario in scenarios]
        unseen = measured(others, settings, makers)
        found |= {f"unseen rig, {maker}": clips for maker, clips in unseen.items()}

    # 2. Rollouts.
    if arguments.rollouts:
        frames = arguments.chunks * (settings.frames - OVERLAP) + OVERLAP
        chunks = plan_chunks(frames, settings.frames, OVERLAP)
        longer = [random_scenario(seed, frames, settings.fps) for seed in seeds[: arguments.rollouts]]
        makers = {REFERENCE: reference, "generated": rolled_out(generator, sampling, chunks)}
        added = [(chunk.start + chunk.overlap, chunk.stop) for chunk in chunks]
        rollouts = measured(longer, replace(settings, frames=frames), makers, chunks=added)
        found |= {f"{arguments.chunks} chunks, {maker}": clips for maker, clips in rollouts.items()}

    summaries = {maker: summarise(clips) for maker, clips in found.items()}
    show(summaries)
    print(json.dumps({"clips": arguments.clips, "steps": sampling.steps, "figures": as_json(summaries)}))


if __name__ == "__main__":
    main()
