"""Which boxes run into each other, also between instants, and which two are one thing labelled twice."""

from __future__ import annotations

import numpy as np

from scenegraph import Category
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .bodies import Bodies
from .finding import Finding, Severity, span, stretches, worst_of

_TOUCH_M = 0.03  # numbers of files are rounded
_TOUCH_MIXED_M = 0.3  # one of the two is a label
_TOUCH_LABELS_M, _TOUCH_LABELS_PER_M = 0.5, 0.005  # both are: as deep as neighbouring labels of real logs overlap
_CLEARANCE_M = 0.15  # one above the other by less than this share no height
_SLOW_MPS = 2.0
_SUBSTEP_M = 0.25
_MOST_SUBSTEPS = 64
_TWIN_APART_M = 0.25
_TWIN_RATIO = 2.0
_TWIN_SHARE = 0.5


def check_collisions(bodies: Bodies) -> list[Finding]:
    """Collisions, one per pair and stretch of time, and duplicates, one per pair."""
    first, second = _pairs(bodies)
    twins = _twins(bodies, first, second)
    findings = [_duplicate(bodies, a, b, away_m) for a, b, away_m in twins]
    known = {(a, b) for a, b, _ in twins}
    keep = np.array([(a, b) not in known for a, b in zip(first.tolist(), second.tolist(), strict=True)], dtype=bool)
    first, second = first[keep], second[keep]
    pair, step = _near_steps(bodies, first, second)
    depth_m = np.zeros((len(first), len(bodies.times_us)))
    depths = _swept_depths(bodies, first[pair], second[pair], step)
    np.maximum.at(depth_m, (pair, step), depths)
    for index in np.flatnonzero(depth_m.max(axis=1, initial=0.0) > _TOUCH_M).tolist():
        findings += _collisions(bodies, int(first[index]), int(second[index]), depth_m[index])
    return findings


# -- which could meet --------------------------------------------------------------------------------


def _pairs(bodies: Bodies) -> tuple[IntArray, IntArray]:
    """Indices [P], [P] of bodies whose boxes around their whole tracks overlap."""
    low, high = _extents(bodies)
    gone = ~bodies.present[..., None]
    low = np.where(gone, np.inf, low).min(axis=1)
    high = np.where(gone, -np.inf, high).max(axis=1)
    meet = (low[:, None] <= high[None]).all(axis=-1) & (low[None] <= high[:, None]).all(axis=-1)
    first, second = np.nonzero(np.triu(meet, 1))
    return first, second


def _extents(bodies: Bodies) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest coordinates [A,T,3] of the boxes."""
    rotation = np.abs(bodies.world_from_box.rotation)
    half = (rotation * bodies.size_m[..., None, :]).sum(axis=-1) / 2
    return bodies.centre_m - half, bodies.centre_m + half


def _near_steps(bodies: Bodies, first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Which pair [K] may touch during which step [K]; the last step is the last instant by itself."""
    low, high = _extents(bodies)
    following = np.minimum(np.arange(len(bodies.times_us)) + 1, len(bodies.times_us) - 1)
    there = bodies.present & bodies.present[:, following]
    alone = bodies.present & ~there
    low_swept = np.where(there[..., None], np.minimum(low, low[:, following]), low)
    high_swept = np.where(there[..., None], np.maximum(high, high[:, following]), high)
    meet = (there | alone)[first] & (there | alone)[second]
    for axis in range(3):
        meet &= low_swept[first, :, axis] <= high_swept[second, :, axis]
        meet &= low_swept[second, :, axis] <= high_swept[first, :, axis]
    pair, step = np.nonzero(meet)
    return pair, step


# -- how deep ----------------------------------------------------------------------------------------


def _swept_depths(bodies: Bodies, first: IntArray, second: IntArray, step: IntArray) -> FloatArray:
    """Deepest overlap [K] of two boxes from an instant up to the next, metres."""
    if not len(step):
        return np.zeros(0)
    last = len(bodies.times_us) - 1
    following = np.minimum(step + 1, last)
    goes_on = bodies.present[first, following] & bodies.present[second, following]
    following = np.where(goes_on, following, step)
    moved = [bodies.centre_m[b, following] - bodies.centre_m[b, step] for b in (first, second)]
    relative_m = np.linalg.norm(moved[0] - moved[1], axis=-1)
    pieces = np.clip(np.ceil(relative_m / _SUBSTEP_M).astype(np.int64), 1, _MOST_SUBSTEPS)
    row = np.repeat(np.arange(len(step)), pieces)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[row]
    boxes = [_between(bodies, b[row], step[row], following[row], share) for b in (first, second)]
    depths = np.zeros(len(step))
    np.maximum.at(depths, row, _overlap_m(*boxes[0], *boxes[1]))
    return depths


