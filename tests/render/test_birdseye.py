from __future__ import annotations

import math

import numpy as np
import pytest

from render.birdseye import AHEAD_M, BEHIND_M, BirdsEye, PanelView, frustum_wedge
from render.errors import RenderError
from render.palette import LIGHT_RGB
from scenegraph import (
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    FTheta,
    HDMap,
    LightState,
    LightTimeline,
    Pinhole,
    Polyline,
    RoadBoundary,
    Scene,
    TrafficLight,
    Trajectory,
)

WIDTH, HEIGHT = 400, 510
PX_PER_M = HEIGHT / (AHEAD_M + BEHIND_M)
EGO_U, EGO_V = WIDTH / 2 - 0.5, AHEAD_M * PX_PER_M - 0.5
TIMES = np.array([0, 100_000, 200_000])


def looking(yaw_deg: float, lens: Pinhole | FTheta, width: int = 1280, height: int = 720) -> Camera:
    angle = math.radians(yaw_deg)
    forward, right = [math.cos(angle), math.sin(angle), 0.0], [math.sin(angle), -math.cos(angle), 0.0]
    rotation = np.stack([right, [0.0, 0.0, -1.0], forward], axis=1)
    return Camera("camera", lens, width, height, SE3(rotation, np.array([1.5, 0.2, 1.5])))


NARROW_BACK = looking(180.0, Pinhole(20_000.0, 20_000.0, 639.5, 359.5))
"""Its wedge is a thin line behind the ego, out of the way."""


def straight_drive(
    yaw_rad: float = 0.0, start_m: tuple[float, float] = (0.0, 0.0), speed_mps: float = 0.0
) -> Trajectory:
    direction = np.array([math.cos(yaw_rad), math.sin(yaw_rad), 0.0])
    places = np.array([*start_m, 0.0]) + direction * (TIMES / 1e6 * speed_mps)[:, None]
    return Trajectory(TIMES, SE3.from_yaw(np.full(len(TIMES), yaw_rad), places))


def car(ego: Trajectory, ahead_m: float, left_m: float, length_m: float = 4.5, width_m: float = 2.0) -> Actor:
    """A car at rest relative to the ego's first pose, heading the same way."""
    pose = ego.world_from_body[0] @ SE3(np.eye(3), np.array([ahead_m, left_m, 0.8]))
    return Actor("car", Category.CAR, Trajectory([0], SE3.stack([pose])), length_m, width_m, 1.6, extrapolate_us=10**7)


def panel(scene: Scene, index: int = 0, camera: Camera = NARROW_BACK) -> np.ndarray:
    return BirdsEye(scene, CameraRig((camera,)).at(scene.ego, TIMES), WIDTH, HEIGHT).frame(index).astype(int)


def change(ego: Trajectory, actor: Actor) -> np.ndarray:
    """Where an actor changes the picture, [H,W]."""
    with_it, without = panel(Scene("clip", HDMap(), ego, (actor,))), panel(Scene("clip", HDMap(), ego))
    return np.abs(with_it - without).max(axis=2) > 30


@pytest.mark.parametrize("yaw_rad", [0.0, 0.7, 2.9, -1.6])
def test_a_box_ten_metres_ahead_is_above_the_ego_at_the_right_pixel_and_scale(yaw_rad: float) -> None:
    ego = straight_drive(yaw_rad, (317.0, -208.0))
    rows, columns = np.nonzero(change(ego, car(ego, 10.0, 0.0, length_m=10.0, width_m=9.0)))
    assert abs((rows.min() + rows.max()) / 2 - (EGO_V - 10.0 * PX_PER_M)) <= 1.0
    assert abs((columns.min() + columns.max()) / 2 - EGO_U) <= 0.5
    # The front edge is drawn along the middle of the outline and has round ends.
    assert abs(rows.max() - rows.min() + 1 - 10.0 * PX_PER_M) <= 3.0
    assert abs(columns.max() - columns.min() + 1 - 9.0 * PX_PER_M) <= 4.0


