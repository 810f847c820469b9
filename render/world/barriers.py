"""Guard rails, concrete and noise barriers, hedges and fences: what runs along the road."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from scenegraph import HDMap
from scenegraph.arrays import BoolArray, FloatArray

from .buildings import Building
from .drivable import Area
from .mesh import Material, Mesh, joined
from .place_styles import PlaceStyle
from .placement import Edge, Site
from .seeds import generator
from .shapes import box, quads, repeated, strip

_RAIL_AWAY_M, _CONCRETE_AWAY_M, _NOISE_AWAY_M = 0.72, 0.62, 5.5
_STEEL_RGB, _CONCRETE_RGB = (0.36, 0.37, 0.37), (0.34, 0.335, 0.32)
_POST_EVERY_M = 4.0
_STEP_M = 2.0
_CUT_M = 1.0
_PANEL_M, _NOISE_POST_M = 4.0, 0.14
_NOISE_RGB = ((0.10, 0.16, 0.10), (0.30, 0.29, 0.26), (0.20, 0.14, 0.10), (0.14, 0.20, 0.24))
_HEDGE_RGB = {"winter": (0.07, 0.065, 0.04), "autumn": (0.09, 0.085, 0.03)}
_GREEN_RGB = (0.05, 0.095, 0.03)
_FENCE_RGB = ((0.55, 0.53, 0.49), (0.16, 0.09, 0.05), (0.10, 0.12, 0.10))
_RAIL_PROFILE = np.array([(0.07, 0.44), (0.0, 0.49), (0.0, 0.54), (0.07, 0.60), (0.0, 0.66), (0.0, 0.71), (0.07, 0.76)])
"""(away from the road, up) of the two waves of a steel rail."""
_CONCRETE_PROFILE = np.array(
    [(0.0, -0.2), (0.0, 0.08), (0.18, 0.33), (0.24, 0.92), (0.40, 0.92), (0.46, 0.33), (0.64, 0.08), (0.64, -0.2)]
)
_BARRIER_WORDS = ("barrier", "guard", "rail", "wall", "jersey", "concrete")


def guard_rails(site: Site, hdmap: HDMap, style: PlaceStyle) -> Mesh:
    """Steel rails beside fast roads, concrete walls where the map's boundaries say barrier."""
    solid = _barrier_lines(hdmap)
    parts = []
    for edge in site.edges(_CONCRETE_AWAY_M, _STEP_M, "concrete"):
        parts += [
            _profile(site, piece, _CONCRETE_PROFILE, Material.MATTE, _CONCRETE_RGB)
            for piece in _near(site, edge, solid)
        ]
    if style.guard_rail:
        for edge in site.edges(_RAIL_AWAY_M, _STEP_M, "rail"):
            parts += [part for piece in _near(site, edge, solid, is_near=False) for part in _steel(site, piece)]
    return joined(parts)


def noise_barriers(site: Site, style: PlaceStyle) -> Mesh:
    """High panels between posts along some stretches; they take their place."""
    if not style.noise_barriers:
        return joined([])
    parts = []
    for edge in site.edges(_NOISE_AWAY_M, _PANEL_M, "noise"):
        rng = generator(site.seed, edge.key)
        if rng.uniform() > style.noise_barriers:
            continue
        high_m, rgb = float(rng.uniform(3.2, 4.6)), np.array(_NOISE_RGB[int(rng.integers(len(_NOISE_RGB)))])
        for piece in _parts_where(edge, site.clearance_m(edge.points_m) > 0.4):
            foot = site.on_ground(piece.points_m, -0.4)
            rise = np.array([0.0, 0.0, 0.4 + high_m])
            parts.append(
                strip(np.stack([foot, foot + 0.24 * rise, foot + rise]), Material.MATTE, np.stack([_CONCRETE_RGB, rgb]))
            )
            post = box((-0.09, -0.09, 0), (0.09, 0.09, high_m + 0.5), Material.METAL, (0.2, 0.2, 0.2))
            parts.append(repeated(post, foot, np.arctan2(piece.outward[:, 1], piece.outward[:, 0])))
            site.take(shapely.LineString(piece.points_m).buffer(0.3))
    return joined(parts)


def garden_fronts(
    site: Site, style: PlaceStyle, pavement_m: float, found: list[Building], season: str | None
) -> tuple[Mesh, Mesh]:
    """(hedges, fences and low walls) between the pavement and the gardens of houses, open before their doors."""
    if not style.has_gardens:
        return joined([]), joined([])
    hedges, fences = [], []
    houses = [b for b in found if b.kind in ("house", "farm")]
    if not houses:
        return joined([]), joined([])
    fronts = shapely.STRtree([shapely.Point(b.plot.front_m) for b in houses])
    for edge in site.edges(pavement_m + 0.8, 1.0, "gardens"):
        nearest = fronts.nearest(shapely.points(edge.points_m))
        gap_m = shapely.distance(shapely.points(edge.points_m), fronts.geometries[nearest])
        beside_m = np.abs(
            ((edge.points_m - np.array([houses[i].plot.front_m for i in nearest])) * _along(edge)).sum(axis=1)
        )
        width_m = np.array([houses[i].plot.width_m for i in nearest])
        wanted = (
            (gap_m < 17.0)
            & (beside_m > 1.7)
            & (beside_m < width_m / 2 + 3.5)
            & (site.clearance_m(edge.points_m) > 0.35)
        )
        for house in np.unique(nearest[wanted]).tolist():
            rng = generator(site.seed, "garden", houses[house].key)
            style_at, tint = rng.uniform(), rng.uniform(0.85, 1.15)
            for piece in _parts_where(edge, wanted & (nearest == house)):
                if style_at < 0.45:
                    rgb = np.array(_HEDGE_RGB.get(season or "summer", _GREEN_RGB)) * tint
                    hedges.append(_hedge(site, piece, float(rng.uniform(0.9, 1.7)), rgb, rng))
                elif style_at < 0.75:
                    fences += _fence(site, piece, _FENCE_RGB[int(rng.integers(3))])
                elif style_at < 0.9:
                    fences.append(_low_wall(site, piece, np.array((0.4, 0.37, 0.33)) * tint))
    return joined(hedges), joined(fences)


