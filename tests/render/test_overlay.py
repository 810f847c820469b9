from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from render.errors import RenderError
from render.overlay import OverlayRenderer, WireBox, overlay
from render.video import write_png
from scenegraph import (
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    FTheta,
    HDMap,
    Pinhole,
    Polyline,
    RoadBoundary,
    Scene,
    Trajectory,
    box_corners,
)
from scenegraph.formats.images import RecordedImage

# Looks ahead from 1.5 m above the ground.
EGO_FROM_CAMERA = SE3(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), np.array([1.0, 0.0, 1.5]))
PINHOLE = Camera("front", Pinhole(700.0, 700.0, 500.3, 281.8), 1000, 560, EGO_FROM_CAMERA)
FTHETA = Camera("front", FTheta(499.5, 279.5, (0.0, 0.0016), "pixeldistance-to-angle"), 1000, 560, EGO_FROM_CAMERA)
LENSES = pytest.mark.parametrize("camera", [PINHOLE, FTHETA], ids=["pinhole", "ftheta"])
BLACK = np.zeros((560, 1000, 3), dtype=np.uint8)
SPEED_MPS = 9.0


def box_at(x: float, y: float, z: float, size: tuple[float, float, float] = (4.0, 2.0, 2.0)) -> WireBox:
    """A box in the camera frame whose x axis points away from the camera; size along its x, y, z."""
    away = SE3(np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.array([x, y, z]))
    return WireBox(Category.CAR, box_corners(away, *size))


def centre_of_ink(strip: np.ndarray, first: int) -> float:
    ink = strip.max(axis=2).astype(float)
    ink = ink.sum(axis=0)
    return float((ink * (first + np.arange(len(ink)))).sum() / ink.sum())


@LENSES
@pytest.mark.parametrize("place", [(2.0, 0.5, 12.0), (-5.3, -0.7, 14.2), (0.4, 1.1, 25.0)])
def test_every_corner_that_the_camera_projects_carries_wire(camera: Camera, place: tuple[float, float, float]) -> None:
    box = box_at(*place)
    picture = overlay(BLACK, BLACK, camera, [box]).max(axis=2)
    for u, v in camera.project(box.corners_camera_m)[0].round().astype(int):
        assert picture[v, u] > 128


@LENSES
def test_wires_run_through_projected_corners_to_half_a_pixel(camera: Camera) -> None:
    """A flat board seen face on: two upright and two level wires, each measured across near a corner."""
    for place in ((0.0, 0.0, 9.0), (3.1, 0.4, 11.7), (-4.2, -1.3, 20.3)):
        box = box_at(*place, size=(0.001, 2.4, 1.6))
        picture = overlay(BLACK, BLACK, camera, [box])
        uv, _ = camera.project(box.corners_camera_m)
        left, right, top, bottom = uv[:, 0].min(), uv[:, 0].max(), uv[:, 1].min(), uv[:, 1].max()
        for u, v in uv:
            inward_v = 8 if abs(v - top) < abs(v - bottom) else -8
            inward_u = 16 if abs(u - left) < abs(u - right) else -16
            row, column = round(v + inward_v), round(u + inward_u)
            near_u, near_v = round(u), round(v)
            upright = picture[row : row + 1, near_u - 4 : near_u + 5]
            level = picture[near_v - 4 : near_v + 5, column : column + 1].transpose(1, 0, 2)
            bend_px = 0.35 if camera is FTHETA else 0.0  # straight wires are bent by the lens between corners
            assert abs(centre_of_ink(upright, near_u - 4) - u) < 0.5 + bend_px
            assert abs(centre_of_ink(level, near_v - 4) - v) < 0.5 + bend_px


def test_a_box_around_the_camera_plane_is_cut_and_not_bent() -> None:
    box = box_at(1.6, 0.5, 0.0, size=(12.0, 2.0, 2.0))
    picture = overlay(BLACK, BLACK, PINHOLE, [box])
    drawn = picture.any(axis=2)
    assert drawn[:, 500:].any() and not drawn[:, :490].any()
    assert drawn.mean() < 0.05


def test_a_box_behind_the_camera_is_not_drawn() -> None:
    assert not overlay(BLACK, BLACK, PINHOLE, [box_at(0.0, 0.0, -10.0)]).any()


def test_a_box_hidden_behind_a_nearer_one_is_left_out() -> None:
    near, hidden, free = box_at(0.0, 0.0, 10.0), box_at(0.0, 0.0, 40.0), box_at(8.0, 0.0, 40.0)
    alone = overlay(BLACK, BLACK, PINHOLE, [near])
    assert np.array_equal(overlay(BLACK, BLACK, PINHOLE, [hidden, near]), alone)
    assert not np.array_equal(overlay(BLACK, BLACK, PINHOLE, [free, near]), alone)


def test_the_front_face_is_crossed_and_the_rear_is_not() -> None:
    away = box_at(3.0, 1.0, 10.0, size=(1.5, 3.0, 3.0))
    turned = WireBox(Category.CAR, away.corners_camera_m[[3, 2, 1, 0, 7, 6, 5, 4]])
    for box in (away, turned):
        front, rear = box.corners_camera_m[[0, 1, 4, 5]], box.corners_camera_m[[2, 3, 6, 7]]
        picture = overlay(BLACK, BLACK, PINHOLE, [box])
        for face, crossed in ((front, True), (rear, False)):
            uv, _ = PINHOLE.project(face[0] + (face[3] - face[0]) * 0.27)
            u, v = uv.round().astype(int)
            assert bool(picture[v - 1 : v + 2, u - 1 : u + 2].any()) == crossed


