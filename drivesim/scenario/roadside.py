"""Parked vehicles at the road's edge, and people who walk or stand beside it.

A map has no parking lanes and no sidewalks as such. Where there is room for a vehicle between the outermost lane and
the kerb, vehicles park there, by the kerb; where a kerb leaves no room nobody parks; where there is no kerb they stand
just beyond the lane. People are beyond the kerb, or where there is none a step beyond the lane and what parks there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import shapely

from scenegraph import Actor, LaneSegment, Trajectory
from scenegraph.arrays import FloatArray
from scenegraph.hdmap import box_corners
from scenegraph.roads.lane_path import LanePath, lane_path

from .classes import KINDS, Body, body, category_of
from .motion import box_track, on_ground
from .planned import Bystander
from .schema_actors import ActorClass
from .world import World

_KERB_REACH_M = 6.0
_TO_KERB_M, _TO_LANE_M = 0.25, 0.15
_PARKED: tuple[ActorClass, ...] = ("car", "van")
_PARKED_SHARES = (0.88, 0.12)
_END_M = 5.0
_VERGE_M = 2.0
_STANDING = 0.25
_APART_M = 0.9
_SLOWEST_WALK_MPS = 0.3


@dataclass(frozen=True)
class _Spot:
    """A place on the outer edge of a lane: station, side (1 left, -1 right), metres to the kerb, None without one."""

    lane: LaneSegment
    station_m: float
    side: int
    kerb_m: float | None
    number: int
    rng: np.random.Generator


def parked_vehicles(
    per_km: float,
    world: World,
    lanes: Sequence[LaneSegment],
    way: shapely.LineString,
    aside_m: float,
    taken: Sequence[Actor],
    seed: int,
) -> tuple[Bystander, ...]:
    """Vehicles parked on the side that traffic keeps to, none on a lane, a crosswalk or anybody's place."""
    side = 1 if world.left_hand else -1
    surface = _Surface(world, taken)
    found = []
    for spot in _spots(per_km, world, lanes, (side,), way, aside_m, (seed, 1)):
        kind = _PARKED[int(spot.rng.choice(2, p=_PARKED_SHARES))]
        size = KINDS[kind]
        frame = body(kind, size.length_m, size.width_m, size.height_m)
        if not _END_M < spot.station_m < spot.lane.centre.length_m - _END_M:
            continue
        if spot.kerb_m is not None and spot.kerb_m < size.width_m + _TO_LANE_M:
            continue
        actor = _parked(f"parked-{spot.number:03d}", kind, frame, spot, world)
        if surface.is_free(actor, 0.3):
            surface.take(actor, 0.3)
            found.append(Bystander(actor))
    return tuple(found)


def walkers(
    per_km: float,
    world: World,
    lanes: Sequence[LaneSegment],
    way: shapely.LineString,
    aside_m: float,
    taken: Sequence[Actor],
    seed: int,
) -> tuple[Bystander, ...]:
    """People on both sides, who walk along the road up to the next junction, or stand."""
    surface = _Surface(world, taken)
    found: list[Bystander] = []
    tracks: list[FloatArray] = []
    for spot in _spots(per_km, world, lanes, (-1, 1), way, aside_m, (seed, 2)):
        actor = _walker(f"walker-{spot.number:03d}", spot, world)
        if not surface.is_free(actor, 0.2):
            continue
        places = actor.trajectory.world_from_body.translation_m[:, :2]
        if all(np.linalg.norm(places - other, axis=1).min() > _APART_M for other in tracks):
            tracks.append(places)
            found.append(Bystander(actor))
    return tuple(found)


