"""Actors as boxes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from render.box_layer import EDGES, FACE_TRIANGLES, IS_FRONT, box_layer
from render.palette import ACTOR_RGB
from scenegraph import SE3, Actor, Category, Trajectory, box_corners

TIMES = np.array([0, 100_000, 200_000])


def actor(name, times=(0, 200_000), category=Category.CAR, **more):
    places = [[10.0 + 20e-6 * t, 2.0, 0.5] for t in times]
    track = Trajectory(np.array(times), SE3.from_yaw(np.zeros(len(times)), np.array(places)))
    return Actor(name, category, track, 4.0, 2.0, 1.5, **more)


def test_boxes_are_sorted_by_id_as_text():
    layer = box_layer([actor("b"), actor("10"), actor("9"), actor("a", category=Category.TRUCK)], TIMES)
    assert_allclose(layer.corner_rgb[2, 0], ACTOR_RGB[Category.TRUCK][0])
    assert_allclose(layer.corner_rgb[[0, 1, 3], 0], [ACTOR_RGB[Category.CAR][0]] * 3)


@pytest.mark.parametrize("category", list(Category))
def test_front_corners_are_dark_and_rear_corners_light(category):
    layer = box_layer([actor("a", category=category)], TIMES)
    ahead = layer.corners_m[0, 0, :, 0] > layer.corners_m[0, 0, :, 0].mean()
    assert (ahead == IS_FRONT).all()
    dark, light = ACTOR_RGB[category]
    assert_allclose(layer.corner_rgb[0, ahead], [dark] * 4)
    assert_allclose(layer.corner_rgb[0, ~ahead], [light] * 4)
    assert sum(dark) < sum(light)


def test_trucks_have_their_own_colours():
    assert ACTOR_RGB[Category.TRUCK] == ((204, 55, 0), (255, 192, 64))
    assert len(set(ACTOR_RGB.values())) == len(Category)


def test_corners_move_with_the_track():
    layer = box_layer([actor("a")], TIMES)
    assert layer.present.tolist() == [[True]] * 3
    assert_allclose(layer.corners_m[1, 0].mean(axis=0), [12.0, 2.0, 0.5])
    assert_allclose(layer.corners_m[2, 0] - layer.corners_m[0, 0], [[4.0, 0, 0]] * 8)


def test_actors_are_absent_outside_of_their_track_unless_carried_on():
    assert box_layer([actor("a", (50_000, 150_000))], TIMES).present[:, 0].tolist() == [False, True, False]
    carried = box_layer([actor("a", (50_000, 150_000), extrapolate_us=50_000)], TIMES)
    assert carried.present[:, 0].all()
    assert_allclose(carried.corners_m[2, 0].mean(axis=0), [14.0, 2.0, 0.5])


def test_absent_in_a_gap():
    assert box_layer([actor("a", max_gap_us=150_000)], TIMES).present[:, 0].tolist() == [True, False, True]


def test_faces_and_edges_close_the_box():
    corners = box_corners(SE3.identity(), 4.0, 2.0, 1.5)
    a, b = (corners[FACE_TRIANGLES[:, k]] - corners[FACE_TRIANGLES[:, 0]] for k in (1, 2))
    assert np.linalg.norm(np.cross(a, b), axis=1).sum() / 2 == pytest.approx(2 * (8 + 3 + 6))
    shared = [(corners[i] == corners[j]).sum() for i, j in EDGES]
    assert shared == [2] * 12 and len({tuple(sorted(edge)) for edge in EDGES.tolist()}) == 12


def test_no_actors_are_no_boxes():
    layer = box_layer([], TIMES)
    assert layer.present.shape == (3, 0) and layer.corners_m.shape == (3, 0, 8, 3) and len(layer.corner_rgb) == 0
