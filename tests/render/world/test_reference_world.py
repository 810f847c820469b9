"""Pictures of a straight road with a car, a van and a person, and what must be true of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pytest import approx

from render.errors import RenderError
from render.world.look import Look
from render.world.reference_world import ReferenceWorld
from render.world.semantic import SemanticClass
from scenegraph import CAMERA_FROM_FLU, SE3, Actor, Camera, CameraRig, Category, FTheta, Pinhole, Scene, Trajectory
from scenegraph.roads.procedural import made_road
from scenegraph.roads.road_spec import RoadSpec, Straight

SIZE_PX = (256, 144)
PINHOLE = Pinhole(150.0, 150.0, 127.5, 80.0)
WIDE = FTheta(957.25, 754.5, (0, 0.001058, 8e-09, -3.2e-11, 7.8e-14, -2.8e-17), "pixeldistance-to-angle")


def camera(name: str, yaw_deg: float = 0.0, lens=PINHOLE, size=SIZE_PX) -> Camera:
    ego_from_camera = SE3.from_roll_pitch_yaw_deg([0.0, 0.0, yaw_deg], [1.5, 0.0, 1.5]) @ CAMERA_FROM_FLU.inverse()
    return Camera(name, lens, *size, ego_from_camera)


CAMERAS = (camera("front"), camera("wide", lens=WIDE, size=(1920, 1080)).resized(*SIZE_PX), camera("left", 40.0))


def actor(name, category, place_m, size_m, speed_mps=0.0, word="") -> Actor:
    times = np.array([0, 1_000_000])
    centre = np.array([place_m, place_m], dtype=float)
    centre[1, 0] += speed_mps
    return Actor(name, category, Trajectory(times, SE3.from_yaw(np.zeros(2), centre)), *size_m, source_category=word)


def scene(actors=None) -> Scene:
    """An ego at 10 m/s on the right lane of a straight road."""
    hdmap = made_road(RoadSpec(Straight(length_m=300.0), lanes=1, oncoming_lanes=1)).hdmap
    if actors is None:
        actors = (
            actor("car", Category.CAR, (82.0, -1.75, 0.75), (4.5, 1.8, 1.5), 10.0, "car"),
            actor("van", Category.TRUCK, (95.0, 1.75, 1.4), (6.0, 2.1, 2.8), 0.0, "truck"),
            actor("ann", Category.PEDESTRIAN, (76.0, -5.2, 0.87), (0.5, 0.6, 1.74), 0.0, "adult"),
        )
    path = np.array([[60.0, -1.75, 0.0], [70.0, -1.75, 0.0]])
    ego = Trajectory(np.array([0, 1_000_000]), SE3.from_yaw(np.zeros(2), path))
    return Scene("road", hdmap, ego, actors, CameraRig(CAMERAS))


def world(look=None, seed=0, times_us=(0,), actors=None, **more) -> ReferenceWorld:
    made = scene(actors)
    return ReferenceWorld(made, made.rig.at(made.ego, np.array(times_us)), look or Look(place="suburb"), seed, **more)


@pytest.fixture(scope="module")
def noon() -> ReferenceWorld:
    return world(times_us=(0, 200_000), grain=0.0)


def pixel_of(reference: ReferenceWorld, view: int, place_m, index: int = 0):
    """(row, column) of the pixel that a place in the world falls into."""
    uv, depth_m = reference.cameras.cameras[view].project(
        reference.cameras.world_from_camera[view, index].inverse().apply(np.array(place_m, dtype=float))
    )
    assert depth_m > 0
    return int(np.round(uv[1])), int(np.round(uv[0]))


# -- bytes ----------------------------------------------------------------------------------------------


def test_the_same_scene_and_seed_make_the_same_bytes():
    one, other = world().frame(0, 0), world().frame(0, 0)
    for name in ("rgb", "depth_m", "instance", "semantic"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_another_seed_makes_other_surroundings_but_the_same_depth_of_actors_and_road():
    one, other = world(seed=0).frame(0, 0), world(seed=1).frame(0, 0)
    assert one.rgb.tobytes() != other.rgb.tobytes()
    assert (one.instance == other.instance).mean() > 0.99
    road = (one.semantic == SemanticClass.ROAD) & (other.semantic == SemanticClass.ROAD)
    assert road.sum() > 5000 and one.depth_m[road] == approx(other.depth_m[road], rel=1e-5)


def test_frames_do_not_depend_on_what_was_drawn_before(noon):
    again = world(times_us=(0, 200_000), grain=0.0)
    for view, index in ((2, 1), (0, 0)):
        assert again.frame(view, index).rgb.tobytes() == noon.frame(view, index).rgb.tobytes()


def test_frames_are_plain_arrays_of_one_size(noon):
    frame = noon.frame(1, 0)
    assert frame.rgb.shape == (144, 256, 3) and frame.rgb.dtype == np.uint8
    assert frame.depth_m.shape == frame.instance.shape == frame.semantic.shape == (144, 256)
    assert (frame.depth_m.dtype, frame.instance.dtype, frame.semantic.dtype) == (np.float32, np.int32, np.uint8)


# -- labels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [0, 1, 2])
def test_depth_of_the_road_is_that_of_its_plane(noon, view):
    frame, posed = noon.frame(view, 0), noon.cameras.world_from_camera[view, 0]
    v, u = np.nonzero(frame.semantic == SemanticClass.ROAD)
    rays = noon.cameras.cameras[view].unproject(np.stack([u, v], axis=1)) @ posed.rotation.T
    along_m = -posed.translation_m[2] / rays[:, 2]
    expected_m = along_m * (rays @ posed.rotation[:, 2])
    near = along_m < 60
    assert near.sum() > 1000 and frame.depth_m[v, u][near] == approx(expected_m[near], rel=1e-4)


def test_the_sky_is_infinitely_far_and_belongs_to_nobody(noon):
    frame = noon.frame(0, 0)
    is_sky = frame.semantic == SemanticClass.SKY
    assert is_sky.sum() > 2000 and np.isinf(frame.depth_m[is_sky]).all() and np.isfinite(frame.depth_m[~is_sky]).all()
    assert (frame.instance[is_sky] == -1).all()


@pytest.mark.parametrize(("number", "kind"), [(0, "CAR"), (1, "TRUCK"), (2, "PEDESTRIAN")])
@pytest.mark.parametrize("view", [0, 1])
def test_an_actor_is_where_its_box_is(noon, number, kind, view):
    frame = noon.frame(view, 0)
    centre = scene().actors[number].trajectory.world_from_body.translation_m[0]
    row, column = pixel_of(noon, view, centre)
    assert frame.instance[row, column] == number
    assert frame.semantic[row, column] == SemanticClass[kind]
    assert (frame.semantic[frame.instance == number] == SemanticClass[kind]).all()


def test_actors_move_with_time(noon):
    car = scene().actors[0].boxes_at(np.array([0, 200_000])).world_from_box.translation_m
    for index in (0, 1):
        row, column = pixel_of(noon, 0, car[index], index)
        assert noon.frame(0, index).instance[row, column] == 0


# -- colours --------------------------------------------------------------------------------------------


def level(frame, row, column):
    return frame.rgb[row - 1 : row + 2, column - 1 : column + 2].astype(float).mean(axis=(0, 1))


@pytest.mark.parametrize("view", [0, 1])
def test_painted_lines_are_where_they_project(noon, view):
    frame = noon.frame(view, 0)
    edge = next(line for line in scene().hdmap.lane_lines if line.polyline.points_m[0, 1] < -1)
    y = float(edge.polyline.points_m[0, 1])
    for x in (66.0, 67.0, 68.0, 70.0):
        on, inside = (np.array(pixel_of(noon, view, (x, y + aside, 0.0))) for aside in (0.0, 0.9))
        assert frame.rgb[tuple(on)].astype(int).min() > frame.rgb[tuple(inside)].astype(int).max() + 25
        assert frame.semantic[tuple(on)] == SemanticClass.MARKING
        assert frame.semantic[tuple(inside)] == SemanticClass.ROAD


def test_neighbouring_cameras_see_the_same_colours(noon):
    front, left = noon.frame(0, 0), noon.frame(2, 0)
    differences = []
    for x, y in itertools.product(np.arange(68.0, 90.0, 1.0), np.arange(2.0, 5.0, 0.5)):
        spots = [pixel_of(noon, view, (x, y, 0.0)) for view in (0, 2)]
        if all(2 <= row < 142 and 2 <= column < 254 for row, column in spots):
            same = [f.semantic[s] == SemanticClass.ROAD for f, s in zip((front, left), spots, strict=True)]
            if all(same):
                differences.append(np.abs(level(front, *spots[0]) - level(left, *spots[1])).max())
    assert len(differences) > 20 and np.median(differences) < 4.0 and np.percentile(differences, 90) < 12.0


def test_an_actor_has_the_same_colour_in_every_frame(noon):
    colours = [noon.frame(0, index).rgb[noon.frame(0, index).instance == 0].mean(axis=0) for index in (0, 1)]
    assert colours[0] == approx(colours[1], abs=6.0)


def test_a_body_casts_its_shadow_away_from_the_sun():
    look = Look(place="country_road", time_of_day="afternoon")
    tall = actor("tall", Category.TRUCK, (75.0, 3.0, 1.5), (6.0, 2.4, 3.0), 0.0, "truck")
    # The seed that lets the sun come from the left, so that the shadow falls across the road.
    for seed in range(40):
        with_body = world(look, seed, actors=(tall,), grain=0.0)
        sun = np.array(with_body._world.light.sun)
        if sun[1] > 0.7:
            break
    without = world(look, seed, actors=(), grain=0.0)
    shadow = np.array([75.0, 3.0, 1.5]) - sun * 1.5 / sun[2]
    row, column = pixel_of(with_body, 0, (*shadow[:2], 0.0))
    dark, lit = (level(reference.frame(0, 0), row, column).mean() for reference in (with_body, without))
    assert dark < 0.75 * lit


# -- weather and time -----------------------------------------------------------------------------------


def test_night_is_darker_than_noon_and_headlights_light_the_road_ahead(noon):
    night = world(Look(place="suburb", time_of_day="night"), actors=(), grain=0.0).frame(0, 0)
    day = noon.frame(0, 0)
    assert night.rgb.mean() < 0.6 * day.rgb.mean()
    above = night.semantic == SemanticClass.SKY
    road = (night.semantic == SemanticClass.ROAD) & (night.depth_m < 20)
    assert night.rgb[road].mean() > 1.5 * night.rgb[above].mean()


def test_fog_takes_contrast_with_distance():
    def contrast(look, distance_m):
        frame = world(look, actors=(), grain=0.0).frame(0, 0)
        near = np.abs(frame.depth_m - distance_m) < 0.15 * distance_m
        return frame.rgb[near].astype(float).std()

    clear, fog = (Look(weather=weather, place="suburb") for weather in ("overcast", "fog"))
    near, far = (contrast(fog, d) / contrast(clear, d) for d in (10.0, 70.0))
    assert far < 0.5 * near < 0.6


def test_rain_mirrors_what_stands_on_the_road_and_wets_nothing_when_dry():
    tall = actor("tall", Category.TRUCK, (80.0, -1.75, 1.5), (8.0, 2.4, 3.0), 0.0, "truck")
    base = {"place": "country_road", "weather": "overcast"}

    def change(road):
        with_body, without = (
            world(Look(road=road, **base), actors=actors, grain=0.0).frame(0, 0).rgb.astype(float)
            for actors in ((tall,), ())
        )
        row, column = pixel_of(noon_like, 0, (72.5, -1.75, 0.0))
        return np.abs(with_body - without)[row - 2 : row + 3, column - 8 : column + 9].mean()

    noon_like = world(actors=())
    assert change("wet") > 4.0 and change("dry") < 1.0


@pytest.mark.parametrize(
    ("weather", "time_of_day"),
    [
        ("cloudy", "dawn"), ("overcast", "morning"), ("rain", "night"), ("heavy_rain", "dusk"), ("fog", "night"),
        ("snow", "noon"), ("snow", "night"), ("clear", "afternoon"),
    ],
)  # fmt: skip
def test_every_weather_makes_a_picture_that_is_neither_black_nor_white(weather, time_of_day):
    frame = world(Look(weather=weather, time_of_day=time_of_day, place="village"), times_us=(100_000,)).frame(0, 0)
    assert 12 < frame.rgb.mean() < 200 and frame.rgb.std() > 12


def test_falling_drops_hide_behind_what_is_near_and_change_no_label():
    dry, rain = (world(Look(place="suburb", weather=w), grain=0.0).frame(0, 0) for w in ("overcast", "heavy_rain"))
    assert dry.depth_m.tobytes() == rain.depth_m.tobytes() and dry.semantic.tobytes() == rain.semantic.tobytes()


def test_other_counts_of_samples_are_refused():
    with pytest.raises(RenderError) as refusal:
        world(samples=4)
    assert str(refusal.value) == "samples: 1 or 5 per pixel are possible, got 4"
