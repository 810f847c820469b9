"""Street lamps along the road."""

from __future__ import annotations

import numpy as np
import shapely

from scenegraph import Pole
from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .place_styles import PlaceStyle
from .placement import CLEARANCE_M, Site
from .seeds import generator
from .shapes import box, quads, repeated, tube

_STEEL_RGB, _LIGHT_RGB = (0.24, 0.25, 0.25), (1.0, 0.82, 0.58)
_AWAY_M, _HIGH_M = 1.55, 8.0
_HEAD_HALF_M, _ARM_M = 0.32, 0.62
_LEAST_LAMP_M, _MOST_LAMP_M = 6.5, 14.0
_APART_M = 18.0
_KEPT_M = 0.3


def is_lamp(pole: Pole) -> bool:
    """Whether a pole of a map is a street lamp: it says so, or it is as high as one."""
    height_m = float(np.ptp(pole.polyline.points_m[:, 2]))
    return "lamp" in pole.id.lower() or (_LEAST_LAMP_M <= height_m <= _MOST_LAMP_M and "mast" not in pole.id.lower())


def lamp_head(site: Site, top_m: FloatArray) -> Mesh:
    """An arm with a head on top of a pole, as long as the edge of the road allows."""
    away = shapely.get_coordinates(shapely.shortest_line(shapely.Point(top_m[:2]), site.road))
    towards = away[1] - away[0]
    gap_m = float(np.hypot(*towards))
    yaw_rad = float(np.arctan2(towards[1], towards[0])) if gap_m > 1e-6 else 0.0
    reach_m = float(np.clip(gap_m - CLEARANCE_M - 0.05, _HEAD_HALF_M, _HEAD_HALF_M + _ARM_M))
    # 1. Where there is no room towards the road the head sits on top of the pole, along the road.
    has_room = gap_m - CLEARANCE_M - 0.05 >= _HEAD_HALF_M
    return repeated(_head(reach_m - _HEAD_HALF_M), top_m[None], yaw_rad if has_room else yaw_rad + np.pi / 2)


def street_lamps(site: Site, style: PlaceStyle, others_m: FloatArray) -> Mesh:
    """Lamps at regular distances beside the road where the map has none; opposite sides are staggered."""
    if style.lamps_m is None:
        return joined([])
    places, yaws = [], []
    for edge in site.edges(_AWAY_M, 2.0, "lamps"):
        rng = generator(site.seed, edge.key)
        stations = np.arange(rng.uniform(3.0, style.lamps_m * 0.9), float(edge.stations_m[-1]), style.lamps_m)
        found, outward = edge.at(stations)
        places.append(found)
        yaws.append(np.arctan2(-outward[:, 1], -outward[:, 0]))
    if not places:
        return joined([])
    place, yaw = np.concatenate(places), np.concatenate(yaws)
    kept = site.clearance_m(place) > _ARM_M + 0.05
    if len(others_m):
        kept &= shapely.distance(shapely.points(place), shapely.multipoints(others_m)) > _APART_M
    place, yaw = place[kept], yaw[kept]
    site.take(*shapely.points(place).tolist() if len(place) == 1 else shapely.buffer(shapely.points(place), _KEPT_M))
    pole = tube([(0, 0, -0.3), (0, 0, 1.0), (0, 0, _HIGH_M)], [0.11, 0.085, 0.055], 6, Material.METAL, _STEEL_RGB)
    head = _head(_ARM_M).moved(np.eye(3), (0, 0, _HIGH_M))
    return repeated(joined([pole, head]), site.on_ground(place), yaw)


def _head(arm_m: float) -> Mesh:
    """A flat head whose middle is ``arm_m`` ahead along x, its lower side shining."""
    start, end = arm_m - _HEAD_HALF_M, arm_m + _HEAD_HALF_M
    body = box((start, -0.13, -0.02), (end, 0.13, 0.09), Material.METAL, _STEEL_RGB)
    low = -0.025
    glow = [[start + 0.08, -0.11, low], [end - 0.04, -0.11, low], [end - 0.04, 0.11, low], [start + 0.08, 0.11, low]]
    return joined([body, quads([glow], Material.LAMP, _LIGHT_RGB)])