def _between(
    bodies: Bodies, body: IntArray, step: IntArray, following: IntArray, share: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centres [N,3], headings [N] and half sizes [N,3] part of the way between two instants."""

    def mixed(values: FloatArray) -> FloatArray:
        weight = share if values.ndim == 2 else share[:, None]
        start: FloatArray = values[body, step]
        return start + (values[body, following] - start) * weight

    half = mixed(bodies.size_m) / 2
    half[:, 2] = mixed(bodies.half_height_m)
    return mixed(bodies.centre_m), mixed(bodies.yaw_rad), half


def _overlap_m(
    centre_a: FloatArray, yaw_a: FloatArray, half_a: FloatArray, centre_b: FloatArray, yaw_b: FloatArray,
    half_b: FloatArray,
) -> FloatArray:  # fmt: skip
    """How far two upright boxes would have to be moved apart in the plane, [N]; 0 where they do not overlap."""
    apart = centre_b - centre_a
    headroom = half_a[:, 2] + half_b[:, 2] - np.abs(apart[:, 2])
    turn = yaw_b - yaw_a
    cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    depth = np.where(headroom > _CLEARANCE_M, np.inf, 0.0)
    for yaw, own, other in ((yaw_a, half_a, half_b), (yaw_b, half_b, half_a)):
        ahead = apart[:, 0] * np.cos(yaw) + apart[:, 1] * np.sin(yaw)
        aside = apart[:, 1] * np.cos(yaw) - apart[:, 0] * np.sin(yaw)
        depth = np.minimum(depth, own[:, 0] + other[:, 0] * cos + other[:, 1] * sin - np.abs(ahead))
        depth = np.minimum(depth, own[:, 1] + other[:, 0] * sin + other[:, 1] * cos - np.abs(aside))
    return np.maximum(depth, 0.0)


# -- one thing twice ---------------------------------------------------------------------------------


def _twins(bodies: Bodies, first: IntArray, second: IntArray) -> list[tuple[int, int, float]]:
    """Pairs of one class that sit in each other for most of the time that both are there: (one, other, metres apart).

    In each other: centres nearer than a sixth of the length, or 0.25 m, of boxes whose sizes differ less than twofold.
    """
    same = np.array([bodies.categories[a] == bodies.categories[b] for a, b in zip(first, second, strict=True)], bool)
    first, second = first[same], second[same]
    both = bodies.present[first] & bodies.present[second]
    away_m = np.linalg.norm(bodies.centre_m[first] - bodies.centre_m[second], axis=-1)
    ratio = bodies.size_m[first] / bodies.size_m[second]
    alike = (np.maximum(ratio, 1 / ratio) < _TWIN_RATIO).all(axis=-1)
    shorter_m = np.minimum(bodies.size_m[first, :, 0], bodies.size_m[second, :, 0])
    inside = both & alike & (away_m < np.maximum(_TWIN_APART_M, shorter_m / 6))
    counts = both.sum(axis=1)
    found = np.flatnonzero((counts > 1) & (inside.sum(axis=1) >= _TWIN_SHARE * counts))
    return [(int(first[i]), int(second[i]), float(np.median(away_m[i][inside[i]]))) for i in found]


def _duplicate(bodies: Bodies, a: int, b: int, away_m: float) -> Finding:
    both = np.flatnonzero(bodies.present[a] & bodies.present[b])
    start_s, end_s = bodies.times_s[both[0]], bodies.times_s[both[-1]]
    severity: Severity = "warning" if bodies.is_kept[[a, b]].all() else "error"
    limit_m = max(_TWIN_APART_M, float(bodies.size_m[[a, b], both[0], 0].min()) / 6)
    text = (
        f"{bodies.ids[a]} and {bodies.ids[b]} are {away_m:.2f} m apart {span(start_s, end_s)}: one thing twice. "
        "Remove one of them"
    )
    names = bodies.ids[a], bodies.ids[b]
    return Finding("duplicate", severity, *names, start_s, end_s, away_m, limit_m, "m", text)


# -- what it means -----------------------------------------------------------------------------------


def _collisions(bodies: Bodies, a: int, b: int, depth_m: FloatArray) -> list[Finding]:
    labels = int(bodies.is_kept[[a, b]].sum())
    mask: BoolArray = depth_m > _TOUCH_M
    found = []
    for first, last in stretches(mask):
        deepest_m = worst_of(depth_m, mask, first, last)
        at = first + int(np.argmax(depth_m[first : last + 1]))
        vague_m = _TOUCH_LABELS_M + _TOUCH_LABELS_PER_M * float(bodies.ego_distance_m[a, at])
        limit_m = (_TOUCH_M, _TOUCH_MIXED_M, vague_m)[labels]
        closing_mps = _relative_speed(bodies, a, b, at)
        severity = _severity(bodies, a, b, labels, deepest_m, limit_m, closing_mps)
        start_s, end_s = bodies.times_s[first], bodies.times_s[last]
        text = (
            f"{bodies.ids[a]} and {bodies.ids[b]} overlap by up to {deepest_m:.2f} m {span(start_s, end_s)}, "
            f"at {closing_mps:.1f} m/s to each other"
        )
        names = bodies.ids[a], bodies.ids[b]
        found.append(Finding("collision", severity, *names, start_s, end_s, deepest_m, limit_m, "m", text))
    return found


def _relative_speed(bodies: Bodies, a: int, b: int, at: int) -> float:
    step = min(at, bodies.velocity_mps.shape[1] - 1)
    if step < 0:
        return 0.0
    steps = slice(max(0, step - 1), step + 2)
    apart = bodies.velocity_mps[a, steps, :2] - bodies.velocity_mps[b, steps, :2]
    speeds = np.linalg.norm(apart, axis=-1)
    return float(np.nanmean(speeds)) if np.isfinite(speeds).any() else 0.0


def _severity(
    bodies: Bodies, a: int, b: int, labels: int, depth_m: float, limit_m: float, closing_mps: float
) -> Severity:
    """Labels of real logs overlap without anybody having been hurt; what a scenario adds must not."""
    if labels == 0:
        return "error"
    if labels == 1:
        return "error" if depth_m > limit_m else "warning"
    walks = Category.PEDESTRIAN in (bodies.categories[a], bodies.categories[b])  # in groups, and past parked cars
    return "note" if walks or depth_m <= limit_m or closing_mps <= _SLOW_MPS else "warning"
