"""Labels on disk: the same to the last bit, or one sentence."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from drivesim.dataset.label_files import read_labels, write_labels
from drivesim.dataset.labels import ClipLabels, labels_of
from drivesim.dataset.rows import Rows
from drivesim.errors import DatasetError
from render.lidar import LidarSpec
from scenegraph import HDMap, Scene

TIMES_US = np.array([0, 500_000, 1_000_000])


def label(scene: Scene, lidar: LidarSpec | None = None) -> ClipLabels:
    return labels_of(scene, scene.rig.at(scene.ego, TIMES_US), lidar=lidar)


def require_same(first: ClipLabels, second: ClipLabels) -> None:
    for field in fields(ClipLabels):
        before, after = getattr(first, field.name), getattr(second, field.name)
        if not isinstance(before, Rows):
            continue
        for name, column in before.columns().items():
            read = after.columns()[name]
            assert (read.dtype, read.shape) == (column.dtype, column.shape), f"{field.name}.{name}"
            assert read.tobytes() == column.tobytes(), f"{field.name}.{name}"
    for name in ("cameras", "actors", "lane_lines", "lights", "with_ground"):
        assert getattr(first, name) == getattr(second, name)


def test_labels_come_back_bit_by_bit(paper_scene: Scene, paper_lidar: LidarSpec, tmp_path: Path) -> None:
    labels = label(paper_scene, paper_lidar)
    write_labels(labels, tmp_path)
    again = read_labels(tmp_path)
    require_same(labels, again)
    assert again.lidar is not None and again.lidar.elevations_rad == paper_lidar.elevations_rad
    assert again.lidar.ego_from_sensor.matrix.tolist() == paper_lidar.ego_from_sensor.matrix.tolist()


def test_an_empty_world_comes_back_with_empty_tables(paper_scene: Scene, tmp_path: Path) -> None:
    labels = label(replace(paper_scene, actors=(), hdmap=HDMap(), light_states={}))
    write_labels(labels, tmp_path)
    require_same(labels, read_labels(tmp_path))
    assert len(labels.boxes) == 0 and len(labels.ego) == 3


def test_the_same_labels_are_the_same_bytes(paper_scene: Scene, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_labels(label(paper_scene), tmp_path / name)
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()
    }


def test_any_reader_of_parquet_understands_the_tables(paper_scene: Scene, tmp_path: Path) -> None:
    write_labels(label(paper_scene), tmp_path)
    rows = pq.read_table(tmp_path / "views.parquet").to_pylist()
    assert rows[0]["box_px"] == [49.5, 39.5, 59.5, 59.5] and rows[0]["visible_px"] == 200
    codes = json.loads((tmp_path / "labels.json").read_text())["codes"]
    assert codes["visibility"] == ["in no picture", "0-40 %", "40-60 %", "60-80 %", "80-100 %"]


def test_labels_of_a_later_format_are_refused(paper_scene: Scene, tmp_path: Path) -> None:
    write_labels(label(paper_scene), tmp_path)
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 7}))
    with pytest.raises(DatasetError) as error:
        read_labels(tmp_path)
    assert str(error.value) == f"{path}: is of format 7, and this drivesim reads 1. Update it"


def test_a_damaged_table_is_one_sentence(paper_scene: Scene, tmp_path: Path) -> None:
    write_labels(label(paper_scene), tmp_path)
    (tmp_path / "boxes.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DatasetError) as error:
        read_labels(tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: holds no labels that can be read: ")
    assert str(error.value).endswith(". Add the clip anew")
