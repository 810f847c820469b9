"""Traffic placed by a seed: vehicles on lanes, parked ones at the road's edge, people beside it.

Every lane is divided into slots as long as the density asks for; each slot draws from a seed of its own, so what is
near one place does not change because something was added elsewhere, and ids are those of slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import shapely

from scenegraph import Actor, LaneSegment
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import Turn, lane_path

from ..errors import ScenarioError
from .classes import EGO_BODY, KINDS, body, body_of
from .lanes_beside import NO_CARS
from .planned import Driver, Planned
from .roadside import parked_vehicles, walkers
from .route import USUAL_MPS
from .schema_actors import ActorFile, AtPose, KeepLane, OnLane, TrafficFile, VehicleClass
from .world import World

AHEAD_M, BEHIND_M, ASIDE_M = 150.0, 100.0, 80.0
"""How far from the way of the ego there is traffic."""

CLEAR_S = 2.0
_FORESEEN_S = np.arange(0.0, CLEAR_S + 1e-9, 0.25)
_GAP_M, _GAP_S, _SIDE_M = 1.5, 0.4, 0.3
_JITTER = 0.7
_TURNS: tuple[Turn, ...] = ("straight", "left", "right")
_TURN_SHARES = (0.7, 0.15, 0.15)
_LONG_M = 8.0
"""Longer vehicles go straight on: in tight turns their front swings over the next lane."""


@dataclass(frozen=True)
class _Manner:
    """How a class is driven: acceleration, least time gap, share of the usual speed."""

    acceleration_mps2: float
    time_gap_s: float
    speed_share: float


_MANNERS: Mapping[VehicleClass, _Manner] = {
    "car": _Manner(1.4, 1.1, 1.0),
    "van": _Manner(1.2, 1.2, 0.98),
    "truck": _Manner(0.8, 1.5, 0.92),
    "bus": _Manner(0.9, 1.5, 0.92),
    "motorcycle": _Manner(1.8, 1.1, 1.02),
}


def place_traffic(traffic: TrafficFile, world: World, taken: Sequence[Actor], seed: int) -> tuple[Planned, ...]:
    """Vehicles, parked vehicles and people around the way of the ego; the same for the same seed.

    taken: actors that are there already; nothing placed touches them or the ego within two seconds.
    Where a slot has no room it stays empty, so that a road cannot be filled further than it is safe.
    """
    seed = seed if traffic.seed is None else traffic.seed
    lanes = [lane for lane in world.scene.hdmap.lane_segments if not lane.is_intersection]
    way = _way(world)
    parked = parked_vehicles(traffic.parked_per_km, world, lanes, way, ASIDE_M, taken, seed)
    people = walkers(traffic.pedestrians_per_km, world, lanes, way, ASIDE_M, (*taken, *(p.actor for p in parked)), seed)
    crowd = _Crowd(world, (*taken, *(plan.actor for plan in (*parked, *people))))
    drivers = []
    for number, driver in enumerate(_candidates(traffic, world, lanes, seed)):
        named = replace(driver, id=f"traffic-{number:03d}")
        if crowd.has_room_for(named, way):
            drivers.append(named)
    return (*drivers, *parked, *people)


def plan_reacting(actor: ActorFile, world: World) -> Driver:
    """An actor of a scenario that keeps its lane and its distance, as a driver. It is never left out."""
    behaviour, place = actor.behaviour, actor.place
    if not isinstance(behaviour, KeepLane):
        raise ScenarioError(
            f"actor {actor.id}: only kind: keep_lane can react, not {behaviour.kind}. Set reacts: false"
        )
    if isinstance(place, OnLane) and place.lateral_m == 0:
        path = world.path(place.lane, place.ahead_m, behaviour.turn)
        index = max(int(np.searchsorted(path.starts_m, 0.0, side="right")) - 1, 0)
        lane_id, station_m = path.lanes[index].id, -float(path.starts_m[index])
    elif isinstance(place, AtPose):
        lane_id, station_m = _lane_at(actor.id, place, world)
    else:
        raise ScenarioError(
            f"actor {actor.id}: who reacts drives in the middle of a lane. Use kind: lane, lateral_m: 0"
        )
    return Driver(
        actor.id,
        actor.category,
        body_of(actor),
        lane_id,
        station_m,
        behaviour.speed_mps,
        behaviour.turn,
        desired_mps=behaviour.speed_mps,
        is_background=False,
    )


def _lane_at(name: str, place: AtPose, world: World) -> tuple[str, float]:
    point, yaw = np.array([place.x_m, place.y_m, 0.0]), np.radians(place.yaw_deg)
    if place.frame == "ego":
        point, yaw = world.ego_start.apply(point), yaw + float(world.ego_start.yaw_rad)
    found = world.graph.nearest_lane(point, float(yaw), 4.0)
    if found is None:
        raise ScenarioError(f"actor {name}: there is no lane at its pose, so it cannot react. Set reacts: false")
    return found.lane.id, found.station_m


# -- where the ego goes ------------------------------------------------------------------------------


def _way(world: World) -> shapely.LineString:
    """Where the ego drives, along its lane so far before and after as there is traffic."""
    poses = world.scene.ego.at(np.clip(world.times_us, world.scene.ego.first_us, world.scene.ego.last_us))
    points, yaws = poses.translation_m, poses.yaw_rad
    before = _along(world, points[0], float(yaws[0]), -BEHIND_M)
    after = _along(world, points[-1], float(yaws[-1]), AHEAD_M)
    return shapely.LineString(np.concatenate([before[::-1], points[:, :2], after]))


def _along(world: World, point_m: FloatArray, yaw_rad: float, distance_m: float) -> FloatArray:
    """Places [N,2] ever further along the lane at a point, straight on where there is none."""
    reach = np.linspace(0.0, distance_m, 31)[1:]
    straight = point_m[:2] + reach[:, None] * np.array([np.cos(yaw_rad), np.sin(yaw_rad)])
    found = world.graph.nearest_lane(point_m, yaw_rad, 6.0) if len(world.graph) else None
    if found is None:
        return np.asarray(straight)
    path = lane_path(world.graph, found.lane.id, found.station_m, max(distance_m, 0.0), max(-distance_m, 0.0))
    inside = (reach >= path.first_m) & (reach <= path.last_m)
    return np.asarray(path.points(reach[inside])[:, :2] if inside.any() else straight)


# -- who could be where ------------------------------------------------------------------------------


def _candidates(traffic: TrafficFile, world: World, lanes: Sequence[LaneSegment], seed: int) -> Iterator[Driver]:
    """One driver per slot of every lane, whether there is room or not."""
    if traffic.per_km <= 0:
        return
    slot_m = 1000.0 / traffic.per_km
    for lane in lanes:
        if lane.lane_type.upper() in NO_CARS:
            continue
        key = crc32(lane.id.encode())
        phase = np.random.default_rng([seed, key]).random()
        for slot in range(-1, int(lane.centre.length_m / slot_m) + 2):
            rng = np.random.default_rng([seed, key, slot + 1])
            station_m = (slot + phase + _JITTER * (rng.random() - 0.5)) * slot_m
            if 0.0 <= station_m < lane.centre.length_m:
                yield _driver(traffic, lane, station_m, slot_m, rng)


def _driver(
    traffic: TrafficFile, lane: LaneSegment, station_m: float, slot_m: float, rng: np.random.Generator
) -> Driver:
    names = sorted(traffic.mix)
    shares = np.array([traffic.mix[name] for name in names], dtype=np.float64)
    if not (shares >= 0).all() or shares.sum() <= 0:
        raise ScenarioError("traffic.mix: shares must not be below 0, and one must be above 0")
    kind = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    manner, size = _MANNERS[kind], KINDS[kind]
    factor = float(np.clip(rng.normal(1.0, 0.08), 0.8, 1.2)) * manner.speed_share if traffic.reacts else 1.0
    time_gap_s = manner.time_gap_s + 0.7 * rng.random()
    turn = _TURNS[int(rng.choice(3, p=_TURN_SHARES))]
    if size.length_m > _LONG_M:
        turn = "straight"
    desired_mps = factor * (USUAL_MPS if lane.speed_limit_mps is None else lane.speed_limit_mps)
    gap_mps = max((slot_m - size.length_m - 2.0) / time_gap_s, 1.0) if traffic.reacts else desired_mps
    return Driver(
        "",
        kind,
        body(kind, size.length_m, size.width_m, size.height_m),
        lane.id,
        station_m,
        min(desired_mps, gap_mps),
        turn,
        limit_factor=factor,
        time_gap_s=time_gap_s,
        acceleration_mps2=manner.acceleration_mps2,
        reacts=traffic.reacts,
    )


# -- room --------------------------------------------------------------------------------------------


class _Crowd:
    """What takes up room, over the first two seconds: boxes with a gap before them by their speed."""

    def __init__(self, world: World, taken: Sequence[Actor]) -> None:
        self._world = world
        times_us = world.start_us + np.round(np.minimum(_FORESEEN_S, world.duration_s) * 1e6).astype(np.int64)
        ego = world.scene.ego.at(np.clip(times_us, world.scene.ego.first_us, world.scene.ego.last_us))
        forward = ego.rotation[:, :, 0] * EGO_BODY.rear_axle_m
        rows = [_swept((ego.translation_m + forward)[:, :2], ego.yaw_rad, EGO_BODY.length_m, EGO_BODY.width_m)]
        for actor in taken:
            boxes = actor.boxes_at(times_us)
            if boxes.present.any():
                poses = boxes.world_from_box
                length_m, width_m = float(boxes.length_m.max()), float(boxes.width_m.max())
                there = _swept(poses.translation_m[:, :2], poses.yaw_rad, length_m, width_m)
                rows.append(np.where(boxes.present, there, shapely.Polygon()))
        self._boxes = np.stack(rows)  # [M, instants]

    def has_room_for(self, driver: Driver, way: shapely.LineString) -> bool:
        """Whether a driver is near the way and touches nobody; it then takes up room itself."""
        lane = self._world.graph[driver.lane_id]
        ahead, place, behind = lane.centre.at(driver.station_m + np.array([0.5, 0.0, -0.5]))[:, :2]
        if shapely.distance(way, shapely.Point(place)) > ASIDE_M:
            return False
        width_m = 2 * abs(lane.left.locate(np.append(place, 0.0))[1])
        if driver.body.width_m > width_m - 0.2:
            return False
        yaw = np.full(len(_FORESEEN_S), np.arctan2(*(ahead - behind)[::-1]))
        direction = np.array([np.cos(yaw[0]), np.sin(yaw[0])])
        centres = place + _FORESEEN_S[:, None] * driver.speed_mps * direction
        own = _swept(centres, yaw, driver.body.length_m, driver.body.width_m)
        if shapely.intersects(self._boxes, own[None]).any():
            return False
        self._boxes = np.concatenate([self._boxes, own[None]])
        return True


def _swept(centre_m: FloatArray, yaw_rad: FloatArray, length_m: float, width_m: float) -> FloatArray:
    """Outlines [T] of boxes with some room beside and, the faster the more, before them."""
    moved = np.linalg.norm(np.diff(centre_m, axis=0), axis=1)
    speed = np.append(moved, moved[-1:]) / _FORESEEN_S[1] if len(moved) else np.zeros(1)
    front, back = length_m / 2 + _GAP_M + _GAP_S * speed, np.full(len(speed), -length_m / 2)
    half = np.full(len(speed), width_m / 2 + _SIDE_M / 2)
    local = np.stack(
        [np.stack(c, axis=-1) for c in ((front, half), (front, -half), (back, -half), (back, half))], axis=1
    )
    cos, sin = np.cos(yaw_rad)[:, None], np.sin(yaw_rad)[:, None]
    x = centre_m[:, None, 0] + local[..., 0] * cos - local[..., 1] * sin
    y = centre_m[:, None, 1] + local[..., 0] * sin + local[..., 1] * cos
    outlines: FloatArray = shapely.polygons(np.stack([x, y], axis=-1))
    return outlines
