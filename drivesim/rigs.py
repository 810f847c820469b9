"""Camera rigs as YAML files: cameras in view order, each with a lens and a place on the vehicle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from ruamel.yaml import YAML

from scenegraph import (
    CAMERA_FROM_FLU,
    SE3,
    Brown,
    Camera,
    CameraRig,
    FrameError,
    FTheta,
    Lens,
    OpenCvFisheye,
    Pinhole,
)
from scenegraph.lens import FThetaDirection
from scenegraph.publish import atomic_file

from .errors import SourceError
from .paths import find_config
from .yaml_files import FileModel, load_yaml

_Row = tuple[float, float, float, float]
LensOfLog = tuple[Lens, int, int]


class PinholeFile(FileModel):
    """No distortion."""

    kind: Literal["pinhole"]
    fx_px: PositiveFloat
    fy_px: PositiveFloat
    cx_px: float
    cy_px: float

    def lens(self) -> Pinhole:
        """The lens itself."""
        return Pinhole(**self.model_dump(exclude={"kind"}))


class BrownFile(FileModel):
    """Pinhole with Brown-Conrady distortion, OpenCV's names."""

    kind: Literal["brown"]
    fx_px: PositiveFloat
    fy_px: PositiveFloat
    cx_px: float
    cy_px: float
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def lens(self) -> Brown:
        """The lens itself."""
        return Brown(**self.model_dump(exclude={"kind"}))


class FisheyeFile(FileModel):
    """OpenCV's fisheye model."""

    kind: Literal["fisheye"]
    fx_px: PositiveFloat
    fy_px: PositiveFloat
    cx_px: float
    cy_px: float
    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0

    def lens(self) -> OpenCvFisheye:
        """The lens itself."""
        return OpenCvFisheye(**self.model_dump(exclude={"kind"}))


class FThetaFile(FileModel):
    """A polynomial between ray angle and distance from the principal point, coefficients by rising power."""

    kind: Literal["ftheta"]
    cx_px: float
    cy_px: float
    direction: FThetaDirection
    polynomial: tuple[float, ...] = Field(min_length=2, max_length=6)
    linear_c: float = 1.0
    linear_d: float = 0.0
    linear_e: float = 0.0

    @model_validator(mode="after")
    def _is_a_lens(self) -> Self:
        self.lens()
        return self

    def lens(self) -> FTheta:
        """The lens itself."""
        return FTheta(**self.model_dump(exclude={"kind"}))


class LensOfLogFile(FileModel):
    """The lens and size of the log's camera of the same name, for logs that have lenses but no poses."""

    kind: Literal["from_log"]


_LensFile = Annotated[
    PinholeFile | BrownFile | FisheyeFile | FThetaFile | LensOfLogFile,
    Field(discriminator="kind"),
]


class PositionFile(FileModel):
    """Where the optical centre is on the vehicle: metres forward, left and up from the rear axle on the ground."""

    x_m: float
    y_m: float
    z_m: float


class OrientationFile(FileModel):
    """Turn of a sensor that looks along its x axis, y left, z up: about x, then y, then z of the vehicle."""

    roll_deg: float = 0.0
    pitch_deg: float = 0.0
    yaw_deg: float = 0.0


