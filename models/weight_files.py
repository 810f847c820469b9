"""Tensors from the formats in which weights are passed on, under the names the network uses.

    .pt, .pth            what torch.save wrote, read without running code that may be in it
    .safetensors         one file
    folder               *.safetensors, with a config.json of ours or none
    folder of .distcp    a distributed training checkpoint

Tensors of the first three stay on disk until they are used.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .config import TransformerConfig
from .errors import CheckpointError
from .variant import clean_keys

if TYPE_CHECKING:
    from torch.distributed.checkpoint.metadata import Metadata

FORMAT = "drivesim-transformer"
VERSION = 1
CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class StoredWeights:
    """What a weights file or folder holds.

    form: the format in words. tensors: by the names the network uses. ignored: names in the file that were left out.
    config: of the network, where a config.json of ours says so.
    """

    path: Path
    form: str
    tensors: dict[str, Tensor]
    ignored: tuple[str, ...]
    config: TransformerConfig | None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor by name."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}


def read_state(path: Path | str, allow_pickle: bool = False) -> StoredWeights:
    """Read the tensors of a file or folder.

    allow_pickle: run the code that a .pt file or a distributed checkpoint may hold. It can do anything.
    """
    path = Path(path)
    if not path.exists():
        raise CheckpointError(f"{path}: no such file or folder")
    form, tensors, others = _read_folder(path, allow_pickle) if path.is_dir() else _read_file(path, allow_pickle)
    names = _cleaned(path, tensors)
    ignored = sorted({*tensors, *others} - set(names))
    config = read_config((path if path.is_dir() else path.parent) / CONFIG_NAME)
    return StoredWeights(path, form, {clean: tensors[raw] for raw, clean in names.items()}, tuple(ignored), config)


def read_config(file: Path) -> TransformerConfig | None:
    """The configuration in a config.json of ours; None where there is no such file or it is someone else's."""
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{file}: is not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    if content.get("version") != VERSION:
        raise CheckpointError(f"{file}: version {content.get('version')} is not {VERSION}, the one this program reads")
    if not isinstance(content.get("config"), dict):
        raise CheckpointError(f"{file}: lacks field config")
    return TransformerConfig.from_dict(content["config"], str(file))


_Content = tuple[str, dict[str, Tensor], list[str]]
"""Format in words, tensors by the names they have in the file, names of whatever else is there."""


def _read_file(path: Path, allow_pickle: bool) -> _Content:
    with path.open("rb") as file:
        if file.read(40).startswith(b"version https://git-lfs"):
            raise CheckpointError(f"{path}: is a Git LFS pointer, not the weights. Fetch them with: git lfs pull")
    if path.suffix in (".pt", ".pth"):
        return "torch file", *_read_torch_file(path, allow_pickle)
    if path.suffix == ".safetensors":
        return "safetensors file", _read_safetensors(path), []
    raise CheckpointError(f"{path}: is not .pt, .pth or .safetensors, nor a folder of weights")


def _read_folder(folder: Path, allow_pickle: bool) -> _Content:
    files = sorted(folder.glob("*.safetensors"))
    if files:
        tensors: dict[str, Tensor] = {}
        for file in files:
            more = _read_safetensors(file)
            twice = sorted(set(tensors) & set(more))
            if twice:
                raise CheckpointError(f"{file}: holds {twice[0]}, which another file of this folder holds too")
            tensors |= more
        return "safetensors folder", tensors, []
    for place in (folder, folder / "model"):
        if (place / ".metadata").is_file():
            return "distributed checkpoint", *_read_distributed(place, allow_pickle)
    raise CheckpointError(
        f"{folder}: holds no weights. Expected *.safetensors, or .metadata and *.distcp of a distributed checkpoint"
    )


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(_damaged(path)) from error


def _read_torch_file(path: Path, allow_pickle: bool) -> tuple[dict[str, Tensor], list[str]]:
    content = _innermost(_unpickle(path, allow_pickle))
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds an object of type {type(content).__name__}, not tensors by name")
    tensors = {name: value.detach() for name, value in content.items() if _is_tensor(name, value)}
    return tensors, [str(name) for name in content if name not in tensors]


def _innermost(content: Any) -> Any:
    """The tensors of a training checkpoint, which lie a level or two deeper."""
    for level in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(level), dict):
            return _innermost(content[level])
    return content


