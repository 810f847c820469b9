"""The vector map of an Argoverse 2 log (``log_map_archive_*.json``): lanes, paint, kerbs and crossings.

The file is in city coordinates: metres, x east, y north, z up.

Two-sided marks are named from the inside out: SOLID_DASH means that the solid line is next to the lane
that lists the mark and the dashed one next to its neighbour. ClipGT styles are seen along the points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely

from ..arrays import FloatArray, all_finite
from ..errors import FormatError
from ..hdmap import Crosswalk, HDMap, LaneLine, LaneSegment, RoadBoundary
from ..polyline import Polyline
from .argoverse2_ground import EdgeHeights
from .dropped import Dropped
from .lane_paint import UNKNOWN_MARK, Mark, distinct_paint, joined_paint, mirrored
from .strict_json import Node

_STEP_M = 1.0
_GAP_M = 0.05
_SMALLEST_AREA_M2 = 1.0
_STRAIGHT_M = 0.01

# Paint on a left edge as (colour, style) of ClipGT, along the edge; on a right edge two-sided styles are mirrored.
# Where control videos have no such type, the nearest one that they have: double dashed lines become a single
# dashed one, a white solid-and-dashed pair becomes a white double line; these are counted as repainted. Blue has
# no type and stays blue.
_MARKS_ON_THE_LEFT: dict[str, Mark | None] = {
    "NONE": None,
    "UNKNOWN": UNKNOWN_MARK,
    "SOLID_WHITE": ("WHITE", "SOLID_SINGLE"),
    "SOLID_YELLOW": ("YELLOW", "SOLID_SINGLE"),
    "SOLID_BLUE": ("BLUE", "SOLID_SINGLE"),
    "DASHED_WHITE": ("WHITE", "LONG_DASHED_SINGLE"),
    "DASHED_YELLOW": ("YELLOW", "LONG_DASHED_SINGLE"),
    "DOUBLE_SOLID_WHITE": ("WHITE", "SOLID_GROUP"),
    "DOUBLE_SOLID_YELLOW": ("YELLOW", "SOLID_GROUP"),
    "DOUBLE_DASH_WHITE": ("WHITE", "LONG_DASHED_SINGLE"),
    "DOUBLE_DASH_YELLOW": ("YELLOW", "LONG_DASHED_SINGLE"),
    "SOLID_DASH_WHITE": ("WHITE", "SOLID_GROUP"),
    "DASH_SOLID_WHITE": ("WHITE", "SOLID_GROUP"),
    "SOLID_DASH_YELLOW": ("YELLOW", "SOLID_DASHED"),
    "DASH_SOLID_YELLOW": ("YELLOW", "DASHED_SOLID"),
}
_REPAINTED = ("DOUBLE_DASH_WHITE", "DOUBLE_DASH_YELLOW", "SOLID_DASH_WHITE", "DASH_SOLID_WHITE")


@dataclass(frozen=True, eq=False)
class CityMap:
    """What the file holds, in city coordinates.

    areas_m: outlines [N,3] of the drivable areas, the first point not repeated.
    repainted: how many lane edges list a mark that became another one, by its word in the file.
    """

    city: str
    lanes: tuple[LaneSegment, ...]
    crosswalks: tuple[Crosswalk, ...]
    areas_m: tuple[FloatArray, ...]
    repainted: Mapping[str, int]

    @property
    def lane_edges_m(self) -> tuple[FloatArray, ...]:
        """Points [N,3] of every lane's left and right edge."""
        return tuple(edge.points_m for lane in self.lanes for edge in (lane.left, lane.right))

    def as_source(self) -> dict[str, str]:
        """``{"repainted": "3 lane edges from DOUBLE_DASH_WHITE to WHITE LONG_DASHED_SINGLE"}``, empty if none was."""
        told = [
            f"{count} lane edges from {word} to {' '.join(_MARKS_ON_THE_LEFT[word] or ())}"
            for word, count in sorted(self.repainted.items())
        ]
        return {"repainted": ", ".join(told)} if told else {}


def build_hdmap(city_map: CityMap, origin_m: FloatArray, dropped: Dropped) -> HDMap:
    """The map in world coordinates, whose origin lies at ``origin_m`` [3] in the city."""
    return HDMap(
        lane_segments=tuple(_moved_lane(lane, origin_m) for lane in city_map.lanes),
        lane_lines=tuple(
            LaneLine(paint.id, Polyline(paint.points_m - origin_m).densified(_STEP_M), *paint.mark)
            for paint in joined_paint(distinct_paint(city_map.lanes))
        ),
        road_boundaries=tuple(
            RoadBoundary(f"road_boundary:{i}", Polyline(points_m - origin_m).densified(_STEP_M), "drivable_area")
            for i, points_m in enumerate(road_outlines(city_map.areas_m, dropped))
        ),
        crosswalks=tuple(Crosswalk(c.id, Polyline(c.polyline.points_m - origin_m)) for c in city_map.crosswalks),
    )


def _moved_lane(lane: LaneSegment, origin_m: FloatArray) -> LaneSegment:
    left, right = (Polyline(edge.points_m - origin_m) for edge in (lane.left, lane.right))
    return replace(lane, left=left, right=right)


# -- kerbs ----------------------------------------------------------------------------------------


