"""Edits of the cameras: move, remove, add, another lens, jitter."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, Scene

from ..errors import ScenarioError
from ..rigs import LensOfLog, find_rig, resolve_rig
from ..spelling import nearest
from .schema_edits import AddCamera, JitterRig, MoveCamera, RemoveCamera, SwapLens
from .world import World


def move_camera(edit: MoveCamera, world: World) -> Scene:
    """Move a camera along the vehicle's axes, and turn it about its own: x where it looks, y left, z up.

    So a positive pitch looks further down and a positive yaw further left, wherever the camera looks.
    """
    camera = _camera(world.scene.rig, edit.camera)
    turn = SE3.from_roll_pitch_yaw_deg([edit.roll_deg, edit.pitch_deg, edit.yaw_deg], np.zeros(3))
    return _with(world.scene, _moved(camera, np.array([edit.x_m, edit.y_m, edit.z_m]), turn))


def remove_camera(edit: RemoveCamera, world: World) -> Scene:
    """Take a camera off; the last one stays."""
    rig = world.scene.rig
    camera = _camera(rig, edit.camera)
    if len(rig) == 1:
        raise ScenarioError(f"{edit.camera} is the only camera, without it nothing is filmed. Add another one first")
    return world.scene.with_rig(CameraRig(tuple(other for other in rig if other is not camera)))


def add_camera(edit: AddCamera, world: World, folder: Path) -> Scene:
    """Add a camera of another rig, as the last view."""
    rig = world.scene.rig
    camera = _camera(_other_rig(edit.rig, rig, folder), edit.camera, f"the rig {edit.rig}")
    name = edit.name or edit.camera
    if name in rig.names:
        raise ScenarioError(f"there is already a camera {name!r}. Give the added one another name with name:")
    return world.scene.with_rig(CameraRig((*rig, replace(camera, name=name))))


def swap_lens(edit: SwapLens, world: World, folder: Path) -> Scene:
    """Give a camera the lens and the picture size of another rig's camera; it stays where it is."""
    rig = world.scene.rig
    camera = _camera(rig, edit.camera)
    other = _camera(_other_rig(edit.rig, rig, folder), edit.from_camera, f"the rig {edit.rig}")
    swapped = replace(camera, lens=other.lens, width_px=other.width_px, height_px=other.height_px)
    return _with(world.scene, swapped)


def jitter_rig(edit: JitterRig, world: World, seed: int) -> Scene:
    """Move and turn every camera at random.

    Three turns and three moves per camera are drawn from normal distributions with the given standard deviations,
    by seed and name of the camera: removing one leaves the others as they are.
    """
    chosen = seed if edit.seed is None else edit.seed
    if chosen < 0:
        raise ScenarioError(f"seed: {chosen} is below 0. Use a seed of 0 or more")
    rig = world.scene.rig
    return world.scene.with_rig(CameraRig(tuple(_jittered(camera, edit, chosen) for camera in rig)))


def _jittered(camera: Camera, edit: JitterRig, seed: int) -> Camera:
    random = np.random.default_rng([seed, zlib.crc32(camera.name.encode())])
    turn_rad, move_m = random.normal(size=3) * np.radians(edit.rotation_deg), random.normal(size=3) * edit.position_m
    return _moved(camera, move_m, SE3(Rotation.from_rotvec(turn_rad).as_matrix(), np.zeros(3)))


def _moved(camera: Camera, move_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]], turn: SE3) -> Camera:
    """move_m: [3] along the vehicle's axes. turn: about the camera's own forward, left and up."""
    camera_from_turned = CAMERA_FROM_FLU @ turn @ CAMERA_FROM_FLU.inverse()
    pose = camera.ego_from_camera @ camera_from_turned
    return replace(camera, ego_from_camera=SE3(pose.rotation, pose.translation_m + move_m))


def _with(scene: Scene, camera: Camera) -> Scene:
    """The scene with a camera instead of the one of its name."""
    return scene.with_rig(CameraRig(tuple(camera if old.name == camera.name else old for old in scene.rig)))


def _camera(rig: CameraRig, name: str, where: str = "the scene") -> Camera:
    if name not in rig.names:
        known = ", ".join(rig.names) or "none"
        raise ScenarioError(f"{where} has no camera {name!r}{nearest(name, rig.names)}. Cameras: {known}")
    return rig[name]


def _other_rig(name: str, own: CameraRig, folder: Path) -> CameraRig:
    """A rig file beside the scenario, a built-in rig, or any path; lenses of kind from_log come from the scene."""

    def lenses() -> dict[str, LensOfLog]:
        return {camera.name: (camera.lens, camera.width_px, camera.height_px) for camera in own}

    beside = folder / name
    return resolve_rig(beside if beside.is_file() else find_rig(name), lenses)
