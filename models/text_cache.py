"""Text embeddings on disk, so that the text encoder is loaded once per text and not at all where it does not fit.

A cache is a folder with one file per text, named by a hash of encoder and text, and ``identity.json`` that says which
encoder made them. Copied to a machine without the encoder it works as it is. An embedding file holds the texts of one
job. Both are safetensors: one tensor [N,C] per text, with the text itself in the metadata under the tensor's name.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .errors import CheckpointError, ModelError, ShapeError
from .text import TextEncoder

_IDENTITY_FILE = "identity.json"

# Embeddings of the 7B encoder are 103 MB each.
_TEXTS_AT_ONCE = 8


class CachedText:
    """A text encoder that remembers; as one itself it can be given wherever one is expected.

    encoder: makes what is missing, and is released as soon as nothing is. Without it, only what is there can be used.
    Several processes may write to one folder.
    """

    def __init__(self, folder: Path | str, encoder: TextEncoder | None = None) -> None:
        self.folder = Path(folder)
        self._encoder = encoder
        self._identity = _cache_identity(self.folder, encoder)

    def identity(self) -> dict[str, Any]:
        """That of the encoder that made the embeddings."""
        return self._identity

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] on the CPU, from disk; what is missing is made first."""
        self.fill(texts)
        return _stack(self.folder, [_read_only_text(self._path(text), text) for text in texts])

    def release(self) -> None:
        """Free the memory of the encoder."""
        if self._encoder is not None:
            self._encoder.release()

    def fill(self, texts: Sequence[str], release: bool = True) -> None:
        """Make and store what is missing or damaged, without reading the rest. release: the encoder afterwards."""
        missing = [text for text in dict.fromkeys(texts) if not self._holds(text)]
        if not missing:
            return
        if self._encoder is None:
            raise _unknown(self.folder, missing)
        _write_identity(self.folder, self._identity)
        try:
            for first in range(0, len(missing), _TEXTS_AT_ONCE):
                group = missing[first : first + _TEXTS_AT_ONCE]
                for text, embedding in zip(group, self._encoder.encode(group), strict=True):
                    write_embeddings(self._path(text), [text], embedding[None])
        finally:
            if release:
                self._encoder.release()

    def _path(self, text: str) -> Path:
        content = json.dumps([self._identity, text], sort_keys=True)
        return self.folder / f"{hashlib.sha256(content.encode()).hexdigest()}.safetensors"

    def _holds(self, text: str) -> bool:
        """Whether the text need not be made; a damaged file that cannot be made again is refused."""
        path = self._path(text)
        if not path.exists():
            return False
        try:
            _key_of(path, text)
        except CheckpointError:
            if self._encoder is None:
                raise
            return False
        return True


