"""The Wan2.1 video autoencoder: its files, its per-channel normalisation, its arithmetic in float32 or bfloat16."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from .errors import CapacityError, CheckpointError, ShapeError
from .shapes import SPATIAL_FACTOR, TEMPORAL_FACTOR, check_video_size, expect, pixel_frame_count

_LATENT_CHANNELS = 16
_WEIGHTS_NAME = "diffusion_pytorch_model.safetensors"
_EXPECTED = "Use Wan2.1's tokenizer.pth or a diffusers folder of AutoencoderKLWan"

# Three by four tiles for 1280x720, each an eighth of a frame; all sides multiples of a latent cell.
_TILE_PX = {
    "tile_sample_min_height": 304,
    "tile_sample_min_width": 384,
    "tile_sample_stride_height": 240,
    "tile_sample_stride_width": 320,
}


# Of one decoder call, by bytes per value: counted over all tensors alive at once, at three frame sizes. In bfloat16
# the norms work in float32, hence more than half.
_LIVE_BYTES_PER_PIXEL = {2: 10_130, 4: 19_460}
_PARAMETERS = 126_892_531
_BASE_DIM = 96


class WanCodec:
    """A Codec around diffusers' AutoencoderKLWan, which is moved and cast in place.

    Latents are the mean of the posterior, per channel minus ``latents_mean`` and times 1 / ``latents_std``, both
    rounded to ``dtype`` as the official run has them.

    vae: an AutoencoderKLWan of 8 x 8 x 4 compression.
    tiling: work on overlapping tiles and blend them, at 1280x720 a sixth of the memory and 1.35 times the work.
        Attention then sees one tile only, so all values change, most at the seams: by 4 % of the latents and 11 % of
        the frames (relative L2) with the random weights of the tests, at 560x400; trained weights were not at hand.
    In bfloat16 diffusers normalises in float32 where the reference stays in bfloat16: the last bits differ.
    """

    spatial_factor = SPATIAL_FACTOR
    temporal_factor = TEMPORAL_FACTOR

    def __init__(self, vae: nn.Module, dtype: torch.dtype, tiling: bool = False) -> None:
        self._weights_hash = _hash(vae.state_dict())
        # diffusers' own ``to`` warns about every cast.
        self._vae = cast(Any, nn.Module.to(vae, dtype=dtype).eval().requires_grad_(False))
        self._tiling = tiling
        if tiling:
            self._vae.enable_tiling(**_TILE_PX)
        config: Any = vae.config
        self.latent_channels: int = config.z_dim
        self._mean = torch.tensor(config.latents_mean, dtype=dtype, device=self.device).view(1, -1, 1, 1, 1)
        self._inverse_std = 1 / torch.tensor(config.latents_std, dtype=dtype, device=self.device).view(1, -1, 1, 1, 1)

    @property
    def device(self) -> torch.device:
        """Where it computes, and where its results are."""
        device: torch.device = next(self._vae.parameters()).device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in; its results are always float32."""
        return self._mean.dtype

    def to(self, device: torch.device | str) -> Self:
        """Move it to a device, in place."""
        self._vae.to(device=device)
        self._mean, self._inverse_std = self._mean.to(device), self._inverse_std.to(device)
        return self

    def identity(self) -> dict[str, Any]:
        """Kind, hash of the weights as stored, dtype and tiling, for provenance."""
        return {
            "kind": "wan2.1-vae",
            "weights_sha256": self._weights_hash,
            "dtype": str(self.dtype).removeprefix("torch."),
            "tiling": self._tiling,
        }

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """Video [N,3,T,H,W] in [-1,1] to latents float32 [N,16,L,h,w]."""
        expect("video", video, "N 3 T H W")
        check_video_size("video", *video.shape[2:])
        with self._explaining_memory("encode", video.shape[2:]):
            posterior = self._vae.encode(video.to(self.device, self.dtype)).latent_dist
        latents: Tensor = (posterior.mode() - self._mean) * self._inverse_std
        return latents.float()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N,16,L,h,w] to video float32 [N,3,T,H,W], clamped to [-1,1]."""
        expect("latents", latents, f"N {self.latent_channels} L h w")
        if not all(latents.shape):
            raise ShapeError(f"latents: [{','.join(map(str, latents.shape))}] holds nothing to decode")
        frames, height, width = latents.shape[2:]
        size = (pixel_frame_count(frames), height * SPATIAL_FACTOR, width * SPATIAL_FACTOR)
        with self._explaining_memory("decode", size):
            scaled = latents.to(self.device, self.dtype) / self._inverse_std + self._mean
            video: Tensor = self._vae.decode(scaled).sample
        return video.float()

    def working_bytes(self, frames: int, height_px: int, width_px: int) -> int:
        """Peak memory of decoding one video, beside the weights: Wan2.1's, scaled to the width of this network."""
        whole = decode_bytes(height_px, width_px, self.dtype, frames, self._tiling) - _PARAMETERS * self.dtype.itemsize
        return int(whole * self._vae.config.base_dim / _BASE_DIM)

    @contextmanager
    def _explaining_memory(self, verb: str, size: tuple[int, ...]) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError as error:
            self._vae.clear_cache()
            frames, height_px, width_px = size
            advice = "Use smaller frames or a larger device" if self._tiling else "Load the codec with tiling"
            raise CapacityError(
                f"{self.device}: not enough memory to {verb} {frames} frames of {width_px}x{height_px}. {advice}"
            ) from error


