"""The command line as a person meets it: every line, every mistake, every exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivesim import __version__, pipeline, sources
from drivesim.options import Kind, PaletteChoice
from render.controls import ControlRenderer
from render.palette import LAYERS, PALETTE_NAMES
from render.video import probe
from scenegraph.formats import KINDS

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--size", "64x36")
RIGS = "argoverse-ring-7, cosmos-ftheta-7, nuscenes-6"
FORMATS = "Give the folder of one log of argoverse2, clipgt, nuscenes or rds-hq, or a .json file of scenarionet."
Hashes = Callable[[Path], dict[str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- what the commands say ----------------------------------------------------------------------------


def test_help_fits_on_a_screen_and_names_every_command(drivesim_command: Any) -> None:
    for arguments in (["-h"], ["--help"], []):
        done = drivesim_command(*arguments)
        assert (done.code, done.out if arguments else done.err)[0] == (0 if arguments else 2)
        text = done.out + done.err
        assert "...\n" not in text.replace("[ARGS]...\n", ""), "a summary is cut off"
        for name in ("info", "render", "preview", "import", "rigs", "demo"):
            assert f"\n  {name} " in text


@pytest.mark.parametrize("command", ["info", "render", "preview", "import", "rigs", "demo"])
def test_every_command_has_help(drivesim_command: Any, command: str) -> None:
    done = drivesim_command(command, "-h")
    assert done.code == 0
    assert done.out.startswith(f"Usage: drivesim {command} ")


def test_the_choices_are_those_of_the_packages_below(drivesim_command: Any) -> None:
    assert tuple(kind.value for kind in Kind) == KINDS
    assert tuple(palette.value for palette in PaletteChoice) == PALETTE_NAMES
    shown = " ".join(drivesim_command("render", "-h").out.split())
    assert f"Draw only these of {', '.join(LAYERS)}." in shown


def test_the_version_is_printed(drivesim_command: Any) -> None:
    assert drivesim_command("--version").out == f"drivesim {__version__}\n"


def test_info_says_what_a_log_holds(drivesim_command: Any, scene_folder: Path) -> None:
    done = drivesim_command("info", scene_folder)
    assert done.code == 0
    assert done.err == ""
    assert (
        done.out
        == """\
built-in-crossing: 2.0 s, 76 map elements, 10 actors, 3 cameras
  frames: 61, 30 per second
  format: built-in
  licence: Apache-2.0
Map
  layer            elements
  lane_segments          16
  lane_lines             20
  road_boundaries        12
  crosswalks              4
  stop_lines              4
  poles                   8
  road_markings           4
  traffic_lights          4
  traffic_signs           4
Actors
  class       tracks
  Car              5
  Cyclist          1
  Others           1
  Pedestrian       2
  Truck            1
Cameras
  view  name   lens     size    overlaps views
     0  front  Pinhole  160x90  1, 2
     1  left   Pinhole  160x90  0
     2  right  Pinhole  160x90  0
