"""Whose a clip's folder is, and what may be deleted in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivesim.clip_folder import claim, description_of, file_name, finish, is_finished, require_own, tidy
from drivesim.errors import DatasetError


def describe(**more: Any) -> dict[str, Any]:
    """A generated clip of one camera."""
    return {
        "drivesim": "0",
        "cameras": [{"name": "front", "file": "front.mp4"}],
        "generation": {"seed": 0, "sampling": {"steps": 35}},
        "also": ["mosaic.mp4", "controls/front.mp4"],
    } | more


def fill(folder: Path) -> None:
    for name in ("front.mp4", "mosaic.mp4", "controls/front.mp4", ".chunks/0000/front.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_clip_is_planned_then_finished(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    claim(folder, describe(), overwrite=False)
    assert left(folder) == [".settings.json"] and not is_finished(folder)
    assert description_of(folder) == describe()
    finish(folder, describe())
    assert left(folder) == ["clip.json"] and is_finished(folder)
    assert description_of(folder) == describe()


def test_finishing_removes_what_an_unfinished_clip_alone_needs(tmp_path: Path) -> None:
    claim(tmp_path, describe(), overwrite=False)
    fill(tmp_path)
    finish(tmp_path, describe())
    assert left(tmp_path) == ["clip.json", "controls", "controls/front.mp4", "front.mp4", "mosaic.mp4"]
    tidy(tmp_path)
    assert len(left(tmp_path)) == 5


def test_overwriting_removes_all_files_of_the_clip_and_no_others(tmp_path: Path) -> None:
    claim(tmp_path, describe(), overwrite=False)
    fill(tmp_path)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "controls" / "mine.txt").touch()
    claim(tmp_path, describe(also=[], cameras=[]), overwrite=True)
    assert left(tmp_path) == [".settings.json", "controls", "controls/mine.txt", "notes.txt"]
    (tmp_path / "controls" / "mine.txt").unlink()
    claim(tmp_path, describe(), overwrite=True)
    claim(tmp_path, describe(), overwrite=True)
    assert left(tmp_path) == [".settings.json", "notes.txt"]


def test_nothing_outside_of_the_folder_is_removed_whatever_its_description_says(tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.touch()
    folder = tmp_path / "clip"
    named = ["../outside.mp4", str(outside), "controls/../../outside.mp4"]
    finish_with = describe(also=named, cameras=[{"name": "../outside", "file": "../outside.mp4"}])
    claim(folder, finish_with, overwrite=False)
    finish(folder, finish_with)
    claim(folder, describe(), overwrite=True)
    assert outside.exists()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"generation": {"seed": 1, "sampling": {"steps": 35}}}, " (generation.seed)"),
        ({"generation": {"seed": 0, "sampling": {"steps": 4}}}, " (generation.sampling.steps)"),
        ({"also": [], "notes": ["x"], "view_ids": [1], "fps": 30}, " (fps)"),
        ({f"field{index}": 1 for index in range(6)}, " (field0, field1, field2, field3 and 2 more)"),
    ],
)
def test_a_complaint_names_the_fields_in_which_two_generated_clips_differ(
    tmp_path: Path, changes: dict[str, Any], fields: str
) -> None:
    finish(tmp_path, describe())
    with pytest.raises(DatasetError) as error:
        require_own(tmp_path, describe(**changes), [tmp_path / "front.mp4"], False, "clips")
    assert str(error.value) == (
        f"{tmp_path}: holds clips of other content or settings{fields}. "
        "Add --overwrite to replace them, or choose another -o."
    )


def test_a_field_that_only_the_clip_there_has_is_named_too(tmp_path: Path) -> None:
    finish(tmp_path, describe(fit="crop"))
    with pytest.raises(DatasetError, match=r"settings \(fit\)\."):
        require_own(tmp_path, describe(), [], False)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"some": "json"}', '{"drivesim": "0"}'])
def test_a_description_of_something_else_is_refused_without_fields(tmp_path: Path, content: str) -> None:
    (tmp_path / "clip.json").write_text(content)
    with pytest.raises(DatasetError) as error:
        require_own(tmp_path, describe(), [], False)
    assert str(error.value) == (
        f"{tmp_path}: holds control videos of other content or settings. "
        "Add --overwrite to replace them, or choose another -o."
    )
    require_own(tmp_path, describe(), [], True)


def test_a_run_that_ended_before_its_first_file_claims_nothing(tmp_path: Path) -> None:
    claim(tmp_path, describe(), overwrite=False)
    require_own(tmp_path, describe(fps=30), [tmp_path / "front.mp4"], False)
    (tmp_path / ".chunks").mkdir()
    with pytest.raises(DatasetError):
        require_own(tmp_path, describe(fps=30), [tmp_path / ".chunks"], False)


def test_names_stay_within_the_folder() -> None:
    assert [file_name(name) for name in ("front", "../up", "a/b", "", ".hidden", "C:\\x", "50%")] == [
        "front", "%2E.%2Fup", "a%2Fb", "%", "%2Ehidden", "C%3A%5Cx", "50%25",
    ]  # fmt: skip


def test_a_description_is_written_as_json_that_people_can_read(tmp_path: Path) -> None:
    finish(tmp_path, describe())
    text = (tmp_path / "clip.json").read_text()
    assert json.loads(text) == describe() and text.endswith("}\n") and '\n "cameras": [' in text
