"""Change of the ground from frame to frame: what stands still does not flicker, noise does."""

from __future__ import annotations

import numpy as np

from drivesim.quality import ClipSight, ground_flicker
from scenegraph.arrays import UInt8Array


def textured(sight: ClipSight) -> UInt8Array:
    """Broad stripes on the ground of the world."""
    frames = np.full((*sight.shape, 3), 100, dtype=np.uint8)
    v, u = np.indices(sight.shape[2:])
    for view, camera in enumerate(sight.cameras.cameras):
        rays = camera.unproject(np.stack([u, v], axis=-1).astype(np.float64))
        for t in range(sight.shape[1]):
            depth_m = np.nan_to_num(sight.depth_m[view, t], posinf=0.0)
            points = rays * (depth_m / rays[..., 2])[..., None]
            x = sight.cameras.world_from_camera[view, t].apply(points.reshape(-1, 3))[:, 0].reshape(depth_m.shape)
            frames[view, t] = (128 + 60 * np.sin(x))[..., None]
    return frames


def test_a_ground_that_stands_still_changes_less_when_it_is_followed(sight: ClipSight) -> None:
    found = ground_flicker(textured(sight), sight)
    assert len(found.change) == 6  # three views, two steps
    assert found.change.mean() < 0.5 * found.not_followed.mean()


def test_every_second_frame_brighter_is_flicker_of_that_many_levels(sight: ClipSight) -> None:
    frames = np.full((*sight.shape, 3), 100, dtype=np.uint8)
    assert np.abs(ground_flicker(frames, sight).change).max() < 1e-6
    frames[:, 1::2] += 10
    assert np.abs(ground_flicker(frames, sight).change - 10).max() < 1e-4


def test_noise_makes_the_reference_world_flicker(sight: ClipSight, world: UInt8Array) -> None:
    noise = np.random.default_rng(0).normal(0, 25, world.shape)
    noisy = np.clip(world + noise, 0, 255).astype(np.uint8)
    assert ground_flicker(noisy, sight).change.mean() > ground_flicker(world, sight).change.mean() + 1.0
