"""Whether everything moves as its class can: no jumps, no sliding, no forces that tyres or legs do not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scenegraph import Category
from scenegraph.arrays import BoolArray, FloatArray

from .bodies import STEP_S, Bodies
from .finding import Finding, Severity, span, stretches, worst_of

_HALF_WINDOW, _HALF_WINDOW_LABELS = 2, 6
_JUMP_M, _JUMP_LABELS_M = 0.6, 2.0
_TURN_RAD, _TURN_LABELS_RAD = 0.3, 2.6  # labels of slow things flip, and a flip is half a turn
_MARGIN, _MARGIN_LABELS = 1.15, 1.5
_EXTRA_LABELS_MPS2, _EXTRA_LABELS_PER_M = 2.0, 0.05
_JERK_FACTOR = 4.0
_MOVING_MPS = 1.0
_SLIDE_MPS, _SLIDE_LABELS_MPS = 0.3, 2.0
_SLIDE_SHARE, _SLIDE_LABELS_SHARE = 0.02, 0.15
_REARMOST_AXLE = 0.45
_RIDES = (Category.CAR, Category.TRUCK, Category.CYCLIST)


@dataclass(frozen=True, eq=False)
class _Test:
    """One number of everybody over time, and what it must not exceed.

    values: float64 [A,T], NaN where unknown. limit: float64 [A,T].
    says: what is said of it; holds {value:...} and {limit:...}.
    """

    name: str
    values: FloatArray
    limit: FloatArray
    severity: Severity
    unit: str
    says: str


def check_kinematics(bodies: Bodies) -> list[Finding]:
    """Jumps, speeds, forces, turns and slides, one finding per actor, sort and stretch of time."""
    jumps = _jumps(bodies)
    jumped = np.zeros(bodies.present.shape, dtype=bool)
    findings = _found(bodies, jumps, jumped)
    for test in jumps:
        jumped |= np.nan_to_num(test.values) > test.limit
    near = _widened(jumped, 2 * _HALF_WINDOW_LABELS)
    for test in (*_forces(bodies), *_turns(bodies), _slides(bodies)):
        findings += _found(bodies, [test], near)
    return findings


# -- motion out of positions -------------------------------------------------------------------------


def _fitted(values: FloatArray, half: int) -> tuple[FloatArray, FloatArray]:
    """First and second derivative by time of values [A,T,C]: of parabolas through 2 half + 1 instants each.

    NaN where the window does not fit or holds a NaN.
    """
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    slope = offsets / (offsets**2).sum()
    centred = offsets**2 - (offsets**2).mean()
    bend = 2 * centred / (centred**2).sum()
    first, second = np.full_like(values, np.nan), np.full_like(values, np.nan)
    if values.shape[1] > 2 * half:
        windows = np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1, axis=1)
        first[:, half:-half] = windows @ slope / STEP_S
        second[:, half:-half] = windows @ bend / STEP_S**2
    return first, second


def _fitted_each(bodies: Bodies, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same with longer windows for labels, which are noisy."""
    known = np.where(bodies.present[..., None], values, np.nan)
    short, long = _fitted(known, _HALF_WINDOW), _fitted(known, _HALF_WINDOW_LABELS)
    which = bodies.is_recorded[:, None, None]
    return np.where(which, long[0], short[0]), np.where(which, long[1], short[1])


# -- the tests ---------------------------------------------------------------------------------------


def _jumps(bodies: Bodies) -> list[_Test]:
    """Steps that fit neither the one before nor the one after."""
    steps_m = bodies.velocity_mps * STEP_S
    steps_rad = np.diff(bodies.yaw_rad, axis=1)[..., None] + 0.0
    steps_rad[np.isnan(steps_m[..., 0])] = np.nan
    limits_m = _by_source(bodies, _JUMP_M, _JUMP_LABELS_M)
    limits_rad = _by_source(bodies, _TURN_RAD, _TURN_LABELS_RAD)
    limits_rad[[category not in _RIDES for category in bodies.categories]] = np.inf
    return [
        _Test("jump", _odd_one_out(steps_m), limits_m, "error", "m", "jumps by {value:.1f} m {when}"),
        _Test("turn", _odd_one_out(steps_rad), limits_rad, "error", "rad", "turns by {value:.1f} rad at once {when}"),
    ]


