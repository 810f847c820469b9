"""Laws of reacting traffic; vehicles are driven without leaving anybody out, so that no contact is hidden."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytest import approx
from traffic_maps import crossing, lane, light_states, merge, ring, straight_road, world

from drivesim.scenario.car_following import Drivers, equilibrium_gap_m
from drivesim.scenario.checks import check_scene
from drivesim.scenario.classes import KINDS, body
from drivesim.scenario.planned import Driver
from drivesim.scenario.reactive import Simulation, simulate
from scenegraph import SE3, Actor, Category, HDMap, LightState, LightTimeline, Trajectory

TURNS = ("straight", "left", "right")


def driver(name, lane_id, station_m, speed_mps=10.0, kind="car", **more) -> Driver:
    size = KINDS[kind]
    frame = body(kind, size.length_m, size.width_m, size.height_m)
    return Driver(name, kind, frame, lane_id, station_m, speed_mps, **more)


def crowd(lanes, count, spacing_m, seed=0, first_m=20.0, speed_mps=8.0, **more) -> list[Driver]:
    """Vehicles on every lane, a sixth of them lorries, with different wishes."""
    rng = np.random.default_rng(seed)
    found = []
    for lane_id in lanes:
        for i in range(count):
            kind = "truck" if rng.random() < 0.17 else "car"
            wishes = {"limit_factor": rng.uniform(0.7, 1.2), "time_gap_s": rng.uniform(1.0, 1.8)}
            place = first_m + spacing_m * i + rng.uniform(0, 4)
            found.append(driver(f"{lane_id}/{i}", lane_id, place, speed_mps, kind, **wishes, **more))
    return found


def at_junction(seed=0, per_arm=4, spacing_m=25.0, first_m=30.0) -> list[Driver]:
    rng = np.random.default_rng(seed)
    plans = crowd([f"in{k}" for k in range(4)], per_arm, spacing_m, seed, first_m)
    turns = [TURNS[int(rng.integers(3))] for _ in plans]
    return [
        replace(plan, turn=turn) if plan.category == "car" else plan for plan, turn in zip(plans, turns, strict=True)
    ]


def drive(scene_world, drivers, others=()) -> tuple[Actor, ...]:
    return Simulation(scene_world, others).drive(drivers)


def faults(scene_world, actors, kinds=("collision", "kinematics", "red_light", "wrong_way", "floating", "sunken")):
    scene = replace(scene_world.scene, actors=tuple(actors))
    return [finding.sentence for finding in check_scene(scene) if finding.kind in kinds]


def times_us(actor) -> np.ndarray:
    """Ten instants [T] per second."""
    return np.arange(actor.trajectory.first_us, actor.trajectory.last_us + 1, 100_000)


def poses(actor) -> SE3:
    """Of the middle at ten instants [T] per second."""
    return actor.trajectory.at(times_us(actor))


def motion(actor) -> tuple[np.ndarray, np.ndarray]:
    """Times [T] and way of the middle [T] along the ground."""
    steps = np.linalg.norm(np.diff(poses(actor).translation_m[:, :2], axis=0), axis=1)
    return times_us(actor) / 1e6, np.concatenate([[0.0], np.cumsum(steps)])


def standing(name, x, y, yaw=0.0, seconds=20.0) -> Actor:
    track = Trajectory(np.array([0, round(seconds * 1e6)]), SE3.from_yaw(np.full(2, yaw), np.array([[x, y, 0.8]] * 2)))
    return Actor(name, Category.CAR, track, np.array(4.6), np.array(1.9), np.array(1.55))


# -- nobody touches anybody ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_forty_vehicles_per_kilometre_on_three_lanes_keep_clear_of_each_other_for_20_s(seed):
    road = world(straight_road(3, 1200.0))
    actors = drive(road, crowd(("lane0", "lane1", "lane2"), 24, 25.0, seed))
    assert faults(road, actors) == []


@pytest.mark.parametrize("seed", range(2))
def test_a_ring_keeps_clear_where_its_end_meets_its_beginning(seed):
    road = world(ring(2, 60.0))
    lanes = [f"ring{i}-{part}" for i in range(2) for part in range(4)]
    actors = drive(road, crowd(lanes, 3, 25.0, seed, first_m=12.0))
    assert len(actors) == 24 and faults(road, actors) == []
    assert min(motion(actor)[1][-1] for actor in actors) > 60.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lights", [True, False])
def test_at_a_crossing_nobody_touches_anybody_or_runs_a_red_light(seed, lights):
    road = world(crossing(lights=lights), states=light_states() if lights else {})
    actors = drive(road, at_junction(seed))
    assert faults(road, actors) == []


def test_a_crossing_is_no_standstill():
    road = world(crossing(500.0, lights=False), 40.0, ego_at=(900.0, 900.0))
    actors = drive(road, at_junction(1, per_arm=5, first_m=350.0))
    went = [motion(actor)[1][-1] for actor in actors]
    assert sum(way > 200.0 for way in went) >= 10


@pytest.mark.parametrize("seed", range(2))
def test_where_a_lane_ends_vehicles_squeeze_in(seed):
    road = world(merge())
    plans = [*crowd(("lane0", "lane1"), 14, 28.0, seed), *crowd(("slip",), 3, 24.0, seed, first_m=6.0)]
    actors = drive(road, plans)
    assert faults(road, actors) == []
    last_y = [poses(a).translation_m[-1, 1] for a in actors if a.id.startswith("slip")]
    assert sum(y > -1.0 for y in last_y) >= 2


# -- how it moves -------------------------------------------------------------------------------------


def test_accelerations_and_jerks_are_bounded_and_headings_are_smooth():
    road = world(ring(2, 60.0))
    lanes = [f"ring{i}-{part}" for i in range(2) for part in range(4)]
    for actor in drive(road, crowd(lanes, 3, 25.0, first_m=12.0)):
        times, way = motion(actor)
        speed = np.diff(way) / np.diff(times)
        pull = np.diff(speed) / 0.1
        assert pull.max() < 2.0 and pull.min() > -6.0
        assert np.abs(np.diff(pull) / 0.1).max() < 20.0
        rates = np.diff(np.unwrap(poses(actor).yaw_rad)) / 0.1
        assert np.abs(rates).max() < 0.6 and np.abs(np.diff(rates)).max() < 0.1


def test_at_rest_nothing_turns_or_creeps():
    road = world(straight_road(1), states={})
    (actor,) = drive(road, [driver("a", "lane0", 20.0)], [standing("wall", 120.0, 0.0)])
    points = poses(actor).translation_m
    assert points[-1, 0] + 2.3 < 117.7 and points[-1, 0] + 2.3 > 114.0
    assert np.abs(np.diff(points[-15:], axis=0)).max() < 0.02
    assert np.ptp(poses(actor).yaw_rad) == 0.0


def test_followers_settle_at_the_gap_of_the_formula():
    road = world(straight_road(1, 3000.0), 150.0, ego_at=(0.0, 900.0))
    slow = driver("slow", "lane0", 100.0, 10.0, desired_mps=10.0)
    fast = driver("fast", "lane0", 60.0, 10.0, desired_mps=14.0)
    first, second = drive(road, [slow, fast])
    gap = (poses(first).translation_m - poses(second).translation_m)[-1, 0]
    wishes = Drivers(*(np.array([x]) for x in (14.0, 1.5, 2.0, 1.4, 2.0)))
    _, way = motion(second)
    speed = (way[-1] - way[-11]) / 1.0
    assert speed == approx(10.0, abs=0.05)
    assert gap - 4.6 == approx(float(equilibrium_gap_m(wishes, np.array([speed]))[0]), abs=0.3)


def test_a_platoon_stops_behind_a_leader_that_brakes_hard():
    times_us = np.arange(0, 40_000_001, 100_000)
    t = times_us / 1e6
    braking = np.clip(t - 3.0, 0.0, 2.0)
    x = 300.0 + 14.0 * np.minimum(t, 5.0) - 0.5 * 7.0 * braking**2
    points = np.stack([x, np.zeros_like(x), np.full_like(x, 0.8)], axis=1)
    leader = Actor(
        "leader",
        Category.CAR,
        Trajectory(times_us, SE3.from_yaw(np.zeros(len(x)), points)),
        np.array(4.6),
        np.array(1.9),
        np.array(1.55),
    )
    road = world(straight_road(1), 40.0)
    actors = drive(road, [driver(f"c{i}", "lane0", 272.0 - 28.0 * i, 12.0) for i in range(7)], [leader])
    assert faults(road, [leader, *actors], ("collision", "kinematics")) == []
    ends = [motion(actor)[1] for actor in actors]
    assert all(way[-1] - way[-6] < 0.5 for way in ends)


def test_a_red_light_is_a_line_that_nobody_passes_until_it_turns_green():
    red, green = LightState.RED, LightState.GREEN
    states = {"light0": LightTimeline(np.array([0, 12_000_000]), (red, green))}
    road = world(crossing(), states=states)
    (actor,) = drive(road, [driver("a", "in0", 30.0)])
    front = poses(actor).translation_m[:, 0] - 2.3
    at_12_s = int(np.searchsorted(times_us(actor), 12_000_000))
    assert 14.0 < front[at_12_s] < 17.0 and front[:at_12_s].min() > 14.0
    assert front[-1] < 5.0


def test_a_light_that_is_green_is_passed_without_braking():
    states = {"light0": LightTimeline(np.array([0]), (LightState.GREEN,))}
    road = world(crossing(), states=states)
    (actor,) = drive(road, [driver("a", "in0", 20.0, 10.0)])
    speed = np.diff(motion(actor)[1]) / 0.1
    assert speed.min() > 9.9


def test_the_minor_road_waits_for_the_major_one():
    road = world(crossing(lights=False, stop_arms=(1, 3)))
    major = [driver(f"major{i}", "in0", 90.0 - 40.0 * i, 10.0) for i in range(2)]
    actors = drive(road, [driver("minor", "in1", 105.0, 8.0), *major])
    speeds = {actor.id: np.diff(motion(actor)[1]) / 0.1 for actor in actors}
    assert speeds["major0"].min() > 9.0 and speeds["minor"].min() < 4.0
    assert faults(road, actors) == []


def test_who_does_not_react_is_given_way_to():
    road = world(crossing(lights=False), ego_at=(-60.0, -1.75), ego_mps=9.0)
    actors = drive(road, [driver("a", "in1", 90.0, 9.0), driver("b", "in3", 80.0, 9.0, turn="left")])
    assert faults(road, actors) == []


def test_somebody_who_will_cross_is_foreseen():
    times_us = np.array([0, 20_000_000])
    points = np.array([[100.0, -12.0, 0.9], [100.0, 16.0, 0.9]])  # 1.4 m/s across the lane
    walker = Actor(
        "w",
        Category.PEDESTRIAN,
        Trajectory(times_us, SE3.from_yaw(np.full(2, np.pi / 2), points)),
        np.array(0.6),
        np.array(0.6),
        np.array(1.75),
    )
    road = world(straight_road(1))
    actors = drive(road, [driver("a", "lane0", 20.0, 10.0)], [walker])
    assert faults(road, [walker, *actors]) == []


def test_bends_are_driven_no_faster_than_is_comfortable():
    road = world(ring(1, 20.0, 4))
    (actor,) = drive(road, [driver("a", "ring0-0", 10.0, 5.0)])
    speed = np.diff(motion(actor)[1]) / 0.1
    assert speed.max() ** 2 / 20.0 < 2.3 and speed[-1] > 5.5


# -- lanes --------------------------------------------------------------------------------------------


def test_behind_a_lorry_a_car_changes_to_the_free_lane():
    road = world(straight_road(2))
    lorry = driver("lorry", "lane0", 80.0, 6.0, "truck", desired_mps=6.0)
    _, car = drive(road, [lorry, driver("car", "lane0", 40.0, 10.0)])
    points = poses(car).translation_m
    assert points[0, 1] == approx(0.0) and points[-1, 1] == approx(3.5, abs=0.05)
    assert faults(road, [car]) == []


def test_a_solid_line_is_not_crossed():
    solid = ("WHITE", "SOLID_SINGLE")
    hdmap = straight_road(2)
    lanes = tuple(replace(one, left_mark=solid, right_mark=solid) for one in hdmap.lane_segments)
    road = world(replace(hdmap, lane_segments=lanes))
    lorry = driver("lorry", "lane0", 80.0, 6.0, "truck", desired_mps=6.0)
    _, car = drive(road, [lorry, driver("car", "lane0", 40.0, 10.0)])
    assert np.abs(poses(car).translation_m[:, 1]).max() < 1e-6


def test_nobody_changes_in_front_of_a_fast_follower():
    road = world(straight_road(2))
    plans = [
        driver("lorry", "lane0", 80.0, 6.0, "truck", desired_mps=6.0),
        driver("car", "lane0", 55.0, 7.0),
        *(driver(f"fast{i}", "lane1", 55.0 - 14.0 * i, 13.0, time_gap_s=0.5) for i in range(3)),
    ]
    actors = drive(road, plans)
    car = poses(actors[1]).translation_m
    assert np.abs(car[:20, 1]).max() < 0.01
    assert faults(road, actors) == []


def test_oncoming_traffic_does_not_mind_each_other():
    x = np.arange(0.0, 601.0, 2.0)
    there, back = np.column_stack([x, np.zeros_like(x)]), np.column_stack([x[::-1], np.full_like(x, 3.5)])
    road = world(HDMap((lane("there", there, left_neighbour="back"), lane("back", back, left_neighbour="there"))))
    actors = drive(road, [driver("a", "there", 50.0, 13.0), driver("b", "back", 50.0, 13.0)])
    for actor in actors:
        assert (np.diff(motion(actor)[1]) / 0.1).min() > 12.9


# -- hills, ends, leaving out --------------------------------------------------------------------------


def test_on_a_hill_all_wheels_are_on_the_ground():
    road = world(straight_road(1, 800.0, height=lambda x: 6.0 * np.sin(x / 80.0)), ego_at=(0.0, 500.0))
    (actor,) = drive(road, [driver("a", "lane0", 20.0, 12.0)])
    assert faults(road, [actor]) == []
    there = poses(actor)
    rear = there.apply(np.array([[-0.29 * 4.6, 0.0, -1.55 / 2]]))[:, 0]
    assert np.abs(rear[:, 2] - 6.0 * np.sin(rear[:, 0] / 80.0)).max() < 0.03
    slope = np.arctan(6.0 / 80.0 * np.cos((rear[:, 0] + 1.4) / 80.0))
    pitch = np.arcsin(there.rotation[:, 2, 0])
    assert np.abs(pitch - slope).max() < 0.01


def test_at_the_end_of_the_map_a_vehicle_is_absent_from_then_on():
    road = world(straight_road(1, 200.0))
    (actor,) = drive(road, [driver("a", "lane0", 100.0, 13.0)])
    points = poses(actor).translation_m
    assert 198.0 < points[-1, 0] < 201.5 and actor.trajectory.last_us < 10_000_000


def test_background_that_the_ego_would_run_into_is_left_out_and_nobody_else():
    road = world(straight_road(2), ego_at=(20.0, 0.0), ego_mps=20.0)
    ahead = driver("ahead", "lane0", 60.0, 5.0, desired_mps=5.0)
    asked = driver("asked", "lane0", 200.0, 5.0, desired_mps=5.0, is_background=False)
    beside = driver("beside", "lane1", 60.0, 5.0, desired_mps=5.0)
    alone = [replace(plan, time_gap_s=1.5) for plan in (ahead, asked, beside)]
    assert [actor.id for actor in simulate(alone, road, ())] == ["asked", "beside"]


def test_who_does_not_react_drives_as_if_alone():
    road = world(straight_road(1))
    plans = [driver("a", "lane0", 60.0, 4.0, desired_mps=4.0), driver("b", "lane0", 40.0, 10.0, desired_mps=10.0)]
    _, second = drive(road, [replace(plan, reacts=False) for plan in plans])
    assert (np.diff(motion(second)[1]) / 0.1).min() == approx(10.0)


# -- the same for the same ------------------------------------------------------------------------------

_DIGEST = """
import hashlib, sys
sys.path[:0] = {paths!r}
from test_reactive import at_junction, digest, drive
from traffic_maps import crossing, light_states, world
print(digest(drive(world(crossing(), states=light_states()), at_junction(2))))
"""


def digest(actors) -> str:
    sha = hashlib.sha256()
    for actor in actors:
        pose = poses(actor)
        sha.update(actor.id.encode() + actor.trajectory.timestamps_us.tobytes())
        sha.update(pose.rotation.tobytes() + pose.translation_m.tobytes())
    return sha.hexdigest()


def test_another_process_gets_the_same_bytes():
    here = Path(__file__).resolve()
    paths = [str(here.parent), str(here.parents[2] / "support"), str(here.parents[3])]
    own = digest(drive(world(crossing(), states=light_states()), at_junction(2)))
    other = subprocess.run([sys.executable, "-c", _DIGEST.format(paths=paths)], capture_output=True, text=True)
    assert other.stdout.strip() == own, other.stderr