class EmbeddingFile:
    """The embeddings in one file, as a text encoder that knows only these texts."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._keys = _keys(self.path)

    def identity(self) -> dict[str, Any]:
        """A hash of the file."""
        with self.path.open("rb") as file:
            return {"kind": "embedding file", "sha256": hashlib.file_digest(file, "sha256").hexdigest()}

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embeddings [U,N,C] on the CPU."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._keys]
        if unknown:
            raise _unknown(self.path, unknown)
        return _stack(self.path, _tensors(self.path, [self._keys[text] for text in texts]))

    def release(self) -> None:
        """Nothing: the file is read anew each time."""


def write_embeddings(path: Path | str, texts: Sequence[str], embeddings: Tensor) -> None:
    """Store embeddings [U,N,C] of U different texts in one file, which appears whole or not at all."""
    path = Path(path)
    if embeddings.ndim != 3 or len(embeddings) != len(texts) or len(set(texts)) != len(texts):
        raise ShapeError(
            f"{path}: embeddings: expected [{len(texts)},N,C] and as many different texts, "
            f"got [{','.join(map(str, embeddings.shape))}] for {len(set(texts))}"
        )
    keys = [f"text_{index}" for index in range(len(texts))]
    tensors = {key: embedding.detach().cpu().contiguous() for key, embedding in zip(keys, embeddings, strict=True)}
    with _atomic(path) as partial:
        save_file(tensors, partial, metadata=dict(zip(keys, texts, strict=True)))


def read_embeddings(path: Path | str) -> dict[str, Tensor]:
    """The embeddings [N,C] in a file by text."""
    path = Path(path)
    keys = _keys(path)
    return dict(zip(keys, _tensors(path, list(keys.values())), strict=True))


def _cache_identity(folder: Path, encoder: TextEncoder | None) -> dict[str, Any]:
    path = folder / _IDENTITY_FILE
    if not path.exists():
        if encoder is None:
            raise CheckpointError(
                f"{folder}: holds no {_IDENTITY_FILE}, so it is no cache of text embeddings. "
                f"Name a folder that is, or give a text encoder"
            )
        return _as_json(encoder.identity())
    try:
        stored = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}. Copy the cache anew, or remove it") from error
    if encoder is not None:
        _require_same(folder, stored, _as_json(encoder.identity()))
    return stored


def _as_json(identity: Mapping[str, Any]) -> dict[str, Any]:
    """As it reads back from a file, tuples as lists."""
    return dict(json.loads(json.dumps(identity)))


def _require_same(folder: Path, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    different = [name for name in (stored | wanted) if stored.get(name) != wanted.get(name)]
    if different:
        raise CheckpointError(
            f"{folder}: holds embeddings of another text encoder ({', '.join(different)} differ). "
            f"Use that encoder, or name another folder"
        )


def _write_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    path = folder / _IDENTITY_FILE
    if not path.exists():
        with _atomic(path) as partial:
            partial.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _atomic(path: Path) -> Iterator[Path]:
    """A hidden name to write to, which becomes ``path`` when the block ends well. Of several writers the last wins."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}-{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be written: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as stored:
            yield stored
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read as embeddings: {error}. Copy or encode them again") from error


def _keys(path: Path) -> dict[str, str]:
    """Names of tensors by the text they embed."""
    with _opened(path) as stored:
        texts, names = stored.metadata() or {}, sorted(stored.keys())
    nameless = [name for name in names if name not in texts]
    if nameless or not names:
        what = f"the text of {nameless[0]}" if nameless else "any text"
        raise CheckpointError(f"{path}: its metadata lacks {what}. It must map the name of each tensor to its text")
    keys: dict[str, str] = {}
    for name in names:
        if (first := keys.setdefault(texts[name], name)) != name:
            raise CheckpointError(
                f"{path}: holds {_shortened(texts[name])} twice, as {first} and {name}. Remove one of them"
            )
    return keys


def _tensors(path: Path, keys: Sequence[str]) -> list[Tensor]:
    with _opened(path) as stored:
        return [stored.get_tensor(key) for key in keys]


def _key_of(path: Path, text: str) -> str:
    keys = _keys(path)
    if text not in keys:
        raise CheckpointError(f"{path}: holds another text than its name says. Remove it, or copy the cache anew")
    return keys[text]


def _read_only_text(path: Path, text: str) -> Tensor:
    return _tensors(path, [_key_of(path, text)])[0]


def _stack(where: Path, embeddings: Sequence[Tensor]) -> Tensor:
    """[N,C] each -> [U,N,C]."""
    kinds = {(tuple(embedding.shape), str(embedding.dtype)) for embedding in embeddings}
    if len(kinds) > 1 or any(embedding.ndim != 2 for embedding in embeddings):
        got = ", ".join(f"[{','.join(map(str, shape))}] {dtype}" for shape, dtype in sorted(kinds))
        raise CheckpointError(f"{where}: embeddings must all be [N,C] of one kind, got {got}. Encode them again")
    return torch.stack(list(embeddings))


def _unknown(where: Path, texts: Sequence[str]) -> ModelError:
    others = f" and of {len(texts) - 1} more" if len(texts) > 1 else ""
    return ModelError(
        f"{where}: holds no embedding of {_shortened(texts[0])}{others}, and no text encoder is at hand. "
        f"Encode it where there is one, or use a text whose embedding is there"
    )


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
