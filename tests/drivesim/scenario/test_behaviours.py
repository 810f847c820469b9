"""Laws of every behaviour on a straight road, a bend of 60 m and a hill, and what each is there for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import shapely
from driven_roads import EDGE_M, ROADS, actor, standing_ego, world
from hypothesis import given, settings
from hypothesis import strategies as st

from drivesim.errors import ScenarioError
from drivesim.scenario.behaviours import behave
from drivesim.scenario.classes import EGO_BODY, KINDS, body_of, walks
from drivesim.scenario.motion import dynamics
from drivesim.scenario.schema_actors import EgoChangeLane, EgoProfile
from scenegraph import SE3, box_corners
from scenegraph.formats.clipgt_write import write_clipgt
from scenegraph.roads.lane_path import lane_path

FEW = settings(max_examples=6, deadline=None, derandomize=True)
STEP_S = 0.02


def lane(name="ego", ahead_m=30.0, lateral_m=0.0):
    return {"kind": "lane", "lane": name, "ahead_m": ahead_m, "lateral_m": lateral_m}


def roadside(side="right", ahead_m=60.0, beyond_m=1.5):
    return {"kind": "roadside", "side": side, "ahead_m": ahead_m, "beyond_edge_m": beyond_m}


def pose(x_m, y_m, yaw_deg=0.0):
    return {"kind": "pose", "x_m": x_m, "y_m": y_m, "yaw_deg": yaw_deg}


def points(*rows):
    return [{"at_s": at, "x_m": x, "y_m": y} for at, x, y in rows]


CASES = {
    "still": ("car", roadside(beyond_m=-1.0), {"kind": "still"}),
    "cone": ("cone", lane(), {"kind": "still"}),
    "keep lane": ("car", lane(), {"kind": "keep_lane", "speed_mps": 14}),
    "bus": ("bus", lane("ego+1"), {"kind": "keep_lane", "speed_mps": 12}),
    "cyclist": ("cyclist", lane(lateral_m=-1.0), {"kind": "keep_lane", "speed_mps": 5}),
    "cut in": ("car", lane("ego+1", 8.0), {"kind": "cut_in"}),
    "sharp cut in": ("van", lane("ego+1", 8.0), {"kind": "cut_in", "profile": "sharp", "duration_s": 3.5}),
    "cut out": ("car", lane(), {"kind": "cut_out", "speed_mps": 12, "duration_s": 3}),
    "hard brake": ("car", lane(), {"kind": "hard_brake", "speed_mps": 12, "deceleration_mps2": 9}),
    "truck brakes": ("truck", lane(), {"kind": "hard_brake", "speed_mps": 12, "to_mps": 3}),
    "stop and go": ("bus", lane(), {"kind": "stop_and_go", "drive_s": 1.0}),
    "overtake": ("car", lane("ego", -30.0), {"kind": "overtake", "speed_mps": 18, "gap_m": 15}),
    "u turn": ("car", lane("oncoming+1", 60.0), {"kind": "u_turn", "speed_mps": 4, "radius_m": 4.5, "at_s": 1}),
    "jaywalk": ("pedestrian", roadside(), {"kind": "jaywalk"}),
    "child runs": ("child", roadside("left"), {"kind": "jaywalk", "speed_mps": 3.5, "angle_deg": 60}),
    "deer": ("animal", roadside(), {"kind": "jaywalk", "speed_mps": 5.5}),
    "cyclist crosses": ("cyclist", roadside(beyond_m=4.0), {"kind": "jaywalk", "speed_mps": 4}),
    "wrong way": ("car", lane("ego+1", 130.0), {"kind": "wrong_way", "speed_mps": 13}),
    "emergency": ("emergency", lane("ego", -45.0), {"kind": "emergency", "speed_mps": 19}),
    "waypoints": (
        "car", pose(20.0, 0.0), {"kind": "waypoints", "points": points((0, 20, 0), (3, 45, 0.5), (8, 80, 3))},
    ),
    "waypoints from rest": (
        "van", pose(20.0, 0.0), {"kind": "waypoints", "points": points((1, 20, 0), (5, 35, 0), (7, 41, 0))},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Driven:
    """What an actor's boxes do, every 20 ms: of the rear axle, or the middle of who walks."""

    points_m: np.ndarray
    yaw_rad: np.ndarray
    boxes: SE3
    asked: object

    @property
    def times_s(self):
        return np.arange(len(self.points_m)) * STEP_S


def driven(of, file):
    """Of the boxes themselves, sampled densely, as every film and check sees them."""
    times_us = np.arange(of.trajectory.first_us, of.trajectory.last_us + 1, round(STEP_S * 1e6))
    boxes = of.boxes_at(times_us)
    assert boxes.present.all()
    axle = boxes.world_from_box @ SE3(np.eye(3), np.array([-body_of(file).rear_axle_m, 0.0, 0.0]))
    yaw = np.unwrap(boxes.world_from_box.yaw_rad)
    times_s = (times_us - times_us[0]) / 1e6
    moved = dynamics(times_s, axle.translation_m, yaw)
    return Driven(axle.translation_m, yaw, boxes.world_from_box, moved)