def test_map_lines_are_mixed_into_the_picture_and_the_rest_is_kept() -> None:
    photo = np.full((560, 1000, 3), 100, dtype=np.uint8)
    control = BLACK.copy()
    control[200:210] = (255, 0, 0)
    picture = overlay(photo, control, PINHOLE, [])
    assert (picture[:200] == 100).all() and (picture[210:] == 100).all()
    assert np.abs(picture[205, 500].astype(int) - (193, 40, 40)).max() <= 1


def test_pictures_of_another_size_than_the_camera_are_refused() -> None:
    message = r"^camera front: expected pictures \(560, 1000, 3\), got \(10, 10, 3\) and \(560, 1000, 3\)$"
    with pytest.raises(RenderError, match=message):
        overlay(BLACK[:10, :10], BLACK, PINHOLE, [])


# -- whole pictures ---------------------------------------------------------------------------------------------


def moving_scene(hdmap: HDMap | None = None, actors: tuple[Actor, ...] = ()) -> Scene:
    times = np.array([0, 1_000_000])
    ego = Trajectory(times, SE3(np.tile(np.eye(3), (2, 1, 1)), [[0.0, 0.0, 0.0], [SPEED_MPS, 0.0, 0.0]]))
    return Scene("clip", hdmap or HDMap(), ego, actors, CameraRig((PINHOLE,)))


def parked(x: float, y: float) -> Actor:
    pose = SE3(np.eye(3)[None], [[x, y, 1.0]])
    return Actor("parked", Category.CAR, Trajectory([0], pose), 4.0, 2.0, 2.0, extrapolate_us=10**7)


def black_picture(folder: Path, timestamp_us: int, width: int = 1000, height: int = 560) -> RecordedImage:
    path = folder / f"{timestamp_us}_{width}.png"
    write_png(path, np.zeros((height, width, 3), dtype=np.uint8))
    return RecordedImage(timestamp_us, path)


@pytest.mark.parametrize("timestamp_us", [0, 460_000, 500_000, 1_090_000])
def test_boxes_are_drawn_for_the_instant_of_the_picture(tmp_path: Path, timestamp_us: int) -> None:
    scene = moving_scene(actors=(parked(20.0, 3.0),))
    image = black_picture(tmp_path, timestamp_us)
    picture = OverlayRenderer(scene, scene.rig, {"front": [image]}).picture("front", image)
    x = 20.0 - SPEED_MPS * timestamp_us / 1e6 - 1.0 - 2.0  # from the camera to the box's rear
    left_px = 500.3 - 700.0 * 4.0 / x
    columns = np.nonzero((picture.max(axis=2) > 96).any(axis=0))[0]
    assert abs(columns.min() + 1.0 - left_px) <= 1.2  # wires are two to three pixels wide


@pytest.mark.parametrize("file_width", [1000, 2000])
@pytest.mark.parametrize("at_rig_size", [False, True])
def test_map_lines_lie_on_the_pixels_of_the_picture(tmp_path: Path, file_width: int, at_rig_size: bool) -> None:
    """A line straight ahead on the ground, 2 m to the left: control pictures alone are half a pixel off."""
    line = RoadBoundary("kerb", Polyline([[5.0, 2.0, 0.0], [150.0, 2.0, 0.0]]))
    scene = moving_scene(HDMap(road_boundaries=(line,)))
    image = black_picture(tmp_path, 0, file_width, file_width * 56 // 100)
    picture = OverlayRenderer(scene, scene.rig, {"front": [image]}, at_rig_size=at_rig_size).picture("front", image)
    shown = 1.0 if at_rig_size else file_width / 1000
    assert picture.shape[1] == 1000 * shown

    # Pixel u, v of a point 12 m ahead; shrinking a picture moves the middle of a pixel.
    full = PINHOLE.resized(file_width, file_width * 56 // 100)
    (u, v), _ = full.project(np.array([-2.0, 1.5, 12.0]))
    factor = picture.shape[1] / file_width
    u, v = (u + 0.5) * factor - 0.5, (v + 0.5) * factor - 0.5
    misses = []
    for row in range(int(v) - 10, int(v) + 10):
        at_row = u + (row - v) * -2.0 / 1.5  # the line runs to the vanishing point
        first = round(at_row) - 25
        misses.append(centre_of_ink(picture[row : row + 1, first : first + 51], first) - at_row)
    assert abs(np.mean(misses)) < 0.1


def test_a_picture_that_was_not_given_or_is_outside_of_the_drive_is_refused(tmp_path: Path) -> None:
    scene = moving_scene()
    inside, outside = black_picture(tmp_path, 0), black_picture(tmp_path, 2_200_000)
    renderer = OverlayRenderer(scene, scene.rig, {"front": [inside, outside]})
    message = "is not one of the pictures of front that were given, or was taken outside of the recorded drive$"
    with pytest.raises(RenderError, match=message):
        renderer.picture("front", outside)
    with pytest.raises(RenderError, match="is not one of the pictures of back"):
        renderer.picture("back", inside)


def test_a_picture_of_another_shape_or_size_is_refused(tmp_path: Path) -> None:
    scene = moving_scene()
    first, square, large = (
        black_picture(tmp_path, 0),
        black_picture(tmp_path, 100, 560, 560),
        black_picture(tmp_path, 200, 2000, 1120),
    )
    message = f"^{square.path}: is 560x560, which has not the shape of camera front, 1000x560$"
    with pytest.raises(RenderError, match=message):
        OverlayRenderer(scene, scene.rig, {"front": [square]})
    renderer = OverlayRenderer(scene, scene.rig, {"front": [first, large]})
    with pytest.raises(
        RenderError, match=f"^{large.path}: is 2000x1120, but other pictures of the camera are 1000x560$"
    ):
        renderer.picture("front", large)
