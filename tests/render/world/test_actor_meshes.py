from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from drivesim.scenario.classes import KINDS
from render.raycast import TriangleScene
from render.world.actor_meshes import PHASES, actor_mesh, phase_of
from render.world.actor_shapes import is_walking
from render.world.actor_words import KIND_OF_WORD, ActorKind, kind_of
from render.world.mesh import Material, Mesh
from render.world.paintwork import car_paint, linear
from scenegraph import SE3, Actor, Category, Trajectory

# One row for every kind: class, the source's word, length, width and height, and what must be drawn.
SUBJECTS: list[tuple[Category, str, tuple[float, float, float], ActorKind]] = [
    (Category.CAR, "REGULAR_VEHICLE", (4.6, 1.9, 1.5), "car"),
    (Category.CAR, "vehicle.car", (4.0, 1.75, 1.55), "car"),
    (Category.CAR, "automobile", (4.7, 1.95, 1.8), "car"),
    (Category.CAR, "van", (5.4, 2.0, 2.2), "van"),
    (Category.CAR, "REGULAR_VEHICLE", (6.18, 2.1, 2.52), "van"),
    (Category.TRUCK, "vehicle.truck", (5.5, 2.0, 1.9), "pickup"),
    (Category.CAR, "vehicle.emergency.police", (4.8, 1.9, 1.6), "police"),
    (Category.TRUCK, "vehicle.emergency.ambulance", (6.0, 2.2, 2.7), "ambulance"),
    (Category.CAR, "emergency", (5.6, 2.1, 2.5), "ambulance"),
    (Category.TRUCK, "emergency", (8.5, 2.5, 3.3), "fire_engine"),
    (Category.TRUCK, "truck", (9.5, 2.5, 3.4), "lorry"),
    (Category.TRUCK, "heavy_truck", (16.0, 2.55, 3.9), "lorry"),
    (Category.TRUCK, "BOX_TRUCK", (9.62, 2.54, 3.54), "box_lorry"),
    (Category.TRUCK, "TRUCK_CAB", (8.26, 3.26, 3.21), "tractor"),
    (Category.TRUCK, "VEHICULAR_TRAILER", (6.81, 2.58, 3.64), "trailer"),
    (Category.TRUCK, "bus", (12.0, 2.55, 3.2), "bus"),
    (Category.TRUCK, "BUS", (11.0, 2.6, 4.3), "bus"),
    (Category.TRUCK, "vehicle.bus.bendy", (18.0, 2.9, 3.3), "bendy_bus"),
    (Category.TRUCK, "SCHOOL_BUS", (11.0, 2.7, 3.1), "school_bus"),
    (Category.TRUCK, "RAILED_VEHICLE", (28.0, 2.6, 3.8), "tram"),
    (Category.TRUCK, "vehicle.construction", (9.0, 2.9, 3.3), "digger"),
    (Category.TRUCK, "vehicle.construction", (6.0, 2.6, 3.1), "digger"),
    (Category.TRUCK, "MESSAGE_BOARD_TRAILER", (3.5, 2.2, 2.8), "sign_trailer"),
    (Category.CYCLIST, "BICYCLE", (1.62, 0.5, 1.1), "bicycle"),
    (Category.CYCLIST, "BICYCLIST+BICYCLE", (1.8, 0.6, 1.75), "cyclist"),
    (Category.CYCLIST, "MOTORCYCLE", (1.76, 0.6, 1.3), "motorcycle"),
    (Category.CYCLIST, "vehicle.motorcycle", (2.2, 0.8, 1.6), "motorcyclist"),
    (Category.OTHERS, "WHEELED_DEVICE", (1.1, 0.5, 1.1), "kick_scooter"),
    (Category.CYCLIST, "WHEELED_RIDER", (1.2, 0.6, 1.85), "scooter_rider"),
    (Category.PEDESTRIAN, "PEDESTRIAN", (0.6, 0.7, 1.7), "adult"),
    (Category.PEDESTRIAN, "PEDESTRIAN", (1.16, 1.15, 1.9), "adult"),
    (Category.PEDESTRIAN, "child", (0.45, 0.45, 1.2), "child"),
    (Category.PEDESTRIAN, "OFFICIAL_SIGNALER", (0.6, 0.7, 1.75), "worker"),
    (Category.PEDESTRIAN, "human.pedestrian.police_officer", (0.6, 0.7, 1.8), "officer"),
    (Category.OTHERS, "WHEELCHAIR", (1.2, 0.75, 1.35), "wheelchair"),
    (Category.OTHERS, "STROLLER", (1.26, 1.14, 1.54), "stroller"),
    (Category.OTHERS, "DOG", (0.9, 0.3, 0.6), "dog"),
    (Category.OTHERS, "animal", (1.7, 0.5, 1.6), "deer"),
    (Category.OTHERS, "CONSTRUCTION_CONE", (0.23, 0.21, 0.6), "cone"),
    (Category.OTHERS, "CONSTRUCTION_BARREL", (0.6, 0.6, 1.0), "drum"),
    (Category.OTHERS, "barrier", (2.0, 0.5, 1.0), "barrier"),
    (Category.OTHERS, "movable_object.barrier", (0.5, 2.5, 1.0), "barrier"),
    (Category.OTHERS, "BOLLARD", (0.25, 0.21, 0.97), "bollard"),
    (Category.OTHERS, "debris", (0.8, 0.6, 0.4), "debris"),
    (Category.OTHERS, "movable_object.pushable_pullable", (1.0, 0.6, 1.0), "trolley"),
    (Category.OTHERS, "unheard of", (0.6, 0.6, 1.1), "bin"),
    (Category.OTHERS, "static_object.bicycle_rack", (1.0, 4.0, 0.9), "rack"),
    (Category.OTHERS, "STOP_SIGN", (0.4, 0.8, 2.2), "sign"),
    (Category.OTHERS, "unheard of", (1.0, 1.0, 1.0), "box"),
]
SEEDS = range(6)
named = pytest.mark.parametrize(
    ("category", "word", "size_m", "kind"), SUBJECTS, ids=[f"{kind} {word}" for _, word, _, kind in SUBJECTS]
)


