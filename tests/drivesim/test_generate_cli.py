"""The generate command as a person meets it: whole clips with tiny weights, dry runs, and every mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tiny_models import tiny_config, write_tiny_weights

from models import cost
from models.checkpoint import weights_digest
from render.video import VideoWriter, frames, probe, read_image, read_video
from scenegraph.formats.images import recorded_images

ROOT = Path(__file__).resolve().parents[2]
CLIP = "built-in-crossing"
SMALL = ("--size", "64x32", "--frames", "0:5")
TEXTS = ("A street.", "Dusk.", "Night.", "ahead", "to the left", "to the right")
Hashes = Callable[[Path], dict[str, str]]
Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For any rig, by its rays: neighbouring views see each other."""
    folder = tmp_path_factory.mktemp("weights") / "rays"
    write_tiny_weights(folder, TEXTS, tiny_config("neighbours", "rays", width_px=64, height_px=32, clip_frames=5))
    return folder


@pytest.fixture(scope="session")
def joint_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the seven cameras of the reference."""
    folder = tmp_path_factory.mktemp("weights") / "joint"
    write_tiny_weights(folder, TEXTS, tiny_config("joint", "channels", width_px=64, height_px=32, clip_frames=5))
    return folder


@pytest.fixture
def generate(drivesim_command: Any, scene_folder: Path, weights: Path) -> Command:
    """``drivesim generate`` of the small scene with tiny weights, two steps, and one frame between chunks."""

    def run(*more: object, prompt: bool = True) -> Any:
        said = ("--prompt", TEXTS[0]) if prompt else ()
        usual = ("--weights", weights, *said, "--steps", 2, "--guidance", 1, "--overlap", 1, "--device", "cpu")
        return drivesim_command("generate", scene_folder, "-o", "out", *usual, *more)

    return run


def description(out: str = "out", clip: str = CLIP) -> Any:
    return json.loads((Path(out) / clip / "clip.json").read_text())


# -- a clip ---------------------------------------------------------------------------------------------


def test_a_scene_becomes_generated_videos(generate: Command, weights: Path, hashes: Hashes) -> None:
    done = generate("--seconds", 1.0, "--controls", "--seed", 3)
    assert (done.code, done.err) == (0, "note: 9 of 10 frames are taken: a clip has 4k+1\n")
    assert done.out == f"out/{CLIP}: 3 videos of 9 frames in 2 chunks\n"
    folder = Path("out") / CLIP
    assert sorted(path.name for path in folder.iterdir()) == [
        "clip.json", "controls", "front.mp4", "left.mp4", "mosaic.mp4", "mosaic.png", "preview.mp4", "right.mp4",
    ]  # fmt: skip
    for video in folder.rglob("*.mp4"):
        assert probe(video).frames == 9
    generated, control = (read_video(folder / part / "front.mp4") for part in ("", "controls"))
    assert generated.shape == (9, 32, 64, 3) and not np.array_equal(generated, control)
    assert len(set(hashes(folder).values())) == len(hashes(folder))

    written = description()["generation"]
    assert written["seed"] == 3 and written["sampling"]["steps"] == 2 and written["sampling"]["guidance"] == 1
    assert written["chunks"] == [[0, 5, 0], [4, 9, 1]]
    assert written["prompts"]["chunks"] == ["A street."]
    assert written["generator"]["kind"] == "multi-view"
    assert written["generator"]["weights"] == {"transformer_sha256": weights_digest(weights / "transformer")}
    assert written["versions"]["torch"] == torch.__version__

    before = hashes(Path())
    again = generate("--seconds", 1.0, "--controls", "--seed", 3)
    assert (again.code, again.out) == (0, f"out/{CLIP}: 3 videos of 9 frames in 2 chunks, all there already\n")
    assert hashes(Path()) == before

    other = generate("--seconds", 1.0, "--controls", "--seed", 4)
    assert other.code == 2 and other.out == ""
    assert other.err.splitlines()[-1] == (
        f"drivesim: out/{CLIP}: holds generated clips or control videos of other content or settings "
        "(generation.seed). Add --overwrite to replace them, or choose another -o."
    )
    assert hashes(Path()) == before
    assert generate("--seconds", 1.0, "--controls", "--seed", 4, "--overwrite").code == 0
    assert hashes(folder)["front.mp4"] != before[f"out/{CLIP}/front.mp4"]


@pytest.mark.parametrize("options", [(), pytest.param(("--hand-over", "latents"), marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_to_the_bytes_of_one_that_was_not(
    generate: Command, scene_folder: Path, weights: Path, hashes: Hashes, options: tuple[object, ...]
) -> None:
    arguments = ("--seconds", 1.3, "--cameras", "front,left", *options)
    assert generate(*arguments).code == 0
    expected = hashes(Path("out"))
    shutil.move("out", "uninterrupted")

    command = ["generate", scene_folder, "-o", "out", "--weights", weights, "--prompt", TEXTS[0], "--steps", 2]
    command += ["--guidance", 1, "--overlap", 1, "--device", "cpu", *arguments]
    code = f"""
