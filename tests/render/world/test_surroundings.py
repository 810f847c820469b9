from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from pytest import approx

from render.errors import RenderError
from render.world.drivable import drivable_area
from render.world.mesh import Material, Mesh, joined
from render.world.place_styles import STYLES, likely_place
from render.world.placement import swept_area
from render.world.semantic import SemanticClass
from render.world.signals import light_housing, light_lenses
from render.world.signs import sign_mesh
from render.world.surroundings import surrounding_parts, surroundings
from scenegraph import SE3, Actor, Category, HDMap, LightState, Pole, Polyline, TrafficLight, TrafficSign, Trajectory
from scenegraph.formats.argoverse2 import read_argoverse2
from scenegraph.formats.opendrive import opendrive_map
from scenegraph.roads.procedural import made_road
from scenegraph.roads.road_spec import FourWay, Merge, RoadSpec, Roundabout

REACH_M = 80.0
PLACES = (None, *STYLES)


ROADS = {
    "four_way": RoadSpec(FourWay(arm_m=90.0), lanes=2, oncoming_lanes=2),
    "roundabout": RoadSpec(Roundabout(), lanes=1, oncoming_lanes=1),
    "merge": RoadSpec(Merge(), lanes=2, oncoming_lanes=0, speed_limit_mps=30.0, sidewalks=False),
}


def made_map(kind: str) -> HDMap:
    """A made road of the library."""
    return made_road(ROADS[kind]).hdmap


def flat(xy):
    return np.zeros(len(xy))


def along(hdmap: HDMap, length_m: float = 60.0) -> np.ndarray:
    """A path along the longest lane."""
    centre = max((lane.centre for lane in hdmap.lane_segments), key=lambda line: line.length_m)
    return centre.at(np.linspace(0.0, min(length_m, centre.length_m), 40))


def built(hdmap, path, place="town", season="summer", seed=0, ground_z=flat, **more) -> dict[SemanticClass, Mesh]:
    return dict(surrounding_parts(hdmap, place, season, seed, path, REACH_M, ground_z, **more))


def overlap_m2(mesh: Mesh, area) -> float:
    """Ground plan of a mesh that lies over an area."""
    triangles = mesh.vertices_m[mesh.triangles][..., :2].astype(float)
    shapes = shapely.polygons(triangles[np.abs(np.cross(*(triangles[:, 1:] - triangles[:, :1]).swapaxes(0, 1))) > 1e-6])
    shapely.prepare(area)
    return float(shapely.area(shapely.intersection(shapes[shapely.intersects(area, shapes)], area)).sum())


def without_own_furniture(hdmap: HDMap) -> HDMap:
    """The map less what it itself puts at the road's edge."""
    return replace(hdmap, poles=(), traffic_signs=(), traffic_lights=())


MAPS = {
    "four_way": lambda data: made_map("four_way"),
    "roundabout": lambda data: made_map("roundabout"),
    "merge": lambda data: made_map("merge"),
    "carla": lambda data: opendrive_map(data / "opendrive_carla" / "Town01.xodr"),
    "esmini": lambda data: opendrive_map(data / "openx_esmini" / "xodr" / "fabriksgatan.xodr"),
}


@pytest.fixture(scope="module", params=MAPS)
def hdmap(request, shared_data) -> HDMap:
    return without_own_furniture(MAPS[request.param](shared_data))


@pytest.mark.parametrize("place", ["city", "suburb", "motorway", "industrial_area"])
def test_nothing_stands_on_or_hangs_over_the_road_and_half_a_metre_beside_it(hdmap, place):
    path = along(hdmap)
    road = drivable_area(hdmap.near(path[20], 200.0), path)
    parts = built(hdmap, path, place)
    kerbs = parts.pop(SemanticClass.PAVEMENT, joined([]))
    assert sum(len(part.triangles) for part in parts.values()) > 300
    assert overlap_m2(joined(parts.values()), road.buffer(0.49)) == approx(0.0, abs=0.05)
    assert overlap_m2(kerbs, road.buffer(-0.05)) == approx(0.0, abs=0.3)


