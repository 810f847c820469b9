"""What is drawn, in which colour, and how a clip is asked for."""

import hashlib

import numpy as np
import pytest

from render.controls import ControlRenderer, ControlVideos, render_controls
from render.errors import RenderError
from render.palette import ACTOR_RGB, LAYER_RGB, LAYERS, LIGHT_RGB
from scenegraph import (
    SE3,
    Actor,
    Category,
    ClipCameras,
    Crosswalk,
    HDMap,
    LaneLine,
    LightState,
    LightTimeline,
    Pinhole,
    Pole,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
    Trajectory,
)


def upright(stage, y_m, distance_m=10.0):
    """A line of one metre that stands ahead of the camera."""
    return stage.line([[distance_m, y_m, -0.5], [distance_m, y_m, 0.5]])


def outline(stage, y_m):
    """A rectangle on a ground 1 m below the camera."""
    return stage.line([[6, y_m - 0.4, -1], [12, y_m - 0.4, -1], [12, y_m + 0.4, -1], [6, y_m + 0.4, -1]])


@pytest.fixture(scope="module")
def street(stage):
    """One element of every layer, next to each other, ahead of a camera at the origin."""
    hdmap = HDMap(
        road_boundaries=(RoadBoundary("a", upright(stage, 6)),),
        stop_lines=(StopLine("a", upright(stage, 4.5)),),
        lane_lines=(LaneLine("a", upright(stage, 3), "WHITE", "SOLID_SINGLE"),),
        poles=(Pole("a", upright(stage, 1.5)),),
        crosswalks=(Crosswalk("a", outline(stage, 0)),),
        road_markings=(RoadMarking("a", outline(stage, -1.5)),),
        traffic_signs=(TrafficSign("a", SE3(np.eye(3), [10.0, -3, 0]), 0.1, 0.8, 0.8),),
        traffic_lights=(TrafficLight("a", SE3(np.eye(3), [10.0, -4.5, 0]), 0.1, 0.8, 0.8),),
    )
    return stage.scene(hdmap, (stage.box("a", (11.0, -6.7, 0.0), (2.0, 0.8, 0.8)),))


@pytest.fixture(scope="module")
def camera(stage):
    return stage.pinhole(160, 90, 100.0)


def at(picture, x_m, y_m, z_m):
    """The pixel where the pinhole above shows a world point."""
    return picture[int(45 - 100 * z_m / x_m), int(80 - 100 * y_m / x_m)].tolist()


def faded(rgb, depth_m):
    return pytest.approx([value * (1 - depth_m / 200) for value in rgb], abs=0.51)


# -- layers -----------------------------------------------------------------------------------

