"""Rig files: what is built in, what they mean, and what is said about mistakes in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest import approx

from drivesim.errors import ScenarioError, SourceError
from drivesim.paths import built_in_configs
from drivesim.rigs import LensOfLog, find_rig, load_rig, resolve_rig, save_rig
from scenegraph import SE3, Brown, Camera, CameraRig, FTheta, OpenCvFisheye, Pinhole

RIG = """\
version: 1
cameras:
  - name: front
    width_px: 640
    height_px: 480
    lens: {kind: pinhole, fx_px: 500, fy_px: 500, cx_px: 319.5, cy_px: 239.5}
    position: {x_m: 1.5, y_m: 0, z_m: 1.4}
    orientation: {yaw_deg: 90}
"""

RING = {
    "argoverse-ring-7": "ring_front_center ring_front_left ring_side_left ring_rear_left "
    "ring_rear_right ring_side_right ring_front_right",
    "nuscenes-6": "CAM_FRONT CAM_FRONT_RIGHT CAM_BACK_RIGHT CAM_BACK CAM_BACK_LEFT CAM_FRONT_LEFT",
}


def _written(folder: Path, text: str) -> Path:
    path = folder / "rig.yaml"
    path.write_text(text)
    return path


def _complaint(folder: Path, text: str) -> str:
    path = _written(folder, text)
    with pytest.raises(ScenarioError) as caught:
        load_rig(path)
    return str(caught.value).replace(str(path), "rig.yaml")


# -- what is built in ------------------------------------------------------------------------------


def test_three_rigs_are_built_in() -> None:
    assert list(built_in_configs("rigs")) == ["argoverse-ring-7", "cosmos-ftheta-7", "nuscenes-6"]


def test_the_model_rig_has_its_names_in_the_order_of_the_view_index() -> None:
    rig = load_rig(find_rig("cosmos-ftheta-7"))
    assert rig.names == (
        "camera_front_wide_120fov",
        "camera_cross_right_120fov",
        "camera_rear_right_70fov",
        "camera_rear_tele_30fov",
        "camera_rear_left_70fov",
        "camera_cross_left_120fov",
        "camera_front_tele_30fov",
    )
    assert {(camera.width_px, camera.height_px) for camera in rig} == {(1920, 1080)}


@pytest.mark.parametrize(
    ("name", "fov_deg"),
    [
        ("camera_front_wide_120fov", 120),
        ("camera_cross_right_120fov", 120),
        ("camera_cross_left_120fov", 120),
        ("camera_rear_right_70fov", 70),
        ("camera_rear_left_70fov", 70),
        ("camera_rear_tele_30fov", 30),
        ("camera_front_tele_30fov", 30),
    ],
)
def test_the_lenses_of_the_model_rig_are_as_wide_as_their_names_say(name: str, fov_deg: float) -> None:
    camera = load_rig(find_rig("cosmos-ftheta-7"))[name]
    left, right = camera.unproject([[0.0, camera.lens.cy_px], [camera.width_px - 1.0, camera.lens.cy_px]])
    assert np.degrees(np.arccos(left @ right)) == approx(fov_deg, abs=2.5)


def test_views_of_the_model_rig_that_see_the_same_are_neighbours() -> None:
    rig = load_rig(find_rig("cosmos-ftheta-7"))
    short = [name.removeprefix("camera_").rpartition("_")[0] for name in rig.names]
    seen = {short[i]: {short[j] for j in np.flatnonzero(row)} for i, row in enumerate(rig.neighbours())}
    assert seen == {
        "front_wide": {"cross_right", "cross_left", "front_tele"},
        "cross_right": {"front_wide", "front_tele", "rear_right"},
        "rear_right": {"cross_right", "rear_tele", "rear_left"},
        "rear_tele": {"rear_right", "rear_left"},
        "rear_left": {"cross_left", "rear_tele", "rear_right"},
        "cross_left": {"front_wide", "front_tele", "rear_left"},
        "front_tele": {"front_wide", "cross_right", "cross_left"},
    }


@pytest.mark.parametrize("name", RING)
def test_each_view_of_a_ring_has_the_one_before_and_after_it_as_neighbours(name: str) -> None:
    rig = load_rig(find_rig(name))
    count = len(rig)
    assert rig.names == tuple(RING[name].split())
    ring = np.array([[(i - j) % count in {1, count - 1} for j in range(count)] for i in range(count)])
    assert np.array_equal(rig.neighbours(), ring)


@pytest.mark.parametrize("name", RING)
def test_a_ring_is_its_own_mirror_image(name: str) -> None:
    rig = load_rig(find_rig(name))
    for camera in rig:
        swapped = {"LEFT": "RIGHT", "RIGHT": "LEFT", "left": "right", "right": "left"}
        other = rig["_".join(swapped.get(word, word) for word in camera.name.split("_"))]
        assert other.ego_from_camera.translation_m * (1, -1, 1) == approx(camera.ego_from_camera.translation_m)
        axis, mirrored = camera.ego_from_camera.rotation[:, 2], other.ego_from_camera.rotation[:, 2]
        assert mirrored * (1, -1, 1) == approx(axis, abs=1e-12)


def test_the_front_camera_of_argoverse_stands_upright() -> None:
    rig = load_rig(find_rig("argoverse-ring-7"))
    assert {
        (camera.name, camera.width_px, camera.height_px) for camera in rig if camera.height_px > camera.width_px
    } == {("ring_front_center", 1550, 2048)}


@pytest.mark.parametrize("name", ["argoverse-ring-7", "cosmos-ftheta-7", "nuscenes-6"])
def test_a_built_in_rig_survives_writing_and_reading_bit_for_bit(tmp_path: Path, name: str) -> None:
    rig = load_rig(find_rig(name))
    save_rig(rig, tmp_path / "rig.yaml")
    _require_equal(load_rig(tmp_path / "rig.yaml"), rig)


# -- what a file means -----------------------------------------------------------------------------


def test_a_camera_turned_to_the_left_looks_left(tmp_path: Path) -> None:
    camera = load_rig(_written(tmp_path, RIG))["front"]
    ahead_of_lens, right_of_picture, down_in_picture = np.eye(3)[[2, 0, 1]]
    origin = camera.ego_from_camera.apply(np.zeros(3))
    assert origin == approx([1.5, 0.0, 1.4])
    assert camera.ego_from_camera.apply(ahead_of_lens) - origin == approx([0.0, 1.0, 0.0], abs=1e-12)
    assert camera.ego_from_camera.apply(right_of_picture) - origin == approx([1.0, 0.0, 0.0], abs=1e-12)
    assert camera.ego_from_camera.apply(down_in_picture) - origin == approx([0.0, 0.0, -1.0], abs=1e-12)


def test_every_kind_of_lens_survives_writing_and_reading_bit_for_bit(tmp_path: Path) -> None:
    lenses = {
        "pinhole": Pinhole(500.1, 500.2, 319.3, 239.4),
        "brown": Brown(500.1, 500.2, 319.3, 239.4, k1=-0.01, k2=1e-3, p1=1e-4, p2=-2e-5, k3=1e-17),
        "fisheye": OpenCvFisheye(300.1, 300.2, 319.3, 239.4, k1=0.01, k2=-1e-3, k3=1e-4, k4=1e-5),
        "ftheta": FTheta(319.3, 239.4, (0.0, 300.0, 0.1), "angle-to-pixeldistance", 1.001, 1e-4, -2e-4),
    }
    pose = SE3.from_roll_pitch_yaw_deg([1.0, 2.0, 3.0], [1 / 3, -0.1, 1.7])
    rig = CameraRig(tuple(Camera(name, lens, 640, 480, pose) for name, lens in lenses.items()))
    save_rig(rig, tmp_path / "rig.yaml")
    _require_equal(load_rig(tmp_path / "rig.yaml"), rig)


def test_a_lens_is_taken_from_the_log_by_name(tmp_path: Path) -> None:
    path = _written(tmp_path, _from_log(RIG))
    lens = Pinhole(400.0, 400.0, 99.5, 49.5)
    camera = resolve_rig(path, lambda: {"rear": (lens, 1, 1), "front": (lens, 200, 100)})["front"]
    assert (camera.lens, camera.width_px, camera.height_px) == (lens, 200, 100)
    assert camera.ego_from_camera.translation_m == approx([1.5, 0.0, 1.4])


def test_the_log_is_not_asked_for_lenses_that_are_all_in_the_file(tmp_path: Path) -> None:
    def read_lenses() -> dict[str, LensOfLog]:
        raise AssertionError("the log must not be read")

    assert resolve_rig(_written(tmp_path, RIG), read_lenses).names == ("front",)


@pytest.mark.parametrize(("names", "has"), [(("rear", "left"), "left, rear"), ((), "no lenses")])
def test_a_lens_that_the_log_lacks_is_one_sentence(tmp_path: Path, names: tuple[str, ...], has: str) -> None:
    path = _written(tmp_path, _from_log(RIG))
    with pytest.raises(SourceError) as caught:
        resolve_rig(path, lambda: {name: (Pinhole(400.0, 400.0, 99.5, 49.5), 200, 100) for name in names})
    assert str(caught.value) == (
        f"{path}: front: the lens is to come from the log (kind: from_log), but the log has none of that name. "
        f"It has {has}"
    )


# -- mistakes --------------------------------------------------------------------------------------


def test_all_mistakes_of_a_file_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    text = """\
version: 2
cameras:
  - name: front
    widht_px: 640
    height_px: -480
    lens: {kind: pinhol, fx_px: 500}
    position: {x_m: far, y_m: 0}
    orientation: {yaw_deg: 90}
  - name: rear
    width_px: 640.5
    height_px: 480
    lens:
      kind: ftheta
      cx_px: .nan
      cy_px: 239.5
      direction: angle-to-pixels
      polynomial: [0]
    position: {x_m: -0.5, y_m: 0, z_m: 1.4}
    orientation: [0, 0, 180]
