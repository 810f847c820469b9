"""Who is on and beside a random road: traffic by density, and single actors who do something."""

from __future__ import annotations

from .lots import Lots
from .random_roads import Words

_CROWDS = {
    "city": (0.9, 70.0), "town": (0.8, 45.0), "village": (0.6, 20.0), "suburb": (0.7, 25.0), "motorway": (0.0, 0.0),
    "country_road": (0.1, 5.0), "industrial_area": (0.4, 10.0), "none": (0.6, 40.0),
}  # fmt: skip
"""Share of scenarios with people beside the road, and how many per kilometre at the most."""
_SLOT_M = 14.0
_SLOTS = (-3, -2, -1, 1, 2, 3, 4, 5)
_THINGS = ("cone", "barrier", "debris", "animal")
_VEHICLES = {"car": 0.5, "van": 0.15, "truck": 0.15, "bus": 0.1, "motorcycle": 0.05, "emergency": 0.05}


def random_traffic(place: str | None, parking: bool, lots: Lots) -> Words:
    """Background traffic of any density and mix."""
    share, most = _CROWDS[place or "none"]
    heavy = lots.number(0.0, 0.35 if place in ("motorway", "industrial_area") else 0.2)
    return {
        "per_km": lots.number(5, 60, 1) if lots.happens(0.92) else 0.0,
        "mix": {
            "car": 1.0,
            "van": lots.number(0.05, 0.3),
            "truck": heavy,
            "bus": lots.number(0.0, 0.15) if place != "motorway" else 0.02,
            "motorcycle": lots.number(0.0, 0.15),
        },
        "parked_per_km": lots.number(20, 110, 1) if parking or lots.happens(0.15) else 0.0,
        "pedestrians_per_km": lots.number(0.1 * most, most, 1) if lots.happens(share) else 0.0,
    }


def random_actors(place: str | None, oncoming: int, speed_mps: float, lots: Lots) -> list[Words]:
    """Up to eight actors, each in a place of its own: cyclists, people who cross, things in the road, a manoeuvre."""
    is_fast = place == "motorway"
    wanted = [
        *(["cyclist"] * (0 if is_fast else lots.weighted({0: 0.4, 1: 0.25, 2: 0.2, 3: 0.15}))),
        *(["person"] * (0 if is_fast else lots.weighted({0: 0.5, 1: 0.25, 2: 0.15, 3: 0.1}))),
        *(["vehicle"] * lots.weighted({0: 0.5, 1: 0.35, 2: 0.15})),
        *(["thing"] * lots.weighted({0: 0.85, 1: 0.1, 2: 0.05})),
    ]
    makers = {"cyclist": _cyclist, "person": _person, "vehicle": _vehicle, "thing": _thing}
    lanes = ["ego", *(["oncoming"] if oncoming else [])]
    places = lots.some_of([(lane, slot) for slot in _SLOTS for lane in lanes], len(wanted))
    return [
        {"id": f"{what}-{number}"} | makers[what](lane, slot * _SLOT_M + lots.number(-3, 3), speed_mps, lots)
        for number, (what, (lane, slot)) in enumerate(zip(wanted, places, strict=True))
    ]


def _cyclist(lane: str, ahead_m: float, speed_mps: float, lots: Lots) -> Words:
    place = {"kind": "lane", "lane": lane, "ahead_m": ahead_m, "lateral_m": lots.number(-1.0, -0.5)}
    return {"category": "cyclist", "place": place, "behaviour": _keeping(lots.number(2.5, 7.0))}


def _person(lane: str, ahead_m: float, speed_mps: float, lots: Lots) -> Words:
    """Somebody who crosses, or walks or stands at the edge of the road."""
    category = "child" if lots.happens(0.2) else "pedestrian"
    beside = {"kind": "roadside", "side": lots.one_of(("left", "right")), "ahead_m": ahead_m}
    if lots.happens(0.5):
        crossing = {"kind": "jaywalk", "at_s": lots.number(0.0, 1.0), "speed_mps": lots.number(0.9, 2.0)}
        return {"category": category, "place": beside | {"beyond_edge_m": lots.number(0.2, 1.5)}, "behaviour": crossing}
    return {"category": category, "place": beside | {"beyond_edge_m": lots.number(0.4, 2.5)}}


def _vehicle(lane: str, ahead_m: float, speed_mps: float, lots: Lots) -> Words:
    category = lots.weighted(
        {"car": 0.5, "van": 0.15, "truck": 0.15, "bus": 0.1, "motorcycle": 0.05, "emergency": 0.05}
    )
    own_mps = max(1.0, speed_mps * lots.number(0.7, 1.1))
    behaviour = _keeping(own_mps)
    if lane == "ego" and ahead_m > 0 and lots.happens(0.3):
        behaviour = {"kind": "hard_brake", "speed_mps": own_mps, "at_s": lots.number(0.0, 2.0)}
    if lane == "ego" and lots.happens(0.15):
        behaviour = {"kind": "still"}
    return {"category": category, "place": {"kind": "lane", "lane": lane, "ahead_m": ahead_m}, "behaviour": behaviour}


def _thing(lane: str, ahead_m: float, speed_mps: float, lots: Lots) -> Words:
    place = {"kind": "lane", "lane": lane, "ahead_m": ahead_m, "lateral_m": lots.number(-1.5, 1.5)}
    return {"category": lots.one_of(_THINGS), "place": place}


def _keeping(speed_mps: float) -> Words:
    return {"kind": "keep_lane", "speed_mps": round(speed_mps, 2)}