def load_wan_codec(
    path: Path | str,
    dtype: torch.dtype = torch.bfloat16,
    device: torch.device | str = "cpu",
    tiling: bool = False,
    allow_pickle: bool = False,
) -> WanCodec:
    """A WanCodec from the official ``tokenizer.pth``, a safetensors file, or a diffusers folder; loaded strictly.

    allow_pickle: run the code a pickled file may hold. Only for files of someone you trust.
    """
    path = Path(path)
    config, weights = _read(path, allow_pickle)
    vae = _build(path, config)
    _fill(path, vae, weights)
    return WanCodec(vae, dtype, tiling).to(device)


def decode_bytes(height_px: int, width_px: int, dtype: torch.dtype, frames: int = 29, tiling: bool = False) -> int:
    """Estimated peak memory of decoding one view with Wan2.1's VAE, weights included; encoding takes less.

    dtype: of two or four bytes. Counts tensors alive at once, not the workspace of convolution kernels. 29 frames of
    1280x720 take 9.8 GB in bfloat16 and 18.8 GB in float32, tiled 1.7 GB and 3.3 GB.
    """
    video_bytes = 3 * frames * height_px * width_px * dtype.itemsize
    if tiling:
        height_px = min(height_px, _TILE_PX["tile_sample_min_height"])
        width_px = min(width_px, _TILE_PX["tile_sample_min_width"])
        video_bytes = video_bytes * 3 // 2  # overlapping tiles are all kept until they are joined
    live_bytes = _LIVE_BYTES_PER_PIXEL[dtype.itemsize] * height_px * width_px
    return _PARAMETERS * dtype.itemsize + live_bytes + video_bytes


def _read(path: Path, allow_pickle: bool) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration of the network, and its weights under diffusers' names."""
    if path.name == _WEIGHTS_NAME and path.with_name("config.json").is_file():
        path = path.parent
    if path.is_dir():
        config = _read_config(path / "config.json")
        return config, _with_diffusers_names(path, _read_weights(path / _WEIGHTS_NAME, allow_pickle))
    weights = _with_diffusers_names(path, _read_weights(path, allow_pickle))
    return _infer_config(path, weights), weights


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}. {_EXPECTED}") from error
    if not isinstance(config, dict) or config.get("_class_name") != "AutoencoderKLWan":
        kind = config.get("_class_name") if isinstance(config, dict) else type(config).__name__
        raise CheckpointError(f"{path}: describes {kind or 'another network'}, not AutoencoderKLWan. {_EXPECTED}")
    return config


