from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from checked_scenes import FAR_RIGHT, RIGHT, driving, scene, standing, walking

from drivesim.scenario.checks.bodies import Bodies, sample_bodies
from drivesim.scenario.checks.collisions import _overlap_m, check_collisions


def bodies(*actors, recorded=(), edited=()) -> Bodies:
    return sample_bodies(scene(*actors), recorded, edited)


def test_depth_of_two_boxes_one_behind_the_other_is_what_is_missing_between_them():
    (found,) = check_collisions(bodies(standing("a", "car", 60.0, FAR_RIGHT), standing("b", "car", 63.6, FAR_RIGHT)))
    assert found.value == pytest.approx(1.0) and (found.start_s, found.end_s) == (0.0, 8.0)
    assert (found.kind, found.severity, found.actor, found.other, found.unit) == ("collision", "error", "a", "b", "m")
    assert found.sentence == "a and b overlap by up to 1.00 m from 0.0 to 8.0 s, at 0.0 m/s to each other"


def test_boxes_above_each_other_do_not_collide():
    low, high = standing("a", "car", 60.0, FAR_RIGHT), standing("b", "car", 60.0, FAR_RIGHT, z=1.6)
    assert not check_collisions(bodies(low, high))
    assert check_collisions(bodies(low, standing("b", "truck", 60.0, FAR_RIGHT, z=1.0)))


def test_overlap_agrees_with_polygons_of_random_boxes():
    random = np.random.default_rng(0)
    count = 500
    centre = [np.column_stack([random.uniform(-3, 3, (count, 2)), np.zeros(count)]) for _ in range(2)]
    yaw = [random.uniform(-4, 4, count) for _ in range(2)]
    half = [random.uniform(0.3, 2.5, (count, 3)) for _ in range(2)]
    depth = _overlap_m(centre[0], yaw[0], half[0], centre[1], yaw[1], half[1])
    rings = []
    for c, y, h in zip(centre, yaw, half, strict=True):
        ahead, left = np.stack([np.cos(y), np.sin(y)], 1), np.stack([-np.sin(y), np.cos(y)], 1)
        corners = [
            c[:, :2] + sx * h[:, :1] * ahead + sy * h[:, 1:2] * left for sx, sy in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]
        rings.append(shapely.polygons(np.stack(corners, axis=1)))
    area = shapely.area(shapely.intersection(*rings))
    assert ((depth > 1e-9) == (area > 1e-9)).all()
    assert 0.1 < (depth > 0).mean() < 0.9
    # Moving the second by the depth along the best axis parts them: no smaller overlap was overlooked.
    assert (area <= depth * 2 * np.hypot(half[0][:, 0], half[0][:, 1]) * 2 + 1e-9).all()


def test_a_pass_between_two_instants_is_found():
    fast = driving("fast", x=-33.7, y=RIGHT - 3.0, speed=69.0)
    thin = standing("post", "cone", 25.0, RIGHT - 3.0)
    assert [f.other for f in check_collisions(bodies(fast, thin))] == ["post"]
    touches = [bool(abs(-33.7 + 6.9 * k - 25.0) < 2.5) for k in range(81)]
    assert not any(touches), "the scene must miss it at the instants themselves"


def test_labels_may_overlap_and_what_a_scenario_adds_may_not():
    pair = standing("a", "car", 60.0, FAR_RIGHT), standing("b", "car", 64.2, FAR_RIGHT)
    both, one = ("a", "b"), ("a",)
    assert [f.severity for f in check_collisions(bodies(*pair))] == ["error"]
    assert [f.severity for f in check_collisions(bodies(*pair, recorded=one))] == ["error"]
    assert [f.severity for f in check_collisions(bodies(*pair, recorded=both))] == ["note"]
    assert [f.severity for f in check_collisions(bodies(*pair, recorded=both, edited=one))] == ["error"]


def test_a_shallow_touch_with_a_label_is_a_warning():
    pair = standing("a", "car", 60.0, FAR_RIGHT), standing("b", "car", 64.4, FAR_RIGHT)
    assert [f.severity for f in check_collisions(bodies(*pair, recorded=("a",)))] == ["warning"]


def test_two_contacts_of_a_pair_are_two_findings():
    jumper = walking("p", (40.0, -9.0), (0.0, 0.0))
    track = jumper.trajectory
    places = track.world_from_body.translation_m.copy()
    places[(np.arange(81) % 40) < 5, 1] = FAR_RIGHT
    jumper = replace(
        jumper, trajectory=replace(track, world_from_body=replace(track.world_from_body, translation_m=places))
    )
    found = check_collisions(bodies(standing("a", "car", 40.0, FAR_RIGHT), jumper))
    assert len(found) >= 2 and all(f.kind == "collision" for f in found)


def test_one_thing_labelled_twice_is_a_duplicate_and_no_collision():
    (found,) = check_collisions(bodies(standing("a", "car", 60.0, FAR_RIGHT), standing("b", "car", 60.3, FAR_RIGHT)))
    assert found.kind == "duplicate"
    assert found.sentence == "a and b are 0.30 m apart from 0.0 to 8.0 s: one thing twice. Remove one of them"


def test_a_turned_box_counts_with_its_corner():
    turned = standing("b", "car", 63.4, FAR_RIGHT, yaw=math.pi / 4)
    depth = [f.value for f in check_collisions(bodies(standing("a", "car", 59.2, FAR_RIGHT), turned))]
    corner = 0.95 + (2.3 + 0.95 - 4.2) * math.cos(math.pi / 4)  # across the turned box, the shortest way out
    assert depth == [pytest.approx(corner)]