PLACES = {
    "road_boundaries": ((10.0, 6.0, 0.0), LAYER_RGB["road_boundaries"]),
    "stop_lines": ((10.0, 4.5, 0.0), LAYER_RGB["stop_lines"]),
    "lane_lines": ((10.0, 3.0, 0.0), (255, 255, 255)),
    "poles": ((10.0, 1.5, 0.0), LAYER_RGB["poles"]),
    "crosswalks": ((9.0, 0.0, -1.0), LAYER_RGB["crosswalks"]),
    "road_markings": ((9.0, -1.5, -1.0), LAYER_RGB["road_markings"]),
    "traffic_signs": ((9.95, -3.0, 0.0), LAYER_RGB["traffic_signs"]),
    "traffic_lights": ((9.95, -4.5, 0.0), LIGHT_RGB[LightState.UNKNOWN]),
    "actors": ((10.0, -6.7, 0.0), ACTOR_RGB[Category.CAR][1]),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_is_drawn_at_its_place_in_its_colour_and_can_be_left_out(stage, street, camera, layer):
    (x_m, y_m, z_m), rgb = PLACES[layer]
    everything = stage.picture(street, camera)
    assert at(everything, x_m, y_m, z_m) == pytest.approx([v * (1 - x_m / 200) for v in rgb], abs=2)
    others = [name for name in LAYERS if name != layer]
    assert at(stage.picture(street, camera, layers=others), x_m, y_m, z_m) == [0, 0, 0]
    alone = stage.picture(street, camera, layers=[layer])
    assert at(alone, x_m, y_m, z_m) == at(everything, x_m, y_m, z_m)
    for other, (place, _) in PLACES.items():
        assert other == layer or at(alone, *place) == [0, 0, 0]


def test_no_layers_are_a_black_picture(stage, street, camera):
    assert not stage.picture(street, camera, layers=()).any()


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
def test_an_unknown_layer_is_named_with_all_that_there_are(stage, street, camera, palette):
    sentence = (
        "there is no layer 'lanes'. Layers: road_boundaries, stop_lines, lane_lines, poles, crosswalks, "
        "road_markings, traffic_signs, traffic_lights, actors."
    )
    with pytest.raises(RenderError) as error:
        stage.renderer(street, camera, palette=palette, layers=("poles", "lanes"))
    assert str(error.value) == sentence


def test_an_unknown_palette_is_named_with_all_that_there_are(stage, street, camera):
    with pytest.raises(RenderError) as error:
        stage.renderer(street, camera, palette="neon")
    assert str(error.value) == "there is no palette 'neon'. Palettes: world-scenario, hdmap-v1."


# -- colours ----------------------------------------------------------------------------------


def test_lights_show_their_state_in_every_frame_and_off_as_unknown(stage, camera):
    states = (LightState.RED, LightState.YELLOW, LightState.GREEN, LightState.OFF)
    light = TrafficLight("a", SE3(np.eye(3), [10.0, 0, 0]), 0.0, 0.8, 0.8)
    times = np.array([100, 200, 300, 400])
    scene = stage.scene(HDMap(traffic_lights=(light,)), light_states={"a": LightTimeline(times, states)})
    renderer = stage.renderer(scene, camera, times_us=[50, 100, 250, 399, 400, 10_000])
    found = [at(renderer.frame(0, index), 10.0, 0.0, 0.0) for index in range(6)]
    shown = [(100, 100, 100), (240, 50, 50), (255, 200, 0), (130, 240, 132), (100, 100, 100), (100, 100, 100)]
    assert found == [faded(rgb, 10.0) for rgb in shown]


def test_each_light_has_its_own_state(stage, camera):
    lights = tuple(TrafficLight(i, SE3(np.eye(3), [10.0, y, 0]), 0.0, 0.8, 0.8) for i, y in (("a", 3), ("b", -3)))
    timelines = {"b": LightTimeline(np.array([0]), ("green",))}
    picture = stage.picture(stage.scene(HDMap(traffic_lights=lights), light_states=timelines), camera)
    assert at(picture, 10.0, 3.0, 0.0) == faded((100, 100, 100), 10)
    assert at(picture, 10.0, -3.0, 0.0) == faded((130, 240, 132), 10)


@pytest.mark.parametrize(
    ("category", "front", "rear"),
    [
        (Category.CAR, (0, 46, 136), (126, 206, 255)),
        (Category.TRUCK, (204, 55, 0), (255, 192, 64)),
        (Category.PEDESTRIAN, (148, 0, 62), (255, 124, 171)),
        (Category.CYCLIST, (0, 80, 66), (102, 208, 198)),
        (Category.OTHERS, (53, 26, 20), (166, 136, 125)),
    ],
)
def test_a_box_shows_its_rear_when_it_drives_ahead_and_its_front_when_it_comes(stage, camera, category, front, rear):
    for yaw_rad, rgb in ((0.0, rear), (np.pi, front)):
        actor = stage.box("a", (12.0, 0.0, 0.0), (4.0, 2.0, 2.0), yaw_rad, category)
        assert at(stage.picture(stage.scene(actors=(actor,)), camera), 10.0, 0.0, 0.0) == faded(rgb, 10.0)


def test_the_side_of_a_box_goes_from_dark_to_light(stage, camera):
    actor = stage.box("a", (10.0, 0.0, 0.0), (8.0, 0.02, 2.0), np.pi / 2)
    row = stage.picture(stage.scene(actors=(actor,)), camera)[45, 45:115].astype(int)
    assert row[0] == pytest.approx(np.array(ACTOR_RGB[Category.CAR][0]) * 0.95, abs=12)
    assert row[-1] == pytest.approx(np.array(ACTOR_RGB[Category.CAR][1]) * 0.95, abs=12)
    assert (np.diff(row, axis=0) >= 0).all()


def test_edges_of_boxes_are_grey(stage, camera):
    actor = stage.box("a", (12.0, 0.0, 0.0), (4.0, 4.0, 4.0))
    picture = stage.picture(stage.scene(actors=(actor,)), camera)
    assert picture[45, 80 - 20 - 2].tolist() == faded((200, 200, 200), 10.0)
    assert picture[45, 80 - 20 + 1].tolist() == faded(ACTOR_RGB[Category.CAR][1], 10.0)


# -- actors over time -------------------------------------------------------------------------


def test_an_actor_is_drawn_only_while_it_is_there(stage, camera):
    track = Trajectory(np.array([100, 200]), SE3.from_yaw(np.zeros(2), np.array([[10.0, -2, 0], [10.0, 2, 0]])))
    actor = Actor("a", Category.CAR, track, 1.0, 1.0, 1.0)
    renderer = stage.renderer(stage.scene(actors=(actor,)), camera, times_us=[99, 100, 150, 200, 201])
    lit = [renderer.frame(0, index).any(axis=(0, 2)) for index in range(5)]
    assert not lit[0].any() and not lit[4].any()
    centres = [np.flatnonzero(columns).mean() + 0.5 for columns in lit[1:4]]
    assert centres == pytest.approx([80 + 20, 80, 80 - 20], abs=1.5)


def test_a_box_without_a_corner_in_the_picture_is_drawn(stage, camera):
    wall = stage.box("a", (10.0, 0.0, 0.0), (0.5, 100.0, 100.0))
    picture = stage.picture(stage.scene(actors=(wall,)), camera)
    assert picture.any(axis=-1).all()
    bar = stage.box("a", (10.0, 0.0, 0.0), (0.5, 100.0, 1.0))
    assert stage.picture(stage.scene(actors=(bar,)), camera)[45].any(axis=-1).all()


# -- sizes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (1281, 721), (16, 16), (3, 200)])
def test_an_empty_world_is_a_black_picture_of_any_size(stage, palette, size):
    picture = stage.picture(stage.scene(), stage.pinhole(*size), palette=palette)
    assert picture.shape == (size[1], size[0], 3) and picture.dtype == np.uint8 and not picture.any()


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (1281, 721), (3, 200)])
def test_pictures_of_odd_sizes_are_drawn_to_their_edges(stage, palette, size):
    """A picture full of one box, and the same with a line along its last row and column."""
    wall = stage.box("a", (10.5, 0.0, 0.0), (1.0, 1e3, 1e3))
    picture = stage.picture(stage.scene(actors=(wall,)), stage.pinhole(*size), palette="world-scenario")
    assert picture.any(axis=-1).all()
    scene = stage.crowd(1, 60, 20)
    other = stage.picture(scene, stage.pinhole(*size), palette=palette)
    assert other.shape == picture.shape
    assert other.any() or size == (1, 1)


