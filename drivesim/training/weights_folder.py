"""The folder of weights that a training ends with: network, codec, words, and a card that says what they are.

WEIGHTS/transformer/        config.json and model.safetensors
WEIGHTS/codec/              the small codec
WEIGHTS/text/               vocabulary.json
WEIGHTS/sampling.json       how it is best sampled
WEIGHTS/README.md           data, steps, seed, hardware, figures, limits
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scenegraph.arrays import UInt8Array
from scenegraph.publish import atomic_folder

from .clips import TrainingClip
from .schema import TrainFile

if TYPE_CHECKING:
    from models.conditions import ConditionText
    from models.sampling import Sampling
    from models.small_codec import SmallCodec
    from models.transformer import MultiViewTransformer


def write_weights_folder(
    folder: Path,
    transformer: MultiViewTransformer,
    codec: SmallCodec,
    text: ConditionText,
    sampling: Sampling,
    card: str,
) -> None:
    """Write all parts; the folder is there whole or not at all."""
    from models.checkpoint import save_transformer
    from models.sampling import write_usual_sampling
    from models.small_codec import save_small_codec

    with atomic_folder(folder, replace=True) as partial:
        save_transformer(transformer, partial / "transformer")
        save_small_codec(codec, partial / "codec")
        text.save(partial / "text")
        write_usual_sampling(sampling, partial)
        (partial / "README.md").write_text(card, encoding="utf-8")


def model_card(file: TrainFile, network: Path, figures: Mapping[str, Any], is_student: bool = False) -> str:
    """What the weights are, in words and numbers. network: folder of the training, for its losses."""
    data = file.data.model_dump(mode="json")
    rows = {
        "Clips": ", ".join(f"{name} {value}" for name, value in data.items()),
        "Seed": file.seed,
        "Network": f"{file.network.preset}, {file.network.overrides or 'as it is'}",
        "Codec": f"{file.codec.latent_channels} channels, {file.codec.steps} steps",
        "Training": f"{file.training.parts}, {file.training.steps} steps of {file.training.batch} clips",
        "Loss": _losses(network / "loss.jsonl"),
        **figures,
    }
    if is_student and file.distil is not None:
        rows["Distillation"] = f"{file.distil.steps} steps on {file.distil.clips} clips of its teacher"
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return _CARD.format(
        title="four-step student" if is_student else "network",
        description=file.description or "Weights trained by drivesim train.",
        table=table,
    )


def reconstruction_db(codec: SmallCodec, clips: Sequence[TrainingClip]) -> float:
    """Peak signal-to-noise ratio in decibels of what the codec makes of clips it has never seen."""
    from models.codec import decode_frames, encode_frames

    errors = [_squared_error(decode_frames(codec, encode_frames(codec, clip.frames)), clip.frames) for clip in clips]
    return 10 * math.log10(255**2 / max(float(np.mean(errors)), 1e-9))


def machine() -> str:
    """What this ran on, without names."""
    import torch

    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    return f"{where}; torch {torch.__version__}, Python {platform.python_version()}"


def _squared_error(made: UInt8Array, clip: UInt8Array) -> float:
    return float(np.square(made.astype(np.float32) - clip).mean())


def _losses(path: Path) -> str:
    """Means of the first and last hundredth of the curve."""
    if not path.is_file():
        return "unknown"
    losses = [json.loads(line)["loss"] for line in path.read_text(encoding="utf-8").splitlines()]
    part = max(1, len(losses) // 100)
    return f"{np.mean(losses[:part]):.4f} at first, {np.mean(losses[-part:]):.4f} at last"


_CARD = """# Multi-view weights: {title}

{description}

| what | value |
|---|---|
{table}

Use: `drivesim generate SCENARIO --weights THIS_FOLDER -o OUT`

Limits: trained on pictures of the reference world, which it imitates; it has seen no photograph. It knows the
conditions in `text/vocabulary.json` and no other words. Rigs, picture sizes, frame rates and lengths unlike those
above are out of what it was trained on.
"""
