"""What a scene asks of a generator that it was not made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenegraph import Scene

from .bodies import Bodies
from .finding import Finding, Severity

if TYPE_CHECKING:
    from models.request import Regime

_RATE_TOLERANCE = 0.05
_MOST_CAMERAS = 8  # of any rig that multi-view weights were published for
_ASPECT_TOLERANCE = 0.1
_MANY_NEAR = 100
_NEAR_M = 80.0
_TOUCHING_M = 0.5


def check_model(scene: Scene, bodies: Bodies, regime: Regime, fps: float) -> list[Finding]:
    """Frame rate, frames, cameras and crowds outside of what the weights were trained on."""
    end_s = float(bodies.times_s[-1])

    def finding(severity: Severity, value: float, limit: float, unit: str, text: str, camera: str = "") -> Finding:
        return Finding("out_of_distribution", severity, camera, "", 0.0, end_s, value, limit, unit, text)

    findings = []
    if abs(fps / regime.fps - 1) > _RATE_TOLERANCE:
        text = f"{fps:g} frames per second; the model was trained at {regime.fps:g}"
        findings.append(finding("warning", fps, regime.fps, "fps", text))
    frames = int(scene.duration_s * fps + 1e-6) + 1
    if frames < regime.clip_frames:
        text = f"{frames} frames; the model makes {regime.clip_frames} at a time. Let it last longer"
        findings.append(finding("warning", frames, regime.clip_frames, "frames", text))
    most = _MOST_CAMERAS if regime.known_views is None else regime.known_views
    if len(scene.rig) > most:
        text = f"{len(scene.rig)} cameras; the model knows {most}. Leave some out"
        findings.append(finding("warning", len(scene.rig), most, "cameras", text))
    wanted = regime.width_px / regime.height_px
    for camera in scene.rig:
        aspect = camera.width_px / camera.height_px
        if abs(aspect / wanted - 1) > _ASPECT_TOLERANCE:
            text = f"camera {camera.name} is {camera.width_px}x{camera.height_px}; "
            text += f"the model was trained on {regime.width_px}x{regime.height_px}, so it is cropped or stretched"
            findings.append(finding("note", aspect, wanted, "width/height", text, camera.name))
    return findings + _crowd(bodies, end_s) + _very_near(scene, bodies)


def _crowd(bodies: Bodies, end_s: float) -> list[Finding]:
    count = (bodies.present[:-1] & (bodies.ego_distance_m[:-1] < _NEAR_M)).sum(axis=0)
    most = int(count.max(initial=0))
    if most <= _MANY_NEAR:
        return []
    text = f"{most} actors within {_NEAR_M:g} m of the ego; recordings rarely have more than {_MANY_NEAR}"
    return [Finding("out_of_distribution", "note", "", "", 0.0, end_s, most, _MANY_NEAR, "actors", text)]


def _very_near(scene: Scene, bodies: Bodies) -> list[Finding]:
    """Actors whose surface comes so close to a camera that its picture is filled with something blurred."""
    findings = []
    for camera in scene.rig:
        place = (scene.ego.at(bodies.times_us) @ camera.ego_from_camera).translation_m
        local = bodies.world_from_box[:-1].inverse()
        inside = (local.rotation @ place[None, :, :, None])[..., 0] + local.translation_m
        gap = np.maximum(np.abs(inside) - bodies.size_m[:-1] / 2, 0.0)
        distance_m = np.where(bodies.present[:-1], np.linalg.norm(gap, axis=-1), np.inf)
        for body in np.flatnonzero((distance_m < _TOUCHING_M).any(axis=1)).tolist():
            at = int(np.argmin(distance_m[body]))
            at_s, value = float(bodies.times_s[at]), float(distance_m[body, at])
            text = f"{bodies.ids[body]} comes within {value:.2f} m of camera {camera.name} at {at_s:.1f} s"
            names = bodies.ids[body], camera.name
            findings.append(Finding("out_of_distribution", "note", *names, at_s, at_s, value, _TOUCHING_M, "m", text))
    return findings
