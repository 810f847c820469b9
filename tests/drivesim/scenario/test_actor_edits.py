from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from pytest import approx

from drivesim.errors import ScenarioError
from drivesim.scenario.edits import apply_edit
from drivesim.scenario.schema_edits import EditFile
from drivesim.scenario.world import World
from drivesim.sources import load_scene
from scenegraph import SE3, Actor, Category, HDMap, LaneSegment, Polyline, Scene, Trajectory
from scenegraph.arrays import FloatArray
from scenegraph.roads import crossing_scene

_EDIT: TypeAdapter[EditFile] = TypeAdapter(EditFile)


def _world(scene: Scene, duration_s: float = 8.0, start_s: float = 0.0) -> World:
    return World(scene, scene.ego.first_us + round(start_s * 1e6), duration_s)


def _edited(world: World, **fields: Any) -> Scene:
    return apply_edit(_EDIT.validate_python(fields), world, Path()).scene


def _refusal(world: World, **fields: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        _edited(world, **fields)
    return str(error.value)


def _actor(scene: Scene, name: str) -> Actor:
    return next(actor for actor in scene.actors if actor.id == name)


def _ids(scene: Scene) -> list[str]:
    return [actor.id for actor in scene.actors]


@pytest.fixture(scope="module")
def crossing() -> World:
    return _world(crossing_scene(8.0))


@pytest.fixture(scope="module")
def argoverse(av2_log: Path) -> World:
    return _world(load_scene(av2_log), 15.0)


# -- who is there --------------------------------------------------------------------------------------


def test_removed_actors_are_gone_and_the_others_stay_in_order(crossing: World) -> None:
    left = _edited(crossing, kind="remove", actors=["lead car", "cone"])
    assert _ids(left) == [name for name in _ids(crossing.scene) if name not in ("lead car", "cone")]


def test_a_misspelt_actor_is_refused_with_the_nearest_id(crossing: World) -> None:
    known = ", ".join(_ids(crossing.scene))
    wrong = _refusal(crossing, kind="remove", actors=["led car"])
    assert wrong == f"there is no actor 'led car' (did you mean 'lead car'?). Actors: {known}"


def test_only_actors_of_a_class_are_kept_and_named_ones_anyway(crossing: World) -> None:
    left = _edited(crossing, kind="keep_only", classes=["Truck"], actors=["cone"])
    assert _ids(left) == ["oncoming lorry", "cone"]


def test_an_actor_is_kept_when_it_only_passes_through_the_region(crossing: World) -> None:
    # The ego starts at x -45, so 40 m ahead is x -5; oncoming cars pass 12.25 m (inner) left of it.
    region = {"x_m": 40.0, "y_m": 7.0, "radius_m": 1.0}
    assert _ids(_edited(crossing, kind="keep_only", region=region)) == ["oncoming car"]


def test_an_actor_is_found_between_two_key_poses(crossing: World) -> None:
    ends = SE3.from_yaw(np.zeros(2), np.array([[-60.0, 30.0, 0.8], [60.0, 30.0, 0.8]]))
    fast = Actor("fast", Category.CAR, Trajectory(np.array([0, 8_000_000]), ends), *map(np.array, (4.0, 2.0, 1.6)))
    scene = _edited(crossing, kind="keep_only", actors=["cone"])
    world = crossing.with_scene(Scene("x", scene.hdmap, scene.ego, (*scene.actors, fast)))
    region = {"x_m": 40.0, "y_m": 35.25, "radius_m": 0.5}
    assert _ids(_edited(world, kind="keep_only", region=region)) == ["fast"]


def test_what_happens_outside_of_the_scenario_does_not_count_for_a_region() -> None:
    scene = crossing_scene(8.0)
    region = {"x_m": 40.0, "y_m": 7.0, "radius_m": 1.0}
    assert _ids(_edited(World(scene, 0, 2.0), kind="keep_only", region=region)) == []


def test_keeping_without_a_criterion_is_refused(crossing: World) -> None:
    said = "keep_only: nothing says who is kept. Give classes, actors or a region"
    assert _refusal(crossing, kind="keep_only") == said


# -- class and size ------------------------------------------------------------------------------------


def _bottom_m(actor: Actor) -> FloatArray:
    poses = actor.trajectory.world_from_body
    return np.asarray(poses.translation_m - 0.5 * actor.height_m[:, None] * poses.rotation[..., :, 2])


def test_a_replaced_actor_keeps_its_wheels_on_the_ground(crossing: World) -> None:
    before = _actor(crossing.scene, "lead car")
    after = _actor(_edited(crossing, kind="replace", actor="lead car", category="bus", length_m=18.0), "lead car")
    assert (after.category, after.source_category) == (Category.TRUCK, "bus")
    assert (after.length_m[0], after.width_m[0], after.height_m[0]) == (18.0, 2.55, 3.2)
    assert _bottom_m(after) == approx(_bottom_m(before), abs=1e-12)


def test_a_replaced_actor_of_a_log_stands_where_it_stood_on_a_slope(argoverse: World) -> None:
    before = max(argoverse.scene.actors, key=lambda actor: float(np.ptp(actor.height_m)))
    after = _actor(_edited(argoverse, kind="replace", actor=before.id, category="truck"), before.id)
    assert _bottom_m(after) == approx(_bottom_m(before), abs=1e-9)


def test_replacing_nothing_is_refused(crossing: World) -> None:
    said = "replace 'cone': nothing is changed. Give a category, length_m, width_m or height_m"
    assert _refusal(crossing, kind="replace", actor="cone") == said


# -- time ----------------------------------------------------------------------------------------------


def test_a_retimed_actor_is_cut_at_the_end_of_the_scene_and_not_squeezed(crossing: World) -> None:
    before, scene = _actor(crossing.scene, "lead car"), _edited(crossing, kind="retime", actor="lead car", later_s=1.5)
    track = _actor(scene, "lead car").trajectory
    assert (track.first_us, track.last_us) == (1_500_000, 8_000_000)
    assert np.array_equal(track.at(np.array([4_500_000])).matrix, before.trajectory.at(np.array([3_000_000])).matrix)


def test_a_cut_between_two_key_poses_gives_a_new_one_at_the_end(crossing: World) -> None:
    before = _actor(crossing.scene, "lead car").trajectory
    scene = _edited(crossing, kind="retime", actor="lead car", later_s=-0.05)
    track = _actor(scene, "lead car").trajectory
    assert (track.first_us, track.last_us) == (0, 7_950_000)
    expected = before.at(np.array([50_000])).translation_m
    assert track.world_from_body.translation_m[:1] == approx(expected, abs=1e-9)


def test_an_actor_cannot_be_retimed_out_of_the_scenario(crossing: World) -> None:
    said = (
        "retime 'cone' by 9 s: it would be there from 9.0 to 17.0 s, and the scenario lasts from 0 to 8 s. "
        "Change it by less, or remove the actor"
    )
    assert _refusal(crossing, kind="retime", actor="cone", later_s=9.0) == said


# -- shifting ------------------------------------------------------------------------------------------


def test_an_actor_is_shifted_ahead_and_left_as_it_faces(crossing: World) -> None:
    scene = _edited(crossing, kind="shift", actor="oncoming car", ahead_m=4.0, left_m=1.0)
    places = [_actor(s, "oncoming car").trajectory.world_from_body.translation_m for s in (scene, crossing.scene)]
    assert places[0] - places[1] == approx(np.broadcast_to([-4.0, -1.0, 0.0], places[0].shape), abs=1e-9)


def _roughness_mps2(track: Trajectory) -> float:
    """Largest acceleration over tenths of a second."""
    places = track.at(np.arange(track.first_us, track.last_us, 100_000)).translation_m
    return float(np.linalg.norm(np.diff(places, 2, axis=0), axis=1).max(initial=0.0) / 0.01)


@pytest.mark.parametrize(
    ("fields", "factor"),
    [
        ({"kind": "shift", "left_m": 3.5}, 1.0),
        ({"kind": "rescale_speed", "factor": 1.4}, 1.4**2),
        ({"kind": "rescale_speed", "factor": 0.6}, 1.0),
    ],
)
def test_tracks_of_a_log_stay_as_smooth_as_they_were(argoverse: World, fields: dict[str, Any], factor: float) -> None:
    """Speeds times 1.4 are accelerations times 1.96; what the map adds stays below 1 m/s2."""
    for actor in argoverse.scene.actors[::3]:
        after = _actor(_edited(argoverse, actor=actor.id, **fields), actor.id).trajectory
        assert _roughness_mps2(after) < 1.15 * factor * _roughness_mps2(actor.trajectory) + 1.0, actor.id


def test_an_actor_shifted_on_a_slope_stays_as_high_above_the_road() -> None:
    world = _sloping_world()
    scene = _edited(world, kind="shift", actor="car", ahead_m=20.0, left_m=1.0)
    places = _actor(scene, "car").trajectory.world_from_body.translation_m
    assert places[:, 2] == approx(0.1 * places[:, 0] + 0.8, abs=1e-6)


def _sloping_world(speeds_mps: tuple[float, ...] = (10.0,) * 80) -> World:
    """A lane eastwards that rises by a tenth, and a car on it that starts at x 0 and ends at 8 s."""

    def edge(y_m: float) -> Polyline:
        return Polyline(np.array([[x, y_m, 0.1 * x] for x in np.arange(-50.0, 400.0, 10.0)]))

    x_m = np.concatenate([[0.0], np.cumsum(speeds_mps) * 0.1])
    ground = np.stack([x_m, 0 * x_m, 0.1 * x_m], axis=1)
    pose = SE3.from_roll_pitch_yaw_deg([0.0, -np.degrees(np.arctan(0.1)), 0.0], np.zeros(3))
    rotation = np.broadcast_to(pose.rotation, (len(x_m), 3, 3))
    times_us = np.arange(len(x_m)) * 100_000
    track = Trajectory(times_us, SE3(rotation, ground + np.array([0.0, 0.0, 0.8])))
    car = Actor("car", Category.CAR, track, *map(np.array, (4.0, 2.0, 1.6)))
    hdmap = HDMap((LaneSegment("lane", edge(2.0), edge(-2.0)),))
    ego = Trajectory(times_us, SE3(rotation, ground - np.array([20.0, 0.0, 2.0])))
    return World(Scene("slope", hdmap, ego, (car,)), 0, 8.0)


# -- speed ---------------------------------------------------------------------------------------------


def _at(world: World, scene: Scene, time_s: float) -> FloatArray:
    return np.asarray(_actor(scene, "car").trajectory.at(np.array([round(time_s * 1e6)])).translation_m[0])


@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_a_slower_actor_is_on_the_same_path_and_there_to_the_end(factor: float) -> None:
    world = _sloping_world()
    scene = _edited(world, kind="rescale_speed", actor="car", factor=factor)
    for time_s in (0.0, 3.3, 8.0):
        assert _at(world, scene, time_s) == approx(_at(world, world.scene, factor * time_s), abs=1e-4)


def test_a_faster_actor_goes_on_along_its_lane_to_the_end() -> None:
    world = _sloping_world()
    track = _actor(_edited(world, kind="rescale_speed", actor="car", factor=1.5), "car").trajectory
    places = track.world_from_body.translation_m
    assert track.last_us == 8_000_000
    assert places[-1] == approx([120.0, 0.0, 12.8], abs=0.05)
    steps_mps = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(track.timestamps_us) * 1e6
    assert steps_mps == approx(15.0 * np.hypot(1.0, 0.1), abs=0.15)
    assert track.world_from_body.rotation[-1] == approx(track.world_from_body.rotation[0], abs=1e-3)


def test_times_of_standing_last_as_long_as_before() -> None:
    world = _sloping_world((10.0,) * 20 + (0.0,) * 30 + (10.0,) * 30)
    scene = _edited(world, kind="rescale_speed", actor="car", factor=2.0)
    track = _actor(scene, "car").trajectory
    times_s = np.arange(0.0, 8.0, 0.1)
    x_m = track.at(np.round(times_s * 1e6).astype(np.int64)).translation_m[:, 0]
    standing_s = 0.1 * float((np.abs(np.diff(x_m)) < 1e-6).sum())
    assert standing_s == approx(3.0, abs=1e-6)
    assert x_m[10] == approx(20.0, abs=0.5)


def test_a_faster_actor_is_where_it_was_at_the_start_of_the_scenario() -> None:
    world = _sloping_world()
    later = World(world.scene, 3_000_000, 5.0)
    scene = _edited(later, kind="rescale_speed", actor="car", factor=1.25)
    assert _at(later, scene, 3.0) == approx(_at(later, world.scene, 3.0), abs=1e-4)
    assert _at(later, scene, 5.0) == approx(_at(later, world.scene, 5.5), abs=1e-3)


def test_a_faster_actor_whose_lane_ends_ends_with_it() -> None:
    # The lane ends at x 390; at 10 m/s times 5 the car is there after a little less than 7.8 s.
    track = _actor(_edited(_sloping_world(), kind="rescale_speed", actor="car", factor=5.0), "car").trajectory
    assert 7_600_000 <= track.last_us < 7_800_000
    assert track.world_from_body.translation_m[-1, 0] == approx(387.0, abs=3.5)


def test_an_actor_with_a_single_pose_has_no_speed_to_change(crossing: World) -> None:
    cone = _actor(crossing.scene, "cone")
    single = Trajectory(np.array([0]), cone.trajectory.world_from_body[:1])
    statue = Actor("statue", Category.OTHERS, single, *map(np.array, (1.0, 1.0, 1.0)))
    scene = crossing.scene
    world = crossing.with_scene(Scene("x", scene.hdmap, scene.ego, (statue,)))
    said = "rescale_speed 'statue': it has a single pose and no speed. Choose another actor"
    assert _refusal(world, kind="rescale_speed", actor="statue", factor=2.0) == said
