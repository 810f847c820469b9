"""Training files: read, changed from the command line, and checked before hours are spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScenarioError
from ..paths import configs_folder
from ..scenario.reading import read_document
from ..spelling import nearest
from ..yaml_files import check
from .schema import TrainFile

if TYPE_CHECKING:
    from models.config import TransformerConfig


def load_train(name_or_path: str | Path, overrides: Sequence[str] = ()) -> tuple[TrainFile, Path]:
    """A training file and where its paths start: a built-in name or a YAML file. overrides: ``path=value`` each."""
    path = find_train(name_or_path)
    document, mistakes = read_document(path, overrides)
    file, found = check(document, TrainFile)
    if file is None or mistakes or found:
        raise ScenarioError.of([*mistakes, *found])
    from models.errors import ModelError

    try:
        network_config(file, file.codec.latent_channels, 1)
    except (ModelError, TypeError) as error:
        place = document.place_of(("network", "overrides"))
        raise ScenarioError.of([place.mistake(("network", "overrides"), str(error))]) from error
    return file, path.parent


def find_train(name_or_path: str | Path) -> Path:
    """The file that a built-in name or a path means."""
    built_in = {path.stem: path for path in sorted((configs_folder() / "train").glob("*.yaml"))}
    path = built_in.get(str(name_or_path), Path(name_or_path))
    if path.is_file():
        return path
    if path.suffix:
        raise ScenarioError(f"{path}: no such training file")
    raise ScenarioError(
        f"there is no built-in training {str(path)!r}{nearest(str(path), built_in)}. "
        f"Built-in: {', '.join(built_in) or 'none'}; or name a YAML file"
    )


def network_config(file: TrainFile, latent_channels: int, text_channels: int, fps: float = 10.0) -> TransformerConfig:
    """What the network to train is, made for the clips, the codec and the words."""
    from models.config import PRESETS

    data = file.data
    values: dict[str, Any] = {
        "latent_channels": latent_channels,
        "text_channels": text_channels,
        "clip_frames": data.frames,
        "width_px": data.width_px,
        "height_px": data.height_px,
        "fps": fps,
    }
    return replace(PRESETS[file.network.preset], **values | file.network.overrides)
