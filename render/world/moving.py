"""What moves or changes, at one instant: actors in their places, lamps, traffic lights, the shade under bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scenegraph import SE3, Actor, ClipCameras, LightState, Scene
from scenegraph.arrays import FloatArray
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..raycast import TriangleScene
from .actor_meshes import PHASES, actor_mesh, phase_of
from .contact import Contact, Underneath
from .faces import Faces, bent_normals, faces_of
from .lamps import Lamps, lamps_of
from .look import Look
from .mesh import Material, Mesh, joined
from .signals import light_lenses

_REACH_M: Final = 170.0
_MOVES_M: Final = 1.0
_BRAKES_MPS2, _STANDS_MPS = 0.7, 0.3
_LAMPS_MOVE_M: Final = 90.0
_HEAD_GLOW, _TAIL_GLOW, _BRAKE_GLOW = 3.0, 0.45, 1.5
_EGO_FRONT_M: Final = (3.7, 0.0, 0.68)
_EGO_CENTRE_M: Final = (1.4, 0.0, 0.75)
EGO_SIZE_M: Final = (4.6, 1.9)


@dataclass(frozen=True, eq=False)
class Instant:
    """The moving part of the world at one instant, shared by all views.

    triangles: to cast rays against. faces: the same, to shade. under: light lost under and beside bodies.
    glow: float32 [A,2], brightness of the head and tail lamps of every actor. lamps: all that throw light.
    """

    triangles: TriangleScene
    faces: Faces
    under: Contact
    glow: npt.NDArray[np.float32]
    lamps: Lamps


@dataclass(frozen=True, eq=False)
class _Body:
    """A mesh in its box frame and its smooth normals [F,3,3]."""

    mesh: Mesh
    bent: npt.NDArray[np.float32]


class Actors:
    """The bodies of all actors of a clip, and the traffic lights."""

    def __init__(self, scene: Scene, cameras: ClipCameras, look: Look, seed: int, posts_m: FloatArray) -> None:
        self._scene, self._look, self._seed, self._posts_m = scene, look, seed, posts_m
        self._times = cameras.timestamps_us
        self._boxes = [actor.boxes_at(self._times) for actor in scene.actors]
        self._ego = scene.ego.at(self._times, EGO_EXTRAPOLATION_US)
        self._phases = [phase_of(actor, self._times) for actor in scene.actors]
        self._bodies: dict[tuple[int, int, tuple[float, float, float]], _Body] = {}
        self._glow = np.zeros((len(self._times), max(len(scene.actors), 1), 2), dtype=np.float32)
        for number, actor in enumerate(scene.actors):
            self._glow[:, number] = glow_of(actor, self._times, look.has_lights_on)
        self._states = {name: timeline.at(self._times) for name, timeline in scene.light_states.items()}

    def at(self, index: int) -> Instant:
        """Everything near the ego at one instant."""
        ego = self._ego[index]
        under = Underneath(ego.translation_m)
        under.add(ego @ _shift(_EGO_CENTRE_M), *EGO_SIZE_M)
        parts, owners, bent, heads, ahead = [], [], [], [], []
        for number, boxes in enumerate(self._boxes):
            pose = boxes.world_from_box[index]
            if not boxes.present[index] or np.linalg.norm(pose.translation_m - ego.translation_m) > _REACH_M:
                continue
            body = self._body(number, index)
            mesh = body.mesh
            parts.append(mesh.moved(pose.rotation, pose.translation_m))
            owners.append(np.full(len(mesh.triangles), number, dtype=np.int32))
            bent.append(body.bent @ pose.rotation.T.astype(np.float32))
            under.add(pose, float(boxes.length_m[index]), float(boxes.width_m[index]))
            shining = mesh.triangles[mesh.material == Material.HEADLAMP]
            if self._glow[index, number, 0] > 0 and len(shining):
                heads.append(pose.apply(mesh.vertices_m[shining].mean(axis=(0, 1))))
                ahead.append(pose.rotation[:, 0])
        for light in self._scene.hdmap.traffic_lights:
            state = self._states[light.id][index] if light.id in self._states else LightState.UNKNOWN
            lenses = light_lenses(light, state)
            parts.append(lenses)
            owners.append(np.full(len(lenses.triangles), -1, dtype=np.int32))
            bent.append(np.zeros((len(lenses.triangles), 3, 3), dtype=np.float32))
        mesh = joined(parts)
        owner = np.concatenate(owners) if owners else np.zeros(0, dtype=np.int32)
        return Instant(
            TriangleScene(mesh.vertices_m, mesh.triangles),
            faces_of(mesh, owner, np.concatenate(bent) if bent else None),
            under.picture(),
            self._glow[index],
            self._lamps(index, heads, ahead),
        )

    def _lamps(self, index: int, heads: list[FloatArray], ahead: list[FloatArray]) -> Lamps:
        if not self._look.has_lights_on:
            return lamps_of(*(np.zeros((0, 3)) for _ in range(3)))
        ego = self._ego[index]
        near = np.linalg.norm(self._posts_m - ego.translation_m, axis=1) < _LAMPS_MOVE_M
        heads_m = np.array([ego.apply(np.array(_EGO_FRONT_M)), *heads])
        return lamps_of(self._posts_m[near], heads_m, np.array([ego.rotation[:, 0], *ahead]))

    def _body(self, number: int, index: int) -> _Body:
        """An actor's body in its box frame; moments are rounded, so that few different ones are built."""
        actor, boxes = self._scene.actors[number], self._boxes[number]
        sides = [round(float(side[index]), 2) for side in (boxes.length_m, boxes.width_m, boxes.height_m)]
        moment = round(float(self._phases[number][index]) / (2 * np.pi) * PHASES) % PHASES
        key = (number, moment, (sides[0], sides[1], sides[2]))
        if key not in self._bodies:
            mesh = actor_mesh(
                actor.category, actor.source_category, actor.id, *key[2], self._seed, stride=moment * 2 * np.pi / PHASES
            )
            self._bodies[key] = _Body(mesh, bent_normals(mesh))
        return self._bodies[key]


def glow_of(actor: Actor, times_us: Any, has_lights_on: bool) -> npt.NDArray[np.float32]:
    """Brightness of head and tail lamps [T,2]: on for who drives at all, tail lamps brighter when braking."""
    glow = np.zeros((len(times_us), 2), dtype=np.float32)
    track = actor.trajectory
    if len(track) < 2 or not (np.ptp(track.world_from_body.translation_m, axis=0) > _MOVES_M).any():
        return glow
    if has_lights_on:
        glow[:] = (_HEAD_GLOW, _TAIL_GLOW)
    step_us = 300_000
    before, now, after = (
        actor.boxes_at(times_us + shift).world_from_box.translation_m for shift in (-step_us, 0, step_us)
    )
    slow, fast = (np.linalg.norm(way, axis=1) / (step_us / 1e6) for way in (after - now, now - before))
    braking = (fast - slow) / (step_us / 1e6)
    glow[(braking > _BRAKES_MPS2) | (slow < _STANDS_MPS), 1] = _BRAKE_GLOW
    return glow


def _shift(translation_m: tuple[float, float, float]) -> SE3:
    return SE3(np.eye(3), np.array(translation_m))
