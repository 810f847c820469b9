"""Large tables are searched instead of parsed, with the same result."""

from __future__ import annotations

import json

import pytest

from scenegraph import FormatError
from scenegraph.formats import nuscenes_tables
from scenegraph.formats.nuscenes_tables import NuScenesTables, search_records

ROWS = [{"token": f"t{i}", "sample_token": f"s{i % 4}", "sizes": [1, 2.5], "prev": ""} for i in range(20)]


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "v1.0-trainval"
    folder.mkdir()

    def write(text):
        file = folder / "sample_data.json"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def search_all(monkeypatch):
    """Every table counts as a large one."""
    monkeypatch.setattr(nuscenes_tables, "_PARSED_WHOLE_BYTES", 0)


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize(("field", "wanted"), [("sample_token", {"s1", "s3"}), ("token", {"t7"}), ("token", set())])
def test_searching_finds_what_parsing_finds(write, tmp_path, indent, field, wanted):
    file = write(json.dumps(ROWS, indent=indent))
    found = search_records(file, field, wanted)
    assert found == NuScenesTables.find(tmp_path).select("sample_data", field, wanted)
    assert [row.value for row in found] == [row for row in ROWS if row[field] in wanted]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([*ROWS, {"token": "without a sample"}]),
        json.dumps([*ROWS, {"token": "a brace {", "sample_token": "s1"}]),
        json.dumps([*ROWS, {"token": "inner", "sample_token": "s1", "inner": {"sample_token": "s1"}}]),
        json.dumps([*ROWS, {"token": "escaped", "sample_token": 's"1'}]),
        json.dumps(ROWS)[:-2],
        json.dumps(ROWS).replace('"sizes": [1', '"sizes": [1['),
    ],
)
def test_a_table_of_another_kind_is_left_to_the_parser(write, text):
    assert search_records(write(text), "sample_token", {"s1"}) is None


def test_a_large_table_with_braces_in_its_texts_is_parsed_after_all(write, tmp_path, search_all):
    write(json.dumps([*ROWS, {"token": "t99", "sample_token": "s1", "filename": "{}"}]))
    found = NuScenesTables.find(tmp_path).select("sample_data", "sample_token", {"s1"})
    assert [row.value["token"] for row in found] == ["t1", "t5", "t9", "t13", "t17", "t99"]


def test_a_truncated_large_table_is_refused(write, tmp_path, search_all):
    file = write(json.dumps(ROWS)[:-2])
    with pytest.raises(FormatError) as caught:
        NuScenesTables.find(tmp_path).select("sample_data", "sample_token", {"s1"})
    assert str(caught.value).startswith(f"{file}: line 1 column ")
    assert "broken JSON" in str(caught.value)
