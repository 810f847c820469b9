"""How actors and the ego move differently in two scenes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenegraph import Actor, Scene, Trajectory
from scenegraph.arrays import BoolArray, FloatArray, IntArray

from .difference import Difference, How, apart, fields_that_differ, place, seconds
from .scene_digest import content_digest

SAME_M, SAME_DEG = 1e-9, 1e-6
"""Less is rounding."""

_AS_LARGE = 1e-6
"""Metres or degrees below the largest: the first such instant is named, so that rounding does not choose it."""


def compare_actors(a: Scene, b: Scene, zero_us: int) -> Iterator[Difference]:
    """Actors that went, that changed, and that came."""
    old, new = ({actor.id: actor for actor in scene.actors} for scene in (a, b))
    for actor in a.actors:
        if actor.id not in new:
            yield _came_or_went(actor, "removed", zero_us)
        elif content_digest(actor) != content_digest(new[actor.id]):
            yield _changed_actor(actor, new[actor.id], zero_us)
    yield from (_came_or_went(actor, "added", zero_us) for actor in b.actors if actor.id not in old)


def compare_ego(a: Scene, b: Scene, zero_us: int) -> Iterator[Difference]:
    """Where the ego is at other places or times."""
    if content_digest(a.ego) == content_digest(b.ego):
        return
    times_us = np.union1d(a.ego.timestamps_us, b.ego.timestamps_us)
    times_us = times_us[a.ego.covers(times_us) & b.ego.covers(times_us)]
    spans = [_span(ego, zero_us) for ego in (a.ego, b.ego)]
    details = (f"drives {spans[1]} instead of {spans[0]}",) if spans[0] != spans[1] else ()
    one, other = a.ego.at(times_us), b.ego.at(times_us)
    moves = _Moves.of(times_us, *apart(one, other), np.zeros(len(times_us), dtype=bool))
    if moves.differs.any():
        yield moves.difference("ego", "ego", "vehicle", zero_us, one.translation_m, details)
    else:
        details = details or (f"differs in {fields_that_differ(a.ego, b.ego)}",)
        yield Difference("ego", "ego", "vehicle", "changed", details=details)


def _came_or_went(actor: Actor, how: How, zero_us: int) -> Difference:
    track = actor.trajectory
    return Difference(
        "actor",
        actor.id,
        actor.category.value,
        how,
        start_s=seconds(track.first_us, zero_us),
        end_s=seconds(track.last_us, zero_us),
        place_m=place(track.world_from_body.translation_m[0]),
        details=(f"{_size(actor)} m",),
    )


def _changed_actor(old: Actor, new: Actor, zero_us: int) -> Difference:
    times_us = np.union1d(old.trajectory.timestamps_us, new.trajectory.timestamps_us)
    one, other = old.boxes_at(times_us), new.boxes_at(times_us)
    both = one.present & other.present
    moved_m, turned_deg = (np.where(both, off, 0.0) for off in apart(one.world_from_box, other.world_from_box))
    moves = _Moves.of(times_us, moved_m, turned_deg, one.present != other.present)
    spans = [_span(actor.trajectory, zero_us) for actor in (old, new)]
    details = [f"there {spans[1]} instead of {spans[0]}"] if spans[0] != spans[1] else []
    if old.category != new.category:
        details.append(f"{new.category.value} instead of {old.category.value}")
    if _size(old) != _size(new):
        details.append(f"{_size(new)} instead of {_size(old)} m")
    if not (moves.differs.any() or details):
        details.append(f"differs in {fields_that_differ(old, new)}")
    places_m = one.world_from_box.translation_m
    return moves.difference("actor", old.id, old.category.value, zero_us, places_m, tuple(details))


@dataclass(frozen=True, eq=False)
class _Moves:
    """How far a body is from itself at instants [T], in metres and degrees; differs: or there in one scene only."""

    times_us: IntArray
    moved_m: FloatArray
    turned_deg: FloatArray
    differs: BoolArray

    @classmethod
    def of(cls, times_us: IntArray, moved_m: FloatArray, turned_deg: FloatArray, in_one_only: BoolArray) -> _Moves:
        moved_m = np.where(moved_m > SAME_M, moved_m, 0.0)
        turned_deg = np.where(turned_deg > SAME_DEG, turned_deg, 0.0)
        return cls(times_us, moved_m, turned_deg, in_one_only | (moved_m > 0) | (turned_deg > 0))

    def difference(
        self,
        part: Literal["actor", "ego"],
        name: str,
        kind: str,
        zero_us: int,
        places_m: FloatArray,
        details: tuple[str, ...],
    ) -> Difference:
        """The same as a difference at its largest."""
        largest = next((off for off in (self.moved_m, self.turned_deg) if off.any()), self.differs.astype(float))
        at = int(np.argmax(largest >= largest.max() - _AS_LARGE))
        when_us = self.times_us[self.differs][[0, -1]] if self.differs.any() else None
        return Difference(
            part,
            name,
            kind,
            "changed",
            start_s=None if when_us is None else seconds(when_us[0], zero_us),
            end_s=None if when_us is None else seconds(when_us[1], zero_us),
            largest_m=float(self.moved_m.max()) or None,
            largest_deg=float(self.turned_deg.max()) or None,
            at_s=None if when_us is None else seconds(self.times_us[at], zero_us),
            place_m=place(places_m[at]),
            details=details,
        )


def _span(track: Trajectory, zero_us: int) -> str:
    return f"{seconds(track.first_us, zero_us):.1f} to {seconds(track.last_us, zero_us):.1f} s"


def _size(actor: Actor) -> str:
    return " x ".join(f"{np.median(size):.2f}" for size in (actor.length_m, actor.width_m, actor.height_m))
