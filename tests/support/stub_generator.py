"""A generator without a network whose frames depend on everything that it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.long_video import Chunk
from models.request import GenerationRequest, Progress, Regime, quiet

LATENT_CHANNELS = 3


class StubGenerator:
    """Noise, with the known frames in their place; asked: every request.

    before: called with the number of the request before it is answered.
    """

    def __init__(self, regime: Regime | None = None, before: Callable[[int], None] = lambda index: None) -> None:
        self.regime = regime or Regime(width_px=16, height_px=16, clip_frames=5)
        self.asked: list[GenerationRequest] = []
        self.name = "stub"
        self._before = before

    def identity(self) -> dict[str, Any]:
        return {"kind": self.name, "sizes": (1, 2)}

    def generate(self, request: GenerationRequest, progress: Progress = quiet) -> npt.NDArray[np.uint8]:
        return self._answer(request)[0]

    def _answer(self, request: GenerationRequest) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        self._before(len(self.asked))
        self.asked.append(request)
        random = np.random.default_rng(seed_of(request))
        views, count, height, width = request.control.shape[:4]
        frames = random.integers(0, 256, request.control.shape, dtype=np.uint8)
        for view, known in enumerate(request.known_frames):
            frames[view, : len(known)] = known
        shape = (views, LATENT_CHANNELS, 1 + (count - 1) // 4, height // 8, width // 8)
        return frames, random.standard_normal(shape).astype(np.float32)


class LatentStubGenerator(StubGenerator):
    """The same with latents to hand over."""

    def generate_with_latents(self, request: GenerationRequest, progress: Progress = quiet) -> tuple[Any, Any]:
        import torch

        frames, latents = self._answer(request)
        return frames, torch.from_numpy(latents)


def seed_of(request: GenerationRequest) -> int:
    """A number that changes with any value in a request."""
    digest = hashlib.sha256()
    for item in fields(request):
        value = getattr(request, item.name)
        parts = value if isinstance(value, tuple) else (value,)
        for part in parts:
            digest.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return int.from_bytes(digest.digest()[:8], "little")


def request_of(chunk: Chunk, **changes: Any) -> GenerationRequest:
    """Two cameras, controls that tell frames apart, seed 7; a prompt per chunk."""
    numbers = np.arange(chunk.start, chunk.stop, dtype=np.uint8)
    control = np.tile(numbers[None, :, None, None, None], (2, 1, 8, 16, 3))
    given = {"prompts": (f"chunk {chunk.index}",), "seed": 7, "camera_names": ("front", "rear")} | changes
    return GenerationRequest(control, **given)
