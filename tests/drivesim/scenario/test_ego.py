import numpy as np
import pytest
from driven_roads import ROADS, road
from hypothesis import given, settings
from hypothesis import strategies as st

from drivesim.errors import ScenarioError
from drivesim.scenario.classes import EGO_LIMITS
from drivesim.scenario.ego import drive_ego, redrive_ego
from drivesim.scenario.ground import Ground
from drivesim.scenario.motion import dynamics
from drivesim.scenario.schema_actors import EgoChangeLane, EgoDrive, EgoProfile, EgoRecorded
from scenegraph import SE3, LaneGraph, Trajectory


def ego_on(name, behaviour, lane="r2", station_m=250.0, duration_s=8.0, start_us=0):
    hdmap = road(ROADS[name])
    ground = Ground(hdmap.lane_segments)
    return drive_ego(
        behaviour, LaneGraph(hdmap), lane, station_m, start_us=start_us, duration_s=duration_s, ground=ground
    )


def sampled(track):
    """Points and headings every 20 ms, and what they ask of the tyres."""
    times_us = np.arange(track.first_us, track.last_us + 1, 20_000)
    poses = track.at(times_us)
    yaw = np.unwrap(poses.yaw_rad)
    return poses.translation_m, yaw, dynamics((times_us - times_us[0]) / 1e6, poses.translation_m, yaw)


def profile(*points, turn="straight"):
    return EgoProfile.model_validate(
        {"kind": "profile", "turn": turn, "points": [{"at_s": at, "speed_mps": speed} for at, speed in points]}
    )


BEHAVIOURS = [
    EgoDrive(kind="drive", speed_mps=14.0),
    EgoChangeLane(kind="change_lane", speed_mps=12.0, to="left", at_s=1.0, duration_s=3.5),
    profile((0, 13.9), (3, 13.9), (6.5, 0)),
    profile((1, 4), (5, 9)),
    None,
]


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=["drive", "change", "brake", "faster", "limit"])
def test_the_ego_moves_as_a_car_can_on_the_road_it_drives(name, behaviour):
    track = ego_on(name, behaviour)
    points, yaw, asked = sampled(track)
    assert asked.along_mps2.max() < EGO_LIMITS.acceleration_mps2 and -asked.along_mps2.min() < EGO_LIMITS.braking_mps2
    assert np.abs(asked.side_mps2).max() < 4.5 and asked.jerk_mps3.max() < 15.0
    assert np.abs(np.diff(points, 2, axis=0)).max() / 0.02**2 < 8.0
    assert np.abs(Ground(road(ROADS[name]).lane_segments).heights_m(points) - points[:, 2]).max() < 0.01
    velocity = np.gradient(points, 0.02, axis=0)
    moving = np.linalg.norm(velocity, axis=1) > 0.5
    slip = np.arctan2(velocity[moving, 1], velocity[moving, 0]) - yaw[moving]
    assert np.degrees(np.abs((slip + np.pi) % (2 * np.pi) - np.pi)).max() < 0.5


def test_it_starts_where_asked_and_drives_at_the_speed_asked_for():
    track = ego_on("straight", EgoDrive(kind="drive", speed_mps=12.0), lane="r1", start_us=77)
    poses = track.world_from_body
    assert poses.translation_m[0] == pytest.approx([250.0, -1.75, 0.0], abs=1e-9)
    assert poses.translation_m[-1] == pytest.approx([346.0, -1.75, 0.0], abs=1e-9)
    assert (track.first_us, track.last_us) == (77, 8_000_077)


def test_it_drives_the_limit_of_its_lane_by_default():
    assert sampled(ego_on("straight", None))[2].speed_mps == pytest.approx(13.9)


def test_a_profile_has_its_speeds_at_their_times():
    asked = sampled(ego_on("straight", profile((0, 10), (2, 10), (5, 4), (7, 0))))[2].speed_mps
    assert asked[[50, 100, 250, 370]] == pytest.approx([10, 10, 4, 0], abs=0.02)


def test_it_stops_exactly():
    points = sampled(ego_on("straight", profile((0, 10), (4, 0))))[0]
    assert np.ptp(points[205:], axis=0).max() < 1e-12


def test_a_lane_change_ends_in_the_middle_of_the_next_lane():
    change = EgoChangeLane(kind="change_lane", speed_mps=12.0, to="left", at_s=1.0, duration_s=4.0)
    points = sampled(ego_on("straight", change))[0]
    assert points[:51, 1] == pytest.approx(-5.25) and points[250:, 1] == pytest.approx(-1.75, abs=1e-9)


