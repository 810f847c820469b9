import math
from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

from render.errors import RenderError
from render.lidar import LIDAR_32, LIDAR_64, LidarSpec, lidar_sweep
from render.solids import Kind, static_solids
from scenegraph import SE3, Actor, Category, HDMap, LaneSegment, Polyline, Scene, TimeRangeError, Trajectory


def sensor(elevations_deg=(0.0,), step_deg=1.0, **more) -> LidarSpec:
    """At the ego's origin, looking ahead; ten revolutions a second."""
    elevations = tuple(np.radians(elevations_deg).tolist())
    plain = {"min_range_m": 0.5, "max_range_m": 100.0, "spins_hz": 10.0, "ego_from_sensor": SE3.identity()}
    return LidarSpec("test", elevations, math.radians(step_deg), **{**plain, **more})


def driving(stage, speed_mps: float, actors=()) -> Scene:
    times = np.array([-1_000_000, 1_000_000])
    ego = Trajectory(times, SE3.from_yaw([0.0, 0.0], [[-speed_mps, 0, 0], [speed_mps, 0, 0]]))
    return replace(stage.scene(actors=actors), ego=ego)


def moving(name: str, centre_m, velocity_mps, size_m=(4.0, 2.0, 1.5)):
    """An actor with a steady velocity, at its centre at time 0."""
    times, centre, step = np.array([-1_000_000, 1_000_000]), np.array(centre_m), np.array(velocity_mps)
    poses = SE3.from_yaw([0.0, 0.0], np.stack([centre - step, centre + step]))
    return Actor(name, Category.CAR, Trajectory(times, poses), *size_m)


def level_ground() -> HDMap:
    left, right = [[-300, 300, 0], [300, 300, 0]], [[-300, -300, 0], [300, -300, 0]]
    return HDMap(lane_segments=(LaneSegment("g", Polyline(np.array(left, float)), Polyline(np.array(right, float))),))


def test_ranges_to_a_wall_are_its_distance_over_the_cosines(stage) -> None:
    wall = stage.box("wall", (11.0, 0.0, 0.0), (2.0, 12.0, 8.0))
    sweep = lidar_sweep(stage.scene(actors=(wall,)), sensor((-10.0, 0.0, 20.0)), 0)
    elevation = np.radians([-10.0, 0.0, 20.0])[sweep.ring]
    assert sweep.distance_m == approx(10 / (np.cos(elevation) * np.cos(sweep.azimuth_rad)), rel=1e-5)
    assert sweep.points_m[:, 0] == approx(10.0, abs=1e-4)
    # 6 m to either side are 30.96 degrees, where firings lie at every half: 31 on each side; and 4 m up is more than
    # 20 degrees of elevation only as far as 10 m / cos(azimuth) tan(20 degrees) < 4 m, thus up to 24.5 degrees.
    assert np.bincount(sweep.ring).tolist() == [62, 62, 50]
    assert sweep.hits(1).tolist() == [174] and (sweep.kind == Kind.CAR).all()


def test_ranges_to_the_ground_are_height_over_the_sine(stage) -> None:
    spec = sensor((-30.0, -5.0, 5.0), ego_from_sensor=SE3(np.eye(3), np.array([1.0, 0.0, 2.0])))
    sweep = lidar_sweep(stage.scene(), spec, 0, static_solids(level_ground()))
    assert np.bincount(sweep.ring).tolist() == [360, 360]
    assert sweep.distance_m == approx(2.0 / np.sin(np.radians([30.0, 5.0]))[sweep.ring], rel=1e-5)
    assert (sweep.kind == Kind.GROUND).all() and (sweep.instance == -1).all()
    assert sweep.points_m[:, 2] == approx(-2.0, abs=1e-4)


