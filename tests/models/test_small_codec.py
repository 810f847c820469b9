"""The small codec is causal to the bit, satisfies the protocol, and refuses weights that are not its own."""

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

from models.block_transform import blocks_of, group_of
from models.codec import Codec, decode_frames, encode_frames
from models.errors import CheckpointError, ShapeError
from models.small_codec import SmallCodec, SmallCodecConfig, is_small_codec, load_small_codec, save_small_codec

SMALL = SmallCodecConfig(latent_channels=16, width=16, blocks=2, fine_width=8)


def _random_codec(config: SmallCodecConfig = SMALL) -> SmallCodec:
    """With a refinement that is at work, which a new one is not."""
    generator = torch.Generator().manual_seed(0)
    codec = SmallCodec(config)
    with torch.no_grad():
        for parameter in codec.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return codec


@pytest.fixture(scope="module")
def codec() -> SmallCodec:
    return _random_codec()


@pytest.fixture(scope="module")
def video() -> Tensor:
    return 2 * torch.rand(2, 3, 17, 24, 40, generator=torch.Generator().manual_seed(1)) - 1


@pytest.fixture
def folder(codec: SmallCodec, tmp_path: Path) -> Path:
    save_small_codec(codec, tmp_path / "codec")
    return tmp_path / "codec"


def _refusing(kind: type[Exception], sentence: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(sentence)}$")


def test_blocks_hold_one_cell_each_and_go_back_to_where_they_were() -> None:
    group = torch.arange(2 * 3 * 4 * 16 * 24).view(2, 3, 4, 16, 24)
    blocks = blocks_of(group)
    assert blocks.shape == (2, 2, 3, 768)
    assert torch.equal(blocks[1, 1, 2], group[1, :, :, 8:16, 16:24].flatten())
    assert torch.equal(group_of(blocks, 4), group)


def test_frames_pass_through_as_through_any_codec(codec: SmallCodec) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 16, 24, 3), dtype=np.uint8)
    any_codec: Codec = codec
    latents = encode_frames(any_codec, frames)
    assert latents.shape == (3, 16, 2, 2, 3) and latents.dtype == torch.float32
    assert decode_frames(any_codec, latents).shape == frames.shape


