"""The roundabout: its ring, its arms, its islands."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
import shapely

from scenegraph import LaneGraph, LaneSegment
from scenegraph.arrays import FloatArray
from scenegraph.roads.lane_path import lane_path
from scenegraph.roads.procedural import MadeRoad, made_road
from scenegraph.roads.road_spec import RoadSpec, Roundabout

ARMS = ("east", "north", "west", "south")
SPECS = [RoadSpec(Roundabout(r, 90.0), n, m) for r in (10.0, 18.0, 60.0) for n, m in ((1, 1), (2, 1), (1, 2), (3, 2))]
every_spec = pytest.mark.parametrize(
    "spec", SPECS, ids=lambda spec: f"{spec.layout.radius_m:g}-{spec.lanes}-{spec.oncoming_lanes}"
)


@cache
def made(spec: RoadSpec) -> MadeRoad:
    return made_road(spec)


@cache
def graph(spec: RoadSpec) -> LaneGraph:
    return LaneGraph(made(spec).hdmap)


def ring(spec: RoadSpec) -> list[LaneSegment]:
    return [x for x in made(spec).hdmap.lane_segments if x.id.startswith("ring") or "-across" in x.id]


def turned(points: FloatArray) -> float:
    angle = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    return float(angle[-1] - angle[0])


@every_spec
def test_the_ring_closes_and_is_driven_counter_clockwise(spec: RoadSpec) -> None:
    parts = ring(spec)
    assert len(parts) == 8
    assert all(turned(part.centre.points_m) > 0 for part in parts)
    assert sum(turned(part.centre.points_m) for part in parts) == pytest.approx(2 * np.pi)
    for part in parts:
        assert np.linalg.norm(part.centre.points_m[:, :2], axis=1) == pytest.approx(spec.layout.radius_m, abs=0.02)  # type: ignore[union-attr]


def test_left_hand_traffic_drives_the_ring_clockwise() -> None:
    parts = ring(RoadSpec(Roundabout(18.0, 90.0), 1, 1, left_hand=True))
    assert all(turned(part.centre.points_m) < 0 for part in parts)


@every_spec
def test_every_arm_leads_to_every_arm(spec: RoadSpec) -> None:
    lanes = made(spec).hdmap.lane_segments
    entering = [x.id for x in lanes if not graph(spec).predecessors(x.id)]
    leaving = [x.id for x in lanes if not graph(spec).successors(x.id)]
    assert {x.split(":")[0].split("-")[0] for x in entering} == set(ARMS)
    assert len(entering) == len(leaving) == 2 * (spec.lanes + spec.oncoming_lanes)
    for source, target in itertools.product(entering, leaving):
        assert graph(spec).route(source, target) is not None


@every_spec
def test_ways_on_and_off_the_ring_are_driven_smoothly(spec: RoadSpec) -> None:
    lanes = graph(spec)
    for lane in made(spec).hdmap.lane_segments:
        for turn in ("left", "right") if not lanes.predecessors(lane.id) else ():
            path = lane_path(lanes, lane.id, 0.0, 250.0, 0.0, turn)  # type: ignore[arg-type]
            assert np.abs(path.curvatures(np.linspace(1.0, path.last_m - 1, 800))).max() < 1 / 6


@every_spec
def test_whoever_enters_waits_before_the_ring(spec: RoadSpec) -> None:
    hdmap = made(spec).hdmap
    outer_m = spec.layout.radius_m + 2.5  # type: ignore[union-attr]
    assert len(hdmap.stop_lines) == 4
    for line in hdmap.stop_lines:
        inner, outer = sorted(np.linalg.norm(line.polyline.points_m[:, :2], axis=1))
        assert outer_m < inner < outer_m + 1.0 and outer < outer_m + 8.0
    assert sorted(sign.category for sign in hdmap.traffic_signs) == ["205"] * 4 + ["274"] * 4


@pytest.mark.parametrize("radius_m", [18.0, 30.0, 60.0])
def test_islands_of_kerbs_part_what_enters_from_what_leaves(radius_m: float) -> None:
    hdmap = made(RoadSpec(Roundabout(radius_m, 90.0), 1, 1)).hdmap
    kerbs = [shapely.LineString(b.polyline.points_m[:, :2]) for b in hdmap.road_boundaries if b.category == "curb"]
    islands = shapely.get_parts(shapely.union_all([kerb.buffer(0.15) for kerb in kerbs]))
    assert len(kerbs) == 12 and len(islands) == 4
    assert sorted(np.round(np.degrees([np.arctan2(i.centroid.y, i.centroid.x) for i in islands]))) == [-90, 0, 90, 180]


def test_a_small_roundabout_has_no_room_for_islands() -> None:
    hdmap = made(RoadSpec(Roundabout(10.0, 90.0), 1, 1)).hdmap
    assert {boundary.category for boundary in hdmap.road_boundaries} == {"road_edge"}


def test_arms_with_several_lanes_narrow_to_one_before_the_ring() -> None:
    spec = RoadSpec(Roundabout(18.0, 90.0), 3, 2)
    starts = [made(spec).start(lane, 5.0)[0] for lane in range(3)]
    assert starts == ["west-far:0:3", "west-far:0:2", "west-far:0:1"]
    assert [x.id for x in graph(spec).predecessors("west:0:1")] == [
        "west-narrowing:0:1",
        "west-in-2:0:-1",
        "west-in-3:0:-1",
    ]
    assert made(spec).ego_lanes[0] == ("west-far:0:3", "west-in-3:0:-1", "west:0:1")


def test_the_ring_is_wider_and_slower_than_its_arms() -> None:
    spec = RoadSpec(Roundabout(18.0, 90.0), 1, 1)
    lanes = graph(spec)
    assert {part.speed_limit_mps for part in ring(spec)} == {30 / 3.6}
    across = lanes["ring-east:0:-1"]
    assert np.linalg.norm(across.left.points_m[3] - across.right.points_m[3]) == pytest.approx(5.0, abs=0.1)
    assert lanes["west:0:1"].speed_limit_mps == 13.9