def _spots(
    per_km: float,
    world: World,
    lanes: Sequence[LaneSegment],
    sides: Sequence[int],
    way: shapely.LineString,
    aside_m: float,
    seeds: tuple[int, int],
) -> Iterator[_Spot]:
    """Slots along the outer edges of lanes near the way of the ego, each with lots of its own; numbered all over."""
    if per_km <= 0:
        return
    slot_m, number = 1000.0 / per_km, -1
    kerbs = shapely.STRtree([shapely.LineString(e.polyline.points_m[:, :2]) for e in world.scene.hdmap.road_boundaries])
    for lane in lanes:
        key = crc32(lane.id.encode())
        for side in sides:
            if ((lane.left_neighbour if side > 0 else lane.right_neighbour) or "") in world.graph:
                continue
            phase = np.random.default_rng([*seeds, key, side + 1]).random()
            for slot in range(int(lane.centre.length_m / slot_m) + 2):
                rng = np.random.default_rng([*seeds, key, side + 1, slot])
                station_m = (slot + phase - 1 + 0.5 * (rng.random() - 0.5)) * slot_m
                if not 0.0 <= station_m < lane.centre.length_m:
                    continue
                number += 1
                if shapely.distance(way, shapely.Point(lane.centre.at(station_m)[:2])) <= aside_m:
                    yield _Spot(lane, station_m, side, _kerb_m(lane, station_m, side, kerbs), number, rng)


def _kerb_m(lane: LaneSegment, station_m: float, side: int, kerbs: shapely.STRtree) -> float | None:
    """Metres from the edge of a lane to the nearest boundary outwards."""
    edge, out = _edge(lane, station_m, side)
    ray = shapely.LineString([edge - 0.3 * out, edge + _KERB_REACH_M * out])
    hits = shapely.intersection(kerbs.geometries[kerbs.query(ray, predicate="intersects")], ray)
    return (
        float(min((shapely.distance(hit, shapely.Point(edge)) for hit in hits), default=np.nan)) if len(hits) else None
    )


def _edge(lane: LaneSegment, station_m: float, side: int) -> tuple[FloatArray, FloatArray]:
    """Point [2] on the edge of a lane, and the direction [2] outwards."""
    ahead, place, behind = lane.centre.at(station_m + np.array([0.5, 0.0, -0.5]))
    along = (ahead - behind)[:2] / np.linalg.norm((ahead - behind)[:2])
    out: FloatArray = side * np.array([-along[1], along[0]], dtype=np.float64)
    line = lane.left if side > 0 else lane.right
    return place[:2] + abs(line.locate(place)[1]) * out, out


class _Surface:
    """What nobody may stand on beside the road."""

    def __init__(self, world: World, taken: Sequence[Actor]) -> None:
        hdmap = world.scene.hdmap
        outlines = [lane.outline[:, :2] for lane in hdmap.lane_segments]
        outlines += [crosswalk.polyline.points_m[:, :2] for crosswalk in hdmap.crosswalks]
        rings = [shapely.Polygon(outline) for outline in outlines if len(outline) > 2]
        self._roads = shapely.STRtree(shapely.make_valid(np.array(rings, dtype=object)))
        self._times_us = world.times_us[::10]
        self._taken = shapely.STRtree([outline for actor in taken for outline in self._outlines(actor, 0.2)])
        self._since: list[shapely.Polygon] = []

    def _outlines(self, actor: Actor, margin_m: float) -> list[shapely.Polygon]:
        """The places of an actor every second."""
        if len(actor.trajectory) == 1:
            boxes = actor.boxes_at(actor.trajectory.timestamps_us)
        else:
            boxes = actor.boxes_at(self._times_us)
        lengths, widths = boxes.length_m + 2 * margin_m, boxes.width_m + 2 * margin_m
        corners = box_corners(boxes.world_from_box, lengths, widths, boxes.height_m)[boxes.present, :4, :2]
        outlines: list[shapely.Polygon] = list(shapely.polygons(corners)) if len(corners) else []
        return outlines

    def is_free(self, actor: Actor, margin_m: float) -> bool:
        """Whether an actor is on no lane and no crosswalk, and never where somebody else ever is."""
        own = self._outlines(actor, 0.0)
        wide = self._outlines(actor, margin_m)
        on_road = any(len(self._roads.query(outline, predicate="intersects")) for outline in own)
        if on_road or any(len(self._taken.query(outline, predicate="intersects")) for outline in wide):
            return False
        return not any(shapely.intersects(outline, self._since).any() for outline in wide)

    def take(self, actor: Actor, margin_m: float) -> None:
        """Nobody else may be there from now on."""
        self._since += self._outlines(actor, margin_m)


