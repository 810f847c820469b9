"""Ground heights of Argoverse 2 logs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pytest import approx

from scenegraph import FormatError
from scenegraph.formats.argoverse2_ground import (
    NOMINAL_EGO_HEIGHT_M,
    EdgeHeights,
    measure_ego_height,
    read_ground_raster,
)

PLACEMENT = {"R": [1.0, 0.0, 0.0, 1.0], "t": [-100.0, -200.0], "s": 2.0}


def write_raster(folder, heights, placement=PLACEMENT):
    np.save(folder / "log_ground_height_surface____PIT.npy", np.asarray(heights, dtype=np.float16))
    (folder / "log___img_Sim2_city.json").write_text(json.dumps(placement), encoding="utf-8")
    return folder


def test_the_raster_is_indexed_by_row_v_and_column_u(tmp_path):
    raster = read_ground_raster(write_raster(tmp_path, [[1, 2, 3], [4, 5, np.nan]]))
    points = np.array([[100.1, 200.1], [100.6, 200.1], [101.2, 200.4], [100.1, 200.9], [101.2, 200.6], [99.9, 200.0]])
    np.testing.assert_array_equal(raster.at(points), [1, 2, 3, 4, np.nan, np.nan])


def test_edge_heights_run_along_the_nearest_edge():
    heights = EdgeHeights([np.array([[0, 0, 1], [10, 0, 3]]), np.array([[0, 8, 7], [0, 8, 7], [10, 8, 7]])])
    z, away_m = heights.at(np.array([[5.0, 1.0], [-3.0, -4.0], [4.0, 7.5]]))
    assert z == approx([2, 1, 7]) and away_m == approx([1, 5, 0.5])


def test_the_ego_height_is_the_median_over_the_raster(tmp_path):
    write_raster(tmp_path, [[10, 10, 10], [10, 10, np.nan]])
    positions = np.array([[100.1, 200.1, 10.25], [100.6, 200.1, 10.5], [100.2, 200.2, 10.3], [101.2, 200.6, 99.0]])
    assert measure_ego_height(tmp_path, (), positions) == (approx(0.3), "ground raster")


def test_without_a_raster_lane_edges_nearby_tell_the_ego_height(tmp_path):
    edges = [np.array([[0, 2, 1.0], [100, 2, 11.0]]), np.array([[0, -2, 1.0], [100, -2, 11.0]])]
    positions = np.array([[50.0, 0.5, 6.4], [20.0, 0.0, 3.4], [0.0, 90.0, 99.0]])
    assert measure_ego_height(tmp_path, edges, positions) == (approx(0.4), "lane edges")


def test_a_raster_of_holes_is_no_measure(tmp_path):
    write_raster(tmp_path, [[np.nan, np.nan]])
    edges = [np.array([[100.0, 200.0, 5.0], [101.0, 200.0, 5.0]])]
    assert measure_ego_height(tmp_path, edges, np.array([[100.1, 200.1, 5.5]])) == (approx(0.5), "lane edges")


def test_without_ground_the_ego_height_is_nominal(tmp_path):
    far = [np.array([[0, 50, 1.0], [100, 50, 1.0]])]
    assert measure_ego_height(tmp_path, far, np.zeros((1, 3))) == (NOMINAL_EGO_HEIGHT_M, "nominal")
    assert measure_ego_height(tmp_path, (), np.zeros((1, 3))) == (NOMINAL_EGO_HEIGHT_M, "nominal")


def test_an_impossible_ego_height_is_refused(tmp_path):
    write_raster(tmp_path, [[10.0]])
    with pytest.raises(FormatError) as error:
        measure_ego_height(tmp_path, (), np.array([[100.1, 200.1, 22.0]]))
    assert str(error.value) == (
        f"{tmp_path}: the vehicle is 12.00 m above the ground raster. "
        "0 to 1 m are possible; is this the map of this log?"
    )


def test_a_truncated_raster_is_refused(tmp_path):
    write_raster(tmp_path, np.ones((30, 30)))
    file = tmp_path / "log_ground_height_surface____PIT.npy"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(FormatError) as error:
        read_ground_raster(tmp_path)
    assert str(error.value) == f"{file}: cannot be read as npy. It is truncated or damaged."


def test_a_raster_of_another_shape_is_refused(tmp_path):
    write_raster(tmp_path, [1.0, 2.0])
    with pytest.raises(FormatError) as error:
        read_ground_raster(tmp_path)
    file = tmp_path / "log_ground_height_surface____PIT.npy"
    assert str(error.value) == f"{file}: expected [rows,columns] of floats, got [2] float16"


def test_a_raster_without_placement_is_refused(tmp_path):
    (write_raster(tmp_path, [[1.0]]) / "log___img_Sim2_city.json").unlink()
    with pytest.raises(FormatError) as error:
        read_ground_raster(tmp_path)
    name = "log_ground_height_surface____PIT.npy"
    assert str(error.value) == f"{tmp_path}: 0 files *___img_Sim2_city.json. One is needed to place {name}."


def test_two_rasters_are_refused(tmp_path):
    write_raster(tmp_path, [[1.0]])
    np.save(tmp_path / "other_ground_height_surface____PIT.npy", np.zeros((1, 1)))
    with pytest.raises(FormatError) as error:
        read_ground_raster(tmp_path)
    assert str(error.value) == f"{tmp_path}: 2 files *_ground_height_surface____*.npy. One is allowed."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"R": [1, 0, 0]}, "R: the numbers have another shape. [4] is needed."),
        ({"t": [0, float("nan")]}, "t: a number is NaN or infinite. Finite numbers are needed."),
        ({"s": 0.0}, "s: 0. It must be above 0."),
    ],
)
def test_a_placement_that_is_no_similarity_is_refused(tmp_path, changes, sentence):
    write_raster(tmp_path, [[1.0]], {**PLACEMENT, **changes})
    with pytest.raises(FormatError) as error:
        read_ground_raster(tmp_path)
    assert str(error.value) == f"{tmp_path / 'log___img_Sim2_city.json'}: {sentence}"


def test_the_real_raster_has_the_published_size_and_holes(av2_log):
    raster = read_ground_raster(av2_log / "map")
    assert raster.heights_m.shape == (785, 880) and raster.scale == approx(1 / 0.3)
    assert 0.6 < np.isfinite(raster.heights_m).mean() < 0.65
