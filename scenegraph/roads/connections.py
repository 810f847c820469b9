"""Which lane leads to which, across sections, roads and junctions.

The files say which lanes touch, seen along s; who drives into whom follows from their directions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import MapError
from .network import Connection, Junction, Road, RoadLane, RoadLink, RoadNetwork
from .reference_line import road_point

DRIVABLE = frozenset(
    {
        "driving",
        "bidirectional",
        "entry",
        "exit",
        "onRamp",
        "offRamp",
        "connectingRamp",
        "slipLane",
        "mwyEntry",
        "mwyExit",
        "bus",
        "taxi",
        "HOV",
        "biking",
        "shared",
    }
)
"""Kinds of lane that become lane segments of a map."""


class LaneKey(NamedTuple):
    """A lane of a section of a road."""

    road: str
    section: int
    lane: int


@dataclass(frozen=True)
class _End:
    """One end of a lane: the one at higher s, or the other."""

    key: LaneKey
    is_far: bool


@dataclass(frozen=True)
class LaneConnections:
    """Lanes that lead here and lanes that can be driven next, in driving direction."""

    predecessors: tuple[LaneKey, ...] = ()
    successors: tuple[LaneKey, ...] = ()


def drives_along_s(road: Road, lane: RoadLane) -> bool:
    """Whether traffic on a lane goes with s: on the right of the line where people drive on the right."""
    return (lane.id < 0) ^ road.left_hand ^ lane.is_reversed


def lane_connections(network: RoadNetwork) -> dict[LaneKey, LaneConnections]:
    """Connections of every drivable lane. Links to lanes that are not there are left out."""
    roads = {road.id: road for road in network.roads}
    drives_along = {
        LaneKey(road.id, index, lane.id): drives_along_s(road, lane)
        for road in network.roads
        for index, section in enumerate(road.sections)
        for lane in section.lanes
        if lane.kind in DRIVABLE and lane.id != 0
    }
    before: dict[LaneKey, dict[LaneKey, None]] = {key: {} for key in drives_along}
    after: dict[LaneKey, dict[LaneKey, None]] = {key: {} for key in drives_along}
    for one, other in _touching(network, roads):
        for here, there in ((one, other), (other, one)):
            if here.key not in drives_along or there.key not in drives_along:
                continue
            if drives_along[here.key] == here.is_far and drives_along[there.key] != there.is_far:
                after[here.key][there.key] = None
                before[there.key][here.key] = None
    return {key: LaneConnections(tuple(before[key]), tuple(after[key])) for key in drives_along}


def _touching(network: RoadNetwork, roads: dict[str, Road]) -> Iterator[tuple[_End, _End]]:
    """Pairs of lane ends that touch according to the links of lanes and of junctions."""
    for road in network.roads:
        last = len(road.sections) - 1
        for index, section in enumerate(road.sections):
            for lane in section.lanes:
                key = LaneKey(road.id, index, lane.id)
                if lane.successor is not None:
                    far = LaneKey(road.id, index + 1, lane.successor) if index < last else None
                    yield from _pair(_End(key, True), far, road.successor, lane.successor, roads)
                if lane.predecessor is not None:
                    near = LaneKey(road.id, index - 1, lane.predecessor) if index else None
                    yield from _pair(_End(key, False), near, road.predecessor, lane.predecessor, roads)
    for junction in network.junctions:
        for connection in junction.connections:
            yield from _through(junction, connection, roads)


def _pair(
    end: _End, inside: LaneKey | None, link: RoadLink | None, lane: int, roads: dict[str, Road]
) -> Iterator[tuple[_End, _End]]:
    """The touching end: in the next section of the same road, or on the road that it is linked to."""
    if inside is not None:
        yield end, _End(inside, not end.is_far)
    elif link is not None and link.kind == "road" and link.id in roads and link.contact is not None:
        yield end, _end(roads[link.id], link.contact == "end", lane)


def _through(junction: Junction, connection: Connection, roads: dict[str, Road]) -> Iterator[tuple[_End, _End]]:
    incoming, connecting = roads.get(connection.incoming), roads.get(connection.connecting)
    if incoming is None or connecting is None:
        missing = connection.incoming if incoming is None else connection.connecting
        raise MapError(f"junction {junction.id}: there is no road {missing!r}. Its connections need roads of the map")
    is_far = connection.contact == "end"
    incoming_far = _meets_at_end(junction, incoming, connecting, is_far)
    for from_lane, to_lane in connection.lanes:
        yield _end(incoming, incoming_far, from_lane), _end(connecting, is_far, to_lane)


def _meets_at_end(junction: Junction, incoming: Road, connecting: Road, connecting_far: bool) -> bool:
    """Whether a road comes into a junction with its end: as the links say, else the end that lies nearer."""
    link = connecting.successor if connecting_far else connecting.predecessor
    if link is not None and link.kind == "road" and link.id == incoming.id and link.contact is not None:
        return link.contact == "end"
    here = [_leads_to(link, junction) for link in (incoming.predecessor, incoming.successor)]
    if here[0] != here[1]:
        return here[1]
    place = road_point(connecting, np.array(connecting.length_m if connecting_far else 0.0))
    start, end = road_point(incoming, np.array([0.0, incoming.length_m]))
    return bool(np.linalg.norm(end - place) < np.linalg.norm(start - place))


def _leads_to(link: RoadLink | None, junction: Junction) -> bool:
    return link is not None and link.kind == "junction" and link.id == junction.id


def _end(road: Road, is_far: bool, lane: int) -> _End:
    return _End(LaneKey(road.id, len(road.sections) - 1 if is_far else 0, lane), is_far)
