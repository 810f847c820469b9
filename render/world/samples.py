"""Rays with everything that is known about what they meet, and the light that they bring back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..raycast import TriangleScene
from .contact import Contact
from .facades import draw_facades
from .faces import Faces, gather
from .ground_shading import draw_ground
from .lamps import Lamps
from .light import Light
from .paint import GroundPictures
from .shading import illuminate, mirror_rays, radiate

Float32Array = npt.NDArray[np.float32]
_LIFT_M: Final = 0.02
_MIRROR_SPREAD: Final = 0.02
_MIRRORED_MOST: Final = np.float32(0.25)
"""Ripples spread what is brighter than that beyond recognition."""


class World(NamedTuple):
    """All that light depends on at one instant.

    still, moving: what there is, to cast rays against and to look up. grain, clouds: repeating noise float32 [S,S].
    open_sky, under: what still things and what bodies leave of the sky. glow: float32 [A,2], see ``moving``.
    """

    still: TriangleScene
    moving: TriangleScene
    still_faces: Faces
    moving_faces: Faces
    light: Light
    pictures: GroundPictures
    grain: Any
    clouds: Any
    lamps: Lamps
    open_sky: Contact
    under: Contact
    glow: Any


@dataclass(frozen=True, eq=False)
class Samples:
    """R rays and what they meet.

    origins, directions, place, normal, colour: float32 [R,3]. distance_m: float32 [R]. spread: float32 [R], the angle
    that a ray stands for. face: int32 [R], -1 for the sky. material: uint8 [R], 255 for the sky. owner: int32 [R],
    index of the actor. uv: float32 [R,2] on walls. sunlit: bool [R].
    """

    origins: Float32Array
    directions: Float32Array
    spread: Float32Array
    distance_m: Float32Array
    face: npt.NDArray[np.int32]
    place: Float32Array
    normal: Float32Array
    material: npt.NDArray[np.uint8]
    colour: Float32Array
    owner: npt.NDArray[np.int32]
    uv: Float32Array
    sunlit: npt.NDArray[np.bool_]


def cast(world: World, origins: Float32Array, directions: Float32Array, spread: Float32Array) -> Samples:
    """What rays from origins [R,3] along unit directions [R,3] meet first."""
    first, other = world.still.first_hits(origins, directions), world.moving.first_hits(origins, directions)
    is_moving = other.distance_m < first.distance_m
    face = np.where(is_moving, other.triangle + len(world.still_faces.owner), first.triangle).astype(np.int32)
    distance = np.where(is_moving, other.distance_m, first.distance_m)
    count = len(face)
    place, normal, colour = (np.zeros((count, 3), dtype=np.float32) for _ in range(3))
    material, owner = np.full(count, 255, dtype=np.uint8), np.full(count, -1, dtype=np.int32)
    uv = np.zeros((count, 2), dtype=np.float32)
    gather(
        world.still_faces, world.moving_faces, origins, directions, distance, face,
        place, normal, material, colour, owner, uv,
    )  # fmt: skip
    sunlit = _sunlit(world, face, place, normal)
    return Samples(origins, directions, spread, distance, face, place, normal, material, colour, owner, uv, sunlit)


def _sunlit(
    world: World, face: npt.NDArray[np.int32], place: Float32Array, normal: Float32Array
) -> npt.NDArray[np.bool_]:
    """Where the sun shines."""
    sunlit = np.zeros(len(face), dtype=np.bool_)
    if any(world.light.sun_rgb):
        sun = np.array(world.light.sun, dtype=np.float32)
        asked = np.flatnonzero((face >= 0) & (normal @ sun > -0.2))
        for triangles in (world.moving, world.still):
            starts = place[asked] + np.float32(_LIFT_M) * normal[asked]
            towards = np.array(np.broadcast_to(sun, starts.shape))
            asked = asked[~triangles.blocked(starts, towards)]
        sunlit[asked] = True
    return sunlit


def light_of_samples(world: World, samples: Samples) -> Float32Array:
    """The light float32 [R,3] that samples bring back."""
    light, count = world.light, len(samples.face)
    albedo = samples.colour.copy()
    gloss, water = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    own = np.zeros((count, 3), dtype=np.float32)
    # 1. What surfaces are like.
    draw_ground(
        world.pictures, world.grain, light.wet, samples.material, samples.place, samples.directions,
        samples.distance_m, samples.normal, samples.spread, albedo, water,
    )  # fmt: skip
    draw_facades(
        light.dark, light.lamps, samples.material, samples.uv, samples.directions, samples.distance_m,
        samples.normal, samples.spread, albedo, gloss, own,
    )  # fmt: skip
    # 2. The light that falls on them.
    falling = np.zeros((count, 3), dtype=np.float32)
    illuminate(
        light, world.open_sky, world.under, world.lamps, world.grain, samples.material, samples.place, samples.normal,
        np.where(samples.face >= 0, samples.distance_m, 0) * samples.spread, samples.sunlit, samples.owner, albedo,
        falling,
    )  # fmt: skip
    # 3. What comes back.
    out = np.empty((count, 3), dtype=np.float32)
    radiate(
        light, world.clouds, world.glow, samples.material, samples.owner, samples.directions, samples.distance_m,
        samples.normal, samples.sunlit, samples.colour, albedo, gloss, own, falling, _mirrored(world, samples, water),
        water, out,
    )  # fmt: skip
    return out


def _mirrored(world: World, samples: Samples, water: Float32Array) -> Float32Array:
    """The light float32 [R,3] that water on the ground mirrors, 0 where there is none."""
    found = np.zeros_like(samples.directions)
    chosen = np.flatnonzero(water > 0)
    if len(chosen):
        towards = np.empty((len(chosen), 3), dtype=np.float32)
        mirror_rays(world.grain, samples.place, samples.directions, samples.distance_m, samples.spread, chosen, towards)
        starts = samples.place[chosen] + np.array([0, 0, _LIFT_M], dtype=np.float32)
        dry = world._replace(light=world.light._replace(wet=0.0))
        spread = np.maximum(samples.spread[chosen], np.float32(_MIRROR_SPREAD))
        light = light_of_samples(dry, cast(dry, starts, towards, spread))
        found[chosen] = np.minimum(light, _MIRRORED_MOST + 2.0 * np.float32(max(world.light.horizon)))
    return found
