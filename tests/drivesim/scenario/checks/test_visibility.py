from __future__ import annotations

import numpy as np
import pytest
from checked_scenes import FAR_RIGHT, RIGHT, cut, driving, ego_drive, rig, scene, standing, walking

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.sight import behind, look_at, slab
from drivesim.scenario.checks.visibility import check_visibility
from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, Pinhole

FRONT = Camera(
    "front", Pinhole(500.0, 500.0, 319.5, 239.5), 640, 480, SE3(np.eye(3), [0, 0, 1.5]) @ CAMERA_FROM_FLU.inverse()
)
ONE = CameraRig((FRONT,))


def findings(*actors, about=None, cameras=ONE, recorded=(), **more) -> list[Finding]:
    scene_ = scene(*actors, cameras=cameras, **more)
    return check_visibility(scene_, sample_bodies(scene_, recorded), about)


def test_a_ray_enters_and_leaves_a_box_where_geometry_says():
    enters, leaves = slab(np.array([-5.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([2.0, 1.0, 1.0]))
    assert (enters, leaves) == (3.0, 7.0)


def test_points_behind_a_box_are_hidden_and_those_before_it_are_not():
    box = SE3(np.eye(3)[None], np.array([[5.0, 0.0, 0.0]]))
    points = np.array([[10.0, 0.0, 0.0], [3.0, 0.0, 0.0], [10.0, 9.0, 0.0]])
    hidden = behind(np.zeros(3), points, box, np.array([[2.0, 2.0, 2.0]]))
    assert hidden.tolist() == [True, False, False]


def test_height_in_the_picture_is_focal_length_times_height_over_distance():
    pose = SE3(np.eye(3), np.zeros(3)) @ CAMERA_FROM_FLU.inverse()
    box = SE3(np.eye(3)[None], np.array([[20.0, 0.0, 0.0]]))
    sight = look_at(FRONT, pose, box, np.array([[0.001, 0.5, 2.0]]))
    assert sight.height_px[0] == pytest.approx(0.98 * 500.0 * 2.0 / 20.0, rel=1e-3)
    assert sight.seen[0] and sight.share[0] == 1.0 and sight.distance_m[0] == pytest.approx(20.0)


def test_the_subject_in_plain_view_gets_a_note_with_camera_and_size():
    (found,) = findings(standing("a", "car", 40.0, RIGHT), about="a", ego=ego_drive(way=np.zeros(81)))
    assert (found.kind, found.severity, found.other) == ("subject_seen", "note", "front")
    assert (
        found.sentence.startswith("a is seen for 8.0 s from 0.0 to 8.0 s, largest with")
        and "by front" in found.sentence
    )
    assert found.value == pytest.approx(500.0 * 1.9 * 0.98 / 37.7, rel=0.02)


def test_the_subject_behind_a_lorry_is_hidden():
    lorry = standing("t", "truck", 20.0, RIGHT)
    (found,) = findings(standing("p", "pedestrian", 40.0, RIGHT), lorry, about="p", ego=ego_drive(way=np.zeros(81)))
    assert (found.kind, found.severity) == ("hidden_subject", "error")
    assert found.sentence.endswith("is seen by no camera from 0.0 to 8.0 s: others hide it, or it is too small")


def test_the_subject_outside_of_every_picture_is_hidden():
    (found,) = findings(driving("a", x=-30.0), about="a")
    assert found.sentence.endswith("it is outside of every picture")


def test_a_subject_that_is_nowhere_is_an_error():
    (found,) = findings(about="b")
    assert found.sentence == "b, whom the scenario is about, is not in the scene"
    late = driving("b")
    moved = SE3(late.trajectory.world_from_body.rotation, late.trajectory.world_from_body.translation_m)
    later = type(late.trajectory)(late.trajectory.timestamps_us + 20_000_000, moved)
    (found,) = findings(type(late)("b", late.category, later, 4.6, 1.9, 1.5), about="b")
    assert found.sentence == "b, whom the scenario is about, is there at no time of the clip"


def test_appearing_and_vanishing_in_view_say_how_large():
    born, died = findings(cut(driving("a"), 3.0, 6.0))
    assert (born.kind, born.start_s) == ("born_in_view", pytest.approx(3.0))
    assert (died.kind, died.start_s) == ("dies_in_view", pytest.approx(6.0))
    assert born.sentence.startswith("a appears at 3.0 s in view of front, ") and born.sentence.endswith("px high")


def test_who_is_there_from_the_first_to_the_last_instant_neither_appears_nor_vanishes():
    assert not findings(driving("a"), cut(driving("b", x=60.0), 0.1, 7.9))


def test_who_appears_behind_the_camera_or_a_lorry_is_not_seen_to():
    assert not findings(cut(driving("a", x=-20.0), 3.0))
    assert not findings(driving("t", "truck", x=20.0), cut(walking("p", (70.0, RIGHT), (0.0, 0.0)), 2.0))


def test_labels_begin_and_end_in_one_note():
    found = findings(cut(driving("a"), 3.0), cut(driving("b", y=FAR_RIGHT), 4.0), recorded=("a", "b"))
    assert [(f.kind, f.severity, f.value) for f in found] == [("born_in_view", "note", 2)]
    assert found[0].sentence == "2 recorded tracks begin during the clip, as labels do"


def test_without_cameras_it_says_what_was_left_out():
    (found,) = findings(driving("a"), about="a", cameras=CameraRig(()))
    assert found.sentence == "what cameras see was left out: the scene has no cameras. Give it a rig"


def test_every_lens_of_the_built_in_rigs_sees_a_car_ahead():
    for name in ("cosmos-ftheta-7", "nuscenes-6", "argoverse-ring-7"):
        (found,) = findings(driving("a"), about="a", cameras=rig(name))
        assert found.kind == "subject_seen" and found.value > 20
