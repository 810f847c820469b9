"""Captions go to the view that looks ahead, and every distinct text occurs once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.captions import DEFAULT_NEGATIVE_PROMPT, Captions, arrange
from models.config import COSMOS_VIEWS
from models.errors import ShapeError

SEVEN = list(range(7))


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Tensor]:
    return load_file(shared / "golden" / "model" / "text.safetensors")


def _laid_out(embeddings: list[Tensor], places: tuple[int, ...]) -> Tensor:
    """[1,N,C] per text -> [1,V*N,C], views major."""
    return torch.cat([embeddings[place] for place in places], dim=1)


def _texts(captions: Captions, places: tuple[int, ...]) -> list[str]:
    return [captions.texts[place] for place in places]


def test_one_caption_is_laid_out_as_in_the_released_pipeline(golden: dict[str, Tensor]) -> None:
    captions = arrange(["a road"], "ugly", ["cross_right", "front_wide", "rear"], [1, 0, 3], "official")
    names = {" ": "empty", "a road": "caption", "ugly": "negative"}
    embeddings = [golden[f"single.{names[text]}_emb"] for text in captions.texts]
    assert torch.equal(_laid_out(embeddings, captions.positive), golden["single.positive"])
    assert torch.equal(_laid_out(embeddings, captions.negative), golden["single.negative"])


def test_one_caption_per_view_is_laid_out_as_in_the_released_pipeline(golden: dict[str, Tensor]) -> None:
    captions = arrange(["a", "b", "c"], "ugly", ["front_wide", "rear", "front_tele"], [0, 3, 6], "per_view")
    known = dict(zip("abc", golden["multi.captions"].split(1), strict=True)) | {"ugly": golden["single.negative_emb"]}
    embeddings = [known[text] for text in captions.texts]
    assert torch.equal(_laid_out(embeddings, captions.positive), golden["multi.positive"])
    assert torch.equal(_laid_out(embeddings, captions.negative), golden["multi.negative"])


def test_views_without_the_caption_carry_one_space_not_an_empty_text() -> None:
    captions = arrange(["a road"], "ugly", COSMOS_VIEWS, SEVEN)
    assert captions == Captions(("a road", " ", "ugly"), (0, 1, 1, 1, 1, 1, 1), (2, 1, 1, 1, 1, 1, 1))


@pytest.mark.parametrize(("view_ids", "carrier"), [([3, 0, 6], 1), ([5, 6], 0), ([6], 0), ([2, 1, 0], 2)])
def test_the_wide_front_camera_carries_the_caption_and_without_it_the_first(view_ids: list[int], carrier: int) -> None:
    for mode in ("official", "training"):
        captions = arrange(["a road"], "ugly", [str(view_id) for view_id in view_ids], view_ids, mode)
        for word, places in (("a road", captions.positive), ("ugly", captions.negative)):
            carriers = [v for v, text in enumerate(_texts(captions, places)) if text.endswith(word)]
            assert carriers == [carrier]


def test_training_texts_say_where_each_camera_looks() -> None:
    captions = arrange(["a road"], "ugly", COSMOS_VIEWS, SEVEN, "training")
    car = "The video is captured from a camera mounted on a car. The camera is facing "
    elsewhere = [
        car + "to the right. ",
        car + "the rear right side. ",
        car + "backwards. ",
        car + "the rear left side. ",
        car + "to the left. ",
        "The video is captured from a telephoto camera mounted on a car. The camera is facing forward. ",
    ]
    assert _texts(captions, captions.positive) == [car + "forward. a road", *elsewhere]
    assert _texts(captions, captions.negative) == [car + "forward. ugly", *elsewhere]
    assert len(captions.texts) == 8


def test_a_single_prompt_per_view_is_shared_and_occurs_once() -> None:
    assert arrange(["a road"], "ugly", ["a", "b"], [0, 1], "per_view") == Captions(("a road", "ugly"), (0, 0), (1, 1))


def test_equal_prompts_of_different_views_occur_once() -> None:
    captions = arrange(["x", "y", "x"], "y", ["a", "b", "c"], [0, 1, 2], "per_view")
    assert captions == Captions(("x", "y"), (0, 1, 0), (1, 1, 1))


def test_the_default_negative_prompt_takes_the_place_of_the_caption() -> None:
    captions = arrange(["a road"], DEFAULT_NEGATIVE_PROMPT, ["a", "b"], [0, 1])
    assert _texts(captions, captions.negative) == [DEFAULT_NEGATIVE_PROMPT, " "]


@pytest.mark.parametrize(
    ("prompts", "names", "view_ids", "mode", "message"),
    [
        (["a", "b"], "xyz", [0, 1, 2], "per_view", "prompts: 2 for 3 views. Give one, or one per view"),
        ([], "xyz", [0, 1, 2], "official", "prompts: 0 for 3 views. Give one, or one per view"),
        (
            ["a", "b", "c"], "xyz", [0, 1, 2], "official",
            "prompts: 3 in caption mode official. Give one caption, or caption mode per_view",
        ),
        (
            ["a", "b", "c"], "xyz", [0, 1, 2], "training",
            "prompts: 3 in caption mode training. Give one caption, or caption mode per_view",
        ),
        (
            "abc", "xyz", [0, 1, 2], "per_view",
            "prompts: a single string. Give a list, of one prompt for all views or one per view",
        ),
        (["a"], "xy", [0, 1, 2], "official", "captions: 2 camera names and 3 view ids. Give one of each per view"),
        (["a"], "", [], "official", "captions: 0 camera names and 0 view ids. Give one of each per view"),
        (["a"], "x", [0], "odd", "caption mode: 'odd' is none of official, training, per_view"),
        (
            ["a"], "xy", [0, 7], "training",
            "y: view id 7 has no sentence for caption mode training, which knows ids 0 to 6. "
            "Use caption mode official or per_view",
        ),
    ],
)  # fmt: skip
def test_captions_that_do_not_fit_the_views_are_one_sentence(
    prompts: list[str], names: str, view_ids: list[int], mode: str, message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        arrange(prompts, "ugly", list(names), view_ids, mode)  # type: ignore[arg-type]
    assert str(caught.value) == message
