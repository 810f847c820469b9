"""A contact sheet: one column per view, one row per kind of picture, to compare kinds frame by frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scenegraph.arrays import FloatArray, UInt8Array

from .errors import RenderError
from .lettering import shortened, write_text
from .mosaic import CAMERA_RGB, MAX_CAMERAS, Rect, Tile
from .preview import (
    BAND_RGB,
    GROUND_RGB,
    TEXT_RGB,
    band_capital_px,
    draw_card,
    readable_name,
    require_pictures,
    resized_picture,
)

MIN_WIDTH_PX = 640

_MAX_COLUMNS = 4
_MAX_ROWS = 8
_COLUMN_ASPECTS = (0.6, 2.4)
"""Columns are not narrower or wider than this."""


@dataclass(frozen=True)
class _Block:
    """Some views side by side.

    columns: per view, its label band and below it the place of all its pictures. rows: the label's place per row.
    """

    columns: tuple[Tile, ...]
    rows: tuple[Rect, ...]

    def cell(self, row: int, column: int) -> Rect:
        """The place of one picture."""
        across, along = self.columns[column].picture, self.rows[row]
        return Rect(across.left, along.top, across.width, along.height)


@dataclass(frozen=True)
class _Sheet:
    """Blocks of views below each other on a sheet of width_px x height_px."""

    width_px: int
    height_px: int
    blocks: tuple[_Block, ...]


@dataclass(frozen=True)
class _Spacing:
    """Sizes that the width of the sheet decides, in pixels; a seam is between two rows."""

    band: int
    gutter: int
    seam: int


class GridRenderer:
    """Draws any frame of a contact sheet of videos; safe to call from several threads.

    views: names of 1 to 12 cameras. rows: by label, one video per view, uint8 [T,H,W,3] RGB; all have as many frames,
    their sizes are free.
    """

    def __init__(self, views: Sequence[str], rows: Mapping[str, Sequence[UInt8Array]], width_px: int = 1920) -> None:
        self._rows = tuple(rows.values())
        _require_rows(self._rows, views, tuple(rows), "T H W 3")
        self._frames = _common_length(views, rows)
        self._sheet = _arranged(self._rows, width_px)
        self._blank = _blank(self._sheet, [readable_name(view) for view in views], tuple(rows))
        self.width_px, self.height_px = self._sheet.width_px, self._sheet.height_px

    def frame(self, index: int) -> UInt8Array:
        """The sheet at one instant, uint8 [H,W,3] RGB."""
        if not 0 <= index < self._frames:
            raise RenderError(f"there is no frame {index}; the videos have frames 0 to {self._frames - 1}")
        picture = self._blank.copy()
        _fill(picture, self._sheet, [[video[index] for video in row] for row in self._rows])
        return picture


def grid_frame(
    rows: Sequence[Sequence[UInt8Array]], labels: Sequence[str], row_labels: Sequence[str], width_px: int = 1920
) -> UInt8Array:
    """A contact sheet of pictures, uint8 [H,W,3] RGB with even sides.

    rows: per kind, one picture per view, uint8 [H,W,3] RGB, their sizes are free. labels: of 1 to 12 views.
    row_labels: of the kinds. More than four views are wrapped into blocks that have all rows.
    """
    _require_rows(rows, labels, row_labels, "H W 3")
    sheet = _arranged(rows, width_px)
    picture = _blank(sheet, labels, row_labels)
    _fill(picture, sheet, rows)
    return picture


def _require_rows(
    rows: Sequence[Sequence[UInt8Array]], labels: Sequence[str], row_labels: Sequence[str], shape: str
) -> None:
    if not 1 <= len(labels) <= MAX_CAMERAS:
        raise RenderError(f"a contact sheet shows 1 to {MAX_CAMERAS} views, got {len(labels)}. Choose some of them.")
    if not 1 <= len(rows) <= _MAX_ROWS:
        raise RenderError(f"a contact sheet shows 1 to {_MAX_ROWS} rows, got {len(rows)}. Choose some of them.")
    if len(rows) != len(row_labels):
        raise RenderError(f"a contact sheet of {len(rows)} rows got {len(row_labels)} row labels. Give one per row.")
    for row, row_label in zip(rows, row_labels, strict=True):
        if len(row) != len(labels):
            raise RenderError(
                f"row {row_label}: got {len(row)} pictures for {len(labels)} views. Give one per view, in view order."
            )
        for pictures, label in zip(row, labels, strict=True):
            require_pictures(f"row {row_label}, view {label}", pictures, shape)


def _common_length(views: Sequence[str], rows: Mapping[str, Sequence[UInt8Array]]) -> int:
    """How many frames every video has."""
    videos = {(label, view): video for label, row in rows.items() for view, video in zip(views, row, strict=True)}
    (first_label, first_view), first = next(iter(videos.items()))
    if not len(first):
        raise RenderError(f"row {first_label}, view {first_view}: a contact sheet needs at least one frame")
    for (label, view), video in videos.items():
        if len(video) != len(first):
            raise RenderError(
                f"row {label}, view {view}: has {len(video)} frames, view {first_view} of row {first_label} has "
                f"{len(first)}. Give videos of one length."
            )
    return len(first)


def _arranged(rows: Sequence[Sequence[UInt8Array]], width_px: int) -> _Sheet:
    """Blocks of columns below each other, all pictures equally high; no block is higher than the sheet is wide."""
    if width_px < MIN_WIDTH_PX or width_px % 2:
        raise RenderError(
            f"a contact sheet of {width_px} px in width is not possible. Use an even number, at least {MIN_WIDTH_PX}."
        )
    aspects = np.array([[pictures.shape[-2] / pictures.shape[-3] for pictures in row] for row in rows]).max(axis=0)
    parts = np.array_split(np.clip(aspects, *_COLUMN_ASPECTS), math.ceil(len(aspects) / _MAX_COLUMNS))
    spacing = _spacing(width_px)
    height = min(_picture_height(part, len(rows), width_px, spacing) for part in parts)
    top, blocks = spacing.gutter, []
    for part in parts:
        widths = [round(height * aspect) for aspect in part.tolist()]
        blocks.append(_block(top, widths, [height] * len(rows), width_px, spacing))
        top = blocks[-1].columns[0].picture.bottom + spacing.gutter
    return _Sheet(width_px, top + top % 2, tuple(blocks))


def _spacing(width_px: int) -> _Spacing:
    unit = width_px / 1920
    return _Spacing(band=max(16, round(24 * unit)), gutter=max(6, round(10 * unit)), seam=max(2, round(2 * unit)))


def _picture_height(aspects: FloatArray, rows: int, width_px: int, spacing: _Spacing) -> int:
    """As high as the width allows for pictures side by side, and a square for rows above each other."""
    across = width_px - spacing.band - spacing.gutter * (2 + len(aspects))
    along = width_px - spacing.band - spacing.gutter * 2 - spacing.seam * (rows - 1)
    return int(min(across / aspects.sum(), along / rows))


def _block(top: int, widths: Sequence[int], heights: Sequence[int], width_px: int, spacing: _Spacing) -> _Block:
    """Row labels and columns, centred."""
    used = spacing.band + sum(widths) + spacing.gutter * len(widths)
    side = (width_px - used) // 2
    first = top + spacing.band
    rows = []
    for height in heights:
        rows.append(Rect(side, first, spacing.band, height))
        first = rows[-1].bottom + spacing.seam
    left = side + spacing.band + spacing.gutter
    columns = []
    for width in widths:
        picture = Rect(left, rows[0].top, width, rows[-1].bottom - rows[0].top)
        columns.append(Tile(Rect(left, top, width, spacing.band), picture))
        left += width + spacing.gutter
    return _Block(tuple(columns), tuple(rows))


def _blank(sheet: _Sheet, labels: Sequence[str], row_labels: Sequence[str]) -> UInt8Array:
    """What is the same in every frame: ground, borders, labels."""
    picture = np.full((sheet.height_px, sheet.width_px, 3), GROUND_RGB, dtype=np.uint8)
    columns = [column for block in sheet.blocks for column in block.columns]
    for column, label, rgb in zip(columns, labels, CAMERA_RGB, strict=False):
        draw_card(picture, column, label, rgb)
        picture[column.picture.slices] = GROUND_RGB  # not black, so that the edges of control pictures show
    for block in sheet.blocks:
        for place, row_label in zip(block.rows, row_labels, strict=True):
            _write_upwards(picture, place, row_label)
    return picture


def _write_upwards(picture: UInt8Array, place: Rect, text: str) -> None:
    """A band with text that reads from the bottom to the top."""
    band = Rect(0, 0, place.height, place.width)
    lying = np.full((band.height, band.width, 3), BAND_RGB, dtype=np.uint8)
    capital = band_capital_px(band)
    text = shortened(text, capital, band.width - capital)
    write_text(lying, text, band.width // 2, (band.height + capital) // 2, capital, TEXT_RGB, "centre")
    picture[place.slices] = np.rot90(lying)


def _fill(picture: UInt8Array, sheet: _Sheet, rows: Sequence[Sequence[UInt8Array]]) -> None:
    """Put every picture into its cell, in its own shape."""
    for row, pictures in enumerate(rows):
        cells = [block.cell(row, column) for block in sheet.blocks for column in range(len(block.columns))]
        for cell, shown in zip(cells, pictures, strict=True):
            place = _fitted(cell, *shown.shape[1::-1])
            picture[place.slices] = resized_picture(shown, place.width, place.height)


def _fitted(cell: Rect, width_px: int, height_px: int) -> Rect:
    """The largest place of this shape in the middle of a cell."""
    scale = min(cell.width / width_px, cell.height / height_px)
    width = min(cell.width, math.ceil(width_px * scale - 1e-6))
    height = min(cell.height, math.ceil(height_px * scale - 1e-6))
    return Rect(cell.left + (cell.width - width) // 2, cell.top + (cell.height - height) // 2, width, height)
