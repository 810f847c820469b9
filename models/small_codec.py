"""The small video codec: a linear transform of 4x8x8 blocks and a light convolutional decoder, cheap on a CPU."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from .block_transform import BlockTransform
from .checkpoint import require_empty
from .errors import CheckpointError, ShapeError
from .refinement import Refinement
from .shapes import SPATIAL_FACTOR, TEMPORAL_FACTOR, check_video_size, expect, latent_frame_count, pixel_frame_count
from .weight_files import CONFIG_NAME, read_state

FORMAT = "drivesim-small-codec"
VERSION = 1

_WEIGHTS_NAME = "model.safetensors"
_NAMES_SHOWN = 10
_LEAST_CHANNELS, _MOST_CHANNELS = 16, 48


@dataclass(frozen=True)
class SmallCodecConfig:
    """Everything that decides which parameters a SmallCodec has and what it computes.

    latent_channels: C, 16 to 48. width: of the decoder on the latent grid. blocks: residual blocks of that width.
    fine_width: of the decoder on the grid of twice as many cells per side.
    """

    latent_channels: int = 32
    width: int = 96
    blocks: int = 4
    fine_width: int = 48

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (isinstance(value, int) and value >= 1):
                raise ShapeError(f"{name}: {value!r} is not a whole number of at least 1")
        if not _LEAST_CHANNELS <= self.latent_channels <= _MOST_CHANNELS:
            raise ShapeError(
                f"latent_channels: {self.latent_channels} is not within {_LEAST_CHANNELS} to {_MOST_CHANNELS}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any], where: str = "config.json") -> SmallCodecConfig:
        """The inverse of ``to_dict``; a CheckpointError names unknown fields and values that cannot be."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            noun = "fields" if len(unknown) > 1 else "field"
            raise CheckpointError(
                f"{where}: unknown {noun} {', '.join(unknown)}. This version knows {', '.join(known)}"
            )
        try:
            return cls(**values)
        except ShapeError as error:
            raise CheckpointError(f"{where}: {error}") from error


