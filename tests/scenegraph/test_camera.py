import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenegraph import CAMERA_FROM_FLU, SE3, Camera, FrameError, FTheta, OpenCvFisheye, Pinhole


def front(width_px=1600, height_px=900, lens=None):
    lens = lens or Pinhole(800.0, 800.0, (width_px - 1) / 2, (height_px - 1) / 2)
    ego_from_camera = SE3.from_yaw(0.0, [1.5, 0.0, 1.6]) @ CAMERA_FROM_FLU.inverse()
    return Camera("front", lens, width_px, height_px, ego_from_camera)


def test_a_point_ten_metres_ahead_lands_on_the_principal_point():
    uv, depth_m = front().project(np.array([[0.0, 0.0, 10.0]]))
    assert_allclose(uv, [[799.5, 449.5]])
    assert depth_m.tolist() == [10.0]


def test_a_point_ahead_of_the_vehicle_lands_where_it_stands():
    camera = front()
    points_camera = camera.ego_from_camera.inverse().apply([[11.5, 0.0, 1.6], [11.5, 1.0, 1.6], [11.5, 0.0, 0.6]])
    assert_allclose(camera.project(points_camera)[0], [[799.5, 449.5], [719.5, 449.5], [799.5, 529.5]])


def test_a_pinhole_sees_to_its_corner_angle():
    assert front().max_angle_rad == pytest.approx(math.atan(math.hypot(799.5, 449.5) / 800))


def test_sees_up_to_the_outer_edge_of_the_border_pixels():
    camera = front()
    edges = np.array(
        [[-0.5, 0.0], [-0.51, 0.0], [1599.5, 0.0], [1599.51, 0.0], [3, -0.5], [3, -0.51], [3, 899.5], [3, 899.51]]
    )
    rays = np.stack([(edges[:, 0] - 799.5) / 800, (edges[:, 1] - 449.5) / 800, np.ones(8)], axis=1)
    assert camera.sees(rays * 20).tolist() == [True, False] * 4


