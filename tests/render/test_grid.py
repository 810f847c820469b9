from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from render.errors import RenderError
from render.grid import GridRenderer, grid_frame
from render.mosaic import CAMERA_RGB, Rect
from render.preview import BAND_RGB, GROUND_RGB
from render.video import VideoWriter, frames

RED, GREEN = (255, 0, 0), (0, 255, 0)


def plain(rgb: tuple[int, int, int], width: int = 320, height: int = 180) -> np.ndarray:
    return np.full((height, width, 3), rgb, dtype=np.uint8)


def film(*colours: tuple[int, int, int], width: int = 320, height: int = 180) -> np.ndarray:
    return np.stack([plain(rgb, width, height) for rgb in colours])


def coloured(views: int, rows: int, width: int = 320, height: int = 180) -> list[list[np.ndarray]]:
    """Every picture in a colour of its own."""
    return [[plain((255, 20 * view, 30 * row), width, height) for view in range(views)] for row in range(rows)]


def place_of(picture: np.ndarray, rgb: tuple[int, int, int]) -> Rect:
    """The rectangle of this colour, which must be filled and the only one."""
    found = (picture[..., 0] == rgb[0]) & (picture[..., 1] == rgb[1]) & (picture[..., 2] == rgb[2])
    down, across = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert len(down), f"{rgb} is nowhere"
    place = Rect(int(across[0]), int(down[0]), int(np.ptp(across)) + 1, int(np.ptp(down)) + 1)
    assert found[place.slices].all()
    return place


def names(views: int) -> list[str]:
    return [f"camera_{view}" for view in range(views)]


def kinds(rows: int) -> list[str]:
    return ["control", "generated", "recorded"][:rows]


def raises(sentence: str):
    return pytest.raises(RenderError, match=f"^{re.escape(sentence)}$")


# -- where pictures land ----------------------------------------------------------------------------------------


def test_a_single_picture_fills_the_sheet_but_for_its_label_bands() -> None:
    # Across 1920 = 10 + 24 (row label) + 10 + 1866 + 10, so 1049 rows of 16:9, 1865 columns; one more on the right.
    picture = grid_frame([[plain(RED)]], ["front"], ["control"])
    assert picture.shape == (1094, 1920, 3) and picture.dtype == np.uint8
    assert place_of(picture, RED) == Rect(44, 34, 1865, 1049)


def test_four_views_and_two_kinds_make_four_columns_and_two_rows() -> None:
    # Across 1920 = 10 + 24 + 4 * (10 + 459) + 10; down 10 + 24 + 258 + 2 + 258 + 10 = 562.
    picture = grid_frame(coloured(4, 2), names(4), kinds(2))
    assert picture.shape == (562, 1920, 3)
    for view, left in enumerate((44, 513, 982, 1451)):
        assert place_of(picture, (255, 20 * view, 0)) == Rect(left, 34, 459, 258)
        assert place_of(picture, (255, 20 * view, 30)) == Rect(left, 294, 459, 258)


def test_seven_views_are_wrapped_into_four_and_three_with_both_kinds_in_each() -> None:
    picture = grid_frame(coloured(7, 2), names(7), kinds(2))
    assert picture.shape == (1114, 1920, 3)
    control = [place_of(picture, (255, 20 * view, 0)) for view in range(7)]
    generated = [place_of(picture, (255, 20 * view, 30)) for view in range(7)]
    assert [place.top for place in control] == [34] * 4 + [34 + 518 + 10 + 24] * 3
    for above, below in zip(control, generated, strict=True):
        assert below == Rect(above.left, above.bottom + 2, above.width, above.height)
    assert [place.left for place in control[4:]] == [278, 747, 1216]


@pytest.mark.parametrize("width", [640, 1366, 1920])
@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("views", [1, 4, 7, 12])
def test_every_picture_is_there_in_its_shape_and_both_sides_are_even(views: int, rows: int, width: int) -> None:
    picture = grid_frame(coloured(views, rows), names(views), kinds(rows), width)
    assert picture.shape[1] == width and picture.shape[0] % 2 == 0
    blocks = math.ceil(views / 4)
    places = [place_of(picture, (255, 20 * view, 30 * row)) for row in range(rows) for view in range(views)]
    assert len({(place.width, place.height) for place in places}) == 1
    assert abs(places[0].width - places[0].height * 16 / 9) <= 0.5
    assert len({place.top for place in places}) == rows * blocks
    assert max(place.right for place in places) < width and max(place.bottom for place in places) < len(picture)


@pytest.mark.parametrize("views", [1, 3])
def test_a_block_is_not_higher_than_the_sheet_is_wide(views: int) -> None:
    picture = grid_frame(coloured(views, 3, 320, 320), names(views), kinds(3))
    assert picture.shape[0] <= 1920
    lefts = [place_of(picture, (255, 20 * view, 0)) for view in range(views)]
    middle = (lefts[0].left - 34 + lefts[-1].right) / 2
    assert abs(middle - 960) <= 1


