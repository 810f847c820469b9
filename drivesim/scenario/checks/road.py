"""Whether vehicles are on the road, the right way round, wheels on the ground, and whether its lines are there."""

from __future__ import annotations

import math

import numpy as np
import shapely

from scenegraph import Category, HDMap, LaneSegment, Scene
from scenegraph.arrays import BoolArray, FloatArray

from ..ground import Ground
from .bodies import Bodies
from .finding import Finding, Kind, Severity, span, stretches, worst_of
from .lanes import TILE_M, LaneTiles, crosses_edge, lane_tiles

_OFF_M, _OFF_LABELS_M = 0.5, 3.0
_FAR_OFF_M = 20.0
_DRIVES_MPS, _DRIVES_LABELS_MPS = 0.3, 2.0
_WRONG_RAD = math.radians(120.0)
_WRONG_MPS = 1.5
_OVERTAKES_S = 12.0
_WRONG_S, _WRONG_LABELS_S = 0.7, 2.0
_GAP_M, _GAP_PER_OFF_M = 0.3, 0.08
_GAP_LABELS_M, _GAP_LABELS_PER_M = 1.0, 0.04
_GAP_LABELS_S = 0.5
_KERB_M = 0.2
_GROUND_KNOWN_M = 15.0
_GRID_M = 0.25
_LINE_M = 0.8
_LINE_GAP_M = 9.0
_DRIVEN_M = 6.0
_PAINTED_SHARE = 0.6


def check_road(scene: Scene, bodies: Bodies) -> list[Finding]:
    """Off the road, against traffic, above or below the ground, on lanes without their lines."""
    tiles = lane_tiles(scene.hdmap)
    if tiles is None:
        end_s = float(bodies.times_s[-1])
        text = "off-road, wrong-way, floating and line checks were left out: the map has no lanes"
        return [Finding("not_checked", "note", "", "", 0.0, end_s, 0.0, 1.0, "lanes", text)]
    return [
        *_off_road(scene, bodies, tiles),
        *_wrong_way(bodies, tiles),
        *_heights(scene, bodies, tiles),
        *_missing_lines(scene.hdmap, bodies, tiles),
    ]


# -- beside the road ---------------------------------------------------------------------------------


def _off_road(scene: Scene, bodies: Bodies, tiles: LaneTiles) -> list[Finding]:
    """Vehicles whose middle is outside of every lane and beyond a road boundary, or far from everything."""
    driven = bodies.present & bodies.is_vehicle[:, None]
    distance_m, beyond = np.zeros(driven.shape), np.zeros(driven.shape, dtype=bool)
    distance_m[driven], beyond[driven] = _beyond(scene.hdmap, tiles, bodies.bottom_m[driven])
    limit_m = np.where(bodies.is_recorded, _OFF_LABELS_M, _OFF_M)
    off = ((distance_m > limit_m[:, None]) & beyond) | (distance_m > _FAR_OFF_M)
    moves = bodies.speed_mps > np.where(bodies.is_recorded, _DRIVES_LABELS_MPS, _DRIVES_MPS)[:, None]
    findings = []
    for body in np.flatnonzero(off.any(axis=1)).tolist():
        for first, last in stretches(off[body]):
            within = slice(first, last + 1)
            stands, outside = not moves[body, within].any(), not beyond[body, within].any()
            value = worst_of(distance_m[body], off[body], first, last)
            if bodies.is_kept[body] and (stands or value > _FAR_OFF_M):
                continue  # parked cars, and the world beyond the map of a log
            severity: Severity = "warning" if bodies.is_kept[body] or stands else "error"
            start_s, end_s = bodies.times_s[first], bodies.times_s[last]
            text = f"{bodies.ids[body]} is {value:.1f} m beside the road {span(start_s, end_s)}"
            if outside:
                severity, text = "note", f"{bodies.ids[body]} is {value:.1f} m past all lanes {span(start_s, end_s)}"
            findings.append(
                Finding("off_road", severity, bodies.ids[body], "", start_s, end_s, value, limit_m[body], "m", text)
            )
    return findings