import os, signal, sys
from drivesim.cli import main
from drivesim.clip_store import ClipStore

add = ClipStore.add

def add_and_die(self, chunk, *given):
    add(self, chunk, *given)
    if chunk.index == 1:
        os.kill(os.getpid(), signal.SIGKILL)

ClipStore.add = add_and_die
sys.argv = ["drivesim", *{[str(part) for part in command]!r}]
main()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(path.name for path in (Path("out") / CLIP).iterdir()) == [".chunks", ".settings.json"]
    done = generate(*arguments)
    assert done.out == f"out/{CLIP}: 2 videos of 13 frames in 3 chunks, 2 of them there already\n"
    assert hashes(Path("out")) == expected


def test_every_option_of_the_sampler_reaches_it(generate: Command) -> None:
    plain = generate(*SMALL, "--cameras", "front,left")
    assert plain.code == 0
    seen = {"plain": (Path("out") / CLIP / "front.mp4").read_bytes()}
    for options, expected in (
        (("--guide-span", "0:0.4"), {"guidance_span": [0.0, 0.4]}),
        (("--reuse", 5), {"cache_threshold": 5.0}),
        (("--control-weight", 0), {"control_weight": 0.0}),
        (("--attention", "int8"), {}),
    ):
        assert generate(*SMALL, "--cameras", "front,left", "--overwrite", *options).code == 0
        written = description()["generation"]
        assert {key: written["sampling"][key] for key in expected} == expected
        assert written["generator"]["attention"] == ("int8" if "int8" in options else "auto")
        seen[str(options[0])] = (Path("out") / CLIP / "front.mp4").read_bytes()
    assert len(set(seen.values())) == len(seen)


def test_weights_for_few_steps_run_without_guidance(drivesim_command: Any, scene_folder: Path, weights: Path) -> None:
    usual = ("generate", scene_folder, "--weights", weights, "--prompt", TEXTS[0], "--cameras", "front", "--student")
    done = drivesim_command(*usual, *SMALL, "--overlap", 1)
    assert done.code == 0
    sampling = description()["generation"]["sampling"]
    assert (sampling["sampler"], sampling["steps"], sampling["guidance"]) == ("student", 4, 0)
    refused = drivesim_command(*usual, *SMALL, "--steps", 5)
    assert (refused.code, refused.err) == (
        2,
        "drivesim: the student sampler takes 1 to 4 steps and guidance 0, got 5 steps and guidance 0\n",
    )


def test_prompts_per_camera_and_chunk_change_the_pictures(generate: Command) -> None:
    Path("cameras.yaml").write_text("cameras: {front: ahead, left: to the left, right: to the right}\n")
    Path("chunks.yaml").write_text("chunks: [{caption: Dusk.}, {caption: Night.}]\nnegative: A street.\n")
    seen = set()
    for file in ("cameras.yaml", "chunks.yaml"):
        done = generate("--frames", "0:9", "--prompts", file, "--overwrite", prompt=False)
        assert done.code == 0, done.err
        seen.add((Path("out") / CLIP / "front.mp4").read_bytes())
    assert description()["generation"]["prompts"] == {
        "chunks": ["Dusk.", "Night."],
        "negative": "A street.",
        "mode": "official",
    }
    assert len(seen) == 2


