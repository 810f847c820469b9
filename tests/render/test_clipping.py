"""Culling, merging and clipping against plain versions, and what stands in the way of a lens."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import render.clipping
from render import controls
from render.box_layer import EDGES, FACE_TRIANGLES
from render.clipping import Primitives
from render.projection import NEAR_M
from render.rasterizer import rasterize
from scenegraph import (
    SE3,
    Actor,
    Camera,
    Category,
    Crosswalk,
    HDMap,
    Pinhole,
    RoadBoundary,
    StopLine,
    TrafficLight,
    TrafficSign,
    Trajectory,
)

# -- the plain version: nothing culled, nothing merged ----------------------------------------


def clipped_piece(ends, near_m=NEAR_M):
    """A line piece [2,3] in front of the camera, or None."""
    behind = ends[:, 2] < near_m
    if behind.all():
        return None
    ends = ends.copy()
    for i in np.flatnonzero(behind):
        other = ends[1 - i]
        ends[i] += (near_m - ends[i, 2]) / (other[2] - ends[i, 2]) * (other - ends[i])
        ends[i, 2] = near_m
    return ends


def clipped_polygon(corners, colours, z, keep_above):
    """Sutherland and Hodgman against one plane; corners and colours are lists."""
    kept, paint = [], []
    sign = 1 if keep_above else -1
    for i in range(len(corners)):
        j = (i + 1) % len(corners)
        here, there = sign * (corners[i][2] - z), sign * (corners[j][2] - z)
        if here >= 0:
            kept.append(corners[i])
            paint.append(colours[i])
        if (here >= 0) != (there >= 0):
            share = here / (here - there)
            kept.append(corners[i] + share * (corners[j] - corners[i]))
            kept[-1][2] = z
            paint.append(colours[i] + share * (colours[j] - colours[i]))
    return kept, paint


class PlainPrimitives:
    """Screen primitives of one picture, every piece and triangle taken by itself."""

    def __init__(self, camera):
        self.camera = camera
        self.rows = []

    def add_piece(self, ends_camera, rgb, width_px):
        ends = clipped_piece(ends_camera)
        if ends is None or (share := 1 - ends[:, 2].mean() / 200) <= 0:
            return
        uv, depth_m = self.camera.project(ends)
        xyz = np.zeros((3, 3))
        xyz[:2] = np.column_stack([uv, depth_m])
        colours = np.zeros((3, 3))
        colours[:2] = np.clip(1 - depth_m / 200, 0, 1)[:, None] * rgb
        self.rows.append((xyz, colours, width_px * share / 2))

    def add_triangle(self, corners_camera, rgb):
        corners, colours = clipped_polygon(list(corners_camera.copy()), list(rgb), NEAR_M, True)
        corners, colours = clipped_polygon(corners, colours, 200.0, False)
        if len(corners) < 3:
            return
        uv, depth_m = self.camera.project(np.array(corners))
        xyz = np.column_stack([uv, depth_m])
        faded = np.array(colours) * np.clip(1 - depth_m / 200, 0, 1)[:, None]
        for i in range(1, len(xyz) - 1):
            self.rows.append((xyz[[0, i, i + 1]], faded[[0, i, i + 1]], 0.0))

    def picture(self):
        out = np.empty((self.camera.height_px, self.camera.width_px, 3), dtype=np.uint8)
        xyz = np.array([row[0] for row in self.rows]).reshape(-1, 3, 3)
        rgb = np.array([row[1] for row in self.rows]).reshape(-1, 3, 3)
        rasterize(xyz, rgb, np.array([row[2] for row in self.rows], dtype=float), len(xyz), out)
        return out


def plain_picture(renderer):
    """The first picture of a renderer, drawn the plain way from the same world geometry."""
    plain = PlainPrimitives(renderer.cameras.cameras[0])
    to_camera = renderer.cameras.world_from_camera[0, 0].inverse().apply
    strips, triangles, boxes = renderer._map.strips, renderer._map.triangles, renderer._boxes
    for (begin, end), rgb, width_px in zip(strips.chunks, strips.chunk_rgb, strips.chunk_width_px, strict=True):
        points = to_camera(strips.points_m[begin:end])
        for k in range(1, len(points)):
            if not strips.starts[begin + k]:
                plain.add_piece(points[k - 1 : k + 1], rgb, width_px)
    for corners, rgb in zip(triangles.vertices_m, triangles.rgb, strict=True):
        plain.add_triangle(to_camera(corners), np.tile(rgb, (3, 1)))
    for light, rgb in zip(renderer._map.light_triangles_m, renderer._light_rgb[0], strict=True):
        for corners in light:
            plain.add_triangle(to_camera(corners), np.tile(rgb, (3, 1)))
    for index in np.flatnonzero(boxes.present[0]):
        corners = to_camera(boxes.corners_m[0, index])
        for face in FACE_TRIANGLES:
            plain.add_triangle(corners[face], boxes.corner_rgb[index][face])
        for edge in EDGES:
            plain.add_piece(corners[edge], np.full(3, 200.0), 4.0)
    return plain.picture()


@pytest.fixture
def unmerged(monkeypatch):
    """Line pieces are not joined on screen."""
    monkeypatch.setattr(render.clipping, "_MERGE_PX", 0.0)
    monkeypatch.setattr(controls, "add_strips", render.clipping.add_strips.py_func)


def cameras_of_every_kind(stage):
    yield from (stage.camera(kind) for kind in stage.lenses)
    yield Camera("tall", Pinhole(150.0, 150.0, 67.0, 120.0), 135, 240, stage.ego_from_camera(1.5))
    yield Camera("narrow", Pinhole(80.0, 80.0, 30.0, 120.0), 60, 240, stage.ego_from_camera(1.5))


def worst(one, other):
    """Largest difference of any channel, per pixel."""
    return np.abs(one.astype(int) - other).max(axis=-1)


def test_boxes_and_pieces_are_those_of_the_plain_version(stage, unmerged):
    for seed in range(3):
        scene = stage.crowd(seed, lines=40, boxes=15)
        for camera in cameras_of_every_kind(stage):
            renderer = stage.renderer(scene, camera)
            difference = worst(renderer.frame(0, 0), plain_picture(renderer))
            assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, camera.name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_polygons_signs_and_lights_are_those_of_the_plain_version(stage, seed):
    rng = np.random.default_rng(seed)
    shape = np.column_stack([rng.uniform(-25, 25, (6, 2)), rng.uniform(-1, 1, 6)])
    place = SE3.from_yaw(rng.uniform(0, 6), rng.uniform(-8, 8, 3))
    hdmap = HDMap(
        crosswalks=(Crosswalk("a", stage.line(shape)),),
        traffic_signs=(TrafficSign("a", place, 3.0, 2.0, 1.0),),
        traffic_lights=(TrafficLight("a", SE3.from_yaw(1.0, rng.uniform(-8, 8, 3)), 1.0, 2.0, 4.0),),
    )
    camera = list(cameras_of_every_kind(stage))[seed % 8]
    renderer = stage.renderer(stage.scene(hdmap), camera)
    difference = worst(renderer.frame(0, 0), plain_picture(renderer))
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, camera.name


# -- culling ----------------------------------------------------------------------------------


def test_culling_changes_no_byte_of_a_crowd(stage):
    for seed in range(6):
        scene = stage.crowd(seed, lines=200, boxes=60)
        for camera in cameras_of_every_kind(stage):
            culled, whole = stage.renderer(scene, camera), stage.unculled(stage.renderer(scene, camera))
            np.testing.assert_array_equal(culled.frame(0, 0), whole.frame(0, 0), err_msg=camera.name)


def test_culling_changes_no_byte_of_the_highway(stage, highway):
    culled = controls.ControlRenderer(highway.scene, highway.cameras)
    whole = stage.unculled(controls.ControlRenderer(highway.scene, highway.cameras))
    for view, name in enumerate(highway.cameras.names):
        for index in range(len(highway.cameras.timestamps_us)):
            np.testing.assert_array_equal(culled.frame(view, index), whole.frame(view, index), err_msg=name)


@pytest.mark.parametrize("side", ["left", "right", "above", "below", "beyond", "behind"])
def test_a_bar_that_pokes_into_the_picture_is_never_culled(stage, side):
    """Its ball touches the picture's pyramid with the very end of the bar."""
    camera = stage.pinhole(120, 90, 100.0)
    half_m = 10.0
    slope = {"left": 0.6, "right": 0.6, "above": 0.45, "below": 0.45}.get(side, 0.0)
    outward = {"left": (-slope, 1, 0), "right": (-slope, -1, 0), "above": (-slope, 0, 1), "below": (-slope, 0, -1)}
    direction = np.array(outward.get(side, (1.0 if side == "beyond" else -1.0, 0.0, 0.0)))
    direction /= np.linalg.norm(direction)
    rim_m = {"beyond": 200.0, "behind": NEAR_M}.get(side)
    rim = np.array([rim_m, 0, 0]) if rim_m else np.array([40.0, *(40.0 * slope * np.sign(direction[1:]))])
    across = [0.0, 0.0, 1.0] if direction[2] == 0 else [0.0, 1.0, 0.0]
    rotation = np.column_stack([direction, np.cross(across, direction), across])
    seen = 0
    for poke_m in np.linspace(0.05, 2.0, 14):
        pose = SE3(rotation[None], (rim + direction * (half_m - poke_m))[None])
        bar = Actor("a", Category.CAR, Trajectory(np.array([0]), pose), 2 * half_m, 0.3, 0.3)
        scene = stage.scene(actors=(bar,))
        picture = plain_picture(stage.renderer(scene, camera))
        seen += bool(picture.any())
        np.testing.assert_array_equal(stage.picture(scene, camera), picture)
    assert seen >= 10 or side == "beyond"


