"""Whether a scene is sound, before a GPU is spent on it."""

from .checking import check_scene, labels_of
from .finding import KINDS, Finding, Kind, Severity, as_dict

__all__ = ["KINDS", "Finding", "Kind", "Severity", "as_dict", "check_scene", "labels_of"]
