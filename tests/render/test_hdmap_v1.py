"""The older look: flat lines, wire frames, the brightest layer wins."""

import numpy as np
import pytest

from render.palette import V1_ACTOR_RGB, V1_LAYER_RGB
from scenegraph import SE3, Category, HDMap, LaneLine, Pole, RoadBoundary, TrafficLight, TrafficSign


@pytest.fixture(scope="module")
def camera(stage):
    return stage.pinhole(160, 90, 100.0)


def old(stage, scene, camera, **more):
    return stage.picture(scene, camera, palette="hdmap-v1", **more)


def dimmed(rgb, depth_m):
    return [int(value * 2 * (122.5 - depth_m) / 255) for value in rgb]


@pytest.mark.parametrize("depth_m", [2.0, 40.0, 100.0, 122.0])
def test_brightness_falls_with_the_mean_depth(stage, camera, depth_m):
    half_m = depth_m / 10
    scene = stage.scene(stage.boundaries([[depth_m, -half_m, 0], [depth_m, half_m, 0]]))
    found = old(stage, scene, camera)[45, 80].tolist()
    assert found == dimmed(V1_LAYER_RGB["road_boundaries"], depth_m)


def test_nothing_is_drawn_beyond_the_end_of_the_fade(stage, camera):
    beyond = stage.boundaries([[122.6, -9, 0], [122.6, 9, 0]], [[400, -9, 0], [400, 9, 0]])
    assert not old(stage, stage.scene(beyond, (stage.box("a", (130.0, 0, 0), (2, 9, 9)),)), camera).any()


def test_lines_are_drawn_with_thickness_eight_and_boxes_with_five(stage, camera):
    """OpenCV makes nine and seven pixels of that."""
    upright = stage.scene(stage.boundaries([[10, 0, -1], [10, 0, 1]]))
    assert old(stage, upright, camera)[45].any(axis=-1).sum() == 9
    box = stage.scene(actors=(stage.box("a", (10.0, 0.0, 0.0), (0.001, 4.0, 4.0)),))
    row = old(stage, box, camera)[45].any(axis=-1)
    assert row.sum() == 14 and not row[70:90].any()


def test_layers_are_merged_by_the_brighter_value_of_each_channel(stage, camera):
    upright = stage.line([[10, 0, -1], [10, 0, 1]])
    hdmap = HDMap(
        road_boundaries=(RoadBoundary("a", upright),),
        lane_lines=(LaneLine("a", upright, "WHITE", "SOLID_SINGLE"),),
        poles=(Pole("a", upright),),
    )
    colours = [dimmed(V1_LAYER_RGB[name], 10.0) for name in ("road_boundaries", "lane_lines", "poles")]
    assert old(stage, stage.scene(hdmap), camera)[45, 80].tolist() == np.max(colours, axis=0).tolist()


@pytest.mark.parametrize("category", list(Category))
def test_boxes_are_wire_frames_in_the_colour_of_their_class_and_hide_nothing(stage, camera, category):
    box = stage.box("a", (10.0, 0.0, 0.0), (0.001, 4.0, 4.0), 0.0, category)
    behind = stage.boundaries([[30, 0, -2], [30, 0, 2]])
    picture = old(stage, stage.scene(behind, (box,)), camera)
    assert picture[45, 80 - 20].tolist() == dimmed(V1_ACTOR_RGB[category], 10.0)
    assert picture[45, 80].tolist() == dimmed(V1_LAYER_RGB["road_boundaries"], 30.0)


def test_signs_and_lights_are_filled(stage, camera):
    hdmap = HDMap(
        traffic_signs=(TrafficSign("a", SE3(np.eye(3), [10.0, 2.0, 0]), 0.0, 1.0, 1.0),),
        traffic_lights=(TrafficLight("a", SE3(np.eye(3), [10.0, -2.0, 0]), 0.0, 1.0, 1.0),),
    )
    picture = old(stage, stage.scene(hdmap), camera)
    assert picture[45, 60].tolist() == dimmed(V1_LAYER_RGB["traffic_signs"], 10.0)
    assert picture[45, 100].tolist() == dimmed(V1_LAYER_RGB["traffic_lights"], 10.0)
    assert picture.any(axis=-1).sum() == pytest.approx(2 * 11 * 11, abs=50)


