"""Public driving-data formats, one module each, and the one function that reads any of them."""

from .reading import KINDS, detect_kind, read_scene

__all__ = ["KINDS", "detect_kind", "read_scene"]
