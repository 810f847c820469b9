"""What a network is trained on: encoded clips, kept in a folder with one safetensors file each.

FOLDER/manifest.json    what all clips have in common: their size, and the codec and the words they were encoded with
FOLDER/NAME.safetensors one clip

Which clips, views and times a step gets follows from the seed and the number of the step alone, so that a training
that is taken up again needs no memory of what it has seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import CheckpointError, ModelError, ShapeError
from ..shapes import expect
from .files import require_disk, whole_file

MANIFEST_NAME = "manifest.json"

_FORMAT, _VERSION = "drivesim-training-clips", 1


@dataclass(frozen=True, eq=False)
class Example:
    """One encoded clip.

    video, control: latents [V,C,L,h,w] of any floating type. rays: [V,6,h,w], ego frame, metres, or None.
    neighbours: bool [V,V], row sees column, or None. text: embedding per view [V,N,C], or [1,N,C] for all of them.
    view_ids: int64 [V]. fps: of the clip.
    noise: like video, for clips that a teacher made from it, else None. known: how many first latent frames were
        given to the teacher.
    """

    video: Tensor
    control: Tensor
    text: Tensor
    rays: Tensor | None = None
    neighbours: Tensor | None = None
    view_ids: Tensor | None = None
    fps: float = 10.0
    noise: Tensor | None = None
    known: int = 0

    def __post_init__(self) -> None:
        expect("video latents", self.video, "V C L h w")
        views, _, _, height, width = self.video.shape
        expect("control latents", self.control, " ".join(map(str, self.video.shape)))
        expect("text", self.text, f"{len(self.text)} N C")
        if len(self.text) not in (1, views):
            raise ShapeError(f"text: {len(self.text)} for {views} views. Give one, or one per view")
        if self.rays is not None:
            expect("rays", self.rays, f"{views} C {height} {width}")
        if self.neighbours is not None:
            expect("neighbours", self.neighbours, f"{views} {views}", torch.bool)
        if self.view_ids is not None:
            expect("view ids", self.view_ids, f"{views}", torch.int64)
        if self.noise is not None:
            expect("noise", self.noise, " ".join(map(str, self.video.shape)))

    @property
    def views(self) -> int:
        """V."""
        return len(self.video)

    @property
    def latent_frames(self) -> int:
        """L."""
        return self.video.shape[2]

    def some(self, views: Sequence[int], latent_frames: int) -> Example:
        """Some of the views, and the first latent frames: the codec is causal, so a clip can only be cut at its end."""
        rows = torch.tensor(list(views))

        def of(part: Tensor | None) -> Tensor | None:
            return None if part is None else part[rows]

        def cut(part: Tensor) -> Tensor:
            return part[rows, :, :latent_frames]

        return replace(
            self,
            video=cut(self.video),
            control=cut(self.control),
            text=self.text if len(self.text) == 1 else self.text[rows],
            rays=of(self.rays),
            neighbours=None if self.neighbours is None else self.neighbours[rows][:, rows],
            view_ids=of(self.view_ids),
            noise=None if self.noise is None else cut(self.noise),
        )


class ExampleSource(Protocol):
    """Where a training gets its clips from."""

    def identity(self) -> dict[str, Any]:
        """What tells its clips from others, as plain JSON values."""
        ...

    def batch(self, first: int, count: int, seed: int) -> list[Example]:
        """Clips ``first`` to ``first + count`` of an endless row that follows from the seed; all of one length."""
        ...


@dataclass(frozen=True)
class Crop:
    """How much of a clip a training step sees.

    views: how many, drawn anew every time as neighbours of each other; None for all.
    latent_frames: the least and the most, drawn anew for every batch; None for all.
    """

    views: int | None = None
    latent_frames: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.views is not None and self.views < 1:
            raise ModelError(f"views: there must be at least 1, got {self.views}")
        if self.latent_frames is not None and not 1 <= self.latent_frames[0] <= self.latent_frames[1]:
            raise ModelError(f"latent frames: must be two rising numbers from 1, got {list(self.latent_frames)}")


class ExampleFolder:
    """The clips of a folder, in an order shuffled anew every time they have all been seen.

    crop: how much of them. expected: what the manifest must say, such as the hash of the codec.
    """

    def __init__(self, folder: Path | str, crop: Crop | None = None, expected: Mapping[str, Any] | None = None) -> None:
        self.folder, self.crop = Path(folder), crop or Crop()
        self.settings = read_manifest(self.folder)
        _require_settings(self.folder, self.settings, expected or {})
        self.files = sorted(self.folder.glob("*.safetensors"))
        if not self.files:
            raise CheckpointError(f"{self.folder}: holds no training clips (*.safetensors). Make them first")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Example:
        """A whole clip."""
        return read_example(self.files[index])

    def identity(self) -> dict[str, Any]:
        """Settings, and how many clips there are."""
        return {"settings": self.settings, "clips": len(self.files)}

    def batch(self, first: int, count: int, seed: int) -> list[Example]:
        """See ExampleSource."""
        random = _random(seed, "length", first)
        examples: list[Example] = []
        for index in range(first, first + count):
            example = self[self._place(index, seed)]
            if not examples:
                frames = self._frames(example, random)
            views = self._views(example, _random(seed, "views", index))
            examples.append(example.some(views, frames))
        return examples

    def _place(self, index: int, seed: int) -> int:
        round_, place = divmod(index, len(self.files))
        return int(_random(seed, "order", round_).permutation(len(self.files))[place])

    def _frames(self, example: Example, random: np.random.Generator) -> int:
        if self.crop.latent_frames is None:
            return example.latent_frames
        least, most = self.crop.latent_frames
        return min(int(random.integers(least, most + 1)), example.latent_frames)

    def _views(self, example: Example, random: np.random.Generator) -> list[int]:
        count = self.crop.views
        if count is None or count >= example.views:
            return list(range(example.views))
        seen = np.ones((example.views,) * 2, dtype=bool) if example.neighbours is None else example.neighbours.numpy()
        return neighbouring_views(seen, count, random)


def neighbouring_views(neighbours: npt.NDArray[np.bool_], count: int, random: np.random.Generator) -> list[int]:
    """So many views in rising order, each but the first a neighbour of one before it, as far as there are any.

    neighbours: [V,V], row sees column.
    """
    linked = neighbours | neighbours.T
    chosen = [int(random.integers(len(linked)))]
    while len(chosen) < count:
        free = np.ones(len(linked), dtype=bool)
        free[chosen] = False
        near = linked[chosen].any(axis=0) & free
        chosen.append(int(random.choice(np.flatnonzero(near if near.any() else free))))
    return sorted(chosen)


# -- files --------------------------------------------------------------------------------------------


def write_manifest(folder: Path | str, settings: Mapping[str, Any]) -> None:
    """Say what the clips of a folder have in common; a folder that says otherwise already is refused."""
    folder = Path(folder)
    settings = json.loads(json.dumps(dict(settings)))
    if (folder / MANIFEST_NAME).exists():
        _require_settings(folder, read_manifest(folder), settings)
        return
    content = {"format": _FORMAT, "version": _VERSION, "settings": settings}
    with whole_file(folder / MANIFEST_NAME) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path | str) -> dict[str, Any]:
    """What the clips of a folder have in common."""
    path = Path(folder) / MANIFEST_NAME
    if not path.is_file():
        raise CheckpointError(f"{folder}: holds no {MANIFEST_NAME}, so it is no folder of training clips")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise ValueError(f"it is of format {content['format']}, version {content['version']}")
        return dict(content["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}. Make the training clips again") from error


def write_example(path: Path | str, example: Example, dtype: torch.dtype = torch.float16) -> None:
    """Store a clip in a file that appears whole or not at all; dtype: of its latents."""
    from safetensors.torch import save_file

    path = Path(path)
    latents = {"video": example.video, "control": example.control, "noise": example.noise}
    others = {name: getattr(example, name) for name in ("text", "rays", "neighbours", "view_ids")}
    tensors = {name: tensor.to(dtype) for name, tensor in latents.items() if tensor is not None}
    tensors |= {name: tensor for name, tensor in others.items() if tensor is not None}
    with whole_file(path) as partial, require_disk(path):
        save_file(
            {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
            partial,
            {"fps": repr(example.fps), "known": str(example.known)},
        )


def read_example(path: Path | str) -> Example:
    """A clip, its latents as they were stored."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stored:
            words = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)
        return Example(**tensors, fps=float(words["fps"]), known=int(words["known"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, ShapeError) as error:
        raise CheckpointError(
            f"{path}: is no training clip, or damaged: {error}. Make it again, or remove it"
        ) from error


def _require_settings(folder: Path, settings: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps(dict(expected)))
    for name, value in wanted.items():
        if settings.get(name) != value:
            raise CheckpointError(
                f"{folder}: its clips were made with {name} {settings.get(name)!r}, not {value!r}. "
                f"Make them again in another folder, or use what they were made with"
            )


def _random(seed: int, what: str, index: int) -> np.random.Generator:
    """A generator of its own for every decision."""
    return np.random.default_rng([seed, *what.encode(), index])
