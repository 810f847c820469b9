"""What differs between two scenes, in terms of the world.

Actors, map elements, lights and cameras are matched by id and by nothing else: an actor that has another id in the
other scene is one removed and one added. Names of scenes, their source and the order of actors say nothing about the
world and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from scenegraph import Scene

from .diff_moving import compare_actors, compare_ego
from .diff_standing import compare_cameras, compare_frames, compare_lights, compare_maps
from .difference import Difference, How

_FEW = 6


@dataclass(frozen=True)
class SceneDiff:
    """Everything that differs: actors, map, lights, cameras, ego, frames, prompts, each in the order of the scenes."""

    differences: tuple[Difference, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both scenes are the same world."""
        return not self.differences


def diff_scenes(
    a: Scene,
    b: Scene,
    prompts_a: Mapping[str, str] | None = None,
    prompts_b: Mapping[str, str] | None = None,
    start_us: int | None = None,
) -> SceneDiff:
    """Compare two scenes, and the prompts that go with them by view where they are given.

    start_us: what the scenario calls 0 s, by default the first pose of the ego of ``a``.
    """
    zero_us = a.ego.first_us if start_us is None else start_us
    found = [
        *compare_actors(a, b, zero_us),
        *compare_maps(a, b),
        *compare_lights(a, b, zero_us),
        *compare_cameras(a, b),
        *compare_ego(a, b, zero_us),
        *compare_frames(a, b),
        *_prompts(prompts_a or {}, prompts_b or {}),
    ]
    return SceneDiff(tuple(found))


def lines(diff: SceneDiff) -> list[str]:
    """One sentence per difference; many things of a kind that all came or all went are one sentence."""
    said: list[str] = []
    for (part, kind, how), group in groupby(diff.differences, key=lambda each: (each.part, each.kind, each.how)):
        same = list(group)
        if len(same) <= _FEW or how == "changed":
            said += [each.sentence for each in same]
        else:
            ids = ", ".join(each.id for each in same[:_FEW])
            said.append(f"{len(same)} of {part} ({kind}) {how}: {ids}, ...")
    return said or ["no difference"]


def as_dict(diff: SceneDiff) -> dict[str, Any]:
    """For JSON: whether there is none, and all of them with their numbers and sentences."""
    rows = [asdict(each) | {"sentence": each.sentence} for each in diff.differences]
    return {"is_empty": diff.is_empty, "differences": rows}


def _prompts(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Difference]:
    for view in dict.fromkeys([*a, *b]):
        if a.get(view) != b.get(view):
            how: How = "changed" if view in a and view in b else "removed" if view in a else "added"
            said = [repr(text) for text in (b.get(view), a.get(view)) if text is not None]
            yield Difference("prompt", view, "text", how, details=(" instead of ".join(said),))
