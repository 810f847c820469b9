"""Networks in and out of weights files: loaded strictly, written whole, named by a digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .config import PRESETS, TransformerConfig
from .errors import CheckpointError
from .transformer import MultiViewTransformer
from .variant import MULTI_VIEW, describe_tensors, detect_config, differences
from .weight_files import CONFIG_NAME, FORMAT, VERSION, StoredWeights, read_state

_WEIGHTS_NAME = "model.safetensors"
_NAMES_SHOWN = 10


@dataclass(frozen=True)
class WeightsInfo:
    """What there is to say about a weights file without running it.

    form: the format in words. holds: the kind of network in words. config: of a multi-view network, else None.
    preset: the published network it is one of. fault: why a multi-view network cannot be loaded, or None.
    dtypes: number of tensors of each. ignored: names in the file that a network has no use for.
    digest: SHA-256 of names, dtypes, shapes and values.
    """

    path: Path
    form: str
    holds: str
    config: TransformerConfig | None
    preset: str | None
    fault: str | None
    tensors: int
    parameters: int
    dtypes: dict[str, int]
    ignored: tuple[str, ...]
    digest: str


def load_transformer(
    path: Path | str,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
    config: TransformerConfig | None = None,
    allow_pickle: bool = False,
) -> MultiViewTransformer:
    """Build the network of a weights file or folder.

    dtype: of the weights, by default as stored. config: the network that is expected; by default the one
    in config.json, or else the one that the tensors tell. allow_pickle: see ``read_state``.
    """
    stored = read_state(path, allow_pickle)
    model = _empty_model(_config_to_load(stored, config))
    fault = _misfit(stored.tensors, model)
    if fault is not None:
        raise CheckpointError(f"{stored.path}: {fault}")
    names = list(model.state_dict())
    model.load_state_dict({name: stored.tensors.pop(name).to(device, dtype) for name in names}, assign=True)
    return model


def save_transformer(model: MultiViewTransformer, folder: Path | str) -> None:
    """Write config.json and model.safetensors into a new or empty folder, which appears whole or not at all."""
    from safetensors.torch import save_file

    content = {"format": FORMAT, "version": VERSION, "config": model.config.to_dict()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with _whole_folder(Path(folder)) as partial:
        (partial / CONFIG_NAME).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        with _system_errors(Path(folder)):
            save_file(tensors, partial / _WEIGHTS_NAME, {"format": "pt"})


def require_empty(folder: Path) -> None:
    """Refuse to write where something is."""
    blocked = next((place for place in (folder, *folder.parents) if place.exists() and not place.is_dir()), None)
    if blocked is not None:
        raise CheckpointError(f"{folder}: cannot be written, {blocked} is a file. Name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise CheckpointError(f"{folder}: exists and is not empty. Remove it or name another folder")


def weights_digest(path: Path | str, allow_pickle: bool = False) -> str:
    """SHA-256 over names, dtypes, shapes and values of all tensors, the same in every format."""
    return _digest(read_state(path, allow_pickle).tensors)


def describe_weights(path: Path | str, allow_pickle: bool = False) -> WeightsInfo:
    """Say what a file or folder holds, whether or not it is a network of ours."""
    stored = read_state(path, allow_pickle)
    holds = describe_tensors(stored.shapes)
    config, fault = _examine(stored) if holds == MULTI_VIEW else (None, None)
    return WeightsInfo(
        path=stored.path,
        form=stored.form,
        holds=holds,
        config=config,
        preset=None if config is None else _preset_of(config),
        fault=fault,
        tensors=len(stored.tensors),
        parameters=sum(tensor.numel() for tensor in stored.tensors.values()),
        dtypes=dict(Counter(_dtype_name(tensor) for tensor in stored.tensors.values())),
        ignored=stored.ignored,
        digest=_digest(stored.tensors),
    )


def _config_to_load(stored: StoredWeights, wanted: TransformerConfig | None) -> TransformerConfig:
    """The configuration to build, after making sure that the file is of the variant that is wanted."""
    if wanted is None:
        return stored.config or detect_config(stored.shapes, str(stored.path))
    other: list[str] = []
    if stored.config is not None:
        other = differences(stored.config, wanted)
    elif _misfit(stored.tensors, _empty_model(wanted)) is not None:
        other = differences(detect_config(stored.shapes, str(stored.path)), wanted)
    if other:
        raise CheckpointError(f"{stored.path}: holds another network than the one asked for: {'; '.join(other)}")
    return wanted


def _examine(stored: StoredWeights) -> tuple[TransformerConfig | None, str | None]:
    """The configuration, and why the network cannot be loaded; None for what cannot be told or is not the case."""
    try:
        config = stored.config or detect_config(stored.shapes, str(stored.path))
    except CheckpointError as error:
        return None, str(error)
    misfit = _misfit(stored.tensors, _empty_model(config))
    return config, None if misfit is None else f"{stored.path}: {misfit}"


def _preset_of(config: TransformerConfig) -> str | None:
    return next((name for name, known in PRESETS.items() if not differences(config, known)), None)


def _empty_model(config: TransformerConfig) -> MultiViewTransformer:
    with torch.device("meta"):
        return MultiViewTransformer(config)


def _misfit(tensors: Mapping[str, Tensor], model: MultiViewTransformer) -> str | None:
    """Everything in which the tensors are not those of the network, in one sentence; None if they are."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    both = [name for name in expected if name in tensors]
    complaints = (
        ("lacks", [name for name in expected if name not in tensors]),
        ("holds tensors it should not:", sorted(set(tensors) - set(expected))),
        ("holds tensors of wrong shape:", [_wrong(name, tensors[name], expected[name]) for name in both]),
        ("holds tensors that are not floating-point:", [n for n in both if not tensors[n].is_floating_point()]),
    )
    found = [f"{what} {_listed(names)}" for what, some in complaints if (names := list(filter(None, some)))]
    return f"does not fit its network, it {'; it '.join(found)}" if found else None


def _wrong(name: str, tensor: Tensor, expected: tuple[int, ...]) -> str:
    return "" if tuple(tensor.shape) == expected else f"{name} {list(tensor.shape)} instead of {list(expected)}"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, _dtype_name(tensor), list(tensor.shape)]).encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden sibling to fill; it becomes ``folder`` when the block ends well and is removed when not."""
    require_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
    partial.mkdir()
    try:
        yield partial
        require_empty(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    """Raise what the system refuses (disk full, no permission) as the OSError it is, not in safetensors' words."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error
