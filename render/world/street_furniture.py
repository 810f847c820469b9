"""Small things on pavements and verges: bins, benches, cabinets, bollards, bus shelters, reflector posts."""

from __future__ import annotations

from functools import cache

import numpy as np
import shapely

from .mesh import Material, Mesh, joined
from .place_styles import PlaceStyle
from .placement import Edge, Site
from .seeds import generator
from .shapes import box, quads, repeated, tube

_REFLECTOR_AWAY_M = 0.95
_KINDS = ("bin", "bench", "cabinet", "bollards", "post_box", "planter", "meter")
_SHARES = (0.24, 0.14, 0.16, 0.16, 0.05, 0.13, 0.12)
_HALF_M = {"bin": 0.3, "bench": 0.95, "cabinet": 0.5, "bollards": 1.2, "post_box": 0.35, "planter": 0.75, "meter": 0.2}
_SHELTER_HALF_M = (0.85, 2.0)
_STEEL_RGB, _DARK_RGB, _WOOD_RGB = (0.3, 0.31, 0.31), (0.05, 0.06, 0.06), (0.20, 0.11, 0.055)


def pavement_things(site: Site, style: PlaceStyle) -> Mesh:
    """Things at random along the kerb and, every now and then, a bus shelter; they take their place."""
    if not style.things_per_km or style.pavement_m < 1.2:
        return joined([])
    parts = [part for edge in site.edges(1.05, 2.0, "things") for part in _things_along(site, style, edge)]
    if style.pavement_m >= 2.6:
        parts += [
            part for edge in site.edges(style.pavement_m - 0.9, 2.0, "shelters") for part in _shelters(site, edge)
        ]
    return joined(parts)


def reflector_posts(site: Site, style: PlaceStyle) -> Mesh:
    """White posts with a black band and a reflector, along roads outside of towns."""
    if style.reflectors_m is None:
        return joined([])
    parts = []
    for edge in site.edges(_REFLECTOR_AWAY_M + (0.25 if style.guard_rail else 0.0), 2.0, "reflectors"):
        stations = np.arange(8.0, float(edge.stations_m[-1]), style.reflectors_m)
        places, outward = edge.at(stations)
        kept = site.clearance_m(places) > 0.15
        yaw = np.arctan2(outward[:, 1], outward[:, 0])[kept]
        parts.append(repeated(_reflector_post(), site.on_ground(places[kept]), yaw))
    return joined(parts)


def _things_along(site: Site, style: PlaceStyle, edge: Edge) -> list[Mesh]:
    rng, length_m = generator(site.seed, edge.key), float(edge.stations_m[-1])
    stations = np.sort(
        rng.uniform(1.0, max(length_m - 1.0, 1.0), int(rng.poisson(style.things_per_km * length_m / 1000)))
    )
    places, outward = edge.at(stations)
    kinds = rng.choice(len(_KINDS), len(stations), p=_SHARES)
    parts = []
    for place, away, number in zip(places, outward, kinds, strict=True):
        kind = _KINDS[int(number)]
        along = np.array([-away[1], away[0]]) * _HALF_M[kind]
        footprint = shapely.LineString([place - along, place + along]).buffer(0.3, cap_style="flat")
        if not site.is_free(footprint):
            continue
        site.take(footprint)
        yaw = np.arctan2(-away[1], -away[0])
        parts.append(repeated(_thing(kind), site.on_ground(place[None], 0.12), np.array([yaw])))
    return parts


def _shelters(site: Site, edge: Edge) -> list[Mesh]:
    rng, length_m = generator(site.seed, edge.key), float(edge.stations_m[-1])
    if length_m < 30.0 or rng.uniform() > 0.5:
        return []
    place, outward = (values[0] for values in edge.at(np.array([rng.uniform(0.2, 0.8) * length_m])))
    along = np.array([-outward[1], outward[0]]) * _SHELTER_HALF_M[1]
    footprint = shapely.LineString([place - along, place + along]).buffer(_SHELTER_HALF_M[0], cap_style="flat")
    if not site.is_free(footprint):
        return []
    site.take(footprint)
    yaw = np.array([np.arctan2(-outward[1], -outward[0])])
    return [repeated(_shelter(), site.on_ground(place[None], 0.12), yaw)]