def road_outlines(areas_m: tuple[FloatArray, ...], dropped: Dropped) -> list[FloatArray]:
    """Closed outlines [N,3] of everything drivable: outer rings and the islands within.

    Areas abut with gaps of some centimetres, so they are grown by 5 cm, united and shrunk again; otherwise
    their seams would lie across the road as kerbs. Slivers and islands below 1 m2 are left out and counted.
    Heights are those of the nearest original outline.
    """
    if not areas_m:
        return []
    grown = [shapely.make_valid(shapely.Polygon(a[:, :2])).buffer(_GAP_M, join_style="mitre") for a in areas_m]
    united = shapely.union_all(grown).buffer(-_GAP_M, join_style="mitre").simplify(_STRAIGHT_M)
    rings = [
        ring
        for part in shapely.get_parts(united)
        if part.geom_type == "Polygon"
        for ring in (part.exterior, *part.interiors)
    ]
    large = [ring for ring in rings if shapely.Polygon(ring).area >= _SMALLEST_AREA_M2]
    dropped.add("road_boundaries", f"an area below {_SMALLEST_AREA_M2:g} m2", len(rings) - len(large))
    heights = EdgeHeights([np.concatenate([a, a[:1]]) for a in areas_m])
    outlines = []
    for ring in large:
        xy_m = shapely.get_coordinates(shapely.segmentize(ring, 0.9 * _STEP_M))
        outlines.append(np.column_stack([xy_m, heights.at(xy_m)[0]]))
    return outlines


# -- the file -------------------------------------------------------------------------------------


def read_city_map(map_folder: Path) -> CityMap:
    """The vector map of a log."""
    files = sorted(map_folder.glob("log_map_archive_*.json"))
    if len(files) != 1:
        problem = f"{len(files)} files log_map_archive_*.json" if files else "no file log_map_archive_*.json"
        raise FormatError(map_folder, "", problem, "A log needs its vector map, and only one.")
    root = Node.load(files[0])
    city = re.search(r"____([A-Z]+)_city", files[0].name)
    lanes, crossings = root["lane_segments"].fields(), root["pedestrian_crossings"].fields()
    return CityMap(
        city=city.group(1) if city else "",
        lanes=tuple(_lane(lane_id, node) for lane_id, node in lanes.items()),
        crosswalks=tuple(Crosswalk(key, Polyline(_crossing(node))) for key, node in crossings.items()),
        areas_m=tuple(_area(node) for node in root["drivable_areas"].fields().values()),
        repainted=Counter(word for node in lanes.values() for word in _mark_words(node) if word in _REPAINTED),
    )


def _mark_words(lane: Node) -> tuple[str, str]:
    return lane["left_lane_mark_type"].text(), lane["right_lane_mark_type"].text()


def _lane(lane_id: str, node: Node) -> LaneSegment:
    right_mark = _mark(node["right_lane_mark_type"])
    return LaneSegment(
        id=lane_id,
        left=Polyline(_points_m(node["left_lane_boundary"], 2)),
        right=Polyline(_points_m(node["right_lane_boundary"], 2)),
        left_mark=_mark(node["left_lane_mark_type"]),
        right_mark=mirrored(right_mark) if right_mark else None,
        predecessors=_ids(node["predecessors"]),
        successors=_ids(node["successors"]),
        left_neighbour=_optional_id(node["left_neighbor_id"]),
        right_neighbour=_optional_id(node["right_neighbor_id"]),
        lane_type=node["lane_type"].text(),
        is_intersection=node["is_intersection"].flag(),
    )


def _ids(node: Node) -> tuple[str, ...]:
    return tuple(str(item.integer()) for item in node.items())


def _optional_id(node: Node) -> str | None:
    return None if node.value is None else str(node.integer())


def _mark(node: Node) -> Mark | None:
    """Paint as it lies on a left edge."""
    word = node.text()
    if word not in _MARKS_ON_THE_LEFT:
        raise node.error(f"{word!r} is no mark", f"Allowed are {', '.join(_MARKS_ON_THE_LEFT)}.")
    return _MARKS_ON_THE_LEFT[word]


def _points_m(node: Node, least: int) -> FloatArray:
    """Points [N,3], N >= least, of a list of {x, y, z}."""
    try:
        points_m = np.array([(p["x"], p["y"], p["z"]) for p in node.value], dtype=np.float64).reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as error:
        raise node.error("no list of points", "Each point needs numbers x, y and z.") from error
    if not all_finite(points_m):
        raise node.error("a coordinate is not finite", "Each point needs numbers x, y and z.")
    if len(points_m) < least:
        raise node.error(f"{len(points_m)} points", f"At least {least} are needed.")
    return points_m


def _crossing(node: Node) -> FloatArray:
    """Outline [4,3]: along one edge and back along the other."""
    one, other = (_points_m(node[name], 2) for name in ("edge1", "edge2"))
    return np.stack([one[0], one[-1], other[-1], other[0]])


def _area(node: Node) -> FloatArray:
    """Outline [N,3]; a repeated first point is dropped."""
    points_m = _points_m(node["area_boundary"], 3)
    return points_m[:-1] if len(points_m) > 3 and (points_m[0] == points_m[-1]).all() else points_m
