"""Random sound traffic, and random faults in it: scenes that no limit was chosen for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from checked_scenes import (
    FAR_ONCOMING,
    FAR_RIGHT,
    ONCOMING,
    TIMES_S,
    cut,
    driving,
    edited,
    scene,
    speeds,
    swerve,
    walking,
)

from drivesim.scenario.checks import check_scene
from drivesim.scenario.classes import KINDS
from scenegraph import Actor, Scene

COUNT = 40


def sound_scene(seed: int) -> tuple[Scene, np.random.Generator]:
    """Vehicles of random classes that speed up, slow down and change lanes far apart from each other; walkers."""
    random = np.random.default_rng(seed)

    def way(kind: str, start: float) -> np.ndarray:
        limits = KINDS[kind].limits  # type: ignore[index]
        legs, at_s = [], 0.0
        while at_s < 7.0:
            pull = random.uniform(-0.85 * limits.braking_mps2, 0.8 * limits.acceleration_mps2)
            legs.append((at_s, float(pull) if random.random() < 0.5 else 0.0))
            at_s += float(random.uniform(0.8, 2.5))
        return speeds(*legs, start=start)

    kinds = ["car", "van", "truck", "bus", "motorcycle", "cyclist", "emergency"]
    first, second, third, fourth = random.choice(kinds, 4)
    over_m = float(random.uniform(45, 90))
    actors = [
        driving("a", first, x=float(random.uniform(95, 110)), way=way(first, 14.0)),
        driving(
            "b", second, x=float(random.uniform(25, 35)), y=FAR_RIGHT + float(random.uniform(-0.4, 0.4)), speed=8.0
        ),
        driving(
            "c", third, x=150.0, y=lambda x: swerve(-x, -110.0, over_m, ONCOMING, FAR_ONCOMING), back=True, speed=12.0
        ),
        driving("d", fourth, x=270.0, y=ONCOMING, way=way(fourth, 9.0), back=True),
        walking("p", (float(random.uniform(20, 80)), -9.5), (float(random.uniform(-2, 2)), 0.1), z=0.15),
    ]
    return scene(*actors), random


def teleports(actor: Actor, random: np.random.Generator) -> Actor:
    jump = random.uniform(1.0, 8.0) * np.array([math.cos(angle := random.uniform(0, 6.28)), math.sin(angle), 0.0])
    late = (random.uniform(0.5, 7.5) <= TIMES_S)[:, None]
    return edited(actor, lambda c, y: (c + late * jump, y))


def lifts(actor: Actor, random: np.random.Generator) -> Actor:
    rise = random.choice([-1, 1]) * random.uniform(0.5, 2.0)
    return edited(actor, lambda c, y: (c + np.array([0.0, 0.0, rise]), y))


def turns(actor: Actor, random: np.random.Generator) -> Actor:
    off = random.choice([-1, 1]) * random.uniform(0.15, 1.5)
    return edited(actor, lambda c, y: (c, y + off))


def leaves_the_road(actor: Actor, random: np.random.Generator) -> Actor:
    off = random.uniform(3.0, 12.0)
    return edited(actor, lambda c, y: (c + np.array([0.0, -off - 7.2 + 5.25, 0.0]), y))


def goes_back(actor: Actor, random: np.random.Generator) -> Actor:
    return edited(actor, lambda c, y: (c[::-1] + np.array([20.0, 0.0, 0.0]), y[::-1] + math.pi))


def brakes(actor: Actor, random: np.random.Generator) -> Actor:
    way = speeds((float(random.uniform(1, 6)), -float(random.uniform(14, 40))), start=15.0)
    return driving("b", "car", x=30.0, y=FAR_RIGHT, way=way)


def is_born(actor: Actor, random: np.random.Generator) -> Actor:
    return cut(actor, float(random.uniform(0.5, 4.0)))


def grows(actor: Actor, random: np.random.Generator) -> Actor:
    factor = random.uniform(3.0, 6.0)
    return replace(actor, height_m=actor.height_m * factor)


FAULTS = [
    (teleports, {"kinematics"}), (lifts, {"floating", "sunken"}), (turns, {"kinematics"}),
    (leaves_the_road, {"off_road"}), (goes_back, {"wrong_way"}), (brakes, {"kinematics"}),
    (is_born, {"born_in_view"}), (grows, {"size"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def false_alarms() -> list[str]:
    scenes = [sound_scene(seed)[0] for seed in range(COUNT)]
    alarms = [[f.sentence for f in check_scene(s) if f.severity != "note"] for s in scenes]
    return ["; ".join(alarm) for alarm in alarms if alarm]


def test_random_sound_traffic_raises_no_alarm(false_alarms):
    print(f"\nrandom sound scenes: {len(false_alarms)} of {COUNT} with false alarms: {false_alarms}")
    assert len(false_alarms) <= 0.02 * COUNT


def test_random_faults_are_found():
    missed = []
    for seed in range(COUNT):
        base, random = sound_scene(1000 + seed)
        change, kinds = FAULTS[seed % len(FAULTS)]
        old = base.actors[1]
        faulty = replace(base, actors=tuple(change(a, random) if a is old else a for a in base.actors))
        found = {f.kind for f in check_scene(faulty) if f.severity != "note" and "b" in (f.actor, f.other)}
        if not found & kinds:
            missed.append(f"{seed}: {change.__name__} of a {old.source_category}, found {sorted(found)}")
    print(f"\nrandom faults: {COUNT - len(missed)} of {COUNT} found; missed: {missed}")
    assert len(missed) <= 0.05 * COUNT
