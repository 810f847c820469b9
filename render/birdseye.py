"""The world from above: ego-centred, forward up, with map, actors, driven path and camera frusta.

Everything is drawn at twice the size of the panel and shrunk at the end. The map is drawn once per place into a
north-up canvas, which every frame turns and moves; what moves is drawn on top of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from scenegraph import SE3, Camera, Category, ClipCameras, HDMap, LightState, Scene
from scenegraph.arrays import FloatArray, UInt8Array
from scenegraph.scene import EGO_EXTRAPOLATION_US

from .box_layer import box_layer
from .errors import RenderError
from .lettering import write_text
from .map_canvas import GROUND_RGB, MapCanvas
from .mosaic import CAMERA_RGB
from .palette import ACTOR_RGB, LIGHT_RGB, PALETTE_NAMES, V1_ACTOR_RGB, PaletteName, Rgb
from .strokes import draw_lines, fill_disc, fill_polygon

AHEAD_M, BEHIND_M = 62.0, 40.0
WEDGE_M, TELE_WEDGE_M = 17.0, 24.0
TELE_BELOW_DEG = 45.0

_OVERSAMPLING = 2
_WEDGE_SAMPLES = 49

_PATH_RGB: Rgb = (190, 242, 100)
_EGO_RGB: Rgb = (250, 250, 250)
_GLASS_RGB: Rgb = (52, 60, 72)
_TEXT_RGB: Rgb = (206, 211, 219)
_FRONT_EDGE_RGB: Rgb = (255, 255, 255)
_WEDGE_FILL, _WEDGE_EDGE = 0.17, 0.8

# No log says how large its vehicle is: a usual car, its rear axle at the origin. x forward, y left, metres.
_EGO_BODY_M = np.array(
    [[-1.0, 0.7], [-0.85, 0.95], [3.2, 0.95], [3.75, 0.6], [3.75, -0.6], [3.2, -0.95], [-0.85, -0.95], [-1.0, -0.7]]
)
_EGO_WINDSCREEN_M = np.array([[2.2, 0.8], [1.5, 0.66], [1.5, -0.66], [2.2, -0.8]])
_EGO_REAR_WINDOW_M = np.array([[-0.5, 0.74], [-0.05, 0.62], [-0.05, -0.62], [-0.5, -0.74]])

_SHADES = 12
_FRONT_SHARE = 0.75
_LEAST_SIDE_M = 0.9
"""Smaller things are drawn this large, or nobody would see them."""
_TINY_PX, _LONG_PX = 6.0, 24.0
_FUTURE_DOT_EVERY_M = 2.0


@dataclass(frozen=True)
class PanelView:
    """How metres around the ego become pixels of a panel of width_px x height_px.

    px_per_m: scale. ego_u, ego_v: pixel of the ego's origin.
    """

    width_px: int
    height_px: int
    px_per_m: float
    ego_u: float
    ego_v: float

    @classmethod
    def fitting(cls, width_px: int, height_px: int, ahead_m: float = AHEAD_M, behind_m: float = BEHIND_M) -> PanelView:
        """From ``behind_m`` behind the ego at the bottom edge to ``ahead_m`` ahead at the top edge."""
        px_per_m = height_px / (ahead_m + behind_m)
        return cls(width_px, height_px, px_per_m, width_px / 2 - 0.5, ahead_m * px_per_m - 0.5)

    def pixels(self, points_ego: FloatArray) -> FloatArray:
        """Pixels [...,2] of places around the ego [...,2+] (x forward, y left)."""
        points = np.asarray(points_ego, dtype=np.float64)
        u, v = self.ego_u - self.px_per_m * points[..., 1], self.ego_v - self.px_per_m * points[..., 0]
        return np.stack([u, v], axis=-1)

    @property
    def radius_m(self) -> float:
        """From the ego to the farthest corner."""
        across = max(self.ego_u, self.width_px - self.ego_u)
        along = max(self.ego_v, self.height_px - self.ego_v)
        return float(np.hypot(across, along) / self.px_per_m)

    def enlarged(self, factor: int) -> PanelView:
        """The same view with ``factor`` pixels for one."""
        u, v = factor * (self.ego_u + 0.5) - 0.5, factor * (self.ego_v + 0.5) - 0.5
        return PanelView(self.width_px * factor, self.height_px * factor, self.px_per_m * factor, u, v)


def frustum_wedge(camera: Camera, length_m: float | None = None) -> FloatArray:
    """What a camera sees, from above: its place, then an arc from its left to its right edge, [N,2] around the ego.

    The arc follows the lens at mid height of the picture. A tele camera's wedge is longer than others, unless
    ``length_m`` says otherwise.
    """
    u = np.linspace(-0.5, camera.width_px - 0.5, _WEDGE_SAMPLES)
    rays = camera.unproject(np.stack([u, np.full_like(u, (camera.height_px - 1) / 2)], axis=1))
    rays_ego = rays @ camera.ego_from_camera.rotation.T
    angles_rad = np.unwrap(np.arctan2(rays_ego[:, 1], rays_ego[:, 0]))
    if length_m is None:
        is_tele = abs(angles_rad[-1] - angles_rad[0]) < np.radians(TELE_BELOW_DEG)
        length_m = TELE_WEDGE_M if is_tele else WEDGE_M
    apex = camera.ego_from_camera.translation_m[:2]
    arc = apex + length_m * np.stack([np.cos(angles_rad), np.sin(angles_rad)], axis=1)
    return np.concatenate([apex[None], arc])


def class_colours(palette: PaletteName) -> Mapping[Category, tuple[Rgb, Rgb]]:
    """Front and rear colour of every class of actors."""
    if palette == "hdmap-v1":
        return {category: (rgb, rgb) for category, rgb in V1_ACTOR_RGB.items()}
    return ACTOR_RGB


class BirdsEye:
    """Draws the panel for any frame of a clip; safe to call from several threads."""

    def __init__(
        self, scene: Scene, cameras: ClipCameras, width_px: int, height_px: int, palette: PaletteName = "world-scenario"
    ) -> None:
        if palette not in PALETTE_NAMES:
            raise RenderError(f"there is no palette {palette!r}. Palettes: {', '.join(PALETTE_NAMES)}.")
        self.view = PanelView.fitting(width_px, height_px)
        self._large = self.view.enlarged(_OVERSAMPLING)
        self._map = MapCanvas(scene.hdmap, palette, self._large.px_per_m, self._large.radius_m)
        times = cameras.timestamps_us
        self._world_from_ego = scene.ego.at(times, EGO_EXTRAPOLATION_US)
        self._boxes = box_layer(scene.actors, times)
        colours = class_colours(palette)
        self._shades = [_shades(*colours[a.category]) for a in sorted(scene.actors, key=lambda a: a.id)]
        self._light_places_m, self._light_colours = _light_places_m(scene.hdmap), _light_colours(scene, cameras)
        self._path_m = self._world_from_ego.translation_m
        self._driven_m, self._dots_m = _path_dots(self._path_m)
        self._tint, self._keep = _wedge_layer(cameras.cameras, self._large)

    def frame(self, index: int) -> UInt8Array:
        """The panel at one instant, uint8 [h,w,3] RGB."""
        pose = self._world_from_ego[index]
        world_from_flat = SE3.from_yaw(pose.yaw_rad, pose.translation_m)
        ego_from_world = world_from_flat.inverse()
        view = self._large
        ground = self._map.seen_from(world_from_flat, (view.ego_u, view.ego_v), view.width_px, view.height_px)
        picture = np.asarray(cv2.add(cv2.multiply(ground, self._keep, scale=1 / 255), self._tint), dtype=np.uint8)
        self._draw_path(picture, index, ego_from_world)
        self._draw_lights(picture, index, ego_from_world)
        self._draw_actors(picture, index, ego_from_world)
        self._draw_ego(picture)
        small = cv2.resize(picture, (self.view.width_px, self.view.height_px), interpolation=cv2.INTER_AREA)
        panel = np.asarray(small, dtype=np.uint8)
        _draw_scale_bar(panel, self.view)
        return panel

    def _draw_path(self, picture: UInt8Array, index: int, ego_from_world: SE3) -> None:
        """Driven so far as a line, what comes as dots."""
        past = self._large.pixels(ego_from_world.apply(self._path_m[: index + 1]))
        if len(past) > 1:
            draw_lines(picture, [past], _PATH_RGB, 2 * _OVERSAMPLING)
        to_come = self._dots_m[np.arange(len(self._dots_m)) * _FUTURE_DOT_EVERY_M > self._driven_m[index]]
        for centre in self._large.pixels(ego_from_world.apply(to_come)):
            fill_disc(picture, centre, 1.3 * _OVERSAMPLING, _PATH_RGB)

    def _draw_lights(self, picture: UInt8Array, index: int, ego_from_world: SE3) -> None:
        centres = self._large.pixels(ego_from_world.apply(self._light_places_m))
        for centre, colours in zip(centres, self._light_colours, strict=True):
            fill_disc(picture, centre, 3.6 * _OVERSAMPLING, GROUND_RGB)
            fill_disc(picture, centre, 2.6 * _OVERSAMPLING, colours[index])

    def _draw_actors(self, picture: UInt8Array, index: int, ego_from_world: SE3) -> None:
        """Those inside of the panel, large ones first, so that nobody is hidden under a truck."""
        corners = ego_from_world.apply(self._boxes.corners_m[index, :, :4])
        outlines = self._large.pixels(_grown(corners[..., :2]))
        high = np.array([self._large.width_px, self._large.height_px])
        inside = (outlines.max(axis=1) > 0).all(axis=1) & (outlines.min(axis=1) < high).all(axis=1)
        drawn = np.flatnonzero(self._boxes.present[index] & inside)
        sizes = np.ptp(corners[drawn], axis=1).sum(axis=1)
        for actor in drawn[np.argsort(-sizes, kind="stable")].tolist():
            _draw_actor(picture, outlines[actor], self._shades[actor])

    def _draw_ego(self, picture: UInt8Array) -> None:
        body = self._large.pixels(_EGO_BODY_M)
        draw_lines(picture, [body], GROUND_RGB, 3 * _OVERSAMPLING, closed=True)
        fill_polygon(picture, body, _EGO_RGB)
        fill_polygon(picture, self._large.pixels(_EGO_WINDSCREEN_M), _GLASS_RGB)
        fill_polygon(picture, self._large.pixels(_EGO_REAR_WINDOW_M), _GLASS_RGB)


def _grown(outlines_m: FloatArray) -> FloatArray:
    """Footprints [A,4,2] (front left, front right, rear right, rear left), none smaller than can be seen."""
    centre = outlines_m.mean(axis=1)
    forward, left = outlines_m[:, 0] - outlines_m[:, 3], outlines_m[:, 0] - outlines_m[:, 1]
    for side in (forward, left):
        length_m = np.hypot(side[:, 0], side[:, 1])
        side *= (np.maximum(length_m, _LEAST_SIDE_M) / np.maximum(length_m, 1e-9) / 2)[:, None]
    corners = [centre + forward + left, centre + forward - left, centre - forward - left, centre - forward + left]
    return np.stack(corners, axis=1)


def _draw_actor(picture: UInt8Array, corners: FloatArray, shades: Sequence[Rgb]) -> None:
    """A footprint [4,2] shaded from rear to front; one tone where it is tiny. Longish things get a bright front."""
    length_px, width_px = np.hypot(*(corners[0] - corners[3])), np.hypot(*(corners[0] - corners[1]))
    is_tiny = width_px < _TINY_PX * _OVERSAMPLING
    tones = shades[len(shades) // 3 :][:1] if is_tiny else shades[:: 1 if length_px > _LONG_PX * _OVERSAMPLING else 3]
    for number, rgb in enumerate(tones):
        share = np.array([[number], [number + 1]]) / len(tones)
        left = corners[3] + (corners[0] - corners[3]) * share
        right = corners[2] + (corners[1] - corners[2]) * share
        fill_polygon(picture, np.concatenate([left, right[::-1]]), rgb, smooth=False)
    draw_lines(picture, [corners], shades[0], _OVERSAMPLING, closed=True)
    if length_px >= width_px and not is_tiny:
        draw_lines(picture, [corners[:2]], _FRONT_EDGE_RGB, 2 * _OVERSAMPLING)


def _shades(front: Rgb, rear: Rgb) -> tuple[Rgb, ...]:
    """Colours from rear to front; the darkest front colours are lifted off the dark ground."""
    share = np.linspace(0.0, _FRONT_SHARE, _SHADES)[:, None]
    rgb = np.array(rear) + share * (np.array(front) - np.array(rear))
    return tuple((int(r), int(g), int(b)) for r, g, b in rgb.round())


def _light_places_m(hdmap: HDMap) -> FloatArray:
    """Centres of all lights [G,3], world."""
    return np.array([light.world_from_box.translation_m for light in hdmap.traffic_lights]).reshape(-1, 3)


def _light_colours(scene: Scene, cameras: ClipCameras) -> list[list[Rgb]]:
    """Colour of every light at every instant, [G][T]; a light without states is unknown."""
    times = cameras.timestamps_us
    unknown = (LightState.UNKNOWN,) * len(times)
    timelines = [scene.light_states.get(light.id) for light in scene.hdmap.traffic_lights]
    return [[LIGHT_RGB[state] for state in (line.at(times) if line else unknown)] for line in timelines]


def _path_dots(path_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Driven metres at every instant [T], and places [D,3] at even distances along the path."""
    driven_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path_m, axis=0), axis=1))])
    stations = np.arange(0.0, driven_m[-1], _FUTURE_DOT_EVERY_M)
    dots = np.stack([np.interp(stations, driven_m, path_m[:, axis]) for axis in range(3)], axis=1)
    return driven_m, dots