def test_culling_removes_most_of_what_is_not_seen(stage):
    lines = [[[100.0, y, 0], [101.0, y, 0], [102.0, y, 0]] for y in range(-3000, 3000, 10)]
    renderer = stage.renderer(stage.scene(stage.boundaries(*lines)), stage.pinhole())
    assert 0 < renderer.project(0, 0).count < 2 * len(lines) * 0.05


@pytest.mark.parametrize("size", [(60, 240), (240, 60), (120, 120)])
def test_lines_just_outside_of_a_picture_show_their_rim(stage, size):
    """A line's half width is 6 px across and 6 H/W px up and down."""
    camera = Camera("c", Pinhole(100.0, 100.0, size[0] / 2, size[1] / 2), *size, stage.ego_from_camera())
    rise_px, distance_m = 6 * size[1] / size[0] * (1 - 10 / 200), 10.0
    for out_px, is_seen in ((0.8 * rise_px, True), (1.2 * rise_px, False)):
        height_m = (size[1] / 2 + out_px) / 100.0 * distance_m
        for side in (1, -1):
            line = [[distance_m, -1.0, side * height_m], [distance_m, 1.0, side * height_m]]
            assert stage.picture(stage.scene(stage.boundaries(line)), camera).any() == is_seen


# -- merging ----------------------------------------------------------------------------------


