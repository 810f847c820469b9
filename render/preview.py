"""The picture people look at: all cameras around a bird's-eye view, with the time and what is in sight."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from scenegraph import Camera, CameraRig, Category, ClipCameras, Scene
from scenegraph.arrays import BoolArray, FloatArray, IntArray, UInt8Array, expect

from .birdseye import BirdsEye, class_colours
from .box_layer import box_layer
from .controls import ControlRenderer
from .errors import RenderError
from .lettering import shortened, text_width_px, write_text
from .mosaic import CAMERA_RGB, Layout, Rect, Tile, layout
from .overlay import OverlayRenderer, Photos
from .palette import FADE_DISTANCE_M, PaletteName, Rgb
from .projection import NEAR_M, LensTable, camera_from_world, lens_table, project_points

GROUND_RGB: Rgb = (22, 24, 29)
BAND_RGB: Rgb = (36, 39, 46)
TEXT_RGB: Rgb = (232, 235, 240)
_QUIET_RGB: Rgb = (150, 157, 168)
_WARNING_RGB: Rgb = (255, 178, 102)
_PANEL_RGB: Rgb = (120, 127, 138)
_BORDER_PX = 2

_PICTURE_WITHIN_US = 60_000
_SPEED_OVER_US = 100_000

_CORNER_SIGNS = [(1, 1, 1), (1, -1, 1), (-1, -1, 1), (-1, 1, 1), (1, 1, -1), (1, -1, -1), (-1, -1, -1), (-1, 1, -1)]
_BOX_WEIGHTS = np.array(
    [
        [(1 + x * sx) * (1 + y * sy) * (1 + z * sz) / 8 for sx, sy, sz in _CORNER_SIGNS]
        for x, y, z in itertools.product((-1, 0, 1), repeat=3)
    ]
)
"""Corners, middles of edges and faces, and the centre of a box [27,8], from its corners as box_corners gives them."""


class PreviewRenderer:
    """Draws any frame of a preview; safe to call from several threads.

    scene: what to show. cameras: from where and when; 1 to 12 of them, each in its own size.
    photos: recorded pictures by camera name; where one was taken close in time it is shown instead of the control
    picture, with map and boxes of its own instant drawn over it.
    films: one video per camera, in view order, uint8 [T,H,W,3] RGB with a frame per instant; they are shown instead of
    the control pictures, in their own shape.
    """

    def __init__(
        self,
        scene: Scene,
        cameras: ClipCameras,
        *,
        width_px: int = 1920,
        height_px: int = 1080,
        palette: PaletteName = "world-scenario",
        photos: Photos | None = None,
        films: Sequence[UInt8Array] | None = None,
    ) -> None:
        if not len(cameras.timestamps_us):
            raise RenderError(f"{scene.clip_id}: a preview needs at least one frame")
        if films is not None and photos is not None:
            raise RenderError(f"{scene.clip_id}: a preview shows films or photos, not both. Leave one of them out.")
        shown = cameras.cameras if films is None else _cameras_of_films(scene.clip_id, cameras, films)
        self.layout: Layout = layout(shown, width_px, height_px)
        self._cameras = cameras
        self._tile_picture: Callable[[int, int], UInt8Array]
        if films is None:
            self._tile_picture = ControlRenderer(scene, cameras, palette).frame
        else:
            self._tile_picture = lambda view, index: films[view][index]
        panel = self.layout.birdseye.picture
        self._birdseye = BirdsEye(scene, cameras, panel.width, panel.height, palette)
        self._pictures = None if photos is None else _Pictures(scene, cameras, photos, palette)
        self._sight = _Sight(scene, cameras)
        classes = [(category, class_colours(palette)[category]) for category in self._sight.categories]
        speeds_kmh = _speeds_kmh(scene, cameras.timestamps_us)
        self._header = _Header(self.layout.header, scene.clip_id, cameras.timestamps_us, speeds_kmh, classes)
        self._blank = self._drawn_frame()

    def frame(self, index: int) -> UInt8Array:
        """The preview at one instant of the clip, uint8 [H,W,3] RGB."""
        count = len(self._cameras.timestamps_us)
        if not 0 <= index < count:
            raise RenderError(f"there is no frame {index}; the clip has frames 0 to {count - 1}")
        picture = self._blank.copy()
        for view, tile in enumerate(self.layout.tiles):
            self._draw_tile(picture, tile, view, index)
        picture[self.layout.birdseye.picture.slices] = self._birdseye.frame(index)
        self._header.draw(picture, index, self._sight.counts(index))
        return picture

    def _draw_tile(self, picture: UInt8Array, tile: Tile, view: int, index: int) -> None:
        shown = None if self._pictures is None else self._pictures.frame(view, index)
        if shown is None:
            shown = self._tile_picture(view, index)
            if self._pictures is not None:
                capital, label = band_capital_px(tile.label), tile.label
                baseline = label.top + (label.height + capital) // 2
                write_text(picture, "no picture", label.right - capital, baseline, capital, _WARNING_RGB, "right")
        picture[tile.picture.slices] = resized_picture(shown, tile.picture.width, tile.picture.height)

    def _drawn_frame(self) -> UInt8Array:
        """What is the same in every frame: ground, borders, labels."""
        plan = self.layout
        picture = np.full((plan.height_px, plan.width_px, 3), GROUND_RGB, dtype=np.uint8)
        for tile, camera, rgb in zip(plan.tiles, self._cameras.cameras, CAMERA_RGB, strict=False):
            draw_card(picture, tile, readable_name(camera.name), rgb)
        draw_card(picture, plan.birdseye, "bird's-eye view", _PANEL_RGB)
        return picture


def _cameras_of_films(clip_id: str, cameras: ClipCameras, films: Sequence[UInt8Array]) -> tuple[Camera, ...]:
    """The cameras in the sizes of their films, once the films are found to fit the clip."""
    if len(films) != len(cameras.cameras):
        raise RenderError(
            f"{clip_id}: got {len(films)} films for {len(cameras.cameras)} cameras. Give one per camera, in view order."
        )
    frames = len(cameras.timestamps_us)
    for name, film in zip(cameras.names, films, strict=True):
        require_pictures(f"{clip_id}: film of {name}", film, "T H W 3")
        if len(film) != frames:
            raise RenderError(
                f"{clip_id}: film of {name}: has {len(film)} frames, the clip has {frames}. Give one per instant."
            )
    return tuple(camera.resized(*film.shape[2:0:-1]) for camera, film in zip(cameras.cameras, films, strict=True))


def require_pictures(name: str, pictures: UInt8Array, shape: str) -> None:
    """Refuse what is not RGB of this shape, "H W 3" or "T H W 3", in bytes, or has no pixels."""
    try:
        expect(name, pictures, shape, np.uint8)
    except ValueError as error:
        raise RenderError(f"{error}. Give RGB pictures of bytes.") from error
    if 0 in pictures.shape[-3:]:
        raise RenderError(f"{name}: has no pixels. Give pictures with at least one.")


def resized_picture(picture: UInt8Array, width_px: int, height_px: int) -> UInt8Array:
    """A picture in another size. Halving first is several times quicker than OpenCV's shrinking by any factor."""
    height, width = picture.shape[:2]
    while width % 2 == 0 and height % 2 == 0 and width >= 2 * width_px and height >= 2 * height_px:
        width, height = width // 2, height // 2
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    method = cv2.INTER_CUBIC if width < width_px else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width_px, height_px), interpolation=method), dtype=np.uint8)


