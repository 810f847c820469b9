from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from render.controls import ControlRenderer
from render.errors import RenderError
from render.preview import PreviewRenderer, readable_name
from render.video import write_png
from scenegraph import (
    SE3,
    Actor,
    Camera,
    CameraRig,
    Category,
    ClipCameras,
    Crosswalk,
    HDMap,
    LaneLine,
    LaneSegment,
    Pinhole,
    Pole,
    Polyline,
    RoadBoundary,
    RoadMarking,
    Scene,
    StopLine,
    TrafficLight,
    TrafficSign,
    Trajectory,
)
from scenegraph.formats.images import RecordedImage

TIMES = np.arange(11) * 100_000


def camera(name: str, yaw_deg: float, width: int = 640, height: int = 360) -> Camera:
    angle = np.radians(yaw_deg)
    forward, right = [np.cos(angle), np.sin(angle), 0.0], [np.sin(angle), -np.cos(angle), 0.0]
    rotation = np.stack([right, [0.0, 0.0, -1.0], forward], axis=1)
    lens = Pinhole(0.6 * width, 0.6 * width, (width - 1) / 2, (height - 1) / 2)
    return Camera(name, lens, width, height, SE3(rotation, np.array([1.0, 0.0, 1.5])))


def drive() -> Trajectory:
    places = np.stack([TIMES / 1e6 * 9.0, 0 * TIMES, 0 * TIMES], axis=1)
    return Trajectory(TIMES, SE3(np.tile(np.eye(3), (len(TIMES), 1, 1)), places))


def actor(name: str, x: float, y: float, category: Category = Category.CAR) -> Actor:
    pose = SE3(np.eye(3)[None], [[x, y, 0.8]])
    return Actor(name, category, Trajectory([0], pose), 4.5, 2.0, 1.6, extrapolate_us=10**7)


def line(*points: tuple[float, float]) -> Polyline:
    return Polyline([[x, y, 0.0] for x, y in points])


def town() -> HDMap:
    """One of everything."""
    up = SE3(np.eye(3), np.array([30.0, 6.0, 5.0]))
    return HDMap(
        lane_segments=(LaneSegment("lane", line((-50, 2), (90, 2)), line((-50, -2), (90, -2))),),
        lane_lines=(
            LaneLine("left", line((-50, 2), (90, 2)), "YELLOW", "SOLID_GROUP"),
            LaneLine("right", line((-50, -2), (90, -2)), "WHITE", "LONG_DASHED_SINGLE"),
        ),
        road_boundaries=(RoadBoundary("kerb", line((-50, -6), (90, -6))),),
        crosswalks=(Crosswalk("crossing", line((20, -6), (23, -6), (23, 6), (20, 6))),),
        stop_lines=(StopLine("stop", line((18, -2), (18, 2))),),
        poles=(Pole("pole", Polyline([[30.0, 6.0, 0.0], [30.0, 6.0, 5.0]])),),
        road_markings=(RoadMarking("arrow", line((10, -0.5), (13, -0.5), (13, 0.5), (10, 0.5))),),
        traffic_lights=(TrafficLight("light", up, 0.3, 0.3, 1.0),),
        traffic_signs=(TrafficSign("sign", SE3(np.eye(3), np.array([40.0, -7.0, 3.0])), 0.1, 0.8, 0.8),),
    )


def busy_scene() -> Scene:
    actors = (actor("a", 15.0, 3.5), actor("b", -12.0, 0.0, Category.TRUCK), actor("c", 8.0, -7.0, Category.PEDESTRIAN))
    return Scene("clip-1", town(), drive(), actors)


def ring(count: int) -> CameraRig:
    return CameraRig(tuple(camera(f"camera_{i}", (360.0 * i / count + 180.0) % 360.0 - 180.0) for i in range(count)))