def test_a_portrait_camera_gets_a_narrow_column_as_high_as_the_others() -> None:
    rows = [[plain(RED, 155, 205), plain(GREEN, 205, 155)]]
    picture = grid_frame(rows, names(2), ["control"])
    portrait, landscape = place_of(picture, RED), place_of(picture, GREEN)
    assert (portrait.top, portrait.height) == (landscape.top, landscape.height)
    assert abs(portrait.width - portrait.height * 155 / 205) <= 0.5
    assert abs(landscape.width - landscape.height * 205 / 155) <= 0.5


def test_a_picture_of_another_shape_than_its_column_stands_in_its_middle_on_the_dark_ground() -> None:
    picture = grid_frame([[plain(RED, 155, 205)], [plain(GREEN, 320, 180)]], ["front"], kinds(2))
    narrow, wide = place_of(picture, RED), place_of(picture, GREEN)
    assert narrow.height == wide.height and abs(narrow.width - narrow.height * 155 / 205) <= 1
    assert abs((narrow.left + narrow.right) - (wide.left + wide.right)) <= 1
    for bar in (slice(wide.left, narrow.left), slice(narrow.right, wide.right)):
        assert (picture[narrow.top : narrow.bottom, bar] == GROUND_RGB).all()


def test_a_very_wide_picture_leaves_room_for_the_others() -> None:
    picture = grid_frame([[plain(RED, 1000, 10), plain(GREEN)]], names(2), ["control"])
    wide, usual = place_of(picture, RED), place_of(picture, GREEN)
    assert abs(wide.width - 2.4 * usual.height) <= 0.5
    assert wide.height == math.ceil(wide.width / 100)
    assert abs((wide.top + wide.bottom) - (usual.top + usual.bottom)) <= 1


def test_a_picture_of_the_size_of_its_cell_is_copied_exactly() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (1049, 1865, 3), dtype=np.uint8)
    assert np.array_equal(grid_frame([[noise]], ["front"], ["control"])[34:1083, 44:1909], noise)


# -- labels -----------------------------------------------------------------------------------------------------


def test_a_column_has_a_border_in_the_colour_that_its_camera_has_in_a_preview() -> None:
    picture = grid_frame(coloured(12, 2), names(12), kinds(2))
    for view, rgb in enumerate(CAMERA_RGB):
        above, below = (place_of(picture, (255, 20 * view, 30 * row)) for row in (0, 1))
        edge = picture[above.top - 24 : below.bottom, [above.left - 1, above.right]]
        assert (edge == rgb).all()


def test_labels_change_only_their_own_bands() -> None:
    rows = coloured(4, 2)
    before = grid_frame(rows, ["a", "b", "c", "d"], ["control", "generated"])
    other_view = (before != grid_frame(rows, ["a", "b", "x", "d"], ["control", "generated"])).any(axis=2)
    other_row = (before != grid_frame(rows, ["a", "b", "c", "d"], ["control", "recorded"])).any(axis=2)
    assert other_view.any() and other_view[10:34, 982:1441].sum() == other_view.sum()
    assert other_row.any() and other_row[294:552, 10:34].sum() == other_row.sum()


def test_a_row_label_reads_upwards_in_the_middle_of_its_row() -> None:
    picture = grid_frame([[plain(RED)]], ["front"], ["E"])
    ink = (picture[34:1083, 10:34] != BAND_RGB).any(axis=2)
    down, across = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert abs((down[0] + down[-1]) / 2 - 1048 / 2) <= 2 and abs((across[0] + across[-1]) / 2 - 23 / 2) <= 2
    stem = ink[:, across[0] : across[-1] + 1].sum(axis=1).argmax()
    assert stem >= down[-1] - 2  # an E lying on its back: the letter's left is below


def test_the_same_row_label_is_written_in_every_block() -> None:
    picture = grid_frame(coloured(8, 2), names(8), kinds(2))
    assert np.array_equal(picture[34:552, 10:34], picture[586:1104, 10:34])


def test_names_of_cameras_are_made_readable_on_a_sheet_of_videos() -> None:
    sheet = GridRenderer(["CAM_FRONT_LEFT"], {"control": [film(RED)]}).frame(0)
    assert np.array_equal(sheet, grid_frame([[plain(RED)]], ["front left"], ["control"]))


# -- videos -----------------------------------------------------------------------------------------------------


def test_a_frame_of_videos_is_the_sheet_of_their_pictures() -> None:
    rng = np.random.default_rng(0)
    control = [rng.integers(0, 256, (3, 90, 160, 3), dtype=np.uint8) for _ in range(5)]
    generated = [rng.integers(0, 256, (3, 72, 128, 3), dtype=np.uint8) for _ in range(5)]
    views = [f"view {i}" for i in range(5)]
    renderer = GridRenderer(views, {"control": control, "generated": generated}, 1280)
    for index in range(3):
        rows = [[video[index] for video in row] for row in (control, generated)]
        expected = grid_frame(rows, views, ["control", "generated"], 1280)
        assert np.array_equal(renderer.frame(index), expected)
        assert expected.shape == (renderer.height_px, renderer.width_px, 3)


