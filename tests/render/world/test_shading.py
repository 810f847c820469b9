from __future__ import annotations

import numpy as np
import pytest
from pytest import approx

from render.world.contact import Contact, openness
from render.world.facades import chance, share
from render.world.faces import bent_normals, faces_of
from render.world.film import developed, exposure_of
from render.world.lamps import lamp_light, lamp_places, lamps_of
from render.world.light import light_of, sun_direction
from render.world.look import Look
from render.world.mesh import Material, Mesh, joined
from render.world.noise import spread, tile
from render.world.sky import clear_sky, cloud_tile, sky

TIMES = ("dawn", "morning", "noon", "afternoon", "dusk", "night")
NONE = np.zeros((0, 3))


# -- sky and sun ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("time_of_day", TIMES)
def test_the_sun_is_up_by_day_and_highest_at_noon(time_of_day):
    height = sun_direction(Look(time_of_day=time_of_day), 0)[2]
    assert (height > 0) == (time_of_day != "night")
    assert height <= sun_direction(Look(time_of_day="noon"), 0)[2]


def test_the_sun_goes_from_one_side_to_the_other_over_the_day():
    morning, evening = (sun_direction(Look(time_of_day=t), 5)[:2] for t in ("dawn", "dusk"))
    assert morning @ evening / np.linalg.norm(morning) / np.linalg.norm(evening) < -0.9


def test_the_sky_is_brightest_at_the_sun_and_has_no_sun_when_overcast():
    clear = light_of(Look(), 0)
    assert max(sky(clear, cloud_tile(), *clear.sun)) > 5 * max(sky(clear, cloud_tile(), *np.negative(clear.sun)))
    overcast = light_of(Look(weather="overcast"), 0)
    assert overcast.sun_rgb == (0.0, 0.0, 0.0)
    assert max(sky(overcast, cloud_tile(), *overcast.sun)) < 1.5 * max(clear_sky(overcast, 0.0, 0.0, 1.0))


def test_a_clear_sky_is_blue_overhead_and_red_at_dusk():
    r, _, b = clear_sky(light_of(Look(), 0), 0.0, 0.0, 1.0)
    assert b > 2 * r
    dusk = light_of(Look(time_of_day="dusk"), 0)
    r, _, b = clear_sky(dusk, *dusk.sun)
    assert r > 1.5 * b


# -- lamps ----------------------------------------------------------------------------------------------


def test_a_street_lamp_lights_the_ground_below_it_most():
    lamps = lamps_of(np.array([[3.0, 4.0, 8.0]]), NONE, NONE)
    light = [lamp_light(lamps, 3.0 + away, 4.0, 0.0, 0.0, 0.0, 1.0)[0] for away in (0.0, 5.0, 12.0, 24.0)]
    assert light == sorted(light, reverse=True) and light[0] > 20 * light[3] > 0
    assert lamp_light(lamps, 3.0, 4.0, 0.0, 0.0, 0.0, -1.0) == (0.0, 0.0, 0.0)


def test_headlights_shine_ahead_and_not_above_or_behind():
    lamps = lamps_of(NONE, np.array([[0.0, 0.0, 0.65]]), np.array([[0.0, 1.0, 0.0]]))
    facing = (0.0, -1.0, 0.0)
    ahead, above = lamp_light(lamps, 0.0, 20.0, 0.3, *facing)[0], lamp_light(lamps, 0.0, 20.0, 2.5, *facing)[0]
    assert ahead > 10 * above > 0
    assert lamp_light(lamps, 0.0, -20.0, 0.3, 0.0, 1.0, 0.0) == (0.0, 0.0, 0.0)
    left, right = (lamp_light(lamps, side, 20.0, 0.3, *facing)[0] for side in (-6.0, 6.0))
    assert left == approx(right) and left < 0.8 * ahead


def test_lamps_far_apart_are_found_one_by_one():
    places = [(0.0, 0.0, 8.0), (30.0, 0.0, 8.0), (30.0, 25.0, 7.0)]
    head = [[0.3, 0.1, 0], [-0.3, 0.1, 0], [-0.3, -0.1, 0], [0.3, -0.1, 0]]
    meshes = [Mesh.of(np.array(head) + place, [[0, 1, 2], [0, 2, 3]], Material.LAMP, (1, 1, 1)) for place in places]
    found = lamp_places(joined([*meshes, Mesh.of(np.eye(3), [[0, 1, 2]], Material.MATTE, (1, 1, 1))]))
    assert found[np.lexsort(found.T[::-1])] == approx(np.array(places), abs=0.11)
    assert lamp_places(joined([])).shape == (0, 3)