def cycle(category: Category, word: str, size_m: tuple[float, float, float], seed: int) -> list[Mesh]:
    """All moments of a walk, or the one shape of what does not walk."""
    moments = PHASES if is_walking(kind_of(category, word, *size_m)) else 1
    return [actor_mesh(category, word, "a", *size_m, seed, stride=2 * np.pi * i / PHASES) for i in range(moments)]


# -- what is drawn ---------------------------------------------------------------------------------


@named
def test_words_of_all_data_sets_name_what_is_drawn(category, word, size_m, kind):
    assert kind_of(category, word, *size_m) == kind


def test_every_kind_has_a_row_here():
    assert {kind for *_, kind in SUBJECTS} == set(get_args(ActorKind))


@pytest.mark.parametrize("word", sorted(KIND_OF_WORD))
def test_a_word_means_the_same_in_any_case(word):
    size_m = (1.8, 0.7, 1.2)
    assert kind_of(Category.OTHERS, word.upper(), *size_m) == kind_of(Category.OTHERS, word, *size_m)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_class_of_a_scenario_is_known_by_its_word(name):
    assert name in KIND_OF_WORD


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        (Category.CAR, "car"),
        (Category.TRUCK, "lorry"),
        (Category.PEDESTRIAN, "adult"),
        (Category.CYCLIST, "cyclist"),
        (Category.OTHERS, "box"),
    ],
)
def test_without_a_word_the_class_decides(category, kind):
    sizes_m = {"car": (4.6, 1.9, 1.5), "lorry": (9.5, 2.5, 3.4), "adult": (0.6, 0.6, 1.75), "cyclist": (1.8, 0.6, 1.75)}
    assert kind_of(category, "", *sizes_m.get(kind, (1.0, 1.0, 1.0))) == kind


def test_a_rider_whose_cycle_is_not_known_stands():
    assert kind_of(Category.CYCLIST, "BICYCLIST", 0.7, 0.6, 1.7) == "adult"


# -- geometry --------------------------------------------------------------------------------------


@named
@pytest.mark.parametrize("seed", SEEDS)
def test_a_mesh_just_fills_its_box(category, word, size_m, kind, seed):
    meshes = cycle(category, word, size_m, seed)
    half_m = np.array(size_m) / 2
    lows = np.array([mesh.vertices_m.min(axis=0) for mesh in meshes])
    highs = np.array([mesh.vertices_m.max(axis=0) for mesh in meshes])
    assert np.allclose(lows.min(axis=0), -half_m, atol=1e-5) and np.allclose(highs.max(axis=0), half_m, atol=1e-5)
    assert np.allclose(lows[:, 2], -half_m[2], atol=1e-5), "something stands on the ground at every moment"


@pytest.mark.parametrize(
    "kind", ["car", "van", "pickup", "lorry", "bus", "police", "fire_engine", "bicycle", "cyclist"]
)
def test_what_touches_the_ground_is_tyres(kind):
    for category, word, size_m, of in SUBJECTS:
        if of == kind:
            mesh = actor_mesh(category, word, "a", *size_m, 3)
            lowest = (mesh.vertices_m[mesh.triangles][..., 2] < -size_m[2] / 2 + 1e-4).any(axis=1)
            assert set(mesh.material[lowest]) == {Material.RUBBER}