def require_laws(of, file, inside):
    """Bounded forces, no jumps, no sliding, on the ground."""
    limits, found = KINDS[file.category].limits, driven(of, file)
    asked, slack = found.asked, 1.03
    assert asked.speed_mps.max() <= slack * limits.speed_mps + 1e-6
    assert asked.along_mps2.max() <= slack * limits.acceleration_mps2 + 0.01
    assert -asked.along_mps2.min() <= slack * limits.braking_mps2 + 0.01
    assert np.abs(asked.side_mps2).max() <= slack * limits.lateral_mps2 + 0.01
    assert np.abs(asked.yaw_rate_radps).max() <= slack * limits.yaw_rate_radps + 1e-3
    assert asked.jerk_mps3.max() <= 1.1 * limits.jerk_mps3 + 0.01
    pull = max(limits.acceleration_mps2, limits.braking_mps2)
    second = np.linalg.norm(np.diff(found.points_m, 2, axis=0), axis=1) / STEP_S**2
    assert second.max() <= 1.05 * np.hypot(pull, limits.lateral_mps2) + 0.5
    assert np.abs(np.diff(found.points_m[:, 2], 2)).max() / STEP_S**2 < 1.0
    velocity = np.gradient(found.points_m, STEP_S, axis=0)
    moving = np.linalg.norm(velocity[:, :2], axis=1) > 0.3
    slip = np.arctan2(velocity[moving, 1], velocity[moving, 0]) - found.yaw_rad[moving]
    assert np.degrees(np.abs((slip + np.pi) % (2 * np.pi) - np.pi)).max(initial=0.0) < 0.5
    require_on_ground(of, found, inside)