def clip(scene: Scene, rig: CameraRig) -> ClipCameras:
    return rig.at(scene.ego, TIMES)


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_an_empty_scene_works_with_any_number_of_cameras(count: int) -> None:
    scene = Scene("empty", HDMap(), drive())
    picture = PreviewRenderer(scene, clip(scene, ring(count)), width_px=1280, height_px=720).frame(5)
    assert picture.shape == (720, 1280, 3) and picture.dtype == np.uint8


def test_the_same_frame_has_the_same_bytes_from_another_renderer_and_from_threads() -> None:
    scene = busy_scene()
    cameras = clip(scene, ring(4))
    one, other = PreviewRenderer(scene, cameras), PreviewRenderer(scene, cameras)
    alone = [one.frame(index) for index in range(4)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(other.frame, [3, 2, 1, 0, 3, 2, 1, 0]))
    for index, picture in zip([3, 2, 1, 0, 3, 2, 1, 0], together, strict=True):
        assert np.array_equal(picture, alone[index])
    assert not np.array_equal(alone[0], alone[3])


def test_a_tile_shows_the_control_picture_shrunk() -> None:
    scene = busy_scene()
    cameras = clip(scene, ring(3))
    renderer = PreviewRenderer(scene, cameras, width_px=1280, height_px=720)
    picture, controls = renderer.frame(2), ControlRenderer(scene, cameras)
    for view, tile in enumerate(renderer.layout.tiles):
        size = tile.picture.width, tile.picture.height
        expected = cv2.resize(controls.frame(view, 2), size, interpolation=cv2.INTER_AREA)
        shown = picture[tile.picture.slices]
        assert expected.any() and np.abs(shown.astype(int) - expected).mean() < 2.0


def test_a_tile_has_a_border_in_the_colour_of_its_camera_and_of_no_other() -> None:
    scene = Scene("empty", HDMap(), drive())
    renderer = PreviewRenderer(scene, clip(scene, ring(6)))
    picture = renderer.frame(0)
    borders = set()
    for tile in renderer.layout.tiles:
        edge = picture[tile.card.top : tile.card.bottom, tile.card.left - 1]
        assert (edge == edge[0]).all()
        borders.add(tuple(edge[0].tolist()))
    assert len(borders) == 6


def test_the_header_counts_only_actors_that_a_camera_sees() -> None:
    def header(*places: tuple[float, float]) -> np.ndarray:
        actors = tuple(actor(str(i), *place) for i, place in enumerate(places))
        scene = Scene("clip", HDMap(), drive(), actors)
        renderer = PreviewRenderer(scene, clip(scene, CameraRig((camera("front", 0.0),))))
        return renderer.frame(0)[renderer.layout.header.slices]

    one_seen = header((20.0, 0.0), (-20.0, 0.0))
    assert np.array_equal(one_seen, header((30.0, 3.0), (-20.0, 0.0)))
    assert np.array_equal(one_seen, header((30.0, 3.0), (-20.0, 0.0), (260.0, 0.0)))
    assert not np.array_equal(one_seen, header((20.0, 0.0), (30.0, 0.0)))
    assert not np.array_equal(one_seen, header((-20.0, 0.0), (-30.0, 0.0)))


def test_the_older_palette_works_too() -> None:
    scene = busy_scene()
    cameras = clip(scene, ring(2))
    old = PreviewRenderer(scene, cameras, palette="hdmap-v1").frame(0)
    assert not np.array_equal(old, PreviewRenderer(scene, cameras).frame(0))


def test_a_frame_outside_of_the_clip_is_refused() -> None:
    scene = Scene("empty", HDMap(), drive())
    renderer = PreviewRenderer(scene, clip(scene, ring(1)))
    for index in (-1, 11):
        with pytest.raises(RenderError, match=f"^there is no frame {index}; the clip has frames 0 to 10$"):
            renderer.frame(index)


