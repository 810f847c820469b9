"""Strict columns of parquet and feather files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from scenegraph import FormatError
from scenegraph.formats.tables import read_table

XYZ = pa.struct([(axis, pa.float64()) for axis in "xyz"])


@pytest.fixture
def written(tmp_path):
    """Write columns as t.parquet and read them again as a table."""

    def write(**columns):
        file = tmp_path / "t.parquet"
        pa.parquet.write_table(pa.table(columns), file)
        return read_table(file)

    return write


def sentence(error) -> str:
    """The message without the folder of the test."""
    return str(error.value).replace(f"{error.value.file.parent}/", "")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_parquet_and_feather_give_the_same_columns(tmp_path, suffix):
    file = tmp_path / f"t.{suffix}"
    content = pa.table({"n": [1, 2], "box": [{"x": 0.5, "y": 1}, {"x": 1.5, "y": 2}], "word": ["a", "b"]})
    (pa.parquet.write_table if suffix == "parquet" else pa.feather.write_feather)(content, file)
    table = read_table(file)
    assert len(table) == 2
    assert table.integers("n").tolist() == [1, 2]
    assert table.vectors("box.x", "box.y").tolist() == [[0.5, 1.0], [1.5, 2.0]]
    assert table.strings("word") == ("a", "b")


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path):
    folder = tmp_path / "country=de"
    folder.mkdir()
    pa.parquet.write_table(pa.table({"n": [1]}), folder / "t.parquet")
    assert not read_table(folder / "t.parquet").has("country")


def test_point_lists_know_where_each_row_begins(written):
    rows = [[{"x": 1.0, "y": 2.0, "z": 3.0}], None, [], [{"x": None, "y": 0.0, "z": 0.0}] * 2]
    points = written(rail=pa.array(rows, pa.list_(XYZ))).point_lists("rail")
    assert points.starts.tolist() == [0, 1, 1, 1, 3]
    assert points[0].tolist() == [[1.0, 2.0, 3.0]]
    assert np.isnan(points[3][:, 0]).all() and (points[3][:, 1:] == 0).all()


def test_an_empty_struct_makes_its_fields_empty(written):
    table = written(box=pa.array([{"x": 1.0}, None], pa.struct([("x", pa.float64())])))
    assert np.isnan(table.numbers("box.x", allow_nan=True)).tolist() == [False, True]


def test_lists_of_other_things_keep_their_rows(written):
    table = written(words=[["a", "b"], []], times=[[1, 2], [3]], nine=[[1.0, 2.0], [3.0, 4.0]])
    assert table.string_lists("words") == (("a", "b"), ())
    assert [row.tolist() for row in table.integer_lists("times")] == [[1, 2], [3]]
    assert table.number_lists("nine", 2).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_empty_cells_are_filled_only_on_request(written):
    table = written(n=pa.array([1, None]), word=["a", None], flag=[True, None])
    assert table.integers("n", empty=7).tolist() == [1, 7]
    assert table.optional_integers("n") == (1, None)
    assert table.strings("word", empty="") == ("a", "")
    assert table.optional_strings("word") == ("a", None)
    assert table.booleans("flag", empty=False).tolist() == [True, False]


def test_a_table_without_rows_gives_empty_columns(written):
    table = written(n=pa.array([], pa.int64()), rail=pa.array([], pa.list_(XYZ)), untyped=pa.nulls(0))
    assert table.integers("n").shape == (0,)
    assert len(table.point_lists("rail")) == 0
    assert table.strings("untyped") == ()


def test_texts_may_be_stored_as_a_dictionary(written):
    assert written(word=pa.array(["a", "b", "a"]).dictionary_encode()).strings("word") == ("a", "b", "a")


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_a_truncated_file_is_refused_in_one_sentence(tmp_path, suffix):
    file = tmp_path / f"t.{suffix}"
    content = pa.table({"n": list(range(1000))})
    (pa.parquet.write_table if suffix == "parquet" else pa.feather.write_feather)(content, file)
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(FormatError) as error:
        read_table(file)
    assert sentence(error) == f"t.{suffix}: cannot be read as {suffix}. It is truncated or damaged."


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_an_empty_file_is_refused(tmp_path, suffix):
    file = tmp_path / f"t.{suffix}"
    file.touch()
    with pytest.raises(FormatError) as error:
        read_table(file)
    assert sentence(error) == f"t.{suffix}: cannot be read as {suffix}. It is truncated or damaged."


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FormatError) as error:
        read_table(tmp_path / "t.feather")
    assert sentence(error) == "t.feather: the file is missing. A feather table is needed here."


BOX = pa.array([{"x": 1.0, "name": "a"}, {"x": float("nan"), "name": None}])
BAD_COLUMNS = {
    "a missing column": (
        lambda t: t.integers("time"),
        "t.parquet: time: the column is missing. Present are n, box, rail, big.",
    ),
    "a missing field of a struct": (
        lambda t: t.numbers("box.y"),
        "t.parquet: box.y: the column is missing. Present are x, name.",
    ),
    "a field of what is no struct": (
        lambda t: t.numbers("n.y"),
        "t.parquet: n.y: the column is missing. Present are int64 values.",
    ),
    "numbers instead of texts": (
        lambda t: t.strings("n"),
        "t.parquet: n: the column holds int64. It must hold texts.",
    ),
    "texts instead of numbers": (
        lambda t: t.numbers("box.name"),
        "t.parquet: box.name: the column holds string. It must hold numbers.",
    ),
    "fractions instead of whole numbers": (
        lambda t: t.integers("box.x"),
        "t.parquet: box.x: the column holds double. It must hold whole numbers.",
    ),
    "lists of the wrong thing": (
        lambda t: t.point_lists("rail"),
        "t.parquet: rail: the column holds a list of int64. It must hold lists of {x, y, z} numbers.",
    ),
    "a number that is NaN": (
        lambda t: t.vectors("n", "box.x"),
        "t.parquet: row 1, box.x: nan. A finite number is needed here.",
    ),
    "an empty cell": (
        lambda t: t.strings("box.name"),
        "t.parquet: row 1, box.name: the cell is empty. A value is needed here.",
    ),
    "a list of the wrong length": (
        lambda t: t.number_lists("rail", 2),
        "t.parquet: row 1, rail: 1 numbers. 2 are needed.",
    ),
    "a number beyond 64 bits": (
        lambda t: t.integers("big"),
        "t.parquet: big: a number is too large. 64-bit whole numbers are allowed.",
    ),
}


@pytest.mark.parametrize("case", BAD_COLUMNS)
def test_a_wrong_column_is_refused_in_one_sentence(written, case):
    read, expected = BAD_COLUMNS[case]
    table = written(n=[1, 2], box=BOX, rail=[[1, 2], [3]], big=pa.array([1, 2**64 - 1], pa.uint64()))
    with pytest.raises(FormatError) as error:
        read(table)
    assert sentence(error) == expected
