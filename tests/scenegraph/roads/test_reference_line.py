"""Reference lines: every geometry against numbers computed otherwise, slope, bank, and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import fresnel

from scenegraph import MapError
from scenegraph.arrays import FloatArray
from scenegraph.roads.network import (
    Arc,
    Cubic,
    LaneSection,
    Line,
    ParamPoly3,
    PlanGeometry,
    PlanShape,
    Road,
    Spiral,
)
from scenegraph.roads.reference_line import Cubics, ReferenceLine, plan_points, road_point, road_pose

SECTION = (LaneSection(0.0, ()),)


def road(*plan: PlanGeometry, elevation: tuple[Cubic, ...] = (), bank: tuple[Cubic, ...] = ()) -> Road:
    length_m = sum(geometry.length_m for geometry in plan)
    return Road("1", length_m, plan, SECTION, elevation=elevation, superelevation=bank)


def straight(length_m: float = 100.0, heading_rad: float = 0.0) -> PlanGeometry:
    return PlanGeometry(0.0, 10.0, 20.0, heading_rad, length_m, Line())


def integrated(curvature_at: tuple[float, float], length_m: float) -> FloatArray:
    """End (x, y, heading) of a line from the origin whose curvature goes linearly from one value to the other."""
    start, end = curvature_at

    def forward(s: float, state: FloatArray) -> list[float]:
        return [math.cos(state[2]), math.sin(state[2]), start + (end - start) * s / length_m]

    solved = solve_ivp(forward, (0.0, length_m), [0.0, 0.0, 0.0], rtol=1e-12, atol=1e-12, method="DOP853")
    return np.asarray(solved.y[:, -1])


def end_of(shape: PlanShape, length_m: float) -> FloatArray:
    xy, heading = plan_points(PlanGeometry(0.0, 0.0, 0.0, 0.0, length_m, shape), np.array([length_m]))
    return np.array([*xy[0], heading[0]])


def test_a_line_goes_straight_on_along_its_heading() -> None:
    assert road_point(road(straight(heading_rad=math.pi / 2)), np.array([0.0, 30.0, 100.0])) == pytest.approx(
        np.array([[10.0, 20.0, 0.0], [10.0, 50.0, 0.0], [10.0, 120.0, 0.0]])
    )


def test_a_quarter_circle_ends_where_it_should() -> None:
    assert end_of(Arc(0.02), 25 * math.pi) == pytest.approx([50.0, 50.0, math.pi / 2], abs=1e-12)
    assert end_of(Arc(-0.02), 25 * math.pi) == pytest.approx([50.0, -50.0, -math.pi / 2], abs=1e-12)


@pytest.mark.parametrize("curvature", [0.0, 1e-12, 1e-7, -3e-5, 0.004, -0.2])
def test_an_arc_agrees_with_integration(curvature: float) -> None:
    assert end_of(Arc(curvature), 60.0) == pytest.approx(integrated((curvature, curvature), 60.0), abs=1e-8)


@pytest.mark.parametrize(
    ("start", "end", "length_m"),
    [
        (0.0, 0.01, 80.0),
        (0.0, -0.15, 30.0),
        (0.01, -0.02, 120.0),
        (0.004, 0.0040001, 400.0),
        (0.3, -0.3, 60.0),
        (0.0, 1e-9, 500.0),
        (0.02, 0.02, 50.0),
        (-0.5, 0.1, 100.0),
    ],
)
def test_a_spiral_agrees_with_integration(start: float, end: float, length_m: float) -> None:
    assert end_of(Spiral(start, end), length_m) == pytest.approx(integrated((start, end), length_m), abs=1e-7)


def test_a_spiral_from_a_straight_is_a_fresnel_integral() -> None:
    length_m, end = 70.0, 0.03
    scale_m = math.sqrt(math.pi * length_m / end)
    s = np.linspace(0.0, length_m, 50)
    sine, cosine = fresnel(s / scale_m)
    xy, heading = plan_points(PlanGeometry(0.0, 0.0, 0.0, 0.0, length_m, Spiral(0.0, end)), s)
    assert xy == pytest.approx(scale_m * np.stack([cosine, sine], axis=1), abs=1e-11)
    assert heading == pytest.approx(end * s**2 / (2 * length_m), abs=1e-14)


def test_a_parametric_cubic_takes_metres_or_a_share_of_its_length() -> None:
    in_metres = ParamPoly3((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.01, 0.0))
    as_share = ParamPoly3((0.0, 20.0, 0.0, 0.0), (0.0, 0.0, 4.0, 0.0), is_normalised=True)
    assert end_of(in_metres, 20.0) == pytest.approx([20.0, 4.0, math.atan(0.4)])
    assert end_of(as_share, 20.0) == pytest.approx([20.0, 4.0, math.atan(0.4)])
    middle, _ = plan_points(PlanGeometry(0.0, 1.0, 2.0, math.pi / 2, 20.0, as_share), np.array([10.0]))
    assert middle == pytest.approx(np.array([[1.0 - 1.0, 2.0 + 10.0]]))


def test_a_cubic_of_u_is_walked_by_its_length() -> None:
    # v = 0.75 u: a straight of slope 3/4, so 5 m along it are 4 m ahead and 3 m to the left.
    slanted = ParamPoly3((0.0, 1.0, 0.0, 0.0), (0.0, 0.75, 0.0, 0.0), is_function_of_u=True)
    assert end_of(slanted, 5.0) == pytest.approx([4.0, 3.0, math.atan(0.75)])
    bent = ParamPoly3((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.01, -1e-4), is_function_of_u=True)
    xy, _ = plan_points(PlanGeometry(0.0, 0.0, 0.0, 0.0, 60.0, bent), np.linspace(0.0, 60.0, 60_001))
    assert np.linalg.norm(np.diff(xy, axis=0), axis=1) == pytest.approx(np.full(60_000, 1e-3), abs=1e-9)


def test_geometries_follow_each_other_and_ends_are_held() -> None:
    bend = PlanGeometry(100.0, 110.0, 20.0, 0.0, 25 * math.pi, Arc(0.02))
    line = ReferenceLine(road(straight(), bend))
    xy, heading = line.plan_at(np.array([-5.0, 0.0, 100.0, 100 + 25 * math.pi, 1000.0]))
    assert xy == pytest.approx(np.array([[10, 20], [10, 20], [110, 20], [160, 70], [160, 70]], dtype=float))
    assert heading == pytest.approx([0.0, 0.0, 0.0, math.pi / 2, math.pi / 2])


def test_any_shape_of_stations_is_answered() -> None:
    stations = np.linspace(0.0, 90.0, 6).reshape(2, 3)
    pose = road_pose(road(straight()), stations, 2.0, 0.5)
    assert pose.shape == (2, 3)
    assert pose.translation_m[..., 0] == pytest.approx(10.0 + stations)
    assert road_point(road(straight()), np.array(4.0), 1.0) == pytest.approx([14.0, 21.0, 0.0])


def test_a_climb_lifts_the_front_and_a_bank_the_left_side() -> None:
    slope, bank = 0.1, 0.05
    tilted = road(straight(), elevation=(Cubic(0.0, 5.0, slope),), bank=(Cubic(0.0, bank),))
    pose = road_pose(tilted, np.array(50.0))
    climb = math.atan(slope)
    assert pose.translation_m == pytest.approx([60.0, 20.0, 10.0])
    assert pose.rotation[:, 0] == pytest.approx([math.cos(climb), 0.0, math.sin(climb)])
    assert pose.rotation[2, 1] == pytest.approx(math.sin(bank) * math.cos(climb))
    assert pose.rotation @ pose.rotation.T == pytest.approx(np.eye(3), abs=1e-15)
    assert np.linalg.det(pose.rotation) == pytest.approx(1.0)


def test_on_a_banked_road_the_left_edge_is_higher_and_nearer() -> None:
    banked = road(straight(), bank=(Cubic(0.0, 0.1),))
    assert road_point(banked, np.array(50.0), 4.0) == pytest.approx([60.0, 20 + 4 * math.cos(0.1), 4 * math.sin(0.1)])
    assert road_point(banked, np.array(50.0), -4.0) == pytest.approx([60.0, 20 - 4 * math.cos(0.1), -4 * math.sin(0.1)])


def test_height_is_measured_square_to_the_road() -> None:
    banked = road(straight(), bank=(Cubic(0.0, 0.1),))
    assert road_point(banked, np.array(0.0), 0.0, 2.0) == pytest.approx(
        [10.0, 20 - 2 * math.sin(0.1), 2 * math.cos(0.1)]
    )


def test_the_pose_looks_along_the_derivative_of_the_point() -> None:
    plan = PlanGeometry(0.0, 3.0, -2.0, 0.7, 80.0, Spiral(-0.02, 0.03))
    hilly = road(plan, elevation=(Cubic(0.0, 1.0, 0.02, -1e-3, 5e-6), Cubic(40.0, 0.4, -0.03)))
    s = np.array([5.0, 30.0, 39.0, 41.0, 75.0])
    ahead = (road_point(hilly, s + 1e-5) - road_point(hilly, s - 1e-5)) / 2e-5
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    assert road_pose(hilly, s).rotation[:, :, 0] == pytest.approx(ahead, abs=1e-8)


def test_cubics_switch_at_their_starts_and_are_zero_without_pieces() -> None:
    pieces = Cubics([Cubic(10.0, 7.0, -1.0), Cubic(0.0, 1.0, 0.5, 0.25, 0.125)])
    assert pieces.at(np.array([2.0, 9.999999, 10.0, 12.0])) == pytest.approx([4.0, 156.0, 7.0, 5.0], abs=1e-3)
    assert pieces.slope_at(np.array([2.0, 12.0])) == pytest.approx([3.0, -1.0])
    assert Cubics([]).at(np.array([3.0])).tolist() == [0.0]


def test_a_road_without_a_plan_is_refused() -> None:
    with pytest.raises(MapError, match=r"^road 7: its plan has no geometry\. A road needs at least one$"):
        ReferenceLine(Road("7", 10.0, (), SECTION))
