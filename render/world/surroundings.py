"""Everything that stands around the road and does not move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely

from scenegraph import HDMap
from scenegraph.arrays import FloatArray

from .barriers import garden_fronts, guard_rails, noise_barriers
from .buildings import buildings_mesh, street_buildings
from .drivable import Area, way_on_ground
from .kerbs import pavement_mesh, pavements
from .mesh import Mesh, joined
from .place_styles import likely_place, style_of
from .placement import GroundHeight, Site, nearby
from .planting import plant
from .posts import map_furniture
from .semantic import SemanticClass
from .street_furniture import pavement_things, reflector_posts
from .street_lamps import street_lamps

_MAP_BEYOND_M = 30.0


def surroundings(
    hdmap: HDMap,
    place: str | None,
    season: str | None,
    seed: int,
    centre_line_m: FloatArray,
    reach_m: float,
    ground_z: GroundHeight,
    kept_clear: Area | None = None,
) -> Mesh:
    """Everything built and grown within ``reach_m`` of the ego's path [N,3], off the drivable area.

    place: a word of conditions, None for what the map looks like. ground_z: heights [N] of the ground at [N,2].
    kept_clear: where nothing may be built either, such as the ways of actors.
    """
    parts = surrounding_parts(hdmap, place, season, seed, centre_line_m, reach_m, ground_z, kept_clear)
    return joined(parts.values())


def surrounding_parts(
    hdmap: HDMap,
    place: str | None,
    season: str | None,
    seed: int,
    centre_line_m: FloatArray,
    reach_m: float,
    ground_z: GroundHeight,
    kept_clear: Area | None = None,
) -> Mapping[SemanticClass, Mesh]:
    """The same by what it is."""
    path_m = np.asarray(centre_line_m, dtype=np.float64)
    near = nearby(hdmap, way_on_ground(path_m), reach_m + _MAP_BEYOND_M)
    style = style_of(place or likely_place(near))
    site = Site.of(hdmap, path_m, reach_m, seed, ground_z, kept_clear if kept_clear is not None else shapely.Polygon())
    found: dict[SemanticClass, list[Mesh]] = {}
    for kind, mesh in _built(site, near, style, season):
        found.setdefault(kind, []).append(mesh)
    return {kind: joined(meshes) for kind, meshes in found.items()}


def _built(site: Site, near: HDMap, style: Any, season: str | None) -> Iterator[tuple[SemanticClass, Mesh]]:
    """All parts, those first that choose their place first."""
    # 1. What the map says.
    furniture = map_furniture(site, near)
    yield SemanticClass.POLE, furniture.poles
    yield SemanticClass.SIGN, furniture.signs
    yield SemanticClass.LIGHT, furniture.lights
    # 2. What follows the edge of the road.
    if style.pavement_m:
        yield SemanticClass.PAVEMENT, pavement_mesh(site, pavements(site, near, style.pavement_m))
    yield SemanticClass.OTHER, guard_rails(site, near, style)
    yield SemanticClass.POLE, street_lamps(site, style, furniture.lamps_m)
    yield SemanticClass.POLE, reflector_posts(site, style)
    yield SemanticClass.OTHER, noise_barriers(site, style)
    # 3. What fills the rest.
    houses = street_buildings(site, style)
    yield SemanticClass.BUILDING, buildings_mesh(site, style, houses)
    yield SemanticClass.OTHER, pavement_things(site, style)
    hedges, fences = garden_fronts(site, style, style.pavement_m, houses, season)
    yield SemanticClass.VEGETATION, hedges
    yield SemanticClass.OTHER, fences
    yield SemanticClass.VEGETATION, plant(site, style, season)
