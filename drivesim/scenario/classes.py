"""What the classes of a scenario are: how large, drawn as what, and what they can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from scenegraph import Category

from .schema_actors import ActorClass, ActorFile


@dataclass(frozen=True)
class Limits:
    """What a class can do at the most; a motion beyond it is refused.

    Rounded from: UN Regulations 13 and 13-H (service brakes of heavy vehicles reach at least 5.0 m/s², of cars
    6.43; dry tyres hold about 9.5), dry asphalt sideways (0.7 to 0.8 g for cars), rollover thresholds of laden
    lorries and buses (0.35 to 0.45 g), EU Directive 97/27 (a lorry turns inside of 12.5 m outside radius), turning
    circles of cars (10.5 m, kerb to kerb), brakes that build up in 0.3 s, and walkers, runners and dogs as measured in
    gait studies.

    jerk_mps3: of the speed along the way and of the acceleration to the side, each over a tenth of a second.
    turning_radius_m: the tightest circle of the middle of the rear axle; 0 for what turns on the spot.
    """

    speed_mps: float
    acceleration_mps2: float
    braking_mps2: float
    lateral_mps2: float
    jerk_mps3: float
    yaw_rate_radps: float
    turning_radius_m: float = 0.0

    @property
    def can_move(self) -> bool:
        """Whether it goes anywhere by itself."""
        return self.speed_mps > 0


@dataclass(frozen=True)
class ActorKind:
    """Usual size, the category it is drawn as, and limits of a class."""

    category: Category
    length_m: float
    width_m: float
    height_m: float
    limits: Limits


@dataclass(frozen=True)
class Body:
    """A cuboid on wheels or feet.

    rear_axle_m: how far the rear axle is behind the centre; it is what follows a path without sliding sideways.
    wheelbase_m, track_m: between axles and between wheels; 0 where it stays upright on slopes.
    """

    length_m: float
    width_m: float
    height_m: float
    rear_axle_m: float = 0.0
    wheelbase_m: float = 0.0
    track_m: float = 0.0

    @property
    def front_m(self) -> float:
        """From the rear axle to the front bumper."""
        return self.length_m / 2 + self.rear_axle_m

    @property
    def rear_m(self) -> float:
        """From the rear axle back to the rear bumper."""
        return self.length_m / 2 - self.rear_axle_m


_STILL = Limits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

KINDS: Mapping[ActorClass, ActorKind] = MappingProxyType(
    {
        "car": ActorKind(Category.CAR, 4.6, 1.9, 1.55, Limits(70, 5.0, 9.5, 7.0, 30, 1.3, 3.8)),
        "van": ActorKind(Category.CAR, 5.4, 2.0, 2.1, Limits(55, 3.5, 8.5, 5.5, 25, 1.0, 4.8)),
        "truck": ActorKind(Category.TRUCK, 9.5, 2.5, 3.4, Limits(35, 2.0, 7.0, 3.5, 20, 0.7, 7.0)),
        "bus": ActorKind(Category.TRUCK, 12.0, 2.55, 3.2, Limits(35, 2.0, 7.0, 3.5, 20, 0.7, 7.5)),
        "trailer": ActorKind(Category.TRUCK, 12.0, 2.5, 3.6, Limits(35, 1.5, 6.5, 3.0, 20, 0.6, 7.5)),
        "motorcycle": ActorKind(Category.CYCLIST, 2.2, 0.8, 1.5, Limits(80, 7.0, 9.5, 8.0, 30, 1.8, 2.5)),
        "cyclist": ActorKind(Category.CYCLIST, 1.8, 0.6, 1.75, Limits(20, 2.5, 6.0, 4.0, 25, 2.0, 1.2)),
        "pedestrian": ActorKind(Category.PEDESTRIAN, 0.6, 0.6, 1.75, Limits(10, 5.0, 6.0, 4.0, 40, 6.0)),
        "child": ActorKind(Category.PEDESTRIAN, 0.45, 0.45, 1.2, Limits(7, 5.0, 6.0, 4.0, 40, 6.0)),
        "animal": ActorKind(Category.OTHERS, 1.2, 0.4, 0.8, Limits(20, 8.0, 8.0, 6.0, 60, 6.0)),
        "emergency": ActorKind(Category.CAR, 5.6, 2.1, 2.5, Limits(60, 4.5, 9.0, 5.5, 25, 1.0, 5.0)),
        "cone": ActorKind(Category.OTHERS, 0.4, 0.4, 0.8, _STILL),
        "barrier": ActorKind(Category.OTHERS, 2.0, 0.5, 1.0, _STILL),
        "debris": ActorKind(Category.OTHERS, 0.8, 0.6, 0.4, _STILL),
    }
)
assert set(KINDS) == set(get_args(ActorClass)), "every class of the schema has a kind"

EGO_BODY = Body(4.87, 1.85, 1.47, rear_axle_m=1.42, wheelbase_m=2.85, track_m=1.6)
"""The recording vehicle, a saloon: logs do not say how large it is."""

EGO_LIMITS = KINDS["car"].limits

_LONG_EMERGENCY_M = 7.0
_ON_FEET: tuple[ActorClass, ...] = ("pedestrian", "child", "animal")
_SINGLE_TRACK: tuple[ActorClass, ...] = ("motorcycle", "cyclist")


def body_of(actor: ActorFile) -> Body:
    """Its size as the file says, else as its class usually is."""
    kind = KINDS[actor.category]
    length_m = actor.length_m or kind.length_m
    width_m = actor.width_m or kind.width_m
    height_m = actor.height_m or kind.height_m
    return body(actor.category, length_m, width_m, height_m)


def body(name: ActorClass, length_m: float, width_m: float, height_m: float) -> Body:
    """A body of this class and size: axles where such vehicles have them."""
    if name in _ON_FEET:
        return Body(length_m, width_m, height_m)
    track_m = 0.0 if name in _SINGLE_TRACK else 0.84 * width_m
    rear_axle_m = 0.29 * length_m if KINDS[name].limits.can_move else 0.0
    return Body(length_m, width_m, height_m, rear_axle_m, 0.6 * length_m, track_m)


def walks(name: ActorClass) -> bool:
    """Whether it goes on feet."""
    return name in _ON_FEET


def category_of(name: ActorClass, length_m: float | None = None) -> Category:
    """What it is drawn as; a long emergency vehicle is a fire engine and so a Truck."""
    kind = KINDS[name]
    if name == "emergency" and (length_m or kind.length_m) > _LONG_EMERGENCY_M:
        return Category.TRUCK
    return kind.category
