import numpy as np
import pytest
from driven_roads import ROADS, road
from hypothesis import given, settings
from hypothesis import strategies as st

from drivesim.errors import ScenarioError
from drivesim.scenario.classes import EGO_BODY, KINDS, Body
from drivesim.scenario.ground import Ground
from drivesim.scenario.motion import (
    FINE_US,
    Way,
    along,
    box_track,
    drive,
    dynamics,
    key_instants,
    sharp_share,
    sharp_step,
    smooth_step,
    tabulated,
)
from drivesim.scenario.speed import SpeedProfile, slowed_for_bends
from scenegraph import LaneGraph
from scenegraph.roads.lane_path import lane_path

CAR = KINDS["car"].limits
TIMES = np.arange(0.0, 20.0, 0.001)


def numeric(profile):
    """Speed, acceleration and jerk by differences of stations a millisecond apart."""
    speed = np.diff(profile.stations(TIMES)) / 0.001
    acceleration = np.diff(speed) / 0.001
    return speed, acceleration, np.diff(acceleration[::20]) / 0.02


def path_on(name, ahead_m=500.0, behind_m=100.0, station_m=150.0):
    return lane_path(LaneGraph(road(ROADS[name])), "r2", station_m, ahead_m, behind_m)


def ground_of(name):
    return Ground(road(ROADS[name]).lane_segments)


# -- speeds ------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(0, 40), st.floats(0, 40), st.floats(0.5, 9), st.floats(1, 30), st.floats(0, 5))
def test_a_change_of_speed_keeps_its_bounds_and_ends_at_the_wanted_speed(before, after, pull, jerk, at_s):
    profile = SpeedProfile.steady(before).held_until(at_s).changed(after, pull, jerk)
    speed, acceleration, jerks = numeric(profile)
    assert profile.last_mps == after
    assert np.abs(acceleration).max() < pull * 1.001 + 1e-4
    assert np.abs(jerks).max() < jerk * 1.001 + 1e-2
    assert min(before, after) - 1e-6 < speed.min() and speed.max() < max(before, after) + 1e-6


def test_a_change_in_a_given_time_takes_that_time_and_the_mean_of_both_speeds():
    profile = SpeedProfile.steady(10.0).held_until(1.0).changed_in(16.0, 3.0)
    assert profile.last_s == pytest.approx(4.0)
    assert profile.station(4.0) == pytest.approx(10.0 + 13.0 * 3.0)
    assert np.abs(numeric(profile)[1]).max() == pytest.approx(6.0 / (0.75 * 3.0), rel=1e-3)


def test_who_stops_stands_exactly():
    profile = SpeedProfile.steady(13.0).changed(0.0, 6.0, 20.0)
    after = profile.last_s + np.array([0.0, 0.5, 7.0])
    assert (profile.speeds(after) == 0.0).all() and len(set(profile.stations(after))) == 1


def test_braking_from_one_speed_takes_the_way_that_physics_gives():
    profile = SpeedProfile.steady(12.0).changed(0.0, 6.0, 24.0)
    assert profile.station(60.0) == pytest.approx(12.0 * profile.last_s / 2)  # symmetrical
    assert profile.last_s == pytest.approx(12.0 / 6.0 + 6.0 / 24.0)


def test_the_time_at_a_station_is_the_inverse_of_the_station_at_a_time():
    profile = SpeedProfile.steady(4.0).held_until(1.0).changed(12.0, 2.0, 4.0)
    assert profile.time_at(profile.station(3.21), 10.0) == pytest.approx(3.21, abs=1e-4)
    assert profile.time_at(1e5, 10.0) is None and profile.time_at(-3.0, 10.0) == 0.0


def test_where_no_bend_is_sharp_the_speed_is_untouched():
    profile = SpeedProfile.steady(11.0)
    assert slowed_for_bends(profile, path_on("bend"), 8.0) is profile


def test_bends_are_taken_no_faster_than_people_do():
    path, fast = path_on("bend"), SpeedProfile.steady(25.0)
    slowed = slowed_for_bends(fast, path, 20.0)
    times = np.arange(0.0, 20.0, 0.01)
    sideways = slowed.speeds(times) ** 2 * np.abs(path.curvatures(np.minimum(slowed.stations(times), path.last_m)))
    assert sideways.max() < 2.5 * 1.15
    _, acceleration, jerk = numeric(slowed)
    assert acceleration[:-2].min() > -2.1 and acceleration.max() < 1.6 and np.abs(jerk).max() < 8.0
    assert slowed.speeds(np.zeros(1))[0] == pytest.approx(25.0)
    assert slowed.speeds(times).min() == pytest.approx((2.5 * 65.25) ** 0.5, rel=0.05)  # the lane's own radius


