import pickle
from pathlib import Path

import pytest

from scenegraph import FormatError, FrameError, MapError, SceneGraphError, TimeRangeError


@pytest.mark.parametrize("kind", [FormatError, FrameError, MapError, TimeRangeError])
def test_every_error_is_a_scene_graph_error_and_a_value_error(kind):
    assert issubclass(kind, SceneGraphError) and issubclass(kind, ValueError)


def test_format_error_reads_file_place_problem_allowed():
    error = FormatError("a/clip.lane.parquet", "row 3: lane.left_rail", "holds NaN", "Use finite metres")
    assert str(error) == "a/clip.lane.parquet: row 3: lane.left_rail: holds NaN. Use finite metres"
    assert (error.file, error.place, error.problem, error.allowed) == (
        Path("a/clip.lane.parquet"),
        "row 3: lane.left_rail",
        "holds NaN",
        "Use finite metres",
    )


def test_format_error_leaves_out_what_it_does_not_know():
    assert str(FormatError(Path("x.tar"), "", "is cut short")) == "x.tar: is cut short"


@pytest.mark.parametrize(
    "error",
    [
        FormatError("x.parquet", "table lane", "is empty", "At least one row"),
        FormatError("x.parquet", "", "is empty"),
        FrameError("no rotation"),
        TimeRangeError("too late"),
        MapError("no lane"),
    ],
)
def test_errors_survive_a_process_border(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error) and str(back) == str(error) and vars(back) == vars(error)
