"""Roads for traffic: a straight one, a ring, a merge, and a crossing with or without lights."""

from __future__ import annotations

import numpy as np

from drivesim.scenario.world import World
from scenegraph import (
    SE3,
    Actor,
    HDMap,
    LaneSegment,
    LightState,
    LightTimeline,
    Polyline,
    RoadBoundary,
    Scene,
    StopLine,
    TrafficLight,
    Trajectory,
)
from scenegraph.arrays import FloatArray

LANE_M = 3.5
LIMIT_MPS = 13.9
DASHED = ("WHITE", "LONG_DASHED_SINGLE")


def lane(name: str, centre: FloatArray, width_m: float = LANE_M, **more: object) -> LaneSegment:
    """A lane around centre points [N,2] or [N,3]."""
    points = np.asarray(centre, dtype=np.float64)
    if points.shape[1] == 2:
        points = np.column_stack([points, np.zeros(len(points))])
    along = np.gradient(points[:, :2], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left = np.column_stack([-along[:, 1], along[:, 0], np.zeros(len(points))]) * width_m / 2
    settings = {"speed_limit_mps": LIMIT_MPS, **more}
    return LaneSegment(name, Polyline(points + left), Polyline(points - left), **settings)  # type: ignore[arg-type]


def straight_road(lanes: int = 3, length_m: float = 1000.0, height: object = None) -> HDMap:
    """Lanes along x, lane0 the rightmost, from x = 0; kerbs 2.5 m beyond both sides."""
    x = np.arange(0.0, length_m + 1.0, 2.0)
    z = height(x) if callable(height) else np.zeros_like(x)

    def line(y: float) -> FloatArray:
        return np.column_stack([x, np.full_like(x, y), z])

    segments = tuple(
        lane(
            f"lane{i}",
            line(i * LANE_M),
            left_neighbour=f"lane{i + 1}" if i + 1 < lanes else None,
            right_neighbour=f"lane{i - 1}" if i else None,
            left_mark=DASHED,
            right_mark=DASHED,
        )
        for i in range(lanes)
    )
    kerbs = (-LANE_M / 2 - 2.5, (lanes - 0.5) * LANE_M + 2.5)
    return HDMap(segments, road_boundaries=tuple(RoadBoundary(f"kerb{y:g}", Polyline(line(y)), "curb") for y in kerbs))


def ring(lanes: int = 2, radius_m: float = 100.0, parts: int = 4) -> HDMap:
    """A circle, counterclockwise, cut into parts; lane0 is the outer one."""
    segments = []
    for part in range(parts):
        angle = np.linspace(part, part + 1, 60) * 2 * np.pi / parts
        for i in range(lanes):
            points = (radius_m - i * LANE_M) * np.column_stack([np.cos(angle), np.sin(angle)])
            segments.append(
                lane(
                    f"ring{i}-{part}",
                    points,
                    successors=(f"ring{i}-{(part + 1) % parts}",),
                    predecessors=(f"ring{i}-{(part - 1) % parts}",),
                    left_neighbour=f"ring{i + 1}-{part}" if i + 1 < lanes else None,
                    right_neighbour=f"ring{i - 1}-{part}" if i else None,
                    left_mark=DASHED,
                    right_mark=DASHED,
                )
            )
    return HDMap(tuple(segments))


def merge(length_m: float = 600.0, lane_from_m: float = 200.0, lane_to_m: float = 380.0) -> HDMap:
    """Two lanes along x and an acceleration lane that ends, to the right of them."""
    x = np.arange(0.0, length_m + 1.0, 2.0)
    short = x[(x >= lane_from_m) & (x <= lane_to_m)]
    rows = [("lane0", x, 0.0), ("lane1", x, LANE_M), ("slip", short, -LANE_M)]
    beside = {"lane0": ("lane1", "slip"), "lane1": (None, "lane0"), "slip": ("lane0", None)}
    return HDMap(
        tuple(
            lane(
                name,
                np.column_stack([xs, np.full_like(xs, y)]),
                left_neighbour=beside[name][0],
                right_neighbour=beside[name][1],
                left_mark=DASHED,
                right_mark=DASHED,
            )
            for name, xs, y in rows
        )
    )


def crossing(arm_m: float = 150.0, half_m: float = 12.0, lights: bool = True, stop_arms: tuple[int, ...] = ()) -> HDMap:
    """Four arms with one lane each way; from every arm straight on, left and right.

    Arm k points in the direction k * 90 degrees. stop_arms: with a stop line even without lights.
    """
    segments: list[LaneSegment] = []
    reach = np.arange(half_m, arm_m + 1.0, 2.0)

    def turned(points: FloatArray, k: float) -> FloatArray:
        c, s = np.cos(k * np.pi / 2), np.sin(k * np.pi / 2)
        return points @ np.array([[c, s], [-s, c]])

    for k in range(4):
        inwards = np.column_stack([reach[::-1], np.full_like(reach, LANE_M / 2)])
        outwards = np.column_stack([reach, np.full_like(reach, -LANE_M / 2)])
        ways = {"straight": (k + 2) % 4, "left": (k + 3) % 4, "right": (k + 1) % 4}
        names = {f"{k}-{way}": to for way, to in ways.items()}
        segments.append(lane(f"in{k}", turned(inwards, k), successors=tuple(names), left_neighbour=f"out{k}"))
        comes = [f"{a}-{way}" for a in range(4) for way, shift in (("straight", 2), ("left", 3), ("right", 1))
                 if (a + shift) % 4 == k]  # fmt: skip
        segments.append(lane(f"out{k}", turned(outwards, k), predecessors=tuple(comes), left_neighbour=f"in{k}"))
        start = np.array([half_m, LANE_M / 2])
        for name, to in names.items():
            end = turned(np.array([[half_m, -LANE_M / 2]]), to - k)[0]
            points = _curve(start, np.array([-1.0, 0.0]), end, turned(np.array([[1.0, 0.0]]), to - k)[0])
            way = turned(points, k)
            segments.append(
                lane(name, way, 3.2, predecessors=(f"in{k}",), successors=(f"out{to}",), is_intersection=True)
            )
    stops, boxes = [], []
    for k in range(4):
        if lights or k in stop_arms:
            ends = turned(np.array([[half_m + 2.0, 0.1], [half_m + 2.0, LANE_M - 0.1]]), k)
            stops.append(StopLine(f"stop{k}", Polyline(np.column_stack([ends, np.zeros(2)]))))
        if lights:
            place = turned(np.array([[half_m - 2.0, LANE_M + 1.5]]), k)[0]
            pose = SE3.from_yaw(np.array(k * np.pi / 2), np.array([*place, 4.5]))
            boxes.append(TrafficLight(f"light{k}", pose, 0.35, 0.4, 1.0))
    return HDMap(tuple(segments), stop_lines=tuple(stops), traffic_lights=tuple(boxes))


def _curve(start: FloatArray, leaves: FloatArray, end: FloatArray, arrives: FloatArray) -> FloatArray:
    """A cubic from point to point in these directions."""
    u = np.linspace(0.0, 1.0, 30)[:, None]
    reach = np.linalg.norm(end - start) * (0.4 if abs(leaves @ arrives) < 0.9 else 1 / 3)
    one, two = start + reach * leaves, end - reach * arrives
    return (1 - u) ** 3 * start + 3 * (1 - u) ** 2 * u * one + 3 * (1 - u) * u**2 * two + u**3 * end


def light_states(green_s: float = 8.0, until_s: float = 40.0) -> dict[str, LightTimeline]:
    """Arms 0 and 2 green first, then 1 and 3; 3 s of yellow and 1 s of red for all."""
    green, yellow, red = LightState.GREEN, LightState.YELLOW, LightState.RED
    whole_s = 2 * (green_s + 4.0)
    rows: dict[int, list[tuple[float, LightState]]] = {0: [], 1: []}
    for start in np.arange(0.0, until_s, whole_s):
        half = start + whole_s / 2
        rows[0] += [(start, green), (start + green_s, yellow), (start + green_s + 3.0, red)]
        rows[1] += [(start, red), (half, green), (half + green_s, yellow), (half + green_s + 3.0, red)]
    return {
        f"light{k}": LightTimeline(np.array([round(t * 1e6) for t, _ in rows[k % 2]]), tuple(s for _, s in rows[k % 2]))
        for k in range(4)
    }


def world(
    hdmap: HDMap,
    duration_s: float = 20.0,
    ego_at: tuple[float, float] = (0.0, 500.0),
    ego_mps: float = 0.0,
    yaw_rad: float = 0.0,
    actors: tuple[Actor, ...] = (),
    states: dict[str, LightTimeline] | None = None,
) -> World:
    """The map with an ego that goes straight, by default one that stands far away."""
    times_us = np.array([0, round(duration_s * 1e6)])
    way = np.array([np.cos(yaw_rad), np.sin(yaw_rad)]) * ego_mps * duration_s
    points = np.array([[*ego_at, 0.0], [ego_at[0] + way[0], ego_at[1] + way[1], 0.0]])
    ego = Trajectory(times_us, SE3.from_yaw(np.full(2, yaw_rad), points))
    return World(Scene("made", hdmap, ego, actors, light_states=states or {}), 0, duration_s)
