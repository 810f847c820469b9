"""Where buildings stand: in rows that face the road, back rows behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely

from scenegraph.arrays import FloatArray

from .drivable import Area
from .houses import SIZES, backdrop_mesh, building_mesh
from .mesh import Mesh, joined
from .place_styles import BuildingKind, PlaceStyle
from .placement import Edge, Site
from .seeds import generator
from .walls import ALONE, Neighbours

_STEP_M = 1.0
_STRAIGHTEST, _SPARE_M = 0.93, 0.06
_TOUCHING_M = 0.6
_ADVANCE_M = 2.5
_SECOND_ROW_M = 24.0
_SMALLEST_BLOCK_M2 = 2000.0
_ABOVE_M = 0.1


@dataclass(frozen=True, eq=False)
class Plot:
    """A footprint: the middle of its front [2], the unit vector [2] towards the street, width and depth."""

    front_m: FloatArray
    towards: FloatArray
    width_m: float
    depth_m: float

    @property
    def corners_m(self) -> FloatArray:
        """Corners [4,2], slightly smaller, so that neighbours may touch."""
        along = np.array([-self.towards[1], self.towards[0]]) * (self.width_m / 2 - _SPARE_M)
        back = self.front_m - self.towards * self.depth_m
        return np.array([self.front_m - along, self.front_m + along, back + along, back - along])


@dataclass(frozen=True, eq=False)
class Building:
    """What stands on a plot. kind None: something of a back row."""

    plot: Plot
    kind: BuildingKind | None
    key: str
    neighbours: Neighbours


def street_buildings(site: Site, style: PlaceStyle) -> list[Building]:
    """Rows of buildings along the road, and behind them; they take their place on the site."""
    too_near = _too_near(site, style)
    found = [b for edge in _frontage(site, style, 0.0) for b in _adjoined(list(_row(site, style, edge, too_near)))]
    for number in range(style.back_rows):
        away_m = _SECOND_ROW_M * (number + 1)
        for edge in _frontage(site, style, away_m):
            found += _back_row(site, edge, number, too_near)
    return found


def buildings_mesh(site: Site, style: PlaceStyle, found: list[Building]) -> Mesh:
    """All the buildings, standing on the ground before their fronts."""
    return joined(_placed(site, style, building) for building in found)


def _frontage(site: Site, style: PlaceStyle, behind_m: float) -> list[Edge]:
    away_m = style.setback_m[0] + behind_m
    return site.edges(away_m, _STEP_M, f"frontage:{away_m:g}") if style.buildings else []


def _too_near(site: Site, style: PlaceStyle) -> Area:
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(site.road) for ring in part.interiors]
    islands = [hole for hole in holes if hole.area < _SMALLEST_BLOCK_M2]
    area = shapely.union_all([site.road.buffer(style.setback_m[0] - 0.4, quad_segs=4), *islands])
    shapely.prepare(area)
    return area


def _row(site: Site, style: PlaceStyle, edge: Edge, too_near: Area) -> Iterator[Building]:
    """Buildings side by side along one stretch of frontage."""
    rng, stations = generator(site.seed, edge.key), edge.stations_m
    kinds, shares = list(style.buildings), np.array(list(style.buildings.values()))
    s, previous_end = float(rng.uniform(0.0, max(style.gap_m[1], 1.0))), -np.inf
    number = 0
    while s + 5.0 < stations[-1]:
        kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        width_m = float(rng.uniform(*SIZES[kind].width_m))
        depth_m = float(rng.uniform(*SIZES[kind].depth_m))
        extra_m = float(rng.uniform(0.0, style.setback_m[1] - style.setback_m[0])) if style.gap_m[1] > 3 else 0.0
        if rng.uniform() > style.built_share:
            s += width_m
            continue
        plot = _fitting_plot(site, edge, s, (width_m, depth_m), extra_m, too_near, SIZES[kind].width_m[0])
        if plot is None:
            s += _ADVANCE_M
            continue
        site.take(shapely.Polygon(plot.corners_m))
        yield Building(plot, kind, f"{edge.key}:{number}", (s - previous_end < _TOUCHING_M, False))
        number += 1
        previous_end = s + plot.width_m
        s = previous_end + float(rng.uniform(*style.gap_m))


def _adjoined(row: list[Building]) -> list[Building]:
    """The same row, where those that others adjoin on their further side know it too."""
    follow = [building.neighbours[0] for building in [*row[1:], *row[:1]]]
    return [replace(b, neighbours=(b.neighbours[0], is_next)) for b, is_next in zip(row, follow, strict=True)]


def _fitting_plot(
    site: Site, edge: Edge, s: float, size_m: tuple[float, float], extra_m: float, too_near: Area, least_m: float
) -> Plot | None:
    """The plot from station s on, or a smaller one, that keeps clear of everything."""
    for wide, deep in ((1.0, 1.0), (1.0, 0.7), (0.7, 0.8)):
        width_m = max(size_m[0] * wide, least_m * 0.75)
        plot = _plot(edge, s, width_m, size_m[1] * deep, extra_m)
        if plot is None:
            continue
        shape = shapely.Polygon(plot.corners_m)
        if not shapely.intersects(too_near, shape) and site.is_free(shape):
            return plot
    return None


def _plot(edge: Edge, s: float, width_m: float, depth_m: float, extra_m: float) -> Plot | None:
    """A plot whose front is the chord of the frontage from s to s + width; None around tight corners."""
    ends, _ = edge.at(np.array([s, s + width_m]))
    chord = ends[1] - ends[0]
    length_m = float(np.hypot(*chord))
    if s + width_m > edge.stations_m[-1] or length_m < _STRAIGHTEST * width_m:
        return None
    outward = np.array([chord[1], -chord[0]]) / length_m
    return Plot(ends.mean(axis=0) + outward * extra_m, -outward, length_m, depth_m)


def _back_row(site: Site, edge: Edge, row: int, too_near: Area) -> Iterator[Building]:
    rng, s, number = generator(site.seed, edge.key), 0.0, 0
    while s + 12.0 < edge.stations_m[-1]:
        size_m = (float(rng.uniform(14, 28)), float(rng.uniform(11, 18)))
        plot = _fitting_plot(site, edge, s, size_m, float(rng.uniform(0, 5)), too_near, 14.0)
        if plot is None:
            s += 3 * _ADVANCE_M
            continue
        site.take(shapely.Polygon(plot.corners_m))
        yield Building(plot, None, f"{edge.key}:{row}:{number}", ALONE)
        number += 1
        s += plot.width_m + float(rng.uniform(0.5, 14.0))


def _placed(site: Site, style: PlaceStyle, building: Building) -> Mesh:
    rng, plot = generator(site.seed, "building", building.key), building.plot
    if building.kind is None:
        highest = 11 if "tower" in style.buildings else 5
        mesh = backdrop_mesh(plot.width_m, plot.depth_m, int(rng.integers(2 if highest < 8 else 5, highest)), rng)
    else:
        mesh = building_mesh(building.kind, plot.width_m, plot.depth_m, rng, building.neighbours)
    corners = plot.corners_m[:2]
    foot = site.on_ground(np.concatenate([plot.front_m[None], corners]))
    cos, sin = plot.towards
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return mesh.moved(turn, (*plot.front_m, float(foot[:, 2].mean()) + _ABOVE_M))