@named
@pytest.mark.parametrize("seed", SEEDS)
def test_triangles_have_area_and_are_few(category, word, size_m, kind, seed):
    for mesh in cycle(category, word, size_m, seed):
        a, b, c = mesh.vertices_m[mesh.triangles].astype(np.float64).transpose(1, 0, 2)
        assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-8
        assert len(mesh.triangles) <= (480 if kind == "car" else 660)


@named
@pytest.mark.parametrize("seed", SEEDS)
def test_from_outside_nothing_is_seen_from_its_back(category, word, size_m, kind, seed):
    mesh = cycle(category, word, size_m, seed)[0]
    scene = TriangleScene(mesh.vertices_m, mesh.triangles)
    reach_m = 0.7 * float(np.linalg.norm(size_m))
    for azimuth in np.deg2rad([0, 30, 60, 90, 140, 180, 220, 270, 320]):
        for rise in np.deg2rad([0, 25, 60]):
            towards = -np.array([np.cos(azimuth) * np.cos(rise), np.sin(azimuth) * np.cos(rise), np.sin(rise)])
            aside = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
            spread = np.linspace(-0.499, 0.499, 60) * float(np.linalg.norm(size_m))
            u, v = (grid.ravel()[:, None] for grid in np.meshgrid(spread, spread))
            origins = (-reach_m * towards + u * aside + v * np.cross(towards, aside)).astype(np.float32)
            hits = scene.first_hits(origins, np.tile(towards.astype(np.float32), (len(origins), 1)))
            a, b, c = mesh.vertices_m[mesh.triangles[hits.triangle[hits.any]]].astype(np.float64).transpose(1, 0, 2)
            facing = (np.cross(b - a, c - a) * towards).sum(axis=1) < 0
            assert facing.mean() > 0.993


# -- looks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["car", "van", "pickup", "police", "ambulance", "fire_engine", "lorry", "bus", "motorcyclist"]
)
def test_vehicles_have_white_lamps_ahead_and_red_ones_behind(kind):
    category, word, size_m, _ = next(row for row in SUBJECTS if row[3] == kind)
    mesh = actor_mesh(category, word, "a", *size_m, 0)
    along = mesh.vertices_m[mesh.triangles][..., 0].mean(axis=1)
    head, tail = along[mesh.material == Material.HEADLAMP], along[mesh.material == Material.TAILLAMP]
    assert head.min() > 0.2 * size_m[0] and tail.max() < -0.2 * size_m[0]


@pytest.mark.parametrize("kind", ["police", "ambulance", "fire_engine"])
def test_emergency_vehicles_carry_blue_lights_on_top(kind):
    category, word, size_m, _ = next(row for row in SUBJECTS if row[3] == kind)
    mesh = actor_mesh(category, word, "a", *size_m, 0)
    lamps = mesh.material == Material.SIGNAL
    assert (mesh.colour[lamps, 2] > 4 * mesh.colour[lamps, 0]).all()
    assert mesh.vertices_m[mesh.triangles[lamps]][..., 2].max() == pytest.approx(size_m[2] / 2, abs=1e-5)


def test_paint_is_one_actors_for_ever():
    size_m = (4.6, 1.9, 1.5)
    first, again = (actor_mesh(Category.CAR, "car", "a", *size_m, 5) for _ in range(2))
    other_seed, other_car = (
        actor_mesh(Category.CAR, "car", "a", *size_m, 6),
        actor_mesh(Category.CAR, "car", "b", *size_m, 5),
    )
    assert first.vertices_m.tobytes() == again.vertices_m.tobytes() and first.colour.tobytes() == again.colour.tobytes()
    looks = {mesh.colour.tobytes() for mesh in (first, other_seed, other_car)}
    assert len(looks) == 3


def test_most_cars_are_white_black_grey_or_silver():
    colours = np.array([car_paint(0, f"{number}")[1] for number in range(2000)])
    saturation = 1 - colours.min(axis=1) / colours.max(axis=1)
    assert 0.70 < (saturation < 0.35).mean() < 0.82
    assert 0.21 < (colours.min(axis=1) > 0.6).mean() < 0.31
    assert 0.04 < ((colours[:, 0] > 4 * colours[:, 2]) & (colours[:, 0] > 4 * colours[:, 1])).mean() < 0.14


def test_an_srgb_colour_becomes_linear():
    assert linear("ff0080") == pytest.approx((1.0, 0.0, 0.2158605))


# -- motion ----------------------------------------------------------------------------------------


def track(
    kind: str, category: Category, steps_m: np.ndarray, size_m: tuple[float, float, float], yaw_rad: float = 0.0
) -> Actor:
    """Somebody who is at these distances along the heading, ten times a second."""
    ahead = np.array([np.cos(yaw_rad), np.sin(yaw_rad), 0.0])
    poses = SE3.from_yaw(np.full(len(steps_m), yaw_rad), steps_m[:, None] * ahead)
    sizes = [np.array(size) for size in size_m]
    return Actor("a", category, Trajectory(np.arange(len(steps_m)) * 100_000, poses), *sizes, source_category=kind)


