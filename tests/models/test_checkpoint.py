"""Weights come in from every format strictly, go out whole, and have one digest in all of them."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import resource
import signal
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.checkpoint import (
    describe_weights,
    load_transformer,
    require_empty,
    save_transformer,
    weights_digest,
)
from models.config import TransformerConfig
from models.errors import CheckpointError
from models.transformer import MultiViewTransformer
from models.weight_files import read_state

Weights = dict[str, Tensor]
Writer = Callable[[Weights, Path], Path]

TINY = TransformerConfig(
    hidden_size=24,
    num_heads=2,
    num_blocks=4,
    control_interval=2,
    view_mixing="joint",
    view_identity="channels",
    rope_ratio_t=8 / 24,
    round_rope_exponents=True,
    adaln_rank=4,
    text_channels=10,
    text_width=6,
)
BOOKKEEPING = {
    "net.accum_iteration": torch.tensor(6500),
    "net.pos_embedder_options.n_cameras_7.seq": torch.arange(8.0),
    "net.blocks.0.self_attn.attn_op._extra_state": torch.zeros(0, dtype=torch.uint8),
}
DAMAGED = "cannot be read. It is damaged, cut short, or not what its name says: fetch it again"
TRUST = (
    "which would run when it is read and could do anything. "
    "Only if you trust where it comes from, convert it with: drivesim weights convert --allow-pickle"
)


@pytest.fixture(scope="module")
def tiny() -> MultiViewTransformer:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return MultiViewTransformer(TINY)


@pytest.fixture
def weights(tiny: MultiViewTransformer) -> Weights:
    """As published: names with ``net.``, and the bookkeeping."""
    return {f"net.{name}": tensor.clone() for name, tensor in tiny.state_dict().items()} | BOOKKEEPING


def _as_pt(weights: Weights, folder: Path) -> Path:
    torch.save(weights, folder / "w.pt")
    return folder / "w.pt"


def _as_old_pth(weights: Weights, folder: Path) -> Path:
    torch.save(weights, folder / "old.pth", _use_new_zipfile_serialization=False)
    return folder / "old.pth"


def _as_training_pt(weights: Weights, folder: Path) -> Path:
    torch.save({"model": OrderedDict(weights), "iteration": 5, "optimizer": {"x": torch.ones(3)}}, folder / "model.pt")
    return folder / "model.pt"


def _as_safetensors(weights: Weights, folder: Path) -> Path:
    save_file(weights, folder / "w.safetensors")
    return folder / "w.safetensors"


def _as_shards(weights: Weights, folder: Path) -> Path:
    (folder / "shards").mkdir()
    for shard in range(3):
        part = {name: weights[name] for name in sorted(weights)[shard::3]}
        save_file(part, folder / "shards" / f"model-{shard}.safetensors")
    return folder / "shards"


def _as_distributed(weights: Weights, folder: Path, name: str = "distributed") -> Path:
    from torch.distributed.checkpoint.state_dict_saver import save

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(dict(weights), checkpoint_id=folder / name, no_dist=True)
    return folder / name


ALL_WRITERS = [_as_pt, _as_old_pth, _as_training_pt, _as_safetensors, _as_shards, _as_distributed]


def _same(model: MultiViewTransformer, weights: Weights) -> bool:
    state = model.state_dict()
    return all(torch.equal(tensor, weights[f"net.{name}"]) for name, tensor in state.items())


def _refusal(action: Callable[[], object]) -> str:
    with pytest.raises(CheckpointError) as error:
        action()
    return str(error.value)


# -- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", ALL_WRITERS)
def test_every_format_gives_the_same_network(write: Writer, weights: Weights, tmp_path: Path) -> None:
    model = load_transformer(write(weights, tmp_path))
    assert model.config == TINY
    assert _same(model, weights)
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("write", ALL_WRITERS)
def test_every_format_has_the_same_digest(
    write: Writer, weights: Weights, tiny: MultiViewTransformer, tmp_path: Path
) -> None:
    save_transformer(tiny, tmp_path / "ours")
    assert weights_digest(write(weights, tmp_path)) == weights_digest(tmp_path / "ours")


def test_the_digest_is_the_one_written_down(tmp_path: Path) -> None:
    save_file({"b": torch.tensor(1.0), "a": torch.tensor([[1, 2]], dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    told = b'["a", "bfloat16", [1, 2]]' + b"\x80\x3f\x00\x40" + b'["b", "float32", []]' + b"\x00\x00\x80\x3f"
    assert weights_digest(tmp_path / "w.safetensors") == hashlib.sha256(told).hexdigest()


@pytest.mark.parametrize("change", ["value", "name", "dtype"])
def test_the_digest_sees_every_change(change: str, weights: Weights, tmp_path: Path) -> None:
    before = weights_digest(_as_safetensors(weights, tmp_path))
    name = "net.view_embeddings.weight"
    if change == "value":
        weights[name][6, 6] += 1e-3
    if change == "name":
        weights["net.view_embedding.weight"] = weights.pop(name)
    if change == "dtype":
        weights[name] = weights[name].bfloat16()
    assert weights_digest(_as_safetensors(weights, tmp_path)) != before


def test_averaged_weights_are_loaded_where_both_are_there(weights: Weights, tmp_path: Path) -> None:
    averaged = {name.replace("net.", "net_ema.", 1): tensor + 1 for name, tensor in weights.items()}
    path = _as_distributed(weights | averaged, tmp_path)
    loaded = load_transformer(path)
    assert _same(loaded, {name: tensor + 1 for name, tensor in weights.items()})
    assert "net.x_embedder.proj.1.weight" in read_state(path).ignored


def test_a_distributed_checkpoint_is_found_in_the_folder_of_its_iteration(weights: Weights, tmp_path: Path) -> None:
    _as_distributed(weights, tmp_path / "iter_000006500", "model")
    assert _same(load_transformer(tmp_path / "iter_000006500"), weights)


def test_extra_states_may_be_bytes(weights: Weights, tmp_path: Path) -> None:
    content: dict[str, Any] = weights | {"net.blocks.0._extra_state": io.BytesIO(b"12"), "net.a._extra_state": None}
    torch.save(content, tmp_path / "w.pt")
    assert _same(load_transformer(tmp_path / "w.pt"), weights)
    assert {"net.blocks.0._extra_state", "net.a._extra_state"} <= set(read_state(tmp_path / "w.pt").ignored)


def test_weights_are_cast_as_asked(weights: Weights, tmp_path: Path) -> None:
    model = load_transformer(_as_pt(weights, tmp_path), torch.bfloat16)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert _same(model, {name: tensor.bfloat16() for name, tensor in weights.items()})


def test_half_weights_stay_half_unless_asked(weights: Weights, tmp_path: Path) -> None:
    path = _as_pt({name: tensor.bfloat16() for name, tensor in weights.items()}, tmp_path)
    assert {parameter.dtype for parameter in load_transformer(path).parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in load_transformer(path, torch.float32).parameters()} == {torch.float32}


def test_what_shapes_cannot_tell_is_taken_from_the_configuration_given(weights: Weights, tmp_path: Path) -> None:
    for wanted in (replace(TINY, round_rope_exponents=False), replace(TINY, view_mixing="decomposed")):
        assert load_transformer(_as_pt(weights, tmp_path), config=wanted).config == wanted


@pytest.mark.parametrize("name", ["joint_a", "joint_b", "cross_a"])
def test_golden_weights_load_and_come_back_bit_for_bit(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / "golden" / "model" / f"{name}.weights.safetensors"
    told = json.loads(source.with_suffix(".json").read_text())
    save_transformer(load_transformer(source), tmp_path / "ours")
    model = load_transformer(tmp_path / "ours")
    assert sum(parameter.numel() for parameter in model.parameters()) == told["parameters"]
    for key, parameter in model.state_dict().items():
        assert hashlib.sha256(parameter.numpy().tobytes()).hexdigest()[:16] == told["sha256"][f"net.{key}"]
    assert weights_digest(source) == weights_digest(tmp_path / "ours")


# -- our folders --------------------------------------------------------------------------------------


def test_a_saved_folder_says_what_its_network_is(tmp_path: Path) -> None:
    config = replace(TINY, view_mixing="decomposed", round_rope_exponents=False, clip_frames=61)
    save_transformer(MultiViewTransformer(config), tmp_path / "deep" / "ours")
    assert sorted(file.name for file in (tmp_path / "deep" / "ours").iterdir()) == ["config.json", "model.safetensors"]
    content = json.loads((tmp_path / "deep" / "ours" / "config.json").read_text())
    assert content == {"format": "drivesim-transformer", "version": 1, "config": config.to_dict()}
    for path in (tmp_path / "deep" / "ours", tmp_path / "deep" / "ours" / "model.safetensors"):
        assert load_transformer(path).config == config


def test_a_network_without_a_telling_key_loads_by_its_configuration(tmp_path: Path) -> None:
    config = replace(TINY, num_blocks=16, control_interval=6)
    save_transformer(MultiViewTransformer(config), tmp_path / "ours")
    assert load_transformer(tmp_path / "ours").config == config


def test_an_empty_folder_is_filled_and_a_full_one_refused(tiny: MultiViewTransformer, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    save_transformer(tiny, tmp_path / "out")
    sentence = f"{tmp_path}/out: exists and is not empty. Remove it or name another folder"
    assert _refusal(lambda: save_transformer(tiny, tmp_path / "out")) == sentence
    assert _refusal(lambda: require_empty(tmp_path / "out")) == sentence


def test_a_file_in_the_way_is_named(tiny: MultiViewTransformer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        sentence = f"{out}: cannot be written, {tmp_path}/file is a file. Name a new folder"
        assert _refusal(lambda out=out: save_transformer(tiny, out)) == sentence  # type: ignore[misc]


@contextmanager
def _disk_full_after(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)


def test_a_full_disk_is_passed_through_and_leaves_nothing(tiny: MultiViewTransformer, tmp_path: Path) -> None:
    with pytest.raises(OSError) as error, _disk_full_after(20_000):
        save_transformer(tiny, tmp_path / "out")
    assert (error.value.errno, error.value.filename) == (errno.EFBIG, f"{tmp_path}/out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda content: content["config"].update(heads=3, size=1),
            "unknown fields heads, size. This version knows " + ", ".join(TINY.to_dict()),
        ),
        (lambda content: content["config"].pop("num_heads"), "lacks field num_heads"),
        (lambda content: content.pop("config"), "lacks field config"),
        (lambda content: content.update(version=2), "version 2 is not 1, the one this program reads"),
        (lambda content: content["config"].update(num_heads=5), "hidden_size: 24 is not a multiple of num_heads, 5"),
    ],
)
def test_a_wrong_config_json_is_explained(
    change: Callable[[dict[str, Any]], object], sentence: str, tiny: MultiViewTransformer, tmp_path: Path
) -> None:
    save_transformer(tiny, tmp_path / "ours")
    file = tmp_path / "ours" / "config.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    assert _refusal(lambda: load_transformer(tmp_path / "ours")) == f"{file}: {sentence}"


def test_a_config_json_that_is_cut_short_is_explained(tiny: MultiViewTransformer, tmp_path: Path) -> None:
    save_transformer(tiny, tmp_path / "ours")
    file = tmp_path / "ours" / "config.json"
    file.write_text('{"format": "drivesim-transformer",')
    sentence = "Expecting property name enclosed in double quotes: line 1 column 35 (char 34)"
    assert _refusal(lambda: load_transformer(tmp_path / "ours")) == f"{file}: is not JSON: {sentence}"


def test_the_config_json_of_another_program_is_not_ours(weights: Weights, tmp_path: Path) -> None:
    path = _as_shards(weights, tmp_path)
    (path / "config.json").write_text('{"model_type": "qwen2_5_vl", "num_heads": 3}')
    assert load_transformer(path).config == TINY


# -- what does not fit --------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [_as_pt, _as_shards])
def test_every_tensor_that_does_not_fit_is_named(write: Writer, weights: Weights, tmp_path: Path) -> None:
    del weights["net.blocks.2.mlp.layer1.weight"], weights["net.t_embedding_norm.weight"]
    weights["net.pos_embedder.seq"] = torch.ones(2)
    weights["logvar.weight"] = torch.ones(2)
    weights["net.blocks.1.mlp.layer2.weight"] = torch.ones(24, 95)
    weights["net.blocks.3.mlp.layer2.weight"] = torch.ones(24, 96, dtype=torch.int8)
    path = write(weights, tmp_path)
    assert _refusal(lambda: load_transformer(path)) == (
        f"{path}: does not fit its network, it lacks t_embedding_norm.weight, blocks.2.mlp.layer1.weight; "
        "it holds tensors it should not: logvar.weight, pos_embedder.seq; "
        "it holds tensors of wrong shape: blocks.1.mlp.layer2.weight [24, 95] instead of [24, 96]; "
        "it holds tensors that are not floating-point: blocks.3.mlp.layer2.weight"
    )


def test_many_names_are_cut_off_after_ten(weights: Weights, tmp_path: Path) -> None:
    weights |= {f"net.extra.{index:02}": torch.ones(1) for index in range(25)}
    path = _as_pt(weights, tmp_path)
    shown = ", ".join(f"extra.{index:02}" for index in range(10))
    assert _refusal(lambda: load_transformer(path)) == (
        f"{path}: does not fit its network, it holds tensors it should not: {shown} and 15 more"
    )


def test_a_file_of_another_variant_says_in_what_it_differs(weights: Weights, tmp_path: Path) -> None:
    path = _as_pt(weights, tmp_path)
    wanted = replace(TINY, num_blocks=6, view_mixing="neighbours", view_identity="adaln", fps=30.0)
    assert _refusal(lambda: load_transformer(path, config=wanted)) == (
        f"{path}: holds another network than the one asked for: num_blocks is 4, not 6; "
        "view_mixing is joint, not neighbours; view_identity is channels, not adaln"
    )


def test_a_folder_of_another_variant_with_the_same_keys_is_told_by_its_config(tmp_path: Path) -> None:
    save_transformer(MultiViewTransformer(replace(TINY, view_mixing="decomposed")), tmp_path / "ours")
    assert _refusal(lambda: load_transformer(tmp_path / "ours", config=TINY)) == (
        f"{tmp_path}/ours: holds another network than the one asked for: view_mixing is decomposed, not joint"
    )


@pytest.mark.parametrize("config", [None, TINY])
def test_a_vae_is_no_network(shared: Path, config: TransformerConfig | None) -> None:
    path = shared / "golden" / "model" / "vae_tiny.weights.safetensors"
    assert _refusal(lambda: load_transformer(path, config=config)) == (
        f"{path}: holds a Wan VAE as published (tokenizer.pth). Expected a multi-view network: base blocks, "
        "control blocks and a view identity (view_embeddings, adaln_view_embedder or ray channels)"
    )


def test_a_tensor_that_is_there_twice_is_refused(weights: Weights, tmp_path: Path) -> None:
    weights["view_embeddings.weight"] = torch.ones(7, 7)
    path = _as_pt(weights, tmp_path)
    sentence = "found twice, as net.view_embeddings.weight and as view_embeddings.weight. Keep one of them"
    assert _refusal(lambda: read_state(path)) == f"{path}: view_embeddings.weight: {sentence}"


def test_a_tensor_in_two_shards_is_refused(weights: Weights, tmp_path: Path) -> None:
    path = _as_shards(weights, tmp_path)
    save_file({"net.view_embeddings.weight": torch.ones(7, 7)}, path / "z.safetensors")
    sentence = f"{path}/z.safetensors: holds net.view_embeddings.weight, which another file of this folder holds too"
    assert _refusal(lambda: read_state(path)) == sentence


# -- bad files ----------------------------------------------------------------------------------------


def test_a_path_with_nothing_there_is_named(tmp_path: Path) -> None:
    assert _refusal(lambda: read_state(tmp_path / "w.pt")) == f"{tmp_path}/w.pt: no such file or folder"


def test_an_empty_folder_holds_no_weights(tmp_path: Path) -> None:
    assert _refusal(lambda: read_state(tmp_path)) == (
        f"{tmp_path}: holds no weights. Expected *.safetensors, or .metadata and *.distcp of a distributed checkpoint"
    )


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.ckpt").write_bytes(b"1")
    sentence = f"{tmp_path}/w.ckpt: is not .pt, .pth or .safetensors, nor a folder of weights"
    assert _refusal(lambda: read_state(tmp_path / "w.ckpt")) == sentence


def test_a_git_lfs_pointer_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 4775991394\n")
    assert _refusal(lambda: read_state(tmp_path / "w.pt")) == (
        f"{tmp_path}/w.pt: is a Git LFS pointer, not the weights. Fetch them with: git lfs pull"
    )


@pytest.mark.parametrize("write", [_as_pt, _as_old_pth, _as_safetensors])
@pytest.mark.parametrize("allow_pickle", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_explained(
    write: Writer, allow_pickle: bool, share: float, weights: Weights, tmp_path: Path
) -> None:
    path = write(weights, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert _refusal(lambda: read_state(path, allow_pickle)) == f"{path}: {DAMAGED}"


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
def test_a_file_of_something_else_is_explained(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("<html>You need to accept the licence first</html>")
    assert _refusal(lambda: read_state(tmp_path / name)) == f"{tmp_path}/{name}: {DAMAGED}"


def test_a_torch_file_of_no_tensors_is_explained(tmp_path: Path) -> None:
    torch.save([torch.ones(1)], tmp_path / "w.pt")
    sentence = f"{tmp_path}/w.pt: holds an object of type list, not tensors by name"
    assert _refusal(lambda: read_state(tmp_path / "w.pt")) == sentence


class _Custom:
    """A class that a careless training script leaves in its weights file."""


class _Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("write", [_as_pt, _as_old_pth])
def test_code_in_a_torch_file_is_refused_and_not_run(write: Writer, weights: Weights, tmp_path: Path) -> None:
    path = write(weights | {"trap": _Trap(tmp_path / "sprung")}, tmp_path)  # type: ignore[dict-item]
    assert _refusal(lambda: load_transformer(path)) == f"{path}: holds code (posix.mkdir), {TRUST}"
    assert not (tmp_path / "sprung").exists()


def test_a_custom_class_is_refused_until_allowed(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _as_pt(weights | {"config": _Custom()}, tmp_path)  # type: ignore[dict-item]
    name = f"{_Custom.__module__}.{_Custom.__qualname__}"
    assert _refusal(lambda: load_transformer(path)) == f"{path}: holds code ({name}), {TRUST}"
    assert _same(load_transformer(path, allow_pickle=True), weights)
    monkeypatch.delitem(globals(), "_Custom")
    sentence = _refusal(lambda: load_transformer(path, allow_pickle=True))
    assert sentence.startswith(f"{path}: holds objects of code that is not installed here: Can't get attribute")


def test_code_in_a_distributed_checkpoint_is_refused_and_not_run(weights: Weights, tmp_path: Path) -> None:
    path = _as_distributed(weights, tmp_path)
    (path / ".metadata").write_bytes(pickle.dumps(_Trap(tmp_path / "sprung")))
    assert _refusal(lambda: load_transformer(path)) == f"{path}/.metadata: holds code (posix.mkdir), {TRUST}"
    assert not (tmp_path / "sprung").exists()
    assert _refusal(lambda: load_transformer(path, allow_pickle=True)) == f"{path}/.metadata: {DAMAGED}"
    assert (tmp_path / "sprung").exists()


def test_a_distributed_checkpoint_with_a_missing_or_damaged_part_is_explained(weights: Weights, tmp_path: Path) -> None:
    path = _as_distributed(weights, tmp_path)
    part = path / "__0_0.distcp"
    part.write_bytes(part.read_bytes()[:5000])
    assert _refusal(lambda: load_transformer(path)) == f"{path}: {DAMAGED}"
    part.unlink()
    assert _refusal(lambda: load_transformer(path)) == (
        f"{path}: lacks __0_0.distcp. A distributed checkpoint needs all its .distcp files"
    )
    (path / ".metadata").write_bytes((path / ".metadata").read_bytes()[:100])
    assert _refusal(lambda: load_transformer(path)) == f"{path}/.metadata: {DAMAGED}"


# -- describing ---------------------------------------------------------------------------------------


def test_a_network_is_described(weights: Weights, tiny: MultiViewTransformer, tmp_path: Path) -> None:
    weights["net.t_embedding_norm.weight"] = weights["net.t_embedding_norm.weight"].bfloat16()
    path = _as_pt(weights, tmp_path)
    info = describe_weights(path)
    count = len(tiny.state_dict())
    assert (info.path, info.form, info.holds) == (path, "torch file", "a multi-view network")
    assert (info.config, info.preset, info.fault) == (TINY, None, None)
    assert (info.tensors, info.parameters) == (count, sum(p.numel() for p in tiny.parameters()))
    assert info.dtypes == {"float32": count - 1, "bfloat16": 1}
    assert info.ignored == tuple(sorted(BOOKKEEPING))
    assert info.digest == weights_digest(path)


def test_a_description_says_what_keeps_a_network_from_loading(weights: Weights, tmp_path: Path) -> None:
    weights["net.extra"] = torch.ones(1)
    path = _as_pt(weights, tmp_path)
    info = describe_weights(path)
    assert info.config == TINY
    assert info.fault == f"{path}: does not fit its network, it holds tensors it should not: extra"


def test_a_vae_and_a_text_encoder_are_described(shared: Path, tmp_path: Path) -> None:
    vae = describe_weights(shared / "golden" / "model" / "vae_tiny.weights.safetensors")
    assert (vae.holds, vae.config, vae.preset) == ("a Wan VAE as published (tokenizer.pth)", None, None)
    (tmp_path / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    save_file({"model.embed_tokens.weight": torch.ones(5, 2)}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"visual.blocks.0.norm1.weight": torch.ones(2)}, tmp_path / "model-00002-of-00002.safetensors")
    encoder = describe_weights(tmp_path)
    assert (encoder.holds, encoder.form) == ("a vision-language model, such as the text encoder", "safetensors folder")
    assert (encoder.tensors, encoder.parameters) == (2, 12)


def test_a_network_whose_configuration_cannot_be_told_is_described(tmp_path: Path) -> None:
    save_transformer(MultiViewTransformer(replace(TINY, num_blocks=16, control_interval=6)), tmp_path / "ours")
    (tmp_path / "ours" / "config.json").unlink()
    info = describe_weights(tmp_path / "ours")
    assert (info.holds, info.config) == ("a multi-view network", None)
    assert info.fault == (
        f"{tmp_path}/ours: the control interval cannot be told from 16 blocks and 3 control blocks: any of 6, 7 fits. "
        "Give the configuration, as config.json next to the weights does"
    )
