"""Generates multi-view driving data: scenarios in, labelled surround-camera clips out.

The names below are imported when they are first used, so that ``import drivesim`` is quick.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.sampling import Sampling as Sampling

    from .clip_job import scene_job as scene_job
    from .errors import DriveSimError as DriveSimError
    from .generating import GenerationSettings as GenerationSettings
    from .generating import generate_clip as generate_clip
    from .pipeline import FrameRange as FrameRange
    from .pipeline import control_videos as control_videos
    from .previewing import write_preview as write_preview
    from .prompts import Prompts as Prompts
    from .rigs import load_rig as load_rig
    from .sources import load_scene as load_scene
    from .weights import load_generator as load_generator

__all__ = [
    "DriveSimError",
    "FrameRange",
    "GenerationSettings",
    "Prompts",
    "Sampling",
    "__version__",
    "control_videos",
    "generate_clip",
    "load_generator",
    "load_rig",
    "load_scene",
    "scene_job",
    "write_preview",
]

_HOME = {
    "DriveSimError": "drivesim.errors",
    "FrameRange": "drivesim.pipeline",
    "GenerationSettings": "drivesim.generating",
    "Prompts": "drivesim.prompts",
    "Sampling": "models.sampling",
    "control_videos": "drivesim.pipeline",
    "generate_clip": "drivesim.generating",
    "load_generator": "drivesim.weights",
    "load_rig": "drivesim.rigs",
    "load_scene": "drivesim.sources",
    "scene_job": "drivesim.clip_job",
    "write_preview": "drivesim.previewing",
}

__version__ = "0.2.0"

_SIBLINGS = ("models", "render", "scenegraph")


def _refuse_intruders() -> None:
    """Refuse to run when somebody else's package is imported under the name of one of our three siblings.

    Their names are ordinary words, and Python takes the first one on its path. Only looks, imports nothing.
    """
    home = Path(__file__).resolve().parents[1]
    for name in _SIBLINGS:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ImportError(f"drivesim is not installed completely: its package {name!r} is missing in {home}")
        if Path(spec.origin).resolve() != home / name / "__init__.py":
            raise ImportError(
                f"drivesim needs its own package {name!r} in {home}, but Python finds {spec.origin} first. "
                f"Run from another folder, or rename that one"
            )


_refuse_intruders()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'drivesim' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
