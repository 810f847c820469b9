"""The shape of the ground: a smooth height field through everything the map knows to lie on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import cg
from scipy.spatial import cKDTree

from scenegraph import HDMap, Scene
from scenegraph.arrays import FloatArray

from .mesh import Material, Mesh

CELL_M = 2.0
_MARGIN_M = 24.0
_MOST_CELLS = 250_000
_FLAT_M = 0.01
_DECIMALS = 4
"""Sums differ in their last bits with the number of cores; tenths of millimetres do not."""
_ROBUST_M = 0.3
_OTHER_LEVEL_M, _SAME_LEVEL_M, _SAME_SPOT_M = 3.0, 1.5, 5.0
_ROUNDS = 2
_HORIZON_M = 3000.0
_GROWTH = 1.5
_GROUND_COLOUR = (0.2, 0.2, 0.2)


@dataclass(frozen=True)
class _Fit:
    """How far nodes are apart, and how much bending costs against missing a point."""

    cell_m: float
    stiffness: float


_MAPPED, _UNMAPPED = _Fit(CELL_M, 0.02), _Fit(8.0, 4.0)


@dataclass(frozen=True, eq=False)
class Ground:
    """Heights on a grid, bilinear between its nodes and held beyond its edges.

    x_m [M], y_m [N]: where the nodes are. z_m: float64 [M,N].
    """

    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray

    def z(self, xy_m: Any) -> FloatArray:
        """Heights [...] of places [...,2]."""
        xy = np.asarray(xy_m, dtype=np.float64)
        row, along = _place(self.x_m, xy[..., 0])
        column, across = _place(self.y_m, xy[..., 1])
        near = self.z_m[row, column] + (self.z_m[row, column + 1] - self.z_m[row, column]) * across
        far = self.z_m[row + 1, column] + (self.z_m[row + 1, column + 1] - self.z_m[row + 1, column]) * across
        return np.asarray(near + (far - near) * along)

    def mesh(self) -> Mesh:
        """Its surface as triangles, out to the horizon."""
        x, y = _to_the_horizon(self.x_m), _to_the_horizon(self.y_m)
        grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
        vertices = np.concatenate([grid, self.z(grid)[..., None]], axis=-1).reshape(-1, 3)
        corner = (np.arange(len(x) - 1)[:, None] * len(y) + np.arange(len(y) - 1)).ravel()
        east, north = corner + len(y), corner + 1
        triangles = np.concatenate(
            [np.stack([corner, east, east + 1], axis=1), np.stack([corner, east + 1, north], axis=1)]
        )
        return Mesh.of(vertices, triangles, Material.GROUND, _GROUND_COLOUR)


def ground_of(scene: Scene) -> Ground:
    """The ground of a scene: through its lanes, lines and kerbs and under the wheels of the ego.

    Where there is no map the feet of the actors count. Of roads that cross above each other the ego's level counts.
    """
    path = scene.ego.world_from_body.translation_m
    lines = _map_lines(scene.hdmap)
    if lines:
        known = np.concatenate([_on_level(lines, path), path])
    else:  # the ego's wheels count as much as the feet of all others, whose boxes hover and sink a little
        feet = _feet(scene)
        known = np.concatenate([feet, *[path] * max(round(len(feet) / len(path)), 1)])
    if np.ptp(known[:, 2]) < _FLAT_M:
        return _flat(known)
    return _fitted(known, _MAPPED if lines else _UNMAPPED)


def _map_lines(hdmap: HDMap) -> list[FloatArray]:
    """Lines [N,3] that lie on the ground, points about as far apart as nodes."""
    lines = [edge for lane in hdmap.lane_segments for edge in (lane.left, lane.right)]
    for layer in (hdmap.lane_lines, hdmap.road_boundaries, hdmap.crosswalks, hdmap.stop_lines):
        lines += [element.polyline for element in layer]
    return [line.densified(CELL_M).points_m for line in lines]


def _feet(scene: Scene) -> FloatArray:
    """Where the actors stand [N,3]: the middle of the bottom of every box."""
    places = [np.zeros((0, 3))]
    for actor in scene.actors:
        pose = actor.trajectory.world_from_body
        down = np.stack([np.zeros(len(pose)), np.zeros(len(pose)), -actor.height_m / 2], axis=-1)
        places.append(pose.apply(down[:, None, :])[:, 0])
    return np.concatenate(places)


def _on_level(lines: list[FloatArray], path: FloatArray) -> FloatArray:
    """The points [N,3] of all lines; of those that pass far above or below others only what is near the ego's level."""
    points = np.concatenate(lines)
    line = np.repeat(np.arange(len(lines)), [len(part) for part in lines])
    off_m = np.abs(points[:, 2] - path[cKDTree(path[:, :2]).query(points[:, :2])[1], 2])
    _, cell = np.unique(np.floor(points[:, :2] / _SAME_SPOT_M).astype(np.int64), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    nearest = np.full(cell.max() + 1, np.inf)
    np.minimum.at(nearest, cell, off_m)
    passes = np.zeros(len(lines), dtype=bool)
    passes[line[off_m > nearest[cell] + _OTHER_LEVEL_M]] = True
    return np.asarray(points[~passes[line] | (off_m < _SAME_LEVEL_M)])


def _flat(points: FloatArray) -> Ground:
    low, high = points[:, :2].min(axis=0) - _MARGIN_M, points[:, :2].max(axis=0) + _MARGIN_M
    return Ground(np.array([low[0], high[0]]), np.array([low[1], high[1]]), np.full((2, 2), np.median(points[:, 2])))


def _fitted(points: FloatArray, fit: _Fit) -> Ground:
    """The smoothest surface near all points; single points that disagree with the others count less."""
    low, high = points[:, :2].min(axis=0) - _MARGIN_M, points[:, :2].max(axis=0) + _MARGIN_M
    step = max(fit.cell_m, float(np.sqrt(np.prod(high - low) / _MOST_CELLS)))
    shape = np.ceil((high - low) / step).astype(np.int64) + 1
    x, y = low[0] + step * np.arange(shape[0]), low[1] + step * np.arange(shape[1])
    # What is left after the plane through all points is fitted on the grid.
    design = np.concatenate([points[:, :2], np.ones((len(points), 1))], axis=1)
    plane = np.linalg.lstsq(design, points[:, 2], rcond=None)[0]
    rest = points[:, 2] - design @ plane
    looks, smooth = _weights(points, x, y), _bending(int(shape[0]), int(shape[1]))
    z, trust = _first_guess(rest, looks), np.ones(len(points))
    for _ in range(_ROUNDS):
        weighted = sparse.diags(trust) @ looks
        system = (looks.T @ weighted + fit.stiffness * smooth).tocsr()
        scale = sparse.diags(1.0 / system.diagonal())
        z, _ = cg(system, weighted.T @ rest, x0=z, rtol=1e-7, maxiter=400, M=scale)
        trust = 1.0 / (1.0 + ((looks @ z - rest) / _ROBUST_M) ** 2)
    heights = z.reshape(shape) + plane[0] * x[:, None] + plane[1] * y + plane[2]
    return Ground(x, y, np.round(heights, _DECIMALS))


def _weights(points: FloatArray, x: FloatArray, y: FloatArray) -> Any:
    """How much every node [M*N] counts at every point, sparse [P,M*N]."""
    row, along = _place(x, points[:, 0])
    column, across = _place(y, points[:, 1])
    nodes = row * len(y) + column
    columns = np.stack([nodes, nodes + 1, nodes + len(y), nodes + len(y) + 1], axis=1)
    shares = [(1 - along) * (1 - across), (1 - along) * across, along * (1 - across), along * across]
    rows = np.repeat(np.arange(len(points)), 4)
    values = np.stack(shares, axis=1).ravel()
    return sparse.csr_matrix((values, (rows, columns.ravel())), shape=(len(points), len(x) * len(y)))


def _bending(rows: int, columns: int) -> Any:
    """The quadratic form of second differences along both axes, sparse [M*N,M*N]; planes cost nothing."""
    along = sparse.kron(_second_difference(rows), sparse.identity(columns))
    across = sparse.kron(sparse.identity(rows), _second_difference(columns))
    twist = sparse.kron(_first_difference(rows), _first_difference(columns))
    return along.T @ along + across.T @ across + 2.0 * (twist.T @ twist)


def _second_difference(count: int) -> Any:
    return sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(max(count - 2, 0), count))


