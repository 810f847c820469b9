"""From a name to a scene with cameras."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from drivesim.errors import DatasetError, ScenarioError, SourceError
from drivesim.rigs import save_rig
from drivesim.sources import load_scene, recorded_pictures, require_cameras, require_free
from scenegraph import FormatError, Scene
from scenegraph.formats.rds_hq import read_rds_hq_lenses

RIGS = "argoverse-ring-7, cosmos-ftheta-7, nuscenes-6"


def test_a_scene_folder_is_read_with_its_own_cameras(scene: Scene, scene_folder: Path) -> None:
    found = load_scene(str(scene_folder))
    assert found.clip_id == scene.clip_id
    assert found.rig.names == ("front", "left", "right")


def test_a_built_in_rig_films_any_scene(scene_folder: Path) -> None:
    assert len(load_scene(scene_folder, rig="nuscenes-6").rig) == 6


def test_a_rig_file_films_any_scene(scene: Scene, blind_folder: Path, tmp_path: Path) -> None:
    save_rig(scene.rig, tmp_path / "mine.yaml")
    found = load_scene(blind_folder, rig=tmp_path / "mine.yaml").rig
    assert found.names == scene.rig.names
    for one, other in zip(found, scene.rig, strict=True):
        assert one.lens == other.lens
        assert np.array_equal(one.ego_from_camera.matrix, other.ego_from_camera.matrix)


def test_a_rig_may_take_the_lenses_of_the_scene(scene: Scene, scene_folder: Path, tmp_path: Path) -> None:
    rig = tmp_path / "moved.yaml"
    rig.write_text(
        "version: 1\ncameras:\n  - name: left\n    lens: {kind: from_log}\n"
        "    position: {x_m: 2.0, y_m: 0.0, z_m: 3.0}\n    orientation: {yaw_deg: 90.0}\n"
    )
    (camera,) = load_scene(scene_folder, rig=rig).rig
    assert camera.lens == scene.rig["left"].lens
    assert camera.ego_from_camera.translation_m.tolist() == [2.0, 0.0, 3.0]


def test_a_rig_may_take_lenses_that_the_log_has_without_poses(shared_data: Path, tmp_path: Path) -> None:
    name = "camera_front_wide_120fov"
    rig = tmp_path / "rig.yaml"
    rig.write_text(
        f"version: 1\ncameras:\n  - name: {name}\n    lens: {{kind: from_log}}\n"
        "    position: {x_m: 1.7, y_m: 0.0, z_m: 1.5}\n    orientation: {yaw_deg: 0.0}\n"
    )
    (camera,) = load_scene(shared_data / "rds_hq", rig=rig).rig
    lens, width_px, height_px = read_rds_hq_lenses(shared_data / "rds_hq")[name]
    assert (camera.lens, camera.width_px, camera.height_px) == (lens, width_px, height_px)


def test_a_rig_with_its_own_lenses_films_a_log_without_any(shared_data: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shutil.copytree(shared_data / "rds_hq" / "vehicle_pose", log / "vehicle_pose")
    assert len(load_scene(log, rig="nuscenes-6").rig) == 6
    rig = tmp_path / "rig.yaml"
    rig.write_text(
        "version: 1\ncameras:\n  - name: left\n    lens: {kind: from_log}\n"
        "    position: {x_m: 2.0, y_m: 0.0, z_m: 3.0}\n    orientation: {yaw_deg: 90.0}\n"
    )
    with pytest.raises(FormatError, match="no lens was found"):
        load_scene(log, rig=rig)


def test_a_misspelt_rig_is_answered_with_the_nearest(scene_folder: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        load_scene(scene_folder, rig="nuscenes6")
    assert str(error.value) == (
        f"there is no built-in rig 'nuscenes6' (did you mean 'nuscenes-6'?). Built-in: {RIGS}; or name a YAML file"
    )


def test_a_log_without_cameras_says_how_to_name_some(blind_folder: Path) -> None:
    blind = load_scene(blind_folder)
    with pytest.raises(SourceError) as error:
        require_cameras(blind, blind_folder)
    assert str(error.value) == (
        f"{blind_folder}: the log has no camera calibration. Name cameras with --rig: a YAML file, or {RIGS}."
    )
    assert require_cameras(load_scene(blind_folder, rig="nuscenes-6"), blind_folder).names[0] == "CAM_FRONT"


def test_a_kind_that_is_not_there_is_refused(scene_folder: Path) -> None:
    with pytest.raises(FormatError) as error:
        load_scene(scene_folder, kind="waymo")
    assert str(error.value) == (
        f"{scene_folder}: there is no format 'waymo'. Formats: argoverse2, clipgt, nuscenes, rds-hq, scenarionet."
    )


def test_pictures_are_found_for_the_cameras_that_took_them(shared_data: Path) -> None:
    log = shared_data / "nuscenes_scene-0061"
    scene = load_scene(log)
    pictures = recorded_pictures(log, scene)
    assert set(pictures) == set(scene.rig.names)
    assert all(len(taken) == 1 for taken in pictures.values())


def test_a_log_without_pictures_is_refused(scene: Scene, scene_folder: Path) -> None:
    with pytest.raises(SourceError) as error:
        recorded_pictures(scene_folder, scene)
    assert str(error.value) == f"{scene_folder}: no pictures were recorded with this log. Leave out --overlay."


def test_pictures_of_other_cameras_are_refused(scene: Scene, shared_data: Path) -> None:
    log = shared_data / "nuscenes_scene-0061"
    with pytest.raises(SourceError) as error:
        recorded_pictures(log, scene)
    assert str(error.value) == (
        f"{log}: the recorded pictures are of CAM_BACK, CAM_BACK_LEFT, CAM_BACK_RIGHT, CAM_FRONT, CAM_FRONT_LEFT, "
        "CAM_FRONT_RIGHT, not of front, left, right. Film with the cameras that took them, or leave out --overlay."
    )


def test_a_scene_is_not_written_over_something(tmp_path: Path) -> None:
    require_free(tmp_path)
    require_free(tmp_path / "new")
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(DatasetError) as error:
        require_free(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: exists and is not empty. Add --overwrite to replace it, or choose another -o."
    )


def test_only_a_clipgt_log_can_be_corrected(av2_log: Path) -> None:
    with pytest.raises(SourceError) as error:
        load_scene(av2_log, corrected=True)
    assert str(error.value) == f"{av2_log}: only clipgt logs hold calibration corrections, this one is argoverse2."


def test_corrections_of_a_clipgt_rig_move_its_cameras(golden_render: Path) -> None:
    folder = golden_render / "clipgt" / "parquet"
    plain, corrected = (load_scene(folder, corrected=wanted).rig for wanted in (False, True))
    move_m = corrected["camera_rear_tele_30fov"].ego_from_camera.translation_m
    move_m = move_m - plain["camera_rear_tele_30fov"].ego_from_camera.translation_m
    assert move_m.tolist() == pytest.approx([0.08, 0.009, 0.009])


def test_a_name_that_is_nothing_gets_the_nearest_scenario() -> None:
    sentence = (
        "cutin: is no folder here and no built-in scenario (did you mean 'cut_in'?). Name the folder of a log, a "
        "scenario file, or one of: drivesim scenario list"
    )
    with pytest.raises(SourceError, match=f"^{re.escape(sentence)}$"):
        load_scene("cutin")