def _odd_one_out(steps: FloatArray) -> FloatArray:
    """How far each step [A,T-1,C] is from the nearer of its neighbours, [A,T]; a lone step against standing still."""
    change = np.linalg.norm(np.diff(steps, axis=1), axis=-1)
    edge = np.full((len(steps), 1), np.nan)
    odd = np.fmin(np.concatenate([edge, change], axis=1), np.concatenate([change, edge], axis=1))
    return np.asarray(np.concatenate([odd, edge], axis=1)[:, : steps.shape[1] + 1])


def _forces(bodies: Bodies) -> Iterator[_Test]:
    velocity, acceleration = _fitted_each(bodies, bodies.centre_m)
    _, raw = _fitted(np.where(bodies.present[..., None], bodies.centre_m, np.nan), 1)
    ahead = np.stack([np.cos(bodies.yaw_rad), np.sin(bodies.yaw_rad)], axis=-1)
    left = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1)
    along = (velocity[..., :2] * ahead).sum(axis=-1)
    speed = np.linalg.norm(velocity, axis=-1)
    pull = np.where(along < 0, -1.0, 1.0) * (acceleration[..., :2] * ahead).sum(axis=-1)
    side = np.abs((acceleration[..., :2] * left).sum(axis=-1))
    total = np.linalg.norm(acceleration[..., :2], axis=-1)
    rides = np.array([category in _RIDES for category in bodies.categories])[:, None]
    limit = {name: _limit(bodies, name) for name in ("speed_mps", "acceleration_mps2", "braking_mps2", "lateral_mps2")}
    strongest = np.maximum(limit["acceleration_mps2"], limit["braking_mps2"])
    no, can = np.full_like(speed, np.nan), "; its class manages {limit:.1f}"
    yield _Test("speed", speed, limit["speed_mps"], "error", "m/s", "moves at {value:.1f} m/s {when}" + can)
    yield _Test("braking", np.where(rides, -pull, no), limit["braking_mps2"], "error", "m/s2",
                "brakes with {value:.1f} m/s² {when}" + can)  # fmt: skip
    yield _Test("acceleration", np.where(rides, pull, no), limit["acceleration_mps2"], "error", "m/s2",
                "accelerates with {value:.1f} m/s² {when}" + can)  # fmt: skip
    yield _Test("lateral", np.where(rides & (speed > _MOVING_MPS), side, no), limit["lateral_mps2"], "error", "m/s2",
                "is pushed sideways with {value:.1f} m/s² {when}" + can)  # fmt: skip
    yield _Test("force", np.where(rides, no, total), strongest, "error", "m/s2",
                "changes speed with {value:.1f} m/s² {when}" + can)  # fmt: skip
    jerk = np.full_like(speed, np.nan)
    jerk[:, 1:] = np.linalg.norm(np.diff(raw[..., :2], axis=1), axis=-1) / STEP_S
    allowed = np.array([limits.jerk_mps3 for limits in bodies.limits])[:, None] * np.full_like(speed, _JERK_FACTOR)
    allowed[bodies.is_recorded | (allowed[:, 0] == 0)] = np.inf
    yield _Test("jerk", jerk, allowed, "warning", "m/s3", "jerks with {value:.0f} m/s³ {when}; {limit:.0f} is much")


def _turns(bodies: Bodies) -> Iterator[_Test]:
    rate = np.abs(_fitted_each(bodies, bodies.yaw_rad[..., None])[0][..., 0])
    rides = np.array([category in _RIDES for category in bodies.categories])[:, None]
    limit = _limit(bodies, "yaw_rate_radps")
    limit[bodies.is_recorded] += 0.5
    moves = (bodies.speed_mps > _MOVING_MPS) | ~bodies.is_recorded[:, None]
    yield _Test("yaw", np.where(rides & moves, rate, np.nan), limit, "error", "rad/s",
                "turns with {value:.1f} rad/s {when}; its class manages {limit:.1f}")  # fmt: skip


