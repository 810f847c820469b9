"""Turns prompts into embeddings with the text encoder of Cosmos: the language part of Qwen2.5-VL.

An embedding is not the last hidden state but all of them side by side, each normalised, over 512 tokens of which
most are padding. For the 7B encoder that is [512, 100352], 103 MB in bfloat16, so they are worth caching
(``text_cache``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .errors import CapacityError, CheckpointError, ModelError

PADDED_TOKENS = 512
"""Tokens of every embedding. Shorter texts are padded, longer ones cut."""

_SYSTEM_MESSAGE = "You are a helpful assistant who will provide prompts to an image generator."
_TURN_MARKS = ("<|im_start|>", "<|im_end|>")

_MODEL_TYPE = "qwen2_5_vl"
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json")

# Releases differ in how they nest the language model. Pictures (visual.*) and the output head are not needed.
_LANGUAGE_KEY = re.compile(r"(?:model\.)?(?:language_model\.)?(?:model\.)?((?:embed_tokens|layers|norm)\..+)")

_SAMPLES_PER_FILE, _SAMPLE_BYTES = 16, 4096


class TextEncoder(Protocol):
    """Whatever turns texts into embeddings."""

    def identity(self) -> dict[str, Any]:
        """What decides the numbers, as plain JSON values without paths. Costs no loading of weights."""
        ...

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] of U texts, bfloat16 or float32."""
        ...

    def release(self) -> None:
        """Free the memory of the weights; the next ``encode`` loads them again."""
        ...


def normalise_hidden_states(hidden: Sequence[Tensor]) -> Tensor:
    """Hidden states [B,N,D] of a language model, token embeddings first, as one embedding [B,N,K*D].

    The token embeddings are left out; the K others are brought to mean 0 and (unbiased) deviation 1 over D, each for
    itself and in its own precision, and put side by side.
    """
    layers, width = hidden[1:], hidden[0].shape[-1]
    embedding = hidden[0].new_empty(*hidden[0].shape[:-1], len(layers) * width)
    for part, layer in zip(torch.split(embedding, width, dim=-1), layers, strict=True):
        deviation, mean = torch.std_mean(layer, dim=-1, keepdim=True, correction=1)
        torch.div(layer - mean, deviation + 1e-8, out=part)
    return embedding


