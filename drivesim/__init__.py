"""Generates multi-view driving data: scenarios in, labelled surround-camera clips out.

The names below are imported when they are first used, so that ``import drivesim`` is quick.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import DriveSimError as DriveSimError
    from .pipeline import FrameRange as FrameRange
    from .pipeline import control_videos as control_videos
    from .previewing import write_preview as write_preview
    from .rigs import load_rig as load_rig
    from .sources import load_scene as load_scene

__all__ = [
    "DriveSimError",
    "FrameRange",
    "__version__",
    "control_videos",
    "load_rig",
    "load_scene",
    "write_preview",
]

_HOME = {
    "DriveSimError": "errors",
    "FrameRange": "pipeline",
    "control_videos": "pipeline",
    "load_rig": "rigs",
    "load_scene": "sources",
    "write_preview": "previewing",
}

__version__ = "0.1.0"

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
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
