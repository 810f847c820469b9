"""Which pictures were recorded next to a log."""

from __future__ import annotations

import json
import shutil

import pytest

from scenegraph import FormatError
from scenegraph.formats.images import RecordedImage, recorded_images


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def nuscenes_root(tmp_path):
    """One scene with a camera and a lidar: a sweep, then the key frame; only the tables exist."""

    def shot(token, mount, stamp_us, filename):
        row = {"token": token, "sample_token": "k", "calibrated_sensor_token": mount, "timestamp": stamp_us}
        return row | {"is_key_frame": filename.startswith("samples"), "filename": filename}

    tables = {
        "scene": [{"token": "s1", "name": "scene-0001"}, {"token": "s2", "name": "scene-0002"}],
        "sample": [
            {"token": "k", "scene_token": "s1", "timestamp": 2000},
            {"token": "other", "scene_token": "s2", "timestamp": 3000},
        ],
        "sensor": [
            {"token": "cam", "channel": "CAM_BACK", "modality": "camera"},
            {"token": "top", "channel": "LIDAR_TOP", "modality": "lidar"},
        ],
        "calibrated_sensor": [{"token": "m1", "sensor_token": "cam"}, {"token": "m2", "sensor_token": "top"}],
        "sample_data": [
            shot("b", "m1", 2000, "samples/CAM_BACK/b.jpg"),
            shot("a", "m1", 1000.4, "sweeps/CAM_BACK/a.jpg"),
            shot("l", "m2", 2000, "samples/LIDAR_TOP/l.pcd.bin"),
            shot("o", "m1", 3000, "samples/CAM_BACK/o.jpg") | {"sample_token": "other"},
        ],
    }
    for table, rows in tables.items():
        touch(tmp_path / "v1.0-mini" / f"{table}.json").write_text(json.dumps(rows))
    return tmp_path


def test_argoverse_pictures_are_sorted_by_the_nanoseconds_in_their_names(tmp_path):
    cameras = tmp_path / "sensors" / "cameras"
    late, early = (
        touch(cameras / "ring_front_left" / "10000999.jpg"),
        touch(cameras / "ring_front_left" / "9999999.jpg"),
    )
    rear = touch(cameras / "ring_rear_left" / "5000.jpg")
    assert recorded_images(tmp_path, "argoverse2") == {
        "ring_front_left": (RecordedImage(9999, early), RecordedImage(10000, late)),
        "ring_rear_left": (RecordedImage(5, rear),),
    }


def test_an_argoverse_picture_whose_name_is_no_time_is_refused(tmp_path):
    file = touch(tmp_path / "sensors" / "cameras" / "ring_rear_left" / "first.jpg")
    with pytest.raises(FormatError) as caught:
        recorded_images(tmp_path, "argoverse2")
    assert str(caught.value) == (f"{file}: the name is no time. Pictures are named <timestamp in nanoseconds>.jpg.")


@pytest.mark.parametrize("kind", ["argoverse2", "clipgt", "rds-hq"])
def test_a_log_without_pictures_has_none(tmp_path, kind):
    assert recorded_images(tmp_path, kind) == {}


@pytest.mark.parametrize("kind", ["argoverse2", "nuscenes"])
def test_a_folder_that_is_not_there_has_no_pictures(tmp_path, kind):
    assert recorded_images(tmp_path / "nowhere", kind) == {}


def test_nuscenes_key_frames_and_sweeps_of_one_scene_are_found_where_they_are_on_disk(nuscenes_root):
    assert recorded_images(nuscenes_root, "nuscenes", "scene-0001") == {}
    key_frame = touch(nuscenes_root / "samples" / "CAM_BACK" / "b.jpg")
    touch(nuscenes_root / "samples" / "CAM_BACK" / "o.jpg")
    touch(nuscenes_root / "samples" / "LIDAR_TOP" / "l.pcd.bin")
    assert recorded_images(nuscenes_root, "nuscenes", "s1") == {"CAM_BACK": (RecordedImage(2000, key_frame),)}
    sweep = touch(nuscenes_root / "sweeps" / "CAM_BACK" / "a.jpg")
    assert recorded_images(nuscenes_root, "nuscenes", "scene-0001") == {
        "CAM_BACK": (RecordedImage(1000, sweep), RecordedImage(2000, key_frame))
    }


def test_nuscenes_pictures_are_of_the_version_that_is_read(nuscenes_root):
    key_frame = touch(nuscenes_root / "samples" / "CAM_BACK" / "b.jpg")
    shutil.copytree(nuscenes_root / "v1.0-mini", nuscenes_root / "v1.0-trainval")
    expected = {"CAM_BACK": (RecordedImage(2000, key_frame),)}
    assert recorded_images(nuscenes_root / "v1.0-trainval", "nuscenes", "scene-0001") == expected
    with pytest.raises(FormatError, match="is in several versions"):
        recorded_images(nuscenes_root, "nuscenes", "scene-0001")
    (nuscenes_root / "v1.0-trainval" / "scene.json").write_text("[]")
    assert recorded_images(nuscenes_root, "nuscenes", "scene-0001") == expected


def test_a_picture_outside_of_the_data_set_is_refused(nuscenes_root):
    file = nuscenes_root / "v1.0-mini" / "sample_data.json"
    file.write_text(file.read_text().replace("sweeps/CAM_BACK/a.jpg", "../a.jpg"))
    with pytest.raises(FormatError) as caught:
        recorded_images(nuscenes_root, "nuscenes", "scene-0001")
    assert str(caught.value) == (
        f"{file}: token a, filename: ../a.jpg leads out of the data set. A path relative to its folder is needed."
    )


def test_the_six_pictures_of_scene_0061_are_found(shared_data):
    images = recorded_images(shared_data / "nuscenes_scene-0061", "nuscenes")
    assert {name: [image.timestamp_us for image in found] for name, found in images.items()} == {
        "CAM_BACK": [1532402927637525],
        "CAM_BACK_LEFT": [1532402927647423],
        "CAM_BACK_RIGHT": [1532402927627893],
        "CAM_FRONT": [1532402927612460],
        "CAM_FRONT_LEFT": [1532402927604844],
        "CAM_FRONT_RIGHT": [1532402927620339],
    }
    assert all(image.path.is_file() for found in images.values() for image in found)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(FormatError) as caught:
        recorded_images(tmp_path, "waymo")
    assert str(caught.value) == (
        f"{tmp_path}: there is no format 'waymo'. Formats: argoverse2, clipgt, nuscenes, rds-hq, scenarionet"
    )
