from typing import get_args

import pytest
from driven_roads import actor

from drivesim.scenario.classes import EGO_BODY, KINDS, body, body_of, category_of, walks
from drivesim.scenario.schema_actors import ActorClass
from scenegraph import Category


@pytest.mark.parametrize("name", get_args(ActorClass))
def test_every_class_of_the_language_has_a_size_and_limits(name):
    kind = KINDS[name]
    assert min(kind.length_m, kind.width_m, kind.height_m) > 0
    assert kind.limits.can_move == (name not in ("cone", "barrier", "debris"))
    if kind.limits.can_move:
        assert min(kind.limits.acceleration_mps2, kind.limits.braking_mps2, kind.limits.jerk_mps3) > 0


@pytest.mark.parametrize(
    "name, category",
    [
        ("van", Category.CAR),
        ("trailer", Category.TRUCK),
        ("bus", Category.TRUCK),
        ("motorcycle", Category.CYCLIST),
        ("child", Category.PEDESTRIAN),
        ("animal", Category.OTHERS),
        ("cone", Category.OTHERS),
    ],
)
def test_classes_are_drawn_as_the_category_people_expect(name, category):
    assert category_of(name) is category


def test_a_fire_engine_is_drawn_as_a_truck_and_an_ambulance_as_a_car():
    assert category_of("emergency") is Category.CAR
    assert category_of("emergency", 7.0) is Category.CAR and category_of("emergency", 8.5) is Category.TRUCK


def test_sizes_of_the_file_win_over_those_of_the_class():
    given = actor().model_copy(update={"length_m": 5.2})
    assert (body_of(given).length_m, body_of(given).width_m) == (5.2, KINDS["car"].width_m)


def test_bumpers_are_a_length_apart_on_both_sides_of_the_rear_axle():
    for kind in (EGO_BODY, body("bus", 12.0, 2.55, 3.2)):
        assert kind.front_m + kind.rear_m == pytest.approx(kind.length_m)
        assert 0 < kind.rear_m < kind.front_m and kind.rear_axle_m + kind.length_m / 2 > kind.wheelbase_m


@pytest.mark.parametrize("name", ["pedestrian", "child", "animal"])
def test_who_goes_on_feet_has_no_axles(name):
    kind = body(name, 0.6, 0.6, 1.7)
    assert walks(name) and kind.rear_axle_m == kind.wheelbase_m == kind.track_m == 0


def test_two_wheelers_have_no_track_and_things_no_rear_axle():
    assert body("cyclist", 1.8, 0.6, 1.75).track_m == 0 and body("cyclist", 1.8, 0.6, 1.75).wheelbase_m > 0
    assert body("barrier", 2.0, 0.5, 1.0).rear_axle_m == 0
