"""What takes part in traffic, before anything has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from scenegraph import Actor
from scenegraph.roads.lane_path import Turn

from .classes import Body
from .schema_actors import ActorClass


@dataclass(frozen=True)
class Driver:
    """A vehicle that drives along lanes, and how it is driven.

    station_m: of the centre of its box, from the start of its lane.
    desired_mps: its speed on a free road, None for ``limit_factor`` times the limit of each lane.
    turn: at junctions. reacts: keeps its distance; else it drives as if alone. is_background: may be left out where
        something that does not react would run into it.
    """

    id: str
    category: ActorClass
    body: Body
    lane_id: str
    station_m: float
    speed_mps: float
    turn: Turn = "straight"
    desired_mps: float | None = None
    limit_factor: float = 1.0
    time_gap_s: float = 1.5
    standstill_gap_m: float = 2.0
    acceleration_mps2: float = 1.4
    braking_mps2: float = 2.0
    reacts: bool = True
    is_background: bool = True


@dataclass(frozen=True, eq=False)
class Bystander:
    """Somebody beside the road who does not react: parked, standing, or walking by."""

    actor: Actor


Planned: TypeAlias = Driver | Bystander
