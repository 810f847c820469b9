"""Where vehicles may drive on a map, and where its roads go on beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import shapely

from scenegraph import HDMap, LaneSegment, RoadBoundary
from scenegraph.arrays import FloatArray

Area: TypeAlias = Any
"""A shapely polygon or several, in world x, y; metres."""

_LEAST_STEP_M = 1e-6

_BESIDE_LANES_M = 7.0
"""A road boundary further than this from all lanes is none of theirs."""
_BESIDE_PATH_M = 25.0
_PATH_HALF_M = 1.75
_STEP_M = 1.5
_GAP_M = 0.35
_SMALLEST_HOLE_M2 = 1.5
_MOUTH_M = 90.0
_MOUTH_BESIDE_M = 5.0
_MOUTH_BACK_M = 1.0


def drivable_area(hdmap: HDMap, ego_path_m: FloatArray | None = None) -> Area:
    """The lanes of a map, what lies between them and the road's boundaries, and closed boundaries with their inside.

    ego_path_m: [N,2] or [N,3], where the ego drives; counts as a lane of its own. A map without lane segments has its
    roads between that path and the lines and boundaries beside it.
    """
    lanes = [_polygon(lane.outline) for lane in hdmap.lane_segments]
    if ego_path_m is not None:
        lanes.append(_path_area(ego_path_m))
    rings = [_polygon(b.polyline.points_m) for b in hdmap.road_boundaries if _is_closed_area(b)]
    paved = shapely.union_all([*lanes, _even_odd(rings)])
    reach_m = _BESIDE_LANES_M if hdmap.lane_segments else _BESIDE_PATH_M
    lines = [b.polyline.points_m for b in hdmap.road_boundaries if not _is_closed_area(b)]
    if not hdmap.lane_segments:
        lines += [line.polyline.points_m for line in hdmap.lane_lines]
    if lines and not paved.is_empty:
        paved = shapely.union_all([paved, *_fillings(paved, lines, reach_m)])
    return _tidy(paved)


def road_mouths(hdmap: HDMap, area: Area) -> Area:
    """Where the roads of a map would go on beyond its ends: strips straight ahead, wider than the road."""
    names = {lane.id for lane in hdmap.lane_segments}
    shapely.prepare(area)
    strips = [
        strip
        for lane in hdmap.lane_segments
        for strip in _open_ends(lane, names)
        if not shapely.intersects_xy(area, *strip[0])
    ]
    return shapely.union_all([shapely.Polygon(corners) for _, corners in strips])


def _open_ends(lane: LaneSegment, names: set[str]) -> Iterator[tuple[FloatArray, FloatArray]]:
    """(a place a little beyond, corners [4,2] of the strip) of every end that no other segment joins."""
    left, right = lane.left.points_m[:, :2], lane.right.points_m[:, :2]
    if not names & set(lane.successors):
        yield _ahead(left[-1], right[-1], lane.centre.points_m[-1, :2] - lane.centre.points_m[-2, :2])
    if not names & set(lane.predecessors):
        yield _ahead(right[0], left[0], lane.centre.points_m[0, :2] - lane.centre.points_m[1, :2])


def _ahead(left: FloatArray, right: FloatArray, towards: FloatArray) -> tuple[FloatArray, FloatArray]:
    forward = towards / max(float(np.hypot(*towards)), 1e-9)
    aside = np.array([-forward[1], forward[0]])
    middle, half_m = (left + right) / 2, float(np.hypot(*(left - right))) / 2 + _MOUTH_BESIDE_M
    near, far = middle - _MOUTH_BACK_M * forward, middle + _MOUTH_M * forward
    corners = np.array([near - half_m * aside, near + half_m * aside, far + half_m * aside, far - half_m * aside])
    return middle + 3.0 * forward, corners


def _is_closed_area(boundary: RoadBoundary) -> bool:
    """Whether a boundary's inside is road: rings of driveable area, not kerbs around islands."""
    points = boundary.polyline.points_m
    return boundary.category == "drivable_area" and len(points) > 3 and bool(np.allclose(points[0], points[-1]))


def _even_odd(rings: list[Area]) -> Area:
    """What lies within an odd number of rings: islands are rings within rings."""
    area = shapely.Polygon()
    for ring in rings:
        area = shapely.symmetric_difference(area, ring)
    return area


def _path_area(path_m: FloatArray) -> Area:
    line = way_on_ground(path_m)
    return line.buffer(_PATH_HALF_M, quad_segs=4)


def _polygon(points_m: FloatArray) -> Area:
    shape = shapely.Polygon(points_m[:, :2]) if len(points_m) > 2 else shapely.Polygon()
    return shape if shape.is_valid else shape.buffer(0)


def _fillings(paved: Area, lines: list[FloatArray], reach_m: float) -> list[Area]:
    """What lies between boundaries and the nearest place of the lanes, as quadrangles."""
    shapely.prepare(paved)
    pieces = []
    for points in lines:
        line = shapely.segmentize(shapely.LineString(points[:, :2]), _STEP_M)
        outer = shapely.get_coordinates(line)
        links = shapely.get_coordinates(shapely.shortest_line(shapely.points(outer), paved)).reshape(-1, 2, 2)
        inner = links[:, 1]
        gaps_m = np.hypot(*(outer - inner).T)
        wanted = (np.maximum(gaps_m[:-1], gaps_m[1:]) < reach_m) & (np.maximum(gaps_m[:-1], gaps_m[1:]) > 0.02)
        # 1. Where the nearest lane changes from one to another, the quadrangle between takes the corner along.
        rings = np.stack([outer[:-1], outer[1:], inner[1:], inner[:-1]], axis=1)[wanted]
        if len(rings):
            pieces.append(shapely.union_all(shapely.convex_hull(shapely.polygons(rings))))
    return pieces


def _tidy(area: Area) -> Area:
    """Without the cracks and pinholes between neighbouring pieces."""
    closed = area.buffer(_GAP_M, quad_segs=2, join_style="mitre").buffer(-_GAP_M, quad_segs=2, join_style="mitre")
    closed = shapely.simplify(closed, 0.03)
    return shapely.union_all([_without_small_holes(part) for part in shapely.get_parts(closed)])


def _without_small_holes(part: Area) -> Area:
    holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > _SMALLEST_HOLE_M2]
    return shapely.Polygon(part.exterior, holes)


def way_on_ground(path_m: FloatArray) -> Area:
    """A path [N,3] in the ground plane without steps in place; a point where there are no others."""
    moves = np.linalg.norm(np.diff(path_m[:, :2], axis=0), axis=1) > _LEAST_STEP_M
    places = path_m[np.concatenate([[True], moves]), :2]
    return shapely.LineString(places) if len(places) > 1 else shapely.Point(places[0])