def readable_name(camera_name: str) -> str:
    """A camera's name in lower-case words, without the word camera."""
    words = [word for word in camera_name.lower().replace("-", "_").split("_") if word]
    return " ".join(word for word in words if word not in ("cam", "camera")) or camera_name


class _Header:
    """One line of text above everything: which clip, when, how fast, what is in view."""

    def __init__(
        self,
        place: Rect,
        clip_id: str,
        timestamps_us: IntArray,
        speeds_kmh: FloatArray,
        classes: Sequence[tuple[Category, tuple[Rgb, Rgb]]],
    ) -> None:
        self._place, self._clip_id = place, clip_id
        self._times_s = (timestamps_us - timestamps_us[0]) / 1e6
        self._speeds_kmh, self._classes = speeds_kmh, classes
        self._capital_px = max(8, round(place.height * 0.26))
        self._baseline = place.top + (place.height + self._capital_px) // 2

    def draw(self, picture: UInt8Array, index: int, counts: Counter[Category]) -> None:
        """The line of one frame. Numbers have fixed places, so that nothing moves from frame to frame."""
        gap = 2 * self._capital_px
        last = len(self._times_s) - 1
        right = self._draw_legend(picture, counts) - gap
        status = [
            ("time", f"{self._times_s[index]:.2f} s", f"{self._times_s[last]:.2f} s"),
            ("frame", f"{index} / {last}", f"{last} / {last}"),
            ("ego", f"{self._speeds_kmh[index]:.0f} km/h", "000 km/h"),
        ]
        width = sum(self._width(name) + self._width(widest) + gap // 2 for name, _, widest in status) + 2 * gap
        left = min(self._place.left + (self._place.width - width) // 2, right - width)
        clip_id = shortened(self._clip_id, self._capital_px, left - gap - self._place.left)
        self._write(picture, clip_id, self._place.left)
        for name, value, widest in status:
            self._write(picture, name, left, _QUIET_RGB)
            left += self._width(name) + gap // 2
            self._write(picture, value, left)
            left += self._width(widest) + gap

    def _draw_legend(self, picture: UInt8Array, counts: Counter[Category]) -> int:
        """Colour, name and number of every class, written from the right; returns where it begins."""
        size, right = self._capital_px, self._place.right
        for category, (front, rear) in reversed(self._classes):
            write_text(picture, str(counts[category]), right, self._baseline, size, TEXT_RGB, "right")
            right -= self._width("00") + size // 2
            write_text(picture, category.value, right, self._baseline, size, _QUIET_RGB, "right")
            right -= self._width(category.value) + size // 2
            share = np.linspace(0.0, 0.75, size)[None, :, None]
            swatch = np.array(rear) + share * (np.array(front) - np.array(rear))
            picture[self._baseline - size : self._baseline, right - size : right] = swatch.round()
            right -= size + 2 * size
        return right

    def _write(self, picture: UInt8Array, text: str, left: int, rgb: Rgb = TEXT_RGB) -> None:
        write_text(picture, text, left, self._baseline, self._capital_px, rgb)

    def _width(self, text: str) -> int:
        return text_width_px(text, self._capital_px)


class _Sight:
    """Which actors the cameras see: a part of the box in a picture, within the distance that is drawn."""

    def __init__(self, scene: Scene, cameras: ClipCameras) -> None:
        actors = sorted(scene.actors, key=lambda actor: actor.id)
        self._classes = [actor.category for actor in actors]
        self._boxes = box_layer(actors, cameras.timestamps_us)
        self._lenses = [lens_table(camera) for camera in cameras.cameras]
        self._world_from_camera = cameras.world_from_camera
        self.categories = [category for category in Category if category in self._classes]

    def counts(self, index: int) -> Counter[Category]:
        """Number of actors in view per class at one instant."""
        present = np.flatnonzero(self._boxes.present[index])
        points = (_BOX_WEIGHTS @ self._boxes.corners_m[index, present]).reshape(-1, 3)
        seen = np.zeros(len(points), dtype=bool)
        for lens, pose in zip(self._lenses, self._world_from_camera[:, index], strict=True):
            seen |= _seen(points, lens, camera_from_world(pose))
        visible = present[seen.reshape(len(present), len(_BOX_WEIGHTS)).any(axis=1)]
        return Counter(self._classes[actor] for actor in visible.tolist())


def _seen(points_m: FloatArray, lens: LensTable, pose: FloatArray) -> BoolArray:
    """Which world points [N,3] lie in the picture and in front of its camera."""
    points = points_m @ pose[:, :3].T + pose[:, 3]
    ahead = np.flatnonzero((points[:, 2] > NEAR_M) & (points[:, 2] < FADE_DISTANCE_M))
    uv = np.empty((len(ahead), 2))
    project_points(np.ascontiguousarray(points[ahead]), lens.numbers, lens.radius, uv)
    seen = np.zeros(len(points), dtype=bool)
    seen[ahead] = ((uv >= 0.0) & (uv <= lens.numbers[13:15])).all(axis=1)
    return seen


class _Pictures:
    """The recorded picture that belongs to a frame of a camera, with the scene drawn over it."""

    def __init__(self, scene: Scene, cameras: ClipCameras, photos: Photos, palette: PaletteName) -> None:
        self._names, self._times_us = cameras.names, cameras.timestamps_us
        steps_us = np.diff(self._times_us)
        half_us = int(np.median(steps_us)) // 2 if len(steps_us) else 0
        self._within_us = max(half_us, _PICTURE_WITHIN_US)
        first, last = int(self._times_us[0]) - self._within_us, int(self._times_us[-1]) + self._within_us
        self._photos = {
            name: [image for image in images if first <= image.timestamp_us <= last]
            for name, images in photos.items()
            if name in self._names
        }
        self._overlays = OverlayRenderer(scene, CameraRig(cameras.cameras), self._photos, palette, at_rig_size=True)

    def frame(self, view: int, index: int) -> UInt8Array | None:
        """The picture nearest in time, None where none was taken close enough."""
        time_us = int(self._times_us[index])
        images = self._photos.get(self._names[view], [])
        nearest = min(images, key=lambda image: abs(image.timestamp_us - time_us), default=None)
        if nearest is None or abs(nearest.timestamp_us - time_us) > self._within_us:
            return None
        return self._overlays.picture(self._names[view], nearest)


def _speeds_kmh(scene: Scene, timestamps_us: IntArray) -> FloatArray:
    """Speed of the ego at every instant [T], over a tenth of a second before and after it where recorded."""
    ego = scene.ego
    start = np.clip(timestamps_us - _SPEED_OVER_US, ego.first_us, ego.last_us)
    end = np.clip(timestamps_us + _SPEED_OVER_US, ego.first_us, ego.last_us)
    moved_m = np.linalg.norm(ego.at(end).translation_m - ego.at(start).translation_m, axis=1)
    return np.asarray(3.6e6 * moved_m / np.maximum(end - start, 1))


def draw_card(picture: UInt8Array, tile: Tile, label: str, rgb: Rgb) -> None:
    """A border around picture and label, the label's band, and the label."""
    card, band = tile.card, tile.label
    border = _BORDER_PX
    edge = Rect(card.left - border, card.top - border, card.width + 2 * border, card.height + 2 * border)
    picture[edge.slices] = rgb
    picture[band.slices] = BAND_RGB
    picture[tile.picture.slices] = 0
    capital = band_capital_px(band)
    baseline = band.top + (band.height + capital) // 2
    mark = Rect(band.left + capital // 2, baseline - capital, capital // 2, capital)
    picture[mark.slices] = rgb
    text = shortened(label, capital, band.width - 3 * capital)
    write_text(picture, text, band.left + 2 * capital - capital // 2, baseline, capital, TEXT_RGB)


def band_capital_px(band: Rect) -> int:
    """Height of capitals on a label band."""
    return round(0.44 * band.height)
