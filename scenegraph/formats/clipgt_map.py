"""The map tables of a ClipGT folder; the layout is described in ``clipgt``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from ..arrays import FloatArray
from ..errors import FormatError
from ..hdmap import (
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    Pole,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
)
from ..polyline import Polyline
from ..scene import LightTimeline
from ..se3 import SE3
from .clipgt_poses import exact_poses
from .dropped import Dropped
from .nvidia_names import majority_paint
from .tables import Table

MAP_TABLES = (
    "lane",
    "lane_line",
    "road_boundary",
    "crosswalk",
    "wait_line",
    "pole",
    "road_marking",
    "traffic_light",
    "traffic_sign",
)
_LIGHT_LWH_M = (0.6, 0.6, 1.0)
_SIGN_LWH_M = (0.8, 0.3, 0.8)
_POLE_HEIGHT_M = 3.0
_STATES = ", ".join(LightState)
Element = TypeVar("Element")


def read_map(tables: Mapping[str, Table], dropped: Dropped) -> tuple[HDMap, dict[str, LightTimeline]]:
    """The map and, by light id, what its traffic lights show."""

    def layer(name: str, read: Callable[[Table, Dropped], list[Element]]) -> tuple[Element, ...]:
        return tuple(read(tables[name], dropped)) if name in tables else ()

    hdmap = HDMap(
        lane_segments=layer("lane", _lanes),
        lane_lines=layer("lane_line", _lane_lines),
        road_boundaries=layer("road_boundary", _road_boundaries),
        crosswalks=layer("crosswalk", _crosswalks),
        stop_lines=layer("wait_line", _stop_lines),
        poles=layer("pole", _poles),
        road_markings=layer("road_marking", _road_markings),
        traffic_lights=layer("traffic_light", _traffic_lights),
        traffic_signs=layer("traffic_sign", _traffic_signs),
    )
    return hdmap, _light_states(tables["traffic_light"]) if "traffic_light" in tables else {}


# -- lanes and lines ------------------------------------------------------------------------------


def _lanes(table: Table, dropped: Dropped) -> list[LaneSegment]:
    ids = _ids(table)
    left, right = table.point_lists("lane.left_rail"), table.point_lists("lane.right_rail")
    left_marks, right_marks = _edge_marks(table, "left"), _edge_marks(table, "right")
    links = _lane_links(table) if table.has("drivesim") else None
    lanes = []
    for row, lane_id in enumerate(ids):
        flaw = _line_flaw(left[row]) or _line_flaw(right[row])
        if flaw:
            dropped.add("lanes", flaw)
            continue
        rails = Polyline(left[row]), Polyline(right[row])
        rest = links[row] if links else ()
        lanes.append(LaneSegment(lane_id, *rails, left_marks[row], right_marks[row], *rest))
    return lanes


_Links = tuple[tuple[str, ...], tuple[str, ...], str | None, str | None, str, bool, float | None]


def _lane_links(table: Table) -> list[_Links]:
    """predecessors .. speed_limit_mps of every lane, in the order of LaneSegment's fields."""
    limits_mps = table.numbers("drivesim.speed_limit_mps", allow_nan=True).tolist()
    columns = (
        table.string_lists("drivesim.predecessors"),
        table.string_lists("drivesim.successors"),
        table.optional_strings("drivesim.left_neighbour"),
        table.optional_strings("drivesim.right_neighbour"),
        table.strings("drivesim.lane_type"),
        table.booleans("drivesim.is_intersection").tolist(),
        [None if np.isnan(limit) else limit for limit in limits_mps],
    )
    return list(zip(*columns, strict=True))


def _edge_marks(table: Table, side: str) -> list[tuple[str, str] | None]:
    return _paint(table, f"lane.{side}_edge_colors", f"lane.{side}_edge_styles")


