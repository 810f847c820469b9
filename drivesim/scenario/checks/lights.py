"""Who drives through red, and which lights let crossing traffic go at once.

A map does not say which stop line a light is for. It is taken to be for the line that it faces: the front (x axis) of
its housing looks against the traffic that crosses the line, and it hangs near the line or beyond it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenegraph import LightState, Scene
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .bodies import Bodies
from .finding import Finding, Severity, span, stretches

_FACING = math.cos(math.radians(30.0))
_BEFORE_M, _BEYOND_M, _ASIDE_M = 6.0, 45.0, 18.0
_CROSSING_M = 45.0
_CROSSING_COS = math.cos(math.radians(60.0))
_JUST_RED_S = 0.3


@dataclass(frozen=True, eq=False)
class _Approach:
    """A stop line with the lights that it obeys.

    start_m, end_m: ends of the line [2]. way: unit vector [2] of its traffic. height_m: of the line.
    """

    line: str
    lights: tuple[str, ...]
    start_m: FloatArray
    end_m: FloatArray
    way: FloatArray
    height_m: float

    @property
    def middle_m(self) -> FloatArray:
        """Middle of the line, [2]."""
        return (self.start_m + self.end_m) / 2


def check_lights(scene: Scene, bodies: Bodies) -> list[Finding]:
    """Red lights run and greens that conflict; nothing where no light shows anything."""
    if not scene.light_states:
        return []
    approaches = _approaches(scene)
    return [
        *(finding for approach in approaches for finding in _runs(scene, bodies, approach)),
        *_conflicts(scene, bodies, approaches),
    ]


def _approaches(scene: Scene) -> list[_Approach]:
    lights = [light for light in scene.hdmap.traffic_lights if light.id in scene.light_states]
    places = np.array([light.world_from_box.translation_m for light in lights])
    fronts = np.array([light.world_from_box.rotation[:2, 0] for light in lights])
    found = []
    for stop in scene.hdmap.stop_lines:
        start, end = stop.polyline.points_m[0], stop.polyline.points_m[-1]
        across = (end - start)[:2]
        length_m = float(np.hypot(*across))
        if length_m < 0.5 or not len(lights):
            continue
        normal = np.array([-across[1], across[0]]) / length_m
        for way in (normal, -normal):
            ahead = (places[:, :2] - (start + end)[:2] / 2) @ way
            aside = np.abs((places[:, :2] - (start + end)[:2] / 2) @ (across / length_m))
            for_it = (fronts @ way < -_FACING) & (ahead > -_BEFORE_M) & (ahead < _BEYOND_M) & (aside < _ASIDE_M)
            if for_it.any():
                # Of several junctions in a row the nearest counts.
                first_m = np.maximum(ahead[for_it], 0.0).min()
                names = tuple(lights[i].id for i in np.flatnonzero(for_it & (ahead < first_m + 30.0)))
                found.append(_Approach(stop.id, names, start[:2], end[:2], way, float((start + end)[2] / 2)))
    return _served_once(found, scene)


def _served_once(approaches: list[_Approach], scene: Scene) -> list[_Approach]:
    """Only the best way across each line: of traffic that keeps to lanes there, else both."""
    best: dict[str, list[_Approach]] = {}
    for approach in approaches:
        best.setdefault(approach.line, []).append(approach)
    kept = []
    for options in best.values():
        along = [option for option in options if _lane_agrees(option, scene)]
        kept += along or options
    return kept


def _lane_agrees(approach: _Approach, scene: Scene) -> bool:
    """Whether a lane that passes the line drives that way."""
    for lane in scene.hdmap.lane_segments:
        points = lane.centre.points_m
        if np.abs(points[:, :2] - approach.middle_m).min(axis=0).max() > 15.0:
            continue
        station_m, lateral_m = lane.centre.locate(np.append(approach.middle_m, 0.0))
        ahead, behind = lane.centre.at(np.array([station_m + 1.0, station_m - 1.0]))
        length_m = float(np.hypot(*(approach.end_m - approach.start_m)))
        if abs(lateral_m) < max(2.0, length_m / 2) and (ahead - behind)[:2] @ approach.way > 0.5:
            return True
    return False


# -- red ---------------------------------------------------------------------------------------------


def _runs(scene: Scene, bodies: Bodies, approach: _Approach) -> list[Finding]:
    """Vehicles and cyclists whose front passes the line while all of its lights are red."""
    body, step, share = _crossings(bodies, approach)
    times_us = bodies.times_us[step] + (share * np.diff(bodies.times_us)[step]).astype(np.int64)
    findings = []
    for who, time_us in zip(body.tolist(), times_us.tolist(), strict=True):
        states = [scene.light_states[light].at(np.array([time_us]))[0] for light in approach.lights]
        if any(state != LightState.RED for state in states):
            continue
        red_s = min(_shown_for_s(scene, light, time_us, bodies) for light in approach.lights)
        at_s = (time_us - int(bodies.times_us[0])) / 1e6
        is_late = red_s < _JUST_RED_S or bool(bodies.is_kept[who])
        severity: Severity = "warning" if is_late else "error"
        name = bodies.ids[who]
        text = f"{name} passes stop line {approach.line} {span(at_s, at_s)}, {red_s:.1f} s after its light turned red"
        findings.append(
            Finding("red_light", severity, name, approach.lights[0], at_s, at_s, red_s, _JUST_RED_S, "s", text)
        )
    return findings


def _crossings(bodies: Bodies, approach: _Approach) -> tuple[IntArray, IntArray, FloatArray]:
    """(body [K], step [K], share of the step [K]) at which the front of something on wheels passes a line."""
    forward = bodies.world_from_box.rotation[..., :, 0] * bodies.size_m[..., :1] / 2
    front = bodies.centre_m + forward
    there = bodies.present[:, 1:] & bodies.present[:, :-1]
    wheels = bodies.is_vehicle | np.array([category == "Cyclist" for category in bodies.categories])
    ahead = (front[..., :2] - approach.middle_m) @ approach.way
    across = (approach.end_m - approach.start_m) / np.hypot(*(approach.end_m - approach.start_m))
    aside = np.abs((front[..., :2] - approach.middle_m) @ across)
    half_m = float(np.hypot(*(approach.end_m - approach.start_m))) / 2
    passes = there & wheels[:, None] & (ahead[:, :-1] < 0) & (ahead[:, 1:] >= 0) & (aside[:, 1:] < half_m + 0.5)
    passes &= np.abs(bodies.bottom_m[:, 1:, 2] - approach.height_m) < 3.0
    body, step = np.nonzero(passes)
    share = -ahead[body, step] / (ahead[body, step + 1] - ahead[body, step])
    return body, step, share


def _shown_for_s(scene: Scene, light: str, time_us: int, bodies: Bodies) -> float:
    """For how long a light has shown what it shows, at least; one that never changed, since the start."""
    timeline = scene.light_states[light]
    index = int(np.searchsorted(timeline.timestamps_us, time_us, side="right")) - 1
    state = timeline.states[index]
    while index > 0 and timeline.states[index - 1] == state:
        index -= 1
    if index == 0:
        return max((time_us - int(bodies.times_us[0])) / 1e6, 1.0)
    return (time_us - int(timeline.timestamps_us[index])) / 1e6


# -- green against green -----------------------------------------------------------------------------


def _conflicts(scene: Scene, bodies: Bodies, approaches: list[_Approach]) -> list[Finding]:
    green = [_is_green(scene, bodies, approach) for approach in approaches]
    findings = []
    for i, one in enumerate(approaches):
        for j in range(i + 1, len(approaches)):
            other = approaches[j]
            if set(one.lights) & set(other.lights) or not _ways_cross(one, other):
                continue
            for first, last in stretches(green[i] & green[j], bridged=0):
                start_s, end_s = float(bodies.times_s[first]), float(bodies.times_s[last])
                text = (
                    f"lights {one.lights[0]} and {other.lights[0]} let crossing traffic go {span(start_s, end_s)}. "
                    "Show red on one of them"
                )
                names = one.lights[0], other.lights[0]
                findings.append(
                    Finding("light_conflict", "error", *names, start_s, end_s, end_s - start_s, 0.0, "s", text)
                )
    return findings


def _is_green(scene: Scene, bodies: Bodies, approach: _Approach) -> BoolArray:
    """Whether any light of an approach is green, [T]."""
    shown = [scene.light_states[light].at(bodies.times_us) for light in approach.lights]
    return np.array([any(state == LightState.GREEN for state in states) for states in zip(*shown, strict=True)])


def _ways_cross(one: _Approach, other: _Approach) -> bool:
    """Whether straight on from two stop lines leads across each other within a junction."""
    if abs(one.way @ other.way) > _CROSSING_COS or abs(one.height_m - other.height_m) > 4.0:
        return False
    apart = other.middle_m - one.middle_m
    matrix = np.stack([one.way, -other.way], axis=1)
    reach = np.linalg.solve(matrix, apart)
    return bool((reach > -2.0).all() and (reach < _CROSSING_M).all())
