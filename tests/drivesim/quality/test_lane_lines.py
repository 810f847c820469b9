"""Brightness along painted lines: paint on plain roads by hand, the reference world, and pictures that show none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from drivesim.quality import Adherence, ClipSight, lane_line_adherence
from drivesim.quality.adherence import Row
from drivesim.quality.lane_lines import FARTHEST_M, painted_pieces
from scenegraph import HDMap, LaneLine, Polyline
from scenegraph.arrays import UInt8Array


def plain(sight: ClipSight, level: int = 90) -> UInt8Array:
    return np.full((*sight.shape, 3), level, dtype=np.uint8)


def painted(sight: ClipSight, level: int = 190) -> UInt8Array:
    """A plain road with the lines drawn one pixel wide."""
    frames = plain(sight)
    pieces = painted_pieces(sight.scene.hdmap)
    for view, camera in enumerate(sight.cameras.cameras):
        for t in range(sight.shape[1]):
            ends = sight.cameras.world_from_camera[view, t].inverse().apply(pieces.reshape(-1, 3)).reshape(-1, 2, 3)
            ends = ends[(ends[..., 2] > 1.0).all(axis=1) & (np.linalg.norm(ends[:, 0], axis=1) < FARTHEST_M)]
            for first, last in np.rint(camera.project(ends)[0]).astype(int):
                cv2.line(frames[view, t], first.tolist(), last.tolist(), (level,) * 3)
    return frames


def test_paint_is_brighter_than_both_its_sides_by_what_it_was_painted_with(sight: ClipSight) -> None:
    found = lane_line_adherence(painted(sight), sight)
    assert len(found) and found.better_pictures.all() and found.better_frames.all()
    assert (found.value > 30).all() and (found.value <= 100).all()
    assert (np.abs(found.null) < 0.2 * found.value).all()


def test_lines_that_are_dark_or_elsewhere_or_not_there_are_no_better_than_the_null(sight: ClipSight) -> None:
    for frames in (painted(sight, level=20), painted(sight)[:, :, ::-1], plain(sight)):
        assert not lane_line_adherence(frames, sight).better_frames.any()


def test_the_reference_world_follows_its_lines_and_blurred_it_does_not(sight: ClipSight, world: UInt8Array) -> None:
    found = lane_line_adherence(world, sight)
    assert set(found.view.tolist()) == {0, 1}  # to the right there are only lawns
    assert found.better_pictures.all()
    blurred = np.stack([[cv2.GaussianBlur(picture, (0, 0), 8) for picture in view] for view in world])
    assert lane_line_adherence(blurred, sight).better_pictures.mean() < 0.5
    assert lane_line_adherence(np.roll(world, 1, axis=0), sight).better_frames.mean() < 0.5


def test_a_scene_without_lines_has_no_pictures_to_measure(sight: ClipSight) -> None:
    bare = replace(sight, scene=replace(sight.scene, hdmap=replace(sight.scene.hdmap, lane_lines=())))
    found = lane_line_adherence(plain(sight), bare)
    assert len(found) == 0 and len(found.better_frames) == 0


def test_only_the_paint_of_a_dashed_line_counts() -> None:
    line = Polyline(np.array([[0.0, 0.0, 0.0], [24.0, 0.0, 0.0]]))
    pieces = painted_pieces(HDMap(lane_lines=(LaneLine("a", line, "WHITE", "LONG_DASHED_SINGLE"),)))
    along = pieces[..., 0].mean(axis=1)
    assert len(along) and (np.mod(along, 12.0) <= 3.0).all()
    assert {0, 1} == set((along // 12.0).astype(int).tolist())


def test_a_frame_is_better_when_its_views_together_are() -> None:
    rows = [Row(0, 0, 1.0, 10.0, 0.0), Row(1, 0, 1.0, -4.0, 0.0), Row(0, 1, 1.0, 10.0, 0.0), Row(1, 1, 3.0, -4.0, 0.0)]
    found = Adherence.of(rows, margin=1.0)
    assert found.better_pictures.tolist() == [True, False, True, False]
    assert found.better_frames.tolist() == [True, False]  # (10 - 4) / 2 and (10 - 12) / 4


@pytest.mark.parametrize("margin", [2.0, 3.0])
def test_what_is_above_the_null_by_less_than_the_margin_is_no_better(margin: float) -> None:
    assert not Adherence.of([Row(0, 0, 1.0, 5.0, 3.0)], margin).better_frames.any()
