"""Road networks made by code."""

from .crossing import crossing_scene

__all__ = ["crossing_scene"]
