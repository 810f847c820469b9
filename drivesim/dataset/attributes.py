"""What an actor is doing, in the words that data sets have for it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from scenegraph import Actor, Category
from scenegraph.arrays import FloatArray, UInt8Array

from .motion import motion_of

MOVING_MPS = 0.5
"""Slower vehicles stand: tracks of parked cars waver by that much."""
WALKING_MPS = 0.2


class Attribute(StrEnum):
    """One for every box. The code of a word in files is its place here."""

    NONE = ""
    MOVING = "moving"
    STOPPED = "stopped"
    PARKED = "parked"
    STANDING = "standing"
    WITH_RIDER = "with_rider"
    WITHOUT_RIDER = "without_rider"


ATTRIBUTES = tuple(Attribute)
_RIDER_WORDS = ("rider", "cyclist")


def attributes_of(actor: Actor, speed_mps: FloatArray) -> UInt8Array:
    """Codes uint8 [T] at instants when the actor has these speeds [T].

    A vehicle that stands is parked when it stands through all of its track, else stopped: one that waits at a light
    for as long as it is known counts as parked. A cycle has a rider when its source says so or it ever moves.
    Everything else, and what is known at one instant only, is moving or nothing.
    """
    fastest = _fastest_mps(actor)
    if actor.category == Category.CYCLIST:
        has_rider = fastest > MOVING_MPS or any(word in actor.source_category.lower() for word in _RIDER_WORDS)
        return _codes(speed_mps, Attribute.WITH_RIDER if has_rider else Attribute.WITHOUT_RIDER)
    if actor.category == Category.PEDESTRIAN:
        return _moving_or(Attribute.STANDING, speed_mps, WALKING_MPS)
    if actor.category == Category.OTHERS:
        return _moving_or(Attribute.NONE, speed_mps, MOVING_MPS)
    return _moving_or(Attribute.STOPPED if fastest > MOVING_MPS else Attribute.PARKED, speed_mps, MOVING_MPS)


def _codes(speed_mps: FloatArray, word: Attribute) -> UInt8Array:
    return np.full(len(speed_mps), ATTRIBUTES.index(word), dtype=np.uint8)


def _moving_or(word: Attribute, speed_mps: FloatArray, least_mps: float) -> UInt8Array:
    moving = np.where(speed_mps > least_mps, _codes(speed_mps, Attribute.MOVING), _codes(speed_mps, word))
    unknown = _codes(speed_mps, Attribute.NONE)
    return np.asarray(np.where(np.isnan(speed_mps), unknown, moving), dtype=np.uint8)


def _fastest_mps(actor: Actor) -> float:
    """The highest speed of the whole track, over the steps of ``motion_of``."""
    velocity = motion_of(actor.trajectory, actor.trajectory.timestamps_us).velocity_world_mps
    return float(np.nan_to_num(np.linalg.norm(velocity, axis=1)).max())
