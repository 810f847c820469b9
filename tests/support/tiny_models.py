"""Tiny random networks, codecs and texts: big enough to go wrong, small enough for a second."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.captions import DEFAULT_NEGATIVE_PROMPT
from models.checkpoint import save_transformer
from models.config import TransformerConfig, ViewIdentity, ViewMixing
from models.errors import ModelError
from models.generator import MultiViewGenerator
from models.request import GenerationRequest
from models.sampling import Sampling
from models.text_cache import CachedText
from models.transformer import MultiViewTransformer
from models.vae import WanCodec

TEXT_TOKENS, TEXT_CHANNELS = 6, 12


def tiny_config(mixing: ViewMixing = "joint", identity: ViewIdentity = "rays", **changes: Any) -> TransformerConfig:
    """Three blocks with two control blocks, five heads, which no even number of processes divides."""
    values: dict[str, Any] = {
        "hidden_size": 80, "num_heads": 5, "num_blocks": 3, "control_interval": 2, "adaln_rank": 4,
        "text_channels": TEXT_CHANNELS, "text_width": 16, "width_px": 48, "height_px": 32, "clip_frames": 5,
    }  # fmt: skip
    return TransformerConfig(view_mixing=mixing, view_identity=identity, **values | changes)


def tiny_transformer(config: TransformerConfig | None = None, seed: int = 0) -> MultiViewTransformer:
    """A network whose every weight counts, with outputs of standard deviation about 1."""
    config = config or tiny_config()
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        model = MultiViewTransformer(config)
    model.load_state_dict(
        {name: _random(tensor.shape, generator) for name, tensor in model.state_dict().items()}, assign=True
    )
    model.eval().requires_grad_(False)
    model.final_layer.linear.weight /= _output_std(model)
    return model


def _random(shape: torch.Size, generator: torch.Generator) -> Tensor:
    values = torch.randn(shape, generator=generator)
    return 1 + 0.2 * values if len(shape) == 1 else values * shape[-1] ** -0.5


@torch.no_grad()
def _output_std(model: MultiViewTransformer) -> Tensor:
    config, generator = model.config, torch.Generator().manual_seed(0)
    latents = torch.randn(1, 3, config.latent_channels, 2, 4, 6, generator=generator)
    text = model.project_text(torch.randn(1, 3, TEXT_TOKENS, config.text_channels, generator=generator))
    rays = torch.randn(3, 6, 4, 6, generator=generator)
    prepared = model.prepare(latents, text, rays=rays, neighbours=~torch.eye(3).bool())
    return model(latents, torch.tensor([500.0]), prepared).std()


@cache
def _vae(seed: int) -> Any:
    from diffusers import AutoencoderKLWan

    network: Any = AutoencoderKLWan
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        vae = network(base_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
        mean, std = torch.tensor(vae.config.latents_mean), torch.tensor(vae.config.latents_std)
        latents = vae.encode(2 * torch.rand(1, 3, 9, 32, 48) - 1).latent_dist.parameters
        _bring_to(vae.quant_conv, latents, torch.cat([mean, mean]), torch.cat([std, std]))
        # Decoding clamps to 1, so pixels are made small before they are measured.
        vae.decoder.conv_out.weight *= 1e-3
        vae.decoder.conv_out.bias *= 1e-3
        pixels = vae.decode(torch.randn(1, 16, 3, 4, 6) * std.view(-1, 1, 1, 1) + mean.view(-1, 1, 1, 1)).sample
        _bring_to(vae.decoder.conv_out, pixels, torch.zeros(3), torch.full((3,), 0.3))
    return vae.eval().requires_grad_(False)


def _bring_to(layer: Any, made: Tensor, mean: Tensor, std: Tensor) -> None:
    """Make a last layer give every channel this mean and deviation, instead of those of ``made`` [1,C,T,H,W]."""
    deviation, centre = torch.std_mean(made, dim=(0, 2, 3, 4))
    gain = std / deviation
    layer.weight *= gain.view(-1, 1, 1, 1, 1)
    layer.bias.copy_((layer.bias - centre) * gain + mean)


def tiny_codec(dtype: torch.dtype = torch.float32, seed: int = 0) -> WanCodec:
    """A random Wan autoencoder, four channels wide: causal like a real one, but decoding does not undo encoding."""
    return WanCodec(deepcopy(_vae(seed)), dtype)


class TinyText:
    """Random embeddings that depend on the text only; ``asked`` lists every call. known: the texts it has, or all."""

    def __init__(
        self, channels: int = TEXT_CHANNELS, tokens: int = TEXT_TOKENS, known: Sequence[str] | None = None
    ) -> None:
        self.channels, self.tokens, self.known = channels, tokens, known
        self.asked: list[tuple[str, ...]] = []

    def identity(self) -> dict[str, Any]:
        return {"kind": "tiny", "channels": self.channels, "tokens": self.tokens}

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.asked.append(tuple(texts))
        for text in texts:
            if self.known is not None and text not in self.known:
                raise ModelError(f"no embedding of {text!r}")
        seeds = [zlib.crc32(text.encode()) for text in texts]
        shape = (self.tokens, self.channels)
        return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    def release(self) -> None:
        pass


def tiny_request(views: int = 3, frames: int = 5, height: int = 32, width: int = 48, **changes: Any) -> Any:
    """Random control videos of a ring of cameras that each see the next; two steps with guidance."""
    random = np.random.default_rng(0)
    distance = np.abs(np.subtract.outer(np.arange(views), np.arange(views)))
    values: dict[str, Any] = {
        "control": random.integers(0, 256, (views, frames, height, width, 3), dtype=np.uint8),
        "camera_names": tuple(f"camera {index}" for index in range(views)),
        "prompts": ("a street",),
        "rays": random.standard_normal((views, 6, height // 8, width // 8)).astype(np.float32),
        "neighbours": (distance == 1) | (distance == views - 1) & (views > 2),
        "sampling": Sampling(steps=2, guidance=1.0),
    }
    return GenerationRequest(**values | changes)


def tiny_generator(mixing: ViewMixing = "joint", identity: ViewIdentity = "rays", **options: Any) -> MultiViewGenerator:
    """A generator of the above; options are those of MultiViewGenerator."""
    return MultiViewGenerator(
        options.pop("transformer", None) or tiny_transformer(tiny_config(mixing, identity)),
        options.pop("codec", None) or tiny_codec(),
        options.pop("text", None) or TinyText(),
        **options,
    )


def write_tiny_weights(
    folder: Path, texts: Sequence[str], config: TransformerConfig | None = None, seed: int = 0
) -> TransformerConfig:
    """A complete folder of weights: transformer, vae, and a text_cache that holds these texts.

    The texts that go with any prompt, the placeholder of the other views and the default negative prompt, are
    always there.
    """
    config = config or tiny_config()
    save_transformer(tiny_transformer(config, seed), folder / "transformer")
    _vae(seed).save_pretrained(folder / "vae")
    cached = CachedText(folder / "text_cache", TinyText(config.text_channels))
    cached.fill([*texts, " ", DEFAULT_NEGATIVE_PROMPT])
    return config