# -- sideways ----------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(0, 5), st.floats(1, 8), st.sampled_from([0.15, 0.3, 0.5]))
def test_moves_aside_start_and_end_without_velocity_or_acceleration(at_s, duration_s, share):
    for move in (lambda t: smooth_step(t, at_s, duration_s), lambda t: sharp_step(t, at_s, duration_s, share)):
        assert move(np.array([at_s, at_s + duration_s, at_s + duration_s / 2])) == pytest.approx([0.0, 1.0, 0.5])
        for end in (at_s, at_s + duration_s):
            values = move(end + np.array([-0.002, 0.0, 0.002]))
            assert abs(values[2] - values[0]) / 0.004 < 1e-3
            assert abs(values[2] - 2 * values[1] + values[0]) / 0.002**2 < 0.5
        assert (np.diff(move(TIMES)) >= -1e-15).all()


def test_a_sharp_move_swings_harder_than_a_smooth_one_and_within_the_class():
    share = sharp_share(3.5, 3.0, CAR)
    times = np.arange(0.0, 3.0, 0.005)
    smooth, sharp = (
        np.diff(3.5 * move, 2) / 0.005**2 for move in (smooth_step(times, 0, 3), sharp_step(times, 0, 3, share))
    )
    assert np.abs(smooth).max() < np.abs(sharp).max() < CAR.lateral_mps2


# -- driving -----------------------------------------------------------------------------------------


def swerving(name, speed_mps=12.0, until_s=8.0):
    profile = SpeedProfile.steady(speed_mps)
    place = along(path_on(name), profile, lambda times, _: 3.5 * smooth_step(times, 2.0, 3.0))
    return Way(place, until_s, 0.0)


@pytest.mark.parametrize("name", ROADS)
def test_interpolation_between_keys_stays_on_the_exact_curve(name):
    way = swerving(name)
    track = drive(way, 0, EGO_BODY, ground_of(name), CAR)
    assert FINE_US in np.diff(track.timestamps_us) and len(track) <= 401
    times_us = np.arange(0, 8_000_000, 7_000)
    found = track.at(times_us)
    exact = way.place(times_us / 1e6)
    assert np.linalg.norm(found.translation_m[:, :2] - exact[:, :2], axis=1).max() < 0.001
    ahead = way.place(times_us / 1e6 + 1e-4) - exact
    off = found.yaw_rad - np.arctan2(ahead[:, 1], ahead[:, 0])
    assert np.degrees(np.abs((off + np.pi) % (2 * np.pi) - np.pi)).max() < 0.1


@pytest.mark.parametrize("name", ROADS)
def test_wheels_are_on_the_road(name):
    ground = ground_of(name)
    track = drive(swerving(name), 0, EGO_BODY, ground)
    poses = track.at(np.arange(0, 8_000_000, 50_000))
    for ahead_m in (0.0, EGO_BODY.wheelbase_m):
        for left_m in (-EGO_BODY.track_m / 2, EGO_BODY.track_m / 2):
            wheels = poses.apply(np.array([[ahead_m, left_m, 0.0]]))[:, 0]
            assert np.abs(ground.heights_m(wheels) - wheels[:, 2]).max() < 0.01


def test_the_body_leans_with_a_road_that_leans():
    hdmap = road(lambda s: (np.stack([s, 0 * s, 0.05 * s], axis=1), 0 * s))
    track = drive(swerving("straight"), 0, EGO_BODY, Ground(hdmap.lane_segments))
    x, y, z = (track.world_from_body.rotation[:, :, axis] for axis in range(3))
    up = np.array([-0.05, 0.0, 1.0]) / np.hypot(0.05, 1.0)
    assert z @ up == pytest.approx(1.0, abs=1e-6) and np.ptp(x[:, 1]) > 0.1 and np.ptp(y[:, 2]) > 0.005


def test_walkers_stay_upright_on_a_slope():
    body = Body(0.6, 0.6, 1.75)
    track = drive(swerving("hill", 1.4), 0, body, ground_of("hill"))
    assert track.world_from_body.rotation[:, 2, 2] == pytest.approx(1.0)


def test_boxes_sit_half_their_height_above_the_ground_and_ahead_of_the_rear_axle():
    axle = drive(swerving("straight"), 0, EGO_BODY, ground_of("straight"))
    box = box_track(axle, EGO_BODY).world_from_body
    assert box.translation_m[:, 2] == pytest.approx(EGO_BODY.height_m / 2)
    away = np.linalg.norm((box.translation_m - axle.world_from_body.translation_m)[:, :2], axis=1)
    assert away == pytest.approx(EGO_BODY.rear_axle_m)


