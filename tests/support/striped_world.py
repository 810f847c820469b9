"""Stands in for the reference world where a test is about files, not about looks: every value can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from drivesim.world_job import WorldJob
from render.world.semantic import SemanticClass


@dataclass
class StripedFrame:
    rgb: Any
    depth_m: Any
    instance: Any
    semantic: Any


class StripedWorld:
    """Sky above, a road 10 m away below, actor 0 in the last column; brightness says view and frame."""

    def __init__(self, job: WorldJob) -> None:
        self._job = job

    def frame(self, view: int, index: int) -> StripedFrame:
        camera = self._job.cameras.cameras[view]
        shape = (camera.height_px, camera.width_px)
        depth_m = np.full(shape, 10.0, dtype=np.float32)
        depth_m[: shape[0] // 2] = np.inf
        semantic = np.where(np.isinf(depth_m), SemanticClass.SKY, SemanticClass.ROAD).astype(np.uint8)
        instance = np.full(shape, -1, dtype=np.int32)
        instance[:, -1] = 0
        semantic[:, -1], depth_m[:, -1] = SemanticClass.CAR, 300.0
        return StripedFrame(np.full((*shape, 3), 60 * view + 5 * index, np.uint8), depth_m, instance, semantic)
