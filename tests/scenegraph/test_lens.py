import json
import math
import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from scenegraph import SE3, Brown, Camera, FrameError, FTheta, OpenCvFisheye, Pinhole

laws = settings(max_examples=30, deadline=None)

WIDE = FTheta(957.25, 754.5, (0, 0.001058, 8e-09, -3.2e-11, 7.8e-14, -2.8e-17), "pixeldistance-to-angle")
TELE = FTheta(1020.0, 520.0, (0, 3680.0, -180.0, 2850.0, -12000.0, 16000.0), "angle-to-pixeldistance")
SHEARED = FTheta(957.25, 537.0, (0, 0.00108, 9e-09), "pixeldistance-to-angle", 1.0002, 1e-2, -1.5e-2)
BROWN = Brown(1010.0, 1005.0, 980.0, 530.0, -0.24, 0.08, 0.0011, -0.0007, -0.012)
FISHEYE = OpenCvFisheye(560.0, 565.0, 955.0, 545.0, -0.02, 0.004, -0.001, 0.0001)
PINHOLE = Pinhole(1266.4, 1270.0, 816.3, 491.5)
LENSES = {
    "wide": WIDE,
    "tele": TELE,
    "sheared": SHEARED,
    "brown": BROWN,
    "fisheye": FISHEYE,
    "pinhole": PINHOLE,
}
every_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)


def camera_of(lens, width_px=1920, height_px=1080):
    return Camera("test", lens, width_px, height_px, SE3.identity())


def golden_cameras(golden_render, name):
    for entry in json.loads((golden_render / "projection" / name).read_text())["cameras"]:
        native = entry["intrinsics_native"]
        if "poly" in native:
            lens = FTheta(native["cx"], native["cy"], tuple(native["poly"]), native["poly_type"])
        else:
            lens = Pinhole(native["fx"], native["fy"], native["cx"], native["cy"])
        camera = Camera(entry.get("name", name), lens, native["width"], native["height"], SE3.identity())
        yield entry, camera.resized(*entry["render_size"])


def points_in_front(seed, count=200, spread=1.2):
    rng = np.random.default_rng(seed)
    depth_m = rng.uniform(0.5, 100.0, (count, 1))
    return np.concatenate([rng.uniform(-spread, spread, (count, 2)) * depth_m, depth_m], axis=1)


# -- golden -----------------------------------------------------------------------------------


def test_f_theta_lands_where_the_golden_pixels_are(golden_render):
    cameras = list(golden_cameras(golden_render, "ftheta_rig_a.json"))
    assert len(cameras) == 7
    for entry, camera in cameras:
        uv, depth_m = camera.project(entry["points_cam_rdf"])
        inside = np.array(entry["inside_image"])
        frontal = np.array(entry["angle_rad"]) <= math.pi / 2
        assert inside.sum() > 30 and frontal.sum() > inside.sum()
        assert_allclose(uv[inside], np.array(entry["px_ref_float64"])[inside], atol=0.02)
        assert_allclose(uv[inside], np.array(entry["px_exact_inverse"])[inside], atol=1e-6)
        assert_allclose(uv[frontal], np.array(entry["px_ref_float64"])[frontal], atol=2.0)
        assert_allclose(depth_m, np.array(entry["points_cam_rdf"])[:, 2])


def test_f_theta_rays_are_the_golden_rays(golden_render):
    for entry, camera in golden_cameras(golden_render, "ftheta_rig_a.json"):
        assert_allclose(camera.unproject(entry["pixels"]), entry["rays_ref_float64"], atol=3e-5)
        assert_allclose(camera.project(entry["rays_ref_float64"])[0], entry["pixels"], atol=0.02)


def test_f_theta_angle_limits_are_the_golden_ones(golden_render):
    for entry, camera in golden_cameras(golden_render, "ftheta_rig_a.json"):
        derived = entry["derived"]
        assert camera.max_angle_rad == pytest.approx(derived["max_ray_angle_rad"], abs=2e-5)
        assert_allclose([camera.lens.cx_px, camera.lens.cy_px], derived["center_px"], atol=1e-4)


