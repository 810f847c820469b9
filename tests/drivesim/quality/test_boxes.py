"""Contrast across the outlines of boxes: drawn by hand on plain pictures, and in the reference world."""

from __future__ import annotations

import numpy as np

from drivesim.quality import ClipSight, box_adherence
from scenegraph.arrays import UInt8Array


def drawn(sight: ClipSight, move_px: int = 0) -> UInt8Array:
    """Dark actors on a light ground."""
    frames = np.full((*sight.shape, 3), 200, dtype=np.uint8)
    frames[sight.instance >= 0] = 40
    return np.roll(frames, move_px, axis=3)


def test_dark_boxes_on_a_light_ground_are_as_different_as_their_colours(sight: ClipSight) -> None:
    found = box_adherence(drawn(sight), sight)
    assert len(found) and found.better_pictures.all() and found.better_frames.all()
    # Lightness of grey 200 and 40 is 80.6 and 16.1; detail at the edge adds a little.
    assert (found.value > 64).all() and (found.value < 90).all()
    assert (found.null < 5).all()


def test_plain_pictures_have_no_contrast_anywhere(sight: ClipSight) -> None:
    found = box_adherence(np.full((*sight.shape, 3), 120, dtype=np.uint8), sight)
    assert not found.better_pictures.any()
    assert np.abs(found.value).max() < 1e-3


def test_boxes_are_found_in_the_reference_world_but_not_in_the_pictures_of_other_cameras(
    sight: ClipSight, world: UInt8Array
) -> None:
    own, other = (box_adherence(frames, sight) for frames in (world, np.roll(world, 1, axis=0)))
    assert own.better_frames.all()
    assert own.value.min() > 2.5 * own.null.max()
    assert own.value.min() > 2.5 * other.value.max()


def test_small_boxes_do_not_count(sight: ClipSight) -> None:
    found = box_adherence(drawn(sight), sight)
    pictures = set(zip(found.view.tolist(), found.frame.tolist(), strict=True))
    for view in range(3):
        for t in range(3):
            owners = sight.instance[view, t]
            if np.bincount(owners[owners >= 0], minlength=1).max() < 100:
                assert (view, t) not in pictures