# -- surfaces -------------------------------------------------------------------------------------------


def test_windows_fill_their_share_of_a_wall_at_any_size():
    places = np.arange(0, 40, 0.01)
    for width in (0.02, 0.3, 1.7, 6.0):
        assert np.mean([share(at, width, 0.24, 0.76) for at in places]) == approx(0.52, abs=0.01)
    assert share(0.5, 0.02, 0.24, 0.76) == approx(1.0) and share(0.1, 0.02, 0.24, 0.76) == 0.0


def test_chance_is_even_and_has_no_memory():
    numbers = np.array([[chance(a, b, 7) for a in range(-40, 40)] for b in range(-40, 40)])
    assert numbers.mean() == approx(0.5, abs=0.01) and numbers.std() == approx(12**-0.5, abs=0.01)
    assert abs(np.corrcoef(numbers[:, 1:].ravel(), numbers[:, :-1].ravel())[0, 1]) < 0.05


def test_coachwork_is_smooth_over_blunt_edges_and_sharp_over_others():
    x = np.array([0.0, 1.0, 1.9, 1.9])
    z = np.array([0.0, 0.0, 0.4, -0.6])  # flat, then bent by 24 degrees, then a sharp edge
    vertices = [[x[i], y, z[i]] for i in range(4) for y in (0.0, 1.0)]
    faces = [t for i in range(3) for t in ([2 * i, 2 * i + 2, 2 * i + 1], [2 * i + 2, 2 * i + 3, 2 * i + 1])]
    mesh = Mesh.of(vertices, faces, Material.PAINTWORK, (1, 0, 0))
    bent, flat = bent_normals(mesh), faces_of(mesh).normal
    assert np.linalg.norm(bent, axis=2) == approx(np.ones((6, 3)), abs=1e-5)
    assert bent[0, 0] == approx(flat[0], abs=1e-6)
    assert bent[0, 1] == approx(bent[2, 0], abs=1e-6)
    assert bent[2, 1] == approx(flat[2], abs=1e-6)
    assert not bent_normals(Mesh.of(vertices, faces, Material.MATTE, (1, 0, 0))).any()


def test_openness_is_bilinear_inside_and_one_outside():
    contact = Contact(np.array([[0.2, 0.4], [0.6, 0.8]], dtype=np.float32), 10.0, 20.0, 1.0)
    assert openness(contact, 11.0, 21.0) == approx(0.5)
    assert openness(contact, 10.5, 20.5) == approx(0.2)
    assert openness(contact, 50.0, 20.5) == 1.0


# -- noise and film -------------------------------------------------------------------------------------


def test_noise_goes_on_over_its_edges_and_over_the_edges_of_windows():
    picture = tile("test", 128, 4, 64)
    steps = np.abs(np.diff(picture, axis=0)).max()
    assert np.abs(picture[0] - picture[-1]).max() <= 1.5 * steps
    assert abs(picture.mean()) < 1e-3 and picture.std() == approx(1.0, abs=1e-3)
    whole = spread(picture, (-50, -30), (120, 90), 4)
    assert spread(picture, (-10, 0), (80, 60), 4) == approx(whole[40:, 30:], abs=1e-4)


def test_more_light_is_never_darker_and_black_stays_black():
    ramp = np.repeat(np.linspace(0, 8, 256, dtype=np.float32)[None, :, None], 3, axis=2)
    levels = developed(ramp, 1.0, 0.0, ("film",))
    assert levels[0, 0].max() == 0 and levels[0, -1].min() > 240
    assert (np.diff(levels[0, :, 1].astype(int)) >= 0).all()


def test_grain_depends_on_its_names_alone():
    grey = np.full((20, 30, 3), 0.2, dtype=np.float32)
    one, same, other = (developed(grey, 1.0, 1.5, names) for names in (("a", 1), ("a", 1), ("a", 2)))
    assert one.tobytes() == same.tobytes() != other.tobytes()
    assert one.astype(float).std() == approx(1.5, abs=0.3)


def test_cameras_open_up_at_night():
    assert exposure_of(Look(time_of_day="night")) > 3 * exposure_of(Look())