def rows_and_centres(picture):
    """Rows [R] that a slanted line crosses, and the centre of its colour in each [R], in pixels."""
    weight = picture.max(axis=-1).astype(float)
    rows = np.flatnonzero(weight.sum(axis=1) > 0)
    return rows, (weight[rows] * (np.arange(picture.shape[1]) + 0.5)).sum(axis=1) / weight[rows].sum(axis=1)


@pytest.mark.parametrize("kind", ["wide", "tele", "pinhole"])
@pytest.mark.parametrize("side_m", [-3.5, 2.0])
def test_merging_moves_a_line_by_less_than_a_tenth_of_a_pixel(stage, request, kind, side_m):
    camera = stage.camera(kind, 640, 360)
    scene = stage.scene(stage.boundaries([[12.0, side_m, 0], [120.0, side_m, 0]]))
    rows, centres = rows_and_centres(stage.picture(scene, camera))
    many = stage.renderer(scene, camera).project(0, 0).count
    request.getfixturevalue("unmerged")
    plain_rows, plain_centres = rows_and_centres(stage.picture(scene, camera))
    assert many < stage.renderer(scene, camera).project(0, 0).count
    both, at, plain_at = np.intersect1d(rows, plain_rows, return_indices=True)
    both_full = both[3:-6]  # the ends are caps
    assert len(both_full) > 15
    off = (centres[at] - plain_centres[plain_at])[3:-6]
    # One sample that falls on the other side moves the centre of its row by 1/8 px: look at four rows at a time.
    assert abs(off.mean()) < 0.02 and np.abs(np.convolve(off, np.full(4, 0.25), "valid")).max() < 0.1


