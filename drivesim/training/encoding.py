"""From clips of pictures to what the network is trained on: latents, text and geometry, one file per clip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..console import Advance
from .clip_sources import NamedClip
from .clips import TrainingClip, clip_folders, read_clip
from .deadline import Deadline

if TYPE_CHECKING:
    from torch import Tensor

    from models.codec import Codec
    from models.training.examples import Example


class TextSource(Protocol):
    """Turns texts into embeddings, see models.conditions and models.text."""

    def identity(self) -> dict[str, Any]:
        """What tells it from others."""

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] of texts [U]."""


def encode_training_set(
    clips: Path | Sequence[NamedClip],
    codec: Codec,
    out: Path,
    text: TextSource | None = None,
    advance: Advance = lambda: None,
    deadline: Deadline | None = None,
) -> Path:
    """Encode the clips that ``out`` lacks, which must all have been encoded alike. advance: called once per clip.

    clips: a folder of them, or names with what reads them. text: by default the fixed vocabulary of conditions.
    """
    from models.conditions import ConditionText
    from models.training.examples import write_example, write_manifest

    text, deadline = text or ConditionText(), deadline or Deadline()
    named = (
        [(path.name, partial(read_clip, path)) for path in clip_folders(clips)] if isinstance(clips, Path) else clips
    )
    write_manifest(out, {"codec": codec.identity(), "text": text.identity()})
    for done, (name, read) in enumerate(named):
        path = out / f"{name}.safetensors"
        if not path.is_file():
            deadline.require(f"{done} of {len(named)} clips are encoded in {out}")
            write_example(path, encode_clip(read(), codec, text))
        advance()
    return out


def encode_clip(clip: TrainingClip, codec: Codec, text: TextSource) -> Example:
    """A clip as the network sees it; views are numbered in their order."""
    import torch

    from models.codec import encode_frames
    from models.training.examples import Example

    return Example(
        encode_frames(codec, clip.frames, f"{clip.name}: frames"),
        encode_frames(codec, clip.control, f"{clip.name}: control"),
        text.encode([clip.caption]),
        torch.from_numpy(clip.rays.copy()),
        torch.from_numpy(clip.neighbours.copy()),
        torch.arange(len(clip.frames)),
        clip.fps,
    )
