"""Map elements as strips and triangles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial import ConvexHull

from render.map_layer import map_geometry, polygon_triangles
from render.palette import LAYER_RGB, LAYERS
from scenegraph import (
    SE3,
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    Pole,
    Polyline,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
    box_corners,
)


def line(*points):
    return Polyline(np.array(points, dtype=float))


SQUARE = line([0, 0, 0], [6, 0, 0], [6, 3, 0], [0, 3, 0])
ROAD = line([0, 0, 0], [10, 0, 0])
PLACE = SE3.from_yaw(0.4, [5.0, 1.0, 3.0])
EVERYTHING = HDMap(
    lane_segments=(LaneSegment("a", ROAD, line([0, -3, 0], [10, -3, 0])),),
    lane_lines=(LaneLine("a", ROAD, "WHITE", "SOLID_SINGLE"), LaneLine("b", ROAD, "YELLOW", "SOLID_GROUP")),
    road_boundaries=(RoadBoundary("a", ROAD), RoadBoundary("b", ROAD)),
    crosswalks=(Crosswalk("a", SQUARE),),
    stop_lines=(StopLine("a", ROAD),),
    poles=(Pole("a", line([1, 1, 0], [1, 1, 3])),),
    road_markings=(RoadMarking("a", SQUARE),),
    traffic_lights=(TrafficLight("a", PLACE, 0.6, 0.6, 1.0), TrafficLight("b", PLACE, 0.6, 0.6, 1.0)),
    traffic_signs=(TrafficSign("a", PLACE, 0.8, 0.3, 0.8),),
)


def area_m2(triangles):
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return np.linalg.norm(np.cross(a, b), axis=1) / 2


def pieces_of(strips):
    """Every joined pair of points that is drawn, with repetitions: [n,2,3]."""
    found = []
    for begin, end in strips.chunks:
        for k in range(begin + 1, end):
            if not strips.starts[k]:
                found.append(strips.points_m[k - 1 : k + 1])
    return np.array(found)


# -- strips -----------------------------------------------------------------------------------


def test_strips_are_in_drawing_order_and_poles_are_thin():
    strips = map_geometry(EVERYTHING).strips
    colours = [tuple(rgb) for rgb in strips.chunk_rgb]
    order = [colour for i, colour in enumerate(colours) if i == 0 or colour != colours[i - 1]]
    expected = [LAYER_RGB["road_boundaries"], LAYER_RGB["stop_lines"], (255, 255, 255), (255, 255, 0)]
    assert order == [*expected, LAYER_RGB["poles"]]
    is_pole = np.array([colour == LAYER_RGB["poles"] for colour in colours])
    assert (strips.chunk_width_px[is_pole] == 5).all() and (strips.chunk_width_px[~is_pole] == 12).all()


@pytest.mark.parametrize("length_m", [1.0, 51.0, 51.3, 52.0, 53.0, 500.0])
def test_chunks_draw_every_piece_once(length_m):
    strips = map_geometry(HDMap(road_boundaries=(RoadBoundary("a", line([0, 0, 0], [length_m, 0, 0])),))).strips
    pieces = pieces_of(strips)
    assert_allclose(pieces[1:, 0], pieces[:-1, 1])
    assert pieces[0, 0, 0] == 0.0 and pieces[-1, 1, 0] == pytest.approx(length_m)


def test_chunks_of_dashed_lines_draw_every_piece_once():
    dashed = LaneLine("a", line([0, 0, 0], [400, 0, 0]), "WHITE", "LONG_DASHED_SINGLE")
    dotted = LaneLine("b", ROAD, "WHITE", "DOT_DASHED_SINGLE")
    pieces = pieces_of(map_geometry(HDMap(lane_lines=(dashed, dotted))).strips)
    lengths = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1)
    assert lengths.max() < 0.06
    assert lengths.sum() == pytest.approx(34 * 3.0 + 18 * 10 / 199, abs=1e-6)


def test_chunk_balls_hold_their_points():
    strips = map_geometry(EVERYTHING).strips
    for (begin, end), ball in zip(strips.chunks, strips.chunk_balls_m, strict=True):
        away = np.linalg.norm(strips.points_m[begin:end] - ball[:3], axis=1)
        assert away.max() <= ball[3] + 1e-9 and ball[3] <= away.max() + 1e-9


@pytest.mark.parametrize("heading_rad", np.linspace(0, 6, 7))
def test_double_lines_lie_on_the_ground_to_both_sides_whatever_the_direction(heading_rad):
    """The first strand of a double line is the left one in driving direction."""
    ahead = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
    left = np.array([-ahead[1], ahead[0], 0.0])
    element = LaneLine("a", line([0, 0, 0], 20 * ahead), "YELLOW", "DASHED_SOLID")
    strips = map_geometry(HDMap(lane_lines=(element,))).strips
    side = pieces_of(strips) @ left
    assert_allclose(np.abs(side), 0.1, atol=1e-9)
    assert_allclose(strips.points_m[:, 2], 0.0)
    length = lambda kept: np.linalg.norm(np.diff(pieces_of(strips)[kept], axis=1), axis=-1).sum()  # noqa: E731
    assert length((side > 0).all(axis=1)) == pytest.approx(20.0)
    assert length((side < 0).all(axis=1)) == pytest.approx(6.0)


def test_upright_poles_stay_upright():
    points = map_geometry(HDMap(poles=EVERYTHING.poles)).strips.points_m
    assert_allclose(points[:, :2], 1.0)
    assert points[0, 2] == 0.0 and points[-1, 2] == 3.0


# -- triangles --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_a_polygon_fills_its_convex_hull_once(seed, count):
    rng = np.random.default_rng(seed)
    flat = rng.uniform(-10, 10, (count, 2)) + rng.uniform(-1e5, 1e5, 2)
    triangles = polygon_triangles(Polyline(np.column_stack([flat, np.full(count, 1.5)])))
    hull = ConvexHull(flat - flat.mean(axis=0))
    assert area_m2(triangles).sum() == pytest.approx(hull.volume, abs=0.02, rel=1e-3)
    assert_allclose(triangles[..., 2], 1.5)
    assert (area_m2(triangles) >= 1e-4 - 1e-9).all()


def test_a_repeated_first_point_changes_the_cut_but_not_the_area():
    closed = line(*SQUARE.points_m, SQUARE.points_m[0])
    assert area_m2(polygon_triangles(SQUARE)).sum() == pytest.approx(18.0)
    assert area_m2(polygon_triangles(closed)).sum() == pytest.approx(18.0)
    assert len(polygon_triangles(closed)) > len(polygon_triangles(SQUARE))


@pytest.mark.parametrize(
    "outline",
    [
        [[0, 0, 0], [5, 0, 0]],
        [[0, 0, 0], [5, 0, 0], [9, 0, 0]],
        [[1, 1, 0], [1, 1, 0], [1, 1, 0]],
        [[0, 0, 0], [0, 0, 3], [0, 0, 5]],
        [[0, 0, 0], [1, 0, 0], [1, 1e-5, 0], [0, 1e-5, 0]],
    ],
)
def test_outlines_without_area_fill_nothing(outline):
    assert polygon_triangles(line(*outline)).shape == (0, 3, 3)


def test_an_exactly_flat_crossing_is_filled_on_the_ground():
    triangles = polygon_triangles(SQUARE)
    assert area_m2(triangles).sum() == pytest.approx(18.0) and not triangles[..., 2].any()


def test_signs_and_lights_have_the_silhouette_of_their_cuboids():
    """Signs cover all six faces; the fan of a light covers the same outline from every side."""
    geometry = map_geometry(EVERYTHING)
    signs = geometry.triangles.vertices_m[(geometry.triangles.rgb == LAYER_RGB["traffic_signs"]).all(axis=1)]
    assert area_m2(signs).sum() == pytest.approx(2 * (0.8 * 0.3 + 0.8 * 0.8 + 0.3 * 0.8))
    lights = geometry.light_triangles_m
    assert lights.shape == (2, 14, 3, 3) and geometry.light_ids == ("a", "b")
    corners = box_corners(PLACE, 0.6, 0.6, 1.0)
    for corner in lights[0].reshape(-1, 3):
        assert np.abs(corners - corner).max(axis=1).min() < 1e-12
    rng = np.random.default_rng(0)
    for direction in rng.normal(size=(5, 3)):
        across = np.linalg.svd(direction[None])[2][1:]
        outline = ConvexHull(corners @ across.T)
        inside = outline.points.mean(axis=0) + rng.uniform(-0.4, 0.4, (300, 2))
        seen = (outline.equations[:, :2] @ inside.T + outline.equations[:, 2:] < -1e-6).all(axis=0)
        assert (covered(lights[0] @ across.T, inside) == seen).all()


def covered(triangles, points):
    """Which points [N,2] lie in one of the flat triangles [K,3,2]."""
    hit = np.zeros(len(points), dtype=bool)
    for a, b, c in triangles:
        sides = [
            (q[0] - p[0]) * (points[:, 1] - p[1]) - (q[1] - p[1]) * (points[:, 0] - p[0])
            for p, q in ((a, b), (b, c), (c, a))
        ]
        hit |= (np.min(sides, axis=0) >= 0) | (np.max(sides, axis=0) <= 0)
    return hit


# -- layers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [name for name in LAYERS if name != "actors"])
def test_only_the_layers_asked_for_become_geometry(layer):
    geometry = map_geometry(EVERYTHING, (layer,))
    lines, fills, lights = len(geometry.strips.points_m), len(geometry.triangles.rgb), len(geometry.light_ids)
    in_strips = layer in ("road_boundaries", "stop_lines", "lane_lines", "poles")
    in_triangles = layer in ("crosswalks", "road_markings", "traffic_signs")
    assert (lines > 0, fills > 0, lights > 0) == (in_strips, in_triangles, layer == "traffic_lights")
    if in_triangles:
        assert (geometry.triangles.rgb == LAYER_RGB[layer]).all()


def test_lanes_themselves_are_not_drawn():
    geometry = map_geometry(HDMap(lane_segments=EVERYTHING.lane_segments))
    assert len(geometry.strips.points_m) == len(geometry.triangles.rgb) == len(geometry.light_ids) == 0


def test_crosswalks_come_before_road_markings_before_signs():
    rgb = map_geometry(EVERYTHING).triangles.rgb
    changes = np.flatnonzero((np.diff(rgb, axis=0) != 0).any(axis=1)) + 1
    order = [tuple(rgb[i]) for i in (0, *changes)]
    assert order == [LAYER_RGB["crosswalks"], LAYER_RGB["road_markings"], LAYER_RGB["traffic_signs"]]