def _paint(table: Table, colours: str, styles: str) -> list[tuple[str, str] | None]:
    """The most frequent (colour, style) of every row, in upper case unless we wrote it; None without any."""
    own = table.has("drivesim")
    nothing: tuple[tuple[str, ...], ...] = ((),) * len(table)
    columns = (table.string_lists(c) if table.has(c) else nothing for c in (colours, styles))
    pairs = (majority_paint(*row) for row in zip(*columns, strict=True))
    return [pair if own or pair is None else (pair[0].upper(), pair[1].upper()) for pair in pairs]


def _lane_lines(table: Table, dropped: Dropped) -> list[LaneLine]:
    rail = "lane_line.line_rail" if table.has("lane_line.line_rail") else "lane_line.path"
    paint = _paint(table, "lane_line.colors", "lane_line.styles")
    return [
        LaneLine(line_id, Polyline(points), *(paint[row] or ("UNKNOWN", "UNKNOWN")))
        for row, line_id, points in _lines(table, rail, "lane_lines", dropped)
    ]


def _road_boundaries(table: Table, dropped: Dropped) -> list[RoadBoundary]:
    words = _words(table, "road_boundary.category")
    lines = _lines(table, "road_boundary.location", "road_boundaries", dropped)
    return [RoadBoundary(line_id, Polyline(points), words[row]) for row, line_id, points in lines]


def _stop_lines(table: Table, dropped: Dropped) -> list[StopLine]:
    words = _words(table, "wait_line.category")
    known = table.has("wait_line.is_implicit")
    implicit = table.booleans("wait_line.is_implicit", empty=False).tolist() if known else [False] * len(table)
    lines = _lines(table, "wait_line.location", "stop_lines", dropped)
    return [StopLine(line_id, Polyline(points), words[row], implicit[row]) for row, line_id, points in lines]


def _poles(table: Table, dropped: Dropped) -> list[Pole]:
    lines = _lines(table, "pole.location", "poles", dropped, fewest=1)
    return [Pole(line_id, Polyline(_upright(points))) for _, line_id, points in lines]


def _upright(points_m: FloatArray) -> FloatArray:
    """A pole known by its foot alone is taken to be 3 m high."""
    return points_m if len(points_m) > 1 else points_m + np.array([[0.0, 0.0, 0.0], [0.0, 0.0, _POLE_HEIGHT_M]])


def _crosswalks(table: Table, dropped: Dropped) -> list[Crosswalk]:
    outlines = _outlines(table, "crosswalk.location", "crosswalks", dropped)
    return [Crosswalk(line_id, outline) for _, line_id, outline in outlines]


def _road_markings(table: Table, dropped: Dropped) -> list[RoadMarking]:
    words = _words(table, "road_marking.category")
    outlines = _outlines(table, "road_marking.location", "road_markings", dropped)
    return [RoadMarking(line_id, outline, words[row]) for row, line_id, outline in outlines]


def _outlines(table: Table, column: str, layer: str, dropped: Dropped) -> Iterator[tuple[int, str, Polyline]]:
    """Outlines that end before their first point comes again."""
    for row, line_id, points in _lines(table, column, layer, dropped):
        repeats = not table.has("drivesim") and len(points) > 3 and (points[0] == points[-1]).all()
        yield row, line_id, Polyline(points[:-1] if repeats else points)


def _lines(
    table: Table, column: str, layer: str, dropped: Dropped, fewest: int = 2
) -> Iterator[tuple[int, str, FloatArray]]:
    """(row, id, points [N,3]) of every usable row; the others are counted."""
    ids, points = _ids(table), table.point_lists(column)
    for row, line_id in enumerate(ids):
        flaw = _line_flaw(points[row], fewest)
        if flaw:
            dropped.add(layer, flaw)
        else:
            yield row, line_id, points[row]


def _line_flaw(points_m: FloatArray, fewest: int = 2) -> str:
    if len(points_m) < fewest:
        return f"fewer than {fewest} points" if fewest > 1 else "no points"
    return "" if np.isfinite(points_m).all() else "NaN"


