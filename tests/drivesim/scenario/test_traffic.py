import hashlib
import pickle

import numpy as np
import pytest
from pytest import approx
from traffic_maps import LANE_M, crossing, lane, light_states, straight_road, world

from drivesim.errors import ScenarioError
from drivesim.scenario.checks import check_scene
from drivesim.scenario.planned import Bystander, Driver
from drivesim.scenario.reactive import simulate
from drivesim.scenario.schema_actors import ActorFile, TrafficFile
from drivesim.scenario.traffic import place_traffic, plan_reacting
from scenegraph import SE3, Actor, Category, HDMap, Trajectory

BUSY = TrafficFile(per_km=30, parked_per_km=60, pedestrians_per_km=60)


def street(**more):
    return world(straight_road(3, 1000.0), ego_at=(300.0, LANE_M), ego_mps=10.0, **more)


def drivers(planned) -> dict[str, Driver]:
    return {plan.id: plan for plan in planned if isinstance(plan, Driver)}


def bystanders(planned, prefix) -> list[Actor]:
    return [p.actor for p in planned if isinstance(p, Bystander) and p.actor.id.startswith(prefix)]


def standing(name, x, y) -> Actor:
    track = Trajectory(np.array([0, 20_000_000]), SE3.from_yaw(np.zeros(2), np.array([[x, y, 0.8]] * 2)))
    return Actor(name, Category.CAR, track, np.array(4.6), np.array(1.9), np.array(1.55))


def digest(planned) -> str:
    return hashlib.sha256(pickle.dumps([_plain(plan) for plan in planned])).hexdigest()


def _plain(plan):
    if isinstance(plan, Driver):
        return plan
    pose = plan.actor.trajectory.world_from_body
    return plan.actor.id, plan.actor.source_category, pose.rotation.tobytes(), pose.translation_m.tobytes()


# -- how many and where --------------------------------------------------------------------------------


def test_there_are_as_many_vehicles_per_kilometre_and_lane_as_asked_for():
    # From 100 m behind the ego's start to 150 m beyond its end, and 80 m more at both ends: 610 m on three lanes.
    counts = [len(drivers(place_traffic(TrafficFile(per_km=15, mix={"car": 1}), street(), (), s))) for s in range(8)]
    assert np.mean(counts) == approx(15 * 3 * 0.61, rel=0.15)


def test_far_from_the_way_of_the_ego_there_is_nobody():
    xs = [plan.station_m for plan in drivers(place_traffic(BUSY, street(), (), 0)).values()]
    assert min(xs) > 300.0 - 100.0 - 81.0 and max(xs) < 500.0 + 150.0 + 81.0
    assert min(xs) < 200.0 and max(xs) > 650.0


def test_the_mix_is_that_of_the_file():
    traffic = TrafficFile(per_km=20, mix={"truck": 1.0, "motorcycle": 3.0})
    kinds = [plan.category for s in range(6) for plan in drivers(place_traffic(traffic, street(), (), s)).values()]
    assert set(kinds) == {"truck", "motorcycle"}
    assert kinds.count("motorcycle") / len(kinds) == approx(0.75, abs=0.1)


def test_no_density_means_nobody():
    assert place_traffic(TrafficFile(per_km=0), street(), (), 0) == ()


def test_a_map_without_lanes_has_no_traffic():
    assert place_traffic(BUSY, world(HDMap()), (), 0) == ()


def test_cars_keep_off_lanes_for_buses_and_bicycles_and_junctions():
    x = np.arange(0.0, 301.0, 2.0)
    rows = [("BUS", False), ("BIKE", False), ("VEHICLE", True), ("VEHICLE", False)]
    lanes = [
        lane(str(i), np.column_stack([x, np.full_like(x, 10.0 * i)]), lane_type=kind, is_intersection=inside)
        for i, (kind, inside) in enumerate(rows)
    ]
    placed = drivers(place_traffic(BUSY, world(HDMap(tuple(lanes)), ego_at=(100.0, 50.0)), (), 0))
    assert {plan.lane_id for plan in placed.values()} == {"3"}


def test_lorries_do_not_squeeze_into_narrow_lanes():
    x = np.arange(0.0, 301.0, 2.0)
    narrow = lane("narrow", np.column_stack([x, np.zeros_like(x)]), 2.6)
    traffic = TrafficFile(per_km=40, mix={"truck": 0.5, "car": 0.5})
    kinds = {p.category for p in drivers(place_traffic(traffic, world(HDMap((narrow,))), (), 1)).values()}
    assert kinds == set()
    near = world(HDMap((narrow,)), ego_at=(100.0, 20.0))
    assert {p.category for p in drivers(place_traffic(traffic, near, (), 1)).values()} == {"car"}


