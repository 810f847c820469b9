"""The built-in scenarios: each is built, sound, and drawn; some on recorded logs too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivesim.paths import built_in_configs
from drivesim.pipeline import film
from drivesim.scenario.build import build
from drivesim.scenario.checks import check_scene
from drivesim.scenario.loading import load_scenario
from drivesim.scenario.scene_digest import scene_digest
from render.controls import ControlRenderer

LIBRARY = built_in_configs("scenarios")
ON_ARGOVERSE = [
    "animal_crossing", "lead_vehicle_stopped", "motorcyclist_stationary", "pedestrian_along_road", "roundabout_traffic",
]  # fmt: skip
ON_NUSCENES = ["bicyclist_crossing", "lead_vehicle_slower", "roundabout_traffic"]


def test_there_are_at_least_twenty_and_none_is_long() -> None:
    assert len(LIBRARY) >= 20
    for file in LIBRARY.values():
        lines = file.read_text().splitlines()
        assert lines[0] == "# yaml-language-server: $schema=../schema/scenario.json" and len(lines) <= 60


@pytest.mark.parametrize("name", LIBRARY)
def test_a_built_in_scenario_is_sound_and_can_be_drawn(name: str) -> None:
    scenario = load_scenario(name)
    built = build(scenario)
    said = scenario.file
    findings = check_scene(
        built.scene, about=said.about, allow=said.checks.allow, recorded=built.recorded, edited=built.edited
    )
    assert [finding.sentence for finding in findings if finding.severity == "error"] == []
    times_us = built.scene.frame_times_us(10)
    renderer = ControlRenderer(built.scene, film(built.scene, times_us, (320, 180)))
    middle = len(times_us) // 2
    assert all(renderer.frame(view, middle).any() for view in range(len(built.scene.rig)))


def test_a_built_in_scenario_is_the_same_to_the_bit_every_time() -> None:
    assert len({scene_digest(build(load_scenario("motorway_merge")).scene) for _ in range(2)}) == 1


@pytest.mark.parametrize(
    ("name", "log"),
    [
        *((name, "av2_sensor/7fab2350-7eaf-3b7e-a39d-6937a4c1bede") for name in ON_ARGOVERSE),
        *((name, "nuscenes_scenarios/scene-0103.json") for name in ON_NUSCENES),
    ],
)
def test_one_changed_line_puts_it_on_a_recorded_log(name: str, log: str, shared_data: Path) -> None:
    scenario = load_scenario(name, [f"source={{kind: log, path: {shared_data / log}}}"])
    built = build(scenario)
    findings = check_scene(built.scene, about=scenario.file.about, recorded=built.recorded, edited=built.edited)
    assert [finding.sentence for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize("name", ["cut_in", "occluded_child", "roundabout_traffic"])
def test_nobody_jumps_between_frames(name: str) -> None:
    scene = build(load_scenario(name)).scene
    times_us = scene.frame_times_us(50)
    for actor in scene.actors:
        boxes = actor.boxes_at(times_us)
        places = boxes.world_from_box.translation_m[boxes.present]
        second = np.diff(places, 2, axis=0) * 50**2
        assert not len(second) or np.linalg.norm(second, axis=1).max() < 8.0  # m/s^2, hard braking


LOGS = {
    "argoverse": "kind: log, path: DATA/av2_sensor/7fab2350-7eaf-3b7e-a39d-6937a4c1bede",
    "scene-0061": "kind: log, path: DATA/nuscenes_scene-0061/scenario_scene-0061.json",
    "scene-0103": "kind: log, path: DATA/nuscenes_scenarios/scene-0103.json",
    "scene-0796": "kind: log, path: DATA/nuscenes_scenarios/scene-0796.json",
    "junction": "kind: road, layout: {kind: four_way}, lanes: 2, oncoming_lanes: 2",
}
FIVE_EDITS = """
  - {kind: keep_only, classes: [Car, Truck]}
  - {kind: remove_elements, layer: LAYER, region: {x_m: 20, y_m: 0, radius_m: 10}}
  - {kind: add_sign, id: new, x_m: 25, y_m: -6}
  - {kind: move_camera, camera: camera_front_wide_120fov, z_m: 0.2, pitch_deg: 1}
  - {kind: jitter_rig, rotation_deg: 0.2}
"""


@pytest.mark.parametrize("source", LOGS)
def test_five_edits_change_what_the_cameras_see(source: str, shared_data: Path, tmp_path: Path) -> None:
    layer = "lane_lines" if source == "junction" else "road_boundaries"
    plain = (
        f"version: 1\nduration_s: 4\nrig: cosmos-ftheta-7\n"
        f"source: {{{LOGS[source].replace('DATA', str(shared_data))}}}\ntraffic: {{per_km: 5}}\n"
    )
    pictures = []
    for name, text in (("plain", plain), ("edited", f"{plain}edits:{FIVE_EDITS.replace('LAYER', layer)}")):
        file = tmp_path / f"{name}.yaml"
        file.write_text(text)
        scene = build(load_scenario(file)).scene
        cameras = film(scene, scene.frame_times_us(10)[:20], (320, 180))
        pictures.append(ControlRenderer(scene, cameras).frame(0, 10))
    assert pictures[0].any() and (pictures[0] != pictures[1]).any()