def test_a_line_seen_end_on_keeps_the_width_and_colour_of_its_near_end(stage, request):
    """Merging stops after a few metres of depth, or a guard rail at the height of the eye would fade as a whole."""
    camera = stage.pinhole(640, 360, 400.0)
    for points in ([[1.0, 0, 0], [230.0, 0, 0]], [[230.0, 0.02, 0.01], [1.0, 0.02, 0.01]]):
        scene = stage.scene(stage.boundaries(points))
        with pytest.MonkeyPatch.context() as patch:
            merged = stage.picture(scene, camera)
            patch.setattr(render.clipping, "_MERGE_PX", 0.0)
            patch.setattr(controls, "add_strips", render.clipping.add_strips.py_func)
            plain = stage.picture(scene, camera)
        difference = worst(merged, plain)
        assert (difference > 64).sum() == 0 and (difference > 16).sum() <= 10


# -- the near plane ---------------------------------------------------------------------------


def subdivided(triangle, colours, count):
    """A triangle [3,3] as count**2 small ones [K,3,3] with their colours."""
    weights = []
    for i in range(count):
        for j in range(count - i):
            here = np.array([[i, j], [i + 1, j], [i, j + 1]])
            weights.append(here)
            if j < count - i - 1:
                weights.append(np.array([[i + 1, j], [i + 1, j + 1], [i, j + 1]]))
    ab = np.array(weights) / count
    share = np.concatenate([1 - ab.sum(axis=-1, keepdims=True), ab], axis=-1)
    return share @ triangle, share @ colours


def finely(renderer):
    """The first picture, triangles and edges cut into small parts; those that touch the near plane left out."""
    plain = PlainPrimitives(renderer.cameras.cameras[0])
    to_camera = renderer.cameras.world_from_camera[0, 0].inverse().apply
    triangles, boxes = renderer._map.triangles, renderer._boxes
    faces = [(to_camera(c), np.tile(rgb, (3, 1))) for c, rgb in zip(triangles.vertices_m, triangles.rgb, strict=True)]
    pieces = []
    for corners, rgb in zip(boxes.corners_m[0], boxes.corner_rgb, strict=True):
        corners = to_camera(corners)
        faces += [(corners[face], rgb[face]) for face in FACE_TRIANGLES]
        pieces += [corners[edge] for edge in EDGES]
    for corners, colours in faces:
        small, paint = subdivided(corners, colours, 40 if len(faces) < 20 else 12)
        for part, part_colours in zip(small, paint, strict=True):
            if (part[:, 2] > NEAR_M).all():
                plain.add_triangle(part, part_colours)
    for ends in pieces:
        cuts = ends[0] + np.linspace(0, 1, 400)[:, None] * (ends[1] - ends[0])
        for part in np.stack([cuts[:-1], cuts[1:]], axis=1):
            if (part[:, 2] > NEAR_M).all():
                plain.add_piece(part, np.full(3, 200.0), 4.0)
    return plain.picture()


