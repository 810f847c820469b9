"""A road network seen in a mirror along the x axis: right-hand traffic becomes left-hand traffic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .network import (
    Arc,
    Connection,
    Cubic,
    Junction,
    LaneSection,
    OutlineCorner,
    ParamPoly3,
    PlanGeometry,
    PlanShape,
    Road,
    RoadLane,
    RoadMark,
    RoadNetwork,
    RoadObject,
    Signal,
    Spiral,
)

_MIRRORED_STYLES = {"solid broken": "broken solid", "broken solid": "solid broken"}


def mirrored_network(network: RoadNetwork) -> RoadNetwork:
    """The network with y negated. Roads keep their direction, so what was left of them is right of them."""
    x_m, y_m, z_m = network.origin_m
    return replace(
        network,
        roads=tuple(_road(road) for road in network.roads),
        junctions=tuple(_junction(junction) for junction in network.junctions),
        origin_m=(x_m, -y_m, z_m),
    )


def _road(road: Road) -> Road:
    return replace(
        road,
        plan=tuple(_geometry(geometry) for geometry in road.plan),
        sections=tuple(_section(section) for section in road.sections),
        superelevation=_negated(road.superelevation),
        lane_offset=_negated(road.lane_offset),
        objects=tuple(_object(thing) for thing in road.objects),
        signals=tuple(_signal(signal) for signal in road.signals),
        left_hand=not road.left_hand,
    )


def _geometry(geometry: PlanGeometry) -> PlanGeometry:
    return replace(geometry, y_m=-geometry.y_m, heading_rad=-geometry.heading_rad, shape=_shape(geometry.shape))


def _shape(shape: PlanShape) -> PlanShape:
    if isinstance(shape, Arc):
        return Arc(-shape.curvature)
    if isinstance(shape, Spiral):
        return Spiral(-shape.start_curvature, -shape.end_curvature)
    if isinstance(shape, ParamPoly3):
        a, b, c, d = shape.v
        return replace(shape, v=(-a, -b, -c, -d))
    return shape


def _section(section: LaneSection) -> LaneSection:
    return replace(section, lanes=tuple(_lane(lane) for lane in reversed(section.lanes)))


def _lane(lane: RoadLane) -> RoadLane:
    return replace(
        lane,
        id=-lane.id,
        widths=_negated(lane.widths) if lane.has_borders else lane.widths,
        marks=tuple(_centre_mark(mark) for mark in lane.marks) if lane.id == 0 else lane.marks,
        predecessor=None if lane.predecessor is None else -lane.predecessor,
        successor=None if lane.successor is None else -lane.successor,
    )


def _centre_mark(mark: RoadMark) -> RoadMark:
    """Marks of the centre lane are named from left to right, all others from the inside out."""
    return replace(mark, style=_MIRRORED_STYLES.get(mark.style, mark.style))


def _object(thing: RoadObject) -> RoadObject:
    return replace(
        thing,
        t_m=-thing.t_m,
        heading_rad=-thing.heading_rad,
        outline=tuple(_corner(corner) for corner in thing.outline),
        end=None if thing.end is None else (thing.end[0], -thing.end[1]),
    )


def _corner(corner: OutlineCorner) -> OutlineCorner:
    return replace(corner, v_m=-corner.v_m)


def _signal(signal: Signal) -> Signal:
    lanes = None if signal.lanes is None else (-signal.lanes[1], -signal.lanes[0])
    return replace(signal, t_m=-signal.t_m, heading_rad=-signal.heading_rad, lanes=lanes)


def _junction(junction: Junction) -> Junction:
    return replace(junction, connections=tuple(_connection(connection) for connection in junction.connections))


def _connection(connection: Connection) -> Connection:
    return replace(connection, lanes=tuple((-source, -target) for source, target in connection.lanes))


def _negated(pieces: Iterable[Cubic]) -> tuple[Cubic, ...]:
    return tuple(Cubic(piece.s_m, -piece.a, -piece.b, -piece.c, -piece.d) for piece in pieces)
