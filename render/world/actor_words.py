"""What an actor is, from the word of the data set it came from, its class and its size."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, get_args

from scenegraph import Category

ActorKind = Literal[
    "car", "van", "pickup", "police", "ambulance", "fire_engine", "lorry", "box_lorry", "tractor", "trailer", "bus",
    "bendy_bus", "school_bus", "tram", "digger", "sign_trailer",
    "bicycle", "cyclist", "motorcycle", "motorcyclist", "kick_scooter", "scooter_rider",
    "adult", "child", "worker", "officer", "wheelchair", "stroller",
    "dog", "deer",
    "cone", "drum", "barrier", "bollard", "debris", "trolley", "bin", "rack", "sign", "box",
]  # fmt: skip

_VEHICLES: dict[ActorKind, tuple[str, ...]] = {
    "car": ("car", "regular_vehicle", "automobile", "vehicle", "vehicle.car", "other_vehicle"),
    "van": ("van",),
    "police": (
        "vehicle.emergency.police",
        "police",
    ),
    "ambulance": ("vehicle.emergency.ambulance", "ambulance", "emergency", "emergency_vehicle"),
    "lorry": ("truck", "lorry", "large_vehicle", "vehicle.truck", "heavy_truck"),
    "box_lorry": ("box_truck",),
    "tractor": ("truck_cab",),
    "trailer": ("trailer", "vehicular_trailer", "vehicle.trailer"),
    "bus": ("bus", "vehicle.bus.rigid", "trolley_bus"),
    "bendy_bus": ("articulated_bus", "vehicle.bus.bendy"),
    "school_bus": ("school_bus",),
    "tram": ("railed_vehicle", "tram", "train_or_tram_car"),
    "digger": (
        "vehicle.construction",
        "construction",
    ),
    "sign_trailer": ("message_board_trailer", "traffic_light_trailer"),
    "bicycle": ("bicycle", "vehicle.bicycle", "bicyclist", "cyclist", "rider", "bicyclist+bicycle"),
    "motorcycle": ("motorcycle", "vehicle.motorcycle", "motorcyclist", "motorcyclist+motorcycle"),
    "kick_scooter": ("wheeled_device", "wheeled_rider", "human.pedestrian.personal_mobility"),
}
_OTHERS: dict[ActorKind, tuple[str, ...]] = {
    "adult": ("pedestrian", "person", "human.pedestrian.adult"),
    "child": ("child", "human.pedestrian.child"),
    "worker": ("human.pedestrian.construction_worker", "construction_worker", "official_signaler"),
    "officer": (
        "human.pedestrian.police_officer",
        "police_officer",
    ),
    "wheelchair": ("wheelchair", "human.pedestrian.wheelchair"),
    "stroller": ("stroller", "human.pedestrian.stroller"),
    "dog": ("dog", "animal"),
    "deer": ("deer",),
    "cone": ("cone", "construction_cone", "movable_object.trafficcone", "traffic_cone"),
    "drum": ("construction_barrel",),
    "barrier": ("barrier", "movable_object.barrier"),
    "bollard": ("bollard",),
    "debris": ("debris", "movable_object.debris"),
    "trolley": ("movable_object.pushable_pullable",),
    "rack": ("static_object.bicycle_rack",),
    "sign": ("sign", "stop_sign", "mobile_pedestrian_sign"),
}
KIND_OF_WORD = MappingProxyType(
    {word: kind for kinds in (_VEHICLES, _OTHERS) for kind, words in kinds.items() for word in words}
)
"""Lower-case words of Argoverse 2, nuScenes, Lyft, NVIDIA's formats and our own scenarios."""

_CLASS_KIND: dict[Category, ActorKind] = {
    Category.CAR: "car",
    Category.TRUCK: "lorry",
    Category.PEDESTRIAN: "adult",
    Category.CYCLIST: "bicycle",
    Category.OTHERS: "box",
}
_RIDDEN_BICYCLE_M, _RIDDEN_MOTORCYCLE_M = 1.35, 1.45
assert set(_VEHICLES) | set(_OTHERS) < set(get_args(ActorKind)), "every word names a kind"


def kind_of(category: Category, source_category: str, length_m: float, width_m: float, height_m: float) -> ActorKind:
    """What to draw: the source's word where it is known, else the class; then its size decides between near kinds."""
    word = source_category.lower()
    kind = KIND_OF_WORD.get(word, _CLASS_KIND[category])
    if kind in ("bicycle", "motorcycle", "kick_scooter"):
        return _two_wheeler(kind, word, length_m, height_m)
    if kind in ("car", "lorry", "van"):
        return _motor_vehicle(kind, length_m, height_m)
    if kind == "ambulance" and category is not Category.PEDESTRIAN and "ambulance" not in word:
        return "fire_engine" if length_m > 7.0 else "police" if height_m < 2.0 else "ambulance"
    if kind == "adult":
        return "child" if height_m < 1.4 else "adult"
    if kind == "dog":
        return "deer" if height_m > 1.1 else "dog"
    if kind == "box":
        return _thing(length_m, width_m, height_m)
    return kind


def _two_wheeler(kind: ActorKind, word: str, length_m: float, height_m: float) -> ActorKind:
    """With somebody on it where the word or the height says so; a rider without a cycle stands."""
    has_rider = "cyclist" in word or "rider" in word
    if has_rider and length_m < 0.6 * height_m and "+" not in word and kind != "kick_scooter":
        return "adult"
    if kind == "kick_scooter":
        return "scooter_rider" if has_rider or height_m > _RIDDEN_BICYCLE_M else "kick_scooter"
    if kind == "motorcycle":
        return "motorcyclist" if has_rider or height_m > _RIDDEN_MOTORCYCLE_M else "motorcycle"
    return "cyclist" if has_rider or height_m > _RIDDEN_BICYCLE_M else "bicycle"


def _motor_vehicle(kind: ActorKind, length_m: float, height_m: float) -> ActorKind:
    if length_m > 7.0 or height_m > 2.75:
        return "lorry"
    if kind == "lorry":
        return "pickup" if height_m < 2.15 and length_m > 4.8 else "van" if length_m < 6.2 else "lorry"
    return "van" if kind == "van" or height_m > 2.05 else "car"


def _thing(length_m: float, width_m: float, height_m: float) -> ActorKind:
    breadth_m = max(length_m, width_m)
    if height_m > 2.2 * breadth_m:
        return "bollard"
    if breadth_m < 0.8 and 0.8 < height_m < 1.4:
        return "bin"
    return "box"