def test_a_picture_in_a_larger_one_shows_the_same(stage):
    """The same lens with more picture around: what is drawn does not depend on where the picture ends."""
    small, scene = stage.pinhole(96, 54, 80.0), stage.crowd(4, 60, 30)
    large = stage.pinhole(288, 162, 80.0)
    assert isinstance(large.lens, Pinhole)
    whole = stage.picture(scene, large)[54:108, 96:192].astype(int)
    difference = np.abs(whole - stage.picture(scene, small)).max(axis=-1)
    assert whole.any() and (difference > 0).mean() < 0.002


def test_a_thousand_actors_in_one_picture(stage, camera):
    rng = np.random.default_rng(0)
    places = np.column_stack([rng.uniform(5, 190, 1000), rng.uniform(-40, 40, 1000), rng.uniform(-2, 2, 1000)])
    actors = tuple(stage.box(f"{i}", place) for i, place in enumerate(places))
    renderer = stage.renderer(stage.scene(actors=actors), camera)
    assert renderer.project(0, 0).count > 10_000
    np.testing.assert_array_equal(renderer.frame(0, 0), renderer.frame(0, 0))


# -- clips ------------------------------------------------------------------------------------


def test_a_clip_has_one_video_per_view_in_order(stage, street, camera):
    cameras = stage.cameras(camera, stage.pinhole(32, 18, 20.0, name="small"), times_us=[0, 10, 20])
    videos = render_controls(street, cameras)
    assert [video.shape for video in videos.frames] == [(3, 90, 160, 3), (3, 18, 32, 3)]
    renderer = ControlRenderer(street, cameras)
    np.testing.assert_array_equal(videos.frames[1][2], renderer.frame(1, 2))
    assert videos.palette == "world-scenario" and videos.cameras is cameras