def test_a_mix_of_nothing_is_refused():
    with pytest.raises(ScenarioError, match=r"^traffic\.mix: shares must not be below 0, and one must be above 0$"):
        place_traffic(TrafficFile(per_km=20, mix={"car": 0.0}), street(), (), 0)


# -- room ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_nothing_touches_anything_in_the_first_two_seconds(seed):
    taken = (standing("stopped", 340.0, LANE_M), standing("beside", 310.0, 0.0))
    road = street(actors=())
    planned = place_traffic(BUSY, road, taken, seed)
    times_us = np.arange(0, 2_000_001, 250_000)
    boxes = {actor.id: actor.boxes_at(times_us).world_from_box.translation_m for actor in taken}
    ego = road.scene.ego.at(times_us).translation_m
    boxes["ego"] = ego + np.array([1.4, 0.0, 0.8])
    for plan in drivers(planned).values():
        x = plan.station_m + plan.speed_mps * times_us / 1e6
        boxes[plan.id] = np.stack([x, np.full_like(x, int(plan.lane_id[-1]) * LANE_M), np.zeros_like(x)], axis=1)
    lengths = {plan.id: plan.body.length_m for plan in drivers(planned).values()}
    names = sorted(boxes)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            same_lane = np.abs(boxes[one][:, 1] - boxes[other][:, 1]) < 2.0
            apart = np.abs(boxes[one][:, 0] - boxes[other][:, 0])
            needed = (lengths.get(one, 4.87) + lengths.get(other, 4.87)) / 2
            assert (apart[same_lane] > needed).all(), (one, other)


@pytest.mark.parametrize("lights", [True, False])
def test_placed_and_simulated_traffic_raises_no_alarm(lights):
    states = light_states() if lights else {}
    road = world(crossing(lights=lights), ego_at=(-100.0, -1.75), ego_mps=8.0, states=states)
    planned = place_traffic(TrafficFile(per_km=30, pedestrians_per_km=60), road, (), 1)
    actors = simulate(planned, road, (), 1)
    assert len(actors) > 0.8 * len(planned)
    scene = world(crossing(lights=lights), ego_at=(-100.0, -1.75), ego_mps=8.0, states=states, actors=actors).scene
    assert [finding.sentence for finding in check_scene(scene) if finding.severity != "note"] == []


# -- beside the road ----------------------------------------------------------------------------------------


def test_parked_vehicles_stand_between_lane_and_kerb_and_look_along_the_road():
    parked = bystanders(place_traffic(BUSY, street(), (), 0), "parked-")
    assert len(parked) > 15
    for actor in parked:
        pose = actor.trajectory.world_from_body
        assert pose.translation_m[0, 1] - actor.width_m[0] / 2 > -LANE_M / 2 - 2.5 + 0.2
        assert pose.translation_m[0, 1] + actor.width_m[0] / 2 < -LANE_M / 2
        assert np.abs(pose.yaw_rad).max() < 0.06
        assert (pose.translation_m == pose.translation_m[0]).all()


def test_where_a_kerb_leaves_no_room_nobody_parks():
    hdmap = straight_road(1, 600.0)
    tight = HDMap(hdmap.lane_segments, road_boundaries=(lane_edge(hdmap),))
    road = world(tight, ego_at=(200.0, 0.0))
    assert bystanders(place_traffic(TrafficFile(parked_per_km=60), road, (), 0), "parked-") == []


def lane_edge(hdmap):
    from scenegraph import RoadBoundary

    return RoadBoundary("kerb", hdmap.lane_segments[0].right, "curb")


def test_people_walk_along_the_road_beyond_the_kerb_and_some_stand():
    people = bystanders(place_traffic(BUSY, street(), (), 0), "walker-")
    moved = []
    for actor in people:
        points = actor.trajectory.world_from_body.translation_m
        steps = np.diff(points[:, :2], axis=0) / 0.1
        beyond = np.maximum(-LANE_M / 2 - 2.5 - points[:, 1], points[:, 1] - (2.5 * LANE_M + 2.5))
        assert beyond.min() > 0.5 and beyond.max() < 3.0
        assert np.abs(steps[:, 1]).max() < 1e-6 and np.abs(steps).max() < 1.7
        moved.append(float(np.abs(steps[:, 0]).mean()))
        if moved[-1] > 0.1:
            heads = np.cos(actor.trajectory.world_from_body.yaw_rad)
            assert (np.sign(heads[:-1]) == np.sign(steps[:, 0])).all()
    assert 0.1 < np.mean(np.array(moved) == 0.0) < 0.45 and len(people) > 30


