"""What a check says: who, when, how much, against which limit, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from scenegraph.arrays import BoolArray, FloatArray

from ..schema import FindingKind

Severity: TypeAlias = Literal["error", "warning", "note"]
Kind: TypeAlias = FindingKind
KINDS: tuple[str, ...] = get_args(Kind)
"""Names that ``allow`` may hold."""

_SEVERITIES: tuple[str, ...] = get_args(Severity)
_BRIDGED = 3


@dataclass(frozen=True)
class Finding:
    """One thing a check noticed.

    actor: whom it is about: the id of an actor, ``ego``, a camera, a light; empty for the scene as a whole.
    other: the second one of a pair, else empty.
    start_s, end_s: from when to when, seconds from the first pose of the ego.
    value, limit: the number that was found and what it was held against, both in ``unit``.
    """

    kind: Kind
    severity: Severity
    actor: str
    other: str
    start_s: float
    end_s: float
    value: float
    limit: float
    unit: str
    sentence: str


def as_dict(finding: Finding) -> dict[str, Any]:
    """A finding as plain values for JSON, numbers rounded to a thousandth."""
    return {name: round(v, 3) + 0.0 if isinstance(v, float) else v for name, v in asdict(finding).items()}


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by time, kind and actor."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (_SEVERITIES.index(f.severity), f.start_s, f.kind, f.actor, f.other, f.end_s, f.sentence),
        )
    )


def stretches(mask: BoolArray, bridged: int = _BRIDGED) -> Iterator[tuple[int, int]]:
    """First and last index of every run of True in a mask [T]; gaps of at most ``bridged`` are bridged."""
    hits = np.flatnonzero(mask)
    if not len(hits):
        return
    cuts = np.flatnonzero(np.diff(hits) > bridged + 1)
    first, last = hits[np.concatenate([[0], cuts + 1])], hits[np.concatenate([cuts, [len(hits) - 1]])]
    yield from zip(first.tolist(), last.tolist(), strict=True)


def worst_of(values: FloatArray, mask: BoolArray, first: int, last: int) -> float:
    """The largest value [T] of a stretch where the mask holds."""
    inside = values[first : last + 1]
    return float(inside[mask[first : last + 1]].max())


def span(start_s: float, end_s: float) -> str:
    """When it was, in words."""
    return f"at {start_s:.1f} s" if end_s - start_s < 0.05 else f"from {start_s:.1f} to {end_s:.1f} s"
