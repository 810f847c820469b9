"""Small scenes for the checks: straight, hilly and bending roads with hand-made traffic, and the built-in crossing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from drivesim.rigs import find_rig, load_rig
from drivesim.scenario.classes import KINDS, body, category_of
from scenegraph import (
    SE3,
    Actor,
    CameraRig,
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    LightState,
    LightTimeline,
    Polyline,
    RoadBoundary,
    Scene,
    Trajectory,
)
from scenegraph.arrays import BoolArray, FloatArray

STEP_S = 0.1
SECONDS = 8.0
TIMES_S = np.arange(0.0, SECONDS + 1e-9, STEP_S)
RIGHT, FAR_RIGHT, ONCOMING, FAR_ONCOMING = -1.75, -5.25, 1.75, 5.25
"""Middles of the lanes of a straight road."""

_LANE_M = 3.5
_START_M, _END_M = -150.0, 350.0
Profile = Callable[[FloatArray], FloatArray]


def level(x: FloatArray) -> FloatArray:
    """A flat road."""
    return np.zeros_like(x)


def hill(x: FloatArray) -> FloatArray:
    """Up and down again, at the most 7.5 %."""
    return 6.0 * np.sin(x / 80.0)


def slope(x: FloatArray) -> FloatArray:
    """8 % all the way."""
    return 0.08 * x


def road(height: Profile = level, marked: bool = True) -> HDMap:
    """Two lanes each way along x, kerbs at 7.2 m, painted."""
    x = np.arange(_START_M, _END_M + 1.0, 2.0)

    def line(y: float) -> Polyline:
        return Polyline(np.stack([x, np.full_like(x, y), height(x)], axis=1))

    white, yellow, edge = ("WHITE", "LONG_DASHED_SINGLE"), ("YELLOW", "SOLID_GROUP"), ("WHITE", "SOLID_SINGLE")
    marks = {-7.0: edge, -3.5: white, 0.0: yellow, 3.5: white, 7.0: edge}
    lanes = []
    for number, low in enumerate((-7.0, -3.5, 0.0, 3.5)):
        forward = low < 0
        left, right = (low + _LANE_M, low) if forward else (low, low + _LANE_M)
        neighbours = (number + 1, number - 1) if forward else (number - 1, number + 1)
        names = [f"lane{n}" if 0 <= n < 4 else None for n in neighbours]
        edges = [line(left), line(right)] if forward else [line(left).reversed(), line(right).reversed()]
        kept = (marks[left], marks[right]) if marked else (None, None)
        lanes.append(LaneSegment(f"lane{number}", *edges, *kept, left_neighbour=names[0], right_neighbour=names[1]))
    lines = [LaneLine(f"line{y:g}", line(y), *mark) for y, mark in marks.items()]
    kerbs = [RoadBoundary(f"kerb{y:g}", line(y), "curb") for y in (-7.2, 7.2)]
    return HDMap(lane_segments=tuple(lanes), lane_lines=tuple(lines), road_boundaries=tuple(kerbs))


def bend(radius_m: float = 80.0) -> HDMap:
    """One lane each way, most of the way around the origin, from the x axis on."""
    angle = np.linspace(0.0, 1.95 * math.pi, 200)

    def arc(r: float) -> Polyline:
        return Polyline(np.stack([r * np.cos(angle), r * np.sin(angle), np.zeros_like(angle)], axis=1))

    inner, middle, outer = arc(radius_m - 3.5), arc(radius_m), arc(radius_m + 3.5)
    lanes = (
        LaneSegment("left turn", middle, outer, left_neighbour="right turn"),
        LaneSegment("right turn", middle.reversed(), inner.reversed(), left_neighbour="left turn"),
    )
    kerbs = (RoadBoundary("inner", inner), RoadBoundary("outer", outer))
    return HDMap(
        lane_segments=lanes, lane_lines=(LaneLine("middle", middle, "WHITE", "SOLID_SINGLE"),), road_boundaries=kerbs
    )


def with_bridge(hdmap: HDMap, height_m: float = 6.5) -> HDMap:
    """The road with another that crosses above it at x = 60 m, along y."""
    y = np.arange(-80.0, 81.0, 2.0)

    def line(x: float) -> Polyline:
        return Polyline(np.stack([np.full_like(y, x), y, np.full_like(y, height_m)], axis=1))

    lane = LaneSegment("bridge", line(58.0), line(62.0))
    kerbs = tuple(RoadBoundary(f"rail{x:g}", line(x)) for x in (57.8, 62.2))
    return replace(hdmap, lane_segments=(*hdmap.lane_segments, lane), road_boundaries=(*hdmap.road_boundaries, *kerbs))


def speeds(*legs: tuple[float, float], start: float) -> FloatArray:
    """Way covered [T] with accelerations: (from this second on, m/s²) legs; never backwards."""
    fine_s = np.arange(0.0, SECONDS + 1e-9, 0.001)
    pull = np.zeros_like(fine_s)
    for at_s, mps2 in legs:
        pull[fine_s >= at_s] = mps2
    speed = np.empty_like(fine_s)
    now = start
    for i, a in enumerate(pull):
        speed[i] = now
        now = max(now + a * 0.001, 0.0)
    way = np.concatenate([[0.0], np.cumsum(speed[:-1] * 0.001)])
    return way[:: round(STEP_S / 0.001)][: len(TIMES_S)]


def swerve(x: FloatArray, at_m: float, over_m: float, from_y: float, to_y: float) -> FloatArray:
    """A smooth change of lateral place over a stretch of road."""
    u = np.clip((x - at_m) / over_m, 0.0, 1.0)
    return from_y + (to_y - from_y) * (10 * u**3 - 15 * u**4 + 6 * u**5)


def actor(
    name: str, kind: str, xyz: FloatArray, yaw: FloatArray | float, pitch: FloatArray | float = 0.0,
    size_m: tuple[float, float, float] | None = None, times_s: FloatArray = TIMES_S,
) -> Actor:  # fmt: skip
    """An actor of a class whose lower face is at points [T,3]."""
    usual = KINDS[kind]  # type: ignore[index]
    length, width, height = size_m or (usual.length_m, usual.width_m, usual.height_m)
    angles = np.zeros((len(xyz), 3))
    angles[:, 1], angles[:, 2] = np.degrees(pitch), np.degrees(yaw)
    pose = SE3.from_roll_pitch_yaw_deg(angles, xyz)
    lifted = SE3(pose.rotation, pose.translation_m + pose.rotation[:, :, 2] * height / 2)
    track = Trajectory(np.round(times_s * 1e6).astype(np.int64), lifted)
    sizes = (np.array(length), np.array(width), np.array(height))
    return Actor(name, category_of(kind), track, *sizes, source_category=kind)  # type: ignore[arg-type]


def standing(name: str, kind: str, x: float, y: float, yaw: float = 0.0, z: float = 0.0, **size: object) -> Actor:
    """Something that does not move."""
    points = np.repeat(np.array([[x, y, z]]), len(TIMES_S), axis=0)
    return actor(name, kind, points, yaw, **size)  # type: ignore[arg-type]


def driving(
    name: str, kind: str = "car", x: float = 30.0, y: float | Profile = RIGHT, way: FloatArray | None = None,
    speed: float = 10.0, back: bool = False, height: Profile = level,
) -> Actor:  # fmt: skip
    """A vehicle whose rear axle follows y(x) along a straight road; ``back`` drives towards smaller x."""
    covered = speed * TIMES_S if way is None else way
    sign = -1.0 if back else 1.0
    rear = KINDS[kind].length_m * 0.29  # type: ignore[index]
    axle_x = x - sign * rear + sign * covered
    lateral = y if callable(y) else (lambda at: np.full_like(at, y))
    tangent = (lateral(axle_x + 0.05) - lateral(axle_x - 0.05)) / 0.1
    yaw = np.arctan(tangent) + (math.pi if back else 0.0)
    points = np.stack([axle_x + rear * np.cos(yaw), lateral(axle_x) + rear * np.sin(yaw), np.zeros_like(yaw)], axis=1)
    points[:, 2] = height(points[:, 0])
    pitch = -sign * np.arctan(height(points[:, 0] + 0.5) - height(points[:, 0] - 0.5))
    return actor(name, kind, points, yaw, pitch)


def circling(name: str, radius_m: float, speed: float, start_rad: float = 0.2, kind: str = "car") -> Actor:
    """A vehicle that drives counter-clockwise around the origin."""
    rear = body(kind, 4.6, 1.9, 1.55).rear_axle_m  # type: ignore[arg-type]
    angle = start_rad + speed * TIMES_S / radius_m
    yaw = angle + math.pi / 2
    points = np.stack([radius_m * np.cos(angle), radius_m * np.sin(angle), np.zeros_like(angle)], axis=1)
    points[:, :2] += rear * np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    return actor(name, kind, points, yaw)


def walking(
    name: str, start: tuple[float, float], velocity: tuple[float, float], kind: str = "pedestrian", z: float = 0.0
) -> Actor:
    """Somebody who walks straight on."""
    points = np.array([*start, z]) + TIMES_S[:, None] * np.array([*velocity, 0.0])
    return actor(name, kind, points, math.atan2(velocity[1], velocity[0]))


def edited(of: Actor, change: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]) -> Actor:
    """The actor with other centres [T,3] and headings [T]."""
    track = of.trajectory
    centre, yaw = change(track.world_from_body.translation_m.copy(), track.world_from_body.yaw_rad.copy())
    return replace(of, trajectory=Trajectory(track.timestamps_us, SE3.from_yaw(yaw, centre)))


def keeping(of: Actor, kept: BoolArray) -> Actor:
    """The actor with some of its key poses only."""
    track = of.trajectory
    shorter = Trajectory(track.timestamps_us[kept], track.world_from_body[kept])
    sizes = {name: getattr(of, name)[kept] for name in ("length_m", "width_m", "height_m")}
    return replace(of, trajectory=shorter, **sizes)


def cut(of: Actor, first_s: float = 0.0, last_s: float = SECONDS) -> Actor:
    """The actor for part of the time only."""
    stamps = of.trajectory.timestamps_us
    return keeping(of, (stamps >= first_s * 1e6) & (stamps <= last_s * 1e6))


def rig(name: str = "cosmos-ftheta-7", cameras: Sequence[str] = ()) -> CameraRig:
    """A built-in rig, or some of its cameras."""
    whole = load_rig(find_rig(name))
    return whole.select(cameras) if cameras else whole


def ego_drive(
    speed: float = 10.0, y: float = RIGHT, height: Profile = level, way: FloatArray | None = None
) -> Trajectory:
    """The ego along the road from x = 0."""
    x = speed * TIMES_S if way is None else way
    points = np.stack([x, np.full_like(x, y), height(x)], axis=1)
    pitch = -np.degrees(np.arctan(height(x + 0.5) - height(x - 0.5)))
    angles = np.stack([np.zeros_like(x), pitch, np.zeros_like(x)], axis=1)
    return Trajectory(np.round(TIMES_S * 1e6).astype(np.int64), SE3.from_roll_pitch_yaw_deg(angles, points))


def scene(
    *actors: Actor, hdmap: HDMap | None = None, ego: Trajectory | None = None, cameras: CameraRig | None = None
) -> Scene:
    """A scene on the straight road, filmed by the built-in seven cameras."""
    return Scene(
        "made", road() if hdmap is None else hdmap, ego_drive() if ego is None else ego, actors,
        rig=rig() if cameras is None else cameras, source={"format": "made"},
    )  # fmt: skip


def without(scene_: Scene, *names: str) -> Scene:
    """The scene without some actors."""
    return replace(scene_, actors=tuple(a for a in scene_.actors if a.id not in names))


def with_lights(scene_: Scene, **states: LightState | Sequence[tuple[float, LightState]]) -> Scene:
    """Lights of the crossing by arm (``arm0`` ...): one state for all the time, or (from second, state) pairs."""
    timelines = dict(scene_.light_states)
    for arm, shown in states.items():
        pairs = [(0.0, shown)] if isinstance(shown, LightState) else list(shown)
        stamps = np.array([round(at_s * 1e6) for at_s, _ in pairs])
        timelines[f"{arm.removeprefix('arm')}-light"] = LightTimeline(stamps, tuple(state for _, state in pairs))
    return replace(scene_, light_states=timelines)


def without_lines(hdmap: HDMap, *names: str) -> HDMap:
    """The map without some lane lines."""
    return replace(hdmap, lane_lines=tuple(line for line in hdmap.lane_lines if line.id not in names))


def crosswalk(x: float) -> Crosswalk:
    """A crosswalk over the whole straight road."""
    return Crosswalk("crosswalk", Polyline(np.array([[x, -7, 0], [x, 7, 0], [x + 3, 7, 0], [x + 3, -7, 0]], float)))
