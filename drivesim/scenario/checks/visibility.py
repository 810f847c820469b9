"""Whether the one the scenario is about is seen, and whether anybody appears or vanishes before a camera.

Boxes hide each other: of 26 points on the surface of a box those count as hidden whose line of sight passes through
another box. That is rough: people are thinner than their boxes, and walls and trees are in no map.
"""

from __future__ import annotations

import numpy as np

from scenegraph import SE3, Scene
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .bodies import EGO, STEP_S, Bodies
from .finding import Finding, Kind, Severity, span
from .sight import Sight, look_at

_SMALLEST_SHARE = 1 / 60
"""Of the height of the picture: 12 px of 720."""
_POP_SHARE, _POP_PLAIN_SHARE = 1 / 30, 1 / 12
_POP_VISIBLE = 0.35
_POP_DISTANCE_M = 90.0
_BRIEF_S = 0.5


def check_visibility(scene: Scene, bodies: Bodies, about: str | None) -> list[Finding]:
    """Findings about the subject, and about who comes and goes in view; a note where there are no cameras."""
    if not len(scene.rig):
        end_s = float(bodies.times_s[-1])
        text = "what cameras see was left out: the scene has no cameras. Give it a rig"
        return [Finding("not_checked", "note", "", "", 0.0, end_s, 0.0, 1.0, "cameras", text)]
    findings = _pops(scene, bodies)
    if about is not None:
        findings += _subject(scene, bodies, about)
    return findings


# -- the subject -------------------------------------------------------------------------------------


def _subject(scene: Scene, bodies: Bodies, about: str) -> list[Finding]:
    end_s = float(bodies.times_s[-1])
    if about not in bodies.ids[:-1]:
        is_known = any(actor.id == about for actor in scene.actors)
        text = "is there at no time of the clip" if is_known else "is not in the scene"
        sentence = f"{about}, whom the scenario is about, {text}"
        return [Finding("hidden_subject", "error", about, "", 0.0, end_s, 0.0, _BRIEF_S, "s", sentence)]
    body = bodies.ids.index(about)
    instants = np.flatnonzero(bodies.present[body])
    seen_px = np.zeros((len(scene.rig), len(instants)))
    in_picture = np.zeros(seen_px.shape, dtype=bool)
    for view, camera in enumerate(scene.rig):
        for column, sight in enumerate(_looks(scene, bodies, view, body, instants)):
            large = sight.height_px[0] >= _SMALLEST_SHARE * camera.height_px
            seen_px[view, column] = max(sight.height_px[0], sight.width_px[0]) if large else 0.0
            in_picture[view, column] = sight.in_picture[0]
    seen_s = STEP_S * (seen_px > 0).any(axis=0).sum()
    if seen_s == 0:
        return [_never_seen(bodies, about, instants, bool(in_picture.any()))]
    return [_seen(scene, bodies, about, instants, seen_px, float(seen_s))]


def _looks(scene: Scene, bodies: Bodies, view: int, body: int, instants: IntArray) -> list[Sight]:
    """How one camera sees one body at instants."""
    camera = scene.rig.cameras[view]
    world_from_camera = scene.ego.at(bodies.times_us[instants]) @ camera.ego_from_camera
    looks = []
    for pose, t in zip(world_from_camera, instants.tolist(), strict=True):
        box, size = bodies.world_from_box[[body], [t]], bodies.size_m[[body], [t]]
        others = _between(bodies, pose, body, t)
        looks.append(look_at(camera, pose, box, size, bodies.world_from_box[others, t], bodies.size_m[others, t]))
    return looks


def _between(bodies: Bodies, pose: SE3, body: int, t: int) -> IntArray:
    """Others [M] that may stand between a camera and a body: no further away than it, the ego left out."""
    away = np.linalg.norm(bodies.centre_m[:, t] - pose.translation_m, axis=-1)
    reach = away - np.linalg.norm(bodies.size_m[:, t], axis=-1) / 2
    others = bodies.present[:, t] & (reach < away[body])
    others[[body, len(bodies.ids) - 1]] = False
    return np.asarray(np.flatnonzero(others))


def _never_seen(bodies: Bodies, about: str, instants: IntArray, in_picture: bool) -> Finding:
    why = "others hide it, or it is too small" if in_picture else "it is outside of every picture"
    start_s, end_s = float(bodies.times_s[instants[0]]), float(bodies.times_s[instants[-1]])
    text = f"{about}, whom the scenario is about, is seen by no camera {span(start_s, end_s)}: {why}"
    return Finding("hidden_subject", "error", about, "", start_s, end_s, 0.0, _BRIEF_S, "s", text)


