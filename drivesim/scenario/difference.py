"""One thing that is not the same in two scenes, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np

from scenegraph import SE3
from scenegraph.arrays import FloatArray

from .scene_digest import content_digest

Part: TypeAlias = Literal["actor", "map", "light", "camera", "ego", "frames", "prompt"]
How: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in both scenes.

    kind: class of an actor, layer of a map element, lens of a camera.
    start_s, end_s: when, in seconds of the scenario; None for what does not depend on time.
    largest_m, largest_deg: how far it moved and turned at most; at_s: when. place_m: where it is then, in the first
        scene, or where what was added is; x, y, z of the world.
    details: what else changed, in words.
    """

    part: Part
    id: str
    kind: str
    how: How
    start_s: float | None = None
    end_s: float | None = None
    largest_m: float | None = None
    largest_deg: float | None = None
    at_s: float | None = None
    place_m: tuple[float, float, float] | None = None
    details: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same for people."""
        up_to = "" if self.at_s is None else "up to "
        moves = [f"moved by {up_to}{self.largest_m:.3g} m"] if self.largest_m else []
        moves += [f"turned by {up_to}{self.largest_deg:.3g} deg"] if self.largest_deg else []
        at = [] if self.at_s is None else [f"at {self.at_s:.1f} s"]
        at += [] if self.place_m is None else ["at x {:.1f}, y {:.1f}".format(*self.place_m[:2])]
        span = [] if self.start_s is None else [f"from {self.start_s:.1f} to {self.end_s:.1f} s"]
        said = [" and ".join(moves), *self.details, " ".join(at), *span]
        told = "; ".join(part for part in said if part)
        return f"{self.part} {self.id} ({self.kind}) {self.how}" + (f": {told}" if told else "")


def apart(one: SE3, other: SE3) -> tuple[FloatArray, FloatArray]:
    """Metres and degrees [...] between poses [...]."""
    moved_m = np.linalg.norm(other.translation_m - one.translation_m, axis=-1)
    # The chord between rotations: exact for small angles, where the arc cosine of the trace is not.
    chord = np.linalg.norm(other.rotation - one.rotation, axis=(-2, -1)) / (2 * np.sqrt(2))
    return np.asarray(moved_m), np.asarray(np.degrees(2 * np.arcsin(np.clip(chord, 0.0, 1.0))))


def fields_that_differ(old: Any, new: Any) -> str:
    """Names of the fields of two dataclasses whose content is not the same."""
    names = (field.name for field in fields(old) if field.init)
    return ", ".join(n for n in names if content_digest(getattr(old, n)) != content_digest(getattr(new, n)))


def place(point_m: FloatArray) -> tuple[float, float, float]:
    """A point [3] as numbers for JSON."""
    x, y, z = point_m.tolist()
    return x, y, z


def seconds(time_us: int, zero_us: int) -> float:
    """An instant in seconds of the scenario."""
    return float((int(time_us) - zero_us) / 1e6)