"""
    )


def test_info_reads_logs_without_cameras(drivesim_command: Any, shared_data: Path) -> None:
    done = drivesim_command("info", shared_data / "rds_hq")
    assert done.code == 0
    first, second, *_ = done.out.splitlines()
    assert first.endswith(": 10.0 s, 620 map elements, 0 actors, 0 cameras")
    assert second == "  frames: 300, as recorded by its cameras"
    assert done.out.endswith("Actors\n  none\nCameras\n  none\n")


def test_rigs_are_listed_with_their_cameras(drivesim_command: Any) -> None:
    done = drivesim_command("rigs")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "Rigs"
    assert [line.split()[0] for line in lines[2:]] == RIGS.split(", ")
    assert lines[-1].endswith("CAM_FRONT, CAM_FRONT_RIGHT, CAM_BACK_RIGHT, CAM_BACK, CAM_BACK_LEFT, CAM_FRONT_LEFT")


def test_render_writes_and_then_keeps(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    arguments = ("render", scene_folder, *SMALL, "--frames", "0:5")
    done = drivesim_command(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out == "out/built-in-crossing: 3 control videos of 5 frames\n"
    (here / "out/built-in-crossing/left.mp4").unlink()
    again = drivesim_command(*arguments)
    assert again.out == "out/built-in-crossing: 3 control videos of 5 frames, 2 of them there already\n"
    again = drivesim_command(*arguments)
    assert again.out == "out/built-in-crossing: 3 control videos of 5 frames, all there already\n"


def test_render_takes_every_option(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    done = drivesim_command(
        *("render", scene_folder, "-o", "x", "--kind", "clipgt", "--clip", "built-in-crossing", "--rig", "nuscenes-6"),
        *("--cameras", "CAM_BACK, CAM_FRONT", "--fps", "10", "--start", "0.5", "--seconds", "0.1", *SMALL),
        *("--palette", "hdmap-v1", "--layers", "lane_lines, actors", "--lossless", "--workers", "1", "--overwrite"),
    )
    assert done.out == "x/built-in-crossing: 2 control videos of 1 frame\n"
    found = json.loads((here / "x/built-in-crossing/clip.json").read_text())
    assert [camera["name"] for camera in found["cameras"]] == ["CAM_BACK", "CAM_FRONT"]
    assert (found["fps"], found["timestamps_us"]) == (10.0, [500_000])
    assert (found["palette"], found["layers"]) == ("hdmap-v1", ["lane_lines", "actors"])
    assert found["storage"] == "h264 lossless rgb"
    assert probe(here / "x/built-in-crossing/CAM_BACK.mp4").width_px == 64


def test_render_reads_real_logs_of_every_kind(drivesim_command: Any, shared: Path, here: Path) -> None:
    for log, cameras, extra in (
        ("data/nuscenes_scene-0061", 6, ()),
        ("data/rds_hq", 7, ("--rig", "cosmos-ftheta-7")),
        ("golden/render/clipgt/parquet", 3, ()),
        ("golden/render/rdshq/rds", 2, ()),
    ):
        done = drivesim_command("render", shared / log, "--frames", ":1", *SMALL, *extra)
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith(f": {cameras} control videos of 1 frame\n")


def test_render_takes_a_rig_file(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    (here / "mine.yaml").write_text(
        "version: 1\ncameras:\n  - name: top\n    width_px: 64\n    height_px: 36\n"
        "    lens: {kind: pinhole, fx_px: 30.0, fy_px: 30.0, cx_px: 31.5, cy_px: 17.5}\n"
        "    position: {x_m: 0.0, y_m: 0.0, z_m: 3.0}\n    orientation: {pitch_deg: 10.0}\n"
    )
    done = drivesim_command("render", scene_folder, "--rig", "mine.yaml", "--frames", ":2")
    assert done.out == "out/built-in-crossing: 1 control video of 2 frames\n"


def test_preview_says_what_it_wrote(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    done = drivesim_command("preview", scene_folder, "-o", "p.png", "--cameras", "front")
    assert (done.code, done.out, done.err) == (0, "p.png: 1 frame of 1 camera\n", "")
    done = drivesim_command("preview", scene_folder, "--fps", "10", "--frames", ":2")
    assert (done.code, done.out, done.err) == (0, "preview.mp4: 2 frames of 3 cameras\n", "")


def test_overlay_draws_on_recorded_pictures(drivesim_command: Any, shared_data: Path, here: Path) -> None:
    done = drivesim_command("preview", shared_data / "nuscenes_scene-0061", "--overlay", "-o", "p.png")
    assert (done.code, done.out, done.err) == (0, "p.png: 1 frame of 6 cameras\n", "")


def test_import_converts_and_replaces_only_when_told(
    drivesim_command: Any, scene_folder: Path, here: Path, hashes: Hashes
) -> None:
    done = drivesim_command("import", "clipgt", scene_folder, "-o", "scene")
    assert (done.code, done.err) == (0, "")
    assert done.out == "scene: 2.0 s, 76 map elements, 10 actors, 3 cameras\n"
    assert hashes(here / "scene") == hashes(scene_folder)
    before = hashes(here)
    again = drivesim_command("import", "clipgt", scene_folder, "-o", "scene")
    assert (again.code, again.out) == (2, "")
    assert again.err == (
        "drivesim: scene: exists and is not empty. Add --overwrite to replace it, or choose another -o.\n"
    )
    assert hashes(here) == before
    assert drivesim_command("import", "clipgt", "scene", "-o", "scene", "--overwrite").code == 0
    assert hashes(here) == before


def test_an_imported_argoverse_log_renders_to_the_bytes_of_the_log(
    drivesim_command: Any, av2_log: Path, here: Path, hashes: Hashes
) -> None:
    assert drivesim_command("import", "argoverse2", av2_log, "-o", "scene").out == (
        "scene: 15.5 s, 236 map elements, 107 actors, 7 cameras\n"
    )
    for log, out in ((av2_log, "direct"), ("scene", "imported")):
        done = drivesim_command("render", log, "-o", out, "--start", "3", "--seconds", "0.2", "--size", "160x120")
        assert done.out == f"{out}/{av2_log.name}: 7 control videos of 6 frames\n"
    direct = hashes(here / "direct")
    assert len(direct) == 8
    assert hashes(here / "imported") == direct


def test_demo_needs_nothing(drivesim_command: Any, here: Path) -> None:
    done = drivesim_command("demo", "--seconds", "0.1", *SMALL)
    assert (done.code, done.err) == (0, "")
    assert (here / "out/demo/built-in-crossing-preview.mp4").is_file()


# -- mistakes -----------------------------------------------------------------------------------------


def complaint(done: Any) -> str:
    """The one sentence of a command that was refused."""
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("drivesim: ")
    return str(done.err).removeprefix("drivesim: ").removesuffix("\n")


@pytest.mark.parametrize("command", ["info", "render", "preview"])
def test_what_is_no_log_is_refused(drivesim_command: Any, here: Path, command: str) -> None:
    (here / "file.txt").touch()
    (here / "empty").mkdir()
    assert complaint(drivesim_command(command, "nope")) == (
        "nope: is no folder here and no built-in scenario. Name the folder of a log, a scenario file, or one of: "
        "drivesim scenario list"
    )
    assert complaint(drivesim_command(command, "no/pe")) == f"no/pe: does not exist. {FORMATS}"
    assert complaint(drivesim_command(command, "file.txt")) == (
        f"file.txt: is a file, not the folder of a log. {FORMATS}"
    )
    assert complaint(drivesim_command(command, "empty")) == f"empty: is not a log of a known format. {FORMATS}"
    assert sorted(path.name for path in here.iterdir()) == ["empty", "file.txt"]


@pytest.mark.parametrize(
    ("log", "file", "sentence"),
    [
        ("data/av2_sensor/7fab2350-7eaf-3b7e-a39d-6937a4c1bede", "annotations.feather", "cannot be read as feather"),
        ("golden/render/clipgt/parquet", "synth-clip-0001.obstacle.parquet", "cannot be read as parquet"),
        (
            "golden/render/rdshq/rds",
            "3d_lanes/synth0002-aaaa-bbbb-cccc-000000000002_1000000000000_1000020000000.tar",
            "cannot be read as tar",
        ),
        ("data/nuscenes_scene-0061", "v1.0-mini/scene.json", "line 1 column 1: broken JSON (Expecting value)"),
    ],
)
def test_a_truncated_file_of_any_format_is_named(
    drivesim_command: Any, shared: Path, here: Path, log: str, file: str, sentence: str
) -> None:
    for original in (shared / log).rglob("*"):
        if original.is_file() and original.suffix != ".jpg":
            copy = here / "log" / original.relative_to(shared / log)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(original)
    broken = here / "log" / file
    content = broken.read_bytes()
    broken.unlink()
    broken.write_bytes(content[: len(content) // 2] if file.endswith(".feather") else b"")
    rest = "A complete JSON document is needed." if "JSON" in sentence else "It is truncated or damaged."
    for command in (["info", "log"], ["render", "log", "-o", "out"], ["import", _kind_of(log), "log", "-o", "out"]):
        assert complaint(drivesim_command(*command)) == f"log/{file}: {sentence}. {rest}"
    assert [path.name for path in here.iterdir()] == ["log"]


def _kind_of(log: str) -> str:
    return {"av2": "argoverse2", "par": "clipgt", "rds": "rds-hq", "nus": "nuscenes"}[
        log.split("/")[1 if log.startswith("data") else 3][:3]
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--clip", "x"], "{log}: there is no clip 'x'. The folder holds built-in-crossing."),
        (
            ["--kind", "rds-hq"],
            "{log}: holds no clips. An RDS-HQ folder holds ATTRIBUTE/CLIP.tar, such as vehicle_pose/CLIP.tar.",
        ),
        (
            ["--rig", "nuscenes6"],
            "there is no built-in rig 'nuscenes6' (did you mean 'nuscenes-6'?). "
            f"Built-in: {RIGS}; or name a YAML file",
        ),
        (["--rig", "mine.yaml"], "mine.yaml: no such rig file"),
        (["--cameras", "frnt"], "the rig has no camera 'frnt'; it has front, left, right"),
        (["--cameras", ""], "the rig has no camera ''; it has front, left, right"),
        (["--cameras", "left,left"], "rig: camera names must be unique, left occurs more than once"),
        (["--layers", "lanes"], f"there is no layer 'lanes'. Layers: {', '.join(LAYERS)}."),
        (["--layers", ""], f"there is no layer ''. Layers: {', '.join(LAYERS)}."),
        (
            ["--size", "1281x721"],
            "out/built-in-crossing/front.mp4: a video of 1281x721 is not possible, both sides must be even. "
            "Choose an even size, or a lossless video",
        ),
        (["--size", "0x0"], "a picture of 0x0 is not possible: sides are 1 to 8192 pixels"),
        (["--size", "64x100000"], "a picture of 64x100000 is not possible: sides are 1 to 8192 pixels"),
        (
            ["--frames", "0:99"],
            "built-in-crossing: frames 0:99 cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second",
        ),
        (["--frames", "10:5"], "frames 10:5 hold no frame, the second number must be larger"),
        (["--frames", "0:5", "--seconds", "1"], "give frame numbers, or a start and a length in seconds, not both"),
        (["--fps", "0"], "frames per second must be from 0.01 to 1000, got 0"),
        (["--fps=-10"], "frames per second must be from 0.01 to 1000, got -10"),
        (["--fps", "nan"], "frames per second must be from 0.01 to 1000, got nan"),
        (["--seconds", "0"], "the length must be above 0 s, got 0"),
        (["--seconds=-1"], "the length must be above 0 s, got -1"),
        (
            ["--seconds", "9"],
            "built-in-crossing: 0 to 9 s cannot be had, the clip has 61 frames, 2.0 s at 30 frames per second",
        ),
        (["--start=-1"], "the start must be 0 s or later, got -1"),
        (["-o", "{log}/built-in-crossing.lane.parquet"], "{log}/built-in-crossing.lane.parquet: is a file. "
         "Name a folder with -o."),
    ],
)  # fmt: skip
def test_a_mistaken_option_is_one_sentence_and_writes_nothing(
    drivesim_command: Any, scene_folder: Path, here: Path, arguments: list[str], sentence: str
) -> None:
    filled = [argument.format(log=scene_folder) for argument in arguments]
    done = drivesim_command("render", scene_folder, *filled)
    assert complaint(done) == sentence.format(log=scene_folder)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--size", "big", "Invalid value for --size: 'big' is not WIDTHxHEIGHT, such as 1280x720"),
        ("--size", "12", "Invalid value for --size: '12' is not WIDTHxHEIGHT, such as 1280x720"),
        ("--size", "-4x4", "Invalid value for --size: '-4x4' is not WIDTHxHEIGHT, such as 1280x720"),
        ("--size", "²x²", "Invalid value for --size: '²x²' is not WIDTHxHEIGHT, such as 1280x720"),
        ("--frames", "5", "Invalid value for --frames: '5' is not FIRST:STOP, such as 0:29"),
        ("--frames", "a:b", "Invalid value for --frames: 'a:b' is not FIRST:STOP, such as 0:29"),
        ("--frames", "-1:5", "Invalid value for --frames: '-1:5' is not FIRST:STOP, such as 0:29"),
        ("--frames", "²:³", "Invalid value for --frames: '²:³' is not FIRST:STOP, such as 0:29"),
    ],
)
def test_what_cannot_be_understood_is_refused_before_anything_is_read(
    drivesim_command: Any, here: Path, option: str, value: str, problem: str
) -> None:
    done = drivesim_command("render", "nope", f"{option}={value}")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "Usage: drivesim render [OPTIONS] {LOG}",
        "Try 'drivesim render -h' for help.",
        "",
        f"Error: {problem}",
    ]


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["render"], ["render", "x", "--nonsense"], ["render", "x", "--workers", "0"], ["info", "a", "b"],
     ["import", "waymo", "x", "-o", "y"], ["import", "clipgt", "x"], ["render", "x", "--fps", "fast"]],
)  # fmt: skip
def test_wrong_usage_is_tidy_too(drivesim_command: Any, here: Path, arguments: list[str]) -> None:
    done = drivesim_command(*arguments)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert lines[0].startswith("Usage: drivesim ")
    assert lines[-1].startswith("Error: ")
    assert "Traceback" not in done.err
    assert list(here.iterdir()) == []


def test_mistakes_in_a_rig_file_are_listed_with_their_places(
    drivesim_command: Any, scene_folder: Path, here: Path
) -> None:
    (here / "mine.yaml").write_text(
        "version: 1\ncameras:\n  - name: top\n    width_px: -64\n    height_px: 36\n"
        "    lens: {kind: pinhole, fx_px: wide, fy_px: 30.0, cx_px: 31.5, cy_px: 17.5}\n"
    )
    done = drivesim_command("render", scene_folder, "--rig", "mine.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "drivesim: mine.yaml:4:15  cameras[0].width_px: must be above 0, got -64",
        "mine.yaml:6:34  cameras[0].lens.fx_px: expected a number, got 'wide'",
    ]
    assert [path.name for path in here.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("command", ["render", "preview"])
def test_a_log_without_calibration_asks_for_a_rig(
    drivesim_command: Any, blind_folder: Path, here: Path, command: str
) -> None:
    for extra in ([], ["--cameras", "front"]):
        assert complaint(drivesim_command(command, blind_folder, *extra)) == (
            f"{blind_folder}: the log has no camera calibration. Name cameras with --rig: a YAML file, or {RIGS}."
        )
    assert list(here.iterdir()) == []


def test_a_preview_of_another_kind_is_refused_before_anything_is_read(drivesim_command: Any, here: Path) -> None:
    assert complaint(drivesim_command("preview", "nope", "-o", "preview.gif")) == (
        "preview.gif: a preview is an .mp4 or a .png. Name one of these with -o."
    )


def test_overlay_without_pictures_is_refused(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    assert complaint(drivesim_command("preview", scene_folder, "--overlay")) == (
        f"{scene_folder}: no pictures were recorded with this log. Leave out --overlay."
    )
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "out", "sentence"),
    [
        ("import", "file", "file: is a file. Name a folder"),
        ("import", "file/deep", "file/deep: cannot be written: file is a file"),
        ("preview", "file/p.png", "file/p.png: cannot be written: file is a file"),
        ("preview", "folder.png", "folder.png: is a folder. Name a file"),
        ("render", "file", "file: is a file. Name a folder with -o."),
        ("demo", "file/deep", "file: is a file. Name a folder with -o."),
    ],
)
def test_a_target_in_the_way_is_named(
    drivesim_command: Any, scene_folder: Path, here: Path, command: str, out: str, sentence: str
) -> None:
    (here / "file").write_text("mine")
    (here / "folder.png").mkdir()
    source = {"import": ["clipgt", scene_folder], "demo": ["--log", scene_folder]}.get(command, [scene_folder])
    done = drivesim_command(command, *source, "-o", out)
    assert done.code == 2
    assert done.err == f"drivesim: {sentence}\n"
    assert (here / "file").read_text() == "mine"
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder.png"]


def test_other_settings_than_those_there_are_refused(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    assert drivesim_command("render", scene_folder, *SMALL, "--frames", ":2").code == 0
    assert complaint(drivesim_command("render", scene_folder, *SMALL, "--frames", ":3")) == (
        "out/built-in-crossing: holds control videos of other content or settings. "
        "Add --overwrite to replace them, or choose another -o."
    )
    done = drivesim_command("render", scene_folder, *SMALL, "--frames", ":3", "--overwrite")
    assert done.out == "out/built-in-crossing: 3 control videos of 3 frames\n"


def test_brackets_in_a_path_are_kept(drivesim_command: Any, scene_folder: Path, here: Path) -> None:
    done = drivesim_command("render", scene_folder, *SMALL, "--frames", ":1", "-o", "a[bold]b")
    assert done.out == "a[bold]b/built-in-crossing: 3 control videos of 1 frame\n"
    assert complaint(drivesim_command("info", "[/red]")).startswith("[/red]: does not exist.")


# -- trouble outside, and bugs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EACCES, "Permission denied"),
        (errno.EROFS, "Read-only file system"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_trouble_of_the_system_is_one_sentence(
    drivesim_command: Any,
    scene_folder: Path,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    sentence: str,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sources, "load_scene", refuse)
    assert complaint(drivesim_command("info", scene_folder)) == sentence


def test_a_full_disk_is_one_sentence_that_names_the_file(
    drivesim_command: Any, scene_folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    done = drivesim_command("render", scene_folder, *SMALL, "--png", "--workers", "1")
    assert complaint(done) == "out/built-in-crossing/front: cannot be written: No space left on device"
    assert [path.name for path in (here / "out/built-in-crossing").iterdir()] == [".settings.json"]
    monkeypatch.setattr(Path, "write_text", refuse)
    done = drivesim_command("render", scene_folder, *SMALL, "-o", "other")
    assert complaint(done) == "other/built-in-crossing/.settings.json: cannot be written: No space left on device"
    assert list((here / "other/built-in-crossing").iterdir()) == []


@pytest.mark.parametrize("bug", [RuntimeError, ValueError, KeyError, FileNotFoundError, AssertionError])
def test_a_bug_keeps_its_traceback(
    drivesim_command: Any, scene_folder: Path, monkeypatch: pytest.MonkeyPatch, bug: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise bug("a bug")

    monkeypatch.setattr(sources, "load_scene", fail)
    with pytest.raises(bug, match="a bug"):
        drivesim_command("info", scene_folder)


def test_a_bug_in_a_thread_keeps_its_traceback(
    drivesim_command: Any, scene_folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        assert threading.current_thread() is not threading.main_thread()
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ControlRenderer, "frame", fail)
    with pytest.raises(ZeroDivisionError) as error:
        drivesim_command("render", scene_folder, *SMALL)
    assert error.traceback[-1].name == "fail"


def test_a_bug_ends_with_one_and_shows_where(scene_folder: Path) -> None:
    code = (
        "import sys; from drivesim import cli, sources\n"
        "def load_scene(*_, **__): raise ValueError('a bug')\n"
        f"sources.load_scene = load_scene; sys.argv = ['drivesim', 'info', {str(scene_folder)!r}]; cli.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("ValueError: a bug\n")


@pytest.mark.parametrize("moment", ["reading", "drawing"])
def test_ctrl_c_ends_with_130(
    drivesim_command: Any, scene_folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    if moment == "reading":
        monkeypatch.setattr(sources, "load_scene", interrupt)
    else:
        monkeypatch.setattr(pipeline, "control_videos", interrupt)
    done = drivesim_command("render", scene_folder, *SMALL)
    assert (done.code, done.out) == (130, "")
    assert done.err == "drivesim: stopped. What was finished stays, nothing half-written is left.\n"
