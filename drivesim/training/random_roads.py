"""Roads of all kinds, as scenario files say them, with places and conditions that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from scenegraph.formats.opendrive import read_opendrive
from scenegraph.roads.surface import build_hdmap

from .lots import Lots

Words: TypeAlias = dict[str, Any]
"""A part of a scenario file."""

_CONDITIONS: Mapping[str, Mapping[str, float]] = {
    "weather": {
        "clear": 0.32, "cloudy": 0.2, "overcast": 0.16, "rain": 0.1, "heavy_rain": 0.06, "fog": 0.07, "snow": 0.09
    },
    "time_of_day": {"dawn": 0.08, "morning": 0.2, "noon": 0.26, "afternoon": 0.22, "dusk": 0.11, "night": 0.13},
    "season": {"none": 0.12, "spring": 0.22, "summer": 0.22, "autumn": 0.22, "winter": 0.22},
    "place": {
        "none": 0.08, "city": 0.22, "town": 0.16, "village": 0.1, "suburb": 0.14, "motorway": 0.12,
        "country_road": 0.1, "industrial_area": 0.08,
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Kind:
    """What is usual in a place: shares of layouts, lanes at most, speed limits, shares of what is beside the road."""

    layouts: Mapping[str, float]
    most_lanes: int
    limits_mps: tuple[float, ...]
    sidewalks: float
    parking: float
    one_way: float = 0.0


_URBAN = {"straight": 0.2, "curve": 0.18, "hill": 0.08, "t_junction": 0.16, "four_way": 0.26, "roundabout": 0.12}
_QUIET = {"straight": 0.2, "curve": 0.26, "hill": 0.18, "t_junction": 0.16, "four_way": 0.1, "roundabout": 0.1}
_OPEN = {"straight": 0.25, "curve": 0.35, "hill": 0.25, "t_junction": 0.15}
_FAST = {"straight": 0.3, "curve": 0.25, "hill": 0.15, "merge": 0.3}
_KINDS = {
    "city": _Kind(_URBAN, 4, (8.3, 13.9, 16.7), 1.0, 0.5, 0.15),
    "town": _Kind(_URBAN, 2, (8.3, 13.9), 0.95, 0.5, 0.1),
    "village": _Kind(_QUIET, 1, (8.3, 13.9), 0.6, 0.3),
    "suburb": _Kind(_QUIET, 2, (8.3, 13.9), 0.85, 0.5),
    "motorway": _Kind(_FAST, 4, (22.2, 27.8, 33.3, 36.1), 0.0, 0.0, 0.5),
    "country_road": _Kind(_OPEN, 1, (19.4, 25.0, 27.8), 0.0, 0.0),
    "industrial_area": _Kind(_URBAN, 2, (8.3, 13.9), 0.5, 0.3),
    "none": _Kind(_URBAN, 3, (8.3, 13.9, 19.4), 0.7, 0.3, 0.1),
}


def random_conditions(lots: Lots) -> Words:
    """Weather, time of day, season and place; snow falls in winter."""
    words = {name: lots.weighted(shares) for name, shares in _CONDITIONS.items()}
    if words["weather"] == "snow":
        words["season"] = "winter"
    if words["weather"] in ("clear", "cloudy", "overcast") and lots.happens(0.15):
        words["road"] = lots.one_of(("wet", "snowy", "icy") if words["season"] == "winter" else ("wet",))
    return {name: None if word == "none" else word for name, word in words.items()}


def random_road(place: str | None, reach_m: float, lots: Lots) -> tuple[Words, Words]:
    """A source and where the ego starts on it. reach_m: how far the ego drives at the limit, at the most."""
    kind = _KINDS[place or "none"]
    layout = lots.weighted(kind.layouts)
    lanes, oncoming = _lanes(kind, layout, lots)
    source: Words = {
        "kind": "road",
        "lanes": lanes,
        "oncoming_lanes": oncoming,
        "lane_width_m": lots.number(2.9, 3.8, 2) if place != "motorway" else lots.number(3.4, 3.9, 2),
        "speed_limit_mps": lots.one_of(kind.limits_mps),
        "sidewalks": lots.happens(kind.sidewalks),
        "parking": lots.happens(kind.parking) and layout not in ("merge", "roundabout"),
        "left_hand": lots.happens(0.12),
    }
    source["layout"], station_m = _layout(layout, reach_m, lots)
    return source, {"lane": lots.whole(0, lanes - 1), "station_m": station_m}


def random_place(path: Path, lots: Lots) -> Words:
    """A source that is a real map, with the ego anywhere on one of its lanes."""
    network = read_opendrive(path)
    lengths_m = {road.id: road.length_m for road in network.roads}
    names = [lane.id for lane in build_hdmap(network).lane_segments if lane.lane_type == "VEHICLE"]
    road, _, lane = lots.one_of(names).split(".")[0].rsplit(":", 2)
    start = {"road": road, "lane": int(lane), "s_m": lots.number(0.0, lengths_m[road])}
    return {"kind": "opendrive", "path": str(path.resolve()), "start": start}


def _lanes(kind: _Kind, layout: str, lots: Lots) -> tuple[int, int]:
    """Lanes in the ego's direction and against it."""
    if layout == "roundabout":
        return 1, 1
    shares = {1: 0.4, 2: 0.35, 3: 0.15, 4: 0.1} if kind is not _KINDS["motorway"] else {2: 0.35, 3: 0.4, 4: 0.25}
    lanes = min(lots.weighted(shares), kind.most_lanes)
    if layout == "merge" or lots.happens(kind.one_way):
        return lanes, 0
    return lanes, max(1, min(lanes + lots.weighted({-1: 0.2, 0: 0.7, 1: 0.1}), kind.most_lanes))


def _layout(kind: str, reach_m: float, lots: Lots) -> tuple[Words, float]:
    """The layout and the station of the ego, far enough before the end of the map."""
    if kind in ("t_junction", "four_way", "roundabout"):
        arm_m = lots.number(110, 170, 1)
        before_m = lots.weighted({lots.number(2, 25, 1): 0.45, lots.number(25, 95, 1): 0.55})
        words: Words = {"kind": kind, "arm_m": arm_m}
        if kind == "roundabout":
            words["radius_m"] = lots.number(13, 30, 1)
        else:
            words |= {"lights": lots.happens(0.75 if kind == "four_way" else 0.3), "crosswalks": lots.happens(0.75)}
        return words, round(arm_m - before_m, 1)
    length_m = 420.0 + round(reach_m)
    words = {"kind": kind, "length_m": length_m}
    if kind == "curve":
        words["radius_m"] = lots.number(35, 400, 1)
        widest_deg = min(120.0, 57.3 * 0.6 * length_m / words["radius_m"])
        words["angle_deg"] = lots.number(0.3 * widest_deg, widest_deg, 1) * lots.one_of((-1, 1))
    elif kind == "hill":
        words["height_m"] = lots.number(3, 16, 1) * lots.one_of((-1, 1))
    elif kind == "merge":
        words |= {"length_m": 600.0 + round(reach_m), "lane_m": lots.number(150, 260, 1)}
    return words, lots.number(60, 300, 1)
