"""The lanes of an OpenDRIVE road: sections, widths and borders, marks, heights, speed limits, links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..roads.network import Cubic, LaneHeight, LaneSection, RoadLane, RoadMark
from .opendrive_xml import XmlNode

_SIDES: Final = {"left": 1, "center": 0, "right": -1}
_MPS: Final = {"m/s": 1.0, "mph": 1609.344 / 3600, "km/h": 1 / 3.6}
_NO_LIMIT = ("no limit", "undefined", "")


def read_sections(lanes: XmlNode, types: Sequence[XmlNode]) -> tuple[LaneSection, ...]:
    """The sections of a road in order. types: its <type> elements, which may give speed limits by s."""
    nodes = sorted(lanes.all("laneSection"), key=lambda section: section.number("s"))
    if not nodes:
        raise lanes.error("there is no <laneSection>", "A road needs at least one.")
    limits = [(node.number("s", 0.0), _speed_limit(node)) for node in types]
    sections = tuple(_section(node, limits) for node in nodes)
    sides = {lane.id > 0 for section in sections for lane in section.lanes if lane.id}
    for node in nodes:
        if len(sides) > 1 and node.word("singleSide", "false") in ("true", "1"):
            allowed = "Only sections for both sides of a two-sided road are read."
            raise node.error("the section is for one side of the road (singleSide)", allowed)
    return sections


def _section(node: XmlNode, limits: Sequence[tuple[float, float | None]]) -> LaneSection:
    start_m, limit = node.number("s"), None
    for s_m, road_limit in sorted(limits, key=lambda pair: pair[0]):
        if s_m <= start_m + 1e-6:
            limit = road_limit
    lanes: dict[int, RoadLane] = {}
    for side, sign in _SIDES.items():
        for group in node.all(side):
            for lane_node in group.all("lane"):
                lane = _lane(lane_node, sign, limit)
                if lane.id in lanes:
                    raise lane_node.error("another lane of the section has the same id", "Ids must be unique.")
                lanes[lane.id] = lane
    return LaneSection(start_m, tuple(lanes[lane_id] for lane_id in sorted(lanes, reverse=True)))


def _lane(node: XmlNode, sign: int, road_limit: float | None) -> RoadLane:
    lane_id = node.integer("id")
    if (lane_id > 0) - (lane_id < 0) != sign:
        side = next(name for name, value in _SIDES.items() if value == sign)
        allowed = "Ids are positive in left, negative in right, 0 in center."
        raise node.error(f"a lane of <{side}> has this id", allowed)
    widths, borders, link = node.all("width"), node.all("border"), node.first("link")
    speed = node.first("speed")
    return RoadLane(
        id=lane_id,
        kind=node.word("type", "none"),
        widths=tuple(sorted((_cubic(piece) for piece in widths or borders), key=lambda piece: piece.s_m)),
        has_borders=bool(borders) and not widths,
        marks=tuple(sorted((_mark(mark) for mark in node.all("roadMark")), key=lambda mark: mark.s_m)),
        heights=tuple(
            LaneHeight(h.number("sOffset", 0.0), h.number("inner", 0.0), h.number("outer", 0.0))
            for h in node.all("height")
        ),
        speed_limit_mps=road_limit if speed is None else _in_mps(speed),
        predecessor=_linked(link, "predecessor"),
        successor=_linked(link, "successor"),
        is_reversed=node.word("direction", "standard") == "reversed",
    )


def _cubic(node: XmlNode) -> Cubic:
    b, c, d = (node.number(name, 0.0) for name in "bcd")
    return Cubic(node.number("sOffset", 0.0), node.number("a"), b, c, d)


def _linked(link: XmlNode | None, which: str) -> int | None:
    node = link.first(which) if link else None
    return None if node is None else node.integer("id")


def _mark(node: XmlNode) -> RoadMark:
    """A road mark; the first of its lines, where it lists them, says how long dashes are."""
    lines = [line for kind in node.all("type") for line in kind.all("line")]
    dash_m, gap_m = (lines[0].number(name, 0.0) if lines else 0.0 for name in ("length", "space"))
    width_m = node.number("width", 0.0)
    return RoadMark(
        s_m=node.number("sOffset", 0.0),
        style=node.word("type", "none"),
        colour=node.word("color", "standard"),
        width_m=width_m or None,
        dash_m=dash_m or None,
        gap_m=gap_m or None,
    )


def _speed_limit(node: XmlNode) -> float | None:
    speed = node.first("speed")
    return None if speed is None else _in_mps(speed)


def _in_mps(speed: XmlNode) -> float | None:
    if speed.word("max", "") in _NO_LIMIT:
        return None
    return speed.number("max") * _MPS[speed.choice("unit", _MPS, "m/s")]
