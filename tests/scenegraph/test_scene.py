import dataclasses
import json
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from scenegraph import (
    SE3,
    Actor,
    CameraRig,
    Category,
    FrameError,
    HDMap,
    LightState,
    LightTimeline,
    Scene,
    SceneGraphError,
    TimeRangeError,
    TrafficLight,
    Trajectory,
)


def drive(first_us=0, duration_us=2_000_000):
    return Trajectory([first_us, first_us + duration_us], SE3.identity(2))


def actor(actor_id):
    return Actor(actor_id, Category.CAR, drive(), 4.0, 2.0, 1.5)


def lit_map():
    return HDMap(traffic_lights=(TrafficLight("t1", SE3.identity(), 0.4, 0.4, 1.0),))


def scene(**more):
    return Scene(**{"clip_id": "clip", "hdmap": lit_map(), "ego": drive(), **more})


TIMELINE = LightTimeline([100, 200], (LightState.RED, LightState.GREEN))


# -- frame times ------------------------------------------------------------------------------


def test_frame_times_are_the_golden_ones(golden_render):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())
    times = expected["timestamps_us"]
    found = scene(ego=drive(times[0], int(expected["duration_s"] * 1e6))).frame_times_us()
    assert found.tolist() == times and len(found) == expected["num_frames"]


def test_recorded_frame_times_are_used_unless_a_rate_is_asked_for(golden_render):
    expected = json.loads((golden_render / "clipgt" / "expected.json").read_text())
    recorded = expected["with_camera_timestamps"]["timestamps_us"]
    ego = drive(expected["timestamps_us"][0])
    one = scene(ego=ego, frame_timestamps_us=np.array(recorded))
    assert one.frame_times_us().tolist() == recorded
    assert one.frame_times_us(30).tolist() == recorded
    assert dataclasses.replace(one, frame_timestamps_us=None).frame_times_us(30).tolist() == expected["timestamps_us"]


def test_a_lower_rate_picks_recorded_instants():
    recorded = 400_000 + 33_366 * np.arange(31)
    one = scene(ego=drive(0, 2_000_000), frame_timestamps_us=recorded)
    assert one.frame_times_us(10).tolist() == recorded[::3].tolist()


def test_a_rate_above_that_of_the_cameras_fills_the_recorded_span():
    one = scene(ego=drive(0, 2_000_000), frame_timestamps_us=np.array([400_000, 500_000, 600_000]))
    assert one.frame_times_us(20).tolist() == [400_000, 450_000, 500_000, 550_000, 600_000]


def test_a_gap_in_the_recording_is_filled():
    one = scene(ego=drive(0, 2_000_000), frame_timestamps_us=np.array([0, 100_010, 199_990, 500_020, 600_000]))
    assert one.frame_times_us(10).tolist() == [0, 100_010, 199_990, 300_000, 400_000, 500_020, 600_000]


def test_twenty_seconds_at_thirty_frames_per_second_are_601_frames():
    times = scene(ego=drive(0, 20_000_000)).frame_times_us()
    assert len(times) == 601 and times[-1] == 20_000_000


@pytest.mark.parametrize(
    ("duration_us", "fps", "count", "last_us"),
    [
        (2_000_000, 10, 21, 2_000_000),
        (2_050_000, 10, 21, 2_000_000),
        (99_999, 10, 1, 0),
        (1_000_000, 24, 25, 1_000_000),
        (1_000_000, 29.97, 30, 967_634),
    ],
)
def test_frames_at_other_rates(duration_us, fps, count, last_us):
    times = scene(ego=drive(0, duration_us)).frame_times_us(fps)
    assert len(times) == count and times[-1] == last_us


