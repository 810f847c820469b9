"""Lane edges across a road, and where they are sampled."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenegraph.roads.cross_section import LaneStrip, SectionSurvey, survey_road
from scenegraph.roads.network import Arc, Cubic, LaneHeight, LaneSection, Line, PlanGeometry, Road, RoadLane


def lane(number: int, *widths: Cubic, borders: bool = False, heights: tuple[LaneHeight, ...] = ()) -> RoadLane:
    return RoadLane(number, "driving", widths, has_borders=borders, heights=heights)


def road(*sections: LaneSection, length_m: float = 100.0, offset: tuple[Cubic, ...] = (), bend: float = 0.0) -> Road:
    shape = Arc(bend) if bend else Line()
    return Road("1", length_m, (PlanGeometry(0, 0, 0, 0, length_m, shape),), sections, lane_offset=offset)


def strips(survey: SectionSurvey) -> dict[int, LaneStrip]:
    return {strip.lane.id: strip for strip in survey.strips}


def edge_at(strip: LaneStrip, s: float) -> float:
    return float(np.interp(s, strip.stations_m, strip.outer_t_m))


def test_lanes_lie_side_by_side_from_the_offset_outwards() -> None:
    lanes = (lane(2, Cubic(0, 1.5)), lane(1, Cubic(0, 3.0)), lane(-1, Cubic(0, 3.5)), lane(-2, Cubic(0, 2.0)))
    (survey,) = survey_road(road(LaneSection(0, lanes), offset=(Cubic(0, 0.25),)), 10.0)
    found = {key: (strip.inner_t_m[0], strip.outer_t_m[0]) for key, strip in strips(survey).items()}
    assert found == {2: (3.25, 4.75), 1: (0.25, 3.25), 0: (0.25, 0.25), -1: (0.25, -3.25), -2: (-3.25, -5.25)}
    assert survey.strips[0].outer_m[-1].tolist() == [100.0, 4.75, 0.0]
    assert [strip.lane.id for strip in survey.strips] == [2, 1, 0, -1, -2]


def test_left_and_right_are_seen_along_s() -> None:
    (survey,) = survey_road(road(LaneSection(0, (lane(1, Cubic(0, 3.0)), lane(-1, Cubic(0, 3.5))))), 10.0)
    left, right = strips(survey)[1], strips(survey)[-1]
    assert (left.left_m[0, 1], left.right_m[0, 1]) == (3.0, 0.0)
    assert (right.left_m[0, 1], right.right_m[0, 1]) == (0.0, -3.5)


def test_widths_are_counted_from_the_section_and_their_own_offset() -> None:
    taper = (Cubic(0, 3.0), Cubic(10, 3.0, 0.0, -0.06, 0.004))
    sections = LaneSection(0, (lane(-1, Cubic(0, 3.0)),)), LaneSection(40, (lane(-1, *taper),))
    _, second = survey_road(road(*sections), 1.0)
    for s in (45.0, 50.0, 55.0, 60.0):
        d = max(s - 50.0, 0.0)
        assert edge_at(strips(second)[-1], s) == pytest.approx(-(3.0 - 0.06 * d**2 + 0.004 * d**3), abs=2e-3)
    assert second.stations_m[[0, -1]].tolist() == [40.0, 100.0]


def test_a_width_below_zero_is_none() -> None:
    (survey,) = survey_road(road(LaneSection(0, (lane(-1, Cubic(0, 1.0, -0.1)),))), 5.0)
    assert strips(survey)[-1].widths_m.min() == 0.0


def test_borders_say_where_a_lane_ends_whatever_lies_within() -> None:
    lanes = (lane(-1, Cubic(0, -3.0), borders=True), lane(-2, Cubic(0, -5.0, -0.01), borders=True))
    (survey,) = survey_road(road(LaneSection(0, lanes), offset=(Cubic(0, 0.5),)), 10.0)
    assert edge_at(strips(survey)[-1], 50.0) == pytest.approx(-2.5)
    assert edge_at(strips(survey)[-2], 50.0) == pytest.approx(-5.0)


def test_heights_raise_the_edges_of_their_lane_only() -> None:
    raised = lane(-2, Cubic(0, 2.0), heights=(LaneHeight(30.0, 0.12, 0.2),))
    (survey,) = survey_road(road(LaneSection(0, (lane(-1, Cubic(0, 3.0)), raised))), 10.0)
    strip = strips(survey)[-2]
    at = {s: index for index, s in enumerate(strip.stations_m.tolist())}
    assert (strip.inner_m[at[0.0], 2], strip.outer_m[at[0.0], 2]) == (0.0, 0.0)
    assert (strip.inner_m[at[30.0], 2], strip.outer_m[at[30.0], 2]) == (0.12, 0.2)
    assert strips(survey)[-1].outer_m[:, 2].max() == 0.0


def test_a_jump_of_the_offset_between_sections_stays_between_them() -> None:
    sections = LaneSection(0, (lane(-1, Cubic(0, 3.0)),)), LaneSection(50, (lane(-1, Cubic(0, 3.0)),))
    first, second = survey_road(road(*sections, offset=(Cubic(0, 3.5), Cubic(50, 0.0))), 10.0)
    assert set(first.centre.outer_t_m.tolist()) == {3.5}
    assert set(second.centre.outer_t_m.tolist()) == {0.0}


def test_a_jump_within_a_section_is_a_step_and_no_slope() -> None:
    (survey,) = survey_road(road(LaneSection(0, (lane(-1, Cubic(0, 3.0), Cubic(33.3, 6.0)),))), 10.0)
    strip = strips(survey)[-1]
    assert set(strip.widths_m.tolist()) == {3.0, 6.0}
    assert np.ptp(strip.stations_m[np.flatnonzero(np.diff(strip.widths_m))[0] + np.arange(2)]) < 1e-5


@pytest.mark.parametrize("radius_m", [6.0, 40.0, 400.0])
def test_chords_are_true_to_two_centimetres_on_every_edge(radius_m: float) -> None:
    length_m = min(radius_m * math.pi, 300.0)
    lanes = tuple(lane(number, Cubic(0, 2.0)) for number in (2, 1, -1, -2))
    (survey,) = survey_road(road(LaneSection(0, lanes), length_m=length_m, bend=1 / radius_m), 50.0)
    for strip in survey.strips:
        middles = (strip.outer_m[1:] + strip.outer_m[:-1]) / 2
        away_m = np.linalg.norm(middles[:, :2] - (0.0, radius_m), axis=1) - (radius_m - strip.outer_t_m[0])
        assert np.abs(away_m).max() < 0.02
    assert len(survey.stations_m) < length_m / (0.1 * math.sqrt(radius_m))


def test_a_straight_road_needs_no_more_stations_than_asked_for() -> None:
    (survey,) = survey_road(road(LaneSection(0, (lane(-1, Cubic(0, 3.0)),))), 25.0)
    assert survey.stations_m.tolist() == [0.0, 25.0, 50.0, 75.0, 100.0]


def test_sections_without_length_are_passed_over() -> None:
    only = lane(-1, Cubic(0, 3.0))
    sections = (LaneSection(0, (only,)), LaneSection(40, (only,)), LaneSection(40, (only,)))
    assert [survey.index for survey in survey_road(road(*sections), 10.0)] == [0, 2]
