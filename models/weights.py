"""A generator from a folder of weights.

WEIGHTS/
  transformer/      our folder (``drivesim weights convert``), or a released file as WEIGHTS/*.pt
  vae/              tokenizer.pth of Wan2.1, or a diffusers folder of AutoencoderKLWan
  text_encoder/     Cosmos-Reason1-7B as downloaded; not needed when the cache holds the prompts
  text_cache/       embeddings, made once

or, as ``drivesim train`` writes it:

WEIGHTS/
  transformer/      our folder
  codec/            the small codec
  text/             vocabulary.json
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .checkpoint import load_transformer, weights_digest
from .conditions import ConditionText
from .errors import CheckpointError, ModelError
from .generator import MultiViewGenerator, TextSource
from .parallel import from_launcher, launcher_device
from .small_codec import load_small_codec
from .text import ReasonEncoder
from .text_cache import CachedText
from .tuning import Tuning
from .vae import load_wan_codec

_LAYOUT = (
    "It should hold transformer/ (or one .pt), vae/ or codec/, and text_encoder/, text_cache/ or text/; "
    "see data/README.md"
)


def load_generator(
    folder: Path | str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    tuning: Tuning | None = None,
    text_cache: Path | str | None = None,
    tiled_codec: bool = False,
    allow_pickle: bool = False,
    views: int = 7,
    guides: bool = True,
) -> MultiViewGenerator:
    """Load network, codec and text source; under torchrun, spread over its processes.

    device: auto, cpu, cuda or cuda:N. dtype: auto (bf16 on a GPU, else fp32), bf16 or fp32.
    text_cache: where embeddings are kept, default in the folder.
    tiled_codec: decode in tiles, for little memory; visible at their seams. allow_pickle: run code a .pt may hold.
    views, guides: of the clips to come, for the split over processes.
    """
    folder = Path(folder)
    network, codec = _network(folder), _codec(folder)
    where = launcher_device(device)
    precision = _dtype(dtype, where)
    transformer = load_transformer(network, precision, where, allow_pickle=allow_pickle)
    return MultiViewGenerator(
        transformer,
        load_small_codec(codec, device=where)
        if codec.name == "codec"
        else load_wan_codec(codec, precision, where, tiling=tiled_codec, allow_pickle=allow_pickle),
        _text(folder, text_cache, where),
        weights={"transformer_sha256": weights_digest(network, allow_pickle)},
        tuning=tuning,
        processes=from_launcher(transformer.config, views, guides, where),
    )


def _network(folder: Path) -> Path:
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder of weights. {_LAYOUT}")
    network = folder / "transformer"
    if network.is_dir():
        return network
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".pt", ".pth", ".safetensors")]
    if len(files) != 1:
        found = f"{len(files)} weight files" if files else "no network"
        raise CheckpointError(f"{folder}: holds {found} and no folder transformer. {_LAYOUT}")
    return files[0]


def _codec(folder: Path) -> Path:
    """The folder codec, or the folder vae, or the one file in that."""
    if (folder / "codec").is_dir():
        return folder / "codec"
    codec = folder / "vae"
    if not codec.is_dir():
        raise CheckpointError(f"{folder}: has neither a folder vae nor a folder codec. {_LAYOUT}")
    if (codec / "config.json").is_file():
        return codec
    files = [path for path in sorted(codec.iterdir()) if path.suffix in (".pt", ".pth", ".safetensors")]
    if len(files) != 1:
        raise CheckpointError(f"{codec}: holds {len(files)} weight files, and one is needed. {_LAYOUT}")
    return files[0]


def _text(folder: Path, text_cache: Path | str | None, where: torch.device) -> TextSource:
    if (folder / "text").is_dir():
        return ConditionText.load(folder / "text")
    encoder = folder / "text_encoder"
    cache = Path(text_cache) if text_cache else folder / "text_cache"
    return CachedText(cache, ReasonEncoder(encoder, where, torch.bfloat16) if encoder.is_dir() else None)


def _dtype(name: str, device: torch.device) -> torch.dtype:
    known: dict[str, Any] = {"bf16": torch.bfloat16, "fp32": torch.float32}
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in known:
        raise ModelError(f"dtype: {name!r} is none of auto, bf16, fp32")
    precision: torch.dtype = known[name]
    return precision