class CameraFile(FileModel):
    """One camera: a size in pixels, a lens, and either position with orientation or the matrix ego_from_camera.

    ego_from_camera: 4x4, from camera axes (x right, y down, z forward) to the vehicle (x forward, y left, z up).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    width_px: PositiveInt | None = None
    height_px: PositiveInt | None = None
    lens: _LensFile
    position: PositionFile | None = None
    orientation: OrientationFile | None = None
    ego_from_camera: tuple[_Row, _Row, _Row, _Row] | None = None

    @model_validator(mode="after")
    def _is_a_camera(self) -> Self:
        given = tuple(part is not None for part in (self.position, self.orientation, self.ego_from_camera))
        if given not in {(True, True, False), (False, False, True)}:
            raise ValueError("give either position and orientation, or ego_from_camera")
        sized = {self.width_px is not None, self.height_px is not None}
        if isinstance(self.lens, LensOfLogFile):
            if sized != {False}:
                raise ValueError("a lens of kind from_log brings its size: leave out width_px and height_px")
            self.pose()
        elif sized != {True}:
            raise ValueError("width_px and height_px are needed, only a lens of kind from_log brings its size")
        else:
            self.camera({})
        return self

    def pose(self) -> SE3:
        """ego_from_camera."""
        if self.ego_from_camera is not None:
            return SE3.from_matrix(np.array(self.ego_from_camera))
        assert self.position is not None
        assert self.orientation is not None
        at, turn = self.position, self.orientation
        ego_from_sensor = SE3.from_roll_pitch_yaw_deg(
            [turn.roll_deg, turn.pitch_deg, turn.yaw_deg], [at.x_m, at.y_m, at.z_m]
        )
        return ego_from_sensor @ CAMERA_FROM_FLU.inverse()

    def camera(self, lenses: Mapping[str, LensOfLog]) -> Camera:
        """The camera itself; ``lenses`` holds lens, width and height of the log's cameras."""
        if isinstance(self.lens, LensOfLogFile):
            return Camera(self.name, *lenses[self.name], self.pose())
        assert self.width_px is not None
        assert self.height_px is not None
        return Camera(self.name, self.lens.lens(), self.width_px, self.height_px, self.pose())


class RigFile(FileModel):
    """A rig: its cameras in view order."""

    version: Literal[1]
    description: str = ""
    cameras: tuple[CameraFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [camera.name for camera in self.cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"camera names must be unique, {', '.join(twice)} occurs more than once")
        return self


def find_rig(name_or_path: str | Path) -> Path:
    """The file of a built-in rig, or the path itself."""
    return find_config("rigs", name_or_path)


def load_rig(path: Path | str) -> CameraRig:
    """Read a rig whose lenses are all in the file."""
    return resolve_rig(path, dict)


def resolve_rig(path: Path | str, read_lenses: Callable[[], Mapping[str, LensOfLog]]) -> CameraRig:
    """Read a rig; cameras with a lens of kind from_log take lens, width and height of the same name from the log.

    read_lenses: gives what the log has by camera name; not called for a rig whose lenses are all in the file, so
    that a log with no or broken lenses can be filmed with it.
    """
    cameras = load_yaml(path, RigFile).cameras
    borrowed = [camera.name for camera in cameras if isinstance(camera.lens, LensOfLogFile)]
    lenses = read_lenses() if borrowed else {}
    missing = [name for name in borrowed if name not in lenses]
    if missing:
        raise SourceError(
            f"{path}: {', '.join(missing)}: the lens is to come from the log (kind: from_log), but the log has "
            f"none of that name. It has {', '.join(sorted(lenses)) or 'no lenses'}"
        )
    try:
        return CameraRig(tuple(camera.camera(lenses) for camera in cameras))
    except FrameError as error:
        raise SourceError(f"{path}: with the lens of the log: {error}") from error


def save_rig(rig: CameraRig, path: Path | str) -> None:
    """Write a rig as YAML; reading it gives the same numbers bit for bit."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 1000
    content = {"version": 1, "cameras": [_camera_content(camera) for camera in rig]}
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _camera_content(camera: Camera) -> dict[str, Any]:
    return {
        "name": camera.name,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "lens": _lens_content(camera.lens),
        "ego_from_camera": camera.ego_from_camera.matrix.tolist(),
    }


def _lens_content(lens: Lens) -> dict[str, Any]:
    kinds = {Pinhole: "pinhole", Brown: "brown", OpenCvFisheye: "fisheye", FTheta: "ftheta"}
    content = {"kind": kinds[type(lens)]} | {field.name: getattr(lens, field.name) for field in fields(lens)}
    return {name: _yaml_value(value) for name, value in content.items()}


def _yaml_value(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return [float(v) for v in value] if isinstance(value, tuple) else float(value)