def test_the_nearest_thing_takes_the_beam(stage) -> None:
    near, far = stage.box("near", (10, 0, 0), (2, 2, 2)), stage.box("far", (30, 0, 0), (2, 20, 2))
    sweep = lidar_sweep(stage.scene(actors=(far, near)), sensor(), 0)
    # near: 1 m at 9 m, 6.3 degrees; far: 10 m at 29 m, 19.03 degrees
    assert sweep.hits(2).tolist() == [2 * (19 - 6), 2 * 6]
    hidden = lidar_sweep(stage.scene(actors=(far, stage.box("near", (10, 0, 0), (2, 20, 2)))), sensor(), 0)
    assert hidden.hits(2)[0] == 0


def test_returns_outside_of_the_range_are_dropped(stage) -> None:
    scene = stage.scene(actors=(stage.box("near", (2, 0, 0), (1, 1, 1)), stage.box("far", (-60, 0, 0), (2, 9, 2))))
    assert (lidar_sweep(scene, sensor(), 0).hits(2) > 0).tolist() == [True, True]
    assert (lidar_sweep(scene, sensor(min_range_m=5.0), 0).hits(2) > 0).tolist() == [False, True]
    assert (lidar_sweep(scene, sensor(max_range_m=50.0), 0).hits(2) > 0).tolist() == [True, False]


def test_points_lie_where_ring_and_azimuth_say_in_order_of_firing(stage) -> None:
    sweep = lidar_sweep(stage.crowd(1), LIDAR_32, 0)
    assert len(sweep.points_m) > 5000
    x, y, z = sweep.points_m.astype(np.float64).T
    assert np.arctan2(y, x) == approx(sweep.azimuth_rad, abs=1e-5)
    assert np.arctan2(z, np.hypot(x, y)) == approx(np.array(LIDAR_32.elevations_rad)[sweep.ring], abs=1e-5)
    assert np.linalg.norm(sweep.points_m, axis=1) == approx(sweep.distance_m, rel=1e-5)
    assert (np.diff(sweep.azimuth_rad) <= 0).all() and set(sweep.timestamps_us) == {0}
    same_firing = np.diff(sweep.azimuth_rad) == 0
    assert (np.diff(sweep.ring)[same_firing] > 0).all()


def test_every_return_from_an_actor_lies_on_its_box(stage) -> None:
    scene = stage.crowd(2)
    sweep = lidar_sweep(scene, LIDAR_64, 0)
    points_world = LIDAR_64.ego_from_sensor.apply(sweep.points_m)
    assert (sweep.instance >= 0).all()
    for index in np.unique(sweep.instance):
        box = scene.actors[index].boxes_at(np.array([0]))
        half = np.array([box.length_m[0], box.width_m[0], box.height_m[0]]) / 2
        local = box.world_from_box[0].inverse().apply(points_world[sweep.instance == index]) / half
        assert np.abs(local).max(axis=1) == approx(1.0, abs=1e-3)


def test_a_sensor_turned_on_the_vehicle_sees_the_same_world_in_its_own_axes(stage) -> None:
    scene = stage.scene(actors=(stage.box("wall", (0.0, 9.0, 0.0), (8.0, 2.0, 2.0)),))
    left = sensor(ego_from_sensor=SE3.from_yaw(math.pi / 2, [0.0, 0.0, 0.0]))
    assert lidar_sweep(scene, left, 0).points_m[:, 0] == approx(8.0, abs=1e-5)


def test_what_stands_still_stays_in_place_while_the_vehicle_moves(stage) -> None:
    wall = moving("wall", (21.0, 0.0, 0.0), (0.0, 0.0, 0.0), (2.0, 30.0, 4.0))
    scene = driving(stage, 20.0, (wall,))
    sweep = lidar_sweep(scene, sensor(), 0, motion=True)
    assert sweep.points_m[:, 0] == approx(20.0, abs=1e-4)
    # The firing that looks straight ahead is half a revolution old: 50 ms, one metre.
    ahead = np.abs(sweep.azimuth_rad).argmin()
    assert sweep.timestamps_us[ahead] == approx(-50_000, abs=300)
    assert sweep.distance_m[ahead] == approx(21.0, abs=0.01)
    still = lidar_sweep(scene, sensor(), 0)
    assert still.distance_m.min() == approx(20.0, abs=0.01) and set(still.timestamps_us) == {0}