@cache
def _thing(kind: str) -> Mesh:
    """One thing, its front along x towards the road, standing on the pavement at 0."""
    if kind == "bin":
        body = tube([(0, 0, 0), (0, 0, 0.15), (0, 0, 0.95)], [0.18, 0.22, 0.25], 8, Material.MATTE, (0.06, 0.10, 0.07))
        return joined([body, box((-0.22, -0.22, 0.93), (0.22, 0.22, 1.02), Material.METAL, _DARK_RGB, True)])
    if kind == "bench":
        slats = [
            box((x - 0.06, -0.85, 0.43), (x + 0.06, 0.85, 0.47), Material.MATTE, _WOOD_RGB, True)
            for x in (-0.15, 0.0, 0.15)
        ]
        back = [box((-0.28, -0.85, z), (-0.24, 0.85, z + 0.11), Material.MATTE, _WOOD_RGB, True) for z in (0.6, 0.78)]
        feet = [box((-0.26, y - 0.04, 0.0), (0.2, y + 0.04, 0.43), Material.METAL, _DARK_RGB) for y in (-0.7, 0.7)]
        return joined([*slats, *back, *feet])
    if kind == "cabinet":
        body = box((-0.18, -0.45, 0), (0.18, 0.45, 1.15), Material.MATTE, (0.30, 0.32, 0.30))
        return joined([body, box((-0.2, -0.47, 1.15), (0.2, 0.47, 1.2), Material.MATTE, (0.22, 0.23, 0.22), True)])
    if kind == "bollards":
        post = tube([(0, 0, 0), (0, 0, 0.95)], [0.06, 0.055], 6, Material.METAL, (0.12, 0.12, 0.125))
        band = tube([(0, 0, 0.78), (0, 0, 0.88)], 0.066, 6, Material.SIGN, (0.7, 0.7, 0.68))
        return repeated(joined([post, band]), np.array([[0, y, 0] for y in (-1.1, 0.0, 1.1)], dtype=float))
    if kind == "post_box":
        foot = box((-0.05, -0.05, 0), (0.05, 0.05, 0.8), Material.METAL, _DARK_RGB)
        return joined([foot, box((-0.17, -0.25, 0.7), (0.17, 0.25, 1.35), Material.MATTE, (0.62, 0.40, 0.01), True)])
    if kind == "planter":
        tub = box((-0.28, -0.65, 0), (0.28, 0.65, 0.5), Material.MATTE, (0.28, 0.26, 0.24))
        green = box((-0.25, -0.6, 0.5), (0.25, 0.6, 0.82), Material.FOLIAGE, (0.07, 0.13, 0.04))
        return joined([tub, green])
    post = tube([(0, 0, 0), (0, 0, 1.15)], 0.03, 5, Material.METAL, _STEEL_RGB)
    return joined([post, box((-0.09, -0.11, 1.1), (0.09, 0.11, 1.5), Material.METAL, (0.10, 0.12, 0.16), True)])


@cache
def _shelter() -> Mesh:
    """A bus shelter of glass with a bench, open towards the road."""
    roof = box((-0.8, -1.95, 2.4), (0.75, 1.95, 2.52), Material.METAL, (0.12, 0.13, 0.14), True)
    posts = [
        box((x - 0.04, y - 0.04, 0), (x + 0.04, y + 0.04, 2.4), Material.METAL, _DARK_RGB)
        for x in (-0.7, 0.5)
        for y in (-1.85, 1.85)
    ]
    glass = (0.05, 0.06, 0.065)
    back = [[[-0.7, -1.8, 0.25], [-0.7, 1.8, 0.25], [-0.7, 1.8, 2.2], [-0.7, -1.8, 2.2]]]
    side = [[[-0.65, -1.85, 0.25], [0.2, -1.85, 0.25], [0.2, -1.85, 2.2], [-0.65, -1.85, 2.2]]]
    poster = box((-0.65, 1.8, 0.35), (0.3, 1.9, 2.15), Material.MATTE, (0.5, 0.32, 0.2))
    seat = box((-0.6, -1.4, 0.42), (-0.25, 1.4, 0.48), Material.MATTE, _WOOD_RGB, True)
    return joined([roof, *posts, quads(back, Material.GLASS, glass), quads(side, Material.GLASS, glass), poster, seat])


@cache
def _reflector_post() -> Mesh:
    body = box((-0.06, -0.05, -0.1), (0.06, 0.05, 0.68), Material.MATTE, (0.7, 0.7, 0.69))
    band = box((-0.063, -0.053, 0.68), (0.063, 0.053, 0.9), Material.MATTE, (0.02, 0.02, 0.02))
    cap = box((-0.06, -0.05, 0.9), (0.06, 0.05, 1.0), Material.MATTE, (0.7, 0.7, 0.69))
    plates = [
        box((-0.025, y - 0.004, 0.72), (0.025, y + 0.004, 0.86), Material.SIGN, (0.8, 0.75, 0.6))
        for y in (-0.055, 0.055)
    ]
    return joined([body, band, cap, *plates])
