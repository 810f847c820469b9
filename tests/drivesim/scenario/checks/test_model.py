from __future__ import annotations

import pytest
from checked_scenes import driving, rig, scene, walking

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.model import check_model
from models.request import Regime
from scenegraph import Scene


def findings(scene_: Scene, regime: Regime, fps: float = 10.0) -> list[Finding]:
    return check_model(scene_, sample_bodies(scene_, ()), regime, fps)


def test_what_it_was_trained_on_raises_nothing():
    assert findings(scene(driving("a")), Regime(known_views=7)) == []


@pytest.mark.parametrize(
    ("regime", "fps", "sentence"),
    [
        (Regime(), 30.0, "30 frames per second; the model was trained at 10"),
        (Regime(clip_frames=93), 10.0, "81 frames; the model makes 93 at a time. Let it last longer"),
        (Regime(known_views=5), 10.0, "7 cameras; the model knows 5. Leave some out"),
    ],
)
def test_each_difference_is_a_warning(regime, fps, sentence):
    (found,) = findings(scene(), regime, fps)
    assert (found.kind, found.severity, found.sentence) == ("out_of_distribution", "warning", sentence)


def test_pictures_of_another_shape_are_a_note():
    found = findings(scene(cameras=rig("argoverse-ring-7")), Regime())
    assert found and all(f.severity == "note" and "cropped or stretched" in f.sentence for f in found)


def test_who_comes_within_half_a_metre_of_a_camera_is_a_note():
    found = findings(scene(driving("a", x=6.6)), Regime())
    assert not found
    found = findings(scene(driving("a", x=5.2)), Regime())
    assert {f.severity for f in found} == {"note"} and all("comes within" in f.sentence for f in found)


def test_crowds_are_a_note():
    crowd = [walking(f"p{i}", (10.0 + i % 20, 10.0 + i // 20), (0.5, 0.0)) for i in range(101)]
    (found,) = findings(scene(*crowd), Regime())
    assert found.sentence == "101 actors within 80 m of the ego; recordings rarely have more than 100"