def test_pinhole_lands_where_the_golden_pixels_are(golden_render):
    cameras = list(golden_cameras(golden_render, "pinhole.json"))
    assert len(cameras) == 3
    for entry, camera in cameras:
        assert_allclose(camera.project(entry["points_cam_rdf"])[0], entry["px_ref_float64"], atol=1e-6)


def test_f_theta_of_another_size_has_the_golden_numbers(golden_render):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())["cameras_720p"]
    tables = pytest.importorskip("pyarrow.parquet")
    file = golden_render / "clipgt" / "parquet" / "synth-clip-0001.calibration_estimate.parquet"
    rig = json.loads(tables.read_table(file).to_pylist()[0]["calibration_estimate"]["rig_json"])
    sensors = {s["name"].replace(":", "_"): s["properties"] for s in rig["rig"]["sensors"] if "camera" in s["name"]}
    for name, numbers in expected.items():
        raw = sensors[name]
        text = raw.get("polynomial") or raw.get("bw-poly")
        backward = numbers["is_backward"]
        cde = [float(raw.get(key, default)) for key, default in (("linear-c", 1), ("linear-d", 0), ("linear-e", 0))]
        lens = FTheta(
            float(raw["cx"]),
            float(raw["cy"]),
            tuple(float(k) for k in text.split()),
            "pixeldistance-to-angle" if backward else "angle-to-pixeldistance",
            *cde,
        )
        small = camera_of(lens, int(float(raw["width"])), int(float(raw["height"]))).resized(*numbers["size"]).lens
        assert_allclose([small.cx_px, small.cy_px], numbers["center"], rtol=1e-6)
        given = np.array(numbers["poly"])
        assert_allclose(small.polynomial, given[: len(small.polynomial)], rtol=1e-6)
        assert not given[len(small.polynomial) :].any()
        assert_allclose([small.linear_c, small.linear_d, small.linear_e], numbers["linear_cde"], rtol=1e-6)


# -- independent oracles ----------------------------------------------------------------------


@laws
@given(st.integers(0, 2**32 - 1))
def test_brown_agrees_with_opencv(seed):
    camera = camera_of(BROWN)
    points = points_in_front(seed, spread=0.6)
    matrix = np.array([[BROWN.fx_px, 0, BROWN.cx_px], [0, BROWN.fy_px, BROWN.cy_px], [0, 0, 1]])
    distortion = np.array([BROWN.k1, BROWN.k2, BROWN.p1, BROWN.p2, BROWN.k3])
    oracle = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, distortion)[0][:, 0]
    assert_allclose(camera.project(points)[0], oracle, atol=1e-8)


@laws
@given(st.integers(0, 2**32 - 1))
def test_fisheye_agrees_with_opencv(seed):
    camera = camera_of(FISHEYE)
    points = points_in_front(seed)
    matrix = np.array([[FISHEYE.fx_px, 0, FISHEYE.cx_px], [0, FISHEYE.fy_px, FISHEYE.cy_px], [0, 0, 1]])
    distortion = np.array([FISHEYE.k1, FISHEYE.k2, FISHEYE.k3, FISHEYE.k4])
    oracle = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), matrix, distortion)[0][:, 0]
    inside = camera.sees(points)
    assert inside.any()
    assert_allclose(camera.project(points)[0][inside], oracle[inside], atol=1e-8)


def test_a_brown_lens_without_distortion_is_a_pinhole():
    points = points_in_front(3, spread=0.5)
    brown = Brown(PINHOLE.fx_px, PINHOLE.fy_px, PINHOLE.cx_px, PINHOLE.cy_px)
    assert_allclose(brown.project(points), PINHOLE.project(points), atol=1e-8)


# -- laws -------------------------------------------------------------------------------------