def _wedge_layer(cameras: Sequence[Camera], view: PanelView) -> tuple[UInt8Array, UInt8Array]:
    """Translucent frusta as what they add and what they leave of the picture below, both uint8 [h,w,3]."""
    tint = np.zeros((view.height_px, view.width_px, 3))
    keep = np.ones_like(tint)
    for camera, rgb in zip(cameras, CAMERA_RGB, strict=False):
        outline = view.pixels(frustum_wedge(camera))
        mask = np.zeros(tint.shape[:2], dtype=np.uint8)
        fill_polygon(mask, outline, (round(255 * _WEDGE_FILL), 0, 0))
        draw_lines(mask, [outline], (round(255 * _WEDGE_EDGE), 0, 0), _OVERSAMPLING, closed=True)
        cover = (mask / 255.0)[..., None]
        tint = tint * (1.0 - cover) + np.array(rgb) * cover
        keep = keep * (1.0 - cover)
    return tint.round().astype(np.uint8), (255 * keep).round().astype(np.uint8)


def _draw_scale_bar(panel: UInt8Array, view: PanelView) -> None:
    """A bar of a round number of metres in the lower left corner."""
    length_m = next((m for m in (50, 20, 10, 5) if m * view.px_per_m <= view.width_px / 4), 5)
    capital = max(7, round(view.height_px / 55)) if view.height_px < 600 else 11
    left, bottom, tick = 1.2 * capital, view.height_px - 1.3 * capital, 0.4 * capital
    right = left + length_m * view.px_per_m
    bar = [[left, bottom - tick], [left, bottom], [right, bottom], [right, bottom - tick]]
    draw_lines(panel, [np.array(bar)], GROUND_RGB, 4)
    draw_lines(panel, [np.array(bar)], _TEXT_RGB, 2)
    write_text(
        panel, f"{length_m} m", round((left + right) / 2), round(bottom - 0.7 * capital), capital, _TEXT_RGB, "centre"
    )
