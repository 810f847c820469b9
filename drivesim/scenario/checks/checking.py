"""All checks of a scene, in one call."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scenegraph import Scene
from scenegraph.formats.reading import KINDS as LOG_FORMATS

from ...errors import ScenarioError
from ...spelling import nearest
from ..classes import EGO_BODY, Body
from .bodies import EGO, sample_bodies
from .collisions import check_collisions
from .finding import KINDS, Finding, in_order
from .kinematics import check_kinematics
from .lights import check_lights
from .model import check_model
from .road import check_road
from .sensors import check_sensors
from .sizes import check_sizes
from .visibility import check_visibility

if TYPE_CHECKING:
    from models.request import Regime


def check_scene(
    scene: Scene,
    *,
    about: str | None = None,
    regime: Regime | None = None,
    allow: Sequence[str] = (),
    fps: float = 10.0,
    recorded: Collection[str] | None = None,
    edited: Collection[str] = (),
    ego_body: Body = EGO_BODY,
) -> tuple[Finding, ...]:
    """What is wrong or unusual in a scene: errors first, each once per actor or pair and stretch of time.

    about: the actor that must be seen. regime: of the generator it is meant for; None leaves those checks out.
    allow: kinds that are meant to be; their findings become notes. fps: of the film; motion is always checked at 10 Hz.
    recorded: ids of actors (and ``ego``) whose boxes are labels of a log, edited or not; they are granted the noise
        of labels. None for everybody in a scene read from a log, nobody in others.
    edited: those of them that the scenario made do something else: what comes of it is not the log's.
    ego_body: the size of the recording vehicle.
    """
    for kind in allow:
        if kind not in KINDS:
            raise ScenarioError(f"there is no finding {kind!r}{nearest(kind, KINDS)}. Known are {', '.join(KINDS)}")
    if not (fps > 0 and math.isfinite(fps)):
        raise ScenarioError(f"fps must be above 0, got {fps:g}")
    if recorded is None:
        recorded = labels_of(scene)
    bodies = sample_bodies(scene, recorded, edited, ego_body)
    findings = [
        *check_collisions(bodies),
        *check_sizes(bodies),
        *check_kinematics(bodies),
        *check_road(scene, bodies),
        *check_lights(scene, bodies),
        *check_visibility(scene, bodies, about),
        *check_sensors(scene, bodies, ego_body),
        *(check_model(scene, bodies, regime, fps) if regime is not None else ()),
    ]
    return in_order([replace(f, severity="note") if f.kind in allow else f for f in findings])


def labels_of(scene: Scene) -> frozenset[str]:
    """Ids of everything in a scene that was read from a log, the ego included; none of a scene made by code."""
    if scene.source.get("format") not in LOG_FORMATS:
        return frozenset()
    return frozenset({EGO, *(actor.id for actor in scene.actors)})