def test_a_walk_takes_two_steps_in_eight_tenths_of_a_height():
    walker = track("pedestrian", Category.PEDESTRIAN, np.arange(41) * 0.14, (0.6, 0.6, 1.75), yaw_rad=2.0)
    phase = phase_of(walker, [0, 1_000_000, 2_000_000, 3_000_000])
    assert np.diff(phase) == pytest.approx([2 * np.pi] * 3, abs=1e-9)


def test_wheels_turn_as_far_as_the_way_gone():
    car = track("car", Category.CAR, np.arange(11) * 1.0, (4.6, 1.9, 1.5))
    assert phase_of(car, [0, 500_000, 1_000_000]) == pytest.approx(np.array([0.0, 5.0, 10.0]) / 0.3)


def test_who_stands_still_has_the_feet_together():
    walker = track("pedestrian", Category.PEDESTRIAN, np.minimum(np.arange(41) * 0.14, 2.03), (0.6, 0.6, 1.75))
    stopped = phase_of(walker, [3_000_000])[0]
    assert abs(np.sin(stopped)) < 1e-9
    apart = actor_mesh(Category.PEDESTRIAN, "pedestrian", "a", 0.6, 0.6, 1.75, 0, stride=np.pi / 2).vertices_m
    together = actor_mesh(Category.PEDESTRIAN, "pedestrian", "a", 0.6, 0.6, 1.75, 0, stride=stopped).vertices_m
    assert np.ptp(together[:, 0]) < 0.6 * np.ptp(apart[:, 0])


def test_a_box_that_trembles_does_not_walk():
    steps_m = 0.03 * np.random.default_rng(0).standard_normal(50)
    steps_m[-1] = steps_m[0]
    walker = track("pedestrian", Category.PEDESTRIAN, steps_m, (0.6, 0.6, 1.75))
    assert abs(phase_of(walker, [4_900_000])[0]) < 1e-9


def test_beyond_its_track_an_actor_keeps_its_phase():
    car = track("car", Category.CAR, np.arange(11) * 1.0, (4.6, 1.9, 1.5))
    assert phase_of(car, [-10, 2_000_000]).tolist() == phase_of(car, [0, 1_000_000]).tolist()


def test_an_actor_of_one_pose_stands():
    assert phase_of(track("car", Category.CAR, np.zeros(1), (4.6, 1.9, 1.5)), [0, 5]).tolist() == [0.0, 0.0]


def test_legs_swing_in_turn():
    half, whole = (
        actor_mesh(Category.PEDESTRIAN, "worker", "a", 0.6, 0.6, 1.75, 0, stride=angle).vertices_m
        for angle in (np.pi / 2, 3 * np.pi / 2)
    )
    feet = [mesh[mesh[:, 2] < -0.75] for mesh in (half, whole)]
    ahead = [feet[i][np.argmax(feet[i][:, 0]), 1] for i in (0, 1)]
    assert ahead[0] > 0 > ahead[1], "the left foot is ahead first, then the right one"


def test_only_the_spokes_of_a_car_move_when_its_wheels_turn():
    still, turned = (actor_mesh(Category.CAR, "car", "a", 4.6, 1.9, 1.5, 0, stride=s) for s in (0.0, 0.4))
    moved = (still.vertices_m != turned.vertices_m).any(axis=1)[still.triangles].any(axis=1)
    assert 0 < moved.sum() < 0.15 * len(moved)
    assert set(still.material[moved]) == {Material.METAL, Material.RUBBER}


@pytest.mark.parametrize("size_m", [(1.6, 0.5, 1.66), (2.4, 0.6, 1.0)])
def test_wheels_of_a_stretched_box_turn_inside_of_it(size_m):
    for turn in np.linspace(0, 3, 7):
        mesh = actor_mesh(Category.CYCLIST, "vehicle.bicycle", "a", *size_m, 0, stride=float(turn))
        assert (np.abs(mesh.vertices_m).max(axis=0) <= np.array(size_m) / 2 + 1e-5).all()


def test_a_wheel_rolls_forward():
    still, turned = (actor_mesh(Category.CAR, "car", "a", 4.6, 1.9, 1.5, 0, stride=s) for s in (0.0, 0.1))
    shift = turned.vertices_m - still.vertices_m
    rim = np.flatnonzero((shift != 0).any(axis=1))
    top = rim[np.argmax(still.vertices_m[rim, 2])]
    assert shift[top, 0] > 0 and shift[top, 1] == 0
