"""Cameras that cannot see: blocked, inside of something, in the ground, turned at their own vehicle, or twice."""

from __future__ import annotations

import itertools

import numpy as np

from scenegraph import SE3, Camera, Scene
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from ..classes import Body
from .bodies import Bodies
from .finding import Finding, Severity, span, stretches
from .sight import slab

_GRID = (15, 9)
_BLOCKED_SHARE = 0.7
_BLOCKED_NEAR_M = 12.0
_BLOCKED_S = 2.0
_MOST_OF_CLIP = 0.5
_LOW_M = 0.1
_GROUND_SHARE, _GROUND_NEAR_M = 0.95, 8.0
_OWN_SHARE = 0.7
_BONNET_SHARE = 0.62
_SAME_M, _SAME_RAD, _SAME_VIEW = 0.02, 0.01, 0.05


def check_sensors(scene: Scene, bodies: Bodies, ego_body: Body) -> list[Finding]:
    """Findings about every camera of the rig."""
    end_s = float(bodies.times_s[-1])
    findings = _same_pose(scene.rig.cameras, end_s)
    held = np.zeros((len(scene.rig), *bodies.present.shape), dtype=bool)
    for view, camera in enumerate(scene.rig):
        rays_ego = camera.ego_from_camera.rotation @ _rays(camera).T
        findings += _mounted(camera, rays_ego.T, ego_body, end_s)
        blocked, held[view] = _blocked(scene, bodies, camera, rays_ego.T)
        findings += blocked
    return findings + _inside(bodies, scene.rig.names, held)


def _rays(camera: Camera) -> FloatArray:
    """Unit rays [N,3] over the whole picture, camera frame."""
    u, v = (np.linspace(0.0, side - 1.0, count) for side, count in zip(_size(camera), _GRID, strict=True))
    return camera.unproject(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2))


def _size(camera: Camera) -> tuple[int, int]:
    return camera.width_px, camera.height_px


# -- on the vehicle ----------------------------------------------------------------------------------


def _same_pose(cameras: tuple[Camera, ...], end_s: float) -> list[Finding]:
    findings = []
    for one, other in itertools.combinations(cameras, 2):
        between = one.ego_from_camera.inverse() @ other.ego_from_camera
        away_m = float(np.linalg.norm(between.translation_m))
        turned = float(np.arccos(np.clip((np.trace(between.rotation) - 1) / 2, -1.0, 1.0)))
        wider = one.max_angle_rad / other.max_angle_rad
        if away_m < _SAME_M and turned < _SAME_RAD and abs(wider - 1) < _SAME_VIEW:
            text = f"cameras {one.name} and {other.name} show the same: they sit and look alike. Remove or turn one"
            findings.append(
                Finding("camera_pose", "warning", one.name, other.name, 0.0, end_s, away_m, _SAME_M, "m", text)
            )
    return findings


def _mounted(camera: Camera, rays: FloatArray, body: Body, end_s: float) -> list[Finding]:
    """Faults of where a camera sits; rays [N,3] in the ego's frame."""
    place = camera.ego_from_camera.translation_m
    height_m = float(place[2])
    if height_m < _LOW_M:
        text = f"camera {camera.name} is in the ground: {height_m:.2f} m above it. Raise it"
        return [Finding("camera_pose", "error", camera.name, "", 0.0, end_s, height_m, _LOW_M, "m", text)]
    down = -rays[:, 2]
    near = (down > 0) & (height_m < _GROUND_NEAR_M * down)
    ground, own = float(near.mean()), float(_hits_own(place, rays, body).mean())
    sky = float((down < 0).mean())
    found = [
        (own > _OWN_SHARE, own, _OWN_SHARE, "shows little but its own vehicle"),
        (ground > _GROUND_SHARE, ground, _GROUND_SHARE, f"looks into the ground within {_GROUND_NEAR_M:g} m"),
        (sky == 1.0, sky, 1.0, "looks into the sky only"),
    ]
    return [
        Finding(
            "camera_pose", "error", camera.name, "", 0.0, end_s, share, limit, "share of picture",
            f"camera {camera.name} {what} ({share:.0%} of its picture). Turn it",
        )
        for is_wrong, share, limit, what in found
        if is_wrong
    ][:1]  # fmt: skip


