"""Laws of every picture: the same every time, and geometry that can be measured in the pixels."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from render.controls import ControlRenderer
from scenegraph import (
    SE3,
    Actor,
    Camera,
    Category,
    FTheta,
    HDMap,
    LaneLine,
    Pinhole,
    Polyline,
    RoadBoundary,
    StopLine,
    TrafficLight,
    Trajectory,
)

ROOT = Path(__file__).resolve().parents[2]
MAGENTA = np.array([253.0, 1.0, 232.0])
WIDE = FTheta(957.25, 754.5, (0, 0.001058, 8e-09, -3.2e-11, 7.8e-14, -2.8e-17), "pixeldistance-to-angle")
TELE = FTheta(1020.0, 520.0, (0, 3680.0, -180.0, 2850.0, -12000.0, 16000.0), "angle-to-pixeldistance")


def digest(pictures):
    total = hashlib.sha256()
    for picture in pictures:
        total.update(picture.tobytes())
    return total.hexdigest()


# -- the same every time ----------------------------------------------------------------------


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
def test_drawing_twice_gives_the_same_bytes(stage, palette):
    scene = stage.crowd(11)
    cameras = [stage.camera(kind) for kind in stage.lenses]
    first = stage.renderer(scene, *cameras, palette=palette)
    again = stage.renderer(scene, *cameras, palette=palette)
    for view in range(len(cameras)):
        picture = first.frame(view, 0)
        assert picture.any()
        np.testing.assert_array_equal(first.frame(view, 0), picture)
        np.testing.assert_array_equal(again.frame(view, 0), picture)
    assert first.digest() == again.digest()


ELSEWHERE = """
import hashlib, sys
import numpy as np
from render.controls import ControlRenderer
from scenegraph import *

