import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from render.errors import RenderError
from render.raycast import pixel_rays
from render.sight import cast_camera, visible_fractions, visible_px
from render.solids import Kind, Solids, solids_at, static_solids
from scenegraph import (
    SE3,
    Actor,
    Category,
    HDMap,
    LaneSegment,
    Pinhole,
    Pole,
    Polyline,
    Scene,
    TrafficLight,
    TrafficSign,
    Trajectory,
    box_corners,
)

KINDS = ["wide", "tele", "sheared", "brown", "fisheye", "pinhole"]


def look(stage, scene: Scene, camera, static=None):
    return cast_camera(solids_at(scene, 0, static), camera, camera.ego_from_camera)


def crowd(seed: int, count: int = 60) -> Solids:
    """Boxes turned any way, most of them ahead of the origin, some beside it, behind it or around it."""
    rng = np.random.default_rng(seed)
    poses = SE3.from_roll_pitch_yaw_deg(
        rng.uniform(-180, 180, (count, 3)), rng.normal((15, 0, 0), (15, 10, 4), (count, 3))
    )
    half_m = rng.uniform((0.2, 0.2, 0.2), (5, 1.5, 1.5), (count, 3))
    return Solids(np.arange(count, dtype=np.int32) + 100, np.full(count, Kind.CAR, np.uint8), poses, half_m)


def by_planes(solids: Solids, camera, world_from_camera: SE3) -> np.ndarray:
    """Distance [K,H,W] to every box, infinite for a miss: rays are cut by six planes through the box's corners."""
    rays = (pixel_rays(camera).astype(np.float64) @ world_from_camera.rotation.T).reshape(-1, 3)
    corners = box_corners(solids.world_from_box, *(2 * solids.half_m.T))
    found = []
    for corner in corners:
        enter, leave = np.full(len(rays), -np.inf), np.full(len(rays), np.inf)
        for face in ([0, 1, 4, 5], [2, 3, 6, 7], [0, 3, 4, 7], [1, 2, 5, 6], [0, 1, 2, 3], [4, 5, 6, 7]):
            outwards = corner[face].mean(axis=0) - corner.mean(axis=0)
            height = (corner[face[0]] - world_from_camera.translation_m) @ outwards
            rate = rays @ outwards
            enter = np.where(rate < 0, np.maximum(enter, height / rate), enter)
            leave = np.where(rate > 0, np.minimum(leave, height / rate), leave)
        first = np.where(enter >= 0, enter, leave)
        found.append(np.where((enter <= leave) & (leave >= 0), first, np.inf))
    return np.array(found).reshape(len(solids), camera.height_px, camera.width_px)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_count_is_that_of_testing_every_pixel_against_every_box(stage, kind, seed) -> None:
    camera, solids = stage.camera(kind, 160, 92), crowd(seed)
    pose = SE3.from_yaw(0.1, [1.0, 2.0, 0.5]) @ camera.ego_from_camera
    every = by_planes(solids, camera, pose)
    sight = cast_camera(solids, camera, pose)
    nearest, owner = every.min(axis=0), every.argmin(axis=0)
    met = np.isfinite(nearest)
    assert met.mean() > 0.2
    assert (sight.instance == np.where(met, owner + 100, -1)).all()
    assert (sight.kind == np.where(met, Kind.CAR, Kind.NOTHING)).all()
    assert sight.distance_m == approx(nearest.astype(np.float32), rel=1e-6)
    assert sight.boxes.alone_px.tolist() == np.isfinite(every).sum(axis=(1, 2)).tolist()
    assert sight.boxes.visible_px.tolist() == [int((met & (owner == k)).sum()) for k in range(len(solids))]
    for k, edges_px in enumerate(sight.boxes.visible_box_px):
        rows, columns = np.nonzero(met & (owner == k))
        tight = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5] if len(rows) else None
        assert np.isnan(edges_px).all() if tight is None else edges_px.tolist() == tight