def test_left_is_left() -> None:
    ego = straight_drive(0.7, (317.0, -208.0))
    rows, columns = np.nonzero(change(ego, car(ego, 0.0, 12.0)))
    assert abs(columns.mean() - (EGO_U - 12.0 * PX_PER_M)) <= 0.7
    assert abs((rows.min() + rows.max()) / 2 - EGO_V) <= 1.0


def test_a_car_is_dark_in_front_but_for_its_bright_front_edge() -> None:
    ego = straight_drive()
    picture = panel(Scene("clip", HDMap(), ego, (car(ego, 20.0, 0.0, length_m=12.0, width_m=3.0),)))
    column = picture[:, round(EGO_U)]
    rear, front = (column[round(EGO_V - x * PX_PER_M)].sum() for x in (16.0, 24.0))
    edge = column[round(EGO_V - 26.0 * PX_PER_M)].sum()
    assert front < rear < edge


def test_a_pedestrian_is_large_enough_to_see() -> None:
    ego = straight_drive()
    assert change(ego, car(ego, 15.0, 5.0, length_m=0.2, width_m=0.2)).sum() >= 16


def test_a_map_line_is_drawn_where_it_is() -> None:
    ego = straight_drive(0.4, (1000.0, 2000.0))
    across = ego.world_from_body[0].apply(np.array([[25.0, -15.0, 0.0], [25.0, 15.0, 0.0]]))
    picture = panel(Scene("clip", HDMap(road_boundaries=(RoadBoundary("kerb", Polyline(across)),)), ego))
    magenta = np.clip(picture[..., 0] - picture[..., 1] - 20, 0, None)
    rows = (magenta * np.arange(HEIGHT)[:, None]).sum() / magenta.sum()
    columns = (magenta * np.arange(WIDTH)).sum() / magenta.sum()
    assert abs(rows - (EGO_V - 25.0 * PX_PER_M)) < 0.3 and abs(columns - EGO_U) < 0.5


def test_the_panel_does_not_depend_on_where_in_the_world_the_ego_is() -> None:
    def seen_from(yaw_rad: float, place: tuple[float, float]) -> np.ndarray:
        ego = straight_drive(yaw_rad, place, speed_mps=10.0)
        kerb = ego.world_from_body[0].apply(np.array([[-300.0, 6.0, 0.0], [20.0, 6.0, 0.0], [300.0, 40.0, 0.0]]))
        hdmap = HDMap(road_boundaries=(RoadBoundary("kerb", Polyline(kerb)),))
        return panel(Scene("clip", hdmap, ego, (car(ego, 30.0, -4.0),)), 1)

    here = seen_from(0.0, (0.0, 0.0))
    for yaw_rad, place in ((0.0, (47.9, 3.0)), (1.1, (-5000.0, 230.0)), (-2.5, (12.0, 10_000.0))):
        assert np.abs(seen_from(yaw_rad, place) - here).mean() < 1.0


def test_a_line_across_half_a_country_is_cut_at_the_panel() -> None:
    ego = straight_drive()
    line = Polyline([[-4e5, -8.0, 0.0], [4e5, -8.0, 0.0]])
    picture = panel(Scene("clip", HDMap(road_boundaries=(RoadBoundary("kerb", line),)), ego))
    column = round(EGO_U + 8.0 * PX_PER_M)
    assert (picture[:, column, 0] > 150).all()
    assert (picture[:, column + 6, 0] < 60).all()


@pytest.mark.parametrize("fov_deg", [30.0, 70.0, 120.0])
@pytest.mark.parametrize("yaw_deg", [0.0, 110.0, 180.0, -153.0])
def test_a_wedge_opens_as_wide_as_a_pinhole_lens(fov_deg: float, yaw_deg: float) -> None:
    focal_px = 640.0 / math.tan(math.radians(fov_deg / 2))
    assert_opening(looking(yaw_deg, Pinhole(focal_px, focal_px, 639.5, 359.5)), yaw_deg, fov_deg)