@every_lens
def test_pixel_to_ray_to_pixel_over_the_whole_picture(lens):
    camera = camera_of(lens)
    uv = np.stack(np.meshgrid(np.linspace(-0.5, 1919.5, 97), np.linspace(-0.5, 1079.5, 55)), axis=-1)
    rays = camera.unproject(uv)
    assert_allclose(np.linalg.norm(rays, axis=-1), 1.0, atol=1e-12)
    for distance_m in (0.1, 1.0, 150.0):
        assert_allclose(camera.project(rays * distance_m)[0], uv, atol=1e-6)


@every_lens
def test_pixel_to_ray_to_pixel_around_the_picture(lens):
    camera = camera_of(lens)
    uv = camera.border_pixels(32, margin_px=60.0)
    rays = camera.unproject(uv)
    assert np.isfinite(rays).all()
    assert_allclose(camera.project(rays)[0], uv, atol=1e-5)


@every_lens
def test_the_principal_point_looks_straight_ahead(lens):
    camera = camera_of(lens)
    centre = [camera.lens.cx_px, camera.lens.cy_px]
    assert_allclose(camera.unproject(centre), [0, 0, 1], atol=1e-15)
    assert_allclose(camera.project([0.0, 0.0, 3.0])[0], centre, atol=1e-12)


@every_lens
def test_right_is_right_and_down_is_down(lens):
    camera = camera_of(lens)
    u, v = (camera.project([0.1, 0.2, 1.0])[0] - camera.project([0.0, 0.0, 1.0])[0]).tolist()
    assert u > 0 and v > 0


@pytest.mark.parametrize("angle_rad", [1e-9, 1e-7, 3e-4])
@every_lens
def test_next_to_the_axis_the_projection_is_exact(lens, angle_rad):
    camera = camera_of(lens)
    offset = camera.project([[angle_rad * 60.0, 0.0, 60.0], [0.0, angle_rad * 60.0, 60.0]])[0]
    offset = offset - (lens.cx_px, lens.cy_px)
    if isinstance(lens, FTheta):
        k1 = lens.polynomial[1]
        focal = 1 / k1 if lens.direction == "pixeldistance-to-angle" else k1
        expected = focal * angle_rad * lens.affine.T
    else:
        expected = np.diag([lens.fx_px, lens.fy_px]) * angle_rad
    assert_allclose(offset, expected, rtol=1e-5 + angle_rad, atol=10 * angle_rad**2 + 1e-12)


@every_lens
def test_points_on_one_ray_share_a_pixel(lens):
    camera = camera_of(lens)
    rays = camera.unproject(camera.border_pixels(4, margin_px=-50))
    assert_allclose(camera.project(rays * 0.01)[0], camera.project(rays * 1e4)[0], atol=1e-8)


@every_lens
def test_a_point_lands_alone_where_it_lands_among_others(lens):
    camera = camera_of(lens)
    points = points_in_front(8, 50, spread=3.0)
    together = camera.project(points)[0]
    alone = np.stack([camera.project(point)[0] for point in points])
    assert_allclose(alone, together, atol=1e-11)
    uv = np.random.default_rng(9).uniform(0, 1080, (50, 2))
    assert_allclose(np.stack([camera.unproject(p) for p in uv]), camera.unproject(uv), atol=1e-14)


@every_lens
def test_no_points_and_several_axes_are_fine(lens):
    camera = camera_of(lens)
    assert camera.project(np.zeros((0, 3)))[0].shape == (0, 2)
    assert camera.unproject(np.zeros((0, 2))).shape == (0, 3)
    assert camera.project(np.ones((2, 3, 4, 3)))[0].shape == (2, 3, 4, 2)
    assert camera.unproject(np.ones((2, 3, 2))).shape == (2, 3, 3)


@every_lens
def test_pixels_are_finite_all_around_the_camera(lens):
    camera = camera_of(lens)
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(2000, 3)), np.eye(3), -np.eye(3), np.zeros((1, 3))])
    assert np.isfinite(camera.project(points)[0]).all()
    assert np.isfinite(lens.project(points)).all()


