import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from render.errors import RenderError
from render.raycast import TriangleScene, pixel_rays, world_rays
from scenegraph import SE3

KINDS = ["wide", "tele", "sheared", "brown", "fisheye", "pinhole"]


def soup(seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Triangles in all directions around the origin."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 1, 3)) * 10
    corners = centres + rng.normal(size=(count, 3, 3)) * 3
    return corners.reshape(-1, 3).astype(np.float32), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def random_rays(seed: int, count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    towards = rng.normal(size=(count, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return rng.normal(size=(count, 3)).astype(np.float32), towards.astype(np.float32)


def distances(vertices: np.ndarray, triangles: np.ndarray, origins: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Of every ray to every triangle [R,F], infinite for a miss: the plane is met, then three inside tests."""
    corners = vertices[triangles].astype(np.float64)  # [F,3,3]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    along = towards.astype(np.float64) @ normal.T
    offset = np.einsum("fi,fi->f", normal, corners[:, 0])
    distance = (offset - origins.astype(np.float64) @ normal.T) / along
    points = origins[:, None].astype(np.float64) + distance[..., None] * towards[:, None]
    inside = distance > 0
    for i in range(3):
        edge = corners[:, (i + 1) % 3] - corners[:, i]
        inside &= np.einsum("rfi,fi->rf", np.cross(edge, points - corners[:, i]), normal) >= 0
    return np.where(inside, distance, np.inf)


@pytest.mark.parametrize("kind", KINDS)
def test_pixel_rays_are_the_lens_itself(stage, kind) -> None:
    camera = stage.camera(kind, 120, 68)
    rays = pixel_rays(camera)
    exact = camera.unproject(np.stack(np.meshgrid(np.arange(120), np.arange(68)), axis=-1))
    assert rays.shape == (68, 120, 3) and rays.dtype == np.float32
    assert np.abs(rays - exact).max() < 1e-7
    assert np.linalg.norm(rays, axis=-1) == approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_middle_one_of_three_by_three_subsamples_is_the_pixels_own_ray(stage, kind) -> None:
    camera = stage.camera(kind, 32, 18)
    fine = pixel_rays(camera, 3)
    assert fine.shape == (54, 96, 3)
    assert fine[1::3, 1::3] == approx(pixel_rays(camera), abs=1e-7)


def test_two_subsamples_lie_a_quarter_pixel_off_the_centre(stage) -> None:
    fine = pixel_rays(stage.pinhole(20, 10, 50.0), 2)
    u = fine[0, :, 0] / fine[0, :, 2] * 50 + 10
    assert u[:4] == approx([-0.25, 0.25, 0.75, 1.25], abs=1e-5)


def test_rays_are_remembered_by_lens_and_size_and_cannot_be_overwritten(stage) -> None:
    first, second = stage.camera("brown", 40, 24, height_m=1.0), stage.camera("brown", 40, 24, height_m=2.0)
    assert first is not second and pixel_rays(first) is pixel_rays(second)
    assert pixel_rays(first) is not pixel_rays(first.resized(80, 48))
    with pytest.raises(ValueError, match="read-only"):
        pixel_rays(first)[0, 0] = 0


def test_world_rays_start_at_the_camera_and_look_where_it_looks(stage) -> None:
    camera = stage.pinhole(11, 7, 30.0)
    pose = SE3.from_yaw(np.pi / 2, [5.0, -2.0, 1.0]) @ camera.ego_from_camera
    origin, rays = world_rays(camera, pose)
    exact = pixel_rays(camera).astype(np.float64) @ pose.rotation.T
    assert origin == approx([5.0, -2.0, 1.0])
    assert rays == approx(exact, abs=1e-6) and rays.dtype == np.float32
    assert rays[3, 5] == approx([0, 1, 0], abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_first_hits_are_those_of_testing_every_triangle(seed) -> None:
    vertices, triangles = soup(seed)
    origins, towards = random_rays(seed + 10)
    every = distances(vertices, triangles, origins, towards)
    hits = TriangleScene(vertices, triangles).first_hits(origins, towards)
    nearest = every.min(axis=1)
    assert (hits.any == np.isfinite(nearest)).all() and hits.any.sum() > 300
    assert hits.distance_m[hits.any] == approx(nearest[hits.any], rel=1e-4)
    assert hits.triangle[hits.any].tolist() == every.argmin(axis=1)[hits.any].tolist()
    assert (hits.triangle[~hits.any] == -1).all() and np.isinf(hits.distance_m[~hits.any]).all()


def test_blocked_says_whether_the_first_hit_is_within_reach() -> None:
    scene = TriangleScene(*soup(3))
    origins, towards = random_rays(4)
    hits = scene.first_hits(origins, towards)
    assert (scene.blocked(origins, towards) == hits.any).all()
    assert (scene.blocked(origins, towards, 8.0) == (hits.distance_m <= 8.0)).all()
    reach = np.where(hits.any, hits.distance_m * 0.99, 5.0).astype(np.float32)
    assert not scene.blocked(origins, towards, reach).any()
    assert (scene.blocked(origins, towards, reach * 1.02) == hits.any).all()


def test_one_origin_serves_all_rays() -> None:
    scene = TriangleScene(*soup(5))
    _, towards = random_rays(6)
    origin = np.array([1.0, 2.0, 3.0], np.float32)
    one, many = scene.first_hits(origin, towards), scene.first_hits(np.tile(origin, (len(towards), 1)), towards)
    assert (one.triangle == many.triangle).all() and (one.distance_m == many.distance_m).all()


def test_normals_follow_the_order_of_the_corners() -> None:
    vertices = np.array([[0, 0, 5], [1, 0, 5], [0, 2, 5], [0, 0, 5]], np.float32)
    scene = TriangleScene(vertices, np.array([[0, 1, 2], [0, 2, 1], [0, 3, 1]], np.int32))
    assert scene.normals.tolist() == [[0, 0, 1], [0, 0, -1], [0, 0, 0]]


def test_nothing_is_met_where_there_are_no_triangles() -> None:
    scene = TriangleScene(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    origins, towards = random_rays(0, 5)
    assert not scene.first_hits(origins, towards).any.any() and not scene.blocked(origins, towards).any()
    assert len(TriangleScene(*soup(0)).first_hits(origins[:0], towards[:0]).triangle) == 0


def test_what_cannot_be_cast_is_refused(stage) -> None:
    vertices, triangles = soup(0)
    scene, (origins, towards) = TriangleScene(vertices, triangles), random_rays(0, 4)

    def refuses(sentence: str):
        return pytest.raises(RenderError, match=f"^{sentence}$")

    with refuses(r"vertices: expected finite \[N,3\], got \[180, 3\]"):
        TriangleScene(np.where(vertices == vertices[0], np.nan, vertices), triangles)
    with refuses("triangles: name vertices outside of the 180 there are"):
        TriangleScene(vertices, triangles + 1)
    with refuses(r"rays: expected origins and directions \[R,3\], got \[4, 3\] and \[3, 3\]"):
        scene.first_hits(origins, towards[:3])
    with refuses("rays: an origin or a direction holds NaN or infinity"):
        scene.first_hits(origins, towards * np.float32(np.nan))
    with refuses(r"reach: expected one length or 4, none below 0, got \[2\]"):
        scene.blocked(origins, towards, np.ones(2, np.float32))
    with refuses("camera pinhole: expected at least 1 subsample each way, got 0"):
        pixel_rays(stage.camera("pinhole"), 0)
    with refuses("camera pinhole: expected one pose without NaN or infinity"):
        world_rays(stage.camera("pinhole"), SE3.identity(2))
    with refuses("camera pinhole: expected one pose without NaN or infinity"):
        world_rays(stage.camera("pinhole"), SE3(np.eye(3), np.array([0, np.nan, 0])))


@pytest.mark.parametrize("has_log", [True, False])
def test_the_benchmark_runs_and_ends_with_one_line_of_json(has_log, tmp_path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if not has_log:
        environment["DRIVESIM_SHARED"] = str(tmp_path)
    program = root / "tests" / "benchmarks" / "bench_raycast.py"
    done = subprocess.run(
        [sys.executable, program, "--passes", "1", "--size", "64x36"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert {"first_hits", "blocked", "floor_first_hits", "floor_blocked"} == set(measured["mrays_per_s"])
    assert {"camera", "static", "boxes", "truncation", "lidar"} <= set(measured["ms"])
