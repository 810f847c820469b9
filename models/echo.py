"""A generator without weights: it returns its controls, so that everything around a generator can be tried."""

from __future__ import annotations

from typing import Any

from .request import GenerationRequest, Progress, Regime, quiet
from .shapes import UInt8Array


class EchoGenerator:
    """Gives back the control videos, with the known frames in their place.

    regime: of the generator it stands in for.
    """

    def __init__(self, regime: Regime | None = None) -> None:
        self.regime = regime or Regime()

    def identity(self) -> dict[str, Any]:
        """Says that nothing was generated."""
        return {"kind": "echo"}

    def generate(self, request: GenerationRequest, progress: Progress = quiet) -> UInt8Array:
        """The control videos as they are, uint8 [V,T,H,W,3]."""
        frames = request.control.copy()
        for view, known in enumerate(request.known_frames):
            frames[view, : len(known)] = known
        progress("Echoing", 1, 1)
        return frames
