"""A short clip of the built-in crossing: what it shows by its scene, and filmed in the reference world."""

from __future__ import annotations

import numpy as np
import pytest

from drivesim.pipeline import film
from drivesim.quality import ClipSight, clip_sight
from drivesim.scenario.schema import ConditionsFile
from drivesim.world_job import WorldJob
from scenegraph import Scene
from scenegraph.arrays import UInt8Array

TIMES_US = np.array([0, 100_000, 200_000], dtype=np.int64)


@pytest.fixture(scope="session")
def sight(scene: Scene) -> ClipSight:
    """Three frames of three cameras, 256x144."""
    return clip_sight(scene, film(scene, TIMES_US, (256, 144)))


@pytest.fixture(scope="session")
def world(scene: Scene, sight: ClipSight) -> UInt8Array:
    """The same at noon in the reference world, [3,3,144,256,3]."""
    job = WorldJob(scene, sight.cameras, ConditionsFile(), 0, 10.0).open()
    return np.stack([[job.frame(view, t).rgb for t in range(3)] for view in range(3)])
