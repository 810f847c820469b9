"""Where things may stand around a road: its edges, what must stay clear, what is taken already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely

from scenegraph import Actor, HDMap
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .drivable import Area, drivable_area, road_mouths, way_on_ground

GroundHeight = Callable[[FloatArray], FloatArray]
"""Heights [N] of the ground at places [N,2] in the world."""

CLEARANCE_M = 0.5
"""Nothing stands on or hangs over the drivable area and this much beside it."""
_CROSSWALK_M = 1.5
_ACTOR_M = 0.6
_PATH_M = 2.5
_AROUND_M = 60.0


def swept_area(actors: Iterable[Actor]) -> Area:
    """Where actors are at their key poses and a little around, so that nothing is built through them."""
    squares = []
    for actor in actors:
        places = actor.trajectory.world_from_body
        half = np.stack([actor.length_m, actor.width_m], axis=-1)[:, None] / 2 + _ACTOR_M
        signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=np.float64)
        corners = np.concatenate([half * signs, np.zeros((len(half), 4, 1))], axis=2)
        squares.append(shapely.polygons(places.apply(corners)[..., :2]))
    return shapely.union_all(np.concatenate(squares)) if squares else shapely.Polygon()


@dataclass(frozen=True, eq=False)
class Edge:
    """A stretch of the outline of an area, about evenly spaced.

    points_m: float64 [N,2]. outward: float64 [N,2], unit vectors away from the area. key: names it.
    """

    points_m: FloatArray
    outward: FloatArray
    key: str

    @property
    def stations_m(self) -> FloatArray:
        """Length along it up to every point, [N]."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.points_m, axis=0).T))])

    def offset(self, away_m: FloatArray | float) -> FloatArray:
        """Its points moved away from the area by [N] or one distance, [N,2]."""
        return self.points_m + np.broadcast_to(np.asarray(away_m), len(self.points_m))[:, None] * self.outward

    def at(self, stations_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Points and outward unit vectors [K,2] at lengths [K]."""
        own = self.stations_m
        points, outward = (
            np.stack([np.interp(stations_m, own, values[:, axis]) for axis in (0, 1)], axis=-1)
            for values in (self.points_m, self.outward)
        )
        return points, outward / np.maximum(np.hypot(*outward.T), 1e-9)[:, None]


def edges_of(area: Area, within: Area, step_m: float, key: str = "edge", without: Area | None = None) -> list[Edge]:
    """The outline of an area where it lies within another and outside of a third, in stretches of 2 points or more."""
    shapely.prepare(within)
    if without is not None:
        shapely.prepare(without)
    edges = []
    for points in _rings(area, step_m):
        kept = shapely.contains_xy(within, points)
        if without is not None:
            kept &= ~shapely.contains_xy(without, points)
        normals = _outward(points)
        for run in _runs(kept):
            x, y = points[run[0]]
            edges.append(Edge(points[run], normals[run], f"{key}:{x:.1f}:{y:.1f}"))
    return edges


@dataclass(eq=False)
class Site:
    """The ground around the ego's way: what must stay clear and what stands already.

    road: the drivable area. around: where things are built. mouths: where roads go on beyond the map.
    """

    road: Area
    around: Area
    mouths: Area
    ground_z: GroundHeight
    seed: int
    path: Area
    closed: Area
    _taken: list[Area] = field(default_factory=list)

    @classmethod
    def of(
        cls, hdmap: HDMap, path_m: FloatArray, reach_m: float, seed: int, ground_z: GroundHeight, kept_clear: Area
    ) -> Site:
        """The surroundings of an ego path [N,3], as far as ``reach_m`` from it."""
        path = way_on_ground(path_m)
        near = nearby(hdmap, path, reach_m + _AROUND_M)
        road = drivable_area(near, path_m)
        around = path.buffer(reach_m, quad_segs=8)
        mouths = shapely.intersection(road_mouths(near, road), around)
        crossings = [
            shapely.Polygon(c.polyline.points_m[:, :2]).buffer(_CROSSWALK_M)
            for c in near.crosswalks
            if len(c.polyline) > 2
        ]
        closed = shapely.union_all([road.buffer(CLEARANCE_M), mouths, *crossings, kept_clear, path.buffer(_PATH_M)])
        shapely.prepare([road, around, mouths, closed])
        return cls(road, around, mouths, ground_z, seed, path, closed)

    def edges(self, away_m: float, step_m: float, key: str) -> list[Edge]:
        """Lines beside the road at a distance from it, interrupted where roads go on beyond the map."""
        line = self.road.buffer(away_m, quad_segs=6) if away_m else self.road
        return edges_of(line, self.around, step_m, key, self.mouths)

    def is_free(self, shape: Area, spare_m: float = 0.0) -> bool:
        """Whether a shape keeps off the road and off what stands already."""
        grown = shape.buffer(spare_m, join_style="mitre") if spare_m else shape
        if shapely.intersects(self.closed, grown):
            return False
        return not (self._taken and bool(shapely.intersects(np.array(self._taken), grown).any()))

    def take(self, *shapes: Area) -> None:
        """Note that something stands there."""
        self._taken.extend(shapes)

    def clearance_m(self, places_m: FloatArray) -> FloatArray:
        """Distance [N] from places [N,2] to the next thing that must stay clear or stands already; 0 inside."""
        points = shapely.points(places_m)
        distance_m = shapely.distance(self.closed, points)
        if self._taken and len(points):
            tree = shapely.STRtree(self._taken)
            nearest = tree.nearest(points)
            distance_m = np.minimum(distance_m, shapely.distance(tree.geometries[nearest], points))
        return np.asarray(distance_m)

    def on_ground(self, places_m: FloatArray, above_m: FloatArray | float = 0.0) -> FloatArray:
        """Places [...,2] with the height of the ground there, [...,3]."""
        flat = np.asarray(places_m, dtype=np.float64).reshape(-1, 2)
        heights = np.asarray(self.ground_z(flat), dtype=np.float64).reshape(places_m.shape[:-1])
        return np.concatenate([places_m, (heights + above_m)[..., None]], axis=-1)


def spread(places_m: FloatArray, radii_m: FloatArray) -> BoolArray:
    """Which of circles [N,2], [N] to keep, first come first served, so that no two touch."""
    kept = np.zeros(len(places_m), dtype=np.bool_)
    tree = shapely.STRtree(shapely.points(places_m)) if len(places_m) else None
    widest_m = 2 * float(radii_m.max()) if len(radii_m) else 0.0
    for index, place in enumerate(places_m):
        assert tree is not None
        near = tree.query(shapely.Point(place), predicate="dwithin", distance=widest_m)
        near = near[kept[near]]
        gaps_m = np.hypot(*(places_m[near] - place).T) - radii_m[near] - radii_m[index]
        kept[index] = not (gaps_m < 0).any()
    return kept


def nearby(hdmap: HDMap, path: Area, reach_m: float) -> HDMap:
    """The elements of a map within reach of a path."""
    middle = path.envelope.centroid
    low_x, low_y, high_x, high_y = path.bounds
    radius_m = float(np.hypot(high_x - low_x, high_y - low_y)) / 2 + reach_m
    return hdmap.near(np.array([middle.x, middle.y, 0.0]), radius_m)


def _rings(area: Area, step_m: float) -> Iterator[FloatArray]:
    """Outlines [N,2] of polygons with the area on their left, with points in between; the first is not repeated."""
    for part in shapely.get_parts(area):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        part = shapely.geometry.polygon.orient(part)
        for ring in (part.exterior, *part.interiors):
            yield shapely.get_coordinates(shapely.segmentize(ring, step_m))[:-1]


def _outward(ring_m: FloatArray) -> FloatArray:
    """Unit vectors [N,2] to the right of a closed line, at its points."""
    edge = np.roll(ring_m, -1, axis=0) - ring_m
    edge /= np.maximum(np.hypot(*edge.T), 1e-9)[:, None]
    along = edge + np.roll(edge, 1, axis=0)
    right = np.stack([along[:, 1], -along[:, 0]], axis=1)
    unit: FloatArray = right / np.maximum(np.hypot(*right.T), 1e-9)[:, None]
    return unit


def _runs(kept: BoolArray) -> Iterator[IntArray]:
    """Indices of unbroken stretches of a closed line; the last may go on with the first."""
    count = len(kept)
    if kept.all():
        yield np.arange(count + 1) % count
        return
    order = (np.arange(count) + int(np.flatnonzero(~kept)[0])) % count
    flags = np.concatenate([[False], kept[order], [False]])
    starts, ends = np.flatnonzero(~flags[:-1] & flags[1:]), np.flatnonzero(flags[:-1] & ~flags[1:])
    for start, end in zip(starts, ends, strict=True):
        if end - start >= 2:
            yield order[start:end]
