"""Generated clips on disk: the same bytes however often a run was stopped, and nothing overwritten unasked."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stub_generator import LatentStubGenerator, StubGenerator

from drivesim import clip_store
from drivesim.clip_job import ClipJob, scene_job
from drivesim.clip_store import ClipStore
from drivesim.errors import DatasetError
from drivesim.generating import GeneratedClip, GenerationSettings, generate_clip
from drivesim.pipeline import FrameRange, control_videos
from drivesim.prompts import ChunkPrompts, Prompts
from models.echo import EchoGenerator
from models.errors import CapacityError, ModelError, ShapeError
from models.request import GenerationRequest, Regime
from models.sampling import Sampling
from render.grid import grid_frame
from render.video import probe, read_image, read_video
from scenegraph import Scene

Hashes = Callable[[Path], dict[str, str]]
FRAMES = 13
THREE_CHUNKS = GenerationSettings(Prompts.of("A street."), seed=7, overlap=1)
FIELDS = ["clip.json", "front.mp4", "mosaic.mp4", "mosaic.png", "rear.mp4"]


def street(name: str = "street", **changes: Any) -> ClipJob:
    """Two cameras of noise, as of a clip that was made elsewhere."""
    control = np.random.default_rng(1).integers(0, 256, (2, FRAMES, 16, 16, 3), dtype=np.uint8)
    given: dict[str, Any] = {
        "name": name,
        "camera_names": ("front", "rear"),
        "view_ids": (0, 3),
        "rays": None,
        "neighbours": None,
        "frames": FRAMES,
        "fps": 10.0,
        "control": lambda start, stop: control[:, start:stop],
        "known_frames": (),
        "description": {
            "drivesim": "0",
            "cameras": [{"name": n, "file": f"{n}.mp4"} for n in ("front", "rear")],
            "control": hashlib.sha256(control).hexdigest(),
        },
        "notes": ("a note",),
    }
    return ClipJob(**given | changes)


def generate(out: Path, generator: Any = None, settings: GenerationSettings = THREE_CHUNKS, **more: Any) -> Any:
    return generate_clip(more.pop("job", None) or street(), generator or StubGenerator(), out, settings, **more)


def _small_sheet(rows: Any, views: Any, labels: Any) -> Any:
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


@pytest.fixture(scope="module", autouse=True)
def _small_mosaics() -> Iterator[None]:
    """Mosaics without scaling and lettering, of which drawing and encoding would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip_store, "grid_frame", _small_sheet)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run."""
    folder: Path = generate(tmp_path_factory.mktemp("whole")).folder
    return folder


class StopError(Exception):
    """The power goes off."""


def stop_at(number: int) -> Callable[[int], None]:
    def stop(index: int) -> None:
        if index == number:
            raise StopError

    return stop


def stopped(out: Path, number: int = 2, kind: Any = StubGenerator, settings: Any = THREE_CHUNKS) -> Path:
    """The folder of a run that ended while the chunk of this number was made."""
    with pytest.raises(StopError):
        generate(out, kind(before=stop_at(number)), settings)
    return out / "street"


# -- what is there in the end ---------------------------------------------------------------------------


def test_a_clip_is_a_video_per_camera_a_mosaic_and_a_description(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == FIELDS
    for name in ("front", "rear"):
        video = probe(whole / f"{name}.mp4")
        assert (video.frames, video.fps, video.width_px, video.height_px) == (FRAMES, 10, 16, 16)
    assert probe(whole / "mosaic.mp4").frames == FRAMES
    assert read_image(whole / "mosaic.png").any()


def test_the_result_says_what_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    outputs = {"front": folder / "front.mp4", "rear": folder / "rear.mp4"}
    assert generate(tmp_path) == GeneratedClip(folder, outputs, FRAMES, chunks=3, kept=0)
    assert generate(tmp_path) == GeneratedClip(folder, outputs, FRAMES, chunks=3, kept=3)


def test_the_videos_show_what_was_generated(tmp_path: Path) -> None:
    plain = np.full((2, FRAMES, 16, 16, 3), 40, dtype=np.uint8)
    plain[1] = 200
    folder = generate(tmp_path, EchoGenerator(), job=street(control=lambda start, stop: plain[:, start:stop])).folder
    for name, level in (("front", 40), ("rear", 200)):
        assert np.abs(read_video(folder / f"{name}.mp4").astype(int) - level).max() <= 3


def test_the_description_says_everything_that_the_pictures_depend_on(whole: Path) -> None:
    written = json.loads((whole / "clip.json").read_text())
    assert {key: written[key] for key in street().description} == street().description
    assert written["view_ids"] == [0, 3] and written["notes"] == ["a note"]
    assert written["also"] == ["mosaic.mp4", "mosaic.png"]
    generation = written["generation"]
    versions = generation.pop("versions")
    assert versions["python"] == platform.python_version()
    assert {"drivesim", "numpy", "python"} <= set(versions)
    assert generation == {
        "generator": {"kind": "stub", "sizes": [1, 2]},
        "prompts": {"chunks": ["A street."], "negative": THREE_CHUNKS.prompts.negative, "mode": "official"},
        "seed": 7,
        "sampling": {
            "steps": 35,
            "guidance": 3.0,
            "shift": 5.0,
            "control_weight": 1.0,
            "sampler": "unipc",
            "guidance_span": [0.0, 1.0],
            "cache_threshold": None,
        },
        "chunks": [[0, 5, 0], [4, 9, 1], [8, 13, 1]],
        "hand_over": "pixels",
        "keep_colours": False,
        "controls": False,
        "storage": "h264 yuv420p qp 18",
    }


def test_a_dry_run_of_a_scene_gives_its_control_videos_byte_for_byte(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_store, "grid_frame", grid_frame)
    job = scene_job(scene, Regime(), frames=FrameRange(stop=5), size=(64, 32))
    clip = generate(tmp_path, EchoGenerator(), GenerationSettings(controls=True), job=job)
    drawn = control_videos(scene, tmp_path / "drawn", frames=FrameRange(10.0, stop=5), size=(64, 32))
    for name, path in clip.outputs.items():
        expected = drawn.outputs[name].read_bytes()
        assert path.read_bytes() == expected
        assert (clip.folder / "controls" / path.name).read_bytes() == expected
    assert sorted(path.name for path in clip.folder.iterdir()) == [
        "clip.json", "controls", "front.mp4", "left.mp4", "mosaic.mp4", "mosaic.png", "preview.mp4", "right.mp4",
    ]  # fmt: skip
    assert probe(clip.folder / "mosaic.mp4").width_px == 1920
    preview = probe(clip.folder / "preview.mp4")
    assert (preview.frames, preview.fps, preview.width_px, preview.height_px) == (5, 10, 1920, 1080)


def test_two_clips_lie_side_by_side(tmp_path: Path, hashes: Hashes) -> None:
    first, second = (generate(tmp_path, job=street(name)).folder for name in ("morning", "evening/late"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evening%2Flate", "morning"]
    assert hashes(first) == hashes(second) == hashes(generate(tmp_path / "alone", job=street("morning")).folder)


# -- what the generator is asked ------------------------------------------------------------------------


def test_a_request_carries_all_of_the_job_and_the_settings(tmp_path: Path) -> None:
    generator = StubGenerator()
    rays = np.random.default_rng(2).random((2, 6, 2, 2), dtype=np.float32)
    neighbours = np.array([[False, True], [True, False]])
    known = (np.full((1, 16, 16, 3), 9, np.uint8), np.zeros((0, 16, 16, 3), np.uint8))
    prompts = Prompts(
        (ChunkPrompts("one"), ChunkPrompts(None, (("rear", "behind"), ("front", "ahead"))), ChunkPrompts("three")),
        "blur",
        "training",
    )
    sampling = Sampling(steps=2, guidance=1.0)
    job = street(rays=rays, neighbours=neighbours, known_frames=known)
    generate(tmp_path, generator, replace(THREE_CHUNKS, prompts=prompts, sampling=sampling), job=job)
    first, second, third = generator.asked
    assert [request.seed for request in generator.asked] == [7, 8, 9]
    assert [(r.prompts, r.caption_mode) for r in generator.asked] == [
        (("one",), "training"), (("ahead", "behind"), "per_view"), (("three",), "training"),
    ]  # fmt: skip
    for request, (start, stop) in zip(generator.asked, [(0, 5), (4, 9), (8, 13)], strict=True):
        assert np.array_equal(request.control, job.control(start, stop))
        assert request.camera_names == ("front", "rear") and request.view_ids == (0, 3)
        assert request.rays is rays and request.neighbours is neighbours
        assert (request.negative_prompt, request.fps, request.sampling) == ("blur", 10.0, sampling)
    assert first.known_frames == known
    assert [len(view) for view in (*second.known_frames, *third.known_frames)] == [1, 1, 1, 1]


def test_the_generator_decides_how_long_a_chunk_is_unless_it_is_said(tmp_path: Path) -> None:
    generator = StubGenerator(Regime(clip_frames=9))
    generate(tmp_path / "a", generator)
    generate(tmp_path / "b", generator, replace(THREE_CHUNKS, chunk_frames=13))
    assert [request.control.shape[1] for request in generator.asked] == [9, 5, 13]


def test_a_chunk_is_on_disk_before_the_next_is_begun(tmp_path: Path) -> None:
    chunks = tmp_path / "street" / ".chunks"
    seen = []

    def look(number: int) -> None:
        names = sorted(path.name for path in chunks.iterdir()) if chunks.is_dir() else []
        seen.append((names, sorted(path.parent.name for path in chunks.glob("*/hand_over.npz"))))
        for index in range(number):
            folder = chunks / f"{index:04d}"
            frames, _ = StubGenerator()._answer(generator.asked[index])
            for view, name in enumerate(("front", "rear")):
                assert np.array_equal(read_video(folder / f"{name}.mp4"), frames[view, 1 if index else 0 :])

    generator = StubGenerator(before=look)
    generate(tmp_path, generator)
    assert seen == [([], []), (["0000"], ["0000"]), (["0000", "0001"], ["0001"])]


# -- stopped and resumed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (StubGenerator, {}),
        (StubGenerator, {"keep_colours": True}),
        (LatentStubGenerator, {"hand_over": "latents"}),
        (LatentStubGenerator, {"hand_over": "latents", "overlap": 5, "chunk_frames": 9}),
        (StubGenerator, {"overlap": 0, "chunk_frames": 13}),
    ],
)
def test_a_clip_that_was_stopped_anywhere_has_the_bytes_of_one_that_was_not(
    tmp_path: Path, hashes: Hashes, kind: Any, changes: dict[str, Any]
) -> None:
    settings = replace(THREE_CHUNKS, **changes)
    undisturbed = kind()
    expected = hashes(generate(tmp_path / "whole", undisturbed, settings).folder)
    for number in range(len(undisturbed.asked)):
        folder = stopped(tmp_path / str(number), number, kind, settings)
        assert not (folder / "clip.json").exists()
        resuming = kind()
        result = generate(folder.parent, resuming, settings)
        assert result.kept == number
        assert len(resuming.asked) == len(undisturbed.asked) - number
        assert hashes(folder) == expected


def test_a_clip_may_be_stopped_again_and_again(tmp_path: Path, whole: Path, hashes: Hashes) -> None:
    for number in (1, 0, 1):
        stopped(tmp_path, number)
    assert generate(tmp_path).kept == 2
    assert hashes(tmp_path / "street") == hashes(whole)


@pytest.mark.parametrize("written", [0, 7, FRAMES, 2 * FRAMES, 3 * FRAMES - 1])
def test_a_run_that_was_stopped_while_videos_were_written_generates_nothing_again(
    tmp_path: Path, whole: Path, hashes: Hashes, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    write, count = clip_store.VideoWriter.write, 0

    def write_or_stop(self: Any, frame: Any) -> None:
        nonlocal count
        if not self.lossless:
            if count == written:
                raise StopError
            count += 1
        write(self, frame)

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(clip_store.VideoWriter, "write", write_or_stop)
        generate(tmp_path)
    resuming = StubGenerator()
    assert generate(tmp_path, resuming).kept == 3
    assert resuming.asked == []
    assert hashes(tmp_path / "street") == hashes(whole)


@pytest.mark.parametrize("left", [".settings.json", ".chunks"])
def test_what_a_run_left_that_was_killed_over_its_last_file_goes_away(
    tmp_path: Path, whole: Path, hashes: Hashes, left: str
) -> None:
    folder = generate(tmp_path).folder
    if left == ".chunks":
        (folder / left / "0000").mkdir(parents=True)
    else:
        (folder / left).write_bytes((folder / "clip.json").read_bytes())
    generator = StubGenerator()
    generate(tmp_path, generator)
    assert generator.asked == []
    assert hashes(folder) == hashes(whole)
    assert sorted(path.name for path in folder.iterdir()) == FIELDS


def test_a_finished_run_again_touches_nothing(tmp_path: Path) -> None:
    folder = generate(tmp_path).folder
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    generator = StubGenerator(before=stop_at(0))
    assert generate(tmp_path, generator).kept == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("damage", ["removed", "empty", "cut"])
def test_a_clip_that_lost_a_video_is_made_again(tmp_path: Path, whole: Path, hashes: Hashes, damage: str) -> None:
    video = generate(tmp_path).folder / "rear.mp4"
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    if damage == "removed":
        video.unlink()
    assert generate(tmp_path).kept == 0
    assert hashes(tmp_path / "street") == hashes(whole)


def test_a_half_written_chunk_does_not_count(tmp_path: Path, whole: Path, hashes: Hashes) -> None:
    folder = stopped(tmp_path, 1)
    done = folder / ".chunks" / "0000"
    partial = folder / ".chunks" / ".0001.partial-elsewhere-1-1"
    partial.mkdir()
    (partial / "front.mp4").write_bytes((done / "front.mp4").read_bytes())
    assert generate(tmp_path).kept == 1
    assert hashes(folder) == hashes(whole)


def test_a_damaged_chunk_is_made_again(tmp_path: Path, whole: Path, hashes: Hashes) -> None:
    folder = stopped(tmp_path, 1)
    (folder / ".chunks" / "0000" / "rear.mp4").write_bytes(b"")
    assert generate(tmp_path).kept == 0
    assert hashes(folder) == hashes(whole)


@pytest.mark.parametrize("damage", ["removed", "empty", "cut", "noise", "other arrays", "flipped bits"])
def test_a_damaged_hand_over_is_refused(tmp_path: Path, damage: str) -> None:
    folder = stopped(tmp_path, 2)
    file = folder / ".chunks" / "0001" / "hand_over.npz"
    content = file.read_bytes()
    damaged = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "noise": b"noise" * 100,
        "flipped bits": content[:300] + bytes(255 - byte for byte in content[300:400]) + content[400:],
    }
    if damage == "removed":
        file.unlink()
    elif damage == "other arrays":
        np.savez(file, something=np.zeros(3))
    else:
        file.write_bytes(damaged[damage])
    with pytest.raises(DatasetError) as error:
        generate(tmp_path)
    assert str(error.value) == (
        f"{file}: is missing or damaged, so the clip cannot go on from it. Add --overwrite to start anew"
    )
    assert generate(tmp_path, overwrite=True).kept == 0


# -- ours or not ----------------------------------------------------------------------------------------


def _changed(**changes: Any) -> dict[str, Any]:
    return {"settings": replace(THREE_CHUNKS, **changes)}


def _renamed() -> dict[str, Any]:
    generator = StubGenerator()
    generator.name = "other"
    return {"generator": generator}


OTHERS = [
    (_changed(seed=8), "generation.seed"),
    (_changed(prompts=Prompts.of("A road.")), "generation.prompts.chunks"),
    (_changed(prompts=Prompts.of("A street.", "")), "generation.prompts.negative"),
    (_changed(sampling=Sampling(steps=3, guidance=0.0)), "generation.sampling.steps, generation.sampling.guidance"),
    (_changed(overlap=5, chunk_frames=9), "generation.chunks"),
    (_changed(keep_colours=True), "generation.keep_colours"),
    (_changed(controls=True), "generation.controls"),
    (_renamed(), "generation.generator.kind"),
    (
        {"job": street(description=street().description | {"control": "other", "fps": 30, "x": 1, "y": 2, "z": 3})},
        "control, fps, x, y and 1 more",
    ),
]


@pytest.mark.parametrize(("changes", "fields"), OTHERS)
@pytest.mark.parametrize("is_finished", [True, False])
def test_a_clip_of_other_settings_is_refused_and_kept(
    tmp_path: Path, hashes: Hashes, changes: dict[str, Any], fields: str, is_finished: bool
) -> None:
    folder = generate(tmp_path).folder if is_finished else stopped(tmp_path)
    before = hashes(folder)
    with pytest.raises(DatasetError) as error:
        generate(tmp_path, **changes)
    assert str(error.value) == (
        f"{folder}: holds generated clips or control videos of other content or settings ({fields}). "
        "Add --overwrite to replace them, or choose another -o."
    )
    assert hashes(folder) == before


def test_overwriting_leaves_nothing_of_the_clip_before(tmp_path: Path, hashes: Hashes) -> None:
    generate(tmp_path, settings=replace(THREE_CHUNKS, controls=True))
    mine = tmp_path / "street" / "mine.txt"
    mine.write_text("kept")
    job = street(
        camera_names=("front", "side"),
        description=street().description | {"cameras": [{"name": n, "file": f"{n}.mp4"} for n in ("front", "side")]},
    )
    generate(tmp_path, job=job, overwrite=True)
    assert sorted(path.name for path in mine.parent.iterdir()) == [
        "clip.json", "front.mp4", "mine.txt", "mosaic.mp4", "mosaic.png", "side.mp4",
    ]  # fmt: skip
    mine.unlink()
    assert hashes(mine.parent) == hashes(generate(tmp_path / "alone", job=job).folder)


def test_overwriting_starts_a_stopped_clip_anew(tmp_path: Path, whole: Path, hashes: Hashes) -> None:
    folder = stopped(tmp_path)
    generator = StubGenerator()
    assert generate(tmp_path, generator, overwrite=True).kept == 0
    assert len(generator.asked) == 3
    assert hashes(folder) == hashes(whole)


def test_control_videos_in_the_way_are_not_replaced_unasked(scene: Scene, tmp_path: Path) -> None:
    folder = control_videos(scene, tmp_path, frames=FrameRange(stop=5), size=(64, 32)).folder
    with pytest.raises(DatasetError) as error:
        generate(tmp_path, job=street(folder.name, camera_names=("front", "left")))
    assert str(error.value) == (
        f"{folder}: holds generated clips or control videos of other content or settings. "
        "Add --overwrite to replace them, or choose another -o."
    )


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "street").write_text("")
    with pytest.raises(DatasetError) as error:
        generate(tmp_path)
    assert str(error.value) == f"{tmp_path}/street: is a file. Name a folder with -o."


# -- what cannot be made --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error_type", "sentence"),
    [
        (
            {"settings": replace(THREE_CHUNKS, hand_over="latents")},
            DatasetError,
            "this generator has no latents to hand over. Use --hand-over pixels",
        ),
        (
            {
                "settings": replace(THREE_CHUNKS, hand_over="latents", keep_colours=True),
                "generator": LatentStubGenerator(),
            },
            ModelError,
            "colours are kept in pixels, so the hand-over cannot be in latents. Choose one of the two",
        ),
        (
            {"settings": replace(THREE_CHUNKS, overlap=5)},
            ShapeError,
            "overlap: 5 frames leave nothing new in a chunk of 5",
        ),
        (
            {"job": street(known_frames=(np.zeros((9, 16, 16, 3), np.uint8),) * 2)},
            DatasetError,
            "9 known frames are more than the 5 of the first chunk",
        ),
        (
            {"settings": replace(THREE_CHUNKS, prompts=Prompts((ChunkPrompts("a"), ChunkPrompts("b"))))},
            DatasetError,
            "prompts: 2 chunks are described, but the clip has 3. Describe one or all",
        ),
        (
            {"job": street(camera_names=("front", "Mosaic"))},
            DatasetError,
            "'Mosaic' cannot be the name of a camera: Mosaic.mp4 shows all of them. Rename it in the rig",
        ),
        (
            {"job": street(camera_names=tuple(f"camera {index}" for index in range(13)))},
            DatasetError,
            "13 cameras are more than the 12 that a mosaic shows. Choose some with --cameras",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_touched(
    tmp_path: Path, hashes: Hashes, changes: dict[str, Any], error_type: type[Exception], sentence: str
) -> None:
    generate(tmp_path)
    before = hashes(tmp_path)
    generator = changes.get("generator") or StubGenerator()
    with pytest.raises(error_type) as error:
        generate(tmp_path, **{**changes, "generator": generator}, overwrite=True)
    assert str(error.value) == sentence
    assert generator.asked == []
    assert hashes(tmp_path) == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"chunk_frames": 8}, "chunk: 8 frames are not 4k+1. Use 5 or 9"),
        ({"overlap": 2}, "overlap: 2 frames are not 4k+1. Use 1 or 5"),
        ({"overlap": -1}, "overlap: -1 frames: a count cannot be below 0"),
    ],
)
def test_settings_no_clip_can_have_are_refused_at_once(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DatasetError) as error:
        GenerationSettings(**changes)
    assert str(error.value) == sentence


def test_a_generator_says_what_it_cannot_do_before_the_old_clip_is_removed(tmp_path: Path, hashes: Hashes) -> None:
    class Small(StubGenerator):
        def check(self, request: GenerationRequest) -> None:
            checked.append(request)
            raise CapacityError("too much")

    checked: list[GenerationRequest] = []
    generate(tmp_path)
    before = hashes(tmp_path)
    with pytest.raises(CapacityError, match=r"^too much$"):
        generate(tmp_path, Small(), replace(THREE_CHUNKS, seed=1), overwrite=True)
    assert hashes(tmp_path) == before
    assert checked[0].control.shape == (2, 5, 16, 16, 3)
    with pytest.raises(CapacityError):
        generate(tmp_path / "new", Small())
    assert not (tmp_path / "new").exists()
    assert generate(tmp_path, Small()).kept == 3, "what is there needs no generator"


# -- several processes ----------------------------------------------------------------------------------


class _Processes:
    """One of several processes, as a generator shows it; what the first knows is given."""

    def __init__(self, is_first: bool, known: Any = None) -> None:
        self.is_first, self.known = is_first, known

    def agree(self, value: Any) -> Any:
        self.known = value if self.is_first else self.known
        return self.known


def test_all_processes_generate_and_the_first_alone_writes(tmp_path: Path, whole: Path, hashes: Hashes) -> None:
    stopped(tmp_path, 1)
    first, other = StubGenerator(), StubGenerator()
    first.processes = _Processes(is_first=True)  # type: ignore[attr-defined]
    generate(tmp_path, first)
    other.processes = _Processes(is_first=False, known=first.processes.known)  # type: ignore[attr-defined]
    result = generate(tmp_path / "elsewhere", other)
    assert (len(first.asked), len(other.asked), result.kept) == (2, 2, 1)
    assert hashes(tmp_path / "street") == hashes(whole)
    assert not (tmp_path / "elsewhere").exists()


# -- the store ------------------------------------------------------------------------------------------


def test_every_control_picture_is_drawn_once_for_the_control_videos(tmp_path: Path) -> None:
    drawn: list[tuple[int, int]] = []
    job = street()

    def control(start: int, stop: int) -> Any:
        drawn.append((start, stop))
        return job.control(start, stop)

    generate(tmp_path / "without", job=replace(job, control=control))
    without = len(drawn)
    drawn.clear()
    generate(tmp_path / "with", settings=replace(THREE_CHUNKS, controls=True), job=replace(job, control=control))
    assert len(drawn) == without + FRAMES
    files = sorted((tmp_path / "with" / "street" / "controls").iterdir())
    assert [(path.name, probe(path).frames) for path in files] == [("front.mp4", FRAMES), ("rear.mp4", FRAMES)]


def test_the_store_knows_the_names_of_all_it_will_write(tmp_path: Path) -> None:
    store = ClipStore(street("a/b"), tmp_path, (), controls=True)
    assert store.folder == tmp_path / "a%2Fb"
    assert store.also == ["mosaic.mp4", "mosaic.png", "controls/front.mp4", "controls/rear.mp4"]