def test_who_stands_keeps_the_heading_it_came_with():
    profile = SpeedProfile.steady(8.0).changed(0.0, 4.0, 10.0)
    way = Way(along(path_on("bend", station_m=310.0), profile), 8.0, 0.0)
    yaw = drive(way, 0, EGO_BODY, ground_of("bend")).world_from_body.yaw_rad
    assert np.ptp(yaw[-20:]) == 0.0 and yaw[0] < yaw[-1]


def test_who_never_moves_has_the_heading_it_was_given():
    way = Way(along(path_on("straight"), SpeedProfile.steady(0.0)), 2.0, 0.7)
    assert drive(way, 0, EGO_BODY, ground_of("straight")).world_from_body.yaw_rad == pytest.approx(0.7)


def test_even_motion_needs_ten_keys_a_second():
    way = Way(along(path_on("straight"), SpeedProfile.steady(9.0)), 5.0, 0.0)
    track = drive(way, 1_000, EGO_BODY, ground_of("straight"))
    assert np.array_equal(track.timestamps_us, 1_000 + np.arange(51) * 100_000)


def test_key_instants_end_at_the_end_however_odd():
    instants = key_instants(5, 0.05)
    assert instants.tolist() == [5, 20_005, 40_005, 50_005]


def test_what_a_simulation_tabulates_is_driven_through():
    times = np.arange(0.0, 8.01, 0.1)
    stations = SpeedProfile.steady(6.0).changed(0.0, 2.0, 4.0).stations(times)
    way = Way(tabulated(path_on("straight"), times, stations, np.full(len(times), 0.5)), 8.0, 0.0)
    track = drive(way, 0, EGO_BODY, ground_of("straight"))
    found = track.at((times * 1e6).round().astype(np.int64)).translation_m
    assert found[:, 0] == pytest.approx(stations + 150.0, abs=1e-6)
    assert found[:, 1] == pytest.approx(-5.25 + 0.5, abs=1e-9)


def test_steady_circling_needs_the_force_that_physics_gives():
    times = np.arange(0.0, 4.0, 0.02)
    angle = 9.0 * times / 30.0
    points = 30.0 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    asked = dynamics(times, points, angle + np.pi / 2)
    inside = slice(3, -3)
    assert asked.side_mps2[inside] == pytest.approx(81.0 / 30.0, rel=1e-3)
    assert asked.yaw_rate_radps == pytest.approx(0.3) and np.abs(asked.along_mps2[inside]).max() < 1e-3


@pytest.mark.parametrize(
    "profile, lateral, said",
    [
        (SpeedProfile.steady(90.0), 0.0, "needs a speed of 90.0 m/s at 0.0 s, and its class manages 70"),
        (
            SpeedProfile.steady(20.0).held_until(1.0).changed(0.0, 12.0, 29.0),
            0.0,
            "needs braking with 12.0 m/s² at 1.4 s, and its class manages 9.5",
        ),
        (
            SpeedProfile.steady(2.0).held_until(1.0).changed(20.0, 8.0, 25.0),
            0.0,
            "needs an acceleration of 8.0 m/s² at 1.4 s, and its class manages 5",
        ),
        (
            SpeedProfile.steady(15.0),
            lambda t, s: 3.5 * smooth_step(t, 1.0, 1.0),
            "needs 19.8 m/s² to the side at 1.2 s, and its class manages 7",
        ),
    ],
)
def test_what_a_class_cannot_do_is_refused_with_the_number(profile, lateral, said):
    way = Way(along(path_on("straight"), profile, lateral), 4.0, 0.0)
    with pytest.raises(ScenarioError) as error:
        drive(way, 0, EGO_BODY, ground_of("straight"), CAR)
    assert str(error.value) == said


def test_too_tight_a_bend_is_refused_at_any_speed():
    circle = Way(lambda t: 3.0 * np.stack([np.cos(t / 3), np.sin(t / 3), 0 * t], axis=1), 4.0, 0.0)
    with pytest.raises(ScenarioError) as error:
        drive(circle, 0, EGO_BODY, ground_of("straight"), CAR)
    assert str(error.value).startswith("needs a bend of 3.0 m radius at ")
    assert str(error.value).endswith(" s, and its class turns no tighter than 3.8 m")


def test_the_same_motion_gives_the_same_bytes():
    tracks = [drive(swerving("bend"), 0, EGO_BODY, ground_of("bend")) for _ in range(2)]
    assert tracks[0].timestamps_us.tobytes() == tracks[1].timestamps_us.tobytes()
    assert tracks[0].world_from_body.matrix.tobytes() == tracks[1].world_from_body.matrix.tobytes()
