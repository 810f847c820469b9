"""The Wan autoencoder gives the reference's numbers from every kind of file, and says what is wrong with others."""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.codec import Codec, decode_frames, encode_frames
from models.errors import CapacityError, CheckpointError, ShapeError
from models.vae import WanCodec, decode_bytes, load_wan_codec

USE = "Use Wan2.1's tokenizer.pth or a diffusers folder of AutoencoderKLWan"


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Tensor]:
    return load_file(shared / "golden" / "model" / "vae_tiny.safetensors")


@pytest.fixture(scope="module")
def weights_file(shared: Path) -> Path:
    return shared / "golden" / "model" / "vae_tiny.weights.safetensors"


@pytest.fixture(scope="module")
def codec(weights_file: Path) -> WanCodec:
    return load_wan_codec(weights_file, torch.float32)


@pytest.fixture(scope="module")
def codec_bf16(weights_file: Path) -> WanCodec:
    return load_wan_codec(weights_file, torch.bfloat16)


@pytest.fixture(scope="module")
def diffusers_folder(codec: WanCodec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vae")
    codec._vae.save_pretrained(folder)
    return folder


def _refusing(path: Path, problem: str) -> Any:
    return pytest.raises(CheckpointError, match=f"^{re.escape(f'{path}: {problem}')}$")


def _relative(actual: Tensor, wanted: Tensor) -> float:
    return float((actual - wanted).norm() / wanted.norm())


def test_latents_and_frames_are_the_references(codec: WanCodec, golden: dict[str, Tensor]) -> None:
    latents, video = codec.encode(golden["video"]), codec.decode(golden["latent"])
    assert latents.dtype == video.dtype == torch.float32
    assert (latents - golden["latent"]).abs().max() < 1e-5
    assert (video - golden["decoded"].clamp(-1, 1)).abs().max() < 1e-4


def test_bfloat16_stays_within_its_rounding_of_the_reference(codec_bf16: WanCodec, golden: dict[str, Tensor]) -> None:
    latents, video = codec_bf16.encode(golden["video"]), codec_bf16.decode(golden["latent"])
    assert latents.dtype == video.dtype == torch.float32
    assert 1e-4 < _relative(latents, golden["latent"]) < 0.02
    assert 1e-3 < _relative(video, golden["decoded"].clamp(-1, 1)) < 0.08


def test_mean_and_inverse_deviation_are_rounded_to_bfloat16(codec_bf16: WanCodec, golden: dict[str, Tensor]) -> None:
    mean = torch.tensor(codec_bf16._vae.config.latents_mean).bfloat16().view(-1, 1, 1, 1)
    inverse = 1 / torch.tensor(codec_bf16._vae.config.latents_std).bfloat16().view(-1, 1, 1, 1)
    video = golden["video"][:, :, :5]
    with torch.no_grad():
        posterior = codec_bf16._vae.encode(video.bfloat16()).latent_dist.mode()
    assert inverse.dtype == torch.bfloat16
    assert torch.equal(codec_bf16.encode(video), ((posterior - mean) * inverse).float())


@pytest.mark.parametrize("frames", [1, 5, 17])
def test_first_latents_depend_on_the_first_frames_only(
    codec: WanCodec, codec_bf16: WanCodec, golden: dict[str, Tensor], frames: int
) -> None:
    count = 1 + (frames - 1) // 4
    # Latents reach 2, where neighbouring bfloat16 numbers are 2^-6 apart.
    for each, tolerance in ((codec, 1e-6), (codec_bf16, 2**-6)):
        known = each.encode(golden["video"][:, :, :frames])
        assert known.shape[2] == count
        assert (known - each.encode(golden["video"])[:, :, :count]).abs().max() <= tolerance


def test_first_frames_depend_on_the_first_latents_only(codec: WanCodec, golden: dict[str, Tensor]) -> None:
    whole = codec.decode(golden["latent"])
    assert (codec.decode(golden["latent"][:, :, :3]) - whole[:, :, :9]).abs().max() < 1e-5


def test_views_one_at_a_time_equal_a_batch(codec: WanCodec) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 16, 24, 3), dtype=np.uint8)
    latents = encode_frames(codec, frames)
    video = torch.tensor(frames).permute(0, 4, 1, 2, 3) / 127.5 - 1
    assert latents.shape == (3, 16, 2, 2, 3)
    assert (latents - codec.encode(video)).abs().max() < 1e-5
    again = decode_frames(codec, latents)
    batch = ((codec.decode(latents) + 1) * 127.5).permute(0, 2, 3, 4, 1).numpy()
    assert again.shape == frames.shape and again.dtype == np.uint8
    assert np.abs(batch - again - 0.5).max() < 0.5 + 1e-2