@pytest.mark.parametrize(
    "behaviour, said",
    [
        (
            EgoChangeLane(kind="change_lane", speed_mps=12.0, to="right"),
            "the ego is to use the lane to the right of lane r2, and there is none. Use another lane",
        ),
        (
            EgoChangeLane(kind="change_lane", speed_mps=12.0, to="left", at_s=5.0, duration_s=4.0),
            "the ego changes lane until 9 s, and the scenario ends at 8 s. Use a smaller at_s or duration_s",
        ),
        (
            EgoDrive(kind="drive", speed_mps=60.0, turn="left"),
            "the ego comes to the end of the map after 5.0 s and 300 m. Use a duration_s of at most 5, a lower speed, "
            "or let it start earlier",
        ),
        (
            profile((0, 50), (1, 0)),
            "the ego needs braking with 66.7 m/s² at 0.3 s, and its class manages 9.5",
        ),
        (
            profile((1, 5), (1, 8)),
            "the ego has a speed at 1 s after one at 1 s. Put points in order of time",
        ),
    ],
)
def test_what_cannot_be_driven_is_refused_with_what_can(behaviour, said):
    with pytest.raises(ScenarioError) as error:
        ego_on("straight", behaviour, station_m=600.0)
    assert str(error.value) == said


def test_changing_to_an_oncoming_lane_is_refused():
    change = EgoChangeLane(kind="change_lane", speed_mps=12.0, to="left")
    with pytest.raises(ScenarioError) as error:
        ego_on("straight", change, lane="r1")
    assert str(error.value) == "the ego is to change to the left, where lane l1 is for the other direction"


# -- as recorded -------------------------------------------------------------------------------------


def recorded(duration_s=20.0, speed_mps=8.0, start_us=1_000_000):
    """Through a bend, with a stop in the middle."""
    behaviour = profile((0, speed_mps), (5, speed_mps), (8, 0), (10, 0), (13, speed_mps))
    return ego_on("bend", behaviour, duration_s=duration_s, start_us=start_us)


RECORDED = recorded()


def test_as_recorded_is_the_very_track():
    assert redrive_ego(EgoRecorded(kind="recorded"), RECORDED, 1_000_000, 8.0) is RECORDED


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.floats(0.3, 1.8), st.floats(0.5, 9.0))
def test_faster_along_the_same_way_is_the_same_way(factor, duration_s):
    track = redrive_ego(EgoRecorded(kind="recorded", speed_factor=factor), RECORDED, 2_000_000, duration_s)
    assert (track.first_us, track.last_us) == (2_000_000, 2_000_000 + round(duration_s * 1e6))
    times_us = np.linspace(track.first_us, track.last_us, 50).astype(np.int64)
    then_us = np.round(2_000_000 + factor * (times_us - 2_000_000)).astype(np.int64)
    found, source = track.at(times_us), RECORDED.at(then_us)
    assert np.linalg.norm(found.translation_m - source.translation_m, axis=1).max() < 1e-3


def test_it_stops_where_it_stopped():
    track = redrive_ego(EgoRecorded(kind="recorded", speed_factor=1.5), RECORDED, 1_000_000, 10.0)
    stop = RECORDED.at(np.array([10_000_000])).translation_m[0]
    assert track.at(np.array([7_000_000])).translation_m[0] == pytest.approx(stop, abs=1e-9)


def test_moved_sideways_it_keeps_its_distance_to_the_recorded_way():
    track = redrive_ego(EgoRecorded(kind="recorded", lateral_m=-1.2), RECORDED, 1_000_000, 8.0)
    found = track.at(RECORDED.timestamps_us[:50])
    moved = RECORDED.world_from_body[:50].inverse() @ found
    assert moved.translation_m == pytest.approx(np.tile([0.0, -1.2, 0.0], (50, 1)), abs=1e-6)
    assert moved.rotation == pytest.approx(np.tile(np.eye(3), (50, 1, 1)), abs=1e-6)


def test_beyond_the_end_of_the_log_it_is_refused_with_what_is_possible():
    with pytest.raises(ScenarioError) as error:
        redrive_ego(EgoRecorded(kind="recorded", speed_factor=2.5), RECORDED, 6_000_000, 8.0)
    assert str(error.value) == (
        "the ego drives 2.5 times as fast and would need 20.0 s of the log, which has 15.0. Use a speed_factor of at "
        "most 1.87, or a duration_s of at most 6"
    )


def test_a_log_that_stands_still_may_be_played_at_any_speed():
    still = Trajectory(np.array([0, 10_000_000]), SE3.from_yaw(np.zeros(2), np.zeros((2, 3))))
    track = redrive_ego(EgoRecorded(kind="recorded", speed_factor=0.5, lateral_m=1.0), still, 0, 10.0)
    assert track.world_from_body.translation_m == pytest.approx(np.tile([0.0, 1.0, 0.0], (2, 1)))


def test_the_same_drive_gives_the_same_bytes():
    one, two = (ego_on("hill", BEHAVIOURS[1]) for _ in range(2))
    assert one.world_from_body.matrix.tobytes() == two.world_from_body.matrix.tobytes()
