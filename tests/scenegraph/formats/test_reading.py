"""Which format a folder holds, and which clip of it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenegraph import FormatError, Scene
from scenegraph.formats import KINDS, detect_kind, read_scene
from scenegraph.formats.clipgt import write_clipgt
from scenegraph.roads import crossing_scene

ADVICE = "Give the folder of one log of argoverse2, clipgt, nuscenes or rds-hq, or a .json file of scenarionet."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The built-in crossing as a ClipGT folder."""
    write_clipgt(crossing_scene(1.0), tmp_path / "crossing")
    return tmp_path / "crossing"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("annotations.feather", "argoverse2"),
        ("city_SE3_egovehicle.feather", "argoverse2"),
        ("x.egomotion_estimate.parquet", "clipgt"),
        ("x.calibration_estimate.parquet", "clipgt"),
        ("v1.0-mini/sample_data.json", "nuscenes"),
        ("v1.01-train/scene.json", "nuscenes"),
        ("sample_data.json", "nuscenes"),
        ("vehicle_pose/x.tar", "rds-hq"),
        ("pose/x.tar", "rds-hq"),
        ("3d_lanelines/x.tar", "rds-hq"),
        ("3d_road_boundaries/x.tar", "rds-hq"),
    ],
)
def test_one_telling_file_is_enough(tmp_path: Path, file: str, kind: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert detect_kind(tmp_path) == kind


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("data/av2_sensor/7fab2350-7eaf-3b7e-a39d-6937a4c1bede", "argoverse2"),
        ("golden/render/clipgt/parquet", "clipgt"),
        ("data/nuscenes_scene-0061", "nuscenes"),
        ("data/nuscenes_scene-0061/v1.0-mini", "nuscenes"),
        ("data/lyft_tables", "nuscenes"),
        ("data/rds_hq", "rds-hq"),
        ("golden/render/rdshq/rds", "rds-hq"),
        ("data/nuscenes_scenarios", "scenarionet"),
        ("data/nuscenes_scenarios/scene-0103.json", "scenarionet"),
        ("data/nuscenes_scene-0061/scenario_scene-0061.json", "scenarionet"),
    ],
)
def test_real_logs_are_recognised(shared: Path, log: str, kind: str) -> None:
    assert detect_kind(shared / log) == kind


def test_every_kind_can_be_told_from_the_others(shared: Path) -> None:
    logs = ("data/av2_sensor/7fab2350-7eaf-3b7e-a39d-6937a4c1bede", "golden/render/clipgt/parquet")
    logs = (*logs, "data/nuscenes_scene-0061", "data/rds_hq", "data/nuscenes_scenarios")
    assert tuple(detect_kind(shared / log) for log in logs) == KINDS


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for kind in (None, *KINDS):
        with pytest.raises(FormatError) as error:
            read_scene(tmp_path / "nope", kind)
        assert str(error.value) == f"{tmp_path / 'nope'}: does not exist. {ADVICE}"


def test_a_file_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log.zip").touch()
    for kind in (None, *KINDS):
        with pytest.raises(FormatError) as error:
            read_scene(tmp_path / "log.zip", kind)
        assert str(error.value) == f"{tmp_path / 'log.zip'}: is a file, not the folder of a log. {ADVICE}"


def test_a_folder_of_something_else_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(FormatError) as error:
        read_scene(tmp_path)
    assert str(error.value) == f"{tmp_path}: is not a log of a known format. {ADVICE}"


def test_an_unknown_kind_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as error:
        read_scene(tmp_path, "waymo")
    assert str(error.value) == (
        f"{tmp_path}: there is no format 'waymo'. Formats: argoverse2, clipgt, nuscenes, rds-hq, scenarionet."
    )


def test_a_folder_is_read_as_the_kind_that_is_named(folder: Path) -> None:
    assert isinstance(read_scene(folder), Scene)
    assert read_scene(folder, "clipgt").clip_id == "built-in-crossing"
    with pytest.raises(FormatError, match="An RDS-HQ folder holds"):
        read_scene(folder, "rds-hq")


def test_the_only_clip_of_a_folder_may_be_named(folder: Path) -> None:
    assert read_scene(folder, clip="built-in-crossing").clip_id == "built-in-crossing"
    with pytest.raises(FormatError) as error:
        read_scene(folder, clip="other")
    assert str(error.value) == f"{folder}: there is no clip 'other'. The folder holds built-in-crossing."


def test_the_only_clip_of_an_argoverse_log_may_be_named(av2_log: Path) -> None:
    assert read_scene(av2_log, clip=av2_log.name).clip_id == av2_log.name
    with pytest.raises(FormatError) as error:
        read_scene(av2_log, clip="other")
    assert str(error.value) == f"{av2_log}: there is no clip 'other'. The folder holds {av2_log.name}."