def _seen(scene: Scene, bodies: Bodies, about: str, instants: IntArray, seen_px: FloatArray, seen_s: float) -> Finding:
    view, column = np.unravel_index(int(np.argmax(seen_px)), seen_px.shape)
    name, size_px = scene.rig.names[int(view)], float(seen_px[view, column])
    columns = np.flatnonzero((seen_px > 0).any(axis=0))
    start_s, end_s = (float(bodies.times_s[instants[c]]) for c in (columns[0], columns[-1]))
    largest_s = float(bodies.times_s[instants[int(column)]])
    for_s = max(min(seen_s, end_s - start_s), STEP_S)
    text = f"{about} is seen for {for_s:.1f} s {span(start_s, end_s)}, largest with {size_px:.0f} px by {name}"
    text += f" at {largest_s:.1f} s"
    if seen_s < _BRIEF_S:
        return Finding("hidden_subject", "warning", about, name, start_s, end_s, seen_s, _BRIEF_S, "s", text)
    smallest_px = _SMALLEST_SHARE * scene.rig.cameras[int(view)].height_px
    return Finding("subject_seen", "note", about, name, start_s, end_s, size_px, smallest_px, "px", text)


# -- coming and going --------------------------------------------------------------------------------


def _pops(scene: Scene, bodies: Bodies) -> list[Finding]:
    """Everybody who is suddenly there, or no longer there, in the middle of a picture."""
    actors = slice(0, len(bodies.ids) - 1)
    there = bodies.present[actors]
    findings = []
    comes, goes = there[:, 1:] & ~there[:, :-1], there[:, :-1] & ~there[:, 1:]
    # The clip's own edges are no change; a step of slack, since key instants need not be those of the checks.
    comes[:, :1], goes[:, -1:] = False, False
    changes: tuple[tuple[Kind, BoolArray], ...] = (("born_in_view", comes), ("dies_in_view", goes))
    for kind, changed in changes:
        body, step = np.nonzero(changed)
        at = step + (kind == "born_in_view")
        kept = bodies.is_kept[body]
        findings += _labels_pop(bodies, kind, int(kept.sum()))
        for t in np.unique(at[~kept]).tolist():
            findings += _pops_at(scene, bodies, kind, body[(at == t) & ~kept], t)
    return findings


def _labels_pop(bodies: Bodies, kind: Kind, count: int) -> list[Finding]:
    """One note for all of a log: people label things when sensors see them, not when they come round the corner."""
    if count == 0:
        return []
    end_s = float(bodies.times_s[-1])
    text = f"{count} recorded tracks {'begin' if kind == 'born_in_view' else 'end'} during the clip, as labels do"
    return [Finding(kind, "note", "", "", 0.0, end_s, count, 0.0, "tracks", text)]


def _pops_at(scene: Scene, bodies: Bodies, kind: Kind, who: IntArray, t: int) -> list[Finding]:
    world_from_ego = scene.ego.at(bodies.times_us[[t]])[0]
    others = np.flatnonzero(bodies.present[:-1, t])
    largest = [(0.0, 0.0, "")] * len(who)
    for camera in scene.rig:
        pose = world_from_ego @ camera.ego_from_camera
        sight = look_at(
            camera, pose, bodies.world_from_box[who, t], bodies.size_m[who, t],
            bodies.world_from_box[others, t], bodies.size_m[others, t], who[:, None] == others[None],
        )  # fmt: skip
        share = sight.height_px / camera.height_px
        counts = (sight.share >= _POP_VISIBLE) & (sight.distance_m < _POP_DISTANCE_M) & (share >= _POP_SHARE)
        for row in np.flatnonzero(counts).tolist():
            largest[row] = max(largest[row], (float(share[row]), float(sight.height_px[row]), camera.name))
    return [
        _pop(bodies, kind, body, t, *seen)
        for body, seen in zip(who.tolist(), largest, strict=True)
        if seen[0] > 0 and bodies.ids[body] != EGO
    ]


def _pop(bodies: Bodies, kind: Kind, body: int, t: int, share: float, height_px: float, camera: str) -> Finding:
    severity: Severity = "error" if share > _POP_PLAIN_SHARE else "warning"
    at_s = float(bodies.times_s[t])
    verb = "appears" if kind == "born_in_view" else "vanishes"
    text = f"{bodies.ids[body]} {verb} at {at_s:.1f} s in view of {camera}, {height_px:.0f} px high"
    limit_px = height_px / share * _POP_SHARE
    return Finding(kind, severity, bodies.ids[body], camera, at_s, at_s, height_px, limit_px, "px", text)