def _beyond(hdmap: HDMap, tiles: LaneTiles, points_m: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Distance of points [N,3] from the nearest lane, and whether a road boundary lies between, both [N]."""
    places, where = np.unique(np.round(points_m[:, :2] / _GRID_M) * _GRID_M, axis=0, return_inverse=True)
    where = where.reshape(-1)
    off_m, nearest = tiles.away_m(places)
    beyond = np.zeros(len(places), dtype=bool)
    outside = np.flatnonzero(off_m > 0)
    if hdmap.road_boundaries:
        beyond[outside] = crosses_edge(hdmap, places[outside], nearest[outside])
    else:
        beyond[outside] = True
    return off_m[where], beyond[where]


# -- against traffic ---------------------------------------------------------------------------------


def _wrong_way(bodies: Bodies, tiles: LaneTiles) -> list[Finding]:
    """Vehicles that move along lanes which all drive the other way; recorded cyclists do as they please."""
    cycles = np.array([category == Category.CYCLIST for category in bodies.categories])
    drives = bodies.is_vehicle | (cycles & ~bodies.is_kept)
    moves = bodies.present & drives[:, None] & (bodies.speed_mps > _WRONG_MPS)
    points = bodies.bottom_m[moves]
    point, tile = tiles.under(points)
    heading = bodies.yaw_rad[moves]
    off = np.abs(np.remainder(heading[point] - tiles.heading_rad[tile] + math.pi, 2 * math.pi) - math.pi)
    least = np.full(len(points), np.inf)
    np.minimum.at(least, point, off)
    angle = np.zeros(moves.shape)
    angle[moves] = np.where(np.isfinite(least), least, 0.0)
    wrong, right = angle > _WRONG_RAD, np.zeros(moves.shape, dtype=bool)
    right[moves] = least < math.pi / 4
    findings = []
    for body in np.flatnonzero(wrong.any(axis=1)).tolist():
        for first, last in stretches(wrong[body]):
            start_s, end_s = bodies.times_s[first], bodies.times_s[last]
            limit_s = _WRONG_LABELS_S if bodies.is_recorded[body] else _WRONG_S
            if end_s - start_s < limit_s:
                continue
            severity: Severity = "warning" if bodies.is_kept[body] or cycles[body] else "error"
            text = f"{bodies.ids[body]} drives against its lane {span(start_s, end_s)}"
            if right[body, :first].any() and right[body, last + 1 :].any() and end_s - start_s < _OVERTAKES_S:
                severity, text = "note", f"{text}, as when overtaking"
            value = float(end_s - start_s)
            findings.append(
                Finding("wrong_way", severity, bodies.ids[body], "", start_s, end_s, value, limit_s, "s", text)
            )
    return findings


# -- above and below ---------------------------------------------------------------------------------


def _heights(scene: Scene, bodies: Bodies, tiles: LaneTiles) -> list[Finding]:
    """Boxes whose lower face is not on the ground; the further from lanes, or labels from the ego, the vaguer."""
    there = bodies.present.copy()
    there[-1] = False  # the ego's height is that of the poses, which the ground may have been made from
    points = bodies.bottom_m[there]
    keys, first, where = np.unique(np.round(points / _GRID_M), axis=0, return_index=True, return_inverse=True)
    del keys
    ground_m = Ground(scene.hdmap.lane_segments).heights_m(points[first])[where.reshape(-1)]
    off_m = tiles.away_m(points[first])[0][where.reshape(-1)]
    gap, limit = np.zeros(there.shape), np.full(there.shape, np.inf)
    gap[there] = points[:, 2] - ground_m
    beside = np.where(off_m > 0, _KERB_M + _GAP_PER_OFF_M * off_m, 0.0)
    limit[there] = np.where(off_m < _GROUND_KNOWN_M, _GAP_M + beside, np.inf)
    vague = _GAP_LABELS_M + _GAP_LABELS_PER_M * bodies.ego_distance_m
    limit = np.where(bodies.is_recorded[:, None], limit + vague, limit)
    wrong = np.abs(gap) > limit
    findings = []
    for body in np.flatnonzero(wrong.any(axis=1)).tolist():
        for start, end in stretches(wrong[body]):
            worst = start + int(np.argmax(np.abs(gap[body, start : end + 1]) * wrong[body, start : end + 1]))
            value, allowed = float(gap[body, worst]), float(limit[body, worst])
            start_s, end_s = bodies.times_s[start], bodies.times_s[end]
            if bodies.is_recorded[body] and end_s - start_s < _GAP_LABELS_S:
                continue
            severity: Severity = "warning" if bodies.is_kept[body] else "error"
            where_ = "above" if value > 0 else "below"
            text = f"{bodies.ids[body]} is {abs(value):.2f} m {where_} the ground {span(start_s, end_s)}"
            kind: Kind = "floating" if value > 0 else "sunken"
            findings.append(
                Finding(kind, severity, bodies.ids[body], "", start_s, end_s, abs(value), allowed, "m", text)
            )
    return findings


# -- paint -------------------------------------------------------------------------------------------


def _missing_lines(hdmap: HDMap, bodies: Bodies, tiles: LaneTiles) -> list[Finding]:
    """Lanes driven on whose edge should be painted, by its mark or as such edges of the map are, and is not."""
    lines = [line.polyline for line in hdmap.lane_lines] + [edge.polyline for edge in hdmap.road_boundaries]
    driven = _driven(bodies, tiles)
    if not driven.any():
        return []
    bare = np.ones((2, len(tiles.lane)), dtype=bool)
    if lines:
        tree = shapely.STRtree([shapely.LineString(line.points_m[:, :2]) for line in lines])
        for side, middles in enumerate((tiles.left_m, tiles.right_m)):
            near = tree.query(shapely.points(middles[:, :2]), predicate="dwithin", distance=_LINE_M)[0]
            bare[side, near] = False
    expected = _expected(hdmap, tiles, bare)
    findings = []
    for side, name in enumerate(("left", "right")):
        missing = bare[side] & expected[side]
        for lane in np.unique(tiles.lane[missing]).tolist():
            bare_here = missing & (tiles.lane == lane)
            findings += _missing_line(hdmap.lane_segments[lane], name, bodies, tiles, driven, bare_here)
    return findings


def _driven(bodies: Bodies, tiles: LaneTiles) -> BoolArray:
    """Which tiles [N] each vehicle [A] drives over, bool [A,N]."""
    moves = bodies.present & bodies.is_vehicle[:, None] & (bodies.speed_mps > _WRONG_MPS)
    point, tile = tiles.under(bodies.bottom_m[moves])
    body = np.nonzero(moves)[0][point]
    off = np.cos(bodies.yaw_rad[moves][point] - tiles.heading_rad[tile])
    driven = np.zeros((len(bodies.ids), len(tiles.lane)), dtype=bool)
    driven[body[np.abs(off) > 0.7], tile[np.abs(off) > 0.7]] = True
    return driven


def _expected(hdmap: HDMap, tiles: LaneTiles, bare: BoolArray) -> BoolArray:
    """Which edges of tiles should have a line, bool [2,N]."""
    lanes = hdmap.lane_segments
    if any(lane.left_mark or lane.right_mark for lane in lanes):
        marks = np.array([[lane.left_mark is not None, lane.right_mark is not None] for lane in lanes])
        return np.asarray(marks[tiles.lane].T)
    # Lanes that say nothing about paint: where nearly all edges between lanes are painted, all should be.
    beside = np.array(
        [[_is_beside(lane, lane.left_neighbour), _is_beside(lane, lane.right_neighbour)] for lane in lanes]
    )
    between = np.asarray(beside[tiles.lane].T)
    inner = bare[between]
    if not inner.size or (~inner).mean() < _PAINTED_SHARE:
        return np.zeros_like(between)
    return between


def _is_beside(lane: LaneSegment, neighbour: str | None) -> bool:
    return neighbour is not None and not lane.is_intersection


def _missing_line(
    lane: LaneSegment, side: str, bodies: Bodies, tiles: LaneTiles, driven: BoolArray, missing: BoolArray
) -> list[Finding]:
    own = tiles.lane == tiles.lane[np.argmax(missing)]
    bare_m = TILE_M * missing.sum()
    if bare_m < max(_LINE_GAP_M, 0.3 * TILE_M * own.sum()):
        return []
    users = np.flatnonzero(TILE_M * driven[:, missing].sum(axis=1) >= _DRIVEN_M)
    if not len(users):
        return []
    names = [bodies.ids[user] for user in users]
    text = (
        f"lane {lane.id} has no {side} line for {bare_m:.0f} m where {', '.join(names[:3])} "
        f"{'drives' if len(names) == 1 else 'drive'}. Paint it again, or take its mark off the lane"
    )
    end_s = float(bodies.times_s[-1])
    return [Finding("missing_line", "warning", names[0], lane.id, 0.0, end_s, bare_m, _LINE_GAP_M, "m", text)]