def _along(edge: Edge) -> FloatArray:
    return np.stack([-edge.outward[:, 1], edge.outward[:, 0]], axis=1)


def _barrier_lines(hdmap: HDMap) -> Area:
    lines = [
        shapely.LineString(b.polyline.points_m[:, :2])
        for b in hdmap.road_boundaries
        if any(word in b.category.lower() for word in _BARRIER_WORDS)
    ]
    area = shapely.union_all(lines).buffer(_CONCRETE_AWAY_M + _CUT_M) if lines else shapely.Polygon()
    shapely.prepare(area)
    return area


def _near(site: Site, edge: Edge, area: Area, is_near: bool = True) -> Iterator[Edge]:
    """The parts of an edge inside, or outside, of an area; where nothing must stay clear."""
    inside = shapely.contains_xy(area, edge.points_m)
    free = ~np.any([shapely.intersects_xy(site.closed, edge.offset(away)) for away in (0.02, 0.35, 0.68)], axis=0)
    yield from _parts_where(edge, (inside == is_near) & free)


def _parts_where(edge: Edge, kept: BoolArray) -> Iterator[Edge]:
    """Unbroken stretches of an edge, two points or more."""
    flags = np.concatenate([[False], kept, [False]])
    starts, ends = np.flatnonzero(~flags[:-1] & flags[1:]), np.flatnonzero(flags[:-1] & ~flags[1:])
    for start, end in zip(starts, ends, strict=True):
        if end - start >= 2:
            yield Edge(edge.points_m[start:end], edge.outward[start:end], f"{edge.key}:{start}")


def _profile(
    site: Site, edge: Edge, profile: FloatArray, material: Material, colour: FloatArray | tuple[float, ...]
) -> Mesh:
    """A profile (away, up) [P,2] drawn along an edge."""
    rows = np.stack([site.on_ground(edge.offset(float(away)), up) for away, up in profile])
    return strip(rows, material, colour)


def _steel(site: Site, edge: Edge) -> list[Mesh]:
    stations = np.arange(0.5, float(edge.stations_m[-1]), _POST_EVERY_M)
    places, outward = edge.at(stations)
    post = box((0.07, -0.05, -0.3), (0.17, 0.05, 0.72), Material.METAL, _STEEL_RGB)
    yaw = np.arctan2(outward[:, 1], outward[:, 0])
    return [
        _profile(site, edge, _RAIL_PROFILE, Material.METAL, _STEEL_RGB),
        repeated(post, site.on_ground(places), yaw),
    ]


def _hedge(site: Site, edge: Edge, high_m: float, rgb: FloatArray, rng: np.random.Generator) -> Mesh:
    """A clipped hedge whose faces are a little uneven."""
    count = len(edge.points_m)
    profile = ((-0.32, -0.1), (-0.34, 0.45 * high_m), (-0.26, high_m), (0.26, high_m), (0.34, -0.1))
    rows = []
    for away, up in profile:
        sway = rng.uniform(-0.06, 0.06, count)
        rows.append(site.on_ground(edge.offset(away + sway), up + (rng.uniform(-0.08, 0.08, count) if up > 0 else 0.0)))
    mesh = strip(np.stack(rows), Material.FOLIAGE, rgb)
    mesh.colour[:] *= rng.uniform(0.7, 1.2, (len(mesh.colour), 1)).astype(np.float32)
    ends = [quads([[rows[0][i], rows[2][i], rows[3][i], rows[4][i]]], Material.FOLIAGE, rgb) for i in (0, -1)]
    return joined([mesh, *ends])


def _fence(site: Site, edge: Edge, rgb: tuple[float, float, float]) -> list[Mesh]:
    """Pickets on two rails."""
    stations = np.arange(0.0, float(edge.stations_m[-1]), 0.22)
    places, outward = edge.at(stations)
    along = np.stack([-outward[:, 1], outward[:, 0]], axis=1) * 0.055
    foot, shift = site.on_ground(places, 0.05), np.column_stack([along, np.zeros(len(along))])
    up = np.array([0.0, 0.0, 0.9])
    pickets = np.stack([foot - shift, foot + shift, foot + shift + up, foot - shift + up], axis=1)
    rails = [
        strip(
            np.stack([site.on_ground(edge.offset(0.03), z), site.on_ground(edge.offset(0.03), z + 0.09)]),
            Material.MATTE,
            rgb,
        )
        for z in (0.25, 0.7)
    ]
    return [quads(pickets, Material.MATTE, rgb), *rails]


def _low_wall(site: Site, edge: Edge, rgb: FloatArray) -> Mesh:
    profile = np.array(
        [(-0.15, -0.3), (-0.15, 0.75), (-0.2, 0.75), (-0.2, 0.83), (0.2, 0.83), (0.2, 0.75), (0.15, 0.75), (0.15, -0.3)]
    )
    return _profile(site, edge, profile, Material.MATTE, rgb)