def test_people_do_not_walk_into_a_junction():
    road = world(crossing(), ego_at=(-100.0, -1.75), ego_mps=8.0, states=light_states())
    for actor in bystanders(place_traffic(BUSY, road, (), 0), "walker-"):
        points = actor.trajectory.world_from_body.translation_m
        assert np.abs(points[:, :2]).max(axis=1).min() > 11.9


# -- the same for the same -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    one, again, other = (digest(place_traffic(BUSY, street(), (), seed)) for seed in (7, 7, 8))
    assert one == again and one != other


def test_the_file_s_own_seed_counts_more():
    own = BUSY.model_copy(update={"seed": 8})
    assert digest(place_traffic(own, street(), (), 7)) == digest(place_traffic(BUSY, street(), (), 8))


def test_an_actor_added_elsewhere_changes_only_who_is_near_it():
    before = place_traffic(BUSY, street(), (), 3)
    after = place_traffic(BUSY, street(), (standing("new", 450.0, 2 * LANE_M),), 3)
    own, new = (
        {_plain(plan)[0] if isinstance(plan, Bystander) else plan.id: _plain(plan) for plan in p}
        for p in (before, after)
    )
    changed = [name for name in own.keys() | new.keys() if own.get(name) != new.get(name)]
    assert 1 <= len(changed) <= 2
    for name in changed:
        plan = drivers(before).get(name) or drivers(after)[name]
        assert abs(plan.station_m - 450.0) < 60.0


def test_ids_are_stable_and_unique():
    planned = place_traffic(BUSY, street(), (), 0)
    names = [plan.id if isinstance(plan, Driver) else plan.actor.id for plan in planned]
    assert len(set(names)) == len(names)
    assert {name.rsplit("-", 1)[0] for name in names} == {"traffic", "parked", "walker"}


# -- actors of the file that react ------------------------------------------------------------------------------


def reacting(**place) -> ActorFile:
    behaviour = {"kind": "keep_lane", "speed_mps": 12.0}
    return ActorFile.model_validate({"id": "a", "place": place, "behaviour": behaviour, "reacts": True})


def test_an_actor_that_reacts_is_a_driver_at_its_place_with_its_speed():
    plan = plan_reacting(reacting(kind="lane", lane="ego+1", ahead_m=40.0), street())
    assert (plan.lane_id, plan.speed_mps, plan.desired_mps, plan.is_background) == ("lane2", 12.0, 12.0, False)
    assert plan.station_m == approx(340.0, abs=0.1)


def test_it_keeps_its_distance_to_what_stands_ahead():
    road, wall = street(), standing("wall", 420.0, 2 * LANE_M)
    plan = plan_reacting(reacting(kind="lane", lane="ego+1", ahead_m=40.0), road)
    (actor,) = simulate([plan], road, [wall])
    scene = street(actors=(actor, wall)).scene
    assert [f.sentence for f in check_scene(scene) if f.kind in ("collision", "kinematics")] == []


def test_a_pose_finds_its_lane():
    plan = plan_reacting(reacting(kind="pose", x_m=30.0, y_m=-3.4), street())
    assert plan.lane_id == "lane0" and plan.station_m == approx(330.0, abs=0.1)


@pytest.mark.parametrize(
    ("place", "behaviour", "says"),
    [
        (
            {"kind": "lane"},
            {"kind": "still"},
            "actor a: only kind: keep_lane can react, not still. Set reacts: false",
        ),
        (
            {"kind": "roadside"},
            {"kind": "keep_lane", "speed_mps": 5},
            "actor a: who reacts drives in the middle of a lane. Use kind: lane, lateral_m: 0",
        ),
        (
            {"kind": "pose", "x_m": 0, "y_m": 60},
            {"kind": "keep_lane", "speed_mps": 5},
            "actor a: there is no lane at its pose, so it cannot react. Set reacts: false",
        ),
    ],
)
def test_who_cannot_react_is_told_so(place, behaviour, says):
    actor = ActorFile.model_validate({"id": "a", "place": place, "behaviour": behaviour, "reacts": True})
    with pytest.raises(ScenarioError) as caught:
        plan_reacting(actor, street())
    assert str(caught.value) == says
