"""The resolved world over time: what is rendered, labelled and exported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .actor import Actor
from .arrays import FloatArray, IntArray, all_finite, as_float, as_instants, frozen
from .errors import FrameError, SceneGraphError, TimeRangeError
from .hdmap import HDMap, LightState
from .rig import CameraRig
from .trajectory import Trajectory

EGO_EXTRAPOLATION_US = 1_000_000
"""Recorded camera instants may lie a little outside of the recorded poses; the ego then goes on unchanged."""


@dataclass(frozen=True, eq=False)
class LightTimeline:
    """What one traffic light shows: ``states[k]`` holds from ``timestamps_us[k]`` to the next time.

    timestamps_us: int64 [K], strictly increasing, K >= 1. Before the first time the light is unknown.
    """

    timestamps_us: IntArray
    states: tuple[LightState, ...]

    def __post_init__(self) -> None:
        stamps = as_instants("light states", self.timestamps_us)
        object.__setattr__(self, "timestamps_us", frozen(stamps))
        object.__setattr__(self, "states", tuple(LightState(state) for state in self.states))
        if stamps.ndim != 1 or len(stamps) != len(self.states) or len(stamps) == 0:
            raise FrameError(f"light states: {len(self.states)} states for {len(stamps)} times")
        if (np.diff(stamps) <= 0).any():
            raise TimeRangeError("light states: times must increase")

    def at(self, timestamps_us: IntArray) -> tuple[LightState, ...]:
        """States [Q] at instants [Q]."""
        index = np.searchsorted(self.timestamps_us, as_instants("times", timestamps_us), side="right") - 1
        return tuple(self.states[i] if i >= 0 else LightState.UNKNOWN for i in index)


@dataclass(frozen=True, eq=False)
class Scene:
    """One world with everything that happens in it.

    clip_id: its name.
    hdmap: static map, world frame.
    ego: the recording vehicle; its origin is the rear axle centre projected to the ground.
    actors: everything else that moves, ids unique.
    rig: the vehicle's cameras; may be empty for a log without calibration.
    light_states: by traffic-light id; a light without an entry is unknown.
    frame_timestamps_us: int64 [T], the recorded instants of camera frames, None where there are none.
    world_origin_m: float64 [3], where the world's origin lies in the source's own coordinates.
    source: what it was made from (format, log id, licence ...), plain strings.
    """

    clip_id: str
    hdmap: HDMap
    ego: Trajectory
    actors: tuple[Actor, ...] = ()
    rig: CameraRig = field(default_factory=lambda: CameraRig(()))
    light_states: Mapping[str, LightTimeline] = field(default_factory=dict)
    frame_timestamps_us: IntArray | None = None
    world_origin_m: FloatArray = field(default_factory=lambda: np.zeros(3))
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "actors", tuple(self.actors))
        object.__setattr__(self, "light_states", dict(self.light_states))
        object.__setattr__(self, "source", dict(self.source))
        object.__setattr__(self, "world_origin_m", as_float(self.world_origin_m))
        if self.world_origin_m.shape != (3,) or not all_finite(self.world_origin_m):
            raise FrameError(f"world origin: expected 3 finite numbers, got {self.world_origin_m.tolist()}")
        ids = [actor.id for actor in self.actors]
        if len(set(ids)) != len(ids):
            twice = sorted({i for i in ids if ids.count(i) > 1})
            raise SceneGraphError(f"actor ids must be unique, {', '.join(twice[:5])} occurs more than once")
        lights = {light.id for light in self.hdmap.traffic_lights}
        unknown = sorted(set(self.light_states) - lights)
        if unknown:
            raise SceneGraphError(f"light states name lights that the map lacks: {', '.join(unknown[:5])}")
        if self.frame_timestamps_us is not None:
            stamps = as_instants("frame times", self.frame_timestamps_us)
            if stamps.ndim != 1 or len(stamps) == 0 or (np.diff(stamps) <= 0).any():
                raise TimeRangeError("frame times must increase and there must be at least one")
            object.__setattr__(self, "frame_timestamps_us", frozen(stamps))

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last ego pose."""
        return (self.ego.last_us - self.ego.first_us) / 1e6

    def with_rig(self, rig: CameraRig) -> Scene:
        """The same world filmed by other cameras."""
        return replace(self, rig=rig)

    def frame_times_us(self, fps: float | None = None) -> IntArray:
        """Instants of all frames [T], microseconds.

        fps None: the recorded camera instants where there are any, else 30 frames per second.
        Otherwise t_i = t_first + i 1e6/fps, truncated to whole microseconds, for i = 0..int(duration fps), between
        the first and last recorded instant, or ego pose where there are none. Where cameras recorded at least that
        often, each moves to the recorded instant within half a step of theirs, so that frames and pictures match.
        """
        recorded = self.frame_timestamps_us
        if fps is None and recorded is not None:
            return recorded
        rate = 30.0 if fps is None else float(fps)
        if not (rate > 0 and math.isfinite(rate)):
            raise TimeRangeError(f"fps must be above 0, got {rate:g}")
        first_us, last_us = (self.ego.first_us, self.ego.last_us) if recorded is None else recorded[[0, -1]].tolist()
        count = int((last_us - first_us) / 1e6 * rate + 1e-9) + 1
        times_us: IntArray = first_us + (np.arange(count) * 1e6 / rate).astype(np.int64)
        if recorded is None or len(recorded) < 2:
            return times_us
        step_us = float(np.median(np.diff(recorded)))
        if 1e6 / rate < 0.99 * step_us:
            return times_us
        after = np.clip(np.searchsorted(recorded, times_us), 1, len(recorded) - 1)
        is_before_nearer = times_us - recorded[after - 1] <= recorded[after] - times_us
        nearest = recorded[np.where(is_before_nearer, after - 1, after)]
        moved: IntArray = np.unique(np.where(np.abs(nearest - times_us) <= step_us / 2, nearest, times_us))
        return moved