def _slides(bodies: Bodies) -> _Test:
    """Sideways speed of the place along the box that slides least: of the rear axle, wherever it may be."""
    velocity, _ = _fitted_each(bodies, bodies.centre_m)
    rate = _fitted_each(bodies, bodies.yaw_rad[..., None])[0][..., 0]
    sideways = velocity[..., 1] * np.cos(bodies.yaw_rad) - velocity[..., 0] * np.sin(bodies.yaw_rad)
    rear = sideways - rate * _REARMOST_AXLE * bodies.size_m[..., 0]
    slip = np.where(sideways * rear < 0, 0.0, np.minimum(np.abs(sideways), np.abs(rear)))
    speed = np.linalg.norm(velocity[..., :2], axis=-1)
    rides = np.array([category in _RIDES for category in bodies.categories])[:, None]
    limit = _by_source(bodies, _SLIDE_MPS, _SLIDE_LABELS_MPS)
    limit += _by_source(bodies, _SLIDE_SHARE, _SLIDE_LABELS_SHARE) * np.nan_to_num(speed)
    says = "slides sideways with {value:.1f} m/s {when}; {limit:.1f} would pass. Let it head where it goes"
    return _Test("slide", np.where(rides, slip, np.nan), limit, "error", "m/s", says)


def _limit(bodies: Bodies, name: str) -> FloatArray:
    """A limit of everybody's class with the margin of its source, [A,T]; without one for what cannot move."""
    own = np.array([getattr(limits, name) for limits in bodies.limits])
    own = np.where(own > 0, own, 2.0 if name == "speed_mps" else 20.0)
    widened = own * np.where(bodies.is_recorded, _MARGIN_LABELS, _MARGIN)
    limit = np.repeat(widened[:, None], len(bodies.times_us), axis=1)
    if name.endswith("_mps2"):
        vague = _EXTRA_LABELS_MPS2 + _EXTRA_LABELS_PER_M * bodies.ego_distance_m
        limit = limit + np.where(bodies.is_recorded[:, None], vague, 0.0)
    return limit


def _by_source(bodies: Bodies, made: float, label: float) -> FloatArray:
    """One of two numbers for everybody, [A,T]."""
    chosen = np.where(bodies.is_recorded, label, made)
    return np.repeat(chosen[:, None], len(bodies.times_us), axis=1)


# -- what it means -----------------------------------------------------------------------------------


def _found(bodies: Bodies, tests: list[_Test], hidden: BoolArray) -> list[Finding]:
    """Where tests fail outside of instants [A,T] that something else explains."""
    findings = []
    for test in tests:
        with np.errstate(invalid="ignore"):
            wrong = (test.values > test.limit) & ~hidden
        for body in np.flatnonzero(wrong.any(axis=1)).tolist():
            for first, last in stretches(wrong[body]):
                value = worst_of(test.values[body], wrong[body], first, last)
                limit = float(test.limit[body, first : last + 1].min())
                start_s, end_s = bodies.times_s[first], bodies.times_s[last]
                said = test.says.format(value=value, limit=limit, when=span(start_s, end_s))
                severity: Severity = "warning" if bodies.is_kept[body] else test.severity
                name, text = bodies.ids[body], f"{bodies.ids[body]} {said}"
                findings.append(
                    Finding("kinematics", severity, name, "", start_s, end_s, value, limit, test.unit, text)
                )
    return findings


def _widened(mask: BoolArray, steps: int) -> BoolArray:
    """Instants [A,T] within so many steps of one where the mask holds."""
    wide = mask.copy()
    for shift in range(1, steps + 1):
        wide[:, shift:] |= mask[:, :-shift]
        wide[:, :-shift] |= mask[:, shift:]
    return wide
