"""The map's own poles, lights and signs, each on something that stands on the ground."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from scenegraph import HDMap, Pole, TrafficLight, TrafficSign
from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh, joined
from .placement import Site
from .shapes import tube
from .signals import light_housing
from .signs import sign_mesh
from .street_lamps import is_lamp, lamp_head

_STEEL_RGB, _MAST_RGB = (0.28, 0.29, 0.29), (0.16, 0.17, 0.165)
_POST_RADIUS_M, _MAST_RADIUS_M = 0.04, 0.085
_SAME_POST_M = 0.9
_ON_POST_M = 0.02
_FAR_POST_M = 14.0
_BESIDE_M = 0.75
_KEPT_M = 0.35


@dataclass(frozen=True, eq=False)
class MapFurniture:
    """What the map itself puts beside the road, as meshes. lamps_m [N,2]: where its street lamps stand."""

    poles: Mesh
    signs: Mesh
    lights: Mesh
    lamps_m: FloatArray


def map_furniture(site: Site, hdmap: HDMap) -> MapFurniture:
    """Poles, signs and housings near the ego's way; they take their place."""
    poles = [pole for pole in hdmap.poles if _is_inside(site, pole.polyline.points_m[0])]
    signs = [sign for sign in hdmap.traffic_signs if _is_inside(site, sign.world_from_box.translation_m)]
    lights = [light for light in hdmap.traffic_lights if _is_inside(site, light.world_from_box.translation_m)]
    feet = np.array([pole.polyline.points_m[0, :2] for pole in poles]).reshape(-1, 2)
    lamps = [pole for pole in poles if is_lamp(pole)]
    parts = [_pole_mesh(pole) for pole in poles]
    parts += [lamp_head(site, pole.polyline.points_m[-1]) for pole in lamps]
    parts += _supports(site, feet, signs, _POST_RADIUS_M, _STEEL_RGB)
    parts += _supports(site, feet, lights, _MAST_RADIUS_M, _MAST_RGB)
    site.take(*(shapely.Point(foot).buffer(_KEPT_M) for foot in feet))
    return MapFurniture(
        joined(parts),
        joined(sign_mesh(sign, _limit_near(hdmap, sign)) for sign in signs),
        joined(light_housing(light) for light in lights),
        np.array([pole.polyline.points_m[0, :2] for pole in lamps]).reshape(-1, 2),
    )


def _is_inside(site: Site, place_m: FloatArray) -> bool:
    return bool(shapely.intersects_xy(site.around, place_m[0], place_m[1]))


def _pole_mesh(pole: Pole) -> Mesh:
    points = pole.polyline.points_m
    height_m = float(points[-1, 2] - points[0, 2])
    thick = 0.035 if height_m < 3.5 else 0.08 if height_m < 7 else 0.095
    foot = points[0] - (0.0, 0.0, 0.3)
    return tube([foot, points[-1]], [thick, thick * 0.75], 6, Material.METAL, _STEEL_RGB)


def _supports(
    site: Site,
    poles_m: FloatArray,
    boxes: Iterable[TrafficLight | TrafficSign],
    radius_m: float,
    colour: tuple[float, float, float],
) -> list[Mesh]:
    """A post under every box that no pole of the map carries; beside the road, with an arm, where it hangs over it."""
    parts = []
    stood = [tuple(pole) for pole in poles_m]
    for thing in boxes:
        middle = thing.world_from_box.translation_m
        back = middle - thing.world_from_box.rotation[:, 0] * (thing.length_m / 2 + radius_m)
        others = np.array(stood).reshape(-1, 2)
        gaps_m = np.hypot(*(others - middle[:2]).T)
        if len(gaps_m) and gaps_m.min() < _SAME_POST_M:
            if gaps_m.min() > _ON_POST_M:
                parts.append(_bracket(others[int(gaps_m.argmin())], middle, radius_m, colour))
            continue
        foot = _foot(site, back[:2], others)
        if foot is None:
            continue
        stood.append((float(foot[0]), float(foot[1])))
        parts += _post_and_arm(site, foot, back, thing.height_m, radius_m, colour)
    return parts


def _foot(site: Site, place_m: FloatArray, others_m: FloatArray) -> FloatArray | None:
    """Where a post can stand: below its box, else the nearest place beside the road, else nowhere near."""
    point = shapely.Point(place_m)
    road_m = float(shapely.distance(site.road, point))
    if road_m > 0.2:
        return place_m
    verge = site.road.buffer(_BESIDE_M).boundary
    near = shapely.get_coordinates(shapely.shortest_line(point, verge))[1]
    gaps_m = np.hypot(*(others_m - place_m).T)
    if len(gaps_m) and gaps_m.min() < _FAR_POST_M:
        return np.asarray(others_m[int(gaps_m.argmin())])
    return near if float(np.hypot(*(near - place_m))) < _FAR_POST_M else None


def _post_and_arm(
    site: Site, foot: FloatArray, back: FloatArray, height_m: float, radius_m: float, colour: tuple[float, float, float]
) -> list[Mesh]:
    ground = site.on_ground(foot[None], -0.3)[0]
    top_m = float(back[2]) + 0.45 * height_m
    parts = [tube([ground, [*foot, top_m + 0.1]], [radius_m, radius_m * 0.85], 6, Material.METAL, colour)]
    if float(np.hypot(*(foot - back[:2]))) > 0.3:
        arm = [
            [*foot, back[2] + 0.1],
            [(foot[0] + back[0]) / 2, (foot[1] + back[1]) / 2, back[2] + 0.25],
            [back[0], back[1], back[2] + 0.1],
        ]
        parts.append(tube(arm, radius_m * 0.7, 5, Material.METAL, colour))
    return parts


def _bracket(pole: FloatArray, middle: FloatArray, radius_m: float, colour: tuple[float, float, float]) -> Mesh:
    return tube(np.stack([np.append(pole, middle[2]), middle]), 0.4 * radius_m, 4, Material.METAL, colour)


def _limit_near(hdmap: HDMap, sign: TrafficSign) -> int | None:
    """The speed limit of the lane nearest to a sign, in km/h."""
    limited = [lane for lane in hdmap.lane_segments if lane.speed_limit_mps is not None]
    if not limited:
        return None
    place = sign.world_from_box.translation_m[:2]
    gaps_m = [float(np.hypot(*(lane.centre.points_m[:, :2] - place).T).min()) for lane in limited]
    speed_mps = limited[int(np.argmin(gaps_m))].speed_limit_mps
    return None if speed_mps is None else round(speed_mps * 3.6 / 5) * 5
