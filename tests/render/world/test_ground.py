from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from render.world.ground import ground_of
from render.world.mesh import Material
from scenegraph import SE3, Actor, Category, HDMap, LaneLine, Polyline, Scene, Trajectory


def plane_m(xy_m, slope=(0.04, -0.02), height_m=3.0):
    return height_m + np.asarray(xy_m) @ np.array(slope)


def scene_of(lines, path_m, actors=()) -> Scene:
    """An ego that drives along a path, with lane lines on the ground."""
    hdmap = HDMap(
        lane_lines=tuple(LaneLine(str(i), Polyline(line), "WHITE", "SOLID_SINGLE") for i, line in enumerate(lines))
    )
    path = np.asarray(path_m, dtype=np.float64)
    ego = Trajectory(np.arange(len(path)) * 100_000, SE3.from_yaw(np.zeros(len(path)), path))
    return Scene("ground", hdmap, ego, tuple(actors))


def lines_on(surface, offsets=(-6.0, -2.0, 2.0, 6.0)):
    x = np.arange(0.0, 120.0, 5.0)
    flat = [np.stack([x, np.full_like(x, y)], axis=1) for y in offsets]
    return [np.concatenate([xy, surface(xy)[:, None]], axis=1) for xy in flat]


def path_on(surface):
    xy = np.stack([np.arange(0.0, 100.0, 4.0), np.zeros(25)], axis=1)
    return np.concatenate([xy, surface(xy)[:, None]], axis=1)


def test_a_flat_map_makes_exactly_flat_ground():
    flat = lambda xy: np.full(len(xy), 1.25)  # noqa: E731
    ground = ground_of(scene_of(lines_on(flat), path_on(flat)))
    places = np.random.default_rng(0).uniform(-2000, 2000, (50, 2))
    assert (ground.z(places) == 1.25).all()
    assert (ground.mesh().vertices_m[:, 2] == np.float32(1.25)).all()


def test_a_slope_goes_on_as_a_slope():
    ground = ground_of(scene_of(lines_on(plane_m), path_on(plane_m)))
    places = np.random.default_rng(1).uniform((0, -10), (110, 10), (200, 2))
    assert ground.z(places) == approx(plane_m(places), abs=0.01)


def test_a_hill_between_lines_is_followed_within_a_few_centimetres():
    def hill(xy):
        return 0.8 * np.sin(xy[:, 0] / 25.0)

    lines = lines_on(hill)
    ground = ground_of(scene_of(lines, path_on(hill)))
    points = np.concatenate(lines)
    assert np.abs(ground.z(points[:, :2]) - points[:, 2]).max() < 0.05


def test_a_road_on_a_bridge_does_not_lift_the_road_of_the_ego():
    flat = lambda xy: np.zeros(len(xy))  # noqa: E731
    y = np.arange(-40.0, 41.0, 4.0)
    bridge = np.stack([np.full_like(y, 50.0), y, np.full_like(y, 6.5)], axis=1)
    ground = ground_of(scene_of([*lines_on(flat), bridge], path_on(flat)))
    on_road = np.stack([np.arange(40.0, 60.0), np.zeros(20)], axis=1)
    assert np.abs(ground.z(on_road)).max() < 0.4


def test_without_a_map_actors_stand_on_the_ground():
    path = path_on(plane_m)
    actors = []
    for number, (x, y) in enumerate([(20.0, 8.0), (50.0, -9.0), (80.0, 7.0), (35.0, -6.0), (65.0, 5.0)]):
        centre = [[x, y, plane_m([x, y]) + 0.8]]
        track = Trajectory(np.array([0]), SE3.from_yaw(np.zeros(1), np.array(centre)))
        actors.append(Actor(str(number), Category.CAR, track, 4.5, 1.9, 1.6))
    ground = ground_of(scene_of([], path, actors))
    places = np.array([[20.0, 8.0], [50.0, -9.0], [80.0, 7.0]])
    assert ground.z(places) == approx(plane_m(places), abs=0.05)


def test_the_mesh_lies_on_the_height_field_and_reaches_the_horizon():
    ground = ground_of(scene_of(lines_on(plane_m), path_on(plane_m)))
    mesh = ground.mesh()
    assert mesh.vertices_m[:, 2] == approx(ground.z(mesh.vertices_m[:, :2]), abs=1e-3)
    assert np.abs(mesh.vertices_m[:, :2]).max(axis=0) == approx([3500, 3500], abs=1700)
    assert (mesh.material == Material.GROUND).all()
    a, b, c = mesh.vertices_m[mesh.triangles].transpose(1, 0, 2)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


@pytest.mark.parametrize("lines", [0, 4])
def test_the_same_scene_has_the_same_ground_to_the_last_bit(lines):
    scene = scene_of(lines_on(plane_m)[:lines], path_on(plane_m))
    assert ground_of(scene).z_m.tobytes() == ground_of(scene).z_m.tobytes()