@pytest.mark.parametrize("fov_deg", [120.0, 190.0])
def test_a_wedge_opens_as_wide_as_an_ftheta_lens(fov_deg: float) -> None:
    per_pixel = math.radians(fov_deg) / 1280
    lens = FTheta(639.5, 359.5, (0.0, per_pixel), "pixeldistance-to-angle")
    assert_opening(looking(68.0, lens), 68.0, fov_deg)


def assert_opening(camera: Camera, yaw_deg: float, fov_deg: float) -> None:
    wedge = frustum_wedge(camera)
    assert np.allclose(wedge[0], camera.ego_from_camera.translation_m[:2])
    arms = wedge[[1, -1]] - wedge[0]
    left, right = np.degrees(np.arctan2(arms[:, 1], arms[:, 0]))
    assert abs((left - right) % 360.0 - fov_deg) < 0.5
    assert abs((left - yaw_deg + 180.0) % 360.0 - 180.0 - fov_deg / 2) < 0.5


def test_the_wedge_is_tinted_in_the_panel_and_its_outside_is_not() -> None:
    ego = straight_drive()
    front = looking(0.0, Pinhole(640.0, 640.0, 639.5, 359.5))  # 90 degrees
    picture = panel(Scene("clip", HDMap(), ego), camera=front)
    view = PanelView.fitting(WIDTH, HEIGHT)
    inside, outside = view.pixels(np.array([[10.0, 7.0], [10.0, 11.0]])).round().astype(int)
    assert picture[inside[1], inside[0]].sum() > picture[outside[1], outside[0]].sum() + 30


def test_a_light_shows_its_state_at_the_time() -> None:
    ego = straight_drive()
    light = TrafficLight("light", SE3(np.eye(3), np.array([30.0, 5.0, 5.0])), 0.3, 0.3, 1.0)
    states = {"light": LightTimeline(np.array([0, 150_000]), (LightState.RED, LightState.GREEN))}
    scene = Scene("clip", HDMap(traffic_lights=(light,)), ego, light_states=states)
    u, v = PanelView.fitting(WIDTH, HEIGHT).pixels(np.array([30.0, 5.0])).round().astype(int)
    assert np.abs(panel(scene, 1)[v, u] - LIGHT_RGB[LightState.RED]).max() < 25
    assert np.abs(panel(scene, 2)[v, u] - LIGHT_RGB[LightState.GREEN]).max() < 25


def test_the_driven_path_is_behind_the_ego_and_the_rest_is_dotted_ahead() -> None:
    ego = straight_drive(0.9, (55.0, 7.0), speed_mps=150.0)
    picture = panel(Scene("clip", HDMap(), ego), 1)
    lime = (picture[..., 1] > 120) & (picture[..., 2] < 140)
    behind = lime[round(EGO_V + 3 * PX_PER_M) : round(EGO_V + 13 * PX_PER_M), round(EGO_U)]
    ahead = lime[round(EGO_V - 13 * PX_PER_M) : round(EGO_V - 5 * PX_PER_M), round(EGO_U)]
    assert behind.all()
    assert ahead.any() and not ahead.all()


def test_the_same_frame_twice_has_the_same_bytes() -> None:
    ego = straight_drive(0.3, (10.0, 10.0), speed_mps=9.0)
    scene = Scene("clip", HDMap(), ego, (car(ego, 10.0, 3.0),))
    assert np.array_equal(panel(scene, 2), panel(scene, 2))


def test_an_unknown_palette_is_refused() -> None:
    scene = Scene("clip", HDMap(), straight_drive())
    with pytest.raises(RenderError, match=r"^there is no palette 'neon'\. Palettes: world-scenario, hdmap-v1\.$"):
        BirdsEye(scene, CameraRig((NARROW_BACK,)).at(scene.ego, TIMES), WIDTH, HEIGHT, "neon")