def _is_tensor(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)


def _unpickle(path: Path, allow_pickle: bool) -> Any:
    # Transformer Engine keeps its extra states in BytesIO, which holds bytes and runs nothing.
    try:
        with torch.serialization.safe_globals([io.BytesIO]):
            return torch.load(path, map_location="cpu", mmap=zipfile.is_zipfile(path), weights_only=not allow_pickle)
    except OSError:
        raise
    except Exception as error:  # a pickle may raise anything
        code = re.search(r"GLOBAL (\S+)", str(error))
        if isinstance(error, pickle.UnpicklingError) and code:
            raise CheckpointError(_pickled_code(path, code[1])) from error
        if allow_pickle and isinstance(error, AttributeError | ImportError):
            raise CheckpointError(f"{path}: holds objects of code that is not installed here: {error}") from error
        raise CheckpointError(_damaged(path)) from error


def _read_distributed(folder: Path, allow_pickle: bool) -> tuple[dict[str, Tensor], list[str]]:
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata
    from torch.distributed.checkpoint.state_dict_loader import load

    metadata = _read_metadata(folder / ".metadata", allow_pickle)

    class Reader(FileSystemReader):
        def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
            return metadata

    stored = {n: s for n, s in metadata.state_dict_metadata.items() if isinstance(s, TensorStorageMetadata)}
    wanted = _cleaned(folder, stored)
    tensors = {name: torch.empty(stored[name].size, dtype=stored[name].properties.dtype) for name in wanted}
    missing = sorted(_files_of(metadata, wanted) - {file.name for file in folder.iterdir()})
    if missing:
        raise CheckpointError(f"{folder}: lacks {missing[0]}. A distributed checkpoint needs all its .distcp files")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one process is what is wanted here
            load(tensors, storage_reader=Reader(folder), no_dist=True)
    except (Exception, CheckpointException) as error:
        raise CheckpointError(_damaged(folder)) from error
    return tensors, [name for name in metadata.state_dict_metadata if name not in tensors]


def _files_of(metadata: Metadata, names: Mapping[str, str]) -> set[str]:
    return {place.relative_path for index, place in metadata.storage_data.items() if index.fqn in names}


def _read_metadata(file: Path, allow_pickle: bool) -> Metadata:
    """The table of contents of a distributed checkpoint: a pickle, of which only its own few classes are built."""
    from torch.distributed.checkpoint.metadata import Metadata

    try:
        with file.open("rb") as stream:
            content = (pickle.Unpickler if allow_pickle else _MetadataUnpickler)(stream).load()
    except OSError:
        raise
    except _RefusedError as error:
        raise CheckpointError(_pickled_code(file, str(error))) from error
    except Exception as error:
        raise CheckpointError(_damaged(file)) from error
    if not isinstance(content, Metadata):
        raise CheckpointError(_damaged(file))
    return content


class _RefusedError(Exception):
    """A class or function that a table of contents has no need of."""


class _MetadataUnpickler(pickle.Unpickler):
    _ALLOWED = frozenset(
        {
            ("pathlib", "PosixPath"),
            ("pathlib", "PurePosixPath"),
            ("collections", "OrderedDict"),
            ("torch", "Size"),
            ("torch.serialization", "_get_layout"),
            ("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
        }
        | {
            ("torch.distributed.checkpoint.metadata", name)
            for name in (
                "BytesStorageMetadata",
                "ChunkStorageMetadata",
                "Metadata",
                "MetadataIndex",
                "StorageMeta",
                "TensorProperties",
                "TensorStorageMetadata",
                "_MEM_FORMAT_ENCODING",
            )
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        if is_dtype or (module, name) in self._ALLOWED:
            return super().find_class(module, name)
        raise _RefusedError(f"{module}.{name}")


def _cleaned(path: Path, names: Iterable[str]) -> dict[str, str]:
    try:
        return clean_keys(names)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _damaged(path: Path) -> str:
    return f"{path}: cannot be read. It is damaged, cut short, or not what its name says: fetch it again"


def _pickled_code(path: Path, code: str) -> str:
    return (
        f"{path}: holds code ({code}), which would run when it is read and could do anything. "
        "Only if you trust where it comes from, convert it with: drivesim weights convert --allow-pickle"
    )
