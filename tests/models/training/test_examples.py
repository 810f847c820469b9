"""Clips for training: what is cut out of them, in which order they come, and how they are kept."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import micro_example

from models.errors import CheckpointError, ModelError, ShapeError
from models.training.examples import (
    Crop,
    Example,
    ExampleFolder,
    neighbouring_views,
    read_example,
    write_example,
    write_manifest,
)

CLIPS = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five clips of four views and four latent frames, each with its number in the latents."""
    write_manifest(tmp_path, {"codec": "abc"})
    for index in range(CLIPS):
        example = micro_example(index, views=4, latent_frames=4, video=torch.full((4, 4, 4, 4, 6), float(index)))
        write_example(tmp_path / f"{index}.safetensors", example)
    return tmp_path


def _same(one: Example, other: Example) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in vars(one)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def test_a_clip_comes_back_from_its_file(tmp_path: Path) -> None:
    example = micro_example(view_ids=torch.tensor([4, 0, 2]), fps=12.5, noise=torch.ones(3, 4, 3, 4, 6), known=2)
    write_example(tmp_path / "clip.safetensors", example, torch.float32)
    assert _same(read_example(tmp_path / "clip.safetensors"), example)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.safetensors"]


def test_latents_are_stored_in_half_precision() -> None:
    assert not torch.equal(micro_example().video.half().float(), micro_example().video)


def test_a_part_of_a_clip_keeps_its_beginning_and_who_sees_whom() -> None:
    example = micro_example(views=4, text=torch.arange(4.0).reshape(4, 1, 1), view_ids=torch.tensor([5, 6, 7, 8]))
    part = example.some([0, 1, 3], 2)
    assert torch.equal(part.video, example.video[[0, 1, 3], :, :2])
    assert torch.equal(part.control, example.control[[0, 1, 3], :, :2])
    assert part.rays is not None and example.rays is not None and torch.equal(part.rays, example.rays[[0, 1, 3]])
    assert part.neighbours is not None and part.neighbours.tolist() == [[False, True, False], [True, False, False],
                                                                       [False, False, False]]  # fmt: skip
    assert part.text.flatten().tolist() == [0, 1, 3]
    assert part.view_ids is not None and part.view_ids.tolist() == [5, 6, 8]


def test_views_are_drawn_as_neighbours_of_each_other() -> None:
    ring = np.roll(np.eye(7, dtype=bool), 1, axis=1)
    drawn = {tuple(neighbouring_views(ring, 3, np.random.default_rng(seed))) for seed in range(200)}
    assert drawn == {tuple(sorted((view, (view + 1) % 7, (view + 2) % 7))) for view in range(7)}


def test_views_without_neighbours_are_drawn_from_all() -> None:
    nobody = np.zeros((3, 3), dtype=bool)
    assert neighbouring_views(nobody, 3, np.random.default_rng(0)) == [0, 1, 2]


def test_every_clip_is_seen_once_before_any_is_seen_again_in_another_order(folder: Path) -> None:
    source = ExampleFolder(folder)
    rounds = [
        [int(source.batch(index, 1, seed=3)[0].video[0, 0, 0, 0, 0]) for index in range(begin, begin + CLIPS)]
        for begin in (0, CLIPS, 2 * CLIPS)
    ]
    assert all(sorted(seen) == list(range(CLIPS)) for seen in rounds)
    assert len({tuple(seen) for seen in rounds}) > 1


def test_a_batch_follows_from_seed_and_number_alone(folder: Path) -> None:
    crop = Crop(views=2, latent_frames=(1, 4))
    one = [ExampleFolder(folder, crop).batch(index, 2, seed=1) for index in (6, 8)]
    other = [ExampleFolder(folder, crop).batch(index, 2, seed=1) for index in (8, 6)]
    for mine, yours in zip(one, reversed(other), strict=True):
        assert all(map(_same, mine, yours))
    different = ExampleFolder(folder, crop).batch(6, 2, seed=2)
    assert not all(map(_same, one[0], different))


def test_clips_of_a_batch_are_cut_to_one_length_and_so_many_views(folder: Path) -> None:
    source = ExampleFolder(folder, Crop(views=2, latent_frames=(2, 4)))
    batches = [source.batch(3 * index, 3, seed=0) for index in range(20)]
    assert {example.views for batch in batches for example in batch} == {2}
    lengths = [{example.latent_frames for example in batch} for batch in batches]
    assert all(len(length) == 1 for length in lengths)
    assert set().union(*lengths) == {2, 3, 4}


def test_more_than_a_clip_has_is_all_of_it(folder: Path) -> None:
    (example,) = ExampleFolder(folder, Crop(views=9, latent_frames=(9, 9))).batch(0, 1, seed=0)
    assert (example.views, example.latent_frames) == (4, 4)


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"no clip", lambda data: b""])
def test_a_damaged_clip_is_named(folder: Path, damage: object) -> None:
    path = folder / "2.safetensors"
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    message = rf"^{re.escape(str(path))}: is no training clip, or damaged: .+\. Make it again, or remove it$"
    with pytest.raises(CheckpointError, match=message):
        ExampleFolder(folder)[2]


def test_clips_of_another_codec_are_refused(folder: Path) -> None:
    ExampleFolder(folder, expected={"codec": "abc"})
    message = (
        f"{folder}: its clips were made with codec 'abc', not 'xyz'. "
        f"Make them again in another folder, or use what they were made with"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        ExampleFolder(folder, expected={"codec": "xyz"})
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        write_manifest(folder, {"codec": "xyz"})
    write_manifest(folder, {"codec": "abc"})


def test_a_folder_without_a_manifest_or_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r": holds no manifest\.json, so it is no folder of training clips$"):
        ExampleFolder(tmp_path)
    write_manifest(tmp_path, {})
    with pytest.raises(CheckpointError, match=r": holds no training clips \(\*\.safetensors\)\. Make them first$"):
        ExampleFolder(tmp_path)


def test_parts_of_a_clip_must_fit_each_other() -> None:
    with pytest.raises(ShapeError, match=r"^control latents: expected \[3,4,3,4,6\], got \[3,4,2,4,6\] float32$"):
        micro_example(control=torch.zeros(3, 4, 2, 4, 6))
    with pytest.raises(ShapeError, match=r"^text: 2 for 3 views\. Give one, or one per view$"):
        micro_example(text=torch.zeros(2, 5, 6))


def test_crops_that_are_none_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^views: there must be at least 1, got 0$"):
        Crop(views=0)
    with pytest.raises(ModelError, match=r"^latent frames: must be two rising numbers from 1, got \[3, 2\]$"):
        Crop(latent_frames=(3, 2))