def _hits_own(place: FloatArray, rays: FloatArray, body: Body) -> BoolArray:
    """Which rays [N] go through the lower part of the vehicle for half a metre; cabins are mostly glass."""
    height_m = _BONNET_SHARE * body.height_m
    half = np.array([body.length_m, body.width_m, height_m]) / 2
    start = place - np.array([body.rear_axle_m, 0.0, height_m / 2])
    enters, leaves = slab(start, rays, half)
    return np.asarray(leaves - np.maximum(enters, 0.0) > 0.5)


# -- in traffic --------------------------------------------------------------------------------------


def _blocked(scene: Scene, bodies: Bodies, camera: Camera, rays_ego: FloatArray) -> tuple[list[Finding], BoolArray]:
    """Actors that cover most of the picture for long, and who holds the camera when, bool [A,T]."""
    world_from_camera = scene.ego.at(bodies.times_us) @ camera.ego_from_camera
    away = np.linalg.norm(bodies.centre_m - world_from_camera.translation_m, axis=-1)
    near = bodies.present & (away - np.linalg.norm(bodies.size_m, axis=-1) / 2 < _BLOCKED_NEAR_M)
    near[-1] = False
    covered, held = np.zeros(bodies.present.shape), np.zeros(bodies.present.shape, dtype=bool)
    body, instant = np.nonzero(near)
    if len(body):
        covered[body, instant], held[body, instant] = _covers(scene, bodies, camera, rays_ego, body, instant)
    findings = []
    for who in np.flatnonzero((covered > _BLOCKED_SHARE).any(axis=1)).tolist():
        findings += _covered(bodies, camera, who, covered[who], held[who])
    return findings, held


def _inside(bodies: Bodies, names: tuple[str, ...], held: BoolArray) -> list[Finding]:
    """Actors that hold cameras, bool [V,A,T]: one finding per actor and stretch of time."""
    findings = []
    for who in np.flatnonzero(held.any(axis=(0, 2))).tolist():
        for first, last in stretches(held[:, who].any(axis=0)):
            inside = [name for name, row in zip(names, held[:, who, first : last + 1], strict=True) if row.any()]
            start_s, end_s = float(bodies.times_s[first]), float(bodies.times_s[last])
            which = f"camera {inside[0]} is" if len(inside) == 1 else f"cameras {', '.join(inside)} are"
            text = f"{which} inside of {bodies.ids[who]} {span(start_s, end_s)}"
            pair = inside[0], bodies.ids[who]
            findings.append(
                Finding("blocked_camera", "error", *pair, start_s, end_s, len(inside), 0.0, "cameras", text)
            )
    return findings


def _covers(
    scene: Scene, bodies: Bodies, camera: Camera, rays_ego: FloatArray, body: IntArray, instant: IntArray
) -> tuple[FloatArray, BoolArray]:
    """Share of the picture that boxes [K] cover, and whether they hold the camera, [K]."""
    world_from_ego = scene.ego.at(bodies.times_us[instant])
    box_from_ego: SE3 = bodies.world_from_box[body, instant].inverse() @ world_from_ego
    start = box_from_ego.apply(np.broadcast_to(camera.ego_from_camera.translation_m, (len(body), 1, 3)))
    way = np.broadcast_to(rays_ego, (len(body), *rays_ego.shape)) @ np.swapaxes(box_from_ego.rotation, -1, -2)
    half = bodies.size_m[body, instant][:, None, :] / 2
    enters, leaves = slab(start, way, half)
    hit = (enters < leaves) & (leaves > 0)
    return np.asarray(hit.mean(axis=1)), np.asarray((np.abs(start[:, 0]) < half[:, 0]).all(axis=-1))


def _covered(bodies: Bodies, camera: Camera, who: int, share: FloatArray, held: BoolArray) -> list[Finding]:
    covers = (share > _BLOCKED_SHARE) & ~held
    findings = []
    for first, last in stretches(covers):
        start_s, end_s = float(bodies.times_s[first]), float(bodies.times_s[last])
        lasts_s = end_s - start_s
        is_long = lasts_s >= _MOST_OF_CLIP * bodies.times_s[-1]
        if lasts_s < _BLOCKED_S and not is_long:
            continue
        severity: Severity = "error" if is_long and not bodies.is_kept[who] else "warning"
        value = float(share[first : last + 1].max())
        text = f"{bodies.ids[who]} covers {value:.0%} of camera {camera.name} {span(start_s, end_s)}"
        names = camera.name, bodies.ids[who]
        findings.append(
            Finding("blocked_camera", severity, *names, start_s, end_s, value, _BLOCKED_SHARE, "share", text)
        )
    return findings
