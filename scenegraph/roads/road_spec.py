"""What can be asked of a made road, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..errors import MapError

GUTTER_M, SHOULDER_M = 0.3, 1.0
"""Paved beyond the edge line: up to the kerb of a sidewalk, or up to the verge."""
PARKING_M = 2.2
SIDEWALK_M = 2.5


@dataclass(frozen=True)
class Straight:
    """A straight road from (0, 0) east."""

    length_m: float = 400.0


@dataclass(frozen=True)
class Curve:
    """Straight, a curve with clothoids at both ends, straight. angle_deg: to the left, whichever side is driven on."""

    length_m: float = 400.0
    radius_m: float = 120.0
    angle_deg: float = 60.0


@dataclass(frozen=True)
class Hill:
    """Up to ``height_m`` and down again; below 0 a dip."""

    length_m: float = 500.0
    height_m: float = 10.0


@dataclass(frozen=True)
class TJunction:
    """A minor road ends on the ego's road, coming from its right. arm_m: length of every road up to the junction."""

    arm_m: float = 120.0
    lights: bool = False
    crosswalks: bool = True


@dataclass(frozen=True)
class FourWay:
    """Two roads cross; without lights the ego's road has priority. arm_m: length of every road up to the junction."""

    arm_m: float = 120.0
    lights: bool = True
    crosswalks: bool = True


@dataclass(frozen=True)
class Merge:
    """A slip road joins from the right. lane_m: length of the acceleration lane with its taper."""

    length_m: float = 500.0
    lane_m: float = 200.0


@dataclass(frozen=True)
class Roundabout:
    """Four arms on a ring of one lane. radius_m: of that lane's centre. arm_m: length of every road up to the ring."""

    radius_m: float = 18.0
    arm_m: float = 120.0


Layout: TypeAlias = Straight | Curve | Hill | TJunction | FourWay | Merge | Roundabout


@dataclass(frozen=True)
class RoadSpec:
    """A road made to measure.

    lanes: in the ego's direction. oncoming_lanes: 0 makes all roads one-way. A crossing road has the same lanes.
    parking: a parking lane at the right edge of the ego's road. left_hand: everything mirrored, left for right.
    centre_colour: of the line between the directions, and of the left edge line of a one-way road. The centre line
    is broken between one lane each way and a double solid one between more.
    """

    layout: Layout = field(default_factory=Straight)
    lanes: int = 2
    oncoming_lanes: int = 1
    lane_width_m: float = 3.5
    speed_limit_mps: float = 13.9
    sidewalks: bool = True
    parking: bool = False
    left_hand: bool = False
    centre_colour: Literal["white", "yellow"] = "yellow"

    def __post_init__(self) -> None:
        if self.lanes < 1 or self.oncoming_lanes < 0:
            raise MapError(
                f"road: {self.lanes} lanes and {self.oncoming_lanes} oncoming lanes. "
                "Give at least 1 lane and no fewer than 0 oncoming lanes"
            )
        if not (self.lane_width_m > 0 and self.speed_limit_mps > 0):
            raise MapError(
                f"road: lane_width_m {self.lane_width_m:g}, speed_limit_mps {self.speed_limit_mps:g}. "
                "Both must be above 0"
            )

    @property
    def margin_m(self) -> float:
        """Paved beyond the outermost lane."""
        return GUTTER_M if self.sidewalks else SHOULDER_M

    @property
    def is_one_way(self) -> bool:
        """Whether nothing comes towards the ego."""
        return self.oncoming_lanes == 0