@pytest.mark.parametrize("lens", [None, FTheta(799.5, 449.5, (0, 0.0012), "pixeldistance-to-angle")])
def test_nothing_behind_is_seen(lens):
    camera = front(lens=lens)
    assert camera.sees([0.0, 0.0, 1.0])
    assert not camera.sees([[0.0, 0.0, -1.0], [0.1, 0.1, -1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).any()


def test_sees_keeps_the_shape_of_the_points():
    assert front().sees(np.ones((2, 5, 3))).shape == (2, 5)
    assert front().sees(np.zeros((0, 3))).shape == (0,)


def test_border_pixels_walk_around_the_picture():
    border = front(40, 20).border_pixels(2)
    assert_allclose(
        border,
        [[-0.5, -0.5], [19.5, -0.5], [39.5, -0.5], [39.5, 9.5], [39.5, 19.5], [19.5, 19.5], [-0.5, 19.5], [-0.5, 9.5]],
    )


def test_border_pixels_lie_on_the_widened_edge_and_never_repeat():
    border = front().border_pixels(16, margin_px=10.0)
    assert border.shape == (64, 2) and len(np.unique(border, axis=0)) == 64
    on_side = np.isin(border[:, 0], [-10.5, 1609.5])
    on_top = np.isin(border[:, 1], [-10.5, 909.5])
    assert (on_side | on_top).all() and (on_side & on_top).sum() == 4
    steps = np.linalg.norm(border - np.roll(border, 1, axis=0), axis=1)
    assert steps.max() < 110


def test_resized_fills_the_new_picture():
    small = front().resized(800, 450)
    assert (small.width_px, small.height_px, small.name) == (800, 450, "front")
    points = np.array([[1.0, 0.5, 4.0], [-2.0, -1.0, 9.0]])
    assert_allclose(small.project(points)[0], front().project(points)[0] / 2)
    assert small.ego_from_camera is front().ego_from_camera or np.array_equal(
        small.ego_from_camera.matrix, front().ego_from_camera.matrix
    )


def test_resizing_to_its_own_size_changes_nothing():
    camera = front()
    assert camera.resized(1600, 900) is camera


@pytest.mark.parametrize(
    ("size", "most", "fitted"),
    [
        ((1600, 900), (1280, 720), (1280, 720)),
        ((1550, 2048), (1280, 720), (544, 720)),
        ((2048, 1550), (1280, 720), (952, 720)),
        ((1920, 886), (1280, 720), (1280, 590)),
        ((640, 480), (1280, 720), (960, 720)),
        ((1600, 900), (1283, 4000), (1282, 722)),
        ((4000, 10), (100, 100), (100, 2)),
    ],
)
def test_fitted_keeps_the_shape_with_even_sides(size, most, fitted):
    camera = front(*size).fitted(*most)
    assert (camera.width_px, camera.height_px) == fitted


def test_fitted_never_exceeds_what_it_was_given():
    for most_px in range(2, 60):
        camera = front(37, 23).fitted(most_px, most_px)
        assert camera.width_px <= most_px and camera.height_px <= most_px
        assert camera.width_px % 2 == camera.height_px % 2 == 0
        assert abs(camera.height_px - camera.width_px * 23 / 37) <= 2


@pytest.mark.parametrize(
    ("size", "to", "cut"),
    [
        ((1600, 900), (800, 450), (1600, 900)),
        ((1600, 900), (400, 400), (900, 900)),
        ((1600, 900), (320, 90), (1600, 450)),
        ((1550, 2048), (1280, 720), (1550, 872)),
        ((160, 90), (64, 32), (160, 80)),
        ((101, 51), (16, 16), (51, 51)),
    ],
)
def test_filled_shows_the_middle_of_the_view_in_its_shape(size, to, cut):
    whole = front(*size)
    camera = whole.filled(*to)
    assert (camera.width_px, camera.height_px) == to
    left, top = (size[0] - cut[0]) // 2, (size[1] - cut[1]) // 2
    corners = np.array([[0.0, 0.0], to])  # as in resizing, these scale about the centre of the top left pixel
    expected = np.array([[left, top], [left + cut[0], top + cut[1]]])
    assert_allclose(camera.unproject(corners), whole.unproject(expected), atol=1e-9)
    aspect = camera.lens.fx_px / camera.lens.fy_px / (whole.lens.fx_px / whole.lens.fy_px)
    assert aspect == pytest.approx(1, abs=1 / min(cut))


def test_filling_its_own_shape_is_resizing():
    points = np.array([[1.0, 0.5, 4.0], [-2.0, -1.0, 9.0]])
    assert_allclose(front().filled(320, 180).project(points)[0], front().resized(320, 180).project(points)[0])


def test_every_lens_can_be_cut():
    for lens in (
        OpenCvFisheye(300.0, 300.0, 800.0, 450.0, 0.01),
        FTheta(799.5, 449.5, (0, 0.0012, 1e-8), "pixeldistance-to-angle"),
    ):
        whole = front(lens=lens)
        camera = whole.filled(450, 450)
        pixels = np.array([[[x, y] for x in (100.0, 224.5, 400.0)] for y in (50.0, 224.5, 300.0)])
        assert_allclose(camera.unproject(pixels), whole.unproject(2 * pixels + [350, 0]), atol=1e-9)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: front(0, 900, Pinhole(1.0, 1.0, 0.0, 0.0)), "camera front: size must be positive, got 0x900"),
        (lambda: front(5, -1, Pinhole(1.0, 1.0, 0.0, 0.0)), "camera front: size must be positive, got 5x-1"),
        (
            lambda: replace(front(), ego_from_camera=SE3.identity(1)),
            "camera front: expected one pose without NaN or infinity",
        ),
        (
            lambda: replace(front(), ego_from_camera=SE3(np.eye(3), [0.0, np.nan, 0.0])),
            "camera front: expected one pose without NaN or infinity",
        ),
        (lambda: front().fitted(1, 100), "camera front: cannot fit into 1x100 px"),
        (
            lambda: front(lens=OpenCvFisheye(300.0, 300.0, 800.0, 450.0, -0.2)),
            "camera front: fisheye polynomial does not increase up to the image corner (it reaches 3.06 there)",
        ),
    ],
)
def test_what_is_no_camera_is_refused(make, sentence):
    with pytest.raises(FrameError) as error:
        make()
    assert str(error.value) == sentence


def test_cameras_survive_pickle_before_and_after_use():
    camera = front(lens=FTheta(799.5, 449.5, (0, 0.0012, 1e-8), "pixeldistance-to-angle"))
    points = np.array([[1.0, 0.5, 4.0], [30.0, 0.0, 1.0]])
    fresh = pickle.loads(pickle.dumps(camera))
    expected = camera.project(points)[0]
    used = pickle.loads(pickle.dumps(camera))
    for back in (fresh, used):
        assert np.array_equal(back.project(points)[0], expected)
        assert back.max_angle_rad == camera.max_angle_rad


def test_many_threads_may_project_with_one_camera():
    points = np.random.default_rng(0).normal(size=(500, 3))
    expected = front().project(points)[0]
    camera = front()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: camera.project(points)[0], range(32)))
    assert all(np.array_equal(result, expected) for result in results)
