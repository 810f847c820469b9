"""Embeddings are those of the official recipe, checked on a tiny random Qwen2.5-VL."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import models.text
from models.errors import CapacityError, CheckpointError, ModelError
from models.text import PADDED_TOKENS, ReasonEncoder, normalise_hidden_states

LAYERS, WIDTH = 3, 32
SYSTEM = "You are a helpful assistant who will provide prompts to an image generator."
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXTS = ["A wet road at night.", " ", "", "A road. " * 100, "Grüße, 東京!"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Byte-level, without merges, with Qwen's special tokens and chat template."""
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    bpe = tokenizers.models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[])
    tiny = tokenizers.Tokenizer(bpe)
    tiny.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tiny, pad_token="<|endoftext|>", additional_special_tokens=["<|im_start|>", "<|im_end|>"]
    )
    fast.chat_template = QWEN_TEMPLATE
    return fast


@pytest.fixture(scope="module")
def network(tokenizer: Any) -> Any:
    """A whole vision-language model with random weights everywhere, norms included."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {
        "vocab_size": len(tokenizer), "hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": LAYERS,
        "num_attention_heads": 4, "num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
    }  # fmt: skip
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": WIDTH}
    network = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision)).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


@pytest.fixture(scope="module")
def folder(network: Any, tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reason")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "reason"))


def _official_tokens(tokenizer: Any, text: str) -> Tensor:
    """[1,512]: the chat template, cut or padded."""
    conversation = [
        {"role": "system", "content": [{"type": "text", "text": SYSTEM}]},
        {"role": "user", "content": [{"type": "text", "text": text}]},
    ]
    ids = list(tokenizer.apply_chat_template(conversation, tokenize=True, return_dict=False))
    return torch.tensor([(ids + [tokenizer.pad_token_id] * PADDED_TOKENS)[:PADDED_TOKENS]])


def _normalised(layer: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    spread: npt.NDArray[np.float64] = layer.std(-1, ddof=1, keepdims=True)
    return np.asarray((layer - layer.mean(-1, keepdims=True)) / (spread + 1e-8))


def test_hidden_states_are_normalised_as_in_the_reference(shared: Path) -> None:
    golden = load_file(shared / "golden" / "model" / "text.safetensors")
    embedding = normalise_hidden_states([golden[f"hidden_{index}"] for index in range(5)])
    torch.testing.assert_close(embedding, golden["full_concat"], atol=1e-5, rtol=0)


def test_hidden_states_in_bfloat16_are_normalised_in_bfloat16() -> None:
    hidden = list(torch.randn(3, 2, 5, 64, generator=torch.Generator().manual_seed(1)).bfloat16())
    expected = [(h - h.mean(-1, keepdim=True)) / (h.std(-1, keepdim=True) + 1e-8) for h in hidden[1:]]
    assert torch.equal(normalise_hidden_states(hidden), torch.cat(expected, dim=-1))


def test_embeddings_are_those_of_the_whole_network_by_the_official_recipe(
    network: Any, tokenizer: Any, folder: Path
) -> None:
    embeddings = ReasonEncoder(folder, dtype=torch.float32).encode(TEXTS)
    assert embeddings.shape == (len(TEXTS), PADDED_TOKENS, LAYERS * WIDTH)
    for text, embedding in zip(TEXTS, embeddings, strict=True):
        with torch.no_grad():
            output = network(_official_tokens(tokenizer, text), output_hidden_states=True)
        layers = [_normalised(layer[0].double().numpy()) for layer in output.hidden_states[1:]]
        np.testing.assert_allclose(embedding.numpy(), np.concatenate(layers, axis=-1), atol=1e-5, rtol=0)


def test_the_last_layer_is_taken_after_the_final_norm(network: Any, tokenizer: Any, folder: Path) -> None:
    language, seen = network.model.language_model, []
    hook = language.layers[-1].register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.no_grad():
        network(_official_tokens(tokenizer, TEXTS[0]))
    hook.remove()
    before = seen[0][0].double().numpy()  # [N,D]
    after = before / np.sqrt((before**2).mean(-1, keepdims=True) + language.norm.variance_epsilon)
    after *= language.norm.weight.detach().double().numpy()
    last = ReasonEncoder(folder, dtype=torch.float32).encode(TEXTS[:1])[0, :, -WIDTH:].numpy()
    np.testing.assert_allclose(last, _normalised(after), atol=1e-5, rtol=0)
    assert np.abs(last - _normalised(before)).max() > 0.1


def test_in_bfloat16_every_bit_is_that_of_the_network_loaded_by_transformers(tokenizer: Any, folder: Path) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    network = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16).eval()
    with torch.no_grad():
        output = network(_official_tokens(tokenizer, TEXTS[0]), output_hidden_states=True)
    embedding = ReasonEncoder(folder).encode(TEXTS[:1])
    assert embedding.dtype == torch.bfloat16
    assert torch.equal(embedding, normalise_hidden_states(output.hidden_states))


def test_texts_encoded_together_equal_texts_encoded_alone(folder: Path) -> None:
    alone = ReasonEncoder(folder, dtype=torch.float32).encode(TEXTS)
    together = ReasonEncoder(folder, dtype=torch.float32, batch_size=3).encode(TEXTS)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_padding_does_not_reach_earlier_tokens_but_is_part_of_the_embedding(tokenizer: Any, folder: Path) -> None:
    short, longer = ReasonEncoder(folder, dtype=torch.float32).encode(["A road", "A road with a car"])
    shared = len(tokenizer(f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\nA road")["input_ids"])
    torch.testing.assert_close(short[:shared], longer[:shared], atol=1e-5, rtol=0)
    assert (short[shared:] - longer[shared:]).abs().amax(-1).min() > 1e-3
    assert short.std(-1).min() > 0.9


def test_a_text_beyond_512_tokens_is_cut(folder: Path) -> None:
    long, longer = ReasonEncoder(folder, dtype=torch.float32).encode(["x" * 600, "x" * 600 + " and more"])
    assert torch.equal(long, longer)


def test_embeddings_can_be_trained_on(folder: Path) -> None:
    weight = torch.ones(LAYERS * WIDTH, requires_grad=True)
    (ReasonEncoder(folder, dtype=torch.float32).encode([" "]) * weight).sum().backward()
    assert weight.grad is not None and weight.grad.abs().max() > 0


def test_weights_are_loaded_at_the_first_encoding_and_again_after_a_release(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads, load = [], models.text._load_language_model
    monkeypatch.setattr(models.text, "_load_language_model", lambda *given: loads.append(given) or load(*given))
    encoder = ReasonEncoder(folder)
    encoder.identity()
    assert len(loads) == 0
    first = encoder.encode(TEXTS[:1])
    encoder.encode(TEXTS[1:2])
    assert len(loads) == 1
    encoder.release()
    assert torch.equal(encoder.encode(TEXTS[:1]), first)
    assert len(loads) == 2


def test_names_nested_as_in_newer_releases_and_a_flat_configuration_are_understood(copied: Path, folder: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    renamed = {
        key.replace("model.", "model.language_model.", 1) if key.startswith("model.") else key: value
        for key, value in weights.items()
    }
    save_file(renamed, copied / "model.safetensors")
    config = json.loads((copied / "config.json").read_text())
    text = config.pop("text_config")
    rope = text.pop("rope_parameters")
    flat = {"rope_theta": rope["rope_theta"], "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]}}
    (copied / "config.json").write_text(json.dumps(text | config | flat))
    assert torch.equal(ReasonEncoder(copied).encode(TEXTS[:1]), ReasonEncoder(folder).encode(TEXTS[:1]))


def test_weights_in_several_files_are_one_model(copied: Path, folder: Path) -> None:
    weights = load_file(copied / "model.safetensors")
    names = sorted(weights)
    (copied / "model.safetensors").unlink()
    for index, part in enumerate((names[::2], names[1::2]), start=1):
        save_file({name: weights[name] for name in part}, copied / f"model-0000{index}-of-00002.safetensors")
    assert torch.equal(ReasonEncoder(copied).encode(TEXTS[:1]), ReasonEncoder(folder).encode(TEXTS[:1]))


def test_the_identity_is_the_same_for_a_copy_and_names_no_path(copied: Path, folder: Path) -> None:
    identity = ReasonEncoder(copied).identity()
    assert identity == ReasonEncoder(folder).identity()
    assert json.loads(json.dumps(identity)) == identity
    assert str(copied) not in json.dumps(identity)


def _tune(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight + 0.01 for name, weight in weights.items()}, folder / "model.safetensors")


def _change_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text() + " ")


@pytest.mark.parametrize(("change", "field"), [(_tune, "weights"), (_change_tokenizer, "tokenizer")])
def test_other_weights_of_the_same_size_or_another_tokenizer_are_another_encoder(
    copied: Path, change: Callable[[Path], None], field: str
) -> None:
    before = ReasonEncoder(copied).identity()
    change(copied)
    after = ReasonEncoder(copied).identity()
    assert [name for name in before if before[name] != after[name]] == [field]


def test_another_precision_is_another_encoder(folder: Path) -> None:
    assert ReasonEncoder(folder).identity() != ReasonEncoder(folder, dtype=torch.float32).identity()


def test_a_folder_without_a_text_encoder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        ReasonEncoder(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds no config.json of a text encoder. Name the folder nvidia/Cosmos-Reason1-7B was "
        f"downloaded to, or use cached embeddings"
    )
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(CheckpointError) as caught:
        ReasonEncoder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: holds a llama, the text encoder must be a qwen2_5_vl"
    (tmp_path / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    with pytest.raises(CheckpointError) as caught:
        ReasonEncoder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: holds no .safetensors weights. Download the text encoder again"


def _drop_layer(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({key: value for key, value in weights.items() if ".layers.2." not in key}, folder / "model.safetensors")


def _widen_norm(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"model.norm.weight": torch.ones(40)}, folder / "model.safetensors")


def _add_layer(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    extra = {"model.layers.3.input_layernorm.weight": torch.ones(WIDTH)}
    save_file(weights | extra, folder / "model.safetensors")


def _remove_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _rename_turn_mark(folder: Path) -> None:
    for path in folder.glob("tokenizer*.json"):
        path.write_text(path.read_text().replace("<|im_end|>", "<|turn_end|>"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_drop_layer, "lacks layers.2.input_layernorm.weight and 11 more. Download the text encoder again"),
        (_widen_norm, "norm.weight does not fit its config.json. Download the text encoder again"),
        (
            _add_layer,
            "layers.3.input_layernorm.weight does not fit its config.json. Download the text encoder again",
        ),
        (_remove_tokenizer, "holds no tokenizer.json. Download the text encoder again"),
        (_rename_turn_mark, "its tokenizer lacks a pad token or <|im_start|> or <|im_end|>, unlike Qwen's"),
    ],
)
def test_an_incomplete_or_foreign_folder_is_one_sentence(
    copied: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(copied)
    with pytest.raises(CheckpointError) as caught:
        ReasonEncoder(copied).encode([" "])
    assert str(caught.value) == f"{copied}: {message}"


def test_a_download_that_was_cut_off_names_the_file(copied: Path) -> None:
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError) as caught:
        ReasonEncoder(copied).encode([" "])
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
    assert str(caught.value).endswith(". Download the text encoder again")


def test_without_transformers_a_sentence_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError) as caught:
        ReasonEncoder(folder).encode([" "])
    assert str(caught.value) == (
        "text encoder: transformers is not installed. Install it with pip install 'drivesim[model]', "
        "or use cached embeddings"
    )


def test_too_little_memory_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(hidden: Any) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(models.text, "normalise_hidden_states", full)
    with pytest.raises(CapacityError) as caught:
        ReasonEncoder(folder).encode([" "])
    assert str(caught.value) == (
        f"text encoder: {folder} does not fit into the memory of cpu. Encode on the cpu, or use cached embeddings"
    )
