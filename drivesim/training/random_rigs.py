"""Rigs that nobody built: known ones with everything a little elsewhere, and rings of any five to seven cameras."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, FTheta, Lens, Pinhole

from ..rigs import find_rig, load_rig
from .lots import Lots

FEWEST, MOST = 5, 7

_KINDS = {"ring": 0.4, "cosmos-ftheta-7": 0.25, "argoverse-ring-7": 0.2, "nuscenes-6": 0.15}
_WIDTH_PX, _HEIGHT_PX = 1600, 900
_WIDEST_PINHOLE_DEG = 105.0


def random_rig(lots: Lots) -> CameraRig:
    """Five to seven cameras around a vehicle."""
    kind = lots.weighted(_KINDS)
    rig = _ring(lots) if kind == "ring" else _built_in(kind, lots)
    return _shaken(rig, lots)


def _built_in(name: str, lots: Lots) -> CameraRig:
    """Most of the cameras of a built-in rig, all with the same share of their usual focal length."""
    rig = load_rig(find_rig(name))
    kept = lots.some_of(rig.names, max(FEWEST, len(rig) - lots.weighted({0: 0.6, 1: 0.25, 2: 0.15})))
    zoom = lots.number(0.88, 1.15)
    return CameraRig(tuple(replace(camera, lens=_zoomed(camera, zoom)) for camera in rig.select(kept)))


def _zoomed(camera: Camera, zoom: float) -> Lens:
    lens = camera.lens
    return replace(lens.scaled(zoom, zoom), cx_px=lens.cx_px, cy_px=lens.cy_px)


def _ring(lots: Lots) -> CameraRig:
    """Cameras that look evenly around, or closer together ahead than behind; most of them overlap with others."""
    count = lots.whole(FEWEST, MOST)
    is_ftheta, level = lots.happens(0.5), lots.number(0.45, 0.68)
    usual_deg, unlike_deg = lots.number(max(60.0, 345.0 / count), 112), lots.number(0, 20)
    ahead = lots.number(0.0, 0.12)
    cameras = []
    for index in range(count):
        turn = 2 * math.pi * index / count
        yaw_deg = math.degrees(turn - ahead * math.sin(turn))
        field_deg = float(np.clip(usual_deg + lots.number(-unlike_deg, unlike_deg), 50, 120))
        lens = _ftheta(field_deg, level, lots) if is_ftheta else _pinhole(min(field_deg, _WIDEST_PINHOLE_DEG), level)
        place = [0.9 + 0.8 * math.cos(turn), 0.5 * math.sin(turn), 1.6]
        pose = SE3.from_roll_pitch_yaw_deg([0.0, 0.0, yaw_deg], place) @ CAMERA_FROM_FLU.inverse()
        cameras.append(Camera(f"camera_{index}", lens, _WIDTH_PX, _HEIGHT_PX, pose))
    return CameraRig(tuple(cameras))


def _pinhole(field_deg: float, level: float) -> Pinhole:
    focal_px = 0.5 * _WIDTH_PX / math.tan(math.radians(field_deg) / 2)
    return Pinhole(focal_px, focal_px, 0.5 * (_WIDTH_PX - 1), level * (_HEIGHT_PX - 1))


def _ftheta(field_deg: float, level: float, lots: Lots) -> FTheta:
    """Nearly as many pixels per degree at the edge as in the middle."""
    half_rad, bend = math.radians(field_deg) / 2, lots.number(-0.04, 0.04)
    focal_px = 0.5 * _WIDTH_PX / (half_rad + bend * half_rad**3)
    polynomial = (0.0, focal_px, 0.0, bend * focal_px)
    return FTheta(
        cx_px=0.5 * (_WIDTH_PX - 1),
        cy_px=level * (_HEIGHT_PX - 1),
        direction="angle-to-pixeldistance",
        polynomial=polynomial,
    )


def _shaken(rig: CameraRig, lots: Lots) -> CameraRig:
    """Every camera a little elsewhere and turned, and all of them on a higher or lower vehicle."""
    raised_m, forward_m = lots.number(-0.25, 0.55), lots.number(-0.4, 0.4)
    return CameraRig(tuple(_moved(camera, raised_m, forward_m, lots) for camera in rig))


def _moved(camera: Camera, raised_m: float, forward_m: float, lots: Lots) -> Camera:
    pose, lens = camera.ego_from_camera, camera.lens
    turn = SE3.from_roll_pitch_yaw_deg([lots.near(0.8), lots.near(1.5), lots.near(3.0)], [0.0, 0.0, 0.0])
    shift_m = np.array([forward_m + lots.near(0.1), lots.near(0.06), raised_m + lots.near(0.06)])
    rotation = (turn @ SE3(pose.rotation, np.zeros(3))).rotation
    lens = replace(
        lens,
        cx_px=lens.cx_px + lots.near(0.01) * camera.width_px,
        cy_px=lens.cy_px + lots.near(0.02) * camera.height_px,
    )
    return replace(camera, lens=lens, ego_from_camera=SE3(rotation, pose.translation_m + shift_m))
