from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checked_scenes import (
    FAR_RIGHT,
    ONCOMING,
    RIGHT,
    actor,
    driving,
    ego_drive,
    hill,
    road,
    scene,
    standing,
    swerve,
    walking,
    with_bridge,
    without_lines,
)

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.lanes import lane_tiles
from drivesim.scenario.checks.road import check_road
from scenegraph import HDMap, Scene
from scenegraph.roads import crossing_scene


def findings(scene_: Scene, recorded=(), edited=()) -> list[Finding]:
    return check_road(scene_, sample_bodies(scene_, recorded, edited))


def test_distance_from_the_road_is_that_of_the_middle_to_the_nearest_lane():
    (found,) = findings(scene(driving("a", y=-10.0)))
    assert (found.kind, found.severity) == ("off_road", "error")
    assert found.value == pytest.approx(3.0, abs=0.13)  # places are rounded to a grid of 0.25 m
    assert found.sentence == "a is 3.0 m beside the road from 0.0 to 8.0 s"


def test_parked_cars_beside_the_road_are_a_warning():
    assert [f.severity for f in findings(scene(standing("a", "car", 40.0, -10.0)))] == ["warning"]


def test_people_and_bicycles_may_leave_the_road():
    assert not findings(scene(walking("p", (40.0, -11.0), (1.0, 0.0)), driving("c", "cyclist", y=-9.5, speed=4.0)))


def test_the_middle_of_a_crossing_without_lanes_is_road():
    crossing = crossing_scene()
    tiles = lane_tiles(crossing.hdmap)
    assert tiles is not None and tiles.away_m(np.zeros((1, 3)))[0][0] > 10.0
    assert not findings(crossing)


def test_beyond_the_end_of_the_map_is_a_note():
    found = findings(scene(driving("a", x=330.0, speed=10.0), ego=ego_drive()))
    assert [(f.kind, f.severity) for f in found] == [("off_road", "note")]
    assert "m past all lanes" in found[0].sentence


def test_against_traffic_counts_seconds_and_overtaking_is_a_note():
    (found,) = findings(scene(driving("a", x=150.0, back=True)))
    assert (found.kind, found.severity, found.value) == ("wrong_way", "error", pytest.approx(8.0))
    over = driving(
        "a", x=30.0, speed=20.0, y=lambda x: swerve(x, 35, 35, RIGHT, ONCOMING) + swerve(x, 115, 35, 0, -3.5)
    )
    (found,) = findings(scene(over))
    assert (found.severity, found.kind) == ("note", "wrong_way") and found.sentence.endswith("as when overtaking")


def test_floating_and_sunken_say_how_far():
    points = np.stack([np.linspace(40, 90, 81), np.full(81, RIGHT), np.full(81, 1.0)], axis=1)
    (above,) = findings(scene(actor("a", "car", points, 0.0)))
    (below,) = findings(scene(actor("a", "car", points - [0, 0, 1.6], 0.0)))
    assert (above.kind, above.value) == ("floating", pytest.approx(1.0))
    assert (below.kind, below.value) == ("sunken", pytest.approx(0.6))
    assert below.sentence == "a is 0.60 m below the ground from 0.0 to 8.0 s"


def test_wheels_on_a_hill_are_on_the_ground():
    on_it = driving("a", height=hill)
    assert not findings(scene(on_it, hdmap=road(hill), ego=ego_drive(height=hill)))
    assert findings(scene(driving("a"), hdmap=road(hill), ego=ego_drive(height=hill)))


def test_under_and_on_a_bridge_are_different_grounds():
    points = np.stack([np.full(81, 60.0), np.linspace(-40, 40, 81), np.full(81, 6.5)], axis=1)
    above = actor("above", "car", points, np.pi / 2)
    assert not findings(scene(above, driving("below", "truck", x=20.0), hdmap=with_bridge(road())))


def test_labels_far_away_may_float_further():
    points = np.stack([np.full(81, 80.0), np.full(81, FAR_RIGHT), np.full(81, 1.6)], axis=1)
    far = scene(actor("a", "car", points, 0.0), ego=ego_drive(way=np.zeros(81)))
    assert findings(far) and not findings(far, recorded=("a",))


@pytest.mark.parametrize("marked", [True, False])
def test_a_missing_line_names_lane_side_and_drivers(marked):
    found = findings(scene(driving("a"), hdmap=without_lines(road(marked=marked), "line-3.5")))
    assert {(f.kind, f.severity, f.other) for f in found} == {("missing_line", "warning", "lane1")}
    assert "lane lane1 has no right line" in found[0].sentence and "a, ego drive" in found[0].sentence


def test_lines_that_nobody_drives_along_are_not_missed():
    far_side = replace(scene(), hdmap=without_lines(road(), "line3.5"))
    assert not findings(far_side)


def test_a_map_without_lanes_is_said_to_be_unchecked():
    (found,) = findings(scene(driving("a", y=-30.0), hdmap=HDMap()))
    assert (found.kind, found.severity) == ("not_checked", "note")
    assert found.sentence == "off-road, wrong-way, floating and line checks were left out: the map has no lanes"