def grown(mask, pixels):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)) > 0


CLOSE = {
    "a lorry beside the lens": {"boxes": [((2.0, 2.6, 0.5), (14.0, 2.5, 3.0), 0.1)]},
    "a car half behind": {"boxes": [((-0.5, -2.0, -0.6), (4.0, 1.8, 1.5), -0.2)]},
    "a box around the lens": {"boxes": [((0.3, 0.2, 0.1), (6.0, 2.5, 2.0), 0.4)]},
    "a box that ends beside the lens": {"boxes": [((-1.4, 0.7, 0.0), (4.0, 1.0, 1.0), 0.0)]},
    "a crosswalk around the camera": {"outline": [[-9, -8, -1.5], [9, -7, -1.5], [10, 8, -1.5], [-8, 9, -1.5]]},
    "a crosswalk that begins behind": {"outline": [[-3, -1, -1.5], [6, -1.5, -1.5], [6, 2, -1.5], [-3, 1, -1.5]]},
}


def close_scene(stage, boxes=(), outline=None):
    hdmap = stage.crosswalks(outline) if outline else HDMap()
    return stage.scene(hdmap, tuple(stage.box(f"{i}", *box) for i, box in enumerate(boxes)))


@pytest.mark.parametrize("what", CLOSE)
def test_what_crosses_the_camera_plane_has_its_true_silhouette(stage, what):
    """For a pinhole clipping is exact: the same as geometry so fine that nothing has to be clipped."""
    renderer = stage.renderer(close_scene(stage, **CLOSE[what]), stage.pinhole(96, 54, 50.0))
    found, expected = renderer.frame(0, 0).any(axis=-1), finely(renderer).any(axis=-1)
    assert expected.mean() > 0.02
    assert not (found & ~grown(expected, 1)).any() and not (expected & ~grown(found, 1)).any()


def test_ground_that_comes_from_far_aside_is_drawn_by_a_long_lens(stage):
    """At the near plane it is millions of pixels wide."""
    camera = stage.pinhole(384, 216, 7200.0, height_m=0.05)
    picture = stage.picture(
        stage.scene(stage.crosswalks([[-9, -150, 0], [60, -150, 0], [60, 150, 0], [-9, 150, 0]])), camera
    )
    horizon_row = 108 + 7200 * 0.05 / 60
    assert picture[int(horizon_row) + 2 :].any(axis=-1).all() and not picture[: int(horizon_row) - 1].any()


@pytest.mark.parametrize("what", CLOSE)
@pytest.mark.parametrize("kind", ["wide", "brown", "fisheye", "pinhole"])
def test_a_millimetre_changes_few_pixels_of_what_is_close(stage, what, kind):
    scene, camera = close_scene(stage, **CLOSE[what]), stage.camera(kind, height_m=0.0)
    steps = np.array([[0.001, 0, 0], [0, 0.001, 0], [0, 0, 0.001], [-0.001, 0.0007, 0.0004]])
    here = stage.picture(scene, camera)
    for step_m in steps:
        there = stage.picture(scene, camera, world_from_ego=SE3(np.eye(3), step_m))
        assert (worst(here, there) > 32).mean() < 0.01