class ReasonEncoder:
    """Cosmos-Reason1 or another Qwen2.5-VL from a local folder in the Hugging Face layout.

    Weights are loaded at the first ``encode``. batch_size: texts that run together; 1 gives every text the same bits
    whatever else is encoded, and 512 tokens already fill a GPU.
    """

    def __init__(
        self,
        folder: Path | str,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.bfloat16,
        batch_size: int = 1,
    ) -> None:
        self.folder = Path(folder)
        self.device = torch.device(device)
        self.dtype = dtype
        self.batch_size = batch_size
        self._model: nn.Module | None = None
        _check_folder(self.folder)

    def identity(self) -> dict[str, Any]:
        """Hashes of configuration and tokenizer, and of size and samples of the weights."""
        tokenizer = hashlib.sha256()
        for name in _TOKENIZER_FILES:
            if (self.folder / name).is_file():
                tokenizer.update(name.encode() + (self.folder / name).read_bytes())
        return {
            "kind": _MODEL_TYPE,
            "tokens": PADDED_TOKENS,
            "dtype": str(self.dtype).removeprefix("torch."),
            "config": hashlib.sha256((self.folder / "config.json").read_bytes()).hexdigest(),
            "tokenizer": tokenizer.hexdigest(),
            "weights": {path.name: _fingerprint(path) for path in _weight_files(self.folder)},
        }

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,512,K*D] on the CPU, K layers of width D."""
        tokens = self._tokens(texts)  # [U,N]
        try:
            with torch.no_grad():
                batches = [self._embed(batch) for batch in torch.split(tokens, self.batch_size)]
        except torch.OutOfMemoryError as error:
            raise CapacityError(
                f"text encoder: {self.folder} does not fit into the memory of {self.device}. "
                f"Encode on the cpu, or use cached embeddings"
            ) from error
        return torch.cat(batches)

    def release(self) -> None:
        """Free the memory of the weights; the next ``encode`` loads them again."""
        self._model = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @cached_property
    def _tokenizer(self) -> Any:
        return _load_tokenizer(self.folder)

    def _tokens(self, texts: Sequence[str]) -> Tensor:
        rows = torch.full((len(texts), PADDED_TOKENS), self._tokenizer.pad_token_id)
        for row, text in zip(rows, texts, strict=True):
            ids = self._tokenizer(_conversation(text), add_special_tokens=False)["input_ids"][:PADDED_TOKENS]
            row[: len(ids)] = torch.tensor(ids)
        return rows

    def _embed(self, tokens: Tensor) -> Tensor:
        """[B,N] -> [B,N,K*D] on the CPU. Without a mask: attention is causal, and padding belongs to the sequence."""
        if self._model is None:
            self._model = _load_language_model(self.folder, self.device, self.dtype)
        output = self._model(input_ids=tokens.to(self.device), output_hidden_states=True, use_cache=False)
        return normalise_hidden_states(output.hidden_states).cpu()


def _conversation(text: str) -> str:
    """The chat template of Qwen2.5-VL, written out: the encoder was used with it whatever template a folder has."""
    start, end = _TURN_MARKS
    return f"{start}system\n{_SYSTEM_MESSAGE}{end}\n{start}user\n{text}{end}\n"


def _check_folder(folder: Path) -> None:
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder}: holds no config.json of a text encoder. Name the folder nvidia/Cosmos-Reason1-7B was "
            f"downloaded to, or use cached embeddings"
        ) from error
    if kind != _MODEL_TYPE:
        raise CheckpointError(f"{folder}: holds a {kind}, the text encoder must be a {_MODEL_TYPE}")
    if not _weight_files(folder):
        raise CheckpointError(f"{folder}: holds no .safetensors weights. Download the text encoder again")


def _weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _fingerprint(path: Path) -> str:
    """A hash of the size and of samples spread over the file: fine-tuned weights have the names and sizes of others."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for index in range(_SAMPLES_PER_FILE):
            file.seek(max(size - _SAMPLE_BYTES, 0) * index // (_SAMPLES_PER_FILE - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ModelError(
            "text encoder: transformers is not installed. Install it with pip install 'drivesim[model]', "
            "or use cached embeddings"
        ) from error
    return transformers


def _load_tokenizer(folder: Path) -> Any:
    transformers = _transformers()
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        raise CheckpointError(f"{folder}: holds no tokenizer.json. Download the text encoder again")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the loader's own kinds differ between versions
        raise CheckpointError(f"{folder}: its tokenizer cannot be read: {error}") from error
    if tokenizer.pad_token_id is None or not set(_TURN_MARKS) <= tokenizer.get_vocab().keys():
        raise CheckpointError(f"{folder}: its tokenizer lacks a pad token or {' or '.join(_TURN_MARKS)}, unlike Qwen's")
    return tokenizer


def _load_language_model(folder: Path, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The language part alone, tensor by tensor onto the device; every parameter must be there."""
    transformers = _transformers()
    from accelerate import init_empty_weights  # type: ignore[import-untyped]

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    with init_empty_weights():
        model: nn.Module = transformers.Qwen2_5_VLTextModel(config)
    state = _language_weights(folder, device, dtype)
    _check_state(folder, state, model.state_dict())
    model.load_state_dict(state, assign=True)
    return model.to(device).eval().requires_grad_(False)  # not to(dtype): rotary frequencies stay in float32


def _language_weights(folder: Path, device: torch.device, dtype: torch.dtype) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    state = {}
    for path in _weight_files(folder):
        try:
            with safe_open(path, "pt", device=str(device)) as stored:
                for key in stored.keys():  # noqa: SIM118 (not a dict)
                    if match := _LANGUAGE_KEY.fullmatch(key):
                        state[match[1]] = stored.get_tensor(key).to(dtype)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read: {error}. Download the text encoder again") from error
    return state


def _check_state(folder: Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    missing = sorted(expected.keys() - state.keys())
    if missing:
        raise CheckpointError(f"{folder}: lacks {_some(missing)}. Download the text encoder again")
    odd = sorted(name for name in state if name not in expected or state[name].shape != expected[name].shape)
    if odd:
        raise CheckpointError(f"{folder}: {_some(odd)} does not fit its config.json. Download the text encoder again")


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
