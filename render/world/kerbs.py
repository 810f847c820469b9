"""Kerbs and pavements: raised strips along the edge of the road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from scenegraph import HDMap
from scenegraph.arrays import FloatArray

from .drivable import Area
from .mesh import Material, Mesh, joined
from .placement import Edge, Site
from .shapes import quads, strip

KERB_M, KERB_HEIGHT_M = 0.16, 0.12
_DROPPED_M = 0.03
_KERB_RGB, _FACE_RGB, _PAVING_RGB = (0.36, 0.36, 0.345), (0.30, 0.30, 0.29), (0.29, 0.28, 0.265)
_STEP_M = 4.0
_CROSSING_M = 1.2
_BELOW_M = 0.3


@dataclass(frozen=True, eq=False)
class Pavement:
    """A kerb with the raised strip behind it, along one edge; widths [N] say how far it reaches at every point."""

    edge: Edge
    widths_m: FloatArray
    heights_m: FloatArray


def pavements(site: Site, hdmap: HDMap, width_m: float) -> list[Pavement]:
    """Along every edge of the road; narrower where other roads are near, lowered at crosswalks."""
    crossings = shapely.union_all(
        [
            shapely.Polygon(c.polyline.points_m[:, :2]).buffer(_CROSSING_M)
            for c in hdmap.crosswalks
            if len(c.polyline) > 2
        ]
    )
    shapely.prepare(crossings)
    found = []
    for edge in site.edges(0.0, _STEP_M, "kerb"):
        is_crossing = shapely.intersects_xy(crossings, edge.points_m)
        heights = np.where(is_crossing, _DROPPED_M, KERB_HEIGHT_M)
        found.append(Pavement(edge, _free_widths(site.road, edge, width_m), heights))
    return found


def pavement_mesh(site: Site, found: list[Pavement]) -> Mesh:
    """Kerb stones and paving."""
    return joined(part for pavement in found for part in _strips(site, pavement))


def _strips(site: Site, pavement: Pavement) -> list[Mesh]:
    edge, widths, heights = pavement.edge, pavement.widths_m, pavement.heights_m
    kerb_m = np.minimum(KERB_M, widths)
    foot = site.on_ground(edge.points_m, -0.02)
    top = site.on_ground(edge.offset(0.015), heights - 0.015)
    shoulder = site.on_ground(edge.offset(0.03), heights)
    behind = site.on_ground(edge.offset(kerb_m), heights)
    parts = [
        strip(np.stack([foot, top]), Material.MATTE, _FACE_RGB),
        strip(np.stack([top, shoulder, behind]), Material.MATTE, _KERB_RGB),
    ]
    lines = [behind]
    for share in (0.5, 1.0):
        lines.append(site.on_ground(edge.offset(kerb_m + share * (widths - kerb_m)), KERB_HEIGHT_M))
    paving = strip(np.stack(lines), Material.GROUND, _PAVING_RGB)
    drop = strip(np.stack([lines[-1], lines[-1] - [0.0, 0.0, _BELOW_M]]), Material.MATTE, _FACE_RGB)
    return [*parts, paving, drop, *_end_faces(lines, foot)]


def _end_faces(lines: list[FloatArray], foot: FloatArray) -> list[Mesh]:
    """Upright faces where a pavement ends, at the map's end."""
    down = np.array([0.0, 0.0, _BELOW_M])
    corners = [np.stack([foot[i] - down, lines[0][i], lines[-1][i], lines[-1][i] - down]) for i in (0, -1)]
    return [quads(np.stack(corners), Material.MATTE, _FACE_RGB)]


def _free_widths(road: Area, edge: Edge, width_m: float) -> FloatArray:
    """How wide a strip may be at every point so that it leaves what is across free: at most half of an island."""
    widths = np.full(len(edge.points_m), width_m)
    for _ in range(6):
        gaps_m = shapely.distance(road, shapely.points(edge.offset(widths)))
        tight = gaps_m < 0.75 * widths
        if not tight.any():
            break
        widths[tight] *= 0.7
    # A strip does not jump in width from one point to the next.
    return np.asarray(np.minimum.reduce([np.roll(widths, 1), widths, np.roll(widths, -1)]))