class SmallCodec(nn.Module):
    """A Codec of a few hundred thousand parameters: latent frames are coded alone, and decoded knowing those before.

    Latents of the videos it was trained on have mean 0 and deviation 1 per channel. Untrained weights are random.
    """

    spatial_factor = SPATIAL_FACTOR
    temporal_factor = TEMPORAL_FACTOR

    def __init__(self, config: SmallCodecConfig) -> None:
        super().__init__()
        self.config = config
        self.transform = BlockTransform(config.latent_channels)
        self.refinement = Refinement(config.latent_channels, config.width, config.blocks, config.fine_width)

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.config.latent_channels

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its results are."""
        return self.refinement.first.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in; its results are always float32."""
        return self.refinement.first.dtype

    def identity(self) -> dict[str, Any]:
        """Kind, hash of the weights as they are now, and dtype, for provenance."""
        return {
            "kind": "drivesim-small-codec",
            "weights_sha256": _hash(self.state_dict()),
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """Video [N,3,T,H,W] in [-1,1] to latents float32 [N,C,L,h,w]."""
        expect("video", video, "N 3 T H W")
        check_video_size("video", *video.shape[2:])
        return self.analyse(video.to(self.device, self.dtype)).float()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N,C,L,h,w] to video float32 [N,3,T,H,W], clamped to [-1,1]."""
        expect("latents", latents, f"N {self.latent_channels} L h w")
        if not all(latents.shape):
            raise ShapeError(f"latents: [{','.join(map(str, latents.shape))}] holds nothing to decode")
        return self.synthesise(latents.to(self.device, self.dtype)).float().clamp_(-1, 1)

    def analyse(self, video: Tensor) -> Tensor:
        """``encode`` for training: with gradients, in the dtype of the weights, unchecked."""
        groups = (video[:, :, :1], *video[:, :, 1:].split(TEMPORAL_FACTOR, dim=2))
        return torch.stack([self.transform.analyse(group) for group in groups if group.shape[2]], dim=2)

    def synthesise(self, latents: Tensor) -> Tensor:
        """``decode`` for training: with gradients, in the dtype of the weights, unchecked and not clamped."""
        groups, memory = [], None
        for index, latent in enumerate(latents.unbind(2)):  # [N,C,h,w]
            frames = TEMPORAL_FACTOR if index else 1
            refined, memory = self.refinement(latent, memory)  # [N,3,4,H,W]
            groups.append(self.transform.synthesise(latent, frames) + refined[:, :, -frames:])
        return torch.cat(groups, dim=2)

    def working_bytes(self, frames: int, height_px: int, width_px: int) -> int:
        """Peak memory of decoding one video, beside the weights: joining its groups, or making the last one."""
        size, config = self.dtype.itemsize, self.config
        cells = height_px * width_px // SPATIAL_FACTOR**2
        video = 3 * pixel_frame_count(latent_frame_count(frames)) * height_px * width_px
        memory = config.blocks * config.width * cells * size
        on_both_grids = 2 * (config.width + 4 * config.fine_width) * cells * size
        group = 3 * TEMPORAL_FACTOR * height_px * width_px * size
        joining = video * max(2 * size, size + 4) + memory + 2 * group
        return max(joining, video * size + 2 * memory + on_both_grids + 2 * group)


def save_small_codec(codec: SmallCodec, folder: Path | str) -> None:
    """Write config.json and model.safetensors, in float32, into a new or empty folder: whole or not at all."""
    from safetensors.torch import save

    folder = Path(folder)
    require_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "version": VERSION, "config": codec.config.to_dict()}
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in codec.state_dict().items()}
    with TemporaryDirectory(prefix=f".{folder.name}.partial-", dir=folder.parent) as name:
        partial = Path(name) / folder.name
        partial.mkdir()
        (partial / CONFIG_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (partial / _WEIGHTS_NAME).write_bytes(save(tensors, {"format": "pt"}))
        partial.rename(folder)


def load_small_codec(
    folder: Path | str, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> SmallCodec:
    """A SmallCodec from a folder that ``save_small_codec`` wrote; loaded strictly, ready to use."""
    folder = Path(folder)
    config = _read_config(folder / CONFIG_NAME)
    with torch.device("meta"):
        codec = SmallCodec(config)
    tensors = read_state(folder).tensors
    fault = _misfit(tensors, codec.state_dict())
    if fault:
        raise CheckpointError(f"{folder}: does not fit the codec its config.json describes, it {fault}")
    codec.load_state_dict({name: tensor.to(device, dtype) for name, tensor in tensors.items()}, assign=True)
    return codec.eval().requires_grad_(False)


def is_small_codec(folder: Path | str) -> bool:
    """Whether a folder says of itself that it holds a SmallCodec, whatever state it is in."""
    try:
        content = json.loads((Path(folder) / CONFIG_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT


def _read_config(file: Path) -> SmallCodecConfig:
    if not file.is_file():
        raise CheckpointError(f"{file}: no such file. A small codec is a folder of config.json and {_WEIGHTS_NAME}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{file}: is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        kind = content.get("format") if isinstance(content, dict) else None
        raise CheckpointError(
            f"{file}: describes {kind or 'something else'}, not {FORMAT}. Name a folder of the small codec"
        )
    if content.get("version") != VERSION:
        raise CheckpointError(f"{file}: version {content.get('version')} is not {VERSION}, the one this program reads")
    if not isinstance(content.get("config"), dict):
        raise CheckpointError(f"{file}: lacks field config")
    return SmallCodecConfig.from_dict(content["config"], str(file))


def _misfit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Everything in which the tensors are not the expected ones, as what follows ``it``; empty if they are."""
    both = [name for name in expected if name in tensors]
    wrong = [name for name in both if tensors[name].shape != expected[name].shape]
    complaints = (
        ("lacks", [name for name in expected if name not in tensors]),
        ("holds tensors it should not:", sorted(set(tensors) - set(expected))),
        ("holds tensors of wrong shape:", [_wrong(name, tensors[name], expected[name]) for name in wrong]),
        ("holds tensors that are not floating-point:", [n for n in both if not tensors[n].is_floating_point()]),
    )
    return "; it ".join(f"{what} {_listed(names)}" for what, names in complaints if names)


def _wrong(name: str, tensor: Tensor, expected: Tensor) -> str:
    return f"{name} {list(tensor.shape)} instead of {list(expected.shape)}"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _hash(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
