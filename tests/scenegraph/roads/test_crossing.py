"""The built-in crossing: traffic that could be real."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from shapely import Polygon, box

from scenegraph import SE3, Actor, LightState, Scene, TimeRangeError
from scenegraph.roads import crossing_scene

LANE_M, ROAD_M, STOP_M = 3.5, 7.0, 17.5
EGO_REAR_M, EGO_FRONT_M, EGO_HALF_WIDTH_M = -1.1, 3.9, 1.0
DRIVING = {"Car", "Truck", "Cyclist"}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return crossing_scene()


@pytest.fixture(scope="module")
def times_us(scene: Scene) -> npt.NDArray[np.int64]:
    return np.arange(scene.ego.first_us, scene.ego.last_us + 1, 50_000)


def footprints(world_from_box: SE3, low_x_m: float, high_x_m: float, half_width_m: float) -> list[Polygon]:
    corners = [(low_x_m, -half_width_m), (high_x_m, -half_width_m), (high_x_m, half_width_m), (low_x_m, half_width_m)]
    local = np.array([(x, y, 0.0) for x, y in corners])
    return [Polygon(world_from_box[i].apply(local)[:, :2]) for i in range(world_from_box.shape[0])]


def actor_footprints(actor: Actor, times_us: npt.NDArray[np.int64]) -> list[Polygon]:
    boxes = actor.boxes_at(times_us)
    assert boxes.present.all()
    half_length_m, half_width_m = boxes.length_m[0] / 2, boxes.width_m[0] / 2
    return footprints(boxes.world_from_box, -half_length_m, half_length_m, half_width_m)


def test_nobody_touches_anybody_at_any_time(scene: Scene, times_us: npt.NDArray[np.int64]) -> None:
    bodies = {actor.id: actor_footprints(actor, times_us) for actor in scene.actors}
    bodies["ego"] = footprints(scene.ego.at(times_us), EGO_REAR_M, EGO_FRONT_M, EGO_HALF_WIDTH_M)
    gaps_m = {
        (one, other): min(a.distance(b) for a, b in zip(bodies[one], bodies[other], strict=True))
        for one, other in combinations(bodies, 2)
    }
    closest = min(gaps_m, key=lambda pair: gaps_m[pair])
    assert gaps_m[closest] > 0.5, closest


def test_vehicles_stay_in_the_lane_of_their_direction(scene: Scene, times_us: npt.NDArray[np.int64]) -> None:
    for actor in scene.actors:
        if actor.category not in DRIVING:
            continue
        heading = actor.trajectory.world_from_body.rotation[0, :2, 0]
        right = np.array([heading[1], -heading[0]])
        for body in actor_footprints(actor, times_us):
            lateral_m = np.array(body.exterior.coords) @ right
            lane = int(lateral_m.mean() // LANE_M)
            assert lane in (0, 1), actor.id
            assert lateral_m.min() >= lane * LANE_M, actor.id
            assert lateral_m.max() <= (lane + 1) * LANE_M, actor.id


def test_the_ego_keeps_to_its_lane_and_to_the_map(scene: Scene, times_us: npt.NDArray[np.int64]) -> None:
    lane = box(-90.0, -2 * LANE_M, 90.0, -LANE_M)
    bodies = footprints(scene.ego.at(times_us), EGO_REAR_M, EGO_FRONT_M, EGO_HALF_WIDTH_M)
    assert all(lane.contains(body) for body in bodies)


def test_who_has_red_stands_behind_the_stop_line_at_the_end(scene: Scene, times_us: npt.NDArray[np.int64]) -> None:
    crossing_roads = [actor for actor in scene.actors if actor.id in ("northern car", "southern car", "cyclist")]
    assert len(crossing_roads) == 3
    for actor in crossing_roads:
        bodies = actor_footprints(actor, times_us)
        nearest_m = np.array([np.abs(np.array(body.exterior.coords)[:, 1]).min() for body in bodies])
        assert STOP_M < nearest_m.min() < STOP_M + 1.5, actor.id
        assert nearest_m[-1] == pytest.approx(nearest_m[-2], abs=1e-6), actor.id
        assert nearest_m[0] > STOP_M + 10.0, actor.id


def test_nobody_accelerates_beyond_what_is_comfortable(scene: Scene) -> None:
    for name, track in [("ego", scene.ego), *((actor.id, actor.trajectory) for actor in scene.actors)]:
        seconds = track.timestamps_us / 1e6
        velocity = np.diff(track.world_from_body.translation_m, axis=0) / np.diff(seconds)[:, None]
        acceleration = np.diff(velocity, axis=0) / np.diff(seconds)[1:, None]
        assert np.linalg.norm(acceleration, axis=1).max() < 4.0, name


def test_bodies_look_where_they_go(scene: Scene) -> None:
    for actor in scene.actors:
        poses = actor.trajectory.world_from_body
        step = np.diff(poses.translation_m, axis=0)
        assert np.einsum("ti,ti->t", step, poses.rotation[:-1, :, 0]) == pytest.approx(np.linalg.norm(step, axis=1))


def test_bodies_stand_on_the_ground(scene: Scene) -> None:
    for actor in scene.actors:
        assert actor.trajectory.world_from_body.translation_m[:, 2] == pytest.approx(actor.height_m / 2)


def test_lights_never_give_both_roads_the_way(scene: Scene, times_us: npt.NDArray[np.int64]) -> None:
    assert set(scene.light_states) == {light.id for light in scene.hdmap.traffic_lights}
    shown = {light_id: timeline.at(times_us) for light_id, timeline in scene.light_states.items()}
    assert set(shown["1-light"]) == set(shown["3-light"]) == {LightState.RED}
    assert shown["0-light"] == shown["2-light"]
    assert shown["0-light"][0] is LightState.GREEN
    assert shown["0-light"][-1] is LightState.YELLOW


def test_whoever_goes_straight_on_has_entered_before_yellow(scene: Scene) -> None:
    yellow_us = scene.light_states["0-light"].timestamps_us[1:]
    for actor in scene.actors:
        heading = actor.trajectory.world_from_body.rotation[0, :, 0]
        if actor.category in DRIVING and abs(heading[0]) > 0.5:
            ahead_m = float((actor.trajectory.at(yellow_us).translation_m @ heading)[0]) + actor.length_m[0] / 2
            assert ahead_m > -STOP_M, actor.id


def test_every_layer_of_the_map_is_there(scene: Scene) -> None:
    assert all(count > 0 for count in scene.hdmap.counts().values())


def test_a_short_scene_is_the_beginning_of_a_long_one(scene: Scene) -> None:
    short = crossing_scene(2.05)
    assert short.duration_s == 2.05
    times = np.arange(0, 2_050_001, 10_000)
    for one, other in zip(short.actors, scene.actors, strict=True):
        assert one.trajectory.at(times).matrix == pytest.approx(other.trajectory.at(times).matrix, abs=1e-2)
    assert short.ego.at(times).matrix == pytest.approx(scene.ego.at(times).matrix)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 10.1, float("nan")])
def test_other_lengths_are_refused(seconds: float) -> None:
    with pytest.raises(TimeRangeError) as error:
        crossing_scene(seconds)
    assert str(error.value) == f"the built-in crossing lasts 0.1 to 10 s, got {seconds:g}"