def require_on_ground(of, found, inside):
    """Under the middle of the box and under its corners, as far as the box is rigid, within 3 cm."""
    half = np.array([of.length_m[0], of.width_m[0]]) * 0.35
    for ahead, left in [(0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]:
        foot = np.array([[ahead * half[0], left * half[1], -of.height_m[0] / 2]])
        feet = found.boxes.apply(foot)[:, 0]
        assert np.abs(inside.ground.heights_m(feet) - feet[:, 2]).max() < 0.03


def case(name, road="straight", **changes):
    category, place, how = CASES[name]
    file = actor(category=category, place=place, **{**how, **changes})
    inside = world(ROADS[road])
    return behave(file, inside, {}), file, inside


def outlines(poses, length_m, width_m):
    corners = box_corners(poses, length_m, width_m, 1.0)[:, :4, :2]
    return shapely.polygons(corners)


def ego_outlines(inside, times_us, margin_m=0.0):
    boxes = inside.scene.ego.at(times_us) @ SE3(np.eye(3), np.array([EGO_BODY.rear_axle_m, 0.0, 0.0]))
    return outlines(boxes, EGO_BODY.length_m + margin_m, EGO_BODY.width_m + margin_m)


def touches_ego(of, inside, until_s=99.0):
    times_us = np.arange(
        of.trajectory.first_us, min(of.trajectory.last_us, inside.start_us + round(until_s * 1e6)), 40_000
    )
    own = outlines(of.boxes_at(times_us).world_from_box, of.length_m[0], of.width_m[0])
    return bool(shapely.intersects(own, ego_outlines(inside, times_us)).any())


def gap_m(of, file, inside, at_s):
    """Bumper to bumper along the ego's lane."""
    at_us = np.array([inside.start_us + round(at_s * 1e6)])
    rear = of.boxes_at(at_us).world_from_box.apply(np.array([[-of.length_m[0] / 2, 0.0, -of.height_m[0] / 2]]))[0, 0]
    front = inside.scene.ego.at(at_us).apply(np.array([[EGO_BODY.front_m, 0.0, 0.0]]))[0, 0]
    pose = inside.scene.ego.at(at_us)[0]
    place = inside.graph.nearest_lane(pose.translation_m, float(pose.yaw_rad))
    way = lane_path(inside.graph, place.lane.id, place.station_m, 300.0, 100.0)
    return way.locate(rear)[0] - way.locate(front)[0]


def lateral_m(of, at_s, start_us=0):
    """Place across a straight road along x."""
    return float(of.boxes_at(np.array([start_us + round(at_s * 1e6)])).world_from_box.translation_m[0, 1])


def refusal(file, inside, others=None):
    with pytest.raises(ScenarioError) as error:
        behave(file, inside, others or {})
    return str(error.value)


# -- laws --------------------------------------------------------------------------------------------


TOO_FAST = ("overtake", "bend")  # 18 m/s while changing lanes in a bend of 60 m


@pytest.mark.parametrize("name, road", [(n, r) for n in CASES for r in ROADS if (n, r) != TOO_FAST])
def test_everybody_moves_as_their_class_can_with_wheels_on_the_road(name, road):
    of, file, inside = case(name, road)
    require_laws(of, file, inside)
    assert of.source_category == file.category and of.id == "other"


def test_what_is_too_fast_for_its_bend_is_refused():
    assert refusal(actor(place=CASES["overtake"][1], **CASES["overtake"][2]), world(ROADS["bend"])) == (
        "actor other: needs 7.7 m/s² to the side at 5.8 s, and its class manages 7"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_same_file_gives_the_same_bytes(name):
    one, two = case(name, "hill")[0], case(name, "hill")[0]
    assert one.trajectory.timestamps_us.tobytes() == two.trajectory.timestamps_us.tobytes()
    assert one.trajectory.world_from_body.matrix.tobytes() == two.trajectory.world_from_body.matrix.tobytes()


@pytest.mark.parametrize("name", ["keep lane", "cut in", "u turn", "jaywalk", "emergency", "waypoints"])
def test_the_clock_of_the_log_does_not_matter(name):
    category, place, how = CASES[name]
    file = actor(category=category, place=place, **how)
    early, late = (behave(file, world(start_us=start), {}) for start in (0, 1_557_858_135_123_457))
    assert np.array_equal(late.trajectory.timestamps_us - 1_557_858_135_123_457, early.trajectory.timestamps_us)
    assert late.trajectory.world_from_body.matrix == pytest.approx(early.trajectory.world_from_body.matrix, abs=1e-6)


@FEW
@given(st.floats(0, 30), st.sampled_from(["car", "van", "truck", "motorcycle"]), st.sampled_from(sorted(ROADS)))
def test_any_speed_along_a_lane_keeps_the_laws(speed_mps, category, road):
    file = actor(category=category, place=lane("ego+1", -20.0), kind="keep_lane", speed_mps=speed_mps)
    inside = world(ROADS[road])
    require_laws(behave(file, inside, {}), file, inside)


@FEW
@given(st.floats(0.5, 20), st.floats(0, 4), st.floats(0.5, 4), st.sampled_from(sorted(ROADS)))
def test_any_stop_and_go_keeps_the_laws(speed_mps, stand_s, drive_s, road):
    file = actor(kind="stop_and_go", speed_mps=speed_mps, stand_s=stand_s, drive_s=drive_s + 0.51)
    inside = world(ROADS[road], duration_s=12.0)
    require_laws(behave(file, inside, {}), file, inside)


# -- places ------------------------------------------------------------------------------------------


def test_a_place_on_a_lane_is_where_the_middle_of_the_box_begins():
    for name in ("keep lane", "bus", "hard brake", "wrong way", "jaywalk"):
        category, _, how = CASES[name]
        file = actor(category=category, place=lane("ego", 40.0, 0.3), **how)
        first = behave(file, world(), {}).trajectory.world_from_body.translation_m[0]
        assert first[:2] == pytest.approx([290.0, -5.25 + 0.3], abs=1e-6)


@pytest.mark.parametrize(
    "name, y_m, yaw",
    [("ego", -5.25, 0.0), ("ego+1", -1.75, 0.0), ("oncoming", 1.75, np.pi), ("oncoming+1", 5.25, np.pi)],
)
def test_lanes_are_counted_from_the_ego(name, y_m, yaw):
    box = behave(actor(place=lane(name, 25.0)), world(), {}).trajectory.world_from_body
    assert box.translation_m[0, :2] == pytest.approx([275.0, y_m], abs=1e-6)
    assert np.cos(box.yaw_rad[0] - yaw) == pytest.approx(1.0)


@pytest.mark.parametrize("side, y_m, yaw", [("right", -EDGE_M - 2.0, 0.0), ("left", EDGE_M + 2.0, np.pi)])
def test_the_roadside_begins_at_the_kerb_and_heads_as_its_traffic(side, y_m, yaw):
    box = behave(actor(place=roadside(side, 25.0, 2.0)), world(), {}).trajectory.world_from_body
    assert box.translation_m[0, :2] == pytest.approx([275.0, y_m], abs=1e-6)
    assert np.cos(box.yaw_rad[0] - yaw) == pytest.approx(1.0)


def test_without_a_kerb_the_roadside_begins_at_the_outermost_lane():
    inside = world()
    bare = inside.with_scene(replace(inside.scene, hdmap=replace(inside.scene.hdmap, road_boundaries=())))
    for side, y_m in (("right", -8.0), ("left", 8.0)):
        box = behave(actor(place=roadside(side, 25.0, 1.0)), bare, {}).trajectory.world_from_body
        assert box.translation_m[0, 1] == pytest.approx(y_m, abs=1e-6)


def test_a_pose_is_of_the_world_or_as_the_ego_sees_it():
    seen = behave(actor(place=pose(10.0, 2.0, 90.0)), world(), {}).trajectory.world_from_body
    assert seen.translation_m[0, :2] == pytest.approx([260.0, -3.25]) and seen.yaw_rad[0] == pytest.approx(np.pi / 2)
    absolute = behave(actor(place={**pose(10.0, 2.0, 90.0), "frame": "world"}), world(), {}).trajectory.world_from_body
    assert absolute.translation_m[0, :2] == pytest.approx([10.0, 2.0])


def test_from_a_pose_it_follows_the_lane_of_its_direction():
    file = actor(place=pose(30.0, 7.2, 180.0), kind="keep_lane", speed_mps=10)
    box = behave(file, world(), {}).trajectory.world_from_body
    assert box.translation_m[[0, -1], :2] == pytest.approx(np.array([[280.0, 1.95], [200.0, 1.95]]), abs=1e-6)


def test_who_stands_is_there_as_long_as_the_scene():
    inside = world(duration_s=8.0)
    shorter = replace(inside, duration_s=5.0)
    track = behave(actor(), shorter, {}).trajectory
    assert (track.first_us, track.last_us) == (0, 8_000_000)


@pytest.mark.parametrize(
    "place, said",
    [
        (lane("ego+2"), "actor other: there is no lane ego+2: no further lane there drives in the ego's direction"),
        (
            lane("ego", 3000.0),
            "actor other: a path along lane r2 goes from -250 to 650 m; 3000 m are beyond the map",
        ),
        (
            pose(30.0, 40.0),
            "actor other: is on no lane of its direction, so it cannot follow one. Turn yaw_deg, or use waypoints",
        ),
    ],
)
def test_places_that_do_not_exist_are_refused(place, said):
    assert refusal(actor(place=place, kind="keep_lane", speed_mps=10), world()) == said


def test_where_the_map_ends_the_track_ends():
    file = actor(place=lane("oncoming", -200.0), kind="keep_lane", speed_mps=20)
    track = behave(file, world(), {}).trajectory
    assert 1.0 < track.last_us / 1e6 < 2.5
    assert track.world_from_body.translation_m[-1, 0] == pytest.approx(KINDS["car"].length_m / 2, abs=0.5)


def test_what_has_no_engine_goes_nowhere():
    file = actor(category="cone", kind="keep_lane", speed_mps=3)
    assert refusal(file, world()) == (
        "actor other: is a cone, which cannot move by itself. Use kind: still or copy_track"
    )


# -- along a lane ------------------------------------------------------------------------------------


def test_hard_braking_begins_when_asked_and_is_as_hard_as_asked():
    of, file, _ = case("hard brake")
    asked = driven(of, file).asked
    assert asked.along_mps2[:99] == pytest.approx(0.0, abs=1e-6)
    assert -asked.along_mps2.min() == pytest.approx(9.0, abs=0.01)
    assert asked.speed_mps[0] == pytest.approx(12.0) and (np.abs(asked.speed_mps[-50:]) < 1e-9).all()


def test_braking_harder_than_the_class_can_or_not_at_all_is_refused():
    file = actor(category="truck", kind="hard_brake", speed_mps=12, deceleration_mps2=9)
    assert refusal(file, world()) == (
        "actor other: is to brake with 9 m/s². Use a deceleration_mps2 of at most 7, what a truck can do"
    )
    file = actor(kind="hard_brake", speed_mps=12, to_mps=12)
    assert refusal(file, world()) == "actor other: brakes from 12 to 12 m/s. Use a to_mps below speed_mps"


def test_stop_and_go_stands_as_long_as_asked():
    file = actor(kind="stop_and_go", speed_mps=5, drive_s=1.0, stand_s=1.5)
    speed = driven(behave(file, world(), {}), file).asked.speed_mps
    assert (np.abs(speed) < 1e-6).sum() * STEP_S == pytest.approx(1.5, abs=0.15)
    assert speed.max() == pytest.approx(5.0, abs=0.01) and speed[-1] > 1.0


def test_the_wrong_way_is_against_the_lane_on_its_own_middle():
    of, file, inside = case("wrong way", "bend")
    found = driven(of, file)
    path = inside.path("ego+1", 0.0)
    stations, laterals = path.locate_all(found.points_m)
    assert (np.diff(stations) < 0).all() and np.abs(laterals).max() < 0.01


def test_a_cut_out_ends_in_the_middle_of_the_next_lane():
    of, _, _ = case("cut out")
    assert lateral_m(of, 2.0) == pytest.approx(-5.25) and lateral_m(of, 5.5) == pytest.approx(-1.75, abs=1e-6)
    assert refusal(actor(kind="cut_out", speed_mps=12, to="right"), world()) == (
        "actor other: is to use the lane to the right of lane r2, and there is none. Use another lane"
    )


# -- around the ego ----------------------------------------------------------------------------------


@FEW
@given(
    st.floats(3, 30), st.floats(1, 3), st.floats(2.5, 4.5), st.floats(0, 14), st.sampled_from(["smooth", "sharp"]),
    st.sampled_from(sorted(ROADS)), st.sampled_from(["car", "van", "motorcycle"]),
)  # fmt: skip
def test_a_cut_in_reaches_the_gap_it_was_asked_for_and_touches_nobody(
    wanted_m, at_s, duration_s, ahead_m, profile, road, category
):
    how = {"kind": "cut_in", "at_s": at_s, "duration_s": duration_s, "gap_m": wanted_m, "profile": profile}
    file = actor(category=category, place=lane("ego+1", ahead_m), **how)
    inside = world(ROADS[road])
    try:
        of = behave(file, inside, {})
    except ScenarioError as error:
        assert "gap_m" in str(error) or "manages" in str(error)
        return
    require_laws(of, file, inside)
    assert gap_m(of, file, inside, at_s + duration_s) == pytest.approx(wanted_m, abs=0.05)
    assert not touches_ego(of, inside)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("profile", ["smooth", "sharp"])
def test_cut_ins_of_the_usual_kind_are_possible_on_every_road(road, profile):
    for wanted_m in (5.0, 8.0, 15.0):
        of, file, inside = case("cut in", road, gap_m=wanted_m, profile=profile)
        require_laws(of, file, inside)
        assert gap_m(of, file, inside, 5.0) == pytest.approx(wanted_m, abs=0.05)
        assert not touches_ego(of, inside)


def test_after_a_cut_in_it_has_the_speed_asked_for_or_the_egos():
    for changes, speed_mps in (({}, 10.0), ({"speed_mps": 8.0}, 8.0)):
        of, file, _ = case("cut in", **changes)
        assert driven(of, file).asked.speed_mps[-5] == pytest.approx(speed_mps, abs=0.01)


def test_a_cut_in_is_where_the_ego_is_by_then():
    change = EgoChangeLane(kind="change_lane", speed_mps=10.0, to="left", at_s=0.5, duration_s=3.0)
    inside = world(behaviour=change)
    file = actor(place=lane("ego", 12.0), kind="cut_in", at_s=4.0, duration_s=3.0, gap_m=6.0)
    of = behave(file, inside, {})
    assert gap_m(of, file, inside, 7.0) == pytest.approx(6.0, abs=0.05) and lateral_m(of, 7.5) == pytest.approx(-1.75)


def test_a_cut_in_meets_an_ego_that_brakes():
    brakes = EgoProfile.model_validate(
        {"kind": "profile", "points": [{"at_s": 0, "speed_mps": 12}, {"at_s": 7, "speed_mps": 5}]}
    )
    inside = world(behaviour=brakes)
    file = actor(place=lane("ego+1", 10.0), kind="cut_in", gap_m=7.0)
    of = behave(file, inside, {})
    assert gap_m(of, file, inside, 5.0) == pytest.approx(7.0, abs=0.05)


def test_impossible_cut_ins_are_refused_with_what_is_possible():
    far = actor(place=lane("ego+1", -120.0), kind="cut_in")
    assert refusal(far, world()) == (
        "actor other: would have to drive 48.3 m/s before its lane change to be 8 m ahead of the ego at 5 s, and "
        "3.5 to 30.3 m/s is what it can change to 10.0 m/s from. Let it begin 56 m further ahead at least"
    )
    near = actor(place=lane("ego+1", 100.0), kind="cut_in")
    assert refusal(near, world()) == (
        "actor other: would have to drive -14.5 m/s before its lane change to be 8 m ahead of the ego at 5 s, and "
        "3.5 to 30.3 m/s is what it can change to 10.0 m/s from. From its place gap_m may be 71.1 to 164.9"
    )
    assert refusal(actor(kind="cut_in"), world()) == (
        "actor other: is on the ego's lane already when its lane change begins. Use a place on ego+1 or ego-1"
    )
    assert refusal(actor(place=lane("ego+1"), kind="cut_in", at_s=7), world()) == (
        "actor other: changes lane until 10 s, and the scenario ends at 8 s. Use a smaller at_s or duration_s"
    )


def test_a_lane_change_too_slow_to_be_steered_is_refused():
    file = actor(place=lane("ego+1", 10.0), kind="cut_in", duration_s=1.2, gap_m=5.0, speed_mps=0.5)
    assert refusal(file, world(ego_mps=1.0)) == (
        "actor other: ends its lane change at 0.5 m/s, and to come 3.5 m aside in 1.2 s it has to begin at 14.8 m/s or "
        "more, from where it cannot slow down so far. Use a longer duration_s, or a higher speed_mps"
    )


def test_a_gap_that_was_said_to_be_possible_is():
    inside = world()
    file = actor(place=lane("ego+1", 100.0), kind="cut_in", gap_m=71.2)
    assert gap_m(behave(file, inside, {}), file, inside, 5.0) == pytest.approx(71.2, abs=0.05)


def test_a_cut_in_that_would_hit_the_ego_is_refused():
    file = actor(place=lane("ego+1", -16.0), kind="cut_in", at_s=0.2, duration_s=7.0, gap_m=0.5)
    said = refusal(file, world())
    assert said.startswith("actor other: touches the ego at ")
    assert said.endswith(" s while it changes lane. Use a larger gap_m or at_s")


@FEW
@given(st.floats(17, 20), st.floats(16, 25), st.floats(0.5, 1.5), st.sampled_from(["straight", "hill"]))
def test_an_overtaker_comes_back_with_the_gap_it_was_asked_for(speed_mps, wanted_m, at_s, road):
    file = actor(place=lane("ego", -40.0), kind="overtake", speed_mps=speed_mps, gap_m=wanted_m, at_s=at_s)
    inside = world(ROADS[road], duration_s=14.0)
    of = behave(file, inside, {})
    require_laws(of, file, inside)
    assert not touches_ego(of, inside)
    times = np.arange(0.0, 13.9, 0.02)
    laterals = np.array([lateral_m(of, at) for at in times])
    assert laterals.max() == pytest.approx(-1.75, abs=1e-6) or laterals.max() > -2.5
    back_s = times[np.flatnonzero(np.abs(laterals + 5.25) > 1e-5)[-1]]
    assert gap_m(of, file, inside, back_s) == pytest.approx(wanted_m, abs=0.4)


def test_it_may_pass_over_the_oncoming_lane():
    inside = world(lane="r1", duration_s=12.0)
    file = actor(place=lane("ego", -35.0), kind="overtake", speed_mps=19)
    of = behave(file, inside, {})
    assert max(lateral_m(of, at) for at in np.arange(0.0, 11.9, 0.1)) == pytest.approx(1.75, abs=0.1)
    assert lateral_m(of, 11.5) == pytest.approx(-1.75, abs=1e-6)


def test_impossible_overtaking_is_refused_with_what_is_possible():
    slow = actor(place=lane("ego", -30.0), kind="overtake", speed_mps=11)
    assert refusal(slow, world()) == (
        "actor other: is -28 m ahead of the ego when the scenario ends at 8 s, and gap_m is 12. Use a speed_mps of at "
        "least 16.0, or let it begin nearer"
    )
    ahead = actor(place=lane("ego", 40.0), kind="overtake", speed_mps=15)
    assert refusal(ahead, world()) == (
        "actor other: is ahead of the ego from the beginning. Use a place behind it (a negative ahead_m)"
    )
    soon = actor(place=lane("ego", -15.0), kind="overtake", speed_mps=20)
    assert refusal(soon, world()).endswith(" a smaller at_s, or a place further behind")
    late = actor(place=lane("ego", -14.0), kind="overtake", speed_mps=14, at_s=3.0, gap_m=40.0)
    assert "touches the ego at " in refusal(late, world(duration_s=20.0))


@pytest.mark.parametrize("road", ROADS)
def test_an_emergency_vehicle_passes_the_ego_and_others_without_touching(road):
    inside = world(ROADS[road])
    parked = behave(actor("parked", place=lane("ego", 70.0, -1.0)), inside, {})
    slow = behave(actor("slow", place=lane("ego+1", 40.0), kind="keep_lane", speed_mps=6), inside, {})
    file = actor(category="emergency", place=lane("ego", -45.0), kind="emergency", speed_mps=19, weave_m=0.5)
    of = behave(file, inside, {"parked": parked, "slow": slow})
    require_laws(of, file, inside)
    assert not touches_ego(of, inside)
    times_us = np.arange(0, 8_000_000, 40_000)
    own = outlines(of.boxes_at(times_us).world_from_box, of.length_m[0], of.width_m[0])
    for other in (parked, slow):
        theirs = outlines(other.boxes_at(times_us).world_from_box, other.length_m[0], other.width_m[0])
        assert not shapely.intersects(own, theirs).any()


def test_without_anybody_in_the_way_it_sways_as_far_as_asked():
    file = actor(category="emergency", place=lane("oncoming+1", 200.0), kind="emergency", speed_mps=20, weave_m=1.2)
    of = behave(file, world(), {})
    sway = np.array([lateral_m(of, at) for at in np.arange(0.0, 7.9, 0.1)]) - 5.25
    assert np.abs(sway).max() == pytest.approx(1.2, abs=0.1) and sway.min() < -0.5 < 0.5 < sway.max()


def test_a_wall_of_vehicles_is_not_passed():
    inside = world()
    wall = {
        name: behave(actor(name, "truck", place=lane(name, 40.0)), inside, {})
        for name in ("ego", "ego+1", "oncoming", "oncoming+1")
    }
    file = actor(category="emergency", place=lane("ego", -45.0), kind="emergency", speed_mps=19)
    said = refusal(file, inside, wall)
    assert said.startswith("actor other: cannot pass at ")
    assert said.endswith("everything is taken. Let it begin on another lane, or clear a gap")


# -- turning around ----------------------------------------------------------------------------------


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("speed_mps, radius_m", [(3.0, 4.0), (4.0, 4.8)])
def test_a_u_turn_ends_on_a_lane_of_the_other_direction(road, speed_mps, radius_m):
    of, file, inside = case("u turn", road, speed_mps=speed_mps, radius_m=radius_m)
    require_laws(of, file, inside)
    found = driven(of, file)
    assert np.ptp(found.yaw_rad) == pytest.approx(np.pi, abs=0.6)
    bend = np.abs(found.asked.yaw_rate_radps) / np.maximum(found.asked.speed_mps, 1.0)
    assert bend.max() == pytest.approx(1 / radius_m, rel=0.05)
    place = inside.graph.nearest_lane(found.points_m[-1], float(found.yaw_rad[-1]))
    assert place.lane.id in ("r1", "r2")


def test_a_u_turn_that_the_road_or_the_class_has_no_room_for_is_refused():
    narrow = actor(place=lane("oncoming", 60.0), kind="u_turn", speed_mps=4)
    assert refusal(narrow, world()).endswith(
        "and the road has 9.2. A car cannot turn around here in one go: use a wider road or a lane further out"
    )
    bus = actor(category="bus", place=lane("oncoming+1", 60.0), kind="u_turn", speed_mps=3, radius_m=6)
    assert refusal(bus, world()) == (
        "actor other: turns around with a radius of 6 m. Use a radius_m of at least 7.5, what a bus can do"
    )
    fast = actor(place=lane("oncoming+1", 60.0), kind="u_turn", speed_mps=9, radius_m=4.5)
    assert refusal(fast, world()) == (
        "actor other: turns around at 9 m/s with a radius of 4.5 m. Use a speed_mps of at most 5.3, or a larger "
        "radius_m"
    )


# -- across the road ---------------------------------------------------------------------------------


@FEW
@given(st.floats(40, 140), st.floats(0.8, 3.0), st.sampled_from(["left", "right"]), st.sampled_from(sorted(ROADS)))
def test_a_jaywalker_crosses_at_the_angle_asked_for_and_reaches_the_other_side(angle_deg, speed_mps, side, road):
    inside = world(ROADS[road], duration_s=30.0, ego_mps=5.0)
    file = actor(
        category="pedestrian", place=roadside(side, 40.0), kind="jaywalk", speed_mps=speed_mps, angle_deg=angle_deg
    )
    of = behave(file, inside, {})
    require_laws(of, file, inside)
    found = driven(of, file)
    path = inside.path("ego", 0.0)
    station_m, aside_m = path.locate(found.points_m[0])
    moved = found.points_m[-1] - found.points_m[0]
    off = np.degrees(np.arctan2(moved[1], moved[0]) - path.headings_rad(np.array([station_m]))[0])
    assert abs((off + 180) % 360 - 180) == pytest.approx(angle_deg, abs=0.01)
    assert np.sign(path.locate(found.points_m[-1])[1]) == -np.sign(aside_m)
    assert np.linalg.norm(found.points_m[55] - found.points_m[0]) > 0  # sets off at 1 s
    assert np.linalg.norm(found.points_m[49] - found.points_m[0]) < 1e-9


def test_who_stops_in_the_road_has_walked_as_far_as_asked():
    of, _, _ = case("jaywalk", stop_after_m=5.0)
    way = of.trajectory.world_from_body.translation_m
    assert np.linalg.norm(way[-1] - way[0]) == pytest.approx(5.0, abs=1e-6)


def test_too_short_a_walk_is_refused_with_the_shortest():
    file = actor(category="pedestrian", place=roadside(), kind="jaywalk", speed_mps=5, stop_after_m=2)
    assert refusal(file, world()) == (
        "actor other: cannot reach 5 m/s and stop within 2.0 m. Use a longer way of at least 9.9 m, or a lower "
        "speed_mps"
    )


# -- from behind something ---------------------------------------------------------------------------


def hiding(category="van", **place):
    """A world, what hides, and the file of who hides."""
    inside = world(ego_mps=9.0)
    van = behave(actor("van", category, place=roadside(ahead_m=40.0, beyond_m=0.9)), inside, {})
    behind = roadside(ahead_m=44.0, beyond_m=1.0)
    file = actor("child", "child", place={**behind, **place}, kind="step_out", behind="van", meet_s=3.5)
    return inside, {"van": van}, file


def test_who_steps_out_is_in_the_middle_of_the_egos_lane_at_the_wanted_time():
    inside, others, file = hiding()
    of = behave(file, inside, others)
    require_laws(of, file, inside)
    assert lateral_m(of, 3.5) == pytest.approx(-5.25, abs=1e-3)
    assert lateral_m(of, 0.0) == pytest.approx(-EDGE_M - 1.0, abs=1e-6) and lateral_m(of, 8.0) > 0


def test_who_steps_out_is_hidden_until_then():
    inside, others, file = hiding()
    of = behave(file, inside, others)
    moving = np.linalg.norm(driven(of, file).points_m - driven(of, file).points_m[0], axis=1) > 1e-6
    starts_us = int(np.argmax(moving) * 20_000)
    for at_us in range(0, starts_us, 100_000):
        eye = inside.scene.ego.at(np.array([at_us])).apply(np.array([[1.6, 0.0, 1.3]]))[0, 0, :2]
        corners = np.asarray(
            shapely.get_coordinates(outlines(of.boxes_at(np.array([at_us])).world_from_box, 0.45, 0.45)[0])
        )
        van = outlines(others["van"].boxes_at(np.array([at_us])).world_from_box, 5.4, 2.0)[0]
        assert all(shapely.LineString([eye, corner]).intersects(van) for corner in corners)
    assert starts_us > 1_000_000


def test_who_would_be_seen_is_refused_with_a_hidden_place_that_works():
    inside, others, file = hiding(ahead_m=60.0)
    said = refusal(file, inside, others)
    assert said.startswith("actor child: is seen at 0.1 s and steps out at ")
    assert said.endswith("van does not hide it. Try place: {kind: lane, lane: ego, ahead_m: 43.3, lateral_m: -3.1}")
    moved = file.model_copy(update={"place": actor(place=lane("ego", 43.3, -3.1)).place})
    assert behave(moved, inside, others).id == "child"


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"behind": "wall"}, "hides behind 'wall', which does not exist or comes later in the file"),
        ({"meet_s": 9}, "meets the ego at 9 s, and the scenario ends at 8 s. Use a smaller meet_s"),
        (
            {"meet_s": 0.5},
            "takes 2.4 s to the middle of the ego's lane and has 0.5. Use a meet_s of at least 2.4, a higher "
            "speed_mps, or a place nearer to the lane",
        ),
        (
            {"meet_s": 6},
            "is to meet the ego at 6 s, and the ego passes there at 4.5 s. Use a smaller meet_s, or a place further "
            "ahead",
        ),
    ],
)
def test_impossible_steps_out_are_refused_with_what_is_possible(changes, said):
    inside, others, file = hiding()
    how = file.behaviour.model_copy(update=changes)
    assert refusal(file.model_copy(update={"behaviour": how}), inside, others) == f"actor child: {said}"