def test_a_tiled_picture_begins_as_its_first_tile_alone(codec: WanCodec, weights_file: Path) -> None:
    tiled = load_wan_codec(weights_file, torch.float32, tiling=True)
    latents = torch.randn(1, 16, 1, 40, 50, generator=torch.Generator().manual_seed(0))
    picture = tiled.decode(latents)
    alone = codec.decode(latents[..., :38, :48])
    assert picture.shape == (1, 3, 1, 320, 400)
    assert (picture[..., :240, :320] - alone[..., :240, :320]).abs().max() < 1e-4
    assert _relative(picture, codec.decode(latents)) > 1e-3
    assert tiled.encode(picture).shape == latents.shape


def test_frames_that_fit_one_tile_are_not_changed_by_tiling(
    codec: WanCodec, weights_file: Path, golden: dict[str, Tensor]
) -> None:
    tiled = load_wan_codec(weights_file, torch.float32, tiling=True)
    assert torch.equal(tiled.decode(golden["latent"]), codec.decode(golden["latent"]))


def test_every_kind_of_file_gives_the_same_codec(
    codec: WanCodec, weights_file: Path, diffusers_folder: Path, golden: dict[str, Tensor], tmp_path: Path
) -> None:
    official = tmp_path / "tokenizer.pth"
    torch.save(load_file(weights_file), official)
    bare = tmp_path / "vae.safetensors"
    bare.write_bytes((diffusers_folder / "diffusion_pytorch_model.safetensors").read_bytes())
    wanted = codec.decode(golden["latent"][:, :, :1])
    for path in (official, diffusers_folder, diffusers_folder / "diffusion_pytorch_model.safetensors", bare):
        loaded = load_wan_codec(path, torch.float32)
        assert loaded.identity() == codec.identity()
        assert torch.equal(loaded.decode(golden["latent"][:, :, :1]), wanted)


def test_the_folders_mean_and_deviation_are_used(diffusers_folder: Path, tmp_path: Path, codec: WanCodec) -> None:
    config = json.loads((diffusers_folder / "config.json").read_text())
    _folder(tmp_path, diffusers_folder, config | {"latents_mean": [0.0] * 16, "latents_std": [2.0] * 16})
    video = torch.zeros(1, 3, 1, 16, 16)
    mean = torch.tensor(codec._vae.config.latents_mean).view(-1, 1, 1, 1)
    std = torch.tensor(codec._vae.config.latents_std).view(-1, 1, 1, 1)
    for path in (tmp_path, tmp_path / "diffusion_pytorch_model.safetensors"):
        latents = load_wan_codec(path, torch.float32).encode(video)
        assert (latents - (codec.encode(video) * std + mean) / 2).abs().max() < 1e-6


def test_identity_follows_the_weights_and_the_dtype(codec: WanCodec, codec_bf16: WanCodec, weights_file: Path) -> None:
    one, other = codec.identity(), codec_bf16.identity()
    assert one == {
        "kind": "wan2.1-vae",
        "weights_sha256": one["weights_sha256"],
        "dtype": "float32",
        "tiling": False,
    }
    assert other == one | {"dtype": "bfloat16"} and re.fullmatch("[0-9a-f]{64}", one["weights_sha256"])
    assert load_wan_codec(weights_file, tiling=True).identity() == other | {"tiling": True}


def test_changing_one_weight_changes_the_hash(weights_file: Path, tmp_path: Path, codec: WanCodec) -> None:
    weights = load_file(weights_file)
    weights["conv2.bias"][3] += 1e-3
    path = tmp_path / "changed.safetensors"
    save_file(weights, path)
    assert load_wan_codec(path).identity()["weights_sha256"] != codec.identity()["weights_sha256"]


def test_it_is_a_codec_that_moves_and_keeps_its_dtype(codec_bf16: WanCodec) -> None:
    one: Codec = codec_bf16
    assert one.to("cpu") is one and one.device == torch.device("cpu") and one.dtype == torch.bfloat16
    assert (one.latent_channels, one.spatial_factor, one.temporal_factor) == (16, 8, 4)


def _missing(weights: dict[str, Tensor]) -> None:
    del weights["decoder.head.2.bias"]


def _unexpected(weights: dict[str, Tensor]) -> None:
    weights["net.x_embedder.proj.1.weight"] = torch.zeros(4, 4)


def _reshaped(weights: dict[str, Tensor]) -> None:
    weights["decoder.middle.1.proj.weight"] = torch.zeros(16, 8, 1, 1)


def _many(weights: dict[str, Tensor]) -> None:
    for index in range(7):
        weights[f"stray.{index}"] = torch.zeros(1)


