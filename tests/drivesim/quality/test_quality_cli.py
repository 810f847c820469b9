"""The command on clips of the echo generator and of the reference world, and on folders that hold none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

CLIP = "built-in-crossing"


@pytest.fixture
def echo(drivesim_command: Any, scene_folder: Path, tmp_path: Path) -> Path:
    """A clip that shows its control videos, in two chunks."""
    made = drivesim_command(
        "generate", scene_folder, "--echo", "-o", tmp_path, "--size", "256x144", "--frames", "0:9", "--chunk", "5",
        "--overlap", "1",
    )  # fmt: skip
    assert made.code == 0, made.err
    return tmp_path / CLIP


def test_a_generated_clip_is_measured(drivesim_command: Any, scene_folder: Path, echo: Path, tmp_path: Path) -> None:
    out = tmp_path / "quality.json"
    done = drivesim_command("quality", scene_folder, echo, "-o", out)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Quality\n") and "\nDrift\n" in done.out
    figures = json.loads(out.read_text())[str(echo)]
    assert figures["clips"] == 1 and len(figures["colour_shift"]) == 2
    assert figures["figures"]["boxes"]["count"] == 9  # the car ahead in every frame
    assert figures["figures"]["lane lines"]["count"] == 21  # to the front and left, later to the right


def test_a_clip_of_the_reference_world_is_measured_beside_it(
    drivesim_command: Any, scene_folder: Path, tmp_path: Path
) -> None:
    filmed = drivesim_command(
        "world", scene_folder, "-o", tmp_path, "--size", "128x64", "--frames", "0:2", "--no-depth", "--workers", "1"
    )
    assert filmed.code == 0, filmed.err
    shutil.copytree(tmp_path / CLIP, tmp_path / "other")
    done = drivesim_command("quality", scene_folder, tmp_path / CLIP, "--against", tmp_path / "other")
    assert done.code == 0, done.err
    first, second = (line.split() for line in done.out.splitlines() if line.startswith("  lane lines"))
    assert (first[3], second[3]) == (str(tmp_path / CLIP), str(tmp_path / "other"))
    assert first[4:] == second[4:] and int(first[4]) > 0
    assert "Drift" not in done.out


def test_a_clip_of_another_scene_is_refused(drivesim_command: Any, scene_folder: Path, echo: Path) -> None:
    described = json.loads((echo / "clip.json").read_text())
    (echo / "clip.json").write_text(json.dumps(described | {"content": "0" * 64}))
    done = drivesim_command("quality", scene_folder, echo)
    assert done.code == 2
    assert done.err == (
        f"drivesim: {echo}: was made of {CLIP}, with other content than {CLIP}. "
        "Name the scene with the same --clip, --rig and --set as then\n"
    )


def test_a_folder_without_a_whole_clip_is_refused(drivesim_command: Any, scene_folder: Path, tmp_path: Path) -> None:
    done = drivesim_command("quality", scene_folder, tmp_path)
    assert (done.code, done.err) == (
        2,
        f"drivesim: {tmp_path}: holds no whole clip (no clip.json). Name a folder of drivesim generate or world\n",
    )


def test_a_clip_without_a_scene_is_refused(drivesim_command: Any, scene_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.json").write_text(json.dumps({"drivesim": "1", "cameras": []}))
    done = drivesim_command("quality", scene_folder, tmp_path)
    assert (done.code, done.err) == (
        2,
        f"drivesim: {tmp_path / 'clip.json'}: does not say which cameras it was made for, "
        "as clips of videos made elsewhere. Name a clip of a scene\n",
    )


def test_a_damaged_description_names_the_file(drivesim_command: Any, scene_folder: Path, echo: Path) -> None:
    described = json.loads((echo / "clip.json").read_text())
    del described["cameras"][0]["lens"]
    (echo / "clip.json").write_text(json.dumps(described))
    done = drivesim_command("quality", scene_folder, echo)
    assert (done.code, done.err) == (
        2,
        f"drivesim: {echo / 'clip.json'}: is damaged: KeyError('lens'). Generate the clip again\n",
    )


def test_a_missing_video_names_the_file(drivesim_command: Any, scene_folder: Path, echo: Path) -> None:
    (echo / "left.mp4").unlink()
    done = drivesim_command("quality", scene_folder, echo)
    assert done.code == 2
    assert done.err == (
        f"drivesim: {echo / 'left.mp4'}: cannot be read: No such file or directory. Generate the clip again\n"
    )
