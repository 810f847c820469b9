"""The static world: typed map elements in world metres, z up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import shapely

from .arrays import FloatArray, all_finite
from .errors import MapError
from .polyline import Polyline
from .se3 import SE3


class LightState(StrEnum):
    """What a traffic light shows."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class LaneLine:
    """A painted line. Colour and style are upper-case words of the ClipGT format, such as WHITE and SOLID_SINGLE;
    left and right of a two-sided style are seen along the points."""

    id: str
    polyline: Polyline
    colour: str
    style: str


@dataclass(frozen=True, eq=False)
class LaneSegment:
    """A stretch of lane between its left and right edge, both in driving direction.

    left_mark, right_mark: (colour, style) of the paint on each edge, None where there is none.
    predecessors, successors, left_neighbour, right_neighbour: ids of other segments, which may lie outside of the map.
    """

    id: str
    left: Polyline
    right: Polyline
    left_mark: tuple[str, str] | None = None
    right_mark: tuple[str, str] | None = None
    predecessors: tuple[str, ...] = ()
    successors: tuple[str, ...] = ()
    left_neighbour: str | None = None
    right_neighbour: str | None = None
    lane_type: str = ""
    is_intersection: bool = False
    speed_limit_mps: float | None = None

    @cached_property
    def centre(self) -> Polyline:
        """The line half way between both edges, at matching shares of their length, about every metre."""
        count = max(2, round(max(self.left.length_m, self.right.length_m)) + 1)
        share = np.linspace(0.0, 1.0, count)
        left = self.left.at(share * self.left.length_m)
        right = self.right.at(share * self.right.length_m)
        return Polyline((left + right) / 2)

    @cached_property
    def outline(self) -> FloatArray:
        """The lane's outline [N,3]: left edge forwards, right edge backwards."""
        return np.concatenate([self.left.points_m, self.right.points_m[::-1]])


@dataclass(frozen=True, eq=False)
class RoadBoundary:
    """The edge of the drivable area: a kerb, a wall, a guard rail."""

    id: str
    polyline: Polyline
    category: str = ""


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """A pedestrian crossing; the outline does not repeat its first point."""

    id: str
    polyline: Polyline


@dataclass(frozen=True, eq=False)
class StopLine:
    """Where vehicles wait; an implicit one is not painted."""

    id: str
    polyline: Polyline
    category: str = ""
    is_implicit: bool = False


@dataclass(frozen=True, eq=False)
class Pole:
    """An upright post, from its foot to its top."""

    id: str
    polyline: Polyline


@dataclass(frozen=True, eq=False)
class RoadMarking:
    """A painted arrow, word or symbol; the outline does not repeat its first point."""

    id: str
    polyline: Polyline
    category: str = ""


@dataclass(frozen=True, eq=False)
class TrafficLight:
    """The housing of a traffic light. What it shows over time is in the scene."""

    id: str
    world_from_box: SE3
    length_m: float
    width_m: float
    height_m: float

    def __post_init__(self) -> None:
        _require_box(f"traffic light {self.id}", self)


@dataclass(frozen=True, eq=False)
class TrafficSign:
    """The plate of a traffic sign."""

    id: str
    world_from_box: SE3
    length_m: float
    width_m: float
    height_m: float
    category: str = ""

    def __post_init__(self) -> None:
        _require_box(f"traffic sign {self.id}", self)


LineElement: TypeAlias = LaneLine | RoadBoundary | Crosswalk | StopLine | Pole | RoadMarking
BoxElement: TypeAlias = TrafficLight | TrafficSign
MapElement: TypeAlias = LineElement | LaneSegment | BoxElement