def test_nothing_stands_on_the_road_or_the_crosswalks_of_a_recorded_log(av2_log):
    scene = read_argoverse2(av2_log)
    hdmap, path = without_own_furniture(scene.hdmap), scene.ego.world_from_body.translation_m
    parts = built(hdmap, path, None)
    parts.pop(SemanticClass.PAVEMENT)
    mesh = joined(parts.values())
    assert len(mesh.triangles) > 5000
    road = drivable_area(hdmap.near(path[0], 200.0), path)
    crosswalks = [shapely.Polygon(c.polyline.points_m[:, :2]).buffer(1.4) for c in hdmap.crosswalks]
    assert overlap_m2(mesh, shapely.union_all([road.buffer(0.49), *crosswalks])) == approx(0.0, abs=0.05)
    cars = swept_area(scene.actors)
    assert overlap_m2(mesh, cars.buffer(-0.5)) > 10.0
    parts = built(hdmap, path, None, kept_clear=cars)
    parts.pop(SemanticClass.PAVEMENT)
    assert overlap_m2(joined(parts.values()), cars.buffer(-0.5)) == approx(0.0, abs=0.05)  # the actors themselves


def test_the_same_seed_makes_the_same_bytes_and_another_makes_other_ones():
    hdmap = made_map("four_way")
    first, again, other = (
        surroundings(hdmap, "town", "summer", seed, along(hdmap), REACH_M, flat) for seed in (3, 3, 4)
    )
    for name in ("vertices_m", "triangles", "material", "colour", "uv_m"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
    assert first.vertices_m.tobytes() != other.vertices_m.tobytes()


@pytest.mark.parametrize("place", PLACES)
def test_every_place_makes_a_sound_mesh_of_moderate_size(place):
    hdmap = made_map("four_way")
    mesh = surroundings(hdmap, place, "autumn", 1, along(hdmap), 200.0, flat)
    assert 500 < len(mesh.triangles) < 150_000
    assert np.isfinite(mesh.vertices_m).all() and np.isfinite(mesh.colour).all() and np.isfinite(mesh.uv_m).all()
    assert mesh.colour.min() >= 0 and mesh.colour.max() <= 1.5
    assert mesh.triangles.min() >= 0 and mesh.triangles.max() < len(mesh.vertices_m)


def test_everything_follows_the_ground():
    hdmap, path = made_map("four_way"), along(made_map("four_way"))
    low = built(hdmap, path)
    high = built(hdmap, path, ground_z=lambda xy: np.full(len(xy), 30.0))
    for kind in low:
        if kind not in (SemanticClass.SIGN, SemanticClass.LIGHT, SemanticClass.POLE):
            assert high[kind].vertices_m[:, 2] - 30.0 == approx(low[kind].vertices_m[:, 2], abs=1e-3)


def test_nothing_is_built_beyond_reach():
    hdmap = made_map("four_way")
    path = along(hdmap, 20.0)
    far = built(hdmap, path)
    places = np.concatenate([mesh.vertices_m[:, :2] for mesh in far.values()])
    gaps = shapely.distance(shapely.LineString(path[:, :2]), shapely.points(places))
    assert gaps.max() < REACH_M + 40.0


def test_trees_are_bare_in_winter_but_for_conifers():
    hdmap = made_map("four_way")
    leaves = {
        season: (
            built(hdmap, along(hdmap), "suburb", season)[SemanticClass.VEGETATION].material == Material.FOLIAGE
        ).sum()
        for season in ("summer", "winter")
    }
    assert 0 < leaves["winter"] < 0.6 * leaves["summer"]


def test_walls_hold_whole_numbers_of_windows():
    hdmap = made_map("four_way")
    mesh = built(hdmap, along(hdmap), "city")[SemanticClass.BUILDING]
    uv = mesh.uv_m[mesh.material == Material.FACADE]
    assert len(uv) > 100
    for side, pitch_m in ((uv[..., 0], 2.6), (uv[..., 1], 3.1)):
        assert side / pitch_m == approx(np.round(side / pitch_m), abs=1e-4)


def test_an_unknown_place_is_refused_by_name():
    hdmap = made_map("four_way")
    known = "city, town, village, suburb, motorway, country_road, industrial_area"
    with pytest.raises(RenderError, match=f"^place moon: is not known. Use one of {known}.$"):
        surroundings(hdmap, "moon", None, 0, along(hdmap), REACH_M, flat)


def test_a_map_says_what_kind_of_place_it_is():
    assert likely_place(made_map("merge")) == "motorway"
    assert likely_place(made_map("four_way")) in ("town", "city")
    assert likely_place(HDMap()) == "suburb"


# -- lights and signs -------------------------------------------------------------------------------


def light(width_m: float = 0.4, height_m: float = 1.0, yaw_rad: float = 0.0) -> TrafficLight:
    return TrafficLight("t", SE3.from_yaw(yaw_rad, np.array([5.0, 0.0, 5.0])), 0.3, width_m, height_m)


def shining_m(mesh: Mesh) -> np.ndarray:
    """The middle of what shines."""
    lit = mesh.vertices_m[mesh.triangles[mesh.material == Material.SIGNAL]].reshape(-1, 3)
    return (lit.min(axis=0) + lit.max(axis=0)) / 2


@pytest.mark.parametrize(
    ("state", "above_m"), [(LightState.RED, 0.32), (LightState.YELLOW, 0.0), (LightState.GREEN, -0.32)]
)
def test_the_lens_of_the_state_shines_and_red_is_on_top(state, above_m):
    mesh = light_lenses(light(), state)
    assert shining_m(mesh) == approx([5.155, 0.0, 5.0 + above_m], abs=1e-3)
    assert (mesh.material != Material.SIGNAL).sum() == 2 * (mesh.material == Material.SIGNAL).sum()


def test_in_a_lying_housing_red_is_on_the_left_of_those_who_look_at_it():
    mesh = light_lenses(light(1.2, 0.4), LightState.RED)
    assert shining_m(mesh)[1] == approx(-0.384, abs=1e-3)  # they look along -x


@pytest.mark.parametrize("state", [LightState.OFF, LightState.UNKNOWN])
def test_no_lens_shines_without_a_known_state(state):
    assert not (light_lenses(light(), state).material == Material.SIGNAL).any()


def test_lenses_turn_with_their_housing_and_lie_before_it():
    body, lenses = light_housing(light(yaw_rad=np.pi / 2)), light_lenses(light(yaw_rad=np.pi / 2), LightState.GREEN)
    assert lenses.vertices_m[:, 1].min() > 0.14
    assert body.vertices_m[:, 1].min() < -0.14


@pytest.mark.parametrize(("category", "corners"), [("206", 8), ("205", 3), ("306", 4), ("274", 18)])
def test_signs_have_the_shape_of_their_category(category, corners):
    sign = TrafficSign("s", SE3.from_yaw(0.0, np.array([0.0, 0.0, 2.0])), 0.05, 0.75, 0.75, category)
    plate = sign_mesh(sign).vertices_m[:corners]
    assert np.ptp(plate[:, 0]) == 0.0 and np.ptp(plate[:, 2]) == approx(0.72, abs=0.09)
    assert len(np.unique(plate.round(4), axis=0)) == corners


def test_actors_keep_their_place_clear():
    pose = SE3.from_yaw(np.array([0.0]), np.array([[10.0, 20.0, 0.8]]))
    car = Actor("a", Category.CAR, Trajectory(np.array([0]), pose), 4.0, 2.0, 1.6)
    assert swept_area([car]).bounds == approx((7.4, 18.4, 12.6, 21.6))
    assert swept_area([]).is_empty


def test_a_light_over_the_road_hangs_from_a_post_beside_it():
    hdmap = made_map("four_way")
    path = along(hdmap)
    over = TrafficLight("o", SE3.from_yaw(0.0, path[10] + [0.0, 0.0, 6.0]), 0.3, 0.4, 1.0)
    poles = built(replace(without_own_furniture(hdmap), traffic_lights=(over,)), path, "country_road")[
        SemanticClass.POLE
    ]
    road = drivable_area(hdmap, path)
    standing = poles.vertices_m[poles.vertices_m[:, 2] < 4.0]
    assert len(standing) and not shapely.intersects_xy(road, standing[:, :2]).any()
    near = np.hypot(*(poles.vertices_m[:, :2] - path[10, :2]).T) < 0.6
    assert poles.vertices_m[near, 2].min() > 5.5


def test_a_sign_right_on_a_pole_of_the_map_needs_no_bracket():
    hdmap = made_map("four_way")
    path = along(hdmap)
    foot, plate, top = path[10] + np.array([[0.0, -9.0, 0.0], [0.0, -9.0, 2.5], [0.0, -9.0, 3.0]])
    pole = Pole("p", Polyline(np.stack([foot, top])))
    sign = TrafficSign("s", SE3.from_yaw(0.0, plate), 0.05, 0.75, 0.75)
    parts = built(replace(without_own_furniture(hdmap), poles=(pole,), traffic_signs=(sign,)), path, "country_road")
    assert all(np.isfinite(mesh.vertices_m).all() for mesh in parts.values())
    assert len(parts[SemanticClass.SIGN].triangles)
