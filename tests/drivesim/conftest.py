"""The command line called in this process, and a small scene to call it on."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from drivesim.cli import main
from scenegraph import CAMERA_FROM_FLU, SE3, Camera, CameraRig, Pinhole, Scene
from scenegraph.formats.clipgt import write_clipgt
from scenegraph.roads import crossing_scene


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


CommandLine: TypeAlias = Callable[..., Outcome]


@pytest.fixture
def drivesim_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """``drivesim ARGUMENTS`` as a terminal-less shell would run it."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "DRIVESIM_DEMO_LOG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["drivesim", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return Outcome(int(end.value.code or 0), out, err)

    return run


def _camera(name: str, yaw_deg: float) -> Camera:
    ego_from_sensor = SE3.from_roll_pitch_yaw_deg([0.0, 2.0, yaw_deg], [1.5, 0.0, 1.6])
    lens = Pinhole(fx_px=80.0, fy_px=80.0, cx_px=79.5, cy_px=44.5)
    return Camera(name, lens, 160, 90, ego_from_sensor @ CAMERA_FROM_FLU.inverse())


@pytest.fixture(scope="session")
def scene() -> Scene:
    """Two seconds of the built-in crossing, filmed to the front, left and right."""
    cameras = (_camera("front", 0.0), _camera("left", 75.0), _camera("right", -75.0))
    return crossing_scene(2.0).with_rig(CameraRig(cameras))


@pytest.fixture(scope="session")
def scene_folder(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same scene as a folder."""
    folder = tmp_path_factory.mktemp("scenes") / "crossing"
    write_clipgt(scene, folder)
    return folder


@pytest.fixture(scope="session")
def blind_folder(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same scene without cameras."""
    folder = tmp_path_factory.mktemp("scenes") / "blind"
    write_clipgt(scene.with_rig(CameraRig(())), folder)
    return folder


@pytest.fixture(scope="session")
def hashes() -> Callable[[Path], dict[str, str]]:
    """sha256 of every file below a folder, hidden ones too."""

    def of(folder: Path) -> dict[str, str]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    return of
