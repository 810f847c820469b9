from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from checked_scenes import TIMES_S, actor, speeds, with_lights

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.lights import _approaches, check_lights
from scenegraph import LightState, Scene
from scenegraph.roads import crossing_scene

RED, GREEN = LightState.RED, LightState.GREEN


def findings(scene: Scene) -> list[Finding]:
    return check_lights(scene, sample_bodies(scene, ()))


def from_north(start: float, speed: float = 9.0, way=None) -> Scene:
    covered = speed * TIMES_S if way is None else way
    points = np.stack([np.full(81, -1.75), start - covered, np.zeros(81)], axis=1)
    return replace(crossing_scene(8.0), actors=(actor("a", "car", points, -math.pi / 2),))


def test_every_stop_line_of_the_crossing_has_the_light_of_its_arm():
    pairs = {(approach.line, approach.lights) for approach in _approaches(crossing_scene())}
    assert pairs == {(f"{arm}-stop", (f"{arm}-light",)) for arm in range(4)}


def test_ways_lead_into_the_crossing():
    for approach in _approaches(crossing_scene()):
        assert approach.way @ approach.middle_m < 0


def test_running_red_says_when_the_front_passes_the_line():
    found = [f for f in findings(from_north(55.0)) if f.kind == "red_light"]
    assert [(f.actor, f.other, f.severity) for f in found] == [("a", "1-light", "error")]
    assert found[0].start_s == pytest.approx((55.0 - 2.3 - 17.5) / 9.0, abs=0.01)
    assert "passes stop line 1-stop at 3.9 s" in found[0].sentence


def test_just_after_red_is_a_warning():
    passes_s = (55.0 - 2.3 - 17.5) / 9.0
    scene = with_lights(from_north(55.0), arm1=[(0.0, GREEN), (passes_s - 0.2, RED)], arm0=RED, arm2=RED)
    found = [f for f in findings(scene) if f.actor == "a"]
    assert [(f.severity, f.value) for f in found] == [("warning", pytest.approx(0.2, abs=0.01))]


def test_waiting_at_red_is_fine_and_so_is_leaving_the_crossing():
    assert not findings(from_north(55.0, way=speeds((2.0, -3.0), start=9.0)))
    assert not [f for f in findings(from_north(10.0)) if f.actor == "a"]


def test_crossing_greens_conflict_for_as_long_as_they_last():
    scene = with_lights(crossing_scene(8.0), arm1=[(0.0, RED), (5.0, GREEN)], arm3=RED)
    found = [f for f in findings(scene) if f.kind == "light_conflict"]
    assert {(f.actor, f.other) for f in found} == {("0-light", "1-light"), ("1-light", "2-light")}
    assert all((f.start_s, f.end_s) == (pytest.approx(5.0), pytest.approx(8.0)) for f in found)
    assert "let crossing traffic go from 5.0 to 8.0 s. Show red on one of them" in found[0].sentence


def test_facing_greens_do_not_conflict():
    assert not [f for f in findings(crossing_scene()) if f.kind == "light_conflict"]


def test_without_light_states_nothing_is_said():
    assert findings(replace(from_north(55.0), light_states={})) == []