def test_cameras_rig_and_fit_decide_what_is_filmed(drivesim_command: Any, scene_folder: Path) -> None:
    usual = ("generate", scene_folder, "--echo", "--size", "32x32", "--frames", "0:1")
    assert drivesim_command(*usual, "-o", "some", "--cameras", "right,front", "--fit", "crop").code == 0
    written = description("some")
    assert [camera["name"] for camera in written["cameras"]] == ["right", "front"] and written["fit"] == "crop"
    lens = written["cameras"][0]["lens"]
    assert lens["fx_px"] == pytest.approx(lens["fy_px"])
    done = drivesim_command(*usual, "-o", "rig", "--rig", "nuscenes-6")
    assert done.out == f"rig/{CLIP}: 6 videos of 1 frame\n"
    assert "stretched to 32x32" in done.err


# -- dry runs -------------------------------------------------------------------------------------------


def test_a_dry_run_needs_no_torch(scene_folder: Path) -> None:
    code = f"""
import sys
from drivesim.cli import main
sys.argv = ["drivesim", "generate", {str(scene_folder)!r}, "-o", "out", "--echo", "--size", "64x32", "--frames", "0:1"]
try:
    main()
finally:
    heavy = sorted({{"torch", "diffusers", "transformers"}} & set(sys.modules))
    assert not heavy, heavy
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"out/{CLIP}: 3 videos of 1 frame\n"
    assert description()["generation"]["generator"] == {"kind": "echo"}


def test_known_frames_are_the_recorded_pictures(drivesim_command: Any, shared_data: Path) -> None:
    log = shared_data / "nuscenes_scene-0061"
    usual = ("generate", log, "--echo", "--size", "160x96", "--cameras", "CAM_FRONT,CAM_BACK", "--frames", "0:5")
    done = drivesim_command(*usual, "-o", "out", "--known", 1)
    assert done.code == 0, done.err
    assert drivesim_command(*usual, "-o", "plain").code == 0
    for name in ("CAM_FRONT", "CAM_BACK"):
        known, plain = (list(frames(Path(out) / "scene-0061" / f"{name}.mp4")) for out in ("out", "plain"))
        photo = read_image(recorded_images(log, "nuscenes")[name][0].path)
        small = cv2.resize(photo, (160, 96), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(known[0] - small).mean() < 5
        assert np.abs(plain[0] - small).mean() > 40
        assert np.abs(known[4].astype(int) - plain[4]).mean() < 3
    assert description(clip="scene-0061")["known_frames"] == [1, 1]


# -- the reference's specification ----------------------------------------------------------------------


def specification(folder: Path, name: str = "street", **more: Any) -> Path:
    """Two views whose control videos have nine frames of noise."""
    random = np.random.default_rng(0)
    for view in ("front", "rear", "real"):
        with VideoWriter(folder / f"{view}.mp4", 64, 32, 10, lossless=True) as writer:
            for picture in random.integers(0, 256, (9, 32, 64, 3), dtype=np.uint8):
                writer.write(picture)
    content = {
        "name": name,
        "prompt": "A street.",
        "num_steps": 2,
        "guidance": 1,
        "seed": 5,
        "num_conditional_frames": 0,
        "front_wide": {"control_path": "front.mp4", "input_path": "real.mp4"},
        "rear": {"control_path": "rear.mp4", "input_path": "real.mp4"},
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content | more))
    return path


def test_a_specification_is_generated_as_it_says(drivesim_command: Any, joint_weights: Path, here: Path) -> None:
    spec = specification(
        here, num_conditional_frames=1, enable_autoregressive=True, num_chunks=2, chunk_overlap=1, control_weight=0.5
    )
    done = drivesim_command("generate", spec, "-o", "out", "--weights", joint_weights, "--controls")
    assert (done.code, done.out, done.err) == (0, "out/street: 2 videos of 9 frames in 2 chunks\n", "")
    assert sorted(path.name for path in (here / "out" / "street").iterdir()) == [
        "clip.json", "controls", "front_wide.mp4", "mosaic.mp4", "mosaic.png", "rear.mp4",
    ]  # fmt: skip
    written = description(clip="street")
    assert written["view_ids"] == [0, 3] and written["known_frames"] == [1, 1]
    generation = written["generation"]
    assert generation["seed"] == 5 and generation["chunks"] == [[0, 5, 0], [4, 9, 1]]
    sampling = generation["sampling"]
    assert (sampling["steps"], sampling["guidance"], sampling["control_weight"]) == (2, 1, 0.5)
    again = drivesim_command("generate", spec, "-o", "out", "--weights", joint_weights, "--controls")
    assert again.out == "out/street: 2 videos of 9 frames in 2 chunks, all there already\n"


def test_every_line_of_a_specification_is_a_clip(drivesim_command: Any, here: Path, monkeypatch: Any) -> None:
    from models.request import Regime

    defaults = dict(zip(("width_px", "height_px", "clip_frames"), (64, 32, 5), strict=True))
    original = Regime.__init__
    monkeypatch.setattr(Regime, "__init__", lambda self, **given: original(self, **defaults | given))
    lines = [json.loads(specification(here, name).read_text()) for name in ("dawn", "dusk")]
    (here / "both.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = drivesim_command("generate", "both.jsonl", "-o", "out", "--echo")
    assert done.out == "out/dawn: 2 videos of 5 frames\nout/dusk: 2 videos of 5 frames\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--prompt", "x"), ("--prompts", "x.yaml"), ("--negative-prompt", "x"), ("--clip", "x"),
        ("--rig", "nuscenes-6"), ("--cameras", "front"), ("--corrected", None), ("--fps", 10), ("--frames", "0:5"),
        ("--start", 1), ("--seconds", 1), ("--size", "64x32"), ("--fit", "crop"), ("--known", 1), ("--seed", 1),
        ("--steps", 2), ("--guidance", 1), ("--control-weight", 1), ("--overlap", 1), ("--chunk", 5),
    ],
)  # fmt: skip
def test_a_specification_says_such_things_itself(drivesim_command: Any, option: str, value: object) -> None:
    given = (option,) if value is None else (option, value)
    done = drivesim_command("generate", "spec.json", "--echo", *given)
    assert done.code == 2 and not Path("out").exists()
    assert done.err.splitlines()[-1] == f"Error: Invalid value for {option}: is for scenes; spec.json says it itself"


def test_a_file_whose_kind_is_named_is_a_log(drivesim_command: Any, here: Path) -> None:
    done = drivesim_command("generate", specification(here), "--echo", "--kind", "clipgt")
    assert done.code == 2
    assert done.err.startswith(f"drivesim: {here}/street.json")


def test_a_sample_that_the_sampler_cannot_do_is_named_before_weights_are_read(
    drivesim_command: Any, here: Path
) -> None:
    done = drivesim_command("generate", specification(here), "--weights", "none", "--student")
    assert (done.code, done.err) == (
        2,
        "drivesim: street: the student sampler takes 1 to 4 steps and guidance 0, got 2 steps and guidance 1\n",
    )


def test_weights_that_need_geometry_refuse_a_specification(drivesim_command: Any, weights: Path, here: Path) -> None:
    done = drivesim_command("generate", specification(here), "--weights", weights)
    assert (done.code, done.err) == (
        2,
        "drivesim: street: these weights need camera geometry, which the specification lacks. Use a scene\n",
    )


# -- mistakes -------------------------------------------------------------------------------------------


BEFORE_LOADING: list[tuple[tuple[object, ...], str]] = [
    (("--frames", "0:30"), "30 frames are not 4k+1. Use 29 or 33"),
    (
        ("--size", "50x32"),
        "pictures of 50x32 are not possible: both sides must be multiples of 16, up to 8192. Try 48x32",
    ),
    (("--known", 3), "known frames: 3 frames are not 4k+1. Use 1 or 5"),
    (("--overlap", 2), "overlap: 2 frames are not 4k+1. Use 1 or 5"),
    (("--chunk", 8), "chunk: 8 frames are not 4k+1. Use 5 or 9"),
    (("--fps", 0), "frames per second must be from 0.01 to 1000, got 0"),
    (("--guidance", -1), "guidance: must be from 0 (off) to 100, got -1"),
    (("--control-weight", 2), "control weight: must be from 0 to 1, got 2"),
    (("--guide-span", "0.6:0.1"), "guidance span: must be two rising numbers from 0 to 1, got 0.6 and 0.1"),
    (("--reuse", 0), "cache threshold: must be above 0, got 0"),
    (("--cameras", "front,lefft"), "the rig has no camera 'lefft'; it has front, left, right"),
]


@pytest.mark.parametrize(("options", "sentence"), BEFORE_LOADING)
def test_a_mistake_is_found_before_weights_are_read(
    drivesim_command: Any, scene_folder: Path, options: tuple[object, ...], sentence: str
) -> None:
    done = drivesim_command("generate", scene_folder, "--weights", "none", "--prompt", "x", *options)
    assert (done.code, done.out, done.err) == (2, "", f"drivesim: {sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Missing argument 'SCENE'."),
        (("x",), "Invalid value for --weights: name a folder of weights, or --echo for a dry run without"),
        (
            ("x", "--weights", "w", "--echo"),
            "Invalid value for --echo: is a dry run without weights: leave out --weights",
        ),
        (
            ("x", "--weights", "w"),
            "Invalid value for --prompt: say what the clip shows, or give --prompts a file that does",
        ),
        (
            ("x", "--echo", "--prompt", "a", "--prompts", "b"),
            "Invalid value for --prompts: give --prompt or --prompts, not both",
        ),
        (("x", "--echo", "--size", "64"), "Invalid value for --size: '64' is not WIDTHxHEIGHT, such as 1280x720"),
        (("x", "--echo", "--frames", "5"), "Invalid value for --frames: '5' is not FIRST:STOP, such as 0:29"),
        (("x", "--echo", "--guide-span", "1"), "Invalid value for --guide-span: '1' is not FROM:TO, such as 0:0.6"),
        (
            ("x", "--echo", "--known", "1", "--rig", "nuscenes-6"),
            "Invalid value for --known: recorded pictures are of the log's own cameras: leave out --rig",
        ),
    ],
)
def test_a_misused_option_is_explained(drivesim_command: Any, arguments: tuple[object, ...], complaint: str) -> None:
    done = drivesim_command("generate", *arguments)
    assert done.code == 2 and done.out == ""
    assert done.err.splitlines()[-1] == f"Error: {complaint}"


@pytest.mark.parametrize(("option", "value"), [("--chunk", 0), ("--steps", 0), ("--known", -1), ("--seed", 2**32)])
def test_numbers_out_of_range_are_refused(drivesim_command: Any, option: str, value: int) -> None:
    done = drivesim_command("generate", "x", "--echo", option, value)
    assert done.code == 2
    assert re.search(rf"Invalid value for '?{option}'?: ", done.err)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("cameras: {front: a, left: b}", "prompts: no prompt for right. Give every camera one"),
        (
            "cameras: {front: a, left: b, rigth: c}",
            "prompts: there is no camera 'rigth' (did you mean 'right'?). The clip has front, left, right",
        ),
        ("{}", "prompts.yaml:1:1  give one of these: a caption, cameras with a prompt each, or chunks"),
    ],
)
def test_prompts_for_other_cameras_are_refused_before_weights_are_read(
    drivesim_command: Any, scene_folder: Path, content: str, sentence: str
) -> None:
    Path("prompts.yaml").write_text(content)
    done = drivesim_command("generate", scene_folder, "--weights", "none", "--prompts", "prompts.yaml")
    assert (done.code, done.err) == (2, f"drivesim: {sentence}\n")


def test_prompts_for_another_number_of_chunks_are_refused(generate: Command) -> None:
    Path("prompts.yaml").write_text("chunks: [{caption: Dusk.}, {caption: Night.}]")
    done = generate("--frames", "0:13", "--prompts", "prompts.yaml", prompt=False)
    assert (done.code, done.err) == (
        2,
        "drivesim: prompts: 2 chunks are described, but the clip has 3. Describe one or all\n",
    )
    assert not Path("out").exists()


def test_a_folder_of_weights_without_a_part_is_refused(generate: Command, weights: Path) -> None:
    shutil.copytree(weights, "cut")
    shutil.rmtree("cut/vae")
    done = generate("--weights", "cut")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        "drivesim: cut: has neither a folder vae nor a folder codec. It should hold transformer/ (or one .pt), vae/ or "
        "codec/, and text_encoder/, text_cache/ or text/; see data/README.md\n",
    )


def test_code_in_a_weights_file_is_not_run(generate: Command, weights: Path) -> None:
    shutil.copytree(weights, "evil")
    shutil.rmtree("evil/transformer")
    torch.save({"a": subprocess.Popen.__init__}, "evil/model.pt")
    done = generate("--weights", "evil")
    assert done.code == 2
    assert done.err.startswith("drivesim: evil/model.pt: holds code (")
    assert done.err.endswith("convert it with: drivesim weights convert --allow-pickle\n")


def test_more_cameras_than_the_weights_know_are_refused(
    drivesim_command: Any, scene_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    few = tmp_path_factory.mktemp("few") / "weights"
    config = tiny_config("joint", "channels", width_px=64, height_px=32, num_views=3)
    write_tiny_weights(few, TEXTS, config)
    done = drivesim_command("generate", scene_folder, "--weights", few, "--prompt", TEXTS[0], "--rig", "nuscenes-6")
    assert (done.code, done.err) == (
        2,
        "drivesim: 6 cameras, but the weights know 3 views: choose some with --cameras\n",
    )


def test_too_little_memory_is_said_before_anything_is_removed(
    generate: Command, hashes: Hashes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generate(*SMALL, "--cameras", "front").code == 0
    before = hashes(Path("out"))
    monkeypatch.setattr(cost, "free_bytes", lambda device: 10_000)
    done = generate(*SMALL, "--cameras", "front", "--seed", 1, "--overwrite")
    assert done.code == 2
    assert re.fullmatch(
        r"drivesim: 1 views? of 5 frames at 64x32: about [\d.]+ GB are needed and [\d.]+ GB are free on cpu\. "
        r"Take fewer views or frames, smaller pictures, or more processes \(torchrun\)\n",
        done.err,
    )
    assert hashes(Path("out")) == before
    assert generate(*SMALL, "--cameras", "front").out.endswith("all there already\n")


def test_a_log_without_pictures_has_no_known_frames(drivesim_command: Any, scene_folder: Path) -> None:
    done = drivesim_command("generate", scene_folder, "--echo", "--known", 1)
    assert (done.code, done.err) == (
        2,
        f"drivesim: {scene_folder}: no pictures were recorded with this log. Leave out --known.\n",
    )


def test_a_scene_without_cameras_is_refused(drivesim_command: Any, blind_folder: Path) -> None:
    done = drivesim_command("generate", blind_folder, "--echo")
    assert done.code == 2
    assert done.err.startswith(f"drivesim: {blind_folder}: the log has no camera calibration. Name cameras with --rig")


def test_help_names_every_group_of_options(drivesim_command: Any) -> None:
    done = drivesim_command("generate", "-h")
    assert done.code == 0
    for option in ("--weights", "--echo", "--prompts", "--known", "--student", "--hand-over", "--attention"):
        assert option in done.out
