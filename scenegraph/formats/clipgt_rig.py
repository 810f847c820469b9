"""Camera rigs as the JSON text of a ClipGT calibration: NVIDIA's properties, readable by their loader.

Sensors are named with colons, poses are roll-pitch-yaw in degrees between forward-left-up axes, and all
properties are texts. What that cannot hold exactly is repeated under ``drivesim`` of each sensor (the camera's
name, the nine numbers of its rotation, the length of its polynomial) and used where it agrees with the rest.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..camera import CAMERA_FROM_FLU, Camera
from ..errors import FormatError, FrameError
from ..lens import Brown, FTheta, FThetaDirection, Lens, OpenCvFisheye, Pinhole
from ..rig import CameraRig
from ..se3 import SE3
from .nvidia_names import canonical_camera_name, rig_camera_name, view_rank
from .strict_json import Node

_AGREEMENT = 1e-4
_BACKWARD: FThetaDirection = "pixeldistance-to-angle"
_FORWARD: FThetaDirection = "angle-to-pixeldistance"
_COEFFICIENTS = 6
_PLAIN_LENSES: dict[str, type[Pinhole | Brown | OpenCvFisheye]] = {
    "pinhole": Pinhole,
    "brown": Brown,
    "opencv-fisheye": OpenCvFisheye,
}
_MODELS = ", ".join(["ftheta", *_PLAIN_LENSES])


def rig_from_json(text: str, file: Path, place: str, corrected: bool = False) -> CameraRig:
    """The cameras among the sensors of a rig file.

    They keep the order of a rig that we wrote, which is the view axis. In the rigs of others the order means
    nothing: the model's cameras come in its view order, and others after them as they are in the file.
    corrected: turn each camera by ``correction_sensor_R_FLU`` (in its own axes, before the nominal rotation) and
    move it by ``correction_rig_T`` (in the vehicle's axes), where the file has them.
    """
    sensors = [sensor for sensor in Node.parse(text, file, place)["rig"]["sensors"].items() if _is_camera(sensor)]
    cameras = [_camera(sensor, corrected) for sensor in sensors]
    if not any("drivesim" in sensor for sensor in sensors):
        cameras.sort(key=lambda camera: view_rank(camera.name)[0])
    try:
        return CameraRig(tuple(cameras))
    except FrameError as error:
        raise FormatError(file, place, str(error), "Every camera needs a name of its own.") from error


def rig_to_json(rig: CameraRig) -> str:
    """The rig as a ClipGT calibration holds it."""
    return json.dumps({"rig": {"sensors": [_sensor(camera) for camera in rig]}, "version": 7})


# -- reading --------------------------------------------------------------------------------------


def _is_camera(sensor: Node) -> bool:
    return sensor["name"].text().startswith("camera") or "drivesim" in sensor


def _camera(sensor: Node, corrected: bool) -> Camera:
    name = canonical_camera_name(sensor["name"].text())
    properties = sensor["properties"]
    pose = sensor["nominalSensor2Rig_FLU"]
    turned = SE3.from_roll_pitch_yaw_deg(pose["roll-pitch-yaw"].array(3), pose["t"].array(3))
    ego_from_camera = SE3((turned @ CAMERA_FROM_FLU.inverse()).rotation, turned.translation_m)
    width_px, height_px = properties["width"].integer(), properties["height"].integer()
    try:
        lens = _lens(properties)
        if "drivesim" in sensor:
            exact = sensor["drivesim"]
            name, lens = _exact_name(exact, name), _exact_lens(exact, lens)
            ego_from_camera = _exact_pose(exact, ego_from_camera)
        if corrected:
            ego_from_camera = _corrected(sensor, ego_from_camera)
        return Camera(name, lens, width_px, height_px, ego_from_camera)
    except FrameError as error:
        allowed = "The size must be positive, and the lens must move larger angles further out."
        raise properties.error(str(error), allowed) from error


def _corrected(sensor: Node, ego_from_camera: SE3) -> SE3:
    """ego_from_camera after calibration: R = nominal correction, t = nominal + correction."""
    rotation, translation_m = ego_from_camera.rotation, ego_from_camera.translation_m
    if "correction_sensor_R_FLU" in sensor:
        turn = SE3.from_roll_pitch_yaw_deg(sensor["correction_sensor_R_FLU"]["roll-pitch-yaw"].array(3), np.zeros(3))
        rotation = (SE3(rotation, np.zeros(3)) @ CAMERA_FROM_FLU @ turn @ CAMERA_FROM_FLU.inverse()).rotation
    if "correction_rig_T" in sensor:
        translation_m = translation_m + sensor["correction_rig_T"].array(3)
    return SE3(rotation, translation_m)


def _lens(properties: Node) -> Lens:
    model = properties["Model"].text().lower()
    if model == "ftheta":
        return _ftheta(properties)
    if model not in _PLAIN_LENSES:
        raise properties["Model"].error(f"unknown lens {model}", f"Allowed are {_MODELS}.")
    kind = _PLAIN_LENSES[model]
    names = {f"{name}_px": name for name in ("fx", "fy", "cx", "cy")} | {name: name for name in _distortion(kind)}
    return kind(**{field: properties[name].number() for field, name in names.items()})


def _ftheta(properties: Node) -> FTheta:
    key = "polynomial" if "polynomial" in properties else "bw-poly"
    coefficients = _numbers(properties[key])
    if not 2 <= len(coefficients) <= _COEFFICIENTS:
        raise properties[key].error(f"{len(coefficients)} coefficients", f"2 to {_COEFFICIENTS} are allowed.")
    padded = coefficients + (0.0,) * (_COEFFICIENTS - len(coefficients))
    linear = [properties[f"linear-{n}"].number() if f"linear-{n}" in properties else None for n in "cde"]
    c, d, e = (given if given is not None else usual for given, usual in zip(linear, (1.0, 0.0, 0.0), strict=True))
    direction = _direction(properties, key, coefficients)
    return FTheta(properties["cx"].number(), properties["cy"].number(), padded, direction, c, d, e)


def _direction(properties: Node, key: str, coefficients: tuple[float, ...]) -> FThetaDirection:
    if key == "bw-poly":
        return _BACKWARD
    if "polynomial-type" not in properties:
        return _BACKWARD if abs(coefficients[1]) < 1 else _FORWARD
    word = properties["polynomial-type"].text()
    if word == _BACKWARD:
        return _BACKWARD
    if word == _FORWARD:
        return _FORWARD
    raise properties["polynomial-type"].error(f"unknown direction {word}", f"Allowed are {_BACKWARD}, {_FORWARD}.")


def _numbers(node: Node) -> tuple[float, ...]:
    words = node.text().split()
    return tuple(Node(word, node.file, node.document, f"{node.path}[{i}]").number() for i, word in enumerate(words))


def _exact_name(exact: Node, name: str) -> str:
    own = exact["name"].text()
    return own if canonical_camera_name(own) == name else name


def _exact_pose(exact: Node, nominal: SE3) -> SE3:
    rotation = exact["rotation"].array(3, 3)
    agrees = np.abs(rotation - nominal.rotation).max() <= _AGREEMENT
    return SE3(rotation, nominal.translation_m) if agrees else nominal


def _exact_lens(exact: Node, lens: Lens) -> Lens:
    if not isinstance(lens, FTheta):
        return lens
    count = exact["coefficients"].integer()
    if not 2 <= count <= _COEFFICIENTS:
        raise exact["coefficients"].error(f"{count} coefficients", f"2 to {_COEFFICIENTS} are allowed.")
    return lens if any(lens.polynomial[count:]) else replace(lens, polynomial=lens.polynomial[:count])


# -- writing --------------------------------------------------------------------------------------


def _sensor(camera: Camera) -> dict[str, Any]:
    ego_from_sensor = camera.ego_from_camera.rotation @ CAMERA_FROM_FLU.rotation
    with warnings.catch_warnings():
        # A camera that looks straight down has many equal roll-pitch-yaw; any of them is right.
        warnings.simplefilter("ignore", UserWarning)
        roll_pitch_yaw = Rotation.from_matrix(ego_from_sensor).as_euler("xyz", degrees=True)
    exact: dict[str, Any] = {"name": camera.name, "rotation": camera.ego_from_camera.rotation.tolist()}
    if isinstance(camera.lens, FTheta):
        exact["coefficients"] = len(camera.lens.polynomial)
    return {
        "name": rig_camera_name(camera.name),
        "properties": _properties(camera),
        "nominalSensor2Rig_FLU": {
            "t": camera.ego_from_camera.translation_m.tolist(),
            "roll-pitch-yaw": roll_pitch_yaw.tolist(),
        },
        "drivesim": exact,
    }


def _properties(camera: Camera) -> dict[str, str]:
    lens = camera.lens
    size = {"width": str(camera.width_px), "height": str(camera.height_px)}
    if isinstance(lens, FTheta):
        padded = (*lens.polynomial, *(0.0,) * (_COEFFICIENTS - len(lens.polynomial)))
        return {
            "Model": "ftheta",
            "cx": _exact(lens.cx_px),
            "cy": _exact(lens.cy_px),
            **size,
            "polynomial": " ".join(_exact(k) for k in padded),
            "polynomial-type": lens.direction,
            "linear-c": _exact(lens.linear_c),
            "linear-d": _exact(lens.linear_d),
            "linear-e": _exact(lens.linear_e),
        }
    model = next(word for word, kind in _PLAIN_LENSES.items() if isinstance(lens, kind))
    return {"Model": model, **{n.removesuffix("_px"): _exact(v) for n, v in asdict(lens).items()}, **size}


def _exact(number: float) -> str:
    """Shortest text that reads back as the same number (at most 17 significant digits)."""
    return repr(float(number))


def _distortion(kind: type[Pinhole | Brown | OpenCvFisheye]) -> tuple[str, ...]:
    return tuple(name for name in kind.__dataclass_fields__ if not name.endswith("_px"))