def _read_weights(path: Path, allow_pickle: bool) -> dict[str, Tensor]:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. {_EXPECTED}")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path}: is damaged or no safetensors file ({error}). Fetch it again") from error
    weights = _unpickle(path, allow_pickle)
    if not isinstance(weights, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in weights.items()
    ):
        raise CheckpointError(f"{path}: is not a flat table of weights. {_EXPECTED}")
    return dict(weights)


def _unpickle(path: Path, allow_pickle: bool) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=not allow_pickle)
    except Exception as error:  # damaged bytes can fail in any way
        if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
            raise CheckpointError(
                f"{path}: holds pickled code, which could do anything when loaded. "
                f"Use a safetensors file, or allow pickle if you trust whoever made it"
            ) from error
        raise CheckpointError(f"{path}: is damaged or no file of torch. Fetch it again") from error


def _with_diffusers_names(path: Path, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    if any(name.startswith("encoder.down_blocks.") for name in weights):
        return weights
    if any(name.startswith("encoder.downsamples.") for name in weights):
        from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

        convert: Any = convert_wan_vae_to_diffusers
        return dict(convert(weights))
    found = f"begins with {min(weights)}" if weights else "is empty"
    raise CheckpointError(f"{path}: holds no Wan VAE, its list of weights {found}. {_EXPECTED}")


def _infer_config(path: Path, weights: dict[str, Tensor]) -> dict[str, Any]:
    """What the shapes say; all else is as in Wan2.1, whose four levels hold two residual blocks and a resampling."""

    def width(name: str) -> int:
        if name not in weights:
            raise CheckpointError(f"{path}: lacks {name} (in diffusers' naming). {_EXPECTED}")
        return weights[name].shape[0]

    if (channels := width("post_quant_conv.weight")) != _LATENT_CHANNELS:
        raise CheckpointError(
            f"{path}: has {channels} latent channels, and Wan2.1's VAE has {_LATENT_CHANNELS}. {_EXPECTED}"
        )
    base = width("encoder.conv_in.weight")
    levels = [width(f"encoder.down_blocks.{block}.conv1.weight") for block in (0, 3, 6, 9)]
    return {
        "base_dim": base,
        "decoder_base_dim": width("decoder.norm_out.gamma"),
        "dim_mult": [level // base for level in levels],
    }


def _build(path: Path, config: dict[str, Any]) -> nn.Module:
    """The network without memory for its weights."""
    from diffusers import AutoencoderKLWan

    network: Any = AutoencoderKLWan
    try:
        with torch.device("meta"):
            vae: nn.Module = network.from_config(config)
        made: Any = vae.config
        factors = 2 ** (len(made.dim_mult) - 1), 2 ** sum(made.temperal_downsample)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        raise CheckpointError(f"{path}: describes a network that cannot be built: {error}") from error
    if factors != (SPATIAL_FACTOR, TEMPORAL_FACTOR) or made.is_residual or made.patch_size not in (None, 1):
        raise CheckpointError(f"{path}: is a VAE of another kind than Wan2.1's, 8x8 pixels and 4 frames. {_EXPECTED}")
    if not made.z_dim == len(made.latents_mean) == len(made.latents_std):
        raise CheckpointError(
            f"{path}: has {made.z_dim} latent channels, but {len(made.latents_mean)} values of latents_mean "
            f"and {len(made.latents_std)} of latents_std"
        )
    return vae


def _fill(path: Path, vae: nn.Module, weights: dict[str, Tensor]) -> None:
    wanted = vae.state_dict()
    problems = {
        "missing": [name for name in wanted if name not in weights],
        "unexpected": [name for name in weights if name not in wanted],
        "of another shape": [
            f"{name} {list(weights[name].shape)} instead of {list(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in weights and weights[name].shape != tensor.shape
        ],
        "not floating": [name for name, tensor in weights.items() if not tensor.is_floating_point()],
    }
    found = [f"{len(names)} {kind} ({_some(names)})" for kind, names in problems.items() if names]
    if found:
        raise CheckpointError(f"{path}: does not fit Wan's VAE, in diffusers' naming: {', '.join(found)}. {_EXPECTED}")
    vae.load_state_dict(weights, assign=True)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _hash(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
