"""Which shape an actor gets: a body style that fits its size, a load, a figure; and the parts of every shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .actor_parts import Part
from .actor_words import ActorKind
from .animals import deer_parts, dog_parts
from .buses import bus_parts, school_bus_parts, tram_parts
from .car_shapes import SHAPES
from .cars import car_parts
from .diggers import excavator_parts, loader_parts
from .emergency import ambulance_parts, fire_engine_parts, police_parts
from .lorries import as_load, is_articulated, lorry_parts, tractor_parts, trailer_parts
from .people import Figure, Gait, person_parts, wheelchair_parts
from .seeds import generator
from .things import (
    barrier_parts,
    bin_parts,
    bollard_parts,
    box_parts,
    concrete_barrier_parts,
    cone_parts,
    debris_parts,
    drum_parts,
    rack_parts,
    sign_parts,
    sign_trailer_parts,
    stroller_parts,
    trolley_parts,
)
from .two_wheelers import bicycle_parts, kick_scooter_parts, motorcycle_parts

_WALKING: frozenset[ActorKind] = frozenset({"adult", "child", "worker", "officer", "dog", "deer", "cyclist"})
_WITH_PEOPLE: frozenset[ActorKind] = frozenset(
    {"adult", "child", "worker", "officer", "wheelchair", "cyclist", "motorcyclist", "scooter_rider"}
)
_STEP_M = 0.05
_PERSON_M = 1.775


@dataclass(frozen=True)
class Shape:
    """All that decides a template. Sizes are rounded, so that actors of nearly the same size share it."""

    kind: ActorKind
    style: str = ""
    figure: Figure = field(default_factory=Figure)
    size_m: tuple[float, float, float] = (1.0, 1.0, 1.0)


def is_walking(kind: ActorKind) -> bool:
    """Whether its shape changes as it goes."""
    return kind in _WALKING


def shape_of(
    kind: ActorKind,
    source_category: str,
    actor_id: str,
    length_m: float,
    width_m: float,
    height_m: float,
    seed: int,
) -> Shape:
    """The shape of one actor of one seed."""
    draw = generator(seed, actor_id, "shape")
    length, width, height = (max(_STEP_M, round(size / _STEP_M) * _STEP_M) for size in (length_m, width_m, height_m))
    style = _style(kind, draw, length_m, height_m, source_category.lower())
    return Shape(kind, style, _figure(kind, draw), (length, width, height))


def _car_style(draw: np.random.Generator, length_m: float, height_m: float) -> str:
    """A body style as cars of this size have it."""
    luck = draw.random()
    if length_m > 5.1 and height_m > 1.7:
        return "pickup" if luck < 0.55 else "suv"
    if height_m > 1.85:
        return "minivan"
    if height_m > 1.6:
        return "hatchback" if length_m < 4.2 and luck < 0.6 else "minivan" if luck < 0.15 else "suv"
    if length_m < 4.25:
        return "hatchback"
    return "saloon" if luck < 0.55 else "estate" if luck < 0.8 else "hatchback"


def _style(kind: ActorKind, draw: np.random.Generator, length_m: float, height_m: float, word: str) -> str:
    match kind:
        case "car":
            return _car_style(draw, length_m, height_m)
        case "van":
            return "panel_van" if height_m > 2.05 or draw.random() < 0.5 else "minivan"
        case "pickup":
            return "pickup"
        case "box_lorry":
            return "box"
        case "trailer":
            return str(draw.choice(("box", "curtain", "flatbed")))
        case "lorry":
            loads = ("box", "box", "curtain", "tipper", "flatbed", "tank", "cement")
            return str(draw.choice(("curtain", "box", "tank") if is_articulated(length_m) else loads))
        case "barrier":
            return "board" if draw.random() < 0.6 else "concrete"
        case "digger":
            return "excavator" if length_m > 7.0 or draw.random() < 0.4 else "loader"
        case "sign":
            return "stop" if "stop" in word else "warning"
    return ""


def _figure(kind: ActorKind, draw: np.random.Generator) -> Figure:
    if kind not in _WITH_PEOPLE:
        return Figure()
    clothes, hair, bag = draw.random(3)
    if kind in ("worker", "officer"):
        return Figure(hair="hat", vest=kind == "worker")
    if kind == "motorcyclist":
        return Figure(hair="helmet", facets=6)
    if kind in ("cyclist", "scooter_rider", "wheelchair"):
        has_bag = bag < 0.25 and kind != "wheelchair"
        return Figure(hair="hat" if hair < 0.75 else "short", bag="backpack" if has_bag else "none", facets=6)
    return Figure(
        "trousers" if clothes < 0.68 else "coat" if clothes < 0.85 else "skirt",
        "short" if hair < 0.55 else "long" if hair < 0.88 else "hat",
        "none" if bag < 0.6 else "backpack" if bag < 0.8 else "handbag",
        child=kind == "child",
    )


def parts_of(shape: Shape, phase: float) -> list[Part]:
    """The parts of a shape, about as large as it says; phase: of the walk or the pedals, radians."""
    kind, style, figure = shape.kind, shape.style, shape.figure
    if kind in _SIMPLE:
        return _SIMPLE[kind]()
    if kind in _SIZED:
        return _SIZED[kind](*shape.size_m)
    match kind:
        case "car" | "van" | "pickup":
            return car_parts(SHAPES[style], *shape.size_m)
        case "lorry" | "box_lorry":
            return lorry_parts(as_load(style), *shape.size_m)
        case "trailer":
            return trailer_parts(as_load(style), *shape.size_m)
        case "bus" | "bendy_bus":
            return bus_parts(*shape.size_m, bends=kind == "bendy_bus")
        case "digger":
            return (excavator_parts if style == "excavator" else loader_parts)(*shape.size_m)
        case "bicycle" | "cyclist":
            return bicycle_parts(figure if kind == "cyclist" else None, phase)
        case "motorcycle" | "motorcyclist":
            return motorcycle_parts(figure if kind == "motorcyclist" else None)
        case "kick_scooter" | "scooter_rider":
            return kick_scooter_parts(figure if kind == "scooter_rider" else None)
        case "wheelchair":
            return wheelchair_parts(figure)
        case "dog" | "deer":
            return dog_parts(0.5, phase) if kind == "dog" else deer_parts(0.4, phase)
        case "barrier":
            return _barrier(style, shape.size_m[0], shape.size_m[1])
        case "rack":
            return rack_parts(shape.size_m[1])
        case "sign":
            return sign_parts(style == "stop")
    return person_parts(figure, _gait(*shape.size_m, phase))


def _barrier(style: str, length_m: float, width_m: float) -> list[Part]:
    """Along the longer side of its box; data sets do not agree on which that is."""
    parts = (barrier_parts if style == "board" else concrete_barrier_parts)(max(length_m, width_m))
    return parts if width_m >= length_m else [part.turned for part in parts]


_SIMPLE: Mapping[ActorKind, Callable[[], list[Part]]] = {
    "cone": cone_parts,
    "drum": drum_parts,
    "bollard": bollard_parts,
    "debris": debris_parts,
    "trolley": trolley_parts,
    "bin": bin_parts,
    "box": box_parts,
    "stroller": stroller_parts,
}
_SIZED: Mapping[ActorKind, Callable[[float, float, float], list[Part]]] = {
    "tractor": tractor_parts,
    "school_bus": school_bus_parts,
    "tram": tram_parts,
    "police": police_parts,
    "ambulance": ambulance_parts,
    "fire_engine": fire_engine_parts,
    "sign_trailer": sign_trailer_parts,
}


def _gait(length_m: float, width_m: float, height_m: float, phase: float) -> Gait:
    """Steps as long and arms as far out as the box has room for, so that hardly any stretching is left to do."""
    scale = _PERSON_M / height_m
    swing = np.arcsin(np.clip((length_m * scale - 0.28) / 1.7, 0.18, 0.55))
    out = np.arcsin(np.clip((width_m * scale / 2 - 0.245) / 0.39, 0.08, 0.6))
    return Gait(round(float(swing), 1), round(float(out), 1), phase)
