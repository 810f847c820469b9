"""The reference's JSON specification: what it means, every mistake in it, and the frames that its videos give."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from drivesim import cosmos_videos
from drivesim.cosmos_spec import CosmosSample, CosmosView, read_cosmos_spec
from drivesim.cosmos_videos import load_sample_videos
from drivesim.errors import DatasetError
from render.errors import RenderError
from render.video import VideoWriter

WIDTH_PX, HEIGHT_PX = 8, 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Empty files under the names that specifications here use; reading one does not open its videos."""
    for name in ("front.mp4", "front_real.mp4", "rear.mp4", "rear_real.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "prompt.txt").write_text("A rainy street.\n")
    return tmp_path


def _view(name: str, **more: Any) -> dict[str, Any]:
    return {"control_path": f"{name}.mp4", "input_path": f"{name}_real.mp4"} | more


def _content(**changes: Any) -> dict[str, Any]:
    """A sample that is in order, with changes; None takes a key away."""
    content = {"name": "street", "prompt": "A street.", "front_wide": _view("front"), "rear": _view("rear")}
    return {key: value for key, value in (content | changes).items() if value is not None}


def _written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "spec.json"
    path.write_text(json.dumps(content, indent=1))
    return path


def _sample(folder: Path, **changes: Any) -> CosmosSample:
    (sample,) = read_cosmos_spec(_written(folder, _content(**changes)))
    return sample


def _complaint(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_cosmos_spec(path)
    return str(caught.value).replace(f"{path.parent}/", "")


# -- what a specification means --------------------------------------------------------------------


def test_defaults_are_those_of_the_reference(folder: Path) -> None:
    assert _sample(folder) == CosmosSample(
        name="street",
        prompt="A street.",
        negative_prompt=None,
        seed=0,
        guidance=3,
        num_steps=35,
        fps=10,
        num_conditional_frames=1,
        control_weight=1.0,
        enable_autoregressive=False,
        num_chunks=2,
        chunk_overlap=1,
        save_combined_views=True,
        views=(
            CosmosView("front_wide", 0, folder / "front.mp4", folder / "front_real.mp4", 1),
            CosmosView("rear", 3, folder / "rear.mp4", folder / "rear_real.mp4", 1),
        ),
    )


def test_every_field_reaches_the_sample(folder: Path) -> None:
    given = {
        "negative_prompt": "Blur.",
        "seed": 7,
        "guidance": 0,
        "num_steps": 4,
        "fps": 15,
        "num_conditional_frames": 5,
        "control_weight": 0.5,
        "enable_autoregressive": True,
        "num_chunks": 3,
        "chunk_overlap": 5,
        "save_combined_views": False,
    }
    sample = _sample(folder, **given)
    assert {key: getattr(sample, key) for key in given} == given


def test_views_come_in_the_order_of_their_ids_whatever_that_of_the_file(folder: Path) -> None:
    reverse = {"front_tele": _view("front"), "rear": _view("rear"), "cross_right": _view("front"), "front_wide": {}}
    sample = _sample(folder, **reverse)
    assert [(view.name, view.view_id) for view in sample.views] == [("cross_right", 1), ("rear", 3), ("front_tele", 6)]


def test_a_view_without_a_control_video_takes_no_part(folder: Path) -> None:
    sample = _sample(folder, rear={"input_path": "rear_real.mp4"})
    assert [view.name for view in sample.views] == ["front_wide"]


def test_the_prompt_may_be_in_a_file(folder: Path) -> None:
    assert _sample(folder, prompt=None, prompt_path="prompt.txt").prompt == "A rainy street."


def test_the_prompt_is_kept_as_written_and_one_from_a_file_without_the_space_around_it(folder: Path) -> None:
    assert _sample(folder, prompt=" A street. ").prompt == " A street. "
    (folder / "prompt.txt").write_text("\n A street.\n And rain. \n")
    assert _sample(folder, prompt=None, prompt_path="prompt.txt").prompt == "A street.\n And rain."


def test_paths_are_relative_to_the_file_and_absolute_ones_stay(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "front.mp4"
    elsewhere.touch()
    sample = _sample(folder, front_wide=_view("front", control_path=str(elsewhere)))
    assert sample.views[0].control_path == elsewhere
    assert sample.views[0].input_path == folder / "front_real.mp4"


def test_whole_numbers_may_be_written_as_the_reference_accepts_them(folder: Path) -> None:
    sample = _sample(folder, fps=10.0, guidance=3.0, control_weight=1)
    assert (sample.fps, sample.guidance, sample.control_weight) == (10, 3, 1.0)
    assert isinstance(sample.fps, int)


def test_no_input_is_needed_without_known_frames(folder: Path) -> None:
    controls = {"front_wide": {"control_path": "front.mp4"}, "rear": {"control_path": "rear.mp4"}}
    sample = _sample(folder, num_conditional_frames=0, **controls)
    assert [(view.input_path, view.known_frames) for view in sample.views] == [(None, 0), (None, 0)]


def test_views_may_have_numbers_of_their_own_in_a_long_clip(folder: Path) -> None:
    front, rear = (_view(n, num_conditional_frames_per_view=k) for n, k in (("front", 1), ("rear", 5)))
    sample = _sample(folder, enable_autoregressive=True, num_conditional_frames=0, front_wide=front, rear=rear)
    assert [view.known_frames for view in sample.views] == [1, 5]


def test_views_whose_own_numbers_are_all_zero_have_that_of_the_sample(folder: Path) -> None:
    front, rear = (_view(name, num_conditional_frames_per_view=0) for name in ("front", "rear"))
    for long in (False, True):
        sample = _sample(folder, enable_autoregressive=long, num_conditional_frames=5, front_wide=front, rear=rear)
        assert [view.known_frames for view in sample.views] == [5, 5]


def test_a_jsonl_file_holds_a_sample_per_line(folder: Path) -> None:
    path = folder / "spec.jsonl"
    path.write_text("\n".join(["", json.dumps(_content(name="a")), "", json.dumps(_content(name="b", seed=1)), ""]))
    assert [(sample.name, sample.seed) for sample in read_cosmos_spec(path)] == [("a", 0), ("b", 1)]


# -- mistakes --------------------------------------------------------------------------------------

# Lines of the file: 1 {, 2 name, 3 prompt, 4-7 front_wide with control_path in 5 and input_path in 6, 8-11 rear.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"prompt": None}, "spec.json:1  prompt is missing. Give either prompt or prompt_path"),
    (
        {"prompt_path": "prompt.txt"},
        "spec.json:12  prompt_path: both prompt and prompt_path are given. Give either prompt or prompt_path",
    ),
    ({"prompt": "  "}, "spec.json:3  prompt: the prompt is empty"),
    ({"name": None}, "spec.json:1  name: is missing"),
    (
        {"name": "../street"},
        "spec.json:2  name: '../street' cannot be the name of a file. Use letters, digits, - and _",
    ),
    ({"name": ""}, "spec.json:2  name: '' cannot be the name of a file. Use letters, digits, - and _"),
    ({"seed": -1}, "spec.json:12  seed: must be 0 to 4294967295, got -1"),
    ({"seed": 1.5}, "spec.json:12  seed: expected a whole number, got 1.5"),
    ({"seed": "3"}, "spec.json:12  seed: expected a whole number, got '3'"),
    ({"guidance": 8}, "spec.json:12  guidance: must be at most 7, got 8"),
    ({"num_steps": 0}, "spec.json:12  num_steps: must be at least 1, got 0"),
    ({"fps": 0}, "spec.json:12  fps: must be at least 1, got 0"),
    (
        {"num_conditional_frames": 3},
        "spec.json:12  num_conditional_frames: 3 is unknown. Allowed: 0, 1, 5",
    ),
    ({"control_weight": 1.5}, "spec.json:12  control_weight: must be at most 1, got 1.5"),
    ({"control_weight": float("nan")}, "spec.json:12  control_weight: expected a finite number, got nan"),
    ({"enable_autoregressive": 1}, "spec.json:12  enable_autoregressive: expected true or false, got 1"),
    ({"num_chunks": 0}, "spec.json:12  num_chunks: must be at least 1, got 0"),
    (
        {"chunk_overlap": 3},
        "spec.json:12  chunk_overlap: 3 frames cannot be handed over. Use 0 or a number 4k+1 below 29: 1, 5, 9",
    ),
    (
        {"chunk_overlap": 29},
        "spec.json:12  chunk_overlap: 29 frames cannot be handed over. Use 0 or a number 4k+1 below 29: 1, 5, 9",
    ),
    ({"rear": 3}, "spec.json:8  rear: expected keys with values, got 3"),
    (
        {"rear": _view("rear", control="rear.mp4")},
        "spec.json:11  rear.control: unknown key (did you mean 'control_path'?). "
        "Allowed: input_path, control_path, num_conditional_frames_per_view",
    ),
    (
        {"rear": {"control_path": "rear.mp4"}},
        "spec.json:8  rear.input_path: is missing. Known frames are read from it (num_conditional_frames above 0)",
    ),
    (
        {"rear": {"control_path": "rear.mp4"}, "enable_autoregressive": True},
        "spec.json:8  rear.input_path: is missing. Known frames are read from it (num_conditional_frames above 0)",
    ),
    (
        {"rear": _view("missing", input_path="rear_real.mp4")},
        "spec.json:9  rear.control_path: no such file: missing.mp4",
    ),
    (
        {"rear": _view("rear", num_conditional_frames_per_view=1)},
        "spec.json:4  front_wide.num_conditional_frames_per_view: is 0, but that of rear is not. "
        "Give every view one, or none\n"
        "spec.json:11  rear.num_conditional_frames_per_view: is for enable_autoregressive only. "
        "Use num_conditional_frames of the sample",
    ),
    (
        {"rear": _view("rear", num_conditional_frames_per_view=1), "enable_autoregressive": True},
        "spec.json:4  front_wide.num_conditional_frames_per_view: is 0, but that of rear is not. "
        "Give every view one, or none",
    ),
    (
        {"rear": None, "front_wide": {}},
        "spec.json:1  no view has a control_path. Give one to any of "
        "front_wide, cross_right, rear_right, rear, rear_left, cross_left, front_tele",
    ),
]


@pytest.mark.parametrize(("changes", "complaint"), MISTAKES)
def test_a_mistake_is_placed_and_explained(folder: Path, changes: dict[str, Any], complaint: str) -> None:
    assert _complaint(_written(folder, _content(**changes))) == complaint


def test_an_unknown_field_is_answered_with_the_nearest(folder: Path) -> None:
    complaint = _complaint(_written(folder, _content(save_combined_view=True)))
    assert complaint.startswith(
        "spec.json:12  save_combined_view: unknown key (did you mean 'save_combined_views'?). Allowed: name, prompt, "
    )


def test_all_mistakes_of_a_file_are_reported_in_its_order(folder: Path) -> None:
    path = folder / "spec.jsonl"
    front = {"control_path": "front.mp4", "input_path": "gone.mp4"}
    path.write_text(
        "\n".join(
            [
                json.dumps(_content(guidance=9, fps="10")),
                "{",
                json.dumps(_content(prompt=None, front_wide=front)),
                "[1]",
            ]
        )
    )
    assert _complaint(path).splitlines() == [
        "spec.jsonl:1  guidance: must be at most 7, got 9",
        "spec.jsonl:1  fps: expected a whole number, got '10'",
        "spec.jsonl:2  is not JSON: expecting property name enclosed in double quotes",
        "spec.jsonl:3  prompt is missing. Give either prompt or prompt_path",
        "spec.jsonl:3  front_wide.input_path: no such file: gone.mp4",
        "spec.jsonl:4  expected keys with values, got a list",
    ]


def test_a_syntax_mistake_has_its_line(folder: Path) -> None:
    path = folder / "spec.json"
    path.write_text('{\n "name": "a",\n "prompt": "b"\n "seed": 1\n}\n')
    assert _complaint(path) == "spec.json:4  is not JSON: expecting ',' delimiter"


def test_brackets_without_end_are_no_crash(folder: Path) -> None:
    path = folder / "spec.json"
    path.write_text("[" * 200_000)
    assert _complaint(path).startswith("spec.json:1  is not JSON that can be read: ")


def test_a_key_given_twice_is_refused(folder: Path) -> None:
    path = folder / "spec.json"
    text = json.dumps(_content(), indent=1)
    path.write_text(text.replace('"prompt"', '"name": "other",\n "prompt"'))
    assert _complaint(path) == "spec.json:3  name: is given twice"


def test_words_that_look_like_keys_inside_of_a_prompt_are_none(folder: Path) -> None:
    prompt = 'A sign says "seed": {\\ and "name" :\n[done]'
    assert _sample(folder, prompt=prompt).prompt == prompt
    assert _complaint(_written(folder, _content(prompt=prompt, seed=-1))).startswith("spec.json:12  seed: ")


def test_two_samples_of_one_name_are_refused(folder: Path) -> None:
    path = folder / "spec.jsonl"
    path.write_text("\n".join([json.dumps(_content()), json.dumps(_content(seed=1))]))
    assert _complaint(path) == "spec.jsonl:2  name: 'street' is the name of the sample in line 1 too"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("spec.jsonl", b"\n\n", "spec.jsonl: holds no sample"),
        ("spec.json", b"", "spec.json:1  is not JSON: expecting value"),
        ("spec.json", b"\xff", "spec.json: is not UTF-8 text (byte 0)"),
        (
            "spec.yaml",
            b"{}",
            "spec.yaml: expected a .json file with one sample, or a .jsonl file with one per line",
        ),
        ("spec.json", None, "spec.json: cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_none_is_refused(folder: Path, name: str, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (folder / name).write_bytes(content)
    assert _complaint(folder / name) == complaint


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "prompt_path: prompt.txt cannot be read: No such file or directory"),
        (b"\xff", "prompt_path: prompt.txt is not UTF-8 text (byte 0)"),
        (b" \n", "prompt_path: the prompt is empty"),
    ],
)
def test_a_prompt_file_that_is_none_is_refused(folder: Path, content: bytes | None, complaint: str) -> None:
    (folder / "prompt.txt").unlink()
    if content is not None:
        (folder / "prompt.txt").write_bytes(content)
    path = _written(folder, _content(prompt=None, prompt_path="prompt.txt"))
    assert _complaint(path) == f"spec.json:11  {complaint}"