"""
    assert _complaint(tmp_path, text).splitlines() == [
        "rig.yaml:1:10  version: 2 is unknown. Allowed: 1",
        "rig.yaml:4:5  cameras[0].widht_px: unknown key (did you mean 'width_px'?). Allowed: name, width_px, "
        "height_px, lens, position, orientation, ego_from_camera",
        "rig.yaml:5:16  cameras[0].height_px: must be above 0, got -480",
        "rig.yaml:6:18  cameras[0].lens.kind: 'pinhol' is unknown (did you mean 'pinhole'?). Allowed: pinhole, brown, "
        "fisheye, ftheta, from_log",
        "rig.yaml:7:5  cameras[0].position.z_m: is missing",
        "rig.yaml:7:21  cameras[0].position.x_m: expected a number, got 'far'",
        "rig.yaml:10:15  cameras[1].width_px: expected a whole number, got 640.5",
        "rig.yaml:14:14  cameras[1].lens.cx_px: expected a finite number, got nan",
        "rig.yaml:16:18  cameras[1].lens.direction: 'angle-to-pixels' is unknown (did you mean "
        "'angle-to-pixeldistance'?). Allowed: pixeldistance-to-angle, angle-to-pixeldistance",
        "rig.yaml:17:7  cameras[1].lens.polynomial: length must be at least 2, got 1",
        "rig.yaml:19:5  cameras[1].orientation: expected keys with values, got a list",
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "    orientation: {yaw_deg: 90}\n",
            "",
            "rig.yaml:3:5  cameras[0]: give either position and orientation, or ego_from_camera",
        ),
        (
            "    width_px: 640\n",
            "",
            "rig.yaml:3:5  cameras[0]: width_px and height_px are needed, only a lens of kind from_log brings its size",
        ),
        (
            "{kind: pinhole, fx_px: 500, fy_px: 500, cx_px: 319.5, cy_px: 239.5}",
            "{kind: from_log}",
            "rig.yaml:3:5  cameras[0]: a lens of kind from_log brings its size: leave out width_px and height_px",
        ),
        (
            "{kind: pinhole, fx_px: 500, fy_px: 500, cx_px: 319.5, cy_px: 239.5}",
            "{fx_px: 500}",
            "rig.yaml:6:5  cameras[0].lens.kind: is missing. Allowed: pinhole, brown, fisheye, ftheta, from_log",
        ),
        (
            "pinhole, fx_px: 500, fy_px: 500,",
            "fisheye, fx_px: 500, fy_px: 500, k1: -1.0,",
            "rig.yaml:3:5  cameras[0]: camera front: fisheye polynomial does not increase up to the image corner "
            "(it reaches 0.7986 there)",
        ),
        (
            "cy_px: 239.5}",
            "cy_pix: 239.5, cy_px: 1}",
            "rig.yaml:6:65  cameras[0].lens.cy_pix: unknown key (did you mean 'cy_px'?). "
            "Allowed: kind, fx_px, fy_px, cx_px, cy_px",
        ),
        (
            "name: front",
            "name: ../front",
            "rig.yaml:3:11  cameras[0].name: string should match pattern "
            "'^[A-Za-z0-9][A-Za-z0-9_.-]*$', got '../front'",
        ),
        (
            RIG[RIG.index("cameras:") :],
            "cameras: []\n",
            "rig.yaml:2:1  cameras: length must be at least 1, got 0",
        ),
    ],
)
def test_a_mistake_is_placed_and_explained(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in RIG
    assert _complaint(tmp_path, RIG.replace(old, new)) == complaint


def test_a_pose_matrix_that_is_no_pose_is_placed(tmp_path: Path) -> None:
    matrix = "[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]]"
    text = RIG.replace("    orientation: {yaw_deg: 90}\n", f"    ego_from_camera: {matrix}\n")
    text = text.replace("    position: {x_m: 1.5, y_m: 0, z_m: 1.4}\n", "")
    assert _complaint(tmp_path, text) == (
        "rig.yaml:3:5  cameras[0]: pose matrix: the 3x3 part is not a rotation (orthonormal, determinant +1)"
    )
    assert _complaint(tmp_path, text.replace("[0, 0, 0, 1]]", "[0, 0, 0]]")) == (
        "rig.yaml:7:65  cameras[0].ego_from_camera[3][3]: is missing"
    )


def test_two_cameras_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = RIG + RIG[RIG.index("  - name") :]
    assert _complaint(tmp_path, twice) == ("rig.yaml:1:1  camera names must be unique, front occurs more than once")


def test_an_unknown_rig_is_answered_with_the_nearest_and_all_names() -> None:
    with pytest.raises(ScenarioError) as caught:
        find_rig("nuscenes6")
    assert str(caught.value) == (
        "there is no built-in rig 'nuscenes6' (did you mean 'nuscenes-6'?). "
        "Built-in: argoverse-ring-7, cosmos-ftheta-7, nuscenes-6; or name a YAML file"
    )


def test_a_rig_file_is_found_by_its_path(tmp_path: Path) -> None:
    path = _written(tmp_path, RIG)
    assert find_rig(str(path)) == path
    with pytest.raises(ScenarioError) as caught:
        find_rig(tmp_path / "other.yaml")
    assert str(caught.value) == f"{tmp_path / 'other.yaml'}: no such rig file"


def _from_log(text: str) -> str:
    lines = [line for line in text.splitlines() if "_px:" not in line or "lens" in line]
    return "\n".join("    lens: {kind: from_log}" if "lens:" in line else line for line in lines)


def _require_equal(got: CameraRig, expected: CameraRig) -> None:
    def content(camera: Camera) -> tuple[Any, ...]:
        return camera.name, camera.lens, camera.width_px, camera.height_px, camera.ego_from_camera.matrix.tolist()

    assert [content(camera) for camera in got] == [content(camera) for camera in expected]
