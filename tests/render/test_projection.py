"""Compiled projection against the lenses themselves, and the bounds that culling relies on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.projection import camera_from_world, lens_table, project_points
from scenegraph import SE3, Brown, Camera, FrameError, FTheta, OpenCvFisheye, Pinhole

MORE_LENSES = {
    "forward sheared": FTheta(
        955.0, 541.0, (0, 1110.0, 3.0, -12.0, 1.5), "angle-to-pixeldistance", 0.9995, -8e-3, 1.2e-2
    ),
    "six-term backward": FTheta(950.0, 530.0, (0, 0.00026, 1e-10, 2e-12, 1e-16, -1e-19), "pixeldistance-to-angle"),
    "half-turn fisheye": OpenCvFisheye(400.0, 405.0, 955.0, 545.0, -0.02, 0.004, -0.001, 0.0001),
    "Brown without distortion": Brown(1010.0, 1005.0, 980.0, 530.0),
    "Brown that turns at its corner": Brown(1000.0, 1000.0, 960.0, 540.0, -0.12, 0.0, 0.02, 0.02),
}


def lens_of(stage, name):
    return stage.lenses.get(name) or MORE_LENSES[name]


def compiled(camera, points):
    table = lens_table(camera)
    uv = np.full((len(points), 2), np.nan)
    project_points(np.ascontiguousarray(points), table.numbers, table.radius, uv)
    return uv


def rays(angles_rad, azimuths_rad):
    return np.stack(
        [np.sin(angles_rad) * np.cos(azimuths_rad), np.sin(angles_rad) * np.sin(azimuths_rad), np.cos(angles_rad)],
        axis=-1,
    )


ALL = ("wide", "tele", "sheared", "brown", "fisheye", "pinhole", *MORE_LENSES)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (64, 36)])
def test_compiled_projection_is_the_lens(stage, name, size):
    camera = Camera(name, lens_of(stage, name), 1920, 1080, SE3.identity()).resized(*size)
    rng = np.random.default_rng(1)
    angles = np.concatenate([rng.uniform(0, math.radians(89.0), 6000), 10 ** rng.uniform(-9, -2, 500), [0.0]])
    points = rays(angles, rng.uniform(-4, 4, len(angles))) * 10 ** rng.uniform(-1, 3, (len(angles), 1))
    points = points[points[:, 2] >= 0.01]
    expected, _ = camera.project(points)
    off = np.abs(compiled(camera, points) - expected).max(axis=1)
    inside = ((expected >= 0) & (expected <= size)).all(axis=1)
    assert inside.sum() > 500 and (~inside).sum() > 50
    assert off[inside].max() < 1e-6
    assert off[~inside].max() < 0.01


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-0.34, 0.3),
    st.floats(-0.1, 0.1),
    st.floats(-0.03, 0.03),
    st.floats(-0.03, 0.03),
    st.floats(-0.05, 0.05),
    st.integers(0, 1000),
)
def test_any_brown_lens_that_a_camera_accepts_is_projected_alike(k1, k2, p1, p2, k3, seed):
    try:
        camera = Camera("c", Brown(1000.0, 990.0, 960.0, 540.0, k1, k2, p1, p2, k3), 1920, 1080, SE3.identity())
    except FrameError:
        return
    rng = np.random.default_rng(seed)
    points = rays(rng.uniform(0, math.radians(85.0), 300), rng.uniform(-4, 4, 300))
    expected, _ = camera.project(points)
    # Beyond the limit the slope is a difference quotient; its rounding grows with the pixels themselves.
    assert (np.abs(compiled(camera, points) - expected) < 0.01 + 1e-7 * np.abs(expected)).all()


def test_points_on_the_axis_land_on_the_principal_point(stage):
    for name in ALL:
        lens = lens_of(stage, name)
        camera = Camera(name, lens, 1920, 1080, SE3.identity())
        points = np.array([[0.0, 0.0, 10.0], [1e-13, 0.0, 5.0], [0.0, 0.0, 0.05]])
        np.testing.assert_allclose(compiled(camera, points), [(lens.cx_px, lens.cy_px)] * 3, atol=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_what_a_picture_shows_lies_within_the_frustum(stage, name):
    camera = Camera(name, lens_of(stage, name), 1920, 1080, SE3.identity()).resized(640, 360)
    low_x, high_x, low_y, high_y = lens_table(camera).frustum
    rng = np.random.default_rng(2)
    seen = camera.unproject(rng.uniform((-7, -7), (647, 367), (4000, 2)))
    seen = seen[seen[:, 2] > 1e-3]
    x, y = seen[:, 0] / seen[:, 2], seen[:, 1] / seen[:, 2]
    assert (x >= low_x).all() and (x <= high_x).all() and (y >= low_y).all() and (y <= high_y).all()


@pytest.mark.parametrize("name", ["wide", "tele", "sheared", "brown", "pinhole"])
def test_the_frustum_is_not_much_larger_than_the_picture(stage, name):
    camera = Camera(name, lens_of(stage, name), 1920, 1080, SE3.identity()).resized(640, 360)
    frustum = lens_table(camera).frustum
    border = camera.unproject(camera.border_pixels(64))
    x, y = border[:, 0] / border[:, 2], border[:, 1] / border[:, 2]
    tight = np.array([x.min(), x.max(), y.min(), y.max()])
    assert np.isfinite(frustum).all() and (np.abs(np.arctan(frustum) - np.arctan(tight)) < math.radians(6)).all()


def test_a_lens_that_looks_sideways_has_no_bounds(stage):
    assert np.isinf(lens_table(stage.camera("fisheye")).frustum).all()


def test_the_frustum_of_a_tall_picture_leaves_room_for_lines_that_are_thicker_upwards():
    camera = Camera("c", Pinhole(100.0, 100.0, 30.0, 150.0), 60, 300, SE3.identity())
    low_y = lens_table(camera).frustum[2]
    reach_px = 6.0 * 300 / 60
    assert low_y <= -(150.0 + reach_px) / 100.0


def test_camera_from_world_undoes_the_pose():
    pose = SE3.from_roll_pitch_yaw_deg([10, -20, 130], [4.0, -5.0, 1.5])
    matrix = camera_from_world(pose)
    points = np.array([[1.0, 2.0, 3.0], [-40.0, 0.0, 0.5]])
    there_and_back = pose.apply(points @ matrix[:, :3].T + matrix[:, 3])
    np.testing.assert_allclose(there_and_back, points, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_the_table_of_a_lens_is_the_same_to_the_last_bit_wherever_it_lies_in_memory(stage, name):
    """Pictures repeat in other processes only if this does; what else is in memory must not decide."""
    rng, littered, found = np.random.default_rng(0), [], set()
    for _ in range(25):
        littered.append([bytearray(size) for size in rng.integers(1, 5000, 40).tolist()])
        table = lens_table(Camera(name, lens_of(stage, name), 1920, 1080, SE3.identity()))
        found.add((table.numbers.tobytes(), table.radius.tobytes(), table.frustum.tobytes()))
    assert len(found) == 1
