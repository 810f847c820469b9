"""The static map from above, drawn once per place into a north-up canvas and turned for every frame."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator

import cv2
import numpy as np

from scenegraph import SE3, HDMap
from scenegraph.arrays import FloatArray, UInt8Array

from .lane_styles import lane_line_paint, strand_pieces, strips
from .palette import LAYER_RGB, V1_LAYER_RGB, PaletteName, Rgb
from .strokes import draw_lines, fill_disc, fill_polygon

GROUND_RGB: Rgb = (15, 17, 21)

_LANE_RGB: Rgb = (40, 44, 51)
_POLYGON_FILL = 0.45
"""Crosswalks and road markings are mixed into the road by this share."""
_BOUNDARY_M, _LANE_LINE_M, _STOP_LINE_M = 0.25, 0.16, 0.5
_DOT_M = 0.45
_RING_RGB: Rgb = (220, 224, 230)

_CELL_M = 48.0
_CELLS_KEPT = 3
_DASH_STEP = 20
"""Every such point of a painted strand is enough here."""


class MapCanvas:
    """Draws the map around any place; safe to call from several threads.

    px_per_m: scale of the pictures. radius_m: how far around the ego they reach.
    """

    def __init__(self, hdmap: HDMap, palette: PaletteName, px_per_m: float, radius_m: float) -> None:
        self._hdmap = hdmap
        self._layer_rgb = V1_LAYER_RGB if palette == "hdmap-v1" else LAYER_RGB
        self._is_v1 = palette == "hdmap-v1"
        self._px_per_m = px_per_m
        self._reach_m = radius_m + _CELL_M / 2 + 1.0
        self._cells: OrderedDict[tuple[int, int], UInt8Array] = OrderedDict()
        self._lock = threading.Lock()

    def seen_from(self, world_from_ego: SE3, ego_uv: tuple[float, float], width_px: int, height_px: int) -> UInt8Array:
        """The map, ego at pixel ``ego_uv``, forward up, uint8 [h,w,3] RGB. The pose is level: a place and a yaw."""
        x_m, y_m = world_from_ego.translation_m[:2].tolist()
        cell = math.floor(x_m / _CELL_M), math.floor(y_m / _CELL_M)
        left_m, top_m = self._corner_m(cell)
        cos, sin, scale = math.cos(world_from_ego.yaw_rad), math.sin(world_from_ego.yaw_rad), self._px_per_m
        u, v = ego_uv
        canvas_from_panel = np.array(
            [
                [sin, -cos, (x_m - left_m) * scale + cos * v - sin * u - 0.5],
                [cos, sin, (top_m - y_m) * scale - sin * v - cos * u - 0.5],
            ]
        )
        turned = cv2.warpAffine(
            self._canvas(cell), canvas_from_panel, (width_px, height_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=GROUND_RGB,
        )  # fmt: skip
        return np.asarray(turned, dtype=np.uint8)

    def _corner_m(self, cell: tuple[int, int]) -> tuple[float, float]:
        """World x of the left and y of the top edge of a cell's canvas."""
        x_m, y_m = (cell[0] + 0.5) * _CELL_M, (cell[1] + 0.5) * _CELL_M
        return x_m - self._reach_m, y_m + self._reach_m

    def _canvas(self, cell: tuple[int, int]) -> UInt8Array:
        """The canvas of one cell of the ground, from the last few or drawn now."""
        with self._lock:
            if cell not in self._cells:
                self._cells[cell] = self._drawn(cell)
                if len(self._cells) > _CELLS_KEPT:
                    self._cells.popitem(last=False)
            self._cells.move_to_end(cell)
            return self._cells[cell]

    def _drawn(self, cell: tuple[int, int]) -> UInt8Array:
        left_m, top_m = self._corner_m(cell)
        middle_m = np.array([left_m + self._reach_m, top_m - self._reach_m])
        hdmap = self._hdmap.near(middle_m, self._reach_m * math.sqrt(2.0))
        size_px = math.ceil(2 * self._reach_m * self._px_per_m)
        canvas = np.full((size_px, size_px, 3), GROUND_RGB, dtype=np.uint8)

        def pixels(points_m: FloatArray) -> FloatArray:
            return (points_m[:, :2] - (left_m, top_m)) * (self._px_per_m, -self._px_per_m) - 0.5

        # 1. Areas.
        for lane in hdmap.lane_segments:
            fill_polygon(canvas, pixels(lane.outline), _LANE_RGB, smooth=False)
        for name in ("crosswalks", "road_markings"):
            for area in getattr(hdmap, name):
                outline = pixels(area.polyline.points_m)
                fill_polygon(canvas, outline, _mixed(self._layer_rgb[name], _LANE_RGB))
                draw_lines(canvas, [outline], self._layer_rgb[name], 2, closed=True)
        # 2. Lines.
        for line in hdmap.road_boundaries:
            rgb = self._layer_rgb["road_boundaries"]
            draw_lines(canvas, [pixels(line.polyline.points_m)], rgb, self._width_px(_BOUNDARY_M))
        for rgb, strand in self._strands(hdmap):
            draw_lines(canvas, [pixels(part) for part in strand], rgb, self._width_px(_LANE_LINE_M))
        for stop in hdmap.stop_lines:
            rgb = self._layer_rgb["stop_lines"]
            draw_lines(canvas, [pixels(stop.polyline.points_m)], rgb, self._width_px(_STOP_LINE_M))
        # 3. Posts.
        for name, places_m in _posts(hdmap):
            for centre in pixels(places_m):
                fill_disc(canvas, centre, max(_DOT_M * self._px_per_m, 3.5) + 1.5, _RING_RGB)
                fill_disc(canvas, centre, max(_DOT_M * self._px_per_m, 3.5), self._layer_rgb[name])
        return canvas

    def _width_px(self, width_m: float) -> int:
        return max(2, round(width_m * self._px_per_m))

    def _strands(self, hdmap: HDMap) -> Iterator[tuple[Rgb, list[FloatArray]]]:
        """Colour and painted parts [n,3] of every strand of every lane line."""
        for line in hdmap.lane_lines:
            rgb, strands = lane_line_paint(line.colour, line.style)
            for offset_m, pattern in strands:
                points, starts = strips(strand_pieces(line.polyline.points_m, pattern, offset_m))
                parts = np.split(points, np.flatnonzero(starts)[1:])
                thinned = [np.concatenate([part[:-1:_DASH_STEP], part[-1:]]) for part in parts if len(part) > 1]
                yield (V1_LAYER_RGB["lane_lines"] if self._is_v1 else rgb), thinned


def _posts(hdmap: HDMap) -> Iterator[tuple[str, FloatArray]]:
    """Layer and places [n,3] of what is shown as dots."""
    poles = [pole.polyline.points_m[0] for pole in hdmap.poles]
    signs = [sign.world_from_box.translation_m for sign in hdmap.traffic_signs]
    for name, places in (("poles", poles), ("traffic_signs", signs)):
        yield name, np.array(places).reshape(-1, 3)


def _mixed(rgb: Rgb, under: Rgb) -> Rgb:
    r, g, b = (round(_POLYGON_FILL * a + (1 - _POLYGON_FILL) * c) for a, c in zip(rgb, under, strict=True))
    return r, g, b
