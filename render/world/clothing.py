"""The finishes of one actor: paint and liveries of vehicles, clothes, skin, hair and fur."""

from __future__ import annotations

import numpy as np

from .actor_words import ActorKind
from .mesh import Material
from .paintwork import Finish, Finishes, car_paint, linear, picked
from .seeds import generator

_SKIN = ("f0c9a8", "e0ac85", "c68e6f", "a0694a", "7a4a30", "52301f")
_HAIR = ("17120e", "2a1c12", "4a3220", "6e4a2a", "b08a50", "8c8c8a", "c9c6c0")
_TOPS = ("1e1f22", "2b3a55", "5c6066", "e4e2dc", "7c2a2a", "2f5f8f", "3f5a3c", "c9b48a", "8f4a6a", "c9a227", "b8452c")
_TROUSERS = ("1c1d20", "2b2f3a", "2f4468", "3d3a36", "5f625f", "8a7a5c", "445a78")
_SHOES = ("151515", "3a2a20", "e0e0dc", "55565a")
_BAGS = ("1c1c1e", "4a2f1e", "7a2426", "26405f", "5a5f48")
_FUR = ("8a6238", "3a2a1c", "c9a878", "1c1a18", "d8d0c0")
_LORRIES = ("e6e6e4", "b5191f", "1d4f9c", "e6e6e4", "f0b61a", "2f6b45", "9aa0a5", "1f2226")
_BUSES = ("e4e4e1", "c8181e", "e4e4e1", "1f4f9a", "e9b719", "2f7a4a")
_UNIFORM: dict[ActorKind, str] = {
    "police": "e8e9e8",
    "ambulance": "efefe9",
    "fire_engine": "b80f14",
    "school_bus": "f2a900",
    "digger": "f0ab12",
}
_BANDS: dict[ActorKind, str] = {"ambulance": "c81e28", "school_bus": "1f2226"}
_LIVERIES = ("c03020", "1e5aa8", "2f7a4a", "e0a61a", "7a3f8a", "d0d2d2", "1f2226")


def finishes_of(kind: ActorKind, actor_id: str, seed: int) -> Finishes:
    """The colours that belong to one actor, by role."""
    draw = generator(seed, actor_id, "clothes")
    return {**_person(draw), **_vehicle(kind, draw, actor_id, seed), **_thing(draw)}


def _matte(hexadecimal: str) -> Finish:
    return Material.MATTE, linear(hexadecimal)


def _person(draw: np.random.Generator) -> Finishes:
    roles = {
        "skin": _SKIN,
        "hair": _HAIR,
        "top": _TOPS,
        "bottom": _TROUSERS,
        "shoes": _SHOES,
        "bag": _BAGS,
        "hat": _TOPS,
    }
    return {role: (Material.MATTE, picked(draw, colours)) for role, colours in roles.items()} | {
        "vest": _matte("d8f020")
    }


def _vehicle(kind: ActorKind, draw: np.random.Generator, actor_id: str, seed: int) -> Finishes:
    paint = car_paint(seed, actor_id)
    if kind in ("lorry", "box_lorry", "tractor", "trailer"):
        paint = Material.PAINTWORK, picked(draw, _LORRIES)
    if kind in ("bus", "bendy_bus", "tram"):
        paint = Material.PAINTWORK, picked(draw, _BUSES)
    if kind in _UNIFORM:
        paint = Material.PAINTWORK, linear(_UNIFORM[kind])
    return {
        "paint": paint,
        "body": _matte("e4e4e1"),
        "livery": _matte(_BANDS[kind]) if kind in _BANDS else (Material.MATTE, picked(draw, _LIVERIES)),
        "check": (Material.SIGN, linear("c81e28" if kind == "ambulance" else "1c4fa8")),
        "tank": (Material.METAL, linear("c0c4c8")),
    }


def _thing(draw: np.random.Generator) -> Finishes:
    fur = picked(draw, _FUR)
    return {
        "fur": (Material.MATTE, fur),
        "fur_dark": (Material.MATTE, tuple(0.4 * value for value in fur)),  # type: ignore[dict-item]
        "horn": _matte("b09a78"),
        "tape": _matte("c9b48a"),
        "bin": (Material.MATTE, picked(draw, ("2f4a38", "2b2d30", "274a7a", "5a4a2a"))),
        "bin_lid": _matte("26302a"),
        "cloth": (Material.MATTE, picked(draw, ("2a3c60", "5a2630", "2b2d30", "4a5a4a"))),
    }