@pytest.mark.parametrize("kind", ["wide", "tele", "brown", "fisheye", "pinhole"])
@pytest.mark.parametrize("z_m", [0.0, NEAR_M, -NEAR_M, NEAR_M / 2, 1e-9, -1e-300])
def test_elements_in_the_planes_of_the_lens_draw_without_fault(stage, kind, z_m):
    """Everything exactly at one depth, also at the lens itself; before the near plane there is nothing to see."""
    upright = [[z_m, -1.0, -1.0], [z_m, 1.0, 1.0]]
    hdmap = HDMap(
        road_boundaries=(RoadBoundary("a", stage.line(upright)),),
        stop_lines=(StopLine("a", stage.line([[z_m, -2.0, 0.0], [z_m, 2.0, 0.0]])),),
        crosswalks=(Crosswalk("a", stage.line([[z_m, -1, 0], [z_m, 1, 0], [z_m - 3, 1, 0], [z_m - 3, -1, 0]])),),
        traffic_signs=(TrafficSign("a", SE3(np.eye(3), [z_m, 0.2, 0.1]), 0.0, 1.0, 1.0),),
    )
    renderer = stage.renderer(stage.scene(hdmap), stage.camera(kind, height_m=0.0))
    picture = renderer.frame(0, 0)
    primitives = renderer.project(0, 0)
    assert np.isfinite(primitives.xyz[: primitives.count]).all()
    assert picture.any() == (z_m == NEAR_M)


def test_a_line_through_the_lens_starts_at_the_middle_of_the_picture(stage):
    """A point of the line that comes through the near plane on the axis, and leaves it to the upper left."""
    camera = stage.pinhole(160, 90, 100.0)
    scene = stage.scene(stage.boundaries([[-3.0, -1.5, -0.75], [6.0, 3.0, 1.5]]))
    picture = stage.picture(scene, camera).any(axis=-1)
    rows, columns = np.nonzero(picture)
    u, v = 80 - 100 * 0.5, 45 - 100 * 0.25
    assert abs(columns.mean() + 0.5 - u) < 1 and abs(rows.mean() + 0.5 - v) < 1
    assert np.ptp(columns) < 14 and np.ptp(rows) < 9


def test_many_close_things_give_finite_primitives_in_every_camera(stage):
    rng = np.random.default_rng(5)
    for camera in cameras_of_every_kind(stage):
        lines = rng.normal(0, 0.3, (60, 2, 3))
        places = zip(rng.normal(0, 0.5, (30, 3)), rng.uniform(0.01, 2, (30, 3)), rng.uniform(0, 6, 30), strict=True)
        boxes = [stage.box(f"{i}", *place) for i, place in enumerate(places)]
        hdmap = HDMap(
            road_boundaries=stage.boundaries(*lines).road_boundaries,
            crosswalks=stage.crosswalks(*rng.normal(0, 2, (20, 5, 3))).crosswalks,
        )
        at_the_origin = SE3(np.eye(3), -camera.ego_from_camera.translation_m)
        renderer = stage.renderer(stage.scene(hdmap, tuple(boxes)), camera, world_from_ego=at_the_origin)
        primitives = renderer.project(0, 0)
        used = slice(primitives.count)
        assert primitives.count > 100 and (primitives.half_width[used] >= 0).all()
        assert np.isfinite(primitives.xyz[used]).all() and np.isfinite(primitives.rgb[used]).all()
        is_line = primitives.half_width[used] > 0
        assert (primitives.xyz[used, :2, 2] >= NEAR_M).all() and (primitives.xyz[used, 2, 2] >= NEAR_M)[~is_line].all()


# -- buffers ----------------------------------------------------------------------------------


def test_buffers_grow_and_keep_what_they_hold():
    primitives = Primitives(4)
    primitives.xyz[:3], primitives.half_width[:3], primitives.count = 7.0, 2.0, 3
    primitives.reserve(100)
    assert len(primitives.half_width) >= 103 and primitives.count == 3
    assert (primitives.xyz[:3] == 7.0).all() and (primitives.half_width[:3] == 2.0).all()
    memory = primitives.xyz
    primitives.clear()
    primitives.reserve(50)
    assert primitives.count == 0 and primitives.xyz is memory
