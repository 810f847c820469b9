"""The static map as drawable geometry: strips of line pieces and triangles, made once per scene."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay, QhullError

from scenegraph import HDMap, Polyline, TrafficLight, TrafficSign, box_corners
from scenegraph.arrays import FloatArray, IntArray

from .lane_styles import cut, lane_line_paint, strand_pieces, strips
from .palette import LAYER_RGB, LAYERS, LINE_WIDTH_PX, OUTLINE_STEP_M, POLE_WIDTH_PX, Rgb

_CHUNK_POINTS = 64
_MIN_TRIANGLE_M2 = 1e-4

# A cuboid's faces as the reference splits them; corner order of scenegraph.box_corners.
_SIGN_TRIANGLES = np.array(
    [
        *([0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4]),
        *([1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]),
    ]
)
_LIGHT_WALK = np.array([0, 1, 2, 3, 0, 4, 5, 6, 7, 4, 5, 1, 2, 6, 7, 3])
_LIGHT_TRIANGLES = np.stack([np.zeros(14, dtype=np.int64), _LIGHT_WALK[1:-1], _LIGHT_WALK[2:]], axis=1)


@dataclass(frozen=True, eq=False)
class Strips:
    """Line pieces: point m and m + 1 are joined unless m + 1 starts a strip.

    points_m: float64 [M,3], world. starts: bool [M].
    chunks: int64 [C,2], ranges of points for culling; they overlap by one point, so no piece is lost.
    chunk_balls_m: float64 [C,4], centre and radius of each chunk. chunk_rgb: [C,3]. chunk_width_px: [C].
    """

    points_m: FloatArray
    starts: npt.NDArray[np.bool_]
    chunks: IntArray
    chunk_balls_m: FloatArray
    chunk_rgb: FloatArray
    chunk_width_px: FloatArray


@dataclass(frozen=True, eq=False)
class Triangles:
    """Filled triangles: vertices_m float64 [K,3,3], world; rgb float64 [K,3]."""

    vertices_m: FloatArray
    rgb: FloatArray


@dataclass(frozen=True, eq=False)
class MapGeometry:
    """Everything of the map that does not change, in drawing order, and the lights, whose colour does.

    light_triangles: vertices [G,14,3,3] of the traffic lights named in light_ids.
    """

    strips: Strips
    triangles: Triangles
    light_ids: tuple[str, ...]
    light_triangles_m: FloatArray


def map_geometry(hdmap: HDMap, layers: Collection[str] = LAYERS) -> MapGeometry:
    """Cut and triangulate the map in the world-scenario style; ``layers`` chooses what is drawn."""
    drawn: dict[str, Any] = {name: elements for name, elements in hdmap.layers() if name in layers}
    hdmap = HDMap(**drawn)
    lights = hdmap.traffic_lights
    corners = _cuboids(lights)
    return MapGeometry(
        strips=_strips(hdmap),
        triangles=_triangles(hdmap),
        light_ids=tuple(light.id for light in lights),
        light_triangles_m=corners[:, _LIGHT_TRIANGLES] if len(lights) else np.zeros((0, 14, 3, 3)),
    )


def polygon_triangles(outline: Polyline) -> FloatArray:
    """Fill a polygon: triangles [K,3,3] over its cut outline, Delaunay in the ground plane.

    The convex hull is filled, notches too, as the model saw it. The closing edge is not cut unless the
    outline repeats its first point. Triangles without area are dropped.
    """
    points = cut(outline.points_m, OUTLINE_STEP_M)
    if len(points) > 1 and np.abs(points[0] - points[-1]).max() < 1e-9:
        points = points[:-1]
    flat = points[:, :2] - points[:, :2].mean(axis=0)
    try:
        corners = points[Delaunay(flat).simplices]
    except (QhullError, ValueError):  # fewer than three points, or all in one line: nothing to fill
        return np.zeros((0, 3, 3))
    side_a, side_b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area_m2 = np.abs(side_a[:, 0] * side_b[:, 1] - side_a[:, 1] * side_b[:, 0]) / 2
    return np.asarray(corners[area_m2 >= _MIN_TRIANGLE_M2])


def _strips(hdmap: HDMap) -> Strips:
    builder = _StripBuilder()
    for layer, width_px in (("road_boundaries", LINE_WIDTH_PX), ("stop_lines", LINE_WIDTH_PX)):
        for element in getattr(hdmap, layer):
            builder.add_line(cut(element.polyline.points_m, OUTLINE_STEP_M), LAYER_RGB[layer], width_px)
    for line in hdmap.lane_lines:
        rgb, strands = lane_line_paint(line.colour, line.style)
        for offset_m, pattern in strands:
            pieces = strand_pieces(line.polyline.points_m, pattern, offset_m)
            builder.add(*strips(pieces), rgb, LINE_WIDTH_PX)
    for pole in hdmap.poles:
        builder.add_line(cut(pole.polyline.points_m, OUTLINE_STEP_M), LAYER_RGB["poles"], POLE_WIDTH_PX)
    return builder.build()


def _triangles(hdmap: HDMap) -> Triangles:
    vertices: list[FloatArray] = []
    colours: list[FloatArray] = []
    for layer in ("crosswalks", "road_markings"):
        for element in getattr(hdmap, layer):
            corners = polygon_triangles(element.polyline)
            vertices.append(corners)
            colours.append(np.tile(np.array(LAYER_RGB[layer], dtype=np.float64), (len(corners), 1)))
    if hdmap.traffic_signs:
        corners = _cuboids(hdmap.traffic_signs)[:, _SIGN_TRIANGLES].reshape(-1, 3, 3)
        vertices.append(corners)
        colours.append(np.tile(np.array(LAYER_RGB["traffic_signs"], dtype=np.float64), (len(corners), 1)))
    if not vertices:
        return Triangles(np.zeros((0, 3, 3)), np.zeros((0, 3)))
    return Triangles(np.concatenate(vertices), np.concatenate(colours))


def _cuboids(elements: Sequence[TrafficLight | TrafficSign]) -> FloatArray:
    corners = [box_corners(e.world_from_box, e.length_m, e.width_m, e.height_m) for e in elements]
    return np.stack(corners) if corners else np.zeros((0, 8, 3))


class _StripBuilder:
    """Collects strips and groups their points into chunks for culling."""

    def __init__(self) -> None:
        self._points: list[FloatArray] = []
        self._starts: list[npt.NDArray[np.bool_]] = []
        self._chunks: list[tuple[int, int]] = []
        self._rgb: list[Rgb] = []
        self._width_px: list[float] = []
        self._count = 0

    def add_line(self, points_m: FloatArray, rgb: Rgb, width_px: float) -> None:
        starts = np.zeros(len(points_m), dtype=bool)
        starts[0] = True
        self.add(points_m, starts, rgb, width_px)

    def add(self, points_m: FloatArray, starts: npt.NDArray[np.bool_], rgb: Rgb, width_px: float) -> None:
        if len(points_m) < 2:
            return
        for begin in range(0, len(points_m) - 1, _CHUNK_POINTS):
            end = min(begin + _CHUNK_POINTS + 1, len(points_m))
            self._chunks.append((self._count + begin, self._count + end))
            self._rgb.append(rgb)
            self._width_px.append(width_px)
        self._points.append(points_m)
        self._starts.append(starts)
        self._count += len(points_m)

    def build(self) -> Strips:
        if not self._points:
            empty = np.zeros((0, 2), dtype=np.int64)
            return Strips(np.zeros((0, 3)), np.zeros(0, bool), empty, np.zeros((0, 4)), np.zeros((0, 3)), np.zeros(0))
        points = np.ascontiguousarray(np.concatenate(self._points))
        balls = np.zeros((len(self._chunks), 4))
        for row, (begin, end) in zip(balls, self._chunks, strict=True):
            low, high = points[begin:end].min(axis=0), points[begin:end].max(axis=0)
            row[:3] = (low + high) / 2
            row[3] = np.linalg.norm(points[begin:end] - row[:3], axis=1).max()
        return Strips(
            points_m=points,
            starts=np.concatenate(self._starts),
            chunks=np.array(self._chunks, dtype=np.int64),
            chunk_balls_m=balls,
            chunk_rgb=np.array(self._rgb, dtype=np.float64),
            chunk_width_px=np.array(self._width_px),
        )