def _first_difference(count: int) -> Any:
    return sparse.diags([-1.0, 1.0], [0, 1], shape=(count - 1, count))


def _first_guess(heights: FloatArray, looks: Any) -> FloatArray:
    """The mean height of what lies around a node, and of everything where nothing does."""
    count = np.asarray(looks.sum(axis=0)).ravel()
    total = looks.T @ heights
    return np.where(count > 1e-6, total / np.maximum(count, 1e-6), heights.mean())


def _place(nodes: FloatArray, value: FloatArray) -> tuple[Any, FloatArray]:
    """The node before every value and how far it is on to the next, 0 to 1."""
    index = np.clip(np.searchsorted(nodes, value, side="right") - 1, 0, len(nodes) - 2)
    share = (value - nodes[index]) / (nodes[index + 1] - nodes[index])
    return index, np.clip(share, 0.0, 1.0)


def _to_the_horizon(nodes: FloatArray) -> FloatArray:
    """Nodes with more beyond both ends, ever further apart."""
    beyond = []
    step, reached = 16.0, 0.0
    while reached < _HORIZON_M:
        reached += step
        beyond.append(reached)
        step *= _GROWTH
    more = np.array(beyond)
    return np.concatenate([nodes[0] - more[::-1], nodes, nodes[-1] + more])
