"""Generates multi-view driving data: scenarios in, labelled surround-camera clips out."""

from importlib.util import find_spec
from pathlib import Path

__all__ = ["__version__"]

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
