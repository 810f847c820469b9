from __future__ import annotations

import itertools

import numpy as np
import pytest

from render.errors import RenderError
from render.mosaic import CAMERA_RGB, MAX_CAMERAS, Layout, Rect, layout, yaw_deg
from scenegraph import SE3, Camera, Pinhole

_HD, _NUSCENES, _LANDSCAPE, _PORTRAIT = (1280, 720), (1600, 900), (2048, 1550), (1550, 2048)

COSMOS = (
    ("front_wide", 0.0, _HD), ("cross_right", -68.0, _HD), ("rear_right", -151.0, _HD), ("rear_tele", 180.0, _HD),
    ("rear_left", 152.0, _HD), ("cross_left", 68.0, _HD), ("front_tele", 0.0, _HD),
)  # fmt: skip
NUSCENES = (
    ("front", 0.3, _NUSCENES), ("front_right", -56.0, _NUSCENES), ("back_right", -110.0, _NUSCENES),
    ("back", -179.9, _NUSCENES), ("back_left", 108.6, _NUSCENES), ("front_left", 55.2, _NUSCENES),
)  # fmt: skip
ARGOVERSE = (
    ("front", 0.0, _PORTRAIT), ("front_left", 45.0, _LANDSCAPE), ("side_left", 99.0, _LANDSCAPE),
    ("rear_left", 153.0, _LANDSCAPE), ("rear_right", -153.0, _LANDSCAPE), ("side_right", -99.0, _LANDSCAPE),
    ("front_right", -45.0, _LANDSCAPE),
)  # fmt: skip
TWELVE = tuple((f"camera_{i}", (30.0 * i + 195.0) % 360.0 - 180.0, _HD) for i in range(12))
RIGS = {
    "cosmos": COSMOS,
    "nuscenes": NUSCENES,
    "argoverse": ARGOVERSE,
    "one": (("front", 0.0, _HD),),
    "one_to_the_side": (("left", 90.0, _HD),),
    "twelve": TWELVE,
}
SIZES = ((1920, 1080), (1280, 720), (1280, 960), (3840, 2160), (960, 540))
EVERY_RIG_AND_SIZE = pytest.mark.parametrize(("rig", "size"), list(itertools.product(RIGS, SIZES)))


def camera(name: str, yaw: float, size: tuple[int, int]) -> Camera:
    angle = np.radians(yaw)
    forward, right = [np.cos(angle), np.sin(angle), 0.0], [np.sin(angle), -np.cos(angle), 0.0]
    rotation = np.stack([right, [0.0, 0.0, -1.0], forward], axis=1)
    lens = Pinhole(0.6 * size[0], 0.6 * size[0], (size[0] - 1) / 2, (size[1] - 1) / 2)
    return Camera(name, lens, *size, SE3(rotation, np.array([1.5, 0.0, 1.5])))


def arranged(rig: str, size: tuple[int, int] = (1920, 1080)) -> tuple[list[Camera], Layout]:
    cameras = [camera(*spec) for spec in RIGS[rig]]
    return cameras, layout(cameras, *size)


def overlap(a: Rect, b: Rect) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


@EVERY_RIG_AND_SIZE
def test_nothing_overlaps_and_everything_lies_inside_of_the_canvas(rig: str, size: tuple[int, int]) -> None:
    _, plan = arranged(rig, size)
    cards = [plan.header, plan.birdseye.card, *(tile.card for tile in plan.tiles)]
    assert not any(overlap(a, b) for a, b in itertools.combinations(cards, 2))
    for tile in (plan.birdseye, *plan.tiles):
        assert not overlap(tile.label, tile.picture)
    for card in cards:
        assert card.width > 0 and card.height > 0
        assert card.left >= 0 and card.top >= 0 and card.right <= size[0] and card.bottom <= size[1]


@EVERY_RIG_AND_SIZE
def test_every_picture_keeps_its_shape(rig: str, size: tuple[int, int]) -> None:
    cameras, plan = arranged(rig, size)
    for one, tile in zip(cameras, plan.tiles, strict=True):
        aspect = one.width_px / one.height_px
        assert abs(tile.picture.width - aspect * tile.picture.height) <= 1.0 + aspect
        assert tile.label.width == tile.picture.width and tile.label.bottom == tile.picture.top


