"""Errors of the generator.

ModelError
├── CheckpointError    a weights file or folder that cannot be read, or holds another network
├── ShapeError         arrays whose sizes do not fit each other or the network
└── CapacityError      more than the machine can hold, or a split over processes that cannot be made

A message says what is wrong, where, and what to do.
"""

from __future__ import annotations


class ModelError(RuntimeError):
    """Base of everything this package raises on bad input."""


class CheckpointError(ModelError):
    """A weights file or folder that cannot be read, or holds another network than the one asked for."""


class ShapeError(ModelError):
    """Arrays whose sizes do not fit each other or the network."""


class CapacityError(ModelError):
    """More than the machine can hold, or a split over processes that cannot be made."""