def test_stacked_videos_and_views_of_arrays_do_as_well_as_lists() -> None:
    stacked = np.random.default_rng(1).integers(0, 256, (2, 3, 36, 64, 3), dtype=np.uint8)
    channels_first = np.ascontiguousarray(np.moveaxis(stacked, -1, 2))
    expected = GridRenderer(names(2), {"generated": list(stacked)}).frame(1)
    assert np.array_equal(GridRenderer(names(2), {"generated": stacked}).frame(1), expected)
    assert np.array_equal(GridRenderer(names(2), {"generated": np.moveaxis(channels_first, 2, -1)}).frame(1), expected)
    assert np.array_equal(grid_frame(stacked[None, :, 1], ["0", "1"], ["generated"]), expected)


def test_the_same_frame_has_the_same_bytes_from_another_renderer_and_from_threads() -> None:
    rng = np.random.default_rng(2)
    rows = {kind: [rng.integers(0, 256, (4, 90, 160, 3), dtype=np.uint8) for _ in range(7)] for kind in kinds(2)}
    one, other = GridRenderer(names(7), rows, 960), GridRenderer(names(7), rows, 960)
    alone = [one.frame(index) for index in range(4)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(other.frame, [3, 2, 1, 0, 3, 2, 1, 0]))
    for index, picture in zip([3, 2, 1, 0, 3, 2, 1, 0], together, strict=True):
        assert np.array_equal(picture, alone[index])
    assert not np.array_equal(alone[0], alone[3])


def test_a_sheet_can_be_stored_as_a_video(tmp_path: Path) -> None:
    renderer = GridRenderer(names(7), {"control": [film(RED, GREEN)] * 7}, 640)
    with VideoWriter(tmp_path / "mosaic.mp4", renderer.width_px, renderer.height_px, 10) as writer:
        for index in range(2):
            writer.write(renderer.frame(index))
    stored = list(frames(tmp_path / "mosaic.mp4"))
    assert [picture.shape for picture in stored] == [(renderer.height_px, 640, 3)] * 2


# -- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("views", [0, 13])
def test_no_views_and_too_many_are_refused(views: int) -> None:
    with raises(f"a contact sheet shows 1 to 12 views, got {views}. Choose some of them."):
        grid_frame([[plain(RED)] * views], names(views), ["control"])


@pytest.mark.parametrize("rows", [0, 9])
def test_no_rows_and_too_many_are_refused(rows: int) -> None:
    with raises(f"a contact sheet shows 1 to 8 rows, got {rows}. Choose some of them."):
        GridRenderer(["front"], {f"kind {row}": [film(RED)] for row in range(rows)})


def test_rows_without_labels_are_refused() -> None:
    with raises("a contact sheet of 2 rows got 1 row labels. Give one per row."):
        grid_frame([[plain(RED)], [plain(RED)]], ["front"], ["control"])


def test_a_row_with_too_few_pictures_is_refused() -> None:
    with raises("row generated: got 1 pictures for 2 views. Give one per view, in view order."):
        GridRenderer(["front", "left"], {"control": [film(RED)] * 2, "generated": [film(RED)]})


def test_what_is_not_a_picture_is_refused() -> None:
    with raises("row control, view left: expected [H,W,3] uint8, got [180,320,3] float64. Give RGB pictures of bytes."):
        grid_frame([[plain(RED), plain(RED) / 255.0]], ["front", "left"], ["control"])
    with raises("row control, view front: has no pixels. Give pictures with at least one."):
        grid_frame([[plain(RED)[:0]]], ["front"], ["control"])


def test_what_is_not_a_video_is_refused() -> None:
    with raises("row control, view a: expected [T,H,W,3] uint8, got [180,320,3] uint8. Give RGB pictures of bytes."):
        GridRenderer(["a"], {"control": [plain(RED)]})
    with raises("row control, view a: a contact sheet needs at least one frame"):
        GridRenderer(["a"], {"control": [film(RED)[:0]]})


def test_videos_of_different_length_are_refused() -> None:
    rows = {"control": [film(RED, RED)] * 2, "generated": [film(RED, RED), film(RED)]}
    with raises("row generated, view b: has 1 frames, view a of row control has 2. Give videos of one length."):
        GridRenderer(["a", "b"], rows)


@pytest.mark.parametrize("width", [0, 638, 1921])
def test_a_width_that_is_odd_or_too_small_to_read_is_refused(width: int) -> None:
    with raises(f"a contact sheet of {width} px in width is not possible. Use an even number, at least 640."):
        grid_frame([[plain(RED)]], ["front"], ["control"], width)


def test_a_frame_outside_of_the_videos_is_refused() -> None:
    renderer = GridRenderer(["front"], {"control": [film(RED, GREEN)]})
    for index in (-1, 2):
        with raises(f"there is no frame {index}; the videos have frames 0 to 1"):
            renderer.frame(index)