def test_a_clip_without_frames_is_refused() -> None:
    scene = Scene("empty", HDMap(), drive())
    with pytest.raises(RenderError, match=r"^empty: a preview needs at least one frame$"):
        PreviewRenderer(scene, ring(1).at(scene.ego, np.zeros(0, dtype=np.int64)))


def test_names_of_cameras_are_made_readable() -> None:
    assert readable_name("camera_front_wide_120fov") == "front wide 120fov"
    assert readable_name("CAM_BACK_LEFT") == "back left"
    assert readable_name("camera") == "camera"


# -- with recorded pictures -------------------------------------------------------------------------------------


def grey_picture(folder: Path, name: str, timestamp_us: int, level: int) -> RecordedImage:
    path = folder / f"{name}_{timestamp_us}.png"
    write_png(path, np.full((720, 1280, 3), level, dtype=np.uint8))
    return RecordedImage(timestamp_us, path)


def test_each_tile_shows_the_picture_nearest_in_time_and_else_says_that_there_is_none(tmp_path: Path) -> None:
    scene = Scene("empty", HDMap(), drive())
    cameras = clip(scene, CameraRig((camera("front", 0.0), camera("left", 90.0), camera("back", 180.0))))
    photos = {
        "front": [grey_picture(tmp_path, "front", 330_000, 200), grey_picture(tmp_path, "front", 290_000, 120)],
        "left": [grey_picture(tmp_path, "left", 250_000, 80)],
        "elsewhere": [RecordedImage(300_000, tmp_path / "not_there.png")],
    }
    renderer = PreviewRenderer(scene, cameras, photos=photos)
    frames = {index: renderer.frame(index) for index in (1, 2, 3)}

    def level(index: int, view: int) -> set[int]:
        return set(np.unique(frames[index][renderer.layout.tiles[view].picture.slices]).tolist())

    def has_note(index: int, view: int) -> bool:
        band = frames[index][renderer.layout.tiles[view].label.slices].astype(int)
        return bool((band[:, band.shape[1] // 2 :, 0] - band[:, band.shape[1] // 2 :, 2] > 60).any())

    assert level(3, 0) == {120} and not has_note(3, 0)  # 10 ms away, the other one 30 ms
    assert level(3, 1) == {80} and not has_note(3, 1)  # 50 ms away
    assert level(1, 0) == {0} and has_note(1, 0)  # 190 ms away
    assert level(1, 1) == {0} and has_note(1, 1)
    assert all(level(index, 2) == {0} and has_note(index, 2) for index in frames)  # no pictures at all


def test_without_pictures_nothing_is_said_about_them() -> None:
    scene = Scene("empty", HDMap(), drive())
    cameras = clip(scene, CameraRig((camera("front", 0.0),)))
    plain, waiting = PreviewRenderer(scene, cameras), PreviewRenderer(scene, cameras, photos={})
    band = plain.layout.tiles[0].label.slices
    assert not np.array_equal(plain.frame(0)[band], waiting.frame(0)[band])


# -- with films -------------------------------------------------------------------------------------------------


def plain_film(*rgb: int, width: int = 64, height: int = 36) -> np.ndarray:
    return np.broadcast_to(np.array(rgb, dtype=np.uint8), (len(TIMES), height, width, 3)).copy()


@pytest.mark.parametrize("count", [1, 4, 7, 12])
def test_each_tile_is_filled_with_the_film_of_its_view_and_nothing_else_changes(count: int) -> None:
    scene = busy_scene()
    cameras = clip(scene, ring(count))
    films = [plain_film(255, 20 * view, 0) for view in range(count)]
    shown, plain = PreviewRenderer(scene, cameras, films=films), PreviewRenderer(scene, cameras)
    assert shown.layout == plain.layout
    picture, rest = shown.frame(3), plain.frame(3)
    for view, tile in enumerate(shown.layout.tiles):
        assert (picture[tile.picture.slices] == (255, 20 * view, 0)).all()
        picture[tile.picture.slices] = rest[tile.picture.slices]
    assert np.array_equal(picture, rest)


def test_a_film_is_shown_frame_by_frame() -> None:
    scene = Scene("empty", HDMap(), drive())
    levels = np.arange(len(TIMES), dtype=np.uint8) * 20
    film = np.broadcast_to(levels[:, None, None, None], (len(TIMES), 36, 64, 3))
    renderer = PreviewRenderer(scene, clip(scene, ring(1)), films=[film])
    place = renderer.layout.tiles[0].picture.slices
    for index, level in enumerate(levels.tolist()):
        assert set(np.unique(renderer.frame(index)[place]).tolist()) == {level}


def test_stacked_films_give_the_same_bytes_as_a_list_of_them() -> None:
    scene = busy_scene()
    cameras = clip(scene, ring(2))
    stacked = np.random.default_rng(0).integers(0, 256, (2, len(TIMES), 90, 160, 3), dtype=np.uint8)
    expected = PreviewRenderer(scene, cameras, films=list(stacked)).frame(4)
    assert np.array_equal(PreviewRenderer(scene, cameras, films=stacked).frame(4), expected)


def test_tiles_take_the_shape_of_films_that_have_another_one_than_their_cameras() -> None:
    scene = Scene("empty", HDMap(), drive())
    cameras = clip(scene, CameraRig((camera("front", 0.0, 480, 640), camera("back", 180.0, 640, 480))))
    films = [plain_film(255, 0, 0), plain_film(255, 0, 0)]
    for tile in PreviewRenderer(scene, cameras, films=films).layout.tiles:
        assert abs(tile.picture.width - tile.picture.height * 16 / 9) <= 1
    plain = PreviewRenderer(scene, cameras).layout.tiles
    assert plain[0].picture.width < plain[0].picture.height


def test_films_that_do_not_fit_the_clip_are_refused() -> None:
    scene = Scene("clip-1", HDMap(), drive())
    cameras = clip(scene, CameraRig((camera("front", 0.0), camera("back", 180.0))))
    fine = plain_film(255, 0, 0)
    mistakes = [
        ([fine], "clip-1: got 1 films for 2 cameras. Give one per camera, in view order."),
        ([fine, fine[:4]], "clip-1: film of back: has 4 frames, the clip has 11. Give one per instant."),
        (
            [fine[0], fine],
            "clip-1: film of front: expected [T,H,W,3] uint8, got [36,64,3] uint8. Give RGB pictures of bytes.",
        ),
        (
            [fine, fine / 255.0],
            "clip-1: film of back: expected [T,H,W,3] uint8, got [11,36,64,3] float64. Give RGB pictures of bytes.",
        ),
        ([fine[:, :0], fine], "clip-1: film of front: has no pixels. Give pictures with at least one."),
    ]
    for films, sentence in mistakes:
        with pytest.raises(RenderError, match=f"^{re.escape(sentence)}$"):
            PreviewRenderer(scene, cameras, films=films)


def test_films_and_recorded_pictures_together_are_refused() -> None:
    scene = Scene("clip-1", HDMap(), drive())
    sentence = r"^clip-1: a preview shows films or photos, not both\. Leave one of them out\.$"
    with pytest.raises(RenderError, match=sentence):
        PreviewRenderer(scene, clip(scene, ring(1)), photos={}, films=[plain_film(255, 0, 0)])


@pytest.mark.slow
def test_a_real_log_makes_a_full_picture(av2_log: Path) -> None:
    from scenegraph.formats.argoverse2 import read_argoverse2

    scene = read_argoverse2(av2_log)
    cameras = scene.rig.fitted(960, 540).at(scene.ego, scene.frame_times_us(10))
    renderer = PreviewRenderer(scene, cameras)
    picture = renderer.frame(50)
    for tile in (renderer.layout.birdseye, *renderer.layout.tiles):
        part = picture[tile.picture.slices].reshape(-1, 3)
        assert len(np.unique(part, axis=0)) > 100
