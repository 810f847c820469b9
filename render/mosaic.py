"""Where everything goes in a preview: cameras in their real arrangement around a bird's-eye panel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from scenegraph import Camera

from .errors import RenderError
from .palette import Rgb

MAX_CAMERAS = 12
MIN_WIDTH_PX, MIN_HEIGHT_PX = 960, 540

CAMERA_RGB: tuple[Rgb, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 190, 140),
    (240, 228, 66),
    (238, 120, 80),
    (214, 140, 190),
    (150, 160, 255),
    (187, 204, 51),
    (255, 170, 187),
    (120, 220, 255),
    (196, 154, 108),
    (200, 200, 200),
)
"""One per camera, in view order: told apart with any colour vision, and light enough for a dark ground."""

# A camera looks ahead within the first angle of straight ahead and back beyond the second, in degrees; the
# choice that makes the better picture is taken. None of them splits a usual pair of left and right cameras.
_AHEAD_DEG = (40.0, 62.0)
_BACK_DEG = (118.0, 140.0)

_SHARES = tuple(np.linspace(0.1, 0.8, 57).tolist())
"""Sizes that are tried, per size of the canvas."""
_ROUNDS = 3
_PANEL_WEIGHT = 1.5
"""How much the size of the bird's-eye panel counts, per camera."""
_AHEAD_WEIGHT = 2.5
"""How much the size of a camera counts that looks straight ahead; it falls to 1 for one that looks back."""
_USEFUL_PANEL_ASPECT = (0.6, 1.25)
"""A panel that is narrower or wider than this gains nothing from its longer side."""


@dataclass(frozen=True)
class Rect:
    """Whole pixels of a picture: columns left..right, rows top..bottom, the last ones not included."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column after it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row after it."""
        return self.top + self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of its pixels in a picture [H,W,...]."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Tile:
    """A picture with a label band on top of it."""

    label: Rect
    picture: Rect

    @property
    def card(self) -> Rect:
        """Both together."""
        return replace(self.picture, top=self.label.top, height=self.picture.bottom - self.label.top)


@dataclass(frozen=True)
class Layout:
    """The parts of a preview of width_px x height_px; tiles in the order of the cameras."""

    width_px: int
    height_px: int
    header: Rect
    birdseye: Tile
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class _Sides:
    """Which cameras stand where around the panel, as indices in drawing order."""

    ahead: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    back: tuple[int, ...]


