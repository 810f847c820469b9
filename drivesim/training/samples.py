"""What a network makes of clips it has never seen, as pictures to look at while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from render.grid import grid_frame
from render.preview import readable_name
from render.video import write_png
from scenegraph.arrays import UInt8Array

from .clips import TrainingClip

if TYPE_CHECKING:
    from models.generator import MultiViewGenerator
    from models.request import GenerationRequest
    from models.sampling import Sampling


def request_of(clip: TrainingClip, sampling: Sampling, seed: int = 0) -> GenerationRequest:
    """What a generator is asked for to make a clip like this one; the negative prompt says nothing."""
    from models.request import GenerationRequest

    return GenerationRequest(
        clip.control,
        clip.camera_names,
        (clip.caption,),
        negative_prompt="",
        caption_mode="per_view",
        rays=clip.rays,
        neighbours=clip.neighbours,
        seed=seed,
        fps=clip.fps,
        sampling=sampling,
    )


def write_sample_grids(
    generator: MultiViewGenerator, clips: Sequence[TrainingClip], sampling: Sampling, folder: Path, stem: str
) -> None:
    """One sheet per clip: control, reference world and what was generated, at the beginning and at the end."""
    for clip in clips:
        made = generator.generate(request_of(clip, sampling))
        write_png(folder / f"{stem}-{clip.name}.png", sample_grid(clip, made))


def sample_grid(clip: TrainingClip, made: UInt8Array) -> UInt8Array:
    """A contact sheet. made: uint8 [V,T,H,W,3]."""
    last = clip.frames.shape[1] - 1
    rows = {
        "control": clip.control[:, 0],
        "world": clip.frames[:, 0],
        "generated": made[:, 0],
        "world, end": clip.frames[:, last],
        "generated, end": made[:, last],
    }
    labels = [readable_name(name) for name in clip.camera_names]
    return grid_frame([list(row) for row in rows.values()], labels, list(rows))
