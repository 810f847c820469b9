"""How well pictures of surround cameras follow the scene they were made of, in figures that stand beside a null."""

from __future__ import annotations

from .adherence import Adherence
from .boxes import box_adherence
from .clip_sight import ClipSight, clip_sight
from .cross_view import CrossView, cross_view_distance
from .drift import Drift, chunk_drift
from .flicker import Flicker, ground_flicker
from .lane_lines import lane_line_adherence
from .report import ClipQuality, Figure, Summary, as_json, measure, show, summarise
from .stored_clip import StoredClip, read_stored_clip

__all__ = [
    "Adherence",
    "ClipQuality",
    "ClipSight",
    "CrossView",
    "Drift",
    "Figure",
    "Flicker",
    "StoredClip",
    "Summary",
    "as_json",
    "box_adherence",
    "chunk_drift",
    "clip_sight",
    "cross_view_distance",
    "ground_flicker",
    "lane_line_adherence",
    "measure",
    "read_stored_clip",
    "show",
    "summarise",
]