def _integers(weights: dict[str, Tensor]) -> None:
    weights["decoder.head.2.bias"] = torch.zeros(3, dtype=torch.int64)


def _no_level(weights: dict[str, Tensor]) -> None:
    del weights["encoder.downsamples.9.residual.2.weight"]


def _wide_latents(weights: dict[str, Tensor]) -> None:
    weights["conv2.weight"] = torch.zeros(48, 48, 1, 1, 1)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (
            _missing,
            f"does not fit Wan's VAE, in diffusers' naming: 1 missing (decoder.conv_out.bias). {USE}",
        ),
        (
            _unexpected,
            f"does not fit Wan's VAE, in diffusers' naming: 1 unexpected (net.x_embedder.proj.1.weight). {USE}",
        ),
        (
            _reshaped,
            f"does not fit Wan's VAE, in diffusers' naming: 1 of another shape "
            f"(decoder.mid_block.attentions.0.proj.weight [16, 8, 1, 1] instead of [16, 16, 1, 1]). {USE}",
        ),
        (
            _many,
            f"does not fit Wan's VAE, in diffusers' naming: 7 unexpected "
            f"(stray.0, stray.1, stray.2, stray.3, stray.4 and 2 more). {USE}",
        ),
        (
            _integers,
            f"does not fit Wan's VAE, in diffusers' naming: 1 not floating (decoder.conv_out.bias). {USE}",
        ),
        (_no_level, f"lacks encoder.down_blocks.9.conv1.weight (in diffusers' naming). {USE}"),
        (_wide_latents, f"has 48 latent channels, and Wan2.1's VAE has 16. {USE}"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    damage: Callable[[dict[str, Tensor]], None], problem: str, weights_file: Path, tmp_path: Path
) -> None:
    weights = load_file(weights_file)
    damage(weights)
    path = tmp_path / "vae.safetensors"
    save_file(weights, path)
    with _refusing(path, problem):
        load_wan_codec(path)


class _Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.folder,)


def test_pickled_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    path, made = tmp_path / "tokenizer.pth", tmp_path / "made"
    torch.save({"weights": _Code(made)}, path)
    with _refusing(
        path,
        "holds pickled code, which could do anything when loaded. "
        "Use a safetensors file, or allow pickle if you trust whoever made it",
    ):
        load_wan_codec(path)
    assert not made.exists()
    with _refusing(path, f"is not a flat table of weights. {USE}"):
        load_wan_codec(path, allow_pickle=True)
    assert made.exists()


def test_trusted_pickles_load_when_asked_for(weights_file: Path, tmp_path: Path, codec: WanCodec) -> None:
    path = tmp_path / "tokenizer.pth"
    torch.save(load_file(weights_file), path)
    assert load_wan_codec(path, torch.float32, allow_pickle=True).identity() == codec.identity()


@pytest.mark.parametrize("allow_pickle", [False, True])
def test_damaged_files_are_named(tmp_path: Path, weights_file: Path, allow_pickle: bool) -> None:
    whole = tmp_path / "whole.pth"
    torch.save(load_file(weights_file), whole)
    for index, content in enumerate((b"", b"no file of torch at all", whole.read_bytes()[:100_000])):
        path = tmp_path / f"{index}.pth"
        path.write_bytes(content)
        with _refusing(path, "is damaged or no file of torch. Fetch it again"):
            load_wan_codec(path, allow_pickle=allow_pickle)


def test_cut_safetensors_are_named(tmp_path: Path, weights_file: Path) -> None:
    path = tmp_path / "vae.safetensors"
    path.write_bytes(weights_file.read_bytes()[:100_000])
    with pytest.raises(CheckpointError, match=r"vae\.safetensors: is damaged or no safetensors file \(.+\)\. Fetch it"):
        load_wan_codec(path)


def test_files_of_another_kind_are_named(tmp_path: Path, shared: Path) -> None:
    transformer = shared / "golden" / "model" / "joint_a.weights.safetensors"
    first = min(load_file(transformer))
    with _refusing(transformer, f"holds no Wan VAE, its list of weights begins with {first}. {USE}"):
        load_wan_codec(transformer)
    empty, table, absent = tmp_path / "empty.pt", tmp_path / "table.pt", tmp_path / "absent.pth"
    torch.save({}, empty)
    torch.save({"epoch": 3}, table)
    with _refusing(empty, f"holds no Wan VAE, its list of weights is empty. {USE}"):
        load_wan_codec(empty)
    with _refusing(table, f"is not a flat table of weights. {USE}"):
        load_wan_codec(table)
    with _refusing(absent, f"no such file. {USE}"):
        load_wan_codec(absent)


