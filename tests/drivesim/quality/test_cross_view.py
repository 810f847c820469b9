"""Colours of the same actor in two cameras, and how surfaces are found in another picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

from drivesim.pipeline import film
from drivesim.quality import ClipSight, CrossView, clip_sight, cross_view_distance
from drivesim.quality.reprojection import reprojected
from scenegraph import CameraRig, Scene
from scenegraph.arrays import UInt8Array


@pytest.fixture(scope="module")
def twins(scene: Scene) -> ClipSight:
    """The front camera twice, the second one half a metre to the left: both see the same actors."""
    front = scene.rig["front"]
    pose = front.ego_from_camera
    moved = replace(pose, translation_m=pose.translation_m + np.array([0.0, 0.5, 0.0]))
    second = replace(front, name="second", ego_from_camera=moved)
    pair = scene.with_rig(CameraRig((front, second)))
    return clip_sight(pair, film(pair, np.array([0, 500_000]), (256, 144)))


def by_actor(sight: ClipSight, repaint: bool = False) -> UInt8Array:
    """Every actor in a colour of its own; in the second camera in that of another actor, if repainted."""
    colours = np.random.default_rng(1).integers(0, 256, (len(sight.scene.actors) + 1, 3)).astype(np.uint8)
    frames = colours[sight.instance]
    if repaint:
        frames[1] = np.roll(colours, 1, axis=0)[sight.instance[1]]
    return np.asarray(frames)


def test_actors_of_one_colour_in_both_cameras_have_no_distance(twins: ClipSight) -> None:
    found = cross_view_distance(by_actor(twins), twins)
    assert len(found.same) and np.abs(found.same).max() < 1e-4
    assert len(found.other) and found.other.min() > 5.0
    assert found.ratio == approx(0.0, abs=1e-4)


def test_actors_repainted_in_one_camera_are_far_apart(twins: ClipSight) -> None:
    found = cross_view_distance(by_actor(twins, repaint=True), twins)
    assert found.same.min() > 5.0


def test_cameras_that_do_not_overlap_have_nothing_to_compare(scene: Scene) -> None:
    alone = scene.with_rig(CameraRig((scene.rig["front"],)))
    sight = clip_sight(alone, film(alone, np.array([0]), (64, 36)))
    found = cross_view_distance(np.zeros((1, 1, 36, 64, 3), dtype=np.uint8), sight)
    assert len(found.same) == 0 and np.isnan(found.ratio)
    assert np.isnan(CrossView(np.array([1.0]), np.zeros(0)).ratio)


def test_a_surface_in_its_own_picture_is_where_it_is(twins: ClipSight) -> None:
    rows, columns = np.nonzero(np.isfinite(twins.depth_m[0, 0, 1:-1, 1:-1]))
    rows, columns = rows + 1, columns + 1
    uv, shown = reprojected(twins, (0, 0), (0, 0), rows, columns)
    assert shown.all()
    assert uv == approx(np.stack([columns, rows], axis=1), abs=1e-3)


def test_a_surface_in_the_camera_beside_is_moved_by_the_base_over_its_depth(twins: ClipSight) -> None:
    depth_m = twins.depth_m[0, 0]
    rows, columns = np.nonzero(np.isfinite(depth_m))
    uv, shown = reprojected(twins, (0, 0), (1, 0), rows, columns)
    focal_px = twins.cameras.cameras[0].lens.fx_px  # type: ignore[union-attr]
    moved = 0.5 * focal_px / depth_m[rows, columns]
    assert shown.mean() > 0.5
    assert uv[shown, 0] == approx((columns + moved)[shown], abs=1e-3)
