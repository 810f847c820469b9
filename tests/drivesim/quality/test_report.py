"""Figures pooled over clips, and what cannot be measured."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from drivesim.errors import DatasetError
from drivesim.pipeline import film
from drivesim.quality import (
    Adherence,
    ClipQuality,
    ClipSight,
    CrossView,
    Drift,
    Figure,
    Flicker,
    as_json,
    clip_sight,
    measure,
    show,
    summarise,
)
from drivesim.quality.adherence import Row
from scenegraph import ClipCameras, Scene
from scenegraph.arrays import UInt8Array

NOTHING = np.zeros(0)


def clip(value: float, same: float, drift: Drift | None = None) -> ClipQuality:
    lines = Adherence.of([Row(0, 0, 1.0, value, 1.0), Row(0, 1, 1.0, 5.0, 1.0)], 1.0)
    flicker, world = Flicker(np.array([3.0]), np.array([6.0])), Flicker(np.array([1.5]), np.array([6.0]))
    pairs = CrossView(np.array([same]), np.array([10.0, 20.0]))
    return ClipQuality("a", lines, Adherence.of([], 1.0), pairs, flicker, world, drift)


def test_figures_are_medians_and_shares_over_all_clips() -> None:
    summary = summarise([clip(1.5, 2.0), clip(9.0, 4.0)])
    assert summary.clips == 2 and summary.colour_shift == ()
    assert summary.figure("lane lines") == Figure("lane lines", "levels", 4, 5.0, 1.0, None, 0.75, 0.75)
    assert summary.figure("boxes") == Figure("boxes", "difference", 0, None, None)
    assert summary.figure("cross-view") == Figure("cross-view", "delta E", 2, 3.0, 15.0, 0.2)
    assert summary.figure("flicker") == Figure("flicker", "levels", 2, 3.0, 6.0, 0.5)
    assert summary.figure("flicker beside the world's") == Figure("flicker beside the world's", "levels", 2, 3, 1.5, 2)


def test_drift_is_the_median_of_the_rollouts_that_have_so_many_chunks() -> None:
    def drift(*lightness: float) -> Drift:
        return Drift(np.array([[[level, 0.0, 0.0]] for level in lightness]), np.array([[10.0]] * len(lightness)))

    summary = summarise([clip(1, 1, drift(50, 52)), clip(1, 1, drift(50, 56, 60)), clip(1, 1)])
    assert summary.colour_shift == (0.0, 4.0, 10.0) and summary.contrast_ratio == (1.0, 1.0, 1.0)


def test_everything_goes_into_json_and_what_there_is_none_of_is_null() -> None:
    said = json.loads(json.dumps(as_json({"made": summarise([clip(9, 2)])}), allow_nan=False))
    assert said["made"]["figures"]["boxes"]["value"] is None
    assert said["made"]["figures"]["cross-view"]["ratio"] == pytest.approx(2 / 15)


def test_the_table_has_a_line_per_figure_and_maker(capsys: pytest.CaptureFixture[str]) -> None:
    still = Drift(np.zeros((2, 1, 3)), np.ones((2, 1)))
    show({"made": summarise([clip(9, 2, still)]), "world": summarise([clip(9, 2)])})
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "figure of over value null value / null better frames better pictures" in printed
    assert "lane lines (levels) made 2 7.00 1.00 - 100.0 % 100.0 %" in printed
    assert "boxes (difference) world 0 - - - - -" in printed
    assert "colour shift, delta E made 0.00 0.00" in printed


def test_the_reference_world_gets_figures_for_everything(sight: ClipSight, world: UInt8Array) -> None:
    found = measure("crossing", world, sight, [(0, 1), (1, 3)], reference=world)
    summary = summarise([found])
    assert summary.figure("lane lines").better_frames == 1.0
    assert summary.figure("flicker beside the world's").ratio == 1.0
    assert len(summary.colour_shift) == 2


def test_no_clips_are_refused() -> None:
    with pytest.raises(DatasetError, match=re.escape("there are no clips to sum up. Measure at least one")):
        summarise([])


def test_frames_of_another_clip_are_refused(sight: ClipSight) -> None:
    with pytest.raises(DatasetError) as wrong:
        measure("a", np.zeros((2, 3, 144, 256, 3), dtype=np.uint8), sight)
    assert str(wrong.value) == (
        "frames: 2 views of 3 frames for 3 cameras at 3 instants. Give one view per camera and one frame per instant"
    )
    with pytest.raises(DatasetError) as floats:
        measure("a", np.zeros((3, 3, 144, 256, 3), dtype=np.float32), sight)
    assert str(floats.value) == (
        "frames: expected [V,T,H,W,3] uint8, got [3,3,144,256,3] float32. Give RGB pictures of bytes, all of one size"
    )


def test_larger_pictures_are_measured_at_256_pixels(scene: Scene, sight: ClipSight, world: UInt8Array) -> None:
    cameras = film(scene, sight.cameras.timestamps_us, (512, 288))
    large = clip_sight(scene, cameras)
    assert large.shape == sight.shape and (large.instance == sight.instance).all()
    doubled = world.repeat(2, axis=2).repeat(2, axis=3)
    one, two = (measure("a", frames, seen) for frames, seen in ((world, sight), (doubled, large)))
    assert (one.lane_lines.value == two.lane_lines.value).all()


def test_cameras_of_different_sizes_are_refused(scene: Scene, sight: ClipSight) -> None:
    first, *others = sight.cameras.cameras
    mixed = (first.resized(128, 72), *others)
    cameras = ClipCameras(mixed, sight.cameras.timestamps_us, sight.cameras.world_from_camera)
    with pytest.raises(DatasetError) as wrong:
        clip_sight(scene, cameras)
    assert str(wrong.value) == (
        "cameras of one size can be measured together, got front 128x72, left 256x144, right 256x144"
    )