def _parked(name: str, kind: ActorClass, frame: Body, spot: _Spot, world: World) -> Actor:
    edge, out = _edge(spot.lane, spot.station_m, spot.side)
    to_middle = frame.width_m / 2 + _TO_LANE_M
    if spot.kerb_m is not None:
        to_middle = max(to_middle - _TO_LANE_M, spot.kerb_m - _TO_KERB_M - frame.width_m / 2)
    yaw = np.arctan2(out[1], out[0]) - spot.side * np.pi / 2 + spot.rng.normal(0.0, 0.01)
    middle = np.array([*(edge + to_middle * out), spot.lane.centre.at(spot.station_m)[2]])
    axle = middle - frame.rear_axle_m * np.array([np.cos(yaw), np.sin(yaw), 0.0])
    poses = on_ground(axle[None].repeat(2, axis=0), np.full(2, yaw), frame, world.ground)
    track = box_track(Trajectory(world.times_us[[0, -1]], poses), frame)
    sizes = (np.array(frame.length_m), np.array(frame.width_m), np.array(frame.height_m))
    return Actor(name, category_of(kind), track, *sizes, source_category=kind)


def _walker(name: str, spot: _Spot, world: World) -> Actor:
    """Somebody who keeps the distance to the lane and walks one way; slower where there is not enough road."""
    rng = spot.rng
    kind: ActorClass = "child" if rng.random() < 0.08 else "pedestrian"
    frame = body(kind, KINDS[kind].length_m, KINDS[kind].width_m, KINDS[kind].height_m * rng.uniform(0.93, 1.07))
    beyond_m = (_VERGE_M if spot.kerb_m is None else spot.kerb_m) + rng.uniform(0.8, 2.4)
    stands, wish_mps, forward = rng.random() < _STANDING, rng.uniform(0.8, 1.6), rng.random() < 0.5
    path, low_m, high_m = _between_junctions(world, spot.lane, spot.station_m)
    room_m = max(high_m, -low_m)
    speed = 0.0 if stands else min(wish_mps, room_m / max(world.duration_s, 1e-6))
    if (high_m if forward else -low_m) < speed * world.duration_s:
        forward = high_m >= -low_m
    if not stands and speed < _SLOWEST_WALK_MPS:
        stands, speed = True, 0.0
    half = path.half_width_m(0.0)
    stations = np.clip((1 if forward else -1) * speed * world.times_s, low_m, high_m)
    points = path.points(stations, spot.side * (half + beyond_m))
    yaw = np.full(len(points), rng.uniform(-np.pi, np.pi))
    if not stands:
        ahead = np.ascontiguousarray(np.gradient(points[:, :2], axis=0).T)
        yaw = np.unwrap(np.arctan2(ahead[1], ahead[0]))
    track = box_track(Trajectory(world.times_us, on_ground(points, yaw, frame, world.ground)), frame)
    sizes = (np.array(frame.length_m), np.array(frame.width_m), np.array(frame.height_m))
    return Actor(name, category_of(kind), track, *sizes, source_category=kind)


def _between_junctions(world: World, lane: LaneSegment, station_m: float) -> tuple[LanePath, float, float]:
    """The way along a lane from a place, and how far back and on it goes before it comes to a junction."""
    reach_m = 2.0 * world.duration_s + 5.0
    path = lane_path(world.graph, lane.id, station_m, reach_m, reach_m)
    index = [one.id for one in path.lanes].index(lane.id)
    ends = np.append(path.starts_m[1:], path.last_m)
    low, high = index, index
    while low > 0 and not path.lanes[low - 1].is_intersection:
        low -= 1
    while high + 1 < len(path.lanes) and not path.lanes[high + 1].is_intersection:
        high += 1
    low_m, high_m = max(float(path.starts_m[low]), path.first_m), min(float(ends[high]), path.last_m)
    return path, min(low_m, 0.0), max(high_m, 0.0)
