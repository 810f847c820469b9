from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from pytest import approx

from drivesim.errors import ScenarioError
from drivesim.rigs import find_rig, load_rig, save_rig
from drivesim.scenario.edits import apply_edit
from drivesim.scenario.scene_digest import content_digest
from drivesim.scenario.schema_edits import EditFile
from drivesim.scenario.world import World
from scenegraph import CameraRig, Pinhole, Scene
from scenegraph.arrays import FloatArray
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)
_FRONT, _LEFT = "camera_front_wide_120fov", "camera_cross_left_120fov"


def _edited(world: World, folder: Path = Path(), **fields: Any) -> Scene:
    return apply_edit(_EDIT.validate_python(fields), world, folder).scene


def _refusal(world: World, **fields: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        _edited(world, **fields)
    return str(error.value)


@pytest.fixture(scope="module")
def world() -> World:
    return World(crossing_scene(2.0).with_rig(load_rig(find_rig("cosmos-ftheta-7"))), 0, 2.0)


def _looks(scene: Scene, camera: str) -> FloatArray:
    """Direction on the vehicle [3] of the optical axis."""
    return np.asarray(scene.rig[camera].ego_from_camera.rotation[:, 2])


def test_a_camera_moves_along_the_axes_of_the_vehicle(world: World) -> None:
    scene = _edited(world, kind="move_camera", camera=_LEFT, x_m=0.1, y_m=0.2, z_m=0.3)
    before, after = (each.rig[_LEFT].ego_from_camera for each in (world.scene, scene))
    assert after.translation_m - before.translation_m == approx([0.1, 0.2, 0.3])
    assert np.array_equal(after.rotation, before.rotation)


@pytest.mark.parametrize("camera", [_FRONT, _LEFT])
def test_pitch_looks_down_and_yaw_looks_left_wherever_a_camera_looks(world: World, camera: str) -> None:
    before = _looks(world.scene, camera)
    down = _looks(_edited(world, kind="move_camera", camera=camera, pitch_deg=10.0), camera)
    left = _looks(_edited(world, kind="move_camera", camera=camera, yaw_deg=10.0), camera)
    assert down[2] < before[2] - 0.15
    assert np.cross(before, left)[2] > 0.15
    for turned in (down, left):
        assert np.degrees(np.arccos(turned @ before)) == approx(10.0, abs=1e-6)


def test_the_last_camera_stays(world: World) -> None:
    scene = _edited(world, kind="remove_camera", camera=_FRONT)
    assert _FRONT not in scene.rig.names and len(scene.rig) == 6
    alone = world.with_scene(world.scene.with_rig(CameraRig((world.scene.rig[_FRONT],))))
    said = f"{_FRONT} is the only camera, without it nothing is filmed. Add another one first"
    assert _refusal(alone, kind="remove_camera", camera=_FRONT) == said


def test_a_camera_of_another_rig_is_added_as_the_last_view(world: World) -> None:
    scene = _edited(world, kind="add_camera", rig="nuscenes-6", camera="CAM_BACK", name="back")
    assert scene.rig.names == (*world.scene.rig.names, "back")


def test_a_rig_beside_the_scenario_is_found(world: World, tmp_path: Path) -> None:
    save_rig(CameraRig((load_rig(find_rig("nuscenes-6"))["CAM_BACK"],)), tmp_path / "mine.yaml")
    assert _edited(world, tmp_path, kind="add_camera", rig="mine.yaml", camera="CAM_BACK").rig.names[-1] == "CAM_BACK"


def test_a_swapped_lens_brings_its_picture_size_and_the_camera_stays(world: World) -> None:
    scene = _edited(world, kind="swap_lens", camera=_FRONT, rig="nuscenes-6", from_camera="CAM_BACK")
    old, new, other = world.scene.rig[_FRONT], scene.rig[_FRONT], load_rig(find_rig("nuscenes-6"))["CAM_BACK"]
    assert isinstance(new.lens, Pinhole) and new.lens == other.lens
    assert (new.width_px, new.height_px) == (other.width_px, other.height_px)
    assert content_digest(new.ego_from_camera) == content_digest(old.ego_from_camera)


def test_jitter_is_the_same_for_the_same_seed_and_each_camera_has_its_own(world: World) -> None:
    def rigs(scene: Scene) -> dict[str, str]:
        return {camera.name: content_digest(camera) for camera in scene.rig}

    first = rigs(_edited(world, kind="jitter_rig", seed=4))
    assert first == rigs(_jittered_by_seed_of_scenario(world, 4))
    fewer = world.with_scene(_edited(world, kind="remove_camera", camera=_FRONT))
    assert rigs(_edited(fewer, kind="jitter_rig", seed=4)).items() < first.items()
    assert rigs(_edited(world, kind="jitter_rig", seed=5)) != first


def _jittered_by_seed_of_scenario(world: World, seed: int) -> Scene:
    return apply_edit(_EDIT.validate_python({"kind": "jitter_rig"}), world, Path(), seed).scene


def test_jitter_is_as_large_as_asked_for(world: World) -> None:
    moves, turns = [], []
    for seed in range(40):
        scene = _edited(world, kind="jitter_rig", seed=seed, rotation_deg=0.5, position_m=0.02)
        for old, new in zip(world.scene.rig, scene.rig, strict=True):
            moves.append(new.ego_from_camera.translation_m - old.ego_from_camera.translation_m)
            relative = old.ego_from_camera.rotation.T @ new.ego_from_camera.rotation
            turns.append(np.degrees([relative[2, 1], relative[0, 2], relative[1, 0]]))
    assert np.std(moves, axis=0) == approx([0.02] * 3, rel=0.15)
    assert np.std(turns, axis=0) == approx([0.5] * 3, rel=0.15)


def test_a_misspelt_camera_is_refused_with_the_nearest_name(world: World) -> None:
    known = ", ".join(world.scene.rig.names)
    said = f"the scene has no camera 'camera_front_wide' (did you mean {_FRONT!r}?). Cameras: {known}"
    assert _refusal(world, kind="move_camera", camera="camera_front_wide") == said


def test_a_camera_that_the_other_rig_lacks_is_refused(world: World) -> None:
    said = _refusal(world, kind="add_camera", rig="nuscenes-6", camera="CAM_FRNT")
    assert said.startswith("the rig nuscenes-6 has no camera 'CAM_FRNT' (did you mean 'CAM_FRONT'?). Cameras: CAM_")


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    said = f"there is already a camera '{_FRONT}'. Give the added one another name with name:"
    assert _refusal(world, kind="add_camera", rig="cosmos-ftheta-7", camera=_FRONT) == said


def test_a_rig_that_is_not_there_is_refused_with_the_nearest_name(world: World) -> None:
    said = _refusal(world, kind="add_camera", rig="nuscenes-7", camera="CAM_FRONT")
    assert said.startswith("there is no built-in rig 'nuscenes-7' (did you mean 'nuscenes-6'?). Built-in: ")