# -- the videos ------------------------------------------------------------------------------------


def _video(path: Path, count: int, fps: float | Fraction = 30, first: int = 0) -> npt.NDArray[np.uint8]:
    """A lossless video whose frame i is of grey level first + i with a corner of its own, [T,H,W,3]."""
    video = np.empty((count, HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    video[:] = (np.arange(first, first + count) % 256)[:, None, None, None]
    video[:, 0, 0] = (255, 0, 99)
    with VideoWriter(path, WIDTH_PX, HEIGHT_PX, fps, lossless=True) as writer:
        for frame in video:
            writer.write(frame)
    return video


def _load(folder: Path, frames: int | None = None, clip_frames: int = 29, **changes: Any) -> Any:
    return load_sample_videos(_sample(folder, **changes), WIDTH_PX, HEIGHT_PX, frames, clip_frames=clip_frames)


@pytest.fixture
def filmed(folder: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """100 frames at 30 a second under every name: 34 at 10 a second."""
    names = ("front", "front_real", "rear", "rear_real")
    return {name: _video(folder / f"{name}.mp4", 100, first=30 * i) for i, name in enumerate(names)}


def test_one_clip_is_read_at_the_rate_of_the_sample(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    videos = _load(folder)
    assert videos.control.shape == (2, 29, HEIGHT_PX, WIDTH_PX, 3) and videos.control.dtype == np.uint8
    assert np.array_equal(videos.control[0], filmed["front"][:87:3])
    assert np.array_equal(videos.control[1], filmed["rear"][:87:3])
    assert np.array_equal(videos.known[:, 0], [filmed["front_real"][0], filmed["rear_real"][0]])
    assert videos.known.shape[1] == 1 and videos.known_counts == (1, 1)
    assert (videos.camera_names, videos.view_ids, videos.fps) == (("front_wide", "rear"), (0, 3), 10.0)
    assert videos.note == ""


def test_known_frames_are_those_at_the_start_of_the_inputs(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]
) -> None:
    known = _load(folder, num_conditional_frames=5).known
    assert np.array_equal(known, [filmed["front_real"][:15:3], filmed["rear_real"][:15:3]])


def test_no_known_frames_are_none(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    (folder / "front_real.mp4").write_bytes(b"never opened")
    videos = _load(folder, num_conditional_frames=0)
    assert videos.known is None and videos.known_counts == (0, 0)


def test_known_frames_beyond_the_count_of_a_view_are_black(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]
) -> None:
    front, rear = (_view(n, num_conditional_frames_per_view=k) for n, k in (("front", 1), ("rear", 5)))
    videos = _load(folder, enable_autoregressive=True, num_chunks=1, front_wide=front, rear=rear)
    assert videos.known_counts == (1, 5) and videos.known.shape[:2] == (2, 5)
    assert np.array_equal(videos.known[0, 0], filmed["front_real"][0]) and not videos.known[0, 1:].any()
    assert np.array_equal(videos.known[1], filmed["rear_real"][:15:3])


@pytest.mark.parametrize(
    ("count", "overlap", "chunks", "expected"),
    [(85, 1, 3, 85), (85, 1, 2, 57), (84, 1, 3, 57), (57, 1, 9, 57), (56, 1, 2, 29), (29, 1, 1, 29), (53, 5, 2, 53)],
)
def test_a_long_clip_has_as_many_whole_chunks_as_the_controls_allow(
    folder: Path, count: int, overlap: int, chunks: int, expected: int
) -> None:
    long = _video(folder / "front.mp4", count, fps=10)
    _video(folder / "front_real.mp4", 1, fps=10)
    videos = _load(folder, rear={}, enable_autoregressive=True, num_chunks=chunks, chunk_overlap=overlap)
    assert np.array_equal(videos.control[0], long[:expected])


def test_fewer_chunks_than_asked_for_are_said(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    videos = _load(folder, enable_autoregressive=True, num_chunks=4)
    assert videos.control.shape[1] == 29
    assert videos.note == (
        "street: the control videos have 34 frames at 10 fps, enough for 1 of the 4 chunks: 29 frames."
    )


def test_another_clip_length_makes_other_chunks(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    videos = _load(folder, clip_frames=13, enable_autoregressive=True, num_chunks=2)
    assert videos.control.shape[1] == 25 and videos.note == ""
    with pytest.raises(DatasetError) as caught:
        _load(folder, clip_frames=5, enable_autoregressive=True, chunk_overlap=5)
    assert str(caught.value) == "street: a chunk_overlap of 5 is too long for chunks of 5 frames"


def test_as_many_frames_as_asked_for_can_be_read(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    assert np.array_equal(_load(folder, frames=5, fps=30).control[0], filmed["front"][:5])


def test_frames_behind_the_last_one_needed_are_not_decoded(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []

    def counting(path: Path) -> Any:
        for index, frame in enumerate(decoded_frames(path)):
            decoded.append(index)
            yield frame

    decoded_frames = cosmos_videos.decoded_frames
    monkeypatch.setattr(cosmos_videos, "decoded_frames", counting)
    _load(folder, num_conditional_frames=0)
    assert decoded == [*range(85), *range(85)]  # frame 28 at 10 a second is frame 84 at 30


def test_pictures_are_resized_as_the_model_resizes(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    codec = pytest.importorskip("models.codec")
    videos = load_sample_videos(_sample(folder), WIDTH_PX // 2, HEIGHT_PX // 2)
    assert videos.control.shape == (2, 29, 2, 4, 3) and videos.known is not None
    assert np.array_equal(videos.control[1], codec.resize_frames(filmed["rear"][:87:3], 4, 2))
    assert np.array_equal(videos.known[0], codec.resize_frames(filmed["front_real"][:1], 4, 2))


def _video_complaint(folder: Path, **changes: Any) -> str:
    with pytest.raises((DatasetError, RenderError)) as caught:
        _load(folder, **changes)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_control_video_that_is_too_short_is_refused(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    complaint = "front.mp4: has 20 frames at 6 fps, but 29 are needed"
    assert _video_complaint(folder, fps=6) == complaint
    assert _video_complaint(folder, fps=6, enable_autoregressive=True) == complaint


def test_an_input_that_is_too_short_is_refused(folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]) -> None:
    _video(folder / "rear_real.mp4", 12)
    assert _video_complaint(folder, num_conditional_frames=5) == (
        "rear_real.mp4: has 4 frames at 10 fps, but 5 are needed"
    )


def test_control_videos_of_different_lengths_are_refused(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]]
) -> None:
    _video(folder / "rear.mp4", 99)
    assert _video_complaint(folder) == (
        "rear.mp4: has 99 frames, but front.mp4 has 100. All control videos of a sample need the same length"
    )


@pytest.mark.parametrize("name", ["rear.mp4", "front_real.mp4"])
def test_videos_of_different_rates_are_refused(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]], name: str
) -> None:
    _video(folder / name, 100, fps=20)
    assert _video_complaint(folder) == (
        f"{name}: has 20 frames per second, but front.mp4 has 30. All videos of a sample need the same rate"
    )


@pytest.mark.parametrize("fps", [20, 60])
def test_a_rate_that_is_no_multiple_is_refused(
    folder: Path, filmed: dict[str, npt.NDArray[np.uint8]], fps: int
) -> None:
    assert _video_complaint(folder, fps=fps) == (
        f"front.mp4: has 30 frames per second, which is no multiple of the sample's fps, {fps}"
    )


def test_a_video_that_is_none_is_named(folder: Path) -> None:
    (folder / "front.mp4").write_bytes(b"no video")
    assert _video_complaint(folder).startswith("front.mp4: cannot be read: ")


def test_a_specification_is_read_without_torch() -> None:
    code = "import sys, drivesim.cosmos_videos; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
