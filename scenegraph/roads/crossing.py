"""A four-way crossing with lights, crosswalks and traffic: a scene for when no recorded log is at hand.

One arm is built in its own frame (x away from the crossing, y to the left) and turned four times.
Right-hand traffic, two lanes each way, everything flat at z = 0. The ego drives east through green; traffic
from north and south waits at red, while people cross there. A shorter scene is the beginning of a longer one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..actor import Actor, Category
from ..arrays import FloatArray
from ..errors import TimeRangeError
from ..hdmap import (
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    Pole,
    RoadBoundary,
    RoadMarking,
    StopLine,
    TrafficLight,
    TrafficSign,
)
from ..polyline import Polyline
from ..scene import LightTimeline, Scene
from ..se3 import SE3
from ..trajectory import Trajectory

_Point: TypeAlias = tuple[float, float]

_LANE_M = 3.5
_HALF_ROAD_M = 2 * _LANE_M
_MOUTH_M = 13.0  # where an arm begins: crossing half width and corner radius
_STOP_M = _MOUTH_M + 4.5  # where its traffic stops
_ARM_M = 90.0  # where it ends
_STEP_S = 0.1
_SHORTEST_S, _LONGEST_S = _STEP_S, 10.0
_BRAKING_MPS2 = 2.5
_YELLOW_AT_US = 9_000_000  # the ego and everyone else going straight on have passed


def crossing_scene(seconds: float = 10.0) -> Scene:
    """The crossing over at most 10 seconds, without cameras. The ego starts 45 m west of the middle at 9 m/s."""
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise TimeRangeError(f"the built-in crossing lasts {_SHORTEST_S:g} to {_LONGEST_S:g} s, got {seconds:g}")
    ego = _drive((-45.0, -1.5 * _LANE_M), (60.0, -1.5 * _LANE_M), 9.0, seconds, height_m=0.0)
    arms = [_arm(index) for index in range(4)]
    hdmap = HDMap(**{name: tuple(element for arm in arms for element in arm[name]) for name in arms[0]})
    lights = {light.id: _phase(light.id) for light in hdmap.traffic_lights}
    return Scene(
        "built-in-crossing",
        hdmap,
        ego,
        _traffic(seconds),
        light_states=lights,
        source={"format": "built-in", "licence": "Apache-2.0"},
    )


def _arm(index: int) -> dict[str, list[Any]]:
    """Everything of one arm, in world metres; arm 0 points east, 1 north, 2 west, 3 south."""
    world_from_arm = SE3.from_yaw(index * math.pi / 2, np.zeros(3))

    def line(points: Sequence[_Point], height_m: float = 0.0) -> Polyline:
        flat = np.array([(x, y, height_m) for x, y in points])
        return Polyline(world_from_arm.apply(flat)).densified(2.0)

    def box(x: float, y: float, z: float) -> SE3:
        return world_from_arm @ SE3(np.eye(3), np.array([x, y, z]))

    def straight(lateral_m: float) -> Polyline:
        return line([(_MOUTH_M, lateral_m), (_ARM_M, lateral_m)])

    corner = [(_MOUTH_M - 6.0 * math.sin(a), _MOUTH_M - 6.0 * math.cos(a)) for a in np.linspace(0.0, math.pi / 2, 9)]
    edges = {f"{index}-right": -_HALF_ROAD_M, f"{index}-left": _HALF_ROAD_M}
    mast = [(_MOUTH_M - 1.0, -_HALF_ROAD_M - 0.8, 0.0), (_MOUTH_M - 1.0, -_HALF_ROAD_M - 0.8, 5.4)]
    crossing_x = (_MOUTH_M + 0.5, _MOUTH_M + 3.5)
    stripe = [(crossing_x[0], -_HALF_ROAD_M), (crossing_x[0], _HALF_ROAD_M)]
    stripe += [(crossing_x[1], _HALF_ROAD_M), (crossing_x[1], -_HALF_ROAD_M)]
    return {
        "lane_segments": [_lane(index, number, straight) for number in range(4)],
        "lane_lines": [
            LaneLine(f"{index}-centre", line([(_STOP_M, 0.0), (_ARM_M, 0.0)]), "YELLOW", "SOLID_GROUP"),
            *(
                LaneLine(f"{index}-{name}", line([(_STOP_M, y), (_ARM_M, y)]), "WHITE", style)
                for name, y, style in (
                    ("divider-left", _LANE_M, "LONG_DASHED_SINGLE"),
                    ("divider-right", -_LANE_M, "LONG_DASHED_SINGLE"),
                    ("edge-left", _HALF_ROAD_M - 0.3, "SOLID_SINGLE"),
                    ("edge-right", 0.3 - _HALF_ROAD_M, "SOLID_SINGLE"),
                )
            ),
        ],
        "road_boundaries": [
            *(RoadBoundary(name, straight(lateral_m), "curb") for name, lateral_m in edges.items()),
            RoadBoundary(f"{index}-corner", line([(x, y) for x, y in corner]), "curb"),
        ],
        "crosswalks": [Crosswalk(f"{index}-crosswalk", line(stripe))],
        "stop_lines": [StopLine(f"{index}-stop", line([(_STOP_M, 0.2), (_STOP_M, _HALF_ROAD_M - 0.3)]))],
        "poles": [
            Pole(f"{index}-mast", Polyline(world_from_arm.apply(np.array(mast)))),
            Pole(f"{index}-lamp", Polyline(_upright(world_from_arm))),
        ],
        "road_markings": [RoadMarking(f"{index}-arrow", line(_arrow(24.0, 0.5 * _LANE_M)), "arrow")],
        "traffic_lights": [
            TrafficLight(f"{index}-light", box(_MOUTH_M - 1.0, -_HALF_ROAD_M - 0.3, 4.9), 0.35, 0.4, 1.05)
        ],
        "traffic_signs": [TrafficSign(f"{index}-sign", box(30.0, _HALF_ROAD_M + 1.2, 2.4), 0.05, 0.75, 0.75)],
    }


def _upright(world_from_arm: SE3) -> FloatArray:
    return world_from_arm.apply(np.array([[40.0, _HALF_ROAD_M + 1.5, 0.0], [40.0, _HALF_ROAD_M + 1.5, 7.0]]))


def _arrow(x: float, y: float) -> list[_Point]:
    """A straight-on arrow for traffic that drives towards the crossing."""
    half, head, tail = 0.12, x + 1.2, x + 4.0
    left = [(tail, y + half), (head, y + half), (head, y + 0.5)]
    return [(x, y), (head, y - 0.5), (head, y - half), (tail, y - half), *left]


def _lane(index: int, number: int, straight: Any) -> LaneSegment:
    """Lanes 0 and 1 lead away from the crossing (right of the middle), 2 and 3 towards it."""
    low_m = (-2.0, -1.0, 0.0, 1.0)[number] * _LANE_M
    low, high = straight(low_m), straight(low_m + _LANE_M)
    away = number < 2
    left, right = (high, low) if away else (low.reversed(), high.reversed())
    left_number, right_number = (number + 1, number - 1) if away else (number - 1, number + 1)

    def name(other: int) -> str | None:
        return f"{index}-lane{other}" if 0 <= other < 4 else None

    return LaneSegment(
        f"{index}-lane{number}",
        left,
        right,
        left_neighbour=name(left_number),
        right_neighbour=name(right_number),
        lane_type="VEHICLE",
        speed_limit_mps=50 / 3.6,
    )


def _phase(light_id: str) -> LightTimeline:
    """East and west have green and then yellow, north and south red."""
    if light_id[0] in "02":
        return LightTimeline(np.array([0, _YELLOW_AT_US]), (LightState.GREEN, LightState.YELLOW))
    return LightTimeline(np.array([0]), (LightState.RED,))


def _drive(
    start: _Point, towards: _Point, speed_mps: float, seconds: float, height_m: float, stops: bool = False
) -> Trajectory:
    """Along a straight line at a constant speed; with ``stops``, braking in time to stand still at its end."""
    times_s = np.append(np.arange(0.0, seconds - 1e-9, _STEP_S), seconds)
    length_m = math.dist(start, towards)
    braking_s = speed_mps / _BRAKING_MPS2 if stops else 0.0
    cruise_s = (length_m - 0.5 * speed_mps * braking_s) / speed_mps if stops else math.inf
    slowing_s = np.clip(times_s - cruise_s, 0.0, braking_s)
    stations_m = speed_mps * (np.minimum(times_s, cruise_s) + slowing_s) - 0.5 * _BRAKING_MPS2 * slowing_s**2
    ahead = (np.array(towards) - np.array(start)) / length_m
    points = np.full((len(times_s), 3), height_m)
    points[:, :2] = np.array(start) + stations_m[:, None] * ahead
    yaw = np.full(len(times_s), math.atan2(ahead[1], ahead[0]))
    return Trajectory(np.round(times_s * 1e6).astype(np.int64), SE3.from_yaw(yaw, points))


def _traffic(seconds: float) -> tuple[Actor, ...]:
    """Cars ahead, passing, oncoming and stopping, a lorry, a cyclist, people on the crosswalks, a cone."""
    inner, outer, far = 0.5 * _LANE_M, 1.5 * _LANE_M, _ARM_M - 5.0
    stop_m = _STOP_M + 0.7  # of a bumper
    car, lorry, bicycle = (4.6, 1.9, 1.55), (9.5, 2.5, 3.4), (1.8, 0.6, 1.75)
    person, cone = (0.6, 0.6, 1.75), (0.4, 0.4, 0.8)
    rows: list[tuple[str, Category, tuple[float, float, float], _Point, _Point, float, bool]] = [
        ("lead car", Category.CAR, car, (-22.0, -outer), (far, -outer), 8.5, False),
        ("passing car", Category.CAR, car, (-58.0, -inner), (far, -inner), 11.0, False),
        ("oncoming car", Category.CAR, car, (70.0, inner), (-far, inner), 10.0, False),
        ("oncoming lorry", Category.TRUCK, lorry, (58.0, outer), (-far, outer), 8.0, False),
        ("northern car", Category.CAR, car, (-inner, 60.0), (-inner, stop_m + 2.3), 7.0, True),
        ("southern car", Category.CAR, car, (inner, -60.0), (inner, -stop_m - 2.3), 6.0, True),
        ("cyclist", Category.CYCLIST, bicycle, (-outer, 45.0), (-outer, stop_m + 0.9), 4.5, True),
        ("northern pedestrian", Category.PEDESTRIAN, person, (-10.0, 15.0), (12.0, 15.0), 1.4, False),
        ("southern pedestrian", Category.PEDESTRIAN, person, (9.0, -15.4), (-12.0, -15.4), 1.3, False),
        ("cone", Category.OTHERS, cone, (30.0, -_HALF_ROAD_M - 1.0), (31.0, -_HALF_ROAD_M - 1.0), 0.0, False),
    ]
    actors = []
    for name, category, size_m, start, towards, speed_mps, stops in rows:
        track = _drive(start, towards, speed_mps, seconds, size_m[2] / 2, stops)
        length_m, width_m, height_m = map(np.array, size_m)
        actors.append(Actor(name, category, track, length_m, width_m, height_m, source_category=name.split()[-1]))
    return tuple(actors)
