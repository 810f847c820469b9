"""Where trees, bushes and woods grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from scenegraph.arrays import BoolArray, FloatArray

from .mesh import Mesh, joined
from .place_styles import PlaceStyle
from .placement import Site, spread
from .seeds import generator
from .shapes import repeated
from .trees import EVERGREEN, SPECIES, VARIANTS, bark, bush, crown, leaf_colours

_NEAR_M = 26.0
_STREET_SPECIES = ("lime", "maple", "birch", "poplar")
_CROWN_M = {"lime": 2.7, "maple": 3.0, "birch": 2.0, "poplar": 1.5, "spruce": 2.1, "pine": 2.3}
_TALL_M = {"lime": 8.0, "maple": 8.5, "birch": 8.5, "poplar": 13.0, "spruce": 11.0, "pine": 10.5}
_LEAST_CROWN_M, _LEAST_BUSH_M = 1.0, 0.45
_BRANCH_FREE_M = 0.1
_WOOD_M = (48.0, 58.0, 70.0)
_WOOD_STEP_M = 7.0


@dataclass(frozen=True, eq=False)
class Planted:
    """Plants at places [N,2] with radii and heights [N]; species [N] are words."""

    places_m: FloatArray
    radii_m: FloatArray
    heights_m: FloatArray
    species: tuple[str, ...]


def plant(site: Site, style: PlaceStyle, season: str | None) -> Mesh:
    """All trees and bushes of a place."""
    groups = [_street_trees(site, style), _loose_trees(site, style), _bushes(site, style), _woods(site, style)]
    return joined(_plants_mesh(site, group, season, number) for number, group in enumerate(groups))


def _street_trees(site: Site, style: PlaceStyle) -> Planted:
    """A row along each pavement, all of one species per stretch, slim enough for where they stand."""
    if style.street_trees_m is None:
        return _none()
    parts = []
    away_m = max(0.62 * style.pavement_m, 2.0)
    for edge in site.edges(away_m, 2.0, "street trees"):
        rng = generator(site.seed, edge.key)
        length_m = float(edge.stations_m[-1])
        stations = np.arange(rng.uniform(2, style.street_trees_m), length_m - 2.0, style.street_trees_m)
        places, _ = edge.at(stations + rng.uniform(-0.6, 0.6, len(stations)))
        species = _STREET_SPECIES[int(rng.integers(3))]
        grown = rng.uniform(0.8, 1.05, len(places))
        parts.append(
            _fitted(site, places, 0.8 * _CROWN_M[species] * grown, _TALL_M[species] * grown, (species,) * len(places))
        )
    return _all(site, parts)


def _loose_trees(site: Site, style: PlaceStyle) -> Planted:
    """Trees in gardens, yards and fields."""
    rng = generator(site.seed, "loose trees")
    places = _scattered(site, rng, style.trees_per_km, 5.0, 38.0)
    pick = rng.choice(len(SPECIES), len(places), p=(0.28, 0.25, 0.16, 0.05, 0.16, 0.10))
    species = tuple(SPECIES[i] for i in pick)
    grown = rng.uniform(0.6, 1.15, len(places))
    radii = np.array([_CROWN_M[s] for s in species]) * grown
    tall = np.array([_TALL_M[s] for s in species]) * grown
    return _all(site, [_fitted(site, places, radii, tall, species)])


def _bushes(site: Site, style: PlaceStyle) -> Planted:
    rng = generator(site.seed, "bushes")
    places = _scattered(site, rng, style.bushes_per_km, 2.5, 25.0)
    radii = rng.uniform(0.6, 1.5, len(places))
    tall = radii * rng.uniform(0.9, 1.4, len(places))
    fitted = _fitted(site, places, radii, tall, ("bush",) * len(places), _LEAST_BUSH_M)
    return _all(site, [fitted])


def _woods(site: Site, style: PlaceStyle) -> Planted:
    """The edge of a wood along stretches far from the road: rows of big trees."""
    parts = []
    for number, away_m in enumerate(_WOOD_M if style.woods else ()):
        for edge in site.edges(away_m, 6.0, f"woods:{number}"):
            rng = generator(site.seed, edge.key)
            places, _ = edge.at(np.arange(rng.uniform(0, _WOOD_STEP_M), float(edge.stations_m[-1]), _WOOD_STEP_M))
            places = places + rng.uniform(-2.5, 2.5, places.shape)
            places = places[_is_wooded(site.seed, places, style.woods)]
            pick = rng.choice(len(SPECIES), len(places), p=(0.3, 0.25, 0.1, 0.03, 0.22, 0.10))
            species = tuple(SPECIES[i] for i in pick)
            grown = rng.uniform(0.95, 1.5, len(places))
            radii = np.array([_CROWN_M[s] for s in species]) * grown * 1.15
            parts.append(_fitted(site, places, radii, np.array([_TALL_M[s] for s in species]) * grown, species))
    return _all(site, parts)


def _is_wooded(seed: int, places_m: FloatArray, share: float) -> BoolArray:
    """Which places [N,2] lie in a wood: patches of some hundred metres."""
    rng = generator(seed, "wooded")
    waves = rng.uniform(-1, 1, (5, 2)) / 60.0
    phases = rng.uniform(0, 2 * np.pi, 5)
    level = np.cos(places_m @ waves.T + phases).mean(axis=1)
    return np.asarray(level > 0.45 * (1 - 2 * share))


def _scattered(site: Site, rng: np.random.Generator, per_km: float, near_m: float, far_m: float) -> FloatArray:
    """Random places [N,2] beside the road, more of them close to it."""
    edges = site.edges(near_m, 4.0, "scattered")
    if not edges or not per_km:
        return np.zeros((0, 2))
    places = []
    for edge in edges:
        length_m = float(edge.stations_m[-1])
        count = int(rng.poisson(per_km * length_m / 1000))
        found, outward = edge.at(rng.uniform(0, length_m, count))
        places.append(found + outward * ((far_m - near_m) * rng.uniform(0, 1, count) ** 1.6)[:, None])
    return np.concatenate(places)


def _fitted(
    site: Site,
    places: FloatArray,
    radii: FloatArray,
    tall: FloatArray,
    species: tuple[str, ...],
    least_m: float = _LEAST_CROWN_M,
) -> Planted:
    """Crowns made slim enough to hang over nothing; those that would be thin sticks are left out."""
    if not len(places):
        return _none()
    fitted = np.minimum(radii, site.clearance_m(places) - _BRANCH_FREE_M)
    kept = (fitted >= least_m) & shapely.contains_xy(site.around, places)
    return Planted(places[kept], fitted[kept], tall[kept], tuple(s for s, k in zip(species, kept, strict=True) if k))


def _all(site: Site, parts: list[Planted]) -> Planted:
    """Several groups as one, without those that grow into each other; they take their place."""
    parts = [part for part in parts if len(part.places_m)]
    if not parts:
        return _none()
    places = np.concatenate([part.places_m for part in parts])
    radii = np.concatenate([part.radii_m for part in parts])
    tall = np.concatenate([part.heights_m for part in parts])
    species = [word for part in parts for word in part.species]
    kept = spread(places, 0.7 * radii)
    site.take(*shapely.buffer(shapely.points(places[kept]), 0.45 * radii[kept], quad_segs=2))
    return Planted(places[kept], radii[kept], tall[kept], tuple(s for s, k in zip(species, kept, strict=True) if k))


def _none() -> Planted:
    return Planted(np.zeros((0, 2)), np.zeros(0), np.zeros(0), ())


def _plants_mesh(site: Site, planted: Planted, season: str | None, number: int) -> Mesh:
    """The plants themselves, with detail only near the ego's way."""
    count = len(planted.places_m)
    if not count:
        return joined([])
    rng = generator(site.seed, "plants", number)
    variant, yaw = rng.integers(VARIANTS, size=count), rng.uniform(0, 2 * np.pi, count)
    luck, light = rng.uniform(size=count), rng.uniform(0.85, 1.15, count)
    is_near = shapely.distance(site.path, shapely.points(planted.places_m)) < _NEAR_M
    feet = site.on_ground(planted.places_m, -0.05)
    size = np.stack([planted.radii_m, planted.radii_m, planted.heights_m], axis=1)
    parts = []
    kinds = sorted({(s, int(v), bool(n)) for s, v, n in zip(planted.species, variant, is_near, strict=True)})
    words = np.array(planted.species)
    for species, which, near in kinds:
        chosen = (words == species) & (variant == which) & (is_near == near)
        colours = np.array(leaf_colours(species, season))
        tint = colours[(luck[chosen] * len(colours)).astype(int)] * light[chosen, None]
        for mesh, is_leafy in _forms(species, which, near, season == "winter"):
            parts.append(repeated(mesh, feet[chosen], yaw[chosen], size[chosen], tint if is_leafy else None))
    return joined(parts)


def _forms(species: str, variant: int, is_near: bool, is_winter: bool) -> list[tuple[Mesh, bool]]:
    """The meshes of a plant, each with whether it is tinted."""
    if species == "bush":
        return [(bush(variant, is_near), True)]
    kind = next(s for s in SPECIES if s == species)
    is_bare = is_winter and kind not in EVERGREEN
    woody = (bark(kind, variant, is_near, is_bare), False)
    return [woody] if is_bare else [woody, (crown(kind, variant, is_near), True)]