seed = int(sys.argv[1])
rng = np.random.default_rng(seed)
lines = [RoadBoundary(str(i), Polyline(rng.uniform(-30, 30, (3, 3)))) for i in range(40)]
marks = [Crosswalk(str(i), Polyline(rng.uniform(-30, 30, (5, 3)))) for i in range(10)]
ego = Trajectory(np.array([0]), SE3.identity(1))
poses = [Trajectory(np.array([0]), SE3.from_yaw(np.array([float(i)]), rng.uniform(-20, 20, (1, 3)))) for i in range(30)]
actors = [Actor(str(i), Category.CAR, pose, 4.0, 2.0, 1.5) for i, pose in enumerate(poses)]
scene = Scene("s", HDMap(road_boundaries=lines, crosswalks=marks), ego, actors)
lens = FTheta(160.0, 100.0, (0, 0.0063, 1e-7), "pixeldistance-to-angle")
rig = CameraRig([Camera("c", lens, 320, 180, CAMERA_FROM_FLU.inverse())])
renderer = ControlRenderer(scene, rig.at(ego, np.array([0])))
print(hashlib.sha256(renderer.frame(0, 0).tobytes()).hexdigest(), renderer.digest())
"""


def test_another_process_gives_the_same_bytes(capsys):
    command = [sys.executable, "-c", ELSEWHERE, "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    argv, sys.argv = sys.argv, ["-c", "3"]
    try:
        exec(compile(ELSEWHERE, "elsewhere", "exec"), {})
    finally:
        sys.argv = argv
    assert done.stdout == capsys.readouterr().out and len(done.stdout) == 130


def test_many_threads_give_the_same_bytes_as_one(stage):
    scene, cameras = stage.crowd(12, 200, 60), [stage.camera(kind, 160, 90) for kind in stage.lenses]
    renderer = stage.renderer(scene, *cameras, times_us=[0, 1, 2])
    jobs = [(view, index) for view in range(len(cameras)) for index in range(3)] * 6
    alone = {job: digest([renderer.frame(*job)]) for job in set(jobs)}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: digest([renderer.frame(*job)]), jobs))
    assert together == [alone[job] for job in jobs]


def test_the_order_of_actors_does_not_matter(stage, highway):
    cameras, scene = highway.cameras, highway.scene
    turned = stage.scene(scene.hdmap, scene.actors[::-1], light_states=scene.light_states)
    one, other = ControlRenderer(scene, cameras), ControlRenderer(turned, cameras)
    for view in (0, 3, 6):
        np.testing.assert_array_equal(one.frame(view, 1), other.frame(view, 1))


def test_the_place_of_the_world_does_not_matter(stage):
    """The same scene a kilometre further on and turned: the same picture but for single samples."""
    there = SE3.from_roll_pitch_yaw_deg([0, 0, 77], [1000.0, -500.0, 20.0])
    scene = stage.crowd(13)
    lines = [Polyline(there.apply(element.polyline.points_m)) for element in scene.hdmap.road_boundaries]
    moved_actors = []
    for actor in scene.actors:
        track = Trajectory(np.array([0]), SE3.stack([there @ actor.trajectory.world_from_body[0]]))
        sizes = actor.length_m, actor.width_m, actor.height_m
        moved_actors.append(Actor(actor.id, actor.category, track, *sizes))
    hdmap = HDMap(road_boundaries=tuple(RoadBoundary(f"{i}", line) for i, line in enumerate(lines)))
    camera = stage.camera("wide")
    here = stage.picture(scene, camera).astype(int)
    moved = stage.picture(stage.scene(hdmap, tuple(moved_actors)), camera, world_from_ego=there)
    assert (np.abs(here - moved).max(axis=-1) > 2).mean() < 1e-3


# -- lines ------------------------------------------------------------------------------------


def row_centres(picture, level):
    """Rows that a line crosses in full, and the centre of its colour in each, in pixels from the left edge."""
    weight = picture.max(axis=-1).astype(float) / level
    rows = np.flatnonzero(weight.sum(axis=1) > 1.0)
    return rows, (weight[rows] * (np.arange(picture.shape[1]) + 0.5)).sum(axis=1) / weight[rows].sum(axis=1)


@pytest.mark.parametrize("layer", ["road_boundaries", "stop_lines"])
@pytest.mark.parametrize("ends", [((7.0, 3.0), (60.0, -4.0)), ((6.0, -2.0), (45.0, -1.0)), ((9.0, 3.0), (30.0, 9.0))])
def test_the_centre_of_a_straight_line_is_its_exact_projection(stage, layer, ends):
    camera = stage.pinhole(640, 360, 400.0, height_m=1.5)
    points = np.array([[*end, 0.0] for end in ends])
    kind = {"road_boundaries": RoadBoundary, "stop_lines": StopLine}[layer]
    picture = stage.picture(stage.scene(HDMap(**{layer: (kind("a", Polyline(points)),)})), camera)
    rows, centres = row_centres(picture, 255.0)
    uv, _ = camera.project(camera.ego_from_camera.inverse().apply(points))
    inner = (rows + 0.5 > uv[1, 1] + 5) & (rows + 0.5 < min(uv[0, 1] - 5, 355))
    clear = inner & np.isin(rows, np.flatnonzero(~picture[:, [0, -1]].any(axis=(1, 2))))
    assert clear.sum() > 15
    slope, start = np.polyfit(rows[clear] + 0.5, centres[clear], 1)
    exact = np.polyfit(uv[:, 1], uv[:, 0], 1)
    for v in (rows[clear][0] + 0.5, rows[clear][-1] + 0.5):
        assert slope * v + start == pytest.approx(np.polyval(exact, v), abs=0.25)


@pytest.mark.parametrize("lens", [WIDE, TELE], ids=["wide", "tele"])
def test_the_centre_of_a_line_follows_the_bent_projection(stage, lens):
    camera = Camera("c", lens, 1920, 1080, stage.ego_from_camera(1.5)).resized(1280, 720)
    points = np.array([[9.0, 2.5, 0.0], [90.0, -3.0, 0.0]])
    rows, centres = row_centres(stage.picture(stage.scene(stage.boundaries(points)), camera), 255.0)
    along = points[0] + np.linspace(0, 1, 4000)[:, None] * (points[1] - points[0])
    uv, _ = camera.project(camera.ego_from_camera.inverse().apply(along))
    inner = (rows + 0.5 > uv[:, 1].min() + 8) & (rows + 0.5 < min(uv[:, 1].max() - 5, 712))
    exact = np.interp(rows[inner] + 0.5, uv[::-1, 1], uv[::-1, 0])
    off = np.convolve(centres[inner] - exact, np.full(8, 1 / 8), "valid")
    assert len(off) > 30 and np.abs(off).max() < 0.25


def cross(stage, phi_rad, depth_m, height_px=360, width_px=640):
    """A straight line through the middle of a picture, at one depth and one screen angle."""
    camera = stage.pinhole(width_px, height_px, 400.0)
    half_m = 0.3 * depth_m
    # Image right is world -y, image down is world -z.
    ends = [[depth_m, -s * half_m * np.cos(phi_rad), -s * half_m * np.sin(phi_rad)] for s in (-1, 1)]
    return stage.picture(stage.scene(stage.boundaries(ends)), camera)


@pytest.mark.parametrize("depth_m", [2.0, 50.0, 120.0, 190.0])
@pytest.mark.parametrize("phi_deg", [0.0, 20.0, 45.0, 70.0, 90.0, 135.0])
def test_a_line_has_the_thickness_and_colour_of_its_depth(stage, phi_deg, depth_m):
    phi, shape = np.deg2rad(phi_deg), 360 / 640
    picture = cross(stage, phi, depth_m)
    share = 1 - depth_m / 200
    if depth_m < 190:
        assert picture[180, 320] == pytest.approx(MAGENTA * share, abs=1)
    cover = picture[..., 0] / (MAGENTA[0] * share)
    across = cover[:, 300:341].sum() / 41 * abs(np.cos(phi))
    if abs(np.tan(phi)) > 1:
        across = cover[160:201].sum() / 41 * abs(np.sin(phi))
    expected = 12 * share * np.sqrt(np.sin(phi) ** 2 + shape**2 * np.cos(phi) ** 2)
    assert across == pytest.approx(expected, abs=0.5)


def test_colour_along_a_line_follows_its_depth(stage):
    """Every piece ends in a cap, which hides the beginning of the piece behind it with a nearer colour."""
    camera = stage.pinhole(640, 360, 400.0, height_m=1.5)
    picture = stage.picture(stage.scene(stage.boundaries([[5.0, 0, 0], [190.0, 0, 0]])), camera).astype(int)
    for row in range(190, 296, 5):
        depth_m, cap_px = 400 * 1.5 / (row + 0.5 - 180), 6 * 360 / 640
        nearer_m = 400 * 1.5 / (row + 0.5 - 180 + cap_px)
        least, most = (MAGENTA * (1 - z_m / 200) for z_m in (depth_m, nearer_m))
        assert (picture[row, 320] >= least - 1).all() and (picture[row, 320] <= most + 1).all()


def test_nothing_is_drawn_beyond_two_hundred_metres(stage):
    camera = stage.pinhole(320, 180, 400.0)
    beyond = [[[201.0, -30, 0], [201.0, 30, 0]], [[201.0, 0, -5], [800.0, 5, 5]], [[200.001, 9, 0], [200.001, 12, 0]]]
    hdmap = HDMap(
        road_boundaries=stage.boundaries(*beyond).road_boundaries,
        crosswalks=stage.crosswalks([[201, -9, 0], [201, 9, 1], [260, 9, 0], [260, -9, 2]]).crosswalks,
        traffic_lights=(TrafficLight("a", SE3(np.eye(3), [205.0, 3, 3]), 2.0, 9.0, 9.0),),
        lane_lines=(LaneLine("a", stage.line([[203, -8, 0], [203, 8, 0]]), "WHITE", "SOLID_SINGLE"),),
    )
    actors = (stage.box("a", (240.0, 0, 0), (60.0, 9.0, 9.0)), stage.box("b", (203.0, -9, 0), (4.0, 9.0, 9.0)))
    assert not stage.picture(stage.scene(hdmap, actors), camera).any()


def test_a_wall_that_goes_on_beyond_the_end_of_sight_is_cut_there(stage):
    camera = stage.pinhole(640, 360, 2000.0)
    wall = stage.box("a", (300.0, 10.0, 0.0), (400.0, 0.02, 16.0))
    row = stage.picture(stage.scene(actors=(wall,)), camera)[180].max(axis=-1)
    for depth_m, is_seen in ((150.0, True), (190.0, True), (198.0, True), (202.0, False), (230.0, False)):
        column = int(320 - 2000 * 10.0 / depth_m)
        assert (row[column] > 0) == is_seen, depth_m
    assert not row[320 - int(2000 * 10.0 / 201.0) :].any()


def test_a_box_that_ends_the_sight_leaves_only_a_trace(stage):
    box = stage.box("a", (202.0, 0.0, 0.0), (6.0, 20.0, 20.0))
    picture = stage.picture(stage.scene(actors=(box,)), stage.pinhole(320, 180, 400.0))
    assert 1 <= picture.max() <= 2


# -- boxes ------------------------------------------------------------------------------------


def outer_lines(mask_share):
    """Four straight lines fitted to the outline of a convex blob of coverage [H,W]: left, right, top, bottom.

    Each is (a, b): u = a v + b for left and right, v = a u + b for top and bottom.
    """
    lines = []
    for share in (mask_share, mask_share[:, ::-1], mask_share.T, mask_share.T[:, ::-1]):
        solid = np.flatnonzero((share > 0.999).sum(axis=1) > 0.6 * (share > 0.999).sum(axis=1).max())
        rows = solid[int(0.2 * len(solid)) : int(0.8 * len(solid))]
        first = np.array([np.argmax(share[row] > 0.999) for row in rows])
        place = [f - share[row, max(f - 4, 0) : f].sum() for row, f in zip(rows, first, strict=True)]
        lines.append(np.polyfit(rows + 0.5, place, 1))
    (la, lb), (ra, rb), (ta, tb), (ba, bb) = lines
    height, width = mask_share.shape
    return (la, lb), (-ra, width - rb), (ta, tb), (-ba, height - bb)


def meet(side, level):
    """Where u = a v + b meets v = c u + d."""
    (a, b), (c, d) = side, level
    v = (c * b + d) / (1 - a * c)
    return a * v + b, v


@pytest.mark.parametrize("roll_deg", [0.0, 4.0, -9.0])
def test_the_corners_of_a_box_are_where_its_edges_meet(stage, roll_deg):
    """The outer half of an edge line stands out over the box: half of t(phi) on every side."""
    width_px, height_px = 640, 360
    pose = stage.ego_from_camera(0.0, roll_deg=roll_deg)
    camera = Camera("c", Pinhole(400.0, 400.0, 320.0, 180.0), width_px, height_px, pose)
    actor = stage.box("a", (12.0, 0.3, -0.2), (4.0, 5.0, 4.0))
    picture = stage.picture(stage.scene(actors=(actor,)), camera)
    grey = 200 * (1 - 10 / 200)
    sides = outer_lines(np.minimum(picture.max(axis=-1) / grey, 1.0))
    half_px = 0.5 * 4 * (1 - 10 / 200)
    inner = []
    for index, (slope, start) in enumerate(sides):
        phi = np.arctan2(1, slope) if index < 2 else np.arctan(slope)
        thick = half_px * np.sqrt(np.sin(phi) ** 2 + (height_px / width_px) ** 2 * np.cos(phi) ** 2)
        inward = 1 if index in (0, 2) else -1
        inner.append((slope, start + inward * thick * np.hypot(1, slope)))
    left, right, top, bottom = inner
    found = np.array([meet(left, top), meet(right, top), meet(right, bottom), meet(left, bottom)])
    corners = np.array([[10.0, 2.8, 1.8], [10.0, -2.2, 1.8], [10.0, -2.2, -2.2], [10.0, 2.8, -2.2]])
    exact, _ = camera.project(pose.inverse().apply(corners))
    assert np.abs(found - exact).max() < 0.5


def test_a_nearer_box_hides_everything_behind_it(stage):
    camera = stage.camera("wide", 640, 360)
    near = stage.box("m", (10.0, 0.0, 1.0), (4.0, 3.0, 3.0), 0.2)
    rng = np.random.default_rng(0)
    lines = [[[x, -20, z], [x, 20, z]] for x, z in zip(rng.uniform(14, 60, 40), rng.uniform(-1, 4, 40), strict=True)]
    behind = [stage.box(f"{i}", (20.0 + i, rng.uniform(-3, 3), 1.0), (4, 2, 3), 0.0, Category.TRUCK) for i in range(20)]
    area = [[15, -9, 0.5], [40, -9, 0.5], [40, 9, 2.5], [15, 9, 2.5]]
    hdmap = HDMap(
        road_boundaries=stage.boundaries(*lines).road_boundaries, crosswalks=stage.crosswalks(area).crosswalks
    )
    alone = stage.picture(stage.scene(actors=(near,)), camera)
    all_of_it = stage.picture(stage.scene(hdmap, (near, *behind)), camera)
    solid = alone.any(axis=-1)
    solid = solid & np.roll(solid, 2, 0) & np.roll(solid, -2, 0) & np.roll(solid, 2, 1) & np.roll(solid, -2, 1)
    assert solid.sum() > 3000 and (all_of_it[~alone.any(axis=-1)] > 0).any()
    np.testing.assert_array_equal(all_of_it[solid], alone[solid])


# -- several cameras, and time ----------------------------------------------------------------


def centre_of(picture):
    """Centre of what is drawn, in pixels."""
    weight = picture.max(axis=-1).astype(float)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("place_m", [(14.0, 0.5, 2.2), (25.0, -2.0, 1.0), (60.0, 4.0, 5.0)])
def test_a_point_seen_by_two_cameras_lands_where_both_draw_it(stage, place_m):
    poses = [
        stage.ego_from_camera(1.5, roll_deg=1.0, yaw_deg=2.0),
        SE3.from_roll_pitch_yaw_deg([-1.0, 1.0, -1.5], [0.4, -0.1, 1.6]) @ stage.ego_from_camera(),
    ]
    cameras = [
        Camera(name, lens, 1920, 1080, pose).resized(1280, 720)
        for name, lens, pose in zip(("wide", "tele"), (WIDE, TELE), poses, strict=True)
    ]
    light = TrafficLight("a", SE3(np.eye(3), place_m), 0.15, 0.15, 0.15)
    renderer = stage.renderer(stage.scene(HDMap(traffic_lights=(light,))), *cameras)
    for view, camera in enumerate(cameras):
        exact, depth_m = camera.project(camera.ego_from_camera.inverse().apply(np.array(place_m)))
        picture = renderer.frame(view, 0)
        assert picture.any() and depth_m > 0
        assert np.abs(centre_of(picture) - exact).max() < 1.0


def test_every_camera_of_the_highway_shows_a_lamp_where_its_lens_says(highway, stage):
    """A lamp is put ahead of every camera in turn; whoever sees it shows it there."""
    cameras, seen = highway.cameras, 0
    for view in range(len(cameras.cameras)):
        place_m = cameras.world_from_camera[view, 0].apply(np.array([1.0, -0.5, 18.0]))
        lamp = TrafficLight("a", SE3(np.eye(3), place_m), 0.1, 0.1, 0.1)
        renderer = ControlRenderer(stage.scene(HDMap(traffic_lights=(lamp,))), cameras)
        for other, camera in enumerate(cameras.cameras):
            local = cameras.world_from_camera[other, 0].inverse().apply(place_m)
            (u, v), _ = camera.project(local)
            picture = renderer.frame(other, 0)
            if local[2] > 0.2 and 8 < u < camera.width_px - 8 and 8 < v < camera.height_px - 8:
                seen += 1
                assert np.abs(centre_of(picture) - (u, v)).max() < 1.0
            elif local[2] < -0.2 or not (-8 < u < camera.width_px + 8 and -8 < v < camera.height_px + 8):
                assert not picture.any()
    assert seen >= 8


def test_constant_velocity_moves_without_jumps(stage):
    """Across the view of a slightly rolled camera, at constant depth: the second difference of its centre."""
    times = np.arange(30) * 33_333
    places = np.array([[20.0, 6.0 - 12e-6 * t, 0.3] for t in times])
    ends = SE3.from_yaw(
        np.full(2, 0.6), places[[0, -1]]
    )  # so turned that the same faces and edges are seen all the time
    actor = Actor("a", Category.CAR, Trajectory(times[[0, -1]], ends), 4.0, 2.0, 1.5)
    pose = stage.ego_from_camera(0.0, roll_deg=7.0)
    camera = Camera("c", Pinhole(500.0, 500.0, 320.0, 180.0), 640, 360, pose)
    renderer = stage.renderer(stage.scene(actors=(actor,)), camera, times_us=times)
    corners = []
    for index in range(len(times)):
        primitives = renderer.project(0, index)
        corners.append(primitives.xyz[: primitives.count, :2, :2].reshape(-1, 2).mean(axis=0))
    centres = np.array([centre_of(renderer.frame(0, index)) for index in range(len(times))])
    assert np.abs(np.diff(centres[:, 0])).min() > 5
    assert np.abs(np.diff(corners, 2, axis=0)).max() < 0.01
    assert np.abs(np.diff(centres, 2, axis=0)).max() < 0.05


def test_a_still_picture_does_not_flicker(stage):
    renderer = stage.renderer(stage.crowd(14, 100, 0), stage.camera("wide"), times_us=[0, 33_333, 66_667])
    for index in (1, 2):
        np.testing.assert_array_equal(renderer.frame(0, index), renderer.frame(0, 0))
