"""What is said to the generator, from a line or from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivesim.errors import DatasetError, ScenarioError
from drivesim.prompts import ChunkPrompts, Prompts, load_prompts
from models.captions import DEFAULT_NEGATIVE_PROMPT

CAMERAS = ("front", "left", "right")


def load(folder: Path, text: str) -> Prompts:
    path = folder / "prompts.yaml"
    path.write_text(text)
    return load_prompts(path)


def test_one_caption_is_said_in_every_chunk() -> None:
    prompts = Prompts.of("A street.")
    prompts.require(CAMERAS, 3)
    assert [prompts.of_chunk(index, CAMERAS) for index in range(3)] == [(("A street.",), "official")] * 3
    assert prompts.negative == DEFAULT_NEGATIVE_PROMPT
    assert Prompts.of("A street.", "").negative == ""
    assert Prompts.of("A street.", None, "training").of_chunk(0, CAMERAS) == (("A street.",), "training")


def test_a_prompt_per_camera_comes_in_the_order_of_the_views(tmp_path: Path) -> None:
    prompts = load(tmp_path, "cameras: {right: c, front: a, left: b}\nnegative: blur\n")
    prompts.require(CAMERAS, 2)
    assert prompts.of_chunk(1, CAMERAS) == (("a", "b", "c"), "per_view")
    assert prompts.negative == "blur"
    assert prompts.describe() == {
        "chunks": [{"right": "c", "front": "a", "left": "b"}],
        "negative": "blur",
        "mode": "official",
    }


def test_every_chunk_may_have_its_own(tmp_path: Path) -> None:
    prompts = load(tmp_path, "chunks:\n- caption: Dusk.\n- cameras: {front: a, left: b, right: c}\n- caption: Night.\n")
    prompts.require(CAMERAS, 3)
    assert [prompts.of_chunk(index, CAMERAS) for index in range(3)] == [
        (("Dusk.",), "official"),
        (("a", "b", "c"), "per_view"),
        (("Night.",), "official"),
    ]
    assert prompts.describe()["chunks"] == ["Dusk.", {"front": "a", "left": "b", "right": "c"}, "Night."]


@pytest.mark.parametrize(
    ("prompts", "chunks", "sentence"),
    [
        (
            Prompts((ChunkPrompts("a"), ChunkPrompts("b"))),
            3,
            "prompts: 2 chunks are described, but the clip has 3. Describe one or all",
        ),
        (
            Prompts((ChunkPrompts(None, (("front", "a"), ("lefft", "b"))),)),
            1,
            "prompts: there is no camera 'lefft' (did you mean 'left'?). The clip has front, left, right",
        ),
        (
            Prompts((ChunkPrompts(None, (("roof", "a"),)),)),
            1,
            "prompts: there is no camera 'roof'. The clip has front, left, right",
        ),
        (
            Prompts((ChunkPrompts("a"), ChunkPrompts(None, (("front", "a"),)))),
            2,
            "prompts: no prompt for left, right. Give every camera one",
        ),
    ],
)
def test_prompts_that_do_not_fit_the_clip_are_refused(prompts: Prompts, chunks: int, sentence: str) -> None:
    with pytest.raises(DatasetError) as error:
        prompts.require(CAMERAS, chunks)
    assert str(error.value) == sentence


ONE_OF_THREE = "give one of these: a caption, cameras with a prompt each, or chunks"
ONE_OF_TWO = "give a caption, or cameras with a prompt each"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("negative: blur\n", [f":1:1  {ONE_OF_THREE}"]),
        ("caption: a\ncameras: {front: b}\n", [f":1:1  {ONE_OF_THREE}"]),
        ("caption: a\nchunks: [{caption: b}]\n", [f":1:1  {ONE_OF_THREE}"]),
        ("chunks: []\n", [f":1:1  {ONE_OF_THREE}"]),
        ("chunks:\n- {caption: a}\n- {}\n", [f":3:3  chunks[1]: {ONE_OF_TWO}"]),
        ("chunks:\n- {caption: a, cameras: {front: b}}\n", [f":2:3  chunks[0]: {ONE_OF_TWO}"]),
        (
            "captoin: a\n",
            [
                ":1:1  captoin: unknown key (did you mean 'caption'?). Allowed: caption, cameras, chunks, negative",
            ],
        ),
    ],
)
def test_mistakes_in_a_file_are_named_with_their_place(tmp_path: Path, text: str, sentences: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        load(tmp_path, text)
    assert str(error.value).splitlines() == [f"{tmp_path}/prompts.yaml{sentence}" for sentence in sentences]


def test_a_prompt_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        load(tmp_path, "cameras:\n  front: 3\n")
    assert str(error.value).startswith(f"{tmp_path}/prompts.yaml:2:10  cameras.front: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        load_prompts(tmp_path / "none.yaml")
    assert str(error.value) == f"{tmp_path}/none.yaml: cannot be read: No such file or directory"
