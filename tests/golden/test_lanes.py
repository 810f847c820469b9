"""Cutting, patterns and polygons against the golden pieces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from render.lane_styles import cut, lane_line_paint, strand_pieces, strips
from render.map_layer import polygon_triangles
from scenegraph import Polyline


@pytest.fixture(scope="module")
def patterns(golden_render: Path) -> dict[str, Any]:
    return json.loads((golden_render / "lanes" / "patterns.json").read_text())


@pytest.fixture(scope="module")
def arrays(golden_render: Path) -> dict[str, np.ndarray]:
    return dict(np.load(golden_render / "lanes" / "patterns.npz"))


def _line(patterns: dict[str, Any], name: str) -> np.ndarray:
    return np.array(patterns["lines"][name], dtype=float)


def test_lines_are_cut_at_exactly_the_golden_points(patterns: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    assert len(patterns["subdivision_point_counts"]) == 12
    for key, count in patterns["subdivision_point_counts"].items():
        name, step_m = key.split("|")
        points = cut(_line(patterns, name), float(step_m))
        assert len(points) == count, key
        if f"sub|{key}" in arrays:
            np.testing.assert_allclose(points, arrays[f"sub|{key}"], atol=1e-6)


def test_strands_have_exactly_the_golden_pieces_and_colours(
    patterns: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    assert len(patterns["strands"]) == 56
    for strand in patterns["strands"]:
        colour, _, style = strand["type"].partition(" ")
        rgb, strands = lane_line_paint(colour, style)
        offset_m, pattern = strands[strand["strand"]]
        pieces = strand_pieces(_line(patterns, strand["line"]), pattern, offset_m)
        expected = arrays[f"{strand['line']}|{strand['type']}|{strand['strand']}"]
        assert len(pieces) == strand["n_segments"], strand
        np.testing.assert_allclose(pieces, expected.reshape(pieces.shape), atol=1e-6)
        assert list(rgb) == strand["rgb"]


def test_strips_keep_every_piece(patterns: dict[str, Any]) -> None:
    for pattern in ("solid", "long_dash", "short_dash", "dots", "dot_dash"):
        pieces = strand_pieces(_line(patterns, "three_edges"), pattern, 0.1)
        points, starts = strips(pieces)
        joined = np.flatnonzero(~starts)
        np.testing.assert_allclose(np.stack([points[joined - 1], points[joined]], axis=1), pieces, atol=1e-9)


def test_polygons_fill_their_convex_hull(patterns: dict[str, Any]) -> None:
    for polygon in patterns["polygons"]:
        triangles = polygon_triangles(Polyline(np.array(polygon["vertices"], dtype=float)))
        a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
        area_m2 = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2
        assert area_m2 == pytest.approx(polygon["area_xy"], abs=1e-3)
        assert len(triangles) <= polygon["n_triangles"]