def test_concave_crosswalks_fill_their_hull(stage, camera):
    arrow = [[20, -2, -1], [14, 0, -1], [20, 2, -1], [8, 0, -1]]
    picture = old(stage, stage.scene(stage.crosswalks(arrow)), camera)
    assert picture[45 + int(100 / 18), 80].any()


# -- the near plane ---------------------------------------------------------------------------


def test_a_crosswalk_around_the_camera_fills_the_ground(stage):
    camera = stage.pinhole(160, 90, 100.0, height_m=1.5)
    scene = stage.scene(stage.crosswalks([[-20, -20, 0], [60, -20, 0], [60, 20, 0], [-20, 20, 0]]))
    picture = old(stage, scene, camera).any(axis=-1)
    horizon_row = 45 + 100 * 1.5 / 60
    assert picture[int(horizon_row) + 2 :, 60:100].all() and not picture[: int(horizon_row) - 1].any()
    assert picture[-1].all()


def test_a_crosswalk_keeps_its_corner_when_that_lies_outside_of_the_picture(stage):
    """Both edges leave the picture, through its side and through its bottom; what lies between stays filled."""
    camera = stage.pinhole(160, 90, 100.0, height_m=1.5)
    scene = stage.scene(stage.crosswalks([[2.0, 6.0, 0], [20.0, 6.0, 0], [20.0, 0.0, 0], [2.0, 0.0, 0]]))
    picture = old(stage, scene, camera).any(axis=-1)
    assert picture[85:, :75].all() and not picture[:, 85:].any()


@pytest.mark.parametrize("distance_m", [1.2, 4.0, 12.0])
def test_a_wire_frame_that_crosses_the_camera_plane_keeps_its_direction(stage, distance_m):
    """Edges run from the near plane, up to 100,000 pixels out, straight to where they end."""
    box = stage.box("a", (0.0, distance_m, -0.3 * distance_m), (20.0 * distance_m, 0.001, 0.001))
    picture = old(stage, stage.scene(actors=(box,)), stage.pinhole(160, 90, 400.0))
    rows, columns = np.nonzero(picture.any(axis=-1))
    far_row, far_column = 45 + 400 * 0.03, 80 - 400 * 0.1
    assert len(rows) > 200
    across = (rows + 0.5 - far_row) + 0.3 * (columns + 0.5 - far_column)
    assert abs(across.mean()) < 1.0 and np.abs(across).max() < 6.0


@pytest.mark.parametrize("side", [1, -1])
def test_a_sign_cut_by_the_near_plane_is_cut_along_all_its_edges(stage, camera, side):
    """A plate along the view that reaches behind the lens, to the left or to the right of it."""
    sign = TrafficSign("a", SE3(np.eye(3), [0.0, 2.0 * side, 0.0]), 8.0, 1.0, 1.0)
    picture = old(stage, stage.scene(HDMap(traffic_signs=(sign,))), camera).any(axis=-1)
    # Towards the picture's edge: 1.5 m to the side it ends 4 m ahead, and is half a metre high up and down.
    outwards = picture if side > 0 else picture[:, ::-1]
    last = int(80 - 100 * 1.5 / 4)
    assert not outwards[:, last + 2 :].any()
    for column in range(2, last - 2, 6):
        height_px = 2 * 0.5 / 1.5 * (80 - column - 0.5)
        assert outwards[:, column].sum() == pytest.approx(height_px + 2, abs=2.5)


def test_close_things_of_any_kind_draw_without_fault(stage):
    for seed in range(4):
        scene = stage.crowd(seed)
        for kind in stage.lenses:
            camera = stage.camera(kind, 96, 54)
            picture = old(stage, scene, camera)
            assert picture.any()
            np.testing.assert_array_equal(picture, old(stage, scene, camera))


def test_actors_are_drawn_in_the_order_of_their_ids_and_only_when_there(stage, camera):
    near = stage.box("b", (10.0, 0.0, 0.0), (0.001, 4.0, 4.0), 0.0, Category.CAR)
    renderer = stage.renderer(stage.scene(actors=(near,)), camera, palette="hdmap-v1", times_us=[-5, 0, 5])
    assert [bool(renderer.frame(0, index).any()) for index in range(3)] == [False, True, False]
