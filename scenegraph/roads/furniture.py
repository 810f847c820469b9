"""What stands on and beside roads: crosswalks, stop lines, arrows, poles, traffic lights and signs.

Codes of signals are those of the catalogue "OpenDRIVE" (1000001 to 1000003) and of Germany (294, the stop line),
which most files use whatever their country.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import FloatArray
from ..hdmap import Crosswalk, Pole, RoadMarking, StopLine, TrafficLight, TrafficSign
from ..polyline import Polyline
from ..se3 import SE3
from .connections import DRIVABLE, drives_along_s
from .cross_section import LaneStrip, SectionSurvey
from .network import Road, RoadNetwork, RoadObject, Signal
from .reference_line import ReferenceLine, road_point, road_pose

CROSSWALK_CODES = frozenset({"1000003"})
STOP_LINE_CODES = frozenset({"294"})
POLE_KINDS = frozenset({"pole", "streetlamp", "lamp", "lamppost", "guide-post", "lightpole", "trafficlightpole"})
STOP_LINE_KINDS = frozenset({"stopline", "stop-line", "signallines", "stoplocation"})
MARKING_KINDS = frozenset({"roadmark", "roadmarking", "arrow", "roadsurface"})

_CROSSWALK_DEPTH_M = 4.0
_SHORTEST_POLE_M = 1.0
_FLAT_M = 0.1
_MAST_M = 1.6  # a light taller than this is one with its mast
_LIGHT_WIDTH_M, _LIGHT_HEIGHT_M, _LIGHT_LENGTH_M = 0.4, 1.0, 0.35
_SIGN_SIDE_M, _SIGN_LENGTH_M = 0.7, 0.05
_POLE_HEIGHT_M = 4.0


@dataclass(frozen=True, eq=False)
class LightGroup:
    """Traffic lights that change together. lights: their ids in the map. name: of the controller."""

    id: str
    lights: tuple[str, ...]
    name: str = ""


def furniture_layers(network: RoadNetwork, surveys: Sequence[SectionSurvey]) -> dict[str, tuple[Any, ...]]:
    """The layers of an HDMap that come from objects and signals."""
    layers: dict[str, list[Any]] = {
        name: [] for name in ("crosswalks", "stop_lines", "poles", "road_markings", "traffic_lights", "traffic_signs")
    }
    by_road: dict[str, list[SectionSurvey]] = {}
    for survey in surveys:
        by_road.setdefault(survey.road.id, []).append(survey)
    names = signal_names(network)
    for road in network.roads:
        line = ReferenceLine(road)
        for number, thing in enumerate(road.objects):
            _add_object(layers, road, thing, f"{road.id}:object:{number}")
        for number, signal in enumerate(road.signals):
            _add_signal(layers, road, line, signal, names[road.id, number], by_road.get(road.id, []))
    return {name: tuple(elements) for name, elements in layers.items()}


def signal_names(network: RoadNetwork) -> Mapping[tuple[str, int], str]:
    """Name in the map of every signal, by road and place in its list: its id, with the road's where ids repeat."""
    times = Counter(signal.id for road in network.roads for signal in road.signals)
    return {
        (road.id, number): signal.id if times[signal.id] == 1 else f"{road.id}:{number}:{signal.id}"
        for road in network.roads
        for number, signal in enumerate(road.signals)
    }


def light_groups(network: RoadNetwork) -> tuple[LightGroup, ...]:
    """The controllers of a network with the lights of the map that they switch."""
    names = signal_names(network)
    lights: dict[str, list[str]] = {}
    for road in network.roads:
        for number, signal in enumerate(road.signals):
            if signal.is_dynamic:
                lights.setdefault(signal.id, []).append(names[road.id, number])
    groups = network.signal_groups
    return tuple(
        LightGroup(group.id, tuple(name for signal in group.signals for name in lights.get(signal, ())), group.name)
        for group in groups
    )


# -- objects ----------------------------------------------------------------------------------------


def _add_object(layers: dict[str, list[Any]], road: Road, thing: RoadObject, name: str) -> None:
    kind = thing.kind.lower()
    if kind == "crosswalk":
        layers["crosswalks"].append(Crosswalk(name, Polyline(object_outline(road, thing))))
    elif kind in STOP_LINE_KINDS:
        layers["stop_lines"].append(StopLine(name, Polyline(_middle_line(object_outline(road, thing)))))
    elif kind in MARKING_KINDS and thing.outline:
        layers["road_markings"].append(RoadMarking(name, Polyline(object_outline(road, thing)), thing.name))
    elif kind in POLE_KINDS and (thing.height_m or _POLE_HEIGHT_M) >= _SHORTEST_POLE_M:
        foot = road_point(road, np.array(thing.s_m), thing.t_m, thing.z_m)
        layers["poles"].append(_pole(name, foot, thing.height_m or _POLE_HEIGHT_M))


def object_outline(road: Road, thing: RoadObject) -> FloatArray:
    """Corners [N,3] of an object on the ground: its outline, else its rectangle."""
    half_length, half_width = thing.length_m / 2, thing.width_m / 2
    rectangle = [(-half_length, -half_width), (half_length, -half_width), (half_length, half_width)]
    local = [(c.u_m, c.v_m, c.z_m) for c in thing.outline] or [(u, v, 0.0) for u, v in rectangle]
    if not thing.outline:
        local.append((-half_length, half_width, 0.0))
    corners = np.array(local)
    on_road = np.array([corner.is_on_road for corner in thing.outline] or [False] * len(local))
    place = road_pose(road, np.array(thing.s_m), thing.t_m, thing.z_m)
    points: FloatArray = (place @ SE3.from_yaw(thing.heading_rad, np.zeros(3))).apply(corners)
    if on_road.any():
        points[on_road] = road_point(road, *corners[on_road].T)
    return points