@pytest.mark.parametrize("fps", [7, 10, 12, 15, 24, 25, 30, 60])
def test_frame_times_that_are_whole_are_not_one_short(fps):
    times = scene(ego=drive(5, 60_000_000)).frame_times_us(fps) - 5
    assert times.tolist() == [i * 1_000_000 // fps for i in range(60 * fps + 1)]


def test_no_frame_lies_after_the_last_ego_pose():
    for duration_us in range(33_330, 33_340):
        one = scene(ego=drive(0, duration_us))
        assert one.frame_times_us()[-1] <= one.ego.last_us


def test_an_ego_seen_once_makes_one_frame():
    one = scene(ego=Trajectory([7], SE3.identity(1)))
    assert one.duration_s == 0 and one.frame_times_us().tolist() == [7]


@pytest.mark.parametrize(("fps", "shown"), [(0, "0"), (-5, "-5"), (float("nan"), "nan"), (float("inf"), "inf")])
def test_a_rate_that_is_none_is_refused(fps, shown):
    with pytest.raises(TimeRangeError) as error:
        scene().frame_times_us(fps)
    assert str(error.value) == f"fps must be above 0, got {shown}"


# -- lights -----------------------------------------------------------------------------------


def test_a_light_shows_each_state_until_the_next():
    states = TIMELINE.at([0, 99, 100, 199, 200, 10**9])
    assert states == ("unknown", "unknown", "red", "red", "green", "green")


def test_words_become_light_states():
    assert LightTimeline([0], ("yellow",)).states == (LightState.YELLOW,)
    with pytest.raises(ValueError, match="purple"):
        LightTimeline([0], ("purple",))


@pytest.mark.parametrize(
    ("times", "states", "kind", "sentence"),
    [
        ([0, 1], ("red",), FrameError, "light states: 1 states for 2 times"),
        ([], (), FrameError, "light states: 0 states for 0 times"),
        ([5, 5], ("red", "green"), TimeRangeError, "light states: times must increase"),
        ([0.5], ("red",), TimeRangeError, "light states: expected whole microseconds, got [0.5]"),
    ],
)
def test_a_timeline_that_is_none_is_refused(times, states, kind, sentence):
    with pytest.raises(kind) as error:
        LightTimeline(times, states)
    assert str(error.value) == sentence


# -- the scene --------------------------------------------------------------------------------


def test_another_rig_films_the_same_world():
    one = scene(actors=[actor("1")], light_states={"t1": TIMELINE})
    rig = CameraRig(())
    other = one.with_rig(rig)
    assert other.rig is rig and other.actors == one.actors and other.light_states["t1"] is TIMELINE
    assert isinstance(one.actors, tuple)


@pytest.mark.parametrize(
    ("more", "kind", "sentence"),
    [
        (
            {"actors": (actor("7"), actor("8"), actor("7"))},
            SceneGraphError,
            "actor ids must be unique, 7 occurs more than once",
        ),
        (
            {"light_states": {"t1": TIMELINE, "t9": TIMELINE}},
            SceneGraphError,
            "light states name lights that the map lacks: t9",
        ),
        (
            {"frame_timestamps_us": np.array([3, 3])},
            TimeRangeError,
            "frame times must increase and there must be at least one",
        ),
        (
            {"frame_timestamps_us": np.array([], dtype=int)},
            TimeRangeError,
            "frame times must increase and there must be at least one",
        ),
        (
            {"world_origin_m": [0.0, np.nan, 0.0]},
            FrameError,
            "world origin: expected 3 finite numbers, got [0.0, nan, 0.0]",
        ),
        ({"world_origin_m": [0.0, 1.0]}, FrameError, "world origin: expected 3 finite numbers, got [0.0, 1.0]"),
    ],
)
def test_what_makes_no_scene_is_refused(more, kind, sentence):
    with pytest.raises(kind) as error:
        scene(**more)
    assert str(error.value) == sentence


def test_changing_the_source_later_changes_nothing():
    states, source, stamps = {"t1": TIMELINE}, {"format": "x"}, np.array([1, 2])
    one = scene(light_states=states, source=source, frame_timestamps_us=stamps)
    states.clear()
    source.clear()
    stamps[:] = 0
    assert set(one.light_states) == {"t1"} and one.source == {"format": "x"}
    assert one.frame_times_us().tolist() == [1, 2]


def test_scenes_survive_pickle():
    one = scene(actors=(actor("1"),), light_states={"t1": TIMELINE}, world_origin_m=[1.0, 2.0, 3.0])
    one.hdmap.near(np.zeros(3), 10.0)
    back = pickle.loads(pickle.dumps(one))
    assert back.clip_id == "clip" and back.actors[0].id == "1"
    assert back.light_states["t1"].at([150]) == ("red",)
    assert back.hdmap.near(np.zeros(3), 10.0).counts() == one.hdmap.counts()
    assert_allclose(back.world_origin_m, [1, 2, 3])
