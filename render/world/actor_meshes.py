"""A mesh for every actor: recognisable, filling its box, and the same for the same seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from scenegraph import Actor, Category
from scenegraph.arrays import FloatArray

from .actor_parts import Part
from .actor_shapes import Shape, is_walking, parts_of, shape_of
from .actor_template import Bounds, Template, bounds_of
from .actor_words import ActorKind, kind_of
from .clothing import finishes_of
from .mesh import Mesh
from .two_wheelers import WHEEL_TURNS_PER_PEDAL

PHASES = 16
"""How many different moments of a walk are drawn."""


def actor_mesh(
    category: Category,
    source_category: str,
    actor_id: str,
    length_m: float,
    width_m: float,
    height_m: float,
    seed: int,
    *,
    stride: float = 0.0,
) -> Mesh:
    """The actor in its box frame: origin at the box's centre, x forward, z up.

    It reaches all six faces of the box and stands on the lowest. What walks or pedals stays inside at every moment
    and reaches the faces over its whole cycle.

    stride: how far the walk, the pedals or the wheels have gone, radians; see ``phase_of``.
    """
    kind = kind_of(category, source_category, length_m, width_m, height_m)
    shape = shape_of(kind, source_category, actor_id, length_m, width_m, height_m, seed)
    moment = round(stride / (2 * np.pi) * PHASES) % PHASES if is_walking(kind) else 0
    turn_rad = stride * WHEEL_TURNS_PER_PEDAL if kind == "cyclist" else stride
    return _template(shape, moment).mesh(length_m, width_m, height_m, finishes_of(kind, actor_id, seed), turn_rad)


@lru_cache(maxsize=4096)
def _template(shape: Shape, moment: int) -> Template:
    if not is_walking(shape.kind):
        return Template.of(parts_of(shape, 0.0))
    return Template.of(_moving_parts(shape, moment), _cycle_bounds(shape))


@lru_cache(maxsize=512)
def _cycle_bounds(shape: Shape) -> Bounds:
    """The box around all moments of a walk."""
    bounds = [bounds_of(_moving_parts(shape, moment)) for moment in range(PHASES)]
    lows, highs = zip(*bounds, strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _moving_parts(shape: Shape, moment: int) -> list[Part]:
    return parts_of(shape, 2 * np.pi * moment / PHASES)


# -- phase -------------------------------------------------------------------------------------------

_STANDING_MPS = 0.4
_SPEED_SPAN_US = 200_000


def phase_of(actor: Actor, times_us: npt.ArrayLike) -> FloatArray:
    """How far its walk, pedals or wheels have gone at instants [Q], radians, from the way it has travelled.

    Walkers that stand still have their feet together.
    """
    times = np.asarray(times_us, dtype=np.int64)
    sizes = [float(np.median(size)) for size in (actor.length_m, actor.width_m, actor.height_m)]
    kind = kind_of(actor.category, actor.source_category, *sizes)
    phase = _travelled_m(actor, times) / _metres_per_radian(kind, sizes[0], sizes[2])
    if not is_walking(kind) or kind == "cyclist":
        return phase
    before, after = times - _SPEED_SPAN_US, times + _SPEED_SPAN_US
    speed_mps = np.abs(_travelled_m(actor, after) - _travelled_m(actor, before)) / (2e-6 * _SPEED_SPAN_US)
    rest = np.clip(1.0 - speed_mps / _STANDING_MPS, 0.0, 1.0)
    return np.asarray(phase + rest * (np.round(phase / np.pi) * np.pi - phase))


def _travelled_m(actor: Actor, times_us: npt.NDArray[np.int64]) -> FloatArray:
    """Metres gone forward since the first key pose; shaking sideways or to and fro adds nothing."""
    track = actor.trajectory
    if len(track) == 1:
        return np.zeros(times_us.shape)
    place_m, heading = track.world_from_body.translation_m, track.world_from_body.rotation[:, :, 0]
    steps_m = (np.diff(place_m, axis=0) * (heading[1:] + heading[:-1]) / 2).sum(axis=1)
    gone_m = np.concatenate([[0.0], np.cumsum(steps_m)])
    held = np.clip(times_us, track.first_us, track.last_us)
    return np.asarray(np.interp(held, track.timestamps_us, gone_m))


def _metres_per_radian(kind: ActorKind, length_m: float, height_m: float) -> float:
    """A walk's cycle is two steps, a cyclist's one turn of the pedals, a vehicle's one of its wheels."""
    if kind == "cyclist":
        return 0.34 * WHEEL_TURNS_PER_PEDAL
    if kind in ("dog", "deer"):
        return 0.9 * length_m / (2 * np.pi)
    if is_walking(kind):
        return 0.8 * height_m / (2 * np.pi)
    return min(0.5, max(0.25, 0.2 * height_m))