def _middle_line(outline_m: FloatArray) -> FloatArray:
    """The line [2,3] between the middles of the shorter sides of a four-cornered outline."""
    if len(outline_m) != 4:
        return outline_m[:2]
    middles = (outline_m + np.roll(outline_m, -1, axis=0)) / 2
    sides = np.linalg.norm(np.roll(outline_m, -1, axis=0) - outline_m, axis=1)
    return middles[[0, 2]] if sides[0] + sides[2] < sides[1] + sides[3] else middles[[1, 3]]


def _pole(name: str, foot_m: FloatArray, height_m: float) -> Pole:
    return Pole(name, Polyline(np.stack([foot_m, foot_m + np.array([0.0, 0.0, height_m])])))


# -- signals ----------------------------------------------------------------------------------------


def _add_signal(
    layers: dict[str, list[Any]],
    road: Road,
    line: ReferenceLine,
    signal: Signal,
    name: str,
    surveys: Sequence[SectionSurvey],
) -> None:
    if signal.kind in CROSSWALK_CODES and not signal.is_dynamic:
        layers["crosswalks"].append(Crosswalk(name, Polyline(_painted_crosswalk(road, signal))))
    elif signal.kind in STOP_LINE_CODES and not signal.is_dynamic:
        layers["stop_lines"] += [StopLine(name, Polyline(points)) for points in _stop_line(road, signal, surveys)]
    elif signal.is_dynamic:
        _add_light(layers, line, signal, name)
    elif signal.kind not in ("", "-1") and not 0 < signal.height_m < _FLAT_M:
        width, height = signal.width_m or _SIGN_SIDE_M, signal.height_m or _SIGN_SIDE_M
        box = _facing(line, signal, height / 2)
        layers["traffic_signs"].append(TrafficSign(name, box, _SIGN_LENGTH_M, width, height, signal.kind))


def _add_light(layers: dict[str, list[Any]], line: ReferenceLine, signal: Signal, name: str) -> None:
    """A light, and its mast where the signal is as tall as one."""
    width, height = signal.width_m or _LIGHT_WIDTH_M, signal.height_m or _LIGHT_HEIGHT_M
    head = min(height, _LIGHT_HEIGHT_M) if height > _MAST_M else height
    box = _facing(line, signal, height - head / 2)
    layers["traffic_lights"].append(TrafficLight(name, box, min(width, _LIGHT_LENGTH_M), width, head))
    if height > _MAST_M:
        foot = line.pose_at(np.array(signal.s_m)).apply(np.array([0.0, signal.t_m, signal.z_m]))
        layers["poles"].append(_pole(f"{name}:mast", foot, height))


def _facing(line: ReferenceLine, signal: Signal, above_m: float) -> SE3:
    """world_from_box of an upright plate whose front looks at its traffic, its middle so far above its lower edge."""
    pose = line.pose_at(np.array(signal.s_m))
    foot = pose.apply(np.array([0.0, signal.t_m, signal.z_m]))
    turned = 0.0 if signal.orientation == "-" else math.pi
    yaw = float(pose.yaw_rad) + turned + signal.heading_rad
    return SE3.from_yaw(yaw, foot + np.array([0.0, 0.0, above_m]))


def _painted_crosswalk(road: Road, signal: Signal) -> FloatArray:
    """The rectangle [4,3] of a crosswalk that begins at its signal; the value is its depth along s."""
    depth_m, half_m = signal.value or _CROSSWALK_DEPTH_M, (signal.width_m or 2 * _CROSSWALK_DEPTH_M) / 2
    s = signal.s_m + np.array([0.0, 0.0, depth_m, depth_m])
    return road_point(road, s, signal.t_m + np.array([-half_m, half_m, half_m, -half_m]), signal.z_m)


def _stop_line(road: Road, signal: Signal, surveys: Sequence[SectionSurvey]) -> Iterator[FloatArray]:
    """The line [2,3] across the lanes that the signal is for, from left to right along s; none without such lanes."""
    survey = next((s for s in surveys if s.stations_m[0] - 1e-6 <= signal.s_m <= s.stations_m[-1] + 1e-6), None)
    strips = [strip for strip in survey.strips if _is_for(signal, road, strip)] if survey else []
    if strips:
        t = [np.interp(signal.s_m, s.stations_m, e) for s in strips for e in (s.inner_t_m, s.outer_t_m)]
        yield road_point(road, np.array([signal.s_m] * 2), np.array([max(t), min(t)]), signal.z_m)


def _is_for(signal: Signal, road: Road, strip: LaneStrip) -> bool:
    lane = strip.lane
    if lane.kind not in DRIVABLE - {"biking"} or lane.id == 0:
        return False
    if signal.lanes is not None and not signal.lanes[0] <= lane.id <= signal.lanes[1]:
        return False
    return signal.orientation == "none" or (signal.orientation == "+") == drives_along_s(road, lane)