def _folder(folder: Path, source: Path, config: dict[str, Any]) -> None:
    name = "diffusion_pytorch_model.safetensors"
    (folder / name).write_bytes((source / name).read_bytes())
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        (
            {"_class_name": "CosmosTransformer3DModel"},
            "config.json",
            f"describes CosmosTransformer3DModel, not AutoencoderKLWan. {USE}",
        ),
        (
            {"is_residual": True, "patch_size": 2},
            "",
            f"is a VAE of another kind than Wan2.1's, 8x8 pixels and 4 frames. {USE}",
        ),
        (
            {"temperal_downsample": [False, False, True]},
            "",
            f"is a VAE of another kind than Wan2.1's, 8x8 pixels and 4 frames. {USE}",
        ),
        (
            {"latents_mean": [0.0] * 12},
            "",
            "has 16 latent channels, but 12 values of latents_mean and 16 of latents_std",
        ),
    ],
)
def test_folders_of_another_kind_are_named(
    change: dict[str, Any], where: str, problem: str, diffusers_folder: Path, tmp_path: Path
) -> None:
    config = json.loads((diffusers_folder / "config.json").read_text())
    _folder(tmp_path, diffusers_folder, config | change)
    with _refusing(tmp_path / where, problem):
        load_wan_codec(tmp_path)


def test_folders_without_a_configuration_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=rf"config\.json: cannot be read: .*No such file.*\. {USE}$"):
        load_wan_codec(tmp_path)


def test_videos_and_latents_that_do_not_fit_are_refused(codec: WanCodec) -> None:
    for call, sentence in (
        (lambda: codec.encode(torch.zeros(3, 5, 16, 16)), "video: expected [N,3,T,H,W], got [3,5,16,16] float32"),
        (lambda: codec.encode(torch.zeros(1, 3, 4, 16, 16)), "video: 4 frames are not 4k+1. Use 1 or 5"),
        (
            lambda: codec.encode(torch.zeros(1, 3, 1, 16, 20)),
            "video: sides of 20x16 are not both multiples of 8. Resize to 16x16",
        ),
        (
            lambda: codec.decode(torch.zeros(1, 48, 1, 2, 2)),
            "latents: expected [N,16,L,h,w], got [1,48,1,2,2] float32",
        ),
        (lambda: codec.decode(torch.zeros(1, 16, 0, 2, 2)), "latents: [1,16,0,2,2] holds nothing to decode"),
    ):
        with pytest.raises(ShapeError, match=f"^{re.escape(sentence)}$"):
            call()


def test_running_out_of_memory_says_what_to_change(weights_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    for tiling, advice in ((False, "Load the codec with tiling"), (True, "Use smaller frames or a larger device")):
        codec = load_wan_codec(weights_file, tiling=tiling)
        monkeypatch.setattr(codec._vae, "encode", exhausted)
        monkeypatch.setattr(codec._vae, "decode", exhausted)
        sentence = "^cpu: not enough memory to {} 5 frames of 24x16. " + advice + "$"
        with pytest.raises(CapacityError, match=sentence.format("encode")):
            codec.encode(torch.zeros(1, 3, 5, 16, 24))
        with pytest.raises(CapacityError, match=sentence.format("decode")):
            codec.decode(torch.zeros(1, 16, 2, 2, 3))


class _LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors made inside that are alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            storage = tensor.untyped_storage() if isinstance(tensor, Tensor) else None
            if storage is not None and storage._cdata not in self.alive:
                self.alive[storage._cdata] = storage.nbytes()
                weakref.finalize(storage, self.alive.pop, storage._cdata, None)
        self.peak = max(self.peak, sum(self.alive.values()))
        return result


@pytest.mark.parametrize(
    ("dtype", "tiling", "excess"),
    [(torch.bfloat16, False, 0.01), (torch.float32, False, 0.01), (torch.bfloat16, True, 0.1)],
)
def test_decode_bytes_is_the_peak_of_live_tensors(dtype: torch.dtype, tiling: bool, excess: float) -> None:
    from diffusers import AutoencoderKLWan

    with torch.device("meta"):
        vae = torch.nn.Module.to(AutoencoderKLWan().requires_grad_(False), dtype=dtype)
        latents = torch.empty(1, 16, 3, 90, 160, dtype=dtype)
    if tiling:
        vae.enable_tiling(304, 384, 240, 320)
    weights = sum(parameter.nbytes for parameter in vae.parameters())
    with torch.no_grad(), _LiveBytes() as live:
        vae.decode(latents)
    assert 0.99 < decode_bytes(720, 1280, dtype, 9, tiling) / (live.peak + weights) < 1 + excess
