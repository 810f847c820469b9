"""How high the ground of an Argoverse 2 log is, and how high its vehicle frame floats above it.

Everything here is in city coordinates: metres, x east, y north, z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from ..arrays import FloatArray
from ..errors import FormatError
from .strict_json import Node

# The published vehicle frame sits on the rear axle at wheel-centre height: the radius of the fleet's tyres,
# used only where a log says nothing about its ground.
NOMINAL_EGO_HEIGHT_M = 0.33
_EGO_HEIGHT_LIMITS_M = (0.0, 1.0)
_NEARBY_M = 5.0


@dataclass(frozen=True, eq=False)
class GroundRaster:
    """Ground heights on a grid, NaN where unknown.

    heights_m: float [rows, columns], indexed by v, u.
    rotation [2,2], translation_m [2], scale: pixel = scale (rotation @ city + translation).
    """

    heights_m: FloatArray
    rotation: FloatArray
    translation_m: FloatArray
    scale: float

    def at(self, xy_m: FloatArray) -> FloatArray:
        """Ground z [N] under city points [N,2], NaN outside of the raster and in its holes."""
        pixels = np.floor(self.scale * (xy_m @ self.rotation.T + self.translation_m)).astype(np.int64)
        rows, columns = self.heights_m.shape
        u, v = pixels[:, 0], pixels[:, 1]
        inside = (u >= 0) & (u < columns) & (v >= 0) & (v < rows)
        z = np.full(len(xy_m), np.nan)
        z[inside] = self.heights_m[v[inside], u[inside]]
        return z


class EdgeHeights:
    """Heights along lines: z of the nearest place on any of their edges, nearest in the ground plane."""

    def __init__(self, lines_m: Sequence[FloatArray]) -> None:
        self._start = np.concatenate([line[:-1] for line in lines_m])
        self._edge = np.concatenate([np.diff(line, axis=0) for line in lines_m])
        ends = self._start + self._edge
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([self._start[:, :2], ends[:, :2]], axis=1)))

    def at(self, xy_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(z [N], distance to that edge in metres [N]) for points [N,2]."""
        found, distance_m = self._tree.query_nearest(shapely.points(xy_m), all_matches=False, return_distance=True)
        nearest, away_m = np.empty(len(xy_m), dtype=np.int64), np.empty(len(xy_m))
        nearest[found[0]], away_m[found[0]] = found[1], distance_m
        start, edge = self._start[nearest], self._edge[nearest]
        squared = np.maximum((edge[:, :2] ** 2).sum(axis=1), 1e-18)
        share = np.clip(((xy_m - start[:, :2]) * edge[:, :2]).sum(axis=1) / squared, 0.0, 1.0)
        return start[:, 2] + share * edge[:, 2], away_m


def measure_ego_height(
    map_folder: Path, lane_edges_m: Sequence[FloatArray], positions_m: FloatArray
) -> tuple[float, str]:
    """How far the vehicle frame is above the ground, and what says so.

    positions_m: origins of the vehicle frame [T,3]. The median over all of them is taken: against the ground
    raster where the log has one, else against lane edges within 5 m, else the nominal height is returned.
    """
    height_m, measure = NOMINAL_EGO_HEIGHT_M, "nominal"
    if len(gaps_m := _above_raster(map_folder, positions_m)):
        height_m, measure = float(np.median(gaps_m)), "ground raster"
    elif len(gaps_m := _above_edges(lane_edges_m, positions_m)):
        height_m, measure = float(np.median(gaps_m)), "lane edges"
    low, high = _EGO_HEIGHT_LIMITS_M
    if not low <= height_m <= high:
        problem = f"the vehicle is {height_m:.2f} m above the {measure}"
        raise FormatError(map_folder, "", problem, f"{low:g} to {high:g} m are possible; is this the map of this log?")
    return height_m, measure


def _above_raster(map_folder: Path, positions_m: FloatArray) -> FloatArray:
    raster = read_ground_raster(map_folder)
    if raster is None:
        return np.empty(0)
    gaps_m = positions_m[:, 2] - raster.at(positions_m[:, :2])
    known: FloatArray = gaps_m[np.isfinite(gaps_m)]
    return known


def _above_edges(lane_edges_m: Sequence[FloatArray], positions_m: FloatArray) -> FloatArray:
    if not lane_edges_m:
        return np.empty(0)
    ground_m, away_m = EdgeHeights(lane_edges_m).at(positions_m[:, :2])
    near: FloatArray = (positions_m[:, 2] - ground_m)[away_m <= _NEARBY_M]
    return near


def read_ground_raster(map_folder: Path) -> GroundRaster | None:
    """The ground raster of a log, None when there is none."""
    heights = sorted(map_folder.glob("*_ground_height_surface____*.npy"))
    if not heights:
        return None
    if len(heights) > 1:
        raise FormatError(map_folder, "", f"{len(heights)} files *_ground_height_surface____*.npy", "One is allowed.")
    placement = sorted(map_folder.glob("*___img_Sim2_city.json"))
    if len(placement) != 1:
        problem = f"{len(placement)} files *___img_Sim2_city.json"
        raise FormatError(map_folder, "", problem, f"One is needed to place {heights[0].name}.")
    return GroundRaster(_read_heights(heights[0]), *_read_placement(placement[0]))


def _read_heights(file: Path) -> FloatArray:
    try:
        heights = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(file, "", "cannot be read as npy", "It is truncated or damaged.") from error
    if heights.ndim != 2 or heights.dtype.kind != "f":
        problem = f"expected [rows,columns] of floats, got {list(heights.shape)} {heights.dtype}"
        raise FormatError(file, "", problem)
    return np.asarray(heights, dtype=np.float64)


def _read_placement(file: Path) -> tuple[FloatArray, FloatArray, float]:
    root = Node.load(file)
    scale = root["s"].number()
    if scale <= 0:
        raise root["s"].error(f"{scale:g}", "It must be above 0.")
    return root["R"].array(4).reshape(2, 2), root["t"].array(2), scale
