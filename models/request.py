"""What a generator is asked for, in plain arrays that can cross processes and networks, and what a generator is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from .captions import DEFAULT_NEGATIVE_PROMPT, CaptionMode
from .config import NeighbourMap
from .errors import ShapeError
from .sampling import Sampling
from .shapes import UInt8Array, check_video_size, expect, latent_frame_count

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as (what is being done, how much of it is done, how much there is)."""


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """One clip to generate: one network pass over V views of T = 4k+1 frames.

    control: control videos, uint8 [V,T,H,W,3] RGB, sides multiples of 16. camera_names: [V], for messages and records.
    prompts: one caption, or with ``caption_mode`` per_view one per view. negative_prompt: what to stay away from.
    view_ids: [V], which camera of the training each view stands for; None for 0..V-1.
    rays: float32 [V,6,H/8,W/8], direction and origin of the ray through every latent cell, ego frame, metres.
    neighbours: bool [V,V], row sees column.
    known_frames: per view the first frames, uint8 [n,H,W,3], n = 0 or 4k+1; empty for none in any view.
    known_latents: float32 [V,C,n-1,h,w], used for the known latent frames after the first instead of encoding
        ``known_frames`` again, see ``long_video``.
    seed: of the noise. fps: frames per second of the control videos.
    """

    control: UInt8Array
    camera_names: tuple[str, ...]
    prompts: tuple[str, ...] = ("",)
    negative_prompt: str = DEFAULT_NEGATIVE_PROMPT
    caption_mode: CaptionMode = "official"
    view_ids: tuple[int, ...] | None = None
    rays: npt.NDArray[np.float32] | None = None
    neighbours: npt.NDArray[np.bool_] | None = None
    known_frames: tuple[UInt8Array, ...] = ()
    known_latents: npt.NDArray[np.float32] | None = None
    seed: int = 0
    fps: float = 10.0
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        expect("control", self.control, "V T H W 3", np.uint8)
        views, frames, height, width = self.control.shape[:4]
        check_video_size("control", frames, height, width)
        for name, count in (
            ("camera names", len(self.camera_names)),
            ("view ids", views if self.view_ids is None else len(self.view_ids)),
            ("known frames", len(self.known_frames) or views),
            ("rays", views if self.rays is None else len(self.rays)),
        ):
            if count != views:
                raise ShapeError(f"{name}: {count} for {views} views of control. Give one per view")
        for name, known in zip(self.camera_names, self.known_frames, strict=False):
            expect(f"known frames of {name}", known, f"n {height} {width} 3", np.uint8)
            self._check_known_count(name, len(known), frames)
        if self.neighbours is not None:
            expect("neighbours", self.neighbours, f"{views} {views}", np.bool_)
        if not 0 <= self.seed < 2**32:
            raise ShapeError(f"seed: must be from 0 to {2**32 - 1}, got {self.seed}")

    @staticmethod
    def _check_known_count(name: str, count: int, frames: int) -> None:
        try:
            latent_frame_count(count)
        except ShapeError as error:
            raise ShapeError(f"known frames of {name}: {error}") from error
        if count > frames:
            raise ShapeError(f"known frames of {name}: {count}, but the clip has {frames}")

    @property
    def ids(self) -> tuple[int, ...]:
        """View ids [V]."""
        return tuple(range(len(self.control))) if self.view_ids is None else self.view_ids

    @property
    def known_latent_counts(self) -> tuple[int, ...]:
        """Known latent frames of every view, [V]."""
        if not self.known_frames:
            return (0,) * len(self.control)
        return tuple(latent_frame_count(len(known)) for known in self.known_frames)


@dataclass(frozen=True)
class Regime:
    """What a generator was made for; a request outside of it may run, but nobody trained it.

    width_px, height_px: of every picture. fps: of the clip. clip_frames: of one pass. multiple_px: both sides must be
        multiples of it.
    known_views: how many cameras it knows by number; None where it goes by rays.
    neighbour_map: ``rig`` or ``cosmos-7`` where it needs to know which views are neighbours, else None.
    """

    width_px: int = 1280
    height_px: int = 720
    fps: float = 10.0
    clip_frames: int = 29
    multiple_px: int = 16
    known_views: int | None = None
    neighbour_map: NeighbourMap | None = None


class Generator(Protocol):
    """Anything that turns a request into frames."""

    @property
    def regime(self) -> Regime:
        """What it was made for."""
        ...

    def identity(self) -> dict[str, Any]:
        """What tells its clips from those of others, for provenance: plain values."""
        ...

    def generate(self, request: GenerationRequest, progress: Progress = quiet) -> UInt8Array:
        """Frames uint8 [V,T,H,W,3] RGB of all views. The same request gives the same frames."""
        ...
