from __future__ import annotations

import numpy as np
import pytest
import shapely
from pytest import approx

from render.world.drivable import drivable_area, road_mouths, way_on_ground
from scenegraph import HDMap, LaneLine, LaneSegment, Polyline, RoadBoundary
from scenegraph.formats.argoverse2 import read_argoverse2


def line(*points) -> Polyline:
    return Polyline(np.array([(*point, 0.0) for point in points], dtype=float))


def lane(name: str, low_m: float, from_m: float = 0.0, to_m: float = 100.0, **more) -> LaneSegment:
    """3.5 m wide along x; low_m: y of its right edge."""
    left, right = (line((from_m, y), (to_m, y)) for y in (low_m + 3.5, low_m))
    return LaneSegment(name, left, right, **more)


def boundary(name: str, *points, category: str = "road_edge") -> RoadBoundary:
    return RoadBoundary(name, line(*points), category)


def test_two_lanes_and_their_shoulders_make_one_rectangle():
    hdmap = HDMap(
        lane_segments=(lane("a", 0.0), lane("b", -3.5)),
        road_boundaries=(boundary("l", (0, 4.5), (100, 4.5)), boundary("r", (0, -6.0), (100, -6.0))),
    )
    area = drivable_area(hdmap)
    assert area.geom_type == "Polygon" and area.area == approx(100 * 10.5, rel=1e-3)
    assert area.bounds == approx((0.0, -6.0, 100.0, 4.5), abs=0.05)


def test_a_boundary_far_from_all_lanes_adds_nothing():
    hdmap = HDMap(lane_segments=(lane("a", 0.0),), road_boundaries=(boundary("l", (0, 30), (100, 30)),))
    assert drivable_area(hdmap).area == approx(350.0, rel=1e-3)


def test_a_ring_of_driveable_area_within_another_is_an_island():
    def square(half: float) -> tuple[tuple[float, float], ...]:
        return ((-half, -half), (half, -half), (half, half), (-half, half), (-half, -half))

    rings = (
        boundary("out", *square(50.0), category="drivable_area"),
        boundary("in", *square(20.0), category="drivable_area"),
    )
    area = drivable_area(HDMap(road_boundaries=rings))
    assert area.area == approx(100**2 - 40**2, rel=1e-3)
    assert not shapely.contains_xy(area, 0.0, 0.0)


def test_without_lane_segments_the_road_lies_between_its_lines_around_the_ego_path():
    hdmap = HDMap(
        lane_lines=(LaneLine("m", line((0, 2), (60, 2)), "WHITE", "DASHED_SINGLE"),),
        road_boundaries=(boundary("l", (0, 9), (60, 9)), boundary("r", (0, -4), (60, -4))),
    )
    area = drivable_area(hdmap, np.stack([np.linspace(0, 60, 61), np.zeros(61)], axis=1))
    inside = shapely.intersects_xy(area, [30, 30, 30, 30], [8.5, -3.5, 9.5, -4.5])
    assert inside.tolist() == [True, True, False, False]


def test_the_ego_path_counts_as_a_lane():
    area = drivable_area(HDMap(lane_segments=(lane("a", 0.0),)), np.array([[50.0, -20.0], [50.0, 0.0]]))
    assert shapely.contains_xy(area, 51.0, -10.0) and not shapely.contains_xy(area, 55.0, -10.0)


def test_an_empty_map_has_no_drivable_area():
    assert drivable_area(HDMap()).is_empty


def test_roads_go_on_straight_ahead_only_at_ends_that_nothing_joins():
    first = lane("a", 0.0, 0.0, 50.0, successors=("b",))
    second = lane("b", 0.0, 50.0, 100.0, predecessors=("a",))
    hdmap = HDMap(lane_segments=(first, second))
    mouths = road_mouths(hdmap, drivable_area(hdmap))
    inside = shapely.intersects_xy(mouths, [-40, 140, 50, 140], [1.75, 1.75, 1.75, 20.0])
    assert inside.tolist() == [True, True, False, False]


@pytest.fixture(scope="module")
def argoverse(av2_log):
    return read_argoverse2(av2_log)


def test_the_ego_and_nearly_all_moving_cars_of_a_log_are_on_its_drivable_area(argoverse):
    area = drivable_area(argoverse.hdmap)
    shapely.prepare(area)
    assert shapely.intersects_xy(area, argoverse.ego.world_from_body.translation_m[:, :2]).all()
    holes = [shapely.Polygon(ring) for part in shapely.get_parts(area) for ring in part.interiors]
    assert sum(hole.area > 2000 for hole in holes) >= 3  # blocks between streets


@pytest.mark.filterwarnings("error")
def test_a_path_that_stands_still_now_and_then_is_measured_to_without_warnings() -> None:
    path = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [3.0, 0.0, 1.0]])
    assert shapely.distance(way_on_ground(path), shapely.points([[3.0, 4.0]])).tolist() == [4.0]
    assert way_on_ground(path[:2]).equals(shapely.Point(0.0, 0.0))