def test_nobody_hides_behind_what_is_lower_or_drives_away():
    inside, others, file = hiding("car")
    adult = file.model_copy(update={"category": "pedestrian"})
    assert refusal(adult, inside, others) == (
        "actor child: is 1.75 m tall and hides behind van, which is 1.55. Use a van, truck or bus, or category: child"
    )
    moving = behave(actor("van", "van", kind="keep_lane", speed_mps=5), inside, {})
    assert "does not stand there until " in refusal(file, inside, {"van": moving})


# -- where to be when --------------------------------------------------------------------------------


@FEW
@given(st.floats(4, 14), st.floats(-1, 1), st.floats(-1, 1), st.sampled_from(["car", "pedestrian", "cyclist"]))
def test_waypoints_are_met_at_their_times(speed_mps, left_m, further_m, category):
    speed_mps = min(speed_mps, 1.5) if category == "pedestrian" else speed_mps
    rows = [(0, 20, 0), (3, 20 + 3 * speed_mps, left_m), (6, 20 + 6 * speed_mps, further_m), (8, 20 + 8 * speed_mps, 0)]
    file = actor(category=category, place=pose(20, 0), kind="waypoints", points=points(*rows))
    inside = world()
    of = behave(file, inside, {})
    require_laws(of, file, inside)
    for at, x, y in rows:
        found = of.boxes_at(np.array([round(at * 1e6)])).world_from_box.translation_m[0, :2]
        assert found == pytest.approx([250 + x, -5.25 + y], abs=0.03)