@pytest.mark.parametrize("frames", [1, 5, 13])
def test_first_latents_depend_on_the_first_frames_only(codec: SmallCodec, video: Tensor, frames: int) -> None:
    known = codec.encode(video[:, :, :frames])
    assert known.shape == (2, 16, 1 + (frames - 1) // 4, 3, 5)
    assert torch.equal(known, codec.encode(video)[:, :, : known.shape[2]])


@pytest.mark.parametrize("latent_frames", [1, 2, 4])
def test_first_frames_depend_on_the_first_latents_only(codec: SmallCodec, video: Tensor, latent_frames: int) -> None:
    latents = codec.encode(video)
    known = codec.decode(latents[:, :, :latent_frames])
    assert known.shape == (2, 3, 4 * latent_frames - 3, 24, 40)
    assert torch.equal(known, codec.decode(latents)[:, :, : known.shape[2]])


def test_later_frames_remember_earlier_latents(codec: SmallCodec, video: Tensor) -> None:
    latents = codec.encode(video)
    changed = latents.clone()
    changed[:, :, 0] += 1
    difference = (codec.decode(latents) - codec.decode(changed)).abs().amax(dim=(0, 1, 3, 4))
    assert (difference[:9] > 0).all()


def test_a_new_refinement_adds_nothing(video: Tensor) -> None:
    codec = SmallCodec(SMALL)
    latents = codec.encode(video)
    linear = codec.transform.synthesise(latents[:, :, 1], 4).detach()
    assert torch.equal(codec.decode(latents)[:, :, 1:5], linear.clamp(-1, 1))


def test_frames_stay_within_black_and_white(codec: SmallCodec) -> None:
    decoded = codec.decode(100 * torch.randn(1, 16, 2, 2, 2, generator=torch.Generator().manual_seed(0)))
    assert decoded.min() == -1 and decoded.max() == 1


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("frames", [1, 9, 45])
def test_working_bytes_cover_the_peak_of_live_tensors(dtype: torch.dtype, frames: int) -> None:
    with torch.device("meta"):
        codec = SmallCodec(SmallCodecConfig()).to(dtype=dtype)
        latents = torch.empty(1, 32, 1 + (frames - 1) // 4, 18, 32)
    with _LiveBytes() as live:
        codec.decode(latents)
    assert 1 <= codec.working_bytes(frames, 144, 256) / live.peak < 1.4


def test_saved_weights_are_the_same_codec(codec: SmallCodec, folder: Path, video: Tensor) -> None:
    loaded = load_small_codec(folder)
    assert loaded.config == SMALL and loaded.identity() == codec.identity()
    assert torch.equal(loaded.decode(loaded.encode(video)), codec.decode(codec.encode(video)))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert is_small_codec(folder) and not is_small_codec(folder.parent)


def test_identity_tells_weights_and_precision_apart(codec: SmallCodec, folder: Path) -> None:
    identity = codec.identity()
    assert identity["kind"] == "drivesim-small-codec" and identity["dtype"] == "float32"
    other = load_small_codec(folder)
    other.refinement.first[0] += 1
    assert other.identity()["weights_sha256"] != identity["weights_sha256"]
    assert load_small_codec(folder, torch.bfloat16).identity()["dtype"] == "bfloat16"


def test_bfloat16_stays_within_its_rounding(codec: SmallCodec, folder: Path, video: Tensor) -> None:
    half = load_small_codec(folder, torch.bfloat16)
    latents, exact = half.encode(video), codec.encode(video)
    assert latents.dtype == half.decode(latents).dtype == torch.float32
    assert 1e-4 < float((latents - exact).norm() / exact.norm()) < 0.01


def test_an_existing_folder_is_not_written_over(codec: SmallCodec, folder: Path) -> None:
    with _refusing(CheckpointError, f"{folder}: exists and is not empty. Remove it or name another folder"):
        save_small_codec(codec, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["codec"]


def _lacking(weights: dict[str, Tensor]) -> None:
    del weights["refinement.first"]


def _more(weights: dict[str, Tensor]) -> None:
    weights["decoder.conv_out.bias"] = torch.zeros(3)


def _reshaped(weights: dict[str, Tensor]) -> None:
    weights["transform.analyse_first.weight"] = torch.zeros(24, 192)


def _integers(weights: dict[str, Tensor]) -> None:
    weights["refinement.first"] = torch.zeros(16, dtype=torch.int64)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (_lacking, "lacks refinement.first"),
        (_more, "holds tensors it should not: decoder.conv_out.bias"),
        (_reshaped, "holds tensors of wrong shape: transform.analyse_first.weight [24, 192] instead of [16, 192]"),
        (_integers, "holds tensors that are not floating-point: refinement.first"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    damage: Callable[[dict[str, Tensor]], None], problem: str, folder: Path
) -> None:
    weights = load_file(folder / "model.safetensors")
    damage(weights)
    save_file(weights, folder / "model.safetensors")
    with _refusing(CheckpointError, f"{folder}: does not fit the codec its config.json describes, it {problem}"):
        load_small_codec(folder)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"format": "drivesim-transformer"},
            "describes drivesim-transformer, not drivesim-small-codec. Name a folder of the small codec",
        ),
        ({"format": None}, "describes something else, not drivesim-small-codec. Name a folder of the small codec"),
        ({"version": 2}, "version 2 is not 1, the one this program reads"),
        ({"config": None}, "lacks field config"),
        (
            {"config": {"width": 16, "depth": 2}},
            "unknown field depth. This version knows latent_channels, width, blocks, fine_width",
        ),
        ({"config": {"latent_channels": 64}}, "latent_channels: 64 is not within 16 to 48"),
        ({"config": {"width": 0}}, "width: 0 is not a whole number of at least 1"),
    ],
)
def test_descriptions_of_another_kind_are_named(change: dict[str, Any], problem: str, folder: Path) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with _refusing(CheckpointError, f"{file}: {problem}"):
        load_small_codec(folder)


def test_folders_without_a_readable_description_are_named(folder: Path) -> None:
    file = folder / "config.json"
    file.write_text("{")
    with pytest.raises(CheckpointError, match=rf"^{re.escape(str(file))}: is not JSON: .+"):
        load_small_codec(folder)
    file.unlink()
    sentence = f"{file}: no such file. A small codec is a folder of config.json and model.safetensors"
    with _refusing(CheckpointError, sentence):
        load_small_codec(folder)


def test_damaged_weights_are_named(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=rf"^{re.escape(str(file))}: cannot be read\. "):
        load_small_codec(folder)


def test_configurations_survive_their_dictionary() -> None:
    assert SmallCodecConfig.from_dict(SMALL.to_dict()) == SMALL


def test_videos_and_latents_that_do_not_fit_are_refused(codec: SmallCodec) -> None:
    for call, sentence in (
        (lambda: codec.encode(torch.zeros(3, 5, 16, 16)), "video: expected [N,3,T,H,W], got [3,5,16,16] float32"),
        (lambda: codec.encode(torch.zeros(1, 3, 4, 16, 16)), "video: 4 frames are not 4k+1. Use 1 or 5"),
        (lambda: codec.decode(torch.zeros(1, 32, 1, 2, 2)), "latents: expected [N,16,L,h,w], got [1,32,1,2,2] float32"),
        (lambda: codec.decode(torch.zeros(1, 16, 0, 2, 2)), "latents: [1,16,0,2,2] holds nothing to decode"),
    ):
        with _refusing(ShapeError, sentence):
            call()
