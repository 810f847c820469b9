"""An emergency vehicle that comes from behind and passes everybody, between lanes where need be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray
from scenegraph.roads.lane_path import LanePath

from ..errors import ScenarioError
from .cast import Cast, ego_boxes
from .motion import Way, along
from .places import road_edges_m
from .schema_actors import EmergencyRun
from .speed import SpeedProfile

_CLEAR_M = 0.45
_AHEAD_M = 3.0
_WEAVE_S = 3.0
_MOVE_MPS2 = 2.5
_SHORTEST_MOVE_S = 1.8
_EDGE_M = 0.3
_LOOK_S = 0.1


@dataclass(frozen=True)
class _Pass:
    """Somebody beside it from one time to another, between these metres to the left of the path."""

    first_s: float
    last_s: float
    right_m: float
    left_m: float


def emergency(cast: Cast, how: EmergencyRun) -> Way:
    """Fast along its lane, swaying a little, and around whoever is in the way."""
    path, lateral_m = cast.path(how.speed_mps)
    profile = cast.slowed(cast.steady(how.speed_mps), path)
    until_s = cast.leaves_s(path, profile)
    passes = _passes(cast, path, profile, until_s)
    in_the_way = [each for each in passes if _may_touch(cast, each, lateral_m, how.weave_m)]
    stations = profile.stations(np.array([each.first_s for each in in_the_way]))
    edges = [road_edges_m(cast.world, path, float(np.clip(s, path.first_m, path.last_m))) for s in stations]
    held = [_around(cast, each, passes, lateral_m, edge) for each, edge in zip(in_the_way, edges, strict=True)]
    knots = _knots(held, lateral_m, how.weave_m, until_s)
    heading = float(path.headings_rad(np.array([profile.station(0.0)]))[0])
    return Way(along(path, profile, lambda times_s, _: _through(knots, times_s)), until_s, heading)


def _passes(cast: Cast, path: LanePath, profile: SpeedProfile, until_s: float) -> list[_Pass]:
    """Whoever it comes beside, in order of time; those that overlap in time are one."""
    times = np.arange(0.0, until_s, _LOOK_S)
    own_m = profile.stations(times) + cast.body.rear_axle_m
    found: list[_Pass] = []
    for points, present, length_m, width_m in _others(cast, times):
        at_m, aside_m = path.locate_all(points)
        near = np.abs(at_m - own_m) < (length_m + cast.body.length_m) / 2 + _AHEAD_M
        index = np.flatnonzero(near & present)
        if len(index):
            low, high = float(aside_m[index].min()) - width_m / 2, float(aside_m[index].max()) + width_m / 2
            found.append(_Pass(float(times[index[0]]), float(times[index[-1]]), low, high))
    return sorted(found, key=lambda each: each.first_s)


def _others(cast: Cast, times_s: FloatArray) -> list[tuple[FloatArray, BoolArray, float, float]]:
    """Centres [N,3], presence [N], length and width of the ego and everybody else."""
    stamps = cast.world.start_us + np.round(times_s * 1e6).astype(np.int64)
    ego, body = ego_boxes(cast.world, times_s)
    everybody = [(ego.translation_m, np.ones(len(times_s), dtype=bool), body.length_m, body.width_m)]
    for actor in (*cast.world.scene.actors, *cast.others.values()):
        boxes = actor.boxes_at(stamps)
        size = float(boxes.length_m.max()), float(boxes.width_m.max())
        everybody.append((boxes.world_from_box.translation_m, boxes.present, *size))
    return everybody


def _may_touch(cast: Cast, each: _Pass, lateral_m: float, weave_m: float) -> bool:
    reach_m = cast.body.width_m / 2 + _CLEAR_M + weave_m
    return each.right_m < lateral_m + reach_m and each.left_m > lateral_m - reach_m


def _around(
    cast: Cast, each: _Pass, passes: list[_Pass], lateral_m: float, edges: tuple[float, float]
) -> tuple[float, float, float]:
    """(from, to, lateral) that clears everybody who is beside it in that time, nearest to its usual lateral."""
    meanwhile = [other for other in passes if other.first_s <= each.last_s and other.last_s >= each.first_s]
    away_m = cast.body.width_m / 2 + _CLEAR_M
    taken = [(other.right_m - away_m, other.left_m + away_m) for other in meanwhile]
    most_m, least_m = edges[0] - cast.body.width_m / 2 - _EDGE_M, edges[1] + cast.body.width_m / 2 + _EDGE_M
    choices = [lateral_m, *(end for pair in taken for end in pair)]
    free = [
        choice
        for choice in choices
        if least_m <= choice <= most_m and not any(low + 1e-9 < choice < high - 1e-9 for low, high in taken)
    ]
    if not free:
        raise ScenarioError(
            f"cannot pass at {each.first_s:.1f} s: between {least_m:.1f} and {most_m:.1f} m left of its lane's middle "
            f"everything is taken. Let it begin on another lane, or clear a gap"
        )
    return each.first_s, each.last_s, min(free, key=lambda choice: (abs(choice - lateral_m), choice))


def _knots(
    held: list[tuple[float, float, float]], lateral_m: float, weave_m: float, until_s: float
) -> list[tuple[float, float]]:
    """(time, lateral) at which it drives straight on; it sways between them where there is time."""
    knots = [(0.0, held[0][2] if held and held[0][0] < _SHORTEST_MOVE_S else lateral_m)]
    side = 1.0
    for first_s, last_s, aside_m in [*held, (until_s + _WEAVE_S, until_s + _WEAVE_S, lateral_m)]:
        move_s = max(_SHORTEST_MOVE_S, float(np.sqrt(5.78 * (abs(aside_m - lateral_m) + weave_m) / _MOVE_MPS2)))
        while weave_m and first_s - move_s - knots[-1][0] > _WEAVE_S:
            knots.append((knots[-1][0] + _WEAVE_S, lateral_m + side * weave_m))
            side = -side
        if first_s - move_s > knots[-1][0]:
            knots.append((first_s - move_s, knots[-1][1]))
        if first_s > knots[-1][0]:
            knots.append((first_s, aside_m))
        if last_s > knots[-1][0]:
            knots.append((last_s, aside_m))
    return knots


def _through(knots: list[tuple[float, float]], times_s: FloatArray) -> FloatArray:
    """Lateral [N]: between knots a smooth move, without velocity or acceleration at each."""
    at_s, aside_m = (np.array(column) for column in zip(*knots, strict=True))
    before = np.clip(np.searchsorted(at_s, times_s, side="right") - 1, 0, len(at_s) - 2)
    u = np.clip((times_s - at_s[before]) / (at_s[before + 1] - at_s[before]), 0.0, 1.0)
    share = u**3 * (10 - 15 * u + 6 * u**2)
    return np.asarray(aside_m[before] + (aside_m[before + 1] - aside_m[before]) * share)
