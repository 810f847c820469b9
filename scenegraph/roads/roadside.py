"""What stands beside made roads and is painted on them: lamps, signs, lights, stop lines, crosswalks, arrows, bays."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal, TypeAlias

import numpy as np
import shapely

from .carriageway import Carriageway, Side
from .network import OutlineCorner, RoadObject, Signal
from .road_spec import PARKING_M

Move: TypeAlias = Literal["left", "straight", "right"]
Facing: TypeAlias = Literal["+", "-"]

LIGHT_M = 5.0
"""Height of the middle of a traffic light."""
STOP, YIELD, SPEED_LIMIT = "206", "205", "274"
"""Codes of signs, those of Germany."""

_LAMP_EVERY_M, _LAMP_M = 35.0, 8.0
_BESIDE_M = 0.8
_LIGHT_WIDTH_M, _LIGHT_HEIGHT_M, _LIGHT_MAST_M = 0.4, 1.0, 5.6
_SIGN_M, _SIGN_FROM_M = 0.75, 2.1
_POST_BEHIND_M = 0.25
_BAY_M, _BAY_LINE_M = 6.0, 0.1
_STEM_M, _ARROW_M = 0.3, 5.0


def lamps(
    name: str, way: Carriageway, from_m: float, to_m: float, sides: tuple[Side, ...] = (-1, 1)
) -> Iterator[RoadObject]:
    """Street lamps, by default on both sides and opposite ones half a step apart."""
    for side in sides:
        t_m = beside_m(way, side, with_parking=True)
        first_m = from_m + (_LAMP_EVERY_M / 2 if side > 0 else 0.0)
        for number, s_m in enumerate(np.arange(first_m, to_m, _LAMP_EVERY_M).tolist()):
            yield RoadObject(f"{name}:lamp:{side}:{number}", "streetlamp", s_m, t_m, height_m=_LAMP_M)


def parking_bays(name: str, way: Carriageway, to_m: float) -> Iterator[RoadObject]:
    """The lines across a parking lane, between its bays."""
    if way.parking is None:
        return
    side, depth_m = way.parking.side, PARKING_M - 0.1
    t_m = side * (way.edge_m(side) - way.spec.margin_m - PARKING_M / 2)
    for number, s_m in enumerate(np.arange(way.parking.full_m + 1.0, to_m - 0.5, _BAY_M).tolist()):
        corners = _rectangle(_BAY_LINE_M / 2, depth_m / 2)
        yield RoadObject(f"{name}:bay:{number}", "roadmark", s_m, t_m, outline=corners, name="parking bay")


def crosswalk(name: str, way: Carriageway, from_m: float, to_m: float) -> RoadObject:
    """A crosswalk from edge to edge."""
    left_m, right_m = way.edge_m(1, with_parking=False), -way.edge_m(-1, with_parking=False)
    places = [(from_m, right_m), (from_m, left_m), (to_m, left_m), (to_m, right_m)]
    outline = tuple(OutlineCorner(s, t, is_on_road=True) for s, t in places)
    return RoadObject(f"{name}:crosswalk", "crosswalk", from_m, 0.0, outline=outline)


def stop_line(name: str, s_m: float, facing: Facing, lanes: tuple[int, int] | None = None) -> Signal:
    """Where traffic waits, across all lanes of its direction."""
    return Signal(f"{name}:stop", s_m, 0.0, 0.0, facing, False, "294", lanes=lanes)


def sign(
    name: str, kind: str, s_m: float, t_m: float, facing: Facing, value: float | None = None
) -> tuple[Signal, RoadObject]:
    """A sign and its post."""
    place = (f"{name}:sign:{kind}", s_m, t_m, _SIGN_FROM_M, facing, False, kind, "", "DE")
    plate = Signal(*place, width_m=_SIGN_M, height_m=_SIGN_M, value=value)
    return plate, _post(f"{name}:post:{kind}", s_m, t_m, facing, _SIGN_FROM_M + _SIGN_M)


def light(name: str, s_m: float, t_m: float, facing: Facing) -> tuple[Signal, RoadObject]:
    """A traffic light and its mast. ``name`` becomes its id."""
    low_m = LIGHT_M - _LIGHT_HEIGHT_M / 2
    lamp = Signal(
        name, s_m, t_m, low_m, facing, True, "1000001", width_m=_LIGHT_WIDTH_M, height_m=_LIGHT_HEIGHT_M, name=name
    )
    return lamp, _post(f"{name}:mast", s_m, t_m, facing, _LIGHT_MAST_M)


def beside_m(way: Carriageway, side: Side, with_parking: bool = False) -> float:
    """t of what stands beside a road, by default where its parking lane has not begun."""
    return side * (way.edge_m(side, with_parking) + _BESIDE_M)


def arrow(name: str, moves: Collection[Move], s_m: float, t_m: float, heading_rad: float) -> RoadObject:
    """A painted arrow that points where a lane leads."""
    corners = tuple(OutlineCorner(u, v) for u, v in arrow_outline(moves))
    word = "arrow " + " ".join(move for move in ("left", "straight", "right") if move in moves)
    return RoadObject(name, "arrow", s_m, t_m, heading_rad=heading_rad, outline=corners, name=word)


def arrow_outline(moves: Collection[Move]) -> list[tuple[float, float]]:
    """Corners (ahead, left) of an arrow about its middle."""
    half, tail, tip = _STEM_M / 2, -_ARROW_M / 2, _ARROW_M / 2
    top = tip - 1.6 if "straight" in moves else 0.9
    parts = [[(tail, -half), (top, -half), (top, half), (tail, half)]]
    if "straight" in moves:
        parts.append([(top - 0.01, -0.5), (tip, 0.0), (top - 0.01, 0.5)])
    for move, side in (("left", 1), ("right", -1)):
        if move in moves:
            parts.append([(0.4, 0.0), (0.4, 0.5 * side), (0.8, 0.5 * side), (0.8, 0.0)])
            parts.append([(-0.1, 0.49 * side), (0.6, 1.25 * side), (1.3, 0.49 * side)])
    united = shapely.union_all([shapely.Polygon(part) for part in parts]).normalize()
    return [(float(u), float(v)) for u, v in shapely.get_coordinates(united.exterior)[:-1]]


def _post(name: str, s_m: float, t_m: float, facing: Facing, height_m: float) -> RoadObject:
    behind_m = _POST_BEHIND_M if facing == "+" else -_POST_BEHIND_M
    return RoadObject(name, "pole", max(s_m + behind_m, 0.0), t_m, height_m=height_m)


def _rectangle(half_u_m: float, half_v_m: float) -> tuple[OutlineCorner, ...]:
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return tuple(OutlineCorner(a * half_u_m, b * half_v_m) for a, b in signs)