def _ids(table: Table) -> tuple[str, ...]:
    """Ids as we wrote them; ClipGT itself has none, and the row stands in."""
    if not table.has("drivesim"):
        return tuple(str(row) for row in range(len(table)))
    ids = table.strings("drivesim.id")
    rows = {name: row for row, name in reversed(list(enumerate(ids)))}
    if len(rows) < len(ids):
        row = next(row for row, name in enumerate(ids) if rows[name] != row)
        raise FormatError(table.path, f"row {row}, drivesim.id", f"{ids[row]} occurs twice", "Ids must be unique.")
    return ids


def _words(table: Table, column: str) -> tuple[str, ...]:
    return table.strings(column, empty="") if table.has(column) else ("",) * len(table)


# -- boxes ----------------------------------------------------------------------------------------


def _traffic_lights(table: Table, dropped: Dropped) -> list[TrafficLight]:
    boxes = _boxes(table, "traffic_light", _LIGHT_LWH_M, dropped)
    return [TrafficLight(light_id, pose, *lwh_m) for _, light_id, pose, lwh_m in boxes]


def _traffic_signs(table: Table, dropped: Dropped) -> list[TrafficSign]:
    words = _words(table, "traffic_sign.category")
    boxes = _boxes(table, "traffic_sign", _SIGN_LWH_M, dropped)
    return [TrafficSign(sign_id, pose, *lwh_m, words[row]) for row, sign_id, pose, lwh_m in boxes]


def _boxes(
    table: Table, name: str, usual_lwh_m: tuple[float, float, float], dropped: Dropped
) -> Iterator[tuple[int, str, SE3, tuple[float, float, float]]]:
    """(row, id, world_from_box, length width height) of every usable row; the usual size where a row has none."""
    poses, usable = exact_poses(table, f"{name}.center", f"{name}.orientation", allow_nan=True)
    lwh_m = np.full((len(table), 3), np.nan)
    if table.has(f"{name}.dimensions"):
        lwh_m = table.vectors(*(f"{name}.dimensions.{axis}" for axis in "xyz"), allow_nan=True)
    lwh_m = np.where(np.isnan(lwh_m).any(axis=1, keepdims=True), usual_lwh_m, lwh_m)
    wrong = np.argwhere(~(np.isfinite(lwh_m) & (lwh_m >= 0)))
    if len(wrong):
        row, axis = wrong[0]
        place = f"row {row}, {name}.dimensions.{'xyz'[axis]}"
        raise FormatError(table.path, place, f"{lwh_m[row, axis]:g}", "A length of 0 or more is needed.")
    for row, box_id in enumerate(_ids(table)):
        if usable[row]:
            length_m, width_m, height_m = lwh_m[row].tolist()
            yield row, box_id, poses[row], (length_m, width_m, height_m)
        else:
            dropped.add(f"{name}s", "no pose (NaN, or a quaternion of length zero)")


def _light_states(table: Table) -> dict[str, LightTimeline]:
    """States by light id; only our own files have them."""
    if not table.has("drivesim"):
        return {}
    columns = table.integer_lists("drivesim.state_timestamps_us"), table.string_lists("drivesim.states")
    timelines = {}
    for row, (light_id, stamps, states) in enumerate(zip(_ids(table), *columns, strict=True)):
        if len(stamps) == len(states) == 0:
            continue
        if len(stamps) != len(states) or (np.diff(stamps) <= 0).any() or not set(states) <= set(LightState):
            problem = f"{len(states)} states for {len(stamps)} times"
            allowed = f"As many states ({_STATES}) as increasing times are needed."
            raise FormatError(table.path, f"row {row}, drivesim.states", problem, allowed)
        timelines[light_id] = LightTimeline(stamps, tuple(LightState(state) for state in states))
    return timelines