def test_views_of_one_size_are_stacked(stage, street):
    cameras = stage.cameras(*(stage.pinhole(32, 18, 20.0, name=name) for name in "ab"), times_us=[0, 10])
    videos = render_controls(street, cameras, layers=("poles",))
    assert videos.stacked().shape == (2, 2, 18, 32, 3)
    np.testing.assert_array_equal(videos.stacked()[1], videos.frames[1])


def test_views_of_different_size_are_not_stacked(stage, street, camera):
    cameras = stage.cameras(camera, stage.pinhole(32, 18, 20.0, name="small"))
    with pytest.raises(RenderError) as error:
        render_controls(street, cameras).stacked()
    assert str(error.value) == (
        "views of different size cannot be stacked: c 160x90, small 32x18. Give all cameras one size."
    )


# -- digest -----------------------------------------------------------------------------------


def moved(scene, stage, **changes):
    """The street with some of its map replaced."""
    layers = dict(scene.hdmap.layers()) | changes
    return stage.scene(HDMap(**layers), scene.actors)


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
def test_a_digest_changes_with_a_millimetre_and_not_without(stage, street, camera, palette):
    def digest(scene, cameras=camera, **more):
        return stage.renderer(scene, cameras, palette=palette, **more).digest()

    millimetre = SE3(np.eye(3), [0.001, 0.0, 0.0])
    line = stage.line([[10.001, 6, -0.5], [10, 6, 0.5]])
    raised = stage.line(outline(stage, 0).points_m + np.array([0.0, 0.0, 0.001]))
    scenes = [
        street,
        moved(street, stage, road_boundaries=(RoadBoundary("a", line),)),
        moved(street, stage, crosswalks=(Crosswalk("a", raised),)),
        moved(street, stage, traffic_signs=(TrafficSign("a", SE3(np.eye(3), [10.0, -3, 0]), 0.1, 0.801, 0.8),)),
        moved(street, stage, traffic_lights=()),
        stage.scene(street.hdmap, (stage.box("a", (11.001, -6.7, 0.0), (2.0, 0.8, 0.8)),)),
        stage.scene(street.hdmap, (stage.box("a", (11.0, -6.7, 0.0), (2.0, 0.8, 0.8), 0.0, Category.TRUCK),)),
        stage.scene(street.hdmap),
    ]
    digests = [digest(scene) for scene in scenes]
    digests.append(digest(street, world_from_ego=millimetre))
    digests.append(digest(street, stage.pinhole(160, 90, 100.01)))
    digests.append(digest(street, stage.pinhole(162, 90, 100.0)))
    digests.append(digest(street, layers=("poles",)))
    assert len(set(digests)) == len(digests)
    assert digest(street) == digests[0] and len(digests[0]) == 2 * hashlib.sha256().digest_size


@pytest.mark.parametrize("palette", ["world-scenario", "hdmap-v1"])
def test_a_digest_knows_which_layer_geometry_belongs_to(stage, camera, palette):
    line, area = upright(stage, 0), outline(stage, 0)
    maps = [
        HDMap(road_boundaries=(RoadBoundary("a", line),)),
        HDMap(stop_lines=(StopLine("a", line),)),
        HDMap(poles=(Pole("a", line),)),
        HDMap(crosswalks=(Crosswalk("a", area),)),
        HDMap(road_markings=(RoadMarking("a", area),)),
    ]
    digests = {stage.renderer(stage.scene(hdmap), camera, palette=palette).digest() for hdmap in maps}
    assert len(digests) == len(maps)


def test_a_digest_knows_the_lights_and_the_palette(stage, street, camera):
    green = stage.scene(street.hdmap, street.actors, light_states={"a": LightTimeline(np.array([0]), ("green",))})
    digests = {
        stage.renderer(street, camera).digest(),
        stage.renderer(green, camera).digest(),
        stage.renderer(street, camera, palette="hdmap-v1").digest(),
    }
    assert len(digests) == 3


def test_no_views_cannot_be_stacked():
    cameras = ClipCameras((), np.array([0, 1]), SE3.identity(0, 2))
    with pytest.raises(RenderError) as error:
        ControlVideos((), cameras, "world-scenario").stacked()
    assert str(error.value) == "there are no views to stack. Give the rig a camera."
