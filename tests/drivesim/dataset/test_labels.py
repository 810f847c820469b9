"""Labels of a street on squared paper, every number of which is computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

from drivesim.dataset.attributes import ATTRIBUTES
from drivesim.dataset.boxes import visibility_levels
from drivesim.dataset.labels import LIGHT_STATES, ClipLabels, labels_of
from drivesim.errors import DatasetError
from render.lidar import LidarSpec
from scenegraph import SE3, CameraRig, HDMap, LaneLine, LaneSegment, Polyline, Scene, Trajectory

TIMES_US = np.array([0, 500_000, 1_000_000])


def label(scene: Scene, lidar: LidarSpec | None = None, ground: bool = False) -> ClipLabels:
    return labels_of(scene, scene.rig.at(scene.ego, TIMES_US), lidar=lidar, ground=ground)


def test_the_hidden_half_of_a_block_is_not_visible(paper_scene: Scene) -> None:
    far = label(paper_scene).view_of(0, 0)
    assert far.actor.tolist() == [0, 1, 2]
    assert far.alone_px[0] == 20 * 20 and far.visible_px[0] == 10 * 20 and far.visible_fraction[0] == 0.5
    assert far.box_px[0].tolist() == [49.5, 39.5, 59.5, 59.5]
    assert far.distance_m.tolist() == approx([11.0, np.hypot(6.0, 0.5), np.hypot(10.0005, 5.0)])
    assert far.truncation[0] == 0.0


def test_half_of_the_plate_is_outside_of_the_picture(paper_scene: Scene) -> None:
    plate = label(paper_scene).view_of(0, 0)
    assert plate.visible_px[2] == 10 * 20
    assert plate.truncation[2] == approx(0.5, abs=1e-9)
    assert plate.box_px[2].tolist() == [89.5, 39.5, 99.5, 59.5]


def test_boxes_say_how_much_all_views_show_and_what_is_in_none(paper_scene: Scene) -> None:
    boxes = label(paper_scene).boxes_of(1)
    assert boxes.actor.tolist() == [0, 1, 2, 3]
    assert boxes.visible_fraction[:3].tolist() == [0.5, 1.0, 1.0] and np.isnan(boxes.visible_fraction[3])
    assert boxes.visibility.tolist() == [2, 4, 4, 0]
    assert [str(ATTRIBUTES[code]) for code in boxes.attribute] == ["parked", "parked", "", "standing"]


def test_levels_begin_at_their_lower_edge() -> None:
    shares = np.array([np.nan, 0.0, 0.399, 0.4, 0.599, 0.6, 0.8, 1.0])
    assert visibility_levels(shares).tolist() == [0, 1, 1, 2, 2, 3, 4, 4]


def test_a_lidar_counts_the_beams_that_meet_each_box(paper_scene: Scene, paper_lidar: LidarSpec) -> None:
    # Beams at odd halves of a degree. near: 0 to atan(1/5) = 11.3: 11. far: -atan(1/10) = -5.7 to 0: 6.
    # plate: atan(4/10) = 21.8 to atan(6/10) = 31.0: 22.5 to 30.5. behind: atan(0.3/4.7) = 3.7 each way: 8.
    assert label(paper_scene, paper_lidar).boxes_of(0).lidar_points.tolist() == [6, 11, 9, 8]


def test_without_a_lidar_no_count_is_made_up(paper_scene: Scene) -> None:
    assert set(label(paper_scene).boxes.lidar_points.tolist()) == {-1}


def test_lane_lines_are_polylines_in_pictures(paper_scene: Scene) -> None:
    left, right = label(paper_scene).lanes_of(0, 0)
    x_m = np.array([4.0, 5.0, 6.0, 7.0, 8.0])
    assert (left.line, right.line) == (0, 1)
    assert right.points_world_m.tolist() == [[x, -1.0, 0.0] for x in x_m]
    assert right.uv_px == approx(np.stack([49.5 + 100 / x_m, 49.5 + 100 / x_m], axis=1), rel=1e-6)
    assert right.depth_m.tolist() == x_m.tolist()
    assert right.visible.all()
    # The near block stands on the ground from x 5 to 7 and y 0 to 1: the line runs along its edge, then behind it.
    assert left.visible[0] and not left.visible[4]


def test_the_ground_hides_no_paint_on_it(paper_scene: Scene) -> None:
    with_ground = label(paper_scene, ground=True)
    assert (with_ground.lane_pixels.visible == label(paper_scene).lane_pixels.visible).all()


def test_paint_behind_a_hilltop_is_hidden_where_the_ground_counts(paper_scene: Scene) -> None:
    # From the camera, 1 m high, the ramp rises to 3 m at x 20; all that lies lower behind it is out of sight.
    x_m = np.arange(2.0, 42.0, 2.0)
    z_m = np.interp(x_m, [2, 10, 20, 30, 40], [0, 0, 3, 0, 0])
    edges = [Polyline(np.stack([x_m, np.full(20, y_m), z_m], axis=1)) for y_m in (3.0, 0.0, -3.0)]
    hill = HDMap(
        lane_segments=(LaneSegment("lane", edges[0], edges[2]),),
        lane_lines=(LaneLine("middle", edges[1], "WHITE", "SOLID_SINGLE"),),
    )
    scene = replace(paper_scene, hdmap=hill, actors=(), light_states={})
    for ground, seen_until_m in ((False, 40.0), (True, 20.0)):
        (line,) = label(scene, ground=ground).lanes_of(0, 0)
        shown_m = line.points_world_m[line.visible, 0]
        assert shown_m.max() == approx(seen_until_m, abs=1.0), f"ground {ground}"
        assert (np.diff(shown_m) < 1.01).all()


def test_lights_are_labelled_at_every_frame(paper_scene: Scene) -> None:
    labels = label(paper_scene)
    assert [str(LIGHT_STATES[code]) for code in labels.light_states.state] == ["red", "red", "green"]
    assert labels.lights == ("l",) and labels.light_boxes.centre_world_m.tolist() == [[30.0, 3.0, 5.0]]


def test_boxes_are_given_as_the_moving_vehicle_sees_them(paper_scene: Scene) -> None:
    # The vehicle drives along y with 4 m/s, accelerating by 2 m/s²; x of the world is to its right.
    t = TIMES_US / 1e6
    places = np.stack([0 * t, 4 * t + t**2, 0 * t], axis=1)
    ego = Trajectory(TIMES_US, SE3.from_yaw(np.full(3, np.pi / 2), places))
    cars = (replace(paper_scene.actors[0], trajectory=Trajectory(TIMES_US, SE3.from_yaw(
        np.zeros(3), np.stack([10 + 6 * t, 0 * t, 1 + 0 * t], axis=1)))),)  # fmt: skip
    labels = label(replace(paper_scene, ego=ego, actors=cars))
    assert labels.ego.speed_mps == approx([4.0, 5.0, 6.0]) and labels.ego.yaw_rate_radps == approx([0, 0, 0])
    assert labels.ego.acceleration_ego_mps2[0] == approx([2.0, 0.0, 0.0], abs=1e-9)
    box = labels.boxes_of(1)
    assert box.centre_world_m[0] == approx([13.0, 0.0, 1.0]) and box.centre_ego_m[0] == approx([-2.25, -13.0, 1.0])
    assert box.velocity_world_mps[0] == approx([6.0, 0.0, 0.0])
    assert box.velocity_ego_mps[0] == approx([0.0, -6.0, 0.0], abs=1e-9)
    assert SE3.from_quaternion(box.quaternion_ego_wxyz, box.centre_ego_m).yaw_rad[0] == approx(-np.pi / 2)


def test_actors_keep_their_track_and_both_classes(paper_scene: Scene) -> None:
    first = label(paper_scene).actors[0]
    assert (first.id, first.category, first.source_category) == ("far", "Car", "REGULAR_VEHICLE")


def test_a_clip_without_cameras_is_refused(paper_scene: Scene) -> None:
    with pytest.raises(DatasetError) as error:
        label(paper_scene.with_rig(CameraRig(())))
    assert str(error.value) == "paper: there is nothing to label without a camera and a frame"
