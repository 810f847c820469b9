"""Where an actor begins: on a path along lanes, or at a spot of the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from scenegraph import LaneSegment
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import LanePath, Turn, lane_path

from ..errors import ScenarioError
from .schema_actors import ActorFile, AtPose, AtRoadside, OnLane
from .world import World

_ON_LANE_M = 6.0
_BEHIND_M = 250.0
_EDGE_REACH_M = 6.0
_EDGE_INSIDE_M = 0.75
_ACROSS_M = 45.0
_MOST_LANES = 12


@dataclass(frozen=True, eq=False)
class Spot:
    """A point [3] on the ground and a heading there."""

    point_m: FloatArray
    heading_rad: float


def path_of(
    actor: ActorFile, world: World, turn: Turn = "straight", further_m: float = 400.0, against: bool = False
) -> tuple[LanePath, float]:
    """The way along lanes that an actor begins on, station 0 at its centre, and how far left of it that is.

    against: the way is against the traffic.
    """
    place = actor.place
    if isinstance(place, AtPose):
        return _path_through(place, world, turn, further_m, against)
    if isinstance(place, OnLane):
        path = world.path(place.lane, place.ahead_m, turn, max(further_m, _BEHIND_M))
        return (path.reversed(), -place.lateral_m) if against else (path, place.lateral_m)
    path = world.path("ego", place.ahead_m, turn, max(further_m, _BEHIND_M))
    lateral_m = _roadside_m(place, world, path)
    return (path.reversed(), -lateral_m) if against else (path, lateral_m)


def spot_of(actor: ActorFile, world: World) -> Spot:
    """The place itself. On lanes it heads along; on the far side of a two-way road's edge, the other way."""
    place = actor.place
    if isinstance(place, AtPose):
        return _spot_at(place, world)
    path, lateral_m = path_of(actor, world)
    heading = float(path.headings_rad(np.zeros(1))[0])
    if isinstance(place, AtRoadside) and _faces_back(place, world):
        heading += np.pi
    return Spot(path.points(np.zeros(1), lateral_m)[0], heading)


def road_edges_m(world: World, path: LanePath, station_m: float) -> tuple[float, float]:
    """How far to the left of a path the left and the right edge of the road are; the right one is negative.

    The boundary beyond the outermost lane beside; where there is none, that lane's edge.
    """
    point = path.points(np.array([station_m]))[0]
    heading = float(path.headings_rad(np.array([station_m]))[0])
    left = np.array([-np.sin(heading), np.cos(heading)])
    left_m, right_m = (_edge_m(world, path.lane_at(station_m), point, left * side) for side in (1.0, -1.0))
    return left_m, -right_m


def _edge_m(world: World, lane: LaneSegment, point: FloatArray, aside: FloatArray) -> float:
    """Distance from a point to the road's edge in a direction [2]."""
    ray = shapely.LineString([point[:2], point[:2] + _ACROSS_M * aside])
    lanes_m = 0.0
    for beside in _beside(world, lane, point, aside):
        crossed = shapely.intersection(ray, shapely.make_valid(shapely.Polygon(beside.outline[:, :2])))
        if not crossed.is_empty:
            ends = shapely.get_coordinates(crossed) - point[:2]
            lanes_m = max(lanes_m, float((ends @ aside).max()))
    near = world.scene.hdmap.near(point, _ACROSS_M)
    edges = [shapely.LineString(edge.polyline.points_m[:, :2]) for edge in near.road_boundaries]
    hits = shapely.get_coordinates(shapely.intersection(ray, edges)) if edges else np.zeros((0, 2))
    away = (hits - point[:2]) @ aside
    beyond = away[(away > lanes_m - _EDGE_INSIDE_M) & (away < lanes_m + _EDGE_REACH_M)]
    return float(beyond.min()) if len(beyond) else lanes_m


def _beside(world: World, lane: LaneSegment, point: FloatArray, aside: FloatArray) -> list[LaneSegment]:
    """The lane and its neighbours on one side, whatever their direction, outwards."""
    found = [lane]
    while len(found) < _MOST_LANES:
        both = (world.graph.left_neighbour(found[-1].id), world.graph.right_neighbour(found[-1].id))
        fresh = [beside for beside in both if beside is not None and beside not in found]
        outer = [beside for beside in fresh if _reach_m(beside, point, aside) > _reach_m(found[-1], point, aside)]
        if not outer:
            break
        found.append(outer[0])
    return found


def _reach_m(lane: LaneSegment, point: FloatArray, aside: FloatArray) -> float:
    """How far in a direction the middle of a lane is, beside a point."""
    station_m = lane.centre.locate(point)[0]
    return float((lane.centre.at(station_m)[:2] - point[:2]) @ aside)


def _roadside_m(place: AtRoadside, world: World, path: LanePath) -> float:
    left_m, right_m = road_edges_m(world, path, 0.0)
    return left_m + place.beyond_edge_m if place.side == "left" else right_m - place.beyond_edge_m


def _faces_back(place: AtRoadside, world: World) -> bool:
    if (place.side == "left") == world.left_hand:
        return False
    try:
        world.lane("oncoming")
    except ScenarioError:
        return False
    return True


def _spot_at(place: AtPose, world: World) -> Spot:
    yaw = np.radians(place.yaw_deg)
    if place.frame == "world":
        point = np.array([place.x_m, place.y_m, world.ego_start.translation_m[2]])
    else:
        point = world.from_ego_start(np.array([[place.x_m, place.y_m]]))[0]
        yaw += float(world.ego_start.yaw_rad)
    point[2] = world.ground.heights_m(point[None])[0]
    return Spot(point, float(yaw))


def _path_through(place: AtPose, world: World, turn: Turn, further_m: float, against: bool) -> tuple[LanePath, float]:
    spot = _spot_at(place, world)
    heading = spot.heading_rad + (np.pi if against else 0.0)
    found = world.graph.nearest_lane(spot.point_m, heading, _ON_LANE_M)
    if found is None:
        raise ScenarioError("is on no lane of its direction, so it cannot follow one. Turn yaw_deg, or use waypoints")
    path = lane_path(world.graph, found.lane.id, found.station_m, further_m, max(further_m, _BEHIND_M), turn)
    station_m, lateral_m = path.locate(spot.point_m)
    path = path.moved(station_m)
    return (path.reversed(), -lateral_m) if against else (path, lateral_m)
