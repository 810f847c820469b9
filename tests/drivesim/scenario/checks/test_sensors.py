from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from checked_scenes import RIGHT, driving, ego_drive, rig, scene, standing

from drivesim.scenario.checks.bodies import sample_bodies
from drivesim.scenario.checks.finding import Finding
from drivesim.scenario.checks.sensors import check_sensors
from drivesim.scenario.classes import EGO_BODY
from scenegraph import SE3, Camera, CameraRig


def findings(*actors, cameras=None, recorded=(), **more) -> list[Finding]:
    scene_ = scene(*actors, cameras=cameras, **more)
    return check_sensors(scene_, sample_bodies(scene_, recorded), EGO_BODY)


def moved(camera: Camera, z: float) -> Camera:
    place = camera.ego_from_camera.translation_m.copy()
    place[2] = z
    return replace(camera, ego_from_camera=SE3(camera.ego_from_camera.rotation, place))


@pytest.mark.parametrize("name", ["cosmos-ftheta-7", "nuscenes-6", "argoverse-ring-7"])
def test_built_in_rigs_are_sound(name):
    assert not findings(cameras=rig(name))


def test_a_camera_below_the_wheels_is_in_the_ground():
    front, *others = rig().cameras
    (found,) = findings(cameras=CameraRig((moved(front, -0.3), *others)))
    assert found.sentence == "camera camera_front_wide_120fov is in the ground: -0.30 m above it. Raise it"


def test_two_cameras_alike_in_one_place():
    front = rig().cameras[0]
    (found,) = findings(cameras=CameraRig((front, replace(front, name="twin"))))
    assert (found.severity, found.actor, found.other) == ("warning", "camera_front_wide_120fov", "twin")
    assert found.sentence.endswith("show the same: they sit and look alike. Remove or turn one")


def test_wide_and_tele_in_one_place_are_no_twins():
    wide, tele = rig()["camera_front_wide_120fov"], rig()["camera_front_tele_30fov"]
    assert not findings(cameras=CameraRig((wide, replace(tele, ego_from_camera=wide.ego_from_camera))))


def test_cameras_inside_of_one_actor_are_one_finding():
    (found,) = [f for f in findings(driving("a", x=2.0)) if "inside" in f.sentence]
    assert (found.kind, found.other, found.severity) == ("blocked_camera", "a", "error")
    assert found.sentence.startswith("cameras camera_front_wide_120fov, ")


def test_a_lorry_right_ahead_blocks_for_as_long_as_it_is_there():
    found = findings(driving("t", "truck", x=10.0))
    assert [(f.kind, f.severity, f.actor) for f in found] == [("blocked_camera", "error", "camera_front_tele_30fov")]
    assert found[0].value > 0.7 and (found[0].start_s, found[0].end_s) == (0.0, pytest.approx(8.0))


def test_passing_a_parked_lorry_blocks_nothing_for_long():
    assert not findings(standing("t", "truck", 40.0, RIGHT - 3.3), ego=ego_drive())


def test_a_recorded_lorry_ahead_is_a_warning():
    assert [f.severity for f in findings(driving("t", "truck", x=10.0), recorded=("t",))] == ["warning"]


def test_no_cameras_no_findings():
    assert not findings(driving("t", "truck", x=10.0), cameras=CameraRig(()))


def test_cameras_at_one_height_may_differ_in_what_they_see_of_the_ground():
    tilted = SE3.from_roll_pitch_yaw_deg([0.0, 20.0, 0.0], np.zeros(3)).rotation
    front = rig().cameras[0]
    down = replace(
        front, ego_from_camera=SE3(tilted @ front.ego_from_camera.rotation, front.ego_from_camera.translation_m)
    )
    assert not findings(cameras=CameraRig((down,)))