@pytest.mark.parametrize("rig", ["cosmos", "nuscenes", "argoverse", "twelve"])
def test_pictures_and_panel_fill_most_of_the_canvas(rig: str) -> None:
    _, plan = arranged(rig)
    used = sum(card.width * card.height for card in (plan.birdseye.card, *(tile.card for tile in plan.tiles)))
    assert used > 0.62 * 1920 * 1080
    panel = plan.birdseye.picture
    assert panel.width > 450 and panel.height > 380


@EVERY_RIG_AND_SIZE
def test_cameras_are_on_the_side_they_look_at(rig: str, size: tuple[int, int]) -> None:
    cameras, plan = arranged(rig, size)
    panel = plan.birdseye.picture
    if len(cameras) == 1:
        return  # the panel may be next to a single camera
    for one, tile in zip(cameras, plan.tiles, strict=True):
        yaw, card = yaw_deg(one), tile.card
        middle = card.left + card.width / 2
        if abs(yaw) < 40:
            assert card.bottom <= panel.top, one.name
        if abs(yaw) > 140:
            assert card.top >= panel.bottom, one.name
        if 62 < abs(yaw) < 118:
            assert card.right <= panel.left if yaw > 0 else card.left >= panel.right, one.name
        if 20 < abs(yaw) < 160:
            assert (middle < panel.left + panel.width / 2) == (yaw > 0), one.name


def test_a_wide_and_a_tele_camera_of_one_direction_are_neighbours_in_a_row() -> None:
    cameras, plan = arranged("cosmos")
    wide, tele = (plan.tiles[[c.name for c in cameras].index(name)].picture for name in ("front_wide", "front_tele"))
    assert wide.top == tele.top and wide.height == tele.height
    gap = max(wide.left, tele.left) - min(wide.right, tele.right)
    assert 0 < gap < 20


@pytest.mark.parametrize("rig", ["nuscenes", "argoverse", "twelve"])
def test_rows_run_from_left_to_right_and_columns_from_front_to_back(rig: str) -> None:
    cameras, plan = arranged(rig)
    yaws = [yaw_deg(one) for one in cameras]
    pictures = [tile.picture for tile in plan.tiles]
    for i, j in itertools.permutations(range(len(cameras)), 2):
        same_row = pictures[i].top == pictures[j].top and abs(yaws[i]) < 62 and abs(yaws[j]) < 62
        if same_row and yaws[i] > yaws[j]:
            assert pictures[i].right <= pictures[j].left
        same_column = pictures[i].left == pictures[j].left and min(yaws[i], yaws[j]) > 40
        if same_column and max(yaws[i], yaws[j]) < 140 and yaws[i] < yaws[j]:
            assert pictures[i].bottom <= pictures[j].top


def test_the_order_of_the_cameras_changes_nothing() -> None:
    cameras, plan = arranged("argoverse")
    shuffled = layout(cameras[::-1], 1920, 1080)
    assert shuffled.tiles == plan.tiles[::-1] and shuffled.birdseye == plan.birdseye


def test_a_mirrored_rig_is_arranged_the_same_way_the_other_way_round() -> None:
    _, plan = arranged("argoverse")
    mirrored = layout([camera(name, -yaw, size) for name, yaw, size in ARGOVERSE], 1920, 1080)
    for tile, other in zip(plan.tiles, mirrored.tiles, strict=True):
        assert abs(tile.picture.width - other.picture.width) <= 1
        assert abs(tile.picture.left - (1920 - other.picture.right)) <= 3
        assert tile.picture.top == other.picture.top


def test_thirteen_cameras_and_none_are_refused() -> None:
    front = camera("front", 0.0, _HD)
    with pytest.raises(RenderError, match=r"^a preview shows 1 to 12 cameras, got 13\. Choose some of them\.$"):
        layout([front] * 13, 1920, 1080)
    with pytest.raises(RenderError, match=r"^a preview shows 1 to 12 cameras, got 0\. Choose some of them\.$"):
        layout([], 1920, 1080)


def test_a_canvas_that_is_too_small_to_read_is_refused() -> None:
    message = r"^a preview of 640x360 px is too small to read\. Use at least 960x540 px\.$"
    with pytest.raises(RenderError, match=message):
        layout([camera("front", 0.0, _HD)], 640, 360)


def test_every_camera_has_a_colour_of_its_own() -> None:
    assert len(set(CAMERA_RGB)) == len(CAMERA_RGB) == MAX_CAMERAS
