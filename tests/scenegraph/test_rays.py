"""Ray maps depend on lenses and places of cameras, and on nothing else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pytest import approx

from scenegraph import CAMERA_FROM_FLU, SE3, Brown, Camera, CameraRig, FrameError, FTheta, OpenCvFisheye, Pinhole
from scenegraph.rays import cell_centres_px, ray_map, ray_maps

ONE_ROUNDING = float(np.finfo(np.float32).eps)  # the largest step between neighbouring float32 up to 2

PINHOLE = Pinhole(fx_px=80.0, fy_px=60.0, cx_px=79.5, cy_px=44.5)
FTHETA = FTheta(79.0, 50.0, (0.0, 0.012, 1e-6, -2e-8), "pixeldistance-to-angle", linear_c=1.01, linear_d=0.002)
LENSES = [PINHOLE, FTHETA, Brown(80.0, 81.0, 78.0, 46.0, k1=-0.1, p1=1e-3), OpenCvFisheye(60.0, 61.0, 80.0, 44.0, 0.02)]


def camera(name="front", lens=PINHOLE, roll_pitch_yaw_deg=(0.0, 0.0, 0.0), position_m=(1.5, 0.0, 1.4)):
    pose = SE3.from_roll_pitch_yaw_deg(roll_pitch_yaw_deg, position_m) @ CAMERA_FROM_FLU.inverse()
    return Camera(name, lens, 160, 90, pose)


def rig():
    turns = [(0.3, 1.0, 0.0), (0.0, -2.0, 75.0), (1.0, 4.0, -140.0), (0.0, 0.0, 180.0)]
    return CameraRig(tuple(camera(f"cam{i}", lens, turns[i], (2.0 - i, 0.3 * i, 1.4)) for i, lens in enumerate(LENSES)))


# -- numbers on paper -------------------------------------------------------------------------


def test_the_first_cell_is_centred_between_its_pixels():
    centres = cell_centres_px(camera(), 9, 20)  # cells of 10 x 8 pixels
    assert centres.shape == (9, 20, 2) and centres.dtype == np.float64
    assert centres[0, 0].tolist() == [3.5, 4.5]
    assert centres[8, 19].tolist() == [155.5, 84.5]


def test_cells_of_one_pixel_are_the_pixels():
    u, v = np.moveaxis(cell_centres_px(camera(), 90, 160), -1, 0)
    assert_allclose(u, np.broadcast_to(np.arange(160), (90, 160)), atol=1e-12)
    assert_allclose(v, np.broadcast_to(np.arange(90)[:, None], (90, 160)), atol=1e-12)


def test_one_cell_looks_along_the_optical_axis_of_a_centred_lens():
    assert ray_map(camera(), 1, 1)[:, 0, 0] == approx([1.0, 0.0, 0.0, 1.5, 0.0, 1.4])


def test_a_pinhole_ray_is_computed_by_hand():
    # Cell (0, 0) of 3 x 4 is centred at u = 19.5, v = 14.5: 60 px left and 30 px above of the principal point.
    right, down = -60 / 80, -30 / 60
    length = math.sqrt(1 + right**2 + down**2)
    got = ray_map(camera(), 3, 4)
    assert got.shape == (6, 3, 4) and got.dtype == np.float32
    assert got[:, 0, 0] == approx([1 / length, 0.75 / length, 0.5 / length, 1.5, 0.0, 1.4], abs=ONE_ROUNDING)


def test_a_camera_to_the_left_has_left_in_front():
    # The same ray after a quarter turn: forward becomes left, left becomes backward.
    length = math.sqrt(1 + 0.75**2 + 0.5**2)
    got = ray_map(camera(roll_pitch_yaw_deg=(0, 0, 90)), 3, 4)
    assert got[:3, 0, 0] == approx([-0.75 / length, 1 / length, 0.5 / length], abs=ONE_ROUNDING)


# -- laws -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: type(lens).__name__)
def test_directions_are_those_of_unproject_and_hit_the_cell_again(lens):
    one = camera(lens=lens, roll_pitch_yaw_deg=(3.0, -4.0, 50.0))
    centres, got = cell_centres_px(one, 9, 16), ray_map(one, 9, 16)
    expected = one.ego_from_camera.rotation @ one.unproject(centres)[..., None]
    assert_allclose(got[:3], np.moveaxis(expected[..., 0], -1, 0), atol=ONE_ROUNDING)
    points_ego = np.moveaxis(got[3:] + 10.0 * got[:3].astype(np.float64), 0, -1)
    uv, _ = one.project(one.ego_from_camera.inverse().apply(points_ego))
    assert_allclose(uv, centres, atol=1e-4)


def test_directions_have_unit_length_and_origins_are_the_optical_centres():
    maps = ray_maps(rig(), 9, 16)
    assert maps.shape == (4, 6, 9, 16) and maps.dtype == np.float32
    assert_allclose(np.linalg.norm(maps[:, :3].astype(np.float64), axis=1), 1.0, atol=2 * ONE_ROUNDING)
    for one, origin in zip(rig(), maps[:, 3:], strict=True):
        expected = one.ego_from_camera.translation_m.astype(np.float32)[:, None, None]
        assert np.array_equal(origin, np.broadcast_to(expected, (3, 9, 16)))


def test_names_do_not_matter():
    renamed = CameraRig(tuple(replace(one, name=f"other {i}") for i, one in enumerate(rig())))
    assert np.array_equal(ray_maps(renamed, 9, 16), ray_maps(rig(), 9, 16))


def test_reordering_the_cameras_reorders_their_maps():
    order, cameras = [2, 0, 3, 1], rig().cameras
    shuffled = CameraRig(tuple(cameras[i] for i in order))
    assert np.array_equal(ray_maps(shuffled, 9, 16), ray_maps(rig(), 9, 16)[order])


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: type(lens).__name__)
def test_turning_the_camera_turns_the_directions_only(lens):
    turn = SE3.from_roll_pitch_yaw_deg((10.0, -20.0, 130.0), (0.0, 0.0, 0.0)).rotation
    before = camera(lens=lens)
    pose = SE3(turn @ before.ego_from_camera.rotation, before.ego_from_camera.translation_m)
    old, new = ray_map(before, 9, 16), ray_map(replace(before, ego_from_camera=pose), 9, 16)
    assert_allclose(new[:3], np.einsum("ij,jhw->ihw", turn, old[:3]), atol=2 * ONE_ROUNDING)
    assert np.array_equal(new[3:], old[3:])


def test_moving_the_camera_moves_the_origins_only():
    old, new = ray_map(camera(), 9, 16), ray_map(camera(position_m=(-0.25, 0.5, 2.0)), 9, 16)
    assert np.array_equal(new[:3], old[:3])
    assert np.array_equal(new[3:, 4, 7], np.array([-0.25, 0.5, 2.0], dtype=np.float32))


def resized_about_the_pixel_edges(one, x, y):
    """The camera whose pixels are those of the same sensor, cut finer or coarser."""
    lens = one.lens.scaled(x, y)
    lens = replace(lens, cx_px=(one.lens.cx_px + 0.5) * x - 0.5, cy_px=(one.lens.cy_px + 0.5) * y - 0.5)
    return replace(one, lens=lens, width_px=round(one.width_px * x), height_px=round(one.height_px * y))


@pytest.mark.parametrize(("x", "y"), [(2.0, 2.0), (0.5, 0.5), (4.0, 3.0), (0.7, 1.1)])
def test_the_size_of_the_picture_does_not_matter(x, y):
    before = camera(lens=Pinhole(80.0, 60.0, 70.0, 51.0))
    after = resized_about_the_pixel_edges(before, x, y)
    rays = [one.unproject(cell_centres_px(one, 9, 16)) for one in (before, after)]
    assert_allclose(rays[1], rays[0], atol=1e-9)
    assert_allclose(ray_map(after, 9, 16), ray_map(before, 9, 16), atol=ONE_ROUNDING)


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_the_size_of_an_f_theta_picture_does_not_matter(factor):
    before = camera(lens=FTHETA)
    after = resized_about_the_pixel_edges(before, factor, factor)
    assert_allclose(ray_map(after, 9, 16), ray_map(before, 9, 16), atol=ONE_ROUNDING)


def test_resizing_as_control_videos_are_drawn_moves_the_rays_by_half_a_pixel():
    before = camera()
    small = before.resized(80, 45)
    shift_px = small.project(before.unproject(cell_centres_px(before, 9, 16)))[0] - cell_centres_px(small, 9, 16)
    assert_allclose(shift_px, 0.25, atol=1e-9)  # (u + 0.5) / 2 - 0.5 is the same place, u / 2 is where it is drawn


# -- bad input --------------------------------------------------------------------------------


def test_a_map_without_cells_is_refused():
    with pytest.raises(FrameError) as error:
        ray_map(camera(), 0, 16)
    assert str(error.value) == "camera front: a ray map needs at least one cell each way, got 0x16"


def test_an_empty_rig_has_no_maps():
    assert ray_maps(CameraRig(()), 9, 16).shape == (0, 6, 9, 16)
