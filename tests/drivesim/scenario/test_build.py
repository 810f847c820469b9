"""A scenario of a recorded log becomes a scene, for every command that takes a log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivesim.errors import ScenarioError
from drivesim.scenario.build import build, build_scene
from drivesim.scenario.checks import check_scene
from drivesim.scenario.loading import load_scenario
from drivesim.scenario.scene_digest import scene_digest
from drivesim.sources import load_scene


def _scenario(folder: Path, log: Path, more: str = "") -> Path:
    file = folder / "quiet.yaml"
    file.write_text(f"version: 1\nduration_s: 1\nsource: {{kind: log, path: {log}}}\n{more}")
    return file


def test_without_edits_a_scenario_is_its_log(tmp_path: Path, scene_folder: Path) -> None:
    built, log = load_scene(_scenario(tmp_path, scene_folder)), load_scene(scene_folder)
    assert built.clip_id == "quiet"
    assert [actor.id for actor in built.actors] == [actor.id for actor in log.actors]
    assert built.rig.names == log.rig.names
    times = built.frame_times_us()
    assert times[0] == log.frame_times_us()[0] and 0.9e6 < times[-1] - times[0] <= 1.0e6


def test_edits_are_applied_in_order(tmp_path: Path, scene_folder: Path) -> None:
    edits = "edits:\n  - {kind: keep_only, classes: [Truck]}\n  - {kind: remove_camera, camera: left}\n"
    built = load_scene(_scenario(tmp_path, scene_folder, edits))
    assert [actor.id for actor in built.actors] == ["oncoming lorry"]
    assert built.rig.names == ("front", "right")


def test_the_same_file_gives_the_same_scene(tmp_path: Path, scene_folder: Path) -> None:
    file = _scenario(tmp_path, scene_folder, "seed: 5\nedits: [{kind: jitter_rig}]\n")
    assert scene_digest(load_scene(file)) == scene_digest(load_scene(file))


def test_actors_that_never_come_near_are_left_out(tmp_path: Path, scene_folder: Path) -> None:
    file = tmp_path / "near.yaml"
    file.write_text(f"version: 1\nduration_s: 1\nsource: {{kind: log, path: {scene_folder}, within_m: 15}}\n")
    built, log = load_scene(file), load_scene(scene_folder)
    assert 0 < len(built.actors) < len(log.actors)
    way = log.ego.world_from_body.translation_m[:, :2]
    for actor in built.actors:
        places = actor.trajectory.world_from_body.translation_m[:, :2]
        assert np.linalg.norm(way[:, None] - places[None], axis=-1).min() <= 15


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            "edits:\n  - {kind: remove, actors: [lead cart]}\n",
            "{file}:5:5  edits[0]: ",
        ),
        (
            "actors:\n  - {id: lead car, place: {kind: pose, x_m: 9, y_m: 9}}\n",
            "{file}:5:10  actors[0].id: there is an actor 'lead car' in the source. Choose another id",
        ),
        (
            "actors:\n  - {id: a, place: {kind: lane, lane: ego+3}}\n",
            "{file}:5:5  actors[0]: actor a: there is no lane ego+3",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_at_its_place(
    tmp_path: Path, scene_folder: Path, more: str, sentence: str
) -> None:
    file = _scenario(tmp_path, scene_folder, more)
    with pytest.raises(ScenarioError) as refusal:
        load_scene(file)
    assert str(refusal.value).startswith(sentence.format(file=file))


def test_a_log_that_is_too_short_is_refused_with_its_length(tmp_path: Path, scene_folder: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(f"version: 1\nduration_s: 60\nsource: {{kind: log, path: {scene_folder}}}\n")
    with pytest.raises(ScenarioError, match=r"long.yaml:2:13  duration_s: the log lasts [\d.]+ s, and 0 to 60 s are"):
        build_scene(load_scenario(file))


def test_a_log_that_is_not_there_is_refused_at_its_path(tmp_path: Path) -> None:
    file = tmp_path / "lost.yaml"
    file.write_text("version: 1\nsource: {kind: log, path: nowhere}\n")
    with pytest.raises(ScenarioError, match=r"lost.yaml:2:27  source.path: .*nowhere: does not exist"):
        build_scene(load_scenario(file))


def test_added_actors_and_traffic_join_those_of_a_log(tmp_path: Path, scene_folder: Path) -> None:
    more = "actors:\n  - {id: bin, category: debris, place: {kind: pose, x_m: 20, y_m: 12}}\ntraffic: {per_km: 20}\n"
    built, log = load_scene(_scenario(tmp_path, scene_folder, more)), load_scene(scene_folder)
    ids = [actor.id for actor in built.actors]
    assert ids[: len(log.actors) + 1] == [*(actor.id for actor in log.actors), "bin"]
    assert all(name.startswith("traffic-") for name in ids[len(log.actors) + 1 :])
    assert scene_digest(built) == scene_digest(load_scene(_scenario(tmp_path, scene_folder, more)))


def _town(folder: Path, shared_data: Path, more: str = "", start: str = 'road: "0", lane: -1, s_m: 20') -> Path:
    file = folder / "town.yaml"
    source = f"kind: opendrive, path: {shared_data}/opendrive_carla/Town01.xodr, start: {{{start}}}"
    file.write_text(f"version: 1\nduration_s: 6\nsource: {{{source}}}\nrig: nuscenes-6\n{more}")
    return file


def test_the_ego_drives_on_a_map_among_actors_and_traffic(tmp_path: Path, shared_data: Path) -> None:
    cyclist = "{id: c, category: cyclist, place: {kind: lane, ahead_m: 30}, behaviour: {kind: keep_lane, speed_mps: 6}}"
    drive = "ego: {behaviour: {kind: drive, speed_mps: 8}}\n"
    built = load_scene(_town(tmp_path, shared_data, f"{drive}actors: [{cyclist}]\ntraffic: {{per_km: 10}}\n"))
    assert built.rig.names[0] == "CAM_FRONT" and len(built.frame_times_us(10)) == 61
    moved_m = np.linalg.norm(np.diff(built.ego.world_from_body.translation_m[[0, -1]], axis=0))
    assert moved_m == pytest.approx(48.0, abs=0.5)
    assert built.actors[0].id == "c" and len(built.actors) > 5
    kinds = {finding.kind for finding in check_scene(built) if finding.severity == "error"}
    assert not kinds & {"collision", "kinematics", "floating", "sunken", "off_road"}


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ('road: "999", lane: -1, s_m: 2', "source.start: the map has no road '999'"),
        ('road: "0", lane: 7, s_m: 2', "source.start: road 0 has no lane 7 to drive on. Its lanes: "),
        ('road: "0", lane: -1, s_m: 4000', "source.start: road 0 is "),
    ],
)
def test_a_start_that_is_not_on_the_map_is_refused(
    tmp_path: Path, shared_data: Path, start: str, sentence: str
) -> None:
    with pytest.raises(ScenarioError) as refusal:
        load_scene(_town(tmp_path, shared_data, start=start))
    assert "town.yaml:3:" in str(refusal.value) and sentence in str(refusal.value)


def test_a_made_road_has_what_it_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "made.yaml"
    file.write_text(
        "version: 1\nduration_s: 2\nsource: {kind: road, layout: {kind: four_way}, lanes: 2, oncoming_lanes: 2}\n"
        "ego: {lane: 1, station_m: 50}\nrig: nuscenes-6\n"
    )
    built = load_scene(file)
    assert set(built.light_states) == {light.id for light in built.hdmap.traffic_lights} and built.hdmap.crosswalks
    assert built.ego.first_us == 0 and len(built.rig) == 6


def test_a_road_that_makes_no_sense_is_refused_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "made.yaml"
    file.write_text("version: 1\nsource: {kind: road, layout: {kind: roundabout}, oncoming_lanes: 0}\n")
    with pytest.raises(ScenarioError, match=r"made.yaml:2:1  source: "):
        load_scene(file)


def test_what_happened_can_be_traced_to_the_file(tmp_path: Path, scene_folder: Path) -> None:
    bin_file = "{id: bin, place: {kind: pose, x_m: 9, y_m: 20}}"
    more = f"edits: [{{kind: shift, actor: lead car, ahead_m: 1}}]\nactors: [{bin_file}]\n"
    built = build(load_scenario(_scenario(tmp_path, scene_folder, more)))
    assert dict(built.causes) == {"lead car": "edits[0]", "bin": "actors[0]"}
    assert built.edited == {"lead car"} and "bin" not in built.recorded
