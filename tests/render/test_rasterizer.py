"""The rasteriser against a plain one: every sample of every primitive tested on its own."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from render.rasterizer import rasterize

SAMPLES = ((0.625, 0.125), (0.125, 0.375), (0.875, 0.625), (0.375, 0.875))
LEVELS_PER_M = (2**24 - 1) / 200.0
EPS = np.finfo(np.float64).eps
Wide = np.longdouble


def drawn(xyz, rgb, half_width, width, height):
    out = np.full((height, width, 3), 77, dtype=np.uint8)
    rasterize(np.ascontiguousarray(xyz), np.ascontiguousarray(rgb), half_width, len(half_width), out)
    return out


# -- the plain rasteriser ---------------------------------------------------------------------


def outline(xyz, half_width, aspect):
    """Corners [n,2], in a picture whose y is stretched by the aspect so that lines are round."""
    points = xyz[:, :2].astype(Wide) * (1, Wide(aspect))
    if half_width == 0:
        return points
    along = points[1] - points[0]
    heading = np.arctan2(along[1], along[0]) if along.any() else Wide(0)
    turns = heading + np.linspace(-np.pi / 2, np.pi / 2, 9).astype(Wide)
    cap = half_width * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    return np.concatenate([points[1] + cap, points[0] - cap])


def inside(corners, x, y):
    """How far samples lie inside of a convex outline (negative: outside), in pixels."""
    ahead = np.roll(corners, -1, axis=0) - corners
    area = (corners[:, 0] * np.roll(corners[:, 1], -1) - corners[:, 1] * np.roll(corners[:, 0], -1)).sum()
    depth = np.full(x.shape, np.inf, dtype=Wide)
    for (cx, cy), (dx, dy) in zip(corners, ahead, strict=True):
        length = np.hypot(dx, dy)
        if length > 0:
            depth = np.minimum(depth, np.sign(area) * (dx * (y - cy) - dy * (x - cx)) / length)
    return depth


def linear(xyz, values, half_width, aspect, x, y):
    """A quantity given at the vertices, linear in the picture, at places; and how far float64 may be off."""
    points = xyz[:, :2].astype(Wide)
    values = values.astype(Wide)
    if half_width > 0:
        dx, dy = points[1, 0] - points[0, 0], (points[1, 1] - points[0, 1]) * aspect
        squared = dx * dx + dy * dy
        if squared == 0:
            return np.full(x.shape, values[0]), np.zeros(x.shape)
        share = ((x - points[0, 0]) * dx + (y - points[0, 1]) * aspect * dy) / squared
        reach = (np.abs(points).max() + np.abs(x).max() + np.abs(y).max()) / np.sqrt(squared)
        return values[0] + np.clip(share, 0, 1) * (values[1] - values[0]), 64 * EPS * np.abs(values).max() * reach
    (x0, y0), (x1, y1), (x2, y2) = points
    first, second = (x1 - x0) * (y2 - y0), (x2 - x0) * (y1 - y0)
    area = first - second
    by_x = ((values[1] - values[0]) * (y2 - y0) - (values[2] - values[0]) * (y1 - y0)) / area
    by_y = ((values[2] - values[0]) * (x1 - x0) - (values[1] - values[0]) * (x2 - x0)) / area
    spread = np.abs(values - values[0]).max() * np.abs(points - points[0]).max() / np.abs(area)
    reach = np.abs(points).max() + np.abs(x).max() + np.abs(y).max()
    lost = (np.abs(first) + np.abs(second)) / np.abs(area)
    doubt = 64 * EPS * ((spread + np.abs(by_x) + np.abs(by_y)) * reach * (1 + lost) + np.abs(values).max())
    return values[0] + by_x * (x - x0) + by_y * (y - y0), doubt


def plain(xyz, rgb, half_widths, width, height):
    """Picture uint8 [H,W,3], and bool [H,W]: where float64 arithmetic may decide either way.

    That is where a sample lies on an edge, two depths differ by less than arithmetic can tell, or a colour
    lies between two levels, each within a bound on the rounding errors.
    """
    aspect = width / height
    row, column = np.mgrid[:height, :width]
    x = (column[..., None] + np.array([s[0] for s in SAMPLES])).astype(Wide)
    y = (row[..., None] + np.array([s[1] for s in SAMPLES])).astype(Wide)
    buffer = np.full((3, *x.shape), 2**40, dtype=np.int64)  # level, and the lowest and highest it may be
    colours = np.zeros((*x.shape, 3), dtype=np.int64)
    unsure = np.zeros((height, width), dtype=bool)
    for corners, colour, half in zip(xyz, rgb, half_widths, strict=True):
        vertices = corners[:2] if half > 0 else corners
        hull = outline(vertices, half, aspect)
        sides = hull[1:] - hull[0]
        if half == 0 and np.abs(sides[0, 0] * sides[1, 1] - sides[0, 1] * sides[1, 0]) == 0:
            continue
        within = inside(hull, x, y * aspect)
        edge = 1e-13 * max(1e5, float(np.abs(hull).max()))
        if not (within > -edge).any():
            continue
        depth_m, depth_doubt = linear(vertices, vertices[:, 2], half, aspect, x, y)
        low, high = vertices[:, 2].min(), vertices[:, 2].max()
        depth_m = np.clip(depth_m, low, high) * Wide(LEVELS_PER_M) + 0.5
        give = depth_doubt * LEVELS_PER_M + 1e-6 * width
        lowest = np.floor(np.maximum(depth_m - give, low * LEVELS_PER_M + 0.5 - 1e-6)).astype(np.int64)
        highest = np.floor(np.minimum(depth_m + give, high * LEVELS_PER_M + 0.5 + 1e-6)).astype(np.int64)
        level = np.floor(depth_m).astype(np.int64)
        found = np.stack([level, lowest, highest])
        hidden = lowest >= buffer[2]
        on_edge = (np.abs(within) <= edge) & ~hidden
        tie = (within > -edge) & ~hidden & (highest >= buffer[1])
        wins = (within > 0) & (level < buffer[0])
        unsure |= (on_edge | tie).any(axis=-1)
        for channel in range(3):
            value, doubt = linear(vertices, colour[: len(vertices), channel], half, aspect, column + 0.5, row + 0.5)
            value = np.clip(value, 0, 255)
            between = np.abs(value - np.floor(value) - 0.5) <= doubt + 1e-9
            unsure |= between & wins.any(axis=-1)
            colours[..., channel][wins] = np.broadcast_to(np.floor(value + 0.5)[..., None], x.shape)[wins]
        buffer[:, wins] = found[:, wins]
    return ((colours.sum(axis=2) + 2) // 4).astype(np.uint8), unsure


# -- random primitives ------------------------------------------------------------------------


def random_primitives(seed, count, width, height, far_px=1e6):
    """Triangles and line pieces, many of them awkward."""
    rng = np.random.default_rng(seed)
    size = np.array([width, height])
    xyz, rgb = np.zeros((count, 3, 3)), rng.uniform(0, 255, (count, 3, 3))
    half_width = np.where(rng.random(count) < 0.5, rng.choice([1e-6, 0.3, 1.0, 2.5, 6.0], count), 0.0)
    for p in range(count):
        kind = rng.integers(7)
        points = rng.uniform(-0.5, 1.5, (3, 2)) * size
        if kind == 1:  # reaches far out of the picture
            points[rng.integers(3)] = rng.uniform(-far_px, far_px, 2)
        elif kind == 2:  # all of it far out
            points = rng.uniform(-far_px, far_px, (3, 2))
        elif kind == 3:  # a point, or a needle
            points[1] = points[0] + rng.choice([0.0, 1e-9, 1e-3])
        elif kind == 4:  # corners on the grid of samples
            points = np.round(points * 8) / 8
        elif kind == 5:  # smaller than a pixel
            points = points[0] + rng.uniform(-1, 1, (3, 2))
        elif kind == 6:  # level or upright
            points[1, rng.integers(2)] = points[0, rng.integers(2)]
        xyz[p, :, :2] = points
        xyz[p, :, 2] = rng.uniform(0.05, 200, 3) if rng.random() < 0.7 else rng.choice([5.0, 20.0, 199.0])
    return xyz, rgb, half_width


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.integers(1, 48),
    st.integers(1, 48),
    st.sampled_from([1e4, 1e6, 3e8]),
)
@example(0, 14, 1, 1, 1e6)
@example(1, 14, 17, 33, 1e6)
@example(2, 14, 48, 16, 1e6)
def test_every_pixel_is_that_of_the_plain_rasteriser(seed, count, width, height, far_px):
    primitives = random_primitives(seed, count, width, height, far_px)
    expected, unsure = plain(*primitives, width, height)
    found = drawn(*primitives, width, height)
    wrong = (found != expected).any(axis=-1) & ~unsure
    assert not wrong.any(), f"{wrong.sum()} pixels, first at {np.argwhere(wrong)[0]}"


def test_the_plain_rasteriser_is_hardly_ever_unsure():
    covered = doubtful = 0
    for seed in range(20):
        xyz, rgb, half_width = random_primitives(seed, 12, 48, 40)
        expected, unsure = plain(xyz, rgb, half_width, 48, 40)
        covered, doubtful = covered + expected.any(axis=-1).sum(), doubtful + unsure.sum()
    assert covered > 20_000 and doubtful < 0.01 * covered


def steep(seed):
    """Triangles and pieces a few pixels large that reach from the lens to the end of sight."""
    rng = np.random.default_rng(seed)
    xyz = np.zeros((30, 3, 3))
    xyz[..., :2] = rng.uniform(0, 40, (30, 1, 2)) + rng.uniform(-4, 4, (30, 3, 2))
    xyz[..., 2] = rng.choice([0.05, 199.9, 100.0], (30, 3))
    return xyz, rng.uniform(0, 255, (30, 3, 3)), np.where(np.arange(30) % 3 == 0, 3.0, 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_steep_depth_takes_the_other_path_to_the_same_pixels(seed):
    xyz, rgb, half_width = steep(seed)
    expected, unsure = plain(xyz, rgb, half_width, 48, 40)
    assert unsure.mean() < 0.05
    np.testing.assert_array_equal(drawn(xyz, rgb, half_width, 48, 40)[~unsure], expected[~unsure])


# -- numbers on paper -------------------------------------------------------------------------


def quad(left, top, right, bottom, depth_m, colour):
    """Two triangles that share a diagonal."""
    a, b, c, d = (left, top, depth_m), (right, top, depth_m), (right, bottom, depth_m), (left, bottom, depth_m)
    return np.array([[a, b, c], [a, c, d]], dtype=float), np.full((2, 3, 3), colour, dtype=float), np.zeros(2)


def test_pixel_i_j_covers_i_to_i_plus_one():
    out = drawn(*quad(3, 2, 7, 5, 10.0, 200.0), 12, 8)
    expected = np.zeros((8, 12, 3), dtype=np.uint8)
    expected[2:5, 3:7] = 200
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_quarter_of_a_pixel_is_a_quarter_of_the_colour(quarter):
    across = drawn(*quad(3 + quarter / 4, 2, 7, 5, 10.0, 200.0), 12, 8)
    down = drawn(*quad(3, 2 + quarter / 4, 7, 5, 10.0, 200.0), 12, 8)
    assert (across[2:5, 3] == 200 - 50 * quarter).all() and (across[2:5, 4:7] == 200).all()
    assert (down[2, 3:7] == 200 - 50 * quarter).all() and (down[3:5, 3:7] == 200).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 128), min_size=8, max_size=8))
def test_triangles_that_share_an_edge_leave_no_gap_and_no_overlap(eighths):
    """Also where samples lie on the edge: corners are multiples of 1/8, as samples are."""
    a, b, c, d = np.array(eighths).reshape(4, 2) / 8
    mine = [np.cross(b - a, c - a), np.cross(c - a, d - a)]
    if not (mine[0] * mine[1] > 0):
        return
    fan = np.array([[a, b, c], [a, c, d]])
    xyz = np.concatenate([fan, np.full((2, 3, 1), 10.0)], axis=-1)
    alone = [drawn(xyz[i : i + 1], np.full((1, 3, 3), 4.0), np.zeros(1), 16, 16).astype(int) for i in range(2)]
    both = drawn(xyz, np.full((2, 3, 3), 4.0), np.zeros(2), 16, 16).astype(int)
    np.testing.assert_array_equal(alone[0] + alone[1], both)


def test_order_of_a_triangles_corners_does_not_matter():
    rng = np.random.default_rng(3)
    xyz, rgb = rng.uniform(0, 40, (1, 3, 3)), rng.uniform(0, 255, (1, 3, 3))
    expected = drawn(xyz, rgb, np.zeros(1), 40, 40)
    assert expected.any()
    for order in ([1, 2, 0], [2, 1, 0], [0, 2, 1]):
        np.testing.assert_array_equal(drawn(xyz[:, order], rgb[:, order], np.zeros(1), 40, 40), expected)


def test_the_nearer_one_wins_whatever_the_order():
    near, far = quad(2, 2, 8, 8, 10.0, 90.0), quad(0, 0, 10, 10, 20.0, 200.0)
    for pair in ((near, far), (far, near)):
        out = drawn(*(np.concatenate(parts) for parts in zip(*pair, strict=True)), 10, 10)
        assert (out[2:8, 2:8] == 90).all() and (out[0] == 200).all()


def test_depth_is_told_apart_to_a_part_in_two_to_the_twenty_four():
    one, other = quad(0, 0, 10, 10, 150.0, 90.0), quad(0, 0, 10, 10, 150.0 - 200 / 2**24 * 1.5, 200.0)
    out = drawn(*(np.concatenate(parts) for parts in zip(one, other, strict=True)), 10, 10)
    assert (out == 200).all()


def test_at_equal_depth_the_first_one_stays():
    one, other = quad(0, 0, 10, 10, 20.0, 90.0), quad(0, 0, 10, 10, 20.0 + 2e-6, 200.0)
    out = drawn(*(np.concatenate(parts) for parts in zip(one, other, strict=True)), 10, 10)
    assert (out == 90).all()


def test_a_line_is_thinner_across_the_longer_side_and_has_elliptic_ends():
    xyz = np.zeros((2, 3, 3))
    xyz[0, :2] = (40.0, 30.0, 10.0), (120.0, 30.0, 10.0)
    xyz[1, :2] = (30.0, 50.0, 10.0), (30.0, 80.0, 10.0)
    out = drawn(xyz, np.full((2, 3, 3), 255.0), np.array([6.0, 6.0]), 160, 90)
    covered = out[..., 0] / 255.0
    assert covered[:, 80].sum() == pytest.approx(12 * 90 / 160, abs=0.26)
    assert covered[65].sum() == pytest.approx(12, abs=0.26)
    assert covered[30, 130:].sum() == 0 and covered[30, 120:].sum() == pytest.approx(6, abs=0.3)
    assert covered[80:, 30].sum() == pytest.approx(6 * 90 / 160, abs=0.3)


def test_coordinates_that_are_not_numbers_or_too_far_draw_nothing():
    for bad in (np.nan, np.inf, -np.inf, 1e300):
        for corner in range(3):
            xyz, rgb, half_width = quad(2, 2, 8, 8, 10.0, 90.0)
            xyz[:, corner, 0] = bad
            assert not drawn(xyz, rgb, half_width, 10, 10).any()


def test_nothing_to_draw_is_black():
    assert not drawn(np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), np.zeros(0), 33, 17).any()


def test_rows_of_unused_capacity_are_left_alone():
    xyz, rgb, half_width = quad(0, 0, 10, 10, 20.0, 90.0)
    out = np.empty((10, 10, 3), dtype=np.uint8)
    rasterize(xyz, rgb, half_width, 1, out)
    assert 0 < (out == 90).all(axis=-1).mean() < 0.7
