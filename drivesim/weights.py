"""From what a person says about weights and the machine to a generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import SourceError

if TYPE_CHECKING:
    from models.generator import MultiViewGenerator


def load_generator(
    weights: Path | str, *, attention: Any = "auto", compile_blocks: bool = False, **others: Any
) -> MultiViewGenerator:
    """Load a folder of weights, laid out as data/README.md says, as a generator.

    attention: auto, or int8 (lossy). compile_blocks: compile the network first. others: see models.weights.
    """
    try:
        import diffusers  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise SourceError(
            f"generating needs the package {error.name}: pip install 'drivesim[model]', or try a dry run with --echo"
        ) from error
    from models.tuning import Tuning
    from models.weights import load_generator as load

    return load(weights, tuning=Tuning(attention, compile=compile_blocks), **others)