@pytest.mark.parametrize("kind", KINDS)
def test_normals_are_those_of_the_surface_and_look_at_the_camera(stage, kind) -> None:
    camera, solids = stage.camera(kind, 96, 54), crowd(3)
    sight = cast_camera(solids, camera, camera.ego_from_camera)
    rays = pixel_rays(camera).astype(np.float64) @ camera.ego_from_camera.rotation.T
    rows, columns = np.nonzero(sight.instance >= 0)
    assert len(rows) > 100
    for row, column in zip(rows[::17], columns[::17], strict=True):
        k = sight.instance[row, column] - 100
        point = camera.ego_from_camera.translation_m + sight.distance_m[row, column] * rays[row, column]
        local = solids.world_from_box[k].inverse().apply(point) / solids.half_m[k]
        axis = int(np.abs(local).argmax())
        outwards = solids.world_from_box[k].rotation[:, axis] * np.sign(local[axis])
        normal = sight.normal[row, column]
        assert abs(normal @ outwards) == approx(1.0, abs=1e-5)
        assert normal @ rays[row, column] < 0
    assert (sight.normal[sight.instance < 0] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_face_of_a_wall_is_equally_deep_in_every_pixel_of_every_lens(stage, kind) -> None:
    camera = stage.camera(kind, 160, 90, height_m=0.0)
    wall = stage.scene(actors=(stage.box("wall", (12.0, 0.0, 0.0), (4.0, 9.0, 3.0)),))
    sight = look(stage, wall, camera)
    met = sight.instance == 0
    assert sight.boxes.alone_px[0] == met.sum() > 200
    assert sight.depth_m[met] == approx(10.0, abs=1e-5)
    assert sight.distance_m[met] * pixel_rays(camera)[met, 2] == approx(10.0, abs=1e-5)
    assert np.isinf(sight.depth_m[~met]).all() and np.isinf(sight.distance_m[~met]).all()
    assert sight.normal[met] == approx(np.tile([-1, 0, 0], (met.sum(), 1)))
    # Exactly the pixels whose rays pass through the face.
    across = pixel_rays(camera).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = across[..., 0] / across[..., 2] * 10, across[..., 1] / across[..., 2] * 10
    assert (met == ((np.abs(x) < 4.5) & (np.abs(y) < 1.5) & (across[..., 2] > 0))).all()


def flat_road(half_m: float = 500.0) -> HDMap:
    """A square of level ground."""
    left = np.array([[-half_m, half_m, 0.0], [half_m, half_m, 0.0]])
    return HDMap(lane_segments=(LaneSegment("road", polyline(left), polyline(left * (1, -1, 1))),))


def polyline(points) -> Polyline:
    return Polyline(np.array(points, dtype=float))


@pytest.mark.parametrize("kind", KINDS)
def test_the_ground_is_as_far_as_the_camera_is_high_over_the_rays_fall(stage, kind) -> None:
    camera = stage.camera(kind, 96, 54, height_m=1.5)
    sight = look(stage, stage.scene(), camera, static_solids(flat_road()))
    fall = -(pixel_rays(camera).astype(np.float64) @ camera.ego_from_camera.rotation.T)[..., 2]
    steep = fall > 0.02
    assert steep.sum() > 500
    assert sight.distance_m[steep] == approx(1.5 / fall[steep], rel=1e-4)
    assert sight.normal[steep] == approx(np.tile([0, 0, 1], (steep.sum(), 1)))
    assert (sight.kind[steep] == Kind.GROUND).all() and (sight.instance == -1).all()
    assert (sight.kind[fall <= 0] == Kind.NOTHING).all()


def test_half_of_a_box_behind_a_wall_is_half_visible(stage) -> None:
    camera = stage.pinhole(160, 90, 100.0)
    camera = replace(camera, lens=Pinhole(100.0, 100.0, 79.5, 44.5))  # the axis passes between the two middle columns
    box = stage.box("box", (21.0, 0.0, 0.0), (2.0, 4.0, 2.0))
    wall = stage.box("wall", (10.0, 5.0, 0.0), (1.0, 10.0, 8.0), category=Category.TRUCK)
    boxes = look(stage, stage.scene(actors=(box, wall)), camera).boxes
    assert boxes.alone_px[0] == 20 * 10  # 4 m and 2 m at 20 m
    assert boxes.visible_px[0] == 10 * 10
    assert boxes.visible_fraction.tolist() == [0.5, 1.0]
    assert boxes.visible_box_px[0].tolist() == [79.5, 39.5, 89.5, 49.5]
    assert boxes.inside_fraction[0] == 1.0


def test_what_stands_still_hides_actors_and_is_named(stage) -> None:
    plate = SE3.from_yaw(0.0, [5.0, 0.0, 0.0])
    hdmap = HDMap(
        poles=(Pole("p", polyline([[6, 2, -2], [6, 2, 2]])),),
        traffic_lights=(TrafficLight("l", SE3.from_yaw(0.0, [5.0, -2.0, 0.0]), 0.3, 0.4, 1.0),),
        traffic_signs=(TrafficSign("s", plate, 0.0, 1.0, 1.0),),
    )
    camera = replace(stage.pinhole(160, 90, 60.0), lens=Pinhole(60.0, 60.0, 79.5, 44.5))
    box = stage.box("box", (20.0, 0.0, 0.0), (2.0, 1.5, 1.5))
    sight = look(stage, stage.scene(actors=(box,)), camera, static_solids(hdmap))
    assert sight.boxes.alone_px[0] > 0 and sight.boxes.visible_px[0] == 0 and sight.boxes.visible_fraction[0] == 0
    assert {Kind.POLE, Kind.TRAFFIC_LIGHT, Kind.TRAFFIC_SIGN} == set(np.unique(sight.kind)) - {Kind.NOTHING}
    assert sight.depth_m[45, 80] == approx(5.0) and sight.normal[45, 80] == approx([-1, 0, 0])
    assert (sight.kind == Kind.TRAFFIC_SIGN).sum() == 12 * 12
    pole = np.nonzero(sight.kind == Kind.POLE)
    assert set(pole[1]) <= set(range(58, 63)) and sight.depth_m[pole] == approx(6.0, abs=0.09)


def test_a_bridge_stands_over_the_ground_it_crosses(stage) -> None:
    under = LaneSegment("under", polyline([[0, 3, 0], [60, 3, 0]]), polyline([[0, -3, 0], [60, -3, 0]]))
    over = LaneSegment("over", polyline([[33, -40, 6], [33, 40, 6]]), polyline([[27, -40, 6], [27, 40, 6]]))
    static = static_solids(HDMap(lane_segments=(under, over)))
    down = static.first_hits(np.array([[30.0, 0.0, 20.0], [30.0, 0.0, 5.0]]), np.array([[0, 0, -1]] * 2, np.float32))
    assert down.distance_m == approx([14.0, 5.0], abs=1e-4)


def test_from_inside_a_box_its_far_wall_is_seen(stage) -> None:
    sight = look(stage, stage.scene(actors=(stage.box("b", (1, 0, 0), (6.0, 40.0, 40.0)),)), stage.pinhole())
    assert (sight.instance == 0).all()
    assert sight.depth_m == approx(np.full((90, 160), 4.0), abs=1e-5)
    assert (sight.normal == [-1, 0, 0]).all()


def test_a_box_behind_the_camera_is_not_seen_at_all(stage) -> None:
    boxes = look(stage, stage.scene(actors=(stage.box("b", (-9, 0, 0)),)), stage.pinhole()).boxes
    assert boxes.actor.tolist() == [0] and boxes.alone_px.tolist() == [0] and boxes.visible_fraction.tolist() == [0]
    assert boxes.inside_fraction.tolist() == [0] and np.isnan(boxes.visible_box_px).all()


def test_absent_actors_are_no_solids_and_instances_keep_their_place_in_the_scene(stage) -> None:
    late = replace(stage.box("late", (5, 0, 0)), trajectory=Trajectory(np.array([900]), SE3.identity(1)))
    here = stage.box("here", (15, 0, 0), category=Category.PEDESTRIAN)
    solids = solids_at(stage.scene(actors=(late, here)), 0)
    sight = cast_camera(solids, stage.pinhole(), stage.ego_from_camera())
    assert solids.actor.tolist() == [1]
    assert set(np.unique(sight.instance)) == {-1, 1} and set(np.unique(sight.kind)) == {0, Kind.PEDESTRIAN}


@pytest.mark.parametrize("shift_m, share", [(0.0, 1.0), (8.0, 0.5), (9.0, 0.25), (7.5, 0.625), (10.5, 0.0)])
def test_share_inside_of_a_wall_that_leaves_the_picture_sideways(stage, shift_m, share) -> None:
    camera = replace(stage.pinhole(160, 90, 100.0), lens=Pinhole(100.0, 100.0, 79.5, 44.5))
    wall = stage.box("wall", (10.0 + 1e-6, -shift_m, 0.0), (2e-6, 4.0, 3.0))  # 40 by 30 px; the border is 8 m away
    boxes = look(stage, stage.scene(actors=(wall,)), camera).boxes
    assert boxes.inside_fraction[0] == approx(share, abs=1e-12)
    assert boxes.visible_fraction[0] == (share > 0)


def test_share_inside_of_an_image_too_large_to_count_every_pixel(stage) -> None:
    camera = replace(stage.pinhole(800, 600, 400.0), lens=Pinhole(400.0, 400.0, 399.5, 299.5))
    wall = stage.box("wall", (10.0 + 1e-6, -10.0, 4.0), (2e-6, 16.0, 12.0))
    inside = (10 - 2) * (7.5 + 2)  # y from -18 to -2 and z from -2 to 10 m; the picture reaches to -10 and 7.5 m
    boxes = look(stage, stage.scene(actors=(wall,)), camera).boxes
    assert boxes.inside_fraction[0] == approx(inside / (16 * 12), abs=0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_share_inside_is_that_of_a_picture_with_a_wide_border(stage, kind) -> None:
    camera = stage.camera(kind, 64, 36)
    solids = crowd(11, 100)
    boxes = cast_camera(solids, camera, camera.ego_from_camera).boxes
    left, top = 64, 36
    uv = np.stack(np.meshgrid(np.arange(3 * 64) - left, np.arange(3 * 36) - top), axis=-1).astype(float)
    rays = camera.unproject(uv)
    own = np.abs(camera.project(rays)[0] - uv).max(axis=-1) < 0.01
    if kind in ("pinhole", "brown"):
        own &= rays[..., 2] > 0
    compared = 0
    for k in np.flatnonzero((boxes.alone_px > 0) & (boxes.alone_px < 64 * 36)):
        pose = solids.world_from_box[k].inverse() @ camera.ego_from_camera
        towards = rays @ pose.rotation.T
        with np.errstate(divide="ignore"):
            low = (-solids.half_m[k] - pose.translation_m) / towards
            high = (solids.half_m[k] - pose.translation_m) / towards
        enter, leave = np.minimum(low, high).max(axis=-1), np.maximum(low, high).min(axis=-1)
        met = own & (enter <= leave) & (leave >= 0)
        inside = met[top : top + 36, left : left + 64].sum()
        assert boxes.inside_fraction[k] == approx(inside / met.sum(), abs=0.01)
        compared += inside < met.sum()
    assert compared >= 3


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(KINDS), count=st.integers(0, 12))
def test_counts_add_up_for_any_boxes(stage, seed, kind, count) -> None:
    camera, solids = stage.camera(kind, 48, 28), crowd(seed, count)
    sight = cast_camera(solids, camera, camera.ego_from_camera)
    boxes = sight.boxes
    assert (boxes.visible_px <= boxes.alone_px).all() and (boxes.alone_px <= 48 * 28).all()
    assert boxes.visible_px.sum() == (sight.instance >= 0).sum()
    assert ((boxes.inside_fraction > 0) == (boxes.alone_px > 0)).all() and (boxes.inside_fraction <= 1).all()
    for k in range(count):
        alone = replace(solids, **{name: getattr(solids, name)[[k]] for name in ("actor", "kind", "half_m")},
                        world_from_box=solids.world_from_box[[k]])  # fmt: skip
        single = cast_camera(alone, camera, camera.ego_from_camera)
        assert single.boxes.visible_px[0] == boxes.alone_px[k]
        shown = sight.instance == solids.actor[k]
        assert (single.distance_m[shown] == sight.distance_m[shown]).all()
    order = np.random.default_rng(seed).permutation(count)
    shuffled = Solids(solids.actor[order], solids.kind[order], solids.world_from_box[order], solids.half_m[order])
    again = cast_camera(shuffled, camera, camera.ego_from_camera)
    assert (again.instance == sight.instance).all() and (again.normal == sight.normal).all()


def test_visibility_over_views_weighs_pixels(stage) -> None:
    front, back = stage.pinhole(name="front"), stage.pinhole(name="back")
    behind = stage.ego_from_camera(yaw_deg=180.0)
    seen, hidden, missing = stage.box("a", (10, 0, 0)), stage.box("b", (-20, 0, 0)), stage.box("c", (0, 50, 0))
    wall = stage.box("wall", (-5, 0, 0), (0.5, 9, 9))
    solids = solids_at(stage.scene(actors=(seen, hidden, missing, wall)), 0)
    sights = [cast_camera(solids, front, front.ego_from_camera), cast_camera(solids, back, behind)]
    shares = visible_fractions(sights, 4)
    assert shares[[0, 1, 3]].tolist() == [1.0, 0.0, 1.0] and np.isnan(shares[2])


def test_pixels_of_every_actor_over_a_clip(stage) -> None:
    times = np.array([0, 1_000_000])
    poses = SE3.from_yaw([0.0, 0.0], [[42.0, 0, 0], [12.0, 0, 0]])
    nearing = Actor("n", Category.CAR, Trajectory(times, poses), 4.0, 2.4, 1.4)
    scene = stage.scene(actors=(stage.box("b", (-30, 0, 0)), nearing))
    camera = replace(stage.pinhole(160, 90, 100.0), lens=Pinhole(100.0, 100.0, 79.5, 44.5))
    counts = visible_px(scene, stage.cameras(camera, times_us=times))
    assert counts.shape == (1, 2, 2) and counts[0, :, 0].tolist() == [0, 0]
    assert counts[0, :, 1].tolist() == [6 * 4, 24 * 14]  # 2.4 by 1.4 m at 40 and 10 m


def test_an_actor_many_kilometres_from_the_origin_is_seen_as_well(stage) -> None:
    camera, far = stage.camera("pinhole", 160, 90), np.array([60_000.0, -80_000.0, 300.0])
    near = crowd(5)
    there = replace(near, world_from_box=SE3(near.world_from_box.rotation, near.world_from_box.translation_m + far))
    pose = camera.ego_from_camera
    here = cast_camera(near, camera, pose)
    away = cast_camera(there, camera, SE3(pose.rotation, pose.translation_m + far))
    assert (away.instance != here.instance).mean() < 1e-3
    assert away.boxes.alone_px == approx(here.boxes.alone_px, abs=1)


def test_what_cannot_be_looked_at_is_refused(stage) -> None:
    camera, solids = stage.pinhole(), crowd(0, 2)

    def refuses(sentence: str):
        return pytest.raises(RenderError, match=f"^{sentence}$")

    with refuses("camera c: expected one pose without NaN or infinity"):
        cast_camera(solids, camera, SE3(np.eye(3), np.full(3, np.nan)))
    with refuses("camera c: expected one pose without NaN or infinity"):
        cast_camera(solids, camera, SE3.identity(2))
    with refuses("solids: a pose or a size holds NaN or infinity, or a size is below 0"):
        replace(solids, half_m=-solids.half_m)
    with refuses("solids: a pose or a size holds NaN or infinity, or a size is below 0"):
        replace(solids, half_m=solids.half_m * math.inf)
    with refuses("solids: expected a kind, a pose and 3 half sizes for each of 2 actors"):
        replace(solids, kind=solids.kind[:1])