@every_lens
def test_rays_are_finite_far_outside_of_the_picture(lens):
    uv = np.stack(np.meshgrid(np.linspace(-1e5, 1e5, 21), np.linspace(-1e5, 1e5, 21)), axis=-1)
    for rays in (camera_of(lens).unproject(uv), lens.unproject(uv)):
        assert_allclose(np.linalg.norm(rays, axis=-1), 1.0, atol=1e-9)


FOLDING = {
    "brown": Brown(1500.0, 1500.0, 960.0, 540.0, -0.28, 0.025),
    "brown with tangential terms": Brown(1500.0, 1480.0, 960.0, 540.0, -0.28, 0.025, 2e-3, -2e-3),
    "fisheye": OpenCvFisheye(900.0, 900.0, 960.0, 540.0, -0.09),
    "forward f-theta": FTheta(960.0, 540.0, (0, 900.0, 0.0, -80.0), "angle-to-pixeldistance"),
    "backward f-theta": FTheta(960.0, 540.0, (0, 0.0012, 0.0, -2.5e-10), "pixeldistance-to-angle"),
}


@pytest.mark.parametrize("lens", FOLDING.values(), ids=FOLDING)
def test_nothing_beyond_the_corner_angle_folds_back_into_the_picture(lens):
    camera = camera_of(lens)
    azimuth = np.linspace(0, 2 * np.pi, 181)[:, None]
    angle = np.linspace(camera.max_angle_rad + 1e-3, math.pi - 1e-3, 120)
    rays = np.stack(
        np.broadcast_arrays(np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth), np.cos(angle)), -1
    )
    uv = camera.project(rays)[0]
    inside = (uv[..., 0] >= -0.5) & (uv[..., 0] <= 1919.5) & (uv[..., 1] >= -0.5) & (uv[..., 1] <= 1079.5)
    assert not inside.any()
    away = np.hypot(uv[..., 0] - 960, uv[..., 1] - 540)
    assert (np.diff(away, axis=1) > 0).all()


def test_the_plain_brown_formula_would_fold_back():
    """The lens above is strong enough to tell: OpenCV, which has no limit, draws far-off points in the picture."""
    lens = FOLDING["brown"]
    matrix = np.array([[lens.fx_px, 0, lens.cx_px], [0, lens.fy_px, lens.cy_px], [0, 0, 1]])
    outside = np.array([[2.3, 0.0, 1.0]])
    folded = cv2.projectPoints(outside, np.zeros(3), np.zeros(3), matrix, np.array([lens.k1, lens.k2, 0, 0]))[0]
    assert 0 < folded[0, 0, 0] < 1920
    assert not camera_of(lens).sees(outside).any()


# -- scaling ----------------------------------------------------------------------------------


@every_lens
@pytest.mark.parametrize("factor", [0.3, 2 / 3, 2.0])
def test_a_scaled_lens_projects_to_scaled_pixels(lens, factor):
    camera = camera_of(lens)
    points = points_in_front(4, spread=2.0)
    points = points[camera.sees(points)]
    assert len(points)
    scaled = lens.scaled(factor, factor).project(points, camera.max_angle_rad)
    assert_allclose(scaled, camera.project(points)[0] * factor, atol=1e-8)


@pytest.mark.parametrize("lens", [PINHOLE, BROWN, FISHEYE], ids=["pinhole", "brown", "fisheye"])
def test_lenses_with_two_focal_lengths_scale_each_axis_by_itself(lens):
    camera = camera_of(lens)
    points = points_in_front(4, spread=0.4)
    scaled = lens.scaled(0.5, 0.8).project(points, camera.max_angle_rad)
    assert_allclose(scaled, camera.project(points)[0] * (0.5, 0.8), atol=1e-8)


