"""Who goes first where ways meet: lights, stop lines, and gaps in the traffic that has priority.

At every junction there is a line to wait at: the stop line, else the junction's edge. A vehicle passes it once all
ways that it crosses or joins are free for as long as it needs, judged by the time until others come there and leave.
Those go first that cannot stop any more, then those without a stop line of their own (one without a light makes its
road the minor one), then straight on before turns across oncoming traffic, then who is there first.
What is drawn on no map (give-way signs, priority from the right) is not known here.

A map does not say which light is for which line. As in the checks, those are that hang near the line or beyond it
and look against its traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from scenegraph import LightState, Scene
from scenegraph.arrays import FloatArray, IntArray
from scenegraph.roads.lane_path import LanePath

FREE, GREEN, YELLOW, RED = range(4)
"""What a line shows; free where it has no light that says anything."""

_FACING = math.cos(math.radians(30.0))
_BEFORE_M, _BEYOND_M, _ASIDE_M = 6.0, 45.0, 18.0
_SAME_GROUP_M = 30.0
_LINE_BEFORE_M, _LINE_AFTER_M = 20.0, 4.0
_LONE_LINE_M = 12.0
_BACK_M = 1.0
_STRAIGHT_RAD = math.radians(30.0)
_MINOR = 10


@dataclass(frozen=True, eq=False)
class Hold:
    """A place to wait at before a junction, as stations of a way.

    line_m: where the front bumper stops. start_m, end_m: of the junction. rank: the lower one goes first.
    shown: int64 [T], what its lights show at the key instants.
    """

    line_m: float
    start_m: float
    end_m: float
    rank: int
    shown: IntArray


class LineSigns:
    """Stop lines and lights of a scene, over key instants."""

    def __init__(self, scene: Scene, times_us: IntArray) -> None:
        self.stop_lines = [line.polyline.points_m for line in scene.hdmap.stop_lines]
        self._steps = len(times_us)
        lights = [light for light in scene.hdmap.traffic_lights if light.id in scene.light_states]
        self._places = np.array([light.world_from_box.translation_m for light in lights]).reshape(-1, 3)
        self._fronts = np.array([light.world_from_box.rotation[:2, 0] for light in lights]).reshape(-1, 2)
        states = [scene.light_states[light.id].at(times_us) for light in lights]
        self._shown = np.array([[_CODES[state] for state in row] for row in states]).reshape(len(lights), self._steps)

    def shown(self, point_m: FloatArray, way: FloatArray, beyond_m: float) -> IntArray:
        """What traffic in direction ``way`` [2] sees at a line, [T]: red if all of its lights are."""
        off = self._places[:, :2] - point_m[:2]
        ahead, aside = off @ way, np.abs(off @ np.array([-way[1], way[0]]))
        reach_m = min(beyond_m, _BEYOND_M)
        for_it = (self._fronts @ way < -_FACING) & (ahead > -_BEFORE_M) & (ahead < reach_m) & (aside < _ASIDE_M)
        if not for_it.any():
            return np.full(self._steps, FREE, dtype=np.int64)
        for_it &= ahead < np.maximum(ahead[for_it], 0.0).min() + _SAME_GROUP_M
        mildest: IntArray = np.where(self._shown[for_it] == FREE, RED + 1, self._shown[for_it]).min(axis=0)
        return np.where(mildest > RED, FREE, mildest)


_CODES = {
    LightState.GREEN: GREEN,
    LightState.YELLOW: YELLOW,
    LightState.RED: RED,
    LightState.OFF: FREE,
    LightState.UNKNOWN: FREE,
}


def holds_of(path: LanePath, signs: LineSigns, left_hand: bool) -> tuple[Hold, ...]:
    """Every place to wait at along a way: before junctions, and at lines with lights elsewhere."""
    lines = _lines_across(path, signs.stop_lines)
    holds = []
    for start_m, end_m in _junctions(path):
        own = [at for at in lines if start_m - _LINE_BEFORE_M <= at <= start_m + _LINE_AFTER_M]
        lines = [at for at in lines if not start_m - _LINE_BEFORE_M <= at <= end_m]
        line_m = max(min([*own, start_m]) - _BACK_M, path.first_m)
        shown = _seen_at(path, line_m, signs, end_m - line_m + _LONE_LINE_M)
        is_minor = bool(own) and not shown.any()
        holds.append(
            Hold(line_m, start_m, end_m, _turn_rank(path, start_m, end_m, left_hand) + _MINOR * is_minor, shown)
        )
    for line_m in lines:
        shown = _seen_at(path, line_m, signs, _BEYOND_M)
        if shown.any():
            end_m = min(line_m + _LONE_LINE_M, path.last_m)
            holds.append(Hold(max(line_m - _BACK_M, path.first_m), line_m, end_m, 0, shown))
    return tuple(sorted(holds, key=lambda hold: hold.line_m))


def _junctions(path: LanePath) -> list[tuple[float, float]]:
    """First and last station of every run of lanes in a junction; not of one that the way begins in."""
    ends = np.append(path.starts_m[1:], path.last_m)
    found: list[tuple[float, float]] = []
    for lane, start, end in zip(path.lanes, path.starts_m.tolist(), ends.tolist(), strict=True):
        if lane.is_intersection and found and abs(found[-1][1] - start) < 1e-6:
            found[-1] = found[-1][0], end
        elif lane.is_intersection:
            found.append((start, end))
    return [(start, end) for start, end in found if start > path.first_m + 1.0]


def _lines_across(path: LanePath, stop_lines: list[FloatArray]) -> list[float]:
    """Stations at which stop lines cross the way."""
    way = shapely.LineString(path.points_m[:, :2])
    found = []
    for points in stop_lines:
        meeting = way.intersection(shapely.LineString(points[[0, -1], :2]))
        if not meeting.is_empty:
            place = np.append(shapely.get_coordinates(meeting)[0], points[:, 2].mean())
            station_m = path.locate(place)[0]
            if abs(float(path.points(np.array([station_m]))[0, 2]) - place[2]) < 3.0:
                found.append(station_m)
    return sorted(found)


def _seen_at(path: LanePath, line_m: float, signs: LineSigns, beyond_m: float) -> IntArray:
    heading = float(path.headings_rad(np.array([line_m]))[0])
    return signs.shown(path.points(np.array([line_m]))[0], np.array([math.cos(heading), math.sin(heading)]), beyond_m)


def _turn_rank(path: LanePath, start_m: float, end_m: float, left_hand: bool) -> int:
    """0 straight on, 1 a turn to the near side, 2 one across oncoming traffic."""
    before, after = path.headings_rad(np.array([start_m, end_m]))
    turned = math.remainder(after - before, 2 * math.pi)
    if abs(turned) < _STRAIGHT_RAD:
        return 0
    return 2 if (turned > 0) != left_hand else 1
