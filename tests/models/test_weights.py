"""A generator from a folder of weights: its parts, what it says of itself, and every part that can be wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import TEXT_CHANNELS, TinyText, tiny_config, tiny_generator, tiny_request, write_tiny_weights

from models.checkpoint import weights_digest
from models.errors import CapacityError, CheckpointError, ModelError
from models.text_cache import CachedText
from models.tuning import Tuning
from models.weights import load_generator

LAYOUT = (
    "It should hold transformer/ (or one .pt), vae/ or codec/, and text_encoder/, text_cache/ or text/; "
    "see data/README.md"
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_tiny_weights(folder, ["a street"])
    return folder


@pytest.fixture
def weights(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(original, tmp_path / "weights"))


# -- what comes of a folder -----------------------------------------------------------------------------


def test_a_folder_gives_the_generator_of_its_parts(original: Path) -> None:
    expected = tiny_generator().generate(tiny_request())
    assert np.array_equal(load_generator(original, device="cpu").generate(tiny_request()), expected)


def test_its_identity_names_the_weights_and_everything_that_decides_the_frames(original: Path) -> None:
    identity = load_generator(original, device="cpu").identity()
    assert identity["weights"] == {"transformer_sha256": weights_digest(original / "transformer")}
    assert identity["network"] == tiny_config().to_dict()
    assert identity["dtype"] == "float32"
    assert identity["codec"]["kind"] == "wan2.1-vae" and len(identity["codec"]["weights_sha256"]) == 64
    assert identity["text"] == TinyText().identity()
    assert identity["attention"] == "auto"


def test_other_weights_are_another_identity(original: Path, tmp_path: Path) -> None:
    write_tiny_weights(tmp_path, ["a street"], seed=1)
    same, other = load_generator(original, device="cpu"), load_generator(tmp_path, device="cpu")
    assert same.identity()["weights"] != other.identity()["weights"]
    assert same.identity()["codec"]["weights_sha256"] != other.identity()["codec"]["weights_sha256"]


def test_a_single_file_of_torch_takes_the_place_of_the_folder_transformer(weights: Path) -> None:
    expected = load_generator(weights, device="cpu")
    torch.save(expected.transformer.state_dict(), weights / "model.pt")
    (weights / "model.pt").rename(weights / "released.pt")
    shutil.copy(weights / "transformer" / "config.json", weights / "config.json")
    shutil.rmtree(weights / "transformer")
    loaded = load_generator(weights, device="cpu")
    assert np.array_equal(loaded.generate(tiny_request()), expected.generate(tiny_request()))
    assert loaded.identity() == expected.identity()


def test_options_reach_the_parts(original: Path) -> None:
    generator = load_generator(original, device="cpu", dtype="bf16", tuning=Tuning("int8"), tiled_codec=True)
    identity = generator.identity()
    assert identity["dtype"] == "bfloat16" and identity["codec"]["dtype"] == "bfloat16"
    assert identity["attention"] == "int8" and identity["codec"]["tiling"] is True


def test_embeddings_may_be_kept_elsewhere(weights: Path, tmp_path: Path) -> None:
    shutil.move(weights / "text_cache", tmp_path / "elsewhere")
    CachedText(tmp_path / "elsewhere", TinyText(TEXT_CHANNELS)).fill(["a road"])
    generator = load_generator(weights, device="cpu", text_cache=tmp_path / "elsewhere")
    assert generator.generate(tiny_request(prompts=("a road",))).shape == (3, 5, 32, 48, 3)


# -- what can be wrong ----------------------------------------------------------------------------------


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


class _Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def _pickled(folder: Path) -> None:
    shutil.rmtree(folder / "transformer")
    torch.save({"a": _Code(folder / "code ran")}, folder / "model.pt")


def _two_files(folder: Path) -> None:
    shutil.rmtree(folder / "transformer")
    for name in ("a.pt", "b.pt"):
        torch.save({}, folder / name)


def _pointer(folder: Path) -> None:
    shutil.rmtree(folder / "transformer")
    (folder / "model.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")


def _other_variant(folder: Path) -> None:
    config = folder / "transformer" / "config.json"
    config.write_text(config.read_text().replace('"rays"', '"adaln"'))


def _two_codecs(folder: Path) -> None:
    (folder / "vae" / "config.json").unlink()
    torch.save({}, folder / "vae" / "tokenizer.pth")


WRONG: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, "{}: no such folder of weights. " + LAYOUT),
    (lambda w: shutil.rmtree(w / "transformer"), "{}: holds no network and no folder transformer. " + LAYOUT),
    (_two_files, "{}: holds 2 weight files and no folder transformer. " + LAYOUT),
    (lambda w: shutil.rmtree(w / "vae"), "{}: has neither a folder vae nor a folder codec. " + LAYOUT),
    (_two_codecs, "{}/vae: holds 2 weight files, and one is needed. " + LAYOUT),
    (
        lambda w: shutil.rmtree(w / "text_cache"),
        "{}/text_cache: holds no identity.json, so it is no cache of text embeddings. Name a folder that is, or give a "
        "text encoder",
    ),
    (
        lambda w: _cut(w / "transformer" / "model.safetensors"),
        "{}/transformer/model.safetensors: cannot be read. It is damaged, cut short, or not what its name says: fetch "
        "it again",
    ),
    (
        lambda w: _cut(w / "vae" / "diffusion_pytorch_model.safetensors"),
        "{}/vae/diffusion_pytorch_model.safetensors: is damaged or no safetensors file (Error while deserializing "
        "header: incomplete metadata, file not fully covered). Fetch it again",
    ),
    (
        _pickled,
        "{}/model.pt: holds code (posix.mkdir), which would run when it is read and could do anything. Only if you "
        "trust where it comes from, convert it with: drivesim weights convert --allow-pickle",
    ),
    (_pointer, "{}/model.pt: is a Git LFS pointer, not the weights. Fetch them with: git lfs pull"),
]


@pytest.mark.parametrize(("spoil", "sentence"), WRONG)
def test_a_folder_with_a_wrong_part_is_refused(weights: Path, spoil: Callable[[Path], object], sentence: str) -> None:
    spoil(weights)
    with pytest.raises(CheckpointError) as error:
        load_generator(weights, device="cpu")
    assert str(error.value) == sentence.format(weights)
    assert not (weights / "code ran").exists()


def test_weights_of_another_variant_are_refused_by_the_names_of_their_tensors(weights: Path) -> None:
    _other_variant(weights)
    with pytest.raises(CheckpointError) as error:
        load_generator(weights, device="cpu")
    sentence = str(error.value)
    assert sentence.startswith(f"{weights}/transformer: does not fit its network, it lacks ")
    assert "adaln_view_embedder" in sentence and "it holds tensors of wrong shape: " in sentence


@pytest.mark.parametrize(
    ("options", "error_type", "sentence"),
    [
        ({"dtype": "fp8"}, ModelError, "dtype: 'fp8' is none of auto, bf16, fp32"),
        ({"device": "potato"}, CapacityError, "device: 'potato' is none. Use auto, cpu, cuda or cuda:N"),
    ],
)
def test_what_the_machine_cannot_be_is_refused(
    original: Path, options: dict[str, str], error_type: type[Exception], sentence: str
) -> None:
    with pytest.raises(error_type) as error:
        load_generator(original, **{"device": "cpu", **options})  # type: ignore[arg-type]
    assert str(error.value) == sentence


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused(original: Path) -> None:
    with pytest.raises(CapacityError) as error:
        load_generator(original, device="cuda")
    assert str(error.value) == "device: this machine has no GPU that torch can use. Use cpu"


def test_a_prompt_nobody_has_embedded_is_refused_with_what_to_do(original: Path) -> None:
    with pytest.raises(ModelError) as error:
        load_generator(original, device="cpu").generate(tiny_request(prompts=("a road",)))
    assert str(error.value).startswith(f"{original}/text_cache: holds no embedding of 'a road', and no text encoder ")
