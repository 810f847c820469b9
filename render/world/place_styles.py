"""What stands around roads in a city, in a village, along a motorway ..."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from scenegraph import HDMap

from ..errors import RenderError

BuildingKind: TypeAlias = Literal["tower", "block", "terrace", "house", "hall", "farm"]


@dataclass(frozen=True)
class PlaceStyle:
    """The look of a kind of place; distances in metres.

    pavement_m: width of the strip behind the kerb, 0 for neither. street_trees_m, lamps_m, reflectors_m: spacing along
    the edge of the road, None for none.
    buildings: kinds with their shares; none for open land. setback_m: from the road's edge to facades, least and most.
    gap_m: between buildings, least and most. built_share: of the frontage.
    has_gardens: with hedges and fences in front of houses. guard_rail: along the road. noise_barriers: share of the
    edges that have one. back_rows: rows of big buildings behind the first. trees_per_km, bushes_per_km: loose ones on
    either side. woods: share of the far edge that is wooded. things_per_km: bins, benches and the like on pavements.
    """

    pavement_m: float
    buildings: Mapping[BuildingKind, float]
    setback_m: tuple[float, float]
    gap_m: tuple[float, float]
    built_share: float = 1.0
    street_trees_m: float | None = None
    lamps_m: float | None = None
    reflectors_m: float | None = None
    has_gardens: bool = False
    guard_rail: bool = False
    noise_barriers: float = 0.0
    back_rows: int = 0
    trees_per_km: float = 0.0
    bushes_per_km: float = 0.0
    woods: float = 0.0
    things_per_km: float = 0.0


STYLES: Mapping[str, PlaceStyle] = {
    "city": PlaceStyle(
        4.5, {"block": 0.75, "tower": 0.25}, (5.2, 7.0), (0.0, 0.0), 0.95,
        street_trees_m=14.0, lamps_m=28.0, back_rows=2, trees_per_km=8, things_per_km=45,
    ),
    "town": PlaceStyle(
        2.8, {"terrace": 0.85, "block": 0.15}, (3.3, 4.4), (0.0, 1.5), 0.92,
        street_trees_m=19.0, lamps_m=30.0, back_rows=1, trees_per_km=25, bushes_per_km=10, things_per_km=35,
    ),
    "village": PlaceStyle(
        1.8, {"house": 0.7, "farm": 0.12, "terrace": 0.18}, (6.0, 11.0), (5.0, 14.0), 0.85,
        lamps_m=40.0, has_gardens=True, trees_per_km=70, bushes_per_km=60, woods=0.5, things_per_km=6,
    ),
    "suburb": PlaceStyle(
        2.0, {"house": 0.92, "terrace": 0.08}, (7.0, 9.5), (3.5, 8.0), 0.92,
        street_trees_m=26.0, lamps_m=34.0, has_gardens=True, back_rows=0, trees_per_km=80, bushes_per_km=70, woods=0.35,
        things_per_km=10,
    ),
    "motorway": PlaceStyle(
        0.0, {}, (30.0, 50.0), (20.0, 60.0), guard_rail=True, reflectors_m=50.0, noise_barriers=0.35,
        trees_per_km=60, bushes_per_km=120, woods=0.6,
    ),
    "country_road": PlaceStyle(
        0.0, {"farm": 0.6, "house": 0.4}, (22.0, 45.0), (60.0, 160.0), 0.5,
        reflectors_m=50.0, trees_per_km=60, bushes_per_km=60, woods=0.55, street_trees_m=None,
    ),
    "industrial_area": PlaceStyle(
        2.0, {"hall": 0.9, "block": 0.1}, (9.0, 16.0), (6.0, 18.0), 0.9,
        lamps_m=36.0, back_rows=1, trees_per_km=25, bushes_per_km=40, things_per_km=8,
    ),
}  # fmt: skip

_MOTORWAY_MPS, _COUNTRY_MPS = 27.0, 19.0


def style_of(place: str) -> PlaceStyle:
    """The style of a place by its word."""
    if place not in STYLES:
        raise RenderError(f"place {place}: is not known. Use one of {', '.join(STYLES)}.")
    return STYLES[place]


def likely_place(hdmap: HDMap) -> str:
    """The kind of place that a map near the ego looks like, from its speed limits, junctions and lane counts."""
    limits = [lane.speed_limit_mps for lane in hdmap.lane_segments if lane.speed_limit_mps is not None]
    if limits and float(np.median(limits)) >= _COUNTRY_MPS:
        is_wide = _has_parallel_lanes(hdmap) and not hdmap.crosswalks
        return "motorway" if float(np.median(limits)) >= _MOTORWAY_MPS and is_wide else "country_road"
    if not limits and any(b.category == "barrier" for b in hdmap.road_boundaries) and len(hdmap.crosswalks) < 3:
        return "motorway" if len(hdmap.lane_segments) > 20 else "suburb"
    crossings = sum(lane.is_intersection for lane in hdmap.lane_segments)
    if hdmap.traffic_lights or len(hdmap.crosswalks) > 6:
        return "city" if crossings > 24 or len(hdmap.traffic_lights) > 12 else "town"
    if crossings > 40:
        return "city"
    return "town" if hdmap.crosswalks else "suburb"


def _has_parallel_lanes(hdmap: HDMap) -> bool:
    """Whether anywhere two neighbouring lanes lead the same way."""
    ways = {lane.id: lane.centre.points_m[-1] - lane.centre.points_m[0] for lane in hdmap.lane_segments}
    pairs = [(lane.id, lane.left_neighbour) for lane in hdmap.lane_segments]
    return any(float(ways[name] @ ways[other]) > 0 for name, other in pairs if other in ways)
