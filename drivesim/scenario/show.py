"""What happens in a scene, for people: a timeline in the terminal and a film strip from above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from render.birdseye import BirdsEye
from render.lettering import write_text
from scenegraph import Actor, Scene
from scenegraph.arrays import FloatArray, IntArray, UInt8Array
from scenegraph.scene import EGO_EXTRAPOLATION_US

from ..spelling import counted

_BINS = 40
_MOST_ACTORS = 40
_STRIP_PICTURES = 5
_PICTURE_PX = (420, 560)
_MARGIN_PX = 6
_GROUND_RGB = (22, 24, 29)
_TEXT_RGB = (232, 235, 240)
_STANDING_MPS = 0.3


def timeline(scene: Scene, causes: Mapping[str, str]) -> Iterator[str]:
    """One line per actor: when it is there, what it does, and where the file says so.

    In the bar ``=`` is moving, ``-`` standing and a space absent. causes: places in the scenario file by actor id.
    """
    times_us = _instants(scene, _BINS)
    duration_s = (times_us[-1] - times_us[0]) / 1e6
    layers = scene.hdmap.counts().items()
    counts = ", ".join(counted(count, name.replace("_", " ").removesuffix("s")) for name, count in layers if count)
    actors, cameras = counted(len(scene.actors), "actor"), counted(len(scene.rig), "camera")
    yield f"{scene.clip_id}: {duration_s:.1f} s, {actors}, {cameras}"
    yield f"map: {counts or 'empty'}"
    ego = scene.ego.at(times_us, EGO_EXTRAPOLATION_US).translation_m
    yield f"  {'ego':28} {'':10} |{_bar(_speeds(ego, times_us))}| {_speed_words(_speeds(ego, times_us))}"
    shown = sorted(scene.actors, key=lambda actor: (actor.id not in causes, causes.get(actor.id) or "", actor.id))
    for actor in shown[:_MOST_ACTORS]:
        speeds = _actor_speeds(actor, times_us)
        where = f"  {causes[actor.id]}" if actor.id in causes else ""
        bar, words = _bar(speeds), _speed_words(speeds)
        yield f"  {actor.id[:28]:28} {actor.source_category[:10]:10} |{bar}| {words}{where}"
    if len(shown) > _MOST_ACTORS:
        yield f"  and {len(shown) - _MOST_ACTORS} more"


def film_strip(scene: Scene) -> UInt8Array:
    """The scene from above at equally spaced instants side by side, uint8 [H,W,3] RGB."""
    times_us = _instants(scene, _STRIP_PICTURES)
    width, height = _PICTURE_PX
    birdseye = BirdsEye(scene, scene.rig.at(scene.ego, times_us, EGO_EXTRAPOLATION_US), width, height)
    strip = np.full(
        (height + 2 * _MARGIN_PX, _STRIP_PICTURES * (width + _MARGIN_PX) + _MARGIN_PX, 3), _GROUND_RGB, dtype=np.uint8
    )
    for index, time_us in enumerate(times_us):
        left = _MARGIN_PX + index * (width + _MARGIN_PX)
        strip[_MARGIN_PX : _MARGIN_PX + height, left : left + width] = birdseye.frame(index)
        write_text(strip, f"{(time_us - times_us[0]) / 1e6:.1f} s", left + 12, _MARGIN_PX + 26, 14, _TEXT_RGB)
    return strip


def _instants(scene: Scene, count: int) -> IntArray:
    all_us = scene.frame_times_us()
    instants: IntArray = np.round(np.linspace(all_us[0], all_us[-1], count)).astype(np.int64)
    return instants


def _actor_speeds(actor: Actor, times_us: IntArray) -> FloatArray:
    """Speed [T] in m/s, NaN where it is absent."""
    boxes = actor.boxes_at(times_us)
    speeds = _speeds(boxes.world_from_box.translation_m, times_us)
    return np.where(boxes.present, speeds, np.nan)


def _speeds(points_m: FloatArray, times_us: IntArray) -> FloatArray:
    steps = np.linalg.norm(np.diff(points_m, axis=0), axis=1) / (np.diff(times_us) / 1e6)
    return np.append(steps, steps[-1:])


def _bar(speeds: FloatArray) -> str:
    return "".join(" " if np.isnan(s) else "=" if s > _STANDING_MPS else "-" for s in speeds)


def _speed_words(speeds: FloatArray) -> str:
    there = speeds[~np.isnan(speeds)]
    if not len(there):
        return "never there"
    low, high = float(there.min()), float(there.max())
    if high <= _STANDING_MPS:
        return "stands"
    return f"{high:.1f} m/s" if high - low < 0.5 else f"{low:.1f} to {high:.1f} m/s"