@dataclass(frozen=True, eq=False)
class HDMap:
    """All map elements of a scene, each layer in file order; ids are unique within a layer."""

    lane_segments: tuple[LaneSegment, ...] = ()
    lane_lines: tuple[LaneLine, ...] = ()
    road_boundaries: tuple[RoadBoundary, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    stop_lines: tuple[StopLine, ...] = ()
    poles: tuple[Pole, ...] = ()
    road_markings: tuple[RoadMarking, ...] = ()
    traffic_lights: tuple[TrafficLight, ...] = ()
    traffic_signs: tuple[TrafficSign, ...] = ()
    _index: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in self.layer_names():
            layer = tuple(getattr(self, name))
            object.__setattr__(self, name, layer)
            ids = [element.id for element in layer]
            if len(set(ids)) != len(ids):
                twice = sorted({i for i in ids if ids.count(i) > 1})
                raise MapError(f"{name}: ids must be unique, {', '.join(twice[:5])} occurs more than once")

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the search trees, which the other process builds when it needs them."""
        return {**self.__dict__, "_index": {}}

    @staticmethod
    def layer_names() -> tuple[str, ...]:
        """Names of the layers, in drawing order of the data model."""
        return tuple(f.name for f in fields(HDMap) if not f.name.startswith("_"))

    def layers(self) -> Iterator[tuple[str, tuple[MapElement, ...]]]:
        """(name, elements) of every layer."""
        for name in self.layer_names():
            yield name, getattr(self, name)

    def counts(self) -> dict[str, int]:
        """Number of elements per layer."""
        return {name: len(elements) for name, elements in self.layers()}

    def near(self, point_m: FloatArray, radius_m: float) -> HDMap:
        """Only the elements that come within ``radius_m`` of a point [3], measured in the ground plane.

        Lane segments, crosswalks and road markings count with their inside, lights and signs with their centre.
        """
        place = shapely.Point(float(point_m[0]), float(point_m[1]))
        kept: dict[str, Any] = {}
        for name, elements in self.layers():
            if not elements:
                continue
            if name not in self._index:
                self._index[name] = shapely.STRtree([_footprint(element) for element in elements])
            hits = self._index[name].query(place, predicate="dwithin", distance=radius_m)
            kept[name] = tuple(elements[i] for i in sorted(hits))
        return HDMap(**kept)


def box_corners(world_from_box: SE3, length_m: Any, width_m: Any, height_m: Any) -> FloatArray:
    """Corners [...,8,3] of cuboids in the world.

    Order in half sizes: (+,+,+) (+,-,+) (-,-,+) (-,+,+), then the same with z negative; the front is 0, 1, 4, 5.
    """
    half = np.stack(np.broadcast_arrays(length_m, width_m, height_m), axis=-1).astype(np.float64) / 2
    return world_from_box.apply(_CORNER_SIGNS * half[..., None, :])


_CORNER_SIGNS = np.array(
    [[1, 1, 1], [1, -1, 1], [-1, -1, 1], [-1, 1, 1], [1, 1, -1], [1, -1, -1], [-1, -1, -1], [-1, 1, -1]],
    dtype=np.float64,
)


def _footprint(element: MapElement) -> Any:
    if isinstance(element, LaneSegment):
        return shapely.Polygon(element.outline[:, :2])
    if isinstance(element, TrafficLight | TrafficSign):
        return shapely.Point(element.world_from_box.translation_m[:2])
    points = element.polyline.points_m[:, :2]
    if (points == points[0]).all():  # an upright pole
        return shapely.Point(points[0])
    if isinstance(element, Crosswalk | RoadMarking) and len(points) > 2:
        return shapely.Polygon(points)
    return shapely.LineString(points)


def _require_box(what: str, box: BoxElement) -> None:
    if box.world_from_box.shape or not all_finite(box.world_from_box.matrix):
        raise MapError(f"{what}: expected one pose without NaN or infinity")
    for name in ("length_m", "width_m", "height_m"):
        value = getattr(box, name)
        if not (np.isfinite(value) and value >= 0):
            raise MapError(f"{what}: {name} must not be below 0, got {value:g}")
