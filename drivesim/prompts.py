"""What is said to the generator: one caption, one prompt per camera, or others for every chunk of a long clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from models.captions import DEFAULT_NEGATIVE_PROMPT, CaptionMode

from .errors import DatasetError
from .spelling import nearest
from .yaml_files import FileModel, load_yaml


@dataclass(frozen=True)
class ChunkPrompts:
    """For one chunk: a caption, or a prompt per camera, ``by_camera`` being its (camera, prompt) pairs."""

    caption: str | None = None
    by_camera: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Prompts:
    """For a whole clip. chunks: one for all chunks, or one for each. mode: how a caption is laid over the views."""

    chunks: tuple[ChunkPrompts, ...]
    negative: str = DEFAULT_NEGATIVE_PROMPT
    mode: CaptionMode = "official"

    @classmethod
    def of(cls, caption: str, negative: str | None = None, mode: CaptionMode = "official") -> Prompts:
        """One caption for everything."""
        return cls((ChunkPrompts(caption),), DEFAULT_NEGATIVE_PROMPT if negative is None else negative, mode)

    def require(self, camera_names: Sequence[str], chunks: int) -> None:
        """Refuse prompts that do not fit the cameras or the number of chunks."""
        self.require_cameras(camera_names)
        if len(self.chunks) not in (1, chunks):
            raise DatasetError(
                f"prompts: {len(self.chunks)} chunks are described, but the clip has {chunks}. Describe one or all"
            )

    def require_cameras(self, camera_names: Sequence[str]) -> None:
        """Refuse prompts for other cameras, or for some only."""
        for given in self.chunks:
            names = [name for name, _ in given.by_camera]
            for name in names:
                if name not in camera_names:
                    raise DatasetError(
                        f"prompts: there is no camera {name!r}{nearest(name, camera_names)}. "
                        f"The clip has {', '.join(camera_names)}"
                    )
            missing = [name for name in camera_names if name not in names]
            if names and missing:
                raise DatasetError(f"prompts: no prompt for {', '.join(missing)}. Give every camera one")

    def of_chunk(self, index: int, camera_names: Sequence[str]) -> tuple[tuple[str, ...], CaptionMode]:
        """Texts and mode for a chunk: one caption, or one prompt per camera in view order."""
        given = self.chunks[index if len(self.chunks) > 1 else 0]
        if given.caption is not None:
            return (given.caption,), self.mode
        by_camera = dict(given.by_camera)
        return tuple(by_camera[name] for name in camera_names), "per_view"

    def describe(self) -> dict[str, object]:
        """For provenance."""
        return {
            "chunks": [dict(given.by_camera) or given.caption for given in self.chunks],
            "negative": self.negative,
            "mode": self.mode,
        }


class _ChunkFile(FileModel):
    caption: str | None = None
    cameras: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.caption is None) == (not self.cameras):
            raise ValueError("give a caption, or cameras with a prompt each")
        return self

    def prompts(self) -> ChunkPrompts:
        return ChunkPrompts(self.caption, tuple(self.cameras.items()))


class _PromptsFile(FileModel):
    caption: str | None = None
    cameras: dict[str, str] = Field(default_factory=dict)
    chunks: tuple[_ChunkFile, ...] = ()
    negative: str = DEFAULT_NEGATIVE_PROMPT

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if (self.caption is not None) + bool(self.cameras) + bool(self.chunks) != 1:
            raise ValueError("give one of these: a caption, cameras with a prompt each, or chunks")
        return self

    def prompts(self, mode: CaptionMode) -> Prompts:
        if self.chunks:
            return Prompts(tuple(chunk.prompts() for chunk in self.chunks), self.negative, mode)
        return Prompts((ChunkPrompts(self.caption, tuple(self.cameras.items())),), self.negative, mode)


def load_prompts(path: Path | str, mode: CaptionMode = "official") -> Prompts:
    """Read a YAML file with ``caption``, or ``cameras`` (name: prompt), or ``chunks`` (a list of these)."""
    return load_yaml(path, _PromptsFile).prompts(mode)