def test_before_its_first_waypoint_it_sets_off_from_its_place_and_after_the_last_it_stands():
    of, file, _ = case("waypoints from rest")
    speed = driven(of, file).asked.speed_mps
    assert speed[:2] == pytest.approx(0.0, abs=0.01) and speed[355:] == pytest.approx(0.0, abs=0.01)
    first = of.trajectory.world_from_body.translation_m[0, :2]
    assert first == pytest.approx([270.0, -5.25], abs=1e-6)


@pytest.mark.parametrize(
    "rows, said",
    [
        (
            [(0, 25, 0), (4, 60, 0)],
            "is at its first waypoint at 0 s, which is 5.0 m from its place. Use the same point for both",
        ),
        (
            [(0, 20, 0), (4, 60, 0), (4, 61, 0)],
            "waypoints must come at least 0.1 s after each other, and one at 4 s follows one at 4 s",
        ),
    ],
)
def test_waypoints_that_do_not_fit_are_refused(rows, said):
    file = actor(place=pose(20, 0), kind="waypoints", points=points(*rows))
    assert refusal(file, world()) == f"actor other: {said}"


def test_waypoints_beyond_what_its_class_can_do_are_refused():
    rows = points((0, 20, 0), (2, 60, 0), (4, 150, 0), (6, 250, 0))
    assert " and its class manages " in refusal(actor(place=pose(20, 0), kind="waypoints", points=rows), world())


