from __future__ import annotations

import numpy as np
import pytest
import shapely
from pytest import approx

from render.errors import RenderError
from render.world.brush import stroke
from render.world.look import Look
from render.world.markings import WHITE, YELLOW, patches, strokes
from render.world.paint import paint_ground
from render.world.pyramid import Window, is_blank, pyramid, read
from render.world.semantic import SemanticClass
from scenegraph import Crosswalk, HDMap, LaneLine, Polyline, RoadMarking, StopLine

PATH_M = np.array([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0]])
ROAD = shapely.box(-100, -6, 100, 6)


def line(points, colour="WHITE", style="SOLID_SINGLE") -> LaneLine:
    return LaneLine("line", Polyline(np.array(points, dtype=float)), colour, style)


def painted(hdmap: HDMap, look: Look | None = None, place: str = "town"):
    return paint_ground(hdmap, ROAD, PATH_M, look or Look(), place)


def read_at(picture, x, y, minor_m=0.02, major_m=0.02):
    return np.array(read(picture, x, y, 1.0, 0.0, minor_m, major_m, 12)) / 255


# -- pieces of paint ------------------------------------------------------------------------------------


def lengths_m(pieces):
    return np.hypot(*(pieces[:, 1] - pieces[:, 0]).T)


def test_a_long_dashed_line_is_three_metres_of_paint_then_nine_without():
    [dashes] = strokes(HDMap(lane_lines=(line([[0, 0, 0], [7, 0, 0], [48, 0, 0]], style="LONG_DASHED_SINGLE"),)))
    assert lengths_m(dashes.pieces_m).sum() == approx(4 * 3.0)
    middles = dashes.pieces_m.mean(axis=1)[:, 0]
    assert (np.mod(middles, 12.0) < 3.0).all()


def test_of_a_solid_and_dashed_pair_the_dashes_are_on_its_left():
    left, right = strokes(HDMap(lane_lines=(line([[0, 0, 0], [24, 0, 0]], "YELLOW", "SOLID_DASHED"),)))
    assert lengths_m(left.pieces_m).sum() == approx(6.0) and (left.pieces_m[..., 1] > 0).all()
    assert lengths_m(right.pieces_m).sum() == approx(24.0) and (right.pieces_m[..., 1] < 0).all()
    assert left.colour == right.colour == YELLOW


def test_a_crossing_has_bars_along_the_traffic():
    outline = [[0, -5, 0], [3, -5, 0], [3, 5, 0], [0, 5, 0]]
    [bars] = strokes(HDMap(crosswalks=(Crosswalk("c", Polyline(np.array(outline, dtype=float))),)))
    assert len(bars.pieces_m) == 10
    assert lengths_m(bars.pieces_m) == approx(np.full(10, 3.0))
    assert np.ptp(bars.pieces_m[..., 1], axis=1) == approx(np.zeros(10), abs=1e-9)


def test_implicit_stop_lines_are_not_painted_and_arrows_are_filled():
    across = Polyline(np.array([[5.0, -3.0, 0.0], [5.0, 0.0, 0.0]]))
    arrow = Polyline(np.array([[0.0, 0.0, 0.0], [4.0, 0.5, 0.0], [4.0, -0.5, 0.0]]))
    hdmap = HDMap(
        stop_lines=(StopLine("painted", across), StopLine("implicit", across, is_implicit=True)),
        road_markings=(RoadMarking("arrow", arrow, "arrow"), RoadMarking("bay", arrow, "parking bay")),
    )
    assert len(list(strokes(hdmap))) == 2  # the stop line and the bay's outline
    [filled] = patches(hdmap)
    assert filled.ring_m == approx(arrow.points_m[:, :2])


# -- strokes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle_deg", [0, 17, 45, 90, 123])
def test_a_stroke_covers_its_area_at_any_angle(angle_deg):
    coverage = np.zeros((200, 200), dtype=np.uint8)
    turn = np.radians(angle_deg)
    half = 60 * np.array([np.sin(turn), np.cos(turn)])
    stroke(coverage, np.array([[100.0 - half, 100.0 + half]]), 1.7, 1.0)
    assert coverage.sum() / 255 == approx(120 * 3.4, rel=0.02)


