from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from checked_scenes import RIGHT, cut, driving, ego_drive, scene, standing

from drivesim.errors import ScenarioError
from drivesim.scenario.checks import KINDS, as_dict, check_scene, labels_of
from drivesim.scenario.classes import Body
from scenegraph import SE3, Scene, Trajectory
from scenegraph.roads import crossing_scene


def test_a_sound_scene_has_nothing_to_say_beyond_notes():
    assert not [f for f in check_scene(crossing_scene()) if f.severity != "note"]


def test_findings_are_sorted_deterministic_and_json():
    made = scene(driving("b", x=31.0), driving("a"), cut(driving("c", y=-12.0), 2.0))
    first, second = check_scene(made), check_scene(made)
    assert first == second
    ranks = [("error", "warning", "note").index(f.severity) for f in first]
    assert ranks == sorted(ranks)
    assert json.loads(json.dumps([as_dict(f) for f in first]))[0]["severity"] == "error"
    assert {f.kind for f in first} <= set(KINDS)


def test_what_is_allowed_becomes_a_note():
    made = scene(driving("a"), driving("b", x=32.0))
    assert [f.severity for f in check_scene(made) if f.kind == "collision"] == ["error"]
    assert [f.severity for f in check_scene(made, allow=["collision"]) if f.kind == "collision"] == ["note"]


def test_a_misspelt_kind_is_refused():
    with pytest.raises(
        ScenarioError, match=r"^there is no finding 'colision' \(did you mean 'collision'\?\)\. Known are"
    ):
        check_scene(scene(), allow=["colision"])


def test_a_frame_rate_of_nothing_is_refused():
    with pytest.raises(ScenarioError, match=r"^fps must be above 0, got 0$"):
        check_scene(scene(), fps=0.0)


def test_labels_are_those_of_logs_only():
    made = scene(driving("a"))
    assert labels_of(made) == frozenset()
    assert labels_of(replace(made, source={"format": "argoverse2"})) == {"ego", "a"}


def test_the_size_of_the_ego_can_be_told():
    beside = scene(standing("a", "car", 2.0, RIGHT - 2.2), ego=ego_drive(way=np.zeros(81)))
    wide = Body(4.9, 3.0, 1.6, rear_axle_m=1.45)
    assert not [f for f in check_scene(beside) if f.kind == "collision"]
    assert [f for f in check_scene(beside, ego_body=wide) if f.kind == "collision" and f.other == "ego"]


def test_a_scene_of_one_instant_can_be_checked():
    still = Scene(
        "still", scene().hdmap, Trajectory(np.array([0]), SE3.identity(1)), (driving("a"), driving("b", x=31.0))
    )
    assert [f.kind for f in check_scene(still) if f.severity == "error"] == ["collision"]