def test_a_copied_track_begins_at_the_own_place_and_moves_as_the_other_did(tmp_path):
    inside = world(ROADS["bend"])
    copied = behave(actor("model", kind="keep_lane", speed_mps=9), inside, {})
    write_clipgt(replace(inside.scene, actors=(copied,)), tmp_path / "log")
    file = actor(place=pose(12.0, 3.5, 90.0), kind="copy_track", path="log", actor="model")
    of = behave(file, world(), {}, tmp_path)
    start = of.trajectory.world_from_body[0]
    assert start.translation_m[:2] == pytest.approx([262.0, -1.75], abs=1e-3)
    assert start.yaw_rad == pytest.approx(np.pi / 2, abs=1e-3)
    theirs, ours = copied.trajectory.world_from_body, of.trajectory.world_from_body
    moved = [np.linalg.norm(t.translation_m[-1] - t.translation_m[0]) for t in (theirs, ours)]
    assert moved[1] == pytest.approx(moved[0], abs=0.05)


def test_a_track_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    inside = world()
    write_clipgt(replace(inside.scene, actors=(behave(actor("model"), inside, {}),)), tmp_path / "log")
    file = actor(kind="copy_track", path="log", actor="nobody")
    with pytest.raises(ScenarioError) as error:
        behave(file, inside, {}, tmp_path)
    assert str(error.value) == (
        "actor other: copies a track of log, which has no actor 'nobody'. It has model and others"
    )


def test_behaviours_work_while_the_ego_stands():
    inside = standing_ego(world())
    for name in ("keep lane", "jaywalk", "u turn"):
        category, place, how = CASES[name]
        file = actor(category=category, place=place, **how)
        require_laws(behave(file, inside, {}), file, inside)


def test_who_walks_is_upright_on_a_hill():
    of, file, _ = case("jaywalk", "hill")
    assert walks(file.category) and of.trajectory.world_from_body.rotation[:, 2, 2] == pytest.approx(1.0)
