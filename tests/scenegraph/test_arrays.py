import numpy as np
import pytest

from scenegraph import TimeRangeError
from scenegraph.arrays import all_finite, as_float, as_instants, expect, first_bad_row, frozen


def test_expect_accepts_free_letters_and_fixed_numbers():
    expect("frames", np.zeros((2, 5, 4, 6, 3), np.uint8), "V T H W 3", np.uint8)


@pytest.mark.parametrize(
    ("shape", "dtype", "sentence"),
    [
        ((6, 29, 720, 1280), np.float32, "frames: expected [V,T,H,W,3] uint8, got [6,29,720,1280] float32"),
        ((1, 1, 2, 2, 4), np.uint8, "frames: expected [V,T,H,W,3] uint8, got [1,1,2,2,4] uint8"),
        ((1, 1, 2, 2, 3), np.int16, "frames: expected [V,T,H,W,3] uint8, got [1,1,2,2,3] int16"),
    ],
)
def test_expect_shows_both_shapes(shape, dtype, sentence):
    with pytest.raises(ValueError) as error:
        expect("frames", np.zeros(shape, dtype), "V T H W 3", np.uint8)
    assert str(error.value) == sentence


def test_expect_without_a_type_takes_any():
    expect("points", np.zeros((4, 3), np.float32), "N 3")
    with pytest.raises(ValueError) as error:
        expect("points", np.zeros(3), "N 3")
    assert str(error.value) == "points: expected [N,3], got [3] float64"


def test_as_float_copies_and_cannot_be_written_to():
    source = np.ones(3)
    kept = as_float(source)
    source[0] = 7.0
    assert kept[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 2.0


def test_frozen_returns_the_same_array_read_only():
    array = np.zeros(2)
    assert frozen(array) is array and not array.flags.writeable


@pytest.mark.parametrize("values", [[1, 2], [1.0, 2.0], np.array([1, 2], np.int32), np.array([1, 2], np.uint64)])
def test_whole_numbers_are_instants(values):
    instants = as_instants("times", values)
    assert instants.dtype == np.int64 and instants.tolist() == [1, 2]


def test_no_instants_at_all_are_allowed_and_shapes_are_kept():
    assert as_instants("times", []).shape == (0,)
    assert as_instants("times", 5).shape == ()


@pytest.mark.parametrize(("values", "shown"), [([0.5, 1.0], "[0.5, 1.0]"), ([np.nan], "[nan]"), ([np.inf], "[inf]")])
def test_fractions_of_a_microsecond_are_refused(values, shown):
    with pytest.raises(TimeRangeError) as error:
        as_instants("times", values)
    assert str(error.value) == f"times: expected whole microseconds, got {shown}"


def test_instants_do_not_share_memory_with_their_source():
    source = np.array([1, 2])
    instants = as_instants("times", source)
    source[0] = 9
    assert instants[0] == 1


def test_all_finite_finds_nan_and_infinity_and_passes_nothing():
    assert all_finite(np.zeros(0)) and all_finite(np.ones(3))
    assert not all_finite(np.array([0.0, np.nan])) and not all_finite(np.array([np.inf]))


def test_first_bad_row_names_the_first_of_several():
    rows = np.zeros((4, 2, 2))
    assert first_bad_row(rows) is None
    rows[3, 1, 0], rows[2, 0, 1] = np.nan, np.inf
    assert first_bad_row(rows) == 2


def test_first_bad_row_of_no_rows_and_of_plain_numbers():
    assert first_bad_row(np.zeros((0, 3))) is None
    assert first_bad_row(np.array([1.0, np.nan])) == 1
