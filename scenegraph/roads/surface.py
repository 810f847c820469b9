"""From a road network to the map that is drawn and driven on.

    network = read_opendrive(Path("Town01.xodr"))
    hdmap = build_hdmap(network)
    graph = LaneGraph(hdmap)

Lane segments are named ROAD:SECTION:LANE, such as ``12:0:-1``; where a lane vanishes to no width in between, its
parts are ``12:0:-1.a``, ``12:0:-1.b``. They are the lanes that are driven on (see ``connections.DRIVABLE``) and have
the word of Argoverse as their type: VEHICLE, BUS or BIKE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from ..errors import MapError
from ..hdmap import HDMap, LaneSegment
from ..polyline import Polyline
from .connections import DRIVABLE, LaneConnections, LaneKey, drives_along_s, lane_connections
from .cross_section import LaneStrip, SectionSurvey, survey_road
from .furniture import furniture_layers
from .kerbs import road_boundaries
from .network import RoadNetwork
from .road_paint import edge_mark, lane_lines, mirrored

_NARROWEST_M = 0.01
_LANE_TYPES = {"bus": "BUS", "taxi": "BUS", "biking": "BIKE"}


@dataclass(frozen=True, eq=False)
class _Part:
    """A stretch of a lane that has a width."""

    id: str
    key: LaneKey
    survey: SectionSurvey
    strip: LaneStrip
    drives_along: bool
    reaches_start: bool
    reaches_end: bool


def build_hdmap(network: RoadNetwork, step_m: float = 2.0) -> HDMap:
    """The map of a network in its own frame.

    step_m: longest edge of its lines; where roads bend they are sampled more densely, true to about a centimetre.
    Kerbs run around the union of everything paved, so none lies across a junction or at the end of a road.
    """
    if not step_m > 0:
        raise MapError(f"build_hdmap: the step must be above 0 m, got {step_m:g}")
    surveys = [survey for road in network.roads for survey in survey_road(road, step_m)]
    return HDMap(
        lane_segments=tuple(_lane_segments(network, surveys)),
        lane_lines=tuple(lane_lines(surveys)),
        road_boundaries=tuple(road_boundaries(network, surveys, step_m)),
        **furniture_layers(network, surveys),
    )


def _lane_segments(network: RoadNetwork, surveys: Sequence[SectionSurvey]) -> Iterator[LaneSegment]:
    parts = [part for survey in surveys for part in _parts(survey)]
    by_key: dict[LaneKey, list[_Part]] = {}
    for part in parts:
        by_key.setdefault(part.key, []).append(part)
    links = lane_connections(network)
    for part in parts:
        yield _segment(part, links[part.key], by_key)


def _parts(survey: SectionSurvey) -> Iterator[_Part]:
    """Drivable lanes of a section, cut where they have no width."""
    last = len(survey.stations_m) - 1
    for strip in survey.strips:
        if strip.lane.kind not in DRIVABLE or strip.lane.id == 0:
            continue
        key = LaneKey(survey.road.id, survey.index, strip.lane.id)
        name = f"{key.road}:{key.section}:{key.lane}"
        runs = list(_wide_runs(strip))
        for number, (first, end) in enumerate(runs):
            along = drives_along_s(survey.road, strip.lane)
            part_id = name if len(runs) == 1 else f"{name}.{_letters(number)}"
            yield _Part(part_id, key, survey, strip.cut(first, end), along, first == 0, end == last)


def _wide_runs(strip: LaneStrip) -> Iterator[tuple[int, int]]:
    """First and last station of every stretch with a width; where it tapers off, the last one without is included."""
    wide = strip.widths_m > _NARROWEST_M
    between = wide[:-1] | wide[1:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], between, [False]]).astype(int)))
    yield from ((int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True))


def _letters(number: int) -> str:
    return ascii_lowercase[number] if number < 26 else f"z{number}"


def _segment(part: _Part, links: LaneConnections, by_key: Mapping[LaneKey, list[_Part]]) -> LaneSegment:
    left, right = Polyline(part.strip.left_m), Polyline(part.strip.right_m)
    inner_mark, outer_mark = _marks(part)
    left_mark, right_mark = (outer_mark, inner_mark) if part.key.lane > 0 else (inner_mark, outer_mark)
    on_left, on_right = _neighbour(part, 1, by_key), _neighbour(part, -1, by_key)
    enters, leaves = part.reaches_start, part.reaches_end
    if not part.drives_along:
        left, right = right.reversed(), left.reversed()
        left_mark, right_mark = (mark and mirrored(mark) for mark in (right_mark, left_mark))
        on_left, on_right = on_right, on_left
        enters, leaves = leaves, enters
    return LaneSegment(
        id=part.id,
        left=left,
        right=right,
        left_mark=left_mark,
        right_mark=right_mark,
        predecessors=_ids(links.predecessors, by_key, at_exit=True) if enters else (),
        successors=_ids(links.successors, by_key, at_exit=False) if leaves else (),
        left_neighbour=on_left,
        right_neighbour=on_right,
        lane_type=_LANE_TYPES.get(part.strip.lane.kind, "VEHICLE"),
        is_intersection=part.survey.road.junction is not None,
        speed_limit_mps=part.strip.lane.speed_limit_mps,
    )


def _ids(keys: Iterable[LaneKey], by_key: Mapping[LaneKey, list[_Part]], at_exit: bool) -> tuple[str, ...]:
    """The parts of these lanes that reach their exit, or their entry."""
    return tuple(
        part.id
        for key in keys
        for part in by_key.get(key, ())
        if (part.reaches_end if at_exit == part.drives_along else part.reaches_start)
    )


def _marks(part: _Part) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Paint on the inner and on the outer edge, colour and style as seen along s."""
    start_m = part.survey.road.sections[part.key.section].s_m
    span = part.strip.stations_m[0] - start_m, part.strip.stations_m[-1] - start_m
    inner = _next(part, -1 if part.key.lane > 0 else 1)
    return edge_mark(inner.lane, span) if inner else None, edge_mark(part.strip.lane, span)