@every_lens
def test_resized_twice_equals_resized_once(lens):
    camera = camera_of(lens)
    twice, once = camera.resized(960, 540).resized(1280, 720), camera.resized(1280, 720)
    points = points_in_front(5)
    assert_allclose(twice.project(points)[0], once.project(points)[0], atol=1e-7)


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lens", "sentence"),
    [
        (
            FTheta(960.0, 540.0, (0, 0.001, 0, -1e-9), "pixeldistance-to-angle"),
            "camera test: f-theta polynomial (pixeldistance-to-angle) does not increase up to the image corner "
            "(1101 px from the centre)",
        ),
        (
            FTheta(960.0, 540.0, (0, 900.0, 0, -300.0), "angle-to-pixeldistance"),
            "camera test: f-theta polynomial (angle-to-pixeldistance) does not increase up to the image corner "
            "(it reaches 1101 there)",
        ),
        (
            FTheta(960.0, 540.0, (0, 0.004), "pixeldistance-to-angle"),
            "camera test: f-theta polynomial (pixeldistance-to-angle) bends the image corner by 4.406 rad, "
            "more than half a turn",
        ),
        (
            Brown(900.0, 900.0, 960.0, 540.0, -0.5),
            "camera test: radial distortion does not increase up to the image corner (it reaches 1.224 there)",
        ),
        (
            OpenCvFisheye(600.0, 600.0, 960.0, 540.0, -0.2),
            "camera test: fisheye polynomial does not increase up to the image corner (it reaches 1.836 there)",
        ),
    ],
)
def test_a_polynomial_that_falls_inside_of_the_picture_is_refused(lens, sentence):
    with pytest.raises(FrameError) as error:
        camera_of(lens)
    assert str(error.value) == sentence


def test_a_polynomial_may_fall_outside_of_the_picture():
    lens = Brown(900.0, 900.0, 100.0, 50.0, -0.5)
    assert camera_of(lens, 200, 100).max_angle_rad == pytest.approx(0.125, abs=0.01)
    with pytest.raises(FrameError):
        camera_of(lens, 2000, 1000)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Pinhole(np.nan, 1.0, 0.0, 0.0), "pinhole lens: fx_px holds NaN or infinity"),
        (lambda: Pinhole(1.0, 0.0, 0.0, 0.0), "pinhole lens: fy_px must be above 0, got 0"),
        (lambda: Brown(1.0, 1.0, np.inf, 0.0), "Brown lens: cx_px holds NaN or infinity"),
        (lambda: Brown(1.0, 1.0, 0.0, 0.0, k3=np.nan), "Brown lens: k3 holds NaN or infinity"),
        (lambda: OpenCvFisheye(-5.0, 1.0, 0.0, 0.0), "fisheye lens: fx_px must be above 0, got -5"),
        (
            lambda: FTheta(0.0, 0.0, (0, np.nan), "pixeldistance-to-angle"),
            "f-theta lens: polynomial holds NaN or infinity",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0, -1.0), "pixeldistance-to-angle"),
            "f-theta polynomial: the linear coefficient must be above 0, got -1.0",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0.5, 1.0), "pixeldistance-to-angle"),
            "f-theta polynomial: the constant term must be 0, got 0.5",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0.0,), "pixeldistance-to-angle"),
            "f-theta polynomial: expected 2 to 6 coefficients, got 1",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0.0, 1.0, 0, 0, 0, 0, 0), "pixeldistance-to-angle"),
            "f-theta polynomial: expected 2 to 6 coefficients, got 7",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0.0, 1.0), "backward"),
            "f-theta polynomial: direction must be pixeldistance-to-angle or angle-to-pixeldistance, got 'backward'",
        ),
        (
            lambda: FTheta(0.0, 0.0, (0.0, 1.0), "pixeldistance-to-angle", 0.0, 0.0, 0.0),
            "f-theta linear terms: [[c, d], [e, 1]] has no inverse",
        ),
    ],
)
def test_numbers_that_make_no_lens_are_refused(make, sentence):
    with pytest.raises(FrameError) as error:
        make()
    assert str(error.value) == sentence


@every_lens
def test_lenses_survive_pickle_and_compare_by_value(lens):
    back = pickle.loads(pickle.dumps(lens))
    assert back == lens and hash(back) == hash(lens)