def test_joined_pieces_of_a_stroke_are_not_darker_where_they_meet():
    coverage = np.zeros((40, 60), dtype=np.uint8)
    corners = np.array([[20.0, 5.0], [20.0, 29.5], [20.0, 55.0]])
    stroke(coverage, np.stack([corners[:-1], corners[1:]], axis=1), 3.0, 1.0)
    assert (coverage[18:23, 10:50].min(axis=0) > 120).all()


# -- pictures with coarser copies -----------------------------------------------------------------------


def test_every_coarser_copy_keeps_the_mean():
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)
    levels = pyramid(picture, Window((0, 0), (64, 64), 0.1))
    for start, rows, columns in levels.levels:
        mean = levels.texels[start : start + rows * columns].mean(axis=0)
        assert mean == approx(picture.reshape(-1, 4).mean(axis=0), abs=1.0)


def test_a_wide_look_at_a_line_sees_its_share_of_paint():
    ground = painted(HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),)))
    near = read_at(ground.fine_paint, 10.0, 0.0)
    wide = np.array([read_at(ground.fine_paint, 10.0, y, 1.6, 1.6) for y in np.arange(-3.2, 3.2, 0.1)])
    assert near[3] > 0.85 and near[:3] == approx(np.array(WHITE) * near[3], abs=0.01)
    assert wide[:, 3].sum() * 0.1 == approx(0.14 * near[3], rel=0.12)


def test_a_look_along_a_line_stays_sharp_across_it():
    ground = painted(HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),)))
    on, beside = (read_at(ground.fine_paint, 10.0, y, 0.05, 1.2)[3] for y in (0.0, 0.4))
    assert on > 0.6 and beside == 0.0


def test_blank_ground_is_known_to_be_blank_and_painted_ground_never_is():
    ground = painted(HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),)))
    assert is_blank(ground.fine_paint, 10.0, 5.0, 0.5)
    for size_m in (0.05, 0.3, 1.0, 4.0):
        assert not is_blank(ground.fine_paint, 10.0, 0.0, size_m)
        assert not is_blank(ground.fine_paint, 10.0, 0.45 * size_m, size_m)


def test_both_pictures_show_the_same_line_at_the_same_place():
    ground = painted(HDMap(lane_lines=(line([[-200, 1.5, 0], [200, 1.5, 0]], "YELLOW"),)))
    for picture, spread in ((ground.fine_paint, 0.2), (ground.coarse_paint, 0.4)):
        y = np.arange(0.0, 3.0, 0.02)
        coverage = np.array([read_at(picture, 15.0, v)[3] for v in y])
        assert (coverage * y).sum() / coverage.sum() == approx(1.5, abs=0.03)
        assert coverage[np.abs(y - 1.5) > spread + 0.1].max() == 0.0


def test_the_ground_knows_its_classes():
    ground = painted(HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),)))
    window = ground.fine
    kinds = [
        ground.fine_kinds[int((10 - window.x_m) / 0.1), int((y - window.y_m) / 0.1)] for y in (0.0, 3.0, 7.0, 40.0)
    ]
    assert kinds == [SemanticClass.MARKING, SemanticClass.ROAD, SemanticClass.PAVEMENT, SemanticClass.TERRAIN]


def test_snow_whitens_the_land_more_than_the_wheel_tracks_and_hides_paint():
    hdmap = HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),))
    clear, snowy = painted(hdmap), painted(hdmap, Look(weather="snow"))
    assert read_at(clear.fine, 10, 30)[:3].mean() < 0.5 < 0.8 < read_at(snowy.fine, 10, 30)[:3].mean()
    along = np.arange(-20.0, 40.0, 0.5)
    paint_left = [np.mean([read_at(g.fine_paint, x, 0.0)[3] for x in along]) for g in (clear, snowy)]
    assert paint_left[1] < 0.6 * paint_left[0]


def test_the_same_map_makes_the_same_bytes():
    hdmap = HDMap(lane_lines=(line([[-90, 0, 0], [90, 0, 0]]),))
    for one, other in zip(painted(hdmap), painted(hdmap), strict=True):
        assert np.asarray(one[0]).tobytes() == np.asarray(other[0]).tobytes()


def test_an_unknown_word_is_refused_with_the_words_that_are_known():
    with pytest.raises(RenderError) as refusal:
        Look(weather="hail")
    assert str(refusal.value) == (
        "look: there is no weather 'hail'. Choose from: clear, cloudy, overcast, rain, heavy_rain, fog, snow."
    )