def _next(part: _Part, towards_left: int) -> LaneStrip | None:
    """The next lane to the left (1) or right (-1) looking along s that has a width here, or the centre lane."""
    strips = {strip.lane.id: strip for strip in part.survey.strips}
    ids = sorted(strips) if towards_left > 0 else sorted(strips, reverse=True)
    here = np.searchsorted(part.survey.stations_m, part.strip.stations_m[[0, -1]])
    for lane_id in ids[ids.index(part.key.lane) + 1 :]:
        inside = strips[lane_id].widths_m[here[0] : here[1] + 1]
        if lane_id == 0 or inside.max() > _NARROWEST_M:
            return strips[lane_id]
    return None


def _neighbour(part: _Part, towards_left: int, by_key: Mapping[LaneKey, list[_Part]]) -> str | None:
    """The drivable lane beside this one, across the centre line too; of several parts the longest beside it."""
    beside = _next(part, towards_left)
    if beside is not None and beside.lane.id == 0:
        beside = _across(part, towards_left)
    if beside is None:
        return None
    parts = by_key.get(part.key._replace(lane=beside.lane.id), ())
    return max(parts, key=lambda other: _shared_m(part, other)).id if parts else None


def _across(part: _Part, towards_left: int) -> LaneStrip | None:
    """The lane on the other side of the centre line."""
    here = np.searchsorted(part.survey.stations_m, part.strip.stations_m[[0, -1]])
    others = [strip for strip in part.survey.strips if strip.lane.id * towards_left > 0]
    wide = (strip for strip in others if strip.widths_m[here[0] : here[1] + 1].max() > _NARROWEST_M)
    return min(wide, key=lambda strip: abs(strip.lane.id), default=None)


def _shared_m(one: _Part, other: _Part) -> float:
    low = max(one.strip.stations_m[0], other.strip.stations_m[0])
    return float(min(one.strip.stations_m[-1], other.strip.stations_m[-1]) - low)