def test_an_actor_is_met_where_it_was_when_the_beam_passed(stage) -> None:
    ahead = moving("ahead", (21.0, 0.0, 0.0), (10.0, 0.0, 0.0), (2.0, 4.0, 4.0))
    behind = moving("behind", (-21.0, 0.0, 0.0), (10.0, 0.0, 0.0), (2.0, 4.0, 4.0))
    sweep = lidar_sweep(driving(stage, 0.0, (ahead, behind)), sensor(), 0, motion=True)
    assert sweep.points_m[sweep.instance == 0][:, 0] == approx(20.0 - 0.5, abs=0.03)
    just_begun = (sweep.instance == 1) & (sweep.azimuth_rad > 0)
    just_ended = (sweep.instance == 1) & (sweep.azimuth_rad < 0)
    assert sweep.points_m[just_begun][:, 0] == approx(-20.0 - 1.0, abs=0.03)
    assert sweep.points_m[just_ended][:, 0] == approx(-20.0, abs=0.03)


def test_a_revolution_of_a_still_world_is_the_same_with_motion(stage) -> None:
    centres = [(12, 5, 0), (3, -9, 1), (-20, 4, 0), (-7, -7, -0.5)]
    scene = driving(stage, 0.0, [moving(f"{c}", c, (0, 0, 0)) for c in centres])
    still, turning = lidar_sweep(scene, sensor(), 0), lidar_sweep(scene, sensor(), 0, motion=True)
    assert len(still.points_m) > 10 and still.instance.tolist() == turning.instance.tolist()
    assert turning.points_m == approx(still.points_m, abs=1e-4)


def test_the_built_in_sensors_are_what_they_say() -> None:
    assert len(LIDAR_32.elevations_rad) == 32 and LIDAR_32.columns == 1080
    assert np.degrees(np.diff(LIDAR_32.elevations_rad)) == approx(1.33, abs=0.01)
    assert len(LIDAR_64.elevations_rad) == 64 and LIDAR_64.columns == 2000
    assert np.degrees(LIDAR_64.elevations_rad)[[0, -1]] == approx([-24.33, 2.0])
    assert (np.diff(LIDAR_64.elevations_rad) > 0).all()
    assert np.linalg.norm(LIDAR_64.directions(), axis=-1) == approx(1.0)


def test_nothing_around_gives_an_empty_sweep(stage) -> None:
    sweep = lidar_sweep(stage.scene(), LIDAR_32, 0)
    assert sweep.points_m.shape == (0, 3) and sweep.hits(0).tolist() == []


def test_bad_sensors_and_instants_are_refused(stage) -> None:
    def refuses(sentence: str):
        return pytest.raises(RenderError, match=f"^lidar test: {sentence}$")

    with refuses("expected elevations within a quarter turn, at least one"):
        sensor(())
    with refuses("expected elevations within a quarter turn, at least one"):
        sensor((math.nan,))
    with refuses("azimuth_step_rad must be above 0 and at most pi"):
        sensor(step_deg=0.0)
    with refuses("expected 0 <= min_range_m < max_range_m, both finite"):
        sensor(min_range_m=200.0)
    with refuses("spins_hz must be above 0, got 0"):
        sensor(spins_hz=0.0)
    with refuses("expected one pose without NaN or infinity"):
        sensor(ego_from_sensor=SE3(np.eye(3), np.full(3, np.nan)))
    with pytest.raises(TimeRangeError, match=r"^9000000 us is outside of the recorded 0\.\.0 us"):
        lidar_sweep(stage.scene(), sensor(), 9_000_000)