@dataclass(frozen=True)
class _Area:
    """A rectangle in fractions of a pixel."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class _Spacing:
    """Sizes that the height of the canvas decides, in pixels."""

    header: int
    band: int
    gutter: int


@dataclass(frozen=True)
class _Plan:
    """A card, which is a picture with its label band, for the panel and for every camera."""

    panel: _Area
    cards: dict[int, _Area]


_Limits = dict[str, float]
"""Largest thickness of each side, per size of the canvas."""


def layout(cameras: Sequence[Camera], width_px: int, height_px: int) -> Layout:
    """Arrange 1 to 12 cameras around a bird's-eye panel, so that the canvas is filled well.

    Cameras that look ahead are in a row on top, those that look back in a row at the bottom, the others left
    and right, front ones first. Without cameras to the sides, the panel may take their place on the right.
    """
    if not 1 <= len(cameras) <= MAX_CAMERAS:
        raise RenderError(f"a preview shows 1 to {MAX_CAMERAS} cameras, got {len(cameras)}. Choose some of them.")
    if width_px < MIN_WIDTH_PX or height_px < MIN_HEIGHT_PX:
        least = f"{MIN_WIDTH_PX}x{MIN_HEIGHT_PX}"
        raise RenderError(f"a preview of {width_px}x{height_px} px is too small to read. Use at least {least} px.")
    spacing = _spacing(height_px)
    aspects = [camera.width_px / camera.height_px for camera in cameras]
    gutter = spacing.gutter
    canvas = _Area(gutter, spacing.header, width_px - 2 * gutter, height_px - spacing.header - gutter)
    arrangements = _arrangements(cameras, canvas, aspects, spacing)
    score = partial(_score, weights=[_weight(camera) for camera in cameras], spacing=spacing)
    plan = max((_tuned(arrange, score) for arrange in arrangements), key=score)
    tiles = tuple(_tile(plan.cards[index], spacing, aspect) for index, aspect in enumerate(aspects))
    header = Rect(spacing.gutter, 0, width_px - 2 * spacing.gutter, spacing.header)
    return Layout(width_px, height_px, header, _tile(plan.panel, spacing), tiles)


def yaw_deg(camera: Camera) -> float:
    """Direction of the optical axis on the vehicle: 0 ahead, 90 to the left, -90 to the right."""
    x, y, _ = camera.ego_from_camera.rotation[:, 2]
    return float(np.degrees(np.arctan2(y, x)))


def _spacing(height_px: int) -> _Spacing:
    unit = height_px / 1080
    return _Spacing(header=round(46 * unit), band=max(16, round(24 * unit)), gutter=max(5, round(9 * unit)))


def _sides(cameras: Sequence[Camera], ahead_deg: float, back_deg: float) -> _Sides:
    yaws = [yaw_deg(camera) for camera in cameras]
    by_angle = sorted(range(len(yaws)), key=lambda i: abs(yaws[i]))
    between = [i for i in by_angle if ahead_deg < abs(yaws[i]) < back_deg]
    ahead = [i for i in by_angle if abs(yaws[i]) <= ahead_deg]
    back = [i for i in by_angle if abs(yaws[i]) >= back_deg]
    return _Sides(
        ahead=tuple(sorted(ahead, key=lambda i: -yaws[i])),
        left=tuple(i for i in between if yaws[i] > 0),
        right=tuple(i for i in between if yaws[i] < 0),
        back=tuple(sorted(back, key=lambda i: yaws[i] % 360.0)),
    )


def _arrangements(
    cameras: Sequence[Camera], canvas: _Area, aspects: list[float], spacing: _Spacing
) -> Iterator[Callable[[_Limits], _Plan]]:
    """Ways to part the cameras into sides, and to nest the sides; each still needs sizes."""
    for sides in dict.fromkeys(_sides(cameras, ahead, back) for ahead in _AHEAD_DEG for back in _BACK_DEG):
        for order in (("ahead", "back", "left", "right"), ("left", "right", "ahead", "back")):
            yield partial(_nested, canvas, sides, order, aspects, spacing)
        if not (sides.left or sides.right):
            yield partial(_beside, canvas, sides, aspects, spacing)


def _tuned(arrange: Callable[[_Limits], _Plan], score: Callable[[_Plan], float]) -> _Plan:
    """The best sizes, one side after the other; left and right get the same limit."""
    limits = dict.fromkeys(("ahead", "back", "left", "right"), 0.2)
    for _ in range(_ROUNDS):
        for sides in (("ahead",), ("left", "right"), ("back",)):
            choices = [limits | dict.fromkeys(sides, share) for share in _SHARES]
            limits = max(choices, key=lambda choice: score(arrange(choice)))
    return arrange(limits)


def _nested(
    area: _Area, sides: _Sides, order: Sequence[str], aspects: list[float], spacing: _Spacing, limits: _Limits
) -> _Plan:
    """Cut one side after the other off the area; the panel gets what is left."""
    size = {"ahead": area.height, "back": area.height, "left": area.width, "right": area.width}
    cards: dict[int, _Area] = {}
    for side in order:
        members: tuple[int, ...] = getattr(sides, side)
        if members:
            place = _row if side in ("ahead", "back") else _column
            placed, thickness = place(area, members, limits[side] * size[side], aspects, spacing)
            area, strip = _cut_off(area, side, thickness, spacing.gutter)
            for i, card in placed.items():
                cards[i] = replace(card, top=strip.top) if place is _row else replace(card, left=strip.left)
    return _Plan(area, cards)


def _cut_off(area: _Area, side: str, thickness: float, gutter: int) -> tuple[_Area, _Area]:
    """What is left of an area, and the strip that was cut off one of its sides."""
    left, top, width, height = area.left, area.top, area.width, area.height
    thick = thickness + gutter
    if side == "ahead":
        return _Area(left, top + thick, width, height - thick), _Area(left, top, width, thickness)
    if side == "back":
        strip = _Area(left, top + height - thickness, width, thickness)
        return _Area(left, top, width, height - thick), strip
    if side == "left":
        return _Area(left + thick, top, width - thick, height), _Area(left, top, thickness, height)
    strip = _Area(left + width - thickness, top, thickness, height)
    return _Area(left, top, width - thick, height), strip


def _beside(area: _Area, sides: _Sides, aspects: list[float], spacing: _Spacing, limits: _Limits) -> _Plan:
    """Rows of cameras on the left, the panel in full height on the right."""
    rows = [members for members in (sides.ahead, sides.back) if members]
    left = replace(area, width=limits["left"] * area.width)
    gaps = spacing.gutter * (len(rows) - 1)
    made = [_row(left, members, (area.height - gaps) / len(rows), aspects, spacing) for members in rows]
    top = area.top + (area.height - gaps - sum(thickness for _, thickness in made)) / 2
    cards: dict[int, _Area] = {}
    for row, thickness in made:
        cards.update({i: replace(card, top=top) for i, card in row.items()})
        top += thickness + spacing.gutter
    return _Plan(_cut_off(area, "left", left.width, spacing.gutter)[0], cards)


def _row(
    area: _Area, members: tuple[int, ...], limit: float, aspects: list[float], spacing: _Spacing
) -> tuple[dict[int, _Area], float]:
    """Cards side by side, centred, at most ``limit`` high; their height too. The caller says where on y."""
    gaps = spacing.gutter * (len(members) - 1)
    height = min(limit - spacing.band, (area.width - gaps) / sum(aspects[i] for i in members))
    left = area.left + (area.width - gaps - height * sum(aspects[i] for i in members)) / 2
    cards = {}
    for i in members:
        cards[i] = _Area(left, 0.0, height * aspects[i], height + spacing.band)
        left += height * aspects[i] + spacing.gutter
    return cards, height + spacing.band


def _column(
    area: _Area, members: tuple[int, ...], limit: float, aspects: list[float], spacing: _Spacing
) -> tuple[dict[int, _Area], float]:
    """Cards above each other, centred, at most ``limit`` wide; their width too. The caller says where on x."""
    extra = spacing.gutter * (len(members) - 1) + spacing.band * len(members)
    width = min(limit, (area.height - extra) / sum(1 / aspects[i] for i in members))
    top = area.top + (area.height - extra - width * sum(1 / aspects[i] for i in members)) / 2
    cards = {}
    for i in members:
        cards[i] = _Area(0.0, top, width, width / aspects[i] + spacing.band)
        top += cards[i].height + spacing.gutter
    return cards, width


def _weight(camera: Camera) -> float:
    return _AHEAD_WEIGHT + (1.0 - _AHEAD_WEIGHT) * abs(yaw_deg(camera)) / 180.0


def _score(plan: _Plan, weights: list[float], spacing: _Spacing) -> float:
    """Larger is better: minus the weighted sum of one over every area, so that none is starved for another."""
    inner = plan.panel.height - spacing.band
    sizes = {i: (card.width, card.height - spacing.band) for i, card in plan.cards.items()}
    if min(plan.panel.width, inner, *itertools.chain(*sizes.values())) <= 0:
        return -np.inf
    narrow, wide = _USEFUL_PANEL_ASPECT
    useful = min(plan.panel.width, wide * inner) * min(inner, plan.panel.width / narrow)
    starved = _PANEL_WEIGHT * len(sizes) / useful
    for i, (width, height) in sizes.items():
        starved += weights[i] / (width * height)
    return -starved


def _tile(card: _Area, spacing: _Spacing, aspect: float | None = None) -> Tile:
    """Whole pixels inside of a card; with an aspect, the picture keeps it."""
    left, top = round(card.left), round(card.top)
    width, height = int(card.left + card.width + 1e-6) - left, int(card.top + card.height + 1e-6) - top - spacing.band
    if aspect is not None:
        height = min(height, round(width / aspect))
        width = min(width, round(height * aspect))
    return Tile(Rect(left, top, width, spacing.band), Rect(left, top + spacing.band, width, height))
