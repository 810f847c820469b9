"""Rays against cuboids in compiled float64: the plain slab test, and a picture of them with every box counted.

A box is given from the rays' frame: rotation [3,3] takes directions into its axes, place [3] is where the rays start
in them, half [3] is half of its length, width and height.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenegraph.arrays import FloatArray

from .compiling import njit
from .raycast import Float32Array

TILE_PX = 16
_FAR_M = 1e30
_ROUNDING = 1e-9  # what tiles are widened by, so that the last bit of a sum never loses a pixel


def ray_tiles(rays: Float32Array) -> FloatArray:
    """Bundles of rays [H,W,3], 16 x 16 each: float64 [h,w,4], mean direction and how far any ray's end is from it."""
    tiles = np.zeros((-(-rays.shape[0] // TILE_PX), -(-rays.shape[1] // TILE_PX), 4))
    for j in range(tiles.shape[0]):
        for i in range(tiles.shape[1]):
            _bundle(rays[j * TILE_PX : (j + 1) * TILE_PX, i * TILE_PX : (i + 1) * TILE_PX], tiles[j, i])
    return tiles


@njit
def _bundle(rays: Any, tile: Any) -> None:
    height, width = rays.shape[0], rays.shape[1]
    for v in range(height):
        for u in range(width):
            for axis in range(3):
                tile[axis] += rays[v, u, axis] / (height * width)
    for v in range(height):
        for u in range(width):
            x, y, z = rays[v, u, 0] - tile[0], rays[v, u, 1] - tile[1], rays[v, u, 2] - tile[2]
            tile[3] = max(tile[3], math.sqrt(x * x + y * y + z * z) + _ROUNDING)


@njit
def slab(x: float, y: float, z: float, rotation: Any, place: Any, half: Any, grown: float) -> tuple[int, float]:
    """The face of a box, grown on all sides, that a ray along (x, y, z) meets first, and how far off.

    The face is the axis + 1 of its normal that looks back along the ray, negative for a normal against the axis; 0
    where the box is missed. From inside, it is the face that the ray leaves through.
    """
    enter, leave = -_FAR_M, _FAR_M
    enters, leaves = 0, 0
    for axis in range(3):
        along = rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2] * z
        start, reach = place[axis], half[axis] + grown
        if along == 0.0:
            if start < -reach or start > reach:
                return 0, 0.0
            continue
        inverse = 1.0 / along
        near, far, side = (-reach - start) * inverse, (reach - start) * inverse, -(axis + 1)
        if along < 0.0:
            near, far, side = far, near, axis + 1
        if near > enter:
            enter, enters = near, side
        if far < leave:
            leave, leaves = far, side
    if enter > leave or leave < 0.0:
        return 0, 0.0
    if enter >= 0.0:
        return enters, enter
    return leaves, leave


@njit
def hit_count(rays: Any, rotation: Any, place: Any, half: Any) -> int:
    """How many of the rays [R,3] meet a box."""
    count = 0
    for i in range(rays.shape[0]):
        face, _ = slab(rays[i, 0], rays[i, 1], rays[i, 2], rotation, place, half, 0.0)
        count += face != 0
    return count


@njit
def cast_boxes(
    rays: Any, tiles: Any, rotation: Any, place: Any, half: Any, distance: Any, owner: Any, face: Any, tally: Any
) -> None:
    """The nearest of K boxes for every ray [H,W,3], where it is nearer than ``distance`` float64 [H,W] says.

    Written: distance; owner int32 [H,W], the box; face int8 [H,W], see ``slab``; tally int64 [K,6]: rays that meet the
    box, rays that meet it first, and of the latter the lowest and highest column and row (left, top, right, bottom).
    """
    height, width = rays.shape[0], rays.shape[1]
    near = np.empty(half.shape[0], np.int64)
    for j in range(tiles.shape[0]):
        for i in range(tiles.shape[1]):
            count = _near_boxes(tiles[j, i], rotation, place, half, near)
            if count == 0:
                continue
            for v in range(j * TILE_PX, min((j + 1) * TILE_PX, height)):
                for u in range(i * TILE_PX, min((i + 1) * TILE_PX, width)):
                    x, y, z = rays[v, u, 0], rays[v, u, 1], rays[v, u, 2]
                    for n in range(count):
                        k = near[n]
                        side, far_m = slab(x, y, z, rotation[k], place[k], half[k], 0.0)
                        if side == 0:
                            continue
                        tally[k, 0] += 1
                        if far_m < distance[v, u]:
                            distance[v, u], owner[v, u], face[v, u] = far_m, k, side
                    if owner[v, u] >= 0:
                        _count_visible(tally[owner[v, u]], u, v)


@njit
def _near_boxes(tile: Any, rotation: Any, place: Any, half: Any, near: Any) -> int:
    """Which boxes any ray of a tile could meet, into ``near``; returns how many.

    A ray that meets a box t away passes within t times the tile's width of the mean ray's point at t.
    """
    count = 0
    for k in range(half.shape[0]):
        reach = math.sqrt(place[k, 0] ** 2 + place[k, 1] ** 2 + place[k, 2] ** 2)
        reach += math.sqrt(half[k, 0] ** 2 + half[k, 1] ** 2 + half[k, 2] ** 2)
        side, _ = slab(tile[0], tile[1], tile[2], rotation[k], place[k], half[k], reach * tile[3])
        if side != 0:
            near[count] = k
            count += 1
    return count


@njit
def _count_visible(tally: Any, u: int, v: int) -> None:
    tally[1] += 1
    tally[2], tally[3] = min(tally[2], u), min(tally[3], v)
    tally[4], tally[5] = max(tally[4], u), max(tally[5], v)
