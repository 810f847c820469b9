"""All figures of clips, pooled: medians, what they are against, and in which share of frames they are better."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scenegraph.arrays import FloatArray, UInt8Array

from ..errors import DatasetError
from .adherence import Adherence
from .boxes import box_adherence
from .clip_sight import ClipSight
from .cross_view import CrossView, cross_view_distance
from .drift import Drift, chunk_drift
from .flicker import Flicker, ground_flicker
from .lane_lines import lane_line_adherence


@dataclass(frozen=True, eq=False)
class ClipQuality:
    """All measurements of one clip.

    reference_flicker: of the reference world filming the same, else None. drift: of a rollout of several chunks.
    """

    name: str
    lane_lines: Adherence
    boxes: Adherence
    cross_view: CrossView
    flicker: Flicker
    reference_flicker: Flicker | None = None
    drift: Drift | None = None


@dataclass(frozen=True)
class Figure:
    """One number over many clips, beside its null.

    count: pictures or pairs it is over. value, null: medians, None over nothing. ratio: of both, where zero is the
    least. better_frames, better_pictures: shares that are better than their own null, None where that is not asked.
    """

    name: str
    unit: str
    count: int
    value: float | None
    null: float | None
    ratio: float | None = None
    better_frames: float | None = None
    better_pictures: float | None = None


@dataclass(frozen=True)
class Summary:
    """Figures of several clips of one maker.

    colour_shift, contrast_ratio: medians per chunk over the clips that have so many, see Drift; empty without any.
    """

    clips: int
    figures: tuple[Figure, ...]
    colour_shift: tuple[float, ...] = ()
    contrast_ratio: tuple[float, ...] = ()

    def figure(self, name: str) -> Figure:
        """The figure of a name."""
        return next(figure for figure in self.figures if figure.name == name)


def measure(
    name: str,
    frames: UInt8Array,
    sight: ClipSight,
    chunks: Sequence[tuple[int, int]] = (),
    reference: UInt8Array | None = None,
) -> ClipQuality:
    """Measure a clip, frames uint8 [V,T,H,W,3].

    chunks: start and stop of each, for the drift of a rollout. reference: the same filmed in the reference world.
    """
    return ClipQuality(
        name,
        lane_line_adherence(frames, sight),
        box_adherence(frames, sight),
        cross_view_distance(frames, sight),
        ground_flicker(frames, sight),
        None if reference is None else ground_flicker(reference, sight),
        chunk_drift(frames, chunks) if chunks else None,
    )


def summarise(clips: Sequence[ClipQuality]) -> Summary:
    """Pool the measurements of clips."""
    if not clips:
        raise DatasetError("there are no clips to sum up. Measure at least one")
    references = [clip.reference_flicker for clip in clips]
    crossing, flicker = [clip.cross_view for clip in clips], [clip.flicker for clip in clips]
    compared = [(each.change, own.change) for each, own in zip(flicker, references, strict=True) if own is not None]
    figures = [
        _adherence("lane lines", "levels", [clip.lane_lines for clip in clips]),
        _adherence("boxes", "difference", [clip.boxes for clip in clips]),
        _medians("cross-view", "delta E", [pair.same for pair in crossing], [pair.other for pair in crossing]),
        _medians("flicker", "levels", [each.change for each in flicker], [each.not_followed for each in flicker]),
    ]
    if compared:
        figures.append(_medians("flicker beside the world's", "levels", *zip(*compared, strict=True)))
    drifts = [clip.drift for clip in clips if clip.drift is not None]
    shift = _by_chunk([drift.colour_shift for drift in drifts])
    return Summary(len(clips), tuple(figures), shift, _by_chunk([drift.contrast_ratio for drift in drifts]))


def as_json(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    """Summaries by maker as plain values, None where there is no number."""
    said = {
        maker: asdict(summary) | {"figures": {each.name: asdict(each) for each in summary.figures}}
        for maker, summary in summaries.items()
    }
    as_read: dict[str, Any] = json.loads(json.dumps(said, allow_nan=False))
    return as_read


def show(summaries: Mapping[str, Summary]) -> None:
    """Print the figures, makers below each other, so that each can be compared with the next."""
    from .. import console

    columns = ["figure", "of", "over", "value", "null", "value / null", "better frames", "better pictures"]
    names = dict.fromkeys(figure.name for summary in summaries.values() for figure in summary.figures)
    rows = [
        _row(figure, maker)
        for name in names
        for maker, summary in summaries.items()
        for figure in summary.figures
        if figure.name == name
    ]
    console.table("Quality", columns, rows)
    drifting = {maker: summary for maker, summary in summaries.items() if summary.colour_shift}
    if drifting:
        chunks = max(len(summary.colour_shift) for summary in drifting.values())
        lines = [
            [what, maker, *(f"{number:.2f}" for number in numbers), *[""] * (chunks - len(numbers))]
            for what, field in (("colour shift, delta E", "colour_shift"), ("contrast ratio", "contrast_ratio"))
            for maker, numbers in ((maker, getattr(summary, field)) for maker, summary in drifting.items())
        ]
        console.table("Drift", ["figure", "of", *(f"chunk {index}" for index in range(chunks))], lines)


def _row(figure: Figure, maker: str) -> list[str]:
    shares = [figure.better_frames, figure.better_pictures]
    numbers = [f"{number:.2f}" if number is not None else "-" for number in (figure.value, figure.null, figure.ratio)]
    percent = [f"{100 * share:.1f} %" if share is not None else "-" for share in shares]
    return [f"{figure.name} ({figure.unit})", maker, str(figure.count), *numbers, *percent]


def _adherence(name: str, unit: str, parts: Sequence[Adherence]) -> Figure:
    values, nulls = np.concatenate([part.value for part in parts]), np.concatenate([part.null for part in parts])
    frames, pictures = (
        np.concatenate([getattr(part, which) for part in parts]) for which in ("better_frames", "better_pictures")
    )
    shares = (float(frames.mean()), float(pictures.mean())) if len(pictures) else (None, None)
    return Figure(name, unit, len(values), _median(values), _median(nulls), None, *shares)


def _medians(name: str, unit: str, values: Sequence[FloatArray], nulls: Sequence[FloatArray]) -> Figure:
    numbers = np.concatenate(list(values))
    value, null = _median(numbers), _median(np.concatenate(list(nulls)))
    return Figure(name, unit, len(numbers), value, null, value / null if value is not None and null else None)


def _median(numbers: FloatArray) -> float | None:
    return float(np.median(numbers)) if len(numbers) else None


def _by_chunk(drifts: Sequence[FloatArray]) -> tuple[float, ...]:
    """Median of every chunk over the clips that have it."""
    most = max((len(drift) for drift in drifts), default=0)
    return tuple(float(np.median([drift[index] for drift in drifts if len(drift) > index])) for index in range(most))
