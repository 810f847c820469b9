"""What the checks say about logs that nobody edited, and about faults planted in one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from checked_scenes import keeping, rig, without_lines

from drivesim.scenario.checks import check_scene
from scenegraph import SE3, Actor, Scene, Trajectory
from scenegraph.formats import read_scene

ALARMS = {
    "argoverse": {"duplicate": 1, "collision": 1},
    "scene-0103": {},
    "scene-0796": {},
    "scene-0061": {},
}
"""Real ones: a parked car that was labelled twice, and a car whose label goes 0.76 m into that of a parked one."""


@cache
def _read(path, kind=None) -> Scene:
    return read_scene(path, kind=kind)


@pytest.fixture
def log(av2_log) -> Scene:
    return _read(av2_log)


def unedited(shared_data, av2_log, name: str) -> Scene:
    if name == "argoverse":
        return _read(av2_log)
    folder = shared_data / ("nuscenes_scene-0061" if name == "scene-0061" else "nuscenes_scenarios")
    file = folder / (f"scenario_{name}.json" if name == "scene-0061" else f"{name}.json")
    if not file.is_file():
        pytest.skip(f"no {file.name} in shared/data")
    return _read(file, "scenarionet").with_rig(rig("nuscenes-6"))


@pytest.mark.parametrize("name", ALARMS)
def test_unedited_logs_raise_only_the_alarms_that_are_faults_of_their_labels(shared_data, av2_log, name):
    findings = check_scene(unedited(shared_data, av2_log, name))
    assert Counter(f.kind for f in findings if f.severity != "note") == ALARMS[name]
    assert not [f for f in findings if f.severity == "error"]


def test_without_the_tolerance_for_labels_a_log_would_cry_wolf(log):
    assert sum(f.severity != "note" for f in check_scene(log, recorded=())) > 20


def _nearest_mover(scene: Scene) -> Actor:
    """The car that is there longest of those that drive within 40 m of the ego."""
    times_us = scene.ego.first_us + np.arange(0, int(scene.duration_s * 10)) * 100_000
    ego = scene.ego.at(times_us).translation_m

    def seconds(actor: Actor) -> float:
        boxes = actor.boxes_at(times_us)
        places = boxes.world_from_box.translation_m
        near = boxes.present & (np.linalg.norm(places - ego, axis=1) < 40)
        far_m = np.linalg.norm(places[-1] - places[0])
        return float(near.sum()) if actor.category == "Car" and far_m > 30 else 0.0

    return max(scene.actors, key=seconds)


def _changed(scene: Scene, old: Actor, new: Actor) -> Scene:
    return replace(scene, actors=tuple(new if actor is old else actor for actor in scene.actors))


def _moved(actor: Actor, by: np.ndarray, yaw_rad: float = 0.0) -> Actor:
    track = actor.trajectory
    pose = track.world_from_body
    turned = pose.rotation @ SE3.from_yaw(yaw_rad, np.zeros(3)).rotation
    return replace(actor, trajectory=Trajectory(track.timestamps_us, SE3(turned, pose.translation_m + by)))


def _from(actor: Actor, share: float) -> np.ndarray:
    count = len(actor.trajectory)
    return (np.arange(count) >= share * count).astype(float)[:, None]


FAULTS = {
    "teleport": ("kinematics", lambda a: _moved(a, _from(a, 0.5) * [4.0, 3.0, 0.0])),
    "raised": ("floating", lambda a: _moved(a, np.array([0.0, 0.0, 3.5]))),
    "sunken": ("sunken", lambda a: _moved(a, np.array([0.0, 0.0, -3.5]))),
    "turned around": ("wrong_way", lambda a: _moved(a, np.zeros(3), np.pi)),
    "sideways": ("kinematics", lambda a: _moved(a, np.zeros(3), np.pi / 2)),
    "cut short": ("dies_in_view", lambda a: keeping(a, ~_from(a, 0.4)[:, 0].astype(bool))),
    "grown": ("size", lambda a: replace(a, height_m=a.height_m * 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_gross_faults_are_found_in_edited_tracks_of_a_log(log, name):
    kind, change = FAULTS[name]
    mover = _nearest_mover(log)
    findings = check_scene(_changed(log, mover, change(mover)), edited={mover.id})
    assert [f for f in findings if f.kind == kind and f.actor == mover.id and f.severity != "note"]


def test_a_car_added_onto_a_recorded_one_collides(log):
    mover = _nearest_mover(log)
    shifted = replace(_moved(mover, np.array([1.5, 1.0, 0.0])), id="added")
    findings = check_scene(
        replace(log, actors=(*log.actors, shifted)), edited={"added"}, recorded={a.id for a in log.actors}
    )
    assert [f for f in findings if f.kind == "collision" and "added" in (f.actor, f.other) and f.severity == "error"]


def test_lines_removed_under_the_ego_of_a_log_are_noticed(log):
    bare = replace(log, hdmap=without_lines(log.hdmap, *(line.id for line in log.hdmap.lane_lines)))
    findings = check_scene(bare)
    assert [f for f in findings if f.kind == "missing_line" and "ego" in f.sentence]
