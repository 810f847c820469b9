"""Embeddings are made once, kept whole, and never taken for those of another text or encoder."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import models.text_cache
from models.errors import CheckpointError, ModelError, ShapeError
from models.text_cache import CachedText, EmbeddingFile, read_embeddings, write_embeddings


class StubEncoder:
    """Embeds a text as its letters, and writes down what it is asked."""

    def __init__(self, name: str = "stub", barrier: threading.Barrier | None = None) -> None:
        self.name = name
        self.barrier = barrier
        self.asked: list[list[str]] = []
        self.releases = 0

    def identity(self) -> dict[str, Any]:
        return {"kind": self.name, "size": (4, 3)}

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.asked.append(list(texts))
        if self.barrier is not None:
            self.barrier.wait(timeout=30)
        return torch.stack([_embedding(text) for text in texts])

    def release(self) -> None:
        self.releases += 1


def _embedding(text: str) -> Tensor:
    """[4,3] bfloat16, different for every text."""
    return torch.tensor([ord(letter) for letter in f"{text:>12.12}"]).reshape(4, 3).bfloat16()


def _stored(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _break(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _other_text(path: Path) -> None:
    write_embeddings(path, ["another"], torch.zeros(1, 4, 3))


def test_texts_come_in_the_order_asked_and_each_is_made_once(tmp_path: Path) -> None:
    encoder = StubEncoder()
    cache = CachedText(tmp_path / "cache", encoder)
    embeddings = cache.encode(["b", "a", "b"])
    assert embeddings.dtype == torch.bfloat16
    assert torch.equal(embeddings, torch.stack([_embedding("b"), _embedding("a"), _embedding("b")]))
    assert torch.equal(cache.encode(["a", "c"]), torch.stack([_embedding("a"), _embedding("c")]))
    assert encoder.asked == [["b", "a"], ["c"]]


def test_a_full_cache_never_asks_the_encoder_and_a_fresh_one_releases_it(tmp_path: Path) -> None:
    first, second = StubEncoder(), StubEncoder()
    CachedText(tmp_path, first).encode(["a", " "])
    CachedText(tmp_path, second).encode([" ", "a"])
    assert (len(first.asked), first.releases) == (1, 1)
    assert (len(second.asked), second.releases) == (0, 0)


def test_the_encoder_is_released_when_it_fails(tmp_path: Path) -> None:
    class Failing(StubEncoder):
        def encode(self, texts: Sequence[str]) -> Tensor:
            raise RuntimeError("no memory")

    encoder = Failing()
    with pytest.raises(RuntimeError, match="no memory"):
        CachedText(tmp_path, encoder).encode(["a"])
    assert encoder.releases == 1
    assert _stored(tmp_path) == []


def test_a_copied_folder_works_without_an_encoder(tmp_path: Path) -> None:
    encoder = StubEncoder()
    CachedText(tmp_path / "here", encoder).fill(["a", "Grüße, 東京!\n\0", ""])
    there = CachedText(shutil.copytree(tmp_path / "here", tmp_path / "there"))
    assert torch.equal(there.encode(["", "Grüße, 東京!\n\0"])[1], _embedding("Grüße, 東京!\n\0"))
    assert there.identity() == {"kind": "stub", "size": [4, 3]}
    there.release()


def test_a_cache_serves_as_the_encoder_of_another(tmp_path: Path) -> None:
    CachedText(tmp_path / "a", StubEncoder()).fill(["a", "b"])
    CachedText(tmp_path / "b", CachedText(tmp_path / "a")).fill(["b"])
    assert torch.equal(CachedText(tmp_path / "b").encode(["b"])[0], _embedding("b"))


def test_many_texts_are_made_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.text_cache, "_TEXTS_AT_ONCE", 2)
    encoder = StubEncoder()
    CachedText(tmp_path, encoder).fill(list("abcde"))
    assert encoder.asked == [["a", "b"], ["c", "d"], ["e"]]
    assert encoder.releases == 1
    assert len(_stored(tmp_path)) == 5


def test_a_missing_text_without_an_encoder_is_one_sentence(tmp_path: Path) -> None:
    CachedText(tmp_path, StubEncoder()).fill(["a"])
    with pytest.raises(ModelError) as caught:
        CachedText(tmp_path).encode(["a", "A road " * 20])
    assert str(caught.value) == (
        f"{tmp_path}: holds no embedding of 'A road A road A road A road A road A road A road A road A r…', and no "
        f"text encoder is at hand. Encode it where there is one, or use a text whose embedding is there"
    )
    with pytest.raises(ModelError) as caught:
        CachedText(tmp_path).encode(["b", "b", " ", "c"])
    assert str(caught.value).startswith(f"{tmp_path}: holds no embedding of 'b' and of 2 more, and no text encoder ")


def test_a_folder_of_another_encoder_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    CachedText(tmp_path, StubEncoder()).fill(["a"])
    before = sorted(path.read_bytes() for path in tmp_path.iterdir())
    with pytest.raises(CheckpointError) as caught:
        CachedText(tmp_path, StubEncoder("other"))
    assert str(caught.value) == (
        f"{tmp_path}: holds embeddings of another text encoder (kind differ). Use that encoder, or name another folder"
    )
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == before


def test_files_of_another_encoder_are_not_used_even_under_a_wrong_identity(tmp_path: Path) -> None:
    CachedText(tmp_path, StubEncoder("other")).fill(["a"])
    (tmp_path / "identity.json").write_text(json.dumps(StubEncoder().identity()))
    encoder = StubEncoder()
    CachedText(tmp_path, encoder).fill(["a"])
    assert encoder.asked == [["a"]]


def test_a_folder_that_is_no_cache_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        CachedText(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds no identity.json, so it is no cache of text embeddings. "
        f"Name a folder that is, or give a text encoder"
    )
    for content in ("{", "[1]", "7"):
        (tmp_path / "identity.json").write_text(content)
        with pytest.raises(CheckpointError, match=r"identity\.json: cannot be read: .*Copy the cache anew, or remove"):
            CachedText(tmp_path, StubEncoder())


@pytest.mark.parametrize("damage", [_break, _empty, _other_text])
def test_a_damaged_embedding_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    CachedText(tmp_path, StubEncoder()).fill(["a"])
    (path,) = _stored(tmp_path)
    whole = path.read_bytes()
    damage(path)
    encoder = StubEncoder()
    assert torch.equal(CachedText(tmp_path, encoder).encode(["a"])[0], _embedding("a"))
    assert encoder.asked == [["a"]]
    assert path.read_bytes() == whole


def test_a_damaged_embedding_without_an_encoder_is_named(tmp_path: Path) -> None:
    CachedText(tmp_path, StubEncoder()).fill(["a"])
    (path,) = _stored(tmp_path)
    _other_text(path)
    with pytest.raises(CheckpointError) as caught:
        CachedText(tmp_path).encode(["a"])
    assert str(caught.value) == f"{path}: holds another text than its name says. Remove it, or copy the cache anew"
    _break(path)
    with pytest.raises(CheckpointError) as caught:
        CachedText(tmp_path).encode(["a"])
    assert str(caught.value).startswith(f"{path}: cannot be read as embeddings: ")
    assert str(caught.value).endswith(". Copy or encode them again")


def test_two_writers_at_the_same_time_leave_one_whole_file_per_text(tmp_path: Path) -> None:
    barrier = threading.Barrier(2)
    caches = [CachedText(tmp_path, StubEncoder(barrier=barrier)) for _ in range(2)]
    results: list[Tensor] = []
    threads = [threading.Thread(target=lambda c=cache: results.append(c.encode(["a", "b"]))) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [torch.equal(result, torch.stack([_embedding("a"), _embedding("b")])) for result in results] == [True, True]
    assert len(_stored(tmp_path)) == 2
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".safetensors"] == ["identity.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "texts.safetensors"
    write_embeddings(path, ["a"], _embedding("a")[None])
    before = path.read_bytes()

    def full(tensors: Any, partial: Path, metadata: Any) -> None:
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(models.text_cache, "save_file", full)
    with pytest.raises(ModelError) as caught:
        write_embeddings(path, ["b"], _embedding("b")[None])
    assert str(caught.value) == f"{path}: cannot be written: [Errno 28] No space left on device"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_cache_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "file" / "cache"
    with pytest.raises(ModelError, match="cannot be written"):
        CachedText(folder, StubEncoder()).fill(["a"])


def test_an_embedding_file_gives_back_texts_and_numbers(tmp_path: Path) -> None:
    path, texts = tmp_path / "deep" / "texts.safetensors", ["a road", " ", "Grüße"]
    embeddings = torch.stack([_embedding(text) for text in texts])
    write_embeddings(path, texts, embeddings)
    read = read_embeddings(path)
    assert sorted(read) == sorted(texts)
    assert all(torch.equal(read[text], embedding) for text, embedding in zip(texts, embeddings, strict=True))
    assert torch.equal(EmbeddingFile(path).encode([" ", "Grüße", " "]), embeddings[[1, 2, 1]])


def test_an_embedding_file_may_name_its_tensors_as_it_likes(tmp_path: Path) -> None:
    path = tmp_path / "texts.safetensors"
    metadata = {"sunny": "a road", "space": " ", "format": "pt"}
    save_file({"sunny": torch.ones(4, 3), "space": torch.zeros(4, 3)}, path, metadata=metadata)
    assert sorted(read_embeddings(path)) == [" ", "a road"]
    assert torch.equal(EmbeddingFile(path).encode(["a road"]), torch.ones(1, 4, 3))


def test_an_unknown_text_in_an_embedding_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "texts.safetensors"
    write_embeddings(path, ["a"], torch.zeros(1, 4, 3))
    with pytest.raises(ModelError) as caught:
        EmbeddingFile(path).encode(["b"])
    assert str(caught.value) == (
        f"{path}: holds no embedding of 'b', and no text encoder is at hand. "
        f"Encode it where there is one, or use a text whose embedding is there"
    )


def test_the_identity_of_an_embedding_file_follows_its_content(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "two", "three")]
    for path, value in zip(paths, (0.0, 0.0, 1.0), strict=True):
        write_embeddings(path, ["a"], torch.full((1, 4, 3), value))
    one, two, three = (EmbeddingFile(path).identity() for path in paths)
    assert one == two != three


@pytest.mark.parametrize(
    ("metadata", "what"),
    [(None, "any text"), ({"one": "a"}, "the text of two"), ({"other": "a"}, "the text of one")],
)
def test_a_file_that_does_not_say_its_texts_is_one_sentence(
    tmp_path: Path, metadata: dict[str, str] | None, what: str
) -> None:
    path = tmp_path / "texts.safetensors"
    tensors = {"one": torch.zeros(4, 3), "two": torch.zeros(4, 3)} if metadata else {}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(CheckpointError) as caught:
        EmbeddingFile(path)
    assert str(caught.value) == (f"{path}: its metadata lacks {what}. It must map the name of each tensor to its text")


def test_two_tensors_of_one_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "texts.safetensors"
    tensors = {"one": torch.zeros(4, 3), "two": torch.ones(4, 3)}
    save_file(tensors, path, metadata={"one": "a", "two": "a"})
    with pytest.raises(CheckpointError) as caught:
        read_embeddings(path)
    assert str(caught.value) == f"{path}: holds 'a' twice, as one and two. Remove one of them"


@pytest.mark.parametrize("read", [read_embeddings, EmbeddingFile, lambda path: CachedText(path)])
def test_a_file_that_is_absent_or_no_embedding_file_is_named(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    for name in ("absent", "text"):
        (tmp_path / "text").write_text("nothing of the kind")
        with pytest.raises(CheckpointError) as caught:
            read(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_embeddings_of_different_sizes_cannot_be_encoded_together(tmp_path: Path) -> None:
    path = tmp_path / "texts.safetensors"
    tensors = {"a": torch.zeros(4, 3), "b": torch.zeros(4, 5), "c": torch.zeros(4, 3).bfloat16()}
    save_file(tensors, path, metadata={"a": "a", "b": "b", "c": "c"})
    with pytest.raises(CheckpointError) as caught:
        EmbeddingFile(path).encode(["a", "b", "c"])
    assert str(caught.value) == (
        f"{path}: embeddings must all be [N,C] of one kind, got [4,3] torch.bfloat16, [4,3] torch.float32, "
        f"[4,5] torch.float32. Encode them again"
    )


@pytest.mark.parametrize(
    ("texts", "shape", "got"),
    [(["a"], (2, 4, 3), "[2,4,3] for 1"), (["a"], (4, 3), "[4,3] for 1"), (["a", "a"], (2, 4, 3), "[2,4,3] for 1")],
)
def test_embeddings_that_do_not_fit_their_texts_are_not_written(
    tmp_path: Path, texts: list[str], shape: tuple[int, ...], got: str
) -> None:
    path = tmp_path / "texts.safetensors"
    with pytest.raises(ShapeError) as caught:
        write_embeddings(path, texts, torch.zeros(shape))
    assert str(caught.value) == (
        f"{path}: embeddings: expected [{len(texts)},N,C] and as many different texts, got {got}"
    )
    assert not path.exists()
